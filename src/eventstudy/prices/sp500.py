"""The S&P 500 rebuilt from its embedded members: each firm's share of it, and its return without some of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.prices.snapshot import (
    PANEL_FILE,
    data_file_digests,
    file_facts,
    load_universe,
    share_counts,
    universe_members,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: What stands for the index: its own series, and the fund that holds it.
INDEX_SERIES = ("^GSPC", "SPY")


@dataclass(frozen=True, eq=False)
class IndexMembers:
    """The members of the index whose prices and share counts are embedded.

    Attributes
    ----------
    days : DatetimeIndex, shape (T,)
        Sessions of the panel.
    company : dict of str to int
        Column of a ticker; tickers of one company, whose count covers them all, have one column.
    value : ndarray, shape (T, K)
        Market value at the close of the day before, dollars; 0 where it or the day's return is not known.
    returns : ndarray, shape (T, K)
        Simple returns as fractions; 0 where ``value`` is.
    """

    days: pd.DatetimeIndex
    company: dict[str, int]
    value: FloatArray
    returns: FloatArray

    def shares_of(self, tickers: Collection[str], row: int) -> FloatArray:
        """Return each ticker's share of the index at the close before a day of the panel, NaN for others, shape (n,)."""
        total = self.value[row].sum()
        known = [self.company.get(t) for t in tickers]
        return np.array([np.nan if k is None or not total else self.value[row, k] / total for k in known])

    def shares_on(self, tickers: Sequence[str], rows: IntArray) -> FloatArray:
        """Return each ticker's share of the index at the close before a day of its own, NaN for others, shape (n,)."""
        column = np.array([self.company.get(t, -1) for t in tickers], dtype=np.int64)
        total = self.value.sum(axis=1)[rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = self.value[rows, column] / total
        return np.asarray(np.where((column >= 0) & (total > 0), share, np.nan), dtype=np.float64)

    def index_return(self, without: Collection[str] = ()) -> pd.Series[float]:
        """Return the value-weighted return of the members but for some companies, a fraction a day; NaN on the first day."""
        left = np.ones(self.value.shape[1])
        left[[self.company[t] for t in without if t in self.company]] = 0.0
        weight = self.value * left
        with np.errstate(invalid="ignore", divide="ignore"):
            values = (weight * self.returns).sum(axis=1) / weight.sum(axis=1)
        return pd.Series(values, index=self.days)


def may_hold(tickers: Collection[str], days: pd.DatetimeIndex) -> bool:
    """Whether a member is among the tickers and a day of the panel among the days: told before the panel is read."""
    facts = file_facts(PANEL_FILE)
    inside = (days >= pd.Timestamp(facts["first"])) & (days <= pd.Timestamp(facts["last"]))
    return bool(inside.any()) and bool(universe_members().index.isin(list(tickers)).any())


def index_members() -> IndexMembers:
    """Return the embedded members of the S&P 500 with their market values; read once for the data in use.

    Notes
    -----
    Adjusted closes times the share count in force, or the first one before it: 488 companies, whose value-weighted return has a
    correlation of 0.996 with that of ``^GSPC`` (2023-12 to 2025-02). The index counts freely traded shares only, so a
    company's share of it is known to a tenth or so of itself.
    """
    return _read(tuple(data_file_digests().items()))


@lru_cache(maxsize=1)
def _read(digests: tuple[tuple[str, str], ...]) -> IndexMembers:
    closes = load_universe().adj_close
    company: dict[str, int] = {}
    columns: list[str] = []
    for ticker in closes.columns:
        found = share_counts(ticker)
        if not found:
            continue
        other = next((c for c in found[0].covers if c in company), None)
        company[ticker] = len(columns) if other is None else company[other]
        if other is None:
            columns.append(ticker)
    closes = closes[columns]
    value = closes.to_numpy() * np.column_stack([_counts_on(ticker, closes.index) for ticker in columns])
    before = np.vstack([np.full(len(columns), np.nan), value[:-1]])
    returns = closes.pct_change(fill_method=None).to_numpy()
    there = np.isfinite(before) & np.isfinite(returns)
    return IndexMembers(
        pd.DatetimeIndex(closes.index), company, np.where(there, before, 0.0), np.where(there, returns, 0.0)
    )


def _counts_on(ticker: str, days: pd.Index) -> FloatArray:
    """Return the share count in force on each day, the first one on days before it, shape (T,)."""
    found = share_counts(ticker)
    ends = pd.DatetimeIndex([c.period_end for c in found])
    place = np.maximum(ends.searchsorted(pd.DatetimeIndex(days), side="right") - 1, 0)
    return np.array([float(c.shares) for c in found])[place]
