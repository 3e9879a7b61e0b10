"""The code blocks of docs/figures.md run, one after the other, and its lists are complete."""

from __future__ import annotations

import re
import tomllib
import types
from pathlib import Path

import pytest

from eventstudy.figures import SIZES
from eventstudy.figures.house_style import DEFAULT_FILE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "figures.md"


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = types.ModuleType("page")
    assert len(blocks("python")) >= 7
    for number, block in enumerate(blocks("python"), start=1):
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), page.__dict__)  # noqa: S102
    listed = set(re.findall(r"`(car[^` ]*\.\w+)`", PAGE.read_text(encoding="utf-8")))
    assert {p.name for p in (tmp_path / "out").glob("car*")} == listed


def test_sizes_and_keys_of_the_page_are_those_of_the_package():
    text = PAGE.read_text(encoding="utf-8")
    for name in SIZES:
        assert f"`{name}`" in text
    default = tomllib.loads(DEFAULT_FILE.read_text(encoding="utf-8"))
    (example,) = (tomllib.loads(block) for block in blocks("toml"))
    for table, keys in example.items():
        assert set(keys) <= set(default[table])
    assert all(key in text for key in default["palette"])
