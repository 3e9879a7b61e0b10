"""What is wrong on the days that a study uses: moves that nothing confirms, closes carried forward, one series under two tickers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.prices.checks.finding import Finding, Usage
from eventstudy.studyfile.starter import make_starter

FIRMS = ["AVGO", "META", "MSFT", "NVDA"]
BENCHMARK = "^GSPC"
FLAGSHIP = Path(__file__).parents[2] / "reports" / "deepseek"


class Tables:
    """Adjusted closes, closes and volumes of some firms, to be spoiled."""

    def __init__(self, end: str = "2025-06-30") -> None:
        prices = es.load_prices([*FIRMS, BENCHMARK], "2023-01-03", end)
        self.adj, self.close, self.volume = prices.adj_close.copy(), prices.close.copy(), prices.volume.copy()

    def scale(self, ticker: str, days: object, factor: float) -> Tables:
        for frame in (self.adj, self.close):
            frame.loc[days, ticker] *= factor
        return self

    def carry(self, ticker: str, day: str, volume: float) -> None:
        row = self.adj.index.get_loc(day)
        for frame in (self.adj, self.close):
            frame.iloc[row, frame.columns.get_loc(ticker)] = frame[ticker].iloc[row - 1]
        self.volume.loc[day, ticker] = volume

    def serious(self, ticker: str, day: str, **options: object) -> dict[str, str]:
        return {f.check: f.severity for f in self.found(ticker, day, **options) if f.severity != "note"}

    def found(self, ticker: str, day: str, **options: object) -> tuple[Finding, ...]:
        days, row = self.adj.index, self.adj.index.get_loc(day)
        last = days[[min(row + 3, len(days) - 1)]]
        usage = Usage((ticker,), days[[row - 150]], days[[row - 4]], last, (BENCHMARK,))
        prices = es.Prices.from_frame(self.adj, self.close, self.volume)
        return es.check_prices(prices, benchmarks=[BENCHMARK], usage=usage, **options)


@pytest.mark.parametrize("factor", [1.4, 1 / 1.5])
@pytest.mark.parametrize(
    ("ticker", "before", "day"), [("AVGO", "2024-12-12", "2024-12-13"), ("NVDA", "2025-01-24", "2025-01-27")]
)
def test_a_wrong_price_on_the_day_before_real_news_is_told(ticker, before, day, factor):
    """The news, a rise of 24 % and a fall of 17 %, hide the way back."""
    tables = Tables()
    assert tables.serious(ticker, day) == {}
    tables.scale(ticker, before, factor)
    assert tables.serious(ticker, day) == {"unconfirmed_move": "warning"}
    (told,) = (f for f in tables.found(ticker, day) if f.check == "unconfirmed_move")
    assert (told.tickers, told.first, told.last) == ((ticker,), before, day)
    assert "real news or a wrong price: compare with `eventstudy check" in str(told)
    assert "unconfirmed_move" not in tables.serious(ticker, "2025-03-31"), "in the estimation window only"


@pytest.mark.parametrize(("factor", "told"), [(1.4, True), (0.6, True), (1.2, False)])
def test_a_large_move_on_the_last_day_of_the_table_is_told_in_a_window_only(factor, told):
    tables = Tables(end="2025-01-23").scale("NVDA", "2025-01-23", factor)
    expected = {"unconfirmed_move": "warning"} if told else {}
    assert tables.serious("NVDA", "2025-01-23") == expected
    assert "unconfirmed_move" not in tables.serious("NVDA", "2024-12-02")
    if told:
        assert "and the table ends" in str(tables.found("NVDA", "2025-01-23"))


@pytest.mark.parametrize(
    "make", [lambda _: FLAGSHIP, lambda folder: make_starter(folder / "mine")], ids=["flagship", "starter"]
)
def test_the_studies_at_hand_have_no_warning_of_prices(make, tmp_path):
    assert [str(f) for f in es.load_study(make(tmp_path)).run().findings if f.severity != "note"] == []


def test_few_of_five_hundred_firms_have_a_move_that_nothing_confirms_on_any_day():
    prices = es.load_universe()
    first, last = (prices.dates[[place] * len(prices.tickers)] for place in (0, -1))
    found = es.check_prices(prices, usage=Usage(prices.tickers, first, first, last))
    assert [f.tickers for f in found if f.check == "unconfirmed_move"] == [("GL",)], "a short seller's report, denied"


@pytest.mark.parametrize("factor", [100.0, 0.79])
@pytest.mark.parametrize("count", [25, 200])
def test_a_series_in_two_units_is_an_error_however_often_it_changes(factor, count):
    tables = Tables()
    days = tables.adj.index[200 : 200 + 2 * count : 2]
    tables.scale("NVDA", days, factor)
    assert tables.serious("NVDA", "2024-06-03")["many_jumps"] == "error"
    (named,) = (f for f in tables.found("NVDA", "2024-06-03") if f.check == "many_jumps")
    assert "units are mixed" in named.value
    assert tables.serious("MSFT", "2024-06-03") == {}
    study = es.EventStudy(
        model=es.MarketModel(BENCHMARK), calendar="XNYS", accept={"many_jumps": "a test of acceptance"}
    )
    prices = es.Prices.from_frame(tables.adj)
    result = study.run(prices, [es.Event("NVDA", "2024-06-03")])
    assert "a test of acceptance" in {f.accepted for f in result.findings}


@pytest.mark.parametrize("volume", [0.0, np.nan])
def test_a_close_carried_into_an_event_window_is_an_error_and_in_the_estimation_only_if_it_is_no_single_day(volume):
    tables = Tables()
    tables.carry("NVDA", "2025-01-27", volume)
    assert tables.serious("NVDA", "2025-01-27") == {"zero_volume": "error"}
    assert "2025-01-27" in str([f for f in tables.found("NVDA", "2025-01-27") if f.check == "zero_volume"])
    assert tables.serious("NVDA", "2025-01-27", thin_trading=True) == {}
    assert tables.serious("NVDA", "2025-03-31") == {}, "one day before the event window"
    tables.carry("NVDA", "2025-01-15", volume)
    assert tables.serious("NVDA", "2025-03-31") == {"zero_volume": "warning"}


def test_an_equal_close_is_no_fault_where_there_was_trade_and_a_doubt_where_no_volume_is_known():
    tables = Tables()
    tables.carry("NVDA", "2025-01-27", 1e8)
    assert tables.serious("NVDA", "2025-01-27") == {}
    tables.volume["NVDA"] = np.nan
    assert tables.serious("NVDA", "2025-01-27") == {"carried_price": "warning"}
    assert tables.serious("NVDA", "2025-03-31") == {}, "outside the event window"
    assert tables.serious("NVDA", "2025-01-27", thin_trading=True) == {}


@pytest.mark.parametrize(
    ("first", "expected"), [("2024-01-02", "error"), ("2024-10-15", "error"), ("2025-04-15", None)]
)
def test_one_firms_prices_under_anothers_ticker_from_a_day_on_are_found(first, expected):
    """On 50 sessions in a row two firms might be one by their index; on more they are."""
    tables = Tables()
    for frame in (tables.adj, tables.close, tables.volume):
        frame.loc[first:, "META"] = frame.loc[first:, "MSFT"]
    day = "2025-01-27"
    assert tables.serious("META", day).get("duplicate_series") == expected
    if expected:
        (twins,) = (f for f in tables.found("META", day) if f.check == "duplicate_series")
        assert twins.tickers == ("META", "MSFT")
        assert twins.value.endswith("days in a row that are not zero")
        before = "2023-10-02" if first < "2024-02" else "2024-06-03"
        assert "duplicate_series" not in tables.serious("META", before)


def test_one_series_among_five_hundred_is_found_wherever_its_copy_begins():
    prices = es.load_universe()
    for start, days in ((3, 70), (97, 75), (200, 111)):
        closes = prices.adj_close.copy()
        stretch = closes["KO"].iloc[start : start + days]
        closes.iloc[start : start + days, closes.columns.get_loc("XOM")] = 1.7 * stretch
        found = [f for f in es.check_prices(es.Prices.from_frame(closes)) if f.check == "duplicate_series"]
        assert [(f.tickers, f.severity) for f in found] == [(("KO", "XOM"), "error")]
        assert found[0].first == f"{prices.dates[start + 1]:%Y-%m-%d}"


def test_two_funds_that_stand_still_are_not_one():
    days = pd.bdate_range("2024-01-02", periods=200)
    rng = np.random.default_rng(4)
    closes = pd.DataFrame({"A": 1.0, "B": 1.0, "C": 50 + rng.normal(0, 1, 200)}, index=days)
    closes.iloc[150:, 0] += 0.01 * np.arange(50)
    assert "duplicate_series" not in {f.check for f in es.check_prices(es.Prices.from_frame(closes), calendar=None)}
