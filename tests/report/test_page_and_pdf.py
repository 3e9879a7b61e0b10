"""The same content on the page and on paper: marks, corrections, hostile words, tags, and equal bytes."""

import io
import json
import re
import sys
from dataclasses import replace

import pypdf
import pytest

import eventstudy as es
from eventstudy.report.builds.build import build
from eventstudy.report.charts import draw_charts
from eventstudy.report.findings import compute
from eventstudy.report.notebook_page import accessible, notebook_page
from eventstudy.report.page import report_page, report_pdf
from eventstudy.report.tables import all_tables
from eventstudy.studyfile.starter import make_starter

pytestmark = pytest.mark.builds

MARK = "EMBARGO UNTIL 2026-12-01 06:00 −05:00"
CORRECTIONS = [
    {
        "date": "2025-02-10",
        "what": "Broadcom",
        "old": "+20.11%",
        "new": "+20.12%",
        "reason": "The vendor restated a close.",
    }
]
HOSTILE = '#import "x" *b* $x^2$ </style><script>alert(1)</script> \\ ] _u_ {{ 1 }}'


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper") / "study"
    make_starter(folder)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("notebooks")]
    (folder / "study.toml").write_text("\n".join(["pdf = true", *lines]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(study):
    found = compute(es.load_study(study))
    return found, draw_charts(found), all_tables(found)


def retold(found, **changes):
    """The findings under another study's words."""
    return replace(found, spec=found.spec.model_copy(update=changes))


@pytest.fixture(scope="module")
def paper(made):
    return report_pdf(*made, CORRECTIONS, MARK)


@pytest.fixture(scope="module")
def reader(paper):
    return pypdf.PdfReader(io.BytesIO(paper))


def squeezed(text):
    """Text without spaces, page numbers and the marks at the head of each sheet."""
    return re.sub(r"\s+|\d+/\d+", "", text)


def elements(node, kinds):
    """All structure elements of some kinds."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [e for child in node for e in elements(child, kinds)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("/S") in kinds else []
    return own + elements(node.get("/K", []), kinds)


def test_the_pdf_is_tagged_and_names_itself(made, reader):
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title == f"{MARK}: {made[0].spec.title}"
    assert re.search(r"pdfuaid:part>1<", reader.xmp_metadata.stream.get_data().decode("utf-8"))


def test_figures_have_alternative_texts_and_tables_have_headers(made, reader):
    tags = reader.trailer["/Root"]["/StructTreeRoot"]
    alts = {str(e["/Alt"]) for e in elements(tags, ("/Figure",)) if "/Alt" in e}
    assert {c.article.words.alt for c in made[1]} <= alts
    tables = elements(tags, ("/Table",))
    assert len(tables) >= sum(t.name != "claims" for t in made[2])
    for table in tables:
        heads = elements(table, ("/TH",))
        assert heads
        assert len(elements(table, ("/TR",))) >= 2
    assert len(elements(tags, ("/H1",))) >= 6
    assert elements(tags, ("/H2",))


def test_a_further_figure_stands_after_those_with_a_place_of_their_own(made):
    found, charts, tables = made
    more = replace(charts[0], name="one_more", further=True)
    page = report_page(found, (*charts, more), tables)
    assert page.index('<figure id="market_model"') < page.index('<figure id="one_more"') < page.index('id="windows"')
    paper = pypdf.PdfReader(io.BytesIO(report_pdf(found, (*charts, more), tables)))
    alts = [str(e.get("/Alt")) for e in elements(paper.trailer["/Root"]["/StructTreeRoot"], ("/Figure",))]
    assert alts.count(more.article.words.alt) == 2


def test_the_pdf_says_what_the_page_says(made, reader):
    text = squeezed("".join(p.extract_text() for p in reader.pages))
    for table in made[2]:
        if table.name != "claims":
            cells = {cell for row in table.rows for cell in row}
            assert [cell for cell in cells if squeezed(cell) not in text] == [], table.name
    for words in ("Corrections", "2025-02-10: Broadcom, +20.11% → +20.12%", "The vendor restated a close.", MARK):
        assert squeezed(words) in text


def test_no_line_of_the_pdf_ends_between_a_sign_and_its_number(made):
    """Words of many lengths bring every part of an amount to a line's end."""
    amounts = " ".join(f"{'a' * (1 + i * i % 31)} (abnormal −$462bn, +$131bn)" for i in range(120))
    paper = pypdf.PdfReader(io.BytesIO(report_pdf(retold(made[0], background=amounts), (), (), (), "")))
    text = "\n".join(p.extract_text() for p in paper.pages)
    assert text.count("−$462bn") >= 120
    assert not re.search(r"[−+]\s*\n", text)


def test_the_pdf_is_the_same_bytes_anywhere(made, paper, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert report_pdf(*made, CORRECTIONS, MARK) == paper
    assert b"/CreationDate" not in paper


def test_words_are_never_read_as_markup(made):
    found = retold(made[0], title=HOSTILE, background=HOSTILE)
    mark = 'DRAFT"} </style><script>alert(2)</script>'
    entry = [dict.fromkeys(("date", "what", "old", "new", "reason"), HOSTILE)]
    paper = pypdf.PdfReader(io.BytesIO(report_pdf(found, (), (), entry, mark)))
    assert squeezed("".join(p.extract_text() for p in paper.pages)).count(squeezed(HOSTILE)) >= 5
    page = report_page(found, (), (), entry, mark)
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert page.count("&lt;script&gt;alert(1)") >= 5


def test_a_mark_and_corrections_are_on_the_page_and_their_absence_too(made):
    page = report_page(*made, CORRECTIONS, MARK)
    assert f"<strong>{MARK}</strong> Not for publication." in page
    assert f"<title>{MARK}: " in page
    assert 'name="robots" content="noindex"' in page
    assert "Broadcom, " in page
    assert "The vendor restated a close." in page
    plain = report_page(*made)
    assert "Not for publication" not in plain
    assert "noindex" not in plain
    assert "<p>None so far.</p>" in plain
    assert "EMBARGO" in notebook_page(made[0].spec, made[0].spec.folder / "notebook.ipynb", "<h1>A</h1>", MARK)


def test_without_the_extra_the_remedy_is_named(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(es.errors.DataMissing, match=r"pip install 'eventstudy-finance\[pdf\]'"):
        build(es.load_study(study))
    assert not (study / "index.html").exists()


def test_a_letter_without_a_font_is_named(made):
    with pytest.raises(es.errors.InvalidInput, match=r"study\.toml: the PDF cannot be set: .*标.*pdf = false"):
        report_pdf(retold(made[0], title="标题"), (), ())


def test_a_build_writes_the_pdf_and_links_it(study):
    build(es.load_study(study))
    recorded = json.loads((study / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    assert "report.pdf" in recorded
    assert (study / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert '<a href="report.pdf">' in (study / "index.html").read_text(encoding="utf-8")


def test_a_notebooks_tables_and_headings_are_put_in_order():
    body = accessible(
        "<h1>A</h1><h4>Beta</h4><table class='dataframe'><thead><tr><th></th><th>x</th></tr></thead>"
        "<tbody><tr><th>r</th><td>1</td></tr></tbody></table><h1>B</h1><table><tr><td>2</td></tr></table>"
        "<table><caption>Named</caption><tr><td>3</td></tr></table><pre>out</pre>",
        "unused",
    )
    assert re.findall(r"<(h\d)>", body) == ["h1", "h2", "h2"]
    assert re.findall(r'<table aria-label="([^"]+)"|<table class="dataframe" aria-label="([^"]+)"', body)
    assert '<th scope="col">x</th>' in body
    assert '<th scope="row">r</th>' in body
    assert "<th></th>" not in body
    for label in ("Table: Beta", "Table: B", "Named", "Output"):
        assert f'aria-label="{label}"' in body
    assert body.count('tabindex="0"') == 4
    assert accessible("<p>x</p>", "Own title").startswith("<h1>Own title</h1>")
