"""No number of the flagship's sentences can be changed unnoticed, and its headline cannot deny its numbers."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from mutations import mutations

import eventstudy as es
from eventstudy.errors import StudyFileError
from eventstudy.figures.titles import numbers_of
from eventstudy.report.charts import draw_charts
from eventstudy.report.findings import compute
from eventstudy.report.held import read_title
from eventstudy.report.story import CERTIFIED, OWN, sentences, words_of
from eventstudy.statements import read

pytestmark = pytest.mark.slow
FLAGSHIP = Path(__file__).parents[2] / "reports" / "deepseek"


@pytest.fixture(scope="module")
def found():
    return compute(es.load_study(FLAGSHIP))


@pytest.fixture(scope="module")
def charts(found):
    return draw_charts(found)


@pytest.fixture(scope="module")
def texts(found, charts):
    """Every text that the flagship makes of its numbers, by name, with what it is held against."""
    drawn = {
        f"{c.name} {part}": (getattr(c.article.words, part), numbers_of(c.article.facts))
        for c in charts
        for part in ("title", "subtitle", "note", "alt")
    }
    return {**drawn, **sentences(found)}


def test_all_that_the_package_says_is_certified(found, charts, texts):
    for name, (text, numbers) in texts.items():
        assert read(text, numbers).holds, (name, read(text, numbers))
    said = words_of(found, charts)
    assert said.pop("title") == OWN
    assert set(said.values()) == {CERTIFIED}


def test_every_changed_number_sign_unit_subject_and_direction_is_caught(texts):
    tried, caught = Counter(), Counter()
    for text, numbers in texts.values():
        subjects = {n: s for n, s in numbers.names.items() if s in numbers.states or s.startswith("^")}
        says_something = read(text, numbers).held > 0
        for kind, other in mutations(text, subjects):
            if other != text and (kind != "subject" or says_something):
                tried[kind] += 1
                caught[kind] += not read(other, numbers).holds
    assert caught == tried
    assert tried["number"] > 1500
    assert min(tried[kind] for kind in ("sign", "unit", "subject")) > 100


@pytest.mark.parametrize("title", ["Nvidia fell 99%", "Meta rose 12 points more than expected", "Alphabet did not move", "Alphabet lost $592bn"])  # fmt: skip
def test_a_headline_against_the_numbers_is_refused(found, title):
    with pytest.raises(StudyFileError, match=r"title is .* which the numbers deny"):
        read_title(replace(found, spec=found.spec.model_copy(update={"title": title})))


@pytest.mark.parametrize(
    ("title", "certified"),
    [
        ("Nvidia fell 17%", True),
        ("Nvidia lost $592bn", True),
        ("Alphabet fell 4.2%, less than it seems", True),
        ("Meta gained while Nvidia lost a sixth", True),
        ("How the market took it", False),
    ],
)
def test_a_headline_is_certified_where_it_is_read(found, title, certified):
    assert read_title(replace(found, spec=found.spec.model_copy(update={"title": title}))).certified is certified


def test_the_manifest_says_whose_words_they_are(built_once):
    words = json.loads((built_once.folder / "manifest.json").read_text(encoding="utf-8"))["words"]
    assert words["title"] == OWN  # "Two firms"
    assert {words[name] for name in ("standfirst", "method", "2 events at once")} == {CERTIFIED}
