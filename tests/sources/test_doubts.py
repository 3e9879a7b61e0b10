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


@pytest.mark.parametrize("layout", ["long", "two rows"])
def test_days_without_an_adjusted_close_are_counted(tmp_path, layout):
    adjusted = {"AAA": ["", "", *map(str, range(90, 96))], "BBB": [""] * 8, "CCC": [str(50 + i) for i in range(8)]}
    if layout == "long":
        rows = [f"{d},{t},{100 + i},{v[i]}" for t, v in adjusted.items() for i, d in enumerate(DAYS)]
        prices = load(tmp_path, ["date,ticker,close,adj_close", *rows])
    else:
        head = [
            "Price,Adj Close,Adj Close,Adj Close,Close,Close,Close",
            "Ticker,AAA,BBB,CCC,AAA,BBB,CCC",
            "Date" + "," * 6,
        ]
        rows = [",".join([d, *(v[i] for v in adjusted.values()), "100", "101", "102"]) for i, d in enumerate(DAYS)]
        prices = load(tmp_path, [*head, *rows])
    (said,) = prices.provenance.cautions
    assert "days that have a close as traded: AAA (2 days, 2024-01-02 to 2024-01-03), BBB (all 8 days)" in said
    assert "Nothing was put in its place; these days have no return" in said
    assert prices.adj_close["AAA"].isna().sum() == 2
    assert prices.close["AAA"].notna().all()


def test_one_share_with_holes_in_its_adjusted_close(tmp_path):
    rows = ["date,close,adj_close", *(f"{d},{100 + i},{'' if i == 3 else 90 + i}" for i, d in enumerate(DAYS))]
    assert "AAA (1 day, 2024-01-05)" in load(tmp_path, rows, "AAA.csv").provenance.cautions[0]


def test_a_ticker_without_any_price_is_named(tmp_path):
    rows = ["date,AAA,BBB", *(f"{d},{100 + i}," for i, d in enumerate(DAYS))]
    assert "No price on any day, so no return: BBB." in load(tmp_path, rows).provenance.cautions
    late = [*rows[:-1], f"{DAYS[-1]},107,50"]  # a share that is listed later lacks nothing
    assert len(load(tmp_path, late).provenance.cautions) == 1


@pytest.mark.parametrize("mark", [";", "\t"])
def test_points_that_may_part_thousands_in_every_figure_are_told(tmp_path, mark):
    def cautions(*columns):
        rows = [mark.join(cells) for cells in zip(["date", *DAYS], *columns, strict=True)]
        return load(tmp_path, rows).provenance.cautions[1:]

    a, b = ["AAA", *(f"1.{998 - i}" for i in range(8))], ["BBB", *(f"22.{100 + i}" for i in range(8))]
    (said,) = cautions(a, b)
    assert "All figures of AAA, BBB have three digits after the point" in said
    assert "1.998 was read as 1.998, not as 1998. Returns are the same either way" in said
    for telling in ("0.998", "1998.125", "2.5", "2.1250"):  # in any column
        assert cautions(a, [*b[:-1], telling]) == ()
    (said,) = cautions(a, ["BBB", *(str(20 + i) for i in range(8))])
    assert "All figures of AAA have" in said


def test_quoted_thousands_that_other_columns_prove_are_told(tmp_path):
    def cautions(column, other="BBB"):
        rows = [
            "date,AAA," + other,
            *(f'{d},"{v}",{50 + i}.25' for i, (d, v) in enumerate(zip(DAYS, column, strict=True))),
        ]
        prices = load(tmp_path, rows)
        assert prices.adj_close["AAA"].iloc[0] == float(column[0].replace(",", ""))
        return prices.provenance.cautions[1:]

    (said,) = cautions([f"12,{100 + i}" for i in range(8)])
    assert "The comma in the figures of AAA was taken as a mark between thousands" in said
    assert "12,100 was read as 12100, not as 12.100" in said
    assert cautions([f"12,{100 + i}.50" for i in range(8)]) == ()
    assert cautions(["1,012,100", *(f"12,{100 + i}" for i in range(7))]) == ()


def test_quoted_volumes_are_whole_and_need_no_word(tmp_path):
    rows = [
        "date,close,adj_close,volume",
        *(f'{d},{100 + i}.5,{100 + i}.5,"148,{100 + i}"' for i, d in enumerate(DAYS)),
    ]
    prices = load(tmp_path, rows, "AAA.csv")
    assert prices.volume["AAA"].iloc[0] == 148_100
    assert prices.provenance.cautions == ()


def test_four_digits_before_three_tell_that_a_comma_is_decimal(tmp_path):
    rows = ["date;AAA;BBB", *(f"{d};1998,{125 + i};2,{100 + i}" for i, d in enumerate(DAYS))]
    prices = load(tmp_path, rows)
    assert (prices.adj_close["AAA"].iloc[0], prices.adj_close["BBB"].iloc[0]) == (1998.125, 2.1)
