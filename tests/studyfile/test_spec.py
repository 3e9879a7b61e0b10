"""The study file: what it accepts, and what it says about what is wrong."""

from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.errors import StudyFileError
from eventstudy.studyfile.starter import make_starter

STUDY = """
title = "A study"
event = "the news"
events = "events.csv"
"""
EVENTS = "ticker,date\nNVDA,2025-01-27\nMETA,2025-01-27\n"


def write(folder: Path, text: str = STUDY, events: str | None = EVENTS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    if events is not None:
        (folder / "events.csv").write_text(events, encoding="utf-8")
    return folder


def test_defaults_are_the_flagship_design(tmp_path: Path) -> None:
    spec = es.load_study(write(tmp_path / "s"))
    assert spec.model.estimation == es.Window(-270, -21)
    assert spec.model.window == es.Window(-5, 5)
    assert spec.build_model() == es.MarketModel("^GSPC")
    assert spec.headline_tickers() == ("NVDA", "META")
    assert spec.needed_tickers() == ("NVDA", "META", "^GSPC")


def test_folder_and_file_name_the_same_study(tmp_path: Path) -> None:
    folder = write(tmp_path / "s")
    assert es.load_study(folder) == es.load_study(folder / "study.toml")


def test_a_study_runs(tmp_path: Path) -> None:
    result = es.load_study(write(tmp_path / "s")).run()
    assert result.ar.loc["NVDA", 0] == pytest.approx(-0.132451, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = 'x'\n", ("event", "must have this key")),
        (STUDY + "bogus = 1\n", ("bogus", "no such key")),
        (STUDY + "[model]\nkind = 'magic'\n", ("model.kind", "market_model", "magic")),
        (STUDY + "[model]\nestimation = [-21, -270]\n", ("model.estimation", "ends before it starts")),
        (STUDY + "[model]\nwindow = 'five'\n", ("model.window", "[-5, 5]")),
        (STUDY + "[model]\nreport = [[0, 9]]\n", ("model", "not inside the event window")),
        (STUDY + "[model]\nclosed_day = 'later'\n", ("model.closed_day", "next")),
        (STUDY + "timeline = '../secret.csv'\n", ("timeline", "leaves the study's folder")),
        (STUDY.replace("events.csv", "/etc/passwd"), ("events", "leaves the study's folder")),
        ("title = \n", ("not valid TOML",)),
        (
            STUDY + "[[claims]]\nquote='q'\nsource='s'\nticker='NVDA'\nkind='market_value'\nsays='lost'\n",
            ("claims.0", "market_value", "value"),
        ),
        (STUDY + "folder = 'x'\n", ("folder",)),
    ],
)
def test_a_wrong_file_names_the_key(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(es.errors.StudyFileError) as caught:
        es.load_study(write(tmp_path / "s", text))
    for word in (*words, "study.toml"):
        assert word in str(caught.value)


def test_a_missing_study_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(es.errors.StudyFileError, match="eventstudy new"):
        es.load_study(tmp_path / "nowhere")


def test_prices_outside_the_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(es.errors.StudyFileError, match="leaves the study's folder"):
        es.load_study(write(tmp_path / "s", STUDY + "[prices]\nsource = '../prices.csv'\n"))


def test_a_missing_events_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(es.errors.DataMissing, match=r"events\.csv"):
        es.load_study(write(tmp_path / "s", events=None)).run()


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ("who,then\nNVDA,2025-01-27\n", ("events.csv", "ticker", "who")),
        ("ticker,date\nNVDA,01/07/2025\n", ("events.csv", "2025-07-01 or 2025-01-07")),
        ("ticker,date,timing\nNVDA,2025-01-27,evening\n", ("events.csv", "'evening'", "'amc' (after the close)")),
        ("date\n2025-01-29\n", ("events.csv", "how='cross'")),
        ("ticker,date\nNVDA,2025-01-27 17:00\n", ("events.csv", "time zone")),
        ("ticker,date\n", ("events.csv", "no rows")),
    ],
)
def test_wrong_events_name_the_file(tmp_path: Path, events: str, words: tuple[str, ...]) -> None:
    with pytest.raises(es.errors.StudyFileError) as caught:
        es.load_study(write(tmp_path / "s", events=events)).event_list()
    for word in words:
        assert word in str(caught.value)


def test_a_headline_without_event_is_named(tmp_path: Path) -> None:
    spec = es.load_study(write(tmp_path / "s", STUDY + "headline = ['TSLA']\n"))
    with pytest.raises(es.errors.StudyFileError, match="TSLA"):
        spec.event_list()


def test_an_embargo_without_a_zone_is_refused_with_how_to_write_one(tmp_path):
    make_starter(tmp_path / "a")
    file = tmp_path / "a" / "study.toml"
    text = file.read_text(encoding="utf-8")
    for moment in ('"2026-12-01T06:00"', "2026-12-01T06:00:00"):
        file.write_text(f"embargo_until = {moment}\n{text}", encoding="utf-8")
        with pytest.raises(
            StudyFileError, match="embargo_until: has no time zone; add one, such as 2026-12-01T06:00-05:00"
        ):
            es.load_study(file)


def test_a_wrong_claim_names_the_claims_file_alone(tmp_path):
    make_starter(tmp_path / "a")
    file = tmp_path / "a" / "claims.toml"
    file.write_text('[[claims]]\nid = "x"\nkind = "nonsense"\n', encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        es.load_study(tmp_path / "a")
    assert str(caught.value).startswith("a/claims.toml: claim 'x': ")
    assert "study.toml" not in str(caught.value)


def test_two_days_where_windows_are_listed_are_asked_back(tmp_path):
    (tmp_path / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\n")
    (tmp_path / "study.toml").write_text('title = "x"\nevent = "x"\n[model]\nreport = [0, 1]\n')
    with pytest.raises(StudyFileError, match=r"model\.report: \[0, 1\] is no list of windows; write \[\[0, 1\]\]"):
        es.load_study(tmp_path)
