"""Shares outstanding at the quarter ends around January 2025, embedded."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.prices import embedded
from eventstudy.prices.embedded import read_embedded
from eventstudy.prices.table import as_day

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

SHARES_FILE = "shares.csv"


@dataclass(frozen=True, slots=True)
class ShareCount:
    """A number of shares outstanding and the day it refers to.

    Attributes
    ----------
    ticker : str
        The ticker.
    shares : int
        Shares outstanding, on the split basis of 2025-06-30.
    period_end : str
        The day of the count, ISO format.
    as_of : str
        The vendor's label for that day; may be a month end some days later.
    note : str
        What the count includes or how it was brought to the basis; may be empty.
    source : str
        Vendor and repository.
    covers : tuple of str
        Other listed tickers of the company whose shares the count already includes. Never add the
        market values of tickers that cover each other.
    """

    ticker: str
    shares: int
    period_end: str
    as_of: str
    note: str
    source: str
    covers: tuple[str, ...] = ()


@lru_cache(maxsize=2)
def _counts(folder: Path) -> dict[str, tuple[ShareCount, ...]]:  # the folder is the key
    counts: dict[str, list[ShareCount]] = {}
    for row in csv.DictReader(io.StringIO(read_embedded(SHARES_FILE).decode("utf-8"), newline="")):
        counts.setdefault(row["ticker"], []).append(
            ShareCount(
                ticker=row["ticker"],
                shares=int(row["shares"]),
                period_end=row["period_end"],
                as_of=row["as_of"],
                note=row["note"],
                source=row["source"],
                covers=tuple(row["covers"].split()),
            )
        )
    return {t: tuple(sorted(c, key=lambda count: count.period_end)) for t, c in counts.items()}


def share_counts(ticker: str) -> tuple[ShareCount, ...]:
    """Return all embedded share counts of a company, oldest first; empty if there are none."""
    return _counts(embedded.FOLDER).get(ticker, ())


def share_count(ticker: str, on: date | str) -> ShareCount:
    """Return the latest embedded share count of a company on or before a day.

    Parameters
    ----------
    ticker : str
        A member of the S&P 500 of January 2025, e.g. ``"NVDA"``.
    on : date or str
        The day; the count's ``period_end`` is on or before it.

    Returns
    -------
    ShareCount
        The count with its day, note and source.

    Raises
    ------
    DataMissing
        If there is no count of the ticker, or none as early as the day; the message names what there is.
    InvalidInput
        If the day cannot be read.

    Examples
    --------
    >>> count = share_count("NVDA", "2025-01-27")
    >>> count.shares, count.period_end
    (24477000000, '2025-01-26')
    >>> share_count("GOOGL", "2025-01-27").covers
    ('GOOG',)
    """
    day = as_day(on, "on")
    if day is None:
        raise InvalidInput("on is None; give the day of the count, such as '2025-01-27'.")
    counts = _counts_of(ticker)
    wanted = f"{day:%Y-%m-%d}"
    before = [count for count in counts if count.period_end <= wanted]
    if not before:
        known = tuple(count.period_end for count in counts)
        raise DataMissing(
            f"No share count of {ticker} on or before {wanted}; there are counts of {', '.join(known)}. "
            f"Give the number of shares yourself.",
            ticker=ticker,
            available=known,
        )
    return before[-1]


def _counts_of(ticker: str) -> tuple[ShareCount, ...]:
    counts = _counts(embedded.FOLDER)
    if ticker not in counts:
        raise DataMissing(
            f"No share count of {ticker} is embedded; there are counts of {len(counts)} S&P 500 members from "
            f"September 2024 to spring 2025. Give the number of shares yourself.",
            ticker=ticker,
        )
    return counts[ticker]
