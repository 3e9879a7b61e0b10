"""What the residuals say against believing a test: they are skewed, neighbouring days are alike, or two events are one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.panel import FloatArray, IntArray
from eventstudy.estimation.residuals import autocorrelations
from eventstudy.inference.correlation import MIN_COMMON_DAYS, mean_correlation, pair_correlations, unknown_share
from eventstudy.inference.result import HypothesisTest
from eventstudy.windows import Window

#: Beyond this shift of its mean, in standard deviations, a two-sided 5 % test rejects more than 6 % of true nulls:
#: ``2 φ(1.96) 1.96 δ² / 2`` is 1 %. What the residuals of M days show of it over L days has an error of ``√(L/M)``; two are allowed.
SHIFT, ERRORS = 0.3, 2.0
#: Beyond this ``γ²/(n + 4)`` a t of n skewed sums rejects more than 6.5 % (simulated gamma residuals, n = 3 to 50: the excess is about
#: ``0.16 γ²/(n + 4)``, as Hall's expansion of Student's t has it for many).
SKEWED_MEAN = 0.09
#: Beyond this skewness of a sum GRANK rejects more than 6.5 % whatever the number of events (simulated gamma residuals).
SKEWED_RANKS = 0.6
#: Skewness beyond which the numbers are squares, volumes or the like.
NO_RETURN = 1.5
#: Beyond this ratio of the variance of a sum to that of independent days, t of one event rejects more than 6.7 %.
ALIKE = 1.15
#: Lags looked at, and how many standard errors above zero they must be.
LAGS, CLEAR = 5, 2.0
#: Two events with a higher residual correlation than this are one event seen twice; of three events left, `kp_bmp_t` rejects 6 to 13 %.
TWINS, FEW_LEFT, LOOK_UP_TO = 0.8, 3, 12

#: Tests by the mean of the events over their own spread.
BY_MEAN = ("bmp_t", "kp_bmp_t", "signflip", "clustered_t", "csect_t")


def doubts(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Return the tests that the residuals forbid to believe, and why."""
    return abnormal.once(("doubts", window), lambda: _doubts(abnormal, window))


def _doubts(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    if abnormal.n == 1:
        return _alike_days(abnormal, window)
    seen = np.flatnonzero(np.isfinite(abnormal.sums(window).scar))
    found = {} if abnormal.instead is not None else _skewed(abnormal, window, len(seen))
    if FEW_LEFT <= len(seen) <= LOOK_UP_TO:
        left = distinct_events(pair_correlations(abnormal, seen))
        if left <= FEW_LEFT and left < len(seen):
            found["kp_bmp_t"] = (
                f"{len(seen)} events of which {len(seen) - left} move almost as another one (residual correlation above {TWINS:g}) are too few: "
                f"leave the double out"
            )
    return found


def _alike_days(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Hold a single event's tests against the autocorrelation of its residuals, less what the model's own errors allow for."""
    inflation, allowed = serial_inflation(abnormal, window), allowed_for(abnormal, window)
    if inflation <= ALIKE:
        return {}
    measured = (
        f"neighbouring days' residuals are alike, so the variance of a sum over {len(window)} days is {inflation:.1f} times that of "
        f"independent days"
    )
    remedy = "use HacMarketModel(prewhiten=True), or single days"
    if abnormal.serial is None:
        return dict.fromkeys(("t_pe", "t", "permutation"), f"{measured}: {remedy}")
    found = dict.fromkeys(("t", "permutation"), f"{measured}, and it takes them for independent")
    if inflation > ALIKE * allowed:
        found["t_pe"] = f"{measured}, and the model's errors allow for {allowed:.1f}: {remedy}"
    return found


def _skewed(abnormal: AbnormalReturns, window: Window, n: int) -> dict[str, str]:
    found: dict[str, str] = {}
    if n < 2:
        return found
    skew = skewness(abnormal) / math.sqrt(len(window))
    measured = f"residuals are skewed ({skew:.1f} over the window)"
    if skew**2 > SKEWED_MEAN * (n + 4):
        also = "; squares and the like are better studied as logarithms" if abs(skewness(abnormal)) > NO_RETURN else ""
        found |= dict.fromkeys(BY_MEAN, f"{measured}, and a mean of {n} such events is not normal enough{also}")
    if abs(skew) > SKEWED_RANKS:
        found |= dict.fromkeys(("grank_t", "grank_z"), f"{measured}, so event days are not ranked as ordinary ones are")
    if abs(skewness(abnormal)) > NO_RETURN:
        found |= dict.fromkeys(
            ("signflip", "csect_t"), f"{measured}, and the largest of unlike events decide a mean of their sums"
        )
    most = max(SHIFT, ERRORS * math.sqrt(len(window) / max(float(abnormal.n_est.mean()), 1.0)))
    if abs(signed_rank_shift(abnormal, window, n)) > most:
        found["wilcoxon"] = f"{measured}, and it takes them for symmetric"
    positive, single = positive_share(abnormal, window), positive_share(abnormal, Window(0, 0))
    if abs(2.0 * positive - 1.0) * math.sqrt(n) > most:
        found |= dict.fromkeys(("sign_z", "sign_exact"), f"{positive:.0%} of ordinary sums are positive, not half")
    if 0.0 < single < 1.0 and abs(positive - single) * math.sqrt(n / (single * (1.0 - single))) > most:
        found["gsign_z"] = (
            f"{positive:.0%} of ordinary sums over {len(window)} days are positive, of single days {single:.0%}: believe single days"
        )
    return found


def skewness(abnormal: AbnormalReturns) -> float:
    """Return the skewness of the bulk of the residuals, as the share of positive ones shows it; 0 if there are none.

    Notes
    -----
    ``6 √(2π) (1/2 - π)`` with π the mean share of positive residuals, from Edgeworth's ``P(X > μ) ≈ 1/2 - γ/(6 √(2π))``: for gamma
    variables within 5 % of their third moment. A few far days, which move the third moment and do no harm to a mean (simulated, and
    on real returns), do not move it. A sum of L independent days has ``1/√L`` of it.
    """
    share = positive_share(abnormal, Window(0, 0))
    return 6.0 * math.sqrt(2.0 * math.pi) * (0.5 - share) if math.isfinite(share) else 0.0


def signed_rank_shift(abnormal: AbnormalReturns, window: Window, n: int) -> float:
    """Return how far from zero Wilcoxon's z of n events lies on average if the null holds, from the sums of ordinary days.

    Notes
    -----
    ``√(3n) (π - 1/2)`` with π the chance that two sums of L ordinary days of the study add up to more than zero, which is W⁺ of all
    such sums over its largest value. Lehmann (1975), Nonparametrics, ch. 4.
    """

    def compute() -> float:
        length = len(window)
        days = abnormal.residuals[:, : abnormal.residuals.shape[1] // length * length]
        sums = days.reshape(len(days), -1, length).sum(axis=2).ravel()
        sums = sums[np.isfinite(sums) & (sums != 0.0)]
        m = len(sums)
        if m == 0:
            return 0.0
        rank = np.empty(m)
        rank[np.argsort(np.abs(sums), kind="stable")] = np.arange(1, m + 1)
        return float(rank[sums > 0].sum()) / (m * (m + 1) / 2.0) - 0.5

    return math.sqrt(3.0 * n) * abnormal.once(("signed ranks", len(window)), compute)


def positive_share(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the share of positive sums of as many ordinary days in a row as the window has, mean over events; NaN if there is none."""

    def compute() -> float:
        sums = running_sums(abnormal.residuals, len(window))
        count = np.isfinite(sums).sum(axis=1)
        share = (sums > 0).sum(axis=1)[count > 0] / count[count > 0]
        return float(share.mean()) if share.size else float("nan")

    return abnormal.once(("positive share", len(window)), compute)


def running_sums(values: FloatArray, length: int) -> FloatArray:
    """Return the sums of ``length`` neighbours in each row, shape (N, M - length + 1); NaN where one is missing."""
    if length == 1:
        return values
    if length > values.shape[1]:
        return np.empty((len(values), 0))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(values, length, axis=1).sum(axis=2), dtype=np.float64)


def serial_inflation(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the variance of one event's sum over the window, over that of a sum of independent days; 1 unless it is clearly above.

    Notes
    -----
    ``1 + 2 Σ_k (1 - k/L) ρ_k``, once with the sample's ρ_1 to ρ_5 and once with ``ρ_1^k``, the larger one; each counts if it lies two
    standard errors above 1, where ρ_k has the error ``1/√M``. Bartlett (1946), Supplement to the JRSS 8, 27-41.
    """
    length = len(window)
    if length == 1:
        return 1.0
    rho = autocorrelations(abnormal.residuals, LAGS)[0]
    error = 1.0 / math.sqrt(max(int(abnormal.n_est[0]), 1))
    weights = 2.0 * (1.0 - np.arange(1, length) / length)
    lags = min(LAGS, length - 1)
    as_measured = float(weights[:lags] @ rho[:lags])
    by_first = float(weights @ rho[0] ** np.arange(1, length))
    clear = [
        as_measured if as_measured > CLEAR * error * float(np.sqrt((weights[:lags] ** 2).sum())) else 0.0,
        by_first if rho[0] > CLEAR * error else 0.0,
    ]
    return 1.0 + max(*clear, 0.0)


def allowed_for(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the variance of one event's sum over that of independent days as the model's own autocorrelations have it; 1 without any."""
    if abnormal.serial is None or len(window) == 1:
        return 1.0
    lags = min(abnormal.serial.shape[1], len(window) - 1)
    weights = 2.0 * (1.0 - np.arange(1, lags + 1) / len(window))
    return 1.0 + float(weights @ abnormal.serial[0, :lags])


def distinct_events(correlations: FloatArray) -> int:
    """Return how many events are left if each that moves almost as an earlier one is left out."""
    earlier: IntArray = np.asarray((np.triu(correlations, 1) > TWINS).any(axis=0), dtype=np.int64)
    return int(len(earlier) - earlier.sum())


# -- Which test to believe for the design at hand, and why.


#: Tests to believe, by design, if there are events enough. What each one's size is in its design, on simulated and on real returns:
#: docs/size.csv. On one date none whose yardstick is the variance of ordinary days: few events cannot show that the day was wilder, and
#: then these reject 10 to 20 %, while `kp_bmp_t` has their power from ten events on.
RECOMMENDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "one event": ("t_pe", "sq", "permutation"),
        "one date": ("kp_bmp_t",),
        "shared dates": ("kp_bmp_t", "clustered_t", "signflip"),
        "overlapping": ("kp_bmp_t",),
        "separate dates": ("bmp_t", "grank_t", "signflip", "wilcoxon", "gsign_z"),
        "buy-and-hold": ("skew_t", "signflip"),
    }
)

#: Tests that take the events for independent: on a common date they reject far too often.
ASSUME_INDEPENDENCE = frozenset(
    {
        "csect_t", "bw80_z", "mackinlay_j1_z", "patell_z", "bmp_t", "skew_t", "sign_z", "sign_exact", "gsign_z", "cumrank_z", "grank_z",
        "wilcoxon",
    }
)  # fmt: skip

#: Tests that add up events by relative day: they see the correlation of events on one date, not of neighbouring dates.
#: With windows of five days on dates within a week they reject 10 to 17 % at a nominal 5 % (residual correlation 0.1).
IN_EVENT_TIME = frozenset(
    {
        "cda_t", "lamb_z", "placebo", "grank_t", "corrado_rank_z", "corrado_zivney_rank_z", "corrado_zivney_sign_z",
        "clustered_t", "signflip", "bootstrap", "wild_bootstrap",
    }
)  # fmt: skip

#: Tests whose yardstick is the variance of ordinary days: on a wilder day they reject too often.
ORDINARY_VARIANCE = frozenset(
    {
        "bw80_z", "mackinlay_j1_z", "cda_t", "lamb_z", "patell_z", "kp_patell_z", "placebo", "joint_wald", "corrado_rank_z",
        "corrado_zivney_rank_z", "cumrank_z",
    }
)  # fmt: skip

#: Fewest events with which a test keeps its size between 3.5 and 6.5 % (simulated, M = 250). GRANK divides by the spread of the SCARs;
#: tests that count signs have few attainable p-values; skewness is learnt slowly.
FEWEST: Mapping[str, int] = MappingProxyType(
    {
        "grank_t": 30, "grank_z": 30, "sign_z": 50, "sign_exact": 100, "gsign_z": 100, "wilcoxon": 8, "signflip": 8, "skew_t": 40,
        "bootstrap": 30, "corrado_rank_z": 10, "corrado_zivney_rank_z": 10, "cumrank_z": 3,
    }
)  # fmt: skip
#: Fewest different dates for tests whose unit of resampling, or of clustering, is the date; dates of unlike size count for less.
FEWEST_DATES: Mapping[str, int] = MappingProxyType(
    {"clustered_t": 8, "signflip": 8, "bootstrap": 30, "wild_bootstrap": 10}
)
#: Fewest ordinary days, for each day of the window, for a test that counts them: sums of several days overlap, so that few are
#: independent (`sq` over five days rejects 6.7 % with M = 250).
FEWEST_DAYS: Mapping[str, int] = MappingProxyType({"sq": 100, "placebo": 60, "permutation": 20})

#: Beyond this ratio of variances the events are no ordinary draw whatever their number, and `ORDINARY_VARIANCE` tests reject far too
#: often: at the ratio of 27 January 2025 (16) the crude dependence adjustment rejects 62 % of true nulls (simulated).
WILD = 3.0
#: Of many events a ratio this small is no chance, and those tests reject 10 % and more at a ratio of 2.
WILD_MANY = 1.5
#: On real returns this many firms or more on one date share more than the market: even the believed test rejects 6 to 13 %.
MANY_FIRMS = 30
#: Tests whose yardstick is the average of all events on ordinary days: with half the events missing on the event day they reject
#: 16 to 19 % (simulated, 12 of 24 events).
NEED_ALL_EVENTS = frozenset({"cda_t", "lamb_z", "corrado_rank_z"})
#: Tests that measure the mean correlation of the events.
BY_CORRELATION = frozenset({"kp_bmp_t", "kp_patell_z"})
#: What is left of independent events if their mean is not to be recommended: ranks of single days have no shape.
IN_PLACE_OF_MEANS = ("corrado_rank_z",)
#: Beyond this share of missing estimation days an average over days with fewer events is no yardstick for a day with all of them.
MISSING = 0.10
#: Beyond this share of pairs without common estimation days enough, r̄ does not measure the correlation of the events.
UNKNOWN = 0.05
#: Beyond this share of estimation days without a move, beta is biased towards zero.
STILL = 0.15

_WHY = {
    "one event": "one event: its own ordinary days are the yardstick",
    "one date": "all events share one date, so they are not independent, and news makes a day wilder than others: only a test that "
    "allows for their ordinary correlation and for a wilder day in each firm's own part; a move that all have in common cannot be told from the news",
    "shared dates": "some events share a date, so they are not independent: trust only tests that allow for correlation",
    "overlapping": "some windows share calendar days, so events are correlated across relative days: only a test that takes "
    "the correlation day by calendar day",
    "separate dates": "windows share no calendar days: tests for independent events that stand a change of variance",
    "buy-and-hold": "buy-and-hold returns are skewed and have no standard error of their own: tests that take their spread from the "
    "events and allow for skewness",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """Which tests to believe for a design, and why.

    Attributes
    ----------
    design : str
        ``one event``, ``one date``, ``shared dates``, ``overlapping``, ``separate dates`` or ``buy-and-hold``.
    window : Window
        The days that are tested.
    names : tuple of str
        The tests to believe, the first one first.
    reason : str
        Why, in a sentence.
    tests : tuple of HypothesisTest
        Their outcomes.
    """

    design: str
    window: Window
    names: tuple[str, ...]
    reason: str
    tests: tuple[HypothesisTest, ...] = ()

    @property
    def sentence(self) -> str:
        """The advice in one sentence."""
        return f"Believe {', '.join(self.names) or 'no test'}: {self.reason}."

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"  {t}" for t in self.tests)])

    def __repr__(self) -> str:
        return str(self)


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
    return abnormal.once(("advice", window), lambda: _recommend(abnormal, window))


def _recommend(abnormal: AbnormalReturns, window: Window) -> tuple[str, tuple[str, ...], str]:
    design = design_of(abnormal.position, window)
    wanted = RECOMMENDED[design]
    if abnormal.instead is not None and abnormal.n > 1:
        # one event's own error is an approximation, so only tests with a spread across events
        wanted = {"separate dates": RECOMMENDED["buy-and-hold"], "shared dates": ("kp_bmp_t", "clustered_t")}.get(
            design, ("kp_bmp_t",)
        )
    reasons = [_WHY["buy-and-hold" if abnormal.instead is not None and design == "separate dates" else design]]
    ratio, most = variance_ratio(abnormal, window), wild_beyond(int(np.isfinite(abnormal.sums(window).scar).sum()))
    short = {t: why for t in wanted if (why := _too_few(abnormal, window, t))}
    unknown, misled = _unknown(abnormal, window), doubts(abnormal, window)
    recommended = tuple(t for t in wanted if t not in (*short, *misled) and not (unknown and t in BY_CORRELATION))
    if (
        not recommended
        and wanted[0] in misled
        and wanted[0] in BY_MEAN
        and design == "separate dates"
        and ratio <= most
    ):
        recommended = tuple(t for t in IN_PLACE_OF_MEANS if len(window) == 1 and not _too_few(abnormal, window, t))
    reasons += [unknown] if unknown else []
    reasons += _told(misled, tuple(t for t in wanted if t not in short))
    if abnormal.n == 1 and short:
        reasons.append("; ".join(f"{t} over {len(window)} days {why}" for t, why in short.items()))
    if ratio > most:
        reasons.append(
            f"the spread of these abnormal returns is {ratio:.1f} times the ordinary (in variance), which tests that take it for ordinary "
            f"overlook"
        )
    return design, recommended, "; ".join([*reasons, *_cautions(abnormal, window, design)])


def _told(misled: Mapping[str, str], wanted: tuple[str, ...]) -> list[str]:
    """Return why tests that this design would be given to believe are not, those with one reason together."""
    why = {misled[t]: [u for u in wanted if misled.get(u) == misled[t]] for t in wanted if t in misled}
    return [f"not {', '.join(tests)}: {reason}" for reason, tests in why.items()]


def _unknown(abnormal: AbnormalReturns, window: Window) -> str:
    """Say that the correlation of the events cannot be measured, or return an empty text."""
    share = unknown_share(abnormal, np.flatnonzero(np.isfinite(abnormal.sums(window).scar)), window)
    if share <= UNKNOWN:
        return ""
    return (
        f"{share:.0%} of the pairs of events have fewer than {MIN_COMMON_DAYS} estimation days in common, so their correlation "
        f"is not known: lengthen the estimation window"
    )


def _blind(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Return what missing days do to tests by the average of all events on ordinary days."""
    if abnormal.n < 2:
        return {}
    if not np.isfinite(abnormal.residuals).mean() >= 1.0 - MISSING:
        return dict.fromkeys(
            (*sorted(NEED_ALL_EVENTS), "placebo", "corrado_zivney_rank_z"), "misled by missing estimation days"
        )
    if not np.isfinite(abnormal.ar[:, abnormal.columns_of(window)]).all():
        return dict.fromkeys(sorted(NEED_ALL_EVENTS), "misled by missing days in the window")
    return {}


def _too_few(abnormal: AbnormalReturns, window: Window, test: str) -> str:
    """Say of what a test has too few here, or return an empty text."""
    seen = np.isfinite(abnormal.sums(window).car)
    events, days = int(seen.sum()), int(abnormal.n_est.min())
    _, sizes = np.unique(abnormal.position[seen], return_counts=True)
    dates = float(events**2 / (sizes**2).sum()) if events else 0.0
    if test == "grank_t" and len(window) > 1 and abnormal.n > 1:
        return "of several days rejects 6 to 8 % where single days have fat tails"
    if abnormal.n > 1 and events < FEWEST.get(test, 2):
        return f"needs {FEWEST.get(test, 2)} events or more"
    if dates < FEWEST_DATES.get(test, 0):
        return f"needs {FEWEST_DATES[test]} dates or more"
    if days < FEWEST_DAYS.get(test, 0) * len(window):
        return f"needs {FEWEST_DAYS[test] * len(window)} estimation days or more"
    return ""


def _cautions(abnormal: AbnormalReturns, window: Window, design: str) -> list[str]:
    """Return what else to mind: many firms on one date, few dates, thin trading, missing days."""
    found = []
    dates = len(np.unique(abnormal.position))
    if design == "one date" and abnormal.n >= MANY_FIRMS:
        found.append("on real returns so many firms on one date share more than the market, and even this test rejects 6 to 13% of true nulls: "
                     "take a p between 0.01 and 0.05 for unclear")  # fmt: skip
    if design == "shared dates" and dates < FEWEST_DATES["clustered_t"]:
        found.append(f"with {dates} dates even this test rejects up to 10% of true nulls")
    still = int((abnormal.still > STILL).sum())
    if still:
        found.append(
            f"{still} of {abnormal.n} firms often do not trade, so beta is too small: compare Dimson or TradeToTrade"
        )
    lost = int((~np.isfinite(abnormal.ar[:, abnormal.columns_of(window)])).any(axis=1).sum())
    if lost:
        found.append(f"{lost} of {abnormal.n} events lack days in the window")
    return found


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
    """Return the cross-sectional variance of SCAR over its ordinary variance, ``(1 - r̄) mean (M-p)/(M-p-2)``.

    NaN for fewer than two events. With the mean residual correlation r̄ the ordinary spread of events on one date is smaller than each
    one's own variance.
    """
    scar = abnormal.sums(window).scar
    seen = np.flatnonzero(np.isfinite(scar))
    if len(seen) < 2:
        return float("nan")
    degrees = abnormal.df[seen]
    ordinary = float(np.mean(degrees / np.maximum(degrees - 2.0, 1.0)))
    shared = min(max(mean_correlation(abnormal, seen, window), 0.0), 0.99)
    return float(np.var(scar[seen], ddof=1) / (ordinary * (1.0 - shared)))


def wild_beyond(n: int) -> float:
    """Return the variance ratio of n events beyond which the day is no ordinary one.

    The 95 % point of ``χ²(n-1)/(n-1)``, which independent events exceed by chance once in twenty, between 1.5 and 3.
    """
    from scipy.special import chdtri

    if n < 2:
        return WILD
    return min(max(float(chdtri(n - 1, 0.05)) / (n - 1), WILD_MANY), WILD)


def takes_as_independent(design: str) -> frozenset[str]:
    """Return the tests that take correlated events for independent in a design named by `recommend`."""
    if design in ("one date", "shared dates"):
        return ASSUME_INDEPENDENCE
    return ASSUME_INDEPENDENCE | IN_EVENT_TIME if design == "overlapping" else frozenset()


def notes_on_tests(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Return a note for every test of an average that the design makes one: believe it, or what it overlooks.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        The window to be tested.

    Returns
    -------
    dict of str
        By test name; tests without a note are left out.
    """
    design, recommended, _ = recommend(abnormal, window)
    counted = {*FEWEST, *FEWEST_DATES, *FEWEST_DAYS}
    notes = dict.fromkeys(sorted(ORDINARY_VARIANCE), "takes the day's variance for ordinary")
    notes |= {t: why for t in sorted(counted) if (why := _too_few(abnormal, window, t))}
    notes |= doubts(abnormal, window)
    notes |= _blind(abnormal, window)
    notes |= dict.fromkeys(takes_as_independent(design), "takes events for independent")
    return notes | dict.fromkeys(recommended, "recommended")
