"""Vintages that were changed, renamed, doubled, nested or led elsewhere: each is refused by its own name."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import InvalidInput, NotAsRecorded
from eventstudy.prices import passport as passport_module

MOMENT = datetime(2025, 11, 1, 12, tzinfo=UTC)


def made():
    days = pd.bdate_range("2025-02-18", periods=10)
    closes = pd.DataFrame(np.arange(100.0, 120.0).reshape(10, 2), days, ["AAA", "BBB"])
    return es.Prices.from_frame(
        closes, close=closes, provenance=es.sources.Provenance("yahoo"), currency={"AAA": "USD"}
    )


def store(folder, **kind):
    return es.vintages.store_vintage(made(), folder, MOMENT, ["AAA", "BBB"], "2025-02-18", "2025-03-03", **kind)


def edit(path, **changes):
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps({**json.loads(beside.read_text()), **changes}))


def test_stored_by_hand_and_read(tmp_path):
    path = store(tmp_path, source="house")
    assert path.name == "house-20251101T120000Z.csv"
    assert es.vintages.load_vintage(tmp_path, source="house").currency == {"AAA": "USD"}
    east = MOMENT.astimezone(timezone(timedelta(hours=5)))
    same = es.vintages.store_vintage(made(), tmp_path, east, ["AAA"], "2025-02-18", "2025-03-03", source="house")
    assert same.name == "house-20251101T120000Z-2.csv"


@pytest.mark.parametrize("kind", [{"source": "../up"}, {"source": "Yahoo"}, {"source": ""}])
def test_a_source_that_is_no_word_is_refused(tmp_path, kind):
    with pytest.raises(InvalidInput, match="source is"):
        store(tmp_path, **kind)
    assert list(tmp_path.iterdir()) == []


def test_figures_and_digest_changed_together_are_found_on_load(tmp_path):
    path = store(tmp_path)
    path.write_text(path.read_text().replace("119.0", "219.0"))
    edit(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    for read in (es.vintages.load_vintage, lambda folder: es.sources.read_prices(path)):
        with pytest.raises(NotAsRecorded, match="the figures of BBB are not those recorded"):
            read(tmp_path)


@pytest.mark.parametrize(
    "cut", [lambda t: t[: len(t) // 2], lambda t: t.replace("2025-02-20", "2025-02-33"), lambda t: "\0"]
)
def test_a_damaged_vintage_is_not_as_recorded_whatever_its_rows_look_like(tmp_path, cut):
    path = store(tmp_path)
    path.write_text(cut(path.read_text()))
    with pytest.raises(NotAsRecorded, match="is not the file that its passport"):
        es.vintages.load_vintage(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"currency": {"AAA": "EUR"}},
        {"retrieved": "2020-01-01"},
        {"tickers": {}},
        {"asked": {"tickers": [], "start": "", "end": ""}},
    ],
)
def test_a_changed_field_of_the_passport_is_found(tmp_path, change):
    path = store(tmp_path)
    edit(path, **change)
    for read in (es.vintages.list_vintages, lambda folder: es.sources.read_prices(path)):
        with pytest.raises(NotAsRecorded, match="its fields are not those"):
            read(tmp_path)


def test_a_passport_without_a_digest_of_its_own_stays_readable(tmp_path):
    path = store(tmp_path)
    facts = json.loads(path.with_suffix(".json").read_text())
    del facts["passport_sha256"]
    path.with_suffix(".json").write_text(json.dumps(facts))
    assert es.vintages.load_vintage(tmp_path).tickers == ("AAA", "BBB")


def test_a_vintage_under_another_name_is_not_the_newest(tmp_path):
    path = store(tmp_path)
    for ending in (".csv", ".json"):
        shutil.copy(path.with_suffix(ending), tmp_path / "prices" / f"yahoo-20261101T120000Z{ending}")
    with pytest.raises(
        NotAsRecorded, match=r"yahoo-20261101T120000Z\.csv has a passport of another download: its file"
    ):
        es.vintages.load_vintage(tmp_path)
    newer = path.with_name("yahoo-20261101T120000Z.csv")
    edit(newer, file=newer.name)
    with pytest.raises(NotAsRecorded, match="its fetched is '2025-11-01T12:00:00Z'"):
        es.vintages.load_vintage(tmp_path)


def test_one_vintage_as_csv_and_packed_is_refused(tmp_path):
    path = store(tmp_path)
    facts = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(
        json.dumps({k: v for k, v in facts.items() if k not in {"file", "passport_sha256"}})
    )
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(NotAsRecorded, match=r"is there as \.csv and as \.csv\.gz"):
        es.vintages.list_vintages(tmp_path)


def test_a_passport_of_brackets_is_refused(tmp_path, monkeypatch):
    path = store(tmp_path)
    path.with_suffix(".json").write_text("[" * 200_000)
    for read in (es.vintages.list_vintages, lambda folder: es.sources.read_prices(path)):
        with pytest.raises(NotAsRecorded, match="nested too deeply"):
            read(tmp_path)
    monkeypatch.setattr(passport_module, "MAX_BYTES", 1000)
    with pytest.raises(NotAsRecorded, match=r"is damaged.*it has more than"):
        es.vintages.list_vintages(tmp_path)
    assert "not readable" in es.sources.read_prices(path).provenance.cautions[-1]


@pytest.mark.parametrize("name", [".incoming", ".store.lock"])
def test_what_lies_in_the_folder_is_not_followed(tmp_path, name):
    study, outside = tmp_path / "study", tmp_path / "outside"
    (study / "prices").mkdir(parents=True)
    outside.mkdir()
    (outside / "mine.csv").write_text("mine")
    (study / "prices" / name).symlink_to(outside if name == ".incoming" else outside / "mine.csv")
    with pytest.raises(InvalidInput, match=f"prices/{name} is a link"):
        store(study)
    assert (outside / "mine.csv").read_text() == "mine"


def test_a_folder_of_prices_that_leads_out_is_refused(tmp_path):
    study, outside = tmp_path / "study", tmp_path / "outside"
    store(outside)
    study.mkdir()
    (study / "prices").symlink_to(outside / "prices")
    for call in (store, es.vintages.load_vintage, es.vintages.list_vintages):
        with pytest.raises(InvalidInput, match="prices: the folder prices of study is a link that leads out"):
            call(study)
    assert len(es.vintages.list_vintages(outside)) == 1
    (study / "prices").unlink()
    (study / "prices").symlink_to(study / "prices")
    with pytest.raises(InvalidInput, match="prices: the folder prices of study is a link"):
        store(study)


def test_a_price_file_that_leads_out_is_no_vintage(tmp_path):
    study, outside = tmp_path / "study", tmp_path / "outside"
    path = store(study)
    outside.mkdir()
    shutil.move(path, outside / path.name)
    path.symlink_to(outside / path.name)
    with pytest.raises(NotAsRecorded, match="is a link that leads out of prices/"):
        es.vintages.load_vintage(study)
