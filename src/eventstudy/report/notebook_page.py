"""An executed notebook as a page: code folded, charts and tables with names, headings in order, nothing of this machine.

What runs or loads in a browser is left out unless the study trusts its notebooks, what is too large is cut; both are told.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventstudy.report.page import templates
from eventstudy.report.safe_html import TRUSTING_POLICY, left_out, safe, svg_image
from eventstudy.report.story import notebook_title
from eventstudy.studyfile.spec import StudySpec
from eventstudy.wording import listed, printable

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from nbformat import NotebookNode


def notebook_page(spec: StudySpec, path: Path, body: str, mark: str = "") -> str:
    """Return an executed notebook as one self-contained page in the report's style."""
    title = notebook_title(path)
    trusted = spec.trust_notebooks
    whole = accessible(body, title)
    page = (
        templates()
        .get_template("notebook.html.j2")
        .render(
            study=spec.title,
            title=title,
            body=whole if trusted else safe(whole),
            left_out="" if trusted else listed(left_out(body)),
            mark=mark,
            policy=TRUSTING_POLICY if trusted else "",
        )
    )
    return printable(page)


# -- From a notebook to HTML.


_TEMPLATE = """
{%- extends 'basic/index.html.j2' -%}
{% block input_group %}<details class="code"><summary>Code</summary>{{ super() }}</details>{% endblock %}
{% block in_prompt %}{% endblock %}
{% block output_prompt %}{% endblock %}
{% block empty_in_prompt %}{% endblock %}
{% block output_group %}{{ super() }}{% if cell.metadata.get('cut') %}<p class="note" role="note">{{ cell.metadata['cut'] | escape_html }}</p>{% endif %}{% endblock %}
{% block data_svg %}<div class="output_svg output_subarea">{{ output.data['image/svg+xml'] | svg_image(cell.metadata.get('alt', '')) }}</div>{% endblock %}
"""
_ALT = re.compile(r"^\s*#\s*alt:\s*(?P<words>.+)$", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}\s+(?P<words>.+?)\s*#*$", re.MULTILINE)
_IMAGES = ("image/png", "image/jpeg", "image/svg+xml")
#: What matplotlib says when it meets a new home folder; it is no output of the notebook.
_CACHE_TALK = re.compile(
    r"^.*Matplotlib (?:is building the font cache|created a temporary cache directory).*\n?", re.MULTILINE
)


def to_html(notebook: NotebookNode, folder: Path | None = None) -> str:
    """Return the body of an executed notebook's page; pictures that its words name are taken from its folder."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    for cell in notebook.cells:
        cut_outputs(cell)
    notebook.cells = [c for c in notebook.cells if "hidden" not in c.metadata.get("tags", [])]
    _free_dollars(notebook)
    _drop_twins(notebook)
    describe_charts(notebook)
    _drop_cache_talk(notebook)
    exporter = HTMLExporter(
        template_name="basic",
        template_file="folded.html.j2",
        extra_loaders=[DictLoader({"folded.html.j2": _TEMPLATE})],
        filters={"svg_image": svg_image},
    )
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    exporter.embed_images = True
    body, _ = exporter.from_notebook_node(notebook, {"metadata": {"path": str(folder)}} if folder else None)
    return str(body)


# -- How much of what a cell gives is shown.


#: Most characters of text, and most bytes of pictures, that a page shows of one cell.
TEXT_LIMIT, PICTURE_LIMIT = 1_000_000, 5_000_000
#: The metadata of a cell that hold what was left out while it ran: characters of text, bytes of pictures.
LEFT_OUT = "left_out"
#: What an output costs beside its text: the page's own words around it.
_AROUND = 100
#: What is shown of an output that comes in several kinds: the first of these.
_SCRIPT = "application/javascript"
_SHOWN = (_SCRIPT, "text/html", "text/markdown", "image/svg+xml", "text/latex", *_IMAGES, "text/plain")
_HELD = re.compile(r"data:image/[^\"'\s)>]+")


class Allowance:
    """What a cell may still show, and what of it had to be left out.

    Used while a notebook runs, so that nothing large is kept, and again on what it left.
    """

    def __init__(self) -> None:
        self.text, self.pictures = TEXT_LIMIT, PICTURE_LIMIT
        self.cut_text = self.cut_pictures = 0

    @property
    def words(self) -> str:
        """What was left out; empty if nothing was."""
        cut = {"text": self.cut_text, "pictures": self.cut_pictures}
        sizes = [f"{f'{n / 1e6:.1f} MB' if n >= 50_000 else f'{n:,} bytes'} of {what}" for what, n in cut.items() if n]
        limits = f"{TEXT_LIMIT / 1e6:.0f} MB of text and {PICTURE_LIMIT / 1e6:.0f} MB of pictures"
        return f"Cut: {listed(sizes)} left out here; a page shows up to {limits} of a cell." if sizes else ""

    def fit(self, output: MutableMapping[str, Any]) -> None:
        """Shorten an output, or the message that brings it, to what may still be shown."""
        for key in ("text", "evalue"):
            if isinstance(output.get(key), str):
                output[key] = self._shown(output[key])
        if "traceback" in output:
            output["traceback"] = [self._shown(line) for line in output["traceback"]]
        if isinstance(output.get("data"), dict):
            output["data"] = self._one_kind(output["data"])

    def _shown(self, text: str) -> str:
        kept = text[: self.text]
        self.text -= len(kept)
        self.cut_text += len(text) - len(kept)
        return kept

    def _one_kind(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the kind of an output that is shown, or one that is small enough."""
        self._shown(" " * min(_AROUND, self.text))
        for kind in (k for k in _SHOWN if isinstance(data.get(k), str)):
            content = data[kind]
            held = [m.span() for m in _HELD.finditer(content)] if kind != "text/plain" else []
            size = sum(end - start for start, end in held)
            if kind in _IMAGES:
                size = len(content)
            if size * 3 // 4 > self.pictures:
                self.cut_pictures += size * 3 // 4
                continue
            self.pictures -= size * 3 // 4
            text = len(content) - size
            if text <= self.text:
                self.text -= text
                return {kind: content}
            self.cut_text += text - self.text
            if held or kind == _SCRIPT:  # half of it would be nothing
                continue
            start, self.text = self.text, 0
            if start == 0:
                return {}
            # half an element is closed, so that it takes nothing in that follows
            return {kind: safe(content[:start]) if kind == "text/html" else content[:start]}
        return {}


def cut_outputs(cell: NotebookNode) -> None:
    """Cut what a cell shows at the limit, and say so in its metadata ``cut``."""
    allowance = Allowance()
    allowance.cut_text, allowance.cut_pictures = cell.metadata.pop(LEFT_OUT, (0, 0))
    for output in cell.get("outputs", []):
        allowance.fit(output)
    if "outputs" in cell:
        cell["outputs"] = [o for o in cell.outputs if o.get("output_type") == "error" or o.get("text") or o.get("data")]
    if allowance.words:
        cell.metadata["cut"] = allowance.words


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
    """Take out what changes from run to run and from machine to machine: addresses, temporary files, folders."""
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


# -- Fit for keyboards and screen readers.


_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def accessible(body: str, title: str) -> str:
    """Return a notebook's body with what its readers need and notebooks leave out.

    The same text: one ``h1``, no heading level left out, every table with a name and scopes, everything that scrolls in
    reach of the keyboard. Tables are named after the heading that they stand under, and counted if there is more than one.

    Examples
    --------
    >>> accessible("<p>So.</p><h4>Beta</h4>", "Study").splitlines()
    ['<h1>Study</h1>', '<p>So.</p><h2>Beta</h2>']
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(body, "html.parser")
    for link in soup.select("a.anchor-link"):
        link.decompose()
    _order_headings(soup, title)
    names: dict[str, int] = {}
    for table in soup.find_all("table"):
        _name_table(soup, table, names, title)
    for block in soup.find_all("pre"):
        code = block.find_parent("details") is not None
        block.attrs.update(
            {"tabindex": "0", "role": "group", "aria-label": _place("Code" if code else "Output", names)}
        )
    _number_code(soup)
    return str(soup)


def _order_headings(soup: BeautifulSoup, title: str) -> None:
    """Keep the first ``h1``, or add one; no later heading may be an ``h1`` or skip a level."""
    first = soup.find(list(_HEADINGS))
    if first is None or first.name != "h1":
        heading = soup.new_tag("h1")
        heading.string = title
        soup.insert(0, heading)
        soup.insert(1, "\n")
    level = 0
    for heading in soup.find_all(list(_HEADINGS)):
        wanted = int(heading.name[1])
        level = 1 if level == 0 else min(max(wanted, 2), level + 1)
        heading.name = f"h{level}"


def _name_table(soup: BeautifulSoup, table: Tag, names: dict[str, int], title: str) -> None:
    """Give a table a name, scopes and a region that scrolls; pandas' empty header cells become plain cells."""
    heading = table.find_previous(list(_HEADINGS))
    under = heading.get_text(" ", strip=True) if heading is not None else title
    caption = table.find("caption")
    label = _place(caption.get_text(" ", strip=True) if caption is not None else f"Table: {under}", names)
    table.attrs.pop("border", None)
    for cell in table.find_all("th"):
        if not cell.get_text(strip=True):
            cell.name = "td"
        elif "scope" not in cell.attrs:
            cell["scope"] = "col" if cell.find_parent("thead") is not None else "row"
    table["aria-label"] = label
    region = soup.new_tag("div", attrs={"aria-label": label, "class": "scroll", "role": "region", "tabindex": "0"})
    table.wrap(region)


def _place(name: str, names: dict[str, int]) -> str:
    names[name] = names.get(name, 0) + 1
    return name if names[name] == 1 else f"{name} ({names[name]})"


def _number_code(soup: BeautifulSoup) -> None:
    """Say in each fold which cell's code it holds, so that no two of them read the same."""
    for place, summary in enumerate(soup.select("details.code > summary"), start=1):
        summary.string = f"Code of cell {place}"
