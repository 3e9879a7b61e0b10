"""The report in a real browser: quiet, self-contained, readable at three widths, in the dark, on paper and without a mouse.

The report is the committed one if it is what the code makes, else one built for the run. Two variables of the
environment: ``EVENTSTUDY_TEST_REPORT`` names another built report, ``EVENTSTUDY_SCREENSHOTS`` a folder that keeps the
screenshots (by default ``tests/report/artefacts``, which git ignores).
"""

from __future__ import annotations

import io
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from filelock import FileLock

import eventstudy as es
from eventstudy.report.builds import manifest
from eventstudy.report.builds.build import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = [f"notebooks/{p.stem}.html" for p in sorted((ROOT / "notebooks").glob("*.ipynb"))]
PAGES = ["index.html", *NOTEBOOKS]
WIDTHS = (360, 768, 1400)
FLAGSHIP = ROOT / "reports" / "deepseek"
#: Milliseconds; a full page is a picture of thirty million pixels, and the machine may be busy.
PATIENCE = 180_000
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

FOCUSABLE = """
() => [...document.querySelectorAll('a[href], summary, button, input, [tabindex="0"]')]
  .filter(e => e.checkVisibility() && !(e.closest('details:not([open])') && e.tagName !== 'SUMMARY'))
  .map((e, i) => { e.dataset.stop = i; return e.outerHTML.slice(0, 90); })
"""
FOCUSED = """
() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {stop: e.dataset.stop ?? null, outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
          inside: box.right > 0 && box.left < innerWidth};
}
"""

FOLDED = """
() => [...document.querySelectorAll('details > :not(summary)')].flatMap(part => {
  const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT), texts = [];
  while (walk.nextNode()) texts.push(walk.currentNode.data.replace(/\\s+/g, ''));
  return texts.filter(text => text.length > 2);
})
"""


def chromium() -> str:
    """The browser's path, or the test is skipped with a word on what is missing."""
    pytest.importorskip("playwright", reason="playwright is missing: pip install '.[dev]'")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is missing: apt-get install chromium (Debian), or put 'chromium' on the PATH")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module; not for the whole run, because its event loop would be in the way of others."""
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


def built_once(place: Path, worker: str) -> Path:
    """The flagship as the code makes it, shared by all workers of a run."""
    given = os.environ.get("EVENTSTUDY_TEST_REPORT")
    if given:
        return Path(given).resolve()
    if not [r for r in manifest.out_of_date(es.load_study(FLAGSHIP)) if r.kind != "version"]:
        return FLAGSHIP
    shared = place.parent if worker != "master" else place
    folder = shared / "browser" / "reports" / "deepseek"
    with FileLock(shared / "browser.lock"):
        if not folder.is_dir():
            shutil.copytree(ROOT / "notebooks", shared / "browser" / "notebooks")
            # without the record of the last build, which might have other conclusions
            shutil.copytree(
                FLAGSHIP,
                folder,
                ignore=shutil.ignore_patterns("manifest.json", "numbers.json", "index.html", ".build*"),
            )
            build(es.load_study(folder))
    return folder


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built flagship report."""
    chromium()
    return built_once(tmp_path_factory.getbasetemp(), os.environ.get("PYTEST_XDIST_WORKER", "master"))


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept."""
    folder = Path(os.environ.get("EVENTSTUDY_SCREENSHOTS") or Path(__file__).parent / "artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass
class Seen:
    """A page in the browser with all that it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[..., Seen]]:
    """Open a file at a width and in a colour scheme; every request is noted, and none leaves the machine."""
    opened = []

    def open_file(path: Path, width: int = 1400, scheme: str = "light", unfold: bool = False) -> Seen:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        seen = Seen(context.new_page())

        def take(route: Route) -> None:
            seen.requests.append(route.request.url)
            route.continue_() if route.request.url.startswith("file:") else route.abort()

        context.route("**/*", take)
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.goto(path.as_uri())
        if unfold:
            seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        return seen

    yield open_file
    for context in opened:
        context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_opens_without_a_word_a_request_or_a_scroll_to_the_side(report, look, artefacts, name, width):
    seen = look(report / name, width, unfold=True)
    assert seen.requests == [(report / name).as_uri()]
    assert seen.complaints == []
    assert seen.page.evaluate("document.scripts.length") == 0
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
    seen.page.screenshot(path=artefacts / f"{Path(name).stem}-{width}.png", full_page=True)
    broken = "[...document.images].filter(i => !i.naturalWidth).map(i => i.alt)"
    assert seen.page.evaluate(broken) == []


@pytest.mark.parametrize("name", ["index.html", NOTEBOOKS[0]])
def test_fits_the_narrowest_phone(report, look, name):
    assert look(report / name, 320, unfold=True).page.evaluate("document.documentElement.scrollWidth") <= 320


def test_no_table_is_cut_on_a_phone(report, look):
    cut = "[...document.querySelectorAll('.scroll, .fit')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
    page = look(report / "index.html", 360, unfold=True).page
    assert page.locator("table.scrolling").count() > 0
    assert page.evaluate(cut) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "width"), [*((name, 360) for name in PAGES), ("index.html", 1400)])
def test_axe_finds_nothing(report, look, artefacts, name, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    seen = look(report / name, width, scheme, unfold=True)
    found = axe.Axe().run(seen.page, options={"resultTypes": ["violations", "incomplete"]}).response
    assert found["testEngine"]["version"] >= "4.12"
    said = [f"{v['id']}: {v['help']}: {[n['html'][:120] for n in v['nodes'][:3]]}" for v in found["violations"]]
    assert said == []
    assert len(found["passes"]) > 20
    if scheme == "dark":
        seen.page.screenshot(path=artefacts / f"{Path(name).stem}-{width}-dark.png", full_page=True)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere_and_say_where(report, look, name):
    page = look(report / name, unfold=True).page
    links = page.evaluate("[...document.links].map(a => [a.ariaLabel ?? a.textContent.trim(), a.getAttribute('href')])")
    assert links
    places: dict[str, str] = {}
    for text, href in links:
        if href.startswith("#"):
            assert page.locator(href).count() == 1, href
        else:
            target = (report / name).parent / href
            assert target.is_file(), href
            assert target.stat().st_size > 0, href
        assert len(text) > 3, href
        assert text.lower() not in ("here", "link", "more", "click here")
        assert places.setdefault(text, href) == href, f"{text} leads to two places"


def test_every_file_of_the_report_can_be_reached_from_its_page(report, look):
    hrefs = look(report / "index.html").page.evaluate("[...document.links].map(a => a.getAttribute('href'))")
    built = {
        p.relative_to(report).as_posix()
        for part in ("figures", "tables", "notebooks")
        for p in (report / part).iterdir()
    }
    assert built - set(hrefs) == set()


def test_a_download_is_the_file(report, look):
    page = look(report / "index.html").page
    link = page.locator('a[href="figures/event_day.csv"]')
    link.evaluate("a => a.setAttribute('download', '')")
    with page.expect_download() as caught:
        link.click()
    assert Path(caught.value.path()).read_bytes() == (report / "figures" / "event_day.csv").read_bytes()


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("name", ["index.html", NOTEBOOKS[0]])
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(report, look, name, width):
    page = look(report / name, width).page
    wanted = page.evaluate(FOCUSABLE)
    reached = []
    for _ in range(len(wanted) + 20):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        if now["stop"] is None:
            continue
        reached.append(int(now["stop"]))
        assert now["outline"] >= 1, wanted[reached[-1]]
        assert now["inside"], wanted[reached[-1]]
        if len(reached) == len(wanted):
            break
    assert reached == list(range(len(wanted)))


def test_the_skip_link_and_the_folds_work_by_keyboard(report, look):
    page = look(report / "index.html").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "finding"
    fold = page.locator("summary").first
    fold.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")


def tree(page) -> list[dict]:
    """The screen reader's tree as a list of role, name, level, in reading order, without what is ignored."""
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    by_id = {n["nodeId"]: n for n in nodes}
    out: list[dict] = []

    def walk(node: dict) -> None:
        if not node.get("ignored"):
            levels = [p["value"]["value"] for p in node.get("properties", []) if p["name"] == "level"]
            role, name = node["role"]["value"], node.get("name", {}).get("value", "")
            out.append({"role": role, "name": name, "level": levels[0] if levels else None})
        for child in node.get("childIds", []):
            if child in by_id:
                walk(by_id[child])

    walk(nodes[0])
    return out


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("name", PAGES)
def test_read_aloud(report, look, name, width):
    page = look(report / name, width, unfold=True).page
    said = tree(page)
    levels = [int(n["level"]) for n in said if n["role"] == "heading"]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    roles = {n["role"] for n in said}
    assert {"banner", "main", "contentinfo", "navigation"} <= roles
    for role in ("table", "image", "figure", "link", "region", "group", "heading", "DisclosureTriangle"):
        nameless = [n for n in said if n["role"] == role and not n["name"].strip() and role not in ("group", "figure")]
        assert nameless == [], role
    assert page.evaluate("document.documentElement.lang") == "en"
    in_dom = page.evaluate(
        "[document.querySelectorAll('table').length, document.querySelectorAll('table tbody td').length]"
    )
    counted = [sum(n["role"] == role for n in said) for role in ("table", "cell")]
    assert counted[0] == in_dom[0]
    assert counted[1] >= in_dom[1], "stacked tables must stay tables for a screen reader"


def test_the_finding_comes_first_when_read_aloud(report, look):
    said = tree(look(report / "index.html", 360).page)
    words = [n["name"] for n in said if n["role"] in ("StaticText", "heading", "image", "table")]
    text = " ".join(words)
    title, finding, figure, table = (
        text.index(w)
        for w in ("How the market took DeepSeek R1", "Nvidia fell", "Dot plot", "The event day, share by share")
    )
    assert title < finding < figure < table
    assert len(text[title:finding].split()) < 40
    figures = [n["name"] for n in said if n["role"] == "figure"]
    assert len(figures) == len(list((report / "figures").glob("*.svg")))
    assert all(figures)


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Relative luminance of 8-bit sRGB pixels."""
    c = pixels[..., :3] / 255.0
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def picture(png: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_turn_with_the_page_and_stay_readable(report, look, scheme):
    page = look(report / "index.html", 1400, scheme).page
    for figure in page.locator("picture img").all():
        light = luminance(picture(figure.screenshot()))
        paper = float(np.median(light))
        ink = float(np.quantile(light, 0.0005 if scheme == "light" else 0.9995))
        assert (paper > 0.9) if scheme == "light" else (paper < 0.05)
        assert (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) > 7


def plain(text: str) -> str:
    """Text without ligatures, spaces and page numbers."""
    unnumbered = re.sub(r"(?m)^\d+ ?/ ?\d+$", "", unicodedata.normalize("NFKC", text))
    return re.sub(r"\s+", "", unnumbered)


def test_paper_is_white_and_loses_nothing_that_is_folded(report, look, artefacts):
    pypdf = pytest.importorskip("pypdf")
    page = look(report / "index.html", 1400, "dark").page
    squeeze = ".map(e => e.textContent.replace(/\\s+/g, ''))"
    folded = page.evaluate(FOLDED)
    headings = page.evaluate(f"[...document.querySelectorAll('h2, h3')]{squeeze}")
    assert len(folded) > 100
    page.emulate_media(media="print", color_scheme="dark")
    style = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
    assert style == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.evaluate("getComputedStyle(document.querySelector('picture img')).filter") == "none"
    page.emulate_media(media=None, color_scheme="dark")
    printed = page.pdf(path=artefacts / "index-print.pdf", prefer_css_page_size=True)
    pages = pypdf.PdfReader(io.BytesIO(printed)).pages
    text = plain("\n".join(p.extract_text() for p in pages))
    assert [fold for fold in folded if plain(fold) not in text] == []
    for heading in headings:
        assert plain(heading) in text
    assert "Skiptothefinding" not in text
    assert 8 <= len(pages) <= 30


@pytest.mark.parametrize("name", [p.name for p in sorted((ROOT / "reports" / "deepseek" / "figures").glob("*.svg"))])
def test_a_figure_opens_at_its_size_with_nothing_at_its_edges(report, look, artefacts, name):
    path = report / "figures" / name
    seen = look(path, 1400)
    assert seen.requests == [path.as_uri()]
    assert seen.complaints == []
    size = "[document.documentElement.width.baseVal.value, document.documentElement.height.baseVal.value]"
    width, height = seen.page.evaluate(size)
    assert 600 < width < 720
    (image,) = [n for n in tree(seen.page) if n["role"] == "image"]
    words = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert image["name"] == f"{words[0]} {words[2]}"
    seen.page.set_viewport_size({"width": int(width) + 1, "height": int(height) + 1})
    shot = picture(seen.page.screenshot(path=artefacts / f"{path.stem}.png"))
    inner = shot[: int(height), : int(width)]
    for edge in (inner[:3], inner[-3:], inner[:, :3], inner[:, -3:]):
        assert edge.min() > 250, "something is cut at the edge"
    assert luminance(inner).min() < 0.05


# -- What pages let nobody do, even if something hostile stood in them.


PLANTED = """
<p id="before">words</p>
<script>document.title = 'taken'; document.body.dataset.ran = 1</script>
<img src="https://elsewhere.invalid/pixel.png" onerror="document.body.dataset.ran = 2" alt="x">
<style>@import url(https://elsewhere.invalid/s.css); #before { background: url(https://elsewhere.invalid/b.png) }
@font-face { font-family: stolen; src: url(https://elsewhere.invalid/f.woff2) } #before { font-family: stolen }</style>
<link rel="stylesheet" href="https://elsewhere.invalid/t.css">
<iframe src="https://elsewhere.invalid/frame"></iframe>
<object data="https://elsewhere.invalid/object"></object>
<video src="https://elsewhere.invalid/film" autoplay></video>
<base href="https://elsewhere.invalid/">
<form action="https://elsewhere.invalid/form"><button id="send">send</button></form>
"""


@pytest.fixture
def hostile(tmp_path, monkeypatch) -> Callable[..., Path]:
    """A notebook's page with hostile output; ``clean`` is False if sanitising is to have failed."""
    from eventstudy.report import notebook_page as pages
    from eventstudy.studyfile.starter import make_starter, notebook_text

    spec = es.load_study(make_starter(tmp_path / "mine"))
    (tmp_path / "n.ipynb").write_text(notebook_text((("markdown", "# N"),)), encoding="utf-8")

    def make(body: str, clean: bool = True, trusted: bool = False) -> Path:
        if not clean:
            monkeypatch.setattr(pages, "safe", lambda text: text)
        chosen = spec.model_copy(update={"trust_notebooks": trusted})
        path = tmp_path / f"page-{clean}-{trusted}.html"
        path.write_text(pages.notebook_page(chosen, tmp_path / "n.ipynb", body), encoding="utf-8")
        return path

    return make


@pytest.mark.parametrize("clean", [True, False])
def test_hostile_output_does_nothing_even_where_sanitising_failed(look, hostile, clean):
    path = hostile(PLANTED, clean)
    seen = look(path)
    if not clean:
        seen.page.click("#send", no_wait_after=True)
        seen.page.wait_for_timeout(300)
    assert seen.page.evaluate("document.body.dataset.ran ?? null") is None
    assert seen.page.title() != "taken"
    assert [r for r in seen.requests if "elsewhere" in r] == []
    assert seen.page.url == path.as_uri()
    assert seen.page.inner_text("#before") == "words"
    assert (seen.complaints == []) is clean  # the policy speaks only where something was left to stop


def test_scripts_of_a_trusted_notebook_run_and_still_ask_for_nothing(look, hostile):
    body = "<p id='x'>a</p><script>x.textContent = 'ran'; fetch('https://elsewhere.invalid/').catch(() => 0)</script>"
    seen = look(hostile(body, trusted=True))
    assert seen.page.inner_text("#x") == "ran"
    assert [r for r in seen.requests if "elsewhere" in r] == []


def test_what_output_places_stays_within_the_notebook(look, hostile):
    cover = "<div style='position: fixed; inset: 0; background: red; z-index: 9'>over</div><style>header { display: none }</style>"
    seen = look(hostile(cover))
    assert seen.page.locator("header a").is_visible()
    top = seen.page.locator("header a").bounding_box()
    assert top is not None
    hit = seen.page.evaluate("([x, y]) => document.elementFromPoint(x, y).tagName", [top["x"] + 5, top["y"] + 5])
    assert hit == "A"


def test_a_styled_table_looks_as_it_did(look, hostile):
    import pandas as pd

    table = pd.DataFrame({"car": [0.012, -0.169, 0.03], "p": [0.4, 0.001, 0.2]}, index=["ORCL", "NVDA", "SNPS"])
    style = table.style.bar(color=["#d65f5f", "#5fba7d"], align="zero", subset=["car"]).background_gradient(
        subset=["p"]
    )
    hints = pd.DataFrame({"car": ["a", "b", "c"], "p": ["d", "e", "f"]}, index=table.index)
    body = style.set_caption("Three").set_tooltips(hints).to_html() + table._repr_html_()
    for width in (360, 1400):
        shots = [look(hostile(body, trusted=raw), width).page.screenshot(full_page=True) for raw in (False, True)]
        assert np.array_equal(picture(shots[0]), picture(shots[1]))


def test_the_list_of_versions_opens_without_a_word(look, tmp_path):
    from eventstudy.report.builds.publish import _index_page

    page = tmp_path / "versions.html"
    page.write_text(
        _index_page("A title", [{"version": 1, "folder": "versions/0001", "data": {}, "corrections": 0}]), "utf-8"
    )
    seen = look(page)
    assert (seen.complaints, seen.requests) == ([], [page.as_uri()])
