"""A figure as a bundle of files for a newsroom, from one drawing, byte for byte the same."""

from __future__ import annotations

import json
import math
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import InvalidInput
from eventstudy.figures.columns import codebook
from eventstudy.figures.embed import embed_html
from eventstudy.figures.files import check_name, house_figure, pdf_bytes, png_bytes, svg_bytes, table_csv
from eventstudy.figures.style import DPI
from eventstudy.figures.together import write_together
from eventstudy.files import sha256
from eventstudy.numbers import round_significant

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.figure import Figure

    from eventstudy.figures.house import HouseFigure

#: The layout of the JSON file.
FORMAT = 1
#: Libraries whose version can change a picture.
LIBRARIES = ("fonttools", "matplotlib", "numpy", "pandas", "pillow")


def save_bundle(figure: Figure, folder: str | os.PathLike[str], name: str, *, prices: bool = True) -> list[Path]:
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
    house = house_figure(figure)
    given = Path(folder)
    if given.exists() and not given.is_dir():
        raise InvalidInput(f"{given} is a file; give the name of a folder, which is made if it is not there.")
    return write_together(given, bundle_contents(house, name, prices=prices))


def bundle_contents(figure: HouseFigure, name: str, *, prices: bool = True) -> dict[str, bytes]:
    """Return the bundle's files by name, as bytes; see `save_bundle`."""
    table = figure.data if prices else figure.data.drop(columns=list(figure.facts.price_columns))
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


def metadata_json(figure: HouseFigure, table: pd.DataFrame, files: dict[str, bytes]) -> str:
    """Return a figure's metadata as JSON text.

    Parameters
    ----------
    figure : HouseFigure
        The figure.
    table : DataFrame
        The numbers that are published with it.
    files : dict of str to bytes
        The other files of the bundle, whose digests tell whether they belong together.
    """
    words, facts, style = figure.words, figure.facts, figure.recipe.style
    width, height = (float(v) for v in figure.get_size_inches())
    there = [c for c in facts.price_columns if c in figure.data]
    content = {
        "format": FORMAT,
        "figure": facts.kind,
        "title": words.title,
        "title_checked": not facts.unchecked,
        "subtitle": words.subtitle,
        "note": words.note,
        "source": words.source,
        "alt": words.alt,
        "mark": facts.mark,
        "embargo_until": facts.embargo_until,
        "rights": style.rights,
        "size": {
            "name": figure.size_name,
            **{f"{k}_px": round(v * DPI, 1) for k, v in (("width", width), ("height", height))},
            **{f"{k}_mm": round(v * 25.4, 1) for k, v in (("width", width), ("height", height))},
        },
        "parameters": {k: _plain(v) for k, v in facts.parameters.items()},
        "columns": codebook([str(c) for c in table.columns], facts.kind),
        "prices": "none" if not there else "included" if set(there) <= set(table.columns) else "left out",
        "inputs": {"numbers": sha256(table_csv(table).encode()), "style": style.digest, **facts.inputs},
        "versions": versions(),
        "files": {name: sha256(content) for name, content in files.items()},
    }
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


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
    return {
        "eventstudy": own,
        **found,
        "freetype": ft2font.__freetype_version__,
    }
