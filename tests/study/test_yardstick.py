"""A benchmark that holds the events' own firms: how much of it they are, which verdicts turn, and averages that are zero by algebra."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.inference import TESTS
from eventstudy.prices.snapshot import share_counts
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


def test_small_shares_days_outside_the_panel_and_made_up_prices_are_silent():
    prices = es.load_prices()
    small = check_of(study().run(prices, [es.Event("IBM", "2025-01-30")]))
    assert small is None or small.passed
    assert check_of(study().run(prices, [es.Event("NVDA", "2024-03-11")])) is None
    assert check_of(study(es.FactorModel(["^SOX"])).run(prices, [es.Event("NVDA", "2025-01-27")])) is None
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
    assert check_of(half) is None
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
