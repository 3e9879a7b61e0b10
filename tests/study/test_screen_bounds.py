"""A look at some cells clears no column that a look at all of them stops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy.study import screen

KINDS = 9


def _column(g: np.random.Generator, days: pd.DatetimeIndex) -> np.ndarray:
    c = g.normal(0.0, 0.02, len(days)) * g.choice([0.1, 1.0, 5.0])
    weekday = np.asarray(days.day_of_week == g.integers(0, 5))
    start = int(g.integers(0, len(c) - 40))
    kind = int(g.integers(0, KINDS + 3))
    if kind == 0:
        c[weekday & (g.random(len(c)) < g.choice([0.8, 0.86, 1.0]))] = 0.0
    elif kind == 1:
        c[:] = np.repeat(c, 5)[: len(c)]
    elif kind == 2:
        c[start : start + int(g.integers(8, 40))] = c[start]
    elif kind == 3:
        c[1:-1][weekday[1:-1]] = ((c[:-2] + c[2:]) / 2)[weekday[1:-1]]
    elif kind == 4:
        c[:] = np.cumsum(c)
    elif kind == 5:
        c[g.random(len(c)) < g.choice([0.005, 0.19, 0.2, 0.21])] = np.nan
    elif kind == 6:
        c[g.random(len(c)) < 0.5] = 0.0
    elif kind == 7:
        c[1:][weekday[1:]] = c[:-1][weekday[1:]]
    elif kind == 8:
        c[2:] = (c[2:] + c[1:-1] + c[:-2]) / 3
    return c


@pytest.mark.parametrize("rare_saturday", [False, True])
def test_the_first_look_stops_what_the_second_stops(rare_saturday):
    g = np.random.default_rng(31)
    cleared = stopped = 0
    for _ in range(150):
        days = pd.bdate_range("2015-01-01", periods=int(g.integers(60, 600)))
        days = days.delete(g.choice(len(days), len(days) // 25, replace=False))
        if rare_saturday:
            days = days.append(pd.DatetimeIndex([days[-1] + pd.offsets.Week(weekday=5)]))
        table = pd.DataFrame({k: _column(g, days) for k in range(8)}, index=days)
        weekday = np.asarray(days.day_of_week)
        length = np.diff(days.to_numpy(dtype="datetime64[D]")).astype(np.float64)
        turns = np.flatnonzero(length[1:] != length[:-1]) + 2
        ratio = length[turns - 1] / length[turns - 2]
        on = (weekday[:, None] == np.arange(7)).astype(np.float32)
        whole = screen._looked_at(np.ascontiguousarray(table.to_numpy().T), on, turns, ratio)
        first = screen._doubtful(table.to_numpy().T, weekday, turns, ratio)
        assert (first | ~whole).all()
        assert screen.suspicious(table).tolist() == whole.tolist()
        cleared, stopped = cleared + int((~first).sum()), stopped + int(whole.sum())
    assert stopped > 100
    assert rare_saturday or cleared > 100


def test_all_columns_at_once_find_every_one_that_follows_itself():
    from eventstudy.study import interpolated

    rng = np.random.default_rng(21)
    days = pd.bdate_range("2019-03-01", periods=300)
    carried = np.linspace(-0.2, 0.95, 40)
    shocks = rng.standard_t(4, (300, 40)) * 0.01
    values = np.zeros((300, 40))
    for t in range(1, 300):
        values[t] = carried * values[t - 1] + shocks[t]
    values[:, 5] = np.where(rng.random(300) < 0.7, 0.0, values[:, 5])  # a typical deviation of zero
    values[40:43, 38] = np.nan
    values[:, 7] = 0.0
    table = pd.DataFrame(values, index=days)
    found = interpolated._may_follow(values)
    alone = np.array([interpolated.follows_itself(table[c]) > interpolated.CARRIES_OVER for c in table])
    assert alone.sum() >= 5
    assert found[alone].all()
    assert found.sum() <= alone.sum() + 1  # the one with a hole is always looked at
