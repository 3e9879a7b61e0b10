"""Prices: the table, and the doors through which it comes in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.interchange import is_table
from eventstudy.prices.snapshot import ShareCount, load_snapshot, universe_members
from eventstudy.prices.table import Prices, Provenance, as_day
from eventstudy.sources.files.french import read_french_factors
from eventstudy.sources.files.open import (
    SUFFIXES,
    is_price_file,
    read_crsp_shares,
    read_price_file,
    read_prices,
    read_several,
)
from eventstudy.sources.source import PriceSource, load_from_source, prices_of_table
from eventstudy.sources.yahoo.fetch import fetch_yahoo
from eventstudy.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
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

#: A file of unknown exchange may begin or end with a long run of holidays.
_LONGEST_HOLIDAY = pd.Timedelta(days=10)


def load_prices(
    tickers: str | Sequence[str] | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    source: str | Path | Sequence[str | Path] | PriceSource | object = "snapshot",
) -> Prices:
    """Load daily prices from the embedded snapshot, from Yahoo, from a file, a table or a source of one's own.

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
    wanted = _tickers(tickers)
    if isinstance(source, str) and source == "yahoo":
        if wanted is None or start is None:
            raise InvalidInput("source='yahoo' needs tickers and start, e.g. load_prices(['NVDA'], '2024-01-02', …).")
        return fetch_yahoo(wanted, start, end)
    own = hasattr(source, "load")
    prices = load_from_source(source, wanted, start, end) if own else _stored(source, wanted)
    embedded = isinstance(source, str) and source == "snapshot"
    _check_reach(prices, start, end, exchange="XNYS" if embedded else None)
    if wanted is not None:
        prices = _chosen(prices, wanted)
    if start is None and end is None:
        return prices
    return _check_filled(prices, prices.between(_text(start, "start"), _text(end, "end")))


def _stored(source: object, wanted: Sequence[str] | None) -> Prices:
    """Return all that the snapshot, a file or a table holds."""
    likely = wanted[0] if wanted and len(wanted) == 1 else None
    if isinstance(source, str) and source == "snapshot":
        return load_snapshot()
    if isinstance(source, Path) or (isinstance(source, str) and is_price_file(source)):
        return read_price_file(Path(source), likely=likely)
    if isinstance(source, list | tuple) and all(
        isinstance(s, Path) or (isinstance(s, str) and is_price_file(s)) for s in source
    ):
        return read_several(source)
    if is_table(source):
        return prices_of_table(source, "the table", likely)
    given = source if isinstance(source, str) else type(source).__name__
    raise InvalidInput(
        f"source is {given!r}; choose 'snapshot', 'yahoo' or the path of a file that ends in {', '.join(SUFFIXES)}; or hand over a "
        f"table (pandas, polars, pyarrow) or an object with name and load (PriceSource)."
    )


def _tickers(tickers: str | Sequence[str] | None) -> list[str] | None:
    if tickers is None:
        return None
    wanted = [tickers] if isinstance(tickers, str) else list(tickers)
    if not wanted or not all(isinstance(t, str) and t for t in wanted):
        raise InvalidInput(f"tickers is {tickers!r}; give one ticker or a list such as ['NVDA', '^GSPC'].")
    return list(dict.fromkeys(wanted))


def _text(value: date | str | None, name: str) -> str | None:
    day = as_day(value, name)
    return None if day is None else f"{day:%Y-%m-%d}"


def _chosen(prices: Prices, wanted: list[str]) -> Prices:
    missing = [t for t in wanted if t not in prices.tickers]
    if not missing:
        return prices.select(wanted)
    members = universe_members()
    panel = [t for t in missing if t in members.index and bool(members.loc[t, "has_prices"])]
    hint = ""
    if panel:
        hint = f" The S&P 500 panel has {', '.join(panel)} from 2023-12-01 to 2025-02-28: load_universe()."
    bulk = [t for t in missing if f"{t}.US" in prices.tickers]
    if bulk:
        hint += f" Stooq's bulk files call {bulk[0]} {bulk[0]}.US."
    shown = ", ".join(sorted(prices.tickers)[:60]) + (" …" if len(prices.tickers) > 60 else "")
    raise DataMissing(
        f"No prices for {', '.join(missing)} in {prices.provenance.source}; available: {shown}."
        f"{did_you_mean(missing, prices.tickers)}{hint} Other tickers: source='yahoo' or a file.",
        missing=tuple(missing),
        available=prices.tickers,
    )


def _check_reach(prices: Prices, start: date | str | None, end: date | str | None, exchange: str | None) -> None:
    """Days asked for beyond the data are an error unless no session is lost by it."""
    first, last = as_day(start, "start"), as_day(end, "end")
    held_first, held_last = prices.dates[0], prices.dates[-1]
    one = pd.Timedelta(days=1)
    early = first is not None and _loses(first, held_first - one, exchange)
    late = last is not None and _loses(held_last + one, last, exchange)
    if early or late:
        what = f"start is {first:%Y-%m-%d}" if early and first is not None else f"end is {last:%Y-%m-%d}"
        raise DataMissing(
            f"{what}, but {prices.provenance.source} holds {held_first:%Y-%m-%d} to {held_last:%Y-%m-%d}. "
            f"Choose days in this range, or another source.",
            first=f"{held_first:%Y-%m-%d}",
            last=f"{held_last:%Y-%m-%d}",
        )


def _loses(first: pd.Timestamp, last: pd.Timestamp, exchange: str | None) -> bool:
    """Tell whether a stretch without data holds a session; without a calendar a short one does not."""
    if first > last:
        return False
    if exchange is None or last - first >= _LONGEST_HOLIDAY:
        return last - first >= _LONGEST_HOLIDAY
    from eventstudy.calendars import exchange_sessions

    return len(exchange_sessions(exchange, f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}")) > 0


def _check_filled(whole: Prices, part: Prices) -> Prices:
    empty = [t for t in part.tickers if part.adj_close[t].isna().all()]
    held = {t: whole.adj_close[t].dropna().index for t in empty}
    if empty:
        ranges = ", ".join(
            f"{t} {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}" if len(days) else f"{t} none" for t, days in held.items()
        )
        raise DataMissing(
            f"No prices for {', '.join(empty)} from {part.dates[0]:%Y-%m-%d} to {part.dates[-1]:%Y-%m-%d}; "
            f"{part.provenance.source} holds {ranges}.",
            missing=tuple(empty),
        )
    return part
