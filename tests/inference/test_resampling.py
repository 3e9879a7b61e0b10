"""Sign flips and bootstraps against full enumeration in loops, scipy and statsmodels; what they say when they cannot say much."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.panel import EventPanel
from eventstudy.inference import resampling, run_test
from eventstudy.inference.clusters import cluster_labels
from eventstudy.inference.resampling import johnson_t
from eventstudy.windows import Window

DAY = (0, 0)
ROOT5 = math.sqrt(5.0)
# A Monte Carlo p-value may lie this many of its standard errors from the enumerated one.
ERRORS = 4.0


def study(cars: np.ndarray, position: np.ndarray | None = None, firm: list[str] | None = None) -> AbnormalReturns:
    """Events whose abnormal return on day 0 is given; a mean of zero is fitted to eight days before."""
    n = len(cars)
    place = np.arange(n) * 50 + 10 if position is None else np.asarray(position)
    names = firm or [f"F{i}" for i in range(n)]
    before = np.tile([0.01, -0.01, 0.02, -0.02], (n, 2))
    panel = EventPanel(
        events=tuple(es.Event(f, "2025-01-27") for f in names) if n < 1000 else (es.Event("F", "2025-01-27"),) * n,
        keys=tuple(map(str, range(n))),
        position=place.astype(np.int64),
        calendar=pd.date_range("1990-01-01", periods=max(int(place.max()), 0) + 5 if n < 1000 else 20),
        estimation=Window(-9, -2),
        window=Window(0, 1),
        est_returns=before,
        event_returns=np.stack([cars, cars / 2], axis=1),
        columns=(),
        est_columns=np.empty((n, 8, 0)),
        event_columns=np.empty((n, 2, 0)),
    )
    model = es.MeanAdjusted()
    return abnormal_returns(panel, model.fit(panel))


def draw(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(4, n) * 0.02 + 0.008


def loop_t(x: list[float], labels: list[int]) -> float:
    """Cluster-robust t of a mean, by loops."""
    n, mean = len(x), sum(x) / len(x)
    names = sorted(set(labels))
    scores = [sum(v - mean for v, g in zip(x, labels, strict=True) if g == name) for name in names]
    variance = len(names) / (len(names) - 1) * sum(s * s for s in scores) / n**2
    return math.inf if variance < 1e-30 else mean / math.sqrt(variance)


POSITIONS = {
    "separate": [10, 60, 110, 160, 210, 260, 310],
    "pairs": [10, 10, 60, 60, 110, 160, 210],
    "unequal": [10, 10, 10, 60, 110, 110, 160],
}


@pytest.mark.parametrize("design", POSITIONS)
@pytest.mark.parametrize("statistic", ["t", "mean"])
def test_sign_flips_by_enumeration(design, statistic):
    x, labels = draw(7).tolist(), POSITIONS[design]
    names = sorted(set(labels))

    def size(values: list[float]) -> float:
        return abs(sum(values)) if statistic == "mean" else abs(loop_t(values, labels))

    hits = total = 0
    for signs in product((1, -1), repeat=len(names)):
        sign = dict(zip(names, signs, strict=True))
        hits += size([sign[g] * v for v, g in zip(x, labels, strict=True)]) >= size(x) * (1 - 1e-9)
        total += 1
    got = run_test("signflip", study(np.array(x), np.array(labels)), DAY, statistic=statistic)
    assert got.p_value == pytest.approx(hits / total, rel=1e-12)
    assert got.statistic == pytest.approx(loop_t(x, labels) if statistic == "t" else sum(x) / 7, rel=1e-10)
    assert got.details["clusters"] == len(names)
    assert got.distribution == "exact"


def test_sign_flips_are_scipys_permutation_test():
    x = draw(9)
    theirs = stats.permutation_test((x,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert run_test("signflip", study(x), DAY).p_value == pytest.approx(theirs.pvalue, rel=1e-12)


def test_t_by_cluster_is_the_regression_on_a_constant():
    x, labels = draw(7), np.array(POSITIONS["unequal"])
    fit = sm.OLS(x, np.ones(7)).fit(cov_type="cluster", cov_kwds={"groups": labels})
    for name in ("signflip", "bootstrap", "wild_bootstrap"):
        assert run_test(name, study(x, labels), DAY).statistic == pytest.approx(float(fit.tvalues[0]), rel=1e-9)
        single = run_test(name, study(x), DAY)
        assert single.statistic == pytest.approx(stats.ttest_1samp(x, 0.0).statistic, rel=1e-9)


@pytest.mark.parametrize("design", ["separate", "unequal"])
def test_mammens_weights_by_enumeration(design):
    x, labels = draw(7).tolist(), POSITIONS[design]
    names, own = sorted(set(labels)), abs(loop_t(x, labels))
    low, high, chance = -(ROOT5 - 1) / 2, (ROOT5 + 1) / 2, (ROOT5 + 1) / (2 * ROOT5)
    assert low * chance + high * (1 - chance) == pytest.approx(0.0, abs=1e-15)
    for power in (2, 3):
        assert low**power * chance + high**power * (1 - chance) == pytest.approx(1.0)
    p = 0.0
    for weights in product((low, high), repeat=len(names)):
        weight = dict(zip(names, weights, strict=True))
        t = abs(loop_t([weight[g] * v for v, g in zip(x, labels, strict=True)], labels))
        p += math.prod(chance if w == low else 1 - chance for w in weights) * (t >= own * (1 - 1e-9))
    got = run_test("wild_bootstrap", study(np.array(x), np.array(labels)), DAY, weights="mammen")
    assert got.p_value == pytest.approx(p, rel=1e-10)


@pytest.mark.parametrize("options", [{"weights": "rademacher"}, {"weights": "mammen"}])
def test_drawn_weights_agree_with_all_of_them(monkeypatch, options):
    x = study(draw(14), np.array([10, 10, *range(60, 660, 50)]))
    exact = run_test("wild_bootstrap", x, DAY, **options)
    monkeypatch.setattr(resampling, "EXACT_UP_TO", 5)
    drawn = run_test("wild_bootstrap", x, DAY, draws=20_000, **options)
    assert abs(drawn.p_value - exact.p_value) < ERRORS * drawn.details["mc_se"]
    assert "Monte Carlo s.e. of p" in drawn.note
    assert drawn.p_value == (1 + round(drawn.p_value * 20_001 - 1)) / 20_001


@pytest.mark.parametrize("n", [7, 40])
def test_rademacher_weights_are_sign_flips_of_t(n):
    x = study(draw(n), np.arange(n) // 2 * 50 + 10)
    flips, wild = run_test("signflip", x, DAY), run_test("wild_bootstrap", x, DAY)
    assert flips.p_value == wild.p_value
    assert flips.statistic == wild.statistic


@pytest.mark.parametrize("labels", [[10, 60, 110, 160, 210], [10, 10, 60, 110, 110, 110, 160]])
def test_pairs_bootstrap_agrees_with_all_resamples(labels):
    x = draw(len(labels), seed=4).tolist()
    names, own, mean = sorted(set(labels)), abs(loop_t(x, labels)), sum(x) / len(x)
    hits = total = 0
    for drawn in product(names, repeat=len(names)):
        values = [(v - mean, k) for k, g in enumerate(drawn) for v, h in zip(x, labels, strict=True) if h == g]
        t = abs(loop_t([v for v, _ in values], [k for _, k in values]))
        hits += t >= own * (1 - 1e-9)
        total += 1
    got = run_test("bootstrap", study(np.array(x), np.array(labels)), DAY, draws=30_000)
    assert abs(got.p_value - hits / total) < ERRORS * got.details["mc_se"]
    assert got.p_value > 0.01


def test_skewness_adjusted_bootstrap_by_loops():
    x = np.random.default_rng(8).exponential(0.05, 40) - 0.04

    def johnson(sample: np.ndarray, centre: float) -> float:
        n, sd = len(sample), float(np.std(sample, ddof=1))
        s = (float(np.mean(sample)) - centre) / sd
        gamma = float(np.sum((sample - np.mean(sample)) ** 3)) / (n * sd**3)
        return math.sqrt(n) * (s + gamma * s * s / 3 + gamma / (6 * n))

    assert johnson_t(x[None, :])[0] == pytest.approx(johnson(x, 0.0), rel=1e-12)
    assert johnson_t(np.array([[1.0, 1.0, 1.0]]))[0] == np.inf
    rng, draws = np.random.default_rng(9), 4000
    drawn = np.array([johnson(rng.choice(x, 10), float(x.mean())) for _ in range(draws)])
    own = johnson(x, 0.0)
    p = 2 * min((1 + (drawn <= own).sum()) / (draws + 1), (1 + (drawn >= own).sum()) / (draws + 1))
    got = run_test("bootstrap", study(x), DAY, variant="skew")
    assert got.statistic == pytest.approx(own, rel=1e-9)
    assert abs(got.p_value - p) < ERRORS * math.hypot(got.details["mc_se"], math.sqrt(2 * p / draws))
    assert "10 events" in got.note


ALL = [
    ("signflip", {}),
    ("wild_bootstrap", {"weights": "mammen"}),
    ("bootstrap", {}),
    ("bootstrap", {"variant": "skew"}),
]


@pytest.mark.parametrize(("name", "options"), ALL)
def test_drawn_results_do_not_depend_on_order_sign_or_scale(name, options):
    x = draw(33)
    place = np.arange(33) * 50 if options.get("variant") == "skew" else np.arange(33) // 2 * 50
    first = run_test(name, study(x, place), DAY, draws=999, **options)
    order = np.random.default_rng(0).permutation(33)
    alone = run_test(name, study(x, place), DAY, draws=999, cluster="event", **options)
    for other, sign in (
        (study(x[order], place[order]), 1),
        (study(-x, place), -1),
        (study(7 * x, place), 1),
    ):
        apart = run_test(name, other, DAY, draws=999, cluster="event", **options)
        assert apart.p_value == pytest.approx(alone.p_value, rel=1e-12)
        again = run_test(name, other, DAY, draws=999, **options)
        assert again.p_value == pytest.approx(first.p_value, rel=1e-12)
        assert again.statistic == pytest.approx(sign * first.statistic, rel=1e-9)
    assert run_test(name, study(x, place), DAY, draws=999, seed=1, **options).p_value != first.p_value
    assert 0.0 < first.p_value <= 1.0


def test_chains_of_windows_that_share_days():
    place = np.array([10, 11, 13, 60, 61, 90, 12])
    ab = study(draw(7), place)

    def groups(window: Window) -> list[set[int]]:
        sets = [{i} for i in range(7)]
        for i in range(7):
            for j in range(i):
                if abs(place[i] - place[j]) < len(window):
                    a, b = (next(s for s in sets if k in s) for k in (i, j))
                    if a is not b:
                        sets.remove(b)
                        a |= b
        return sorted(sets, key=min)

    for window in (Window(0, 0), Window(0, 1)):
        label = cluster_labels(ab, np.arange(7), window, "overlap")
        found = sorted(({*np.flatnonzero(label == g).tolist()} for g in set(label.tolist())), key=min)
        assert found == groups(window)
    assert run_test("signflip", ab, (0, 1), cluster="overlap").details["clusters"] == 3
    twice = study(draw(6), np.arange(6) * 50, ["A", "A", "B", "B", "C", "D"])
    assert run_test("signflip", twice, DAY, cluster="firm").details["clusters"] == 4


# -- what cannot be said -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["signflip", "bootstrap", "wild_bootstrap"])
def test_one_date_is_one_cluster(name):
    together = study(draw(12), np.full(12, 30))
    got = run_test(name, together, DAY)
    assert not got.applicable
    assert "all 12 events are of one date" in got.reason
    assert "kp_bmp_t" in got.reason
    assert run_test(name, together, DAY, cluster="event").applicable


@pytest.mark.parametrize("name", ["signflip", "bootstrap", "wild_bootstrap"])
def test_few_clusters_say_what_they_can_reach(name):
    assert "at least two events" in run_test(name, study(draw(1)), DAY).reason
    two = run_test(name, study(draw(2)), DAY)
    three = run_test(name, study(np.array([0.011, 0.01, 0.0102])), DAY)
    if name == "bootstrap":
        assert "too few to draw from: one of them alone makes 50%" in two.reason
        assert "makes 11%" in three.reason
        assert run_test(name, study(draw(4)), DAY).applicable
        return
    assert "smallest attainable p 0.5000" in two.note
    assert (three.p_value, three.applicable) == (0.25, True)
    assert "smallest attainable p 0.2500, so it cannot reach 5 %" in three.note
    assert "smallest" not in run_test(name, study(draw(6)), DAY).note


def test_mammens_weights_need_more_clusters():
    same = study(np.linspace(0.010, 0.011, 9))
    got = run_test("wild_bootstrap", same, DAY, weights="mammen")
    low = (ROOT5 + 1) / (2 * ROOT5)
    assert got.p_value == pytest.approx(low**9 + (1 - low) ** 9, rel=1e-9)
    assert "cannot reach 5 %" in got.note


def test_equal_values_have_no_t_but_signs():
    for value in (0.02, 0.0):
        flat = study(np.full(8, value))
        for name in ("signflip", "bootstrap", "wild_bootstrap"):
            got = run_test(name, flat, DAY)
            assert not got.applicable
            assert "same value" in got.reason
        assert run_test("signflip", flat, DAY, statistic="mean").p_value == (2 / 2**8 if value else 1.0)


def test_missing_days_and_small_samples_for_skewness():
    gone = study(draw(9))
    none = replace(gone, ar=np.full_like(gone.ar, np.nan))
    for name, options in ALL:
        assert "no event has" in run_test(name, none, DAY, **options).reason
    assert "20 events needed" in run_test("bootstrap", gone, DAY, variant="skew").reason
    shared = study(draw(30), np.arange(30) // 2 * 50)
    assert "assumes no cross-sectional dependence" in run_test("bootstrap", shared, DAY, variant="skew").reason
    assert run_test("bootstrap", shared, DAY, variant="skew", cluster="event").applicable


@pytest.mark.parametrize("name", ["signflip", "bootstrap", "wild_bootstrap"])
def test_wrong_options_are_refused(name):
    x = study(draw(6))
    for options, words in (
        ({"draws": 0}, "draws is 0"),
        ({"draws": 99.5}, r"draws is 99\.5"),
        ({"draws": True}, "draws is True"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "monday"}, "seed is 'monday'"),
        ({"cluster": "year"}, "date, event, firm, overlap"),
        ({"speed": 3}, "has the option"),
    ):
        with pytest.raises(es.errors.InvalidInput, match=words):
            run_test(name, x, DAY, **options)
    for test, option in (("signflip", "statistic"), ("bootstrap", "variant"), ("wild_bootstrap", "weights")):
        with pytest.raises(es.errors.InvalidInput, match=option):
            run_test(test, x, DAY, **{option: "best"})


@pytest.mark.slow
def test_a_hundred_thousand_events_fit_into_memory():
    n = 100_000
    x = study(np.random.default_rng(2).standard_normal(n) * 0.02)
    for name, options in ALL[:3]:
        tracemalloc.start()
        got = run_test(name, x, DAY, draws=99, **options)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert got.applicable
        assert peak < 150e6, f"{name}: {peak / 1e6:.0f} MB; 99 x 100,000 numbers at once are 79"
