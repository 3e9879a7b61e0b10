"""Prices from a source of one's own: a database, a vendor's service, a table at hand."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from eventstudy.errors import DataMissing, EventStudyError, InvalidInput, SourceFailed
from eventstudy.interchange import as_pandas, is_table
from eventstudy.prices.table import Prices, Provenance, as_day
from eventstudy.sources.files.cells import check_tickers
from eventstudy.sources.files.layouts import Asked, figures_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd


@runtime_checkable
class PriceSource(Protocol):
    """What a source of prices must be able to do; hand one to `load_prices` as ``source``.

    Attributes
    ----------
    name : str
        What to call the source in messages and in the provenance.

    Notes
    -----
    Any object with these two will do; nothing need be inherited. What ``load`` returns is checked like every other table: the
    tickers that were asked for, the days, prices above zero.
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


def load_from_source(
    source: object, tickers: Sequence[str] | None, start: date | str | None, end: date | str | None
) -> Prices:
    """Ask a source of prices and check what it answers."""
    name = getattr(source, "name", None)
    if not isinstance(source, PriceSource) or not isinstance(name, str) or not name.strip() or isinstance(source, type):
        raise InvalidInput(
            f"source is {type(source).__name__}: give an object with a name (text) and a method load, not a class."
        )
    if tickers is None:
        raise InvalidInput(
            f"source {name!r} needs tickers, e.g. load_prices(['NVDA', '^GSPC'], '2024-01-02', source=…)."
        )
    first, last = as_day(start, "start"), as_day(end, "end")
    span = f"{', '.join(tickers[:8])}{' …' if len(tickers) > 8 else ''} from {start or 'the beginning'} to {end or 'the end'}"
    try:
        answer = source.load(
            tuple(tickers), None if first is None else first.date(), None if last is None else last.date()
        )
    except EventStudyError:
        raise
    except Exception as error:
        raise SourceFailed(
            f"The source {name} failed on {span}: {type(error).__name__}: {_without_secrets(error)}. Mend its method load or try again.",
            source=name,
        ) from error
    if not isinstance(answer, Prices) and not is_table(answer):
        raise SourceFailed(
            f"The source {name} answered {span} with a {type(answer).__name__}; its method load must return Prices or a table.",
            source=name,
        )
    return _checked(answer, name, tickers)


def _checked(answer: object, name: str, tickers: Sequence[str]) -> Prices:
    """Return a source's answer as prices that went through every check."""
    try:
        if isinstance(answer, Prices):
            origin = replace(answer.provenance, source=answer.provenance.source or name, first="", last="")
            check_tickers(answer.adj_close.columns, name)
            prices = Prices.from_frame(answer.adj_close, answer.close, answer.volume, origin, answer.currency)
        else:
            prices = prices_of_table(answer, name, likely=tickers[0] if len(tickers) == 1 else None)
    except EventStudyError as error:
        message = error.message if error.message.startswith(name) else f"The source {name}: {error.message}"
        raise type(error)(message, **error.facts) from error
    missing = [t for t in tickers if t not in prices.tickers]
    if missing:
        raise DataMissing(
            f"The source {name} has no prices for {', '.join(missing)}; it answered with {', '.join(sorted(prices.tickers)[:60])}.",
            missing=tuple(missing),
            available=prices.tickers,
        )
    return prices


def prices_of_table(table: object, name: str, likely: str | None = None) -> Prices:
    """Return a table of prices in any known layout and of any library as prices."""
    figures = figures_of(as_pandas(table, name), Asked(name, likely=likely))
    origin = Provenance(source=name, adjustments=figures.adjustments, cautions=figures.cautions)
    return Prices.from_frame(
        figures.adj_close, close=figures.close, volume=figures.volume, provenance=origin, currency=figures.currency
    )


def _without_secrets(error: Exception) -> str:
    """Return the first line of an error without what looks like a password in an address or a connection string."""
    text = str(error).strip().split("\n")[0][:300]
    text = re.sub(r"//[^/\s@]*@", "//…@", text)
    return re.sub(r"(?i)(password|passwd|pwd|token|secret|api_?key)(\s*[=:]\s*)\S+", r"\1\2…", text).rstrip(".")
