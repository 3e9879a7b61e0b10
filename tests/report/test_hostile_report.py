"""A report folder from a stranger: what its manifest says is not done to other files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.report.builds import outputs
from eventstudy.report.builds.build import build
from eventstudy.studyfile.starter import make_starter

pytestmark = pytest.mark.builds


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_starter(tmp_path_factory.mktemp("hostile") / "study")
    text = (folder / "study.toml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("notebooks")]
    (folder / "study.toml").write_text("\n".join(["notebooks = []", *kept]) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "draw_charts", lambda *given: ())
        build(es.load_study(folder))
    return folder


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build without figures: what is tested is which files are touched."""
    monkeypatch.setattr(outputs, "draw_charts", lambda *given: ())


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


def spoil(study: Path, change: dict[str, object]) -> None:
    path = study / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content.update(change)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["../victim.txt", "ABSOLUTE", "events.csv", "figures/../../victim.txt", "prices/x.csv"]
)
def test_a_build_removes_nothing_that_it_did_not_make(study: Path, name: str) -> None:
    victim = study.parent / "victim.txt"
    victim.write_text("precious", encoding="utf-8")
    (study / "prices").mkdir()
    (study / "prices" / "x.csv").write_text("precious", encoding="utf-8")
    name = str(victim) if name == "ABSOLUTE" else name
    recorded = json.loads((study / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    spoil(study, {"outputs": {**recorded, name: "0" * 64}})
    build(es.load_study(study))
    for path in (victim, study / "prices" / "x.csv", study / "events.csv"):
        assert path.is_file(), path


@pytest.mark.parametrize("content", ["[" * 200_000, '{"format": 1, "inputs": 5}', "[]", "\x00"])
def test_a_damaged_manifest_is_a_reason_to_build(study: Path, content: str) -> None:
    (study / "manifest.json").write_text(content, encoding="utf-8")
    assert build(es.load_study(study)).reasons
    assert json.loads((study / "manifest.json").read_text(encoding="utf-8"))["outputs"]


@pytest.mark.parametrize("name", ["figures", "tables"])
def test_a_report_is_not_written_through_a_link(study: Path, name: str) -> None:
    outside = study.parent / "outside"
    (study / name).mkdir(exist_ok=True)
    (study / name / "event_day.svg").write_text("precious", encoding="utf-8")
    shutil.move(study / name, outside)
    before = {p.name: p.read_bytes() for p in outside.iterdir()}
    os.symlink(outside, study / name)
    with pytest.raises(es.errors.EventStudyError, match="is a link"):
        build(es.load_study(study), force=True)
    assert {p.name: p.read_bytes() for p in outside.iterdir()} == before
