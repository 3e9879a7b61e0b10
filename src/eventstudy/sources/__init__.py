"""Where prices come from: the embedded snapshot, Yahoo, files, tables at hand, and sources of your own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from eventstudy.errors import InvalidInput
from eventstudy.interchange import is_table
from eventstudy.prices.snapshot import ShareCount, universe_members
from eventstudy.prices.table import Prices, Provenance, as_day
from eventstudy.sources.files.french import read_french_factors
from eventstudy.sources.files.open import (
    SUFFIXES,
    PriceFile,
    PriceFiles,
    is_price_file,
    read_crsp_shares,
    read_prices,
)
from eventstudy.sources.own import OwnSource, Table
from eventstudy.sources.source import PriceSource, Snapshot, Source
from eventstudy.sources.yahoo.fetch import Yahoo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

__all__ = [
    "PriceSource",
    "Provenance",
    "ShareCount",
    "load_prices",
    "read_crsp_shares",
    "read_french_factors",
    "read_prices",
    "universe_members",
]


def __dir__() -> list[str]:
    return sorted(__all__)


#: The sources that a word stands for.
BY_WORD: Mapping[str, Callable[[], Source]] = {source.name: source for source in (Snapshot, Yahoo)}


def load_prices(
    tickers: str | Sequence[str] | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    source: str | Path | Sequence[str | Path] | PriceSource | object = "snapshot",
) -> Prices:
    """Load daily prices from the embedded snapshot, from Yahoo, from a file, a table or a source of your own.

    Parameters
    ----------
    tickers : str or sequence of str, optional
        Which tickers, in this order; all by default (not with ``yahoo``).
    start, end : date or str, optional
        First and last day, both included; they need not be sessions. By default all days.
    source : str, Path, table or PriceSource
        ``"snapshot"`` (38 US series, 2022-01-03 to 2025-06-30), ``"yahoo"`` (live; needs ``tickers`` and ``start``),
        the path of a CSV or Parquet file (see `read_prices`) or a list of them, joined by ticker, a table of pandas, polars, pyarrow or DuckDB in one of the same
        layouts, or an object with ``name`` and ``load`` (see `PriceSource`; needs ``tickers``).

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
    """
    wanted, first, last = _tickers(tickers), as_day(start, "start"), as_day(end, "end")
    chosen = source_of(source)
    return chosen.load(wanted, None if first is None else first.date(), None if last is None else last.date())


def source_of(given: object) -> Source:
    """Return the source that a word, a path, a table or an object stands for."""
    if isinstance(given, Source):
        return given
    if isinstance(given, str) and given in BY_WORD:
        return BY_WORD[given]()
    if hasattr(given, "load"):
        return OwnSource(given)
    if _is_file(given):
        return PriceFile(given)
    if isinstance(given, list | tuple) and all(_is_file(f) for f in given):
        return PriceFiles(given)
    if is_table(given):
        return Table(given)
    shown = given if isinstance(given, str) else type(given).__name__
    raise InvalidInput(
        f"source is {shown!r}; choose {', '.join(map(repr, BY_WORD))} or the path of a file that ends in {', '.join(SUFFIXES)}; or hand over a "
        f"table (pandas, polars, pyarrow) or an object with name and load (PriceSource)."
    )


def _is_file(given: object) -> TypeGuard[str | Path]:
    return isinstance(given, Path) or (isinstance(given, str) and is_price_file(given))


def _tickers(tickers: str | Sequence[str] | None) -> list[str] | None:
    if tickers is None:
        return None
    wanted = [tickers] if isinstance(tickers, str) else list(tickers)
    if not wanted or not all(isinstance(t, str) and t for t in wanted):
        raise InvalidInput(f"tickers is {tickers!r}; give one ticker or a list such as ['NVDA', '^GSPC'].")
    return list(dict.fromkeys(wanted))
