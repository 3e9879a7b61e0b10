"""A study of log returns prints per cents of prices: every raw one is that of the closes, every abnormal one ``exp(x) - 1``."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.study.power import detectable_changes
from eventstudy.study.summary import event_rows, summary_html, summary_text
from eventstudy.study.tables import shown_cars
from eventstudy.windows import Window

FIRMS, DAY = ("AVGO", "VST", "MSFT", "ORCL"), "2024-12-13"  # Broadcom's results: a quarter more in a day
WINDOWS = [(0, 0), (0, 1), (-3, 2), (-5, 5)]


@pytest.fixture(scope="module")
def prices() -> es.Prices:
    return es.load_prices([*FIRMS, "^GSPC"])


@pytest.fixture(scope="module")
def result(prices: es.Prices) -> es.EventStudyResult:
    study = es.EventStudy(es.MarketModel("^GSPC"), returns="log")
    return study.run(prices, [es.Event(f, DAY) for f in FIRMS])


def of_closes(prices: es.Prices, firm: str, window: tuple[int, int]) -> float:
    closes = prices.adj_close[firm]
    zero = closes.index.get_loc(DAY)
    return float(closes.iloc[zero + window[1]] / closes.iloc[zero + window[0] - 1] - 1.0)


def percents(text: str) -> list[float]:
    return [float(x.replace("−", "-")) for x in re.findall(r"[−+]?\d+\.\d+(?=%)", text)]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_every_printed_per_cent_is_one_of_prices(result, prices, window):
    _, rows = event_rows(result, Window.of(window))
    car = result.car(window)
    sizes = detectable_changes(result.abnormal, Window.of(window))
    for i, (firm, row) in enumerate(zip(FIRMS, rows, strict=True)):
        assert percents(row[1]) == [pytest.approx(100 * of_closes(prices, firm, window), abs=0.005001)]
        assert percents(row[2]) == [pytest.approx(100 * np.expm1(car["car"].iloc[i]), abs=0.005001)]
        ends = 100 * np.expm1(car[["low", "high"]].iloc[i].to_numpy())
        np.testing.assert_allclose(percents(row[3]), ends, atol=0.005001)
        if len(row) > 6 and row[6]:
            np.testing.assert_allclose(percents(row[6]), 100 * np.expm1([-sizes[i], sizes[i]]), atol=0.005001)
    text = summary_text(result, [Window.of(window)])
    mean = 100 * np.expm1(car["car"].mean())
    assert percents(re.search(r"CAAR (\S+)", text)[1]) == [pytest.approx(mean, abs=0.005001)]
    assert "per cents are exp(x) − 1 of log returns" in text
    assert "per cents are exp(x) − 1 of log returns" in summary_html(result)


def test_the_tables_of_numbers_stay_in_log_points_and_the_shown_ones_say_so(result, prices):
    assert result.returns.loc["AVGO", 0] == pytest.approx(np.log1p(of_closes(prices, "AVGO", (0, 0))), rel=1e-12)
    shown = shown_cars(result.abnormal, Window(0, 1))
    assert {"se_log_points", "detectable_log_points"} < set(shown.columns)
    np.testing.assert_allclose(shown["car"], np.expm1(result.car(0, 1)["car"]), rtol=1e-12)
    simple = es.EventStudy(es.MarketModel("^GSPC")).run(prices, [es.Event(f, DAY) for f in FIRMS])
    assert {"se", "detectable"} < set(shown_cars(simple.abnormal, Window(0, 1)).columns)
    np.testing.assert_allclose(shown_cars(simple.abnormal, Window(0, 1))["car"], simple.car(0, 1)["car"], rtol=0)


def test_every_figure_plots_and_writes_per_cents_of_prices(result, prices):
    day = result.plot_event_day(0).data.set_index("event")
    path = result.plot_car().data.set_index(["event", "day"])
    for firm in FIRMS:
        assert day.loc[firm, "raw_return"] == pytest.approx(of_closes(prices, firm, (0, 0)), rel=1e-9)
        assert day.loc[firm, "abnormal_return"] == pytest.approx(np.expm1(result.ar.loc[firm, 0]), rel=1e-9)
        last = result.car(-5, 5).loc[firm]
        np.testing.assert_allclose(path.loc[(firm, 5), ["car", "low", "high"]].to_numpy(float), np.expm1(last[["car", "low", "high"]].to_numpy(float)), rtol=1e-8)  # fmt: skip
    cloud = result.plot_market_model("AVGO")
    event = cloud.data.query("what == 'event day'").iloc[0]
    assert event["firm_return"] == pytest.approx(of_closes(prices, "AVGO", (0, 0)), rel=1e-9)
    assert event["market_return"] == pytest.approx(of_closes(prices, "^GSPC", (0, 0)), rel=1e-9)
    rose = 100 * of_closes(prices, "AVGO", (0, 0))
    assert f"AVGO rose {rose:.1f}%" in cloud.words.title
    closes = prices.adj_close["AVGO"]
    zero = closes.index.get_loc(DAY)
    simple = closes.pct_change().iloc[zero - 270 : zero - 20].to_numpy()
    np.testing.assert_allclose(cloud.data.query("what == 'estimation day'")["firm_return"], simple, rtol=1e-8)
    among = result.plot_estimation_days("AVGO").data["abnormal_return"].to_numpy()
    np.testing.assert_allclose(among[1:], np.expm1(result.abnormal.residuals[0]), rtol=1e-8)
    for figure in (result.plot_event_day(0), result.plot_car(), cloud):
        assert "Per cents are exp(x) − 1 of log returns" in figure.words.source


def test_an_effect_that_is_added_is_a_move_of_the_price(prices):
    returns = prices.returns("log").iloc[1:]
    seen: list[list[float]] = []
    moved = AbnormalReturns.moved

    def spy(self: AbnormalReturns, added: np.ndarray) -> AbnormalReturns:
        seen.append(added.tolist())
        return moved(self, added)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AbnormalReturns, "moved", spy)
        es.simulated_power(
            returns,
            es.MarketModel("^GSPC"),
            n=2,
            effects=(-0.3,),
            tests=["csect_t"],
            draws=2,
            returns="log",
            window=(-1, 1),
        )
    assert seen
    assert all(added == [0.0, pytest.approx(np.log(0.7)), 0.0] for added in seen)


def test_measures_other_than_returns_are_never_taken_for_log_returns():
    prices = es.load_prices(["NVDA", "^GSPC"])
    study = es.EventStudy(es.MeanAdjusted(), measure="volume", returns="log")
    result = study.run(prices, es.Event("NVDA", "2024-05-23"))
    assert not result.abnormal.log
    values = pd.Series([0.5, -0.5])
    np.testing.assert_array_equal(result.abnormal.as_fractions(values), values)
