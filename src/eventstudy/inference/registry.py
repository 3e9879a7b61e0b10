"""The registry: every test by its name. A new test is one function and one line of ``TESTS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from eventstudy.inference import clusters, parametric, resampling
from eventstudy.inference import clusters as joint
from eventstudy.inference import clusters as portfolio
from eventstudy.inference import nonparametric as grank
from eventstudy.inference import nonparametric as ranks
from eventstudy.inference import nonparametric as signs
from eventstudy.inference import parametric as single
from eventstudy.inference import resampling as placebo
from eventstudy.inference.clusters import WORDS
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
_HALF = "abnormal returns of the events are positive half of the time"
_KP10 = "Kolari and Pynnönen 2010, Review of Financial Studies 23"
_PAIRS = ("overlap", "event_time")

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
        "bw80_z": Method(
            parametric.bw80_z,
            "many",
            "Portfolio z, independent events",
            _MEAN,
            "Brown and Warner 1980, J. Financial Economics 8",
        ),
        "mackinlay_j1_z": Method(
            parametric.mackinlay_j1_z, "many", "MacKinlay J1", _MEAN, "MacKinlay 1997, J. Economic Literature 35"
        ),
        "cda_t": Method(
            parametric.cda_t,
            "many",
            "Crude dependence adjustment",
            _MEAN,
            "Brown and Warner 1985, J. Financial Economics 14",
            MappingProxyType({"df": ("bw85", "params")}),
        ),
        "lamb_z": Method(
            parametric.lamb_z,
            "many",
            "Crude dependence adjustment with forecast error (Lamb)",
            _MEAN,
            "Lamb 1995, J. Risk and Insurance 62",
        ),
        "patell_z": Method(
            parametric.patell_z,
            "many",
            "Patell Z",
            _MEAN,
            "Patell 1976, J. Accounting Research 14",
            MappingProxyType({"variant": ("scar", "csar", "per_event", "wrds")}),
        ),
        "kp_patell_z": Method(
            parametric.kp_patell_z,
            "many",
            "Patell Z, correlation-adjusted",
            _MEAN,
            _KP10,
            MappingProxyType({"variant": ("scar", "csar", "per_event"), "pairs": _PAIRS}),
        ),
        "bmp_t": Method(
            parametric.bmp_t,
            "many",
            "Standardised cross-sectional t (BMP)",
            _MEAN,
            "Boehmer, Musumeci and Poulsen 1991, J. Financial Economics 30",
            MappingProxyType({"variant": ("scar", "csar", "no_fec", "wrds")}),
        ),
        "kp_bmp_t": Method(
            parametric.kp_bmp_t,
            "many",
            "BMP, correlation-adjusted",
            _MEAN,
            _KP10,
            MappingProxyType({"variant": ("scar", "csar", "no_fec"), "pairs": _PAIRS}),
        ),
        "skew_t": Method(
            parametric.skew_t,
            "many",
            "Skewness-adjusted t",
            _MEAN,
            "Hall 1992, J. Royal Statistical Society B 54; Johnson 1978, J. American Statistical Association 73",
            MappingProxyType({"variant": ("hall", "johnson")}),
        ),
        "clustered_t": Method(
            clusters.clustered_t,
            "many",
            "Cluster-robust t",
            _MEAN,
            "Cameron, Gelbach and Miller 2011, J. Business and Economic Statistics 29",
            MappingProxyType({"cluster": ("date", "firm", "both"), "value": ("car", "scar")}),
        ),
        "calendar_time": Method(
            portfolio.calendar_time,
            "many",
            "Calendar-time portfolio",
            "the mean abnormal return of a session on which firms have their event is zero",
            "Jaffe 1974, J. Business 47; Fama 1998, J. Financial Economics 49",
            MappingProxyType({"weights": ("sqrt_n", "equal"), "errors": ("ols", "hac")}),
        ),
        "placebo": Method(
            placebo.placebo,
            "many",
            "Placebo days",
            "the average abnormal return is one of an ordinary day",
            "Nguyen and Wolf 2023, Empirical Economics; Gelbach, Helland and Klick 2013",
            MappingProxyType({"value": ("sar", "ar")}),
        ),
        "joint_wald": Method(
            joint.joint_wald,
            "many",
            "Joint test of all firms",
            "no firm's abnormal return differs from zero",
            "Binder 1985, J. Accounting Research 23; Hein and Westfall 2004, JFQA 39",
        ),
        "corrado_rank_z": Method(
            ranks.corrado_rank_z, "many", "Corrado rank", _MEDIAN, "Corrado 1989, J. Financial Economics 23"
        ),
        "grank_t": Method(
            grank.grank_t,
            "many",
            "Generalised rank t",
            _MEDIAN,
            "Kolari and Pynnönen 2011, J. Empirical Finance 18",
        ),
        "grank_z": Method(
            grank.grank_z,
            "many",
            "Generalised rank z",
            _MEDIAN,
            "Kolari and Pynnönen 2011, J. Empirical Finance 18",
        ),
        "corrado_zivney_rank_z": Method(
            ranks.corrado_zivney_rank_z,
            "many",
            "Corrado-Zivney rank",
            _MEDIAN,
            "Corrado and Zivney 1992, JFQA 27",
            MappingProxyType({"variant": ("paper", "weighted", "eiv")}),
        ),
        "corrado_zivney_sign_z": Method(
            ranks.corrado_zivney_sign_z, "many", "Corrado-Zivney sign", _MEDIAN, "Corrado and Zivney 1992, JFQA 27"
        ),
        "cumrank_z": Method(ranks.cumrank_z, "many", "Cumulated ranks", _MEDIAN, "Luoma and Pynnönen 2010; Luoma 2011"),
        "sign_z": Method(signs.sign_z, "many", "Sign", _HALF, "MacKinlay 1997, J. Economic Literature 35"),
        "sign_exact": Method(
            signs.sign_exact, "many", "Sign, exact", _HALF, "MacKinlay 1997, J. Economic Literature 35"
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
            MappingProxyType({"variant": ("auto", "exact", "normal", "normal_cc")}),
        ),
        "signflip": Method(
            resampling.signflip,
            "many",
            "Sign flips",
            "CARs are symmetric about zero",
            "Fisher 1935; Romano 1990, J. American Statistical Association 85",
            MappingProxyType({"statistic": ("t", "mean"), "cluster": tuple(WORDS)}),
        ),
        "bootstrap": Method(
            resampling.bootstrap,
            "many",
            "Bootstrap of events",
            _MEAN,
            "Efron and Tibshirani 1993; Lyon, Barber and Tsai 1999, J. Finance 54",
            MappingProxyType({"variant": ("pairs", "skew"), "cluster": tuple(WORDS)}),
        ),
        "wild_bootstrap": Method(
            resampling.wild_bootstrap,
            "many",
            "Wild cluster bootstrap",
            _MEAN,
            "Cameron, Gelbach and Miller 2008, Review of Economics and Statistics 90",
            MappingProxyType({"weights": ("rademacher", "mammen"), "cluster": tuple(WORDS)}),
        ),
    }
)

#: The field's usual panel for an average, shown beside the recommended tests unless others are asked for.
STANDARD = (
    "csect_t", "cda_t", "patell_z", "kp_patell_z", "bmp_t", "kp_bmp_t", "corrado_rank_z", "grank_t", "gsign_z", "wilcoxon",
)  # fmt: skip
