"""What a study gives to all its figures beside their numbers: house style, release mark, names of tickers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from eventstudy.figures.house_style import HouseStyle, current_style, drawing_with
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.titles import reworded
from eventstudy.statements import Numbers

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure

#: With these variables a build gives its notebooks the mark of all their figures.
MARK_VARIABLE, UNTIL_VARIABLE = "EVENTSTUDY_MARK", "EVENTSTUDY_EMBARGO_UNTIL"


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a study gives to all its figures.

    Attributes
    ----------
    style : HouseStyle or None
        The style that the study names; None takes the one in use.
    mark, embargo_until : str
        A word drawn over each figure, such as ``DRAFT``, and the moment up to which it holds.
    names : mapping of str to str
        What the study calls a ticker; titles are checked by these names too.
    others : set of str
        Tickers whose prices are not those of the firm that is embedded under them.
    numbers : callable, optional
        Gives the study's numbers, which titles may name beside those that are drawn.
    """

    style: HouseStyle | None = None
    mark: str = ""
    embargo_until: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    numbers: Callable[[], Numbers] | None = None


_presenting: ContextVar[Presentation | None] = ContextVar("eventstudy_presentation", default=None)


@contextmanager
def presenting(presentation: Presentation) -> Iterator[None]:
    """Draw inside with a study's style, mark and names."""
    token = _presenting.set(presentation)
    try:
        with drawing_with(presentation.style or current_style()):
            yield
    finally:
        _presenting.reset(token)


def _presented(facts: Facts) -> Facts:
    """Return a figure's facts with the mark and the names of the study; the build's mark goes first."""
    study = _presenting.get() or Presentation()
    mark, until = os.environ.get(MARK_VARIABLE, ""), os.environ.get(UNTIL_VARIABLE, "")
    if not mark:
        mark, until = study.mark, study.embargo_until
    until = until if mark else ""
    return replace(
        facts,
        mark=mark,
        embargo_until=until,
        names=dict(study.names),
        others=facts.others | study.others,
        study=study.numbers,
    )


def draw_figure(recipe: Recipe, size: str, *, title: str | None = None, source: str = "") -> HouseFigure:
    """Draw a recipe for the study at hand, with the caller's title, which is checked, and source."""
    from eventstudy.figures.figure import HouseFigure

    recipe = replace(recipe, facts=_presented(recipe.facts))
    return HouseFigure(reworded(recipe, title=title or None, source=source), size)
