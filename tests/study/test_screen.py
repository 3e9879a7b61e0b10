"""No column that the refusals refuse passes the screen before them, and hardly any other is stopped by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataUnfit
from eventstudy.study.refusals import refuse_filled, refuse_no_daily
from eventstudy.study.screen import suspicious

DAYS = pd.date_range("2015-01-05", periods=900, freq="D")
Spoil = Callable[[pd.Series, np.random.Generator], pd.Series]


def walk(rng: np.random.Generator, days: pd.DatetimeIndex) -> pd.Series:
    """Prices of days, with tails and calm stretches."""
    spread = 0.012 * np.exp(0.5 * np.sin(np.arange(len(days)) / 60.0))
    return pd.Series(50.0 * np.exp(np.cumsum(spread * rng.standard_t(4, len(days)))), index=days)


def filled_weekends(prices: pd.Series, rng: np.random.Generator) -> pd.Series:
    return prices.where(prices.index.day_of_week < 5).ffill().pct_change(fill_method=None)


def line_over_weekends(prices: pd.Series, rng: np.random.Generator) -> pd.Series:
    return prices.where(prices.index.day_of_week < 5).interpolate().pct_change(fill_method=None)


def curve_over_weekends(prices: pd.Series, rng: np.random.Generator) -> pd.Series:
    return np.exp(np.log(prices.where(prices.index.day_of_week < 5)).interpolate()).pct_change(fill_method=None)


def returns_over_weekends(prices: pd.Series, rng: np.random.Generator) -> pd.Series:
    sessions = prices[prices.index.day_of_week < 5].pct_change(fill_method=None)
    return sessions.reindex(prices.index).interpolate()


def weeks_over_days(prices: pd.Series, rng: np.random.Generator) -> pd.Series:
    own = prices[prices.index.day_of_week < 5]
    return own.where(own.index.day_of_week == 2).interpolate().pct_change(fill_method=None)


def a_stretch_of_months(prices: pd.Series, rng: np.random.Generator) -> pd.Series:
    own = prices[prices.index.day_of_week < 5].copy()
    first = int(rng.integers(0, len(own) - 130))
    place = np.arange(len(own))
    own[(place > first) & (place < first + 120) & (place % 21 != 0)] = np.nan
    return own.interpolate().pct_change(fill_method=None)


def cumulated(prices: pd.Series, rng: np.random.Generator) -> pd.Series:
    return prices / prices.iloc[0] - 1.0


def averages(prices: pd.Series, rng: np.random.Generator) -> pd.Series:
    return prices.pct_change(fill_method=None).rolling(5).mean()


SPOILT: list[Spoil] = [
    filled_weekends,
    line_over_weekends,
    curve_over_weekends,
    returns_over_weekends,
    weeks_over_days,
    a_stretch_of_months,
    cumulated,
    averages,
]


def refused(table: pd.DataFrame) -> bool:
    """Whether the refusals refuse a table without the screen."""
    from eventstudy.study.interpolated import refuse_cumulated

    try:
        refuse_cumulated(table, "simple", "data")
        refuse_filled(table)
    except DataUnfit:
        return True
    return False


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("holes", [0.0, 0.02])
def test_what_is_refused_is_looked_at(spoil: Spoil, holes: float) -> None:
    rng = np.random.default_rng(len(spoil.__name__))
    found = 0
    for _ in range(25):
        own = spoil(walk(rng, DAYS), rng).dropna()
        table = own.mask(rng.random(len(own)) < holes).to_frame("A")
        if refused(table):
            found += 1
            assert suspicious(table).all()
            with pytest.raises(DataUnfit):
                refuse_no_daily(table, "simple", ["A"])
    assert found >= (20 if not holes else 5)


def test_hardly_any_ordinary_share_is_looked_at() -> None:
    members = es.load_universe().returns()
    found = suspicious(members)
    assert found.shape == (members.shape[1],)
    assert found.mean() < 0.1
    assert not refused(members)


def test_short_tables_are_looked_at_whole() -> None:
    assert suspicious(pd.DataFrame({"A": [0.01, -0.02]}, index=DAYS[:2])).all()
