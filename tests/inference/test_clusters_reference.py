"""Cluster-robust t against statsmodels, on firm-months with shocks of the firm and of the month.

The design is that of the example data of the R package crseEventStudy: 35 firms, 145 months, more than half of the pairs
missing. Those data are under the GPL and no part of this project; where they lie beside it, `test_other_packages.py` compares.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from eventstudy.inference.clusters import clustered_mean

pytestmark = pytest.mark.reference

RTOL = 1e-10


def labels_of(table: pd.DataFrame, names: list[str]) -> list[np.ndarray]:
    return [pd.factorize(table[name])[0].astype(np.int64) for name in names]


def firm_months() -> pd.DataFrame:
    rng = np.random.default_rng(20180612)
    firm, month = (a.ravel() for a in np.meshgrid(np.arange(35), np.arange(145)))
    kept = rng.random(firm.size) < 0.46
    values = (
        rng.standard_normal(firm.size) + 0.5 * rng.standard_normal(35)[firm] + 0.4 * rng.standard_normal(145)[month]
    )
    return pd.DataFrame({"ars": values, "code": firm, "date": month})[kept]


@pytest.mark.parametrize("names", [["date"], ["code"], ["date", "code"]])
def test_the_same_t_and_p_as_statsmodels_on_firm_months(names: list[str]) -> None:
    table = firm_months()
    labels = labels_of(table, names)
    y = table["ars"].to_numpy()
    got = clustered_mean(y, *labels)
    groups = labels[0] if len(labels) == 1 else np.column_stack(labels)
    fit = sm.OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    assert got.groups == tuple({"date": 145, "code": 35}[name] for name in names)
    np.testing.assert_allclose([got.mean, got.t], [fit.params[0], fit.tvalues[0]], rtol=RTOL)
    assert got.df == min(got.groups) - 1
    if len(names) == 1:
        np.testing.assert_allclose(2 * stats.t.sf(abs(got.t), got.df), fit.pvalues[0], rtol=RTOL)
