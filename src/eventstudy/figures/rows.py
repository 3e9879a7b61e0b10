"""One row an event: points with intervals beside their names and values. For event days, rankings and dollars."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.figures import words as say
from eventstudy.figures.house_style import Facts, states_of
from eventstudy.figures.layout import build
from eventstudy.figures.sheet import Scale, Sheet, fit, fitted_ticks, legend_height, limits, name_width, text_width
from eventstudy.figures.style import POINTS, Size, palette
from eventstudy.figures.words import FigureText, name_and_date
from eventstudy.inference.advice import Note
from eventstudy.inference.market_value import MarketValueChange
from eventstudy.inference.result import HypothesisTest, normal_quantile
from eventstudy.wording import DASH, MINUS, billions, number, p_text, round_significant

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure

#: More rows than this are cut to the first and the last.
MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One row: name, group, number with its interval, its texts, and a second number marked with a stroke."""

    key: str
    state: str
    value: float
    low: float
    high: float
    value_text: str
    interval_text: str
    group: str = ""
    second: float = math.nan


@dataclass(frozen=True, slots=True)
class Columns:
    """Left edges and widths of the columns beside the plot."""

    key: float
    group: float
    plot: float
    plot_end: float
    value_end: float
    interval_end: float


def colour(state: str) -> str:
    """Return the colour of a verdict."""
    return {"down": palette().fall, "up": palette().rise}.get(state, palette().unclear)


def cut_rows(rows: Sequence[Row]) -> tuple[list[Row | None], int]:
    """Return the rows to draw, None for a gap, and how many the gap stands for."""
    if len(rows) <= MOST_ROWS:
        return list(rows), 0
    half = MOST_ROWS // 2
    return [*rows[:half], None, *rows[-half:]], len(rows) - 2 * half


def row_height(size: Size, n: int) -> float:
    """Return the pixels of a row when there are ``n``."""
    return size.body * (2.6 if n <= 5 else 2.0 if n <= 12 else 1.55)


def legend_texts(level: str, states: Sequence[str], second: str, what: str) -> list[str]:
    """Return the texts of the legend: only what is drawn."""
    texts = [f"{what}, {level} interval excludes 0"] if {"down", "up"} & set(states) else []
    texts += (
        [f"{level} interval includes 0" if texts else f"{what}, {level} interval includes 0"]
        if "unclear" in states
        else []
    )
    return [*texts, second] if second and texts else texts


def rows_height(size: Size, n: int, legend: Sequence[str]) -> float:
    """Return the pixels that `draw_rows` would like."""
    each = 2.9 * size.body if size.column else row_height(size, n)
    return legend_height(legend, size) + each * (max(n, 1) + 0.4) + 2.0 * size.foot


def draw_rows(
    sheet: Sheet,
    rows: Sequence[Row | None],
    legend: Sequence[str],
    tick_form: Callable[[list[float]], Callable[[float], str]],
    band: tuple[float, float] | None = None,
) -> None:
    """Draw rows from the top of the sheet to the axis at its bottom, over a shaded band of values if there is one."""
    size = sheet.size
    there = [r for r in rows if r is not None]
    columns = _columns(sheet, there)
    values = [*(v for r in there for v in (r.value, r.low, r.high, r.second)), *(band or ())]
    x = Scale(*limits(values), columns.plot, columns.plot_end)
    sheet.legend(_legend_entries(sheet, legend, there), sheet.top + 0.5 * size.foot)
    top = sheet.top + legend_height(legend, size)
    base = sheet.bottom - 2.0 * size.foot
    step = (base - top) / (max(len(rows), 1) + 0.4)
    # in a narrow column a row has two lines: its texts, and its marks below them
    texts, marks = (0.38, 0.95) if size.column else (0.7, 0.7)
    if band is not None:
        sheet.box(x.px(band[0]), top, x.px(band[1]) - x.px(band[0]), base - top, palette().band)
    _row_axis(sheet, x, tick_form, (top, base), [top + (i + texts) * step for i in range(len(rows))])
    y = Scale(-(len(rows) + 0.4 - marks), marks, base, top)
    axes = sheet.axes(x, y)
    for i, row in enumerate(rows):
        middle = top + (i + texts) * step
        if row is None:
            sheet.text(columns.key, middle, "⋮", color=palette().quiet, va="middle")
            continue
        _row_texts(sheet, columns, row, middle)
        _row_marks(axes, row, -float(i), size, min(1.0, step / (1.4 * size.body)))


def _row_axis(
    sheet: Sheet,
    x: Scale,
    tick_form: Callable[[list[float]], Callable[[float], str]],
    ends: tuple[float, float],
    texts: Sequence[float],
) -> None:
    """Draw the axis; where texts stand over the plot, its lines leave them free."""
    size = sheet.size
    marks, form = fitted_ticks(x, size.foot, tick_form)
    if not size.column:
        sheet.x_axis(x, marks, form, *ends)
        return
    for middle, below in zip(texts, [*(t - 0.8 * size.body for t in texts[1:]), ends[1]], strict=True):
        sheet.x_grid(x, marks, middle + 0.8 * size.body, below)
    sheet.tick_labels(x, marks, form, ends[1] + 1.35 * size.foot)


def group_size(size: Size) -> float:
    """Return the text size of the group column."""
    return size.foot if size.narrow else size.body


def _columns(sheet: Sheet, rows: Sequence[Row]) -> Columns:
    size = sheet.size
    gap = 0.9 * size.body
    if size.column:
        return Columns(sheet.left, math.nan, sheet.left + 0.4 * size.body, sheet.right - 0.4 * size.body, sheet.right, sheet.right)  # fmt: skip

    def widest(texts: Sequence[str], bold: bool = False, most: float = math.inf) -> float:
        return min(most, max((text_width(t, size.body, bold) for t in texts), default=0.0))

    dated = any(name_and_date(r.key)[1] for r in rows)
    most = size.inner * (0.34 if dated and size.narrow else 0.27)
    key = min(most, max((name_width(r.key, size) for r in rows), default=0.0))
    group = min(
        size.inner * (0.2 if dated and size.narrow else 0.26),
        max((text_width(r.group, group_size(size)) for r in rows), default=0.0),
    )
    value = widest([r.value_text for r in rows], bold=True, most=size.inner * 0.3)
    wide = 0.0 if size.narrow else widest([r.interval_text for r in rows], most=size.inner * 0.3)
    plot = sheet.left + key + gap + (group + gap if group else 0.0)
    interval_end = sheet.right
    value_end = interval_end - (wide + gap if wide else 0.0)
    return Columns(sheet.left, sheet.left + key + gap, plot, value_end - value - gap, value_end, interval_end)


def _row_texts(sheet: Sheet, columns: Columns, row: Row, middle: float) -> None:
    size = sheet.size
    gap = 0.9 * size.body
    if size.column:
        _texts_above(sheet, row, middle)
        return
    end = columns.group - gap if row.group or columns.plot > columns.group else columns.plot - gap
    sheet.name(columns.key, middle, row.key, end - columns.key + 1, va="middle")
    if row.group:
        group = fit(row.group, group_size(size), columns.plot - gap - columns.group + 1)
        sheet.text(columns.group, middle, group, group_size(size), color=palette().quiet, va="middle")
    clear = row.state in ("down", "up")
    sheet.text(columns.value_end, middle, row.value_text, bold=clear, color=palette().ink, ha="right", va="middle")
    if columns.interval_end > columns.value_end:
        sheet.text(columns.interval_end, middle, row.interval_text, color=palette().quiet, ha="right", va="middle")


def _texts_above(sheet: Sheet, row: Row, middle: float) -> None:
    """Write a row's texts over its marks: name, group if there is room, value."""
    size = sheet.size
    clear = row.state in ("down", "up")
    sheet.text(sheet.right, middle, row.value_text, bold=clear, ha="right", va="middle")
    room = size.inner - text_width(row.value_text, size.body, clear) - 0.8 * size.body
    sheet.name(sheet.left, middle, row.key, room, va="middle")
    used = name_width(row.key, size) + 0.6 * size.body
    if row.group and used + text_width(row.group, size.foot) <= room:
        sheet.text(sheet.left + used, middle, row.group, size.foot, color=palette().quiet, va="middle")


def _row_marks(axes: object, row: Row, y: float, size: Size, shrink: float) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    unit = size.unit * POINTS
    tint = colour(row.state)
    face = tint if row.state in ("down", "up") else palette().paper
    if math.isfinite(row.low) and math.isfinite(row.high):
        axes.plot([row.low, row.high], [y, y], color=tint, linewidth=2.0 * unit, solid_capstyle="butt", clip_on=False)
    if math.isfinite(row.second):
        axes.plot([row.second], [y], "|", color=palette().ink, markersize=15 * unit * shrink, markeredgewidth=2 * unit)
    if math.isfinite(row.value):
        axes.plot(
            [row.value],
            [y],
            "o",
            color=tint,
            markerfacecolor=face,
            markersize=10 * unit * shrink,
            markeredgewidth=1.7 * unit,
            clip_on=False,
        )


def _legend_entries(
    sheet: Sheet, texts: Sequence[str], rows: Sequence[Row]
) -> list[tuple[Callable[[float, float], None], str]]:
    moved = [colour(s) for s in ("down", "up") if any(r.state == s for r in rows)]
    unit = sheet.size.unit

    def points(tints: Sequence[str], filled: bool) -> Callable[[float, float], None]:
        def sample(x: float, y: float) -> None:
            # side by side in the room of one
            half = (9.0 if len(tints) == 1 else 4.3) * unit
            for i, tint in enumerate(tints):
                centre = x + (i - (len(tints) - 1) / 2) * 2.2 * half
                sheet.line([centre - half, centre + half], [y, y], tint, 2.0)
                sheet.mark(centre, y, tint, filled=filled, pixels=8 if len(tints) == 1 else 5.5)

        return sample

    def stroke(x: float, y: float) -> None:
        sheet.line([x, x], [y - 6 * unit, y + 6 * unit], palette().ink, 2.0)

    out: list[tuple[Callable[[float, float], None], str]] = []
    for text in texts:
        if text.endswith("excludes 0"):
            out.append((points(moved, True), text))
        elif text.endswith("includes 0"):
            out.append((points([palette().unclear], False), text))
        else:
            out.append((stroke, text))
    return out


# -- Several tests of one average side by side: which ones are recommended, and how far the others stray.


#: Beyond this many standard errors a two-sided p-value is below 5 %.
BAND_EDGE = 1.959964
#: Titles for where the full one has no room.
SHORT_TITLES = {
    "csect_t": "Cross-section t", "bw80_z": "Brown-Warner z", "mackinlay_j1_z": "MacKinlay J1", "cda_t": "Crude adjust. t", "lamb_z": "Lamb z",
    "kp_patell_z": "Patell adjusted", "bmp_t": "BMP t", "kp_bmp_t": "BMP adjusted", "skew_t": "Skewness t", "clustered_t": "Clustered t",
    "calendar_time": "Calendar time", "grank_t": "GRANK t", "grank_z": "GRANK z", "cumrank_z": "Summed ranks", "corrado_rank_z": "Corrado rank",
    "corrado_zivney_rank_z": "C.-Zivney rank", "corrado_zivney_sign_z": "C.-Zivney sign", "gsign_z": "General. sign", "wilcoxon": "Wilcoxon",
    "wild_bootstrap": "Wild bootstrap",
}  # fmt: skip
#: Share of the width that a name may take.
NAME_ROOM = 0.26
#: The same where names stand over their plots.
COLUMN_NAME_ROOM = 0.62
#: What stands beside a test of which there is nothing to say.
NOTHING = Note("", "")


def z_equivalent(test: HypothesisTest) -> float:
    """Return the number of standard errors with a test's p-value and sign: ``sign · Φ⁻¹(1 - p/2)``; NaN if it does not apply."""
    if not test.applicable:
        return math.nan
    centre = {"w_plus": test.n * (test.n + 1) / 4.0}
    anchor = next((v for k, v in centre.items() if k in test.details and test.distribution == "exact"), 0.0)
    tail = max(test.p_value / 2.0, 5e-324)
    return math.copysign(-normal_quantile(tail), test.statistic - anchor)


def agreement(
    tests: Sequence[HypothesisTest],
    notes: Mapping[str, Note],
    *,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw what several tests say of one average, on one scale.

    Parameters
    ----------
    tests : sequence of HypothesisTest
        Tests of one window; those that do not apply are left out.
    notes : mapping of str to Note
        By test name, whether it is recommended or what it overlooks, as `eventstudy.inference.notes_on_tests` returns.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text.

    Returns
    -------
    HouseFigure
        One row a test: its p-value as a number of standard errors, so that t, z and exact tests share a scale.

    Raises
    ------
    InvalidInput
        If no test applies.
    """
    # a joint test has another null hypothesis and no sign
    there = [t for t in tests if t.applicable and t.distribution != "F"]
    if not there:
        raise InvalidInput(
            "None of these tests applies, so there is nothing to draw; see the column note of result.tests()."
        )
    z = [float(round_significant(z_equivalent(t))) for t in there]
    said = [notes.get(t.name, NOTHING) for t in there]
    recommended = [v for note, v in zip(said, z, strict=True) if note.recommended]
    window = there[0].window
    words = FigureText(
        title=say.tidy(title) if title else _finding(z, recommended),
        subtitle=f"The same average abnormal return {say.span_text(window, when)}, by {len(there)} tests: p-values as standard errors "
        "from zero. In the shaded band p is above 5%.",
        source=say.tidy(source),
        note="Filled: tests recommended for this design. Open: tests that overlook something here, mostly that shares on one date move "
        "together, or that the day was more volatile than others.",
        alt=f"Dot plot of {len(there)} tests of one average. " + say.alt_list([_spoken(t, v, note) for t, v, note in zip(there, z, said, strict=True)]),
    )  # fmt: skip
    table = pd.DataFrame(
        {
            "test": [t.name for t in there],
            "standard_errors": z,
            "statistic": round_significant([t.statistic for t in there]),
            "p_value": round_significant([t.p_value for t in there]),
            "note": [note.text for note in said],
        }
    )
    facts = Facts(
        "agreement",
        {"average": (_state(recommended),)},
        parameters={"window": [window.start, window.end], "tests": [t.name for t in there]},
        own_title=bool(title),
    )
    return build(words, table, facts, size, lambda preset: rows_height(preset, len(there), []), _draw(there, z, said))


def _state(recommended: Sequence[float]) -> str:
    """Return what may be said of the average: that all recommended tests see it on one side at 5 %."""
    if recommended and all(v < -BAND_EDGE for v in recommended):
        return "down"
    return "up" if recommended and all(v > BAND_EDGE for v in recommended) else "unclear"


def _draw(tests: Sequence[HypothesisTest], z: Sequence[float], notes: Sequence[Note]) -> Callable[[Sheet], None]:
    def draw(sheet: Sheet) -> None:
        rows = [_row(t, v, note, sheet.size) for t, v, note in zip(tests, z, notes, strict=True)]
        draw_rows(sheet, rows, [], lambda _: lambda v: number(v, 0), (-BAND_EDGE, BAND_EDGE))

    return draw


def _row(test: HypothesisTest, z: float, note: Note, size: Size) -> Row:
    state = "unclear" if not note.recommended else "down" if z < 0 else "up"
    fits = text_width(test.title, size.body, bold=True) <= (COLUMN_NAME_ROOM if size.column else NAME_ROOM) * size.inner
    label = test.title if fits else SHORT_TITLES.get(test.name, test.name)
    row = Row(label, state, z, math.nan, math.nan, f"p {p_text(test.p_value)}", "")
    return row if size.narrow else replace(row, group=note.short)


def _finding(z: Sequence[float], recommended: Sequence[float]) -> str:
    widest = max(z, key=abs)
    if not recommended:
        return f"The same average is up to {number(widest, 1)} standard errors from zero; no test is to be recommended here"
    nearest = min(recommended, key=abs)
    if widest in recommended:
        return f"The recommended tests see up to {number(widest, 1)} standard errors"
    return f"One test sees {number(abs(widest), 1)} standard errors; one that fits this design sees {number(abs(nearest), 1)}"


def _spoken(test: HypothesisTest, z: float, note: Note) -> str:
    beside = f" ({note})" if note.text else ""
    return f"{test.title} {number(z, 1)} standard errors, p {p_text(test.p_value)}{beside}"


# -- Dollars lost and gained.


def dollars(
    changes: Sequence[MarketValueChange],
    *,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw abnormal changes in market value with their intervals, and the raw change as a stroke.

    Parameters
    ----------
    changes : sequence of MarketValueChange
        At least one, all of one window and level; sorted by the abnormal change. Companies without a figure are
        named in the note.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text.

    Returns
    -------
    HouseFigure

    Raises
    ------
    InvalidInput
        If there is no change at all.
    """
    if not changes:
        raise InvalidInput("There is no market-value change to draw; give at least one.")
    there = sorted((c for c in changes if math.isfinite(c.abnormal)), key=lambda c: (c.abnormal, c.key))
    rows = [_money_row(c) for c in there]
    drawn, hidden = cut_rows(rows)
    span = say.span_text(changes[0].window, when)
    words = FigureText(
        title=say.tidy(title) if title else _title(rows, when, _noun(changes)),
        subtitle=f"Change in market value {span}, $bn: abnormal with interval, and raw",
        source=say.tidy(source),
        note=_note(changes, there, hidden),
        alt=_alt(rows, span, _noun(changes)),
    )
    legend = legend_texts(say.level_text(changes[0].level), [r.state for r in rows], "raw change", "abnormal change")
    facts = Facts(
        "dollars",
        states_of([r.key for r in rows], [r.state for r in rows]),
        {r.key: r.second for r in rows},
        {"level": float(changes[0].level), "window": [changes[0].window.start, changes[0].window.end]},
        ("close_before", "close_after"),
        own_title=bool(title),
    )
    return build(
        words,
        _frame(rows, there),
        facts,
        size,
        lambda preset: rows_height(preset, len(drawn), legend),
        lambda sheet: draw_rows(sheet, drawn, legend, _bn_ticks),
    )


def _noun(changes: Sequence[MarketValueChange]) -> str:
    return "companies" if len({c.ticker for c in changes}) == len(changes) else "events"


def _note(changes: Sequence[MarketValueChange], there: Sequence[MarketValueChange], hidden: int) -> str:
    level = say.level_text(changes[0].level)
    gone = [say.tidy(c.key) for c in changes if not math.isfinite(c.abnormal)]
    notes = [f"Intervals: {level}, t with prediction error; abnormal is what the model did not expect."]
    notes += [f"No figure (no share count or close): {', '.join(gone)}."] if gone else []
    notes += _same_company(there)
    notes += [f"{hidden} {_noun(changes)} between the first and the last are not drawn."] if hidden else []
    return " ".join(notes)


def _alt(rows: Sequence[Row], span: str, what: str) -> str:
    parts = [f"{r.key} {r.value_text} ({r.interval_text}), raw {_bn(r.second)}" for r in rows]
    start = f"Dot plot of changes in market value {span} of {len(rows)} {what}."
    return f"{start} Abnormal, with interval, and raw: {say.alt_list(parts)}"


def _money_row(change: MarketValueChange) -> Row:
    value, low, high, raw = round_significant([change.abnormal, change.low, change.high, change.raw]).tolist()
    ends = f"{_bn(low)} to {_bn(high)}" if math.isfinite(low) and math.isfinite(high) else DASH
    return Row(say.tidy(change.key), say.verdict(value, low, high), value, low, high, _bn(value), ends, second=raw)


def _same_company(changes: Sequence[MarketValueChange]) -> list[str]:
    """Warn of share classes of one company, whose figures must not be added."""
    drawn = {c.ticker for c in changes}
    pairs = {
        tuple(sorted((c.ticker, other)))
        for c in changes
        if c.shares is not None
        for other in c.shares.covers
        if other in drawn and other != c.ticker
    }
    return [f"{say.listed(pair)} are one company, counted whole in each row." for pair in sorted(pairs)]


def _bn(value: float) -> str:
    return billions(value, 0 if not math.isfinite(value) or abs(value) >= 9.95e9 else 1 if abs(value) >= 5e7 else 3)


def _bn_ticks(values: list[float]) -> Callable[[float], str]:
    step = min((b - a for a, b in pairwise(values)), default=1e9)
    digits = max(0, -math.floor(math.log10(step / 1e9) + 1e-9))
    return lambda v: "0" if v == 0 else billions(v, digits)


def _title(rows: Sequence[Row], when: str, what: str) -> str:
    on = f" on {when}" if when else ""
    clear = [r for r in rows if r.state in ("down", "up")]
    if not rows:
        return "No company has a share count, so no dollars"
    if not clear:
        return (
            f"No clear change in market value for {rows[0].key if len(rows) == 1 else f'any of {len(rows)} {what}'}{on}"
        )
    first = max(clear, key=lambda r: abs(r.value))
    raw, surprise = (_bn(v).lstrip(MINUS + "+") for v in (first.second, first.value))
    lost = first.second < 0
    return f"{first.key} {'lost' if lost else 'gained'} {raw}{on}, {surprise} {_beside_expected(first)}"


def _beside_expected(row: Row) -> str:
    """Say on which side of the expected change the raw one lies; "more" and "less" only if both are losses or both gains."""
    expected = row.second - row.value
    if expected * row.second > 0:
        return f"{'more' if (row.second < 0) == (row.state == 'down') else 'less'} than expected"
    return f"{'below' if row.state == 'down' else 'above'} what was expected"


def _frame(rows: Sequence[Row], changes: Sequence[MarketValueChange]) -> pd.DataFrame:
    def column(values: Iterable[float]) -> np.ndarray:
        return round_significant(np.array(list(values), dtype=np.float64))

    return pd.DataFrame(
        {
            "event": [r.key for r in rows],
            "abnormal": column(r.value for r in rows),
            "low": column(r.low for r in rows),
            "high": column(r.high for r in rows),
            "raw": column(r.second for r in rows),
            "excludes_zero": [r.state in ("down", "up") for r in rows],
            "close_before": column(c.close_before for c in changes),
            "close_after": column(c.close_after for c in changes),
            "shares": [c.shares.shares if c.shares else None for c in changes],
        }
    )
