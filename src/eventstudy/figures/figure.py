"""The figure class: a matplotlib figure with its words and numbers. Imported only when something is drawn."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from matplotlib.figure import Figure

from eventstudy.figures.bundle import save_bundle
from eventstudy.figures.formats import png_bytes
from eventstudy.figures.house_style import drawing_with
from eventstudy.figures.layout import Layout
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.style import DPI, house_settings, size_of
from eventstudy.figures.titles import reworded
from eventstudy.figures.words import FigureText, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.backend_bases import RendererBase


class HouseFigure(Figure):
    """A figure in the house style.

    Attributes
    ----------
    words : FigureText
        Title, subtitle, source, note and alternative text.
    data : DataFrame
        The plotted numbers, rounded to ten significant digits.
    size_name : str
        The preset it was laid out for.
    recipe : Recipe
        What it was drawn from.
    """

    size_name: str
    recipe: Recipe

    def __init__(self, recipe: Recipe, size_name: str) -> None:
        size = size_of(size_name)
        with drawing_with(recipe.style), house_settings():
            layout = Layout.of(recipe, size)
            inches = (size.width / DPI, layout.height / DPI)
            super().__init__(figsize=inches, dpi=DPI, facecolor=recipe.style.palette.paper)
            self.patch.set_gid("paper")
            self.recipe = recipe
            self.size_name = size_name
            layout.draw(self)

    @property
    def words(self) -> FigureText:
        """Title, subtitle, source, note and alternative text, with what a mark adds."""
        return self.recipe.shown_words

    @property
    def data(self) -> pd.DataFrame:
        """The plotted numbers, rounded to ten significant digits."""
        return self.recipe.data

    @property
    def facts(self) -> Facts:
        """What the figure knows of itself."""
        return self.recipe.facts

    def at_size(self, size: str) -> HouseFigure:
        """Return the same figure laid out anew for another preset.

        Parameters
        ----------
        size : str
            One of `eventstudy.figures.SIZES`.
        """
        return HouseFigure(self.recipe, size)

    def with_words(
        self,
        *,
        title: str | None = None,
        subtitle: str | None = None,
        source: str | None = None,
        note: str | None = None,
        alt: str | None = None,
        unchecked: bool = False,
    ) -> HouseFigure:
        """Return the figure with some of its words replaced.

        Parameters
        ----------
        title, subtitle, source, note, alt : str, optional
            What is left out stays as it is.
        unchecked : bool
            Keep words that say what the numbers deny, as the author's own; of a title the note then says that it is not checked.

        Returns
        -------
        HouseFigure
            Laid out anew.

        Raises
        ------
        InvalidInput
            If a text says what the numbers deny, such as "fell" where the interval does not exclude zero on that side, or another
            return, and ``unchecked`` is false.

        Notes
        -----
        Texts are read by `eventstudy.statements.read`. One that cannot be read from end to end is kept as the author's own words: it is not
        certified, and the bundle's JSON says so (``title_checked``, ``own_words``).
        """
        new = reworded(
            self.recipe, title=title, subtitle=subtitle, source=source, note=note, alt=alt, unchecked=unchecked
        )
        return HouseFigure(new, self.size_name)

    def marked(self, mark: str, *, embargo_until: str = "") -> HouseFigure:
        """Return the figure with a mark over it, such as ``DRAFT``: drawn, in the alternative text and in the files.

        Parameters
        ----------
        mark : str
            The words of the mark; empty takes a mark away.
        embargo_until : str, optional
            The moment up to which it holds, for the bundle's JSON.
        """
        facts = replace(self.facts, mark=tidy(mark), embargo_until=tidy(embargo_until) if tidy(mark) else "")
        return HouseFigure(replace(self.recipe, facts=facts), self.size_name)

    def describe(
        self, *, parameters: Mapping[str, object] | None = None, inputs: Mapping[str, str] | None = None
    ) -> HouseFigure:
        """Say more of how the figure was made, for the bundle's JSON; nothing drawn changes.

        Parameters
        ----------
        parameters : mapping, optional
            Plain values by name, added to those of the figure.
        inputs : mapping of str to str, optional
            Digests of what the figure was made from, added to those it has.

        Returns
        -------
        HouseFigure
            The same figure.
        """
        facts = replace(
            self.facts,
            parameters={**self.facts.parameters, **(parameters or {})},
            inputs={**self.facts.inputs, **(inputs or {})},
        )
        self.recipe = replace(self.recipe, facts=facts)
        return self

    def save_bundle(self, name: str, folder: str | os.PathLike[str] = ".", *, prices: bool = True) -> list[Path]:
        """Write the figure as a bundle; see `eventstudy.figures.save_bundle`."""
        return save_bundle(self, folder, name, prices=prices)

    def draw(self, renderer: RendererBase) -> None:
        """Draw with the house settings, whatever the session's."""
        with house_settings():
            super().draw(renderer)

    def savefig(
        self, fname: str | os.PathLike[str] | IO[bytes], *, transparent: bool | None = None, **kwargs: object
    ) -> None:
        """Save with the house settings, whatever the session's."""
        with house_settings():
            super().savefig(fname, transparent=transparent, **kwargs)

    def __repr__(self) -> str:
        return f"<HouseFigure {self.words.title!r}, {self.size_name}>"

    def _repr_html_(self) -> str:
        picture = base64.b64encode(png_bytes(self)).decode("ascii")
        return (
            f'<figure style="margin:0"><img alt="{html.escape(self.words.alt, quote=True)}" '
            f'style="width:{self.get_figwidth() * DPI:.0f}px;max-width:100%" '
            f'src="data:image/png;base64,{picture}"></figure>'
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": self.words.alt}
