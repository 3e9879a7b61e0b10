"""Models of normal returns: what a price would have done without the news."""

from eventstudy.models.benchmark import MarketAdjusted, MeanAdjusted
from eventstudy.models.factors import FactorModel
from eventstudy.models.peers import BuyAndHold, PeerPortfolio
from eventstudy.models.protocol import Fit, NormalReturnModel
from eventstudy.models.regression import MarketModel

__all__ = [
    "BuyAndHold",
    "FactorModel",
    "Fit",
    "MarketAdjusted",
    "MarketModel",
    "MeanAdjusted",
    "NormalReturnModel",
    "PeerPortfolio",
]
