"""Columns by their names: in other languages, adjusted under other names, firms under other heads; none is dropped without a word."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources import read_prices
from eventstudy.sources.files.layouts import HEADERS, meaning

DAYS = pd.bdate_range("2023-05-15", periods=8)
#: Closes with a dividend of 5 % that goes on the fifth day: raw ones fall, adjusted ones do not.
ADJUSTED = np.array([38.0, 38.4, 38.1, 38.9, 39.0, 38.7, 39.2, 39.5])
RAW = ADJUSTED / np.where(np.arange(8) < 4, 0.95, 1.0)
NOT_USED = "Columns that were not used: "


@pytest.fixture
def save(tmp_path):
    def write(head, row, name="export.csv", form="%Y-%m-%d"):
        rows = [row(f"{day:{form}}", i) for i, day in enumerate(DAYS)]
        (tmp_path / name).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return tmp_path / name

    return write


HEADS = {
    "German": ("Datum;Erster;Hoch;Tief;Schlusskurs;Umsatz", "%d.%m.%Y"),
    "Dutch": ("Datum;Open;Hoog;Laag;Slotkoers;Volume", "%d-%m-%Y"),
    "Swedish": ("Datum;Öppning;Högst;Lägst;Stängning;Volym", "%Y-%m-%d"),
    "French": ("Date;Ouv;+Haut;+Bas;Clôture;Volume", "%d/%m/%Y"),
    "Spanish": ("Fecha;Apertura;Máximo;Mínimo;Cierre;Volumen", "%d/%m/%Y"),
    "Italian": ("Data;Apertura;Massimo;Minimo;Chiusura;Volume", "%d/%m/%Y"),
    "Portuguese": ("Data;Abertura;Máxima;Mínima;Fechamento;Volume", "%d.%m.%Y"),
    "Polish": ("Data;Otwarcie;Najwyższy;Najniższy;Zamknięcie;Wolumen", "%Y-%m-%d"),
    "Russian": ("Дата;Открытие;Макс.;Мин.;Закрытие;Объём", "%d.%m.%Y"),
    "Chinese": ("交易日期;开盘价;最高价;最低价;收盘价;成交量", "%Y/%m/%d"),
    "Japanese": ("日付;始値;高値;安値;終値;出来高", "%Y年%m月%d日"),
    "Korean": ("날짜;시가;고가;저가;종가;거래량", "%Y. %m. %d"),
}


@pytest.mark.parametrize("language", HEADS)
def test_a_history_in_another_language(language, save):
    head, form = HEADS[language]
    file = save(head, lambda d, i: f"{d};1;2;1;{RAW[i]:.6f};{100 + i}", form=form)
    prices = read_prices(file, ticker="OMV.VI")
    np.testing.assert_allclose(prices.adj_close["OMV.VI"], np.round(RAW, 6))
    assert list(prices.dates) == list(DAYS)
    assert not [c for c in prices.provenance.cautions if NOT_USED in c]
    assert (language == "German") == (prices.volume is None)


def test_every_word_of_the_table_has_one_meaning():
    words = [(meaning(w), kind) for kind, words in HEADERS["prices"].items() for w in words.split()]
    assert all(found == kind for found, kind in words)


ADJUSTED_NAMES = [
    "adjusted", "Adj", "ADJ.", "AdjPrice", "adj-close", "Adjusted Closing Price", "Cierre ajustado", "Clôture ajustée", "Bereinigter Schlusskurs",
    "Chiusura rettificata", "Aangepaste slotkoers", "후복권", "px_adj_last", "Kurs bereinigt um Dividenden", "cours ajusté", "adj factor", "AdjFactor",
    "total return", "TotalReturnIndex", "TRI", "RI", "tri", "Return Index", "close_qfq", "close_hfq", "adjclose_usd", "div-adj. price", "cum_adj", "前复权", "수정주가(원)", "adj_nav", "trfd",
]  # fmt: skip


@pytest.mark.parametrize("name", ADJUSTED_NAMES)
@pytest.mark.parametrize("firm", ["ticker", None])
def test_an_adjusted_close_is_used_or_stops_the_read(name, firm, save):
    """The truth is the change of the adjusted column; that of the raw one on the ex-day is five points lower."""
    start, cell = ("date,ticker", ",RIO") if firm else ("date", "")
    file = save(f"{start},close,{name}", lambda d, i: f"{d}{cell},{RAW[i]:.8f},{ADJUSTED[i]:.8f}", "RIO.csv")
    if meaning(name) not in {"adj_close", "total_return"} and name != "후복권":
        with pytest.raises(InvalidInput, match=f"the column {re.escape(repr(name))}, which is none that is used"):
            read_prices(file)
        return
    prices = read_prices(file)
    if name == "후복권":  # no word that is known: told
        assert f"{NOT_USED}{name}." in prices.provenance.cautions
        return
    np.testing.assert_allclose(prices.returns()["RIO"].iloc[1:], ADJUSTED[1:] / ADJUSTED[:-1] - 1, rtol=1e-6)
    assert prices.close is not None


def test_adjusted_closes_by_a_custom_without_dividends_are_told(save):
    file = save("日付,終値,調整後終値*", lambda d, i: f"{d},{RAW[i]},{ADJUSTED[i]}", "6758.T.csv")
    (said,) = read_prices(file).provenance.cautions
    assert "調整後終値* are adjusted for splits but not for dividends" in said


def test_what_is_not_used_is_named(save):
    file = save("date,ticker,close,sector,beta", lambda d, i: f"{d},BHP,{RAW[i]},Mining,1.1")
    assert f"{NOT_USED}sector, beta." in read_prices(file).provenance.cautions
    file = save(
        "Date,Open,High,Low,Close,Adj Close,Volume,Trades",
        lambda d, i: f"{d},1,1,1,{RAW[i]},{ADJUSTED[i]},5,6",
        "BHP.csv",
    )
    assert read_prices(file).provenance.cautions == ()
    two = pd.DataFrame({("Close", "BHP"): RAW, ("Score", "BHP"): RAW}, index=DAYS)
    assert f"{NOT_USED}Score." in es.load_prices(two).provenance.cautions
    two[("Adjusted last", "BHP")] = ADJUSTED
    with pytest.raises(InvalidInput, match="'Adjusted last'"):
        es.load_prices(two)


def test_the_last_price_is_a_close_where_there_is_no_other(save):
    file = save("Date;Last;Close", lambda d, i: f"{d};1;{RAW[i]:.4f}", "AIR.csv")
    assert read_prices(file).adj_close["AIR"].iloc[0] == 40.0
    file = save("Datum;Zuletzt;Eröffn.;Hoch;Tief;Vol.;+/- %", lambda d, i: f"{d};{RAW[i]:.4f};1;1;1;5;1", "AIR.csv")
    assert read_prices(file).adj_close["AIR"].iloc[0] == 40.0


def test_a_total_return_index_is_used_where_it_is_no_ticker(save):
    prices = read_prices(save("Dates,Code,RI", lambda d, i: f"{d},RIO,{ADJUSTED[i]}"))
    np.testing.assert_allclose(prices.adj_close["RIO"], ADJUSTED)
    for head in ("Date,TRI,RELX.L", "Date,RI,MC.PA", "Date,ENGI.PA,TRI"):
        assert read_prices(save(head, lambda d, i: f"{d},{RAW[i]},{ADJUSTED[i]}")).tickers == tuple(head.split(",")[1:])
    assert read_prices(save("Date,TRI", lambda d, i: f"{d},{RAW[i]}")).tickers == ("TRI",)
    two = pd.DataFrame({("Close", "BHP"): RAW, ("TRI", "BHP"): ADJUSTED}, index=DAYS)
    np.testing.assert_allclose(es.load_prices(two).adj_close["BHP"], ADJUSTED)


FIRMS = [
    "Name",
    "TIC",
    "Security ID",
    "Company",
    "Stock Code",
    "RIC",
    "Instrument",
    "Wertpapier",
    "Symbole",
    "证券代码",
    "銘柄コード",
    "종목명",
    "тикер",
]


@pytest.mark.parametrize("head", FIRMS)
@pytest.mark.parametrize("name", ["all.csv", "VALE3.csv"])
def test_firms_under_other_heads(head, name, save):
    file = save(f"{head},date,close", lambda d, i: f"0700,{d},{RAW[i]}\nVale ON,{d},{ADJUSTED[i]}", name)
    prices = read_prices(file)
    assert prices.tickers == ("0700", "Vale ON")
    np.testing.assert_array_equal(prices.adj_close["Vale ON"], ADJUSTED)


def test_of_several_names_of_a_firm_the_ticker_is_taken(save):
    prices = read_prices(save("date,isin,name,symbol,close", lambda d, i: f"{d},BR1,Vale,VALE3,{RAW[i]}"))
    assert prices.tickers == ("VALE3",)
    assert f"{NOT_USED}isin, name." in prices.provenance.cautions


def blocks(values, gap=40):
    """Event windows of two firms below each other, without a day in common."""
    late = DAYS[:4] + pd.Timedelta(days=gap)
    days = [*DAYS[:4], *late]
    return "\n".join(f"{d:%Y-%m-%d},{RAW[i]},{values[i // 4]}" for i, d in enumerate(days))


@pytest.mark.parametrize("values", [("Nestlé", "Novartis"), ("1001", "1002"), ("CH001", "CH002")])
def test_firms_whose_days_do_not_overlap_are_found(values, tmp_path):
    file = tmp_path / "ZZZ.csv"
    file.write_text(f"date,close,emittent\n{blocks(values)}\n")
    with pytest.raises(InvalidInput, match=f"emittent seems to name several firms .{values[0]}, {values[1]}"):
        read_prices(file)
    file.write_text(f"date,close,Name\n{blocks(values)}\n")
    assert read_prices(file).tickers == values


def test_firms_on_the_same_days_are_found_by_their_numbers(save):
    file = save("date,close,key", lambda d, i: f"{d},{RAW[i]},31\n{d},{RAW[i] + 5},32", "ZZZ.csv")
    with pytest.raises(InvalidInput, match=r"key seems to name several firms .31, 32"):
        read_prices(file)
    file = save("date,ticker,close,market", lambda d, i: f"{d},ABB,{RAW[i]},Zurich\n{d},ABB,{RAW[i] + 5},Stockholm")
    with pytest.raises(DataUnfit, match=r"ABB on 2023-05-15 more than once.*The column market tells these rows apart"):
        read_prices(file)


@pytest.mark.parametrize("column", ["weekday name", "shares out", "note"])
def test_columns_that_are_no_firms_do_not_stop_a_history(column, save):
    cells = {
        "weekday name": lambda i: f"{DAYS[i]:%A}",
        "shares out": lambda i: "1000" if i < 5 else "1200",
        "note": lambda _: "final",
    }[column]
    file = save(f"date,close,{column}", lambda d, i: f"{d},{RAW[i]},{cells(i)}", "ZZZ.csv")
    assert f"{NOT_USED}{column}." in read_prices(file).provenance.cautions


def two_levels(order):
    fields = {"Close": ADJUSTED, "Volume": np.arange(8.0)}
    frame = pd.DataFrame(
        {(f, t): v + k for f, v in fields.items() for k, t in enumerate(["SAN.MC", "BBVA.MC"])}, index=DAYS
    )
    frame.columns = frame.columns.set_names(["Price", "Ticker"])
    frame.index.name = "Date"
    return frame if order == "price" else frame.swaplevel(axis=1).sort_index(axis=1)


@pytest.mark.parametrize("order", ["price", "ticker"])
@pytest.mark.parametrize("form", ["table", "index column", "saved again", "as downloaded"])
def test_two_header_rows_read_as_one_lose_no_ticker(order, form, tmp_path):
    """pandas numbers the names of the first row: Close, Close.1."""
    frame = two_levels(order)
    text = frame.to_csv()
    given = {
        "table": lambda: pd.read_csv(io.StringIO(text)),
        "index column": lambda: pd.read_csv(io.StringIO(text), index_col=0),
        "saved again": lambda: (
            pd.read_csv(io.StringIO(text)).to_csv(tmp_path / "again.csv", index=False) or tmp_path / "again.csv"
        ),
        "as downloaded": lambda: frame,
    }[form]()
    prices = es.load_prices(given)
    assert set(prices.tickers) == {"SAN.MC", "BBVA.MC"}
    np.testing.assert_array_equal(prices.adj_close["BBVA.MC"], ADJUSTED + 1)
    np.testing.assert_array_equal(prices.volume["SAN.MC"], np.arange(8.0))


@pytest.mark.parametrize(
    "heads", ["Close,Close.1", "Close...2,Close...3", "Last,Last_1", "Close,Volume,Close.1,Volume.1", "KGHM,KGHM.1"]
)
def test_names_that_were_numbered_are_refused(heads, save):
    count = heads.count(",") + 1
    file = save(f"Date,{heads}", lambda d, i: ",".join([d, *["7"] * count]), "KGHM.csv")
    with pytest.raises(InvalidInput, match="one name several times, numbered by the program that read it"):
        read_prices(file)


def test_tickers_that_end_in_a_number_are_no_numbered_names(save):
    prices = read_prices(save("Date,SER_1,SER_2,0700.1", lambda d, i: f"{d},{RAW[i]},{RAW[i] + 1},{RAW[i] + 2}"))
    assert prices.tickers == ("SER_1", "SER_2", "0700.1")


def test_tickers_that_are_words_of_the_table_stay_tickers(save):
    prices = read_prices(save("Data;DIA;MAX;CODE;KGHM", lambda d, i: f"{d};{RAW[i]};5;6;{RAW[i] + 2}"))
    assert prices.tickers == ("DIA", "MAX", "CODE", "KGHM")


@pytest.mark.parametrize("head", ["ISIN", "Name", "gvkey"])
def test_one_name_beside_a_ticker_that_is_given_is_told(head, save):
    file = save(f"date,close,{head}", lambda d, i: f"{d},{RAW[i]},0815", "IBE.MC.csv")
    prices = read_prices(file)
    assert prices.tickers == ("IBE.MC",)
    assert f"{NOT_USED}{head}." in prices.provenance.cautions
    assert read_prices(file.rename(file.with_name("quotes.csv"))).tickers == ("0815",)


def test_a_close_among_tickers_is_not_taken_for_one_share(save):
    prices = read_prices(save("Date,SPY,QQQ,LAST,ADJ", lambda d, i: f"{d},1,2,{RAW[i]},4", "ETFS.csv"))
    assert prices.tickers == ("SPY", "QQQ", "LAST", "ADJ")


def test_numbers_of_rows_are_no_column(save):
    prices = read_prices(save(",Date,SAN,BBVA", lambda d, i: f"{i},{d},{RAW[i]},2"))
    assert prices.tickers == ("SAN", "BBVA")
    prices = read_prices(save(",ticker,date,close", lambda d, i: f"{i + 1},SAN,{d},{RAW[i]}"))
    assert prices.provenance.cautions == (
        "No column is known to hold adjusted closes; the close was taken as adjusted and as traded.",
    )
    file = save(",date,close", lambda d, i: f"{'SAN' if i < 4 else 'BBVA'},{d},{RAW[i]}", "IBE.MC.csv")
    with pytest.raises(InvalidInput, match=r"seems to name several firms .SAN, BBVA"):
        read_prices(file)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("Sitzung,Open,Close", "Open, Close but no ticker, no date. Needed"),
        ("Date,Open,Fixing,High", "Open, High but no ticker, no close that is known by its name. Needed"),
    ],
)
def test_what_a_table_lacks_is_named(head, words, save):
    with pytest.raises(InvalidInput, match=words):
        read_prices(save(head, lambda d, _: ",".join([d, *["1"] * head.count(",")]), "IBE.MC.csv"))


@pytest.mark.parametrize("head", ["closeunadj", "Close (not adjusted)", "raw close", "Unadjusted Price"])
@pytest.mark.parametrize("start", ["date", "date,ticker"])
def test_closes_that_are_adjusted_for_nothing_alone_are_refused(head, start, save):
    file = save(f"{start},{head}", lambda d, i: f"{d}{',IBE' * start.count(',')},{RAW[i]}", "IBE.MC.csv")
    with pytest.raises(InvalidInput, match=r"and no other closes: it is adjusted for nothing"):
        read_prices(file)


def test_words_of_bulk_files_stay_tickers_in_a_wide_table(save):
    """PER and TIME are columns of Stooq's bulk files, and tickers; LAST beside them is one too."""
    for name in ("PER", "TIME"):
        file = save(f"date,{name},LAST", lambda d, i: f"{d},{RAW[i]:.6f},{ADJUSTED[i]:.6f}", "closes.csv")
        assert read_prices(file).tickers == (name, "LAST")
        alone = save(f"date,{name}", lambda d, i: f"{d},{RAW[i]:.6f}", "alone.csv")
        assert read_prices(alone).tickers == (name,)
