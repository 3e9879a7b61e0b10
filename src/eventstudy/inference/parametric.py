"""Parametric tests of an average over several events."""

from __future__ import annotations

import math

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns, means, nan_mean
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.inference.correlation import MIN_COMMON_DAYS, event_time_correlation, mean_correlation, unknown_share
from eventstudy.inference.days import SumByDay
from eventstudy.inference.result import (
    EQUAL,
    NO_DAYS,
    ONE_EVENT,
    Draft,
    NotApplicable,
    members,
    sd_or_zero,
    spread,
    t_draft,
    z_draft,
)
from eventstudy.windows import Window

CANCEL = "the residuals of the events cancel on every estimation day"


def mean_over_sd(values: FloatArray, variant: str = "", note: str = "") -> Draft | NotApplicable:
    """Return ``√n mean / sd`` of the finite values, t(n - 1)."""
    x = values[np.isfinite(values)]
    n = len(x)
    if n < 2:
        return NotApplicable(ONE_EVENT if n else NO_DAYS, n, variant)
    t = float(t_of_mean(x))
    return NotApplicable(EQUAL, n, variant) if math.isnan(t) else t_draft(t, n - 1, n, variant, note)


def t_of_mean(values: FloatArray) -> FloatArray:
    """Return ``√n mean / sd`` along the last axis, NaN where n values have no spread."""
    n = values.shape[-1]
    deviation = spread(values) if n > 1 else np.zeros(values.shape[:-1])
    return np.asarray(
        math.sqrt(n) * values.mean(axis=-1) / np.where(deviation > 0.0, deviation, np.nan), dtype=np.float64
    )


def sum_over_error(values: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the sum of independent values over its standard error, along the last axis."""
    return np.asarray(values.sum(axis=-1) / np.sqrt(variance.sum(axis=-1)), dtype=np.float64)


def csect_t(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Cross-sectional t, ``√n CAAR / sd(CAR)``, t(n - 1).

    Notes
    -----
    Robust to event-induced variance; assumes independent events. Brown and Warner (1985); MacKinlay (1997).
    """
    return mean_over_sd(abnormal.sums(window).car)


def _sum_over_error(abnormal: AbnormalReturns, window: Window, errors: str) -> Draft | NotApplicable:
    """Return ``Σ CAR / √Σ error²`` over the events that have a CAR, N(0, 1)."""
    sums = abnormal.sums(window)
    chosen = members(sums.car)
    if len(chosen) == 0:
        return NotApplicable(NO_DAYS, 0)
    error = (sums.s_car_naive if errors == "plain" else sums.s_car)[chosen]
    return z_draft(float(sum_over_error(sums.car[chosen], error**2)), len(chosen))


def bw80_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Sum of CARs over their time-series deviations, ``Σ CAR_i / √Σ s_i² L_i``, N(0, 1).

    Notes
    -----
    Brown and Warner's portfolio test without adjustment for dependence. Assumes independent events, no event-induced variance,
    and coefficients known without error. Brown and Warner (1980), Journal of Financial Economics 8, 205-258.
    """
    return _sum_over_error(abnormal, window, "plain")


def mackinlay_j1_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Sum of CARs over their prediction errors, ``Σ CAR_i / √Σ S_CAR,i²``, N(0, 1).

    Notes
    -----
    MacKinlay's J1: as `bw80_z`, with the estimation error of the coefficients. Assumes independent events and no event-induced
    variance. MacKinlay (1997), Journal of Economic Literature 35, 13-39; Campbell, Lo and MacKinlay (1997), ch. 4.
    """
    return _sum_over_error(abnormal, window, "prediction")


def skew_t(abnormal: AbnormalReturns, window: Window, *, variant: str = "hall") -> Draft | NotApplicable:
    """Cross-sectional t adjusted for the skewness γ of the CARs, N(0, 1).

    Parameters
    ----------
    variant : {"hall", "johnson"}
        ``√n (S + γS²/3 + γ²S³/27 + γ/(6n))`` with the unbiased γ (Hall), monotone in S = CAAR/sd(CAR); or
        ``√n (S + γS²/3 + γ/(6n))`` with ``γ = Σ(CAR - CAAR)³/(n sd³)`` (Johnson), which is not.

    Notes
    -----
    Assumes independent events. The normal law comes with n: of true nulls with normal CARs it rejects 12 % at 5 % with 5 events, 8.5 %
    with 10, 6.3 % with 20, 5.5 % with 50. With strongly skewed (exponential) CARs 8.8 % with 10 and 5.9 % with 50, where `csect_t`
    has 9.7 % and 6.6 %. Hall (1992), J. Royal Statistical Society B 54, 221-228; Johnson (1978),
    J. American Statistical Association 73, 536-544; Lyon, Barber and Tsai (1999), Journal of Finance 54, 165-201.
    """
    car = abnormal.sums(window).car
    x = car[members(car)]
    n = len(x)
    if n < 3:
        return NotApplicable(f"skewness needs at least three events; {n} have a CAR" if n else NO_DAYS, n, variant)
    deviation = sd_or_zero(x)
    if deviation == 0.0:
        return NotApplicable(EQUAL, n, variant)
    s, cubes = float(x.mean()) / deviation, float((((x - x.mean()) / deviation) ** 3).sum())
    hall = variant == "hall"
    gamma = cubes * (n / ((n - 1) * (n - 2)) if hall else 1.0 / n)
    inner = s + gamma * s**2 / 3.0 + gamma / (6.0 * n) + (gamma**2 * s**3 / 27.0 if hall else 0.0)
    return z_draft(math.sqrt(n) * inner, n, variant, f"skewness {gamma:.3f}", gamma=gamma)


def cda_t(abnormal: AbnormalReturns, window: Window, *, df: str = "bw85") -> Draft | NotApplicable:
    """Crude dependence adjustment: ``CAAR / (S √L)`` with S from the time series of average residuals.

    Parameters
    ----------
    df : {"bw85", "params"}
        Divisor and degrees of freedom ``T_E - 1`` (Brown and Warner 1985) or ``T_E - p`` (Eventus).

    Notes
    -----
    The series of average residuals already holds the cross-correlation, so the test allows for events that share a
    date, but not for event-induced variance. Brown and Warner (1980, 1985), Journal of Financial Economics.
    """
    sums = abnormal.sums(window)
    chosen = members(sums.car)
    if len(chosen) == 0:
        return NotApplicable(NO_DAYS, 0, df)
    deviation, days = portfolio_deviation(abnormal, abnormal.n_params if df == "params" else 1)
    if deviation == 0.0:
        return NotApplicable(CANCEL, len(chosen), df)
    statistic = float(sums.car[chosen].mean()) / (deviation * math.sqrt(len(window)))
    degrees = days - (abnormal.n_params if df == "params" else 1)
    return t_draft(statistic, degrees, len(chosen), df, f"T_E = {days}")


def portfolio_deviation(abnormal: AbnormalReturns, lost: int = 1) -> tuple[float, int]:
    """Return the standard deviation of the daily average residual, divisor ``T_E - lost``, and T_E, the days that have one.

    The deviation is 0 where it is only rounding noise.
    """
    found = abnormal.ask(SumByDay())
    average = means(found.residuals, found.est_events)
    noise = np.asarray(1e-13 * abnormal.sigma.max())
    return float(deviation_of_average(average, lost, noise)), int(np.isfinite(average).sum())


def deviation_of_average(average: FloatArray, lost: int, noise: FloatArray) -> FloatArray:
    """Return standard deviations along the last axis over the days that have a value, divisor T_E less those lost; 0 where they are noise."""
    there = np.isfinite(average)
    days = there.sum(axis=-1)
    mean = np.where(there, average, 0.0).sum(axis=-1) / np.maximum(days, 1)
    squares = np.where(there, average - mean[..., None], 0.0) ** 2
    deviation = np.sqrt(squares.sum(axis=-1) / np.maximum(days - lost, 1))
    return np.asarray(np.where((days > lost) & (deviation > noise), deviation, 0.0), dtype=np.float64)


def lamb_z(abnormal: AbnormalReturns, window: Window) -> Draft | NotApplicable:
    """Crude dependence adjustment with the forecast error of the common market return, ``Σ_τ t_τ / √L``, N(0, 1).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events on one date.

    Notes
    -----
    ``t_τ = AAR_τ / (S √C_τ)``, S as in `cda_t` with divisor ``T_E - 1``, ``C_τ = 1 + x_τ (X'X)⁻¹ x_τ'``: for the market model
    ``1 + 1/T_E + (R_mτ - mean R_m)²/Σ(R_m - mean R_m)²``. Applies only where all events share one date, and so one market
    return a day. Where estimation days are missing, C is the mean over the events with the most days. Allows for correlated events, not for
    event-induced variance. The days' errors share the coefficients' estimation error, which ``√L`` leaves out.
    Lamb (1995), Journal of Risk and Insurance 62, 111-123.
    """
    days = abnormal.columns_of(window)
    n = len(members(abnormal.sums(window).car))
    if n == 0:
        return NotApplicable(NO_DAYS, 0)
    dates = len(np.unique(abnormal.position))
    if dates > 1:
        return NotApplicable(
            f"the events fall on {dates} dates; Lamb's factor needs one date and so one market return", n
        )
    seen = np.isfinite(abnormal.ar[:, days])
    rows = abnormal.rows[:, days]
    own = np.where(seen[:, :, None], rows - rows[seen.argmax(axis=0), np.arange(rows.shape[1])], 0.0)
    changing = (seen & (abnormal.relative_variance[:, days] != 1.0)).any()
    if own.any() or changing or abnormal.span is not None or abnormal.reference_returns is not None:
        return NotApplicable("the model gives the events different benchmark returns or error variances on one day", n)
    deviation, total = portfolio_deviation(abnormal)
    if deviation == 0.0:
        return NotApplicable(CANCEL, n)
    fullest = abnormal.root[abnormal.n_est == abnormal.n_est.max()]
    observed = seen.any(axis=0)
    x = rows[seen.argmax(axis=0), np.arange(rows.shape[1])][observed]
    c = 1.0 + (np.einsum("lp,npq->nlq", x, fullest) ** 2).sum(axis=2).mean(axis=0)
    daily = nan_mean(abnormal.ar[:, days])[observed] / (deviation * np.sqrt(c))
    return z_draft(float(daily.sum()) / math.sqrt(len(daily)), n, note=f"T_E = {total}")


def patell_variance(abnormal: AbnormalReturns, chosen: IntArray) -> FloatArray:
    """Return ``Q_i = (M_i - p)/(M_i - p - 2)``, the variance of a t(M_i - p) variable, shape (n,)."""
    degrees = abnormal.df[chosen].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(degrees > 2, degrees / (degrees - 2.0), np.nan), dtype=np.float64)


def patell_z(abnormal: AbnormalReturns, window: Window, *, variant: str = "scar") -> Draft | NotApplicable:
    """Patell's Z, ``Σ SCAR_i / √Σ Q_i``, N(0, 1).

    Parameters
    ----------
    variant : {"scar", "csar", "per_event", "wrds"}
        ``scar``: exact variance of the sum; ``csar``: ``Σ CSAR / √Σ L_i Q_i``, Patell's pooled form;
        ``per_event``: ``(1/√n) Σ CSAR_i/√(L_i Q_i)``. All three agree on one day. ``wrds``: ``Σ (CAR_i/s_i) / √(n L)`` as in the
        macro of Wharton Research Data Services, to compare with its output only: it lacks the forecast error and Q, so it rejects
        too often with short estimation windows, and counts L days for events that miss some.

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
    if variant == "wrds":
        standard = sums.car[chosen] / abnormal.sigma[chosen]
        return z_draft(float(standard.sum()) / math.sqrt(n * len(window)), n, variant)
    q = patell_variance(abnormal, chosen)
    if not np.isfinite(q).all():
        return NotApplicable("an event has two or fewer degrees of freedom", n, variant)
    length = sums.n_days[chosen]
    if variant == "scar":
        z = sum_over_error(sums.scar[chosen], q)
    elif variant == "csar":
        z = sums.csar[chosen].sum() / math.sqrt((length * q).sum())
    else:
        z = (sums.csar[chosen] / np.sqrt(length * q)).sum() / math.sqrt(n)
    return z_draft(float(z), n, variant)


def bmp_t(abnormal: AbnormalReturns, window: Window, *, variant: str = "scar") -> Draft | NotApplicable:
    """Standardised cross-sectional t, ``√n mean(SCAR) / sd(SCAR)``, t(n - 1).

    Parameters
    ----------
    variant : {"scar", "csar", "no_fec", "wrds"}
        Standardise the sum with its exact prediction error, or use ``CSAR_i/√L_i``. ``no_fec`` standardises with ``s_i √L_i``,
        without the forecast error that the paper has (R package EventStudy); ``wrds`` with s_i alone (macro of Wharton Research
        Data Services), so that an event that misses days weighs less. Both serve comparison only: they weigh events by
        something else than their precision, which costs power; the size holds.

    Notes
    -----
    Robust to event-induced variance; assumes independent events. Boehmer, Musumeci and Poulsen (1991), Journal of
    Financial Economics 30, 253-272.
    """
    sums = abnormal.sums(window)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "scar": sums.scar,
            "csar": sums.csar / np.sqrt(sums.n_days),
            "no_fec": sums.car / sums.s_car_naive,
            "wrds": sums.car / abnormal.sigma,
        }
        return mean_over_sd(values[variant], variant)


def _inflation(abnormal: AbnormalReturns, window: Window, pairs: str, n: int) -> tuple[float, float, str] | str:
    """Return r̄, ``1 + (n-1) r̄`` and a note on r̄, or why the correlation cannot be had."""
    unknown = 0.0
    if pairs == "event_time":
        r = event_time_correlation(abnormal)
    else:
        chosen = members(abnormal.sums(window).scar)
        r, unknown = mean_correlation(abnormal, chosen, window), unknown_share(abnormal, chosen, window)
    if unknown == 1.0:
        return f"no two events have {MIN_COMMON_DAYS} estimation days in common, so their correlation is unknown; lengthen the estimation window"
    factor = float(inflation(np.asarray(r), n))
    if not math.isnan(factor):
        few = f"; {unknown:.0%} of the pairs have fewer than {MIN_COMMON_DAYS} common days and count as uncorrelated"
        return r, factor, f"mean correlation {round(r, 4) + 0.0:.4f}{few if unknown else ''}"
    return f"the mean correlation {r:.4f} is so negative that 1 + (n-1) r̄ is not positive with n = {n}"


def inflation(r: FloatArray, n: int) -> FloatArray:
    """Return ``1 + (n-1) r̄``, by which correlation multiplies the variance of a mean, NaN where that is not positive."""
    factor = 1.0 + (n - 1) * r
    return np.asarray(np.where(factor > 1e-12, factor, np.nan), dtype=np.float64)


def corrected_for_correlation(t: FloatArray, r: FloatArray, n: int) -> FloatArray:
    """Return ``t √((1-r̄)/(1+(n-1) r̄))``, NaN where all events are one."""
    room = np.where(r >= 1.0 - 1e-12, np.nan, 1.0 - r)
    return np.asarray(t * np.sqrt(room / inflation(r, n)), dtype=np.float64)


def kp_patell_z(
    abnormal: AbnormalReturns, window: Window, *, variant: str = "scar", pairs: str = "overlap"
) -> Draft | NotApplicable:
    """Patell's Z adjusted for cross-correlation, ``Z / √(1 + (n-1) r̄)``, N(0, 1).

    Parameters
    ----------
    variant : {"scar", "csar", "per_event"}
        Form of `patell_z`.
    pairs : {"overlap", "event_time"}
        ``overlap``: r̄ in calendar time (`mean_correlation`). ``event_time``: residuals are correlated by relative day
        (`event_time_correlation`), as other packages do: right only if all events share one date; else it measures noise.

    Notes
    -----
    No ``(1 - r̄)`` in the numerator: Patell's variance comes from the time series. Kolari and Pynnönen (2010), Review of
    Financial Studies 23, 3996-4025.
    """
    base = patell_z(abnormal, window, variant=variant)
    if isinstance(base, NotApplicable):
        return base
    found = _inflation(abnormal, window, pairs, base.n)
    if isinstance(found, str):
        return NotApplicable(found, base.n, variant)
    r, factor, note = found
    return z_draft(base.statistic / math.sqrt(factor), base.n, variant, note, r_bar=r)


def kp_bmp_t(
    abnormal: AbnormalReturns, window: Window, *, variant: str = "scar", pairs: str = "overlap"
) -> Draft | NotApplicable:
    """Standardised cross-sectional t adjusted for correlation, ``t_BMP √((1-r̄)/(1+(n-1) r̄))``, t(n - 1).

    Parameters
    ----------
    variant : {"scar", "csar", "no_fec"}
        Form of `bmp_t`.
    pairs : {"overlap", "event_time"}
        ``overlap``: r̄ in calendar time with the overlap of the test windows (`mean_correlation`). ``event_time``: residuals are
        correlated by relative day (`event_time_correlation`), as other packages do: right only if all events share one date;
        else it measures noise, and a noise below zero inflates the statistic.

    Notes
    -----
    Equals `bmp_t` at r̄ = 0. Kolari and Pynnönen (2010), Review of Financial Studies 23, 3996-4025.

    On one date it allows for correlation and event-induced variance: between 4 and 6.5 % of true nulls are rejected at 5 % with 3 to 400 simulated
    events. Real firms on one date share more than the market, which r̄ of estimation days understates: 50 to 400 members of the S&P
    500 on random dates of 2024 are rejected in 6 to 13 % of draws. With fewer than eight different dates that events share, up to 10 %.
    """
    base = bmp_t(abnormal, window, variant=variant)
    if isinstance(base, NotApplicable):
        return base
    found = _inflation(abnormal, window, pairs, base.n)
    if isinstance(found, str):
        return NotApplicable(found, base.n, variant)
    r, _, note = found
    adjusted = float(corrected_for_correlation(np.asarray(base.statistic), np.asarray(r), base.n))
    if math.isnan(adjusted):
        return NotApplicable("the events are perfectly correlated: they are one observation", base.n, variant)
    return t_draft(adjusted, base.df, base.n, variant, note, r_bar=r)
