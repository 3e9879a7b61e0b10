"""The history of one share, as web pages and clients save it: no ticker in the file."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.prices.readers.cells import check_tickers, numbers, read_days
from eventstudy.prices.readers.layouts import ADJUSTED_UNKNOWN, NEEDED, Figures, currencies, listed_columns, meaning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: File names in capitals that are no tickers.
_NO_TICKERS = frozenset(
    ["CLOSE", "CLOSES", "DATA", "EXPORT", "HISTORY", "PRICE", "PRICES", "QUOTES", "RETURNS", "STOCKS", "TABLE"]
)
NASDAQ = (
    "Closes of Nasdaq.com are adjusted for splits but not for dividends: returns on ex-dividend days lack the dividend."
)
INVESTING = "Prices of Investing.com are adjusted for splits but not for dividends: returns on ex-dividend days lack the dividend."
CLIENT = (
    "The closes were taken as adjusted for splits and dividends, as the Yahoo client's history makes them by default."
)


def is_single(columns: Sequence[str]) -> bool:
    """Return True if the columns are those of one share's history: a date and a close, no ticker."""
    names = {meaning(c) for c in columns}
    has_close = bool({"close", "adj_close"} & names) or _is_investing(columns)
    return "date" in names and "ticker" not in names and has_close


def _is_investing(columns: Sequence[str]) -> bool:
    return {"price", "change %"} <= {c.strip().lower() for c in columns}


def ticker_of_name(name: str) -> str | None:
    """Return the ticker that a file's name gives.

    Parameters
    ----------
    name : str
        A file's name, without folder.

    Returns
    -------
    str or None
        ``NVDA`` of ``NVDA.csv``, ``^GSPC`` of ``^GSPC.csv.gz``, ``NVDA`` of ``nvda_us_d.csv`` (Stooq) and ``nvda.us.txt``, ``^SPX`` of
        ``^spx_d.csv``;
        None for names in small letters, which describe a content.

    Examples
    --------
    >>> ticker_of_name("BRK-B.csv"), ticker_of_name("nvda_us_d.csv"), ticker_of_name("closes.csv")
    ('BRK-B', 'NVDA', None)
    """
    stem = re.sub(r"(\.csv|\.csv\.gz|\.txt|\.parquet)$", "", name, flags=re.IGNORECASE)
    stooq = re.fullmatch(r"([a-z0-9^-]{1,12})(_[a-z]{2}_d|\.[a-z]{2})", stem)
    if stooq:
        return stooq[1].upper()
    index = re.fullmatch(r"(\^[a-z0-9]{1,11})(_d)?", stem)
    if index:
        return index[1].upper()
    fits = re.fullmatch(r"\^?[A-Z0-9][A-Z0-9.=-]{0,14}", stem) and re.search(r"[A-Z]", stem)
    return stem if fits and stem not in _NO_TICKERS else None


def from_single(table: pd.DataFrame, name: str, ticker: str | None) -> Figures:
    """Bring the history of one share to dates × tickers.

    Parameters
    ----------
    table : DataFrame
        A column of dates, a close and/or an adjusted close, in any order of rows.
    name : str
        The file's name, for messages.
    ticker : str or None
        What to call the share.

    Returns
    -------
    Figures
        With an adjusted close beside the close, both as they are; a single close is taken as adjusted, with a caution that says
        what is known of its source.

    Raises
    ------
    InvalidInput
        If there is no ticker, a column is there twice, or the dates cannot be read.
    DataUnfit
        If a cell is not a number.
    """
    if ticker is None:
        raise InvalidInput(
            f"{name} holds one share and no ticker: rename it NVDA.csv or add a column ticker (name the file by its ticker, or give "
            f"ticker='NVDA' to read_prices). It has the columns {listed_columns(table.columns)}. {NEEDED}.",
            columns=tuple(table.columns),
        )
    check_tickers([ticker], name)
    names = [_meaning(str(c), [str(c) for c in table.columns]) for c in table.columns]
    twice = sorted({m for m in names if m and names.count(m) > 1})
    if twice:
        raise InvalidInput(f"{name} has more than one column for {', '.join(twice)}; keep one.")
    chosen = {m: c for m, c in zip(names, table.columns, strict=True) if m}
    heads = {str(c).strip().lower() for c in table.columns}
    month_first = True if "close/last" in heads else None
    days = read_days(table[chosen["date"]], name, month_first)
    blocks: dict[str, pd.DataFrame] = {
        f: pd.DataFrame({ticker: numbers(table[chosen[f]], name, days, money=_is_page(heads)).to_numpy()}, index=days)
        for f in ("adj_close", "close", "volume")
        if f in chosen
    }
    figures = _of_blocks(blocks, heads)
    if "currency" in chosen:
        column = table[chosen["currency"]]
        return replace(figures, currency=currencies(column, pd.Series(ticker, index=column.index), name))
    return figures


def _of_blocks(blocks: Mapping[str, pd.DataFrame], heads: set[str]) -> Figures:
    """Return the figures with what their source is known to adjust for."""
    if "adj_close" in blocks:
        return Figures(blocks["adj_close"], blocks.get("close"), blocks.get("volume"))
    close = blocks["close"]
    if _is_page(heads):  # as traded but for splits
        caution = NASDAQ if "close/last" in heads else INVESTING
        return Figures(close, close, blocks.get("volume"), "splits, not dividends", (caution,))
    caution = CLIENT if {"dividends", "stock splits"} <= heads else ADJUSTED_UNKNOWN
    return Figures(close, None, blocks.get("volume"), cautions=(caution,))


def _is_page(heads: set[str]) -> bool:
    return "close/last" in heads or "change %" in heads


def _meaning(column: str, columns: list[str]) -> str:
    return "close" if column.strip().lower() == "price" and _is_investing(columns) else meaning(column)
