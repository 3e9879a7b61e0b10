"""The report as a page, one self-contained file for phone, paper, the dark and reading aloud, and as a PDF of the same content."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import figures
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.figures.style import FONTS
from eventstudy.files import staged
from eventstudy.report.charts import Chart
from eventstudy.report.findings import Findings
from eventstudy.report.safe_html import POLICY
from eventstudy.report.story import report_content
from eventstudy.report.tables import ReportTable
from eventstudy.wording import printable, printable_all

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_SIGNED = re.compile(r"[−+]\$?\d[\d.,]*(?:bn|%)?")


@lru_cache(maxsize=1)
def templates() -> Environment:
    """Return the templates of pages."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("eventstudy.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["quiet"] = POLICY
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
    """Return the report as one HTML file without scripts and without outside requests; a mark stands above everything."""
    content = report_content(f, charts, tables, corrections, mark)
    layout = "report.html.j2" if f.ordinary is None else "day.html.j2"
    page = templates().get_template(layout).render(**content, pictures=_pictures(charts), pdf=f.spec.pdf)
    return printable(page)


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
    """Return the report as a PDF with the content of the page, tagged after PDF/UA-1: the same bytes for the same report.

    It has title, language, headings, real tables and alternative texts, and no date; only fonts of this package and of typst
    itself are used, never the machine's.
    """
    require_pdf_tools()
    import typst

    content = printable_all(report_content(f, charts, tables, corrections, mark))
    with staged(None, "eventstudy-pdf-") as folder:
        (folder / "figures").mkdir()
        (folder / "content.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        for chart in charts:
            (folder / "figures" / f"{chart.name}.svg").write_bytes(chart.article_svg)
        layout = folder / _LAYOUT.name
        layout.write_bytes(_LAYOUT.read_bytes())
        try:
            return typst.compile(
                str(layout),
                root=str(folder),
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
