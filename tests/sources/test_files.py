"""Prices from files: every layout gives the same table, every fault a clear error."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.sources import load_prices, read_prices
from eventstudy.sources.files import open as files_module

DAYS = ["2025-01-24", "2025-01-27", "2025-01-28"]
ADJ = pd.DataFrame({"AAA": [9.9, 10.8, 11.0], "NA": [20.0, 21.0, 22.5]}, index=pd.DatetimeIndex(DAYS, name="date"))
CLOSE = pd.DataFrame({"AAA": [10.0, 10.9, 11.1], "NA": [20.0, 21.0, 22.5]}, index=ADJ.index)
VOLUME = pd.DataFrame({"AAA": [100.0, 200.0, 300.0], "NA": [1.0, 2.0, 3.0]}, index=ADJ.index)

LONG = """date,ticker,close,adj_close,volume
2025-01-24,AAA,10.0,9.9,100
2025-01-27,AAA,10.9,10.8,200
2025-01-28,AAA,11.1,11.0,300
2025-01-24,NA,20,20,1
2025-01-27,NA,21,21,2
2025-01-28,NA,22.5,22.5,3
"""
WIDE = "date,AAA,NA\n2025-01-24,9.9,20\n2025-01-27,10.8,21\n2025-01-28,11,22.5\n"
CLIENT = """Price,Adj Close,Adj Close,Close,Close,High,Volume,Volume
Ticker,AAA,NA,AAA,NA,AAA,AAA,NA
Date,,,,,,,
2025-01-24,9.9,20,10.0,20,99,100,1
2025-01-27,10.8,21,10.9,21,99,200,2
2025-01-28,11.0,22.5,11.1,22.5,99,300,3
"""


@pytest.fixture
def save(tmp_path):
    def write(text, name="prices.csv", encoding="utf-8"):
        file = tmp_path / name
        content = text if isinstance(text, bytes) else text.encode(encoding)
        file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return file

    return write


def same(prices, close=CLOSE, volume=VOLUME):
    pd.testing.assert_frame_equal(
        prices.adj_close, ADJ, check_names=False, check_freq=False, check_index_type=False, check_column_type=False
    )
    for found, expected in ((prices.close, close), (prices.volume, volume)):
        if expected is None:
            assert found is None
        else:
            pd.testing.assert_frame_equal(
                found, expected, check_names=False, check_freq=False, check_index_type=False, check_column_type=False
            )


@pytest.mark.parametrize("name", ["prices.csv", "prices.csv.gz", "PRICES.CSV"])
def test_long(name, save):
    file = save(LONG, name)
    prices = read_prices(file)
    same(prices)
    assert prices.provenance.source == name
    assert prices.provenance.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (prices.provenance.first, prices.provenance.last) == (DAYS[0], DAYS[-1])


@pytest.mark.parametrize(
    "header",
    [
        "Date,Symbol,Close,Adj Close,Volume",
        "DATETIME,TICKER,CLOSE,ADJ_CLOSE,VOLUME",
        "day,Ticker,close,Adj. Close,volume",
    ],
)
def test_long_under_other_names(header, save):
    same(read_prices(save(header + LONG[LONG.index("\n") :])))


def test_long_in_any_order_with_equal_repeats_bom_and_crlf(save):
    head, *rows = LONG.splitlines()
    text = "\r\n".join([head, *rows[::-1], rows[0], ""])
    same(read_prices(save(text, encoding="utf-8-sig")))


def test_times_of_day_are_cut_off_as_written(save):
    text = LONG.replace("2025-01-27,", "2025-01-27 00:00:00-05:00,").replace("2025-01-28,", "2025-01-28T16:00:00,")
    same(read_prices(save(text)))


def test_long_with_one_close(save):
    text = "date,ticker,close\n2025-01-24,AAA,10\n2025-01-27,AAA,11\n"
    prices = read_prices(save(text))
    pd.testing.assert_frame_equal(prices.adj_close, prices.close)
    assert any("No column is known to hold adjusted closes" in c for c in prices.provenance.cautions)
    only_adjusted = read_prices(save(text.replace("close", "adj_close")))
    assert only_adjusted.close is None


def test_wide(save):
    same(read_prices(save(WIDE)), close=None, volume=None)
    same(read_prices(save(WIDE.replace("date", "", 1))), close=None, volume=None)  # an index without a name


def test_holes_stay_holes(save):
    prices = read_prices(save(WIDE.replace("10.8", "").replace("22.5", "NaN")))
    assert prices.adj_close.isna().sum().tolist() == [1, 1]


def test_table_saved_from_the_client(save):
    same(read_prices(save(CLIENT)))
    swapped = CLIENT.splitlines()
    text = "\n".join([swapped[1], swapped[0], *swapped[2:]]) + "\n"
    same(read_prices(save(text)))


def test_client_table_with_adjusted_close_only(save):
    frame = ADJ.copy()
    frame.columns = pd.MultiIndex.from_product([["Close"], frame.columns], names=["Price", "Ticker"])
    prices = read_prices(save(frame.to_csv()))
    same(prices, close=None, volume=None)
    assert any("adjusted" in c for c in prices.provenance.cautions)


def test_parquet(tmp_path):
    long = pd.read_csv(io.StringIO(LONG), keep_default_na=False)
    long.to_parquet(tmp_path / "long.parquet")
    same(read_prices(tmp_path / "long.parquet"))
    long["date"] = pd.to_datetime(long["date"]).dt.tz_localize("America/New_York")
    long.to_parquet(tmp_path / "aware.parquet")
    same(read_prices(tmp_path / "aware.parquet"))
    ADJ.to_parquet(tmp_path / "wide.parquet")
    same(read_prices(tmp_path / "wide.parquet"), close=None, volume=None)
    two = pd.concat({"Adj Close": ADJ, "Close": CLOSE, "Volume": VOLUME}, axis=1)
    two.to_parquet(tmp_path / "two.parquet")
    same(read_prices(tmp_path / "two.parquet"))


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    ADJ.to_parquet(tmp_path / "wide.parquet")

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidInput, match=r"eventstudy-finance\[scale\]"):
        read_prices(tmp_path / "wide.parquet")


def test_damaged_parquet(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DataUnfit, match="not readable as Parquet"):
        read_prices(tmp_path / "x.parquet")


UNKNOWN_LAYOUTS = {
    "one stock": ("Date,Open,High,Low,Close,Volume\n2025-01-24,1,1,1,1,5\n", "no ticker.*add a column ticker"),
    "no close": ("date,ticker,price\n2025-01-24,AAA,1\n", "columns date, ticker, price. Needed is either long"),
    "no date": ("ticker,close\nAAA,1\n", "columns ticker, close. Needed"),
    "date not first": ("AAA,date\n1,2025-01-24\n", "but no ticker"),
    "spaces": ("date AAA\n2025-01-24 1.5\n", "separated by commas"),
    "header twice": ("date,AAA,AAA\n2025-01-24,1,2\n", "'AAA' more than once"),
    "close twice": ("date,ticker,close,Close\n2025-01-24,A,1,2\n", "has close and Close, two columns for one figure"),
    "first no date": ("name,AAA\n2025-01-24,1\n", "the first is not a date"),
    "two levels, no close": ("Price,High\nTicker,AAA\nDate,\n2025-01-24,1\n", "without a Close"),
}


@pytest.mark.parametrize("name", UNKNOWN_LAYOUTS)
def test_unknown_layout_names_what_was_found_and_what_is_needed(name, save):
    text, words = UNKNOWN_LAYOUTS[name]
    with pytest.raises(InvalidInput, match=words):
        read_prices(save(text))


@pytest.mark.parametrize("day", ["01/02/2025", "27.01.2025", "Jan 27 2025", "20250127", "2025-02-30", "", "2025-1-7"])
@pytest.mark.parametrize("layout", ["wide", "long"])
def test_dates_that_are_not_iso_are_refused(day, layout, save):
    text = (WIDE if layout == "wide" else LONG).replace("2025-01-27", day)
    with pytest.raises(InvalidInput, match="in data row 2; write dates as 2025-01-27") as caught:
        read_prices(save(text))
    assert repr(day) in str(caught.value)


@pytest.mark.parametrize("cell", ["abc", "1 23.45", "$10", "10%", "True"])
def test_cell_that_is_no_number_is_named(cell, save):
    with pytest.raises(DataUnfit, match=r"column AAA, data row 2 \(2025-01-27\)"):
        read_prices(save(WIDE.replace("10.8", cell)))
    with pytest.raises(DataUnfit, match=r"column adj_close, data row 2 \(2025-01-27\)"):
        read_prices(save(LONG.replace("10.8", cell)))
    with pytest.raises(DataUnfit, match=r"column AAA adj_close, data row 2 \(2025-01-27\)"):
        read_prices(save(CLIENT.replace("10.8", cell)))


@pytest.mark.parametrize("cell", ["0", "-1", "inf"])
def test_price_that_cannot_be_is_refused(cell, save):
    with pytest.raises(DataUnfit, match="2025-01-27"):
        read_prices(save(WIDE.replace("10.8", cell)))


FAULTS = {
    "two rows differ": (LONG + "2025-01-27,AAA,10.9,99,200\n", DataUnfit, "AAA on 2025-01-27 more than once"),
    "wide day twice": (WIDE + "2025-01-27,1,2\n", DataUnfit, "2025-01-27 more than once"),
    "no ticker": (LONG + "2025-01-29,,1,1,1\n", DataUnfit, "no ticker in data row 7"),
    "long row": (WIDE + "2025-01-29,1,2,3\n", DataUnfit, "rows of different length"),
    "all rows long": ("date,AAA\n2025-01-29,1,2\n", DataUnfit, "rows of different length"),
    "header only": ("date,AAA\n", InvalidInput, "is empty"),
    "nothing": ("", DataUnfit, "is empty"),
    "blank lines": ("\n\n", DataUnfit, "is empty"),
    "not UTF-8": (b"date,\xff\xfe\n2025-01-24,1\n", InvalidInput, "not UTF-8"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faulty_file(name, save):
    text, error, words = FAULTS[name]
    with pytest.raises(error, match=words):
        read_prices(save(text))


def test_damaged_gzip(tmp_path):
    file = tmp_path / "prices.csv.gz"
    file.write_bytes(gzip.compress(LONG.encode())[:-20])
    with pytest.raises(DataUnfit, match="is damaged"):
        read_prices(file)
    file.write_bytes(LONG.encode())
    with pytest.raises(DataUnfit, match="is damaged"):
        read_prices(file)


def test_missing_file_wrong_ending_and_size(tmp_path, save, monkeypatch):
    with pytest.raises(DataMissing, match=r"no file .*none\.csv"):
        read_prices(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="does not end in"):
        read_prices(tmp_path / "prices.ods")
    file = save(WIDE)
    monkeypatch.setattr(files_module, "SIZE_LIMIT", 10)
    with pytest.raises(InvalidInput, match="at most"):
        read_prices(file)


def test_folder_of_the_file_stays_out_of_the_result(save, tmp_path):
    prices = read_prices(save(WIDE))
    assert str(tmp_path) not in repr(prices) + repr(prices.provenance)


def test_load_prices_from_a_file(save):
    file = save(LONG)
    prices = load_prices("NA", "2025-01-25", "2025-01-29", source=file)  # a few days over the edge
    assert prices.tickers == ("NA",)
    assert prices.dates[0] == pd.Timestamp("2025-01-27")
    assert load_prices(source=str(file)).tickers == ("AAA", "NA")
    with pytest.raises(DataMissing, match=r"No prices for META in prices\.csv; available: AAA, NA.*load_universe"):
        load_prices(["META"], source=file)
    with pytest.raises(DataMissing, match=r"start is 2024-01-01, but prices\.csv holds 2025-01-24 to 2025-01-28"):
        load_prices(start="2024-01-01", source=file)


def test_many_rows_are_read_as_they_are(tmp_path):
    days = pd.bdate_range("2000-01-03", periods=2000)
    values = 50 * np.exp(np.random.default_rng(1).normal(0, 0.02, (2000, 5)).cumsum(axis=0))
    frame = pd.DataFrame(values, index=days, columns=list("ABCDE")).rename_axis("date")
    frame.to_csv(tmp_path / "w.csv")
    np.testing.assert_array_equal(read_prices(tmp_path / "w.csv").adj_close.to_numpy(), values)
