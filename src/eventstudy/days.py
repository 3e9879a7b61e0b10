"""Which day a date with a time stands for, and whether days follow each other daily: one answer for every way in."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import (
    CLOSED_SHARE,
    EVERY_DAY,
    TIMES,
    calendar_bounds,
    exchange_sessions,
    match_exchanges,
    swapped_days,
)
from eventstudy.errors import InvalidInput
from eventstudy.wording import iso_day, listed

#: A day with its time, and its zone if one is written.
_TIMED = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|UTC|[+-]\d{2}:?\d{2})?")
_UTC_NAMES = frozenset(
    {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "UTC+00:00", "+00:00", "Z", "+0000", "-00:00", "-0000"}
)
#: Places whose midnights are looked for in UTC; each stands for its neighbours with the same clock.
_PLACES = (
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Africa/Lagos",
    "Africa/Johannesburg",
    "Asia/Jerusalem",
    "Europe/Moscow",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
#: Midnights at or after this hour of UTC: at 12:00 the Gulf's exchanges close, so that Auckland's must be told by their two hours.
_FIRST_HOUR, _AUCKLAND = 13, {11, 12}
#: From this hour on no exchange of a week from Sunday on trades; from the second none closes; at the hours of `_CLOSES` New York does.
_NONE_TRADES, _LATE, _CLOSES = 16, 22, {20, 21}
#: The evening's close of currencies and futures, which is no midnight.
_NEW_YORK_CLOSE = 17
_SATURDAY, _SUNDAY = 5, 6
#: Share of moments that must be midnights where there are enough: the last may be that of the download.
_MOST, _FEWEST = 0.9, 10
#: Years in which there are zones to look at.
_TIMED_YEARS = (1900, 2199)
#: Share of days on one weekday: a fifth if there is trade on it, nearly none (a special session) if there is not.
_REGULAR, _SELDOM = 0.1, 0.04
#: Hours at which so small a share of the rows stands are no custom of the table, and more hours than these are bars within days.
_RARE, _HOURS = 0.02, 6
#: Days that are compared with exchanges; days alone that may be right are refused where they are read only if they are many.
_COMPARED, _MANY = 10, 200
#: Saturdays or Sundays that are more than special sessions.
_SOME = 3
#: Share of days on which a named exchange may have been closed without another reading being looked for.
_CLOSED = 0.02

#: A day in nanoseconds.
_DAY = 86_400_000_000_000

IntArray = NDArray[np.int64]


class Days(NamedTuple):
    """Days as naive midnights in the order given, and what is to be said of how they were read; nothing if they are as written."""

    days: pd.DatetimeIndex
    said: str = ""


def days_of(stamps: pd.DatetimeIndex, what: str, exchange: str | None = None) -> Days:
    """Return the days that stamps stand for.

    Parameters
    ----------
    stamps : DatetimeIndex
        With a zone or without, in any order, shape (T,).
    what : str
        What holds them, for messages: ``The returns table``.
    exchange : str, optional
        Whose sessions they should be, if that is known.

    Returns
    -------
    Days
        The days that are written, or, of moments of another zone than the market's, those that they are on there.

    Raises
    ------
    InvalidInput
        If the stamps can be read in two ways and nothing tells which is right.

    Notes
    -----
    Midnights of a zone are its days. Other times are on the day that is written if that suits the days: else those from some hour on
    are on the next day (a place east of the zone), or those before it on the day before. What suits is told by the sessions of the exchange,
    or of any exchange; without one by the weekend; then by a clock that changes with a place's summer time.
    """
    zone = str(stamps.tz) if stamps.tz is not None else ""
    if zone and len(stamps) and not midnights(stamps).all():
        utc = stamps.tz_convert("UTC")
        days = utc.tz_localize(None).normalize().as_unit("ns")
        if midnights(utc).all() and all((days.day_of_week == d).mean() >= _REGULAR for d in (_SATURDAY, _SUNDAY)):
            return Days(
                days,
                f"Dates at midnight in UTC, written in {zone}, were taken as the days of UTC, on all days of the week.",
            )
    return _read(stamps.tz_localize(None), "UTC" if zone in _UTC_NAMES else zone, what, exchange)


def midnights(stamps: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Return which stamps are midnights of their own zone, shape (N,)."""
    wall = stamps.tz_localize(None).to_numpy(dtype="datetime64[ns]").view(np.int64)
    return np.asarray(wall % _DAY == 0, dtype=np.bool_)


def written_days(column: pd.Series[str], what: str, exchange: str | None = None) -> Days | None:
    """Return `days_of` a column of text or of stamps; None if it holds no times, and is to be read as days."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        if column.isna().any() or not len(column):
            return None
        return days_of(pd.DatetimeIndex(column), what, exchange)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return None
    codes, found = pd.factorize(column.astype("object"), use_na_sentinel=False)
    matches = [_TIMED.fullmatch(str(v).strip()) for v in found]
    if not matches or not all(matches):
        return None
    texts = [f"{m[1]}-{m[2]}-{m[3]}T{m[4]}" for m in matches if m]
    zones = {m[5] or "" for m in matches if m}
    wall = pd.to_datetime(pd.Series(texts), format="ISO8601", errors="coerce")
    if wall.isna().any() or wall.dt.year.min() < _TIMED_YEARS[0] or wall.dt.year.max() > _TIMED_YEARS[1]:
        return None  # no such day: refused where days are read
    zone = "UTC" if zones <= _UTC_NAMES else "" if zones == {""} else "local"
    return _read(pd.DatetimeIndex(wall).take(codes), zone, what, exchange)


def _read(wall: pd.DatetimeIndex, zone: str, what: str, exchange: str | None) -> Days:
    if not len(wall):
        return Days(wall)
    days, said = _read_stamps(wall.to_numpy(dtype="datetime64[ns]").tobytes(), zone, what, exchange)
    return Days(pd.DatetimeIndex(days), said)


@lru_cache(maxsize=8)
def _read_stamps(stored: bytes, zone: str, what: str, exchange: str | None) -> tuple[NDArray[np.datetime64], str]:
    """Return the days of stamps, and what is to be said of them; tables on the same days are read again and again."""
    stamps, codes = np.unique(np.frombuffer(stored, dtype="datetime64[ns]"), return_inverse=True)
    given = pd.DatetimeIndex(stamps)
    shift, said = _shift(given, zone, what, exchange)
    days = given.normalize().to_numpy(dtype="datetime64[D]") + shift.astype("timedelta64[D]")
    return days[codes].astype("datetime64[ns]"), said


def _shift(given: pd.DatetimeIndex, zone: str, what: str, exchange: str | None) -> tuple[IntArray, str]:
    """Return by how many days each of the stamps lies from the day that is written, and what to say of it."""
    written, none = given.normalize(), np.zeros(len(given), dtype=np.int64)
    if given.year.min() < _TIMED_YEARS[0] or given.year.max() > _TIMED_YEARS[1]:
        return none, ""
    if midnights(given).all():
        return none, _neighbours(written, what, exchange)
    if exchange == EVERY_DAY and zone == "UTC":  # its sessions are the days of UTC
        return none, ""
    shifts = _shifts(given)
    doubtful = False
    if len(given) >= _COMPARED:
        chosen, names = _by_exchange(written, shifts, exchange)
        if chosen is not None:
            said = f"moments of the sessions of {listed(names[:3], 'or')}"
            return chosen, _said(given, written, chosen, zone, said) if chosen.any() else ""
        doubtful = bool(names)
    return _by_clock(given, written, shifts, zone, what, doubtful)


def _shifts(given: pd.DatetimeIndex) -> list[IntArray]:
    """Return the ways in which stamps may lie on the neighbouring day: from some hour on the next, before some hour the last."""
    found, count = np.unique(given.hour, return_counts=True)
    usual = [int(h) for h, n in zip(found, count, strict=True) if n > _RARE * len(given)]
    if not usual or len(usual) > _HOURS:
        return []
    hours = [int(h) for h in found] if len(found) <= 2 * _HOURS else usual  # closes on a day before a holiday are rare
    at = np.asarray(given.hour)
    later = [(at >= h).astype(np.int64) for h in hours if h > 0]
    earlier = [-(at < h).astype(np.int64) for h in [*hours[1:], 24]]
    return later + earlier


def _moved(written: pd.DatetimeIndex, shift: IntArray) -> pd.DatetimeIndex:
    days = written.to_numpy(dtype="datetime64[D]") + shift.astype("timedelta64[D]")
    return pd.DatetimeIndex(np.unique(days).astype("datetime64[ns]"))


def _by_exchange(
    written: pd.DatetimeIndex, shifts: list[IntArray], exchange: str | None
) -> tuple[IntArray | None, tuple[str, ...]]:
    """Return the one shift with which the days are the sessions of an exchange, zero if they are as written; None, and which they may be, if several are."""
    ways = [np.zeros(len(written), dtype=np.int64), *shifts]
    moved = [_moved(written, way) for way in ways]
    every = pd.DatetimeIndex(np.unique(np.concatenate([days.to_numpy() for days in moved])))
    match = match_exchanges(every, np.column_stack([every.isin(days) for days in moved]))
    whole, named = len(moved[0]), exchange if exchange in match.names and exchange != EVERY_DAY else None
    found: list[tuple[tuple[str, ...], float]] = []
    for k, days in enumerate(moved):
        fits = tuple(name for name in match.fits[k] if name != EVERY_DAY)
        if named is not None:
            closed = match.closed[k, match.names.index(named)]
            fits = (named,) if closed <= max(1.0, _CLOSED * len(days)) else ()
        if not fits or len(days) < (1 - _CLOSED) * whole:  # two moments on one day
            found.append(((), np.inf))
            continue
        e = match.names.index(fits[0])
        found.append((fits, float(match.against[k, e])))
    good = [i for i, (fits, _) in enumerate(found) if fits]
    if found[0][0]:  # Monday to Friday as written is not a week from Sunday on that was moved
        good = [i for i in good if i == 0 or _weekends(written, moved[i]) is not False]
    if not good:
        return None, ()
    best = min(good, key=lambda i: found[i][1])
    if all(2 * found[best][1] + 1 < found[i][1] or _same(ways[best], ways[i]) for i in good if i != best):
        return ways[best], found[best][0]
    return None, tuple(dict.fromkeys(name for i in good for name in found[i][0]))


def _same(one: IntArray, other: IntArray) -> bool:
    """Tell whether two shifts differ on a rare row only, such as the moment of the download."""
    return bool((one != other).mean() <= _RARE)


def _by_clock(
    given: pd.DatetimeIndex, written: pd.DatetimeIndex, shifts: list[IntArray], zone: str, what: str, doubtful: bool
) -> tuple[IntArray, str]:
    """Tell by weekends, and by clocks that change with summer time, whether moments are on the day that is written or on another.

    ``doubtful``: exchanges fit the days as they are written, and moved.
    """
    none = np.zeros(len(given), dtype=np.int64)
    clean = [s for s in shifts if _weekends(written, _moved(written, s))]
    moments = given.tz_localize("UTC")
    place = _place_of(moments) if zone == "UTC" else None
    if place is None and clean:
        return _off_weekdays(given, written, clean, zone, what, doubtful)
    if place is None:
        said = f"Dates at {_clocks(given)} were read as the days that are written; some may be of the next day where the market is."
        return none, said if doubtful else ""
    local = moments.tz_convert(place)
    days = local.tz_localize(None).normalize()
    next_day = ((days - written) // pd.Timedelta(days=1)).to_numpy(dtype=np.int64)
    verdict = _weekends(written, days)
    clocks = _clocks(given[midnights(local)])
    if verdict or (verdict is None and " and " in clocks and not _at_new_york_close(moments)):
        said = f"midnights of {place}, or of a place with its clock"
        return next_day, _said(given, written, next_day, zone, said, clocks)
    if verdict is False or set(given.hour) <= _CLOSES:
        return none, ""
    if (given.hour >= _LATE).any():
        raise InvalidInput(
            f"{what} has dates at {clocks} UTC (the first is {given[0]:%Y-%m-%d %H:%M}), and nothing tells whether they are midnights of the "
            f"next day (in {place}) or evenings of the day that is written. Write the day alone (2025-01-27), or the local time with its zone "
            f"(2025-01-27 00:00+01:00).",
            value=f"{given[0]:%Y-%m-%d %H:%M}",
        )
    said = f"Dates at {clocks} UTC were read as the days that are written; midnights of {place} would be the days after them."
    return none, said


def _off_weekdays(
    given: pd.DatetimeIndex, written: pd.DatetimeIndex, clean: list[IntArray], zone: str, what: str, doubtful: bool
) -> tuple[IntArray, str]:
    """Read moments whose days as written are not Monday to Friday, and are if moved: a week from Sunday on, or another zone than the market's."""
    hour = min((int(given.hour[s > 0].min()) for s in clean if s.max() > 0), default=0)
    if zone == "UTC" and hour >= _NONE_TRADES and len(clean) == 1 and not doubtful:
        return clean[0], _said(
            given, written, clean[0], zone, "moments of the next day, which falls on Monday to Friday"
        )
    if zone == "UTC" and 0 < hour < _NONE_TRADES:
        return np.zeros(len(given), dtype=np.int64), (
            f"Dates at {_clocks(given)} UTC were read as the days that are written, from Sunday on; if they are moments of the next day where "
            f"the market is, write the days alone."
        )
    weekday = "Sunday" if (written.day_of_week == _SUNDAY).mean() >= _REGULAR else "Saturday"
    row = int((written.day_of_week == (_SUNDAY if weekday == "Sunday" else _SATURDAY)).argmax())
    raise InvalidInput(
        f"{what} has dates at {_clocks(given)}{f' {zone}' if zone not in {'', 'local'} else ''} that fall on {weekday}s ({given[row]:%Y-%m-%d %H:%M}), "
        f"and nothing tells whether they are the days that are written or moments of another zone than the market's. Write the days alone "
        f"(table.index.normalize() if they are right), or give the times in the market's own zone (tz_convert).",
        value=f"{given[row]:%Y-%m-%d %H:%M}",
    )


def _place_of(moments: pd.DatetimeIndex) -> str | None:
    """Return the first place east of Greenwich whose midnights nearly all the moments are."""
    hours = set(moments.hour)
    if not hours >= _AUCKLAND and max(hours) < _FIRST_HOUR:
        return None
    least = _MOST if len(moments) >= _FEWEST else 1.0
    local = ((p, moments.tz_convert(p)) for p in _PLACES)
    return next((p for p, at in local if midnights(at).mean() >= least), None)


def _said(
    given: pd.DatetimeIndex, written: pd.DatetimeIndex, shift: IntArray, zone: str, meaning: str, clocks: str = ""
) -> str:
    row = int(np.flatnonzero(shift)[0])
    day = written[row] + pd.Timedelta(days=int(shift[row]))
    known = f" {zone}" if zone not in {"", "local"} else " without a zone" if not zone else ""
    return f"Dates at {clocks or _clocks(given)}{known} were taken as {meaning}: {given[row]:%Y-%m-%d %H:%M} was read as {iso_day(day)}."


def _at_new_york_close(moments: pd.DatetimeIndex) -> bool:
    at = moments.tz_convert("America/New_York")
    return bool((at.hour == _NEW_YORK_CLOSE).all())


def _weekends(written: pd.DatetimeIndex, moved: pd.DatetimeIndex) -> bool | None:
    """Tell by the weekend whether moved days (True) or those written (False) are meant; None if both or neither fall on it."""
    for day in (_SATURDAY, _SUNDAY):
        off, other = float((written.day_of_week == day).mean()), float((moved.day_of_week == day).mean())
        if min(off, other) <= _SELDOM and max(off, other) >= _REGULAR:
            return off > other
    return None


def _clocks(moments: pd.DatetimeIndex) -> str:
    times, count = np.unique(moments.hour * 60 + moments.minute, return_counts=True)
    usual = times[count > _RARE * len(moments)]
    return " and ".join(f"{t // 60:02d}:{t % 60:02d}" for t in (usual if len(usual) else times)[:3])


class Reading(NamedTuple):
    """Whose sessions days are as they are written, and moved by some days if that suits them as well or better; ``by`` is 0 if it does not."""

    by: int
    written: tuple[str, ...]
    moved: tuple[str, ...]

    def said(self, first: str | None = None) -> str:
        """Return in words whose sessions the days are if they are moved, one exchange before the others."""
        names = sorted(self.moved, key=lambda name: name != first)
        return f"each the day {'before' if self.by > 0 else 'after'} a session of {listed(names[:3], 'or')}"

    def way(self) -> str:
        """Return the line that moves the days."""
        return f"table.index = table.index {'+' if self.by > 0 else '-'} pd.Timedelta(days=1)"


def other_reading(days: pd.DatetimeIndex) -> Reading:
    """Compare days, and the days before and after them, with the sessions of exchanges, as times that were cut off make of evenings in UTC.

    Days on weekends are moved if they fit as well then; Monday to Friday, which nearly all exchanges have, only if they fit exactly and
    do not nearly so well as they are.
    """
    return _other_reading(days.to_numpy(dtype="datetime64[D]").tobytes())


@lru_cache(maxsize=32)
def _other_reading(stored: bytes) -> Reading:
    days = pd.DatetimeIndex(np.unique(np.frombuffer(stored, dtype="datetime64[D]")).astype("datetime64[ns]"))
    count, some = _weekdays(days)
    if len(days) < _COMPARED or (count > _SELDOM * len(days)).all():
        return Reading(0, (), ())
    written, against = _nearest(days)
    weekdays = max(count[_SATURDAY:]) < some
    for by in (1, -1):
        fits, moved = _nearest(days + pd.Timedelta(days=by))
        clear = TIMES * moved + 1 < against and moved <= max(1.0, CLOSED_SHARE * len(days))
        if fits and (clear if weekdays else not TIMES * against + 1 < moved):
            return Reading(by, written, fits)
    return Reading(0, written, ())


def _nearest(days: pd.DatetimeIndex) -> tuple[tuple[str, ...], float]:
    """Return the share exchanges that days fit, and how many days speak against the nearest; infinitely many if none fits."""
    match = match_exchanges(days)
    fits = tuple(name for name in match.fits[0] if name != EVERY_DAY)
    return fits, float(match.against[0, match.names.index(fits[0])]) if fits else np.inf


def _weekdays(days: pd.DatetimeIndex) -> tuple[IntArray, float]:
    """Return the number of days on each weekday, and how many on one are more than special sessions."""
    return np.bincount(days.day_of_week, minlength=7), min(_SOME, max(2.0, _REGULAR * len(days)))


def _is_open(days: pd.DatetimeIndex, exchange: str) -> bool:
    """Tell whether nearly all days are sessions of an exchange, as far as it is known."""
    first, last = calendar_bounds(exchange)
    inside = days[(days >= first) & (days <= last)]
    if not len(inside):
        return False
    closed = ~inside.isin(exchange_sessions(exchange, inside.min(), inside.max()))
    return bool(closed.sum() <= max(1.0, _CLOSED * len(inside)))


def _neighbours(written: pd.DatetimeIndex, what: str, exchange: str | None) -> str:
    """Say of days alone that they may be evenings of UTC whose time was cut off; refuse them if an exchange's sessions show it."""
    if exchange != EVERY_DAY:
        _refuse_swapped(written, what)
    found = other_reading(written)
    count, some = _weekdays(written)
    odd = len(written) >= _COMPARED and max(count[_SATURDAY:]) >= some and not (count > _SELDOM * len(written)).all()
    if not found.by and (not odd or found.written):
        return ""
    if exchange is not None and _is_open(written, exchange):
        return ""
    was = f"{iso_day(written[0])}, a {written[0]:%A}"
    if not found.by and any(n != EVERY_DAY for n in match_exchanges(written, thin=True).fits[0]):
        return ""  # sessions are missing, which a study tells
    if not found.by:
        names = [n for n, c in zip(("Saturdays", "Sundays"), count[_SATURDAY:], strict=True) if c >= some]
        return (
            f"The days fall on {listed(names)}, and no exchange that is known has these sessions: evenings in UTC whose time was cut off are a day "
            f"early ({was}, was read as it is)."
        )
    sure = not found.written and (len(written) >= _MANY or (found.by < 0 and odd))
    if sure or exchange in found.moved:
        raise InvalidInput(
            f"{what} has days that are {found.said(exchange)} (the first is {was}), as moments of another zone are once their time is cut off. "
            f"Move them: {found.way()}.",
            day=iso_day(written[0]),
        )
    when = (
        "evenings in UTC whose time was cut off are a day early"
        if found.by > 0
        else "dates that are a day late look so"
    )
    own = listed(found.written[:3], "or")
    return f"The days are {f'sessions of {own}, or ' if own else ''}{found.said()}: {when} ({was}, was read as it is)."


def _refuse_swapped(written: pd.DatetimeIndex, what: str) -> None:
    """Raise `InvalidInput` at days whose day and month were changed over."""
    found = swapped_days(written) if len(written) >= _COMPARED else None
    if found is None:
        return
    odd = found.days[int((found.days.day_of_week >= _SATURDAY).argmax())]
    right = pd.Timestamp(odd.year, odd.day, odd.month)
    closed = f"{found.exchange} was closed" if found.exchange else "there is no trade after the 12th of a month"
    raise InvalidInput(
        f"{what} has {len(found.days)} days on which {closed}, and each is one of its missing sessions with day and month changed over "
        f"({iso_day(odd)}, a {odd:%A}, for {iso_day(right)}): up to the 12th of a month a program of another country took the day for the month. "
        f"Export the dates again as 2025-01-27, or read the file with its own order of day and month.",
        day=iso_day(odd),
    )


def refuse_two_readings(days: pd.DatetimeIndex, calendar: str | None) -> None:
    """Raise `InvalidInput` at days that fit exchanges as well or better if they are moved by one, where a study names none.

    ``calendar``: None takes days that are the sessions of no exchange as they are.
    """
    found = other_reading(days)
    if not found.by or (calendar is None and not found.written):
        return
    own = f"sessions of {listed(found.written[:3], 'or')}" if found.written else "sessions of no exchange that is known"
    name = f"calendar={found.written[0]!r}" if found.written else "calendar=None, or calendar= with the exchange,"
    raise InvalidInput(
        f"The dates of the data can be read in two ways: as they are written they are {own}; and they are {found.said()}, as moments of "
        f"another zone are once their time is cut off (the first is {iso_day(days[0])}, a {days[0]:%A}). If they are right, write {name} "
        f"in EventStudy; if not, move them: {found.way()}.",
        day=iso_day(days[0]),
    )


# -- Whether days follow each other daily.


#: Days between rows that are no daily data: no week of holidays comes so often in a row, and no month without trade twice.
_APART, _IN_A_ROW = 5, 8
_MONTH, _MONTHS = 20, 3


def refuse_other_frequency(days: pd.DatetimeIndex, what: str) -> None:
    """Raise `InvalidInput` at weekly or monthly rows, also among daily ones.

    Examples
    --------
    >>> refuse_other_frequency(pd.date_range("2024-01-05", periods=60, freq="W-FRI"), "The factors table")
    Traceback (most recent call last):
        ...
    eventstudy.errors.InvalidInput: The factors table has a row every 7 days, weekly figures; a study needs daily ones.
    """
    gaps = np.diff(days.to_numpy(dtype="datetime64[D]")).astype(np.int64)
    if len(gaps) < _IN_A_ROW:
        return
    wide = gaps >= _APART
    usual = int(np.median(gaps))
    if usual >= _APART:
        raise InvalidInput(
            f"{what} has a row every {usual} days, {_kind(usual)} figures; a study needs daily ones.", gap=usual
        )
    windows = np.lib.stride_tricks.sliding_window_view(wide, _IN_A_ROW).all(axis=1)
    if not windows.any():
        windows = np.lib.stride_tricks.sliding_window_view(gaps >= _MONTH, _MONTHS).all(axis=1)
    if not windows.any():
        return
    first = int(windows.argmax())
    stop = first + int(np.append(~wide[first:], True).argmax())
    usual = int(np.median(gaps[first:stop]))
    raise InvalidInput(
        f"{what} has a row every {usual} days from {iso_day(days[first])} to {iso_day(days[stop])}, {_kind(usual)} figures among "
        f"daily ones; leave these rows out.",
        gap=usual,
    )


def _kind(gap: int) -> str:
    return "weekly" if gap <= 8 else "monthly" if 26 <= gap <= 32 else "annual" if gap > 300 else "sparser"


def refuse_sparse_columns(table: pd.DataFrame, what: str) -> None:
    """Raise `InvalidInput` at a column that has figures on every fifth or twentieth row only, as weekly and monthly ones among daily rows."""
    values = table.to_numpy(dtype=np.float64)
    holed = np.flatnonzero(np.isnan(values.sum(axis=0)))
    share = (~np.isnan(values[:, holed])).mean(axis=0)
    for place in holed[(share > 0) & (share < 0.3)].tolist():
        rows = np.flatnonzero(~np.isnan(values[:, place]))
        gaps = np.diff(rows)
        if (
            len(gaps) >= _IN_A_ROW
            and np.median(gaps) >= _APART - 1
            and (np.abs(gaps - np.median(gaps)) <= 3).mean() >= 0.9
        ):
            usual = int(np.median(np.diff(table.index.to_numpy(dtype="datetime64[D]")[rows]).astype(np.int64)))
            raise InvalidInput(
                f"{what} has figures of {table.columns[place]} every {usual} days only, {_kind(usual)} ones among daily rows; a study needs daily "
                f"ones.",
                column=str(table.columns[place]),
                gap=usual,
            )
