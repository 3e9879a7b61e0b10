"""SQ and permutation with the forecast's error: abnormal returns and residuals compared on one scale."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es

DAYS = es.exchange_sessions("XASX", "2022-01-04", "2024-12-20")
#: The forecast error must matter: few days, and the market far out on the event day.
EST, WIN = (-45, -6), (-1, 2)


def far_market(seed: int, jump: float = 0.08) -> tuple[pd.DataFrame, pd.Timestamp]:
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, 0.009, len(DAYS))
    place = 400 + seed
    market[place] = jump
    firm = 0.0003 + 1.3 * market + 0.02 * rng.standard_normal(len(DAYS))
    second = rng.normal(0.0, 0.005, len(DAYS))
    return pd.DataFrame({"ABC": firm + 0.4 * second, "^AXJO": market, "rates": second}, DAYS), DAYS[place]


def studied(
    model: es.NormalReturnModel, seed: int, jump: float = 0.08
) -> tuple[es.EventStudyResult, pd.DataFrame, int]:
    table, day = far_market(seed, jump)
    found = es.EventStudy(model=model, estimation=EST, window=WIN, calendar="XASX").run(table, es.Event("ABC", day))
    return found, table, DAYS.get_loc(day)


def by_hand(table: pd.DataFrame, place: int, columns: list[str], window: tuple[int, int]):
    """Residuals, abnormal returns and the matrices of their covariances, by statsmodels."""
    est = table.iloc[place + EST[0] : place + EST[1] + 1]
    event = table.iloc[place + window[0] : place + window[1] + 1]
    x, ahead = (sm.add_constant(part[columns].to_numpy(), has_constant="add") for part in (est, event))
    fit = sm.OLS(est["ABC"].to_numpy(), x).fit()
    hat = x @ np.linalg.inv(x.T @ x) @ x.T
    of_residuals = np.eye(len(x)) - hat
    of_forecasts = np.eye(len(ahead)) + ahead @ np.linalg.inv(x.T @ x) @ ahead.T
    np.testing.assert_allclose(np.diag(hat), fit.get_influence().hat_matrix_diag, rtol=1e-9)
    return fit.resid, event["ABC"].to_numpy() - ahead @ fit.params, of_residuals, of_forecasts


MODELS = [(es.MarketModel("^AXJO"), ["^AXJO"]), (es.FactorModel(["^AXJO", "rates"]), ["^AXJO", "rates"])]


@pytest.mark.parametrize(("model", "columns"), MODELS)
@pytest.mark.parametrize("window", [(0, 0), (0, 1), (-1, 2)])
@pytest.mark.parametrize("seed", range(4))
def test_sample_quantiles_of_scaled_sums(model, columns, window, seed):
    result, table, place = studied(model, seed)
    e, ar, of_e, of_ar = by_hand(table, place, columns, window)
    length = len(ar)
    sums = []
    for k in range(len(e) - length + 1):
        days = range(k, k + length)
        sums.append(sum(e[j] for j in days) / np.sqrt(sum(of_e[i, j] for i in days for j in days)))
    seen = ar.sum() / np.sqrt(of_ar.sum())
    below, above = sum(s <= seen for s in sums), sum(s >= seen for s in sums)
    got = result.test("sq", window)
    assert (got.details["k"], got.details["m"]) == (min(below, above), len(sums))
    assert got.p_value == pytest.approx(min(1.0, 2 * (1 + min(below, above)) / (1 + len(sums))), rel=1e-12)


@pytest.mark.parametrize(("model", "columns"), MODELS)
def test_a_permutation_of_one_day_counts_scaled_days(model, columns):
    different = 0
    for seed in range(12):
        result, table, place = studied(model, seed)
        e, ar, of_e, of_ar = by_hand(table, place, columns, (0, 0))
        beyond = sum(
            abs(x) / np.sqrt(v) >= abs(ar[0]) / np.sqrt(of_ar[0, 0]) for x, v in zip(e, np.diag(of_e), strict=True)
        )
        got = result.test("permutation", (0, 0)).p_value
        assert got == pytest.approx((1 + beyond) / (1 + len(e)), rel=1e-12)
        raw = sum(abs(x) >= abs(ar[0]) for x in e)
        assert result.test("permutation", (0, 0), variant="paper").p_value == pytest.approx((1 + raw) / (1 + len(e)))
        different += raw != beyond
    assert different > 3


def test_relabelled_sums_have_each_their_own_scale():
    """Every pair of the pool of residuals and two event days, with the covariance of the pool."""
    result, table, place = studied(es.MarketModel("^AXJO"), 3)
    e, ar, of_e, of_ar = by_hand(table, place, ["^AXJO"], (0, 1))
    pool = np.concatenate([e, ar])
    cov = np.zeros((len(pool), len(pool)))
    cov[: len(e), : len(e)], cov[len(e) :, len(e) :] = of_e, of_ar
    seen = abs(ar.sum()) / np.sqrt(of_ar.sum())
    scaled = [
        abs(pool[i] + pool[j]) / np.sqrt(cov[i, i] + cov[j, j] + 2 * cov[i, j])
        for i, j in combinations(range(len(pool)), 2)
    ]
    exact = float((np.array(scaled) >= seen * (1 - 1e-12)).mean())
    raw = float(
        (np.array([abs(pool[i] + pool[j]) for i, j in combinations(range(len(pool)), 2)]) >= abs(ar.sum())).mean()
    )
    draws = 40_000
    got = result.test("permutation", (0, 1), draws=draws).p_value
    reach = 4 * np.sqrt(exact * (1 - exact) / draws) + 1 / draws
    assert abs(got - exact) < reach
    assert abs(raw - exact) > 2 * reach


def test_without_estimated_coefficients_both_forms_agree():
    result, *_ = studied(es.MarketAdjusted("^AXJO"), 5)
    for window in ((0, 0), (-1, 2)):
        raw = result.test("sq", window, variant="plus_one")
        assert result.test("sq", window).p_value == raw.p_value
        forms = [result.test("permutation", window, variant=v).p_value for v in ("scaled", "paper")]
        assert forms[0] == forms[1]


def test_a_day_that_the_regression_fixes_is_not_compared():
    """A factor that moves on one estimation day only takes that day's residual: zero, and no measure of anything."""
    table, day = far_market(2)
    place = DAYS.get_loc(day)
    table["dummy"] = 0.0
    table.iloc[place - 20, table.columns.get_loc("dummy")] = 0.02
    study = es.EventStudy(model=es.FactorModel(["^AXJO", "dummy"]), estimation=EST, window=WIN, calendar="XASX")
    result = study.run(table, es.Event("ABC", day))
    assert result.test("sq").details["m"] == result.test("permutation").details["m"] == 39.0
    assert result.test("sq", variant="paper").details["m"] == 40.0


@pytest.mark.simulation
@pytest.mark.parametrize("m", [60, 120, 250])
def test_on_a_day_of_a_far_market_move_the_size_is_kept(m):
    """Normal residuals, the market +9.5 % on day 0; the raw form rejects up to a fifth."""
    from eventstudy.estimation.abnormal import abnormal_returns
    from eventstudy.estimation.panel import EventPanel
    from eventstudy.inference import run_test

    rng, draws = np.random.default_rng(20250409 + m), 3000
    market = rng.normal(0.0004, 0.01, (draws, m + 2))
    market[:, m] = 0.095
    returns = rng.normal(1.0, 0.3, (draws, 1)) * market + 0.02 * rng.standard_normal((draws, m + 2))
    panel = EventPanel(
        events=(es.Event("FIRM", "2025-01-27"),) * draws, keys=tuple(map(str, range(draws))), position=np.full(draws, m, dtype=np.int64),
        calendar=pd.bdate_range("2023-01-02", periods=m + 2), estimation=es.Window(-m, -1), window=es.Window(0, 1),
        est_returns=returns[:, :m], event_returns=returns[:, m:], columns=("MKT",), est_columns=market[:, :m, None],
        event_columns=market[:, m:, None],
    )  # fmt: skip
    found = abnormal_returns(panel, es.MarketModel("MKT").fit(panel))
    forms = [("permutation", (0, 0), {}), ("permutation", (0, 1), {"draws": 499})]
    forms += [("sq", (0, 0), {})] if m >= 100 else []  # it needs 100 days
    raw = [("permutation", (0, 0), {"variant": "paper"}), ("sq", (0, 0), {"variant": "paper"})]
    share = [
        np.mean([run_test(name, found.take(np.array([i])), days, **how).p_value <= 0.05 for i in range(draws)])
        for name, days, how in (*forms, *raw)
    ]
    assert all(0.035 <= s <= 0.065 for s in share[: len(forms)]), share
    assert all(s > 0.075 for s in share[len(forms) :]), share
