"""Adjusted p-values against statsmodels, and the resampled step-down against full enumeration."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.inference import multiple
from eventstudy.inference.multiple import METHODS, adjust, romano_wolf, studentised_residuals
from eventstudy.windows import Window

THEIRS = {"holm": "holm", "bh": "fdr_bh", "by": "fdr_by", "bonferroni": "bonferroni"}
DAYS = pd.bdate_range("2024-01-01", periods=90)
ERRORS = 4.0


def make(places: tuple[int, ...], est: int = 30, holes: int = 0) -> es.EventStudyResult:
    rng = np.random.default_rng(3)
    tickers = [f"F{i}" for i in range(len(places))]
    common = rng.normal(0.0, 0.012, len(DAYS))
    table = pd.DataFrame({t: common + rng.normal(0.0, 0.012, len(DAYS)) for t in tickers}, index=DAYS)
    for i in range(holes):
        table.iloc[rng.integers(places[i] - est, places[i] - 2, 6), i] = np.nan
    for i, place in enumerate(places):
        table.iloc[place, i] += 0.012 * i
    study = es.EventStudy(
        model=es.MeanAdjusted(), estimation=(-est - 1, -2), window=(0, 1), calendar=None, min_estimation=20
    )
    return study.run(table, [es.Event(tickers[i], DAYS[p]) for i, p in enumerate(places)])


@pytest.mark.slow
@pytest.mark.parametrize("method", THEIRS)
def test_adjusted_p_values_are_statsmodels(method):
    rng = np.random.default_rng(1)
    for p in (rng.random(1), rng.random(2), rng.random(50) ** 3, np.round(rng.random(30), 1), np.zeros(3), np.ones(4)):
        np.testing.assert_allclose(adjust(p, method), multipletests(p, method=THEIRS[method])[1], rtol=1e-12)


@pytest.mark.parametrize("method", THEIRS)
def test_what_is_missing_stays_missing_and_does_not_count(method):
    p = np.array([np.nan, 0.02, 0.4, np.nan, 0.001])
    got = adjust(p, method)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(p))
    np.testing.assert_array_equal(got[[1, 2, 4]], adjust(p[[1, 2, 4]], method))
    assert np.isnan(adjust([np.nan, np.nan], method)).all()
    assert adjust([], method).shape == (0,)
    assert p[1] == 0.02, "the input is left alone"


def test_wrong_p_values_and_methods_are_refused():
    for wrong in ([0.5, 1.5], [-0.1], [[0.1, 0.2]]):
        with pytest.raises(es.errors.InvalidInput, match="between 0 and 1"):
            adjust(wrong)
    with pytest.raises(es.errors.InvalidInput, match="holm, bh, by, bonferroni"):
        adjust([0.1], "sidak")


@pytest.mark.parametrize("places", [(60, 60, 60), (60, 61, 61), (60, 62, 75)])
@pytest.mark.parametrize("length", [1, 2])
def test_step_down_agrees_with_all_worlds(places, length):
    """Every calendar day of the windows gets each block of estimation days in turn."""
    ab, window = make(places).abnormal, Window(0, length - 1)
    pool = studentised_residuals(ab, np.arange(3)).tolist()
    own = np.abs(ab.sums(window).scar).tolist()
    order = sorted(range(3), key=lambda i: -own[i])
    dates = sorted({p + k for p in places for k in range(length)})
    blocks = ab.residuals.shape[1] - length + 1
    if blocks ** len(dates) > 30_000:
        firsts = [tuple(row) for row in np.random.default_rng(5).integers(0, blocks, (20_000, len(dates))).tolist()]
    else:
        firsts = list(product(range(blocks), repeat=len(dates)))
    beyond = [0, 0, 0]
    for chosen in firsts:
        first = dict(zip(dates, chosen, strict=True))
        t = [abs(sum(pool[i][first[places[i] + k] + k] for k in range(length))) / math.sqrt(length) for i in range(3)]
        for step in range(3):
            beyond[step] += max(t[i] for i in order[step:]) >= own[order[step]]
    expected, running = {}, 0.0
    for step, i in enumerate(order):
        running = max(running, beyond[step] / len(firsts))
        expected[i] = running
    draws = 20_000
    got = romano_wolf(ab, window, draws=draws)
    for i in range(3):
        p = expected[i]
        error = math.sqrt(p * (1 - p) * (1 / draws + (len(firsts) == 20_000) / len(firsts))) + 1 / draws
        assert abs(got[i] - p) < ERRORS * error


def test_studentised_residuals_have_the_law_of_one_day():
    """Against residuals over the deviation of the regression that leaves the day out."""
    ab = make((60, 60, 60)).abnormal
    got = studentised_residuals(ab, np.arange(3))
    for i in range(3):
        e = ab.residuals[i]
        for s in (0, 7, 29):
            y = np.delete(e, s)
            gap = e[s] - y.mean()
            assert got[i, s] == pytest.approx(gap / (y.std(ddof=1) * math.sqrt(1 + 1 / len(y))), rel=1e-9)


def test_step_down_is_monotone_and_costs_nothing_for_equal_events():
    result = make((60, 60, 60, 60, 60, 60))
    ab = result.abnormal
    p, t = romano_wolf(ab, Window(0, 0)), np.abs(ab.sums((0, 0)).scar)
    assert (np.diff(p[np.argsort(-t)]) >= 0).all()
    alone = romano_wolf(ab.take(np.array([5])), Window(0, 0))
    assert (p >= 1 / 5000).all()
    assert (p <= 1).all()
    thrice = romano_wolf(ab.take(np.array([5, 5, 5])), Window(0, 0))
    np.testing.assert_array_equal(thrice, np.repeat(alone, 3))
    assert adjust([0.02] * 3, "holm")[0] == pytest.approx(0.06)


def test_step_down_does_not_depend_on_order_sign_or_gaps_elsewhere():
    ab = make((60, 61, 61, 70, 72), holes=3).abnormal
    assert not np.isfinite(ab.residuals).all()
    p = romano_wolf(ab, Window(0, 1), draws=999)
    assert np.isfinite(p).all()
    order = np.array([3, 1, 4, 0, 2])
    np.testing.assert_array_equal(romano_wolf(ab.take(order), Window(0, 1), draws=999), p[order])
    turned = replace(ab, ar=-ab.ar, residuals=-ab.residuals)
    np.testing.assert_array_equal(romano_wolf(turned, Window(0, 1), draws=999), p)
    gone = ab.ar.copy()
    gone[2] = np.nan
    without = romano_wolf(replace(ab, ar=gone), Window(0, 1), draws=999)
    assert np.isnan(without[2])
    assert np.isfinite(without[[0, 1, 3, 4]]).all()
    assert np.isnan(romano_wolf(replace(ab, ar=np.full_like(gone, np.nan)), Window(0, 1), draws=9)).all()


def step_down_in_a_loop(ab: AbnormalReturns, window: Window, draws: int, seed: int) -> np.ndarray:
    """The definition, draw by draw, event by event and day by day, from the same random numbers."""
    pool, scar = studentised_residuals(ab, np.arange(ab.n)), ab.sums(window).scar
    own = [i for i in np.argsort(-np.abs(scar), kind="stable").tolist() if np.isfinite(scar[i])]
    dates = sorted({int(ab.position[i]) + k for i in own for k in window})
    blocks, rng = pool.shape[1] - len(window) + 1, np.random.default_rng(seed)
    firsts = rng.integers(0, blocks, (draws, len(dates)))
    chances = rng.random((draws, len(dates))) if np.isnan(pool[own]).any() else np.zeros((draws, len(dates)))
    beyond = np.zeros(len(own))
    for first, chance in zip(firsts, chances, strict=True):
        t = []
        for i in own:
            there, total, squares = pool[i][np.isfinite(pool[i])], 0.0, 0.0
            for step, k in enumerate(window):
                if np.isnan(ab.ar[i, k - ab.window.start]):
                    continue
                variance, date = ab.relative_variance[i, k - ab.window.start], dates.index(int(ab.position[i]) + k)
                value = pool[i, first[date] + step]
                if np.isnan(value):
                    value = there[int(chance[date] * len(there))]
                total, squares = total + math.sqrt(variance) * value, squares + variance
            t.append(abs(total) / math.sqrt(squares))
        beyond += [max(t[place:]) >= abs(scar[i]) for place, i in enumerate(own)]
    out = np.full(ab.n, np.nan)
    out[own] = np.maximum.accumulate((1.0 + beyond) / (draws + 1.0))
    return out


@pytest.mark.parametrize("holes", [0, 5])
@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("window", [Window(0, 0), Window(0, 1)])
def test_step_down_is_its_definition_draw_by_draw(monkeypatch, holes, uneven, window):
    """One, two and three events a date, days of unlike variance, a window that lacks a day; however many draws are held at once."""
    ab = make((58, 60, 60, 61, 61, 61, 70, 71, 77), holes=holes).abnormal
    if uneven:
        variance = np.random.default_rng(4).uniform(0.5, 3.0, ab.ar.shape)
        variance[3:6] = variance[4]  # three of one date weigh alike
        gone = ab.ar.copy()
        gone[1, 0] = np.nan
        ab = replace(ab, relative_variance=variance, ar=gone, skip_gaps=True)
    expected = step_down_in_a_loop(ab, window, 200, 11)
    np.testing.assert_array_equal(romano_wolf(ab, window, draws=200, seed=11), expected)
    assert len(set(expected[np.isfinite(expected)].tolist())) > 3
    for held, index in ((1, 1), (700, 64), (10**6, 10**6)):
        monkeypatch.setattr(multiple, "HELD", held)
        monkeypatch.setattr(multiple, "INDEX", index)
        monkeypatch.setattr(multiple, "BLOCK", 2**21 if not holes else 2**12)
        np.testing.assert_array_equal(romano_wolf(ab, window, draws=200, seed=11), expected)


def test_bad_requests_say_what_to_change():
    result = make((60, 60))
    with pytest.raises(es.errors.InvalidInput, match="draws is 0"):
        result.adjusted((0, 0), method="romano_wolf", draws=0)
    with pytest.raises(es.errors.InvalidInput, match="romano_wolf"):
        result.adjusted((0, 0), method="tukey")
    with pytest.raises(es.errors.InvalidInput, match="not inside the event window"):
        result.adjusted((0, 9))
    short: AbnormalReturns = make((60, 60), est=20).abnormal
    with pytest.raises(es.errors.InvalidInput, match="needs 21"):
        romano_wolf(short, Window(0, 1))


@pytest.mark.parametrize("method", METHODS)
def test_the_result_shows_both_p_values(method):
    result = make((60, 60, 60, 60))
    table = result.adjusted((0, 1), method=method)
    assert list(table.columns) == ["car", "t", "p_value", "p_adjusted", "method"]
    assert list(table.index) == list(result.events)
    assert set(table["method"]) == {method}
    car = result.car(0, 1)
    pd.testing.assert_frame_equal(table[["car", "t", "p_value"]], car[["car", "t", "p_value"]])
    if method == "romano_wolf":
        np.testing.assert_array_equal(table["p_adjusted"], romano_wolf(result.abnormal, Window(0, 1)))
    else:
        np.testing.assert_array_equal(table["p_adjusted"], adjust(car["p_value"], method))
        assert (table["p_adjusted"] >= table["p_value"]).all()
