"""The splits between a day of the snapshot and its last day, as its passport lists them."""

from __future__ import annotations

import math

import pandas as pd

from eventstudy.prices.embedded import file_facts
from eventstudy.prices.snapshot import PRICES_FILE


def later_splits(ticker: str, day: pd.Timestamp) -> float:
    """Return by what the snapshot's close of a day was divided: new shares for an old one in all splits after it.

    Parameters
    ----------
    ticker : str
        A ticker of the snapshot.
    day : Timestamp
        A session.

    Returns
    -------
    float
        1.0 if there was no split between the day and the snapshot's last day.

    Raises
    ------
    NotAsRecorded
        If the passport of the embedded data is unreadable.

    Examples
    --------
    >>> later_splits("NVDA", pd.Timestamp("2024-06-07")), later_splits("NVDA", pd.Timestamp("2024-06-10"))
    (10.0, 1.0)
    """
    splits = file_facts(PRICES_FILE).get("splits", ())
    later = (float(s["ratio"]) for s in splits if s["ticker"] == ticker and pd.Timestamp(s["first"]) > day)
    return math.prod(later, start=1.0)
