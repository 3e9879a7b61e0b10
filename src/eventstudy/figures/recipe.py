"""All that a figure is drawn from, as one value: words, numbers with the meaning of their columns, facts, drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from eventstudy.figures.columns import A_SHARE, Column
from eventstudy.figures.house_style import HouseStyle, current_style
from eventstudy.figures.sheet import Sheet
from eventstudy.figures.style import Size
from eventstudy.figures.words import FigureText
from eventstudy.statements import Numbers

if TYPE_CHECKING:
    import pandas as pd

#: What a note says of a title that was not compared with the numbers.
UNCHECKED = "The title is not checked against the numbers."


@dataclass(frozen=True, slots=True)
class Facts:
    """What a figure knows of itself.

    Attributes
    ----------
    states : mapping of str to tuple of str
        For each event the verdicts (``down``, ``up``, ``unclear``, ``missing``) that a title may speak of.
    raw : mapping of str to float
        The raw change of each event, which decides between "fell" and "lagged".
    parameters : mapping of str to object
        How the numbers were made: windows, level, model; plain values.
    inputs : mapping of str to str
        Digests of what the figure was made from, by name.
    mark, embargo_until : str
        A word drawn over the figure, and the moment up to which it holds.
    names : mapping of str to str
        What the study calls its tickers.
    others : set of str
        Tickers whose prices are not those of the firm that is embedded under them, so that its name is not theirs.
    unchecked : bool
        Whether the caller's title was exempted from the check against the numbers.
    numbers : Numbers
        What is drawn, as a text may say it.
    study : callable, optional
        Gives the other numbers of the study that the figure is of.
    own_words : tuple of str
        Which of ``title``, ``subtitle``, ``note`` and ``alt`` are the author's own: not read from end to end, and not certified.
    """

    kind: str
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""
    embargo_until: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    unchecked: bool = False
    numbers: Numbers = field(default_factory=Numbers)
    study: Callable[[], Numbers] | None = None
    own_words: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Recipe:
    """All that a figure is drawn from, so that it can be drawn again with another size, title or mark.

    Attributes
    ----------
    words : FigureText
        The words, without what a mark adds.
    columns : mapping of str to Column
        What each column of the data means.
    height : callable
        From the preset to the pixels of height that the plot would like; at a fixed height it gets what is left,
        or the figure grows if that is less than half.
    """

    facts: Facts
    words: FigureText
    data: pd.DataFrame
    columns: Mapping[str, Column]
    height: Callable[[Size], float]
    draw: Callable[[Sheet], None]
    style: HouseStyle = field(default_factory=current_style)

    @property
    def shown_words(self) -> FigureText:
        """The words with what a mark and an unchecked title add to them."""
        words, facts = self.words, self.facts
        if facts.unchecked:
            words = replace(words, note=f"{words.note} {UNCHECKED}".strip())
        if facts.mark:
            words = replace(words, alt=f"{facts.mark}. {words.alt}")
        return words

    @property
    def price_columns(self) -> list[str]:
        """The columns of the numbers that hold price levels."""
        return [name for name, column in self.columns.items() if column.unit.name.endswith(A_SHARE)]
