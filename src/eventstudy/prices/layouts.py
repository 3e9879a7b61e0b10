"""The layouts in which price tables come, brought to dates × tickers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas._libs.tslibs.nattype import NaTType

_MEANINGS = {
    "date": "date",
    "datetime": "date",
    "day": "date",
    "ticker": "ticker",
    "symbol": "ticker",
    "close": "close",
    "adjclose": "adj_close",
    "adjustedclose": "adj_close",
    "volume": "volume",
    "open": "open",
    "high": "high",
    "low": "low",
}
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")

NEEDED = (
    "Needed is either long (columns date, ticker, close and/or adj_close, optionally volume) "
    "or wide (date first, then one column of adjusted closes per ticker)"
)
ONE_CLOSE = "The file holds one close only; it was taken as adjusted and as traded."
ADJUSTED_UNKNOWN = "The file holds one close only; it was taken as adjusted for splits and dividends."


@dataclass(frozen=True)
class Figures:
    """Closes and volumes as dates × tickers, with what is known of their adjustment."""

    adj_close: pd.DataFrame
    close: pd.DataFrame | None = None
    volume: pd.DataFrame | None = None
    adjustments: str = "as given in the file"
    cautions: tuple[str, ...] = ()


def meaning(column: str) -> str:
    """Return what a column name stands for (``adj_close`` for ``Adj Close``), or an empty word."""
    return _MEANINGS.get(re.sub(r"[\s_.\-]+", "", column.lower()), "")


def has_long_layout(columns: Sequence[str]) -> bool:
    """Return True if the columns are those of a long table."""
    return "ticker" in {meaning(c) for c in columns}


def from_long(table: pd.DataFrame, name: str) -> Figures:
    """Bring a long table (one row per ticker and day) to dates × tickers.

    Parameters
    ----------
    table : DataFrame
        One row per ticker and day.
    name : str
        The file's name, for messages.

    Returns
    -------
    Figures
        The closes and volumes.

    Raises
    ------
    InvalidInput
        If a needed column is missing or named twice, or the dates are not ISO.
    DataUnfit
        If a cell is not a number, a ticker is missing, or a day has two different rows.
    """
    names = [meaning(c) for c in table.columns]
    chosen = {m: c for m, c in zip(names, table.columns, strict=True) if m}
    if "date" not in chosen or not {"close", "adj_close"} & chosen.keys():
        raise InvalidInput(f"{name} has the columns {_listed(table.columns)}. {NEEDED}.", columns=tuple(table.columns))
    twice = sorted({m for m in names if m and names.count(m) > 1})
    if twice:
        raise InvalidInput(f"{name} has more than one column for {', '.join(twice)}; keep one.")
    fields = [f for f in ("adj_close", "close", "volume") if f in chosen]
    tickers = table[chosen["ticker"]].astype("object")
    missing = tickers.isna() | (tickers.astype(str).str.strip() == "")
    if missing.any():
        raise DataUnfit(f"{name} has no ticker in data row {_row(missing)}; fill it in or drop the row.")
    days = read_days(table[chosen["date"]], name)
    clean = pd.DataFrame({"date": days.to_numpy(), "ticker": tickers.astype(str).str.strip().to_numpy()})
    for f in fields:
        clean[f] = numbers(table[chosen[f]], name, days).to_numpy()
    clean = clean.drop_duplicates()
    repeated = clean.duplicated(["date", "ticker"], keep=False)
    if repeated.any():
        first = clean[repeated].iloc[0]
        raise DataUnfit(
            f"{name} has {first['ticker']} on {first['date']:%Y-%m-%d} more than once with different "
            f"figures; keep one row per ticker and day.",
            ticker=str(first["ticker"]),
            day=f"{first['date']:%Y-%m-%d}",
        )
    return _figures({f: clean.pivot(index="date", columns="ticker", values=f) for f in fields})  # noqa: PD010


def _figures(blocks: dict[str, pd.DataFrame]) -> Figures:
    adjusted, close = blocks.get("adj_close"), blocks.get("close")
    if adjusted is not None:
        return Figures(adjusted, close, blocks.get("volume"))
    assert close is not None
    return Figures(close, close, blocks.get("volume"), cautions=(ONE_CLOSE,))


def from_wide(table: pd.DataFrame, name: str) -> Figures:
    """Bring a wide table (date first, then one column per ticker) to dates × tickers.

    Parameters
    ----------
    table : DataFrame
        Dates in the first column.
    name : str
        The file's name, for messages.

    Returns
    -------
    Figures
        The columns as adjusted closes.

    Raises
    ------
    InvalidInput
        If the first column holds no dates, or the columns are fields (open, high, ...) and not tickers.
    DataUnfit
        If a cell is not a number.
    """
    head, columns = str(table.columns[0]), [str(c) for c in table.columns[1:]]
    fields = [c for c in columns if meaning(c)]
    if fields:
        raise InvalidInput(
            f"{name} has the columns {_listed(table.columns)}: {', '.join(fields)} but no ticker. {NEEDED}. "
            f"For the history of one stock add a column ticker.",
            columns=tuple(table.columns),
        )
    if head and not re.fullmatch(r"date|datetime|day|time|timestamp|index|unnamed: 0", head.strip().lower()):
        raise InvalidInput(
            f"{name} has the columns {_listed(table.columns)}; the first is not a date. {NEEDED}.",
            columns=tuple(table.columns),
        )
    days = read_days(table.iloc[:, 0], name)
    wide = pd.DataFrame({c: numbers(table[c], name, days).to_numpy() for c in table.columns[1:]})
    wide.index = days
    return Figures(wide, cautions=("The columns were taken as closes adjusted for splits and dividends.",))


def from_two_level(table: pd.DataFrame, name: str) -> Figures:
    """Bring a table with two header rows (field, ticker), as the Yahoo client makes it, to dates × tickers.

    Parameters
    ----------
    table : DataFrame
        Indexed by date; two column levels, field and ticker in either order.
    name : str
        The file's name, for messages.

    Returns
    -------
    Figures
        With ``Adj Close`` the closes are as traded; without it ``Close`` is taken as adjusted, as the
        client's default makes it.

    Raises
    ------
    InvalidInput
        If there is no level with closes, or the dates are not ISO.
    DataUnfit
        If a cell is not a number.
    """
    level = next((i for i in (0, 1) if {"close", "adj_close"} & {meaning(str(v)) for v in _level(table, i)}), None)
    if level is None:
        heads = sorted({str(v) for i in (0, 1) for v in _level(table, i)})
        raise InvalidInput(f"{name} has two header rows without a Close: {_listed(heads)}. {NEEDED}.")
    days = read_days(pd.Series(table.index), name)
    blocks: dict[str, pd.DataFrame] = {}
    for f in ("adj_close", "close", "volume"):
        places = [i for i, v in enumerate(_level(table, level)) if meaning(str(v)) == f]
        if places:
            tickers = [str(_level(table, 1 - level)[i]) for i in places]
            columns = [
                numbers(table.iloc[:, i].rename(f"{t} {f}"), name, days) for i, t in zip(places, tickers, strict=True)
            ]
            block = pd.concat([c.reset_index(drop=True) for c in columns], axis=1)
            block.columns, block.index = pd.Index(tickers), days
            blocks[f] = block
    if "adj_close" in blocks:
        return _figures(blocks)
    return Figures(blocks["close"], None, blocks.get("volume"), cautions=(ADJUSTED_UNKNOWN,))


def _level(table: pd.DataFrame, level: int) -> list[object]:
    return list(table.columns.get_level_values(level))


def read_days(column: pd.Series[str], name: str) -> pd.DatetimeIndex:
    """Read a column of days; only ISO forms, because 01/02/2025 is two different days.

    Parameters
    ----------
    column : Series
        Text, dates or timestamps; a time of day is cut off.
    name : str
        The file's name, for messages.

    Returns
    -------
    DatetimeIndex
        Naive midnights, in the order given.

    Raises
    ------
    InvalidInput
        At the first value that is no ISO date; names its row.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype) and not column.isna().any():
        plain = pd.DatetimeIndex(column).tz_localize(None).normalize()
        return pd.DatetimeIndex(plain.to_numpy(dtype="datetime64[ns]"), name="date")
    codes, found = pd.factorize(column, use_na_sentinel=False)  # a long file repeats each day for every ticker
    texts = ["" if pd.isna(v) else str(v).strip() for v in found]
    days = [_iso_day(text) for text in texts]
    for code, (text, day) in enumerate(zip(texts, days, strict=True)):
        if day is pd.NaT:
            row = int((codes == code).argmax()) + 1
            raise InvalidInput(
                f"{name} has {text!r} as a date in data row {row}; write dates as 2025-01-27 (year-month-day).",
                value=text,
            )
    known = pd.DatetimeIndex(days).to_numpy(dtype="datetime64[ns]")
    return pd.DatetimeIndex(known[codes], name="date")


def _iso_day(text: str) -> pd.Timestamp | NaTType:
    if not _ISO_DAY.fullmatch(text):
        return pd.NaT
    return pd.to_datetime(text[:10], format="%Y-%m-%d", errors="coerce")


def numbers(column: pd.Series[float], name: str, days: pd.DatetimeIndex) -> pd.Series[float]:
    """Read a column of figures.

    Parameters
    ----------
    column : Series
        Figures; missing ones as NaN.
    name : str
        The file's name, for messages.
    days : DatetimeIndex
        The day of each row, for messages.

    Returns
    -------
    Series
        The figures as floats.

    Raises
    ------
    DataUnfit
        At the first value that is not a number; names its row, day and column.
    """
    values = column if pd.api.types.is_numeric_dtype(column.dtype) else pd.to_numeric(column, errors="coerce")
    wrong = values.isna() & column.notna()
    if pd.api.types.is_bool_dtype(column.dtype):
        wrong = column.notna()
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise DataUnfit(
            f"{name} has {str(column.iloc[place])!r} in column {column.name}, data row {place + 1} "
            f"({days[place]:%Y-%m-%d}), where a number is needed; correct it or leave the cell empty.",
            column=str(column.name),
            row=place + 1,
        )
    return values.astype("float64")


def _row(wrong: pd.Series[bool]) -> int:
    return int(wrong.to_numpy().argmax()) + 1


def _listed(columns: Sequence[object] | pd.Index) -> str:
    shown = [str(c) for c in list(columns)[:12]]
    return ", ".join(shown) + (f", … ({len(columns)} in all)" if len(columns) > 12 else "")
