"""The registry: every test by its name, with what it overlooks. A new test is one function and one entry of ``TESTS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Literal

from eventstudy.errors import InvalidInput
from eventstudy.inference import clusters, nonparametric, parametric, resampling, single
from eventstudy.inference.clusters import WORDS
from eventstudy.inference.result import Draft, NotApplicable

Scope = Literal["one", "many"]
MeanOf = Literal["returns", "standardised", ""]
Compute = Callable[..., "Draft | NotApplicable"]


class Overlooks(Enum):
    """What a test may overlook.

    The sentences are for readers of a test's entry. Whether a study has it is measured in `eventstudy.inference.advice`, which words
    what is printed beside a result.
    """

    VARIANCE = "event-induced variance: the standard error comes from the estimation days"
    DEPENDENCE = "cross-sectional dependence: events are taken as independent"
    OVERLAP = "dependence of windows that overlap in part: what is added up by relative day sees that of one date only"
    UNKNOWN_DEPENDENCE = (
        "dependence that cannot be measured: pairs with few common estimation days count as uncorrelated"
    )
    DOUBLES = "nearly identical events, among few"
    SERIAL_CORRELATION = "serial correlation: days are taken as independent"
    SERIAL_CORRELATION_LEFT = "serial correlation beyond what the model's errors allow for"
    MISSING_EVENT_DAYS = "events missing on a day of the window: the standard error is that of an average of all events"
    MISSING_ESTIMATION_DAYS = "events missing on estimation days: an average of fewer events varies more"
    SKEWNESS = "skewness: a mean of few skewed events is not normal"
    LARGE_EVENTS = "skewness of events of unlike size: the largest decide"
    SHAPE_OF_SUMS = "skewness: event days are not ranked as estimation days are"
    ASYMMETRY = "skewness: returns are taken as symmetric"
    UNEVEN_SIGNS = "skewness: half of the returns are taken as positive"
    SIGNS_OF_SUMS = "skewness: sums of days are taken as positive as often as single days"
    FAT_TAILS = "fat tails: a sum of days is ranked among single days"


@dataclass(frozen=True, slots=True)
class Method:
    """A test as it stands in the registry.

    Attributes
    ----------
    compute : callable
        ``(AbnormalReturns, Window, **options) -> Draft | NotApplicable``.
    scope : {"one", "many"}
        Whether it tests one event or the average of several.
    title : str
        Name for people.
    null : str
        The null hypothesis in words.
    reference : str
        The paper.
    overlooks : set of Overlooks
        What it does not allow for, said beside the test where a study has it; an empty set if there is nothing to say.
    fewest : int
        Fewest events with which it keeps its size between 3.5 and 6.5 % (simulated, M = 250), or can be computed.
    fewest_dates : int
        Fewest different dates, if its unit is the date; dates of unlike size count for less. 0 if it needs none.
    fewest_days : int
        Fewest estimation days for each day of the window, if it counts them. 0 if it does not.
    options : mapping of str to tuple of str
        Named variants allowed, by option.
    mean_of : {"returns", "standardised", ""}
        What the statistic is a mean of, over its standard error: abnormal returns, as they are or standardised. Empty if it is none,
        as for ranks: then no detectable change can be read from it.
    """

    compute: Compute
    scope: Scope
    title: str
    null: str
    reference: str
    overlooks: AbstractSet[Overlooks]
    fewest: int
    fewest_dates: int
    fewest_days: int
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mean_of: MeanOf = ""

    def __post_init__(self) -> None:
        if not all(isinstance(x, Overlooks) for x in self.overlooks):
            raise InvalidInput(
                f"{self.title} overlooks {self.overlooks!r}; give a set of {', '.join(map(str, Overlooks))}."
            )
        object.__setattr__(self, "overlooks", frozenset(self.overlooks))
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))


_ONE = "the event did not move this firm's price beyond what its estimation days show"
_MEAN = "the mean abnormal return of the events is zero"
_SIGNS = "abnormal returns of the events are positive as often as on estimation days"
_RANKS = "event-window abnormal returns rank as those of the estimation days do"
_HALF = "abnormal returns of the events are positive half of the time"
_SYMMETRIC = "CARs are symmetric about zero"

_BW80 = "Brown and Warner 1980, J. Financial Economics 8"
_BW85 = "Brown and Warner 1985, J. Financial Economics 14"
_CZ92 = "Corrado and Zivney 1992, JFQA 27"
_KP10 = "Kolari and Pynnönen 2010, Review of Financial Studies 23"
_KP11 = "Kolari and Pynnönen 2011, J. Empirical Finance 18"
_MACKINLAY = "MacKinlay 1997, J. Economic Literature 35"
_NW23 = "Nguyen and Wolf 2023, Empirical Economics"

_PAIRS = ("overlap", "event_time")
_CLUSTERS = tuple(WORDS)

#: Every test by the word used in study files and tables. Where the minima come from: GRANK divides by the spread of the SCARs; tests that
#: count signs have few attainable p-values; skewness is estimated imprecisely; sums of several days overlap, so that few are independent.
# fmt: off
TESTS: Mapping[str, Method] = MappingProxyType({
    # -- one event
    "t": Method(
        single.t, "one", "Time-series t", _ONE, _MACKINLAY,
        overlooks={Overlooks.VARIANCE, Overlooks.SERIAL_CORRELATION},
        fewest=1, fewest_dates=0, fewest_days=0,
    ),
    "t_pe": Method(
        single.t_pe, "one", "t with prediction error", _ONE, "Patell 1976; Salinger 1992, JFQA 27",
        overlooks={Overlooks.VARIANCE, Overlooks.SERIAL_CORRELATION_LEFT},
        fewest=1, fewest_dates=0, fewest_days=0,
    ),
    "sq": Method(
        single.sq, "one", "Sample quantile (SQ)", _ONE,
        "Gelbach, Helland and Klick 2013, American Law and Economics Review 15",
        overlooks={Overlooks.VARIANCE},
        fewest=1, fewest_dates=0, fewest_days=100,
        options={"variant": ("scaled", "paper", "plus_one")},
    ),
    "permutation": Method(
        single.permutation, "one", "Permutation", _ONE, _NW23,
        overlooks={Overlooks.VARIANCE, Overlooks.SERIAL_CORRELATION},
        fewest=1, fewest_dates=0, fewest_days=20,
        options={"variant": ("scaled", "paper")},
    ),
    # -- an average: parametric
    "csect_t": Method(
        parametric.csect_t, "many", "Cross-sectional t", _MEAN, _BW85,
        overlooks={Overlooks.DEPENDENCE, Overlooks.SKEWNESS, Overlooks.LARGE_EVENTS},
        fewest=2, fewest_dates=0, fewest_days=0,
        mean_of="returns",
    ),
    "bw80_z": Method(
        parametric.bw80_z, "many", "Portfolio z, independent events", _MEAN, _BW80,
        overlooks={Overlooks.VARIANCE, Overlooks.DEPENDENCE},
        fewest=1, fewest_dates=0, fewest_days=0,
        mean_of="returns",
    ),
    "mackinlay_j1_z": Method(
        parametric.mackinlay_j1_z, "many", "MacKinlay J1", _MEAN, _MACKINLAY,
        overlooks={Overlooks.VARIANCE, Overlooks.DEPENDENCE},
        fewest=1, fewest_dates=0, fewest_days=0,
        mean_of="returns",
    ),
    "cda_t": Method(
        parametric.cda_t, "many", "Crude dependence adjustment", _MEAN, _BW85,
        overlooks={
            Overlooks.VARIANCE, Overlooks.OVERLAP, Overlooks.MISSING_EVENT_DAYS, Overlooks.MISSING_ESTIMATION_DAYS,
        },
        fewest=1, fewest_dates=0, fewest_days=0,
        mean_of="returns",
        options={"df": ("bw85", "params")},
    ),
    "lamb_z": Method(
        parametric.lamb_z, "many", "Crude dependence adjustment with forecast error (Lamb)", _MEAN,
        "Lamb 1995, J. Risk and Insurance 62",
        overlooks={
            Overlooks.VARIANCE, Overlooks.OVERLAP, Overlooks.MISSING_EVENT_DAYS, Overlooks.MISSING_ESTIMATION_DAYS,
        },
        fewest=1, fewest_dates=0, fewest_days=0,
        mean_of="returns",
    ),
    "patell_z": Method(
        parametric.patell_z, "many", "Patell Z", _MEAN, "Patell 1976, J. Accounting Research 14",
        overlooks={Overlooks.VARIANCE, Overlooks.DEPENDENCE},
        fewest=1, fewest_dates=0, fewest_days=0,
        mean_of="standardised",
        options={"variant": ("scar", "csar", "per_event", "wrds")},
    ),
    "kp_patell_z": Method(
        parametric.kp_patell_z, "many", "Patell Z, correlation-adjusted", _MEAN, _KP10,
        overlooks={Overlooks.VARIANCE, Overlooks.UNKNOWN_DEPENDENCE},
        fewest=1, fewest_dates=0, fewest_days=0,
        mean_of="standardised",
        options={"variant": ("scar", "csar", "per_event"), "pairs": _PAIRS},
    ),
    "bmp_t": Method(
        parametric.bmp_t, "many", "Standardised cross-sectional t (BMP)", _MEAN,
        "Boehmer, Musumeci and Poulsen 1991, J. Financial Economics 30",
        overlooks={Overlooks.DEPENDENCE, Overlooks.SKEWNESS},
        fewest=2, fewest_dates=0, fewest_days=0,
        mean_of="standardised",
        options={"variant": ("scar", "csar", "no_fec", "wrds")},
    ),
    "kp_bmp_t": Method(
        parametric.kp_bmp_t, "many", "BMP, correlation-adjusted", _MEAN, _KP10,
        overlooks={Overlooks.UNKNOWN_DEPENDENCE, Overlooks.DOUBLES, Overlooks.SKEWNESS},
        fewest=2, fewest_dates=0, fewest_days=0,
        mean_of="standardised",
        options={"variant": ("scar", "csar", "no_fec"), "pairs": _PAIRS},
    ),
    "skew_t": Method(
        parametric.skew_t, "many", "Skewness-adjusted t", _MEAN,
        "Hall 1992, J. Royal Statistical Society B 54; Johnson 1978, J. American Statistical Association 73",
        overlooks={Overlooks.DEPENDENCE},
        fewest=40, fewest_dates=0, fewest_days=0,
        options={"variant": ("hall", "johnson")},
    ),
    "clustered_t": Method(
        clusters.clustered_t, "many", "Cluster-robust t", _MEAN,
        "Cameron, Gelbach and Miller 2011, J. Business and Economic Statistics 29",
        overlooks={Overlooks.OVERLAP, Overlooks.SKEWNESS},
        fewest=2, fewest_dates=8, fewest_days=0,
        mean_of="returns",
        options={"cluster": ("date", "firm", "both"), "value": ("car", "scar")},
    ),
    "calendar_time": Method(
        clusters.calendar_time, "many", "Calendar-time portfolio",
        "the mean abnormal return of a session on which firms have their event is zero",
        "Jaffe 1974, J. Business 47; Fama 1998, J. Financial Economics 49",
        overlooks=set(),
        fewest=1, fewest_dates=0, fewest_days=0,
        options={"weights": ("sqrt_n", "equal"), "errors": ("ols", "hac")},
    ),
    "placebo": Method(
        resampling.placebo, "many", "Placebo days", "the average abnormal return is like that of an estimation day",
        f"{_NW23}; Gelbach, Helland and Klick 2013",
        overlooks={Overlooks.VARIANCE, Overlooks.OVERLAP, Overlooks.MISSING_ESTIMATION_DAYS},
        fewest=2, fewest_dates=0, fewest_days=resampling.ENOUGH_SHARED,
        options={"value": ("sar", "ar")},
    ),
    "joint_wald": Method(
        clusters.joint_wald, "many", "Joint test of all firms", "no firm's abnormal return differs from zero",
        "Binder 1985, J. Accounting Research 23; Hein and Westfall 2004, J. Financial Econometrics 2",
        overlooks={Overlooks.VARIANCE},
        fewest=1, fewest_dates=0, fewest_days=0,
    ),
    # -- an average: ranks and signs
    "corrado_rank_z": Method(
        nonparametric.corrado_rank_z, "many", "Corrado rank", _RANKS, "Corrado 1989, J. Financial Economics 23",
        overlooks={
            Overlooks.VARIANCE, Overlooks.OVERLAP, Overlooks.MISSING_EVENT_DAYS, Overlooks.MISSING_ESTIMATION_DAYS,
        },
        fewest=10, fewest_dates=0, fewest_days=0,
    ),
    "grank_t": Method(
        nonparametric.grank_t, "many", "Generalised rank t", _RANKS, _KP11,
        overlooks={Overlooks.OVERLAP, Overlooks.SHAPE_OF_SUMS, Overlooks.FAT_TAILS},
        fewest=30, fewest_dates=0, fewest_days=0,
    ),
    "grank_z": Method(
        nonparametric.grank_z, "many", "Generalised rank z", _RANKS, _KP11,
        overlooks={Overlooks.DEPENDENCE, Overlooks.SHAPE_OF_SUMS},
        fewest=30, fewest_dates=0, fewest_days=0,
    ),
    "corrado_zivney_rank_z": Method(
        nonparametric.corrado_zivney_rank_z, "many", "Corrado-Zivney rank", _RANKS, _CZ92,
        overlooks={Overlooks.VARIANCE, Overlooks.OVERLAP, Overlooks.MISSING_ESTIMATION_DAYS},
        fewest=10, fewest_dates=0, fewest_days=0,
        options={"variant": ("paper", "weighted", "eiv")},
    ),
    "corrado_zivney_sign_z": Method(
        nonparametric.corrado_zivney_sign_z, "many", "Corrado-Zivney sign", _SIGNS, _CZ92,
        overlooks={Overlooks.OVERLAP},
        fewest=1, fewest_dates=0, fewest_days=0,
    ),
    "cumrank_z": Method(
        nonparametric.cumrank_z, "many", "Cumulated ranks", _RANKS, "Luoma and Pynnönen 2010; Luoma 2011",
        overlooks={Overlooks.VARIANCE, Overlooks.DEPENDENCE},
        fewest=3, fewest_dates=0, fewest_days=0,
    ),
    "sign_z": Method(
        nonparametric.sign_z, "many", "Sign", _HALF, _MACKINLAY,
        overlooks={Overlooks.DEPENDENCE, Overlooks.UNEVEN_SIGNS},
        fewest=50, fewest_dates=0, fewest_days=0,
    ),
    "sign_exact": Method(
        nonparametric.sign_exact, "many", "Sign, exact", _HALF, _MACKINLAY,
        overlooks={Overlooks.DEPENDENCE, Overlooks.UNEVEN_SIGNS},
        fewest=100, fewest_dates=0, fewest_days=0,
    ),
    "gsign_z": Method(
        nonparametric.gsign_z, "many", "Generalised sign", _SIGNS,
        "Cowan 1992, Review of Quantitative Finance and Accounting 2",
        overlooks={Overlooks.DEPENDENCE, Overlooks.SIGNS_OF_SUMS},
        fewest=100, fewest_dates=0, fewest_days=0,
        options={"variant": ("mean", "pooled")},
    ),
    "wilcoxon": Method(
        nonparametric.wilcoxon, "many", "Wilcoxon signed rank", _SYMMETRIC, "Wilcoxon 1945, Biometrics Bulletin 1",
        overlooks={Overlooks.DEPENDENCE, Overlooks.ASYMMETRY},
        fewest=8, fewest_dates=0, fewest_days=0,
        options={"variant": ("auto", "exact", "normal", "normal_cc")},
    ),
    # -- an average: resampling
    "signflip": Method(
        resampling.signflip, "many", "Sign flips", _SYMMETRIC,
        "Fisher 1935; Romano 1990, J. American Statistical Association 85",
        overlooks={Overlooks.OVERLAP, Overlooks.SKEWNESS, Overlooks.LARGE_EVENTS},
        fewest=8, fewest_dates=8, fewest_days=0,
        options={"statistic": ("t", "mean"), "cluster": _CLUSTERS},
    ),
    "bootstrap": Method(
        resampling.bootstrap, "many", "Bootstrap of events", _MEAN,
        "Efron and Tibshirani 1993; Lyon, Barber and Tsai 1999, J. Finance 54",
        overlooks={Overlooks.OVERLAP},
        fewest=30, fewest_dates=30, fewest_days=0,
        options={"variant": ("pairs", "skew"), "cluster": _CLUSTERS},
    ),
    "wild_bootstrap": Method(
        resampling.wild_bootstrap, "many", "Wild cluster bootstrap", _MEAN,
        "Cameron, Gelbach and Miller 2008, Review of Economics and Statistics 90",
        overlooks={Overlooks.OVERLAP},
        fewest=2, fewest_dates=10, fewest_days=0,
        options={"weights": ("rademacher", "mammen"), "cluster": _CLUSTERS},
    ),
})
# fmt: on

#: The field's usual panel for an average, shown beside the recommended tests unless others are asked for.
STANDARD = (
    "csect_t", "cda_t", "patell_z", "kp_patell_z", "bmp_t", "kp_bmp_t", "corrado_rank_z", "grank_t", "gsign_z", "wilcoxon",
)  # fmt: skip


def overlooking(*what: Overlooks) -> frozenset[str]:
    """Return the names of the tests that overlook one of these."""
    return frozenset(name for name, method in TESTS.items() if not method.overlooks.isdisjoint(what))
