"""How unusual a day was, against loops over days and firms on raw prices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit
from eventstudy.study.ordinary import TAIL, extremes, ordinary_days, place_among

FIRMS = ["AVGO", "AMD", "MSFT", "ORCL", "CRM", "TSLA", "ARM", "CEG"]
GROUP = {"AVGO": "chips", "AMD": "chips", "ARM": "chips", "MSFT": "software", "ORCL": "software", "CRM": "software"}
DAY, BACK, GAP = "2024-12-13", 100, 15


@pytest.fixture(scope="module")
def prices():
    return es.load_prices([*FIRMS, "SPY"], "2023-06-01", "2025-04-30")


def specification(**changes):
    given = {"model": es.MarketModel("SPY"), "estimation": (-BACK - GAP + 1, -GAP), "window": (-3, 3)}
    return es.EventStudy(**{**given, **changes})


def events(day=DAY, firms=FIRMS):
    return [es.Event(t, day, group=GROUP.get(t, "")) for t in firms]


@pytest.fixture(scope="module")
def found(prices):
    study = specification()
    return ordinary_days(study, prices, study.run(prices, events()))


@pytest.fixture(scope="module")
def by_hand(prices):
    """The abnormal return of each firm on each day, one regression after the other."""
    r = prices.adj_close.pct_change(fill_method=None)
    market, at = r["SPY"].to_numpy(), r.index.get_loc(DAY)
    rows = {}
    for place in range(BACK + GAP, len(r)):
        if place != at and abs(place - at) <= 3:
            continue
        own = []
        for ticker in FIRMS:
            past = slice(place - BACK - GAP + 1, place - GAP + 1)
            y, x, now = r[ticker].to_numpy()[past], market[past], r[ticker].to_numpy()[place]
            seen = np.isfinite(y)
            if seen.sum() < 30 or not np.isfinite(now):
                own.append(np.nan)
                continue
            slope, intercept = np.polyfit(x[seen], y[seen], 1)
            own.append(now - intercept - slope * market[place])
        rows[r.index[place]] = own
    return pd.DataFrame(rows, index=FIRMS).T


def test_every_day_is_studied_as_the_day_itself_is(found, by_hand):
    assert list(found.days) == list(by_hand.index)
    np.testing.assert_allclose(found.values, by_hand.to_numpy(), rtol=1e-9, atol=1e-12)
    assert by_hand["ARM"].isna().sum() == 2  # listed on 14 September 2023: too few days before these
    assert found.date == pd.Timestamp(DAY)
    assert (~found.ordinary).sum() == 1


def test_ranks_and_p_values_are_counts_of_days(found, by_hand):
    at, others = by_hand.loc[DAY], by_hand.drop(index=pd.Timestamp(DAY))
    table = found.by_firm
    for ticker in FIRMS:
        as_far = sum(1 for v in others[ticker] if abs(v) >= abs(at[ticker]))
        of = sum(1 for v in others[ticker] if v == v)
        assert (table["as_far"][ticker], table["of"][ticker]) == (as_far, of)
        assert table["p"][ticker] == pytest.approx((1 + as_far) / (1 + of), rel=1e-14)
        low, high = np.percentile(others[ticker].dropna(), [2.5, 97.5])
        assert (table["low"][ticker], table["high"][ticker]) == pytest.approx((low, high), rel=1e-9)
    assert table["as_far"]["AVGO"] == 0  # its forecast of the evening before
    assert list(table["abnormal"]) == sorted(table["abnormal"])


def test_adjusted_p_values_are_of_the_largest_of_each_day(found, by_hand):
    unit = {t: np.sqrt(np.nanmean(by_hand[t] ** 2)) for t in FIRMS}
    at = by_hand.loc[DAY]
    others = by_hand.drop(index=pd.Timestamp(DAY))
    largest = [max(abs(row[t]) / unit[t] for t in FIRMS if row[t] == row[t]) for _, row in others.iterrows()]
    for ticker in FIRMS:
        hits = sum(1 for v in largest if v >= abs(at[ticker]) / unit[ticker])
        assert found.by_firm["p_adjusted"][ticker] == pytest.approx((1 + hits) / (1 + len(others)), rel=1e-12)
    assert (found.by_firm["p_adjusted"] >= found.by_firm["p"] - 1e-3).all()


def test_extreme_days_are_the_lowest_and_the_highest_of_each_firm(found, by_hand):
    low = {t: set(by_hand[t].dropna().nsmallest(int(TAIL * by_hand[t].notna().sum())).index) for t in FIRMS}
    high = {t: set(by_hand[t].dropna().nlargest(int(TAIL * by_hand[t].notna().sum())).index) for t in FIRMS}
    for day, row in found.by_day.iterrows():
        assert row["down"] == sum(day in low[t] for t in FIRMS)
        assert row["up"] == sum(day in high[t] for t in FIRMS)
        assert row["firms"] == by_hand.loc[day].notna().sum()
        assert row["spread"] == pytest.approx(np.std(by_hand.loc[day].dropna(), ddof=1), rel=1e-9)
        assert row["mean"] == pytest.approx(by_hand.loc[day].mean(), rel=1e-9)
    whole = found.whole.loc["spread"]
    spreads = by_hand.std(axis=1)
    assert whole["as_far"] == sum(s >= spreads[DAY] for d, s in spreads.items() if d != pd.Timestamp(DAY))


def test_groups_are_means_of_their_firms(found, by_hand):
    assert set(found.by_group.index) == {"chips", "software"}  # TSLA and CEG have none
    chips = by_hand[["AVGO", "AMD", "ARM"]].mean(axis=1)
    row = found.by_group.loc["chips"]
    assert row["abnormal"] == pytest.approx(chips[DAY], rel=1e-9)
    assert row["as_far"] == sum(abs(v) >= abs(chips[DAY]) for d, v in chips.items() if d != pd.Timestamp(DAY))
    assert row["firms"] == 3
    assert list(found.by_group["as_far"]) == sorted(found.by_group["as_far"])


def test_extreme_days_of_a_group_are_counted_day_by_day(found, by_hand):
    chips = ["AVGO", "AMD", "ARM"]
    per_day = []
    for day, row in by_hand.iterrows():
        n = 0
        for t in chips:
            col = by_hand[t].dropna()
            k = int(TAIL * len(col))
            n += bool(row[t] <= col.nsmallest(k).max() or row[t] >= col.nlargest(k).min())
        per_day.append((day, n))
    own = dict(per_day)[pd.Timestamp(DAY)]
    row = found.extremes_by_group.loc["chips"]
    assert row["value"] == own
    assert row["as_far"] == sum(n >= own for day, n in per_day if day != pd.Timestamp(DAY))


def test_from_the_median_firm_each_day_is_moved_as_a_whole(found, by_hand):
    moved = by_hand.sub(by_hand.median(axis=1), axis=0)
    np.testing.assert_allclose(found.from_median.values, moved.to_numpy(), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.from_median.by_day["spread"], found.by_day["spread"], rtol=1e-9)


def test_returns_handed_in_and_prices_say_the_same(prices, found):
    study = specification(calendar="XNYS")
    table = prices.adj_close.pct_change(fill_method=None).iloc[1:]
    again = ordinary_days(study, table, study.run(table, events()))
    assert list(again.days) == list(found.days)
    np.testing.assert_allclose(again.values, found.values, rtol=1e-9, atol=1e-13)


def test_log_returns_are_told_as_fractions_of_prices(prices):
    study = specification(returns="log")
    result = study.run(prices, events())
    found = ordinary_days(study, prices, result)
    np.testing.assert_allclose(found.values[found.day], np.expm1(result.ar[0].to_numpy()), rtol=1e-10)


def test_the_order_of_firms_changes_nothing(prices, found):
    study = specification()
    turned = ordinary_days(study, prices, study.run(prices, events(firms=FIRMS[::-1])))
    pd.testing.assert_frame_equal(turned.by_day, found.by_day)
    pd.testing.assert_frame_equal(turned.by_firm, found.by_firm)
    pd.testing.assert_frame_equal(turned.by_group, found.by_group)


def test_p_values_keep_their_size_when_no_day_is_special():
    rng = np.random.default_rng(5)
    ordinary = np.arange(80) > 0
    placed = [
        place_among(rng.standard_t(3, (80, 6)) * rng.uniform(1, 9, 6) + rng.standard_t(3, (80, 1)), 0, ordinary)
        for _ in range(600)
    ]
    assert np.mean([p.p <= 0.05 for p in placed]) == pytest.approx(0.05, abs=0.012)
    assert np.mean([p.p_adjusted.min() <= 0.05 for p in placed]) == pytest.approx(0.05, abs=0.025)


def test_ties_and_holes():
    values = np.array([[1.0, np.nan], [1.0, 0.5], [-1.0, 0.2], [0.3, np.nan]])
    placed = place_among(values, 0, np.array([False, True, True, True]))
    assert placed.as_far.tolist() == [2, 0]
    assert placed.of.tolist() == [3, 2]
    assert placed.p[0] == 0.75
    assert np.isnan(placed.p[1])
    assert np.isnan(placed.p_adjusted[1])
    low, high = extremes(np.array([[0.0], [0.0], *[[1.0]] * 38, [2.0]]))
    assert low.sum() == 0  # two days share the lowest place, one of 41 would be allowed
    assert high[:, 0].nonzero()[0].tolist() == [40]


def test_what_cannot_be_compared_is_refused(prices):
    study = specification()
    two = study.run(prices, [es.Event("AMD", DAY), es.Event("MSFT", "2024-12-16")])
    with pytest.raises(DataUnfit, match="all of one day"):
        ordinary_days(study, prices, two)
    with pytest.raises(DataUnfit, match=r"of 3 firms; .* at least 5"):
        ordinary_days(study, prices, study.run(prices, events(firms=FIRMS[:3])))
    short = prices.between("2024-06-01", "2025-01-10")
    with pytest.raises(DataUnfit, match=r"leave \d+ ordinary days.*at least 40.*shorter estimation window"):
        ordinary_days(study, short, study.run(short, events()))


@pytest.mark.parametrize("returns", [False, True])
def test_a_day_before_the_first_possible_one_is_refused_with_that_day(prices, returns):
    """The study itself can be made, of a part of its estimation window; the days before cannot be compared."""
    study = specification(calendar="XNYS")
    data = prices.adj_close.pct_change(fill_method=None).iloc[1:] if returns else prices
    sessions = prices.adj_close.index
    first = sessions[1 + BACK + GAP - 1]  # a price of the day before the first return
    early = sessions[80]
    firms = [t for t in FIRMS if t != "ARM"]
    left = sum(1 for s in sessions[BACK + GAP :] if abs(sessions.get_loc(s) - 80) > 3)
    with pytest.raises(
        DataUnfit,
        match=rf"first possible day is {first.date()}\. .*with {left} ordinary days, of which at least 40 are needed",
    ):
        ordinary_days(study, data, study.run(data, events(early.date().isoformat(), firms)))
    found = ordinary_days(study, data, study.run(data, events(first.date().isoformat(), firms)))
    assert (found.date, found.day) == (first, 0)


def test_a_day_on_which_hardly_a_firm_has_prices_is_refused(prices):
    closes = prices.adj_close.copy()
    study = specification(gaps="skip", max_dropped=1.0)
    at = closes.index.get_loc(DAY)
    closes.iloc[at, [closes.columns.get_loc(t) for t in FIRMS[:5]]] = np.nan
    gone = es.Prices.from_frame(closes, provenance=prices.provenance)
    with pytest.raises(DataUnfit, match=r"On 2024-12-13 3 of 8 firms have an abnormal return; .* at least 5"):
        ordinary_days(study, gone, study.run(gone, events()))


def test_a_firm_without_ordinary_days_and_events_without_groups(prices):
    """Listed 46 sessions before the day, so that no day before it has an estimation window, and gone after it."""
    closes = prices.adj_close.copy()
    at = closes.index.get_loc(DAY)
    closes.iloc[: at - 46, closes.columns.get_loc("TSLA")] = np.nan
    closes.iloc[at + 4 :, closes.columns.get_loc("TSLA")] = np.nan
    gone = es.Prices.from_frame(closes, provenance=prices.provenance)
    study = specification()
    result = study.run(gone, [es.Event(t, DAY) for t in FIRMS])
    found = ordinary_days(study, gone, result)
    row = found.by_firm.loc["TSLA"]
    assert (row["as_far"], row["of"], row["p"]) == (0, 0, 1.0)
    assert np.isnan([row["low"], row["high"]]).all()
    assert row["abnormal"] == pytest.approx(result.ar[0]["TSLA"])
    assert found.by_group.empty
    assert found.extremes_by_group.empty
    assert list(found.by_group.columns) == [
        "firms",
        "abnormal",
        "as_far",
        "of",
        "p",
        "p_adjusted",
        "low",
        "high",
        "down",
        "up",
    ]
    assert found.by_day["firms"].max() == len(FIRMS)
