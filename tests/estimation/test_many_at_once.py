"""Models by iteration, all events at once: against the libraries event by event, on random panels, missing days and ties included."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import linprog

import eventstudy as es
from eventstudy.estimation import garch, model, robust, volatility
from eventstudy.estimation.least_absolute import density_at_zero, least_absolute_deviations
from eventstudy.estimation.panel import EventPanel
from eventstudy.estimation.reweighted import HUBER, TUKEY, m_estimates
from eventstudy.estimation.volatility import Egarch, Garch, Series, loss, most_likely
from eventstudy.windows import Window

# Sums of a few hundred numbers in another order.
ROUNDING = 1e-12
# What the issue asks of iterations that both stop when coefficients change by less than 1e-10.
SAME_FIXED_POINT = 1e-10


def draw(kind: str, n: int, m: int, p: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns, shape (n, m), regressors, shape (n, m, p), and days used: 0 to 60 % missing, the last events without their first half."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 0.011, (n, m, p - 1))
    y = x.sum(axis=2) + 0.013 * rng.standard_t(3, (n, m))
    if kind == "in ticks":
        x, y = np.round(x, 2), np.round(y, 2)
    elif kind == "seldom traded":
        x, y = np.where(rng.random(x.shape) < 0.5, 0.0, x), np.where(rng.random(y.shape) < 0.7, 0.0, y)
    elif kind == "dummies":
        x = (rng.random(x.shape) < 0.3) * 1.0
    used = rng.random((n, m)) > rng.uniform(0.0, 0.6, (n, 1))
    used[-n // 4 :, : m // 2] = False
    used[0] = True
    x = np.where(used[:, :, None], np.concatenate([np.ones((n, m, 1)), x], axis=2), 0.0)
    return np.where(used, y, 0.0), x, used


def orthonormal(y: np.ndarray, x: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns in units of their residual deviation, regressors as orthonormal rows, and the deviations."""
    q, _ = np.linalg.qr(x)
    e = y - np.einsum("nmp,np->nm", q, np.einsum("nmp,nm->np", q, y))
    sigma = np.sqrt((e**2).sum(axis=1) / (used.sum(axis=1) - x.shape[2]))
    return y / sigma[:, None], np.ascontiguousarray(q.transpose(0, 2, 1)), sigma


def residuals(y: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Residuals of least squares on orthonormal rows."""
    return y - np.einsum("npm,np->nm", q, np.einsum("npm,nm->np", q, y))


KINDS = ["smooth", "in ticks", "seldom traded", "dummies"]


@pytest.mark.parametrize("p", [2, 4, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_zero_is_a_subgradient_of_least_absolute_deviations_and_no_programme_finds_less(kind, p):
    """Also where a dozen days lie on one line, and where several lines are equally good."""
    raw, x, used = draw(kind, 24, 90, p, seed=p)
    y, q, _ = orthonormal(raw, x, used)
    b, days = least_absolute_deviations(y, q, np.matmul(q, y[:, :, None])[:, :, 0])
    assert (days >= 0).all()
    for i in range(len(y)):
        yi, qi = y[i, used[i]], q[i][:, used[i]]
        e = yi - b[i] @ qi
        on_line = np.abs(e) < 1e-11
        assert on_line.sum() >= p
        assert used[i, days[i]].all()
        pull = qi[:, ~on_line] @ np.sign(e[~on_line])
        # Multipliers within -1 and 1 of the days on the line hold the pull of the others.
        k = int(on_line.sum())
        held = linprog(
            np.r_[np.zeros(k), np.ones(2 * p)],
            A_eq=np.hstack([qi[:, on_line], np.eye(p), -np.eye(p)]),
            b_eq=-pull,
            bounds=[(-1.0, 1.0)] * k + [(0.0, None)] * (2 * p),
        )
        assert held.fun < 1e-9
        least = -linprog(-yi, A_eq=qi, b_eq=np.zeros(p), bounds=(-1.0, 1.0), method="highs").fun
        assert np.abs(e).sum() <= least * (1.0 + ROUNDING)


def test_least_absolute_deviations_are_at_least_as_good_as_those_of_statsmodels_and_as_unsure():
    raw, x, used = draw("smooth", 12, 200, 3, seed=9)
    y, q, _ = orthonormal(raw, x, used)
    b, days = least_absolute_deviations(y, q, np.matmul(q, y[:, :, None])[:, :, 0])
    e = y - np.matmul(b[:, None], q)[:, 0]
    np.put_along_axis(e, days, 0.0, axis=1)
    density = density_at_zero(y, e, used)
    for i in range(len(y)):
        theirs = sm.QuantReg(y[i, used[i]], q[i][:, used[i]].T).fit(q=0.5, p_tol=1e-12, max_iter=5000)
        assert np.abs(e[i]).sum() <= np.abs(theirs.resid).sum() * (1.0 + ROUNDING)
        np.testing.assert_allclose(0.5 / density[i], theirs.bse, rtol=1e-3)


@pytest.mark.parametrize("p", [2, 4, 7])
@pytest.mark.parametrize("kind", ["smooth", "in ticks", "seldom traded"])
@pytest.mark.parametrize("norm", ["huber", "tukey"])
def test_m_estimates_are_those_of_statsmodels(norm, kind, p):
    """Event by event with the same rule: coefficients, scale and covariance, and who has no scale."""
    raw, x, used = draw(kind, 16, 150, p, seed=10 + p)
    y, q, _ = orthonormal(raw, x, used)
    ours, theirs = {"huber": (HUBER, sm.robust.norms.HuberT()), "tukey": (TUKEY, sm.robust.norms.TukeyBiweight())}[norm]
    found = m_estimates(y, q, used, ours, 1e-11, 1000)
    compared = 0
    for i in range(len(y)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a scale is zero
            rlm = sm.RLM(y[i, used[i]], q[i][:, used[i]].T, M=theirs).fit(conv="coefs", tol=1e-11, maxiter=1000)
        if rlm.scale < 1e-9 or rlm.fit_history["iteration"] >= 1000:
            assert found.scale[i] < 1e-9 or not found.converged[i]
            continue
        compared += 1
        assert found.converged[i]
        np.testing.assert_allclose(found.coefficients[i], rlm.params, rtol=0, atol=SAME_FIXED_POINT)
        assert found.scale[i] == pytest.approx(rlm.scale, abs=SAME_FIXED_POINT)
        np.testing.assert_allclose(found.variance[i] * np.eye(p), rlm.cov_params(), rtol=1e-9, atol=1e-12)
    assert compared >= (8 if kind == "smooth" else 0)


@pytest.mark.parametrize("norm", [HUBER, TUKEY])
def test_an_event_alone_has_the_m_estimate_that_it_has_among_others(norm):
    raw, x, used = draw("smooth", 40, 120, 3, seed=4)
    y, q, _ = orthonormal(raw, x, used)
    together = m_estimates(y, q, used, norm, 1e-10, 1000)
    for i in range(0, 40, 7):
        alone = m_estimates(y[i : i + 1], q[i : i + 1], used[i : i + 1], norm, 1e-10, 1000)
        np.testing.assert_allclose(alone.coefficients[0], together.coefficients[i], rtol=0, atol=ROUNDING)


# -- GARCH and EGARCH.

EQUATIONS = {"garch": Garch(), "egarch": Egarch()}


def changing(kind: str, n: int, m: int, p: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `draw`, with at least 100 days and errors whose variance changes."""
    _, x, used = draw("smooth", n, m, p, seed)
    rng = np.random.default_rng(seed + 1)
    used = used | (rng.random(used.shape) < 0.8)
    x = np.where(
        used[:, :, None], np.concatenate([np.ones((n, m, 1)), rng.normal(0.0, 0.011, (n, m, p - 1))], axis=2), 0.0
    )
    h, errors = np.ones(n), np.zeros((n, m))
    for t in range(m):
        errors[:, t] = np.sqrt(h) * rng.standard_normal(n)
        h = 0.1 + 0.15 * errors[:, t] ** 2 * (1.0 if kind == "garch" else 1.0 - 0.6 * np.sign(errors[:, t])) + 0.75 * h
    return np.where(used, x[:, :, 1:].sum(axis=2) + 0.013 * errors, 0.0), x, used


def log_likelihood(kind: str, e: np.ndarray, before: float, theta: np.ndarray) -> float:
    """Day by day."""
    total, h = 0.0, math.nan
    for t in range(len(e)):
        if kind == "garch":
            omega, alpha, beta = theta
            h = omega + (alpha * e[t - 1] ** 2 + beta * h if t else (alpha + beta) * before)
        else:
            omega, alpha, gamma, beta = theta
            z = e[t - 1] / math.sqrt(h) if t else 0.0
            news = alpha * (abs(z) - math.sqrt(2 / math.pi)) + gamma * z if t else 0.0
            h = math.exp(omega + news + beta * math.log(h if t else before))
        total -= 0.5 * (math.log(2 * math.pi) + math.log(h) + e[t] ** 2 / h)
    return total


@pytest.mark.parametrize("kind", EQUATIONS)
def test_the_likelihood_is_that_of_a_loop_and_its_slopes_those_of_differences(kind):
    raw, x, used = changing(kind, 6, 160, 3, seed=3)
    y, q, _ = orthonormal(raw, x, used)
    y = residuals(y, q)
    equation, series = EQUATIONS[kind], Series.of(y, q, used)
    for place in equation.starts(series):
        u = np.concatenate([np.zeros((3, 6)), place]) + 0.05
        theta, jacobian = equation.bounded(u[3:, None])

        def at(u: np.ndarray) -> np.ndarray:
            e = series.errors(u[:3, None])
            return loss(series, e, equation.variances(series, e, equation.bounded(u[3:])[0][:, None]))[0]

        value, slope = equation.slopes(series, u[:3, None], theta)
        np.testing.assert_allclose(value[0], at(u), rtol=1e-9)  # slopes round |e| by 1e-5
        slope[3:] = np.einsum("ksn,klsn->lsn", slope[3:], jacobian)
        for k, moved in enumerate(1e-6 * np.eye(len(u))[:, :, None]):
            np.testing.assert_allclose(slope[k, 0], (at(u + moved) - at(u - moved)) / 2e-6, rtol=1e-5, atol=1e-5)
        for i in range(len(y)):
            e = (y[i] - u[:3, i] @ q[i])[used[i]]
            first = y[i, used[i]][:75]
            weight = 0.94 ** np.arange(len(first))
            expected = log_likelihood(kind, e, float(weight @ first**2 / weight.sum()), theta[:, 0, i])
            assert -value[0, i] - 0.5 * len(e) * math.log(2 * math.pi) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("p", [2, 4, 7])
@pytest.mark.parametrize("kind", EQUATIONS)
def test_maxima_are_those_of_arch_or_higher(kind, p):
    """``arch`` starts from its own place and from ours, and goes on until its likelihood stands still: nothing near is higher.

    Where its own search ends lower, on another hill, ours is right; the other way round is counted.
    """
    pytest.importorskip("arch", reason="needs the extra garch")
    n = 12
    raw, x, used = changing(kind, n, 250, p, seed=20 + p)
    y, q, sigma = orthonormal(raw, x, used)
    equation, series = EQUATIONS[kind], Series.of(residuals(y, q), q, used)
    best = most_likely(series, equation, garch.CLIMBS)
    assert best.found.sum() >= n - 1  # the rest is left to ``arch``
    e = series.errors(best.b[:, None])
    h = equation.variances(series, e, best.theta[:, None])
    ours = -loss(series, e, h)[0]
    per_cent, elsewhere = np.array([100.0, *np.ones(p - 1)]), 0
    for i in np.flatnonzero(best.found):
        r = np.linalg.qr(x[i])[1]
        b = np.linalg.solve(r, (q[i] @ y[i] + best.b[:, i]) * sigma[i])
        place = np.concatenate([b * per_cent, garch.in_unit(best.theta[:, i], 100 * sigma[i], kind)])
        y_i, x_i, m = 100 * raw[i, used[i]], 100 * x[i, used[i], 1:], int(used[i].sum())
        level = ours[i] - m * (0.5 * math.log(2 * math.pi) + math.log(100 * sigma[i]))
        near, own = garch.by_arch(y_i, x_i, kind, place, tol=1e-13), garch.by_arch(y_i, x_i, kind)
        assert level > near.loglikelihood - 1e-4
        # Where the end of ``arch`` is lower, ours is right; at a kink of EGARCH both stop short of it.
        if near.loglikelihood > level + (0.0 if kind == "garch" else 1e-6):
            np.testing.assert_allclose(near.params[:p] / per_cent, b, rtol=0, atol=1e-5)
        assert standard_error(kind, near, y_i, x_i) == pytest.approx(
            math.sqrt(ahead(kind, best.theta[:, i], e[m - 1, 0, i], h[m - 1, 0, i])) * 100 * sigma[i], rel=1e-3
        )
        elsewhere += own.loglikelihood > level + 1e-3
    assert elsewhere <= 1


@pytest.mark.parametrize("days", [37, 160])
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("kind", EQUATIONS)
def test_second_derivatives_are_those_of_differences(kind, narrow, days):
    """In narrow and in wide arrays, with missing days, for more days than are worked on together and for a number that does not divide."""
    n = 7
    raw, x, used = changing(kind, n, days, 3, seed=days)
    y, q, _ = orthonormal(raw, x, used)
    equation, series = EQUATIONS[kind], replace(Series.of(residuals(y, q), q, used), narrow=narrow)
    for place in equation.starts(series):
        u = np.concatenate([np.zeros((3, n)), place]) + 0.07
        theta, _ = equation.bounded(u[3:, None])
        at = np.concatenate([u[:3, None], theta])
        value, slope, second = equation.bends(series, at[:3], at[3:])
        expected = equation.slopes(series, at[:3], at[3:])
        np.testing.assert_allclose(value, expected[0][0], rtol=1e-13)
        np.testing.assert_allclose(slope, expected[1][:, 0], rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(second, second.transpose(1, 0, 2))
        for k, moved in enumerate(1e-7 * np.eye(len(u))[:, :, None, None]):
            up, down = (equation.slopes(series, v[:3], v[3:])[1][:, 0] for v in (at + moved, at - moved))
            scale = np.abs(second).max(axis=(0, 1))
            np.testing.assert_allclose(second[:, k] / scale, (up - down) / 2e-7 / scale, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", EQUATIONS)
def test_narrow_arrays_give_what_wide_ones_give(kind):
    """Sums of 2, 4, 8 … days against one day after the other."""
    raw, x, used = changing(kind, 9, 203, 2, seed=6)
    y, q, _ = orthonormal(raw, x, used)
    equation, series = EQUATIONS[kind], Series.of(residuals(y, q), q, used)
    b, theta = np.full((2, 1, 9), 0.02), equation.bounded(equation.starts(series)[0][:, None])[0]
    wide, narrow = (equation.bends(v, b, theta) for v in (series, replace(series, narrow=True)))
    for ours, theirs in zip(narrow, wide, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * np.abs(theirs).max())


def test_small_matrices_are_inverted_and_those_that_bend_down_are_told():
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(5, 9, 40)) * np.exp(rng.normal(0.0, 4.0, (5, 1, 40)))
    second = np.einsum("ikn,jkn->ijn", rows, rows)
    second[:, :, ::4] -= 2.0 * np.einsum("in,jn->ijn", rows[:, 0, ::4], rows[:, 0, ::4])
    second[2, :, 5] = second[:, 2, 5] = 0.0
    inverse, definite = volatility._inverted(second)
    by_event = second.transpose(2, 0, 1) / np.sqrt(np.abs(np.einsum("iin->ni", second)) + 1e-300)[:, :, None]
    by_event /= np.sqrt(np.abs(np.einsum("iin->ni", second)) + 1e-300)[:, None]
    np.testing.assert_array_equal(definite, np.linalg.eigvalsh(by_event)[:, 0] > 1e-9)
    assert 10 < definite.sum() < 40
    for i in np.flatnonzero(definite):
        size = np.sqrt(np.diag(second[:, :, i]))
        identity = inverse[:, :, i] @ second[:, :, i] * size[:, None] / size
        np.testing.assert_allclose(identity, np.eye(5), rtol=0, atol=1e-8)


class OneStart:
    """An equation with one of its starts alone."""

    def __init__(self, equation: Garch | Egarch, start: int):
        self._equation, self._start = equation, start

    def __getattr__(self, name: str):
        return getattr(self._equation, name)

    def starts(self, series: Series) -> list[np.ndarray]:
        return [self._equation.starts(series)[self._start]]


@pytest.mark.parametrize("law", ["constant", "heavy tails", "changing"])
@pytest.mark.parametrize("kind", EQUATIONS)
def test_what_is_given_up_would_seldom_have_led_higher(kind, law):
    """Against every start by itself: neither single precision nor starts that are given up cost a maximum."""
    n, m = 60, 180
    raw, x, used = changing(kind, n, m, 2, seed=44)
    rng = np.random.default_rng(45)
    if law != "changing":
        errors = rng.standard_normal((n, m)) if law == "constant" else rng.standard_t(3, (n, m))
        raw = np.where(used, x[:, :, 1] + 0.02 * errors, 0.0)
    y, q, _ = orthonormal(raw, x, used)
    equation, series = EQUATIONS[kind], Series.of(residuals(y, q), q, used)

    def climbed(equation: Garch | Egarch | OneStart) -> np.ndarray:
        best = most_likely(series, equation, garch.CLIMBS)
        e = series.errors(best.b[:, None])
        value = loss(series, e, EQUATIONS[kind].variances(series, e, best.theta[:, None]))[0]
        return np.where(best.found, value, np.inf)

    together = climbed(equation)
    alone = np.min([climbed(OneStart(equation, k)) for k in range(len(equation.starts(series)))], axis=0)
    assert np.isfinite(together).mean() >= 0.95
    assert (alone < together - 1e-3).sum() <= 2


@pytest.mark.parametrize(("kind", "slopes", "bends"), [("garch", 25, 5), ("egarch", 36, 7)])
def test_a_fit_evaluates_few_likelihoods(kind, slopes, bends, monkeypatch):
    """Per event, where no variance changes and maxima are flattest."""
    n, m = 200, 250
    rng = np.random.default_rng(46)
    x = np.concatenate([np.ones((n, m, 1)), rng.normal(0.0, 0.011, (n, m, 1))], axis=2)
    used = np.ones((n, m), dtype=bool)
    y, q, _ = orthonormal(x[:, :, 1] + 0.02 * rng.standard_normal((n, m)), x, used)
    counted = {"slopes": 0, "bends": 0}
    for name in counted:
        plain = getattr(EQUATIONS[kind], name)

        def count(_, series, b, theta, name=name, plain=plain):
            counted[name] += b[0].size
            return plain(series, b, theta)

        monkeypatch.setattr(type(EQUATIONS[kind]), name, count)
    assert most_likely(Series.of(residuals(y, q), q, used), EQUATIONS[kind], garch.CLIMBS).found.mean() >= 0.98
    assert counted["slopes"] <= slopes * n
    assert counted["bends"] <= bends * n


def ahead(kind: str, theta: np.ndarray, e: float, h: float) -> float:
    """The variance forecast for the eleventh day."""
    return float((garch.forecast_garch if kind == "garch" else garch.forecast_egarch)(theta, e, h, 11)[-1])


def standard_error(kind: str, found: garch.ArchFit, y: np.ndarray, x: np.ndarray) -> float:
    """The deviation that parameters of ``arch`` forecast for the eleventh day, its recursion in a loop."""
    design = np.column_stack([np.ones(len(y)), x])
    p = design.shape[1]
    e = y - design @ found.params[:p]
    first = (y - design @ np.linalg.lstsq(design, y, rcond=None)[0])[:75]
    before = float(0.94 ** np.arange(len(first)) @ first**2 / (0.94 ** np.arange(len(first))).sum())
    theta, h = found.params[p:], before
    for t in range(len(e)):
        if kind == "garch":
            h = theta[0] + theta[1] * (e[t - 1] ** 2 if t else before) + theta[2] * h
        else:
            z = e[t - 1] / math.sqrt(h)
            news = theta[1] * (abs(z) - math.sqrt(2 / math.pi)) + theta[2] * z if t else 0.0
            h = math.exp(theta[0] + news + theta[3] * math.log(h))
    return math.sqrt(ahead(kind, theta, e[-1], h))


# -- Chunks.


def panel_of(n: int, seed: int) -> EventPanel:
    """Events of which some cannot be used: a market that stands still, a firm that does, too few days."""
    raw, x, used = changing("garch", n, 160, 2, seed)
    returns, market = np.where(used, raw, np.nan), x[:, :, 1:].copy()
    market[1] = 0.001
    returns[4, :156] = 0.0
    returns[5, 30:] = np.nan
    window, estimation = Window(0, 3), Window(-166, -11)
    return EventPanel(
        events=(es.Event("FIRM", "2025-01-27"),) * n,
        keys=tuple(map(str, range(n))),
        position=np.full(n, 166, dtype=np.int64),
        calendar=pd.bdate_range("2020-01-01", periods=170),
        estimation=estimation,
        window=window,
        est_returns=returns[:, :156],
        event_returns=returns[:, 156:],
        columns=("MKT",),
        est_columns=market[:, :156],
        event_columns=market[:, 156:],
    )


MODELS = [
    *(es.RobustMarketModel("MKT", norm) for norm in ("huber", "tukey", "lad")),
    *(es.GarchMarketModel("MKT", kind) for kind in EQUATIONS),
]


@pytest.mark.parametrize("event_model", MODELS, ids=repr)
def test_chunks_give_what_all_events_together_give(event_model, monkeypatch):
    """Also where a chunk has no event that can be used."""
    if isinstance(event_model, es.GarchMarketModel):
        pytest.importorskip("arch", reason="needs the extra garch")
    panel = panel_of(9, seed=31)
    whole = event_model.fit(panel)
    assert [bool(reason) for reason in whole.unusable][:5] == [False, True, False, False, True]
    assert bool(whole.unusable[5]) == isinstance(event_model, es.GarchMarketModel)
    for size in (1, 2, 4):
        fit_in_chunks = model.fit_in_chunks

        def in_small_chunks(panel, design, names, estimate, _=0, size=size, fit_in_chunks=fit_in_chunks):
            return fit_in_chunks(panel, design, names, estimate, size)

        monkeypatch.setattr(robust, "fit_in_chunks", in_small_chunks)
        monkeypatch.setattr(garch, "fit_in_chunks", in_small_chunks)
        parts = event_model.fit(panel)
        assert parts.unusable == whole.unusable
        for name in (
            "coefficients",
            "sigma",
            "residuals",
            "expected",
            "root",
            "r_squared",
            "relative_variance",
            "n_est",
        ):
            ours, theirs = getattr(parts, name), getattr(whole, name)
            assert (ours is None) == (theirs is None)
            if ours is not None:
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=ROUNDING)


@pytest.mark.parametrize("kind", EQUATIONS)
def test_events_left_open_go_to_arch(kind, monkeypatch):
    pytest.importorskip("arch", reason="needs the extra garch")
    panel = panel_of(9, seed=32)
    together = es.GarchMarketModel("MKT", kind).fit(panel)
    asked = []
    monkeypatch.setattr(garch, "CLIMBS", 0)
    monkeypatch.setattr(garch, "by_arch", lambda *given, by_arch=garch.by_arch: asked.append(1) or by_arch(*given))
    alone = es.GarchMarketModel("MKT", kind).fit(panel)
    good = np.array([not reason for reason in together.unusable])
    assert alone.unusable == together.unusable
    assert len(asked) >= good.sum() >= 4
    np.testing.assert_allclose(alone.coefficients[good], together.coefficients[good], rtol=0, atol=1e-3)
    np.testing.assert_allclose(alone.relative_variance[good], together.relative_variance[good], rtol=5e-3)


def test_the_days_that_a_line_goes_through_have_a_residual_of_zero() -> None:
    rng = np.random.default_rng(12)
    market = rng.normal(0.0004, 0.01, 320)
    returns = np.outer(market, rng.uniform(0.5, 1.5, 9)) + 0.01 * rng.standard_t(4, (320, 9))
    table = pd.DataFrame(returns, index=pd.bdate_range("2021-01-04", periods=320), columns=[f"F{i}" for i in range(9)])
    study = es.EventStudy(es.RobustMarketModel("m", norm="lad"), (-200, -11), (-5, 5))
    result = study.run(table.assign(m=market), [es.Event(f, str(table.index[250])[:10]) for f in table])
    residuals = result.abnormal.residuals
    assert ((residuals == 0.0).sum(axis=1) == 2).all()  # as many as coefficients
    assert np.abs(residuals[residuals != 0.0]).min() > 1e-9
