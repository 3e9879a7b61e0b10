"""Regression by least absolute deviations, exactly, for all events at once."""

from __future__ import annotations

import numpy as np

from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray

#: Days are moved apart by so much, in the unit of y, while the descent looks for its days, so that no line passes through more than p of them.
APART = 1e-10
#: A directional derivative this far inside the kink, as a share of all weights, is rounding.
ROUNDING = 1e-13
#: Pivots after which an event counts as not solved; the descent takes about ten.
MAX_PIVOTS = 1000
#: A day that moves by less than this share of the one that moves most is parallel to the direction.
PARALLEL = 1e-12


def least_absolute_deviations(y: FloatArray, x: FloatArray, start: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the coefficients b with the smallest ``Σ |y - x b|`` of each event, and the p days that its line passes through.

    Parameters
    ----------
    y : ndarray, shape (n, M)
        Returns in units of their residual deviation; 0 on days not used.
    x : ndarray, shape (n, p, M)
        Regressors, a row each, of full rank; zeros on days not used. Orthonormal rows keep all digits.
    start : ndarray, shape (n, p)
        Where the descent starts, e.g. least squares.

    Returns
    -------
    ndarray, shape (n, p), and ndarray of int, shape (n, p)
        NaN and -1 where the descent does not end, which has not been seen.

    Notes
    -----
    Some solution passes through p days (a vertex). The descent walks from ``start`` to a vertex by p exact line searches,
    then along the edges of the function: it lets one of the p days go and moves to the lowest point of that edge, where
    another day takes its place; the lowest point of ``Σ |e_t - τ w_t|`` is a median of ``e_t/w_t`` with weights ``|w_t|``. It
    ends where no edge descends: with s_t the signs of the other residuals, ``Σ_t s_t x_t = Σ_k g_k x_k`` over
    the p days with all ``|g_k| ≤ 1``, which is the condition that 0 is a subgradient, so the vertex is an optimum.

    **Ties.** Days on one line (returns of zero on days of equal market returns) would let the descent step on the spot. It
    therefore looks for its p days among returns moved by up to 1e-10 of a residual deviation, a fixed amount a day; the days found
    are a solution of the returns as they are, since what holds for all small shifts holds in the limit. **Several optima**, when some ``|g_k|`` is 1:
    the vertex that the descent reaches first; the function is equally small at all of them.

    References
    ----------
    Bloomfield and Steiger (1980), SIAM J. Scientific and Statistical Computing 1, 290-301.
    Barrodale and Roberts (1973), SIAM J. Numerical Analysis 10, 839-848.
    """
    n, p, m = x.shape
    shift = APART * np.random.default_rng(0).random(m)
    e = y - np.matmul(start[:, None], x)[:, 0] + np.where(x.any(axis=1), shift, 0.0)
    days = _first_vertices(e, x)
    solved = np.full((n, p), -1)
    rows, active = np.arange(n), np.arange(n)
    shifted = np.where(x.any(axis=1), y + shift, 0.0)
    for _ in range(MAX_PIVOTS):
        xa, ya, da = x[active], shifted[active], days[active]
        back, e = _through(ya, xa, da)
        sums = np.matmul(xa, np.sign(e)[:, :, None])[:, :, 0]
        g = np.matmul(sums[:, None], back)[:, 0]
        k = np.abs(g).argmax(axis=1)
        here = rows[: len(active)]
        w = np.matmul(back[here, :, k][:, None], xa)[:, 0]
        w[here[:, None], da] = 0.0
        w[here, da[here, k]] = 1.0
        done = np.abs(g[here, k]) <= 1.0 + ROUNDING * np.abs(w).sum(axis=1)
        solved[active[done]] = da[done]
        active, w, e, k = active[~done], w[~done], e[~done], k[~done]
        if not len(active):
            break
        days[active, k] = _lowest(e, w)[0]
    return _on_days(y, x, solved), solved


def _first_vertices(e: FloatArray, x: FloatArray) -> IntArray:
    """Walk downhill p times, each time keeping the days met before on the line; return the p days met, shape (n, p)."""
    n, p, _ = x.shape
    rows = np.arange(n)
    days = np.empty((n, p), dtype=np.int64)
    free = np.broadcast_to(np.eye(p), (n, p, p)).copy()  # projects on the directions that keep the days met
    for j in range(p):
        slope = np.matmul(free, np.matmul(x, np.sign(e)[:, :, None]))[:, :, 0]
        longest = np.linalg.norm(free, axis=2).argmax(axis=1)
        still = np.linalg.norm(slope, axis=1) < 1e-9
        slope = np.where(still[:, None], free[rows, longest], slope)
        w = np.matmul(slope[:, None], x)[:, 0]
        for met in days.T[:j]:
            w[rows, met] = 0.0
        days[:, j], step = _lowest(e, w)
        e = e - step[:, None] * w
        for met in days.T[: j + 1]:
            e[rows, met] = 0.0
        along = np.matmul(free, x[rows, :, days[:, j]][:, :, None])[:, :, 0]
        along /= np.linalg.norm(along, axis=1)[:, None]
        free = free - along[:, :, None] * along[:, None, :]
    return days


def _lowest(e: FloatArray, w: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the day t at which ``Σ_t |e_t - τ w_t|`` is lowest, and ``τ = e_t/w_t``, each shape (n,)."""
    weight = np.abs(w)
    moves = weight > PARALLEL * weight.max(axis=1)[:, None]
    tau = np.where(moves, e / np.where(moves, w, 1.0), np.inf)
    order = np.argsort(tau, axis=1)
    passed = np.cumsum(np.take_along_axis(np.where(moves, weight, 0.0), order, axis=1), axis=1)
    middle = (passed >= 0.5 * passed[:, -1:]).argmax(axis=1)
    rows = np.arange(len(e))
    day = order[rows, middle]
    return day, tau[rows, day]


def _through(y: FloatArray, x: FloatArray, days: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the inverse of the regressors of the p days, shape (n, p, p), and the residuals of the line through them, 0 there."""
    rows = np.arange(len(y))[:, None]
    back = np.linalg.inv(x.transpose(0, 2, 1)[rows, days])
    b = np.matmul(back, y[rows, days][:, :, None])[:, :, 0]
    e = np.asarray(y - np.matmul(b[:, None], x)[:, 0], dtype=np.float64)
    e[rows, days] = 0.0
    return np.asarray(back, dtype=np.float64), e


def _on_days(y: FloatArray, x: FloatArray, days: IntArray) -> FloatArray:
    """Return the coefficients of the line through p days, shape (n, p); NaN without days."""
    found = np.full(days.shape, np.nan)
    ended = days[:, 0] >= 0
    rows = np.flatnonzero(ended)[:, None]
    square = x.transpose(0, 2, 1)[rows, days[ended]]
    found[ended] = np.linalg.solve(square, y[rows, days[ended]][:, :, None])[:, :, 0]
    return found


def density_at_zero(y: FloatArray, e: FloatArray, used: BoolArray) -> FloatArray:
    """Return the density of each event's residuals at zero, shape (n,), as statsmodels' ``QuantReg`` estimates it at the median.

    Parameters
    ----------
    y, e : ndarray, shape (n, M)
        Returns and residuals, 0 on days not used.

    Notes
    -----
    ``f = Σ K(e/c)/(M c)``, K Epanechnikov's kernel, ``c = min(sd y, IQR e/1.34) [Φ⁻¹(½ + h) - Φ⁻¹(½ - h)]``, h the bandwidth of Hall
    and Sheather (1988), Journal of the Royal Statistical Society B 50, 381-391. Infinite or NaN where the residuals do not vary.
    """
    from scipy.special import ndtri

    count = np.asarray(used.sum(axis=1), dtype=np.int64)
    ordered = np.sort(np.where(used, e, np.inf), axis=1)
    iqr = _quantile(ordered, count, 0.75) - _quantile(ordered, count, 0.25)
    around = np.where(used, y - (y.sum(axis=1) / count)[:, None], 0.0)
    deviation = np.sqrt(np.einsum("nm,nm->n", around, around) / count)
    h = (count * np.pi / 0.75) ** (-1.0 / 3.0) * ndtri(0.975) ** (2.0 / 3.0)
    width = np.minimum(deviation, iqr / 1.34) * (ndtri(0.5 + h) - ndtri(0.5 - h))
    with np.errstate(divide="ignore", invalid="ignore"):
        u = e / width[:, None]
        kernel = np.where(used, 0.75 * np.maximum(1.0 - u * u, 0.0), 0.0)
        return np.asarray(kernel.sum(axis=1) / (count * width), dtype=np.float64)


def _quantile(ordered: FloatArray, count: IntArray, share: float) -> FloatArray:
    """Return a quantile of the first ``count`` of each row in order, between its neighbours by a straight line."""
    place = share * (count - 1)
    low = np.floor(place).astype(np.int64)
    rows = np.arange(len(ordered))
    below, above = ordered[rows, low], ordered[rows, np.minimum(low + 1, count - 1)]
    return np.asarray(below + (place - low) * (above - below), dtype=np.float64)
