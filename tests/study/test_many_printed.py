"""What is printed, drawn and written of many events: how often the events are gathered for it, and that the numbers are those of few."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.figures import paths
from eventstudy.inference import STANDARD
from eventstudy.inference.asked import ask_of
from eventstudy.statements import ABNORMAL
from eventstudy.study import export
from eventstudy.windows import Window

N = 1100


@pytest.fixture(scope="module")
def study():
    return es.EventStudy(model=es.MarketModel("index"), estimation=(-90, -11), window=(-6, 6))


def table_of(missing=0.0):
    draw = np.random.default_rng(20260)
    days = pd.bdate_range("2016-03-01", periods=900)
    market = draw.standard_t(6, len(days)) * 0.008
    names = [f"F{i:02d}" for i in range(40)]
    returns = np.outer(market, draw.uniform(0.4, 1.8, 40)) + draw.normal(0, 0.015, (len(days), 40))
    returns[draw.random(returns.shape) < missing] = np.nan
    frame = pd.DataFrame(returns, index=days, columns=names).assign(index=market)
    rows = pd.DataFrame({"ticker": draw.choice(names, 4 * N), "date": days[draw.integers(120, 880, 4 * N)]})
    return frame, rows.drop_duplicates().head(N)


@pytest.fixture(scope="module")
def inputs():
    return table_of()


@pytest.fixture
def fresh(study, inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return study.run(*inputs)


@pytest.fixture
def gathered(monkeypatch):
    """Count how many times each event's days are gathered and fitted again."""
    count = []
    part = AbnormalReturns.part

    def counted(self, chosen):
        count.append(len(chosen))
        return part(self, chosen)

    monkeypatch.setattr(AbnormalReturns, "part", counted)
    return lambda: sum(count) / N


def test_a_printout_gathers_the_events_once(fresh, gathered):
    text = str(fresh)
    assert gathered() == 1
    assert text == str(fresh)
    assert "grank_t" in text
    assert "Days [-6, +6]" in text or "days [-6, +6]" in text
    fresh._repr_html_()
    assert gathered() == 1


def test_a_page_of_the_event_day_gathers_nothing_but_its_ranks(fresh, gathered):
    fresh._repr_html_()
    assert gathered() <= 1


def test_nothing_printed_gathers_large_arrays(fresh):
    str(fresh)
    fresh._repr_html_()
    fresh.plot_car()
    fresh.plot_event_day()
    fresh.plot_ranking()
    fresh.sentence()
    fresh.to_dict()
    for frame in (fresh.ar, fresh.sar, fresh.returns, fresh.coefficients, fresh.car(0, 3)):
        assert len(frame) == N
    assert fresh.bhar(0, 1).notna().all()
    assert fresh.abnormal.is_deferred
    assert fresh.fit.is_deferred


@pytest.mark.parametrize("windows", [[(-1, 1)], [(-2, 0), (0, 4), (-6, 6)]])
def test_other_windows_are_asked_in_two_passes(fresh, gathered, windows):
    ask_of(fresh.abnormal, [Window(*w) for w in windows], STANDARD)
    for w in windows:
        fresh.tests(*w)
    assert gathered() == 2


def test_windows_asked_together_have_the_tests_of_windows_asked_alone(study, inputs, fresh):
    windows = [Window(0, 0), Window(0, 1), Window(-6, 6)]
    ask_of(fresh.abnormal, windows, [*STANDARD, "calendar_time"])
    for w in windows:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            alone = study.run(*inputs).tests(w)
        together = fresh.tests(w)
        assert list(alone.index) == list(together.index)
        assert np.allclose(alone["statistic"], together["statistic"], rtol=1e-12, equal_nan=True)
        assert alone["note"].tolist() == together["note"].tolist()


def test_paths_of_many_events_take_one_pass_and_are_bands(fresh, gathered):
    figure = fresh.plot_car()
    assert gathered() <= 2  # one for the sums, one for the returns of prices that titles may name
    data = figure.data.set_index(["event", "day"])["car"]
    ends = fresh.car(-6, 4)["car"]
    for name, share in paths.QUANTILES.items():
        assert data[name, 4] == pytest.approx(np.quantile(ends, share), rel=1e-9)
    assert data["average", 4] == pytest.approx(ends.mean(), rel=1e-9)
    assert len(figure.axes) < 20
    assert sum(len(axes.lines) for axes in figure.axes) < 60


def test_a_title_of_many_paths_is_held_against_their_numbers(fresh):
    figure = fresh.plot_car()
    said = figure.words.title
    end = said.split("average ")[1].split(" ")[0]
    assert figure.with_words(title=said)
    with pytest.raises(es.errors.InvalidInput, match="average"):
        figure.with_words(title=said.replace(end, "+7.3%"))
    numbers, key = figure.facts.numbers, fresh.events[3]
    assert numbers.value(key, ABNORMAL, (-6, 2)) == pytest.approx(fresh.car(-6, 2)["car"].iloc[3], rel=1e-9)
    assert numbers.value(key, ABNORMAL, (-5, 2)) is None
    assert len(numbers.values) == len(list(numbers.values)) == (3 * N + 1) * 13


def test_plain_values_of_many_events_are_those_of_the_tables(fresh, gathered):
    plain = fresh.to_dict(((0, 1), (-6, 6)))
    assert gathered() <= 2
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["left_out"] == export.LEFT_OUT
    car, coefficients = fresh.car(0, 1), fresh.coefficients
    for i in (0, 17, N - 1):
        row = plain["events"][i]
        assert "tests" not in row
        assert row["car"]["[0, +1]"] == car.iloc[i].to_dict()
        assert row["coefficients"] == {k: coefficients.iloc[i][k] for k in ("alpha", "beta")}
        assert row["abnormal_returns"]["-3"] == fresh.ar.iloc[i][-3]
        assert row["raw_return"] == fresh.returns.iloc[i][0]
        assert row["session"] == str(fresh.panel.sessions[i])[:10]


def test_missing_numbers_of_many_events_are_null(study):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = study.run(*table_of(missing=0.01))
    plain = result.to_dict()
    lost = np.flatnonzero(result.ar[0].isna().to_numpy())
    assert len(lost)
    assert [i for i, row in enumerate(plain["events"]) if row["abnormal_return"] is None] == lost.tolist()
    assert all(plain["events"][i]["car"]["[0, 0]"]["note"] for i in lost)
    json.dumps(plain, allow_nan=False)


def test_arrays_asked_for_are_those_of_each_event(fresh):
    ab = fresh.abnormal
    some = np.array([3, 500, 1001])
    part = ab.part(some)
    whole = {name: getattr(ab, name)[some] for name in ("sar", "se", "comparable", "expected")}
    for name, values in whole.items():
        assert np.allclose(values, getattr(part, name), rtol=1e-13), name
    grown = (1 + part.firm_returns[:, 6:9]).prod(axis=1) - 1
    assert np.allclose(ab.raw_returns((0, 2))[some], grown, rtol=1e-12)
    held = (1 + part.benchmark_returns[:, 6:9]).prod(axis=1) - 1
    assert np.allclose(fresh.bhar(0, 2).to_numpy()[some], grown - held, atol=1e-14)
    assert ab.is_deferred


def test_whether_a_field_is_there_is_known_without_gathering(fresh):
    ab = fresh.abnormal
    assert not ab.has("reference_returns")
    assert not ab.has("span")
    assert ab.has("residuals")
    assert ab.is_deferred


def test_which_event_is_asked_in_a_sentence_not_in_a_list_of_all(fresh):
    with pytest.raises(es.errors.DataMissing) as caught:
        fresh.plot_estimation_days()
    assert "more" in str(caught.value)
    assert len(str(caught.value)) < 2000
    with pytest.raises(es.errors.DataMissing, match="Several events answer to 'F07'; name one of F07 20"):
        fresh.locate("F07")


class HalfBeta(es.MarketModel):
    """A model made of another that fits in its own way."""

    def fit(self, panel):
        found = super().fit(panel)
        return replace(found, residuals=found.residuals * 2.0, sigma=found.sigma * 2.0)


@pytest.mark.parametrize("model", [es.MarketModel("index"), HalfBeta("index")])
def test_days_gathered_again_are_those_of_a_study_of_these_events(inputs, model):
    table, events = inputs
    study = es.EventStudy(model=model, estimation=(-90, -11), window=(-6, 6))
    some = np.array([2, 40, 777])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        many, few = study.run(table, events).abnormal.part(some), study.run(table, events.iloc[some]).abnormal
    for name in ("residuals", "ar", "rows", "c", "sigma", "root"):
        assert np.allclose(getattr(many, name), getattr(few, name), rtol=1e-12, atol=1e-16), name
    assert np.allclose(np.nanstd(many.residuals, axis=1, ddof=2), many.sigma, rtol=0.05)


@pytest.mark.parametrize("missing", [0.0, 0.01])
def test_files_of_many_events_are_those_of_plain_values_and_of_pandas(study, missing, tmp_path):
    """Text that is made by columns holds what an encoder of single values, and pandas, would write."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = study.run(*table_of(missing))
    windows = (Window(0, 0), Window(-6, 6))
    plain = export.result_to_dict(result, windows, rounded=True)
    assert (
        export.result_text(result, windows) == json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    )
    assert len(plain["events"]) == result.abnormal.n
    for name, table in export.result_tables(result, windows).items():
        rounded = table.copy()
        for column in table.columns:
            if table[column].dtype == np.float64:
                rounded[column] = [float(f"{x:.9e}") + 0.0 for x in table[column].tolist()]
        expected = rounded.to_csv(index=False, lineterminator="\n", float_format="%.10g")
        assert export.rounded_csv(table, index=False) == expected, name
