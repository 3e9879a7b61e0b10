"""Prices of your own: a table at hand, or a source of your own such as a database or a vendor's service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing, EventStudyError, InvalidInput, SourceFailed, SourceUnfit
from eventstudy.interchange import as_pandas, is_table
from eventstudy.prices.table import Prices, Provenance
from eventstudy.sources.files.cells import check_tickers
from eventstudy.sources.files.delimited import read_marks
from eventstudy.sources.files.layouts import Asked, figures_of
from eventstudy.sources.source import SHOWN, PriceSource, Source, the_only
from eventstudy.wording import without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

#: Tickers that a message names, of those that were asked for.
ASKED = 8


class Table(Source):
    """A table of prices of any library, in any known layout; ``ticker`` is what to call its share."""

    def __init__(self, table: object, name: str = "the table", ticker: str | None = None) -> None:
        self.table, self.name, self.ticker = table, name, ticker

    def read(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Return the table as prices."""
        table, said = read_marks(as_pandas(self.table, self.name), self.name)
        figures = figures_of(table, Asked(self.name, self.ticker, the_only(tickers))).with_cautions(*said)
        origin = Provenance(source=self.name, adjustments=figures.adjustments, cautions=figures.cautions)
        return Prices.from_frame(figures.adj_close, figures.close, figures.volume, origin, figures.currency)


class OwnSource(Source):
    """A source that somebody else wrote: its answers are checked, and its failures named as its own."""

    def __init__(self, source: object) -> None:
        name = getattr(source, "name", None)
        named = isinstance(name, str) and bool(name.strip())
        if not isinstance(source, PriceSource) or isinstance(source, type) or not named:
            raise InvalidInput(
                f"source is {type(source).__name__}: give an object with a name (text) and a method load, not a class."
            )
        self.source, self.name = source, source.name
        self.exchange = getattr(source, "exchange", None)

    def inputs(self) -> tuple[Path, ...]:
        """Return the files that the source says it depends on."""
        return tuple(Path(p) for p in self.source.inputs()) if hasattr(self.source, "inputs") else ()

    def read(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Ask the source and check what it answers."""
        if tickers is None:
            raise InvalidInput(
                f"source {self.name!r} needs tickers, e.g. load_prices(['NVDA', '^GSPC'], '2024-01-02', source=…)."
            )
        more = " …" if len(tickers) > ASKED else ""
        span = f"{', '.join(tickers[:ASKED])}{more} from {start or 'the beginning'} to {end or 'the end'}"
        try:
            answer: object = self.source.load(tuple(tickers), start, end)
        except EventStudyError:
            raise
        except Exception as error:
            raise SourceFailed(
                f"The source {self.name} failed on {span}: {type(error).__name__}: {_without_secrets(error)}. Mend its method load or try again.",
                source=self.name,
            ) from error
        if not isinstance(answer, Prices) and not is_table(answer):
            raise SourceUnfit(
                f"The source {self.name} answered {span} with a {type(answer).__name__}; its method load must return Prices or a table.",
                source=self.name,
            )
        return self._checked(answer, tickers)

    def _checked(self, answer: object, tickers: Sequence[str]) -> Prices:
        """Return an answer as prices that went through every check."""
        try:
            prices = (
                _again(answer, self.name)
                if isinstance(answer, Prices)
                else Table(answer, self.name).read(tickers, None, None)
            )
        except EventStudyError as error:
            message = (
                error.message if error.message.startswith(self.name) else f"The source {self.name}: {error.message}"
            )
            raise type(error)(message, **error.facts) from error
        missing = [t for t in tickers if t not in prices.tickers]
        if missing:
            raise DataMissing(
                f"The source {self.name} has no prices for {', '.join(missing)}; it answered with {', '.join(sorted(prices.tickers)[:SHOWN])}.",
                missing=tuple(missing),
                available=prices.tickers,
            )
        return prices


def _again(prices: Prices, name: str) -> Prices:
    """Return prices that somebody else made, checked as if they were new."""
    origin = replace(prices.provenance, source=prices.provenance.source or name, first="", last="")
    check_tickers(prices.adj_close.columns, name)
    return Prices.from_frame(prices.adj_close, prices.close, prices.volume, origin, prices.currency)


def _without_secrets(error: Exception) -> str:
    """Return the first line of an error without what looks like a password in an address or a connection string."""
    text = str(error).strip().split("\n")[0][:300]
    return without_secrets(text).rstrip(".")
