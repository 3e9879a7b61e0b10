"""The figure class: a matplotlib figure with its words and numbers. Imported only when something is drawn."""

from __future__ import annotations

import base64
import html
import os
from typing import IO, TYPE_CHECKING

from matplotlib.figure import Figure

from eventstudy.figures.raster import png_of
from eventstudy.figures.style import DPI, PAPER, house_settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.backend_bases import RendererBase

    from eventstudy.figures.words import FigureText


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
    """

    words: FigureText
    data: pd.DataFrame
    size_name: str

    def __init__(self, words: FigureText, data: pd.DataFrame, size_name: str, width: float, height: float) -> None:
        super().__init__(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
        self.words = words
        self.data = data
        self.size_name = size_name

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
        picture = base64.b64encode(png_of(self, self.words.title, self.words.alt)).decode("ascii")
        return (
            f'<figure style="margin:0"><img alt="{html.escape(self.words.alt, quote=True)}" '
            f'style="width:{self.get_figwidth() * DPI:.0f}px;max-width:100%" '
            f'src="data:image/png;base64,{picture}"></figure>'
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": self.words.alt}
