"""The page of a report: one self-contained file."""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import __version__, figures
from eventstudy.report.charts import Chart, day_text
from eventstudy.report.content import ReportTable, data_checks, days_text
from eventstudy.report.findings import Findings, happenings
from eventstudy.report.prose import method_paragraph, standfirst, verdict_sentences
from eventstudy.report.vendors import vendor_lines
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
    found.filters["capital"] = lambda text: text[:1].upper() + text[1:].rstrip(".")
    return found


def _whole_numbers(text: str) -> Markup:
    """Return text as HTML in which a line never breaks between a sign, its number and its unit."""
    from markupsafe import Markup, escape

    return Markup(_SIGNED.sub(r'<span class="n">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped before


def _data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")


def _picture(chart: Chart) -> dict[str, str]:
    return {
        "name": chart.name,
        "article": _data_uri(figures.svg_bytes(chart.article)),
        "phone": _data_uri(figures.svg_bytes(chart.phone)),
        "alt": chart.article.words.alt,
        "csv": figures.csv_text(chart.article),
        "title": chart.article.words.title,
    }


def report_page(f: Findings, charts: tuple[Chart, ...], tables: tuple[ReportTable, ...]) -> str:
    """Return the report as one HTML file without scripts and without outside requests.

    Parameters
    ----------
    f : Findings
        The computed content.
    charts : tuple of Chart
        The figures.
    tables : tuple of ReportTable
        The tables.

    Returns
    -------
    str
    """
    windows = [{"window": days_text(w), "news": happenings(f, w)} for w in f.spec.model.report if happenings(f, w)]
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            spec=f.spec,
            day=day_text(f.headline),
            standfirst=standfirst(f),
            verdicts=verdict_sentences(f),
            uncounted=", ".join(c.key for c in f.dollars if c.reason),
            method=method_paragraph(f),
            advice=f.everyone.advice((0, 0)) if f.everyone.abnormal.n > 1 else "",
            pictures={c.name: _picture(c) for c in charts},
            tables={t.name: t for t in tables},
            windows=windows,
            timeline=f.timeline.to_dict("records"),
            cautions=_cautions(f),
            data_checks=data_checks(f),
            vendors=vendor_lines(f),
            provenance=f.prices.provenance,
            dropped=f.everyone.dropped,
            notebooks=[{"file": _stem(n), "title": _title(f.spec.folder / n)} for n in f.spec.notebooks],
            version=__version__,
        )
    )


def _cautions(f: Findings) -> list[str]:
    found = list(f.prices.provenance.cautions)
    if f.universe is not None:
        found += f.universe.provenance.cautions
    return list(dict.fromkeys(found))


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(".ipynb")


def _title(path: Path) -> str:
    """Return a notebook's first heading, or its file name in words."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = "".join(cells[0]["source"]) if cells else ""
    if first.startswith("# "):
        return first.removeprefix("# ").splitlines()[0].strip()
    return path.stem.lstrip("0123456789").strip("_").replace("_", " ").capitalize()


def notebook_page(spec: StudySpec, path: Path, body: str) -> str:
    """Return an executed notebook as one self-contained page in the report's style.

    Parameters
    ----------
    spec : StudySpec
        The study.
    path : Path
        The notebook.
    body : str
        Its HTML, from `eventstudy.report.notebooks.execute`.
    """
    return _templates().get_template("notebook.html.j2").render(spec=spec, title=_title(path), body=body)
