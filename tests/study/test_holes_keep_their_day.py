"""A hole in the benchmark, a factor or the whole table keeps its place in event time; a window with it has no sum and no verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions
from eventstudy.study.summary import power_line, summary_text
from eventstudy.windows import Window

ZERO, EST, WIN = 300, (-180, -16), (-4, 7)
FIRMS = ("UNO", "DUE", "TRE")
EXCHANGES = ("XNYS", "XMIL", "XTKS", "XBOM", "XSAU")


def truth(exchange: str = "XMIL", seed: int = 41) -> pd.DataFrame:
    """Made-up returns of three firms, a market and a second factor on every session; a fall on day 0."""
    rng = np.random.default_rng(seed)
    days = exchange_sessions(exchange, "2022-01-10", "2023-11-30")
    market, second = rng.normal(0, 0.011, len(days)), rng.normal(0, 0.006, len(days))
    table = pd.DataFrame({"IDX": market, "HML": second}, index=days)
    for k, firm in enumerate(FIRMS):
        table[firm] = (0.7 + 0.3 * k) * market - 0.4 * second + rng.normal(0, 0.013, len(days))
    table.iloc[ZERO, 2:] -= 0.08
    return table


def by_hand(table: pd.DataFrame, firm: str, columns: list[str]) -> np.ndarray:
    """Abnormal returns of the event window by numpy, on the rows of the whole table; NaN where one is missing."""
    y, x = table[firm].to_numpy(), table[columns].to_numpy()
    rows = np.arange(ZERO + EST[0], ZERO + EST[1] + 1)
    rows = rows[np.isfinite(y[rows]) & np.isfinite(x[rows]).all(axis=1)]
    design = np.column_stack([np.ones(len(rows)), x[rows]])
    b = np.linalg.lstsq(design, y[rows], rcond=None)[0]
    return np.array([y[t] - b[0] - x[t] @ b[1:] for t in range(ZERO + WIN[0], ZERO + WIN[1] + 1)])


def run(table: pd.DataFrame, day: pd.Timestamp, model: object | None = None, firms=FIRMS[:1], factors=None, **options):
    study = es.EventStudy(model or es.MarketModel("IDX"), estimation=EST, window=WIN, **options)
    return study.run(table, [es.Event(f, str(day.date())) for f in firms], factors=factors)


def with_hole(table: pd.DataFrame, kind: str, *days: int) -> pd.DataFrame:
    rows = [ZERO + d for d in days]
    if kind == "row":
        return table.drop(index=table.index[rows])
    lost = table.copy()
    lost.iloc[rows, slice(None) if kind == "empty row" else lost.columns.get_loc(kind)] = np.nan
    return lost


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("kind", ["IDX", "row", "empty row"])
@pytest.mark.parametrize("hole", [(2,), (-3,), (1, 5)])
def test_every_window_has_the_sum_of_its_own_days_or_none(exchange, kind, hole):
    whole = truth(exchange)
    day = whole.index[ZERO]
    table = with_hole(whole, kind, *hole)
    result = run(table, day)
    expected = by_hand(whole.where(table.reindex(whole.index).notna()), "UNO", ["IDX"])
    np.testing.assert_allclose(result.ar.iloc[0], expected, rtol=1e-9)
    for first in range(WIN[0], WIN[1] + 1):
        for last in range(first, WIN[1] + 1):
            car = result.car(first, last).iloc[0]
            mine = expected[first - WIN[0] : last - WIN[0] + 1]
            assert car["car"] == pytest.approx(mine.sum(), rel=1e-9, nan_ok=True), (first, last)
            if np.isnan(mine).any():
                assert "no return" in car["note"]
                assert not result.tests((first, last), names="all")["applicable"].any()
                assert result.recommended((first, last)).names == ()
                assert power_line(result, Window(first, last)) == ""
    check = next(c for c in result.checks if c.name == "Gaps in the benchmark")
    assert not check.passed
    assert check.value.startswith(f"{len(hole)}: ")
    text = summary_text(result, [Window(-4, 7)])
    assert "No abnormal return over days [-4, +7] and no verdict: UNO: " in text


@pytest.mark.parametrize("kind", ["IDX", "row"])
def test_a_hole_in_the_estimation_window_is_an_estimation_day_less_and_told(kind):
    whole = truth("XTKS")
    table = with_hole(whole, kind, -120, -60)
    result = run(table, whole.index[ZERO])
    expected = by_hand(with_hole(whole, "IDX", -120, -60), "UNO", ["IDX"])
    np.testing.assert_allclose(result.ar.iloc[0], expected, rtol=1e-9)
    assert result.audit["estimation_days"].tolist() == [len(Window(*EST)) - 2]
    gaps, short = (
        next(c for c in result.checks if c.name == name)
        for name in ("Gaps in the benchmark", "Complete estimation windows")
    )
    assert gaps.passed
    assert gaps.value.startswith("2: ")
    assert "163" in short.value
    assert not short.passed


@pytest.mark.parametrize("kind", ["IDX", "row", "empty row"])
@pytest.mark.parametrize("rule", ["next", "previous"])
def test_a_hole_on_the_event_day_is_refused_by_its_name(kind, rule):
    whole = truth()
    day = whole.index[ZERO]
    with pytest.raises(
        es.errors.DataUnfit, match=rf"IDX has no return on the event's session {day.date()}.*fill the gap"
    ):
        run(with_hole(whole, kind, 0), day, closed_day=rule)


@pytest.mark.parametrize("beside", [False, True])
def test_a_hole_in_a_factor_alike_in_the_table_and_beside_it(beside):
    whole = truth()
    day, model = whole.index[ZERO], es.FactorModel(["IDX", "HML"])
    lost = with_hole(whole, "HML", 3, -50)
    if beside:  # a factor table that lacks the rows
        result = run(lost.drop(columns="HML"), day, model, factors=lost[["HML"]].dropna())
    else:
        result = run(lost, day, model)
    expected = by_hand(lost, "UNO", ["IDX", "HML"])
    np.testing.assert_allclose(result.ar.iloc[0], expected, rtol=1e-9)
    assert np.isnan(result.car(0, 4)["car"]).all()
    assert result.recommended((0, 4)).names == ()
    assert result.car(0, 2).iloc[0]["car"] == pytest.approx(expected[4:7].sum(), rel=1e-9)
    assert result.audit["estimation_days"].tolist() == [len(Window(*EST)) - 1]


@pytest.mark.parametrize("kind", ["IDX", "row"])
def test_of_several_events_those_whose_window_holds_it_are_left_out_of_the_average(kind):
    whole = truth()
    other = whole.index[ZERO + 30]
    study = es.EventStudy(es.MarketModel("IDX"), estimation=EST, window=WIN)
    events = [es.Event(f, str(d.date())) for f, d in zip(FIRMS, [whole.index[ZERO], other, other], strict=True)]
    holed, full = study.run(with_hole(whole, kind, 3), events), study.run(whole, events[1:])
    # the hole is an estimation day of the later ones, so they are compared by a run that lacks it there too
    again = study.run(with_hole(whole, kind, 3), events[1:])
    assert again.audit["estimation_days"].tolist() == [len(Window(*EST)) - 1] * 2 or full.abnormal.n == 2
    for window in ((0, 4), (-4, 7)):
        assert holed.caar(window) == pytest.approx(again.caar(window), rel=1e-12)
        assert holed.test("csect_t", window).n == 2
        assert (
            "left out for want of an abnormal return on every day of the window: UNO"
            in holed.recommended(window).reason
        )


@pytest.mark.parametrize(
    "model", [es.MeanAdjusted(), es.MarketAdjusted("IDX"), es.Dimson("IDX"), es.RobustMarketModel("IDX")]
)
def test_every_model_keeps_the_days_of_a_table_that_lacks_a_row(model):
    whole = truth()
    day = whole.index[ZERO]
    result, full = run(with_hole(whole, "row", 4), day, model, FIRMS), run(whole, day, model, FIRMS)
    near = 5 if isinstance(model, es.Dimson) else 4
    there = [d for d in result.ar.columns if not 8 - near <= d <= near]
    np.testing.assert_allclose(result.ar[there], full.ar[there], rtol=1e-9)
    assert result.ar[4].isna().all()
    assert np.isnan(result.car(0, 5)["car"]).all()
    assert result.recommended((0, 5)).names == ()


def test_trade_to_trade_has_no_sum_over_a_hole_of_the_benchmark():
    whole = truth()
    closes = 40.0 * np.exp(whole.cumsum())
    closes.iloc[ZERO + 2, closes.columns.get_loc("IDX")] = np.nan
    result = run(
        es.Prices.from_frame(closes),
        whole.index[ZERO],
        es.TradeToTrade("IDX"),
        returns="log",
        accept={"benchmark_holes": "on purpose"},
    )
    assert np.isfinite(result.car(0, 1)["car"]).all()
    for window in ((0, 2), (0, 4), (2, 5)):
        assert np.isnan(result.car(window)["car"]).all(), window
        assert not result.test("t_pe", window).applicable


@pytest.mark.parametrize("kind", ["returns", "prices"])
def test_the_benchmarks_own_dates_have_their_holes_too(kind):
    """calendar=None: a day on which the firms trade and the benchmark's exchange was open is a session."""
    whole = truth("XNYS")
    lost = with_hole(whole, "IDX", 2)
    if kind == "prices":
        closes = (40.0 * (1 + whole).cumprod()).mask(lost.isna())
        result = run(es.Prices.from_frame(closes), whole.index[ZERO], calendar=None, accept={"benchmark_holes": "so"})
        gone = {2, 3}
    else:
        result, gone = run(lost, whole.index[ZERO], calendar=None), {2}
    expected = by_hand(whole, "UNO", ["IDX"])
    found = result.ar.iloc[0]
    for d, value in zip(found.index, expected, strict=True):
        assert found[d] == pytest.approx(np.nan if d in gone else value, rel=1e-9, nan_ok=True), d
    assert np.isnan(result.car(0, 4)["car"]).all()


def test_the_sum_over_the_days_there_are_is_a_named_choice():
    whole = truth()
    result = run(with_hole(whole, "IDX", 2), whole.index[ZERO], gaps="skip")
    expected = by_hand(whole, "UNO", ["IDX"])
    expected[2 - WIN[0]] = np.nan
    assert result.car(-4, 7).iloc[0]["car"] == pytest.approx(np.nansum(expected), rel=1e-9)
    assert result.recommended((-4, 7)).names == ()


def test_dates_of_no_known_exchange_get_no_rows_but_are_told():
    """Holidays that are no exchange's: New York's sessions are no sessions of theirs."""
    rng = np.random.default_rng(4)
    days = pd.bdate_range("2022-01-03", "2023-12-29")
    days = days.delete(rng.choice(np.arange(20, len(days) - 20), 24, replace=False))
    table = pd.DataFrame(rng.normal(0, 0.01, (len(days), 2)), days, ["UNO", "IDX"])
    result = run(table, days[ZERO])
    assert result.panel.calendar.isin(days).all()
    assert np.isfinite(result.ar.to_numpy()).all()
    np.testing.assert_allclose(result.ar.iloc[0], by_hand(table, "UNO", ["IDX"]), rtol=1e-9)


def test_a_coin_in_the_table_makes_no_sessions_of_weekends():
    whole = truth("XNYS")
    every = pd.date_range(whole.index[0], whole.index[-1])
    table = whole.reindex(every).assign(COIN=np.random.default_rng(2).normal(0, 0.03, len(every)))
    for model in (es.MeanAdjusted(), es.FactorModel(["IDX", "HML"]), es.MarketModel("IDX")):
        result, full = run(table, whole.index[ZERO], model), run(whole, whole.index[ZERO], model)
        np.testing.assert_allclose(result.ar, full.ar, rtol=1e-9)
