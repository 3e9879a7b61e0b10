"""Likelihoods of regressions with GARCH and EGARCH errors and their maxima: a loop over days, arrays over events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Protocol

import numpy as np

from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray

#: Expectation of |z| of a standard normal z.
MEAN_SIZE = float(np.sqrt(2.0 / np.pi))
#: Days and decay of the average of squared residuals that stands for the variance before the first day, as ``arch`` has them.
BEFORE_DAYS, BEFORE_DECAY = 75, 0.94
#: Step of the second derivatives, in angles and in residual deviations.
STEP = 1e-6
#: Log-likelihood that a step may still promise at a maximum, and where starts are compared.
PROMISE, LITTLE = 1e-7, 1e-3
#: Quasi-Newton steps between second derivatives, and the share of what a step promises that must come true.
ROUNDS, ENOUGH = 12, 0.2
#: A maximum has no second derivative that is upward by more; others count at least this share of the largest.
UPWARD, FLAT = 1e-3, 1e-9
#: Longest step in one coordinate, and the share of a step at which halving ends.
LONGEST, SHORTEST = 0.3, 1e-7
#: Days whose slopes are worked out together.
DAYS = 25
#: Events whose second derivatives are worked out together: so many stay in the cache.
BLOCK = 256


@dataclass(frozen=True, eq=False)
class Series:
    """Residuals of n events side by side, days first: missing days are left out, and zeros stand after the last.

    Attributes
    ----------
    y : ndarray, shape (M, 1, n)
        Residuals of least squares in units of their deviation: coefficients b are counted from those of least squares.
    q : ndarray, shape (p, M, 1, n)
        Orthonormal regressors.
    used : ndarray, shape (M, 1, n)
        1 on the first M_i days, 0 after them.
    before : ndarray, shape (1, n)
        Variance before the first day.
    """

    y: FloatArray
    q: FloatArray
    used: FloatArray
    before: FloatArray

    @classmethod
    def of(cls, y: FloatArray, q: FloatArray, used: BoolArray) -> Series:
        """Make series of residuals, shape (n, M), and regressors, shape (n, p, M), with zeros on days not used."""
        if not used.all():
            order = np.argsort(~used, axis=1, kind="stable")
            y, used = np.take_along_axis(y, order, axis=1), np.take_along_axis(used, order, axis=1)
            q = np.take_along_axis(q, order[:, None], axis=2)
        weight = BEFORE_DECAY ** np.arange(min(BEFORE_DAYS, y.shape[1])) * used[:, :BEFORE_DAYS]
        before = (weight * y[:, :BEFORE_DAYS] ** 2).sum(axis=1) / weight.sum(axis=1)
        by_day = [np.ascontiguousarray(v.T)[:, None] for v in (y, used.astype(np.float64))]
        return cls(by_day[0], np.ascontiguousarray(q.transpose(1, 2, 0))[:, :, None], by_day[1], before[None])

    @property
    def n(self) -> int:
        """Number of events."""
        return int(self.y.shape[2])

    @property
    def variance(self) -> FloatArray:
        """Mean square of the residuals, shape (n,)."""
        return np.asarray((self.y * self.y).sum(axis=(0, 1)) / self.used.sum(axis=(0, 1)), dtype=np.float64)

    def part(self, chosen: IntArray | BoolArray) -> Series:
        """Return the series of some events."""
        return Series(self.y[..., chosen], self.q[..., chosen], self.used[..., chosen], self.before[:, chosen])

    def blocks(self) -> Iterator[slice]:
        """Return days, the last first, a few together: arrays of so many stay in the cache."""
        last = len(self.y)
        for first in range((last - 1) // DAYS * DAYS, -1, -DAYS):
            yield slice(first, min(first + DAYS, last))

    def errors(self, b: FloatArray) -> FloatArray:
        """Return residuals, shape (M, S, n), for S sets of coefficients, shape (p, S, n)."""
        e: FloatArray = self.y - b[0] * self.q[0]
        for coefficient, regressor in zip(b[1:], self.q[1:], strict=True):
            e -= coefficient * regressor
        return e


class Equation(Protocol):
    """A variance equation: its parameters θ follow the coefficients b; u are the same without bounds."""

    @property
    def size(self) -> int:
        """Number of parameters θ."""
        ...

    def starts(self, series: Series) -> list[FloatArray]:
        """Return where to start, each u of shape (size, n)."""
        ...

    def bounded(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return θ, shape (size, ...), and ∂θ/∂u, shape (size, size, ...)."""
        ...

    def variances(self, series: Series, e: FloatArray, theta: FloatArray) -> FloatArray:
        """Return h_t, shape (M, S, n), given errors of that shape."""
        ...

    def slopes(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the loss, shape (S, n), and its derivatives by b and θ, shape (p + size, S, n)."""
        ...


def loss(series: Series, e: FloatArray, h: FloatArray) -> FloatArray:
    """Return ``½ Σ_t (ln h_t + e_t²/h_t)``, shape (S, n): minus the log-likelihood less ``½ M ln 2π``."""
    return np.asarray(0.5 * (series.used * (np.log(h) + e * e / h)).sum(axis=0), dtype=np.float64)


@dataclass(frozen=True)
class Garch:
    """``h_t = ω + α e²_(t-1) + β h_(t-1)``, ``ω > 0``, ``α, β ≥ 0``, ``α + β ≤ 1``.

    ``α + β = sin² u``, ``α = sin² u sin² v`` and ``ω = s² (1.01 - sin² u) + ε``: bounds are met where these turn around, and s² is all
    but the mean variance.
    """

    size: ClassVar[int] = 3
    #: Least ω, as a share of the residual variance, and what α + β is taken from for the mean variance: ω is not 0 where it is 1.
    LEAST: ClassVar[float] = 1e-8
    BEYOND: ClassVar[float] = 1.01
    #: α + β of the groups of starts, and the α of each group.
    PERSISTENCE: ClassVar[tuple[tuple[float, ...], ...]] = ((0.9, 0.98), (0.5, 0.7))
    NEWS: ClassVar[tuple[float, ...]] = (0.01, 0.05, 0.1, 0.2)

    def starts(self, series: Series) -> list[FloatArray]:
        """Return the most likely start of little and of much persistence, with the moments' variance."""
        starts = []
        for group in self.PERSISTENCE:
            alpha, both = np.array([(a, s) for a in self.NEWS for s in group]).T[:, :, None]
            level = np.sqrt(series.variance * (1.0 - both) / (self.BEYOND - both))
            angles = np.arcsin(np.sqrt(both)), np.arcsin(np.sqrt(alpha / both))
            starts.append(
                _likeliest(series, self, np.stack([level, *(np.broadcast_to(v, level.shape) for v in angles)]))
            )
        return starts

    def bounded(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return θ and ∂θ/∂u."""
        s, both, share = u[0], np.sin(u[1]) ** 2, np.sin(u[2]) ** 2
        turn_both, turn_share = np.sin(2.0 * u[1]), np.sin(2.0 * u[2])
        rest = self.BEYOND - both
        theta = np.stack([s * s * rest + self.LEAST, both * share, both * (1.0 - share)])
        jacobian = np.zeros((3, *u.shape))
        jacobian[0, 0], jacobian[0, 1] = 2.0 * s * rest, -s * s * turn_both
        jacobian[1, 1], jacobian[1, 2] = turn_both * share, both * turn_share
        jacobian[2, 1], jacobian[2, 2] = turn_both * (1.0 - share), -both * turn_share
        return theta, jacobian

    def variances(self, series: Series, e: FloatArray, theta: FloatArray) -> FloatArray:
        """Return h_t, shape (M, S, n)."""
        omega, alpha, beta = theta
        h = np.empty_like(e)
        np.multiply(e[:-1], e[:-1], out=h[1:])
        h[1:] *= alpha
        h[1:] += omega
        h[0] = omega + (alpha + beta) * series.before
        carried = np.empty_like(h[0])
        for before, now in pairwise(h):
            np.multiply(before, beta, out=carried)
            np.add(now, carried, out=now)
        return h

    def slopes(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the loss and its derivatives, by one recursion back: ``λ_t = ∂loss/∂h_t + β λ_(t+1)``."""
        _, alpha, beta = theta
        e = series.errors(b)
        h = self.variances(series, e, theta)
        slope = np.zeros((len(b) + 3, *h.shape[1:]))
        value, carried, after = np.zeros_like(h[0]), np.zeros_like(h[0]), np.zeros_like(h[0])
        for days in series.blocks():
            error, variance, used = e[days], h[days], series.used[days]
            squares, inverse = error * error, used / variance
            standard = squares * inverse
            value += 0.5 * (used * np.log(variance) + standard).sum(axis=0)
            effect = np.empty((len(error) + 1, *value.shape))  # λ of these days and of the day after
            np.multiply(inverse, 1.0 - standard, out=effect[:-1])
            effect[:-1] *= 0.5
            effect[-1] = after
            for now, later in zip(effect[-2::-1], effect[:0:-1], strict=True):
                np.multiply(later, beta, out=carried)
                np.add(now, carried, out=now)
            after = effect[0]
            slope[-3] += effect[:-1].sum(axis=0)
            slope[-2] += _along(effect[1:], squares)
            slope[-1] += _along(effect[1:], variance)
            inverse += 2.0 * alpha * effect[1:]
            inverse *= error
            for j, regressor in enumerate(series.q[:, days]):
                slope[j] -= _along(inverse, regressor)
        slope[-2:] += after * series.before
        return value, slope


def _likeliest(series: Series, equation: Equation, u: FloatArray) -> FloatArray:
    """Return the likeliest of several u, shape (size, S, n), of each event for the residuals of least squares, shape (size, n)."""
    e = np.repeat(series.y, u.shape[1], axis=1)
    best = loss(series, e, equation.variances(series, e, equation.bounded(u)[0])).argmin(axis=0)
    return np.asarray(u[:, best, np.arange(series.n)], dtype=np.float64)


def _along(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the products summed over days, shape (S, n)."""
    return np.asarray((first * second).sum(axis=0), dtype=np.float64)


@dataclass(frozen=True)
class Egarch:
    """``ln h_t = ω + α (|z_(t-1)| - √(2/π)) + γ z_(t-1) + β ln h_(t-1)``, ``0 ≤ α ≤ 2``, ``|γ| ≤ 2``, ``0 ≤ β ≤ 0.999``.

    ``ω = (1.01 - β) κ``, ``α = 2 sin² u``, ``γ = 2 sin w``, ``β = 0.999 sin² v``.
    """

    size: ClassVar[int] = 4
    LARGEST: ClassVar[tuple[float, float, float]] = (2.0, 2.0, 0.999)
    #: In slopes |e| is ``√(e² + ε²)``, ε this share of the residual deviation: at a kink, where a day lies on the line, they could not end.
    ROUND: ClassVar[float] = 3e-6
    #: As for GARCH.
    BEYOND: ClassVar[float] = 1.01
    #: β of three groups of starts, and the α of each group.
    PERSISTENCE: ClassVar[tuple[tuple[float, ...], ...]] = ((0.99,), (0.9,), (0.5,), (0.1,))
    NEWS: ClassVar[tuple[float, ...]] = (0.03, 0.15, 0.5)

    def starts(self, series: Series) -> list[FloatArray]:
        """Return the most likely start of much, of some and of little persistence, with the moments' variance and γ of 0."""
        starts = []
        for group in self.PERSISTENCE:
            alpha, beta = np.array([(a, b) for a in self.NEWS for b in group]).T
            angles = [np.arcsin(np.sqrt(v / most)) for v, most in zip((alpha, beta), self.LARGEST[::2], strict=True)]
            u = np.zeros((4, len(alpha), series.n))
            u[0], u[1], u[3] = np.log(series.variance), angles[0][:, None], angles[1][:, None]
            starts.append(_likeliest(series, self, u))
        return starts

    def bounded(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return θ and ∂θ/∂u."""
        most, steepest, longest = self.LARGEST
        level, beta = u[0], longest * np.sin(u[3]) ** 2
        turn = longest * np.sin(2.0 * u[3])
        rest = self.BEYOND - beta
        theta = np.stack([rest * level, most * np.sin(u[1]) ** 2, steepest * np.sin(u[2]), beta])
        jacobian = np.zeros((4, *u.shape))
        jacobian[0, 0], jacobian[0, 3] = rest, -level * turn
        jacobian[1, 1] = most * np.sin(2.0 * u[1])
        jacobian[2, 2] = steepest * np.cos(u[2])
        jacobian[3, 3] = turn
        return theta, jacobian

    def _rounded(self, e: FloatArray) -> FloatArray:
        return np.sqrt(e * e + self.ROUND**2)

    def variances(self, series: Series, e: FloatArray, theta: FloatArray) -> FloatArray:
        """Return h_t, shape (M, S, n)."""
        return np.exp(-2.0 * self._half_logs(series, e, np.abs(e), theta)[0])

    def _half_logs(
        self, series: Series, e: FloatArray, size: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return ``-½ ln h_t`` and its exponential ``1/√h_t``, each shape (M, S, n), given e and ``size``, which is |e|."""
        omega, alpha, gamma, beta = theta
        news = -0.5 * (alpha * size + gamma * e)
        half, inverse = np.empty_like(e), np.empty_like(e)
        level = -0.5 * (omega - alpha * MEAN_SIZE)
        half[0] = -0.5 * (omega + beta * np.log(series.before))
        carried = np.empty_like(half[0])
        for t in range(len(e) - 1):
            now, after = half[t], half[t + 1]
            np.exp(now, out=inverse[t])
            np.multiply(news[t], inverse[t], out=after)
            np.multiply(now, beta, out=carried)
            np.add(after, carried, out=after)
            np.add(after, level, out=after)
        np.exp(half[-1], out=inverse[-1])
        return half, inverse

    def slopes(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the loss and its derivatives, by one recursion back: ``λ_t = ∂loss/∂ln h_t + λ_(t+1) ∂ln h_(t+1)/∂ln h_t``."""
        _, alpha, gamma, beta = theta
        e = series.errors(b)
        half, scale = self._half_logs(series, e, self._rounded(e), theta)
        slope = np.zeros((len(b) + 4, *half.shape[1:]))
        value, carried, after = np.zeros_like(half[0]), np.zeros_like(half[0]), np.zeros_like(half[0])
        for days in series.blocks():
            error, inverse, used = e[days], scale[days], series.used[days]
            z, near = error * inverse, self._rounded(error)
            size = near * inverse
            squares = z * z
            value += (used * (0.5 * squares - half[days])).sum(axis=0)
            effect = np.empty((len(error) + 1, *value.shape))  # λ of these days and of the day after
            np.multiply(0.5 * used, 1.0 - squares, out=effect[:-1])
            effect[-1] = after
            carries = beta - 0.5 * (alpha * size + gamma * z)
            for now, later, share in zip(effect[-2::-1], effect[:0:-1], carries[::-1], strict=True):
                np.multiply(later, share, out=carried)
                np.add(now, carried, out=now)
            after = effect[0]
            slope[-4] += effect[:-1].sum(axis=0)
            slope[-3] += _along(effect[1:], size - MEAN_SIZE)
            slope[-2] += _along(effect[1:], z)
            slope[-1] -= 2.0 * _along(effect[1:], half[days])
            z += effect[1:] * (alpha * error / near + gamma)
            z *= inverse
            for j, regressor in enumerate(series.q[:, days]):
                slope[j] -= _along(z, regressor)
        slope[-1] += after * np.log(series.before)
        return value, slope


@dataclass(frozen=True, eq=False)
class Maxima:
    """The likeliest parameters of n events, in units of their residual deviation.

    Attributes
    ----------
    b, theta : ndarray, shape (p, n) and (size, n)
        Coefficients, counted from those of least squares, and variance parameters.
    found : ndarray of bool, shape (n,)
        Whether the search ended at a maximum.
    """

    b: FloatArray
    theta: FloatArray
    found: BoolArray


def most_likely(series: Series, equation: Equation, climbs: int) -> Maxima:
    """Maximise the likelihood of every event from the equation's starts; the highest maximum counts, the first of equals.

    Parameters
    ----------
    climbs : int
        How often the search may begin anew before an event counts as not found.

    Notes
    -----
    A few quasi-Newton steps (Broyden, Fletcher, Goldfarb and Shanno) in parameters without bounds, between second derivatives from
    differences of exact first ones (`_climb`, `_second`): a maximum is where a Newton step promises less than 1e-7 of log-likelihood and the likelihood bends down
    in all directions. All starts climb until little is left, the best of each event to its end.

    References
    ----------
    Fletcher (1987), Practical Methods of Optimization, Wiley. Fiorentini, Calzolari and Panattoni (1996), J. Applied Econometrics 11,
    399-417, on analytic derivatives of GARCH.
    """
    starts = equation.starts(series)
    n, p = series.n, len(series.q)
    u = np.concatenate([np.concatenate([np.zeros((p, n)), start]) for start in starts], axis=1)
    if len(starts) > 1:
        every = series.part(np.tile(np.arange(n), len(starts)))
        u = _climb(every, equation, u, _second(every, equation, u).inverse, LITTLE)
        value = _loss_at(every, equation, u).reshape(len(starts), n)
        u = u[:, np.where(np.isfinite(value), value, np.inf).argmin(axis=0) * n + np.arange(n)]
    left, here = np.arange(n), series
    for _ in range(climbs):
        second = _second(here, equation, u[:, left])
        at_top = second.promise < PROMISE
        u[:, left[at_top]] += second.step[:, at_top]
        left, here = left[~at_top], here.part(~at_top)
        if not len(left):
            break
        u[:, left] = _climb(here, equation, u[:, left], second.inverse[~at_top], PROMISE)
    found = np.ones(n, dtype=np.bool_)
    found[left] = False
    theta, _ = equation.bounded(u[p:])
    return Maxima(u[:p], theta, found)


def _loss_at(series: Series, equation: Equation, u: FloatArray) -> FloatArray:
    """Return the loss at u, shape (p + size, n), of each event."""
    p = len(series.q)
    e = series.errors(u[:p, None])
    theta, _ = equation.bounded(u[p:])
    value: FloatArray = loss(series, e, equation.variances(series, e, theta[:, None]))[0]
    return value


def _slopes_at(series: Series, equation: Equation, u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return loss and derivatives by u, shape (S, n) and (p + size, S, n), for u of shape (p + size, S, n)."""
    p = len(series.q)
    theta, jacobian = equation.bounded(u[p:])
    value, slope = equation.slopes(series, u[:p], theta)
    slope[p:] = (slope[p:, None] * jacobian).sum(axis=0)
    return value, slope


@dataclass(frozen=True, eq=False)
class _Second:
    """What second derivatives say of n events: the inverse of their size, the Newton step, and what it promises (∞ where they bend up)."""

    inverse: FloatArray
    step: FloatArray
    promise: FloatArray


def _second(series: Series, equation: Equation, u: FloatArray) -> _Second:
    """Return second derivatives, a few events at a time."""
    size, n = u.shape
    inverse, step, promise = np.empty((n, size, size)), np.empty((size, n)), np.empty(n)
    for first in range(0, n, BLOCK):
        block = np.arange(first, min(first + BLOCK, n))
        around = np.repeat(u[:, None, block], size + 1, axis=1)
        around[np.arange(size), np.arange(1, size + 1)] += STEP
        _, slopes = _slopes_at(series.part(block), equation, around)
        second = ((slopes[:, 1:] - slopes[:, :1]) / STEP).transpose(2, 0, 1)
        usable = np.asarray(np.isfinite(second).all(axis=(1, 2)), dtype=np.bool_)
        second = np.where(usable[:, None, None], 0.5 * (second + second.transpose(0, 2, 1)), np.eye(size))
        bend, along = np.linalg.eigh(second)
        firm = np.maximum(np.abs(bend), FLAT * np.abs(bend).max(axis=1)[:, None])
        inverse[block] = np.matmul(along / firm[:, None], along.transpose(0, 2, 1))
        slope = slopes[:, 0]
        step[:, block] = -_times(inverse[block], slope)
        promised = -0.5 * (slope * step[:, block]).sum(axis=0)
        promise[block] = np.where(usable & (bend[:, 0] > -UPWARD), promised, np.inf)
    return _Second(inverse, step, promise)


def _climb(series: Series, equation: Equation, u: FloatArray, inverse: FloatArray, enough: float) -> FloatArray:
    """Return where quasi-Newton steps from u, shape (p + size, n), lead: until they promise less than ``enough``, or `ROUNDS` of them are done.

    ``inverse``, shape (n, p + size, p + size): the inverse second derivatives at u, positive definite.
    """
    u, active, here = u.copy(), np.arange(u.shape[1]), series
    value, slope = (v[..., 0, :] for v in _slopes_at(series, equation, u[:, None]))
    factor = np.ones(len(active))
    for _ in range(ROUNDS):
        step = -_times(inverse, slope)
        promise = -0.5 * (slope * step).sum(axis=0)
        goes_on = (promise > enough) & (factor > SHORTEST)
        if not goes_on.all():
            active, here, inverse = active[goes_on], here.part(goes_on), inverse[goes_on]
            value, slope, factor, step, promise = (v[..., goes_on] for v in (value, slope, factor, step, promise))
        if not len(active):
            break
        share = factor * LONGEST / np.maximum(np.abs(step).max(axis=0), LONGEST)
        step, promise = share * step, share * promise
        now, now_slope = (v[..., 0, :] for v in _slopes_at(here, equation, (u[:, active] + step)[:, None]))
        better = now < value - ENOUGH * promise
        inverse = _updated(inverse, np.where(better, step, 0.0), np.where(better, now_slope - slope, 0.0))
        u[:, active] += np.where(better, step, 0.0)
        value, slope = np.where(better, now, value), np.where(better, now_slope, slope)
        factor = np.where(better, 1.0, 0.5 * factor)
    return u


def _times(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return the products of matrices, shape (n, k, k), and vectors, shape (k, n), of each event by itself."""
    return np.asarray(np.matmul(matrices, vectors.T[:, :, None])[:, :, 0].T, dtype=np.float64)


def _updated(inverse: FloatArray, step: FloatArray, turn: FloatArray) -> FloatArray:
    """Return the inverse second derivatives, shape (n, k, k), after steps and turns of the slope, shape (k, n), where these fit a minimum."""
    along = (step * turn).sum(axis=0)
    fits = along > 1e-10 * np.sqrt((step * step).sum(axis=0) * (turn * turn).sum(axis=0))
    along = np.where(fits, along, np.inf)
    turned, s = _times(inverse, turn).T, step.T
    both = turned[:, :, None] * s[:, None]
    spread = 1.0 + (turned * turn.T).sum(axis=1) / along
    change = (spread[:, None, None] * s[:, :, None] * s[:, None] - both - both.transpose(0, 2, 1)) / along[
        :, None, None
    ]
    return np.where(fits[:, None, None], inverse + change, inverse)
