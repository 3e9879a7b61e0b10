"""The layouts in which price tables come: how each is recognised by its header, and how it is brought to dates × tickers.

A new layout is a function that reads it and an entry of `LAYOUTS`; a new vendor of one share's history an entry of `VENDORS`; another
word in a header an entry of `HEADERS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from eventstudy.days import written_days
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources.files.cells import Figures, check_tickers, cut, numbers, read_days, shown
from eventstudy.sources.files.crsp import Delisting, check_delisting, crsp_figures
from eventstudy.sources.files.plausible import refuse_other_fields, refuse_other_figures
from eventstudy.wording import first_few, iso_day, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: What columns are called, by the kind of file and by what they mean, in small letters. Of prices, blanks and marks in a header do not
#: count; of CRSP the older name of a column comes first; of factors blanks and marks do not count.
HEADERS: Mapping[str, Mapping[str, str]] = {
    "prices": {
        "date": "date datetime day timestamp",
        "ticker": "ticker symbol symbols",
        "close": "close closelast",
        "adj_close": "adjclose adjustedclose closeadj closeadjusted adjcloseprice adjustedcloseprice adjprice adjustedprice",
        "volume": "volume vol",
        "currency": "currency ccy",
        "open": "open",
        "high": "high",
        "low": "low",
    },
    "bars": {
        "period": "<per> per",
        "time": "<time> time",
    },
    "crsp": {
        "date": "date caldt dlycaldt",
        "permno": "permno",
        "ticker": "ticker tic tsymbol",
        "ret": "ret dlyret",
        "prc": "prc dlyprc",
        "vol": "vol dlyvol",
        "shrout": "shrout",
        "cfacpr": "cfacpr dlycumfacpr",
        "dlret": "dlret",
        "dlstcd": "dlstcd",
    },
    "factors": {
        "mkt_rf": "mktrf rmrf mktexcess marketpremium marketriskpremium mktpremium mktprem mrp exmkt marketexcess marketexcessreturn mktexcessreturn",
        "smb": "smb", "hml": "hml", "rmw": "rmw", "cma": "cma", "mom": "mom umd wml momentum",
        "rf": "rf riskfree riskfreerate rfrate", "st_rev": "strev", "lt_rev": "ltrev",
    },
}  # fmt: skip
_MEANS = {kind: {word: m for m, words in table.items() for word in words.split()} for kind, table in HEADERS.items()}
#: How the two header rows of a table are named by the libraries that write it: that of the fields, that of the tickers.
TWO_HEADS = (("price", "ticker"), ("attributes", "symbols"))
#: What the first column of a wide table may be called.
_FIRST = re.compile(r"dates?|datetime|day|time|timestamp|index|unnamed: 0")
#: Fields that are used, and names of fields that are tickers too, if they are written in capitals.
_FIELDS = ("adj_close", "close", "volume")
_FIELDS_AS_TICKERS = frozenset({"LOW", "DAY", "OPEN", "HIGH", "VOL"})
#: Columns that hold words: a ticker may be called NA or TRUE, and a code 007.
_WORDS = frozenset({"date", "ticker", "currency", "period", "time"})
#: Columns whose figures are whole by their nature, or are not read.
_WHOLE_OR_UNUSED = frozenset({"volume", "open", "high", "low"})
#: Columns, tickers and pairs that a message names.
_COLUMNS, _TICKERS, _PAIRS = 12, 8, 6

NEEDED = (
    "Needed is either long (columns date, ticker, close and/or adj_close, optionally volume) "
    "or wide (date first, then one column of adjusted closes per ticker)"
)
ONE_CLOSE = "The file holds one close only; it was taken as adjusted and as traded."
WIDE = "The columns were taken as closes adjusted for splits and dividends."
ADJUSTED_UNKNOWN = "The file holds one close only; it was taken as adjusted for splits and dividends."


class Vendor(NamedTuple):
    """Whose history of one share a file is: the header words that tell, and what is known of its closes.

    ``page``: saved from a web page, so that figures come with ``$`` and ``,``, and closes are adjusted for splits only.
    """

    heads: frozenset[str]
    caution: str
    page: bool = False
    month_first: bool | None = None
    close: str = "close"


VENDORS = (
    Vendor(
        frozenset({"close/last"}),
        "Closes of Nasdaq.com are adjusted for splits but not for dividends: returns on ex-dividend days lack the dividend.",
        page=True,
        month_first=True,
    ),
    Vendor(
        frozenset({"change %"}),
        "Prices of Investing.com are adjusted for splits but not for dividends: returns on ex-dividend days lack the dividend.",
        page=True,
        close="price",
    ),
    Vendor(
        frozenset({"dividends", "stock splits"}),
        "The closes were taken as adjusted for splits and dividends, as the Yahoo client's history makes them by default.",
    ),
)
_OTHER_VENDOR = Vendor(frozenset(), ADJUSTED_UNKNOWN)


@dataclass(frozen=True)
class Asked:
    """What a reader of a table is given beside the table.

    ``ticker`` is the share of a table that does not name its own, ``likely`` the same if neither ``ticker`` nor the ``name`` of the file says
    it; ``delisting`` what to do about the delisting returns of a CRSP file (None: ``recorded``).
    """

    name: str
    ticker: str | None = None
    likely: str | None = None
    delisting: Delisting | None = None

    def __post_init__(self) -> None:
        if self.delisting is not None:
            check_delisting(self.delisting)


class Layout(NamedTuple):
    """A layout: whether a table with these columns has it (none: there are two rows of them), and how it is read.

    ``names_shares`` is False if a table of this layout holds one share and does not name it.
    """

    fits: Callable[[Sequence[str]], bool]
    read: Callable[[pd.DataFrame, Asked], Figures]
    names_shares: bool = True


# -- What headers say.


def meaning(column: str) -> str:
    """Return what a column of prices stands for (``adj_close`` for ``Adj Close``), or an empty word."""
    return _MEANS["prices"].get(re.sub(r"[\s_.\-<>*/]+", "", column.lower()), "")


def factor_of(column: str) -> str:
    """Return which factor a column of the French data library is, or an empty word."""
    return _MEANS["factors"].get(re.sub(r"[\s_.\-]+", "", column).lower(), "")


def meanings(column: str) -> frozenset[str]:
    """Return all that a column may stand for, in files of any kind: every table of `HEADERS` is looked up."""
    word = column.strip().lower()
    return frozenset({meaning(column), *(table.get(word, "") for table in _MEANS.values())})


def holds_words(column: str) -> bool:
    """Tell whether a column holds words, which are read as they are written."""
    return bool(meanings(column) & _WORDS)


def has_decimals(column: str) -> bool:
    """Tell whether it matters how the figures of a column are read: volumes are whole, other fields are not used."""
    return meaning(column) not in _WHOLE_OR_UNUSED


def crsp_columns(columns: Sequence[str], name: str) -> dict[str, str]:
    """Return the columns of CRSP's file by their older names; of several tickers' the first of `HEADERS`."""
    found: dict[str, str] = {}
    for key, words in HEADERS["crsp"].items():
        order = words.split()
        known = sorted((c for c in columns if c.strip().lower() in order), key=lambda c: order.index(c.strip().lower()))
        if len(known) > 1 and key != "ticker":
            both = [c for c in columns if c in known]
            raise InvalidInput(f"{name} has {' and '.join(both)}, two columns for one figure; keep one.")
        found |= {key: known[0]} if known else {}
    return found


def _names(columns: Sequence[object] | pd.Index) -> str:
    """Return column names for a message, a dozen at most."""
    return first_few(cut(columns), _COLUMNS)


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
    return with_gaps(figures.with_cautions(*said))


def _laid_out(table: pd.DataFrame, columns: list[str], asked: Asked) -> Figures:
    """Read a table in the first layout that its columns fit."""
    layout = next(layout for layout in LAYOUTS if layout.fits(columns))
    if asked.delisting is not None and layout.read is not from_crsp:
        raise InvalidInput(
            f"delisting is {asked.delisting!r}, but {asked.name} is no CRSP file (permno, date, ret, …); leave it out."
        )
    figures = layout.read(table, asked)
    return _with_case(_without_ticker(figures, asked)) if layout.names_shares else figures


# -- CRSP's daily file.


def is_crsp(columns: Sequence[str]) -> bool:
    """Return True if the columns are those of CRSP's daily file: permno, and a return or at least a price."""
    found = {_MEANS["crsp"].get(c.strip().lower(), "") for c in columns}
    return "permno" in found and bool({"ret", "prc"} & found)


def from_crsp(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring CRSP's daily file to dates × tickers."""
    columns = crsp_columns([str(c) for c in table.columns], asked.name)
    if "ret" not in columns:
        raise InvalidInput(
            f"{asked.name} has the columns {_names(table.columns)}: permno and prc of CRSP but no ret, and prc is adjusted for nothing. "
            f"Add the column of returns and call it ret.",
            columns=tuple(table.columns),
        )
    return crsp_figures(table, columns, asked.name, asked.delisting or "recorded")


# -- The history of one share, as web pages and clients save it: no ticker in the file.


#: File names in capitals that are no tickers.
_NO_TICKERS = frozenset(
    ["CLOSE", "CLOSES", "DATA", "EXPORT", "HISTORY", "PRICE", "PRICES", "QUOTES", "RETURNS", "STOCKS", "TABLE"]
)


def is_single(columns: Sequence[str]) -> bool:
    """Return True if the columns are those of one share's history: a date and a close, no ticker."""
    names = _single_meanings(columns)
    return "date" in names and "ticker" not in names and bool({"close", "adj_close"} & set(names))


def from_single(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring the history of one share to dates × tickers.

    An adjusted close beside the close, both are as they are; a single close is taken as adjusted, with a caution that says what is known of
    its vendor.
    """
    name, named = asked.name, asked.ticker or ticker_of_name(asked.name)
    ticker = named or asked.likely
    if ticker is None:
        raise InvalidInput(
            f"{name} holds one share and no ticker: rename it NVDA.csv or add a column ticker (name the file by its ticker, or give "
            f"ticker='NVDA' to read_prices). It has the columns {_names(table.columns)}. {NEEDED}.",
            columns=tuple(table.columns),
        )
    check_tickers([ticker], name)
    columns = [str(c) for c in table.columns]
    vendor, chosen = vendor_of(columns), _by_meaning(_single_meanings(columns), table, name)
    days = read_days(table[chosen["date"]], name, vendor.month_first)
    blocks = {
        f: pd.DataFrame({ticker: numbers(table[chosen[f]], name, days, money=vendor.page).to_numpy()}, index=days)
        for f in _FIELDS
        if f in chosen
    }
    figures = _of_vendor(blocks, vendor)
    if "currency" in chosen:
        column = table[chosen["currency"]]
        figures = replace(figures, currency=currencies(column, pd.Series(ticker, index=column.index), name))
    if named:
        return figures
    said = f"Nothing in {name} says whose prices it holds; it was taken for {ticker}, as asked."
    return figures.with_cautions(said)


def vendor_of(columns: Sequence[str]) -> Vendor:
    """Return whose history of one share has these columns."""
    heads = {c.strip().lower() for c in columns}
    return next((v for v in VENDORS if v.heads <= heads), _OTHER_VENDOR)


def _single_meanings(columns: Sequence[str]) -> list[str]:
    close = vendor_of(columns).close
    return ["close" if c.strip().lower() == close else meaning(c) for c in columns]


def _of_vendor(blocks: Mapping[str, pd.DataFrame], vendor: Vendor) -> Figures:
    """Return the figures with what their vendor is known to adjust for."""
    if "adj_close" in blocks:
        return Figures(blocks["adj_close"], blocks.get("close"), blocks.get("volume"))
    close, cautions = blocks["close"], (vendor.caution,)
    if vendor.page:  # as traded but for splits
        return Figures(close, close, blocks.get("volume"), "splits, not dividends", cautions)
    return Figures(close, None, blocks.get("volume"), cautions=cautions)


def ticker_of_name(name: str) -> str | None:
    """Return the ticker that a file's name gives, as names in capitals and Stooq's do; None for names in small letters, which describe a content.

    Examples
    --------
    >>> ticker_of_name("BRK-B.csv"), ticker_of_name("nvda_us_d.csv"), ticker_of_name("closes.csv")
    ('BRK-B', 'NVDA', None)
    >>> ticker_of_name("^GSPC.csv.gz"), ticker_of_name("^spx_d.csv"), ticker_of_name("nvda.us.txt")
    ('^GSPC', '^SPX', 'NVDA')
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


# -- A row for each share and day.


def is_long(columns: Sequence[str]) -> bool:
    """Return True if the columns are those of a long table."""
    return "ticker" in {meaning(c) for c in columns}


def from_long(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a long table (one row per ticker and day) to dates × tickers."""
    name, names = asked.name, [meaning(c) for c in table.columns]
    if "date" not in names or not {"close", "adj_close"} & set(names):
        raise InvalidInput(f"{name} has the columns {_names(table.columns)}. {NEEDED}.", columns=tuple(table.columns))
    chosen = _by_meaning(names, table, name)
    fields = [f for f in _FIELDS if f in chosen]
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
            f"{name} has {first['ticker']} on {iso_day(first['date'])} more than once with different "
            f"figures; keep one row per ticker and day.",
            ticker=str(first["ticker"]),
            day=f"{iso_day(first['date'])}",
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
    period = next((c for c in table.columns if _MEANS["bars"].get(str(c).strip().lower()) == "period"), None)
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


# -- A column for each share.


def from_wide(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a wide table (date first, then one column per ticker) to dates × tickers."""
    name, head, columns = asked.name, str(table.columns[0]), [str(c) for c in table.columns[1:]]
    fields = [c for c in columns if meaning(c) and c not in _FIELDS_AS_TICKERS]
    fields = fields or ([] if any(not meaning(c) for c in columns) else columns)
    if fields:
        raise InvalidInput(
            f"{name} has the columns {_names(table.columns)}: {', '.join(fields)} but no ticker. {NEEDED}.",
            columns=tuple(table.columns),
        )
    if head and not _FIRST.fullmatch(head.strip().lower()):
        raise InvalidInput(
            f"{name} has the columns {_names(table.columns)}; the first is not a date. {NEEDED}.",
            columns=tuple(table.columns),
        )
    check_tickers(columns, name)
    refuse_other_fields(columns, head, name)
    days = read_days(table.iloc[:, 0], name)
    wide = pd.DataFrame({c: numbers(table[c], name, days).to_numpy() for c in table.columns[1:]})
    wide.index = days
    return Figures(wide, cautions=(WIDE, *refuse_other_figures(wide, name)))


# -- Two header rows: fields and tickers.


def two_heads(rows: list[list[str]]) -> tuple[str, str] | None:
    """Return the names of the two header rows of a two-level table, or None."""
    if len(rows) < 3:
        return None
    heads = rows[0][0].lower(), rows[1][0].lower()
    if any(set(heads) == set(named) for named in TWO_HEADS):
        return heads
    unnamed = heads == ("", "") and meaning(rows[2][0]) == "date" and not any(rows[2][1:])
    fields = {meaning(c) for c in rows[0][1:]}
    return (("price", "ticker") if "close" in fields else ("ticker", "price")) if unnamed else None


def from_two_level(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a table with two header rows (field, ticker), as the Yahoo client makes it, to dates × tickers.

    Without ``Adj Close``, ``Close`` is taken as adjusted, as the client's default makes it.
    """
    name = asked.name
    level = next((i for i in (0, 1) if {"close", "adj_close"} & {meaning(str(v)) for v in _level(table, i)}), None)
    if level is None:
        heads = sorted({str(v) for i in (0, 1) for v in _level(table, i)})
        raise InvalidInput(f"{name} has two header rows without a Close: {_names(heads)}. {NEEDED}.")
    check_tickers((v for v in _level(table, 1 - level)), name)
    days = read_days(pd.Series(table.index), name)
    blocks: dict[str, pd.DataFrame] = {}
    for f in _FIELDS:
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
            f"{name} has an Adj Close for {_names(blocks['adj_close'].columns)} and only a Close for {_names(lacking)}; give "
            f"adjusted closes of all, or leave these out."
        )


def _level(table: pd.DataFrame, level: int) -> list[object]:
    return list(table.columns.get_level_values(level))


# -- What the layouts have in common.


def _by_meaning(names: Sequence[str], table: pd.DataFrame, name: str) -> dict[str, str]:
    """Return the columns of a table by what they stand for; refuse two for the same."""
    twice = sorted({m for m in names if m and names.count(m) > 1})
    if twice:
        raise InvalidInput(f"{name} has more than one column for {', '.join(twice)}; keep one.")
    return {m: c for m, c in zip(names, table.columns, strict=True) if m}


def _row(wrong: pd.Series[bool]) -> int:
    return int(wrong.to_numpy().argmax()) + 1


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


def with_local_days(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with its dates that have times as days, and cautions of how they were read; the same table if none has."""
    two_level = table.columns.nlevels > 1
    place = next((i for i, c in enumerate(table.columns) if "date" in meanings(str(c))), 0)
    found = written_days(pd.Series(table.index) if two_level else table.iloc[:, place], name)
    if found is None:
        return table, ()
    said = (found.said,) if found.said else ()
    if two_level:
        return table.set_axis(found.days, axis=0), said
    return table.assign(**{str(table.columns[place]): found.days.to_numpy()}), said


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


def _dates_in_index(table: pd.DataFrame) -> pd.DataFrame:
    """Return a two-level table with its dates in the index, where `reset_index` put them into a column."""
    if isinstance(table.index, pd.RangeIndex):
        dates = [i for i, c in enumerate(table.columns) if meaning(" ".join(map(str, c)).strip()) == "date"]
        if len(dates) == 1:
            rest = table.iloc[:, [i for i in range(table.shape[1]) if i != dates[0]]]
            return rest.set_axis(pd.Index(table.iloc[:, dates[0]]), axis=0)
    return table


def _with_volume(figures: Figures, name: str) -> Figures:
    """Refuse a volume below zero or without end."""
    if figures.volume is not None:
        values = figures.volume.to_numpy()
        wrong = (values < 0) | np.isinf(values)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataUnfit(
                f"{name} has {values[row, column]:g} as the volume of {figures.volume.columns[column]} on "
                f"{iso_day(figures.volume.index[row])}; correct it or leave it empty."
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
    said = f"Tickers that differ only in small and capital letters were taken as different shares: {', '.join(twins[:_PAIRS])}."
    return figures.with_cautions(said)


def _without_ticker(figures: Figures, asked: Asked) -> Figures:
    """Refuse a ticker for a table that names its own."""
    if asked.ticker is not None:
        raise InvalidInput(
            f"ticker is {asked.ticker!r}, but {asked.name} names its own: {', '.join(map(str, figures.adj_close.columns[:_COLUMNS]))}. "
            f"Leave ticker out, and select afterwards."
        )
    return figures


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
            counted = first_few((_days_lost(adjusted[t], lost[t].to_numpy()) for t in short), _TICKERS)
            said.append(
                f"The adjusted close is empty on days that have a close as traded: {counted}. Nothing was put in its place; these days "
                f"have no return."
            )
        empty = [t for t in empty if t not in short]
    if empty:
        said.append(f"No price on any day, so no return: {first_few(empty, _TICKERS)}.")
    return figures.with_cautions(*said)


def _days_lost(adjusted: pd.Series[float], lost: np.ndarray) -> str:
    """Return a ticker with the days that lack an adjusted close."""
    days, count = adjusted.index[lost], int(lost.sum())
    if adjusted.isna().all():
        return f"{adjusted.name} (all {count:,} days)"
    span = " to ".join(dict.fromkeys(iso_day(day) for day in (days.min(), days.max())))
    return f"{adjusted.name} ({plural(count, 'day')}, {span})"


#: The layouts, in the order in which they are looked for.
LAYOUTS: tuple[Layout, ...] = (
    Layout(is_crsp, from_crsp),
    Layout(is_single, from_single, names_shares=False),
    Layout(lambda columns: not columns, from_two_level),
    Layout(is_long, from_long),
    Layout(lambda columns: True, from_wide),
)
