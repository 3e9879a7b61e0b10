"""Correlation between events, taken in calendar time."""

from __future__ import annotations

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.panel import FloatArray, IntArray
from eventstudy.windows import Window

#: Pairs of events with fewer common estimation days than this count as uncorrelated.
MIN_COMMON_DAYS = 30


def overlap_shares(position: IntArray, window: Window) -> FloatArray:
    """Return the share of a window's calendar days that each pair of events has in common.

    Parameters
    ----------
    position : ndarray of int, shape (n,)
        Place of each event's session in calendar time.
    window : Window
        The test window, L days.

    Returns
    -------
    ndarray, shape (n, n)
        ``|W_i ∩ W_j| / L``, with zeros on the diagonal.
    """
    apart = np.abs(position[:, None] - position[None, :])
    shares = np.maximum(len(window) - apart, 0) / len(window)
    np.fill_diagonal(shares, 0.0)
    return np.asarray(shares, dtype=np.float64)


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
    shares = overlap_shares(position, window)
    linked = shares.any(axis=1)
    if not linked.any():
        return 0.0
    rho = pairwise_correlation(by_calendar_day(abnormal, members[linked]))
    return float((rho * shares[np.ix_(linked, linked)]).sum() / (n * (n - 1)))


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


def pairwise_correlation(table: FloatArray) -> FloatArray:
    """Return correlations of the rows over the days that each pair has in common.

    Parameters
    ----------
    table : ndarray, shape (n, days)
        One row an event, NaN where there is none.

    Returns
    -------
    ndarray, shape (n, n)
        Pearson correlations; 0 for pairs with fewer than `MIN_COMMON_DAYS` common days and on the diagonal.
    """
    seen = np.isfinite(table).astype(np.float64)
    values = np.where(seen > 0, table, 0.0)
    count = seen @ seen.T
    total = values @ seen.T
    squares = (values**2) @ seen.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = values @ values.T - total * total.T / count
        variance = squares - total**2 / count
        rho = covariance / np.sqrt(variance * variance.T)
    rho = np.where((count >= MIN_COMMON_DAYS) & np.isfinite(rho), rho, 0.0)
    np.fill_diagonal(rho, 0.0)
    return np.asarray(rho, dtype=np.float64)
