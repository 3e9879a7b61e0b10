"""Stored downloads of prices: kept, picked, compared, joined, and set beside a second vendor's."""

from __future__ import annotations

from eventstudy.vintages.compare import PriceDifferences, compare_prices
from eventstudy.vintages.join import join_prices
from eventstudy.vintages.store import Vintage, list_vintages, load_vintage, store_vintage

__all__ = [
    "PriceDifferences",
    "Vintage",
    "compare_prices",
    "join_prices",
    "list_vintages",
    "load_vintage",
    "store_vintage",
]


def __dir__() -> list[str]:
    return sorted(__all__)
