"""Generated inputs are right, refused or told, never silently wrong; ``tools/drive_inputs.py`` drives two thousand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "drive_inputs.py"
SEED = 11
EXCHANGES = [
    "XNYS",
    "XTSE",
    "BVMF",
    "XLON",
    "XETR",
    "XJSE",
    "XSAU",
    "XTAE",
    "XTKS",
    "XASX",
    "XNZE",
    "24/7",
]  # a calendar takes a second


@pytest.fixture(scope="module")
def driver():
    spec = importlib.util.spec_from_file_location("drive_inputs", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["drive_inputs"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["drive_inputs"]


@pytest.mark.slow
@pytest.mark.faults
def test_sixty_inputs(driver, tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "EXCHANGES", EXCHANGES)
    found = driver.drive(60, SEED, tmp_path)
    shown = [(k, driver.unusual(found.specs[k]), found.verdicts[k]) for k in found.failures]
    assert shown == []
    outcomes = [v.outcome for v in found.verdicts]
    assert outcomes.count("right") >= 20  # refusing everything proves nothing


@pytest.fixture
def ordinary(driver):
    spec = {}
    for part, allowed in driver.PARTS.items():
        spec[part] = allowed(spec)[0]
    return spec


@pytest.mark.parametrize(
    "way", ["source='x.csv'", "semicolons", "parquet", "source=table", "polars", "from_frame", "returns", "files"]
)
def test_ordinary_inputs_are_right(driver, ordinary, way, tmp_path):
    spec = ordinary | {"way": way}
    spec["layout"] = driver.PARTS["layout"](spec)[0]
    assert driver.judge_spec(spec, (SEED, 1), tmp_path)[1].outcome == "right"


def test_the_judge_sees_a_day_too_early(driver, ordinary, tmp_path, monkeypatch):
    made = driver.make_events
    monkeypatch.setattr(
        driver, "make_events", lambda case, rng: made(case, rng) and case.market.days[case.market.at - 1]
    )
    verdict = driver.judge_spec(ordinary, (SEED, 1), tmp_path)[1]
    assert (verdict.outcome, verdict.cause) == ("SILENTLY WRONG", "the day")


def test_the_judge_sees_raw_closes(driver, ordinary, tmp_path, monkeypatch):
    made = driver.make_tables

    def raw_only(case, rng):
        return {name: table.assign(adj_close=table["close"]) for name, table in made(case, rng).items()}

    monkeypatch.setattr(driver, "make_tables", raw_only)
    verdict = driver.judge_spec(ordinary | {"adjusted": "beside raw"}, (SEED, 1), tmp_path)[1]
    assert (verdict.outcome, verdict.cause) == ("SILENTLY WRONG", "raw closes")


def test_the_truth_is_least_squares_on_the_returns(driver, ordinary):
    market = driver.make_market(ordinary, np.random.default_rng(1))
    right = driver.truth(market.adjusted, market, ordinary)
    y, x = [], []
    for t in range(market.at - 100, market.at - 10):
        before, after = market.adjusted.iloc[t - 1], market.adjusted.iloc[t]
        y.append(after.iloc[0] / before.iloc[0] - 1)
        x.append(after.iloc[-1] / before.iloc[-1] - 1)
    beta, alpha = np.polyfit(x, y, 1)
    for k, value in zip(range(-2, 3), right, strict=True):
        before, after = market.adjusted.iloc[market.at + k - 1], market.adjusted.iloc[market.at + k]
        moved, index = after.iloc[0] / before.iloc[0] - 1, after.iloc[-1] / before.iloc[-1] - 1
        assert value == pytest.approx(moved - alpha - beta * index, abs=1e-12)
