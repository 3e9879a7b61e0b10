"""No sentence that is wrong in one thing is certified, in studies of one and several dates, days and firms; true ones are."""

from __future__ import annotations

from collections import Counter

import pytest
from sentences import NAMES, READ, Truth, further, true_ones, with_a_word, wrong_ones

import eventstudy as es
from eventstudy.figures.titles import numbers_of
from eventstudy.statements import ABNORMAL, RETURN, Numbers, read
from eventstudy.study.said import called, result_numbers

ONE_DATE = [("AVGO", "2024-12-13"), ("MSFT", "2024-12-13"), ("IBM", "2024-12-13")]
DATES = [
    ("MSFT", "2024-07-31"),
    ("AMD", "2024-10-30"),
    ("TSLA", "2024-10-24"),
    ("ORCL", "2024-12-10"),
    ("IBM", "2024-10-24"),
]
STUDIES = {
    "one firm, one day": ([("CRM", "2024-12-04")], (0, 0)),
    "one firm, several days": ([("TSLA", "2024-10-24")], (0, 4)),
    "one date, one day": (ONE_DATE, (0, 0)),
    "one date, several days": (ONE_DATE, (0, 4)),
    "several dates, one day": (DATES, (0, 0)),
    "several dates, several days": (DATES, (0, 4)),
}


def studied(events, usual):
    """Return a truth, what a text may be held against for a figure and for a result, and names."""
    table = es.load_prices([*{t for t, _ in events}, "^GSPC"])
    study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5))
    result = study.run(table, [es.Event(*e) for e in events])
    money = (result.market_value()["raw"] / 1e9).to_dict()
    truth = Truth(table, dict(zip(result.abnormal.keys, events, strict=True)), money)
    figure = numbers_of(result.plot_event_day(usual).facts)
    forms = {key: NAMES[events[i][0]] for i, key in enumerate(result.abnormal.keys)}
    assert all(called(result, i) for i in range(len(events)))
    return truth, (figure, result_numbers(result, result._window(usual))), forms.__getitem__


def tally(events, usual, step=1):
    """Return how many sentences were certified, refused or left to the author, true and wrong, with those that are at odds."""
    truth, (figure, _), bare = studied(events, usual)
    tried, odd = Counter(), []

    def judge(kind, right, text):
        reading = read(text, figure, strict=True)
        found = "certified" if reading.certified else "refused" if reading.problems else "own"
        tried[bool(right), found, kind if not right else ""] += 1
        if found == ("refused" if right else "certified") or (right is None and found != "own"):
            odd.append((kind, right, text, reading.problems))
        elif right and found == "own":
            odd.append(("left", right, text, reading.unread))

    every = 0
    for said in true_ones(truth, usual, bare):
        every += 1
        if every % step:
            continue
        judge("", True, said.text())
        for kind, text in wrong_ones(truth, said, usual, bare):
            judge(kind, False, text)
    for kind, right, text in further(truth, usual, bare, {k: s for k, (s,) in figure.states.items()}):
        judge(kind, right, text)
    return tried, odd


@pytest.mark.parametrize("name", STUDIES)
def test_no_wrong_sentence_is_certified_and_true_ones_are(name):
    tried, odd = tally(*STUDIES[name], step=7)
    wrong = [o for o in odd if not o[1]]
    assert wrong == []
    assert [o for o in odd if o[1]] == []
    assert sum(n for (right, _, _), n in tried.items() if not right) > 400


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_no_wrong_sentence_is_certified_among_all(name):
    _, odd = tally(*STUDIES[name])
    assert odd == []


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (
            "one date, several days",
            ("{who} {does} {w:.1f}% over trading days 0 to +4", "{who} {did} {d:.1f}% on 13 December 2024"),
        ),
        ("one date, one day", ("{who}’s abnormal return was {own:+.1f}%", "Prices of 2 of 3 fell")),
        ("several dates, one day", ("{who} {did} {d:.2f}% on {date}",)),
    ],
)
def test_a_word_put_in_anywhere_is_read_or_makes_it_the_authors_own(name, texts):
    events, usual = STUDIES[name]
    truth, (figure, _), bare = studied(events, usual)
    key = next(iter(truth.events))
    day, window = (truth.value(key, "return", days) for days in ((0, 0), usual))
    fills = {"d": abs(day) * 100, "w": abs(window) * 100, "own": truth.value(key, "abnormal", usual) * 100}
    fills |= {
        "who": bare(key),
        "date": truth.date(key, 0),
        "did": "rose" if day > 0 else "fell",
        "does": "rose" if window > 0 else "fell",
    }
    for text in (t.format(**fills).replace("+-", "−").replace("-", "−") for t in texts):
        assert read(text, figure, strict=True).certified, text
        kept = [(word, other) for word, other in with_a_word(text) if read(other, figure, strict=True).certified]
        assert [other for word, other in kept if word not in READ] == []


# -- Kinds of relation, in studies by hand.

DAX = Numbers(
    names={"Bayer": "BAYN", "Adidas": "ADS", "the Dax": "^GDAXI"},
    values={
        **{("BAYN", RETURN, days): value for days, value in {(0, 0): -0.083, (0, 4): -0.121, (1, 1): 0.012}.items()},
        **{("BAYN", ABNORMAL, days): value for days, value in {(0, 0): -0.079, (0, 4): -0.098, (1, 1): 0.02}.items()},
        **{("ADS", RETURN, days): value for days, value in {(0, 0): 0.031, (0, 4): 0.055, (1, 1): 0.004}.items()},
        **{("ADS", ABNORMAL, days): value for days, value in {(0, 0): 0.03, (0, 4): 0.05, (1, 1): 0.001}.items()},
        ("^GDAXI", RETURN, (0, 4)): -0.01,
    },
    states={"BAYN": ("down",), "ADS": ("up",)},
    raw={"BAYN": -0.121, "ADS": 0.055},
    span=(0, 4),
    spans=frozenset([(0, 0), (0, 4)]),
    more=lambda days: {},
    days_of=lambda date: {
        "3 March 2026": {"BAYN": 0},
        "4 March 2026": {"BAYN": 1, "ADS": -4},
        "9 March 2026": {"BAYN": 4},
        "10 March 2026": {"ADS": 0},
    }.get(date, {}),
)


@pytest.mark.parametrize(
    "text",
    [
        "Bayer fell 12.1%",
        "Bayer fell 8.3% on 3 March 2026",
        "Bayer rose 1.2% on 4 March 2026",
        "Adidas rose 3.1% on 10 March 2026, Bayer fell 8.3% on 3 March 2026",
        "From 3 March 2026 to 9 March 2026, Bayer’s share price fell by 12.1 per cent",
        "Bayer fell 12.1% within five trading days, while Adidas rose 5.5%",
        "Bayer fell less than 13%",
        "One of two fell",
        "One of the two rose, one fell",
        "Bayer lagged Adidas by 17.6 points",
        "Bayer lagged the Dax by 11.1 points",
    ],
)
def test_a_true_sentence_in_ordinary_english_is_certified(text):
    assert read(text, DAX, strict=True).certified, read(text, DAX, strict=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Bayer fell 12.1% on 3 March 2026", "whose return on day 0 is −8.3%"),
        ("Bayer fell 8.3% on 4 March 2026", "whose return on day +1 is +1.2%"),
        ("Bayer fell less than 10%", "whose return is −12.1%"),
        ("Bayer lagged Adidas by 9.8 points", "than ADS"),
        ("Bayer lagged the Dax by 9.8 points", "−11.1 points more than ^GDAXI"),
        ("A 12.1% fall for Bayer and an 8.3% rise for Adidas", "8.3% is said of ADS"),
        ("Two of two fell", "it holds of 1"),
        ("Bayer rose; Adidas rose 5.5%, less than 6%", "'rose' is said of BAYN"),
    ],
)
def test_what_is_read_and_wrong_is_refused_with_what_is_right(text, said):
    problems = read(text, DAX, strict=True).problems
    assert any(said in p for p in problems), problems
    assert not any("is its" in p for p in problems)  # no other number was meant


@pytest.mark.parametrize(
    "text",
    [
        "Bayer fell 12.1% a day",
        "Bayer fell 8.3% on Mar. 3",
        "Bayer fell 8.3% on 3/3/2026",
        "Bayer fell >10%",
        "Bayer fell 12.1% while the market rose",
        "Bayer’s CAR fell 9.8%",
        "Bayer fell 8.3% each day",
        "Bayer fell from 12.1%",
        "Bayer’s market fell 12.1%",
        "Bayer suppliers rose",
        "The market fell 12.1%",
        "Bayer fell 12.1% since 3 March 2026",
        "Bayer fell 8.3% on 10 March 2026",
        "Adidas rose 3.1% on 3 March 2026",
        "Bayer fell 8.3% the next day",
        "Bayer fell 20% within three days",
        "Bayer fell 12.1 percentage points",
        "Bayer lagged 12.1%",
        "Bayer fell below 12.1%",
        "Bayer lost €5bn a share",
        "Bayer fell €12.10",
        "The two fell 3% on average",
        "Most of the two fell",
        "Bayer fell 12.1% over trading days 0 to +4 around 10 March 2026",
    ],
)
def test_what_is_not_read_is_neither_certified_nor_refused(text):
    reading = read(text, DAX, strict=True)
    assert not reading.certified
    assert not reading.problems, reading
