"""A day among ordinary days: no text is cut, titles say what the counts allow, the plotted numbers are those given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D

from eventstudy import figures
from eventstudy.figures.ordinary import Calendar, GroupDays, calendar, group_days
from eventstudy.figures.style import SIZES
from eventstudy.figures.titles import numbers_of
from eventstudy.statements import read

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def made_calendar(n: int = 120, seed: int = 4, day: int = 70, apart: int = 0, first: str = "2023-09-01") -> Calendar:
    rng = np.random.default_rng(seed)
    days = pd.bdate_range(first, periods=n + 2 * apart)
    away = abs(np.arange(len(days)) - day - apart)
    days = days[(away == 0) | (away > apart)]
    down, up = rng.poisson(3, n), rng.poisson(3, n)
    down[day], up[day] = 25, 11
    up[day + 1] = 30
    return Calendar(days, down, up, np.full(n, 60), day, 0.025, (-apart, apart))


def made_groups(names: list[str], n: int = 120, day: int = 70, shift: float = 0.03) -> GroupDays:
    rng = np.random.default_rng(8)
    days = pd.bdate_range("2023-09-01", periods=n)
    means = rng.normal(0.0, 0.006, (n, len(names)))
    means[day] += shift * np.linspace(1, -1, len(names))
    as_far = (np.abs(np.delete(means, day, axis=0)) >= np.abs(means[day])).sum(axis=0)
    low, high = np.quantile(np.delete(means, day, axis=0), [0.025, 0.975], axis=0)
    return GroupDays(names, "industries", days, means, day, as_far, low, high)


@pytest.mark.slow
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("day", [0, 3, 70, 118])
def test_the_calendar_fits_wherever_the_day_is(misplaced, size: str, day: int) -> None:
    figure = calendar(made_calendar(day=day), size=size, source="Source: somewhere.", model="By the market model.")
    assert misplaced(figure) == []
    assert all(
        read(getattr(figure.words, part), numbers_of(figure.facts)).holds for part in ("title", "subtitle", "alt")
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize(
    "names", [["Steel"], ["Chips", "A very long name of an industry of things & others", "$x^2$", "D"]]
)
def test_the_groups_fit_whatever_they_are_called(misplaced, size: str, names: list[str]) -> None:
    figure = group_days(made_groups(names), size=size, source="Source: somewhere.")
    assert misplaced(figure) == []
    assert "</svg>" in figures.svg_bytes(figure).decode()


def boxes(figure) -> dict[str, list]:
    """Every text and bar, in pixels of the canvas."""
    figure.canvas.draw()
    found = {"text": [], "bar": []}
    for text in figure.texts:
        found["text"].append((text.get_text(), text.get_window_extent()))
    for axes in figure.axes:
        found["bar"] += [bar.get_window_extent() for bar in axes.patches]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize(
    ("n", "apart", "first"), [(120, 5, "2023-09-01"), (60, 10, "2024-12-16"), (900, 3, "2021-03-01")]
)
def test_days_lie_to_scale_and_labels_touch_neither_bars_nor_each_other(
    size: str, n: int, apart: int, first: str
) -> None:
    shown = made_calendar(n, day=40, apart=apart, first=first)
    figure = calendar(shown, size=size)
    drawn = boxes(figure)
    bars = drawn["bar"]
    usual = [bar.x0 + bar.width / 2 for bar in bars[: n - 1]]
    numbers = np.delete((shown.days - shown.days[0]).days.to_numpy(), shown.day)
    slope, start = np.polyfit(numbers, usual, 1)
    assert np.allclose(usual, start + slope * numbers, atol=0.5)
    named = {(shown.days[i].day, shown.days[i].strftime("%B")) for i in shown.others[:2]}
    labels = [
        (t, b)
        for t, b in drawn["text"]
        if tuple(t.split()[:2]) in {(str(d), m) for d, m in named} or t[:3] in MONTHS or t.isdigit()
    ]
    dates = [(t, b) for t, b in labels if t[:3] not in MONTHS and not t.isdigit()]
    assert dates or n != 120 or size.startswith("print")  # beside the line to the day there may be no room
    for text, box in dates:
        assert not any(box.overlaps(bar) for bar in bars), text
    for i, (text, box) in enumerate(labels):
        assert not [other for other, also in labels[:i] if box.overlaps(also)], text
    # a month's label begins where its first day is
    written = {t for t, _ in labels}
    assert {str(y) for y in {d.year for d in shown.days if d.month == 1 and d.day < 3}} <= written
    for text, box in labels:
        if text[:3] in MONTHS and len(text) == 3:
            places = [
                start + slope * (d - shown.days[0]).days
                for d in pd.date_range(shown.days[0], shown.days[-1], freq="MS")
                if f"{d:%b}" == text
            ]
            assert min(abs(box.x0 - place) for place in places) < 3.0, text
    # the tallest bar ends within the last tick
    ticks = [box for text, box in drawn["text"] if text.isdigit() and int(text) < 1000]
    assert max(bar.y1 for bar in bars) <= max(box.y1 for box in ticks)
    assert min(bar.y0 for bar in bars) >= min(box.y0 for box in ticks)


def test_no_line_stands_where_a_bar_would() -> None:
    """A day without shares that are up: the line to its name must not look like a bar."""
    shown = made_calendar()
    up = shown.up.copy()
    up[shown.day] = 0
    figure = calendar(replace(shown, up=up))
    figure.canvas.draw()
    top = max(bar.get_window_extent().y1 for axes in figure.axes for bar in axes.patches)
    lines = [line.get_window_extent() for line in figure.findobj(Line2D)]
    upright = [box for box in lines if box.width < 3 and box.y1 > top]
    inside = [box for box in upright if box.y0 < top - 2]
    assert upright
    assert inside == []


def test_the_days_left_out_are_shaded_and_said() -> None:
    assert "Shaded: days around the event day" in calendar(made_calendar(apart=5)).words.note
    assert "Shaded" not in calendar(made_calendar()).words.note


def test_titles_say_what_the_counts_allow() -> None:
    assert (
        calendar(made_calendar()).words.title
        == "On 8 December 2023, 36 of 60 shares had an extreme day, more than on any of 119 ordinary days"
    )
    figure = group_days(made_groups(["Steel", "Ships"], shift=0.0))
    assert "had the most unusual mean abnormal return: at least as far from zero on" in figure.words.title
    assert read(figure.words.title, numbers_of(figure.facts)).holds
    assert read(
        "Steel: on none of 118 ordinary days was the mean abnormal return as far from zero", numbers_of(figure.facts)
    ).problems
    one = group_days(made_groups(["Chips"], shift=0.0))
    assert one.words.title.startswith("Chips: a mean abnormal return at least as far from zero on")
    assert read(one.words.title, numbers_of(one.facts)).holds


def test_the_plotted_numbers_are_those_given() -> None:
    given = made_groups(["Steel", "Ships"])
    data = group_days(given).data
    assert data[data["what"] == "event day"]["abnormal_return"].tolist() == pytest.approx(given.means[70].tolist())
    assert len(data) == 240
