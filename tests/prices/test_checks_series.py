"""Copies of days, days a session off, swapped tables, small splits and single prices: found in real prices, and only there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.prices.checks.finding import Finding, Usage

FIRMS = ["AAPL", "GOOGL", "META", "MSFT", "ORCL"]
BENCHMARK = "^GSPC"


@dataclass
class Tables:
    """A copy of real prices to be spoiled."""

    adj: pd.DataFrame
    close: pd.DataFrame
    volume: pd.DataFrame

    def prices(self) -> es.Prices:
        return es.Prices(self.adj, es.sources.Provenance("spoiled"), self.close, self.volume)


def real() -> Tables:
    tickers = [*FIRMS, "AMD", "INTC", "NVDA", "SMCI", "VST", BENCHMARK]
    prices = es.load_prices(tickers, "2023-01-03", "2025-06-30")
    return Tables(prices.adj_close.copy(), prices.close.copy(), prices.volume.copy())


def found(tables: Tables, **options: object) -> tuple[Finding, ...]:
    return es.check_prices(tables.prices(), **{"benchmarks": [BENCHMARK], **options})


def serious(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {f.check: f.severity for f in findings if f.severity != "note"}


def scale(tables: Tables, ticker: str, rows: slice, factor: float) -> None:
    for frame in (tables.adj, tables.close):
        frame.iloc[rows, frame.columns.get_loc(ticker)] *= factor


def usage_of(tables: Tables, ticker: str, row: int) -> Usage:
    days = tables.adj.index
    return Usage((ticker,), days[[row - 150]], days[[row - 6]], days[[row + 5]], (BENCHMARK,))


@pytest.mark.parametrize("lag", [1, -1])
@pytest.mark.parametrize("ticker", FIRMS)
def test_dates_that_are_a_session_off_are_found(ticker, lag):
    tables = real()
    for frame in (tables.adj, tables.close, tables.volume):
        frame[ticker] = frame[ticker].shift(lag)
    (shifted,) = (f for f in found(tables) if f.severity == "error")
    assert (shifted.check, shifted.tickers) == ("shifted_days", (ticker,))
    side = "before" if lag > 0 else "after"
    assert f"the market of the session {side}" in shifted.value


def test_a_shift_from_a_day_on_is_found_and_matters_where_it_is_used():
    tables = real()
    half = len(tables.adj) // 2
    for frame in (tables.adj, tables.close):
        frame.iloc[half:, frame.columns.get_loc("MSFT")] = frame["MSFT"].shift(1).iloc[half:]
    late, early = (usage_of(tables, "MSFT", row) for row in (len(tables.adj) - 20, 200))
    assert serious(found(tables, usage=late))["shifted_days"] == "error"
    assert "shifted_days" not in serious(found(tables, usage=early))


def test_a_shifted_benchmark_is_named_and_not_the_firms():
    tables = real()
    for frame in (tables.adj, tables.close, tables.volume):
        frame[BENCHMARK] = frame[BENCHMARK].shift(1)
    (shifted,) = (f for f in found(tables) if f.check == "shifted_days")
    assert shifted.tickers == (BENCHMARK,)


def test_lags_are_expected_where_trading_is_thin():
    tables = real()
    for frame in (tables.adj, tables.close, tables.volume):
        frame["AAPL"] = frame["AAPL"].shift(1)
    assert "shifted_days" not in serious(found(tables, thin_trading=True))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("days", "with_volume"), [(3, True), (5, True), (4, False), (8, False)])
def test_days_that_repeat_earlier_ones_are_found(days, with_volume, seed):
    tables = real()
    rng = np.random.default_rng([seed, days])
    ticker, row = str(rng.choice(FIRMS)), int(rng.integers(30, len(tables.adj) - 30))
    for frame in (tables.adj, tables.close, tables.volume)[: 3 if with_volume else 2]:
        column = frame.columns.get_loc(ticker)
        frame.iloc[row + days : row + 2 * days, column] = frame.iloc[row : row + days, column].to_numpy()
    block = next(f for f in found(tables) if f.check == "repeated_block")
    assert (block.severity, block.tickers) == ("error", (ticker,))
    assert f"{tables.adj.index[row + days]:%Y-%m-%d} to" in block.value


def test_cents_at_a_few_dollars_come_twice_by_chance():
    rng = np.random.default_rng(3)
    days = es.exchange_sessions("XNYS", "2020-01-02", "2025-06-30")
    walk = 3.0 + 0.01 * np.clip(rng.integers(-2, 3, len(days)).cumsum(), -150, 150)
    again = pd.Series(walk)
    windows = pd.Series([tuple(again.iloc[i : i + 4].round(2)) for i in range(len(again) - 3)])
    assert windows.duplicated().any()
    closes = pd.DataFrame({"CHEAP": walk.round(2)}, index=days)
    assert "repeated_block" not in serious(es.check_prices(es.Prices.from_frame(closes)))


def test_swapped_tables_are_an_error_unless_nothing_of_them_is_used():
    tables = real()
    tables.adj, tables.close = tables.close, tables.adj
    assert serious(found(tables))["adjusted_above_traded"] == "error"
    usage = usage_of(tables, "AMD", 300)  # pays nothing
    assert "adjusted_above_traded" not in serious(found(tables, usage=usage))


@pytest.mark.parametrize("factor", [0.85, 0.9, 0.95])
def test_a_step_much_larger_than_any_dividend_of_a_firm_is_to_be_looked_up(factor):
    tables = real()
    tables.adj.iloc[:300, tables.adj.columns.get_loc("META")] *= factor
    assert serious(found(tables)) == {"adjustment_ratio": "warning"}


@pytest.mark.parametrize("ratio", [3 / 2, 2 / 3])
@pytest.mark.parametrize(("ticker", "day"), [("MSFT", "2024-08-12"), ("AAPL", "2023-08-01"), ("ORCL", "2024-05-07")])
def test_a_small_split_is_an_error_where_volumes_moved_with_it(ticker, day, ratio):
    tables = real()
    row = tables.adj.index.get_loc(pd.Timestamp(day))
    scale(tables, ticker, slice(0, row), ratio)
    # the volume says nothing; a case for a second look
    assert serious(found(tables)).get("unapplied_split") != "error"
    tables.volume.iloc[:row, tables.volume.columns.get_loc(ticker)] /= ratio
    assert serious(found(tables)) == {"unapplied_split": "error"}
    assert "unapplied_split" not in serious(found(tables, usage=usage_of(tables, ticker, row - 60)))


@pytest.mark.parametrize("factor", [1.2, 1.3, 1.4, 1 / 1.2, 1 / 1.4])
@pytest.mark.parametrize("with_volume", [True, False])
def test_a_price_off_for_a_day_is_an_error_in_an_event_window_and_a_warning_before(factor, with_volume):
    tables = real()
    row = 400
    scale(tables, "MSFT", slice(row, row + 1), factor)
    prices = tables.prices() if with_volume else es.Prices(tables.adj, es.sources.Provenance("spoiled"), tables.close)

    def check(at: int) -> dict[str, str]:
        return serious(es.check_prices(prices, benchmarks=[BENCHMARK], usage=usage_of(tables, "MSFT", at)))

    assert check(row) == {"wrong_price": "error"}
    assert check(row + 50) == {"wrong_price": "warning"}
    assert check(row - 50) == {}


@pytest.mark.parametrize("benchmark", ["^GSPC", "SPY", "^SOX", "^VIX"])
def test_no_real_series_is_called_a_copy_or_a_session_off(benchmark):
    found_ = es.check_prices(es.load_prices(), benchmarks=[benchmark])
    assert serious(found_) == {}


def test_real_prices_without_volume_have_no_errors():
    for prices in (es.load_prices(), es.load_universe()):
        bare = es.Prices(prices.adj_close, prices.provenance, prices.close)
        assert not [str(f) for f in es.check_prices(bare) if f.severity == "error"]
