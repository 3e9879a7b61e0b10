"""Abnormal volume, turnover and volatility."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

DAY = "2025-01-27"
EVENTS = [es.Event(t, DAY) for t in ("NVDA", "META")]


@pytest.fixture(scope="module")
def prices() -> es.Prices:
    return es.load_prices(["NVDA", "META", "^GSPC"])


def test_abnormal_volume_is_the_log_of_how_many_times_the_usual(prices):
    result = es.EventStudy(es.MeanAdjusted(), measure="volume").run(prices, EVENTS)
    volume = np.log(prices.volume["NVDA"])
    place = prices.dates.get_loc(DAY)
    usual = volume.iloc[place - 270 : place - 20]
    assert result.ar.loc["NVDA", 0] == pytest.approx(volume.loc[DAY] - usual.mean(), rel=1e-12)
    assert result.abnormal.sigma[0] == pytest.approx(usual.std(ddof=1), rel=1e-12)
    assert result.measure == "volume"


def test_volume_against_the_market_s_volume(prices):
    result = es.EventStudy(es.MarketModel("^GSPC"), measure="volume").run(prices, EVENTS)
    place = prices.dates.get_loc(DAY)
    days = np.log(prices.volume).iloc[place - 270 : place - 20]
    slope, intercept = np.polyfit(days["^GSPC"], days["NVDA"], 1)
    assert result.coefficients.loc["NVDA", "beta"] == pytest.approx(slope, rel=1e-8)
    expected = intercept + slope * np.log(prices.volume.loc[DAY, "^GSPC"])
    assert result.ar.loc["NVDA", 0] == pytest.approx(np.log(prices.volume.loc[DAY, "NVDA"]) - expected, rel=1e-8)


def test_turnover_differs_from_volume_by_the_share_count(prices):
    only = es.load_prices(["NVDA"])
    volume, turnover = es.measures.log_volume(only), es.measures.log_turnover(only)
    count = es.share_count("NVDA", DAY).shares
    assert float((volume - turnover).loc[DAY, "NVDA"]) == pytest.approx(np.log(count))
    given = es.measures.log_turnover(only, shares={"NVDA": 1e9})
    assert float((volume - given).loc[DAY, "NVDA"]) == pytest.approx(np.log(1e9))
    with pytest.raises(es.errors.DataMissing, match="share count"):
        es.measures.log_turnover(prices)


def test_volatility_is_the_squared_return(prices):
    result = es.EventStudy(es.MeanAdjusted(), measure="volatility").run(prices, EVENTS)
    squared = prices.returns()["NVDA"] ** 2
    place = prices.dates.get_loc(DAY)
    assert result.ar.loc["NVDA", 0] == pytest.approx(
        squared.iloc[place] - squared.iloc[place - 270 : place - 20].mean(), rel=1e-9
    )
    assert result.test("sq", (0, 0), event="NVDA").details["p_upper"] == 1 / 251  # none of 250 days was as far


def test_a_range_table_of_one_s_own(prices):
    rng = np.random.default_rng(1)
    days = prices.dates
    low = pd.DataFrame({"A": 100.0, "B": 50.0}, index=days)
    high = low * np.exp(np.abs(rng.normal(0.02, 0.005, low.shape)))
    table = es.measures.range_volatility(high, low)
    np.testing.assert_allclose(table["A"], np.log(high["A"] / low["A"]) ** 2 / (4 * np.log(2)))
    result = es.EventStudy(es.MeanAdjusted(), measure="volatility").run(table, [es.Event("A", DAY)])
    assert result.panel.n == 1
    with pytest.raises(es.errors.DataUnfit, match="swapped"):
        es.measures.range_volatility(low, high)


def test_dollars_and_buy_and_hold_need_returns(prices):
    result = es.EventStudy(es.MeanAdjusted(), measure="volume").run(prices, EVENTS)
    for ask in (result.market_value, lambda: result.bhar(0, 1)):
        with pytest.raises(es.errors.InvalidInput, match="abnormal volume"):
            ask()


def test_missing_negative_and_infinite_volume(prices):
    bare = es.Prices.from_frame(prices.adj_close)
    with pytest.raises(es.errors.DataMissing, match="no volume"):
        es.measures.log_volume(bare)
    wrong = es.Prices.from_frame(prices.adj_close, volume=prices.volume.assign(META=-1.0))
    with pytest.raises(es.errors.DataMissing, match="META"):
        es.measures.log_volume(wrong)
    volume = prices.volume.copy()
    volume.iloc[5, 0] = -1.0
    with pytest.raises(es.errors.DataUnfit, match="negative"):
        es.measures.log_volume(es.Prices.from_frame(prices.adj_close, volume=volume))
    table = es.measures.log_volume(prices).assign(META=np.inf)
    with pytest.raises(es.errors.DataUnfit, match="infinite"):
        es.EventStudy(es.MeanAdjusted(), measure="volume").run(table, EVENTS)


def test_a_day_without_trade_has_no_log_volume(prices):
    volume = prices.volume.copy()
    volume.iloc[5, 0] = 0.0
    assert np.isnan(es.measures.log_volume(es.Prices.from_frame(prices.adj_close, volume=volume)).iloc[5, 0])


def test_the_printed_summary_speaks_of_the_measure(prices):
    text = repr(es.EventStudy(es.MeanAdjusted(), measure="volume").run(prices, EVENTS))
    assert "R stands for volume, in log points (0.69 is twice as much)" in text
    assert "+0.85" in text
    assert "%" not in text.split("Average over")[0].replace("95%", "").replace("80%", "")
    assert "within 40%" not in text
    volatility = es.EventStudy(es.MeanAdjusted(), measure="volatility").run(prices, EVENTS)
    assert "+0.02768" in repr(volatility)
    with pytest.raises(es.errors.InvalidInput, match="Figures need abnormal returns"):
        volatility.plot_car()


def test_a_saved_study_of_volume_has_tables_and_no_figures_of_returns(prices, tmp_path):
    folder = es.EventStudy(es.MeanAdjusted(), measure="volume").run(prices, EVENTS).save(tmp_path / "out")
    assert (folder / "tables" / "car.csv").is_file()
    assert not (folder / "figures").exists()
