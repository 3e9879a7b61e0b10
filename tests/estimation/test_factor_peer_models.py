"""Factor models, peer portfolios and buy-and-hold: against statsmodels, loops, and the models that they collapse into."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from trio import DAY, EVENTS, TRIO

import eventstudy as es
from eventstudy.estimation.market import FACTOR_SETS

PEERS = ("AMD", "AVGO", "MU", "QCOM", "NVDA")
RTOL = 1e-10


@pytest.fixture(scope="module")
def prices() -> es.Prices:
    return es.load_prices()


def sessions(result: es.EventStudyResult, window: es.Window) -> pd.DatetimeIndex:
    return result.panel.calendar[result.panel.position[0] + window.days]


# -- factor models ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FACTOR_SETS)
def test_factor_models_equal_statsmodels_with_the_prediction_error(prices, name):
    factors = es.load_factors()
    result = es.EventStudy(es.FactorModel.named(name)).run(prices, EVENTS, factors)
    returns = prices.returns()
    names = list(FACTOR_SETS[name])
    est, event = (sessions(result, w) for w in (result.panel.estimation, result.panel.window))
    for i, ticker in enumerate(TRIO):
        y = returns[ticker] - factors["rf"].reindex(returns.index)
        x = sm.add_constant(factors[names])
        ols = sm.OLS(y[est], x.loc[est]).fit()
        np.testing.assert_allclose(result.fit.coefficients[i], ols.params, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(result.fit.sigma[i], np.sqrt(ols.mse_resid), rtol=RTOL)
        predicted = ols.get_prediction(x.loc[event])
        np.testing.assert_allclose(result.ar.iloc[i], y[event] - predicted.predicted_mean, rtol=1e-8, atol=1e-13)
        np.testing.assert_allclose(result.abnormal.se[i], predicted.se_obs, rtol=1e-9)
        h = x.loc[event].sum().to_numpy()
        variance = ols.mse_resid * (len(event) + h @ ols.normalized_cov_params.to_numpy() @ h)
        np.testing.assert_allclose(result.car(-5, 5)["se"].iloc[i], np.sqrt(variance), rtol=1e-9)
        again = result.regression(ticker)
        np.testing.assert_allclose(again.params, ols.params, rtol=1e-9, atol=1e-13)


def test_one_factor_without_a_riskless_rate_is_the_market_model(prices):
    one = es.EventStudy(es.FactorModel("^GSPC")).run(prices, EVENTS)
    market = es.EventStudy(es.MarketModel("^GSPC")).run(prices, EVENTS)
    np.testing.assert_array_equal(one.ar, market.ar)
    np.testing.assert_array_equal(one.car(0, 1), market.car(0, 1))


def test_the_market_of_a_named_model_is_its_excess_return_and_the_riskless_rate(prices):
    factors = es.load_factors()
    result = es.EventStudy(es.FactorModel.named("capm")).run(prices, EVENTS, factors)
    expected = factors.loc[DAY, "mkt_rf"] + factors.loc[DAY, "rf"]
    assert result.abnormal.benchmark_returns[0, 5] == pytest.approx(expected)


def test_factors_in_the_table_of_returns_do_as_well(prices):
    factors = es.load_factors()
    table = prices.returns()[list(TRIO)].join(factors)
    model = es.FactorModel.named("carhart")
    beside = es.EventStudy(model).run(prices, EVENTS, factors)
    inside = es.EventStudy(model).run(table, EVENTS)
    apart = es.EventStudy(model).run(prices.returns()[list(TRIO)], EVENTS, factors)
    np.testing.assert_allclose(inside.ar, beside.ar, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(apart.ar, beside.ar, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: es.FactorModel([]), "needs the names"),
        (lambda: es.FactorModel(["a", ""]), "needs the names"),
        (lambda: es.FactorModel(["a", "a"]), "twice"),
        (lambda: es.FactorModel(["rf"], risk_free="rf"), "twice"),
        (lambda: es.FactorModel.named("fama_french4"), "fama_french5"),
        (lambda: es.PeerPortfolio(["AMD"]), "2 firms or more"),
        (lambda: es.PeerPortfolio(["AMD", "AMD"]), "more than once"),
        (lambda: es.PeerPortfolio(["AMD", "MU"], weights={"AMD": 1.0}), "one weight"),
        (lambda: es.PeerPortfolio(["AMD", "MU"], weights={"AMD": 1.0, "MU": 1.0, "X": 1.0}), "one weight"),
        (lambda: es.PeerPortfolio(["AMD", "MU"], weights=[1.0, -1.0]), "above zero"),
        (lambda: es.BuyAndHold([]), "1 firms or more"),
        (lambda: es.EventStudy(es.BuyAndHold("^GSPC"), returns="log"), "returns='simple'"),
        (lambda: es.EventStudy(es.MarketModel("^GSPC"), measure="mood"), "turnover"),
    ],
)
def test_a_wrong_specification_says_what_is_allowed(make, words):
    with pytest.raises(es.errors.InvalidInput, match=words):
        make()


def test_factors_that_are_not_there_are_asked_for(prices):
    study = es.EventStudy(es.FactorModel.named("capm"))
    with pytest.raises(es.errors.DataMissing, match="load_factors"):
        study.run(prices, EVENTS)
    with pytest.raises(es.errors.DataMissing, match="rf"):
        study.run(prices, EVENTS, es.load_factors()[["mkt_rf"]])
    with pytest.raises(es.errors.InvalidInput, match="simple"):
        es.EventStudy(es.FactorModel.named("capm"), returns="log").run(prices, EVENTS, es.load_factors())
    both = prices.returns()[list(TRIO)].join(es.load_factors())
    with pytest.raises(es.errors.InvalidInput, match="in the data and in the factors"):
        study.run(both, EVENTS, es.load_factors())
    with pytest.raises(es.errors.DataUnfit, match="fractions"):
        study.run(prices, EVENTS, es.load_factors() * 100)


# -- peers -----------------------------------------------------------------------------------------------------


def peer_returns(returns: pd.DataFrame, own: str, weights: dict[str, float]) -> pd.Series:
    """Loop over days and peers."""
    out = {}
    for day, row in returns.iterrows():
        total = there = 0.0
        for ticker, weight in weights.items():
            if ticker != own and np.isfinite(row[ticker]):
                total, there = total + weight * row[ticker], there + weight
        whole = sum(w for t, w in weights.items() if t != own)
        out[day] = total / there if there > 0 and there >= 0.5 * whole else np.nan
    return pd.Series(out)


@pytest.mark.parametrize("weights", [None, {"AMD": 3.0, "AVGO": 1.0, "MU": 2.0, "QCOM": 1.5, "NVDA": 10.0}])
def test_a_peer_portfolio_is_the_market_model_on_the_mean_of_the_others(prices, weights):
    table = prices.returns()[sorted({*TRIO, *PEERS})].iloc[1:].copy()
    rng = np.random.default_rng(3)
    for ticker in PEERS:
        table.loc[table.index[rng.integers(400, len(table), 120)], ticker] = np.nan
    table.loc[DAY, list(PEERS)] = 0.01
    result = es.EventStudy(es.PeerPortfolio(PEERS, weights)).run(table, EVENTS)
    assert result.panel.n == len(TRIO)
    for ticker in TRIO:
        own = peer_returns(table, ticker, weights or dict.fromkeys(PEERS, 1.0))
        alone = es.EventStudy(es.MarketModel("P"), calendar=None).run(
            pd.DataFrame({ticker: table[ticker], "P": own}).reindex(table.index).assign(P=own), [es.Event(ticker, DAY)]
        )
        if own.loc[result.panel.calendar[result.panel.position[0] - 270] :].notna().all():
            np.testing.assert_allclose(result.ar.loc[ticker], alone.ar.loc[ticker], rtol=1e-9, atol=1e-14)
            np.testing.assert_allclose(
                result.coefficients.loc[ticker, "beta"], alone.coefficients["beta"].iloc[0], rtol=1e-9
            )


def test_the_event_s_own_firm_is_never_its_peer(prices):
    with_own = es.EventStudy(es.PeerPortfolio(PEERS)).run(prices, EVENTS)
    without = es.EventStudy(es.PeerPortfolio([t for t in PEERS if t != "NVDA"])).run(prices, EVENTS)
    np.testing.assert_array_equal(with_own.ar.loc["NVDA"], without.ar.loc["NVDA"])
    assert not np.allclose(with_own.ar.loc["META"], without.ar.loc["META"])


def test_peer_adjusted_returns_are_differences(prices):
    result = es.EventStudy(es.PeerPortfolio(PEERS, estimate=False)).run(prices, EVENTS)
    returns = prices.returns().loc[DAY]
    assert result.ar.loc["META", 0] == pytest.approx(returns["META"] - returns[list(PEERS)].mean(), rel=1e-12)


# -- buy and hold ----------------------------------------------------------------------------------------------


def test_buy_and_hold_against_an_index_is_the_compounded_difference(prices):
    result = es.EventStudy(es.BuyAndHold("^GSPC")).run(prices, EVENTS)
    adjusted = es.EventStudy(es.MarketAdjusted("^GSPC")).run(prices, EVENTS)
    for window in ((0, 0), (0, 5), (-5, 5)):
        np.testing.assert_allclose(result.car(*window)["car"], adjusted.bhar(*window), rtol=1e-12)
    np.testing.assert_array_equal(result.ar, adjusted.ar)


def test_a_reference_portfolio_is_bought_once_and_never_rebalanced(prices):
    result = es.EventStudy(es.BuyAndHold(PEERS)).run(prices, EVENTS)
    returns = prices.returns()
    for window in (es.Window(-2, 3), es.Window(0, 0), es.Window(1, 5)):
        days = sessions(result, window)
        for ticker in TRIO:
            held = [np.prod(1 + returns.loc[days, p]) for p in PEERS if p != ticker]
            expected = np.prod(1 + returns.loc[days, ticker]) - np.mean(held)
            assert result.car(window.start, window.end)["car"][ticker] == pytest.approx(expected, rel=1e-12)


def test_tests_of_the_cross_section_use_the_compounded_returns(prices):
    result = es.EventStudy(es.BuyAndHold("^GSPC")).run(prices, EVENTS)
    bhar = result.car(0, 5)["car"].to_numpy()
    t = np.sqrt(3) * bhar.mean() / bhar.std(ddof=1)
    assert result.test("csect_t", (0, 5)).statistic == pytest.approx(t, rel=1e-12)
