"""Titles say only what the numbers allow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy import figures
from eventstudy.figures import words as say
from eventstudy.market_value import MarketValueChange, car_interval
from eventstudy.windows import Window

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
    assert say.verdict(value, low, high) == state


def test_a_share_that_rose_is_never_said_to_have_fallen():
    assert say.finding(["A"], ["down"], [0.02]) == "A lagged"
    assert say.finding(["A"], ["up"], [-0.02]) == "A held up"
    assert say.finding(["A"], ["down"], [-0.02]) == "A fell"


def test_real_titles(real):
    figure = figures.event_day(real.abnormal, (0, 0), when="27 January 2025")
    assert figure.words.title == "NVDA fell, META rose on 27 January 2025; no clear change for GOOGL"
    assert len(figure.words.title.replace("27 January 2025", "DATE").split()) <= 12
    days = figures.ordinary_days(real.abnormal, 0, when="27 January 2025")
    assert days.words.title == "NVDA’s fall on 27 January 2025 was beyond all 250 ordinary days"


def test_path_titles_tell_the_day_and_the_end(real, study):
    assert figures.car_paths(real.abnormal).words.title == "NVDA fell, META rose on day 0; by day +5 no clear change"
    assert figures.car_paths(study(1).abnormal).words.title == "F00 fell on day 0; by day +5 F00 was down"
    assert (
        figures.car_paths(study(1, (0.0,)).abnormal, level=0.9999).words.title
        == "No clear change for F00 over days −5 to +5"
    )


def test_the_title_flips_with_the_level(real):
    one = real.abnormal.take(np.array([1]))
    assert car_interval(one, Window(0, 0), 0.95)[0][0] > 0 > car_interval(one, Window(0, 0), 0.99)[0][0]
    assert "rose" in figures.event_day(one, 0, level=0.95).words.title
    assert figures.event_day(one, 0, level=0.99).words.title == "No clear change for META"
    assert "No clear change" in figures.ordinary_days(one, 0, level=0.99).words.title


def test_many_events_are_counted(study):
    made = study(n=9, jump=(-0.2, 0.0, 0.2))
    title = figures.ranking(made.abnormal, when="1 May").words.title
    low, high = car_interval(made.abnormal, Window(0, 0), 0.95)
    down, up = int((high < 0).sum()), int((low > 0).sum())
    assert title == f"{down} of 9 did clearly worse than expected on 1 May, {up} better"
    assert "No clear change" in figures.ranking(study(n=9, jump=(0.0,)).abnormal, level=0.9999).words.title


def test_missing_returns_are_named(study):
    made = study(holes=True)
    title = figures.event_day(made.abnormal, 0).words.title
    assert "no return for F00" in title
    assert "No return for F00" in figures.ordinary_days(made.abnormal, 0).words.title
    assert "No return for F00" in figures.market_scatter(made.panel, made.fit, 0).words.title


def change(key, abnormal, low, high, raw, reason=""):
    return MarketValueChange(key, key, Window(0, 0), 100.0, 90.0, None, 1e11, raw, abnormal, low, high, 0.95, reason)


def test_dollar_titles():
    lost = change("A", -50e9, -60e9, -40e9, -80e9)
    assert figures.dollars([lost]).words.title == "A lost $80bn, $50bn more than expected"
    assert figures.dollars([replace(lost, raw=20e9)]).words.title == "A gained $20bn, $50bn less than expected"
    unclear = change("B", 9e9, -1e9, 19e9, 5e9)
    assert figures.dollars([unclear]).words.title == "No clear change in market value for B"
    gone = change("C", NAN, NAN, NAN, NAN, "no share count")
    assert "C" in figures.dollars([lost, gone]).words.note
    assert "no dollars" in figures.dollars([gone]).words.title


def test_a_title_of_ones_own_is_kept(real):
    assert figures.event_day(real.abnormal, 0, title="My finding").words.title == "My finding"


def test_the_alternative_text_gives_the_numbers(real):
    alt = figures.event_day(real.abnormal, (0, 0), when="27 January 2025").words.alt
    assert "NVDA −13.2% (−18.3% to −8.2%)" in alt
    assert "95% intervals" in alt
