"""Checks of validity: what about this design should make a reader careful."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns, Question, SumsOver
from eventstudy.estimation.answers import Answer
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import Audit, EventPanel
from eventstudy.estimation.residuals import Statistic, arch_lm, jarque_bera, ljung_box
from eventstudy.events import EventList, keys_at
from eventstudy.inference import recommend, run_test, variance_ratio
from eventstudy.inference.advice import STILL, design_of, variance_limit
from eventstudy.inference.asked import asked, reach
from eventstudy.inference.assumptions import EqualHalves, ExtremeDays, MovesAround, OfResiduals, Outliers
from eventstudy.inference.correlation import SumByDate, mean_correlation
from eventstudy.inference.result import LEVEL, members, normal_quantile, normal_two_sided
from eventstudy.windows import Window
from eventstudy.wording import amount, by_reason, first_few, iso_day, number, p_text, percent, plural

#: Name of the check of validity that says what the checks of prices found.
PRICE_CHECK = "Prices fit for use"
#: Name of the check of validity that says which exchange was recognised.
EXCHANGE_CHECK = "Exchange"
#: Name of the check of validity that doubts a price that stood still on the event day.
STILL_CHECK = "Prices that move on the event day"
#: Name of the check of validity that says what of the table of events was not used.
EVENTS_CHECK = "Table of events"
#: A daily residual beyond this is rare enough to be looked up: a missed split, a typing error, or real news.
EXTREME = 0.4
#: The session beside day 0 moves more than day 0 if it does so by this factor, with this t, over so many dates.
LARGER, FAR_APART, FEWEST_DATES = 1.5, 3.0, 10
#: So many events are named in a comment, and so many columns.
NAMED, UNUSED = 6, 20


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a study.

    Attributes
    ----------
    name : str
        What was looked at.
    value : str
        What was found.
    rule : str
        What is expected.
    passed : bool
        Whether it holds.
    comment : str
        What to do, if it does not.
    """

    name: str
    value: str
    rule: str
    passed: bool
    comment: str = ""


def _check(name: str, value: str, rule: str, passed: bool, comment: str) -> Check:
    """Return a check with a comment on what to do if it does not hold."""
    return Check(name, value, rule, passed, "" if passed else comment)


def _none_found(name: str, value: str, rule: str, found: Sequence[str], comment: str) -> Check:
    """Return a check that holds if nothing was found; else the first finds stand before the comment."""
    return _check(name, value, rule, not found, first_few(found, NAMED) + comment)


def event_day(window: Window) -> Window:
    """Return day 0, or the first day of an event window that does not hold it: these checks look at one day, never at a sum."""
    first = 0 if 0 in window else window.start
    return Window(first, first)


def recommended(abnormal: AbnormalReturns) -> str:
    """Return the names of the tests that are recommended on the event day, in words."""
    return first_few(recommend(abnormal, event_day(abnormal.window))[1], NAMED) or "no test by itself"


def design_checks(
    abnormal: AbnormalReturns, audit: Audit, panel: EventPanel, measure: str = "return"
) -> tuple[Check, ...]:
    """Look at the design of a study: dependence, repeats, missing days, dropped events, extreme returns."""
    of_returns = (_extremes(abnormal, panel), _still(panel)) if measure == "return" else ()
    return (
        _dropped(audit),
        _moved(audit),
        _shared(abnormal),
        _repeats(audit),
        _overlap(audit),
        _earlier(audit),
        _event_days(abnormal),
        _estimation_days(panel),
        *of_returns,
        *_reaction(abnormal),
    )


def _reaction(abnormal: AbnormalReturns) -> tuple[Check, ...]:
    """Say that the session beside day 0 moves more than day 0, as it does where the time of day of the news was lost; else nothing.

    Absolute standardised abnormal returns, averaged by session; a paired t over sessions.
    """
    if Window(-1, 1) not in abnormal.window:
        return ()
    moves = pd.DataFrame(abnormal.ask(MovesAround()).size, index=abnormal.position, columns=[-1, 0, 1])
    by_date = moves.groupby(level=0).mean().dropna()
    for day in (1, -1):
        other, own = by_date[day], by_date[0]
        gap = other - own
        if (
            len(gap) < FEWEST_DATES
            or other.mean() < LARGER * own.mean()
            or gap.mean() < FAR_APART * gap.std() / math.sqrt(len(gap))
        ):
            continue
        way = (
            "if the news came after the close, say so (a column timing, or Event('NVDA', '2024-02-21 after the close')), and the next session is day 0"
            if day == 1
            else "if the dates are those of reports on the news, or days in UTC, give the days or moments of the news itself"
        )
        value = f"day {day:+d} moves {other.mean() / own.mean():.1f} times as much as day 0, over {plural(len(gap), 'date')}"
        return (_check("Day of the reaction", value, "day 0 moves most", False, way),)
    return ()


def events_check(events: EventList) -> tuple[Check, ...]:
    """Say which columns of the table of events were not used, and which events lack a time of day; nothing if all is used."""
    if not (events.unused or events.untimed or events.said):
        return ()
    columns = f"columns not used: {first_few(events.unused, UNUSED)}" if events.unused else "all columns used"
    value = "; ".join([columns, *(sentence.rstrip(".") for sentence in events.said)])
    comment = (
        f"{len(events.untimed)} of {plural(len(events), 'event')} have no time of day and were placed by their date alone: "
        f"{first_few(events.untimed, NAMED, '; ')}"
    )
    rule = "a time of day for every event or for none"
    return (_check(EVENTS_CHECK, value, rule, not events.untimed, comment),)


def _dropped(audit: Audit) -> Check:
    lost = [(audit.panel.keys[i], reason) for i, reason in enumerate(audit.reasons) if reason]
    why, total = by_reason(lost, NAMED), audit.panel.n
    value = f"{total - len(lost)} of {total}"
    return _check("Events kept", value, "all", not why, first_few(why, NAMED, "; "))


def _moved(audit: Audit) -> Check:
    panel = audit.panel
    moved = [i for i, remark in audit.remarks.items() if remark.startswith("no session") and not audit.reasons[i]]
    where = [
        f"{panel.keys[i]}: {audit.remarks[i]}, {iso_day(panel.calendar[int(panel.position[i])])}"
        for i in sorted(moved)[:NAMED]
    ]
    return _check("Events on closed days", str(len(moved)), "none, or as intended", not moved, "; ".join(where))


def _shared(abnormal: AbnormalReturns) -> Check:
    places = np.unique(abnormal.position)
    dates, width = len(places), len(abnormal.window)
    alone = abnormal.n in {1, dates}
    nearest = int(np.diff(places).min()) if dates > 1 else width
    comment = ""
    if not alone:
        comment = f"events on one date are correlated: recommended: {recommended(abnormal)}; csect_t, patell_z and bmp_t assume independent events"
    elif nearest < width:
        comment = (
            f"some events are {plural(nearest, 'session')} apart: windows of more than {plural(nearest, 'day')} share "
            f"calendar days: kp_bmp_t is recommended for them"
        )
    value = f"{plural(dates, 'date')} for {plural(abnormal.n, 'event')}"
    return _check("Independent dates", value, "one date per event, windows apart", not comment, comment)


def _repeats(audit: Audit) -> Check:
    repeats = audit.named(audit.flags["duplicate"])
    comment = ": the same firm and session again, counted more than once in every average; remove the repeats"
    return _none_found("Repeated events", str(len(repeats)), "none", repeats, comment)


def _overlap(audit: Audit) -> Check:
    close = audit.named(audit.flags["overlapping"])
    comment = ": one event's window holds another's, so effects cannot be told apart"
    return _none_found("Overlapping windows of one firm", str(len(close)), "none", close, comment)


def _earlier(audit: Audit) -> Check:
    found, total = audit.named(audit.flags["event_in_estimation"]), int(audit.kept.sum())
    return _none_found(
        "Estimation windows without an event of the same firm",
        f"{total - len(found)} of {total}",
        "all",
        found,
        ": an earlier event counts among the estimation days and widens the errors",
    )


def _event_days(abnormal: AbnormalReturns) -> Check:
    seen = np.isfinite(abnormal.ar)
    short = [abnormal.keys[i] for i in np.flatnonzero(~seen.all(axis=1)).tolist()]
    comment = ": a window that holds such a day has no sum and no verdict, and the event is left out of its average"
    if abnormal.has("span"):
        comment = ": a return after such days reaches over them; a sum that it would reach out of has no value"
    elif abnormal.skip_gaps:
        comment = ": missing days of a firm count as nothing in a CAR, and its length shrinks"
        if abnormal.holes is not None and abnormal.holes.any():
            comment += "; a window with a day that the benchmark, a factor or the table lacks has no sum and no verdict"
    if 0 in abnormal.window:
        zero = -abnormal.window.start
        without = [abnormal.keys[i] for i in np.flatnonzero(~seen[:, zero]).tolist()]
        comment += f"; no return on the event day: {first_few(without, NAMED)}" if without else ""
    return _none_found("Complete event windows", f"{abnormal.n - len(short)} of {abnormal.n}", "all", short, comment)


def _estimation_days(panel: EventPanel) -> Check:
    days = panel.counted.est_days
    short = np.flatnonzero(days < len(panel.estimation)).tolist()
    return _none_found(
        "Complete estimation windows",
        f"{panel.n - len(short)} of {panel.n}, fewest days {days.min()}",
        "all",
        [f"{panel.keys[i]} ({days[i]})" for i in short],
        ": fewer days, wider errors",
    )


def gap_checks(panel: EventPanel, holes: pd.DatetimeIndex) -> tuple[Check, ...]:
    """Return a check if there are days that the benchmark lacks: sessions without its return, and likely ones without a row."""
    if holes.empty or panel.n == 0:
        return ()
    last = len(panel.calendar) - 1
    start = panel.calendar[np.clip(panel.position + panel.window.start - 1, 0, last)]
    end = panel.calendar[np.clip(panel.position + panel.window.end, 0, last)]
    counted = bool(holes.isin(panel.calendar).all())
    of_returns = counted and panel.closes is None  # a price that is missing takes the next day's return with it
    first = panel.calendar[np.clip(panel.position + panel.window.start, 0, last)] if of_returns else start
    hit = holes.searchsorted(first) < holes.searchsorted(end, side="right")
    touched = [k for k, flag in zip(panel.keys, hit, strict=True) if flag]
    comment = ": these are sessions without an abnormal return; in an estimation window each is a day less"
    if not counted:
        comment = ": relative days skip those without a row, so a day's number after them may be too small"
    return (
        _none_found(
            "Gaps in the benchmark",
            f"{len(holes)}: {first_few(map(iso_day, holes), 4)}",
            "none in an event window",
            touched,
            comment,
        ),
    )


def _extremes(abnormal: AbnormalReturns, panel: EventPanel) -> Check:
    """Look for days, in either window, that a missed split or a typing error may have made."""
    count = abnormal.ask(ExtremeDays(EXTREME)).count
    total, found = int(count.sum()), list[str]()
    for column, window in enumerate((abnormal.estimation, abnormal.window)):
        for i in np.flatnonzero(count[:, column])[:NAMED].tolist():
            one = abnormal.part(np.array([i]))
            values = one.as_fractions(one.residuals[0] if column == 0 else one.ar[0])
            for day in np.flatnonzero(np.abs(np.nan_to_num(values)) > EXTREME).tolist():
                session = panel.calendar[int(abnormal.position[i]) + window.start + day]
                found.append(f"{abnormal.keys[i]} {values[day]:+.0%} on {iso_day(session)}")
        if len(found) >= NAMED:
            break
    found += [""] * (total - len(found))
    comment = ": real news, a split not adjusted for, or a typing error? It widens every error of that firm"
    return _none_found("Abnormal returns within 40% a day", f"{len(found)} beyond", "none", found, comment)


def _still(panel: EventPanel) -> Check:
    """Look for firms whose price often does not move: thin trading, or a price carried forward."""
    share = panel.zero_share
    found = [f"{panel.keys[i]} {share[i]:.0%}" for i in np.flatnonzero(share > STILL).tolist()]
    return _none_found(
        "Prices that move",
        f"{len(found)} of {panel.n} still on more than {STILL:.0%} of days",
        "none",
        found,
        " of days without a move: thin trading or prices carried forward; beta and errors are too small",
    )


# -- Checks of what tests assume: residuals, coefficients, the days before the event, variance and correlation across events.


#: Lags of the tests for autocorrelation and for an ARCH effect.
LJUNG_BOX_LAGS, ARCH_LAGS = 10, 5
#: How often a check may raise a false alarm: eight checks at 5 % would reject by chance in every third study.
FALSE_ALARM = 0.01
#: Up to so many events each p-value is looked at by itself as well.
FEW = 10
#: A residual beyond so many robust deviations is an outlier; normal residuals have one in 1.7 million.
BEYOND = 5.0
#: Largest share of outlying days. Residuals of S&P 500 members have 0.9 % of them (2024): four earnings days a year.
OUTLYING = 0.01
#: Largest true size, at a nominal 5 %, of a test that assumes no cross-sectional dependence.
TRUE_SIZE = 0.08


#: What is asked of every event's residuals.
UNCORRELATED, STEADY, NORMAL = (
    OfResiduals(ljung_box, (LJUNG_BOX_LAGS,)),
    OfResiduals(arch_lm, (ARCH_LAGS,)),
    OfResiduals(jarque_bera),
)


def validity_checks(
    abnormal: AbnormalReturns, panel: EventPanel, model: NormalReturnModel, measure: str = "return"
) -> tuple[Check, ...]:
    """Look at what the tests assume.

    Notes
    -----
    A statistic of one event passes with a p-value of at least 0.01. With many events some reject at 5 % by chance: the check passes
    up to the number that independent clean events exceed in one study of a hundred (binomial), and with ten events or fewer
    also needs every p-value to be at least 0.01/N. Events on one date share days, so their number of rejections
    varies more than that.
    """
    keys = abnormal.keys
    checks = [
        _autocorrelation(abnormal),
        _verdict("Residuals of steady variance", abnormal.ask(STEADY), keys, f"ARCH LM({ARCH_LAGS})", _arch(model)),
        _verdict("Normal residuals", abnormal.ask(NORMAL), keys, "Jarque-Bera", _normality(abnormal.n)),
        _outliers(abnormal),
        *_beta(abnormal, panel, model),
        _drift(abnormal, measure),
    ]
    if abnormal.n > 1:
        checks += [_event_variance(abnormal), _correlation(abnormal)]
    return tuple(checks)


def most_by_chance(n: int) -> int:
    """Return the largest number of n independent clean events rejecting at 5 % that more than one study in 100 would reach.

    The smallest k with ``P(X > k) <= 0.01``, X binomial (n, 0.05).

    Examples
    --------
    >>> most_by_chance(40), most_by_chance(1000)
    (6, 67)
    """
    from scipy.special import bdtrc

    fewest = int(LEVEL * n)  # about the median
    few = np.arange(fewest, min(n, fewest + int(10.0 * math.sqrt(LEVEL * n)) + 20) + 1)
    return int(few[np.argmax(bdtrc(few, n, LEVEL) <= FALSE_ALARM)])


def _verdict(name: str, found: Statistic, keys: Sequence[str], symbol: str, comment: str) -> Check:
    """Return the check of a statistic of each event: its p-value, or how many events reject beyond chance."""
    computed = np.flatnonzero(found.computed)
    n = len(computed)
    if n == 0:
        return Check(name, f"not tested: too few days, or none that differ, for {symbol}", "days enough", True)
    if len(keys) == 1:
        p = float(found.p_value[computed[0]])
        value = f"{symbol} {number(float(found.value[computed[0]]))}, p {p_text(p)}"
        return _check(name, value, f"p of at least {FALSE_ALARM:g}", p >= FALSE_ALARM, comment)
    far = np.flatnonzero(found.rejected(LEVEL))
    rejected, most, chance = len(far), most_by_chance(n), LEVEL * n
    value = f"{rejected} of {n} events reject at 5% ({symbol}), about {chance:.{0 if chance >= 1 else 1}f} expected by chance"
    rule, passed = f"at most {most} of {n}", rejected <= most
    looked_at = far if rejected else computed
    p_values = found.p_of(looked_at)
    if n <= FEW:
        rule += f", no p below {FALSE_ALARM / n:.3f}"
        passed = passed and bool(p_values.min() >= FALSE_ALARM / n)
    if n < len(keys):
        value += f"; {len(keys) - n} not tested"
    order = looked_at[np.argsort(p_values, kind="stable")[: max(rejected, 1)]]
    worst = first_few(keys_at(keys, order), 3)
    return _check(name, value, rule, passed, f"{worst}: {comment}")


def _autocorrelation(abnormal: AbnormalReturns) -> Check:
    advice = "errors of windows of several days are off: HacMarketModel, or Dimson where trading is thin"
    if abnormal.has("serial"):
        advice = "this model's errors allow for it"
    found = abnormal.ask(UNCORRELATED)
    check = _verdict(
        "Residuals without autocorrelation", found, abnormal.keys, f"Ljung-Box Q({LJUNG_BOX_LAGS})", advice
    )
    if not abnormal.has("serial") or check.passed:
        return check
    return replace(check, passed=True)


def _arch(model: NormalReturnModel) -> str:
    benchmark = model.benchmark
    named = f"GarchMarketModel({benchmark!r})" if benchmark else "a GarchMarketModel"
    return f"calm and volatile weeks alternate, so the error of the event day depends on the weeks before it: {named}"


def _normality(n: int) -> str:
    advice = (
        "t_pe keeps its size of 5% with fat tails (5.3% with residuals of law t(4)) and rejects 2.2% at 1%: for levels below 5%, as "
        "among several events, compare permutation"
    )
    return advice if n == 1 else f"of one event {advice}; an average of few events rests on normal residuals too"


def _outliers(abnormal: AbnormalReturns) -> Check:
    far = abnormal.ask(Outliers(BEYOND))
    count, days = far.count, far.days
    total = int(count.sum())
    passed = total <= OUTLYING * days
    worst = [f"{abnormal.keys[i]} {count[i]}" for i in np.argsort(-count, kind="stable")[:4] if count[i]]
    named = f" ({first_few(worst, 3)})" if abnormal.n > 1 else ""
    return _check(
        "Few outliers in the estimation window",
        f"{total} of {days} days beyond {BEYOND:g} robust deviations",
        f"at most {percent(OUTLYING, 0, sign=False)} of days",
        passed,
        f"they widen every error{named}: compare RobustMarketModel",
    )


def _beta(abnormal: AbnormalReturns, panel: EventPanel, model: NormalReturnModel) -> tuple[Check, ...]:
    """Return the check of equal coefficients in both halves of the estimation window; none for a model without a slope."""
    if not _has_slope(panel, model):
        return ()
    advice = "a shorter estimation window, or factors that the model lacks; see whether the answer stays"
    return (_verdict("Steady beta", abnormal.ask(EqualHalves()), abnormal.keys, "Chow F, two halves", advice),)


def _has_slope(panel: EventPanel, model: NormalReturnModel) -> bool:
    """Return whether the model estimates a slope on columns of the same days."""
    if model.bridges_gaps or not panel.columns:
        return False
    return bool(model.design(np.zeros((1, len(panel.columns)))).shape[-1] > 1)


def asked_by_checks(panel: EventPanel, model: NormalReturnModel, measure: str) -> tuple[Question[Answer], ...]:
    """Return what the checks ask of every event's days, with what the tests of the event day do: one pass answers all."""
    day = event_day(panel.window)
    found: list[Question[Answer]] = [UNCORRELATED, STEADY, NORMAL, Outliers(BEYOND)]
    found += [EqualHalves()] if _has_slope(panel, model) else []
    found += [ExtremeDays(EXTREME)] if measure == "return" else []
    found += [MovesAround()] if Window(-1, 1) in panel.window else []
    shown = [day, *(w for w in (Window(0, 1),) if w in panel.window)]
    found.append(SumsOver(panel.window))  # so that a summary knows its windows' spread before its own pass
    return (*_asked_by_drift(panel), *(q for w in shown for q in asked(panel.position, w)), *found)


def _asked_by_drift(panel: EventPanel) -> tuple[Question[Answer], ...]:
    if panel.window.start >= 0:
        return ()
    before = _before(panel.window)
    shared = design_of(panel.position, before) != "separate dates"
    return (SumsOver(before), *((SumByDate(reach(panel.position, before)),) if shared else ()))


def _before(window: Window) -> Window:
    """Return the days of an event window before day 0."""
    return Window(window.start, min(-1, window.end))


def _drift(abnormal: AbnormalReturns, measure: str) -> Check:
    """Look at the days of the event window before day 0: leaked news, or events that follow a rise."""
    name, rule = "No drift before the event", f"p of at least {FALSE_ALARM:g}"
    first = abnormal.window.start
    if first >= 0:
        return Check(name, "not tested: the event window has no day before day 0", rule, True)
    before = _before(abnormal.window)
    outcome = run_test(_leading(abnormal, before), abnormal, before)
    p, label = outcome.p_value, "CAR" if abnormal.n == 1 else "CAAR"
    if not outcome.applicable or not math.isfinite(p):
        return Check(name, f"not tested: {outcome.reason or 'these days have no test'}", rule, True)
    value = f"{label} {amount(measure)(float(abnormal.as_fractions(abnormal.caar(before))))}, {outcome.name} {number(outcome.statistic)}, p {p_text(p)}"
    comment = "news leaked, or the rise or fall drew the event: look for an earlier day, or start the window there"
    return _check(name, f"days {before}: {value}", rule, p >= FALSE_ALARM, comment)


def _leading(abnormal: AbnormalReturns, window: Window) -> str:
    """Return the t with prediction error of one event, BMP's t of several, correlation-adjusted where they share days."""
    if abnormal.n == 1:
        return "t_pe"
    return "bmp_t" if design_of(abnormal.position, window) == "separate dates" else "kp_bmp_t"


def _event_variance(abnormal: AbnormalReturns) -> Check:
    day = event_day(abnormal.window)
    ratio = variance_ratio(abnormal, day)
    most = variance_limit(int(np.isfinite(abnormal.sums(day).scar).sum()))
    name, rule = f"No event-induced variance on day {day.start}", f"at most {most:.1f} times that of estimation days"
    if not math.isfinite(ratio):
        return Check(name, "not tested: fewer than two events have a return on the day", rule, True)
    value = f"{ratio:.1f} times that of estimation days, across events"
    comment = (
        "patell_z, cda_t and corrado_rank_z assume no event-induced variance and reject too often; recommended: "
        f"{recommended(abnormal)}"
    )
    return _check(name, value, rule, ratio <= most, comment)


def _correlation(abnormal: AbnormalReturns) -> Check:
    """Look at the mean residual correlation of events on common days, and what it does to a test that ignores it."""
    name, rule = "Uncorrelated events", f"true size of a naive 5% test at most {percent(TRUE_SIZE, 0, sign=False)}"
    day, whole = event_day(abnormal.window), abnormal.window
    window = day if design_of(abnormal.position, day) in ("one date", "shared dates") else whole
    if design_of(abnormal.position, window) == "separate dates":
        return Check(name, "no two events share a day of their windows", rule, True)
    observed = members(abnormal.sums(window).car)
    r = mean_correlation(abnormal, observed, window)
    size = true_size(r, len(observed))
    rejects = f"a naive 5% test rejects {percent(size, 0, sign=False)} of true nulls"
    value = f"mean residual correlation {number(r, 4)} of {len(observed)} events; {rejects}"
    comment = "the events share moves that the model lacks: more factors or a peer portfolio, and kp_bmp_t"
    return _check(name, value, rule, size <= TRUE_SIZE, comment)


def true_size(r: float, n: int) -> float:
    """Return how often a 5 % test of n events that assumes no cross-sectional dependence rejects a true null at mean correlation r.

    ``2 Φ(-1.96/√((1 + (n-1) r)/(1 - r)))``: Kolari and Pynnönen (2010), Review of Financial Studies 23, 3996-4025. 1 if the
    events are one observation, 0 if their mean does not vary.

    Examples
    --------
    >>> round(true_size(0.1, 50), 3), round(true_size(0.0, 50), 3)
    (0.444, 0.05)
    """
    if r >= 1.0:
        return 1.0
    factor = (1.0 + (n - 1) * r) / (1.0 - r)
    return normal_two_sided(normal_quantile(LEVEL / 2.0) / math.sqrt(factor)) if factor > 0 else 0.0
