"""Residual diagnostics and the pre-event mean against the R package EventStudy, on this project's synthetic returns."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from golden import COMPLETE, read, small, synthetic
from scipy import stats

import eventstudy as es
from eventstudy.estimation.residuals import autocorrelations, durbin_watson, ljung_box

pytestmark = pytest.mark.reference

RTOL = 1e-10
# Royston's approximation of the Shapiro-Wilk weights is computed with constants of six digits in both, in another order.
SHAPIRO_RTOL = 1e-6
SETS = (*COMPLETE, "synth_missing")


@lru_cache
def run(dataset: str) -> es.EventStudyResult:
    """Study a synthetic set with the market model."""
    study = es.EventStudy(
        model=es.MarketModel("mkt"),
        estimation=(-40, -4) if small(dataset) else (-260, -11),
        window=(-3, 3) if small(dataset) else (-10, 10),
    )
    return study.run(*synthetic(dataset))


def theirs(dataset: str, name: str) -> pd.DataFrame:
    return read(f"r_EventStudy/{dataset}/market_model_{name}")


@pytest.mark.parametrize("dataset", SETS)
def test_residual_diagnostics(dataset: str) -> None:
    """Ljung-Box, Durbin-Watson, first autocorrelation: missing days are left out on both sides.

    The package takes ten lags, on fewer than 50 days a fifth of their number.
    """
    expected, e = theirs(dataset, "diagnostics"), run(dataset).abnormal.residuals
    assert len(expected) == len(e)
    lags = 7 if dataset == "synth_small" else 10
    np.testing.assert_allclose(ljung_box(e, lags).p_value, expected["ljung_box_p"], rtol=RTOL)
    np.testing.assert_allclose(durbin_watson(e), expected["dw_stat"], rtol=RTOL)
    np.testing.assert_allclose(autocorrelations(e, 1)[:, 0], expected["acf1"], rtol=RTOL, atol=1e-15)
    shapiro = [stats.shapiro(row[np.isfinite(row)]).pvalue for row in e]
    np.testing.assert_allclose(shapiro, expected["shapiro_p"], rtol=SHAPIRO_RTOL)


@pytest.mark.parametrize("dataset", COMPLETE)
def test_the_pre_event_mean_agrees_and_its_t_does_not_by_intent(dataset: str) -> None:
    """The mean abnormal return before day 0 is the same; R's t takes all firm-days for one independent sample.

    Ours is the average CAR over those days over an error across events, adjusted for correlation where events share days.
    """
    (expected,) = theirs(dataset, "pretrend").itertuples()
    ab = run(dataset).abnormal
    before = (ab.window.start, -1)
    pooled = ab.ar[:, : -ab.window.start]
    assert pooled.shape == (expected.n_events, expected.n_pre_periods)
    assert ab.caar(before) / expected.n_pre_periods == pytest.approx(expected.mean_pre_ar, rel=RTOL)
    assert pooled.std(ddof=1) == pytest.approx(expected.sd_pre_ar, rel=RTOL)
    t = pooled.mean() / (pooled.std(ddof=1) / np.sqrt(pooled.size))
    assert t == pytest.approx(expected.t_stat, rel=RTOL)
    check = next(c for c in run(dataset).checks if c.name == "No drift before the event")
    assert check.passed
    assert ("kp_bmp_t" in check.value) == (dataset != "synth_small"), "only the small set has windows apart"
