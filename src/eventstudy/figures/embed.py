"""A figure as a fragment of HTML: the picture, its words as text, and its numbers as a table."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from typing import TYPE_CHECKING

from eventstudy.figures.columns import formatter, heading
from eventstudy.figures.files import svg_bytes
from eventstudy.figures.style import DPI

if TYPE_CHECKING:
    import pandas as pd

    from eventstudy.figures.house import HouseFigure

#: More rows than this are left to the CSV file.
MOST_ROWS = 1000
#: The widest window, in pixels, that gets the phone's layout.
PHONE = 480


def embed_html(figure: HouseFigure, name: str, table: pd.DataFrame) -> str:
    """Return a figure as a ``<figure>`` to paste into a page.

    Parameters
    ----------
    figure : HouseFigure
        The figure; one laid out for an article brings the phone's layout along.
    name : str
        Name of the bundle, for the sentence that says where the rest of a long table is.
    table : DataFrame
        The numbers to publish.

    Returns
    -------
    str
        HTML without script, identifiers or outside files; every text escaped.
    """
    words, facts, rights = figure.words, figure.facts, figure.recipe.style.rights
    width, height = (round(v * DPI) for v in figure.get_size_inches())
    small = ""
    if figure.size_name == "article":
        small = f'<source media="(max-width: {PHONE}px)" srcset="{_data(figure.at_size("phone"))}">\n'
    caption = " ".join(part for part in (facts.mark and f"{facts.mark}:", words.title.rstrip("."))).strip() + "."
    said = " ".join(part for part in (caption, words.note, words.source, rights) if part)
    return (
        f'<figure class="eventstudy-figure" lang="en" style="margin:0;max-width:{width}px">\n<picture>\n{small}'
        f'<img src="{_data(figure)}" alt="{_safe(words.alt)}" width="{width}" height="{height}" '
        'style="display:block;width:100%;height:auto">\n</picture>\n'
        f"<figcaption>{_safe(said)}</figcaption>\n{_details(words.title, name, table, facts.kind)}</figure>\n"
    )


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


def _data(figure: HouseFigure) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg_bytes(figure)).decode("ascii")


def _details(title: str, name: str, table: pd.DataFrame, kind: str) -> str:
    shown = table.head(MOST_ROWS)
    forms: dict[str, Callable[[object], str]] = {c: formatter(c, kind) for c in table.columns}
    head = "".join(f'<th scope="col">{_safe(heading(str(c)))}</th>' for c in table.columns)
    lines = []
    for row in shown.itertuples(index=False):
        first, *rest = (_safe(forms[c](value)) for c, value in zip(table.columns, row, strict=True))
        lines.append(f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>\n")
    more = f"<p>The first {MOST_ROWS} of {len(table)} rows; all are in {_safe(name)}.csv.</p>\n"
    label = _safe(f"Numbers: {title}")
    return (
        f"<details>\n<summary>Numbers in this figure ({len(table)} row{'s' * (len(table) != 1)})</summary>\n"
        f'<div role="region" aria-label="{label}" tabindex="0" style="overflow-x:auto">\n<table>\n<caption>{_safe(title)}</caption>\n'
        f'<thead><tr>{head}</tr></thead>\n<tbody style="white-space:nowrap">\n{"".join(lines)}</tbody>\n</table>\n</div>\n'
        f"{more if len(table) > MOST_ROWS else ''}</details>\n"
    )
