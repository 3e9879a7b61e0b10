"""Seven shares on one date, two of them listed late: the daily tests once more, in loops over shares and days.

The design is that of the example data of the R package estudy2 (seven shares, two of them listed within the estimation
window, log returns), on embedded prices. Estimation windows differ in length, and a pair has fewer common days than its shares.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es

pytestmark = pytest.mark.reference

SHARES = ("NVDA", "META", "GOOGL", "AVGO", "MSFT", "ARM", "GEV")
FIRST, EVENT = "2023-06-01", "2025-01-27"
DAYS = range(5)
RTOL = 1e-10


@dataclass(frozen=True)
class Share:
    """One share's regression by sums, keyed by date."""

    beta: float
    n: int
    residual: dict[pd.Timestamp, float]
    ar: list[float]
    sar: list[float]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    prices = es.load_prices([*SHARES, "^GSPC"], FIRST, "2025-02-07").adj_close
    return np.log(prices).diff().iloc[1:]


@pytest.fixture(scope="module")
def result(table: pd.DataFrame) -> es.EventStudyResult:
    estimation = int((table.index < EVENT).sum())
    model = es.MarketModel("^GSPC")
    study = es.EventStudy(model, estimation=(-estimation, -1), window=(0, 4), returns="log", calendar=None)
    return study.run(table, [es.Event(t, EVENT) for t in SHARES])


@pytest.fixture(scope="module")
def shares(table: pd.DataFrame) -> list[Share]:
    found = []
    for ticker in SHARES:
        before = [
            (d, m, r)
            for d, m, r in zip(table.index, table["^GSPC"], table[ticker], strict=True)
            if d < pd.Timestamp(EVENT)
        ]
        used = [(d, m, r) for d, m, r in before if not math.isnan(r)]
        n = len(used)
        mean_m, mean_r = sum(m for _, m, _ in used) / n, sum(r for _, _, r in used) / n
        spread = sum((m - mean_m) ** 2 for _, m, _ in used)
        beta = sum((m - mean_m) * (r - mean_r) for _, m, r in used) / spread
        alpha = mean_r - beta * mean_m
        residual = {d: r - alpha - beta * m for d, m, r in used}
        sigma = math.sqrt(sum(e * e for e in residual.values()) / (n - 2))
        after = table[table.index >= EVENT].iloc[: len(DAYS)]
        ar = [r - alpha - beta * m for m, r in zip(after["^GSPC"], after[ticker], strict=True)]
        error = [sigma * math.sqrt(1 + 1 / n + (m - mean_m) ** 2 / spread) for m in after["^GSPC"]]
        found.append(Share(beta, n, residual, ar, [a / e for a, e in zip(ar, error, strict=True)]))
    return found


def t_of(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return mean / math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values))


def patell(shares: list[Share], day: int) -> float:
    return sum(s.sar[day] for s in shares) / math.sqrt(sum((s.n - 2) / (s.n - 4) for s in shares))


def generalised_sign(shares: list[Share], day: int) -> float:
    n = len(shares)
    p = sum(sum(e > 0 for e in s.residual.values()) / s.n for s in shares) / n
    return (sum(s.ar[day] > 0 for s in shares) - n * p) / math.sqrt(n * p * (1 - p))


def common_correlation(shares: list[Share]) -> float:
    """Mean correlation of the pairs' residuals, each over the days that both have."""
    found = []
    for i, one in enumerate(shares):
        for other in shares[i + 1 :]:
            days = [d for d in one.residual if d in other.residual]
            found.append(stats.pearsonr([one.residual[d] for d in days], [other.residual[d] for d in days]).statistic)
    return sum(found) / len(found)


def test_betas_and_estimation_days(result: es.EventStudyResult, shares: list[Share]) -> None:
    np.testing.assert_allclose(result.coefficients["beta"], [s.beta for s in shares], rtol=RTOL)
    np.testing.assert_array_equal(result.abnormal.n_est, [s.n for s in shares])
    assert sorted(s.n for s in shares)[0] < 210
    assert sorted(s.n for s in shares)[1] < 350
    assert sorted(s.n for s in shares)[2] > 400


@pytest.mark.parametrize("day", DAYS)
def test_statistics_of_the_textbook_formulas(result: es.EventStudyResult, shares: list[Share], day: int) -> None:
    expected = {
        "csect_t": t_of([s.ar[day] for s in shares]),
        "patell_z": patell(shares, day),
        "bmp_t": t_of([s.sar[day] for s in shares]),
        "gsign_z": generalised_sign(shares, day),
    }
    for test, statistic in expected.items():
        assert result.test(test, (day, day)).statistic == pytest.approx(statistic, rel=RTOL), test


@pytest.mark.parametrize("day", DAYS)
def test_adjusted_bmp_and_the_mean_correlation_behind_it(
    result: es.EventStudyResult, shares: list[Share], day: int
) -> None:
    n, r = len(shares), common_correlation(shares)
    got = result.test("kp_bmp_t", (day, day))
    assert got.details["r_bar"] == pytest.approx(r, rel=RTOL)
    expected = t_of([s.sar[day] for s in shares]) * math.sqrt((1 - r) / (1 + (n - 1) * r))
    assert got.statistic == pytest.approx(expected, rel=RTOL)


def test_covariances_over_common_days_by_deviations_over_all_days_are_another_number(
    result: es.EventStudyResult, shares: list[Share]
) -> None:
    """That mixture, found in recomputed figures of estudy2's example, is no correlation and not what is used."""
    pairs = []
    for i, one in enumerate(shares):
        for other in shares[i + 1 :]:
            days = [d for d in one.residual if d in other.residual]
            product = sum(one.residual[d] * other.residual[d] for d in days) / (len(days) - 1)
            pairs.append(
                product / (np.std([*one.residual.values()], ddof=1) * np.std([*other.residual.values()], ddof=1))
            )
    assert abs(result.test("kp_bmp_t", (0, 0)).details["r_bar"] - sum(pairs) / len(pairs)) > 1e-4


def test_independence_is_most_of_what_patell_says(result: es.EventStudyResult) -> None:
    assert abs(result.test("patell_z", (0, 0)).statistic) > 8
    assert abs(result.test("kp_bmp_t", (0, 0)).statistic) < 2
