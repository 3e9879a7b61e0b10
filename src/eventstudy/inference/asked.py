"""What tests of an average, their advice and the checks of a study ask of every event, so that one pass over the events answers all of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from eventstudy.estimation.abnormal import AbnormalReturns, Question, SumsOver
from eventstudy.estimation.answers import Answer
from eventstudy.estimation.deferred import is_many
from eventstudy.estimation.panel import IntArray
from eventstudy.inference.clusters import held_by_session
from eventstudy.inference.correlation import SumByDate
from eventstudy.inference.days import (
    CountSizes,
    RankDays,
    RankResiduals,
    RankWindows,
    SharePositive,
    SumByDay,
)
from eventstudy.inference.result import members, sd_or_zero
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


#: Tests that ask more than others do.
GRANK, CALENDAR = frozenset({"grank_t", "grank_z"}), "calendar_time"


def ask_of(abnormal: AbnormalReturns, windows: Sequence[Window], names: Collection[str]) -> None:
    """Put what some tests of windows ask, and the advice on them, to all events at once.

    GRANK ranks a window by its spread over all events, so it is asked in the same pass where the sums are known, and in a second one where not.
    """
    if abnormal.n == 1:
        return
    if len(windows) > 1:
        abnormal.ask_at_once(*(SumsOver(w) for w in windows))
    questions = [question for w in windows for question in asked(abnormal.position, w)]
    if GRANK & set(names):
        questions += [question for w in windows for question in _asked_by_grank(abnormal, w)]
    if CALENDAR in names:
        questions += [question for w in windows for question in _asked_by_portfolio(abnormal, w)]
    abnormal.ask_at_once(*questions)


def _asked_by_grank(abnormal: AbnormalReturns, window: Window) -> Questions:
    """Return which ranks of a window GRANK asks for, if its sums are known and are those of all events."""
    if not is_many(abnormal.n) or not abnormal.knows(SumsOver(window)) or abnormal.with_sums(window) is not abnormal:
        return ()
    scar = abnormal.sums(window).scar
    chosen = members(scar)
    deviation = sd_or_zero(scar[chosen]) if len(chosen) > 1 else 0.0
    return (RankWindows(window, 1.0 / deviation),) if deviation else ()


def _asked_by_portfolio(abnormal: AbnormalReturns, window: Window) -> Questions:
    """Return what the portfolio of calendar time asks, if its events are all events."""
    if not is_many(abnormal.n) or not abnormal.knows(SumsOver(window)) or abnormal.with_sums(window) is not abnormal:
        return ()
    return (held_by_session(abnormal, window),)
