"""Which test to believe for the design at hand, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.panel import IntArray
from eventstudy.windows import Window

#: Tests to believe, by design, if there are events enough and the day is not a wild one.
RECOMMENDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "one event": ("t_pe", "sq", "permutation"),
        "one date": ("kp_bmp_t", "grank_t", "cda_t"),
        "shared dates": ("kp_bmp_t", "grank_t", "cda_t"),
        "overlapping": ("kp_bmp_t",),
        "separate dates": ("bmp_t", "grank_t", "corrado_rank_z", "gsign_z", "wilcoxon"),
    }
)

#: Tests that take the events for independent: on a common date they reject far too often.
ASSUME_INDEPENDENCE = frozenset({"csect_t", "patell_z", "bmp_t", "gsign_z", "wilcoxon"})

#: Tests that add up events by relative day: they see the correlation of events on one date, not of neighbouring dates.
#: With windows of five days on dates within a week they reject 10 to 17 % at a nominal 5 % (residual correlation 0.1).
IN_EVENT_TIME = frozenset({"cda_t", "grank_t", "corrado_rank_z"})

#: Tests whose yardstick is the variance of ordinary days: on a wilder day they reject too often.
ORDINARY_VARIANCE = frozenset({"patell_z", "kp_patell_z", "cda_t", "corrado_rank_z"})

#: Fewest events with which a test keeps its size. GRANK divides by the spread of the SCARs: with 3 events on one date it
#: rejects 15 to 19 % of true nulls at 5 %, with 5 events 10 to 13 %, with 10 events 7 to 9 % (simulated, M = 250).
FEWEST = MappingProxyType({"grank_t": 15, "gsign_z": 10, "corrado_rank_z": 5, "wilcoxon": 6})

#: Beyond this ratio of variances the events are no ordinary draw, and `ORDINARY_VARIANCE` tests reject far too often:
#: at the ratio of 27 January 2025 (15) the crude dependence adjustment rejects 62 % of true nulls (simulated).
WILD = 3.0

_WHY = {
    "one event": "one event: its own ordinary days are the yardstick",
    "one date": "all events share one date, so they are not independent: trust only tests that allow for correlation",
    "shared dates": "some events share a date, so they are not independent: trust only tests that allow for correlation",
    "overlapping": "some windows share calendar days, so events are correlated across relative days: only a test that takes "
    "the correlation day by calendar day",
    "separate dates": "windows share no calendar days: tests for independent events that stand a change of variance",
}


def recommend(abnormal: AbnormalReturns, window: Window) -> tuple[str, tuple[str, ...], str]:
    """Return the design's name, the tests to believe and the reason in a sentence.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        The window to be tested; whether windows overlap depends on its length.

    Returns
    -------
    tuple of str, tuple of str, str
    """
    design = design_of(abnormal.position, window)
    if design == "one event":
        return design, RECOMMENDED[design], _WHY[design]
    scar = abnormal.sums(window).scar
    n = int(np.isfinite(scar).sum())
    ratio = variance_ratio(abnormal, window)
    believed = tuple(t for t in RECOMMENDED[design] if not _overlooks(t, n, ratio))
    why = _WHY[design]
    if ratio > WILD:
        why += f"; the spread of these abnormal returns is {ratio:.1f} times the ordinary (in variance), which rules out tests that take it for ordinary"
    return design, believed, why


def design_of(position: IntArray, window: Window) -> str:
    """Return the name of a design from the events' places in calendar time; a key of `RECOMMENDED`."""
    dates = np.unique(position)
    if len(position) == 1:
        return "one event"
    if len(dates) == 1:
        return "one date"
    if (np.diff(dates) < len(window)).any():
        return "overlapping"
    return "separate dates" if len(dates) == len(position) else "shared dates"


def variance_ratio(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the cross-sectional variance of SCAR over its ordinary variance, ``mean (M-p)/(M-p-2)``.

    NaN for fewer than two events. Correlation between events lowers it, event-induced variance raises it.
    """
    scar = abnormal.sums(window).scar
    seen = np.isfinite(scar)
    if seen.sum() < 2:
        return float("nan")
    degrees = abnormal.df[seen]
    ordinary = float(np.mean(degrees / np.maximum(degrees - 2.0, 1.0)))
    return float(np.var(scar[seen], ddof=1) / ordinary)


def _overlooks(test: str, n: int, ratio: float) -> bool:
    """Whether a test should not be believed with so few events, or on so wild a day."""
    return n < FEWEST.get(test, 2) or (test in ORDINARY_VARIANCE and ratio > WILD)


def takes_as_independent(design: str) -> frozenset[str]:
    """Return the tests that take correlated events for independent in a design named by `recommend`."""
    if design in ("one date", "shared dates"):
        return ASSUME_INDEPENDENCE
    return ASSUME_INDEPENDENCE | IN_EVENT_TIME if design == "overlapping" else frozenset()


def readings(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Return a remark for every test of an average that the design makes one: believe it, or what it overlooks.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        The window to be tested.

    Returns
    -------
    dict of str
        By test name; tests without a remark are left out.
    """
    design, believed, _ = recommend(abnormal, window)
    n = int(np.isfinite(abnormal.sums(window).scar).sum())
    remarks = {t: f"needs {few} events or more" for t, few in FEWEST.items() if n < few}
    remarks |= dict.fromkeys(ORDINARY_VARIANCE, "takes the day's variance for ordinary")
    remarks |= dict.fromkeys(takes_as_independent(design), "takes events for independent")
    return remarks | dict.fromkeys(believed, "believe")
