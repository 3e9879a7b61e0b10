"""Numbers of other packages' example data, which are under the GPL and no part of this project.

Collected only where these data lie beside the checkout (`tests/conftest.py`). Elsewhere the same formulas are held to
loops on shares listed late (`test_late_listings.py`) and to statsmodels (`test_clusters_reference.py`).
"""

import numpy as np
import pandas as pd
import pytest
from golden import EXAMPLES
from scipy import stats

import eventstudy as es
from eventstudy.inference.clusters import clustered_mean

pytestmark = pytest.mark.reference

RATES = EXAMPLES / "data" / "estudy2_rates"
DEMO = EXAMPLES / "data" / "crse_demo" / "demo_share_repurchases.csv"

# The expected figures are known to four decimals.
FOUR_DECIMALS = 5.1e-5
DAYS = range(5)  # 16 to 20 March 2020


@pytest.fixture(scope="module")
def result() -> es.EventStudyResult:
    """Seven shares and the S&P 500, log returns, estimated 1 April 2019 to 13 March 2020."""
    rates = pd.read_csv(RATES / "rates.csv", index_col=0)
    market = pd.read_csv(RATES / "rates_indx.csv", index_col=0).iloc[:, 0]
    table = rates.assign(market=market)
    table.index = pd.to_datetime(table.index)
    table = table[table.index >= "2019-04-01"]
    estimation = int((table.index <= "2020-03-13").sum())
    study = es.EventStudy(
        es.MarketModel("market"), estimation=(-estimation, -1), window=(0, 4), returns="log", calendar=None
    )
    return study.run(table, [es.Event(t, "2020-03-16") for t in rates.columns])


def statistics(result: es.EventStudyResult, test: str) -> list[float]:
    return [result.test(test, (d, d)).statistic for d in DAYS]


def test_betas(result: es.EventStudyResult) -> None:
    expected = {
        "AMZN": 0.86464, "ZM": 0.30639, "UBER": 1.13443, "NFLX": 0.95820, "SHOP": 1.22728, "FB": 1.03408, "UPWK": 0.69284,
    }  # fmt: skip
    assert result.panel.n == len(expected)
    for key, beta in result.coefficients["beta"].items():
        assert beta == pytest.approx(expected[str(key)], abs=FOUR_DECIMALS / 10)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("csect_t", (1.3941, -1.2769, -0.4023, 1.7958, 5.1233)),
        ("patell_z", (2.5444, -2.9421, 0.3290, 8.4027, 6.3057)),
        ("bmp_t", (1.2043, -1.1752, 0.0764, 2.1669, 8.6545)),
        ("gsign_z", (1.1531, 0.3971, 1.1531, 1.9090, 2.6650)),
    ],
)
def test_statistics_of_the_textbook_formulas(
    result: es.EventStudyResult, test: str, expected: tuple[float, ...]
) -> None:
    np.testing.assert_allclose(statistics(result, test), expected, atol=FOUR_DECIMALS)


def adjusted(result: es.EventStudyResult, r: float) -> np.ndarray:
    n = result.panel.n
    return np.array(statistics(result, "bmp_t")) * np.sqrt((1 - r) / (1 + (n - 1) * r))


def test_adjusted_bmp_and_the_mean_correlation_behind_it(result: es.EventStudyResult) -> None:
    """Two shares listed late, so a pair has fewer common days than its shares have.

    The recomputed figures at hand (0.7876, ...) divide covariances over the common days by deviations over all days of
    each share, which is no correlation. Ours is the correlation over the common days, as the formula says.
    """
    n = result.panel.n
    residuals = pd.DataFrame(result.abnormal.residuals.T)
    pairs = residuals.corr().to_numpy()
    ours = (pairs.sum() - n) / (n * (n - 1))
    assert result.test("kp_bmp_t", (0, 0)).details["r_bar"] == pytest.approx(ours, rel=1e-10)
    np.testing.assert_allclose(statistics(result, "kp_bmp_t"), adjusted(result, ours), rtol=1e-10)
    seen = residuals.notna().astype(float)
    mixed = (residuals.fillna(0.0).T @ residuals.fillna(0.0)) / (seen.T @ seen - 1.0)
    deviation = residuals.std(ddof=1).to_numpy()
    theirs = ((mixed / np.outer(deviation, deviation)).to_numpy().sum() - n) / (n * (n - 1))
    expected = (0.7876, -0.7686, 0.0500, 1.4171, 5.6601)
    np.testing.assert_allclose(adjusted(result, theirs), expected, atol=FOUR_DECIMALS)


def test_patell_says_eight_and_the_truth_is_nearer_one(result: es.EventStudyResult) -> None:
    """19 March: seven shares on one date; independence is the whole difference."""
    assert result.test("patell_z", (3, 3)).statistic > 8
    assert result.test("kp_bmp_t", (3, 3)).statistic < 1.5


@pytest.mark.parametrize("row", [0, 1, 2])
def test_clustered_t_of_crse_event_study_and_its_p_from_one_degree_more(row: int) -> None:
    table = pd.read_csv(DEMO)
    expected = pd.read_csv(EXAMPLES / "expected" / "crseEventStudy" / "crse_clustered_t.csv").iloc[row]
    names = [c for c in (expected["cluster1"], expected["cluster2"]) if isinstance(c, str)]
    labels = [pd.factorize(table[name])[0].astype(np.int64) for name in names]
    got = clustered_mean(table[expected["abnr"]].to_numpy(), *labels)
    column = "twoway" if len(names) == 2 else "cluster1"
    assert (len(table), got.groups[0]) == (expected["N"], expected["n_cluster1"])
    np.testing.assert_allclose([got.mean, got.t], [expected["mean"], expected[f"t_{column}"]], rtol=1e-10)
    # The package takes p from t(G); the usual law, and ours, is t(G - 1).
    assert got.df == min(got.groups) - 1
    np.testing.assert_allclose(2 * stats.t.sf(abs(got.t), got.df + 1), expected[f"p_{column}"], rtol=1e-10)
