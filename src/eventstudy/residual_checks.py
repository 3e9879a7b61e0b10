"""Checks of what tests take for granted: ordinary residuals, a steady beta, quiet days before the event, independence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.diagnostics import Check, believed, event_day, listed
from eventstudy.inference import run_test, variance_ratio
from eventstudy.inference.advice import design_of, wild_beyond
from eventstudy.inference.correlation import mean_correlation
from eventstudy.models import NormalReturnModel
from eventstudy.panel import EventPanel
from eventstudy.residual_statistics import Statistic, arch_lm, chow, jarque_bera, ljung_box, outliers
from eventstudy.windows import Window
from eventstudy.wording import number, p_text, percent

#: Lags of the tests for autocorrelation and for an ARCH effect.
LJUNG_BOX_LAGS, ARCH_LAGS = 10, 5
#: Level at which single events are counted.
LEVEL = 0.05
#: How often a check may raise a false alarm: eight checks at 5 % would cry wolf in every third study.
FALSE_ALARM = 0.01
#: Up to so many events each p-value is looked at by itself as well.
FEW = 10
#: A residual beyond so many robust deviations is an outlier; normal residuals have one in 1.7 million.
BEYOND = 5.0
#: Largest share of outlying days. Residuals of S&P 500 members have 0.9 % of them (2024): four earnings days a year.
OUTLYING = 0.01
#: Largest true size, at a nominal 5 %, of a test that takes the events for independent.
TRUE_SIZE = 0.08


def validity_checks(abnormal: AbnormalReturns, panel: EventPanel, model: NormalReturnModel) -> tuple[Check, ...]:
    """Look at what the tests take for granted.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    panel : EventPanel
        Their returns in event time.
    model : NormalReturnModel
        The model that was fitted; beta's stability is looked at if it estimates a slope.

    Returns
    -------
    tuple of Check

    Notes
    -----
    A statistic of one event passes with a p-value of at least 0.01. With many events some reject at 5 % by chance: the check passes
    up to the number that independent clean events exceed in one study of a hundred (binomial), and with ten events or fewer
    also needs every p-value to be at least 0.01/N. Events on one date share days, so their number of rejections
    varies more than that.
    """
    residuals = abnormal.residuals
    keys = abnormal.keys
    checks = [
        _autocorrelation(abnormal),
        _verdict(
            "Residuals of steady variance", arch_lm(residuals, ARCH_LAGS), keys, f"ARCH LM({ARCH_LAGS})", _arch(model)
        ),
        _verdict("Normal residuals", jarque_bera(residuals), keys, "Jarque-Bera", _normality(abnormal.n)),
        _outliers(abnormal),
        *_beta(abnormal, panel, model),
        _drift(abnormal),
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

    return int(np.argmax(bdtrc(np.arange(n + 1), n, LEVEL) <= FALSE_ALARM))


def _verdict(name: str, found: Statistic, keys: Sequence[str], symbol: str, comment: str) -> Check:
    """Return the check of a statistic of each event: its p-value, or how many events reject beyond chance."""
    judged = np.flatnonzero(found.judged)
    n = len(judged)
    if n == 0:
        return Check(name, f"not judged: too few days, or none that differ, for {symbol}", "days enough", True)
    p = found.p_value[judged]
    if len(keys) == 1:
        rule = f"p of at least {FALSE_ALARM:g}"
        passed = bool(p[0] >= FALSE_ALARM)
        value = f"{symbol} {number(float(found.value[judged[0]]))}, p {p_text(float(p[0]))}"
        return Check(name, value, rule, passed, "" if passed else comment)
    rejected, most, chance = int((p < LEVEL).sum()), most_by_chance(n), LEVEL * n
    value = f"{rejected} of {n} events reject at 5% ({symbol}), about {chance:.{0 if chance >= 1 else 1}f} expected by chance"
    rule, passed = f"at most {most} of {n}", rejected <= most
    if n <= FEW:
        rule += f", no p below {FALSE_ALARM / n:.3f}"
        passed = passed and bool(p.min() >= FALSE_ALARM / n)
    if n < len(keys):
        value += f"; {len(keys) - n} not judged"
    worst = listed([keys[judged[i]] for i in np.argsort(p, kind="stable")[: max(rejected, 1)]], 3)
    return Check(name, value, rule, passed, "" if passed else f"{worst}: {comment}")


def _autocorrelation(abnormal: AbnormalReturns) -> Check:
    advice = "errors of windows of several days are off: HacMarketModel, or Dimson where trading is thin"
    if abnormal.serial is not None:
        advice = "this model's errors allow for it"
    found = ljung_box(abnormal.residuals, LJUNG_BOX_LAGS)
    check = _verdict(
        "Residuals without autocorrelation", found, abnormal.keys, f"Ljung-Box Q({LJUNG_BOX_LAGS})", advice
    )
    if abnormal.serial is None or check.passed:
        return check
    return Check(check.name, check.value, check.rule, True, check.comment)


def _arch(model: NormalReturnModel) -> str:
    benchmark = model.benchmark
    named = f"GarchMarketModel({benchmark!r})" if benchmark else "a GarchMarketModel"
    return f"calm and wild weeks alternate, so the error of the event day depends on the weeks before it: {named}"


def _normality(n: int) -> str:
    believe = "believe permutation (and sq on single days) rather than t and t_pe"
    return believe if n == 1 else f"for one event {believe}; an average of few events leans on them too"


def _outliers(abnormal: AbnormalReturns) -> Check:
    far = outliers(abnormal.residuals, BEYOND)
    count, days = far.sum(axis=1), int(np.isfinite(abnormal.residuals).sum())
    total = int(count.sum())
    passed = total <= OUTLYING * days
    worst = [f"{abnormal.keys[i]} {count[i]}" for i in np.argsort(-count, kind="stable")[:4] if count[i]]
    named = f" ({listed(worst, 3)})" if abnormal.n > 1 else ""
    return Check(
        "Few outliers in the estimation window",
        f"{total} of {days} days beyond {BEYOND:g} robust deviations",
        f"at most {percent(OUTLYING, 0, sign=False)} of days",
        passed,
        "" if passed else f"they widen every error{named}: RobustMarketModel, or sq and permutation, which count days",
    )


def _beta(abnormal: AbnormalReturns, panel: EventPanel, model: NormalReturnModel) -> tuple[Check, ...]:
    """Return the check of equal coefficients in both halves of the estimation window; none for a model without a slope."""
    if model.bridges_gaps or not abnormal.root.any() or not panel.columns:
        return ()
    rows = model.design(panel.est_columns)
    if rows.ndim != 3 or rows.shape[2] < 2:
        return ()
    advice = "a shorter estimation window, or factors that the model lacks; see whether the answer stays"
    return (_verdict("Steady beta", chow(abnormal.residuals, rows), abnormal.keys, "Chow F, two halves", advice),)


def _drift(abnormal: AbnormalReturns) -> Check:
    """Look at the days of the event window before day 0: leaked news, or events that follow a rise."""
    name, rule = "No drift before the event", f"p of at least {FALSE_ALARM:g}"
    first = abnormal.window.start
    if first >= 0:
        return Check(name, "not judged: the event window has no day before day 0", rule, True)
    before = Window(first, min(-1, abnormal.window.end))
    outcome = run_test(_leading(abnormal, before), abnormal, before)
    p, label = outcome.p_value, "CAR" if abnormal.n == 1 else "CAAR"
    if not outcome.applicable or not math.isfinite(p):
        return Check(name, f"not judged: {outcome.reason or 'these days have no test'}", rule, True)
    passed = p >= FALSE_ALARM
    return Check(
        name,
        f"days {before}: {label} {percent(abnormal.caar(before))}, {outcome.name} {number(outcome.statistic)}, p {p_text(p)}",
        rule,
        passed,
        ""
        if passed
        else "news leaked, or the rise or fall drew the event: look for an earlier day, or start the window there",
    )


def _leading(abnormal: AbnormalReturns, window: Window) -> str:
    """Return the t with prediction error of one event, BMP's t of several, correlation-adjusted where they share days."""
    if abnormal.n == 1:
        return "t_pe"
    return "bmp_t" if design_of(abnormal.position, window) == "separate dates" else "kp_bmp_t"


def _event_variance(abnormal: AbnormalReturns) -> Check:
    day = event_day(abnormal)
    ratio = variance_ratio(abnormal, day)
    most = wild_beyond(int(np.isfinite(abnormal.sums(day).scar).sum()))
    name, rule = f"Ordinary variance on day {day.start}", f"at most {most:.1f} times the ordinary"
    if not math.isfinite(ratio):
        return Check(name, "not judged: fewer than two events have a return on the day", rule, True)
    return Check(
        name,
        f"{ratio:.1f} times the ordinary, across events",
        rule,
        ratio <= most,
        ""
        if ratio <= most
        else f"patell_z, cda_t and corrado_rank_z take the day for ordinary and reject too often: believe {believed(abnormal)}",
    )


def _correlation(abnormal: AbnormalReturns) -> Check:
    """Look at the mean residual correlation of events on common days, and what it does to a test that ignores it."""
    name, rule = "Uncorrelated events", f"true size of a naive 5% test at most {percent(TRUE_SIZE, 0, sign=False)}"
    day, whole = event_day(abnormal), abnormal.window
    window = day if design_of(abnormal.position, day) in ("one date", "shared dates") else whole
    if design_of(abnormal.position, window) == "separate dates":
        return Check(name, "no two events share a day of their windows", rule, True)
    members = np.flatnonzero(np.isfinite(abnormal.sums(window).car)).astype(np.int64)
    r = mean_correlation(abnormal, members, window)
    size = true_size(r, len(members))
    passed = size <= TRUE_SIZE
    return Check(
        name,
        f"mean residual correlation {number(r, 4)} of {len(members)} events; a naive 5% test rejects {percent(size, 0, sign=False)} of true nulls",
        rule,
        passed,
        "" if passed else "the events share moves that the model lacks: more factors or a peer portfolio, and kp_bmp_t",
    )


def true_size(r: float, n: int) -> float:
    """Return how often a 5 % test that takes n events for independent rejects a true null at mean correlation r.

    ``2 Φ(-1.96/√((1 + (n-1) r)/(1 - r)))``: Kolari and Pynnönen (2010), Review of Financial Studies 23, 3996-4025. 1 if the
    events are one observation, 0 if their mean does not vary.

    Examples
    --------
    >>> round(true_size(0.1, 50), 3), round(true_size(0.0, 50), 3)
    (0.444, 0.05)
    """
    from scipy.special import ndtr, ndtri

    if r >= 1.0:
        return 1.0
    factor = (1.0 + (n - 1) * r) / (1.0 - r)
    return float(2.0 * ndtr(ndtri(LEVEL / 2.0) / math.sqrt(factor))) if factor > 0 else 0.0
