"""How days and times of day are written in texts and cells, read strictly: never guessed."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.wording import iso_day

#: So much of a text is shown in a message.
_LONGEST = 64
#: Names of months, January first, by which no other month goes in English, German, French, Spanish, Italian, Portuguese, Dutch or Swedish.
#: Slavic ones stay out: lis is October in one language and November in the next.
_WORDS = (
    "jan january januar jänner janv janvier januari ene enero gen gennaio janeiro",
    "feb february februar févr février febrero febbraio fev fevereiro februari",
    "mar march mär märz mrz mars marzo março maart mrt",
    "apr april avr avril abr abril aprile",
    "may mai mayo mag maggio maio mei maj",
    "jun june juni juin junio giu giugno junho",
    "jul july juli juil juillet julio lug luglio julho",
    "aug august août ago agosto augustus augusti",
    "sep sept september septembre septiembre set settembre setembro",
    "oct october okt oktober octobre octubre ott ottobre out outubro",
    "nov november novembre noviembre novembro",
    "dec december dez dezember déc décembre dic diciembre dicembre dezembro",
)
_YEARS = (1800, 2200)
_MONTHS = {word: number for number, words in enumerate(_WORDS, start=1) for word in words.split()}
#: Years of two digits below this are of the twenty-first century, the others of the twentieth (as in POSIX).
_CENTURY = 69
_CLOCK = r"([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AP]M)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?"
#: How files write days; a file must keep to one of them.
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"(?P<y>\d{{4}})-(?P<m>\d{{2}})-(?P<d>\d{{2}}){_CLOCK}",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
        rf"(?P<y>\d{{4}})/(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}}){_CLOCK}",
        rf"(?P<y>\d{{4}})-(?P<m>\d{{1,2}})-(?P<d>\d{{1,2}}){_CLOCK}",
        rf"(?P<y>\d{{4}})\. ?(?P<m>\d{{1,2}})\. ?(?P<d>\d{{1,2}})\.?{_CLOCK}",
        r"(?P<y>\d{4})[年년] ?(?P<m>\d{1,2})[月월] ?(?P<d>\d{1,2})[日일]",
        r"(?P<d>\d{1,2})\.?[- ]?(?P<word>[^\W\d_]{3,10})\.?[- ]?(?P<y>\d{4})",
        r"(?P<d>\d{1,2})[- ](?P<word>[^\W\d_]{3,10})[- ](?P<yy>\d{2})",
        r"(?P<word>[^\W\d_]{3,10}) (?P<d>\d{1,2}), (?P<y>\d{4})",
        rf"(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})/(?P<y>\d{{4}}){_CLOCK}",
        rf"(?P<a>\d{{1,2}})\.(?P<b>\d{{1,2}})\.(?P<y>\d{{4}}){_CLOCK}",
        r"(?P<a>\d{1,2})-(?P<b>\d{1,2})-(?P<y>\d{4})",
    )
)
_WRITE = "write dates as 2025-01-27 (year-month-day)"


def is_day(cell: object) -> bool:
    """Tell whether a cell is written as files write days."""
    return isinstance(cell, str) and any(form.fullmatch(cell.strip()) for form in _FORMS)


def read_days(column: pd.Series[str], name: str, month_first: bool | None = None) -> pd.DatetimeIndex:
    """Read a column of days, all written in one form.

    ``month_first`` says which of two numbers is the month in 03/04/2025; by default the column must settle it by a number above 12.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype) and not column.isna().any():
        days = pd.DatetimeIndex(column).tz_localize(None).normalize()
        outside = (days.year < _YEARS[0]) | (days.year > _YEARS[1])
        if outside.any():
            raise _no_day(name, str(days[int(outside.argmax())].date()), int(outside.argmax()) + 1)
        return pd.DatetimeIndex(days.to_numpy(dtype="datetime64[ns]"), name="date")
    codes, found = pd.factorize(column.astype("object"), use_na_sentinel=False)  # a long file repeats days
    texts = ["" if pd.isna(v) else str(v).strip() for v in found]
    form = next((f for f in _FORMS if texts and f.fullmatch(texts[0])), None)
    matches = [form.fullmatch(t) if form else None for t in texts]
    if form is not None and "a" in form.groupindex:
        month_first = _order([m for m in matches if m], name, month_first)
    days_found: list[str] = []
    for code, (text, match) in enumerate(zip(texts, matches, strict=True)):
        day = None if match is None else _day(match, month_first)
        if day is None:
            raise _no_day(name, text, int((codes == code).argmax()) + 1)
        days_found.append(day.isoformat())
    return pd.DatetimeIndex(np.array(days_found, dtype="datetime64[ns]")[codes], name="date")


def _no_day(name: str, text: str, row: int) -> InvalidInput:
    serial = (
        ", or give the column a format of dates if it holds a spreadsheet's day numbers"
        if re.fullmatch(r"\d{5}", text)
        else ""
    )
    return InvalidInput(
        f"{name} has {_shown(text)} as a date in data row {row}; {_WRITE}{serial}.", value=text[:_LONGEST], row=row
    )


def _order(matches: list[re.Match[str]], name: str, month_first: bool | None) -> bool:
    """Tell by the numbers above 12 whether the month is the first of two."""
    day_first = next((m for m in matches if int(m["a"]) > 12), None)
    month_front = next((m for m in matches if int(m["b"]) > 12), None)
    against = {True: day_first, False: month_front}.get(month_first) if month_first is not None else None
    if (day_first and month_front) or against:
        pair = [m[0] for m in (day_first, month_front) if m]
        raise InvalidInput(
            f"{name} writes {' and '.join(pair)}, so that day and month change places or there is no such day; {_WRITE}.",
            value=pair[0],
        )
    open_to_both = next((m for m in matches if int(m["a"]) != int(m["b"])), None)
    if month_first is None and day_first is None and month_front is None and open_to_both is not None:
        readings = [str(_day(open_to_both, first)) for first in (False, True)]
        raise InvalidInput(
            f"{name} writes dates as {open_to_both[0]!r}, and no date in it tells which number is the day and which the month: it may be "
            f"{' or '.join(readings)}; {_WRITE}.",
            value=open_to_both[0],
            readings=readings,
        )
    return bool(month_front) if month_first is None else month_first


def _day(match: re.Match[str], month_first: bool | None) -> date | None:
    parts = match.groupdict()
    if "a" in parts:
        parts["m"], parts["d"] = (parts["a"], parts["b"]) if month_first else (parts["b"], parts["a"])
    month = _MONTHS.get((parts["word"] or "").lower(), 0) if "word" in parts else int(parts["m"] or 0)
    short = parts.get("yy")
    year = int(parts["y"] or 0) if short is None else int(short) + (2000 if int(short) < _CENTURY else 1900)
    if not _YEARS[0] <= year <= _YEARS[1]:
        return None
    try:
        return date(year, month, int(parts["d"] or 0))
    except ValueError:
        return None


# -- Times of day.


_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:\s*([ap])\.?m(?![a-z])\.?)?(?:\s*(?:Uhr|h)(?![a-z]))?\s*([^\s:][^:]*(?::\d{2}[^:]*)?)?",
    re.IGNORECASE,
)
_DAY_AND_TIME = re.compile(r"(.*?\d[日일]?)(?:[T\s,]+)(\d{1,2}:\d{2}.*)")


class Clock(NamedTuple):
    """A time of day in 24 hours (``16:05:00``), and the zone that is written after it, empty if there is none."""

    time: str
    zone: str


def written_clock(text: str) -> Clock | None:
    """Return what a text says as a time of day, None if it is none."""
    match = _TIME.fullmatch(text)
    hour, half = (int(match[1]), (match[4] or "").lower()) if match else (24, "")
    if match is None or hour > (12 if half else 23) or (half and not hour) or int(match[2]) > 59:
        return None
    hour = hour % 12 + 12 * (half == "p") if half else hour
    return Clock(f"{hour:02d}:{match[2]}:{match[3] or '00'}", (match[5] or "").strip("() "))


def day_and_clock(text: str) -> tuple[str, Clock] | None:
    """Return a text that ends in a time of day as its day and the time, None if it does not."""
    parts = _DAY_AND_TIME.fullmatch(text)
    clock = written_clock(parts[2]) if parts else None
    return (parts[1], clock) if parts and clock else None


#: A clock with its offset from UTC: 09:05 UTC+9, 09:05 GMT-0500.
_OFFSET = re.compile(
    r"(?P<clock>.*\d:\d{2}(?:\.\d+)?)\s*(?:UTC|GMT|UT|Z)?\s*(?P<sign>[+−–-])\s*(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?(?:\s*\(.*)?"
)


def plain_offset(text: str) -> str:
    """Return a moment with its offset from UTC as ``+09:00``; behind a name libraries turn its sign, as POSIX does.

    Examples
    --------
    >>> plain_offset("2025-01-20 09:05 UTC+9"), plain_offset("2025-01-20 09:05 GMT-0500"), plain_offset("2025-01-20")
    ('2025-01-20 09:05+09:00', '2025-01-20 09:05-05:00', '2025-01-20')
    """
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return re.sub(r"(?<=\d)\s*UT$", " UTC", text)
    sign = "+" if match["sign"] == "+" else "-"
    return f"{match['clock']}{sign}{match['hours']:0>2}:{match['minutes'] or '00'}"


def plain_offsets(column: pd.Series[str]) -> pd.Series[str]:
    """Return a column of moments with their offsets as `plain_offset` writes them; the same column if its first cell is written so."""
    first = column.iloc[0] if len(column) else None
    if not isinstance(first, str) or plain_offset(first) == first:
        return column
    return column.map(lambda cell: plain_offset(cell) if isinstance(cell, str) else cell)


def moment_text(day: date, clock: str, zone: str) -> str:
    """Return a moment year first, its offset from UTC with two digits an hour."""
    return plain_offset(f"{iso_day(day)} {clock} {zone.strip()}".rstrip())


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def number_of_days(given: object) -> int:
    """Return how many days a length of time is that is written ``"90d"``.

    Examples
    --------
    >>> number_of_days("90d")
    90
    """
    match = re.fullmatch(r"(\d{1,5})d", given.strip()) if isinstance(given, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{given!r} is no number of days; write it as '7d'")
    return int(match[1])
