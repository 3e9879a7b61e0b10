"""The contract of the result: what it shows, what it writes, what it says of tests that do not apply."""

from __future__ import annotations

import hashlib
import inspect
import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from trio import DAY, EVENTS, TRIO

import eventstudy as es
from eventstudy.inference import STANDARD, TESTS
from eventstudy.study import export

ONE = ("t", "t_pe", "sq", "permutation")


# -- what it shows -------------------------------------------------------------------------------------------------------


def test_the_flagships_numbers(result):
    """Raw moves of 27 January 2025 as reported, and the abnormal part against the S&P 500."""
    assert result.returns[0].round(4).to_dict() == {"NVDA": -0.1697, "META": 0.0191, "GOOGL": -0.0420}
    assert result.ar[0].round(4).to_dict() == {"NVDA": -0.1325, "META": 0.0410, "GOOGL": -0.0241}
    assert result.panel.sessions.unique().tolist() == [pd.Timestamp(DAY)]
    first = result.panel.calendar[result.panel.position[0] - 270]
    last = result.panel.calendar[result.panel.position[0] - 21]
    assert (f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}") == ("2023-12-27", "2024-12-23")


def test_abnormal_returns_are_a_table_of_events_by_relative_day(result):
    assert isinstance(result.ar, pd.DataFrame)
    assert result.ar.shape == (3, 11)
    assert result.ar.index.tolist() == list(TRIO)
    assert result.ar.columns.tolist() == list(range(-5, 6))
    assert (result.ar.index.name, result.ar.columns.name) == ("event", "day")
    for table in (result.sar, result.returns):
        assert table.shape == (3, 11)


def test_car_is_one_row_an_event_with_error_t_p_and_interval(result):
    table = result.car(0, 1)
    assert table.index.tolist() == list(TRIO)
    assert table.columns.tolist()[:8] == ["car", "se", "t", "p_value", "low", "high", "df", "n_days"]
    assert ((table["low"] < table["car"]) & (table["car"] < table["high"])).all()
    wide, narrow = result.car(0, 1, level=0.99), result.car(0, 1, level=0.5)
    assert (wide["low"] < table["low"]).all()
    assert (narrow["high"] < table["high"]).all()
    # An interval leaves zero out exactly if the test of the same level rejects.
    assert ((table["low"] > 0) | (table["high"] < 0)).equals(table["p_value"] < 0.05)


@pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.1, float("nan")])
def test_a_level_is_a_share(result, level):
    with pytest.raises(es.errors.InvalidInput, match="give a coverage between 0 and 1"):
        result.car(0, 1, level=level)


def test_the_table_of_tests(result):
    table = result.tests(window=(0, 1))
    assert table.index.name == "test"
    assert {"statistic", "df", "p_value", "n", "applicable", "variant", "note"} <= set(table.columns)
    recommended = result.recommended((0, 1)).sentence.removeprefix("Recommended: ").partition(". ")[0].split(", ")
    assert table.index.tolist()[: len(recommended)] == recommended
    assert set(table.index) == {
        *recommended,
        "placebo",
        *STANDARD,
    }  # three firms of one date: their portfolio beside them
    assert table["recommended"].tolist() == [name in recommended for name in table.index]


def test_what_is_no_window_and_no_name_of_a_test_is_answered(result):
    with pytest.raises(es.errors.InvalidInput, match="Only the last day, 1, is given"):
        result.car(end=1)
    with pytest.raises(es.errors.InvalidInput, match="names is 5; give names of tests"):
        result.tests((0, 1), names=5)
    assert [w["window"] for w in result.to_dict((0, 1))["averages"]] == [[0, 1]]


def test_a_note_says_what_a_test_overlooks_here_and_how_it_was_computed(result):
    notes = result.tests((0, 1))["note"]
    assert notes["csect_t"] == "assumes no cross-sectional dependence"
    assert notes["cda_t"] == "assumes no event-induced variance; T_E = 250"
    assert notes["kp_bmp_t"].startswith("mean correlation ")


def test_all_tests_include_those_of_one_event_with_their_reason(result):
    table = result.tests(window=(0, 1), names="all")
    assert set(table.index) == set(TESTS)
    for name in ONE:
        assert not table.loc[name, "applicable"]
        assert table.loc[name, "note"] == "it tests one event at a time; give event="
        assert np.isnan(table.loc[name, "p_value"])


def test_tests_of_one_named_event(result):
    table = result.tests(window=(0, 0), event="NVDA")
    assert set(table.index) == set(ONE)
    assert table.index.tolist()[0] == "t_pe"
    assert table.index[table["recommended"]].tolist() == ["t_pe"]
    assert table.loc["t_pe", "statistic"] == pytest.approx(result.car(0).loc["NVDA", "t"], rel=1e-12)


def test_tests_by_name_keep_the_order_asked(result):
    assert result.tests(names=["wilcoxon", "bmp_t"]).index.tolist() == ["wilcoxon", "bmp_t"]
    assert result.tests(names="bmp_t").index.tolist() == ["bmp_t"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r: r.test("anova"), r"no test 'anova'; the tests are t, t_pe"),
        (lambda r: r.tests(names=["anova"]), "no test 'anova'"),
        (
            lambda r: r.test("patell_z", variant="old"),
            "patell_z knows variant scar, csar, per_event, wrds; 'old' was given",
        ),
        (lambda r: r.test("csect_t", variant="scar"), "csect_t has no options; 'variant' was given"),
        (lambda r: r.test("grank_t", resale=True), "grank_t has the option rescale; 'resale' was given"),
        (
            lambda r: r.test("permutation", (0, 1), event="NVDA", draws=0),
            "draws is 0; give a whole number of at least 1",
        ),
        (lambda r: r.bhar(0, 1, against="index"), "choose 'benchmark' or 'expected'"),
    ],
)
def test_wrong_names_and_options_say_what_there_is(result, call, words):
    with pytest.raises(es.errors.InvalidInput, match=words):
        call(result)


#: Every method that takes a window, and what two answers that are the same have in common.
BY_WINDOW = {
    "car": lambda r, *days, **window: r.car(*days, **window).to_csv(),
    "caar": lambda r, *days, **window: r.caar(*days, **window),
    "bhar": lambda r, *days, **window: r.bhar(*days, **window).to_csv(),
    "market_value": lambda r, *days, **window: r.market_value(*days, **window).to_csv(),
    "test": lambda r, *days, **window: r.test("bmp_t", *days, **window).statistic,
    "tests": lambda r, *days, **window: r.tests(*days, **window).to_csv(),
    "run_tests": lambda r, *days, **window: [t.window for t in r.run_tests(*days, **window)[0]],
    "adjusted": lambda r, *days, **window: r.adjusted(*days, **window).to_csv(),
    "sentence": lambda r, *days, **window: r.sentence(*days, **window),
    "recommended": lambda r, *days, **window: str(r.recommended(*days, **window)),
    "plot_event_day": lambda r, *days, **window: r.plot_event_day(*days, **window).words.alt,
    "plot_tests": lambda r, *days, **window: r.plot_tests(*days, **window).words.alt,
}


def test_every_method_that_takes_a_window_is_looked_at():
    windowed = {
        name
        for name, method in inspect.getmembers(es.EventStudyResult, inspect.isfunction)
        if "end" in inspect.signature(method).parameters and not name.startswith("_")
    }
    assert windowed == set(BY_WINDOW)
    for name in windowed:
        parameters = [*inspect.signature(getattr(es.EventStudyResult, name)).parameters.values()]
        after = parameters[[p.name for p in parameters].index("end") + 1 :]
        assert all(p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in after), name


@pytest.mark.parametrize("name", BY_WINDOW)
def test_a_window_is_given_in_one_way(result, name):
    ask = BY_WINDOW[name]
    wanted = ask(result, 0, 1)
    assert ask(result, (0, 1)) == ask(result, [0, 1]) == ask(result, es.Window(0, 1)) == wanted
    assert ask(result, window=(0, 1)) == ask(result, window=0, end=1) == wanted
    assert ask(result) == ask(result, 0) == ask(result, (0, 0)) == ask(result, 0, 0) != wanted


@pytest.mark.parametrize("name", BY_WINDOW)
@pytest.mark.parametrize(
    ("days", "words"),
    [
        (
            ((0, 1), "NVDA"),
            r"given as \(0, 1\), 'NVDA'; give two days, 0, 1, or one pair, \(0, 1\), and everything else by its",
        ),
        ((es.Window(0, 1), 2), r"given as Window\(0, 1\), 2; give two days"),
        ((0, 1.5), r"given as 0, 1.5; give two days"),
        ((True, 1), r"given as True, 1; give two days"),
        (("0", "1"), r"given as '0', '1'; give two days"),
        (("event day",), r"'event day' is not a window; give a pair of relative days such as \(-5, 5\), or one day"),
        (((0, 1, 2),), r"\(0, 1, 2\) is not a window; give a pair"),
        ((1, 0), r"Window \(1, 0\) ends before it starts; did you mean \(0, 1\)\?"),
        ((0, 6), r"window \[0, \+6\]"),
    ],
)
def test_no_window_is_answered_with_what_is_allowed(result, name, days, words):
    with pytest.raises(es.errors.InvalidInput, match=words):
        BY_WINDOW[name](result, *days)


def test_a_study_without_day_0_is_asked_for_its_whole_window_by_default(prices):
    study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(1, 3))
    after = study.run(prices, [es.Event(t, DAY) for t in TRIO])
    assert after.caar() == after.caar(1, 3)
    assert after.recommended().window == es.Window(1, 3)


def test_tab_completion_leaves_out_what_few_need(result):
    advanced = {
        "abnormal",
        "fit",
        "panel",
        "presentation",
        "locate",
        "run_tests",
        "value_changes",
        "source_line",
        "when",
    }
    shown = {name for name in dir(result) if not name.startswith("_")}
    assert not shown & advanced
    assert {"ar", "car", "tests", "recommended", "plot_car", "save", "audit", "checks"} <= shown
    for name in advanced:
        assert hasattr(result, name)
        assert f"``{name}``" in inspect.getdoc(es.EventStudyResult).split("Advanced")[1]


def test_every_public_method_documents_its_arguments():
    for name, method in inspect.getmembers(es.EventStudyResult, inspect.isfunction):
        if name.startswith("_") or name in ("locate", "run_tests", "value_changes", "source_line", "when"):
            continue
        said = inspect.getdoc(method)
        for parameter in [p for p in inspect.signature(method).parameters if p != "self"]:
            assert re.search(rf"^(\w+, )*\**{parameter}(, \w+)* : ", said, re.M), f"{name}: {parameter}"


def test_an_unknown_event_is_answered_with_the_events(result):
    with pytest.raises(es.errors.DataMissing, match="No event is called 'AMZN'; name one of NVDA, META, GOOGL"):
        result.test("t_pe", event="AMZN")


def test_a_ticker_with_two_events_must_be_named_with_its_day(study, prices):
    two = study.run(prices, [es.Event("NVDA", DAY), es.Event("NVDA", "2024-06-03")])
    with pytest.raises(
        es.errors.DataMissing, match="Several events answer to 'NVDA'; name one of NVDA 2025-01-27, NVDA 2024"
    ):
        two.locate("NVDA")
    assert two.locate("NVDA 2024-06-03") == 1


def test_the_printed_summary_has_no_address_and_no_clock(study, prices, result):
    again = study.run(prices, EVENTS)
    for show in (repr, lambda r: r._repr_html_()):
        text = show(result)
        assert text == show(again)
        assert "0x" not in text
        assert not re.search(r"\d{1,2}:\d{2}", text)
        assert "0.000" not in text
        assert "nan" not in text.lower().replace("nancy", "")
        for word in (*TRIO, DAY, "2025-06-30", "^GSPC"):
            assert word in text
    assert repr(result).startswith("Event study")
    assert "assumes no cross-sectional dependence" in repr(result)


def test_the_specification_prints_its_constructor_call(study):
    assert repr(study).startswith("EventStudy(model=MarketModel(benchmark='^GSPC'), estimation=Window(-270, -21)")
    space = {"EventStudy": es.EventStudy, "MarketModel": es.MarketModel, "Window": es.Window}
    assert eval(repr(study), space) == study  # noqa: S307 - its own constructor call


def test_the_html_summary_is_a_table_with_headers(result):
    html = result._repr_html_()
    assert html.count("<table>") == 2
    assert '<th scope="row">NVDA</th>' in html


def test_buy_and_hold_compounds(result):
    held = (1 + result.returns.loc["NVDA", 0:1]).prod() - (1 + result.abnormal.benchmark_returns[0, 5:7]).prod()
    assert result.bhar(0, 1)["NVDA"] == pytest.approx(held, rel=1e-12)
    assert result.bhar(0, 0, against="expected")["NVDA"] == pytest.approx(result.ar.loc["NVDA", 0], rel=1e-12)


def test_buy_and_hold_needs_simple_returns_and_a_benchmark(prices):
    event = es.Event("NVDA", DAY)
    log = es.EventStudy(model=es.MarketModel("^GSPC"), returns="log").run(prices, event)
    with pytest.raises(es.errors.InvalidInput, match="returns='simple'"):
        log.bhar(0, 1)
    mean = es.EventStudy(model=es.MeanAdjusted()).run(prices, event)
    with pytest.raises(es.errors.InvalidInput, match="use against='expected'"):
        mean.bhar(0, 1)
    assert np.isfinite(mean.bhar(0, 1, against="expected")).all()


def test_log_returns_are_the_logarithms_of_simple_ones(prices, result):
    log = es.EventStudy(model=es.MarketModel("^GSPC"), returns="log").run(prices, es.Event("NVDA", DAY))
    np.testing.assert_allclose(log.returns.loc["NVDA"], np.log1p(result.returns.loc["NVDA"]), rtol=1e-9)
    assert "log returns" in repr(log)


def test_a_model_without_coefficients_has_no_regression(prices):
    adjusted = es.EventStudy(model=es.MarketAdjusted("^GSPC")).run(prices, es.Event("NVDA", DAY))
    with pytest.raises(es.errors.InvalidInput, match="market-adjusted model estimates no coefficients"):
        adjusted.regression("NVDA")


# -- one event -------------------------------------------------------------------------------------------------------------


def test_one_event_gets_the_tests_of_one_event(single):
    table = single.tests((0, 0))
    assert set(table.index) == set(ONE)
    assert table["applicable"].all()
    assert "Average over" not in repr(single)


def test_tests_of_many_say_why_one_event_is_too_few(single):
    table = single.tests((0, 0), names="all")
    assert "smallest two-sided p-value is about 0.08" in table.loc["corrado_rank_z", "note"]
    for name in ("csect_t", "bmp_t", "kp_bmp_t", "grank_t"):
        assert not table.loc[name, "applicable"]
        assert "at least two events" in table.loc[name, "note"]
    assert table.loc[~table["applicable"], ["statistic", "p_value"]].isna().all(axis=None)


def test_no_ordinary_day_as_extreme_is_not_a_p_below_a_thousandth(single):
    """250 ordinary days can say `2/251`, as published `below 2/250`, no more."""
    assert single.test("sq", (0, 0)).p_value == pytest.approx(2 / 251)
    assert "sq p = 0.008" in repr(single)
    sq = single.test("sq", (0, 0), variant="paper")
    assert (sq.p_value, sq.details["k"], sq.details["m"]) == (0.0, 0.0, 250.0)
    assert sq.p_text == "< 0.008"
    assert "p < 0.008" in str(sq)
    assert single.test("permutation", (0, 0)).p_value == pytest.approx(1 / 251)


def test_a_test_prints_itself_as_a_sentence(result, single):
    text = str(result.test("kp_bmp_t", (0, 1)))
    assert text.startswith("BMP, correlation-adjusted (kp_bmp_t), [0, +1], n = 3. H0: the mean abnormal return")
    assert re.search(r"Statistic -?\d\.\d{3} ~ t\(2\), p = 0\.\d{3}\.$", text)
    assert str(single.test("bmp_t")).endswith(
        "Does not apply: it needs at least two events; for one event use t_pe, sq or permutation."
    )
    assert "~ N(0, 1), p" in str(result.test("patell_z"))


# -- files ------------------------------------------------------------------------------------------------------------------


def test_the_result_as_plain_values_survives_json(result):
    plain = result.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["specification"]["benchmark"] == "^GSPC"
    nvda = plain["events"][0]
    assert (nvda["ticker"], nvda["session"], nvda["n_est"]) == ("NVDA", DAY, 250)
    assert nvda["abnormal_return"] == result.ar.loc["NVDA", 0]
    assert nvda["car"]["[0, +1]"]["car"] == result.car(0, 1).loc["NVDA", "car"]
    assert set(nvda["tests"]["[0, 0]"]) == set(ONE)
    assert plain["averages"][0]["tests"]["kp_bmp_t"]["recommended"] is True


def test_a_study_without_day_zero_can_be_shown_and_written_as_values(prices):
    late = es.EventStudy(model=es.MarketModel("^GSPC"), window=(1, 5)).run(prices, EVENTS)
    assert "[+1, +5]" in repr(late)
    plain = late.to_dict(windows=((0, 0), (1, 5)))
    assert plain["events"][0]["abnormal_return"] is None
    assert list(plain["events"][0]["car"]) == ["[+1, +5]"]


def test_missing_numbers_are_null_in_json(study, prices):
    table = prices.returns()
    table.loc[DAY, "NVDA"] = np.nan
    plain = study.run(table, EVENTS).to_dict()
    assert plain["events"][0]["abnormal_return"] is None
    assert plain["events"][1]["abnormal_return"] is not None
    json.dumps(plain, allow_nan=False)


@pytest.mark.slow
def test_a_saved_result_is_whole_and_matches_its_manifest(result, tmp_path):
    folder = result.save(tmp_path / "a")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there == {*manifest["files"], "manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    assert {"tables/car.csv", "tables/tests.csv", "tables/audit.csv", "summary.txt", "result.json"} <= there
    assert any(name.endswith(".svg") for name in there)
    assert manifest["provenance"]["source"] == "snapshot"
    car = pd.read_csv(folder / "tables" / "car.csv")
    row = car[(car["event"] == "NVDA") & (car["window"] == "[0, +1]")].iloc[0]
    assert row["car"] == pytest.approx(result.car(0, 1).loc["NVDA", "car"], rel=1e-9)
    first = (folder / "manifest.json").read_bytes()
    assert (result.save(tmp_path / "a") / "manifest.json").read_bytes() == first


def test_figures_are_figures(result):
    drawn = (result.plot_event_day(), result.plot_car(), result.plot_market_model("NVDA"))
    for figure in drawn:
        assert isinstance(figure, Figure)


def test_the_advice_follows_the_window_where_a_longer_one_changes_the_design(study, prices, result):
    assert "Days [0, 0]: Recommended: kp_bmp_t. All events share one date" in repr(result)
    near = repr(study.run(prices, [es.Event("NVDA", DAY), es.Event("META", "2025-01-28")]))
    assert "Days [0, 0]: Recommended: bmp_t" in near
    assert "Days [-5, +5]: Recommended: kp_bmp_t" in near


def test_plain_values_of_many_events_are_made_in_one_pass(study, prices, monkeypatch):
    calls = []
    many = study.run(prices, [es.Event("NVDA", d) for d in pd.bdate_range("2024-06-03", periods=15)])
    car = export.frame_of_cars
    monkeypatch.setattr(export, "frame_of_cars", lambda *a, **k: calls.append(1) or car(*a, **k))
    many.to_dict(windows=((0, 0),))
    assert len(calls) == 1


def test_a_figure_of_one_event_asks_which_if_there_are_several(result, single):
    with pytest.raises(es.errors.DataMissing, match="Which event\\? Name one of NVDA, META, GOOGL"):
        result.plot_estimation_days()
    assert single.plot_estimation_days().words.title


def test_saving_over_a_file_is_refused(result, tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(es.errors.InvalidInput, match="is a file; give the name of a folder"):
        result.save(tmp_path / "out")
