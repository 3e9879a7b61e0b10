"""Size of the tests under dependence, and of the parametric ones that overlook it: right where they must be, wrong where known.

Bands are four Monte Carlo standard errors around the nominal 5 %, or around the share of an independent run of 10,000 draws.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.panel import EventPanel
from eventstudy.inference import run_test
from eventstudy.inference.clusters import clustered_mean, hotelling_f, residual_correlation
from eventstudy.windows import Window

pytestmark = pytest.mark.simulation

NOMINAL, STANDARD_ERRORS, REFERENCE_DRAWS = 0.05, 4.0, 10_000
MODEL = es.MarketModel("MKT")


def band(share: float, draws: int, reference: int = 0) -> float:
    return STANDARD_ERRORS * float(np.sqrt(share * (1 - share) * (1 / draws + (1 / reference if reference else 0.0))))


def fitted(returns: np.ndarray, market: np.ndarray, position: np.ndarray, est: int) -> AbnormalReturns:
    """Return abnormal returns of rows of returns, the first ``est`` days of which are for estimation; each row a firm."""
    n, total = returns.shape
    panel = EventPanel(
        events=tuple(es.Event(f"F{i}", "2025-01-27") for i in range(n)),
        keys=tuple(map(str, range(n))),
        position=position.astype(np.int64),
        calendar=pd.bdate_range("2024-01-01", periods=int(position.max()) + total),
        estimation=Window(-est, -1),
        window=Window(0, total - est - 1),
        est_returns=returns[:, :est],
        event_returns=returns[:, est:],
        columns=("MKT",),
        est_columns=market[:, :est, None],
        event_columns=market[:, est:, None],
    )
    return abnormal_returns(panel, MODEL.fit(panel))


# -- tests of the parametric family, fifty firms ---------------------------------------------------------------------------

N, M, DRAWS = 50, 239, 300
#: Correlation of residuals and event-induced variance, as in the reference run.
DESIGNS = {"normal": (0.0, 0.0), "variance": (0.0, 1.0), "clustered": (0.1, 0.0), "both": (0.1, 1.0)}
#: Per cent rejected in the reference run: the portfolio test without (BW80) and with dependence (BW85), the cross-section (CS).
CELLS = {
    ("bw80_z", "normal"): 5.5, ("bw80_z", "variance"): 16.9, ("bw80_z", "clustered"): 39.2,
    ("mackinlay_j1_z", "normal"): 5.5, ("mackinlay_j1_z", "variance"): 16.9, ("mackinlay_j1_z", "clustered"): 39.2,
    ("lamb_z", "clustered"): 5.0, ("lamb_z", "both"): 7.5,
    ("skew_t", "normal"): 5.0, ("skew_t", "variance"): 5.0, ("skew_t", "clustered"): 40.4,
}  # fmt: skip


@lru_cache
def p_values(design: str) -> pd.DataFrame:
    rho, k = DESIGNS[design]
    rng = np.random.default_rng(31)
    names = sorted({name for name, where in CELLS if where == design})
    rows = []
    for _ in range(DRAWS // 100):
        shape = (100, N, M + 1)
        market = np.broadcast_to(rng.normal(0.0004, 0.01, shape if rho == 0 else (100, 1, M + 1)), shape)
        beta, s = rng.normal(1.0, 0.3, shape[:2]), np.exp(rng.normal(np.log(0.022), 0.35, shape[:2]))
        noise = np.sqrt(1 - rho) * rng.standard_normal(shape) + np.sqrt(rho) * rng.standard_normal((100, 1, M + 1))
        returns = 0.0002 + beta[..., None] * market + s[..., None] * noise
        returns[:, :, -1] += np.sqrt(k) * s * rng.standard_normal(shape[:2])
        ab = fitted(returns.reshape(-1, M + 1), market.reshape(-1, M + 1), np.zeros(100 * N), M)
        for draw in range(100):
            part = ab.take(np.arange(draw * N, (draw + 1) * N))
            rows.append({name: run_test(name, part, (0, 0)).p_value for name in names})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("name", "design"), CELLS)
def test_parametric_tests_reject_as_often_as_in_the_reference_run(name, design):
    expected = CELLS[name, design] / 100
    rejected = float((p_values(design)[name] < 0.05).mean())
    assert abs(rejected - expected) < band(expected, DRAWS, REFERENCE_DRAWS), f"{rejected:.3f} against {expected:.3f}"


# -- clusters --------------------------------------------------------------------------------------------------------------


def clustered_rates(sizes: list[int], draws: int) -> tuple[float, float]:
    """Share rejected by the clustered and the plain t where a third of the variance is common to a cluster."""
    rng = np.random.default_rng(len(sizes))
    label = np.repeat(np.arange(len(sizes)), sizes)
    clustered = plain = 0
    for _ in range(draws):
        y = np.sqrt(0.7) * rng.standard_normal(len(label)) + np.sqrt(0.3) * rng.standard_normal(len(sizes))[label]
        found = clustered_mean(y, label)
        clustered += abs(found.t) > stats.t.isf(0.025, found.df)
        plain += abs(y.mean()) * np.sqrt(len(y)) / y.std(ddof=1) > stats.t.isf(0.025, len(y) - 1)
    return clustered / draws, plain / draws


@pytest.mark.parametrize("clusters", [5, 30])
def test_equal_clusters_keep_their_size_and_the_plain_t_does_not(clusters):
    clustered, plain = clustered_rates([8] * clusters, 1500)
    assert abs(clustered - NOMINAL) < band(NOMINAL, 1500)
    assert plain > 0.2


def test_uneven_clusters_are_known_to_fail():
    clustered, _ = clustered_rates([120] + [1] * 59, 400)
    assert clustered > 0.5


# -- calendar time ---------------------------------------------------------------------------------------------------------


def overlapping(
    rng: np.random.Generator, firms: int = 40, est: int = 100, days: int = 5, spread: int = 60
) -> AbnormalReturns:
    """Events of five days on dates within sixty sessions; residuals of one session correlate by 0.2."""
    total = est + days + spread
    market, common = rng.normal(0.0, 0.01, total), rng.standard_normal(total)
    position = est + np.sort(rng.integers(0, spread, firms))
    at = position[:, None] + np.arange(-est, days)
    noise = np.sqrt(0.8) * rng.standard_normal(at.shape) + np.sqrt(0.2) * common[at]
    returns = rng.normal(1.0, 0.3, firms)[:, None] * market[at] + rng.uniform(0.015, 0.03, firms)[:, None] * noise
    return fitted(returns, market[at], position, est)


def test_the_calendar_portfolio_keeps_its_size_where_windows_overlap():
    rng, draws = np.random.default_rng(17), 300
    forms = [{"weights": w, "errors": e} for w in ("sqrt_n", "equal") for e in ("ols", "hac")]
    rejected, plain = np.zeros(len(forms)), 0
    for _ in range(draws):
        ab = overlapping(rng)
        rejected += [run_test("calendar_time", ab, (0, 4), **form).p_value < 0.05 for form in forms]
        plain += run_test("csect_t", ab, (0, 4)).p_value < 0.05
    for form, count in zip(forms, rejected, strict=True):
        assert abs(count / draws - NOMINAL) < band(NOMINAL, draws), (form, count / draws)
    assert plain / draws > NOMINAL + band(NOMINAL, draws)


# -- several firms at once ---------------------------------------------------------------------------------------------------

EST = 120


def joint_draws(n: int, draws: int, law: str = "normal", k: float = 0.0) -> tuple[np.ndarray, int, int]:
    """F of the joint test for many studies of n firms with residual correlation 0.3 on one date, with one market."""
    rng = np.random.default_rng([n, draws])
    x = np.column_stack([np.ones(EST + 1), rng.normal(0.0, 0.01, EST + 1)])
    bread = np.linalg.inv(x[:-1].T @ x[:-1])
    c = 1.0 + x[-1] @ bread @ x[-1]
    found = []
    for start in range(0, draws, 250):
        size = (min(250, draws - start), n, EST + 1)
        draw = rng.standard_normal if law == "normal" else lambda shape: rng.standard_t(4, shape)
        u = np.sqrt(0.7) * draw(size) + np.sqrt(0.3) * draw((size[0], 1, EST + 1))
        u[:, :, -1] *= np.sqrt(1.0 + k)
        coefficients = u[:, :, :-1] @ x[:-1] @ bread
        e = u[:, :, :-1] - coefficients @ x[:-1].T
        s = np.sqrt((e**2).sum(axis=2) / (EST - 2))
        z = (u[:, :, -1] - coefficients @ x[-1]) / (s * np.sqrt(c))
        unit = e / (s * np.sqrt(EST - 2))[..., None]
        f, first, second = hotelling_f(z, unit @ unit.swapaxes(1, 2), EST - 2)
        found.append(f)
        np.testing.assert_allclose(unit[0] @ unit[0].T, residual_correlation(e[0]), atol=1e-12)
    return np.concatenate(found), first, second


@pytest.mark.parametrize("n", [3, 10, 50])
def test_the_joint_f_is_exact(n):
    draws = 3000
    f, first, second = joint_draws(n, draws)
    assert (first, second) == (n, EST - 2 - n + 1)
    rejected = float((stats.f.sf(f, first, second) < NOMINAL).mean())
    assert abs(rejected - NOMINAL) < band(NOMINAL, draws)
    assert stats.kstest(f, stats.f(first, second).cdf).pvalue > 0.001


def test_the_joint_f_is_known_to_fail_on_wild_days_and_fat_tails():
    for law, k in (("normal", 1.0), ("t4", 0.0)):
        f, first, second = joint_draws(10, 1000, law, k)
        assert (stats.f.sf(f, first, second) < NOMINAL).mean() > NOMINAL + band(NOMINAL, 1000)


def test_the_registered_test_is_that_f():
    rng = np.random.default_rng(3)
    market = rng.normal(0.0, 0.01, EST + 1)
    x = np.column_stack([np.ones(EST), market[:-1]])
    returns = rng.normal(0.0, 0.02, (4, EST + 1)) + market
    ab = fitted(returns, np.broadcast_to(market, returns.shape), np.zeros(4), EST)
    e = returns[:, :-1] - returns[:, :-1] @ x @ np.linalg.inv(x.T @ x) @ x.T
    f, _, _ = hotelling_f(ab.sar[:, 0], residual_correlation(e), EST - 2)
    assert run_test("joint_wald", ab, (0, 0)).statistic == pytest.approx(float(f), rel=1e-9)
