"""M-estimation of regressions by iteratively reweighted least squares, for all events at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray
from eventstudy.estimation.residuals import MAD_SCALE


@dataclass(frozen=True)
class Norm:
    """What an M-estimate minimises, by functions of ``z = e/scale``.

    Attributes
    ----------
    weight : callable
        ``ψ(z)/z``.
    slope : callable
        ``ψ'(z)``.
    """

    weight: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray], FloatArray]


def _huber_weight(z: FloatArray) -> FloatArray:
    return np.asarray(HUBER_K / np.maximum(np.abs(z), HUBER_K), dtype=np.float64)


def _huber_slope(z: FloatArray) -> FloatArray:
    return np.asarray(np.abs(z) <= HUBER_K, dtype=np.float64)


def _inside(z: FloatArray) -> FloatArray:
    """Return ``1 - (z/c)²``, 0 beyond c."""
    u = z / TUKEY_C
    return np.asarray(1.0 - np.minimum(u * u, 1.0), dtype=np.float64)


def _tukey_weight(z: FloatArray) -> FloatArray:
    inside = _inside(z)
    return inside * inside


def _tukey_slope(z: FloatArray) -> FloatArray:
    inside = _inside(z)
    return inside * (5.0 * inside - 4.0)


#: Efficiency of 95 % with normal errors.
HUBER_K, TUKEY_C = 1.345, 4.685
#: Huber's norm, and the biweight of Beaton and Tukey.
HUBER = Norm(_huber_weight, _huber_slope)
TUKEY = Norm(_tukey_weight, _tukey_slope)


@dataclass(frozen=True, eq=False)
class MEstimates:
    """M-estimates of n events.

    Attributes
    ----------
    coefficients : ndarray, shape (n, p)
        b_i.
    scale : ndarray, shape (n,)
        Median absolute residual over that of a standard normal variable.
    variance : ndarray, shape (n,)
        v with ``cov b = v (X'X)⁻¹``.
    converged : ndarray of bool, shape (n,)
        Whether the iterations ended.
    """

    coefficients: FloatArray
    scale: FloatArray
    variance: FloatArray
    converged: BoolArray


def m_estimates(
    y: FloatArray, q: FloatArray, used: BoolArray, norm: Norm, tolerance: float, iterations: int
) -> MEstimates:
    """Estimate regressions by iteratively reweighted least squares, from least squares on.

    Parameters
    ----------
    y : ndarray, shape (n, M)
        Returns in units of their residual deviation, 0 on days not used.
    q : ndarray, shape (n, p, M)
        Orthonormal regressors, a row each, zeros on days not used.
    used : ndarray of bool, shape (n, M)
        Days used.
    tolerance : float
        An event has converged when no coefficient of q changes by more.

    Notes
    -----
    ``b ← (Q'WQ)⁻¹ Q'Wy`` with ``W = ψ(z)/z``, ``z = e/scale`` and the scale anew from each residuals, as statsmodels' ``RLM`` does. Events
    that have converged leave the iteration. The covariance is ``H1`` of Huber (1981, 7.6.17),
    ``k² [Σψ²/(M-p)] scale² / [Σψ'/M]² (X'X)⁻¹``, ``k = 1 + (p/M) var ψ'/(mean ψ')²``.

    References
    ----------
    Huber (1981), Robust Statistics, Wiley. Holland and Welsch (1977), Communications in Statistics A 6, 813-827.
    """
    n, p, _ = q.shape
    count = np.asarray(used.sum(axis=1), dtype=np.int64)
    b = np.matmul(q, y[:, :, None])[:, :, 0]
    e = y - np.matmul(b[:, None], q)[:, 0]
    scale = _scale(e, used, count)
    converged = np.zeros(n, dtype=np.bool_)
    active = np.arange(n)
    ya, qa, ea = y, q, e
    for _ in range(iterations):
        weight = norm.weight(ea / _positive(scale[active])[:, None])
        weighted = qa * weight[:, None]
        change = b[active]
        b[active] = _solved(np.matmul(weighted, qa.transpose(0, 2, 1)), np.matmul(weighted, ya[:, :, None]))
        change = np.abs(b[active] - change).max(axis=1)
        ea = ya - np.matmul(b[active][:, None], qa)[:, 0]
        scale[active] = _scale(ea, used[active], count[active])
        e[active] = ea
        ended = change <= tolerance
        converged[active] = ended
        if ended.any():
            goes_on = ~(ended | np.isnan(change))
            active, ya, qa, ea = active[goes_on], ya[goes_on], qa[goes_on], ea[goes_on]
        if not len(active):
            break
    return MEstimates(b, scale, _variance(e, scale, used, count, p, norm), converged)


def _variance(e: FloatArray, scale: FloatArray, used: BoolArray, count: IntArray, p: int, norm: Norm) -> FloatArray:
    """Return v of the covariance ``v (X'X)⁻¹``, shape (n,)."""
    z = e / _positive(scale)[:, None]
    slope = np.where(used, norm.slope(z), 0.0)
    mean = slope.sum(axis=1) / count
    around = np.where(used, slope - mean[:, None], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        k = 1.0 + p / count * (np.einsum("nm,nm->n", around, around) / count) / mean**2
        psi = norm.weight(z) * z  # 0 on days not used, as their residuals are
        squares = np.einsum("nm,nm->n", psi, psi) * scale**2
        return np.asarray(k**2 * squares / (count - p) / mean**2, dtype=np.float64)


def _scale(e: FloatArray, used: BoolArray, count: IntArray) -> FloatArray:
    """Return the median absolute residual over that of a standard normal variable, shape (n,)."""
    size = np.sort(np.where(used, np.abs(e), np.inf), axis=1)
    rows = np.arange(len(e))
    return np.asarray(0.5 * MAD_SCALE * (size[rows, (count - 1) // 2] + size[rows, count // 2]), dtype=np.float64)


def _positive(values: FloatArray) -> FloatArray:
    return np.where(values > 0, values, 1.0)


def _solved(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the solutions of ``a x = b``, shape (n, p); NaN where a is singular."""
    singular = ~(np.linalg.det(a) > np.finfo(float).tiny)
    a[singular] = np.eye(a.shape[1])
    found = np.linalg.solve(a, b)[:, :, 0]
    found[singular] = np.nan
    return np.asarray(found, dtype=np.float64)
