"""The doubts about figures from Yahoo, held against real series: none of them is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from eventstudy.prices import load_snapshot, load_universe
from eventstudy.prices.yahoo.bars import check_adjustment, check_daily, check_numbers, check_steps
from eventstudy.prices.yahoo.sessions import Market


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
        for check in (check_steps, check_adjustment):
            check(bars, lambda kind, cause, ticker=ticker: doubts.append((ticker, kind, cause)))
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
    found = []
    check_steps(bars_of(closes, split=split), lambda *finding: found.append(finding))
    assert bool(found) is doubted
    assert all(kind == "jump" for kind, _ in found)
