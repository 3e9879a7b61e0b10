"""An executed notebook as HTML: code folded, charts with alternative text, nothing of this machine."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

_TEMPLATE = """
{%- extends 'basic/index.html.j2' -%}
{% block input_group %}<details class="code"><summary>Code</summary>{{ super() }}</details>{% endblock %}
{% block in_prompt %}{% endblock %}
{% block output_prompt %}{% endblock %}
{% block empty_in_prompt %}{% endblock %}
"""
_ALT = re.compile(r"^\s*#\s*alt:\s*(?P<words>.+)$", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}\s+(?P<words>.+?)\s*#*$", re.MULTILINE)
_IMAGES = ("image/png", "image/jpeg")
#: What matplotlib says when it meets a new home folder; it is no output of the notebook.
_CACHE_TALK = re.compile(
    r"^.*Matplotlib (?:is building the font cache|created a temporary cache directory).*\n?", re.MULTILINE
)


def to_html(notebook: NotebookNode) -> str:
    """Return the body of an executed notebook's page.

    Parameters
    ----------
    notebook : NotebookNode
        With outputs; its cells gain alternative texts.

    Returns
    -------
    str
        HTML as the template ``basic`` has it; `eventstudy.report.accessible` orders its headings.
    """
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    notebook.cells = [c for c in notebook.cells if "hidden" not in c.metadata.get("tags", [])]
    _free_dollars(notebook)
    _drop_twins(notebook)
    describe_charts(notebook)
    _drop_cache_talk(notebook)
    exporter = HTMLExporter(
        template_name="basic",
        template_file="folded.html.j2",
        extra_loaders=[DictLoader({"folded.html.j2": _TEMPLATE})],
    )
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    exporter.embed_images = True
    body, _ = exporter.from_notebook_node(notebook)
    return str(body)


#: Code, in which a dollar sign is one anyway; a formula, as Pandoc has it; and any other dollar sign.
_DOLLARS = re.compile(
    r"(?P<kept>(?s:```.*?```|~~~.*?~~~)|`+[^`]*`+|\$\$(?s:.+?)\$\$|\$(?=\S)(?:[^$\\\n]|\\.)+?(?<=\S)\$(?!\d)|\\\$)|(?P<sum>\$)"
)


def _free_dollars(notebook: NotebookNode) -> None:
    """Write dollar signs of sums so that two of them are no formula, in which bold words would be lost."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _DOLLARS.sub(lambda m: m["kept"] or "&#36;", cell.source)


def describe_charts(notebook: NotebookNode) -> None:
    """Give every picture an alternative text: the cell's comment ``# alt: …``, its metadata ``alt``, or where it stands."""
    heading, place = "", 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = _HEADING.findall(cell.source)
            heading = found[-1] if found else heading
            continue
        outputs = cell.get("outputs", [])
        if not any(kind in o.get("data", {}) for o in outputs for kind in _IMAGES):
            continue
        place += 1
        said = _ALT.search(cell.source)
        if said:
            cell.metadata["alt"] = said["words"].strip()
        elif not cell.metadata.get("alt"):
            under = f" under “{heading}”" if heading else ""
            cell.metadata["alt"] = f"Chart {place} of this notebook{under}, drawn by the code folded above it."


def _drop_twins(notebook: NotebookNode) -> None:
    """Show a picture once that a cell shows twice: a matplotlib figure as its last value is drawn again at the cell's end."""
    for cell in notebook.cells:
        seen: set[str] = set()
        for output in list(cell.get("outputs", [])):
            pictures = {str(data) for kind, data in output.get("data", {}).items() if kind in _IMAGES}
            if pictures and pictures <= seen:
                cell.outputs.remove(output)
            seen |= pictures


def _drop_cache_talk(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("output_type") == "stream" and output.get("name") == "stderr":
                output["text"] = _CACHE_TALK.sub("", output["text"])
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell.outputs if o.get("output_type") != "stream" or o.get("text")]


def scrubbed(text: str, roots: Sequence[Path] = ()) -> str:
    """Take out what changes from run to run and from machine to machine: addresses, temporary files, folders.

    Parameters
    ----------
    text : str
        HTML.
    roots : sequence of Path
        Folders of the study and the notebook; they become ``.``.
    """
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    temporary = re.escape(tempfile.gettempdir())
    text = re.sub(rf"(?:/tmp|{temporary})/ipykernel_\d+/\d+\.py", "cell", text)
    named = [(Path(sys.prefix), "python"), *((p.resolve(), ".") for p in roots), (Path.home(), "~")]
    for folder, name in sorted(named, key=lambda pair: -len(str(pair[0]))):
        if len(folder.parts) > 2:
            text = re.sub(rf"{re.escape(str(folder))}(?=[/\"'\s&<:)])", name, text)
    return text


def without_colour(text: str) -> str:
    """Return text without the codes that colour a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
