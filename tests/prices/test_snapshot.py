"""The embedded figures, their digests, and the door `load_prices`."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import DataMissing, InvalidInput, NotAsRecorded
from eventstudy.prices import snapshot as embedded
from eventstudy.prices.snapshot import (
    data_file_digests,
    load_factors,
    load_snapshot,
    load_universe,
    share_count,
    universe_members,
)
from eventstudy.sources import load_prices

LOADERS = {
    "prices.csv.gz": load_snapshot,
    "sp500.csv.gz": load_universe,
    "sp500_members.csv": universe_members,
    "factors.csv.gz": load_factors,
    "shares.csv": lambda: share_count("NVDA", "2025-01-27"),
}


@pytest.fixture
def copied(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    shutil.copytree(embedded.FOLDER, folder)
    monkeypatch.setattr(embedded, "FOLDER", folder)
    return folder


def test_closes_of_the_event():
    close = load_snapshot().close
    assert close.loc["2025-01-24", "NVDA"] == 142.62
    assert close.loc["2025-01-27", "NVDA"] == 118.42
    assert close.loc["2025-01-24", "^GSPC"] == 6101.24
    assert close.loc["2025-01-27", "^GSPC"] == 6012.28
    assert close.loc["2025-01-27", "META"] == 659.88
    assert load_snapshot().volume.loc["2025-01-27", "NVDA"] == 818_830_900


def test_shape_and_provenance_of_the_snapshot():
    prices = load_snapshot()
    assert prices.adj_close.shape == (875, 38)
    assert (prices.provenance.first, prices.provenance.last) == ("2022-01-03", "2025-06-30")
    assert prices.provenance.digest == data_file_digests()["eventstudy/data/prices.csv.gz"]
    assert prices.provenance.cautions
    last = prices.dates[-1]
    np.testing.assert_allclose(prices.adj_close.loc[last], prices.close.loc[last], rtol=1e-6)


def test_panel_agrees_with_the_snapshot():
    panel, prices = load_universe(), load_snapshot()
    assert panel.adj_close.shape[1] == 498
    assert panel.close is None
    common = [t for t in prices.tickers if t in panel.tickers]
    assert len(common) > 20
    ours = prices.adj_close.loc[panel.dates, common].pct_change(fill_method=None)
    theirs = panel.adj_close[common].pct_change(fill_method=None)
    assert (ours - theirs).abs().max(axis=None) < 2e-6


def test_members_say_who_has_prices():
    members = universe_members()
    assert len(members) == 503
    assert set(members.index[members["has_prices"]]) == set(load_universe().tickers)
    assert list(members.index[~members["has_prices"]]) == ["ANSS", "DFS", "HES", "JNPR", "WBA"]
    assert members.loc["NVDA", "sector"] == "Information Technology"


def test_results_can_be_changed_without_harm_to_the_next_caller():
    first = load_snapshot()
    first.adj_close.iloc[:, :] = 1.0
    first.currency["NVDA"] = "XXX"
    members = universe_members()
    members.loc["NVDA", "name"] = "changed"
    factors = load_factors()
    factors.iloc[:, :] = 9.0
    assert load_snapshot().adj_close.iloc[0, 0] != 1.0
    assert load_snapshot().currency["NVDA"] == "USD"
    assert universe_members().loc["NVDA", "name"] == "Nvidia"
    assert load_factors().iloc[0, 0] != 9.0


def test_digests_are_those_of_the_uncompressed_files():
    digests = data_file_digests()
    assert {Path(p).name for p in digests} == set(LOADERS)
    for path, recorded in digests.items():
        raw = (embedded.FOLDER / Path(path).name).read_bytes()
        text = gzip.decompress(raw) if path.endswith(".gz") else raw
        assert hashlib.sha256(text).hexdigest() == recorded


@pytest.mark.parametrize("name", LOADERS)
def test_one_changed_byte_is_noticed(name, copied):
    raw = (copied / name).read_bytes()
    text = bytearray(gzip.decompress(raw) if name.endswith(".gz") else raw)
    place = text.rindex(b"1")
    text[place : place + 1] = b"2"
    changed = gzip.compress(bytes(text)) if name.endswith(".gz") else bytes(text)
    (copied / name).write_bytes(changed)
    with pytest.raises(NotAsRecorded, match=f"embedded file {name} is not the recorded one.*Install") as caught:
        LOADERS[name]()
    assert caught.value.facts["file"] == name


@pytest.mark.parametrize("damage", ["missing", "cut", "no gzip"])
def test_damaged_file_is_named(damage, copied):
    file = copied / "prices.csv.gz"
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(content[:-2000] if damage == "cut" else b"date,NVDA\n")
    with pytest.raises(NotAsRecorded, match=r"prices\.csv\.gz cannot be read"):
        load_snapshot()


@pytest.mark.parametrize("damage", ["{", "[]", None])
def test_damaged_passport_is_named(damage, copied):
    (copied / "passport.json").unlink()
    if damage is not None:
        (copied / "passport.json").write_text(damage)
    with pytest.raises(NotAsRecorded, match=r"passport\.json"):
        load_snapshot()


def test_file_unknown_to_the_passport_is_named(copied):
    passport = json.loads((copied / "passport.json").read_text(encoding="utf-8"))
    del passport["files"]["shares.csv"]
    (copied / "passport.json").write_text(json.dumps(passport))
    with pytest.raises(NotAsRecorded, match=r"does not list shares\.csv"):
        share_count("NVDA", "2025-01-27")


def test_load_prices_chooses_tickers_and_days():
    prices = load_prices(["META", "NVDA", "META"], "2025-01-18", "2025-02-01")  # Saturdays
    assert prices.tickers == ("META", "NVDA")
    assert prices.dates[0] == pd.Timestamp("2025-01-21")  # the 20th was a holiday
    assert prices.dates[-1] == pd.Timestamp("2025-01-31")
    assert load_prices("NVDA").tickers == ("NVDA",)
    assert load_prices().adj_close.shape == (875, 38)


def test_edges_that_are_no_sessions_are_no_error():
    assert load_prices("NVDA", "2022-01-01").dates[0] == pd.Timestamp("2022-01-03")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2021-12-31", None),
        ("2019-01-01", None),
        (None, "2025-07-01"),
        (None, "2030-01-01"),
        ("1900-01-01", None),
    ],
)
def test_days_beyond_the_snapshot_are_an_error(start, end):
    with pytest.raises(DataMissing, match="holds 2022-01-03 to 2025-06-30"):
        load_prices("NVDA", start, end)


def test_ticker_without_prices_in_the_range():
    with pytest.raises(DataMissing, match=r"No prices for GEV .* GEV 2024-03-27 to 2025-06-30"):
        load_prices(["NVDA", "GEV"], "2023-01-03", "2023-12-29")


def test_missing_ticker_is_pointed_to_the_panel():
    with pytest.raises(DataMissing, match=r"No prices for XOM, ZZZZ .*panel has XOM from .*load_universe"):
        load_prices(["NVDA", "XOM", "ZZZZ"])
    with pytest.raises(DataMissing, match="available: AAPL") as caught:
        load_prices("ZZZZ")
    assert "load_universe" not in str(caught.value)


@pytest.mark.parametrize("source", ["yaho", "", "prices.ods", "Snapshot"])
def test_unknown_source_lists_the_choices(source):
    with pytest.raises(InvalidInput, match="choose 'snapshot', 'universe', 'yahoo' or the path"):
        load_prices("NVDA", source=source)


@pytest.mark.parametrize("tickers", [[], "", [""], [1]])
def test_wrong_tickers(tickers):
    with pytest.raises(InvalidInput, match="give one ticker or a list"):
        load_prices(tickers)


def test_wrong_days():
    with pytest.raises(InvalidInput, match="start is 'x'"):
        load_prices("NVDA", "x")
    with pytest.raises(InvalidInput, match="swap"):
        load_prices("NVDA", "2025-02-01", "2025-01-01")


@pytest.mark.slow
def test_import_stays_light():
    heavy = ["yfinance", "curl_cffi", "scipy", "exchange_calendars", "matplotlib", "statsmodels"]
    code = f"import sys; import eventstudy.prices.snapshot as s; print([m for m in {heavy} if m in sys.modules])"
    # The package's own front door may import more; here only the room counts.
    prelude = (
        "import sys, types; p = types.ModuleType('eventstudy'); "
        f"p.__path__ = [{str(embedded.FOLDER.parent)!r}]; sys.modules['eventstudy'] = p; "
    )
    done = subprocess.run([sys.executable, "-c", prelude + code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
