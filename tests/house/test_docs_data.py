"""The code blocks of docs/data.md run, one after the other, and what they assert holds."""

from __future__ import annotations

import re
import types
from pathlib import Path

import pytest

from eventstudy.prices.checks.run import RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data.md"


@pytest.mark.slow
def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert len(blocks) >= 9
    monkeypatch.chdir(tmp_path)
    page = types.ModuleType("page")
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), page.__dict__)  # noqa: S102


def test_every_check_of_prices_is_named_with_what_it_expects():
    text = PAGE.read_text(encoding="utf-8")
    for rule in RULES.values():
        assert re.search(
            rf"^\| `{rule.name}`( \(cannot be accepted\))? \| {re.escape(rule.expected)} \|$", text, re.MULTILINE
        ), rule
        assert (f"`{rule.name}` (cannot" in text) != rule.acceptable
