"""Files of a study's folder that are no files, never end, or keep a parser busy: refused at once, with a sentence and the code 2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.report.builds import outputs
from eventstudy.report.builds.build import build
from eventstudy.report.builds.publish import known_digests, verify_versions
from eventstudy.studyfile.starter import make_starter

pytestmark = pytest.mark.builds

PUBLISH = '\n[publish]\nfolder = "../public"\nauto = true\n'


@pytest.fixture(scope="module")
def made(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    def make(place: Path) -> None:
        folder = make_starter(place / "study")
        text = (folder / "study.toml").read_text(encoding="utf-8")
        kept = [line for line in text.splitlines() if not line.startswith(("notebooks", "status"))]
        (folder / "study.toml").write_text("\n".join(["notebooks = []", *kept]) + PUBLISH, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(outputs, "draw_charts", lambda *given: ())
            build(es.load_study(folder))

    return once("special", make)


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "reports", symlinks=True)) / "study"


def ended(*words: object) -> tuple[int, str]:
    """Run a command within an address space of 3 GB; it must end within 15 s."""
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3_000_000_000,) * 2); from eventstudy.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", limit, *map(str, words)], capture_output=True, text=True, timeout=15, check=False
    )
    return done.returncode, done.stderr


def pipe(file: Path) -> None:
    file.unlink(missing_ok=True)
    os.mkfifo(file)


def device(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.symlink_to("/dev/zero")


def hole(file: Path) -> None:
    file.touch()
    os.truncate(file, 20_000_000_000)


@pytest.mark.parametrize("make", [pipe, device, hole])
@pytest.mark.parametrize(
    "name", ["study.toml", "manifest.json", "numbers.json", "last_final.json", "corrections.toml", "claims.toml"]
)
def test_what_is_no_small_file_is_refused_at_once(study: Path, name: str, make: Callable[[Path], None]) -> None:
    if name == "last_final.json":  # is read if the numbers are a draft's, or gone
        (study / "numbers.json").unlink()
    make(study / name)
    code, said = ended("build", study)
    assert code == (3 if name == "claims.toml" and make is pipe else 2), said
    assert name in said
    assert "fault of eventstudy" not in said


@pytest.mark.parametrize("make", [pipe, device, hole])
def test_a_list_of_versions_that_is_no_small_file_is_told_and_written_anew(
    study: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = study.parent / "public" / "versions.json"
    make(listed)
    code, said = ended("check", study)
    assert code == 1
    assert "versions.json cannot be read" in said
    monkeypatch.setattr(outputs, "draw_charts", lambda *given: ())
    build(es.load_study(study))
    assert listed.is_file()
    assert not listed.is_symlink()
    assert [row["version"] for row in json.loads(listed.read_text(encoding="utf-8"))["versions"]] == [1]


@pytest.mark.parametrize(
    "more",
    ["z = " + "[" * 200_000 + "]" * 200_000, ".".join("a" * 60_000) + " = 1", "z = " + "9" * 5_000],
    ids=["depth", "parts", "digits"],
)
def test_a_busy_study_file_is_refused_at_once_though_a_report_is_built(study: Path, more: str) -> None:
    text = (study / "study.toml").read_text(encoding="utf-8")
    (study / "study.toml").write_text(f"{more}\n{text}", encoding="utf-8")
    for command in ("build", "check"):
        code, said = ended(command, study)
        assert code == 2, said
        assert "study.toml" in said


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999", "[1]", "9" * 5_000], ids=lambda n: n[:9])
def test_versions_without_a_number_are_told(study: Path, number: str) -> None:
    listed = study.parent / "public" / "versions.json"
    text = listed.read_text(encoding="utf-8")
    listed.write_text(text.replace('"version": 1', f'"version": {number}'), encoding="utf-8")
    with pytest.raises(es.errors.NotAsRecorded, match=r"versions\.json cannot be read"):
        verify_versions(listed.parent)
    assert known_digests(listed.parent) == {}
