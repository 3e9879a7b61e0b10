"""Changes of market value: of one company, of a basket, of every company on every day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.claims.evidence import Days, Evidence, price_returns
from eventstudy.errors import DataUnfit
from eventstudy.inference.market_value import check_split_basis
from eventstudy.prices.firms import DOLLAR, another_firm, currency_of, unknown_currency
from eventstudy.prices.snapshot import ShareCount

#: Of the companies that a sum or a rank speaks of at least so many must have a number on the day: without the others it is another claim.
ENOUGH = 0.9


@dataclass(frozen=True, slots=True)
class ValueChange:
    """Change of one company's market value over the days of a claim, US dollars.

    Attributes
    ----------
    raw, low, high : float
        ``shares × (close_after - close_before)`` with the count used, and the smallest and largest of the counts around the days.
    close_before, close_after : float
        Closes, as traded if ``traded``, else adjusted.
    shares : ShareCount
        The count used: the latest on or before the last day.
    counts : tuple of ShareCount
        The counts around the days: the one before, the one used, the one after.
    traded : bool
        Whether the closes are as traded.
    """

    ticker: str
    raw: float
    low: float
    high: float
    close_before: float
    close_after: float
    shares: ShareCount
    counts: tuple[ShareCount, ...]
    traded: bool


@dataclass(frozen=True, slots=True, eq=False)
class BasketChange:
    """Change of a basket's market value over the days of a claim, US dollars.

    Attributes
    ----------
    missing : tuple of str
        Tickers without prices or share count.
    twice : tuple of str
        Tickers left out because another's share count covers them.
    adjusted : int
        Companies for which only adjusted closes are known.
    gap_median, gap_most : float
        How far adjusted closes lie below those as traded on the day before, as fractions, over the companies for which both are known.
    """

    changes: tuple[ValueChange, ...]
    missing: tuple[str, ...]
    twice: tuple[str, ...]
    adjusted: int
    gap_median: float
    gap_most: float

    def total(self, how: str, sign: float) -> tuple[float, float, float]:
        """Return the sum and its range over share counts: ``net`` of all, or ``gross`` of those that went the way of a sign."""
        chosen = [c for c in self.changes if how == "net" or (c.raw < 0.0) == (sign < 0.0)]
        raw, low, high = (math.fsum(getattr(c, k) for c in chosen) for k in ("raw", "low", "high"))
        return raw, low, high


def value_change(
    ev: Evidence, ticker: str, days: Days, printed: tuple[float, float] | None = None
) -> ValueChange | str:
    """Return a company's change of market value, or why there is none.

    ``printed`` are the lowest and highest share count in print, in billions: those of a company of which no others are known.
    """
    counts, on = ev.counts(ticker), ev.day(days.last)
    if not counts and printed:
        counts = tuple(ShareCount(ticker, round(n * 1e9), on, on, "", "the claim's shares_billion") for n in printed)
    place = sum(c.period_end <= on for c in counts) - 1
    if not counts:
        why = another_firm(ev.source(ticker), ticker) if ev.has(ticker) and ev.given_shares is None else ""
        return (
            f"there is no share count of {ticker}{why and ': '}{why}; give the claim shares_billion = [lowest, highest]"
        )
    if place < 0:
        return f"there is no share count of {ticker} on or before {on}; the first is of {counts[0].period_end}"
    if not ev.has(ticker):
        return f"there are no prices of {ticker}"
    if reason := not_in_dollars(ev, ticker):
        return reason
    closes, traded = ev.closes(ticker, days)
    first, last = float(closes[days.before]), float(closes[days.last])
    reason = _unfit(ev, ticker, days, first, last) if traded or not math.isfinite(first * last) else ""
    if reason:
        return reason
    around = counts[max(place - 1, 0) : place + 2]
    step = last - first
    low, *_, high = sorted([counts[place].shares * step, *(c.shares * step for c in around)])
    return ValueChange(ticker, counts[place].shares * step, low, high, first, last, counts[place], around, traded)


def not_in_dollars(ev: Evidence, ticker: str) -> str:
    """Say why a ticker's prices give no dollars, or return an empty text."""
    currency = currency_of(ev.source(ticker), ticker)
    if not currency:
        return unknown_currency(ticker)
    return "" if currency == DOLLAR else f"the closes of {ticker} are in {currency}, and claims of money are in dollars"


def _unfit(ev: Evidence, ticker: str, days: Days, first: float, last: float) -> str:
    """Say why closes cannot be multiplied by a share count, or return an empty text."""
    if not (math.isfinite(first) and math.isfinite(last)):
        return f"{ticker} has no close on {ev.day(days.before)} or {ev.day(days.last)}"
    if ev.given_shares is None and ev.counts(ticker):
        try:
            check_split_basis(ticker, ev.sessions[days.before], first)
        except DataUnfit as error:
            return error.message
    return ""


def without_doubles(ev: Evidence, tickers: Sequence[str], about: str = "") -> tuple[list[str], tuple[str, ...]]:
    """Return the tickers each company of which counts once, and those left out because another's count covers them.

    Of two share classes the one that the claim is about is kept, else the one that the study looks at, else the first named.
    """
    kept: list[str] = []
    covered: set[str] = set()
    twice = []
    for ticker in sorted(dict.fromkeys(tickers), key=lambda t: (t != about, t not in ev.firms)):
        if ticker in covered:
            twice.append(ticker)
            continue
        kept.append(ticker)
        covered |= {c for count in ev.counts(ticker) for c in count.covers}
    return kept, tuple(twice)


def basket_change(ev: Evidence, tickers: Sequence[str], days: Days) -> BasketChange:
    """Return the change of a basket's market value; a share class that another's count covers is left out."""
    kept, twice = without_doubles(ev, tickers)
    found = {t: value_change(ev, t, days) for t in kept}
    changes = tuple(c for c in found.values() if not isinstance(c, str))
    gaps = _adjustment_gaps(ev, [c.ticker for c in changes if c.traded], days)
    return BasketChange(
        changes,
        tuple(t for t, c in found.items() if isinstance(c, str)),
        twice,
        sum(not c.traded for c in changes),
        float(np.median(gaps)) if gaps.size else math.nan,
        float(gaps.max()) if gaps.size else math.nan,
    )


def _adjustment_gaps(ev: Evidence, tickers: Sequence[str], days: Days) -> np.ndarray:
    """Return how far the adjusted close of the day before lies below the one as traded, as a share of the latter."""
    pairs = [(ev.adjusted(t)[days.before], ev.traded(t)) for t in tickers]
    gaps = [1.0 - a / c[days.before] for a, c in pairs if c is not None]
    return np.asarray([g for g in gaps if math.isfinite(g)], dtype=np.float64)


def changes(
    ev: Evidence, tickers: Sequence[str], measure: str, ends: np.ndarray, about: str = ""
) -> tuple[pd.DataFrame, int]:
    """Return every company's change over every stretch from one session to the next of some: dollars, or fractions of its value.

    Parameters
    ----------
    ends : ndarray of int
        Places of the sessions whose closes end the stretches, shape (P,).

    Returns
    -------
    changes : DataFrame
        Stretches × tickers, shape (P, N), by last session; NaN where there is no close or no share count.
    early : int
        Number of stretches before the first share count, where the earliest count stands in.
    """
    columns, early = {}, 0
    dates = ev.sessions[ends].to_numpy(dtype="datetime64[D]")
    for ticker in without_doubles(ev, tickers, about)[0]:
        if not ev.has(ticker):
            continue
        adjusted, traded = ev.adjusted(ticker)[ends], ev.traded(ticker)
        held = None if traded is None else traded[ends]
        if measure == "percent":
            columns[ticker] = np.concatenate([[np.nan], price_returns(adjusted, held, 1)[0]])
            continue
        counts = ev.counts(ticker)
        if not counts or not_in_dollars(ev, ticker):
            continue
        known = np.array([c.period_end for c in counts], dtype="datetime64[D]")
        place = np.searchsorted(known, dates, side="right") - 1
        early = max(early, int((place < 0).sum()))
        shares = np.array([c.shares for c in counts], dtype=np.float64)[np.maximum(place, 0)]
        steps = np.concatenate([[np.nan], np.diff(adjusted)])
        if held is not None:
            own = np.concatenate([[np.nan], np.diff(held)])
            steps = np.where(np.isfinite(own), own, steps)
        columns[ticker] = shares * steps
    return pd.DataFrame(columns, index=ev.sessions[ends]), early
