"""A drawn figure as bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from eventstudy.figures.style import DPI

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colours in a PNG: a chart has few, and a palette of them takes a third of the room.
PALETTE = 128


def rendered(figure: Figure, form: str, metadata: dict[str, str | None], dpi: float) -> bytes:
    """Return a figure in one of matplotlib's formats."""
    stream = io.BytesIO()
    figure.savefig(stream, format=form, dpi=dpi, metadata=metadata)
    return stream.getvalue()


def png_of(figure: Figure, title: str, alt: str, dots: int = 2) -> bytes:
    """Return a figure as PNG with few colours, ``dots`` dots a pixel, title and text alternative inside."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    resolution = dots * DPI
    picture = Image.open(io.BytesIO(rendered(figure, "png", {"Software": None}, resolution))).convert("RGB")
    picture = picture.quantize(PALETTE, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    meta = PngInfo()
    meta.add_itxt("Title", title)
    meta.add_itxt("Description", alt)
    stream = io.BytesIO()
    picture.save(stream, "png", optimize=True, dpi=(resolution, resolution), pnginfo=meta)
    return stream.getvalue()
