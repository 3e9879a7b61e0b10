"""Days with a trade, how many sessions a return spans since the last one, and sums over these spans."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.prices.table import Prices, clean_frame


def trades_of(data: Prices | pd.DataFrame, returns: pd.DataFrame) -> pd.DataFrame:
    """Return where there was a trade.

    Parameters
    ----------
    returns : DataFrame
        The returns made of it, dates × tickers, shape (T, K).

    Returns
    -------
    DataFrame of bool, shape (T, K)
        Where there is a price; where there is a return, if returns were handed in.
    """
    closes = closes_of(data, returns)
    return returns.notna() if closes is None else closes.notna()


def closes_of(data: Prices | pd.DataFrame, returns: pd.DataFrame) -> pd.DataFrame | None:
    """Return the adjusted closes that returns were made of, on their rows, shape (T, K or fewer); None if returns were handed in."""
    if not isinstance(data, Prices):
        return None
    priced = [c for c in returns.columns if c in data.tickers]
    return clean_frame(data.select(priced).adj_close, "adjusted close").reindex(returns.index)


def trade_spans(traded: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many sessions each row lies after the last one with a trade.

    Parameters
    ----------
    traded : ndarray of bool, shape (T, K)
        Where there was a trade.

    Returns
    -------
    ndarray of int, shape (T, K)
        1 where no trade is known before: a table of returns does not say when its first price was.
    """
    rows = np.arange(len(traded), dtype=np.int64)[:, None]
    last = np.full(traded.shape, -1, dtype=np.int64)
    last[1:] = np.maximum.accumulate(np.where(traded, rows, -1), axis=0)[:-1]
    return np.asarray(np.where(last >= 0, rows - last, 1), dtype=np.int64)


def sums_over_spans(
    daily: NDArray[np.float64], traded: NDArray[np.bool_], rows: NDArray[np.int64], span: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum log returns over the sessions that other returns span.

    Parameters
    ----------
    daily, traded : ndarray, shape (T, K)
        Log returns of K columns and where they have a price; a gap of theirs is bridged by their own next return.
    rows, span : ndarray of int, shape (N, days)
        Last row of each span and how many rows it has.

    Returns
    -------
    ndarray, shape (N, days, K)
        NaN unless the column has a price at both ends of the span.
    """
    total = np.zeros((len(daily) + 1, daily.shape[1]))
    total[1:] = np.nancumsum(daily, axis=0)
    start = np.maximum(rows - span, -1)
    whole = np.where((span == 1)[:, :, None], daily[rows], total[rows + 1] - total[start + 1])
    known = np.isfinite(daily[rows]) & ((start < 0)[:, :, None] | traded[np.maximum(start, 0)])
    return np.asarray(np.where(known, whole, np.nan), dtype=np.float64)
