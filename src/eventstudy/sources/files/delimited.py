"""CSV and similar text, within bounds: bytes, encoding, separator, rows, decimal mark."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import warnings
import zipfile
import zlib
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers import expat

import pandas as pd
from pandas.api.types import is_numeric_dtype

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.files import PIECE, Readable, read_up_to
from eventstudy.interchange import read_csv
from eventstudy.sources.files.cells import MISSING, column_names, cut, refuse_repeated
from eventstudy.sources.files.layouts import WHOSE, has_decimals, holds_words, meanings, needed_cells, two_heads
from eventstudy.wording import first_few
from eventstudy.written_days import is_day

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Most bytes of text, unpacked, and most rows, columns and characters in a row.
MAX_TEXT = 1024**3
MAX_ROWS = 50_000_000
MAX_COLUMNS = 20_000
#: Over so many cells may the sheets of a workbook reach together, empty ones too.
MAX_SHEETS = 25_000_000
MAX_LINE = 2_000_000

#: Rows in which the header is looked for, and at the end lines that are no rows.
_HEAD, _TAIL = 20, 20
_SEPARATORS = ";,\t"


@dataclass(frozen=True)
class Text:
    """The text of a file, its first rows from the header on that are not blank, up to which line each of them reaches, and cautions.

    ``day_zero``: from which day on a workbook numbers its days; empty for other files.
    """

    name: str
    data: bytes
    separator: str
    rows: list[list[str]]
    ends: list[int]
    said: tuple[str, ...] = ()
    day_zero: str = ""


def read_text(file: Path, encoding: str | None = None) -> Text:
    """Read a text file, packed or not, or the first sheet of a workbook, and look at its first rows."""
    name, day_zero = file.name, ""
    said: tuple[str, ...] = ()
    if name.lower().endswith(".xlsx"):
        data, said, day_zero = sheet_text(file)
    else:
        try:
            with gzip.open(file, "rb") if name.lower().endswith(".gz") else file.open("rb") as stream:
                data = read_up_to(stream, MAX_TEXT)
        except (OSError, EOFError, zlib.error) as error:
            raise DataUnfit(f"{name} is damaged: {error}. Make or download it again.", file=name) from error
        data = data if encoding is None else _decoded(data, name, encoding).encode()
    check_bytes(data, name)
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = _decoded(data, name)[: 4 * MAX_LINE]
    told = re.match(r'"?sep=(.)"?[;,]*\r?\n', head)  # a line for spreadsheets
    separator = told[1] if told else _separator(head)
    rows, ends = [], []
    try:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
        for row in itertools.islice((r for r in reader if any(c.strip() for c in r)), bool(told), _HEAD):
            rows.append([cell.strip() for cell in row])
            ends.append(reader.line_num)
    except csv.Error as error:
        raise DataUnfit(f"{name} cannot be read as CSV near its head: {error}.", file=name) from error
    if not rows:
        raise DataUnfit(f"{name} is empty.", file=name)
    if max(map(len, rows)) > MAX_COLUMNS:
        raise InvalidInput(f"{name} has more than {MAX_COLUMNS:,} columns; keep only those of the study.", file=name)
    begin = _header(rows, name)
    if begin:
        titles = first_few([repr(" ".join(filter(None, row))[:60]) for row in rows[:begin]], 3)
        said = (*said, f"What stands above the header was left out: {titles}.")
    return Text(name, data, separator, rows[begin:], ends[begin:], said, day_zero)


def _header(rows: list[list[str]], name: str) -> int:
    """Return the place of the header: the first row that names a column of days above a day; below titles of one cell."""
    for place, (row, below) in enumerate(itertools.pairwise(rows)):
        if two_heads(rows[place : place + 3], name) or any(
            "date" in meanings(c) and is_day(d) for c, d in zip(row, below, strict=False)
        ):
            return place
    return next((place for place, row in enumerate(rows) if any(row[1:])), 0)


def _decoded(data: bytes, name: str, encoding: str = "utf-8") -> str:
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        if encoding == "utf-8" and isinstance(error, UnicodeDecodeError):
            line = data.count(b"\n", 0, error.start) + 1
            raise InvalidInput(
                f"{name} is not UTF-8 text (line {line}); say what it is (in load_prices, sources.read_events or the study file), such as encoding='cp1252' (Western Europe), 'shift_jis', 'gb18030' or "
                f"'euc_kr', or save it as CSV in UTF-8.",
                file=name,
                line=line,
            ) from error
        raise InvalidInput(
            f"{name} is not text in the encoding {encoding}; give another, or save it as CSV in UTF-8.", file=name
        ) from error
    except LookupError as error:
        raise InvalidInput(
            f"encoding is {encoding!r}, which is none; give one such as 'cp1252', 'utf-16' or 'shift_jis'."
        ) from error


def sheet_text(file: Path) -> tuple[bytes, tuple[str, ...], str]:
    """Return the first sheet of a workbook that holds anything as CSV, a caution that names the others, and the day from which it numbers days."""
    try:
        with zipfile.ZipFile(file) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_TEXT:
                raise InvalidInput(
                    f"{file.name} unpacks to more than {MAX_TEXT / 1024**2:,.0f} MB; keep only what the study needs."
                )
            later = re.search(rb'date1904="(1|true)"', packed.read("xl/workbook.xml"))
            if sum(_extent(packed.open(member)) for member in packed.infolist()) > MAX_SHEETS:
                raise InvalidInput(
                    f"{file.name} has sheets that reach over more than {MAX_SHEETS:,} cells; clear those far from the table, or save it as CSV.",
                    file=file.name,
                )
        book = pd.read_excel(file, sheet_name=None, header=None, dtype=object, keep_default_na=False, engine="calamine")
    except ImportError as error:
        raise InvalidInput(
            f"Reading {file.name} needs python-calamine: pip install 'eventstudy-finance[excel]', or save the sheet as CSV.",
            file=file.name,
        ) from error
    except InvalidInput:
        raise
    except Exception as error:  # the reader's errors are of its own classes
        raise DataUnfit(
            f"{file.name} is damaged or no workbook of the form .xlsx; save it again, or as CSV.", file=file.name
        ) from error
    sheets = {name: sheet for name, sheet in book.items() if not sheet.empty}
    if not sheets:
        raise DataUnfit(f"{file.name} is empty.", file=file.name)
    first, *others = sheets
    said = (
        (f"Of the sheets of {file.name} only the first, {first}, was read, not {first_few(others, 8)}.",)
        if others
        else ()
    )
    return (
        sheets[first].to_csv(header=False, index=False).encode("utf-8"),
        said,
        "1904-01-01" if later else "1899-12-30",
    )


def _extent(part: Readable) -> int:
    """Return over how many cells, from the first on, a sheet of a workbook reaches; none for its other parts.

    The reader asks for memory for each of them, and ends the process if there is not as much. Cells with a style alone do not count.
    """
    line = row = column = rows = columns = 0

    def start(tag: str, given: dict[str, str]) -> None:
        nonlocal line, row, column, rows, columns
        kind, place = tag.rpartition(":")[2], given.get("r", "")[:20]
        if kind == "row":
            line, column = int(place or line + 1), 0
        elif kind == "c":
            letters = place.rstrip("0123456789")
            row = int(place[len(letters) :]) if place else line
            column = (
                sum((ord(c) - 64) * 26**i for i, c in enumerate(reversed(letters.upper()))) if place else column + 1
            )
        elif kind in ("v", "is", "f"):
            rows, columns = max(rows, row), max(columns, column)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    damaged, a_sheet, last = False, False, b""
    while piece := part.read(PIECE):
        a_sheet = a_sheet or b"sheetData" in last + piece
        last = (last + piece)[-len(b"sheetData") :]
        if not damaged:
            try:
                parser.Parse(piece)
            except expat.ExpatError:  # a picture; or a sheet, which another parser may read on
                damaged = True
    if damaged and a_sheet:
        raise ValueError("a sheet of it is no XML")
    return rows * columns


def check_bytes(data: bytes, name: str) -> None:
    """Refuse what is no UTF-8 text of a price table, or too much of it."""
    if len(data) > MAX_TEXT:
        raise InvalidInput(
            f"{name} holds more than {MAX_TEXT / 1024**2:,.0f} MB of text; keep only the tickers and days of the study, or save "
            f"it as Parquet.",
            file=name,
        )
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise InvalidInput(
            f"{name} is UTF-16 text, not UTF-8 text; give encoding='utf-16', or save it as CSV in UTF-8.", file=name
        )
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(0)) + 1
        raise DataUnfit(
            f"{name} holds a NUL byte in line {line}; it is damaged or no UTF-8 text.",
            file=name,
        )
    if data.count(b"\n") > MAX_ROWS:
        raise InvalidInput(f"{name} has more than {MAX_ROWS:,} rows; keep only the tickers and days of the study.")
    longest = max((len(line) for line in io.BytesIO(data)), default=0) if len(data) > MAX_LINE else 0
    if longest > MAX_LINE:
        raise InvalidInput(
            f"{name} has a line of {longest:,} characters; at most {MAX_LINE:,} are read. Lines must end in a line feed.",
            file=name,
        )


def _separator(head: str) -> str:
    """Return the mark that parts most of the first lines into as many cells as each other; of equals the one that parts the first line more often."""
    lines = [line for line in head[: 50 * 1024].splitlines() if line.strip()][:_HEAD]

    def parts(mark: str) -> tuple[int, int]:
        counts = Counter(len(next(csv.reader([line.rstrip(mark)], delimiter=mark), [])) for line in lines)
        return max((n for width, n in counts.items() if width > 1), default=0), lines[0].count(mark)

    try:
        return max(_SEPARATORS, key=parts) if lines else ","
    except csv.Error:
        return ","


def check_header(header: list[str], name: str) -> None:
    """Refuse a header of one column, one with a name twice, and a row of days and figures in its place."""
    if len(header) == 1:
        raise InvalidInput(
            f"{name} has the one column {header[0][:60]!r}; columns must be separated by commas, semicolons or tabs.",
            columns=tuple(header),
        )
    if any(map(is_day, header)):
        raise InvalidInput(
            f"{name} has no header: its first row is {', '.join(cut(header[:6]))}. Put the names of the columns above it (date, then a ticker for "
            f"each column; or date, ticker, close).",
            columns=tuple(header),
        )
    refuse_repeated(header, name, WHOSE)


def read_body(text: Text, columns: list[str], skip: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows below the header as a table, figures as floats where all are, else as text; and cautions of marks that can be read in two ways."""
    # Rows may end in more separators than the header.
    width = max([len(columns), *(len(row) for row in text.rows if not any(row[len(columns) :]))])
    columns = [c or f"Unnamed: {i}" if i else c for i, c in enumerate([*columns, *[""] * (width - len(columns))])]
    words = {c for c in columns if holds_words(c)} | {columns[0]}
    try:
        table = _parsed(text, text.data, columns, words, skip)
    except DataUnfit:
        evened = io.StringIO(newline="")
        csv.writer(evened, delimiter=text.separator).writerows(row[:width] for row in _rows(text, width, skip))
        table = _parsed(text, evened.getvalue().encode("utf-8"), columns, words, 0)
    date = next((i for i, c in enumerate(columns) if "date" in meanings(c)), 0)
    table = table.dropna(how="all", ignore_index=True)
    table, said = _without_footer(table, date)
    if table.iloc[:, -1].isna().any():
        deque(itertools.islice(_rows(text, width, skip, needed_cells(columns)), len(table)), maxlen=0)
    if text.day_zero:
        table, days = _with_serials(table, columns[date], text.day_zero)
        said += days
    figures = [c for c in columns if c not in words]
    table, doubts = _marks(table, figures, text.name, text.separator == ",")
    return table, (*text.said, *said, *doubts)


def _parsed(text: Text, data: bytes, columns: list[str], words: set[str], skip: int) -> pd.DataFrame:
    """Return rows as a table, figures between commas as floats where all are; lines without an end are no warning but an error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return read_csv(
                io.BytesIO(data),
                sep=text.separator,
                header=None,
                skiprows=skip,
                names=columns,
                index_col=False,
                dtype=dict.fromkeys(words if text.separator == "," else columns, str),
                keep_default_na=False,
                na_values={c: ([""] if c in words else list(MISSING)) for c in columns},
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataUnfit(
            f"{text.name} has rows of different length; each needs one value per column.", file=text.name
        ) from error


def _without_footer(table: pd.DataFrame, date: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table without the lines below its rows that hold neither a day nor a figure, and a caution that quotes them."""
    tail = table.iloc[-_TAIL:].astype("object")
    texts = [[str(c) for c in row if pd.notna(c)] for row in tail.itertuples(index=False)]
    rows = [
        is_day(row[date]) or any(re.fullmatch(r"[-+$]?[\d.,]+%?", c.strip()) for c in cells)
        for row, cells in zip(tail.itertuples(index=False), texts, strict=True)
    ]
    below = rows[::-1].index(True) if True in rows else 0
    if not below:
        return table, ()
    quoted = first_few([repr(" ".join(cells)[:60]) for cells in texts[-below:]], 3)
    return table.iloc[:-below], (f"What stands below the last row was left out: {quoted}.",)


def _with_serials(table: pd.DataFrame, date: str, day_zero: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with the day numbers of a workbook as days, and a caution."""
    cells = table[date].astype("object")
    if not len(cells) or not cells.map(lambda c: isinstance(c, str) and bool(re.fullmatch(r"[1-9]\d{4}", c))).all():
        return table, ()
    days = (pd.Timestamp(day_zero) + pd.to_timedelta(cells.astype(int), unit="D")).dt.strftime("%Y-%m-%d")
    return table.assign(**{date: days}), (
        f"The numbers in {date} were taken as a workbook's days: {cells.iloc[0]} was read as {days.iloc[0]}.",
    )


def _rows(text: Text, width: int, skip: int, needed: int = 0) -> Iterator[list[str]]:
    """Yield the rows below the header that hold anything; refuse one with more cells than there are columns, or fewer than are needed."""
    for line, row in filled_rows(text, skip):
        if len(row) < needed or any(c.strip() for c in row[width:]):
            raise DataUnfit(
                f"{text.name} has rows of different length ({len(row)} cells in line {line}, {width} columns); each needs one value per column.",
                file=text.name,
                line=line,
            )
        yield row


def filled_rows(text: Text, skip: int, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows below the header that hold anything, with the lines that they end in; ``strict`` as in `csv`, blanks before quotes left out."""
    lines = itertools.islice(io.TextIOWrapper(io.BytesIO(text.data), encoding="utf-8", newline=""), skip, None)
    reader = csv.reader(lines, delimiter=text.separator, skipinitialspace=strict, strict=strict)
    try:
        for row in reader:
            if any(c.strip() for c in row):
                yield skip + reader.line_num, row
    except csv.Error as error:
        raise DataUnfit(f"{text.name} cannot be read as CSV: {error}.", file=text.name) from error


# -- Decimal marks and marks between thousands: settled by the figures, refused, or a caution.


#: Figures whose thousands are parted by commas; a figure whose one mark may be either.
_BLANK = r"[ \u00a0\u2009\u202f'\u2019]"
_SPACED = re.compile(rf"\s*-?\d{{1,3}}({_BLANK}\d{{3}})+([.,]\d*)?\s*")
_PARTED, _GROUP = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?"), r"-?\d{1,3}[.,]\d{3}"


def _marks(table: pd.DataFrame, columns: list[str], name: str, commas: bool) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with its figures written with a point alone, and cautions; ``commas``: they part the cells too."""
    if not columns:
        return table, ()
    table = _without_blanks(table, columns)
    return without_commas(table, columns) if commas else with_points(table, columns, name)


def read_marks(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table at hand with its figures that are texts with commas as those of a file, and cautions."""
    if table.columns.nlevels > 1 or table.columns.has_duplicates:
        return table, ()
    texts = [c for c in table.columns if pd.api.types.infer_dtype(table[c], skipna=True) == "string"]
    texts = [
        c
        for c in texts
        if not holds_words(str(c)) and table[c].dropna().str.fullmatch(r"[-−]?[\d.,]*,\d+|[-−]?[\d.]+|").all()
    ]
    if not any(table[c].str.contains(",", regex=False).any() for c in texts):
        return table, ()
    return _marks(table.astype(dict.fromkeys(texts, "object")), texts, name, commas=False)


def _without_blanks(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Take out blanks and apostrophes between thousands; neither can be a decimal mark."""
    for c in columns:
        if is_numeric_dtype(table[c].dtype):
            continue
        parted = table[c].astype("object").map(lambda v: isinstance(v, str) and bool(_SPACED.fullmatch(v)))
        if parted.any():
            table[c] = table[c].astype("object").where(~parted, table[c].str.replace(_BLANK, "", regex=True))
    return table


def without_commas(table: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Take out the commas between thousands in quoted cells, where the figures show that they are no decimal marks."""
    texts = {c: [v for v in table[c] if isinstance(v, str)] for c in columns if not is_numeric_dtype(table[c].dtype)}
    commas = {c: [v for v in cells if "," in v] for c, cells in texts.items()}
    if not any(commas.values()):
        return table, ()
    points = {c for c, cells in texts.items() if any(re.fullmatch(r"-?[\d,]*\.\d+", v) for v in cells)}
    in_file = points or any((v := table[c].dropna()).ne(v.round()).any() for c in columns if c not in texts)
    taken: dict[str, str] = {}
    for c, cells in commas.items():
        if not cells or not all(map(_PARTED.fullmatch, cells)):
            continue
        ambiguous = [v for v in cells if re.fullmatch(_GROUP, v)]
        by_itself = c not in points and len(ambiguous) < len(cells)
        if by_itself or (not ambiguous if c in points else in_file):
            table[c] = table[c].str.replace(",", "", regex=False)
            taken |= {c: ambiguous[0]} if ambiguous and not by_itself and has_decimals(c) else {}
    if not taken:
        return table, ()
    first = next(iter(taken.values()))
    said = (
        f"The comma in the figures of {column_names(taken)} was taken as a mark between thousands, for elsewhere in the file a point is "
        f"the decimal mark: {first} was read as {first.replace(',', '')}, not as {first.replace(',', '.')}."
    )
    return table, (said,)


def with_points(table: pd.DataFrame, columns: list[str], name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table without commas between cells with a point as decimal mark; and cautions of columns in which it may part thousands."""
    cells = pd.concat([table[c] for c in columns]).dropna()
    cells = cells[cells.str.fullmatch(r"\W*[\d.,]+\W*")]  # a text may hold either mark
    mark = _decimal_mark(cells, name)
    settled = mark == "," or bool(cells.str.fullmatch(_POINT).any())
    open_to_both: dict[str, str] = {}
    for c in columns:
        _check_custom(table[c], mark, name)
        open_to_both |= {} if settled else _check_groups(table[c], name)
        if mark == ",":
            table[c] = table[c].str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    if mark == ".":
        table, doubts = without_commas(table, columns)
        if doubts:
            return table, doubts
    if not open_to_both:
        return table, ()
    first = next(iter(open_to_both.values()))
    said = (
        f"All figures of {column_names(open_to_both)} have three digits after the point, and no figure in the file tells whether it is a "
        f"decimal mark or parts thousands: {first} was read as {float(first):g}, not as {first.replace('.', '')}. Returns are the same either "
        f"way, amounts in dollars and numbers of shares are not."
    )
    return table, (said,)


def _check_custom(cells: pd.Series[str], mark: str, name: str) -> None:
    """Refuse groups that are none of thousands, and a column that seems to be written after two customs."""
    other = "." if mark == "," else ","
    figures = [v for v in cells.dropna().unique() if re.fullmatch(r"-?[\d.,]+", v)]
    parted = [v for v in figures if re.fullmatch(rf"-?\d{{1,3}}(\{other}\d{{3}})+(\{mark}\d*)?", v)]
    wrong = [v for v in figures if other in v and v not in parted]
    if wrong:
        raise InvalidInput(
            f"{name} has {wrong[0][:40]!r} in column {cells.name}, where {mark!r} is the decimal mark and {other!r} would part "
            f"thousands; write all figures with a point as decimal mark."
        )
    decimals = [v for v in figures if mark in v]
    if parted and decimals and not set(parted) & set(decimals):
        raise InvalidInput(
            f"{name} has {parted[0][:40]!r} and {decimals[0][:40]!r} in column {cells.name}, written after two customs; "
            f"write all figures with a point as decimal mark."
        )


def _check_groups(cells: pd.Series[str], name: str) -> dict[str, str]:
    """Return the first figure with three digits after a point, which may part thousands; refuse it beside whole figures: 998, then 1.004."""
    figures = cells.dropna()
    grouped, whole = (figures[figures.str.fullmatch(form)] for form in (_GROUP, r"-?\d+"))
    if len(whole) and len(grouped):
        raise InvalidInput(
            f"{name} has {whole.iloc[0][:40]!r} and {grouped.iloc[0]!r} in column {cells.name}, and no figure in it tells "
            f"whether the point is a decimal mark or parts thousands; write the same number of decimals in every figure."
        )
    return {str(cells.name): grouped.iloc[0]} if len(grouped) else {}


#: Figures that show a comma to be a decimal mark, and a point.
_COMMA, _POINT = (
    rf"-?\d+{mark}(\d{{1,2}}|\d{{4,}})|-?\d{{4,}}{mark}\d{{3}}|-?\d{{1,3}}({other}\d{{3}})+{mark}\d+|-?0{mark}\d+"
    for mark, other in ((",", r"\."), (r"\.", ","))
)


def _decimal_mark(cells: pd.Series[str], name: str) -> str:
    """Tell by the digits after a mark, and by which of two comes last, whether a comma or a point is decimal."""
    comma, point = cells.str.fullmatch(_COMMA), cells.str.fullmatch(_POINT)
    if comma.any() and point.any():
        raise InvalidInput(
            f"{name} has {cells[comma].iloc[0]} and {cells[point].iloc[0]}; write all figures with a point as decimal mark."
        )
    either = cells[cells.str.contains(",", regex=False)]
    if not comma.any() and not point.any() and len(either):
        raise InvalidInput(
            f"{name} has {str(either.iloc[0])[:40]!r}, and no figure in it tells whether the comma is a decimal mark or parts thousands; "
            f"write figures with a point as decimal mark and without commas."
        )
    return "," if comma.any() else "."
