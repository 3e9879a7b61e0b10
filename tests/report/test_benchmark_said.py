"""What the page says of a benchmark that holds the events' own firms is held against the numbers of its check."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mutations import mutations

import eventstudy as es
from eventstudy.report.held import benchmark_numbers, headline_numbers, turned_headlines
from eventstudy.report.story import benchmark_sentence
from eventstudy.statements import read
from eventstudy.study.said import result_sentence
from eventstudy.wording import p_text, percent

NAMES = {"MSFT": "Microsoft", "META": "Meta", "TSLA": "Tesla", "^GSPC": "the S&P 500"}


def found(result, benchmark):
    """Return what the sentence needs of a report's findings."""
    spec = SimpleNamespace(names=NAMES, call=lambda t: NAMES.get(t, t), model=SimpleNamespace(benchmark=benchmark))
    return SimpleNamespace(headline=result, everyone=result, spec=spec, variants=())


def index(returns="simple", **days):
    study = es.EventStudy(es.MarketModel("^GSPC"), estimation=(-200, -11), window=(-1, 1), returns=returns)
    return found(study.run(es.load_prices(), [es.Event(t, d) for t, d in days.items()]), "^GSPC")


def tokyo(firms, of):
    """Return a study of firms against the mean of more of them."""
    rng = np.random.default_rng(2)
    days = es.exchange_sessions("XTKS", "2022-01-04", "2024-06-28")
    moves = rng.normal(0, 0.009, (len(days), 1)) + rng.normal(0, 0.015, (len(days), of))
    table = pd.DataFrame(moves, days, [f"{7000 + i}.T" for i in range(of)]).assign(MEAN=moves.mean(axis=1))
    study = es.EventStudy(es.MarketModel("MEAN"), estimation=(-200, -11), window=(-1, 1), calendar="XTKS")
    return found(study.run(table, [es.Event(t, days[-30]) for t in table.columns[:firms]]), "MEAN")


@pytest.mark.parametrize(
    "f",
    [
        index(NVDA="2025-01-27"),
        index(MSFT="2025-01-30", META="2025-01-30", TSLA="2025-01-30"),
        index("log", NVDA="2025-01-27", AAPL="2025-01-27", GOOGL="2025-01-27", AVGO="2025-01-27", AMZN="2025-01-27"),
        index(MSFT="2025-01-30", NVDA="2025-01-27", GOOGL="2025-02-05"),
        tokyo(11, 12),
        tokyo(5, 5),
    ],
)
def test_every_changed_number_sign_and_subject_is_caught(f):
    text, numbers = benchmark_sentence(f), benchmark_numbers(f)
    assert text
    assert read(text, numbers).holds, read(text, numbers)
    subjects = {n: s for n, s in numbers.names.items() if s in numbers.states or s.startswith("^")}
    kept = [o for _, o in mutations(text, subjects) if o != text and o not in text and read(o, numbers).holds]
    assert kept == []


def test_a_verdict_turns_for_those_only_whose_p_crosses_the_line():
    f = index(NVDA="2025-01-27", META="2025-01-27", GOOGL="2025-01-27")
    text, numbers = benchmark_sentence(f), benchmark_numbers(f)
    assert text.endswith("The verdict turns for GOOGL and Meta.")
    wrong = read(text.replace("for GOOGL and Meta.", "for GOOGL and NVDA."), numbers)
    assert wrong.problems == ("'verdict turns for GOOGL and NVDA' is said of NVDA",)


def test_a_benchmark_that_holds_nothing_of_them_is_not_spoken_of():
    assert benchmark_sentence(index(IBM="2025-01-30")) == ""


def test_the_page_and_the_check_leave_out_the_same_firms_the_events_of_that_date():
    study = es.EventStudy(es.MarketModel("^GSPC"), estimation=(-200, -11), window=(-1, 1))
    few, many = ("META", "GOOGL"), ("META", "GOOGL", "NVDA", "AVGO", "TSLA")
    runs = [study.run(es.load_prices(), [es.Event(t, "2025-01-27") for t in firms]) for firms in (few, many)]
    f = SimpleNamespace(**{**vars(found(runs[0], "^GSPC")), "everyone": runs[1]})
    text, numbers = benchmark_sentence(f), benchmark_numbers(f)
    check = next(c for c in runs[1].checks if c.name == "Benchmark without the events' firms")
    rows = {r.name: r for r in check.rows}
    assert "holds 5 of the events’ firms, among them: " in text
    assert "Without all 5 in it the abnormal return of" in text
    assert read(text, numbers).holds, read(text, numbers)
    for name in few:
        assert (
            f"{percent(rows[name].change)} (p {p_text(rows[name].p)}) becomes {percent(rows[name].against_rest)}"
            in text
        )
    subjects = {n: s for n, s in numbers.names.items() if s in numbers.states or s.startswith("^")}
    assert [o for _, o in mutations(text, subjects) if o != text and o not in text and read(o, numbers).holds] == []
    turned = turned_headlines(f)
    assert set(turned) == {k for k in few if rows[k].turns}
    said = result_sentence(f.headline, es.Window(0, 0), NAMES, turned)
    assert read(said, headline_numbers(f)).holds
