"""Where prices come from: the embedded snapshot, Yahoo, files, tables at hand, and sources of your own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.interchange import is_table
from eventstudy.prices.snapshot import ShareCount, universe_members
from eventstudy.prices.table import Prices, Provenance, as_day
from eventstudy.sources.events import read_events
from eventstudy.sources.files.french import read_french_factors
from eventstudy.sources.files.open import (
    SUFFIXES,
    PriceFile,
    is_price_file,
    read_crsp_shares,
    read_prices,
)
from eventstudy.sources.own import OwnSource, Table
from eventstudy.sources.several import Several
from eventstudy.sources.source import PriceSource, Snapshot, Source, Universe
from eventstudy.sources.yahoo.fetch import Yahoo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

__all__ = [
    "PriceSource",
    "Provenance",
    "ShareCount",
    "load_prices",
    "read_crsp_shares",
    "read_events",
    "read_french_factors",
    "read_prices",
    "universe_members",
]


def __dir__() -> list[str]:
    return sorted(__all__)


#: The sources that a word stands for.
BY_WORD: Mapping[str, Callable[[], Source]] = {source.name: source for source in (Snapshot, Universe, Yahoo)}


def load_prices(
    tickers: str | Sequence[str] | object | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    source: str | Path | Sequence[object] | Mapping[str, object] | PriceSource | object = "snapshot",
    encoding: str | None = None,
) -> Prices:
    """Load daily prices from the embedded snapshot, from Yahoo, from files, tables or a source of your own.

    Parameters
    ----------
    tickers : str or sequence of str, optional
        Which tickers, in this order; all by default (not with ``yahoo``). A file, a table or whatever else is a source may stand here alone:
        ``load_prices("prices.csv")`` and ``load_prices(table)`` are ``load_prices(source=…)``.
    start, end : date or str, optional
        First and last day, both included; they need not be sessions. By default all days.
    source : str, Path, table, mapping, list or PriceSource
        ``"snapshot"`` (38 US series, 2022-01-03 to 2025-06-30), ``"universe"`` (adjusted closes of 498 members of the S&P 500 and of the series of
        the snapshot, 2023-12-01 to 2025-02-28), ``"yahoo"`` (live; needs ``tickers`` and ``start``),
        the path of a CSV, Parquet or Excel file (see `read_prices`), a table of pandas, polars, pyarrow or DuckDB in one of the same layouts (also
        as the Yahoo client downloads it), a list of files and tables, joined by ticker, a mapping that names the share of each,
        ``{"7203": "7203.csv", "^N225": series}``, or an object with ``name`` and ``load`` (see `PriceSource`; needs ``tickers``).
    encoding : str, optional
        That of text files which are not UTF-8, such as ``"cp1252"``; nothing is guessed.

    Returns
    -------
    Prices
        With provenance; ``close`` is None if the source has adjusted closes only.

    Raises
    ------
    InvalidInput
        If ``source`` is unknown, a day cannot be read, or Yahoo is asked without tickers or start.
    DataMissing
        If the source lacks a ticker, begins after ``start`` or ends before ``end``; names what it has.
    DataUnfit, NotAsRecorded, SourceFailed
        If a file holds what is no price; if embedded data are not as recorded; if Yahoo, the network or a source failed.

    Examples
    --------
    >>> load_prices(["NVDA", "^GSPC"], "2025-01-24", "2025-01-27").returns().round(4).iloc[-1].tolist()
    [-0.1697, -0.0146]
    >>> import pandas as pd
    >>> closes = pd.Series([10.0, 11.0], index=["2025-01-24", "2025-01-27"])
    >>> load_prices({"7203": closes}).tickers
    ('7203',)
    """
    if _is_source(tickers):
        if not (isinstance(source, str) and source == "snapshot"):
            raise InvalidInput(
                f"tickers is {_shown(tickers)}, which is a source of prices, and source is {_shown(source)}; give one source, and tickers as text."
            )
        tickers, source = None, tickers
    wanted, first, last = _tickers(tickers), as_day(start, "start"), as_day(end, "end")
    chosen = source_of(source, encoding)
    if encoding is not None and not chosen.inputs():
        raise InvalidInput(f"encoding is {encoding!r}, but {chosen.name} is no file; leave it out.")
    return chosen.load(wanted, None if first is None else first.date(), None if last is None else last.date())


def source_of(given: object, encoding: str | None = None) -> Source:
    """Return the source that a word, a path, a table, an object, or several of them stand for."""
    if isinstance(given, str) and given in BY_WORD:
        return BY_WORD[given]()
    if isinstance(given, Mapping) and given:
        return Several([_part(part, encoding, ticker=str(ticker)) for ticker, part in given.items()])
    if isinstance(given, list | tuple) and all(map(_is_part, given)):
        return Several([_part(part, encoding, f"table {place}") for place, part in enumerate(given, start=1)])
    return _part(given, encoding)


def _part(given: object, encoding: str | None, name: str = "the table", ticker: str | None = None) -> Source:
    """Return the source that one path, table, series or object stands for; ``ticker`` is what to call its share."""
    name = name if ticker is None else f"the table of {ticker}"
    if isinstance(given, Source):
        return given
    if _is_file(given):
        return PriceFile(given, encoding, ticker)
    if ticker is None and hasattr(given, "load"):
        return OwnSource(given)
    if _is_series(given) and (ticker or given.name):
        return Table(given.to_frame(ticker or str(given.name)), name, ticker)
    if is_table(given):
        return Table(given, name, ticker)
    whose = f" of {ticker}" if ticker is not None else ""
    if isinstance(given, pd.Series):
        named = "has no name: say whose it is, load_prices({'NVDA': series})"
        raise InvalidInput(
            f"source{whose} is a series that {named if _is_series(given) else 'does not hold closes with days as its index'}."
        )
    raise InvalidInput(
        f"source{whose} is {_shown(given)}; choose {', '.join(map(repr, BY_WORD))} or the path of a file that ends in {', '.join(SUFFIXES)}; or hand over "
        f"a table (pandas, polars, pyarrow), a mapping of tickers to series, tables or files ({{'NVDA': series}}), or an object with name and load "
        f"(PriceSource)."
    )


#: Endings by which a text is a file and no ticker, whether it is read or not.
_ENDING = re.compile(
    r".*\.(csv|tsv|txt|gz|zip|parquet|feather|xlsx?|xlsm|ods|json|dta|sas7bdat|rds|pkl)", re.IGNORECASE
)


def _is_source(given: object) -> bool:
    """Tell whether what stands in the place of tickers is a source of prices."""
    if isinstance(given, str):
        return bool(_ENDING.fullmatch(given))
    if isinstance(given, list | tuple):
        return any(_is_source(part) for part in given)
    return isinstance(given, Mapping) or _is_part(given)


def _is_part(given: object) -> bool:
    return _is_file(given) or _is_series(given) or is_table(given) or hasattr(given, "load")


def _is_file(given: object) -> TypeGuard[str | Path]:
    return isinstance(given, Path) or (isinstance(given, str) and is_price_file(given))


def _is_series(given: object) -> TypeGuard[pd.Series[float]]:
    """Tell whether a value is a series of figures with an index of its own; texts are tickers."""
    if not isinstance(given, pd.Series) or isinstance(given.index, pd.RangeIndex):
        return False
    return pd.api.types.is_numeric_dtype(given.dtype) or pd.api.types.infer_dtype(given, skipna=True) == "decimal"


def _shown(given: object) -> str:
    return repr(given if isinstance(given, str) else type(given).__name__)


def _tickers(tickers: object) -> list[str] | None:
    if tickers is None:
        return None
    wanted = [tickers] if isinstance(tickers, str) else list(tickers) if isinstance(tickers, Iterable) else []
    if not wanted or not all(isinstance(t, str) and t for t in wanted):
        shown = repr(tickers) if isinstance(tickers, str | list | tuple) else type(tickers).__name__
        raise InvalidInput(f"tickers is {shown}; give one ticker or a list such as ['NVDA', '^GSPC'].")
    return list(dict.fromkeys(wanted))
