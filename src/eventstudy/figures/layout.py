"""A drawn figure as bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from eventstudy.errors import InvalidInput
from eventstudy.figures.house_style import Facts, HouseStyle, current_style, drawing_with, presented
from eventstudy.figures.sheet import LEADING, Sheet, balanced, fit, text_width, wrap
from eventstudy.figures.style import DPI, Size, house_settings, palette, size_of
from eventstudy.figures.titles import check_title
from eventstudy.figures.words import FigureText, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from eventstudy.figures.figure import HouseFigure

#: Colours in a PNG: a chart has few, and a palette of them takes a third of the room.
PALETTE = 128


def rendered(figure: Figure, form: str, metadata: dict[str, str | None], dpi: float) -> bytes:
    """Return a figure in one of matplotlib's formats."""
    stream = io.BytesIO()
    figure.savefig(stream, format=form, dpi=dpi, metadata=metadata)
    return stream.getvalue()


def png_of(figure: Figure, title: str, alt: str, dots: int = 2) -> bytes:
    """Return a figure as PNG with few colours, ``dots`` dots a pixel, title and text alternative inside."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    resolution = dots * DPI
    picture = Image.open(io.BytesIO(rendered(figure, "png", {"Software": None}, resolution))).convert("RGB")
    picture = picture.quantize(PALETTE, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    meta = PngInfo()
    meta.add_itxt("Title", title)
    meta.add_itxt("Description", alt)
    stream = io.BytesIO()
    picture.save(stream, "png", optimize=True, dpi=(resolution, resolution), pnginfo=meta)
    return stream.getvalue()


# -- A figure laid out: title, subtitle, the plot, note, source and signature; and laid out anew with other words.


#: What a note says of a title that was not held against the numbers.
UNCHECKED = "The title is not checked against the numbers."


@dataclass(frozen=True, eq=False, slots=True)
class Recipe:
    """All that a figure is drawn from, so that it can be drawn again with another size, title or mark.

    Attributes
    ----------
    words : FigureText
        The words, without what a mark adds.
    facts : Facts
        What the figure knows of itself.
    wanted : callable
        From the preset to the pixels of height that the plot would like; at a fixed height it gets what is left,
        or the figure grows if that is less than half.
    """

    words: FigureText
    data: pd.DataFrame
    facts: Facts
    style: HouseStyle
    wanted: Callable[[Size], float]
    draw: Callable[[Sheet], None]


def build(
    words: FigureText,
    data: pd.DataFrame,
    facts: Facts,
    size: str,
    wanted: Callable[[Size], float],
    draw: Callable[[Sheet], None],
) -> HouseFigure:
    """Lay out a figure in the style and with the mark of the study that it is drawn for; see `Recipe`."""
    facts = presented(facts)
    if facts.own_title:
        check_title(words.title, facts)
    return lay_out(Recipe(words, data, facts, current_style(), wanted, draw), size)


def lay_out(recipe: Recipe, size: str) -> HouseFigure:
    """Draw a recipe at a size."""
    from eventstudy.figures.figure import HouseFigure

    preset, facts = size_of(size), recipe.facts
    words = _marked_words(recipe.words, facts)
    with drawing_with(recipe.style), house_settings():
        title = balanced(words.title, preset.title, preset.inner, bold=True)
        subtitle = balanced(words.subtitle, preset.subtitle, preset.inner)
        foot = [line for part in (words.note, words.source) for line in wrap(part, preset.foot, preset.inner)]
        notice = _notice_height(preset, facts.mark)
        head = len(title) * preset.title * 1.18 + len(subtitle) * preset.subtitle * LEADING + 0.9 * preset.subtitle
        signature = _signature_height(preset, recipe.style)
        tail = len(foot) * preset.foot * LEADING + (1.1 * preset.foot if foot else 0.0) + signature
        plot = recipe.wanted(preset)
        frame = head + notice + tail + 2 * preset.margin
        height = max(preset.height, round(frame + (max(0.55 * plot, preset.height - frame) if preset.height else plot)))
        figure = HouseFigure(recipe, words, preset, height)
        sheet = Sheet(
            figure,
            preset,
            preset.margin,
            preset.width - preset.margin,
            preset.margin + notice + head,
            height - preset.margin - tail,
            height,
        )
        _write_head(sheet, title, subtitle, notice)
        _write_foot(sheet, foot, signature)
        _write_signature(sheet, recipe.style)
        if facts.mark:
            _write_mark(sheet, facts.mark)
        recipe.draw(sheet)
    return figure


def _marked_words(words: FigureText, facts: Facts) -> FigureText:
    """Return the words with what a mark and an unchecked title add to them."""
    note = f"{words.note} {UNCHECKED}".strip() if facts.unchecked else words.note
    if not facts.mark:
        return replace(words, note=note)
    return replace(words, note=note, alt=f"{facts.mark}. {words.alt}")


def _write_head(sheet: Sheet, title: list[str], subtitle: list[str], notice: float) -> None:
    size = sheet.size
    y = size.margin + notice - 0.22 * size.title
    for line in title:
        y += size.title * 1.18
        sheet.text(sheet.left, y, line, size.title, bold=True, role="title")
    y += 0.3 * size.subtitle
    for line in subtitle:
        y += size.subtitle * LEADING
        sheet.text(sheet.left, y, line, size.subtitle, color=palette().quiet, role="subtitle")


def _write_foot(sheet: Sheet, foot: list[str], signature: float) -> None:
    size = sheet.size
    y = sheet.height - size.margin - signature - 0.25 * size.foot - (len(foot) - 1) * size.foot * LEADING
    for line in foot:
        sheet.text(sheet.left, y, line, size.foot, color=palette().quiet, role="note")
        y += size.foot * LEADING


def _signature_height(size: Size, style: HouseStyle) -> float:
    return 2.2 * size.foot if style.tag or style.logo else 0.0


def _write_signature(sheet: Sheet, style: HouseStyle) -> None:
    """Write the tag at the left of the last line and draw the logo at its right."""
    size = sheet.size
    base = sheet.height - size.margin
    if style.tag:
        room = size.inner * (0.6 if style.logo else 1.0)
        sheet.text(sheet.left, base - 0.3 * size.foot, fit(style.tag, size.foot, room, True), size.foot, bold=True, role="signature")  # fmt: skip
    if style.logo:
        with sheet.role("signature"):
            sheet.picture(style.logo, 1.6 * size.foot, sheet.right, base - 1.6 * size.foot, size.inner * 0.35)


def _notice_height(size: Size, mark: str) -> float:
    """Return the room of the bar over the title that a mark is written in."""
    return (
        len(wrap(mark, size.foot, size.inner - size.foot, True)) * LEADING * size.foot + 1.2 * size.foot
        if mark
        else 0.0
    )


def _write_mark(sheet: Sheet, mark: str) -> None:
    """Write a mark in a bar over the title, and its first word large and pale under the plot."""
    size, colours = sheet.size, palette()
    lines = wrap(mark, size.foot, size.inner - size.foot, True)
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
        (sheet.left + sheet.right) / 2, (sheet.top + sheet.bottom) / 2, word, max(pixels, size.least),
        color=_pale(colours.paper, colours.ink), bold=True, ha="center", va="middle", role="status",
    )  # fmt: skip


def _pale(paper: str, ink: str) -> str:
    """Return the paper with a breath of ink: seen, and no hindrance to what is drawn over it."""
    mixed = (round(0.93 * int(paper[i : i + 2], 16) + 0.07 * int(ink[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def reworded(recipe: Recipe, given: dict[str, str | None], unchecked: bool) -> Recipe:
    """Return a recipe with some words replaced; a new title is held against the numbers unless exempted."""
    new = {key: tidy(text) for key, text in given.items() if text is not None}
    if "title" in new and not new["title"]:
        raise InvalidInput("title is empty; give the finding in words, or leave it out to keep the title.")
    if "alt" in new and not new["alt"]:
        raise InvalidInput("alt is empty; say in words what the figure shows, or leave it out to keep the text.")
    facts = recipe.facts
    if "title" in new:
        facts = replace(facts, own_title=True, unchecked=unchecked)
        if not unchecked:
            check_title(new["title"], facts)
    return replace(recipe, words=replace(recipe.words, **new), facts=facts)
