"""Whether colours can be told apart: contrast of luminance, in grey, and for eyes that miss a colour."""

from __future__ import annotations

from typing import Literal

Vision = Literal["protanopia", "deuteranopia", "tritanopia", "grey"]

#: Machado, Oliveira and Fernandes (2009), severity 1, on linear red, green and blue.
_MISSING = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
VISIONS: tuple[Vision, ...] = ("protanopia", "deuteranopia", "tritanopia", "grey")
_LUMINANCE = (0.2126, 0.7152, 0.0722)
#: Linear sRGB to CIE XYZ, relative to the white of D65.
_XYZ = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)

Triple = tuple[float, float, float]


def linear(colour: str) -> Triple:
    """Return a colour ``#rrggbb`` as linear red, green and blue from 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def _dot(row: Triple, colour: Triple) -> float:
    return sum(a * b for a, b in zip(row, colour, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours after WCAG 2: 1 for equal ones, 21 for black on white.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted(_dot(_LUMINANCE, linear(c)) for c in (one, other))
    return round((high + 0.05) / (low + 0.05), 4)


def seen(colour: str, vision: Vision) -> Triple:
    """Return how a colour is seen, as linear red, green and blue."""
    rgb = linear(colour)
    if vision == "grey":
        level = _dot(_LUMINANCE, rgb)
        return level, level, level
    red, green, blue = (min(max(_dot(row, rgb), 0.0), 1.0) for row in _MISSING[vision])
    return red, green, blue


def difference(one: str, other: str, vision: Vision) -> float:
    """Return how far apart two colours look: the distance in CIELAB, where about 2 is just seen."""

    def lab(rgb: Triple) -> Triple:
        x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (_dot(row, rgb) for row in _XYZ))
        return 116 * y - 16, 500 * (x - y), 200 * (y - z)

    pairs = zip(lab(seen(one, vision)), lab(seen(other, vision)), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)
