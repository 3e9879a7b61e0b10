"""Changes of market value: the number, or why there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from trio import DAY

import eventstudy as es
from eventstudy.inference import TESTS
from eventstudy.prices.snapshot import ShareCount

ONE, MANY = ("t", "t_pe", "sq", "permutation"), tuple(n for n, m in TESTS.items() if m.scope == "many")


# -- dollars -----------------------------------------------------------------------------------------------------------------


def test_nvidias_loss_of_market_value(result):
    """24.477bn shares, from 142.62 to 118.42: minus 592.3bn, the figure the press called 593bn."""
    row = result.market_value(0).loc["NVDA"]
    assert (row["shares"], row["close_before"], row["close_after"]) == (24_477_000_000, 142.62, 118.42)
    assert row["raw"] / 1e9 == pytest.approx(-592.3, abs=0.05)
    assert row["before"] == pytest.approx(24_477_000_000 * 142.62, rel=1e-12)
    assert row["abnormal"] == pytest.approx(row["before"] * result.ar.loc["NVDA", 0], rel=1e-9)
    assert row["low"] < row["abnormal"] < row["high"]
    assert row["source"]


def test_alphabets_count_covers_all_classes(result):
    row = result.market_value(0).loc["GOOGL"]
    assert "all classes" in row["note"]
    assert row["shares"] > 12e9
    assert es.share_count("GOOGL", DAY).covers == ("GOOG",)


def test_dollars_of_a_longer_window_start_at_the_close_before_it(result, prices):
    row = result.market_value(-1, 1).loc["NVDA"]
    assert row["close_before"] == prices.close.at[pd.Timestamp("2025-01-23"), "NVDA"]
    assert row["close_after"] == prices.close.at[pd.Timestamp("2025-01-28"), "NVDA"]


def test_dollars_of_log_returns_are_those_of_the_same_move(prices, result):
    """A log return of -18.6 % is a fall of 17.0 %; dollars must not depend on the scale by more than the model does."""
    log = es.EventStudy(model=es.MarketModel("^GSPC"), returns="log").run(prices, es.Event("NVDA", DAY))
    row = log.market_value(0).loc["NVDA"]
    held, expected = np.exp(log.returns.loc["NVDA", 0]), np.exp(log.returns.loc["NVDA", 0] - log.ar.loc["NVDA", 0])
    assert row["abnormal"] == pytest.approx(row["before"] * (held - expected), rel=1e-12)
    assert row["abnormal"] == pytest.approx(result.market_value(0).loc["NVDA", "abnormal"], rel=0.02)
    assert row["low"] < row["abnormal"] < row["high"]


def compounded(result: es.EventStudyResult, firm: str, window: tuple[int, int], car: float | None = None) -> float:
    """Return the abnormal change as a share of the value before, day by day; the distance of ``car`` from the sum spread evenly."""
    days = range(window[0], window[1] + 1)
    r, ar = result.returns.loc[firm], result.ar.loc[firm]
    shift = 0.0 if car is None else (car - sum(ar[d] for d in days)) / len(days)
    left, expected = 1.0, 1.0
    for d in days:
        left *= 1.0 + r[d]
        expected *= 1.0 + r[d] - ar[d] - shift
    return left - expected


@pytest.mark.parametrize("window", [(0, 0), (0, 1), (-3, 4), (0, 10)])
@pytest.mark.parametrize("firm", ["AVGO", "ORCL", "VST"])
def test_dollars_of_several_days_compound_the_abnormal_returns_and_their_interval(firm, window):
    prices = es.load_prices([firm, "^GSPC"])
    result = es.EventStudy(es.MarketModel("^GSPC"), window=(-5, 12)).run(prices, es.Event(firm, "2024-12-13"))
    row, car = result.market_value(window).loc[firm], result.car(window).loc[firm]
    assert row["abnormal"] == pytest.approx(row["before"] * compounded(result, firm, window), rel=1e-9)
    for end in ("low", "high"):
        assert row[end] == pytest.approx(row["before"] * compounded(result, firm, window, car[end]), rel=1e-9)
    assert result.bhar(window, against="expected").loc[firm] == pytest.approx(
        compounded(result, firm, window), rel=1e-9
    )
    if window == (0, 0):
        assert row["abnormal"] == pytest.approx(row["before"] * car["car"], rel=1e-12)
        assert row["low"] == pytest.approx(row["before"] * car["low"], rel=1e-12)


@pytest.mark.parametrize(("firm", "window", "billions"), [("NVDA", (0, 1), -294.9), ("AVGO", (0, 10), -40.3)])
def test_dollars_of_several_days_that_a_referee_computed_from_the_closes(firm, window, billions):
    prices = es.load_prices([firm, "^GSPC"])
    result = es.EventStudy(es.MarketModel("^GSPC"), window=(-5, 10)).run(prices, es.Event(firm, DAY))
    assert result.market_value(window).loc[firm, "abnormal"] / 1e9 == pytest.approx(billions, abs=0.05)


@pytest.mark.parametrize("window", [(0, 0), (0, 3), (-5, 5)])
def test_dollars_of_log_returns_over_several_days(window):
    prices = es.load_prices(["ORCL", "^GSPC"])
    result = es.EventStudy(es.MarketModel("^GSPC"), returns="log").run(prices, es.Event("ORCL", "2024-12-10"))
    row, car = result.market_value(window).loc["ORCL"], result.car(window).loc["ORCL"]
    total = result.returns.loc["ORCL", window[0] : window[1]].sum()
    for name, c in (("abnormal", car["car"]), ("low", car["low"]), ("high", car["high"])):
        assert row[name] == pytest.approx(row["before"] * (np.exp(total) - np.exp(total - c)), rel=1e-9)
    assert row["low"] < row["abnormal"] < row["high"]


def test_own_share_counts_replace_the_embedded_ones(result):
    own = {"NVDA": ShareCount("NVDA", 1_000, "2025-01-01", "2025-01-01", "", "own")}
    table = result.market_value(0, shares=own)
    assert table.loc["NVDA", "raw"] == pytest.approx(1000 * (118.42 - 142.62), rel=1e-9)
    assert table.loc["META", "note"] == "no share count given"
    assert table.loc["META", ["before", "raw", "abnormal", "low", "high"]].isna().all()


def changed(prices: es.Prices, **cells: float) -> es.Prices:
    adjusted, traded = prices.adj_close.copy(), prices.close.copy()
    for day, value in cells.items():
        at = pd.Timestamp(day.strip("d").replace("_", "-"))
        if np.isnan(value):
            adjusted.loc[at, "NVDA"] = np.nan
            traded.loc[at, "NVDA"] = np.nan
        else:
            traded.loc[at:, "NVDA"] *= value
    return es.Prices.from_frame(adjusted, close=traded, currency=prices.currency)


def test_without_the_close_before_there_is_a_reason_in_place_of_dollars(study, prices):
    result = study.run(changed(prices, d2025_01_24=np.nan), [es.Event("NVDA", DAY), es.Event("META", DAY)])
    table = result.market_value(0)
    assert table.loc["NVDA", "note"] == "no close as traded on 2025-01-24 or 2025-01-27"
    assert table.loc["NVDA", ["before", "raw", "abnormal"]].isna().all()
    assert np.isfinite(table.loc["META", "raw"])


def test_a_window_with_missing_days_has_the_dollars_of_its_closes_and_none_that_are_abnormal(study, prices):
    result = study.run(changed(prices, d2025_01_27=np.nan), es.Event("NVDA", DAY))
    row = result.market_value(-1, 1).loc["NVDA"]
    assert row["note"].startswith(
        "no price on day 0 (2025-01-27); its move between 2025-01-24 and 2025-01-28 is in no daily"
    )
    close = prices.close["NVDA"]
    assert row["raw"] == pytest.approx(row["shares"] * (close["2025-01-28"] - close["2025-01-23"]), rel=1e-12)
    assert row[["abnormal", "low", "high"]].isna().all()


def test_a_split_between_the_closes_has_no_dollars(study, prices):
    own = {"NVDA": ShareCount("NVDA", 24_477_000_000, "2025-01-26", "", "", "own")}
    later = replace(study, accept={"adjusted_above_traded": "the closes are of before and after a split on purpose"})
    result = later.run(changed(prices, d2025_01_27=0.1), es.Event("NVDA", DAY))
    row = result.market_value(0, shares=own).loc["NVDA"]
    assert "a split lies in the window" in row["note"]
    assert np.isnan(row["raw"])


def test_another_split_basis_than_the_embedded_counts_has_no_dollars(study, prices):
    result = study.run(changed(prices, d2022_01_03=10.0), es.Event("NVDA", DAY))
    row = result.market_value(0).loc["NVDA"]
    assert "another split basis" in row["note"]
    assert np.isnan(row["raw"])


def test_dollars_need_prices_with_closes_as_traded(study, prices):
    with pytest.raises(es.errors.DataMissing, match="this study was run on returns"):
        study.run(prices.returns(), es.Event("NVDA", DAY)).market_value(0)
    bare = es.Prices.from_frame(prices.adj_close)
    with pytest.raises(es.errors.DataMissing, match="no closes as traded"):
        study.run(bare, es.Event("NVDA", DAY)).market_value(0)


def test_two_classes_of_one_company_are_not_to_be_added(study, prices):
    both = es.load_prices(["GOOG", "GOOGL", "^GSPC"])
    table = study.run(both, [es.Event("GOOG", DAY), es.Event("GOOGL", DAY)]).market_value()
    assert "counts GOOGL too: do not add them up" in table.loc["GOOG", "note"]
    assert "do not add" not in study.run(both, [es.Event("GOOGL", DAY)]).market_value().loc["GOOGL", "note"]
