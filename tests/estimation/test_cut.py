"""Windows that are cut out of a matrix, also beyond its ends, against a loop over their days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.estimation import panel as panel_module
from eventstudy.estimation.panel import AlignmentRules, FirmDays, align
from eventstudy.prices.checks.finding import _spans
from eventstudy.windows import Window


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("length", [1, 7, 40, 90])
def test_windows_are_what_a_loop_finds(order, length):
    rng = np.random.default_rng(length)
    matrix = np.asarray(rng.normal(size=(60, 9)), order=order)
    firm, place = rng.integers(-1, 9, 300), rng.integers(-130, 190, 300)
    days = FirmDays(matrix, firm)
    window = Window(-4, length - 5)
    right = np.full((300, length), np.nan)
    for i in range(300):
        for k, day in enumerate(place[i] + window.days):
            if firm[i] >= 0 and 0 <= day < 60:
                right[i, k] = matrix[day, firm[i]]
    np.testing.assert_array_equal(days.cut(days.row, place, window), right)


def test_no_windows_are_cut_also_where_they_would_be_longer_than_the_data():
    days = FirmDays(np.zeros((20, 3)), np.empty(0, dtype=np.int64))
    none = np.empty(0, dtype=np.int64)
    assert days.cut(none, none, Window(-100, 10)).shape == (0, 111)


def test_a_matrix_by_firms_is_not_copied():
    matrix = np.zeros((4, 50)).T
    assert np.shares_memory(FirmDays(matrix, np.array([0, 3])).values, matrix)


@pytest.mark.parametrize("columns", [1, 3, 256, 700])
def test_cells_in_use_are_those_of_a_loop(columns):
    rng = np.random.default_rng(columns)
    begin, column = rng.integers(0, 30, 500), rng.integers(-1, columns, 500)
    stop = begin + rng.integers(-2, 8, 500)
    right = np.zeros((40, columns), dtype=bool)
    for first, last, own in zip(begin, stop, column, strict=True):
        if own >= 0:
            right[first : max(last, 0), own] = True
    np.testing.assert_array_equal(_spans((40, columns), begin, stop, column), right)


@pytest.mark.parametrize("model", [es.MarketModel("mkt"), es.MeanAdjusted(), es.Dimson("mkt", leads=2, lags=1)])
@pytest.mark.parametrize("window", [(-3, 3), (1, 4)])
def test_days_are_counted_alike_by_window_and_over_the_whole_matrix(monkeypatch, model, window):
    rng = np.random.default_rng(6)
    returns = rng.normal(0, 0.01, (90, 6))
    returns[rng.random(returns.shape) < 0.05] = np.nan
    returns[rng.random(returns.shape) < 0.05] = 0.0
    frame = pd.DataFrame(returns, pd.bdate_range("2021-01-04", periods=90), [*"ABCDE", "mkt"])
    asked = [
        es.Event("ABCDE"[i], frame.index[d])
        for i, d in zip(rng.integers(0, 5, 60), rng.integers(0, 90, 60), strict=True)
    ]
    rules = AlignmentRules(es.Window(-40, -11), es.Window(*window), None, "next", 10)
    found = []
    for passes in (0, 10**9):
        monkeypatch.setattr(panel_module, "MATRIX_PASSES", passes)
        found.append(align(frame, asked, model, rules).audit)
    for name in ("est_days", "event_days", "still", "blind", "still_on_day_0"):
        one, other = (getattr(audit.panel.counted, name) for audit in found)
        np.testing.assert_array_equal(one, other, err_msg=name)
    assert found[0].reasons == found[1].reasons
    assert any(found[0].reasons)
