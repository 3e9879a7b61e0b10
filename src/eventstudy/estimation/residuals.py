"""Residuals of the estimation window, for all events at once: how they hang together over time, and tests of what models assume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from eventstudy.estimation.answers import Answer
from eventstudy.estimation.model import masked
from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray

#: The deviation of a normal variable over its median absolute deviation.
MAD_SCALE = 1.4826022185056018
#: A scaled design whose smallest eigenvalue is below this tells no coefficients apart.
SINGULAR = 1e-10
#: Squares whose variance is below this share of their mean square are alike; the rest is rounding.
STEADY = 1e-12


@dataclass(frozen=True, eq=False, slots=True)
class Statistic(Answer):
    """One statistic of N events, of which large values speak against a null.

    Attributes
    ----------
    value : ndarray, shape (N,)
        The statistic; NaN where an event has too few days or no variation.
    first : int
        Degrees of freedom of χ², or the first ones of F.
    second : ndarray, shape (N,)
        The second ones of F; infinite for χ².
    """

    EACH: ClassVar[frozenset[str]] = frozenset({"value", "second"})
    ALIKE: ClassVar[frozenset[str]] = frozenset({"first"})

    value: FloatArray
    first: int
    second: FloatArray

    @property
    def computed(self) -> BoolArray:
        """Events that have the statistic, shape (N,)."""
        return np.asarray(np.isfinite(self.value), dtype=np.bool_)

    @property
    def p_value(self) -> FloatArray:
        """Upper-tail probabilities, NaN where there is no statistic, shape (N,)."""
        return self.p_of(np.arange(len(self.value)))

    def p_of(self, chosen: IntArray) -> FloatArray:
        """Return the upper-tail probabilities of some events."""
        from scipy.special import chdtrc, fdtrc

        value, second = self.value[chosen], self.second[chosen]
        if np.isfinite(second).any():
            return np.asarray(fdtrc(self.first, second, value), dtype=np.float64)
        return np.asarray(chdtrc(self.first, value), dtype=np.float64)

    def rejected(self, level: float) -> BoolArray:
        """Return the events whose p-value is below a level, shape (N,)."""
        from scipy.special import chdtri, fdtri

        if not np.isfinite(self.second).any():
            return np.asarray(self.value > chdtri(self.first, level), dtype=np.bool_)
        degrees, place = np.unique(self.second, return_inverse=True)
        return np.asarray(self.value > fdtri(self.first, degrees, 1.0 - level)[place], dtype=np.bool_)


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
    if seen.all():
        return values, np.full(len(values), values.shape[1], dtype=np.int64)
    count = np.asarray(np.count_nonzero(seen, axis=1), dtype=np.int64)
    out = np.zeros(values.shape)
    out[np.arange(values.shape[1]) < count[:, None]] = values[seen]
    return out, count


@dataclass(frozen=True, eq=False)
class Series:
    """Residuals of some events as series without gaps.

    Attributes
    ----------
    values : ndarray, shape (N, M)
        Observed values of each row side by side, zeros after them.
    centred : ndarray, shape (N, M)
        The same less the row's mean, zeros after them, and zero for a row that does not vary.
    count : ndarray of int, shape (N,)
        How many there are.
    whole : bool
        Whether every row has M of them.
    """

    values: FloatArray
    centred: FloatArray
    count: IntArray
    whole: bool

    @classmethod
    def of(cls, residuals: FloatArray | Series) -> Series:
        """Return residuals with NaN where there is none as series; series as they are."""
        if isinstance(residuals, Series):
            return residuals
        values, count = in_order(residuals)
        whole = bool((count == values.shape[1]).all())
        mean, squares = values @ np.ones(values.shape[1]) / np.maximum(count, 1), np.vecdot(values, values)
        if (1e28 * mean**2 * count <= squares).all():  # a regression with a constant has centred them
            return cls(values, values, count, whole)
        centred = values - mean[:, None]
        if not whole:
            centred[np.arange(values.shape[1]) >= count[:, None]] = 0.0
        centred[np.vecdot(centred, centred) <= 1e-26 * squares] = 0.0
        return cls(values, centred, count, whole)

    @cached_property
    def squares(self) -> FloatArray:
        """Squares of the values, shape (N, M)."""
        return self.values * self.values


def running_sums(values: FloatArray, length: int) -> FloatArray:
    """Return the sums of ``length`` neighbours in each row, shape (N, M - length + 1); NaN where one is missing."""
    width = values.shape[1] - length + 1
    if width < 1:
        return np.empty((len(values), 0))
    total, done, doubled, span = None, 0, values, 1
    while True:  # a sum of so many neighbours is one of sums of 1, 2, 4 … of them
        if length & span:
            part = doubled[:, done : done + width]
            total, done = part if total is None else total + part, done + span
        if done == length:
            return np.asarray(total, dtype=np.float64)
        doubled, span = doubled[:, :-span] + doubled[:, span:], 2 * span


# -- Correlation over time.


def autocorrelations(residuals: FloatArray | Series, lags: int) -> FloatArray:
    """Return the sample autocorrelations at lags 1 … q, shape (N, q).

    Parameters
    ----------
    residuals : ndarray, shape (N, M)
        NaN where there is none; missing days are left out (`in_order`).

    Notes
    -----
    ``ρ_k = Σ_t (e_t - ē)(e_(t+k) - ē) / Σ_t (e_t - ē)²``. NaN for a row without variation.
    """
    products = lagged_products(Series.of(residuals).centred, lags)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(products[:, 1:] / products[:, :1], dtype=np.float64)


def lagged_products(e: FloatArray, lags: int) -> FloatArray:
    """Return ``Σ_t e_t e_(t+k)`` of each row for k = 0 … ``lags``, shape (N, lags + 1)."""
    days = e.shape[1]
    sums = [np.vecdot(e[:, k:], e[:, : max(days - k, 0)]) for k in range(lags + 1)]
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


def ljung_box(residuals: FloatArray | Series, lags: int) -> Statistic:
    """Ljung-Box test of no autocorrelation up to lag q, ``Q = M(M+2) Σ_k ρ_k²/(M-k)``, χ²(q).

    Parameters
    ----------
    residuals : ndarray, shape (N, M)
        NaN where there is none; missing days are left out.

    Notes
    -----
    Ljung and Box (1978), Biometrika 65, 297-303.
    """
    series = Series.of(residuals)
    count, enough = series.count, series.count > 2 * lags
    m = np.where(enough, count, 2 * lags + 1).astype(np.float64)
    rho = autocorrelations(series, lags)
    q = m * (m + 2.0) * (rho**2 / (m[:, None] - np.arange(1, lags + 1))).sum(axis=1)
    return _chi_square(np.where(enough, q, np.nan), lags)


def arch_lm(residuals: FloatArray | Series, lags: int) -> Statistic:
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
    series = Series.of(residuals)
    count, days = series.count, series.values.shape[1]
    enough = count > 3 * lags + 2
    if days <= lags or not enough.any():
        return _chi_square(np.full(len(count), np.nan), lags)
    t = np.maximum(count - lags, 1).astype(np.float64)
    moments, sums = _moments_of_lags(series.squares, count, lags)
    c = moments - sums[:, None] * sums / t
    varies = c[0, 0] > STEADY * moments[0, 0]
    explained = _quadratic(c[1:, 1:].transpose(2, 0, 1), c[0, 1:].T)
    value = t * explained / np.where(varies, c[0, 0], 1.0)
    return _chi_square(np.where(enough & varies, value, np.nan), lags)


def _moments_of_lags(v: FloatArray, count: IntArray, lags: int) -> tuple[FloatArray, FloatArray]:
    """Return ``Σ_t v_(t-j) v_(t-k)`` and ``Σ_t v_(t-j)`` over t = q + 1 … M, j, k = 0 … q, shape (q + 1, q + 1, N) and (q + 1, N).

    Only the first row is summed: a moment is the one up and to the left of it, with a day more at the start and one less at the end.
    """
    n, days = v.shape
    sums, moments = np.empty((lags + 1, n)), np.empty((lags + 1, lags + 1, n))
    last = np.maximum(count - 1 - np.arange(lags)[:, None], 0)
    first, ends = np.ascontiguousarray(v[:, :lags].T)[::-1], v[np.arange(n), last]
    sums[0] = v[:, lags:] @ np.ones(days - lags)
    sums[1:] = sums[0] + np.cumsum(first - ends, axis=0)
    for k in range(lags + 1):
        moments[0, k] = moments[k, 0] = np.vecdot(v[:, lags:], v[:, lags - k : days - k])
    added = first[:, None] * first - ends[:, None] * ends
    for j in range(1, lags + 1):
        for k in range(j, lags + 1):
            moments[j, k] = moments[k, j] = moments[j - 1, k - 1] + added[j - 1, k - 1]
    return moments, sums


def jarque_bera(residuals: FloatArray | Series) -> Statistic:
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
    series = Series.of(residuals)
    e, count = series.centred, series.count
    m = np.maximum(count, 1).astype(np.float64)
    squares = series.squares if e is series.values else e * e
    second = squares @ np.ones(e.shape[1]) / m
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = np.vecdot(squares, e) / m / second**1.5
        kurtosis = np.vecdot(squares, squares) / m / second**2
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
    ordered, row = np.sort(residuals, axis=1), np.arange(len(residuals))
    count = np.count_nonzero(np.isfinite(residuals), axis=1)
    far = np.zeros(residuals.shape, dtype=np.bool_)
    some, there = outlying(residuals, beyond, count, lambda place: ordered[row, place])
    far[some] = there
    return far


def outlying(
    residuals: FloatArray, beyond: float, count: IntArray, at: Callable[[IntArray], FloatArray]
) -> tuple[IntArray, BoolArray]:
    """Return which rows may have outliers, and their days beyond so many robust deviations from the median, shape (n,) and (n, M).

    Parameters
    ----------
    count : ndarray of int, shape (N,)
        Days that each row has.
    at : callable
        Of each row the value at a place in order of size, shape (N,) to (N,).

    Notes
    -----
    The median absolute deviation is at least the smaller distance of a quartile from the median: only rows with a day beyond so many of
    these are looked at further.
    """
    last = np.maximum(count - 1, 0)
    quarter = np.minimum((count + 1) // 4, last)
    centre = (at(last // 2) + at((last + 1) // 2)) / 2.0
    with np.errstate(invalid="ignore"):
        nearest = np.minimum(centre - at(quarter), at(last - quarter) - centre)
        farthest = np.maximum(centre - at(np.zeros_like(last)), at(last) - centre)
        suspect = np.flatnonzero(~(farthest <= beyond * MAD_SCALE * nearest) & (count > 0))
        middle, deviation = robust_spread(residuals[suspect])
        limit = beyond * np.where(deviation > 0, deviation, np.inf)
        return suspect, np.abs(residuals[suspect] - middle[:, None]) > limit[:, None]


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


def chow(residuals: FloatArray, x: Sequence[FloatArray]) -> Statistic:
    """Chow's test of equal coefficients in both halves of the estimation window, F(p, M - 2p).

    Parameters
    ----------
    residuals : ndarray, shape (N, M)
        Residuals of the model, NaN where there is none.
    x : sequence of ndarray, each of shape (N, M)
        The p regressors on the same days.

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
    p, m, seen = len(x), residuals.shape[1], np.isfinite(residuals)
    count = np.count_nonzero(seen, axis=1)
    half, every = count // 2, [masked(column, seen) for column in (residuals, *x)]
    first, last = (
        int(half.min(initial=m)),
        int((half + m - count).max(initial=0)),
    )  # the halves of all events part between these
    early, late = _moments(*(v[:, :first] for v in every)), _moments(*(v[:, last:] for v in every))
    if first < last:
        before = np.count_nonzero(seen[:, :first], axis=1)[:, None] + np.cumsum(seen[:, first:last], axis=1)
        own = before <= half[:, None]
        early, late = (
            tuple(
                a + b
                for a, b in zip(part, _moments(*(np.where(of, v[:, first:last], 0.0) for v in every)), strict=True)
            )
            for part, of in ((early, own), (late, ~own))
        )
    ee, xx, xe = (np.stack([one + other, one, other]) for one, other in zip(early, late, strict=True))
    whole, one, other = ee - _quadratic(xx.reshape(-1, p, p), xe.reshape(-1, p)).reshape(3, -1)
    within = one + other
    degrees = np.maximum(count - 2 * p, 1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = (whole - within) / p / (within / degrees)
    enough = (count // 2 >= p + 2) & (within > 1e-20 * np.maximum(ee[0], np.finfo(float).tiny))
    f = np.where(enough & np.isfinite(f), np.maximum(f, 0.0), np.nan)
    return Statistic(f, p, degrees)


def _moments(e: FloatArray, *x: FloatArray) -> tuple[FloatArray, ...]:
    """Return e'e, X'X and X'e of each event, shape (N,), (N, p, p) and (N, p), from the columns of X."""
    xx = np.empty((len(e), len(x), len(x)))
    for j, column in enumerate(x):
        for k in range(j, len(x)):
            xx[:, j, k] = xx[:, k, j] = np.vecdot(column, x[k])
    xe = np.stack([np.vecdot(column, e) for column in x], axis=1)
    return np.vecdot(e, e), xx, xe


def _quadratic(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Return ``v' A⁻¹ v`` of each event, shape (N,), by elimination in the scaled matrix; NaN where A is singular."""
    p = matrix.shape[1]
    scale = np.sqrt(np.maximum(np.diagonal(matrix, axis1=1, axis2=2), np.finfo(float).tiny)).T
    a, v = matrix.transpose(1, 2, 0) / scale[:, None] / scale, vector.T / scale
    value, sound = np.zeros(len(matrix)), np.ones(len(matrix), dtype=np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):  # of a singular matrix, whose value is not used
        for k in range(p):
            good = a[k, k] > SINGULAR
            sound &= good
            pivot = np.where(good, a[k, k], 1.0)
            value += v[k] * v[k] / pivot
            factor = a[k + 1 :, k] / pivot
            v[k + 1 :] -= factor * v[k]
            a[k + 1 :, k + 1 :] -= factor[:, None] * a[k, k + 1 :]
    return np.asarray(np.where(sound & np.isfinite(value), value, np.nan), dtype=np.float64)


def _chi_square(value: FloatArray, degrees: int) -> Statistic:
    return Statistic(value, degrees, np.full(len(value), np.inf))
