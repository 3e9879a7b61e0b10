"""The printed summary of a result: the same content as text and as HTML."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.model import Fit, NormalReturnModel
from eventstudy.estimation.panel import Dropped, EventPanel, IntArray
from eventstudy.inference import STANDARD, notes_on_tests
from eventstudy.inference.advice import INFLATED, beside, ruled_out, serial_inflation
from eventstudy.inference.asked import ask_of
from eventstudy.inference.multiple import adjust
from eventstudy.inference.result import LEVEL
from eventstudy.measures import UNITS
from eventstudy.prices.checks.finding import Finding
from eventstudy.prices.table import Provenance
from eventstudy.study.power import POWER, detectable_average, detectable_changes, is_void
from eventstudy.study.tables import (
    advised,
    html_table,
    key_values,
    own_p,
    shown_caar,
    shown_cars,
    shown_tests,
    text_table,
)
from eventstudy.study.validity import EVENTS_CHECK, EXCHANGE_CHECK, NAMED, PRICE_CHECK, STILL_CHECK, Check
from eventstudy.study.yardstick import BENCHMARK_CHECK
from eventstudy.windows import Window
from eventstudy.wording import (
    DASH,
    amount,
    by_reason,
    first_few,
    interval,
    iso_day,
    listed,
    number,
    p_text,
    percent,
    plural,
)


class ResultFields(Protocol):
    """What a result holds, for what shows it: the fields of `EventStudyResult`."""

    @property
    def model(self) -> NormalReturnModel:
        """The model of normal returns."""

    @property
    def panel(self) -> EventPanel:
        """Returns in event time."""

    @property
    def fit(self) -> Fit:
        """The estimated models."""

    @property
    def abnormal(self) -> AbnormalReturns:
        """Abnormal returns."""

    @property
    def audit(self) -> pd.DataFrame:
        """What became of each event."""

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """Events left out."""

    @property
    def checks(self) -> tuple[Check, ...]:
        """Checks of validity."""

    @property
    def returns_kind(self) -> str:
        """Simple or log."""

    @property
    def provenance(self) -> Provenance:
        """Where the prices come from."""

    @property
    def measure(self) -> str:
        """What may be abnormal."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of the checks of prices."""


#: Events listed one by one in the first window of a summary, and in the others; beyond that only averages are shown.
LISTED_EVENTS, LISTED_AGAIN = 30, 10
#: What is said wherever log returns are written as per cent: `AbnormalReturns.as_fractions`.
LOG_UNIT = "Per cents are exp(x) − 1 of log returns, and that of an average is exp(x) − 1 of the mean log return"
#: Checks of validity that have a place of their own.
SAID_APART = (PRICE_CHECK, STILL_CHECK, BENCHMARK_CHECK, EVENTS_CHECK)
#: The column of smallest changes that would have been found, beside every change that is not clear.
DETECTABLE = "Detectable"


def default_windows(window: Window) -> list[Window]:
    """Return the windows that a summary shows: the event day, day 0 to +1, and the whole window."""
    wanted = [Window(0, 0), Window(0, 1), window]
    return list(dict.fromkeys(w for w in wanted if w in window)) or [window]


def header(result: ResultFields) -> dict[str, str]:
    """Return what was studied, as names and values."""
    ab = result.abnormal
    source = result.provenance
    days = result.panel.sessions
    dates = len(days.unique())
    when = " to ".join(dict.fromkeys([iso_day(days.min()), iso_day(days.max())]))
    lost = f", {len(result.dropped)} dropped" if result.dropped else ""
    return {
        "Events": f"{ab.n} on {plural(dates, 'session')} ({when}){lost}",
        "Model": f"{result.model.name}, {result.model.formula}; {_measure_words(result)}",
        "Estimation": f"days {ab.estimation}, {_span(int(ab.n_est.min()), int(ab.n_est.max()))} returns used",
        "Event window": f"days {ab.window}",
        "Prices": source.source
        + (f", vintage {source.retrieved}" if source.retrieved else "")
        + f", {source.first} to {source.last}",
        **{c.name: c.value for c in result.checks if c.name == EXCHANGE_CHECK},
    }


def _measure_words(result: ResultFields) -> str:
    """Return what may be abnormal, in words."""
    if result.measure == "return":
        return f"{result.returns_kind} returns" + (
            f"; {LOG_UNIT[0].lower()}{LOG_UNIT[1:]}" if result.abnormal.log else ""
        )
    return f"R stands for {result.measure}, in {UNITS[result.measure]}"


def _span(low: int, high: int) -> str:
    return " to ".join(dict.fromkeys([str(low), str(high)]))


def event_rows(result: ResultFields, window: Window) -> tuple[list[str], list[list[str]]]:
    """Return headers and cells: each event's raw and abnormal return over a window, with interval and p-value.

    Where some of several events show no clear change, a last column says which change would have been found.
    """
    table = shown_cars(result.abnormal, window)
    is_return = result.measure == "return"
    form = amount(result.measure)
    rows = []
    for key, row in table.iterrows():
        rows.append(
            [
                str(key),
                form(row["return"]) if is_return or len(window) == 1 else DASH,
                form(row["car"]),
                interval(row["low"], row["high"], form),
                number(row["t"]),
                p_text(row["p_value"]),
            ]
        )
    headers = ["Event", "Return" if is_return else "Value", "Abnormal", "95% interval", "t", "p"]
    unclear = (table["p_value"] >= LEVEL).tolist()
    if len(rows) > 1 and any(unclear) and not (is_void(result.checks) or result.abnormal.void):
        headers.append(DETECTABLE)
        for cells, size, beside in zip(
            rows, detectable_changes(result.abnormal, window).tolist(), unclear, strict=True
        ):
            cells.append(change_words(result, size) if beside and sayable(result, size) else "")
    return headers, rows


def unadvised(result: ResultFields, window: Window) -> list[str]:
    """Return a line if the t of the table is not recommended for some of its events, which by themselves would have no test."""
    why: dict[str, list[str]] = {}
    for key, reason in _own_t_ruled_out(result, window, np.arange(result.abnormal.n)).items():
        why.setdefault(reason, []).append(key)
    return [
        f"The t and p of {first_few(keys, LISTED_AGAIN)} are not recommended: {reason}." for reason, keys in why.items()
    ]


def _own_t_ruled_out(result: ResultFields, window: Window, events: IntArray) -> dict[str, str]:
    """Return why the own t of some of several events is not recommended, by event."""
    ab = result.abnormal
    if ab.n == 1 or len(window) == 1 or not len(events):
        return {}
    doubtful = events[np.flatnonzero(serial_inflation(ab.part(events), window) > INFLATED)]
    why = ((ab.keys[i], ruled_out(ab.take(np.array([i])), window).get("t_pe", "")) for i in doubtful.tolist())
    return {key: reason for key, reason in why if reason}


def _title(result: ResultFields, window: Window, headers: Sequence[str]) -> str:
    """Return the title of a table of events."""
    power = f"; detectable: found with {percent(POWER, 0, sign=False)} power" if DETECTABLE in headers else ""
    error = (
        "prediction error"
        if not result.abnormal.has("reference_returns")
        else "s √L, an approximation for compounded returns"
    )
    unit = "" if result.measure == "return" else f", {UNITS[result.measure]}"
    several = len(window) > 1 and result.measure == "return" and not result.abnormal.has("reference_returns")
    how = "; the return is compounded, the abnormal return a sum" if several and not result.abnormal.log else ""
    return f"Days {window}{unit}, t with {error}{how}{power}"


def change_words(result: ResultFields, change: float, digits: int = 2) -> str:
    """Return a change of either sign, ``±2.10%``; of log returns, whose ends are not alike, ``−2.08% or +2.12%``."""
    if result.measure != "return":
        return f"±{amount(result.measure)(change).lstrip('+')}"
    if result.abnormal.log:
        return " or ".join(percent(float(end), digits) for end in result.abnormal.as_fractions([-change, change]))
    return f"±{percent(change, digits, sign=False)}"


def sayable(result: ResultFields, change: float) -> bool:
    """Return whether a smallest change that would be found is worth saying: no price loses more than all of itself."""
    return math.isfinite(change) and (result.measure != "return" or float(result.abnormal.as_fractions(change)) <= 1.0)


def gap_lines(result: ResultFields, window: Window) -> list[str]:
    """Return which events have no sum over a window, and why, in a line; none if all have one."""
    keys, why = result.abnormal.keys, result.abnormal.why_no_sum(window)
    lost = by_reason([(keys[i], reason) for i, reason in enumerate(why) if reason], NAMED, _without_dates)
    return (
        [f"No abnormal return over days {window} and no verdict: {first_few(lost, LISTED_AGAIN, '; ')}."]
        if lost
        else []
    )


def _without_dates(reason: str) -> str:
    """Return why a window has no sum, without the dates that are one event's own."""
    return re.sub(r" \([\d, -]+\)|; its move between .*? is in no daily return", "", reason)


def _average_title(result: ResultFields, window: Window) -> str:
    """Return the title of the tests of an average: its events, those left out, and the average."""
    n, averaged = result.abnormal.n, int(np.isfinite(result.abnormal.sums(window).car).sum())
    of = plural(n, "event") if averaged == n else f"{averaged} of {n} events"
    caar = amount(result.measure)(shown_caar(result.abnormal, window))
    return f"Average over {of}, days {window}: CAAR {caar}{', void' if result.abnormal.void else ''}"


def power_line(result: ResultFields, window: Window) -> str:
    """Return which change would have been found if there is no clear one, or an empty text.

    For one event by `t_pe`, if that is recommended; for an average by the first recommended test that has a standard error. Of what
    such a day would show if it is as noisy as the estimation days; not where the number is void (`is_void`).
    """
    if result.abnormal.void or any(result.abnormal.why_no_sum(window)):
        return ""
    void = is_void(result.checks, average=result.abnormal.n > 1)
    found = "" if void else f"would have been found with {percent(POWER, 0, sign=False)} power"
    tests, names = shown_tests(result.abnormal, window)
    recommended = [t for t in tests if t.name in names and t.applicable]
    if result.abnormal.n == 1:
        change = float(detectable_changes(result.abnormal, window)[0])
        own = next((t for t in recommended if t.name == "t_pe"), None)
        if not found or own is None or any(t.p_value < LEVEL for t in recommended) or not sayable(result, change):
            return ""
        words = change_words(result, change, 1)
        return f"No clear abnormal change (t_pe p {p_text(own.p_value)}): a change of {words} {found}."
    sizes = [(t, detectable_average(result.abnormal, window, t)) for t in recommended]
    leading, size = next(((t, size) for t, size in sizes if math.isfinite(size)), (None, math.nan))
    if leading is None:
        leading, found = next(iter(recommended), None), ""
    if leading is None or leading.p_value < LEVEL:
        return ""
    found = found if sayable(result, size) else ""
    p = f"{leading.name} p {p_text(leading.p_value)}"
    words = change_words(result, size, 1)
    end = f": one of {words} {found}, if the events are as noisy as on estimation days." if found else "."
    if parts := clear_parts(result, window):
        return f"{parts} The average is not clear ({p}){end}"
    return f"No clear average abnormal change ({p}){end}" if found else ""


def clear_parts(result: ResultFields, window: Window) -> str:
    """Say which single events, or which portfolio, moved clearly where the average may not, or return an empty text.

    Events by Holm's method at 5 %, without those whose own t is not recommended, the portfolio by the test that stands beside the recommended one.
    """
    ab = result.abnormal
    holm = adjust(own_p(ab, window), "holm")
    clear = np.flatnonzero(holm < LEVEL)
    ruled = _own_t_ruled_out(result, window, clear)
    moved = [f"{ab.keys[i]} ({p_text(float(holm[i]))})" for i in clear.tolist() if ab.keys[i] not in ruled]
    said = [f"Clear by themselves, with p by Holm's method: {first_few(moved, LISTED_AGAIN)}."] if moved else []
    tests, _ = shown_tests(result.abnormal, window)
    names = beside(result.abnormal, window)
    said += [
        f"Their portfolio moved beyond its ordinary days ({t.name} p {p_text(t.p_value)})."
        for t in tests
        if t.name in names and t.p_value < LEVEL
    ]
    return " ".join(said)


def inference_rows(result: ResultFields, window: Window) -> tuple[list[str], list[list[str]]]:
    """Return headers and cells: the tests of the average over one window, recommended ones first."""
    notes = notes_on_tests(result.abnormal, window)
    rows = []
    for test in shown_tests(result.abnormal, window)[0]:
        mark = str(notes.get(test.name, ""))
        if test.applicable:
            rows.append([test.name, number(test.statistic), p_text(test.p_value), str(test.n), mark])
        else:
            rows.append([test.name, number(float("nan")), number(float("nan")), str(test.n), test.reason])
    return ["Test", "Statistic", "p", "n", "Note"], rows


def _no_test(result: ResultFields, window: Window) -> str:
    """Return why no test of an average applies, where no event has a sum; else an empty text."""
    if not all(result.abnormal.why_no_sum(window)):
        return ""
    reasons = dict.fromkeys(t.reason for t in shown_tests(result.abnormal, window)[0])
    return f"No test applies: {'; '.join(reasons)}."


def failed_checks(result: ResultFields) -> list[str]:
    """Return a line for each check that did not hold, but for those that have a place of their own."""
    lost = [c for c in result.checks if not c.passed and c.name not in SAID_APART]
    return [f"{c.name}: {c.value} (expected: {c.rule}); {c.comment}" for c in lost]


def price_warnings(result: ResultFields) -> list[str]:
    """Return a line if a check of the prices did not hold: it stands before every number that rests on them."""
    lost = [c for c in result.checks if c.name in (PRICE_CHECK, STILL_CHECK) and not c.passed]
    return [f"Check the prices first: {c.comment}" for c in lost]


def benchmark_warnings(result: ResultFields) -> list[str]:
    """Return a line if the benchmark holds the events' own firms: it stands beside the verdicts that rest on it."""
    lost = [c for c in result.checks if c.name == BENCHMARK_CHECK and not c.passed]
    return [f"Mind the benchmark ({c.value}): {c.comment}." for c in lost]


def events_notes(result: ResultFields) -> list[str]:
    """Return what of the table of events was not used."""
    return [f"{c.value}{c.comment and '; '}{c.comment}" for c in result.checks if c.name == EVENTS_CHECK]


def price_cautions(result: ResultFields) -> list[str]:
    """Return what a file's or a vendor's prices leave open; what is known of the embedded ones stands in the report."""
    source = result.provenance
    return [] if source.embedded else list(source.cautions)


def summary_text(result: ResultFields, windows: Sequence[Window] = ()) -> str:
    """Return the result as text for a terminal, over some windows; by default those of `default_windows`."""
    parts = ["Event study", key_values(header(result)), *price_warnings(result)]
    shown = [w for w in windows if w in result.abnormal.window] or default_windows(result.abnormal.window)
    ask_of(result.abnormal, shown, STANDARD)
    for window in shown:
        if result.abnormal.n <= (LISTED_EVENTS if window == shown[0] else LISTED_AGAIN):
            headers, rows = event_rows(result, window)
            parts += [_title(result, window, headers), text_table(headers, rows), *unadvised(result, window)]
        parts += gap_lines(result, window)
        if result.abnormal.n > 1:
            parts.append(_average_title(result, window))
            parts.append(_no_test(result, window) or text_table(*inference_rows(result, window), last_left=True))
        else:
            parts.append(_single_line(result, window))
        parts += filter(None, [power_line(result, window)])
        parts += benchmark_warnings(result) if window == shown[0] else []
    parts += advice_lines(result, shown)
    for title, notes in (
        ("Assumptions that do not hold:", failed_checks(result)),
        ("About the table of events:", events_notes(result)),
        ("About the prices:", price_cautions(result)),
    ):
        if notes:
            parts.append("\n".join([title, *(f"  - {n}" for n in notes)]))
    return "\n\n".join(parts)


def advice_lines(result: ResultFields, windows: Sequence[Window]) -> list[str]:
    """Return which tests are recommended: one line, or one for each window if a longer one changes the design; in full once."""
    said = {w: advised(result.abnormal, w) for w in windows}
    alike: dict[str, list[Window]] = {}
    for w, advice in said.items():
        alike.setdefault(advice.sentence, []).append(w)
    if len(alike) == 1:
        return list(alike)
    lines: list[str] = []
    first: list[str] = []
    for sentence, same in alike.items():
        advice, days = said[same[0]], listed([str(w) for w in same])
        parts = advice.reason.split("; ")
        if first and {_kind(p) for p in first} <= {_kind(p) for p in parts}:
            new = "; ".join(p for p in parts if p not in first)
            names = ", ".join(advice.names) or "no test"
            lines.append(f"Days {days}: Recommended: {names}, as above{new and '; '}{new}.")
        else:
            first = first or parts
            lines.append(f"Days {days}: {sentence}")
    return lines


def _kind(reason: str) -> str:
    """Return a reason without its days, numbers and the test that it names."""
    asked = r"the day is an ordinary one|the days \[[^\]]*\] are ordinary ones"
    return re.sub(rf"{asked}|\[[^\]]*\]|[\d.,]+|\b[a-z]+(?:_[a-z0-9]+)+\b|\bplacebo\b", "#", reason)


def _single_line(result: ResultFields, window: Window) -> str:
    tests, recommended = shown_tests(result.abnormal, window)
    if all(not t.applicable for t in tests):
        return "No test applies."
    marks = dict.fromkeys(recommended, " (recommended)")
    return "; ".join(
        f"{t.name} p {t.p_text}{marks.get(t.name, '')}" if t.applicable else f"{t.name}: {t.reason}" for t in tests
    )


def summary_html(result: ResultFields) -> str:
    """Return the result as HTML for a notebook: the event day, one table of events and one of tests."""
    window = default_windows(result.abnormal.window)[0]
    ask_of(result.abnormal, [window], STANDARD)
    about = "<br>".join(f"<b>{html.escape(k)}</b>: {html.escape(v)}" for k, v in header(result).items())
    parts = [f"<p>{about}</p>", *(f"<p><b>{html.escape(line)}</b></p>" for line in price_warnings(result))]
    if result.abnormal.n <= LISTED_EVENTS:
        headers, rows = event_rows(result, window)
        parts.append(html_table(headers, rows, _title(result, window, headers)))
        parts += [f"<p>{html.escape(line)}</p>" for line in unadvised(result, window)]
    parts += [f"<p>{html.escape(line)}</p>" for line in gap_lines(result, window)]
    if result.abnormal.n > 1:
        parts.append(html_table(*inference_rows(result, window), _average_title(result, window)))
    else:
        parts.append(f"<p>{html.escape(_single_line(result, window))}</p>")
    parts += [
        f"<p>{html.escape(line)}</p>" for line in [power_line(result, window), *benchmark_warnings(result)] if line
    ]
    parts += [
        f"<p>{html.escape(n)}</p>"
        for n in (
            *advice_lines(result, [window]),
            *failed_checks(result),
            *events_notes(result),
            *price_cautions(result),
        )
    ]
    return "\n".join(parts)
