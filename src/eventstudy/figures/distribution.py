"""Where the event day falls among a firm's ordinary days."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.figures import words as say
from eventstudy.figures.events import Measured, common_parameters, facts_of, frame, measure
from eventstudy.figures.house_style import Facts
from eventstudy.figures.layout import build
from eventstudy.figures.rows import colour
from eventstudy.figures.sheet import Scale, Sheet, fit, fitted_ticks, legend_height, limits, percent_ticks, text_width
from eventstudy.figures.style import POINTS, Size, palette
from eventstudy.figures.words import FigureText
from eventstudy.windows import Window
from eventstudy.wording import percent, round_significant, share_digits

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


@dataclass(frozen=True, eq=False, slots=True)
class EventAmongDays:
    """One event's abnormal return on day 0 and the residuals of its estimation window, rounded for publication."""

    key: str
    value: float
    raw: float
    state: str
    days: np.ndarray

    @property
    def extreme(self) -> int:
        """How many ordinary days went at least as far, on the event's side."""
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
    """
    event = _event_among_days(abnormal, i, level)
    n = len(event.days)
    words = _estimation_days_words(event, abnormal.estimation, (title, source, when))
    table = pd.DataFrame({"what": ["event day"] + ["ordinary day"] * n, "abnormal_return": [event.value, *event.days]})
    legend = [f"one ordinary day ({n})", "event day"]
    facts = Facts(
        "estimation_days",
        {event.key: (event.state,)},
        {event.key: event.raw},
        {**common_parameters(abnormal, level), "events": 1, "window": [0, 0]},
        own_title=bool(title),
    )
    return build(
        words,
        table,
        facts,
        size,
        lambda s: legend_height(legend, s) + (170.0 if s.narrow else 210.0 * s.unit) + 4.6 * s.foot,
        lambda sheet: _draw_estimation_days(sheet, event, legend, when),
    )


def _event_among_days(abnormal: AbnormalReturns, i: int, level: float) -> EventAmongDays:
    if not -abnormal.n <= i < abnormal.n:
        raise InvalidInput(f"i is {i}; there are {abnormal.n} events, so give 0 to {abnormal.n - 1}.")
    one = abnormal.take(np.array([i]))
    shown = measure(one, Window(0, 0), level)
    days = round_significant(one.residuals[0][np.isfinite(one.residuals[0])])
    return EventAmongDays(shown.keys[0], float(shown.value[0]), float(shown.raw[0]), shown.states[0], days)


def end(days: np.ndarray, which: Callable[[Sequence[float]], float]) -> float:
    """Return the least or greatest value, NaN if there is none."""
    return which(days.tolist()) if len(days) else math.nan


def _estimation_days_title(event: EventAmongDays, when: str) -> str:
    key, extreme, n = event.key, event.extreme, len(event.days)
    on = f" on {when}" if when else ""
    if event.state == "missing":
        return f"No return for {key}{on}"
    if event.state == "unclear":
        if extreme:
            return f"No clear change for {key}{on}: {extreme} of {n} ordinary days were as {event.side}"
        return f"No clear change for {key}{on}, though no ordinary day was as {event.side}"
    noun = {"fell": "fall", "rose": "rise", "lagged": "lag", "held up": "lead"}[say.verb(event.state, event.raw)]
    if extreme == 0:
        return f"{key}’s {noun}{on} was beyond all {n} ordinary days"
    return f"{key}’s {noun}{on}: {extreme} of {n} ordinary days went as far"


def _estimation_days_words(event: EventAmongDays, estimation: Window, given: tuple[str | None, str, str]) -> FigureText:
    """Return the figure's words; ``given`` are the caller's title, source and day."""
    title, source, when = given
    days, extreme = event.days, event.extreme
    return FigureText(
        title=say.tidy(title) if title else _estimation_days_title(event, when),
        subtitle=f"Daily abnormal returns of {event.key}: the event day among {len(days)} ordinary days",
        source=say.tidy(source),
        note=f"Ordinary days: residuals of the estimation window {say.window_text(estimation)}. "
        f"{extreme} of {len(days)} at least as {event.side} as the event day.",
        alt=f"Dot plot of {len(days)} ordinary abnormal returns of {event.key}, from {percent(end(days, min), 1)} to "
        f"{percent(end(days, max), 1)}; {when or 'the event day'} at {percent(event.value, 1)}, "
        f"{extreme} ordinary days at least as extreme.",
    )


def _draw_estimation_days(sheet: Sheet, shown: EventAmongDays, legend: list[str], when: str) -> None:
    size, value, days = sheet.size, shown.value, shown.days
    tint, filled = colour(shown.state), shown.state != "unclear"

    def day(x: float, y: float) -> None:
        sheet.mark(x, y, palette().ordinary, pixels=6)

    def event(x: float, y: float) -> None:
        sheet.mark(x, y, tint, filled=filled, shape="D", pixels=8)

    sheet.legend([(day, legend[0]), (event, legend[1])], sheet.top + 0.5 * size.foot)
    label_line = sheet.top + legend_height(legend, size) + 1.1 * size.body
    top, base = label_line + 0.9 * size.body, sheet.bottom - 2.1 * size.foot
    x = Scale(*limits([*days, value], pad=0.05), sheet.left, sheet.right)
    _axis(sheet, x, top, base)
    draw_stacks(sheet, days, x, top, base)
    if not math.isfinite(value):
        return
    sheet.line([x.px(value)] * 2, [label_line + 0.35 * size.body, base], tint, 1.6)
    sheet.mark(x.px(value), base, tint, filled=filled, shape="D", pixels=11)
    text = fit(
        f"{when or 'event day'}: {percent(value, share_digits([value]))}",
        size.body,
        sheet.right - sheet.left,
        bold=True,
    )
    half = text_width(text, size.body, True) / 2
    centre = min(max(x.px(value), sheet.left + half), sheet.right - half)
    sheet.text(centre, label_line, text, bold=True, ha="center")


def _axis(sheet: Sheet, x: Scale, top: float, base: float) -> None:
    marks, form = fitted_ticks(x, sheet.size.foot, percent_ticks)
    for mark in marks:
        sheet.line([x.px(mark)] * 2, [top, base], palette().grid)
        sheet.line([x.px(mark)] * 2, [base, base + 0.3 * sheet.size.foot], palette().quiet)
    sheet.line([x.start, x.end], [base, base], palette().ink, 1.2)
    sheet.tick_labels(x, marks, form, base + 1.6 * sheet.size.foot)


# -- Where named firms fall among all members of an index.


#: With more stocks than this, bars may take the place of dots.
_MOST_DOTS = 1500


@dataclass(frozen=True, slots=True)
class Marked:
    """A named member of the universe and how its label reads."""

    key: str
    value: float
    state: str
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
    """
    shown = measure(abnormal, Window(0, 0), level)
    chosen = [_place(abnormal.keys, name) for name in dict.fromkeys(marked)]
    named = _marked(shown, chosen)
    order = _ascending(named)
    values = shown.value[np.isfinite(shown.value)]
    table = frame(shown).assign(marked=np.isin(np.arange(abnormal.n), chosen))
    note = _note(abnormal, level, [shown.keys[j] for j in chosen if not math.isfinite(shown.value[j])])
    what = "stocks" if (abnormal.position == abnormal.position[:1]).all() else "events"
    at = f"on {when}" if when else ""
    found = _title(named, values, what, at) if named else say.count_finding(shown.states, at, level, what)
    words = _words(named, values, what, note, (say.tidy(title) if title else found, source, when))
    return build(
        words,
        table.sort_values("abnormal_return", kind="stable", ignore_index=True),
        facts_of("universe", shown, abnormal, level, Window(0, 0), bool(title)),
        size,
        lambda preset: _height(preset, values, order),
        lambda sheet: _draw(sheet, values, order),
    )


def _ascending(named: Sequence[Marked]) -> list[Marked]:
    return sorted(named, key=lambda m: (m.value, m.key))


def _words(
    named: Sequence[Marked], values: np.ndarray, what: str, note: str, given: tuple[str, str, str]
) -> FigureText:
    """Return the words; ``what`` are stocks of one day, or events; ``given`` are title, source and day."""
    title, source, when = given
    span = say.span_text(Window(0, 0), when)
    return FigureText(
        title=title,
        subtitle=f"Abnormal returns of {len(values)} {what} {span}; {int((values > 0).sum())} were above zero",
        source=say.tidy(source),
        note=note,
        alt=f"Distribution of {len(values)} abnormal returns {span}, from {percent(end(values, min), 1)} to "
        f"{percent(end(values, max), 1)}. Marked: " + say.alt_list([m.text for m in _ascending(named)]),
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


def _note(abnormal: AbnormalReturns, level: float, gone: Sequence[str]) -> str:
    dots = "Each dot is one event; filled" if abnormal.n <= _MOST_DOTS else "Filled"
    note = say.interval_note(abnormal, level).replace("Intervals:", f"{dots} marks: the interval excludes 0 at")
    return note + (f" No return: {', '.join(gone)}." if gone else "")


def _height(size: Size, values: np.ndarray, order: Sequence[Marked]) -> float:
    deepest = max(_layout(size, values, order)[1], default=0)
    return (190.0 if size.narrow else 230.0 * size.unit) + 2.6 * size.foot + _lane(size) * (deepest + 1)


def _place(keys: tuple[str, ...], name: str) -> int:
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


def _ordinal(rank: int) -> str:
    tail = "th" if 10 <= rank % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{tail} "


def _title(named: Sequence[Marked], values: np.ndarray, what: str, at: str) -> str:
    on = f" {at}" if at else ""
    clear = [m for m in named if m.state in ("down", "up")]
    if not clear:
        return f"No clear change for {say.listed([m.key for m in named[: say.NAMED]])} among {len(values)} {what}{on}"
    first = clear[0]
    rank = 1 + int((values < first.value).sum() if first.state == "down" else (values > first.value).sum())
    noun = {"fell": "fall", "rose": "rise", "lagged": "lag", "held up": "lead"}[say.verb(first.state, first.raw)]
    place = "" if rank == 1 else _ordinal(rank)
    return f"{first.key}’s abnormal {noun}{on} was the {place}largest of {len(values)} {what}"


def _lane(size: Size) -> float:
    return 1.5 * size.body


def _label(size: Size, member: Marked) -> str:
    return fit(member.text, _label_size(size), size.inner * 0.5, bold=True)


def _label_size(size: Size) -> float:
    return size.foot if size.narrow else size.body


def _layout(size: Size, values: np.ndarray, named: Sequence[Marked]) -> tuple[Scale, list[int]]:
    """Return the scale, short enough that no label leaves the sheet on the right, and the labels' lanes."""
    pixels = _label_size(size)
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


def _draw(sheet: Sheet, values: np.ndarray, named: Sequence[Marked]) -> None:
    size = sheet.size
    x, given = _layout(size, values, named)
    labels_y = sheet.top + 0.9 * size.foot
    top = labels_y + 0.6 * size.foot
    base = sheet.bottom - _lane(size) * (max(given, default=0) + 1)
    marks, form = fitted_ticks(x, size.foot, percent_ticks)
    sheet.tick_labels(x, marks, form, labels_y)
    for mark in marks:
        sheet.line([x.px(mark)] * 2, [top, base], palette().ink if mark == 0 else palette().grid)
    sheet.line([sheet.left, sheet.right], [base, base], palette().ink, 1.2)
    draw_stacks(sheet, values, x, top + 0.4 * size.foot, base)
    for member, lane in zip(named, given, strict=True):
        place, tint, pixels = x.px(member.value), colour(member.state), _label_size(size)
        y = base + _lane(size) * (lane + 0.65)
        sheet.line([place, place], [base, y + 0.35 * pixels], tint, 1.4)
        sheet.mark(place, base, tint, filled=member.state != "unclear", pixels=9)
        sheet.text(place + 0.4 * pixels, y, _label(size, member), pixels, bold=True, va="middle")
