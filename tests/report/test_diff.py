"""``eventstudy diff``: which prices and which results differ between two vintages."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.report.builds.changed_numbers import compare_results
from eventstudy.report.builds.differences import change_since_last, differences
from eventstudy.studyfile.starter import make_starter
from eventstudy.vintages.store import long_csv, store_vintage

pytestmark = pytest.mark.builds

PRICES = es.load_prices(["NVDA", "META", "^GSPC"], "2023-11-01", "2025-02-28")
STUDY = """
title = "Two firms"
event = "some news"

[prices]
source = "yahoo"

[model]
benchmark = "^GSPC"
report = [[0, 0], [0, 1]]
"""


def changed(change):
    adj, close = PRICES.adj_close.copy(), PRICES.close.copy()
    change(adj, close)
    return es.Prices.from_frame(adj, close, PRICES.volume, PRICES.provenance, PRICES.currency)


def dividend(adj, close):
    adj["META"] *= 0.9975


def wrong_price(adj, close):
    adj.loc["2025-01-27", "META"] *= 0.9
    close.loc["2025-01-27", "META"] *= 0.9


def jitter(adj, close):
    adj[:] = adj.astype("float32").astype("float64")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "two"
    place.mkdir()
    (place / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\nMETA,2025-01-27\n")
    (place / "study.toml").write_text(STUDY)
    return place


def store(folder, prices, day):
    moment = datetime(2025, 11, day, 12, tzinfo=UTC)
    return store_vintage(prices, folder, moment, prices.tickers, "2023-11-01", "2025-02-28")


def command(*args):
    return subprocess.run([sys.executable, "-m", "eventstudy", *args], capture_output=True, text=True)


def test_a_dividend_changes_no_result(folder):
    store(folder, PRICES, 1)
    store(folder, changed(dividend), 2)
    found = differences([str(folder)])
    assert found.prices["META"].kind == "rescaled"
    assert found.results == ()
    assert found.compared > 60
    assert not found.differ
    assert "Results: 0 of" in repr(found)


def test_jitter_changes_no_result(folder):
    store(folder, PRICES, 1)
    store(folder, changed(jitter), 2)
    assert not differences([str(folder)]).differ


def test_a_wrong_price_is_named_and_so_are_the_results_that_move(folder):
    store(folder, PRICES, 1)
    store(folder, changed(wrong_price), 2)
    done = command("diff", str(folder))
    assert done.returncode == 1, done.stderr
    assert "META: RESTATED: price of 2025-01-27: 6" in done.stdout
    assert "META AR day +0: +4.095% → −6.096% SIGN FLIPS" in done.stdout
    assert done.stderr == ""
    content = json.loads(command("diff", str(folder), "--json").stdout)
    rows = {(r["what"], r["event"], r["window"]): r for r in content["results"]}
    row = rows["CAR", "META", "[0, 0]"]
    old = es.load_study(folder).run(PRICES).car(0).at["META", "car"]
    raw = PRICES.returns().at[pd.Timestamp("2025-01-27"), "META"]
    assert row["old"] == pytest.approx(old, abs=1e-12)
    assert row["difference"] == pytest.approx(-0.1 * (1 + raw), rel=1e-9)
    assert row["sign_flips"] is True
    # NVDA alone did not move; the averages did
    assert {event for _, event, _ in rows} == {"META", "all"}
    assert rows["p t_pe", "META", "[0, +1]"]["old"] > 0.05 > rows["p t_pe", "META", "[0, +1]"]["new"]
    assert rows["p t_pe", "META", "[0, +1]"]["significance_flips"] is True
    assert content["flips"] == sum(r["sign_flips"] or r["significance_flips"] for r in content["results"])


def test_results_are_compared_even_where_the_checks_stop_the_study(folder):
    store(folder, PRICES, 1)

    def adjusted_only(adj, close):
        adj.loc["2025-01-27", "META"] *= 0.9

    store(folder, changed(adjusted_only), 2)
    found = differences([str(folder)])
    assert [r.place.event for r in found.results if r.place.what == "CAR" and r.place.window == "[0, 0]"] == ["META"]
    assert len(found.stops) == 1
    assert found.stops[0].startswith("yahoo-20251102T120000Z.csv. ")
    assert "Note: a run of the study stops on yahoo-20251102" in repr(found)


def test_tables_by_name_file_and_snapshot(folder, tmp_path):
    names = [store(folder, PRICES if day == 1 else changed(wrong_price), day).stem for day in (1, 2, 3)]
    study = str(folder)
    assert not differences([study]).differ  # the last two
    assert differences([study, names[0]]).differ  # one against the newest
    assert (differences([study, names[0], names[1]]).prices.old, names[0]) == (f"{names[0]}.csv", names[0])
    assert not differences([study, names[0], "snapshot"]).prices.differ
    other = tmp_path / "other.csv"
    other.write_text(long_csv(PRICES))
    assert not differences([study, names[0], str(other)]).differ
    two_files = differences([str(other), str(folder / "prices" / f"{names[1]}.csv")])
    assert two_files.differ
    assert two_files.results is None
    assert command("diff", str(other), str(folder / "prices" / f"{names[0]}.csv")).returncode == 0


def test_what_cannot_be_compared_is_said(folder, tmp_path):
    with pytest.raises(DataMissing, match="two has no vintages, and two are compared"):
        differences([str(folder)])
    name = store(folder, PRICES, 1).stem
    with pytest.raises(DataMissing, match="two has 1 vintage, and two"):
        differences([str(folder)])
    with pytest.raises(DataMissing, match=f"stored are {name}"):
        differences([str(folder), name, "yahoo-20240101T000000Z"])
    with pytest.raises(InvalidInput, match="is no study"):
        differences(["a.csv"])
    with pytest.raises(InvalidInput, match="3 tables were named"):
        differences([str(folder), "a", "b", "c"])
    few = PRICES.select(["NVDA", "^GSPC"])
    other = tmp_path / "few.csv"
    other.write_text(long_csv(few))
    found = differences([str(folder), name, str(other)])
    assert "META" in found.not_run
    assert found.differ
    assert command("diff", str(folder), name, "nothing").returncode == 3


def test_a_number_that_is_gone_differs(folder):
    spec = es.load_study(folder)
    whole = spec.run(PRICES)
    one = spec.build_study().run(PRICES, [es.Event("NVDA", "2025-01-27")])
    found, compared = compare_results(whole, one, spec.model.report)
    gone = [r for r in found if r.place.event == "META" and r.place.what == "CAR"]
    assert [(r.new, r.difference) for r in gone] == [(None, None)] * 2
    assert str(gone[0]).endswith("→ none")
    assert compared > len(found)
    assert np.isfinite([r.old for r in gone]).all()


def test_a_fetch_says_what_changed(folder):
    store(folder, PRICES, 1)
    first, *_ = es.vintages.list_vintages(folder)
    assert change_since_last(first, folder) == ""
    store(folder, changed(dividend), 2)
    newest = es.vintages.list_vintages(folder)[-1]
    age = (pd.Timestamp.now("UTC").normalize() - first.fetched.normalize()).days
    assert change_since_last(newest, folder) == (
        f"against {first.name}, {age} days old: 2 of 3 tickers the same; rescaled, returns equal: META"
    )


def test_a_study_on_a_file_is_told_to_name_two_files(tmp_path):
    make_starter(tmp_path / "a")
    with pytest.raises(
        DataMissing, match=r"its prices come from snapshot, so name two files: eventstudy diff .*a OLD\.csv NEW\.csv"
    ):
        differences([str(tmp_path / "a")])
