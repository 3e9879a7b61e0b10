"""Events that depend on one another, put together: by date, by firm, by chain of overlapping windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference.parametric import NO_DAYS, members
from eventstudy.inference.result import NotApplicable
from eventstudy.panel import FloatArray, IntArray
from eventstudy.windows import Window

#: What can make a cluster, by the word of the option, in words.
WORDS = {"date": "date", "event": "event", "firm": "firm", "overlap": "chain of overlapping windows"}


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """CARs summed within clusters of dependent events.

    Attributes
    ----------
    total : ndarray, shape (G,)
        Sum of the CARs of each cluster, in order of absolute size.
    size : ndarray, shape (G,)
        Events in each cluster.
    n : int
        Events in all.
    by : str
        What makes a cluster.
    """

    total: FloatArray
    size: FloatArray
    n: int
    by: str

    @property
    def count(self) -> int:
        """Number of clusters G."""
        return len(self.total)

    @property
    def plural(self) -> str:
        """What the clusters are, in words."""
        return "chains of overlapping windows" if self.by == "overlap" else f"{self.by}s"

    @property
    def t(self) -> float:
        """Cluster-robust t of the mean, ``x̄ / √(G/(G-1) Σ_g (S_g - n_g x̄)²/n²)``; plain t if clusters are single events."""
        mean = self.total.sum() / self.n
        spread = float(((self.total - self.size * mean) ** 2).sum())
        g = self.count
        return float(self.total.sum() / math.sqrt(g / (g - 1) * spread))

    @property
    def flat(self) -> bool:
        """Whether the clusters have no spread, so that t does not exist."""
        mean = self.total.sum() / self.n
        return bool(np.abs(self.total - self.size * mean).max() <= 1e-13 * np.abs(self.total).max())


def cluster_labels(abnormal: AbnormalReturns, chosen: IntArray, window: Window, by: str) -> IntArray:
    """Return which events belong together, shape (n,).

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    chosen : ndarray of int, shape (n,)
        The events that enter.
    window : Window
        The test window; windows that share days, also through others between them, make one cluster by ``overlap``.
    by : {"date", "event", "firm", "overlap"}
        What makes a cluster.
    """
    position = abnormal.position[chosen]
    if by == "event":
        return np.arange(len(chosen), dtype=np.int64)
    if by == "firm":
        return np.asarray(abnormal.firms[chosen], dtype=np.int64)
    dates, label = np.unique(position, return_inverse=True)
    if by == "date":
        return np.asarray(label, dtype=np.int64)
    chain = np.concatenate([[0], np.cumsum(np.diff(dates) >= len(window))])
    return np.asarray(chain[label], dtype=np.int64)


def cluster_sums(x: FloatArray, label: IntArray, by: str) -> Clusters:
    """Sum values within clusters and put the clusters in order of absolute size."""
    order = np.argsort(np.abs(x), kind="stable")
    _, place = np.unique(label, return_inverse=True)
    total = np.asarray(np.bincount(place[order], weights=x[order]), dtype=np.float64)
    size = np.bincount(place).astype(np.float64)
    ranked = np.lexsort((size, np.abs(total)))
    return Clusters(total[ranked], size[ranked], len(x), by)


def gather_clusters(abnormal: AbnormalReturns, window: Window, by: str, variant: str) -> Clusters | NotApplicable:
    """Return the CARs of a window summed by cluster, or why there is nothing to resample.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        L relative days.
    by : {"date", "event", "firm", "overlap"}
        What makes a cluster.
    variant : str
        Variant of the test, for the refusal.
    """
    car = abnormal.sums(window).car
    chosen = members(car)
    n = len(chosen)
    if n == 0:
        return NotApplicable(NO_DAYS, 0, variant)
    found = cluster_sums(car[chosen], cluster_labels(abnormal, chosen, window, by), by)
    if found.count > 1:
        return found
    if n == 1:
        return NotApplicable("it needs at least two events; for one event use sq or permutation", 1, variant)
    return NotApplicable(
        f"all {n} events are of one {WORDS[by]}, so there is nothing to resample: use a test for one date, first of all kp_bmp_t, which "
        f"allow for correlation (cluster='event' would take the events for independent)",
        n,
        variant,
    )
