"""Days written as moments in UTC: midnights of a place east of Greenwich lie on the evening of the day before."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.prices.readers.layouts import meaning

_UTC = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{4}/\d{2}/\d{2})[T ](\d{2}:\d{2}(:\d{2}(\.\d+)?)?) ?(Z|UTC|[+-]00:?00)")
#: Places whose midnights are looked for; each stands for its neighbours with the same clock.
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
)
#: Midnights at or after this hour of UTC only: at 12:00 the Gulf's exchanges close.
_FIRST_HOUR = 13
#: From this hour on no exchange of shares closes; at the hours of `_CLOSES` those of New York do.
_LATE, _CLOSES = 22, {20, 21}
#: The evening's close of currencies and futures, which is no midnight.
_NEW_YORK_CLOSE = 17
_SATURDAY, _SUNDAY = 5, 6
#: Share of moments that must be midnights where there are enough: the last may be that of the download.
_MOST, _FEWEST = 0.9, 10
#: Years in which there are zones to look at.
_YEARS = (1900, 2199)
#: Share of days on one weekday: a fifth if there is trade on it, nearly none (a special session) if there is not.
_REGULAR, _SELDOM = 0.1, 0.04


@dataclass(frozen=True)
class Moments:
    """Days read from moments in UTC, and what is to be said about it."""

    days: pd.Series[pd.Timestamp]
    said: str


def local_days(column: pd.Series[str], name: str) -> Moments | None:
    """Return the days of a column of moments in UTC that may be midnights of a place east of Greenwich.

    Parameters
    ----------
    column : Series
        Dates, texts or timestamps.
    name : str
        The file's name, for messages.

    Returns
    -------
    Moments or None
        None if the days are right as they are written, without a word: no moments in UTC, or none in the evening, or closing times.

    Raises
    ------
    InvalidInput
        If the moments are at 22:00 or 23:00 and nothing tells whether they are midnights of the next day.

    Notes
    -----
    Weekends decide: days as written from Sunday to Thursday are midnights of Monday to Friday. Else the clock does, if it
    changes with summer time as a place's midnights do.
    """
    moments = _in_utc(column)
    if moments is None or not (moments.hour >= _FIRST_HOUR).any():
        return None
    least = _MOST if len(moments) >= _FEWEST else 1.0
    if moments.year.min() < _YEARS[0] or moments.year.max() > _YEARS[1]:
        return None
    place = next((p for p in _PLACES if _midnights(moments.tz_convert(p)).mean() >= least), None)
    if place is None:
        return None
    written, local = moments.tz_localize(None).normalize(), moments.tz_convert(place).tz_localize(None).normalize()
    verdict = _weekends(written, local)
    clocks = _clocks(moments[_midnights(moments.tz_convert(place))])
    if verdict is None and " and " in clocks and not _at_new_york_close(moments):
        verdict = True
    if verdict is False or (verdict is None and set(moments.hour) <= _CLOSES):
        return None
    if verdict:
        said = (
            f"Dates at {clocks} UTC were taken as midnights of {place}, or of a place with its clock: {moments[0]:%Y-%m-%d %H:%M} was read as "
            f"{local[0]:%Y-%m-%d}."
        )
        return Moments(pd.Series(local, index=column.index, name=column.name), said)
    if (moments.hour >= _LATE).any():
        raise InvalidInput(
            f"{name} has dates at {clocks} UTC (the first is {moments[0]:%Y-%m-%d %H:%M}), and nothing tells whether they are midnights of the "
            f"next day (in {place}) or evenings of the day that is written. Write the day alone (2025-01-27), or the local time with its zone "
            f"(2025-01-27 00:00+01:00).",
            value=f"{moments[0]:%Y-%m-%d %H:%M}",
        )
    said = f"Dates at {clocks} UTC were read as the days that are written; midnights of {place} would be the days after them."
    return Moments(pd.Series(written, index=column.index, name=column.name), said)


def _in_utc(column: pd.Series[str]) -> pd.DatetimeIndex | None:
    """Return a column as moments in UTC, or None if it is something else, wholly or in part."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        zone = str(column.dtype.tz)
        utc = zone in {"UTC", "Etc/UTC", "GMT", "Zulu", "UTC+00:00", "+00:00"}
        return pd.DatetimeIndex(column).tz_convert("UTC") if utc and len(column) and not column.isna().any() else None
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return None
    codes, found = pd.factorize(column.astype("object"), use_na_sentinel=False)
    texts = [str(v).strip() for v in found]
    matches = [_UTC.fullmatch(t) for t in texts]
    if not matches or not all(matches):
        return None
    plain = [f"{m[1].replace('/', '-')}T{m[2]}" for m in matches if m]
    moments = pd.to_datetime(pd.Series(plain), format="ISO8601", errors="coerce", utc=True)
    if moments.isna().any():  # no such day: refused where days are read
        return None
    return pd.DatetimeIndex(moments).take(codes)


def _midnights(moments: pd.DatetimeIndex) -> np.ndarray:
    return np.asarray(moments == moments.normalize())


def _at_new_york_close(moments: pd.DatetimeIndex) -> bool:
    at = moments.tz_convert("America/New_York")
    return bool((at.hour == _NEW_YORK_CLOSE).all())


def _weekends(written: pd.DatetimeIndex, local: pd.DatetimeIndex) -> bool | None:
    """Tell by the weekend whether local days (True) or those written (False) are meant; None if both or neither fall on it."""
    for day in (_SATURDAY, _SUNDAY):
        off, moved = float((written.dayofweek == day).mean()), float((local.dayofweek == day).mean())
        if min(off, moved) <= _SELDOM and max(off, moved) >= _REGULAR:
            return off > moved
    return None


def _clocks(moments: pd.DatetimeIndex) -> str:
    times = sorted(set((moments.hour * 60 + moments.minute).tolist()))
    return " and ".join(f"{t // 60:02d}:{t % 60:02d}" for t in times)


def with_local_days(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with its moments in UTC as days, and what is to be said about them.

    Parameters
    ----------
    table : DataFrame
        Dates in a column called so or in the first; of two header rows, in the index.
    name : str
        The file's name, for messages.

    Returns
    -------
    table : DataFrame
        The same table if its dates are right as they are written.
    cautions : tuple of str

    Raises
    ------
    InvalidInput
        As `local_days`.
    """
    two_level = table.columns.nlevels > 1
    place = next((i for i, c in enumerate(table.columns) if meaning(str(c)) == "date"), 0)
    moments = local_days(pd.Series(table.index) if two_level else table.iloc[:, place], name)
    if moments is None:
        return table, ()
    if two_level:
        return table.set_axis(pd.DatetimeIndex(moments.days), axis=0), (moments.said,)
    return table.assign(**{str(table.columns[place]): moments.days}), (moments.said,)
