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
from eventstudy.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.inference import RECOMMENDED, run_test, takes_as_independent
from eventstudy.panel import EventPanel
from eventstudy.windows import Window

N, M = 50, 239
DRAWS, BATCH = 400, 100
REFERENCE_DRAWS = 10_000
# A band of four Monte Carlo standard errors: a right test fails once in 16,000 comparisons, and the seed is fixed.
STANDARD_ERRORS = 4.0
NAMES = {
    "BW85": "cda_t", "CS": "csect_t", "Patell": "patell_z", "BMP": "bmp_t", "adj-BMP": "kp_bmp_t",
    "adj-Patell": "kp_patell_z", "rank": "corrado_rank_z", "sign": "gsign_z",
}  # fmt: skip

#: Per cent rejected at two-sided 5 % in the reference run.
CELLS = {
    "normal": {"BW85": 5.5, "CS": 5.0, "Patell": 5.2, "BMP": 5.2, "adj-BMP": 5.3, "adj-Patell": 5.3, "rank": 5.3, "sign": 5.5},
    "variance": {"BW85": 16.8, "CS": 5.0, "Patell": 17.1, "BMP": 5.2, "adj-BMP": 5.3, "adj-Patell": 17.2, "rank": 9.9, "sign": 5.6},
    "clustered": {"BW85": 5.0, "CS": 40.4, "Patell": 41.2, "BMP": 43.0, "adj-BMP": 5.0, "adj-Patell": 4.9, "rank": 4.7, "sign": 35.3},
}  # fmt: skip
DESIGNS = {"normal": (0.0, 0.0), "variance": (0.0, 1.0), "clustered": (0.1, 0.0)}


def simulate(seed: int, draws: int, rho: float, k: float) -> AbnormalReturns:
    """Return the events of many draws in one panel, fitted by the package's own market model."""
    rng = np.random.default_rng(seed)
    shape = (draws, N, M + 1)
    own_market = rho == 0.0
    market = rng.normal(0.0004, 0.01, shape if own_market else (draws, 1, M + 1))
    market = np.broadcast_to(market, shape)
    beta, s = rng.normal(1.0, 0.3, shape[:2]), np.exp(rng.normal(np.log(0.022), 0.35, shape[:2]))
    noise = np.sqrt(1 - rho) * rng.standard_normal(shape) + np.sqrt(rho) * rng.standard_normal((draws, 1, M + 1))
    returns = 0.0002 + beta[..., None] * market + s[..., None] * noise
    returns[:, :, -1] += np.sqrt(k) * s * rng.standard_normal(shape[:2])
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
def p_values(design: str) -> pd.DataFrame:
    rho, k = DESIGNS[design]
    rows = []
    for batch in range(DRAWS // BATCH):
        abnormal = simulate(20250127 + batch, BATCH, rho, k)
        for draw in range(BATCH):
            part = abnormal.take(np.arange(draw * N, (draw + 1) * N))
            rows.append({label: run_test(name, part, (0, 0)).p_value for label, name in NAMES.items()})
    return pd.DataFrame(rows)


def band(share: float) -> float:
    return STANDARD_ERRORS * np.sqrt(share * (1 - share) * (1 / DRAWS + 1 / REFERENCE_DRAWS))


@pytest.mark.parametrize("label", NAMES)
@pytest.mark.parametrize("design", CELLS)
def test_rejection_rates_are_those_of_the_reference_run(design, label):
    expected = CELLS[design][label] / 100.0
    rejected = float((p_values(design)[label] < 0.05).mean())
    assert abs(rejected - expected) < band(expected), f"{design}, {label}: {rejected:.3f} against {expected:.3f}"


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
        ("normal", ("BW85", "BMP", "adj-BMP", "Patell")),
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
        assert name in takes_as_independent("overlapping")
