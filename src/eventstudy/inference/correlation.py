"""Correlation between events, taken in calendar time."""

from __future__ import annotations

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.panel import FloatArray, IntArray
from eventstudy.windows import Window

#: Pairs of events with fewer common estimation days than this count as uncorrelated.
MIN_COMMON_DAYS = 30


def overlap_shares(position: IntArray, others: IntArray, window: Window) -> FloatArray:
    """Return the share of a window's calendar days that each pair of events has in common.

    Parameters
    ----------
    position, others : ndarray of int, shape (n,) and (m,)
        Places of the events' sessions in calendar time.
    window : Window
        The test window, L days.

    Returns
    -------
    ndarray, shape (n, m)
        ``|W_i ∩ W_j| / L``.
    """
    apart = np.abs(position[:, None] - others[None, :])
    return np.asarray(np.maximum(len(window) - apart, 0) / len(window), dtype=np.float64)


def mean_correlation(abnormal: AbnormalReturns, members: IntArray, window: Window) -> float:
    """Return the mean residual correlation of all pairs, weighted by the overlap of their windows.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    members : ndarray of int, shape (n,)
        The events that enter the test.
    window : Window
        The test window.

    Returns
    -------
    float
        ``r̄_W = 1/(n(n-1)) Σ_{i≠j} ρ_ij |W_i ∩ W_j| / L``; 0 for fewer than two events or disjoint windows.

    Notes
    -----
    ``ρ_ij`` is taken over the common *calendar* days of the two estimation windows, and is 0 with fewer than 30
    of them. If all events share one date this is the r̄ of Kolari and Pynnönen (2010), Review of Financial
    Studies 23, 3996-4025; for partly overlapping windows it follows the idea of Kolari, Pape and Pynnönen (2018).
    With one date and no missing day, r̄ needs no pairs:
    ``r̄ = (Σ_t (Σ_i z_it)² / (M-1) - n) / (n (n-1))`` with z the residuals over their sample deviation.
    """
    n = len(members)
    if n < 2:
        return 0.0
    position = abnormal.position[members]
    residuals = abnormal.residuals[members]
    if (position == position[0]).all() and np.isfinite(residuals).all():
        return _one_date(residuals)
    return _linked_sum(abnormal, members[np.argsort(position, kind="stable")], window) / (n * (n - 1))


#: Events whose correlations are computed at once.
BLOCK = 512


def _linked_sum(abnormal: AbnormalReturns, ordered: IntArray, window: Window) -> float:
    """Return ``Σ_{i≠j} ρ_ij |W_i ∩ W_j| / L`` over events in order of date, block by block.

    Only events less than a window apart share days, so a block meets its neighbours and no others.
    """
    position = abnormal.position[ordered]
    total = 0.0
    for start in range(0, len(ordered), BLOCK):
        rows = slice(start, min(start + BLOCK, len(ordered)))
        first = int(np.searchsorted(position, position[rows.start] - len(window) + 1))
        last = int(np.searchsorted(position, position[rows.stop - 1] + len(window) - 1, side="right"))
        shares = overlap_shares(position[rows], position[first:last], window)
        shares[np.arange(rows.stop - start), np.arange(start - first, rows.stop - first)] = 0.0
        if shares.any():
            table = by_calendar_day(abnormal, ordered[first:last])
            total += float((block_correlation(table[start - first : rows.stop - first], table) * shares).sum())
    return total


def _one_date(residuals: FloatArray) -> float:
    n, m = residuals.shape
    centred = residuals - residuals.mean(axis=1, keepdims=True)
    z = centred / np.sqrt(np.einsum("nm,nm->n", centred, centred) / (m - 1))[:, None]
    total = z.sum(axis=0)
    return float((total @ total / (m - 1) - n) / (n * (n - 1)))


def by_calendar_day(abnormal: AbnormalReturns, members: IntArray) -> FloatArray:
    """Return estimation residuals on a common calendar, shape (n, days), NaN where there is none."""
    columns = abnormal.position[members][:, None] + abnormal.estimation.days[None, :]
    columns = columns - columns.min()
    table = np.full((len(members), int(columns.max()) + 1), np.nan)
    np.put_along_axis(table, columns, abnormal.residuals[members], axis=1)
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
    sum_b, sum_t = b @ seen_t.T, seen_b @ t.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = b @ t.T - sum_b * sum_t / count
        variance_b = (b**2) @ seen_t.T - sum_b**2 / count
        variance_t = seen_b @ (t**2).T - sum_t**2 / count
        rho = covariance / np.sqrt(variance_b * variance_t)
    return np.asarray(np.where((count >= MIN_COMMON_DAYS) & np.isfinite(rho), rho, 0.0), dtype=np.float64)
