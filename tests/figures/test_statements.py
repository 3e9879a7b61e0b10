"""One reader holds every text against the numbers: other firms, days, units and words than those of the examples."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from mutations import mutations

import eventstudy as es
from eventstudy import figures
from eventstudy.errors import InvalidInput
from eventstudy.figures.titles import numbers_of
from eventstudy.statements import ABNORMAL, EXPECTED, RETURN, VALUE, Numbers, read
from eventstudy.study.said import result_numbers
from eventstudy.windows import Window

TICKERS = ["AVGO", "AMD", "MSFT", "AAPL", "ORCL", "IBM", "TSLA", "CRM", "^GSPC", "^IXIC"]


@pytest.fixture(scope="module")
def table():
    return es.load_prices(TICKERS)


@pytest.fixture(scope="module")
def studied(table):
    """Broadcom’s forecast of 12 December 2024 after the close, beside two that did little."""
    events = [es.Event(t, "2024-12-13") for t in ("AVGO", "MSFT", "IBM")]
    return es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5)).run(table, events)


@pytest.fixture(scope="module")
def raw(table):
    """Returns of the day and their ends by hand, from adjusted closes alone."""
    days = table.adj_close
    place = days.index.get_loc("2024-12-13")
    return (days.iloc[place] / days.iloc[place - 1] - 1.0).to_dict()


@pytest.fixture(scope="module")
def known(studied):
    return numbers_of(studied.plot_event_day().facts)


def by_hand(table, ticker):
    """The market model of one share by numpy: its abnormal return on the day."""
    r = table.adj_close[[ticker, "^GSPC"]].pct_change(fill_method=None)
    place = r.index.get_loc("2024-12-13")
    past = r.iloc[place - 270 : place - 20]
    slope, intercept = np.polyfit(past["^GSPC"], past[ticker], 1)
    return float(r[ticker].iloc[place] - intercept - slope * r["^GSPC"].iloc[place])


def test_the_numbers_are_those_of_the_prices(studied, table, raw, known):
    for ticker in ("AVGO", "MSFT", "IBM"):
        assert known.value(ticker, RETURN, (0, 0)) == pytest.approx(raw[ticker], rel=1e-9)
        assert known.value(ticker, ABNORMAL, (0, 0)) == pytest.approx(by_hand(table, ticker), rel=1e-8)
    value = studied.market_value().loc["AVGO"]
    assert known.value("AVGO", VALUE, (0, 0)) == pytest.approx(value["raw"], rel=1e-9)


CERTIFIED = [
    "Broadcom rose {raw:.0f}%",
    "AVGO jumped {raw:.2f}%",
    "Broadcom gained ${value:.0f}bn",
    "Broadcom added {value:.0f} billion dollars",
    "Broadcom rose {raw:.1f}%, {own:.1f} percentage points more than expected",
    "Broadcom up {raw:.1f} per cent on 13 December 2024",
    "Broadcom’s abnormal return was +{own:.1f}%",
    "A {raw:.0f}% rise for Broadcom",
    "Broadcom rose more than 24% and gained almost $215bn",
    "Broadcom did better than expected",
    "Broadcom rose by a quarter",
    "Broadcom gained nearly a quarter of its market value",
    "1 of 3 rose abnormally, 0 fell",
    "Broadcom’s CAR was +{own:.1f}%",
    "No clear abnormal change for Microsoft",
    "Microsoft {msft}",
    "AVGO +{raw:.1f}%; MSFT {msft_signed}",
]
DENIED = [
    "Broadcom rose 44%",
    "Broadcom fell {raw:.0f}%",
    "Broadcom rose {own:.1f}%, {raw:.1f} percentage points more than expected",
    "Broadcom gained ${more:.0f}bn",
    "Broadcom gained $0.9 trillion",
    "Broadcom lost ${value:.0f}bn",
    "Broadcom rose 12 points more than expected",
    "Broadcom rose more than 25%",
    "Broadcom rose less than 24%",
    "Broadcom rose nearly 24%",
    "Broadcom rose by a third",
    "Broadcom lost a quarter of its value",
    "Broadcom gained more than a quarter of its value",
    "Broadcom doubled",
    "Microsoft halved",
    "Broadcom outperformed the market by 9 points",
    "Broadcom lagged by {own:.1f} points",
    "Broadcom did not move",
    "Broadcom did not rise",
    "Broadcom closed flat",
    "Broadcom did worse than expected",
    "No clear abnormal change for Broadcom",
    "Broadcom’s abnormal return was −{own:.1f}%",
    "Microsoft rose {raw:.0f}%",
    "Microsoft and IBM rose",
    "Broadcom rose {raw:.0f}% over trading days 0 to +1",
    "Broadcom rose {raw:.1f}% on 16 December 2024",
    "The three rose",
    "1 of 3 rose, 2 fell",
    "The average abnormal return was +40%",
]
OWN = [
    "What a forecast does",
    "Broadcom’s great day",
    "Broadcom rose by a good part",
    "Broadcom rose {raw:.0f}%, its best day ever",
    "Broadcom rose {raw:.0f}% while chips lost 3%",
    "Broadcom rose {raw:.0f}% and Marvell 11%",
    "Broadcom rose to $224.80",
    "Broadcom rose {raw:.0f}% because of artificial intelligence",
    "Broadcom rose {own:.1f}% more than expected",
    "Broadcom rose as much as {more:.0f}%",
    "Broadcom rose up to 26%",
    "Marvell rose {raw:.0f}%",
    "Did Broadcom rise 90%?",
    "No clear change for {still}",
    "Broadcom rose {raw:.0f}% on 6 June 2031",
]


@pytest.fixture(scope="module")
def filled(known):
    raw, own = (known.value("AVGO", what, (0, 0)) * 100 for what in (RETURN, ABNORMAL))
    other = known.value("MSFT", RETURN, (0, 0)) * 100
    value = known.value("AVGO", VALUE, (0, 0)) / 1e9
    words = {
        "raw": raw,
        "own": own,
        "value": value,
        "more": value + 1,
        "msft": f"{'fell' if other < 0 else 'rose'} {abs(other):.1f}%",
        "msft_signed": f"{'−' if other < 0 else '+'}{abs(other):.1f}%",
        "still": "IBM",
    }
    return lambda text: text.format(**words)


@pytest.mark.parametrize("text", CERTIFIED)
def test_what_is_read_from_end_to_end_and_holds_is_certified(text, known, filled):
    reading = read(filled(text), known, strict=True)
    assert reading.certified, reading


@pytest.mark.parametrize("text", DENIED)
def test_what_the_numbers_deny_is_refused(text, known, filled):
    reading = read(filled(text), known, strict=True)
    assert reading.problems, reading
    assert not reading.holds


@pytest.mark.parametrize("text", OWN)
def test_what_cannot_be_read_is_the_authors_own(text, known, filled):
    reading = read(filled(text), known, strict=True)
    assert not reading.problems
    assert not reading.certified


def test_the_refusal_names_the_number_that_is_right(studied, raw):
    with pytest.raises(InvalidInput, match=rf"44% is said of AVGO, whose return is \+{raw['AVGO'] * 100:.1f}%"):
        studied.plot_event_day().with_words(title="Broadcom rose 44%")
    alt = f"Broadcom rose {studied.ar.loc['AVGO', 0] * 100:.2f}%"
    with pytest.raises(InvalidInput, match=r"\(.* is its abnormal return\)"):
        studied.plot_event_day().with_words(alt=alt)


def test_any_text_may_be_kept_unchecked_and_is_then_the_authors_own(studied):
    figure = studied.plot_event_day().with_words(alt="Broadcom rose 44%", note="AVGO fell", unchecked=True)
    assert set(figure.facts.own_words) == {"alt", "note"}
    assert not figure.facts.unchecked  # the title is the package's


@pytest.mark.slow
def test_the_bundle_says_whose_words_they_are(studied, tmp_path, filled):
    figure = studied.plot_event_day()
    for name, title, checked in (
        ("a", filled("Broadcom gained ${value:.0f}bn"), True),
        ("b", "Broadcom’s great day", False),
        ("c", figure.words.title, True),
    ):
        figure.with_words(title=title).save_bundle(name, tmp_path)
        said = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        assert said["title_checked"] is checked
        assert said["own_words"] == ([] if checked else ["title"])


PIECES = (
    "AVGO|Microsoft|fell|rose|lost|did not move|more than expected|less than it seems|percent|percentage points|%|$|592|17.0|0.0|bn|trillion dollars|"
    "US$|−|+|(|)|[−5, +5]|,|;|:|.|?|to|by day 0|over trading days 0 to +1|13 December 2024|2024-99-99|p <0.001|1 of 3|the three|average|or|and|for|in|abnormal|"
    "raw|expected|nearly|as much as|up to|7th|no clear change for|zero|below|is clearly|Abnormal returns cumulated from day −5: |95%|(−18.3% to −8.2%)|"
    "from −7.9% to +11.1%|standard errors|times|the S&P 500|flat"
)


def test_no_text_breaks_the_reader(known):
    rng = np.random.default_rng(0)
    for _ in range(2000):
        words = rng.choice(PIECES.split("|"), rng.integers(1, 14))
        text = "".join(word + (" " if rng.random() < 0.75 else "") for word in words)
        reading = read(text, known, strict=True)
        assert reading.holds or reading.problems or reading.unread


def test_a_threshold_has_no_slack_and_about_has_five_per_cent():
    known = Numbers(names={"X": "X"}, values={("X", RETURN, (0, 0)): -0.1697}, states={"X": ("down",)})
    said = "more than 16.97|more than 16.9|at least 17|under 17|under 16.9|about 16.2|about 16.1|nearly 17.8|nearly 17.9|just over 16.9|well over 16|well over 16.9|nearly 16.9"
    judged = {text: read(f"X fell {text}%", known).certified for text in said.split("|")}
    exact = {"more than": lambda x: x < 16.97, "at least": lambda x: x <= 16.97, "under": lambda x: x > 16.97}
    exact |= {"about": lambda x: 0.95 <= 16.97 / x <= 1.05, "nearly": lambda x: 0.95 <= 16.97 / x < 1}
    exact |= {"just over": lambda x: 1 < 16.97 / x <= 1.05, "well over": lambda x: 16.97 / x > 1.05}
    for text, holds in judged.items():
        word, size = text.rsplit(" ", 1)
        assert holds == exact[word](float(size)), text


# -- Every text of every figure, and the sentence of a result, in designs of many kinds.


def designs(table):
    def run(events, model=None, window=(-5, 5), **options):
        study = es.EventStudy(model=model or es.MarketModel("^GSPC"), window=window, **options)
        return study.run(table, [es.Event(*e) for e in events])

    dates = [("MSFT", "2024-07-31"), ("MSFT", "2024-10-31"), ("AMD", "2024-10-30"), ("TSLA", "2024-10-24"), ("ORCL", "2024-12-10")]  # fmt: skip
    yield run([("AVGO", "2024-12-13")])
    yield run([("MSFT", "2024-07-31"), ("AMD", "2024-07-31")], es.MarketModel("^IXIC"))
    yield run(dates)
    yield run([(t, "2025-04-09", "", g) for t, g in zip(TICKERS[:8], "aabbaabb", strict=True)])
    yield run([("IBM", "2025-01-30"), ("CRM", "2025-01-30")], es.MeanAdjusted())
    yield run([("TSLA", "2024-10-24"), ("IBM", "2024-10-24")], returns="log")
    yield run([("AVGO", "2024-12-13"), ("CRM", "2024-12-04")], window=(1, 5))


def texts_of(result):
    """Yield every text of a result's figures, and its sentences, each with the numbers that it is held against."""
    drawn = [result.plot_event_day(), result.plot_event_day(1, 3), result.plot_car()]
    if 0 in result.abnormal.window:
        drawn += [result.plot_estimation_days(result.events[0]), figures.ranking(result.abnormal, when=result.when())]
        drawn += [figures.universe(result.abnormal, result.events[:2], when=result.when())]
        drawn += [figures.dollars(result.value_changes(Window(0, 0)), when=result.when())]
        drawn += [result.plot_market_model(result.events[-1])] if result.model.benchmark else []
    if result.abnormal.n > 1:
        drawn.append(result.plot_tests(result._window(None)))
    for figure in drawn:
        for part in ("title", "subtitle", "note", "alt"):
            yield f"{figure.facts.kind} {part}", getattr(figure.words, part), numbers_of(figure.facts)
    for window in (None, (1, 3)):
        yield "sentence", result.sentence(window), result_numbers(result, result._window(window))


def changed(name, text, numbers):
    """Yield a text changed in one thing that it says; a subtitle without numbers says nothing."""
    subjects = {n: s for n, s in numbers.names.items() if s in numbers.states or s.startswith("^")}
    for kind, other in mutations(text, subjects):
        # notes of tests are the tests' own; what is said of two alike stays true when they change places
        if other != text and not (kind == "subject" and not read(text, numbers).held) and name != "several_tests alt":
            yield kind, other


@pytest.mark.slow
@pytest.mark.parametrize("which", range(7))
def test_every_text_of_the_package_holds_and_no_changed_number_does(table, which):
    result = list(designs(table))[which]
    tried = 0
    for name, text, numbers in texts_of(result):
        assert read(text, numbers).holds, (name, text, read(text, numbers))
        for kind, other in list(changed(name, text, numbers))[:: 1 if which in (0, 5, 6) else 5]:
            tried += 1
            assert not read(other, numbers).holds, (name, kind, other)
    assert tried > 150


@pytest.mark.slow
def test_titles_of_studies_with_holes_hold(study, dated):
    for made in (study(holes=True), dated(5), study(9, (-0.2, 0.0, 0.2)), study(1, (0.0,))):
        for figure in (
            figures.event_day(made.abnormal),
            figures.car_paths(made.abnormal),
            figures.ranking(made.abnormal),
        ):
            for part in ("title", "subtitle", "note", "alt"):
                text = getattr(figure.words, part)
                assert read(text, numbers_of(figure.facts)).holds, (text, read(text, numbers_of(figure.facts)))


def test_the_sentence_of_a_result(studied, raw):
    said = studied.sentence()
    own = studied.ar[0]
    assert said.startswith(f"AVGO rose {raw['AVGO'] * 100:.1f}%, {own['AVGO'] * 100:.1f} percentage points above what the market’s move explains.")  # fmt: skip
    car = studied.car(0)
    unclear = [t for t in ("AVGO", "MSFT", "IBM") if car.loc[t, "low"] < 0 < car.loc[t, "high"]]
    assert said.count("within its ordinary noise") == len(unclear)
    assert "over trading days 0 to +2" in studied.sentence(0, 2)


def test_index_points_and_sums(studied, table, known):
    close = table.close["^GSPC"]
    place = close.index.get_loc("2024-12-13")
    points = float(close.iloc[place] - close.iloc[place - 1])
    word = "fell" if points < 0 else "rose"
    assert read(f"The S&P 500 {word} {abs(points):.1f} points", known).certified
    assert read(f"The S&P 500 {word} {abs(points) + 1:.1f} points", known).problems
    total = math.fsum(studied.market_value()["raw"]) / 1e9
    assert read(f"The three gained ${total:.0f}bn", known).certified
    assert read(f"The three gained ${total + 1:.0f}bn", known).problems


# -- A bare movement is a finding; its number, or the word price, is of the price alone.

HAND = Numbers(
    names={
        name: key for key, name in (("SIE", "Siemens"), ("BAS", "Basf"), ("VOW", "Volkswagen"), ("^GDAXI", "the Dax"))
    },
    values={
        ("SIE", RETURN, (0, 0)): -0.042,
        ("SIE", ABNORMAL, (0, 0)): -0.012,
        ("SIE", EXPECTED, (0, 0)): -0.030,
        ("BAS", RETURN, (0, 0)): 0.011,
        ("BAS", ABNORMAL, (0, 0)): -0.06,
        ("BAS", EXPECTED, (0, 0)): 0.071,
        ("VOW", RETURN, (0, 0)): -0.51,
        ("VOW", ABNORMAL, (0, 0)): -0.48,
        ("VOW", EXPECTED, (0, 0)): -0.03,
        ("^GDAXI", RETURN, (0, 0)): -0.025,
    },
    states={"SIE": ("unclear",), "BAS": ("down",), "VOW": ("down",)},
    spans=frozenset([(0, 0)]),
)


@pytest.mark.parametrize(
    "text",
    [
        "Volkswagen fell",
        "Volkswagen halved",
        "Volkswagen lost about half of its value",
        "Volkswagen underperformed the market by 48.5 points",
        "Volkswagen lagged the Dax by 48.5 points",  # of the index itself
        "Siemens fell 4.2%",
        "The price of Siemens fell",
        "Prices of 2 of 3 fell",
        "Basf lagged",
        "Basf fell abnormally",
        "Basf rose 1.1%",
        "The price of Basf rose",
        "Basf underperformed by 6 percentage points",
    ],
)
def test_a_movement_that_holds_is_certified(text):
    assert read(text, HAND, strict=True).certified, read(text, HAND, strict=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Siemens fell", "say 'Siemens fell 4.2%'"),
        ("Siemens and Volkswagen slumped", "say 'Siemens fell 4.2%'"),
        ("Basf rose", "say 'Basf rose 1.1%'"),
        ("Basf fell", "a clear abnormal fall (return +1.1%, abnormal −6.0%)"),  # the price rose
        ("Siemens fell abnormally", "no clear abnormal change"),
        ("The price of Basf fell", "return +1.1%"),
        ("2 of 3 fell", "say 'prices of 2 of 3 fell'"),
        ("Siemens halved", "whose return is −4.2%"),
        ("Volkswagen doubled", "whose return is −51.0%"),
        ("Volkswagen lost a third", "whose return is −51.0%"),
        ("Volkswagen lost less than half of its value", "whose return is −51.0%"),
        ("Volkswagen gained half", "whose return is −51.0%"),
        ("Siemens lost two thirds of its market value", "whose return is −4.2%"),
        ("Siemens outperformed by 9 points", "−1.2 points more than expected and −1.7 points more than ^GDAXI"),
        ("Siemens beat the market by 1.2 points", "−1.2 points more"),
        ("Volkswagen trailed the Dax by 40%", "−48.0 points more"),
    ],
)
def test_a_movement_that_does_not_hold_is_refused_with_what_does(text, said):
    problems = read(text, HAND, strict=True).problems
    assert len(problems) == 1, problems
    assert said in problems[0], problems


@pytest.mark.parametrize(
    "text",
    [
        "Did Siemens halve?",
        "Siemens did not lose half of its value",
        "Linde outperformed by 9 points",
        "Half of the Dax",
    ],
)
def test_what_is_asked_denied_or_of_others_stays_the_authors_own(text):
    reading = read(text, HAND, strict=True)
    assert not reading.problems
    assert not reading.certified


def test_points_more_than_expected_are_held_in_studies_of_log_returns(table):
    """Of prices: the return, by hand from closes, less the one that the log market model expects by numpy."""
    logs = np.log(table.adj_close[["CRM", "^GSPC"]]).diff()
    place = logs.index.get_loc("2024-12-04")
    past = logs.iloc[place - 270 : place - 20]
    slope, intercept = np.polyfit(past["^GSPC"], past["CRM"], 1)
    went, expected = np.expm1([logs["CRM"].iloc[place], intercept + slope * logs["^GSPC"].iloc[place]]) * 100
    study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-1, 1), returns="log")
    result = study.run(table, es.Event("CRM", "2024-12-04"))
    index = np.expm1(logs["^GSPC"].iloc[place]) * 100
    for numbers in (result_numbers(result), numbers_of(result.plot_event_day().facts)):
        beyond = went - expected
        right = read(f"CRM rose {went:.1f}%, {beyond:.1f} percentage points more than expected", numbers)
        assert not right.problems
        assert not right.certified  # what is expected is in per cent of its price
        assert read(f"CRM rose {went:.1f}%, {beyond + 1:.1f} points more than expected", numbers).problems
        assert read(f"CRM outperformed the market by {went - index:.1f} points", numbers).certified
        assert read(f"CRM outperformed by {beyond:.1f} points", numbers).certified
        assert read(f"CRM beat the S&P 500 by {went - index:.1f} points", numbers).certified
        assert read(f"CRM outperformed the market by {went + 3:.1f} points", numbers).problems


@pytest.mark.parametrize(
    "model", [es.MarketModel("^GSPC"), es.MeanAdjusted(), es.MarketAdjusted("^GSPC")], ids=lambda m: m.name
)
@pytest.mark.parametrize("returns", ["simple", "log"])
def test_noise_is_said_in_points_of_the_share_that_it_is_of(table, model, returns):
    events = [es.Event(t, "2024-12-13") for t in ("AVGO", "MSFT", "IBM", "CRM")]
    result = es.EventStudy(model=model, returns=returns, window=(-1, 2)).run(table, events)
    for window in (None, (0, 1)):
        said, numbers = result.sentence(window), result_numbers(result, result._window(window))
        assert ": within its ordinary noise." in said
        assert read(said, numbers).holds, read(said, numbers)
        kept = [o for _, o in changed("sentence", said, numbers) if read(o, numbers).holds]
        assert kept == []
        clear = next(part for part in said.split(". ") if part.startswith("AVGO") and "noise" not in part)
        wrong = said.replace(clear, f"{clear.rstrip('.')}: within its ordinary noise")
        assert read(wrong, numbers).problems == ("'within its ordinary noise' is said of AVGO",)
