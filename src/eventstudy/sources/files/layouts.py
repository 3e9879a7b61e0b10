"""The layouts in which price tables come: how each is recognised by its header, and how it is brought to dates × tickers.

A new layout is a function that reads it and an entry of `LAYOUTS`; another word in a header, and a new vendor of one share's history, an
entry of words.toml.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy.days import written_days
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources.files.cells import (
    WORDS,
    Figures,
    check_tickers,
    column_names,
    cut,
    may_be_ticker,
    numbers,
    refuse_repeated,
    shown,
)
from eventstudy.sources.files.crsp import Delisting, check_delisting, crsp_figures
from eventstudy.sources.files.plausible import refuse_adjusted, refuse_bars, refuse_other_fields, refuse_other_figures
from eventstudy.wording import first_few, iso_day, plural
from eventstudy.written_days import is_day, plain_offsets, read_days

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: What columns are called, by the kind of file and by what they mean, in small letters.
HEADERS: Mapping[str, Mapping[str, str]] = WORDS["headers"]


#: What is no letter of a header, of the first 128 characters.
_MARKS = dict.fromkeys(map(ord, " \t\n\r\f\v\x1c\x1d\x1e\x1f_.-<>*/:"))


def plainly(word: str) -> str:
    """Return a header in small letters without blanks, marks and accents: ``adjclose`` for ``Adj. Close``."""
    if word.isascii():
        return word.casefold().translate(_MARKS)
    letters = (c for c in unicodedata.normalize("NFKD", word.casefold()) if unicodedata.category(c) != "Mn")
    return re.sub(r"[\s_.\-<>*/:]+", "", "".join(letters)).replace("ł", "l").replace("ø", "o")


_MEANS = {kind: {plainly(w): m for m, words in table.items() for w in words.split()} for kind, table in HEADERS.items()}
#: How the two header rows of a table are named by the libraries that write it: that of the fields, that of the tickers.
TWO_HEADS = ({"price", "ticker"}, {"attributes", "symbols"})
#: What else the first column of a wide table may be called.
_FIRST = re.compile(r"time|index|unnamed: 0|")
#: A column without a name, and one that had the name of another before the program that read it numbered it (pandas, R).
UNNAMED, _NUMBERED = re.compile(r"|unnamed: \d+", re.IGNORECASE), re.compile(r"(.+?)(?:\.{1,3}|_)\d+")
#: What pandas puts in place of one of two heads that is empty.
_NO_HEAD = re.compile(r"|unnamed: \d+(_level_\d)?", re.IGNORECASE)
#: Fields that are used.
_FIELDS = ("adj_close", "close", "volume")
_CLOSES = frozenset({"close", "adj_close"})
#: What means no figures, and may be a ticker.
_NO_FIGURES = frozenset({"", "period", "time"})
#: What a row may end without.
_SPARE = frozenset({"volume", "last", "other"})
#: So many different times a day are bars within it.
_BARS = 1.5
#: Columns that hold words: a ticker may be called NA or TRUE, and a code 007.
_WORDS = frozenset({"date", "ticker", "firm", "currency", "period", "time"})
#: What names without a meaning tell: an adjusted close or its factor; prices of another kind; a close that is adjusted for nothing.
_ADJUSTED = re.compile(
    r"adj|ajust|aggiust|rettific|bereinigt|juster|upraven|korrig|oikaist|düzeltil|προσαρμοσ|скориг|skoryg|aangepast|gecorrig|hfq|qfq|复权|復權|调整|調整|수정|조정|скорр"
    r"|tot(al)?[\W_]*ret|ajex|trfd|cfac|factor"
)
_OTHER_PRICE = re.compile(r"open|high|low|vwap|vol")
_RAW = re.compile(r"(un|non|not.?)adj|unbereinigt|raw|不复权")
_PRICE = re.compile(r"clos|price|last|kurs")
#: Tickers and pairs that a message names.
_TICKERS, _PAIRS = 8, 6

NEEDED = (
    "Needed is either long (columns date, ticker, close and/or adj_close, optionally volume) "
    "or wide (date first, then one column of adjusted closes per ticker)"
)
ONE_CLOSE = "No column is known to hold adjusted closes; the close was taken as adjusted and as traded."
WIDE = "The columns were taken as closes adjusted for splits and dividends."
ADJUSTED_UNKNOWN = WORDS["vendors"][-1]["caution"]


#: What to do about columns of one name.
WHOSE = "keep one, or, if they are of several firms, write the ticker of each in the row above (an empty cell takes the name to its left)"
#: Adjusted closes that by the custom of their country leave dividends in.
_WITHOUT_DIVIDENDS = re.compile(r"調整後終値|수정(종가|주가)")


@dataclass(frozen=True)
class Asked:
    """What a reader of a table is given beside the table.

    ``ticker`` is the share of a table that does not name its own, ``likely`` the same if neither ``ticker`` nor the ``name`` of the file says
    it; ``delisting`` what to do about the delisting returns of a CRSP file (None: ``recorded``); ``wanted`` the tickers asked for, one of
    which it may be.
    """

    name: str
    ticker: str | None = None
    likely: str | None = None
    delisting: Delisting | None = None
    wanted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.delisting is not None:
            check_delisting(self.delisting)


# -- What headers say.


def meaning(column: str, kind: str = "prices") -> str:
    """Return what a column stands for in files of a kind (``adj_close`` for ``Adj Close``), or an empty word."""
    return _MEANS[kind].get(plainly(column), "")


def meanings(column: str) -> frozenset[str]:
    """Return all that a column may stand for, in files of any kind: every table of `HEADERS` is looked up."""
    return frozenset(meaning(column, kind) for kind in _MEANS)


def holds_words(column: str) -> bool:
    """Tell whether a column holds words, which are read as they are written."""
    return bool(meanings(column) & _WORDS)


def has_decimals(column: str) -> bool:
    """Tell whether it matters how the figures of a column are read: volumes are whole, other fields are not used."""
    return meaning(column) not in _SPARE


def needed_cells(columns: Sequence[str]) -> int:
    """Return how many cells a row must have: its last may be wanting where they are a volume or not used."""
    told = _row_meanings(columns)
    spare = _SPARE if _CLOSES & set(told) else ()
    needed = [m not in spare and not UNNAMED.fullmatch(c) for c, m in zip(columns, told, strict=True)]
    return len(columns) - needed[::-1].index(True)


def crsp_columns(columns: Sequence[str], name: str) -> dict[str, str]:
    """Return the columns of CRSP's file by their older names."""
    return columns_of_kind("crsp", columns, [meaning(c, "crsp") for c in columns], name)


def columns_of_kind(kind: str, columns: Sequence[str], names: Sequence[str], name: str) -> dict[str, str]:
    """Return the columns that are used by what they stand for: of several that name firms the first in the order of `HEADERS`; else refuse two for one."""
    found: dict[str, str] = {}
    for m, words in HEADERS[kind].items():
        known = [c for c, n in zip(columns, names, strict=True) if n == m and m not in {"last", "other"}]
        if len(known) > 1 and m not in {"ticker", "firm"}:
            raise InvalidInput(f"{name} has {' and '.join(cut(known))}, two columns for one figure; keep one.")
        if known:
            order = [plainly(word) for word in words.split()]
            found[m] = known[0] if len(known) == 1 else min(known, key=lambda c: order.index(plainly(c)))
    if "ticker" in found:
        found.pop("firm", None)
    return found


def figures_of(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a table of prices in any known layout to dates × tickers."""
    if table.columns.nlevels > 2:
        raise InvalidInput(f"{asked.name} has {table.columns.nlevels} levels of columns; at most two are read.")
    if table.columns.nlevels == 1:
        table = _plain(table, asked.name)
    columns = [str(c) for c in table.columns] if table.columns.nlevels == 1 else []
    if not columns:
        table = _dates_in_index(table)
    table, said = with_local_days(table, asked.name)
    read = next(read for fits, read in LAYOUTS if fits(columns))
    if asked.delisting is not None and read is not from_crsp:
        raise InvalidInput(
            f"delisting is {asked.delisting!r}, but {asked.name} is no CRSP file (permno, date, ret, …); leave it out."
        )
    figures = _with_volume(_with_case(_called(read(table, asked), asked)), asked.name)
    return with_gaps(figures.with_cautions(*said))


# -- CRSP's daily file.


def is_crsp(columns: Sequence[str]) -> bool:
    """Return True if the columns are those of CRSP's daily file: permno, and a return or at least a price."""
    found = {meaning(c, "crsp") for c in columns}
    return "permno" in found and bool({"ret", "prc"} & found)


def from_crsp(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring CRSP's daily file to dates × tickers."""
    columns = crsp_columns([str(c) for c in table.columns], asked.name)
    if "ret" not in columns:
        raise InvalidInput(
            f"{asked.name} has the columns {column_names(table.columns)}: permno and prc of CRSP but no ret, and prc is adjusted for nothing. "
            f"Add the column of returns and call it ret.",
            columns=tuple(table.columns),
        )
    return crsp_figures(table, columns, asked.name, asked.delisting or "recorded")


# -- A row for each day, or for each share and day.


#: File names in capitals that are no tickers.
_NO_TICKERS = frozenset(
    ["CLOSE", "CLOSES", "DATA", "EXPORT", "HISTORY", "PRICE", "PRICES", "QUOTES", "RETURNS", "STOCKS", "TABLE"]
)
#: Between the days of different firms lie more than so many.
_LEAP = np.timedelta64(10, "D")


def is_in_rows(columns: Sequence[str]) -> bool:
    """Return True if the columns are those of a table with a row for each day: a ticker, or a date and a close."""
    names = set(_row_meanings(columns))
    return "ticker" in names or ({"date"} < names and bool(_CLOSES & names))


def from_rows(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a long table (one row per ticker and day), or the history of one share (no ticker), to dates × tickers.

    An adjusted close beside the close, both are as they are; a single close of one share is taken as adjusted, with a caution that says
    what is known of its vendor.
    """
    name, columns = asked.name, [str(c) for c in table.columns]
    names = _row_meanings(columns)
    if "date" not in names or not _CLOSES & set(names):
        _refuse_unknown(list(filter(_is_raw, columns)), set(), name)
        raise InvalidInput(f"{name} has the columns {column_names(columns)}. {NEEDED}.", columns=tuple(columns))
    chosen = columns_of_kind("prices", columns, names, name)
    named = asked.ticker or ticker_of_name(name) or asked.likely
    if named and "firm" in chosen and table[chosen["firm"]].nunique() < 2:
        del chosen["firm"]  # an ISIN or a name beside the ticker that is given
    said = _unused(columns, names, set(chosen.values()), name)
    firm, vendor = chosen.get("ticker", chosen.get("firm")), vendor_of(columns)
    days = read_days(table[chosen["date"]], name, vendor.get("month_first") if firm is None else None)
    page = firm is None and vendor.get("page", False)
    unknown = [
        c for c, m in zip(columns, names, strict=True) if c not in chosen.values() and m in {"", "ticker", "firm"}
    ]
    tickers, doubt = _shares(table, firm, unknown, days, asked)
    _daily_bars(table, name)
    fields = [f for f in _FIELDS if f in chosen]
    clean = pd.DataFrame({"date": days.to_numpy(), "ticker": tickers.to_numpy()})
    for f in fields:
        clean[f] = numbers(table[chosen[f]], name, days, money=page).to_numpy()
    clock = [c for c, m in zip(columns, names, strict=True) if c == chosen["date"] or m == "time"]
    priced = clean[[f for f in fields if f in _CLOSES]].notna().any(axis=1)
    clean = clean.iloc[
        _once_a_day(clean[["ticker", "date"]], clean[fields], priced, table[clock], table[unknown], name)
    ]
    if "adj_close" not in fields:
        beside = [c for c in columns if c not in chosen.values()]
        refuse_adjusted(clean, table[beside].iloc[clean.index], name)
    figures = _figures({f: clean.pivot(index="date", columns="ticker", values=f) for f in fields})  # noqa: PD010
    if firm is None and "adj_close" not in fields:
        figures = replace(figures, close=figures.close if page else None, cautions=(vendor["caution"],))
        figures = replace(figures, adjustments="splits, not dividends") if page else figures
    elif _WITHOUT_DIVIDENDS.search(chosen.get("adj_close", "")):
        said += (f"By custom, closes under {chosen['adj_close']} are adjusted for splits but not for dividends.",)
    if "currency" in chosen:
        figures = replace(figures, currency=currencies(table[chosen["currency"]], tickers, name))
    return figures.with_cautions(*said, *doubt)


def _shares(
    table: pd.DataFrame, firm: str | None, unknown: list[str], days: pd.DatetimeIndex, asked: Asked
) -> tuple[pd.Series[str], tuple[str, ...]]:
    """Return the ticker of each row, from the column that names firms or for a table of one share, and a caution if only the question says it."""
    doubt: tuple[str, ...] = ()
    if firm is None:
        _refuse_firms(table[unknown], days, asked.name)
        ticker, doubt = _whose(asked, table.columns)
        tickers = pd.Series(ticker, index=table.index, dtype="object")
    else:
        tickers = table[firm].astype("object")
        missing = tickers.isna() | (tickers.astype(str).str.strip() == "")
        if missing.any():
            raise DataUnfit(f"{asked.name} has no ticker in data row {_row(missing)}; fill it in or drop the row.")
    check_tickers(pd.unique(tickers), asked.name)
    return tickers.astype(str).str.strip(), doubt


def _whose(asked: Asked, columns: Sequence[str] | pd.Index) -> tuple[str, tuple[str, ...]]:
    """Return the ticker of a table that does not name its share, and a caution if only the question says it."""
    name, stem = asked.name, file_stem(asked.name)
    named = asked.ticker or ticker_of_name(name) or (stem if stem == asked.likely else None)
    if named is not None:
        return named, ()
    if asked.likely is not None:
        return asked.likely, (
            f"Nothing in {name} says whose prices it holds; it was taken for {asked.likely}, as asked.",
        )
    example = asked.wanted[0] if asked.wanted else stem if re.fullmatch(r"[A-Z0-9.^=-]{1,12}", stem) else "NVDA"
    way = f"load_prices({{{example!r}: table}})"
    if stem != name:
        way = f'load_prices({{{example!r}: {name!r}}}), read_prices(…, ticker={example!r}), or in a study file source = {{"{example}" = "{name}"}}'
    raise InvalidInput(
        f"{name} holds one share and no ticker: name the file by its ticker, add a column ticker, or say whose it is: {way}. It has the columns "
        f"{column_names(columns)}. {NEEDED}.",
        columns=tuple(columns),
    )


def vendor_of(columns: Sequence[str]) -> Mapping[str, Any]:
    """Return whose history of one share has these columns."""
    heads = {plainly(c) for c in columns}
    return next(vendor for vendor in WORDS["vendors"] if heads.issuperset(vendor["heads"]))


def _row_meanings(columns: Sequence[str]) -> list[str]:
    """Return what columns stand for; the last price is a close where there is no other, and so is a price where there is no ticker either."""
    names = [meaning(c) for c in columns]
    # Among tickers LAST is one, CLOSE is not.
    if any(m in _NO_FIGURES and may_be_ticker(c) for c, m in zip(columns, names, strict=True)):
        names = [
            "" if m in {"last", "adj_close", "total_return"} and may_be_ticker(c) else m
            for c, m in zip(columns, names, strict=True)
        ]
    names = _settled(names)
    lone = not {"close", "adj_close", "ticker", "firm"} & set(names)
    return ["close" if lone and plainly(c) == "price" else m for c, m in zip(columns, names, strict=True)]


def _settled(names: Sequence[str]) -> list[str]:
    """Return meanings with those settled that depend on the others: the last price, and a total return."""
    last = "last" if "close" in names else "close"
    total = "adj_close" if "adj_close" not in names and {"close", "ticker", "firm"} & set(names) else ""
    return [{"last": last, "total_return": total}.get(m, m) for m in names]


def _once_a_day(
    keys: pd.DataFrame,
    figures: pd.DataFrame,
    priced: pd.Series[bool],
    written: pd.DataFrame,
    unknown: pd.DataFrame,
    name: str,
) -> np.ndarray:
    """Return the places of the rows to keep, one for each key: equal rows count once, rows without a price not beside one that has it; refuse others.

    ``written`` holds days and times as they are written, ``unknown`` the columns without a meaning: they may tell why there are several rows.
    """
    if not keys.duplicated().any():
        return np.arange(len(keys))
    rows, index = pd.concat([keys, figures], axis=1), pd.MultiIndex.from_frame(keys)
    kept = np.flatnonzero((priced | ~index.isin(index[priced])).to_numpy())
    kept = np.asarray(kept[~rows.iloc[kept].duplicated().to_numpy()])
    again = keys.iloc[kept].duplicated(keep=False).to_numpy()
    if not again.any():
        return kept
    key = keys.iloc[kept[again][0]]
    same = kept[(keys.iloc[kept] == key).all(axis=1).to_numpy()]
    where, both = " on ".join([*map(str, key.drop("date")), iso_day(key["date"])]), figures.iloc[same]
    clocks = list(dict.fromkeys(" ".join(map(str, cells)) for cells in written.iloc[same].itertuples(index=False)))
    if len(clocks) > 1 and (":" in clocks[0] or len(written.columns) > 1):
        raise DataUnfit(
            f"{name} has bars within the day, such as {first_few(clocks, 3)}. Keep one row a day, that of the close, or download daily prices."
        )
    differing = [f"{f} {first_few([f'{v:g}' for v in both[f]], 3)}" for f in both if len(both[f].drop_duplicates()) > 1]
    apart = [c for c in unknown if unknown[c].iloc[same].nunique() == len(same)]
    why = f" The column {apart[0]} tells these rows apart: if it names firms, call it ticker." if apart else ""
    raise DataUnfit(
        f"{name} has {where} more than once with different figures ({first_few(differing, _TICKERS)}); keep one row per ticker and day.{why}",
        day=iso_day(key["date"]),
        **({"ticker": str(key["ticker"])} if "ticker" in key else {}),
    )


def _refuse_firms(unknown: pd.DataFrame, days: pd.DatetimeIndex, name: str) -> None:
    """Refuse a table without a ticker in which a column names several firms: by blocks of days (of numbers, with a leap between), or as it parts rows of one day."""
    order = np.argsort(days.to_numpy(), kind="stable")
    leaps = np.diff(days.to_numpy()[order]) > _LEAP
    for column in map(str, unknown.columns):
        codes, found = pd.factorize(unknown[column])
        changes = np.diff(codes[order]) != 0
        several = 1 < len(found) <= len(codes) / 2 and (codes >= 0).all()
        leap = not pd.api.types.is_numeric_dtype(unknown[column]) or leaps[changes].all()
        in_blocks = changes.sum() == len(found) - 1 and leap
        apart = days.has_duplicates and not pd.DataFrame({"day": days, "value": codes}).duplicated().any()
        if several and (in_blocks or apart):
            raise InvalidInput(
                f"{name} has no column that is known to hold tickers, but {column} seems to name several firms ({first_few([str(f) for f in found], 3)}): "
                f"call it ticker, or keep the rows of one.",
                column=column,
            )


def file_stem(name: str) -> str:
    """Return the name of a file of prices without its ending."""
    return re.sub(r"(\.csv|\.csv\.gz|\.txt|\.parquet|\.xlsx)$", "", name, flags=re.IGNORECASE)


def ticker_of_name(name: str) -> str | None:
    """Return the ticker that a file's name gives, as names in capitals and Stooq's do; None for names in small letters, which describe a content.

    Examples
    --------
    >>> ticker_of_name("BRK-B.csv"), ticker_of_name("nvda_us_d.csv"), ticker_of_name("closes.csv")
    ('BRK-B', 'NVDA', None)
    >>> ticker_of_name("^GSPC.csv.gz"), ticker_of_name("^spx_d.csv"), ticker_of_name("nvda.us.txt")
    ('^GSPC', '^SPX', 'NVDA')
    """
    stem = file_stem(name)
    stooq = re.fullmatch(r"([a-z0-9^-]{1,12})(_[a-z]{2}_d|\.[a-z]{2})|(\^[a-z0-9]{1,11})(_d)?", stem)
    if stooq:
        return (stooq[1] or stooq[3]).upper()
    fits = re.fullmatch(r"\^?[A-Z0-9][A-Z0-9.=-]{0,14}", stem) and re.search(r"[A-Z]", stem)
    return stem if fits and stem not in _NO_TICKERS else None


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
    for period in (c for c in table.columns if meaning(str(c)) == "period"):
        wrong = table[period].astype(str).str.strip().str.upper() != "D"
        if wrong.any():
            cell, row = table[period].iloc[_row(wrong) - 1], _row(wrong)
            raise DataUnfit(f"{name} has {shown(cell)} as period in data row {row}; only daily rows (D) are read.")


def _figures(blocks: dict[str, pd.DataFrame]) -> Figures:
    adjusted = next(blocks[f] for f in _FIELDS if f in blocks)
    return Figures(
        adjusted, blocks.get("close"), blocks.get("volume"), cautions=(ONE_CLOSE,) * ("adj_close" not in blocks)
    )


# -- A column for each share.


def from_wide(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a wide table (date first, then one column per ticker) to dates × tickers."""
    name, head, columns = asked.name, str(table.columns[0]), [str(c) for c in table.columns[1:]]
    fields = [c for c in columns if meaning(c) and not may_be_ticker(c)]
    fields = fields or ([] if any(meaning(c) in {"total_return", *_NO_FIGURES} for c in columns) else columns)
    if fields:
        known = set(map(meaning, table.columns))
        lacking = [
            "ticker",
            *["date"] * ("date" not in known),
            *["close that is known by its name"] * (not known & {*_CLOSES, "last"}),
        ]
        raise InvalidInput(
            f"{name} has the columns {column_names(table.columns)}: {', '.join(fields)} but no {', no '.join(lacking)}. {NEEDED}.",
            columns=tuple(table.columns),
        )
    if meaning(head) != "date" and not _FIRST.fullmatch(head.strip().lower()):
        raise InvalidInput(
            f"{name} has the columns {column_names(table.columns)}; the first is not a date, by its name: if it holds days, call it date. {NEEDED}.",
            columns=tuple(table.columns),
        )
    adjusted = [
        c for c in columns if not meaning(c) and (_is_raw(c) or ("adj" in c.lower() and _PRICE.search(c.lower())))
    ]
    _refuse_unknown(adjusted, set(), name)
    check_tickers(("" if UNNAMED.fullmatch(c) else c for c in columns), name)
    refuse_other_fields(columns, head, name)
    days = read_days(table.iloc[:, 0], name)
    wide = pd.DataFrame({c: numbers(table[c], name, days).to_numpy() for c in table.columns[1:]})
    kept = _once_a_day(
        days.to_frame(index=False), wide, wide.notna().any(axis=1), table.iloc[:, :1], table.iloc[:, :0], name
    )
    wide = wide.set_axis(days, axis=0).iloc[kept]
    refuse_bars(wide, name)
    return Figures(wide, cautions=(WIDE, *refuse_other_figures(wide, name)))


# -- Two header rows: fields and tickers.


def two_heads(rows: Sequence[Sequence[str]], name: str = "") -> tuple[pd.MultiIndex, int] | None:
    """Return the columns of a table by its two header rows, and how many rows stand above its days, or None if it has not two.

    Names of the first row that were numbered to be unique are as they were.
    """
    if len(rows) < 3 or not all(rows[:3]):
        return None
    written = _by_hand(*rows[:3])
    if written is not None:
        return written, 2
    heads = {rows[0][0].lower(), rows[1][0].lower()}
    only_dates = not any(rows[2][1:])
    if heads not in TWO_HEADS and not (heads == {""} and only_dates and meaning(rows[2][0]) == "date"):
        return None
    if len(rows[0]) != len(rows[1]):
        raise InvalidInput(f"The two header rows of {name} differ in length ({len(rows[0])}, {len(rows[1])}).")
    first, second = _unnumbered(rows[0][1:]), list(rows[1][1:])
    if len(set(zip(first, second, strict=True))) < len(first):
        first = list(rows[0][1:])
    columns = pd.MultiIndex.from_arrays([first, second], names=["Price", "Ticker"])
    return columns, 3 if only_dates and (not rows[2][0] or meaning(rows[2][0]) == "date") else 2


def _by_hand(top: Sequence[str], low: Sequence[str], below: Sequence[str]) -> pd.MultiIndex | None:
    """Return the columns of a table whose second header row names fields, or tickers, again and again; in the first an empty cell takes the name to its left."""
    width = max((i for i, c in enumerate(low, start=1) if not UNNAMED.fullmatch(c)), default=0)
    days = meaning(low[0]) == "date" or (UNNAMED.fullmatch(low[0]) and meaning(top[0]) in {"date", ""})
    if width < 3 or not days or not (is_day(below[0]) or re.fullmatch(r"[1-9]\d{4}", below[0])):
        return None
    above = _filled(_unnumbered([*top[1:width], *[""] * (width - len(top))]))
    pairs = list(zip(above, low[1:width], strict=True))
    for fields in (low[1:width], above):
        told = list(map(meaning, fields))
        repeated = len(set(told)) < len(told) and not set(told) & {"", "date", "ticker", "firm"}
        if repeated and {*_CLOSES, "last"} & set(told) and all(map(all, pairs)) and len(set(pairs)) == len(pairs):
            return pd.MultiIndex.from_tuples(pairs, names=["Price", "Ticker"])
    return None


def _filled(names: Sequence[str]) -> list[str]:
    """Return names with those to the left in place of empty ones, as of cells that were merged."""
    filled: list[str] = []
    for name in names:
        filled.append((filled[-1] if filled else "") if _NO_HEAD.fullmatch(name) else name)
    return filled


def _unnumbered(names: Sequence[str]) -> list[str]:
    """Return names as they were before Close, Close.1 (pandas) or Close...2, Close...3 (R) were made of one that came several times."""
    bases = [m[1] if (m := _NUMBERED.fullmatch(n)) else n for n in names]
    counts = Counter(bases)
    return [base if counts[base] > 1 else n for n, base in zip(names, bases, strict=True)]


def from_two_level(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a table with two header rows (field, ticker), as the Yahoo client makes it, to dates × tickers.

    Without ``Adj Close``, ``Close`` is taken as adjusted, as the client's default makes it.
    """
    name = asked.name
    levels = [[str(v) for v in table.columns.get_level_values(i)] for i in (0, 1)]
    levels[0] = _filled(levels[0])
    told = [_settled(list(map(meaning, names))) for names in levels]
    known = [sum(map(bool, names)) if _CLOSES & set(names) else -1 for names in told]
    level = int(known[1] > known[0])
    if known[level] < 0:
        heads = sorted({*levels[0], *levels[1]})
        raise InvalidInput(f"{name} has two header rows without a Close: {column_names(heads)}. {NEEDED}.")
    heads, tickers, names = levels[level], levels[1 - level], told[level]
    said = _unused(heads, names, {h for h, m in zip(heads, names, strict=True) if m in _FIELDS}, name)
    check_tickers(tickers, name)
    days = read_days(pd.Series(table.index), name)
    written, table = table.index.to_frame(index=False), table.reset_index(drop=True)
    used = [(m, t, i) for i, (m, t) in enumerate(zip(names, tickers, strict=True)) if m in _FIELDS]
    flat = pd.concat([numbers(table.iloc[:, i].rename(f"{t} {m}"), name, days) for m, t, i in used], axis=1)
    priced = flat.loc[:, [m in _CLOSES for m, _, _ in used]].notna().any(axis=1)
    kept = _once_a_day(days.to_frame(index=False), flat, priced, written, flat.iloc[:, :0], name)
    flat = (
        flat.set_axis(pd.MultiIndex.from_tuples([(m, t) for m, t, _ in used]), axis=1).set_axis(days, axis=0).iloc[kept]
    )
    blocks = {f: pd.DataFrame(flat[f]) for f in dict.fromkeys(m for m, _, _ in used)}
    if "adj_close" in blocks:
        _check_adjusted_of_all(blocks, name)
        return _figures(blocks).with_cautions(*said)
    long = (
        blocks["close"]
        .rename_axis("date")
        .melt(ignore_index=False, var_name="ticker", value_name="close")
        .reset_index()
    )
    for head in dict.fromkeys(h for h, m in zip(heads, names, strict=True) if m not in _FIELDS):
        at = [i for i, h in enumerate(heads) if h == head]
        beside = table.iloc[kept, at].set_axis([tickers[i] for i in at], axis=1)
        refuse_adjusted(long, beside.reindex(columns=blocks["close"].columns).melt(value_name=head)[[head]], name)
    return Figures(blocks["close"], None, blocks.get("volume"), cautions=(ADJUSTED_UNKNOWN, *said))


def _check_adjusted_of_all(blocks: Mapping[str, pd.DataFrame], name: str) -> None:
    """Refuse a table that has adjusted closes of some tickers and mere closes of others."""
    lacking = [t for t in blocks.get("close", blocks["adj_close"]).columns if t not in blocks["adj_close"].columns]
    if lacking:
        raise InvalidInput(
            f"{name} has an Adj Close for {column_names(blocks['adj_close'].columns)} and only a Close for {column_names(lacking)}; give "
            f"adjusted closes of all, or leave these out."
        )


# -- What the layouts have in common.


def _unused(columns: Sequence[str], names: Sequence[str], used: set[str], name: str) -> tuple[str, ...]:
    """Return a caution that names the columns that are neither used nor known to be needless; refuse those that may hold adjusted closes."""
    pairs = dict(zip(columns, names, strict=True))
    rest = [c for c, m in pairs.items() if c not in used and m not in {"other", "period", "time"}]
    _refuse_unknown(rest, {m for c, m in zip(columns, names, strict=True) if c in used}, name)
    return (f"Columns that were not used: {column_names(rest)}.",) if rest else ()


def _refuse_unknown(columns: Sequence[str], known: set[str], name: str) -> None:
    """Refuse a column that may hold adjusted closes under an unknown name: without it raw closes would make the returns."""
    for column in columns:
        words = str(column).lower()
        if _is_raw(words) and not _CLOSES & known:
            raise InvalidInput(
                f"{name} has the column {shown(column)} and no other closes: it is adjusted for nothing, and returns need closes adjusted for splits "
                f"and dividends, in a column adj_close.",
                column=str(column)[:60],
            )
        if _is_raw(words) or _OTHER_PRICE.search(words) or not _ADJUSTED.search(words):
            continue
        if "adj_close" not in known or _PRICE.search(words):
            raise InvalidInput(
                f"{name} has the column {shown(column)}, which is none that is used but may hold adjusted closes, or what adjusts them. Rename it "
                f"adj_close if it holds closes adjusted for splits and dividends, give it a ticker as its name in a wide table, or leave it out.",
                column=str(column)[:60],
            )


def _is_raw(column: str) -> bool:
    """Tell whether a column says that its closes are adjusted for nothing."""
    return bool(_RAW.search(column.lower()) and _PRICE.search(column.lower()))


def _row(wrong: pd.Series[bool]) -> int:
    return int(wrong.to_numpy().argmax()) + 1


def with_local_days(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with its dates that have times as days, and cautions of how they were read; the same table if none has."""
    two_level = table.columns.nlevels > 1
    place = next((i for i, c in enumerate(table.columns) if "date" in meanings(str(c))), 0)
    written = pd.Series(table.index) if two_level else table.iloc[:, place]
    found = written_days(plain_offsets(written), name)
    if found is None or written.nunique() > _BARS * found.days.nunique():  # bars are named where rows are compared
        return table, ()
    said = (found.said,) if found.said else ()
    if two_level:
        return table.set_axis(found.days, axis=0), said
    return table.assign(**{str(table.columns[place]): found.days.to_numpy()}), said


def _plain(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table with its dates in a column and every column once, without empty ones that have no name; with two levels if two header rows are in it."""
    if not isinstance(table.index, pd.RangeIndex):
        clash = [str(n) for n in table.index.names if n is not None and n in table.columns]
        if clash:
            raise InvalidInput(f"{name} has {', '.join(clash)} as its index and as a column; keep one.")
        table = _with_dates_as_column(table)
    columns = [str(c).strip() for c in table.columns]
    rows = [columns, *([("" if pd.isna(v) else str(v)) for v in row] for row in table.head(2).itertuples(index=False))]
    two = two_heads(rows, name)
    if two is not None:
        body = table.iloc[two[1] - 1 :]
        return body.iloc[:, 1:].set_axis(two[0], axis=1).set_axis(pd.Index(body.iloc[:, 0]), axis=0)
    if columns and UNNAMED.fullmatch(columns[0]) and "date" in map(meaning, columns) and _counts(table.iloc[:, 0]):
        table, columns = table.iloc[:, 1:], columns[1:]
    kept = [i for i, c in enumerate(columns) if not (i and UNNAMED.fullmatch(c)) or table.iloc[:, i].notna().any()]
    table, columns = table.iloc[:, kept], [columns[i] for i in kept]
    if len(columns) < 2:
        raise InvalidInput(f"{name} has only the column {', '.join(columns)}; dates and prices are needed.")
    refuse_repeated(columns, name, WHOSE)
    pairs = list(zip(columns, _unnumbered(columns), strict=True))
    families = {
        base
        for c, base in pairs
        if c != base
        and (meaning(base) not in {"", "other"} or (base in columns and re.fullmatch(r"\.\d+", c[len(base) :])))
    }
    numbered = [c for c, base in pairs if base in families]
    if numbered:
        raise InvalidInput(
            f"{name} has the columns {column_names(numbered)}: one name several times, numbered by the program that read it, so that nothing says whose they "
            f"are. Call each by its ticker, or hand over both header rows.",
            columns=tuple(numbered),
        )
    return table.set_axis(columns, axis=1)


def _with_dates_as_column(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its index as columns; one of days without a name is the date where no column is."""
    index = table.index
    unnamed = index.nlevels == 1 and index.name is None and "date" not in map(meaning, map(str, table.columns))
    holds_days = isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) or (len(index) and is_day(str(index[0])))
    return (table.rename_axis(index="date") if unnamed and holds_days else table).reset_index()


def _counts(cells: pd.Series[str]) -> bool:
    """Tell whether a column numbers the rows."""
    return bool(cells.is_unique and cells.astype(str).str.fullmatch(r"\d+").all())


def _dates_in_index(table: pd.DataFrame) -> pd.DataFrame:
    """Return a two-level table with its dates in the index, where `reset_index` or a reader of CSV left them in a column."""
    if isinstance(table.index, pd.RangeIndex):
        dates = [i for i, c in enumerate(table.columns) if _heads_dates(str(c[0]), str(c[1]), not i)]
        if len(dates) == 1:
            cells = table.iloc[:, dates[0]]
            named = len(cells) > 0 and not is_day(str(cells.iloc[0])) and meaning(str(cells.iloc[0])) == "date"
            rest = table.iloc[int(named) :, [i for i in range(table.shape[1]) if i != dates[0]]]
            return rest.set_axis(pd.Index(cells.iloc[int(named) :]), axis=0)
    return table


def _heads_dates(upper: str, lower: str, first: bool) -> bool:
    """Tell whether the two heads of a column are those of the dates: their name, or in the first column the names of the levels or none."""
    named = [head for head in (upper.strip(), lower.strip()) if not _NO_HEAD.fullmatch(head)]
    pair = set(map(str.lower, named))
    dates = "date" in {meaning(" ".join(named)), *map(meaning, named)}
    return dates or (first and (not named or pair in TWO_HEADS))


def _with_volume(figures: Figures, name: str) -> Figures:
    """Refuse a volume below zero or without end."""
    table = figures.adj_close.iloc[:0] if figures.volume is None else figures.volume
    values = table.to_numpy()
    for row, column in np.argwhere((values < 0) | np.isinf(values))[:1]:
        raise DataUnfit(
            f"{name} has {values[row, column]:g} as the volume of {table.columns[column]} on {iso_day(table.index[row])}; correct it or leave it "
            f"empty."
        )
    return figures


def _with_case(figures: Figures) -> Figures:
    """Add a caution about tickers that differ in case only, for a share may be split over two of them."""
    spelt = pd.Series(figures.adj_close.columns, dtype="object").astype(str)
    twins = [" and ".join(same) for _, same in spelt.groupby(spelt.str.casefold(), sort=False) if len(same) > 1]
    said = f"Tickers that differ only in small and capital letters were taken as different shares: {', '.join(twins[:_PAIRS])}."
    return figures.with_cautions(said) if twins else figures


def _called(figures: Figures, asked: Asked) -> Figures:
    """Refuse a ticker for a table that names its own."""
    names = [str(t) for t in figures.adj_close.columns]
    if asked.ticker is not None and names != [asked.ticker]:
        raise InvalidInput(
            f"ticker is {asked.ticker!r}, but {asked.name} names its own: {column_names(names)}. Leave ticker out, and select afterwards; or "
            f"rename the column."
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


#: The layouts, in the order in which they are looked for: whether a table with these columns has it (none: there are two rows of them), and
#: how it is read.
LAYOUTS: tuple[tuple[Callable[[Sequence[str]], bool], Callable[[pd.DataFrame, Asked], Figures]], ...] = (
    (is_crsp, from_crsp),
    (lambda columns: not columns, from_two_level),
    (is_in_rows, from_rows),
    (lambda columns: True, from_wide),
)
