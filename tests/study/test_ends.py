"""Where calendars, factors and files end: what a message says of it is so, and its way out works."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions

MODEL = es.FactorModel.named("fama_french3")


def factors() -> pd.DataFrame:
    return es.load_factors()


def prices() -> es.Prices:
    return es.load_prices(["AMD", "INTC"], "2023-01-03", "2024-12-31")


def run(table: pd.DataFrame, day: str = "2024-08-02") -> es.EventStudyResult:
    study = es.EventStudy(model=MODEL, estimation=(-150, -21), window=(-2, 2))
    return study.run(prices(), [es.Event("INTC", day)], factors=table)


@pytest.mark.parametrize("last", ["2024-08-01", "2024-06-28"])
def test_factors_that_end_before_the_event_say_when(last):
    with pytest.raises(es.errors.DataUnfit, match=f"the factors end on {last}, before the event's session 2024-08-02"):
        run(factors().loc[:last])
    assert run(factors().loc[:"2024-08-06"]).abnormal.n == 1


def test_factors_in_per_cent_under_right_names_are_told_the_line_to_write():
    right = factors()
    with pytest.raises(es.errors.DataUnfit, match=r"seem to be per cent.*Write: factors = factors / 100"):
        run(right * 100)
    pd.testing.assert_frame_equal(run(right * 100 / 100).ar, run(right).ar)


def test_an_event_before_the_calendar_is_told_from_one_before_the_data():
    rng = np.random.default_rng(4)
    old = pd.bdate_range("1931-03-02", "1969-12-31")
    days = old.append(exchange_sessions("XNYS", "1970-01-02", "1985-12-31"))
    market = rng.normal(0, 0.01, len(days))
    closes = pd.DataFrame({"RR": market + rng.normal(0, 0.01, len(days)), "IDX": market}, index=days)
    data = es.Prices.from_frame(30 * (1 + closes).cumprod())
    study = {"model": es.MarketModel("IDX"), "window": (-2, 2)}
    with pytest.raises(es.errors.DataUnfit) as error:
        es.EventStudy(**study, calendar="XNYS").run(data, [es.Event("RR", "1952-04-10")])
    said = str(error.value)
    assert (
        "the calendar XNYS is known from 1970-01-02 to 2030-12-31 and has no session for it, though the data hold 1931-03-02 to 1985-12-31"
        in said
    )
    assert "calendar=None" in said
    assert "outside the data" not in said
    result = es.EventStudy(**study, calendar=None).run(data, [es.Event("RR", "1952-04-10")])
    assert result.audit["session"].tolist() == ["1952-04-10"]
    with pytest.raises(es.errors.DataUnfit, match="outside the data"):
        es.EventStudy(**study, calendar="XNYS").run(data, [es.Event("RR", "1929-10-28")])


@pytest.mark.parametrize(("exchange", "zone"), [("XTKS", "Asia/Tokyo"), ("XLON", "Europe/London")])
def test_the_printed_result_names_the_exchange_that_was_recognised(exchange, zone):
    days = exchange_sessions(exchange, "2022-01-04", "2023-12-28")
    rng = np.random.default_rng(6)
    closes = pd.DataFrame(
        90 * np.cumprod(1 + rng.normal(0, 0.01, (len(days), 2)), axis=0), index=days, columns=["S", "IDX"]
    )
    study = es.EventStudy(model=es.MarketModel("IDX"), window=(-1, 1))
    text = str(study.run(es.Prices.from_frame(closes), [es.Event("S", days[400])]))
    assert any(
        line.split(":")[0] == "Exchange" and f"{exchange} ({zone}), recognised by the dates" in line
        for line in text.splitlines()
    )


def write(folder, name: str) -> str:
    days = exchange_sessions("XTKS", "2023-01-04", "2023-04-28")
    seed = sum(map(ord, name))
    closes = 100 * np.cumprod(1 + np.random.default_rng(seed).normal(0, 0.01, len(days)))
    pd.DataFrame({"Date": days, "Close": closes.round(2)}).to_csv(folder / name, index=False)
    return str(folder / name)


def test_a_file_of_a_list_that_names_no_share_is_offered_the_ticker_that_was_asked(tmp_path):
    files = [write(tmp_path, n) for n in ("9984.csv", "4502.csv", "nikkei.csv")]
    with pytest.raises(es.errors.InvalidInput) as error:
        es.load_prices(["9984", "4502", "^N225"], source=files)
    assert "load_prices({'^N225': 'nikkei.csv'})" in str(error.value)
    assert "NVDA" not in str(error.value)
