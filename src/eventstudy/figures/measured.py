"""What figures show of a window: abnormal returns with intervals, raw returns, and what they allow to say; all rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.figures import words as say
from eventstudy.figures.columns import ABNORMAL_RETURN, EVENT, EXCLUDES_ZERO, FRACTION, HIGH, LOW, Column
from eventstudy.figures.recipe import Facts
from eventstudy.inference.single import car_interval
from eventstudy.statements import ABNORMAL, EXPECTED, POPULATION, RETURN, Numbers, State, verdict
from eventstudy.statements import HIGH as HIGH_END
from eventstudy.statements import LOW as LOW_END
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
    states: list[State]

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
    states = [verdict(*ends) for ends in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)]
    return Measured(
        [say.tidy(k) for k in abnormal.keys], value, low, high, round_significant(raw_returns(abnormal, window)), states
    )


def raw_returns(abnormal: AbnormalReturns, window: Window) -> np.ndarray:
    """Return the raw buy-and-hold returns of a window as fractions, shape (N,)."""
    return abnormal.as_fractions(abnormal.raw_returns(window))


def facts_of(
    kind: str, shown: Measured, abnormal: AbnormalReturns, level: float, window: Window, when: str = ""
) -> Facts:
    """Return what a figure of one window knows of itself."""
    seen, n = shown.value[np.isfinite(shown.value)], len(shown.keys)
    numbers = said_of(shown, window, ends=True, log=abnormal.log).beside(common_numbers(abnormal, level, window, when))
    counts = {
        **{side: shown.states.count(side) for side in ("down", "up")},
        "clear": sum(s in say.CLEAR for s in shown.states),
        "events": len(seen),
        "drawn": n,
        "between": n - say.LISTED,
        "above_zero": int((seen > 0).sum()),
    }
    return Facts(
        kind,
        {key: (state,) for key, state in zip(shown.keys, shown.states, strict=True)},
        dict(zip(shown.keys, shown.raw.tolist(), strict=True)),
        {**common_parameters(abnormal, level), "window": [window.start, window.end]},
        numbers=replace(numbers, counts={**numbers.counts, **counts}),
    )


def said_of(shown: Measured, window: Window, *, ends: bool = False, log: bool = False) -> Numbers:
    """Return what is measured as numbers that a text may say; with the least and the greatest of all, if wanted.

    With ``log`` an abnormal return is the price beside the one expected.
    """
    span = (window.start, window.end)
    columns = {
        RETURN: shown.raw,
        ABNORMAL: shown.value,
        EXPECTED: (1.0 + shown.raw) / (1.0 + shown.value) - 1.0 if log else shown.raw - shown.value,
        LOW_END + ABNORMAL: shown.low,
        HIGH_END + ABNORMAL: shown.high,
    }
    values = {
        (key, what, span): value
        for what, column in columns.items()
        for key, value in zip(shown.keys, column.tolist(), strict=True)
    }
    if ends and np.isfinite(shown.value).any():
        values[POPULATION, f"least {ABNORMAL}", span] = float(np.nanmin(shown.value))
        values[POPULATION, f"most {ABNORMAL}", span] = float(np.nanmax(shown.value))
    return Numbers(values=values, span=span)


def common_numbers(abnormal: AbnormalReturns, level: float, window: Window, when: str) -> Numbers:
    """Return the levels, degrees of freedom and days that the texts of every figure may name."""
    counts: dict[str, float] = {"level": level * 100, "chance": (1 - level) * 100, "hidden": abnormal.n - 50}
    if abnormal.n:
        counts |= {"least_df": int(abnormal.df.min()), "most_df": int(abnormal.df.max())}
    known = (abnormal.estimation, abnormal.window, window, Window(0, 0))
    spans = frozenset((w.start, w.end) for w in known)
    days: dict[str, int | None] = {when: 0} if when else {}
    return Numbers(counts=counts, days=days, span=(window.start, window.end), spans=spans, relative=abnormal.log)


def common_parameters(abnormal: AbnormalReturns, level: float) -> dict[str, object]:
    """Return the parameters of every figure of abnormal returns."""
    spans = {"estimation": abnormal.estimation, "event_window": abnormal.window}
    return {"level": float(level), "events": abnormal.n, **{k: [w.start, w.end] for k, w in spans.items()}}
