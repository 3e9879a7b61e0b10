"""Paths of cumulative abnormal returns with prediction bands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns, nan_mean
from eventstudy.figures import words as say
from eventstudy.figures.events import common_parameters
from eventstudy.figures.house_style import Facts
from eventstudy.figures.layout import build
from eventstudy.figures.sheet import Scale, Sheet, fit, legend_height, limits, percent_ticks, text_width, ticks
from eventstudy.figures.style import POINTS, Size, palette
from eventstudy.figures.words import FigureText, average_title, judged_days, path_alt, path_title
from eventstudy.inference.market_value import car_interval
from eventstudy.windows import Window
from eventstudy.wording import percent, round_significant, share_digits

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure

#: More events than this share one panel, with their average.
MOST_PANELS = 6


@dataclass(frozen=True, eq=False, slots=True)
class Paths:
    """CAR from the start of the window to each day, with pointwise bands; arrays of shape (N, L)."""

    days: np.ndarray
    car: np.ndarray
    low: np.ndarray
    high: np.ndarray
    average: np.ndarray


def paths_of(abnormal: AbnormalReturns, level: float) -> Paths:
    """Return the path of each event, each partial sum with its own exact prediction error."""
    first, days = abnormal.window.start, abnormal.window.days
    spans = [Window(first, int(day)) for day in days]
    ends = [car_interval(abnormal, span, level) for span in spans]
    car = round_significant(np.stack([abnormal.sums(span).car for span in spans], axis=1))
    low = round_significant(np.stack([e[0] for e in ends], axis=1))
    high = round_significant(np.stack([e[1] for e in ends], axis=1))
    return Paths(days, car, low, high, round_significant(nan_mean(car)))


def car_paths(
    abnormal: AbnormalReturns,
    *,
    level: float = 0.95,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw cumulative abnormal returns from the start of the event window, day by day.

    Parameters
    ----------
    abnormal : AbnormalReturns
        N events: a panel each with its band up to six, beyond that all paths and their average in one panel.
    level : float
        Coverage of the pointwise two-sided prediction bands, ``CAR ± t_{M-p} S_CAR`` of each partial sum.
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
        If ``level`` or ``size`` is not allowed.
    """
    many = abnormal.n > MOST_PANELS
    paths = paths_of(abnormal, level)
    keys = [say.tidy(k) for k in abnormal.keys]
    words = _words(paths, keys, abnormal, level, (title, source, when))
    legend = [f"average of {abnormal.n} events", "one event"] if many else [_test_text(level)]
    return build(
        words,
        _frame(keys, paths, many),
        _facts(keys, paths, abnormal, level, bool(title)),
        size,
        lambda s: _many_height(s, legend) if many else _panels_height(s, keys, legend),
        lambda sheet: _many(sheet, paths, legend) if many else _panels(sheet, keys, paths, legend),
    )


def _facts(keys: list[str], paths: Paths, abnormal: AbnormalReturns, level: float, own_title: bool) -> Facts:
    """Return what the figure knows of itself: a path may be said to be where its band lies by a day of the title."""
    places = [day - abnormal.window.start for day in judged_days(abnormal.window)]
    states = {
        key: tuple(say.verdict(*(float(a[i, j]) for a in (paths.car, paths.low, paths.high))) for j in places)
        for i, key in enumerate(keys)
    }
    raw = say.raw_returns(abnormal, abnormal.window).tolist()
    return Facts(
        "car_paths",
        states,
        dict(zip(keys, raw, strict=True)),
        common_parameters(abnormal, level),
        own_title=own_title,
    )


def _subtitle(window: Window, when: str) -> str:
    days = f"from trading day {say.day_text(window.start)} to {say.day_text(window.end)}"
    return f"Cumulative abnormal return {days}" + (f"; day 0 is {when}" if when else "")


def _test_text(level: float) -> str:
    return f"{say.level_text(level)} prediction interval, t with prediction error"


def _words(
    paths: Paths, keys: list[str], abnormal: AbnormalReturns, level: float, given: tuple[str | None, str, str]
) -> FigureText:
    """Return the figure's words, all of the cumulated paths that it draws; ``given`` are title, source and day."""
    title, source, when = given
    window, many, days = abnormal.window, len(keys) > MOST_PANELS, judged_days(abnormal.window)
    ends = [
        np.stack([a[:, day - window.start] for a in (paths.car, paths.low, paths.high)], axis=1).tolist()
        for day in days
    ]
    states = [[say.verdict(*end) for end in each] for each in ends]
    found = average_title(paths.average, paths.car[:, -1], window) if many else path_title(keys, states, window)
    spoken = [path_alt(key, days, each) for key, *each in zip(keys, *ends, strict=True)]
    average = f"{average_title(paths.average, paths.car[:, -1], window)}. " if many else ""
    return FigureText(
        title=say.tidy(title) if title else found,
        subtitle=_subtitle(window, when),
        source=say.tidy(source),
        note=_note(abnormal, level, many),
        alt=f"Line chart of cumulative abnormal returns of {abnormal.n} event{'s' * (abnormal.n != 1)} over days "
        f"{say.window_text(window)}, with {_test_text(level)}{' (not drawn)' if many else ''}. {average}"
        f"Cumulated from day {say.day_text(window.start)}: {say.alt_list(spoken)}",
    )


def _note(abnormal: AbnormalReturns, level: float, many: bool) -> str:
    """Return the note: how the bands were made, and what makes a path clear."""
    gaps = "" if np.isfinite(abnormal.ar).all() else " Days without a return add nothing."
    if many:
        return f"Estimation days {say.window_text(abnormal.estimation)}. No interval is drawn for the average.{gaps}"
    first = say.day_text(abnormal.window.start)
    clear = f"Clearly off zero by a day: the band of the sum from day {first} to that day excludes 0."
    return f"{say.interval_note(abnormal, level)} {clear}{gaps}"


def _frame(keys: list[str], paths: Paths, many: bool) -> pd.DataFrame:
    n, length = paths.car.shape
    table = pd.DataFrame(
        {
            "event": np.repeat(np.array(keys, dtype=object), length),
            "day": np.tile(paths.days, n),
            "car": paths.car.ravel(),
            "low": paths.low.ravel(),
            "high": paths.high.ravel(),
        }
    )
    if not many:
        return table
    average = pd.DataFrame({"event": "average", "day": paths.days, "car": paths.average})
    return pd.concat([table, average.assign(low=np.nan, high=np.nan)], ignore_index=True)


def _columns_of(size: Size, n: int) -> int:
    if size.column:
        return 1
    return min(n, (1 if n <= 3 else 2) if size.narrow else 3 if n != 4 else 2)


def _panels_height(size: Size, keys: list[str], legend: list[str]) -> float:
    rows = -(-len(keys) // _columns_of(size, len(keys)))
    plot = {1: 300.0, 2: 195.0}.get(rows, 150.0) * size.unit
    if size.narrow:
        plot = 200.0 if rows == 1 else 78.0
    each = plot + _head(size, keys) + _foot(size)
    return legend_height(legend, size) + _label(size) + rows * each + 0.5 * size.foot


def _dated(keys: Sequence[str]) -> bool:
    """Return whether names carry dates, so that values need a line of their own."""
    return any(say.name_and_date(key)[1] for key in keys)


def _head(size: Size, keys: Sequence[str] = ()) -> float:
    return 2.0 * size.body + (1.35 * size.foot if _dated(keys) else 0.0)


def _label(size: Size) -> float:
    """Return the room for the words "event day", which stand over the first row of panels only."""
    return 1.2 * size.body


def _foot(size: Size) -> float:
    return 2.3 * size.foot


def _many_height(size: Size, legend: list[str]) -> float:
    return legend_height(legend, size) + (240.0 if size.narrow else 320.0 * size.unit) + 3.2 * size.body + _foot(size)


def _y_scale_values(values: list[np.ndarray]) -> tuple[float, float]:
    return limits(np.concatenate([v.ravel() for v in values]).tolist(), pad=0.05)


def _band_sample(sheet: Sheet, band: bool, tint: str, width: float) -> Callable[[float, float], None]:
    unit = sheet.size.unit

    def sample(x: float, y: float) -> None:
        if band:
            sheet.box(x - 9 * unit, y - 6 * unit, 18 * unit, 12 * unit, palette().band)
        sheet.line([x - 9 * unit, x + 9 * unit], [y, y], tint, width)

    return sample


def _y_labels(sheet: Sheet, low: float, high: float, height: float) -> tuple[list[float], list[str], float]:
    marks = ticks(low, high, max(3, int(height / (3.4 * sheet.size.foot))))
    form = percent_ticks(marks)
    texts = [form(m) for m in marks]
    return marks, texts, max(text_width(t, sheet.size.foot) for t in texts) + 0.6 * sheet.size.foot


def _panels(sheet: Sheet, keys: list[str], paths: Paths, legend: list[str]) -> None:
    size = sheet.size
    sheet.legend([(_band_sample(sheet, True, palette().line, 2.2), legend[0])], sheet.top + 0.5 * size.foot)
    columns = _columns_of(size, len(keys))
    rows = -(-len(keys) // columns)
    top = sheet.top + legend_height(legend, size)
    tall = (sheet.bottom - 0.5 * size.foot - top - _label(size)) / rows
    over = _head(size, keys)
    plot = tall - over - _foot(size)
    low, high = _y_scale_values([paths.car, paths.low, paths.high])
    marks, texts, gutter = _y_labels(sheet, low, high, plot)
    gap = 1.6 * size.body
    ends = _end_texts(paths.car[:, -1])
    wide = (sheet.right - sheet.left - gutter - (columns - 1) * gap) / columns
    for i, key in enumerate(keys):
        row, column = divmod(i, columns)
        left = sheet.left + gutter + column * (wide + gap)
        head = top + row * tall + (_label(size) if row else 0.0)
        ceiling = head + over + (0.0 if row else _label(size))
        y = Scale(low, high, ceiling + plot, ceiling)
        x = Scale(float(paths.days[0]) - 0.4, float(paths.days[-1]) + 0.4, left, left + wide)
        for mark, text in zip(marks, texts, strict=True):
            if column == 0:
                sheet.text(
                    left - 0.6 * size.foot, y.px(mark), text, size.foot, color=palette().quiet, ha="right", va="middle"
                )
        _heading(sheet, key, ends[i], int(paths.days[-1]), (left, wide, head, _dated(keys)))
        _grid(sheet, x, y, marks, named=i == 0)
        _day_labels(sheet, x, paths.days, y.start)
        _path(sheet, x, y, paths, i)


def _end_texts(last: np.ndarray) -> list[str]:
    digits = share_digits(last)
    return [percent(float(v), digits) if np.isfinite(v) else "no return" for v in last]


def _heading(sheet: Sheet, key: str, value: str, day: int, place: tuple[float, float, float, bool]) -> None:
    """Write name and last value over a panel, on one line or two; ``place``: left, width, top, whether two."""
    left, wide, head, two = place
    size = sheet.size
    tail = f"{value} by day {say.day_text(day)}" if two or wide > 13 * size.body else value
    y = head + 1.2 * size.body
    room = wide if two else wide - text_width(tail, size.foot) - 0.8 * size.body
    sheet.name(left, y, key, room, size.body * 1.1)
    if two:
        sheet.text(left, y + 1.35 * size.foot, fit(tail, size.foot, wide), size.foot, color=palette().ink)
    else:
        sheet.text(left + wide, y, tail, size.foot, color=palette().ink, ha="right")


def _grid(sheet: Sheet, x: Scale, y: Scale, marks: list[float], named: bool) -> None:
    size = sheet.size
    for mark in marks:
        strong = mark == 0.0
        sheet.line(
            [x.start, x.end], [y.px(mark)] * 2, palette().ink if strong else palette().grid, 1.2 if strong else 1.0
        )
    if x.low <= 0.0 <= x.high:
        sheet.line([x.px(0.0)] * 2, [y.end - 0.25 * size.foot, y.start], palette().quiet, 1.2, dash=True)
        if named:
            half = text_width("event day", size.foot) / 2
            centre = min(max(x.px(0.0), x.start + half), x.end - half)
            sheet.text(centre, y.end - 0.55 * size.foot, "event day", size.foot, color=palette().quiet, ha="center")


def _day_labels(sheet: Sheet, x: Scale, days: np.ndarray, base: float) -> None:
    whole = [int(d) for d in days]
    step = next(
        s
        for s in (1, 2, 5, 10, 20, 50, 100, 10**6)
        if len(whole) / s <= max(3.0, (x.end - x.start) / (2.6 * sheet.size.foot)) or s == 10**6
    )
    step = 5 if len(whole) > 7 and step < 5 else step
    chosen = [d for d in whole if d % step == 0] or [whole[0], whole[-1]]
    for day in chosen:
        sheet.line([x.px(day)] * 2, [base, base + 0.3 * sheet.size.foot], palette().quiet, 1.0)
    sheet.tick_labels(x, chosen, lambda d: say.day_text(int(d)), base + 1.5 * sheet.size.foot)


def _path(sheet: Sheet, x: Scale, y: Scale, paths: Paths, i: int) -> None:
    axes = sheet.axes(x, y)
    unit = sheet.size.unit * POINTS
    seen = np.isfinite(paths.low[i]) & np.isfinite(paths.high[i])
    under = sheet.axes(x, y, bands=True)
    under.fill_between(paths.days, paths.low[i], paths.high[i], where=seen.tolist(), color=palette().band, linewidth=0)
    axes.plot(
        paths.days,
        paths.car[i],
        color=palette().line,
        linewidth=2.2 * unit,
        marker="o",
        markersize=4.2 * unit,
        solid_joinstyle="round",
        clip_on=False,
    )


def _many(sheet: Sheet, paths: Paths, legend: list[str]) -> None:
    size = sheet.size
    samples = [_band_sample(sheet, False, palette().line, 3.0), _band_sample(sheet, False, palette().ordinary, 1.0)]
    sheet.legend(list(zip(samples, legend, strict=True)), sheet.top + 0.5 * size.foot)
    top = sheet.top + legend_height(legend, size) + 1.6 * size.foot
    base = sheet.bottom - _foot(size)
    low, high = _y_scale_values([paths.car, paths.average])
    marks, texts, gutter = _y_labels(sheet, low, high, base - top)
    y = Scale(low, high, base, top)
    end = percent(float(paths.average[-1]), share_digits([float(paths.average[-1])]))
    x = Scale(
        float(paths.days[0]) - 0.2,
        float(paths.days[-1]) + 0.2,
        sheet.left + gutter,
        sheet.right - text_width(end, size.body, True) - 0.6 * size.body,
    )
    for mark, text in zip(marks, texts, strict=True):
        sheet.text(
            x.start - 0.6 * size.foot, y.px(mark), text, size.foot, color=palette().quiet, ha="right", va="middle"
        )
    _grid(sheet, x, y, marks, named=True)
    _day_labels(sheet, x, paths.days, base)
    axes = sheet.axes(x, y)
    unit = size.unit * POINTS
    for row in paths.car:
        axes.plot(paths.days, row, color=palette().ordinary, linewidth=0.8 * unit)
    axes.plot(paths.days, paths.average, color=palette().paper, linewidth=6.0 * unit)
    axes.plot(paths.days, paths.average, color=palette().line, linewidth=3.2 * unit)
    if np.isfinite(paths.average[-1]):
        sheet.text(x.end + 0.5 * size.body, y.px(float(paths.average[-1])), end, bold=True, va="middle")
