"""Trading sessions of an exchange, which exchange some days are those of, and the first session in which news could be traded on."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.wording import iso_day

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

#: What to do with an event on a day without a session.
ClosedDay = Literal["next", "previous", "drop", "error"]

DEFAULT_EXCHANGE = "XNYS"
#: The exchange is recognised by the dates of the data.
AUTO = "auto"
#: The market that trades every day, and closes at midnight in UTC.
EVERY_DAY = "24/7"

# Fixed bounds: the calendar library's own default moves with today's date, and the same
# study would answer differently next year.
FIRST_DAY = pd.Timestamp("1970-01-02")
LAST_DAY = pd.Timestamp("2030-12-31")


def check_closed_day(value: str) -> ClosedDay:
    """Return ``value`` if it is an allowed word for closed days."""
    for word in get_args(ClosedDay):
        if word == value:
            return word  # type: ignore[no-any-return]
    raise InvalidInput(f"closed_day is {value!r}; choose one of {', '.join(get_args(ClosedDay))}.")


@lru_cache(maxsize=128)
def _calendar(exchange: str) -> Any:  # the library ships no types
    import exchange_calendars as xc

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its use of pandas is not the user's
            try:
                return xc.get_calendar(exchange, start=FIRST_DAY, end=LAST_DAY)
            except ValueError:  # some calendars are known for fewer years; their bounds do not move with the date
                start, end = _bounds(xc.get_calendar(exchange))
                return xc.get_calendar(exchange, start=start, end=end)
    except xc.errors.InvalidCalendarName:
        raise InvalidInput(
            f"No exchange calendar is called {exchange!r}; use an ISO market code such as XNYS (New York), "
            f"XLON, XETR, XTKS, 24/7 (coins), or calendar=None to take the dates of the benchmark."
        ) from None
    except (ValueError, NotImplementedError) as error:
        raise InvalidInput(
            f"The calendar {exchange} cannot be built by the installed exchange_calendars {xc.__version__} with pandas {pd.__version__} "
            f"({str(error)[:60]}); use calendar=None to take the dates of the benchmark, and give events as days."
        ) from error


def _bounds(calendar: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
    first, last = type(calendar).bound_min(), type(calendar).bound_max()
    return (
        FIRST_DAY if first is None else max(FIRST_DAY, first),
        LAST_DAY if last is None else min(LAST_DAY, last),
    )


def calendar_bounds(exchange: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and the last day for which the sessions of an exchange are known."""
    return _bounds(_calendar(exchange))


def zone_of(exchange: str) -> str:
    """Return the zone of an exchange's clock, e.g. ``Asia/Tokyo``."""
    return str(_calendar(exchange).tz)


def exchange_sessions(exchange: str, first: date | str, last: date | str) -> pd.DatetimeIndex:
    """Return the sessions of an exchange between two days, both included.

    Parameters
    ----------
    exchange : str
        ISO market code, e.g. ``"XNYS"``.
    first, last : date or str
        Calendar days, from 1970-01-02 to 2030-12-31 (fewer years for some exchanges).

    Returns
    -------
    DatetimeIndex
        Sessions as naive midnights, ascending.

    Raises
    ------
    InvalidInput
        If the exchange is unknown or a day is outside the calendar.

    Examples
    --------
    >>> len(exchange_sessions("XNYS", "2025-01-01", "2025-01-31"))  # closed on 1, 9 and 20 January
    20
    """
    start, end = pd.Timestamp(first).normalize(), pd.Timestamp(last).normalize()
    known_from, known_to = calendar_bounds(exchange)
    if start < known_from or end > known_to:
        raise InvalidInput(
            f"The calendar {exchange} is known from {iso_day(known_from)} to {iso_day(known_to)}; "
            f"{iso_day(start)} to {iso_day(end)} was asked for."
        )
    sessions = _calendar(exchange).sessions
    chosen: pd.DatetimeIndex = sessions[(sessions >= start) & (sessions <= end)]
    return pd.DatetimeIndex(chosen.to_numpy(dtype="datetime64[ns]"))


def trading_day_of_moment(moment: pd.Timestamp, exchange: str) -> tuple[pd.Timestamp, bool]:
    """Return the calendar day whose session is the first that could trade on a moment's news.

    News during or before a session belongs to that session; news at or after its close,
    early closes included, belongs to a later day.

    Returns
    -------
    day : Timestamp
        Naive midnight; not necessarily a session.
    after_close : bool
        True if the moment fell at or after the close of a session, so that the next
        session is meant whatever the rule for closed days.
    """
    days, late = trading_days(pd.DatetimeIndex([moment.tz_convert("UTC")]), exchange)
    return days[0], bool(late[0])


def trading_days(moments: pd.DatetimeIndex, exchange: str) -> tuple[pd.DatetimeIndex, NDArray[np.bool_]]:
    """Return `trading_day_of_moment` of many moments in UTC, shape (N,) each; a moment outside the calendar keeps its local day."""
    calendar = _calendar(exchange)
    days = moments.tz_convert(calendar.tz).tz_localize(None).normalize().as_unit("ns")
    place = calendar.sessions.get_indexer(days)
    closes = calendar.closes.to_numpy(dtype="datetime64[ns]")[place]
    late = np.asarray(
        (place >= 0) & (moments.tz_convert(None).to_numpy(dtype="datetime64[ns]") >= closes), dtype=np.bool_
    )
    return days + pd.to_timedelta(late.astype(np.int64), unit="D").as_unit("ns"), late


def is_known(days: pd.DatetimeIndex, exchange: str) -> NDArray[np.bool_]:
    """Return for which days the calendar of an exchange is known."""
    first, last = calendar_bounds(exchange)
    return np.asarray((days >= first) & (days <= last), dtype=np.bool_)


# -- Which exchange some days are those of.


#: Sessions of the share exchanges as bits, written by ``tools/make_sessions.py``: building all calendars takes ten seconds.
SESSIONS = Path(__file__).resolve().parent / "data" / "sessions.npz"
#: Share of days on which an exchange may have been closed, and of its sessions that may be missing, if the days are to be its own.
CLOSED_SHARE, MISSING_SHARE = 0.005, 0.03
#: A calendar with so few closed weekdays in a year does not know that year's holidays; no exchange has fewer than two.
UNKNOWN_HOLIDAYS = 1
_SATURDAY = 5
#: An exchange is told from the best by more than so many times the days that speak against that one.
TIMES = 2
#: So many more sessions may be missing of an exchange that days nearly are as well: a few holes that are another's holidays decide nothing.
NEAR = 2
#: Days that are sessions if day and month are changed over, from which on this is no chance.
SWAPPED, SWAPPED_SHARE = 3, 0.9
#: Days that are lacking are counted where they are not one in so many.
FEW = 8


class _Known(NamedTuple):
    names: tuple[str, ...]
    open: NDArray[np.float32]  # (E, days from FIRST_DAY)
    before: NDArray[np.int32]  # sessions before each day, (E, days + 1)
    spans: NDArray[np.int32]  # first and last known day, (E, 2)


@lru_cache(maxsize=1)
def _known() -> _Known:
    with np.load(SESSIONS) as stored:
        is_open = np.unpackbits(stored["bits"], axis=1)[:, : (LAST_DAY - FIRST_DAY).days + 1]
        before = np.zeros((len(is_open), is_open.shape[1] + 1), dtype=np.int32)
        np.cumsum(is_open, axis=1, out=before[:, 1:])
        names = tuple(map(str, stored["names"]))
        return _Known(names, is_open.astype(np.float32), before, _known_spans(names, is_open, stored["spans"]))


def _known_spans(names: tuple[str, ...], is_open: NDArray[np.uint8], spans: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the days from which on, and to which, the holidays of every year are known."""
    days = pd.date_range(FIRST_DAY, periods=is_open.shape[1])
    year, place = np.unique(days.year, return_inverse=True)
    in_year = (place[:, None] == np.arange(len(year))) & np.asarray(days.day_of_week < 5)[:, None]
    closed = (1 - is_open.astype(np.float32)) @ in_year.astype(np.float32)
    starts = np.searchsorted(days.year, year + 1)
    unknown = (closed <= UNKNOWN_HOLIDAYS) & (starts[None, :] <= spans[:, 1:])
    unknown[names.index(EVERY_DAY)] = False
    first = np.where(unknown, starts[None, :], 0).max(axis=1)
    return np.column_stack([np.maximum(spans[:, 0], first), spans[:, 1]]).astype(np.int32)


class Match(NamedTuple):
    """How days compare with the sessions of every exchange.

    ``closed``: days on which it was closed; ``missing``: its sessions, from the first day to the last, that are not among them;
    ``known``: days for which its sessions are known; shape (K, E).
    ``fits``: the exchanges that the days may be those of, the nearest first, for each of the K sets of days; ``near``: with those of which a
    few more sessions are missing.
    """

    names: tuple[str, ...]
    closed: NDArray[np.float64]
    missing: NDArray[np.float64]
    known: NDArray[np.float64]
    fits: tuple[tuple[str, ...], ...]
    near: tuple[tuple[str, ...], ...]

    @property
    def against(self) -> NDArray[np.float64]:
        """Return how many days speak against each exchange: those on which it was closed, and its sessions that are missing."""
        return self.closed + self.missing


def match_exchanges(days: pd.DatetimeIndex, present: NDArray[np.bool_] | None = None, *, thin: bool = False) -> Match:
    """Compare days with the sessions of the share exchanges.

    Parameters
    ----------
    days : DatetimeIndex
        Naive midnights, ascending, shape (T,).
    present : ndarray of bool, optional
        K sets of the days, shape (T, K); by default all of them.
    thin : bool
        Allow any number of missing sessions, as of a share that trades seldom.

    Notes
    -----
    Days fit an exchange if it was closed on at most one of them or half a per cent, and at most one or 3 per cent of its sessions
    are missing. With the nearest fit all those that have at most twice as many days against them, plus one.
    """
    if present is None:
        return _match_of_days(days.to_numpy(dtype="datetime64[D]").tobytes(), thin)
    return _match(days, present, thin)


@lru_cache(maxsize=32)
def _match_of_days(stored: bytes, thin: bool) -> Match:
    days = pd.DatetimeIndex(np.frombuffer(stored, dtype="datetime64[D]").astype("datetime64[ns]"))
    return _match(days, np.ones((len(days), 1), dtype=np.bool_), thin)


def _match(days: pd.DatetimeIndex, there: NDArray[np.bool_], thin: bool) -> Match:
    known = _known()
    at = np.asarray((days - FIRST_DAY).days, dtype=np.int64)
    inside = (at >= 0) & (at < known.open.shape[1])
    if not inside.all():
        at, there = at[inside], there[inside]
    if not len(at):
        zero = np.zeros((there.shape[1], len(known.names)))
        return Match(known.names, zero, zero, zero, ((),) * len(zero), ((),) * len(zero))
    held = _held(np.ascontiguousarray(there.T))
    covered = (at >= known.spans[:, :1]) & (at <= known.spans[:, 1:])
    count, hits = held.marked(covered), held.marked(covered & (known.open[:, at] > 0))
    some = held.number > 0
    first, last = at[held.first][:, None], at[held.last][:, None]
    first, last = np.maximum(first, known.spans[:, 0]), np.minimum(last, known.spans[:, 1])
    every = np.arange(len(known.names))
    span = known.before[every, np.maximum(last, -1) + 1] - known.before[every, np.minimum(first, known.open.shape[1])]
    closed, missing = count - hits, np.maximum(span, 0) - hits
    fit = some[:, None] & (count > 0) & (2 * count >= held.number[:, None])
    fit &= closed <= np.maximum(1.0, CLOSED_SHARE * count)
    every_day = known.names.index(EVERY_DAY)
    weekend = (FIRST_DAY.day_of_week + at) % 7 > 4
    fit[:, every_day] &= held.rows[:, weekend].any(axis=1)  # weekdays alone are never its own
    if not thin:
        fit &= missing <= np.maximum(1.0, MISSING_SHARE * span)
    against = np.where(fit, closed + missing, np.inf)
    best = against.argmin(axis=1)
    sets = np.arange(len(best))
    fit &= closed <= TIMES * closed[sets, best][:, None] + 1
    least = TIMES * missing[sets, best][:, None]
    near = fit & (missing <= least + NEAR)
    fit &= missing <= least + 1
    order = np.argsort(np.where(near, against, np.inf), axis=1, kind="stable")
    names, first_ones = known.names, [row[:n].tolist() for row, n in zip(order, near.sum(axis=1).tolist(), strict=True)]
    alike = tuple(tuple(names[e] for e in row) for row in first_ones)
    fits = tuple(tuple(names[e] for e in row if ok[e]) for row, ok in zip(first_ones, fit, strict=True))
    return Match(known.names, closed, missing, count.astype(np.float64), fits, alike)


class _Held(NamedTuple):
    """Which days K sets hold: the days, shape (K, T), with the first and the last one and how many they are, shape (K,).

    ``many``: whether a set lacks many days between its first and its last; ``at`` and ``hole``: the sets that lack few, in order, and which.
    """

    rows: NDArray[np.bool_]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    number: NDArray[np.int64]
    many: NDArray[np.bool_]
    at: NDArray[np.int64]
    hole: NDArray[np.int64]

    def marked(self, marks: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how many days of each set are marked of each exchange, ``marks`` of shape (E, T), shape (K, E).

        All from the first to the last, less those that lack; of sets that lack many the days are multiplied with the marks.
        """
        upto = np.zeros((len(marks), marks.shape[1] + 1), dtype=np.int32)
        np.cumsum(marks, axis=1, out=upto[:, 1:])
        out = np.array((upto[:, self.last + 1] - upto[:, self.first]).T, dtype=np.float64, order="C")
        if self.many.any():
            out[self.many] = self.rows[self.many].astype(np.float32) @ marks.T.astype(np.float32)
        if len(self.at):
            begin = np.flatnonzero(np.append(True, self.at[1:] != self.at[:-1]))
            lacking = np.ascontiguousarray(marks.T, dtype=np.float32)[self.hole]
            out[self.at[begin]] -= np.add.reduceat(lacking, begin, axis=0)
        return out


def _held(rows: NDArray[np.bool_]) -> _Held:
    """Return what sets of days hold, ``rows`` of shape (K, T)."""
    days = rows.shape[1]
    first = rows.argmax(axis=1).astype(np.int32)
    last = np.full(len(rows), days - 1, dtype=np.int32)
    early = np.flatnonzero(~rows[:, -1])
    last[early] -= rows[early, ::-1].argmax(axis=1).astype(np.int32)
    number, length = np.add.reduce(rows.view(np.uint8), axis=1, dtype=np.int64), last + 1 - first
    many = FEW * (length - number) > length
    few = np.flatnonzero(~many & (number < length))
    lacking, day = ~rows[few], np.arange(days, dtype=np.int32)
    lacking &= (day > first[few, None]) & (day < last[few, None])
    at, hole = np.divmod(np.flatnonzero(lacking), days)
    return _Held(rows, first, last, number, many, few[at], hole)


def same_sessions(one: str, other: str, first: pd.Timestamp, last: pd.Timestamp) -> bool:
    """Tell whether two share exchanges have the same sessions from one day to another; not of exchanges whose sessions are not stored."""
    known = _known()
    if not {one, other} <= set(known.names):
        return False
    start, stop = (int(np.clip((day - FIRST_DAY).days, 0, known.open.shape[1])) for day in (first, last))
    days = known.open[[known.names.index(one), known.names.index(other)], start : stop + 1]
    return bool((days[0] == days[1]).all())


class Swapped(NamedTuple):
    """Days on which an exchange was closed, each of which is one of its missing sessions if day and month are changed over."""

    #: Empty if it is none that is known.
    exchange: str
    days: pd.DatetimeIndex


def swapped_days(days: pd.DatetimeIndex) -> Swapped | None:
    """Return the days that show that day and month were changed over up to the 12th, as a spreadsheet of another country does.

    Parameters
    ----------
    days : DatetimeIndex
        Naive midnights, ascending, shape (T,).

    Examples
    --------
    >>> sessions = exchange_sessions("XSTO", "2024-03-01", "2025-03-14")
    >>> wrong = pd.DatetimeIndex([pd.Timestamp(d.year, d.day, d.month) if d.day <= 12 else d for d in sessions]).sort_values()
    >>> found = swapped_days(wrong)
    >>> found.exchange, len(found.days)
    ('XSTO', 33)
    """
    return _swapped_days(days.to_numpy(dtype="datetime64[D]").tobytes())


@lru_cache(maxsize=32)
def _swapped_days(stored: bytes) -> Swapped | None:
    known = _known()
    days = pd.DatetimeIndex(np.frombuffer(stored, dtype="datetime64[D]").astype("datetime64[ns]"))
    at = np.asarray((days - FIRST_DAY).days, dtype=np.int64)
    inside = (at >= 0) & (at < known.open.shape[1])
    days, at = days[inside], at[inside]
    turns = np.flatnonzero((days.day <= 12) & (days.day != days.month))
    if len(turns) < SWAPPED:
        return None
    year, month, day = (np.asarray(part[turns], dtype=np.int64) for part in (days.year, days.month, days.day))
    other = (12 * (year - 1970) + day - 1).astype("datetime64[M]").astype("datetime64[D]") + (month - 1)
    there = (other - FIRST_DAY.to_datetime64().astype("datetime64[D]")).astype(np.int64)
    lost = ~np.isin(there, at) & (there >= at[0]) & (there <= at[-1])
    turned = (known.open[:, at[turns[lost]]] == 0.0) & (known.open[:, there[lost]] == 1.0)
    number = turned.sum(axis=1)
    all_closed = np.full(len(number), np.inf)
    if (number >= SWAPPED).any():
        all_closed = len(at) - known.open[:, at].sum(axis=1, dtype=np.float64)
    week = turns[lost]
    around = [known.open[:, np.clip(at[week] + by, 0, known.open.shape[1] - 1)] == 0.0 for by in (-7, 7)]
    weekend = (turned & around[0] & around[1]).sum(axis=1)
    sure = (
        (number >= SWAPPED)
        & (weekend >= 2)
        & (number >= SWAPPED_SHARE * all_closed)
        & (all_closed > max(1.0, CLOSED_SHARE * len(at)))
    )
    sure[known.names.index(EVERY_DAY)] = False
    if not sure.any():
        return _swapped_by_weekday(
            days, turns[lost], pd.DatetimeIndex(other[lost].astype("datetime64[ns]")).day_of_week.to_numpy()
        )
    missing = known.before[:, at[-1] + 1] - known.before[:, at[0]]  # its sessions, alike of all, less those there
    against = np.where(sure, (all_closed - number) * len(at) + np.abs(missing - len(at)), np.inf)
    best = int(against.argmin())
    return Swapped(known.names[best], days[turns[lost][turned[best]]])


def _swapped_by_weekday(days: pd.DatetimeIndex, turns: NDArray[np.int64], other: NDArray[np.int32]) -> Swapped | None:
    """Return the days that show it in a market that is not known: up to the 12th there are weekdays that no later day is."""
    weekday = days.day_of_week.to_numpy()
    usual = np.isin(np.arange(7), weekday[days.day > 12])
    odd = int((~usual[weekday]).sum())
    turned = ~usual[weekday[turns]] & usual[other]
    if turned.sum() < max(SWAPPED, SWAPPED_SHARE * odd) or odd <= CLOSED_SHARE * len(days):
        return None
    return Swapped("", days[turns[turned]])


def recognised(days: pd.DatetimeIndex) -> tuple[str, ...]:
    """Return the exchanges whose sessions some days may be, the nearest first; none if no exchange fits.

    Examples
    --------
    >>> recognised(exchange_sessions("XTKS", "2023-01-01", "2024-12-31"))
    ('XTKS',)
    >>> recognised(pd.bdate_range("2023-01-02", "2024-12-31"))        # filled holidays are no exchange's
    ()
    """
    return match_exchanges(days).fits[0]


def lost_days(table: pd.DataFrame, seen: pd.Series[bool], exchange: str | None = None) -> pd.DatetimeIndex:
    """Return the days on which others have a figure and the benchmark should have one and has none.

    Parameters
    ----------
    table : DataFrame
        Figures, dates × names, ascending naive midnights.
    seen : Series of bool
        Where the benchmark has one.
    exchange : str, optional
        Whose sessions count; by default the exchange that the benchmark's own days show. Where none is known, the weekdays on which a name
        has a figure that has none on weekends: what trades every day does not tell a holiday from a hole.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", "2024-12-31")
    >>> open_days = exchange_sessions("XNYS", "2024-01-01", "2024-12-31").drop(pd.Timestamp("2024-05-15"))
    >>> table = pd.DataFrame({"coin": 1.0, "index": pd.Series(1.0, open_days)}, index=days)
    >>> [iso_day(day) for day in lost_days(table, table["index"].notna())]      # the hole, and no holiday
    ['2024-05-15']
    """
    days, own = pd.DatetimeIndex(table.index), seen.to_numpy(dtype=np.bool_)
    if own.all():
        return days[:0]
    there = table.notna().to_numpy()
    lonely = ~own & there.any(axis=1)
    if not lonely.any():
        return days[lonely]
    weekday = np.asarray(days.day_of_week < _SATURDAY)
    witness = ~there[~weekday].any(axis=0)
    expected = weekday & there[:, witness].any(axis=1)
    name = exchange or next((n for n in recognised(days[own]) if is_built(n)), None)
    if name is not None:
        known = is_known(days, name)
        if known.any():
            sessions = exchange_sessions(name, days[known][0].date(), days[known][-1].date())
            expected = np.where(known, days.isin(sessions), expected)
    return days[lonely & expected]


def is_built(exchange: str) -> bool:
    """Return whether the calendar of an exchange can be built with the installed libraries."""
    try:
        _calendar(exchange)
    except InvalidInput:
        return False
    return True
