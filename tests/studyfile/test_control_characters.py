"""Texts of a study that would steer a terminal or turn a page's words: refused with the key named, or written out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput, StudyFileError
from eventstudy.files import read_table
from eventstudy.studyfile.starter import make_starter

#: A colour, a title of the window, a bell, delete, an eight-bit escape, a turn to the left and an isolate.
STEERING = ["\x1b[31m", "\x1b]0;owned\x07", "\x08\x08", "\x7f", "\x9b2J", "\u202e", "\u2066"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_starter(tmp_path / "mine")


def put(folder: Path, before: str, after: str, name: str = "study.toml") -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def in_toml(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if not c.isalnum() else c for c in text)


@pytest.mark.parametrize("steering", STEERING)
@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ('event = "', 'event = "{}', "event"),
        ('question = "', 'question = "a {} b ', "question"),
        ('label = "Market', 'label = "{} Market', "robustness.label"),
        ('headline = ["AVGO', 'names = {{ AVGO = "B{}" }}\nheadline = ["AVGO', "names.AVGO"),
        ('headline = ["AVGO', 'names = {{ "A{}" = "B" }}\nheadline = ["AVGO', "names."),
        ('notebooks = ["notebook', 'notebooks = ["{}notebook', "notebooks"),
    ],
)
def test_the_study_file_names_the_key(folder: Path, steering: str, before: str, after: str, key: str) -> None:
    put(folder, before, after.format(in_toml(steering)))
    with pytest.raises(StudyFileError, match=rf"study\.toml: {key}.*has a control character; remove it") as caught:
        es.load_study(folder)
    assert steering not in str(caught.value)


def test_a_name_of_a_file_that_ends_early_is_refused(folder: Path) -> None:
    put(folder, 'events = "events.csv"', 'events = "a\\u0000b.csv"')
    with pytest.raises(StudyFileError, match=r"study\.toml: events: 'a\\x00b\.csv' has a control character; remove it"):
        es.load_study(folder)


def test_line_breaks_tabs_and_any_script_are_texts(folder: Path) -> None:
    background = 'background = """Two\nlines\tand שלום, 深度求索, naïve — “so” −5 %"""\nevent = "'
    put(folder, 'event = "', background)
    assert "深度求索" in es.load_study(folder).background


@pytest.mark.parametrize("steering", STEERING)
def test_events_timelines_and_claims_name_the_cell(folder: Path, tmp_path: Path, steering: str) -> None:
    for what in ("label", "group"):
        with pytest.raises(InvalidInput, match=f"Event SNPS: the {what} .*control character"):
            es.Event("SNPS", "2025-02-27", **{what: f"x{steering}y"})
    (folder / "events.csv").write_text(f"ticker,date,label\nSNPS,2025-02-27,a{steering}b\n", encoding="utf-8")
    put(folder, 'headline = ["AVGO", "MRVL", "NVDA"]', "headline = []")
    with pytest.raises(StudyFileError, match=r"mine/events\.csv: .*SNPS: the label"):
        es.load_study(folder).event_list()
    times = tmp_path / "mine" / "timeline.csv"
    times.write_text(f"date,what\n2025-01-02,fine\n2025-01-03,not{steering}\n", encoding="utf-8")
    with pytest.raises(StudyFileError, match=r"mine/timeline\.csv: row 2: what: .*control character"):
        read_table(times)
    put(folder, 'quote = "', f'quote = "{in_toml(steering)}', "claims.toml")
    with pytest.raises(StudyFileError, match=r"quote: .*control character"):
        es.load_study(folder)


@pytest.mark.parametrize("steering", ["\x1b[31m", "\u202e"])
def test_names_of_folders_and_of_found_notebooks_are_refused(folder: Path, steering: str) -> None:
    text = (folder / "study.toml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("notebooks")]
    (folder / "study.toml").write_text("\n".join(kept), encoding="utf-8")
    (folder / "notebook.ipynb").rename(folder / f"n{steering}.ipynb")
    with pytest.raises(StudyFileError, match=r"notebooks: .*control character"):
        es.load_study(folder)
    (folder / f"n{steering}.ipynb").unlink()
    other = folder.rename(folder.parent / f"m{steering}ine")
    with pytest.raises(StudyFileError, match=r"the folder's name: .*control character"):
        es.load_study(other)


# -- What the command line says to words that are not its own.


def say(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "eventstudy", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    return done.returncode, done.stdout, done.stderr


def test_the_version_is_said_whatever_else_is_asked() -> None:
    for words in (["--version"], ["--version", "--log-format", "json"], ["--log-format=json", "--version", "build"]):
        assert say(*words) == (0, f"{es.__version__}\n", "")


def test_without_a_command_the_help_is_shown_and_nothing_is_done() -> None:
    code, out, err = say()
    assert (code, err) == (2, "")
    assert "eventstudy build NAME" in out
    code, out, err = say("--log-format", "json")
    assert (code, out) == (2, "")
    assert json.loads(err)["message"] == "Missing command."


@pytest.mark.parametrize("steering", ["\x1b[31m", "\x1b]0;owned\x07", "\u202e"])
@pytest.mark.parametrize(
    "words", [["build", "--no{}"], ["b{}uild"], ["build", "/no{}where"], ["build", "--log-format", "{}"]]
)
@pytest.mark.parametrize("format_", [[], ["--log-format", "json"]])
def test_wrong_words_with_escapes_are_inert(steering: str, words: list[str], format_: list[str]) -> None:
    code, out, err = say(*format_, *(w.format(steering) for w in words))
    assert code == 2
    assert not any(c in out + err for c in "\x1b\x07\u202e")
    if format_:
        lines = [json.loads(line) for line in err.splitlines()]
        assert [line["exit_code"] for line in lines] == [2]


def test_the_format_may_stand_before_any_command(tmp_path: Path) -> None:
    for words in (
        ["fetch", str(tmp_path)],
        ["run", str(tmp_path)],
        ["build", str(tmp_path)],
        ["claims", str(tmp_path)],
    ):
        code, _, err = say("--log-format", "json", *words)
        assert code == 2
        assert "no study file" in json.loads(err)["message"]
