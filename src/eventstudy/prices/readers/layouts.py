"""The layouts in which price tables come, brought to dates × tickers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.prices.readers.cells import check_tickers, numbers, read_days, shown
from eventstudy.prices.readers.no_prices import check_names, figures_in_doubt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MEANINGS = {
    "date": "date",
    "datetime": "date",
    "day": "date",
    "timestamp": "date",
    "ticker": "ticker",
    "symbol": "ticker",
    "symbols": "ticker",
    "close": "close",
    "adjclose": "adj_close",
    "adjustedclose": "adj_close",
    "closeadj": "adj_close",
    "closeadjusted": "adj_close",
    "adjcloseprice": "adj_close",
    "adjustedcloseprice": "adj_close",
    "adjprice": "adj_close",
    "adjustedprice": "adj_close",
    "volume": "volume",
    "vol": "volume",
    "closelast": "close",
    "currency": "currency",
    "ccy": "currency",
    "open": "open",
    "high": "high",
    "low": "low",
}
#: Names of fields that are tickers too, if they are written in capitals.
_FIELDS_AS_TICKERS = frozenset({"LOW", "DAY", "OPEN", "HIGH", "VOL"})

NEEDED = (
    "Needed is either long (columns date, ticker, close and/or adj_close, optionally volume) "
    "or wide (date first, then one column of adjusted closes per ticker)"
)
ONE_CLOSE = "The file holds one close only; it was taken as adjusted and as traded."
WIDE = "The columns were taken as closes adjusted for splits and dividends."
ADJUSTED_UNKNOWN = "The file holds one close only; it was taken as adjusted for splits and dividends."


@dataclass(frozen=True)
class Figures:
    """Closes and volumes as dates × tickers, with what is known of their adjustment and currencies."""

    adj_close: pd.DataFrame
    close: pd.DataFrame | None = None
    volume: pd.DataFrame | None = None
    adjustments: str = "as given in the file"
    cautions: tuple[str, ...] = ()
    currency: Mapping[str, str] = field(default_factory=dict)


def meaning(column: str) -> str:
    """Return what a column name stands for (``adj_close`` for ``Adj Close``), or an empty word."""
    return _MEANINGS.get(re.sub(r"[\s_.\-<>*/]+", "", column.lower()), "")


def check_adjusted_names(columns: Sequence[object], name: str) -> None:
    """Refuse a column that seems to hold adjusted closes under an unknown name: without it raw closes would make the returns.

    Raises
    ------
    InvalidInput
        Names the column and what to call it.
    """
    known = {meaning(str(c).lower()) for c in columns}
    for column in columns:
        words = str(column).lower()
        other = re.search(r"open|high|low|vwap|volume", words)
        if "unadj" in words and ("close" in words or "price" in words) and not other:
            if not {"close", "adj_close"} & known:
                raise InvalidInput(
                    f"{name} has the column {shown(column)} and no other closes: returns need closes adjusted for splits and dividends, in a "
                    f"column adj_close.",
                    column=str(column)[:60],
                )
            continue
        if meaning(words) == "" and "adj" in words and ("close" in words or "price" in words) and not other:
            raise InvalidInput(
                f"{name} has the column {shown(column)}, which is none that is known but may hold adjusted closes. Rename it adj_close if "
                f"it does, give it a ticker as its name in a wide table, or leave it out.",
                column=str(column)[:60],
            )


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
        raise InvalidInput(
            f"{name} has the columns {listed_columns(table.columns)}. {NEEDED}.", columns=tuple(table.columns)
        )
    twice = sorted({m for m in names if m and names.count(m) > 1})
    if twice:
        raise InvalidInput(f"{name} has more than one column for {', '.join(twice)}; keep one.")
    fields = [f for f in ("adj_close", "close", "volume") if f in chosen]
    tickers = table[chosen["ticker"]].astype("object")
    missing = tickers.isna() | (tickers.astype(str).str.strip() == "")
    if missing.any():
        raise DataUnfit(f"{name} has no ticker in data row {_row(missing)}; fill it in or drop the row.")
    check_tickers(pd.unique(tickers), name)
    _daily_bars(table, name)
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
    figures = _figures({f: clean.pivot(index="date", columns="ticker", values=f) for f in fields})  # noqa: PD010
    column = table[chosen["currency"]] if "currency" in chosen else None
    return figures if column is None else replace(figures, currency=currencies(column, tickers, name))


def currencies(column: pd.Series[str], tickers: pd.Series[str], name: str) -> dict[str, str]:
    """Return the currency of each ticker from a column of currencies; empty cells tell nothing.

    Raises
    ------
    DataUnfit
        If a ticker has two, or a cell is too long for one.
    """
    pairs = pd.DataFrame({"ticker": tickers.astype(str).str.strip().to_numpy(), "currency": column.to_numpy()}).dropna()
    pairs["currency"] = pairs["currency"].astype(str).str.strip()
    pairs = pairs[pairs["currency"] != ""].drop_duplicates()
    check_tickers(pairs["currency"].unique(), name)
    twice = pairs[pairs["ticker"].duplicated(keep=False)]
    if len(twice):
        ticker = twice["ticker"].iloc[0]
        both = twice["currency"][twice["ticker"] == ticker].tolist()
        raise DataUnfit(
            f"{name} has {ticker} in {' and '.join(both[:4])}; convert its prices to one currency, or keep the rows of one.",
            ticker=ticker,
        )
    return dict(zip(pairs["ticker"], pairs["currency"], strict=True))


def _daily_bars(table: pd.DataFrame, name: str) -> None:
    """Refuse bars of another length than a day, which bulk files mark as D."""
    period = next((c for c in table.columns if str(c).strip().lower() in {"<per>", "per"}), None)
    wrong = pd.Series(dtype=bool) if period is None else table[period].astype(str).str.strip().str.upper() != "D"
    if wrong.any():
        raise DataUnfit(
            f"{name} has {shown(table[period].iloc[_row(wrong) - 1])} as period in data row {_row(wrong)}; only daily rows (D) are read."
        )


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
        If the first column holds no dates, or columns are fields (open, AAA_volume, ...) and not tickers.
    DataUnfit
        If a cell is not a number, or a column's figures are percentages or volumes and no prices.
    """
    head, columns = str(table.columns[0]), [str(c) for c in table.columns[1:]]
    fields = [c for c in columns if meaning(c) and c not in _FIELDS_AS_TICKERS]
    fields = fields or ([] if any(not meaning(c) for c in columns) else columns)
    if fields:
        raise InvalidInput(
            f"{name} has the columns {listed_columns(table.columns)}: {', '.join(fields)} but no ticker. {NEEDED}.",
            columns=tuple(table.columns),
        )
    if head and not re.fullmatch(r"dates?|datetime|day|time|timestamp|index|unnamed: 0", head.strip().lower()):
        raise InvalidInput(
            f"{name} has the columns {listed_columns(table.columns)}; the first is not a date. {NEEDED}.",
            columns=tuple(table.columns),
        )
    check_tickers(columns, name)
    check_names(columns, head, name)
    days = read_days(table.iloc[:, 0], name)
    wide = pd.DataFrame({c: numbers(table[c], name, days).to_numpy() for c in table.columns[1:]})
    wide.index = days
    return Figures(wide, cautions=(WIDE, *figures_in_doubt(wide, name)))


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
        raise InvalidInput(f"{name} has two header rows without a Close: {listed_columns(heads)}. {NEEDED}.")
    check_tickers((v for v in _level(table, 1 - level)), name)
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
        _check_adjusted_of_all(blocks, name)
        return _figures(blocks)
    return Figures(blocks["close"], None, blocks.get("volume"), cautions=(ADJUSTED_UNKNOWN,))


def _check_adjusted_of_all(blocks: Mapping[str, pd.DataFrame], name: str) -> None:
    """Refuse a table that has adjusted closes of some tickers and mere closes of others."""
    lacking = [t for t in blocks.get("close", blocks["adj_close"]).columns if t not in blocks["adj_close"].columns]
    if lacking:
        raise InvalidInput(
            f"{name} has an Adj Close for {listed_columns(blocks['adj_close'].columns)} and only a Close for {listed_columns(lacking)}; give "
            f"adjusted closes of all, or leave these out."
        )


def _level(table: pd.DataFrame, level: int) -> list[object]:
    return list(table.columns.get_level_values(level))


def _row(wrong: pd.Series[bool]) -> int:
    return int(wrong.to_numpy().argmax()) + 1


def listed_columns(columns: Sequence[object] | pd.Index) -> str:
    """Return column names for a message, a dozen at most."""
    first = [str(c)[:60] for c in list(columns)[:12]]
    return ", ".join(first) + (f", … ({len(columns)} in all)" if len(columns) > 12 else "")
