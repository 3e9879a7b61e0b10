"""The sheet a figure is laid out on: text measured and wrapped in pixels from the top left corner."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from eventstudy.figures.scales import Scale, ticks
from eventstudy.figures.style import (
    GRID,
    INK,
    PAPER,
    POINTS,
    QUIET,
    Size,
    font,
    house_settings,
    size_of,
)
from eventstudy.figures.words import FigureText, name_and_date, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

    from eventstudy.figures.house import HouseFigure

#: Line height in text sizes, and the share of it above the baseline.
LEADING = 1.28
#: Room for the difference between measured and drawn text.
SLACK = 1.015


#: What no line break may part: dates, "day 0", windows in brackets.
_TOGETHER = re.compile(r"\d{1,2} [A-Z]\w+ \d{4}|\bdays? [−+]?\d+|\[[−+\-]?\d+, [−+\-]?\d+\]")
_TIE = "\N{NO-BREAK SPACE}"
#: More ticks than this on one axis are clutter.
MOST_TICKS = 7
#: Drawing order: bands, grid and leader lines, marks, text.
BANDS, UNDER, MARKS, OVER = 1.0, 2.0, 3.0, 4.0


@lru_cache(maxsize=4096)
def text_width(text: str, pixels: float, bold: bool = False) -> float:
    """Return the width of a text in pixels."""
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, font(pixels, bold), False)
    return float(width) / POINTS * SLACK


def name_width(key: str, size: Size, pixels: float = 0.0) -> float:
    """Return the pixels that `Sheet.name` needs for a name and its date."""
    pixels = pixels or size.body
    name, date = name_and_date(tidy(key))
    return text_width(name, pixels, True) + (0.3 * pixels + text_width(date, size.foot) if date else 0.0)


def wrap(text: str, pixels: float, room: float, bold: bool = False) -> list[str]:
    """Break a text into lines no wider than ``room``, not inside a date; a long word is broken where it must be."""
    lines: list[str] = []
    line = ""
    for glued in _TOGETHER.sub(lambda found: found.group().replace(" ", _TIE), tidy(text)).split(" "):
        word = glued.replace(_TIE, " ")
        longer = f"{line} {word}" if line else word
        if text_width(longer, pixels, bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while text_width(line, pixels, bold) > room and len(line) > 1:
            head = fit(line, pixels, room, bold, end="")
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line] if line else lines


def balanced(text: str, pixels: float, room: float, bold: bool = False) -> list[str]:
    """Break a text into as few lines as `wrap` does, of about equal length, so that no word is left alone."""
    lines = wrap(text, pixels, room, bold)
    low, high = 0.0, room
    while high - low > 2.0 and len(lines) > 1:
        middle = (low + high) / 2
        trial = wrap(text, pixels, middle, bold)
        if len(trial) > len(lines) or any(text_width(line, pixels, bold) > middle for line in trial):
            low = middle
        else:
            high, lines = middle, trial
    return lines


def fit(text: str, pixels: float, room: float, bold: bool = False, end: str = "…") -> str:
    """Cut a text to a width, with an ellipsis for what is lost; at least one character stays."""
    text = tidy(text)
    if text_width(text, pixels, bold) <= room:
        return text
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle] + end, pixels, bold) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low] + end


@dataclass
class Sheet:
    """A figure under construction; all lengths in pixels, y downwards.

    Attributes
    ----------
    figure : HouseFigure
        What is drawn on.
    size : Size
        The preset.
    left, right, top, bottom : float
        The box between head and foot, for the plot and its labels.
    """

    figure: HouseFigure
    size: Size
    left: float
    right: float
    top: float
    bottom: float
    height: float

    @property
    def transform(self) -> Transform:
        """From pixels, y downwards, to the figure."""
        from matplotlib.transforms import Affine2D

        scale = Affine2D().scale(1.0 / self.size.width, -1.0 / self.height).translate(0.0, 1.0)
        return scale + self.figure.transFigure

    def text(
        self,
        x: float,
        y: float,
        text: str,
        pixels: float = 0.0,
        *,
        color: str = INK,
        bold: bool = False,
        ha: str = "left",
        va: str = "baseline",
    ) -> None:
        """Write one line of text; ``y`` is its baseline or, with ``va="middle"``, the middle of its capitals."""
        pixels = pixels or self.size.body
        drop = 0.33 * pixels if va == "middle" else 0.0
        self.figure.text(
            x,
            y + drop,
            text,
            fontproperties=font(pixels, bold),
            color=color,
            ha=ha,
            va="baseline",
            transform=self.transform,
            parse_math=False,
            zorder=OVER,
        )

    def name(self, x: float, y: float, key: str, room: float, pixels: float = 0.0, va: str = "baseline") -> None:
        """Write an event's name, cut to the room, and its date, which is never cut, small beside it."""
        pixels = pixels or self.size.body
        name, date = name_and_date(tidy(key))
        tail = 0.3 * pixels + text_width(date, self.size.foot) if date else 0.0
        name = fit(name, pixels, room - tail, bold=True)
        self.text(x, y, name, pixels, bold=True, va=va)
        if date:
            drop = 0.33 * (pixels - self.size.foot) if va == "middle" else 0.0
            place = x + text_width(name, pixels, True) + 0.3 * pixels
            self.text(place, y + drop, date, self.size.foot, color=QUIET, va=va)

    def line(
        self, xs: Sequence[float], ys: Sequence[float], color: str, width: float = 1.0, dash: bool = False
    ) -> None:
        """Draw a line through pixels of the sheet, under the marks of the axes and over their bands."""
        from matplotlib.lines import Line2D

        line = Line2D(list(xs), list(ys), color=color, linewidth=width * POINTS * self.size.unit)
        if dash:
            line.set_linestyle((0, (3.0, 2.5)))
        line.set(transform=self.transform, solid_capstyle="butt", zorder=UNDER)
        self.figure.add_artist(line)

    def mark(
        self, x: float, y: float, color: str, *, filled: bool = True, shape: str = "o", pixels: float = 9.0
    ) -> None:
        """Draw one marker, ``pixels`` wide at the article's size."""
        from matplotlib.lines import Line2D

        unit = self.size.unit * POINTS
        mark = Line2D([x], [y], linestyle="none", marker=shape, color=color, markersize=pixels * unit)
        mark.set(markerfacecolor=color if filled else PAPER, markeredgewidth=1.6 * unit, zorder=OVER)
        mark.set_transform(self.transform)
        self.figure.add_artist(mark)

    def box(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """Fill a rectangle, ``(x, y)`` its upper left corner."""
        from matplotlib.patches import Rectangle

        patch = Rectangle((x, y), width, height, facecolor=color, edgecolor="none")
        patch.set(transform=self.transform, zorder=BANDS)
        self.figure.add_artist(patch)

    def axes(self, x: Scale, y: Scale, *, bands: bool = False) -> Axes:
        """Return bare axes over two scales, whose y runs upwards; for bands they lie under the grid."""
        width, height = x.end - x.start, y.start - y.end
        place = (
            x.start / self.size.width,
            1.0 - y.start / self.height,
            width / self.size.width,
            height / self.height,
        )
        axes = self.figure.add_axes(place, zorder=BANDS if bands else MARKS)
        axes.set_axis_off()
        axes.set_xlim(x.low, x.high)
        axes.set_ylim(y.low, y.high)
        return axes

    def x_axis(self, x: Scale, values: Sequence[float], form: Callable[[float], str], top: float, base: float) -> None:
        """Draw grid lines from ``top`` to ``base`` and tick labels under ``base``."""
        for value in values:
            strong = value == 0.0
            self.line([x.px(value)] * 2, [top, base], INK if strong else GRID, 1.2 if strong else 1.0)
        self.tick_labels(x, values, form, base + 1.35 * self.size.foot)

    def tick_labels(self, x: Scale, values: Sequence[float], form: Callable[[float], str], y: float) -> None:
        """Write tick labels on a baseline, leaving out what would touch its neighbour or leave the sheet."""
        pixels = self.size.foot
        taken: list[tuple[float, float]] = []
        for value in sorted(values, key=lambda v: (v != 0.0, abs(v))):
            half = text_width(form(value), pixels) / 2
            centre = min(max(x.px(value), self.size.margin / 2 + half), self.size.width - self.size.margin / 2 - half)
            if all(centre + half + 4 < a or centre - half - 4 > b for a, b in taken):
                taken.append((centre - half, centre + half))
                self.text(centre, y, form(value), pixels, color=QUIET, ha="center")

    def legend(self, entries: Sequence[tuple[Callable[[float, float], None], str]], y: float) -> None:
        """Write legend entries from the left on ``y``, each a drawn sample and a text; see `legend_lines`."""
        for row in legend_rows([text for _, text in entries], self.size):
            x = self.left
            for i in row:
                sample, text = entries[i]
                sample(x + 9 * self.size.unit, y)
                self.text(x + 24 * self.size.unit, y, text, self.size.foot, color=QUIET, va="middle")
                x += 24 * self.size.unit + text_width(text, self.size.foot) + 18 * self.size.unit
            y += 1.45 * self.size.foot


def fitted_ticks(
    x: Scale, pixels: float, tick_form: Callable[[list[float]], Callable[[float], str]]
) -> tuple[list[float], Callable[[float], str]]:
    """Return as many round ticks as have room for their labels side by side, and how they read."""
    marks: list[float] = []
    form = tick_form([0.0, 1.0])
    for most in range(min(MOST_TICKS, max(2, int((x.end - x.start) / (2.8 * pixels)))), 1, -1):
        marks = ticks(x.low, x.high, most)
        form = tick_form(marks)
        ends = [(x.px(m) - w, x.px(m) + w) for m, w in ((m, text_width(form(m), pixels) / 2) for m in marks)]
        if all(b[0] - a[1] > 0.6 * pixels for a, b in pairwise(ends)):
            break
    return marks, form


def legend_rows(texts: Sequence[str], size: Size) -> list[list[int]]:
    """Return which legend entries share a row at this size."""
    rows: list[list[int]] = []
    x = size.inner + 1
    for i, text in enumerate(texts):
        width = 24 * size.unit + text_width(text, size.foot)
        if x + width > size.inner:
            rows.append([])
            x = 0.0
        rows[-1].append(i)
        x += width + 18 * size.unit
    return rows


def legend_height(texts: Sequence[str], size: Size) -> float:
    """Return the pixels that `Sheet.legend` needs."""
    return len(legend_rows(texts, size)) * 1.45 * size.foot + 4


def build(
    words: FigureText, data: pd.DataFrame, size: str, wanted: Callable[[Size], float], draw: Callable[[Sheet], None]
) -> HouseFigure:
    """Lay out a figure: title, subtitle, what ``draw`` draws, note and source.

    Parameters
    ----------
    words : FigureText
        The words.
    data : DataFrame
        The plotted numbers.
    size : str
        Name of a size preset.
    wanted : callable
        From the preset to the pixels of height that the plot would like; at a fixed height it gets what is left,
        or the figure grows if that is less than half.
    draw : callable
        Draws on the sheet.
    """
    from eventstudy.figures.house import HouseFigure

    preset = size_of(size)
    with house_settings():
        title = balanced(words.title, preset.title, preset.inner, bold=True)
        subtitle = balanced(words.subtitle, preset.subtitle, preset.inner)
        foot = [line for part in (words.note, words.source) for line in wrap(part, preset.foot, preset.inner)]
        head = len(title) * preset.title * 1.18 + len(subtitle) * preset.subtitle * LEADING + 0.9 * preset.subtitle
        tail = len(foot) * preset.foot * LEADING + (1.1 * preset.foot if foot else 0.0)
        plot = wanted(preset)
        frame = head + tail + 2 * preset.margin
        height = max(preset.height, round(frame + (max(0.55 * plot, preset.height - frame) if preset.height else plot)))
        figure = HouseFigure(words, data, preset.name, preset.width, height)
        sheet = Sheet(
            figure,
            preset,
            preset.margin,
            preset.width - preset.margin,
            preset.margin + head,
            height - preset.margin - tail,
            height,
        )
        _write_head_and_foot(sheet, title, subtitle, foot)
        draw(sheet)
    return figure


def _write_head_and_foot(sheet: Sheet, title: list[str], subtitle: list[str], foot: list[str]) -> None:
    size = sheet.size
    y = size.margin - 0.22 * size.title
    for line in title:
        y += size.title * 1.18
        sheet.text(sheet.left, y, line, size.title, bold=True)
    y += 0.3 * size.subtitle
    for line in subtitle:
        y += size.subtitle * LEADING
        sheet.text(sheet.left, y, line, size.subtitle, color=QUIET)
    y = sheet.height - size.margin - 0.25 * size.foot - (len(foot) - 1) * size.foot * LEADING
    for line in foot:
        sheet.text(sheet.left, y, line, size.foot, color=QUIET)
        y += size.foot * LEADING
