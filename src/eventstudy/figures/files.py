"""Figures as bytes and files: the same bytes from the same numbers."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from eventstudy.errors import InvalidInput
from eventstudy.figures.raster import png_of, rendered
from eventstudy.files import write_whole

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from eventstudy.figures.house import HouseFigure

_NAME = re.compile(r"[\w][\w.+-]*")


def _house(figure: Figure) -> HouseFigure:
    from eventstudy.figures.house import HouseFigure

    if not isinstance(figure, HouseFigure):
        raise InvalidInput(
            f"A {type(figure).__name__} carries no words and numbers; give a figure made by eventstudy.figures."
        )
    return figure


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG with two dots a pixel, the alternative text inside."""
    words = _house(figure).words
    return png_of(figure, words.title, words.alt)


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as SVG: text as outlines, with title, description and the role of an image."""
    svg = rendered(figure, "svg", {"Date": None, "Creator": None, "Format": None, "Type": None}, 72)
    text = svg.decode("utf-8")
    words = _house(figure).words
    mark = hashlib.sha256(f"{words.title}\n{words.alt}\n{_house(figure).size_name}".encode()).hexdigest()[:10]
    start = text.index("<svg ")
    end = text.index(">", start)
    access = f' role="img" aria-labelledby="title-{mark} desc-{mark}"'
    head = f'<title id="title-{mark}">{escape(words.title)}</title><desc id="desc-{mark}">{escape(words.alt)}</desc>'
    return f"{text[:end]}{access}>\n {head}{text[end + 1 :]}".encode()


def pdf_bytes(figure: Figure) -> bytes:
    """Return a figure as PDF with embedded TrueType fonts."""
    words = _house(figure).words
    meta = {"CreationDate": None, "Creator": None, "Producer": None}
    return rendered(figure, "pdf", {**meta, "Title": words.title, "Subject": words.alt}, 72)


def csv_text(figure: Figure) -> str:
    """Return the plotted numbers as CSV."""
    return str(_house(figure).data.to_csv(index=False, lineterminator="\n"))


def alt_text(figure: Figure) -> str:
    """Return title, alternative text, note and source as plain text, a line each."""
    words = _house(figure).words
    lines = (words.title, words.subtitle, words.alt, words.note, words.source)
    return "".join(f"{line}\n" for line in lines if line)


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
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"name is {name!r}; give a plain file name without folder and suffix, e.g. 'car'.")
    contents: dict[str, bytes | str] = {
        "svg": svg_bytes(figure),
        "pdf": pdf_bytes(figure),
        "png": png_bytes(figure),
        "csv": csv_text(figure),
        "txt": alt_text(figure),
    }
    return [write_whole(Path(folder) / f"{name}.{suffix}", content) for suffix, content in contents.items()]
