"""SVG for editors: text as text, and everything of one role in one named group."""

from __future__ import annotations

import base64
import io
import re
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.figures.raster import rendered
from eventstudy.figures.sheet import LAYERS
from eventstudy.figures.style import other_settings

if TYPE_CHECKING:
    from eventstudy.figures.house import HouseFigure

#: Where matplotlib writes its style sheet.
_SHEET = '<style type="text/css">'
#: A thing drawn on the figure itself, as matplotlib writes it: named by role and number, two spaces in.
_THING = re.compile(r'^  <g id="([a-z]+)-\d+">\n.*?^  </g>\n', re.MULTILINE | re.DOTALL)


def editable_svg(figure: HouseFigure, metadata: dict[str, str | None]) -> str:
    """Return a figure as SVG whose text can be edited, in groups ``title``, ``label``, ``data``, ``grid`` and so on.

    Parameters
    ----------
    figure : HouseFigure
        The figure.
    metadata : dict
        As `raster.rendered` takes it.

    Returns
    -------
    str
        Text is set in the house font by its name. Browsers find the font inside the file; an editor wants it
        installed, and takes another where it is not.
    """
    with other_settings({"svg.fonttype": "none"}):
        text = rendered(figure, "svg", metadata, 72).decode("utf-8")
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
    things = list(_THING.finditer(text))
    out: list[str] = []
    at = 0
    used: dict[str, int] = {}
    for role, run in groupby(things, key=lambda m: m.group(1)):
        members = list(run)
        if role not in LAYERS:
            continue
        used[role] = used.get(role, 0) + 1
        name = role if used[role] == 1 else f"{role}.{used[role]}"
        out += [text[at : members[0].start()], f'  <g id="{name}">\n']
        out += [text[members[0].start() : members[-1].end()], "  </g>\n"]
        at = members[-1].end()
    return "".join([*out, text[at:]])
