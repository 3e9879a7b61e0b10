"""Builds that nobody watches: locks, limits, log lines, exit codes, and the last good report kept."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from eventstudy import cli, files
from eventstudy.ending import LIMIT
from eventstudy.errors import DataMissing, SourceFailed
from eventstudy.report.builds import fetch, manifest, outputs, staging
from eventstudy.report.builds.build import LOCK
from eventstudy.studyfile.starter import notebook_text
from eventstudy.vintages.store import find_vintage, list_vintages

pytestmark = pytest.mark.builds


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; return its exit code, stdout and stderr."""

    def call(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["eventstudy", *map(str, args)])
        code = 0
        try:
            cli.main()
        except SystemExit as done:
            code = int(done.code or 0)
        finally:
            cli.console.log_format = "text"
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def times(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if not p.name.startswith(".")}


def test_nothing_changed_means_nothing_touched(study, run):
    before = times(study.folder)
    code, out, err = run("build", study.folder)
    assert (code, out.strip()) == (0, str(study.folder / "index.html"))
    assert err.startswith("two: up to date; prices of 2025-11-01, ")
    assert times(study.folder) == before


NOTHING_TO_DO = """
import sys
from eventstudy import cli
from eventstudy.report.builds import manifest

assert manifest.unchanged(cli.Path(sys.argv[1])), "out of date"
sys.argv = ["eventstudy", "build", sys.argv[1]]
try:
    cli.main()
finally:
    print(*({"numpy", "pandas", "scipy", "matplotlib"} & set(sys.modules)))
"""


def test_a_build_with_nothing_to_do_loads_no_numerical_library(study):
    command = [sys.executable, "-c", NOTHING_TO_DO, str(study.folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr.startswith("two: up to date; prices of 2025-11-01, ")
    assert done.stdout == f"{study.folder / 'index.html'}\n\n"


def test_two_builds_do_not_collide(study, run):
    before = study.contents()
    with FileLock(study.folder / LOCK):
        code, out, err = run("build", study.folder, "--force", "--no-wait")
    assert code == 4
    assert "Another build of two holds .build.lock" in err
    assert out == ""
    assert study.contents() == before
    assert run("build", study.folder, "--force", "--no-wait")[0] == 0


def test_a_build_out_of_time_leaves_the_last_report(study, run, monkeypatch):
    before = study.contents()
    monkeypatch.setattr(outputs, "compute", lambda spec: time.sleep(60))
    started = time.monotonic()
    code, _, err = run("build", study.folder, "--force", "--timeout", "1")
    assert code == 4
    assert time.monotonic() - started < 30
    assert "Not finished after 1 s (--timeout)" in err
    assert "Traceback" not in err
    assert study.contents() == before
    assert not (study.folder / ".build").exists()


def test_a_service_manager_may_stop_a_build(study, run, monkeypatch):
    before = study.contents()
    monkeypatch.setattr(outputs, "compute", lambda spec: signal.raise_signal(signal.SIGTERM))
    code, _, err = run("build", study.folder, "--force")
    assert code == 143
    assert "Stopped by a signal" in err
    assert study.contents() == before
    assert not (study.folder / ".build").exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_signal_while_files_are_moved_waits_until_the_report_is_whole(study, run, monkeypatch):
    study.write("Two firms", "Two other firms")
    real, calls = staging.move_over, []

    def signalled(source, target):
        calls.append(target)
        if len(calls) == 5:
            signal.raise_signal(signal.SIGTERM)
        return real(source, target)

    monkeypatch.setattr(staging, "move_over", signalled)
    code, _, err = run("build", study.folder)
    assert code == 143, err
    assert not (study.folder / ".build").exists()
    assert manifest.out_of_date(study.spec) == ()
    assert "Two other firms" in (study.folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_out_of_time_ends_the_kernels_too(study, tmp_path):
    before = study.contents()
    pid_file = tmp_path / "pid"
    code = f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    (study.folder / "endless.ipynb").write_text(notebook_text((("code", code),)), encoding="utf-8")
    study.write("notebooks = []\n", "")
    assert study.spec.notebooks == ("endless.ipynb",)
    command = [sys.executable, "-m", "eventstudy", "build", str(study.folder), "--timeout", "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20 + LIMIT + 60)
    assert done.returncode == 4, done.stderr
    assert "Not finished after 20 s" in done.stderr
    assert {k: v for k, v in study.contents().items() if k != "endless.ipynb"} == before
    if pid_file.is_file():
        time.sleep(3)
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 0)


def test_log_lines_as_json(study, run):
    code, _, err = run("build", study.folder, "--force", "--why", "--log-format", "json")
    assert code == 0
    lines = [json.loads(line) for line in err.splitlines()]
    names = {"time", "level", "study", "step", "message"}
    assert all(set(line) == names for line in lines[:-1])
    assert (set(lines[-1]), lines[-1]["exit_code"]) == (names | {"exit_code"}, 0)
    assert {line["study"] for line in lines} == {"two"}
    assert [line["message"] for line in lines if line["step"] == "why"] == ["forced: two"]
    assert {line["level"] for line in lines} == {"info"}
    study.folder.joinpath("events.csv").write_text("ticker,date\nNOPE,2025-01-27\n")
    code, out, err = run("build", study.folder, "--log-format", "json")
    assert (code, out) == (3, "")
    last = json.loads(err.splitlines()[-1])
    assert (last["level"], last["exit_code"]) == ("error", 3)
    assert "NOPE" in last["message"]


@pytest.mark.parametrize("option", [["--log-format", "json"], ["--log-format=json"]])
def test_a_wrong_option_is_a_json_line_too(study, run, option):
    code, out, err = run("build", study.folder, "--timeout", "abc", *option)
    assert (code, out) == (2, "")
    line = json.loads(err)
    assert (line["level"], line["exit_code"]) == ("error", 2)
    assert "--timeout" in line["message"]


@pytest.mark.filterwarnings("always")
def test_a_warning_of_a_library_is_a_json_line_too(study, run, monkeypatch):
    real = outputs.compute

    def warns(spec):
        warnings.warn("old call", FutureWarning, stacklevel=2)
        return real(spec)

    monkeypatch.setattr(outputs, "compute", warns)
    code, _, err = run("build", study.folder, "--force", "--log-format", "json")
    assert code == 0
    assert "FutureWarning: old call" in [json.loads(line)["message"] for line in err.splitlines()]


@pytest.mark.slow
def test_what_a_kernel_says_beside_its_cells_is_no_line_of_the_log(study):
    """Neither the kernel's own file descriptors nor those that its children inherit are the command's."""
    code = "import os, subprocess, sys\nos.write(1, b'one\\n')\nos.write(2, b'two\\n')\nsubprocess.run(['echo', 'three'])\n1 + 1"
    (study.folder / "loud.ipynb").write_text(notebook_text((("code", code),)), encoding="utf-8")
    study.write("notebooks = []\n", "")
    command = [sys.executable, "-m", "eventstudy", "build", str(study.folder), "--log-format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{study.folder / 'index.html'}\n"
    assert json.loads(done.stderr.splitlines()[-1])["exit_code"] == 0
    assert all(json.loads(line)["study"] == "two" for line in done.stderr.splitlines())


@pytest.mark.slow
def test_a_notebook_that_writes_to_what_it_is_made_from_ends_the_build(study, run):
    code = "with open('events.csv', 'a') as table:\n    table.write('NVDA,2025-01-28\\n')"
    (study.folder / "writes.ipynb").write_text(notebook_text((("code", code),)), encoding="utf-8")
    study.write("notebooks = []\n", "")
    before = study.contents()
    code, out, err = run("build", study.folder)
    assert (code, out) == (3, "")
    assert "events.csv changed while the report was made" in err
    assert "writes.ipynb" in err
    assert study.contents() == before


def test_a_build_that_waited_builds_the_study_as_it_is_then(study, run):
    """Whoever held the lock may have made a draft of it in the meantime."""
    lock = FileLock(study.folder / LOCK, thread_local=False)
    lock.acquire()

    def edit_and_let_go():
        time.sleep(1)
        study.write("notebooks = []", 'notebooks = []\nstatus = "draft"')
        lock.release()

    thread = threading.Thread(target=edit_and_let_go)
    study.write("Two firms", "Two other firms")
    thread.start()
    code, _, err = run("build", study.folder)
    thread.join()
    assert code == 0, err
    assert "DRAFT" in (study.folder / "index.html").read_text(encoding="utf-8")
    assert manifest.unchanged(study.folder)


def test_out_of_time_names_the_study_and_those_that_were_not_begun(study, run, monkeypatch, tmp_path):
    other = study.copy(tmp_path / "more")
    monkeypatch.setattr(outputs, "compute", lambda spec: time.sleep(60))
    code, _, err = run("build", study.folder, other.folder, "--force", "--timeout", "1", "--log-format", "json")
    last = json.loads(err.splitlines()[-1])
    assert (code, last["exit_code"], last["study"]) == (4, 4, "two")
    assert "Not begun: two." in last["message"]


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.ENOSPC, 4), (errno.EIO, 4), (errno.EDQUOT, 4), (errno.EROFS, 3), (errno.EACCES, 3)]
)
def test_a_system_that_refuses_ends_in_one_line(study, run, monkeypatch, number, expected):
    before = study.contents()
    real, calls = os.replace, []

    def refuse(source, target):
        calls.append(source)
        if len(calls) == 12:
            raise OSError(number, os.strerror(number), str(target))
        real(source, target)

    monkeypatch.setattr("eventstudy.files.os.replace", refuse)
    code, out, err = run("build", study.folder, "--force")
    monkeypatch.undo()
    assert (code, out) == (expected, "")
    last = err.strip().splitlines()[-1]
    assert last.startswith("two: error: the system refused (")
    assert os.strerror(number) in last
    assert "Traceback" not in err
    assert study.contents() == before
    assert not (study.folder / ".build").exists()


def test_a_fault_of_the_package_has_an_exit_code_of_its_own(study, run, monkeypatch):
    before = study.contents()
    other = study.copy(study.folder.parent / "other")
    other.write('title = "Two firms"', 'title = "Two other firms"')

    def broken(findings):
        if findings.spec.folder == study.folder:
            raise KeyError("oops")
        return tables(findings)

    tables = outputs.all_tables
    monkeypatch.setattr(outputs, "all_tables", broken)
    code, _, err = run("build", study.folder, other.folder, "--force", "--log-format", "json")
    assert code == 70
    assert "Two other firms" in (other.folder / "index.html").read_text(encoding="utf-8")
    last = next(line for text in err.splitlines() if (line := json.loads(text))["level"] == "error")
    assert (last["study"], last["exit_code"]) == ("two", 70)
    assert last["message"].startswith("a fault of eventstudy itself (KeyError: 'oops', in test_scheduled.py, line ")
    assert "Traceback" not in err
    assert study.contents() == before
    monkeypatch.setenv("EVENTSTUDY_TRACEBACK", "1")
    assert "Traceback (most recent call last)" in run("build", study.folder, "--force")[2]


def test_one_bad_study_does_not_keep_the_others_from_being_built(study, run, tmp_path):
    other = study.copy(tmp_path / "bad")
    other.folder.joinpath("events.csv").write_text("ticker,date\nNOPE,2025-01-27\n")
    study.write('title = "Two firms"', 'title = "Two other firms"')
    code, _, err = run("build", other.folder, study.folder)
    assert code == 3
    assert "NOPE" in err
    assert "Two other firms" in (study.folder / "index.html").read_text(encoding="utf-8")


def answering(study, *changes):
    """Return what stands in for the download: it stores a changed table as the vintage of a later day."""
    day = iter(range(2, 28))
    return lambda spec, progress: find_vintage(study.folder, study.store(next(day), *changes)).path


def failing(error):
    """Return what stands in for a download that fails."""

    def fail(spec, progress):
        raise error

    return fail


def test_a_fetch_that_fails_is_told_and_the_rest_is_done(study, run, monkeypatch):
    before, stored = study.contents(), list_vintages(study.folder)
    monkeypatch.setattr(fetch, "fetch_prices", failing(SourceFailed("Yahoo did not answer for NVDA.")))
    code, _, err = run("build", study.folder, "--fetch")
    assert code == 4
    assert "Yahoo did not answer for NVDA. The report is of the prices that are stored." in err
    assert study.contents() == before
    assert list_vintages(study.folder) == stored
    study.write("Two firms", "Two other firms")
    assert run("build", study.folder, "--fetch")[0] == 4
    assert "Two other firms" in (study.folder / "index.html").read_text(encoding="utf-8")


def test_an_embargo_ends_and_others_are_published_while_the_source_is_down(study, run, monkeypatch, tmp_path):
    target = tmp_path / "public"
    study.write('event = "some news"', 'event = "some news"\nembargo_until = "2020-01-01T06:00Z"')
    study.write("[model]", f'[publish]\nfolder = "{target}"\n\n[model]')
    monkeypatch.setattr(fetch, "fetch_prices", failing(DataMissing("NVDA is delisted.")))
    code, _, err = run("build", study.folder, "--fetch", "--publish", "--log-format", "json")
    last = json.loads(err.splitlines()[-1])
    assert (code, last["step"], last["exit_code"]) == (3, "publish", 3)
    assert (target / "current" / "index.html").is_file()


@pytest.mark.parametrize(("limit", "built"), [("30d", False), ("9000d", True)])
def test_prices_older_than_the_study_allows_are_not_built_on_when_a_fetch_fails(study, run, monkeypatch, limit, built):
    before = study.contents()
    study.write('source = "yahoo"', f'source = "yahoo"\nmax_age = "{limit}"')
    study.write("Two firms", "Two other firms")
    monkeypatch.setattr(fetch, "fetch_prices", failing(SourceFailed("Yahoo did not answer for NVDA.")))
    code, _, err = run("build", study.folder, "--fetch")
    assert code == 4
    assert ("max_age under [prices] is 30d: nothing was built" in err) is not built
    assert (study.contents() != before) is built
    assert run("build", study.folder)[0] == 0


def test_no_stored_prices_and_no_fetch_are_the_fetch_s_fault(study, run, monkeypatch):
    for path in (study.folder / "prices").iterdir():
        path.unlink()
    monkeypatch.setattr(fetch, "fetch_prices", failing(SourceFailed("Yahoo did not answer for NVDA.")))
    code, _, err = run("build", study.folder, "--fetch")
    assert (code, err.count("Yahoo did not answer for NVDA.")) == (4, 1)


def test_what_needs_a_person_hides_behind_no_later(study, run, monkeypatch, tmp_path):
    later, person = study.copy(tmp_path / "later"), study.copy(tmp_path / "person")
    person.write('title = "Two firms"', "title = 1")
    monkeypatch.setattr(fetch, "fetch_prices", failing(SourceFailed("Yahoo did not answer.")))
    assert run("build", person.folder, later.folder, "--fetch")[0] == 2
    assert run("build", later.folder, person.folder, "--fetch")[0] == 2
    assert run("build", later.folder, study.folder, "--fetch")[0] == 4


def test_of_several_studies_each_takes_the_options_that_it_has_a_use_for(study, run, monkeypatch, tmp_path):
    own = study.copy(tmp_path / "own")
    own.write('source = "yahoo"', 'source = "snapshot"')
    target = tmp_path / "public"
    study.write("[model]", f'[publish]\nfolder = "{target}"\n\n[model]')
    monkeypatch.setattr(fetch, "fetch_prices", answering(study))
    code, _, err = run("build", study.folder, own.folder, "--fetch", "--publish")
    assert code == 0, err
    assert "two: nothing to fetch: prices come from 'snapshot'" in err
    assert "two: not published: the study file has no [publish]" in err
    assert (target / "current" / "index.html").is_file()


def test_how_old_the_prices_are_is_said(study, run):
    age = (pd.Timestamp.now("UTC").normalize() - pd.Timestamp("2025-11-01", tz="UTC")).days
    assert f"two: up to date; prices of 2025-11-01, {age} days old" in run("build", study.folder)[2]


def test_a_download_that_equals_the_stored_one_keeps_its_prices_young(study, run, monkeypatch):
    day = {"now": datetime(2025, 11, 19, 12, 1, tzinfo=UTC)}
    monkeypatch.setattr(files, "now", lambda: day["now"])
    study.write('source = "yahoo"', 'source = "yahoo"\nmax_age = "7d"')

    def night(of_november, title, stands_in):
        """Whether the edited report is built, what was said, and the exit code."""
        day["now"] = datetime(2025, 11, of_november, 12, 1, tzinfo=UTC)
        study.write('title = "', f'title = "{title} ')
        monkeypatch.setattr(fetch, "fetch_prices", stands_in)
        code, _, err = run("build", study.folder, "--fetch")
        return title in (study.folder / "index.html").read_text(encoding="utf-8"), err, code

    def equal(of_november):
        return lambda spec, progress: find_vintage(study.folder, study.store(of_november)).path

    down = failing(SourceFailed("Yahoo did not answer."))
    assert night(6, "amber-one", down)[::2] == (True, 4)  # of the first of the month
    assert night(12, "amber-two", down)[::2] == (False, 4)
    built, err, code = night(12, "amber-three", equal(12))
    assert (built, code, len(list_vintages(study.folder))) == (True, 0, 1)
    assert "prices of 2025-11-01, 11 days old, confirmed on 2025-11-12" in err
    assert night(19, "amber-four", down)[::2] == (True, 4)
    built, err, code = night(20, "amber-five", down)
    assert (built, code) == (False, 4)
    assert "were downloaded last 8 days ago and max_age under [prices] is 7d: nothing was built" in err
    assert "To build from them, raise max_age or remove it." in err
    for record in ("yahoo-20251101T120000Z 20251219T120000Z", "yahoo-20251102T120000Z 20251119T120000Z", "é", ""):
        (study.folder / "prices" / ".confirmed").write_text(record, encoding="utf-8")
        built, err, _ = night(20, "amber-six", down)
        assert not built
        assert "were downloaded last 19 days ago" in err


def test_a_fetch_that_brings_nothing_new_leaves_no_trace(study, run, monkeypatch):
    before, stamps = list_vintages(study.folder), times(study.folder)
    monkeypatch.setattr(fetch, "fetch_prices", answering(study))
    code, _, err = run("build", study.folder, "--fetch")
    assert code == 0
    assert "the download was not kept" in err
    assert "two: up to date" in err
    assert list_vintages(study.folder) == before
    del stamps[str(study.folder / "prices")]
    after = times(study.folder)
    assert {k: after[k] for k in stamps} == stamps


def test_a_fetch_with_new_prices_builds_or_stops(study, run, monkeypatch):
    monkeypatch.setattr(fetch, "fetch_prices", answering(study, study.dividend))
    code, _, err = run("build", study.folder, "--fetch", "--why")
    assert code == 0
    assert "rescaled by a dividend" in err or "rescaled, returns equal: META" in err
    assert len(list_vintages(study.folder)) == 2
    before = study.contents()
    monkeypatch.setattr(
        fetch,
        "fetch_prices",
        lambda spec, progress: find_vintage(study.folder, study.store(28, study.wrong_price)).path,
    )
    code, _, err = run("build", study.folder, "--fetch")
    assert code == 1
    assert "META, abnormal return on the event day" in err
    assert study.contents() == before


def test_a_fetch_that_would_not_be_used_is_refused(study, run):
    study.write('source = "yahoo"', 'source = "snapshot"')
    code, _, err = run("build", study.folder, "--fetch")
    assert code == 2
    assert "prices come from 'snapshot'" in err
    assert run("build", study.folder, "--fetch", "--as-of", "2025-11-01")[0] == 2
    assert run("build", study.folder, "--force", "--timeout", "0")[0] == 2


def test_a_rebuild_elsewhere_gives_the_same_bytes_or_names_the_files(study, run):
    before = times(study.folder)
    code, out, _ = run("check", study.folder, "--rebuild")
    assert (code, out) == (0, "two: a rebuild gives the same bytes\n")
    assert times(study.folder) == before
    path = study.folder / "tables" / "headline.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("NVDA", "NVDB"), encoding="utf-8")
    (study.folder / "tables" / "windows.md").unlink()
    code, out, _ = run("check", study.folder, "--rebuild")
    assert code == 1
    assert "two: differs: tables/headline.csv" in out
    assert "two: missing: tables/windows.md" in out


def test_the_quick_look_sees_what_the_close_look_sees(study, monkeypatch):
    assert manifest.unchanged(study.folder)
    for change, undo in (
        (lambda: study.write("Two firms", "2 firms"), lambda: study.write("2 firms", "Two firms")),
        (lambda: study.store(9), lambda: [p.unlink() for p in (study.folder / "prices").glob("*20251109*")]),
        (
            lambda: (study.folder / "corrections.toml").write_text(""),
            (study.folder / "corrections.toml").unlink,
        ),
        (
            lambda: (study.folder / "numbers.json").rename(study.folder / "n.json"),
            lambda: (study.folder / "n.json").rename(study.folder / "numbers.json"),
        ),
    ):
        change()
        assert not manifest.unchanged(study.folder)
        assert manifest.out_of_date(study.spec)
        undo()
        assert manifest.unchanged(study.folder)
    monkeypatch.setattr(manifest, "environment", lambda **options: {"numpy": "9.9"})
    assert not manifest.unchanged(study.folder)
    assert {r.kind for r in manifest.out_of_date(study.spec)} == {"version"}


def test_a_manifest_from_elsewhere_cannot_name_files_outside(study, tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    path = study.folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["outputs"]["../precious.txt"] = "0"
    path.write_text(json.dumps(content), encoding="utf-8")
    study.build()
    assert precious.read_text() == "mine"


# -- Ends within seconds, whatever runs; a log that goes nowhere.


#: A command that hangs in foreign code, where Python's own handlers of signals are not called.
IN_FOREIGN_CODE = """
import ctypes, signal, sys, time
from pathlib import Path
from eventstudy import cli
from eventstudy.report.builds import fetch

def hang(spec, progress):
    Path(place, "begun").touch()
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        ctypes.CDLL(None).sleep(60)
    except Exception:
        pass

fetch.fetch_prices = hang
_, folder, place, *more = sys.argv
sys.argv = ["eventstudy", "build", folder, "--fetch", *more]
cli.main()
"""
#: One that waits where the handlers are called, within code that swallows every error.
IN_A_WAIT = IN_FOREIGN_CODE.replace("ctypes.CDLL(None).sleep(60)", "time.sleep(60)").replace(
    "signal.pthread", "0 and signal.pthread"
)


@pytest.mark.parametrize("code", [IN_FOREIGN_CODE, IN_A_WAIT], ids=["foreign code", "a wait"])
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (None, 4)])
def test_a_command_ends_within_two_seconds_of_a_signal_or_its_limit(study, tmp_path, code, number, expected):
    study.write("Two firms", "Two other firms")
    before = study.contents()
    limit = [] if number else ["--timeout", "4"]
    command = [sys.executable, "-c", code, str(study.folder), str(tmp_path), *limit]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        until((tmp_path / "begun").exists, seconds=20)
        begun = time.monotonic()
        if number:
            running.send_signal(number)
        _, err = running.communicate(timeout=30)
    assert running.returncode == expected, err
    assert time.monotonic() - begun < 2 + (0 if number else 4)
    assert study.contents() == before
    assert err.count("stopped" if number == signal.SIGINT else "Stopped by a signal" if number else "Not finished") == 1


def until(there, seconds=60.0):
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without a device that is always full")
@pytest.mark.parametrize("log", ["/dev/full", "closed", "broken"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_that_goes_nowhere_changes_nothing(study, log, form):
    goes = {"closed": "2>&-", "broken": "2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}"}.get(log, f"2>{log}")
    start = [sys.executable, "-m", "eventstudy", "build", "--log-format", form]
    # what a shell sets for its own sake would hide what is left in a buffer
    bare = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}

    def code_of(*words: str) -> int:
        line = ["bash", "-c", f'"$@" {goes}', "bash", *start, *words]
        return subprocess.run(line, capture_output=True, check=False, env=bare).returncode

    assert code_of(str(study.folder), "--force") == 0
    assert code_of(str(study.folder), "--no-such-option") == 2
    study.write('title = "Two firms"', "title = 1")
    assert code_of(str(study.folder), "--force") == 2


def test_what_libraries_say_is_a_debug_line_of_json_and_none_of_text(study, run, monkeypatch):
    def talk(spec):
        logging.getLogger("yfinance").error("NVDA: possibly delisted\n\x1b[31m")
        warnings.simplefilter("always")
        warnings.warn_explicit("soon gone", UserWarning, "/elsewhere/yfinance/base.py", 1)
        raise SourceFailed("no")

    monkeypatch.setattr(outputs, "compute", talk)
    lines = [json.loads(line) for line in run("build", study.folder, "--force", "--log-format", "json")[2].splitlines()]
    said = [line["message"] for line in lines if line["level"] == "debug"]
    assert said == ["yfinance: NVDA: possibly delisted\n\x1b[31m", "UserWarning: soon gone"]
    text = run("build", study.folder, "--force")[2]
    assert "delisted" not in text
    assert "soon gone" not in text


def test_nothing_that_a_study_says_steers_the_terminal(study, run):
    study.write('title = "Two firms"', 'title = "Two \\u001b[2J\\u009b31mfirms"')
    for words in (("build", study.folder, "--force", "--why"), ("run", study.folder)):
        code, out, err = run(*words)
        assert code == 2
        assert "study.toml: title: 'Two \\x1b[2J\\x9b31mfirms' has a control character; remove it." in err
        assert not {"\x1b", "\x9b"} & set(out + err)
