"""A build that is killed at any moment leaves the old report, or one that the next command makes the new one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eventstudy.report.builds import manifest, staging
from eventstudy.report.builds.outputs import write_report
from eventstudy.report.builds.record import finished_files, remember

pytestmark = pytest.mark.builds


class Died(BaseException):
    """The process ends here."""


@pytest.fixture
def staged(study):
    """A study whose next report lies finished in its staging folder, and the bytes before and after."""
    before = study.contents()
    study.write("Two firms", "Two other firms")
    (study.folder / "tables" / "gone.csv").write_text("1")
    path = study.folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["outputs"]["tables/gone.csv"] = "0"
    path.write_text(json.dumps(content), encoding="utf-8")
    remember(study.folder, content["outputs"])
    stage = study.folder / staging.STAGING / "staging-test"
    stage.mkdir(parents=True)
    write_report(study.spec, stage, lambda step, done, total: None)
    after = {p.relative_to(stage).as_posix(): p.read_bytes() for p in sorted(stage.rglob("*")) if p.is_file()}
    return study, stage, before, after


def test_a_crash_at_each_single_rename_is_finished_by_the_next_command(staged, tmp_path, monkeypatch):
    study, stage, before, after = staged
    moves, real = len(after), staging.move_over
    assert moves > 20
    for stop in range(moves + 1):
        place = tmp_path / f"crash{stop}"
        place.mkdir()
        copy = study.copy(place)
        remember(copy.folder, finished_files(study.folder))
        done = 0

        def crash(source: Path, target: Path, stop: int = stop) -> bool:
            nonlocal done
            if done == stop:
                raise Died
            done += 1
            return real(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(staging, "move_over", crash)
            if stop == moves:  # after the last rename, before the empty folders are removed
                patch.setattr(staging.shutil, "rmtree", lambda *args, **options: (_ for _ in ()).throw(Died()))
            with pytest.raises(Died):
                staging.switch(copy.folder, copy.folder / stage.relative_to(study.folder))
        assert (copy.folder / "index.html").read_bytes() in (before["index.html"], after["index.html"])
        staging.finish_interrupted(copy.folder)
        assert copy.contents() == after, stop
        assert not (copy.folder / staging.STAGING).exists()
        assert manifest.out_of_date(copy.spec) == ()
        shutil.rmtree(place)


def test_an_error_while_moving_does_not_throw_the_finished_report_away(staged, monkeypatch):
    study, _, _, after = staged

    def refuse(source: Path, target: Path) -> bool:
        raise OSError(5, "Input/output error", str(target))

    with monkeypatch.context() as patch:
        patch.setattr(staging, "move_over", refuse)
        with pytest.raises(OSError, match="Input/output"):
            study.build()
    assert staging.interrupted(study.folder)
    study.build()
    assert study.contents() == after


KILLS = r"""
import hashlib, json, os, random, signal, sys, time
from pathlib import Path
import eventstudy as es
from eventstudy.report import charts; from eventstudy.report.builds import manifest, outputs, staging
from eventstudy.report.builds.build import build

folder, target, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
real = outputs.draw_charts
outputs.draw_charts = lambda f, *given: (charts.Chart("event_day", charts._event_day(f, "article"), charts._event_day(f, "phone")),)
titles = ("Two firms", "Two other firms")


def ready(title):
    path = folder / "study.toml"
    text = path.read_text()
    for other in titles:
        text = text.replace(f'title = "{other}"', f'title = "{title}"')
    path.write_text(text)


def digest(place):
    recorded = json.loads((place / "manifest.json").read_text())["outputs"]
    for name, expected in recorded.items():
        found = hashlib.sha256((place / name).read_bytes()).hexdigest()
        assert found == expected, f"{place / name} is not of its manifest"
    return hashlib.sha256(json.dumps(recorded, sort_keys=True).encode()).hexdigest()


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


known, pages, took = set(), set(), 0.0
for title in titles:
    ready(title)
    started = time.monotonic()
    build(es.load_study(folder), to_publish=True)
    took = time.monotonic() - started
    known.add(digest(folder))
    pages.add(sha(folder / "index.html"))
assert len(known) == len(pages) == 2

draw, died, polls, turn = random.Random(20250127), 0, 0, -1
while turn < 3 * rounds and not (turn >= rounds and died >= 20):
    turn += 1
    ready(titles[turn % 2])
    delay = took * 1.05 * (turn % rounds + draw.random()) / rounds
    child = os.fork()
    if child == 0:
        try:
            build(es.load_study(folder), force=True, to_publish=True)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(7)
    end, seen = time.monotonic() + delay, {}
    while time.monotonic() < end:
        for page in (folder / "index.html", target / "current" / "index.html"):
            facts = page.stat()
            now = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
            if seen.get(page) != now:
                assert sha(page) in pages, f"{page} is broken in turn {turn}"
                seen[page] = now
        polls += 1
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    died += os.WIFSIGNALED(status)
    assert digest(target / "current") in known
    staging.finish_interrupted(folder)
    assert digest(folder) in known
    left = [p.name for p in folder.iterdir() if p.name.startswith(".") and p.name != ".build.lock"]
    assert left == [], left
ready(titles[0])
build(es.load_study(folder), to_publish=True)
assert manifest.out_of_date(es.load_study(folder)) == ()
print(json.dumps({"died": died, "polls": polls, "took": took}))
"""


@pytest.mark.slow
def test_twenty_four_kills_spread_over_a_build_leave_nothing_broken(study, tmp_path):
    study.write("notebooks = []", 'notebooks = []\n[publish]\nfolder = "../public"\n')
    command = [sys.executable, "-c", KILLS, str(study.folder), str(tmp_path / "public"), "24"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["died"] >= 20
    assert found["polls"] > 100


@pytest.mark.slow
def test_eight_builds_ended_by_every_kind_of_signal_leave_nothing_mixed_lost_or_behind():
    """The tool's 200 rounds, fewer: with a real notebook, new prices every night, and publication."""
    tool = Path(__file__).parents[2] / "tools" / "kill_builds.py"
    done = subprocess.run([sys.executable, str(tool), "8"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
