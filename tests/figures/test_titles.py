"""Titles are compared with the numbers: the package's own, on simulated studies, and those that people give."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from eventstudy import figures
from eventstudy.errors import InvalidInput
from eventstudy.figures import words as say
from eventstudy.figures.recipe import Facts
from eventstudy.figures.titles import title_problems
from eventstudy.figures.words import count_finding
from eventstudy.inference.market_value import MarketValueChange
from eventstudy.inference.single import car_interval
from eventstudy.statements import verdict
from eventstudy.windows import Window

FACTS = Facts(
    "event_day",
    {
        "NVDA": ("down",),
        "META": ("up",),
        "GOOGL": ("unclear",),
        "Rise Corp": ("unclear",),
        "LAG": ("down",),
        "X": ("missing",),
    },
    {"NVDA": -0.17, "META": 0.019, "GOOGL": -0.042, "Rise Corp": 0.01, "LAG": 0.01, "X": float("nan")},
)


@pytest.mark.parametrize(
    "title",
    [
        "NVDA fell, META rose; no clear change for GOOGL",
        "NVDA plunges as META climbs",
        "META rose after NVDA slumped",
        "A rise of META, a fall of NVDA",
        "Nvidia fell sharply",
        "GOOGL did not fall",
        "Did GOOGL fall?",
        "Rise Corp, no clear change",
        "What Rise Corp tells of the market",
        "NVDA’s fall was beyond all 250 days of the estimation window",
        "LAG lagged",
        "LAG gained 1%, less than expected",
        "LAG gained 1%",  # its return did
        "No clear change for GOOGL; NVDA down 17%",
        "Shares in NVDA lost up to 17%",
    ],
)
def test_what_the_numbers_carry_may_be_said(title):
    assert title_problems(title, FACTS) == []


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("GOOGL fell on 27 January 2025", "'fell' is said of GOOGL"),
        ("NVDA and GOOGL fell", "'fell' is said of GOOGL"),
        ("NVDA rose", "'rose' is said of NVDA, where the numbers show a clear abnormal fall"),
        ("META fell sharply", "'fell' is said of META, where the numbers show a clear abnormal rise"),
        ("NVDA fell; so did not META, but GOOGL slumped", "'slumped' is said of GOOGL"),
        ("A plunge of GOOGL", "'plunge' is said of GOOGL"),
        ("All shares fell", "'fell' does not hold of"),
        ("Rise Corp rose", "'rose' is said of Rise Corp"),
        ("X gained", "'gained' is said of X, where the numbers show no return"),
        ("GOOGL UP 3%", "3% is said of GOOGL, whose return is −4.2%"),
        ("LAG gained 2%", "2% is said of LAG, whose return is +1.0%"),
    ],
)
def test_what_they_do_not_carry_is_found(title, said):
    problems = title_problems(title, FACTS)
    assert len(problems) == 1
    assert problems[0].startswith(said)


TRIO = Facts(
    "event_day",
    {"NVDA": ("down",), "META": ("unclear",), "GOOGL": ("unclear",)},
    {"NVDA": -0.17, "META": 0.01, "GOOGL": -0.04},
)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Meta surged", "'surged' is said of META"),
        ("Meta Platforms surged", "'surged' is said of META"),
        ("Alphabet fell", "'fell' is said of GOOGL"),
        ("Google fell", "'fell' does not hold of META and GOOGL"),  # a name that nobody gave
        ("Facebook fell", "'fell' is said of META"),
        ("Chip shares fell", "'fell' does not hold of META and GOOGL"),
        ("GOOGL fell, not META", "'fell' is said of GOOGL"),
        ("No clear abnormal change for META, Alphabet fell", "'fell' is said of GOOGL"),
        ("META did not fall as Alphabet rose", "'rose' is said of GOOGL"),
        ("2 of 3 fell", "'fell' is said of 2 of 3; it holds of 1; 2 prices fell, 1 clearly abnormally"),
        ("1 of 3 fell", "'fell' is said of 1 of 3; it holds of 1; 2 prices fell, 1 clearly abnormally"),
    ],
)
def test_names_of_companies_are_known_and_what_nobody_is_named_for_must_hold_of_all(title, said):
    facts = replace(TRIO, names={"META": "Facebook"})
    problems = title_problems(title, facts, strict=True)
    assert len(problems) == 1
    assert problems[0].startswith(said)


@pytest.mark.parametrize(
    "title",
    [
        "Nvidia sank",
        "Nvidia fell 17%; no clear change for Meta or Alphabet",
        "Nvidia sank, Meta did not",
        "Neither Meta nor Alphabet fell",
        "1 of 3 fell abnormally",
        "Prices of 2 of 3 fell",
        "Did Google fall?",
        "No clear fall, no rise",
    ],
)
def test_what_holds_may_be_said_by_name(title):
    assert title_problems(title, TRIO, strict=True) == []


def test_a_name_that_two_shares_have_means_neither():
    twins = Facts("event_day", {"GOOG": ("down",), "GOOGL": ("unclear",)}, {})
    assert title_problems("Alphabet fell", twins, strict=True)
    assert not title_problems("GOOG fell", twins, strict=True)


def test_a_subject_without_a_name_needs_one_event_that_moved():
    still = Facts("event_day", {"GOOGL": ("unclear",)}, {"GOOGL": -0.04})
    assert title_problems("Alphabet fell", still)
    assert not title_problems("No clear abnormal change for Alphabet", still)
    (unmoved,) = title_problems("Alphabet unmoved", still)
    assert unmoved == "'unmoved' is said of GOOGL, whose return is −4.0%; what is not clear is an abnormal change"
    assert not title_problems("Anything fell", Facts("event_day", {"A": ("down", "unclear")}, {}))
    paths = Facts("car_paths", {"A": ("down", "unclear")}, {"A": -0.1})
    assert not title_problems("A fell by day 0, no longer by day +5", paths)


def test_titles_against_the_numbers_are_refused_everywhere(real):
    made = figures.event_day(real.abnormal, 0)
    with pytest.raises(InvalidInput, match=r"'fell' is said of META.*a clear abnormal rise.*unchecked=True"):
        figures.event_day(real.abnormal, 0, title="META fell sharply")
    with pytest.raises(InvalidInput, match="'fell' is said of GOOGL"):
        made.with_words(title="NVDA and GOOGL fell")
    with pytest.raises(InvalidInput, match="title is empty"):
        made.with_words(title=" ")
    with pytest.raises(InvalidInput, match="alt is empty"):
        made.with_words(alt="")
    # the same words at 99 %, where META's interval includes zero
    figures.event_day(real.abnormal, 0, title="META rose")
    with pytest.raises(InvalidInput, match="'rose' is said of META"):
        figures.event_day(real.abnormal, 0, level=0.99, title="META rose")


@pytest.mark.slow
def test_an_unchecked_title_is_marked(real, tmp_path):
    figure = figures.event_day(real.abnormal, 0).with_words(title="META fell sharply", unchecked=True)
    assert figure.words.title == "META fell sharply"
    assert figure.words.note.endswith("The title is not checked against the numbers.")
    figure.at_size("phone").save_bundle("x", tmp_path)
    said = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert said["title_checked"] is False
    assert "not checked" in (tmp_path / "x.html").read_text(encoding="utf-8")
    assert figure.with_words(title="NVDA fell").words.note == figures.event_day(real.abnormal, 0).words.note


def test_words_are_replaced_in_a_new_figure(real):
    first = figures.car_paths(real.abnormal, source="S")
    second = first.with_words(alt="A line chart of my own.", subtitle="Sub", note="N", source="T")
    assert (second.words.alt, second.words.subtitle, second.words.note, second.words.source) == ("A line chart of my own.", "Sub", "N", "T")  # fmt: skip
    assert second.words.title == first.words.title
    assert first.words.alt != second.words.alt
    assert b"A line chart of my own." in figures.svg_bytes(second)
    assert second.data.equals(first.data)


# -- the package's own titles --------------------------------------------------------------------------------------


def drawn(made):
    low, high = car_interval(made.abnormal, Window(0, 0), 0.95)
    ar = made.abnormal.sums(Window(0, 0)).car
    changes = [
        MarketValueChange(k, k, Window(0, 0), 1.0, 1.0, None, 1e12, a * 1e12, a * 1e12, lo * 1e12, hi * 1e12, 0.95)
        for k, a, lo, hi in zip(made.abnormal.keys, ar, low, high, strict=True)
    ]
    yield figures.event_day(made.abnormal, 0)
    yield figures.event_day(made.abnormal, (-1, 1))
    yield figures.car_paths(made.abnormal)
    yield figures.ranking(made.abnormal)
    yield figures.universe(made.abnormal, made.abnormal.keys)
    yield figures.universe(made.abnormal, [])
    yield figures.dollars(changes)
    for i in range(made.abnormal.n):
        yield figures.estimation_days(made.abnormal, i)
        yield figures.market_scatter(made.panel, made.fit, i)


@pytest.mark.slow
@pytest.mark.parametrize(("jump", "count"), [(0.0, 6), (-0.05, 2), (0.05, 2)])
def test_every_own_title_passes_the_check_on_simulated_studies(studies, jump, count):
    for made in studies(count, jump, seed=int(1e4 * (jump + 1))):
        for figure in drawn(made):
            assert title_problems(figure.words.title, figure.facts) == [], figure


@pytest.mark.slow
def test_without_effect_a_title_claims_a_movement_as_often_as_the_level_says(studies):
    claims, n = 0, 0
    for made in studies(40, 0.0, n=25, seed=11):
        low, high = car_interval(made.abnormal, Window(0, 0), 0.95)
        for i in range(made.abnormal.n):
            value = float(made.abnormal.sums(Window(0, 0)).car[i])
            title = say.finding(["A"], [verdict(value, float(low[i]), float(high[i]))], [value])
            moved = "fell" in title or "rose" in title
            assert moved == (not low[i] <= 0 <= high[i])
            assert moved or title == "No clear abnormal change for A"
            claims, n = claims + moved, n + 1
    # 1000 events at 5 %: within four standard errors
    assert abs(claims / n - 0.05) < 4 * (0.05 * 0.95 / n) ** 0.5


def test_counts_that_chance_gives_are_no_finding():
    assert (
        count_finding(["down"] + ["unclear"] * 39)
        == "1 of 40 events had a clear abnormal return, no more than chance gives"
    )
    # P(at least 5 of 40 at 5 %) = 4.8 %, P(at least 4) = 13.8 %
    assert "chance" in count_finding(["down"] * 4 + ["unclear"] * 36)
    assert (
        count_finding(["down"] * 5 + ["unclear"] * 35) == "5 of 40 events did clearly worse than expected, none better"
    )
    assert "chance" in count_finding(["down"] * 5 + ["unclear"] * 35, level=0.9)
    assert (
        count_finding(["unclear"] * 3, "on 1 May", noun="stocks")
        == "No clear abnormal change for any of 3 stocks on 1 May"
    )


# -- marks -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", list(figures.SIZES))
def test_a_mark_is_seen_and_hides_nothing(real, misplaced, texts, size):
    plain = figures.event_day(real.abnormal, 0, size=size)
    figure = plain.marked("EMBARGO UNTIL 1 December 2026, 06:00 in New York")
    assert misplaced(figure) == []
    said = [t.get_text() for t in texts(figure) if t.get_gid().startswith("notice")]
    assert " ".join(said) == "EMBARGO UNTIL 1 December 2026, 06:00 in New York"
    pale = [t for t in texts(figure) if t.get_gid().startswith("status")]
    assert [t.get_text() for t in pale] == ["EMBARGO"]
    # the large word lies under everything else, and nothing of the plot is lost
    others = [a for a in [*figure.texts, *figure.artists, *figure.axes] if a not in pale]
    assert all(a.get_zorder() > pale[0].get_zorder() for a in others)
    kept = [t.get_text() for t in texts(figure) if t.get_gid().split("-")[0] not in ("notice", "status")]
    assert kept == [t.get_text() for t in texts(plain)]
    assert figure.words.alt == f"EMBARGO UNTIL 1 December 2026, 06:00 in New York. {plain.words.alt}"
    assert figures.svg_bytes(figure.marked("")) == figures.svg_bytes(plain)


@pytest.mark.slow
def test_a_figure_is_laid_out_anew_for_another_size(real):
    for size in ("phone", "print-52"):
        made = figures.car_paths(real.abnormal).at_size(size)
        assert figures.svg_bytes(made) == figures.svg_bytes(figures.car_paths(real.abnormal, size=size))
