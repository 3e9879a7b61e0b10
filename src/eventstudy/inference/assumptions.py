"""What the days of many events say about the assumptions of tests and models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns, Question
from eventstudy.estimation.answers import Answer
from eventstudy.estimation.model import regressors
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.estimation.residuals import Series, Statistic, chow, outlying
from eventstudy.inference.days import in_order_of_size


@dataclass(frozen=True)
class OfResiduals(Question[Statistic]):
    """A statistic of each event's residuals, ``test(residuals, *options)``."""

    OF_RESIDUALS: ClassVar[bool] = True

    test: Callable[..., Statistic]
    options: tuple[int, ...] = ()

    def answer(self, part: AbnormalReturns) -> Statistic:
        """Return it for some events."""
        return self.test(part.once(("series",), lambda: Series.of(part.residuals)), *self.options)


@dataclass(frozen=True)
class EqualHalves(Question[Statistic]):
    """Chow's test of equal coefficients in both halves of the estimation window."""

    OF_RESIDUALS: ClassVar[bool] = True

    def answer(self, part: AbnormalReturns) -> Statistic:
        """Return it for some events."""
        assert part.design is not None
        assert part.est_columns is not None
        return chow(part.residuals, regressors(part.design, part.est_columns))


@dataclass(frozen=True, slots=True, eq=False)
class FarDays(Answer):
    """Days far from the others: of each event how many, shape (N,) or (N, 2) by window, and the days looked at."""

    EACH: ClassVar[frozenset[str]] = frozenset({"count"})

    count: IntArray
    days: int


@dataclass(frozen=True)
class Outliers(Question[FarDays]):
    """Estimation days beyond so many robust deviations."""

    OF_RESIDUALS: ClassVar[bool] = True

    beyond: float

    def answer(self, part: AbnormalReturns) -> FarDays:
        """Return them for some events."""
        some, far = outlying(part.residuals, self.beyond, part.n_est, in_order_of_size(part).residual)
        count = np.zeros(part.n, dtype=np.int64)
        count[some] = np.count_nonzero(far, axis=1)
        return FarDays(count, int(part.n_est.sum()))


@dataclass(frozen=True)
class ExtremeDays(Question[FarDays]):
    """Abnormal returns of either window beyond a fraction of the price."""

    beyond: float

    def answer(self, part: AbnormalReturns) -> FarDays:
        """Return them for some events."""
        low, high = np.log1p([-self.beyond, self.beyond]) if part.log else (-self.beyond, self.beyond)
        count = np.zeros((part.n, 2), dtype=np.int64)
        for k, days in enumerate((part.residuals, part.ar)):
            most, least = (extreme.reduce(days, axis=None, initial=0.0) for extreme in (np.fmax, np.fmin))
            if most > high or least < low:
                count[:, k] = np.count_nonzero((days > high) | (days < low), axis=1)
        return FarDays(count, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Moves(Answer):
    """Absolute standardised abnormal returns of days -1, 0 and 1, shape (N, 3)."""

    EACH: ClassVar[frozenset[str]] = frozenset({"size"})

    size: FloatArray


@dataclass(frozen=True)
class MovesAround(Question[Moves]):
    """How much the sessions around day 0 move."""

    def answer(self, part: AbnormalReturns) -> Moves:
        """Return it for some events."""
        zero = -part.window.start
        return Moves(np.abs(part.sar[:, zero - 1 : zero + 2]))
