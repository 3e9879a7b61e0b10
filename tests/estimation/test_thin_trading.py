"""Models for thin trading once more, in loops that share no code with the package; collapses; what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.calendars import exchange_sessions

DAYS = exchange_sessions("XNYS", "2024-01-02", "2025-03-31")
EST, WIN = range(-90, -10), range(-3, 4)
TICKERS = tuple("ABCDE")
EVENT_DAYS = ("2025-01-27", "2025-01-27", "2025-01-28", "2024-11-15", "2024-09-12")
PLACES = [DAYS.get_loc(d) for d in EVENT_DAYS]
# Loops and matrix products add the same numbers in another order.
RTOL = 1e-10
EVENTS = [es.Event(t, d) for t, d in zip(TICKERS, EVENT_DAYS, strict=True)]


def make_returns(thin: bool) -> pd.DataFrame:
    """Log returns that lag behind the market; a firm that does not trade has its return on the day of its next trade."""
    rng = np.random.default_rng(5)
    market = rng.normal(0.0004, 0.011, len(DAYS))
    table = pd.DataFrame({"MKT": market}, index=DAYS)
    for i, ticker in enumerate(TICKERS):
        true = 0.0002 + (0.5 + 0.2 * i) * market + 0.4 * np.roll(market, 1) + rng.normal(0, 0.012, len(DAYS))
        trades = rng.random(len(DAYS)) > (0.15 + 0.05 * i if thin else -1.0)
        trades[:3] = True
        level = np.where(trades, np.cumsum(true), np.nan)
        filled = pd.Series(level).ffill().shift(1).fillna(0.0).to_numpy()
        table[ticker] = level - filled
    if thin:  # a gap that reaches from before the estimation window into it, and one from there into the event window
        place = PLACES[0]
        for first, last in ((place - 95, place - 88), (place - 12, place - 3)):
            table.loc[DAYS[first] : DAYS[last], "A"] = np.nan
        table.loc[DAYS[place - 2], "A"] = 0.013
    return table


FULL, THIN = make_returns(thin=False), make_returns(thin=True)


def run(model: object, table: pd.DataFrame, **options: object) -> es.EventStudyResult:
    settings = {"estimation": (-90, -11), "window": (-3, 3), "returns": "log", **options}
    return es.EventStudy(model=model, **settings).run(table, EVENTS)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def slope(y: list[float], x: list[float]) -> float:
    mx, my = mean(x), mean(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum((a - mx) ** 2 for a in x)


# -- Scholes-Williams --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def holes() -> pd.DataFrame:
    """Returns with missing days: 12 in the estimation window of A, one in the event window of B."""
    table = FULL.copy()
    table.iloc[[PLACES[0] - k for k in range(20, 80, 5)], 1] = np.nan
    table.iloc[PLACES[1] + 1, 2] = np.nan
    return table


class InstrumentLoop:
    """One event's market model with an instrument, by sums of products."""

    def __init__(self, table: pd.DataFrame, ticker: str, place: int) -> None:
        self.firm, self.market, self.place = table[ticker].tolist(), table["MKT"].tolist(), place
        used = [k for k in EST if not math.isnan(self.firm[place + k])]
        self.y = [self.firm[place + k] for k in used]
        self.x = [self.market[place + k] for k in used]
        self.z = [sum(self.market[place + k + j] for j in (-1, 0, 1)) for k in used]
        mz = mean(self.z)
        self.szx = sum((z - mz) * x for z, x in zip(self.z, self.x, strict=True))
        self.beta = sum((z - mz) * y for z, y in zip(self.z, self.y, strict=True)) / self.szx
        self.alpha = mean(self.y) - self.beta * mean(self.x)
        residuals = [y - self.alpha - self.beta * x for y, x in zip(self.y, self.x, strict=True)]
        self.m = len(used)
        self.s = math.sqrt(sum(e * e for e in residuals) / (self.m - 2))
        self.residuals = dict(zip(used, residuals, strict=True))

    def se(self, days: list[int]) -> float:
        """alpha hat + beta hat x has the variance s² (1/M + (x - mean)² Szz/Szx²): the errors' mean and slope are independent."""
        mz, mx = mean(self.z), mean(self.x)
        szz = sum((z - mz) ** 2 for z in self.z)
        reach = sum(self.market[self.place + k] - mx for k in days)
        return self.s * math.sqrt(len(days) + len(days) ** 2 / self.m + reach**2 * szz / self.szx**2)


def test_scholes_williams_by_sums(holes):
    result = run(es.ScholesWilliams("MKT"), holes)
    for i, (ticker, place) in enumerate(zip(TICKERS, PLACES, strict=True)):
        loop = InstrumentLoop(holes, ticker, place)
        row = result.coefficients.iloc[i]
        np.testing.assert_allclose(
            row[["alpha", "beta", "sigma"]].to_numpy(float), [loop.alpha, loop.beta, loop.s], rtol=RTOL
        )
        assert row["n_est"] == loop.m
        np.testing.assert_allclose(
            result.abnormal.residuals[i][np.isfinite(result.abnormal.residuals[i])],
            list(loop.residuals.values()),
            rtol=1e-8,
            atol=1e-15,
        )
        days = [k for k in WIN if not math.isnan(loop.firm[place + k])]
        for k in days:
            expected = loop.firm[place + k] - loop.alpha - loop.beta * loop.market[place + k]
            assert result.ar.iloc[i][k] == pytest.approx(expected, rel=RTOL)
            assert result.abnormal.se[i][k + 3] == pytest.approx(loop.se([k]), rel=RTOL)
        assert result.abnormal.sums((-3, 3)).s_car[i] == pytest.approx(loop.se(days), rel=RTOL)
    assert sorted(result.coefficients["n_est"]) == [68, 80, 80, 80, 80]


def classic(firm: list[float], market: list[float], start: int, length: int) -> float:
    """The published formula: three simple regressions and the market's autocorrelation."""
    y = firm[start : start + length]
    betas = [slope(y, market[start + j : start + j + length]) for j in (-1, 0, 1)]
    before, same = market[start - 1 : start + length - 1], market[start : start + length]
    rho = float(np.corrcoef(before, same)[0, 1])
    return sum(betas) / (1 + 2 * rho)


def test_scholes_williams_is_the_published_formula_but_for_the_ends_of_the_window():
    """The difference falls as 1/M: with a hundred times as many days, it times M stays of the same size."""
    rng = np.random.default_rng(8)
    days = pd.bdate_range("1950-01-02", periods=8200)
    market = rng.normal(0.0, 0.01, len(days))
    market[1:] += 0.2 * market[:-1]
    firm = 0.6 * market + 0.3 * np.roll(market, 1) + rng.normal(0, 0.01, len(days))
    table = pd.DataFrame({"MKT": market, "A": firm}, index=days)
    scaled = []
    for length in (80, 800, 8000):
        study = es.EventStudy(model=es.ScholesWilliams("MKT"), estimation=(-length, -1), window=(0, 0), calendar=None)
        result = study.run(table, es.Event("A", f"{days[8100]:%Y-%m-%d}"))
        published = classic(firm.tolist(), market.tolist(), 8100 - length, length)
        scaled.append(length * abs(result.coefficients["beta"].iloc[0] - published))
    assert scaled[0] > 1e-6, "they are not the same number"
    assert max(scaled) < 10.0


def test_leads_do_not_cost_days_of_the_event_window():
    last = f"{DAYS[-1]:%Y-%m-%d}"
    study = {"estimation": (-90, -11), "window": (-1, 0)}
    sw = es.EventStudy(model=es.ScholesWilliams("MKT"), **study).run(FULL, es.Event("A", last))
    assert np.isfinite(sw.ar.to_numpy()).all()
    again = es.EventStudy(model=es.ScholesWilliams("MKT"), **study).run(
        FULL.assign(MKT=FULL["MKT"].where(FULL.index != DAYS[-3], 0.3)), es.Event("A", last)
    )
    np.testing.assert_array_equal(sw.ar.to_numpy(), again.ar.to_numpy())
    with pytest.raises(es.errors.DataUnfit, match=r"MKT\[\+1\] has no return"):
        es.EventStudy(model=es.Dimson("MKT"), **study).run(FULL, es.Event("A", last))


def test_a_weak_instrument_is_no_instrument():
    """R_m,t = u_t - u_(t-1): the sum of three sessions telescopes and is uncorrelated with the middle one."""
    rng = np.random.default_rng(2)
    u = rng.normal(0, 0.01, len(DAYS) + 1)
    table = FULL.assign(MKT=np.diff(u))
    with pytest.raises(es.errors.DataUnfit, match=r"weak instrument .*first-stage F [0-9.]+, at least 10 needed"):
        run(es.ScholesWilliams("MKT"), table)
    flat = run(es.ScholesWilliams("MKT"), FULL)
    assert all(not reason for reason in flat.fit.unusable)


def test_a_constant_market_is_named():
    with pytest.raises(es.errors.DataUnfit, match="does not vary"):
        run(es.ScholesWilliams("MKT"), FULL.assign(MKT=0.001))
    with pytest.raises(es.errors.DataUnfit, match="does not vary"):
        run(es.TradeToTrade("MKT"), FULL.assign(MKT=0.001))
    with pytest.raises(es.errors.DataUnfit, match="does not vary"):
        run(es.Dimson("MKT"), FULL.assign(MKT=0.001))


@pytest.mark.parametrize("model", [es.ScholesWilliams("MKT"), es.TradeToTrade("MKT"), es.Dimson("MKT")])
def test_too_few_days_for_the_parameters(model):
    sparse = FULL.copy()
    for place in PLACES:
        sparse.iloc[place - 89 : place - 12, 1:] = np.nan
    study = es.EventStudy(model=model, estimation=(-90, -11), window=(-3, 3), returns="log", min_estimation=3)
    with pytest.raises(es.errors.DataUnfit, match="No event can be studied"):
        study.run(sparse, EVENTS)


@pytest.mark.parametrize("model", [es.ScholesWilliams("MKT"), es.TradeToTrade("MKT"), es.Dimson("MKT")])
def test_a_firm_that_is_the_market_leaves_nothing(model):
    with pytest.raises(es.errors.DataUnfit, match="no residual variation"):
        run(model, FULL.assign(**dict.fromkeys(TICKERS, FULL["MKT"])))


# -- Dimson ------------------------------------------------------------------------------------------------------------


def test_dimson_without_neighbours_is_the_market_model_exactly():
    plain, dimson = run(es.MarketModel("MKT"), FULL), run(es.Dimson("MKT", leads=0, lags=0), FULL)
    assert list(dimson.coefficients) == list(plain.coefficients)
    np.testing.assert_array_equal(dimson.coefficients, plain.coefficients)
    np.testing.assert_array_equal(dimson.sar, plain.sar)
    np.testing.assert_array_equal(dimson.car(-3, 3), plain.car(-3, 3))
    np.testing.assert_array_equal(es.Dimson("MKT", 0, 0).summed_beta(dimson.fit), plain.coefficients["beta"])


def test_dimson_is_the_regression_on_neighbours():
    model = es.Dimson("MKT", leads=1, lags=2)
    result = run(model, FULL)
    assert result.fit.names == ("alpha", "beta[-2]", "beta[-1]", "beta", "beta[+1]")
    market = FULL["MKT"].to_numpy()
    for i, (ticker, place) in enumerate(zip(TICKERS, PLACES, strict=True)):
        days = place + np.array(EST)
        x = sm.add_constant(np.column_stack([market[days + k] for k in (-2, -1, 0, 1)]))
        fit = sm.OLS(FULL[ticker].to_numpy()[days], x).fit()
        np.testing.assert_allclose(result.fit.coefficients[i], fit.params, rtol=RTOL, atol=1e-14)
        total = fit.t_test([0, 1, 1, 1, 1])
        np.testing.assert_allclose(model.summed_beta(result.fit)[i], total.effect[0], rtol=RTOL)
        np.testing.assert_allclose(model.summed_beta_error(result.fit)[i], total.sd[0, 0], rtol=RTOL)
        ahead = place + np.array(WIN)
        row = sm.add_constant(np.column_stack([market[ahead + k] for k in (-2, -1, 0, 1)]), has_constant="add")
        forecast = fit.get_prediction(row)
        np.testing.assert_allclose(
            result.abnormal.ar[i], FULL[ticker].to_numpy()[ahead] - forecast.predicted_mean, rtol=1e-8, atol=1e-14
        )
        np.testing.assert_allclose(result.abnormal.se[i], forecast.se_obs, rtol=RTOL)
        np.testing.assert_allclose(result.regression(result.events[i]).params, fit.params, rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize(("leads", "lags"), [(-1, 1), (1, 1.5), (True, 0), (0, None), ("1", 1)])
def test_leads_and_lags_are_whole_numbers(leads, lags):
    with pytest.raises(es.errors.InvalidInput, match="whole number of sessions"):
        es.Dimson("MKT", leads=leads, lags=lags)


@pytest.mark.parametrize("model", [es.ScholesWilliams, es.Dimson, es.TradeToTrade])
def test_a_benchmark_has_a_name(model):
    with pytest.raises(es.errors.InvalidInput, match="needs the name of its benchmark"):
        model("")


# -- trade to trade ----------------------------------------------------------------------------------------------------


class TradeLoop:
    """One event's trade-to-trade regression: walk through the days, remember the last trade."""

    def __init__(self, table: pd.DataFrame, ticker: str, place: int) -> None:
        firm, market = table[ticker].tolist(), table["MKT"].tolist()
        self.trades: dict[int, tuple[int, float, float]] = {}
        since, total, known = 0, 0.0, False
        for t, r in enumerate(firm):
            since, total = since + 1, total + market[t]
            if not math.isnan(r):
                self.trades[t - place] = (since, total, r) if known else (1, market[t], r)
                since, total, known = 0, 0.0, True
        est = [self.trades[k] for k in EST if k in self.trades]
        x = np.array([[math.sqrt(d), m / math.sqrt(d)] for d, m, _ in est])
        y = np.array([r / math.sqrt(d) for d, _, r in est])
        self.xx = np.linalg.inv(x.T @ x)
        self.b = self.xx @ (x.T @ y)
        u = y - x @ self.b
        self.m, self.s = len(est), math.sqrt(float(u @ u) / (len(est) - 2))
        self.residuals = u

    def ar(self, k: int) -> float:
        d, m, r = self.trades[k]
        return r - self.b[0] * d - self.b[1] * m

    def car(self, window: tuple[int, int]) -> tuple[float, float] | None:
        """CAR and its deviation; None if a return reaches back before the window or the last day has no trade."""
        days = [k for k in range(window[0], window[1] + 1) if k in self.trades]
        if window[1] not in days or any(k - self.trades[k][0] + 1 < window[0] for k in days):
            return None
        h = np.array([sum(self.trades[k][0] for k in days), sum(self.trades[k][1] for k in days)], dtype=float)
        return sum(self.ar(k) for k in days), self.s * math.sqrt(h[0] + h @ self.xx @ h)


@pytest.fixture(scope="module")
def thin() -> es.EventStudyResult:
    return run(es.TradeToTrade("MKT"), THIN)


LOOPS = [TradeLoop(THIN, t, p) for t, p in zip(TICKERS, PLACES, strict=True)]


def test_trade_to_trade_by_walking(thin):
    for i, loop in enumerate(LOOPS):
        row = thin.coefficients.iloc[i]
        np.testing.assert_allclose(
            row[["alpha", "beta", "sigma"]].to_numpy(float), [*loop.b, loop.s], rtol=RTOL, atol=1e-14
        )
        assert row["n_est"] == loop.m
        seen = np.isfinite(thin.abnormal.residuals[i])
        np.testing.assert_allclose(thin.abnormal.residuals[i][seen], loop.residuals, rtol=1e-8, atol=1e-14)
        for k in WIN:
            if k not in loop.trades:
                assert np.isnan(thin.ar.iloc[i][k])
                continue
            d, m, _ = loop.trades[k]
            x = np.array([d, m])
            se = loop.s * math.sqrt(d + x @ loop.xx @ x)
            assert thin.ar.iloc[i][k] == pytest.approx(loop.ar(k), rel=1e-8, abs=1e-14)
            assert thin.abnormal.se[i][k + 3] == pytest.approx(se, rel=RTOL)
            assert thin.abnormal.span[i][k + 3] == d


def test_gaps_are_counted_across_the_windows():
    assert LOOPS[0].trades[-2][0] == 11, "no trade from day -12 to day -3"
    assert LOOPS[0].trades[-87][0] == 9, "no trade from day -95 to day -88"


def test_sums_over_trades_and_those_without_a_value(thin):
    void = 0
    windows = [(a, b) for a in WIN for b in WIN if a <= b]
    for window in windows:
        sums = thin.abnormal.sums(window)
        for i, loop in enumerate(LOOPS):
            expected = loop.car(window)
            if expected is None:
                void += 1
                assert np.isnan([sums.car[i], sums.s_car[i], sums.scar[i]]).all()
                continue
            np.testing.assert_allclose([sums.car[i], sums.s_car[i]], expected, rtol=1e-8, atol=1e-14)
    assert 10 < void < len(windows) * len(LOOPS) - 10


def test_a_window_without_a_sum_says_why(thin):
    for name in ("t", "t_pe", "sq", "permutation"):
        outcome = thin.test(name, (-2, 0), event=thin.events[0])
        assert not outcome.applicable
        assert "reaches back before the window" in outcome.reason


def raw(result, name, window, key):
    """The form of the papers, which leaves the forecast's error out."""
    return result.test(name, window, event=key, variant="paper")


def test_ordinary_days_are_compared_on_their_own_scale(thin):
    """A window whose one trade covers two sessions: its sum has twice the variance of an ordinary day."""
    found = [
        (i, k)
        for i, loop in enumerate(LOOPS)
        for k in WIN
        if k - 1 in WIN and k - 1 not in loop.trades and loop.car((k - 1, k)) is not None
    ]
    assert found
    for i, k in found:
        loop, window, key = LOOPS[i], (k - 1, k), thin.events[i]
        scaled = abs(loop.ar(k)) / math.sqrt(2)
        extreme = sum(abs(u) >= scaled for u in loop.residuals)
        assert raw(thin, "permutation", window, key).p_value == pytest.approx((1 + extreme) / (loop.m + 1))
        below = sum(u <= loop.ar(k) / math.sqrt(2) for u in loop.residuals)
        assert raw(thin, "sq", window, key).details["p_lower"] == pytest.approx(below / loop.m)


def test_ranks_are_of_returns_on_one_scale(thin):
    """Corrado's ranks by counting, of e/√d in both windows."""
    deviation: dict[int, list[float]] = {k: [] for k in (*EST, *WIN)}
    for loop in LOOPS:
        known = [k for k in EST if k in loop.trades]
        values = dict(zip(known, loop.residuals.tolist(), strict=True))
        values |= {k: loop.ar(k) / math.sqrt(loop.trades[k][0]) for k in WIN if k in loop.trades}
        for k, v in values.items():
            deviation[k].append(sum(w < v for w in values.values()) + 1 - (len(values) + 1) / 2)
    means = {k: mean(v) for k, v in deviation.items() if v}
    scale = math.sqrt(mean([v * v for v in means.values()]))
    expected = sum(means[k] for k in (-1, 0, 1)) / (math.sqrt(3) * scale)
    assert thin.test("corrado_rank_z", (-1, 1)).statistic == pytest.approx(expected, rel=1e-9)


def test_relabelled_trades_keep_their_spans(thin):
    """Sums of √d u over all pairs of a pool, for a window of two trades over three sessions: the share is near the exact one."""
    i, window = next(
        (i, (k - 2, k))
        for i, loop in enumerate(LOOPS)
        for k in WIN
        if k - 2 in WIN and loop.car((k - 2, k)) and sum(j in loop.trades for j in range(k - 2, k + 1)) == 2
    )
    loop, key = LOOPS[i], thin.events[i]
    days = [k for k in range(window[0], window[1] + 1) if k in loop.trades]
    root = [math.sqrt(loop.trades[k][0]) for k in days]
    assert sorted(root) == [1.0, math.sqrt(2)]
    pool = [*loop.residuals.tolist(), *(loop.ar(k) / r for k, r in zip(days, root, strict=True))]
    sums = [abs(root[0] * a + root[1] * b) for x, a in enumerate(pool) for y, b in enumerate(pool) if x != y]
    exact = mean([total >= abs(loop.car(window)[0]) * (1 - 1e-12) for total in sums])
    draws = 20_000
    got = thin.test("permutation", window, event=key, variant="paper", draws=draws).p_value
    assert abs(got - exact) < 4 * math.sqrt(exact * (1 - exact) / draws) + 1 / draws


def test_without_missing_days_it_is_the_market_model_on_log_returns():
    plain, trades = run(es.MarketModel("MKT"), FULL), run(es.TradeToTrade("MKT"), FULL)
    np.testing.assert_allclose(trades.coefficients, plain.coefficients, rtol=1e-12)
    np.testing.assert_allclose(trades.sar, plain.sar, rtol=1e-12)
    np.testing.assert_allclose(trades.car(-3, 3), plain.car(-3, 3), rtol=1e-12)
    names = [n for n, row in plain.tests((0, 1), names="all").iterrows() if row["applicable"]]
    assert len(names) > 8
    for name in names:
        assert trades.test(name, (0, 1)).statistic == pytest.approx(plain.test(name, (0, 1)).statistic, rel=1e-9), name


def test_only_log_returns_add_up():
    with pytest.raises(es.errors.InvalidInput, match="use returns='log'"):
        run(es.TradeToTrade("MKT"), FULL, returns="simple")
    with pytest.raises(es.errors.InvalidInput, match="volume does not add up"):
        run(es.TradeToTrade("MKT"), FULL, measure="volume")


def as_prices(table: pd.DataFrame) -> pd.DataFrame:
    """Prices at 100 on the session before the first; none where there is no return."""
    before = exchange_sessions("XNYS", "2023-12-29", "2023-12-29")
    levels = 100.0 * np.exp(table.fillna(0.0).cumsum().where(table.notna()))
    return pd.concat([pd.DataFrame(100.0, index=before, columns=table.columns), levels])


def test_prices_are_bridged_from_the_last_trade(thin):
    result = run(es.TradeToTrade("MKT"), es.Prices.from_frame(as_prices(THIN)))
    np.testing.assert_array_equal(result.abnormal.span, thin.abnormal.span)
    np.testing.assert_allclose(result.fit.coefficients, thin.fit.coefficients, rtol=1e-7, atol=1e-11)
    np.testing.assert_allclose(result.abnormal.ar, thin.abnormal.ar, rtol=1e-7, atol=1e-11)


def test_the_span_of_a_second_price_is_known_from_prices():
    """A firm that first traded on day -91, then on day -88: from prices the first return covers three sessions."""
    prices = as_prices(FULL)
    place = prices.index.get_loc(EVENT_DAYS[0])
    prices.iloc[: place - 91, 1] = np.nan
    prices.iloc[place - 90 : place - 88, 1] = np.nan
    result = run(es.TradeToTrade("MKT"), es.Prices.from_frame(prices))
    assert result.panel.est_span[0, :4].tolist() == [0, 0, 3, 1]
    np.testing.assert_allclose(
        result.panel.est_columns[0, 2, 0], FULL["MKT"].iloc[place - 91 : place - 88].sum(), rtol=1e-9
    )


def test_a_hole_in_the_market_costs_only_returns_that_end_there():
    prices = as_prices(FULL)
    place = prices.index.get_loc(EVENT_DAYS[0])
    prices.iloc[place - 50, 0] = np.nan
    prices.iloc[place - 50, 1] = np.nan
    result = run(es.TradeToTrade("MKT"), es.Prices.from_frame(prices))
    usable = result.panel.est_mask[:, 40:42]
    assert usable[0].tolist() == [False, True], "A did not trade either: its next return reaches over the hole"
    assert usable[1].tolist() == [False, False], "B's returns begin or end where the market has no price"
    np.testing.assert_allclose(
        result.panel.est_columns[0, 41, 0], FULL["MKT"].iloc[place - 51 : place - 49].sum(), rtol=1e-9
    )


def test_returns_bridge_gaps_only_when_asked():
    closes = pd.DataFrame({"A": [10.0, np.nan, np.nan, 12.1, 12.1]}, index=DAYS[:5])
    prices = es.Prices.from_frame(closes)
    assert prices.returns()["A"].notna().tolist() == [False, False, False, False, True]
    bridged = prices.returns("log", bridge_gaps=True)["A"]
    assert bridged.notna().tolist() == [False, False, False, True, True]
    assert bridged.iloc[3] == pytest.approx(math.log(1.21))


def test_one_event_is_enough(thin):
    study = es.EventStudy(model=es.TradeToTrade("MKT"), estimation=(-90, -11), window=(-3, 3), returns="log")
    one = study.run(THIN, EVENTS[2])
    np.testing.assert_allclose(one.ar.to_numpy()[0], thin.ar.to_numpy()[2], rtol=1e-12)
    assert repr(one)


# -- statsmodels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [es.ScholesWilliams("MKT"), es.TradeToTrade("MKT")])
def test_there_is_no_least_squares_regression_to_show(model):
    result = run(model, FULL)
    with pytest.raises(es.errors.InvalidInput, match="not estimated by ordinary least squares"):
        result.regression(result.events[0])


def test_the_regression_of_excess_returns_is_of_excess_returns():
    table = FULL.assign(rf=np.linspace(0.0, 0.02, len(FULL)))
    result = run(es.FactorModel(["MKT"], risk_free="rf"), table, returns="simple")
    shown = result.regression(result.events[1])
    np.testing.assert_allclose(shown.params, result.fit.coefficients[1], rtol=1e-9)
    assert math.sqrt(shown.scale) == pytest.approx(result.abnormal.sigma[1], rel=1e-9)
    assert stats.t.sf(abs(shown.tvalues["MKT"]), shown.df_resid) < 0.05
