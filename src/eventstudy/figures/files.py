"""Figures as bytes and files: the same bytes from the same numbers."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from eventstudy.errors import InvalidInput
from eventstudy.figures.editable import editable_svg
from eventstudy.figures.raster import png_of, rendered
from eventstudy.files import write_whole
from eventstudy.numbers import round_significant
from eventstudy.wording import inert

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.figure import Figure

    from eventstudy.figures.house import HouseFigure

NAME = re.compile(r"[\w][\w.+-]*")


def house_figure(figure: Figure) -> HouseFigure:
    """Return a figure as what it is, if it is one of this package.

    Raises
    ------
    InvalidInput
        If it is another.
    """
    from eventstudy.figures.house import HouseFigure

    if not isinstance(figure, HouseFigure):
        raise InvalidInput(
            f"A {type(figure).__name__} carries no words and numbers; give a figure made by eventstudy.figures."
        )
    return figure


def png_bytes(figure: Figure, dots: int = 2) -> bytes:
    """Return a figure as PNG with one or two dots a pixel, the alternative text inside."""
    words = house_figure(figure).words
    return png_of(figure, words.title, words.alt, dots)


def svg_bytes(figure: Figure, *, editable: bool = False) -> bytes:
    """Return a figure as SVG with title, description and the role of an image.

    Parameters
    ----------
    figure : HouseFigure
        The figure.
    editable : bool
        Text as text in named groups, for an editor; else as outlines, the same on every screen.
    """
    house = house_figure(figure)
    words, facts = house.words, house.facts
    rights = {"Rights": house.recipe.style.rights} if house.recipe.style.rights else {}
    meta: dict[str, str | None] = {"Date": None, "Creator": None, "Format": None, "Type": None, **rights}
    text = editable_svg(house, meta) if editable else rendered(figure, "svg", meta, 72).decode("utf-8")
    said = f"{words.title}\n{words.alt}\n{house.size_name}\n{facts.mark}\n{editable}"
    mark = hashlib.sha256(said.encode()).hexdigest()[:10]
    start = text.index("<svg ")
    end = text.index(">", start)
    access = f' role="img" aria-labelledby="title-{mark} desc-{mark}"'
    head = f'<title id="title-{mark}">{escape(words.title)}</title><desc id="desc-{mark}">{escape(words.alt)}</desc>'
    return f"{text[:end]}{access}>\n {head}{text[end + 1 :]}".encode()


def pdf_bytes(figure: Figure) -> bytes:
    """Return a figure as PDF with embedded TrueType fonts, the alternative text as its subject."""
    house = house_figure(figure)
    meta = {"CreationDate": None, "Creator": None, "Producer": None}
    said = {"Title": house.words.title, "Subject": house.words.alt, "Keywords": house.facts.mark or None}
    return rendered(figure, "pdf", {**meta, **said}, 72)


def csv_text(figure: Figure) -> str:
    """Return the plotted numbers as CSV."""
    return table_csv(house_figure(figure).data)


def table_csv(table: pd.DataFrame) -> str:
    """Return numbers as CSV, at most ten significant digits each; text that a spreadsheet would run is made inert."""
    kept = table.copy()
    for column in kept.columns:
        if kept[column].dtype.kind == "f":
            kept[column] = round_significant(kept[column].to_numpy())
        elif kept[column].dtype.kind not in "iufb":
            kept[column] = kept[column].map(inert)
    return str(kept.to_csv(index=False, lineterminator="\n"))


def alt_text(figure: Figure) -> str:
    """Return title, alternative text, note and source as plain text, a line each."""
    words = house_figure(figure).words
    lines = (words.title, words.subtitle, words.alt, words.note, words.source)
    return "".join(f"{line}\n" for line in lines if line)


def check_name(name: str) -> None:
    """Refuse what is no plain file name.

    Raises
    ------
    InvalidInput
        If it has a folder, a blank, or begins with a dot.
    """
    if not NAME.fullmatch(name):
        raise InvalidInput(f"name is {name!r}; give a plain file name without folder and suffix, e.g. 'car'.")


def save(figure: Figure, folder: str | os.PathLike[str], name: str) -> list[Path]:
    """Write a figure as SVG, PDF, PNG, with its numbers as CSV and its words as text.

    Parameters
    ----------
    figure : HouseFigure
        What any function of this package returned.
    folder : path
        Made if it is not there.
    name : str
        File name without suffix: letters, digits, ``_``, ``-``, ``+`` and dots.

    Returns
    -------
    list of Path
        The five files; each is written whole or not at all.

    Raises
    ------
    InvalidInput
        If the name is not a plain file name.
    """
    check_name(name)
    contents: dict[str, bytes | str] = {
        "svg": svg_bytes(figure),
        "pdf": pdf_bytes(figure),
        "png": png_bytes(figure),
        "csv": csv_text(figure),
        "txt": alt_text(figure),
    }
    return [write_whole(Path(folder) / f"{name}.{suffix}", content) for suffix, content in contents.items()]
