"""What spreadsheets, web pages and older programs leave in a file of prices: read where it cannot be misread, else refused with its cause."""

from __future__ import annotations

import zipfile

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources import read_prices

DAYS = ["2023-11-30", "2023-12-01", "2023-12-04"]
OTP, MOL = [14.5, 14.75, 14.25], [2800.0, 2810.5, 2795.0]
BODY = "".join(f"{d},{a},{b}\n" for d, a, b in zip(DAYS, OTP, MOL, strict=True))
WIDE = f"Date,OTP,MOL\n{BODY}"


@pytest.fixture
def read(tmp_path):
    def call(content, name="bux.csv", **options):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_prices(tmp_path / name, **options)

    return call


def holds(prices):
    assert prices.tickers == ("OTP", "MOL")
    assert prices.dates.strftime("%Y-%m-%d").tolist() == DAYS
    assert prices.adj_close["OTP"].tolist() == OTP
    assert prices.adj_close["MOL"].tolist() == MOL


def lines(text, change):
    return "\n".join(change(line) for line in text.splitlines()) + "\n"


SEMICOLON = WIDE.replace(",", ";").replace(".", ",")
HARMLESS = {
    "two empty columns on the right": lines(WIDE, lambda x: x + ",,"),
    "one, of semicolons": lines(SEMICOLON, lambda x: x + ";"),
    "separator after each row, not the header": WIDE.replace("\n", ",\n").replace("MOL,", "MOL"),
    "empty rows below": WIDE + ",,\n,,\n",
    "empty row between": WIDE.replace("2023-12-04", ",,\n2023-12-04"),
    "a line for the spreadsheet": "sep=;\r\n" + SEMICOLON,
    "the same, quoted": '"sep=;"\n' + SEMICOLON,
    "blank lines above": "\n\n" + WIDE,
}


@pytest.mark.parametrize("form", HARMLESS)
def test_leftovers_without_a_meaning(form, read):
    prices = read(HARMLESS[form])
    holds(prices)
    assert len(prices.provenance.cautions) == 1  # that of every wide table


TOLD = {
    "a title": ("Budapest Stock Exchange\n\n" + WIDE, "above the header was left out: 'Budapest Stock Exchange'"),
    "titles with cells": ("Exchange,Budapest\nMade,2023-12-05\n" + WIDE, "'Exchange Budapest', 'Made 2023-12-05'"),
    "a title of semicolons": ("Kurse, wie gehandelt\n" + SEMICOLON, "left out: 'Kurse, wie gehandelt'"),
    "a footer": (
        WIDE + '"Exported on 5 December 2023"\n',
        "below the last row was left out: 'Exported on 5 December 2023'",
    ),
    "a footer of cells": (
        WIDE + "\nSource: BET,Budapest\nAll rights reserved\n",
        "'Source: BET Budapest', 'All rights reserved'",
    ),
}


@pytest.mark.parametrize("form", TOLD)
def test_titles_and_footers_are_left_out_and_told(form, read):
    text, words = TOLD[form]
    prices = read(text)
    holds(prices)
    assert any(words in c for c in prices.provenance.cautions)


@pytest.mark.parametrize("cell", ["#N/A", "#NV", "--", "n.a.", "null"])
def test_cells_that_say_that_nothing_is_there(cell, read):
    assert np.isnan(read(WIDE.replace("14.75", cell)).adj_close["OTP"].iloc[1])
    table = pd.DataFrame({"date": DAYS, "OTP": ["14.5", cell, "14.25"]})
    assert np.isnan(es.load_prices(table).adj_close["OTP"].iloc[1])


def test_a_row_with_a_figure_is_no_footer(read):
    with pytest.raises(InvalidInput, match="'mean' as a date in data row 4"):
        read(WIDE + "mean,14.5,2801.8\n")


def test_a_figure_in_a_column_without_a_name_is_not_dropped(read):
    with pytest.raises(DataUnfit, match="column without a ticker above it"):
        read(lines(WIDE, lambda x: x + ",7").replace("MOL,7", "MOL,"))
    with pytest.raises(DataUnfit, match=r"rows of different length .4 cells in line 4, 3 columns"):
        read(WIDE.rstrip("\n") + ",9\n")


@pytest.mark.parametrize("first", ["2023-11-30,14.5,2800", "OTP,2023-11-30,14.5", "30.11.2023;14,5;2800"])
def test_a_file_without_a_header_is_told_so(first, read):
    with pytest.raises(InvalidInput, match=r"bux\.csv has no header: its first row is"):
        read(f"{first}\n{first}\n")


def test_rows_may_lack_the_volume_at_their_end_and_nothing_else(read):
    text = "Date,Open,High,Low,Close,Volume\n1931-03-02,1,1,1,70.5\n1931-03-03,1,1,1,71\n2023-12-01,1,1,1,4594.5,900\n"
    prices = read(text, "INX.csv")
    assert prices.adj_close["INX"].tolist() == [70.5, 71.0, 4594.5]
    assert prices.volume["INX"].isna().tolist() == [True, True, False]
    with pytest.raises(DataUnfit, match=r"rows of different length .5 cells in line 2, 6 columns"):
        read(text.replace("Close,Volume", "Volume,Close"), "INX.csv")


def test_a_row_without_a_price_says_nothing_beside_one_that_has(read):
    text = "Date,Close,Adj Close,Volume\n2023-12-01,10,9,5\n2023-12-04,,,\n2023-12-04,11,10,6\n"
    assert read(text, "TTE.csv").adj_close["TTE"].tolist() == [9.0, 10.0]
    long = lines(text, lambda x: x + (",ticker" if x.startswith("Date") else ",TTE"))
    assert read(long).close["TTE"].tolist() == [10.0, 11.0]
    holds(read(WIDE + "2023-12-04,,\n"))
    two = pd.DataFrame(
        {("Close", "TTE"): [10.0, np.nan, 11.0]}, index=pd.DatetimeIndex(["2023-12-01", "2023-12-04", "2023-12-04"])
    )
    assert es.load_prices(two).adj_close["TTE"].tolist() == [10.0, 11.0]
    with pytest.raises(DataUnfit, match=r"TTE on 2023-12-04 more than once with different figures \(volume 8, 6\)"):
        read(text.replace("04,,,", "04,11,10,8"), "TTE.csv")


BARS = {
    "one share": "Datetime,Close\n2023-12-01 09:00:00,10\n2023-12-01 09:15:00,11\n",
    "long": "timestamp,symbol,close\n2023-12-01T09:00,TTE,10\n2023-12-01T09:15,TTE,11\n",
    "wide": "time,TTE,OR\n2023-12-01 09:00:00,10,300\n2023-12-01 09:15:00,11,301\n",
    "a column of times": "Date,Time,Close\n2023-12-01,09:00,10\n2023-12-01,09:15,11\n",
    "two rows of heads": "Price,Close\nTicker,TTE\nDatetime,\n2023-12-01 09:00:00+00:00,10\n2023-12-01 09:15:00+00:00,11\n",
}


@pytest.mark.parametrize("form", BARS)
def test_bars_within_the_day_are_called_so(form, read):
    with pytest.raises(DataUnfit, match=r"bars within the day, such as 2023-12-01[ T]09:00.*Keep one row a day"):
        read(BARS[form], "TTE.csv")


FORMS = {
    "slashes without zeros": "2023/11/30 2023/12/1 2023/12/4",
    "dashes without zeros": "2023-1-9 2023-1-10 2023-1-11",
    "months in words": "30-November-2023 1-December-2023 4-December-2023",
    "English": "November 30, 2023|December 1, 2023|December 4, 2023",
    "German": "30. November 2023|1. Dezember 2023|4. Dezember 2023",
    "French": "30 nov. 2023|1 déc. 2023|4 déc. 2023",
    "Spanish": "30-nov-2023 1-dic-2023 4-dic-2023",
    "Chinese": "2023年11月30日 2023年12月1日 2023年12月4日",
    "Korean": "2023년 11월 30일|2023년 12월 1일|2023년 12월 4일",
    "Korean, dots": "2023. 11. 30.|2023. 12. 1.|2023. 12. 4.",
    "half past four in the afternoon": "11/30/2023 4:30 PM|12/1/2023 4:30 PM|12/4/2023 4:30 PM",
}


@pytest.mark.parametrize("form", FORMS)
def test_days_that_cannot_be_misread(form, read):
    days = FORMS[form].split("|" if "|" in FORMS[form] else " ")
    quoted = "".join(f'"{d}",{a}\n' for d, a in zip(days, OTP, strict=True))
    right = ["2023-01-09", "2023-01-10", "2023-01-11"] if form == "dashes without zeros" else DAYS
    assert read(f"date,OTP\n{quoted}").dates.strftime("%Y-%m-%d").tolist() == right


@pytest.mark.parametrize(
    "days",
    [
        "30-lis-2023 1-lis-2023",
        "3-4-2023 5-6-2023",
        "23/11/30 23/12/01",
        "45260 45261",
        "2023/13/1 2023/14/1",
        "30-Foo-2023 1-Foo-2023",
    ],
)
def test_days_that_could_be_are_refused(days, read):
    with pytest.raises(InvalidInput, match="write dates as 2025-01-27"):
        read("date,OTP\n" + "".join(f"{d},{a}\n" for d, a in zip(days.split(), OTP, strict=False)))


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "Société"),
        ("cp1250", "Spółka"),
        ("shift_jis", "銘柄"),
        ("gb18030", "名称"),
        ("euc_kr", "종목명"),
        ("utf-16", "Firma"),
    ],
)
def test_an_encoding_is_asked_for_and_then_used(encoding, name, read, tmp_path):
    text = f"date;{name};close\n" + "".join(f"{d};{name} 1;{v}\n" for d, v in zip(DAYS, OTP, strict=True))
    with pytest.raises(InvalidInput, match="encoding="):
        read(text.encode(encoding))
    assert read(text.encode(encoding), encoding=encoding).adj_close[f"{name} 1"].tolist() == OTP
    assert es.load_prices(tmp_path / "bux.csv", encoding=encoding).tickers == (f"{name} 1",)
    with pytest.raises(InvalidInput, match="encoding is 'klingon', which is none"):
        read(text.encode(encoding), encoding="klingon")


def test_text_in_another_encoding_than_the_one_given_is_refused(read):
    with pytest.raises(InvalidInput, match="not text in the encoding shift_jis"):
        read("date;Société\n".encode("cp1252") + b"2023-12-01;\xff\n", encoding="shift_jis")
    with pytest.raises(InvalidInput, match="the table is no file"):
        es.load_prices(pd.DataFrame({"date": DAYS, "OTP": OTP}), encoding="cp1252")


def workbook(sheets, epoch=""):
    """The bytes of a workbook: texts, numbers, and days (style 1)."""

    def cell(value):
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        day = isinstance(value, pd.Timestamp)
        number = (value - pd.Timestamp("1899-12-30")).days if day else value
        return f'<c s="{int(day)}"><v>{number}</v></c>'

    main, rel = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    names = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{rel}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><workbookPr{epoch}/><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{links}<Relationship Id="rId99" Type="{rel}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }
    for i, rows in enumerate(sheets.values(), 1):
        body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    return parts


@pytest.fixture
def sheet(tmp_path):
    pytest.importorskip("python_calamine")

    def write(sheets, epoch=""):
        with zipfile.ZipFile(tmp_path / "quotes.xlsx", "w") as packed:
            for name, text in workbook(sheets, epoch).items():
                packed.writestr(name, text)
        return tmp_path / "quotes.xlsx"

    return write


ROWS = [["Datum", "OTP", "MOL"], *([pd.Timestamp(d), a, b] for d, a, b in zip(DAYS, OTP, MOL, strict=True))]


def test_a_workbook(sheet):
    holds(es.load_prices(sheet({"Kurse": ROWS})))
    holds(es.load_prices(str(sheet({"leer": [], "Kurse": [["Quotes"], *ROWS, ["Made by hand"]]}))))
    prices = read_prices(sheet({"Kurse": ROWS, "Notizen": [["nothing"]]}))
    assert "Of the sheets of quotes.xlsx only the first, Kurse, was read, not Notizen." in prices.provenance.cautions


@pytest.mark.parametrize(("epoch", "zero"), [("", "1899-12-30"), (' date1904="1"', "1904-01-01")])
def test_days_that_a_workbook_numbers(sheet, epoch, zero):
    numbered = [ROWS[0], *([(row[0] - pd.Timestamp(zero)).days, *row[1:]] for row in ROWS[1:])]
    prices = read_prices(sheet({"Kurse": numbered}, epoch))
    holds(prices)
    assert any("taken as a workbook's days" in c and "was read as 2023-11-30" in c for c in prices.provenance.cautions)


def test_codes_and_whole_numbers_of_a_workbook(sheet):
    rows = [["Date", "Code", "Close"], *([pd.Timestamp(d), 7203, 2800] for d in DAYS)]
    assert read_prices(sheet({"a": rows})).tickers == ("7203",)


def test_what_is_no_workbook(tmp_path, monkeypatch):
    pytest.importorskip("python_calamine")
    (tmp_path / "quotes.xlsx").write_bytes(b"PK no more")
    with pytest.raises(DataUnfit, match=r"quotes\.xlsx is damaged or no workbook"):
        read_prices(tmp_path / "quotes.xlsx")
    with zipfile.ZipFile(tmp_path / "quotes.xlsx", "w") as packed:
        packed.writestr("xl/workbook.xml", "<nothing/>")
    with pytest.raises(DataUnfit, match="damaged or no workbook"):
        read_prices(tmp_path / "quotes.xlsx")


def test_messages_are_our_own(read):
    """What a library says of a file is not what the reader of a message can use."""
    long = "Date,OTP,MOL\n" + "".join(f"{day:%Y-%m-%d},1,2\n" for day in pd.bdate_range("2023-01-02", periods=40))
    for text in (
        WIDE + "2023-12-05,1,2,3,4\n",
        long + "2023-12-05,1,2,3,4\n",
        long + "2023-12-05,1,2,3\n",
        "Date\n2023-12-05,1\n",
    ):
        with pytest.raises((DataUnfit, InvalidInput)) as caught:
            read(text)
        assert not any(
            word in str(caught.value) for word in ("C error", "tokenizing", "Expected", "ParserWarning", "usecols")
        )


def test_a_text_may_hold_either_mark(read):
    text = "Datum;Schlusskurs;Notiz\n" + "".join(
        f"{d};{v};fixing, final\n".replace(".", ",") for d, v in zip(DAYS, OTP, strict=True)
    )
    assert read(text, "OTP.csv").adj_close["OTP"].tolist() == OTP
