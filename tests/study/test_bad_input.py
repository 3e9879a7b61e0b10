"""Whatever users hand in ends in a right answer or in an error that names the fault and the remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from handed_in import DAYS, EVENT_DAY, MODEL, NEXT_DAY, SPEC, closes, on_prices, on_returns, returns, same

import eventstudy as es


@pytest.fixture(scope="module")
def right() -> pd.DataFrame:
    return on_prices(closes()).ar


# -- the index -------------------------------------------------------------------------------------------------


def test_returns_and_prices_give_the_same_answer(right):
    same(on_returns(returns()), right)


@pytest.mark.parametrize("run", [on_prices, on_returns])
def test_unsorted_dates_are_sorted(run, right):
    table = closes() if run is on_prices else returns()
    same(run(table.sample(frac=1.0, random_state=1)), right)


@pytest.mark.parametrize("run", [on_prices, on_returns])
def test_equal_repeats_of_a_date_are_harmless(run, right):
    table = closes() if run is on_prices else returns()
    same(run(pd.concat([table, table.iloc[100:103]])), right)


@pytest.mark.parametrize("run", [on_prices, on_returns])
def test_different_repeats_of_a_date_are_refused(run):
    table = closes() if run is on_prices else returns()
    with pytest.raises(es.errors.DataUnfit, match=r"more than once with different figures; keep one row a day"):
        run(pd.concat([table, table.iloc[100:103] * 1.01]))


@pytest.mark.parametrize("zone", ["America/New_York", "UTC"])
@pytest.mark.parametrize("run", [on_prices, on_returns])
def test_dates_with_a_zone_are_read_as_labelled(run, zone, right):
    table = closes() if run is on_prices else returns()
    same(run(table.tz_localize(zone)), right)


def test_dates_as_text_are_read(right):
    table = closes()
    table.index = table.index.strftime("%Y-%m-%d")
    same(on_prices(table), right)


def test_numbers_as_index_are_refused():
    with pytest.raises(es.errors.InvalidInput, match="indexed by numbers; its index must hold dates"):
        on_returns(returns().reset_index(drop=True))


# -- holes -----------------------------------------------------------------------------------------------------


def test_a_hole_in_a_price_costs_two_returns_and_nothing_else(right):
    table = closes()
    table.loc[NEXT_DAY, "A"] = np.nan
    result = on_prices(table)
    assert result.ar.loc["A"].isna().tolist() == [False, False, False, True, True]
    pd.testing.assert_frame_equal(result.ar[[-2, -1, 0]], right[[-2, -1, 0]], rtol=1e-12)
    assert result.car(0, 1).loc["A", "n_days"] == 1
    assert "Complete event windows: 0 of 1" in repr(result)


def test_a_row_that_is_missing_altogether_is_a_hole_of_the_exchange_calendar(right):
    table = closes().drop(index=NEXT_DAY)
    with pytest.raises(es.errors.DataUnfit, match=r"missing_sessions \(2025-01-28\)"):
        on_prices(table)
    result = on_prices(table, accept={"missing_sessions": "a day of mourning"})
    assert result.ar.loc["A"].isna().tolist() == [False, False, False, True, True]
    assert result.ar.loc["A", 0] == pytest.approx(right.loc["A", 0], rel=1e-12)


def test_a_hole_in_the_estimation_window_is_left_out_of_the_regression():
    table = returns()
    table.loc[DAYS[200], "A"] = np.nan
    result = on_returns(table)
    assert result.coefficients.loc["A", "n_est"] == 109
    assert np.isfinite(result.ar.to_numpy()).all()
    used = result.regression("A").model.endog
    assert len(used) == 109


def test_a_ticker_that_lists_inside_the_estimation_window_is_kept_with_fewer_days():
    table = closes()
    table.loc[: DAYS[209], "A"] = np.nan
    result = on_prices(table)
    first_return = 211
    place = DAYS.get_loc(EVENT_DAY)
    assert result.audit.loc["A", "estimation_days"] == place - 11 - first_return + 1
    assert any(c.name == "Complete estimation windows" and not c.passed for c in result.checks)
    assert np.isfinite(result.ar.to_numpy()).all()


def test_a_ticker_that_lists_too_late_is_dropped_with_the_count():
    table = closes()
    table.loc[: DAYS[240], "A"] = np.nan
    with pytest.raises(
        es.errors.DataUnfit, match=r"No event can be studied. A 2025-01-27: 15 usable returns .* at least 30"
    ):
        on_prices(table)


def test_a_ticker_that_delists_inside_the_event_window_keeps_the_days_it_has_and_no_longer_sum(right):
    table = closes()
    table.loc[NEXT_DAY:, "A"] = np.nan
    result = on_prices(table)
    assert result.ar.loc["A"].isna().tolist() == [False, False, False, True, True]
    assert result.car(0).loc["A", "car"] == pytest.approx(right.loc["A", 0], rel=1e-12)
    cut = result.car(0, 1).loc["A"]
    later = "if trading resumed later, TradeToTrade bridges the gap in a window that reaches to that day"
    assert (np.isnan(cut["car"]), cut["n_days"], cut["note"]) == (True, 1, f"no price on day +1 (2025-01-28); {later}")
    assert np.isnan(result.car(1, 2).loc["A", "car"])
    assert not result.test("t_pe", (1, 2)).applicable


def test_a_ticker_that_delisted_before_the_event_is_dropped():
    table = closes()
    table.loc["2025-01-10":, "A"] = np.nan
    with pytest.raises(es.errors.DataUnfit, match=r"no usable return in the event window \[-2, \+2\]"):
        on_prices(table)


# -- holes of the benchmark ------------------------------------------------------------------------------------


def test_a_benchmark_hole_in_the_estimation_window_costs_days_only(right):
    table = closes()
    table.loc[DAYS[200], "MKT"] = np.nan
    result = on_prices(table)
    assert result.coefficients.loc["A", "n_est"] == 108
    assert np.isfinite(result.ar.to_numpy()).all()


def test_a_benchmark_hole_on_the_event_day_is_refused_by_its_name():
    table = closes()
    table.loc[EVENT_DAY, "MKT"] = np.nan
    with pytest.raises(es.errors.DataUnfit, match="MKT has no return on the event's session 2025-01-27"):
        on_prices(table)


@pytest.mark.parametrize("kind", ["missing row", "empty row"])
def test_a_day_that_the_returns_lack_is_not_replaced_by_the_next(kind):
    day = pd.Timestamp(EVENT_DAY)
    table = returns().drop(day) if kind == "missing row" else returns().assign(MKT=lambda t: t["MKT"].drop(day))
    with pytest.raises(es.errors.DataUnfit, match="2025-01-27"):
        on_returns(table)


def test_a_benchmark_hole_in_the_event_window_leaves_those_days_empty(right):
    table = closes()
    table.loc[NEXT_DAY, "MKT"] = np.nan
    with pytest.raises(es.errors.DataUnfit, match=r"benchmark_holes \(MKT, 2025-01-28\)"):
        on_prices(table)
    result = on_prices(table, accept={"benchmark_holes": "only days 0 and before are read"})
    assert result.audit.loc["A", "session"] == "2025-01-27"
    lost = [1, 2]
    assert result.ar.columns[result.ar.loc["A"].isna()].tolist() == lost
    kept = [d for d in result.ar.columns if d not in lost]
    pd.testing.assert_frame_equal(result.ar[kept], right[kept], rtol=1e-12)
    assert any(c.name == "Complete event windows" and not c.passed for c in result.checks)


@pytest.mark.parametrize("source", ["returns", "prices by the benchmark's dates"])
@pytest.mark.parametrize("rule", ["next", "previous"])
def test_an_event_on_a_benchmark_hole_is_never_moved(source, rule):
    table = returns() if source == "returns" else closes()
    table.loc[EVENT_DAY, "MKT"] = np.nan
    run, options = (on_returns, {}) if source == "returns" else (on_prices, {"calendar": None})
    with pytest.raises(es.errors.DataUnfit, match=r"MKT has no return on the event's session 2025-01-27.*fill the gap"):
        run(table, closed_day=rule, **options)


@pytest.mark.parametrize("when", ["2025-01-24 18:00-05:00", "2025-01-25", "2025-01-26 17:16-05:00"])
def test_an_event_that_would_roll_onto_a_benchmark_hole_is_not_moved_past_it(when):
    table = returns()
    table.loc[EVENT_DAY, "MKT"] = np.nan
    with pytest.raises(es.errors.DataUnfit, match=r"MKT has no return on the event's session 2025-01-27"):
        on_returns(table, es.Event("A", when))


def test_a_row_without_any_return_on_a_session_does_not_move_the_event_either():
    table = returns()
    table.loc[EVENT_DAY] = np.nan
    with pytest.raises(es.errors.DataUnfit, match=r"MKT has no return on the event's session 2025-01-27"):
        on_returns(table)


def test_a_row_without_any_return_on_a_holiday_is_a_holiday():
    table = returns()
    table.loc[pd.Timestamp("2025-01-20")] = np.nan
    assert on_returns(table, es.Event("A", "2025-01-20")).audit.loc["A", "session"] == "2025-01-21"


def test_without_a_benchmark_a_halted_firm_is_not_moved_to_its_next_return():
    table = returns()[["A"]]
    table.loc[EVENT_DAY, "A"] = np.nan
    with pytest.raises(es.errors.DataUnfit, match=r"table has no return on 2025-01-27"):
        on_returns(table, model=es.MeanAdjusted())
    with_others = returns()
    with_others.loc[EVENT_DAY, "A"] = np.nan
    result = on_returns(with_others, model=es.MeanAdjusted())
    assert result.audit.loc["A", "session"] == "2025-01-27"
    assert np.isnan(result.ar.loc["A", 0])


def test_a_benchmark_hole_inside_the_window_of_returns_is_flagged():
    table = returns()
    table.loc[NEXT_DAY, "MKT"] = np.nan
    check = next(c for c in on_returns(table).checks if c.name == "Gaps in the benchmark")
    assert (check.passed, check.value) == (False, "1: 2025-01-28")
    assert (
        check.comment == "A: these are sessions without an abnormal return; in an estimation window each is a day less"
    )
    far = returns()
    far.loc[DAYS[10], "MKT"] = np.nan
    assert next(c for c in on_returns(far).checks if c.name == "Gaps in the benchmark").passed


def test_days_on_which_only_a_benchmark_weekend_is_missing_are_no_holes(right):
    table = returns()
    table.loc[pd.Timestamp("2025-01-26"), "A"] = 0.01
    same(on_returns(table), right)


def test_a_benchmark_without_returns_is_refused():
    with pytest.raises(es.errors.DataUnfit, match="The benchmark MKT has 0 days with returns"):
        on_returns(returns().assign(MKT=np.nan))


def test_a_table_without_returns_is_refused():
    with pytest.raises(es.errors.DataUnfit, match="The table has 0 days with returns"):
        on_returns(returns()[["A"]] * np.nan, model=es.MeanAdjusted())


def test_a_benchmark_that_never_moves_is_refused():
    with pytest.raises(es.errors.DataUnfit, match="MKT does not vary"):
        on_returns(returns().assign(MKT=0.001))


# -- figures that cannot be --------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [0.0, -5.0, np.inf, -np.inf])
def test_impossible_prices_are_refused_with_ticker_day_and_value(price):
    table = closes()
    table.loc[DAYS[50], "B"] = price
    with pytest.raises(
        es.errors.DataUnfit, match=rf"B has {price:g} as its .*close on {DAYS[50]:%Y-%m-%d}.*above zero"
    ):
        on_prices(table, es.Event("B", EVENT_DAY))


def test_a_price_table_built_past_the_check_is_checked_again():
    table = closes()
    table.loc[DAYS[50], "A"] = -1.0
    prices = es.Prices(table, es.sources.Provenance("by hand"))
    with pytest.raises(es.errors.DataUnfit, match="prices must be above zero and finite"):
        es.EventStudy(model=MODEL, **SPEC).run(prices, es.Event("A", EVENT_DAY))


def test_an_unsorted_price_table_built_past_the_check_is_sorted(right):
    prices = es.Prices(closes().iloc[::-1], es.sources.Provenance("by hand"))
    same(es.EventStudy(model=MODEL, **SPEC).run(prices, es.Event("A", EVENT_DAY)), right)


@pytest.mark.parametrize("value", [np.inf, -np.inf, -1.0, -17.0])
def test_impossible_returns_are_refused_with_ticker_day_and_value(value):
    table = returns()
    table.loc[DAYS[50], "A"] = value
    with pytest.raises(es.errors.DataUnfit, match=rf"A has a return of {value:g} on {DAYS[50]:%Y-%m-%d}.*not -17"):
        on_returns(table)


@pytest.mark.parametrize("kind", ["simple", "log"])
def test_returns_in_per_cent_are_refused(kind):
    with pytest.raises(es.errors.DataUnfit, match=r"fractions"):
        on_returns(returns() * 100.0, returns=kind)


def test_a_factor_column_in_per_cent_is_refused_even_if_it_never_falls_by_one():
    table = returns()
    table["MKT"] = (table["MKT"] * 100.0).clip(-0.99, None)
    with pytest.raises(es.errors.DataUnfit, match=r"returns of MKT are beyond .* per cent.*Write: data = data / 100"):
        on_returns(table)


def test_a_column_that_is_not_asked_for_is_not_judged(right):
    same(on_returns(returns().assign(VIX=20.0)), right)


@pytest.mark.parametrize("run", [on_prices, on_returns])
def test_words_in_the_table_are_refused(run):
    table = (closes() if run is on_prices else returns()).astype(object)
    table.loc[DAYS[5], "A"] = "n/a"
    with pytest.raises(es.errors.DataUnfit, match="not a number"):
        run(table)


def test_numbers_as_text_are_read(right):
    same(on_returns(returns().astype(object).map(repr)), right)


@pytest.mark.parametrize("empty", [pd.DataFrame(), pd.DataFrame(index=DAYS), pd.DataFrame(columns=["A", "MKT"])])
def test_empty_tables_are_refused(empty):
    with pytest.raises(es.errors.InvalidInput, match="table is empty; it needs dates as rows and tickers as columns"):
        on_returns(empty)


@pytest.mark.parametrize("wrong", [None, [0.1, 0.2], np.zeros((5, 2)), {"A": [0.1]}, pd.Series([0.1])])
def test_other_kinds_of_data_are_refused(wrong):
    with pytest.raises(es.errors.InvalidInput, match="give Prices or a DataFrame of returns"):
        on_returns(wrong)


def test_constant_prices_have_no_standard_error():
    with pytest.raises(es.errors.DataUnfit, match=r"constant prices.*no standard error"):
        on_prices(closes().assign(A=50.0), model=es.MeanAdjusted())


def test_an_event_of_the_benchmark_itself_has_no_standard_error():
    for model in (MODEL, es.MarketAdjusted("MKT")):
        with pytest.raises(es.errors.DataUnfit, match="or the benchmark itself"):
            on_prices(closes(), es.Event("MKT", EVENT_DAY), model=model)
