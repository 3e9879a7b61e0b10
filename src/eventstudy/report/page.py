"""The page of a report: one self-contained file, readable on a phone, on paper, in the dark and aloud."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import figures
from eventstudy.report.accessible import accessible
from eventstudy.report.charts import Chart
from eventstudy.report.content import ReportTable
from eventstudy.report.findings import Findings
from eventstudy.report.story import notebook_title, report_content
from eventstudy.spec import StudySpec

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

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
    f : Findings
        The computed content.
    charts : sequence of Chart
        The figures.
    tables : sequence of ReportTable
        The tables.
    corrections : sequence of mapping
        What was corrected since the first publication: ``date``, ``what``, ``old``, ``new``, ``reason``.
    mark : str
        ``DRAFT`` or the like, shown above everything and on each printed sheet; empty for a report that may be
        published.

    Returns
    -------
    str
    """
    content = report_content(f, charts, tables, corrections, mark)
    return _templates().get_template("report.html.j2").render(**content, pictures=_pictures(charts), pdf=f.spec.pdf)


def notebook_page(spec: StudySpec, path: Path, body: str, mark: str = "") -> str:
    """Return an executed notebook as one self-contained page in the report's style.

    Parameters
    ----------
    spec : StudySpec
        The study.
    path : Path
        The notebook.
    body : str
        Its HTML, from `eventstudy.report.notebooks.execute`.
    mark : str
        ``DRAFT`` or the like, shown above everything; empty for a report that may be published.
    """
    title = notebook_title(path)
    template = _templates().get_template("notebook.html.j2")
    return template.render(study=spec.title, title=title, body=accessible(body, title), mark=mark)
