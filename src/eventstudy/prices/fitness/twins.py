"""One series under two tickers: on all their common days, or on many in a row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from eventstudy.prices.fitness.finding import Finding, finding
from eventstudy.prices.fitness.grid import BoolArray, FloatArray, Grid

#: Common returns with which two series can be called identical, and the share of their squares that may differ.
COMMON_RETURNS, IDENTICAL, SAMPLED_DAYS = 20, 1e-7, 40
#: Returns that differ by no more are the same; within as much times ten of zero they say nothing.
SAME = 1e-6
#: Common days in a row with the same returns, none of them zero, on which two series are one.
SAME_IN_A_ROW = 60
#: Days of a block by which such runs are looked for: a run holds a whole block wherever it begins.
BLOCK = SAME_IN_A_ROW // 2
#: Columns with the next sums that a column of a block is held against: others may lie between two twins by chance.
NEIGHBOURS = 4


def twin_checks(grid: Grid, returns: FloatArray) -> Iterator[Finding]:
    """Yield pairs of tickers with the same returns on all their common days, or on sixty in a row.

    Parameters
    ----------
    grid : Grid
        The table.
    returns : ndarray, shape (T, K)
        Its returns.
    """
    there = np.isfinite(returns)
    whole = {pair: rows for pair in _alike(returns, there) if len(rows := _all_days(returns, there, *pair))}
    stretches = {
        pair: rows
        for pair in sorted(_candidates(returns, there) - whole.keys())
        if len(rows := _longest_run(returns, there, *pair))
    }
    for (i, j), rows in (whole | stretches).items():
        if grid.benchmark[i] and grid.benchmark[j]:
            continue
        against = bool(grid.benchmark[i]) != bool(grid.benchmark[j])
        used = grid.used[rows][:, [i, j]].any()  # which of the two is wrong is not known
        how = f"all {len(rows)} common days" if (i, j) in whole else f"{len(rows)} days in a row that are not zero"
        yield finding(
            "equals_benchmark" if against else "duplicate_series",
            "error" if used else "note",
            (grid.tickers[i], grid.tickers[j]),
            f"the same return on {how}",
            *grid.span(rows),
        )


def _all_days(returns: FloatArray, there: BoolArray, i: int, j: int) -> NDArray[np.int64]:
    """Return the common days of two columns if they agree on all of them, else none."""
    common = np.flatnonzero(there[:, i] & there[:, j])
    same = len(common) >= COMMON_RETURNS and np.allclose(returns[common, i], returns[common, j], rtol=0.0, atol=SAME)
    return common if same else common[:0]


def _longest_run(returns: FloatArray, there: BoolArray, i: int, j: int) -> NDArray[np.int64]:
    """Return the longest run of common days on which two columns agree and move, if it is long enough, else none."""
    one, two = returns[:, i], returns[:, j]
    rows = np.flatnonzero(
        there[:, i] & there[:, j] & (np.maximum(np.abs(np.nan_to_num(one)), np.abs(np.nan_to_num(two))) > 10 * SAME)
    )
    same = np.abs(one[rows] - two[rows]) <= SAME
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
    if not len(edges):
        return rows[:0]
    starts, stops = edges[::2], edges[1::2]
    longest = int((stops - starts).argmax())
    run = rows[starts[longest] : stops[longest]]
    return run if len(run) >= SAME_IN_A_ROW else rows[:0]


def _candidates(returns: FloatArray, there: BoolArray) -> set[tuple[int, int]]:
    """Return pairs of columns that agree on a whole block of days, for a closer look."""
    weights = np.cos(np.arange(1.0, BLOCK + 1.0))
    found: set[tuple[int, int]] = set()
    for start in range(0, len(returns) - BLOCK + 1, BLOCK):
        rows = slice(start, start + BLOCK)
        moving = np.flatnonzero(
            there[rows].any(axis=0) & (np.abs(np.nan_to_num(returns[rows])) > 10 * SAME).any(axis=0)
        )
        block = np.nan_to_num(returns[rows][:, moving])
        order = (weights @ block).argsort()
        for step in range(1, min(NEIGHBOURS, len(order) - 1) + 1):
            one, two = order[:-step], order[step:]
            same = (np.abs(block[:, one] - block[:, two]) <= SAME).all(axis=0)
            pairs = np.sort(moving[np.column_stack((one[same], two[same]))], axis=1)
            found.update((int(i), int(j)) for i, j in pairs)
    return found


def _alike(returns: FloatArray, there: BoolArray) -> list[tuple[int, int]]:
    """Return pairs of columns that agree on a sample of their days, for a closer look."""
    if len(returns) <= COMMON_RETURNS:
        return []
    rows = np.linspace(1, len(returns) - 1, min(SAMPLED_DAYS, len(returns) - 1)).astype(np.int64)
    values, mask = np.where(there, returns, 0.0)[rows], there[rows].astype(np.float64)
    squares = (values**2).T @ mask
    scale = np.minimum(squares, squares.T)
    apart = squares + squares.T - 2.0 * (values.T @ values)
    return [(i, j) for i, j in np.argwhere(np.triu((apart <= IDENTICAL * scale) & (scale > 1e-12), 1)).tolist()]
