"""Parametric tests and tests under dependence once more, in loops and with statsmodels; their collapses; bad input."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.multivariate.multivariate_ols import _MultivariateOLS

import eventstudy as es
from eventstudy.inference import correlation, run_test
from eventstudy.inference.clusters import clustered_mean, hotelling_f, residual_correlation
from eventstudy.inference.correlation import event_time_correlation, linked_sum, mean_correlation
from eventstudy.windows import Window

# Loops and matrix products add the same numbers in another order; twelve digits are left of sixteen.
RTOL = 1e-11
DAYS = pd.bdate_range("2023-01-02", periods=400)
EST = range(-90, -10)
TICKERS = tuple("ABCDEFGH")
WINDOWS = [(0, 0), (0, 1), (-3, 3)]
# B and C share a date; D overlaps with them; A and B have two events each, B's three sessions apart.
PLACES = (("A", 140), ("B", 150), ("C", 150), ("D", 152), ("B", 153), ("E", 230), ("F", 290), ("G", 340), ("A", 345))


def make_returns(holes: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(29)
    market, common = rng.normal(0.0004, 0.011, len(DAYS)), rng.normal(0.0, 0.01, len(DAYS))
    table = pd.DataFrame({"MKT": market, "SMB": rng.normal(0, 0.005, len(DAYS)), "RF": 0.0002}, index=DAYS)
    table["RF"] += 1e-5 * rng.integers(0, 5, len(DAYS))
    for i, ticker in enumerate(TICKERS):
        own = rng.standard_t(4, len(DAYS)) * 0.01 * (1 + 0.2 * i)
        table[ticker] = 0.0002 + (0.6 + 0.15 * i) * market + common + own
    if holes:
        for place in (80, 99, 120, 138, 143, 151, 228, 300):
            table.iloc[place, 3 + place % 4] = np.nan
        table.loc[DAYS[230], "E"] = np.nan
    return table


@lru_cache
def run(model: object = None, places: tuple[tuple[str, int], ...] = PLACES, holes: bool = True) -> es.EventStudyResult:
    model = model or es.MarketModel("MKT")
    study = es.EventStudy(model=model, estimation=(-90, -11), window=(-3, 3), calendar=None)
    return study.run(make_returns(holes), [es.Event(t, DAYS[p]) for t, p in places])


@pytest.fixture(scope="module")
def result() -> es.EventStudyResult:
    return run()


@pytest.fixture(scope="module")
def one_date() -> es.EventStudyResult:
    return run(places=tuple((t, 150) for t in "CDFGH"), holes=False)


class Loop:
    """One event by statsmodels."""

    def __init__(self, ticker: str, place: int, table: pd.DataFrame) -> None:
        self.ticker, self.place = ticker, place
        y, x = table[ticker].tolist(), table["MKT"].tolist()
        used = [k for k in EST if not math.isnan(y[place + k])]
        self.x = {k: (1.0, x[place + k]) for k in range(-90, 4)}
        fit = sm.OLS([y[place + k] for k in used], [self.x[k] for k in used]).fit()
        self.s, self.xx = math.sqrt(fit.mse_resid), fit.normalized_cov_params
        self.residual = dict(zip(used, fit.resid, strict=True))
        self.m = len(used)
        self.ar = {k: y[place + k] - fit.params @ self.x[k] for k in range(-3, 4) if not math.isnan(y[place + k])}

    def days(self, window: tuple[int, int]) -> list[int]:
        return [k for k in range(window[0], window[1] + 1) if k in self.ar]

    def car(self, window: tuple[int, int]) -> float:
        return sum(self.ar[k] for k in self.days(window))

    def s_car(self, window: tuple[int, int]) -> float:
        h = sum(np.array(self.x[k]) for k in self.days(window))
        return self.s * math.sqrt(len(self.days(window)) + h @ self.xx @ h)


@pytest.fixture(scope="module")
def loops() -> list[Loop]:
    table = make_returns()
    return [Loop(t, p, table) for t, p in PLACES]


def there(loops: list[Loop], window: tuple[int, int]) -> list[Loop]:
    return [e for e in loops if e.days(window)]


def t_of(values: list[float]) -> float:
    return float(stats.ttest_1samp(values, 0.0).statistic)


# -- sums over errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
def test_sums_of_cars_over_their_errors(result, loops, window):
    events = there(loops, window)
    assert len(events) == (8 if window == (0, 0) else 9)
    total = sum(e.car(window) for e in events)
    plain = math.sqrt(sum(e.s**2 * len(e.days(window)) for e in events))
    prediction = math.sqrt(sum(e.s_car(window) ** 2 for e in events))
    for name, error in (("bw80_z", plain), ("mackinlay_j1_z", prediction)):
        got = result.test(name, window)
        assert got.n == len(events)
        assert got.statistic == pytest.approx(total / error, rel=RTOL)
        assert got.p_value == pytest.approx(2 * stats.norm.sf(abs(total / error)), rel=1e-9)
    assert prediction > plain


@pytest.mark.parametrize("window", WINDOWS)
def test_variants_of_other_packages(result, loops, window):
    events = there(loops, window)
    length = window[1] - window[0] + 1
    scaled = [e.car(window) / e.s for e in events]
    no_fec = [v / math.sqrt(len(e.days(window))) for v, e in zip(scaled, events, strict=True)]
    assert result.test("bmp_t", window, variant="no_fec").statistic == pytest.approx(t_of(no_fec), rel=RTOL)
    assert result.test("bmp_t", window, variant="wrds").statistic == pytest.approx(t_of(scaled), rel=RTOL)
    wrds = sum(scaled) / math.sqrt(len(events) * length)
    assert result.test("patell_z", window, variant="wrds").statistic == pytest.approx(wrds, rel=RTOL)


@pytest.mark.parametrize("window", WINDOWS)
def test_skewness_adjusted_t(result, loops, window):
    x = [e.car(window) for e in there(loops, window)]
    n, sd = len(x), float(np.std(x, ddof=1))
    s = sum(x) / n / sd
    hall = float(stats.skew(x, bias=False))
    johnson = sum((v - sum(x) / n) ** 3 for v in x) / n / sd**3
    expected = {
        "hall": math.sqrt(n) * (s + hall * s**2 / 3 + hall**2 * s**3 / 27 + hall / (6 * n)),
        "johnson": math.sqrt(n) * (s + johnson * s**2 / 3 + johnson / (6 * n)),
    }
    for variant, value in expected.items():
        assert result.test("skew_t", window, variant=variant).statistic == pytest.approx(value, rel=1e-10)
    assert result.test("skew_t", window).details["gamma"] == pytest.approx(hall, rel=1e-10)


def test_halls_transform_is_monotone_and_symmetric_values_leave_the_t():
    base = run(es.MeanAdjusted(), places=tuple((t, 150) for t in "CDFGH"), holes=False)
    car = base.abnormal.sums((0, 0)).car
    ordinary = base.test("csect_t", (0, 0)).statistic
    skewed = base.test("skew_t", (0, 0))
    assert np.sign(skewed.statistic - ordinary) == np.sign(skewed.details["gamma"])
    centred = car - car.mean()
    assert skewed.details["gamma"] == pytest.approx(float(stats.skew(centred, bias=False)), rel=1e-9)


# -- one date: Lamb ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
def test_lamb_is_the_sum_of_daily_ratios(one_date, window):
    table = make_returns(holes=False)
    events = [Loop(t, 150, table) for t in "CDFGH"]
    averages = [sum(e.residual[k] for e in events) / 5 for k in EST]
    deviation = float(np.std(averages, ddof=1))
    market = [table["MKT"].iloc[150 + k] for k in EST]
    sxx = sum((v - np.mean(market)) ** 2 for v in market)
    total = 0.0
    for k in range(window[0], window[1] + 1):
        c = 1 + 1 / 80 + (table["MKT"].iloc[150 + k] - np.mean(market)) ** 2 / sxx
        total += sum(e.ar[k] for e in events) / 5 / (deviation * math.sqrt(c))
    expected = total / math.sqrt(window[1] - window[0] + 1)
    assert one_date.test("lamb_z", window).statistic == pytest.approx(expected, rel=RTOL)


def test_lamb_without_a_forecast_error_is_the_crude_adjustment():
    places = tuple((t, 150) for t in "CDFGH")
    adjusted = run(es.MarketAdjusted("MKT"), places, holes=False)
    mean = run(es.MeanAdjusted(), places, holes=False)
    for window in WINDOWS:
        cda = adjusted.test("cda_t", window).statistic
        assert adjusted.test("lamb_z", window).statistic == pytest.approx(cda, rel=RTOL)
        cda = mean.test("cda_t", window).statistic / math.sqrt(1 + 1 / 80)
        assert mean.test("lamb_z", window).statistic == pytest.approx(cda, rel=RTOL)


def test_lamb_does_not_depend_on_the_order_of_events_that_miss_different_days():
    table = make_returns(holes=False)
    for i, ticker in enumerate("CDFGH"):
        table.loc[DAYS[80 + 7 * i], ticker] = np.nan
    study = es.EventStudy(es.MarketModel("MKT"), estimation=(-90, -11), window=(-3, 3), calendar=None)
    ways = [
        study.run(table, [es.Event(t, DAYS[150]) for t in order]).test("lamb_z", (-1, 1))
        for order in ("CDFGH", "HFDGC")
    ]
    assert ways[0].statistic == pytest.approx(ways[1].statistic, rel=RTOL)


def test_lamb_needs_one_date(result):
    assert result.test("lamb_z").reason == (
        "the events fall on 8 dates; Lamb's factor needs one date and so one market return"
    )


# -- correlation -------------------------------------------------------------------------------------------------------


def pairwise(x: np.ndarray, y: np.ndarray) -> float:
    both = np.isfinite(x) & np.isfinite(y)
    return float(np.corrcoef(x[both], y[both])[0, 1]) if both.sum() >= 30 else 0.0


def brute_linked_sum(residuals: np.ndarray, position: np.ndarray, length: int) -> float:
    total = 0.0
    for i, j in combinations(range(len(position)), 2):
        d = abs(int(position[j] - position[i]))
        if d < length:
            x, y = residuals[i, d:], residuals[j, : residuals.shape[1] - d]
            total += 2 * pairwise(x, y) * (length - d) / length
    return total


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5])
@pytest.mark.parametrize("spread", [1, 3, 25, 400])
def test_sums_by_date_and_over_pairs_are_the_sum_over_all_pairs(share, spread):
    rng = np.random.default_rng([spread, int(share * 100)])
    n, m = 18, 60
    position = np.sort(rng.integers(0, spread, n))
    common = rng.standard_normal(m + spread)
    residuals = common[position[:, None] + np.arange(m)] + rng.standard_normal((n, m))
    gaps = rng.random((n, m)) < share
    gaps[: n // 2] = False
    gaps = gaps[rng.permutation(n)]
    residuals[gaps] = np.nan
    for length in (1, 4, 21, 40):
        expected = brute_linked_sum(residuals, position, length)
        assert linked_sum(residuals, position, length) == pytest.approx(expected, rel=1e-10, abs=1e-11)


def test_residuals_that_stand_still_on_the_common_days_are_uncorrelated():
    residuals, position = np.random.default_rng(3).standard_normal((4, 60)), np.array([0, 20, 20, 22])
    residuals[0, 20:] = 0.1  # no trade on the days that the first event shares with the others
    expected = brute_linked_sum(residuals[1:], position[1:], 30)
    assert linked_sum(residuals, position, 30) == pytest.approx(expected, rel=1e-10)


def test_large_sets_go_block_by_block(monkeypatch):
    rng = np.random.default_rng(8)
    residuals, position = rng.standard_normal((60, 40)), np.sort(rng.integers(0, 90, 60))
    residuals[rng.random((60, 40)) < 0.1] = np.nan
    whole = linked_sum(residuals, position, 5)
    monkeypatch.setattr(correlation, "CELLS", 7)
    monkeypatch.setattr(correlation, "SMALL", 3)
    assert linked_sum(residuals, position, 5) == pytest.approx(whole, rel=1e-11)
    assert whole == pytest.approx(brute_linked_sum(residuals, position, 5), rel=1e-10)


def test_event_time_correlation_is_that_of_relative_days(result, loops):
    n = len(loops)
    frame = pd.DataFrame([[e.residual.get(k, np.nan) for k in EST] for e in loops]).T
    table = frame.corr().to_numpy()
    expected = (table.sum() - n) / (n * (n - 1))
    assert event_time_correlation(result.abnormal) == pytest.approx(expected, rel=1e-10)
    kp = result.test("kp_bmp_t", (0, 1), pairs="event_time")
    bmp = result.test("bmp_t", (0, 1)).statistic
    assert kp.statistic == pytest.approx(bmp * math.sqrt((1 - expected) / (1 + (n - 1) * expected)), rel=1e-10)
    patell = result.test("kp_patell_z", (0, 1), pairs="event_time").statistic
    expected = result.test("patell_z", (0, 1)).statistic / math.sqrt(1 + (n - 1) * expected)
    assert patell == pytest.approx(expected, rel=1e-10)


def test_on_one_date_relative_days_are_calendar_days(one_date):
    chosen = np.arange(one_date.abnormal.n)
    both = event_time_correlation(one_date.abnormal), mean_correlation(one_date.abnormal, chosen, Window(-3, 3))
    assert both[0] == pytest.approx(both[1], rel=RTOL)
    for name in ("kp_bmp_t", "kp_patell_z"):
        by_name = [one_date.test(name, (-1, 1), pairs=p).statistic for p in ("overlap", "event_time")]
        assert by_name[0] == pytest.approx(by_name[1], rel=RTOL)


# -- clusters ----------------------------------------------------------------------------------------------------------


def brute_variance(values: list[float], labels: list[object]) -> float:
    mean, groups = sum(values) / len(values), sorted(set(labels), key=str)
    squares = sum(sum(v - mean for v, label in zip(values, labels, strict=True) if label == g) ** 2 for g in groups)
    return len(groups) / (len(groups) - 1) * squares / len(values) ** 2


@pytest.mark.parametrize("value", ["car", "scar"])
@pytest.mark.parametrize("window", WINDOWS)
def test_clustered_t_in_loops(result, loops, window, value):
    events = there(loops, window)
    x = [e.car(window) / (e.s_car(window) if value == "scar" else 1.0) for e in events]
    dates, firms = [e.place for e in events], [e.ticker for e in events]
    by_date, by_firm = brute_variance(x, dates), brute_variance(x, firms)
    both = by_date + by_firm - brute_variance(x, list(zip(dates, firms, strict=True)))
    for cluster, variance, g in (
        ("date", by_date, len(set(dates))),
        ("firm", by_firm, len(set(firms))),
        ("both", both, min(len(set(dates)), len(set(firms)))),
    ):
        got = result.test("clustered_t", window, cluster=cluster, value=value)
        assert variance > 0
        assert got.statistic == pytest.approx(sum(x) / len(x) / math.sqrt(variance), rel=1e-10)
        assert got.df == g - 1
        assert got.p_value == pytest.approx(2 * stats.t.sf(abs(got.statistic), g - 1), rel=1e-9)
        assert got.details["equal_clusters"] < 10
        assert "too few for it to keep its size" in got.note


def test_clustered_means_are_those_of_statsmodels():
    rng = np.random.default_rng(1)
    date, firm = rng.integers(0, 25, 200), rng.integers(0, 12, 200)
    y = rng.standard_normal(200) + rng.standard_normal(25)[date] + rng.standard_normal(12)[firm]
    for labels in ((date,), (firm,), (date, firm)):
        groups = labels[0] if len(labels) == 1 else np.column_stack(labels)
        fit = sm.OLS(y, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
        got = clustered_mean(y, *labels)
        assert got.t == pytest.approx(float(fit.tvalues[0]), rel=1e-10)
        assert got.df == min(25, *(len(set(x)) for x in labels)) - 1
    # One-way p-values agree too; statsmodels uses t(G - 1).
    fit = sm.OLS(y, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": firm}, use_t=True)
    got = clustered_mean(y, firm)
    assert 2 * stats.t.sf(abs(got.t), got.df) == pytest.approx(float(fit.pvalues[0]), rel=1e-9)


def test_clusters_of_one_event_are_the_plain_tests(one_date):
    for window in WINDOWS:
        for value, plain in (("car", "csect_t"), ("scar", "bmp_t")):
            got, same = one_date.test("clustered_t", window, cluster="firm", value=value), one_date.test(plain, window)
            assert got.statistic == pytest.approx(same.statistic, rel=RTOL)
            assert got.df == same.df


def test_two_way_variance_without_an_answer_is_a_reason():
    # Within dates and within firms deviations cancel, within both they do not.
    y = np.array([1.0, -1.0, -1.0, 1.0]) + 0.3
    date, firm = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    got = clustered_mean(y, date, firm)
    assert got.variance < 0
    assert math.isnan(got.t)
    assert clustered_mean(y, date).variance == 0.0


def test_uneven_clusters_weigh_like_fewer_equal_ones():
    y = np.random.default_rng(2).standard_normal(12)
    assert clustered_mean(y, np.repeat(np.arange(4), 3)).equal == (4.0,)
    assert clustered_mean(y, np.array([0] * 9 + [1, 2, 3])).equal == (144 / 84,)


def test_one_cluster_is_a_reason(one_date):
    for cluster in ("date", "both"):
        got = one_date.test("clustered_t", (0, 0), cluster=cluster)
        assert not got.applicable
        assert got.reason == "all 5 events are of one date: one cluster has no spread"


# -- calendar time -------------------------------------------------------------------------------------------------------


def brute_portfolio(result: es.EventStudyResult, factors: list[str], rf: bool) -> tuple[np.ndarray, ...]:
    """Sessions, firms held, returns and regressors, from the table of returns."""
    table, window = make_returns(), range(-3, 4)
    held: dict[int, set[str]] = {}
    for ticker, place in PLACES:
        for k in window:
            if not math.isnan(table[ticker].iloc[place + k]):
                held.setdefault(place + k, set()).add(ticker)
    sessions = sorted(held)
    y = [np.mean([table[t].iloc[s] - (table["RF"].iloc[s] if rf else 0) for t in held[s]]) for s in sessions]
    x = np.array([[1.0, *table[factors].iloc[s]] for s in sessions])
    return np.array(sessions), np.array([len(held[s]) for s in sessions]), np.array(y), x


@pytest.mark.parametrize("excess", [False, True])
def test_calendar_time_is_weighted_least_squares(excess):
    model = es.FactorModel(["MKT", "SMB"], risk_free="RF") if excess else es.MarketModel("MKT")
    result = run(model)
    _, size, y, x = brute_portfolio(result, ["MKT", "SMB"] if excess else ["MKT"], excess)
    assert set(size) == {1, 2, 3}, "one firm has two windows on one session and must be held once"
    for weights, w in (("sqrt_n", size), ("equal", np.ones(len(y)))):
        fit = sm.WLS(y, x, weights=w).fit()
        got = result.test("calendar_time", (-3, 3), weights=weights)
        assert got.statistic == pytest.approx(float(fit.tvalues[0]), rel=1e-9)
        assert got.df == fit.df_resid
        assert got.p_value == pytest.approx(float(fit.pvalues[0]), rel=1e-9)
        assert got.details["alpha"] == pytest.approx(float(fit.params[0]), rel=1e-9)
        assert got.details["sessions"] == len(y)


@pytest.mark.parametrize("lags", [0, 3])
def test_newey_west_counts_lags_in_sessions(result, lags):
    sessions, size, y, x = brute_portfolio(result, ["MKT"], False)
    root = np.sqrt(size)[:, None]
    xw, yw = x * root, y * root[:, 0]
    bread = np.linalg.inv(xw.T @ xw)
    u = (yw - xw @ (bread @ xw.T @ yw))[:, None] * xw
    meat = np.zeros((2, 2))
    for i, s in enumerate(sessions):
        for j, t in enumerate(sessions):
            meat += max(0.0, 1 - abs(int(s) - int(t)) / (lags + 1)) * np.outer(u[i], u[j])
    total = len(y)
    variance = (bread @ meat @ bread)[0, 0] * total / (total - 2)
    got = result.test("calendar_time", (-3, 3), errors="hac", lags=lags)
    assert got.details["se"] == pytest.approx(math.sqrt(variance), rel=1e-9)


def test_newey_west_is_that_of_statsmodels_where_no_session_is_missing():
    result = run(places=tuple((t, 150 + 4 * i) for i, t in enumerate("CDFGH")), holes=False)
    got = result.test("calendar_time", (-3, 3), weights="equal", errors="hac", lags=2)
    table = make_returns(holes=False)
    y, x = [], []
    for s in range(147, 170):
        held = [t for i, t in enumerate("CDFGH") if abs(s - 150 - 4 * i) <= 3]
        y.append(float(table[held].iloc[s].mean()))
        x.append([1.0, table["MKT"].iloc[s]])
    fit = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": 2, "use_correction": True}, use_t=True)
    assert got.details["sessions"] == 23
    assert got.statistic == pytest.approx(float(fit.tvalues[0]), rel=1e-9)
    assert got.p_value == pytest.approx(float(fit.pvalues[0]), rel=1e-9)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (es.MeanAdjusted(), "no factor"),
        (es.MarketAdjusted("MKT"), "fixes the slope"),
    ],
)
def test_calendar_time_needs_a_factor(model, words):
    assert words in run(model).test("calendar_time", (-3, 3)).reason


def test_calendar_time_needs_sessions(one_date):
    assert one_date.test("calendar_time", (-3, 3)).reason == (
        "each calendar session is one observation here: the windows hold 7 of them, and 2 coefficients need 12"
    )


@pytest.mark.parametrize("lags", [-1, 1.5, True])
def test_lags_are_a_number_of_sessions(result, lags):
    with pytest.raises(es.errors.InvalidInput, match="lags is"):
        result.test("calendar_time", (-3, 3), errors="hac", lags=lags)


# -- several firms at once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
def test_joint_wald_is_the_f_of_event_dummies_in_the_system(one_date, window):
    table = make_returns(holes=False)
    inside = list(range(window[0], window[1] + 1))
    rows = [150 + k for k in (*EST, *inside)]
    dummies = np.zeros((len(rows), len(inside)))
    dummies[len(EST) :] = np.eye(len(inside))
    design = np.column_stack([np.ones(len(rows)), table["MKT"].iloc[rows], dummies])
    fit = _MultivariateOLS(table[list("CDFGH")].iloc[rows].to_numpy(), design).fit()
    contrast = np.array([[0.0, 0.0, *np.ones(len(inside))]])
    stat = fit.mv_test([("sum", contrast)]).results["sum"]["stat"].loc["Hotelling-Lawley trace"]
    got = one_date.test("joint_wald", window)
    assert got.statistic == pytest.approx(float(stat["F Value"]), rel=1e-8)
    assert (got.details["df1"], got.details["df2"]) == (5, 74)
    np.testing.assert_allclose([stat["Num DF"], stat["Den DF"]], [5, 74])
    assert got.distribution == "F(5, 74)"
    assert got.p_value == pytest.approx(float(stat["Pr > F"]), rel=1e-8)
    assert got.p_value == pytest.approx(stats.f.sf(got.statistic, 5, 74), rel=1e-9)


def test_joint_wald_in_matrices(one_date):
    ab = one_date.abnormal
    sums = ab.sums((0, 1))
    sigma = ab.residuals @ ab.residuals.T / 78
    c = float((sums.s_car[0] / ab.sigma[0]) ** 2)
    square = float(sums.car @ np.linalg.inv(sigma) @ sums.car) / c
    assert one_date.test("joint_wald", (0, 1)).statistic == pytest.approx(square * 74 / (5 * 78), rel=1e-9)


def test_joint_wald_of_one_firm_is_the_square_of_its_t(one_date):
    one = one_date.abnormal.take(np.array([2]))
    for window in WINDOWS:
        joint, single = run_test("joint_wald", one, window), run_test("t_pe", one, window)
        assert joint.statistic == pytest.approx(single.statistic**2, rel=RTOL)
        assert joint.p_value == pytest.approx(single.p_value, rel=1e-9)


def test_joint_wald_sees_what_the_mean_hides():
    """Two firms that move by as much in opposite directions: their mean is nothing, the pair is not."""
    table = make_returns(holes=False)
    table.iloc[150, table.columns.get_indexer(["C", "D"])] += [0.08, -0.08]
    study = es.EventStudy(es.MarketModel("MKT"), estimation=(-90, -11), window=(-3, 3), calendar=None)
    result = study.run(table, [es.Event(t, DAYS[150]) for t in "CD"])
    assert result.test("csect_t").p_value > 0.3
    assert result.test("joint_wald").p_value < 1e-3


def test_joint_wald_says_what_the_firms_do_not_share(result):
    assert result.test("joint_wald").reason == "the events fall on 8 dates; a joint test needs all firms on one date"
    gaps = run(places=tuple((t, 150) for t in "ABCDFG"))
    assert gaps.test("joint_wald", (0, 0)).reason == (
        "of 6 firms 3 miss estimation days that others have; leave them out, or choose days that all firms have"
    )
    assert "and 1 miss days of [-3, +3] that" in gaps.test("joint_wald", (-3, 3)).reason


def test_too_many_firms_for_the_days_is_a_reason_with_numbers():
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.normal(0, 0.01, (60, 30)), index=DAYS[:60])
    table.columns = [f"F{i}" for i in range(29)] + ["MKT"]
    study = es.EventStudy(es.MarketModel("MKT"), estimation=(-30, -1), window=(0, 1), min_estimation=10, calendar=None)
    listed = [es.Event(f"F{i}", DAYS[50]) for i in range(29)]
    assert (
        study.run(table, listed)
        .test("joint_wald")
        .reason.startswith("29 firms are too many for 28 = M - p degrees of freedom")
    )
    most = study.run(table, listed[:28]).test("joint_wald")
    assert most.distribution == "F(28, 1)"
    twice = table.assign(F1=2 * table["F0"] + 0.001)
    assert "the same or add up" in study.run(twice, listed[:5]).test("joint_wald").reason


def test_the_joint_f_of_many_studies_at_once():
    rng = np.random.default_rng(6)
    z, e = rng.standard_normal((4, 3)), rng.standard_normal((4, 3, 50))
    p = np.stack([residual_correlation(x) for x in e])
    together, n, k = hotelling_f(z, p, 48)
    assert (n, k) == (3, 46)
    for i in range(4):
        np.testing.assert_allclose(p[i], np.corrcoef(e[i]), rtol=RTOL)
        assert together[i] == pytest.approx(float(hotelling_f(z[i], p[i], 48)[0]), rel=RTOL)


# -- bad input -------------------------------------------------------------------------------------------------------------

NEW = ("bw80_z", "mackinlay_j1_z", "lamb_z", "skew_t", "clustered_t", "calendar_time", "joint_wald")
OPTIONS = [
    *((name, {}) for name in NEW),
    ("skew_t", {"variant": "johnson"}),
    *(("clustered_t", {"cluster": c, "value": v}) for c in ("date", "firm", "both") for v in ("car", "scar")),
    ("calendar_time", {"weights": "equal", "errors": "hac"}),
    *(("bmp_t", {"variant": v}) for v in ("no_fec", "wrds")),
    ("patell_z", {"variant": "wrds"}),
    *((name, {"pairs": "event_time"}) for name in ("kp_bmp_t", "kp_patell_z")),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_events_give_a_number_or_a_reason(name, options, n):
    for places in (PLACES[1 : 1 + n], PLACES[-n:], tuple((t, 150) for t in "BCD"[:n])):
        for window in WINDOWS:
            got = run(places=places).test(name, window, **options)
            assert got.n <= n
            assert got.applicable == (0.0 <= got.p_value <= 1.0)
            assert bool(got.reason) != got.applicable


@pytest.fixture(scope="module")
def silent_day() -> es.EventStudyResult:
    """No firm has a return on the day after the event."""
    table = make_returns()
    table.iloc[151, 3:] = np.nan
    study = es.EventStudy(es.MarketModel("MKT"), estimation=(-90, -11), window=(-3, 3), calendar=None)
    return study.run(table, [es.Event(t, DAYS[150]) for t in "BCDE"])


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_a_window_without_returns_is_a_reason(silent_day, name, options):
    got = silent_day.test(name, (1, 1), **options)
    assert (got.applicable, got.n) == (False, 0)
    assert got.reason.startswith("no event has an abnormal return")


@pytest.fixture(scope="module")
def copies() -> es.EventStudyResult:
    """Copies of one firm: equal values, perfect correlation, dependent residuals."""
    table = make_returns(holes=False)
    for copy in "BCDE":
        table[copy] = table["A"]
    study = es.EventStudy(es.MarketModel("MKT"), estimation=(-90, -11), window=(-3, 3), calendar=None)
    return study.run(table, [es.Event(t, DAYS[150]) for t in "ABCDE"])


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_the_same_event_again_and_again(copies, name, options):
    got = copies.test(name, (0, 1), **options)
    assert got.applicable == (name in ("bw80_z", "mackinlay_j1_z", "lamb_z", "patell_z", "kp_patell_z"))
    assert bool(got.reason) != got.applicable


def test_options_are_checked(result):
    for name, option in (
        ("skew_t", "variant"),
        ("clustered_t", "cluster"),
        ("calendar_time", "errors"),
        ("kp_bmp_t", "pairs"),
    ):
        with pytest.raises(es.errors.InvalidInput, match=f"{name} knows {option}"):
            result.test(name, (0, 0), **{option: "other"})
    with pytest.raises(es.errors.InvalidInput, match="joint_wald has no options"):
        result.test("joint_wald", (0, 0), variant="x")
