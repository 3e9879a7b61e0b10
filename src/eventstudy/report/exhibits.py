"""The house style of a study's figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy import figures
from eventstudy.claims.ledger import inputs_text
from eventstudy.figures.house_style import HouseStyle, current_style, default_style, drawing_with
from eventstudy.inference import notes_on_tests
from eventstudy.inference.market_value import changes_table
from eventstudy.prices.checks.finding import SEVERITIES, Finding
from eventstudy.report.findings import Findings, happenings
from eventstudy.study.export import describe_figure
from eventstudy.study.results import EventStudyResult
from eventstudy.study.tables import frame_of_tests, html_table, latex_table, markdown_table
from eventstudy.studyfile.spec import StudySpec
from eventstudy.windows import Window
from eventstudy.wording import DASH, MINUS, billions, interval, number, p_text, percent, sq_p_text

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure


def style_of(spec: StudySpec) -> HouseStyle:
    """Return the style that a study's file names, else the one in use."""
    return spec.presentation().style or current_style()


def style_input(spec: StudySpec) -> dict[str, str]:
    """Return the digest of a style other than the package's, fonts and logo included, as an input of a build."""
    style = style_of(spec)
    return {} if style == default_style() else {"style": style.digest}


# -- The tables of a report: for each, the text shown and the raw numbers.


@dataclass(frozen=True, eq=False, repr=False)
class ReportTable:
    """A table as shown and as numbers."""

    name: str
    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    raw: pd.DataFrame
    left: int = 1

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
    result, window = f.headline, Window(0, 0)
    car = result.car(0)
    raw = result.returns[0]
    dollars = {c.key: c for c in f.dollars}
    among = result.adjusted(window, "holm")["p_adjusted"]
    rows, numbers = [], []
    for key in result.events:
        row = car.loc[key]
        tests = {t.name: t for t in result.run_tests(window, event=str(key))[0]}
        sq, perm = tests["sq"], tests["permutation"]
        change = dollars.get(str(key))
        rows.append(
            (
                str(key),
                percent(raw[key]),
                percent(raw[key] - row["car"]),
                percent(row["car"]),
                interval(row["low"], row["high"]),
                p_text(row["p_value"]),
                sq_p_text(sq.p_value, sq.details.get("m", 0.0)),
                p_text(perm.p_value),
            )
        )
        numbers.append(
            {
                "event": key,
                "return": raw[key],
                "expected": raw[key] - row["car"],
                "abnormal": row["car"],
                "low": row["low"],
                "high": row["high"],
                "t": row["t"],
                "p_t_pe": row["p_value"],
                "p_holm": among[key],
                "p_sq": sq.p_value,
                "sq_as_extreme": sq.details.get("k", np.nan),
                "sq_of": sq.details.get("m", np.nan),
                "p_permutation": perm.p_value,
                "usd_raw": change.raw if change else np.nan,
                "usd_abnormal": change.abnormal if change else np.nan,
                "usd_low": change.low if change else np.nan,
                "usd_high": change.high if change else np.nan,
            }
        )
    headers = ("Share", "Return", "Expected", "Abnormal", "95% interval", "p, t", "p, SQ", "p, permutation")
    return ReportTable("headline", "The event day, share by share", headers, tuple(rows), pd.DataFrame(numbers))


def windows_table(f: Findings) -> ReportTable:
    """Return CARs of the headline events over the reported windows, with what else happened if a timeline says so."""
    rows, numbers = [], []
    for window in f.spec.model.report:
        car = f.headline.car(window.start, window.end)
        raw = f.headline.abnormal.held(window, f.headline.returns_kind)
        others = len(happenings(f, window))
        for i, key in enumerate(f.headline.events):
            row = car.loc[key]
            cells = (
                days_text(window),
                str(key),
                percent(raw[i]),
                percent(row["car"]),
                interval(row["low"], row["high"]),
                p_text(row["p_value"]),
            )
            rows.append((*cells, str(others) if others else "none known") if len(f.timeline) else cells)
            numbers.append(
                {"window": str(window), "event": key, "return": raw[i], **row.to_dict(), "other_news": others}
            )
    headers: tuple[str, ...] = ("Days", "Share", "Return", "CAR", "95% interval", "p, t")
    caption = "Cumulative abnormal returns by window"
    if len(f.timeline):
        headers, caption = (*headers, "Other news"), f"{caption}; with other news in it, a window is not one story"
    return ReportTable("windows", caption, headers, tuple(rows), pd.DataFrame(numbers), left=2)


def table_of_tests(f: Findings) -> ReportTable:
    """Return the tests of the average over all events on the event day: recommended first, naive marked."""
    result, window = f.everyone, Window(0, 0)
    tests, recommended = result.run_tests(window)
    notes = notes_on_tests(result.abnormal, window)
    rows = []
    for t in tests:
        verdict = notes.get(t.name, DASH)
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
    return ReportTable("tests", caption, ("Test", "Name", "Reading", "Statistic", "p", "n"), tuple(rows), raw, left=3)


def everyone_table(f: Findings) -> ReportTable:
    """Return the event day of every share of the study, sorted by abnormal return."""
    result = f.everyone
    car = result.car(0).assign(raw=result.returns[0], beta=_beta(result))
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
                billions(change.raw, 1) if change else DASH,
            )
        )
    headers = ("Share", "Group", "Return", "Beta", "Abnormal", "95% interval", "p, t", "$ raw")
    raw = car.assign(group=[groups[str(k)] for k in car.index]).reset_index()
    return ReportTable("all_shares", "Every share of the study on the event day", headers, tuple(rows), raw, left=2)


def _beta(result: EventStudyResult) -> np.ndarray:
    names = list(result.fit.names)
    if "beta" not in names:
        return np.full(result.abnormal.n, np.nan)
    return np.asarray(result.fit.coefficients[:, names.index("beta")])


def other_days_table(f: Findings) -> ReportTable | None:
    """Return the headline stocks on the other days that the study names: one row a day, one column a share."""
    rows, numbers = [], []
    for day, result in f.other_days:
        car = result.car(day.window.start, day.window.end)
        raw = result.abnormal.held(day.window, result.returns_kind)
        session = f"{result.panel.sessions[0]:%Y-%m-%d}"
        rows.append(
            (
                day.label,
                session + (f", days {days_text(day.window)}" if len(day.window) > 1 else ""),
                *(
                    f"{percent(r)}, abnormal {percent(row['car'])} (p {p_text(row['p_value'])})"
                    for r, (_, row) in zip(raw, car.iterrows(), strict=True)
                ),
            )
        )
        numbers += [
            {
                "day": day.label,
                "session": session,
                "window": str(day.window),
                "event": key,
                "return": r,
                **row.to_dict(),
            }
            for r, (key, row) in zip(raw, car.iterrows(), strict=True)
        ]
    if not rows:
        return None
    headers = ("Day", "Session", *f.spec.headline_tickers())
    caption = "The same shares on other days: return, and what of it is abnormal"
    return ReportTable("other_days", caption, headers, tuple(rows), pd.DataFrame(numbers), left=len(headers))


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
        car = result.car(0)
        rows.append((label, *(f"{percent(r['car'])} (p {p_text(r['p_value'])})" for _, r in car.iterrows())))
        numbers += [{"variant": label, "event": k, **r.to_dict()} for k, r in car.iterrows()]
    headers = ("Model", *(str(k) for k in f.headline.events))
    caption = "Event-day abnormal return under other models of what was normal"
    return ReportTable("robustness", caption, headers, tuple(rows), pd.DataFrame(numbers))


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
    return ReportTable("claims", caption, headers, rows, f.claims.table.reset_index(), left=len(headers))


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
            billions(c.raw, 1),
            billions(c.abnormal, 1),
            interval(c.low, c.high, billions),
            f"{c.shares.shares / 1e9:,.3f}bn" if c.shares else DASH,
            str(c.shares.period_end) if c.shares else DASH,
        )
        for c in chosen
    )
    headers = ("Share", "Close before", "Close", "Raw", "Abnormal", "95% interval", "Shares", "Count of")
    return ReportTable(
        "dollars",
        "Change in market value on the event day, US dollars",
        headers,
        rows,
        changes_table(chosen).reset_index(),
    )


def audit_table(f: Findings) -> ReportTable:
    """Return what became of each event that was asked for."""
    audit = f.everyone.audit
    rows = tuple(
        (
            str(key),
            row["asked"],
            row["session"] + (f" ({row['remark']})" if row["remark"] else ""),
            f"{row['estimation_days']} of {row['estimation_asked']}",
            f"{row['event_days']} of {row['event_asked']}",
            "kept" if row["kept"] else f"dropped: {row['reason']}",
        )
        for key, row in audit.iterrows()
    )
    headers = ("Event", "Asked for", "Session used", "Estimation days", "Event days", "Outcome")
    return ReportTable("audit", "What became of each event", headers, rows, audit.reset_index(), left=6)


def checks_table(f: Findings) -> ReportTable:
    """Return the checks of validity."""
    checks = f.everyone.checks
    rows = tuple((c.name, c.value, c.rule, "yes" if c.passed else "no", c.comment or DASH) for c in checks)
    headers = ("Check", "Found", "Expected", "Holds", "Comment")
    return ReportTable("checks", "Checks of validity", headers, rows, pd.DataFrame(rows, columns=list(headers)), left=5)


def data_checks(f: Findings) -> tuple[str, ...]:
    """Return what the checks of prices found in all runs of the study, the most serious first, a line each."""
    runs = (f.everyone, f.headline, *(r for _, r in f.other_days), *(r for _, r in f.variants))
    seen = {p.check for r in runs for p in r.findings if not p.idle}
    own = [(p, "") for r in runs for p in r.findings if not p.idle or p.check not in seen]
    panel = [(p, "S&P 500 panel, ") for p in (f.universe.findings if f.universe else ()) if not p.idle]
    worst: dict[tuple[object, ...], tuple[Finding, str]] = {}
    for found, where in own + panel:
        key = (where, found.check, found.tickers, found.value)
        if key not in worst or SEVERITIES.index(found.severity) > SEVERITIES.index(worst[key][0].severity):
            worst[key] = (found, where)
    listed = sorted(worst.values(), key=lambda pair: -SEVERITIES.index(pair[0].severity))
    return tuple(f"{where}{found}" for found, where in listed)


def all_tables(f: Findings) -> tuple[ReportTable, ...]:
    """Return every table of the report that has rows, in the order of the page."""
    made: Sequence[ReportTable | None] = (
        headline_table(f),
        windows_table(f),
        dollars_table(f),
        table_of_tests(f),
        everyone_table(f),
        other_days_table(f),
        robustness_table(f),
        claims_table(f),
        audit_table(f),
        checks_table(f),
    )
    return tuple(t for t in made if t is not None)


# -- The figures of a report, each laid out for an article and for a phone.


@dataclass(frozen=True, eq=False, repr=False)
class Chart:
    """One figure in two layouts.

    Attributes
    ----------
    name : str
        File name without ending, and its anchor on the page.
    article, phone : HouseFigure
        The same numbers laid out for a column and for a phone.
    """

    name: str
    article: HouseFigure
    phone: HouseFigure

    @cached_property
    def article_svg(self) -> bytes:
        """The article's layout as SVG, drawn once for page and PDF."""
        return figures.svg_bytes(self.article)


def day_text(result: EventStudyResult) -> str:
    """Return the session of a result's events in words, ``27 January 2025``, or the span of their sessions."""
    days = result.panel.sessions
    return result.when() or f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"


def draw_charts(f: Findings, mark: str = "", embargo_until: str = "") -> tuple[Chart, ...]:
    """Draw every figure that the study's data allow, in the study's house style.

    Parameters
    ----------
    mark, embargo_until : str
        A word drawn over each figure, such as ``DRAFT``, and the moment up to which it holds.
    """
    made: list[tuple[str, Callable[[str], HouseFigure]]] = [
        ("event_day", lambda size: _event_day(f, size)),
        ("car_paths", lambda size: _paths(f, size)),
        ("market_model", lambda size: _scatter(f, size)),
        ("estimation_days", lambda size: _ordinary(f, size)),
    ]
    if f.everyone.abnormal.n > f.headline.abnormal.n:
        made.append(("all_shares", lambda size: _ranking(f, size)))
    if f.universe is not None:
        made.append(("universe", lambda size: _universe(f, f.universe, size)))
    if any(not c.reason for c in f.dollars):
        made.append(("dollars", lambda size: _dollars(f, size)))
    if not (f.headline.model.benchmark and f.headline.fit.root.any() and len(f.headline.fit.names) == 2):
        made = [item for item in made if item[0] != "market_model"]
    with drawing_with(style_of(f.spec)):
        return tuple(
            Chart(
                name,
                _finished(f, name, draw("article"), mark, embargo_until),
                _finished(f, name, draw("phone"), mark, embargo_until),
            )
            for name, draw in made
        )


def _finished(f: Findings, name: str, figure: HouseFigure, mark: str, embargo_until: str) -> HouseFigure:
    """Say how a figure was made, and mark it."""
    result = f.universe if name == "universe" and f.universe is not None else f.everyone
    described = describe_figure(figure, result)
    return described.marked(mark, embargo_until=embargo_until) if mark else described


def _source(f: Findings, result: EventStudyResult) -> str:
    return f"{result.source_line()} Study: {f.spec.name}."


def _event_day(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.event_day(r.abnormal, Window(0, 0), size=size, source=_source(f, r), when=r.when())


def _paths(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.car_paths(r.abnormal, size=size, source=_source(f, r), when=r.when())


def _scatter(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.market_scatter(r.panel, r.fit, 0, size=size, source=_source(f, r), when=r.when())


def _ordinary(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.estimation_days(r.abnormal, 0, size=size, source=_source(f, r), when=r.when())


def _ranking(f: Findings, size: str) -> HouseFigure:
    r = f.everyone
    groups = {k: e.group for k, e in zip(r.abnormal.keys, r.panel.events, strict=True) if e.group}
    return figures.ranking(r.abnormal, size=size, source=_source(f, r), groups=groups or None, when=r.when())


def _universe(f: Findings, universe: EventStudyResult | None, size: str) -> HouseFigure:
    assert universe is not None
    marked = f.spec.universe.marked if f.spec.universe and f.spec.universe.marked else f.spec.headline_tickers()
    there = [t for t in marked if t in universe.abnormal.keys]
    return figures.universe(universe.abnormal, there, size=size, source=_source(f, universe), when=universe.when())


def _dollars(f: Findings, size: str) -> HouseFigure:
    return figures.dollars(f.dollars, size=size, source=_source(f, f.everyone), when=f.everyone.when())
