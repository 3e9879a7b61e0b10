"""Verdicts follow the numbers and the wording: the rules by themselves."""

import math
from dataclasses import replace

import pytest

from eventstudy.claims.evidence import Move
from eventstudy.claims.moves import verdict_of_calm, verdict_of_impact, verdict_of_move
from eventstudy.claims.ruling import (
    Ruling,
    joint_ruling,
    judge_amount,
    missing_text,
    moved,
    printed_precision,
    tolerance,
)
from eventstudy.wording import dollars


def move(raw: float, low: float, high: float) -> Move:
    return Move(raw, (low + high) / 2, low, high, tail_low=-0.03, tail_high=0.035, compared=250)


@pytest.mark.parametrize(
    ("says", "wording", "raw", "low", "high", "verdict"),
    [
        ("fell", "", -0.17, -0.18, -0.08, "supported"),
        ("fell", "", -0.04, -0.05, 0.01, "supported"),
        ("fell", "", 0.02, 0.002, 0.08, "contradicted"),
        ("rose", "", 0.02, 0.002, 0.08, "supported"),
        ("rose", "", -0.02, -0.08, -0.002, "contradicted"),
        ("fell", "", 0.0, -0.01, 0.01, "contradicted"),
        ("fell", "sharply", -0.031, -0.05, -0.001, "supported"),
        ("fell", "sharply", -0.029, -0.05, -0.001, "overstated"),
        ("fell", "sharp", -0.031, -0.05, 0.001, "supported"),
        ("rose", "sharply", 0.034, 0.001, 0.05, "overstated"),
        ("rose", "sharply", 0.036, 0.001, 0.05, "supported"),
        ("fell", "sharply", 0.036, 0.001, 0.05, "contradicted"),
        ("fell", "slightly", -0.029, -0.05, 0.05, "supported"),
        ("fell", "slightly", -0.031, -0.05, 0.05, "understated"),
        ("rose", "slightly", 0.034, -0.05, 0.05, "supported"),
        ("rose", "slightly", 0.036, -0.05, 0.05, "understated"),
        ("plunged", "", -0.029, -0.05, -0.001, "overstated"),
        ("slumped", "", -0.031, -0.05, 0.001, "supported"),
        ("soared", "", 0.036, 0.001, 0.05, "supported"),
        ("edged down", "", -0.031, -0.05, 0.05, "understated"),
        ("slipped", "", -0.029, -0.05, 0.05, "supported"),
        ("did not fall", "", 0.0, -0.01, 0.01, "supported"),
        ("did not fall", "", -0.001, -0.01, 0.01, "contradicted"),
        ("did not plunge", "", -0.029, -0.05, -0.001, "supported"),
        ("did not plunge", "", -0.031, -0.05, -0.001, "contradicted"),
        ("did not rise", "", -0.01, -0.02, 0.01, "supported"),
        ("failed to recover", "", -0.01, -0.02, 0.01, "supported"),
        ("failed to recover", "", 0.0, -0.02, 0.01, "contradicted"),
        ("recovered", "", 0.0, -0.02, 0.01, "supported"),
    ],
)
def test_direction(says: str, wording: str, raw: float, low: float, high: float, verdict: str) -> None:
    assert verdict_of_move(says, wording, move(raw, low, high)) == verdict


@pytest.mark.parametrize("wording", ["", "sharply", "slightly"])
@pytest.mark.parametrize("raw", [-0.031, -0.02, -0.005])
def test_an_index_and_a_share_are_judged_by_one_rule(wording: str, raw: float) -> None:
    nan = math.nan
    index = Move(raw, nan, nan, nan, -0.03, 0.03, 250, yardstick=True)
    share = replace(index, yardstick=False, abnormal=raw, low=raw - 0.04, high=raw + 0.04)
    assert verdict_of_move("fell", wording, index) == verdict_of_move("fell", wording, share)


@pytest.mark.parametrize("raw", [step / 1000 for step in range(-60, 61, 3) if step])
@pytest.mark.parametrize("tails", [(-0.03, 0.035), (-0.01, 0.05), (0.002, 0.04), (-0.05, -0.004)])
def test_what_is_too_large_to_be_slight_is_not_no_change(raw: float, tails: tuple[float, float]) -> None:
    for noise in (0.0005, 0.004, 0.02):
        there = Move(raw, raw, raw - noise, raw + noise, *tails, 250)
        says = "fell" if raw < 0 else "rose"
        slight, calm = verdict_of_move(says, "slightly", there), verdict_of_calm(there)
        assert not (slight == "understated" and calm == "supported")
        assert (slight == "understated") == (verdict_of_move(says, "sharply", there) == "supported")


def test_without_estimation_days_nothing_is_sharp_or_slight() -> None:
    nan = math.nan
    young = Move(-0.01, -0.02, -0.03, -0.01, nan, nan, 0)
    assert verdict_of_move("fell", "sharply", young) == "not testable here"
    assert verdict_of_move("fell", "slightly", young) == "not testable here"
    assert verdict_of_move("fell", "", young) == "supported"
    assert verdict_of_move("fell", "", Move(nan, nan, nan, nan, nan, nan, 0)) == "not testable here"


@pytest.mark.parametrize(
    ("wording", "raw", "low", "high", "verdict"),
    [
        ("", 0.02, -0.06, 0.057, "not visible in prices"),
        ("", 0.02, -0.18, -0.08, "supported"),
        ("", 0.02, 0.01, 0.03, "contradicted"),
        ("sharp", -0.02, -0.18, -0.08, "overstated"),
        ("sharp", -0.05, -0.18, -0.08, "supported"),
    ],
)
def test_an_impact_is_judged_by_the_abnormal_return(
    wording: str, raw: float, low: float, high: float, verdict: str
) -> None:
    assert verdict_of_impact("fell", wording, move(raw, low, high)) == verdict


@pytest.mark.parametrize(
    ("claimed", "wording", "computed", "verdict"),
    [
        (600, "almost", 592, "supported"),
        (600, "nearly", 570, "supported"),
        (600, "nearly", 569, "overstated"),
        (600, "almost", 600, "understated"),
        (600, "almost", 602.9, "understated"),
        (18.8, "almost", 16.97, "overstated"),
        (30, "about", 28.27, "overstated"),
        (30, "almost", 28.27, "overstated"),
        (600, "just over", 600, "overstated"),
        (600, "just over", 629, "supported"),
        (600, "just over", 631, "understated"),
        (600, "well over", 629, "overstated"),
        (600, "well over", 631, "supported"),
        (600, "well below", 571, "understated"),
        (600, "well below", 569, "supported"),
        (600, "shy of", 592, "supported"),
        (600, "north of", 592, "overstated"),
        (600, "topped", 600, "overstated"),
        (600, "topped", 600.01, "supported"),
        (600, "at least", 600, "supported"),
        (600, "at most", 600, "supported"),
        (600, "no more than", 600.01, "understated"),
        (600, "fewer than", 600, "understated"),
        (600, "some", 592, "supported"),
        (600, "exactly", 592, "overstated"),
        (600, "exactly", 600.4, "supported"),
        (600, "almost", 604, "understated"),
        (600, "more than", 598, "overstated"),
        (600, "more than", 599.99, "overstated"),
        (600, "more than", 592, "overstated"),
        (600, "at least", 9000, "supported"),
        (600, "about", 571, "supported"),
        (600, "about", 631, "understated"),
        (600, "less than", 300, "supported"),
        (600, "under", 604, "understated"),
        (600, "up to", 500, "overstated"),
        (600, "", 594.5, "supported"),
        (600, "", 592, "overstated"),
        (1000, "", 951, "supported"),
        (1000, "", 949, "overstated"),
        (592.7, "", 589, "supported"),
        (600, "almost", -592, "contradicted"),
        (600, "almost", 0, "contradicted"),
    ],
)
def test_amounts_by_wording(claimed: float, wording: str, computed: float, verdict: str) -> None:
    assert judge_amount(computed / claimed, tolerance(wording, claimed, dollars=True)) == verdict


@pytest.mark.parametrize(
    ("claimed", "computed", "verdict"),
    [(16.97, 16.968, "supported"), (16.97, 16.96, "overstated"), (17, 16.968, "supported"), (17, 16.4, "overstated")],
)
def test_a_plain_percentage_is_as_fine_as_its_digits(claimed: float, computed: float, verdict: str) -> None:
    assert judge_amount(computed / claimed, tolerance("", claimed, dollars=False)) == verdict


@pytest.mark.parametrize(
    ("value", "half_unit"), [(600, 5), (592.7, 0.05), (1000, 50), (1.5, 0.05), (4.2, 0.05), (0.1, 0.005), (17, 0.5)]
)
def test_precision_of_a_printed_number(value: float, half_unit: float) -> None:
    assert printed_precision(value) * value == pytest.approx(half_unit)


def test_one_ruling_for_several_companies() -> None:
    yes, no = Ruling("supported", "A fell."), Ruling("contradicted", "B rose.")
    assert joint_ruling([("A", yes)], "x") is yes
    assert joint_ruling([("A", yes), ("B", yes)], "x").verdict == "supported"
    both = joint_ruling([("A", yes), ("B", no)], "which company is meant")
    assert both.verdict == "depends on"
    assert both.condition == "which company is meant: supported for A; contradicted for B"
    assert [r.verdict for r in both.readings] == ["supported", "contradicted"]


def test_words() -> None:
    assert dollars(-592.34e9) == "$592.3bn"
    assert moved("the index", 0.0) == "The index did not move"
    assert moved("the index", -0.00004) == "The index fell less than 0.01%"
    assert missing_text([str(i) for i in range(20)], most=2) == "20 (0, 1, …)"
