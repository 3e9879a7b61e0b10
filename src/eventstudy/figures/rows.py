"""One row an event: points with intervals beside their names and values. For event days, rankings, tests and dollars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from eventstudy.figures.sheet import Scale, Sheet, fit, fitted_ticks, legend_height, limits, name_width, text_width
from eventstudy.figures.style import POINTS, Size, palette
from eventstudy.figures.words import CLEAR, name_and_date
from eventstudy.statements import State

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: More rows than this are cut to the first and the last.
MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One row: name, group, number with its interval, its texts, and a second number marked with a stroke."""

    key: str
    state: State
    value: float
    low: float
    high: float
    value_text: str
    interval_text: str
    group: str = ""
    second: float = math.nan

    @property
    def clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.state in CLEAR


class Key(NamedTuple):
    """One entry of the legend: what it is a sample of, and its text."""

    sample: Literal["clear", "unclear", "second"]
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Left edges and widths of the columns beside the plot."""

    key: float
    group: float
    plot: float
    plot_end: float
    value_end: float
    interval_end: float


def cut_rows(rows: Sequence[Row]) -> tuple[list[Row | None], int]:
    """Return the rows to draw, None for a gap, and how many the gap stands for."""
    return cut_rows_of(rows.__getitem__, len(rows))


def cut_rows_of(row: Callable[[int], Row], n: int) -> tuple[list[Row | None], int]:
    """Return `cut_rows` of n rows, of which only those to draw are made."""
    if n <= MOST_ROWS:
        return list(map(row, range(n))), 0
    half = MOST_ROWS // 2
    return [*map(row, range(half)), None, *map(row, range(n - half, n))], n - 2 * half


def not_drawn(hidden: int, what: str) -> str:
    """Return the sentence that says how many rows are not drawn."""
    return f"{hidden} {what} between the first and the last are not drawn."


def row_height(size: Size, n: int) -> float:
    """Return the pixels of a row when there are ``n``."""
    if size.column:
        return 2.9 * size.body
    return size.body * (2.6 if n <= 5 else 2.0 if n <= 12 else 1.55)


def legend_keys(level: str, states: Sequence[str], what: str, second: str = "") -> list[Key]:
    """Return the entries of the legend: only what is drawn; ``what`` is named by the first."""
    keys: list[Key] = []
    if not CLEAR.isdisjoint(states):
        keys.append(Key("clear", f"{what}, {level} interval excludes 0"))
    if "unclear" in states:
        named = "" if keys else f"{what}, "
        keys.append(Key("unclear", f"{named}{level} interval includes 0"))
    return [*keys, Key("second", second)] if second and keys else keys


def rows_height(size: Size, n: int, legend: Sequence[Key]) -> float:
    """Return the pixels that `draw_rows` would like."""
    texts = [key.text for key in legend]
    return legend_height(texts, size) + row_height(size, n) * (max(n, 1) + 0.4) + 2.0 * size.foot


def draw_rows(
    sheet: Sheet,
    rows: Sequence[Row | None],
    legend: Sequence[Key],
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
    top = sheet.top + legend_height([key.text for key in legend], size)
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
            sheet.text(columns.key, middle, "…", color=palette().quiet, va="middle")
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
        max((text_width(r.group, size.beside) for r in rows), default=0.0),
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
        group = fit(row.group, size.beside, columns.plot - gap - columns.group + 1)
        sheet.text(columns.group, middle, group, size.beside, color=palette().quiet, va="middle")
    sheet.text(columns.value_end, middle, row.value_text, bold=row.clear, color=palette().ink, ha="right", va="middle")
    if columns.interval_end > columns.value_end:
        sheet.text(columns.interval_end, middle, row.interval_text, color=palette().quiet, ha="right", va="middle")


def _texts_above(sheet: Sheet, row: Row, middle: float) -> None:
    """Write a row's texts over its marks: name, group if there is room, value."""
    size = sheet.size
    sheet.text(sheet.right, middle, row.value_text, bold=row.clear, ha="right", va="middle")
    room = size.inner - text_width(row.value_text, size.body, row.clear) - 0.8 * size.body
    sheet.name(sheet.left, middle, row.key, room, va="middle")
    used = name_width(row.key, size) + 0.6 * size.body
    if row.group and used + text_width(row.group, size.foot) <= room:
        sheet.text(sheet.left + used, middle, row.group, size.foot, color=palette().quiet, va="middle")


def _row_marks(axes: Axes, row: Row, y: float, size: Size, shrink: float) -> None:
    unit = size.unit * POINTS
    tint = palette().of_state(row.state)
    face = tint if row.clear else palette().paper
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
    sheet: Sheet, legend: Sequence[Key], rows: Sequence[Row]
) -> list[tuple[Callable[[float, float], None], str]]:
    colours, unit = palette(), sheet.size.unit
    moved = [colours.of_state(s) for s in ("down", "up") if any(r.state == s for r in rows)]

    def points(tints: Sequence[str], filled: bool) -> Callable[[float, float], None]:
        def sample(x: float, y: float) -> None:
            # side by side in the room of one
            half, pixels = (9.0 * unit, 8.0) if len(tints) == 1 else (4.3 * unit, 5.5)
            for i, tint in enumerate(tints):
                centre = x + (i - (len(tints) - 1) / 2) * 2.2 * half
                sheet.line([centre - half, centre + half], [y, y], tint, 2.0)
                sheet.mark(centre, y, tint, filled=filled, pixels=pixels)

        return sample

    def stroke(x: float, y: float) -> None:
        sheet.line([x, x], [y - 6 * unit, y + 6 * unit], colours.ink, 2.0)

    samples = {"clear": points(moved, True), "unclear": points([colours.unclear], False), "second": stroke}
    return [(samples[key.sample], key.text) for key in legend]
