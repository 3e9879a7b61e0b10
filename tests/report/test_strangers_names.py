"""What a stranger's study names and writes: nothing live is published under its name, nothing outside is, nothing keeps a build from its end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput, StudyFileError
from eventstudy.report.builds.corrections import read_corrections
from eventstudy.report.safe_html import safe
from eventstudy.sources.events import read_events
from eventstudy.toml import read_toml

STUDY = 'title = "T"\nevent = "E"\nevents = "events.csv"\n[model]\nbenchmark = "^GSPC"\n'


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("timeline", "timeline.html"),
        ("timeline", "timeline.svg"),
        ("claims", "claims.html"),
        ("claims", "c.php"),
        ("claims", "claims.toml.html"),
        ("events", "events.htm"),
        ("events", ".htaccess"),
        ("events", ".secret/events.csv"),
        ("notebooks", "n.html"),
    ],
)
def test_a_file_that_is_published_has_the_ending_of_what_it_is(tmp_path: Path, key: str, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("#<!doctype html><script>alert(1)</script><!--\n", encoding="utf-8")
    (tmp_path / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\n", encoding="utf-8")
    value = f'["{name}"]' if key == "notebooks" else f'"{name}"'
    lines = [line for line in STUDY.splitlines(keepends=True) if not line.startswith(f"{key} =")]
    (tmp_path / "study.toml").write_text(f"{key} = {value}\n{''.join(lines)}", encoding="utf-8")
    with pytest.raises(StudyFileError, match=r"ends in .* and does not begin with a dot"):
        es.load_study(tmp_path)


def test_corrections_that_are_a_link_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.conf"
    secret.write_text("# a password\n", encoding="utf-8")
    study = tmp_path / "study"
    study.mkdir()
    (study / "corrections.toml").symlink_to(secret)
    with pytest.raises(StudyFileError, match="is a link"):
        read_corrections(study)


LONG = """
import sys, time
from pathlib import Path
from eventstudy.ending import ending, time_limit
import re
try:
    with ending(lambda words, code: None), time_limit(0.5, "out of time"):
        re.search(r"(?:a|aa)+$", "a" * 60 + "b")  # foreign code that keeps other threads waiting
except BaseException as error:
    print(type(error).__name__)
"""


def test_a_time_limit_ends_a_search_that_lets_no_thread_run() -> None:
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, timeout=60, check=False)
    assert "OutOfTime" in done.stdout + done.stderr
    assert time.monotonic() - start < 30


SLOW_TIMER = """
import sys, threading, time
from eventstudy import ending
def slow(words, told=ending._time_is_up):
    if threading.current_thread() is not threading.main_thread():
        time.sleep(0.4)  # the alarm of the system has ended the command by then
        ending.signal.pthread_kill(threading.main_thread().ident, ending.signal.SIGTERM)
    else:
        told(words)
ending._time_is_up, timer = slow, threading.Timer
threading.Timer = lambda seconds, *rest: timer(seconds - 0.1, *rest)  # it goes off a little before the alarm
try:
    with ending.ending(lambda words, code: None), ending.time_limit(0.3, "out of time"):
        time.sleep(60)
except ending.OutOfTime:
    time.sleep(0.6)
    sys.exit(4)
"""


def test_a_timer_that_is_late_does_not_end_a_command_that_is_ending() -> None:
    done = subprocess.run([sys.executable, "-c", SLOW_TIMER], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4, done.stderr


def test_a_word_as_long_as_a_study_file_is_read(tmp_path: Path) -> None:
    """A search that began at each of its letters would take hours."""
    file = tmp_path / "study.toml"
    file.write_text(f'title = "{"a" * 900_000}"\n', encoding="utf-8")
    assert len(str(read_toml(file)["title"])) == 900_000


def test_a_cell_of_a_hundred_thousand_characters_is_no_day(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(f"ticker,date\nNVDA,2025{'0x' * 50_000}\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as told:
        read_events(file)
    assert len(str(told.value)) < 1_000
    with pytest.raises(InvalidInput, match="cannot read") as told:
        es.Event("NVDA", "2025" + "0x" * 50_000)
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("style", ["position:fixed;inset:0;z-index:99", "POSITION : sticky; z-index: 9"])
def test_no_output_lies_over_the_page(style: str) -> None:
    page = safe(
        f'<div><style>p {{ {style} }}</style><a href="https://evil.example" style="{style};color:red">x</a></div>'
    )
    assert "fixed" not in page
    assert "sticky" not in page
    assert "color:" in page.replace(" ", "")
