"""Figures that were interpolated, cumulated or swapped in their dates: refused, or told, against tables made day by day; real series pass."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions, swapped_days
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.events import event_list
from eventstudy.prices.table import Prices
from eventstudy.study.exchange import exchanges_of
from eventstudy.study.interpolated import refuse_cumulated, refuse_interpolated, straight_steps

MODEL = es.MarketModel("IDX")
OF_DATES = "Exchange"


def study(**more):
    return es.EventStudy(model=MODEL, estimation=(-120, -11), window=(-2, 2), **more)


def table(exchange, seed=3, first="2023-02-01", last="2024-04-30"):
    """Return closes of a firm and an index, the firm's news of 8 % on the session 30 before the last."""
    days, rng = exchange_sessions(exchange, first, last), np.random.default_rng(seed)
    index = rng.normal(0.0002, 0.009, len(days))
    firm = index + rng.normal(0, 0.011, len(days))
    firm[-30] += 0.08
    moves = pd.DataFrame({"STK": firm, "IDX": index}, index=days)
    return (np.array([75.0, 4000.0]) * (1 + moves).cumprod()).round(2)


def returns_of(closes):
    return closes.pct_change(fill_method=None).iloc[1:]


def both_ways(closes):
    return [Prices.from_frame(closes), returns_of(closes)]


def day_0(closes):
    return es.Event("STK", closes.index[-30])


@pytest.mark.parametrize("exchange", ["XKRX", "XLIS", "XSAU", "XTAI"])
@pytest.mark.parametrize("logs", [False, True])
def test_interpolated_weekends_are_refused_in_prices_and_returns(exchange, logs):
    closes = table(exchange)
    filled = np.exp(np.log(closes).resample("D").interpolate()) if logs else closes.resample("D").interpolate()
    for data in [*both_ways(filled), *both_ways(filled.round(3))]:
        with pytest.raises(DataUnfit, match=r"days without trade that were interpolated"):
            study().run(data, [day_0(closes)])


def test_returns_that_were_interpolated_over_weekends_are_refused():
    returns = returns_of(table("XOSL"))
    with pytest.raises(DataUnfit, match="lie halfway between"):
        study().run(returns.resample("D").interpolate(), [es.Event("STK", returns.index[-30])])


def test_an_index_interpolated_over_weekends_beside_a_coin_is_refused():
    coin, index = table("24/7", 5)["STK"], table("XNYS", 6)["IDX"]
    mixed = pd.concat([coin, index.resample("D").interpolate()], axis=1).dropna()
    with pytest.raises(DataUnfit, match=r"^IDX has a return on \d+ Mondays and Sundays"):
        study().run(Prices.from_frame(mixed), [es.Event("STK", mixed.index[-30])])


@pytest.mark.parametrize("exchange", ["XTKS", "XBOM", "BVMF", "XJSE"])
def test_interpolated_holidays_name_their_exchange_and_never_new_york(exchange):
    closes = table(exchange)
    filled = closes.reindex(pd.bdate_range(closes.index[0], closes.index[-1])).interpolate()
    holidays = filled.index.difference(closes.index)
    with pytest.raises(DataUnfit, match=rf"on which {exchange} was closed.*were interpolated") as error:
        study().run(returns_of(filled), [day_0(closes)])
    assert error.value.facts["days"] == len(holidays)
    found = exchanges_of(Prices.from_frame(filled), event_list([day_0(closes)]), MODEL, "auto")
    assert found.sessions == exchange


def test_a_row_on_every_weekday_is_no_exchange_and_that_is_said():
    days, rng = pd.bdate_range("2023-01-02", periods=260), np.random.default_rng(1)
    closes = pd.DataFrame(100 * np.cumprod(1 + rng.normal(0, 0.01, (260, 2)), axis=0), days, ["STK", "IDX"])
    result = study().run(Prices.from_frame(closes), [day_0(closes)])
    said = next(c for c in result.checks if c.name == OF_DATES)
    assert not said.passed
    assert said.value.startswith("none that is known has these sessions; the nearest, ")


@pytest.mark.parametrize("column", ["STK", "IDX"])
@pytest.mark.parametrize("rule", ["W-WED", "ME", "W-FRI"])
def test_weekly_and_monthly_series_spread_over_sessions_are_refused(column, rule):
    closes = table("XHKG")
    for by_session in (False, True):
        last = closes[column].resample(rule).last()
        spread = last.reindex(closes.index).interpolate() if by_session else last.resample("D").interpolate()
        slow = closes.assign(**{column: spread.reindex(closes.index)}).dropna()
        if by_session and rule == "ME":
            continue  # most month ends are no sessions
        for data in both_ways(slow):
            with pytest.raises(DataUnfit, match=rf"moves of {column} go on by the step of the day before"):
                study().run(data, [day_0(closes)])


def test_factors_spread_over_sessions_are_refused():
    closes = table("XAMS")
    slow = closes["IDX"].resample("W-FRI").last().resample("D").interpolate().reindex(closes.index)
    factors = pd.DataFrame({"mkt": slow.pct_change(fill_method=None)}).dropna()
    model = es.EventStudy(model=es.FactorModel(["mkt"]), estimation=(-120, -11), window=(-2, 2))
    with pytest.raises(DataUnfit, match="go on by the step"):
        model.run(Prices.from_frame(closes[["STK"]]), [day_0(closes)], factors=factors)


def test_cumulative_returns_are_refused_and_the_line_mends_them():
    closes = table("XMAD")
    data = closes / closes.iloc[0] - 1
    with pytest.raises(DataUnfit, match=r"follow those of the day before.*data = \(data \+ 1\)\.pct_change") as error:
        study().run(data.iloc[1:], [day_0(closes)])
    mended = eval(re.search(r"data = (\(.*?\)\.pct_change\(.*?\));", str(error.value))[1], {"data": data})  # noqa: S307
    right = returns_of(closes)
    np.testing.assert_allclose(mended.iloc[1:], right, atol=1e-12)
    with pytest.raises(DataUnfit, match=r"log\(p / p0\).*data = data\.diff\(\)"):
        study(returns="log").run(np.log1p(data).iloc[1:], [day_0(closes)])


@pytest.mark.parametrize(
    ("made", "line"),
    [(lambda r: 1 + r, r"factors = factors - 1\."), (lambda r: (1 + r).cumprod(), r"factors = factors\.pct_change")],
)
def test_gross_and_cumulated_factors_are_told_their_cause(made, line):
    closes = table("XSTO")
    factors = made(closes[["IDX"]].pct_change(fill_method=None).dropna()).set_axis(["world"], axis=1)
    model = es.EventStudy(model=es.FactorModel(["world"]), estimation=(-120, -11), window=(-2, 2))
    with pytest.raises(DataUnfit, match=f"all figures are positive.*{line}"):
        model.run(Prices.from_frame(closes[["STK"]]), [day_0(closes)], factors=factors)


# -- Days and months changed over.


def swapped(days, which=None):
    wrong = [(which is None or which(d)) and d.day <= 12 for d in days]
    return pd.DatetimeIndex(
        [pd.Timestamp(d.year, d.day, d.month) if w else d for d, w in zip(days, wrong, strict=True)]
    )


@pytest.mark.parametrize("exchange", ["XHEL", "XKRX", "XNYS", "XSAU", "XJSE"])
def test_days_and_months_changed_over_are_refused_in_every_way_in(exchange):
    closes = table(exchange)
    wrong = closes.set_axis(swapped(closes.index))
    for call in (Prices.from_frame, lambda t: study().run(returns_of(t.sort_index()), [day_0(closes)])):
        with pytest.raises(InvalidInput, match=rf"on which {exchange} was closed.*day and month changed over"):
            call(wrong)


def test_a_month_changed_over_is_found_and_a_clean_or_holed_table_is_not():
    closes = table("XCSE")
    wrong = closes.set_axis(swapped(closes.index, lambda d: d.month in {5, 8}))
    wrong = wrong[~wrong.index.duplicated()].sort_index()
    assert swapped_days(pd.DatetimeIndex(wrong.index)) is not None
    rng = np.random.default_rng(2)
    for exchange in ("XNYS", "XTKS", "XSAU", "XBOM", "24/7"):
        days = exchange_sessions(exchange, "2021-06-01", "2025-06-30")
        for first in range(0, len(days) - 270, 53):
            some = days[first : first + 270]
            for tried in (some, some[rng.random(270) > 0.2], some + pd.Timedelta(days=1)):
                assert swapped_days(tried) is None


# -- Holes.


def test_coins_with_days_missing_keep_their_days():
    closes = table("24/7")
    rng = np.random.default_rng(4)
    gone = rng.random(len(closes)) < 0.06
    gone[-40:] = gone[0] = False
    holed = closes[~gone]
    assert exchanges_of(Prices.from_frame(holed), event_list([day_0(closes)]), MODEL, "auto").sessions == "24/7"
    result = study(accept={"missing_sessions": "known"}).run(Prices.from_frame(holed), [day_0(closes)])
    full = closes.mask(np.repeat(gone[:, None], 2, axis=1)).pct_change(fill_method=None).to_numpy()
    at = len(closes) - 30
    used = np.arange(at - 120, at - 10)
    used = used[np.isfinite(full[used, 0])]
    beta, alpha = np.polyfit(full[used, 1], full[used, 0], 1)
    right = [full[at + k, 0] - alpha - beta * full[at + k, 1] for k in range(-2, 3)]
    np.testing.assert_allclose(result.ar.iloc[0], right, atol=1e-9)


@pytest.mark.parametrize("share", [0.08, 0.3])
def test_sessions_that_returns_lack_are_told(share):
    returns = returns_of(table("XWBO"))
    gone = np.random.default_rng(5).random(len(returns)) < share
    gone[-45:] = False
    result = study().run(returns[~gone], [es.Event("STK", returns.index[-30])])
    found = [f for f in result.findings if f.check == "missing_sessions"]
    assert found
    assert "no return at all on" in found[0].value


def test_weekend_rows_of_returns_are_told():
    returns = returns_of(table("XIST"))
    extra = returns.index[returns.index.day_of_week == 4][-12:-6] + pd.Timedelta(days=1)
    rng = np.random.default_rng(6)
    more = pd.concat([returns, pd.DataFrame(rng.normal(0, 0.01, (len(extra), 2)), extra, ["STK", "IDX"])]).sort_index()
    result = study().run(more, [es.Event("STK", returns.index[-30])])
    assert any((f.check == "extra_days" and "The returns have" in f.value) for f in result.findings) or any(
        c.name == OF_DATES and "on weekends" in c.value and not c.passed for c in result.checks
    )


def test_holes_that_are_another_exchanges_holidays_decide_no_moment():
    closes = table("XETR", first="2024-05-20", last="2025-03-14")
    prague = exchange_sessions("XPRA", "2024-05-20", "2025-03-14")
    holed = closes[closes.index.isin(prague)]
    assert 1 <= len(closes) - len(holed) <= 3
    event = es.Event("STK", f"{closes.index[-30]:%Y-%m-%d} 16:45 Europe/Berlin")
    with pytest.raises(InvalidInput, match=r"several exchanges.*XPRA.*XETR|several exchanges.*XETR.*XPRA"):
        study().run(Prices.from_frame(holed), [event])


def test_exchanges_are_called_the_same_only_if_their_sessions_are():
    closes = table("XDUB")
    event = es.Event("STK", f"{closes.index[-30]:%Y-%m-%d} 10:30 Europe/Dublin")
    said = next(c.value for c in study().run(returns_of(closes), [event]).checks if c.name == OF_DATES)
    for name in re.findall(r"[A-Z0-9]{4}", (re.search(r"the same sessions: ([^;)]*)", said) or ["", ""])[1]):
        theirs = exchange_sessions(name, closes.index[0].date(), closes.index[-1].date())
        pd.testing.assert_index_equal(theirs, pd.DatetimeIndex(closes.index), check_names=False, exact=False)


def test_monthly_rows_before_daily_ones_are_told_as_such():
    closes = table("XSWX")
    early = closes.iloc[:-130].groupby(closes.index[:-130].to_period("M")).tail(1)
    with pytest.raises(InvalidInput, match="monthly figures among daily ones"):
        study().run(Prices.from_frame(pd.concat([early, closes.iloc[-130:]])), [day_0(closes)])


def test_a_week_from_sunday_on_with_rows_missing_is_not_called_evenings():
    returns = returns_of(table("XSAU"))
    result = study().run(returns.drop(returns.index[40:60]), [es.Event("STK", returns.index[-30])])
    assert "Dates of the data" not in {c.name for c in result.checks}
    assert "the nearest, XSAU," in next(c.value for c in result.checks if c.name == OF_DATES)


# -- What is real passes.


def test_no_real_series_is_refused():
    prices = es.load_prices()
    moves = prices.adj_close.pct_change(fill_method=None)
    for ticker in moves:
        own = moves[[ticker]].dropna()
        for first in range(0, max(len(own) - 150, 1), 75):
            refuse_interpolated(own.iloc[first : first + 150])
            refuse_cumulated(own.iloc[first : first + 150], "simple", "data")
    factors = es.load_factors().drop(columns="rf")
    refuse_interpolated(factors)
    refuse_cumulated(factors, "simple", "factors")


@pytest.mark.parametrize(("price", "spread", "digits"), [(0.05, 0.08, 2), (1, 0.02, 2), (1, 0.01, 2), (3, 0.02, 2), (1.1, 0.004, 4), (90, 0.01, 0)])  # fmt: skip
def test_coarse_ticks_and_thin_trading_are_no_interpolation(price, spread, digits):
    days = pd.bdate_range("2023-01-02", periods=300)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        path = np.maximum((price * np.exp(np.cumsum(rng.normal(0, spread, 300)))).round(digits), 10.0**-digits)
        thin = pd.Series(path).where(rng.random(300) > 0.4 * (seed % 2)).ffill().bfill().to_numpy()
        refuse_interpolated(pd.DataFrame({"STK": thin}, days).pct_change(fill_method=None).iloc[1:])


def test_equal_steps_are_those_of_the_prices():
    days = pd.bdate_range("2024-01-01", periods=7)
    closes = pd.Series([100.0, 102, 104, 106, 106, 111, 109], days)
    found = straight_steps(closes.to_frame("STK").pct_change(fill_method=None))[:, 0]
    steps = closes.diff()
    assert found.tolist() == [bool(a == b and a) for a, b in zip(steps, steps.shift(), strict=True)]


def test_swapped_days_of_a_market_that_is_not_known_show_by_their_weekdays():
    """Sunday to Thursday with holidays of its own: no stored calendar has these sessions."""
    rng = np.random.default_rng(5)
    sessions = pd.bdate_range("2012-01-01", "2013-06-30", freq="C", weekmask="Sun Mon Tue Wed Thu")
    sessions = sessions[rng.random(len(sessions)) > 0.03]
    right = pd.DataFrame(
        {t: 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(sessions)))) for t in ("ABC", "IDX")}, index=sessions
    )
    es.load_prices(right)
    turned = pd.DatetimeIndex([pd.Timestamp(d.year, d.day, d.month) if d.day <= 12 else d for d in sessions])
    with pytest.raises(InvalidInput, match=r"there is no trade after the 12th of a month.*day and month changed over"):
        es.load_prices(right.set_axis(turned).sort_index())
