"""What tests of an average, their advice and the checks of a study ask of every event, so that one pass over the events answers all of it."""

from __future__ import annotations

from eventstudy.estimation.abnormal import Question, SumsOver
from eventstudy.estimation.answers import Answer
from eventstudy.estimation.panel import IntArray
from eventstudy.inference.correlation import SumByDate
from eventstudy.inference.days import CountSizes, RankDays, RankResiduals, SharePositive, SumByDay
from eventstudy.windows import Window

Questions = tuple[Question[Answer], ...]


def asked_of_any(window: Window) -> Questions:
    """Return what the tests of every window and the advice on one ask, but for the correlation of events."""
    length = len(window)
    return (
        SumsOver(window),
        SumByDay(),
        RankDays(),
        RankResiduals(),
        SharePositive(1),
        SharePositive(length),
        CountSizes(length),
    )


def asked(position: IntArray, window: Window) -> Questions:
    """Return what the tests of a window ask, and the advice on them."""
    return (*asked_of_any(window), SumByDate(reach(position, window)))


def reach(position: IntArray, window: Window) -> int:
    """Return how many sessions apart events can be whose windows share days: with events on one date it does not matter."""
    return 1 if (position == position[0]).all() else len(window)
