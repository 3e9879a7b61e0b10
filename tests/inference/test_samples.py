"""Many samples tested at once against the tests of one sample after the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.panel import AlignmentRules, Windows
from eventstudy.events import EventList
from eventstudy.inference import run_test
from eventstudy.inference.samples import AT_ONCE, Samples
from eventstudy.windows import Window

SAMPLES, DAYS, FIRMS = 9, 260, 25
# Sums over events and days in another order differ in the last digits.
ROUNDING = 1e-12


def returns(kind: str) -> pd.DataFrame:
    rng = np.random.default_rng(17)
    market = rng.normal(0.0, 0.01, DAYS)
    values = np.outer(market, rng.uniform(0.4, 1.7, FIRMS)) + rng.standard_t(4, (DAYS, FIRMS)) * 0.015
    if kind == "gaps":
        values[rng.random(values.shape) < 0.03] = np.nan
    if kind == "ties":
        values = np.round(values, 2)
    index = pd.bdate_range("2021-02-01", periods=DAYS)
    return pd.DataFrame(values, index, [f"K{i}" for i in range(FIRMS)]).assign(rest=market)


def samples(kind: str, n: int, window: Window, model: object, common: bool, seed: int = 1) -> AbnormalReturns:
    table, rng = returns(kind), np.random.default_rng(seed)
    there = np.isfinite(table.to_numpy())
    whole = np.array(
        [[there[t + window.start : t + window.end + 1, k].all() for k in range(FIRMS)] for t in range(100, 240)]
    )
    place, firm = (found.reshape(-1) for found in np.nonzero(whole))
    if common:
        dates = rng.integers(0, 140, SAMPLES)
        firm = np.concatenate([rng.permutation(np.flatnonzero(whole[t]))[:n] for t in dates.tolist()])
        place = np.repeat(dates, n)
    else:
        pick = rng.integers(0, len(place), SAMPLES * n)
        place, firm = place[pick], firm[pick]
    events = EventList.of(es.Event(f"K{i}", table.index[0]) for i in range(FIRMS)).take(firm)
    rules = AlignmentRules(Window(-80, -6), window, None, "next", 30)
    panel = Windows(table, events, model, place + 100, rules)(np.arange(SAMPLES * n))
    return abnormal_returns(panel, model.fit(panel))


@pytest.mark.parametrize("kind", ["whole", "gaps", "ties"])
@pytest.mark.parametrize("window", [Window(0, 0), Window(-2, 3)])
@pytest.mark.parametrize(("n", "common"), [(1, False), (2, False), (7, True), (18, False), (18, True)])
@pytest.mark.parametrize("model", [es.MarketModel("rest"), es.MeanAdjusted(), es.MarketAdjusted("rest")])
def test_every_sample_has_the_p_value_of_its_own_test(kind, window, n, common, model):
    ab = samples(kind, n, window, model, common)
    found = Samples(ab, n)
    for effect in (0.0, 0.01, -0.05):
        added = np.where(window.days == 0, effect, 0.0)
        moved = found.moved(added)
        for name, compute in AT_ONCE.items():
            p = compute(moved)
            assert p.shape == (SAMPLES,), name
            for s in range(SAMPLES):
                one = run_test(name, ab.take(np.arange(s * n, (s + 1) * n)).moved(added), window)
                if np.isnan(p[s]):  # left to the test itself
                    assert n < 3 or not one.applicable or kind == "gaps", (name, s, one.reason)
                else:
                    assert p[s] == pytest.approx(one.p_value, rel=ROUNDING, abs=1e-15), (name, s, effect)


def test_what_estimation_days_say_is_asked_once_and_stays_right():
    """Effects one after the other, in any order, on days that move and days that do not."""
    window = Window(-1, 1)
    ab = samples("whole", 6, window, es.MarketModel("rest"), common=False)
    found = Samples(ab, 6)
    for added in ([0.0, 0.02, 0.0], [0.03, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.02, 0.0]):
        moved = found.moved(np.array(added))
        again = Samples(ab.moved(np.array(added)), 6)
        for name, compute in AT_ONCE.items():
            np.testing.assert_allclose(compute(moved), compute(again), rtol=ROUNDING, err_msg=name)
    assert moved.estimation is found.estimation


def test_a_sample_without_spread_is_left_to_its_test():
    """Equal abnormal returns, and residuals that cancel, have no t."""
    ab = samples("whole", 4, Window(0, 0), es.MeanAdjusted(), common=False)
    ar, residuals = ab.ar.copy(), ab.residuals.copy()
    ar[:4] = 0.01
    residuals[4:6], residuals[6:8] = residuals[8:10], -residuals[8:10]
    found = Samples(ab.but(ar=ar, residuals=residuals, sigma=np.full(ab.n, 0.02)), 4)
    assert np.isnan(AT_ONCE["csect_t"](found)).tolist() == [True] + [False] * (SAMPLES - 1)
    assert np.isnan(AT_ONCE["cda_t"](found)).tolist() == [False, True] + [False] * (SAMPLES - 2)
    assert "no cross-sectional variance" in run_test("csect_t", ab.but(ar=ar).take(np.arange(4)), (0, 0)).reason
