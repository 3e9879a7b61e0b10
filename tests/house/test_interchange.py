"""Tables of other libraries and sources of one's own give the same prices and results as pandas."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import date

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import eventstudy as es
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput, SourceFailed, SourceUnfit
from eventstudy.interchange import as_pandas

START, END = "2023-12-01", "2025-02-03"
TICKERS = ["NVDA", "META", "^GSPC"]
PRICES = es.load_prices(TICKERS, START, END)
WIDE = PRICES.adj_close.rename_axis("date").reset_index()
LONG = (
    WIDE.melt("date", var_name="ticker", value_name="adj_close")
    .merge(PRICES.close.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="close"))
    .sample(frac=1.0, random_state=1)
)
RETURNS = PRICES.returns().iloc[1:]
EVENTS = pd.DataFrame({"ticker": ["NVDA", "META"], "date": ["2025-01-27", "2025-01-27"]})
STUDY = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-2, 2))


class OnlyInterchange:
    """A table that offers the older protocol alone."""

    def __init__(self, frame):
        self.frame = frame

    def __dataframe__(self, *args, **kwargs):
        return self.frame.__dataframe__(*args, **kwargs)


class OnlyStream:
    """A table that offers Arrow's stream alone."""

    def __init__(self, frame):
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return pa.table(self.frame).__arrow_c_stream__(requested_schema)


KINDS = {
    "pandas": lambda f: f,
    "polars": pl.DataFrame,
    "pyarrow": pa.Table.from_pandas,
    "pyarrow reader": lambda f: pa.Table.from_pandas(f).to_reader(),
    "duckdb": duckdb.from_df,
    "stream": OnlyStream,
    "interchange": OnlyInterchange,
}
COLUMNAR = [k for k in KINDS if k != "pandas"]


def same(prices, close=True):
    pd.testing.assert_frame_equal(prices.adj_close[TICKERS], PRICES.adj_close, check_names=False, check_freq=False)
    if close:
        pd.testing.assert_frame_equal(prices.close[TICKERS], PRICES.close, check_names=False, check_freq=False)


@pytest.mark.parametrize("kind", KINDS)
def test_long_and_wide_tables(kind):
    same(es.load_prices(source=KINDS[kind](LONG)))
    same(es.load_prices(TICKERS, START, END, source=KINDS[kind](WIDE)), close=False)


def test_pandas_tables_with_dates_in_the_index():
    same(es.load_prices(source=PRICES.adj_close), close=False)
    same(es.load_prices(source=LONG.set_index(["date", "ticker"])))
    two = pd.concat({"Adj Close": PRICES.adj_close, "Close": PRICES.close}, axis=1)
    same(es.load_prices(source=two))
    with pytest.raises(InvalidInput, match="date as its index and as a column"):
        es.load_prices(source=WIDE.set_index("date", drop=False))


def test_history_of_one_share_is_named_by_what_is_asked_for():
    history = pl.DataFrame({"date": ["2025-01-24", "2025-01-27"], "close": [142.62, 118.42]})
    assert es.load_prices("NVDA", source=history).tickers == ("NVDA",)
    with pytest.raises(InvalidInput, match="no ticker"):
        es.load_prices(source=history)


@pytest.mark.parametrize("kind", COLUMNAR)
def test_a_study_of_returns_and_events_of_another_library(kind):
    expected = STUDY.run(RETURNS, EVENTS)
    table = RETURNS.rename_axis("date").reset_index()
    found = STUDY.run(KINDS[kind](table), KINDS[kind](EVENTS))
    pd.testing.assert_frame_equal(found.ar, expected.ar)


def test_factors_of_another_library():
    study = es.EventStudy(model=es.FactorModel.named("fama_french3"), window=(-2, 2))
    expected = study.run(PRICES, EVENTS, es.load_factors())
    found = study.run(PRICES, EVENTS, pl.DataFrame(es.load_factors().reset_index()))
    pd.testing.assert_frame_equal(found.ar, expected.ar)


def test_dates_as_dates_and_as_moments_with_a_zone():
    polars = pl.DataFrame(WIDE)
    same(es.load_prices(source=polars.with_columns(pl.col("date").cast(pl.Date))), close=False)
    zoned = polars.with_columns(pl.col("date").cast(pl.Datetime("ms")).dt.replace_time_zone("America/New_York"))
    same(es.load_prices(source=zoned), close=False)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pl.DataFrame(WIDE).lazy(), "LazyFrame"),
        ([1, 2], "list"),
        (3.5, "float"),
        (pl.Series([1.0]), "Series"),
        (pl.DataFrame({"a": [1.0], "b": [2.0]}), "the first is not a date"),
        (pa.table({"date": ["2025-01-24"]}), "only the column date"),
    ],
)
def test_what_is_no_table_of_prices(table, words):
    with pytest.raises(InvalidInput, match=words):
        es.load_prices(source=table)


def test_what_is_no_table_of_returns():
    with pytest.raises(InvalidInput, match="begins with the column 'NVDA'"):
        STUDY.run(pl.DataFrame(RETURNS.reset_index(drop=True)), EVENTS)
    with pytest.raises(InvalidInput, match="LazyFrame"):
        STUDY.run(pl.DataFrame(WIDE).lazy(), EVENTS)
    with pytest.raises(InvalidInput, match=r"list.*table of pandas"):
        STUDY.run(PRICES, EVENTS, [1])
    with pytest.raises(InvalidInput, match=r"frame\.collect\(\)"):
        as_pandas(pl.DataFrame(WIDE).lazy(), "The table")


def test_polars_without_pyarrow(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    frame = as_pandas(pl.DataFrame(LONG), "The table")
    assert frame["close"].tolist() == LONG["close"].tolist()
    with pytest.raises(InvalidInput, match=r"eventstudy-finance\[scale\]"):
        as_pandas(OnlyStream(LONG), "The table")


def test_bad_figures_of_another_library_are_refused():
    for value, words in ((-1.0, "A has -1"), (float("inf"), "A has inf")):
        with pytest.raises(DataUnfit, match=words):
            es.load_prices(source=pl.DataFrame({"date": ["2025-01-24"], "A": [value]}))
    with pytest.raises(DataUnfit, match="'x' in column A"):
        es.load_prices(source=pl.DataFrame({"date": ["2025-01-24"], "A": ["x"]}))


@pytest.mark.slow
def test_pandas_alone_loads_neither_polars_nor_duckdb():
    code = """
import sys, pandas as pd, eventstudy as es
before = set(sys.modules)
es.load_prices(source=pd.DataFrame({"date": ["2025-01-24"], "A": [1.0]}))
new = {m.split(".")[0] for m in set(sys.modules) - before}
assert not new & {"polars", "duckdb"}, new
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


class Duck:
    """House prices in a DuckDB table ``quotes(day, symbol, adjusted, close)``."""

    name = "house database"

    def __init__(self, con):
        self.con = con

    def load(self, tickers, start, end):
        return self.con.sql(
            """SELECT day AS date, symbol AS ticker, adjusted AS adj_close, close FROM quotes
               WHERE symbol IN (SELECT unnest($tickers)) AND ($first IS NULL OR day >= $first)
                 AND ($last IS NULL OR day <= $last) ORDER BY 1, 2""",
            params={"tickers": list(tickers), "first": start, "last": end},
        )


class Lite(Duck):
    name = "house file"

    def load(self, tickers, start, end):
        marks = ",".join("?" * len(tickers))
        query = f"SELECT date, ticker, adj_close, close FROM quotes WHERE ticker IN ({marks}) AND date BETWEEN ? AND ?"  # noqa: S608
        return pd.read_sql_query(query, self.con, params=[*tickers, str(start), str(end)])


@pytest.fixture
def duck():
    with duckdb.connect() as con:
        con.register("frame", LONG)
        con.execute(
            "CREATE TABLE quotes AS SELECT date::DATE AS day, ticker AS symbol, adj_close AS adjusted, close FROM frame"
        )
        yield Duck(con)


def test_a_database_is_a_source(duck):
    same(es.load_prices(TICKERS, START, END, source=duck))
    assert isinstance(duck, es.sources.PriceSource)
    prices = es.load_prices(["META"], "2025-01-25", "2025-01-31", source=duck)
    assert (prices.tickers, len(prices.dates)) == (("META",), 5)
    assert prices.provenance.source == "house database"
    expected = STUDY.run(PRICES, EVENTS)
    pd.testing.assert_frame_equal(STUDY.run(es.load_prices(TICKERS, START, END, source=duck), EVENTS).ar, expected.ar)


def test_sqlite_is_a_source():
    con = sqlite3.connect(":memory:")
    LONG.assign(date=LONG["date"].dt.strftime("%Y-%m-%d")).to_sql("quotes", con, index=False)
    same(es.load_prices(TICKERS, START, END, source=Lite(con)))
    con.close()


def test_a_ticker_or_days_that_a_source_lacks(duck):
    with pytest.raises(DataMissing, match="house database has no prices for TSM"):
        es.load_prices(["NVDA", "TSM"], START, END, source=duck)
    with pytest.raises(DataMissing, match=r"start is 2020-01-02, but house database holds 2023-12-01"):
        es.load_prices(["NVDA"], "2020-01-02", END, source=duck)


class Answer:
    name = "stub"

    def __init__(self, answer):
        self.answer = answer

    def load(self, tickers, start, end):
        assert start is None or type(start) is date
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


BAD = PRICES.adj_close.copy()
BAD.iloc[3, 0] = -1.0


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            ValueError("no such table"),
            SourceFailed,
            r"source stub failed on NVDA from 2024-01-02 .*ValueError: no such table",
        ),
        (ConnectionResetError(), SourceFailed, "ConnectionResetError"),
        (DataMissing("closed on Sundays"), DataMissing, "closed on Sundays"),
        (None, SourceUnfit, "NoneType; its method load must return Prices or a table"),
        ({"NVDA": [1.0]}, SourceUnfit, "with a dict"),
        (BAD, DataUnfit, "source stub: NVDA has -1"),
        (es.Prices(BAD, PRICES.provenance), DataUnfit, "source stub: NVDA has -1"),
        (PRICES.adj_close.rename(columns={"NVDA": "X"}), DataMissing, "no prices for NVDA; it answered with META, X"),
        (pd.DataFrame(), InvalidInput, "stub"),
    ],
)
def test_what_a_source_may_answer(answer, error, words):
    with pytest.raises(error, match=words) as caught:
        es.load_prices(["NVDA"], "2024-01-02", source=Answer(answer))
    assert type(caught.value) is error


def test_an_interruption_is_not_a_failure_of_the_source():
    with pytest.raises(KeyboardInterrupt):
        es.load_prices(["NVDA"], source=Answer(KeyboardInterrupt()))


def test_prices_of_a_source_are_sorted_and_cut():
    shuffled = es.Prices(PRICES.adj_close.sample(frac=1.0, random_state=1), PRICES.provenance)
    prices = es.load_prices(["META"], "2025-01-25", "2025-01-31", source=Answer(shuffled))
    assert prices.adj_close["META"].tolist() == PRICES.adj_close["META"]["2025-01-25":"2025-01-31"].tolist()
    assert prices.provenance.first == "2025-01-27"


@pytest.mark.parametrize(
    "text",
    ["cannot reach postgres://me:hunter2@host/db", "password=hunter2 refused", "Token: hunter2"],
)
def test_no_password_in_a_message(text):
    with pytest.raises(SourceFailed) as caught:
        es.load_prices(["NVDA"], source=Answer(OSError(text)))
    assert "hunter2" not in str(caught.value)


def test_a_source_needs_tickers_a_name_and_to_be_an_object(duck):
    with pytest.raises(InvalidInput, match="'house database' needs tickers"):
        es.load_prices(source=duck)
    with pytest.raises(InvalidInput, match="not a class"):
        es.load_prices(["NVDA"], source=Duck)
    duck.name = ""
    with pytest.raises(InvalidInput, match="with a name"):
        es.load_prices(["NVDA"], source=duck)
