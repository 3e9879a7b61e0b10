"""Generalised rank tests: a window of any length as one more day among the ordinary ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.correlation import mean_correlation
from eventstudy.inference.parametric import NO_DAYS, ONE_EVENT, members, spread
from eventstudy.inference.ranks import CANCEL, day_means, mid_ranks
from eventstudy.inference.result import Draft, NotApplicable, t_draft, z_draft
from eventstudy.panel import FloatArray
from eventstudy.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class _GeneralisedRanks:
    """What both GRANK tests share: daily means of U with the window as one last day, events a day, variance of Ū_0."""

    u: FloatArray
    count: FloatArray
    n: int
    variance: float


def _generalised_ranks(
    abnormal: AbnormalReturns, window: Window, rescale: bool, variant: str
) -> _GeneralisedRanks | NotApplicable:
    """Rank each event's window among its standardised residuals.

    The residuals are ranked once for all windows: one more day moves the ranks above it by one.
    """
    scar = abnormal.sums(window).scar
    chosen = members(scar)
    n = len(chosen)
    if n < 2:
        return NotApplicable(ONE_EVENT if n else NO_DAYS, n, variant)
    deviation = spread(scar[chosen])
    if deviation == 0.0:
        return NotApplicable("all events have the same standardised CAR", n, variant)
    shrink = 1.0
    if rescale:
        shrink = math.sqrt(max(1.0 - mean_correlation(abnormal, chosen, window), 0.0))
    star = (shrink * scar / deviation)[:, None]
    standard = abnormal.residuals / abnormal.sigma[:, None]
    ordinary = abnormal.once(("residual ranks",), lambda: mid_ranks(standard))
    above = (standard > star) + 0.5 * (standard == star)
    there = np.isfinite(star)
    days = abnormal.n_est[:, None] + there
    own = np.where(there, days - above.sum(axis=1, keepdims=True), np.nan)
    ranks = np.concatenate([ordinary + above, own], axis=1)
    u, count = day_means(ranks / (days + 1.0) - 0.5)
    total = days[chosen, 0]
    variance = float(((total - 1.0) / (12.0 * (total + 1.0))).sum()) / n**2
    return _GeneralisedRanks(u, count, n, variance)


def _shared(abnormal: AbnormalReturns, window: Window, rescale: bool) -> tuple[str, _GeneralisedRanks | NotApplicable]:
    variant = "rescaled" if rescale else "paper"
    return variant, abnormal.once(
        ("generalised ranks", window, bool(rescale)), lambda: _generalised_ranks(abnormal, window, rescale, variant)
    )


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
    variant, shared = _shared(abnormal, window, rescale)
    if isinstance(shared, NotApplicable):
        return shared
    there = shared.count > 0
    total = int(there.sum())
    scale = math.sqrt(float((shared.count[there] / shared.n * shared.u[there] ** 2).sum()) / total)
    if scale == 0.0:
        return NotApplicable(CANCEL, shared.n, variant)
    z = float(shared.u[-1]) / scale
    room = total - 1.0 - z * z
    if room <= 0:
        reason = "every event's window ranks alone at the end, so the t-transform has no room"
        return NotApplicable(reason, shared.n, variant)
    t = z * math.sqrt((total - 2.0) / room)
    return t_draft(t, total - 2, shared.n, variant, f"T = {total}", z=z)


def grank_z(abnormal: AbnormalReturns, window: Window, *, rescale: bool = False) -> Draft | NotApplicable:
    """Generalised rank test for independent events, ``Ū_0 / √(Σ_i (T_i-1)/(12 (T_i+1)) / n²)``, N(0, 1).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        Any number of days.
    rescale : bool
        As in `grank_t`.

    Notes
    -----
    Ranks as in `grank_t`; the variance is that of one uniform rank an event, so events must be independent. Stands
    event-induced variance. Kolari and Pynnönen (2011), Journal of Empirical Finance 18, 953-971.
    """
    variant, shared = _shared(abnormal, window, rescale)
    if isinstance(shared, NotApplicable):
        return shared
    return z_draft(float(shared.u[-1]) / math.sqrt(shared.variance), shared.n, variant)
