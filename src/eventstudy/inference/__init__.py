"""The tests by name. A new test is one function and one line of ``TESTS``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from types import MappingProxyType
from typing import Literal

from eventstudy.abnormal import AbnormalReturns
from eventstudy.errors import InvalidInput
from eventstudy.inference import parametric, ranks, signs, single
from eventstudy.inference.advice import (
    ASSUME_INDEPENDENCE,
    RECOMMENDED,
    readings,
    recommend,
    takes_as_independent,
    variance_ratio,
)
from eventstudy.inference.result import Draft, HypothesisTest, NotApplicable, format_p
from eventstudy.windows import Window

__all__ = [
    "ASSUME_INDEPENDENCE",
    "RECOMMENDED",
    "TESTS",
    "HypothesisTest",
    "Method",
    "format_p",
    "readings",
    "recommend",
    "run_test",
    "run_tests",
    "takes_as_independent",
    "variance_ratio",
]

Scope = Literal["one", "many"]
Compute = Callable[..., "Draft | NotApplicable"]


@dataclass(frozen=True, slots=True)
class Method:
    """A test as it stands in the registry.

    Attributes
    ----------
    compute : callable
        ``(AbnormalReturns, Window, **options) -> Draft | NotApplicable``.
    scope : {"one", "many"}
        Whether it judges one event or the average of several.
    title : str
        Name for people.
    null : str
        The null hypothesis in words.
    reference : str
        The paper.
    options : mapping of str to tuple of str
        Named variants allowed, by option.
    """

    compute: Compute
    scope: Scope
    title: str
    null: str
    reference: str
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_ONE = "the event did not move this firm's price beyond its ordinary days"
_MEAN = "the mean abnormal return of the events is zero"
_MEDIAN = "abnormal returns of the events are positive as often as on ordinary days"
_KP10 = "Kolari and Pynnönen 2010, Review of Financial Studies 23"
_SUMS = MappingProxyType({"variant": ("scar", "csar")})

#: Every test by the word used in study files and tables.
TESTS: Mapping[str, Method] = MappingProxyType(
    {
        "t": Method(single.t, "one", "Time-series t", _ONE, "MacKinlay 1997, J. Economic Literature 35"),
        "t_pe": Method(single.t_pe, "one", "t with prediction error", _ONE, "Patell 1976; Salinger 1992, JFQA 27"),
        "sq": Method(
            single.sq,
            "one",
            "Sample quantile (SQ)",
            _ONE,
            "Gelbach, Helland and Klick 2013, American Law and Economics Review 15",
            MappingProxyType({"variant": ("paper", "plus_one")}),
        ),
        "permutation": Method(
            single.permutation, "one", "Permutation", _ONE, "Nguyen and Wolf 2023, Empirical Economics"
        ),
        "csect_t": Method(
            parametric.csect_t,
            "many",
            "Cross-sectional t",
            _MEAN,
            "Brown and Warner 1985, J. Financial Economics 14",
        ),
        "cda_t": Method(
            parametric.cda_t,
            "many",
            "Crude dependence adjustment",
            _MEAN,
            "Brown and Warner 1985, J. Financial Economics 14",
            MappingProxyType({"df": ("bw85", "params")}),
        ),
        "patell_z": Method(
            parametric.patell_z,
            "many",
            "Patell Z",
            _MEAN,
            "Patell 1976, J. Accounting Research 14",
            MappingProxyType({"variant": ("scar", "csar", "per_event")}),
        ),
        "kp_patell_z": Method(
            parametric.kp_patell_z,
            "many",
            "Patell Z, correlation-adjusted",
            _MEAN,
            _KP10,
            MappingProxyType({"variant": ("scar", "csar", "per_event")}),
        ),
        "bmp_t": Method(
            parametric.bmp_t,
            "many",
            "Standardised cross-sectional t (BMP)",
            _MEAN,
            "Boehmer, Musumeci and Poulsen 1991, J. Financial Economics 30",
            _SUMS,
        ),
        "kp_bmp_t": Method(parametric.kp_bmp_t, "many", "BMP, correlation-adjusted", _MEAN, _KP10, _SUMS),
        "corrado_rank_z": Method(
            ranks.corrado_rank_z, "many", "Corrado rank", _MEDIAN, "Corrado 1989, J. Financial Economics 23"
        ),
        "grank_t": Method(
            ranks.grank_t,
            "many",
            "Generalised rank t",
            _MEDIAN,
            "Kolari and Pynnönen 2011, J. Empirical Finance 18",
        ),
        "gsign_z": Method(
            signs.gsign_z,
            "many",
            "Generalised sign",
            _MEDIAN,
            "Cowan 1992, Review of Quantitative Finance and Accounting 2",
            MappingProxyType({"variant": ("mean", "pooled")}),
        ),
        "wilcoxon": Method(
            signs.wilcoxon,
            "many",
            "Wilcoxon signed rank",
            "CARs are symmetric about zero",
            "Wilcoxon 1945, Biometrics Bulletin 1",
            MappingProxyType({"variant": ("auto", "exact", "normal")}),
        ),
    }
)


def _check_options(name: str, method: Method, options: Mapping[str, object]) -> None:
    known = [p.name for p in signature(method.compute).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option, value in options.items():
        if option not in known:
            has = f"has the option {' and '.join(known)}" if known else "has no options"
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
        raise InvalidInput(f"There is no test {name!r}; the tests are {', '.join(TESTS)}.")
    method, chosen = TESTS[name], Window.of(window)
    _check_options(name, method, options)
    if method.scope == "one" and abnormal.n != 1:
        outcome: Draft | NotApplicable = NotApplicable("it judges one event at a time; name the event", abnormal.n)
    else:
        outcome = method.compute(abnormal, chosen, **options)
    if isinstance(outcome, NotApplicable):
        return HypothesisTest(
            name, method.title, method.null, math.nan, "", math.nan, math.nan, outcome.n, chosen,
            outcome.variant, method.reference, reason=outcome.reason,
        )  # fmt: skip
    return HypothesisTest(
        name, method.title, method.null, outcome.statistic, outcome.distribution, outcome.df, outcome.p_value,
        outcome.n, chosen, outcome.variant, method.reference, outcome.note, details=outcome.details,
    )  # fmt: skip


def run_tests(
    abnormal: AbnormalReturns, window: Window | tuple[int, int], names: Sequence[str]
) -> tuple[HypothesisTest, ...]:
    """Run several tests by name with their default variants, in the order given."""
    return tuple(run_test(name, abnormal, window) for name in names)
