"""A recipe laid out at a size: title, subtitle, the plot, note, source and signature, and a mark over all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventstudy.figures.house_style import HouseStyle
from eventstudy.figures.recipe import Recipe
from eventstudy.figures.sheet import LEADING, Sheet, balanced, fit, text_width, wrap
from eventstudy.figures.style import Size, palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of a figure's head and foot, and the pixels that each part takes."""

    recipe: Recipe
    size: Size
    title: list[str]
    subtitle: list[str]
    foot: list[str]
    #: Room of the bar over the title that a mark is written in.
    notice: float
    #: Room over and under the plot, without the notice and the margins.
    head: float
    tail: float
    signature: float
    height: float

    @classmethod
    def of(cls, recipe: Recipe, size: Size) -> Layout:
        """Break a recipe's words into lines, and give each part its room."""
        words, style = recipe.shown_words, recipe.style
        title = balanced(words.title, size.title, size.inner, bold=True)
        subtitle = balanced(words.subtitle, size.subtitle, size.inner)
        foot = [line for part in (words.note, words.source) for line in wrap(part, size.foot, size.inner)]
        notice = _notice_height(size, recipe.facts.mark)
        head = len(title) * size.title * 1.18 + len(subtitle) * size.subtitle * LEADING + 0.9 * size.subtitle
        signature = 2.2 * size.foot if style.tag or style.logo else 0.0
        tail = len(foot) * size.foot * LEADING + (1.1 * size.foot if foot else 0.0) + signature
        plot = recipe.height(size)
        frame = head + notice + tail + 2 * size.margin
        least = max(0.55 * plot, size.height - frame) if size.height else plot
        height = max(size.height, round(frame + least))
        return cls(recipe, size, title, subtitle, foot, notice, head, tail, signature, height)

    def draw(self, figure: Figure) -> None:
        """Draw everything on a figure of this width and height."""
        size = self.size
        sheet = Sheet(
            figure,
            size,
            size.margin,
            size.width - size.margin,
            size.margin + self.notice + self.head,
            self.height - size.margin - self.tail,
            self.height,
        )
        self._write_head(sheet)
        self._write_foot(sheet)
        _write_signature(sheet, self.recipe.style)
        if self.recipe.facts.mark:
            _write_mark(sheet, self.recipe.facts.mark)
        self.recipe.draw(sheet)

    def _write_head(self, sheet: Sheet) -> None:
        size = self.size
        y = size.margin + self.notice - 0.22 * size.title
        for line in self.title:
            y += size.title * 1.18
            sheet.text(sheet.left, y, line, size.title, bold=True, role="title")
        y += 0.3 * size.subtitle
        for line in self.subtitle:
            y += size.subtitle * LEADING
            sheet.text(sheet.left, y, line, size.subtitle, color=palette().quiet, role="subtitle")

    def _write_foot(self, sheet: Sheet) -> None:
        size, foot = self.size, self.foot
        y = sheet.height - size.margin - self.signature - 0.25 * size.foot - (len(foot) - 1) * size.foot * LEADING
        for line in foot:
            sheet.text(sheet.left, y, line, size.foot, color=palette().quiet, role="note")
            y += size.foot * LEADING


def _write_signature(sheet: Sheet, style: HouseStyle) -> None:
    """Write the tag at the left of the last line and draw the logo at its right."""
    size = sheet.size
    base = sheet.height - size.margin
    if style.tag:
        room = size.inner * (0.6 if style.logo else 1.0)
        tag = fit(style.tag, size.foot, room, bold=True)
        sheet.text(sheet.left, base - 0.3 * size.foot, tag, size.foot, bold=True, role="signature")
    if style.logo:
        with sheet.role("signature"):
            sheet.picture(style.logo, 1.6 * size.foot, sheet.right, base - 1.6 * size.foot, size.inner * 0.35)


def _notice_height(size: Size, mark: str) -> float:
    if not mark:
        return 0.0
    return len(_mark_lines(size, mark)) * LEADING * size.foot + 1.2 * size.foot


def _mark_lines(size: Size, mark: str) -> list[str]:
    return wrap(mark, size.foot, size.inner - size.foot, bold=True)


def _write_mark(sheet: Sheet, mark: str) -> None:
    """Write a mark in a bar over the title, and its first word large and pale under the plot."""
    size, colours = sheet.size, palette()
    lines = _mark_lines(size, mark)
    with sheet.role("notice"):
        height = len(lines) * LEADING * size.foot + 0.4 * size.foot
        sheet.box(sheet.left, size.margin, size.inner, height, colours.ink)
        y = size.margin + 1.12 * size.foot
        for line in lines:
            sheet.text(sheet.left + 0.5 * size.foot, y, line, size.foot, color=colours.paper, bold=True)
            y += LEADING * size.foot
    word = mark.split(" ", maxsplit=1)[0]
    width, tall = size.inner, sheet.bottom - sheet.top
    pixels = min(0.8 * width / max(text_width(word, 100.0, True), 1.0) * 100.0, 0.7 * tall)
    sheet.text(
        (sheet.left + sheet.right) / 2,
        (sheet.top + sheet.bottom) / 2,
        word,
        max(pixels, size.least),
        color=_pale(colours.paper, colours.ink),
        bold=True,
        ha="center",
        va="middle",
        role="status",
    )


def _pale(paper: str, ink: str) -> str:
    """Return the paper with a breath of ink: seen, and no hindrance to what is drawn over it."""
    mixed = (round(0.93 * int(paper[i : i + 2], 16) + 0.07 * int(ink[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{value:02x}" for value in mixed)
