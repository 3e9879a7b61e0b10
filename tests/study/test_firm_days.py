"""Returns in rows, one a firm and day: the numbers of the same study on the wide table, whatever the rows look like; what cannot be right is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import exchange_sessions
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.sources.files import firm_days

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
ds = pytest.importorskip("pyarrow.dataset")

DAYS = exchange_sessions("XLON", "2012-01-03", "2018-12-31")
FIRMS = [f"GB{i:02d}" for i in range(30)]
STUDY = es.EventStudy(es.MarketModel("FTX"), estimation=(-120, -11), window=(-3, 3))


def wide(seed: int = 5) -> pd.DataFrame:
    """Return a market and firms that begin late, end early and have holes."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0002, 0.011, len(DAYS))
    table = pd.DataFrame(
        np.outer(market, rng.uniform(0.4, 1.6, len(FIRMS))) + rng.normal(0, 0.02, (len(DAYS), len(FIRMS))), DAYS, FIRMS
    )
    table = table.mask(rng.random(table.shape) < 0.004)
    table.iloc[:400, 3] = np.nan
    table.iloc[900:, 4] = np.nan
    return table.assign(FTX=market)


TABLE = wide()
CHOSEN = np.random.default_rng(8)
EVENTS = pd.DataFrame(
    {"ticker": CHOSEN.choice(FIRMS[:22], 400), "date": DAYS[CHOSEN.integers(130, len(DAYS) - 5, 400)]}
)


def long(table: pd.DataFrame = TABLE) -> pd.DataFrame:
    """Return the table as rows, sorted by firm; those of a firm outside its life are not there."""
    rows = table.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="ret")
    alive = {f: (table[f].first_valid_index(), table[f].last_valid_index()) for f in table}
    first, last = (rows["ticker"].map({f: span[k] for f, span in alive.items()}) for k in (0, 1))
    return rows[(rows["date"] >= first) & (rows["date"] <= last)].reset_index(drop=True)


ROWS = long()


def written(folder: Path, rows: pd.DataFrame | pa.Table, size: int = 3_000) -> Path:
    """Write rows into a file of a folder of their own, in many groups."""
    folder.mkdir()
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    pq.write_table(table, folder / "part-0.parquet", row_group_size=size)
    return folder


def cast(name: str, kind: pa.DataType) -> Callable[[pd.DataFrame], pa.Table]:
    """Return what writes one column as another type."""

    def change(rows: pd.DataFrame) -> pa.Table:
        table = pa.Table.from_pandas(rows, preserve_index=False)
        place = table.schema.get_field_index(name)
        column = table.column(name)
        if pa.types.is_dictionary(kind):
            return table.set_column(place, name, column.cast(kind.value_type).dictionary_encode())
        return table.set_column(place, name, column.cast(kind, safe=False))

    return change


SHAPES: dict[str, Callable[[pd.DataFrame], pd.DataFrame | pa.Table]] = {
    "by firm": lambda rows: rows,
    "by date": lambda rows: rows.sort_values(["date", "ticker"]),
    "in any order": lambda rows: rows.sample(frac=1.0, random_state=3),
    "backwards": lambda rows: rows.iloc[::-1],
    "dates as date32": cast("date", pa.date32()),
    "dates as date64": cast("date", pa.date64()),
    "dates as seconds": cast("date", pa.timestamp("s")),
    "dates as nanoseconds": cast("date", pa.timestamp("ns")),
    "midnights of London": lambda rows: rows.assign(date=rows["date"].dt.tz_localize("Europe/London")),
    "dates as text": lambda rows: rows.assign(date=rows["date"].dt.strftime("%Y-%m-%d")),
    "dates as whole numbers": lambda rows: rows.assign(date=rows["date"].dt.strftime("%Y%m%d").astype(int)),
    "closes at half past four": lambda rows: rows.assign(date=rows["date"] + pd.Timedelta("16:30:00")),
    "large strings": cast("ticker", pa.large_string()),
    "firms by code": cast("ticker", pa.dictionary(pa.int32(), pa.string())),
    "categories": lambda rows: rows.assign(ticker=rows["ticker"].astype("category")),
    "returns as text": lambda rows: rows.assign(ret=rows["ret"].map(lambda r: "" if pd.isna(r) else repr(r))),
    "nulls": lambda rows: rows.assign(ret=rows["ret"].astype("Float64")),
    "other words": lambda rows: rows.rename(columns={"ticker": "Symbol", "date": "Trade_Date", "ret": "Return"}),
    "German words": lambda rows: rows.rename(columns={"ticker": "Kürzel", "date": "Datum", "ret": "Rendite"}),
    "columns of no use": lambda rows: rows.assign(prc=7.0, vol=1, year=rows["date"].dt.year)[
        ["vol", "ret", "year", "ticker", "prc", "date"]
    ],
}


def same(one: es.EventStudyResult, other: es.EventStudyResult) -> None:
    """Hold two results against each other, bit for bit."""
    pd.testing.assert_frame_equal(one.ar, other.ar, check_exact=True)
    pd.testing.assert_frame_equal(one.audit, other.audit)
    pd.testing.assert_frame_equal(one.tests((0, 1)), other.tests((0, 1)), check_exact=True)


@pytest.fixture(scope="module")
def on_wide() -> es.EventStudyResult:
    return STUDY.run(TABLE, EVENTS)


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_of_any_shape_give_the_numbers_of_the_wide_table(shape, tmp_path, on_wide):
    result = STUDY.run(written(tmp_path / "returns", SHAPES[shape](ROWS)), EVENTS)
    same(result, on_wide)
    assert [str(c) for c in result.checks if "Dates of" not in c.name] == [str(c) for c in on_wide.checks]


def test_a_file_a_text_a_dataset_and_files_by_firm_or_year_are_one(tmp_path, on_wide):
    folder = written(tmp_path / "one", ROWS)
    table = pa.Table.from_pandas(ROWS, preserve_index=False)
    firm, year = tmp_path / "firm", tmp_path / "year"
    pq.write_to_dataset(table, firm, partition_cols=["ticker"])
    pq.write_to_dataset(table.append_column("year", pa.array(ROWS["date"].dt.year)), year, partition_cols=["year"])
    (firm / "_SUCCESS").write_text("")
    (firm / "README.txt").write_text("not a data file")
    memory = ds.dataset(table)
    for data in (folder / "part-0.parquet", f"{folder}/", firm, year, ds.dataset(str(folder)), memory):
        same(STUDY.run(data, EVENTS), on_wide)


def test_numbers_for_firms_keep_their_digits(tmp_path):
    table = TABLE.rename(columns={f: f"{i + 7:06d}" for i, f in enumerate(FIRMS)})
    events = EVENTS.assign(ticker=EVENTS["ticker"].map({f: f"{i + 7:06d}" for i, f in enumerate(FIRMS)}))
    pq.write_to_dataset(
        pa.Table.from_pandas(long(table), preserve_index=False), tmp_path / "r", partition_cols=["ticker"]
    )
    same(STUDY.run(tmp_path / "r", events), STUDY.run(table, events))


def test_permanent_numbers_are_taken_where_events_are_called_by_them(tmp_path):
    number = {f: i + 10_001 for i, f in enumerate([*FIRMS, "FTX"])}
    rows = ROWS.assign(permno=ROWS["ticker"].map(number), ticker="CHANGES")
    study = es.EventStudy(es.MarketModel("10031"), estimation=(-120, -11), window=(-3, 3))
    table = TABLE.rename(columns={f: str(n) for f, n in number.items()})
    events = EVENTS.assign(ticker=EVENTS["ticker"].map(number).astype(str))
    same(study.run(written(tmp_path / "r", rows), events), study.run(table, events))


def test_the_market_may_come_from_elsewhere(tmp_path):
    folder = written(tmp_path / "r", ROWS[ROWS["ticker"] != "FTX"])
    firms, market = TABLE.drop(columns="FTX"), TABLE[["FTX"]]
    same(STUDY.run(folder, EVENTS, factors=market), STUDY.run(firms, EVENTS, factors=market))


def test_factors_beside_the_rows(tmp_path):
    rng = np.random.default_rng(4)
    factors = pd.DataFrame({"mkt_rf": TABLE["FTX"] - 1e-4, "smb": rng.normal(0, 0.005, len(DAYS)), "rf": 1e-4}, DAYS)
    study = es.EventStudy(es.FactorModel(["mkt_rf", "smb"], risk_free="rf"), estimation=(-120, -11), window=(-3, 3))
    right = study.run(TABLE[list(dict.fromkeys(EVENTS["ticker"]))], EVENTS, factors=factors)
    same(study.run(written(tmp_path / "r", ROWS), EVENTS, factors=factors), right)
    few = EVENTS[EVENTS["date"] > "2018-01-01"]  # fewer days than the factors have
    same(study.run(tmp_path / "r", few, factors=factors), study.run(TABLE, few, factors=factors))


@pytest.mark.parametrize("model", [es.MeanAdjusted(), es.MarketModel("FTX"), es.Dimson("FTX", lags=2, leads=2)])
def test_other_models(model, tmp_path):
    study = es.EventStudy(model, estimation=(-90, -20), window=(0, 9))
    same(
        study.run(written(tmp_path / "r", ROWS), EVENTS),
        study.run(TABLE[list(dict.fromkeys([*EVENTS["ticker"], "FTX"]))], EVENTS),
    )


def read(monkeypatch: pytest.MonkeyPatch) -> list[pa.RecordBatch]:
    """Return the list into which batches go that are read from now on."""
    seen: list[pa.RecordBatch] = []
    batches = firm_days.Rows.batches

    def watched(self, *asked):
        for batch in batches(self, *asked):
            seen.append(batch)
            yield batch

    monkeypatch.setattr(firm_days.Rows, "batches", watched)
    return seen


def test_only_firms_and_days_that_the_windows_need_are_read(tmp_path, monkeypatch):
    few = EVENTS[(EVENTS["date"] > "2015-03-01") & (EVENTS["date"] < "2015-05-01")]
    seen = read(monkeypatch)
    result = STUDY.run(written(tmp_path / "r", ROWS.assign(prc=1.0)), few)
    assert result.ar.equals(STUDY.run(TABLE, few).ar)
    assert {c for b in seen for c in b.schema.names} == {"ticker", "date", "ret"}
    whole = [b for b in seen if b.num_columns == 3]
    assert set().union(*(b.column(0).to_pylist() for b in whole)) == {*few["ticker"], "FTX"}
    days = [d for b in whole for d in b.column(1).to_pylist()]
    assert pd.Timestamp("2014-05-01") < min(days)
    assert max(days) < pd.Timestamp("2015-07-15")


def test_a_benchmark_with_few_days_makes_the_study_read_on(tmp_path):
    table = TABLE.copy()
    rare = np.random.default_rng(1).random(len(DAYS)) < 0.45
    table.loc[rare, "FTX"] = np.nan
    rows = long(table).dropna()
    study = es.EventStudy(es.MarketModel("FTX"), estimation=(-120, -11), window=(-3, 3), calendar=None, gaps="skip")
    few = EVENTS[EVENTS["date"] > "2018-08-01"]
    table = table.drop(index=DAYS[rare])
    rows = rows[~rows["date"].isin(DAYS[rare])]
    same(study.run(written(tmp_path / "r", rows), few), study.run(table, few))


def test_a_firm_without_rows_near_the_events_is_dropped_as_of_the_wide_table(tmp_path):
    events = pd.concat(
        [EVENTS[EVENTS["date"] > "2017-06-01"], pd.DataFrame({"ticker": ["GB04"], "date": ["2018-06-05"]})]
    )
    result, right = STUDY.run(written(tmp_path / "r", ROWS), events), STUDY.run(TABLE, events)
    same(result, right)
    assert [d.event.ticker for d in right.dropped][-1] == "GB04"


# -- What cannot be right.


def spoilt(rows: pd.DataFrame, **changes: object) -> pd.DataFrame:
    """Return the rows with one of the cells of GB05 on 2015-06-01 changed."""
    out = rows.astype(dict.fromkeys(changes, object))
    at = out.index[(out["ticker"] == "GB05") & (out["date"] == pd.Timestamp("2015-06-01"))]
    for column, value in changes.items():
        out.loc[at, column] = value
    return out


TWICE = ROWS[(ROWS["ticker"] == "GB05") & (ROWS["date"] == pd.Timestamp("2015-06-01"))]


@pytest.mark.parametrize("second", [TWICE, TWICE.assign(ret=0.5), TWICE.assign(ret=np.nan)])
@pytest.mark.parametrize("apart", [True, False])
def test_two_rows_of_a_firm_and_day_are_refused(second, apart, tmp_path):
    place = len(ROWS) if apart else int(TWICE.index[0])
    rows = pd.concat([ROWS.iloc[:place], second, ROWS.iloc[place:]])
    with pytest.raises(
        DataUnfit,
        match=r"r has GB05 on 2015-06-01 more than once \(1 row too many in all\); keep one row per firm and day",
    ):
        STUDY.run(written(tmp_path / "r", rows), EVENTS)


def test_rows_twice_that_the_study_does_not_use_are_not_read(tmp_path, on_wide):
    unused = ROWS[ROWS["ticker"] == "GB29"]
    same(STUDY.run(written(tmp_path / "r", pd.concat([ROWS, unused])), EVENTS), on_wide)


def test_bars_within_the_day_are_refused(tmp_path):
    bars = pd.concat([ROWS.assign(date=ROWS["date"] + pd.Timedelta(hours=h)) for h in (9, 12, 16)])
    with pytest.raises(DataUnfit, match=r"more than once .*bars within the day\? Keep that of the close"):
        STUDY.run(written(tmp_path / "r", bars), EVENTS)


@pytest.mark.parametrize(
    ("rows", "error", "said"),
    [
        (spoilt(ROWS, ret="n.m.").assign(ret=lambda r: r["ret"].map(str)), DataUnfit, r"r has 'n\.m\.' in column ret for GB05 on 2015-06-01, where a number is needed"),
        (ROWS.assign(ret=ROWS["ret"] > 0), DataUnfit, r"in column ret for .*, where a number is needed"),
        (spoilt(ROWS, ret=np.inf).astype({"ret": float}), DataUnfit, "GB05 has a return of inf on 2015-06-01"),
        (ROWS.assign(ret=100 * ROWS["ret"]), DataUnfit, "seem to be per cent"),
        (spoilt(ROWS, date=None).assign(date=lambda r: pd.to_datetime(r["date"])), InvalidInput, "has a missing date; drop that row"),
        (ROWS.assign(date="early"), InvalidInput, "returns table has 'early' as a date"),
        (ROWS.rename(columns={"ret": "figure"}), InvalidInput, r"r has the columns date, ticker, figure, and none is known to hold a return\. Needed are rows"),
        (ROWS.rename(columns={"ticker": "who"}), InvalidInput, "none is known to hold a firm.*pandas.read_parquet"),
        (ROWS.rename(columns={"date": "t"}), InvalidInput, "none is known to hold a date"),
        (ROWS.assign(Return=0.0), InvalidInput, "ret and Return, two columns for one figure; keep one"),
        (ROWS.rename(columns={"ret": "adj_close"}), InvalidInput, r"prices and no returns\..*es\.load_prices"),
        (ROWS.assign(dlret=np.nan), InvalidInput, r"r has delisting returns in dlret beside ret.*\(1 \+ ret\) \* \(1 \+ dlret\) - 1"),
        (ROWS[ROWS["ticker"] != "GB05"], DataMissing, r"r has no row of GB05 in column ticker; it has rows of FTX, GB00"),
        (ROWS[ROWS["ticker"] != "FTX"], DataMissing, r"no column FTX"),
        (ROWS.iloc[:0], DataMissing, r"r has no row of GB"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused(rows, error, said, tmp_path):
    with pytest.raises(error, match=said):
        STUDY.run(written(tmp_path / "r", rows), EVENTS)


def test_a_folder_that_is_not_there_or_holds_none_and_a_damaged_file(tmp_path):
    with pytest.raises(DataMissing, match=r"There is no file or folder .*gone"):
        STUDY.run(f"{tmp_path}/gone/", EVENTS)
    with pytest.raises(DataMissing, match="There is no Parquet file in the folder"):
        STUDY.run(tmp_path, EVENTS)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DataUnfit, match=r"a\.parquet is not readable as Parquet"):
        STUDY.run(tmp_path / "a.parquet", EVENTS)


def test_more_than_the_memory_is_refused_before_it_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", type("M", (), {"available": 10_000}))
    with pytest.raises(es.errors.TooLarge, match=r"The returns of 23 firms on [\d,]+ days take .*fewer firms"):
        STUDY.run(written(tmp_path / "r", ROWS), EVENTS)


def test_dask_is_read_by_partitions_and_not_imported_else(on_wide):
    code = "import eventstudy as es, sys; from eventstudy.study.intake import is_firm_days; is_firm_days(object()); print('dask' in sys.modules, 'pyarrow.dataset' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False False\n"
    )
    dask = pytest.importorskip("dask.dataframe")
    frame = dask.from_pandas(ROWS.sample(frac=1.0, random_state=2), npartitions=7, sort=False)
    same(STUDY.run(frame, EVENTS), on_wide)
    same(STUDY.run(frame.set_index("date"), EVENTS), on_wide)
