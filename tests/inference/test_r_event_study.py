"""Models, groups, running windows, volume and the bootstrap against the output of the R package EventStudy.

The package was run on this project's synthetic returns. Its daily numbers and last windows are also held to the papers'
formulas in test_r_packages.py.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from golden import COMPLETE, WINDOWS, read, small, synthetic

import eventstudy as es
from eventstudy.inference.multiple import adjust

pytestmark = pytest.mark.reference

# Both sides are double precision; ten digits is what two different orders of summation leave in common.
RTOL = 1e-10
# Abnormal returns of about 1e-2 can cancel to 1e-8, which leaves fewer digits but no larger error.
ATOL = 1e-13
P_RTOL = 1e-8

MODELS = {
    "market_model": es.MarketModel("mkt"),
    "market_adjusted": es.MarketAdjusted("mkt"),
    "mean_adjusted": es.MeanAdjusted(),
    "ff3": es.FactorModel(["mktrf", "smb", "hml"], risk_free="rf"),
}


@lru_cache
def run(dataset: str, model: str = "market_model", group: str | None = None) -> es.EventStudyResult:
    table, events = synthetic(dataset)
    study = es.EventStudy(
        model=MODELS[model],
        estimation=(-40, -4) if small(dataset) else (-260, -11),
        window=WINDOWS[small(dataset)][0],
    )
    return study.run(table, events if group is None else events[events["group"] == group])


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


# -- tests, models, groups ------------------------------------------------

# the package's test -> (our name, options), of one day and of a window alike
RUNNING: dict[str, tuple[str, dict[str, str]]] = {
    "CSectT": ("csect_t", {}),
    "PatellZ": ("patell_z", {"variant": "per_event"}),
    "SignT": ("sign_z", {}),
    "GSignT": ("gsign_z", {}),
    "BMP": ("bmp_t", {"variant": "no_fec"}),
    "KP": ("kp_bmp_t", {"variant": "no_fec", "pairs": "event_time"}),
}
STUDIES = [
    *((dataset, "market_model", group) for dataset in COMPLETE for group in (None, "A", "B")),
    ("synth_small", "mean_adjusted", None),
    *(("synth_nonclustered", model, None) for model in ("market_adjusted", "mean_adjusted", "ff3")),
]


def omitted(model: str, m: int) -> float:
    """The package adds 1/M to the forecast error of market-adjusted returns, of which nothing is estimated."""
    return float(np.sqrt(1.0 + 1.0 / m)) if model == "market_adjusted" else 1.0


@pytest.mark.parametrize(("dataset", "model", "group"), STUDIES)
def test_running_windows_with_their_p_values(dataset: str, model: str, group: str | None) -> None:
    result = run(dataset, model, group)
    table = r_table(dataset, "tests" if group is None else "tests_by_group", model)
    table = table[table["group"] == (group or "all")]
    for package_name, (name, options) in RUNNING.items():
        part = table[table["test"] == package_name]
        assert len(part) == sum(
            b - a + 1 for a, b in (WINDOWS[small(dataset)] if group is None else [WINDOWS[small(dataset)][0]])
        )
        starts = part["window"].str.extract(r"\[(-?\d+);")[0].astype(int)
        scale = omitted(model, int(result.abnormal.n_est[0])) if package_name == "PatellZ" else 1.0
        days = [(int(d), int(d)) for d in part["tau"]]
        windows = [(int(a), int(b)) for a, b in zip(starts, part["tau"], strict=True)]
        for level, chosen in (("aar", days), ("caar", windows)):
            got, where = [result.test(name, w, **options) for w in chosen], f"{package_name} {level}"
            refused = {g.reason for g in got if not g.applicable}
            if refused:
                # Three signs cannot reach 5 %, so the test is refused here.
                assert (result.panel.n, package_name) in {(3, "SignT"), (3, "GSignT")}, f"{where}: {refused}"
                continue
            close([g.statistic / scale for g in got], part[f"{level}_stat"], where=where)
            if scale == 1.0:
                close([g.p_value for g in got], part[f"{level}_p"], P_RTOL, where=where)


@pytest.mark.parametrize(("dataset", "model"), [(d, m) for d, m, group in STUDIES if group is None])
def test_sums_of_each_event(dataset: str, model: str) -> None:
    """Abnormal returns, running CARs with t and p-value, and buy-and-hold returns of every event."""
    result, table = run(dataset, model), r_table(dataset, "ar_car", model)
    ab, start = result.abnormal, result.abnormal.window.start
    assert len(table) == ab.ar.size
    scale = omitted(model, int(ab.n_est[0]))
    close(ab.ar.ravel(), table["ar"])
    close(ab.se.ravel() * scale, table["fec_sigma"])
    ends = table[table["event_id"] == 1]["tau"]
    for tau in ends:
        part = table[table["tau"] == tau].sort_values("event_id")
        sums = ab.sums((start, int(tau)))
        close(sums.car, part["car"])
        close(sums.car / sums.s_car_naive, part["car_t"])
        p = [result.test("t", (start, int(tau)), event=k).p_value for k in result.events[::7]]
        close(p, part["car_p"][::7], P_RTOL)
        if "market_" in model:
            close(result.bhar(start, int(tau)), part["bhar"])
            close(result.bhar(start, int(tau)) / sums.s_car_naive, part["bhar_t"])
    fit = r_table(dataset, "fit", model)
    close(ab.df, fit["degree_of_freedom"])
    if "alpha" in fit:
        names = ["alpha", "market_excess", "smb", "hml"] if model == "ff3" else ["alpha", "beta"]
        close(result.fit.coefficients, fit[names])
        close(result.fit.r_squared, fit["r2"])


@pytest.mark.parametrize("dataset", [*COMPLETE, "synth_missing"])
def test_quantiles_of_the_cars_are_numpys(dataset: str) -> None:
    expected = r_table(dataset, "car_quantiles_m1_p1")
    assert len(expected) == 5
    close(np.quantile(run(dataset).car(-1, 1)["car"], expected["prob"]), expected["quantile"])


@pytest.mark.parametrize("dataset", [*COMPLETE, "synth_missing"])
def test_cars_of_groups(dataset: str) -> None:
    for row in r_table(dataset, "car_by_group_m1_p1").itertuples():
        car = run(dataset, "market_model", row.group).car(-1, 1)["car"]
        ours = [len(car), car.mean(), car.std(), car.median(), car.min(), car.max()]
        close(ours, [row.n, row.mean_car, row.sd_car, row.median_car, row.min_car, row.max_car])


@pytest.mark.parametrize("dataset", [*COMPLETE, "synth_missing"])
def test_p_values_adjusted_for_their_number(dataset: str) -> None:
    table = r_table(dataset, "multiplicity_CSectT")
    start, days = WINDOWS[small(dataset)][0][0], table["tau"].nunique()
    for method, word in {"bonferroni": "bonferroni", "holm": "holm", "BH": "bh", "BY": "by"}.items():
        part = table[table["method"] == method]
        assert len(part) == days == len(run(dataset).abnormal.window)
        close(adjust(part["p_raw_caar"], word), part["p_adj_caar"])
        p = [run(dataset).test("csect_t", (int(d), int(d))).p_value for d in part["tau"]]
        close(adjust(p, word), part["p_adj_aar"], P_RTOL)
        if dataset in COMPLETE:
            p = [run(dataset).test("csect_t", (start, int(d))).p_value for d in part["tau"]]
            close(adjust(p, word), part["p_adj_caar"], P_RTOL)
    moved = (table["p_adj_aar"] > table["p_raw_aar"]) & (table["p_adj_aar"] < 1.0)
    assert moved.any() or dataset == "synth_small"


# -- volume, volatility, bootstrap -----------------------------------------------------------------------------------


def of_measure(measure: str) -> es.EventStudyResult:
    """A mean-adjusted study of ln(1 + volume) or of squared returns, from the inputs with volume."""
    long = read(f"synth_nonclustered_{'volume' if measure == 'volume' else 'returns'}")
    values = np.log1p(long["volume"]) if measure == "volume" else long["ret"] ** 2
    wide = long.assign(value=values).pivot_table(index="date", columns="firm_id", values="value")
    returns, events = synthetic("synth_nonclustered")
    study = es.EventStudy(es.MeanAdjusted(), estimation=(-260, -11), window=(-10, 10), calendar=None, measure=measure)
    return study.run(wide.reindex(returns.index), events)


def test_abnormal_volume() -> None:
    """The package takes the logarithm of one more than the volume; handed in like that, all is equal."""
    result, table = of_measure("volume"), r_table("synth_nonclustered", "ar_car", "volume")
    close(result.abnormal.ar.ravel(), table["ar"])
    close(result.abnormal.se.ravel(), table["fec_sigma"])
    close(result.abnormal.sigma, r_table("synth_nonclustered", "fit", "volume")["sigma"])
    tests = r_table("synth_nonclustered", "tests", "volume")
    for package_name in ("CSectT", "SignT", "BMP"):
        name, options = RUNNING[package_name]
        part = tests[(tests["test"] == package_name) & (tests["window"] == "[-10;10]")]
        close(statistics(result, name, days_of(result), **options), part["aar_stat"], where=package_name)


def test_abnormal_volatility_differs_by_its_yardstick() -> None:
    """The package has ``r²/s² - 1`` with s² around the mean return; ours is ``r²`` less its own mean, in its own unit."""
    result, table = of_measure("volatility"), r_table("synth_nonclustered", "ar_car", "volatility")
    theirs = table["ar"].to_numpy().reshape(result.abnormal.ar.shape)
    variance = run("synth_nonclustered", "mean_adjusted").abnormal.sigma[:, None] ** 2
    close(result.abnormal.firm_returns / variance - 1.0, theirs)
    mean = result.fit.coefficients
    close((result.abnormal.ar + mean) / variance - 1.0, theirs)
    assert (mean > 249 / 250 * variance * (1 - 1e-12)).all(), "r² has the mean s²(M-1)/M + (mean return)²"


def test_wild_bootstrap_within_monte_carlo_error() -> None:
    """One weight an event, Rademacher, B = 1,999 there and 9,999 here: 42 pairs of p-values."""
    draws = 9999
    table = r_table("synth_nonclustered", "wild_bootstrap_rademacher_B1999_MONTE_CARLO")
    result, distances = run("synth_nonclustered"), []
    for row in table.itertuples():
        day = int(row.relative_index)
        for window, theirs in (((day, day), row.boot_p_aar), ((-10, day), row.boot_p_caar)):
            p = result.test("wild_bootstrap", window, cluster="event", draws=draws).p_value
            distances.append((p - theirs) / np.sqrt(p * (1.0 - p) * (1 / draws + 1 / 1999)))
    assert len(distances) == 42
    assert np.abs(distances).max() < 4.0
    assert 0.3 < np.std(distances) < 1.7
