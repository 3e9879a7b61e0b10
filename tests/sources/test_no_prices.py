"""Columns of a wide table that are no prices: told by their names or their figures, and no price taken for one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit, InvalidInput

DAYS = pd.bdate_range("2024-01-02", periods=60)


@pytest.fixture
def read(tmp_path):
    def write(columns, **form):
        table = pd.DataFrame(columns)
        table.insert(0, "date", DAYS[: len(table)])
        table.to_csv(tmp_path / "wide.csv", index=False, **form)
        return es.sources.read_prices(tmp_path / "wide.csv")

    return write


def walk(seed=1, days=60, sd=0.02, start=100.0):
    return (start * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, sd, days)))).round(4)


@pytest.mark.parametrize(
    "column",
    [
        "AAA_volume", "AAA Volume", "volume_AAA", "AAA_vol", "AAPL.Volume", "AAPL.Open", "AAA_low", "SPX return", "SPX_ret", "ret_AAA",
        "AAA Change", "AAA % Chg", "AAA Change %", "AAA (%)", "AAA_mktcap", "AAA Market Cap", "AAA_shares", "AAA_weight", "return", "RETURN",
        "AAA US Equity PX_VOLUME", "APPLE - TURNOVER BY VOLUME",
    ],
)  # fmt: skip
def test_columns_that_are_fields_are_refused_by_name(column, read):
    with pytest.raises(
        InvalidInput, match="no adjusted close but another price, a volume, a return or the like"
    ) as caught:
        read({"AAA": walk(), "BBB": walk(2), column: walk(3)})
    assert column in str(caught.value)
    assert "source=table[['date', 'AAA', 'BBB']]" in str(caught.value)


def test_the_columns_that_are_named_can_be_left_out(read, tmp_path):
    with pytest.raises(InvalidInput):
        read({"AAA": walk(), "AAA_volume": 1000})
    assert es.load_prices(source=pd.read_csv(tmp_path / "wide.csv")[["date", "AAA"]]).tickers == ("AAA",)
    with pytest.raises(InvalidInput, match=r"returns is handed to EventStudy\.run"):
        read({"AAA return": walk()})


@pytest.mark.parametrize(
    "ticker",
    [
        "VOL", "OPEN", "RET", "BRK-B", "BF.B", "LOW.DE", "^GSPC", "S&P 500 Total Return", "Open Text", "SPDR Gold Shares",
        "S&P 500 Equal Weight", "FTSE High Dividend", "S&P 500 Low Vol", "AAPL US Equity", "NVDA_close", "VOL.US", "4.25% 2034", "EUR_USD",
        "Change Healthcare", "APPLE - TOT RETURN IND", "Highlow", "005930.KS",
    ],
)  # fmt: skip
def test_tickers_and_names_are_no_fields(ticker, read):
    assert read({ticker: walk(), "BBB": walk(2)}).tickers == (ticker, "BBB")


def percentages(seed=3, days=60):
    return (np.abs(np.random.default_rng(seed).normal(0, 1.5, days)) + 0.01).round(2)


def test_positive_percentages_and_volumes_are_no_prices(read):
    with pytest.raises(
        DataUnfit, match=r"wide\.csv has figures that are no prices in BBB \(.*percentages, returns or volumes"
    ):
        read({"AAA": walk(), "BBB": percentages()})
    with pytest.raises(DataUnfit, match="no prices in BBB"):
        read({"AAA": walk(days=12), "BBB": percentages(days=12) / 100})
    volumes = np.exp(np.random.default_rng(5).normal(15, 0.3, 60)).round()
    with pytest.raises(DataUnfit, match="no prices in BBB"):
        read({"AAA": walk(), "BBB": volumes})


def test_figures_that_may_be_percentages_or_gross_returns_are_told(read):
    draws = np.random.default_rng(4)
    said = read({"AAA": walk(), "BBB": draws.normal(5, 0.5, 60).round(3), "CCC": draws.normal(1, 0.02, 60).round(5)})
    assert said.tickers == ("AAA", "BBB", "CCC")
    _, percent, gross = said.provenance.cautions
    assert "BBB move by more than 5 %" in percent
    assert "CCC lie around 1" in gross


@pytest.mark.parametrize("seed", range(40))
def test_prices_are_not_doubted(seed, read):
    draws = np.random.default_rng(seed)
    columns = {
        "usual": walk(seed),
        "wild": walk(seed + 100, sd=0.10),
        "near one": walk(seed + 200, sd=0.01, start=1.0),
        "pegged": draws.normal(1.0, 0.0005, 60).round(5),
        "sub-penny": draws.integers(1, 4, 60) / 10_000,
        "bouncing": (10 + draws.integers(-1, 2, 60) / 100),
        "still": 7.0,
        "divided": np.r_[walk(seed, 30), walk(seed, 30) / 10],
    }
    assert len(read(columns).provenance.cautions) == 1


@pytest.mark.slow
def test_the_embedded_prices_are_not_doubted(tmp_path):
    for start, end in (("2022-01-03", "2022-02-15"), ("2024-12-16", "2025-01-31"), ("2022-01-03", "2025-06-30")):
        es.load_prices().between(start, end).adj_close.dropna(axis=1, how="all").to_csv(tmp_path / "closes.csv")
        assert len(es.sources.read_prices(tmp_path / "closes.csv").provenance.cautions) == 1
