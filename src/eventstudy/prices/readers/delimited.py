"""CSV and similar text, within bounds: bytes, encoding, separator, decimal mark."""

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
from eventstudy.prices.readers.marks import with_points, without_commas

#: Most bytes of text, unpacked, and most rows, columns and characters in a row.
MAX_TEXT = 1024**3
MAX_ROWS = 50_000_000
MAX_COLUMNS = 20_000
MAX_LINE = 2_000_000

#: What an empty cell may look like.
MISSING_WORDS = ["", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "NULL", "null", "None", "<NA>", "."]
#: Columns that hold words: a ticker may be called NA or TRUE, and a code 007.
TEXT_COLUMNS = frozenset(
    [
        "date",
        "datetime",
        "day",
        "dlycaldt",
        "caldt",
        "timestamp",
        "currency",
        "ccy",
        "ticker",
        "<ticker>",
        "tic",
        "symbol",
        "symbols",
        "<date>",
        "time",
        "<time>",
        "per",
        "<per>",
    ]
)


@dataclass(frozen=True)
class Text:
    """The text of a file, with its first rows.

    Attributes
    ----------
    name : str
        The file's name, for messages.
    data : bytes
        UTF-8, unpacked.
    separator : str
        Between two cells.
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
    """Read a text file, packed or not, and look at its first rows.

    Raises
    ------
    InvalidInput
        If it is too large, is not UTF-8, or has too many rows or columns.
    DataUnfit
        If it is damaged, empty, or holds NUL bytes.
    """
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
    """Refuse what is no UTF-8 text of a price table, or too much of it.

    Raises
    ------
    InvalidInput
        If it is too large, has too many rows or too long ones, or is UTF-16.
    DataUnfit
        If it holds NUL bytes.
    """
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
    """Refuse a header of one column, or with one twice.

    Raises
    ------
    InvalidInput
        Names the columns.
    """
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

    Parameters
    ----------
    text : Text
        The file.
    columns : list of str
        What to call the columns.
    skip : int
        Lines above the first row.

    Returns
    -------
    table : DataFrame
    cautions : tuple of str
        Columns whose marks can be read in two ways, and how they were read.

    Raises
    ------
    DataUnfit
        If a row has more or fewer cells than there are columns.
    InvalidInput
        If the text is not UTF-8, or the decimal mark cannot be told.
    """
    words = {c for c in columns if c.lower() in TEXT_COLUMNS} | {columns[0]}
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
