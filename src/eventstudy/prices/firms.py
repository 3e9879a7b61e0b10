"""Which firm a ticker's prices are of, the one embedded under it or another, and in which currency they are."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from eventstudy.prices.snapshot import known_closes, share_counts, universe_members
from eventstudy.prices.table import YAHOO, Prices

#: So many days in common tell whether two series are of one share.
LEAST_DAYS = 20
#: Daily returns of one share differ by no more than its closes are rounded, on so many of the days (a dividend is in one of them).
SAME_RETURN, SAME_DAYS = 0.002, 0.9
#: A close as traded that is this far from the embedded one means another split basis, or another currency.
SPLIT_BASIS_TOLERANCE = 0.05
#: The currency of all that is embedded.
DOLLAR = "USD"


def another_firm(prices: Prices, ticker: str) -> str:
    """Say why embedded names and share counts are not those of a ticker's prices; an empty text if they are, or if none are embedded.

    Tickers are an exchange's own: DTE is DTE Energy in New York and Deutsche Telekom in Frankfurt. Embedded prices and those of Yahoo in
    US dollars are of New York; any other ones are if their daily returns are those of the embedded closes.
    """
    if not _is_embedded(ticker):
        return ""
    currency = prices.currency.get(ticker, "")
    if currency not in ("", DOLLAR):
        return f"the prices of {ticker} are in {currency}, and the embedded {ticker} is traded in US dollars"
    if prices.provenance.embedded or (currency == DOLLAR and _of_yahoo(prices.provenance.source)):
        return ""
    own, known = _common(prices, ticker)
    if len(own) < LEAST_DAYS:
        return f"these prices have fewer than {LEAST_DAYS} days in common with those of the embedded {ticker}, so whose they are is not known"
    same = np.abs(np.diff(own) / own[:-1] - np.diff(known) / known[:-1]) <= SAME_RETURN
    return "" if same.mean() >= SAME_DAYS else f"these prices are not those of the embedded {ticker}"


def currency_of(prices: Prices, ticker: str) -> str:
    """Return the currency of a ticker's prices: as they name it, or US dollars if they are the embedded ones; empty if it is not known."""
    if named := prices.currency.get(ticker, ""):
        return named
    if prices.provenance.embedded:
        return DOLLAR
    if not _is_embedded(ticker) or another_firm(prices, ticker):
        return ""
    own, known = _common(prices, ticker)
    apart = np.median(own[-LEAST_DAYS:] / known[-LEAST_DAYS:]) if len(own) >= LEAST_DAYS else np.inf
    return DOLLAR if abs(apart - 1.0) <= SPLIT_BASIS_TOLERANCE else ""


def unknown_currency(ticker: str) -> str:
    """Say that a currency is not known, and where to name it."""
    return (
        f"the currency of the prices of {ticker} is not known; name it: a column currency in the file, "
        f'currency = "EUR" under [prices] in the study file, or Prices.from_frame(..., currency={{...}})'
    )


def _of_yahoo(source: str) -> bool:
    """Tell whether prices were downloaded from Yahoo, just now or into a stored vintage."""
    return source == YAHOO or re.match(rf"{YAHOO}-\d{{8}}T", source) is not None


def _is_embedded(ticker: str) -> bool:
    return bool(share_counts(ticker)) or ticker in universe_members().index or known_closes(ticker) is not None


def _common(prices: Prices, ticker: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a ticker's closes and the embedded ones on their common days, as traded where both have them, shape (T,) each."""
    known = known_closes(ticker)
    table = prices.adj_close if prices.close is None else prices.close
    if known is None or ticker not in table.columns:
        return np.empty(0), np.empty(0)
    both = pd.concat([table[ticker], known], axis=1, join="inner").dropna().to_numpy(dtype=np.float64)
    return both[:, 0], both[:, 1]
