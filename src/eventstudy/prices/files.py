"""Prices from CSV and Parquet files: long, wide, and as the Yahoo client saves them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import itertools
import re
import warnings
import zlib
from pathlib import Path

import pandas as pd

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.prices.layouts import Figures, from_long, from_two_level, from_wide, has_long_layout
from eventstudy.prices.passport import read_passport
from eventstudy.prices.table import Prices, Provenance

SUFFIXES = (".csv", ".csv.gz", ".parquet")
SIZE_LIMIT = 2 * 1024**3

#: What an empty cell may look like.
MISSING_WORDS = ["", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "NULL", "null", "None", "<NA>", "."]


def is_price_file(name: str) -> bool:
    """Return True if a name ends like a file that `read_prices` reads."""
    return name.lower().endswith(SUFFIXES)


def read_prices(path: str | Path) -> Prices:
    r"""Read prices from a CSV (``.csv``, ``.csv.gz``) or Parquet file.

    Parameters
    ----------
    path : str or Path
        The file. Three layouts are recognised, column names in any case:

        - long: ``date``, ``ticker`` and ``close`` and/or ``adj_close``, optionally ``volume``;
        - wide: ``date`` first, then one column per ticker, taken as adjusted closes;
        - the two header rows (``Price``, ``Ticker``) of a table saved from the Yahoo client.

        Dates in ISO form (2025-01-27); a time of day is cut off, the day kept as written.

    Returns
    -------
    Prices
        ``provenance.digest`` is the SHA-256 of the file's bytes, ``provenance.source`` its name. Day of download and
        currencies come from the passport that `eventstudy fetch` puts beside a file, if there is one.

    Raises
    ------
    DataMissing
        If there is no such file.
    InvalidInput
        If layout or dates are of another form, the file is too large, or pyarrow is wanting for Parquet.
    DataUnfit
        If the file is damaged, a cell is no number, a price is not above zero, or a day has two different prices.
    NotAsRecorded
        If a passport beside the file records another digest.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "closes.csv")
    ...     _ = file.write_text("date,A,B\n2025-01-24,10,5\n2025-01-27,9,6\n")
    ...     read_prices(file).tickers
    ('A', 'B')
    """
    file = Path(path)
    _check_file(file)
    figures = _read_parquet(file) if file.name.lower().endswith(".parquet") else _read_csv(file)
    return _with_origin(figures, file)


def _with_origin(figures: Figures, file: Path) -> Prices:
    """Return a file's figures as prices, with all that is known of where they come from."""
    digest = _digest(file)
    passport = read_passport(file, digest)
    origin = Provenance(
        source=file.name,
        retrieved=passport.retrieved,
        adjustments=passport.adjustments or figures.adjustments,
        digest=digest,
        cautions=(*figures.cautions, *passport.cautions),
    )
    return Prices.from_frame(
        figures.adj_close, close=figures.close, volume=figures.volume, provenance=origin, currency=passport.currency
    )


def _check_file(file: Path) -> None:
    if not is_price_file(file.name):
        raise InvalidInput(
            f"{file.name} does not end in {', '.join(SUFFIXES)}; save the prices as CSV or Parquet.",
            file=file.name,
        )
    if not file.is_file():
        raise DataMissing(f"There is no file {file}; check the name and the folder.", file=str(file))
    size = file.stat().st_size
    if size == 0:
        raise DataUnfit(f"{file.name} is empty.", file=file.name)
    if size > SIZE_LIMIT:
        raise InvalidInput(
            f"{file.name} has {size / 1024**3:.1f} GB; at most {SIZE_LIMIT / 1024**3:.0f} GB are read at "
            f"once. Keep only the tickers and days of the study.",
            file=file.name,
        )


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# The header as it is: pandas would rename a repeated column without a word.
def _first_rows(file: Path) -> list[list[str]]:
    if file.name.lower().endswith(".gz"):
        with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as stream:
            rows = list(itertools.islice((row for row in csv.reader(stream) if row), 3))
    else:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(itertools.islice((row for row in csv.reader(stream) if row), 3))
    if not rows:
        raise DataUnfit(f"{file.name} is empty.", file=file.name)
    return [[cell.strip() for cell in row] for row in rows]


def _read_csv(file: Path) -> Figures:
    try:
        rows = _first_rows(file)
        if _is_two_level(rows):
            return from_two_level(_read_two_level(file, rows), file.name)
        _check_header(rows[0], file.name)
        if has_long_layout(rows[0]):
            return from_long(_read_body(file, rows[0], skip=1), file.name)
        return from_wide(_read_body(file, rows[0], skip=1), file.name)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file.name} is not UTF-8 text; save it as CSV in UTF-8.", file=file.name) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataUnfit(f"{file.name} is damaged: {error}. Make or download it again.", file=file.name) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, csv.Error) as error:
        reason = re.sub(r"^Error tokenizing data\. C error: ", "", str(error).strip())
        raise DataUnfit(
            f"{file.name} has rows of different length ({reason}); each needs one value per column.",
            file=file.name,
        ) from error


def _check_header(header: list[str], name: str) -> None:
    if len(header) == 1:
        raise InvalidInput(
            f"{name} has the one column {header[0][:60]!r}; columns must be separated by commas, with a "
            f"point as decimal mark.",
            columns=tuple(header),
        )
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InvalidInput(f"{name} has the column {', '.join(twice)} more than once; keep one.", columns=tuple(twice))


def _read_body(file: Path, columns: list[str], skip: int) -> pd.DataFrame:
    words = {"date", "datetime", "ticker", "symbol", "day", columns[0].lower()}
    texts = {c for c in columns if c.lower() in words}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            file,
            header=None,
            skiprows=skip,
            names=columns,
            index_col=False,
            dtype=dict.fromkeys(texts, str),
            keep_default_na=False,
            # A ticker may be called NA or TRUE; only figures can be missing.
            na_values={c: ([""] if c in texts else MISSING_WORDS) for c in columns},
            encoding="utf-8-sig",
            low_memory=False,
        )


def _is_two_level(rows: list[list[str]]) -> bool:
    heads = {row[0].lower() for row in rows[:2]}
    return len(rows) > 2 and heads == {"price", "ticker"}


def _read_two_level(file: Path, rows: list[list[str]]) -> pd.DataFrame:
    has_name_row = rows[2][0].lower() in {"date", "datetime", ""} and not any(rows[2][1:])
    flat = ["date", *(str(i) for i in range(1, len(rows[0])))]
    body = _read_body(file, flat, skip=3 if has_name_row else 2)
    price, ticker = (rows[0], rows[1]) if rows[0][0].lower() == "price" else (rows[1], rows[0])
    if len(price) != len(ticker):
        raise InvalidInput(f"The two header rows of {file.name} differ in length ({len(rows[0])}, {len(rows[1])}).")
    body = body.set_index("date")
    body.columns = pd.MultiIndex.from_arrays([price[1:], ticker[1:]], names=["Price", "Ticker"])
    return body


def _read_parquet(file: Path) -> Figures:
    try:
        table = pd.read_parquet(file)
    except ImportError as error:
        raise InvalidInput(
            f"Reading {file.name} needs pyarrow: pip install 'eventstudy-finance[scale]', or save the prices as CSV.",
            file=file.name,
        ) from error
    except (ValueError, OSError) as error:  # what pyarrow raises derives from these
        raise DataUnfit(f"{file.name} is not readable as Parquet: {error}.", file=file.name) from error
    if table.columns.nlevels == 2:
        return from_two_level(table, file.name)
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    table.columns = pd.Index([str(c) for c in table.columns])
    columns = list(table.columns)
    if len(columns) < 2:
        raise InvalidInput(f"{file.name} has only the column {', '.join(columns)}; dates and prices are needed.")
    return from_long(table, file.name) if has_long_layout(columns) else from_wide(table, file.name)
