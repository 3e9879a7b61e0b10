"""Sizes where dependence is unlike that of the usual designs: kept by what is recommended, or told with their rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.panel import EventPanel
from eventstudy.inference import recommend, run_test
from eventstudy.inference.advice import beside
from eventstudy.windows import Window

pytestmark = pytest.mark.simulation

M, DAY = 200, Window(0, 0)
#: Bounds of a size that counts as kept, and two Monte Carlo standard errors of 5 % beside them.
DRAWS, KEPT, ERROR = 600, (0.035, 0.065), 0.018


def draws_of(
    place: np.ndarray, firm: np.ndarray, noise: Callable[[np.random.Generator], np.ndarray], seed: int
) -> list[AbnormalReturns]:
    """Return studies of events, by place in calendar time and firm, whose errors have the shape (DRAWS, events, M + 1)."""
    rng, n = np.random.default_rng(seed), len(place)
    dates, at = np.unique(place, return_inverse=True)
    market = rng.normal(0.0, 0.01, (DRAWS, len(dates), M + 1))[:, at].reshape(-1, M + 1)
    deviation = np.exp(rng.normal(np.log(0.02), 0.3, (DRAWS, n)))[:, firm].reshape(-1, 1)
    returns = market + deviation * noise(rng).reshape(-1, M + 1)
    panel = EventPanel(
        events=tuple(es.Event(f"F{f}", "2024-05-06") for f in firm) * DRAWS,
        keys=tuple(map(str, range(DRAWS * n))),
        position=np.tile(place, DRAWS) + M,
        calendar=pd.bdate_range("2020-01-01", periods=M + 1 + int(place.max())),
        estimation=Window(-M, -1),
        window=DAY,
        est_returns=returns[:, :M],
        event_returns=returns[:, M:],
        columns=("MKT",),
        est_columns=market[:, :M, None],
        event_columns=market[:, M:, None],
    )
    whole = abnormal_returns(panel, es.MarketModel("MKT").fit(panel))
    return [whole.take(np.arange(d * n, (d + 1) * n)) for d in range(DRAWS)]


def rejected(studies: list[AbnormalReturns], name: str, **options: object) -> float:
    return float(np.mean([run_test(name, s, DAY, **options).p_value <= 0.05 for s in studies]))


@pytest.mark.parametrize(
    ("within", "between", "blocks", "each"), [(0.7, 0.0, 3, 4), (0.75, 0.0, 2, 5), (0.6, -0.45, 2, 6)]
)
def test_blocks_on_one_date_are_told_with_their_rate(within, between, blocks, each):
    n = blocks * each
    number = np.arange(n) // each
    cov = np.where(number[:, None] == number, within, between)
    np.fill_diagonal(cov, 1.0)
    root = np.linalg.cholesky(cov)
    studies = draws_of(
        np.zeros(n, dtype=np.int64), np.arange(n), lambda rng: root @ rng.standard_normal((DRAWS, n, M + 1)), 3
    )
    size = rejected(studies, "kp_bmp_t")
    assert 0.06 - ERROR < size < 0.11 + ERROR
    told = np.mean(["kp_bmp_t then rejects 6 to 11% of true nulls" in recommend(s, DAY)[2] for s in studies[:100]])
    assert told > 0.95


def together(place: np.ndarray, times: float) -> Callable[[np.random.Generator], np.ndarray]:
    """Errors with correlation 0.15 of events on one date, whose common part has ``times`` its deviation on the event day."""
    _, at = np.unique(place, return_inverse=True)

    def noise(rng: np.random.Generator) -> np.ndarray:
        common = rng.standard_normal((DRAWS, at.max() + 1, M + 1))
        common[:, :, -1] *= times
        return np.sqrt(0.85) * rng.standard_normal((DRAWS, len(place), M + 1)) + np.sqrt(0.15) * common[:, at]

    return noise


def test_on_ten_shared_dates_that_move_together_the_recommended_tests_keep_their_size():
    place = np.repeat(np.arange(11) * 7, 4)
    studies = draws_of(place, np.arange(44), together(place, 2.0), 4)
    assert recommend(studies[0], DAY)[1] == ("clustered_t", "signflip")
    for name, options in (("clustered_t", {}), ("signflip", {"draws": 199})):
        assert KEPT[0] - ERROR < rejected(studies, name, **options) < KEPT[1] + ERROR, name
    assert rejected(studies, "kp_bmp_t") > 0.08
    few = draws_of(place[:24], np.arange(24), together(place[:24], 2.0), 5)
    assert "kp_bmp_t rejects 8 to 15% of true nulls" in recommend(few[0], DAY)[2]
    assert 0.08 - ERROR < rejected(few, "kp_bmp_t") < 0.15 + ERROR


def test_firms_with_several_events_are_no_twins_and_keep_the_size():
    place, firm = np.repeat(np.arange(3) * 20, 3), np.tile(np.arange(3), 3)
    studies = draws_of(place, firm, together(place, 1.0), 6)
    assert all(recommend(s, DAY)[1] == ("kp_bmp_t",) for s in studies[:50])
    assert KEPT[0] - ERROR < rejected(studies, "kp_bmp_t") < KEPT[1] + ERROR


@pytest.mark.parametrize("n", [2, 3])
def test_the_portfolio_beside_few_firms_keeps_its_size_and_finds_what_the_firms_hide(n):
    place = np.zeros(n, dtype=np.int64)
    studies = draws_of(place, np.arange(n), together(place, 1.0), 7)
    assert beside(studies[0], DAY) == ("placebo",)
    assert KEPT[0] - ERROR < rejected(studies, "placebo") < KEPT[1] + ERROR
    noise = together(place, 1.0)

    def moved(rng: np.random.Generator) -> np.ndarray:
        values = noise(rng)
        values[:, :, -1] -= 5.0
        return values

    fallen = draws_of(place, np.arange(n), moved, 8)
    assert rejected(fallen, "placebo") > 0.99
    assert rejected(fallen, "kp_bmp_t") < 0.95
