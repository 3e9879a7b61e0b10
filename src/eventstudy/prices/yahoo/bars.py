"""What the figures of an answer must fulfil: prices, steps from day to day, adjustment for dividends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.prices.yahoo.kinds import Refused
from eventstudy.prices.yahoo.sessions import list_days

if TYPE_CHECKING:
    from collections.abc import Callable

#: No share, fund or index stands higher.
HIGHEST_PRICE = 1e9
#: Log steps that a missed split leaves and real moves hardly reach: threefold and more, and twofold ± 6 %.
LARGEST_STEP = float(np.log(3)) - 0.06
TWOFOLD, TWOFOLD_TOLERANCE = float(np.log(2)), 0.06
#: A split that is smaller than this looks like an ordinary day.
SMALLEST_SPLIT = float(np.log(1.15))
#: Relative step of adjusted to traded closes that is no rounding.
ADJUSTMENT_STEP = 0.005


def check_numbers(bars: pd.DataFrame) -> None:
    """Refuse prices that are none.

    Parameters
    ----------
    bars : DataFrame
        Dates × ``close``, ``adj_close``, ``volume``.

    Raises
    ------
    Refused
        If a close is zero, negative, infinite or absurdly high, or a volume negative.
    """
    for name in ("close", "adj_close"):
        values = bars[name]
        wrong = bars.index[(values <= 0) | (values > HIGHEST_PRICE)]
        if len(wrong):
            raise Refused("bad_prices", f"the {name} is {values[wrong[0]]:g} on {list_days(wrong)}")
    wrong = bars.index[bars["volume"] < 0]
    if len(wrong):
        raise Refused("bad_prices", f"the volume is negative on {list_days(wrong)}")


def check_daily(bars: pd.DataFrame) -> None:
    """Refuse bars that are not daily.

    Parameters
    ----------
    bars : DataFrame
        Indexed by day.

    Raises
    ------
    Refused
        If the usual step is longer than a weekend.
    """
    steps = np.diff(bars.index.to_numpy()) / np.timedelta64(1, "D")
    if len(steps) >= 4 and float(np.median(steps)) > 4:
        raise Refused("schema_changed", "the answer holds weekly or monthly bars instead of daily ones")


def check_steps(bars: pd.DataFrame, doubt: Callable[[str, str], None]) -> None:
    """Doubt closes whose scale changes from one day to the next.

    Parameters
    ----------
    bars : DataFrame
        Dates × ``close``, ``adj_close``, ``split`` (new shares for an old one, 0 on other days).
    doubt : callable
        Takes kind and cause; raises, or notes what the user has accepted.
    """
    for name in ("close", "adj_close"):
        values = bars[name].dropna()
        steps = np.log(values).diff()
        for day, step in steps[steps.abs() > SMALLEST_SPLIT / 2].items():
            ratio = bars["split"].get(day, 0.0)
            if ratio > 0 and abs(np.log(ratio)) > SMALLEST_SPLIT and abs(step + np.log(ratio)) < abs(step):
                doubt("jump", f"the split of {day:%Y-%m-%d} ({ratio:g} for 1) is listed but the {name} still has it")
                return
            if abs(step) > LARGEST_STEP or abs(abs(step) - TWOFOLD) < TWOFOLD_TOLERANCE:
                before = values.shift().loc[day]
                doubt(
                    "jump",
                    f"the {name} goes from {before:g} to {values[day]:g} on {day:%Y-%m-%d}, as after a missed split",
                )
                return


def check_adjustment(bars: pd.DataFrame, doubt: Callable[[str, str], None]) -> None:
    """Doubt adjusted closes that do not step where a dividend was paid, and only there.

    Parameters
    ----------
    bars : DataFrame
        Dates × ``close``, ``adj_close``, ``paid`` (dividends and capital gains a share).
    doubt : callable
        Takes kind and cause; raises, or notes what the user has accepted.
    """
    known = bars[bars[["close", "adj_close"]].notna().all(axis=1)]
    ratio = (known["adj_close"] / known["close"]).to_numpy()
    close, paid = known["close"].to_numpy(), known["paid"].to_numpy()
    if len(known) < 2:
        return
    step = 1 - ratio[:-1] / ratio[1:]
    expected = paid[1:] / close[:-1]
    near = (paid[:-1] > 0) | (paid[1:] > 0)  # some funds pay a day apart from their listed day
    unpaid = np.flatnonzero((np.abs(step) > ADJUSTMENT_STEP) & ~near)
    missed = np.flatnonzero((expected > 5e-5) & (step < 0.1 * expected))
    if missed.size:
        day = known.index[missed[0] + 1]
        doubt("adjustment", f"the adjusted closes show no step at the dividend of {day:%Y-%m-%d}")
    elif unpaid.size:
        day = known.index[unpaid[0] + 1]
        doubt("adjustment", f"the adjusted closes step by {step[unpaid[0]]:+.2%} on {day:%Y-%m-%d} without a dividend")
