"""What must hold for any data: symmetries of the numbers, and tests that collapse into one another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.inference import TESTS
from eventstudy.windows import Window

pytestmark = pytest.mark.slow

FEW = settings(max_examples=6, deadline=None, derandomize=True)
TICKERS = ("A", "B", "C", "D", "E")
N_DAYS = 140
START = pd.Timestamp("2024-01-01")
STUDY = es.EventStudy(model=es.MarketModel("MKT"), estimation=(-70, -6), window=(-2, 2), calendar=None)
# Two runs differ by the order of sums and by rescaling: twelve digits are left of sixteen.
RTOL, ATOL = 1e-10, 1e-13
MANY = [name for name, method in TESTS.items() if method.scope == "many"]
#: With one date there is one cluster, and nothing to resample.
RESAMPLE_DATES = ("signflip", "bootstrap", "wild_bootstrap")
# One date is one cluster and too short a calendar, and two of the firms miss days.
NEED_DATES_OR_FULL_DAYS = ("clustered_t", "calendar_time", "joint_wald")
seeds = st.integers(min_value=0, max_value=2**32 - 1)


def returns(seed: int, holes: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.01, N_DAYS)
    common = rng.normal(0.0, 0.008, N_DAYS)
    table = pd.DataFrame({"MKT": market}, index=pd.bdate_range(START, periods=N_DAYS))
    for ticker in TICKERS:
        table[ticker] = rng.normal(1.0, 0.4) * market + common + rng.standard_t(5, N_DAYS) * 0.015
    if holes:
        for ticker in TICKERS[:2]:
            table.iloc[rng.integers(0, N_DAYS, 5), table.columns.get_loc(ticker)] = np.nan
    return table


def events(seed: int) -> list[es.Event]:
    rng = np.random.default_rng(seed + 1)
    days = pd.bdate_range(START, periods=N_DAYS)[rng.integers(80, N_DAYS - 4, len(TICKERS))]
    return [es.Event(t, d) for t, d in zip(TICKERS, days, strict=True)]


def one_date() -> list[es.Event]:
    return [es.Event(t, pd.bdate_range(START, periods=N_DAYS)[110]) for t in TICKERS]


def statistics(result: es.EventStudyResult, window: tuple[int, int]) -> pd.DataFrame:
    return result.tests(window, names=MANY)[["statistic", "p_value", "n"]]


def alike(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a, b, rtol=RTOL, atol=ATOL)


@pytest.mark.slow
@FEW
@given(seeds, st.permutations(range(len(TICKERS))))
def test_the_order_of_events_does_not_matter(seed, order):
    table, listed = returns(seed), events(seed)
    first, second = STUDY.run(table, listed), STUDY.run(table, [listed[i] for i in order])
    alike(first.ar, second.ar.loc[first.ar.index])
    for window in ((0, 0), (-2, 2)):
        alike(statistics(first, window), statistics(second, window))


@pytest.mark.slow
@FEW
@given(seeds)
def test_the_order_of_rows_and_columns_does_not_matter(seed):
    table, listed = returns(seed), events(seed)
    shuffled = table.sample(frac=1.0, random_state=seed % 2**31)[table.columns[::-1]]
    first, second = STUDY.run(table, listed), STUDY.run(shuffled, listed)
    alike(first.ar, second.ar)
    alike(statistics(first, (0, 1)), statistics(second, (0, 1)))


@FEW
@given(seeds, st.floats(min_value=0.05, max_value=3.0))
def test_scaling_returns_scales_abnormal_returns_and_leaves_the_tests(seed, factor):
    table, listed = returns(seed), events(seed)
    first, second = STUDY.run(table, listed), STUDY.run(table * factor, listed)
    alike(first.ar * factor, second.ar)
    np.testing.assert_allclose(first.car(0, 1)["t"], second.car(0, 1)["t"], rtol=RTOL)
    np.testing.assert_allclose(first.car(0, 1)["se"] * factor, second.car(0, 1)["se"], rtol=RTOL)
    for window in ((0, 0), (-1, 1)):
        alike(statistics(first, window), statistics(second, window))


@FEW
@given(seeds)
def test_turning_all_signs_turns_the_tests(seed):
    table, listed = returns(seed), events(seed)
    first, second = STUDY.run(table, listed), STUDY.run(-table, listed)
    alike(first.ar, -second.ar)
    one, two, n = statistics(first, (0, 1)), statistics(second, (0, 1)), len(TICKERS)
    counts = {"wilcoxon": n * (n + 1) / 2, "sign_exact": n}
    odd = [name for name in MANY if name not in counts]
    np.testing.assert_allclose(one.loc[odd, "statistic"], -two.loc[odd, "statistic"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(one["p_value"], two["p_value"], rtol=1e-8)
    for name, total in counts.items():
        assert one.loc[name, "statistic"] + two.loc[name, "statistic"] == total


@FEW
@given(seeds, st.floats(min_value=-2.0, max_value=2.0), st.floats(min_value=-0.01, max_value=0.01))
def test_a_multiple_of_the_market_and_a_constant_do_not_reach_the_abnormal_returns(seed, slope, constant):
    table, listed = returns(seed), events(seed)
    moved = table.copy()
    for ticker in TICKERS:
        moved[ticker] = table[ticker] + slope * table["MKT"] + constant
    first, second = STUDY.run(table, listed), STUDY.run(moved, listed)
    pd.testing.assert_frame_equal(first.ar, second.ar, rtol=1e-8, atol=1e-13)
    np.testing.assert_allclose(first.coefficients["beta"] + slope, second.coefficients["beta"], atol=1e-9)
    np.testing.assert_allclose(first.coefficients["alpha"] + constant, second.coefficients["alpha"], atol=1e-12)


@FEW
@given(seeds, st.integers(min_value=-400, max_value=400))
def test_moving_all_dates_by_weeks_changes_nothing(seed, weeks):
    table, listed = returns(seed), events(seed)
    shift = pd.Timedelta(days=7 * weeks)
    later = table.set_axis(table.index + shift)
    first = STUDY.run(table, listed)
    second = STUDY.run(later, [es.Event(e.ticker, e.moment + shift) for e in listed])
    np.testing.assert_array_equal(first.ar.to_numpy(), second.ar.to_numpy())
    alike(statistics(first, (-2, 2)), statistics(second, (-2, 2)))


@FEW
@given(seeds)
def test_one_event_does_not_depend_on_the_others(seed):
    table, listed = returns(seed), events(seed)
    together = STUDY.run(table, listed)
    for event in listed:
        alone = STUDY.run(table, event)
        np.testing.assert_allclose(alone.ar.iloc[0], together.ar.loc[event.ticker], rtol=RTOL, atol=ATOL)
        assert alone.test("t_pe", (0, 1)).p_value == pytest.approx(
            together.test("t_pe", (0, 1), event=event.ticker).p_value, rel=1e-9
        )


@FEW
@given(seeds)
def test_what_happens_after_the_window_does_not_reach_back(seed):
    table, listed = returns(seed), one_date()
    cut = table.copy()
    cut.iloc[113:] = cut.iloc[113:] * 2.0
    alike(STUDY.run(table, listed).ar, STUDY.run(cut, listed).ar)


# -- collapses -----------------------------------------------------------------------------------------------------------


@FEW
@given(seeds)
def test_without_common_days_kp_is_bmp_and_adjusted_patell_is_patell(seed):
    table = returns(seed)
    days = pd.bdate_range(START, periods=N_DAYS)
    apart = [es.Event(t, days[80 + 6 * i]) for i, t in enumerate(TICKERS)]
    result = STUDY.run(table, apart)
    for window in ((0, 0), (-2, 2)):
        assert result.test("kp_bmp_t", window).details["r_bar"] == 0.0
        assert result.test("kp_bmp_t", window).statistic == result.test("bmp_t", window).statistic
        assert result.test("kp_patell_z", window).statistic == result.test("patell_z", window).statistic


@FEW
@given(seeds)
def test_a_window_of_one_day_is_that_day(seed):
    result = STUDY.run(returns(seed), events(seed))
    for day in (-2, 0, 1):
        table = result.car(day)
        np.testing.assert_allclose(table["car"], result.ar[day], rtol=RTOL)
        np.testing.assert_allclose(table["t"], result.sar[day], rtol=RTOL)
        np.testing.assert_allclose(result.abnormal.sums(day).csar, result.sar[day], rtol=RTOL)
        forms = [result.test("patell_z", day, variant=v).statistic for v in ("scar", "csar", "per_event")]
        bmp = [result.test("bmp_t", day, variant=v).statistic for v in ("scar", "csar")]
        np.testing.assert_allclose(bmp, bmp[0], rtol=RTOL)
        np.testing.assert_allclose(forms[:2], forms[0], rtol=RTOL)
        if result.abnormal.n_est.min() == result.abnormal.n_est.max():
            np.testing.assert_allclose(forms, forms[0], rtol=RTOL)


@FEW
@given(seeds)
def test_with_equal_estimation_windows_patells_three_forms_agree_on_one_day(seed):
    result = STUDY.run(returns(seed, holes=False), events(seed))
    forms = [result.test("patell_z", 0, variant=v).statistic for v in ("scar", "csar", "per_event")]
    np.testing.assert_allclose(forms, forms[0], rtol=RTOL)


@FEW
@given(seeds)
def test_market_adjusted_is_the_market_model_with_alpha_0_and_beta_1(seed):
    table, listed = returns(seed), events(seed)
    adjusted = es.EventStudy(model=es.MarketAdjusted("MKT"), estimation=(-70, -6), window=(-2, 2)).run(table, listed)
    difference = table[list(TICKERS)].sub(table["MKT"], axis=0)
    for i, e in enumerate(listed):
        place = table.index.get_loc(e.moment)
        np.testing.assert_array_equal(adjusted.ar.iloc[i], difference[e.ticker].iloc[place - 2 : place + 3])
    np.testing.assert_array_equal(adjusted.coefficients[["alpha", "beta"]], [[0.0, 1.0]] * len(TICKERS))
    # A sum of L days has variance L s²: nothing is estimated.
    sums = adjusted.abnormal.sums((-2, 2))
    np.testing.assert_allclose(sums.s_car, sums.s_car_naive, rtol=RTOL)


@FEW
@given(seeds)
def test_the_market_model_on_a_constant_free_market_is_the_mean_model(seed):
    """Orthogonal to the market within each window there is no beta, so both models say the same."""
    table = returns(seed, holes=False)
    event = es.Event("A", table.index[110])
    rows = slice(110 - 70, 110 - 5)
    x = np.column_stack([np.ones(65), table["MKT"].iloc[rows]])
    y = table["A"].iloc[rows].to_numpy()
    beta = np.linalg.lstsq(x, y, rcond=None)[0][1]
    table["A"] -= beta * table["MKT"]
    market = STUDY.run(table, event)
    mean = es.EventStudy(model=es.MeanAdjusted(), estimation=(-70, -6), window=(-2, 2)).run(table, event)
    np.testing.assert_allclose(market.ar, mean.ar, atol=1e-12)
    assert market.abnormal.sigma[0] * np.sqrt(63) == pytest.approx(mean.abnormal.sigma[0] * np.sqrt(64), rel=1e-9)


@FEW
@given(seeds)
def test_mackinlays_variances_hold_exactly(seed):
    result = STUDY.run(returns(seed), events(seed))
    panel, ab = result.panel, result.abnormal
    for i in range(ab.n):
        used = panel.est_mask[i]
        x = panel.est_columns[i, used, 0]
        spread = ((x - x.mean()) ** 2).sum()
        inside = panel.event_columns[i, :, 0]
        daily = ab.sigma[i] ** 2 * (1 + 1 / len(x) + (inside - x.mean()) ** 2 / spread)
        seen = np.isfinite(ab.ar[i])
        np.testing.assert_allclose(ab.se[i, seen] ** 2, daily[seen], rtol=RTOL)
        total = (inside[seen] - x.mean()).sum()
        length = int(seen.sum())
        whole = ab.sigma[i] ** 2 * (length + length**2 / len(x) + total**2 / spread)
        assert ab.sums((-2, 2)).s_car[i] ** 2 == pytest.approx(whole, rel=RTOL)


@FEW
@given(seeds)
def test_sums_are_sums_and_averages_are_averages(seed):
    result = STUDY.run(returns(seed), events(seed))
    for window in ((0, 1), (-2, 2)):
        inside = result.ar.loc[:, window[0] : window[1]]
        np.testing.assert_allclose(result.car(*window)["car"], inside.sum(axis=1, min_count=1), rtol=RTOL, atol=ATOL)
        assert result.caar(*window) == pytest.approx(result.car(*window)["car"].mean(), rel=1e-10, abs=ATOL)
    np.testing.assert_allclose(result.aar, result.ar.mean(), rtol=RTOL, atol=ATOL)
    complete = STUDY.run(returns(seed, holes=False), events(seed))
    assert complete.caar(-2, 2) == pytest.approx(complete.aar.sum(), rel=1e-10, abs=ATOL)


@FEW
@given(seeds)
def test_each_day_of_a_window_counts_once(seed):
    result = STUDY.run(returns(seed, holes=False), events(seed))
    parts = result.abnormal.sums((-2, 0)).car + result.abnormal.sums((1, 2)).car
    np.testing.assert_allclose(parts, result.abnormal.sums(Window(-2, 2)).car, rtol=RTOL, atol=ATOL)


@FEW
@given(seeds)
def test_every_p_value_is_a_probability(seed):
    result = STUDY.run(returns(seed), one_date())
    for window in ((0, 0), (-2, 2)):
        p = result.tests(window, names=MANY)["p_value"].dropna()
        assert len(p) >= len(MANY) - len(RESAMPLE_DATES) - len(NEED_DATES_OR_FULL_DAYS) - 2
        assert ((p >= 0) & (p <= 1)).all()
    for name in ("t", "t_pe", "sq", "permutation"):
        assert 0.0 <= result.test(name, (0, 0), event="A").p_value <= 1.0
    assert result.test("permutation", (0, 0), event="A").p_value > 0.0


@FEW
@given(seeds)
def test_kp_shrinks_exactly_if_the_mean_correlation_is_positive(seed):
    result = STUDY.run(returns(seed), one_date())
    bmp, kp = result.test("bmp_t"), result.test("kp_bmp_t")
    r = kp.details["r_bar"]
    assert -1.0 / (len(TICKERS) - 1) < r < 1.0
    assert (abs(kp.statistic) <= abs(bmp.statistic)) == (r >= 0)
