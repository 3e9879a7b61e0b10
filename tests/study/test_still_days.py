"""Days on which nothing moves, prices carried forward, dates a session off and markers of missing figures: in prices, returns and factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions
from eventstudy.errors import DataUnfit
from eventstudy.prices.checks.days import run_lengths
from eventstudy.prices.checks.run import check_returns, price_relatives
from eventstudy.study.validity import STILL_CHECK

ZERO = 350
FACTORS = es.FactorModel(["mkt_rf", "smb", "hml"], "rf")


def sessions(exchange: str) -> pd.DatetimeIndex:
    return exchange_sessions(exchange, "2022-06-01", "2024-12-20")


def returns(exchange: str = "XPAR", seed: int = 1, days: pd.DatetimeIndex | None = None) -> pd.DataFrame:
    days = sessions(exchange) if days is None else days
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0003, 0.01, len(days))
    firms = {name: 1.1 * market + rng.normal(0, 0.014, len(days)) for name in ("STK", "OTH")}
    table = pd.DataFrame({**firms, "IDX": market}, index=days)
    table.iloc[ZERO, 0] += 0.1
    return table


def factors(table: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(99)
    columns = {"mkt_rf": table["IDX"] - 0.0001, "smb": rng.normal(0, 0.006, len(table))}
    return pd.DataFrame({**columns, "hml": rng.normal(0, 0.006, len(table)), "rf": 0.0001}, index=table.index)


def closes(table: pd.DataFrame) -> pd.DataFrame:
    return 100 * (1 + table).cumprod()


def prices(table: pd.DataFrame) -> es.Prices:
    return es.Prices.from_frame(table)


def made(table: pd.DataFrame) -> pd.DataFrame:
    return table.pct_change(fill_method=None).iloc[1:]


def run(data: object, day: object = None, **more: object) -> es.EventStudyResult:
    table = data.adj_close if isinstance(data, es.Prices) else data
    when = str((table.index[ZERO] if day is None else pd.Timestamp(day)).date())
    extra = {"factors": more.pop("factors")} if "factors" in more else {}
    spec = {"model": es.MarketModel("IDX"), "estimation": (-200, -21), "window": (-2, 2), **more}
    return es.EventStudy(**spec).run(data, [es.Event("STK", when)], **extra)


def serious(result: es.EventStudyResult) -> dict[str, tuple[str, str]]:
    return {f.check: (f.severity, f.days) for f in result.findings if f.severity != "note"}


# -- A day on which nothing moves.


@pytest.mark.parametrize("exchange", ["XPAR", "XTSE", "XHKG"])
@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_a_row_carried_into_an_event_window_is_refused_with_its_day(exchange, offset):
    table = closes(returns(exchange))
    day = table.index[ZERO]
    table.iloc[ZERO + offset] = table.iloc[ZERO + offset - 1]
    named = rf"repeated_day \({table.index[ZERO + offset]:%Y-%m-%d}\).*(carried forward|holiday).*relative days"
    for more in ({}, {"calendar": None}, {"calendar": exchange}):
        for data in (prices(table), made(table)):
            with pytest.raises(DataUnfit, match=named):
                run(data, day, **more)
    again = returns(exchange)
    again.iloc[ZERO + offset] = again.iloc[ZERO + offset - 1]
    with pytest.raises(DataUnfit, match=named):
        run(again, day)


def test_a_row_carried_before_the_event_window_is_told_and_outside_the_study_a_note():
    for offset, severity in ((-60, "warning"), (60, "note")):
        table = closes(returns("XSWX"))
        table.iloc[ZERO + offset] = table.iloc[ZERO + offset - 1]
        for data in (prices(table), made(table)):
            found = [f for f in run(data, table.index[ZERO]).findings if f.check == "repeated_day"]
            assert [(f.severity, f.first) for f in found] == [(severity, f"{table.index[ZERO + offset]:%Y-%m-%d}")]


@pytest.mark.parametrize("seed", range(6))
def test_columns_that_often_stand_still_may_do_so_together(seed):
    table = returns("XPAR", seed)
    rounded = (closes(table) / 4).round(0)  # steps of 4 %: nearly every close is that of the day before
    found = es.check_prices(prices(rounded), calendar=None, benchmarks=["IDX"])
    assert "repeated_day" not in {f.check for f in found}


@pytest.mark.parametrize(
    ("exchange", "holiday"),
    [
        ("XFRA", "2024-05-01"),
        ("XDUB", "2024-05-06"),
        ("XOSL", "2024-05-17"),
        ("XKRX", "2024-05-15"),
        ("XNYS", "2024-05-27"),
    ],
)
def test_a_holiday_filled_in_is_no_day_zero(exchange, holiday):
    table = returns(exchange)
    every = pd.bdate_range(table.index[0], table.index[-1])
    assert pd.Timestamp(holiday) in every.difference(table.index)
    filled, zeros = closes(table).reindex(every).ffill(), table.reindex(every).fillna(0.0)
    for data, more in (
        (prices(filled), {"calendar": None}),
        (prices(filled), {}),
        (zeros, {"calendar": exchange}),
        (zeros, {"calendar": None}),
        (zeros, {}),
    ):
        with pytest.raises(DataUnfit, match=rf"repeated_day.*{holiday}|{exchange} was closed"):
            run(data, holiday, **more)


def test_factors_that_all_repeat_on_a_day_are_a_carried_row():
    table = returns("XNYS", 4)
    for fill in ("zero", "last"):
        spoiled = factors(table)
        spoiled.iloc[ZERO + 1] = 0.0 if fill == "zero" else spoiled.iloc[ZERO]
        for data in (prices(closes(table)[["STK"]]), table[["STK"]]):
            with pytest.raises(DataUnfit, match=r"repeated_day.*\(of mkt_rf, smb, hml\)"):
                run(data, model=FACTORS, factors=spoiled)


# -- One price carried forward.


def carried_by_hand(values: np.ndarray) -> list[int]:
    """Return the rows whose close is exactly that of the row before."""
    return [t for t in range(1, len(values)) if values[t] == values[t - 1]]


@pytest.mark.parametrize("column", ["STK", "IDX"])
@pytest.mark.parametrize(("first", "days"), [(-1, 1), (1, 1), (2, 1), (-1, 2), (0, 2), (0, 3)])
def test_a_close_carried_around_the_event_day_is_doubted(column, first, days):
    table = closes(returns("XMAD", 7))
    place = table.columns.get_loc(column)
    table.iloc[ZERO + first : ZERO + first + days, place] = table.iloc[ZERO + first - 1, place]
    rows = table.index[carried_by_hand(table[column].to_numpy())]
    when = " to ".join(dict.fromkeys(f"{d:%Y-%m-%d}" for d in rows[[0, -1]]))
    for data in (prices(table), made(table)):
        result = run(data, table.index[ZERO])
        assert serious(result) == {"carried_price": ("warning", when)}
        assert not next(c for c in result.checks if c.name == "Prices fit for use").passed


def test_a_close_of_the_firm_that_stands_on_day_zero_alone_is_told_once():
    table = closes(returns("XLIS", 8))
    table.iloc[ZERO, 0] = table.iloc[ZERO - 1, 0]
    result = run(prices(table))
    assert serious(result) == {}
    assert [c.name for c in result.checks if not c.passed] == [STILL_CHECK]
    bench = closes(returns("XLIS", 8))
    bench.iloc[ZERO, 2] = bench.iloc[ZERO - 1, 2]
    assert "carried_price" in serious(run(prices(bench)))


def test_a_close_that_stands_as_often_as_its_ticker_does_is_no_doubt():
    table = closes(returns("XMIL", 9)).assign(STK=lambda t: (t["STK"] / 10).round(1))
    again = carried_by_hand(table["STK"].to_numpy())
    assert len(again) > 20
    table.iloc[ZERO + 1, 0] = table.iloc[ZERO, 0]
    assert "carried_price" not in serious(run(prices(table)))


def test_clean_prices_and_returns_have_nothing_to_tell():
    for seed in range(8):
        table = returns("XAMS", 100 + seed)
        for data in (table, prices(closes(table))):
            assert run(data).findings == ()
        assert run(np.log1p(table), returns="log").findings == ()
        assert run(table[["STK"]], model=FACTORS, factors=factors(table)).findings == ()


# -- Returns are looked at as prices are.


@pytest.mark.parametrize("kind", ["simple", "log"])
def test_price_relatives_are_the_prices_over_the_first(kind):
    table = closes(returns("XBRU", 3))
    table.iloc[40:43, 1] = np.nan
    change = made(table) if kind == "simple" else np.log(table).diff().iloc[1:]
    relatives = pd.DataFrame(price_relatives(change.to_numpy().T, kind).T, change.index, change.columns)
    for name in ("STK", "IDX"):
        np.testing.assert_allclose(relatives[name], table[name].iloc[1:] / table[name].iloc[0], rtol=1e-11)
    assert relatives["OTH"].isna().sum() == 4
    held = pd.DataFrame({"A": [0.01, 0.0, 0.0, 0.0, 0.0, -0.02]})
    assert run_lengths(price_relatives(held.to_numpy().T, "simple").T)[:, 0].tolist() == [5, 5, 5, 5, 5, 1]


@pytest.mark.parametrize("first", [0, 1, -4])
def test_returns_of_zero_to_the_end_are_a_price_that_stands(first):
    table = returns("XHEL" if first else "XWAR", 5)
    table.iloc[ZERO + first :, 0] = 0.0
    days = len(table) - ZERO - first
    for data, more in ((table, {}), (np.log1p(table), {"returns": "log"})):
        with pytest.raises(
            DataUnfit, match=rf"stale_prices \(STK.*returns of exactly zero on up to {days} days in a row"
        ):
            run(data, **more)
    accepted = run(table, accept={"stale_prices": "a test"})
    assert {f.accepted for f in accepted.findings if f.check == "stale_prices" and f.severity != "note"} == {"a test"}


@pytest.mark.parametrize("fill", ["zeros", "carried"])
def test_a_hole_on_the_event_day_that_was_filled_in_before_returns_were_made_is_told(fill):
    table = closes(returns("XCSE", 6))
    day = table.index[ZERO]
    table.iloc[ZERO, 0] = np.nan
    filled = made(table).fillna(0.0) if fill == "zeros" else made(table.ffill())
    assert {c.name for c in run(filled, day).checks if not c.passed} >= {STILL_CHECK}


# -- A session off.


@pytest.mark.parametrize("exchange", ["XPAR", "XASX"])
@pytest.mark.parametrize(("column", "lag"), [("IDX", 1), ("IDX", -1), ("STK", 1), ("STK", -1)])
def test_returns_a_session_off_are_refused_as_prices_are(exchange, column, lag):
    table = returns(exchange, 11)
    day = table.index[ZERO]
    table[column] = table[column].shift(lag)
    mine, its = table["STK"].shift(-lag if column == "STK" else lag), table["IDX"]
    right = float((mine * its).sum() / np.sqrt((mine**2).sum() * (its**2).sum()))
    assert right > 0.5
    with pytest.raises(DataUnfit, match=r"shifted_days \(STK.*correlation 0\.[5-9]"):
        run(table, day)


@pytest.mark.parametrize("lag", [1, -1])
def test_factors_a_session_off_are_refused_beside_prices_and_returns(lag):
    table = returns("XNYS", 12)
    spoiled = factors(table).shift(lag)
    for data in (prices(closes(table)[["STK"]]), table[["STK"]]):
        with pytest.raises(DataUnfit, match=r"shifted_days \(STK"):
            run(data, model=FACTORS, factors=spoiled)
    with pytest.raises(DataUnfit, match=r"shifted_days \(STK"):
        run(table[["STK"]].join(spoiled), model=FACTORS)


def test_thin_trading_expects_lags_in_returns_too():
    table = returns("XPAR", 13).assign(IDX=lambda t: t["IDX"].shift(1))
    assert run(table.iloc[1:], table.index[ZERO], model=es.Dimson("IDX")).findings[0].severity == "note"


# -- Markers of missing figures, and sessions that no returns have.


@pytest.mark.parametrize("marker", [-0.9999, -0.99, -0.999, -0.6])
@pytest.mark.parametrize("row", [ZERO, ZERO - 40])
def test_a_marker_of_missing_figures_is_no_return_of_a_market(marker, row):
    table = returns("XNYS", 14)
    words = rf"has a return of {marker:g} on {table.index[row]:%Y-%m-%d} \(1 such .*Leave them empty"
    spoiled = factors(table)
    spoiled.iloc[row, 1] = marker
    for data in (prices(closes(table)[["STK"]]), table[["STK"]]):
        with pytest.raises(DataUnfit, match=f"smb {words}"):
            run(data, model=FACTORS, factors=spoiled)
    with pytest.raises(DataUnfit, match=f"smb {words}"):
        run(table[["STK"]].join(spoiled), model=FACTORS)
    table.iloc[row, 2] = marker
    with pytest.raises(DataUnfit, match=f"IDX {words}"):
        run(table)


@pytest.mark.parametrize("exchange", ["XNYS", "XLON", "XTAI"])
def test_returns_that_lack_the_sessions_of_a_named_exchange_are_refused_as_prices_are(exchange):
    table = returns(exchange, 15)
    for data in (table, prices(closes(table))):
        with pytest.raises(DataUnfit, match=r"missing_sessions.*24/7"):
            run(data, calendar="24/7")
    assert run(table, calendar=exchange).findings == ()


def test_figures_that_are_no_returns_are_looked_at_for_twins_only():
    table = returns("XPAR", 16)
    table.iloc[ZERO] = 0.0
    assert check_returns(table, kind=None) == ()
    assert [f.check for f in check_returns(table)] == ["repeated_day"]
