"""Runs of days on which one table has the other's prices of a session before or after: dates that slipped."""

from __future__ import annotations

import numpy as np

#: Sessions by which dates are looked for to have slipped.
SLIPS = (1, -1, 2, -2)
#: So many different returns in a row have to fit a slip, and not the day itself.
LEAST_RETURNS = 3


def shifted_runs(old: np.ndarray, new: np.ndarray, tolerance: float) -> list[tuple[int, int, int]]:
    """Return runs of days whose new prices are the old ones of another session.

    Parameters
    ----------
    old, new : ndarray of shape (n,)
        Adjusted closes on the days that both tables have.
    tolerance : float
        Returns that differ by no more are equal, a fraction.

    Returns
    -------
    list of (int, int, int)
        First place, place after the last, and the slip: 1 if a day has the old price of the session before. Runs do not overlap.

    Examples
    --------
    >>> old = np.array([10.0, 10.5, 10.2, 10.9, 11.3, 11.0, 11.4, 11.1, 11.6])
    >>> new = np.array([10.0, 10.5, 10.5, 10.2, 10.9, 11.3, 11.0, 11.1, 11.6])
    >>> shifted_runs(old, new, 2e-6)
    [(2, 7, 1)]
    """
    was, now = old[1:] / old[:-1] - 1.0, new[1:] / new[:-1] - 1.0
    moved = np.abs(now - was) > tolerance
    taken = np.zeros(len(old), dtype=bool)
    found = []
    for slip in SLIPS:
        for a, b in _runs(_fits(was, now, slip, tolerance)):
            differing = np.flatnonzero(moved[a:b]) + a
            if len(np.unique(np.round(now[differing], 8))) < LEAST_RETURNS:
                continue
            first, end = int(differing[0]), int(differing[-1]) + 2  # prices at both ends of each return
            # at the edges of the tables the session that would tell is not there
            first, end = 0 if first <= abs(slip) else first, len(old) if len(old) - end <= abs(slip) else end
            if not taken[first:end].any():
                taken[first:end] = True
                found.append((first, end, slip))
    return sorted(found)


def _fits(was: np.ndarray, now: np.ndarray, slip: int, tolerance: float) -> np.ndarray:
    """Return where the new return is the old one of ``slip`` sessions before, shape (n - 1,)."""
    other = np.full(len(was), np.nan)
    if slip > 0:
        other[slip:] = was[:-slip]
    else:
        other[:slip] = was[-slip:]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(now - other) <= tolerance)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
