"""Verdicts follow the numbers: change a price and the verdict changes."""

import math

import pytest

from eventstudy.claims import judge_direction, judge_impact, judge_value


@pytest.mark.parametrize(
    ("says", "raw", "low", "high", "verdict"),
    [
        ("fell", -0.17, -0.18, -0.08, "supported"),
        ("fell", -0.04, -0.05, 0.01, "supported in price only"),
        ("fell", 0.02, 0.002, 0.08, "contradicted"),
        ("rose", 0.02, 0.002, 0.08, "supported"),
        ("rose", -0.02, -0.08, -0.002, "contradicted"),
        ("fell", 0.0, -0.01, 0.01, "contradicted"),
    ],
)
def test_direction(says: str, raw: float, low: float, high: float, verdict: str) -> None:
    assert judge_direction(says, raw, (low + high) / 2, low, high)[0] == verdict


def test_direction_without_a_return_is_not_testable() -> None:
    assert judge_direction("fell", math.nan, math.nan, math.nan, math.nan)[0] == "not testable here"


@pytest.mark.parametrize(
    ("raw", "wording", "verdict"),
    [
        (-592e9, "almost", "supported"),
        (-601e9, "almost", "understated"),
        (-520e9, "almost", "overstated"),
        (-592e9, "more than", "overstated"),
        (-592e9, "about", "supported"),
        (30e9, "almost", "contradicted"),
    ],
)
def test_loss_of_600_billion(raw: float, wording: str, verdict: str) -> None:
    found, sentence = judge_value("lost", 600e9, wording, raw, "24.477bn shares")
    assert found == verdict
    assert "24.477bn shares" in sentence


def test_a_gain_is_judged_as_a_gain() -> None:
    assert judge_value("gained", 119e9, "about", 118.9e9, "")[0] == "supported"
    assert judge_value("gained", 119e9, "about", -118.9e9, "")[0] == "contradicted"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.06, 0.057, "not visible in prices"), (-0.18, -0.08, "supported"), (0.01, 0.03, "contradicted")],
)
def test_an_impact_is_judged_by_the_abnormal_return(low: float, high: float, verdict: str) -> None:
    assert judge_impact("fell", 0.02, (low + high) / 2, low, high)[0] == verdict
