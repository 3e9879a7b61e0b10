"""Likelihoods of regressions with GARCH and EGARCH errors and their maxima: a loop over days, arrays over events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray

#: Expectation of |z| of a standard normal z.
MEAN_SIZE = float(np.sqrt(2.0 / np.pi))
#: Days and decay of the average of squared residuals that stands for the variance before the first day, as ``arch`` has them.
BEFORE_DAYS, BEFORE_DECAY = 75, 0.94
#: Step of the second derivatives of what bounds the parameters, in angles.
STEP = 1e-5
#: Log-likelihood that a step may still promise at a maximum, and where starts are compared.
PROMISE, LITTLE = 1e-7, 1e-3
#: Quasi-Newton steps between exact second derivatives, and the share of what a step promises that must come true.
ROUNDS, ENOUGH = 12, 0.2
#: A maximum has no second derivative that is upward by more; others count at least this share of the largest.
UPWARD, FLAT = 1e-3, 1e-9
#: Longest step in one coordinate, and the share of a step at which halving ends.
LONGEST, SHORTEST = 0.3, 1e-7
#: A start that is behind another by more than so many times what its next step promises is given up.
HOPE = 30.0
#: Days whose derivatives are worked out together, and columns whose second ones are: so much stays in the cache.
DAYS, BLOCK = 25, 256
#: Columns that stopped are taken out of the arrays where this share or less goes on.
MOST = 0.85
#: Days of whose variances' product the logarithm is taken: single precision holds it, from 1e-8 to 1e8 each.
AT_ONCE = 4
#: One column beside itself: sums of a single column have another order than among others.
TWICE = np.zeros(2, dtype=np.int64)


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
    idle : ndarray, shape (M, 1, n)
        The other way round.
    before : ndarray, shape (1, n)
        Variance before the first day.
    narrow : bool
        Whether all days are worked on at once, as is quicker for a few dozen columns.
    """

    y: FloatArray
    q: FloatArray
    used: FloatArray
    idle: FloatArray
    before: FloatArray
    narrow: bool = False

    @classmethod
    def of(cls, y: FloatArray, q: FloatArray, used: BoolArray) -> Series:
        """Make series of residuals, shape (n, M), and regressors, shape (n, p, M), with zeros on days not used."""
        if not used.all():
            order = np.argsort(~used, axis=1, kind="stable")
            y, used = np.take_along_axis(y, order, axis=1), np.take_along_axis(used, order, axis=1)
            q = np.take_along_axis(q, order[:, None], axis=2)
        weight = BEFORE_DECAY ** np.arange(min(BEFORE_DAYS, y.shape[1])) * used[:, :BEFORE_DAYS]
        before = (weight * y[:, :BEFORE_DAYS] ** 2).sum(axis=1) / weight.sum(axis=1)
        by_day = [np.ascontiguousarray(v.T, dtype=np.float64)[:, None] for v in (y, used, ~used)]
        regressors = np.ascontiguousarray(q.transpose(1, 2, 0))[:, :, None]
        return cls(by_day[0], regressors, by_day[1], by_day[2], before[None])

    @property
    def n(self) -> int:
        """Number of events."""
        return int(self.y.shape[2])

    @property
    def variance(self) -> FloatArray:
        """Mean square of the residuals, shape (n,)."""
        squares = np.einsum("tsn,tsn->n", self.y, self.y, dtype=np.float64)
        return np.asarray(squares / self.used.sum(axis=(0, 1), dtype=np.float64), dtype=np.float64)

    @property
    def single(self) -> Series:
        """The same in single precision, which is enough to see where maxima lie."""
        return self._each(lambda v: v.astype(np.float32))

    def part(self, chosen: IntArray | BoolArray | slice) -> Series:
        """Return the series of some events."""
        return self._each(lambda v: v[..., chosen])

    def _each(self, change: Callable[[FloatArray], FloatArray]) -> Series:
        """Return the series with every array changed."""
        y, q, used, idle, before = (change(v) for v in (self.y, self.q, self.used, self.idle, self.before))
        return Series(y, q, used, idle, before, self.narrow)

    @property
    def together(self) -> int:
        """How many days are worked on together: arrays of so many stay in the cache."""
        return len(self.y) if self.narrow else min(DAYS, len(self.y))

    @property
    def blocks(self) -> list[slice]:
        """All days, so many together."""
        step = self.together
        return [slice(first, min(first + step, len(self.y))) for first in range(0, len(self.y), step)]

    def accumulate(self, rows: FloatArray, shares: FloatArray) -> None:
        """Add to each row, in place, its share times the row before it; ``shares``, which may be the same for all rows, begin at the second."""
        if self.narrow:
            shares, step = np.broadcast_to(shares, (len(rows) - 1, *shares.shape[-2:])), 1
            while step < len(rows):  # sums of 2, 4, 8 … rows
                rows[step:] += shares * rows[:-step]
                shares, step = shares[step:] * shares[:-step], 2 * step
            return
        before, carried = rows[0], np.empty_like(rows[0])
        for now, share in zip(rows[1:], repeat(shares) if shares.ndim < rows.ndim else shares, strict=False):
            np.multiply(before, share, carried)
            np.add(now, carried, now)
            before = now

    def errors(self, b: FloatArray) -> FloatArray:
        """Return residuals, shape (M, S, n), for S sets of coefficients, shape (p, S, n)."""
        e = np.empty((len(self.y), *b.shape[1:]), self.y.dtype)
        part = np.empty_like(e[: self.together])
        for days in self.blocks:
            error, product = e[days], part[: days.stop - days.start]
            np.multiply(self.q[0, days], b[0], product)
            np.subtract(self.y[days], product, error)
            for coefficient, regressor in zip(b[1:], self.q[1:, days], strict=True):
                np.multiply(regressor, coefficient, product)
                np.subtract(error, product, error)
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

    def bends(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the loss, shape (n,), its derivatives, shape (p + size, n), and second ones, shape (p + size, p + size, n), where S = 1."""
        ...


class Bend(NamedTuple):
    """What the second derivatives are made of on T days: those of ``f(v_t, e_t) + λ_(t+1) m(v_t, e_t, θ)``.

    f is the loss of the day, v_t the variance or its logarithm, ``v_(t+1) = m`` that of the next day, and ``λ_t = ∂loss/∂v_t``.

    Attributes
    ----------
    carry : ndarray, shape (T, n) or (n,)
        ∂m/∂v.
    news : ndarray, shape (T, p + size, n)
        Derivatives of m by b and θ where v is held.
    by_v, by_both, by_e : ndarray, shape (T, n)
        ½ ∂²/∂v², ∂²/∂v∂e, ½ ∂²/∂e².
    with_v, with_e : dict of int to ndarray, shape (T, n)
        ∂²/∂v∂θ and ∂²/∂e∂θ, by the number of the parameter, where they are not 0.
    """

    carry: FloatArray
    news: FloatArray
    by_v: FloatArray
    by_both: FloatArray
    by_e: FloatArray
    with_v: dict[int, FloatArray]
    with_e: dict[int, FloatArray]


def _second(series: Series, first: FloatArray, bends: Iterable[Bend]) -> FloatArray:
    """Return the second derivatives, shape (p + size, p + size, n), by one recursion on: ``D_(t+1) = ∂v_(t+1)/∂(b, θ) = carry D_t + news``.

    ``H = Σ_t D W' + W D' + E X' + X E'`` with ``E_t = ∂e_t/∂(b, θ)``, ``W = ½ ∂²/∂v² D + ∂²/∂v∂e E + ∂²/∂v∂θ`` and
    ``X = ½ ∂²/∂e² E + ∂²/∂e∂θ``. ``first``, shape (size, n), is ``∂v_1/∂θ``.
    """
    p, (size, n) = len(series.q), first.shape
    across, half = np.zeros((series.together + 1, p + size, n), first.dtype), np.zeros((p + size, p + size, n))
    across[0, p:] = first
    for days, bend in zip(series.blocks, bends, strict=True):
        q, count = series.q[:, days, 0], days.stop - days.start
        across[1 : count + 1] = bend.news
        series.accumulate(across[: count + 1], bend.carry[..., None, :])
        weighted = np.multiply(across[:count], bend.by_v[:, None], bend.news)
        product = np.empty_like(weighted)
        for j, regressor in enumerate(q):
            weighted[:, j] -= bend.by_both * regressor
            straight = bend.by_e * regressor
            for i in range(p):
                half[i, j] += _along(q[i], straight, product[:, 0])
            for k, term in bend.with_e.items():
                half[j, p + k] -= _along(regressor, term, product[:, 0])
        for k, term in bend.with_v.items():
            weighted[:, p + k] += term
        for j in range(p + size):
            half[j] += _along(across[:count, j, None], weighted, product)
        across[0] = across[count]
    return half + half.transpose(1, 0, 2)


def loss(series: Series, e: FloatArray, h: FloatArray) -> FloatArray:
    """Return ``½ Σ_t (ln h_t + e_t²/h_t)``, shape (S, n): minus the log-likelihood less ``½ M ln 2π``."""
    value = np.zeros(h.shape[1:])
    for days in series.blocks:
        inverse = series.used[days] / h[days]
        squares = np.multiply(e[days], e[days])
        value += (squares * inverse).sum(axis=0) - _logs(inverse, series.idle[days])
    return 0.5 * value


def _logs(inverse: FloatArray, idle: FloatArray) -> FloatArray:
    """Return the sum over days of the logarithms of ``inverse``, which is 0 on idle days and changed: one of each product of a few days."""
    inverse += idle
    product = inverse[::AT_ONCE]
    for rest in (inverse[first::AT_ONCE] for first in range(1, AT_ONCE)):
        product[: len(rest)] *= rest
    return np.asarray(np.log(product, product).sum(axis=0), dtype=np.float64)


@dataclass(frozen=True)
class Garch:
    """``h_t = ω + α e²_(t-1) + β h_(t-1)``, ``ω > 0``, ``α, β ≥ 0``, ``α + β ≤ 1``.

    ``α + β = sin² u``, ``α = sin² u sin² v`` and ``ω = w² + ε``: bounds are met where these turn around.
    """

    size: ClassVar[int] = 3
    #: Least ω, as a share of the residual variance.
    LEAST: ClassVar[float] = 1e-8
    #: α + β of the groups of starts, and the α of each group.
    PERSISTENCE: ClassVar[tuple[tuple[float, ...], ...]] = ((0.9, 0.98), (0.5, 0.7))
    NEWS: ClassVar[tuple[float, ...]] = (0.01, 0.05, 0.1, 0.2)

    def starts(self, series: Series) -> list[FloatArray]:
        """Return the most likely start of little and of much persistence, with the moments' variance."""
        starts = []
        for group in self.PERSISTENCE:
            alpha, both = np.array([(a, s) for a in self.NEWS for s in group]).T[:, :, None]
            level = np.sqrt(series.variance * (1.0 - both))
            angles = np.arcsin(np.sqrt(both)), np.arcsin(np.sqrt(alpha / both))
            starts.append(
                _likeliest(series, self, np.stack([level, *(np.broadcast_to(v, level.shape) for v in angles)]))
            )
        return starts

    def bounded(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return θ and ∂θ/∂u."""
        both, share = np.sin(u[1:]) ** 2
        turn_both, turn_share = np.sin(2.0 * u[1:])
        theta = np.stack([u[0] * u[0] + self.LEAST, both * share, both * (1.0 - share)])
        jacobian = np.zeros((3, *u.shape))
        jacobian[0, 0] = 2.0 * u[0]
        jacobian[1, 1], jacobian[1, 2] = turn_both * share, both * turn_share
        jacobian[2, 1], jacobian[2, 2] = turn_both * (1.0 - share), -both * turn_share
        return theta, jacobian

    def variances(self, series: Series, e: FloatArray, theta: FloatArray) -> FloatArray:
        """Return h_t, shape (M, S, n)."""
        omega, alpha, beta = theta
        h = np.empty_like(e)
        h[0] = omega + (alpha + beta) * series.before
        for days in series.blocks:
            after = h[days.start + 1 : days.stop + 1]
            error = e[days.start : days.start + len(after)]
            np.multiply(error, error, after)
            np.multiply(after, alpha, after)
            np.add(after, omega, after)
            series.accumulate(h[days.start : days.stop + 1], beta)
        return h

    def slopes(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the loss and its derivatives."""
        value, slope, *_ = self._back(series, b, theta)
        return value, slope

    def _back(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, ...]:
        """Return the loss, its derivatives, e, h and 2 λ, shape (M + 1, S, n), by one recursion back: ``λ_t = ∂loss/∂h_t + β λ_(t+1)``."""
        _, alpha, beta = theta
        e = series.errors(b)
        h = self.variances(series, e, theta)
        p, double = len(b), np.empty((len(e) + 1, *e.shape[1:]), e.dtype)
        value, slope = np.zeros(h.shape[1:]), np.zeros((p + 3, *h.shape[1:]))
        work = np.empty((4, *h[: series.together].shape), h.dtype)
        double[-1] = 0.0
        for days in reversed(series.blocks):
            error, variance, effect = e[days], h[days], double[days.start : days.stop + 1]
            squares, inverse, standard, product = work[:, : len(error)]
            np.multiply(error, error, squares)
            np.divide(series.used[days], variance, inverse)
            np.multiply(squares, inverse, standard)
            value += standard.sum(axis=0)
            np.multiply(standard, inverse, standard)
            np.subtract(inverse, standard, effect[:-1])
            series.accumulate(effect[::-1], beta)
            slope[p] += effect[:-1].sum(axis=0)
            slope[p + 1] += _along(effect[1:], squares, product)
            slope[p + 2] += _along(effect[1:], variance, product)
            np.multiply(effect[1:], alpha, standard)
            np.add(standard, inverse, standard)
            np.multiply(standard, error, standard)
            for j, regressor in enumerate(series.q[:, days]):
                slope[j] -= _along(standard, regressor, product)
            value -= _logs(inverse, series.idle[days])
        slope[p:] *= 0.5
        slope[p + 1 :] += 0.5 * double[0] * series.before
        return 0.5 * value, slope, e, h, double

    def bends(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the loss and its first and second derivatives."""
        value, slope, e, h, double = (v[..., 0, :] for v in self._back(series, b, theta))
        first = np.stack([np.ones_like(series.before[0]), series.before[0], series.before[0]])
        return value, slope, _second(series, first, self._bend(series, e, h, theta[:, 0], double))

    def _bend(
        self, series: Series, e: FloatArray, h: FloatArray, theta: FloatArray, double: FloatArray
    ) -> Iterator[Bend]:
        """Return what the second derivatives are made of, block by block."""
        _, alpha, beta = theta
        p = len(series.q)
        for days in series.blocks:
            error, variance, weight = e[days], h[days], 0.5 * double[days.start + 1 : days.stop + 1]
            inverse = series.used[days, 0] / variance
            square = inverse * inverse
            news = np.empty((len(error), p + 3, series.n), e.dtype)
            turn = -2.0 * alpha * error
            for j, regressor in enumerate(series.q[:, days, 0]):
                np.multiply(turn, regressor, news[:, j])
            news[:, p] = 1.0
            np.multiply(error, error, news[:, p + 1])
            news[:, p + 2] = variance
            yield Bend(
                carry=beta,
                news=news,
                by_v=0.5 * square * (news[:, p + 1] * inverse - 0.5),
                by_both=-error * square,
                by_e=0.5 * inverse + alpha * weight,
                with_v={2: weight},
                with_e={1: 2.0 * error * weight},
            )


def _likeliest(series: Series, equation: Equation, u: FloatArray) -> FloatArray:
    """Return the likeliest of several u, shape (size, S, n), of each event for the residuals of least squares, shape (size, n)."""
    e = np.repeat(series.y, u.shape[1], axis=1)
    theta = equation.bounded(u)[0].astype(e.dtype)
    best = loss(series, e, equation.variances(series, e, theta)).argmin(axis=0)
    return np.asarray(u[:, best, np.arange(series.n)], dtype=np.float64)


def _along(first: FloatArray, second: FloatArray, work: FloatArray) -> FloatArray:
    """Return the products summed over days, shape (S, n), with room to work: day by day, so that no other column changes the order."""
    return np.asarray(np.multiply(first, second, work).sum(axis=0))


@dataclass(frozen=True)
class Egarch:
    """``ln h_t = ω + α (|z_(t-1)| - √(2/π)) + γ z_(t-1) + β ln h_(t-1)``, ``0 ≤ α ≤ 2``, ``|γ| ≤ 2``, ``0 ≤ β ≤ 0.999``.

    ``ω = (1.01 - β) κ``, ``α = 2 sin² u``, ``γ = 2 sin w``, ``β = 0.999 sin² v``.
    """

    size: ClassVar[int] = 4
    LARGEST: ClassVar[tuple[float, float, float]] = (2.0, 2.0, 0.999)
    #: In slopes |e| is ``√(e² + ε²)``, ε this share of the residual deviation: at a kink, where a day lies on the line, they could not end.
    ROUND: ClassVar[float] = 3e-6
    #: What β is taken from for the mean logarithm: ω is not 0 where it is 1.
    BEYOND: ClassVar[float] = 1.01
    #: β of four groups of starts, and the α of each group.
    PERSISTENCE: ClassVar[tuple[tuple[float, ...], ...]] = ((0.99,), (0.9,), (0.5,), (0.1,))
    NEWS: ClassVar[tuple[float, ...]] = (0.03, 0.15, 0.5)

    def starts(self, series: Series) -> list[FloatArray]:
        """Return the most likely start of each persistence, with the moments' variance and γ of 0."""
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

    def _rounded(self, e: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return |e|, rounded near 0."""
        size = np.multiply(e, e, out)
        np.add(size, self.ROUND**2, size)
        return np.asarray(np.sqrt(size, size))

    def variances(self, series: Series, e: FloatArray, theta: FloatArray) -> FloatArray:
        """Return h_t, shape (M, S, n)."""
        half, _, _ = self._half_logs(series, e, np.abs, theta)
        return np.exp(-2.0 * half)

    def _half_logs(
        self, series: Series, e: FloatArray, size: Callable[[FloatArray, FloatArray], FloatArray], theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return ``-½ ln h_t``, its exponential and ``-½ (α |z_t| + γ z_t)``, each shape (M, S, n), given e and the function that is |e|."""
        omega, alpha, gamma, beta = theta
        half, inverse, news = np.empty((3, *e.shape), e.dtype)
        level, up, down = -0.5 * (omega - alpha * MEAN_SIZE), -0.5 * alpha, -0.5 * gamma
        half[0] = -0.5 * (omega + beta * np.log(series.before))
        work, carried = np.empty_like(e[: series.together]), np.empty_like(half[0])
        for days in series.blocks:
            error, new = e[days], news[days]
            signed = work[: len(error)]
            size(error, new)
            np.multiply(new, up, new)
            np.multiply(error, down, signed)
            np.add(new, signed, new)
            now = half[days.start]
            for pushed, scale, after in zip(new, inverse[days], half[days.start + 1 :], strict=False):
                np.exp(now, scale)
                np.multiply(pushed, scale, pushed)
                np.multiply(now, beta, carried)
                np.add(carried, level, carried)
                np.add(pushed, carried, after)
                now = after
        np.exp(half[-1], inverse[-1])
        news[-1] *= inverse[-1]
        return half, inverse, news

    def slopes(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the loss and its derivatives."""
        value, slope, *_ = self._back(series, b, theta)
        return value, slope

    def _back(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, ...]:
        """Return the loss, its derivatives, e, ``-½ ln h``, ``1/√h``, ``∂ln h_(t+1)/∂ln h_t`` and 2 λ, shape (M + 1, S, n), by one recursion back.

        ``λ_t = ∂loss/∂ln h_t + λ_(t+1) ∂ln h_(t+1)/∂ln h_t``.
        """
        _, alpha, gamma, beta = theta
        e = series.errors(b)
        half, scale, share = self._half_logs(series, e, self._rounded, theta)
        p, double = len(b), np.empty((len(e) + 1, *e.shape[1:]), e.dtype)
        value, slope = np.zeros(half.shape[1:]), np.zeros((p + 4, *half.shape[1:]))
        work = np.empty((4, *half[: series.together].shape), half.dtype)
        double[-1] = 0.0
        for days in reversed(series.blocks):
            error, inverse, used, effect = e[days], scale[days], series.used[days], double[days.start : days.stop + 1]
            z, near, size, product = work[:, : len(error)]
            np.multiply(error, inverse, z)
            self._rounded(error, near)
            np.multiply(near, inverse, size)
            value -= 2.0 * _along(used, half[days], product)
            np.multiply(z, z, product)
            value += product.sum(axis=0)
            np.multiply(used, product, product)
            np.subtract(used, product, effect[:-1])
            share[days] += beta
            series.accumulate(effect[::-1], share[days][::-1])
            slope[p] += effect[:-1].sum(axis=0)
            slope[p + 1] += _along(effect[1:], size, product)
            slope[p + 2] += _along(effect[1:], z, product)
            slope[p + 3] -= 2.0 * _along(effect[1:], half[days], product)
            # ∂loss/∂e, twice: z/√h + λ (α e/|e| + γ)/√h.
            np.divide(error, near, near)
            np.multiply(near, alpha, near)
            np.add(near, gamma, near)
            np.multiply(near, effect[1:], near)
            np.add(z, z, z)
            np.add(near, z, near)
            np.multiply(near, inverse, near)
            for j, regressor in enumerate(series.q[:, days]):
                slope[j] -= _along(near, regressor, product)
        slope[p + 1] -= MEAN_SIZE * (slope[p] - double[0])
        slope *= 0.5
        slope[p + 3] += 0.5 * double[0] * np.log(series.before)
        return 0.5 * value, slope, e, half, scale, share, double

    def bends(self, series: Series, b: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the loss and its first and second derivatives."""
        value, slope, *paths = (v[..., 0, :] for v in self._back(series, b, theta))
        first = np.zeros((4, series.n), series.y.dtype)
        first[0], first[3] = 1.0, np.log(series.before[0])
        return value, slope, _second(series, first, self._bend(series, theta[:, 0], *paths))

    def _bend(
        self,
        series: Series,
        theta: FloatArray,
        e: FloatArray,
        half: FloatArray,
        scale: FloatArray,
        share: FloatArray,
        double: FloatArray,
    ) -> Iterator[Bend]:
        """Return what the second derivatives are made of, block by block."""
        _, alpha, gamma, beta = theta
        p = len(series.q)
        for days in series.blocks:
            error, inverse, weight = e[days], scale[days], 0.5 * double[days.start + 1 : days.stop + 1]
            z, near = error * inverse, self._rounded(error)
            size, sign = near * inverse, error / near
            turn = (alpha * sign + gamma) * inverse
            news = np.empty((len(error), p + 4, series.n), e.dtype)
            for j, regressor in enumerate(series.q[:, days, 0]):
                np.multiply(-turn, regressor, news[:, j])
            news[:, p] = 1.0
            np.subtract(size, MEAN_SIZE, news[:, p + 1])
            news[:, p + 2] = z
            np.multiply(half[days], -2.0, news[:, p + 3])
            halved = 0.5 * weight
            heavy = weight * inverse
            yield Bend(
                carry=share[days],
                news=news,
                by_v=0.25 * (z * z + weight * (beta - share[days])),
                by_both=-z * inverse - halved * turn,
                by_e=0.5 * inverse * (inverse + alpha * weight * self.ROUND**2 / near**3),
                with_v={1: -halved * size, 2: -halved * z, 3: weight},
                with_e={1: heavy * sign, 2: heavy},
            )


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
    A few quasi-Newton steps (Broyden, Fletcher, Goldfarb and Shanno) in parameters without bounds, between exact second derivatives
    (`_climb`, `_top`): a maximum is where a Newton step promises less than 1e-7 of log-likelihood and the likelihood bends down in all
    directions. All starts climb in single precision until little is left, those that fall far behind not so long; the best of
    each event climbs to its end in double precision.

    References
    ----------
    Fletcher (1987), Practical Methods of Optimization, Wiley. Fiorentini, Calzolari and Panattoni (1996), J. Applied Econometrics 11,
    399-417, on analytic derivatives of GARCH.
    """
    single, n, p = series.single, series.n, len(series.q)
    starts = equation.starts(single)
    u = np.concatenate([np.concatenate([np.zeros((p, n)), start]) for start in starts], axis=1)
    every = single.part(np.tile(np.arange(n), len(starts)))
    u, value = _climb(every, equation, u, _top(every, equation, u), LITTLE, len(starts))
    value = value.reshape(len(starts), n)
    u = u[:, np.where(np.isfinite(value), value, np.inf).argmin(axis=0) * n + np.arange(n)]
    left, here = np.arange(n), series
    for _ in range(climbs):
        top = _top(here, equation, u[:, left])
        at_top = top.promise < PROMISE
        u[:, left[at_top]] += top.step[:, at_top]
        left, here = left[~at_top], here.part(~at_top)
        if not len(left):
            break
        u[:, left], _ = _climb(here, equation, u[:, left], top.part(~at_top), PROMISE)
        here = replace(here, narrow=True)  # not by their number, so that no event depends on the others
    found = np.ones(n, dtype=np.bool_)
    found[left] = False
    theta, _ = equation.bounded(u[p:])
    return Maxima(u[:p], theta, found)


def _slopes_at(series: Series, equation: Equation, u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return loss and derivatives by u, shape (S, n) and (p + size, S, n), for u of shape (p + size, S, n)."""
    p = len(series.q)
    if series.n == 1:
        value, slope = _slopes_at(series.part(TWICE), equation, u[..., TWICE])
        return value[..., :1], slope[..., :1]
    theta, jacobian = equation.bounded(u[p:])
    value, slope = equation.slopes(series, u[:p].astype(series.y.dtype), theta.astype(series.y.dtype))
    slope[p:] = (slope[p:, None] * jacobian).sum(axis=0)
    return value, slope


@dataclass(frozen=True, eq=False)
class _Top:
    """What derivatives say of n events: loss, slope, the inverse second derivatives' size, the Newton step, its promise (∞ where they bend up)."""

    value: FloatArray
    slope: FloatArray
    inverse: FloatArray
    step: FloatArray
    promise: FloatArray

    def part(self, chosen: BoolArray) -> _Top:
        """Return those of some events."""
        return _Top(*(v[..., chosen] for v in (self.value, self.slope, self.inverse, self.step, self.promise)))


def _bends_at(series: Series, equation: Equation, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return loss, slope and second derivatives by u, shape (n,), (p + size, n) and (p + size, p + size, n)."""
    p, size = len(series.q), equation.size
    if series.n == 1:
        value, slope, second = _bends_at(series.part(TWICE), equation, u[:, TWICE])
        return value[:1], slope[:, :1], second[..., :1]
    theta, jacobian = equation.bounded(u[p:, None])
    kind = series.y.dtype
    value, slope, second = equation.bends(series, u[:p, None].astype(kind), theta.astype(kind))
    back = np.zeros((len(u), len(u), series.n))
    back[np.arange(p), np.arange(p)] = 1.0
    back[p:, p:] = jacobian[:, :, 0]
    second = _product(back.transpose(1, 0, 2), _product(second, back))
    around = np.repeat(u[p:, None], 2 * size, axis=1)
    around[np.arange(size), np.arange(size)] += STEP
    around[np.arange(size), size + np.arange(size)] -= STEP
    _, turned = equation.bounded(around)
    bent = (turned[:, :, :size] - turned[:, :, size:]) / (2.0 * STEP)
    second[p:, p:] += (slope[p:, None, None] * bent).sum(axis=0)
    slope[p:] = (slope[p:, None] * jacobian[:, :, 0]).sum(axis=0)
    return value, slope, second


def _top(series: Series, equation: Equation, u: FloatArray) -> _Top:
    """Return what derivatives say at u, shape (p + size, n), a few events at a time."""
    size, n = u.shape
    value, slope, second = np.empty(n), np.empty((size, n)), np.empty((size, size, n))
    for first in range(0, n, BLOCK):
        block = slice(first, min(first + BLOCK, n))
        value[block], slope[:, block], second[..., block] = _bends_at(series.part(block), equation, u[:, block])
    usable = np.asarray(np.isfinite(second).all(axis=(0, 1)), dtype=np.bool_)
    second = np.where(usable, 0.5 * (second + second.transpose(1, 0, 2)), np.eye(size)[:, :, None])
    inverse, definite = _inverted(second)
    bent = np.flatnonzero(~definite)
    if len(bent):
        bend, along = np.linalg.eigh(second[..., bent].transpose(2, 0, 1))
        firm = np.maximum(np.abs(bend), FLAT * np.abs(bend).max(axis=1)[:, None])
        inverse[..., bent] = np.matmul(along / firm[:, None], along.transpose(0, 2, 1)).transpose(1, 2, 0)
        usable[bent] &= bend[:, 0] > -UPWARD
    step = -_times(inverse, slope)
    promised = -0.5 * (slope * step).sum(axis=0)
    return _Top(value, slope, inverse, step, np.where(usable, promised, np.inf))


def _inverted(second: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the inverses of symmetric matrices, shape (k, k, n), where these are positive definite, and whether they are.

    Gauss-Jordan without exchange of rows, the diagonal being 1: a pivot of less than `FLAT` is none.
    """
    diagonal = np.einsum("iin->in", second)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    swept = second * scale[:, None] * scale
    definite = np.ones(second.shape[2], dtype=np.bool_)
    for j in range(len(second)):
        definite &= swept[j, j] > FLAT
        pivot = np.where(definite, swept[j, j], 1.0)
        row = swept[j] / pivot
        swept -= swept[:, j, None] * row
        swept[j] = swept[:, j] = row
        swept[j, j] = -1.0 / pivot
    return -swept * scale[:, None] * scale, definite


def _climb(
    series: Series, equation: Equation, u: FloatArray, top: _Top, enough: float, rivals: int = 1
) -> tuple[FloatArray, FloatArray]:
    """Return where quasi-Newton steps from u, shape (p + size, n), lead, and the loss there.

    They end where they promise less than ``enough``, or after `ROUNDS`. With ``rivals``, u holds so many starts of each event, all
    events' first one first, and those that fall far behind the best of their event are given up.
    """
    u, ends, active, here = u.copy(), top.value.copy(), np.arange(u.shape[1]), series
    value, slope, inverse = top.value, top.slope, top.inverse
    factor, n = np.ones(len(active)), len(active) // rivals
    for _ in range(ROUNDS):
        step = -_times(inverse, slope)
        promise = -0.5 * (slope * step).sum(axis=0)
        best = np.fmin.reduce(ends.reshape(rivals, n), axis=0)[active % n]
        goes_on = (promise > enough) & (factor > SHORTEST) & (value - HOPE * promise <= best)
        going = np.count_nonzero(goes_on)
        if not going:
            break
        if going < MOST * len(active):
            active, here = active[goes_on], here.part(goes_on)
            value, slope, inverse, factor, step, promise = (
                v[..., goes_on] for v in (value, slope, inverse, factor, step, promise)
            )
            goes_on = goes_on[goes_on]
        share = factor * LONGEST / np.maximum(np.abs(step).max(axis=0), LONGEST)
        step, promise = share * step, share * promise
        now, now_slope = (v[..., 0, :] for v in _slopes_at(here, equation, (u[:, active] + step)[:, None]))
        better = goes_on & (now < value - ENOUGH * promise)
        step = np.where(better, step, 0.0)
        inverse = _updated(inverse, step, np.where(better, now_slope - slope, 0.0))
        u[:, active] += step
        value, slope = np.where(better, now, value), np.where(better, now_slope, slope)
        ends[active] = value
        factor = np.where(better, 1.0, 0.5 * factor)
    return u, ends


def _product(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the products of matrices, shape (k, k, n): in an order of sums that does not depend on the columns beside."""
    return np.asarray(sum(first[:, j, None] * second[j] for j in range(len(second))), dtype=np.float64)


def _times(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return the products of matrices, shape (k, k, n), and vectors, shape (k, n)."""
    return np.asarray(sum(matrices[:, j] * vectors[j] for j in range(len(vectors))), dtype=np.float64)


def _updated(inverse: FloatArray, step: FloatArray, turn: FloatArray) -> FloatArray:
    """Return the inverse second derivatives, shape (k, k, n), after steps and turns of the slope, shape (k, n), where these fit a minimum."""
    along = (step * turn).sum(axis=0)
    fits = along > 1e-10 * np.sqrt((step * step).sum(axis=0) * (turn * turn).sum(axis=0))
    share = step / np.where(fits, along, np.inf)
    turned = _times(inverse, turn)
    both = turned[:, None] * share
    spread = 1.0 + (turned * turn).sum(axis=0) / np.where(fits, along, np.inf)
    return np.where(fits, inverse + ((spread * share)[:, None] * step - both - both.transpose(1, 0, 2)), inverse)
