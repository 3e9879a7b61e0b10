"""What a source of prices is: the protocol, and what all sources have in common that hand over what they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import pandas as pd

from eventstudy.calendars import exchange_sessions
from eventstudy.errors import DataMissing
from eventstudy.files import one_digest
from eventstudy.prices.snapshot import load_snapshot, load_universe, universe_members
from eventstudy.prices.table import SNAPSHOT, UNIVERSE, Prices
from eventstudy.wording import did_you_mean, iso_day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

#: A source of unknown exchange may begin or end with a long run of holidays.
LONGEST_HOLIDAY = pd.Timedelta(days=10)
#: Tickers that a message names, of those that a source has.
SHOWN = 60


@runtime_checkable
class PriceSource(Protocol):
    """What a source of prices must be able to do; hand one to `load_prices` as ``source``.

    Attributes
    ----------
    name : str
        What to call the source in messages and in the provenance.

    Notes
    -----
    Any object with these two will do; nothing need be inherited. Two more are used where they are there: ``exchange``, the ISO code of
    the exchange whose sessions the days are (``"XNYS"``), by which days asked for beyond the data are judged; and ``inputs()``, the
    paths of the files that the prices depend on. What ``load`` returns is checked like every other table: the tickers that were asked
    for, the days, prices above zero.
    """

    name: str

    def load(self, tickers: Sequence[str], start: date | None, end: date | None) -> Prices | pd.DataFrame:
        """Return the prices of these tickers.

        Parameters
        ----------
        tickers : sequence of str
            What was asked for.
        start, end : date or None
            First and last day, both included; None leaves that end open.

        Returns
        -------
        Prices or table
            Prices, or a table in a layout that `read_prices` knows: long (``date``, ``ticker``, ``close`` and/or ``adj_close``) or wide
            (``date``, then a column per ticker). A table of polars, pyarrow or DuckDB is taken too.
        """
        ...  # pragma: no cover


class Source:
    """A source that hands over what it holds, of which the tickers and days asked for are taken; the base of the built-in ones.

    One that chooses tickers and days by itself, as a download does, overrides `load`; all others `read`.
    """

    name: str = ""
    #: ISO code of the exchange whose sessions the days are; None if it is not known.
    exchange: str | None = None

    def inputs(self) -> tuple[Path, ...]:
        """Return the files that the prices depend on, the package's own left out."""
        return ()

    def read(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Return what the source holds; it may hold more tickers and days than those asked for."""
        raise NotImplementedError

    def load(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Return the prices of these tickers, or of all, from the first day to the last."""
        prices = self.read(tickers, start, end)
        _check_reach(prices, start, end, self.exchange)
        if tickers is not None:
            prices = _chosen(prices, tickers)
        if start is None and end is None:
            return prices
        part = prices.between(*(None if day is None else iso_day(day) for day in (start, end)))
        _check_filled(prices, part)
        return part


def the_only(tickers: Sequence[str] | None) -> str | None:
    """Return the one ticker that is asked for, by which a table of one share that does not name it is called."""
    return tickers[0] if tickers is not None and len(tickers) == 1 else None


class Snapshot(Source):
    """The prices embedded in the package: 38 US series."""

    name = SNAPSHOT
    exchange = "XNYS"

    def read(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Return the embedded prices."""
        return load_snapshot()


class Universe(Source):
    """The embedded panel of S&P 500 members, with the indexes, funds and firms of the snapshot that it lacks, on its days: adjusted closes."""

    name = UNIVERSE
    exchange = "XNYS"

    def read(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Return the members, and beside them what else is embedded."""
        panel, others = load_universe(), load_snapshot()
        members = panel.adj_close
        beside = others.adj_close.reindex(members.index).drop(columns=members.columns, errors="ignore")
        digests = {prices.provenance.source: prices.provenance.digest for prices in (panel, others)}
        return Prices.from_frame(
            members.join(beside),
            provenance=replace(panel.provenance, digest=one_digest(digests)),
            currency={**others.currency, **panel.currency},
        )


def _check_reach(prices: Prices, start: date | None, end: date | None, exchange: str | None) -> None:
    """Refuse days beyond the data, unless no session is lost by it."""
    held_first, held_last = prices.dates[0], prices.dates[-1]
    one, what = pd.Timedelta(days=1), ""
    if end is not None and _holds_session(held_last + one, pd.Timestamp(end), exchange):
        what = f"end is {iso_day(end)}"
    if start is not None and _holds_session(pd.Timestamp(start), held_first - one, exchange):
        what = f"start is {iso_day(start)}"
    if what:
        raise DataMissing(
            f"{what}, but {prices.provenance.source} holds {iso_day(held_first)} to {iso_day(held_last)}. "
            f"Choose days in this range, or another source.",
            first=iso_day(held_first),
            last=iso_day(held_last),
        )


def _holds_session(first: pd.Timestamp, last: pd.Timestamp, exchange: str | None) -> bool:
    """Tell whether a stretch without data holds a session; without a calendar a short one does not."""
    if first > last:
        return False
    if exchange is None or last - first >= LONGEST_HOLIDAY:
        return last - first >= LONGEST_HOLIDAY
    return len(exchange_sessions(exchange, iso_day(first), iso_day(last))) > 0


def _chosen(prices: Prices, wanted: Sequence[str]) -> Prices:
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
    shown = ", ".join(sorted(prices.tickers)[:SHOWN]) + (" …" if len(prices.tickers) > SHOWN else "")
    raise DataMissing(
        f"No prices for {', '.join(missing)} in {prices.provenance.source}; available: {shown}."
        f"{did_you_mean(missing, prices.tickers)}{hint} Other tickers: source='yahoo' or a file.",
        missing=tuple(missing),
        available=prices.tickers,
    )


def _check_filled(whole: Prices, part: Prices) -> None:
    """Refuse a part in which a ticker has no price at all."""
    empty = [t for t in part.tickers if part.adj_close[t].isna().all()]
    if not empty:
        return
    held = {t: whole.adj_close[t].dropna().index for t in empty}
    ranges = [f"{t} {iso_day(d[0])} to {iso_day(d[-1])}" if len(d) else f"{t} none" for t, d in held.items()]
    raise DataMissing(
        f"No prices for {', '.join(empty)} from {iso_day(part.dates[0])} to {iso_day(part.dates[-1])}; "
        f"{part.provenance.source} holds {', '.join(ranges)}.",
        missing=tuple(empty),
    )
