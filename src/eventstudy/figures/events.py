"""Figures of abnormal returns with intervals: one row an event, and the ranking of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.figures import words as say
from eventstudy.figures.house_style import Facts, states_of
from eventstudy.figures.layout import build
from eventstudy.figures.rows import Row, cut_rows, draw_rows, legend_texts, rows_height
from eventstudy.figures.sheet import percent_ticks
from eventstudy.figures.words import FigureText
from eventstudy.inference.market_value import car_interval
from eventstudy.windows import Window
from eventstudy.wording import DASH, percent, round_significant, share_digits

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """Abnormal returns of one window with their intervals and verdicts, rounded for publication."""

    keys: list[str]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    raw: np.ndarray
    states: list[str]

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


def measure(abnormal: AbnormalReturns, window: Window, level: float) -> Measured:
    """Return what the figures show of a window: rounded numbers and what they allow to say."""
    low, high = (round_significant(ends) for ends in car_interval(abnormal, window, level))
    value = round_significant(abnormal.sums(window).car)
    states = [say.verdict(*ends) for ends in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)]
    raw = round_significant(say.raw_returns(abnormal, window))
    return Measured([say.tidy(k) for k in abnormal.keys], value, low, high, raw, states)


def facts_of(
    kind: str, shown: Measured, abnormal: AbnormalReturns, level: float, window: Window, own_title: bool
) -> Facts:
    """Return what a figure of one window knows of itself."""
    return Facts(
        kind,
        states_of(shown.keys, shown.states),
        dict(zip(shown.keys, shown.raw.tolist(), strict=True)),
        {**common_parameters(abnormal, level), "window": [window.start, window.end]},
        own_title=own_title,
    )


def common_parameters(abnormal: AbnormalReturns, level: float) -> dict[str, object]:
    """Return the parameters of every figure of abnormal returns."""
    spans = {"estimation": abnormal.estimation, "event_window": abnormal.window}
    return {"level": float(level), "events": abnormal.n, **{k: [w.start, w.end] for k, w in spans.items()}}


def frame(shown: Measured) -> pd.DataFrame:
    """Return the plotted numbers: event, abnormal return, interval, raw return, whether the interval excludes 0."""
    return pd.DataFrame(
        {
            "event": shown.keys,
            "abnormal_return": shown.value,
            "low": shown.low,
            "high": shown.high,
            "raw_return": shown.raw,
            "excludes_zero": [s in ("down", "up") for s in shown.states],
        }
    )


def interval_text(low: float, high: float, digits: int) -> str:
    """Return an interval as ``−19.2% to −8.6%``, a dash if missing."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return DASH
    return f"{percent(low, digits)} to {percent(high, digits)}"


def rows_of(shown: Measured, groups: Mapping[str, str] | None = None, raw_keys: tuple[str, ...] = ()) -> list[Row]:
    """Return one row an event, in the order of the events."""
    digits = share_digits(shown.value)
    groups = groups or {}
    return [
        Row(
            key,
            state,
            float(value),
            float(low),
            float(high),
            "no return" if state == "missing" else percent(float(value), digits),
            interval_text(float(low), float(high), digits),
            say.tidy(groups.get(raw_keys[i], "")) if raw_keys else "",
        )
        for i, (key, state, value, low, high) in enumerate(
            zip(shown.keys, shown.states, shown.value, shown.low, shown.high, strict=True)
        )
    ]


def event_day(
    abnormal: AbnormalReturns,
    window: Window | tuple[int, int] | int = 0,
    *,
    level: float = 0.95,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw the abnormal return of each event over a window, with its interval.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events; they keep their order.
    window : Window or pair of int
        Relative days, inside the event window.
    level : float
        Coverage of the intervals ``CAR ± t_{M-p} S_CAR``.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text, e.g. ``27 January 2025``.

    Returns
    -------
    HouseFigure

    Raises
    ------
    InvalidInput
        If the window is not inside the event window, or ``level`` or ``size`` is not allowed.
    """
    chosen = Window.of(window)
    shown = measure(abnormal, chosen, level)
    what = f"{_measure_name(chosen).lower()}s {say.span_text(chosen, when)}"
    words = _words(shown, chosen, level, what, say.interval_note(abnormal, level), (title, source, when))
    facts = facts_of("event_day", shown, abnormal, level, chosen, bool(title))
    return _draw(words, frame(shown), rows_of(shown), facts, size)


def ranking(
    abnormal: AbnormalReturns,
    *,
    level: float = 0.95,
    size: str = "article",
    source: str = "",
    groups: Mapping[str, str] | None = None,
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw all events sorted by their abnormal return on the event day, with intervals.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events; with more than 50 the 25 lowest and the 25 highest are drawn, and all are in the data.
    level : float
        Coverage of the intervals.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    groups : mapping of str to str, optional
        A word for each event, by its key, written beside its name.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text.

    Returns
    -------
    HouseFigure

    Notes
    -----
    Each interval is for its event alone: of many events without any effect, one in twenty lies outside 95%.
    """
    day = Window(0, 0)
    shown = measure(abnormal, day, level)
    order = np.argsort(np.where(np.isfinite(shown.value), shown.value, np.inf), kind="stable")
    rows = rows_of(shown, groups, abnormal.keys)
    ordered = shown.take(order)
    table = frame(ordered)
    if groups:
        table.insert(1, "group", [rows[i].group for i in order])
    chance = f" Each interval is for one event: by chance alone about {say.level_text(1 - level)} would exclude 0."
    note = say.interval_note(abnormal, level) + (chance if abnormal.n > 1 else "")
    what = f"{abnormal.n} abnormal returns {say.span_text(day, when)}, sorted,"
    words = _words(ordered, day, level, what, note, (title, source, when))
    facts = facts_of("ranking", ordered, abnormal, level, day, bool(title))
    return _draw(words, table, [rows[i] for i in order], facts, size)


def _words(
    shown: Measured, window: Window, level: float, what: str, note: str, given: tuple[str | None, str, str]
) -> FigureText:
    """Return the words of a figure of rows; ``given`` are the caller's title, source and day."""
    title, source, when = given
    return FigureText(
        title=say.tidy(title)
        if title
        else say.title_for(shown.keys, shown.states, shown.raw.tolist(), _at(window, when), level),
        subtitle=f"{_measure_name(window)} {say.span_text(window, when)}: return beyond what the model expects",
        source=say.tidy(source),
        note=note,
        alt=f"Dot plot of {what} with {say.level_text(level)} intervals. " + _spoken(shown),
    )


def _at(window: Window, when: str) -> str:
    """Return the time for a title: nothing for an event day without a date."""
    return "" if window == Window(0, 0) and not when else say.span_text(window, when)


def _measure_name(window: Window) -> str:
    return "Abnormal return" if window.start == window.end else "Cumulative abnormal return"


def _spoken(shown: Measured) -> str:
    numbers = zip(shown.keys, shown.value, shown.low, shown.high, strict=True)
    return say.alt_list([say.spoken(k, float(v), float(a), float(b)) for k, v, a, b in numbers])


def _draw(words: FigureText, table: pd.DataFrame, rows: list[Row], facts: Facts, size: str) -> HouseFigure:
    drawn, hidden = cut_rows(rows)
    if hidden:
        words = FigureText(
            words.title,
            words.subtitle,
            words.source,
            f"{words.note} {hidden} events between the first and the last are not drawn.",
            words.alt,
        )
    level = facts.parameters["level"]
    assert isinstance(level, float)
    legend = legend_texts(say.level_text(level), [r.state for r in rows], "", "abnormal return")
    return build(
        words,
        table,
        facts,
        size,
        lambda preset: rows_height(preset, len(drawn), legend),
        lambda sheet: draw_rows(sheet, drawn, legend, percent_ticks),
    )
