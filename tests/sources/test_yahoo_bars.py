"""The doubts about figures from Yahoo, held against real series: none of them is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import DataUnfit
from eventstudy.prices.checks.run import RULES
from eventstudy.prices.snapshot import load_snapshot, load_universe
from eventstudy.sources.yahoo.bars import (
    Market,
    check_blocks,
    check_daily,
    check_numbers,
    scale_changes,
    unpaid_steps,
)
from eventstudy.sources.yahoo.failures import FAILURE_KINDS, Refused


@pytest.mark.slow
@pytest.mark.parametrize("load", [load_snapshot, load_universe], ids=["snapshot", "universe"])
def test_no_real_series_is_doubted(load):
    prices, doubts = load(), []
    closes = prices.adj_close if prices.close is None else prices.close
    for ticker in prices.tickers[:: 1 + len(prices.tickers) // 60]:
        bars = pd.DataFrame({"adj_close": prices.adj_close[ticker], "close": closes[ticker]}).dropna()
        ratio = bars["adj_close"] / bars["close"]
        bars = bars.assign(volume=1.0, split=0.0)
        bars["paid"] = ((1 - ratio.shift() / ratio) * bars["close"].shift()).fillna(0.0).clip(lower=0.0)
        check_numbers(bars)
        check_daily(bars)
        doubts += [(ticker, *found) for found in (*scale_changes(bars), *unpaid_steps(bars))]
        sessions = Market("NMS", "XNYS").sessions(f"{bars.index[0]:%Y-%m-%d}", f"{bars.index[-1]:%Y-%m-%d}")
        if not sessions.equals(pd.DatetimeIndex(bars.index)):
            doubts.append((ticker, "sessions", str(sessions.symmetric_difference(bars.index))))
    assert doubts == []


def bars_of(closes, **columns):
    days = pd.bdate_range("2025-03-03", periods=len(closes))
    plain = {"close": closes, "adj_close": closes, "split": 0.0, "paid": 0.0, "volume": 1.0}
    return pd.DataFrame(plain | columns, index=days, dtype=float)


@pytest.mark.parametrize(
    ("closes", "split", "doubted"),
    [
        ([100, 101, 25, 26], [0, 0, 4, 0], True),
        ([100, 101, 102, 103], [0, 0, 4, 0], False),
        ([100, 101, 67, 68], [0, 0, 1.5, 0], True),
        ([100, 101, 80, 81], [0, 0, 0, 0], False),
        ([100, 101, 50, 51], [0, 0, 0, 0], True),
        ([100, 101, 42, 43], [0, 0, 0, 0], False),  # a fall by 58 % is no split's
        ([100, 101, 1010, 1009], [0, 0, 0.1, 0], True),
    ],
)
def test_missed_splits_and_real_moves(closes, split, doubted):
    found = list(scale_changes(bars_of(closes, split=split)))
    assert bool(found) is doubted
    assert all(kind == "unapplied_split" for kind, _ in found)


@pytest.mark.parametrize("factor", [1 / 1.5, 1.5], ids=["applied twice", "left out"])
@pytest.mark.parametrize("late", [-3, -1, 0, 2, 3])
def test_a_step_by_the_ratio_of_a_split_listed_beside_it_is_doubted(factor, late):
    """A split that was applied leaves an ordinary day; at another ratio, or far away, the move is news."""
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.015, 60)))
    closes[:30] *= factor
    for ratio, day, doubted in ((1.5, 30 + late, True), (1.5, 38, False), (4.0, 30 + late, False)):
        split = np.zeros(60)
        split[day] = ratio
        found = list(scale_changes(bars_of(closes, split=split)))
        assert bool(found) is doubted
        if doubted:
            assert found[0][0] == "unapplied_split"
            assert f"{bars_of(closes).index[30]:%Y-%m-%d}" in found[0][1]


def paying(days, paid, stepped=None, **columns):
    """Closes of 100 that pay, by day, and step by what was paid or by something else."""
    amounts, steps = np.zeros(days), np.zeros(days)
    for place, amount in paid.items():
        amounts[place] = amount
    for place, amount in (paid if stepped is None else stepped).items():
        steps[place] = amount
    factor = np.append(np.cumprod(1 - steps[:0:-1] / 100)[::-1], 1.0)
    return bars_of([100.0] * days, adj_close=100 * factor, paid=amounts, **columns)


def adjustment_doubts(bars):
    return [cause for _, cause in unpaid_steps(bars)]


@pytest.mark.parametrize("multiple", [0.0, 0.05, 0.2, 0.5, 0.85, 1.15, 2.0, 10.0])
def test_a_step_of_another_size_than_the_dividend_is_doubted(multiple):
    (cause,) = adjustment_doubts(paying(9, {4: 1.25}, {4: 1.25 * multiple}))
    assert "2025-03-07" in cause


@pytest.mark.parametrize("amount", [0.001, 0.05, 1.25, 30.0])
def test_a_step_of_the_size_of_the_dividend_is_not(amount):
    assert adjustment_doubts(paying(9, {4: amount})) == []
    assert adjustment_doubts(paying(9, {4: amount}, {4: amount * 1.05})) == []


@pytest.mark.parametrize(
    ("paid", "stepped", "gains", "doubted"),
    [
        ({4: 1.0}, {5: 1.0}, {}, True),  # on the day after
        ({4: 1.0}, {4: 1.0, 5: 1.0}, {}, True),  # and once more on the day after
        ({}, {4: 0.1}, {}, True),
        ({4: 1.0, 5: 2.0}, {4: 2.0, 5: 1.0}, {}, False),  # listed the other way round
        ({4: 1.0, 5: 2.0}, {4: 2.0, 5: 2.0}, {}, True),
        ({4: 3.0}, {4: 1.0}, {4: 2.0}, False),  # gains are in the dividend already
        ({4: 3.0}, {4: 1.0, 5: 2.0}, {4: 2.0}, False),  # gains step a day later
        ({4: 3.0}, {4: 2.0}, {4: 2.0}, True),
    ],
)
def test_payments_of_funds_side_by_side_are_summed(paid, stepped, gains, doubted):
    listed = np.zeros(9)
    for place, amount in gains.items():
        listed[place] = amount
    assert bool(adjustment_doubts(paying(9, paid, stepped, gains=listed))) is doubted


def test_a_dividend_on_a_day_without_a_close_belongs_to_the_next():
    bars = paying(9, {5: 1.25})
    bars.loc[bars.index[4], ["close", "adj_close"]] = np.nan
    bars["paid"] = bars["paid"].shift(-1, fill_value=0.0)
    assert adjustment_doubts(bars) == []


#: Declared by the companies.
DECLARED = {
    "MSFT": {"2024-02-14": 0.75, "2024-05-15": 0.75, "2024-08-15": 0.75, "2024-11-21": 0.83, "2025-02-20": 0.83},
    "META": {"2024-02-21": 0.50, "2024-06-14": 0.50, "2024-09-16": 0.50, "2024-12-16": 0.50, "2025-03-14": 0.525},
    "NVDA": {"2024-06-11": 0.01, "2024-09-12": 0.01, "2024-12-05": 0.01, "2025-03-12": 0.01},
    "GOOGL": {"2024-06-10": 0.20, "2024-09-09": 0.20, "2024-12-09": 0.20, "2025-03-10": 0.20},
}


@pytest.mark.parametrize("ticker", DECLARED)
def test_real_adjusted_closes_fit_what_the_companies_declared(ticker):
    prices = load_snapshot()
    bars = pd.DataFrame({"adj_close": prices.adj_close[ticker], "close": prices.close[ticker]})
    bars = bars.loc["2024-01-25":"2025-05-01"].assign(paid=0.0)
    for day, amount in DECLARED[ticker].items():
        bars.loc[day, "paid"] = amount
    if ticker == "NVDA":
        bars = bars.loc["2024-06-10":]
    assert adjustment_doubts(bars) == []
    day = list(DECLARED[ticker])[2]
    bars.loc[: pd.Timestamp(day) - pd.Timedelta(days=1), "adj_close"] *= 0.99
    assert day in adjustment_doubts(bars)[0]


def test_days_that_repeat_earlier_ones_are_refused_and_quiet_ones_are_not():
    closes = 100 + np.random.default_rng(1).normal(0, 1, 30).round(2)
    volume = np.random.default_rng(2).integers(1e6, 2e6, 30).astype(float)
    bars = bars_of(closes, volume=volume)
    check_blocks(bars)
    check_blocks(bars_of([5.0] * 30, volume=100.0))
    check_blocks(bars_of([5.0, 6.0] * 15, volume=0.0))
    for gap in (3, 11):
        again = bars.copy()
        again.iloc[10 + gap : 13 + gap] = bars.iloc[10:13]
        with pytest.raises(
            Refused, match=f"{again.index[10 + gap]:%Y-%m-%d}.* are those of {again.index[10]:%Y-%m-%d}"
        ):
            check_blocks(again)
    again.iloc[23] = bars.iloc[28]
    check_blocks(again)


@pytest.mark.parametrize("column", ["paid", "split"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 1e308])
def test_payments_and_splits_are_numbers(column, value):
    with pytest.raises(Refused) as caught:
        check_numbers(bars_of([100.0, 101.0], **{column: [0.0, value]}))
    assert caught.value.kind == "schema_changed"
    assert len(str(caught.value)) < 80


def test_failures_of_figures_bear_the_names_of_checks_of_prices():
    of_figures = {name for name, kind in FAILURE_KINDS.items() if kind.error is DataUnfit} - {"currency"}
    accepted = {name for kind in FAILURE_KINDS.values() for name in kind.accept}
    assert (of_figures | accepted) <= set(RULES)
    assert all(RULES[name].acceptable for name in accepted)
