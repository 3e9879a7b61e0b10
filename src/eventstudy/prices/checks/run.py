"""Whether a table of prices is fit for use: the table of all checks, run one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.errors import InvalidInput
from eventstudy.prices.checks import copies, days, moves, screen
from eventstudy.prices.checks.days import STALE, carried_closes, run_lengths
from eventstudy.prices.checks.finding import (
    APART,
    ERROR,
    NOTE,
    SEVERITIES,
    WARNING,
    BoolArray,
    Finding,
    FloatArray,
    Grid,
    Rule,
    Usage,
    blocks,
    by_ticker,
    finding,
    make_grid,
    previous,
)
from eventstudy.prices.table import Prices, Provenance, ReturnKind, no_price
from eventstudy.wording import did_you_mean, first_few

NON_POSITIVE_PRICES = Rule(
    "non_positive_prices",
    "prices above zero and finite",
    "correct the value or leave it empty",
    acceptable=False,
)
ZERO_VOLUME = Rule(
    "zero_volume",
    "no volume of zero",
    "a halt, or a vendor's gap: no trade stands behind these closes; leave them empty, or accept them with the reason for the halt (in an event "
    "window they then count as missing prices)",
)
NEGATIVE_VOLUME = Rule(
    "negative_volume",
    "volumes of zero or more",
    "correct it or leave it empty",
)
VINTAGES_DISAGREE = Rule(
    "vintages_disagree",
    "returns of two vintages within 0.0001 of each other",
    "find out which vintage is right, e.g. by a second vendor; a dividend or a split must not change any return",
)
MIXED_CURRENCIES = Rule(
    "mixed_currencies",
    "all prices in one currency",
    "Convert them to one currency, or hand in returns as a DataFrame if this is meant",
)

#: Returns of two vintages that differ by more are a warning; by more than the second, they are an error.
SAME_RETURN, OTHER_RETURN = 1e-4, 5e-3
#: Days of an estimation window with a close that was carried forward, from which on they are a warning.
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
    Nothing is changed or filled in. The names of the checks are the keys of `eventstudy.prices.checks.run.RULES`.

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
    for name, given in (("prices", prices), ("other", other)):
        if not isinstance(given, Prices) and (name == "prices" or given is not None):
            raise InvalidInput(
                f"{name} is {repr(given) if isinstance(given, str) else f'a {type(given).__name__}'}; give Prices: "
                f"es.check_prices(es.load_prices({name})) reads a table or a file."
            )
    unknown = [b for b in benchmarks if b not in prices.adj_close.columns]
    if unknown:
        raise InvalidInput(
            f"benchmarks names {', '.join(unknown)}, which is not in the prices.{did_you_mean(unknown, prices.tickers)}"
        )
    grid = make_grid(prices, calendar, benchmarks, usage, thin_trading, other)
    if not len(grid.days):
        nothing = finding(days.MISSING_SESSIONS, "error", prices.tickers, "the table holds no price at all")
        return gathered([nothing, *currencies(grid)])
    return gathered(found for check in CHECKS for found in check.run(grid))


def non_positive_prices(grid: Grid) -> Iterator[Finding]:
    """Yield prices that are none: zero, negative or infinite."""
    bad = no_price(grid.adjusted)
    if grid.traded is not None:
        bad |= no_price(grid.traded)
    level = np.where(bad, ERROR, 0).astype(np.int8)
    yield from by_ticker(
        grid, NON_POSITIVE_PRICES, level, lambda _, rows: f"{len(rows)} such price(s): {grid.days_of(rows)}"
    )


def volumes(grid: Grid) -> Iterator[Finding]:
    """Yield negative volumes, and days without a trade: serious where a price moved all the same or was carried into an event window."""
    if grid.volume is None:
        return
    negative = np.where(np.nan_to_num(grid.volume) < 0, ERROR, 0).astype(np.int8)
    yield from by_ticker(
        grid, NEGATIVE_VOLUME, negative, lambda _, rows: f"{len(rows)} negative volume(s): {grid.days_of(rows)}"
    )
    zero = (grid.volume == 0) & np.isfinite(grid.closes)
    moved = zero & (np.nan_to_num(grid.closes - previous(grid.closes)) != 0)
    carried = (zero | _unreported(grid)) & carried_closes(grid.closes, grid.volume)
    carried &= run_lengths(grid.closes) < STALE
    level = np.where(moved, WARNING, np.where(zero | carried, NOTE, 0)).astype(np.int8)
    if not grid.thin:
        often = (carried & grid.used & ~grid.event).sum(axis=0) >= FEW_CARRIED
        level[carried & often[None, :]] = WARNING
        level[carried & grid.event] = ERROR

    def words(column: int, rows: NDArray[np.int64]) -> str:
        odd, same = int(moved[rows, column].sum()), int(carried[rows, column].sum())
        parts = [f"volume zero or missing on {len(rows)} day(s)"]
        parts += [f"on {odd} of them the price moved"] if odd else []
        parts += [f"on {same} of them the close is that of the day before"] if same else []
        return f"{', '.join(parts)}: {grid.days_of(rows)}"

    yield from by_ticker(grid, ZERO_VOLUME, level, words)


def untraded_in_events(grid: Grid) -> BoolArray:
    """Return which closes of event windows repeat the day before's without a trade, or for days without a known one, shape (T, K)."""
    again = carried_closes(grid.closes, grid.volume if grid.volume is not None else np.full(grid.closes.shape, np.nan))
    idle = run_lengths(grid.closes) >= STALE
    if grid.volume is not None:
        idle |= (grid.volume == 0) | _unreported(grid)
    return np.asarray(again & idle & grid.event & (not grid.thin), dtype=np.bool_)


def _unreported(grid: Grid) -> BoolArray:
    """Return where a close has no volume though its ticker has one on nearly all days, shape (T, K)."""
    assert grid.volume is not None  # the caller asks only then
    priced = np.isfinite(grid.closes)
    lacking = priced & ~np.isfinite(grid.volume)
    return np.asarray(lacking & (lacking.sum(axis=0) < FEW_UNREPORTED * priced.sum(axis=0))[None, :], dtype=np.bool_)


def currencies(grid: Grid) -> Iterator[Finding]:
    """Yield that the tickers are in different currencies."""
    pairs = grid.currency
    if len({HUNDREDTHS.get(c, c) for c in pairs.values()}) > 1:
        shown = ", ".join(f"{t} in {c}" for t, c in list(pairs.items())[:12])
        yield finding(
            MIXED_CURRENCIES,
            "error",
            pairs,
            f"The prices are in different currencies ({shown}), so exchange-rate moves would pass as abnormal returns",
        )


def vintages(grid: Grid) -> Iterator[Finding]:
    """Yield returns that differ between two vintages, over days and tickers that both have."""
    other = grid.other
    if other is None:
        return
    common, mine, theirs = np.intersect1d(grid.days.to_numpy(), other.days.to_numpy(), return_indices=True)
    tickers = [t for t in grid.tickers if t in other.tickers]
    if len(common) < 2 or not tickers:
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
        return f"{len(rows)} of {number} returns differ, by up to {whole[rows, column].max():.2g}: {grid.days_of(rows)}"

    yield from by_ticker(grid, VINTAGES_DISAGREE, level, words)


class PriceCheck(NamedTuple):
    """A function that looks at a grid, and the rules by which it finds something."""

    run: Callable[[Grid], Iterator[Finding]]
    rules: tuple[Rule, ...]


#: All checks; findings of one severity come in the order of their rules.
CHECKS: tuple[PriceCheck, ...] = (
    PriceCheck(days.missing_sessions, (days.MISSING_SESSIONS,)),
    PriceCheck(days.extra_days, (days.EXTRA_DAYS,)),
    PriceCheck(days.missing_prices, (days.MISSING_PRICES,)),
    PriceCheck(days.short_history, (days.SHORT_HISTORY,)),
    PriceCheck(days.benchmark_holes, (days.BENCHMARK_HOLES,)),
    PriceCheck(days.early_end, (days.EARLY_END,)),
    PriceCheck(days.repeated_days, (days.REPEATED_DAY,)),
    PriceCheck(copies.repeated_blocks, (copies.REPEATED_BLOCK,)),
    PriceCheck(copies.shifted_days, (copies.SHIFTED_DAYS,)),
    PriceCheck(days.stale_prices, (days.STALE_PRICES,)),
    PriceCheck(days.carried_prices, (days.CARRIED_PRICE,)),
    PriceCheck(
        moves.moves,
        (moves.UNAPPLIED_SPLIT, moves.LEVEL_SHIFT, moves.WRONG_PRICE, moves.UNCONFIRMED_MOVE, moves.MANY_JUMPS),
    ),
    PriceCheck(moves.adjustments, (moves.ADJUSTMENT_RATIO, moves.ADJUSTED_ABOVE_TRADED)),
    PriceCheck(non_positive_prices, (NON_POSITIVE_PRICES,)),
    PriceCheck(volumes, (ZERO_VOLUME, NEGATIVE_VOLUME)),
    PriceCheck(vintages, (VINTAGES_DISAGREE,)),
    PriceCheck(currencies, (MIXED_CURRENCIES,)),
    PriceCheck(copies.twins, (copies.DUPLICATE_SERIES, copies.EQUALS_BENCHMARK)),
)
#: The rules of all checks by name.
RULES: Mapping[str, Rule] = {rule.name: rule for check in CHECKS for rule in check.rules}


#: A column that moves on so few days is a dummy variable among the factors, or a firm without variation, which the model drops.
DUMMY = 0.1


def check_returns(
    returns: pd.DataFrame,
    *,
    kind: ReturnKind | None = "simple",
    calendar: str | None = None,
    benchmarks: Sequence[str] = (),
    usage: Usage | None = None,
    thin_trading: bool = False,
) -> tuple[Finding, ...]:
    """Look for what can be wrong with a table of returns: its price relatives are checked as prices are, where that makes sense.

    Parameters
    ----------
    returns : DataFrame, shape (T, K)
        Fractions on days.
    kind : {"simple", "log"} or None
        What returns they are; None for figures that are none, such as abnormal volumes: only series under two names are looked for.
    calendar : str or None
        ISO code of the exchange whose sessions they should have, if it is named or recognised.
    benchmarks : sequence of str
        Columns that firms are measured against.
    """
    raw = make_grid(Prices(returns, Provenance("returns")), None, benchmarks, usage, thin_trading)
    twins = copies.twins_of(raw, raw.adjusted)
    # returns may be repeated on purpose, and a firm that is its benchmark is dropped by the model
    found = [replace(f, severity="warning") if f.severity == "error" else f for f in twins]
    values = raw.adjusted.T
    if kind is None or not len(raw.days):
        return gathered(found)
    moving, still_ones = np.ones(len(values), dtype=np.bool_), screen.may_stand_still(values)
    if still_ones:
        moving = (np.count_nonzero(values, axis=1) + len(returns) - len(raw.days)) / len(returns) > DUMMY
    if not moving.any():
        return gathered(found)
    series = values if moving.all() else values[moving]

    shifted = copies.doubtful_stretches(screen.log_returns(series, kind), raw.benchmark[moving])

    @cache
    def grid() -> Grid:
        """Return the price relatives of what moves, for a closer look."""
        table = returns if moving.all() else returns.loc[:, moving]
        placed = make_grid(Prices(table, Provenance("returns")), calendar, benchmarks, usage, thin_trading)
        own = placed.adjusted.T
        spare = own.flags.writeable and not np.may_share_memory(own, values)
        levels = price_relatives(own, kind, own if spare else None)
        return replace(placed, adjusted=levels.T, of_returns=True)

    if screen.may_repeat_rows(values, raw.benchmark):
        still = np.zeros(values.shape, dtype=np.bool_).T
        for block in blocks(len(values)):
            some = raw.adjusted[:, block]
            still[:, block] = (some == 0.0) | (some == previous(some))
        found += days.repeated_rows(raw, still, raw.priced, "every return is zero or that of the day before")
    if calendar is not None and screen.may_miss_sessions(raw.days, series, calendar):
        found += [*days.missing_sessions(grid()), *days.extra_days(grid())]
    if still_ones and screen.may_stand_still(series):
        found += [*days.stale_prices(grid()), *days.carried_prices(grid())]
    if shifted:
        found += copies.shifted_days(grid(), shifted if moving.all() else None)
    return gathered(found)


def price_relatives(series: FloatArray, kind: ReturnKind, out: FloatArray | None = None) -> FloatArray:
    """Return prices over the one before the first return of series, shape (K, T), empty where the return is; ``out`` may be the series themselves."""
    levels = np.empty(series.shape) if out is None else out
    for block in blocks(len(series)):
        values = series[block]
        there = np.isfinite(values)
        with np.errstate(over="ignore"):
            growth = values + 1.0 if kind == "simple" else np.exp(values)
            growth[~there] = 1.0
            np.cumprod(growth, axis=1, out=levels[block])
        levels[block][~there] = np.nan
    return levels


def gathered(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity and check, the most serious first; of one check for many tickers, one that counts them."""
    alike: dict[tuple[int, int], list[Finding]] = {}
    order = list(RULES)
    for item in found:
        alike.setdefault((-SEVERITIES.index(item.severity), order.index(item.check)), []).append(item)
    out: list[Finding] = []
    for key in sorted(alike):
        same = alike[key]
        out += [_as_one(same)] if len(same) > (1 if same[0].severity == "note" else APART) else same
    return tuple(out)


def _as_one(same: Sequence[Finding]) -> Finding:
    examples = first_few((f"{first_few(f.tickers, APART)} {f.value}".strip() for f in same), 3, "; ")
    tickers = tuple(dict.fromkeys(t for f in same for t in f.tickers))
    days = [d for f in same for d in (f.first, f.last) if d]
    return replace(same[0], tickers=tickers, first=min(days, default=""), last=max(days, default=""), value=examples)
