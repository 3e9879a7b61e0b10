"""A made-up market of three firms that tests spoil in one place, and whether the answer stays."""

from __future__ import annotations

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.calendars import exchange_sessions

DAYS = exchange_sessions("XNYS", "2024-01-02", "2025-03-31")
EVENT_DAY, NEXT_DAY = pd.Timestamp("2025-01-27"), pd.Timestamp("2025-01-28")
SPEC = {"estimation": (-120, -11), "window": (-2, 2)}
MODEL = es.MarketModel("MKT")


def closes() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    market = rng.normal(0.0003, 0.01, len(DAYS))
    columns = {"MKT": market}
    for i, ticker in enumerate(("A", "B", "C")):
        columns[ticker] = (0.8 + 0.2 * i) * market + rng.normal(0.0, 0.02, len(DAYS))
    return 100.0 * (1.0 + pd.DataFrame(columns, index=DAYS)).cumprod()


def returns() -> pd.DataFrame:
    return closes().pct_change(fill_method=None)


def on_prices(table: pd.DataFrame, events: object = None, **options: object) -> es.EventStudyResult:
    currency = options.pop("currency", None)
    prices = es.Prices.from_frame(table, currency=currency)
    return es.EventStudy(**{"model": MODEL, **SPEC, **options}).run(prices, events or es.Event("A", EVENT_DAY))


def on_returns(table: pd.DataFrame, events: object = None, **options: object) -> es.EventStudyResult:
    return es.EventStudy(**{"model": MODEL, **SPEC, **options}).run(table, events or es.Event("A", EVENT_DAY))


def same(result: es.EventStudyResult, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(result.ar, right, rtol=1e-12)
