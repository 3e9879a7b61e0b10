"""Rank and sign tests once more, in loops that share no code with the package, and against scipy."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from statistics import fmean, median, stdev

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.inference import run_test
from eventstudy.inference.nonparametric import mid_ranks

# Loops and array sums add the same numbers in another order; twelve digits are left of sixteen.
RTOL = 1e-11
WINDOWS = [(0, 0), (0, 1), (-3, 3)]
TICKERS = tuple("ABCDEFGH")
DAYS = pd.bdate_range("2023-01-02", periods=160)
Row = dict[int, float]


def make(holes: bool) -> AbnormalReturns:
    rng = np.random.default_rng(7)
    market = rng.normal(0.0, 0.01, len(DAYS))
    common = rng.normal(0.0, 0.006, len(DAYS))
    table = pd.DataFrame({"MKT": market}, index=DAYS)
    for i, ticker in enumerate(TICKERS):
        table[ticker] = (0.5 + 0.1 * i) * market + common + rng.standard_t(4, len(DAYS)) * 0.012
    places = (110, 110, 112, 115, 120, 130, 140, 150)
    if holes:
        table.iloc[rng.integers(60, 150, 12), 1] = np.nan
        table.iloc[rng.integers(60, 150, 12), 4] = np.nan
        table.iloc[[110, 121], 1] = np.nan  # the event day of A, a day of B
        table.iloc[150, 8] = np.nan
    study = es.EventStudy(
        model=es.MarketModel("MKT"), estimation=(-70, -11), window=(-3, 3), calendar=None, max_dropped=1.0, gaps="skip"
    )
    events = [es.Event(t, DAYS[p]) for t, p in zip(TICKERS, places, strict=True)]
    return study.run(table, events).abnormal


@pytest.fixture(scope="module", params=[True, False], ids=["holes", "whole"])
def abnormal(request: pytest.FixtureRequest) -> AbnormalReturns:
    return make(request.param)


@pytest.fixture(scope="module")
def whole() -> AbnormalReturns:
    return make(False)


def rows(ab: AbnormalReturns) -> list[Row]:
    """Abnormal returns by relative day, estimation days and event days in one mapping an event."""
    out = []
    for i in range(ab.n):
        days = [*ab.estimation.days.tolist(), *ab.window.days.tolist()]
        values = [*ab.residuals[i].tolist(), *ab.ar[i].tolist()]
        out.append({d: v for d, v in zip(days, values, strict=True) if not math.isnan(v)})
    return out


def rank(values: Row) -> Row:
    """Mid-ranks by counting."""
    return {
        k: sum(w < v for w in values.values()) + (sum(w == v for w in values.values()) + 1) / 2
        for k, v in values.items()
    }


def scores(values: Row) -> Row:
    return {k: r / (len(values) + 1) - 0.5 for k, r in rank(values).items()}


def by_day(events: list[Row]) -> dict[int, list[float]]:
    return {d: [e[d] for e in events if d in e] for d in sorted({d for e in events for d in e})}


def inside(window: tuple[int, int]) -> range:
    return range(window[0], window[1] + 1)


def series_z(daily: dict[int, float], window: tuple[int, int], scale: float | None = None) -> float:
    if scale is None:
        scale = math.sqrt(sum(v * v for v in daily.values()) / len(daily))
    return sum(daily[d] for d in inside(window) if d in daily) / (math.sqrt(len(inside(window))) * scale)


def cars(ab: AbnormalReturns, window: tuple[int, int]) -> list[float]:
    sums = [[e[d] for d in inside(window) if d in e] for e in rows(ab)]
    return [sum(s) for s in sums if s]


@pytest.mark.parametrize("window", WINDOWS)
def test_corrado_zivney_ranks(abnormal, window):
    daily = {d: sum(v) / math.sqrt(len(v)) for d, v in by_day([scores(e) for e in rows(abnormal)]).items()}
    got = run_test("corrado_zivney_rank_z", abnormal, window)
    assert got.statistic == pytest.approx(series_z(daily, window), rel=RTOL)
    assert got.p_value == pytest.approx(2 * stats.norm.sf(abs(got.statistic)), rel=1e-10)
    assert got.n == len(cars(abnormal, window))


@pytest.mark.parametrize("window", WINDOWS)
def test_weighted_ranks(abnormal, window):
    days = by_day([scores(e) for e in rows(abnormal)])
    squares = [len(v) / abnormal.n * fmean(v) ** 2 for v in days.values()]
    z = series_z({d: fmean(v) for d, v in days.items()}, window, math.sqrt(sum(squares) / len(days)))
    assert run_test("corrado_zivney_rank_z", abnormal, window, variant="weighted").statistic == pytest.approx(
        z, rel=RTOL
    )


@pytest.mark.parametrize("window", WINDOWS)
def test_ranks_of_returns_scaled_on_each_event_day(abnormal, window):
    events = []
    for e in rows(abnormal):
        own = stdev([v for d, v in e.items() if d in abnormal.estimation])
        events.append({d: v / own for d, v in e.items()})
    deviation = {d: stdev(v) for d, v in by_day(events).items() if d in abnormal.window}
    events = [{d: v / deviation.get(d, 1.0) for d, v in e.items()} for e in events]
    daily = {d: sum(v) / math.sqrt(len(v)) for d, v in by_day([scores(e) for e in events]).items()}
    got = run_test("corrado_zivney_rank_z", abnormal, window, variant="eiv").statistic
    assert got == pytest.approx(series_z(daily, window), rel=RTOL)


@pytest.mark.parametrize("window", WINDOWS)
def test_corrado_zivney_signs(abnormal, window):
    events = []
    for e in rows(abnormal):
        middle = median(e.values())
        events.append({d: float((v > middle) - (v < middle)) for d, v in e.items()})
    daily = {d: sum(v) / math.sqrt(len(v)) for d, v in by_day(events).items()}
    got = run_test("corrado_zivney_sign_z", abnormal, window)
    assert got.statistic == pytest.approx(series_z(daily, window), rel=RTOL, abs=1e-14)


@pytest.mark.parametrize("window", WINDOWS)
def test_cumulated_ranks(abnormal, window):
    total = variance = 0.0
    for e in rows(abnormal):
        u, days = scores(e), [d for d in inside(window) if d in e]
        total += sum(u[d] for d in days)
        variance += len(days) * (len(e) - len(days)) / (12 * (len(e) + 1))
    assert run_test("cumrank_z", abnormal, window).statistic == pytest.approx(total / math.sqrt(variance), rel=RTOL)


def test_the_variance_of_cumulated_ranks_is_that_of_all_draws_without_replacement():
    for days, length in ((7, 1), (7, 3), (8, 4)):
        sums = [sum(k / (days + 1) - 0.5 for k in drawn) for drawn in combinations(range(1, days + 1), length)]
        exact = fmean(s * s for s in sums)
        assert exact == pytest.approx(length * (days - length) / (12 * (days + 1)), rel=1e-12)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("rescale", [False, True])
def test_generalised_ranks(abnormal, window, rescale):
    scar = abnormal.sums(window).scar.tolist()
    there = [v for v in scar if not math.isnan(v)]
    shrink = 1.0
    if rescale:
        shrink = math.sqrt(1.0 - run_test("kp_bmp_t", abnormal, window).details["r_bar"])
    events, variance = [], 0.0
    for e, s, own in zip(rows(abnormal), abnormal.sigma.tolist(), scar, strict=True):
        days = {d: v / s for d, v in e.items() if d in abnormal.estimation}
        if not math.isnan(own):
            days[0] = shrink * own / stdev(there)
            variance += (len(days) - 1) / (12 * (len(days) + 1)) / len(there) ** 2
        events.append(scores(days))
    days = by_day(events)
    u = {d: fmean(v) for d, v in days.items()}
    assert run_test("grank_z", abnormal, window, rescale=rescale).statistic == pytest.approx(
        u[0] / math.sqrt(variance), rel=RTOL
    )
    scale = math.sqrt(sum(len(days[d]) / len(there) * u[d] ** 2 for d in u) / len(u))
    z, total = u[0] / scale, len(u)
    got = run_test("grank_t", abnormal, window, rescale=rescale)
    assert got.statistic == pytest.approx(z * math.sqrt((total - 2) / (total - 1 - z * z)), rel=RTOL)
    assert got.df == total - 2


@pytest.mark.parametrize("window", WINDOWS)
def test_signs_and_signed_ranks_are_scipys(abnormal, window):
    x = cars(abnormal, window)
    n, plus = len(x), sum(v > 0 for v in x)
    z, exact = run_test("sign_z", abnormal, window), run_test("sign_exact", abnormal, window)
    assert z.statistic == pytest.approx((plus - n / 2) / (math.sqrt(n) / 2), rel=RTOL, abs=1e-14)
    assert exact.statistic == plus
    assert exact.p_value == pytest.approx(stats.binomtest(plus, n, 0.5).pvalue, rel=1e-12)
    corrected = run_test("wilcoxon", abnormal, window, variant="normal_cc")
    theirs = stats.wilcoxon(x, correction=True, method="asymptotic")
    assert corrected.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert run_test("wilcoxon", abnormal, window, variant="exact").p_value == pytest.approx(
        stats.wilcoxon(x, method="exact").pvalue, rel=1e-9
    )


def test_a_window_among_equal_ordinary_days_takes_their_mean_rank(whole):
    """Residuals of whole numbers, and three events whose standardised CARs are -1, 0 and 1."""
    rng = np.random.default_rng(2)
    three = only(whole, 0, 1, 2)
    cars = np.array([-1.0, 0.0, 1.0])
    level = replace(
        three,
        residuals=rng.integers(-3, 4, three.residuals.shape).astype(float),
        ar=np.repeat(cars[:, None], 7, axis=1),
        sigma=np.ones(3),
        rows=np.zeros_like(three.rows),
    )
    u = [scores({**dict(enumerate(level.residuals[i].tolist())), -1: cars[i]})[-1] for i in range(3)]
    variance = 3 * 60 / (12 * 62) / 9
    assert run_test("grank_z", level, (0, 0)).statistic == pytest.approx(
        fmean(u) / math.sqrt(variance), rel=RTOL, abs=1e-14
    )
    assert sum(level.residuals[0] == -1.0) > 3


def test_zero_is_not_positive(whole):
    ar = whole.ar.copy()
    ar[:, 3] = [0.0, 0.0, 0.01, 0.02, 0.03, -0.01, 0.04, 0.05]
    zeros = replace(whole, ar=ar)
    for name in ("sign_z", "sign_exact", "gsign_z"):
        assert run_test(name, zeros, (0, 0)).details["n_plus"] == 5.0
        assert run_test(name, zeros, (0, 0)).n == 8
    assert run_test("wilcoxon", zeros, (0, 0)).n == 6


def test_a_w_at_its_mean_has_probability_one(whole):
    x = np.array([1.0, -2.0, -3.0, 4.0, -5.0, 6.0, 7.0, -8.0])  # W+ = 1 + 4 + 6 + 7 = 18, its mean
    level = replace(whole, ar=np.repeat(x[:, None], 7, axis=1))
    got = run_test("wilcoxon", level, (0, 0), variant="normal_cc")
    assert (got.statistic, got.p_value) == (0.0, 1.0)


def test_ranks_are_scipys_with_and_without_ties_and_gaps():
    rng = np.random.default_rng(3)
    values = rng.standard_normal((40, 60))
    values[10:20] = rng.integers(-4, 5, (10, 60))  # ties
    values[15:30][rng.random((15, 60)) < 0.2] = np.nan
    values[38] = np.nan
    values[39] = 2.5
    expected = np.array([stats.rankdata(row, nan_policy="omit") for row in values])
    np.testing.assert_array_equal(mid_ranks(values), np.where(np.isfinite(values), expected, np.nan))
    assert mid_ranks(np.empty((0, 5))).shape == (0, 5)
    np.testing.assert_array_equal(mid_ranks(np.array([[3.0], [np.nan]])), [[1.0], [np.nan]])


def test_without_gaps_the_rank_tests_are_one(whole):
    for window in WINDOWS:
        first = run_test("corrado_rank_z", whole, window)
        for variant in ("paper", "weighted"):
            other = run_test("corrado_zivney_rank_z", whole, window, variant=variant)
            assert other.statistic == pytest.approx(first.statistic, rel=RTOL)


def test_ties_meet_the_median_exactly(whole):
    """Mid-ranks are no substitute for the median: of 1, 2, 2 the twos are on it though their rank is above the mean."""
    coarse = replace(whole, ar=np.round(whole.ar, 2), residuals=np.round(whole.residuals, 2))
    events = []
    for e in rows(coarse):
        middle = median(e.values())
        events.append({d: float((v > middle) - (v < middle)) for d, v in e.items()})
    daily = {d: sum(v) / math.sqrt(len(v)) for d, v in by_day(events).items()}
    got = run_test("corrado_zivney_sign_z", coarse, (-3, 3)).statistic
    assert got == pytest.approx(series_z(daily, (-3, 3)), rel=RTOL, abs=1e-14)


# -- what few events can say ---------------------------------------------------------------------------------------


def only(ab: AbnormalReturns, *chosen: int) -> AbnormalReturns:
    return ab.take(np.array(chosen))


@pytest.mark.parametrize(
    "name", ["corrado_rank_z", "corrado_zivney_rank_z", "corrado_zivney_sign_z", "cumrank_z", "sign_z", "gsign_z"]
)
def test_one_event_and_one_day_cannot_reach_five_per_cent(whole, name):
    got = run_test(name, only(whole, 0), (0, 0))
    assert not got.applicable
    most = math.sqrt(3 * 66 / 68) if "rank" in name else 1.0  # T = 67
    stated = float(got.reason.split("about ")[1].split(";")[0])
    assert stated == pytest.approx(2 * stats.norm.sf(most), abs=0.03 if most == 1.0 else 0.005)
    assert "sq or permutation" in got.reason


@pytest.mark.parametrize("name", ["corrado_rank_z", "corrado_zivney_rank_z", "cumrank_z"])
def test_the_smallest_p_of_one_event_is_attained_by_its_most_extreme_days(whole, name):
    one = only(whole, 0)
    got = run_test(name, one, (0, 1))
    stated = float(got.note.split("attainable p ")[1])
    assert got.p_value >= stated
    ar = one.ar.copy()
    ar[0, 3:5] = 1.0, 2.0
    assert run_test(name, replace(one, ar=ar), (0, 1)).p_value == pytest.approx(stated, abs=6e-5)


def test_three_signs_say_nothing_and_four_are_put_in_their_place(whole):
    for name in ("sign_z", "gsign_z"):
        assert not run_test(name, only(whole, 0, 4, 5), (0, 0)).applicable
    four = only(whole, 0, 4, 5, 6)
    assert "never below 0.1250" in run_test("sign_z", four, (0, 0)).note
    for name in ("sign_exact", "wilcoxon"):
        got = run_test(name, four, (0, 0))
        assert got.applicable
        assert "smallest attainable p with 4 is 0.1250" in got.note
        same = replace(four, ar=np.abs(four.ar))
        assert run_test(name, same, (0, 0)).p_value == 0.125
    assert "smallest" not in run_test("sign_exact", only(whole, 0, 1, 2, 3, 4, 5), (0, 0)).note
    assert not run_test("wilcoxon", four, (0, 0), variant="normal").applicable


def test_two_shares_of_one_firm_are_no_two_events(whole):
    twice = only(whole, 0, 0)
    for name in ("corrado_rank_z", "corrado_zivney_rank_z", "corrado_zivney_sign_z"):
        got = run_test(name, twice, (0, 0))
        assert not got.applicable
        assert "no outcome could reach 5 %" in got.reason


def test_all_missing_days_and_lone_days_say_why(whole):
    names = ("corrado_zivney_rank_z", "corrado_zivney_sign_z", "cumrank_z", "grank_z", "sign_z", "sign_exact")
    ar = whole.ar.copy()
    ar[:, 3] = np.nan
    for name in names:
        got = run_test(name, replace(whole, ar=ar), (0, 0))
        assert not got.applicable
        assert "no event has an abnormal return" in got.reason
    ar[0, 3] = 0.01  # one event alone on the day
    lone = run_test("corrado_zivney_rank_z", replace(whole, ar=ar), (0, 0), variant="eiv")
    assert not lone.applicable
    assert "there is one" in lone.reason
    alike = replace(whole, ar=np.ones((8, 7)) * np.std(whole.residuals, axis=1, ddof=1)[:, None])
    flat = run_test("corrado_zivney_rank_z", alike, (0, 0), variant="eiv")
    assert not flat.applicable
    assert "two events that differ" in flat.reason


def test_unknown_variants_are_refused_with_the_list(whole):
    with pytest.raises(es.errors.InvalidInput, match="paper, weighted, eiv"):
        run_test("corrado_zivney_rank_z", whole, (0, 0), variant="best")
    with pytest.raises(es.errors.InvalidInput, match="normal_cc"):
        run_test("wilcoxon", whole, (0, 0), variant="continuity")


def test_ranks_are_shared_and_do_not_change_between_tests(whole):
    fresh = make(False)
    first = {n: run_test(n, fresh, (0, 1)).statistic for n in ("cumrank_z", "grank_z", "corrado_rank_z")}
    again = {n: run_test(n, whole, (0, 1)).statistic for n in reversed(first)}
    assert first == again
