"""Firms with several events and models of four and five factors, against loops and statsmodels.

The returns are the synthetic sets of this folder. In the first design several events carry one ticker where their days
are apart; the numbers may not move. In the second, firms have a second event close by, so that estimation windows overlap,
event windows lie in other estimation windows, and some event windows share days.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations

import golden
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es

pytestmark = pytest.mark.reference

# Loops, statsmodels and matrix products add the same numbers in another order; ten digits of sixteen are common.
RTOL = 1e-10
P_RTOL = 1e-8
MIN_COMMON_DAYS = 30


def synthetic(dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    returns, events = golden.synthetic(dataset)
    return returns, events[["ticker", "date"]]


class Event:
    """One event's regression by the normal equations, keyed by session and by relative day."""

    def __init__(
        self, y: pd.Series, x: np.ndarray, place: int, estimation: tuple[int, int], window: tuple[int, int]
    ) -> None:
        values, self.place, self.x = y.to_numpy(), place, x
        sessions = range(place + estimation[0], place + estimation[1] + 1)
        used = [t for t in sessions if not math.isnan(values[t])]
        self.m, self.p = len(used), x.shape[1]
        self.inverse = np.linalg.inv(x[used].T @ x[used])
        self.b = self.inverse @ (x[used].T @ values[used])
        self.residual = {t: values[t] - x[t] @ self.b for t in used}
        self.s = math.sqrt(sum(e * e for e in self.residual.values()) / (self.m - self.p))
        days = range(window[0], window[1] + 1)
        self.ar = {k: values[place + k] - x[place + k] @ self.b for k in days if not math.isnan(values[place + k])}

    def days(self, window: tuple[int, int]) -> list[int]:
        return [k for k in self.ar if window[0] <= k <= window[1]]

    def car(self, window: tuple[int, int]) -> float:
        return sum(self.ar[k] for k in self.days(window))

    def scar(self, window: tuple[int, int]) -> float:
        h = sum(self.x[self.place + k] for k in self.days(window))
        return self.car(window) / (self.s * math.sqrt(len(self.days(window)) + h @ self.inverse @ h))


def t_of(values: list[float]) -> float:
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return mean / math.sqrt(variance / len(values))


def correlation(a: Event, b: Event) -> float:
    common = sorted(a.residual.keys() & b.residual.keys())
    if len(common) < MIN_COMMON_DAYS:
        return 0.0
    return float(np.corrcoef([a.residual[t] for t in common], [b.residual[t] for t in common])[0, 1])


def mean_correlation(events: list[Event], window: tuple[int, int]) -> float:
    """Over all pairs, of one firm or not, weighted by the sessions that both windows hold."""
    total, length = 0.0, window[1] - window[0] + 1
    for a, b in combinations(events, 2):
        shared = max(0, length - abs(a.place - b.place))
        if shared:
            total += 2.0 * correlation(a, b) * shared / length
    return total / (len(events) * (len(events) - 1))


def ranked(values: dict[int, float]) -> dict[int, float]:
    return dict(zip(values, stats.rankdata(list(values.values())), strict=True))


def corrado(events: list[Event], window: tuple[int, int]) -> float:
    """Days are relative; residuals and abnormal returns of an event are ranked together."""
    deviations: dict[int, list[float]] = {}
    for e in events:
        ranks = ranked({**{t - e.place: r for t, r in e.residual.items()}, **e.ar})
        for k, rank in ranks.items():
            deviations.setdefault(k, []).append(rank - (len(ranks) + 1) / 2)
    daily = {k: sum(v) / len(v) for k, v in deviations.items()}
    scale = math.sqrt(sum(v * v for v in daily.values()) / len(daily))
    days = range(window[0], window[1] + 1)
    return sum(daily.get(k, 0.0) for k in days) / (math.sqrt(len(days)) * scale)


def grank(events: list[Event], there: list[Event], window: tuple[int, int]) -> float:
    """The window is day 0, which estimation windows never hold."""
    spread = float(np.std([e.scar(window) for e in there], ddof=1))
    scores: dict[int, list[float]] = {}
    for e in events:
        values = {t - e.place: r / e.s for t, r in e.residual.items()}
        if e in there:
            values[0] = e.scar(window) / spread
        for k, rank in ranked(values).items():
            scores.setdefault(k, []).append(rank / (len(values) + 1) - 0.5)
    total = len(scores)
    square = sum(len(v) / len(there) * (sum(v) / len(v)) ** 2 for v in scores.values()) / total
    z = sum(scores[0]) / len(scores[0]) / math.sqrt(square)
    return z * math.sqrt((total - 2) / (total - 1 - z * z))


def brute(events: list[Event], window: tuple[int, int]) -> dict[str, float]:
    there = [e for e in events if e.days(window)]
    n, cars = len(there), [e.car(window) for e in there]
    scars, plus = [e.scar(window) for e in there], sum(c > 0 for c in cars)
    share = sum(sum(r > 0 for r in e.residual.values()) / e.m for e in events) / len(events)
    bmp, r = t_of(scars), mean_correlation(there, window)
    return {
        "csect_t": t_of(cars),
        "patell_z": sum(scars) / math.sqrt(sum((e.m - e.p) / (e.m - e.p - 2) for e in there)),
        "bmp_t": bmp,
        "kp_bmp_t": bmp * math.sqrt((1 - r) / (1 + (n - 1) * r)),
        "corrado_rank_z": corrado(events, window),
        "grank_t": grank(events, there, window),
        "gsign_z": (plus - n * share) / math.sqrt(n * share * (1 - share)),
        "sign_z": (plus - n / 2) / (math.sqrt(n) / 2),
    }


def market_model_loops(
    table: pd.DataFrame, events: pd.DataFrame, estimation: tuple[int, int], window: tuple[int, int]
) -> list[Event]:
    x = sm.add_constant(table["mkt"].to_numpy())
    return [
        Event(table[e.ticker], x, table.index.get_loc(e.date), estimation, window)
        for e in events.itertuples(index=False)
    ]


# -- several events a firm, their days apart ------------------------------------------------------------------------

LONG, WIDE = (-260, -11), (-10, 10)


@lru_cache
def relabelled() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give events one ticker, in order of date, wherever no session belongs to two of them."""
    table, events = synthetic("synth_nonclustered")
    place = {e.ticker: table.index.get_loc(e.date) for e in events.itertuples()}
    free, name, joined = sorted(place, key=lambda t: place[t]), {}, {}
    while free:
        chain = [free.pop(0)]
        while partner := next((t for t in free if place[t] + LONG[0] > place[chain[-1]] + WIDE[1]), None):
            free.remove(partner)
            chain.append(partner)
        name.update(dict.fromkeys(chain, chain[0]))
        assert table[chain].notna().sum(axis=1).max() == 1
        joined[chain[0]] = table[chain].sum(axis=1, min_count=1)
    table = table.drop(columns=list(place)).assign(**joined)
    return table, events.assign(ticker=events["ticker"].map(name))


@lru_cache
def run_relabelled() -> es.EventStudyResult:
    table, events = relabelled()
    study = es.EventStudy(es.MarketModel("mkt"), estimation=LONG, window=WIDE, calendar=None)
    return study.run(table, events)


def test_firms_have_several_events() -> None:
    result = run_relabelled()
    counts = np.bincount(result.abnormal.firms)
    assert result.panel.n == 40
    assert counts.max() >= 3
    assert (counts >= 2).sum() >= 8
    assert len(set(result.events)) == 40


@pytest.mark.parametrize("window", [(0, 0), (0, 1), (-1, 1), (-5, 5), (-10, 10)])
def test_several_events_of_a_firm_by_loops(window: tuple[int, int]) -> None:
    result = run_relabelled()
    expected = brute(market_model_loops(*relabelled(), LONG, WIDE), window)
    for name, statistic in expected.items():
        assert result.test(name, window).statistic == pytest.approx(statistic, rel=RTOL), name


def test_the_unit_is_the_event_and_not_the_firm() -> None:
    """The published formulas' numbers of forty firms are those of fewer firms with as many events."""
    expected = golden.read("synth_nonclustered_market_model_tests")
    names = {"patell_z": "patell_z_scar", "kp_bmp_t": "kp_bmp_t_overlap"}
    result, compared = run_relabelled(), 0
    for name in ("csect_t", "patell_z", "bmp_t", "kp_bmp_t", "corrado_rank_z", "grank_t", "gsign_z", "sign_z"):
        for row in expected[expected["test"] == names.get(name, name)].itertuples():
            got = result.test(name, (row.tau1, row.tau2))
            assert (got.statistic, got.n) == (pytest.approx(row.stat, rel=RTOL), 40), name
            compared += 1
    assert compared >= 8 * 5


# -- a second event close by -----------------------------------------------------------------------------------------

SHORT, NARROW = (-120, -11), (-5, 5)


@lru_cache
def close_by(dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ten firms have another event 100 sessions before, five others four sessions before."""
    table, events = synthetic(dataset)
    more = [
        (e.ticker, table.index[table.index.get_loc(e.date) - (100 if i < 10 else 4)])
        for i, e in enumerate(events.iloc[:15].itertuples(index=False))
    ]
    return table, pd.concat([events, pd.DataFrame(more, columns=["ticker", "date"])], ignore_index=True)


@lru_cache
def run_close_by(dataset: str) -> es.EventStudyResult:
    study = es.EventStudy(es.MarketModel("mkt"), estimation=SHORT, window=NARROW, calendar=None)
    return study.run(*close_by(dataset))


@pytest.mark.parametrize("dataset", ["synth_nonclustered", "synth_missing"])
def test_the_windows_of_a_firm_overlap(dataset: str) -> None:
    result = run_close_by(dataset)
    assert result.dropped == ()
    assert result.panel.n == 55
    apart = np.abs(result.abnormal.position[:15] - result.abnormal.position[40:])
    assert (result.abnormal.firms[:15] == result.abnormal.firms[40:]).all()
    np.testing.assert_array_equal(apart, [100] * 10 + [4] * 5)
    if dataset == "synth_missing":
        assert len(set(result.abnormal.n_est)) > 5
        assert np.isnan(result.abnormal.ar).any()


@pytest.mark.parametrize("dataset", ["synth_nonclustered", "synth_missing"])
@pytest.mark.parametrize("window", [(0, 0), (0, 1), (-1, 1), (-5, 5)])
def test_overlapping_events_of_a_firm_by_loops(dataset: str, window: tuple[int, int]) -> None:
    result = run_close_by(dataset)
    expected = brute(market_model_loops(*close_by(dataset), SHORT, NARROW), window)
    for name, statistic in expected.items():
        assert result.test(name, window).statistic == pytest.approx(statistic, rel=RTOL), name
    r = result.test("kp_bmp_t", window).details["r_bar"]
    if window == (-5, 5):
        assert r > 0.001, "five pairs of one firm, of 1,485, share seven of eleven days"
        assert abs(expected["kp_bmp_t"]) < 0.97 * abs(expected["bmp_t"])


# -- four and five factors ---------------------------------------------------------------------------------------------

FACTORS = {"carhart": ["mktrf", "smb", "hml", "mom"], "five": ["mktrf", "smb", "hml", "rmw", "cma"]}


@lru_cache
def run_factors(dataset: str, name: str) -> es.EventStudyResult:
    model = es.FactorModel(FACTORS[name], risk_free="rf")
    study = es.EventStudy(model, estimation=LONG, window=WIDE, calendar=None)
    return study.run(*synthetic(dataset))


@lru_cache
def fits(dataset: str, name: str) -> list[tuple[object, np.ndarray, np.ndarray]]:
    """For each event statsmodels' regression, and the excess returns and regressors of its event window."""
    table, events = synthetic(dataset)
    x, found = sm.add_constant(table[FACTORS[name]].to_numpy()), []
    for e in events.itertuples():
        y, place = (table[e.ticker] - table["rf"]).to_numpy(), table.index.get_loc(e.date)
        inside = slice(place + LONG[0], place + LONG[1] + 1)
        days = slice(place + WIDE[0], place + WIDE[1] + 1)
        found.append((sm.OLS(y[inside], x[inside], missing="drop").fit(), y[days], x[days]))
    return found


SETS = [(dataset, name) for dataset in ("synth_nonclustered", "synth_missing") for name in FACTORS]


@pytest.mark.parametrize(("dataset", "name"), SETS)
def test_factor_regressions_are_statsmodels(dataset: str, name: str) -> None:
    result, ab = run_factors(dataset, name), run_factors(dataset, name).abnormal
    assert ab.n == len(fits(dataset, name)) == 40
    assert (ab.n_params, result.fit.names) == (len(FACTORS[name]) + 1, ("alpha", *FACTORS[name]))
    for i, (fit, y, x) in enumerate(fits(dataset, name)):
        np.testing.assert_allclose(result.fit.coefficients[i], fit.params, rtol=RTOL, atol=1e-15)
        ours = [ab.sigma[i] ** 2, result.fit.r_squared[i], ab.n_est[i], ab.df[i]]
        np.testing.assert_allclose(ours, [fit.scale, fit.rsquared, fit.nobs, fit.df_resid], rtol=RTOL)
        seen, forecast = np.isfinite(y), fit.get_prediction(x)
        np.testing.assert_array_equal(np.isfinite(ab.ar[i]), seen)
        np.testing.assert_allclose(ab.ar[i][seen], (y - forecast.predicted_mean)[seen], rtol=RTOL, atol=1e-14)
        np.testing.assert_allclose(ab.se[i][seen], forecast.se_obs[seen], rtol=RTOL)


@pytest.mark.parametrize(("dataset", "name"), SETS)
@pytest.mark.parametrize("window", [(0, 0), (-1, 1), (-10, 10)])
def test_factor_sums_and_tests(dataset: str, name: str, window: tuple[int, int]) -> None:
    """The prediction error of a sum of L days, ``s² L + h V h'`` with statsmodels' V, and the tests built on it."""
    result = run_factors(dataset, name)
    days = result.abnormal.columns_of(es.Window(*window))
    cars, scars, variances, degrees = [], [], [], []
    for fit, y, x in fits(dataset, name):
        seen = np.isfinite(y[days])
        if seen.any():
            h = x[days][seen].sum(axis=0)
            cars.append((y[days] - x[days] @ fit.params)[seen].sum())
            scars.append(cars[-1] / math.sqrt(fit.scale * seen.sum() + h @ fit.cov_params() @ h))
            variances.append(fit.df_resid / (fit.df_resid - 2))
            degrees.append(fit.df_resid)
    frame = result.car(*window).dropna(subset=["car"])
    assert len(frame) == len(cars) >= 39
    np.testing.assert_allclose(frame["car"], cars, rtol=RTOL, atol=1e-14)
    np.testing.assert_allclose(frame["t"], scars, rtol=RTOL, atol=1e-13)
    p = 2.0 * stats.t.sf(np.abs(scars), degrees)
    np.testing.assert_allclose(frame["p_value"], p, rtol=P_RTOL)
    assert result.test("csect_t", window).statistic == pytest.approx(t_of(cars), rel=RTOL)
    assert result.test("bmp_t", window).statistic == pytest.approx(t_of(scars), rel=RTOL)
    z = sum(scars) / math.sqrt(sum(variances))
    assert result.test("patell_z", window).statistic == pytest.approx(z, rel=RTOL)


@pytest.mark.parametrize(("dataset", "name"), SETS)
def test_every_test_of_several_events_on_factor_models(dataset: str, name: str) -> None:
    """By the loops of this file, with five and six coefficients."""
    table, events = synthetic(dataset)
    x = sm.add_constant(table[FACTORS[name]].to_numpy())
    loops = [
        Event(table[e.ticker] - table["rf"], x, table.index.get_loc(e.date), LONG, WIDE) for e in events.itertuples()
    ]
    for statistic_name, statistic in brute(loops, (-1, 1)).items():
        got = run_factors(dataset, name).test(statistic_name, (-1, 1)).statistic
        assert got == pytest.approx(statistic, rel=RTOL), statistic_name
