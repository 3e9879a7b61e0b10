"""Old downloads removed, what was made from them kept; files that are no JSON, names that are no text."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from eventstudy import cli, files
from eventstudy.report.builds import manifest
from eventstudy.vintages.store import find_vintage, list_vintages

pytestmark = pytest.mark.builds

NOW = datetime(2025, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; return its exit code, stdout and stderr."""

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["eventstudy", *map(str, args)])
        with pytest.raises(SystemExit) as done:
            cli.main()
        said = capsys.readouterr()
        return int(done.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(files, "now", lambda: NOW)


def days(study):
    return [v.fetched.day for v in list_vintages(study.folder)]


def publishing(study, place):
    study.write("[model]", f'[publish]\nfolder = "{place / "public"}"\nauto = true\n\n[model]')
    return place / "public"


def test_old_downloads_go_and_no_version_comes(study, run, clock, tmp_path):
    target = publishing(study, tmp_path)
    study.build()  # version 1, of the download of day 1
    for day in (5, 10, 20):
        study.store(day, study.dividend)
    study.store(25, study.split)
    study.build()  # version 2, of day 25
    study.store(28, study.split)
    study.build()
    before, versions = study.contents(), sorted(p.name for p in (target / "versions").iterdir())
    index = (target / "versions.json").read_bytes()
    assert run("prune", study.folder, "--keep", "20d") == (
        0,
        "yahoo-20251105T120000Z: removed\nyahoo-20251110T120000Z: removed\n",
        "",
    )
    assert days(study) == [1, 20, 25, 28]
    assert manifest.unchanged(study.folder)
    assert manifest.out_of_date(study.spec) == ()
    assert "up to date" in run("build", study.folder)[2]
    assert study.contents() == before
    assert sorted(p.name for p in (target / "versions").iterdir()) == versions
    assert (target / "versions.json").read_bytes() == index
    assert run("prune", study.folder, "--keep", "1d")[1].split() == ["yahoo-20251120T120000Z:", "removed"]
    assert set(days(study)) >= {1, 25, 28}
    code, out, err = run("prune", study.folder, "--keep", "1d")
    assert (code, out) == (0, "")
    assert "nothing to remove" in err


def test_by_hand_too_a_download_that_is_removed_changes_nothing(study, tmp_path):
    target = publishing(study, tmp_path)
    study.store(5, study.dividend)
    study.build()
    versions = sorted(p.name for p in (target / "versions").iterdir())
    for ending in (".csv", ".json"):
        (study.folder / "prices" / f"yahoo-20251101T120000Z{ending}").unlink()
    assert manifest.unchanged(study.folder)
    study.build()
    assert sorted(p.name for p in (target / "versions").iterdir()) == versions


def test_the_one_that_the_study_names_stays(study, run, clock):
    for day in (5, 10):
        study.store(day, study.dividend)
    study.build()
    study.write('source = "yahoo"', 'vintage = "yahoo-20251105T120000Z"')
    assert run("prune", study.folder, "--keep", "1d")[0] == 0
    assert days(study) == [5, 10] or days(study) == [1, 5, 10]
    assert find_vintage(study.folder, "yahoo-20251105T120000Z").fetched.day == 5


def test_nothing_is_removed_that_nobody_can_tell_of(study, run, clock, tmp_path, monkeypatch):
    target = publishing(study, tmp_path)
    study.build()
    study.store(5, study.dividend)
    study.store(10, study.dividend)
    record = target / "versions" / "0001" / "manifest.json"
    kept = record.read_bytes()
    for text in ("{", "[" * 200_000, "[]", '{"data": []}'):
        record.write_text(text)
        code, _, err = run("prune", study.folder, "--keep", "1d")
        assert code == 1
        assert "the manifest of version 1 does not say" in err
    record.write_bytes(kept)
    study.store(28)
    monkeypatch.setattr(files, "now", lambda: NOW - timedelta(days=15))
    code, _, err = run("prune", study.folder, "--keep", "1d")
    assert code == 3
    assert "Set the clock right" in err
    (study.folder / "prices" / "yahoo-20251105T120000Z.json").unlink()
    assert run("prune", study.folder, "--keep", "1d")[0] == 1
    assert len(list((study.folder / "prices").glob("*.csv"))) == 4


@pytest.mark.parametrize("keep", ["90", "0d", "soon", "-3d", "90 d"])
def test_an_age_that_is_none_is_refused(study, run, keep):
    code, _, err = run("prune", study.folder, f"--keep={keep}")
    assert code == 2
    assert "write it as '90d'" in err
    assert len(days(study)) == 1


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000])
@pytest.mark.parametrize("name", ["manifest.json", "numbers.json", "versions.json", "passport", "version"])
@pytest.mark.parametrize("command", [("build",), ("check",), ("build", "--publish"), ("diff", "--versions", "1", "1")])
def test_brackets_without_end_are_no_fault_of_the_package(study, run, tmp_path, name, text, command):
    target = publishing(study, tmp_path)
    study.build()
    place = {
        "versions.json": target / "versions.json",
        "passport": next((study.folder / "prices").glob("*.json")),
        "version": target / "versions" / "0001" / "numbers.json",
    }.get(name, study.folder / name)
    place.write_text(text)
    code, _, err = run(command[0], study.folder, *command[1:])
    assert code != 70, err
    assert "RecursionError" not in err


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there")
@pytest.mark.parametrize("command", ["build", "check", "run", "prune"])
def test_names_that_are_no_text_are_said_as_far_as_they_can_be(study, run, tmp_path, command):
    more = {"prune": ["--keep", "9d"], "build": ["--force"]}.get(command, [])
    odd = tmp_path / os.fsdecode(b"etude-\xe9")
    study.folder.rename(odd)
    code, _, err = run(command, odd, *more)
    assert code == 2
    assert "The name of etude-\\udce9 is no text in UTF-8; rename it" in err
    odd.rename(study.folder)
    study.write("notebooks = []\n", "")
    (study.folder / os.fsdecode(b"caf\xe9.ipynb")).write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    code, _, err = run(command, study.folder, *more)
    assert code == 2
    assert "The name of caf\\udce9.ipynb is no text in UTF-8; rename it" in err


def test_how_old_the_prices_are_is_said_when_they_are_used(study, run, clock):
    assert run("run", study.folder)[2] == "two: prices of 2025-11-01, 29 days old\n"
    study.write('source = "yahoo"', 'source = "snapshot"')
    assert "old" not in run("run", study.folder)[2]
