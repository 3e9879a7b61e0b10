"""Price files: opened, read in the layouts of the usual vendors, compared with their passports; and as a source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, InvalidInput
from eventstudy.files import check_file_name, file_sha256
from eventstudy.prices.passport import Passport, check_figures, passport_path, read_passport
from eventstudy.prices.table import Prices, Provenance
from eventstudy.sources.files.cells import MAX_CELL, Figures
from eventstudy.sources.files.crsp import Delisting, crsp_shares
from eventstudy.sources.files.delimited import MAX_COLUMNS, MAX_ROWS, check_header, read_body, read_text
from eventstudy.sources.files.layouts import (
    Asked,
    crsp_columns,
    figures_of,
    two_heads,
    with_local_days,
)
from eventstudy.sources.source import Source, the_only

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pyarrow as pa
    import pyarrow.parquet as pq


SUFFIXES = (".csv", ".csv.gz", ".txt", ".parquet", ".xlsx")
SIZE_LIMIT = 2 * 1024**3


def is_price_file(name: str) -> bool:
    """Return True if a name ends like a file that `read_prices` reads."""
    return name.lower().endswith(SUFFIXES)


def read_prices(
    path: str | Path, ticker: str | None = None, delisting: Delisting | None = None, encoding: str | None = None
) -> Prices:
    r"""Read prices from a CSV (``.csv``, ``.csv.gz``, ``.txt``), Parquet or Excel file (``.xlsx``, its first sheet).

    Parameters
    ----------
    path : str or Path
        The file. These layouts are recognised, column names in any case:

        - long: ``date``, ``ticker`` and ``close`` and/or ``adj_close``, optionally ``volume``, ``currency``; also Stooq's bulk files;
        - wide: ``date`` first, then one column per ticker, taken as adjusted closes;
        - the two header rows (``Price``, ``Ticker``, in either order) of a table saved from the Yahoo client, or written by hand: tickers
          above fields, or fields above tickers, where an empty cell above takes the name to its left;
        - CRSP's daily file from WRDS: ``permno``, ``date``, ``ret`` and what else of it there is;
        - the history of one share (Yahoo client, Stooq, Nasdaq.com, Investing.com): a date and a close, no ticker.

        Columns may be called in any of 22 languages, from English and German to Chinese, Japanese and Korean; those that are not used are
        named in a caution, and one that seems to hold adjusted closes or firms under an unknown name is refused. Dates in any form that
        cannot be misread; 03/04/2025 if another date of the file tells day and month apart. A date with a time is the day that is
        written, or with a caution that of the market (23:00 in UTC is the next day in Tokyo), else refused.
    ticker : str, optional
        What to call the share of a file that holds one and does not name it; by default the file's name, if it is a ticker in
        capitals (``NVDA.csv``) or Stooq's (``nvda_us_d.csv``).
    delisting : {"recorded", "shumway", "ignore"}, optional
        For CRSP files: compound delisting returns where they are recorded (the default); or also take -30 % where one is missing
        after a delisting for poor performance (Shumway 1997); or leave them out. Cautions name the shares.
    encoding : str, optional
        That of a text which is not UTF-8, such as ``"cp1252"``; nothing is guessed.

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
        If layout or dates are of another form, the file is too large, or pyarrow is wanting for Parquet,
        python-calamine for Excel.
    DataUnfit
        If the file is damaged, a cell is no number, a price is not above zero, a day has two different prices, or a column of a wide
        table holds percentages or volumes.
    NotAsRecorded
        If a passport beside the file records another digest or other figures.

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
    return read_price_file(file, Asked(file.name, ticker, delisting=delisting), encoding)


def read_price_file(file: Path, asked: Asked, encoding: str | None = None) -> Prices:
    """Read a price file, and compare it with its passport."""
    check_file(file)
    digest = file_sha256(file)
    passport = read_passport(file, digest)  # first: a damaged file is not as recorded, whatever its rows look like
    table, said = _table(file, encoding)
    figures = figures_of(table, asked).with_cautions(*said)
    prices = _with_origin(figures, file, digest, passport)
    check_figures(prices, passport, file.name)
    return prices


def read_crsp_shares(path: str | Path) -> pd.DataFrame:
    """Read the shares outstanding of a CRSP daily file (CSV or Parquet).

    Parameters
    ----------
    path : str or Path
        A file with ``permno``, ``date``, ``ret`` and ``shrout`` (thousands).

    Returns
    -------
    DataFrame
        Dates × tickers as `read_prices` names them; shares, not thousands. NaN where there is none.

    Raises
    ------
    DataMissing
        If there is no such file, or it has no ``shrout``.
    InvalidInput, DataUnfit
        As `read_prices`.
    """
    file = Path(path)
    check_file(file)
    table, _ = _table(file)
    columns = crsp_columns([str(c) for c in table.columns], file.name)
    if "shrout" not in columns:
        raise DataMissing(f"{file.name} has no column shrout, CRSP's shares outstanding in thousands.", file=file.name)
    return crsp_shares(with_local_days(table, file.name)[0], columns, file.name)


def _with_origin(figures: Figures, file: Path, digest: str, passport: Passport) -> Prices:
    """Return a file's figures as prices, with all that is known of where they come from."""
    twice = sorted(t for t, c in figures.currency.items() if passport.currency.get(t, c) != c)
    if twice:
        raise DataUnfit(
            f"{file.name} has {twice[0]} in {figures.currency[twice[0]]}, its passport in {passport.currency[twice[0]]}; correct one of them.",
            ticker=twice[0],
        )
    origin = Provenance(
        source=file.name,
        retrieved=passport.retrieved,
        adjustments=passport.adjustments or figures.adjustments,
        digest=digest,
        cautions=(*figures.cautions, *passport.cautions),
    )
    return Prices.from_frame(
        figures.adj_close,
        close=figures.close,
        volume=figures.volume,
        provenance=origin,
        currency={**figures.currency, **passport.currency},
    )


def check_file(file: Path, what: str = "prices") -> None:
    """Refuse a file that is not there, of another kind, empty or too large."""
    if not is_price_file(file.name):
        raise InvalidInput(
            f"{file.name} does not end in {', '.join(SUFFIXES)}; save the {what} as CSV, Parquet or Excel, or read them with pandas and hand "
            f"the table over.",
            file=file.name,
        )
    if not file.is_file():
        raise DataMissing(f"There is no file {file}; check the name and the folder.", file=str(file))
    check_file_name(file)
    size = file.stat().st_size
    if size == 0:
        raise DataUnfit(f"{file.name} is empty.", file=file.name)
    if size > SIZE_LIMIT:
        raise InvalidInput(
            f"{file.name} has {size / 1024**3:.1f} GB; at most {SIZE_LIMIT / 1024**3:.0f} GB are read at "
            f"once. Keep only the tickers and days of the study.",
            file=file.name,
        )


def _table(file: Path, encoding: str | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a file as a table of one or two levels of columns, and cautions."""
    if file.name.lower().endswith(".parquet"):
        return parquet_table(file), ()
    text = read_text(file, encoding)
    header, two = text.rows[0], two_heads(text.rows, text.name)
    if two is None:
        check_header(header, text.name)
        return read_body(text, header, skip=text.ends[0])
    columns = ["date", *(str(i) for i in range(1, len(two[0]) + 1))]
    table, said = read_body(text, columns, skip=text.ends[two[1] - 1])
    return table[columns].set_index("date").set_axis(two[0], axis=1), said


# -- A price file as a source.


class PriceFile(Source):
    """A price file, with its passport if there is one; ``ticker`` is what to call its share."""

    def __init__(self, path: str | Path, encoding: str | None = None, ticker: str | None = None) -> None:
        self.path, self.encoding, self.ticker = Path(path), encoding, ticker
        self.name = self.path.name

    def inputs(self) -> tuple[Path, ...]:
        """Return the file, and its passport if there is one."""
        passport = passport_path(self.path)
        return (self.path, passport) if passport.is_file() else (self.path,)

    def read(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Return all that the file holds."""
        asked = Asked(self.name, self.ticker, the_only(tickers), wanted=tuple(tickers or ()))
        return read_price_file(self.path, asked, self.encoding)


# -- Parquet files, their size looked at before they are read.


#: Most cells, and most bytes as the file says that it unpacks to.
MAX_CELLS = 250_000_000
MAX_UNPACKED = 4 * 1024**3


def parquet_table(file: Path) -> pd.DataFrame:
    """Read a Parquet file of figures, days and short texts."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InvalidInput(
            f"Reading {file.name} needs pyarrow: pip install 'eventstudy-finance[scale]', or save the prices as CSV.",
            file=file.name,
        ) from error
    try:
        with pq.ParquetFile(file, thrift_string_size_limit=10**8, thrift_container_size_limit=10**6) as opened:
            _check_size(opened.metadata, file.name)
            words = [f.name for f in opened.schema_arrow if f.type in (pa.string(), pa.large_string())]
        with pq.ParquetFile(file, read_dictionary=words, memory_map=False) as opened:
            table = opened.read(use_threads=False)
        table = _decoded(table, file.name)
        frame = table.to_pandas(use_threads=False)
    except EventStudyError:
        raise
    except (pa.ArrowException, ValueError, OSError, KeyError, TypeError, AttributeError, IndexError) as error:
        reason = str(error).split("\n")[0][:200]
        raise DataUnfit(f"{file.name} is not readable as Parquet: {reason}.", file=file.name) from error
    return cast("pd.DataFrame", frame)


def _check_size(facts: pq.FileMetaData, name: str) -> None:
    """Refuse a file that is larger than its bytes look."""
    cells = facts.num_rows * facts.num_columns
    unpacked = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
    if facts.num_rows > MAX_ROWS or facts.num_columns > MAX_COLUMNS or cells > MAX_CELLS or unpacked > MAX_UNPACKED:
        raise InvalidInput(
            f"{name} holds {facts.num_rows:,} rows and {facts.num_columns:,} columns ({unpacked / 1024**3:.1f} GB unpacked); at most "
            f"{MAX_CELLS:,} cells and {MAX_UNPACKED / 1024**3:.0f} GB are read. Keep only the tickers and days of the study.",
            file=name,
        )


def _decoded(table: pa.Table, name: str) -> pa.Table:
    """Return the table with plain text columns; a few long texts repeated often must not fill the memory."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    for i, field in enumerate(table.schema):
        if kinds.is_nested(field.type) or field.type in (pa.binary(), pa.large_binary()):
            raise InvalidInput(
                f"{name} has the column {field.name[:60]!r} of type {str(field.type)[:60]}; numbers and dates are needed."
            )
        if kinds.is_dictionary(field.type):
            column = table.column(i)
            longest = max((pc.max(pc.utf8_length(c.dictionary)).as_py() or 0 for c in column.chunks), default=0)
            if longest > MAX_CELL:
                raise InvalidInput(
                    f"{name} has a text of {longest:,} characters in column {field.name[:60]!r}; at most {MAX_CELL} are read."
                )
            table = table.set_column(i, field.name, column.cast(pa.string()))
    return table
