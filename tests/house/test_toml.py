"""Files made to keep a parser busy are refused before they do."""

from __future__ import annotations

from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.toml import MAX_PARTS, read_toml


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a." * 16_000 + "b = 1",
        "[" + "a." * 16_000 + "b]\n",
        "x = {" + '"a".' * 16_000 + "b = 1}",
        "a . " * 200_000 + "b = 1",
        "[" * 200_000,
        "x = " + "9" * 5_000,
        "x = '" + "y" * 1_100_000 + "'",
    ],
    ids=["keys", "tables", "quoted keys", "spaced keys", "depth", "digits", "size"],
)
def test_busy_files_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "study.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(es.errors.StudyFileError, match=r"study\.toml"):
        es.load_study(file)


def test_many_words_with_dots_are_read_in_linear_time(tmp_path: Path) -> None:
    """Sixteen parts are allowed; text with dots is text."""
    file = tmp_path / "x.toml"
    file.write_text(f"{'a.' * (MAX_PARTS - 1)}b = 1\nwords = '{'One. Two three. ' * 20_000}'\n", encoding="utf-8")
    assert set(read_toml(file)) == {"a", "words"}


@pytest.mark.parametrize("name", ["javascript:alert(1)", "c:\\x.csv", "a?b.csv", "a#b.csv"])
def test_a_name_that_a_link_would_take_for_more_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "study.toml").write_text(f"title = 'T'\nevent = 'E'\nevents = '{name}'\n", encoding="utf-8")
    with pytest.raises(es.errors.StudyFileError, match="plain path"):
        es.load_study(tmp_path)
