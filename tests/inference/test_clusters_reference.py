"""Cluster-robust t against the R package crseEventStudy, on its own example data.

The data are not copied into this project: the test runs where the reference folder lies beside the checkout; elsewhere it is
skipped, in words.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from eventstudy.inference.clusters import clustered_mean

REFERENCE = Path(__file__).parent.parent.parent.parent / "shared" / "reference"
DEMO = REFERENCE / "data" / "crse_demo" / "demo_share_repurchases.csv"

pytestmark = pytest.mark.skipif(
    not DEMO.is_file(),
    reason="the example data of the R package crseEventStudy are not shipped with this project; put them at ../shared/reference",
)

RTOL = 1e-10


@pytest.mark.parametrize("row", [0, 1, 2])
def test_the_same_t_and_their_p_from_one_degree_more(row: int) -> None:
    table = pd.read_csv(DEMO)
    expected = pd.read_csv(DEMO.parents[2] / "expected" / "crseEventStudy" / "crse_clustered_t.csv").iloc[row]
    names = [c for c in (expected["cluster1"], expected["cluster2"]) if isinstance(c, str)]
    labels = [pd.factorize(table[name])[0].astype(np.int64) for name in names]
    got = clustered_mean(table[expected["abnr"]].to_numpy(), *labels)
    column = "twoway" if len(names) == 2 else "cluster1"
    assert (len(table), got.groups[0]) == (expected["N"], expected["n_cluster1"])
    np.testing.assert_allclose([got.mean, got.t], [expected["mean"], expected[f"t_{column}"]], rtol=RTOL)
    # The package takes p from t(G); the usual law, and ours, is t(G - 1).
    assert got.df == min(got.groups) - 1
    np.testing.assert_allclose(2 * stats.t.sf(abs(got.t), got.df + 1), expected[f"p_{column}"], rtol=RTOL)
