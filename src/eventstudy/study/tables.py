"""Tables as text, HTML, Markdown, LaTeX and CSV."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.inference import HypothesisTest, notes_on_tests
from eventstudy.measures import UNITS
from eventstudy.study.power import LEVEL, POWER, detectable_average, detectable_changes
from eventstudy.study.validity import PRICE_CHECK
from eventstudy.windows import Window
from eventstudy.wording import DASH, MINUS, amount, inert, interval, number, p_text, percent, round_significant

if TYPE_CHECKING:
    from eventstudy.study.results import EventStudyResult


def frame_of_tests(tests: Sequence[HypothesisTest], recommended: Sequence[str] = ()) -> pd.DataFrame:
    """Return tests as a table indexed by test name, raw numbers."""
    rows = [
        {
            "statistic": t.statistic,
            "df": t.df,
            "p_value": t.p_value,
            "n": t.n,
            "applicable": t.applicable,
            "variant": t.variant,
            "note": t.reason or t.note,
            "distribution": t.distribution,
            "recommended": t.name in recommended,
            "title": t.title,
        }
        for t in tests
    ]
    return pd.DataFrame(rows, index=pd.Index([t.name for t in tests], name="test"))


NUMERIC = ' class="num"'


def text_table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, *, last_left: bool = False) -> str:
    """Return an aligned plain-text table; the first ``left`` columns are left-aligned, and the last one if asked."""
    widths = [max(len(str(r[i])) for r in (headers, *rows)) for i in range(len(headers))]
    lines = []
    for row in (headers, *rows):
        cells = [
            str(c).ljust(w) if i < left or (last_left and i == len(widths) - 1) else str(c).rjust(w)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(lines)


def html_table(headers: Sequence[str], rows: Sequence[Sequence[str]], caption: str, left: int = 1) -> str:
    """Return an accessible HTML table with a caption, column headers and row headers; all text escaped."""
    head = "".join(f'<th scope="col"{"" if i < left else NUMERIC}>{html.escape(h)}</th>' for i, h in enumerate(headers))
    body = []
    for row in rows:
        cells = [f'<th scope="row">{html.escape(str(row[0]))}</th>']
        for i, cell in enumerate(row[1:], start=1):
            kind = "" if i < left else NUMERIC
            cells.append(f"<td{kind}>{html.escape(str(cell))}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f"<table><caption><span>{html.escape(caption)}</span></caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>"
    )


#: What Markdown reads as a tag, and what as an entity: ``<0.001`` and ``S&P 500`` are neither.
_TAG, _ENTITY = re.compile(r"<(?![\s\d.=]|$)"), re.compile(r"&(?=#?\w+;)")


def markdown_text(text: str) -> str:
    r"""Return text in one line that Markdown shows as it is: no tag, no entity, no code, no end of a table's cell.

    Examples
    --------
    >>> markdown_text("<b>S&P 500</b> &lt; a|b"), markdown_text("p <0.001 of the S&P 500")
    ('&lt;b&gt;S&P 500&lt;/b&gt; &amp;lt; a\\|b', 'p <0.001 of the S&P 500')
    """
    shown = _ENTITY.sub("&amp;", text.replace("\n", " "))
    if _TAG.search(shown):
        shown = shown.replace("<", "&lt;").replace(">", "&gt;")
    return shown.replace("|", "\\|").replace("`", "\\`")


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a GitHub-flavoured Markdown table whose cells are shown as they are: see `markdown_text`."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(markdown_text(str(c)) for c in cells) + " |"

    rule = "| " + " | ".join("---" if i < left else "---:" for i in range(len(headers))) + " |"
    return "\n".join([line(headers), rule, *(line(r) for r in rows)]) + "\n"


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", MINUS: "$-$", DASH: "--", "<": "$<$", ">": "$>$", "×": r"$\times$",
}  # fmt: skip


def latex_escape(text: str) -> str:
    """Return text with every character that LaTeX would interpret escaped."""
    return "".join(_LATEX.get(c, c) for c in text)


def latex_table(headers: Sequence[str], rows: Sequence[Sequence[str]], caption: str, left: int = 1) -> str:
    """Return a LaTeX ``tabular`` in a ``table`` with booktabs rules; all text escaped."""
    columns = "l" * left + "r" * (len(headers) - left)

    def line(cells: Sequence[str]) -> str:
        return " & ".join(latex_escape(str(c)) for c in cells) + r" \\"

    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{latex_escape(caption)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            line(headers),
            r"\midrule",
            *(line(r) for r in rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def rounded_csv(table: pd.DataFrame, index: bool = True) -> str:
    """Return a table as CSV text with numbers rounded to ten significant digits, LF line ends."""
    out = table.copy()
    for column in out.columns:
        if pd.api.types.is_float_dtype(out[column]):
            out[column] = round_significant(out[column].to_numpy(dtype=float))
        elif out[column].dtype == object:  # numbers beside texts would else be written with all their digits
            cells = [float(round_significant(v)) if isinstance(v, float) else v for v in out[column]]
            out[column] = pd.Series(cells, index=out.index, dtype=object)
        if not pd.api.types.is_numeric_dtype(out[column]):
            out[column] = pd.Series([inert(v) for v in out[column]], index=out.index, dtype=object)
    return out.to_csv(index=index, lineterminator="\n", float_format="%.10g")


def key_values(pairs: Mapping[str, str]) -> str:
    """Return ``name: value`` lines with the values aligned."""
    width = max((len(k) for k in pairs), default=0)
    return "\n".join(f"{k + ':':<{width + 1}} {v}" for k, v in pairs.items())


# -- The printed summary of a result: the same content as text and as HTML.


#: Events listed one by one in the first window of a summary, and in the others; beyond that only averages are shown.
LISTED_EVENTS, LISTED_AGAIN = 30, 10
#: The column of smallest changes that would have been found, beside every change that is not clear.
DETECTABLE = "Detectable"


def default_windows(window: Window) -> list[Window]:
    """Return the windows that a summary shows: the event day, day 0 to +1, and the whole window."""
    wanted = [Window(0, 0), Window(0, 1), window]
    return list(dict.fromkeys(w for w in wanted if w in window)) or [window]


def header(result: EventStudyResult) -> dict[str, str]:
    """Return what was studied, as names and values."""
    ab = result.abnormal
    source = result.provenance
    days = result.panel.sessions
    dates = len(days.unique())
    when = f"{days.min():%Y-%m-%d}" if dates == 1 else f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"
    lost = f", {len(result.dropped)} dropped" if result.dropped else ""
    return {
        "Events": f"{ab.n} on {dates} session{'s' * (dates != 1)} ({when}){lost}",
        "Model": f"{result.model.name}, {result.model.formula}; {_what(result)}",
        "Estimation": f"days {ab.estimation}, {_span(int(ab.n_est.min()), int(ab.n_est.max()))} returns used",
        "Event window": f"days {ab.window}",
        "Prices": source.source
        + (f", vintage {source.retrieved}" if source.retrieved else "")
        + f", {source.first} to {source.last}",
    }


def _what(result: EventStudyResult) -> str:
    """Return what may be abnormal, in words."""
    if result.measure == "return":
        return f"{result.returns_kind} returns"
    return f"R stands for {result.measure}, in {UNITS[result.measure]}"


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def event_rows(result: EventStudyResult, window: Window) -> tuple[list[str], list[list[str]]]:
    """Return headers and cells: each event's raw and abnormal return over a window, with interval and p-value.

    Where some of several events show no clear change, a last column says which change would have been found.
    """
    table = result.car(window.start, window.end)
    is_return = result.measure == "return"
    raw = result.abnormal.held(window, result.returns_kind if is_return else "log")
    form = amount(result.measure)
    rows = []
    for i, (key, row) in enumerate(table.iterrows()):
        rows.append(
            [
                str(key),
                form(float(raw[i])) if is_return or len(window) == 1 else DASH,
                form(row["car"]),
                interval(row["low"], row["high"], form),
                number(row["t"]),
                p_text(row["p_value"]),
            ]
        )
    headers = ["Event", "Return" if is_return else "Value", "Abnormal", "95% interval", "t", "p"]
    unclear = (table["p_value"] >= LEVEL).tolist()
    if len(rows) > 1 and any(unclear):
        headers.append(DETECTABLE)
        for cells, size, beside in zip(rows, table["detectable"], unclear, strict=True):
            cells.append(_size(size, result.measure) if beside else "")
    return headers, rows


def _title(result: EventStudyResult, window: Window, headers: Sequence[str]) -> str:
    """Return the title of a table of events."""
    power = f"; detectable: found with {percent(POWER, 0, sign=False)} power" if DETECTABLE in headers else ""
    error = "prediction error" if result.abnormal.instead is None else "s √L, an approximation for compounded returns"
    unit = "" if result.measure == "return" else f", {UNITS[result.measure]}"
    return f"Days {window}{unit}, t with {error}{power}"


def _size(change: float, measure: str, digits: int = 2) -> str:
    """Return a change of either sign, ``±2.10%``."""
    return f"±{percent(change, digits, sign=False) if measure == 'return' else amount(measure)(change).lstrip('+')}"


def power_line(result: EventStudyResult, window: Window) -> str:
    """Return which change would have been found if there is no clear one, or an empty text.

    For one event by `t_pe`, if that is recommended; for an average by the first recommended test that has a standard error.
    """
    found = f"would have been found with {percent(POWER, 0, sign=False)} power"
    if result.abnormal.n == 1:
        own, change = result.test("t_pe", window), float(detectable_changes(result.abnormal, window)[0])
        advised = result.recommended(window)
        recommended = advised.tests
        if (
            "t_pe" not in advised.names
            or any(t.p_value < LEVEL for t in (own, *recommended))
            or not math.isfinite(change)
        ):
            return ""
        return (
            f"No clear change (t_pe p {p_text(own.p_value)}): a change of {_size(change, result.measure, 1)} {found}."
        )
    tests, names = result.run_tests(window)
    sizes = [(t, detectable_average(result.abnormal, window, t)) for t in tests if t.name in names]
    leading, size = next(((t, size) for t, size in sizes if math.isfinite(size)), (None, math.nan))
    if leading is None or leading.p_value < LEVEL:
        return ""
    return f"No clear average change ({leading.name} p {p_text(leading.p_value)}): one of {_size(size, result.measure, 1)} {found}."


def inference_rows(result: EventStudyResult, window: Window) -> tuple[list[str], list[list[str]]]:
    """Return headers and cells: the tests of the average over one window, recommended ones first."""
    notes = notes_on_tests(result.abnormal, window)
    rows = []
    for test in result.run_tests(window)[0]:
        mark = notes.get(test.name, "")
        if test.applicable:
            rows.append([test.name, number(test.statistic), p_text(test.p_value), str(test.n), mark])
        else:
            rows.append([test.name, number(float("nan")), number(float("nan")), str(test.n), test.reason])
    return ["Test", "Statistic", "p", "n", "Reading"], rows


def failed_checks(result: EventStudyResult) -> list[str]:
    """Return a line for each check that did not hold, but for that of the prices."""
    lost = [c for c in result.checks if not c.passed and c.name != PRICE_CHECK]
    return [f"{c.name}: {c.value} ({c.rule}). {c.comment}" for c in lost]


def price_doubts(result: EventStudyResult) -> list[str]:
    """Return a line if the prices are in doubt: it stands before every number that rests on them."""
    return [f"Mind the prices first: {c.comment}" for c in result.checks if c.name == PRICE_CHECK and not c.passed]


def price_notes(result: EventStudyResult) -> list[str]:
    """Return what a file's or a vendor's prices leave open; what is known of the embedded ones stands in the report."""
    source = result.provenance
    return [] if source.embedded else list(source.cautions)


def summary_text(result: EventStudyResult, windows: Sequence[Window] = ()) -> str:
    """Return the result as text for a terminal, over some windows; by default those of `default_windows`."""
    parts = ["Event study", key_values(header(result)), *price_doubts(result)]
    shown = [w for w in windows if w in result.abnormal.window] or default_windows(result.abnormal.window)
    for window in shown:
        if result.abnormal.n <= (LISTED_EVENTS if window == shown[0] else LISTED_AGAIN):
            headers, rows = event_rows(result, window)
            parts += [_title(result, window, headers), text_table(headers, rows)]
        if result.abnormal.n > 1:
            parts.append(
                f"Average over {result.abnormal.n} events, days {window}: CAAR {amount(result.measure)(result.abnormal.caar(window))}"
            )
            parts.append(text_table(*inference_rows(result, window), last_left=True))
        else:
            parts.append(_single_line(result, window))
        parts += filter(None, [power_line(result, window)])
    parts += advice_lines(result, shown)
    for title, notes in (("Mind:", failed_checks(result)), ("About the prices:", price_notes(result))):
        if notes:
            parts.append("\n".join([title, *(f"  - {n}" for n in notes)]))
    return "\n\n".join(parts)


def advice_lines(result: EventStudyResult, windows: Sequence[Window]) -> list[str]:
    """Return which tests to believe: one line, or one for each window if a longer one changes the design."""
    said = {w: result.advice(w) for w in windows}
    if len(set(said.values())) == 1:
        return [said[windows[0]]]
    return [f"Days {w}: {text}" for w, text in said.items()]


def _single_line(result: EventStudyResult, window: Window) -> str:
    tests, _ = result.run_tests(window)
    return "; ".join(f"{t.name} p {t.p_text}" if t.applicable else f"{t.name}: {t.reason}" for t in tests)


def summary_html(result: EventStudyResult) -> str:
    """Return the result as HTML for a notebook: the event day, one table of events and one of tests."""
    import html

    window = default_windows(result.abnormal.window)[0]
    about = "<br>".join(f"<b>{html.escape(k)}</b>: {html.escape(v)}" for k, v in header(result).items())
    parts = [f"<p>{about}</p>", *(f"<p><b>{html.escape(line)}</b></p>" for line in price_doubts(result))]
    if result.abnormal.n <= LISTED_EVENTS:
        headers, rows = event_rows(result, window)
        parts.append(html_table(headers, rows, _title(result, window, headers)))
    if result.abnormal.n > 1:
        caption = f"Average over {result.abnormal.n} events, days {window}: CAAR {amount(result.measure)(result.abnormal.caar(window))}"
        parts.append(html_table(*inference_rows(result, window), caption))
    parts += [f"<p>{html.escape(line)}</p>" for line in [power_line(result, window)] if line]
    parts += [
        f"<p>{html.escape(n)}</p>"
        for n in (*advice_lines(result, [window]), *failed_checks(result), *price_notes(result))
    ]
    return "\n".join(parts)
