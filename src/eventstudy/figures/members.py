"""Where named firms fall among all members of an index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eventstudy.abnormal import AbnormalReturns
from eventstudy.errors import DataMissing
from eventstudy.figures import words as say
from eventstudy.figures.distribution import draw_stacks, end
from eventstudy.figures.events import Measured, facts_of, frame, measure
from eventstudy.figures.layout import build
from eventstudy.figures.lettering import fit, text_width
from eventstudy.figures.rows import colour
from eventstudy.figures.scales import Scale, limits, percent_ticks, share_digits
from eventstudy.figures.sheet import Sheet, fitted_ticks
from eventstudy.figures.style import Size, palette
from eventstudy.figures.words import FigureText
from eventstudy.windows import Window
from eventstudy.wording import percent

if TYPE_CHECKING:
    from eventstudy.figures.house import HouseFigure


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

    Parameters
    ----------
    places : sequence of float
        Pixels of the leader lines, ascending.
    widths : sequence of float
        Pixels of the labels.
    gap : float
        Pixels kept free.

    Returns
    -------
    list of int
        0 is the nearest to the axis.

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
