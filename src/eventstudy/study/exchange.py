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
    NEAR,
    Match,
    calendar_bounds,
    exchange_sessions,
    is_built,
    is_known,
    match_exchanges,
)
from eventstudy.days import refuse_two_readings
from eventstudy.errors import DataUnfit
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.events import EventList, Exchanges
from eventstudy.prices.table import FEW, Prices, clean_frame, columns_of, rows_with_figures
from eventstudy.study.interpolated import between_neighbours
from eventstudy.study.refusals import LISTED, still_rows
from eventstudy.wording import first_few, iso_day, plural

#: Share of the days of a table on which the nearest exchange may have been closed where none fits.
NEARLY = 0.05
#: A day on which an exchange was closed weighs as many of its sessions that are missing: rows get lost, and seldom come from nowhere.
CLOSED_WEIGHS = 5
#: Share of rows on each day of the week, and of days with a row, of what trades every day.
EACH_DAY, MOST_DAYS = 0.1, 0.5
#: Tickers whose days are compared at once.
TOGETHER = 2048
#: Days from which on something is to be said of exchanges that do not fit.
ENOUGH = 30


def exchanges_of(
    data: Prices | pd.DataFrame, events: EventList, model: NormalReturnModel, calendar: str | None
) -> Exchanges:
    """Return whose sessions count and whose closing times place moments: those that are named, else those that the dates fit."""
    closes = data.adj_close if isinstance(data, Prices) else data
    span = pd.DatetimeIndex(closes.index)
    held = None if span.tz is not None or span.empty else (span.min(), span.max())
    if calendar not in {None, AUTO}:
        calendar_bounds(str(calendar))
        return Exchanges(named=str(calendar), sessions=str(calendar), held=held)
    there = set(closes.columns.tolist())
    needed = [c for c in dict.fromkeys([*events.firms[0], *model.columns]) if c in there]
    frame = closes
    if isinstance(data, Prices):
        frame = clean_frame(frame[needed], "adjusted close") if needed else frame[needed]
    told = [model.benchmark] if model.benchmark in there else needed
    rows = rows_with_figures(columns_of(frame, told).to_numpy())
    if not rows.any():
        return Exchanges(sessions="" if calendar is None else DEFAULT_EXCHANGE)
    days = pd.DatetimeIndex(frame.index)
    refuse_two_readings(days[rows], calendar)
    match = match_exchanges(days[rows])
    places = range(len(needed)) if isinstance(data, Prices) else frame.columns.get_indexer(pd.Index(needed))
    moves, filled = _moving(frame, places, isinstance(data, Prices))
    if not match.fits[0] and (calendar is None or not isinstance(data, Prices)):  # of prices a check tells
        _refuse_interpolated_holidays(days, rows, filled)
    sessions, sure = ("", True) if calendar is None else _sessions_by_dates(match, days[rows], days[rows & moves])
    against = "" if sure or rows.sum() < ENOUGH else _against(match, days[rows], sessions)
    tickers = [e.ticker for e in events.timed.values() if e.is_moment and not e.exchange and e.ticker in there]
    by_ticker = _of_tickers(days, frame[list(dict.fromkeys(tickers))], match.near[0])
    return Exchanges("", sessions, match.near[0], by_ticker, held, against)


def of_another_market(data: Prices | pd.DataFrame, events: EventList, model: NormalReturnModel) -> frozenset[str]:
    """Return the tickers whose dates are the sessions of other exchanges than the benchmark's."""
    table = data.adj_close if isinstance(data, Prices) else data
    columns = set(table.columns.tolist())
    tickers = {t for t in events.firms[0] if t in columns}
    if model.benchmark not in columns or not tickers:
        return frozenset()
    values, days = table.to_numpy(dtype=np.float64).T, pd.DatetimeIndex(table.index)
    own = ~np.isnan(values[table.columns.get_loc(model.benchmark)])
    home, foreign = set(match_exchanges(days, own[:, None]).fits[0]), list[str]()
    for start in range(0, len(values) if home else 0, TOGETHER):
        there = ~np.isnan(values[start : start + TOGETHER])
        apart = np.flatnonzero((there != own).any(axis=1))  # on the benchmark's days it is the benchmark's exchange
        names = table.columns[start + apart].tolist()
        chosen = [k for k, name in enumerate(names) if name in tickers]
        fits = match_exchanges(days, there[apart[chosen]].T).fits if chosen else ()
        foreign += [names[k] for k, found in zip(chosen, fits, strict=True) if found and home.isdisjoint(found)]
    return frozenset(foreign)


def _moving(
    table: pd.DataFrame, columns: Sequence[int] | NDArray[np.int64], closes: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the rows on which any of some columns moves off the line between its neighbours, and those on it: holidays that were filled in or interpolated."""
    if len(columns) > FEW:
        moves, filled = _moving(table, columns[:FEW], closes)
        if moves.all() and not filled.any():  # what moves, or lies on no line, in some columns does in all
            return moves, filled
    frame = table.iloc[:, list(columns)]
    values = frame.to_numpy()
    still = np.asarray(frame.ffill().diff() == 0.0) if closes else still_rows(values)
    filled = between_neighbours(frame.ffill().pct_change(fill_method=None) if closes else frame)
    return np.asarray((np.isfinite(values) & ~still).any(axis=1) & ~filled, dtype=np.bool_), filled


def _refuse_interpolated_holidays(days: pd.DatetimeIndex, rows: NDArray[np.bool_], filled: NDArray[np.bool_]) -> None:
    """Refuse returns of days that were interpolated, as the rest are the sessions of an exchange, and all are those of none."""
    if not (rows & filled).any():
        return
    rest = match_exchanges(days[rows & ~filled])
    if not rest.fits[0]:
        return
    name = next((n for n in rest.fits[0] if is_built(n)), "")
    found = days[rows & filled]
    found = found[is_known(found, name)] if name else found
    found = found[~found.isin(exchange_sessions(name, found[0], found[-1]))] if name and len(found) else found
    if len(found):
        raise DataUnfit(
            f"The data have {plural(len(found), 'day')} on which {rest.fits[0][0]} was closed, whose dates the others are: "
            f"{first_few(map(iso_day, found), LISTED)}. "
            f"All of these lie on the straight line between the days around them, so they were interpolated, and the first return after each is a "
            f"part of the true one. Leave them out of the prices, before returns are made.",
            days=len(found),
        )


def _against(match: Match, days: pd.DatetimeIndex, chosen: str) -> str:
    """Return what speaks against the exchange that is nearest, and which are nearly as near."""
    weight = np.where(match.known[0] > 0, CLOSED_WEIGHS * match.closed[0] + match.missing[0], np.inf)
    weight[match.names.index(EVERY_DAY)] = np.inf
    e = match.names.index(chosen) if chosen else int(weight.argmin())
    near = [
        match.names[k] for k in np.argsort(weight, kind="stable") if k != e and weight[k] <= weight[e] + CLOSED_WEIGHS
    ]
    weekend = days[days.day_of_week > 4]
    said = f" (nearly as near: {first_few(near, LISTED)})" if near and chosen != EVERY_DAY else ""
    if len(weekend) and chosen != EVERY_DAY:
        said += f"; {plural(len(weekend), 'row')} on weekends, such as {iso_day(weekend[0])}"
    return (
        f"none that is known has these sessions; the nearest, {match.names[e]}, was closed on {int(match.closed[0, e])} of the {len(days)} days, and "
        f"{int(match.missing[0, e])} of its sessions are not among them{said}"
    )


def _sessions_by_dates(match: Match, days: pd.DatetimeIndex, moving: pd.DatetimeIndex) -> tuple[str, bool]:
    """Return the exchange whose sessions count, and whether dates fit it: the nearest that the dates fit, New York if none is nearer; empty if no exchange is near.

    Where none fits, as holidays may be filled in, that of the days on which anything moves; then the nearest of those whose holidays most rows
    keep, and every day if the rows are on all days of the week. The checks of prices and returns then say what is wrong with the dates.
    """
    found = match if match.fits[0] else match_exchanges(moving)
    chosen, against = found.fits[0], found.against[0]
    sure = bool(chosen)
    if not chosen:
        chosen, against = _nearly(match, days), match.against[0]
    place = {name: e for e, name in enumerate(match.names)}
    if DEFAULT_EXCHANGE in chosen and against[place[DEFAULT_EXCHANGE]] <= against[place[chosen[0]]]:
        return DEFAULT_EXCHANGE, sure
    return next((name for name in chosen if is_built(name)), ""), sure


def _nearly(match: Match, days: pd.DatetimeIndex) -> tuple[str, ...]:
    """Return the exchanges, the nearest first, that were closed on few of the days, and on more of the weekdays that are not among them.

    Of a table with a row on every weekday there is none: nothing tells whose holidays were filled in.
    """
    first, last = days[[0, -1]].to_numpy(dtype="datetime64[D]")
    on = np.bincount(days.day_of_week, minlength=7)
    if (
        len(days) >= ENOUGH
        and (on >= EACH_DAY * len(days)).all()
        and len(days) >= MOST_DAYS * ((last - first).astype(int) + 1)
    ):
        return (EVERY_DAY,)
    lost = float(np.busday_count(first, last + np.timedelta64(1, "D"))) - len(days)
    closed, missing = match.closed[0], match.missing[0]
    near = (closed <= NEARLY * len(days)) & (closed < lost - missing) & (2 * match.known[0] >= len(days))
    near[match.names.index(EVERY_DAY)] = False
    order = np.argsort(CLOSED_WEIGHS * closed + missing, kind="stable")
    return tuple(match.names[e] for e in order if near[e])


def _of_tickers(days: pd.DatetimeIndex, frame: pd.DataFrame, of_dates: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return by ticker the exchanges that its own dates fit: those of the whole table's that fit as well as any, if there are."""
    if not frame.shape[1]:
        return {}
    match = match_exchanges(days, frame.notna().to_numpy(), thin=True)
    place = {name: e for e, name in enumerate(match.names)}
    found = {}
    for ticker, fits, missing in zip(frame.columns, match.near, match.missing, strict=True):
        least = min((missing[place[name]] for name in fits), default=0.0)
        shared = tuple(name for name in of_dates if name in fits and missing[place[name]] <= least + NEAR)
        found[str(ticker)] = shared or fits
    return found
