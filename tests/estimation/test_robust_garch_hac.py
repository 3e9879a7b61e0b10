"""Models by iteration, and errors correlated over time: against the libraries, in loops, and by their size."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from golden import read
from scipy import stats
from scipy.optimize import linprog
from statsmodels.regression.quantile_regression import hall_sheather
from trio import EVENTS

import eventstudy as es
from eventstudy.estimation import garch, robust
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.model import Fit
from eventstudy.estimation.panel import EventPanel
from eventstudy.estimation.residuals import bartlett_weights, newey_west_lags
from eventstudy.estimation.volatility import Egarch, Garch, Series, most_likely
from eventstudy.windows import Window

GAP = 10
# The same library call on the same numbers, or the same sums in another order.
SAME = 1e-10
# Both maximise the same likelihood, ``arch`` with slopes from differences, which leave it a millionth from the top.
SAME_MAXIMUM = 1e-6
# A band of four Monte Carlo standard errors: a right test fails once in 16,000 comparisons, and the seed is fixed.
STANDARD_ERRORS = 4.0


def panel_of(returns: np.ndarray, market: np.ndarray, length: int) -> EventPanel:
    """Make a panel of rows of returns: estimation window, a gap of ten sessions, event window of ``length`` days."""
    n, days = returns.shape
    m = days - GAP - length
    market = np.broadcast_to(market, returns.shape)[:, :, None]
    return EventPanel(
        events=(es.Event("FIRM", "2025-01-27"),) * n,
        keys=tuple(map(str, range(n))),
        position=np.full(n, m + GAP, dtype=np.int64),
        calendar=pd.bdate_range("2020-01-01", periods=days),
        estimation=Window(-m - GAP, -1 - GAP),
        window=Window(0, length - 1),
        est_returns=returns[:, :m],
        event_returns=returns[:, m + GAP :],
        columns=("MKT",),
        est_columns=market[:, :m],
        event_columns=market[:, m + GAP :],
    )


def wild(n: int, days: int, seed: int, share: float = 0.0, times: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Returns with errors of law t(3), a share of them several times as large, and the market."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0004, 0.01, (n, days))
    errors = rng.standard_t(3, (n, days)) * np.where(rng.random((n, days)) < share, times, 1.0)
    return 0.0003 + 1.1 * market + 0.012 * errors, market


def covariance(fit: Fit, i: int = 0) -> np.ndarray:
    return fit.root[i] @ fit.root[i].T * fit.sigma[i] ** 2


def rejected(abnormal: AbnormalReturns, window: tuple[int, int]) -> float:
    """Share of events whose ``t_pe`` of the window is beyond two-sided 5 %."""
    sums = abnormal.sums(window)
    return float((2 * stats.t.sf(np.abs(sums.scar), abnormal.df) < 0.05).mean())


def band(count: int, nominal: float = 0.05) -> float:
    return STANDARD_ERRORS * math.sqrt(nominal * (1 - nominal) / count)


# -- robust regression --------------------------------------------------------------------------------------

NORMS = ("huber", "tukey", "lad")


def direct(norm: str, y: np.ndarray, x: np.ndarray):
    exog = sm.add_constant(x)
    chosen = sm.robust.norms.HuberT() if norm == "huber" else sm.robust.norms.TukeyBiweight()
    return sm.RLM(y, exog, M=chosen).fit(conv="coefs", tol=1e-12, maxiter=500)


@pytest.mark.parametrize("norm", ["huber", "tukey"])
def test_robust_coefficients_and_their_covariance_are_those_of_statsmodels(norm):
    returns, market = wild(4, 260 + GAP + 3, seed=2, share=0.03)
    returns[1, 20:50] = np.nan
    panel = panel_of(returns, market, 3)
    fit = es.RobustMarketModel("MKT", norm).fit(panel)
    for i in range(panel.n):
        used = panel.est_mask[i]
        expected = direct(norm, panel.est_returns[i][used], panel.est_columns[i, used, 0])
        np.testing.assert_allclose(fit.coefficients[i], expected.params, rtol=1e-8)
        np.testing.assert_allclose(covariance(fit, i), expected.cov_params(), rtol=1e-7)
        e = panel.est_returns[i][used] - fit.coefficients[i] @ np.array(
            [np.ones(used.sum()), panel.est_columns[i, used, 0]]
        )
        np.testing.assert_allclose(fit.residuals[i][used], e, rtol=0, atol=1e-15)
        assert fit.sigma[i] == pytest.approx(math.sqrt(e @ e / (used.sum() - 2)), rel=SAME)
        assert fit.r_squared[i] == pytest.approx(
            1 - e @ e / ((panel.est_returns[i][used] - panel.est_returns[i][used].mean()) ** 2).sum(), rel=1e-9
        )
    assert np.isnan(fit.residuals[1, 20:50]).all()
    assert fit.unusable == ("",) * 4


def test_least_absolute_deviations_are_the_solution_of_the_linear_programme():
    """The primal programme gives the coefficients to nine digits; QuantReg stops short of them, and has the same covariance."""
    returns, market = wild(3, 150 + GAP + 1, seed=5)
    panel = panel_of(returns, market, 1)
    fit, sigma = es.RobustMarketModel("MKT", "lad").fit(panel), es.MarketModel("MKT").fit(panel).sigma
    for i in range(3):
        y, x = panel.est_returns[i] / sigma[i], panel.est_columns[i, :, 0] / sigma[i]
        m, back = len(y), np.array([sigma[i], 1.0])
        equal = np.hstack([np.column_stack([np.ones(m), x]), np.eye(m), -np.eye(m)])
        bounds = [(None, None)] * 2 + [(0, None)] * (2 * m)
        best = linprog(np.r_[0, 0, np.ones(2 * m)], A_eq=equal, b_eq=y, bounds=bounds).x[:2]
        np.testing.assert_allclose(fit.coefficients[i], best * back, rtol=1e-9)
        by_iteration = sm.QuantReg(y, sm.add_constant(x)).fit(q=0.5, p_tol=1e-10)
        assert np.abs(y - best[0] - best[1] * x).sum() <= np.abs(by_iteration.resid).sum()
        e = y - best[0] - best[1] * x
        h, z = hall_sheather(m, 0.5), stats.norm.ppf
        width = min(y.std(), stats.iqr(e) / 1.34) * (z(0.5 + h) - z(0.5 - h))
        density = sum(0.75 * (1 - u * u) for u in e / width if abs(u) <= 1) / (m * width)
        design = sm.add_constant(x)
        expected = np.linalg.inv(design.T @ design) / (4 * density**2) * np.outer(back, back)
        np.testing.assert_allclose(covariance(fit, i), expected, rtol=1e-9)
        np.testing.assert_allclose(expected, by_iteration.cov_params() * np.outer(back, back), rtol=1e-3)


def absolute_deviations(y: np.ndarray, x: np.ndarray) -> float:
    """The smallest sum of absolute deviations, by trying the line through every pair of days."""
    first, second = np.triu_indices(len(y), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (y[first] - y[second]) / (x[first] - x[second])
        lines = y[None, :] - slope[:, None] * x[None, :] - (y[first] - slope * x[first])[:, None]
        return float(np.nanmin(np.abs(lines).sum(axis=1)))


def test_every_event_has_least_absolute_deviations():
    """Real shares on other days: iterations went round in circles on some, and the events were lost."""
    returns = es.load_prices().returns().iloc[1:]
    firms = [c for c in returns.columns if not c.startswith("^") and returns[c].notna().all()]
    rng = np.random.default_rng(77)
    events = [es.Event(f, returns.index[d]) for f in firms for d in rng.integers(160, len(returns) - 3, 4)]
    study = es.EventStudy(
        model=es.RobustMarketModel("^GSPC", "lad"), estimation=(-130, -11), window=(0, 1), max_dropped=0
    )
    found = study.run(returns, events)
    assert len(found.events) == len(events) > 100
    for i in range(0, len(events), 7):
        place = int(found.panel.position[i])
        days = returns.iloc[place - 130 : place - 10]
        y, x = days[events[i].ticker].to_numpy(), days["^GSPC"].to_numpy()
        assert np.abs(found.abnormal.residuals[i]).sum() == pytest.approx(absolute_deviations(y, x), rel=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_a_wild_day_moves_the_beta_of_least_squares_and_not_the_robust_one(norm):
    rng = np.random.default_rng(8)
    market = rng.normal(0.0, 0.01, (1, 250 + GAP + 1))
    returns = 1.1 * market + rng.normal(0.0, 0.01, market.shape)
    panel = panel_of(returns, market, 1)
    hit = panel.est_returns.copy()
    hit[0, np.argmax(panel.est_columns[0, :, 0])] -= 0.4
    wild_panel = replace(panel, est_returns=hit)
    moved = {
        name: abs(model.fit(wild_panel).coefficients[0, 1] - model.fit(panel).coefficients[0, 1])
        for name, model in {"ols": es.MarketModel("MKT"), norm: es.RobustMarketModel("MKT", norm)}.items()
    }
    assert moved["ols"] > 0.3
    assert moved[norm] < 0.06


@pytest.mark.slow
def test_the_spread_of_all_residuals_keeps_the_size_where_a_robust_scale_does_not():
    """Errors of law t(3) with wild days: the event day is one of them."""
    length, n = 40, 150
    returns, market = wild(n, 250 + GAP + length, seed=3, share=0.01)
    panel = panel_of(returns, market, length)
    fit = es.RobustMarketModel("MKT").fit(panel)
    scale = np.nanmedian(np.abs(fit.residuals), axis=1) / stats.norm.ppf(0.75)
    by_scale = replace(fit, sigma=scale, root=fit.root * (fit.sigma / scale)[:, None, None])
    days = [(d, d) for d in range(length)]
    honest = np.mean([rejected(abnormal_returns(panel, fit), d) for d in days])
    too_small = np.mean([rejected(abnormal_returns(panel, by_scale), d) for d in days])
    # With fat tails few days hold most of the variance, so a normal bound is passed a little less often than 5 %.
    assert 0.025 < honest < 0.05 + band(n * length)
    assert too_small > 0.10


@pytest.mark.parametrize("norm", NORMS)
def test_robust_fits_do_not_depend_on_the_unit_of_returns(norm):
    returns, market = wild(3, 120 + GAP + 2, seed=4)
    scar = [
        abnormal_returns(panel, es.RobustMarketModel("MKT", norm).fit(panel)).sums((0, 1)).scar
        for panel in (panel_of(returns, market, 2), panel_of(returns / 50, market / 50, 2))
    ]
    np.testing.assert_allclose(scar[1], scar[0], rtol=1e-7)


@pytest.mark.parametrize("norm", NORMS)
def test_robust_fits_say_why_they_cannot_be_used(norm, monkeypatch):
    returns, market = wild(5, 100 + GAP + 2, seed=6)
    market[0, :100] = 0.001
    returns[1, :100] = 0.0
    returns[2, 2:100] = np.nan
    returns[3, :70] = 0.5 * market[3, :70]
    panel = panel_of(returns, market, 2)
    fit = es.RobustMarketModel("MKT", norm).fit(panel)
    assert "does not vary" in fit.unusable[0]
    assert "no residual variation" in fit.unusable[1]
    assert "too few" in fit.unusable[2]
    assert fit.unusable[3]
    assert "line" in fit.unusable[3] or "standard errors" in fit.unusable[3]
    assert fit.unusable[4] == ""
    monkeypatch.setattr(robust, "MAX_ITERATIONS", 2)
    reason = es.RobustMarketModel("MKT", norm).fit(panel).unusable[4]
    assert (
        reason == "" if norm == "lad" else "did not converge" in reason
    )  # a linear programme has no iterations to run out of


# -- GARCH --------------------------------------------------------------------------------------------------

TRUE = (0.05, 0.12, 0.83)  # ω, α, β of returns in per cent; mean variance 1


def garch_errors(n: int, days: int, seed: int, burn: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Errors in per cent, and their variances."""
    rng = np.random.default_rng(seed)
    omega, alpha, beta = TRUE
    h, e = np.ones(n), np.zeros(n)
    errors, variances = np.empty((n, burn + days)), np.empty((n, burn + days))
    for t in range(burn + days):
        h = omega + alpha * e**2 + beta * h
        e = np.sqrt(h) * rng.standard_normal(n)
        errors[:, t], variances[:, t] = e, h
    return errors[:, burn:], variances[:, burn:]


def garch_panel(n: int, m: int, length: int, seed: int) -> tuple[EventPanel, np.ndarray]:
    errors, variances = garch_errors(n, m + GAP + length, seed)
    market = np.random.default_rng(seed + 1).normal(0.0004, 0.01, errors.shape)
    return panel_of(0.0002 + 0.9 * market + errors / 100, market, length), variances


def arch_fit(panel: EventPanel, i: int):
    """The fit of ``arch``, told to go on until the likelihood stands still: its own rule stops a thousandth of a standard error before."""
    from arch.univariate import GARCH, LS

    used = panel.est_mask[i]
    y, x = 100 * panel.est_returns[i][used], 100 * panel.est_columns[i][used]
    return LS(y, x, volatility=GARCH(1, 0, 1), rescale=False).fit(disp="off", options={"maxiter": 1000}, tol=1e-14)


def own_path(panel: EventPanel, i: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Variance parameters, errors and variances of one event, in per cent: maximised alone, the errors and variances as the fit has them."""
    model = es.GarchMarketModel("MKT", kind)
    fit, used, sigma = model.fit(panel), panel.est_mask[i], es.MarketModel("MKT").fit(panel).sigma[i]
    y, x = panel.est_returns[i, used], model.design(panel.est_columns[i, used])
    q = np.linalg.qr(x)[0].T
    y = y - (q @ y) @ q
    equation = Garch() if kind == "garch" else Egarch()
    best = most_likely(Series.of(y[None] / sigma, q[None], used[used][None]), equation, garch.CLIMBS)
    assert best.found.all()
    e = panel.est_returns[i, used] - x @ fit.coefficients[i]
    h = (e / fit.residuals[i][used] * fit.sigma[i]) ** 2
    return garch.in_unit(best.theta[:, 0], 100 * sigma, kind), 100 * e, 1e4 * h


def test_on_a_long_garch_series_the_truth_is_found():
    pytest.importorskip("arch", reason="needs the extra garch")
    panel, variances = garch_panel(1, 3000, 15, seed=1)
    fit = es.GarchMarketModel("MKT").fit(panel)
    params = arch_fit(panel, 0).params.to_numpy()
    np.testing.assert_allclose(params[2:], TRUE, atol=0.04)
    np.testing.assert_allclose(fit.coefficients[0], params[:2] / [100, 1], rtol=SAME_MAXIMUM)
    assert fit.coefficients[0, 1] == pytest.approx(0.9, abs=4 * math.sqrt(covariance(fit)[1, 1]))
    # Residuals over their own deviation: variance s² each, and no longer quiet or wild in turns.
    plain = panel.est_returns[0] - fit.coefficients[0] @ np.array([np.ones(3000), panel.est_columns[0, :, 0]])
    h = (plain / fit.residuals[0] * fit.sigma[0]) ** 2
    assert np.corrcoef(h, variances[0, :3000])[0, 1] > 0.98
    assert fit.sigma[0] == pytest.approx(math.sqrt(plain @ plain / 2998), rel=SAME)
    standard = (fit.residuals[0] / fit.sigma[0]) ** 2
    assert standard.mean() == pytest.approx(1.0, abs=0.02)
    wild_follows_wild = [np.corrcoef(v[1:], v[:-1])[0, 1] for v in (standard, plain**2)]
    assert abs(wild_follows_wild[0]) < 4 / math.sqrt(3000) < wild_follows_wild[1]


def test_event_day_variances_are_the_recursion_from_the_last_day_through_the_gap():
    pytest.importorskip("arch", reason="needs the extra garch")
    panel, _ = garch_panel(2, 400, 6, seed=12)
    lost = panel.est_returns.copy()
    lost[1, -3:] = np.nan
    lost[1, 30:40] = np.nan
    panel = replace(panel, est_returns=lost)
    fit = es.GarchMarketModel("MKT").fit(panel)
    assert fit.unusable == ("", "")
    for i, gap in ((0, GAP), (1, GAP + 3)):
        (omega, alpha, beta), e, h = own_path(panel, i, "garch")
        path = [omega + alpha * e[-1] ** 2 + beta * h[-1]]
        while len(path) < gap + 6:
            path.append(omega + (alpha + beta) * path[-1])
        np.testing.assert_allclose(fit.relative_variance[i] * fit.sigma[i] ** 2 * 1e4, path[gap:], rtol=SAME)
        # The variances follow the equation day by day, missing days left out.
        np.testing.assert_allclose(h[1:], omega + alpha * e[:-1] ** 2 + beta * h[:-1], rtol=SAME)
    theirs = arch_fit(panel, 0).forecast(horizon=GAP + 6, x=np.zeros((1, GAP + 6))).variance.to_numpy()[-1, GAP:]
    np.testing.assert_allclose(fit.relative_variance[0] * fit.sigma[0] ** 2 * 1e4, theirs, rtol=SAME_MAXIMUM)


#: ω, α, γ, β, last error, last variance; per cent.
EGARCHES = [(0.02, 0.2, -0.1, 0.95, -2.5, 1.7), (0.3, 0.05, 0.15, 0.4, 0.2, 0.6), (0.6, 0.0, -0.2, 0.0, 1.0, 2.0)]


@pytest.mark.parametrize("case", EGARCHES)
def test_egarch_forecasts_are_expectations_added_up_over_a_fine_grid(case):
    omega, alpha, gamma, beta, e, h = case
    z = np.linspace(0.0, 12.0, 40_001)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)

    def shock(value):
        return alpha * (np.abs(value) - math.sqrt(2 / math.pi)) + gamma * value

    def expectation(b: float) -> float:
        return sum(float(np.trapezoid(np.exp(b * shock(side)) * density, z)) for side in (z, -z))

    first = omega + shock(e / math.sqrt(h)) + beta * math.log(h)
    expected = [
        math.exp(omega * sum(beta**j for j in range(k)) + beta**k * first)
        * math.prod(expectation(beta**j) for j in range(k))
        for k in range(25)
    ]
    forecast = garch.forecast_egarch(np.array(case[:4]), e, h, 25)
    np.testing.assert_allclose(forecast, expected, rtol=1e-7)
    # And once by drawing the days to come.
    rng = np.random.default_rng(3)
    log_h = np.full(200_000, first)
    for _ in range(9):
        log_h = omega + shock(rng.standard_normal(len(log_h))) + beta * log_h
    drawn = np.exp(log_h)
    assert forecast[9] == pytest.approx(drawn.mean(), abs=4 * drawn.std() / math.sqrt(len(drawn)))


def test_egarch_variances_are_forecast_from_the_fitted_equation():
    pytest.importorskip("arch", reason="needs the extra garch")
    panel, _ = garch_panel(1, 500, 5, seed=7)
    fit = es.GarchMarketModel("MKT", "egarch").fit(panel)
    (omega, alpha, gamma, beta), e, h = own_path(panel, 0, "egarch")
    assert 0 <= alpha <= 2
    assert 0 <= beta < 1
    # The variances follow the equation day by day, so the parameters are read in the right order.
    z = e / np.sqrt(h)
    step = omega + alpha * (np.abs(z[:-1]) - math.sqrt(2 / math.pi)) + gamma * z[:-1] + beta * np.log(h[:-1])
    np.testing.assert_allclose(np.log(h[1:]), step, atol=1e-8)
    ahead = garch.forecast_egarch(np.array([omega, alpha, gamma, beta]), e[-1], h[-1], GAP + 5)[GAP:]
    np.testing.assert_allclose(fit.relative_variance[0] * fit.sigma[0] ** 2 * 1e4, ahead, rtol=SAME)


@pytest.mark.parametrize("kind", ["garch", "egarch"])
def test_on_data_of_constant_variance_the_market_model_comes_back(kind):
    """Also its standard errors, where second derivatives of the likelihood break down."""
    pytest.importorskip("arch", reason="needs the extra garch")
    rng = np.random.default_rng(0)
    market = rng.normal(0.0, 0.01, (8, 250 + GAP + 3))
    panel = panel_of(market + rng.normal(0.0, 0.015, market.shape), market, 3)
    fit, ols = es.GarchMarketModel("MKT", kind).fit(panel), es.MarketModel("MKT").fit(panel)
    usable = np.array([not reason for reason in fit.unusable])
    assert usable.sum() >= 7
    assert np.median(fit.relative_variance[usable]) == pytest.approx(1.0, abs=0.1)
    np.testing.assert_allclose(fit.relative_variance[usable], 1.0, atol=0.5)
    for i in np.flatnonzero(usable):
        np.testing.assert_allclose(np.diag(covariance(fit, i)) / np.diag(covariance(ols, i)), 1.0, atol=0.3)


@pytest.mark.slow
def test_after_wild_weeks_only_the_garch_model_keeps_its_size():
    pytest.importorskip("arch", reason="needs the extra garch")
    length, many = 4, 6000
    errors, variances = garch_errors(many, 250 + GAP + length, seed=21)
    wildest = np.sort(np.argsort(-variances[:, 249])[: many // 20])
    market = np.random.default_rng(2).normal(0.0, 0.01, (len(wildest), errors.shape[1]))
    panel = panel_of(market + errors[wildest] / 100, market, length)
    some = panel.keep(np.arange(panel.n) % 3 == 0)
    rate = {}
    for name, model, chosen in (("garch", es.GarchMarketModel("MKT"), some), ("ols", es.MarketModel("MKT"), panel)):
        fit = model.fit(chosen)
        assert not any(fit.unusable)
        abnormal = abnormal_returns(chosen, fit)
        rate[name] = np.mean([rejected(abnormal, (d, d)) for d in range(length)])
    assert abs(rate["garch"] - 0.05) < band(length * some.n)
    assert rate["ols"] > 0.10


def test_garch_fits_say_why_they_cannot_be_used(monkeypatch):
    pytest.importorskip("arch", reason="needs the extra garch")
    panel, _ = garch_panel(4, 120, 2, seed=9)
    returns, columns = panel.est_returns.copy(), panel.est_columns.copy()
    columns[0] = 0.001
    returns[1] = 0.0
    returns[2, 40:] = np.nan
    panel = replace(panel, est_returns=returns, est_columns=columns)
    fit = es.GarchMarketModel("MKT").fit(panel)
    assert "does not vary" in fit.unusable[0]
    assert "no residual variation" in fit.unusable[1]
    assert fit.unusable[2] == "40 usable returns in the estimation window; a GARCH model needs at least 60"
    assert fit.unusable[3] == ""
    assert np.isfinite(fit.relative_variance).all()
    monkeypatch.setattr(garch, "CLIMBS", 0)
    monkeypatch.setattr(garch, "MAX_ITERATIONS", 1)
    assert "no maximum" in es.GarchMarketModel("MKT").fit(panel).unusable[3]


def test_without_arch_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch", None)
    panel, _ = garch_panel(1, 100, 1, seed=9)
    with pytest.raises(es.errors.DataMissing, match=r"pip install 'eventstudy-finance\[garch\]'"):
        es.GarchMarketModel("MKT").fit(panel)


# -- Newey-West ---------------------------------------------------------------------------------------------


def ar1_panel(n: int, m: int, length: int, phi: float, seed: int) -> EventPanel:
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.01, (n, m + GAP + length))
    shocks = rng.normal(0.0, 0.015, market.shape)
    errors = np.empty_like(shocks)
    errors[:, 0] = shocks[:, 0] / math.sqrt(1 - phi**2)
    for t in range(1, shocks.shape[1]):
        errors[:, t] = phi * errors[:, t - 1] + shocks[:, t]
    return panel_of(0.0002 + market + errors, market, length)


@pytest.mark.parametrize("lags", [None, 0, 1, 5, 12])
def test_newey_west_covariance_is_that_of_statsmodels(lags):
    panel = ar1_panel(3, 250, 4, 0.3, seed=1)
    fit = es.HacMarketModel("MKT", lags).fit(panel)
    for i in range(panel.n):
        exog = sm.add_constant(panel.est_columns[i, :, 0])
        kind = {"cov_type": "HAC", "cov_kwds": {"maxlags": 4 if lags is None else lags, "use_correction": False}}
        expected = sm.OLS(panel.est_returns[i], exog).fit(**kind)
        np.testing.assert_allclose(covariance(fit, i), expected.cov_params(), rtol=SAME)
        np.testing.assert_allclose(fit.coefficients[i], expected.params, rtol=SAME)
    if lags == 0:
        white = sm.OLS(panel.est_returns[0], sm.add_constant(panel.est_columns[0, :, 0])).fit(cov_type="HC0")
        np.testing.assert_allclose(covariance(fit), white.cov_params(), rtol=SAME)
        assert fit.serial.shape == (3, 0)


def test_abnormal_returns_are_those_of_the_market_model():
    panel = ar1_panel(3, 250, 4, 0.3, seed=1)
    hac_ar, ols_ar = (
        abnormal_returns(panel, model.fit(panel)) for model in (es.HacMarketModel("MKT"), es.MarketModel("MKT"))
    )
    np.testing.assert_array_equal(hac_ar.ar, ols_ar.ar)
    np.testing.assert_array_equal(hac_ar.sigma, ols_ar.sigma)
    assert (hac_ar.sums((0, 3)).s_car > ols_ar.sums((0, 3)).s_car).all()


@pytest.mark.parametrize("prewhiten", [False, True])
def test_pairs_need_both_days_when_days_are_missing(prewhiten):
    """Once more in loops over pairs of sessions."""
    panel = ar1_panel(2, 130, 4, 0.3, seed=3)
    returns = panel.est_returns.copy()
    returns[0, [5, 6, 40, 41, 42, 77, 129]] = np.nan
    panel = replace(panel, est_returns=returns)
    q = 3
    fit = es.HacMarketModel("MKT", q, prewhiten).fit(panel)
    for i in range(2):
        used = panel.est_mask[i]
        x = {t: np.array([1.0, panel.est_columns[i, t, 0]]) for t in np.flatnonzero(used)}
        bread = np.linalg.inv(sum(np.outer(v, v) for v in x.values()))
        b = bread @ sum(v * panel.est_returns[i, t] for t, v in x.items())
        e = {t: np.array([panel.est_returns[i, t] - v @ b]) for t, v in x.items()}
        score = {t: v * e[t] for t, v in x.items()}
        meat = long_run(score, q, prewhiten)
        np.testing.assert_allclose(covariance(fit, i), bread @ meat @ bread, rtol=1e-9)
        if not prewhiten:
            whole = sum(float(v[0]) ** 2 for v in e.values())
            r = [sum(float((e[t] * e[t + k])[0]) for t in e if t + k in e) / whole for k in range(1, q + 1)]
            np.testing.assert_allclose(fit.serial[i], np.array(r) * (1 - np.arange(1, q + 1) / (q + 1)), rtol=SAME)


def long_run(g: dict[int, np.ndarray], q: int, prewhiten: bool) -> np.ndarray:
    back = np.eye(2)
    if prewhiten:
        pairs = [(g[t], g[t - 1]) for t in g if t - 1 in g]
        a = sum(np.outer(now, before) for now, before in pairs) @ np.linalg.inv(
            sum(np.outer(before, before) for _, before in pairs)
        )
        back = np.linalg.inv(np.eye(2) - a)
        g = {t: g[t] - a @ g[t - 1] for t in g if t - 1 in g}
    total = sum(np.outer(v, v) for v in g.values())
    for k in range(1, q + 1):
        one = sum(np.outer(g[t], g[t + k]) for t in g if t + k in g)
        total = total + (1 - k / (q + 1)) * (one + one.T)
    return back @ total @ back.T


def test_prewhitened_correlations_of_an_autoregression_fade_as_its_powers():
    panel = ar1_panel(1, 20_000, 6, 0.4, seed=5)
    fit = es.HacMarketModel("MKT", 0, prewhiten=True).fit(panel)
    phi = fit.serial[0, 0]
    assert phi == pytest.approx(0.4, abs=0.03)
    np.testing.assert_allclose(fit.serial[0], phi ** np.arange(1, 6), rtol=1e-8)
    with_lags = es.HacMarketModel("MKT", 4, prewhiten=True).fit(panel)
    np.testing.assert_allclose(with_lags.serial[0], 0.4 ** np.arange(1, 6), atol=0.03)


@pytest.mark.parametrize("prewhiten", [False, True])
@pytest.mark.parametrize("phi", [-0.98, -0.6, 0.95])
def test_the_variance_of_a_sum_is_never_negative(prewhiten, phi):
    panel = ar1_panel(200, 40, 12, phi, seed=6)
    rng = np.random.default_rng(1)
    returns, window = panel.est_returns.copy(), panel.event_returns.copy()
    returns[rng.random(returns.shape) < 0.15] = np.nan
    window[rng.random(window.shape) < 0.3] = np.nan
    panel = replace(panel, est_returns=returns, event_returns=window, skip_gaps=True)
    for lags in (1, 4, 30):
        fit = es.HacMarketModel("MKT", lags, prewhiten).fit(panel)
        q = min(fit.serial.shape[1], 11)
        apart = np.abs(np.arange(12)[:, None] - np.arange(12))
        sequence = np.concatenate([np.ones((200, 1)), fit.serial[:, :q], np.zeros((200, 11 - q))], axis=1)
        assert np.linalg.eigvalsh(sequence[:, apart]).min() > -1e-12
        sums = abnormal_returns(panel, fit).sums((0, 11))
        assert (sums.s_car[sums.n_days > 0] > 0).all()


@pytest.mark.slow
def test_with_errors_of_an_autoregression_only_newey_west_keeps_its_size():
    n, length = 2500, 10
    panel = ar1_panel(n, 250, length, 0.3, seed=11)
    rate = {
        name: rejected(abnormal_returns(panel, model.fit(panel)), (0, length - 1))
        for name, model in {
            "plain": es.MarketModel("MKT"),
            "default": es.HacMarketModel("MKT"),
            "prewhitened": es.HacMarketModel("MKT", prewhiten=True),
        }.items()
    }
    # Ten days vary 1.74 times as much as ten independent ones; Bartlett weights with q = 4 see nine tenths of that.
    # 20,000 draws gave 13.5, 7.2 and 5.7 %: what is left is that 250 days estimate the correlations.
    for name, known in (("plain", 0.135), ("default", 0.072), ("prewhitened", 0.057)):
        assert abs(rate[name] - known) < band(n, known), name
    assert rate["plain"] > 0.11
    assert rate["prewhitened"] < rate["default"] < 0.09


@pytest.mark.slow
def test_without_correlation_newey_west_keeps_its_size_too():
    panel = ar1_panel(2500, 250, 10, 0.0, seed=12)
    for model in (es.HacMarketModel("MKT"), es.HacMarketModel("MKT", prewhiten=True)):
        assert abs(rejected(abnormal_returns(panel, model.fit(panel)), (0, 9)) - 0.055) < band(2500, 0.055)


def test_lags_follow_each_event_s_days():
    weights = bartlett_weights(newey_west_lags(np.array([30, 100, 250, 1])))
    assert weights.shape == (4, 4)
    np.testing.assert_allclose(weights[2], [0.8, 0.6, 0.4, 0.2])
    np.testing.assert_allclose(weights[1], [0.8, 0.6, 0.4, 0.2])
    np.testing.assert_allclose(weights[0], [0.75, 0.5, 0.25, 0.0])
    assert not weights[3].any()


@pytest.mark.parametrize("prewhiten", [False, True])
def test_newey_west_fits_say_why_they_cannot_be_used(prewhiten):
    panel = ar1_panel(4, 60, 3, 0.2, seed=4)
    returns, columns = panel.est_returns.copy(), panel.est_columns.copy()
    columns[0] = 0.001
    returns[1] = 0.0
    returns[2, 1:] = np.nan
    panel = replace(panel, est_returns=returns, est_columns=columns)
    fit = es.HacMarketModel("MKT", 200, prewhiten).fit(panel)
    assert "does not vary" in fit.unusable[0]
    assert "no residual variation" in fit.unusable[1]
    assert "too few" in fit.unusable[2]
    assert fit.unusable[3] == ""
    kept = np.array([not reason for reason in fit.unusable])
    alone = panel.keep(kept)
    assert abnormal_returns(alone, es.HacMarketModel("MKT", 200, prewhiten).fit(alone)).sums((0, 2)).s_car[0] > 0


@pytest.mark.reference
def test_hac_errors_of_the_r_package_are_the_prewhitened_ones_without_small_sample_factor():
    """R EventStudy calls sandwich::NeweyWest with lag 5 and its defaults: prewhitening by a VAR(1), no adjustment."""
    expected = read("r_EventStudy/synth_nonclustered/market_model_hac_fit").set_index("event_id")
    table = read("synth_nonclustered_returns").merge(read("synth_nonclustered_market"), on="date")
    table = table.sort_values(["event_id", "tau"])
    shape = (len(expected), 271)
    panel = panel_of(table["ret"].to_numpy().reshape(shape), table["mkt"].to_numpy().reshape(shape), 21 - GAP)
    assert panel.est_returns.shape == (40, 250)
    fit = es.HacMarketModel("MKT", 5, prewhiten=True).fit(panel)
    errors = np.sqrt([np.diag(covariance(fit, i)) for i in range(panel.n)])
    np.testing.assert_allclose(errors, expected[["se_hac_alpha", "se_hac_beta"]], rtol=SAME)
    plain = es.HacMarketModel("MKT", 5).fit(panel)
    distance = np.sqrt([np.diag(covariance(plain, i)) for i in range(panel.n)]) / errors - 1
    assert 0.005 < np.abs(distance).max() < 0.1


# -- what they share ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: es.RobustMarketModel("MKT", "bisquare"), "'huber', 'tukey', 'lad'"),
        (lambda: es.RobustMarketModel(""), "name of its benchmark"),
        (lambda: es.GarchMarketModel("MKT", "figarch"), "'garch', 'egarch'"),
        (lambda: es.GarchMarketModel(None), "name of its benchmark"),
        (lambda: es.HacMarketModel("MKT", -1), "whole number from 0"),
        (lambda: es.HacMarketModel("MKT", 2.5), "whole number from 0"),
        (lambda: es.HacMarketModel("MKT", True), "whole number from 0"),
    ],
)
def test_wrong_arguments_are_named(make, words):
    with pytest.raises(es.errors.InvalidInput, match=words):
        make()


MODELS = [
    *(es.RobustMarketModel("^GSPC", norm) for norm in NORMS),
    es.GarchMarketModel("^GSPC"),
    es.GarchMarketModel("^GSPC", "egarch"),
    es.HacMarketModel("^GSPC"),
    es.HacMarketModel("^GSPC", 5, prewhiten=True),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_a_whole_study_runs_and_prints(model, prices, result):
    if isinstance(model, es.GarchMarketModel):
        pytest.importorskip("arch", reason="needs the extra garch")
    plain, result = result, es.EventStudy(model=model).run(prices, EVENTS)
    np.testing.assert_allclose(result.ar, plain.ar, atol=0.01)
    assert not result.model.least_squares
    assert model.name in repr(result)
    table = result.tests((0, 1), names="all")
    assert not table[table["applicable"]]["statistic"].isna().any()
    with pytest.raises(es.errors.InvalidInput, match="least squares"):
        result.regression("NVDA")
