"""The report on paper: a tagged PDF, the same bytes every time, set by typst."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.figures.style import FONTS
from eventstudy.report.charts import Chart
from eventstudy.report.content import ReportTable
from eventstudy.report.findings import Findings
from eventstudy.report.story import report_content

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

    Parameters
    ----------
    f : Findings
        The computed content.
    charts : sequence of Chart
        The figures; their article layout is set as SVG.
    tables : sequence of ReportTable
        The tables.
    corrections : sequence of mapping
        What was corrected since the first publication: ``date``, ``what``, ``old``, ``new``, ``reason``.
    mark : str
        ``DRAFT`` or the like, in the title and at the head of each sheet.

    Returns
    -------
    bytes
        With title, language, headings, real tables and alternative texts; without a date, so that the same report
        has the same bytes.

    Raises
    ------
    DataMissing
        If the extra ``pdf`` is not installed.
    InvalidInput
        If the typesetter refuses the content, for example a letter that none of its fonts has.

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
