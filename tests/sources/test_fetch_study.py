"""``eventstudy fetch`` with the real client against a loopback server, and the fetched file studied."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yahoo_server as ys

from eventstudy import files
from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, NotAsRecorded, SourceFailed
from eventstudy.report.builds.fetch import fetch_prices
from eventstudy.report.builds.manifest import input_digests
from eventstudy.sources import read_prices
from eventstudy.sources.yahoo import fetch as yahoo
from eventstudy.studyfile.spec import load_study
from eventstudy.vintages import store as vintage_store
from eventstudy.windows import Window

pytestmark = pytest.mark.faults

FIRST, DAY, N = "2025-02-18", "2025-03-24", 38  # weekdays without an exchange holiday
STUDY = """
title = "Two firms"
event = "some news"

[prices]
source = "{source}"

[model]
benchmark = "^IDX"
estimation = [-14, -3]
window = [-1, 1]
report = [[0, 0]]
min_estimation = 10
"""


def made_closes(seed):
    return np.round(100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, N))), 2)


CLOSES = {"AAA": made_closes(1), "BBB": made_closes(2), "^IDX": made_closes(3)}


def served(symbol, currency="USD"):
    content = ys.chart(symbol, ys.bars(FIRST, list(CLOSES[symbol])))
    content["chart"]["result"][0]["meta"]["currency"] = currency
    return ys.answer(content)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "two-firms"
    place.mkdir()
    (place / "events.csv").write_text(f"ticker,date\nAAA,{DAY}\nBBB,{DAY}\n")
    (place / "study.toml").write_text(STUDY.format(source="snapshot"))
    return place


@pytest.fixture
def fetch(server, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(yahoo, "time", SimpleNamespace(sleep=lambda seconds: None))
    server.answers = {symbol: served(symbol) for symbol in CLOSES}
    session = server.session()
    seen = []

    def call():
        return fetch_prices(
            load_study(folder), lambda *step: seen.append(step), session=session, cache_dir=tmp_path / "cache"
        )

    call.seen = seen
    yield call
    session.close()


def use(folder, path):
    (folder / "study.toml").write_text(STUDY.format(source=path.relative_to(folder).as_posix()))
    return load_study(folder)


def files_of(folder):
    files = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    return sorted(name for name in files if name != "prices/.store.lock")


def expected_abnormal(symbol):
    days = pd.bdate_range(FIRST, periods=N)
    firm, market = (pd.Series(CLOSES[s], days).pct_change() for s in (symbol, "^IDX"))
    at = days.get_loc(pd.Timestamp(DAY))
    x, y = market.iloc[at - 14 : at - 2], firm.iloc[at - 14 : at - 2]
    slope, intercept = np.polyfit(x, y, 1)
    around = slice(at - 1, at + 2)
    return (firm.iloc[around] - intercept - slope * market.iloc[around]).to_numpy()


def test_fetched_file_and_passport(fetch, folder):
    path = fetch()
    assert fetch.seen == [("AAA", 1, 3), ("BBB", 2, 3), ("^IDX", 3, 3)]
    stem = path.stem
    assert pd.Timestamp(stem.removeprefix("yahoo-")).tz is not None
    assert files_of(folder) == ["events.csv", f"prices/{stem}.csv", f"prices/{stem}.json", "study.toml"]
    passport = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert passport["file"] == path.name
    assert passport["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert passport["format"] == 2
    assert passport["asked"] == {"tickers": ["AAA", "BBB", "^IDX"], "start": FIRST, "end": "2025-03-27"}
    assert passport["fetched"] == f"{pd.Timestamp(stem.removeprefix('yahoo-')):%Y-%m-%dT%H:%M:%SZ}"
    assert passport["clients"] == {
        name: version(dist)
        for name, dist in (
            ("eventstudy", "eventstudy-finance"),
            ("yfinance", "yfinance"),
            ("curl_cffi", "curl_cffi"),
            ("pandas", "pandas"),
        )
    }
    assert {t: f["rows"] for t, f in passport["tickers"].items()} == dict.fromkeys(CLOSES, passport["rows"])
    assert passport["currency"] == dict.fromkeys(CLOSES, "USD")
    table = pd.read_csv(path)
    assert list(table.columns) == ["date", "ticker", "close", "adj_close", "volume"]
    assert table["date"].min() == passport["first"] >= passport["asked"]["start"]


def test_fetched_file_is_read_back_with_its_origin(fetch):
    path = fetch()
    passport = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    prices = read_prices(path)
    assert prices.currency == dict.fromkeys(CLOSES, "USD")
    assert prices.provenance.source == path.name
    assert prices.provenance.retrieved == passport["retrieved"] != ""
    assert prices.provenance.adjustments == passport["adjustments"]
    assert prices.provenance.digest == passport["sha256"]
    assert list(prices.provenance.cautions) == passport["cautions"] != []


def test_the_study_runs_on_the_fetched_file(fetch, folder):
    spec = use(folder, fetch())
    result = spec.run()
    assert list(result.abnormal.keys) == ["AAA", "BBB"]
    for i, symbol in enumerate(("AAA", "BBB")):
        got = result.abnormal.ar[i, result.abnormal.columns_of(Window(-1, 1))]
        np.testing.assert_allclose(got, expected_abnormal(symbol), rtol=0, atol=1e-12)


def test_the_passport_is_an_input_of_the_report(fetch, folder):
    path = fetch()
    inputs = input_digests(use(folder, path))
    for file in (path, path.with_suffix(".json")):
        assert inputs[f"prices/{file.name}"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_mixed_currencies_are_noticed_on_reading_back(server, fetch, folder):
    server.answers["BBB"] = served("BBB", currency="EUR")
    spec = use(folder, fetch())
    with pytest.raises(DataUnfit, match="BBB in EUR"):
        spec.run()


def test_a_halted_share_is_fetched_once_the_study_accepts_its_holes(server, fetch, folder):
    halted = ys.bars(FIRST, list(CLOSES["BBB"])).drop(pd.Timestamp("2025-03-05"))
    server.answers["BBB"] = ys.answer(ys.chart("BBB", halted))
    with pytest.raises(DataUnfit, match=r"2025-03-05.*\[prices.accept\]: missing_prices"):
        fetch()
    assert files_of(folder) == ["events.csv", "study.toml"]
    study = folder / "study.toml"
    study.write_text(study.read_text() + '\n[prices.accept]\nmissing_prices = "trading in BBB was halted"\n')
    assert any("accepted as missing_sessions" in c for c in read_prices(fetch()).provenance.cautions)


@pytest.mark.parametrize(
    ("reply", "error"), [((500, b"<html>oops</html>"), SourceFailed), (ys.UNKNOWN, DataMissing)], ids=["500", "404"]
)
def test_a_failing_ticker_leaves_nothing_in_the_study(server, fetch, folder, reply, error):
    server.answers["BBB"] = reply
    with pytest.raises(error, match="BBB"):
        fetch()
    assert files_of(folder) == ["events.csv", "study.toml"]
    assert not (folder / "prices").exists()


def at_second(monkeypatch, second):
    monkeypatch.setattr(files, "now", lambda: datetime(2025, 11, 1, 12, 0, second, tzinfo=UTC))


def test_no_fetch_overwrites_another(fetch, folder, monkeypatch):
    names = []
    first = None
    for second in (1, 1, 1, 2):
        at_second(monkeypatch, second)
        path = fetch()
        names.append(path.name)
        first = first or (path, path.read_bytes(), path.with_suffix(".json").read_bytes())
    stem = "yahoo-20251101T12000"
    assert names == [f"{stem}1Z.csv", f"{stem}1Z-2.csv", f"{stem}1Z-3.csv", f"{stem}2Z.csv"]
    path, content, passport = first
    assert (path.read_bytes(), path.with_suffix(".json").read_bytes()) == (content, passport)
    for name in names:
        assert json.loads((folder / "prices" / name).with_suffix(".json").read_text())["file"] == name


def test_each_fetch_asks_again(server, fetch):
    first = fetch()
    server.answers["AAA"] = ys.answer(ys.chart("AAA", ys.bars(FIRST, [c + 1 for c in CLOSES["AAA"]])))
    assert read_prices(fetch()).adj_close["AAA"].tolist() == pytest.approx(
        [c + 1 for c in read_prices(first).adj_close["AAA"]]
    )


def test_a_price_file_without_passport_is_not_overwritten(fetch, folder, monkeypatch):
    at_second(monkeypatch, 1)
    own = folder / "prices" / "yahoo-20251101T120001Z.csv"
    own.parent.mkdir()
    own.write_text("mine")
    with pytest.raises(NotAsRecorded, match=r"yahoo-20251101T120001Z\.csv has no passport"):
        fetch()
    assert fetch.seen == []
    assert own.read_text() == "mine"


def test_a_download_ahead_of_the_clock_is_not_fetched_behind(server, fetch, folder, monkeypatch):
    monkeypatch.setattr(files, "now", lambda: datetime(2025, 12, 1, tzinfo=UTC))
    wrong = fetch()
    monkeypatch.setattr(files, "now", lambda: datetime(2025, 11, 1, 6, tzinfo=UTC))
    fetch.seen.clear()
    server.asked.clear()
    with pytest.raises(DataUnfit, match=rf"{wrong.name} was stored at 2025-12-01 00:00 UTC") as caught:
        fetch()
    assert (caught.value.EXIT_CODE, fetch.seen, server.asked) == (3, [], [])
    for path in (wrong, wrong.with_suffix(".json")):  # what it says helps
        path.rename(folder / path.name)
    assert fetch().name == "yahoo-20251101T060000Z.csv"


RENAMED = ys.answer(ys.chart("NEWNAME", ys.bars(FIRST, list(CLOSES["BBB"]))))
NO_BARS = ys.answer({"chart": {"result": [], "error": None}})


@pytest.mark.parametrize("reply", [ys.UNKNOWN, RENAMED, NO_BARS], ids=["delisted", "renamed", "empty"])
@pytest.mark.parametrize("ticker", ["BBB", "^IDX"])
def test_a_symbol_that_was_there_once_has_an_advice_of_its_own(server, fetch, folder, monkeypatch, reply, ticker):
    with monkeypatch.context() as patch:
        patch.setitem(server.answers, ticker, reply)
        with pytest.raises(EventStudyError) as caught:  # never seen: nothing to keep
            fetch()
        assert "was at Yahoo until" not in str(caught.value)
    at_second(monkeypatch, 1)
    name = fetch().stem
    at_second(monkeypatch, 2)
    server.answers[ticker] = reply
    with pytest.raises(EventStudyError) as caught:
        fetch()
    assert caught.value.EXIT_CODE == 3
    assert f"{ticker} was at Yahoo until 2025-11-01, when {name} was stored" in str(caught.value)
    assert f'vintage = "{name}" under [prices], or name the new symbol' in str(caught.value)
    server.answers[ticker] = (500, b"<html>oops</html>")
    with pytest.raises(SourceFailed) as caught:
        fetch()
    assert caught.value.EXIT_CODE == 4
    assert "was at Yahoo until" not in str(caught.value)


@pytest.mark.parametrize("kind", [".csv", ".json"])
def test_a_full_disk_leaves_no_half_fetch(fetch, folder, monkeypatch, kind):
    write = vintage_store.write_whole

    def full(path, content):
        if path.suffix == kind:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(vintage_store, "write_whole", full)
    with pytest.raises(OSError, match="No space"):
        fetch()
    assert files_of(folder) == ["events.csv", "study.toml"]
    assert not (folder / "prices").exists()


def test_a_changed_file_is_not_passed_off_as_the_fetched_one(fetch):
    path = fetch()
    path.write_text(path.read_text().replace("AAA", "ZZZ"))
    with pytest.raises(NotAsRecorded, match=r"not the file that its passport .*\.json records"):
        read_prices(path)
    path.with_suffix(".json").unlink()
    assert read_prices(path).currency == {}


@pytest.mark.parametrize("change", [{"currency": ["USD"]}, {"retrieved": 5}, {"cautions": [1]}])
def test_a_damaged_passport_is_named(fetch, change):
    path = fetch()
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(json.loads(beside.read_text()) | change))
    with pytest.raises(NotAsRecorded, match="damaged"):
        read_prices(path)


def test_another_file_beside_a_price_file_is_no_passport(tmp_path):
    prices = tmp_path / "closes.csv"
    prices.write_text("date,A\n2025-01-24,10\n2025-01-27,9\n")
    cautions = read_prices(prices).provenance.cautions
    for text in ("[1, 2]", '{"about": "something else"}'):
        (tmp_path / "closes.json").write_text(text)
        assert read_prices(prices).provenance.cautions == cautions
    (tmp_path / "closes.json").write_text('{"sha256": ')
    assert any("closes.json is not readable" in c for c in read_prices(prices).provenance.cautions)
