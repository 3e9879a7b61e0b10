"""SVG for editors: text as text, and everything of one role in one named group."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from eventstudy.errors import InvalidInput
from eventstudy.figures.layout import png_of, rendered
from eventstudy.figures.sheet import LAYERS, codebook, formatter, heading
from eventstudy.figures.style import DPI, other_settings
from eventstudy.files import sha256, write_whole
from eventstudy.wording import inert, round_significant

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.figure import Figure

    from eventstudy.figures.figure import HouseFigure

#: Where matplotlib writes its style sheet.
_SHEET = '<style type="text/css">'
#: A thing drawn on the figure itself, as matplotlib writes it: named by role and number, two spaces in.
_THING = re.compile(r'^  <g id="([a-z]+)-\d+">\n.*?^  </g>\n', re.MULTILINE | re.DOTALL)


def editable_svg(figure: HouseFigure, metadata: dict[str, str | None]) -> str:
    """Return a figure as SVG whose text can be edited, in groups ``title``, ``label``, ``data``, ``grid`` and so on.

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


# -- Figures as bytes and files: the same bytes from the same numbers.


NAME = re.compile(r"[\w][\w.+-]*")


def house_figure(figure: Figure) -> HouseFigure:
    """Return a figure as what it is, if it is one of this package."""
    from eventstudy.figures.figure import HouseFigure

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
    """Refuse what is no plain file name."""
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


# -- A figure as a fragment of HTML: the picture, its words as text, and its numbers as a table.


#: More rows than this are left to the CSV file.
MOST_ROWS = 1000
#: The widest window, in pixels, that gets the phone's layout.
PHONE = 480


def embed_html(figure: HouseFigure, name: str, table: pd.DataFrame) -> str:
    """Return a figure as a ``<figure>`` to paste into a page.

    Parameters
    ----------
    name : str
        Name of the bundle, for the sentence that says where the rest of a long table is.
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


# -- Several files written as one: all new, or all as they were.


def write_together(folder: Path, contents: Mapping[str, bytes | str]) -> list[Path]:
    """Write files into a folder so that a failure leaves none of them changed.

    Notes
    -----
    All are written and flushed in a hidden folder beside their places and then renamed one by one; if a rename fails,
    those done are taken back. A process killed between two renames leaves whole files, of which some are new: the
    last file named should tell, by digests, which belong together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(dir=folder, prefix=".bundle-"))
    try:
        for name, content in contents.items():
            write_whole(stage / "new" / name, content)
        _switch(folder, stage, list(contents))
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [folder / name for name in contents]


def _switch(folder: Path, stage: Path, names: list[str]) -> None:
    """Rename the new files into place, keeping copies of the old ones until all are there."""
    old = stage / "old"
    old.mkdir()
    done: list[str] = []
    try:
        for name in names:
            if (folder / name).exists():
                shutil.copy2(folder / name, old / name)
            done.append(name)
            os.replace(stage / "new" / name, folder / name)
    except BaseException:
        for name in done:
            if (old / name).exists():
                os.replace(old / name, folder / name)
            elif not (stage / "new" / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise


# -- A figure as a bundle of files for a newsroom, from one drawing, byte for byte the same.


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
    """Return a figure's metadata as JSON text."""
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
