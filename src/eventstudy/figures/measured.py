"""What figures show of a window: abnormal returns with intervals, raw returns, and what they allow to say; all rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.figures import words as say
from eventstudy.figures.columns import ABNORMAL_RETURN, EVENT, EXCLUDES_ZERO, FRACTION, HIGH, LOW, Column
from eventstudy.figures.recipe import Facts
from eventstudy.inference.single import car_interval
from eventstudy.windows import Window
from eventstudy.wording import round_significant

#: The columns of `Measured.frame`.
COLUMNS: Mapping[str, Column] = {
    "event": EVENT,
    "abnormal_return": ABNORMAL_RETURN,
    "low": LOW,
    "high": HIGH,
    "raw_return": Column("Raw return", "return of the share", FRACTION),
    "excludes_zero": EXCLUDES_ZERO,
}


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """Abnormal returns of one window with their intervals and verdicts; arrays of shape (N,)."""

    keys: list[str]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    raw: np.ndarray
    states: list[say.State]

    def take(self, order: np.ndarray) -> Measured:
        """Return the events in another order, given by their places."""
        return Measured(
            [self.keys[i] for i in order],
            self.value[order],
            self.low[order],
            self.high[order],
            self.raw[order],
            [self.states[i] for i in order],
        )

    def frame(self) -> pd.DataFrame:
        """Return the numbers of the events as a table; see `COLUMNS`."""
        return pd.DataFrame(
            {
                "event": self.keys,
                "abnormal_return": self.value,
                "low": self.low,
                "high": self.high,
                "raw_return": self.raw,
                "excludes_zero": [s in say.CLEAR for s in self.states],
            }
        )


def measure(abnormal: AbnormalReturns, window: Window, level: float) -> Measured:
    """Return what the figures show of a window."""
    low, high = (round_significant(abnormal.as_fractions(ends)) for ends in car_interval(abnormal, window, level))
    value = round_significant(abnormal.as_fractions(abnormal.sums(window).car))
    states = [say.verdict(*ends) for ends in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)]
    return Measured(
        [say.tidy(k) for k in abnormal.keys], value, low, high, round_significant(raw_returns(abnormal, window)), states
    )


def raw_returns(abnormal: AbnormalReturns, window: Window) -> np.ndarray:
    """Return the raw buy-and-hold returns of a window as fractions, shape (N,)."""
    return abnormal.as_fractions(abnormal.raw_returns(window))


def facts_of(kind: str, shown: Measured, abnormal: AbnormalReturns, level: float, window: Window) -> Facts:
    """Return what a figure of one window knows of itself."""
    return Facts(
        kind,
        {key: (state,) for key, state in zip(shown.keys, shown.states, strict=True)},
        dict(zip(shown.keys, shown.raw.tolist(), strict=True)),
        {**common_parameters(abnormal, level), "window": [window.start, window.end]},
    )


def common_parameters(abnormal: AbnormalReturns, level: float) -> dict[str, object]:
    """Return the parameters of every figure of abnormal returns."""
    spans = {"estimation": abnormal.estimation, "event_window": abnormal.window}
    return {"level": float(level), "events": abnormal.n, **{k: [w.start, w.end] for k, w in spans.items()}}
