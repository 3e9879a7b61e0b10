"""Figures of abnormal returns with intervals: one row an event, and the ranking of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.figures import words as say
from eventstudy.figures.columns import Column
from eventstudy.figures.measured import COLUMNS, Measured, facts_of, measure
from eventstudy.figures.presentation import draw_figure
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.rows import Row, cut_rows_of, draw_rows, legend_keys, not_drawn, rows_height
from eventstudy.figures.sheet import percent_ticks
from eventstudy.figures.words import FigureText
from eventstudy.windows import Window
from eventstudy.wording import interval, percent, share_digits

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure


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

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "META", "GOOGL", "^GSPC"], "2023-12-01", "2025-02-14")
    >>> study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5))
    >>> result = study.run(prices, [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")])
    >>> event_day(result.abnormal, when="27 January 2025").words.title
    'NVDA fell, META rose on 27 January 2025; no clear abnormal change for GOOGL'
    """
    chosen = Window.of(window)
    shown = measure(abnormal, chosen, level)
    what = f"{_measure_name(chosen).lower()}s {say.span_text(chosen, when)}"
    words = _words(shown, chosen, level, what, when, say.interval_note(abnormal, level))
    facts = facts_of("event_day", shown, abnormal, level, chosen, when)
    recipe = _recipe(facts, words, shown.frame(), shown, _rows_of(shown), level)
    return draw_figure(recipe, size, title=title, source=source)


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

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "META", "GOOGL", "^GSPC"], "2023-12-01", "2025-02-14")
    >>> study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5))
    >>> result = study.run(prices, [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")])
    >>> ranking(result.abnormal).data["event"].tolist()
    ['NVDA', 'GOOGL', 'META']
    """
    day = Window(0, 0)
    measured = measure(abnormal, day, level)
    order = np.argsort(np.where(np.isfinite(measured.value), measured.value, np.inf), kind="stable")
    shown = measured.take(order)
    table = shown.frame()
    beside = [say.tidy((groups or {}).get(abnormal.keys[i], "")) for i in order]
    if groups:
        table.insert(1, "group", beside)
    note = say.interval_note(abnormal, level)
    if abnormal.n > 1:
        note += f" Each interval is for one event: by chance alone about {say.level_text(1 - level)} would exclude 0."
    what = f"{abnormal.n} abnormal returns {say.span_text(day, when)}, sorted,"
    words = _words(shown, day, level, what, when, note)
    facts = facts_of("ranking", shown, abnormal, level, day, when)
    recipe = _recipe(facts, words, table, shown, _rows_of(shown, beside), level)
    return draw_figure(recipe, size, title=title, source=source)


def _words(shown: Measured, window: Window, level: float, what: str, when: str, note: str) -> FigureText:
    # an event day without a date is not worth a word in the title
    at = say.span_text(window, when) if when or window != Window(0, 0) else ""

    def part(i: int) -> str:
        return say.spoken(shown.keys[i], float(shown.value[i]), float(shown.low[i]), float(shown.high[i]))

    return FigureText(
        title=say.title_for(shown.keys, shown.states, shown.raw.tolist(), at, level),
        subtitle=f"{_measure_name(window)} {say.span_text(window, when)}: return beyond what the model expects",
        note=note,
        alt=f"Dot plot of {what} with {say.level_text(level)} intervals. {say.alt_list_of(part, len(shown.keys))}",
    )


def _measure_name(window: Window) -> str:
    return "Abnormal return" if window.start == window.end else "Cumulative abnormal return"


def _rows_of(shown: Measured, groups: Sequence[str] = ()) -> Callable[[int], Row]:
    """Return what makes the row of an event, by its place, with a word for its group if there are any."""
    digits = share_digits([float(np.nanmax(np.abs(shown.value)))] if np.isfinite(shown.value).any() else [])

    def form(value: float) -> str:
        return percent(value, digits)

    def row(i: int) -> Row:
        value, low, high = float(shown.value[i]), float(shown.low[i]), float(shown.high[i])
        text = "no return" if shown.states[i] == "missing" else form(value)
        ends = interval(low, high, form)
        return Row(shown.keys[i], shown.states[i], value, low, high, text, ends, groups[i] if groups else "")

    return row


def _recipe(
    facts: Facts, words: FigureText, table: pd.DataFrame, shown: Measured, row: Callable[[int], Row], level: float
) -> Recipe:
    drawn, hidden = cut_rows_of(row, len(shown.keys))
    if hidden:
        words = replace(words, note=f"{words.note} {not_drawn(hidden, 'events')}")
    legend = legend_keys(say.level_text(level), shown.states, "abnormal return")
    return Recipe(
        facts,
        words,
        table,
        {**COLUMNS, "group": Column("Group", "the event's group")},
        lambda size: rows_height(size, len(drawn), legend),
        lambda sheet: draw_rows(sheet, drawn, legend, percent_ticks),
    )
