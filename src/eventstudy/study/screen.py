"""Which columns of a table deserve a closer look: bounds that no column which the refusals refuse stays below, in a few passes over the cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.prices.checks.screen import by_series
from eventstudy.study.interpolated import EQUAL, LARGEST

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

#: Rows of a block: a stretch of twice as many holds a whole one wherever it begins; moves of a block that may differ from the one before.
BLOCK, APART = 20, 6
#: Share of the rows of one weekday that stand still or go on as before, from which on a column is looked at.
WEEKDAY = 0.85
#: Share of the rows of each weekday that are looked at before all.
LOOKED_AT = 0.25
#: By how much bounds are wider for figures of half the digits; its square is more than what these leave out.
ROUNDED = 1.001
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
    doubtful = np.flatnonzero(_doubtful(values.T, weekday, turns, ratio))
    out = np.zeros(values.shape[1], dtype=np.bool_)
    out[doubtful] = np.concatenate(
        [_looked_at(part, on, turns, ratio) for part in _by_columns(values[:, doubtful])] or [np.zeros(0, np.bool_)]
    )
    return out


def _by_columns(values: FloatArray) -> Iterator[FloatArray]:
    """Yield the columns of a matrix, some at a time, each one contiguous, shape (k, T)."""
    yield from map(np.ascontiguousarray, by_series(values.T))


def _doubtful(series: FloatArray, weekday: NDArray[np.int64], turns: NDArray[np.intp], ratio: FloatArray) -> BoolArray:
    """Return which series, shape (K, T), are not cleared by a look at some of their cells: a bound of `_looked_at`.

    A move beside a hole counts as equal; among all rows so does one after more or fewer days than the move before. Of each weekday the first rows are looked at: what
    nearly all rows of it are, most of these are.
    """
    number = np.bincount(weekday, minlength=7)
    seen = (weekday[:, None] == np.arange(7)).cumsum(axis=0)
    stop = min(int((seen < LOOKED_AT * number).any(axis=1).sum()) + 2, len(weekday) - 1)
    on = (weekday[1:stop, None] == np.arange(7)).astype(np.float32)
    allowed = (1.0 - WEEKDAY) * number
    kept = np.ones(series.shape[1], dtype=np.bool_)
    kept[turns] = False
    times = np.ones(series.shape[1], dtype=np.float32)
    times[turns] = ratio
    return np.concatenate(
        [
            _not_cleared(part.astype(np.float32, order="C"), kept, times[1:stop], on, allowed)
            for part in by_series(series)
        ]
        or [np.zeros(0, np.bool_)]
    )


def _not_cleared(
    v: NDArray[np.float32],
    kept: BoolArray,
    ratio: NDArray[np.float32],
    on: NDArray[np.float32],
    allowed: NDArray[np.floating],
) -> BoolArray:
    """Return which of some series, shape (k, T), are not cleared by all rows that are kept and by the first rows of each weekday; bounds are wider by what is rounded."""
    size = np.abs(v)
    total = size.sum(axis=1)
    lost = np.zeros(len(v), dtype=np.int64)
    if not np.isfinite(total).all():
        lost, total = np.isnan(v).sum(axis=1), np.nansum(size, axis=1)
    moved = v != 0.0
    moves = np.full(len(v), v.shape[1]) if moved.all() else np.count_nonzero(moved, axis=1)
    typical = np.minimum(2.0 * total / np.maximum(moves - lost, 1), LARGEST)
    bound = (ROUNDED * EQUAL * typical + (ROUNDED - 1.0) ** 2 * total).astype(np.float32)[:, None]
    step = v[:, 1:] - v[:, :-1]
    np.abs(step, out=step)
    reach = np.multiply(size[:, :-1], size[:, :-1], out=size[:, :-1])
    reach *= np.float32(2.0 * ROUNDED)
    reach += bound
    apart = np.zeros(v.shape, dtype=np.bool_)
    np.greater(step, reach, out=apart[:, 1:])
    apart &= moved
    up = v > 0.0
    same = np.zeros((len(v), -(-v.shape[1] // 8) * 8), dtype=np.bool_)
    np.equal(up[:, 1:], up[:, :-1], out=same[:, : v.shape[1] - 1])
    stop = len(ratio) + 1
    here, before, after = v[:, 1:stop], v[:, : stop - 1], v[:, 2 : stop + 1]
    straight = np.abs(here - ratio * before) > np.maximum(ratio, np.float32(1.0)) * reach[:, : stop - 1]
    middle = np.abs(here - np.float32(0.5) * (after + before)) > bound
    beside = (apart[:, 1:stop] & straight).astype(np.float32) @ on
    off = (middle & (here != 0.0)).astype(np.float32) @ on
    apart &= kept
    still = (beside <= allowed) | (off <= allowed)
    return np.asarray(
        _in_blocks(apart, moved, moves)
        | still[:, allowed > 0].any(axis=1)
        | (_counted(same) >= SAME_SIDE * (v.shape[1] - 1))
        | (lost >= 0.99 * HOLES * v.shape[1])
        | ~np.isfinite(total),
        dtype=np.bool_,
    )


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
        _in_blocks(moved & ~equal, moved, moves)
        | _on_weekdays(on, there, (equal | ~moved) & there)
        | _on_weekdays(on, moved, middle & moved)
        | (sides >= SAME_SIDE * (v.shape[1] - 1))
        | (count < (1.0 - HOLES) * v.shape[1]),
        dtype=np.bool_,
    )


def _in_blocks(apart: BoolArray, moved: BoolArray, moves: NDArray[np.integer]) -> BoolArray:
    """Return the columns most of whose moves, or all but a few of a block of rows, equal the one before."""
    whole = moved.shape[1] // BLOCK * BLOCK
    unlike = _in_twenties(apart[:, :whole])
    number = unlike.sum(axis=1) + apart[:, whole:].sum(axis=1)
    out = np.asarray(2 * number <= moves, dtype=np.bool_)
    k, block = np.nonzero(unlike <= APART)
    busy = moved[:, :whole].reshape(len(moved), -1, BLOCK)[k, block].sum(axis=1) >= BLOCK // 2
    out[k[busy]] = True
    return out


def _counted(said: BoolArray) -> NDArray[np.int64]:
    """Return how many of the rows, a multiple of eight, are such as is said, shape (k,): bytes are added eight at a time."""
    words = said.view(np.uint64)
    parts = [words[:, at : at + 255].sum(axis=1) for at in range(0, words.shape[1], 255)]
    return np.asarray(sum(p.view(np.uint8).reshape(len(said), 8).sum(axis=1, dtype=np.int64) for p in parts))


def _in_twenties(said: BoolArray) -> NDArray[np.uint32]:
    """Return how many of each twenty rows are such as is said, shape (k, T / 20): bytes are added four at a time."""
    words = np.ascontiguousarray(said).view(np.uint32).reshape(len(said), -1, BLOCK // 4)
    total = words[..., 0].copy()
    for place in range(1, BLOCK // 4):
        total += words[..., place]
    return (total * np.uint32(0x01010101)) >> np.uint32(24)


def _on_weekdays(on: NDArray[np.float32], there: BoolArray, said: BoolArray) -> BoolArray:
    """Return the columns of which nearly all rows on one weekday are such as is said."""
    count, hits = (a.astype(np.float32) @ on for a in (there, said))
    return np.asarray(((hits >= WEEKDAY * count) & (count > 0)).any(axis=1), dtype=np.bool_)
