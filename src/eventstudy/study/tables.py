"""Tables of a study, and any table as text, HTML, Markdown, LaTeX and CSV."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from eventstudy.cells import long_csv
from eventstudy.errors import InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.model import Fit
from eventstudy.estimation.panel import FloatArray
from eventstudy.inference import STANDARD, TESTS, Advice, HypothesisTest, Note, recommend, run_tests
from eventstudy.inference.advice import beside
from eventstudy.inference.result import t_two_sided
from eventstudy.inference.single import car_interval
from eventstudy.study.power import detectable_changes
from eventstudy.windows import Window
from eventstudy.wording import DASH, MINUS, inert, round_significant

# -- Tables of a study: raw numbers.

NO_NOTES: Mapping[str, Note] = MappingProxyType({})


def frame_of_cars(abnormal: AbnormalReturns, window: Window, level: float = 0.95) -> pd.DataFrame:
    """Return each event's cumulative abnormal return of a window: the columns of `EventStudyResult.car`."""
    sums = abnormal.sums(window)
    low, high = car_interval(abnormal, window, level)
    columns = {
        "car": sums.car,
        "se": sums.s_car,
        "t": sums.scar,
        "p_value": own_p(abnormal, window),
        "low": low,
        "high": high,
        "df": abnormal.df,
        "n_days": sums.n_days,
        "detectable": detectable_changes(abnormal, window),
    }
    table, why = pd.DataFrame(columns, index=event_index(abnormal)), abnormal.why_no_sum(window)
    return table.assign(note=why) if any(why) else table


def own_p(abnormal: AbnormalReturns, window: Window) -> FloatArray:
    """Return the p-value of each event's own t with prediction error, shape (N,), NaN without a sum."""
    return np.asarray(t_two_sided(abnormal.sums(window).scar, abnormal.df), dtype=np.float64)


def shown_cars(abnormal: AbnormalReturns, window: Window, level: float = 0.95) -> pd.DataFrame:
    """Return `frame_of_cars` as people read it: ``return``, ``car``, ``low`` and ``high`` as fractions of a price, whatever the returns.

    What has no one per cent of log returns, an error and a change of either sign, is named log points.
    """
    table = frame_of_cars(abnormal, window, level).assign(**{"return": abnormal.raw_returns(window)})
    columns = ["return", "car", "low", "high"]
    shown = table.assign(**{c: abnormal.as_fractions(table[c]) for c in columns})
    logs = {name: f"{name}_log_points" for name in ("se", "detectable")}
    return shown.rename(columns=logs) if abnormal.log else shown


def shown_caar(abnormal: AbnormalReturns, window: Window) -> float:
    """Return the average abnormal return of a window as people read it, a fraction of a price."""
    return float(abnormal.as_fractions(abnormal.caar(window)))


def frame_of_coefficients(abnormal: AbnormalReturns, fit: Fit) -> pd.DataFrame:
    """Return coefficients, residual deviation, estimation days and R² of each event."""
    table = pd.DataFrame(fit.coefficients, index=event_index(abnormal), columns=list(fit.names))
    return table.assign(sigma=fit.sigma, n_est=fit.n_est, r_squared=fit.r_squared)


def event_index(abnormal: AbnormalReturns) -> pd.Index:
    """Return the short unique names of the events as the index of a table."""
    return pd.Index(abnormal.keys, name="event")


def advised(abnormal: AbnormalReturns, window: Window) -> Advice:
    """Return which tests are recommended and why, without having run them."""
    design, names, reason = recommend(abnormal, window)
    return Advice(design, window, names, reason)


def shown_tests(
    abnormal: AbnormalReturns, window: Window, names: Sequence[str] | str | None = None
) -> tuple[tuple[HypothesisTest, ...], tuple[str, ...]]:
    """Return tests of a window, and the names of the recommended ones.

    By default the recommended ones first, those of another null beside them, then the field's usual panel; ``"all"`` are all that there are.
    """
    recommended = advised(abnormal, window).names
    left = np.flatnonzero(np.isfinite(abnormal.sums(window).car)).astype(np.int64)
    if abnormal.n > 1 and len(left) == 1 and not abnormal.void:  # a study of one event
        whole = abnormal
        abnormal = whole.once(("left", *left.tolist()), lambda: whole.take(left))
    if names is None or names == "all":
        scope = "one" if abnormal.n == 1 else "many"
        shown = [n for n, m in TESTS.items() if m.scope == scope and (scope == "one" or n in STANDARD)]
        wanted = list(TESTS) if names == "all" else shown
        leading = dict.fromkeys([*recommended, *beside(abnormal, window)])
        listing = [*leading, *(n for n in wanted if n not in leading)]
    elif isinstance(names, str | list | tuple):
        listing = [names] if isinstance(names, str) else list(names)
    else:
        raise InvalidInput(f"names is {names!r}; give names of tests in a list, or 'all'.")
    run = abnormal.once(("tests", window, *listing), lambda: run_tests(abnormal, window, listing))
    return run, recommended


def frame_of_tests(
    tests: Sequence[HypothesisTest], recommended: Sequence[str] = (), notes: Mapping[str, Note] = NO_NOTES
) -> pd.DataFrame:
    """Return tests as a table indexed by test name, raw numbers; ``note`` says what a test overlooks here, then how it was computed."""
    rows = [
        {
            "statistic": t.statistic,
            "df": t.df,
            "p_value": t.p_value,
            "n": t.n,
            "applicable": t.applicable,
            "variant": t.variant,
            "note": t.reason or "; ".join(part for part in (_caution(t, notes), t.note) if part),
            "distribution": t.distribution,
            "recommended": t.name in recommended,
            "title": t.title,
        }
        for t in tests
    ]
    return pd.DataFrame(rows, index=pd.Index([t.name for t in tests], name="test"))


def _caution(test: HypothesisTest, notes: Mapping[str, Note]) -> str:
    note = notes.get(test.name)
    return "" if note is None or note.recommended else note.text


# -- Any table as text.


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
#: Signs before which a backslash goes, wherever Markdown may take them for more: those that set text, the middle of a link, of an address.
_SIGNS = re.compile(r"[\\|`*~]|(?<!\w)_|_(?!\w)|(?<=\])[(\[]|(?<=:)//|(?<=www)\.", re.IGNORECASE)


def markdown_text(text: str) -> str:
    r"""Return text in one line that Markdown shows as it is: no tag, entity, code, link, address or end of a table's cell.

    Examples
    --------
    >>> markdown_text("<b>S&P 500</b> &lt; a|b"), markdown_text("p <0.001 of the S&P 500")
    ('&lt;b&gt;S&P 500&lt;/b&gt; &amp;lt; a\\|b', 'p <0.001 of the S&P 500')
    >>> print(markdown_text("[here](https://example.com) and [0, +1]"))
    [here]\(https:\//example.com) and [0, +1]
    """
    shown = _ENTITY.sub("&amp;", " ".join(text.splitlines()))
    if _TAG.search(shown):
        shown = shown.replace("<", "&lt;").replace(">", "&gt;")
    return _SIGNS.sub(r"\\\g<0>", shown)


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
    """Return a table as CSV text with numbers rounded to ten significant digits, LF line ends; text that a spreadsheet would run is made inert."""
    if not index and table.columns.nlevels == 1:
        found = long_csv(table.set_axis(table.columns.map(inert), axis=1), general=True)
        if found is not None:
            return found
    out = table.copy()
    out.columns = out.columns.map(inert)
    out.index = out.index.map(inert)
    out.index.names = [inert(name) for name in table.index.names]
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
