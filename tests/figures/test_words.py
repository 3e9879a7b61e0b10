"""Titles say only what the numbers allow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy import figures
from eventstudy.figures import words as say
from eventstudy.figures.paths import path_title
from eventstudy.inference.market_value import MarketValueChange
from eventstudy.inference.single import car_interval
from eventstudy.statements import verdict
from eventstudy.windows import Window
from eventstudy.wording import percent

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "low", "high", "state"),
    [
        (-0.1, -0.2, -0.01, "down"),
        (0.1, 0.01, 0.2, "up"),
        (0.1, -0.01, 0.2, "unclear"),
        (-0.1, -0.2, 0.0, "unclear"),
        (NAN, NAN, NAN, "missing"),
        (0.1, NAN, NAN, "unclear"),
    ],
)
def test_the_verdict_follows_the_interval(value, low, high, state):
    assert verdict(value, low, high) == state


def test_a_share_that_rose_is_never_said_to_have_fallen():
    assert say.finding(["A"], ["down"], [0.02]) == "A lagged abnormally"
    assert say.finding(["A"], ["up"], [-0.02]) == "A held up abnormally"
    assert say.finding(["A"], ["down"], [-0.02]) == "A fell abnormally"


def test_real_titles(real):
    figure = figures.event_day(real.abnormal, (0, 0), when="27 January 2025")
    assert figure.words.title == "NVDA fell, META rose on 27 January 2025; no clear abnormal change for GOOGL"
    assert len(figure.words.title.replace("27 January 2025", "DATE").split()) <= 12
    days = figures.estimation_days(real.abnormal, 0, when="27 January 2025")
    assert (
        days.words.title == "NVDA’s abnormal fall on 27 January 2025 was beyond all 250 days of the estimation window"
    )


def test_path_titles_speak_of_the_cumulated_paths(real, study):
    figure = figures.car_paths(real.abnormal)
    assert (
        figure.words.title
        == "Abnormal returns cumulated from day −5: only NVDA is clearly below zero by day 0, none by day +5"
    )
    for day, clear in ((0, ["NVDA"]), (5, [])):
        low, high = car_interval(real.abnormal, Window(-5, day), 0.95)
        assert [k for k, out in zip(real.abnormal.keys, (low > 0) | (high < 0), strict=True) if out] == clear
    assert "excludes 0" in figure.words.note
    assert "by day 0, " in figure.words.alt
    one = figures.car_paths(study(1).abnormal).words.title
    assert one == "Abnormal returns cumulated from day −5: F00 is clearly below zero by day 0 and still by day +5"
    flat = figures.car_paths(study(1, (0.0,)).abnormal, level=0.9999).words.title
    assert flat == "Abnormal returns cumulated from day −5: F00 is not clearly off zero by day 0 or day +5"


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("d", "-", "A is clearly below zero by day 0, no longer by day +5"),
        ("-", "u", "A is not clearly off zero by day 0, A is clearly above zero by day +5"),
        ("--", "--", "no path is clearly off zero by day 0 or day +5"),
        ("dd", "dd", "A and B are clearly below zero by day 0 and still by day +5"),
        ("ud", "--", "B is clearly below, A above zero by day 0, none by day +5"),
        ("d-", "-u", "only A is clearly below zero by day 0, only B is clearly above zero by day +5"),
        ("--d", "-xd", "only C is clearly below zero by day 0 and still by day +5; no return for B"),
        ("d----", "-----", "1 of 5 events is clearly below zero by day 0, none by day +5"),
        ("-----", "-----", "none of 5 events is clearly off zero by day 0 or day +5"),
        ("uuu--", "dd---", "3 of 5 events are clearly above zero by day 0, 2 below by day +5"),
        ("ddu--", "du---", "2 of 5 events are clearly below zero, 1 above by day 0; 1 below, 1 above by day +5"),
        (
            "-----",
            "du---",
            "none of 5 events is clearly off zero by day 0, 1 of 5 events is clearly below zero, 1 above by day +5",
        ),
    ],
)
def test_path_titles_for_all_some_and_none(first, last, said):
    word = {"d": "down", "u": "up", "-": "unclear", "x": "missing"}
    states = [[word[c] for c in day] for day in (first, last)]
    assert path_title("ABCDE"[: len(first)], states, Window(-5, 5)) == f"Abnormal returns cumulated from day −5: {said}"


def test_path_titles_of_windows_without_day_zero_and_of_nothing():
    assert (
        path_title(["A"], [["down"]], Window(1, 5))
        == "Abnormal returns cumulated from day +1: A is clearly below zero by day +5"
    )
    assert path_title(["A"], [["missing"]], Window(1, 5)) == "No return for A"
    assert path_title(["A", "B"], [["missing"] * 2], Window(1, 5)) == "No event has a return to judge"


def test_the_title_of_an_average_path_gives_its_end_and_claims_no_more(study):
    made = study(8)
    end = percent(made.abnormal.caar((-5, 5)), 1)
    words = figures.car_paths(made.abnormal).words
    assert words.title == f"Abnormal returns cumulated from day −5: 8 events average {end} by day +5"
    assert "No interval is drawn for the average" in words.note
    assert words.title in words.alt


def test_events_of_one_ticker_are_called_events(dated):
    made = dated(5)
    words = [figures.ranking(made.abnormal).words, figures.car_paths(made.abnormal).words]
    words += [figures.universe(made.abnormal, made.abnormal.keys[:1]).words]
    rows = [change(key, 1e9, -1e9, 2e9, 1e9) for key in made.abnormal.keys]
    words += [figures.dollars([replace(row, ticker="NVDA") for row in rows]).words]
    for each in words:
        assert "event" in each.title
        assert not any(w in f"{each.title} {each.alt}" for w in ("share", "stock", "compan")), each


def test_the_title_flips_with_the_level(real):
    one = real.abnormal.take(np.array([1]))
    assert car_interval(one, Window(0, 0), 0.95)[0][0] > 0 > car_interval(one, Window(0, 0), 0.99)[0][0]
    assert "rose" in figures.event_day(one, 0, level=0.95).words.title
    assert figures.event_day(one, 0, level=0.99).words.title == "No clear abnormal change for META"
    assert "No clear abnormal change" in figures.estimation_days(one, 0, level=0.99).words.title


def test_many_events_are_counted(study):
    made = study(n=9, jump=(-0.2, 0.0, 0.2))
    title = figures.ranking(made.abnormal, when="1 May").words.title
    low, high = car_interval(made.abnormal, Window(0, 0), 0.95)
    down, up = int((high < 0).sum()), int((low > 0).sum())
    assert title == f"{down} of 9 events did clearly worse than expected on 1 May, {up} better"
    assert "No clear abnormal change" in figures.ranking(study(n=9, jump=(0.0,)).abnormal, level=0.9999).words.title


def test_missing_returns_are_named(study):
    made = study(holes=True)
    title = figures.event_day(made.abnormal, 0).words.title
    assert "no return for F00" in title
    assert "No return for F00" in figures.estimation_days(made.abnormal, 0).words.title
    assert "No return for F00" in figures.market_scatter(made.panel, made.fit, 0).words.title


def change(key, abnormal, low, high, raw, reason=""):
    return MarketValueChange(key, key, Window(0, 0), 100.0, 90.0, None, 1e11, raw, abnormal, low, high, 0.95, reason)


def test_dollar_titles():
    lost = change("A", -50e9, -60e9, -40e9, -80e9)
    assert figures.dollars([lost]).words.title == "A lost $80bn, $50bn more than expected"
    assert figures.dollars([replace(lost, raw=20e9)]).words.title == "A gained $20bn, $50bn less than expected"
    assert figures.dollars([replace(lost, raw=-40e9)]).words.title == "A lost $40bn, $50bn below what was expected"
    unclear = change("B", 9e9, -1e9, 19e9, 5e9)
    assert figures.dollars([unclear]).words.title == "No clear abnormal change in market value for B"
    gone = change("C", NAN, NAN, NAN, NAN, "no share count")
    assert "C" in figures.dollars([lost, gone]).words.note
    assert "no market value" in figures.dollars([gone]).words.title


def test_your_own_title_is_kept(real):
    assert figures.event_day(real.abnormal, 0, title="My finding").words.title == "My finding"


def test_the_alternative_text_gives_the_numbers(real):
    alt = figures.event_day(real.abnormal, (0, 0), when="27 January 2025").words.alt
    assert "NVDA −13.2% (−18.3% to −8.2%)" in alt
    assert "95% intervals" in alt
