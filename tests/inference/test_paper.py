"""Every abnormal return, sum and test against an independent implementation of the published formulas.

The expected numbers were computed in base R from the formulas of the papers, on synthetic returns; they are
stored as they came (`tools/make_reference.py`).
"""

from functools import lru_cache

import numpy as np
import pytest
from golden import read as table
from golden import small, synthetic

import eventstudy as es

pytestmark = pytest.mark.reference

# Both sides are double precision; ten digits is what two different orders of summation leave in common.
RTOL = 1e-10
# A statistic can be a difference of nearly equal numbers: CARs of about 0.05 that cancel to 1e-5.
ATOL = 1e-13
P_RTOL = 1e-8

MODELS = {
    "market_model": es.MarketModel("mkt"),
    "market_adjusted": es.MarketAdjusted("mkt"),
    "mean_adjusted": es.MeanAdjusted(),
    "capm": es.FactorModel(["mktrf"], risk_free="rf"),
    "ff3": es.FactorModel(["mktrf", "smb", "hml"], risk_free="rf"),
}
CASES = [
    ("synth_small", "market_model"),
    ("synth_small", "market_adjusted"),
    ("synth_small", "mean_adjusted"),
    ("synth_clustered", "market_model"),
    ("synth_nonclustered", "market_model"),
    ("synth_nonclustered", "market_adjusted"),
    ("synth_nonclustered", "mean_adjusted"),
    ("synth_nonclustered", "capm"),
    ("synth_nonclustered", "ff3"),
    ("synth_missing", "market_model"),
    ("synth_missing", "ff3"),
    ("synth_thin", "market_model"),
]
# golden name -> (our name, options)
TESTS = {
    "csect_t": ("csect_t", {}),
    "bw80_indep_z": ("bw80_z", {}),
    "mackinlay_j1_z": ("mackinlay_j1_z", {}),
    "cda_bw85_t": ("cda_t", {}),
    "cda_t_df_params": ("cda_t", {"df": "params"}),
    "lamb_z": ("lamb_z", {}),
    "patell_z_scar": ("patell_z", {}),
    "patell_z": ("patell_z", {"variant": "csar"}),
    "patell_z_per_event": ("patell_z", {"variant": "per_event"}),
    "wrds_patell_t": ("patell_z", {"variant": "wrds"}),
    "adj_patell_z_overlap": ("kp_patell_z", {}),
    "adj_patell_z_event": ("kp_patell_z", {"pairs": "event_time"}),
    "bmp_t": ("bmp_t", {}),
    "bmp_t_csar": ("bmp_t", {"variant": "csar"}),
    "bmp_t_no_fec": ("bmp_t", {"variant": "no_fec"}),
    "wrds_bmp_t": ("bmp_t", {"variant": "wrds"}),
    "kp_bmp_t_overlap": ("kp_bmp_t", {}),
    "kp_bmp_t_event": ("kp_bmp_t", {"pairs": "event_time"}),
    "skew_adj_hall": ("skew_t", {}),
    "skew_adj_johnson": ("skew_t", {"variant": "johnson"}),
    "corrado_rank_z": ("corrado_rank_z", {}),
    "grank_t": ("grank_t", {}),
    "grank_z": ("grank_z", {}),
    "corrado_zivney_rank_z": ("corrado_zivney_rank_z", {}),
    "rank_z_weighted": ("corrado_zivney_rank_z", {"variant": "weighted"}),
    "corrado_zivney_eiv_rank_z": ("corrado_zivney_rank_z", {"variant": "eiv"}),
    "corrado_zivney_sign_z": ("corrado_zivney_sign_z", {}),
    "cumrank_z": ("cumrank_z", {}),
    "gsign_z": ("gsign_z", {}),
    "gsign_z_pooled": ("gsign_z", {"variant": "pooled"}),
    "wilcoxon_exact": ("wilcoxon", {"variant": "exact"}),
    "wilcoxon_z": ("wilcoxon", {"variant": "normal"}),
    "wilcoxon_z_cc": ("wilcoxon", {"variant": "normal_cc"}),
    "sign_z": ("sign_z", {}),
    "sign_exact": ("sign_exact", {}),
    "signflip_exact_t": ("signflip", {}),
    "signflip_exact_mean": ("signflip", {"statistic": "mean"}),
}


@lru_cache
def run(dataset: str, model: str) -> es.EventStudyResult:
    """Hand the set in as a plain wide DataFrame of returns, the market as a column."""
    study = es.EventStudy(
        model=MODELS[model],
        estimation=(-40, -4) if small(dataset) else (-260, -11),
        window=(-3, 3) if small(dataset) else (-10, 10),
    )
    return study.run(*synthetic(dataset))


def close(actual: object, expected: object, rtol: float = RTOL, atol: float = ATOL) -> None:
    np.testing.assert_allclose(np.asarray(actual, float), np.asarray(expected, float), rtol=rtol, atol=atol)


@pytest.mark.parametrize(("dataset", "model"), CASES)
def test_coefficients(dataset: str, model: str) -> None:
    expected, result = table(f"{dataset}_{model}_fit"), run(dataset, model)
    close(result.abnormal.n_est, expected["n_est"])
    close(result.abnormal.sigma, expected["sigma"])
    names = {
        "market_model": ["alpha", "beta"],
        "market_adjusted": ["alpha", "beta"],
        "mean_adjusted": ["mean"],
        "capm": ["alpha", "mktrf"],
        "ff3": ["alpha", "mktrf", "smb", "hml"],
    }
    close(result.fit.coefficients, expected[names[model]])


@pytest.mark.parametrize(("dataset", "model"), CASES)
def test_daily(dataset: str, model: str) -> None:
    expected, result = table(f"{dataset}_{model}_ar"), run(dataset, model)
    ab = result.abnormal
    rows, columns = expected["event_id"].to_numpy() - 1, expected["tau"].to_numpy() - ab.window.start
    seen = expected["ar"].notna().to_numpy()
    assert not np.isfinite(ab.ar[rows[~seen], columns[~seen]]).any()
    at = (rows[seen], columns[seen])
    close(ab.ar[at], expected["ar"][seen])
    close(ab.sar[at], expected["sar"][seen])
    close(ab.se[at], expected["fec_sigma"][seen])
    assert np.isfinite(ab.ar).sum() == seen.sum()


@pytest.mark.parametrize(("dataset", "model"), CASES)
def test_single_event_tests_of_each_day(dataset: str, model: str) -> None:
    expected, result = table(f"{dataset}_{model}_ar").dropna(subset=["ar"]), run(dataset, model)
    for row in expected.iloc[::7].itertuples():
        key, day = result.abnormal.keys[row.event_id - 1], (row.tau, row.tau)
        plain, pe = result.test("t", day, event=key), result.test("t_pe", day, event=key)
        close([plain.statistic, pe.statistic, pe.df], [row.t, row.t_pe, row.df])
        close([plain.p_value, pe.p_value], [row.p_t, row.p_t_pe], rtol=P_RTOL)
        sq = result.test("sq", day, event=key, variant="paper")
        close([sq.details["p_lower"], sq.details["p_upper"]], [row.sq_p_lower, row.sq_p_upper])
        close(result.test("permutation", day, event=key, variant="paper").p_value, row.perm_p)


@pytest.mark.parametrize(("dataset", "model"), CASES)
def test_window_sums(dataset: str, model: str) -> None:
    expected, result = table(f"{dataset}_{model}_car"), run(dataset, model)
    for (start, end), part in expected.groupby(["tau1", "tau2"]):
        sums, frame = result.abnormal.sums((int(start), int(end))), result.car(int(start), int(end))
        at = part["event_id"].to_numpy() - 1
        close(sums.n_days[at], part["n_days"])
        close(sums.car[at], part["car"])
        close(sums.s_car[at], part["s_car"])
        close(sums.scar[at], part["scar"])
        close(sums.csar[at], part["csar"])
        close((sums.car / sums.s_car_naive)[at], part["t"])
        close(frame["p_value"].to_numpy()[at], part["p_t_pe"], rtol=P_RTOL)
        if model in ("market_model", "market_adjusted"):
            close(result.bhar(int(start), int(end)).to_numpy()[at], part["bhar_mkt"])


@pytest.mark.parametrize(("dataset", "model"), CASES)
def test_tests(dataset: str, model: str) -> None:
    expected, result = table(f"{dataset}_{model}_tests"), run(dataset, model)
    compared = set()
    for row in expected[expected["test"].isin(TESTS)].itertuples():
        name, options = TESTS[row.test]
        got = result.test(name, (row.tau1, row.tau2), **options)
        where = f"{row.test} {row.tau1} {row.tau2}"
        assert got.applicable, f"{where}: {got.reason}"
        assert got.n == row.n, where
        np.testing.assert_allclose(got.statistic, row.stat, rtol=RTOL, atol=ATOL, err_msg=where)
        # Where W⁺ is its own mean the reference corrects for continuity past the mean, and its "p" is 1.005 or 1.056.
        assert row.p <= 1.0 or row.test == "wilcoxon_z_cc"
        np.testing.assert_allclose(got.p_value, min(row.p, 1.0), rtol=P_RTOL, err_msg=where)
        if got.distribution == "t":
            assert got.df == row.df, where
        compared.add(row.test)
    assert compared == set(expected["test"])


def test_every_name_is_compared_somewhere() -> None:
    assert set(TESTS) <= set().union(*(table(f"{dataset}_{model}_tests")["test"] for dataset, model in CASES))
