"""A notebook's HTML made fit for keyboards and screen readers: headings in order, tables and outputs with names."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import figures
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.figures.style import FONTS
from eventstudy.report.exhibits import Chart, ReportTable
from eventstudy.report.findings import Findings
from eventstudy.report.story import notebook_title, report_content
from eventstudy.studyfile.spec import StudySpec

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from jinja2 import Environment
    from markupsafe import Markup

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def accessible(body: str, title: str) -> str:
    """Return a notebook's body with what its readers need and notebooks leave out.

    Returns
    -------
    str
        The same text: one ``h1``, no heading level left out, every table with a name and scopes, everything that
        scrolls in reach of the keyboard.

    Notes
    -----
    Tables are named after the heading that they stand under, and counted if there is more than one.

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


# -- The page of a report: one self-contained file, readable on a phone, on paper, in the dark and aloud.


_SIGNED = re.compile(r"[−+]\$?\d[\d.,]*(?:bn|%)?")


@lru_cache(maxsize=1)
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("eventstudy.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["whole_numbers"] = _whole_numbers
    found.filters["css_text"] = _css_text
    return found


def _whole_numbers(text: str) -> Markup:
    """Return text as HTML in which a line never breaks between a sign, its number and its unit."""
    from markupsafe import Markup, escape

    return Markup(_SIGNED.sub(r'<span class="n">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped before


def _css_text(text: str) -> Markup:
    """Return text as a CSS string in which nothing can end the string or the style."""
    from markupsafe import Markup

    inert = "".join(c if c.isalnum() or c in " .,:+-−" else f"\\{ord(c):06x}" for c in text)
    return Markup(f'"{inert}"')  # noqa: S704 - every character that CSS or HTML reads is written as its number


def _data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")


def _pictures(charts: Sequence[Chart]) -> dict[str, dict[str, str]]:
    return {
        c.name: {
            "article": _data_uri(c.article_svg),
            "phone": _data_uri(figures.svg_bytes(c.phone)),
            "width": f"{c.article.get_figwidth() * 96:.0f}",
            "height": f"{c.article.get_figheight() * 96:.0f}",
        }
        for c in charts
    }


def report_page(
    f: Findings,
    charts: Sequence[Chart],
    tables: Sequence[ReportTable],
    corrections: Sequence[Mapping[str, str]] = (),
    mark: str = "",
) -> str:
    """Return the report as one HTML file without scripts and without outside requests.

    Parameters
    ----------
    mark : str
        ``DRAFT`` or the like, shown above everything and on each printed sheet; empty for a report that may be
        published.
    """
    content = report_content(f, charts, tables, corrections, mark)
    return _templates().get_template("report.html.j2").render(**content, pictures=_pictures(charts), pdf=f.spec.pdf)


def notebook_page(spec: StudySpec, path: Path, body: str, mark: str = "") -> str:
    """Return an executed notebook as one self-contained page in the report's style."""
    title = notebook_title(path)
    template = _templates().get_template("notebook.html.j2")
    return template.render(study=spec.title, title=title, body=accessible(body, title), mark=mark)


# -- The report on paper: a tagged PDF, the same bytes every time, set by typst.


FILE = "report.pdf"
_LAYOUT = Path(__file__).parent / "templates" / "report.typ"


def require_pdf_tools() -> None:
    """Raise `DataMissing` if the extra ``pdf`` is not installed."""
    try:
        import typst
    except ImportError as error:
        raise DataMissing(
            "typst is not installed, and the study file says pdf = true: pip install 'eventstudy-finance[pdf]', or set "
            "pdf = false."
        ) from error
    del typst


def report_pdf(
    f: Findings,
    charts: Sequence[Chart],
    tables: Sequence[ReportTable],
    corrections: Sequence[Mapping[str, str]] = (),
    mark: str = "",
) -> bytes:
    """Return the report as a PDF with the content of the page, tagged after PDF/UA-1.

    Returns
    -------
    bytes
        With title, language, headings, real tables and alternative texts; without a date, so that the same report
        has the same bytes.

    Notes
    -----
    Only fonts of this package and of typst itself are used, never the machine's.
    """
    require_pdf_tools()
    import typst

    content = report_content(f, charts, tables, corrections, mark)
    with tempfile.TemporaryDirectory(prefix="eventstudy-pdf-") as name:
        folder = Path(name)
        (folder / "figures").mkdir()
        (folder / "content.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        for chart in charts:
            (folder / "figures" / f"{chart.name}.svg").write_bytes(chart.article_svg)
        layout = folder / _LAYOUT.name
        layout.write_bytes(_LAYOUT.read_bytes())
        try:
            return typst.compile(
                str(layout),
                root=name,
                font_paths=[str(FONTS)],
                ignore_system_fonts=True,
                pdf_standards=["ua-1"],
                timestamp=0,
            )
        except typst.TypstError as error:
            remedy = "Change the text that it names, or set pdf = false in the study file."
            hints = " ".join(error.hints)
            raise InvalidInput(
                f"{f.spec.path.name}: the PDF cannot be set: {error.message}. {hints} {remedy}"
            ) from error
