"""SVG for editors: text as text, and everything of one role in one named group."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from eventstudy.figures.raster import rendered
from eventstudy.figures.sheet import LAYERS
from eventstudy.figures.style import other_settings

if TYPE_CHECKING:
    from eventstudy.figures.house import HouseFigure

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
        Text is set in the house font by its name; where that is not installed, an editor takes another.
    """
    with other_settings({"svg.fonttype": "none"}):
        text = rendered(figure, "svg", metadata, 72).decode("utf-8")
    family = figure.recipe.style.family
    return _grouped(text.replace(f"font-family: '{family}'", f"font-family: '{family}', sans-serif"))


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
