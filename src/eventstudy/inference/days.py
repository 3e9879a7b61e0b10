"""What the days of many events add up to: sums, ranks and signs by relative day, which tests of an average and their advice are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from eventstudy.estimation.abnormal import AbnormalReturns, Question, column_sums
from eventstudy.estimation.answers import Answer
from eventstudy.estimation.model import masked
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.estimation.residuals import running_sums
from eventstudy.windows import Window

# -- Sums by relative day.


@dataclass(frozen=True, slots=True, eq=False)
class DaySums(Answer):
    """Sums over events by relative day.

    Attributes
    ----------
    residuals, standard, est_events : ndarray, shape (M,)
        Of ``e_it`` and of ``e_it/s_i``, and the events that have one.
    ar, sar, events : ndarray, shape (L,)
        Of abnormal returns, plain and standardised, and the events that have one.
    """

    residuals: FloatArray
    standard: FloatArray
    est_events: FloatArray
    ar: FloatArray
    sar: FloatArray
    events: FloatArray


@dataclass(frozen=True)
class SumByDay(Question[DaySums]):
    """Sums over events by relative day."""

    def answer(self, part: AbnormalReturns) -> DaySums:
        """Return them for some events."""
        seen = np.isfinite(part.residuals)
        residuals = masked(part.residuals, seen)
        ar, events = column_sums(part.ar)
        return DaySums(
            residuals.sum(axis=0), (1.0 / part.sigma) @ residuals, _by_day(seen), ar, column_sums(part.sar)[0], events
        )


# -- Ranks.


def mid_ranks(values: FloatArray) -> FloatArray:
    """Rank each row from 1, ties sharing their mean rank, NaN staying NaN.

    Parameters
    ----------
    values : ndarray, shape (n, days)
        Numbers, NaN where missing.

    Returns
    -------
    ndarray, shape (n, days)
    """
    order = np.argsort(values, axis=1)
    return _ranks(order, np.take_along_axis(values, order, axis=1))


def _ranks(order: IntArray, ordered: FloatArray) -> FloatArray:
    """Return mid-ranks from the order of each row (NaN last) and its sorted values, NaN where there is no value."""
    place = np.where(np.isfinite(ordered), np.arange(1.0, ordered.shape[1] + 1.0), np.nan)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if tied.any():
        place[tied] = np.where(np.isfinite(ordered[tied]), _tied_ranks(ordered[tied]), np.nan)
    ranks = np.empty(ordered.shape)
    np.put_along_axis(ranks, order, place, axis=1)
    return ranks


def _tied_ranks(ordered: FloatArray) -> FloatArray:
    """Return the mid-ranks of sorted rows with ties: the mean of a tied group's first and last place."""
    place = np.broadcast_to(np.arange(ordered.shape[1]), ordered.shape)
    starts = np.ones(ordered.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones(ordered.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, place, ordered.shape[1])[:, ::-1], axis=1)[:, ::-1]
    return (first + last) / 2.0 + 1.0


#: The bits of the largest number.
LARGEST = int(np.array(np.finfo(np.float64).max).view(np.int64))


class Ordered:
    """The days of some events in order of their abnormal returns: one sort that ranks, medians and signs are read from.

    Attributes
    ----------
    values : ndarray, shape (n, M + L)
        Residuals and abnormal returns on their scale, side by side.
    order : ndarray of int, shape (n, M + L)
        Their order in each row, NaN last.
    days : ndarray of int, shape (n,)
        T_i, days that have a value.
    whole : bool
        Whether all of them have one.
    tied : ndarray of int
        The rows in which two of them are equal.

    Notes
    -----
    What is sorted are the values with the place of the day in their lowest bits, for this is three times as quick as finding an order.
    Rows in which two values differ in these lowest bits alone, or not at all, are sorted as they are.
    """

    def __init__(self, values: FloatArray, first: int = 0) -> None:
        self.values, self._first = values, first
        seen = np.isfinite(values)
        self.whole = bool(seen.all())
        width = values.shape[1]
        count = np.full(len(values), width) if self.whole else np.count_nonzero(seen, axis=1)
        self.days = np.asarray(count, dtype=np.int64)
        place = (1 << width.bit_length()) - 1
        key = (values + 0.0).view(np.int64)  # zero has one sign
        if not self.whole:  # no two alike
            np.copyto(key, LARGEST - (np.arange(width) << place.bit_length()), where=~seen)
        key &= ~place
        key |= np.arange(width)
        key.view(np.float64).sort(axis=1)
        self.order = key & place
        key >>= place.bit_length()
        near = key[:, 1:] == key[:, :-1]
        doubtful = np.flatnonzero(near.any(axis=1))
        self.order[doubtful] = np.argsort(values[doubtful], axis=1, kind="stable")
        ordered = np.take_along_axis(values[doubtful], self.order[doubtful], axis=1)
        self.tied = doubtful[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]

    def rank_sums(self, weight: NDArray[np.floating] | None = None) -> FloatArray:
        """Return the mid-ranks of each day, times the event's weight, summed over events, shape (M + L,)."""
        return self._rank_sums(self.order, self.days, weight)

    @property
    def median(self) -> FloatArray:
        """Median of each event over all its days, shape (n,)."""
        return middle(lambda k: self.values[np.arange(len(k)), self.order[np.arange(len(k)), k]], self.days)

    @cached_property
    def _residual_order(self) -> IntArray:
        found = self.order[self.order < self._first].reshape(len(self.order), self._first)
        return np.asarray(found, dtype=np.int64)

    def residual(self, place: IntArray) -> FloatArray:
        """Return of each row the residual at a place in order of size, shape (n,)."""
        row = np.arange(len(self.order))
        return self.values[row, self._residual_order[row, place]]

    def residual_rank_sums(self, n_est: IntArray, weight: NDArray[np.floating]) -> FloatArray:
        """Return the mid-ranks of the residuals among themselves, times the event's weight, summed over events, shape (M,)."""
        return self._rank_sums(self._residual_order, n_est, weight)

    def _rank_sums(self, order: IntArray, days: IntArray, weight: NDArray[np.floating] | None) -> FloatArray:
        width = order.shape[1]
        if weight is not None and len(weight) and (weight == weight[0]).all():
            return float(weight[0]) * self._rank_sums(order, days, None)
        place, weight = np.arange(1.0, width + 1.0), np.ones(len(order)) if weight is None else weight
        each = np.einsum("n,m->nm", weight, place)
        if len(self.tied):
            tied = self.tied
            ranks = _tied_ranks(np.take_along_axis(self.values[tied], order[tied], axis=1))
            each[tied] = weight[tied, None] * np.where(np.arange(width) < days[tied, None], ranks, place)
        total = np.bincount(order.ravel(), weights=each.ravel(), minlength=width)
        if (days < width).any():  # days that have no value were last
            row, last = _last_places(days, width)
            total = total - np.bincount(order[row, last], weights=each[row, last], minlength=width)
        return np.asarray(total, dtype=np.float64)


def _last_places(days: IntArray, width: int) -> tuple[IntArray, IntArray]:
    """Return the rows and places from each row's number of days on."""
    lost = width - days
    row = np.repeat(np.arange(len(days)), lost)
    return row, days[row] + np.arange(len(row)) - np.repeat(np.cumsum(lost) - lost, lost)


def _by_day(there: NDArray[np.bool_]) -> FloatArray:
    """Return how many of each column are true; in single precision, which holds whole numbers up to 2²⁴ and is quickest."""
    return np.asarray(np.ones(len(there), dtype=np.float32) @ there.astype(np.float32), dtype=np.float64)


def _by_event(there: NDArray[np.bool_]) -> FloatArray:
    """Return how many of each row are true."""
    return np.asarray(there.astype(np.float32) @ np.ones(there.shape[1], dtype=np.float32), dtype=np.float64)


def middle(at: Callable[[IntArray], FloatArray], count: IntArray) -> FloatArray:
    """Return the median of rows whose values in order of size ``at`` gives, shape (n,)."""
    last = np.maximum(count, 1) - 1
    return (at(last // 2) + at((last + 1) // 2)) / 2.0


def both_windows(abnormal: AbnormalReturns) -> FloatArray:
    """Return residuals and abnormal returns side by side, shape (N, M + L)."""
    return np.concatenate([abnormal.residuals, abnormal.comparable], axis=1)


def in_order_of_size(part: AbnormalReturns) -> Ordered:
    """Return the days of some events in order of size, sorted once for all that asks."""
    return part.once(("in order of size",), lambda: Ordered(both_windows(part), part.residuals.shape[1]))


@dataclass(frozen=True, slots=True, eq=False)
class DayRanks(Answer):
    """The days of N events ranked within each event, estimation and event window together, added up by relative day.

    Attributes
    ----------
    deviation, score, sign : ndarray, shape (M + L,)
        Sums over events of ``K_it - (T_i + 1)/2``, of ``U_it = K_it/(T_i + 1) - 1/2``, and of the signs of AR less the event's median.
    events : ndarray, shape (M + L,)
        Events that have a return that day.
    days : ndarray, shape (N,)
        T_i, days ranked.
    """

    EACH: ClassVar[frozenset[str]] = frozenset({"days"})

    deviation: FloatArray
    score: FloatArray
    sign: FloatArray
    events: FloatArray
    days: FloatArray


@dataclass(frozen=True)
class RankDays(Question[DayRanks]):
    """Ranks and signs of days, added up by relative day."""

    def answer(self, part: AbnormalReturns) -> DayRanks:
        """Return them for some events."""
        found = in_order_of_size(part)
        one_more, ranks, median = found.days + 1.0, found.rank_sums(), found.median[:, None]
        score = ranks / one_more[0] if found.whole else found.rank_sums(1.0 / one_more)
        sign = _by_day(found.values > median) - _by_day(found.values < median)
        if found.whole:
            events, middle_ranks = np.full(len(ranks), float(part.n)), one_more.sum() / 2.0
        else:
            seen = np.isfinite(found.values)
            events, middle_ranks = _by_day(seen), (one_more / 2.0) @ seen
        return DayRanks(ranks - middle_ranks, score - events / 2.0, sign, events, found.days.astype(np.float64))


def scores_by_day(values: FloatArray) -> DayRanks:
    """Return ranks of given values, shape (N, days), added up by day."""
    found = Ordered(values)
    events = np.isfinite(values).sum(axis=0).astype(np.float64)
    score = found.rank_sums(1.0 / (found.days + 1.0)) - events / 2.0
    return DayRanks(score, score, score, events, found.days.astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class ResidualRanks(Answer):
    """Ranks of estimation days over ``M_i + 2``, added up by relative day, and the events that have the day; shape (M,) each."""

    share: FloatArray
    events: FloatArray


@dataclass(frozen=True)
class RankResiduals(Question[ResidualRanks]):
    """Ranks of estimation days, added up by relative day."""

    OF_RESIDUALS: ClassVar[bool] = True

    def answer(self, part: AbnormalReturns) -> ResidualRanks:
        """Return them for some events."""
        found = in_order_of_size(part)
        share = found.residual_rank_sums(part.n_est, 1.0 / (part.n_est + 2.0))
        events = np.full(len(share), float(part.n)) if found.whole else _by_day(np.isfinite(part.residuals))
        return ResidualRanks(share, events)


@dataclass(frozen=True, slots=True, eq=False)
class GeneralisedRanks(Answer):
    """What a window's SCARs add to the ranks of estimation days, and their own.

    Attributes
    ----------
    share : ndarray, shape (M,)
        Sums over events of ``a_it/(T_i + 1)``, a the days' rise in rank by the window below them (one half if it is equal), T_i the days
        and the window; less what `ResidualRanks` counts too little for events without a SCAR.
    own, events, variance : float
        Sums over the events with a SCAR of ``U_i0``, of 1 and of ``(T_i - 1)/(12 (T_i + 1))``.
    """

    share: FloatArray
    own: float
    events: float
    variance: float


@dataclass(frozen=True)
class RankWindows(Question[GeneralisedRanks]):
    """Ranks of windows among the standardised residuals; SCARs are multiplied by ``scale``."""

    window: Window
    scale: float

    def answer(self, part: AbnormalReturns) -> GeneralisedRanks:
        """Return them for some events."""
        star = part.sums(self.window).scar * self.scale
        there = np.isfinite(star)
        limit = (np.where(there, star, np.inf) * part.sigma)[:, None]
        above = (part.residuals > limit).astype(np.float32)  # halves, and sums of few of them, are exact
        equal = part.residuals == limit
        if equal.any():
            above += np.float32(0.5) * equal
        days = part.n_est + there
        alike = bool((days == days[0]).all())
        one = np.ones(part.n, dtype=np.float32)
        weighted = (one @ above) / (days[0] + 1.0) if alike else (1.0 / (days + 1.0)) @ above.astype(np.float64)
        share = np.asarray(weighted, dtype=np.float64)
        if not there.all():
            lost = part.residuals[~there]
            weight = 1.0 / (part.n_est[~there] + 1.0) - 1.0 / (part.n_est[~there] + 2.0)
            share = share + column_sums(mid_ranks(lost) * weight[:, None])[0]
        total = days[there].astype(np.float64)
        own = ((total - (above @ np.ones(above.shape[1], dtype=np.float32))[there]) / (total + 1.0) - 0.5).sum()
        variance = ((total - 1.0) / (12.0 * (total + 1.0))).sum()
        return GeneralisedRanks(share, float(own), float(len(total)), float(variance))


# -- Shares of positive days, and signed ranks of sums.


@dataclass(frozen=True, slots=True, eq=False)
class PositiveShares(Answer):
    """Sums over events of the share of positive sums of estimation days, of 1, of the positive sums and of all sums."""

    share: float
    events: float
    positive: float
    sums: float


@dataclass(frozen=True)
class SharePositive(Question[PositiveShares]):
    """Shares of positive sums of ``length`` estimation days in a row."""

    OF_RESIDUALS: ClassVar[bool] = True

    length: int

    def answer(self, part: AbnormalReturns) -> PositiveShares:
        """Return them for some events."""
        sums = running_sums(part.residuals, self.length)
        whole = part.n_est.min() == part.residuals.shape[1]
        positive = _by_event(sums > 0)
        count = np.full(part.n, float(sums.shape[1])) if whole else _by_event(np.isfinite(sums))
        some = count > 0
        share = float((positive[some] / count[some]).sum())
        return PositiveShares(share, float(some.sum()), float(positive.sum()), float(count.sum()))


#: Sizes of sums are told apart by their exponent and so many bits of their fraction, from 2⁻⁴⁴ to 2²⁰.
BITS, LOWEST, OCTAVES = 9, -44, 64
_FIRST = (127 + LOWEST) << BITS  # of numbers in single precision
_BINS = OCTAVES << BITS
_SIGN = 1 << (8 + BITS)


@dataclass(frozen=True, slots=True, eq=False)
class SignedSizes(Answer):
    """How many sums of estimation days have which size, and how many of these are positive; by narrow bins of size, from a first one on."""

    first: int
    count: IntArray
    positive: IntArray

    def total(self, answers: Sequence[SignedSizes], order: IntArray | None) -> SignedSizes:
        """Return the sizes of all sums."""
        some = [answer for answer in answers if len(answer.count)]
        if len(some) < 2:
            return some[0] if some else self
        first = min(answer.first for answer in some)
        found = np.zeros((2, max(answer.first + len(answer.count) for answer in some) - first), dtype=np.int64)
        for answer in some:
            own = found[:, answer.first - first : answer.first - first + len(answer.count)]
            own += (answer.count, answer.positive)
        return SignedSizes(first, found[0], found[1])

    @property
    def share(self) -> float:
        """``W⁺`` over its largest value, sums of one bin sharing their mean rank; 1/2 without any sum."""
        total = int(self.count.sum())
        if total == 0:
            return 0.5
        rank = np.cumsum(self.count) - self.count + (self.count + 1) / 2.0
        return float((rank * self.positive).sum() / (total * (total + 1) / 2.0))


@dataclass(frozen=True)
class CountSizes(Question[SignedSizes]):
    """Sizes of sums of ``length`` estimation days, in blocks that follow one another."""

    OF_RESIDUALS: ClassVar[bool] = True

    length: int

    def answer(self, part: AbnormalReturns) -> SignedSizes:
        """Return them for some events."""
        sums = block_sums(part.residuals, self.length)
        bits = sums.astype(np.float32).view(np.uint32) >> (
            23 - BITS
        )  # sign, exponent and the first bits of the fraction
        bins = bits & (_SIGN - 1)
        least, most = (int(bins.min()), int(bins.max())) if bins.size else (_FIRST, _FIRST)
        odd = least < _FIRST or most >= _FIRST + _BINS  # far from all others, zero, or no number
        if odd:
            np.maximum(bins, _FIRST, out=bins)
            np.minimum(bins, _FIRST + _BINS - 1, out=bins)
            least, most = max(least, _FIRST), min(most, _FIRST + _BINS - 1)
        bins -= np.uint32(least)
        bits >>= 8 + BITS
        width = int(most) - int(least) + 1
        bits *= np.uint32(width)
        bins += bits  # negative sums after the positive ones
        if odd:
            np.copyto(bins, 2 * width, where=~np.isfinite(sums) | (sums == 0.0))
        counted = np.bincount(bins.ravel(), minlength=2 * width + 1)
        positive = counted[:width]
        return SignedSizes(int(least) - _FIRST, positive + counted[width:-1], positive)


def block_sums(residuals: FloatArray, length: int) -> FloatArray:
    """Return sums of estimation days in blocks that follow one another, shape (N, M // length), NaN where a day is missing."""
    end = residuals.shape[1] // length * length
    total = np.ascontiguousarray(residuals[:, :end:length])
    for day in range(1, length):
        total = total + residuals[:, day:end:length]
    return total
