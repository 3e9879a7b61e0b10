"""Files as the usual sources write them: every layout gives the same closes, and what is ambiguous is refused."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.sources import load_prices, read_prices
from eventstudy.sources.files import delimited as delimited_module
from eventstudy.sources.files import layouts
from eventstudy.sources.files import open as parquet_module
from eventstudy.sources.files.layouts import ticker_of_name

DAYS = pd.DatetimeIndex(["2025-01-23", "2025-01-24", "2025-01-27"], name="date")
CLOSES = [147.22, 142.62, 118.42]
VOLUMES = [155915598.0, 148774102.0, 818830897.0]

CLIENT_HISTORY = """Date,Open,High,Low,Close,Volume,Dividends,Stock Splits
2025-01-23 00:00:00-05:00,145.0,147.5,143.6,147.22,155915598,0.0,0.0
2025-01-24 00:00:00-05:00,148.3,148.9,141.8,142.62,148774102,0.0,0.0
2025-01-27 00:00:00-05:00,124.8,128.4,116.7,118.42,818830897,0.0,0.0
"""
STOOQ = """Date,Open,High,Low,Close,Volume
2025-01-23,145.0,147.5,143.6,147.22,155915598
2025-01-24,148.3,148.9,141.8,142.62,148774102
2025-01-27,124.8,128.4,116.7,118.42,818830897
"""
NASDAQ = """Date,Close/Last,Volume,Open,High,Low
01/27/2025,$118.42,818830897,$124.80,$128.40,$116.70
01/24/2025,$142.62,148774102,$148.37,$148.97,$141.88
01/23/2025,$147.22,155915598,$145.05,$147.55,$143.61
"""
INVESTING = """"Date","Price","Open","High","Low","Vol.","Change %"
"01/27/2025","118.42","124.80","128.40","116.70","818.83M","-16.97%"
"01/24/2025","142.62","148.37","148.97","141.88","148.77M","-3.12%"
"01/23/2025","147.22","145.05","147.55","143.61","155.92M","0.10%"
"""
SINGLE = {"client": CLIENT_HISTORY, "stooq": STOOQ, "nasdaq": NASDAQ, "investing": INVESTING}
BULK = """<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>
NVDA.US,D,20250123,000000,145,147.5,143.6,147.22,155915598,0
NVDA.US,D,20250124,000000,148.3,148.9,141.8,142.62,148774102,0
NVDA.US,D,20250127,000000,124.8,128.4,116.7,118.42,818830897,0
META.US,D,20250127,000000,1,1,1,659.88,1,0
"""


@pytest.fixture
def save(tmp_path):
    def write(text, name="NVDA.csv"):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return tmp_path / name

    return write


def holds(prices, ticker="NVDA", volumes=VOLUMES):
    assert prices.tickers == (ticker,)
    assert list(prices.dates) == list(DAYS)
    assert prices.adj_close[ticker].tolist() == CLOSES
    assert prices.volume[ticker].tolist() == pytest.approx(volumes, rel=1e-4)


@pytest.mark.parametrize("source", SINGLE)
@pytest.mark.parametrize("name", ["NVDA.csv", "NVDA.csv.gz", "nvda_us_d.csv", "nvda.us.txt"])
def test_one_share_is_named_by_its_file(source, name, save):
    holds(read_prices(save(SINGLE[source], name)))


@pytest.mark.parametrize("source", SINGLE)
def test_one_share_named_by_the_caller(source, save):
    file = save(SINGLE[source], "HistoricalData_1738.csv")
    holds(read_prices(file, ticker="NVDA"))
    holds(load_prices("NVDA", source=file))
    with pytest.raises(InvalidInput, match=r"no ticker.*name the file by its ticker.*ticker='NVDA'"):
        read_prices(file)
    with pytest.raises(InvalidInput, match="no ticker"):
        load_prices(["NVDA", "META"], source=file)


def test_a_file_named_by_another_share_is_not_taken_for_the_one_asked_for(save):
    with pytest.raises(DataMissing, match=r"No prices for META in NVDA\.csv; available: NVDA"):
        load_prices("META", source=save(STOOQ))


def test_a_ticker_for_a_file_that_has_its_own_is_refused(save):
    with pytest.raises(InvalidInput, match=r"ticker is 'META', but NVDA.csv names its own: A, B"):
        read_prices(save("date,A,B\n2025-01-24,1,2\n"), ticker="META")


def test_each_source_says_what_its_closes_lack(save):
    nasdaq, stooq = read_prices(save(NASDAQ)), read_prices(save(STOOQ))
    assert "not for dividends" in nasdaq.provenance.cautions[0]
    assert nasdaq.close is not None
    assert stooq.close is None
    assert "adjusted" in stooq.provenance.cautions[0]
    assert "Yahoo client" in read_prices(save(CLIENT_HISTORY)).provenance.cautions[0]
    both = STOOQ.replace("Volume", "Adj Close")
    prices = read_prices(save(both))
    assert prices.close["NVDA"].tolist() == CLOSES
    assert prices.adj_close["NVDA"].tolist() == VOLUMES


@pytest.mark.parametrize(
    ("name", "ticker"),
    [
        ("^GSPC.csv", "^GSPC"),
        ("BRK-B.parquet", "BRK-B"),
        ("EURUSD=X.csv", "EURUSD=X"),
        ("prices.csv", None),
        ("PRICES.CSV", None),
        ("2025.csv", None),
        ("HistoricalData_1.csv", None),
        ("NVDA (1).csv", None),
        ("brk-b_us_d.csv", "BRK-B"),
    ],
)
def test_ticker_of_a_file_name(name, ticker):
    assert ticker_of_name(name) == ticker


def test_bulk_file(save):
    prices = read_prices(save(BULK, "world.txt"))
    assert prices.tickers == ("META.US", "NVDA.US")
    assert prices.adj_close["NVDA.US"].tolist() == CLOSES
    assert prices.adj_close["META.US"].isna().tolist() == [True, True, False]
    with pytest.raises(DataUnfit, match=r"'5' as period in data row 2; only daily rows"):
        read_prices(save(BULK.replace("D,20250124", "5,20250124"), "world.txt"))


DATES = {
    "month first": "01/24/2025 01/27/2025",
    "day first": "24/01/2025 27/01/2025",
    "dotted": "24.01.2025 27.1.2025",
    "dashed": "24-01-2025 27-01-2025",
    "compact": "20250124 20250127",
    "SAS": "24JAN2025 27JAN2025",
    "year first": "2025/01/24 2025/01/27",
    "settled by one": "24/01/2025 02/03/2025",
}


@pytest.mark.parametrize("form", DATES)
def test_forms_of_dates_that_a_file_settles(form, save):
    first, second = DATES[form].split()
    prices = read_prices(save(f"date,A,B\n{first},1,2\n{second},2,3\n", "closes.csv"))
    assert prices.dates[0] == pd.Timestamp("2025-01-24")
    assert prices.dates[1] == pd.Timestamp("2025-03-02" if form == "settled by one" else "2025-01-27")


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ("03/04/2025 05/06/2025", "no date in it tells which number is the day"),
        ("03.04.2025 05.06.2025", "no date in it tells which number is the day"),
        ("13/01/2025 01/14/2025", "day and month change places"),
        ("2025-01-24 01/27/2025", "'01/27/2025' as a date in data row 2"),
        ("01/24/25 01/27/25", "'01/24/25' as a date in data row 1"),
        ("45681 45684", "'45681' as a date in data row 1"),
        ("29/02/2025 28/02/2025", "'29/02/2025' as a date in data row 1"),
        ("0001-01-24 0001-01-27", "'0001-01-24' as a date in data row 1"),
        ("2025-01-24x 2025-01-27x", "'2025-01-24x' as a date in data row 1"),
    ],
)
def test_dates_that_mean_two_days_are_refused(dates, words, save):
    first, second = dates.split()
    with pytest.raises(InvalidInput, match=words) as caught:
        read_prices(save(f"date,A,B\n{first},1,2\n{second},2,3\n", "closes.csv"))
    assert "write dates as 2025-01-27" in str(caught.value)


def test_nasdaq_writes_the_month_first(save):
    ambiguous = "Date,Close/Last\n03/04/2025,$1\n03/05/2025,$2\n"
    assert list(read_prices(save(ambiguous)).dates) == list(pd.DatetimeIndex(["2025-03-04", "2025-03-05"]))
    with pytest.raises(InvalidInput, match="change places"):
        read_prices(save(ambiguous.replace("03/05", "13/05")))


DECIMALS = {
    "semicolons and decimal commas": "date;A;B\n2025-01-24;1.234,56;0,5\n2025-01-27;1.300;0,6\n",
    "semicolons and decimal points": "date;A;B\n2025-01-24;1,234.56;0.5\n2025-01-27;1300;0.6\n",
    "tabs": "date\tA\tB\n2025-01-24\t1234.56\t0.5\n2025-01-27\t1300\t0.6\n",
}


@pytest.mark.parametrize("form", DECIMALS)
def test_decimal_marks(form, save):
    text = DECIMALS[form]
    prices = read_prices(save(text, "closes.csv"))
    np.testing.assert_array_equal(prices.adj_close.to_numpy(), [[1234.56, 0.5], [1300.0, 0.6]])


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("date;A\n2025-01-24;1,234\n", InvalidInput, "whether the comma is a decimal mark"),
        ("date;A;B\n2025-01-24;1,5;1.5\n", InvalidInput, "1,5 and 1.5; write all figures with a point"),
        ('date,A\n2025-01-24,"1.234,56"\n', DataUnfit, "'1.234,56' in column A"),
        ("date;A;B\n2025-01-24;1;2;3\n", DataUnfit, "different length"),
    ],
)
def test_decimal_marks_that_cannot_be_told_are_refused(text, error, words, save):
    with pytest.raises(error, match=words):
        read_prices(save(text, "closes.csv"))


def two_levels(order):
    parts = {"Adj Close": CLOSES, "Close": [v + 1 for v in CLOSES], "Volume": VOLUMES}
    frame = pd.DataFrame({(f, t): v for f, v in parts.items() for t in ("NVDA", "META")}, index=DAYS.rename("Date"))
    frame.columns = frame.columns.set_names(["Price", "Ticker"])
    return frame if order == "Price" else frame.swaplevel(axis=1).sort_index(axis=1)


@pytest.mark.parametrize("order", ["Price", "Ticker"])
@pytest.mark.parametrize("form", ["csv", "csv without names", "csv of an unnamed index", "parquet", "parquet, reset"])
def test_two_levels_as_pandas_writes_them(order, form, tmp_path):
    frame = two_levels(order)
    file = tmp_path / ("two.parquet" if "parquet" in form else "two.csv")
    if form == "csv without names":
        frame.columns = frame.columns.set_names([None, None])
    if form == "csv of an unnamed index":
        frame.index.name = None
    if "parquet" in form:
        (frame.reset_index() if "reset" in form else frame).to_parquet(file)
    else:
        frame.to_csv(file)
    prices = read_prices(file)
    assert sorted(prices.tickers) == ["META", "NVDA"]
    assert prices.adj_close["NVDA"].tolist() == CLOSES
    assert prices.close["META"].tolist() == [v + 1 for v in CLOSES]
    assert prices.volume["META"].tolist() == VOLUMES


def test_history_of_one_share_from_parquet(tmp_path):
    index = pd.DatetimeIndex(DAYS).tz_localize("America/New_York").rename("Date")
    frame = pd.DataFrame({"Open": CLOSES, "Close": CLOSES, "Volume": VOLUMES, "Dividends": 0.0}, index=index)
    frame.to_parquet(tmp_path / "NVDA.parquet")
    holds(read_prices(tmp_path / "NVDA.parquet"))


def test_tickers_that_are_names_of_fields(save):
    prices = read_prices(save("date,AAPL,LOW,DAY\n2025-01-24,1,2,3\n2025-01-27,1,2,3\n", "closes.csv"))
    assert prices.tickers == ("AAPL", "LOW", "DAY")
    with pytest.raises(InvalidInput, match="but no ticker"):
        read_prices(save("date,OPEN,HIGH,LOW\n2025-01-24,1,2,3\n", "closes.csv"))


@pytest.mark.parametrize("ticker", ["A\x07", "A\u202eB", "=HYPERLINK(1)", "@SUM", "+1", "-A", "A" * 65])
@pytest.mark.parametrize("layout", ["long", "wide", "two"])
def test_tickers_that_cannot_be_are_refused(ticker, layout, save):
    text = {
        "long": f"date,ticker,close\n2025-01-24,{ticker},1\n",
        "wide": f"date,{ticker},B\n2025-01-24,1,2\n",
        "two": f"Price,Close,Close\nTicker,{ticker},B\nDate,,\n2025-01-24,1,2\n",
    }[layout]
    with pytest.raises(DataUnfit, match="ticker") as caught:
        read_prices(save(text, "closes.csv"))
    assert not any(ord(c) < 32 for c in str(caught.value))


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ("date,A\n2025-01-24,1\n".encode("utf-16"), InvalidInput, "UTF-16"),
        ("date,Ä\n2025-01-24,1\n".encode("latin-1"), InvalidInput, r"not UTF-8 text \(line 1\)"),
        (b"date,A\n2025-01-24,1\n2025-01-27,\0\n", DataUnfit, "NUL byte in line 3"),
        (b'date,"A\n2025-01-24,1\n', DataUnfit, "control character"),
        (b"date,A,B\n2025-01-24," + b"1" * 400 + b",2\n", DataUnfit, "column A, data row 1"),
        (b"date,A,B\n2025-01-24,1_000,2\n", DataUnfit, "'1_000'"),
    ],
)
def test_bytes_that_are_no_table(content, error, words, save):
    with pytest.raises(error, match=words):
        read_prices(save(content, "closes.csv"))


def test_text_is_bounded(save, monkeypatch):
    wide = "date," + ",".join(f"T{i}" for i in range(50)) + "\n2025-01-24" + ",1" * 50 + "\n"
    monkeypatch.setattr(delimited_module, "MAX_COLUMNS", 40)
    with pytest.raises(InvalidInput, match="more than 40 columns"):
        read_prices(save(wide, "closes.csv"))
    monkeypatch.setattr(delimited_module, "MAX_ROWS", 3)
    with pytest.raises(InvalidInput, match="more than 3 rows"):
        read_prices(save("date,A\n" * 5, "closes.csv"))
    monkeypatch.setattr(delimited_module, "MAX_LINE", 100)
    with pytest.raises(InvalidInput, match="a line of 351 characters"):
        read_prices(save("date,A\n" + "x" * 350 + "\n", "closes.csv"))
    monkeypatch.setattr(delimited_module, "MAX_TEXT", 1000)
    bomb = save(b"0" * 100_000, "closes.csv.gz")
    assert bomb.stat().st_size < 1000
    with pytest.raises(InvalidInput, match="MB of text"):
        read_prices(bomb)


def test_parquet_is_bounded_before_it_is_read(tmp_path, monkeypatch):
    frame = pd.DataFrame({"A": np.ones(1000), "B": np.ones(1000)}, index=pd.bdate_range("2020-01-01", periods=1000))
    frame.rename_axis("date").to_parquet(tmp_path / "x.parquet")
    assert read_prices(tmp_path / "x.parquet").tickers == ("A", "B")
    monkeypatch.setattr(parquet_module, "MAX_CELLS", 2000)
    with pytest.raises(InvalidInput, match=r"1,000 rows and 3 columns"):
        read_prices(tmp_path / "x.parquet")


def test_parquet_with_texts_that_would_fill_the_memory_is_refused(tmp_path):
    rows = 1000
    frame = pd.DataFrame({"date": ["2025-01-24"] * rows, "ticker": ["A" * 10_000] * rows, "close": 1.0})
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InvalidInput, match="a text of 10,000 characters in column 'ticker'"):
        read_prices(tmp_path / "x.parquet")


def test_parquet_with_other_things_than_figures_is_refused(tmp_path):
    frame = pd.DataFrame({"date": ["2025-01-24"], "A": [[1, 2]]})
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InvalidInput, match="column 'A' of type list"):
        read_prices(tmp_path / "x.parquet")
    pd.DataFrame({"date": ["2025-01-24"], "A": [b"1"]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InvalidInput, match="column 'A' of type binary"):
        read_prices(tmp_path / "x.parquet")


def test_parquet_columns_of_other_kinds(tmp_path):
    frame = pd.DataFrame({"date": list(DAYS), "ticker": "A", "close": CLOSES})
    frame["ticker"] = frame["ticker"].astype("category")
    frame["close"] = frame["close"].astype("Float64")
    frame.to_parquet(tmp_path / "x.parquet")
    assert read_prices(tmp_path / "x.parquet").close["A"].tolist() == CLOSES
    wide = pd.DataFrame({"date": list(DAYS), "A": CLOSES, "B": pd.Series([pd.NaT] * 3, dtype="datetime64[ns]")})
    wide.to_parquet(tmp_path / "x.parquet")
    assert read_prices(tmp_path / "x.parquet").adj_close["B"].isna().all()
    wide.assign(B=DAYS).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataUnfit, match="column B, data row 1"):
        read_prices(tmp_path / "x.parquet")


@pytest.mark.parametrize("volume", ["-5", "inf"])
def test_a_volume_that_cannot_be_is_refused(volume, save):
    with pytest.raises(DataUnfit, match="as the volume of NVDA on 2025-01-24"):
        read_prices(save(STOOQ.replace("148774102", volume)))


def test_an_index_without_volume_on_nasdaq(save):
    prices = read_prices(save(NASDAQ.replace("148774102", "--")))
    assert prices.volume["NVDA"].isna().tolist() == [False, True, False]


def test_a_table_with_a_column_twice_is_refused():
    frame = pd.DataFrame([["2025-01-24", 1.0, 2.0]], columns=["date", "A", "A"])
    with pytest.raises(InvalidInput, match="'A' more than once"):
        load_prices(source=frame)


def test_delisting_is_for_crsp_alone(save):
    for text in (STOOQ, "Price,Close\nTicker,A\nDate,\n2025-01-24,1\n", "date,A,B\n2025-01-24,1,2\n"):
        with pytest.raises(InvalidInput, match="no CRSP file"):
            read_prices(save(text), delisting="ignore")


def test_words_of_a_layout_of_its_own_are_read_as_they_are_written(monkeypatch):
    """A new kind of file states its words in `HEADERS`; that they are words and days follows from it."""
    own = {"sym": "ticker", "tradedate": "date", "pxlast": "close"}
    monkeypatch.setattr(layouts, "_MEANS", {**layouts._MEANS, "pxfeed": own})
    assert layouts.holds_words("Sym")
    assert layouts.holds_words("TradeDate")
    assert not layouts.holds_words("PxLast")
    table = pd.DataFrame({"Sym": ["007"], "TradeDate": ["2025-01-26 23:00:00+00:00"], "PxLast": ["1.5"]})
    days, cautions = layouts.with_local_days(table, "pxfeed.csv")
    assert str(days["TradeDate"][0])[:10] == "2025-01-27"
    assert cautions
