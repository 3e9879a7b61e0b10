"""Is a table of prices fit for use: every check, as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.errors import InvalidInput
from eventstudy.prices.checks.copies import copy_checks, twin_checks
from eventstudy.prices.checks.days import STALE, carried_closes, day_checks, run_lengths
from eventstudy.prices.checks.finding import (
    ERROR,
    NOTE,
    WARNING,
    BoolArray,
    Finding,
    FloatArray,
    Grid,
    Usage,
    by_ticker,
    finding,
    gathered,
    make_grid,
    previous,
)
from eventstudy.prices.checks.moves import move_checks, unconfirmed_moves
from eventstudy.prices.table import Prices, Provenance, no_price
from eventstudy.wording import did_you_mean

#: Returns of two vintages that differ by more are told; by more than the second, they are an error.
SAME_RETURN, OTHER_RETURN = 1e-4, 5e-3
#: Days of an estimation window with a close that was carried forward, from which on they are told.
FEW_CARRIED = 2
#: Below this share of days without a volume a ticker counts as one that has volumes.
FEW_UNREPORTED = 0.1
#: Quotations in hundredths of a currency: returns are the same.
HUNDREDTHS = {"GBp": "GBP", "GBX": "GBP", "ILA": "ILS", "ZAc": "ZAR", "ZAC": "ZAR"}


def check_prices(
    prices: Prices,
    *,
    calendar: str | None = "XNYS",
    benchmarks: Sequence[str] = (),
    other: Prices | None = None,
    usage: Usage | None = None,
    thin_trading: bool = False,
) -> tuple[Finding, ...]:
    """Look for what is wrong with a table of prices.

    Parameters
    ----------
    prices : Prices
        T days, K tickers.
    calendar : str or None
        ISO code of the exchange whose sessions the table should have; None looks at no exchange.
    benchmarks : sequence of str
        Tickers that the study measures others against: a hole in one of them is serious.
    other : Prices, optional
        A second vintage or vendor, whose returns must be the same.
    usage : Usage, optional
        Which days of which tickers are used; what is found elsewhere is a note. By default every day counts as one of an event
        window.
    thin_trading : bool
        Whether prices that are missing or stand still are expected; they are then notes.

    Returns
    -------
    tuple of Finding
        The most serious first; empty if nothing was found.

    Raises
    ------
    InvalidInput
        If a benchmark is not in the table, or the exchange is unknown.

    Notes
    -----
    Nothing is changed or filled in. The names of the checks are the keys of `eventstudy.sources.finding.CHECKS`.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "^GSPC"])
    >>> es.check_prices(prices, benchmarks=["^GSPC"])
    ()
    >>> closes = prices.adj_close.copy()
    >>> closes.loc[:"2024-06-07", "NVDA"] *= 10      # a split that was not applied
    >>> [f.check for f in es.check_prices(es.Prices.from_frame(closes))]
    ['unapplied_split']
    """
    unknown = [b for b in benchmarks if b not in prices.adj_close.columns]
    if unknown:
        raise InvalidInput(
            f"benchmarks names {', '.join(unknown)}, which is not in the prices.{did_you_mean(unknown, prices.tickers)}"
        )
    grid = make_grid(prices, calendar, benchmarks, usage)
    if not len(grid.days):
        nothing = finding("missing_sessions", "error", prices.tickers, "the table holds no price at all")
        return gathered([nothing, *_currencies(prices)])
    moves = list(move_checks(grid))
    found = [*_non_positive(grid), *day_checks(grid, calendar, usage, thin_trading), *moves]
    found += copy_checks(grid, thin_trading)
    found += [*_volumes(grid, thin_trading), *_currencies(prices), *twin_checks(grid, _returns(grid.adjusted))]
    if usage is not None:
        found += unconfirmed_moves(grid, moves)
    if other is not None:
        found += _vintages(grid, make_grid(other, calendar, (), None))
    return gathered(found)


def _non_positive(grid: Grid) -> Iterator[Finding]:
    bad = no_price(grid.adjusted)
    if grid.traded is not None:
        bad |= no_price(grid.traded)
    level = np.where(bad, ERROR, 0).astype(np.int8)
    yield from by_ticker(
        grid, "non_positive_prices", level, lambda _, rows: f"{len(rows)} such price(s): {grid.listed(rows)}"
    )


def _volumes(grid: Grid, thin: bool) -> Iterator[Finding]:
    """Yield negative volumes, and days without a trade: serious where a price moved all the same or was carried into an event window."""
    if grid.volume is None:
        return
    negative = np.where(np.nan_to_num(grid.volume) < 0, ERROR, 0).astype(np.int8)
    yield from by_ticker(
        grid, "negative_volume", negative, lambda _, rows: f"{len(rows)} negative volume(s): {grid.listed(rows)}"
    )
    zero = (grid.volume == 0) & np.isfinite(grid.closes)
    moved = zero & (np.nan_to_num(grid.closes - previous(grid.closes)) != 0)
    carried = (zero | _unreported(grid)) & carried_closes(grid.closes, grid.volume)
    carried &= run_lengths(grid.closes) < STALE
    level = np.where(moved, WARNING, np.where(zero | carried, NOTE, 0)).astype(np.int8)
    if not thin:
        often = (carried & grid.used & ~grid.event).sum(axis=0) >= FEW_CARRIED
        level[carried & often[None, :]] = WARNING
        level[carried & grid.event] = ERROR

    def words(column: int, rows: NDArray[np.int64]) -> str:
        odd, same = int(moved[rows, column].sum()), int(carried[rows, column].sum())
        parts = [f"volume zero or missing on {len(rows)} day(s)"]
        parts += [f"on {odd} of them the price moved"] if odd else []
        parts += [f"on {same} of them the close is that of the day before"] if same else []
        return f"{', '.join(parts)}: {grid.listed(rows)}"

    yield from by_ticker(grid, "zero_volume", level, words)


def _unreported(grid: Grid) -> BoolArray:
    """Return where a close has no volume though its ticker has one on nearly all days, shape (T, K)."""
    assert grid.volume is not None  # the caller asks only then
    priced = np.isfinite(grid.closes)
    lacking = priced & ~np.isfinite(grid.volume)
    return np.asarray(lacking & (lacking.sum(axis=0) < FEW_UNREPORTED * priced.sum(axis=0))[None, :], dtype=np.bool_)


def _currencies(prices: Prices) -> Iterator[Finding]:
    pairs = {t: c for t, c in sorted(prices.currency.items()) if c and t in prices.adj_close.columns}
    if len({HUNDREDTHS.get(c, c) for c in pairs.values()}) > 1:
        shown = ", ".join(f"{t} in {c}" for t, c in list(pairs.items())[:12])
        yield finding(
            "mixed_currencies",
            "error",
            pairs,
            f"The prices are in different currencies ({shown}), so exchange-rate moves would pass as abnormal returns",
        )


def check_returns(
    returns: pd.DataFrame, *, benchmarks: Sequence[str] = (), usage: Usage | None = None
) -> tuple[Finding, ...]:
    """Look for what can be wrong with a table of returns: one series under two names."""
    grid = make_grid(Prices(returns, Provenance("returns")), None, benchmarks, usage)
    twins = twin_checks(grid, grid.adjusted)
    # returns may be repeated on purpose, and a firm that is its benchmark is dropped by the model
    return gathered(replace(f, severity="warning") if f.severity == "error" else f for f in twins)


def _returns(closes: FloatArray) -> FloatArray:
    out = np.full(closes.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        out[1:] = closes[1:] / closes[:-1] - 1.0
    return out


def _vintages(grid: Grid, other: Grid) -> Iterator[Finding]:
    """Yield returns that differ between two vintages, over days and tickers that both have."""
    days, mine, theirs = np.intersect1d(grid.days.to_numpy(), other.days.to_numpy(), return_indices=True)
    tickers = [t for t in grid.tickers if t in other.tickers]
    if len(days) < 2 or not tickers:
        return
    here, there = (np.array([g.tickers.index(t) for t in tickers], dtype=np.int64) for g in (grid, other))
    one, two = grid.adjusted[np.ix_(mine, here)], other.adjusted[np.ix_(theirs, there)]
    gap = np.zeros(one.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap[1:] = np.nan_to_num(np.abs(one[1:] / one[:-1] - two[1:] / two[:-1]))
    whole = np.zeros(grid.adjusted.shape)
    whole[np.ix_(mine, here)] = gap
    level = np.where(whole > OTHER_RETURN, ERROR, np.where(whole > SAME_RETURN, WARNING, 0)).astype(np.int8)
    compared = np.isfinite(one[1:] / one[:-1]) & np.isfinite(two[1:] / two[:-1])

    def words(column: int, rows: NDArray[np.int64]) -> str:
        number = int(compared[:, here == column].sum())
        return f"{len(rows)} of {number} returns differ, by up to {whole[rows, column].max():.2g}: {grid.listed(rows)}"

    yield from by_ticker(grid, "vintages_disagree", level, words)
