"""A second vendor's file against the study's prices: what agrees, what differs, what is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.prices.snapshot import vendor_agreement
from eventstudy.report.story import vendor_lines
from eventstudy.vintages.second_opinion import second_opinion

FLAGSHIP = Path(__file__).parent.parent.parent / "reports" / "deepseek"
OURS = es.load_prices(["NVDA", "META", "GOOGL", "^GSPC"], "2024-01-02", "2025-03-31")
N = len(OURS.dates)


def vendor(change=None, tickers=None, adjusted_only=False):
    """A second vendor: its own rounding to the cent, then what the test spoils."""
    close = OURS.close.round(2)
    if change is not None:
        change(close)
    close = close if tickers is None else close[list(tickers)]
    return es.Prices.from_frame(close, None if adjusted_only else close, provenance=es.sources.Provenance("second.csv"))


def test_all_days_agree_to_half_a_cent():
    found = second_opinion(OURS, vendor())
    # NVDA before its split of June 2024 has closes in tenths of a cent, which rounding moves by up to half a cent
    assert (found.compared, found.agreeing, found.agrees, found.missing) == (4 * N, 4 * N, True, ())
    assert repr(found).startswith(
        f"{4 * N:,} of {4 * N:,} vendor-days agree (snapshot against second.csv; closes to 0.005, returns to 2 bp)"
    )


def test_days_that_differ_are_named_with_both_figures():
    def spoil(close):
        close.loc["2025-01-27", "META"] += 0.01
        close.loc["2024-05-01", "GOOGL"] -= 2.5

    found = second_opinion(OURS, vendor(spoil))
    assert [(d.ticker, d.day, round(d.difference, 4)) for d in found.days] == [
        ("META", "2025-01-27", 0.01),
        ("GOOGL", "2024-05-01", -2.5),
    ]
    assert found.agreeing == found.compared - 2
    assert "differs: META 2025-01-27: 659.8800, theirs 659.8900 (+0.0100)" in repr(found)
    assert second_opinion(OURS, vendor(spoil), tolerance=0.011).agreeing == found.compared - 1
    content = json.loads(json.dumps(found.to_dict()))
    assert (content["compared"], content["agreeing"], len(content["days"])) == (4 * N, 4 * N - 2, 2)


def test_what_the_vendor_lacks_is_said():
    def hole(close):
        close.loc["2025-01-28":"2025-01-30", "META"] = np.nan
        close.loc["2024-01-02":"2024-01-05", "GOOGL"] = np.nan

    found = second_opinion(OURS, vendor(hole, ("META", "GOOGL")))
    assert found.missing == ("NVDA", "^GSPC")
    assert found.agrees
    closes = [(t.ticker, t.compared, t.only_ours) for t in found.tickers if t.what == "close"]
    assert closes == [("META", N - 3, 3), ("GOOGL", N - 4, 0)]
    assert "not in second.csv: NVDA, ^GSPC" in repr(found)


def test_days_that_one_vendor_lacks_are_named_and_the_headline_tells_how_much_was_compared():
    def hole(close):
        close.loc["2025-01-28":"2025-01-31", "META"] = np.nan

    found = second_opinion(OURS, vendor(hole, ("META", "GOOGL")))
    head, *rest = repr(found).splitlines()
    assert head.endswith(f"; compared were 2 of 4 tickers and {2 * N - 4:,} of {4 * N:,} days of all tickers")
    assert any("(4 days ours only: 2025-01-28, 2025-01-29, 2025-01-30, … (4 in all))" in line for line in rest)
    (meta,) = [t for t in found.tickers if (t.ticker, t.what) == ("META", "close")]
    assert meta.days_only_ours == ("2025-01-28", "2025-01-29", "2025-01-30", "2025-01-31")
    theirs = vendor()
    close = theirs.close.copy()
    close.loc[pd.Timestamp("2025-01-25")] = close.loc["2025-01-24"]  # a Saturday
    added = second_opinion(OURS, es.Prices.from_frame(close, close))
    assert {t.days_only_theirs for t in added.tickers if t.what == "close"} == {("2025-01-25",)}


@pytest.mark.parametrize("adjusted_only", [False, True])
def test_days_of_event_windows_that_were_not_compared_are_named(adjusted_only):
    def hole(close):
        close.loc["2025-01-27", "META"] = np.nan
        close.loc[:"2025-01-24", "NVDA"] = np.nan

    days = pd.DatetimeIndex(["2025-01-24", "2025-01-27", "2025-01-28", "2025-01-25"])  # the last is no session
    theirs = vendor(hole, ("META", "NVDA", "^GSPC"), adjusted_only)
    found = second_opinion(OURS, theirs, needed=dict.fromkeys(["META", "NVDA", "^GSPC", "GOOGL"], days))
    first = [("NVDA", "2025-01-27")] if adjusted_only else []  # its return there has no price before it
    assert set(found.uncompared) == {
        ("META", "2025-01-27"),
        ("NVDA", "2025-01-24"),
        *first,
        *(("GOOGL", d) for d in ("2025-01-24", "2025-01-27", "2025-01-28")),
    }
    assert found.agrees
    assert not found.complete
    assert "  not compared: META 2025-01-27 (event window)" in repr(found).splitlines()
    assert found.to_dict()["complete"] is False
    assert second_opinion(OURS, vendor(), needed={"NVDA": days}).complete


def test_closes_as_traded_before_a_split_are_brought_to_our_basis():
    def as_traded(close):
        before = close.index < "2024-06-10"
        close.loc[before, "NVDA"] = (OURS.close.loc[before, "NVDA"] * 10).round(2)

    found = second_opinion(OURS, vendor(as_traded))
    assert found.agrees
    nvda = next(t for t in found.tickers if t.ticker == "NVDA")
    assert nvda.remark == f"{int((OURS.dates < '2024-06-10').sum())} of their closes divided by 10"

    def one_wrong(close):
        as_traded(close)
        close.loc["2024-03-01", "NVDA"] += 1.0

    (day,) = second_opinion(OURS, vendor(one_wrong)).days
    assert (day.day, round(day.difference, 3)) == ("2024-03-01", 0.1)


def test_a_price_ten_times_too_large_on_one_day_is_no_split():
    def slip(close):
        close.loc["2025-01-27", "NVDA"] *= 10

    assert [d.day for d in second_opinion(OURS, vendor(slip)).days] == ["2025-01-27"]


@pytest.mark.parametrize("with_dividends", [True, False])
def test_returns_where_a_vendor_has_adjusted_closes_only(with_dividends):
    """Back-adjusted for dividends or not: both are right returns, and one wrong price makes two wrong ones."""
    table = (OURS.adj_close if with_dividends else OURS.close) * 0.7
    good = es.Prices.from_frame(table, provenance=es.sources.Provenance("stooq.csv"))
    found = second_opinion(OURS, good)
    assert (found.agrees, found.compared) == (True, 4 * (N - 1))
    assert {t.what for t in found.tickers} == {"return"}
    table.loc["2024-11-01", "NVDA"] *= 0.9997
    assert [d.day for d in second_opinion(OURS, es.Prices.from_frame(table)).days] == ["2024-11-01", "2024-11-04"]
    assert second_opinion(OURS, es.Prices.from_frame(table), basis_points=4).agrees


def spoiled(change):
    """Our prices with adjusted closes that the test spoils, and closes as they are."""
    adjusted = OURS.adj_close.copy()
    change(adjusted)
    return es.Prices.from_frame(adjusted, OURS.close, provenance=es.sources.Provenance("ours"))


def one_day(adjusted):
    adjusted.loc["2024-11-01", "META"] *= 1.002


def lost_dividend(adjusted):
    step = (adjusted["META"] / OURS.close["META"]).pct_change().loc["2024-09-16"]
    adjusted.loc[:"2024-09-13", "META"] *= 1 + step


def made_up_dividend(adjusted):
    adjusted.loc[:"2024-10-31", "META"] *= 0.99


@pytest.mark.parametrize(
    ("change", "days"),
    [
        (one_day, ["2024-11-01", "2024-11-04"]),
        (lost_dividend, ["2024-09-16"]),
        (made_up_dividend, ["2024-11-01"]),
    ],
)
def test_wrong_adjusted_closes_fail_though_all_closes_as_traded_agree(change, days):
    """On either side, as the adjusted closes of both are given to the cent or finer."""
    assert second_opinion(OURS, spoiled(lambda _: None)).agrees
    for pair in ((spoiled(change), OURS), (OURS, spoiled(change))):
        found = second_opinion(*pair)
        assert [(d.ticker, d.day, d.what) for d in found.days] == [("META", day, "return") for day in days]
        assert found.agreeing == found.compared - len(days) == 4 * N - len(days)
        assert not found.agrees
        assert f"differs: META {days[0]}: return" in repr(found)


@pytest.mark.parametrize("adjusted_only", [False, True])
def test_a_wrong_adjusted_close_is_seen_by_a_vendor_that_has_one_close_only(adjusted_only):
    """It does not adjust, so a step up may be a dividend; a step down is none."""
    theirs = vendor(adjusted_only=adjusted_only)
    assert second_opinion(spoiled(lambda _: None), theirs).agrees
    assert [d.day for d in second_opinion(spoiled(one_day), theirs).days] == ["2024-11-04"]


def test_a_vendor_that_counts_dividends_must_count_ours():
    theirs = es.Prices.from_frame(OURS.adj_close * 0.7, provenance=es.sources.Provenance("stooq.csv"))
    found = second_opinion(spoiled(made_up_dividend), theirs)
    assert [(d.ticker, d.day) for d in found.days] == [("META", "2024-11-01")]


def test_adjusted_closes_rounded_to_the_cent_agree():
    cheap = OURS.adj_close / 20, OURS.close / 20
    ours = es.Prices.from_frame(*cheap)
    assert second_opinion(ours, es.Prices.from_frame(cheap[0].round(2), cheap[1].round(2))).agrees


def test_returns_on_request():
    found = second_opinion(OURS, vendor(), use_returns=True)
    assert {t.what for t in found.tickers} == {"return"}
    assert found.agrees


def test_nothing_to_compare_is_an_error():
    with pytest.raises(DataMissing, match="has none of NVDA"):
        second_opinion(OURS, es.Prices.from_frame(pd.DataFrame({"X": [1.0]}, index=["2025-01-27"])))
    with pytest.raises(DataMissing, match="no day in common"):
        second_opinion(OURS, es.Prices.from_frame(pd.DataFrame({"NVDA": [1.0]}, index=["2020-01-27"])))
    with pytest.raises(InvalidInput, match="negative"):
        second_opinion(OURS, vendor(), tolerance=-1)


@pytest.mark.slow
def test_the_command_line(tmp_path):
    file = tmp_path / "vendor.csv"
    wide = OURS.close.round(2)[["NVDA", "META"]]
    long = wide.rename_axis("Date").reset_index().melt("Date", var_name="Symbol", value_name="Close")
    long.to_csv(file, index=False)

    def check(*options):
        command = [sys.executable, "-m", "eventstudy", "check", str(FLAGSHIP), "--against", str(file), *options]
        return subprocess.run(command, capture_output=True, text=True)

    done = (
        check()
    )  # two of the study's firms only: what was compared agrees, and the days of the event were not all compared
    assert (done.returncode, done.stderr) == (1, "")
    assert f"{2 * N:,} of {2 * N:,} vendor-days agree" in done.stdout
    lacking = {line.split()[2]: line for line in done.stdout.splitlines() if line.startswith("  not compared: ")}
    assert {"GOOGL", "^GSPC"} <= set(lacking)
    assert all(" 2025-01-27, 2025-01-28, " in line and line.endswith(" (event window)") for line in lacking.values())
    assert "not compared: NVDA" not in done.stdout
    missing = done.stdout.split("not in vendor.csv: ")[1].splitlines()[0].split(", ")
    assert {"GOOGL", "^GSPC"} < set(missing)
    assert {"NVDA", "META"} & set(missing) == set()
    long.loc[long["Symbol"] == "META", "Close"] += 0.02
    long.to_csv(file, index=False)
    done = check("--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["agreeing"] == N
    whole = es.load_study(FLAGSHIP).load_prices().close.round(2)
    whole["META"] += 0.02
    whole.rename_axis("Date").reset_index().melt("Date", var_name="Symbol", value_name="Close").to_csv(
        file, index=False
    )
    assert check("--tolerance", "0.03").returncode == 0
    assert check().returncode == 1


def test_the_report_says_how_many_vendor_days_agree():
    facts = vendor_agreement()
    assert all(0 <= v["differing_recent"] <= v["differing"] < v["compared"] for v in facts)
    snapshot, own = (
        SimpleNamespace(prices=SimpleNamespace(provenance=es.sources.Provenance(s))) for s in ("snapshot", "a.csv")
    )
    lines = vendor_lines(snapshot)
    assert lines[0] == (
        "Other vendors on these series: 40,384 of 40,903 vendor-days of closes agree to half a cent and 32,179 of 32,238 "
        "vendor-days of returns agree to 2 basis points; since 2023-10-01 there differ 5 of closes and 36 of returns."
    )
    assert len(lines) == len(facts) + 1
    assert lines[1].startswith(
        "Nasdaq.com, closes of 27 series, 2020-01-02 to 2024-03-01: 24,940 of 24,946 vendor-days agree"
    )
    assert vendor_lines(own) == ()
