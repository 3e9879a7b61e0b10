"""The sheet that a figure is drawn on, in pixels from the top left corner: scales, measured texts, named marks."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.figures.house_style import current_style
from eventstudy.figures.style import POINTS, Size, font, palette
from eventstudy.figures.words import name_and_date, tidy
from eventstudy.wording import percent

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

# -- From numbers to pixels: scales, round ticks and their labels.


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values ``low`` to ``high`` onto pixels ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    def px(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def limits(values: Iterable[float], pad: float = 0.04) -> tuple[float, float]:
    """Return axis limits around all finite values and 0, with some air on the sides away from 0."""
    there = [v for v in values if math.isfinite(v)]
    low, high = min([0.0, *there]), max([0.0, *there])
    if high - low < 1e-12:
        return -0.01, 0.01
    air = (high - low) * pad
    return low - air, high + air


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most ``most`` round values in an interval, a multiple of 1, 2 or 5 times a power of ten apart."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / max(most, 1)))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= max(most, 2):
            return [float(f"{k * step:.10g}") for k in range(first, last + 1)]
    return [0.0]


def digits_of(step: float) -> int:
    """Return the decimals that a step needs as a per cent."""
    return max(0, -math.floor(math.log10(step * 100) + 1e-9))


def percent_ticks(values: list[float]) -> Callable[[float], str]:
    """Return the function that writes these ticks as per cents."""
    step = min((b - a for a, b in pairwise(values)), default=0.01)
    digits = digits_of(step)
    return lambda v: percent(v, digits) if v else "0%"


# -- Texts measured in pixels: their width, their lines, and what of them fits.


#: Line height in text sizes, and the share of it above the baseline.
LEADING = 1.28
#: Room for the difference between measured and drawn text.
SLACK = 1.015


#: What no line break may part: dates, "day 0", windows in brackets.
_UNBROKEN = re.compile(r"\d{1,2} [A-Z]\w+ \d{4}|\bdays? [−+]?\d+|\[[−+\-]?\d+, [−+\-]?\d+\]")
_TIE = "\N{NO-BREAK SPACE}"


def text_width(text: str, pixels: float, bold: bool = False) -> float:
    """Return the width of a text in pixels, in the font of the style in use."""
    style = current_style()
    return _width(text, pixels, bold, style.semibold if bold else style.regular)


@lru_cache(maxsize=4096)
def _width(text: str, pixels: float, bold: bool, file: Path) -> float:
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
    # words are measured alone: they recur, whole lines do not
    blank = text_width("n n", pixels, bold) - 2 * text_width("n", pixels, bold)
    lines: list[str] = []
    line, used = "", 0.0
    for glued in _UNBROKEN.sub(lambda found: found.group().replace(" ", _TIE), tidy(text)).split(" "):
        word = glued.replace(_TIE, " ")
        width = text_width(word, pixels, bold) if word else 0.0
        if line and used + blank + width <= room:
            line, used = f"{line} {word}", used + blank + width
            continue
        if line:
            lines.append(line)
        line, used = word, width
        while used > room and len(line) > 1:
            head = fit(line, pixels, room, bold, end="")
            lines.append(head)
            line = line[len(head) :]
            used = text_width(line, pixels, bold) if line else 0.0
    return [*lines, line] if line else lines


def balanced(text: str, pixels: float, room: float, bold: bool = False) -> list[str]:
    """Break a text into as few lines as `wrap` does, of about equal length, so that no word is left alone."""
    lines = wrap(text, pixels, room, bold)
    low, high = 0.0, room
    while high - low > 2.0 and len(lines) > 1:
        middle = (low + high) / 2
        trial = wrap(text, pixels, middle, bold)
        if len(trial) > len(lines) or any(" " not in x and text_width(x, pixels, bold) > middle for x in trial):
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


# -- The sheet a figure is laid out on: pixels from the top left corner, everything drawn named by its role.


#: More ticks than this on one axis are clutter.
MOST_TICKS = 7
#: Drawing order by role, so that things of one role lie together and editable files have them in one layer.
LAYERS = {
    "status": 0.5, "band": 1.0, "bands": 1.1, "grid": 2.0, "data": 3.0, "mark": 4.0, "tick": 4.1, "legend": 4.2, "label": 4.3,
    "title": 4.4, "subtitle": 4.5, "note": 4.6, "signature": 4.7, "notice": 4.8,
}  # fmt: skip


@dataclass
class Sheet:
    """A figure under construction; all lengths in pixels, y downwards."""

    figure: Figure
    size: Size
    #: The box between head and foot, for the plot and its labels.
    left: float
    right: float
    top: float
    bottom: float
    height: float
    _count: Counter[str] = field(default_factory=Counter)
    _role: str = ""

    @contextmanager
    def role(self, name: str) -> Iterator[None]:
        """Name everything drawn inside by one role."""
        before, self._role = self._role, name
        try:
            yield
        finally:
            self._role = before

    def _place(self, artist: Artist, role: str) -> None:
        """Give something drawn its name and its layer."""
        role = self._role or role
        self._count[role] += 1
        artist.set_gid(f"{role}-{self._count[role]}")
        artist.set_zorder(LAYERS[role])

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
        color: str = "",
        bold: bool = False,
        ha: str = "left",
        va: str = "baseline",
        role: str = "label",
    ) -> None:
        """Write one line of text; ``y`` is its baseline or, with ``va="middle"``, the middle of its capitals."""
        pixels = pixels or self.size.body
        drop = 0.33 * pixels if va == "middle" else 0.0
        drawn = self.figure.text(
            x,
            y + drop,
            text,
            fontproperties=font(pixels, bold),
            color=color or palette().ink,
            ha=ha,
            va="baseline",
            transform=self.transform,
            parse_math=False,
        )
        self._place(drawn, role)

    def centred(
        self,
        text: str,
        x: float,
        y: float,
        left: float,
        right: float,
        pixels: float = 0.0,
        *,
        color: str = "",
        bold: bool = False,
    ) -> None:
        """Write one line of text around ``x``, moved so far that it stays between ``left`` and ``right``."""
        half = text_width(text, pixels or self.size.body, bold) / 2
        centre = min(max(x, left + half), right - half)
        self.text(centre, y, text, pixels, color=color, bold=bold, ha="center")

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
            self.text(place, y + drop, date, self.size.foot, color=palette().quiet, va=va)

    def line(
        self, xs: Sequence[float], ys: Sequence[float], color: str, width: float = 1.0, dash: bool = False
    ) -> None:
        """Draw a line through pixels of the sheet, under the marks of the axes and over their bands."""
        from matplotlib.lines import Line2D

        line = Line2D(list(xs), list(ys), color=color, linewidth=width * POINTS * self.size.unit)
        if dash:
            line.set_linestyle((0, (3.0, 2.5)))
        line.set(transform=self.transform, solid_capstyle="butt")
        self._place(line, "grid")
        self.figure.add_artist(line)

    def mark(
        self, x: float, y: float, color: str, *, filled: bool = True, shape: str = "o", pixels: float = 9.0
    ) -> None:
        """Draw one marker, ``pixels`` wide at the article's size."""
        from matplotlib.lines import Line2D

        unit = self.size.unit * POINTS
        mark = Line2D([x], [y], linestyle="none", marker=shape, color=color, markersize=pixels * unit)
        mark.set(markerfacecolor=color if filled else palette().paper, markeredgewidth=1.6 * unit)
        mark.set_transform(self.transform)
        self._place(mark, "mark")
        self.figure.add_artist(mark)

    def box(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """Fill a rectangle, ``(x, y)`` its upper left corner."""
        from matplotlib.patches import Rectangle

        patch = Rectangle((x, y), width, height, facecolor=color, edgecolor="none")
        patch.set(transform=self.transform)
        self._place(patch, "band")
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
        axes = self.figure.add_axes(place)
        self._place(axes, "bands" if bands else "data")
        axes.set_axis_off()
        axes.set_xlim(x.low, x.high)
        axes.set_ylim(y.low, y.high)
        return axes

    def x_axis(self, x: Scale, values: Sequence[float], form: Callable[[float], str], top: float, base: float) -> None:
        """Draw grid lines from ``top`` to ``base`` and tick labels under ``base``."""
        self.x_grid(x, values, top, base)
        self.tick_labels(x, values, form, base + 1.35 * self.size.foot)

    def x_grid(self, x: Scale, values: Sequence[float], top: float, base: float) -> None:
        """Draw vertical grid lines, zero the strongest."""
        for value in values:
            self.line([x.px(value)] * 2, [top, base], palette().of_grid(value), 1.0 if value else 1.2)

    def y_labels(self, right: float, y: Scale, values: Sequence[float], texts: Sequence[str]) -> None:
        """Write the labels of a vertical scale to the left of ``right``; see `y_ticks`."""
        foot = self.size.foot
        for value, text in zip(values, texts, strict=True):
            self.text(right - 0.6 * foot, y.px(value), text, foot, color=palette().quiet, ha="right", va="middle")

    def tick_labels(self, x: Scale, values: Sequence[float], form: Callable[[float], str], y: float) -> None:
        """Write tick labels on a baseline, leaving out what would touch its neighbour or leave the sheet."""
        pixels = self.size.foot
        taken: list[tuple[float, float]] = []
        for value in sorted(values, key=lambda v: (v != 0.0, abs(v))):
            half = text_width(form(value), pixels) / 2
            centre = min(max(x.px(value), self.size.margin / 2 + half), self.size.width - self.size.margin / 2 - half)
            if all(centre + half + 4 < a or centre - half - 4 > b for a, b in taken):
                taken.append((centre - half, centre + half))
                self.text(centre, y, form(value), pixels, color=palette().quiet, ha="center", role="tick")

    def line_sample(self, color: str, width: float, *, band: bool = False) -> Callable[[float, float], None]:
        """Return a legend's sample of a line, with its band if it has one."""
        unit = self.size.unit

        def sample(x: float, y: float) -> None:
            if band:
                self.box(x - 9 * unit, y - 6 * unit, 18 * unit, 12 * unit, palette().band)
            self.line([x - 9 * unit, x + 9 * unit], [y, y], color, width)

        return sample

    def band_sample(self, color: str) -> Callable[[float, float], None]:
        """Return a legend's sample of a band."""
        unit = self.size.unit
        return lambda x, y: self.box(x - 9 * unit, y - 6 * unit, 18 * unit, 12 * unit, color)

    def legend(self, entries: Sequence[tuple[Callable[[float, float], None], str]], y: float) -> None:
        """Write legend entries from the left on ``y``, each a drawn sample and a text; see `legend_height`."""
        foot, sample_room = self.size.foot, 24 * self.size.unit
        with self.role("legend"):
            for row in legend_rows([text for _, text in entries], self.size):
                x = self.left
                for i, lines in row:
                    entries[i][0](x + 9 * self.size.unit, y)
                    for k, line in enumerate(lines):
                        self.text(x + sample_room, y + k * LINE * foot, line, foot, color=palette().quiet, va="middle")
                    x += sample_room + max(text_width(line, foot) for line in lines) + 18 * self.size.unit
                y += _row_height(row, self.size)

    def picture(self, file: Path, height: float, right: float, top: float, room: float) -> None:
        """Draw a PNG of at most this height and width, its upper right corner at a place."""
        import numpy as np
        from PIL import Image

        with Image.open(file) as image:
            pixels = np.asarray(image.convert("RGBA"))
        height = min(height, room * pixels.shape[0] / pixels.shape[1])
        wide = height * pixels.shape[1] / pixels.shape[0]
        axes = self.axes(Scale(0.0, 1.0, right - wide, right), Scale(0.0, 1.0, top + height, top))
        axes.imshow(pixels, extent=(0.0, 1.0, 0.0, 1.0), aspect="auto", interpolation="antialiased")


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


def y_ticks(low: float, high: float, most: int, foot: float) -> tuple[list[float], list[str], float]:
    """Return round ticks of a vertical scale of returns, how they read, and the pixels that their labels take."""
    marks = ticks(low, high, max(3, most))
    form = percent_ticks(marks)
    texts = [form(mark) for mark in marks]
    return marks, texts, max(text_width(text, foot) for text in texts) + 0.6 * foot


#: Line height inside a legend entry, and what a row of entries has in addition, in text sizes.
LINE, ROW_GAP = 1.2, 0.25


def legend_rows(texts: Sequence[str], size: Size) -> list[list[tuple[int, list[str]]]]:
    """Return which legend entries share a row at this size, each with its lines."""
    rows: list[list[tuple[int, list[str]]]] = []
    x = size.inner + 1
    for i, text in enumerate(texts):
        lines = wrap(text, size.foot, size.inner - 24 * size.unit)
        width = 24 * size.unit + max(text_width(line, size.foot) for line in lines)
        if x + width > size.inner:
            rows.append([])
            x = 0.0
        rows[-1].append((i, lines))
        x += width + 18 * size.unit
    return rows


def _row_height(row: Sequence[tuple[int, list[str]]], size: Size) -> float:
    return (LINE * max(len(lines) for _, lines in row) + ROW_GAP) * size.foot


def legend_height(texts: Sequence[str], size: Size) -> float:
    """Return the pixels that `Sheet.legend` needs."""
    return sum(_row_height(row, size) for row in legend_rows(texts, size)) + 4
