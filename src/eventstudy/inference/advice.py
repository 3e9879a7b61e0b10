"""Which tests are recommended for a study's design and days, and what the others overlook there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from eventstudy.estimation.abnormal import RUN_UP, AbnormalReturns
from eventstudy.estimation.deferred import is_many
from eventstudy.estimation.panel import BoolArray, FloatArray, IntArray
from eventstudy.estimation.residuals import autocorrelations
from eventstudy.inference.asked import asked
from eventstudy.inference.correlation import MIN_COMMON_DAYS, mean_correlation, pair_correlations, unknown_share
from eventstudy.inference.days import CountSizes, SharePositive, SumByDay, block_sums
from eventstudy.inference.registry import TESTS, Overlooks, overlooking
from eventstudy.inference.resampling import sums_of_shared_days
from eventstudy.inference.result import HypothesisTest, members
from eventstudy.windows import Window
from eventstudy.wording import first_few, plural

T = TypeVar("T")

#: Tests recommended by design, if there are events enough. What each one's size is in its design, on simulated and on real returns:
#: docs/size.csv. One event has one test, that of the interval printed beside it. On one date none that overlooks event-induced variance:
#: few events cannot show it, and then these reject 10 to 20 %, while `kp_bmp_t` has their power from ten events on.
RECOMMENDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "one event": ("t_pe",),
        "one date": ("kp_bmp_t",),
        "shared dates": ("kp_bmp_t", "clustered_t", "signflip"),
        "overlapping": ("kp_bmp_t",),
        "separate dates": ("bmp_t", "grank_t", "signflip", "wilcoxon", "gsign_z"),
    }
)
#: The same for buy-and-hold returns, by design: their own standard error is an approximation, so of several events only tests with a
#: spread across events.
RECOMMENDED_BUY_AND_HOLD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "one event": RECOMMENDED["one event"],
        "one date": ("kp_bmp_t",),
        "shared dates": ("kp_bmp_t", "clustered_t"),
        "overlapping": ("kp_bmp_t",),
        "separate dates": ("skew_t", "signflip"),
    }
)
#: What is left for independent events on one day if their mean is ruled out: ranks of single days have no shape.
RANKS_FOR_SKEWED_MEANS = ("corrado_rank_z",)

_WHY = {
    "one event": "one event: it is compared with its own estimation days",
    "one date": "all events share one date, so they are not independent, and news makes a day more volatile than others (event-induced "
    "variance): only a test that allows for the events' usual correlation and for that variance in each firm's own part; a move that all "
    "have in common cannot be told from the news",
    "shared dates": "some events share a date, so they are not independent: only tests that allow for correlation",
    "overlapping": "some windows share calendar days, so events are correlated across relative days: only a test that takes "
    "the correlation day by calendar day",
    "separate dates": "windows share no calendar days: tests for independent events that allow for event-induced variance",
}
_WHY_BUY_AND_HOLD = _WHY | {
    "separate dates": "buy-and-hold returns are skewed and have no standard error of their own: tests that take their spread from the "
    "events and allow for skewness",
}

#: So many events are named.
NAMED = 6
#: On real returns this many firms or more on one date share more than the market: even the recommended test rejects 6 to 13 %.
MANY_FIRMS = 30
#: From so many dates on, those of unlike size counting for less, tests of dates take the place of `kp_bmp_t` where events share dates: it
#: rejects 8 to 15 % if what the events of a date have in common doubles on event days, these 4 to 5 %.
ENOUGH_DATES = 10
#: With fewer different dates that events share even `kp_bmp_t` rejects up to 10 %.
FEW_DATES = 8
OF_DATES = ("clustered_t", "signflip")
#: On one date the firms' own differences hide a common move of so few from `kp_bmp_t` (simulated, a move of 10 %: 19 % of draws with two
#: firms, 53 % with three, 95 % with five; `placebo` and `lamb_z` all); the portfolio's own days are compared beside it.
FEW_FIRMS = 5
#: Tests of the portfolio under its own null, the first that suits the days; the second with so many estimation days or more.
OF_PORTFOLIO, PORTFOLIO_DAYS = ("placebo", "lamb_z"), 120
#: Beyond this share of pairs without common estimation days enough, r̄ does not measure the correlation of the events.
UNKNOWN = 0.05
#: Beyond this share of estimation days without a move, beta is biased towards zero.
STILL = 0.15


@dataclass(frozen=True, slots=True)
class Advice:
    """Which tests are recommended for a design, and why.

    Attributes
    ----------
    design : str
        ``one event``, ``one date``, ``shared dates``, ``overlapping`` or ``separate dates``.
    window : Window
        The days that are tested.
    names : tuple of str
        The recommended tests, the first one first.
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
        """The advice in words."""
        return f"Recommended: {', '.join(self.names) or 'no test'}. {self.reason[:1].upper()}{self.reason[1:]}."

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"  {t}" for t in self.tests)])

    def __repr__(self) -> str:
        return str(self)


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


def recommend(abnormal: AbnormalReturns, window: Window) -> tuple[str, tuple[str, ...], str]:
    """Return the design's name, the recommended tests and the reason in a sentence.

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
    return abnormal.once(("advice", window), lambda: _recommend_of_sums(abnormal, window))


def _recommend_of_sums(abnormal: AbnormalReturns, window: Window) -> tuple[str, tuple[str, ...], str]:
    """Return the advice on the events that have a sum over the window, and say which have none."""
    abnormal.ask_at_once(*asked(abnormal.position, window))
    part, why = abnormal.with_sums(window), abnormal.why_no_sum(window)
    if all(why):
        return design_of(abnormal.position, window), (), f"no abnormal return over days {window}: {why[0]}"
    blind = _without_day_0(abnormal, window)
    if len(blind) == part.n:
        return design_of(abnormal.position, window), (), f"no abnormal return on day 0, so the news is not in {window}"
    if abnormal.n == 1 and abnormal.skip_gaps and not np.isfinite(abnormal.ar[0, abnormal.columns_of(window)]).all():
        return (
            design_of(abnormal.position, window),
            (),
            f"days of {window} lack an abnormal return, so its sum is of the others alone",
        )
    design, names, reason = _recommend(part, window)
    if blind:
        reason += f"; without an abnormal return on day 0, and counted with their other days: {first_few(blind, NAMED)}"
    if part.n < abnormal.n:
        lost = [key for key, reason in zip(abnormal.keys, why, strict=True) if reason]
        reason += f"; left out for want of an abnormal return on every day of the window: {first_few(lost, NAMED)}"
    return design, names, reason


def _without_day_0(abnormal: AbnormalReturns, window: Window) -> list[str]:
    """Return the events whose sum over a window that holds day 0 skips it."""
    if not abnormal.skip_gaps or 0 not in window:
        return []
    there = np.isfinite(abnormal.ar[:, -abnormal.window.start]) | ~np.isfinite(abnormal.sums(window).car)
    return [abnormal.keys[i] for i in np.flatnonzero(~there).tolist()]


def _recommend(abnormal: AbnormalReturns, window: Window) -> tuple[str, tuple[str, ...], str]:
    design = design_of(abnormal.position, window)
    if abnormal.void and abnormal.n > 1:
        return design, (), abnormal.void
    compounded = abnormal.has("reference_returns")
    wanted = (RECOMMENDED_BUY_AND_HOLD if compounded else RECOMMENDED)[design]
    unsized = {t: why for t in wanted if (why := _why_unsized(abnormal, window, t))}
    overlooked, unknown = ruled_out(abnormal, window), _unknown_dependence(abnormal, window)
    unmeasured = overlooking(Overlooks.UNKNOWN_DEPENDENCE) if unknown else frozenset()
    recommended = tuple(t for t in wanted if t not in unsized and t not in overlooked and t not in unmeasured)
    if design == "shared dates" and dates_of(abnormal, window) >= ENOUGH_DATES:
        recommended = tuple(t for t in recommended if t in OF_DATES) or recommended
    ratio, limit = variance_ratio(abnormal, window), variance_limit(_observed(abnormal, window))
    skewed_mean = wanted[0] in overlooked and Overlooks.SKEWNESS in TESTS[wanted[0]].overlooks
    if not recommended and skewed_mean and design == "separate dates" and len(window) == 1 and ratio <= limit:
        recommended = tuple(t for t in RANKS_FOR_SKEWED_MEANS if not _why_unsized(abnormal, window, t))
    reasons = [(_WHY_BUY_AND_HOLD if compounded else _WHY)[design]]
    reasons += [unknown] if unknown else []
    reasons += _why_not(overlooked, tuple(t for t in wanted if t not in unsized))
    if ratio > limit:
        reasons.append(
            f"the variance of these abnormal returns is {ratio:.1f} times that of estimation days (event-induced variance), which some "
            f"tests overlook"
        )
    return design, recommended, "; ".join([*reasons, *_cautions(abnormal, window, design, recommended)])


def beside(abnormal: AbnormalReturns, window: Window) -> tuple[str, ...]:
    """Return the test of the portfolio that is shown beside the recommended one: few firms on one date; empty otherwise.

    Its null is another one, that the day is an ordinary one of this portfolio, as it is for a single firm.
    """
    n = _observed(abnormal, window)
    if not 1 < n <= FEW_FIRMS or abnormal.void or design_of(abnormal.position, window) != "one date":
        return ()
    if abnormal.has("reference_returns") or abnormal.has("span"):
        return ()
    lacking = _lacking(abnormal, window)
    first, second = OF_PORTFOLIO
    if not _why_unsized(abnormal, window, first) and first not in lacking:
        return (first,)
    return (second,) if int(abnormal.n_est.min()) >= PORTFOLIO_DAYS and second not in lacking else ()


def dates_of(abnormal: AbnormalReturns, window: Window) -> float:
    """Return how many dates of equal size the events that have a return are worth, ``n²/Σ n_g²``."""
    _, sizes = np.unique(abnormal.position[np.isfinite(abnormal.sums(window).car)], return_counts=True)
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) else 0.0


def _why_not(overlooked: Mapping[str, str], wanted: tuple[str, ...]) -> list[str]:
    """Return why tests that suit the design are not recommended, those with one reason together."""
    why = {overlooked[t]: [u for u in wanted if overlooked.get(u) == overlooked[t]] for t in wanted if t in overlooked}
    return [f"not {', '.join(tests)}: {reason}" for reason, tests in why.items()]


def _observed(abnormal: AbnormalReturns, window: Window) -> int:
    """Return how many events have an abnormal return in the window."""
    return int(np.isfinite(abnormal.sums(window).scar).sum())


def _why_unsized(abnormal: AbnormalReturns, window: Window, test: str) -> str:
    """Say why a test does not keep its size here, or return an empty text."""
    method, seen = TESTS[test], np.isfinite(abnormal.sums(window).car)
    events, days = int(seen.sum()), int(abnormal.n_est.min())
    several = abnormal.n > 1
    if several and len(window) > 1 and Overlooks.FAT_TAILS in method.overlooks:
        return "over several days it rejects 6 to 8 % of true nulls where single days have fat tails"
    if several and events < method.fewest:
        return f"needs {plural(method.fewest, 'event')} or more"
    if method.fewest_dates and dates_of(abnormal, window) < method.fewest_dates:
        return f"needs {plural(method.fewest_dates, 'date')} or more"
    if days < method.fewest_days * len(window):
        return f"needs {method.fewest_days * len(window)} estimation days or more"
    return ""


def _unknown_dependence(abnormal: AbnormalReturns, window: Window) -> str:
    """Say that the correlation of the events cannot be measured, or return an empty text."""
    share = unknown_share(abnormal, members(abnormal.sums(window).scar), window)
    if share <= UNKNOWN:
        return ""
    return (
        f"{share:.0%} of the pairs of events have fewer than {MIN_COMMON_DAYS} estimation days in common, so their correlation "
        f"is not known: lengthen the estimation window"
    )


def _cautions(abnormal: AbnormalReturns, window: Window, design: str, recommended: tuple[str, ...]) -> list[str]:
    """Return what else a reader should know: few or many firms on one date, few dates, thin trading, missing days."""
    found = []
    if others := beside(abnormal, window):
        asked = "the day is an ordinary one" if len(window) == 1 else f"the days {window} are ordinary ones"
        found.append(
            f"so few firms hide a move that they share from it (of two firms it finds a common fall of 10% one time in five, of three "
            f"every second time); {others[0]} beside it asks whether {asked} of their portfolio"
        )
    if design == "one date" and abnormal.n >= MANY_FIRMS:
        found.append(
            "on real returns so many firms on one date share more than the market, and even this test rejects 6 to 13% of true nulls: "
            "take a p between 0.01 and 0.05 for unclear"
        )
    dates = len(np.unique(abnormal.position))
    if design == "shared dates" and dates < FEW_DATES:
        found.append(f"with {dates} dates even this test rejects up to 10% of true nulls")
    if design in ("shared dates", "overlapping") and "kp_bmp_t" in recommended:
        found.append(
            "where what events of common days share doubles on event days kp_bmp_t rejects 8 to 15% of true nulls: tests that allow for it "
            f"need {ENOUGH_DATES} dates apart"
        )
    if "t_pe" in recommended:
        found += _cautions_of_one(abnormal, window)
    if design == "one date" and "kp_bmp_t" in recommended and (worth := independent_worth(abnormal, window)) < math.inf:
        found.append(
            f"the events move in blocks or against one another, so their spread is known as from {worth:.0f} alike, not {abnormal.n}: kp_bmp_t "
            f"then rejects 6 to 11% of true nulls"
        )
    still = int((abnormal.zero_share > STILL).sum())
    if still:
        found.append(
            f"{still} of {abnormal.n} firms often do not trade, so beta is too small: compare Dimson or TradeToTrade"
        )
        if abnormal.n == 1:
            found[-1] += (
                f"; {abnormal.zero_share[0]:.0%} of its estimation days are still, and on a day with a trade t_pe rejects 7% of true nulls "
                f"where a fifth of the days are, 11% at two fifths, 18% at three"
            )
    lost = int((~np.isfinite(abnormal.ar[:, abnormal.columns_of(window)])).any(axis=1).sum())
    if lost:
        found.append(f"{lost} of {abnormal.n} events lack days in the window")
    return found


#: Ratios of the deviation of the month before a window to that of the estimation days beyond which it was restless or calm. Measured on all
#: days of the 28 embedded shares, 0 to 20 sessions between estimation window and event: 7.0 to 9.3 % and 2.7 to 2.9 % rejected at 5 %.
RESTLESS, CALM = 1.5, 0.6
#: A benchmark beyond so many standard deviations: on the twelve farthest days of 2022 to 2025 t with prediction error rejects 12 to 16 %
#: of the 28 embedded shares.
FAR_MOVE = 3.0
#: From so many days on a serial correlation too small to be seen matters.
LONG = 5
#: Beyond this first autocorrelation of residuals, as volumes have, even a single day is far from the window's mean too often.
PERSISTENT = 0.3
#: Below this share of n - 1 the degrees of freedom of a spread across events show blocks; so many events are looked at.
BLOCKS, FEWEST_IN_BLOCKS, MOST_IN_BLOCKS = 0.65, 4, 1000


def _cautions_of_one(abnormal: AbnormalReturns, window: Window) -> list[str]:
    """Return where t with prediction error of one event does not keep its size: rates measured in docs/size.csv."""
    found, days = [], abnormal.residuals[0][np.isfinite(abnormal.residuals[0])]
    if len(days) > RUN_UP:
        ratio = float(np.std(month_before(abnormal, window), ddof=1) / abnormal.sigma[0])
        if ratio > RESTLESS:
            found.append(
                f"the {RUN_UP} sessions before spread {ratio:.1f} times as widely as the estimation days: after such a month t_pe rejects 7 to 9% "
                f"of true nulls of shares, 18 to 20% where restlessness lasts: compare GarchMarketModel"
            )
        elif ratio < CALM:
            found.append(
                f"the {RUN_UP} sessions before spread {ratio:.1f} times as widely as the estimation days: after such a calm month t_pe rejects "
                f"3% of true nulls at most"
            )
    if (far := farthest_move(abnormal, window)) > FAR_MOVE:
        found.append(
            f"the benchmark moved {far:.0f} of its standard deviations: on such days shares' own parts vary more too, and t_pe rejects 12 to 16% "
            f"of true nulls of shares"
        )
    if len(window) >= LONG and not abnormal.has("serial"):
        found.append(
            f"over {len(window)} days t_pe rejects 7 to 8% of true nulls at a serial correlation of 0.1, which {len(days)} days hardly show"
        )
    if len(window) == 1 and float(autocorrelations(abnormal.residuals, 1)[0, 0]) > PERSISTENT:
        found.append(
            "residuals are persistent, as those of volumes are, so that even one day lies far from them too often: t_pe rejects 7 to 10% "
            "of true nulls"
        )
    return found


def month_before(abnormal: AbnormalReturns, window: Window) -> FloatArray:
    """Return one event's last abnormal returns before a window, shape (20,) or fewer, the model estimated as ever.

    Of the event window's days before it, of the sessions between the windows, and, where these are too few, of the last estimation days.
    """
    earlier = abnormal.comparable[0, : abnormal.columns_of(window).start]
    days = np.concatenate([abnormal.residuals[0], abnormal.run_up[0], earlier])
    return np.asarray(days[np.isfinite(days)][-RUN_UP:], dtype=np.float64)


def farthest_move(abnormal: AbnormalReturns, window: Window) -> float:
    """Return how many of its standard deviations one event's benchmark lies from its mean on the window's farthest day.

    From the forecast-error factor, ``C = 1 + 1/M + z²/(M - 1)``; with several factors z² is Mahalanobis' distance. 0 if nothing is estimated.
    """
    m, days = float(abnormal.n_est[0]), abnormal.columns_of(window)
    squares = (abnormal.c[0, days] - abnormal.relative_variance[0, days] - 1.0 / m) * (m - 1.0)
    return math.sqrt(max(float(np.nanmax(squares, initial=0.0)), 0.0))


def independent_worth(abnormal: AbnormalReturns, window: Window) -> float:
    """Return how many alike events tell as much of the spread across them, if they move in blocks; infinity if they do not.

    Notes
    -----
    1 + ``tr(AR)²/tr((AR)²)``, R the residual correlations and A the centring matrix: Satterthwaite's degrees of freedom of a sample variance,
    n - 1 whatever the one correlation of all pairs. What chance adds to squared correlations of M days, ``n(n-1)/M``, is taken off.
    Satterthwaite (1946), Biometrics Bulletin 2, 110-114.
    """
    seen = members(abnormal.sums(window).scar)
    n = len(seen)
    if not FEWEST_IN_BLOCKS <= n <= MOST_IN_BLOCKS:
        return math.inf

    def compute() -> float:
        rho = pair_correlations(abnormal, seen)
        np.fill_diagonal(rho, 1.0)
        centred = rho - rho.mean(axis=0)
        centred -= centred.mean(axis=1, keepdims=True)
        by_chance = n * (n - 1) / float(abnormal.n_est[seen].mean())
        degrees = float(np.trace(centred)) ** 2 / max(float((centred**2).sum()) - by_chance, 1e-9)
        return 1.0 + degrees if degrees < BLOCKS * (n - 1) else math.inf

    return abnormal.once(("worth", window), compute)


# -- A note beside every test: recommended, or what it overlooks in this study.


#: What a test that overlooks dependence overlooks in each design; nothing where no windows share a day.
_DEPENDENT = {
    "one date": (Overlooks.DEPENDENCE,),
    "shared dates": (Overlooks.DEPENDENCE,),
    "overlapping": (Overlooks.DEPENDENCE, Overlooks.OVERLAP),
}
#: Beyond this share of missing estimation days an average over days with fewer events cannot be compared with a day with all of them.
MISSING = 0.10


@dataclass(frozen=True, slots=True)
class Note:
    """What is said beside a test.

    Attributes
    ----------
    text : str
        ``recommended``, or what the test overlooks or lacks.
    short : str
        The same in a few words, for figures.
    recommended : bool
        Whether it is a recommended test.
    """

    text: str
    short: str
    recommended: bool = False

    def __str__(self) -> str:
        return self.text


IS_RECOMMENDED = Note("recommended", "recommended here", recommended=True)
IS_BESIDE = Note("another null: an ordinary day of this portfolio", "of ordinary days")
NO_VARIANCE = Note("assumes no event-induced variance", "ignores event variance")
NO_DEPENDENCE = Note("assumes no cross-sectional dependence", "ignores correlation")


def notes_on_tests(abnormal: AbnormalReturns, window: Window) -> dict[str, Note]:
    """Return a note for every test of which there is something to say: that it is recommended, or what it overlooks in this study.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    window : Window
        The window to be tested.

    Returns
    -------
    dict of Note
        By test name; tests without a note are left out.
    """
    abnormal = abnormal.with_sums(window)
    design, recommended, _ = recommend(abnormal, window)
    # of two things to say of a test the later one here counts; a single event is its own average, whatever its variance
    notes = {t: n for t, n in _by_test({Overlooks.VARIANCE: NO_VARIANCE}).items() if TESTS[t].scope == "many"}
    sentences = {t: why for t in TESTS if (why := _why_unsized(abnormal, window, t))} | ruled_out(abnormal, window)
    sentences |= _lacking(abnormal, window)
    notes |= {t: Note(why, why) for t, why in sentences.items()}
    notes |= _by_test(dict.fromkeys(_DEPENDENT.get(design, ()), NO_DEPENDENCE))
    return notes | dict.fromkeys(beside(abnormal, window), IS_BESIDE) | dict.fromkeys(recommended, IS_RECOMMENDED)


def assume_no_dependence(design: str) -> frozenset[str]:
    """Return the tests that overlook the cross-sectional dependence of a design named by `recommend`."""
    return overlooking(*_DEPENDENT.get(design, ()))


def _by_test(found: Mapping[Overlooks, T]) -> dict[str, T]:
    """Return what is to be said of each test that overlooks something found; of two things the later one."""
    return {t: said for what, said in found.items() for t in TESTS if what in TESTS[t].overlooks}


def _lacking(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Return the tests that missing days mislead, and why; placebo days only where the events share too few of them."""
    found = _by_test(_missing_days(abnormal, window))
    if "placebo" in found:
        chosen = members(abnormal.sums(window).car)
        days = abnormal.of(chosen).ask(SumByDay()) if len(chosen) else None
        if days is not None and len(sums_of_shared_days(days.standard, days.est_events, len(chosen), window)):
            del found["placebo"]
    return found


def _missing_days(abnormal: AbnormalReturns, window: Window) -> dict[Overlooks, str]:
    if abnormal.n < 2:
        return {}
    if abnormal.n_est.sum() < (1.0 - MISSING) * abnormal.n * len(abnormal.estimation):
        return {Overlooks.MISSING_ESTIMATION_DAYS: "assumes no missing estimation days"}
    if not np.isfinite(abnormal.ar[:, abnormal.columns_of(window)]).all():
        return {Overlooks.MISSING_EVENT_DAYS: "assumes no missing days in the window"}
    return {}


# -- What the residuals rule out: they are skewed, serially correlated, or two events are one.


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
INFLATED = 1.15
#: Lags looked at, and how many standard errors above zero they must be.
LAGS, CLEAR = 5, 2.0
#: Events of two firms with a higher residual correlation than this are one event seen twice; of three events left, or four on two dates,
#: `kp_bmp_t` rejects 6 to 13 % (simulated; of six on two or three dates 6 to 7 %).
DOUBLE, FEW_LEFT, LOOK_UP_TO = 0.8, 3, 12


def ruled_out(abnormal: AbnormalReturns, window: Window) -> dict[str, str]:
    """Return the tests that the residuals rule out, and why."""
    look = _serial_correlation if abnormal.n == 1 else _skewness_and_doubles
    return abnormal.once(("ruled out", window), lambda: _by_test(look(abnormal, window)))


def _serial_correlation(abnormal: AbnormalReturns, window: Window) -> dict[Overlooks, str]:
    """Compare the autocorrelation of one event's residuals with what the model's own errors allow for."""
    inflation, allowed = float(serial_inflation(abnormal, window)[0]), allowed_for(abnormal, window)
    if inflation <= INFLATED:
        return {}
    measured = (
        f"residuals are serially correlated, so the variance of a sum over {len(window)} days is {inflation:.1f} times that of "
        f"independent days"
    )
    remedy = "use HacMarketModel(prewhiten=True), or single days"
    if not abnormal.has("serial"):
        return dict.fromkeys((Overlooks.SERIAL_CORRELATION, Overlooks.SERIAL_CORRELATION_LEFT), f"{measured}: {remedy}")
    found = {Overlooks.SERIAL_CORRELATION: f"{measured}, and it assumes no serial correlation"}
    if inflation > INFLATED * allowed:
        found[Overlooks.SERIAL_CORRELATION_LEFT] = (
            f"{measured}, and the model's errors allow for {allowed:.1f}: {remedy}"
        )
    return found


def _skewness_and_doubles(abnormal: AbnormalReturns, window: Window) -> dict[Overlooks, str]:
    """Look for skewness, unless returns are compounded, and for events that are one event seen twice."""
    seen = members(abnormal.sums(window).scar)
    n = len(seen)
    found = _skewed(abnormal, window, n) if not abnormal.has("reference_returns") and n > 1 else {}
    if FEW_LEFT <= n <= LOOK_UP_TO:
        double = twins(abnormal, seen, window).any(axis=0)
        place = np.sort(abnormal.position[seen], kind="stable")
        days = np.cumsum(np.diff(place, prepend=place[0]) >= len(window))  # windows of one number share days
        left = n - int(double.sum())
        if double.any() and left < FEW_LEFT + len(np.unique(days[double])):
            found[Overlooks.DOUBLES] = (
                f"{n} events of which {n - left} move almost as that of another firm (residual correlation above {DOUBLE:g}) are too "
                f"few: leave the double{'s' * (n - left > 1)} out"
            )
    return found


def _skewed(abnormal: AbnormalReturns, window: Window, n: int) -> dict[Overlooks, str]:
    """Return what skewness of the residuals does to tests of n events."""
    found: dict[Overlooks, str] = {}
    daily = skewness(abnormal)
    skew = daily / math.sqrt(len(window))
    squares = abs(daily) > NO_RETURN
    measured = f"residuals are skewed ({skew:.1f} over the window)"
    if skew**2 > SKEWED_MEAN * (n + 4):
        also = "; squares and the like are better studied as logarithms" if squares else ""
        found[Overlooks.SKEWNESS] = f"{measured}, and a mean of {n} such events is not normal enough{also}"
    if abs(skew) > SKEWED_RANKS:
        found[Overlooks.SHAPE_OF_SUMS] = f"{measured}, so event days are not ranked as estimation days are"
    if squares:
        found[Overlooks.LARGE_EVENTS] = f"{measured}, and the largest of unlike events decide a mean of their sums"
    most = max(SHIFT, ERRORS * math.sqrt(len(window) / max(float(abnormal.n_est.mean()), 1.0)))
    if abs(signed_rank_shift(abnormal, window, n)) > most:
        found[Overlooks.ASYMMETRY] = f"{measured}, and it assumes symmetry"
    positive, single = positive_share(abnormal, window), positive_share(abnormal, Window(0, 0))
    if abs(2.0 * positive - 1.0) * math.sqrt(n) > most:
        found[Overlooks.UNEVEN_SIGNS] = f"{positive:.0%} of sums of estimation days are positive, not half"
    if 0.0 < single < 1.0 and abs(positive - single) * math.sqrt(n / (single * (1.0 - single))) > most:
        found[Overlooks.SIGNS_OF_SUMS] = (
            f"{positive:.0%} of sums over {len(window)} estimation days are positive, of single days {single:.0%}: use single days"
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
    """Return how far from zero Wilcoxon's z of n events lies on average if the null holds, from the sums of estimation days.

    Notes
    -----
    ``√(3n) (π - 1/2)`` with π the chance that two sums of L estimation days of the study add up to more than zero, which is W⁺ of all
    such sums over its largest value. Lehmann (1975), Nonparametrics, ch. 4. Of more events than are looked at together the sums are not put
    in order but counted by size, in bins of 0.2 %, which moves π by less than 1e-5.
    """
    length = len(window)
    if is_many(abnormal.n):
        return math.sqrt(3.0 * n) * (abnormal.ask(CountSizes(length)).share - 0.5)

    def compute() -> float:
        sums = block_sums(abnormal.residuals, length).ravel()
        above, below = np.sort(sums[sums > 0]), np.sort(-sums[sums < 0])
        p, m = len(above), len(above) + len(below)
        if m == 0:
            return 0.0
        # the ranks of the positive sums among themselves, and over how many negative ones each is; equal sizes share their ranks
        over = sum(int(np.searchsorted(below, above, side).sum()) for side in ("left", "right")) / 2.0
        return (p * (p + 1) / 2.0 + over) / (m * (m + 1) / 2.0) - 0.5

    return math.sqrt(3.0 * n) * abnormal.once(("signed ranks", length), compute)


def positive_share(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the share of positive sums of as many estimation days in a row as the window has, mean over events; NaN if there is none."""
    found = abnormal.ask(SharePositive(len(window)))
    return found.share / found.events if found.events else float("nan")


def serial_inflation(abnormal: AbnormalReturns, window: Window) -> FloatArray:
    """Return the variance of each event's sum over the window, over that of a sum of independent days, shape (N,); 1 unless clearly above.

    Notes
    -----
    ``1 + 2 Σ_k (1 - k/L) ρ_k``, once with the sample's ρ_1 to ρ_5 and once with ``ρ_1^k``, the larger one; each counts if it lies two
    standard errors above 1, where ρ_k has the error ``1/√M``. Bartlett (1946), Supplement to the JRSS 8, 27-41.
    """
    length = len(window)
    if length == 1:
        return np.ones(abnormal.n)
    rho = autocorrelations(abnormal.residuals, LAGS)
    error = 1.0 / np.sqrt(np.maximum(abnormal.n_est, 1))
    weights = 2.0 * (1.0 - np.arange(1, length) / length)
    lags = min(LAGS, length - 1)
    as_measured = rho[:, :lags] @ weights[:lags]
    by_first = (rho[:, :1] ** np.arange(1, length)) @ weights
    clear = np.maximum(
        np.where(as_measured > CLEAR * error * float(np.sqrt((weights[:lags] ** 2).sum())), as_measured, 0.0),
        np.where(rho[:, 0] > CLEAR * error, by_first, 0.0),
    )
    return np.asarray(1.0 + np.maximum(clear, 0.0), dtype=np.float64)


def allowed_for(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the variance of one event's sum over that of independent days as the model's own autocorrelations have it; 1 without any."""
    if abnormal.serial is None or len(window) == 1:
        return 1.0
    lags = min(abnormal.serial.shape[1], len(window) - 1)
    weights = 2.0 * (1.0 - np.arange(1, lags + 1) / len(window))
    return 1.0 + float(weights @ abnormal.serial[0, :lags])


def twins(abnormal: AbnormalReturns, members: IntArray, window: Window) -> BoolArray:
    """Return which events, in order of date, move almost as which earlier one, shape (n, n), row the earlier.

    Only events of different firms whose test windows share days can be one event seen twice: one firm on another date is another event.
    """
    ordered = members[np.argsort(abnormal.position[members], kind="stable")]
    place, firm = abnormal.position[ordered], abnormal.firms[ordered]
    together = np.abs(place[:, None] - place[None, :]) < len(window)
    alike = (pair_correlations(abnormal, ordered) > DOUBLE) & together & (firm[:, None] != firm[None, :])
    return np.asarray(np.triu(alike, 1), dtype=np.bool_)


# -- Event-induced variance.


#: Beyond this ratio of variances there is event-induced variance whatever the number of events, and tests that overlook it reject far too
#: often: at the ratio of 27 January 2025 (16) the crude dependence adjustment rejects 62 % of true nulls (simulated).
LARGE_RATIO = 3.0
#: Of many events a ratio this small is no chance, and those tests reject 10 % and more at a ratio of 2.
LARGE_RATIO_OF_MANY = 1.5


def variance_ratio(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the cross-sectional variance of SCAR over its usual variance, ``(1 - r̄) mean (M-p)/(M-p-2)``.

    NaN for fewer than two events. With the mean residual correlation r̄ the usual spread of events on one date is smaller than each
    one's own variance.
    """
    scar = abnormal.sums(window).scar
    seen = members(scar)
    if len(seen) < 2:
        return float("nan")
    degrees = abnormal.df[seen]
    usual = float(np.mean(degrees / np.maximum(degrees - 2.0, 1.0)))
    shared = min(max(mean_correlation(abnormal, seen, window), 0.0), 0.99)
    return float(np.var(scar[seen], ddof=1) / (usual * (1.0 - shared)))


def variance_limit(n: int) -> float:
    """Return the variance ratio of n events beyond which there is event-induced variance.

    The 95 % point of ``χ²(n-1)/(n-1)``, which independent events exceed by chance once in twenty, between 1.5 and 3.
    """
    from scipy.special import chdtri

    if n < 2:
        return LARGE_RATIO
    return min(max(float(chdtri(n - 1, 0.05)) / (n - 1), LARGE_RATIO_OF_MANY), LARGE_RATIO)
