"""What cannot work is said before anything is run, and what was meant is offered."""

from __future__ import annotations

import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput, StudyFileError
from eventstudy.figures import market_scatter
from eventstudy.inference import TESTS

MODEL = es.MarketModel("^GSPC")


@pytest.mark.parametrize(("window", "least", "days"), [((-25, -21), 30, 5), ((-60, -11), 51, 50), ((-20, -20), 3, 1)])
def test_an_estimation_window_that_is_too_short_for_every_event(window, least, days):
    said = rf"has {days} days? and min_estimation asks for {least} .* every event would be dropped"
    with pytest.raises(InvalidInput, match=said):
        es.EventStudy(MODEL, estimation=window, window=(-1, 1), min_estimation=least)
    if days > 3:
        assert es.EventStudy(MODEL, estimation=window, window=(-1, 1), min_estimation=days).min_estimation == days


def test_names_that_are_nearly_right():
    result = es.EventStudy(MODEL, estimation=(-200, -21), window=(0, 0)).run(
        es.load_prices(), [es.Event("AMD", "2024-05-01"), es.Event("MU", "2024-06-27")]
    )
    for given, meant in (("bmp", "bmp_t"), ("wilcoxn", "wilcoxon"), ("Grank_T", "grank_t")):
        assert meant in TESTS
        with pytest.raises(InvalidInput, match=rf"no test '{given}'.*Did you mean {meant}\?"):
            result.test(given)
    for given, meant in (("load_price", "load_prices"), ("Evnt", "Event")):
        with pytest.raises(AttributeError, match=rf"attribute {given}\. Did you mean {meant}\?"):
            getattr(es, given)
    assert not hasattr(es, "__wrapped__")


@pytest.mark.parametrize("level", ["0.95", None, 95, True, float("nan")])
def test_a_level_that_is_no_coverage(level):
    result = es.EventStudy(MODEL, estimation=(-200, -21), window=(0, 0)).run(
        es.load_prices(), [es.Event("AMD", "2024-05-01")]
    )
    with pytest.raises(InvalidInput, match="give a coverage between 0 and 1"):
        market_scatter(result.panel, result.fit, 0, level=level)


@pytest.mark.parametrize("name", ["events.csv", "list.xlsx", "news.txt"])
def test_a_list_of_events_is_no_study_file(name, tmp_path):
    (tmp_path / name).write_text("ticker,date\nAMD,2024-05-01\n", encoding="utf-8")
    with pytest.raises(StudyFileError, match=rf"{name} is no study file.*eventstudy new NAME"):
        es.load_study(tmp_path / name)
