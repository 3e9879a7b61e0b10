"""Missing days: what a test cannot know it does not claim, and the advice leaves it out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.inference import notes_on_tests
from eventstudy.inference.correlation import MIN_COMMON_DAYS, unknown_share

FIRMS = [f"F{i}" for i in range(24)]


def sample(n: int, days: int, rho: float, seed: int) -> pd.DataFrame:
    """Returns of n firms and an index over ``days`` estimation sessions, a gap of five, the event day and four more."""
    rng = np.random.default_rng(seed)
    calendar = es.load_prices(["^GSPC"]).dates[: days + 10]
    market = rng.normal(0, 0.01, (len(calendar), 1))
    own = np.sqrt(1 - rho) * rng.normal(0, 0.02, (len(calendar), n)) + np.sqrt(rho) * rng.normal(
        0, 0.02, (len(calendar), 1)
    )
    return pd.DataFrame(np.hstack([own + market, market]), index=calendar, columns=[*FIRMS[:n], "MKT"])


def study_of(returns: pd.DataFrame, n: int, days: int, **options: object) -> es.EventStudyResult:
    study = es.EventStudy(
        es.MarketModel("MKT"), estimation=(-days - 5, -6), window=(0, 4), calendar=None, max_dropped=1.0, **options
    )
    day = returns.index[days + 5]
    return study.run(returns, [es.Event(t, day) for t in FIRMS[:n]])


def brute_unknown(result: es.EventStudyResult) -> float:
    seen = np.isfinite(result.abnormal.residuals)
    pairs = [(i, j) for i in range(len(seen)) for j in range(i)]
    return float(np.mean([(seen[i] & seen[j]).sum() < MIN_COMMON_DAYS for i, j in pairs]))


def test_without_common_days_the_correlation_is_unknown_and_the_test_says_so() -> None:
    returns = sample(12, 40, 0.5, 1)
    short = study_of(returns.iloc[11:], 12, 29, min_estimation=20)
    test = short.test("kp_bmp_t", (0, 0))
    assert not test.applicable
    assert "30 estimation days in common" in test.reason
    assert "kp_bmp_t" not in short.recommended((0, 0)).names
    enough = study_of(returns.iloc[10:], 12, 30, min_estimation=20)
    assert enough.test("kp_bmp_t", (0, 0)).details["r_bar"] > 0.2


@pytest.mark.parametrize("lost", [0.1, 0.3, 0.45])
def test_the_share_of_unknown_pairs_is_that_of_a_loop(lost: float) -> None:
    returns = sample(12, 60, 0.3, 2)
    rng = np.random.default_rng(3)
    holes = rng.random((60, 12)) < lost
    returns.iloc[:60, :12] = returns.iloc[:60, :12].mask(holes)
    result = study_of(returns, 12, 60, min_estimation=10)
    members = np.arange(result.abnormal.n)
    expected = brute_unknown(result)
    assert unknown_share(result.abnormal, members, es.Window(0, 0)) == pytest.approx(expected, abs=1e-12)
    test = result.test("kp_bmp_t", (0, 0))
    recommended = "kp_bmp_t" in result.recommended((0, 0)).names
    assert recommended == (expected <= 0.05)
    if 0 < expected < 1:
        assert "count as uncorrelated" in test.note
    if expected > 0.05:
        assert "correlation is not known" in result.recommended((0, 0)).sentence


def test_the_share_counts_the_overlap_of_windows_on_several_dates() -> None:
    returns = sample(12, 60, 0.3, 4)
    returns.iloc[:60, :6] = returns.iloc[:60, :6].mask(np.random.default_rng(5).random((60, 6)) < 0.5)
    study = es.EventStudy(es.MarketModel("MKT"), estimation=(-60, -6), window=(0, 2), calendar=None, min_estimation=10)
    days = returns.index[[65, 66, 67]]
    result = study.run(returns, [es.Event(t, days[i % 3]) for i, t in enumerate(FIRMS[:12])])
    ab, weight, lacking = result.abnormal, 0.0, 0.0
    for i in range(ab.n):
        for j in range(i):
            shift = int(ab.position[i] - ab.position[j])
            overlap = max(3 - abs(shift), 0)
            a, b = np.isfinite(ab.residuals[i]), np.isfinite(ab.residuals[j])
            common = (a[: len(a) - shift] & b[shift:]).sum() if shift >= 0 else (a[-shift:] & b[:shift]).sum()
            weight += overlap
            lacking += overlap * (common < MIN_COMMON_DAYS)
    assert 0 < lacking < weight
    found = unknown_share(ab, np.arange(ab.n), es.Window(0, 2))
    assert found == pytest.approx(lacking / weight, abs=1e-12)


def rejections(draws: int, missing: int) -> tuple[dict[str, float], int]:
    """Share of true nulls rejected by each test while it is recommended, if some firms lack the event day."""
    hits: dict[str, list[bool]] = {}
    for seed in range(draws):
        returns = sample(24, 120, 0.0, 100 + seed)
        returns.iloc[125, :missing] = np.nan
        result = study_of(returns, 24, 120)
        for test in result.recommended((0, 0)).tests:
            hits.setdefault(test.name, []).append(test.p_value < 0.05)
    return {name: float(np.mean(found)) for name, found in hits.items()}, draws


@pytest.mark.slow
def test_with_events_missing_on_the_day_the_recommended_tests_keep_their_size() -> None:
    """12 of 24 firms without the event day: the average of all 24 on estimation days cannot be compared with that of 12."""
    sizes, draws = rejections(300, 12)
    assert set(sizes) == {"kp_bmp_t"}
    for name, size in sizes.items():
        assert size < 0.05 + 4 * np.sqrt(0.05 * 0.95 / draws), (
            name,
            size,
        )  # `cda_t`, `lamb_z`, `corrado_rank_z`: 16 to 19 %


def test_many_missing_estimation_days_are_noted_on_tests_by_averages_of_ordinary_days() -> None:
    returns = sample(12, 120, 0.2, 6)
    returns.iloc[:120, :12] = returns.iloc[:120, :12].mask(np.random.default_rng(7).random((120, 12)) < 0.3)
    result = study_of(returns, 12, 120)
    assert result.recommended((0, 0)).names == ("kp_bmp_t",)
    assert notes_on_tests(result.abnormal, es.Window(0, 0))["placebo"].text == "assumes no missing estimation days"
