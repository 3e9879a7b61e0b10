"""How days are written in texts and cells, read strictly: never guessed."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput

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
    if month_first is None and day_first is None and month_front is None:
        raise InvalidInput(
            f"{name} writes dates as {matches[0][0]!r}, and no date in it tells which number is the day and which the month; "
            f"{_WRITE}.",
            value=matches[0][0],
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
