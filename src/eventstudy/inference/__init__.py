"""Tests of significance: run by name, their registry, which are recommended, many events at once, dollars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from inspect import signature

from eventstudy.errors import InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.inference.advice import (
    RECOMMENDED,
    RECOMMENDED_BUY_AND_HOLD,
    Advice,
    Note,
    assume_no_dependence,
    notes_on_tests,
    recommend,
    variance_ratio,
)
from eventstudy.inference.asked import ask_of
from eventstudy.inference.registry import STANDARD, TESTS, Method, Overlooks, overlooking
from eventstudy.inference.result import NO_DAYS, Draft, HypothesisTest, NotApplicable, format_p
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean, listed

__all__ = [
    "RECOMMENDED",
    "RECOMMENDED_BUY_AND_HOLD",
    "STANDARD",
    "TESTS",
    "Advice",
    "HypothesisTest",
    "Method",
    "Note",
    "Overlooks",
    "assume_no_dependence",
    "format_p",
    "notes_on_tests",
    "overlooking",
    "recommend",
    "run_test",
    "run_tests",
    "variance_ratio",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def _check_options(name: str, method: Method, options: Mapping[str, object]) -> None:
    known = [p.name for p in signature(method.compute).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option, value in options.items():
        if option not in known:
            has = f"has the option {listed(known)}" if known else "has no options"
            raise InvalidInput(f"{name} {has}; {option!r} was given.")
        allowed = method.options.get(option)
        if allowed is not None and value not in allowed:
            raise InvalidInput(f"{name} knows {option} {', '.join(allowed)}; {value!r} was given.")


def run_test(
    name: str, abnormal: AbnormalReturns, window: Window | tuple[int, int], **options: object
) -> HypothesisTest:
    """Run one test by its name.

    Parameters
    ----------
    name : str
        A key of `TESTS`.
    abnormal : AbnormalReturns
        One event for a test of scope ``one``, else N events.
    window : Window or pair of int
        Relative days inside the event window.
    **options : object
        Variant and other options of the test; see its docstring.

    Returns
    -------
    HypothesisTest

    Raises
    ------
    InvalidInput
        If no test has this name, or an option is not allowed.
    """
    if name not in TESTS:
        raise InvalidInput(
            f"There is no test {name!r}; the tests are {', '.join(TESTS)}.{did_you_mean([str(name)], TESTS)}"
        )
    method, chosen = TESTS[name], Window.of(window)
    if options:
        _check_options(name, method, options)
    if method.scope == "one" and abnormal.n != 1:
        outcome: Draft | NotApplicable = NotApplicable("it tests one event at a time; give event=", abnormal.n)
    elif method.scope == "many" and abnormal.n > 1 and abnormal.void:
        outcome = NotApplicable(abnormal.void, abnormal.n)
    elif method.scope == "many" and all(abnormal.why_no_sum(chosen)):
        outcome = NotApplicable(NO_DAYS, 0)
    else:
        outcome = method.compute(abnormal.with_sums(chosen), chosen, **options)
    if isinstance(outcome, NotApplicable):
        return HypothesisTest(
            name=name,
            title=method.title,
            null=method.null,
            statistic=math.nan,
            distribution="",
            df=math.nan,
            p_value=math.nan,
            n=outcome.n,
            window=chosen,
            variant=outcome.variant,
            reference=method.reference,
            reason=outcome.reason,
        )
    return HypothesisTest(
        name=name,
        title=method.title,
        null=method.null,
        statistic=outcome.statistic,
        distribution=outcome.distribution,
        df=outcome.df,
        p_value=outcome.p_value,
        n=outcome.n,
        window=chosen,
        variant=outcome.variant,
        reference=method.reference,
        note=outcome.note,
        details=outcome.details,
    )


def run_tests(
    abnormal: AbnormalReturns, window: Window | tuple[int, int], names: Sequence[str]
) -> tuple[HypothesisTest, ...]:
    """Run several tests by name with their default variants, in the order given."""
    ask_of(abnormal, [Window.of(window)], names)
    return tuple(run_test(name, abnormal, window) for name in names)
