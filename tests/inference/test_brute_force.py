"""Every number once more, in loops that share no code with the package, and against statsmodels and scipy."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.calendars import exchange_sessions
from eventstudy.inference.correlation import mean_correlation
from eventstudy.inference.nonparametric import mid_ranks, signed_rank_distribution
from eventstudy.windows import Window

DAYS = exchange_sessions("XNYS", "2024-01-02", "2025-03-31")
EST, WIN = range(-90, -10), range(-3, 4)
TICKERS = tuple("ABCDEF")
# Loops and matrix products add the same numbers in another order; twelve digits are left of sixteen.
RTOL = 1e-11
WINDOWS = [(0, 0), (0, 1), (-3, 3)]


def make_returns() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    market = rng.normal(0.0004, 0.011, len(DAYS))
    common = rng.normal(0.0, 0.01, len(DAYS))
    table = pd.DataFrame({"MKT": market}, index=DAYS)
    for i, ticker in enumerate(TICKERS):
        own = rng.standard_t(4, len(DAYS)) * 0.01 * (1 + 0.2 * i)
        table[ticker] = 0.0002 + (0.6 + 0.15 * i) * market + common + own
    holes = rng.integers(60, len(DAYS) - 1, 25)
    table.iloc[holes, 2] = np.nan
    table.iloc[rng.integers(60, len(DAYS) - 1, 25), 3] = np.nan
    table.loc["2025-01-28", "A"] = np.nan
    return table


RETURNS = make_returns()
# Two events share a date, two more overlap with it by some days, two are apart.
EVENT_DAYS = ("2025-01-27", "2025-01-27", "2025-01-28", "2025-01-31", "2024-11-15", "2024-09-12")


@pytest.fixture(scope="module")
def result() -> es.EventStudyResult:
    study = es.EventStudy(model=es.MarketModel("MKT"), estimation=(-90, -11), window=(-3, 3))
    return study.run(RETURNS, [es.Event(t, d) for t, d in zip(TICKERS, EVENT_DAYS, strict=True)])


class Loop:
    """One event's market model by sums."""

    def __init__(self, ticker: str, day: str) -> None:
        self.place = DAYS.get_loc(day)
        firm, market = RETURNS[ticker].tolist(), RETURNS["MKT"].tolist()
        self.pairs = {k: (market[self.place + k], firm[self.place + k]) for k in (*EST, *WIN)}
        used = [k for k in EST if not math.isnan(self.pairs[k][1])]
        self.m = len(used)
        self.mean_x = sum(self.pairs[k][0] for k in used) / self.m
        self.mean_y = sum(self.pairs[k][1] for k in used) / self.m
        self.sxx = sum((self.pairs[k][0] - self.mean_x) ** 2 for k in used)
        sxy = sum((self.pairs[k][0] - self.mean_x) * (self.pairs[k][1] - self.mean_y) for k in used)
        self.beta = sxy / self.sxx
        self.alpha = self.mean_y - self.beta * self.mean_x
        self.residual = {k: self.error(k) for k in used}
        self.s = math.sqrt(sum(e * e for e in self.residual.values()) / (self.m - 2))
        self.ar = {k: self.error(k) for k in WIN if not math.isnan(self.pairs[k][1])}

    def error(self, k: int) -> float:
        x, y = self.pairs[k]
        return y - self.alpha - self.beta * x

    def se(self, days: list[int]) -> float:
        """MacKinlay's sum: L + L²/M + (Σ (x - mean))²/Sxx."""
        length = len(days)
        reach = sum(self.pairs[k][0] - self.mean_x for k in days)
        return self.s * math.sqrt(length + length**2 / self.m + reach**2 / self.sxx)

    def days(self, window: tuple[int, int]) -> list[int]:
        return [k for k in range(window[0], window[1] + 1) if k in self.ar]

    def car(self, window: tuple[int, int]) -> float:
        return sum(self.ar[k] for k in self.days(window)) if self.days(window) else math.nan

    def scar(self, window: tuple[int, int]) -> float:
        return self.car(window) / self.se(self.days(window)) if self.days(window) else math.nan

    def csar(self, window: tuple[int, int]) -> float:
        return sum(self.ar[k] / self.se([k]) for k in self.days(window))


LOOPS = [Loop(t, d) for t, d in zip(TICKERS, EVENT_DAYS, strict=True)]


def there(window: tuple[int, int]) -> list[Loop]:
    return [e for e in LOOPS if e.days(window)]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def sd(values: list[float]) -> float:
    middle = mean(values)
    return math.sqrt(sum((v - middle) ** 2 for v in values) / (len(values) - 1))


def correlation(a: Loop, b: Loop) -> float:
    """Of the residuals on common calendar days."""
    left = {a.place + k: e for k, e in a.residual.items()}
    right = {b.place + k: e for k, e in b.residual.items()}
    days = sorted(set(left) & set(right))
    if len(days) < 30:
        return 0.0
    x, y = [left[d] for d in days], [right[d] for d in days]
    mx, my = mean(x), mean(y)
    cov = sum((p - mx) * (q - my) for p, q in zip(x, y, strict=True))
    return cov / math.sqrt(sum((p - mx) ** 2 for p in x) * sum((q - my) ** 2 for q in y))


def r_bar(window: tuple[int, int]) -> float:
    events = there(window)
    length = window[1] - window[0] + 1
    total = 0.0
    for a, b in combinations(events, 2):
        first = {a.place + k for k in range(window[0], window[1] + 1)}
        second = {b.place + k for k in range(window[0], window[1] + 1)}
        total += 2 * correlation(a, b) * len(first & second) / length
    return total / (len(events) * (len(events) - 1))


def rank(values: dict[int, float]) -> dict[int, float]:
    """Mid-ranks by counting."""
    return {
        k: sum(w < v for w in values.values()) + (sum(w == v for w in values.values()) + 1) / 2
        for k, v in values.items()
    }


# -- the regression ------------------------------------------------------------------------------------------------


def test_coefficients_and_residual_deviation(result):
    table = result.coefficients
    for key, loop in zip(result.events, LOOPS, strict=True):
        assert table.loc[key, "n_est"] == loop.m
        np.testing.assert_allclose(
            table.loc[key, ["alpha", "beta", "sigma"]].to_numpy(float), [loop.alpha, loop.beta, loop.s], rtol=RTOL
        )
    assert min(loop.m for loop in LOOPS) < 80, "the data must hold events with missing days"


def test_abnormal_returns_and_their_errors(result):
    for i, loop in enumerate(LOOPS):
        for k in WIN:
            if k not in loop.ar:
                assert np.isnan(result.ar.iloc[i][k])
                continue
            assert result.ar.iloc[i][k] == pytest.approx(loop.ar[k], rel=RTOL)
            assert result.sar.iloc[i][k] == pytest.approx(loop.ar[k] / loop.se([k]), rel=RTOL)


@pytest.mark.parametrize("window", [*WINDOWS, (1, 1)])
def test_sums_and_their_errors(result, window):
    table = result.car(*window)
    for i, loop in enumerate(LOOPS):
        row = table.iloc[i]
        assert row["n_days"] == len(loop.days(window))
        if not loop.days(window):
            assert row[["car", "se", "t", "p_value", "low", "high"]].isna().all()
            continue
        se = loop.se(loop.days(window))
        half = stats.t.ppf(0.975, loop.m - 2) * se
        expected = [loop.car(window), se, loop.car(window) / se, loop.m - 2]
        np.testing.assert_allclose(row[["car", "se", "t", "df"]].to_numpy(float), expected, rtol=RTOL)
        assert result.abnormal.sums(window).csar[i] == pytest.approx(loop.csar(window), rel=RTOL)
        np.testing.assert_allclose([row["low"], row["high"]], [expected[0] - half, expected[0] + half], rtol=1e-9)
        assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(expected[2]), loop.m - 2), rel=1e-9)


def test_statsmodels_gives_the_same_fit_and_the_same_forecast_error(result):
    for i, (key, loop) in enumerate(zip(result.events, LOOPS, strict=True)):
        used = sorted(loop.residual)
        x = sm.add_constant(np.array([loop.pairs[k][0] for k in used]))
        fit = sm.OLS(np.array([loop.pairs[k][1] for k in used]), x).fit()
        days = sorted(loop.ar)
        forecast = fit.get_prediction(np.array([[1.0, loop.pairs[k][0]] for k in days]))
        variance = forecast.var_pred_mean + fit.scale
        np.testing.assert_allclose(result.abnormal.se[i, [k - WIN.start for k in days]], np.sqrt(variance), rtol=RTOL)
        mine = result.regression(key)
        np.testing.assert_allclose(mine.params.to_numpy(), fit.params, rtol=RTOL)
        np.testing.assert_allclose(mine.bse.to_numpy(), fit.bse, rtol=RTOL)
        assert mine.rsquared == pytest.approx(result.coefficients.loc[key, "r_squared"], rel=RTOL)
        assert math.sqrt(mine.scale) == pytest.approx(result.coefficients.loc[key, "sigma"], rel=RTOL)
        assert list(mine.params.index) == ["alpha", "beta"]
        dates = mine.model.data.row_labels
        assert dates[0] == DAYS[loop.place + used[0]]
        assert dates[-1] == DAYS[loop.place + used[-1]]


# -- tests of several events -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [*WINDOWS, (1, 1)])
def test_cross_section_t_is_scipys(result, window):
    expected = stats.ttest_1samp([e.car(window) for e in there(window)], 0.0)
    got = result.test("csect_t", window)
    assert (got.statistic, got.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert (got.n, got.df) == (len(there(window)), len(there(window)) - 1)


@pytest.mark.parametrize("window", [*WINDOWS, (1, 1)])
def test_bmp_is_the_t_of_standardised_sums(result, window):
    expected = stats.ttest_1samp([e.scar(window) for e in there(window)], 0.0)
    got = result.test("bmp_t", window)
    assert (got.statistic, got.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    older = stats.ttest_1samp([e.csar(window) / math.sqrt(len(e.days(window))) for e in there(window)], 0.0)
    assert result.test("bmp_t", window, variant="csar").statistic == pytest.approx(older.statistic, rel=1e-9)


@pytest.mark.parametrize("window", [*WINDOWS, (1, 1)])
def test_patell_in_its_three_forms(result, window):
    events = there(window)
    q = [(e.m - 2) / (e.m - 4) for e in events]
    length = [len(e.days(window)) for e in events]
    forms = {
        "scar": sum(e.scar(window) for e in events) / math.sqrt(sum(q)),
        "csar": sum(e.csar(window) for e in events) / math.sqrt(sum(a * b for a, b in zip(length, q, strict=True))),
        "per_event": sum(e.csar(window) / math.sqrt(a * b) for e, a, b in zip(events, length, q, strict=True))
        / math.sqrt(len(events)),
    }
    for variant, z in forms.items():
        got = result.test("patell_z", window, variant=variant)
        assert got.statistic == pytest.approx(z, rel=1e-10)
        assert got.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)


@pytest.mark.parametrize("window", [*WINDOWS, (1, 1)])
def test_mean_correlation_with_partly_overlapping_windows(result, window):
    expected = r_bar(window)
    members = np.array([i for i, e in enumerate(LOOPS) if e.days(window)])
    assert mean_correlation(result.abnormal, members, Window.of(window)) == pytest.approx(expected, rel=1e-9)
    n = len(there(window))
    inflation = 1 + (n - 1) * expected
    bmp, patell = result.test("bmp_t", window).statistic, result.test("patell_z", window).statistic
    assert result.test("kp_bmp_t", window).statistic == pytest.approx(
        bmp * math.sqrt((1 - expected) / inflation), rel=1e-9
    )
    assert result.test("kp_patell_z", window).statistic == pytest.approx(patell / math.sqrt(inflation), rel=1e-9)


def test_the_overlap_matters_in_this_design():
    assert abs(r_bar((-3, 3)) - r_bar((0, 0))) > 0.01


@pytest.mark.parametrize("window", WINDOWS)
def test_crude_dependence_adjustment(result, window):
    average = [mean([e.residual[k] for e in LOOPS if k in e.residual]) for k in EST]
    t = mean([e.car(window) for e in there(window)]) / (sd(average) * math.sqrt(window[1] - window[0] + 1))
    got = result.test("cda_t", window)
    assert (got.statistic, got.df) == (pytest.approx(t, rel=1e-10), len(EST) - 1)
    assert got.p_value == pytest.approx(2 * stats.t.sf(abs(t), len(EST) - 1), rel=1e-9)
    scale = math.sqrt((len(EST) - 1) / (len(EST) - 2))
    assert result.test("cda_t", window, df="params").statistic == pytest.approx(t / scale, rel=1e-10)


@pytest.mark.parametrize("window", WINDOWS)
def test_corrado_by_counting(result, window):
    deviation: dict[int, list[float]] = {k: [] for k in (*EST, *WIN)}
    for e in LOOPS:
        ranks = rank({**e.residual, **e.ar})
        for k, r in ranks.items():
            deviation[k].append(r - (len(ranks) + 1) / 2)
    means = {k: mean(v) for k, v in deviation.items() if v}
    scale = math.sqrt(mean([v * v for v in means.values()]))
    length = window[1] - window[0] + 1
    z = sum(means[k] for k in range(window[0], window[1] + 1)) / (math.sqrt(length) * scale)
    assert result.test("corrado_rank_z", window).statistic == pytest.approx(z, rel=1e-10)


@pytest.mark.parametrize("window", WINDOWS)
def test_grank_by_counting(result, window):
    events = there(window)
    spread = sd([e.scar(window) for e in events])
    u: dict[int, list[float]] = {k: [] for k in (*EST, 0)}
    for e in LOOPS:
        values = {k: r / e.s for k, r in e.residual.items()}
        if e in events:
            values[0] = e.scar(window) / spread
        ranks = rank(values)
        for k, r in ranks.items():
            u[k].append(r / (len(ranks) + 1) - 0.5)
    total, n = len(u), len(events)
    scale = math.sqrt(sum(len(v) / n * mean(v) ** 2 for v in u.values()) / total)
    z = mean(u[0]) / scale
    t = z * math.sqrt((total - 2) / (total - 1 - z * z))
    got = result.test("grank_t", window)
    assert (got.statistic, got.df) == (pytest.approx(t, rel=1e-10), total - 2)


@pytest.mark.parametrize("window", [*WINDOWS, (1, 1)])
def test_generalised_sign(result, window):
    share = mean([sum(r > 0 for r in e.residual.values()) / e.m for e in LOOPS])
    cars = [e.car(window) for e in there(window)]
    n, plus = len(cars), sum(c > 0 for c in cars)
    z = (plus - n * share) / math.sqrt(n * share * (1 - share))
    assert result.test("gsign_z", window).statistic == pytest.approx(z, rel=1e-10)
    pooled = sum(sum(r > 0 for r in e.residual.values()) for e in LOOPS) / sum(e.m for e in LOOPS)
    assert result.test("gsign_z", window, variant="pooled").details["p_hat"] == pytest.approx(pooled, rel=1e-12)


@pytest.mark.parametrize("window", [*WINDOWS, (1, 1)])
def test_wilcoxon_is_scipys(result, window):
    cars = [e.car(window) for e in there(window)]
    exact = stats.wilcoxon(cars, method="exact")
    got = result.test("wilcoxon", window, variant="exact")
    assert got.p_value == pytest.approx(exact.pvalue, rel=1e-12)
    assert min(got.statistic, len(cars) * (len(cars) + 1) / 2 - got.statistic) == exact.statistic
    approx = stats.wilcoxon(cars, method="asymptotic", correction=False)
    assert result.test("wilcoxon", window, variant="normal").p_value == pytest.approx(approx.pvalue, rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 12, 50])
def test_the_signed_rank_law_adds_up_and_has_the_known_moments(n):
    law = signed_rank_distribution(n)
    w = np.arange(len(law))
    assert len(law) == n * (n + 1) // 2 + 1
    assert law.sum() == pytest.approx(1.0, rel=1e-12)
    assert (law @ w) == pytest.approx(n * (n + 1) / 4, rel=1e-12)
    assert (law @ (w - n * (n + 1) / 4) ** 2) == pytest.approx(n * (n + 1) * (2 * n + 1) / 24, rel=1e-12)


def test_mid_ranks_are_scipys_with_ties_and_holes():
    rng = np.random.default_rng(3)
    values = rng.integers(0, 6, (40, 17)).astype(float)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[5] = np.nan
    values[6] = 1.0
    np.testing.assert_array_equal(mid_ranks(values), stats.rankdata(values, axis=1, nan_policy="omit"))


# -- one event -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(len(TICKERS)))
@pytest.mark.parametrize("window", WINDOWS)
def test_t_with_and_without_prediction_error(result, place, window):
    loop, key = LOOPS[place], result.events[place]
    days = loop.days(window)
    plain = loop.car(window) / (loop.s * math.sqrt(len(days)))
    assert result.test("t", window, event=key).statistic == pytest.approx(plain, rel=1e-10)
    assert result.test("t_pe", window, event=key).statistic == pytest.approx(loop.scar(window), rel=1e-10)


@pytest.mark.parametrize("place", range(len(TICKERS)))
@pytest.mark.parametrize("window", WINDOWS)
def test_sample_quantiles_by_counting(result, place, window):
    """With a missing day in the window the sums compared with are as long as the days that are there."""
    loop = LOOPS[place]
    length = len(loop.days(window))
    sums = [
        sum(loop.residual[j] for j in range(k, k + length))
        for k in EST
        if all(j in loop.residual for j in range(k, k + length))
    ]
    below = sum(s <= loop.car(window) for s in sums)
    above = sum(s >= loop.car(window) for s in sums)
    got = result.test("sq", window, event=result.events[place], variant="paper")
    assert (got.details["k"], got.details["m"]) == (min(below, above), len(sums))
    assert got.p_value == pytest.approx(min(1.0, 2 * min(below, above) / len(sums)), rel=1e-12)
    safe = result.test("sq", window, event=result.events[place], variant="plus_one")
    assert safe.p_value == pytest.approx(min(1.0, 2 * (min(below, above) + 1) / (len(sums) + 1)), rel=1e-12)
    assert safe.p_value > 0


def test_a_permutation_of_one_day_is_exact(result):
    for key, loop in zip(result.events, LOOPS, strict=True):
        extreme = sum(abs(e) >= abs(loop.ar[0]) for e in loop.residual.values())
        got = result.test("permutation", (0, 0), event=key, variant="paper")
        assert got.p_value == pytest.approx((1 + extreme) / (loop.m + 1))


def test_relabellings_come_near_the_exact_share():
    """All pairs of a pool of residuals and two window days: the random share lies within four standard errors."""
    study = es.EventStudy(model=es.MarketModel("MKT"), estimation=(-90, -11), window=(0, 1))
    one = study.run(RETURNS, es.Event("F", EVENT_DAYS[5]))
    pool = np.concatenate([one.abnormal.residuals[0], one.abnormal.ar[0]])
    pool = pool[np.isfinite(pool)]
    sums = np.array([abs(a + b) for a, b in combinations(pool, 2)])
    exact = float((sums >= abs(one.abnormal.ar[0].sum()) * (1 - 1e-12)).mean())
    draws = 4000
    got = one.test("permutation", (0, 1), variant="paper", draws=draws)
    assert abs(got.p_value - exact) < 4 * math.sqrt(exact * (1 - exact) / draws) + 1 / draws
    assert got.p_value == one.test("permutation", (0, 1), variant="paper", draws=draws).p_value
    assert got.p_value != one.test("permutation", (0, 1), variant="paper", draws=draws, seed=1).p_value
