"""CRSP's daily file: signs, codes, delisting returns, and returns that come out as they went in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.sources import load_prices, read_crsp_shares, read_prices

HEAD = "PERMNO,date,TICKER,PRC,VOL,RET,SHROUT,CFACPR,CFACSHR,DLRET,DLSTCD"
#: A 4-for-1 split with a dividend on the third day; a bid/ask average on the fourth.
ALPHA = [
    "10001,20250121,ALP,400.00,100,C,1000,4,4,,",
    "10001,20250122,ALP,404.00,110,0.010000,1000,4,4,,",
    "10001,20250123,ALP,103.00,440,0.024752,4000,1,1,,",
    "10001,20250124,ALP,-102.50,0,-0.004854,4000,1,1,,",
    "10001,20250127,ALP,105.00,500,0.024390,4000,1,1,,",
]
#: Delisted for poor performance on the last day, first its ordinary return, then the delisting return.
OMEGA = [
    "10002,20250121,OMG,10.00,10,0.5,500,1,1,,",
    "10002,20250122,OMG,9.00,10,-0.10,500,1,1,,",
    "10002,20250123,OMG,8.10,10,-0.10,500,1,1,{dlret},{dlstcd}",
]


@pytest.fixture
def save(tmp_path):
    def write(rows, head=HEAD, name="dsf.csv"):
        (tmp_path / name).write_text("\n".join([head, *rows]) + "\n")
        return tmp_path / name

    return write


def omega(dlret="", dlstcd=""):
    return [row.format(dlret=dlret, dlstcd=dlstcd) for row in OMEGA]


@pytest.mark.parametrize("head", [HEAD, HEAD.lower(), HEAD.replace("date", "Date")])
def test_returns_come_out_as_they_went_in(head, save):
    prices = read_prices(save(ALPHA, head))
    assert prices.tickers == ("ALP",)
    returns = prices.returns()["ALP"].to_numpy()
    np.testing.assert_allclose(returns[1:], [0.01, 0.024752, -0.004854, 0.02439], rtol=0, atol=1e-12)
    assert prices.adj_close["ALP"].iloc[-1] == pytest.approx(105.0, rel=1e-14)
    assert prices.close["ALP"].tolist() == [400.0, 404.0, 103.0, 102.5, 105.0]
    assert prices.volume["ALP"].tolist() == [100.0, 110.0, 440.0, 0.0, 500.0]
    assert any("1 of 5 closes are averages of bid and ask" in c for c in prices.provenance.cautions)


def test_the_same_from_parquet_and_from_a_table(save, tmp_path):
    expected = read_prices(save(ALPHA + omega())).adj_close
    table = pd.read_csv(save(ALPHA + omega()))
    table["date"] = pd.to_datetime(table["date"].astype(str))
    table["RET"] = pd.to_numeric(table["RET"], errors="coerce")
    table.to_parquet(tmp_path / "dsf.parquet")
    pd.testing.assert_frame_equal(read_prices(tmp_path / "dsf.parquet").adj_close, expected)
    pd.testing.assert_frame_equal(load_prices(source=table).adj_close, expected)


def test_newer_column_names(save):
    head = (
        HEAD.replace("date", "DlyCalDt").replace("PRC", "DlyPrc").replace("RET", "DlyRet", 1).replace("VOL", "DlyVol")
    )
    head = head.replace("CFACPR", "DlyCumFacPr")
    prices = read_prices(save(ALPHA, head))
    assert prices.returns()["ALP"].iloc[1] == pytest.approx(0.01, abs=1e-12)
    assert prices.close is not None


@pytest.mark.parametrize(
    ("dlret", "dlstcd", "delisting", "last"),
    [
        ("-0.5", "574", None, 0.9 * 0.5 - 1),
        ("-0.5", "574", "recorded", 0.9 * 0.5 - 1),
        ("-0.5", "574", "shumway", 0.9 * 0.5 - 1),  # what is recorded is never replaced
        ("-0.5", "574", "ignore", -0.1),
        ("0.05", "233", "recorded", 0.9 * 1.05 - 1),
        ("", "574", "recorded", -0.1),
        ("S", "574", "recorded", -0.1),
        ("-55.0", "574", "shumway", 0.9 * 0.7 - 1),
        ("S", "500", "shumway", 0.9 * 0.7 - 1),
        ("", "584", "shumway", 0.9 * 0.7 - 1),
        ("", "233", "shumway", -0.1),  # taken over: nothing to fill in
        ("", "585", "shumway", -0.1),
        ("0", "574", "recorded", -0.1),
    ],
)
def test_delisting_returns(dlret, dlstcd, delisting, last, save):
    prices = read_prices(save(omega(dlret, dlstcd)), delisting=delisting)
    assert prices.returns()["OMG"].iloc[-1] == pytest.approx(last, abs=1e-12)
    assert prices.adj_close["OMG"].iloc[:2].tolist() == pytest.approx([10.0, 9.0], rel=1e-12)
    words = " ".join(prices.provenance.cautions)
    assert ("-30 % (Shumway 1997) were taken for OMG" in words) == (
        delisting == "shumway" and last == pytest.approx(-0.37)
    )
    missing = dlret in {"", "S", "-55.0"} and dlstcd in {"574", "500", "584"}
    assert ("No delisting return is recorded for OMG" in words) == (missing and delisting == "recorded")
    assert ("left out for OMG" in words) == (delisting == "ignore")


def test_a_delisting_row_without_a_price_or_return(save):
    rows = [*omega()[:2], "10002,20250123,OMG,,,,,,,-0.4,552"]
    prices = read_prices(save(rows))
    assert prices.returns()["OMG"].iloc[-1] == pytest.approx(-0.4, abs=1e-12)
    assert prices.close["OMG"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("code", ["B", "C", ".B", "-66.0", "-77", "-88.0", "-99.0", ""])
def test_codes_of_missing_returns(code, save):
    rows = [ALPHA[0], ALPHA[1].replace("404.00,110,0.010000", f"0,-99,{code}"), *ALPHA[2:]]
    if code in {"C", "-66.0"}:
        with pytest.raises(DataUnfit, match="no return for ALP on 2025-01-22"):
            read_prices(save(rows))
        return
    prices = read_prices(save(rows))
    assert np.isnan(prices.adj_close["ALP"].iloc[1])
    assert np.isnan(prices.close["ALP"].iloc[1])
    assert np.isnan(prices.volume["ALP"].iloc[1])
    ratio = prices.adj_close["ALP"].iloc[2] / prices.adj_close["ALP"].iloc[0]
    assert ratio == pytest.approx(1.024752, rel=1e-12)  # CRSP takes the return from the last price there was


def test_a_return_that_begins_anew_is_bridged_by_prices(save):
    rows = [*ALPHA[:2], ALPHA[2].replace("0.024752", "C"), *ALPHA[3:]]
    prices = read_prices(save(rows))
    assert prices.returns()["ALP"].iloc[2] == pytest.approx(103.0 / 101.0 - 1.0, rel=1e-12)  # 404 / 4 = 101
    assert any("bridged by prices without dividends for ALP" in c for c in prices.provenance.cautions)
    with pytest.raises(DataUnfit, match="no return for ALP on 2025-01-23"):
        read_prices(save([",".join(r.split(",")[:7]) for r in rows], ",".join(HEAD.split(",")[:7])))


def test_without_prices_the_level_is_an_index(save):
    rows = ["10001,2025-01-21,0.01", "10001,2025-01-22,-0.02", "10001,2025-01-23,0.03"]
    prices = read_prices(save(rows, "permno,date,ret"))
    assert prices.tickers == ("10001",)
    assert prices.adj_close["10001"].tolist() == pytest.approx([100.0, 98.0, 100.94])
    assert prices.close is None
    assert any("no dlret" in c for c in prices.provenance.cautions)


def test_a_share_keeps_its_series_when_its_ticker_changes(save):
    rows = [r.replace("ALP", "OLD") for r in ALPHA[:2]] + ALPHA[2:]
    assert read_prices(save(rows)).tickers == ("ALP",)


def test_shares_outstanding_are_thousands(save):
    shares = read_crsp_shares(save(ALPHA + omega()))
    assert shares["ALP"].tolist() == [1e6, 1e6, 4e6, 4e6, 4e6]
    assert shares["OMG"].iloc[0] == 500_000.0
    with pytest.raises(DataMissing, match="no column shrout"):
        read_crsp_shares(save(["10001,2025-01-21,0.01"], "permno,date,ret"))


FAULTS = {
    "return below -1": ([*ALPHA[:1], ALPHA[1].replace("0.010000", "-1.5")], "-1.5 in column RET, data row 2"),
    "return of words": ([*ALPHA[:1], ALPHA[1].replace("0.010000", "about 1")], "'about 1' in column RET, data row 2"),
    "all is lost": (omega("-1", "574"), "OMG loses all its value on 2025-01-23"),
    "two rows": ([*ALPHA, ALPHA[-1].replace("105.00", "106.00")], "permno 10001 on 2025-01-27 more than once"),
    "one ticker of two": (ALPHA + [r.replace("OMG", "ALP") for r in omega()], "ALP for permno 10001 and 10002"),
    "dlret in the middle": ([omega("0.1", "233")[2].replace("20250123", "20250120"), *omega()[:2]], "not its last day"),
    "beyond numbers": (
        [ALPHA[0], *(ALPHA[1].replace("20250122", f"202502{d}").replace("0.010000", "1e300") for d in (10, 11))],
        "beyond the range",
    ),
    "no rows": ([], "empty below its header"),
    "no permno": ([ALPHA[0].replace("10001", "")], "no whole number as permno in data row 1"),
    "half a permno": ([ALPHA[0].replace("10001", "1.5")], "no whole number as permno in data row 1"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name, save):
    rows, words = FAULTS[name]
    with pytest.raises(DataUnfit, match=words):
        read_prices(save(rows))


def test_wrong_options(save):
    with pytest.raises(InvalidInput, match="choose 'recorded', 'shumway', 'ignore'"):
        read_prices(save(ALPHA), delisting="-30%")
    with pytest.raises(InvalidInput, match="needs the column dlstcd"):
        read_prices(save([r.rsplit(",", 1)[0] for r in ALPHA], HEAD.rsplit(",", 1)[0]), delisting="shumway")
    with pytest.raises(InvalidInput, match="is no CRSP file"):
        read_prices(save(["2025-01-21,1,2"], "date,A,B"), delisting="shumway")
    with pytest.raises(InvalidInput, match="names its own: ALP"):
        read_prices(save(ALPHA), ticker="X")


def test_many_shares_at_random_against_a_loop(save):
    rng = np.random.default_rng(4)
    days = pd.bdate_range("2024-01-01", periods=60)
    rows, expected = [], {}
    for permno in range(20001, 20021):
        ret = rng.normal(0, 0.02, 60).round(6)
        there = rng.random(60) > 0.1
        there[0] = True
        path, level = {}, 1.0
        for k, day in enumerate(days):
            level *= 1.0 + (ret[k] if k and there[k] else 0.0)
            if there[k]:
                path[day] = level
            rows.append(f"{permno},{day:%Y%m%d},{ret[k]:.6f}" if there[k] else f"{permno},{day:%Y%m%d},B")
        expected[str(permno)] = pd.Series(path) * 100.0
    rng.shuffle(rows)
    prices = read_prices(save(rows, "permno,date,ret"))
    pd.testing.assert_frame_equal(
        prices.adj_close,
        pd.DataFrame(expected).reindex(days),
        check_names=False,
        check_freq=False,
        check_index_type=False,
        rtol=1e-12,
    )
