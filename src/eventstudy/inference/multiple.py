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
    the event, and days that are independent of one another. Romano and Wolf (2005), Econometrica 73, 1237-1282; (2016), Statistics and Probability
    Letters 113, 38-40; residual vectors by date: Hein and Westfall (2004), J. Financial Econometrics 2, 451-471.
    """
    check_draws(draws, seed)
    scar = abnormal.sums(window).scar
    chosen = members(scar)
    blocks = abnormal.residuals.shape[1] - len(window) + 1
    if blocks < MIN_BLOCKS:
        raise InvalidInput(
            f"The estimation window has {abnormal.residuals.shape[1]} days; resampling windows of {len(window)} needs "
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
        largest = np.maximum.accumulate(np.abs(drawn)[:, ::-1], axis=1)[:, ::-1]
        beyond += (largest >= falling * (1.0 - TIE)).sum(axis=0)
    out[chosen[order]] = np.maximum.accumulate((1.0 + beyond) / (draws + 1.0))
    return out


def studentised_residuals(abnormal: AbnormalReturns, chosen: IntArray) -> FloatArray:
    """Return residuals over the deviation of the event's other days, shape (n, M), NaN where there is none.

    ``r = e/(s √(1 - p/M))``, ``r √((M-p-1)/(M-p-r²))``: t(M - p - 1) for normal errors (leverage taken at its mean).
    """
    df = abnormal.df[chosen][:, None].astype(np.float64)
    inner = abnormal.residuals[chosen] / abnormal.sigma[chosen][:, None] / np.sqrt(df / (df + abnormal.n_params))
    room = np.maximum(df - inner**2, 1e-3 * df)
    return np.asarray(inner * np.sqrt(np.maximum(df - 1.0, 1.0) / room), dtype=np.float64)


def _null_statistics(
    abnormal: AbnormalReturns, window: Window, chosen: IntArray, blocks: int, draws: int, seed: int
) -> Iterator[FloatArray]:
    """Yield t of every event in worlds without events, blocks of shape (rows, n)."""
    pool = studentised_residuals(abnormal, chosen)
    at = abnormal.columns_of(window)
    seen = np.isfinite(abnormal.ar[chosen, at])
    weight = np.sqrt(np.where(seen, abnormal.relative_variance[chosen, at], 0.0))
    weight = weight / np.sqrt((weight**2).sum(axis=1, keepdims=True))
    dates, place = np.unique(abnormal.position[chosen][:, None] + window.days[None, :], return_inverse=True)
    place = place.reshape(weight.shape)
    n, m = pool.shape
    there = np.isfinite(pool)
    gaps = not bool(there.all())
    own = np.argsort(~there, axis=1, kind="stable") if gaps else np.empty((0, 0), dtype=np.int64)
    count, row, step = there.sum(axis=1)[:, None], np.arange(n)[:, None] * m, np.arange(len(window))
    flat, flat_own = np.ascontiguousarray(pool).ravel(), np.ascontiguousarray(own).ravel()
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK // weight.size)
    for start in range(0, draws, rows):
        now = min(rows, draws - start)
        first = generator.integers(0, blocks, (now, len(dates)))
        values = flat[first[:, place] + step + row]
        if gaps:
            chance = generator.random((now, len(dates)))[:, place]
            other = flat[flat_own[np.minimum((chance * count).astype(np.int64), count - 1) + row] + row]
            values = np.where(np.isfinite(values), values, other)
        yield np.einsum("bnl,nl->bn", values, weight)
