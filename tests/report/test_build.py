"""A report is built whole or not at all, comes out the same, and knows when it is out of date."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.report.builds import manifest, outputs, staging
from eventstudy.report.builds.build import build
from eventstudy.report.builds.numbers import read_published
from eventstudy.studyfile.starter import make_starter

pytestmark = pytest.mark.builds

ROOT = Path(__file__).parent.parent.parent
FLAGSHIP = ROOT / "reports" / "deepseek"


def without_notebooks(folder: Path) -> Path:
    """A small study: the starter, but nothing to execute."""
    make_starter(folder)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    lines = ["notebooks = []" if line.startswith("notebooks") else line for line in text.splitlines()]
    (folder / "study.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def built(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    def make(place: Path) -> None:
        build(es.load_study(without_notebooks(place / "study")))

    return once("report", make) / "study"


@pytest.fixture
def study(built: Path, tmp_path: Path) -> Path:
    """A copy of the built study under the same name, so that its bytes are the same."""
    return Path(shutil.copytree(built, tmp_path / "study"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but lock and staging, by name."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and not p.relative_to(folder).as_posix().startswith(".build")
    }


def change_title(folder: Path) -> None:
    path = folder / "study.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("How the market took", "What the market made of"), encoding="utf-8")


@pytest.fixture(scope="module")
def renamed(built: Path, once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The same study with another title, built."""

    def make(place: Path) -> None:
        folder = Path(shutil.copytree(built, place / "study"))
        change_title(folder)
        build(es.load_study(folder))

    return once("renamed", make) / "study"


def test_page_figures_tables_and_manifest_are_there(built: Path) -> None:
    names = set(contents(built))
    for name in (
        "index.html",
        "manifest.json",
        "figures/event_day.svg",
        "figures/car_paths.pdf",
        "tables/headline.tex",
    ):
        assert name in names
    for suffix in ("svg", "png", "pdf", "csv", "txt"):
        assert f"figures/event_day.{suffix}" in names
    recorded = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    assert "study.toml" in recorded["inputs"]
    assert "eventstudy/data/prices.csv.gz" in recorded["inputs"]
    sources = {"study.toml", "events.csv", "claims.toml", "notebook.ipynb"}
    sources |= {name for name in names if name.startswith("schedule/")}
    assert set(recorded["outputs"]) == names - sources - {"manifest.json"}


def test_nothing_happens_when_nothing_changed(study: Path) -> None:
    before = contents(study)
    done = build(es.load_study(study))
    assert done.reasons == ()
    assert contents(study) == before


def test_a_forced_build_gives_the_same_bytes(study: Path) -> None:
    before = contents(study)
    done = build(es.load_study(study), force=True)
    assert contents(study) == before
    assert done.written == ()


@pytest.mark.parametrize("name", ["events.csv", "tables/headline.csv", "index.html"])
def test_an_edited_file_is_named(study: Path, name: str) -> None:
    path = study / name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (reason,) = manifest.out_of_date(es.load_study(study))
    assert (reason.kind, reason.what) == ("changed", name)


def test_an_edited_price_is_named(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "draw_charts", lambda *given: ())
    prices = es.load_prices(["AVGO", "MRVL", "NVDA", "AMD", "^GSPC", "^SOX"])
    prices.adj_close.to_csv(study / "prices.csv")
    text = (study / "study.toml").read_text(encoding="utf-8")
    (study / "study.toml").write_text(text.replace('"snapshot" ', '"prices.csv" '), encoding="utf-8")
    spec = es.load_study(study)
    assert spec.prices.source == "prices.csv"
    build(spec)
    assert manifest.out_of_date(spec) == ()
    lines = (study / "prices.csv").read_text(encoding="utf-8").splitlines()
    lines[500] = lines[500].replace("1", "2", 1)
    (study / "prices.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (reason,) = manifest.out_of_date(spec)
    assert (reason.kind, reason.what) == ("changed", "prices.csv")


def test_a_missing_output_and_a_damaged_manifest_are_made_again(study: Path) -> None:
    before = contents(study)
    (study / "figures" / "event_day.png").unlink()
    (reason,) = manifest.out_of_date(es.load_study(study))
    assert (reason.kind, reason.what) == ("missing", "figures/event_day.png")
    (study / "manifest.json").write_text("{", encoding="utf-8")
    assert build(es.load_study(study)).reasons[0].kind == "not built yet"
    assert contents(study) == before


def test_another_library_version_is_a_reason(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "study_environment", lambda spec: {**manifest_versions(study), "matplotlib": "9.9"})
    reasons = manifest.out_of_date(es.load_study(study))
    assert [(r.kind, r.what) for r in reasons] == [("version", "matplotlib")]


def manifest_versions(folder: Path) -> dict[str, str]:
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["environment"])


def test_a_failing_build_leaves_the_last_report(study: Path) -> None:
    before = contents(study)
    (study / "events.csv").write_text(
        "ticker,date\nAVGO,2024-12-12\nMRVL,2024-12-12\nNVDA,2024-12-12\nNOPE,2024-12-12\n"
    )
    with pytest.raises(es.errors.DataMissing, match="NOPE"):
        build(es.load_study(study))
    after = contents(study)
    del before["events.csv"], after["events.csv"]
    assert after == before
    assert not (study / ".build").exists()


CRASH = """
import os, sys
import eventstudy as es
from eventstudy.report.builds import build as building, staging

real, moved, stop_after = staging.move_over, 0, int(sys.argv[2])

def crash(source, target):
    global moved
    if moved == stop_after:
        os._exit(9)
    moved += 1
    return real(source, target)

staging.move_over = crash
building.build(es.load_study(sys.argv[1]))
"""


@pytest.mark.parametrize("stop_after", [0, 9])
def test_a_crash_while_moving_files_is_finished_by_the_next_build(study: Path, renamed: Path, stop_after: int) -> None:
    change_title(study)
    died = subprocess.run([sys.executable, "-c", CRASH, str(study), str(stop_after)], capture_output=True)
    assert died.returncode == 9, died.stderr.decode()
    assert staging.interrupted(study)
    build(es.load_study(study))
    assert contents(study) == contents(renamed)
    assert not (study / ".build").exists()


def test_a_killed_build_leaves_nothing_half_written(study: Path) -> None:
    before = contents(study)
    change_title(study)
    command = [sys.executable, "-m", "eventstudy", "build", str(study)]
    for delay in (0.3, 1.2, 2.2, 3.2):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        recorded = json.loads((study / "manifest.json").read_text(encoding="utf-8"))["outputs"]
        now = contents(study)
        if not staging.interrupted(study):
            for name in recorded:
                assert manifest._digest(study / name) == recorded[name], name
        assert set(now) == set(before)
    subprocess.run(command, check=True, capture_output=True)
    assert manifest.out_of_date(es.load_study(study)) == ()
    assert not (study / ".build").exists()
    assert "What the market made of" in (study / "index.html").read_text(encoding="utf-8")


def test_two_builds_at_once_do_not_harm_each_other(study: Path) -> None:
    change_title(study)
    command = [sys.executable, "-m", "eventstudy", "build", str(study)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    said = [p.communicate()[1].decode() for p in both]
    assert [p.returncode for p in both] == [0, 0]
    assert sum("up to date" in text for text in said) == 1
    assert manifest.out_of_date(es.load_study(study)) == ()


@pytest.mark.parametrize(
    ("kind", "words", "never"),
    [
        ("mean_adjusted", "above its usual return", "the market’s"),
        ("market_adjusted", "takes its spread, and nothing else, from", "least squares"),
    ],
)
def test_a_report_speaks_of_its_own_model(tmp_path: Path, kind: str, words: str, never: str) -> None:
    folder = without_notebooks(tmp_path / "study")
    text = (folder / "study.toml").read_text(encoding="utf-8")
    text = text.replace('kind = "market_model"', f'kind = "{kind}"', 1).replace("[-270, -21]", "[-900, -21]")
    if kind == "mean_adjusted":
        text = text.replace('benchmark = "^GSPC"\n', "")
    (folder / "study.toml").write_text(
        text.partition("[[robustness]]")[0] + '[universe]\npanel = "sp500"\n', encoding="utf-8"
    )
    build(es.load_study(folder))
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert words in page
    assert never not in page
    assert "4 January 2022 to" in page or "3 January 2022 to" in page
    assert not (folder / "figures" / "market_model.svg").exists()


class Links(HTMLParser):
    """Collect what a page would load, what it links to, and images without a text alternative."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.silent: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        for name in ("src", "srcset"):
            if found.get(name):
                self.loads.append(str(found[name]))
        if tag == "link" and found.get("href"):
            self.loads.append(str(found["href"]))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag == "img" and not found.get("alt"):
            self.silent.append(str(found.get("src"))[:40])


def pages(folder: Path) -> list[Path]:
    return [folder / "index.html", *sorted((folder / "notebooks").glob("*.html"))]


@pytest.mark.parametrize("page", pages(FLAGSHIP), ids=lambda p: p.stem)
def test_pages_load_nothing_and_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = Links()
    found.feed(text)
    assert all(load.startswith("data:") for load in found.loads)
    assert "script" not in found.tags
    assert "url(" not in text.split("</style>")[0]
    assert found.silent == []
    for link in found.links:
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in text, link
        else:
            assert not link.startswith(("http", "/", "file:")), link
            assert (page.parent / link).is_file(), link


def test_the_flagship_says_what_the_prices_say() -> None:
    text = (FLAGSHIP / "index.html").read_text(encoding="utf-8")
    result = es.load_study(FLAGSHIP).run()
    assert result.returns.loc["NVDA", 0] == pytest.approx(118.42 / 142.62 - 1, abs=1e-5)
    assert result.ar.loc["META", 0] > 0
    assert "Meta did not do what one article says. Meta rose " in text
    assert "its abnormal return is" in text
    assert "−16.97%" in text


def test_numbers_of_the_sentence_on_the_market_are_published() -> None:
    numbers = {str(name): number.value for name, number in read_published(FLAGSHIP).numbers.items()}
    page = (FLAGSHIP / "index.html").read_text(encoding="utf-8")
    members, rose = (numbers[f"market/{name}"] for name in ("members", "rose"))
    assert f"Of {members:.0f} members of the S&amp;P 500 with prices, {rose:.0f} rose" in page
    values = es.load_universe()
    day = values.adj_close.pct_change(fill_method=None).loc["2025-01-27"].drop("SPY", errors="ignore").dropna()
    assert rose == (day > 0).sum()
    beside = numbers["market/NVDA/beside_median"]
    assert beside == pytest.approx(numbers["headline/NVDA/abnormal"] - numbers["market/median"], rel=1e-6)


def test_the_committed_flagship_is_what_its_inputs_say() -> None:
    """Whoever changes code or data builds the report again; other library versions are no fault here."""
    reasons = manifest.out_of_date(es.load_study(FLAGSHIP))
    assert [str(r) for r in reasons if r.kind != "version"] == []


def test_the_committed_flagship_is_small_and_as_recorded() -> None:
    recorded = json.loads((FLAGSHIP / "manifest.json").read_text(encoding="utf-8"))
    for name, digest in recorded["outputs"].items():
        assert manifest._digest(FLAGSHIP / name) == digest, name
    size = sum((FLAGSHIP / name).stat().st_size for name in recorded["outputs"])
    assert size < 7_000_000  # page 2.6 MB, figures 1.8, PDF 0.9, notebooks 0.8
