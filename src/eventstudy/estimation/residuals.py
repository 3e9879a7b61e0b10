"""Residuals of the estimation window, for all events at once: how they hang together over time, and tests of what models assume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray

#: The deviation of a normal variable over its median absolute deviation.
MAD_SCALE = 1.4826022185056018
#: A scaled design whose smallest eigenvalue is below this tells no coefficients apart.
SINGULAR = 1e-10


@dataclass(frozen=True, eq=False, slots=True)
class Statistic:
    """One statistic of N events.

    Attributes
    ----------
    value : ndarray, shape (N,)
        The statistic; NaN where an event has too few days or no variation.
    p_value : ndarray, shape (N,)
        Its upper-tail probability, NaN alike.
    """

    value: FloatArray
    p_value: FloatArray

    @property
    def computed(self) -> BoolArray:
        """Events that have the statistic, shape (N,)."""
        return np.asarray(np.isfinite(self.p_value), dtype=np.bool_)


def in_order(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the observed values of each row side by side, zeros after them, and their number.

    Parameters
    ----------
    values : ndarray, shape (N, M)
        NaN where there is none.

    Returns
    -------
    ndarray, shape (N, M), and ndarray of int, shape (N,)
        A missing day is left out, so that the day after it follows the day before it.
    """
    seen = np.isfinite(values)
    count = np.asarray(seen.sum(axis=1), dtype=np.int64)
    if seen.all():
        return values, count
    order = np.argsort(~seen, axis=1, kind="stable")
    return np.take_along_axis(np.where(seen, values, 0.0), order, axis=1), count


def _about_mean(values: FloatArray, count: IntArray) -> FloatArray:
    """Return values less their mean, zeros kept after the last, and zero for a row that does not vary."""
    there = np.arange(values.shape[1]) < count[:, None]
    mean = values.sum(axis=1) / np.maximum(count, 1)
    centred = np.where(there, values - mean[:, None], 0.0)
    flat = np.abs(centred).max(axis=1, initial=0.0) <= 1e-13 * np.abs(values).max(axis=1, initial=0.0)
    return np.where(flat[:, None], 0.0, centred)


def running_sums(values: FloatArray, length: int) -> FloatArray:
    """Return the sums of ``length`` neighbours in each row, shape (N, M - length + 1); NaN where one is missing."""
    if length == 1:
        return values
    if length > values.shape[1]:
        return np.empty((len(values), 0))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(values, length, axis=1).sum(axis=2), dtype=np.float64)


# -- Correlation over time.


def autocorrelations(residuals: FloatArray, lags: int) -> FloatArray:
    """Return the sample autocorrelations at lags 1 … q, shape (N, q).

    Parameters
    ----------
    residuals : ndarray, shape (N, M)
        NaN where there is none; missing days are left out (`in_order`).

    Notes
    -----
    ``ρ_k = Σ_t (e_t - ē)(e_(t+k) - ē) / Σ_t (e_t - ē)²``. NaN for a row without variation.
    """
    products = lagged_products(_about_mean(*in_order(residuals)), lags)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(products[:, 1:] / products[:, :1], dtype=np.float64)


def lagged_products(e: FloatArray, lags: int) -> FloatArray:
    """Return ``Σ_t e_t e_(t+k)`` of each row for k = 0 … ``lags``, shape (N, lags + 1)."""
    days = e.shape[1]
    sums = [np.einsum("nm,nm->n", e[:, k:], e[:, : max(days - k, 0)]) for k in range(lags + 1)]
    return np.stack(sums, axis=1)


def newey_west_lags(days: IntArray, lags: int | None = None) -> FloatArray:
    """Return the largest lag q of each event, ``⌊4 (M/100)^(2/9)⌋`` (Newey and West 1994) unless it is given, below its days M."""
    rule = np.floor(4.0 * (days / 100.0) ** (2.0 / 9.0)) if lags is None else np.full(len(days), float(lags))
    return np.minimum(rule, np.maximum(days - 1, 0))


def bartlett_weights(q: FloatArray, longest: int | None = None) -> FloatArray:
    """Return ``w_k = 1 - k/(q + 1)`` for lags k = 1 … the largest q or ``longest``, zero beyond an event's own q, shape (N, lags)."""
    k = np.arange(1, (int(q.max(initial=0.0)) if longest is None else longest) + 1)
    return np.asarray(np.maximum(1.0 - k / (q[:, None] + 1.0), 0.0), dtype=np.float64)


def newey_west(scores: FloatArray, weights: FloatArray) -> FloatArray:
    """Return ``Γ_0 + Σ_k w_k (Γ_k + Γ_k')`` with ``Γ_k = Σ_t g_(t+k) g_t'``, shape (N, p, p).

    Parameters
    ----------
    scores : ndarray, shape (N, M, p)
        g_t in the order of sessions, zeros where there is none.
    weights : ndarray, shape (N, q)
        w_k for lags 1 … q.
    """
    total: FloatArray = np.einsum("nmp,nmq->npq", scores, scores)
    for k in range(1, weights.shape[1] + 1):
        one = weights[:, k - 1, None, None] * np.einsum("nmp,nmq->npq", scores[:, k:], scores[:, :-k])
        total += one + one.transpose(0, 2, 1)
    return total


# -- Tests of what a model of normal returns assumes.


def durbin_watson(residuals: FloatArray) -> FloatArray:
    """Return the Durbin-Watson statistic ``Σ (e_t - e_(t-1))² / Σ e_t²`` of each row, shape (N,).

    Durbin and Watson (1950), Biometrika 37, 409-428. NaN for a row of zeros.
    """
    e, count = in_order(residuals)
    inside = np.arange(1, e.shape[1]) < count[:, None]
    steps = np.where(inside, e[:, 1:] - e[:, :-1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.einsum("nm,nm->n", steps, steps) / np.einsum("nm,nm->n", e, e), dtype=np.float64)


def ljung_box(residuals: FloatArray, lags: int) -> Statistic:
    """Ljung-Box test of no autocorrelation up to lag q, ``Q = M(M+2) Σ_k ρ_k²/(M-k)``, χ²(q).

    Parameters
    ----------
    residuals : ndarray, shape (N, M)
        NaN where there is none; missing days are left out.

    Notes
    -----
    Ljung and Box (1978), Biometrika 65, 297-303.
    """
    count = np.isfinite(residuals).sum(axis=1)
    enough = count > 2 * lags
    m = np.where(enough, count, 2 * lags + 1).astype(np.float64)
    rho = autocorrelations(residuals, lags)
    q = m * (m + 2.0) * (rho**2 / (m[:, None] - np.arange(1, lags + 1))).sum(axis=1)
    return _chi_square(np.where(enough, q, np.nan), lags)


def arch_lm(residuals: FloatArray, lags: int) -> Statistic:
    """Engle's test of no ARCH effect: ``T R²`` of squared residuals on their q lags, χ²(q).

    Parameters
    ----------
    residuals : ndarray, shape (N, M)
        NaN where there is none; missing days are left out.
    lags : int
        q. An event needs more than 3q + 2 days; the regression has ``T = M - q`` of them.

    Notes
    -----
    The regression has a constant, so its R² is ``c' C⁻¹ c / c_0`` of covariances, and no regression is run.
    Engle (1982), Econometrica 50, 987-1007.
    """
    e, count = in_order(residuals)
    days = e.shape[1]
    length = count - lags
    enough = count > 3 * lags + 2
    if days <= lags or not enough.any():
        return _nothing(len(count))
    scale = np.einsum("nm,nm->n", e, e) / np.maximum(count, 1)
    there = np.arange(days) < count[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        v = np.where(there, e**2 / scale[:, None] - 1.0, 0.0)
    inside = there[:, lags:]
    held = [v[:, lags - k : days - k] for k in range(lags + 1)]
    if not inside.all():
        held = [np.where(inside, part, 0.0) for part in held]
    t = np.maximum(length, 1).astype(np.float64)
    sums = np.stack([part.sum(axis=1) for part in held], axis=1)
    moments = np.empty((len(count), lags + 1, lags + 1))
    for j in range(lags + 1):
        for k in range(j, lags + 1):
            moments[:, j, k] = moments[:, k, j] = np.einsum("nt,nt->n", held[j], held[k])
    c = moments - sums[:, :, None] * sums[:, None, :] / t[:, None, None]
    explained = _quadratic(c[:, 1:, 1:], c[:, 0, 1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        value = t * explained / c[:, 0, 0]
    return _chi_square(np.where(enough, value, np.nan), lags)


def jarque_bera(residuals: FloatArray) -> Statistic:
    """Jarque-Bera test of normality, ``M/6 (S² + (K-3)²/4)``, χ²(2).

    Parameters
    ----------
    residuals : ndarray, shape (N, M)
        NaN where there is none. An event needs eight days.

    Notes
    -----
    S and K are the moments with divisor M. The χ² law is approached slowly: with 250 normal residuals 4 % are rejected at 5 %,
    and 2 % at 1 %. Jarque and Bera (1987), International Statistical Review 55, 163-172.
    """
    values, count = in_order(residuals)
    e = _about_mean(values, count)
    m = np.maximum(count, 1).astype(np.float64)
    squares = e**2
    second = squares.sum(axis=1) / m
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = np.einsum("nm,nm->n", squares, e) / m / second**1.5
        kurtosis = np.einsum("nm,nm->n", squares, squares) / m / second**2
    value = m / 6.0 * (skew**2 + (kurtosis - 3.0) ** 2 / 4.0)
    return _chi_square(np.where(count >= 8, value, np.nan), 2)


def robust_spread(residuals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the median of each row and 1.4826 times the median absolute deviation about it, shape (N,) each.

    NaN for a row without a value. For a normal variable the second estimates the standard deviation.
    """
    centre = _median(residuals)
    return centre, MAD_SCALE * _median(np.abs(residuals - centre[:, None]))


def outliers(residuals: FloatArray, beyond: float) -> BoolArray:
    """Return the days beyond so many robust deviations from the median, shape (N, M).

    None where the robust deviation is zero (half of the days are equal).
    """
    centre, deviation = robust_spread(residuals)
    with np.errstate(invalid="ignore"):
        limit = beyond * np.where(deviation > 0, deviation, np.inf)
        return np.asarray(np.abs(residuals - centre[:, None]) > limit[:, None], dtype=np.bool_)


def _median(values: FloatArray) -> FloatArray:
    """Return the median of what is there in each row, shape (N,); NaN where nothing is."""
    seen = np.isfinite(values)
    if seen.all() and values.shape[1]:
        return np.asarray(np.median(values, axis=1), dtype=np.float64)
    count = seen.sum(axis=1)
    ordered = np.sort(np.where(seen, values, np.inf), axis=1)
    row, last = np.arange(len(values)), max(values.shape[1] - 1, 0)
    middle = (ordered[row, np.minimum(count // 2, last)] + ordered[row, np.maximum(count - 1, 0) // 2]) / 2.0
    return np.asarray(np.where(count > 0, middle, np.nan), dtype=np.float64)


def chow(residuals: FloatArray, rows: FloatArray) -> Statistic:
    """Chow's test of equal coefficients in both halves of the estimation window, F(p, M - 2p).

    Parameters
    ----------
    residuals : ndarray, shape (N, M)
        Residuals of the model, NaN where there is none.
    rows : ndarray, shape (N, M, p)
        Regressor rows of the same days.

    Returns
    -------
    Statistic
        NaN for an event with fewer than ``p + 2`` days in a half, or whose regressors do not vary there.

    Notes
    -----
    ``F = (SSR - SSR_1 - SSR_2)/p / ((SSR_1 + SSR_2)/(M - 2p))``; the first half are the first ``⌊M/2⌋`` days observed. Since
    returns are ``X b`` plus residuals, the sums of squares of regressions of residuals on X are those of returns on X.
    Chow (1960), Econometrica 28, 591-605.
    """
    seen = np.isfinite(residuals) & np.isfinite(rows).all(axis=2)
    count = seen.sum(axis=1)
    p = rows.shape[2]
    first = seen & (np.cumsum(seen, axis=1) <= (count // 2)[:, None])
    whole, early = (_moments(np.where(chosen, residuals, 0.0), rows, chosen) for chosen in (seen, first))
    late = [w - f for w, f in zip(whole, early, strict=True)]
    left = [total - _quadratic(xx, xe) for total, xx, xe in (whole, early, late)]
    within = left[1] + left[2]
    degrees = np.maximum(count - 2 * p, 1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = (left[0] - within) / p / (within / degrees)
    enough = (count // 2 >= p + 2) & (within > 1e-20 * np.maximum(whole[0], np.finfo(float).tiny))
    f = np.where(enough & np.isfinite(f), np.maximum(f, 0.0), np.nan)
    from scipy.special import fdtrc

    return Statistic(f, np.asarray(fdtrc(p, degrees, f), dtype=np.float64))


def _moments(e: FloatArray, rows: FloatArray, chosen: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return e'e, X'X and X'e over the days chosen, shape (N,), (N, p, p) and (N, p)."""
    x = [np.where(chosen, rows[:, :, j], 0.0) for j in range(rows.shape[2])]
    xx = np.empty((len(e), len(x), len(x)))
    for j, column in enumerate(x):
        for k in range(j, len(x)):
            xx[:, j, k] = xx[:, k, j] = np.einsum("nm,nm->n", column, x[k])
    xe = np.stack([np.einsum("nm,nm->n", column, e) for column in x], axis=1)
    return np.einsum("nm,nm->n", e, e), xx, xe


def _quadratic(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Return ``v' A⁻¹ v`` of each event, shape (N,); NaN where A is singular."""
    scale = np.sqrt(np.maximum(np.diagonal(matrix, axis1=1, axis2=2), np.finfo(float).tiny))
    a = matrix / (scale[:, :, None] * scale[:, None, :])
    sound = np.isfinite(a).all(axis=(1, 2))
    a = np.where(sound[:, None, None], a, np.eye(a.shape[1]))
    sound &= np.linalg.eigvalsh(a)[:, 0] > SINGULAR
    a = np.where(sound[:, None, None], a, np.eye(a.shape[1]))
    v = vector / scale
    solved = np.linalg.solve(a, v[:, :, None])[:, :, 0]
    return np.asarray(np.where(sound, np.einsum("np,np->n", v, solved), np.nan), dtype=np.float64)


def _chi_square(value: FloatArray, degrees: int) -> Statistic:
    from scipy.special import chdtrc

    return Statistic(value, np.asarray(chdtrc(degrees, value), dtype=np.float64))


def _nothing(n: int) -> Statistic:
    return Statistic(np.full(n, np.nan), np.full(n, np.nan))
