"""Correlation between events, taken in calendar time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray
from eventstudy.windows import Window

#: A quantity of rows with rows, shape (n, days) and (m, days) to (n, m).
Pairwise = Callable[[FloatArray, FloatArray], FloatArray]

#: Pairs of events with fewer common estimation days than this count as uncorrelated.
MIN_COMMON_DAYS = 30

#: Residuals whose variance is below this share of their mean square do not vary on the days looked at; the rest is rounding.
CONSTANT = 1e-12

#: Fewest and most events whose correlations with their neighbours are computed at once, and how many sessions they span.
SMALL, BLOCK, NARROW, WIDE = 16, 1024, 8, 64

#: From so many neighbours for each day of the window on, sums by date are quicker than matrix products of pairs (measured).
CROWDED = 30


def mean_correlation(abnormal: AbnormalReturns, members: IntArray, window: Window) -> float:
    """Return the mean residual correlation of all pairs, weighted by the overlap of their windows.

    Parameters
    ----------
    members : ndarray of int, shape (n,)
        The events that enter the test.

    Returns
    -------
    float
        ``r̄_W = 1/(n(n-1)) Σ_{i≠j} ρ_ij |W_i ∩ W_j| / L``; 0 for fewer than two events or disjoint windows.

    Notes
    -----
    ``ρ_ij`` is taken over the common *calendar* days of the two estimation windows, and is 0 with fewer than 30
    of them. If all events share one date this is the r̄ of Kolari and Pynnönen (2010), Review of Financial
    Studies 23, 3996-4025; for partly overlapping windows it follows the idea of Kolari, Pape and Pynnönen (2018).
    Two events of one firm are a pair like any other: on common days their residuals are nearly the same.
    """
    n = len(members)
    if n < 2:
        return 0.0

    def compute() -> float:
        ordered = members[np.argsort(abnormal.position[members], kind="stable")]
        total = linked_sum(abnormal.residuals[ordered], abnormal.position[ordered], len(window))
        return total / (n * (n - 1))

    return abnormal.once(("mean_correlation", len(window), members.tobytes()), compute)


def event_time_correlation(abnormal: AbnormalReturns) -> float:
    """Return the mean correlation of all pairs' residuals by *relative* day, over all N events; 0 for fewer than two.

    Notes
    -----
    What other packages call the mean correlation. Right if all events share one date. On different dates the residuals
    of one relative day have nothing in common, and the mean is noise around zero, as often negative as positive.
    """
    n = abnormal.n
    if n < 2:
        return 0.0
    same = np.zeros(n, dtype=np.int64)
    return abnormal.once("event_time_correlation", lambda: linked_sum(abnormal.residuals, same, 1) / (n * (n - 1)))


def pair_correlations(abnormal: AbnormalReturns, members: IntArray) -> FloatArray:
    """Return the residual correlation of every pair of some events over their common calendar days, shape (n, n)."""
    ordered = members[np.argsort(abnormal.position[members], kind="stable")]
    table = _by_session(abnormal.residuals[ordered], abnormal.position[ordered])
    return block_correlation(table, table)


def unknown_share(abnormal: AbnormalReturns, members: IntArray, window: Window) -> float:
    """Return how much of the overlap of windows belongs to pairs with fewer than `MIN_COMMON_DAYS` common estimation days.

    Returns
    -------
    float
        Between 0 and 1; 0 where no windows overlap. Pairs without days enough count as uncorrelated in r̄, so that a large share
        hides a correlation in place of measuring it.
    """
    days = abnormal.n_est[members]
    if len(members) < 2:
        return 0.0
    fewest = 2 * int(days.min()) - abnormal.residuals.shape[1] - (len(window) - 1)  # of two sets of days among M
    if fewest >= MIN_COMMON_DAYS:
        return 0.0

    def compute() -> float:
        ordered = members[np.argsort(abnormal.position[members], kind="stable")]
        residuals, position = abnormal.residuals[ordered], abnormal.position[ordered]
        length = 1 if position[0] == position[-1] else len(window)
        every = np.ones(len(ordered), dtype=np.bool_)
        overlap = _pairs_sum(residuals, position, every, length, _paired)
        lacking = _pairs_sum(residuals, position, every, length, _lacking)
        return lacking / overlap if overlap else 0.0

    return abnormal.once(("unknown_share", len(window), members.tobytes()), compute)


def _paired(block: FloatArray, table: FloatArray) -> FloatArray:
    return np.ones((len(block), len(table)), dtype=np.float64)


def _lacking(block: FloatArray, table: FloatArray) -> FloatArray:
    return np.asarray(_common(block, table) < MIN_COMMON_DAYS, dtype=np.float64)


def _common(block: FloatArray, table: FloatArray) -> FloatArray:
    """Return how many days rows have in common with rows, shape (n, m)."""
    return np.asarray(np.isfinite(block).astype(np.float64) @ np.isfinite(table).astype(np.float64).T, dtype=np.float64)


def linked_sum(residuals: FloatArray, position: IntArray, length: int) -> float:
    """Return ``Σ_{i≠j} ρ_ij max(L - |p_i - p_j|, 0) / L`` over events in order of date.

    Parameters
    ----------
    residuals : ndarray, shape (n, M)
        By relative day, NaN where missing.
    position : ndarray of int, shape (n,)
        Places of the events in calendar time, ascending.

    Notes
    -----
    Events d sessions apart have M - d days in common: the later days of the first, the earlier days of the second. Among
    events without missing days no pair is needed: with z the residuals centred and scaled to length 1 over these days,
    ``Σ_ij z_i'z_j`` over two dates is the product of the dates' sums, so the cost is O(n M) for each distance. Other pairs,
    and few pairs, go through matrix products.
    """
    if position[0] == position[-1]:
        length = 1
    whole = np.asarray(np.isfinite(residuals).all(axis=1), dtype=np.bool_)
    if not _crowded(position[whole], length):
        return _pairs_sum(residuals, position, np.ones(len(position), dtype=np.bool_), length)
    total = _complete_sum(residuals[whole], position[whole], length)
    return total if whole.all() else total + _pairs_sum(residuals, position, ~whole, length)


def _reach(length: int) -> int:
    """Return how many sessions a block of events may span: too wide meets pairs without common days, too narrow is many blocks."""
    return min(max(2 * length, NARROW), WIDE)


def _neighbours(position: IntArray, apart: int) -> IntArray:
    """Return how many events lie at most ``apart`` sessions from each, itself among them, shape (n,)."""
    last = np.searchsorted(position, position + apart, side="right")
    return np.asarray(last - np.searchsorted(position, position - apart), dtype=np.int64)


def _crowded(position: IntArray, length: int) -> bool:
    """Return whether events have so many neighbours that summing by date is quicker."""
    near = _neighbours(position, length - 1 + _reach(length) // 2)
    return bool(near.sum() > CROWDED * length * len(position))


def _complete_sum(residuals: FloatArray, position: IntArray, length: int) -> float:
    """Return `linked_sum` over events without missing days."""
    m = residuals.shape[1]
    dates, count = np.unique(position, return_counts=True)
    total = 0.0
    centred = residuals - residuals.mean(axis=1, keepdims=True)
    for d in range(min(length, m - MIN_COMMON_DAYS + 1)):
        first = dates[count > 1] if d == 0 else dates[np.isin(dates + d, dates)]
        if len(first) == 0:
            continue
        here, there = np.isin(position, first), np.isin(position, first + d)
        early = _date_sums(centred[here, d:], position[here])
        if d == 0:
            found = np.einsum("gm,gm->", early, early) - np.count_nonzero(here & (np.ptp(residuals, axis=1) > 0))
        else:
            found = 2.0 * np.einsum("gm,gm->", early, _date_sums(centred[there, : m - d], position[there]))
        total += float(found) * (length - d) / length
    return total


def _date_sums(values: FloatArray, position: IntArray) -> FloatArray:
    """Return the sum over each date's events of their rows, centred and scaled to length 1, shape (dates, days)."""
    start = np.unique(position, return_index=True)[1]
    mean = values.mean(axis=1)
    whole = np.einsum("nm,nm->n", values, values)
    square = whole - values.shape[1] * mean**2
    varies = square > CONSTANT * whole
    scale = np.where(varies, 1.0 / np.sqrt(np.where(varies, square, 1.0)), 0.0)
    sums = np.add.reduceat(values * scale[:, None], start, axis=0)
    return np.asarray(sums - np.add.reduceat(mean * scale, start)[:, None], dtype=np.float64)


def _pairs_sum(
    residuals: FloatArray, position: IntArray, chosen: BoolArray, length: int, of: Pairwise | None = None
) -> float:
    """Return `linked_sum` over the pairs of which at least one event is chosen, of correlations or of another quantity.

    Rows are the chosen events, block by block; only events less than a window apart share days, so a block meets its
    neighbours and no others. A neighbour that is not chosen counts twice: its own row is never visited.
    """
    rows, total, start = np.flatnonzero(chosen & (_neighbours(position, length - 1) > 1)), 0.0, 0
    place = position[rows]
    while start < len(rows):
        within = int(np.searchsorted(place, place[start] + _reach(length), side="right"))
        end = min(max(within, start + SMALL), start + BLOCK, len(rows))
        block = rows[start:end]
        first = int(np.searchsorted(position, place[start] - length + 1))
        last = int(np.searchsorted(position, place[end - 1] + length - 1, side="right"))
        near = np.arange(first, last)
        apart = np.abs(position[block][:, None] - position[None, near])
        weight = np.maximum(length - apart, 0) / length * np.where(chosen[near], 1.0, 2.0)
        weight[block[:, None] == near] = 0.0
        if weight.any():
            table = _by_session(residuals[near], position[near])
            part = table if len(block) == len(near) else table[block - first]
            total += float(((of or block_correlation)(part, table) * weight).sum())
        start = end
    return total


def _by_session(residuals: FloatArray, position: IntArray) -> FloatArray:
    """Return residuals on a common calendar, shape (n, sessions), NaN where there is none."""
    n, m = residuals.shape
    table = np.full((n, m + int(position[-1] - position[0])), np.nan)
    np.put_along_axis(table, (position - position[0])[:, None] + np.arange(m), residuals, axis=1)
    return table


def block_correlation(block: FloatArray, table: FloatArray) -> FloatArray:
    """Return correlations of rows with rows over the days that each pair has in common.

    Parameters
    ----------
    block, table : ndarray, shape (n, days) and (m, days)
        One row an event, NaN where there is none.

    Returns
    -------
    ndarray, shape (n, m)
        Pearson correlations; 0 for pairs with fewer than `MIN_COMMON_DAYS` common days.
    """
    seen_b, seen_t = (np.isfinite(x).astype(np.float64) for x in (block, table))
    b, t = np.nan_to_num(block), np.nan_to_num(table)
    count = seen_b @ seen_t.T
    sum_b = b @ seen_t.T
    sum_t = sum_b.T if block is table else seen_b @ t.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = b @ t.T - sum_b * sum_t / count
        variance_b = _variance((b**2) @ seen_t.T, sum_b, count)
        variance_t = variance_b.T if block is table else _variance(seen_b @ (t**2).T, sum_t, count)
        rho = covariance / np.sqrt(variance_b * variance_t)
    return np.asarray(np.where((count >= MIN_COMMON_DAYS) & np.isfinite(rho), rho, 0.0), dtype=np.float64)


def _variance(squares: FloatArray, total: FloatArray, count: FloatArray) -> FloatArray:
    """Return sums of squares about the mean; 0 where they are rounding noise."""
    variance = squares - total**2 / count
    return np.asarray(np.where(variance > CONSTANT * squares, variance, 0.0), dtype=np.float64)
