"""Abnormal returns and tests against the output of the R packages EventStudy, estudy2 and eventstudies.

The packages were run on this project's synthetic returns. A table beside their output, `cross_check.csv`, says how each of
their numbers relates to the published formulas and how far it is from them. Where the relation is exact ours are held to it;
where a package departs from the papers, our distance from it must be the distance of the formulas.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from golden import COMPLETE, WINDOWS, read, small, synthetic
from scipy import stats

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.residuals import autocorrelations

pytestmark = pytest.mark.reference

# Both sides are double precision; ten digits is what two different orders of summation leave in common.
RTOL = 1e-10
# Abnormal returns of about 1e-2 can cancel to 1e-8, which leaves fewer digits but no larger error.
ATOL = 1e-13
P_RTOL = 1e-8
# cross_check.csv gives differences with three digits.
THREE_DIGITS = 5e-3

MODELS = {
    "market_model": es.MarketModel("mkt"),
    "market_adjusted": es.MarketAdjusted("mkt"),
}


@lru_cache
def run(dataset: str, model: str = "market_model", window: tuple[int, int] | None = None) -> es.EventStudyResult:
    table, events = synthetic(dataset)
    study = es.EventStudy(
        model=MODELS[model],
        estimation=(-40, -4) if small(dataset) else (-260, -11),
        window=window or WINDOWS[small(dataset)][0],
    )
    return study.run(table, events)


@lru_cache
def run_shifted(dataset: str, model: str) -> es.EventStudyResult:
    """As the package eventstudies cuts time: the event window lacks its first day, which is used for estimation."""
    table, events = synthetic(dataset)
    start, width = (-40, 3) if small(dataset) else (-260, 10)
    study = es.EventStudy(model=MODELS[model], estimation=(start, -width), window=(1 - width, width))
    return study.run(table, events)


def r_table(dataset: str, name: str, model: str = "market_model") -> pd.DataFrame:
    return read(f"r_EventStudy/{dataset}/{model}_{name}")


def statistics(result: es.EventStudyResult, test: str, windows: list[tuple[int, int]], **options: object) -> np.ndarray:
    return np.array([result.test(test, w, **options).statistic for w in windows])


def days_of(result: es.EventStudyResult) -> list[tuple[int, int]]:
    return [(int(d), int(d)) for d in result.abnormal.window.days]


def close(actual: object, expected: object, rtol: float = RTOL, atol: float = ATOL, where: str = "") -> None:
    theirs = np.asarray(expected, float)
    assert np.isfinite(theirs).all(), f"{where}: the expected numbers have holes"
    np.testing.assert_allclose(np.asarray(actual, float), theirs, rtol=rtol, atol=atol, err_msg=where)


# -- every row of cross_check.csv ----------------------------------------------------------------------------------

Pair = tuple[np.ndarray, np.ndarray]
# golden name -> (our name, options)
TESTS: dict[str, tuple[str, dict[str, str]]] = {
    "csect_t": ("csect_t", {}),
    "patell_z": ("patell_z", {"variant": "csar"}),
    "patell_z_per_event": ("patell_z", {"variant": "per_event"}),
    "sign_z": ("sign_z", {}),
    "gsign_z": ("gsign_z", {}),
    "gsign_z_pooled": ("gsign_z", {"variant": "pooled"}),
    "corrado_rank_z": ("corrado_rank_z", {}),
    "bmp_t_no_fec": ("bmp_t", {"variant": "no_fec"}),
    "bmp_t": ("bmp_t", {}),
    "bmp_t_no_fec*KP factor(event-time rbar)": ("kp_bmp_t", {"variant": "no_fec", "pairs": "event_time"}),
    "bw80_indep_z": ("bw80_z", {}),
    "cda_bw85_t": ("cda_t", {}),
    "lamb_z": ("lamb_z", {}),
    "corrado_zivney_sign_z": ("corrado_zivney_sign_z", {}),
    "corrado_zivney_rank_z": ("corrado_zivney_rank_z", {}),
    "wilcoxon_exact (stat)": ("wilcoxon", {"variant": "exact"}),
}
ESTUDY2_NAMES = {"wilcoxon W+": "wilcoxon_test"}
DAILY = {"AR": "ar", "fec_sigma": "fec_sigma", "ART t": "ar_t", "ART p": "ar_p"}
# Where cross_check.csv counts a forecast error of a day without a return, there is none here.
FEWER = {("synth_missing", "fec_sigma"): 814}

ROWS = [
    pytest.param(row, id=f"{row.dataset} {row.package} {row.quantity} {row.golden}")
    for row in read("cross_check").itertuples()
]


def factor(relation: str, ab: AbnormalReturns) -> float:
    """By what the package multiplies the paper's statistic; where estimation days differ, cross_check.csv takes their median."""
    m = float(np.median(ab.n_est))
    t = m + len(ab.window)
    if relation.startswith("paper*sqrt((M-1)/(M-2))"):
        return float(np.sqrt((m - 1) / (m - 2)))
    return float(np.sqrt((t - 1) / t)) if relation.startswith("paper*sqrt((T-1)/T)") else 1.0


def daily_pair(result: es.EventStudyResult, table: pd.DataFrame, column: str) -> Pair:
    """One number an event and day, where there is an abnormal return."""
    ab = result.abnormal
    if column == "ar_p":
        grid = [[result.test("t", d, event=k).p_value for d in days_of(result)] for k in result.events]
        ours = np.array(grid)
    else:
        ours = {"ar": ab.ar, "fec_sigma": ab.se, "ar_t": ab.ar / ab.sigma[:, None]}[column]
    theirs = table[column].to_numpy().reshape(ab.ar.shape)
    seen = np.isfinite(ab.ar)
    assert column == "fec_sigma" or not np.isfinite(theirs[~seen]).any()
    return ours[seen], theirs[seen]


def event_study(row: object, result: es.EventStudyResult) -> Pair:
    dataset, quantity = row.dataset, row.quantity
    if quantity in DAILY:
        return daily_pair(result, r_table(dataset, "ar_car"), DAILY[quantity])
    if quantity == "sigma":
        return result.abnormal.sigma, r_table(dataset, "fit")["sigma"].to_numpy()
    if quantity == "acf1":
        column = r_table(dataset, "fit")["first_order_auto_correlation"].to_numpy()
        return autocorrelations(result.abnormal.residuals, 1)[:, 0], column
    package_name, level = quantity.split()
    table = r_table(dataset, "tests")
    table = table[table["test"] == package_name]
    name, options = TESTS[row.golden]
    windows = WINDOWS[small(dataset)]
    if level == "CAAR":
        last = [table[(table["window"] == f"[{a};{b}]") & (table["tau"] == b)]["caar_stat"].item() for a, b in windows]
        return statistics(result, name, list(windows), **options), np.array(last)
    a, b = windows[0]
    theirs = table[table["window"] == f"[{a};{b}]"].sort_values("tau")["aar_stat"].to_numpy()
    days = days_of(result)
    if package_name == "RankT":
        assert np.ptp(theirs) == 0.0, "the package repeats its first day"
        days, theirs = days[:1], theirs[:1]
    if package_name == "KP":
        # The package takes the first day's number of events on all days; here each day has its own (38, 40, 39, ...).
        bmp = statistics(result, "bmp_t", days, variant="no_fec")
        return bmp * (statistics(result, name, days[:1], **options) / bmp[0]), theirs
    return statistics(result, name, days, **options), theirs


def estudy2(row: object, result: es.EventStudyResult) -> Pair:
    if row.quantity == "AR":
        return daily_pair(result, read(f"estudy2/{row.dataset}/sim_ar"), "ar")
    table = read(f"estudy2/{row.dataset}/sim_daily_tests")
    chosen = table[table["test"] == ESTUDY2_NAMES.get(row.quantity, row.quantity)].sort_values("tau")
    name, options = TESTS[row.golden]
    return statistics(result, name, days_of(result), **options), chosen["stat"].to_numpy()


def eventstudies(row: object, _: es.EventStudyResult) -> Pair:
    word = row.quantity.split()[1]
    result = run_shifted(row.dataset, {"marketModel": "market_model", "excessReturn": "market_adjusted"}[word])
    table = read(f"eventstudies/{row.dataset}/ar")
    ours, theirs = daily_pair(result, table[table["model"] == word], "ar")
    return 100.0 * ours, theirs


PACKAGES: dict[str, Callable[[object, es.EventStudyResult], Pair]] = {
    "EventStudy": event_study,
    "estudy2": estudy2,
    "eventstudies": eventstudies,
}


@pytest.mark.parametrize("row", ROWS)
def test_the_table_of_relations(row) -> None:
    ours, theirs = PACKAGES[row.package](row, run(row.dataset))
    assert ours.shape == theirs.shape == (FEWER.get((row.dataset, row.quantity), row.n_values),)
    assert len(theirs) == 1 or np.ptp(theirs) > 0.0
    ours = ours * factor(row.relation, run(row.dataset).abnormal)
    if row.max_rel_diff < RTOL or row.quantity == "KP AAR":
        close(ours, theirs, rtol=P_RTOL if row.quantity == "ART p" else RTOL)
    else:
        assert np.isfinite(theirs).all()
        assert np.abs(ours - theirs).max() == pytest.approx(row.max_abs_diff, rel=THREE_DIGITS)


def test_no_row_is_left_out() -> None:
    assert len(ROWS) == 135


# -- estudy2 and eventstudies beyond the table -------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", [*COMPLETE, "synth_missing"])
def test_windows_and_coefficients_of_estudy2(dataset: str) -> None:
    """A window's statistic is the sum of its days' over √L; its ranks are those of a study whose event window it is."""
    result, table = run(dataset), read(f"estudy2/{dataset}/sim_car_tests")
    close(result.fit.coefficients, read(f"estudy2/{dataset}/sim_fit")[["alpha", "beta"]])
    windows = WINDOWS[small(dataset)]
    part = dict(list(table.groupby("test")))
    assert [tuple(w) for w in part["car_lamb"][["tau1", "tau2"]].to_numpy()] == list(windows)
    days = [[(d, d) for d in range(a, b + 1)] for a, b in windows]
    summed = [statistics(result, "cda_t", w).sum() / np.sqrt(len(w)) for w in days]
    close(summed, part["car_brown_warner_1985"]["stat"])
    if dataset in COMPLETE:
        close(statistics(result, "cda_t", list(windows)), summed)
        own = [run(dataset, "market_model", w).test("corrado_rank_z", w).statistic for w in windows]
        close(own, part["car_rank_test"]["stat"])
    if dataset == "synth_clustered":
        close(statistics(result, "lamb_z", list(windows)), part["car_lamb"]["stat"])


def test_market_adjusted_returns_of_estudy2() -> None:
    result = run("synth_nonclustered", "market_adjusted")
    close(result.abnormal.ar.ravel(), read("estudy2/synth_nonclustered/mrkt_adj_ar")["ar"])
    table = read("estudy2/synth_nonclustered/mrkt_adj_daily_tests")
    rows = {p.values[0].quantity: p.values[0].golden for p in ROWS if p.values[0].package == "estudy2"}
    compared = set()
    for name, part in table.groupby("test"):
        golden = rows[next(q for q in rows if ESTUDY2_NAMES.get(q, q) == name)]
        ours, options = TESTS[golden]
        assert len(part) == 21
        close(statistics(result, ours, days_of(result), **options), part.sort_values("tau")["stat"], where=str(name))
        compared.add(name)
    assert len(compared) == 9


@pytest.mark.parametrize("dataset", COMPLETE)
@pytest.mark.parametrize(("word", "model"), [("marketModel", "market_model"), ("excessReturn", "market_adjusted")])
def test_sums_and_intervals_of_eventstudies(dataset: str, word: str, model: str) -> None:
    """Its CAR starts at zero on the first day: ours from the second day on. In percent."""
    result = run_shifted(dataset, model)
    start, end = result.abnormal.window.start, result.abnormal.window.end
    cars, inference = (read(f"eventstudies/{dataset}/{name}") for name in ("car", "inference"))
    cars, inference = cars[cars["model"] == word], inference[inference["model"] == word].set_index("tau")
    for tau in range(start + 1, end + 1):
        car = 100.0 * result.car(start + 1, tau)["car"].to_numpy()
        close(car, cars[cars["tau"] == tau].sort_values("event")["car_first_day_zero"])
        test, row = result.test("csect_t", (start + 1, tau)), inference.loc[tau]
        caar = 100.0 * result.caar(start + 1, tau)
        reach = stats.t.ppf(0.975, test.df) * abs(caar / test.statistic)
        close([test.n, caar, caar - reach, caar + reach], row[["n", "caar", "classic_lo", "classic_hi"]])
        close(np.median(car), row["median"])
