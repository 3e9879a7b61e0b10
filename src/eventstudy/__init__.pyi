from . import claims, errors, figures, inference, measures, sources, vintages, wording
from .calendars import exchange_sessions
from .estimation import (
    BuyAndHold,
    Dimson,
    FactorModel,
    GarchMarketModel,
    HacMarketModel,
    MarketAdjusted,
    MarketModel,
    MeanAdjusted,
    PeerPortfolio,
    RobustMarketModel,
    ScholesWilliams,
    TradeToTrade,
)
from .events import Event
from .inference import TESTS
from .prices.checks.run import check_prices
from .prices.snapshot import load_factors, load_universe, share_count
from .prices.table import Prices
from .sources import load_prices
from .study.power import detectable_effect, power, simulated_power
from .study.results import EventStudyResult
from .study.run import EventStudy
from .studyfile.spec import judge_claims, load_study
from .windows import Window

__all__ = [
    "TESTS",
    "BuyAndHold",
    "Dimson",
    "Event",
    "EventStudy",
    "EventStudyResult",
    "FactorModel",
    "GarchMarketModel",
    "HacMarketModel",
    "MarketAdjusted",
    "MarketModel",
    "MeanAdjusted",
    "PeerPortfolio",
    "Prices",
    "RobustMarketModel",
    "ScholesWilliams",
    "TradeToTrade",
    "Window",
    "check_prices",
    "claims",
    "detectable_effect",
    "errors",
    "exchange_sessions",
    "figures",
    "inference",
    "judge_claims",
    "load_factors",
    "load_prices",
    "load_study",
    "load_universe",
    "measures",
    "power",
    "share_count",
    "simulated_power",
    "sources",
    "vintages",
    "wording",
]

__version__: str
