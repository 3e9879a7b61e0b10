"""Figures of event studies, ready for an article.

Each function returns a `HouseFigure`: a matplotlib figure that also carries its words (``words``: title, subtitle,
source, note, alternative text) and its numbers (``data``). The title states what the numbers allow to say. Nothing
here touches matplotlib's global state, and matplotlib itself is imported only when a figure is drawn;
``__init__.pyi`` says where each function is.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
