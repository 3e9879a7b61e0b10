"""Models of normal returns: what a price would have done without the news."""

from eventstudy.models.benchmark import MarketAdjusted, MeanAdjusted
from eventstudy.models.factors import FactorModel
from eventstudy.models.garch import GarchMarketModel
from eventstudy.models.hac import HacMarketModel
from eventstudy.models.peers import BuyAndHold, PeerPortfolio
from eventstudy.models.protocol import Fit, NormalReturnModel
from eventstudy.models.regression import MarketModel
from eventstudy.models.robust import RobustMarketModel
from eventstudy.models.thin_trading import Dimson, ScholesWilliams, TradeToTrade

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
