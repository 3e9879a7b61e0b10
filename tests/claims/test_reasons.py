"""A reason is read evenly, whatever word gives it; an order of time and a measure are none."""

from __future__ import annotations

import pytest
from sentences_of_causes import CAUSES as AS_PRINTED
from sentences_of_causes import NONE as WITHOUT

from eventstudy.claims.causes import reason_in
from eventstudy.claims.ruling import allows, tolerance
from eventstudy.wording import billions

REASONS = (
    "rose on strong results",
    "fell on weaker-than-expected earnings",
    "dropped on disappointing sales data",
    "climbed on the improved outlook",
    "slid on China’s demand worries",
    "slid over softer demand",
    "was buoyed by strong results",
    "was hit by weak sales",
    "was dragged down by a profit warning",
    "jumped 4% on Tuesday on Q4 earnings",
    "rose amid strong results",
    "rose thanks to strong results",
    "fell on fears of a slowdown",
    "was lifted by hopes of a deal",
    "rose as voters backed the government",
    "surges as customers choose its trucks",
    "fell 5% as tariffs bite",
    "rose 4% as the board bet on cloud",
    "sank as its drug failed",
)
NONE = (
    "rose on Monday",
    "fell 9% on Thurs.",
    "fell as expected",
    "rose as markets closed",
    "fell 3% as trading began",
    "fell as chip stocks sold off",
    "fell as other carmakers slid",
    "rose as the biggest gainer of the day",
    "lost almost as much as its rivals",
    "rose on 27 January",
    "rose on the day",
    "rose on the day of the results",
    "rose on Tuesday after strong results",
    "rose 4% following results",
    "rose by 4%",
    "had risen by the close",
    "rose on earnings day",
    "rose on Wednesday before its earnings",
    "the largest firm by sales fell 3%",
    "the largest as measured by revenue fell",
    "based on data of the exchange it fell 3%",
    "on 27 January results were published",
)


@pytest.mark.parametrize("quote", REASONS)
def test_a_cause_is_a_reason(quote: str) -> None:
    assert reason_in(quote)


@pytest.mark.parametrize("quote", NONE)
def test_a_time_or_a_measure_is_no_reason(quote: str) -> None:
    assert reason_in(quote) == ""


def test_bounds_have_the_digits_in_print_and_their_unit_once() -> None:
    found = allows("about", 150.0, tolerance("about", 150.0), lambda v: f"{v:,.10g}", " points")
    assert found == "“about 150 points” allows 142.5 to 157.5 points"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.54e9, "+$0.5bn"), (-9.94e9, "−$9.9bn"), (9.96e9, "+$10bn"), (-592e9, "−$592bn"), (0.0, "$0bn")],
)
def test_below_ten_billions_one_decimal(value: float, text: str) -> None:
    assert billions(value) == text


def test_causes_are_found_by_grammar_whatever_they_are() -> None:
    """Of sentences written down before they were read: 14 of 68 were found by a list of words, without a false alarm."""
    found = [bool(reason_in(s)) for s in AS_PRINTED]
    false = [s for s in WITHOUT if reason_in(s)]
    assert len(found) >= 60
    assert len(WITHOUT) >= 60
    assert sum(found) / len(found) >= 0.95
    assert false == []


def test_what_the_share_itself_does_is_no_reason() -> None:
    assert reason_in("Nvidia’s shares rattled Wall Street", ["Nvidia"]) == ""
    assert reason_in("Nvidia’s shares rattled Wall Street", ["the S&P 500"])
