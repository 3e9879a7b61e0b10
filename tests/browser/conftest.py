"""Chromium, the report that is looked at, and where screenshots go.

The report is the committed one if it is what the code makes, else one built for the run. Two variables of the
environment: ``EVENTSTUDY_TEST_REPORT`` names another built report, ``EVENTSTUDY_SCREENSHOTS`` a folder that keeps the
screenshots (by default ``tests/browser/artefacts``, which git ignores).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

import eventstudy as es
from eventstudy.report.builds import manifest
from eventstudy.report.builds.build import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

ROOT = Path(__file__).parent.parent.parent
FLAGSHIP = ROOT / "reports" / "deepseek"
#: Milliseconds; a full page is a picture of thirty million pixels, and the machine may be busy.
PATIENCE = 180_000
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


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
