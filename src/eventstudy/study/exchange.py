"""Whose sessions count and whose closing times place moments: the exchange that is named, or the one that the dates show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import (
    AUTO,
    DEFAULT_EXCHANGE,
    EVERY_DAY,
    Match,
    calendar_bounds,
    is_built,
    match_exchanges,
)
from eventstudy.days import refuse_two_readings
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.events import Event, Exchanges
from eventstudy.prices.table import Prices, clean_frame
from eventstudy.study.refusals import still_rows

#: Share of the days of a table on which New York may have been closed if it is taken for its own where no exchange fits.
NEARLY = 0.05


def exchanges_of(
    data: Prices | pd.DataFrame, events: Sequence[Event], model: NormalReturnModel, calendar: str | None
) -> Exchanges:
    """Return whose sessions count and whose closing times place moments: those that are named, else those that the dates fit."""
    closes = data.adj_close if isinstance(data, Prices) else data
    span = pd.DatetimeIndex(closes.index)
    held = None if span.tz is not None or span.empty else (span.min(), span.max())
    if calendar not in {None, AUTO}:
        calendar_bounds(str(calendar))
        return Exchanges(named=str(calendar), sessions=str(calendar), held=held)
    needed = list(dict.fromkeys([*(e.ticker for e in events), *model.columns]))
    frame = closes[[c for c in needed if c in closes.columns]]
    if isinstance(data, Prices):
        frame = clean_frame(frame, "adjusted close") if frame.shape[1] else frame
    counted = frame[[model.benchmark]] if model.benchmark in frame else frame
    rows = counted.notna().any(axis=1).to_numpy(dtype=np.bool_)
    if not rows.any():
        return Exchanges(sessions="" if calendar is None else DEFAULT_EXCHANGE)
    days = pd.DatetimeIndex(frame.index)
    refuse_two_readings(days[rows], calendar)
    match = match_exchanges(days[rows])
    moves = rows & _moving(frame, isinstance(data, Prices))
    sessions = "" if calendar is None else _sessions_by_dates(match, days[rows], days[moves])
    tickers = [e.ticker for e in events if e.is_moment and not e.exchange and e.ticker in frame]
    by_ticker = _of_tickers(days, frame[list(dict.fromkeys(tickers))], match.fits[0])
    return Exchanges("", sessions, match.fits[0], by_ticker, held)


def of_another_market(data: Prices | pd.DataFrame, events: Sequence[Event], model: NormalReturnModel) -> frozenset[str]:
    """Return the tickers whose dates are the sessions of other exchanges than the benchmark's."""
    table = data.adj_close if isinstance(data, Prices) else data
    tickers = [t for t in dict.fromkeys(e.ticker for e in events) if t in table]
    if model.benchmark not in table or not tickers:
        return frozenset()
    match = match_exchanges(pd.DatetimeIndex(table.index), table[[model.benchmark, *tickers]].notna().to_numpy())
    home = set(match.fits[0])
    return frozenset(
        t for t, fits in zip(tickers, match.fits[1:], strict=True) if home and fits and home.isdisjoint(fits)
    )


def _moving(frame: pd.DataFrame, closes: bool) -> NDArray[np.bool_]:
    """Return the rows on which anything moves: holidays that were filled in are not among them."""
    values = frame.to_numpy()
    still = np.asarray(frame.ffill().diff() == 0.0) if closes else still_rows(values)
    return np.asarray((np.isfinite(values) & ~still).any(axis=1), dtype=np.bool_)


def _sessions_by_dates(match: Match, days: pd.DatetimeIndex, moving: pd.DatetimeIndex) -> str:
    """Return the exchange whose sessions count: the nearest that the dates fit, New York if none is nearer.

    Where none fits, as holidays may be filled in, that of the days on which anything moves; then the nearest of those whose holidays most rows
    keep; at last New York if the dates nearly are its own. The checks of prices then say what is wrong with the dates.
    """
    found = match if match.fits[0] else match_exchanges(moving)
    chosen, against = found.fits[0], found.against[0]
    if not chosen:
        chosen, against = _nearly(match, days), match.against[0]
    place = {name: e for e, name in enumerate(match.names)}
    if DEFAULT_EXCHANGE in chosen and against[place[DEFAULT_EXCHANGE]] <= against[place[chosen[0]]]:
        return DEFAULT_EXCHANGE
    if chosen:
        return next((name for name in chosen if is_built(name)), "")
    return DEFAULT_EXCHANGE if match.closed[0, place[DEFAULT_EXCHANGE]] <= NEARLY * len(days) else ""


def _nearly(match: Match, days: pd.DatetimeIndex) -> tuple[str, ...]:
    """Return the exchanges, the nearest first, that were closed on few of the days, and on more of the weekdays that are not among them.

    Of a table with a row on every weekday there is none: nothing tells whose holidays were filled in.
    """
    first, last = days[[0, -1]].to_numpy(dtype="datetime64[D]")
    lost = float(np.busday_count(first, last + np.timedelta64(1, "D"))) - len(days)
    closed, missing, against = match.closed[0], match.missing[0], match.against[0]
    near = (closed <= NEARLY * len(days)) & (closed < lost - missing) & (2 * match.known[0] >= len(days))
    near[match.names.index(EVERY_DAY)] = False
    return tuple(match.names[e] for e in np.argsort(against, kind="stable") if near[e])


def _of_tickers(days: pd.DatetimeIndex, frame: pd.DataFrame, of_dates: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return by ticker the exchanges that its own dates fit: those of the whole table's that fit as well as any, if there are."""
    if not frame.shape[1]:
        return {}
    match = match_exchanges(days, frame.notna().to_numpy(), thin=True)
    place = {name: e for e, name in enumerate(match.names)}
    found = {}
    for ticker, fits, missing in zip(frame.columns, match.fits, match.missing, strict=True):
        least = min((missing[place[name]] for name in fits), default=0.0)
        shared = tuple(name for name in of_dates if name in fits and missing[place[name]] <= least + 1)
        found[str(ticker)] = shared or fits
    return found
