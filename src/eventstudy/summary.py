"""The printed summary of a result: the same content as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from eventstudy.inference import readings
from eventstudy.readings import Readings
from eventstudy.tables import html_table, key_values, text_table
from eventstudy.windows import Window
from eventstudy.wording import interval, number, p_text, percent

#: Events listed one by one in the first window of a summary, and in the others; beyond that only averages are shown.
LISTED_EVENTS, LISTED_AGAIN = 30, 10


def default_windows(window: Window) -> list[Window]:
    """Return the windows that a summary shows: the event day, day 0 to +1, and the whole window."""
    wanted = [Window(0, 0), Window(0, 1), window]
    return list(dict.fromkeys(w for w in wanted if w in window)) or [window]


def header(result: Readings) -> dict[str, str]:
    """Return what was studied, as names and values."""
    ab = result.abnormal
    source = result.provenance
    days = result.panel.sessions
    when = f"{days.min():%Y-%m-%d}" if days.nunique() == 1 else f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"
    lost = f", {len(result.dropped)} dropped" if result.dropped else ""
    return {
        "Events": f"{ab.n} on {days.nunique()} session{'s' * (days.nunique() != 1)} ({when}){lost}",
        "Model": f"{result.model.name}, {result.model.formula}; {result.returns_kind} returns",
        "Estimation": f"days {ab.estimation}, {_span(int(ab.n_est.min()), int(ab.n_est.max()))} returns used",
        "Event window": f"days {ab.window}",
        "Prices": source.source
        + (f", vintage {source.retrieved}" if source.retrieved else "")
        + f", {source.first} to {source.last}",
    }


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def event_rows(result: Readings, window: Window) -> tuple[list[str], list[list[str]]]:
    """Return headers and cells: each event's raw and abnormal return over a window, with interval and p-value."""
    table = result.car(window.start, window.end)
    raw = result.abnormal.held(window, result.returns_kind)
    rows = []
    for i, (key, row) in enumerate(table.iterrows()):
        rows.append(
            [
                str(key),
                percent(float(raw[i])),
                percent(row["car"]),
                interval(row["low"], row["high"]),
                number(row["t"]),
                p_text(row["p_value"]),
            ]
        )
    return ["Event", "Return", "Abnormal", "95% interval", "t", "p"], rows


def inference_rows(result: Readings, window: Window) -> tuple[list[str], list[list[str]]]:
    """Return headers and cells: the tests of the average over one window, recommended ones first."""
    remarks = readings(result.abnormal, window)
    rows = []
    for test in result.run_tests(window)[0]:
        mark = remarks.get(test.name, "")
        if test.applicable:
            rows.append([test.name, number(test.statistic), p_text(test.p_value), str(test.n), mark])
        else:
            rows.append([test.name, number(float("nan")), number(float("nan")), str(test.n), test.reason])
    return ["Test", "Statistic", "p", "n", ""], rows


def failed_checks(result: Readings) -> list[str]:
    """Return a line for each check that did not hold."""
    return [f"{c.name}: {c.value} ({c.rule}). {c.comment}" for c in result.checks if not c.passed]


def summary_text(result: Readings, windows: Sequence[Window] = ()) -> str:
    """Return the result as text for a terminal, over some windows; by default those of `default_windows`."""
    parts = ["Event study", key_values(header(result))]
    shown = [w for w in windows if w in result.abnormal.window] or default_windows(result.abnormal.window)
    for window in shown:
        if result.abnormal.n <= (LISTED_EVENTS if window == shown[0] else LISTED_AGAIN):
            headers, rows = event_rows(result, window)
            parts += [f"Days {window}, t with prediction error", text_table(headers, rows)]
        if result.abnormal.n > 1:
            parts.append(
                f"Average over {result.abnormal.n} events, days {window}: CAAR {percent(result.abnormal.caar(window))}"
            )
            parts.append(text_table(*inference_rows(result, window)))
        else:
            parts.append(_single_line(result, window))
    parts += advice_lines(result, shown)
    notes = failed_checks(result)
    if notes:
        parts.append("Mind:\n" + "\n".join(f"  - {n}" for n in notes))
    return "\n\n".join(parts)


def advice_lines(result: Readings, windows: Sequence[Window]) -> list[str]:
    """Return which tests to believe: one line, or one for each window if a longer one changes the design."""
    said = {w: result.advice(w) for w in windows}
    if len(set(said.values())) == 1:
        return [said[windows[0]]]
    return [f"Days {w}: {text}" for w, text in said.items()]


def _single_line(result: Readings, window: Window) -> str:
    tests, _ = result.run_tests(window)
    return "; ".join(f"{t.name} p {t.p_text}" if t.applicable else f"{t.name}: {t.reason}" for t in tests)


def summary_html(result: Readings) -> str:
    """Return the result as HTML for a notebook: the event day, one table of events and one of tests."""
    import html

    window = default_windows(result.abnormal.window)[0]
    about = "<br>".join(f"<b>{html.escape(k)}</b>: {html.escape(v)}" for k, v in header(result).items())
    parts = [f"<p>{about}</p>"]
    if result.abnormal.n <= LISTED_EVENTS:
        parts.append(html_table(*event_rows(result, window), f"Days {window}, t with prediction error"))
    if result.abnormal.n > 1:
        caption = (
            f"Average over {result.abnormal.n} events, days {window}: CAAR {percent(result.abnormal.caar(window))}"
        )
        parts.append(html_table(*inference_rows(result, window), caption))
    parts += [f"<p>{html.escape(n)}</p>" for n in (*advice_lines(result, [window]), *failed_checks(result))]
    return "\n".join(parts)
