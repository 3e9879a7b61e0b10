"""The registry: every test by its name. A new test is one function and one line of ``TESTS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from eventstudy.inference import parametric, ranks, signs, single
from eventstudy.inference.result import Draft, NotApplicable

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
