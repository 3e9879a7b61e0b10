"""A figure in each format, the same bytes from the same numbers: SVG outlined and editable, PDF, PNG, CSV, text."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, runtime_checkable
from xml.sax.saxutils import escape

from eventstudy.cells import long_csv
from eventstudy.errors import InvalidInput
from eventstudy.figures.recipe import Recipe
from eventstudy.figures.sheet import LAYERS
from eventstudy.figures.style import DPI, other_settings
from eventstudy.files import write_whole
from eventstudy.wording import inert, round_significant

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

#: Colours in a PNG: a chart has few, and a palette of them takes a third of the room.
_PNG_COLOURS = 128
#: Where matplotlib writes its style sheet.
_SHEET = '<style type="text/css">'
#: A thing drawn on the figure itself, as matplotlib writes it: named by role and number, two spaces in.
_THING = re.compile(r'^  <g id="([a-z]+)-\d+">\n.*?^  </g>\n', re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"[\w][\w.+-]*")


@runtime_checkable
class Drawn(Protocol):
    """What can be written to files: a drawn figure with its recipe. `HouseFigure` is one."""

    recipe: Recipe
    size_name: str

    def at_size(self, size: str) -> Drawn:
        """Return the same figure laid out anew for another preset."""

    def get_size_inches(self) -> np.ndarray:
        """Return width and height."""

    def savefig(self, fname: IO[bytes], *, format: str, dpi: float, metadata: dict[str, str | None]) -> None:  # noqa: A002 - matplotlib's word
        """Write the figure in one of matplotlib's formats."""


def drawn_here(figure: Figure | Drawn) -> Drawn:
    """Return a figure that has a recipe; refuse any other."""
    if not isinstance(figure, Drawn):
        raise InvalidInput(
            f"A {type(figure).__name__} carries no words and numbers; give a figure made by eventstudy.figures."
        )
    return figure


def _rendered(figure: Drawn, form: str, metadata: dict[str, str | None], dpi: float = 72) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=form, dpi=dpi, metadata=metadata)
    return stream.getvalue()


def png_bytes(figure: Figure | Drawn, dots: int = 2) -> bytes:
    """Return a figure as PNG with one or two dots a pixel, the alternative text inside."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    house = drawn_here(figure)
    words, resolution = house.recipe.shown_words, dots * DPI
    picture = Image.open(io.BytesIO(_rendered(house, "png", {"Software": None}, resolution))).convert("RGB")
    picture = picture.quantize(_PNG_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    meta = PngInfo()
    meta.add_itxt("Title", words.title)
    meta.add_itxt("Description", words.alt)
    stream = io.BytesIO()
    picture.save(stream, "png", optimize=True, dpi=(resolution, resolution), pnginfo=meta)
    return stream.getvalue()


def svg_bytes(figure: Figure | Drawn, *, editable: bool = False) -> bytes:
    """Return a figure as SVG with title, description and the role of an image.

    Parameters
    ----------
    figure : HouseFigure
        The figure.
    editable : bool
        Text as text in named groups, for an editor; else as outlines, the same on every screen.
    """
    house = drawn_here(figure)
    words, facts, rights = house.recipe.shown_words, house.recipe.facts, house.recipe.style.rights
    meta: dict[str, str | None] = {"Date": None, "Creator": None, "Format": None, "Type": None}
    meta |= {"Rights": rights} if rights else {}
    text = _editable(house, meta) if editable else _rendered(house, "svg", meta).decode("utf-8")
    said = f"{words.title}\n{words.alt}\n{house.size_name}\n{facts.mark}\n{editable}"
    mark = hashlib.sha256(said.encode()).hexdigest()[:10]
    start = text.index("<svg ")
    end = text.index(">", start)
    access = f' role="img" aria-labelledby="title-{mark} desc-{mark}"'
    head = f'<title id="title-{mark}">{escape(words.title)}</title><desc id="desc-{mark}">{escape(words.alt)}</desc>'
    return f"{text[:end]}{access}>\n {head}{text[end + 1 :]}".encode()


def _editable(figure: Drawn, metadata: dict[str, str | None]) -> str:
    """Return a figure as SVG whose text can be edited, in groups ``title``, ``label``, ``data``, ``grid`` and so on.

    Text is set in the house font by its name. Browsers find the font inside the file; an editor wants it installed,
    and takes another where it is not.
    """
    with other_settings({"svg.fonttype": "none"}):
        text = _rendered(figure, "svg", metadata).decode("utf-8")
    style = figure.recipe.style
    text = text.replace(f"font-family: '{style.family}'", f"font-family: '{style.family}', sans-serif")
    faces = "".join(_face(style.family, weight, file) for weight, file in ((400, style.regular), (600, style.semibold)))
    return _grouped(text.replace(_SHEET, _SHEET + faces, 1))


def _face(family: str, weight: int, file: Path) -> str:
    source = f"url(data:font/woff;base64,{_woff(file, file.stat().st_mtime_ns)}) format('woff')"
    return f"@font-face{{font-family:'{family}';font-weight:{weight};src:{source}}}"


@lru_cache(maxsize=8)
def _woff(file: Path, changed: int) -> str:
    """Return a font as WOFF in base64: the same tables, packed; ``changed`` is when the file was written."""
    from fontTools.ttLib import TTFont

    stream = io.BytesIO()
    with TTFont(file, lazy=True, recalcTimestamp=False) as font:
        font.flavor = "woff"
        font.save(stream, reorderTables=None)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _grouped(text: str) -> str:
    """Return the SVG with neighbours of one role inside a group of that name."""
    out: list[str] = []
    at = 0
    used: dict[str, int] = {}
    for role, run in groupby(_THING.finditer(text), key=lambda m: m.group(1)):
        first, *others = run
        last = others[-1] if others else first
        if role not in LAYERS:
            continue
        used[role] = used.get(role, 0) + 1
        name = role if used[role] == 1 else f"{role}.{used[role]}"
        out += [text[at : first.start()], f'  <g id="{name}">\n', text[first.start() : last.end()], "  </g>\n"]
        at = last.end()
    return "".join([*out, text[at:]])


def pdf_bytes(figure: Figure | Drawn) -> bytes:
    """Return a figure as PDF with embedded TrueType fonts, the alternative text as its subject."""
    house = drawn_here(figure)
    words = house.recipe.shown_words
    meta = {"CreationDate": None, "Creator": None, "Producer": None}
    said = {"Title": words.title, "Subject": words.alt, "Keywords": house.recipe.facts.mark or None}
    return _rendered(house, "pdf", {**meta, **said})


def csv_text(figure: Figure | Drawn) -> str:
    """Return the plotted numbers as CSV."""
    return table_csv(drawn_here(figure).recipe.data)


def table_csv(table: pd.DataFrame) -> str:
    """Return numbers as CSV, at most ten significant digits each; text that a spreadsheet would run is made inert."""
    found = long_csv(table, general=False)
    if found is not None:
        return found
    kept = table.copy()
    for column in kept.columns:
        if kept[column].dtype.kind == "f":
            kept[column] = round_significant(kept[column].to_numpy())
        elif kept[column].dtype.kind not in "iufb":
            kept[column] = kept[column].map(inert)
    return str(kept.to_csv(index=False, lineterminator="\n"))


def alt_text(figure: Figure | Drawn) -> str:
    """Return title, alternative text, note and source as plain text, a line each."""
    words = drawn_here(figure).recipe.shown_words
    lines = (words.title, words.subtitle, words.alt, words.note, words.source)
    return "".join(f"{line}\n" for line in lines if line)


def check_name(name: str) -> None:
    """Refuse what is no plain file name."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"name is {name!r}; give a plain file name without folder and suffix, e.g. 'car'.")


def save(figure: Figure | Drawn, folder: str | os.PathLike[str], name: str) -> list[Path]:
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
