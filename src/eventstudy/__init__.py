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
    from eventstudy.estimation.models import (
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
    from eventstudy.events import Event
    from eventstudy.inference import TESTS, HypothesisTest
    from eventstudy.prices.checks.finding import Finding
    from eventstudy.prices.checks.run import check_prices
    from eventstudy.prices.measures import log_turnover, log_volume, range_volatility, squared_returns
    from eventstudy.prices.snapshot import ShareCount, load_factors, load_universe, share_count, universe_members
    from eventstudy.prices.table import Prices, Provenance
    from eventstudy.sources import load_prices, read_crsp_shares, read_french_factors, read_prices
    from eventstudy.sources.source import PriceSource
    from eventstudy.study.power import SimulatedPower, detectable_effect, power, simulated_power
    from eventstudy.study.results import EventStudyResult
    from eventstudy.study.run import EventStudy
    from eventstudy.studyfile.spec import StudySpec, judge_claims, load_study
    from eventstudy.vintages.compare import PriceDifferences, compare_prices
    from eventstudy.vintages.join import join_prices
    from eventstudy.vintages.store import Vintage, list_vintages, load_vintage, store_vintage
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
    "claims": (
        "Claim",
        "ClaimsLedger",
    ),
    "sources": (
        "load_prices",
        "read_crsp_shares",
        "read_french_factors",
        "read_prices",
    ),
    "prices.checks.run": ("check_prices",),
    "vintages.compare": (
        "PriceDifferences",
        "compare_prices",
    ),
    "vintages.join": ("join_prices",),
    "prices.snapshot": (
        "ShareCount",
        "load_factors",
        "load_universe",
        "share_count",
        "universe_members",
    ),
    "prices.checks.finding": ("Finding",),
    "prices.measures": (
        "log_turnover",
        "log_volume",
        "range_volatility",
        "squared_returns",
    ),
    "sources.source": ("PriceSource",),
    "prices.table": (
        "Prices",
        "Provenance",
    ),
    "vintages.store": (
        "Vintage",
        "list_vintages",
        "load_vintage",
        "store_vintage",
    ),
    "estimation.models": (
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
    "inference": (
        "HypothesisTest",
        "TESTS",
    ),
    "study.power": (
        "SimulatedPower",
        "detectable_effect",
        "power",
        "simulated_power",
    ),
    "study.run": ("EventStudy",),
    "study.results": ("EventStudyResult",),
    "studyfile.spec": (
        "StudySpec",
        "judge_claims",
        "load_study",
    ),
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
