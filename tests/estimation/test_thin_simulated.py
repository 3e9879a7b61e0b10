"""What thin trading does to beta and to a test's size, and that the models for it mend both.

Prices that lag: a session has ten steps, the firm's last trade falls on one of them at random, the market is quoted at the close.
A return then shares on average 0.55 of its session with the market's and 0.45 of the session before, so least squares finds
0.55 of beta (Scholes and Williams 1977). Prices with gaps: the firm trades on 70 % of days, and its return after a gap covers it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtr

import eventstudy as es
from eventstudy.estimation.abnormal import AbnormalReturns, abnormal_returns
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import AlignmentRules, EventPanel, align
from eventstudy.windows import Window

pytestmark = pytest.mark.simulation

# A band of four Monte Carlo standard errors: a right model fails once in 16,000 comparisons, and the seed is fixed.
STANDARD_ERRORS = 4.0
EST, WIN = Window(-200, -11), Window(-3, 3)
SESSIONS = 215

# -- prices that lag behind the market ---------------------------------------------------------------------------------

STEPS, FIRMS, BETA = 10, 1500, 1.2
#: Mean share of a session that a return has in common with the market's of the same session.
SAME = 0.55


@lru_cache
def lagged() -> tuple[np.ndarray, np.ndarray]:
    """Returns of firms and of a market of their own each, shape (FIRMS, SESSIONS)."""
    rng = np.random.default_rng(1977)
    shape = (FIRMS, SESSIONS + 1, STEPS)
    market = rng.normal(0.0004 / STEPS, 0.011 / np.sqrt(STEPS), shape)
    own = rng.normal(0.0, 0.011 / np.sqrt(STEPS), shape)
    level = np.cumsum((BETA * market + own).reshape(FIRMS, -1), axis=1)
    closes = np.arange(SESSIONS + 1) * STEPS + STEPS - 1
    last_trade = closes - rng.integers(0, STEPS, (FIRMS, SESSIONS + 1))
    firm = np.diff(np.take_along_axis(level, last_trade, axis=1), axis=1)
    return firm, market.sum(axis=2)[:, 1:]


def panel_of(model: NormalReturnModel) -> EventPanel:
    """One event a firm, each with its own market: columns at the model's offsets."""
    firm, market = lagged()
    zero = SESSIONS - 6
    est, win = zero + EST.days, zero + WIN.days
    panel = EventPanel(
        events=(es.Event("FIRM", "2025-01-27"),) * FIRMS,
        keys=tuple(map(str, range(FIRMS))),
        position=np.full(FIRMS, zero, dtype=np.int64),
        calendar=pd.bdate_range("2024-04-01", periods=SESSIONS),
        estimation=EST,
        window=WIN,
        est_returns=firm[:, est],
        event_returns=firm[:, win],
        columns=model.columns,
        est_columns=np.stack([market[:, est + k] for k in model.offsets], axis=2),
        event_columns=np.stack([market[:, win + k] for k in model.offsets], axis=2),
    )
    return model.prepare(panel)


def off(values: np.ndarray, truth: float) -> float:
    """Distance of a mean from the truth in its Monte Carlo standard errors."""
    return float((values.mean() - truth) / (values.std(ddof=1) / np.sqrt(len(values))))


def betas(model: NormalReturnModel) -> np.ndarray:
    fit = model.fit(panel_of(model))
    usable = np.array([not reason for reason in fit.unusable])
    assert usable.mean() > 0.99
    found = model.summed_beta(fit) if isinstance(model, es.Dimson) else fit.coefficients[:, 1]
    return found[usable]


def test_least_squares_underestimates_beta_by_what_theory_says():
    found = betas(es.MarketModel("MKT"))
    assert abs(off(found, SAME * BETA)) < STANDARD_ERRORS
    assert off(found, BETA) < -50


@pytest.mark.parametrize("model", [es.ScholesWilliams("MKT"), es.Dimson("MKT"), es.Dimson("MKT", leads=0, lags=1)])
def test_neighbouring_sessions_undo_the_bias(model):
    assert abs(off(betas(model), BETA)) < STANDARD_ERRORS


def test_a_lead_alone_does_not():
    assert off(betas(es.Dimson("MKT", leads=1, lags=0)), BETA) < -50


@pytest.mark.parametrize("model", [es.MarketModel("MKT"), es.ScholesWilliams("MKT"), es.Dimson("MKT")])
def test_one_day_rejects_at_its_level(model):
    """The forecast error of each model holds on a day like the others, also where beta is biased."""
    panel = panel_of(model)
    assert abs(excess(rejections(abnormal_returns(panel, model.fit(panel)), (0, 0)))) < STANDARD_ERRORS


def rejections(abnormal: AbnormalReturns, window: tuple[int, int]) -> np.ndarray:
    """Whether t_pe rejects at 5 %, of the events whose window has a CAR."""
    t = abnormal.sums(window).scar
    p = 2.0 * stdtr(abnormal.df.astype(float), -np.abs(t))
    return p[np.isfinite(p)] < 0.05


def excess(rejected: np.ndarray) -> float:
    """Distance of the share rejected from 5 % in Monte Carlo standard errors."""
    return float((rejected.mean() - 0.05) / np.sqrt(0.05 * 0.95 / len(rejected)))


# -- prices with gaps ----------------------------------------------------------------------------------------------------

THIN_FIRMS, TRADED = 4000, 0.7


@lru_cache
def gaps(model: NormalReturnModel, bridge: bool) -> AbnormalReturns:
    """Events on one day for all firms, independent but for the market; returns after a gap cover it."""
    rng = np.random.default_rng(1993)
    market = rng.normal(0.0004, 0.011, SESSIONS)
    s = np.exp(rng.normal(np.log(0.02), 0.35, THIN_FIRMS))
    true = 0.0005 + rng.normal(1.0, 0.3, THIN_FIRMS) * market[:, None] + s * rng.standard_normal((SESSIONS, THIN_FIRMS))
    trades = rng.random(true.shape) < TRADED
    trades[0] = True
    level = pd.DataFrame(np.where(trades, np.cumsum(true, axis=0), np.nan))
    names = [f"F{i}" for i in range(THIN_FIRMS)]
    days = pd.bdate_range("2024-04-01", periods=SESSIONS)
    returns = (level - level.ffill().shift(1)).set_axis(days).set_axis(names, axis=1).assign(MKT=market)
    events = [es.Event(name, f"{days[SESSIONS - 6]:%Y-%m-%d}") for name in names]
    time = AlignmentRules(EST, WIN, None, "next", 30)
    panel = align(returns, events, model, time, trades=returns.notna() if bridge else None).panel
    assert panel.n > 0.99 * THIN_FIRMS
    return abnormal_returns(panel, model.fit(panel))


@pytest.mark.parametrize("window", [(0, 0), (0, 1), (-3, 3)])
def test_trade_to_trade_rejects_at_its_level(window):
    rejected = rejections(gaps(es.TradeToTrade("MKT"), True), window)
    assert 500 < len(rejected) < THIN_FIRMS, "some windows have a sum, others none"
    assert abs(excess(rejected)) < STANDARD_ERRORS


@pytest.mark.parametrize("least", [1, 2, 3])
def test_returns_of_one_and_of_several_sessions_reject_alike(least):
    ab = gaps(es.TradeToTrade("MKT"), True)
    assert ab.span is not None
    day = ab.span[:, 3]
    chosen = day == 1 if least == 1 else day >= least
    p = 2.0 * stdtr(ab.df[chosen].astype(float), -np.abs(ab.sar[chosen, 3]))
    assert abs(excess(p < 0.05)) < STANDARD_ERRORS


def test_a_market_model_that_ignores_gaps_does_not():
    """It takes a return of several sessions for one of a day: far too many rejections there, too few on other days."""
    plain, trades = gaps(es.MarketModel("MKT"), False), gaps(es.TradeToTrade("MKT"), True)
    assert plain.n == trades.n
    assert trades.span is not None
    long = trades.span[:, 3] >= 2
    p = 2.0 * stdtr(plain.df.astype(float), -np.abs(plain.sar[:, 3]))
    assert excess(p[long] < 0.05) > STANDARD_ERRORS
    assert excess(p[trades.span[:, 3] == 1] < 0.05) < -STANDARD_ERRORS
