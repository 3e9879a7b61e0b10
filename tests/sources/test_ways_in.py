"""Tables as people hold them: thousands parted in any way, dates in an index without a name, words of more languages, one share that looks wide."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput
from eventstudy.sources.events import as_events

DAYS = pd.bdate_range("2021-02-01", periods=240)


def walks(seed, *starts):
    """Return random walks from these starts, one a column."""
    moves = np.random.default_rng(seed).normal(0, 0.012, (len(DAYS), len(starts)))
    return pd.DataFrame(
        np.array(starts) * np.exp(moves.cumsum(axis=0)), index=DAYS, columns=[f"F{i}.X" for i in range(len(starts))]
    )


def bars(seed=4, start=41.0):
    """Return open, high, low and close of one share, the open from the close of the day before."""
    rng, close = np.random.default_rng(seed), walks(seed, start).iloc[:, 0]
    first = close.shift(fill_value=start) * (1 + rng.normal(0, 0.004, len(DAYS)))
    both = pd.concat([first, close], axis=1)
    high, low = (
        both.max(axis=1) * (1 + rng.uniform(0, 0.01, len(DAYS))),
        both.min(axis=1) * (1 - rng.uniform(0, 0.01, len(DAYS))),
    )
    return pd.DataFrame({"Open": first, "High": high, "Low": low, "Close": close})


MARKS = [(dec, th) for dec in ".," for th in (",", ".", "'", "\u2019", " ", "\u00a0", "\u2009", "\u202f") if th != dec]


@pytest.mark.parametrize(
    ("separator", "decimal", "thousands"), [(s, d, t) for s in ";\t," for d, t in MARKS if s not in (d, t)]
)
@pytest.mark.parametrize("digits", [2, 3])
def test_marks_between_thousands_are_taken_out_where_the_figures_decide(
    tmp_path, separator, decimal, thousands, digits
):
    table = walks(digits, 61.0, 990.0, 24_300.0, 1_450_000.0).round(digits)
    marks = str.maketrans({",": thousands, ".": decimal})
    lines = [separator.join(["date", *table])]
    lines += [
        separator.join([f"{d:%Y-%m-%d}", *(f"{v:,.{digits}f}".translate(marks) for v in row)])
        for d, row in zip(DAYS, table.to_numpy(), strict=True)
    ]
    (tmp_path / "p.csv").write_text("\n".join(lines), encoding="utf-8")
    prices = es.load_prices(str(tmp_path / "p.csv"))
    np.testing.assert_array_equal(prices.adj_close[list(table)].to_numpy(), table.to_numpy())
    assert len(prices.provenance.cautions) == 1


def ambiguous(folder, separator, mark):
    """Save a table in which no figure tells what a mark is."""
    rows = [f"{d:%Y-%m-%d}{separator}1{mark}{100 + i}{separator}{90 + i}" for i, d in enumerate(DAYS[:30])]
    (folder / "p.csv").write_text("\n".join([separator.join(["date", "A", "B"]), *rows]), encoding="utf-8")
    return str(folder / "p.csv")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_mark_that_may_be_either_is_not_guessed(tmp_path, separator):
    with pytest.raises(InvalidInput, match="write figures with a point as decimal mark"):
        es.load_prices(ambiguous(tmp_path, separator, ","))
    said = es.load_prices(ambiguous(tmp_path, separator, ".")).provenance.cautions
    assert any("no figure in the file tells" in caution for caution in said)


@pytest.mark.parametrize(
    "index",
    [
        DAYS,
        DAYS.to_period("D"),
        DAYS.strftime("%Y-%m-%d"),
        pd.Index([d.date() for d in DAYS]),
        DAYS.tz_localize("Asia/Tokyo"),
    ],
)
def test_an_index_of_days_without_a_name_is_the_date(index):
    one, other = bars(), walks(8, 2900.0).iloc[:, 0]
    prices = es.load_prices({"6758.T": one.set_axis(index), "^TPX": other})
    assert prices.tickers == ("6758.T", "^TPX")
    np.testing.assert_array_equal(prices.adj_close["6758.T"].to_numpy(), one["Close"].to_numpy())
    assert list(prices.dates) == list(DAYS)


def test_figures_of_the_kind_decimal_and_tickers_with_blanks_around_them():
    table = walks(3, 12.0, 4000.0).round(4)
    exact = table["F0.X"].map(lambda v: Decimal(f"{v:.4f}"))
    np.testing.assert_array_equal(
        es.load_prices({"A": exact, "B": table["F1.X"]}).adj_close["A"].to_numpy(), table["F0.X"].to_numpy()
    )
    assert es.load_prices(table.set_axis([" A", "B "], axis=1)).tickers == ("A", "B")
    with pytest.raises(InvalidInput, match="'A' more than once"):
        es.load_prices(table.set_axis(["A", "A "], axis=1))


def test_returns_on_periods_of_a_day_and_under_tickers_with_blanks():
    returns = walks(9, 1.0, 1.0).pct_change().iloc[1:]
    study = es.EventStudy(model=es.MarketModel("F1.X"), estimation=(-120, -11), window=(-1, 1))
    events = [es.Event("F0.X", f"{DAYS[200]:%Y-%m-%d}")]
    right = study.run(returns, events)
    spaced = returns.set_axis(returns.index.to_period("D")).set_axis(["F0.X ", " F1.X"], axis=1)
    pd.testing.assert_frame_equal(study.run(spaced, events).ar, right.ar)
    with pytest.raises(InvalidInput, match="table of returns has rows for periods such as 2021-02, not for days"):
        study.run(returns.set_axis(returns.index.to_period("M")), events)


@pytest.mark.parametrize("names", [["Price", "Ticker"], [None, None]])
@pytest.mark.parametrize("fields_first", [True, False])
@pytest.mark.parametrize("in_index", [True, False])
def test_two_header_rows_that_pandas_read_without_an_index(tmp_path, names, fields_first, in_index):
    adjusted = walks(5, 30.0, 700.0)
    table = pd.concat(
        {"Adj Close": adjusted, "Close": adjusted * 1.04, "Volume": adjusted * 0 + 5e6}, axis=1
    ).rename_axis("Date")
    table = table if fields_first else table.swaplevel(axis=1).sort_index(axis=1)
    table.columns.names = names if fields_first else names[::-1]
    (table if in_index else table.reset_index()).to_csv(tmp_path / "y.csv", index=in_index)
    prices = es.load_prices(pd.read_csv(tmp_path / "y.csv", header=[0, 1]))
    np.testing.assert_allclose(prices.adj_close[list(adjusted)].to_numpy(), adjusted.to_numpy(), rtol=1e-12)
    assert prices.close is not None


LANGUAGES = {
    "Danish": ("Dato", "Symbol", "Lukkekurs", "Åbning", "Volumen", "Justeret lukkekurs"),
    "Norwegian": ("Dato", "Ticker", "Sluttkurs", "Åpning", "Volum", "Justert sluttkurs"),
    "Czech": ("Datum", "Symbol", "Zavírací cena", "Otevírací cena", "Objem", "Upravená zavírací cena"),
    "Hungarian": ("Dátum", "Szimbólum", "Záró ár", "Nyitó ár", "Kötésszám", "Korrigált záró"),
    "Finnish": ("Päivämäärä", "Kaupankäyntitunnus", "Päätöskurssi", "Avaus", "Vaihto", "Oikaistu päätöskurssi"),
    "Turkish": ("TARİH", "Sembol", "KAPANIŞ", "Açılış", "Hacim", "Düzeltilmiş Kapanış"),
    "Greek": ("Ημερομηνία", "Σύμβολο", "Κλείσιμο", "Άνοιγμα", "Όγκος", "Προσαρμοσμένο κλείσιμο"),
    "Romanian": ("Dată", "Simbol", "Preț de închidere", "Deschidere", "Volum", "Închidere ajustată"),
    "Ukrainian": ("Дата", "Тікер", "Ціна закриття", "Відкриття", "Обсяг", "Скоригована ціна закриття"),
    "Dutch": ("Datum", "Symbool", "Slotkoers", "Opening", "Volume", "Aangepaste slotkoers"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_more_languages(tmp_path, language):
    date, ticker, close, first, volume, adjusted = LANGUAGES[language]
    one = bars()
    blocks = [
        pd.DataFrame({date: DAYS, ticker: t, first: one["Open"] * k, close: one["Close"] * k, volume: 7_000_000})
        for t, k in (("ABC", 1), ("XYZ", 3))
    ]
    long = pd.concat(blocks).assign(**{adjusted: lambda t: t[close] * np.where(t[date] < DAYS[90], 0.9, 1.0)})
    prices = es.load_prices(long)
    assert prices.tickers == ("ABC", "XYZ")
    right = one["Close"].to_numpy() * np.where(DAYS[90] > DAYS, 0.9, 1.0)
    np.testing.assert_allclose(prices.adj_close["XYZ"].to_numpy(), 3 * right, rtol=1e-15)
    for block, stem in zip(blocks, ("ABC", "XYZ"), strict=True):
        block.drop(columns=ticker).to_csv(tmp_path / f"{stem}.csv", index=False)
    single = es.load_prices([str(tmp_path / "ABC.csv"), str(tmp_path / "XYZ.csv")])
    np.testing.assert_allclose(single.adj_close["XYZ"].to_numpy(), 3 * one["Close"].to_numpy(), rtol=1e-15)


@pytest.mark.parametrize(
    "words", [("Opn", "Hæst", "Lægst", "Loka"), ("a", "b", "c", "d"), ("ОТВ", "ВИС", "НИС", "ЗАТ")]
)
@pytest.mark.parametrize("more", [{}, {"Magn": 1_250_000}])
@pytest.mark.parametrize("shuffled", [1, 2])
def test_one_share_under_unknown_words_is_no_wide_table(words, more, shuffled):
    table = bars().set_axis(words, axis=1).round(2).assign(**more).sample(frac=1.0, axis=1, random_state=shuffled)
    with pytest.raises(InvalidInput, match=rf"in every row {words[1]} is the highest and {words[2]} the lowest"):
        es.load_prices(table.rename_axis("date"))


@pytest.mark.parametrize("seed", range(6))
def test_wide_tables_are_not_taken_for_one_share(seed):
    near = walks(seed, 50.0, 50.1, 49.9, 50.05, 50.2)
    assert len(es.load_prices(near).tickers) == 5
    classes = near.iloc[:, [0]].to_numpy() * np.array([1.0, 1.01, 1.02, 1.03])
    assert len(es.load_prices(pd.DataFrame(classes, index=DAYS, columns=list("ACIR"))).tickers) == 4


@pytest.mark.parametrize(
    ("firm", "day"),
    [("Target Ticker", "Published At"), ("acquirer", "date"), ("Act Symbol", "Announced At"), ("Symbool", "datum")],
)
def test_lists_of_deals_and_of_feeds_are_read(firm, day):
    events = as_events(pd.DataFrame({firm: ["ASML", "AKZA"], day: ["2023-03-08", "2023-03-09"]}))
    assert [(e.ticker, e.asked) for e in events] == [("ASML", "2023-03-08"), ("AKZA", "2023-03-09")]
