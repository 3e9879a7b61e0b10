"""Paths of cumulative abnormal returns with prediction bands, and their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.estimation.abnormal import AbnormalReturns, SumsOver, nan_mean
from eventstudy.figures import words as say
from eventstudy.figures.columns import EVENT, FRACTION, HIGH, LOW, TRADING_DAYS, Column
from eventstudy.figures.measured import common_numbers, common_parameters, raw_returns
from eventstudy.figures.presentation import draw_figure
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.sheet import Scale, Sheet, fit, legend_height, limits, text_width, y_ticks
from eventstudy.figures.style import POINTS, Size, palette
from eventstudy.figures.words import FigureText
from eventstudy.inference.single import car_interval
from eventstudy.statements import ABNORMAL, AVERAGE, Numbers, Span, State, verdict
from eventstudy.statements import HIGH as HIGH_END
from eventstudy.statements import LOW as LOW_END
from eventstudy.windows import Window
from eventstudy.wording import listed, percent, plural, relative_day, round_significant, share_digits

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure

#: More events than this share one panel, with their average; more than this are no lines any more, but bands.
MOST_PANELS, MOST_LINES = 6, 100
#: The shares of paths below the ends of the bands, by the names of their rows in the data.
QUANTILES = {f"{share:.0%} of events below": share for share in (0.05, 0.25, 0.75, 0.95)}


@dataclass(frozen=True, eq=False, slots=True)
class Paths:
    """CAR from the start of the window to each day, with pointwise bands; arrays of shape (N, L), the average (L,), the ends of bands (4, L)."""

    keys: list[str]
    window: Window
    car: np.ndarray
    low: np.ndarray
    high: np.ndarray
    average: np.ndarray
    quantiles: np.ndarray | None

    @property
    def many(self) -> bool:
        """Whether the events share one panel."""
        return len(self.keys) > MOST_PANELS

    @property
    def days(self) -> np.ndarray:
        """The relative days, shape (L,)."""
        return self.window.days

    def ends_by(self, day: int) -> list[list[float]]:
        """Return the sum up to a day and the ends of its band, for each event."""
        place = day - self.window.start
        return np.stack([a[:, place] for a in (self.car, self.low, self.high)], axis=1).tolist()  # type: ignore[no-any-return]


def _quantiles(car: np.ndarray) -> np.ndarray | None:
    """Return the ends of the bands that the middle of many events' paths lies in, shape (4, L); None where each path is drawn."""
    if len(car) <= MOST_LINES:
        return None
    there = np.isfinite(car).any(axis=0)
    found = np.full((len(QUANTILES), car.shape[1]), np.nan)
    found[:, there] = np.nanquantile(car[:, there], list(QUANTILES.values()), axis=0)
    return round_significant(found)


def paths_of(abnormal: AbnormalReturns, level: float) -> Paths:
    """Return the path of each event, each partial sum with its own exact prediction error."""
    window = abnormal.window
    spans = [Window(window.start, int(day)) for day in window.days]
    abnormal.ask_at_once(*(SumsOver(span) for span in spans))
    ends = [car_interval(abnormal, span, level) for span in spans]
    sums = np.stack([abnormal.sums(span).car for span in spans], axis=1)
    whole = np.isfinite(sums[:, -1])  # an average of the same events on all days
    average = nan_mean(sums[whole] if whole.any() else sums)
    bands = (np.stack([e[k] for e in ends], axis=1) for k in (0, 1))
    car, low, high, mean = (round_significant(abnormal.as_fractions(x)) for x in (sums, *bands, average))
    return Paths([say.tidy(k) for k in abnormal.keys], window, car, low, high, mean, _quantiles(car))


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

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "META", "GOOGL", "^GSPC"], "2023-12-01", "2025-02-14")
    >>> study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5))
    >>> result = study.run(prices, [es.Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")])
    >>> car_paths(result.abnormal).words.title
    'Abnormal returns cumulated from day −5: only NVDA is clearly below zero by day 0, none by day +5'
    """
    paths = paths_of(abnormal, level)
    legend = _legend_of_many(paths) if paths.many else [_test_text(level)]
    height, draw = (_many_height, _draw_many) if paths.many else (_panels_height, _draw_panels)
    judged = [paths.ends_by(day) for day in judged_days(paths.window)]
    states = [[verdict(*ends) for ends in day] for day in judged]
    recipe = Recipe(
        Facts(
            "car_paths",
            dict(zip(paths.keys, zip(*states, strict=True), strict=True)),
            dict(zip(paths.keys, raw_returns(abnormal, paths.window).tolist(), strict=True)),
            common_parameters(abnormal, level),
            numbers=_numbers(paths, abnormal, level, when),
        ),
        _words(paths, judged, states, abnormal, level, when),
        _frame(paths),
        {
            "event": EVENT,
            "day": Column("Trading day", "trading days from the event day, which is 0", TRADING_DAYS),
            "car": Column(
                "Cumulative abnormal return", "sum of abnormal returns from the first day of the window", FRACTION
            ),
            "low": LOW,
            "high": HIGH,
        },
        lambda preset: height(preset, paths, legend),
        lambda sheet: draw(sheet, paths, legend),
    )
    return draw_figure(recipe, size, title=title, source=source)


class _Values(Mapping[tuple[str, str, Span], float]):
    """The drawn sums by event, what they are and days, looked up when a text names them."""

    def __init__(self, paths: Paths) -> None:
        self._window = paths.window
        self._place = {key: i for i, key in enumerate(paths.keys)}
        self._tables = {ABNORMAL: paths.car, LOW_END + ABNORMAL: paths.low, HIGH_END + ABNORMAL: paths.high}
        self._average = paths.average

    def __getitem__(self, name: tuple[str, str, Span]) -> float:
        subject, what, (start, day) = name
        if start != self._window.start or day not in self._window:
            raise KeyError(name)
        if subject == AVERAGE and what == ABNORMAL:
            return float(self._average[day - start])
        return float(self._tables[what][self._place[subject], day - start])

    def __iter__(self) -> Iterator[tuple[str, str, Span]]:
        spans = [(self._window.start, day) for day in self._window]
        each = (key for key in self._place if key != AVERAGE)
        yield from ((key, what, span) for key in each for what in self._tables for span in spans)
        yield from ((AVERAGE, ABNORMAL, span) for span in spans)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _numbers(paths: Paths, abnormal: AbnormalReturns, level: float, when: str) -> Numbers:
    """Return each path's sums and bands, and the average's end, as numbers that a text may say."""
    common = common_numbers(abnormal, level, paths.window, when)
    averaged = int(np.isfinite(paths.car[:, -1]).sum())
    counts = {**common.counts, "events": abnormal.n, "averaged": averaged, "between": abnormal.n - say.LISTED}
    judged = {(paths.window.start, day) for day in judged_days(paths.window)}
    return replace(common, values=_Values(paths), counts=counts, spans=common.spans | judged)


def _frame(paths: Paths) -> pd.DataFrame:
    n, length = paths.car.shape
    table = pd.DataFrame(
        {
            "event": np.repeat(np.array(paths.keys, dtype=object), length),
            "day": np.tile(paths.days, n),
            "car": paths.car.ravel(),
            "low": paths.low.ravel(),
            "high": paths.high.ravel(),
        }
    )
    if not paths.many:
        return table
    drawn = {"average": paths.average}
    if paths.quantiles is not None:
        drawn |= dict(zip(QUANTILES, paths.quantiles, strict=True))
    more = [pd.DataFrame({"event": name, "day": paths.days, "car": row}) for name, row in drawn.items()]
    return pd.concat([table, pd.concat(more).assign(low=np.nan, high=np.nan)], ignore_index=True)


# -- The words: of the sums since the first day, judged by their own bands.


def _words(
    paths: Paths,
    judged: Sequence[Sequence[Sequence[float]]],
    states: Sequence[Sequence[State]],
    abnormal: AbnormalReturns,
    level: float,
    when: str,
) -> FigureText:
    """Return the words, all of the cumulated paths that are drawn; of many, the average's come first."""
    window, keys = paths.window, paths.keys
    start, end = relative_day(window.start), relative_day(window.end)
    average = average_title(paths.average, paths.car[:, -1], window)
    days = judged_days(window)
    spoken = say.alt_list_of(lambda i: path_alt(keys[i], days, [ends[i] for ends in judged]), len(keys))
    then = f" (not drawn). {average}. " if paths.many else ". "
    return FigureText(
        title=average if paths.many else path_title(keys, states, window),
        subtitle=f"Cumulative abnormal return from trading day {start} to {end}"
        + (f"; day 0 is {when}" if when else ""),
        note=_note(abnormal, level, paths.many),
        alt=f"Line chart of cumulative abnormal returns of {plural(abnormal.n, 'event')} over days "
        f"{say.window_text(window)}, with {_test_text(level)}{then}"
        f"Cumulated from day {start}: {spoken}",
    )


def _test_text(level: float) -> str:
    return f"{say.level_text(level)} prediction interval, t with prediction error"


def _note(abnormal: AbnormalReturns, level: float, many: bool) -> str:
    """Return the note: how the bands were made, and what makes a path clear."""
    gaps = "" if np.isfinite(abnormal.ar).all() else " A path ends where a return is missing."
    if gaps and abnormal.skip_gaps and (abnormal.holes is None or not abnormal.holes.any()):
        gaps = " Days without a return add nothing."
    if many:
        return f"Estimation days {say.window_text(abnormal.estimation)}. No interval is drawn for the average.{gaps}"
    first = relative_day(abnormal.window.start)
    clear = f"Clearly off zero by a day: the band of the sum from day {first} to that day excludes 0."
    return f"{say.interval_note(abnormal, level)} {clear}{gaps}"


def judged_days(window: Window) -> list[int]:
    """Return the days a title speaks of: day 0, if the window has it, and the last day."""
    return sorted({0, window.end}) if 0 in window else [window.end]


def path_title(keys: Sequence[str], states: Sequence[Sequence[str]], window: Window) -> str:
    """Return which cumulated paths are clearly away from zero, named if few, counted if many.

    ``states`` are, for each day of `judged_days`, the N verdicts of the sums from the first day to it.

    Examples
    --------
    >>> path_title(["A", "B"], [["down", "unclear"], ["unclear", "unclear"]], Window(-5, 5))
    'Abnormal returns cumulated from day −5: only A is clearly below zero by day 0, none by day +5'
    """
    start = f"Abnormal returns cumulated from day {relative_day(window.start)}: "
    days = [f"by day {relative_day(d)}" for d in judged_days(window)]
    last = list(states[-1])
    gone = [k for k, s in zip(keys, last, strict=True) if s == "missing"]
    if len(gone) == len(keys):
        return "No event has a return to judge" if len(keys) != 1 else f"No return for {keys[0]}"
    phrase = _named if len(keys) <= say.NAMED else _counted
    tail = f"; no return for {listed(gone)}" if gone and phrase is _named else ""
    first, clear = phrase(keys, states[0]), [not say.CLEAR.isdisjoint(s) for s in states]
    if len(states) == 1:
        return f"{start}{first} {days[0]}{tail}"
    if _same(states[0], last):
        return f"{start}{first} {days[0]} {'and still by' if clear[0] else 'or'} day {relative_day(window.end)}{tail}"
    if clear[0] and not clear[1]:
        return f"{start}{first} {days[0]}, {'none' if len(keys) > 1 else 'no longer'} {days[1]}{tail}"
    join = "; " if ", " in first else ", "
    second = phrase(keys, last) if phrase is _named or not clear[0] else _counted_again(keys, last)
    return f"{start}{first} {days[0]}{join}{second} {days[1]}{tail}"


def _same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two verdicts name the same events on the same sides."""
    return all(a == b or say.CLEAR.isdisjoint((a, b)) for a, b in zip(one, other, strict=True))


def _sides(keys: Sequence[str], states: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the events clearly below and above zero, sides without any left out."""
    sides = {"below": "down", "above": "up"}
    found = ((word, [k for k, s in zip(keys, states, strict=True) if s == side]) for word, side in sides.items())
    return [(word, names) for word, names in found if names]


def _named(keys: Sequence[str], states: Sequence[str]) -> str:
    """Return what holds of a few named events: ``only NVDA is clearly below zero``."""
    sides = _sides(keys, states)
    if not sides:
        return "no path is clearly off zero" if len(keys) > 1 else f"{keys[0]} is not clearly off zero"
    (word, names), *others = sides
    only = "only " if len(names) == 1 < len(keys) and not others else ""
    text = f"{only}{listed(names)} {_are(names)} clearly {word}"
    return text + "".join(f", {listed(more)} {side}" for side, more in others) + " zero"


def _counted(keys: Sequence[str], states: Sequence[str]) -> str:
    """Return what holds of many events: ``2 of 5 events are clearly below zero, 1 above``."""
    sides = _sides(keys, states)
    if not sides:
        return f"none of {len(keys)} events is clearly off zero"
    (word, names), *others = sides
    text = f"{len(names)} of {len(keys)} events {_are(names)} clearly {word} zero"
    return text + "".join(f", {len(more)} {side}" for side, more in others)


def _counted_again(keys: Sequence[str], states: Sequence[str]) -> str:
    """Return the counts of a second day, after `_counted` of a first: ``2 below, 1 above``."""
    return ", ".join(f"{len(names)} {word}" for word, names in _sides(keys, states))


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def average_title(average: np.ndarray, last: np.ndarray, window: Window) -> str:
    """Return where the average path ends; it has no interval, so nothing is said of its clarity.

    Parameters
    ----------
    average : ndarray, shape (L,)
        The mean of the paths.
    last : ndarray, shape (N,)
        Where each path ends, NaN for events without a return.
    """
    end, n = float(average[-1]), int(np.isfinite(last).sum())
    if not np.isfinite(end):
        return "No event has a return to judge"
    start, last_day = relative_day(window.start), relative_day(window.end)
    return f"Abnormal returns cumulated from day {start}: {n} events average {percent(end, share_digits([end]))} by day {last_day}"


def path_alt(key: str, days: Sequence[int], ends: Sequence[Sequence[float]]) -> str:
    """Return one path in words: its sum, with its interval, by each of some days."""
    if not np.isfinite(ends[-1][0]):
        return f"{key}: no return"
    parts = (f"{say.value_and_interval(*end)} by day {relative_day(day)}" for day, end in zip(days, ends, strict=True))
    return f"{key} {', '.join(parts)}"


# -- The drawing: a panel each, or all in one.


def _columns_of(size: Size, n: int) -> int:
    if size.column:
        return 1
    if size.narrow:
        return 1 if n <= 3 else 2
    return 2 if n == 4 else min(n, 3)


def _panels_height(size: Size, paths: Paths, legend: list[str]) -> float:
    keys = paths.keys
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


def _legend_of_many(paths: Paths) -> list[str]:
    average = f"average of {len(paths.keys)} events"
    return [average, "one event"] if paths.quantiles is None else [average, "middle half of them", "middle 90%"]


def _inner() -> str:
    """Return the colour of the inner band: that of the outer one, a third of the way to that of lines."""
    pairs = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (palette().band, palette().line)]
    return "#" + "".join(f"{round(a + (b - a) / 3):02x}" for a, b in zip(*pairs, strict=True))


def _many_height(size: Size, paths: Paths, legend: list[str]) -> float:
    plot = 240.0 if size.narrow else 320.0 * size.unit
    return legend_height(legend, size) + plot + 3.2 * size.body + _foot(size)


def _limits_of(*values: np.ndarray) -> tuple[float, float]:
    return limits(np.concatenate([v.ravel() for v in values]).tolist(), pad=0.05)


def _draw_panels(sheet: Sheet, paths: Paths, legend: list[str]) -> None:
    size, keys = sheet.size, paths.keys
    sheet.legend([(sheet.line_sample(palette().line, 2.2, band=True), legend[0])], sheet.top + 0.5 * size.foot)
    columns = _columns_of(size, len(keys))
    rows = -(-len(keys) // columns)
    top = sheet.top + legend_height(legend, size)
    tall = (sheet.bottom - 0.5 * size.foot - top - _label(size)) / rows
    over = _head(size, keys)
    plot = tall - over - _foot(size)
    low, high = _limits_of(paths.car, paths.low, paths.high)
    marks, texts, gutter = y_ticks(low, high, int(plot / (3.4 * size.foot)), size.foot)
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
        if column == 0:
            sheet.y_labels(left, y, marks, texts)
        last = f"{ends[i]} by day {relative_day(paths.window.end)}"
        if _dated(keys):
            _heading_of_two_lines(sheet, key, last, left, head, wide)
        else:
            _heading(sheet, key, last if wide > 13 * size.body else ends[i], left, head, wide)
        _grid(sheet, x, y, marks, named=i == 0)
        _day_labels(sheet, x, paths.days, y.start)
        _path(sheet, x, y, paths, i)


def _end_texts(last: np.ndarray) -> list[str]:
    digits = share_digits(last)
    return [percent(float(v), digits) if np.isfinite(v) else "no return" for v in last]


def _heading(sheet: Sheet, key: str, value: str, left: float, head: float, wide: float) -> None:
    """Write name and last value over a panel, side by side."""
    size = sheet.size
    y = head + 1.2 * size.body
    sheet.name(left, y, key, wide - text_width(value, size.foot) - 0.8 * size.body, size.body * 1.1)
    sheet.text(left + wide, y, value, size.foot, color=palette().ink, ha="right")


def _heading_of_two_lines(sheet: Sheet, key: str, value: str, left: float, head: float, wide: float) -> None:
    """Write name and last value over a panel, one under the other."""
    size = sheet.size
    y = head + 1.2 * size.body
    sheet.name(left, y, key, wide, size.body * 1.1)
    sheet.text(left, y + 1.35 * size.foot, fit(value, size.foot, wide), size.foot, color=palette().ink)


def _grid(sheet: Sheet, x: Scale, y: Scale, marks: list[float], named: bool) -> None:
    size = sheet.size
    for mark in marks:
        sheet.line([x.start, x.end], [y.px(mark)] * 2, palette().of_grid(mark), 1.0 if mark else 1.2)
    if x.low <= 0.0 <= x.high:
        sheet.line([x.px(0.0)] * 2, [y.end - 0.25 * size.foot, y.start], palette().quiet, 1.2, dash=True)
        if named:
            place, height = x.px(0.0), y.end - 0.55 * size.foot
            sheet.centred("event day", place, height, x.start, x.end, size.foot, color=palette().quiet)


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
    sheet.tick_labels(x, chosen, lambda d: relative_day(int(d)), base + 1.5 * sheet.size.foot)


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


def _draw_many(sheet: Sheet, paths: Paths, legend: list[str]) -> None:
    size = sheet.size
    bands = paths.quantiles
    samples = [sheet.line_sample(palette().line, 3.0)]
    if bands is None:
        samples.append(sheet.line_sample(palette().ordinary, 1.0))
    else:
        samples += [sheet.band_sample(_inner()), sheet.band_sample(palette().band)]
    sheet.legend(list(zip(samples, legend, strict=True)), sheet.top + 0.5 * size.foot)
    top = sheet.top + legend_height(legend, size) + 1.6 * size.foot
    base = sheet.bottom - _foot(size)
    low, high = _limits_of(paths.car if bands is None else bands, paths.average)
    marks, texts, gutter = y_ticks(low, high, int((base - top) / (3.4 * size.foot)), size.foot)
    y = Scale(low, high, base, top)
    end = percent(float(paths.average[-1]), share_digits([float(paths.average[-1])]))
    x = Scale(
        float(paths.days[0]) - 0.2,
        float(paths.days[-1]) + 0.2,
        sheet.left + gutter,
        sheet.right - text_width(end, size.body, True) - 0.6 * size.body,
    )
    sheet.y_labels(x.start, y, marks, texts)
    _grid(sheet, x, y, marks, named=True)
    _day_labels(sheet, x, paths.days, base)
    axes = sheet.axes(x, y)
    unit = size.unit * POINTS
    if bands is None:
        for row in paths.car:
            axes.plot(paths.days, row, color=palette().ordinary, linewidth=0.8 * unit)
    else:
        under = sheet.axes(x, y, bands=True)
        for ends, color in ((bands[[0, 3]], palette().band), (bands[1:3], _inner())):
            under.fill_between(paths.days, *ends, color=color, linewidth=0)
    axes.plot(paths.days, paths.average, color=palette().paper, linewidth=6.0 * unit)
    axes.plot(paths.days, paths.average, color=palette().line, linewidth=3.2 * unit)
    if np.isfinite(paths.average[-1]):
        sheet.text(x.end + 0.5 * size.body, y.px(float(paths.average[-1])), end, bold=True, va="middle")
