"""Many samples of equally many events tested at once, for simulations: what is a sum over events is one over an axis of samples × events."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eventstudy.estimation.abnormal import AbnormalReturns, WindowSums, means
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.inference.correlation import MIN_COMMON_DAYS, linked_sum, sums_by_date
from eventstudy.inference.days import Ordered, mid_ranks
from eventstudy.inference.nonparametric import generalised_rank_t, summed_over_scale, variance_of_ranks
from eventstudy.inference.parametric import (
    corrected_for_correlation,
    deviation_of_average,
    inflation,
    patell_variance,
    sum_over_error,
    t_of_mean,
)
from eventstudy.inference.result import LEVEL, normal_tails, spread, t_two_sided
from eventstudy.inference.single import MIN_COMPARED, error_variance
from eventstudy.windows import Window


class Samples:
    """S samples of n events each, one behind the other, all of which have abnormal returns on every day of the event window.

    Parameters
    ----------
    abnormal : AbnormalReturns
        The S n events, whole: nothing is gathered.
    n : int
        Events in a sample.
    estimation : _Estimation, optional
        What estimation days alone decide, known from samples of the same estimates.
    """

    def __init__(self, abnormal: AbnormalReturns, n: int, estimation: _Estimation | None = None) -> None:
        self.abnormal, self.n, self.count = abnormal, n, abnormal.n // n
        self.estimation = estimation or _Estimation(abnormal, n)

    @property
    def window(self) -> Window:
        """The window that is tested: the whole event window."""
        return self.abnormal.window

    def moved(self, added: FloatArray) -> Samples:
        """Return the samples with something added to each day of the event window, shape (L,)."""
        return Samples(self.abnormal.moved(added), self.n, self.estimation) if added.any() else self

    @cached_property
    def sums(self) -> WindowSums:
        """Sums over the window, one an event."""
        return self.abnormal.sums_of(self.window)

    @cached_property
    def car(self) -> FloatArray:
        """CARs, shape (S, n)."""
        return self.sums.car.reshape(self.count, self.n)

    @cached_property
    def scar(self) -> FloatArray:
        """CARs over their prediction errors, shape (S, n)."""
        return self.sums.scar.reshape(self.count, self.n)


class _Estimation:
    """What the estimation days of S samples of n events say, whatever abnormal returns the event window has."""

    def __init__(self, abnormal: AbnormalReturns, n: int) -> None:
        self.abnormal, self.n, self.count = abnormal, n, abnormal.n // n
        self._of_days: dict[int, tuple[FloatArray, tuple[FloatArray, FloatArray]]] = {}

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """Where there is a residual, shape (S n, M)."""
        return np.asarray(np.isfinite(self.abnormal.residuals), dtype=np.bool_)

    @cached_property
    def whole(self) -> bool:
        """Whether none is missing."""
        return bool(self.there.all())

    @cached_property
    def days(self) -> FloatArray:
        """M_i, shape (S, n)."""
        return np.asarray(self.there.sum(axis=1, dtype=np.float64).reshape(self.count, self.n), dtype=np.float64)

    @cached_property
    def events(self) -> FloatArray:
        """Events of each sample that have a day, shape (S, M)."""
        shape = (self.count, self.there.shape[1])
        return np.full(shape, float(self.n)) if self.whole else self._counted(self.there, None)

    def added(self, values: FloatArray, weight: FloatArray) -> FloatArray:
        """Return the sum over the events of each sample, times their weight, shape (S, M)."""
        return np.asarray(np.matmul(weight[:, None, :], values.reshape(self.count, self.n, -1))[:, 0], dtype=np.float64)

    @cached_property
    def average(self) -> FloatArray:
        """Mean residual of each sample's events by relative day, shape (S, M)."""
        residuals = self.abnormal.residuals
        filled = residuals if self.whole else np.where(self.there, residuals, 0.0)
        return means(filled.reshape(self.count, self.n, -1).sum(axis=1), self.events)

    @cached_property
    def deviation(self) -> FloatArray:
        """Deviation of that mean, divisor T_E - 1, and 0 where it is rounding noise, shape (S,)."""
        noise = 1e-13 * self.abnormal.sigma.reshape(self.count, self.n).max(axis=1)
        return deviation_of_average(self.average, 1, noise)

    @cached_property
    def on_one_scale(self) -> FloatArray:
        """Residuals over their deviations in units of s, shape (S n, M), NaN where the regression fixes them."""
        return self.abnormal.residuals / np.sqrt(error_variance(1.0, self.abnormal.basis))

    @cached_property
    def ranks(self) -> tuple[FloatArray, FloatArray]:
        """Ranks of the residuals of each event, added up by sample: as they are, and over ``M_i + 2``, shape (S, M) each."""
        residuals = self.abnormal.residuals
        found, m = Ordered(residuals), residuals.shape[1]
        place = np.broadcast_to(np.arange(1.0, m + 1.0), residuals.shape)
        if not self.whole or len(found.tied):
            place = np.where(np.arange(m) < found.days[:, None], place, 0.0)
        if len(found.tied):
            tied = found.tied
            ranks = np.nan_to_num(mid_ranks(residuals[tied]))
            place[tied] = np.take_along_axis(ranks, found.order[tied], axis=1)
        at = found.order
        at += (np.arange(len(residuals)) // self.n * m)[:, None]

        def added(values: FloatArray) -> FloatArray:
            total = np.bincount(at.ravel(), weights=values.ravel(), minlength=self.count * m)
            return np.asarray(total.reshape(self.count, m), dtype=np.float64)

        plain = added(place)
        share = plain / (m + 2.0) if self.whole else added(place / (self.days.ravel() + 2.0)[:, None])
        return plain, share

    def above(self, limit: FloatArray, weight: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Count residuals above a limit of each event, one half for those equal to it.

        Returns
        -------
        tuple of ndarray, shape (S, M) and (S, n)
            By sample and day, each event times its weight, and by event.
        """
        residuals, shape = self.abnormal.residuals, (self.count, self.n)
        there = np.greater(residuals, limit[:, None], out=self._space)
        of_days, each = self._counted(there, weight), _row_counts(there).reshape(shape)
        equal = np.equal(residuals, limit[:, None], out=self._space)
        if equal.any():
            of_days, each = (
                of_days + self._counted(equal, weight) / 2.0,
                each + _row_counts(equal).reshape(shape) / 2.0,
            )
        return of_days, each

    def above_of_day(self, day: int, limit: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return `above` of a day of the event window, counted once as long as the day is not moved."""
        if day not in self._of_days or not np.array_equal(self._of_days[day][0], limit):
            self._of_days[day] = (limit, self.above(limit))
        return self._of_days[day][1]

    @cached_property
    def _space(self) -> NDArray[np.bool_]:
        return np.empty(self.abnormal.residuals.shape, dtype=np.bool_)

    def _counted(self, there: NDArray[np.bool_], weight: FloatArray | None) -> FloatArray:
        """Return how many events of each sample, times their weight, are true on a day, shape (S, M)."""
        if weight is not None:
            return self.added(there.astype(np.float64), weight)
        rows = there.view(np.uint8).reshape(self.count, self.n, -1)
        return np.asarray(np.add.reduce(rows, axis=1, dtype=np.min_scalar_type(self.n)), dtype=np.float64)

    @cached_property
    def correlation(self) -> FloatArray:
        """Mean correlation of each sample's pairs, as `mean_correlation` has it, shape (S,); NaN where pairs may have too few common days."""
        length, n = len(self.abnormal.window), self.n
        if n < 2:
            return np.zeros(self.count)
        position = self.abnormal.position.reshape(self.count, n)
        order = np.argsort(position, axis=1, kind="stable")
        apart = np.diff(np.take_along_axis(position, order, axis=1), axis=1)
        edge = np.full((self.count, 1), length)
        near = np.minimum(np.concatenate([edge, apart], axis=1), np.concatenate([apart, edge], axis=1)) < length
        linked = (order + n * np.arange(self.count)[:, None])[near]
        found = (
            self._pairs(linked, int(apart[apart < length].max()) + 1) / (n * (n - 1))
            if len(linked)
            else np.zeros(self.count)
        )
        fewest = 2 * self.days.min(axis=1) - len(self.abnormal.estimation) - (length - 1)
        return np.where(fewest >= MIN_COMMON_DAYS, found, np.nan)

    def _pairs(self, linked: IntArray, lags: int) -> FloatArray:
        """Return the sum of all pairs' correlations, weighted by the overlap of their windows, by sample, shape (S,).

        ``linked`` are the events that have neighbours, by sample in order of date, less than ``lags`` sessions apart. For their sums by date
        samples are put so far apart in time that none shares a day with another.
        """
        ab, sample, length = self.abnormal, linked // self.n, len(self.abnormal.window)
        apart = int(np.ptp(ab.position)) + length
        place = ab.position[linked] - int(ab.position.min()) + sample * apart
        found = np.zeros(self.count)
        for s in np.unique(sample[~self.there[linked].all(axis=1)]).tolist():
            chosen = sample == s
            found[s] = linked_sum(ab.residuals[linked[chosen]], place[chosen], length)
            linked, place, sample = linked[~chosen], place[~chosen], sample[~chosen]
        if not len(linked):
            return found
        sums = sums_by_date(ab.residuals[linked], place, lags)
        early, late, dates = sums.early, sums.late, sums.dates
        m = early.shape[2]
        for d in range(early.shape[1]):
            before = np.searchsorted(dates, dates - d)
            then = np.flatnonzero(dates[before] == dates - d)
            pairs = np.einsum("gm,gm->g", early[before[then], d, d:], late[then, d, : m - d])
            pairs = 2.0 * pairs if d else pairs - sums.varied[then]
            found += np.bincount(dates[then] // apart, weights=pairs * (length - d) / length, minlength=self.count)
        return found


def _row_counts(there: NDArray[np.bool_]) -> FloatArray:
    """Return how many of each row are true."""
    kind = np.min_scalar_type(there.shape[1])
    return np.asarray(np.add.reduce(there.view(np.uint8), axis=1, dtype=kind), dtype=np.float64)


def _csect(s: Samples) -> FloatArray:
    return t_two_sided(t_of_mean(s.car), s.n - 1)


def _bw80(s: Samples) -> FloatArray:
    return normal_tails(sum_over_error(s.car, s.sums.s_car_naive.reshape(s.car.shape) ** 2))


def _j1(s: Samples) -> FloatArray:
    return normal_tails(sum_over_error(s.car, s.sums.s_car.reshape(s.car.shape) ** 2))


def _cda(s: Samples) -> FloatArray:
    deviation, days = s.estimation.deviation, np.isfinite(s.estimation.average).sum(axis=1)
    error = np.where(deviation > 0.0, deviation, np.nan) * math.sqrt(len(s.window))
    return t_two_sided(s.car.mean(axis=1) / error, days - 1)


def _patell(s: Samples) -> FloatArray:
    every = np.arange(s.abnormal.n, dtype=np.int64)
    return sum_over_error(s.scar, patell_variance(s.abnormal, every).reshape(s.scar.shape))


def _kp_patell(s: Samples) -> FloatArray:
    return normal_tails(_patell(s) / np.sqrt(inflation(s.estimation.correlation, s.n)))


def _bmp(s: Samples) -> FloatArray:
    return t_two_sided(t_of_mean(s.scar), s.n - 1)


def _kp_bmp(s: Samples) -> FloatArray:
    return t_two_sided(corrected_for_correlation(t_of_mean(s.scar), s.estimation.correlation, s.n), s.n - 1)


def _corrado(s: Samples) -> FloatArray:
    """Ranks of both windows together: an event day moves the estimation days above it by one."""
    known, ab, length = s.estimation, s.abnormal, len(s.window)
    est, total = known.ranks[0], known.days + length  # T_i
    values = ab.comparable
    of_days, middle = np.empty((s.count, length)), (total + 1.0) / 2.0
    among = mid_ranks(values) if length > 1 else np.ones(values.shape)
    for day in range(length):
        above, number = known.above_of_day(day, values[:, day])
        est = est + above
        of_days[:, day] = (known.days - number + among[:, day].reshape(s.count, s.n) - middle).sum(axis=1) / s.n
    half = known.added(known.there.astype(np.float64), middle) if not known.whole else middle.sum(axis=1)[:, None]
    daily = np.concatenate([means(est - half, known.events), of_days], axis=1)
    z, scale = summed_over_scale(daily, of_days)
    most = length * ((total - length) / 2.0).mean(axis=1) / (math.sqrt(length) * scale)
    return np.where(normal_tails(np.fmax(most, np.abs(z))) <= LEVEL, normal_tails(z), np.nan)


def _ranked_windows(s: Samples) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the daily means of U with the window as one last day, the events of each day, and the variance of the last, as GRANK has them."""
    known = s.estimation
    deviation = spread(s.scar) if s.n > 1 else np.zeros(s.count)
    star = s.scar / np.where(deviation > 0.0, deviation, np.nan)[:, None]
    one_more = known.days + 2.0
    above, number = known.above(star.ravel() * s.abnormal.sigma, None if known.whole else 1.0 / one_more)
    moved = above / one_more[0, 0] if known.whole else above
    own = ((known.days + 1.0 - number) / one_more - 0.5).mean(axis=1)
    u = np.concatenate([means(known.ranks[1] + moved, known.events) - 0.5, own[:, None]], axis=1)
    u[~np.isfinite(deviation) | (deviation == 0.0)] = np.nan
    count = np.concatenate([known.events, np.full((s.count, 1), float(s.n))], axis=1)
    return u, count, variance_of_ranks(known.days + 1.0).sum(axis=1) / s.n**2


def _grank_t(s: Samples) -> FloatArray:
    u, count, _ = _ranked_windows(s)
    t, days, _ = generalised_rank_t(u, count, s.n)
    return t_two_sided(t, days - 2)


def _grank_z(s: Samples) -> FloatArray:
    u, _, variance = _ranked_windows(s)
    return normal_tails(u[:, -1] / np.sqrt(variance))


def _of_one(p: Callable[[Samples], FloatArray]) -> Callable[[Samples], FloatArray]:
    """Return the p-values of a test of one event, NaN for samples of several."""
    return lambda s: p(s) if s.n == 1 else np.full(s.count, np.nan)


def _on_one_scale(s: Samples) -> tuple[FloatArray, FloatArray] | None:
    """Return estimation days and the event day of each event over their deviations in units of s, if the window is one day."""
    ab = s.abnormal
    if len(s.window) > 1 or ab.span is not None:
        return None
    own = np.sqrt(ab.relative_variance)
    rows = np.einsum("nlp,npq->nlq", ab.rows, ab.root) / own[:, :, None]
    forecast = own[:, 0] ** 2 + ((own[:, :, None] * rows)[:, 0] ** 2).sum(axis=1)
    return s.estimation.on_one_scale, s.car[:, 0] / np.sqrt(forecast)


def _sq(s: Samples) -> FloatArray:
    found = _on_one_scale(s)
    if found is None:
        return np.full(s.count, np.nan)
    days, event = found
    m = np.isfinite(days).sum(axis=1)
    fewer = np.minimum((days <= event[:, None]).sum(axis=1), (days >= event[:, None]).sum(axis=1))
    return np.where(m >= MIN_COMPARED, np.minimum(1.0, 2.0 * (fewer + 1) / (m + 1)), np.nan)


def _permutation(s: Samples) -> FloatArray:
    found = _on_one_scale(s)
    if found is None:
        return np.full(s.count, np.nan)
    days, event = np.abs(found[0]), np.abs(found[1])
    p = (1 + (days >= event[:, None]).sum(axis=1)) / (np.isfinite(days).sum(axis=1) + 1)
    return np.where(s.estimation.days[:, 0] >= MIN_COMPARED, p, np.nan)


#: Two-sided p-values of all samples, shape (S,), NaN where the test refuses or wants to look at the sample by itself.
AT_ONCE: Mapping[str, Callable[[Samples], FloatArray]] = MappingProxyType(
    {
        "t_pe": _of_one(lambda s: t_two_sided(s.scar[:, 0], s.abnormal.df)),
        "sq": _of_one(_sq),
        "permutation": _of_one(_permutation),
        "csect_t": _csect,
        "bw80_z": _bw80,
        "mackinlay_j1_z": _j1,
        "cda_t": _cda,
        "patell_z": lambda s: normal_tails(_patell(s)),
        "kp_patell_z": _kp_patell,
        "bmp_t": _bmp,
        "kp_bmp_t": _kp_bmp,
        "corrado_rank_z": _corrado,
        "grank_t": _grank_t,
        "grank_z": _grank_z,
    }
)
