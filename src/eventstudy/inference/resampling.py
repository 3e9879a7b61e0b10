"""Tests by resampling: sign flips, the bootstrap of events, the wild bootstrap; all by clusters of dependent events.

Events are first summed within clusters, and clusters put in order of size, so that neither the order of the events nor the sign
of all returns changes a drawn result. Statistics are compared through ``T²/(D + T²)``, which rises with t² and stays finite where
a resample has no spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns, means
from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray
from eventstudy.inference.clusters import WORDS, Clusters, gather_clusters
from eventstudy.inference.days import SumByDay
from eventstudy.inference.result import EQUAL, LEVEL, NO_DAYS, ONE_EVENT, Draft, NotApplicable, check_draws, members
from eventstudy.inference.single import MIN_COMPARED, compared_with, estimation_sums
from eventstudy.windows import Window

#: Up to this many clusters all two-point assignments are enumerated.
EXACT_UP_TO = 16
#: Numbers drawn at once.
BLOCK = 2**21
#: Two orders of summation differ by this share at most; statistics so close count as equal.
TIE = 1e-10
#: Fewest events for resamples of a quarter of them.
FEWEST_FOR_QUARTER = 20
#: Fewest estimation days that all events share with which placebo days are compared.
ENOUGH_SHARED = 60


def squared_share(total: FloatArray, around: FloatArray) -> FloatArray:
    """Return ``T²/(D + T²)``, which rises with ``t² ∝ T²/D`` from 0 to 1; 0 where both are 0."""
    square = total**2
    whole = np.maximum(around, 0.0) + square
    share = np.zeros_like(whole)
    np.divide(square, whole, out=share, where=whole > 0)
    return share


@dataclass(frozen=True, slots=True)
class TwoPoint:
    """A law of two values for the weight of a cluster: ``high`` with probability ``q``, else ``low``."""

    low: float
    high: float
    q: float

    def smallest(self, g: int) -> float:
        """Probability that all g weights are equal, which leaves |t| as it is: the smallest p-value."""
        return float(self.q**g + (1.0 - self.q) ** g)


_ROOT = math.sqrt(5.0)
#: Mean 0, variance 1; Mammen's law also has third moment 1 (Mammen 1993).
WEIGHTS = {
    "rademacher": TwoPoint(-1.0, 1.0, 0.5),
    "mammen": TwoPoint(-(_ROOT - 1.0) / 2.0, (_ROOT + 1.0) / 2.0, (_ROOT - 1.0) / (2.0 * _ROOT)),
}


def _weighted(clusters: Clusters, law: TwoPoint, high: BoolArray, statistic: str) -> FloatArray:
    """Return the size of the statistic under weights w, shape (draws,); ``high`` has shape (draws, G).

    ``Σ w S`` gives the mean; t needs ``Σ w S n`` if clusters differ in size, and ``Σ w² S²`` if w² is not always 1.
    """
    s, k = clusters.total, clusters.size
    single, constant = bool((k == 1.0).all()), law.high**2 == law.low**2
    columns = [s] if single or statistic == "mean" else [s, s * k]
    chosen = high.astype(np.float64)

    def sums(values: FloatArray, low: float, up: float) -> FloatArray:
        return np.asarray(low * values.sum(axis=0) + (up - low) * (chosen @ values), dtype=np.float64)

    linear = sums(np.stack(columns, axis=1), law.low, law.high)
    total, cross = linear[:, 0], linear[:, -1]
    if statistic == "mean":
        return np.abs(total)
    squares = law.low**2 * float((s * s).sum()) if constant else sums(s * s, law.low**2, law.high**2)
    mean = total / clusters.n
    return squared_share(total, squares - 2.0 * mean * cross + mean**2 * float((k * k).sum()))


def _observed(clusters: Clusters, statistic: str) -> float:
    """Return the size of the statistic found, on the scale of `_weighted`."""
    total = clusters.total.sum()
    if statistic == "mean":
        return abs(float(total))
    around = ((clusters.total - clusters.size * (total / clusters.n)) ** 2).sum()
    return float(squared_share(np.array([total]), np.array([around]))[0])


def _blocks(draws: int, width: int) -> Iterator[int]:
    """Yield how many draws to make at a time."""
    step = max(1, BLOCK // max(width, 1))
    yield from (min(step, draws - start) for start in range(0, draws, step))


def _bits(generator: np.random.Generator, rows: int, g: int, q: float) -> BoolArray:
    """Return independent events of probability q, shape (rows, g)."""
    if q != 0.5:
        return np.asarray(generator.random((rows, g)) < q, dtype=np.bool_)
    wide = -(-g // 8)
    raw = np.frombuffer(generator.bytes(rows * wide), dtype=np.uint8).reshape(rows, wide)
    return np.unpackbits(raw, axis=1, count=g).view(np.bool_)


def enumerated_p(clusters: Clusters, law: TwoPoint, statistic: str = "t") -> float:
    """Return the probability, over all 2^G assignments of weights, of a statistic at least as large as the one found."""
    g = clusters.count
    high = ((np.arange(2**g)[:, None] >> np.arange(g)[None, :]) & 1).astype(np.bool_)
    ups = high.sum(axis=1)
    chance = law.q**ups * (1.0 - law.q) ** (g - ups)
    beyond = _weighted(clusters, law, high, statistic) >= _observed(clusters, statistic) * (1.0 - TIE)
    return float(min(1.0, chance[beyond].sum()))


def _two_point_test(
    clusters: Clusters, law: TwoPoint, statistic: str, draws: int, seed: int, variant: str
) -> Draft | NotApplicable:
    """Enumerate few clusters, draw for many."""
    g = clusters.count
    if statistic == "t" and clusters.flat:
        reason = "all events have the same value, so t has no standard error"
        return NotApplicable(f"{reason}; signflip with statistic='mean' has none to need", clusters.n, variant)
    value = clusters.t if statistic == "t" else float(clusters.total.sum()) / clusters.n
    details = {"clusters": float(g)}
    if g <= EXACT_UP_TO:
        p = enumerated_p(clusters, law, statistic)
        smallest = law.smallest(g)
        note = f"all 2^{g} assignments over {g} {clusters.plural}"
        if smallest > LEVEL:
            note += f"; smallest attainable p {smallest:.4f}, so it cannot reach 5 %"
        return Draft(value, p, clusters.n, "exact", variant=variant, note=note, details=details)
    generator = np.random.default_rng(seed)
    bound = _observed(clusters, statistic) * (1.0 - TIE)
    beyond = sum(
        int((_weighted(clusters, law, _bits(generator, rows, g, law.q), statistic) >= bound).sum())
        for rows in _blocks(draws, g)
    )
    return _drawn(value, beyond, draws, seed, clusters, variant, "exact" if law.q == 0.5 else "bootstrap")


def _drawn(
    value: float, beyond: int, draws: int, seed: int, clusters: Clusters, variant: str, distribution: str
) -> Draft:
    """Return ``p = (1 + #)/(B + 1)`` with its Monte Carlo standard error in the note."""
    p = (1 + beyond) / (draws + 1)
    error = math.sqrt(p * (1.0 - p) / draws)
    note = f"{draws} draws over {clusters.count} {clusters.plural}, seed {seed}, Monte Carlo s.e. of p {error:.4f}"
    details = {"clusters": float(clusters.count), "draws": float(draws), "seed": float(seed), "mc_se": error}
    return Draft(value, p, clusters.n, distribution, variant=variant, note=note, details=details)


def signflip(
    abnormal: AbnormalReturns,
    window: Window,
    *,
    statistic: str = "t",
    cluster: str = "date",
    draws: int = 9999,
    seed: int = 20250127,
) -> Draft | NotApplicable:
    """Sign-flip test: under symmetry about zero every assignment of signs to the CARs is equally likely.

    Parameters
    ----------
    statistic : {"t", "mean"}
        The t of the mean CAR (cluster-robust if clusters hold several events), or the mean itself. For single events both
        give the same p-value: a flip leaves ``Σ CAR²`` as it is.
    cluster : {"date", "event", "firm", "overlap"}
        Events that are flipped together because they depend on one another: those of a date, of a firm, or of a chain of windows
        that share days; ``event`` assumes that all are independent.
    draws : int
        Random assignments B beyond 16 clusters, ``p = (1 + #)/(B + 1)``; up to 16 all 2^G are enumerated and p is exact.
    seed : int
        Seed of the random assignments.

    Raises
    ------
    InvalidInput
        If ``draws`` or ``seed`` is not a whole number that can be used.

    Notes
    -----
    ``p`` is the share of assignments with ``|T*| ≥ |T|``, the identity included, so never below ``2^(1-G)``: fewer than six
    clusters cannot reach 5 %, and the note says so. Needs symmetric CARs (or a symmetric null), no normality, and allows for event-induced
    variance. Fisher 1935; Romano (1990), J. American Statistical Association 85, 686-692.
    """
    check_draws(draws, seed)
    clusters = gather_clusters(abnormal, window, cluster, statistic)
    if isinstance(clusters, NotApplicable):
        return clusters
    return _two_point_test(clusters, WEIGHTS["rademacher"], statistic, draws, seed, statistic)


def wild_bootstrap(
    abnormal: AbnormalReturns,
    window: Window,
    *,
    weights: str = "rademacher",
    cluster: str = "date",
    draws: int = 9999,
    seed: int = 20250127,
) -> Draft | NotApplicable:
    """Wild cluster bootstrap of the mean CAR, null imposed, percentile-t.

    Parameters
    ----------
    weights : {"rademacher", "mammen"}
        ±1 with probability one half, or Mammen's two points ``-(√5-1)/2`` and ``(√5+1)/2`` with probability
        ``(√5±1)/(2√5)``, which keep the third moment.
    cluster : {"date", "event", "firm", "overlap"}
        Events that get one weight together; see `signflip`.
    draws : int
        Draws B beyond 16 clusters, ``p = (1 + #{|t*| ≥ |t|})/(B + 1)``; up to 16 all 2^G weights are enumerated.
    seed : int
        Seed of the draws.

    Raises
    ------
    InvalidInput
        If ``draws`` or ``seed`` is not a whole number that can be used.

    Notes
    -----
    ``CAR*_i = w_g(i) CAR_i``: the residuals of the mean restricted to zero are the CARs themselves. ``t`` is the cluster-robust
    t (`clusters` that are single events: the cross-sectional t). With Rademacher weights this is the sign-flip test of t. One
    weight per event, as some packages draw, does not keep the dependence of events on one date. Cameron, Gelbach and Miller
    (2008), Review of Economics and Statistics 90, 414-427; Mammen (1993), Annals of Statistics 21, 255-285.
    """
    check_draws(draws, seed)
    clusters = gather_clusters(abnormal, window, cluster, weights)
    if isinstance(clusters, NotApplicable):
        return clusters
    return _two_point_test(clusters, WEIGHTS[weights], "t", draws, seed, weights)


def bootstrap(
    abnormal: AbnormalReturns,
    window: Window,
    *,
    variant: str = "pairs",
    cluster: str = "date",
    draws: int = 4999,
    seed: int = 20250127,
) -> Draft | NotApplicable:
    """Bootstrap of events: whole clusters drawn with replacement, centred at the sample mean, percentile-t.

    Parameters
    ----------
    variant : {"pairs", "skew"}
        ``pairs``: the t of the mean, ``p = (1 + #{|t*| ≥ |t|})/(B + 1)``. ``skew``: Johnson's skewness-adjusted t with
        resamples of a quarter of the events and both tails apart, for long-horizon returns of independent events.
    cluster : {"date", "event", "firm", "overlap"}
        Events that are drawn together; see `signflip`.
    draws : int
        Resamples B.
    seed : int
        Seed of the resamples.

    Raises
    ------
    InvalidInput
        If ``draws`` or ``seed`` is not a whole number that can be used.

    Notes
    -----
    ``t* = (x̄* - x̄)/se*`` with the cluster-robust error. A resample that draws one cluster alone has no spread and counts as
    beyond, so up to three clusters cannot reach 5 % (``G^(1-G)``) and the test says so. ``skew``: ``√n (S + γ̂S²/3 + γ̂/(6n))``,
    ``S = x̄/sd``, resamples of ``n/4`` centred at x̄, ``p = 2 min(tails)``: Lyon, Barber and Tsai (1999), J. Finance 54, 165-201.
    Pairs: Efron and Tibshirani (1993), ch. 16; Cameron, Gelbach and Miller (2008).
    """
    check_draws(draws, seed)
    clusters = gather_clusters(abnormal, window, cluster, variant)
    if isinstance(clusters, NotApplicable):
        return clusters
    if clusters.flat:
        return NotApplicable(EQUAL, clusters.n, variant)
    if variant == "skew":
        return _skew(clusters, draws, seed)
    smallest = float(clusters.count) ** (1 - clusters.count)
    if smallest > LEVEL:
        reason = f"{clusters.count} {clusters.plural} are too few to draw from: one of them alone makes {smallest:.0%} of the resamples"
        return NotApplicable(reason, clusters.n, variant)
    mean = clusters.total.sum() / clusters.n
    centred, size = clusters.total - clusters.size * mean, clusters.size
    single = bool((size == 1.0).all())
    bound = _observed(clusters, "t") * (1.0 - TIE)

    def beyond(index: IntArray) -> int:
        x = centred[index]
        total, squares = x.sum(axis=1), np.einsum("bg,bg->b", x, x)
        if single:
            around = squares - total**2 / clusters.n
        else:
            k = size[index]
            middle = total / k.sum(axis=1)
            cross, wide = np.einsum("bg,bg->b", x, k), np.einsum("bg,bg->b", k, k)
            around = squares - 2.0 * middle * cross + middle**2 * wide
        return int((squared_share(total, around) >= bound).sum())

    count = _resampled(beyond, clusters.count, clusters.count, draws, seed)
    return _drawn(clusters.t, count, draws, seed, clusters, variant, "bootstrap")


def _resampled(count: Callable[[IntArray], int], g: int, size: int, draws: int, seed: int) -> int:
    """Add up ``count`` over blocks of index rows drawn with replacement, each of shape (rows, size)."""
    generator = np.random.default_rng(seed)
    return sum(count(generator.integers(0, g, (rows, size))) for rows in _blocks(draws, size))


def johnson_t(x: FloatArray, centre: float = 0.0) -> FloatArray:
    """Return Johnson's skewness-adjusted t of each row, ``√n (S + γ̂S²/3 + γ̂/(6n))``, ``γ̂ = (1/n) Σ(x-x̄)³/sd³``.

    Parameters
    ----------
    x : ndarray, shape (rows, n)
        Samples.

    Returns
    -------
    ndarray, shape (rows,)
        ±inf where a row has no spread.
    """
    n = x.shape[1]
    mean = x.mean(axis=1)
    off = x - mean[:, None]
    squares = off * off
    deviation = np.sqrt(squares.sum(axis=1) / (n - 1))
    flat = deviation <= 1e-13 * np.abs(x).max(axis=1)
    safe = np.where(flat, 1.0, deviation)
    skewness = np.einsum("bn,bn->b", squares, off) / n / safe**3
    s = (mean - centre) / safe
    t = math.sqrt(n) * (s + skewness * s**2 / 3.0 + skewness / (6.0 * n))
    return np.asarray(np.where(flat, np.copysign(np.inf, mean - centre), t), dtype=np.float64)


def _skew(clusters: Clusters, draws: int, seed: int) -> Draft | NotApplicable:
    """Lyon, Barber and Tsai's bootstrap; ``p = 2 min(p_lower, p_upper)``."""
    n = clusters.n
    if clusters.count < n:
        reason = "some events are of one {}; the skewness adjustment assumes no cross-sectional dependence (cluster='event' if there is none)"
        return NotApplicable(reason.format(WORDS[clusters.by]), n, "skew")
    if n < FEWEST_FOR_QUARTER:
        reason = f"its resamples of a quarter of {n} events are too small; {FEWEST_FOR_QUARTER} events needed"
        return NotApplicable(reason, n, "skew")
    x = clusters.total
    mean, size = float(x.mean()), n // 4
    t = float(johnson_t(x[None, :])[0])
    near = TIE * max(abs(t), 1.0)
    generator = np.random.default_rng(seed)
    low = high = 0
    for rows in _blocks(draws, size):
        drawn = johnson_t(x[generator.integers(0, n, (rows, size))], mean)
        low += int((drawn <= t + near).sum())
        high += int((drawn >= t - near).sum())
    tails = (1 + low) / (draws + 1), (1 + high) / (draws + 1)
    p = min(1.0, 2.0 * min(tails))
    error = 2.0 * math.sqrt(min(tails) * (1.0 - min(tails)) / draws)
    note = f"{draws} resamples of {size} events, seed {seed}, Monte Carlo s.e. of p {error:.4f}"
    details = {"p_lower": tails[0], "p_upper": tails[1], "draws": float(draws), "seed": float(seed), "mc_se": error}
    return Draft(t, p, n, "bootstrap", variant="skew", note=note, details=details)


# -- The average of several events against the same average on estimation days.


def sums_of_shared_days(average: FloatArray, events: FloatArray, n: int, window: Window) -> FloatArray:
    """Return sums of the average of n events over the estimation days that all have; none if these are fewer than 60, or than half of all."""
    sums = estimation_sums(np.where(events == n, average, np.nan), len(window))
    return sums if len(sums) >= max(ENOUGH_SHARED, int((events > 0).sum()) / 2) else np.empty(0)


def placebo(abnormal: AbnormalReturns, window: Window, *, value: str = "sar") -> Draft | NotApplicable:
    """Placebo days: how many estimation days moved the events' average as far, ``p = (1 + #{|ē_t| ≥ |Ā|})/(T + 1)``.

    Parameters
    ----------
    window : Window
        L relative days; of more than one day, the average CAR is compared with all sums of L consecutive averages.
    value : {"sar", "ar"}
        Average standardised abnormal returns, so that no volatile firm rules the average, or plain ones.

    Notes
    -----
    The permutation test of one event applied to the portfolio of all: ``ē_t`` is the mean over events of ``e_it/s_i`` on estimation
    day t, ``Ā`` the mean of the window's sum of SAR, T the number of estimation days (sums). Exact if estimation days and the event day are
    exchangeable, whatever the distribution and the correlation between firms; it assumes no event-induced variance,
    and days of high volatility come in clusters. For events on one date; for others the average of residuals by
    relative day is a portfolio in event time, as for `cda_t`. Only events with a return in the window
    enter, on estimation days too, of which only those count that all of them have, if these are 60 or more and half of all: an average of
    fewer events varies more. Never zero: the smallest p is ``1/(T + 1)``.
    Nguyen and Wolf (2023), Empirical Economics; Gelbach, Helland and Klick (2013), American Law and Economics Review 15, 495-541; for
    placebo days as the reference distribution of a common date: Cohn, Johnson, Liu and Wardlaw, "Past is Prologue".
    """
    chosen = members(abnormal.sums(window).car)
    n = len(chosen)
    if n < 2:
        return NotApplicable(ONE_EVENT if n else NO_DAYS, n, value)
    found = abnormal.of(chosen).ask(SumByDay())
    residuals, ar = (found.standard, found.sar) if value == "sar" else (found.residuals, found.ar)
    days = means(ar, found.events)[abnormal.columns_of(window)]
    if not np.isfinite(days).all():
        return NotApplicable("no event has an abnormal return on a day of the window", n, value)
    average = means(residuals, found.est_events)
    shared = sums_of_shared_days(average, found.est_events, n, window)
    compared = shared if len(shared) else estimation_sums(average, len(window))
    if len(compared) < MIN_COMPARED:
        return NotApplicable(
            f"only {len(compared)} {compared_with(window)} to compare with, {MIN_COMPARED} needed", n, value
        )
    seen = float(days.sum())
    beyond = int((np.abs(compared) >= abs(seen) * (1 - 1e-12)).sum())
    return Draft(
        statistic=seen,
        p_value=(1 + beyond) / (len(compared) + 1),
        n=n,
        distribution="exact",
        variant=value,
        note=f"{beyond} of {len(compared)} {compared_with(window)} moved the average as far",
        details={"beyond": float(beyond), "m": float(len(compared))},
    )
