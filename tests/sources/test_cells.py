"""Figures, days and currencies as other countries and pages write them; several files as one table."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.sources import load_prices, read_prices
from eventstudy.sources.files.layouts import ticker_of_name


@pytest.fixture
def save(tmp_path):
    def write(text, name="NVDA.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


LONG = "date,ticker,close,currency\n2025-01-24,SAP,250,EUR\n2025-01-24,NVDA,142,USD\n2025-01-27,SAP,251,EUR\n2025-01-27,NVDA,118,{}\n"


def test_currencies_of_a_long_file(save):
    prices = read_prices(save(LONG.format("")))
    assert prices.currency == {"SAP": "EUR", "NVDA": "USD"}
    assert load_prices(source=pd.read_csv(save(LONG.format("USD")))).currency == {"SAP": "EUR", "NVDA": "USD"}
    with pytest.raises(DataUnfit, match="NVDA in USD and EUR"):
        read_prices(save(LONG.format("EUR")))
    assert read_prices(save("date,close,Currency\n2025-01-24,1,USD\n")).currency == {"NVDA": "USD"}


def test_two_currencies_are_seen_by_the_checks(save):
    found = es.check_prices(read_prices(save(LONG.format("USD"))))
    assert "mixed_currencies" in {f.check for f in found}


def test_one_share_without_a_name_says_first_what_to_do(save):
    with pytest.raises(InvalidInput) as caught:
        read_prices(save("Date,Open,Close\n2025-01-24,1,2\n", "quotes.csv"))
    assert "quotes.csv holds one share and no ticker: name the file by its ticker, add a column ticker, or say" in str(
        caught.value
    )
    assert str(caught.value).count("Open") == 1


@pytest.mark.parametrize(("name", "ticker"), [("^spx_d.csv", "^SPX"), ("^ndq.csv", "^NDQ"), ("returns_d.csv", None)])
def test_names_of_stooq_indices(name, ticker):
    assert ticker_of_name(name) == ticker


def test_a_bulk_file_tells_its_suffix(save):
    head = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"
    file = save(f"{head}\nNVDA.US,D,20250127,000000,1,1,1,118.42,1,0\n", "us.txt")
    with pytest.raises(DataMissing, match=r"bulk files call NVDA NVDA\.US"):
        load_prices(["NVDA"], source=file)


@pytest.mark.parametrize(
    "column",
    [["1.5,2", "142,62"], ["118.420", "142,62"], ["142,62", "1.23.456,7"], ["118,420", "142.62"], ["1,5.2", "142.62"]],
)
def test_two_customs_in_one_column_are_refused(column, save):
    text = "date;close\n" + "".join(f"2025-01-{d};{v}\n" for d, v in zip((24, 27), column, strict=True))
    with pytest.raises(InvalidInput, match=r"decimal mark|two customs"):
        read_prices(save(text))


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1.234,56", "142,62"], [1234.56, 142.62]),
        (["1.234,56", "1.300"], [1234.56, 1300.0]),
        (["1234,5", "0,5"], [1234.5, 0.5]),
    ],
)
def test_one_custom_is_read(cells, read, save):
    text = "date;close\n" + "".join(f"2025-01-{d};{v}\n" for d, v in zip((24, 27), cells, strict=True))
    assert read_prices(save(text)).adj_close["NVDA"].tolist() == read


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (['"1,234.5"', "142.62"], [1234.5, 142.62]),
        (['"1,234,567"', '"1,234"'], [1234567.0, 1234.0]),
        (['"118,420"', '"142,620"'], None),  # thousands, or decimals with a comma: no figure tells
        (['"142,62"', '"118,42"'], None),
        (['"118,420"', "142.62"], None),
    ],
)
def test_quoted_thousands_between_commas(cells, read, save):
    file = save("date,close\n" + "".join(f"2025-01-{d},{v}\n" for d, v in zip((24, 27), cells, strict=True)))
    if read is None:
        with pytest.raises(DataUnfit, match="where a number is needed"):
            read_prices(file)
    else:
        assert read_prices(file).adj_close["NVDA"].tolist() == read


def test_quoted_volumes_beside_closes_with_points(save):
    prices = read_prices(save('date,close,volume\n2025-01-24,142.62,"148,774"\n2025-01-27,118.42,"818,830"\n'))
    assert prices.volume["NVDA"].tolist() == [148774.0, 818830.0]


@pytest.mark.parametrize("mark", [",", ";"])
@pytest.mark.parametrize(
    "packed", ["date,A,B\n2025-01-24,1,2\n2025-01-27,1\n", 'date,A,B\n"2025-01-24",1,2\n\n2025-01-27\n']
)
def test_short_rows_are_refused(mark, packed, save):
    with pytest.raises(DataUnfit, match=r"rows of different length \(. cells in line \d, 3 columns\)"):
        read_prices(save(packed.replace(",", mark), "wide.csv"))
    whole = "date,A,B\n2025-01-24,1,2\n\n2025-01-27,1,\n   \n".replace(",", mark)
    assert read_prices(save(whole, "wide.csv")).adj_close["B"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "text", ["date,ticker,close\n2025-01-24,nvda,1\n2025-01-27,NVDA,2\n", "date,nvda,NVDA\n2025-01-24,1,2\n"]
)
def test_tickers_that_differ_in_case_only(text, save):
    said = read_prices(save(text, "long.csv")).provenance.cautions
    assert any("small and capital letters were taken as different shares: " in c for c in said)


@pytest.mark.parametrize(
    ("days", "read"),
    [
        (["24.01.2025", "27.01.2025"], ["2025-01-24", "2025-01-27"]),
        (["24-Jan-25", "27-Jan-25"], ["2025-01-24", "2025-01-27"]),
        (["31-Dec-68", "31-Dec-69"], ["1969-12-31", "2068-12-31"]),
    ],
)
def test_further_forms_of_days(days, read, save):
    prices = read_prices(save("date,close\n" + "".join(f"{d},1\n" for d in days)))
    assert prices.dates.strftime("%Y-%m-%d").tolist() == read


ONE = "Date,Open,High,Low,Close,Volume\n{}"


def test_several_files_as_one_table(save):
    first = save(ONE.format("2025-01-24,1,1,1,142.62,10\n2025-01-27,1,1,1,118.42,20\n"), "nvda_us_d.csv")
    second = save(ONE.format("2025-01-24,1,1,1,6101.24,0\n2025-01-27,1,1,1,6012.28,0\n"), "^spx_d.csv")
    prices = load_prices(["NVDA", "^SPX"], source=[first, str(second)])
    assert prices.returns().round(4).iloc[-1].tolist() == [-0.1697, -0.0146]
    assert prices.volume["NVDA"].tolist() == [10.0, 20.0]
    assert prices.provenance.source == "nvda_us_d.csv + ^spx_d.csv"
    assert len(prices.provenance.digest) == 64
    assert {c.split(":")[0] for c in prices.provenance.cautions} == {"nvda_us_d.csv, ^spx_d.csv"}
    # the same ticker in both: equal figures are one column, others are refused
    again = save("date,NVDA\n2025-01-24,142.62\n2025-01-27,118.42\n", "wide.csv")
    both = load_prices(source=(first, again))
    assert (both.tickers, both.volume) == (("NVDA",), None)
    for row in ("2025-01-27,118.43", "2025-01-28,118.42"):
        other = save(f"date,NVDA\n2025-01-24,142.62\n{row}\n", "other.csv")
        with pytest.raises(DataUnfit, match=r"nvda_us_d\.csv and other\.csv both have NVDA"):
            load_prices(source=[first, other])


def test_lists_that_are_no_files(save):
    file = save("date,close\n2025-01-24,1\n")
    with pytest.raises(InvalidInput, match="twice"):
        load_prices(source=[file, file])
    with pytest.raises(InvalidInput, match="empty list"):
        load_prices(source=[])
    with pytest.raises(InvalidInput, match="source is 'list'"):
        load_prices(source=[file, 3])
    with pytest.raises(DataMissing, match=r"no file .*gone\.csv"):
        load_prices(source=[file, file.with_name("gone.csv")])


@pytest.mark.slow
def test_as_of_for_a_study_on_a_file(tmp_path):
    folder = tmp_path / "one"
    made = subprocess.run([sys.executable, "-m", "eventstudy", "new", str(folder)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    text = (folder / "study.toml").read_text()
    (folder / "study.toml").write_text(
        text.replace('source = "yahoo"', 'source = "mine.csv"').replace('source = "snapshot"', 'source = "mine.csv"')
    )
    (folder / "mine.csv").write_text("date,NVDA\n2025-01-24,1\n")
    with pytest.raises(
        DataMissing, match=r"prices\.source is the file mine\.csv, and as_of \(--as-of\) picks among stored downloads"
    ):
        es.load_study(folder).as_of("2025-01-27")
