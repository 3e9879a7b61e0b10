"""Vintages: stored whole, never over another, found by name and moment, readable for ever."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import files
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput, NotAsRecorded, StudyFileError
from eventstudy.report.builds.build import build
from eventstudy.report.builds.fetch import fetch_prices
from eventstudy.report.builds.manifest import input_digests, out_of_date
from eventstudy.vintages import store as vintage_store
from eventstudy.vintages.store import find_vintage, store_vintage, verify_vintage

STORED = Path(__file__).parent / "data" / "store"
STUDY = """
title = "Two firms"
event = "some news"

[prices]
{prices}

[model]
benchmark = "^IDX"
estimation = [-14, -3]
window = [-1, 1]
report = [[0, 0]]
min_estimation = 10
"""
N = 38


def made(seed=1, scale=1.0, tickers=("AAA", "BBB", "^IDX")):
    days = pd.bdate_range("2025-02-18", periods=N)
    rng = np.random.default_rng(seed)
    closes = pd.DataFrame(
        np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.01, (N, len(tickers))), axis=0)), 2), days, tickers
    )
    volume = pd.DataFrame(1e6, days, tickers)
    return es.Prices.from_frame(
        closes * scale, close=closes, volume=volume, provenance=es.sources.Provenance("yahoo"), currency={"AAA": "USD"}
    )


def moment(day, second=0):
    return datetime(2025, 11, day, 12, 0, second, tzinfo=UTC)


def store(folder, day=1, second=0, **kind):
    prices = made(**kind)
    return store_vintage(prices, folder, moment(day, second), prices.tickers, "2025-02-18", "2025-04-10")


def study(folder, prices):
    folder.mkdir(exist_ok=True)
    (folder / "events.csv").write_text("ticker,date\nAAA,2025-03-24\nBBB,2025-03-24\n")
    (folder / "study.toml").write_text(STUDY.format(prices=prices))
    return es.load_study(folder)


def visible(folder):
    return sorted(p.name for p in folder.iterdir() if p.name != ".store.lock")


# -- stored and read --------------------------------------------------------------------------------------


def test_what_is_stored_comes_back_with_all_digits(tmp_path):
    store(tmp_path, scale=1 / 3)
    prices = es.vintages.load_vintage(tmp_path)
    wanted = made(scale=1 / 3)
    for name in ("adj_close", "close", "volume"):
        pd.testing.assert_frame_equal(
            getattr(prices, name), getattr(wanted, name), check_names=False, check_exact=True, check_freq=False
        )
    assert prices.currency == {"AAA": "USD"}
    (vintage,) = es.vintages.list_vintages(tmp_path)
    assert repr(vintage) == (
        "Vintage yahoo-20251101T120000Z: 3 tickers (AAA, BBB, ^IDX), 2025-02-18 to 2025-04-10, "
        "fetched 2025-11-01 12:00:00 UTC"
    )
    assert (vintage.format, vintage.start, vintage.end) == (2, "2025-02-18", "2025-04-10")
    assert es.vintages.list_vintages(tmp_path / "prices") == (vintage,)


def test_a_large_download_is_stored_compressed_and_the_same_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(vintage_store, "LARGE", 100)
    paths = [store(tmp_path), store(tmp_path)]
    assert [p.name for p in paths] == ["yahoo-20251101T120000Z.csv.gz", "yahoo-20251101T120000Z-2.csv.gz"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert gzip.decompress(paths[0].read_bytes()).startswith(b"date,ticker,close")
    for vintage in es.vintages.list_vintages(tmp_path):
        verify_vintage(vintage)


def test_a_file_of_the_first_version_is_read_for_ever(tmp_path, monkeypatch):
    shutil.copytree(STORED, tmp_path / "s")
    monkeypatch.setattr(files, "now", lambda: datetime(2026, 11, 27, tzinfo=UTC))
    spec = study(tmp_path / "s", 'source = "yahoo"')
    (vintage,) = es.vintages.list_vintages(spec.folder)
    assert (vintage.format, vintage.tickers, vintage.clients) == (1, ("AAA", "BBB", "^IDX"), {})
    verify_vintage(vintage)
    prices = es.vintages.load_vintage(spec.folder)
    assert prices.adj_close.loc["2025-02-18"].tolist() == [100.35, 100.19, 102.06]
    assert prices.provenance.retrieved == "2026-11-25T22:11:39Z"
    assert list(spec.run().abnormal.keys) == ["AAA", "BBB"]
    # a newer vintage beside it, and both stay what they are
    later = datetime(2026, 11, 26, tzinfo=UTC)
    store_vintage(made(), spec.folder, later, ("AAA", "BBB", "^IDX"), "2025-02-18", "2025-04-10")
    assert [v.format for v in es.vintages.list_vintages(spec.folder)] == [1, 2]


@pytest.mark.slow
def test_order_is_that_of_storing(tmp_path):
    names = [store(tmp_path, 1, 5).stem for _ in range(11)]
    names += [store(tmp_path, day, 0).stem for day in (2, 3)]
    listed = [v.name for v in es.vintages.list_vintages(tmp_path)]
    assert listed == names
    assert listed[:11] == [f"yahoo-20251101T120005Z{n}" for n in ("", *(f"-{i}" for i in range(2, 12)))]


# -- the clock --------------------------------------------------------------------------------------------


def test_nothing_is_stored_behind_the_newest(tmp_path):
    newest = store(tmp_path, 3)
    with pytest.raises(DataUnfit, match=f"not stored behind the newest, {newest.name}"):
        store(tmp_path, 2)
    assert visible(tmp_path / "prices") == [newest.name, newest.with_suffix(".json").name]
    prices = made()
    other = store_vintage(prices, tmp_path, moment(1), prices.tickers, "2025-02-18", "2025-04-10", source="house")
    assert other.name == "house-20251101T120000Z.csv"  # another source has an order of its own


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=30), timedelta(days=4000)])
def test_a_download_ahead_of_the_clock_is_never_the_newest_unsaid(tmp_path, monkeypatch, ahead):
    before, lost = store(tmp_path, 1, seed=1), store(tmp_path, 20, seed=2)
    now = moment(20) - ahead
    monkeypatch.setattr(files, "now", lambda: now)
    spec = study(tmp_path, 'source = "yahoo"')
    calls = [
        lambda: es.vintages.load_vintage(tmp_path),
        lambda: find_vintage(tmp_path, as_of="9999-12-31"),
        spec.run,
        lambda: fetch_prices(spec, lambda *step: pytest.fail("something was asked for")),
        lambda: out_of_date(spec),
    ]
    if now > moment(1):
        prices = made()
        calls.append(lambda: store_vintage(prices, tmp_path, now, prices.tickers, "2025-02-18", "2025-04-10"))
    (tmp_path / "manifest.json").write_text('{"format": 2, "environment": {}, "inputs": {}, "outputs": {}}')
    for call in calls:
        with pytest.raises(
            DataUnfit, match=rf"{lost.name} was stored at 2025-11-20 12:00 UTC.*clock.*move {lost.name}"
        ) as error:
            call()
        assert error.value.EXIT_CODE == 3
    assert find_vintage(tmp_path, before.stem).name == before.stem
    assert find_vintage(tmp_path, lost.stem).name == lost.stem  # one that is named is used whatever the clock says
    if now.date() > date(2025, 11, 2):
        assert find_vintage(tmp_path, as_of="2025-11-02").name == before.stem


def test_two_machines_clocks_may_differ_a_little(tmp_path, monkeypatch):
    newest = store(tmp_path, 20)
    monkeypatch.setattr(files, "now", lambda: moment(20) - timedelta(minutes=3))
    assert find_vintage(tmp_path).name == newest.stem


# -- chosen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "as_of",
    [
        "20251101",
        "2025/11/01",
        "2025-11-1",
        "2025-11",
        "2025",
        "1 Nov 2025",
        "today",
        "now",
        "2025-11-31",
        "2025-11-01T25:00",
        "",
        "2025-11-01T12",
        20251101,
        pd.NaT,
    ],
)
def test_other_spellings_of_a_day_are_refused_and_not_taken_as_its_midnight(tmp_path, as_of):
    store(tmp_path)
    with pytest.raises(InvalidInput, match=r"as_of is .*; give a day such as '2025-11-01', which counts whole"):
        find_vintage(tmp_path, as_of=as_of)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("as_of", "found"),
    [
        ("2025-11-01", 1),
        ("2025-11-01T12:00:00", 1),
        ("2025-11-02", 2),
        ("2025-11-02T11:59", 1),
        ("2025-11-02T12:00", 2),
        ("2025-11-02T13:00+02:00", 1),
        ("2025-11-02T14:00+02:00", 2),
        ("2026-01-01", 3),
        (" 2025-11-02 ", 2),
        ("9999-12-31", 3),
        ("2025-11-02 12:00:00Z", 2),
        (date(2025, 11, 2), 2),
        (datetime.fromisoformat("2025-11-02T11:59"), 1),
        (datetime(2025, 11, 2, 13, tzinfo=timezone(timedelta(hours=2))), 1),
        (pd.Timestamp("2025-11-02 12:00"), 2),
    ],
)
def test_as_of(tmp_path, as_of, found):
    for day in (1, 2, 3):
        store(tmp_path, day, seed=day)
    assert find_vintage(tmp_path, as_of=as_of).name == f"yahoo-2025110{found}T120000Z"
    spec = study(tmp_path, 'source = "snapshot"').as_of(as_of)
    assert spec.prices.vintage == f"yahoo-2025110{found}T120000Z"
    assert spec.run().provenance.source == f"yahoo-2025110{found}T120000Z.csv"


def test_what_cannot_be_chosen_is_said(tmp_path):
    with pytest.raises(DataMissing, match="'eventstudy fetch' makes one"):
        es.vintages.load_vintage(tmp_path)
    store(tmp_path)
    with pytest.raises(DataMissing, match=r"up to 2025-10-31; the first vintage is yahoo-20251101T120000Z"):
        find_vintage(tmp_path, as_of="2025-10-31")
    with pytest.raises(DataMissing, match=r"no vintage 'yahoo-20251102T120000Z'; stored are yahoo-20251101T120000Z"):
        es.vintages.load_vintage(tmp_path, "yahoo-20251102T120000Z")
    with pytest.raises(InvalidInput, match="as_of is"):
        find_vintage(tmp_path, as_of="yesterday")
    with pytest.raises(InvalidInput, match="as_of is"):
        find_vintage(tmp_path, as_of="01/02/2025")
    with pytest.raises(InvalidInput, match="choose one"):
        find_vintage(tmp_path, "yahoo-20251101T120000Z", as_of="2025-11-01")


def test_the_study_takes_the_newest_or_the_one_that_it_names(tmp_path):
    for day in (1, 2):
        store(tmp_path, day, seed=day)
    newest = study(tmp_path, 'source = "yahoo"')
    assert newest.run().provenance.source == "yahoo-20251102T120000Z.csv"
    assert "prices/yahoo-20251102T120000Z.csv" in input_digests(newest)
    for text in ('source = "yahoo"\nvintage = "yahoo-20251101T120000Z"', 'vintage = "yahoo-20251101T120000Z"'):
        pinned = study(tmp_path, text)
        assert pinned.run().provenance.source == "yahoo-20251101T120000Z.csv"
        assert {f"prices/yahoo-20251101T120000Z{e}" for e in (".csv", ".json")} <= input_digests(pinned).keys()
    with pytest.raises(StudyFileError, match=r"only source = .yahoo. has vintages"):
        study(tmp_path, 'source = "snapshot"\nvintage = "yahoo-20251101T120000Z"')
    with pytest.raises(DataMissing, match=r"study.toml: prices.vintage: .*stored are"):
        study(tmp_path, 'vintage = "yahoo-20251103T120000Z"').run()


def test_a_study_without_vintage_says_the_remedy(tmp_path):
    with pytest.raises(DataMissing, match=r"Run 'eventstudy fetch .*' once"):
        study(tmp_path / "s", 'source = "yahoo"').run()


# -- damaged ----------------------------------------------------------------------------------------------


def test_a_damaged_passport_does_not_let_an_older_vintage_pass_for_the_newest(tmp_path):
    store(tmp_path, 1)
    newest = store(tmp_path, 2)
    for text in ("{", "[]", '{"sha256": "x"}'):
        newest.with_suffix(".json").write_text(text)
        with pytest.raises(NotAsRecorded, match=r"yahoo-20251102T120000Z\.json is damaged"):
            es.vintages.load_vintage(tmp_path)


def test_changed_figures_are_found(tmp_path):
    path = store(tmp_path)
    (vintage,) = es.vintages.list_vintages(tmp_path)
    text = path.read_text()
    path.write_text(text.replace(",AAA,", ",AAB,"))
    for call in (lambda: verify_vintage(vintage), lambda: es.vintages.load_vintage(tmp_path)):
        with pytest.raises(NotAsRecorded, match="not the file that its passport"):
            call()
    # even where digest and file were changed together, the digest of the ticker tells
    lines = text.splitlines(keepends=True)
    row = next(i for i, line in enumerate(lines) if ",BBB," in line)
    lines[row] = (
        lines[row].replace(",BBB,1", ",BBB,2", 1)
        if ",BBB,1" in lines[row]
        else lines[row].replace(",BBB,", ",BBB,1", 1)
    )
    path.write_text("".join(lines))
    facts = json.loads(path.with_suffix(".json").read_text())
    facts["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(facts))
    with pytest.raises(NotAsRecorded, match="the figures of BBB are not those recorded"):
        verify_vintage(es.vintages.list_vintages(tmp_path)[0])


def test_what_is_no_vintage_is_left_alone(tmp_path):
    own = tmp_path / "prices"
    own.mkdir()
    for name in ("closes.csv", "yahoo-now.csv", "notes.txt"):
        (own / name).write_text("mine")
    (own / "closes.json").write_text("{}")
    assert es.vintages.list_vintages(tmp_path) == ()
    assert store(tmp_path).name == "yahoo-20251101T120000Z.csv"
    assert (own / "closes.csv").read_text() == "mine"


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_a_lost_price_file_does_not_let_another_download_pass_for_the_newest(tmp_path, monkeypatch, place, ending):
    monkeypatch.setattr(vintage_store, "LARGE", 10 if ending == ".csv.gz" else 10**9)
    paths = [store(tmp_path, day, seed=day) for day in (4, 6, 9)]
    assert {p.name[-len(ending) :] for p in paths} == {ending}
    lost = paths[place]
    lost.rename(tmp_path / "away")
    words = f"{vintage_store.stored_name(lost)}.json has no price file. Restore {vintage_store.stored_name(lost)}.csv"
    spec = study(tmp_path, 'source = "yahoo"')
    for call in (
        lambda: es.vintages.load_vintage(tmp_path),
        lambda: es.vintages.list_vintages(tmp_path / "prices"),
        spec.run,
        lambda: find_vintage(tmp_path, lost.name),
    ):
        with pytest.raises(NotAsRecorded, match=words):
            call()
    other = paths[place - 1]
    assert find_vintage(tmp_path, other.name).path == other  # one that is named is found whatever became of the others
    (tmp_path / "away").rename(lost)
    assert find_vintage(tmp_path).path == paths[2]


def test_a_lost_price_file_of_one_source_is_no_matter_of_another(tmp_path):
    lost = store(tmp_path, 4)
    prices = made(seed=3)
    store_vintage(prices, tmp_path, moment(5), prices.tickers, "2025-02-18", "2025-04-10", source="other")
    lost.unlink()
    assert find_vintage(tmp_path, source="other").source == "other"
    with pytest.raises(NotAsRecorded, match="has no price file"):
        find_vintage(tmp_path)


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_command_that_dies_while_it_takes_a_vintage_away_loses_no_other(tmp_path, monkeypatch, step):
    kept, gone = store(tmp_path, 4), store(tmp_path, 6, seed=6)
    real = [(vintage_store.os, "replace"), (Path, "unlink"), (vintage_store.shutil, "rmtree")][step]

    def die(*given, **more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*real, die)
        with pytest.raises(KeyboardInterrupt):
            vintage_store.remove(gone)
    names = [v.name for v in es.vintages.list_vintages(tmp_path)]
    assert names == [kept.stem, *([gone.stem] if step == 0 else [])]
    newest = store(tmp_path, 8, seed=8)
    assert [v.name for v in es.vintages.list_vintages(tmp_path)] == [*names, newest.stem]
    assert len(visible(tmp_path / "prices")) == 2 * len(names) + 2


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_lost_passport_does_not_let_another_download_pass_for_the_newest(tmp_path, place):
    paths = [store(tmp_path, day, seed=day) for day in (1, 2, 3)]
    kept = paths[place].with_suffix(".json").read_bytes()
    paths[place].with_suffix(".json").unlink()
    words = f"{paths[place].name} has no passport. Restore {paths[place].stem}.json"
    spec = study(tmp_path, 'source = "yahoo"')
    for call in (
        lambda: es.vintages.load_vintage(tmp_path),
        spec.run,
        lambda: find_vintage(tmp_path, paths[place].stem),
    ):
        with pytest.raises(NotAsRecorded, match=words):
            call()
    assert find_vintage(tmp_path, paths[place - 1].stem).name == paths[place - 1].stem
    paths[place].with_suffix(".json").write_bytes(kept)
    assert find_vintage(tmp_path).name == paths[2].stem


@pytest.mark.parametrize("written", [3, 99, "4", None])
def test_a_passport_of_a_later_format_is_not_read(tmp_path, written):
    path = store(tmp_path)
    facts = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(facts | {"format": written}))
    for read in (es.vintages.list_vintages, lambda folder: es.sources.read_prices(path)):
        with pytest.raises(NotAsRecorded, match=f"has the format {written}, .* Update eventstudy"):
            read(tmp_path)


def test_a_name_without_a_moment_is_said(tmp_path):
    store(tmp_path)
    (tmp_path / "prices" / "yahoo-99999999T999999Z.csv").write_text("mine")
    with pytest.raises(NotAsRecorded, match="has no passport"):
        find_vintage(tmp_path)
    with pytest.raises(NotAsRecorded, match="and no moment in it"):
        store(tmp_path, 2)


# -- killed, and crowded ----------------------------------------------------------------------------------

# Only what storing needs is imported: these processes start often.
WRITER = """
import sys
from datetime import datetime
from eventstudy.vintages import store as vintage_store
from eventstudy.sources.files.open import read_prices
folder, file, day, times = sys.argv[1:5]
prices = read_prices(file)
print("ready", flush=True)
for _ in range(int(times)):
    path = vintage_store.store_vintage(
        prices, folder, datetime(2025, 11, int(day), 12), prices.tickers, "2025-02-18", "2025-04-10"
    )
    print(path.name, flush=True)
"""
DYING = """
import os
from pathlib import Path
calls = 0
def dying(real):
    def call(*args, **kwargs):
        global calls
        if calls == {step}:
            os._exit(9)
        calls += 1
        return real(*args, **kwargs)
    return call
os.replace, Path.rmdir = dying(os.replace), dying(Path.rmdir)
"""


def writer(folder, seed, times, code=WRITER, day=1):
    file = folder / f"seed{seed}.csv"
    file.write_text(vintage_store.long_csv(made(seed=seed)))
    command = [sys.executable, "-c", code, str(folder), str(file), str(day), str(times)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def check_store(folder):
    for vintage in es.vintages.list_vintages(folder):
        verify_vintage(vintage)
    names = visible(folder / "prices")
    bare = {n.split(".")[0] for n in names}
    assert sorted(names) == sorted([f"{b}.csv" for b in bare] + [f"{b}.json" for b in bare])
    return len(bare)


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_whole_vintages_only(tmp_path):
    rng, kept = random.Random(7), 0
    for turn in range(6):
        process = writer(tmp_path, turn, 10_000, day=2 * turn + 1)
        time.sleep(rng.uniform(0.0, 0.15))
        process.send_signal(signal.SIGKILL)
        told = process.communicate()[0].splitlines()
        assert process.returncode == -signal.SIGKILL
        listed = es.vintages.list_vintages(tmp_path)
        for vintage in listed:
            verify_vintage(vintage)
        assert {name.removesuffix(".csv") for name in told if name.endswith(".csv")} <= {v.name for v in listed}
        store(tmp_path, day=2 * turn + 2)
        kept = check_store(tmp_path)
    assert kept >= 6


@pytest.mark.slow
@pytest.mark.parametrize("step", range(6))
def test_a_process_that_dies_at_each_step_of_storing(tmp_path, step):
    """Steps: two temporary files renamed in .incoming, the passport, the price file, the folder removed."""
    before = store(tmp_path, day=1)
    process = writer(tmp_path, 1, 1, WRITER.replace('print("ready"', DYING.format(step=step) + 'print("ready"'), day=2)
    process.communicate()
    assert process.returncode == (0 if step == 5 else 9)
    names = [v.name for v in es.vintages.list_vintages(tmp_path)]
    assert names == [before.stem, *(["yahoo-20251102T120000Z"] if step >= 4 else [])]
    store(tmp_path, day=3)
    assert check_store(tmp_path) == len(names) + 1


@pytest.mark.slow
def test_four_processes_at_once(tmp_path):
    processes = [writer(tmp_path, seed, 5) for seed in range(4)]
    told = []
    for process in processes:
        told += process.communicate()[0].splitlines()
        assert process.returncode == 0
    assert len(set(told)) == 20
    assert check_store(tmp_path) == 20
    # each file holds the figures of the one process that wrote it
    firsts = {
        float(es.vintages.load_vintage(tmp_path, v.name).adj_close.iloc[0, 0])
        for v in es.vintages.list_vintages(tmp_path)
    }
    assert firsts == {float(made(seed=s).adj_close.iloc[0, 0]) for s in range(4)}


# -- the command line -------------------------------------------------------------------------------------


def command(*args):
    return subprocess.run([sys.executable, "-m", "eventstudy", *args], capture_output=True, text=True)


@pytest.mark.slow
def test_run_and_check_as_of_a_day(tmp_path):
    folder = tmp_path / "two"
    spec = study(folder, 'source = "yahoo"')
    for day in (1, 2):
        store(folder, day, seed=day)
    runs = {
        day: json.loads(command("run", str(folder), "--json", "--as-of", f"2025-11-0{day}").stdout) for day in (1, 2)
    }
    assert runs[2]["provenance"]["source"] == "yahoo-20251102T120000Z.csv"
    assert runs[1]["provenance"]["source"] == "yahoo-20251101T120000Z.csv"
    assert runs[1]["events"][0]["abnormal_return"] != runs[2]["events"][0]["abnormal_return"]
    assert runs[1]["events"][0]["abnormal_return"] == pytest.approx(
        spec.run(es.vintages.load_vintage(folder, as_of="2025-11-01")).ar.iloc[0][0], rel=1e-12
    )
    none = command("run", str(folder), "--as-of", "2024-01-01")
    assert (none.returncode, none.stdout) == (3, "")
    assert "first vintage is yahoo-20251101T120000Z" in none.stderr
    path = folder / "prices" / "yahoo-20251102T120000Z.csv"
    path.write_text(path.read_text() + "\n")
    spoiled = command("check", str(folder))
    assert spoiled.returncode == 1
    assert "yahoo-20251101T120000Z: as recorded\n" in spoiled.stdout
    assert "yahoo-20251102T120000Z.csv is not the file" in spoiled.stderr


@pytest.mark.builds
def test_the_page_and_the_manifest_name_the_vintage(tmp_path):
    folder = tmp_path / "two"
    spec = study(folder, 'source = "yahoo"')
    for day in (1, 2):
        store(folder, day, seed=day)
    older = spec.as_of("2025-11-01")
    build(older)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["data"]["source"] == "yahoo-20251101T120000Z.csv"
    assert "Prices: yahoo-20251101T120000Z.csv" in (folder / "index.html").read_text()
    assert out_of_date(older) == ()
    assert "new: prices/yahoo-20251102T120000Z.csv (input)" in [str(r) for r in out_of_date(spec)]
