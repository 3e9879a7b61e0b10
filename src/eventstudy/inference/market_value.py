"""Dollars: raw and abnormal changes in market value, with an interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.panel import FloatArray
from eventstudy.inference.single import car_interval
from eventstudy.prices.firms import DOLLAR, SPLIT_BASIS_TOLERANCE, another_firm, currency_of
from eventstudy.prices.snapshot import ShareCount, known_closes, share_count
from eventstudy.prices.table import Prices
from eventstudy.windows import Window
from eventstudy.wording import iso_day

#: Closes as traded and returns that are this far apart over a window have a split between them; dividends are smaller.
SPLIT_IN_WINDOW_TOLERANCE = 0.2


@dataclass(frozen=True, slots=True)
class MarketValueChange:
    """What one event did to one company's market value over a window.

    Attributes
    ----------
    key, ticker : str
        The event's short name and the share's ticker.
    window : Window
        Relative days.
    close_before, close_after : float
        Closes as traded on the session before the window and on its last day, in ``currency`` a share.
    shares : ShareCount or None
        The count used, with its date and source; None if there is none.
    before : float
        Market value before the window, ``shares × close_before``.
    raw : float
        ``shares × (close_after - close_before)``.
    abnormal, low, high : float
        What the window left of ``before`` less what it would have left without the abnormal returns, and its interval: see `abnormal_shares`.
    level : float
        Coverage of the interval.
    reason : str
        Why there is no figure, or no abnormal one; empty if there is one.
    currency : str
        Of the closes and of what is computed from them, e.g. ``USD``; empty if it is not known.
    """

    key: str
    ticker: str
    window: Window
    close_before: float
    close_after: float
    shares: ShareCount | None
    before: float
    raw: float
    abnormal: float
    low: float
    high: float
    level: float
    reason: str = ""
    currency: str = DOLLAR


def market_value_changes(
    abnormal: AbnormalReturns,
    tickers: tuple[str, ...],
    calendar: pd.DatetimeIndex,
    prices: Prices,
    window: Window,
    *,
    level: float = 0.95,
    shares: Mapping[str, ShareCount | float] | None = None,
) -> tuple[MarketValueChange, ...]:
    """Turn abnormal returns into changes of market value.

    Parameters
    ----------
    shares : mapping of str to ShareCount or number, optional
        Shares outstanding by ticker; by default the embedded counts, the latest dated on or before the event, of tickers whose prices are
        those of the firm that is embedded under them (`eventstudy.prices.firms.another_firm`).

    Returns
    -------
    tuple of MarketValueChange
        One an event; without a share count or a close it carries the reason in place of figures.
    """
    if prices.close is None:
        raise DataMissing(
            f"{prices.provenance.source} has no closes as traded, so market values cannot be computed; "
            f"give a table with a close column, or use the snapshot."
        )
    parts = _window_parts(abnormal, window, level)
    given = None if shares is None else given_counts(shares)
    return tuple(_change(i, t, abnormal, calendar, prices, parts, given) for i, t in enumerate(tickers))


def given_counts(shares: Mapping[str, ShareCount | float]) -> dict[str, ShareCount]:
    """Return share counts of one's own by ticker: as they are, or a number of shares as one without a day.

    Raises
    ------
    InvalidInput
        If they are no mapping, or a count is no number above zero.

    Examples
    --------
    >>> given_counts({"SAP": 1.2e9})["SAP"].shares
    1200000000
    """
    wanted = "give shares outstanding by ticker, as in shares={'SAP': 1_228_000_000}"
    if not isinstance(shares, Mapping):
        raise InvalidInput(f"shares is {shares!r}; {wanted}.")
    found: dict[str, ShareCount] = {}
    counts: Mapping[str, object] = shares
    for ticker, count in counts.items():
        if isinstance(count, ShareCount):
            found[ticker] = count
            continue
        if isinstance(count, bool) or not isinstance(count, Real) or not 1.0 <= float(count) < math.inf:
            raise InvalidInput(f"shares has {count!r} for {ticker}; {wanted}, each a number above zero.")
        found[ticker] = ShareCount(ticker, round(float(count)), "", "", "", "given")
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _WindowParts:
    """What a window says of each event: value held, abnormal change and interval as shares of the value before, why there is none."""

    window: Window
    level: float
    held: np.ndarray
    abnormal: np.ndarray
    low: np.ndarray
    high: np.ndarray
    gaps: tuple[str, ...]


def _window_parts(abnormal: AbnormalReturns, window: Window, level: float) -> _WindowParts:
    cars = (abnormal.sums(window).car, *car_interval(abnormal, window, level))
    value, low, high = (abnormal_shares(abnormal, window, car) for car in cars)
    held = 1.0 + abnormal.as_fractions(abnormal.raw_returns(window))
    return _WindowParts(window, level, held, value, low, high, abnormal.why_no_sum(window))


def abnormal_shares(abnormal: AbnormalReturns, window: Window, car: FloatArray) -> FloatArray:
    """Return what CARs over a window, shape (N,), are as shares of the value before it, shape (N,).

    Notes
    -----
    Of simple returns ``Π(1 + R_t) - Π(1 + R_t - AR_t)``, what the window left less what it would have left without the abnormal
    returns. A CAR other than the estimate, as an end of its interval, spreads its distance from it evenly: every day's AR moves by
    ``(car - CAR)/L``. Of log returns ``exp ΣR - exp(ΣR - car)``, however it is spread. Over one day both are the day's own: AR, and
    ``exp R - exp(R - AR)``. The CAR of a buy-and-hold model is compounded as it is.
    """
    days = abnormal.columns_of(window)
    if abnormal.has("reference_returns"):
        return car
    if abnormal.log:
        held = np.exp(np.nansum(abnormal.firm_returns[:, days], axis=1))
        return np.asarray(-held * np.expm1(-car), dtype=np.float64)
    shift = (car - abnormal.sums(window).car) / len(window)
    expected = 1.0 + abnormal.expected[:, days] - shift[:, None]
    held = (1.0 + abnormal.firm_returns[:, days]).prod(axis=1)
    return np.asarray(held - expected.prod(axis=1), dtype=np.float64)


def _change(
    i: int,
    ticker: str,
    abnormal: AbnormalReturns,
    calendar: pd.DatetimeIndex,
    prices: Prices,
    parts: _WindowParts,
    shares: Mapping[str, ShareCount] | None,
) -> MarketValueChange:
    """Return one event's change of market value, or why there is none."""
    place, window = int(abnormal.position[i]), parts.window
    days = (calendar[place + window.start - 1], calendar[place + window.end])
    closes = (
        np.full(2, np.nan) if prices.close is None else prices.close[ticker].reindex(list(days)).to_numpy(np.float64)
    )
    first, last = closes
    count, reason = _count(ticker, calendar[place], shares, prices, closes, days)
    reason = reason or _unfit(float(first), float(last), float(parts.held[i]))
    before = count.shares * first if count and not reason else np.nan
    return MarketValueChange(
        key=abnormal.keys[i],
        ticker=ticker,
        window=window,
        close_before=float(first),
        close_after=float(last),
        shares=count,
        before=float(before),
        raw=float(before * (last / first - 1.0)),
        abnormal=float(before * parts.abnormal[i]),
        low=float(before * parts.low[i]),
        high=float(before * parts.high[i]),
        level=parts.level,
        reason=reason or parts.gaps[i],
        currency=currency_of(prices, ticker),
    )


def _unfit(first: float, last: float, held: float) -> str:
    """Say why closes and returns of a window do not belong together, or return an empty text."""
    if abs(last / first / held - 1.0) > SPLIT_IN_WINDOW_TOLERANCE:
        return (
            f"the closes as traded went from {first:g} to {last:g}, the returns say {held - 1.0:+.1%}: "
            f"a split lies in the window"
        )
    return ""


def _count(
    ticker: str,
    session: pd.Timestamp,
    shares: Mapping[str, ShareCount] | None,
    prices: Prices,
    closes: np.ndarray,
    days: tuple[pd.Timestamp, pd.Timestamp],
) -> tuple[ShareCount | None, str]:
    """Return the share count for an event, or why no market value can be given."""
    if not np.isfinite(closes).all():
        return None, f"no close as traded on {iso_day(days[0])} or {iso_day(days[1])}"
    if shares is not None:
        count = shares.get(ticker)
        return (count, "") if count else (None, "no share count given")
    if why := another_firm(prices, ticker):
        return None, f"no share count: {why}; give shares={{'{ticker}': ...}}"
    try:
        count = share_count(ticker, session)
    except DataMissing as error:
        return None, error.message
    try:
        check_split_basis(ticker, days[0], float(closes[0]))
    except DataUnfit as error:
        return None, error.message
    return count, ""


def check_split_basis(ticker: str, day: pd.Timestamp, close: float) -> None:
    """Raise `DataUnfit` if a close stands on another split basis than the embedded share counts."""
    known = known_closes(ticker)
    embedded = math.nan if known is None else float(known.get(day, math.nan))
    if math.isfinite(embedded) and abs(close / embedded - 1.0) > SPLIT_BASIS_TOLERANCE:
        raise DataUnfit(
            f"{ticker} closed at {close:g} on {iso_day(day)} in this table and at {embedded:g} in the embedded prices: "
            f"another split basis, so the embedded share count does not fit. Give your own share counts."
        )


def _count_note(change: MarketValueChange, tickers: set[str]) -> str:
    """Return the note of a share count, with a warning if another class of the same company stands beside it."""
    if change.shares is None:
        return ""
    twice = sorted(set(change.shares.covers) & tickers - {change.ticker})
    warning = f"counts {', '.join(twice)} too: do not add them up" if twice else ""
    return "; ".join(part for part in (change.shares.note, warning) if part)


def changes_table(changes: tuple[MarketValueChange, ...]) -> pd.DataFrame:
    """Return market-value changes as a table, one row an event, in units of the currency."""
    rows = [
        {
            "close_before": c.close_before,
            "close_after": c.close_after,
            "shares": c.shares.shares if c.shares else np.nan,
            "shares_date": c.shares.period_end if c.shares else "",
            "before": c.before,
            "raw": c.raw,
            "abnormal": c.abnormal,
            "low": c.low,
            "high": c.high,
            "currency": c.currency,
            "note": c.reason or _count_note(c, {other.ticker for other in changes}),
            "source": c.shares.source if c.shares else "",
        }
        for c in changes
    ]
    return pd.DataFrame(rows, index=pd.Index([c.key for c in changes], name="event"))
