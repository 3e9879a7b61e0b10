"""What is handed to `load_prices` is what is used: files, tables and series in the first place, by name or in a list; and in study files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import eventstudy as es
from eventstudy.errors import DataMissing, InvalidInput, StudyFileError

DAYS = pd.bdate_range("2022-06-06", periods=6, name="Date")
TOYOTA = np.array([2100.0, 2120.5, 2090.0, 2101.0, 2115.0, 2130.0])
SAMSUNG = np.array([65000.0, 65300.0, 64800.0, 64900.0, 65500.0, 65200.0])


def history(closes):
    return pd.DataFrame({"Open": 1.0, "High": 1.0, "Low": 1.0, "Close": closes, "Volume": 10}, index=DAYS)


def download(order="Price", **shares):
    frame = pd.concat({ticker: history(closes) for ticker, closes in shares.items()}, axis=1, names=["Ticker", "Price"])
    return frame if order == "Ticker" else frame.swaplevel(axis=1).sort_index(axis=1)


@pytest.fixture
def files(tmp_path):
    for name, closes in (("7203.csv", TOYOTA), ("005930.csv", SAMSUNG), ("topix 2022.csv", TOYOTA + 1)):
        history(closes).to_csv(tmp_path / name)
    return tmp_path


WIDE = pd.DataFrame({"ASML.AS": TOYOTA, "PHIA.AS": SAMSUNG}, index=DAYS)


@pytest.mark.parametrize("given", ["pandas", "polars", "path", "text", "a list of files", "a list of tables"])
def test_a_source_in_the_first_place_is_taken_as_the_source(given, tmp_path):
    file = tmp_path / "prices.csv"
    WIDE.to_csv(file)
    what = {
        "pandas": WIDE,
        "polars": pl.DataFrame(WIDE.reset_index()),
        "path": file,
        "text": str(file),
        "a list of files": [str(file)],
        "a list of tables": [WIDE[["ASML.AS"]], WIDE[["PHIA.AS"]]],
    }[given]
    prices = es.load_prices(what, "2022-06-07")
    assert prices.tickers == ("ASML.AS", "PHIA.AS")
    np.testing.assert_array_equal(prices.adj_close["PHIA.AS"], SAMSUNG[1:])
    with pytest.raises(InvalidInput, match=r"a source of prices.*give one source"):
        es.load_prices(what, source=WIDE)


@pytest.mark.parametrize("order", ["Price", "Ticker"])
@pytest.mark.parametrize("shares", [1, 2])
def test_a_download_of_the_yahoo_client_reads_through(order, shares):
    held = dict([("RMS.PA", TOYOTA), ("MC.PA", SAMSUNG)][:shares])
    table = download(order, **held)
    for given in (table, table.reset_index()):
        prices = es.load_prices(given)
        assert set(prices.tickers) == set(held)
        for ticker, closes in held.items():
            np.testing.assert_array_equal(prices.adj_close[ticker], closes)


def test_a_mapping_names_the_share_of_each(files):
    given = {
        "7203": files / "7203.csv",
        "005930": str(files / "005930.csv"),
        "^TOPX": history(TOYOTA + 1),
        "9984": pd.Series(TOYOTA + 2, index=DAYS),
        "RMS.PA": download(**{"RMS.PA": TOYOTA + 3}),
    }
    prices = es.load_prices(given)
    assert prices.tickers == tuple(given)
    for place, (ticker, closes) in enumerate(
        {"7203": TOYOTA, "005930": SAMSUNG, "^TOPX": TOYOTA + 1, "9984": TOYOTA + 2, "RMS.PA": TOYOTA + 3}.items()
    ):
        np.testing.assert_array_equal(prices.adj_close[ticker], closes, err_msg=str(place))
    assert es.load_prices(["9984", "7203"], source=given).tickers == ("9984", "7203")
    with pytest.raises(InvalidInput, match=r"ticker is 'OR\.PA', but the table of OR\.PA names its own: RMS\.PA"):
        es.load_prices({"OR.PA": download(**{"RMS.PA": TOYOTA})})


def test_series_of_other_days_are_joined_by_day():
    prices = es.load_prices({"A": pd.Series(TOYOTA, index=DAYS), "B": pd.Series(SAMSUNG[2:], index=DAYS[2:])})
    assert prices.adj_close["B"].isna().tolist() == [True, True, False, False, False, False]
    zoned = pd.Series(TOYOTA, index=DAYS.tz_localize("Asia/Tokyo"))
    assert list(es.load_prices({"7203": zoned}).dates) == list(DAYS)
    assert es.load_prices(zoned.rename("7203")).tickers == ("7203",)


def test_files_named_by_digits(files):
    """Which share a file of digits holds is said by its name only if that share is asked for."""
    with pytest.raises(InvalidInput) as caught:
        es.load_prices(files / "7203.csv")
    for way in ("load_prices({'7203': '7203.csv'})", "read_prices(…, ticker='7203')", 'source = {"7203" = "7203.csv"}'):
        assert way in str(caught.value)
    assert "NVDA.csv" not in str(caught.value)
    asked = es.load_prices("7203", source=files / "7203.csv")
    assert (asked.tickers, len(asked.provenance.cautions)) == (("7203",), 1)
    both = es.load_prices(["005930", "7203"], source=[files / "7203.csv", files / "005930.csv"])
    np.testing.assert_array_equal(both.adj_close["7203"], TOYOTA)
    with pytest.raises(InvalidInput, match=r"load_prices\(\{'NVDA': 'topix 2022.csv'\}\)"):
        es.load_prices(files / "topix 2022.csv")
    with pytest.raises(InvalidInput, match=r"load_prices\(\{'NVDA': table\}\)\. It has"):
        es.load_prices(history(TOYOTA))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            pd.Series(TOYOTA, index=DAYS),
            r"source is a series that has no name: say whose it is, load_prices\(\{'NVDA': series\}\)",
        ),
        ({"7203": pd.Series(TOYOTA)}, "source of 7203 is a series that does not hold closes with days as its index"),
        (pd.Series(TOYOTA), "tickers is Series"),
        ("prices.sas7bdat", "source is 'prices.sas7bdat'.*ends in .csv"),
        (["NVDA", WIDE], "source is 'list'"),
        ({"7203": [1.0, 2.0]}, "source of 7203 is 'list'"),
        ({}, "source is 'dict'"),
        (7203, "tickers is int"),
    ],
)
def test_what_is_neither_is_refused_by_its_kind(given, words):
    with pytest.raises(InvalidInput, match=words):
        es.load_prices(given)


def test_tickers_in_any_sequence_stay_tickers():
    chosen = pd.Series(["NVDA", "x", "META"])[[0, 2]]
    for given in (("NVDA", "META"), pd.Index(["NVDA", "META"]), np.array(["NVDA", "META"]), chosen):
        assert es.load_prices(given).tickers == ("NVDA", "META")


STUDY = """title = "Toyota"
event = "News"
headline = ["7203"]
events = "events.csv"
[names]
7203 = "Toyota"
[model]
benchmark = "^TOPX"
calendar = "XTKS"
[prices]
"""


def study(folder, prices):
    (folder / "events.csv").write_text("ticker,date\n7203,2022-06-09\n")
    (folder / "study.toml").write_text(STUDY + prices)
    return es.load_study(folder)


def test_a_study_names_the_shares_of_its_files(files):
    named = study(files, 'source = {"7203" = "7203.csv", "^TOPX" = "topix 2022.csv"}\n')
    prices = named.load_prices()
    np.testing.assert_array_equal(prices.adj_close["7203"], TOYOTA)
    np.testing.assert_array_equal(prices.adj_close["^TOPX"], TOYOTA + 1)
    assert {path.name for path in named.price_source().inputs()} == {"7203.csv", "topix 2022.csv"}
    (files / "7203.csv").rename(files / "toyota.csv")
    history(TOYOTA + 1).to_csv(files / "^TOPX.csv")
    listed = study(files, 'source = ["toyota.csv", "^TOPX.csv"]\n')
    with pytest.raises(InvalidInput, match=r"toyota\.csv holds one share and no ticker"):
        listed.load_prices()


def test_a_study_says_how_its_files_are_written(files):
    wide = pd.DataFrame({"7203": TOYOTA, "^TOPX": TOYOTA + 1, "Crédit Agricole": TOYOTA}, index=DAYS)
    (files / "kurse.csv").write_bytes(wide.to_csv().encode("cp1252"))
    with pytest.raises(InvalidInput, match="encoding='cp1252'"):
        study(files, 'source = "kurse.csv"\n').load_prices()
    assert study(files, 'source = "kurse.csv"\nencoding = "cp1252"\n').load_prices().tickers == ("7203", "^TOPX")


def test_a_study_says_how_its_events_are_written(files):
    (files / "7203.csv").rename(files / "トヨタ.csv")
    source = 'source = {"トヨタ" = "トヨタ.csv", "^TOPX" = "topix 2022.csv"}\n'
    text = STUDY.replace('headline = ["7203"]\n', "").replace("7203", '"トヨタ"')
    (files / "events.csv").write_text("銘柄,日付\nトヨタ,2022年6月9日\n", encoding="shift_jis")
    (files / "study.toml").write_text(text + source, encoding="utf-8")
    with pytest.raises(StudyFileError, match=r"not UTF-8 text.*study file"):
        es.load_study(files).event_list()
    (files / "study.toml").write_text('events_encoding = "shift_jis"\n' + text + source, encoding="utf-8")
    assert [(e.ticker, e.asked) for e in es.load_study(files).event_list()] == [("トヨタ", "2022-06-09")]


def test_an_event_without_prices_is_named_by_its_row(files):
    named = study(files, 'source = {"7203" = "7203.csv", "^TOPX" = "topix 2022.csv"}\n')
    (files / "events.csv").write_text(
        "ticker,date\n7203,2022-06-09\n\n6758,2022-06-10\n7203,2022-06-14\n6758,2022-06-15\n"
    )
    with pytest.raises(DataMissing, match=r"events\.csv names 6758 in row 2, 6758 in row 4\.$"):
        named.load_prices()


@pytest.mark.parametrize("source", ['["7203.csv", "../x.csv"]', '{"7203" = "/etc/x.csv"}', "[1]", "{a = 2}", "7"])
def test_a_study_takes_no_other_files(source, files):
    with pytest.raises(StudyFileError, match=r"prices\.source"):
        study(files, f"source = {source}\n")


def test_what_is_missing_is_named_by_its_file(files):
    with pytest.raises(DataMissing, match=r"no file .*gone\.csv"):
        es.load_prices({"7203": files / "gone.csv"})
