"""Pairs of events by date: one by one or as sums by date, in one piece or as they come, of all or of all but a few."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.estimation import deferred
from eventstudy.inference import correlation
from eventstudy.inference.correlation import DateTally, mean_correlation
from eventstudy.inference.days import Ordered, mid_ranks
from eventstudy.inference.result import members


def dated(seed: int, n: int, dates: int, m: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return residuals with a common part and places in calendar time, ascending."""
    rng = np.random.default_rng(seed)
    position = np.sort(rng.integers(0, dates, n))
    common = rng.standard_normal(m + dates)
    return common[position[:, None] + np.arange(m)] + rng.standard_normal((n, m)), position


def by_pairs(residuals: np.ndarray, position: np.ndarray, length: int) -> np.ndarray:
    """Return sums of correlations by distance, pair by pair."""
    total = np.zeros(length)
    for i, j in combinations(range(len(position)), 2):
        d = int(position[j] - position[i])
        if d < length:
            total[d] += 2.0 * np.corrcoef(residuals[i, d:], residuals[j, : residuals.shape[1] - d])[0, 1]
    return total


@pytest.mark.parametrize("size", [3, 8, 50])
@pytest.mark.parametrize("dates", [5, 30, 200])
@pytest.mark.parametrize("few", [0.0, 2.0, 1e9])
def test_both_ways_and_every_size_of_portion_give_the_sum_over_pairs(monkeypatch, size, dates, few):
    monkeypatch.setattr(correlation, "FEW_A_DATE", few)
    monkeypatch.setattr(correlation, "TOGETHER", 2)
    residuals, position = dated(dates, 50, dates)
    tally = DateTally(7)
    for start in range(0, 50, size):
        some = slice(start, start + size)
        found = correlation._dated(residuals[some], position[some], 7)
        tally.add(found if len(found.position) <= few * len(found.dates) else found.summed())
        tally.settle()
    np.testing.assert_allclose(tally.total(None).pairs, by_pairs(residuals, position, 7), atol=1e-10)


def test_portions_of_both_kinds_add_up():
    residuals, position = dated(3, 60, 25)
    tally = DateTally(5)
    for start in range(0, 60, 12):
        found = correlation._dated(residuals[start : start + 12], position[start : start + 12], 5)
        tally.add(found if start % 24 else found.summed())
        tally.settle()
    np.testing.assert_allclose(tally.total(None).pairs, by_pairs(residuals, position, 5), atol=1e-10)


@pytest.fixture(scope="module")
def study() -> es.EventStudyResult:
    """300 events with gaps in both windows, so that each window lacks some events."""
    rng = np.random.default_rng(4)
    market = rng.normal(0, 0.01, 420)
    returns = np.outer(market, rng.uniform(0.5, 1.5, 40)) + rng.normal(0, 0.02, (420, 40))
    returns[rng.random(returns.shape) < 0.01] = np.nan
    frame = pd.DataFrame(returns, pd.bdate_range("2019-01-02", periods=420), [f"S{i}" for i in range(40)])
    frame = frame.assign(mkt=market)
    days = frame.index[rng.integers(140, 400, 300)]
    events = pd.DataFrame({"ticker": rng.choice(frame.columns[:-1], 300), "date": days})
    return es.EventStudy(es.MarketModel("mkt"), (-120, -11), (-4, 4), max_dropped=0.9).run(frame, events)


@pytest.mark.parametrize("window", [(0, 0), (-2, 2), (-4, 4)])
@pytest.mark.parametrize("chunk", [7, 100, 1000])
def test_the_correlation_of_some_events_is_that_of_a_study_of_them_alone(monkeypatch, study, window, chunk):
    monkeypatch.setattr(deferred, "CHUNK", chunk)
    days = es.Window(*window)
    some = members(study.abnormal.sums(days).scar)
    few, several = some, some[::3]
    for chosen in (few, several):
        alone = study.abnormal.take(chosen)
        position, order = alone.position, np.argsort(alone.position, kind="stable")
        rows = alone.part(order).residuals
        expected = correlation.linked_sum(rows, position[order], len(days)) / (len(chosen) * (len(chosen) - 1))
        assert mean_correlation(study.abnormal, chosen, days) == pytest.approx(expected, rel=1e-10, abs=1e-14)


def test_ranks_add_up_with_gaps_and_ties():
    rng = np.random.default_rng(5)
    values = rng.normal(0, 1, (70, 33))
    values[rng.random(values.shape) < 0.05] = np.nan
    values[3, :4], values[9, 20:] = 0.25, np.nan
    values[rng.random(values.shape) < 0.02] = 0.0
    values[11, 5], values[11, 6] = -0.0, 0.0
    ranks, weight = mid_ranks(values), rng.uniform(0.5, 2.0, 70)
    found = Ordered(values)
    np.testing.assert_allclose(found.rank_sums(), np.nansum(ranks, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.rank_sums(weight), np.nansum(weight[:, None] * ranks, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.median, np.nanmedian(values, axis=1), rtol=1e-12)
    assert found.days.tolist() == np.isfinite(values).sum(axis=1).tolist()
