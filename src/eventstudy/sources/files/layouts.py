"""The layouts in which price tables come, brought to dates × tickers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources.files.cells import (
    Figures,
    check_tickers,
    listed_columns,
    meaning,
    numbers,
    read_days,
    shown,
    with_local_days,
)
from eventstudy.sources.files.crsp import Delisting, check_delisting, from_crsp, is_crsp, lacks_returns
from eventstudy.sources.files.doubts import check_names, figures_in_doubt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
#: Names of fields that are tickers too, if they are written in capitals.
_FIELDS_AS_TICKERS = frozenset({"LOW", "DAY", "OPEN", "HIGH", "VOL"})

NEEDED = (
    "Needed is either long (columns date, ticker, close and/or adj_close, optionally volume) "
    "or wide (date first, then one column of adjusted closes per ticker)"
)
ONE_CLOSE = "The file holds one close only; it was taken as adjusted and as traded."
WIDE = "The columns were taken as closes adjusted for splits and dividends."
ADJUSTED_UNKNOWN = "The file holds one close only; it was taken as adjusted for splits and dividends."


def check_adjusted_names(columns: Sequence[object], name: str) -> None:
    """Refuse a column that seems to hold adjusted closes under an unknown name: without it raw closes would make the returns."""
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
    """Bring a long table (one row per ticker and day) to dates × tickers."""
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
    """Return the currency of each ticker from a column of currencies; empty cells tell nothing."""
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
    """Bring a wide table (date first, then one column per ticker) to dates × tickers."""
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

    Returns
    -------
    Figures
        With ``Adj Close`` the closes are as traded; without it ``Close`` is taken as adjusted, as the
        client's default makes it.
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


# -- The history of one share, as web pages and clients save it: no ticker in the file.


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

    Returns
    -------
    Figures
        With an adjusted close beside the close, both as they are; a single close is taken as adjusted, with a caution that says
        what is known of its source.
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


# -- What a table of prices leaves in doubt once it is read: days that lack an adjusted close, columns that are no


#: Tickers that one caution names.
_NAMED = 8


def with_gaps(figures: Figures) -> Figures:
    """Add cautions about closes without an adjusted close beside them, and about tickers without any price."""
    adjusted, close, said = figures.adj_close, figures.close, []
    if adjusted.columns.has_duplicates or adjusted.empty:  # refused later
        return figures
    empty = [t for t, there in adjusted.notna().any().items() if not there]
    if close is not None and not close.columns.has_duplicates:
        both = [t for t in adjusted.columns if t in close.columns]
        lost = close[both].notna() & adjusted[both].isna()
        short = [t for t, some in lost.any().items() if some]
        if short:
            counted = _listed([_days_lost(adjusted[t], lost[t].to_numpy()) for t in short])
            said.append(
                f"The adjusted close is empty on days that have a close as traded: {counted}. Nothing was put in its place; these days "
                f"have no return."
            )
        empty = [t for t in empty if t not in short]
    if empty:
        said.append(f"No price on any day, so no return: {_listed([str(t) for t in empty])}.")
    return replace(figures, cautions=(*figures.cautions, *said)) if said else figures


def _days_lost(adjusted: pd.Series[float], lost: np.ndarray) -> str:
    """Return a ticker with the days that lack an adjusted close."""
    days, count = adjusted.index[lost], int(lost.sum())
    if adjusted.isna().all():
        return f"{adjusted.name} (all {count:,} days)"
    span = f"{days.min():%Y-%m-%d}" + (f" to {days.max():%Y-%m-%d}" if count > 1 else "")
    return f"{adjusted.name} ({count:,} day{'s' * (count > 1)}, {span})"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


# -- Which layout a table has, told by its columns.


@dataclass(frozen=True)
class Asked:
    """What a reader of a table is told beside the table.

    Attributes
    ----------
    name : str
        Of the file or object, for messages.
    ticker : str or None
        The share of a table that does not name its own.
    likely : str or None
        The same, if neither ``ticker`` nor the name says it.
    delisting : str or None
        What to do about the delisting returns of a CRSP file; None is ``recorded``.
    """

    name: str
    ticker: str | None = None
    likely: str | None = None
    delisting: Delisting | None = None

    def __post_init__(self) -> None:
        if self.delisting is not None:
            check_delisting(self.delisting)


def figures_of(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a table of prices in any known layout to dates × tickers."""
    if table.columns.nlevels > 2:
        raise InvalidInput(f"{asked.name} has {table.columns.nlevels} levels of columns; at most two are read.")
    if table.columns.nlevels == 1:
        table = _plain(table, asked.name)
    columns = [str(c) for c in table.columns] if table.columns.nlevels == 1 else []
    heads = columns or [v for i in (0, 1) for v in table.columns.get_level_values(i).unique()]
    check_adjusted_names(heads, asked.name)
    if not columns:
        table = _dates_in_index(table)
    table, said = with_local_days(table, asked.name)
    figures = _with_volume(_laid_out(table, columns, asked), asked.name)
    return with_gaps(replace(figures, cautions=(*figures.cautions, *said)))


def _laid_out(table: pd.DataFrame, columns: list[str], asked: Asked) -> Figures:
    """Read a table in the layout that its columns tell; there are none if it has two rows of them."""
    if lacks_returns(columns):
        raise InvalidInput(
            f"{asked.name} has the columns {listed_columns(columns)}: permno and prc of CRSP but no ret, and prc is adjusted for nothing. "
            f"Add the column of returns and call it ret.",
            columns=tuple(columns),
        )
    if asked.delisting is not None and not is_crsp(columns):
        raise InvalidInput(
            f"delisting is {asked.delisting!r}, but {asked.name} is no CRSP file (permno, date, ret, …); leave it out."
        )
    if is_single(columns) and not is_crsp(columns):
        named = asked.ticker or ticker_of_name(asked.name)
        figures = from_single(table, asked.name, named or asked.likely)
        return figures if named else _taken_for(figures, asked)  # it has one ticker: no case to compare
    if is_crsp(columns):
        figures = from_crsp(table, asked.name, asked.delisting or "recorded")
    elif not columns:
        figures = from_two_level(table, asked.name)
    else:
        figures = from_long(table, asked.name) if has_long_layout(columns) else from_wide(table, asked.name)
    return _with_case(_without_ticker(figures, asked))


def _taken_for(figures: Figures, asked: Asked) -> Figures:
    """Add a caution that neither the file nor its name says whose prices these are."""
    said = f"Nothing in {asked.name} says whose prices it holds; it was taken for {asked.likely}, as asked."
    return replace(figures, cautions=(*figures.cautions, said))


def _plain(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table of one level of columns with its dates in a column and every column once."""
    if not isinstance(table.index, pd.RangeIndex):
        clash = [str(n) for n in table.index.names if n is not None and n in table.columns]
        if clash:
            raise InvalidInput(f"{name} has {', '.join(clash)} as its index and as a column; keep one.")
        table = table.reset_index()
    columns = [str(c) for c in table.columns]
    if len(columns) < 2:
        raise InvalidInput(f"{name} has only the column {', '.join(columns)}; dates and prices are needed.")
    twice = sorted({c[:60] for c in columns if columns.count(c) > 1}) if len(set(columns)) < len(columns) else []
    if twice:
        raise InvalidInput(f"{name} has the column {', '.join(map(repr, twice))} more than once; keep one.")
    return table.set_axis(columns, axis=1)


def _with_volume(figures: Figures, name: str) -> Figures:
    """Refuse a volume below zero or without end."""
    if figures.volume is not None:
        values = figures.volume.to_numpy()
        wrong = (values < 0) | np.isinf(values)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataUnfit(
                f"{name} has {values[row, column]:g} as the volume of {figures.volume.columns[column]} on "
                f"{figures.volume.index[row]:%Y-%m-%d}; correct it or leave it empty."
            )
    return figures


def _with_case(figures: Figures) -> Figures:
    """Add a caution about tickers that differ in case only, for a share may be split over two of them."""
    spelt: dict[str, list[str]] = {}
    for ticker in map(str, figures.adj_close.columns):
        spelt.setdefault(ticker.casefold(), []).append(ticker)
    twins = [" and ".join(t) for t in spelt.values() if len(t) > 1]
    if not twins:
        return figures
    said = (
        f"Tickers that differ only in small and capital letters were taken as different shares: {', '.join(twins[:6])}."
    )
    return replace(figures, cautions=(*figures.cautions, said))


def _without_ticker(figures: Figures, asked: Asked) -> Figures:
    """Refuse a ticker for a table that names its own."""
    if asked.ticker is not None:
        raise InvalidInput(
            f"ticker is {asked.ticker!r}, but {asked.name} names its own: {', '.join(map(str, figures.adj_close.columns[:12]))}. "
            f"Leave ticker out, and select afterwards."
        )
    return figures


def _dates_in_index(table: pd.DataFrame) -> pd.DataFrame:
    """Return a two-level table with its dates in the index, where `reset_index` put them into a column."""
    if isinstance(table.index, pd.RangeIndex):
        dates = [i for i, c in enumerate(table.columns) if meaning(" ".join(map(str, c)).strip()) == "date"]
        if len(dates) == 1:
            rest = table.iloc[:, [i for i in range(table.shape[1]) if i != dates[0]]]
            return rest.set_axis(pd.Index(table.iloc[:, dates[0]]), axis=0)
    return table
