"""Currencies, events and specifications that users hand in: a right answer, or an error that names the fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from handed_in import DAYS, EVENT_DAY, MODEL, SPEC, closes, on_prices, on_returns, returns, same

import eventstudy as es
from eventstudy.inference import run_test


@pytest.fixture(scope="module")
def right() -> pd.DataFrame:
    return on_prices(closes()).ar


# -- currencies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("currency", [{"A": "USD", "B": "EUR"}, {"A": "EUR", "B": "EUR", "MKT": "USD"}])
def test_mixed_currencies_are_refused_with_the_pairs(currency):
    with pytest.raises(
        es.errors.DataUnfit, match=r"different currencies .*in EUR.*in USD|different currencies .*in USD.*in EUR"
    ):
        on_prices(closes(), [es.Event(t, EVENT_DAY) for t in "AB"], currency=currency)


def test_an_index_in_another_currency_is_refused_too():
    table = closes().rename(columns={"MKT": "^MKT"})
    with pytest.raises(es.errors.DataUnfit, match="different currencies"):
        on_prices(table, model=es.MarketModel("^MKT"), currency={"A": "EUR", "^MKT": "USD"})


def test_pence_and_pounds_are_one_currency(right):
    same(on_prices(closes(), currency={"A": "GBp", "MKT": "GBP"}), right)


def test_currencies_of_tickers_that_are_not_used_do_not_matter(right):
    same(on_prices(closes(), currency={"A": "USD", "MKT": "USD", "C": "EUR"}), right)


# -- events --------------------------------------------------------------------------------------------------------


def test_an_event_on_a_holiday_gets_the_next_session():
    result = on_prices(closes(), es.Event("A", "2025-01-20"))
    assert result.audit.loc["A", ["session", "remark"]].tolist() == [
        "2025-01-21",
        "no session on Mon 2025-01-20: next session",
    ]


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2024-01-04", "reaches beyond|usable returns"),
        ("2024-02-15", "usable returns in the estimation window"),
        ("2025-03-28", r"event window \[-2, \+2\] reaches beyond the data \(2024-01-0[23] to 2025-03-31\)"),
        ("2023-06-01", r"outside the data \(2024-01-0[23] to 2025-03-31\)"),
        ("2025-06-02", r"outside the data \(2024-01-0[23] to 2025-03-31\)"),
    ],
)
@pytest.mark.parametrize("run", [on_prices, on_returns])
def test_an_event_too_near_an_edge_is_dropped_with_the_range(run, day, why):
    table = closes() if run is on_prices else returns()
    with pytest.raises(es.errors.DataUnfit, match=rf"No event can be studied. A {day}: .*({why})"):
        run(table, es.Event("A", day))


def test_the_last_possible_event_is_kept():
    assert on_prices(closes(), es.Event("A", DAYS[-3])).abnormal.n == 1


def test_one_event_and_a_list_of_one_are_the_same(right):
    same(on_prices(closes(), [es.Event("A", EVENT_DAY)]), right)


def test_a_generator_of_events_is_enough():
    result = on_prices(closes(), (es.Event(t, EVENT_DAY) for t in "ABC"))
    assert result.events.tolist() == ["A", "B", "C"]


def test_a_thousand_equal_events_are_one_observation():
    one = on_prices(closes())
    many = on_prices(closes(), [es.Event("A", EVENT_DAY)] * 1000)
    assert many.abnormal.n == 1000
    assert int(many.audit["duplicate"].sum()) == 999
    assert any(c.name == "Repeated events" and not c.passed for c in many.checks)
    np.testing.assert_allclose(many.ar.to_numpy(), np.repeat(one.ar.to_numpy(), 1000, axis=0), rtol=1e-12)
    tests = many.tests((0, 0))
    for name in ("csect_t", "bmp_t", "kp_bmp_t", "grank_t"):
        assert not tests.loc[name, "applicable"]
        assert tests.loc[name, "note"]
    # The tests that allow for correlation see one observation.
    single = one.test("t_pe", (0, 0))
    q = one.abnormal.df[0] / (one.abnormal.df[0] - 2.0)
    assert many.test("kp_patell_z").statistic == pytest.approx(single.statistic / np.sqrt(q), rel=1e-9)
    assert "Repeated events" in repr(many)


def test_two_firms_that_mirror_each_other_have_no_portfolio_variance():
    table = returns()
    shock = table["A"] - table["MKT"]
    table = table.assign(UP=table["MKT"] + shock, DOWN=table["MKT"] - shock)
    result = on_returns(table, [es.Event(t, EVENT_DAY) for t in ("UP", "DOWN")])
    assert "MKT is made of these firms" in result.test("cda_t").reason  # their mean is the benchmark
    test = run_test("cda_t", replace(result.abnormal, void=""), (0, 0))
    assert not test.applicable
    assert "cancel" in test.reason
    assert "cda_t" in repr(result)


def test_unknown_tickers_are_all_named_with_what_there_is():
    events = [es.Event(t, EVENT_DAY) for t in ("A", "NVDIA", "XX")]
    with pytest.raises(es.errors.DataMissing, match=r"NVDIA, XX.*A, B, C, MKT") as caught:
        on_prices(closes(), events)
    assert caught.value.facts["missing"] == ("NVDIA", "XX")
    with pytest.raises(es.errors.DataMissing, match=r"no column NVDIA, XX; they have A, B, C, MKT"):
        on_returns(returns(), events)


@pytest.mark.parametrize("run", [on_prices, on_returns])
def test_an_unknown_benchmark_is_named(run):
    table = closes() if run is on_prices else returns()
    with pytest.raises(es.errors.DataMissing, match=r"\^GSPC"):
        run(table, model=es.MarketModel("^GSPC"))


def test_prices_on_days_without_a_session_are_refused_with_the_remedy():
    table = closes()
    table.loc[pd.Timestamp("2025-01-25")] = table.loc["2025-01-24"]
    with pytest.raises(es.errors.DataUnfit, match=r"1 day\(s\) on which XNYS was closed: 2025-01-25.*calendar=None"):
        on_prices(table)


# -- the specification -----------------------------------------------------------------------------------------------


def test_windows_that_overlap_are_refused_with_the_day():
    with pytest.raises(es.errors.InvalidInput, match=r"\[-120, -2\] reaches into the event window.*before day -2"):
        es.EventStudy(model=MODEL, estimation=(-120, -2), window=(-2, 2))


def test_a_window_outside_the_event_window_is_refused_wherever_it_is_asked():
    result = on_prices(closes(), [es.Event(t, EVENT_DAY) for t in "AB"])
    for ask in (
        lambda: result.car(0, 5),
        lambda: result.caar(-9, 0),
        lambda: result.tests((0, 3)),
        lambda: result.test("bmp_t", (3, 3)),
        lambda: result.bhar(0, 9),
    ):
        with pytest.raises(es.errors.InvalidInput, match=r"is not inside the event window \[-2, \+2\]"):
            ask()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": es.MarketModel}, "give a model of normal returns"),
        ({"model": "market"}, "give a model of normal returns"),
        ({"returns": "percent"}, "choose 'simple' or 'log'"),
        ({"closed_day": "later"}, "choose one of next, previous, drop, error"),
        ({"min_estimation": 2}, "at least 3"),
        ({"min_estimation": 30.5}, "whole number"),
        ({"max_dropped": 35}, "share between 0 and 1"),
        ({"max_dropped": "0.3"}, "share between 0 and 1"),
        ({"max_dropped": float("nan")}, "share between 0 and 1"),
        ({"window": (2, -2)}, "ends before it starts"),
        ({"calendar": "NYSE2"}, "No exchange calendar is called 'NYSE2'"),
    ],
)
def test_wrong_options_name_what_is_allowed(options, words):
    with pytest.raises(es.errors.InvalidInput, match=words):
        on_prices(closes(), **options)


@pytest.mark.parametrize("model", [es.MarketModel, es.MarketAdjusted])
@pytest.mark.parametrize("name", ["", "  ", None, 5])
def test_a_model_needs_the_name_of_its_benchmark(model, name):
    with pytest.raises(es.errors.InvalidInput, match="needs the name of its benchmark"):
        model(name)


def test_an_event_window_longer_than_the_estimation_window_still_prints():
    result = on_prices(closes(), estimation=(-60, -25), window=(-20, 20))
    test = result.test("sq", (-20, 20))
    assert not test.applicable
    assert test.reason == "only 0 windows of estimation days to compare with, 20 needed"
    assert "windows of estimation days" in repr(result)


# -- one bad event must not spoil the others ---------------------------------------------------------------------------


def test_a_missing_return_never_turns_an_average_into_nan():
    table = returns()
    table.loc[EVENT_DAY, "A"] = np.nan
    result = on_returns(table, [es.Event(t, EVENT_DAY) for t in "ABC"])
    tests = result.tests((0, 0))
    assert (tests["n"] == 2).all()
    assert tests.loc[tests["applicable"], ["statistic", "p_value"]].notna().all(axis=None)
    # two signs can never be evidence at 5 %, and say so
    assert tests.index[~tests["applicable"]].tolist() == ["gsign_z"]
    assert "no outcome could reach 5 %" in tests.loc["gsign_z", "note"]
    assert result.aar.notna().all()
    assert result.caar(0) == pytest.approx(result.ar.loc[["B", "C"], 0].mean(), rel=1e-12)


def test_inputs_are_not_changed():
    table, prices = returns(), es.Prices.from_frame(closes())
    events = pd.DataFrame({"ticker": ["A", "B"], "date": ["2025-01-27", "2025-01-20"]})
    kept = (table.copy(), prices.adj_close.copy(), events.copy())
    study = es.EventStudy(model=MODEL, **SPEC)
    for result in (study.run(table, events), study.run(prices, events)):
        repr(result)
        result.tests((0, 1), names="all")
        result.to_dict()
    for after, before in zip((table, prices.adj_close, events), kept, strict=True):
        pd.testing.assert_frame_equal(after, before)


def test_a_split_not_adjusted_for_is_pointed_out():
    table = closes()
    table.loc[table.index < DAYS[150], "A"] *= 10.0
    with pytest.raises(
        es.errors.DataUnfit, match=rf"unapplied_split \(A, {DAYS[150]:%Y-%m-%d}\).*as at a split of 10:1"
    ):
        on_prices(table)
    result = on_prices(table, accept={"unapplied_split": "a tenth was left"})
    (check,) = [c for c in result.checks if c.name.startswith("Abnormal returns within")]
    assert not check.passed
    assert f"on {DAYS[150]:%Y-%m-%d}" in check.comment
    assert check.comment.startswith("A -")


def test_a_price_carried_forward_is_pointed_out():
    table = closes()
    table.loc[DAYS[170] : DAYS[230], "A"] = table.loc[DAYS[170], "A"]
    with pytest.raises(es.errors.DataUnfit, match=r"stale_prices \(A, .*on up to 61 days in a row"):
        on_prices(table)
    result = on_prices(table, accept={"stale_prices": "the listing was suspended"})
    (check,) = [c for c in result.checks if c.name == "Prices that move"]
    assert not check.passed
    assert check.comment.startswith("A ")


def test_prices_handed_in_as_returns_are_recognised():
    with pytest.raises(es.errors.DataUnfit, match=r"as prices are.*pct_change"):
        on_returns(closes())
