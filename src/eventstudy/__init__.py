"""eventstudy: how much did this news move the price, and how sure are we?

Names are imported when they are first used, so that ``import eventstudy`` and the command
line's help stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventstudy.calendars import exchange_sessions
    from eventstudy.claims import Claim, ClaimsLedger
    from eventstudy.errors import (
        DataMissing,
        DataUnfit,
        EventStudyError,
        InvalidInput,
        NotAsRecorded,
        SourceFailed,
        StudyFileError,
    )
    from eventstudy.events import Event
    from eventstudy.inference import TESTS, HypothesisTest
    from eventstudy.models import (
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
    from eventstudy.power_formulas import detectable_effect, power
    from eventstudy.power_simulation import SimulatedPower, simulated_power
    from eventstudy.prices import load_prices, read_crsp_shares, read_french_factors, read_prices
    from eventstudy.prices.factors import load_factors
    from eventstudy.prices.fitness.checks import check_prices
    from eventstudy.prices.fitness.finding import Finding
    from eventstudy.prices.measures import log_turnover, log_volume, range_volatility, squared_returns
    from eventstudy.prices.shares import ShareCount, share_count
    from eventstudy.prices.snapshot import load_universe, universe_members
    from eventstudy.prices.sources import PriceSource
    from eventstudy.prices.table import Prices, Provenance
    from eventstudy.prices.vintages.comparing import PriceDifferences, compare_prices
    from eventstudy.prices.vintages.joining import join_prices
    from eventstudy.prices.vintages.store import store_vintage
    from eventstudy.prices.vintages.stored import Vintage, list_vintages, load_vintage
    from eventstudy.results import EventStudyResult
    from eventstudy.spec import StudySpec, judge_claims, load_study
    from eventstudy.study import EventStudy
    from eventstudy.windows import Window

__version__ = "0.1.0"

_HOME = {
    "errors": (
        "DataMissing",
        "DataUnfit",
        "EventStudyError",
        "InvalidInput",
        "NotAsRecorded",
        "SourceFailed",
        "StudyFileError",
    ),
    "windows": ("Window",),
    "calendars": ("exchange_sessions",),
    "events": ("Event",),
    "claims": ("Claim", "ClaimsLedger"),
    "prices": ("load_prices", "read_crsp_shares", "read_french_factors", "read_prices"),
    "prices.fitness.checks": ("check_prices",),
    "prices.vintages.comparing": ("PriceDifferences", "compare_prices"),
    "prices.vintages.joining": ("join_prices",),
    "prices.factors": ("load_factors",),
    "prices.fitness.finding": ("Finding",),
    "prices.measures": ("log_turnover", "log_volume", "range_volatility", "squared_returns"),
    "prices.shares": ("ShareCount", "share_count"),
    "prices.snapshot": ("load_universe", "universe_members"),
    "prices.sources": ("PriceSource",),
    "prices.table": ("Prices", "Provenance"),
    "prices.vintages.store": ("store_vintage",),
    "prices.vintages.stored": ("Vintage", "list_vintages", "load_vintage"),
    "models": (
        "BuyAndHold",
        "Dimson",
        "FactorModel",
        "GarchMarketModel",
        "HacMarketModel",
        "MarketAdjusted",
        "MarketModel",
        "MeanAdjusted",
        "PeerPortfolio",
        "RobustMarketModel",
        "ScholesWilliams",
        "TradeToTrade",
    ),
    "inference": ("TESTS", "HypothesisTest"),
    "power_formulas": ("detectable_effect", "power"),
    "power_simulation": ("SimulatedPower", "simulated_power"),
    "study": ("EventStudy",),
    "results": ("EventStudyResult",),
    "spec": ("StudySpec", "judge_claims", "load_study"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "TESTS",
    "BuyAndHold",
    "Claim",
    "ClaimsLedger",
    "DataMissing",
    "DataUnfit",
    "Dimson",
    "Event",
    "EventStudy",
    "EventStudyError",
    "EventStudyResult",
    "FactorModel",
    "Finding",
    "GarchMarketModel",
    "HacMarketModel",
    "HypothesisTest",
    "InvalidInput",
    "MarketAdjusted",
    "MarketModel",
    "MeanAdjusted",
    "NotAsRecorded",
    "PeerPortfolio",
    "PriceDifferences",
    "PriceSource",
    "Prices",
    "Provenance",
    "RobustMarketModel",
    "ScholesWilliams",
    "ShareCount",
    "SimulatedPower",
    "SourceFailed",
    "StudyFileError",
    "StudySpec",
    "TradeToTrade",
    "Vintage",
    "Window",
    "check_prices",
    "compare_prices",
    "detectable_effect",
    "exchange_sessions",
    "join_prices",
    "judge_claims",
    "list_vintages",
    "load_factors",
    "load_prices",
    "load_study",
    "load_universe",
    "load_vintage",
    "log_turnover",
    "log_volume",
    "power",
    "range_volatility",
    "read_crsp_shares",
    "read_french_factors",
    "read_prices",
    "share_count",
    "simulated_power",
    "squared_returns",
    "store_vintage",
    "universe_members",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module 'eventstudy' has no attribute {name!r}")
    value = getattr(import_module(f"eventstudy.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
