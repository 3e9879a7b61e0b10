"""Event time, models of normal returns, abnormal returns, and tests of residuals."""

from __future__ import annotations

from eventstudy.estimation.garch import GarchMarketModel
from eventstudy.estimation.market import FactorModel, MarketAdjusted, MeanAdjusted
from eventstudy.estimation.model import Fit, MarketModel, NormalReturnModel
from eventstudy.estimation.peers import BuyAndHold, PeerPortfolio
from eventstudy.estimation.robust import HacMarketModel, RobustMarketModel
from eventstudy.estimation.thin_trading import Dimson, ScholesWilliams, TradeToTrade

__all__ = [
    "BuyAndHold",
    "Dimson",
    "FactorModel",
    "Fit",
    "GarchMarketModel",
    "HacMarketModel",
    "MarketAdjusted",
    "MarketModel",
    "MeanAdjusted",
    "NormalReturnModel",
    "PeerPortfolio",
    "RobustMarketModel",
    "ScholesWilliams",
    "TradeToTrade",
]
