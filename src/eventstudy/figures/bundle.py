"""A figure as a bundle of files for a newsroom, from one drawing: pictures, numbers, a fragment to embed, metadata."""

from __future__ import annotations

import base64
import html
import json
import math
import os
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import InvalidInput
from eventstudy.figures.columns import Column
from eventstudy.figures.formats import Drawn, check_name, drawn_here, pdf_bytes, png_bytes, svg_bytes, table_csv
from eventstudy.figures.style import DPI
from eventstudy.figures.titles import own_words
from eventstudy.files import sha256, write_all
from eventstudy.wording import plural, round_significant

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: The layout of the JSON file.
FORMAT = 1
#: Libraries whose version can change a picture.
LIBRARIES = ("fonttools", "matplotlib", "numpy", "pandas", "pillow")
#: More rows than this are left to the CSV file.
MOST_ROWS = 1000
#: The widest window, in pixels, that gets the phone's layout.
PHONE = 480


def save_bundle(
    figure: Figure | Drawn, folder: str | os.PathLike[str], name: str, *, prices: bool = True
) -> list[Path]:
    """Write a figure as a bundle: pictures, numbers, metadata and a fragment for embedding.

    Parameters
    ----------
    figure : HouseFigure
        What any function of this package returned.
    folder : path
        Made if it is not there.
    name : str
        File name without suffix: letters, digits, ``_``, ``-``, ``+`` and dots.
    prices : bool
        False leaves price levels out of every file, so that only derived numbers are published: returns, abnormal
        returns, intervals, changes in dollars.

    Returns
    -------
    list of Path
        ``car.svg`` (outlined text), ``car-editable.svg`` (text as text, named groups), ``car.pdf``, ``car@1x.png``,
        ``car@2x.png``, ``car.csv`` (the plotted numbers), ``car.html`` (a fragment to embed) and ``car.json`` (words,
        size, parameters, digests, versions, rights, mark). All are new or, after an error, all as before.

    Raises
    ------
    InvalidInput
        If the name is not a plain file name, or the figure is not of this package.
    """
    check_name(name)
    house = drawn_here(figure)
    given = Path(folder)
    if given.exists() and not given.is_dir():
        raise InvalidInput(f"{given} is a file; give the name of a folder, which is made if it is not there.")
    return write_all(given, bundle_contents(house, name, prices=prices))


def bundle_contents(figure: Drawn, name: str, *, prices: bool = True) -> dict[str, bytes]:
    """Return the bundle's files by name, as bytes; see `save_bundle`."""
    recipe = figure.recipe
    table = recipe.data if prices else recipe.data.drop(columns=recipe.price_columns)
    contents = {
        f"{name}.svg": svg_bytes(figure),
        f"{name}-editable.svg": svg_bytes(figure, editable=True),
        f"{name}.pdf": pdf_bytes(figure),
        f"{name}@1x.png": png_bytes(figure, 1),
        f"{name}@2x.png": png_bytes(figure, 2),
        f"{name}.csv": table_csv(table).encode(),
        f"{name}.html": embed_html(figure, name, table).encode(),
    }
    return {**contents, f"{name}.json": metadata_json(figure, table, contents).encode()}


# -- The fragment of HTML: the picture, its words as text, and its numbers as a table.


def embed_html(figure: Drawn, name: str, table: pd.DataFrame) -> str:
    """Return a figure as a ``<figure>`` to paste into a page; ``name`` is the bundle's, which holds the rest of a long table."""
    recipe = figure.recipe
    words, mark = recipe.shown_words, recipe.facts.mark
    width, height = (round(v * DPI) for v in figure.get_size_inches())
    small = ""
    if figure.size_name == "article":
        small = f'<source media="(max-width: {PHONE}px)" srcset="{_picture(figure.at_size("phone"))}">\n'
    caption = " ".join(part for part in (mark and f"{mark}:", words.title.rstrip("."))).strip() + "."
    said = " ".join(part for part in (caption, words.note, words.source, recipe.style.rights) if part)
    return (
        f'<figure class="eventstudy-figure" lang="en" style="margin:0;max-width:{width}px">\n<picture>\n{small}'
        f'<img src="{_picture(figure)}" alt="{_safe(words.alt)}" width="{width}" height="{height}" '
        'style="display:block;width:100%;height:auto">\n</picture>\n'
        f"<figcaption>{_safe(said)}</figcaption>\n"
        f"{_numbers(words.title, name, table, [recipe.columns[c] for c in table.columns])}</figure>\n"
    )


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


def _picture(figure: Drawn) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg_bytes(figure)).decode("ascii")


def _numbers(title: str, name: str, table: pd.DataFrame, columns: list[Column]) -> str:
    """Return the plotted numbers as a table to unfold, its first rows if there are many."""
    head = "".join(f'<th scope="col">{_safe(column.heading)}</th>' for column in columns)
    lines = []
    for row in table.head(MOST_ROWS).itertuples(index=False):
        first, *rest = (_safe(column.text(value)) for column, value in zip(columns, row, strict=True))
        lines.append(f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>\n")
    more = ""
    if len(table) > MOST_ROWS:
        more = f"<p>The first {MOST_ROWS} of {len(table)} rows; all are in {_safe(name)}.csv.</p>\n"
    label = _safe(f"Numbers: {title}")
    return (
        f"<details>\n<summary>Numbers in this figure ({plural(len(table), 'row')})</summary>\n"
        f'<div role="region" aria-label="{label}" tabindex="0" style="overflow-x:auto">\n<table>\n<caption>{_safe(title)}</caption>\n'
        f'<thead><tr>{head}</tr></thead>\n<tbody style="white-space:nowrap">\n{"".join(lines)}</tbody>\n</table>\n</div>\n'
        f"{more}</details>\n"
    )


# -- The metadata: words, size, how the numbers were made, digests, versions.


def metadata_json(figure: Drawn, table: pd.DataFrame, files: dict[str, bytes]) -> str:
    """Return a figure's metadata as JSON text."""
    recipe = figure.recipe
    words, facts, style = recipe.shown_words, recipe.facts, recipe.style
    columns, own = {str(c): recipe.columns[str(c)] for c in table.columns}, list(own_words(recipe))
    content = {
        "format": FORMAT,
        "figure": facts.kind,
        "title": words.title,
        "title_checked": "title" not in own,
        "own_words": own,
        "subtitle": words.subtitle,
        "note": words.note,
        "source": words.source,
        "alt": words.alt,
        "mark": facts.mark,
        "embargo_until": facts.embargo_until,
        "rights": style.rights,
        "size": _size(figure),
        "parameters": {k: _plain(v) for k, v in facts.parameters.items()},
        "columns": {name: {"meaning": c.meaning, "unit": c.unit.name} for name, c in columns.items()},
        "prices": _prices(recipe.price_columns, table),
        "inputs": {"numbers": sha256(table_csv(table).encode()), "style": style.digest, **facts.inputs},
        "versions": versions(),
        "files": {name: sha256(content) for name, content in files.items()},
    }
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _size(figure: Drawn) -> dict[str, object]:
    width, height = (float(v) for v in figure.get_size_inches())
    pixels = {f"{k}_px": round(v * DPI, 1) for k, v in (("width", width), ("height", height))}
    millimetres = {f"{k}_mm": round(v * 25.4, 1) for k, v in (("width", width), ("height", height))}
    return {"name": figure.size_name, **pixels, **millimetres}


def _prices(columns: list[str], table: pd.DataFrame) -> str:
    """Return whether a figure's price levels are among the numbers written."""
    if not columns:
        return "none"
    return "included" if set(columns) <= set(table.columns) else "left out"


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return float(round_significant(value)) if math.isfinite(value) else None
    return value if isinstance(value, str | int) or value is None else str(value)


def versions() -> dict[str, str]:
    """Return the versions of what can change a picture."""
    from matplotlib import ft2font

    # the root package imports this one; by now it is there
    own = str(import_module("eventstudy").__version__)
    found = {name: version(name) for name in LIBRARIES}
    return {"eventstudy": own, **found, "freetype": ft2font.__freetype_version__}
