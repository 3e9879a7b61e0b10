"""Prices from CSV and Parquet files in the layouts of the usual sources."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.prices.passport import Passport, check_figures, read_passport
from eventstudy.prices.readers.crsp import Delisting, crsp_shares
from eventstudy.prices.readers.delimited import Text, check_header, read_body, read_text
from eventstudy.prices.readers.layouts import Figures, meaning
from eventstudy.prices.readers.parquet import parquet_table
from eventstudy.prices.readers.recognise import Asked, figures_of
from eventstudy.prices.readers.zones import with_local_days
from eventstudy.prices.table import Prices, Provenance

SUFFIXES = (".csv", ".csv.gz", ".txt", ".parquet")
SIZE_LIMIT = 2 * 1024**3
#: How the two header rows of a table are named by the libraries that write it.
_HEADS = ({"price", "ticker"}, {"attributes", "symbols"})


def is_price_file(name: str) -> bool:
    """Return True if a name ends like a file that `read_prices` reads."""
    return name.lower().endswith(SUFFIXES)


def read_prices(path: str | Path, ticker: str | None = None, delisting: Delisting | None = None) -> Prices:
    r"""Read prices from a CSV (``.csv``, ``.csv.gz``, ``.txt``) or Parquet file.

    Parameters
    ----------
    path : str or Path
        The file. These layouts are recognised, column names in any case:

        - long: ``date``, ``ticker`` and ``close`` and/or ``adj_close``, optionally ``volume``, ``currency``; also Stooq's bulk files;
        - wide: ``date`` first, then one column per ticker, taken as adjusted closes;
        - the two header rows (``Price``, ``Ticker``, in either order) of a table saved from the Yahoo client;
        - CRSP's daily file from WRDS: ``permno``, ``date``, ``ret`` and what else of it there is;
        - the history of one share (Yahoo client, Stooq, Nasdaq.com, Investing.com): a date and a close, no ticker.

        Dates as 2025-01-27 or 20250127; 01/27/2025 if the file tells day and month apart. A time of day is cut off, the day kept
        as written; moments in UTC that are midnights of a place east of Greenwich (23:00) are read as the day that begins, with a caution.
    ticker : str, optional
        What to call the share of a file that holds one and does not name it; by default the file's name, if it is a ticker in
        capitals (``NVDA.csv``) or Stooq's (``nvda_us_d.csv``).
    delisting : {"recorded", "shumway", "ignore"}, optional
        For CRSP files: compound delisting returns where they are recorded (the default); or also take -30 % where one is missing
        after a delisting for poor performance (Shumway 1997); or leave them out. Cautions name the shares.

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
    return read_price_file(Path(path), ticker, delisting=delisting)


def read_price_file(
    file: Path, ticker: str | None = None, likely: str | None = None, delisting: Delisting | None = None
) -> Prices:
    """Read a price file; ``likely`` names the share of a file of one that nothing else names.

    Raises
    ------
    DataMissing, InvalidInput, DataUnfit, NotAsRecorded
        As `read_prices`.
    """
    _check_file(file)
    digest = _digest(file)
    passport = read_passport(file, digest)  # first: a damaged file is not as recorded, whatever its rows look like
    asked = Asked(file.name, ticker, likely, delisting)
    figures = (
        figures_of(parquet_table(file), asked) if file.name.lower().endswith(".parquet") else _read_csv(file, asked)
    )
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
    _check_file(file)
    table = parquet_table(file) if file.name.lower().endswith(".parquet") else _one_head(read_text(file))[0]
    if "shrout" not in {str(c).strip().lower() for c in table.columns}:
        raise DataMissing(f"{file.name} has no column shrout, CRSP's shares outstanding in thousands.", file=file.name)
    return crsp_shares(with_local_days(table, file.name)[0], file.name)


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


def _read_csv(file: Path, asked: Asked) -> Figures:
    text = read_text(file)
    heads = _two_heads(text.rows)
    table, said = _one_head(text) if heads is None else _read_two_level(text, heads)
    figures = figures_of(table, asked)
    return replace(figures, cautions=(*figures.cautions, *said)) if said else figures


def _one_head(text: Text) -> tuple[pd.DataFrame, tuple[str, ...]]:
    check_header(text.rows[0], text.name)
    return read_body(text, text.rows[0], skip=text.ends[0])


def _two_heads(rows: list[list[str]]) -> tuple[str, str] | None:
    """Return the names of the two header rows of a two-level table, or None."""
    if len(rows) < 3:
        return None
    heads = rows[0][0].lower(), rows[1][0].lower()
    if set(heads) in _HEADS:
        return heads
    unnamed = heads == ("", "") and meaning(rows[2][0]) == "date" and not any(rows[2][1:])
    fields = {meaning(c) for c in rows[0][1:]}
    return (("price", "ticker") if "close" in fields else ("ticker", "price")) if unnamed else None


def _read_two_level(text: Text, heads: tuple[str, str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    rows = text.rows
    if len(rows[0]) != len(rows[1]):
        raise InvalidInput(f"The two header rows of {text.name} differ in length ({len(rows[0])}, {len(rows[1])}).")
    has_name_row = not any(rows[2][1:]) and (meaning(rows[2][0]) == "date" or not rows[2][0])
    columns = ["date", *(str(i) for i in range(1, len(rows[0])))]
    table, said = read_body(text, columns, skip=text.ends[2] if has_name_row else text.ends[1])
    body = table.set_index("date")
    price, ticker = (rows[0], rows[1]) if heads[0] in {"price", "attributes"} else (rows[1], rows[0])
    body.columns = pd.MultiIndex.from_arrays([price[1:], ticker[1:]], names=["Price", "Ticker"])
    return body, said
