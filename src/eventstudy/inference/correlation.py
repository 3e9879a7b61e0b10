"""Correlation between events, taken in calendar time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns, Question
from eventstudy.estimation.answers import Answer, Tally
from eventstudy.estimation.deferred import CHUNK, chunks
from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray
from eventstudy.estimation.residuals import Series
from eventstudy.windows import Window

#: A quantity of rows with rows, shape (n, days) and (m, days) to (n, m).
Pairwise = Callable[[FloatArray, FloatArray], FloatArray]

#: Pairs of events with fewer common estimation days than this count as uncorrelated.
MIN_COMMON_DAYS = 30

#: Residuals whose variance is below this share of their mean square do not vary on the days looked at; the rest is rounding.
CONSTANT = 1e-12

#: How many sessions events span whose correlations with their neighbours are computed at once, how many pairs, and how many events at least
#: where these are more.
SMALL, NARROW, WIDE, CELLS = 64, 8, 64, 100_000

#: Up to so many events a date their pairs are fewer than the sums by date.
FEW_A_DATE = 2

#: Up to this share of the events left out, their pairs are taken from those of all.
FEW_LEFT_OUT = 0.1

#: Sums of so many dates are multiplied with those of their neighbours at once.
TOGETHER = 64

#: Residuals of some events, by place.
Rows = Callable[[IntArray], FloatArray]


def mean_correlation(abnormal: AbnormalReturns, members: IntArray, window: Window) -> float:
    """Return the mean residual correlation of all pairs, weighted by the overlap of their windows.

    Parameters
    ----------
    members : ndarray of int, shape (n,)
        The events that enter the test.

    Returns
    -------
    float
        ``r̄_W = 1/(n(n-1)) Σ_{i≠j} ρ_ij |W_i ∩ W_j| / L``; 0 for fewer than two events or disjoint windows.

    Notes
    -----
    ``ρ_ij`` is taken over the common *calendar* days of the two estimation windows, and is 0 with fewer than 30
    of them. If all events share one date this is the r̄ of Kolari and Pynnönen (2010), Review of Financial
    Studies 23, 3996-4025; for partly overlapping windows it follows the idea of Kolari, Pape and Pynnönen (2018).
    Two events of one firm are a pair like any other: on common days their residuals are nearly the same.
    """
    n = len(members)
    if n < 2:
        return 0.0

    return _linked(abnormal, len(window), members) / (n * (n - 1))


def event_time_correlation(abnormal: AbnormalReturns) -> float:
    """Return the mean correlation of all pairs' residuals by *relative* day, over all N events; 0 for fewer than two.

    Notes
    -----
    What other packages call the mean correlation. Right if all events share one date. On different dates the residuals
    of one relative day have nothing in common, and the mean is noise around zero, as often negative as positive.
    """
    n = abnormal.n
    if n < 2:
        return 0.0
    same = abnormal.once(("one date",), lambda: abnormal.take(np.arange(n)).but(position=np.zeros(n, dtype=np.int64)))
    return _linked(same, 1, np.arange(n)) / (n * (n - 1))


def _linked(abnormal: AbnormalReturns, length: int, members: IntArray) -> float:
    """Return ``Σ_{i≠j} ρ_ij max(L - |p_i - p_j|, 0) / L`` over some events: over all, less the pairs of those left out if they are few."""
    left_out = abnormal.n - len(members)
    if left_out > FEW_LEFT_OUT * abnormal.n:
        return _linked(abnormal.of(members), length, np.arange(len(members)))
    near = 1 if (abnormal.position == abnormal.position[0]).all() else length
    found = abnormal.ask(SumByDate(near))
    total = _weighted(found.pairs, near) + (0.0 if found.whole.all() else _weighted(_with_gaps(abnormal, found), near))
    if not left_out:
        return total

    def others() -> FloatArray:
        left = np.ones(abnormal.n, dtype=np.bool_)
        left[members] = False
        order, rows = _in_order_of_date(abnormal)
        return _pairs_sum(rows, abnormal.position[order], left[order], near)

    return total - _weighted(abnormal.once(("without", near, members.tobytes()), others), near)


def _in_order_of_date(abnormal: AbnormalReturns) -> tuple[IntArray, Rows]:
    """Return the order of events by date, and what gives the residuals of some of them in that order, with those that follow at hand."""
    order, first, held = np.argsort(abnormal.position, kind="stable").astype(np.int64), 0, np.empty((0, 0))

    def residuals(places: IntArray) -> FloatArray:
        nonlocal first, held
        low, high = int(places[0]), int(places[-1]) + 1
        if low < first or high > first + len(held):
            first, ahead = low, max(high - low, CHUNK)
            held = abnormal.part(order[low : high + ahead]).residuals
        return held[places - first]

    return order, residuals


def _weighted(pairs: FloatArray, length: int) -> float:
    """Return sums over pairs by how far apart they are, weighted by the overlap of windows of so many days."""
    apart = np.arange(min(length, len(pairs)))
    return float((pairs[apart] * (length - apart) / length).sum())


def _with_gaps(abnormal: AbnormalReturns, found: DatePairs) -> FloatArray:
    """Return sums over the pairs of which one event misses days, by how far apart they are, as far as those without gaps are known."""

    def compute() -> FloatArray:
        order, rows = _in_order_of_date(abnormal)
        return _pairs_sum(rows, abnormal.position[order], ~found.whole[order], len(found.pairs))

    return abnormal.once(("with gaps", len(found.pairs)), compute)


def pair_correlations(abnormal: AbnormalReturns, members: IntArray) -> FloatArray:
    """Return the residual correlation of every pair of some events over their common calendar days, shape (n, n)."""
    ordered = members[np.argsort(abnormal.position[members], kind="stable")]
    table = _by_session(abnormal.part(ordered).residuals, abnormal.position[ordered])
    return block_correlation(table, table)


def unknown_share(abnormal: AbnormalReturns, members: IntArray, window: Window) -> float:
    """Return how much of the overlap of windows belongs to pairs with fewer than `MIN_COMMON_DAYS` common estimation days.

    Returns
    -------
    float
        Between 0 and 1; 0 where no windows overlap. Pairs without days enough count as uncorrelated in r̄, so that a large share
        hides a correlation in place of measuring it.
    """
    days = abnormal.n_est[members]
    if len(members) < 2:
        return 0.0
    fewest = 2 * int(days.min()) - len(abnormal.estimation) - (len(window) - 1)  # of two sets of days among M
    if fewest >= MIN_COMMON_DAYS:
        return 0.0

    def compute() -> float:
        some = abnormal.of(members)
        order, rows = _in_order_of_date(some)
        position = some.position[order]
        length = 1 if position[0] == position[-1] else len(window)
        whole = _weighted(_pairs(position, length), length)
        few = some.n_est[order] < (MIN_COMMON_DAYS + len(abnormal.estimation) + length - 1) / 2.0  # one of such a pair
        return _weighted(_pairs_sum(rows, position, few, length, _lacking), length) / whole if whole else 0.0

    return abnormal.once(("unknown_share", len(window), members.tobytes()), compute)


def _pairs(position: IntArray, length: int) -> FloatArray:
    """Return how many pairs of events there are, each counted twice, by how many sessions apart, shape (length,)."""
    dates, events = np.unique(position, return_counts=True)
    total = np.zeros(length)
    for d in range(length):
        place = np.minimum(np.searchsorted(dates, dates + d), len(dates) - 1)
        there = dates[place] == dates + d
        total[d] = 2.0 * float((events * events[place])[there].sum())
    total[0] = total[0] / 2.0 - len(position)
    return total


def _lacking(block: FloatArray, table: FloatArray) -> FloatArray:
    return np.asarray(_common(block, table) < MIN_COMMON_DAYS, dtype=np.float64)


def _common(block: FloatArray, table: FloatArray) -> FloatArray:
    """Return how many days rows have in common with rows, shape (n, m); in single precision, which holds whole numbers up to 2²⁴."""
    return np.asarray(np.isfinite(block).astype(np.float32) @ np.isfinite(table).astype(np.float32).T, dtype=np.float64)


def linked_sum(residuals: FloatArray, position: IntArray, length: int) -> float:
    """Return ``Σ_{i≠j} ρ_ij max(L - |p_i - p_j|, 0) / L`` over events in order of date.

    Parameters
    ----------
    residuals : ndarray, shape (n, M)
        By relative day, NaN where missing.
    position : ndarray of int, shape (n,)
        Places of the events in calendar time, ascending.

    Notes
    -----
    Events d sessions apart have M - d days in common: the later days of the first, the earlier days of the second. Among
    events without missing days no pair is needed: with z the residuals centred and scaled to length 1 over these days,
    ``Σ_ij z_i'z_j`` over two dates is the product of the dates' sums, so the cost is O(n M) for each distance. Pairs of
    which one misses days go through matrix products; where dates have few events the others are multiplied one by one.
    """
    if position[0] == position[-1]:
        length = 1
    tally = DateTally(length)
    tally.add(_dated(residuals, position, length))
    found = tally.total(None)
    total = _weighted(found.pairs, length)
    if found.whole.all():
        return total
    return total + _weighted(_pairs_sum(lambda i: residuals[i], position, ~found.whole, length), length)


@dataclass(frozen=True, slots=True, eq=False)
class DateSums(Answer):
    """Residuals of events without missing days, centred and scaled to length 1 over the days that two dates share, added up by date.

    Attributes
    ----------
    whole : ndarray of bool, shape (N,)
        Events without missing days.
    dates : ndarray of int, shape (D,)
        Places in calendar time, ascending.
    early, late : ndarray, shape (D, lags, M)
        Over the later days of the window, which a date so many sessions later shares, and over the earlier ones; the others are not read.
    varied : ndarray, shape (D,)
        Events of each date whose residuals vary.
    """

    whole: BoolArray
    dates: IntArray
    early: FloatArray
    late: FloatArray
    varied: FloatArray

    EACH: ClassVar[frozenset[str]] = frozenset({"whole"})

    def of(self, chosen: slice) -> DateSums:
        """Return the sums of some dates."""
        return DateSums(self.whole, self.dates[chosen], self.early[chosen], self.late[chosen], self.varied[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class DatedEvents(Answer):
    """Residuals of events without missing days, in order of date, and by what they are centred and scaled over the days that two dates share.

    Attributes
    ----------
    whole : ndarray of bool, shape (N,)
        Events without missing days.
    position : ndarray of int, shape (n,)
        Their places in calendar time, ascending.
    centred : ndarray, shape (n, M)
        Their residuals less their means.
    scale, mean : ndarray, shape (2, n, lags)
        One over the length, and the mean, of the days but the first d, and but the last d; the scale is 0 where they do not vary.
    """

    whole: BoolArray
    position: IntArray
    centred: FloatArray
    scale: FloatArray
    mean: FloatArray

    @property
    def dates(self) -> IntArray:
        """Places in calendar time, ascending, once each."""
        return self.position[_first_of(self.position)]

    def summed(self) -> DateSums:
        """Return the sums by date."""
        (_, n, lags), m, first = self.scale.shape, self.centred.shape[1], _first_of(self.position)
        sums, varied = np.zeros((len(first), 2 * lags, m)), np.zeros(len(first))
        if n and lags:
            varied = np.add.reduceat((self.scale[0, :, 0] > 0).astype(np.float64), first)
            weight, shift = np.concatenate(self.scale, axis=1), np.concatenate(self.scale * self.mean, axis=1)
            for g, (start, end) in enumerate(zip(first.tolist(), [*first[1:].tolist(), n], strict=True)):
                np.matmul(weight[start:end].T, self.centred[start:end], out=sums[g])
            sums -= np.add.reduceat(shift, first)[:, :, None]
        return DateSums(self.whole, self.position[first], sums[:, :lags], sums[:, lags:], varied)

    def of(self, chosen: slice) -> DatedEvents:
        """Return some of the events."""
        return replace(
            self,
            position=self.position[chosen],
            centred=self.centred[chosen],
            scale=self.scale[:, chosen],
            mean=self.mean[:, chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class DatePairs(Answer):
    """Sums of correlations over all pairs of events without missing days, by how many sessions their dates are apart, shape (lags,)."""

    EACH: ClassVar[frozenset[str]] = frozenset({"whole"})

    whole: BoolArray
    pairs: FloatArray


#: Before any date.
_NONE_CLOSED = -(2**62)


class DateTally(Tally):
    """Sums by date, multiplied with those of neighbouring dates; if answers come in order of date, only the last dates are held."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length, self._pairs = length, np.zeros(length)
        self._whole: list[BoolArray] = []
        self._held: list[DateSums | DatedEvents] = []
        self._closed = _NONE_CLOSED

    def add(self, answer: Answer) -> None:
        """Add the sums of some events more."""
        assert isinstance(answer, DateSums | DatedEvents)
        self._whole.append(answer.whole)
        self._held.append(answer)

    def empty(self) -> DateTally:
        """Return a tally for windows as long to which nothing was added."""
        return DateTally(self._length)

    def settle(self) -> None:
        """Multiply the sums of dates before the last one, and let go of what no later date needs."""
        if sum(len(each.dates) for each in self._held) > self._length + TOGETHER:
            self._close(1)

    def answer(self) -> DateSums | None:
        """Return the sums of all dates; none is closed yet."""
        if not self._held:
            return None
        assert self._closed == _NONE_CLOSED
        found = _joined([_summed(each) for each in self._held])
        self._held, self._whole = [found], [np.concatenate(self._whole)]
        return replace(found, whole=self._whole[0])

    def total(self, order: IntArray | None) -> DatePairs:
        """Return the sums over all pairs."""
        if self._held:
            self._close(0)
        whole = np.concatenate(self._whole)
        return DatePairs(whole if order is None else whole[np.argsort(order)], self._pairs)

    def _close_events(self, every: DatedEvents, still_open: int) -> None:
        """Multiply the events of dates that are complete with those before them, one by one where dates have few."""
        place = every.position
        start = int(np.searchsorted(place, self._closed, side="right"))
        end = int(np.searchsorted(place, place[-1])) if still_open and len(place) else len(place)
        if end <= start:
            self._held = [every]
            return
        self._pairs += 2.0 * _sums_of_pairs(every, start, end, self._length)
        self._closed = int(place[end - 1])
        self._held = [every.of(slice(int(np.searchsorted(place, self._closed - self._length + 1)), None))]

    def _close(self, still_open: int) -> None:
        """Multiply the sums of dates that are complete with those of their neighbours before them, and with themselves."""
        events = [each for each in self._held if isinstance(each, DatedEvents)]
        if len(events) == len(self._held):
            self._close_events(_together(events), still_open)
            return
        every = _joined([_summed(each) for each in self._held])
        dates = every.dates
        start, end = int(np.searchsorted(dates, self._closed, side="right")), len(dates) - still_open
        self._held = [every]
        if end <= start:
            return
        lags, m = every.early.shape[1:]
        for d in range(1, lags):
            place = np.searchsorted(dates, dates[start:end] - d)
            then = np.flatnonzero(dates[place] == dates[start:end] - d)
            early, late = every.early[_run(place[then]), d, d:], every.late[_run(start + then), d, : m - d]
            self._pairs[d] += 2.0 * float(np.einsum("gm,gm->", early, late))
        several = start + np.flatnonzero(every.varied[start:end] > 1.0)  # one event alone makes no pair
        if lags and len(several):
            same = every.early[_run(several), 0]
            self._pairs[0] += float(np.einsum("gm,gm->", same, same) - every.varied[several].sum())
        self._closed = int(dates[end - 1])
        self._held = [every.of(slice(int(np.searchsorted(dates, self._closed - self._length + 1)), None))]


def _summed(part: DateSums | DatedEvents) -> DateSums:
    return part if isinstance(part, DateSums) else part.summed()


def _together(parts: Sequence[DatedEvents]) -> DatedEvents:
    """Return events that follow one another in order of date as one."""
    if len(parts) == 1:
        return parts[0]
    position, centred = (np.concatenate([getattr(part, name) for part in parts]) for name in ("position", "centred"))
    scale, mean = (np.concatenate([getattr(part, name) for part in parts], axis=1) for name in ("scale", "mean"))
    return DatedEvents(parts[0].whole, position, centred, scale, mean)


def _sums_of_pairs(events: DatedEvents, start: int, end: int, length: int) -> FloatArray:
    """Return sums of correlations of some events with each one before them, by how many sessions apart, shape (length,)."""
    place, m = events.position, events.centred.shape[1]
    first = np.searchsorted(place, place[start:end] - length + 1)
    count, total = np.arange(start, end) - first, np.zeros(length)
    later = np.repeat(np.arange(start, end), count)
    earlier = np.repeat(first - np.cumsum(count) + count, count) + np.arange(len(later))
    apart = place[later] - place[earlier]
    for d in range(events.scale.shape[2]):
        for some in chunks(np.flatnonzero(apart == d)):
            i, j = earlier[some], later[some]
            products = np.vecdot(events.centred[i, d:], events.centred[j, : m - d])
            means = (m - d) * events.mean[0, i, d] * events.mean[1, j, d]
            total[d] += float(((products - means) * events.scale[0, i, d] * events.scale[1, j, d]).sum())
    return total


def _first_of(position: IntArray) -> IntArray:
    """Return where each date begins among places in calendar time, ascending."""
    return np.flatnonzero(np.diff(position, prepend=_NONE_CLOSED) != 0)


def _joined(parts: Sequence[DateSums]) -> DateSums:
    """Return sums by date as one, in order of date: those of a date that several parts have are added."""
    if len(parts) == 1:
        return parts[0]
    dates, place = np.unique(np.concatenate([part.dates for part in parts]), return_inverse=True)
    places = np.split(place, np.cumsum([len(part.dates) for part in parts])[:-1])
    found = []
    for name in ("early", "late", "varied"):
        total = np.zeros((len(dates), *getattr(parts[0], name).shape[1:]))
        for part, at in zip(parts, places, strict=True):
            total[_run(at)] += getattr(part, name)
        found.append(total)
    return DateSums(parts[0].whole, dates, *found)


def _run(places: IntArray) -> IntArray | slice:
    """Return ascending places as a slice, which copies nothing, if none between them is left out."""
    if len(places) and int(places[-1]) - int(places[0]) == len(places) - 1:
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


@dataclass(frozen=True)
class SumByDate(Question[DatePairs]):
    """Correlations of pairs of events without missing days, added up by date, for windows of so many days."""

    length: int

    def tally(self) -> DateTally:
        """Return what multiplies sums by date."""
        return DateTally(self.length)

    def serves(self, other: Question[Answer]) -> bool:
        """Return whether these are sums for windows at least as long."""
        return isinstance(other, SumByDate) and other.length <= self.length

    def answer(self, part: AbnormalReturns) -> DateSums | DatedEvents:
        """Return the sums by date of some events, of which the tally makes pairs."""
        order = np.argsort(part.position, kind="stable")
        if (order == np.arange(part.n)).all():
            found = _dated(part.residuals, part.position, self.length)
        else:
            found = _dated(part.residuals[order], part.position[order], self.length)
            found = replace(found, whole=found.whole[np.argsort(order)])
        return found if len(found.position) <= FEW_A_DATE * len(found.dates) else found.summed()


def _dated(residuals: FloatArray, position: IntArray, length: int) -> DatedEvents:
    """Return `DatedEvents` of events in order of date."""
    whole = np.asarray(np.isfinite(residuals).all(axis=1), dtype=np.bool_)
    if not whole.all():
        residuals, position = residuals[whole], position[whole]
    m = residuals.shape[1]
    lags = min(length, max(m - MIN_COMMON_DAYS + 1, 0))
    if not len(position) or not lags:
        return DatedEvents(whole, position, residuals, *np.zeros((2, 2, len(position), lags)))
    centred = Series.of(residuals).centred
    squares, total = np.vecdot(centred, centred), centred @ np.ones(m)
    scale, mean = zip(*(_scales(way, squares, total, lags) for way in (centred, centred[:, ::-1])), strict=True)
    return DatedEvents(whole, position, centred, np.stack(scale), np.stack(mean))


def sums_by_date(residuals: FloatArray, position: IntArray, length: int) -> DateSums:
    """Return the sums by date of the events without missing days, all in order of date, for windows of so many days."""
    return _dated(residuals, position, length).summed()


def _scales(values: FloatArray, squares: FloatArray, total: FloatArray, lags: int) -> tuple[FloatArray, FloatArray]:
    """Return one over the length, and the mean, of each row's days but the first d, for d = 0 … lags - 1, shape (N, lags) each.

    ``squares`` and ``total`` are sums over the whole row. A row that does not vary on these days has the scale 0.
    """
    n, m = values.shape
    head = np.zeros((n, lags))
    np.cumsum(values[:, : lags - 1], axis=1, out=head[:, 1:])
    head_squares = np.zeros((n, lags))
    np.cumsum(values[:, : lags - 1] ** 2, axis=1, out=head_squares[:, 1:])
    days = m - np.arange(lags)
    mean, whole = (total[:, None] - head) / days, squares[:, None] - head_squares
    lossy = np.flatnonzero(whole[:, -1] < 1e-2 * squares)  # a difference would lose digits
    for d in range(1, lags) if len(lossy) else ():
        rest = values[lossy, d:]
        mean[lossy, d], whole[lossy, d] = rest.mean(axis=1), np.einsum("nm,nm->n", rest, rest)
    square = whole - days * mean**2
    varies = square > CONSTANT * whole
    return np.where(varies, 1.0 / np.sqrt(np.where(varies, square, 1.0)), 0.0), mean


def _reach(length: int) -> int:
    """Return how many sessions a block of events may span: too wide meets pairs without common days, too narrow is many blocks."""
    return min(max(2 * length, NARROW), WIDE)


def _neighbours(position: IntArray, apart: int) -> IntArray:
    """Return how many events lie at most ``apart`` sessions from each, itself among them, shape (n,)."""
    last = np.searchsorted(position, position + apart, side="right")
    return np.asarray(last - np.searchsorted(position, position - apart), dtype=np.int64)


def _pairs_sum(
    residuals: Rows, position: IntArray, chosen: BoolArray, length: int, of: Pairwise | None = None
) -> FloatArray:
    """Return sums over the pairs of which at least one event is chosen, of correlations or of another quantity, by how many sessions apart.

    Rows are the chosen events, block by block; only events less than a window apart share days, so a block meets its
    neighbours and no others. Each pair is looked at once and counts twice: a chosen event meets those after it, and those before it that
    are not chosen, whose own row is never visited.
    """
    rows, start = np.flatnonzero(chosen & (_neighbours(position, length - 1) > 1)), 0
    place, total = position[rows], np.zeros(length)
    while start < len(rows):
        within = int(np.searchsorted(place, place[start] + _reach(length), side="right"))
        first = int(np.searchsorted(position, place[start] - length + 1))
        last = int(np.searchsorted(position, place[min(within, len(rows)) - 1] + length - 1, side="right"))
        end = min(within, start + max(CELLS // max(last - first, 1), SMALL))
        block = rows[start:end]
        last = int(np.searchsorted(position, place[end - 1] + length - 1, side="right"))
        earlier = first + np.flatnonzero(~chosen[first : block[0]])
        near = np.concatenate([earlier, np.arange(block[0], last)])
        apart = np.abs(position[block][:, None] - position[None, near])
        pairs = (apart < length) & ((near > block[:, None]) | ~chosen[near])
        if pairs.any():
            table = _by_session(residuals(near), position[near])
            found = (of or block_correlation)(table[len(earlier) + block - block[0]], table)
            total += 2.0 * np.bincount(apart[pairs], weights=found[pairs], minlength=length)
        start = end
    return total


def _by_session(residuals: FloatArray, position: IntArray) -> FloatArray:
    """Return residuals on a common calendar, shape (n, sessions), NaN where there is none."""
    n, m = residuals.shape
    table = np.full((n, m + int(position[-1] - position[0])), np.nan)
    first = _first_of(position)
    for start, end in zip(first.tolist(), [*first[1:].tolist(), n], strict=True):
        day = int(position[start] - position[0])
        table[start:end, day : day + m] = residuals[start:end]
    return table


def block_correlation(block: FloatArray, table: FloatArray) -> FloatArray:
    """Return correlations of rows with rows over the days that each pair has in common.

    Parameters
    ----------
    block, table : ndarray, shape (n, days) and (m, days)
        One row an event, NaN where there is none.

    Returns
    -------
    ndarray, shape (n, m)
        Pearson correlations; 0 for pairs with fewer than `MIN_COMMON_DAYS` common days.
    """
    seen_b, seen_t = (np.isfinite(x).astype(np.float64) for x in (block, table))
    b, t = np.nan_to_num(block), np.nan_to_num(table)
    count = _common(block, table)
    sum_b = b @ seen_t.T
    sum_t = sum_b.T if block is table else seen_b @ t.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = b @ t.T - sum_b * sum_t / count
        variance_b = _variance((b**2) @ seen_t.T, sum_b, count)
        variance_t = variance_b.T if block is table else _variance(seen_b @ (t**2).T, sum_t, count)
        rho = covariance / np.sqrt(variance_b * variance_t)
    return np.asarray(np.where((count >= MIN_COMMON_DAYS) & np.isfinite(rho), rho, 0.0), dtype=np.float64)


def _variance(squares: FloatArray, total: FloatArray, count: FloatArray) -> FloatArray:
    """Return sums of squares about the mean; 0 where they are rounding noise."""
    variance = squares - total**2 / count
    return np.asarray(np.where(variance > CONSTANT * squares, variance, 0.0), dtype=np.float64)
