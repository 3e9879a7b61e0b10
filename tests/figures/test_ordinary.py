"""A day among ordinary days: no text is cut, titles say what the counts allow, the plotted numbers are those given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy import figures
from eventstudy.figures.ordinary import Calendar, GroupDays, calendar, group_days
from eventstudy.figures.style import SIZES
from eventstudy.figures.titles import numbers_of
from eventstudy.statements import read


def made_calendar(n: int = 120, seed: int = 4, day: int = 70) -> Calendar:
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2023-09-01", periods=n)
    down, up = rng.poisson(3, n), rng.poisson(3, n)
    down[day], up[day] = 25, 11
    up[day + 1] = 30
    return Calendar(days, down, up, np.full(n, 60), day, 0.025)


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
