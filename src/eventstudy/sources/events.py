"""Lists of events as they come: which columns hold the firm, the day and the time of day; read with the reader of price files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import calendar_bounds
from eventstudy.days import midnights
from eventstudy.errors import InvalidInput
from eventstudy.events import LONGEST_DAY, Event, EventList, as_objects, split_words, time_of_day
from eventstudy.interchange import as_pandas, is_table
from eventstudy.sources.files.cells import WORDS, column_names, cut, refuse_repeated, shown
from eventstudy.sources.files.delimited import filled_rows, read_text
from eventstudy.sources.files.layouts import HEADERS, meaning, plainly
from eventstudy.sources.files.open import check_file, parquet_table
from eventstudy.wording import iso_day, plural
from eventstudy.written_days import day_and_clock, moment_text, read_days, written_clock

#: What columns of events are called, by what they hold; of labels the first word is taken.
_OF_PRICES = {"code": "ticker", "name": "firm", "day": "date"}
_MEANS = {
    plainly(word): kind
    for table in ({k: HEADERS["prices"][m] for k, m in reversed(_OF_PRICES.items())}, WORDS["events"])
    for kind, words in table.items()
    for word in words.split()
}
_LABELS = [plainly(word) for word in WORDS["events"]["label"].split()]
#: What columns that name a firm hold, the first before the others.
_FIRMS = ("ticker", "code", "name")
#: Words that say the time of day only under a header that promises it.
_UNDER_A_HEADER = {
    "after": "after the close",
    "post": "after the close",
    "before": "before the open",
    "pre": "before the open",
}
#: Kinds of columns that hold days, and answers under a header that names a time of day.
_DAYS = ("days", "moments")
_YES_OR_NO = frozenset("true false 1 0 yes no y n t f x ja nein j oui non si sí wahr falsch vrai faux".split())  # noqa: SIM905
#: What speaks of the time of day inside longer words, of headers and of cells: ``is_amc``, ``After close (4:05 PM)``.
_MENTION = re.compile(
    r"\b(amc|bmo)\b|\b(after|post|before|pre)[\W_]*(the )?(market|close|closing|closed|hours|open|opening|bell|trading|session)\b"
    r"|\b(outside|extended|off|out of)\W*(of )?(regular |market |trading |the )*(hours|session)\b|nachb(ö|oe)rs|vorb(ö|oe)rs"
    r"|(nach|vor)(dem|der)?\W*(börse|handels|xetra)"
)
_SIDES, _SIDES_AFTER, _MARKET, _DOES, _ALONE = (
    "|".join(WORDS["times"][of].split()) for of in ("sides", "sides_after", "market", "does", "alone")
)
_FOREIGN = re.compile(
    rf"\b({_SIDES})(\W+(\w+\W+){{0,2}}?)?({_MARKET}|{_DOES})|\b({_MARKET}|{_DOES})\w*\W*({_SIDES_AFTER})\b"
    rf"|\b({_MARKET})\w*\W+({_DOES})|\bennen\W.*({_MARKET})"
)
#: Names of columns of days that are announcements, and of days that are other than the event's.
_ANNOUNCED = re.compile(
    r"announc|annonce|anunci|annunci|ankünd|\bann|day\W?0|day zero|event|ereignis|news|publi|releas|disclos|first.*(session|trad)"
)
_OTHER_DAY = re.compile(
    r"\b(fiscal|fy|fq|quarter|period|end|ending|expir\w*|matur\w*|birth|founded|ipo|listed|listing|delist\w*|record|pay|payment|payable|prev|previous"
    r"|prior|last|next|start|begin|beginning|from|until|to|created|updated?|modified|retrieved|downloaded|stichtag|quartal\w*|datadate|as of)\b"
)
#: Share of a column's cells that make it one of times or of days.
_MOSTLY = 0.5
#: Days written as one number, and the longest text that tells a time of day.
_YEAR_MONTH_DAY, _LONGEST = (1900_01_01, 2199_12_31), 60
_WHAT = "The events table"
#: What days look like; whether they are days, and which, `read_days` says.
_LIKE_A_DAY = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}.*|(19|20)\d{6}(\.0)?|\d{1,2}[-/. ]([a-z]{3,9}|\d{1,2})[-/. ]\d{2,4}.*|[a-z]{3,9} \d{1,2},? \d{4}.*",
    re.I,
)
#: What a reader of cells returns.
Read = TypeVar("Read")


def as_events(events: object) -> EventList:
    """Return events given as a list, as a table of any library, or as the path of a file.

    Raises
    ------
    InvalidInput
        If it is none of these, or the columns or cells of a table leave firm, day or time of day open.
    DataMissing, DataUnfit
        If there is no such file, or it is damaged.
    """
    if isinstance(events, EventList):
        return events
    if isinstance(events, Event):
        return EventList.of((events,))
    if isinstance(events, Path) or (isinstance(events, str) and re.search(r"\.\w{2,7}$", events)):
        return read_events(events)
    if is_table(events):
        return events_of_table(as_pandas(events, _WHAT))
    if isinstance(events, str | Mapping | pd.Series) or not isinstance(events, Iterable):
        given = repr(events) if isinstance(events, str) else f"a {type(events).__name__}"
        raise InvalidInput(
            f"Events are {given}; give a list of Event, a table with ticker and date (pandas.read_csv of a file), or the path of a CSV, Parquet or Excel file."
        )
    items: tuple[object, ...] = tuple(events)
    if not items:
        raise InvalidInput("No events given; a study needs at least one.")
    for item in items:
        if isinstance(item, date | np.datetime64):
            raise InvalidInput(
                f"The list of events holds the day {item} and no firm; write Event('NVDA', {str(item)[:10]!r})."
                + _crossed("pandas.DataFrame({'date': days})")
            )
        if not isinstance(item, Event):
            raise InvalidInput(
                f"{item!r} is not an Event; write Event('NVDA', '2025-01-27') or give a table with ticker and date."
            )
    return EventList.of(item for item in items if isinstance(item, Event))


# -- The file.


def read_events(path: str | Path, encoding: str | None = None) -> EventList:
    r"""Read a list of events from a CSV (``.csv``, ``.csv.gz``, ``.txt``), Parquet or Excel file (``.xlsx``, its first sheet).

    Parameters
    ----------
    path : str or Path
        The file. It is opened like one of prices (`read_prices`): separators, titles above the header and days in any form that cannot be
        misread; its columns are those of a table of events (`EventStudy.run`).
    encoding : str, optional
        That of a text which is not UTF-8, such as ``"cp1252"``; nothing is guessed.

    Returns
    -------
    EventList
        In the order of the rows; it also knows which columns were not used.

    Raises
    ------
    DataMissing
        If there is no such file.
    InvalidInput
        If its columns or cells leave firm, day or time of day open, or it is text in another encoding.
    DataUnfit
        If the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "meldungen.csv")
    ...     _ = file.write_text("Kürzel;Datum;Uhrzeit\nSAP;28.01.2025;nachbörslich\n", encoding="cp1252")
    ...     read_events(file, encoding="cp1252")[0].asked
    '2025-01-28 after the close'
    """
    return events_of_table(*read_event_table(Path(path), encoding))


def read_event_table(file: Path, encoding: str | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a file of events as text, empty cells as missing; and say what was left out."""
    check_file(file, "events")
    if file.name.lower().endswith(".parquet"):
        return parquet_table(file), ()
    text = read_text(file, encoding)
    header = text.rows[0]
    while len(header) > 1 and not header[-1]:  # what spreadsheets leave behind
        header = header[:-1]
    body = [[cell.strip() for cell in row] for _, row in filled_rows(text, text.ends[0], strict=True)]
    for place, row in enumerate(body, start=1):
        if len(row) < len(header) or any(row[len(header) :]):
            raise InvalidInput(
                f"{file.name}: row {place} has {plural(len(row), 'field')}, the header {len(header)} ({', '.join(cut(header))}); put text with "
                f"commas in quotes.",
                file=file.name,
            )
    table = pd.DataFrame([row[: len(header)] for row in body], columns=header, dtype=object)
    return table.mask(table == "", None), text.said


# -- Which column is what.


class Columns(NamedTuple):
    """The columns of an events table by what they hold; the names of the others."""

    firm: str
    day: str
    time: str | None
    zone: str | None
    label: str | None
    group: str | None
    exchange: str | None
    unused: tuple[str, ...]


def events_of_table(given: pd.DataFrame, said: Sequence[str] = ()) -> EventList:
    """Return the events of a table; no column is left out without a word."""
    table = _plain(given)
    columns = _columns(table)
    if table.empty:
        raise InvalidInput(f"{_WHAT} has no rows; a study needs at least one event.")
    exchanges = _texts(table, columns.exchange)
    days = _plain_days(table, columns)
    if days is not None and not any(exchanges):
        return _plain_events(table, days, columns, said)
    firms, labels, groups = (_texts(table, c) for c in (columns.firm, columns.label, columns.group))
    moments, untimed = _moments(table, columns)
    rows = zip(firms, moments, labels, groups, exchanges, strict=True)
    events = [_row_event(place, row) for place, row in enumerate(rows, start=1)]
    lacking = [f"row {i + 1} ({events[i].ticker} {events[i].asked})" for i in untimed]
    return EventList.of(events, columns.unused, lacking, said)


def _plain_days(table: pd.DataFrame, columns: Columns) -> pd.DatetimeIndex | None:
    """Return the days of a table that holds nothing but days, as dates and no text; None of another."""
    column = table[columns.day]
    if columns.time is not None or column.dtype.kind != "M" or getattr(column.dtype, "tz", None) is not None:
        return None
    days = pd.DatetimeIndex(column)
    return days if not days.hasnans and midnights(days).all() else None


def _plain_events(table: pd.DataFrame, days: pd.DatetimeIndex, columns: Columns, said: Sequence[str]) -> EventList:
    """Return events of plain days; of a firm whose name is not plain the first is made, to refuse what is no name."""
    firms, codes = _answers(table[columns.firm], _text)
    for i, firm in enumerate(firms):
        if not firm or not firm.isprintable():
            place = int((codes == i).argmax())
            firms[i] = _row_event(place + 1, (firm, iso_day(days[place]))).ticker
    tickers, label, group = (
        np.full(len(days), "", dtype=object) if name is None else as_objects(found)[at]
        for name, (found, at) in (
            (columns.firm, (firms, codes)),
            *((c, ([], codes) if c is None else _answers(table[c], _text)) for c in (columns.label, columns.group)),
        )
    )
    stamps = days.to_numpy(dtype="datetime64[ns]")
    return EventList(tickers, stamps, label, group, unused=columns.unused, said=tuple(said))


def _row_event(place: int, row: tuple[object, ...]) -> Event:
    """Return the event of one row; an error names the row, counted from 1 without the header."""
    try:
        return Event(*row)  # type: ignore[arg-type]
    except InvalidInput as error:
        raise InvalidInput(f"Row {place}: {error.message}") from error


def _plain(given: pd.DataFrame) -> pd.DataFrame:
    """Return a table with text names, an index that says something as columns, and without empty rows."""
    table, index = given, given.index
    if table.columns.nlevels > 1:
        raise InvalidInput(f"{_WHAT} has {table.columns.nlevels} rows of headers; keep one.")
    if isinstance(index, pd.DatetimeIndex) and index.name is None:
        table = table.rename_axis(index="date")
    if index.nlevels > 1 or table.index.name is not None or not pd.api.types.is_numeric_dtype(index):
        table = table.reset_index()
    table = table.set_axis([str(c).strip() for c in table.columns], axis=1)
    refuse_repeated(list(table.columns), _WHAT)
    empty = table.isna().all(axis=1) if table.shape[1] else pd.Series(dtype=bool)
    return table[~empty] if empty.any() else table


def _bare(header: str) -> str:
    """Return a header without what it says in brackets: its zone."""
    return re.sub(r"\(.*?\)|\[.*?\]", "", header)


def _means(header: str) -> str:
    """Return what a column of events holds by its header, or an empty word."""
    return _MEANS.get(plainly(_bare(header)), "")


def _columns(table: pd.DataFrame) -> Columns:
    names = list(table.columns)
    means = {name: _means(name) for name in names}
    firm = next((found for kind in _FIRMS if (found := [n for n in names if means[n] == kind])), [])
    kinds = {name: _kind(table[name]) for name in names if name not in firm[:1]}
    called = [n for n in names if means[n] == "day"]
    dates = [n for n in called if kinds[n] in _DAYS] or called
    dates = dates or [n for n in names if means[n] == "time" and kinds[n] in _DAYS]
    if not firm or not dates:
        raise _not_found(names, kinds, firm, dates)
    _the_one(table, firm, "the firm")
    _the_one(table, dates, "the day of the event")
    rest = [n for n in names if n not in (firm[0], dates[0])]
    second = next((n for n in rest if kinds[n] == "moments" or (means[n] == "time" and kinds[n] == "days")), None)
    if second is not None:
        raise _two([dates[0], second], "the day of the event")
    _refuse_other_days(table, dates[0], [n for n in rest if kinds[n] == "days"])
    promised = [n for n in rest if _promises(n) and kinds[n] not in _DAYS and table[n].notna().any()]
    named = {n for n in rest if means[n] in _FIRMS or (means[n] == "label" and not any(map(_says_a_time, table[n])))}
    times = [*promised, *(n for n in rest if kinds[n] == "times" and n not in promised and n not in named)]
    if len(times) > 1 and len({tuple(map(str, _times(table[n], n))) for n in times}) > 1:
        raise _two(times, "the time of day")
    _refuse_doubtful_times(table, [n for n in rest if n not in promised])
    chosen = times[0] if times else None
    labels = [n for n in rest if means[n] == "label" and n != chosen]
    label = min(labels, key=lambda n: _LABELS.index(plainly(_bare(n))), default=None)
    zone, group = (next((n for n in rest if means[n] == kind), None) for kind in ("zone", "group"))
    exchange = next((n for n in rest if means[n] == "exchange" and _are_exchanges(table[n])), None)
    used = {firm[0], dates[0], chosen, zone, label, group, exchange}
    unused = tuple((n or "one without a name") + " (holds days)" * (kinds[n] in _DAYS) for n in names if n not in used)
    return Columns(firm[0], dates[0], chosen, zone, label, group, exchange, unused)


def _spoken(header: str) -> str:
    """Return a header as words in small letters: ``is after hours`` for ``isAfterHours``."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)).casefold().strip()


def _folded(text: str) -> str:
    """Return a text in small letters without marks and accents, its words apart."""
    return " ".join(map(plainly, re.findall(r"[^\W_]+", text)))


def _mentions(text: str) -> bool:
    """Tell whether a header or a cell speaks of the time of day, in any language that is known."""
    return bool(_MENTION.search(_spoken(text)) or _MENTION.search(text.casefold()) or _FOREIGN.search(_folded(text)))


def _promises(header: str) -> bool:
    """Tell whether a header says that its column holds times of day."""
    words = _spoken(_bare(header)).split()
    return _means(header) == "time" or bool(words and _means(words[-1]) == "time")


def _refuse_other_days(table: pd.DataFrame, day: str, names: Sequence[str]) -> None:
    """Refuse a second column of other days that by its name is the announcement's, or, beside a plain date, is not said to be another day."""
    plain = meaning(_bare(day)) == "date" and _means(day) != "no_day"
    for name in names:
        words = _spoken(name)
        doubtful = _ANNOUNCED.search(words) or (plain and _means(name) != "no_day")
        if doubtful and not _OTHER_DAY.search(words) and not _same_days(table, day, name):
            raise _two([day, name], "the day of the event")


def _same_days(table: pd.DataFrame, day: str, other: str) -> bool:
    """Tell whether a second column of days says the same in every row in which it says anything."""
    there = table[table[other].map(_text) != ""]
    try:
        one, two = (
            read_days(pd.Series([str(c.day) for c in _each(there[n], _when)], dtype=object), _WHAT)
            for n in (day, other)
        )
    except InvalidInput:
        return False
    return one.equals(two)


def _refuse_doubtful_times(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse columns that may tell the time of day or something else: nothing but AMC, a firm's ticker too; parts of the day; yes and no under its words."""
    for name in names:
        cells = set(_texts(table, name)) - {""}
        yes_or_no = bool(cells) and {c.casefold() for c in cells} <= _YES_OR_NO
        parts = bool(cells) and _means(name) != "group" and all(re.fullmatch(_ALONE, _folded(c)) for c in cells)
        if cells == {"AMC"} or parts or (yes_or_no and (time_of_day(name) or _mentions(name))):
            raise InvalidInput(
                f"{_WHAT} has {column_names(sorted(cells))} in the column {name[:60]!r}, which may be the time of day or something else. If it is, "
                f"call the column timing and write 'amc' (after the close), 'bmo' (before the open) or 'dmh' (during the session) in it; else: "
                f"events.drop(columns={name!r}).",
                columns=(name,),
            )


def _are_exchanges(column: pd.Series) -> bool:
    """Tell whether all that a column names are exchanges whose sessions are known."""
    try:
        for name in {_text(v) for v in column} - {""}:
            calendar_bounds(name)
    except InvalidInput:
        return False
    return True


def _the_one(table: pd.DataFrame, found: list[str], what: str) -> None:
    """Refuse two columns that could both be meant, unless they say the same."""
    if len(found) < 2:
        return
    first = table[found[0]].astype("object").map(str)
    if any(not first.equals(table[other].astype("object").map(str).rename(found[0])) for other in found[1:]):
        raise _two(found, what)


def _two(found: Sequence[str], what: str) -> InvalidInput:
    return InvalidInput(
        f"{_WHAT} has the columns {' and '.join(cut(found))}, and each could be {what}; keep one: events.drop(columns={found[-1]!r}).",
        columns=tuple(found),
    )


def _crossed(days: str) -> str:
    """Say what to do with days on which several firms are looked at."""
    return f" For several firms on the same days cross them: {days}.merge(pandas.DataFrame({{'ticker': ['NVDA', 'META']}}), how='cross')."


def _not_found(names: list[str], kinds: Mapping[str, str], firm: list[str], dates: list[str]) -> InvalidInput:
    """Say which column is wanting, and the line that names it."""
    wanting = " and ".join(repr(w) for w, found in (("ticker", firm), ("date", dates)) if not found)
    said = f"{_WHAT} has the columns {column_names(names)}; it needs 'ticker' and 'date', and {wanting} is not there."
    days = [n for n in names if n not in firm and kinds[n] in _DAYS]
    if not firm and len(names) - len(dates) <= 2 and dates:
        return InvalidInput(
            f"{said} If all days are of one firm: events.assign(ticker='NVDA').{_crossed('events')}",
            columns=tuple(names),
        )
    renamed = {days[0]: "date"} if not dates and len(days) == 1 else {}
    if not firm:
        renamed["the column of firms"] = "ticker"
    return InvalidInput(
        f"{said} Rename: events.rename(columns={renamed or {'the column of days': 'date'}}).", columns=tuple(names)
    )


def _texts(table: pd.DataFrame, name: str | None) -> list[str]:
    return [""] * len(table) if name is None else _each(table[name], _text)


def _each(column: pd.Series, read: Callable[[Any], Read]) -> list[Read]:
    """Return what a function makes of each cell."""
    answers, codes = _answers(column, read)
    return [answers[code] for code in codes.tolist()]


def _answers(column: pd.Series, read: Callable[[Any], Read]) -> tuple[list[Read], NDArray[np.intp]]:
    """Return what a function makes of each different cell, in their order, and which each row has: long lists repeat firms, days and times."""
    plain = column if isinstance(column.dtype, pd.StringDtype) else column.astype("object")
    try:
        codes, found = pd.factorize(plain, use_na_sentinel=False)
    except TypeError:  # lists in cells
        return [read(value) for value in column], np.arange(len(column))
    return [read(value) for value in found.to_numpy(dtype=object)], codes


def _text(value: Any) -> str:
    """Return a cell as text; a code that a gap in its column made a decimal number as the code."""
    if type(value) is str:
        return value.strip()
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    return (
        str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value).strip()
    )


def _kind(column: pd.Series) -> str:
    """Tell by its cells whether a column holds ``times`` of day, ``days`` or ``moments``, days with a time; an empty text if none of them."""
    if pd.api.types.is_float_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return "days" if bool(column.between(*_YEAR_MONTH_DAY).any()) else ""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        there = pd.DatetimeIndex(column.dropna())
        timed = int((~midnights(there)).sum())
        return "" if there.empty else "moments" if timed >= max(_MOSTLY * len(there), 1) else "days"
    answers, codes = _answers(column, _kind_of_cell)
    count: Counter[str | None] = Counter()
    for kind, number in zip(answers, np.bincount(codes, minlength=len(answers)).tolist(), strict=True):
        count[kind] += number
    least = max(_MOSTLY * (len(codes) - count[None]), 1)
    if count["days"] + count["moments"] >= least:
        return "moments" if count["moments"] >= least else "days"
    return "times" if count["times"] else ""  # one is enough: the cells beside it are read, or stop the read


def _kind_of_cell(value: Any) -> str | None:
    """Tell what one cell holds, None if nothing."""
    text = _text(value)
    if not text:
        return None
    said = _time(value, promised=False)
    if said is not None:
        return "times" if any(said) else ""
    if isinstance(value, str) and len(text) <= _LONGEST and _mentions(text.replace("AMC", "")):
        return "times"
    if not isinstance(value, date | np.datetime64) and not _LIKE_A_DAY.fullmatch(text):
        return ""
    found = _when(value)
    return "moments" if any(found.time) or found.is_timed else "days"


# -- Times of day.


class TimeOfDay(NamedTuple):
    """What a cell says of the time of day: a clock and its zone, or words; nothing if it says that it is not known."""

    clock: str = ""
    zone: str = ""
    words: str = ""


def _time(value: object, promised: bool) -> TimeOfDay | None:
    """Return what a cell says of the time of day, None if it cannot be read; ``promised`` if the column's header speaks of it."""
    if isinstance(value, time):
        return TimeOfDay(value.strftime("%H:%M:%S"), str(value.tzinfo or ""))
    if isinstance(value, pd.Timedelta):
        value = str(value).split()[-1]
    text = _text(value)
    if len(text) > _LONGEST:
        return None
    clock = written_clock(text)
    if clock is not None:
        return TimeOfDay(*clock)
    words = time_of_day(text)
    if words is None and promised:
        words = _UNDER_A_HEADER.get(re.sub(r"\W+", "", text.casefold()))
    return None if words is None else TimeOfDay(words=words)


def _says_a_time(value: object) -> bool:
    """Tell whether a cell is a time of day and nothing else."""
    return any(_time(value, promised=False) or ())


def _times(column: pd.Series, name: str) -> list[TimeOfDay]:
    """Read a column of times of day; a midnight stands for none."""
    promised = _promises(name)
    read = _each(column, lambda value: _time(value, promised))
    for place, (value, found) in enumerate(zip(column, read, strict=True), start=1):
        if found is None:
            raise InvalidInput(
                f"Row {place}: {_WHAT.lower()} has {shown(value)} in the column {name[:60]!r}, which holds times of day; written are 'amc' (after "
                f"the close), 'bmo' (before the open), 'dmh' (during the session) or a clock time such as '16:20'. If the column is something "
                f"else: events.drop(columns={name!r}).",
                row=place,
            )
    return [TimeOfDay() if t is None or (t.clock == "00:00:00" and not t.words) else t for t in read]


class _When(NamedTuple):
    """The cell of a day, taken apart: the day as text, the time of day, or the whole moment with its zone."""

    day: object
    time: TimeOfDay = TimeOfDay()
    moment: pd.Timestamp | None = None

    @property
    def is_timed(self) -> bool:
        """Whether it is a moment with its zone and no midnight, which stands for a day."""
        return self.moment is not None and self.moment != self.moment.normalize()


def _when(value: object) -> _When:
    if not _text(value):
        return _When(None)
    if isinstance(value, date | np.datetime64):
        stamp = pd.Timestamp(value)
        if stamp.tzinfo is not None:
            return _When(iso_day(stamp), moment=stamp)
        clock = "" if stamp == stamp.normalize() else f"{stamp:%H:%M:%S}"
        return _When(iso_day(stamp), TimeOfDay(clock))
    text = _text(value)
    parts = day_and_clock(text) if len(text) <= LONGEST_DAY else None
    if parts is not None:
        return _When(parts[0], TimeOfDay() if parts[1] == ("00:00:00", "") else TimeOfDay(*parts[1]))
    day, words = split_words(text) if len(text) <= LONGEST_DAY else (text[:LONGEST_DAY], "")
    return _When(day, TimeOfDay(words=words))


def _moments(table: pd.DataFrame, columns: Columns) -> tuple[list[object], list[int]]:
    """Return what each event is given as its day or moment, and the places of events without a time of day where others have one."""
    cells = _each(table[columns.day], _when)
    days = _days(cells, table, columns)
    beside = [TimeOfDay()] * len(cells) if columns.time is None else _times(table[columns.time], columns.time)
    both = next(
        (
            i
            for i, (c, t) in enumerate(zip(cells, beside, strict=True))
            if any(t) and (c.moment is not None or any(c.time))
        ),
        None,
    )
    if both is not None:
        raise InvalidInput(
            f"Row {both + 1}: {_WHAT.lower()} gives the time of day twice, in {columns.day} ({shown(table[columns.day].iloc[both])}) and in "
            f"{columns.time} ({shown(table[str(columns.time)].iloc[both])}); keep one."
        )
    found = [c.time if any(c.time) else t for c, t in zip(cells, beside, strict=True)]
    zones = _zones(found, table, columns)
    moments: list[object] = []
    for cell, day, said, zone in zip(cells, days, found, zones, strict=True):
        if cell.moment is not None:
            moments.append(cell.moment)
        elif said.clock:
            moments.append(moment_text(day, said.clock, zone))
        else:
            moments.append(f"{iso_day(day)} {said.words}".rstrip())
    untimed = [i for i, (c, t) in enumerate(zip(cells, found, strict=True)) if not c.is_timed and not any(t)]
    return moments, untimed if columns.time is not None or len(untimed) < len(cells) else []


def _days(cells: Sequence[_When], table: pd.DataFrame, columns: Columns) -> pd.DatetimeIndex:
    """Read the days of a column, all in one form; which number is the month the column must settle."""
    lost = next((i for i, c in enumerate(cells) if c.day is None), None)
    if lost is not None:
        raise InvalidInput(
            f"Row {lost + 1}: Event {_text(table[columns.firm].iloc[lost])}: the date is missing; give e.g. '2025-01-27'."
        )
    return read_days(pd.Series([str(c.day) for c in cells], dtype=object), _WHAT)


def _zones(found: Sequence[TimeOfDay], table: pd.DataFrame, columns: Columns) -> list[str]:
    """Return the zone of each clock time: its own, that of its row, or that of the header in brackets; else refuse."""
    own = columns.time if columns.time is not None else columns.day
    inside = re.search(r"[(\[](.+?)[)\]]", own)
    of_rows = _texts(table, columns.zone)
    zones = [said.zone or of_row or (inside[1] if inside else "") for said, of_row in zip(found, of_rows, strict=True)]
    for place, (said, zone) in enumerate(zip(found, zones, strict=True), start=1):
        if said.clock and not zone:
            raise InvalidInput(
                f"Row {place}: {_WHAT.lower()} has the time {said.clock[:5]} in the column {own[:60]!r}, but no time zone, so that nothing tells "
                f"whether it is before or after the close. Say whose clock it is: events['zone'] = 'America/New_York'  # or Europe/Berlin, Asia/Tokyo …; or give words in place of "
                f"the clock: 'amc' (after the close), 'bmo' (before the open).",
                row=place,
            )
    return zones
