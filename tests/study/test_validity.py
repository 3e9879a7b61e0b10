"""Checks of validity: equal to statsmodels, silent on clean data, loud on each fault, and never a crash."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats import diagnostic, stattools

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.panel import EventPanel
from eventstudy.estimation.residuals import (
    arch_lm,
    autocorrelations,
    chow,
    durbin_watson,
    in_order,
    jarque_bera,
    ljung_box,
    outliers,
    robust_spread,
)
from eventstudy.study.validity import FALSE_ALARM, Check, most_by_chance, true_size, validity_checks
from eventstudy.windows import Window

# Closed forms on arrays and regressions of statsmodels add the same numbers in another order.
RTOL = 1e-10
# T R² of statsmodels is T (1 - SSR/SST): near zero it is good to T times the rounding of 1.
ATOL = 1e-13
M, L, FIRST = 250, 11, -5
NAMES = (
    "Residuals without autocorrelation",
    "Residuals of steady variance",
    "Normal residuals",
    "Few outliers in the estimation window",
    "Steady beta",
    "No drift before the event",
    "No event-induced variance on day 0",
    "Uncorrelated events",
)


def make_panel(est, event, market_est, market_event, position=None) -> EventPanel:
    n = len(est)
    position = np.arange(n) * (L + 1) + M + 20 if position is None else position
    return EventPanel(
        events=tuple(es.Event(f"F{i}", "2025-01-27") for i in range(n)),
        keys=tuple(f"F{i}" for i in range(n)),
        position=np.asarray(position, dtype=np.int64),
        calendar=pd.bdate_range("1990-01-01", periods=int(np.max(position)) + L + 1),
        estimation=Window(-M + FIRST, FIRST - 1),
        window=Window(FIRST, FIRST + L - 1),
        est_returns=est,
        event_returns=event,
        columns=("MKT",),
        est_columns=market_est[:, :, None],
        event_columns=market_event[:, :, None],
    )


def noise(rng: np.random.Generator, n: int, fault: str) -> np.ndarray:
    """Standard normal errors; or errors that hang together, come in calm and volatile weeks, or have fat tails."""
    z = rng.standard_normal((n, M + L))
    if fault == "autocorrelation":
        for t in range(1, M + L):
            z[:, t] = 0.25 * z[:, t - 1] + math.sqrt(1 - 0.25**2) * z[:, t]
    elif fault == "arch":
        h = np.ones(n)
        for t in range(M + L):
            z[:, t] *= np.sqrt(h)
            h = 0.5 + 0.5 * z[:, t] ** 2
    elif fault == "fat tails":
        z = rng.standard_t(4, z.shape) / math.sqrt(2)
    elif fault == "outliers":
        z[:, rng.choice(M, 8, replace=False)] *= 12
    elif fault == "correlation":
        z = math.sqrt(0.7) * z + math.sqrt(0.3) * rng.standard_normal((1, M + L))
    return z


def simulated(n: int, seed: int, fault: str = "") -> EventPanel:
    """Market model with normal errors, events on dates apart; or with one fault."""
    rng = np.random.default_rng(seed)
    market, z = rng.normal(0.0004, 0.01, (n, M + L)), noise(rng, n, fault)
    beta, position = np.ones((n, M + L)), None
    if fault == "beta":
        beta[:, M // 2 :] = 2.0
    elif fault == "drift":
        z[:, M : M - FIRST] += 0.5
    elif fault == "variance":
        z[:, M - FIRST] *= 2.5
    elif fault == "correlation":
        market[:] = market[0]
        position = np.full(n, M + 20)
    returns = 0.0002 + beta * market + rng.uniform(0.01, 0.03, n)[:, None] * z
    return make_panel(returns[:, :M], returns[:, M:], market[:, :M], market[:, M:], position)


def fitted(panel: EventPanel, model: es.MarketModel | None = None) -> AbnormalReturns:
    model = model or es.MarketModel("MKT")
    return abnormal_returns(panel, model.fit(panel))


def checks_of(panel: EventPanel) -> dict[str, Check]:
    model = es.MarketModel("MKT")
    return {c.name: c for c in validity_checks(fitted(panel), panel, model)}


@pytest.fixture(scope="module")
def residuals() -> np.ndarray:
    """Residuals without and with missing days, fat tails and a mean that is not zero."""
    rng = np.random.default_rng(3)
    e = 0.001 + rng.standard_t(4, (12, 120)) * 0.02
    e[4:][rng.random((8, 120)) < 0.15] = np.nan
    e[10, 40:] = np.nan
    return e


def rows_of(e: np.ndarray) -> list[np.ndarray]:
    return [row[np.isfinite(row)] for row in e]


# -- equal to statsmodels ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lags", [1, 5, 10])
def test_ljung_box_is_that_of_statsmodels(residuals, lags):
    found = ljung_box(residuals, lags)
    expected = [diagnostic.acorr_ljungbox(r, lags=[lags]).iloc[0] for r in rows_of(residuals)]
    np.testing.assert_allclose(found.value, [e["lb_stat"] for e in expected], rtol=RTOL)
    np.testing.assert_allclose(found.p_value, [e["lb_pvalue"] for e in expected], rtol=RTOL)


@pytest.mark.parametrize("lags", [1, 5, 10])
def test_arch_lm_is_that_of_statsmodels(residuals, lags):
    found = arch_lm(residuals, lags)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # statsmodels announces another return type
        expected = [diagnostic.het_arch(r, nlags=lags)[:2] for r in rows_of(residuals)]
    np.testing.assert_allclose(found.value, [e[0] for e in expected], rtol=RTOL, atol=ATOL)
    np.testing.assert_allclose(found.p_value, [e[1] for e in expected], rtol=RTOL)


def test_jarque_bera_and_durbin_watson_are_those_of_statsmodels(residuals):
    found = jarque_bera(residuals)
    expected = [stattools.jarque_bera(r) for r in rows_of(residuals)]
    np.testing.assert_allclose(found.value, [e[0] for e in expected], rtol=RTOL)
    np.testing.assert_allclose(found.p_value, [e[1] for e in expected], rtol=RTOL)
    np.testing.assert_allclose(
        durbin_watson(residuals), [stattools.durbin_watson(r) for r in rows_of(residuals)], rtol=RTOL
    )


@pytest.mark.parametrize("p", [2, 4])
def test_chow_is_the_f_of_three_regressions(p):
    rng = np.random.default_rng(8)
    x = np.concatenate([np.ones((10, 90, 1)), rng.normal(0.0004, 0.01, (10, 90, p - 1))], axis=2)
    y = 0.001 + x.sum(axis=2) + rng.standard_normal((10, 90)) * 0.02
    y[5:][rng.random((5, 90)) < 0.1] = np.nan
    e, f, tail = np.full(y.shape, np.nan), [], []
    for i in range(10):
        seen = np.isfinite(y[i])
        m, yi, xi = int(seen.sum()), y[i][seen], x[i][seen]
        whole, halves = sm.OLS(yi, xi).fit(), [sm.OLS(yi[h], xi[h]).fit() for h in (slice(m // 2), slice(m // 2, None))]
        within = sum(h.ssr for h in halves)
        f.append((whole.ssr - within) / p / (within / (m - 2 * p)))
        tail.append(stats.f.sf(f[-1], p, m - 2 * p))
        e[i, seen] = whole.resid
    found = chow(e, list(np.moveaxis(x, 2, 0)))
    np.testing.assert_allclose(found.value, f, rtol=RTOL)
    np.testing.assert_allclose(found.p_value, tail, rtol=RTOL)
    # Regressions of y on X and of residuals on X leave the same sums of squares, whatever was estimated before.
    np.testing.assert_allclose(chow(y, list(np.moveaxis(x, 2, 0))).value, f, rtol=1e-8)


def test_outliers_are_days_beyond_robust_deviations(residuals):
    far = outliers(residuals, 3.0)
    centre, deviation = robust_spread(residuals)
    for i, row in enumerate(residuals):
        seen = row[np.isfinite(row)]
        mad = stats.median_abs_deviation(seen, scale="normal")
        np.testing.assert_allclose([centre[i], deviation[i]], [np.median(seen), mad], rtol=RTOL)
        assert far[i].sum() == (np.abs(seen - np.median(seen)) > 3.0 * mad).sum()
        assert not far[i][~np.isfinite(row)].any()
    assert far.any()


def test_missing_days_are_left_out_in_order():
    row = np.array([[np.nan, 3.0, np.nan, 1.0, 2.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
    values, count = in_order(row)
    assert count.tolist() == [3, 5]
    assert values.tolist() == [[3.0, 1.0, 2.0, 0.0, 0.0], [5.0, 4.0, 3.0, 2.0, 1.0]]


# -- what a series that cannot be judged gives -----------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", [lambda e: ljung_box(e, 10), lambda e: arch_lm(e, 5), jarque_bera])
def test_few_days_no_variation_and_no_days_at_all_have_no_statistic(statistic):
    e = np.full((4, 60), np.nan)
    e[0, :5] = [0.1, -0.1, 0.2, 0.0, -0.2]
    e[1] = 0.013
    e[3] = np.random.default_rng(0).standard_normal(60)
    found = statistic(e)
    assert found.computed.tolist() == [False, False, False, True]
    assert statistic(e[:, :3]).computed.tolist() == [False] * 4
    assert statistic(e[:3]).computed.tolist() == [False] * 3


def test_a_half_without_variation_has_no_chow():
    rng = np.random.default_rng(1)
    market = rng.normal(size=(3, 60))
    market[1, :30] = 0.5
    x = np.stack([np.ones((3, 60)), market], axis=2)
    e = rng.standard_normal((3, 60))
    e[2, 7:] = np.nan
    assert chow(e, list(np.moveaxis(x, 2, 0))).computed.tolist() == [True, False, False]
    assert not chow(np.zeros((1, 60)), list(np.moveaxis(x[:1], 2, 0))).computed.any()
    assert not outliers(np.zeros((1, 60)), 5.0).any()
    assert np.isnan(autocorrelations(np.zeros((1, 60)), 2)).all()


def test_a_study_of_few_days_says_what_was_not_judged():
    index = pd.bdate_range("2024-01-01", periods=40)
    rng = np.random.default_rng(5)
    table = pd.DataFrame(rng.normal(0, 0.01, (40, 2)), index, ["A", "MKT"])
    study = es.EventStudy(es.MarketModel("MKT"), estimation=(-6, -1), window=(0, 1), min_estimation=3, calendar=None)
    result = study.run(table, es.Event("A", index[20]))
    found = {c.name: c for c in result.checks}
    for name in (
        "Residuals without autocorrelation",
        "Residuals of steady variance",
        "Normal residuals",
        "Steady beta",
    ):
        assert found[name].value.startswith("not tested: too few days"), name
        assert found[name].passed
    assert found["No drift before the event"].value == "not tested: the event window has no day before day 0"
    assert "not tested" not in repr(result)


def test_missing_days_before_the_event_leave_the_drift_unjudged():
    panel = simulated(3, 1)
    panel = replace(panel, event_returns=np.where(np.arange(L) < -FIRST, np.nan, panel.event_returns))
    assert checks_of(panel)["No drift before the event"].value.startswith("not tested: no event has an abnormal return")
    one = checks_of(panel.keep(np.array([True, False, False])))
    assert one["No drift before the event"].value.startswith("not tested: no return on days −")


# -- clean data pass ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_thousand_clean_events_pass_every_check(seed):
    found = checks_of(simulated(1000, seed))
    assert tuple(found) == NAMES
    assert [c.name for c in found.values() if not c.passed] == []
    assert all(c.comment == "" for c in found.values())
    assert "of 1000 events reject at 5%" in found["Steady beta"].value
    assert "about 50 expected by chance" in found["Steady beta"].value


@pytest.mark.slow
@pytest.mark.parametrize(("n", "studies"), [(1, 300), (4, 120), (40, 40)])
def test_false_alarms_are_rare(n, studies):
    """About one in a hundred each; Jarque-Bera's law is approached slowly (2 % at 1 %)."""
    failed = dict.fromkeys(NAMES, 0)
    whole = simulated(n * studies, 7)
    ab = fitted(whole)
    for k in range(studies):
        keep = np.zeros(whole.n, dtype=np.bool_)
        keep[k * n : (k + 1) * n] = True
        part = ab.take(np.flatnonzero(keep))
        for check in validity_checks(part, whole.keep(keep), es.MarketModel("MKT")):
            failed[check.name] += not check.passed
    for name, count in failed.items():
        # The variance ratio has a fixed bound of 3: four events pass it by chance in 3 % of studies.
        rate = 0.03 if name in ("Normal residuals", "No event-induced variance on day 0") else FALSE_ALARM
        assert count <= stats.binom.ppf(0.9999, studies, rate), f"{name}: {count} of {studies}"


def test_the_number_allowed_by_chance_is_the_binomial_bound():
    for n in (1, 2, 10, 40, 1000):
        most = most_by_chance(n)
        assert stats.binom.sf(most, n, 0.05) <= FALSE_ALARM < (stats.binom.sf(most - 1, n, 0.05) if most else 1.0)


# -- each fault is found -----------------------------------------------------------------------------------------------

FAULTS = {
    "autocorrelation": ("Residuals without autocorrelation", "HacMarketModel"),
    "arch": ("Residuals of steady variance", "GarchMarketModel('MKT')"),
    "fat tails": ("Normal residuals", "for levels below 5%, as among several events, compare permutation"),
    "outliers": ("Few outliers in the estimation window", "RobustMarketModel"),
    "beta": ("Steady beta", "shorter estimation window"),
    "drift": ("No drift before the event", "news leaked"),
    "variance": ("No event-induced variance on day 0", "patell_z, cda_t and corrado_rank_z"),
    "correlation": ("Uncorrelated events", "kp_bmp_t"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_its_own_check_and_the_comment_names_a_remedy(fault):
    name, remedy = FAULTS[fault]
    check = checks_of(simulated(40, 11, fault))[name]
    assert not check.passed, check
    assert remedy in check.comment
    assert checks_of(simulated(40, 11))[name].passed


@pytest.mark.parametrize("fault", ["outliers", "beta"])
def test_a_fault_of_one_event_is_found(fault):
    check = checks_of(simulated(1, 12, fault))[FAULTS[fault][0]]
    assert not check.passed
    assert " events" not in check.value


def test_one_bad_event_among_few_is_named():
    panel = simulated(5, 3)
    est = panel.est_returns.copy()
    est[3, : M // 2] += 2.0 * panel.est_columns[3, : M // 2, 0]
    check = checks_of(replace(panel, est_returns=est))["Steady beta"]
    assert not check.passed
    assert check.rule == "at most 2 of 5, no p below 0.002"
    assert check.comment.startswith("F3")


def test_errors_that_allow_for_autocorrelation_pass_and_say_so():
    panel = simulated(40, 11, "autocorrelation")
    ab = replace(fitted(panel), serial=np.full((40, 5), 0.1))
    (check,) = [c for c in validity_checks(ab, panel, es.MarketModel("MKT")) if c.name == NAMES[0]]
    assert check.passed
    assert "this model's errors allow for it" in check.comment


def test_only_a_model_with_a_slope_has_a_beta():
    panel = simulated(4, 1)
    for model in (es.MeanAdjusted(), es.MarketAdjusted("MKT")):
        own = panel if model.columns else replace(
            panel, columns=(), est_columns=panel.est_columns[:, :, :0], event_columns=panel.event_columns[:, :, :0]
        )  # fmt: skip
        names = [c.name for c in validity_checks(abnormal_returns(own, model.fit(own)), own, model)]
        assert names == [n for n in NAMES if n != "Steady beta"]


def test_the_order_of_events_does_not_matter():
    panel = simulated(20, 4, "arch")
    order = np.random.default_rng(0).permutation(20)
    ab = fitted(panel)
    plain = validity_checks(ab, panel, es.MarketModel("MKT"))
    shuffled = make_panel(
        panel.est_returns[order], panel.event_returns[order], panel.est_columns[order, :, 0],
        panel.event_columns[order, :, 0], panel.position[order],
    )  # fmt: skip
    for one, other in zip(plain, validity_checks(fitted(shuffled), shuffled, es.MarketModel("MKT")), strict=True):
        assert (one.name, one.value, one.passed) == (other.name, other.value, other.passed)


# -- numbers shown ---------------------------------------------------------------------------------------------------------


def test_the_true_size_of_a_naive_test():
    """Exact asymptotics of a test of n events at mean correlation r, three decimals."""
    table = {
        (5, 0.01): 0.056, (7, 0.05): 0.094, (10, 0.1): 0.177, (20, 0.2): 0.424, (30, 0.05): 0.222, (50, 0.1): 0.444,
        (50, 0.02): 0.168, (100, 0.3): 0.767, (100, 0.5): 0.845,
    }  # fmt: skip
    for (n, r), share in table.items():
        assert true_size(r, n) == pytest.approx(share, abs=6e-4)
    assert true_size(1.0, 3) == 1.0
    assert true_size(-0.5, 3) == 0.0


def test_one_event_shows_its_statistic_and_p_as_statsmodels_has_them():
    prices = es.load_prices(["NVDA", "^GSPC"])
    result = es.EventStudy(model=es.MarketModel("^GSPC")).run(prices, es.Event("NVDA", "2025-01-27"))
    found = {c.name: c for c in result.checks}
    resid = result.regression("NVDA").resid
    box = diagnostic.acorr_ljungbox(resid, lags=[10]).iloc[0]
    jb = stattools.jarque_bera(resid)
    assert found[NAMES[0]].value == f"Ljung-Box Q(10) {box['lb_stat']:.2f}, p {box['lb_pvalue']:.3f}"
    assert found[NAMES[2]].value == f"Jarque-Bera {jb[0]:.2f}, p <0.001"
    assert not found[NAMES[2]].passed
    assert "Normal residuals: Jarque-Bera" in repr(result)
    assert "Residuals without autocorrelation" not in repr(result)
    assert set(NAMES[-2:]).isdisjoint(found)


def test_drift_and_correlation_show_the_tests_own_numbers():
    ab = fitted(simulated(40, 11, "correlation"))
    found = checks_of(simulated(40, 11, "correlation"))
    before = es.inference.run_test("kp_bmp_t", ab, (FIRST, -1))
    assert f"kp_bmp_t {before.statistic:.2f}".replace("-", "−") in found["No drift before the event"].value
    assert f"correlation {before.details['r_bar']:.4f} of 40 events" in found["Uncorrelated events"].value
    apart = checks_of(simulated(40, 11))
    assert "bmp_t" in apart["No drift before the event"].value
    assert apart["Uncorrelated events"].value == "no two events share a day of their windows"


def test_the_drift_of_a_volume_is_in_its_own_unit():
    """Log points are no per cent."""
    prices = es.load_prices(["NVDA", "^GSPC"])
    result = es.EventStudy(model=es.MeanAdjusted(), measure="volume").run(prices, [es.Event("NVDA", "2025-01-27")])
    drift = next(c for c in result.checks if c.name == "No drift before the event")
    assert "CAR" in drift.value
    assert "%" not in drift.value
