"""The mean of several events with a variance that allows for correlation within clusters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.parametric import EQUAL, NO_DAYS, ONE_EVENT, members, spread
from eventstudy.inference.result import Draft, NotApplicable, t_draft
from eventstudy.panel import FloatArray, IntArray
from eventstudy.windows import Window

#: Clusters that weigh like fewer than this number of equal ones make the test reject too often, and its note says so.
FEW_CLUSTERS = 10.0

#: A variance below this share of its largest part is rounding noise.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """A mean and its cluster-robust variance.

    Attributes
    ----------
    mean : float
        Mean of the n values.
    variance : float
        Its estimated variance; not positive where two-way clustering has no answer.
    groups : tuple of int
        Number of clusters G by each way of clustering.
    equal : tuple of float
        As how many clusters of equal size they weigh, ``n²/Σ n_g²``: G if all have one size, near 1 if one holds nearly all.
    """

    mean: float
    variance: float
    groups: tuple[int, ...]
    equal: tuple[float, ...]

    @property
    def t(self) -> float:
        """``mean / √variance``; NaN if the variance is not positive."""
        return self.mean / math.sqrt(self.variance) if self.variance > 0 else math.nan

    @property
    def df(self) -> int:
        """``min(G_1, G_2) - 1``."""
        return min(self.groups) - 1


def clustered_mean(values: FloatArray, *labels: IntArray) -> ClusteredMean:
    """Return the mean of values with its one-way or two-way cluster-robust variance.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Numbers without NaN.
    *labels : ndarray of int, shape (n,)
        One or two arrays: values with the same label are one cluster.

    Returns
    -------
    ClusteredMean

    Notes
    -----
    ``V = G/(G-1) Σ_g (Σ_{i∈g} (y_i - ȳ))² / n²``: the sandwich variance of a regression on a constant. Two-way:
    ``V = V_1 + V_2 - V_12`` with the clusters of both labels together, each part with its own factor. Cameron, Gelbach and
    Miller (2011), J. Business and Economic Statistics 29, 238-249.
    """
    deviations = values - values.mean()
    ways = [np.unique(label, return_inverse=True)[1] for label in labels]
    variance = sum(_one_way(deviations, way) for way in ways)
    if len(ways) == 2:
        both = np.unique(ways[0] * (ways[1].max() + 1) + ways[1], return_inverse=True)[1]
        variance -= _one_way(deviations, both)
    noise = ROUNDING * float(deviations @ deviations) / len(values) ** 2
    sizes = [np.bincount(way).astype(np.float64) for way in ways]
    return ClusteredMean(
        float(values.mean()),
        variance if variance > noise else min(variance, 0.0),
        tuple(len(size) for size in sizes),
        tuple(float(len(values) ** 2 / (size @ size)) for size in sizes),
    )


def _one_way(deviations: FloatArray, way: IntArray) -> float:
    """Return ``G/(G-1) Σ_g (Σ_{i∈g} e_i)² / n²`` for clusters numbered from 0; NaN for one cluster."""
    sums = np.bincount(way, weights=deviations)
    count = len(sums)
    factor = count / (count - 1) if count > 1 else math.nan
    return factor * float(sums @ sums) / len(deviations) ** 2


def clustered_t(
    abnormal: AbnormalReturns, window: Window, *, cluster: str = "date", value: str = "car"
) -> Draft | NotApplicable:
    """Mean CAR or SCAR over its cluster-robust standard error, t(G - 1).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days.
    cluster : {"date", "firm", "both"}
        Events of one session, of one ticker, or of either (two-way) are taken as correlated in any way.
    value : {"car", "scar"}
        What is averaged: the CAR, or the CAR over its prediction error.

    Notes
    -----
    The t of a regression on a constant with clustered variance, factor ``G/(G-1)``, and t(G - 1); two-way
    ``t(min(G_1, G_2) - 1)``. With every event a cluster of its own it is `csect_t` (or `bmp_t`) exactly. Stands event-induced
    variance. With clusters of one size t(G - 1) is right down to a few of them; with uneven ones it rejects too often (sizes
    between 1 and 8: 10 % of true nulls at 5 % with 5 clusters, 9 % with 10, 6 % with 30), and where one date holds most of the events
    it is useless (two thirds on one of 60 dates: 67 %). The note gives as how many equal clusters they weigh, ``n²/Σ n_g²``.
    Clusters by date see the events of one session: where windows of neighbouring sessions overlap, the events are still
    correlated, and `kp_bmp_t` is the test to use. Two-way variance can come out negative; then there is no answer.

    Cameron, Gelbach and Miller (2011), J. Business and Economic Statistics 29, 238-249; for event studies Dutta, Knif,
    Kolari and Pynnönen (2018), J. Empirical Finance 49. The R package crseEventStudy gives the same t, and takes p from t(G).
    """
    sums = abnormal.sums(window)
    values = sums.car if value == "car" else sums.scar
    chosen = members(values)
    n, variant = len(chosen), f"{value} by {'date and firm' if cluster == 'both' else cluster}"
    if n < 2:
        return NotApplicable(ONE_EVENT if n else NO_DAYS, n, variant)
    if spread(values[chosen]) == 0.0:
        return NotApplicable(EQUAL, n, variant)
    labels = {"date": abnormal.position[chosen], "firm": abnormal.firms[chosen]}
    ways = tuple(labels) if cluster == "both" else (cluster,)
    single = [way for way in ways if len(np.unique(labels[way])) < 2]
    if single:
        return NotApplicable(f"all {n} events are of one {single[0]}: one cluster has no spread", n, variant)
    found = clustered_mean(values[chosen], *(labels[way] for way in ways))
    counts = " and ".join(f"{g} {way}s" for g, way in zip(found.groups, ways, strict=True))
    if found.variance <= 0.0:
        why = "two-way variance is not positive" if cluster == "both" else "the clusters' deviations cancel"
        return NotApplicable(f"{why} with {counts}; use one-way clusters or kp_bmp_t", n, variant)
    equal = min(found.equal)
    few = f", which weigh like {equal:.1f} of equal size: too few to trust its size" if equal < FEW_CLUSTERS else ""
    details = {f"{way}s": float(g) for g, way in zip(found.groups, ways, strict=True)}
    return t_draft(found.t, found.df, n, variant, f"{counts}{few}", **details, equal_clusters=equal)
