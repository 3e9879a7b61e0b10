"""Files that would have been read wrongly without a word: unknown names, formulas, units, overlaps."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.figures.formats import table_csv
from eventstudy.sources import read_french_factors, read_prices
from eventstudy.vintages.join import join_prices
from eventstudy.wording import inert


@pytest.fixture
def save(tmp_path):
    def write(text, name="NVDA.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    "head",
    [
        "closeadj",
        "close_adj",
        "Adjusted Close Price",
        "adj_close_price",
        "Adj. Close",
        "adjusted_close",
        "Close Adjusted",
    ],
)
@pytest.mark.parametrize("long", [True, False])
def test_names_of_the_adjusted_close(head, long, save):
    start = "ticker,date" if long else "date"
    row = "NVDA," if long else ""
    text = f"{start},close,{head}\n{row}2025-01-24,100,50\n{row}2025-01-27,60,55\n"
    prices = read_prices(save(text))
    assert prices.returns()["NVDA"].iloc[-1] == pytest.approx(0.10)
    assert prices.close["NVDA"].tolist() == [100.0, 60.0]


def test_the_layout_of_alpha_vantage(save):
    head = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient"
    prices = read_prices(save(f"{head}\n2025-01-27,1,1,1,60,55,10,0,1\n2025-01-24,1,1,1,100,50,10,0,1\n"))
    assert prices.adj_close["NVDA"].tolist() == [50.0, 55.0]


@pytest.mark.parametrize("head", ["Adj Close (USD)", "close_adjusted_usd", "Price adj.", "adjclosing price"])
@pytest.mark.parametrize("start", ["ticker,date,close", "date,close", "date"])
def test_an_unknown_name_of_an_adjusted_close_is_refused(head, start, save):
    cells = ",".join({"ticker": "NVDA", "date": "2025-01-24", "close": "100"}[c] for c in start.split(","))
    with pytest.raises(InvalidInput, match="Rename it adj_close"):
        read_prices(save(f"{start},{head}\n{cells},50\n"))


def test_an_adjusted_open_is_no_close(save):
    text = "date,close,adj_close,Adj Open Price\n2025-01-24,100,50,49\n"
    assert read_prices(save(text)).adj_close["NVDA"].tolist() == [50.0]


def test_prices_of_crsp_without_returns_are_refused(save):
    with pytest.raises(InvalidInput, match=r"permno and prc of CRSP but no ret.*call it ret"):
        read_prices(save("permno,date,ticker,prc\n1,2025-01-24,A,10\n1,2025-01-27,A,11\n"))


@pytest.mark.parametrize("blank", ["", " ", "\N{NO-BREAK SPACE}", "\N{EM SPACE}"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}"])
def test_a_formula_behind_blanks_is_no_ticker(blank, sign, save):
    ticker = f"{blank}{sign}cmd|' /C calc'!A0"
    with pytest.raises(DataUnfit, match="a spreadsheet would run"):
        read_prices(save(f'date,ticker,close\n2025-01-24,"{ticker}",1\n'))
    wide = pd.DataFrame({ticker: [1.0, 2.0]}, pd.DatetimeIndex(["2025-01-24", "2025-01-27"], name="date"))
    with pytest.raises(DataUnfit, match="a spreadsheet would run"):
        es.load_prices(source=wide)


def test_the_numbers_of_a_figure_are_inert():
    table = pd.DataFrame({"event": ["=1+1", " @x", "NVDA", None], "car": [-0.1, 0.2, 0.3, 0.4]})
    assert table_csv(table) == "event,car\n'=1+1,-0.1\n' @x,0.2\nNVDA,0.3\n,0.4\n"
    assert inert("\t=1") == "'\t=1"
    assert inert("^GSPC") == "^GSPC"


def overlap(adjusted, close=None, start="2025-01-23"):
    days = pd.bdate_range(start, periods=len(adjusted))
    return es.Prices.from_frame(
        pd.DataFrame({"A": adjusted}, days), close=None if close is None else pd.DataFrame({"A": close}, days)
    )


def test_one_common_day_shows_nothing_without_closes_as_traded():
    early = overlap([10.0, 11.0, 9.0])
    with pytest.raises(DataUnfit, match=r"only 2025-01-27 of A in common.*no closes as traded"):
        join_prices(early, overlap([900.0, 910.0], start="2025-01-27"))


@pytest.mark.parametrize(
    ("close", "fits"), [([9.0, 9.1], True), ([4.5, 4.6], True), ([13.7, 13.8], False), ([9.05, 9.1], False)]
)
def test_one_common_day_joins_on_closes_that_agree_up_to_a_split(close, fits):
    early, late = overlap([5.0, 5.5, 4.5], [10.0, 11.0, 9.0]), overlap([4.0, 4.1], close, "2025-01-27")
    if fits:
        joined = join_prices(early, late).returns()["A"].to_numpy()
        np.testing.assert_allclose(joined[1:], [0.1, 4.5 / 5.5 - 1, 4.1 / 4.0 - 1])
    else:
        with pytest.raises(DataUnfit, match="no split's"):
            join_prices(early, late)


def french(scale, days=30):
    table = es.load_factors()[["mkt_rf", "rf"]].iloc[:days]
    rows = "\n".join(
        f"{day:%Y%m%d},{row['mkt_rf'] * scale:.6f},{row['rf'] * scale:.6f}" for day, row in table.iterrows()
    )
    return f"Made.\n\n,Mkt-RF,RF\n{rows}\n"


def test_factors_in_fractions_are_refused(save):
    per_cent = read_french_factors(save(french(100), "a.csv"))
    assert per_cent["mkt_rf"].abs().max() > 0.005
    with pytest.raises(InvalidInput, match="seems to hold fractions"):
        read_french_factors(save(french(1), "b.csv"))
    lines = french(1).splitlines()
    lines[5] = lines[5].split(",")[0] + ",-0.9999,0.0001"
    with pytest.raises(InvalidInput, match="seems to hold fractions"):
        read_french_factors(save("\n".join(lines), "c.csv"))
    assert len(read_french_factors(save(french(1, days=19), "d.csv"))) == 19  # too few days to tell


CRSP = "permno,date,ticker,prc,cfacpr,ret\n"
CLOSES = [100.0, 101.0, 102.5, 101.0, 103.0, 103.5, 104.0]


def crsp(rets, factor="1"):
    days = pd.bdate_range("2025-01-06", periods=len(CLOSES))
    rows = [f"1,{d:%Y-%m-%d},ALP,{p},{factor},{r}" for d, p, r in zip(days, CLOSES, rets, strict=True)]
    return CRSP + "\n".join(rows) + "\n"


RETS = ["C", *(f"{b / a - 1:.6f}" for a, b in itertools.pairwise(CLOSES))]


@pytest.mark.parametrize("factor", ["1", "4", ""])
def test_crsp_returns_in_per_cent_are_refused(factor, save):
    assert not any("contradicts" in c for c in read_prices(save(crsp(RETS, factor))).provenance.cautions)
    rets = ["C", *(f"{max(100 * float(r), -0.9):.6f}" for r in RETS[1:])]
    with pytest.raises(DataUnfit, match="seem to be per cents"):
        read_prices(save(crsp(rets, factor)))


def test_crsp_returns_that_contradict_prices_are_counted(save):
    rets = [*RETS[:3], "10.0", RETS[4], "-0.20", RETS[6]]
    (said,) = [c for c in read_prices(save(crsp(rets))).provenance.cautions if "contradicts" in c]
    assert said.startswith("On 2 days ret contradicts")
    assert "ALP 2025-01-09 (ret +1000.00%, prices -1.46%)" in said
    dividend = [*RETS[:3], f"{float(RETS[3]) + 0.05:.6f}", *RETS[4:]]  # a distribution lifts the return
    assert not any("contradicts" in c for c in read_prices(save(crsp(dividend))).provenance.cautions)
