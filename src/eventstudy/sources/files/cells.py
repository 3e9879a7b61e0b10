"""What stands in the cells of a price file: days, figures and tickers, read strictly."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.wording import first_few, is_formula, iso_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Longest text that a cell of a price file may hold.
MAX_CELL = 64
#: Longest name of a column that a message gives whole.
LONGEST_NAME = 60
#: Names of columns that a message gives at most.
_COLUMNS = 12
#: Longest ticker that is a plain word (VOL, OPEN, DAY) and may be the name of a column, if it is written in capitals.
_LONGEST_TICKER = 5
#: How files call things.
WORDS = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
#: What an empty cell may look like.
MISSING = frozenset(WORDS["missing"])
_YEARS = (1800, 2200)
_MONTHS = {word: number for number, words in enumerate(WORDS["months"], start=1) for word in words.split()}
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
_MONEY = re.compile(r"-?\$?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?([KMB]?)")
_SCALE = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}


@dataclass(frozen=True)
class Figures:
    """Closes and volumes as dates × tickers, with what is known of their adjustment and currencies."""

    adj_close: pd.DataFrame
    close: pd.DataFrame | None = None
    volume: pd.DataFrame | None = None
    adjustments: str = "as given in the file"
    cautions: tuple[str, ...] = ()
    currency: Mapping[str, str] = field(default_factory=dict)

    def with_cautions(self, *said: str) -> Figures:
        """Return the same figures with more to say about them."""
        return replace(self, cautions=(*self.cautions, *said))


def cut(names: Iterable[object]) -> list[str]:
    """Return names for a message, each cut to a readable length."""
    return [str(name)[:LONGEST_NAME] for name in names]


def column_names(names: Iterable[object]) -> str:
    """Return names of columns for a message, a dozen at most."""
    return first_few(cut(names), _COLUMNS)


def may_be_ticker(column: str) -> bool:
    """Tell whether a word that is known may be a ticker, for it is short and in capitals."""
    return column.isupper() and column.isascii() and len(column) <= _LONGEST_TICKER


def shown(value: object) -> str:
    """Return a cell for a message, cut to a readable length."""
    text = str(value)
    return repr(text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…")


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
        f"{name} has {shown(text)} as a date in data row {row}; {_WRITE}{serial}.", value=text[:MAX_CELL], row=row
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


def numbers(column: pd.Series[float], name: str, days: pd.DatetimeIndex, money: bool = False) -> pd.Series[float]:
    """Read a column of figures."""
    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) and not _is_complex(kind):
        return column.astype("float64")
    cells = column.astype("object")
    there, read = cells.notna().to_numpy(), _money if money else _number
    values = np.full(len(cells), np.nan)
    values[there] = [read(c) for c in cells[there]]
    wrong = np.isnan(values) & there
    wrong[wrong] = [not isinstance(c, str) or c.strip() not in MISSING for c in cells[wrong]]
    if wrong.any():
        place = int(wrong.argmax())
        raise DataUnfit(
            f"{name} has {shown(column.iloc[place])} in column {column.name}, data row {place + 1} "
            f"({iso_day(days[place])}), where a number is needed; correct it or leave the cell empty.",
            column=str(column.name),
            row=place + 1,
        )
    return pd.Series(values, index=column.index)


def _is_complex(kind: object) -> bool:
    return getattr(kind, "kind", "") == "c"


def _number(cell: object) -> float:
    if isinstance(cell, bool | np.bool_ | complex) or (isinstance(cell, str) and ("_" in cell or len(cell) > MAX_CELL)):
        return np.nan
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _money(cell: object) -> float:
    if not isinstance(cell, str):
        return _number(cell)
    match = _MONEY.fullmatch(cell.strip())
    if match is None:
        return _number(cell)
    return float(re.sub(r"[$,KMB]", "", match[0])) * _SCALE[match[4]]


def check_tickers(tickers: Iterable[object], name: str) -> None:
    """Refuse what is no ticker: nothing, control characters, long texts, beginnings that a spreadsheet runs."""
    for ticker in tickers:
        text = str(ticker)
        if not text.strip():
            raise DataUnfit(f"{name} has a column without a ticker above it; name it or leave it out.")
        if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in text):
            raise DataUnfit(f"{name} has the ticker {text[:MAX_CELL]!a} with a control character in it; correct it.")
        if len(text) > MAX_CELL:
            raise DataUnfit(f"{name} has the ticker {shown(text)}; a ticker has at most {MAX_CELL} characters.")
        if is_formula(text):
            first = text.strip()[0]
            raise DataUnfit(
                f"{name} has the ticker {text!r}; a spreadsheet would run what begins with {first!r}. Write the ticker without it."
            )
