"""Rank tests of an average over several events."""

from __future__ import annotations

import math

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.correlation import mean_correlation
from eventstudy.inference.parametric import NO_DAYS, ONE_EVENT, members, spread
from eventstudy.inference.result import Draft, NotApplicable, t_draft, z_draft
from eventstudy.panel import FloatArray
from eventstudy.windows import Window


def mid_ranks(values: FloatArray) -> FloatArray:
    """Rank each row from 1, ties sharing their mean rank, NaN staying NaN.

    Parameters
    ----------
    values : ndarray, shape (n, days)
        Numbers, NaN where missing.

    Returns
    -------
    ndarray, shape (n, days)
    """
    order = np.argsort(values, axis=1, kind="stable")  # NaN sorts last
    ordered = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    starts = np.ones(values.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones(values.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    last_place = np.where(ends, place, values.shape[1])
    last = np.minimum.accumulate(last_place[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2.0 + 1.0, axis=1)
    return np.where(np.isfinite(values), ranks, np.nan)


def day_means(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean of each column over what is there, and how many there are."""
    seen = np.isfinite(values)
    count = seen.sum(axis=0).astype(np.float64)
    total = np.where(seen, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


def corrado_rank_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Corrado's rank test, ``z = Σ_{τ∈W} K̄_τ / (√L S(K))``, N(0, 1).

    Notes
    -----
    ``K_it`` ranks AR within each event over estimation and event windows together (T_i days), ``K̄_t`` is the mean
    over events of ``K_it - (T_i+1)/2``, ``S(K)² = (1/T) Σ_t K̄_t²``. The √L form under-rejects as L/T grows; the
    test is not robust to event-induced variance. With one event it cannot reach 5 % two-sided: the most extreme
    day gives ``√(3(T-1)/(T+1))`` < 1.74. Corrado (1989), Journal of Financial Economics 23, 385-395; several days:
    Cowan (1992); Campbell and Wasley (1993).
    """
    n = len(members(abnormal.sums(window).car))
    if n == 0:
        return NotApplicable(NO_DAYS, 0)
    if n == 1:
        return NotApplicable("with one event its smallest two-sided p-value is about 0.08; use sq or permutation", 1)
    ranks = mid_ranks(np.concatenate([abnormal.residuals, abnormal.ar], axis=1))
    days = np.isfinite(ranks).sum(axis=1, keepdims=True)
    mean_rank, _ = day_means(ranks - (days + 1) / 2.0)
    scale = math.sqrt(float(np.nanmean(mean_rank**2)))
    event = mean_rank[abnormal.residuals.shape[1] :][abnormal.columns_of(window)]
    if scale == 0.0:
        return NotApplicable("the ranks of the events cancel on every day", n)
    z = float(np.nansum(event)) / (math.sqrt(len(window)) * scale)
    return z_draft(z, n, "Corrado 1989", f"T = {int(np.isfinite(mean_rank).sum())}")


def grank_t(abnormal: AbnormalReturns, window: Window, *, rescale: bool = False) -> Draft | NotApplicable:
    """Generalised rank test, ``Z √((T-2)/(T-1-Z²))``, t(T - 2).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        Any number of days: the window counts as one "cumulated event day".
    rescale : bool
        Multiply the re-standardised CARs by ``√(1-r̄)`` against the downward bias of their spread under
        correlation (footnote 6 of the paper, as reported by others).

    Notes
    -----
    ``SCAR*_i = SCAR_i/sd(SCAR)`` joins the standardised residuals ``e_it/s_i`` as one more day;
    ``U_it = rank/(T_i+1) - 1/2``, ``S² = (1/T) Σ_t (n_t/n) Ū_t²`` with day 0 in the sum, ``Z = Ū_0/S``. Stands
    event-induced variance and, through the time series of Ū, cross-correlation. An event without a return in the
    window still lends its estimation days to the ranks; n counts the events in the window. Kolari and Pynnönen
    (2011), Journal of Empirical Finance 18, 953-971.
    """
    sums = abnormal.sums(window)
    chosen = members(sums.scar)
    n = len(chosen)
    variant = "rescaled" if rescale else "paper"
    if n < 2:
        return NotApplicable(ONE_EVENT if n else NO_DAYS, n, variant)
    deviation = spread(sums.scar[chosen])
    if deviation == 0.0:
        return NotApplicable("all events have the same standardised CAR", n, variant)
    shrink = 1.0
    if rescale:
        shrink = math.sqrt(max(1.0 - mean_correlation(abnormal, chosen, window), 0.0))
    star = shrink * sums.scar / deviation
    standard = abnormal.residuals / abnormal.sigma[:, None]
    ranks = mid_ranks(np.concatenate([standard, star[:, None]], axis=1))
    days = np.isfinite(ranks).sum(axis=1, keepdims=True)
    u, count = day_means(ranks / (days + 1.0) - 0.5)
    there = count > 0
    total = int(there.sum())
    scale = math.sqrt(float((count[there] / n * u[there] ** 2).sum()) / total)
    if scale == 0.0:
        return NotApplicable("the ranks of the events cancel on every day", n, variant)
    z = float(u[-1]) / scale
    room = total - 1.0 - z * z
    if room <= 0:
        return NotApplicable("every event's window ranks alone at the end, so the t-transform has no room", n, variant)
    return t_draft(z * math.sqrt((total - 2.0) / room), total - 2, n, variant, f"T = {total}", z=z)
