"""Files as terminals, web pages and spreadsheets export them: read without a false alarm, or refused with what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit, InvalidInput

DAYS = pd.bdate_range("2024-12-16", periods=30)
CLOSES = (120 * np.exp(np.random.default_rng(2).normal(0, 0.02, 30).cumsum())).round(2)
VOLUMES = np.random.default_rng(3).integers(10**8, 9 * 10**8, 30)


def european(value, decimals=2):
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


#: Header, row from a day, a close and a volume; the name of the file, the ticker read, cautions expected.
READ = {
    "Yahoo's page": (
        'Date,Open,High,Low,"Close\u00a0\u00a0","Adj Close ",Volume',
        lambda d, c, v: f'"{d:%b} {d.day}, {d:%Y}",{c},{c},{c},{c},{c},"{v:,}"',
        "NVDA.csv", "NVDA", 0,
    ),
    "Bloomberg": ("Dates,NVDA US Equity,SPX Index", lambda d, c, _: f"{d:%m/%d/%Y},{c},{c * 50:.2f}", "b.csv", "NVDA US Equity", 1),
    "Refinitiv": ("Date,NVDA.O,.SPX", lambda d, c, _: f"{d:%Y-%m-%d}T00:00:00Z,{c},{c * 50:.2f}", "r.csv", "NVDA.O", 1),
    "European spreadsheet": (
        "\ufeffdate;ticker;close;adj_close;volume",
        lambda d, c, v: f"{d:%d.%m.%Y};NVDA;{european(c)};{european(c)};{european(v, 0)}",
        "e.csv", "NVDA", 0,
    ),
    "Nasdaq.com": (
        "Date,Close/Last,Volume,Open,High,Low",
        lambda d, c, v: f'{d:%m/%d/%Y},"${c:,.2f}","{v:,}",$1.00,$1.00,$1.00',
        "NVDA.csv", "NVDA", 1,
    ),
    "Investing.com": (
        '"Date","Price","Open","High","Low","Vol.","Change %"',
        lambda d, c, v: f'"{d:%m/%d/%Y}","{c:,.2f}","1,234.00","1,234.00","1,234.00","{v / 1e6:.2f}M","1.23%"',
        "NVDA.csv", "NVDA", 1,
    ),
    "Tiingo": (
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
        lambda d, c, v: f"{d:%Y-%m-%d}T00:00:00.000Z,{c},1,1,1,{v},{c},1,1,1,{v},0,1",
        "NVDA.csv", "NVDA", 0,
    ),
    "a spreadsheet with Google's function": ("Date,Close", lambda d, c, _: f"{d.month}/{d.day}/{d:%Y} 16:00:00,{c}", "NVDA.csv", "NVDA", 1),
}  # fmt: skip


@pytest.mark.parametrize("export", READ)
def test_exports_are_read(export, tmp_path):
    head, row, name, ticker, cautions = READ[export]
    rows = [row(d, c, v) for d, c, v in zip(DAYS, CLOSES, VOLUMES, strict=True)]
    (tmp_path / name).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    prices = es.sources.read_prices(tmp_path / name)
    assert list(prices.dates) == list(DAYS)
    np.testing.assert_array_equal(prices.adj_close[ticker], CLOSES)
    assert len(prices.provenance.cautions) == cautions
    if prices.volume is not None:
        np.testing.assert_allclose(prices.volume[ticker], VOLUMES, rtol=1e-4)


REFUSED = {
    "quantmod": (
        '"","AAPL.Open","AAPL.High","AAPL.Low","AAPL.Close","AAPL.Volume","AAPL.Adjusted"',
        lambda d, c: f"{d:%Y-%m-%d},{c},{c},{c},{c},1,{c}",
        r"AAPL\.Low, AAPL\.Close, AAPL\.Volume: .*table\[\['Unnamed: 0', 'AAPL\.Adjusted'\]\]",
    ),
    "one share of Bloomberg": (
        "Date,PX_LAST,PX_VOLUME",
        lambda d, c: f"{d:%Y-%m-%d},{c},1000",
        "column PX_VOLUME: by the name no adjusted close",
    ),
    "Bloomberg without figures": ("Dates,NVDA US Equity", lambda d, _: f"{d:%Y-%m-%d},#N/A N/A", "'#N/A N/A' in column NVDA US Equity"),
    "two numbers in a cell": ("date;NVDA", lambda d, c: f"{d:%Y-%m-%d};{c} {c}", "where a number is needed"),
    "Refinitiv, long": ("Instrument,Date,Price Close", lambda d, c: f"NVDA.O,{d:%Y-%m-%d},{c}", "but no ticker"),
}  # fmt: skip


@pytest.mark.parametrize("export", REFUSED)
def test_exports_that_are_refused(export, tmp_path):
    head, row, words = REFUSED[export]
    rows = [row(d, c) for d, c in zip(DAYS, CLOSES, strict=True)]
    (tmp_path / "export.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    with pytest.raises((InvalidInput, DataUnfit), match=words):
        es.sources.read_prices(tmp_path / "export.csv")
