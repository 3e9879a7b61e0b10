"""What people write: offsets behind UTC's names, a second close, words of the time of day, header rows by hand, tables in parts."""

import io

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources.events import as_events

DAYS = pd.bdate_range("2024-02-05", periods=60)
FIRMS = ("ABB", "6758.T", "RIO")


def closes(seed=11):
    """Return closes of three firms, rounded to cents."""
    moves = np.random.default_rng(seed).normal(0, 0.02, (len(DAYS), len(FIRMS)))
    return pd.DataFrame(np.round(80 * np.exp(moves.cumsum(axis=0)), 2), index=DAYS, columns=list(FIRMS))


# -- Offsets.


@pytest.mark.parametrize("base", ["UTC", "GMT", "UT", "Z", ""])
@pytest.mark.parametrize("gap", ["", " "])
@pytest.mark.parametrize(
    ("written", "hours"), [("+08:00", 8), ("+0530", 5.5), ("-3", -3), ("−10", -10), ("+10:30", 10.5)]
)
def test_an_offset_has_its_sign_behind_every_name_of_utc(base, gap, written, hours):
    """The truth is the clock less the hours."""
    utc = pd.Timestamp("2024-05-14 21:40", tz="UTC") - pd.Timedelta(hours=hours)
    for text in (f"2024-05-14 21:40{gap}{base}{written}", f"14 May 2024 9:40 PM {base}{written}"):
        assert es.Event("RIO", text).moment.tz_convert("UTC") == utc
    tables = (
        {"date": [f"2024-05-14 21:40{gap}{base}{written}"]},
        {"date": ["2024-05-14"], "time": [f"21:40{gap}{base}{written}"]},
        {"date": ["2024-05-14"], "time": ["21:40"], "zone": [f"{base}{written}"]},
        {"date": ["2024-05-14"], f"time ({base}{written})": ["21:40"]},
    )
    for table in tables:
        assert as_events(pd.DataFrame({"ticker": ["RIO"], **table}))[0].moment.tz_convert("UTC") == utc


@pytest.mark.parametrize("text", ["2024-05-14 21:40 JST+09:00", "2024-05-14 2140 GMT+9", "2024-05-14 21:40 EST-05:00"])
def test_an_offset_behind_another_name_is_refused(text):
    with pytest.raises(InvalidInput, match=r"names the zone|cannot read"):
        es.Event("RIO", text)


@pytest.mark.parametrize("form", ["GMT{}:{}", "UTC{}{}", "Z{}:{}"])
def test_days_of_prices_and_returns_with_such_offsets_are_read_across_summer_time(form, tmp_path):
    stamps = (DAYS + pd.Timedelta(hours=17, minutes=30)).tz_localize("Europe/Zurich")
    texts = [f"{t:%Y-%m-%d %H:%M:%S} " + form.format(f"{t:%z}"[:3], f"{t:%z}"[3:]) for t in stamps]
    table = closes().set_axis(pd.Index(texts, name="date"))
    table.to_csv(tmp_path / "prices.csv")
    for prices in (es.load_prices(tmp_path / "prices.csv"), es.load_prices(table), es.Prices.from_frame(table)):
        assert list(prices.dates) == list(DAYS)


@pytest.mark.parametrize(
    "index",
    [
        DAYS.strftime("%Y%m%d").astype(int),
        DAYS.strftime("%Y%m%d").astype(float),
        DAYS.strftime("%d.%m.%Y"),
        DAYS.strftime("%d %b %Y"),
        DAYS.to_period("D"),
    ],
)
def test_an_index_of_days_is_read_as_files_are(index):
    assert list(es.Prices.from_frame(closes().set_axis(index)).dates) == list(DAYS)


def test_an_index_that_may_be_read_in_two_ways_is_refused_with_both():
    two = closes().iloc[:3].set_axis(["03.04.2024", "04.04.2024", "05.04.2024"])
    with pytest.raises(InvalidInput, match="it may be 2024-04-03 or 2024-03-04"):
        es.Prices.from_frame(two)
    with pytest.raises(InvalidInput, match="indexed by numbers"):
        es.Prices.from_frame(closes().set_axis(range(1960, 2020)))


# -- A second close.


def long(second, values):
    table = closes().rename_axis("Date").melt(ignore_index=False, var_name="Ticker", value_name="Close").reset_index()
    return table.assign(**{second: values(table)})


def split(table):
    """Return the close with a split of one firm, 4 for 1, taken out before day 30."""
    return table.Close / np.where((table.Ticker == "ABB") & (table.Date < DAYS[30]), 4, 1)


@pytest.mark.parametrize("second", ["Last", "Settle", "Senast", "最新", "average"])
def test_a_second_close_that_differs_by_a_split_stops_the_read(second):
    with pytest.raises(InvalidInput, match=rf"the column '{second}'.* moves as the close does"):
        es.load_prices(long(second, split))
    by_firm = long(second, split).set_index(["Date", "Ticker"]).unstack()  # noqa: PD010
    with pytest.raises(InvalidInput, match=f"the column '{second}'"):
        es.load_prices(by_firm)


def test_a_second_close_that_says_the_same_is_named_and_the_caution_is_true():
    said = es.load_prices(long("Last", lambda t: t.Close)).provenance.cautions
    assert said == (
        "No column is known to hold adjusted closes; the close was taken as adjusted and as traded.",
        "Columns that were not used: Last.",
    )


def test_a_column_too_coarse_to_move_is_no_second_close():
    assert "Rank" in es.load_prices(long("Rank", lambda t: 1.0)).provenance.cautions[1]


# -- Words of the time of day.


@pytest.mark.parametrize(
    ("header", "cell", "said"),
    [
        ("Tid", "efter stängning", "after the close"),
        ("Klokkeslett", "før børs", "before the open"),
        ("Note", "Etter børsslutt", "after the close"),
        ("Time", "Pre-Mkt", "before the open"),
    ],
)
def test_nordic_words_are_read(header, cell, said):
    found = as_events(pd.DataFrame({"ticker": ["EQNR"], "date": ["2024-05-14"], header: [cell]}))
    assert (found[0].asked, found.unused) == (f"2024-05-14 {said}", ())


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("AM/PM", "PM"),
        ("Slot", "morning"),
        ("Kello", "illalla"),
        ("Kun", "pörssin sulkeuduttua"),
        ("Mikor", "tőzsdezárás után"),
        ("Pozn", "po uzavření burzy"),
        ("Godzina", "wieczorem"),
        ("Nota", "tras la clausura del mercado"),
        ("Opmerking", "na sluiting van de beurs"),
    ],
)
def test_words_that_speak_of_the_time_and_cannot_be_read_stop_the_read(header, cell):
    with pytest.raises(InvalidInput, match=r"'amc' .after the close.*'bmo' .before the open"):
        as_events(pd.DataFrame({"ticker": ["EQNR"], "date": ["2024-05-14"], header: [cell]}))


@pytest.mark.parametrize(
    ("header", "cell"), [("Sector", "Handel"), ("Note", "po wynikach"), ("group", "AM"), ("Land", "Norge")]
)
def test_other_words_are_left_alone(header, cell):
    assert len(as_events(pd.DataFrame({"ticker": ["EQNR"], "date": ["2024-05-14"], header: [cell]}))) == 1


# -- Header rows by hand.


@pytest.mark.parametrize("blank", [False, True])
@pytest.mark.parametrize("corner", ["", "Ticker", "Date"])
@pytest.mark.parametrize("fields", [("Close", "Volume"), ("Open", "Schlusskurs"), ("Last", "Umsatz")])
@pytest.mark.parametrize("firms_first", [True, False])
def test_the_row_above_names_the_firms(blank, corner, fields, firms_first, tmp_path):
    price = closes()
    outer, inner = (FIRMS, fields) if firms_first else (fields, FIRMS)
    pairs = [(a, b) for a in outer for b in inner]
    top = [a if b == inner[0] or not blank else "" for a, b in pairs]

    def cell(pair, row):
        firm, field = pair if firms_first else pair[::-1]
        return f"{price[firm].iloc[row] if field in ('Close', 'Schlusskurs', 'Last') else 77 + row}"

    rows = [[corner, *top], ["Date", *(b for _, b in pairs)]]
    rows += [[f"{d:%Y-%m-%d}", *(cell(p, i) for p in pairs)] for i, d in enumerate(DAYS)]
    text = "\n".join(map(",".join, rows))
    (tmp_path / "by_hand.csv").write_text(f"Exported\n{text}\n")
    tables = [tmp_path / "by_hand.csv", pd.read_csv(io.StringIO(text)), pd.read_csv(io.StringIO(text), header=[0, 1])]
    for table in tables:
        assert np.array_equal(es.load_prices(table).adj_close[list(FIRMS)], price)


def test_names_that_come_again_without_a_row_above_are_told_the_way(tmp_path):
    (tmp_path / "p.csv").write_text("Date,Close,Volume,Close,Volume\n2024-02-05,1,2,3,4\n")
    with pytest.raises(InvalidInput, match="write the ticker of each in the row above"):
        es.load_prices(tmp_path / "p.csv")


# -- Parts of a table.


def test_parts_that_follow_each_other_are_one_table_in_any_order():
    price = closes()
    parts = [price.iloc[20:45], price.iloc[45:], price.iloc[:20]]
    joined = es.load_prices(parts)
    assert np.array_equal(joined.adj_close[list(FIRMS)], price)
    assert sum("right if all closes were adjusted at one time" in c for c in joined.provenance.cautions) == 2
    overlapping = es.load_prices([price.iloc[:30], price.iloc[25:]])
    assert np.array_equal(overlapping.adj_close[list(FIRMS)], price)


def test_parts_on_two_bases_are_refused_with_the_ways():
    price = closes()
    other = price.assign(ABB=price.ABB * 5)
    with pytest.raises(DataUnfit, match=r"ABB moves by .*pd\.concat.*join_prices"):
        es.load_prices([other.iloc[:30], price.iloc[30:]])
    with pytest.raises(DataUnfit, match=r"different days or figures.*join_prices"):
        es.load_prices([other.iloc[:30], price.iloc[25:]])

    def with_factor(rows, factor):
        table = price.iloc[rows].rename_axis("date").melt(ignore_index=False, var_name="ticker", value_name="close")
        return table.reset_index().assign(adj_close=lambda t: t.close * factor)

    with pytest.raises(DataUnfit, match=r"moves by \+1\.01% against its close as traded"):
        es.load_prices(
            [
                with_factor(slice(30), 0.99),
                with_factor(slice(30, None), 1.0).assign(adj_close=lambda t: t.adj_close * 0.99999),
            ]
        )
    said = es.load_prices([with_factor(slice(30), 0.98), with_factor(slice(30, None), 0.98)]).provenance.cautions
    assert not any("joined" in c for c in said)


# -- Figures as text, and figures of a result.


def test_figures_that_are_text_name_their_cell_and_the_way():
    returns = closes().pct_change().iloc[1:]
    with pytest.raises(DataUnfit, match=r"%' in column ABB, row 2024-02-06\. Give fractions"):
        es.Prices.from_frame(returns.map("{:.3%}".format))
    with pytest.raises(DataUnfit, match=r"in column ABB.*point as decimal mark"):
        es.Prices.from_frame(closes().map(lambda v: f"{v:.2f}".replace(".", ",")))


def test_decimal_commas_in_a_table_are_read_as_in_a_file():
    table = closes().rename_axis("Datum").map(lambda v: f"{v:.2f}".replace(".", ","))
    assert np.array_equal(es.load_prices(table).adj_close[list(FIRMS)], closes())


def test_dollars_are_drawn_of_a_result_and_other_things_are_told_the_call():
    prices = es.load_prices(["META", "^GSPC"], "2023-06-01", "2025-03-14")
    result = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-2, 2)).run(prices, [es.Event("META", "2025-01-30")])
    of_result = es.figures.dollars(result)
    assert of_result.words.title == es.figures.dollars(result.value_changes(es.Window(0, 0))).words.title
    for other in (result.market_value(), 3, "META"):
        with pytest.raises(InvalidInput, match=r"figures\.dollars\(result\)"):
            es.figures.dollars(other)
