"""The house style that a study file names, and marks on the figures of a report."""

from __future__ import annotations

import json

import pytest

from eventstudy import figures
from eventstudy.errors import StudyFileError
from eventstudy.figures.house_style import default_style
from eventstudy.report.charts import draw_charts, style_input, style_of
from eventstudy.report.findings import compute
from eventstudy.studyfile.spec import load_study
from eventstudy.studyfile.starter import make_starter


@pytest.fixture
def folder(tmp_path):
    return make_starter(tmp_path / "mine")


def with_style(folder, line, style=""):
    file = folder / "study.toml"
    file.write_text(f"{line}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    if style:
        (folder / "house.toml").write_text(style, encoding="utf-8")
    return load_study(folder)


def test_without_a_key_it_is_the_style_in_use(folder, tmp_path):
    spec = load_study(folder)
    assert style_of(spec) == default_style()
    assert style_input(spec) == {}
    (tmp_path / "other.toml").write_text("[signature]\nrights = 'X'\n")
    with figures.use_style(tmp_path / "other.toml") as style:
        assert style_input(spec) == {"style": style.digest}


def test_a_style_outside_the_folder_is_refused(folder):
    with pytest.raises(StudyFileError, match=r"style: '\.\./house\.toml' leaves the study's folder"):
        with_style(folder, 'style = "../house.toml"')


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("", r"study\.toml: style: The style file .*house\.toml is missing"),
        ("[x]", r"study\.toml: style: house\.toml: x: no such key"),
    ],
)
def test_a_wrong_style_names_both_files(folder, style, said):
    spec = with_style(folder, 'style = "house.toml"', style)
    with pytest.raises(StudyFileError, match=said):
        style_of(spec)


@pytest.mark.slow
def test_a_report_is_drawn_in_its_style_and_marked(folder):
    spec = with_style(folder, 'style = "house.toml"', "[palette]\nline = '#123456'\n[signature]\nrights = '© Mine'\n")
    found = compute(spec)
    charts = draw_charts(found, "DRAFT")
    assert style_input(spec)["style"] == charts[0].article.recipe.style.digest
    for chart in charts:
        for figure in (chart.article, chart.phone):
            assert figure.words.alt.startswith("DRAFT. ")
            assert figure.facts.inputs["prices"]
    by_name = {c.name: c.article for c in charts}
    assert b"#123456" in figures.svg_bytes(by_name["car_paths"])
    said = json.loads(figures.bundle.bundle_contents(by_name["event_day"], "x")["x.json"])
    assert (said["rights"], said["mark"]) == ("© Mine", "DRAFT")
    assert said["parameters"]["study"]["benchmark"] == "^GSPC"


def as_final(folder):
    """A starter study is a draft."""
    file = folder / "study.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('status = "draft"', 'status = "final"'), encoding="utf-8")
    return folder


EMBARGO = 'embargo_until = "2999-12-01T06:00-05:00"\nstyle = "house.toml"'


@pytest.mark.slow
def test_a_result_of_a_study_file_draws_in_its_style_with_its_mark(folder, tmp_path):
    result = with_style(as_final(folder), EMBARGO, "[palette]\nfall = '#123456'\n").run()
    result.plot_event_day().save_bundle("car", tmp_path)
    said = json.loads((tmp_path / "car.json").read_text(encoding="utf-8"))
    assert said["mark"] == "EMBARGO UNTIL 1 December 2999, 06:00 -05:00"
    assert said["embargo_until"] == "2999-12-01T06:00:00-05:00"
    style = result.presentation.style
    assert said["inputs"]["style"] == style.digest
    for figure in (
        result.plot_car(),
        result.plot_market_model("NVDA"),
        result.plot_estimation_days("NVDA"),
        result.plot_ranking(),
    ):
        assert figure.facts.mark == said["mark"]
        assert figure.recipe.style == style
    assert figures.style.current_style() == default_style()
    result.save(tmp_path / "all")
    assert said["mark"] in (tmp_path / "all" / "figures" / "event_day.svg").read_text(encoding="utf-8")


def test_the_mark_of_a_study_can_be_taken_away_and_a_final_study_has_none(folder):
    draft = load_study(folder).run().plot_event_day()
    assert (draft.facts.mark, draft.marked("").facts.mark) == ("DRAFT", "")
    assert load_study(as_final(folder)).run().plot_event_day().facts.mark == ""


def test_the_kernel_is_told_the_mark_of_all_figures(folder, monkeypatch):
    monkeypatch.setenv("EVENTSTUDY_MARK", "DRAFT")
    monkeypatch.setenv("EVENTSTUDY_EMBARGO_UNTIL", "2999-12-01T06:00:00-05:00")
    result = load_study(as_final(folder)).run()
    assert result.plot_event_day().facts.mark == "DRAFT"
    assert figures.event_day(result.abnormal, 0).facts.embargo_until == "2999-12-01T06:00:00-05:00"
