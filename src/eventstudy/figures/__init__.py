"""Figures of event studies, ready for an article.

Each function returns a `HouseFigure`: a matplotlib figure that also carries its words (``words``: title, subtitle,
source, note, alternative text) and its numbers (``data``). The title states what the numbers allow to say. Nothing
here touches matplotlib's global state, and matplotlib itself is imported only when a figure is drawn.
"""

from __future__ import annotations

from eventstudy.figures.bundle import save_bundle
from eventstudy.figures.comparison import several_tests
from eventstudy.figures.distribution import estimation_days, universe
from eventstudy.figures.events import event_day, ranking
from eventstudy.figures.formats import alt_text, csv_text, pdf_bytes, png_bytes, save, svg_bytes
from eventstudy.figures.house_style import HouseStyle, use_style
from eventstudy.figures.market_value import dollars
from eventstudy.figures.paths import car_paths
from eventstudy.figures.scatter import market_scatter
from eventstudy.figures.style import SIZES
from eventstudy.figures.words import FigureText

__all__ = [
    "SIZES",
    "FigureText",
    "HouseStyle",
    "alt_text",
    "car_paths",
    "csv_text",
    "dollars",
    "estimation_days",
    "event_day",
    "market_scatter",
    "pdf_bytes",
    "png_bytes",
    "ranking",
    "save",
    "save_bundle",
    "several_tests",
    "svg_bytes",
    "universe",
    "use_style",
]


def __dir__() -> list[str]:
    return sorted(__all__)
