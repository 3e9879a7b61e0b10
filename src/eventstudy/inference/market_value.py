"""Dollars: raw and abnormal changes in market value, with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.errors import DataMissing, DataUnfit
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.inference.single import car_interval
from eventstudy.prices.snapshot import ShareCount, share_count
from eventstudy.prices.table import Prices
from eventstudy.windows import Window
from eventstudy.wording import iso_day

#: A close as traded that is this far from the embedded one means another split basis.
SPLIT_BASIS_TOLERANCE = 0.05
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
        ``before × CAR`` and its interval ``before × (CAR ± t S_CAR)``; with log returns ``exp(R) - exp(R - ·)`` of each.
    level : float
        Coverage of the interval.
    reason : str
        Why there is no figure; empty if there is one.
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


def market_value_changes(
    abnormal: AbnormalReturns,
    tickers: tuple[str, ...],
    calendar: pd.DatetimeIndex,
    prices: Prices,
    window: Window,
    *,
    level: float = 0.95,
    shares: Mapping[str, ShareCount] | None = None,
    log_returns: bool = False,
) -> tuple[MarketValueChange, ...]:
    """Turn abnormal returns into changes of market value.

    Parameters
    ----------
    shares : mapping of str to ShareCount, optional
        Share counts by ticker; by default the embedded ones, the latest dated on or before the event.
    log_returns : bool
        Whether ``abnormal`` holds log returns; a CAR then counts as ``exp(R) - exp(R - CAR)`` in dollars.

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
    parts = _window_parts(abnormal, window, level, log_returns)
    return tuple(_change(i, t, abnormal, calendar, prices.close[t], parts, shares) for i, t in enumerate(tickers))


@dataclass(frozen=True, slots=True, eq=False)
class _WindowParts:
    """What a window says of each event: value held, CAR and interval as shares of the value before, days seen."""

    window: Window
    level: float
    held: np.ndarray
    car: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_days: np.ndarray


def _window_parts(abnormal: AbnormalReturns, window: Window, level: float, log_returns: bool) -> _WindowParts:
    sums, (low, high) = abnormal.sums(window), car_interval(abnormal, window, level)
    car, returns = sums.car, abnormal.firm_returns[:, abnormal.columns_of(window)]
    held = np.exp(returns.sum(axis=1)) if log_returns else (1.0 + returns).prod(axis=1)
    if log_returns:  # the value held less the value expected, exp(R) - exp(R - CAR)
        car, low, high = (-held * np.expm1(-x) for x in (car, low, high))
    return _WindowParts(window, level, held, car, low, high, sums.n_days)


def _change(
    i: int,
    ticker: str,
    abnormal: AbnormalReturns,
    calendar: pd.DatetimeIndex,
    closes: pd.Series[float],
    parts: _WindowParts,
    shares: Mapping[str, ShareCount] | None,
) -> MarketValueChange:
    """Return one event's change of market value, or why there is none."""
    place, window = int(abnormal.position[i]), parts.window
    days = (calendar[place + window.start - 1], calendar[place + window.end])
    first, last = closes.reindex(list(days)).to_numpy(dtype=np.float64)
    count, reason = _count(ticker, calendar[place], shares, np.array([first, last]), days)
    reason = reason or _unfit(float(first), float(last), float(parts.held[i]), int(parts.n_days[i]), window)
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
        abnormal=float(before * parts.car[i]),
        low=float(before * parts.low[i]),
        high=float(before * parts.high[i]),
        level=parts.level,
        reason=reason,
    )


def _unfit(first: float, last: float, held: float, n_days: int, window: Window) -> str:
    """Say why closes and returns of a window do not belong together, or return an empty text."""
    if n_days < len(window):
        return f"{n_days} of {len(window)} days of {window} have an abnormal return"
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
    closes: np.ndarray,
    days: tuple[pd.Timestamp, pd.Timestamp],
) -> tuple[ShareCount | None, str]:
    """Return the share count for an event, or why no market value can be given."""
    if not np.isfinite(closes).all():
        return None, f"no close as traded on {iso_day(days[0])} or {iso_day(days[1])}"
    if shares is not None:
        count = shares.get(ticker)
        return (count, "") if count else (None, "no share count given")
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
    from eventstudy.prices.snapshot import load_snapshot

    known = load_snapshot().close
    if known is None or ticker not in known.columns or day not in known.index:
        return
    embedded = known[ticker].to_numpy(dtype=np.float64)[known.index.get_indexer(pd.DatetimeIndex([day]))[0]]
    if np.isfinite(embedded) and abs(close / embedded - 1.0) > SPLIT_BASIS_TOLERANCE:
        raise DataUnfit(
            f"{ticker} closed at {close:g} on {iso_day(day)} in this table and at {embedded:g} in the snapshot: "
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
            "note": c.reason or _count_note(c, {other.ticker for other in changes}),
            "source": c.shares.source if c.shares else "",
        }
        for c in changes
    ]
    return pd.DataFrame(rows, index=pd.Index([c.key for c in changes], name="event"))
