"""A day among ordinary days: how many firms have one of their extreme days, day by day, and the means of groups, each among its own days."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.figures.columns import ABNORMAL_RETURN, WHAT, Column, Unit
from eventstudy.figures.presentation import draw_figure
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.sheet import (
    Scale,
    Sheet,
    fit,
    fitted_ticks,
    legend_height,
    limits,
    percent_ticks,
    text_width,
    ticks,
)
from eventstudy.figures.style import POINTS, Size, palette
from eventstudy.figures.words import FigureText, alt_list
from eventstudy.statements import ABNORMAL, Numbers, State
from eventstudy.wording import iso_days, listed, long_day, percent, plural, round_significant

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure

#: Ordinary days that are named beside the day, those with the most.
NAMED_DAYS = 2
#: What is said of the days between the day and the ordinary ones.
SHADED = " Shaded: days around the event day, which are not compared."
#: Groups that a title names.
NAMED_GROUPS = 3
#: A group is marked as clear if at most this share of all days are as far out.
CLEAR = 0.05
_SHARES = Unit("shares", lambda value: f"{value:,.0f}")


@dataclass(frozen=True, eq=False, slots=True)
class Calendar:
    """How many firms have one of their lowest and of their highest days, day by day; ``day`` is the place of the one asked about."""

    days: pd.DatetimeIndex
    down: np.ndarray
    up: np.ndarray
    firms: np.ndarray
    day: int
    #: Share of a firm's days that are its lowest, and its highest.
    tail: float
    #: Days around it that are left out, relative to it.
    apart: tuple[int, int] = (0, 0)

    @property
    def both(self) -> np.ndarray:
        """How many firms have an extreme day, shape (D,)."""
        return np.asarray(self.down + self.up)

    @property
    def others(self) -> np.ndarray:
        """Places of the ordinary days, those with the most firms first."""
        order = np.argsort(-self.both, kind="stable")
        return np.asarray(order[order != self.day])

    @property
    def as_many(self) -> int:
        """On how many ordinary days at least as many firms have an extreme day."""
        return int((self.both[self.others] >= self.both[self.day]).sum())

    def numbers(self, model: str = "") -> Numbers:
        """Return the counts that a text may say; a sentence on the model is another room's."""
        first = self.others[0]
        return Numbers(
            counts={
                "extreme": int(self.both[self.day]),
                "down": int(self.down[self.day]),
                "up": int(self.up[self.day]),
                "events": int(self.firms[self.day]),
                "ordinary": len(self.others),
                "all_days": len(self.days),
                "as_many": self.as_many,
                "most": int(self.both[first]),
                "usual": float(np.median(self.both[self.others])),
                "tail": 100.0 * self.tail,
            },
            days={long_day(self.days[self.day]): 0, **{long_day(self.days[i]): None for i in self.others[:NAMED_DAYS]}},
            quoted=frozenset([model] if model else []),
            spans=frozenset([(0, 0)]),
        )


def calendar(
    shown: Calendar, *, size: str = "article", source: str = "", title: str | None = None, model: str = ""
) -> HouseFigure:
    """Draw a bar a day, up for firms with one of their highest days, down for those with one of their lowest.

    Parameters
    ----------
    shown : Calendar
        The counts.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title : str, optional
        The source line, and a title in place of the finding.
    model : str, optional
        A sentence for the note on how abnormal returns are made.
    """
    when = long_day(shown.days[shown.day])
    recipe = Recipe(
        Facts("calendar", parameters={"tail": shown.tail, "days": len(shown.days)}, numbers=shown.numbers(model)),
        FigureText(
            title=_calendar_title(shown, when),
            subtitle="How many shares had one of their highest abnormal returns, above the line, and of their lowest, below it",
            note=f"Extreme: at most {100 * shown.tail:g}% of the share’s {len(shown.days)} days lie as far out on that side.{SHADED if any(shown.apart) else ''} {model}".strip(),
            alt=f"Bar chart of {len(shown.days)} days. On {when}, "
            f"{had_extreme_day(int(shown.up[shown.day]), int(shown.down[shown.day]), int(shown.firms[shown.day]))}; the median ordinary day has {np.median(shown.both[shown.others]):g}. "
            f"The ordinary day with most has {shown.both[shown.others[0]]} ({long_day(shown.days[shown.others[0]])}).",
        ),
        pd.DataFrame({
            "date": iso_days(shown.days), "up": shown.up, "down": shown.down, "shares": shown.firms,
            "what": ["event day" if i == shown.day else "ordinary day" for i in range(len(shown.days))],
        }),
        {
            "date": Column("Day", "the session"),
            "up": Column("Up", "shares with one of their highest days", _SHARES),
            "down": Column("Down", "shares with one of their lowest days", _SHARES),
            "shares": Column("Shares", "shares with an abnormal return", _SHARES),
            "what": WHAT,
        },
        lambda s: (210.0 if s.narrow else 250.0 * s.unit) + 4.0 * s.foot,
        lambda sheet: _draw_calendar(sheet, shown, when),
    )  # fmt: skip
    return draw_figure(recipe, size, title=title, source=source)


def had_extreme_day(up: int, down: int, of: int = 0) -> str:
    """Return how many shares, of so many, had an extreme day, and on which side.

    Examples
    --------
    >>> had_extreme_day(0, 16, 31), had_extreme_day(1, 0), had_extreme_day(0, 0, 31)
    ('16 of 31 shares had an extreme day, none up and 16 down', '1 share had an extreme day, 1 up and none down', 'no share of 31 had an extreme day')
    """
    if not up + down:
        return f"no share{f' of {of}' if of else ''} had an extreme day"
    who = f"{up + down} of {of} shares" if of else plural(up + down, "share")
    return f"{who} had an extreme day, {up or 'none'} up and {down or 'none'} down"


def _calendar_title(shown: Calendar, when: str) -> str:
    n, k = len(shown.others), shown.as_many
    up, down, firms = int(shown.up[shown.day]), int(shown.down[shown.day]), int(shown.firms[shown.day])
    had = f"On {when}, {had_extreme_day(up, down, firms).partition(',')[0]}"
    if not up + down:
        return had
    return (
        f"{had}, more than on any of {n} ordinary days"
        if not k
        else f"{had}; on {k} of {n} ordinary days at least as many had one"
    )


#: Months between two labels of an axis of days, the fewest that have room.
_EVERY = (1, 2, 3, 4, 6, 12, 24, 60, 120)


def _day_numbers(days: pd.DatetimeIndex) -> np.ndarray:
    """Return the places of days on an axis on which a day is a day, from zero."""
    return np.asarray((days.normalize() - days[0].normalize()).days, dtype=float)


def _draw_calendar(sheet: Sheet, shown: Calendar, when: str) -> None:
    size, colours = sheet.size, palette()
    label_line = sheet.top + 0.9 * size.body
    top, base = label_line + 0.9 * size.body + 1.3 * size.foot, sheet.bottom - 3.2 * size.foot
    highest, lowest = max(float(shown.up.max()), 1.0), max(float(shown.down.max()), 1.0)
    step = float(np.diff(ticks(-lowest, highest, 6)).min(initial=max(highest, lowest)))
    marks = [step * k for k in range(-math.ceil(lowest / step), math.ceil(highest / step) + 1)]
    room = max(text_width(f"{abs(m):g}", size.foot) for m in marks) + 0.8 * size.foot
    at = _day_numbers(shown.days)
    x = Scale(-1.0, float(at[-1]) + 1.0, sheet.left + room, sheet.right)
    y = Scale(marks[0], marks[-1], base, top)
    _apart(sheet, shown, x, y)
    for mark in marks:
        sheet.line([x.start, x.end], [y.px(mark)] * 2, colours.of_grid(mark), 1.0 if mark else 1.2)
    sheet.y_labels(x.start, y, marks, [f"{abs(mark):,.0f}" for mark in marks])
    _months(sheet, shown.days, x, base)
    axes = sheet.axes(x, y)
    pixel = (x.high - x.low) / (x.end - x.start)
    usual, width = np.arange(len(at)) != shown.day, max(0.86, pixel)
    for values in (shown.up, -shown.down):
        axes.bar(at[usual], values[usual], width, color=colours.ordinary, linewidth=0)
    wide = max(1.0, 4.0 * size.unit * pixel)
    axes.bar([at[shown.day]], [shown.up[shown.day]], wide, color=colours.of_state("up"), linewidth=0)
    axes.bar([at[shown.day]], [-shown.down[shown.day]], wide, color=colours.of_state("down"), linewidth=0)
    middle = x.px(at[shown.day])
    _calendar_labels(sheet, shown, x, y, label_line, when)
    # no farther than the plot: beside a low bar the line would pass for a high one
    sheet.line([middle] * 2, [label_line + 0.35 * size.body, y.end], colours.ink, 1.0)


def _apart(sheet: Sheet, shown: Calendar, x: Scale, y: Scale) -> None:
    """Shade the days around the day that are not compared."""
    at, day = _day_numbers(shown.days), shown.day
    left = at[day - 1] if shown.apart[0] < 0 and day else at[day]
    right = at[day + 1] if shown.apart[1] > 0 and day + 1 < len(at) else at[day]
    if right > left:
        start, end = (x.px(place + step) for place, step in ((left, 0.5), (right, -0.5)))
        sheet.box(start, y.end, end - start, y.start - y.end, palette().band)


def _calendar_labels(sheet: Sheet, shown: Calendar, x: Scale, y: Scale, line: float, when: str) -> None:
    """Name the day over the plot, and the ordinary days with the most over their bars where they touch nothing."""
    size, at = sheet.size, _day_numbers(shown.days)
    text = f"{when}: {shown.up[shown.day]} up, {shown.down[shown.day]} down"
    sheet.centred(text, x.px(at[shown.day]), line, x.start, sheet.right, bold=True)
    middle = np.array([x.px(place) for place in at])
    taken = [(x.px(at[shown.day]) - 4, x.px(at[shown.day]) + 4)]
    for i in shown.others[:NAMED_DAYS]:
        label = long_day(shown.days[i])
        half = text_width(label, size.foot) / 2
        centre = min(max(middle[i], x.start + half), x.end - half)
        under = np.abs(middle - centre) <= half + 0.3 * size.foot
        if all(centre + half < a or centre - half > b for a, b in taken):
            taken.append((centre - half, centre + half))
            over = y.px(float(shown.up[under].max())) - 0.4 * size.foot
            sheet.text(centre, over, label, size.foot, color=palette().quiet, ha="center")


def _months(sheet: Sheet, days: pd.DatetimeIndex, x: Scale, base: float) -> None:
    """Mark the first days of months, as many as have room, and under the first of each year the year."""
    size = sheet.size
    firsts = pd.date_range(days[0].normalize(), days[-1].normalize(), freq="MS")
    place = {day: x.px(float((day - days[0].normalize()).days)) for day in firsts}
    wide = (
        max(text_width(str(day.year) if day.month == 1 else f"{day:%b}", size.foot) for day in firsts)
        if len(firsts)
        else 0.0
    )
    apart = wide + 0.6 * size.foot
    month = (x.end - x.start) / (x.high - x.low) * 30.4
    every = next((k for k in _EVERY if k * month >= apart), _EVERY[-1])
    last, end = None, -math.inf
    for day in firsts:
        if (day.year * 12 + day.month - 1) % every:
            continue
        sheet.line([place[day]] * 2, [base, base + 0.3 * size.foot], palette().quiet)
        texts = [f"{day:%b}"] if last == day.year else [f"{day:%b}", str(day.year)]
        width = max(text_width(text, size.foot) for text in texts)
        if place[day] < end or place[day] + width > sheet.right:
            continue
        for row, text in enumerate(texts):
            sheet.text(
                place[day], base + (1.5 + 1.3 * row) * size.foot, text, size.foot, color=palette().quiet, role="tick"
            )
        last, end = day.year, place[day] + width + 0.4 * size.foot


# -- Means of groups, each among its own days.


@dataclass(frozen=True, eq=False, slots=True)
class GroupDays:
    """Mean abnormal returns of groups on all days, in the order in which they are drawn.

    Attributes
    ----------
    names : list of str
        The G groups.
    noun : str
        What the groups are called: ``sectors``.
    means : ndarray, shape (D, G)
        As fractions.
    day : int
        The row that is asked about.
    as_far : ndarray of int, shape (G,)
        On how many ordinary days the mean was at least as large, sign left out.
    low, high : ndarray, shape (G,)
        The range that holds the middle 95 % of the ordinary days.
    """

    names: list[str]
    noun: str
    days: pd.DatetimeIndex
    means: np.ndarray
    day: int
    as_far: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def n(self) -> int:
        """How many ordinary days there are."""
        return len(self.days) - 1

    def state(self, j: int) -> State:
        """Return the side of a group's mean, or that it is nothing unusual."""
        value = self.means[self.day, j]
        if not math.isfinite(value):
            return "missing"
        if (1 + self.as_far[j]) / (1 + self.n) > CLEAR:
            return "unclear"
        return "down" if value < 0 else "up"

    def numbers(self) -> Numbers:
        """Return the means and counts that a text may say."""
        when = long_day(self.days[self.day])
        return Numbers(
            names={name: name for name in self.names},
            values={(name, ABNORMAL, (0, 0)): float(v) for name, v in zip(self.names, self.means[self.day], strict=True)},
            counts={
                "groups": len(self.names),
                "ordinary": self.n,
                "as_far_first": int(self.as_far[0]),
                "level": 95.0,
                "test_level": 100.0 * CLEAR,
            },
            days={when: 0},
            spans=frozenset([(0, 0)]),
        )  # fmt: skip


def group_days(shown: GroupDays, *, size: str = "article", source: str = "", title: str | None = None) -> HouseFigure:
    """Draw a row a group: its mean abnormal return of the day among those of ordinary days.

    Parameters
    ----------
    shown : GroupDays
        The means.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title : str, optional
        The source line, and a title in place of the finding.
    """
    when = long_day(shown.days[shown.day])
    values = [f"{name} {_text(v)}" for name, v in zip(shown.names, shown.means[shown.day].tolist(), strict=True)]
    days, groups = shown.means.shape
    legend = [when, f"an ordinary day ({shown.n})", "middle 95% of ordinary days"]
    recipe = Recipe(
        Facts("group_days", parameters={"groups": groups, "days": days}, numbers=shown.numbers()),
        FigureText(
            title=_group_title(shown),
            subtitle=f"Mean abnormal return of the shares in each of {groups} {shown.noun}, on {when} and on {shown.n} ordinary days",
            note=f"Right: on how many of {shown.n} ordinary days the mean was at least as far from zero. Filled: at most {100 * CLEAR:g}% of all days are as far "
            "out.",
            alt=f"Strip plot of mean abnormal returns of {groups} {shown.noun}, a stroke an ordinary day. Mean abnormal returns on {when}: {alt_list(values)}",
        ),
        pd.DataFrame({
            "group": np.repeat(shown.names, days), "date": iso_days(shown.days) * groups,
            "abnormal_return": round_significant(shown.means.T.ravel()),
            "what": ["event day" if i == shown.day else "ordinary day" for i in range(days)] * groups,
        }),
        {
            "group": Column("Group", "the group of shares"),
            "date": Column("Day", "the session"),
            "abnormal_return": ABNORMAL_RETURN,
            "what": WHAT,
        },
        lambda s: legend_height(legend, s) + _row_height(s) * (groups + 0.4) + 2.0 * s.foot,
        lambda sheet: _draw_groups(sheet, shown, legend),
    )  # fmt: skip
    return draw_figure(recipe, size, title=title, source=source)


def _text(value: float) -> str:
    return percent(value, 1)


def _group_title(shown: GroupDays) -> str:
    alone = [name for j, name in enumerate(shown.names) if not shown.as_far[j] and shown.state(j) != "missing"]
    if alone:
        named = alone if len(alone) <= NAMED_GROUPS else [f"{len(alone)} of {len(shown.names)} {shown.noun}"]
        return f"{listed(named)}: on none of {shown.n} ordinary days was the mean abnormal return as far from zero"
    had = " had the most unusual mean abnormal return" if len(shown.names) > 1 else ": a mean abnormal return"
    comma = ":" if len(shown.names) > 1 else ""
    return f"{shown.names[0]}{had}{comma} at least as far from zero on {shown.as_far[0]} of {shown.n} ordinary days"


def _row_height(size: Size) -> float:
    return (2.9 if size.narrow else 2.0) * size.body


def _draw_groups(sheet: Sheet, shown: GroupDays, legend: Sequence[str]) -> None:
    size, colours = sheet.size, palette()
    sheet.legend(_samples(sheet, legend), sheet.top + 0.5 * size.foot)
    top, base = sheet.top + legend_height(legend, size), sheet.bottom - 2.0 * size.foot
    gap = 0.9 * size.body
    texts = [
        (_text(v), plural(k, "day"))
        for v, k in zip(shown.means[shown.day].tolist(), shown.as_far.tolist(), strict=True)
    ]
    widths = [max(text_width(t[i], size.body, not i) for t in texts) for i in (0, 1)]
    name = 0.0 if size.narrow else max(text_width(n, size.body, True) for n in shown.names) + gap
    right = sheet.right if size.narrow else sheet.right - widths[1] - gap - widths[0] - gap
    x = Scale(
        *limits(shown.means.ravel().tolist(), pad=0.03),
        sheet.left + name + (0.4 * size.body if size.narrow else 0.0),
        right - 0.4 * size.body,
    )
    step = (base - top) / (len(shown.names) + 0.4)
    marks, form = fitted_ticks(x, size.foot, percent_ticks)
    sheet.tick_labels(x, marks, form, base + 1.35 * size.foot)
    for j, key in enumerate(shown.names):
        middle = top + (j + 0.7) * step
        line = middle - (1.15 * size.body if size.narrow else 0.0)
        clear = shown.state(j) not in ("unclear", "missing")
        # where texts stand over the plot, the grid leaves them free
        free = line + 0.75 * size.body if size.narrow else middle - 0.7 * step
        last = base if j == len(shown.names) - 1 else middle + (step - 2.0 * size.body if size.narrow else 0.3 * step)
        sheet.x_grid(x, marks, free, last)
        room = x.start - gap - sheet.left if not size.narrow else size.inner - widths[0] - widths[1] - 2 * gap
        sheet.text(sheet.left, line, fit(key, size.body, room, bold=True), bold=True, va="middle")
        sheet.text(sheet.right, line, texts[j][1], color=colours.quiet, ha="right", va="middle")
        sheet.text(sheet.right - widths[1] - gap, line, texts[j][0], bold=clear, ha="right", va="middle")
        _strip(sheet, shown, j, x, middle, 0.3 * size.body if size.narrow else 0.3 * step)


def _strip(sheet: Sheet, shown: GroupDays, j: int, x: Scale, middle: float, half: float) -> None:
    """Draw the days of one group: a band, a stroke an ordinary day, and the day's mark."""
    colours, size = palette(), sheet.size
    low, high, state = x.px(shown.low[j]), x.px(shown.high[j]), shown.state(j)
    sheet.box(low, middle - half, high - low, 2 * half, colours.band)
    days = np.delete(shown.means[:, j], shown.day)
    axes = sheet.axes(x, Scale(-1.0, 1.0, middle + half, middle - half))
    axes.vlines(
        days[np.isfinite(days)], -0.72, 0.72, color=colours.ordinary, linewidth=0.8 * POINTS * size.unit, alpha=0.75
    )
    if state != "missing":
        tint = colours.of_state(state)
        sheet.mark(x.px(shown.means[shown.day, j]), middle, tint, filled=state != "unclear", shape="D", pixels=9)


def _samples(sheet: Sheet, legend: Sequence[str]) -> list[tuple[Callable[[float, float], None], str]]:
    colours, unit = palette(), sheet.size.unit

    def day(x: float, y: float) -> None:
        for place, state in ((x - 5 * unit, "down"), (x + 5 * unit, "up")):
            sheet.mark(place, y, colours.of_state(state), shape="D", pixels=6.5)

    def stroke(x: float, y: float) -> None:
        sheet.line([x, x], [y - 5 * unit, y + 5 * unit], colours.ordinary, 1.2)

    return list(zip((day, stroke, sheet.band_sample(colours.band)), legend, strict=True))
