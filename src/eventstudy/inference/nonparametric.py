"""Nonparametric tests of an average over several events: ranks of days, generalised ranks, signs and signed ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns, day_means, means
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.inference.correlation import mean_correlation
from eventstudy.inference.days import RankDays, RankResiduals, RankWindows, SharePositive, mid_ranks, scores_by_day
from eventstudy.inference.result import (
    LEVEL,
    NO_DAYS,
    ONE_EVENT,
    Draft,
    NotApplicable,
    members,
    normal_two_sided,
    sd_or_zero,
    t_draft,
    z_draft,
)
from eventstudy.windows import Window

CANCEL = "the ranks of the events cancel on every day"


def _mean_deviation(abnormal: AbnormalReturns) -> FloatArray:
    """Return Corrado's daily mean rank deviation, shape (M + L,)."""
    found = abnormal.ask(RankDays())
    return means(found.deviation, found.events)


def _mean_score(abnormal: AbnormalReturns, eiv: bool) -> tuple[FloatArray, FloatArray]:
    """Return the daily mean of ``U = K/(1 + T_i) - 1/2`` and the events of each day."""
    found = (
        abnormal.once(("scores", eiv), lambda: scores_by_day(event_scaled(abnormal)))
        if eiv
        else abnormal.ask(RankDays())
    )
    return means(found.score, found.events), found.events


def event_scaled(abnormal: AbnormalReturns) -> FloatArray:
    """Return AR over its event's deviation, each event-window day also over its cross-sectional one, shape (N, M + L).

    The deviation of an event is the sample deviation of its residuals (divisor M - 1: the series is described, not a
    model's noise estimated). A day of the event window with fewer than two events, or without spread, has no value.
    """
    own = np.nanstd(abnormal.residuals, axis=1, ddof=1)[:, None]
    standard = abnormal.comparable / own
    middle, count = day_means(standard)
    squares, _ = day_means((standard - middle) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(squares * count / (count - 1.0))
        scaled = np.where(deviation > 1e-13 * np.abs(middle), standard / deviation, np.nan)
    return np.concatenate([abnormal.residuals / own, scaled], axis=1)


def attainable(z: float, most: float, n: int, variant: str) -> tuple[float, NotApplicable | None]:
    """Return the smallest two-sided p-value of a normal statistic, and a refusal if that is above 5 %."""
    smallest = normal_two_sided(max(most, abs(z)))
    if smallest <= LEVEL:
        return smallest, None
    instead = "use sq or permutation" if n == 1 else "no outcome could reach 5 %"
    events = "one event" if n == 1 else f"{n} such events"
    return smallest, NotApplicable(
        f"with {events} its smallest two-sided p-value is about {smallest:.3f}; {instead}", n, variant
    )


def _summed(
    abnormal: AbnormalReturns,
    window: Window,
    daily: FloatArray,
    most: FloatArray,
    variant: str,
    scale: float | None = None,
) -> Draft | NotApplicable:
    """Return ``Σ_{τ∈W} Z_τ / (√L S)``, N(0, 1).

    Parameters
    ----------
    daily : ndarray, shape (M + L',)
        Z_t of every day of both windows, NaN where no event is seen.
    most : ndarray, shape (L,)
        The largest Z_τ that each day of the window could have.
    """
    n = len(members(abnormal.sums(window).car))
    if n == 0:
        return NotApplicable(NO_DAYS, 0, variant)
    days = int(np.isfinite(daily).sum())
    event = daily[len(abnormal.estimation) :][abnormal.columns_of(window)]
    found, own = summed_over_scale(daily, event, scale)
    if not own > 0.0:
        return NotApplicable(CANCEL, n, variant)
    if not np.isfinite(event).any():
        return NotApplicable("no day of the window has two events that differ", n, variant)
    root, z = math.sqrt(len(window)) * float(own), float(found)
    smallest, refusal = attainable(z, float(np.nansum(most)) / root, n, variant)
    if refusal is not None:
        return refusal
    note = f"T = {days}" + (f", smallest attainable p {smallest:.4f}" if n == 1 else "")
    return z_draft(z, n, variant, note)


def summed_over_scale(
    daily: FloatArray, event: FloatArray, scale: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return ``Σ_τ Z_τ / (√L S)`` and S along the last axis, the root mean square of all days unless it is given; NaN where that is noise."""
    days = np.isfinite(daily).sum(axis=-1)
    size = np.sqrt(np.nansum(daily**2, axis=-1) / np.maximum(days, 1)) if scale is None else np.asarray(scale)
    size = np.where(size > 1e-13, size, np.nan)
    z = np.nansum(event, axis=-1) / (math.sqrt(event.shape[-1]) * size)
    return np.asarray(z, dtype=np.float64), np.asarray(size, dtype=np.float64)


def _most(abnormal: AbnormalReturns, window: Window, scores: bool) -> tuple[FloatArray, FloatArray]:
    """Return the largest mean rank deviation (or score U) of each window day, and its events.

    An event whose L_i days are its most extreme ones has a mean deviation of ``(T_i - L_i)/2``.
    """
    seen = np.isfinite(abnormal.ar[:, abnormal.columns_of(window)])
    days = abnormal.ask(RankDays()).days
    bound = (days - seen.sum(axis=1)) / 2.0
    if scores:
        bound = bound / (days + 1.0)
    return day_means(np.where(seen, bound[:, None], np.nan))


def corrado_rank_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Corrado's rank test, ``z = Σ_{τ∈W} K̄_τ / (√L S(K))``, N(0, 1).

    Notes
    -----
    ``K_it`` ranks AR within each event over estimation and event windows together (T_i days), ``K̄_t`` is the mean
    over events of ``K_it - (T_i+1)/2``, ``S(K)² = (1/T) Σ_t K̄_t²``. The √L form under-rejects as L/T grows (see
    `cumrank_z`); the test is not robust to event-induced variance. With one event and one day it cannot reach 5 %
    two-sided: the most extreme day gives ``√(3(T-1)/(T+1))`` < 1.74, and the test says so in place of a number.
    Corrado (1989), Journal of Financial Economics 23, 385-395; several days: Cowan (1992); Campbell and Wasley (1993).
    """
    daily = _mean_deviation(abnormal)
    return _summed(abnormal, window, daily, _most(abnormal, window, scores=False)[0], "Corrado 1989")


def corrado_zivney_rank_z(
    abnormal: AbnormalReturns, window: Window, *, variant: str = "paper"
) -> Draft | NotApplicable:
    """Corrado and Zivney's rank test for missing returns, ``z = Σ_{τ∈W} Z_τ / (√L S(U))``, N(0, 1).

    Parameters
    ----------
    variant : {"paper", "weighted", "eiv"}
        ``paper``: ``Z_t = (1/√n_t) Σ_i U_it``. ``weighted``: the daily mean of U in the sum, ``(n_t/N) Ū_t²`` in the
        scale. ``eiv``: as ``paper``, after dividing abnormal returns by s_i and those of each event-window day
        also by their cross-sectional deviation, against event-induced variance.

    Notes
    -----
    ``U_it = K_it/(1 + T_i) - 1/2`` with T_i the days that event i has, ``S(U)² = (1/T) Σ_t Z_t²``. Without missing
    returns the first two equal `corrado_rank_z`. Corrado and Zivney (1992), J. Financial and Quantitative Analysis 27,
    465-478.
    """
    if variant == "eiv" and len(members(abnormal.sums(window).car)) == 1:
        return NotApplicable("it divides by the spread of the events, and there is one", 1, variant)
    mean, count = _mean_score(abnormal, variant == "eiv")
    most, there = _most(abnormal, window, scores=True)
    if variant == "weighted":
        total = int((count > 0).sum())
        scale = math.sqrt(float(np.nansum(count * mean**2)) / (abnormal.n * total))
        return _summed(abnormal, window, mean, most, variant, scale)
    return _summed(abnormal, window, np.sqrt(count) * mean, np.sqrt(there) * most, variant)


def corrado_zivney_sign_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Corrado and Zivney's sign test, ``z = Σ_{τ∈W} Z_τ / (√L S(G))``, N(0, 1).

    Parameters
    ----------
    window : Window
        L relative days; the paper has one day, the sum is the usual extension.

    Notes
    -----
    ``G_it`` is the sign of AR less the event's median over both windows, ``Z_t = (1/√n_t) Σ_i G_it``,
    ``S(G)² = (1/T) Σ_t Z_t²``. The scale comes from the time series of Z, so events on one date may be correlated.
    A few events cannot reach 5 %: the largest z of a day is ``√n / S(G)``. Corrado and Zivney (1992), J. Financial and
    Quantitative Analysis 27, 465-478.
    """
    found = abnormal.ask(RankDays())
    daily = np.sqrt(found.events) * means(found.sign, found.events)
    most = np.sqrt(found.events)[len(abnormal.estimation) :][abnormal.columns_of(window)]
    return _summed(abnormal, window, daily, most, "Corrado and Zivney 1992")


def cumrank_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Cumulated ranks, ``Σ_i Σ_{τ∈W} U_iτ / √(Σ_i L_i (T_i - L_i)/(12 (T_i + 1)))``, N(0, 1).

    Parameters
    ----------
    window : Window
        L relative days, of which event i has L_i.

    Notes
    -----
    The variance is that of L ranks drawn without replacement, so that long windows keep their size. Assumes independent
    events and an unchanged variance. Luoma and Pynnönen (2010); Luoma (2011).
    """
    ranked, at = abnormal.ask(RankDays()), abnormal.columns_of(window)
    seen = np.isfinite(abnormal.ar[:, at])
    length, days = seen.sum(axis=1), ranked.days
    n = len(members(abnormal.sums(window).car))
    if n == 0 or not seen.any():
        return NotApplicable(NO_DAYS, 0)
    u = ranked.score[len(abnormal.estimation) :][at]
    root = math.sqrt(float((length * (days - length) / (12.0 * (days + 1.0))).sum()))
    z = float(u.sum()) / root
    most = float((length * (days - length) / (2.0 * (days + 1.0))).sum()) / root
    smallest, refusal = attainable(z, most, n, "")
    if refusal is not None:
        return refusal
    return z_draft(z, n, "", f"smallest attainable p {smallest:.4f}" if n == 1 else "")


# -- Generalised rank tests: a window of any length as one more day among the estimation days.


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
    deviation = sd_or_zero(scar[chosen])
    if deviation == 0.0:
        return NotApplicable("all events have the same standardised CAR", n, variant)
    shrink = math.sqrt(max(1.0 - mean_correlation(abnormal, chosen, window), 0.0)) if rescale else 1.0
    days, windows = abnormal.ask(RankResiduals()), abnormal.ask(RankWindows(window, shrink / deviation))
    u = np.append(means(days.share + windows.share, days.events) - 0.5, windows.own / windows.events)
    return _GeneralisedRanks(u, np.append(days.events, windows.events), n, windows.variance / n**2)


def _shared(abnormal: AbnormalReturns, window: Window, rescale: bool) -> tuple[str, _GeneralisedRanks | NotApplicable]:
    variant = "rescaled" if rescale else "paper"
    return variant, abnormal.once(
        ("generalised ranks", window, bool(rescale)), lambda: _generalised_ranks(abnormal, window, rescale, variant)
    )


def grank_t(abnormal: AbnormalReturns, window: Window, *, rescale: bool = False) -> Draft | NotApplicable:
    """Generalised rank test, ``Z √((T-2)/(T-1-Z²))``, t(T - 2).

    Parameters
    ----------
    window : Window
        Any number of days: the window counts as one "cumulated event day".
    rescale : bool
        Multiply the re-standardised CARs by ``√(1-r̄)`` against the downward bias of their spread under
        correlation (footnote 6 of the paper, as reported by others).

    Notes
    -----
    ``SCAR*_i = SCAR_i/sd(SCAR)`` joins the standardised residuals ``e_it/s_i`` as one more day;
    ``U_it = rank/(T_i+1) - 1/2``, ``S² = (1/T) Σ_t (n_t/n) Ū_t²`` with day 0 in the sum, ``Z = Ū_0/S``. Allows for
    event-induced variance and, through the time series of Ū, for cross-sectional correlation. An event without a return in the
    window still lends its estimation days to the ranks; n counts the events in the window. Kolari and Pynnönen
    (2011), Journal of Empirical Finance 18, 953-971.
    """
    variant, shared = _shared(abnormal, window, rescale)
    if isinstance(shared, NotApplicable):
        return shared
    t, total, z = (found.item() for found in generalised_rank_t(shared.u, shared.count, shared.n))
    if math.isnan(z):
        return NotApplicable(CANCEL, shared.n, variant)
    if math.isnan(t):
        reason = "every event's window ranks alone at the end, so the t-transform has no room"
        return NotApplicable(reason, shared.n, variant)
    return t_draft(t, total - 2, shared.n, variant, f"T = {total}", z=z)


def generalised_rank_t(u: FloatArray, count: FloatArray, n: int) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return GRANK-T, its days T and Z along the last axis, the window being the last day.

    Parameters
    ----------
    u, count : ndarray, shape (..., T)
        Daily means of U, and the events that have the day, of n.

    Returns
    -------
    tuple of ndarray, shape (...)
        t is NaN where Z leaves it no room, and both are where all Ū are zero.
    """
    there = count > 0
    total = np.asarray(there.sum(axis=-1), dtype=np.int64)
    scale = np.sqrt(np.where(there, count / n * np.where(there, u, 0.0) ** 2, 0.0).sum(axis=-1) / total)
    z = u[..., -1] / np.where(scale > 0.0, scale, np.nan)
    room = total - 1.0 - z * z
    t = z * np.sqrt((total - 2.0) / np.where(room > 0.0, room, np.nan))
    return np.asarray(t, dtype=np.float64), total, np.asarray(z, dtype=np.float64)


def variance_of_ranks(total: FloatArray) -> FloatArray:
    """Return ``(T - 1)/(12 (T + 1))``, the variance of one scaled rank among T days."""
    return np.asarray((total - 1.0) / (12.0 * (total + 1.0)), dtype=np.float64)


def grank_z(abnormal: AbnormalReturns, window: Window, *, rescale: bool = False) -> Draft | NotApplicable:
    """Generalised rank test for independent events, ``Ū_0 / √(Σ_i (T_i-1)/(12 (T_i+1)) / n²)``, N(0, 1).

    Parameters
    ----------
    rescale : bool
        As in `grank_t`.

    Notes
    -----
    Ranks as in `grank_t`; the variance is that of one uniform rank an event, so events must be independent. Allows for
    event-induced variance. Kolari and Pynnönen (2011), Journal of Empirical Finance 18, 953-971.
    """
    variant, shared = _shared(abnormal, window, rescale)
    if isinstance(shared, NotApplicable):
        return shared
    return z_draft(float(shared.u[-1]) / math.sqrt(shared.variance), shared.n, variant)


# -- Sign and signed-rank tests of an average over several events.


#: Up to this many events without ties or zeros the exact distribution is used.
EXACT_UP_TO = 50


#: Fewest events whose signs can reach 5 % two-sided in the exact law: 2 / 2⁶ = 0.03.
FEWEST_SIGNS = 6


def smallest_exact(n: int) -> str:
    """Return the note that ``2^(1-n)``, the p-value of n equal signs, is the smallest; empty from 6 units on."""
    if n >= FEWEST_SIGNS:
        return ""
    return f"smallest attainable p with {n} is {2.0 ** (1 - n):.4f}, so it cannot reach 5 %"


def sign_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Sign test, ``(n⁺ - n/2)/(√n/2)``, N(0, 1).

    Parameters
    ----------
    window : Window
        L relative days; n⁺ counts positive CARs. Zero is not positive.

    Notes
    -----
    Assumes independent events and a median of zero; abnormal returns are skewed, so `gsign_z` is the better null. The
    normal law is rough for few events (four equal signs: 0.046 here, 0.125 in truth): see `sign_exact`.
    Fisher 1925; MacKinlay 1997.
    """
    car = abnormal.sums(window).car
    chosen = members(car)
    n = len(chosen)
    if n == 0:
        return NotApplicable(NO_DAYS, 0)
    n_plus = int((car[chosen] > 0).sum())
    z = (n_plus - n / 2.0) / (math.sqrt(n) / 2.0)
    _, refusal = attainable(z, math.sqrt(n), n, "")
    if refusal is not None:
        return refusal
    note = f"{n_plus} of {n} positive"
    if n < FEWEST_SIGNS:
        note += f"; the exact p-value (sign_exact) is never below {2.0 ** (1 - n):.4f}"
    return z_draft(z, n, "", note, n_plus=float(n_plus))


def sign_exact(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Exact sign test, n⁺ against the binomial law with probability one half.

    Parameters
    ----------
    window : Window
        L relative days; n⁺ counts positive CARs. Zero is not positive.

    Notes
    -----
    ``p = min(1, 2 P(X ≤ min(n⁺, n - n⁺)))``; its smallest value is ``2^(1-n)``, so fewer than six events cannot reach
    5 %, which the note then says. Assumes independent events and a median of zero.
    """
    from scipy.special import bdtr

    car = abnormal.sums(window).car
    chosen = members(car)
    n = len(chosen)
    if n == 0:
        return NotApplicable(NO_DAYS, 0)
    n_plus = int((car[chosen] > 0).sum())
    p = min(1.0, 2.0 * float(bdtr(min(n_plus, n - n_plus), n, 0.5)))
    note = "; ".join(filter(None, (f"{n_plus} of {n} positive", smallest_exact(n))))
    return Draft(float(n_plus), p, n, "exact", note=note, details={"n_plus": float(n_plus)})


def gsign_z(abnormal: AbnormalReturns, window: Window, *, variant: str = "mean") -> Draft | NotApplicable:
    """Generalised sign test, ``(n⁺ - n p̂)/√(n p̂ (1 - p̂))``, N(0, 1).

    Parameters
    ----------
    window : Window
        L relative days; n⁺ counts positive CARs. Zero is not positive.
    variant : {"mean", "pooled"}
        p̂ as the mean over events of the share of positive residuals, or their pooled share.

    Notes
    -----
    p̂ belongs to the sample: it is taken over all events of the study, also those without a return in the window.
    Assumes independent events. If not even all signs alike would reach 5 %, the test says so. Cowan (1992), Review of Quantitative Finance and Accounting 2, 343-358.
    """
    car = abnormal.sums(window).car
    chosen = members(car)
    n = len(chosen)
    if n == 0:
        return NotApplicable(NO_DAYS, 0, variant)
    found = abnormal.ask(SharePositive(1))
    share = found.share / found.events if variant == "mean" else found.positive / found.sums
    if not 0.0 < share < 1.0:
        return NotApplicable("all estimation residuals have one sign", n, variant)
    n_plus = int((car[chosen] > 0).sum())
    z = (n_plus - n * share) / math.sqrt(n * share * (1.0 - share))
    odds = share / (1.0 - share)
    _, refusal = attainable(z, math.sqrt(n * max(odds, 1.0 / odds)), n, variant)
    if refusal is not None:
        return refusal
    return z_draft(z, n, variant, f"{n_plus} of {n} positive, {share:.3f} expected", n_plus=float(n_plus), p_hat=share)


def signed_rank_distribution(n: int) -> FloatArray:
    """Return P(W⁺ = w) for w = 0 … n(n+1)/2 under the null, from the generating function Π (1 + x^k)/2."""
    law = np.array([1.0])
    for k in range(1, n + 1):
        wider = np.zeros(len(law) + k)
        wider[: len(law)] += law
        wider[k:] += law
        law = wider / 2.0
    return law


def wilcoxon(abnormal: AbnormalReturns, window: Window, *, variant: str = "auto") -> Draft | NotApplicable:
    """Wilcoxon's signed-rank test of the CARs.

    Parameters
    ----------
    variant : {"auto", "exact", "normal", "normal_cc"}
        ``auto``: exact up to 50 events without ties, else normal with tie correction and no continuity correction;
        ``normal_cc`` moves W⁺ by one half towards its mean.

    Notes
    -----
    ``W⁺`` sums the ranks of |CAR| of positive CARs, zeros left out;
    ``z = (W⁺ - n(n+1)/4)/√(n(n+1)(2n+1)/24 - Σ(t³-t)/48)``. Assumes independent events and symmetry. The statistic
    given is W⁺ in the exact form, z in the normal one. Fewer than six events cannot reach 5 %: the exact form says so
    in its note, the normal one where not even one sign for all would do. Wilcoxon (1945), Biometrics Bulletin 1, 80-83.
    """
    car = abnormal.sums(window).car
    x = car[members(car)]
    zeros = int((x == 0).sum())
    x = x[x != 0]
    n = len(x)
    if n == 0:
        return NotApplicable(NO_DAYS if not zeros else "every CAR is exactly zero", 0, variant)
    ranks = mid_ranks(np.abs(x)[None, :])[0]
    w_plus = float(ranks[x > 0].sum())
    _, ties = np.unique(np.abs(x), return_counts=True)
    tied = bool((ties > 1).any())
    if variant == "exact" and tied:
        return NotApplicable("equal absolute CARs have no exact distribution here", n, variant)
    if variant == "exact" or (variant == "auto" and n <= EXACT_UP_TO and not tied and not zeros):
        law = signed_rank_distribution(n)
        w = round(w_plus)
        p = min(1.0, 2.0 * min(float(law[: w + 1].sum()), float(law[w:].sum())))
        note = smallest_exact(n)
        return Draft(w_plus, p, n, "exact", variant="exact", note=note, details={"w_plus": w_plus})
    centre = n * (n + 1) / 4.0
    deviation = math.sqrt(n * (n + 1) * (2 * n + 1) / 24.0 - float((ties**3 - ties).sum()) / 48.0)
    step = 0.5 if variant == "normal_cc" else 0.0
    z = math.copysign(max(abs(w_plus - centre) - step, 0.0), w_plus - centre) / deviation
    named = "normal_cc" if variant == "normal_cc" else "normal"
    _, refusal = attainable(z, (centre - step) / deviation, n, named)
    if refusal is not None:
        return refusal
    note = f"{zeros} zero CARs left out" if zeros else ""
    return z_draft(z, n, named, note, w_plus=w_plus)
