"""docs/claims.md says what the code does: its file is read, its kinds are all kinds, its table of tolerances is the function's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from eventstudy.claims import Verdict, read_claims, tolerance
from eventstudy.claims.kinds import KINDS
from eventstudy.claims.words import AMOUNT_WORDS, EXACTLY, VERBS, Verb

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


def _end(cell: str) -> tuple[float, bool]:
    """A bound as the page prints it, and whether it agrees itself."""
    if cell == "no end":
        return float("inf"), False
    return float(cell.rsplit(maxsplit=1)[-1]), " " not in cell


def test_the_table_of_tolerances() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \| ((?:above )?[\d.]+) \| ((?:below )?[\d.]+|no end) \|", PAGE, flags=re.M)
    printed = {word: (*_end(low), *_end(high)) for words, low, high in rows for word in words.split(", ")}
    assert set(printed) == set(AMOUNT_WORDS) - {"", *EXACTLY}
    for word, (low, low_in, high, high_in) in printed.items():
        bounds = tolerance(word, 600, dollars=True)
        assert (bounds.low, bounds.high) == pytest.approx((low, high)), word
        assert bounds.low == 0.0 or bounds.low_in == low_in, word
        assert bounds.high_in == high_in, word


def test_the_verbs_of_the_page_are_those_of_the_table() -> None:
    for verb in ("fell", "rose"):
        for strength in ("", "sharply", "slightly"):
            assert ", ".join(w for w, v in VERBS.items() if v == Verb(verb, strength)) in PAGE.replace("**", "")
