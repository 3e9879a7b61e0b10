"""A missing price takes two returns with it: what a window says that holds the gap, of a share and of its benchmark, against the closes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.inference import TESTS
from eventstudy.study.summary import power_line, summary_html, summary_text
from eventstudy.windows import Window

DAYS = exchange_sessions("XNAS", "2021-02-01", "2022-12-30")
ZERO = 330
EVENT = str(DAYS[ZERO].date())
FIRMS = ("ALFA", "BETA", "GAMA", "DELT", "EPSI")


def closes(fall: float = -0.35) -> pd.DataFrame:
    """Made-up closes; the first firm's fall by more than a third is the news of day 0."""
    rng = np.random.default_rng(77)
    market = rng.normal(0.0, 0.009, len(DAYS))
    table = {
        "IDX": market,
        **{f: (0.7 + 0.2 * i) * market + rng.normal(0, 0.014, len(DAYS)) for i, f in enumerate(FIRMS)},
    }
    returns = pd.DataFrame(table, index=DAYS)
    returns.iloc[ZERO, 1] += fall
    return 50.0 * (1.0 + returns).cumprod()


def run(table: pd.DataFrame, firms: tuple[str, ...] = FIRMS[:1], **options: object) -> es.EventStudyResult:
    settings = {"model": es.MarketModel("IDX"), "estimation": (-200, -11), "window": (-4, 6), **options}
    data = es.Prices.from_frame(table) if (table > 1).any(axis=None) else table
    return es.EventStudy(**settings).run(data, [es.Event(f, EVENT) for f in firms])


def without(table: pd.DataFrame, name: str, *days: int) -> pd.DataFrame:
    lost = table.copy()
    lost.iloc[[ZERO + d for d in days], lost.columns.get_loc(name)] = np.nan
    return lost


def held(table: pd.DataFrame, name: str, first: int, last: int) -> float:
    return float(table[name].iloc[ZERO + last] / table[name].iloc[ZERO + first - 1] - 1.0)


GAPS = [(0,), (0, 1, 2), (-3,), (-1,), (5,), (-2, 3)]
WINDOWS = [(0, 0), (0, 1), (-4, 6), (1, 3), (-4, -1), (3, 6)]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("gap", GAPS, ids=str)
def test_a_window_with_a_gap_has_no_sum_no_verdict_and_the_return_of_its_closes(gap, window):
    whole = closes()
    table = without(whole, "ALFA", *gap)
    result = run(table)
    first, last = window
    lost = any(first - 1 <= d <= last for d in gap)
    car = result.car(window).iloc[0]
    raw = float(result.abnormal.raw_returns(Window(first, last))[0])
    assert np.isnan(car["car"]) == lost
    ends = first - 1 not in gap and last not in gap
    expected = held(whole, "ALFA", first, last) if ends else np.nan
    assert raw == pytest.approx(expected, rel=1e-12, nan_ok=True)
    market = held(whole, "IDX", first, last)
    assert result.bhar(window).iloc[0] == pytest.approx(expected - market, rel=1e-10, nan_ok=True)
    tests = result.tests(window, names="all")
    if lost:
        assert car["note"].startswith("no price on day")
        assert not tests["applicable"].any()
        assert tests["p_value"].isna().all()
        assert result.recommended(window).names == ()
        assert power_line(result, Window(first, last)) == ""
        assert f"No abnormal return over days {Window(first, last)} and no verdict: ALFA: no price on" in summary_text(
            result, [Window(first, last)]
        )
    else:
        assert "note" not in car.index
        assert tests.loc["t_pe", "applicable"]
        assert car["car"] == pytest.approx(run(whole).car(window)["car"].iloc[0], rel=1e-9)


def test_the_reason_names_the_days_and_the_closes_between_which_the_news_fell():
    result = run(without(closes(), "ALFA", 0))
    day = [str(DAYS[ZERO + k].date()) for k in (-1, 0, 1)]
    assert result.test("t_pe", (0, 1)).reason == (
        f"no price on day 0 ({day[1]}); its move between {day[0]} and {day[2]} is in no daily return (TradeToTrade bridges such gaps)"
    )
    two = run(without(closes(), "ALFA", -2, 3)).test("permutation", (-4, 6)).reason
    assert two.count("between") == 2
    assert "no price on days −2, +3" in two


def test_trade_to_trade_bridges_what_the_market_model_cannot_sum():
    whole = closes()
    result = run(without(whole, "ALFA", 0), model=es.TradeToTrade("IDX"), returns="log")
    car = result.car(0, 1).iloc[0]
    assert car["car"] < np.log(0.75)
    assert car["p_value"] < 1e-6
    assert result.abnormal.raw_returns(Window(0, 1))[0] == pytest.approx(np.log1p(held(whole, "ALFA", 0, 1)), rel=1e-10)
    assert np.isnan(result.car(0).iloc[0]["car"])


def test_returns_that_were_handed_in_have_no_closes_so_no_return_over_the_gap():
    returns = without(closes(), "ALFA", 0).pct_change(fill_method=None).iloc[1:]
    result = run(returns)
    assert np.isnan(result.abnormal.raw_returns(Window(-4, 6))[0])
    assert result.recommended((-4, 6)).names == ()
    assert "no abnormal return on day 0, so the news is not in [-4, +6]" in result.recommended((-4, 6)).reason
    assert "No clear" not in summary_text(result, [Window(-4, 6)])
    assert result.recommended((2, 6)).names
    void = run(returns, gaps="void")
    assert void.test("t_pe", (-4, 6)).reason.startswith("no return on days 0, +1")
    assert np.isfinite(void.car(2, 6)["car"]).all()


def test_of_several_returns_handed_in_those_without_day_0_are_named():
    returns = without(closes(), "BETA", 0).pct_change(fill_method=None).iloc[1:]
    assert "and counted with their other days: BETA" in run(returns, FIRMS).recommended((-4, 6)).reason


@pytest.mark.parametrize("name", [n for n, m in TESTS.items() if m.scope == "many"])
def test_an_event_without_a_sum_is_left_out_of_every_average(name):
    """What a test says of five events one of which lacks day 0 is what it says of the other four."""
    five, four = run(without(closes(), "BETA", 0), FIRMS), run(closes(), tuple(f for f in FIRMS if f != "BETA"))
    for window in ((0, 0), (-4, 6)):
        one, other = five.test(name, window), four.test(name, window)
        assert (one.n, one.applicable) == (other.n, other.applicable)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-9, nan_ok=True)
    assert five.caar(-4, 6) == pytest.approx(four.car(-4, 6)["car"].mean(), rel=1e-9)


def test_the_printout_counts_and_names_whom_the_average_leaves_out():
    result = run(without(closes(), "BETA", 1), FIRMS)
    for text in (summary_text(result), summary_text(result, [Window(0, 1)])):
        assert "Average over 4 of 5 events, days [0, +1]: CAAR" in text
        assert "no verdict: BETA: no price on day +1" in text
    assert "Average over 5 events, days [0, 0]" in summary_text(result)
    assert "Average over 5 events, days [0, 0]" in summary_html(result)
    advice = result.recommended((0, 1))
    assert advice.reason.endswith("left out for want of an abnormal return on every day of the window: BETA")
    check = next(c for c in result.checks if c.name == "Complete event windows")
    assert (check.passed, check.value) == (False, "4 of 5")


@pytest.mark.parametrize("day", [0, -1])
def test_without_the_benchmarks_price_on_day_0_or_before_the_study_is_refused(day):
    with pytest.raises(es.errors.DataUnfit, match=r"IDX has no return on the event.s session|benchmark_holes"):
        run(without(closes(), "IDX", day))


def test_a_hole_of_the_benchmark_inside_a_window_leaves_it_without_a_sum():
    accept = {"benchmark_holes": "on purpose"}
    whole, result = closes(), run(without(closes(), "IDX", 3), accept=accept)
    assert np.isnan(result.car(0, 4)["car"]).all()
    assert result.test("t_pe", (0, 4)).reason.startswith("no return of the benchmark or a factor on days +3, +4")
    assert np.isfinite(result.car(0, 2)["car"]).all()
    assert result.bhar(-4, 6).iloc[0] == pytest.approx(
        held(whole, "ALFA", -4, 6) - held(whole, "IDX", -4, 6), rel=1e-10
    )


def test_the_sums_of_the_papers_are_a_named_choice():
    table = without(closes(), "ALFA", 0)
    skipped = run(table, gaps="skip")
    ar = skipped.ar.iloc[0]
    assert skipped.car(-4, 6).iloc[0]["car"] == pytest.approx(ar[ar.notna()].sum(), rel=1e-12)
    assert skipped.car(-4, 6).iloc[0]["n_days"] == 9
    with pytest.raises(es.errors.InvalidInput, match="gaps is 'fill'; choose 'void' or 'skip'"):
        run(table, gaps="fill")


def test_a_path_ends_where_a_price_is_missing_and_the_average_is_of_the_same_events_throughout():
    many = tuple(FIRMS) * 2
    table = without(closes(), "BETA", 2)
    result = run(table, FIRMS)
    drawn = result.plot_car().data.set_index(["event", "day"])["car"]
    assert drawn["BETA"].loc[:1].notna().all()
    assert drawn["BETA"].loc[2:].isna().all()
    assert "A path ends where a return is missing" in result.plot_car().words.note
    study = es.EventStudy(es.MarketModel("IDX"), estimation=(-200, -11), window=(-4, 6))
    days = [DAYS[ZERO]] * 5 + [DAYS[ZERO + 60]] * 5
    more = study.run(es.Prices.from_frame(table), [es.Event(f, str(d.date())) for f, d in zip(many, days, strict=True)])
    average = more.plot_car().data.query("event == 'average'")["car"].to_numpy()
    complete = more.ar[more.ar.notna().all(axis=1)]
    np.testing.assert_allclose(average, complete.cumsum(axis=1).mean(), rtol=1e-8)
    assert len(complete) == 9


def test_every_window_of_a_random_table_with_holes_is_void_exactly_where_a_close_is_missing():
    rng = np.random.default_rng(5)
    table = closes()
    holes = rng.random((21, 5)) < 0.06
    block = table.iloc[ZERO - 10 : ZERO + 11, 1:]
    table.iloc[ZERO - 10 : ZERO + 11, 1:] = block.mask(holes)
    result = run(table, FIRMS)
    ab: AbnormalReturns = result.abnormal
    for first in range(-4, 7):
        for last in range(first, 7):
            car = ab.sums((first, last)).car
            for i, firm in enumerate(FIRMS):
                needed = table[firm].iloc[ZERO + first - 1 : ZERO + last + 1]
                assert np.isfinite(car[i]) == needed.notna().all(), (firm, first, last)
                assert bool(ab.why_no_sum(Window(first, last))[i]) == needed.isna().any()


@pytest.mark.parametrize("day", [1, 5])
def test_one_event_of_returns_handed_in_with_a_gap_after_the_news_has_no_verdict(day):
    returns = without(closes(), "ALFA", day).pct_change(fill_method=None).iloc[1:]
    result = run(returns)
    assert result.recommended((-4, 6)).names == ()
    assert "so its sum is of the others alone" in result.recommended((-4, 6)).reason
    assert "would have been found" not in summary_text(result, [Window(-4, 6)])
    assert result.recommended((-4, 0)).names == ("t_pe",)
