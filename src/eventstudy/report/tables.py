"""The tables of a report: for each, the text shown and the raw numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.claims.ledger import inputs_text
from eventstudy.estimation import Dimson
from eventstudy.inference import notes_on_tests
from eventstudy.inference.market_value import changes_table
from eventstudy.report.findings import Findings, happenings
from eventstudy.study.results import EventStudyResult
from eventstudy.study.tables import frame_of_tests, html_table, latex_table, markdown_table, shown_cars
from eventstudy.windows import Window
from eventstudy.wording import (
    DASH,
    MINUS,
    billions,
    in_brackets,
    interval,
    iso_day,
    money_words,
    number,
    p_text,
    percent,
    sq_p_text,
)


@dataclass(frozen=True, eq=False, repr=False)
class ReportTable:
    """A table as shown and as numbers."""

    #: File name without ending, its place on the page, and the first part of its numbers' names.
    name: str
    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    raw: pd.DataFrame
    #: So many columns hold words.
    left: int = 1
    #: Columns of ``raw`` that name a row; by default all columns of words.
    named_by: tuple[str, ...] = ()
    #: Column of ``raw`` with a result that has ``low`` and ``high`` beside it, and the column with its
    #: p-value.
    result: str = ""
    p_value: str = ""
    #: Column with the p-values of tests of the average that has ``recommended`` beside it.
    test_p_value: str = ""
    #: Whether ``numbers.json`` holds its numbers.
    published: bool = True

    @property
    def html(self) -> str:
        """The table as HTML."""
        return html_table(self.headers, self.rows, self.caption, self.left)

    @property
    def markdown(self) -> str:
        """The table as Markdown."""
        return markdown_table(self.headers, self.rows, self.left)

    @property
    def latex(self) -> str:
        """The table as LaTeX."""
        return latex_table(self.headers, self.rows, self.caption, self.left)


def days_text(window: Window) -> str:
    """Return a window as text with a typographic minus."""
    return str(window).replace("-", MINUS)


def headline_table(f: Findings) -> ReportTable:
    """Return the event day of each headline stock: raw, expected, abnormal, three tests, dollars."""
    numbers = _headline_numbers(f)
    rows = tuple(
        (
            str(n["event"]),
            percent(n["return"]),
            percent(n["expected"]),
            percent(n["abnormal"]),
            interval(n["low"], n["high"]),
            p_text(n["p_t_pe"]),
            sq_p_text(n["p_sq"], n["sq_of"]),
            p_text(n["p_permutation"]),
        )
        for n in numbers
    )
    headers = ("Share", "Return", "Expected", "Abnormal", "95% interval", "p, t", "p, SQ", "p, permutation")
    return ReportTable(
        "headline",
        "The event day, share by share",
        headers,
        rows,
        pd.DataFrame(numbers),
        named_by=("event",),
        result="abnormal",
        p_value="p_t_pe",
    )


def _headline_numbers(f: Findings) -> list[dict[str, Any]]:
    result, window = f.headline, Window(0, 0)
    car, sums = shown_cars(result.abnormal, window), result.abnormal.sums(window)
    expected = result.abnormal.as_fractions(result.abnormal.raw_returns(window) - sums.car)
    dollars = {c.key: c for c in f.dollars}
    among = result.adjusted(window, method="holm")["p_adjusted"]
    numbers = []
    for key, usual in zip(result.events, expected.tolist(), strict=True):
        row = car.loc[key]
        tests = {t.name: t for t in result.run_tests(window, event=str(key))[0]}
        sq, change = tests["sq"], dollars.get(str(key))
        numbers.append(
            {
                "event": key,
                "return": row["return"],
                "expected": usual,
                "abnormal": row["car"],
                "low": row["low"],
                "high": row["high"],
                "t": row["t"],
                "p_t_pe": row["p_value"],
                "p_holm": among[key],
                "p_sq": sq.p_value,
                "sq_as_extreme": sq.details.get("k", np.nan),
                "sq_of": sq.details.get("m", np.nan),
                "p_permutation": tests["permutation"].p_value,
                **{f"usd_{name}": getattr(change, name, np.nan) for name in ("raw", "abnormal", "low", "high")},
            }
        )
    return numbers


def _published(row: pd.Series[Any]) -> dict[str, Any]:
    """Return the numbers of a row of `shown_cars`, the return first."""
    numbers = {str(k): v for k, v in row.items() if k not in ("note", "return")}
    return {"return": row["return"], **numbers} if "return" in row else numbers


def windows_table(f: Findings) -> ReportTable:
    """Return CARs of the headline events over the reported windows, with what else happened if a timeline says so."""
    rows, numbers = [], []
    for window in f.spec.model.report:
        car = shown_cars(f.headline.abnormal, window)
        others = len(happenings(f, window))
        for key in f.headline.events:
            row = car.loc[key]
            cells = (
                days_text(window),
                str(key),
                percent(row["return"]),
                percent(row["car"]),
                interval(row["low"], row["high"]),
                p_text(row["p_value"]),
            )
            rows.append((*cells, str(others) if others else "none known") if len(f.timeline) else cells)
            numbers.append({"window": str(window), "event": key, **_published(row), "other_news": others})
    headers: tuple[str, ...] = ("Days", "Share", "Return", "CAR", "95% interval", "p, t")
    caption = "Cumulative abnormal returns by window"
    if any(len(w) > 1 for w in f.spec.model.report) and not f.headline.abnormal.log:
        caption += "; returns are compounded, CARs are sums"
    if len(f.timeline):
        headers, caption = (*headers, "Other news"), f"{caption}; with other news in it, a window is not one story"
    return ReportTable(
        "windows",
        caption,
        headers,
        tuple(rows),
        pd.DataFrame(numbers),
        left=2,
        named_by=("event", "window"),
        result="car",
        p_value="p_value",
    )


def table_of_tests(f: Findings) -> ReportTable:
    """Return the tests of the average over all events on the event day: recommended first, naive marked."""
    result, window = f.everyone, Window(0, 0)
    tests, recommended = result.run_tests(window)
    notes = notes_on_tests(result.abnormal, window)
    rows = []
    for t in tests:
        verdict = str(notes.get(t.name, DASH))
        rows.append(
            (
                t.title,
                t.name,
                verdict if t.applicable else t.reason,
                number(t.statistic),
                p_text(t.p_value),
                str(t.n),
            )
        )
    raw = frame_of_tests(tests, recommended).reset_index()
    same = "The same day, " if result.when() else ""
    caption = f"Is the mean abnormal return of all {result.abnormal.n} events zero? {same}{len(tests)} tests"
    headers = ("Test", "Name", "Note", "Statistic", "p", "n")
    return ReportTable("tests", caption, headers, tuple(rows), raw, left=3, named_by=("test",), test_p_value="p_value")


def everyone_table(f: Findings) -> ReportTable:
    """Return the event day of every share of the study, sorted by abnormal return."""
    result = f.everyone
    shown = shown_cars(result.abnormal, Window(0, 0)).drop(columns="note", errors="ignore")
    car = shown.rename(columns={"return": "raw"}).assign(beta=_beta(result))
    groups = {k: e.group for k, e in zip(result.abnormal.keys, result.panel.events, strict=True)}
    dollars = {c.key: c for c in f.dollars}
    car = car.sort_values("car", kind="stable")
    rows = []
    for key, row in car.iterrows():
        change = dollars.get(str(key))
        rows.append(
            (
                str(key),
                groups[str(key)] or DASH,
                percent(row["raw"]),
                number(row["beta"]),
                percent(row["car"]),
                interval(row["low"], row["high"]),
                p_text(row["p_value"]),
                billions(change.raw, 1, change.currency) if change else DASH,
            )
        )
    headers = ("Share", "Group", "Return", "Beta", "Abnormal", "95% interval", "p, t", "$ raw")
    raw = car.assign(group=[groups[str(k)] for k in car.index]).reset_index()
    return ReportTable(
        "all_shares",
        "Every share of the study on the event day",
        headers,
        tuple(rows),
        raw,
        left=2,
        named_by=("event",),
        result="car",
        p_value="p_value",
    )


def _beta(result: EventStudyResult) -> np.ndarray:
    """Return each event's beta; of a model with leads and lags the sum of them; NaN of a model without one."""
    if isinstance(result.model, Dimson):
        return result.model.summed_beta(result.fit)
    names = list(result.fit.names)
    if "beta" not in names:
        return np.full(result.abnormal.n, np.nan)
    return np.asarray(result.fit.coefficients[:, names.index("beta")])


def other_days_table(f: Findings) -> ReportTable | None:
    """Return the headline stocks on the other days that the study names: one row a day, one column a share."""
    rows, numbers = [], []
    for day, result in f.other_days:
        car = shown_cars(result.abnormal, day.window)
        session = iso_day(result.panel.sessions[0])
        rows.append(
            (
                day.label,
                session + (f", days {days_text(day.window)}" if len(day.window) > 1 else ""),
                *(
                    f"{percent(row['return'])}, abnormal {percent(row['car'])} (p {p_text(row['p_value'])})"
                    for _, row in car.iterrows()
                ),
            )
        )
        numbers += [
            {
                "day": day.label,
                "session": session,
                "window": str(day.window),
                "event": key,
                **_published(row),
            }
            for key, row in car.iterrows()
        ]
    if not rows:
        return None
    headers = ("Day", "Session", *f.spec.headline_tickers())
    caption = "The same shares on other days: return, and what of it is abnormal"
    return ReportTable(
        "other_days",
        caption,
        headers,
        tuple(rows),
        pd.DataFrame(numbers),
        left=len(headers),
        named_by=("event", "day", "window"),
        result="car",
        p_value="p_value",
    )


def _model_label(f: Findings) -> str:
    """Return the study's model and its benchmark, if it has one."""
    model = f.headline.model
    name = model.name[:1].upper() + model.name[1:]
    return f"{name}, {f.spec.call(model.benchmark)}" if model.benchmark else name


def robustness_table(f: Findings) -> ReportTable | None:
    """Return the event-day abnormal returns under other benchmarks and models."""
    if not f.variants:
        return None
    listed = [(f"{_model_label(f)} (this report)", f.headline)]
    for v, result in f.variants:
        text = v.label or result.model.name + (f", {result.model.benchmark}" if result.model.benchmark else "")
        listed.append((text, result))
    rows, numbers = [], []
    for label, result in listed:
        car = shown_cars(result.abnormal, Window(0, 0)).drop(columns="return")
        rows.append((label, *(f"{percent(r['car'])} (p {p_text(r['p_value'])})" for _, r in car.iterrows())))
        numbers += [{"variant": label, "event": k, **_published(r)} for k, r in car.iterrows()]
    headers = ("Model", *(str(k) for k in f.headline.events))
    caption = "Event-day abnormal return under other models of what was normal"
    return ReportTable(
        "robustness",
        caption,
        headers,
        tuple(rows),
        pd.DataFrame(numbers),
        named_by=("event", "variant"),
        result="car",
        p_value="p_value",
    )


def claims_table(f: Findings) -> ReportTable | None:
    """Return the articles' claims: verdict first, grouped by article."""
    if not len(f.claims):
        return None
    rows = tuple(
        (
            c.verdict_text,
            f"“{c.quote}”",
            source,
            c.about or DASH,
            c.days or DASH,
            c.sentence,
            inputs_text(c.ruling.inputs),
        )
        for source, claims in f.claims.by_article().items()
        for c in claims
    )
    headers = ("Verdict", "Claim", "Article", "About", "Days", "The numbers", "Inputs")
    caption = "What the articles said, and what the prices say"
    raw = f.claims.table.reset_index()
    return ReportTable("claims", caption, headers, rows, raw, left=len(headers), published=False)


def dollars_table(f: Findings) -> ReportTable | None:
    """Return the headline changes of market value with the share counts used."""
    keys = set(f.headline.abnormal.keys)
    chosen = tuple(c for c in f.dollars if c.key in keys)
    if not chosen:
        return None
    rows = tuple(
        (
            c.key,
            f"{c.close_before:,.2f}",
            f"{c.close_after:,.2f}",
            billions(c.raw, 1, c.currency),
            billions(c.abnormal, 1, c.currency),
            interval(c.low, c.high, partial(billions, currency=c.currency)),
            f"{c.shares.shares / 1e9:,.3f}bn" if c.shares else DASH,
            str(c.shares.period_end) if c.shares else DASH,
        )
        for c in chosen
    )
    headers = ("Share", "Close before", "Close", "Raw", "Abnormal", "95% interval", "Shares", "Count of")
    return ReportTable(
        "dollars",
        f"Change in market value on the event day, {money_words(c.currency for c in chosen)}",
        headers,
        rows,
        changes_table(chosen).reset_index(),
        named_by=("event",),
    )


def audit_table(f: Findings) -> ReportTable:
    """Return what became of each event that was asked for."""
    audit = f.everyone.audit
    rows = tuple(
        (
            str(key),
            row["asked"],
            row["session"] + in_brackets(row["remark"]),
            f"{row['estimation_days']} of {row['estimation_asked']}",
            f"{row['event_days']} of {row['event_asked']}",
            "kept" if row["kept"] else f"dropped: {row['reason']}",
        )
        for key, row in audit.iterrows()
    )
    headers = ("Event", "Asked for", "Session used", "Estimation days", "Event days", "Outcome")
    caption = "What became of each event"
    return ReportTable("audit", caption, headers, rows, audit.reset_index(), left=6, published=False)


def checks_table(f: Findings) -> ReportTable:
    """Return the checks of validity."""
    checks = f.everyone.checks
    rows = tuple((c.name, c.value, c.rule, "yes" if c.passed else "no", c.comment or DASH) for c in checks)
    headers = ("Check", "Found", "Expected", "Holds", "Comment")
    raw = pd.DataFrame(rows, columns=list(headers))
    return ReportTable("checks", "Checks of validity", headers, rows, raw, left=5, published=False)


#: Every table that a report may have, in the order of the page; one without rows is None.
TABLES: tuple[Callable[[Findings], ReportTable | None], ...] = (
    headline_table,
    windows_table,
    dollars_table,
    table_of_tests,
    everyone_table,
    other_days_table,
    robustness_table,
    claims_table,
    audit_table,
    checks_table,
)


def all_tables(
    f: Findings, kinds: Sequence[Callable[[Findings], ReportTable | None]] = TABLES
) -> tuple[ReportTable, ...]:
    """Return every table of the report that has rows, in the order of the page, by default of a report of events."""
    made = (table(f) for table in kinds)
    return tuple(t for t in made if t is not None)
