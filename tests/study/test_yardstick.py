"""A benchmark that holds the events' own firms: how much of it they are, which verdicts turn, and averages that are zero by algebra."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.inference import TESTS
from eventstudy.prices.snapshot import share_counts, universe_members
from eventstudy.prices.sp500 import index_members
from eventstudy.statements import read
from eventstudy.study.said import result_numbers
from eventstudy.study.summary import event_rows, power_line, summary_html, summary_text
from eventstudy.study.yardstick import BENCHMARK_CHECK

EST, WIN = (-200, -11), (-1, 1)


def study(model: object | None = None, **options: object) -> es.EventStudy:
    return es.EventStudy(model=model or es.MarketModel("^GSPC"), estimation=EST, window=WIN, **options)


def check_of(result: es.EventStudyResult):
    return next((c for c in result.checks if c.name == BENCHMARK_CHECK), None)


@pytest.fixture(scope="module")
def market_values() -> pd.DataFrame:
    """Market value of each company on each day, one column a company, by pandas from the embedded tables."""
    closes = es.load_universe().adj_close
    columns, covered = {}, set()
    for ticker in closes:
        counts = share_counts(ticker)
        if not counts or ticker in covered:
            continue
        covered |= set(counts[0].covers)
        steps = pd.Series([c.shares for c in counts], pd.DatetimeIndex([c.period_end for c in counts]))
        columns[ticker] = closes[ticker] * steps.reindex(closes.index.union(steps.index)).ffill().bfill()[closes.index]
    return pd.DataFrame(columns)


def rest_of_index(values: pd.DataFrame, without: list[str]) -> pd.Series:
    """Value-weighted return of the other companies."""
    closes = es.load_universe().adj_close[values.columns]
    kept = values.drop(columns=without).shift(1)
    returns = closes.pct_change(fill_method=None)[kept.columns]
    kept = kept.where(returns.notna())
    return (kept * returns).sum(axis=1) / kept.sum(axis=1)


def test_the_rebuilt_index_moves_as_the_index(market_values):
    index = es.load_prices(["^GSPC"]).returns()["^GSPC"].reindex(market_values.index).iloc[1:]
    rebuilt = index_members().index_return().iloc[1:]
    np.testing.assert_allclose(rebuilt, rest_of_index(market_values, []).iloc[1:], rtol=1e-9)
    assert np.corrcoef(rebuilt, index)[0, 1] > 0.995


@pytest.mark.parametrize(
    ("day", "tickers"), [("2025-01-30", ["MSFT", "TSLA", "META"]), ("2025-02-06", ["AMZN", "GOOGL", "QCOM"])]
)
def test_shares_and_returns_against_the_rest_by_hand(market_values, day, tickers):
    prices = es.load_prices()
    result = study().run(prices, [es.Event(t, day) for t in tickers])
    check = check_of(result)
    company = {t: {"GOOGL": "GOOG"}.get(t, t) for t in tickers}  # both classes are one company
    before = market_values.iloc[market_values.index.get_loc(day) - 1]
    share = before / before.sum()
    place = prices.returns().index.get_loc(day)
    returns = prices.returns().assign(rest=rest_of_index(market_values, list(company.values())))
    est, event = returns.iloc[place + EST[0] : place + EST[1] + 1], returns.iloc[place]
    for ticker in tickers:
        assert f"{share[company[ticker]]:.1%} {ticker}" in check.value
        own = sm.OLS(est[ticker].to_numpy(), sm.add_constant(est["^GSPC"].to_numpy())).fit()
        free = sm.OLS(est[ticker].to_numpy(), sm.add_constant(est["rest"].to_numpy())).fit()
        abnormal, against = (
            event[ticker] - fit.params @ [1, event[column]] for fit, column in ((own, "^GSPC"), (free, "rest"))
        )
        diluted = own.params[1] * share[company[ticker]]
        p = [
            2
            * (
                1
                - __import__("scipy.stats").stats.t.cdf(
                    abs(a) / fit.get_prediction([1, event[c]]).se_obs[0], fit.df_resid
                )
            )
            for a, fit, c in ((abnormal, own, "^GSPC"), (against, free, "rest"))
        ]
        words = f"{ticker} {abnormal:+.2%} (p".replace("-", "−")
        assert (words in check.comment) == ((p[0] < 0.05) != (p[1] < 0.05)), (ticker, p)
        if diluted > 0.02:
            scaled = f"{ticker} by {1 - diluted:.2f}: {abnormal:+.2%} would be {abnormal / (1 - diluted):+.2%}"
            assert scaled.replace("-", "−") in check.comment


def test_the_verdicts_that_turn_stand_beside_the_numbers():
    """Without the events' firms in the index, Meta's rise of 27 January 2025 is none and Alphabet's fall one."""
    result = study().run(
        es.load_prices(), [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL", "AVGO", "MSFT", "AAPL", "AMZN")]
    )
    comment = check_of(result).comment
    assert (
        "depends on the benchmark: without NVDA, AAPL, MSFT, AMZN, GOOGL, META and 1 more (the events' firms of that date) in it"
        in comment
    )
    turned = comment.partition("in it ")[2].partition("; abnormal returns are")[0]
    assert "META +" in turned
    assert "GOOGL −" in turned
    assert "NVDA" not in turned
    text, page = summary_text(result), summary_html(result)
    assert text.index("depends on the benchmark") < text.index("Days [0, +1]")
    assert text.count("depends on the benchmark") == 1
    assert "depends on the benchmark" in page


def test_small_shares_firms_outside_the_index_and_made_up_prices_are_silent():
    prices = es.load_prices()
    small = check_of(study().run(prices, [es.Event("IBM", "2025-01-30")]))
    assert small is None or small.passed
    for day in ("2025-01-27", "2023-03-09"):
        assert check_of(study().run(prices, [es.Event(t, day) for t in ("TSM", "ASML")])) is None
    rng = np.random.default_rng(1)
    days = es.exchange_sessions("XNYS", "2023-10-02", "2025-03-31")
    made_up = pd.DataFrame(rng.normal(0, 0.02, (len(days), 2)), days, ["NVDA", "^GSPC"])
    assert check_of(study().run(made_up, [es.Event("NVDA", "2025-01-27")])) is None


def test_log_returns_and_the_fund_are_judged_alike():
    prices = es.load_prices()
    for result in (
        study(returns="log").run(prices, [es.Event("NVDA", "2025-01-27")]),
        study(es.MarketModel("SPY")).run(prices, [es.Event("NVDA", "2025-01-27")]),
        study(es.RobustMarketModel("^GSPC")).run(prices, [es.Event("NVDA", "2025-01-27")]),
        study(es.MarketAdjusted("^GSPC")).run(prices, [es.Event("NVDA", "2025-01-27")]),
    ):
        assert "NVDA by 0." in check_of(result).comment


# -- a benchmark made of the events' firms -----------------------------------------------------------------------------------


def basket(n: int, weights: np.ndarray | None = None, effect: float = -0.1, seed: int = 6) -> es.EventStudyResult:
    """Study n firms of one date in Tokyo against a basket of them; all fall alike on the day."""
    rng = np.random.default_rng(seed)
    days = es.exchange_sessions("XTKS", "2022-01-04", "2024-06-28")
    firms = rng.normal(0, 0.009, (len(days), 1)) + rng.normal(0, 0.015, (len(days), n))
    firms[-30] += effect
    table = pd.DataFrame(firms, days, [f"{7000 + i}.T" for i in range(n)])
    share = np.full(n, 1 / n) if weights is None else weights / weights.sum()
    table["BASKET"] = firms @ share
    return study(es.MarketModel("BASKET"), calendar="XTKS").run(
        table, [es.Event(t, days[-30]) for t in table.columns[:n]]
    )


@pytest.mark.parametrize(
    "result", [basket(5), basket(20), basket(4, np.array([4.0, 3.0, 2.0, 1.5])), basket(250)], ids=str
)
def test_an_average_that_is_zero_by_algebra_has_no_verdict(result):
    check = check_of(result)
    assert "BASKET is made of these firms" in check.comment
    assert "take a benchmark without them" in check.comment
    assert not check.passed
    assert result.recommended().names == ()
    for name, method in TESTS.items():
        if method.scope == "many":
            assert "add up to zero whatever happened" in result.test(name).reason
    text = summary_text(result)
    assert "average change" not in text
    assert "is not clear" not in text
    assert ", void" in text
    for window in (es.Window(0, 0), es.Window(-1, 1)):
        assert power_line(result, window) == ""
    one = result.tests(event=result.events[0])
    assert one.loc["t_pe", "applicable"]


def test_other_benchmarks_are_not_taken_for_a_basket():
    """A benchmark with a firm more, or half of other firms; a fund beside the index it follows."""
    rng = np.random.default_rng(2)
    days = es.exchange_sessions("XTKS", "2022-01-04", "2024-06-28")
    firms = rng.normal(0, 0.009, (len(days), 1)) + rng.normal(0, 0.015, (len(days), 12))
    names = [f"{7000 + i}.T" for i in range(12)]
    table = pd.DataFrame(firms, days, names).assign(MORE=firms.mean(axis=1))
    result = study(es.MarketModel("MORE"), calendar="XTKS").run(table, [es.Event(t, days[-30]) for t in names[:11]])
    assert result.recommended().names == ("kp_bmp_t",)
    assert (
        "if it holds them, their common move is in it" in check_of(result).comment
    )  # eleven of the twelve firms it holds
    half = study(es.MarketModel("MORE"), calendar="XTKS").run(table, [es.Event(t, days[-30]) for t in names[:5]])
    assert "the mean of 5, 7000.T, 7001.T and 3 more," in check_of(half).comment  # it holds five twelfths of them
    apart = study(es.MarketModel("MORE"), calendar="XTKS").run(
        table, [es.Event(t, days[-30 - 5 * i]) for i, t in enumerate(names)]
    )
    assert apart.recommended().names
    funds = study().run(es.load_prices(), [es.Event(t, "2024-03-11") for t in ("SPY", "SMH", "QQQ")])
    assert "made of" not in str(check_of(funds))


# -- one quantity, one number; the standfirst ---------------------------------------------------------------------------------


def per_cents(text: str) -> list[str]:
    return re.findall(r"[−+]\d+\.\d+%", text)


@pytest.mark.parametrize("returns", ["simple", "log"])
@pytest.mark.parametrize(
    ("day", "firms"), [("2025-01-27", ("NVDA", "AVGO", "META", "GOOGL")), ("2025-02-06", ("AMZN", "QCOM"))]
)
def test_the_check_and_the_table_print_one_number_for_an_abnormal_return(returns, day, firms):
    result = study(returns=returns).run(es.load_prices(), [es.Event(t, day) for t in firms])
    check = check_of(result)
    convert = np.expm1 if returns == "log" else np.asarray
    own = result.car(0)["car"]
    for row in (r for r in check.rows if r.single):
        assert row.change == pytest.approx(float(convert(own[row.name])), rel=1e-12)
        assert row.scaled == pytest.approx(float(convert(own[row.name] / (1 - row.diluted))), rel=1e-12)
    for row in (r for r in check.rows if not r.single):
        assert row.change == pytest.approx(float(convert(own.mean())), rel=1e-12)
    table = {cells[0]: cells[2] for cells in event_rows(result, es.Window(0, 0))[1]}
    for name, size in re.findall(r"([A-Z]+) ([−+]\d+\.\d+%) \(p", check.comment):
        assert size == table[name]
    assert per_cents(check.comment)


def test_the_sentence_says_whose_verdict_depends_on_the_yardstick():
    events = [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")]
    result = study().run(es.load_prices(), events)
    turned = [r.name for r in check_of(result).rows if r.turns and r.single]
    said = result.sentence()
    assert said.endswith("Whether META and GOOGL moved beyond the market depends on the yardstick.")
    assert sorted(turned) == ["GOOGL", "META"]
    numbers = result_numbers(result)
    assert read(said, numbers).holds
    for wrong in ("NVDA and GOOGL", "META", "META, NVDA and GOOGL"):
        assert read(said.replace("META and GOOGL", wrong), numbers).problems
    assert "yardstick" not in result.sentence(0, 1)
    assert "yardstick" not in study().run(es.load_prices(), [es.Event("IBM", "2025-01-30")]).sentence()


def test_more_verdicts_than_are_named_are_counted():
    firms = ("NVDA", "META", "GOOGL", "AVGO", "MSFT", "AAPL", "AMZN")
    result = study().run(es.load_prices(), [es.Event(t, "2025-01-27") for t in firms])
    turned = check_of(result).turned
    numbers = result_numbers(result, turned=firms[:6])
    text = "Whether NVDA, META, GOOGL, AVGO and 2 more moved beyond the market depends on the yardstick."
    assert read(text, numbers).holds
    assert read(text.replace("2 more", "3 more"), numbers).problems
    assert read(text.replace("AVGO", "AMZN"), numbers).problems
    assert set(turned) < set(firms)


# -- a benchmark whose members are not known ----------------------------------------------------------------------------------


def funds(firm: str, sector: str, weights: tuple[float, ...], seed: int = 8) -> pd.DataFrame:
    """Real returns of a member, of fourteen others of its sector, and of funds that hold so much of it and the rest of these."""
    panel = es.load_universe().returns().iloc[1:]
    members = universe_members()
    others = [
        t for t in members.index[members["sector"] == sector] if t in panel and t != firm and panel[t].notna().all()
    ]
    rest = panel[np.random.default_rng(seed).choice(others, 14, replace=False)].mean(axis=1)
    table = pd.DataFrame({firm: panel[firm], "REST": rest})
    return table.assign(**{f"FUND{int(100 * w)}": w * table[firm] + (1 - w) * rest for w in weights})


WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(
    ("firm", "sector"),
    [
        ("NVDA", "Information Technology"),
        ("LLY", "Health Care"),
        ("TSLA", "Consumer Discretionary"),
        ("JPM", "Financials"),
        ("XOM", "Energy"),
    ],
)
@pytest.mark.parametrize("returns", ["simple", "log"])
def test_a_dilution_that_moves_the_number_by_its_standard_error_is_always_told(firm, sector, returns):
    table = funds(firm, sector, WEIGHTS)
    table = np.log1p(table) if returns == "log" else table
    largest = int(table[firm].iloc[215:-2].abs().argmax()) + 215
    told = 0
    for place in (largest, 220, 260, 290):
        est = table.iloc[place + EST[0] : place + EST[1] + 1]
        for weight in WEIGHTS:
            name = f"FUND{int(100 * weight)}"
            fit = sm.OLS(est[firm].to_numpy(), sm.add_constant(est[name].to_numpy())).fit()
            row = [1.0, table[name].iloc[place]]
            abnormal = table[firm].iloc[place] - fit.params @ row
            t = abs(abnormal) / fit.get_prediction([row]).se_obs[0]
            diluted = fit.params[1] * weight
            assert diluted <= fit.rsquared + (returns == "log") * 0.01  # the bound, where firm and rest move together
            check = check_of(
                study(es.MarketModel(name), returns=returns).run(table, [es.Event(firm, table.index[place])])
            )
            assert (check is not None) == (t * fit.rsquared / (1 - fit.rsquared) > 1), (place, weight, t)
            if t * diluted / (1 - diluted) > 1:
                assert check is not None, (place, weight)
            if check is None:
                continue
            told += 1
            convert = np.expm1 if returns == "log" else float
            tenth = f"{convert(abnormal / (1 - 0.1 * fit.params[1])):+.2%} at a tenth of {name} and "
            most = f"{convert(abnormal / (1 - fit.rsquared)):+.2%} at most"
            k = np.cov(est[name], est[firm])[0, 1] / est[firm].var()
            said = f"{firm} {convert(abnormal):+.2%} would be {tenth if k > 0.1 else ''}{most}".replace("-", "−")
            assert said in check.comment, (said, check.comment)
    assert told


@pytest.mark.parametrize(
    ("fund", "day"), [("SMH", "2025-01-27"), ("SOXX", "2024-05-23"), ("^NDX", "2024-05-23"), ("^SOX", "2023-05-25")]
)
def test_funds_and_indexes_that_hold_the_firm_are_doubted_once_beside_the_number(fund, day):
    result = study(es.MarketModel(fund)).run(es.load_prices(), [es.Event("NVDA", day)])
    text = summary_text(result)
    assert text.count(f"whether {fund} holds the firm is not known here") == 1
    assert text.index("Mind the benchmark") < text.index("Days [0, +1]")
    assert "at most" in summary_html(result)
    assert "yardstick" not in result.sentence()
    adjusted = study(es.MarketAdjusted(fund)).run(es.load_prices(), [es.Event("NVDA", day)])
    prices = es.load_prices().returns()
    place = prices.index.get_loc(day)
    est = prices.iloc[place + EST[0] : place + EST[1] + 1]
    k = np.cov(est[fund], est["NVDA"])[0, 1] / est["NVDA"].var()
    gap = prices["NVDA"].iloc[place] - prices[fund].iloc[place]
    if (check := check_of(adjusted)) is not None:
        assert f"{gap / (1 - k):+.2%} at most".replace("-", "−") in check.comment


def test_an_index_of_another_market_is_not_doubted():
    rng = np.random.default_rng(12)
    days = es.exchange_sessions("XTKS", "2022-01-04", "2024-06-28")
    home = es.exchange_sessions("XNYS", "2022-01-04", "2024-06-28")
    common = pd.Series(rng.normal(0, 0.01, len(days.union(home))), days.union(home))
    table = pd.DataFrame({
        "TOPIX": common[days] + rng.normal(0, 0.004, len(days)),
        "GM": common[home] * 1.2 + rng.normal(0, 0.01, len(home)),
        "6501.T": common[days] * 1.2 + rng.normal(0, 0.01, len(days)),
    })  # fmt: skip
    day = days.intersection(home)[-40]
    table.loc[day, ["GM", "6501.T"]] -= 0.2
    model = study(es.MarketModel("TOPIX"))
    assert check_of(model.run(table, [es.Event("GM", day)])) is None
    assert "6501.T −" in check_of(model.run(table, [es.Event("6501.T", day)])).comment
    both = check_of(model.run(table, [es.Event("GM", day), es.Event("6501.T", day)]))
    assert "GM" not in both.comment


def test_what_moves_no_number_is_silent():
    prices = es.load_prices()
    assert check_of(study(es.MarketModel("^DJI")).run(prices, [es.Event("META", "2025-01-17")])) is None
    assert check_of(study(es.MeanAdjusted()).run(prices, [es.Event("NVDA", "2025-01-27")])) is None
    rng = np.random.default_rng(5)
    days = es.exchange_sessions("XLON", "2022-01-04", "2023-12-29")
    market = rng.normal(0, 0.006, len(days))
    table = pd.DataFrame({"FTSE": market, "SMALL": 0.3 * market + rng.normal(0, 0.03, len(days))}, days)
    table.iloc[-30, 1] -= 0.25
    assert check_of(study(es.MarketModel("FTSE")).run(table, [es.Event("SMALL", days[-30])])) is None


@pytest.mark.parametrize(
    ("firm", "day"), [("NVDA", "2023-08-24"), ("AAPL", "2023-05-05"), ("MSFT", "2024-04-25"), ("AMZN", "2025-05-02")]
)
def test_members_before_and_after_the_panel_are_told_by_the_nearest_shares(market_values, firm, day):
    prices = es.load_prices().returns()
    place = prices.index.get_loc(day)
    est, event = prices.iloc[place + EST[0] : place + EST[1] + 1], prices.iloc[place]
    fit = sm.OLS(est[firm].to_numpy(), sm.add_constant(est["^GSPC"].to_numpy())).fit()
    abnormal = event[firm] - fit.params @ [1, event["^GSPC"]]
    row = int(np.clip(market_values.index.searchsorted(pd.Timestamp(day)), 1, len(market_values) - 1))
    before = market_values.iloc[row - 1]
    share = before[firm] / before.sum()
    diluted = share * fit.params[1]
    assert diluted > 0.02
    check = check_of(study().run(es.load_prices(), [es.Event(firm, day)]))
    assert f"of ^GSPC about {share:.1%} was {firm} on {market_values.index[row].date()}" in check.value
    scaled = f"{firm} by {1 - diluted:.2f}: {abnormal:+.2%} would be {abnormal / (1 - diluted):+.2%}"
    assert scaled.replace("-", "−") in check.comment
