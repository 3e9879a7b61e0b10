"""The numbers that a report's sentences are held against, and its headline, which must not deny them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from eventstudy.errors import StudyFileError
from eventstudy.report.findings import FAR, Findings, joint_result, market_day
from eventstudy.statements import (
    ABNORMAL,
    ADJUSTED_P,
    AGAINST_REST,
    AVERAGE,
    FROM_MEDIAN,
    P_REST,
    P_VALUE,
    RETURN,
    SHARE,
    Numbers,
    Reading,
    group_names,
    read,
)
from eventstudy.study.said import index_names, result_numbers
from eventstudy.study.yardstick import AgainstRest, BenchmarkCheck
from eventstudy.wording import capital, iso_day, long_day

MEDIAN = "the median member"


def headline_numbers(f: Findings) -> Numbers:
    """Return the numbers of the headline events, with those of their days, of the tests side by side and of other models."""
    r = f.headline
    numbers = result_numbers(r, names=f.spec.names, turned=turned_headlines(f))
    span = numbers.span
    values = dict(numbers.values)
    for key, row in r.adjusted((0, 0), method="holm").iterrows():
        values[str(key), P_VALUE, span] = float(row["p_value"])
        values[str(key), ADJUSTED_P, span] = float(row["p_adjusted"])
    judged = sum(math.isfinite(p) for (_, what, _), p in values.items() if what == ADJUSTED_P)
    place, window = int(r.panel.position[0]), r.abnormal.estimation
    ends = [r.panel.calendar[max(place + day, 0)] for day in (window.start, window.end)]
    dates: dict[str, int | None] = {long_day(day): None for day in ends}
    estimation = {"estimation_days": int(r.abnormal.n_est.max()), "window_days": len(window)}
    counts = {**numbers.counts, **kept_by_models(f), **estimation, "judged": judged}
    quoted = frozenset([r.model.formula, r.model.name])
    return replace(numbers, values=values, counts=counts, days={**dates, **numbers.days}, quoted=quoted)


def clear_sign(low: float, high: float) -> int:
    """Return the sign of an abnormal return whose interval leaves out zero, else 0."""
    return int(low > 0) - int(high < 0)


def kept_by_models(f: Findings) -> dict[str, float]:
    """Return by how many of the other models of normal each headline event keeps its sign and its significance, and how many there are."""
    base = f.headline.car(0)
    found: dict[str, float] = {}
    for key in f.headline.events:
        rows = [r.car(0).loc[key] for _, r in f.variants if key in r.events]
        own = clear_sign(*base.loc[key, ["low", "high"]])
        found[f"kept of {key}"] = sum(clear_sign(row["low"], row["high"]) == own for row in rows)
        found[f"models of {key}"] = len(rows)
    return found


def joint_numbers(f: Findings) -> Numbers:
    """Return the numbers of all events together and of the tests of their average."""
    joint, numbers = joint_result(f), result_numbers(f.everyone, names=f.spec.names)
    if joint is None:
        return numbers
    tests, _ = f.everyone.run_tests((0, 0))
    named = {name: t.title for t in tests for name in (t.title, t.name)}
    counts = {
        "variance_ratio": joint.variance_ratio,
        "far_down": joint.far_down,
        "far_up": joint.far_up,
        "far": FAR,
        "events": f.everyone.abnormal.n,
    }
    return replace(
        numbers,
        names={**numbers.names, **named},
        values={(t.title, P_VALUE, numbers.span): t.p_value for t in tests},
        counts={**numbers.counts, **counts},
    )


def advice_numbers(f: Findings) -> Numbers:
    """Return the one number of the result that the advice on tests names; its rates and minima are the tests' own."""
    joint = joint_result(f)
    return Numbers(counts={} if joint is None else {"variance_ratio": joint.variance_ratio})


def market_numbers(f: Findings) -> Numbers:
    """Return the numbers of the whole market on the event day."""
    day = market_day(f)
    if f.universe is None or day is None:
        return Numbers()
    call, span, benchmark = f.spec.call, (0, 0), f.spec.model.benchmark
    names = {call(t): t for t in (day.lowest_ticker, *(t for t, _ in day.beside))}
    known = {form: benchmark for name in index_names(benchmark, f.spec.names) for form in (name, capital(name))}
    sessions = f.universe.panel.sessions
    return Numbers(
        names={**names, **known, capital(MEDIAN): MEDIAN},
        values={
            (MEDIAN, ABNORMAL, span): day.median,
            (day.lowest_ticker, ABNORMAL, span): day.lowest,
            (benchmark, RETURN, span): day.index,
            **{(ticker, FROM_MEDIAN, span): value for ticker, value in day.beside},
        },
        counts={"members": day.members, "rose": day.rose},
        days={form(np.min(sessions)): 0 for form in (long_day, iso_day)},
        roles={"lowest": day.lowest_ticker},
        quoted=frozenset(["S&P 500 with prices"]),
    )


def benchmark_check(f: Findings) -> BenchmarkCheck | None:
    """Return the check of the benchmark without the firms of all events, if it does not hold; where it is not known, that of the headline's."""
    checks = [c for r in (f.everyone, f.headline) for c in r.checks if isinstance(c, BenchmarkCheck)]
    return checks[0] if checks and not checks[0].passed else None


def benchmark_rows(f: Findings) -> tuple[AgainstRest, ...]:
    """Return the rows of that check for headline events, by their names in the headline, and for the average."""
    check, r = benchmark_check(f), f.headline
    if check is None:
        return ()
    when = {(e.ticker, s): key for e, s, key in zip(r.panel.events, r.panel.sessions, r.abnormal.keys, strict=True)}
    panel = f.everyone.panel
    known = zip(f.everyone.abnormal.keys, panel.events, panel.sessions, strict=True)
    here = {key: when[e.ticker, s] for key, e, s in known if (e.ticker, s) in when}
    return tuple(
        replace(row, name=here.get(row.name, row.name)) for row in check.rows if row.name in here or not row.single
    )


def turned_headlines(f: Findings) -> tuple[str, ...]:
    """Return the headline events whose verdict turns without the firms of all events in the benchmark."""
    return tuple(row.name for row in benchmark_rows(f) if row.single and row.turns)


def benchmark_numbers(f: Findings) -> Numbers:
    """Return the numbers of the headline events against the rest of the benchmark, and what they are of it."""
    check = benchmark_check(f)
    if check is None:
        return Numbers()
    numbers, keys = headline_numbers(f), f.headline.abnormal.keys
    values = {
        (row.name if row.single else AVERAGE, what, numbers.span): value
        for row in benchmark_rows(f)
        for what, value in (
            (SHARE, row.share),
            (ABNORMAL, row.change),
            (P_VALUE, row.p),
            (AGAINST_REST, row.against_rest),
            (P_REST, row.p_rest),
        )
    }
    counts = {"explained": 100.0 * check.explained, "left_out": len(check.without)}
    names = {**group_names(len(keys)), average_of_everyone(f): AVERAGE, **numbers.names}
    return replace(numbers, names=names, values=values, counts=counts)


def average_of_everyone(f: Findings) -> str:
    """Return what the average of all events is called beside the headline's."""
    n = f.everyone.abnormal.n
    return "the average" if n == f.headline.abnormal.n else f"the average of all {n} events"


def read_title(f: Findings) -> Reading:
    """Return what the headline says, which its author wrote.

    Raises
    ------
    StudyFileError
        If it says what the numbers deny.
    """
    reading = read(f.spec.title, headline_numbers(f), strict=True)
    if reading.problems:
        raise StudyFileError(
            f"{f.spec.path.name}: title is {f.spec.title!r}, which the numbers deny: {'; '.join(reading.problems)}. Say what is right, or "
            "leave the number out."
        )
    return reading
