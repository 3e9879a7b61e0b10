"""The name of a stranger's folder forges no line of a log, and steers no terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eventstudy.files import check_file_name
from eventstudy.wording import one_line


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b[31m", "\x9b", "\v", "\x85", "\u2028"])
@pytest.mark.parametrize("command", ["build", "check", "run"])
def test_a_folder_name_forges_no_line(tmp_path: Path, sign: str, command: str) -> None:
    folder = tmp_path / f"a{sign}error: forged line"
    folder.mkdir()
    (folder / "study.toml").write_text("title = 'T'\nevent = 'E'\nnotebooks = []\n", encoding="utf-8")
    words = [sys.executable, "-m", "eventstudy", command, str(folder)]
    done = subprocess.run(words, capture_output=True, timeout=60, check=False)
    said = done.stderr.decode()
    assert done.returncode == 2
    assert len(said.splitlines()) == 1, said
    assert f"\\u{ord(sign[0]):04x}" in said


def test_names_of_other_languages_are_taken() -> None:
    for name in ("Bericht über DAX 1", "報告書", "a b-c_d.e"):
        check_file_name(Path(name))
        assert one_line(name) == name
