"""Many events tested at once: p-values that allow for how many were looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from eventstudy.errors import InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.inference.resampling import BLOCK, TIE
from eventstudy.inference.result import check_draws, members
from eventstudy.windows import Window

#: Numbers held at once: the t of all events in some draws, and the residuals that make some of them.
HELD, INDEX = 2**22, 2**16
#: Fewest blocks of estimation days from which a null distribution is drawn.
MIN_BLOCKS = 20


def _bonferroni(p: FloatArray) -> FloatArray:
    return p * len(p)


def _holm(p: FloatArray) -> FloatArray:
    """Step down: ``max_{j ≤ i} (m - j + 1) p_(j)``."""
    return np.maximum.accumulate(p * np.arange(len(p), 0, -1.0))


def _bh(p: FloatArray) -> FloatArray:
    """Step up: ``min_{j ≥ i} m p_(j) / j``."""
    m = len(p)
    return np.minimum.accumulate((p * m / np.arange(1.0, m + 1.0))[::-1])[::-1]


def _by(p: FloatArray) -> FloatArray:
    """As `_bh`, times ``Σ 1/j`` for any dependence."""
    return _bh(p) * float((1.0 / np.arange(1.0, len(p) + 1.0)).sum())


#: Adjustments of ascending p-values.
_STEPS: Mapping[str, Callable[[FloatArray], FloatArray]] = MappingProxyType(
    {"holm": _holm, "bh": _bh, "by": _by, "bonferroni": _bonferroni}
)
#: The words that `adjusted_p` knows.
METHODS = (*_STEPS, "romano_wolf")


def _check_method(method: str, allowed: tuple[str, ...]) -> None:
    if method not in allowed:
        raise InvalidInput(f"method is {method!r}; choose one of {', '.join(allowed)}.")


def adjust(p_values: ArrayLike, method: str = "holm") -> FloatArray:
    """Adjust p-values for their number.

    Parameters
    ----------
    p_values : array_like, shape (m,)
        p-values; NaN stays NaN and does not count.
    method : {"holm", "bh", "by", "bonferroni"}
        ``holm`` and ``bonferroni`` bound the chance of any false rejection, under any dependence; ``bh`` bounds the expected share of
        false ones among the rejections, for independent or positively dependent tests; ``by`` the same under any dependence.

    Returns
    -------
    ndarray, shape (m,)
        Adjusted p-values, at most 1, in the order given.

    Notes
    -----
    Holm (1979), Scandinavian J. of Statistics 6, 65-70; Benjamini and Hochberg (1995), J. Royal Statistical Society B 57, 289-300;
    Benjamini and Yekutieli (2001), Annals of Statistics 29, 1165-1188.

    Examples
    --------
    >>> adjust([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    _check_method(method, tuple(_STEPS))
    p = np.array(p_values, dtype=np.float64, ndmin=1)
    if p.ndim != 1 or bool(((p < 0.0) | (p > 1.0)).any()):
        raise InvalidInput("p-values are a list of numbers between 0 and 1, NaN where there is none.")
    seen = np.flatnonzero(~np.isnan(p))
    order = seen[np.argsort(p[seen], kind="stable")]
    out = np.full(p.shape, np.nan)
    if len(order):
        out[order] = np.minimum(_STEPS[method](p[order]), 1.0)
    return out


def adjusted_p(
    abnormal: AbnormalReturns,
    window: Window,
    p_values: ArrayLike,
    method: str = "holm",
    *,
    draws: int = 4999,
    seed: int = 20250127,
) -> FloatArray:
    """Return p-values of all events adjusted by any of `METHODS`, shape (N,).

    Parameters
    ----------
    p_values : array_like, shape (N,)
        The events' own p-values; not used by ``romano_wolf``, which starts from the returns.
    """
    _check_method(method, METHODS)
    if method == "romano_wolf":
        return romano_wolf(abnormal, window, draws=draws, seed=seed)
    return adjust(p_values, method)


def romano_wolf(abnormal: AbnormalReturns, window: Window, *, draws: int = 4999, seed: int = 20250127) -> FloatArray:
    """Adjust the t of every event by the step-down of Romano and Wolf, from the largest |t| of resampled estimation days.

    Returns
    -------
    ndarray, shape (N,)
        ``(1 + #)/(B + 1)``, monotone in |t|; NaN for events without an abnormal return in the window. The chance of any false rejection
        is bounded.

    Notes
    -----
    Event i has ``t_i = CAR_i / S_CAR,i``. Under the null each calendar day of the windows is given the residuals of one
    estimation day, the same for all events whose windows hold it, so that the correlation across events is kept as it is, also where
    windows overlap only in part; a residual that is missing is replaced by another of the same event. Residuals are studentised by the deviation of the
    other days, so that one has the t law that a single day's SCAR has. ``p_(j) = max_{i ≤ j} (1 + #{max_{k ≥ i} |t*_(k)| ≥ |t_(i)|})/(B + 1)``
    with events in falling order of |t|. Less strict than Holm where events are correlated. Assumes that the variance does not rise with
    the event, and days that are independent of one another. Besides the residuals about 2²² numbers are held at a time. Romano and Wolf (2005), Econometrica 73, 1237-1282; (2016), Statistics and Probability
    Letters 113, 38-40; residual vectors by date: Hein and Westfall (2004), J. Financial Econometrics 2, 451-471.
    """
    check_draws(draws, seed)
    scar = abnormal.sums(window).scar
    chosen = members(scar)
    days = len(abnormal.estimation)
    blocks = days - len(window) + 1
    if blocks < MIN_BLOCKS:
        raise InvalidInput(
            f"The estimation window has {days} days; resampling windows of {len(window)} needs "
            f"{MIN_BLOCKS + len(window) - 1}. Lengthen it, or choose method='holm'."
        )
    out = np.full(abnormal.n, np.nan)
    if not len(chosen):
        return out
    size = np.abs(scar[chosen])
    order = np.argsort(-size, kind="stable")
    falling = size[order]
    beyond = np.zeros(len(order), dtype=np.int64)
    for drawn in _null_statistics(abnormal, window, chosen[order], blocks, draws, seed):
        largest = np.abs(drawn, out=drawn)[::-1]
        np.maximum.accumulate(largest, axis=0, out=largest)
        beyond += np.count_nonzero(largest[::-1] >= falling[:, None] * (1.0 - TIE), axis=1)
    out[chosen[order]] = np.maximum.accumulate((1.0 + beyond) / (draws + 1.0))
    return out


def studentised_residuals(abnormal: AbnormalReturns, chosen: IntArray) -> FloatArray:
    """Return residuals over the deviation of the event's other days, shape (n, M), NaN where there is none.

    ``r = e/(s √(1 - p/M))``, ``r √((M-p-1)/(M-p-r²))``: t(M - p - 1) for normal errors (leverage taken at its mean).
    """
    return abnormal.take(chosen).rows_of(_studentised)


def _studentised(part: AbnormalReturns) -> FloatArray:
    df = part.df[:, None].astype(np.float64)
    inner = part.residuals / part.sigma[:, None] / np.sqrt(df / (df + part.n_params))
    room = np.maximum(df - inner**2, 1e-3 * df)
    return np.asarray(inner * np.sqrt(np.maximum(df - 1.0, 1.0) / room), dtype=np.float64)


def _weights(part: AbnormalReturns, at: slice) -> FloatArray:
    """Return what each day of a window adds to the t of its sum, shape (n, L); 0 on days without an abnormal return."""
    seen = np.isfinite(part.ar[:, at])
    weight = np.sqrt(np.where(seen, part.relative_variance[:, at], 0.0))
    return np.asarray(weight / np.sqrt((weight**2).sum(axis=1, keepdims=True)), dtype=np.float64)


def _null_statistics(
    abnormal: AbnormalReturns, window: Window, chosen: IntArray, blocks: int, draws: int, seed: int
) -> Iterator[FloatArray]:
    """Yield t of every event in worlds without events, blocks of shape (n, rows).

    Those of one date and of equal weights see the same residual days: their t are a product of (draws × estimation days), which holds the
    weights of the L days that are drawn, and the residuals, (estimation days × events). Held are `HELD` t and `BLOCK` numbers drawn at once.
    """
    some, at = abnormal.take(chosen), abnormal.columns_of(window)
    found = some.rows_of(lambda part: np.concatenate([_studentised(part), _weights(part, at)], axis=1))
    pool, weight = found[:, : -len(window)], found[:, -len(window) :]
    dates, place = np.unique(some.position[:, None] + window.days[None, :], return_inverse=True)
    place = place.reshape(weight.shape)
    gaps = None if np.isfinite(pool).all() else _Gaps(pool, weight, place, blocks)
    filled = pool if gaps is None else np.where(np.isfinite(pool), pool, 0.0)
    groups = _groups(some.position, weight)
    for first, chance in _worlds(len(dates), weight.size, len(pool), blocks, draws, seed, gaps is not None):
        t = np.empty((len(pool), len(first)))
        together = max(1, INDEX // (len(first) * len(window)))
        for alike in groups:
            for start in range(0, len(alike), together):
                members = alike[start : start + together]
                t[members.ravel()] = _drawn(filled, weight, place, members, first)
        if gaps is not None:
            gaps.fill(t, first, chance)
        yield t


def _groups(position: IntArray, weight: FloatArray) -> list[IntArray]:
    """Return the events of each date that have equal weights, by place: for every number of them one array, shape (groups, events)."""
    alike = bool((weight == weight[0]).all())
    key = position[:, None] if alike else np.column_stack([position, weight])
    group = np.unique(key, axis=0, return_inverse=True)[1].ravel()
    size, order = np.bincount(group), np.argsort(group, kind="stable").astype(np.int64)
    first = np.cumsum(size) - size
    return [order[first[size == k][:, None] + np.arange(k)] for k in np.unique(size).tolist()]


def _drawn(filled: FloatArray, weight: FloatArray, place: IntArray, members: IntArray, first: IntArray) -> FloatArray:
    """Return the t of groups of events, ``members`` of shape (groups, k), in the order of their places, shape (groups k, rows)."""
    from scipy.sparse import csr_array

    (rows, _), (count, k), (length, m) = first.shape, members.shape, (weight.shape[1], filled.shape[1])
    residuals = filled[members].transpose(0, 2, 1).reshape(count * m, k)
    leading = members[:, 0]
    day = first[:, place[leading].ravel()].reshape(rows, count, length)
    day = day + (np.arange(length, dtype=day.dtype) + m * np.arange(count, dtype=day.dtype)[:, None])
    values = np.broadcast_to(weight[leading], day.shape)
    ends = np.arange(0, day.size + 1, length, dtype=day.dtype)
    drawn = csr_array((values.ravel(), day.ravel(), ends), shape=(rows * count, count * m))
    return np.asarray((drawn @ residuals).reshape(rows, count * k).T, dtype=np.float64)


def _worlds(
    dates: int, size: int, n: int, blocks: int, draws: int, seed: int, gaps: bool
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield the first residual day that each date is given in some draws, and with ``gaps`` a number between 0 and 1, shape (rows, dates) each.

    They are drawn some rows after the other, as many as ``size`` numbers a draw allow, and held until they are enough for ``n`` events.
    """
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK // size)
    held = rows * max(1, HELD // (rows * max(n, dates)))
    for start in range(0, draws, held):
        most = min(start + held, draws)
        drawn = [
            (generator.integers(0, blocks, (now, dates)), generator.random((now if gaps else 0, dates)))
            for now in (min(rows, most - at) for at in range(start, most, rows))
        ]
        yield (
            np.concatenate([first for first, _ in drawn], dtype=np.int32),
            np.concatenate([chance for _, chance in drawn]),
        )


class _Gaps:
    """The residuals that are missing, each of which another one of the same event replaces where a draw hits it.

    Parameters
    ----------
    pool : ndarray, shape (n, M)
        Studentised residuals, NaN where there is none.
    weight : ndarray, shape (n, L)
        Of each day of the window.
    place : ndarray of int, shape (n, L)
        The column of the drawn dates that each day is.
    """

    def __init__(self, pool: FloatArray, weight: FloatArray, place: IntArray, blocks: int) -> None:
        there = np.isfinite(pool)
        self._pool, self._weight, self._place, self._blocks = pool, weight, place, blocks
        self._own = np.argsort(~there, axis=1, kind="stable")
        self._count = np.asarray(there.sum(axis=1), dtype=np.int64)
        event, missing = np.nonzero(~there)
        first = missing[:, None] - np.arange(weight.shape[1])  # a date that is given this day hits the gap
        cell, self._day = np.nonzero((first >= 0) & (first < blocks))
        self._event, self._first = event[cell], first[cell, self._day]

    def fill(self, t: FloatArray, first: IntArray, chance: FloatArray) -> None:
        """Add to t, shape (n, rows), what replaces the gaps that were hit."""
        rows, blocks = len(first), self._blocks
        order = np.argsort(first.astype(np.int16 if blocks < 2**15 else np.int64), axis=0, kind="stable")
        per_date = np.ascontiguousarray(order.T).ravel()
        hits = np.bincount((first + np.arange(first.shape[1]) * blocks).ravel(), minlength=first.shape[1] * blocks)
        begin = np.cumsum(hits) - hits
        together = max(1, BLOCK * blocks // rows)
        for start in range(0, len(self._event), together):
            event, day, where = (each[start : start + together] for each in (self._event, self._day, self._first))
            date = self._place[event, day]
            bucket = date * blocks + where
            many = hits[bucket]
            event, day, date = (np.repeat(each, many) for each in (event, day, date))
            draw = per_date[np.arange(len(event)) + np.repeat(begin[bucket] - (np.cumsum(many) - many), many)]
            count = self._count[event]
            other = np.minimum((chance[draw, date] * count).astype(np.int64), count - 1)
            value = self._pool[event, self._own[event, other]] * self._weight[event, day]
            np.add.at(t.reshape(-1), event * rows + draw, value)
