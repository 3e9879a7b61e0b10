"""docs/claims.md says what the code does: its file is read, its kinds are all kinds, its table of tolerances is the function's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from eventstudy.claims import Verdict, read_claims, tolerance
from eventstudy.claims.kinds import KINDS
from eventstudy.claims.ruling import AMOUNT_WORDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "claims.md").read_text(encoding="utf-8")


def test_the_file_of_the_page_is_read(tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE, flags=re.M | re.S)
    assert len(blocks) == 1
    (tmp_path / "claims.toml").write_text(blocks[0], encoding="utf-8")
    assert [c.id for c in read_claims(tmp_path / "claims.toml").claims] == ["nvidia-600bn", "chips-fell", "bitcoin"]


def test_every_kind_and_every_verdict_is_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", PAGE, flags=re.M)
    assert rows == [(word, ", ".join(kind.says)) for word, kind in KINDS.items()]
    for verdict in get_args(Verdict):
        assert f"**{verdict}" in PAGE


def test_the_table_of_tolerances() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \| ([\d.]+) \| ([\d.]+|no end) \|", PAGE, flags=re.M)
    printed = {
        word: (float(low), float("inf") if high == "no end" else float(high))
        for words, low, high in rows
        for word in words.split(", ")
    }
    assert set(printed) == set(AMOUNT_WORDS) - {""}
    for word, bounds in printed.items():
        assert tolerance(word, 600, dollars=True) == pytest.approx(bounds), word
