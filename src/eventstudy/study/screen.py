"""Which columns of a table deserve a closer look: bounds that no column which the refusals refuse stays below, in a few passes over the cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.study.interpolated import EQUAL, LARGEST

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

#: Cells that are looked at together, so that they stay in the processor's cache.
CELLS = 80_000
#: Rows of a block: a stretch of twice as many holds a whole one wherever it begins; moves of a block that may differ from the one before.
BLOCK, APART = 20, 6
#: Share of the rows of one weekday that stand still or go on as before, from which on a column is looked at.
WEEKDAY = 0.85
#: Share of rows on the side of zero of the row before, from which on a column may follow itself.
SAME_SIDE = 0.55
#: Share of the rows without a figure from which on the bounds say nothing.
HOLES = 0.2
#: Rows from which on the bounds say something.
FEWEST = 60


def suspicious(returns: pd.DataFrame) -> BoolArray:
    """Return the columns whose returns may be filled in, interpolated, spread from longer periods or cumulated, shape (K,).

    Parameters
    ----------
    returns : DataFrame, shape (T, K)
        Fractions, NaN where there is none.

    Notes
    -----
    A move equals the one before if it differs by less than a share of the median move m (`interpolated.EQUAL`). Twice the mean size is no
    smaller than m (Markov's inequality), so that with it more moves are equal, and a column with few of them has few by m; a move beside a
    hole counts as equal, and so does one within twice the square of the move before (the step of a price, in place of that of its
    logarithm). Clipped figures that correlate by 0.7 with those of the row before are on the same side of zero more often than not.
    """
    values = returns.to_numpy(dtype=np.float64)
    if len(values) < FEWEST:
        return np.ones(values.shape[1], dtype=np.bool_)
    days = returns.index.to_numpy(dtype="datetime64[D]")
    weekday = np.asarray(pd.DatetimeIndex(returns.index).day_of_week)
    on = (weekday[:, None] == np.arange(7)).astype(np.float32)
    length = np.diff(days).astype(np.float64)
    turns = np.flatnonzero(length[1:] != length[:-1]) + 2
    ratio = length[turns - 1] / length[turns - 2]
    return np.concatenate(
        [_looked_at(part, on, turns, ratio) for part in _by_columns(values)] or [np.zeros(0, np.bool_)]
    )


def _by_columns(values: FloatArray) -> Iterator[FloatArray]:
    """Yield the columns of a matrix, some at a time, each one contiguous, shape (k, T)."""
    step = max(1, CELLS // max(len(values), 1))
    for first in range(0, values.shape[1], step):
        yield np.ascontiguousarray(values[:, first : first + step].T)


def _looked_at(v: FloatArray, on: NDArray[np.float32], turns: NDArray[np.intp], ratio: FloatArray) -> BoolArray:
    """Return which of some columns, shape (k, T), may be what the refusals refuse."""
    size = np.abs(v)
    there = size < np.inf
    count = there.sum(axis=1)
    whole = bool((count == v.shape[1]).all())
    if not whole:
        v, size = np.where(there, v, 0.0), np.where(there, size, 0.0)
    moved = size > 0.0
    moves = moved.sum(axis=1)
    bound = EQUAL * np.minimum(2.0 * size.sum(axis=1) / np.maximum(moves, 1), LARGEST)[:, None]
    reach = 2.0 * size * size + bound
    equal = np.empty(v.shape, dtype=np.bool_)
    equal[:, 0] = True
    np.less_equal(np.abs(v[:, 1:] - v[:, :-1]), reach[:, :-1], out=equal[:, 1:])
    equal[:, turns] |= np.abs(v[:, turns] - ratio * v[:, turns - 1]) <= np.maximum(ratio, 1.0) * reach[:, turns - 1]
    middle = np.zeros(v.shape, dtype=np.bool_)
    np.less_equal(np.abs(v[:, 1:-1] - 0.5 * (v[:, 2:] + v[:, :-2])), bound, out=middle[:, 1:-1])
    if not whole:
        equal[:, 1:] |= ~there[:, :-1]
        middle[:, 1:-1] |= ~(there[:, :-2] & there[:, 2:])
    sides = ((v[:, 1:] > 0.0) == (v[:, :-1] > 0.0)).sum(axis=1)
    return np.asarray(
        _in_blocks(moved, equal)
        | _on_weekdays(on, there, (equal | ~moved) & there)
        | _on_weekdays(on, moved, middle & moved)
        | (sides >= SAME_SIDE * (v.shape[1] - 1))
        | (count < (1.0 - HOLES) * v.shape[1]),
        dtype=np.bool_,
    )


def _in_blocks(moved: BoolArray, equal: BoolArray) -> BoolArray:
    """Return the columns most of whose moves, or all but a few of a block of rows, equal the one before."""
    whole = moved.shape[1] // BLOCK * BLOCK
    apart = moved & ~equal
    unlike, moves = (a[:, :whole].reshape(len(a), -1, BLOCK).sum(axis=2, dtype=np.uint8) for a in (apart, moved))
    return np.asarray(
        (2 * apart.sum(axis=1) <= moved.sum(axis=1)) | ((unlike <= APART) & (moves >= BLOCK // 2)).any(axis=1),
        dtype=np.bool_,
    )


def _on_weekdays(on: NDArray[np.float32], there: BoolArray, said: BoolArray) -> BoolArray:
    """Return the columns of which nearly all rows on one weekday are such as is said."""
    count, hits = (a.astype(np.float32) @ on for a in (there, said))
    return np.asarray(((hits >= WEEKDAY * count) & (count > 0)).any(axis=1), dtype=np.bool_)
