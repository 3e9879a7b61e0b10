"""How often tests reject when nothing happened: right where they must be, wrong where theory says so.

Fifty firms, 239 estimation days, then the event day; market N(0.0004, 0.01), beta N(1, 0.3), alpha 0.0002, residual
deviation exp(N(ln 0.022, 0.35)). The expected shares come from an independent run of 10,000 draws, and agree with the
formulas: ``2 Φ(-1.96/√((1+(n-1)ρ)/(1-ρ)))`` for BMP under correlation ρ (Kolari and Pynnönen 2010) and
``2 Φ(-1.96/√(1+k))`` for Patell under event-induced variance (Boehmer, Musumeci and Poulsen 1991).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.panel import EventPanel
from eventstudy.inference import RECOMMENDED, assume_no_dependence, run_test
from eventstudy.windows import Window

pytestmark = pytest.mark.simulation

N, M = 50, 239
DRAWS, BATCH = 1000, 100
REFERENCE_DRAWS = 10_000
# A band of four Monte Carlo standard errors: a right test fails once in 16,000 comparisons, and the seed is fixed.
STANDARD_ERRORS = 4.0
LABELS = {
    "BW85": "cda_t", "BW80": "bw80_z", "CS": "csect_t", "Patell": "patell_z", "BMP": "bmp_t", "adj-BMP": "kp_bmp_t",
    "adj-Patell": "kp_patell_z", "rank": "corrado_rank_z", "sign": "gsign_z",
}  # fmt: skip

#: Design: correlation, event-induced variance k, shock on day 0, degrees of freedom of t residuals (0: normal), and the per cent
#: rejected at two-sided 5 % in the reference run, in the order of `LABELS`.
CASES = {
    "null": (0.0, 0.0, 0.0, 0, (5.5, 5.5, 5.0, 5.2, 5.2, 5.3, 5.3, 5.3, 5.5)),
    "null, t(4)": (0.0, 0.0, 0.0, 4, (5.2, 5.2, 4.8, 5.5, 4.7, 5.0, 5.6, 4.9, 5.1)),
    "shock 0.5%": (0.0, 0.0, 0.005, 0, (30.5, 30.6, 29.8, 40.3, 38.6, 38.7, 40.4, 38.4, 28.9)),
    "shock 1%": (0.0, 0.0, 0.01, 0, (81.5, 81.5, 79.9, 92.2, 90.9, 90.7, 92.4, 90.3, 76.5)),
    "shock 1%, t(4)": (0.0, 0.0, 0.01, 4, (81.5, 81.7, 81.2, 92.8, 90.3, 90.1, 92.8, 97.2, 91.9)),
    "shock 2%": (0.0, 0.0, 0.02, 0, (100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 99.9)),
    "variance": (0.0, 1.0, 0.0, 0, (16.8, 16.9, 5.0, 17.1, 5.2, 5.3, 17.2, 9.9, 5.6)),
    "variance, k = 2": (0.0, 2.0, 0.0, 0, (26.1, 26.0, 4.9, 25.9, 5.3, 5.4, 25.9, 12.7, 5.5)),
    "clustered, 0.02": (0.02, 0.0, 0.0, 0, (5.0, 15.1, 14.9, 15.8, 15.7, 4.9, 4.9, 4.7, 12.9)),
    "clustered": (0.1, 0.0, 0.0, 0, (5.0, 39.2, 40.4, 41.2, 43.0, 5.0, 4.9, 4.7, 35.3)),
    "clustered, shock 1%": (0.1, 0.0, 0.01, 0, (23.6, 67.2, 68.4, 73.9, 74.5, 26.7, 29.2, 27.3, 67.5)),
    "clustered, variance": (0.1, 1.0, 0.0, 0, (7.5, 43.7, 27.8, 45.6, 30.0, 1.0, 7.2, 2.4, 23.8)),
}
#: Per cent rejected by BW85 one-sided at 5 %, upper tail.
ONE_SIDED = {"null": 5.6, "shock 0.5%": 42.0, "shock 1%": 88.8}


def residual(rng: np.random.Generator, tails: int, shape: tuple[int, ...]) -> np.ndarray:
    """Residuals of variance one."""
    return rng.standard_t(tails, shape) / np.sqrt(tails / (tails - 2)) if tails else rng.standard_normal(shape)


def simulate(seed: int, draws: int, rho: float, k: float, shock: float = 0.0, tails: int = 0) -> AbnormalReturns:
    """Return the events of many draws in one panel, fitted by the package's own market model."""
    rng = np.random.default_rng(seed)
    shape = (draws, N, M + 1)
    own_market = rho == 0.0
    market = rng.normal(0.0004, 0.01, shape if own_market else (draws, 1, M + 1))
    market = np.broadcast_to(market, shape)
    beta, s = rng.normal(1.0, 0.3, shape[:2]), np.exp(rng.normal(np.log(0.022), 0.35, shape[:2]))
    noise = np.sqrt(1 - rho) * residual(rng, tails, shape) + np.sqrt(rho) * rng.standard_normal((draws, 1, M + 1))
    returns = 0.0002 + beta[..., None] * market + s[..., None] * noise
    returns[:, :, -1] += np.sqrt(k) * s * rng.standard_normal(shape[:2]) + shock
    flat, columns = returns.reshape(-1, M + 1), market.reshape(-1, M + 1)[:, :, None]
    n = draws * N
    panel = EventPanel(
        events=(es.Event("FIRM", "2025-01-27"),) * n,
        keys=tuple(map(str, range(n))),
        position=np.full(n, M, dtype=np.int64),
        calendar=pd.bdate_range("2024-01-01", periods=M + 1),
        estimation=Window(-M, -1),
        window=Window(0, 0),
        est_returns=flat[:, :M],
        event_returns=flat[:, M:],
        columns=("MKT",),
        est_columns=columns[:, :M],
        event_columns=columns[:, M:],
    )
    model = es.MarketModel("MKT")
    return abnormal_returns(panel, model.fit(panel))


@lru_cache
def outcomes(case: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two-sided p-values and statistics, draws × labels."""
    rho, k, shock, tails, _ = CASES[case]
    rows = []
    for batch in range(DRAWS // BATCH):
        abnormal = simulate(20250127 + batch, BATCH, rho, k, shock, tails)
        for draw in range(BATCH):
            part = abnormal.take(np.arange(draw * N, (draw + 1) * N))
            rows.append({label: run_test(name, part, (0, 0)) for label, name in LABELS.items()})
    table = pd.DataFrame(rows)
    return table.map(lambda t: t.p_value), table.map(lambda t: t.statistic)


def p_values(case: str) -> pd.DataFrame:
    return outcomes(case)[0]


def band(share: float) -> float:
    return STANDARD_ERRORS * np.sqrt(share * (1 - share) * (1 / DRAWS + 1 / REFERENCE_DRAWS))


@pytest.mark.parametrize("case", CASES)
def test_rejection_rates_are_those_of_the_reference_run(case):
    wrong = {}
    for label, cell in zip(LABELS, CASES[case][-1], strict=True):
        expected = cell / 100.0
        rejected = float((p_values(case)[label] < 0.05).mean())
        # The reference is printed to 0.1 %: its half is its own rounding.
        if abs(rejected - expected) > band(min(expected, 0.999)) + 0.0005:
            wrong[label] = (rejected, expected)
    assert wrong == {}


@pytest.mark.parametrize("case", ONE_SIDED)
def test_one_sided_rejection_rates_of_bw85(case):
    p, statistic = (part["BW85"] for part in outcomes(case))
    upper = np.where(statistic > 0, p / 2, 1 - p / 2)
    expected = ONE_SIDED[case] / 100.0
    assert abs(float((upper < 0.05).mean()) - expected) < band(expected)


def test_the_known_failures_are_far_outside_the_nominal_band():
    """Patell under event-induced variance; everything that takes clustered events for independent."""
    nominal = 0.05 + band(0.05)
    for design, labels in (
        ("variance", ("Patell", "adj-Patell", "BW85")),
        ("clustered", ("CS", "Patell", "BMP", "sign")),
    ):
        for label in labels:
            assert (p_values(design)[label] < 0.05).mean() > nominal + 0.03


def test_p_values_of_right_tests_are_uniform():
    """Not only at 5 %: the largest gap to the uniform law stays inside its 0.1 % bound (Kolmogorov)."""
    bound = 1.95 / np.sqrt(DRAWS)
    for design, labels in (
        ("null", ("BW85", "BMP", "adj-BMP", "Patell")),
        ("variance", ("BMP", "CS")),
        ("clustered", ("adj-BMP", "BW85")),
    ):
        for label in labels:
            p = np.sort(p_values(design)[label].to_numpy())
            grid = np.arange(1, DRAWS + 1) / DRAWS
            gap = max(np.abs(p - grid).max(), np.abs(p - grid + 1 / DRAWS).max())
            assert gap < bound, f"{design}, {label}: {gap:.3f} over {bound:.3f}"


def test_the_tests_of_one_event_keep_their_size():
    """t(M - 2) holds exactly; ranks among 240 exchangeable days give 12/240 for both counting tests."""
    events, nominal = 1000, 0.05
    abnormal = simulate(1, events // N, 0.0, 0.0)
    rejected = dict.fromkeys(("t_pe", "sq", "permutation"), 0)
    for i in range(events):
        one = abnormal.take(np.array([i]))
        for name in rejected:
            rejected[name] += run_test(name, one, (0, 0)).p_value <= nominal
    reach = STANDARD_ERRORS * np.sqrt(nominal * (1 - nominal) / events)
    for name, count in rejected.items():
        assert abs(count / events - nominal) < reach, name


def neighbours(
    rng: np.random.Generator, firms: int = 30, est: int = 200, days: int = 5, spread: int = 5
) -> AbnormalReturns:
    """Events on dates within one week, so that their five-day windows share calendar days; residual correlation 0.1."""
    total = est + days + spread
    market, common = rng.normal(0.0, 0.01, total), rng.standard_normal(total)
    position = est + rng.integers(0, spread, firms)
    noise = np.sqrt(0.9) * rng.standard_normal((firms, total)) + np.sqrt(0.1) * common
    returns = market + rng.uniform(0.015, 0.03, firms)[:, None] * noise
    before, after = position[:, None] + np.arange(-est, 0), position[:, None] + np.arange(days)
    row = np.arange(firms)[:, None]
    panel = EventPanel(
        events=(es.Event("FIRM", "2025-01-27"),) * firms,
        keys=tuple(map(str, range(firms))),
        position=position.astype(np.int64),
        calendar=pd.bdate_range("2024-01-01", periods=total),
        estimation=Window(-est, -1),
        window=Window(0, days - 1),
        est_returns=returns[row, before],
        event_returns=returns[row, after],
        columns=("MKT",),
        est_columns=market[before][:, :, None],
        event_columns=market[after][:, :, None],
    )
    model = es.MarketModel("MKT")
    return abnormal_returns(panel, model.fit(panel))


def test_on_neighbouring_dates_only_the_recommended_test_keeps_its_size():
    """What is added up by relative day misses the correlation between days; KP in calendar time does not."""
    rng, draws = np.random.default_rng(5), 200
    names = (*RECOMMENDED["overlapping"], "grank_t", "cda_t", "bmp_t", "patell_z")
    rejected = dict.fromkeys(names, 0)
    for _ in range(draws):
        abnormal = neighbours(rng)
        for name in names:
            rejected[name] += run_test(name, abnormal, (0, 4)).p_value < 0.05
    reach = STANDARD_ERRORS * np.sqrt(0.05 * 0.95 / draws)
    for name in RECOMMENDED["overlapping"]:
        assert abs(rejected[name] / draws - 0.05) < reach, name
    for name in ("grank_t", "cda_t", "bmp_t", "patell_z"):
        assert rejected[name] / draws > 0.09, name
        assert name in assume_no_dependence("overlapping")
