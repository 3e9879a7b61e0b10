"""Parametric tests of an average over several events."""

from __future__ import annotations

import math

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.correlation import mean_correlation
from eventstudy.inference.result import Draft, NotApplicable, t_draft, z_draft
from eventstudy.panel import FloatArray, IntArray
from eventstudy.windows import Window

NO_DAYS = "no event has an abnormal return in the window"
ONE_EVENT = "it needs at least two events; for one event use t_pe, sq or permutation"


def spread(values: FloatArray) -> float:
    """Return the sample standard deviation, 0 where it is only rounding noise."""
    deviation = float(np.std(values, ddof=1))
    return 0.0 if deviation <= 1e-13 * float(np.abs(values).max(initial=0.0)) else deviation


def members(values: FloatArray) -> IntArray:
    """Return the events that have a value."""
    return np.flatnonzero(np.isfinite(values)).astype(np.int64)


def mean_over_sd(values: FloatArray, variant: str = "", note: str = "") -> Draft | NotApplicable:
    """Return ``√n mean / sd`` of the finite values, t(n - 1)."""
    x = values[np.isfinite(values)]
    n = len(x)
    if n < 2:
        return NotApplicable(ONE_EVENT if n else NO_DAYS, n, variant)
    deviation = spread(x)
    if deviation == 0.0:
        return NotApplicable("all events have the same value, so their spread says nothing", n, variant)
    return t_draft(float(math.sqrt(n) * x.mean() / deviation), n - 1, n, variant, note)


def csect_t(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Cross-sectional t, ``√n CAAR / sd(CAR)``, t(n - 1).

    Notes
    -----
    Robust to event-induced variance; assumes independent events. Brown and Warner (1985); MacKinlay (1997).
    """
    return mean_over_sd(abnormal.sums(window).car)


def cda_t(abnormal: AbnormalReturns, window: Window, *, df: str = "bw85") -> Draft | NotApplicable:
    """Crude dependence adjustment: ``CAAR / (S √L)`` with S from the time series of average residuals.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days.
    df : {"bw85", "params"}
        Divisor and degrees of freedom ``T_E - 1`` (Brown and Warner 1985) or ``T_E - p`` (Eventus).

    Notes
    -----
    The series of average residuals already holds the cross-correlation, so the test stands events that share a
    date; it does not stand event-induced variance. Brown and Warner (1980, 1985), Journal of Financial Economics.
    """
    sums = abnormal.sums(window)
    chosen = members(sums.car)
    if len(chosen) == 0:
        return NotApplicable(NO_DAYS, 0, df)
    residuals = abnormal.residuals
    seen = np.isfinite(residuals)
    days = seen.any(axis=0)
    average = np.where(seen, residuals, 0.0).sum(axis=0)[days] / seen.sum(axis=0)[days]
    degrees = int(days.sum()) - (abnormal.n_params if df == "params" else 1)
    deviation = math.sqrt(float(((average - average.mean()) ** 2).sum()) / degrees)
    if deviation <= 1e-13 * float(np.nanmax(np.abs(residuals))):
        return NotApplicable("the residuals of the events cancel on every estimation day", len(chosen), df)
    statistic = float(sums.car[chosen].mean()) / (deviation * math.sqrt(len(window)))
    return t_draft(statistic, degrees, len(chosen), df, f"T_E = {int(days.sum())}")


def patell_variance(abnormal: AbnormalReturns, chosen: IntArray) -> FloatArray:
    """Return ``Q_i = (M_i - p)/(M_i - p - 2)``, the variance of a t(M_i - p) variable, shape (n,)."""
    degrees = abnormal.df[chosen].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(degrees > 2, degrees / (degrees - 2.0), np.nan), dtype=np.float64)


def patell_z(abnormal: AbnormalReturns, window: Window, *, variant: str = "scar") -> Draft | NotApplicable:
    """Patell's Z, ``Σ SCAR_i / √Σ Q_i``, N(0, 1).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days.
    variant : {"scar", "csar", "per_event"}
        ``scar``: exact variance of the sum; ``csar``: ``Σ CSAR / √Σ L_i Q_i``, Patell's pooled form;
        ``per_event``: ``(1/√n) Σ CSAR_i/√(L_i Q_i)``. All agree on one day.

    Notes
    -----
    Assumes independent events and no event-induced variance. Patell (1976), Journal of Accounting Research 14,
    246-276.
    """
    sums = abnormal.sums(window)
    chosen = members(sums.scar)
    n = len(chosen)
    if n == 0:
        return NotApplicable(NO_DAYS, 0, variant)
    q = patell_variance(abnormal, chosen)
    if not np.isfinite(q).all():
        return NotApplicable("an event has two or fewer degrees of freedom", n, variant)
    length = sums.n_days[chosen]
    if variant == "scar":
        z = sums.scar[chosen].sum() / math.sqrt(q.sum())
    elif variant == "csar":
        z = sums.csar[chosen].sum() / math.sqrt((length * q).sum())
    else:
        z = (sums.csar[chosen] / np.sqrt(length * q)).sum() / math.sqrt(n)
    return z_draft(float(z), n, variant)


def bmp_t(abnormal: AbnormalReturns, window: Window, *, variant: str = "scar") -> Draft | NotApplicable:
    """Standardised cross-sectional t, ``√n mean(SCAR) / sd(SCAR)``, t(n - 1).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days.
    variant : {"scar", "csar"}
        Standardise the sum with its exact prediction error, or use ``CSAR_i/√L_i``.

    Notes
    -----
    Robust to event-induced variance; assumes independent events. Boehmer, Musumeci and Poulsen (1991), Journal of
    Financial Economics 30, 253-272.
    """
    sums = abnormal.sums(window)
    if variant == "scar":
        return mean_over_sd(sums.scar, variant)
    with np.errstate(divide="ignore", invalid="ignore"):
        return mean_over_sd(sums.csar / np.sqrt(sums.n_days), variant)


def _inflation(abnormal: AbnormalReturns, window: Window) -> tuple[float, float] | None:
    """Return r̄ and ``1 + (n-1) r̄``; None if the latter is not positive."""
    chosen = members(abnormal.sums(window).scar)
    r = mean_correlation(abnormal, chosen, window)
    factor = 1.0 + (len(chosen) - 1) * r
    return (r, factor) if factor > 1e-12 else None


def kp_patell_z(abnormal: AbnormalReturns, window: Window, *, variant: str = "scar") -> Draft | NotApplicable:
    """Patell's Z adjusted for cross-correlation, ``Z / √(1 + (n-1) r̄)``, N(0, 1).

    Notes
    -----
    No ``(1 - r̄)`` in the numerator: Patell's variance comes from the time series. ``r̄`` is taken in calendar
    time (`mean_correlation`). Kolari and Pynnönen (2010), Review of Financial Studies 23, 3996-4025.
    """
    base = patell_z(abnormal, window, variant=variant)
    if isinstance(base, NotApplicable):
        return base
    found = _inflation(abnormal, window)
    if found is None:
        return NotApplicable("the mean correlation is so negative that 1 + (n-1) r̄ is not positive", base.n, variant)
    r, factor = found
    return z_draft(base.statistic / math.sqrt(factor), base.n, variant, f"mean correlation {r:.4f}", r_bar=r)


def kp_bmp_t(abnormal: AbnormalReturns, window: Window, *, variant: str = "scar") -> Draft | NotApplicable:
    """Standardised cross-sectional t adjusted for correlation, ``t_BMP √((1-r̄)/(1+(n-1) r̄))``, t(n - 1).

    Notes
    -----
    Equals `bmp_t` at r̄ = 0. ``r̄`` is taken in calendar time with the overlap of the test windows
    (`mean_correlation`). Kolari and Pynnönen (2010), Review of Financial Studies 23, 3996-4025.
    """
    base = bmp_t(abnormal, window, variant=variant)
    if isinstance(base, NotApplicable):
        return base
    found = _inflation(abnormal, window)
    if found is None:
        return NotApplicable("the mean correlation is so negative that 1 + (n-1) r̄ is not positive", base.n, variant)
    r, factor = found
    if r >= 1.0 - 1e-12:
        return NotApplicable("the events are perfectly correlated: they are one observation", base.n, variant)
    adjusted = base.statistic * math.sqrt((1.0 - r) / factor)
    return t_draft(adjusted, base.df, base.n, variant, f"mean correlation {r:.4f}", r_bar=r)
