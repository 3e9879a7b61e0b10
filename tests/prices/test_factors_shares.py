"""Factors and share counts."""

from __future__ import annotations

import dataclasses
from datetime import date

import pandas as pd
import pytest

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.prices.snapshot import load_factors, load_snapshot, share_count


def test_factors_are_fractions_on_the_sessions_of_the_snapshot():
    factors = load_factors()
    assert list(factors.columns) == ["mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf"]
    assert not factors.isna().any(axis=None)
    assert factors["rf"].between(0, 0.0005).all()
    assert factors.abs().max(axis=None) < 0.15
    sessions = load_snapshot().dates
    assert list(factors.index[factors.index <= sessions[-1]]) == list(sessions)
    assert factors.index[-1] == pd.Timestamp("2025-12-31")


def test_factors_of_the_event_day():
    day = load_factors().loc["2025-01-27"]
    assert day[["mkt_rf", "smb", "hml", "rmw", "cma", "mom"]].tolist() == [
        -0.0149,
        0.0032,
        0.0252,
        -0.0013,
        -0.0170,
        -0.0328,
    ]


def test_market_factor_moves_with_the_index():
    index = load_snapshot().adj_close["^GSPC"].pct_change()
    assert index.corr(load_factors()["mkt_rf"]) > 0.98


@pytest.mark.parametrize("day", ["2025-01-27", date(2025, 1, 27), pd.Timestamp("2025-01-26 18:00")])
def test_count_of_nvidia_is_that_of_its_fiscal_year_end(day):
    count = share_count("NVDA", day)
    assert count.shares == 24_477_000_000
    assert (count.period_end, count.as_of) == ("2025-01-26", "2025-01-31")
    loss = count.shares * (142.62 - 118.42)
    assert round(loss / 1e9) == 592


def test_latest_count_before_the_day():
    assert share_count("NVDA", "2025-01-25").period_end == "2024-10-27"
    assert share_count("META", "2025-01-27").shares == 2_534_487_662
    assert share_count("META", "2025-05-01").period_end == "2025-04-25"
    assert "10-Q" in share_count("META", "2025-05-01").source


def test_classes_that_a_count_covers():
    assert share_count("GOOGL", "2025-01-27").covers == ("GOOG",)
    assert share_count("GOOG", "2025-01-27").covers == ("GOOGL",)
    assert share_count("GOOG", "2025-01-27").shares == share_count("GOOGL", "2025-01-27").shares
    assert share_count("META", "2025-01-27").covers == ()
    assert "A+B" in share_count("META", "2025-01-27").note
    assert share_count("FOX", "2025-01-27").covers == ("FOXA",)


def test_missing_counts_say_what_there_is():
    with pytest.raises(DataMissing, match="2024-10-27, 2025-01-26") as caught:
        share_count("NVDA", "2024-01-01")
    assert caught.value.facts["available"] == ("2024-10-27", "2025-01-26")
    with pytest.raises(DataMissing, match="No share count of TSM"):
        share_count("TSM", "2025-01-27")


@pytest.mark.parametrize("day", [None, "soon"])
def test_unreadable_day(day):
    with pytest.raises(InvalidInput, match="on is"):
        share_count("NVDA", day)


def test_counts_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        share_count("NVDA", "2025-01-27").shares = 1
