"""CSV and similar text, within bounds: bytes, encoding, separator, rows, decimal mark."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources.files.cells import cut
from eventstudy.sources.files.layouts import has_decimals, holds_words
from eventstudy.wording import first_few

#: Most bytes of text, unpacked, and most rows, columns and characters in a row.
MAX_TEXT = 1024**3
MAX_ROWS = 50_000_000
MAX_COLUMNS = 20_000
MAX_LINE = 2_000_000

#: What an empty cell may look like.
MISSING_WORDS = ["", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "NULL", "null", "None", "<NA>", "."]


@dataclass(frozen=True)
class Text:
    """The text of a file, with its first rows.

    Attributes
    ----------
    rows : list of list of str
        The first three rows that are not blank, stripped.
    ends : list of int
        The number of lines up to the end of each of these rows.
    """

    name: str
    data: bytes
    separator: str
    rows: list[list[str]]
    ends: list[int]


def read_text(file: Path) -> Text:
    """Read a text file, packed or not, and look at its first rows."""
    name = file.name
    try:
        with gzip.open(file, "rb") if name.lower().endswith(".gz") else file.open("rb") as stream:
            data = stream.read(MAX_TEXT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataUnfit(f"{name} is damaged: {error}. Make or download it again.", file=name) from error
    check_bytes(data, name)
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = _decoded(data[: 4 * MAX_LINE], name)
    separator = _separator(next((line for line in head.splitlines() if line.strip()), ""))
    rows, ends = [], []
    try:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
        for row in itertools.islice((r for r in reader if any(c.strip() for c in r)), 3):
            rows.append([cell.strip() for cell in row])
            ends.append(reader.line_num)
    except csv.Error as error:
        raise DataUnfit(f"{name} cannot be read as CSV near its head: {error}.", file=name) from error
    if not rows:
        raise DataUnfit(f"{name} is empty.", file=name)
    if max(map(len, rows)) > MAX_COLUMNS:
        raise InvalidInput(f"{name} has more than {MAX_COLUMNS:,} columns; keep only those of the study.", file=name)
    return Text(name, data, separator, rows, ends)


def check_bytes(data: bytes, name: str) -> None:
    """Refuse what is no UTF-8 text of a price table, or too much of it."""
    if len(data) > MAX_TEXT:
        raise InvalidInput(
            f"{name} holds more than {MAX_TEXT / 1024**2:,.0f} MB of text; keep only the tickers and days of the study, or save "
            f"it as Parquet.",
            file=name,
        )
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise InvalidInput(f"{name} is UTF-16 text, not UTF-8 text; save it as CSV in UTF-8.", file=name)
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


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) - error.start < 4 and error.reason == "unexpected end of data" and len(data) >= 4 * MAX_LINE:
            return data[: error.start].decode("utf-8")
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"{name} is not UTF-8 text (line {line}); save it as CSV in UTF-8.", file=name, line=line
        ) from error


def _separator(line: str) -> str:
    if "," in line and not (";" in line and line.count(";") >= line.count(",")):
        return ","
    return ";" if ";" in line else "\t" if "\t" in line else ","


def check_header(header: list[str], name: str) -> None:
    """Refuse a header of one column, or with one twice."""
    if len(header) == 1:
        raise InvalidInput(
            f"{name} has the one column {header[0][:60]!r}; columns must be separated by commas, semicolons or tabs.",
            columns=tuple(header),
        )
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InvalidInput(
            f"{name} has the column {', '.join(repr(c[:60]) for c in twice)} more than once; keep one.",
            columns=tuple(twice),
        )


def read_body(text: Text, columns: list[str], skip: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows below the header as a table; figures are floats where all are, else text.

    Returns
    -------
    table : DataFrame
    cautions : tuple of str
        Columns whose marks can be read in two ways, and how they were read.
    """
    words = {c for c in columns if holds_words(c)} | {columns[0]}
    plain = text.separator == ","
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.BytesIO(text.data),
                sep=text.separator,
                header=None,
                skiprows=skip,
                names=columns,
                index_col=False,
                dtype=dict.fromkeys(words if plain else columns, str),
                keep_default_na=False,
                na_values={c: ([""] if c in words else MISSING_WORDS) for c in columns},
                encoding="utf-8",
                low_memory=False,
            )
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{text.name} is not UTF-8 text; save it as CSV in UTF-8.", file=text.name) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = re.sub(r"^Error tokenizing data\. C error: ", "", str(error).strip())
        raise DataUnfit(
            f"{text.name} has rows of different length ({reason}); each needs one value per column.", file=text.name
        ) from error
    if table[columns[-1]].isna().any():
        _check_short_rows(text, len(columns), skip)
    figures = [c for c in columns if c not in words]
    if not figures:
        return table, ()
    return without_commas(table, figures) if plain else with_points(table, figures, text.name)


def _check_short_rows(text: Text, width: int, skip: int) -> None:
    """Refuse a row with fewer cells than columns, which would else stand one column too far left or lack its last figures."""
    lines = itertools.islice(io.TextIOWrapper(io.BytesIO(text.data), encoding="utf-8", newline=""), skip, None)
    reader = csv.reader(lines, delimiter=text.separator)
    try:
        for row in reader:
            if len(row) < width and any(cell.strip() for cell in row):
                raise DataUnfit(
                    f"{text.name} has rows of different length ({len(row)} cells in line {skip + reader.line_num}, {width} columns); each needs "
                    f"one value per column.",
                    file=text.name,
                    line=skip + reader.line_num,
                )
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataUnfit(f"{text.name} cannot be read as CSV: {error}.", file=text.name) from error


# -- Decimal marks and marks between thousands: settled by the figures, refused, or a caution.


#: Figures whose thousands are parted by commas.
_PARTED = r"-?\d{1,3}(,\d{3})+(\.\d+)?"
#: Columns that a caution names.
_COLUMNS = 12
#: A figure whose point may be either mark.
_GROUP = r"-?\d{1,3}\.\d{3}"


def without_commas(table: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Take out the commas between thousands in quoted cells, where the figures show that they are no decimal marks."""
    texts = [c for c in columns if not pd.api.types.is_numeric_dtype(table[c].dtype)]
    cells = {c: table[c].map(lambda v: v if isinstance(v, str) else None).astype("object") for c in texts}
    parted = {c: v.str.fullmatch(_PARTED).fillna(False).astype(bool) for c, v in cells.items()}
    if not any(p.any() for p in parted.values()):
        return table, ()
    whole = {c: _is_whole(table[c]) for c in columns if c not in texts}
    points = {c: v.str.fullmatch(r"-?[\d,]*\.\d+").fillna(False).astype(bool) for c, v in cells.items()}
    point_is_decimal, taken = not all(whole.values()) or any(p.any() for p in points.values()), {}
    for c in texts:
        has_comma = cells[c].str.contains(",", regex=False).fillna(False).astype(bool)
        ambiguous = parted[c] & ~cells[c].str.contains(r",.*,|\.", regex=True).fillna(False).astype(bool)
        by_itself = not points[c].any() and bool((parted[c] & ~ambiguous).any())
        proven = by_itself or (point_is_decimal if not points[c].any() else not ambiguous.any())
        if proven and parted[c].any() and (parted[c] | ~has_comma).all():
            if ambiguous.any() and not by_itself and has_decimals(c):
                taken[c] = str(cells[c][ambiguous].iloc[0])
            table[c] = table[c].astype("object").mask(parted[c], cells[c].str.replace(",", "", regex=False))
    if not taken:
        return table, ()
    first = next(iter(taken.values()))
    said = (
        f"The comma in the figures of {first_few(cut(taken), _COLUMNS)} was taken as a mark between thousands, for elsewhere in the file a point is "
        f"the decimal mark: {first} was read as {first.replace(',', '')}, not as {first.replace(',', '.')}."
    )
    return table, (said,)


def _is_whole(column: pd.Series[float]) -> bool:
    values = column.dropna()
    return bool((values == values.round()).all())


def with_points(table: pd.DataFrame, columns: list[str], name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Write the figures of a file without commas between cells with a point as decimal mark.

    Returns
    -------
    table : DataFrame
    cautions : tuple of str
        Names columns in which a point may as well part thousands.
    """
    cells = pd.concat([table[c] for c in columns]).dropna()
    mark = _decimal_mark(cells, name)
    settled = mark == "," or bool(cells.str.fullmatch(_POINT).any())
    open_to_both: dict[str, str] = {}
    for c in columns:
        _check_custom(table[c], mark, name)
        if not settled:
            _check_groups(table[c], name)
            grouped = table[c][table[c].str.fullmatch(_GROUP).fillna(False).astype(bool)]
            open_to_both |= {c: str(grouped.iloc[0])} if len(grouped) else {}
        if mark == ",":
            table[c] = table[c].str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    if not open_to_both:
        return table, ()
    first = next(iter(open_to_both.values()))
    said = (
        f"All figures of {first_few(cut(open_to_both), _COLUMNS)} have three digits after the point, and no figure in the file tells whether it is a "
        f"decimal mark or parts thousands: {first} was read as {float(first):g}, not as {first.replace('.', '')}. Returns are the same either "
        f"way, amounts in dollars and numbers of shares are not."
    )
    return table, (said,)


def _check_custom(column: pd.Series[str], mark: str, name: str) -> None:
    """Refuse groups that are none of thousands, and a column that seems to be written after two customs."""
    other = "." if mark == "," else ","
    digits = column.str.fullmatch(r"-?[\d.,]+").fillna(False).astype(bool)
    has_other = digits & column.str.contains(other, regex=False).fillna(False).astype(bool)
    decimals = digits & column.str.contains(mark, regex=False).fillna(False).astype(bool)
    parted = (
        column.str.fullmatch(rf"-?\d{{1,3}}({re.escape(other)}\d{{3}})+({re.escape(mark)}\d*)?")
        .fillna(False)
        .astype(bool)
    )
    wrong = has_other & ~parted
    if wrong.any():
        raise InvalidInput(
            f"{name} has {column[wrong].iloc[0][:40]!r} in column {column.name}, where {mark!r} is the decimal mark and {other!r} would part "
            f"thousands; write all figures with a point as decimal mark."
        )
    bare, both = parted & ~decimals, parted & decimals
    if bare.any() and decimals.any() and not both.any():
        raise InvalidInput(
            f"{name} has {column[bare].iloc[0][:40]!r} and {column[decimals].iloc[0][:40]!r} in column {column.name}, written after two customs; "
            f"write all figures with a point as decimal mark."
        )


def _check_groups(column: pd.Series[str], name: str) -> None:
    """Refuse whole figures beside figures with three digits after a point, which may part thousands: 998, then 1.004."""
    whole = column.str.fullmatch(r"-?\d+").fillna(False).astype(bool)
    grouped = column.str.fullmatch(_GROUP).fillna(False).astype(bool)
    if whole.any() and grouped.any():
        raise InvalidInput(
            f"{name} has {column[whole].iloc[0][:40]!r} and {column[grouped].iloc[0]!r} in column {column.name}, and no figure in it tells "
            f"whether the point is a decimal mark or parts thousands; write the same number of decimals in every figure."
        )


#: Figures that show a point to be a decimal mark.
_POINT = r"-?\d+\.(\d{1,2}|\d{4,})|-?\d{4,}\.\d{3}|-?\d{1,3}(,\d{3})+\.\d+|-?0\.\d+"


def _decimal_mark(cells: pd.Series[str], name: str) -> str:
    """Tell by the digits after a mark, and by which of two comes last, whether a comma or a point is decimal."""
    comma = cells.str.fullmatch(r"-?\d+,(\d{1,2}|\d{4,})|-?\d{4,},\d{3}|-?\d{1,3}(\.\d{3})+,\d+|-?0,\d+")
    point = cells.str.fullmatch(_POINT)
    if comma.any() and point.any():
        raise InvalidInput(
            f"{name} has {cells[comma].iloc[0]} and {cells[point].iloc[0]}; write all figures with a point as decimal mark."
        )
    if not comma.any() and cells.str.contains(",", regex=False).any():
        first = cells[cells.str.contains(",", regex=False)].iloc[0]
        if not point.any():
            raise InvalidInput(
                f"{name} has {str(first)[:40]!r}, and no figure in it tells whether the comma is a decimal mark or parts thousands; "
                f"write figures with a point as decimal mark and without commas."
            )
    return "," if comma.any() else "."
