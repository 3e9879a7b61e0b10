"""Files in which a figure can be read in two ways, or belongs to nobody: refused, or told."""

from __future__ import annotations

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput

DAYS = [f"{d:%Y-%m-%d}" for d in pd.bdate_range("2024-01-02", periods=8)]
THOUSANDS = ("998", "1.004", "1.010", "1.002", "999", "1.001", "1.003", "997")


def load(folder, rows, name="prices.csv", tickers=None):
    file = folder / name
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return es.load_prices(tickers, source=file)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_point_that_may_part_thousands_is_refused(tmp_path, mark):
    rows = [
        mark.join(["date", "ticker", "adj_close"]),
        *(mark.join([d, "AAA", v]) for d, v in zip(DAYS, THOUSANDS, strict=True)),
    ]
    with pytest.raises(InvalidInput, match=r"'998' and '1\.004' in column adj_close"):
        load(tmp_path, rows)
    told = [*rows[:-1], mark.join([DAYS[-1], "AAA", "997.5"])]  # one figure with one decimal tells
    assert load(tmp_path, told).adj_close["AAA"].iloc[1] == 1.004
    same = [rows[0], *(mark.join([d, "AAA", f"{100 + i}.125"]) for i, d in enumerate(DAYS))]
    assert load(tmp_path, same).adj_close["AAA"].iloc[0] == 100.125


def test_sharadar_is_read_and_raw_closes_alone_are_refused(tmp_path):
    head = "ticker,date,close,volume,closeadj,closeunadj,lastupdated"
    rows = [head, *(f"AAA,{d},{100 + i},5,{90 + i},{200 + 2 * i},2025-01-01" for i, d in enumerate(DAYS))]
    prices = load(tmp_path, rows)
    assert (prices.adj_close["AAA"].iloc[0], prices.close["AAA"].iloc[0]) == (90.0, 100.0)
    raw = ["ticker,date,closeunadj", *(f"AAA,{d},{200 + i}" for i, d in enumerate(DAYS))]
    with pytest.raises(InvalidInput, match=r"closeunadj.*returns need closes adjusted for splits and dividends"):
        load(tmp_path, raw)


def test_a_file_that_names_nobody_is_taken_as_asked_and_told(tmp_path):
    rows = ["date,close,adj_close", *(f"{d},{100 + i},{100 + i}" for i, d in enumerate(DAYS))]
    said = load(tmp_path, rows, "nvda.csv", ["META"]).provenance.cautions
    assert "Nothing in nvda.csv says whose prices it holds; it was taken for META, as asked." in said
    assert not any("whose prices" in c for c in load(tmp_path, rows, "META.csv", ["META"]).provenance.cautions)


def test_adjusted_closes_of_some_tickers_only_are_refused(tmp_path):
    rows = [
        "Price,Adj Close,Close,Close",
        "Ticker,AAA,AAA,BBB",
        "Date,,,",
        *(f"{d},{90 + i},{100 + i},{50 + i}" for i, d in enumerate(DAYS)),
    ]
    with pytest.raises(InvalidInput, match="an Adj Close for AAA and only a Close for BBB"):
        load(tmp_path, rows)


def test_crsp_columns_of_two_ages_in_one_file(tmp_path):
    rows = ["permno,date,ret,dlyret,prc", *(f"10001,{d},0.01,0.02,{100 + i}" for i, d in enumerate(DAYS))]
    with pytest.raises(InvalidInput, match="has ret and dlyret, two columns for one figure; keep one"):
        load(tmp_path, rows)
    both = [
        "permno,tsymbol,ticker,date,ret,prc",
        *(f"10001,AAB,AA,{d},0.01,{100 * 1.01**i:.4f}" for i, d in enumerate(DAYS)),
    ]
    assert load(tmp_path, both).tickers == ("AA",)
