"""Distributions as stacks of dots: the event day among the days of the estimation window, named firms among all of an index."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.figures import words as say
from eventstudy.figures.columns import ABNORMAL_RETURN, WHAT, Column
from eventstudy.figures.measured import (
    COLUMNS,
    Measured,
    common_numbers,
    common_parameters,
    facts_of,
    measure,
    said_of,
)
from eventstudy.figures.presentation import draw_figure
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.sheet import Scale, Sheet, fit, fitted_ticks, legend_height, limits, percent_ticks, text_width
from eventstudy.figures.style import POINTS, Size, palette
from eventstudy.figures.words import FigureText
from eventstudy.statements import ABNORMAL, POPULATION, Numbers, State
from eventstudy.windows import Window
from eventstudy.wording import listed, percent, round_significant, share_digits

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure

#: Dots are drawn between these diameters, in pixels; where they would be smaller, bars are drawn.
_DOTS = (9.0, 2.4)


@dataclass(frozen=True, slots=True)
class Stacks:
    """Values stacked in bins: middle of each bin and count, and the diameter of a dot in pixels; 0 for bars."""

    lefts: np.ndarray
    counts: np.ndarray
    width: float
    dot: float


def stacks_of(values: np.ndarray, x: Scale, room: float) -> Stacks:
    """Bin values so that stacked dots fill the room without leaving it; bars if the dots would be too small."""
    dot, smallest = _DOTS
    span = x.end - x.start
    while dot >= smallest:
        stacks = _binned(values, x, max(1, int(span / dot)), dot)
        if stacks.counts.max(initial=0) * dot <= room:
            return stacks
        dot -= 0.2
    return _binned(values, x, max(1, int(span / 6.0)), 0.0)


def _binned(values: np.ndarray, x: Scale, bins: int, dot: float) -> Stacks:
    # bins are counted from 0, so that no bin mixes falls and rises
    width = float(round_significant((x.high - x.low) / bins))
    place = np.floor(values / width).astype(np.int64)
    found, counts = np.unique(place, return_counts=True)
    return Stacks(round_significant(found * width), counts, width, dot)


def draw_stacks(sheet: Sheet, values: np.ndarray, x: Scale, top: float, base: float) -> Stacks:
    """Draw values as stacks of dots, or as bars, standing on ``base``."""
    stacks = stacks_of(values, x, base - top)
    tallest = max(1, int(stacks.counts.max(initial=1)))
    dot = stacks.dot or (base - top) / tallest
    y = Scale(0.0, (base - top) / dot, base, top)
    axes = sheet.axes(x, y)
    if stacks.dot:
        middles = np.repeat(stacks.lefts + stacks.width / 2, stacks.counts)
        heights = np.concatenate([np.arange(c) + 0.5 for c in stacks.counts]) if len(values) else np.array([])
        axes.plot(middles, heights, "o", color=palette().ordinary, markersize=0.88 * dot * POINTS, markeredgewidth=0)
    else:
        axes.bar(stacks.lefts, stacks.counts, stacks.width * 0.9, align="edge", color=palette().ordinary)
    return stacks


def _extreme(values: np.ndarray, which: Callable[[Sequence[float]], float]) -> str:
    """Return the least or greatest value as text, a dash if there is none."""
    return percent(which(values.tolist()) if len(values) else math.nan, 1)


# -- The event day among the days of the estimation window.


@dataclass(frozen=True, eq=False, slots=True)
class EventAmongDays:
    """One event's abnormal return on day 0 and the residuals of its estimation window, rounded for publication."""

    key: str
    value: float
    raw: float
    state: State
    days: np.ndarray

    @property
    def as_far(self) -> int:
        """How many estimation days went at least as far, on the event's side."""
        if not math.isfinite(self.value):
            return 0
        return int(((self.days <= self.value) if self.value < 0 else (self.days >= self.value)).sum())

    @property
    def side(self) -> str:
        """Where the event lies: ``low`` or ``high``."""
        return "low" if self.value < 0 else "high"


def estimation_days(
    abnormal: AbnormalReturns,
    i: int = 0,
    *,
    level: float = 0.95,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw the event day among the residuals of the estimation window, a dot a day.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events.
    i : int
        Which event.
    level : float
        Coverage of the interval that decides whether the title says ``fell`` or ``rose``.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text.

    Returns
    -------
    HouseFigure

    Raises
    ------
    InvalidInput
        If there is no such event, or day 0 is not in the event window.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "^GSPC"], "2023-12-01", "2025-02-14")
    >>> study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5))
    >>> result = study.run(prices, [es.Event("NVDA", "2025-01-27")])
    >>> estimation_days(result.abnormal).words.title
    'NVDA’s abnormal fall was beyond all 250 days of the estimation window'
    """
    event = _event_among_days(abnormal, i, level)
    n = len(event.days)
    legend = [f"one day of the estimation window ({n})", "event day"]
    recipe = Recipe(
        Facts(
            "estimation_days",
            {event.key: (event.state,)},
            {event.key: event.raw},
            {**common_parameters(abnormal, level), "events": 1, "window": [0, 0]},
            numbers=_days_numbers(event, abnormal.take(np.array([i])), level, when),
        ),
        _days_words(event, abnormal.estimation, when),
        pd.DataFrame({"what": ["event day"] + ["estimation day"] * n, "abnormal_return": [event.value, *event.days]}),
        {"what": WHAT, "abnormal_return": ABNORMAL_RETURN},
        lambda s: legend_height(legend, s) + (170.0 if s.narrow else 210.0 * s.unit) + 4.6 * s.foot,
        lambda sheet: _draw_days(sheet, event, legend, when or "event day"),
    )
    return draw_figure(recipe, size, title=title, source=source)


def _days_numbers(event: EventAmongDays, one: AbnormalReturns, level: float, when: str) -> Numbers:
    """Return the event day and the days beside it as numbers that a text may say."""
    common = common_numbers(one, level, Window(0, 0), when)
    values = dict(said_of(measure(one, Window(0, 0), level), Window(0, 0), log=one.log).values)
    if len(event.days):
        values[POPULATION, f"least {ABNORMAL}", (0, 0)] = float(event.days.min())
        values[POPULATION, f"most {ABNORMAL}", (0, 0)] = float(event.days.max())
    counts = {**common.counts, "estimation_days": len(event.days), "as_far": event.as_far}
    return replace(common, values=values, counts=counts, roles={"side": event.side})


def _event_among_days(abnormal: AbnormalReturns, i: int, level: float) -> EventAmongDays:
    if not -abnormal.n <= i < abnormal.n:
        raise InvalidInput(f"i is {i}; there are {abnormal.n} events, so give 0 to {abnormal.n - 1}.")
    one = abnormal.take(np.array([i]))
    shown = measure(one, Window(0, 0), level)
    days = round_significant(one.as_fractions(one.residuals[0][np.isfinite(one.residuals[0])]))
    return EventAmongDays(shown.keys[0], float(shown.value[0]), float(shown.raw[0]), shown.states[0], days)


def _days_title(event: EventAmongDays, when: str) -> str:
    named, n = f"{event.key}{say.on_day(when)}", len(event.days)
    if event.state == "missing":
        return f"No return for {named}"
    if event.state == "unclear":
        if event.as_far:
            return f"No clear abnormal change for {named}: {event.as_far} of {n} days of the estimation window were as {event.side}"
        return f"No clear abnormal change for {named}, though no day of the estimation window was as {event.side}"
    moved = f"{event.key}’s abnormal {say.move_noun(event.state, event.raw)}{say.on_day(when)}"
    if event.as_far == 0:
        return f"{moved} was beyond all {n} days of the estimation window"
    return f"{moved}: {event.as_far} of {n} days of the estimation window went as far"


def _days_words(event: EventAmongDays, estimation: Window, when: str) -> FigureText:
    days, n = event.days, len(event.days)
    return FigureText(
        title=_days_title(event, when),
        subtitle=f"Daily abnormal returns of {event.key}: the event day among {n} days of the estimation window",
        note=f"Days of the estimation window {say.window_text(estimation)}: what the model leaves unexplained (residuals). "
        f"{event.as_far} of {n} at least as {event.side} as the event day.",
        alt=f"Dot plot of abnormal returns of {event.key} on {n} days of the estimation window, from "
        f"{_extreme(days, min)} to {_extreme(days, max)}; {when or 'the event day'} at {percent(event.value, 1)}, "
        f"{event.as_far} of those days at least as extreme.",
    )


def _draw_days(sheet: Sheet, shown: EventAmongDays, legend: list[str], name: str) -> None:
    size, value, days = sheet.size, shown.value, shown.days
    tint, filled = palette().of_state(shown.state), shown.state != "unclear"

    def day(x: float, y: float) -> None:
        sheet.mark(x, y, palette().ordinary, pixels=6)

    def event(x: float, y: float) -> None:
        sheet.mark(x, y, tint, filled=filled, shape="D", pixels=8)

    sheet.legend([(day, legend[0]), (event, legend[1])], sheet.top + 0.5 * size.foot)
    label_line = sheet.top + legend_height(legend, size) + 1.1 * size.body
    top, base = label_line + 0.9 * size.body, sheet.bottom - 2.1 * size.foot
    x = Scale(*limits([*days, value], pad=0.05), sheet.left, sheet.right)
    _days_axis(sheet, x, top, base)
    draw_stacks(sheet, days, x, top, base)
    if not math.isfinite(value):
        return
    sheet.line([x.px(value)] * 2, [label_line + 0.35 * size.body, base], tint, 1.6)
    sheet.mark(x.px(value), base, tint, filled=filled, shape="D", pixels=11)
    label = f"{name}: {percent(value, share_digits([value]))}"
    text = fit(label, size.body, sheet.right - sheet.left, bold=True)
    sheet.centred(text, x.px(value), label_line, sheet.left, sheet.right, bold=True)


def _days_axis(sheet: Sheet, x: Scale, top: float, base: float) -> None:
    marks, form = fitted_ticks(x, sheet.size.foot, percent_ticks)
    for mark in marks:
        sheet.line([x.px(mark)] * 2, [top, base], palette().grid)
        sheet.line([x.px(mark)] * 2, [base, base + 0.3 * sheet.size.foot], palette().quiet)
    sheet.line([x.start, x.end], [base, base], palette().ink, 1.2)
    sheet.tick_labels(x, marks, form, base + 1.6 * sheet.size.foot)


# -- Named firms among all members of an index.


#: With more stocks than this, bars may take the place of dots.
_MOST_DOTS = 1500


@dataclass(frozen=True, slots=True)
class Marked:
    """A named member of the universe and how its label reads."""

    key: str
    value: float
    state: State
    raw: float
    text: str


def universe(
    abnormal: AbnormalReturns,
    marked: Sequence[str],
    *,
    level: float = 0.95,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw the event-day abnormal returns of many firms, some of them named.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events, e.g. all members of an index on one day.
    marked : sequence of str
        Keys (or tickers, where unique) to mark and name; the title speaks of the first with a clear change.
    level : float
        Coverage of the intervals that decide about words and filled marks.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text.

    Returns
    -------
    HouseFigure

    Raises
    ------
    DataMissing
        If a name to mark is not among the events.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "META", "GOOGL", "^GSPC"], "2023-12-01", "2025-02-14")
    >>> study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5))
    >>> result = study.run(prices, [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")])
    >>> universe(result.abnormal, ["NVDA"]).words.title
    'NVDA’s abnormal fall was the largest of 3 stocks'
    """
    shown = measure(abnormal, Window(0, 0), level)
    chosen = [_place(abnormal.keys, name) for name in dict.fromkeys(marked)]
    named = _marked(shown, chosen)
    order = sorted(named, key=lambda m: (m.value, m.key))
    values = shown.value[np.isfinite(shown.value)]
    gone = [shown.keys[j] for j in chosen if not math.isfinite(shown.value[j])]
    noun = "stocks" if (abnormal.position == abnormal.position[:1]).all() else "events"
    at = f"on {when}" if when else ""
    found = _universe_title(named, values, noun, at) if named else say.count_finding(shown.states, at, level, noun)
    table = shown.frame().assign(marked=np.isin(np.arange(abnormal.n), chosen))
    recipe = Recipe(
        _ranked(facts_of("universe", shown, abnormal, level, Window(0, 0), when), named, values),
        _universe_words(found, order, values, noun, when, _universe_note(abnormal, level, gone)),
        table.sort_values("abnormal_return", kind="stable", ignore_index=True),
        {**COLUMNS, "marked": Column("Named", "whether the figure names it")},
        lambda preset: _universe_height(preset, values, order),
        lambda sheet: _draw_universe(sheet, values, order),
    )
    return draw_figure(recipe, size, title=title, source=source)


def _place(keys: Sequence[str], name: str) -> int:
    if name in keys:
        return keys.index(name)
    found = [j for j, key in enumerate(keys) if key.split(" ")[0] == name]
    if len(found) == 1:
        return found[0]
    raise DataMissing(
        f"{'Several events answer to' if found else 'No event is called'} {name!r}, so it cannot be marked; "
        f"name one of the {len(keys)} events by its key.",
        missing=(name,),
        available=keys,
    )


def _marked(shown: Measured, chosen: Sequence[int]) -> list[Marked]:
    digits = share_digits(shown.value)
    return [
        Marked(
            shown.keys[j],
            float(shown.value[j]),
            shown.states[j],
            float(shown.raw[j]),
            f"{shown.keys[j]} {percent(float(shown.value[j]), digits)}",
        )
        for j in chosen
        if math.isfinite(shown.value[j])
    ]


def _ordinal(rank: int) -> str:
    tail = "th" if 10 <= rank % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{tail} "


def _rank(member: Marked, values: np.ndarray) -> int:
    """Return the place of a clear move among all on its side, the largest first."""
    return 1 + int((values < member.value).sum() if member.state == "down" else (values > member.value).sum())


def _ranked(facts: Facts, named: Sequence[Marked], values: np.ndarray) -> Facts:
    """Return the facts of a universe with the ranks of the named, of whom alone its texts speak one by one."""
    ranks = {f"rank of {m.key}": _rank(m, values) for m in named if m.state in say.CLEAR}
    counts = {**facts.numbers.counts, **ranks, "drawn": len(values), "between": len(named) - say.LISTED}
    return replace(facts, numbers=replace(facts.numbers, counts=counts))


def _universe_title(named: Sequence[Marked], values: np.ndarray, noun: str, at: str) -> str:
    clear = [m for m in named if m.state in say.CLEAR]
    if not clear:
        names = listed(m.key for m in named[: say.NAMED])
        return f"No clear abnormal change for {names} among {len(values)} {noun}{say.then(at)}"
    first = clear[0]
    rank = _rank(first, values)
    place = "" if rank == 1 else _ordinal(rank)
    moved = say.move_noun(first.state, first.raw)
    return f"{first.key}’s abnormal {moved}{say.then(at)} was the {place}largest of {len(values)} {noun}"


def _universe_words(
    title: str, order: Sequence[Marked], values: np.ndarray, noun: str, when: str, note: str
) -> FigureText:
    span = say.span_text(Window(0, 0), when)
    return FigureText(
        title=title,
        subtitle=f"Abnormal returns of {len(values)} {noun} {span}; {int((values > 0).sum())} were above zero",
        note=note,
        alt=f"Distribution of {len(values)} abnormal returns {span}, from {_extreme(values, min)} to "
        f"{_extreme(values, max)}. Marked: {say.alt_list([m.text for m in order])}",
    )


def _universe_note(abnormal: AbnormalReturns, level: float, gone: Sequence[str]) -> str:
    dots = "Each dot is one event; filled" if abnormal.n <= _MOST_DOTS else "Filled"
    note = f"{dots} marks: the interval excludes 0 at {say.interval_basis(abnormal, level)}"
    return f"{note} No return: {', '.join(gone)}." if gone else note


def _universe_height(size: Size, values: np.ndarray, order: Sequence[Marked]) -> float:
    deepest = max(_layout(size, values, order)[1], default=0)
    return (190.0 if size.narrow else 230.0 * size.unit) + 2.6 * size.foot + _lane(size) * (deepest + 1)


def _lane(size: Size) -> float:
    return 1.5 * size.body


def _label(size: Size, member: Marked) -> str:
    return fit(member.text, size.beside, size.inner * 0.5, bold=True)


def _layout(size: Size, values: np.ndarray, named: Sequence[Marked]) -> tuple[Scale, list[int]]:
    """Return the scale, short enough that no label leaves the sheet on the right, and the labels' lanes."""
    pixels = size.beside
    widths = [text_width(_label(size, m), pixels, True) + 0.5 * pixels for m in named]
    low, high = limits(values.tolist(), pad=0.03)
    left, right = size.margin, size.width - size.margin
    ends = [left + (right - w - left) * (high - low) / (m.value - low) for m, w in zip(named, widths, strict=True)]
    x = Scale(low, high, left, min([right, *ends]))
    return x, lanes([x.px(m.value) for m in named], widths)


def lanes(places: Sequence[float], widths: Sequence[float], gap: float = 5.0) -> list[int]:
    """Give each label, written to the right of its leader line, a lane where it touches no label and no line.

    Notes
    -----
    From right to left, each label goes below all labels whose line it would cross; a line ends at its own label, so
    labels further down cross nothing.
    """
    given = [0] * len(places)
    for i in reversed(range(len(places))):
        reach = places[i] + widths[i] + gap
        given[i] = 1 + max((given[j] for j in range(i + 1, len(places)) if places[j] < reach), default=-1)
    return given


def _draw_universe(sheet: Sheet, values: np.ndarray, named: Sequence[Marked]) -> None:
    size = sheet.size
    x, given = _layout(size, values, named)
    labels_y = sheet.top + 0.9 * size.foot
    top = labels_y + 0.6 * size.foot
    base = sheet.bottom - _lane(size) * (max(given, default=0) + 1)
    marks, form = fitted_ticks(x, size.foot, percent_ticks)
    sheet.tick_labels(x, marks, form, labels_y)
    for mark in marks:
        sheet.line([x.px(mark)] * 2, [top, base], palette().of_grid(mark))
    sheet.line([sheet.left, sheet.right], [base, base], palette().ink, 1.2)
    draw_stacks(sheet, values, x, top + 0.4 * size.foot, base)
    for member, lane in zip(named, given, strict=True):
        place, tint, pixels = x.px(member.value), palette().of_state(member.state), size.beside
        y = base + _lane(size) * (lane + 0.65)
        sheet.line([place, place], [base, y + 0.35 * pixels], tint, 1.4)
        sheet.mark(place, base, tint, filled=member.state != "unclear", pixels=9)
        sheet.text(place + 0.4 * pixels, y, _label(size, member), pixels, bold=True, va="middle")
