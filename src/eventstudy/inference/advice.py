"""Which test to believe for the design at hand, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.windows import Window

#: Tests to believe, by design.
RECOMMENDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "one event": ("t_pe", "sq", "permutation"),
        "one date": ("kp_bmp_t", "grank_t", "cda_t"),
        "shared dates": ("kp_bmp_t", "grank_t", "cda_t"),
        "overlapping": ("kp_bmp_t",),
        "separate dates": ("bmp_t", "grank_t", "corrado_rank_z", "gsign_z"),
    }
)

#: Tests that take the events for independent: on a common date they reject far too often.
ASSUME_INDEPENDENCE = frozenset({"csect_t", "patell_z", "bmp_t", "gsign_z", "wilcoxon"})

#: Tests that add up events by relative day: they see the correlation of events on one date, not of neighbouring dates.
#: With windows of five days on dates within a week they reject 10 to 17 % at a nominal 5 % (residual correlation 0.1).
IN_EVENT_TIME = frozenset({"cda_t", "grank_t", "corrado_rank_z"})

#: Tests whose yardstick is the variance of ordinary days: on a wilder day they reject too often.
ORDINARY_VARIANCE = frozenset({"patell_z", "kp_patell_z", "cda_t", "corrado_rank_z"})

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
    if abnormal.n == 1:
        design = "one event"
    else:
        dates = np.unique(abnormal.position)
        if len(dates) == 1:
            design = "one date"
        elif (np.diff(dates) < len(window)).any():
            design = "overlapping"
        else:
            design = "separate dates" if len(dates) == abnormal.n else "shared dates"
    return design, RECOMMENDED[design], _WHY[design]


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
    remarks = dict.fromkeys(ORDINARY_VARIANCE, "takes the day's variance for ordinary")
    remarks |= dict.fromkeys(takes_as_independent(design), "takes events for independent")
    return remarks | dict.fromkeys(believed, "believe")
