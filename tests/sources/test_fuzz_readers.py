"""Mutated files end in a table that is in order or in an error of ours; ``tools/fuzz_readers.py`` feeds ten thousand."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

import pytest

from eventstudy.errors import InvalidInput, StudyFileError
from eventstudy.events import Event
from eventstudy.studyfile.spec import load_study

pytestmark = pytest.mark.faults

TOOL = Path(__file__).resolve().parents[2] / "tools" / "fuzz_readers.py"


@pytest.fixture(scope="module")
def fuzzer():
    spec = importlib.util.spec_from_file_location("fuzz_readers", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_readers"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["fuzz_readers"]


@pytest.mark.slow
def test_six_hundred_mutated_files(fuzzer, tmp_path):
    tally = fuzzer.fuzz(600, 11, tmp_path)
    assert tally.failures == []
    outcomes = {reader: {o for r, o in tally.counts if r == reader} for reader in fuzzer.TURNS}
    assert all(
        "accepted" in found for found in outcomes.values()
    )  # the mutations are not all so coarse that nothing is read
    assert all(len(found) > 1 for found in outcomes.values())


def test_clean_files_are_accepted(fuzzer, tmp_path):
    rng = random.Random(1)
    for name, data in fuzzer.text_seeds().items():
        (tmp_path / "NVDA.csv").write_bytes(data)
        assert fuzzer.read_and_judge(tmp_path / "NVDA.csv", rng) == "", name
    for name, table in fuzzer.tables().items():
        (tmp_path / "NVDA.parquet").write_bytes(fuzzer.as_parquet(table, packed=True))
        assert fuzzer.read_and_judge(tmp_path / "NVDA.parquet", rng) == "", name
    (tmp_path / "F.zip").write_bytes(fuzzer.zipped(fuzzer.french_text()))
    assert fuzzer.factors_and_judge(tmp_path / "F.zip", rng) == ""


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 3000, "{a=" * 3000, "1e9999", "'''"])
def test_study_files_without_end_or_bottom(value, tmp_path):
    (tmp_path / "study.toml").write_text(f'title = "A"\nevent = "B"\nquestion = {value}\n')
    with pytest.raises(StudyFileError, match=r"study\.toml"):
        load_study(tmp_path)


@pytest.mark.parametrize("ticker", ["A\x07", "\u202e", "A\nB", "\x00"])
def test_an_events_ticker_is_a_word_that_can_be_shown(ticker):
    with pytest.raises(InvalidInput, match="control character") as caught:
        Event(ticker, "2025-01-27")
    assert str(caught.value).isprintable()
