"""From numbers to pixels: scales, round ticks and their labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from eventstudy.wording import percent


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values ``low`` to ``high`` onto pixels ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    def px(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def limits(values: Iterable[float], pad: float = 0.04) -> tuple[float, float]:
    """Return axis limits around all finite values and 0, with some air on the sides away from 0."""
    there = [v for v in values if math.isfinite(v)]
    low, high = min([0.0, *there]), max([0.0, *there])
    if high - low < 1e-12:
        return -0.01, 0.01
    air = (high - low) * pad
    return low - air, high + air


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most ``most`` round values in an interval, a multiple of 1, 2 or 5 times a power of ten apart."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / max(most, 1)))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= max(most, 2):
            return [float(f"{k * step:.10g}") for k in range(first, last + 1)]
    return [0.0]


def digits_of(step: float) -> int:
    """Return the decimals that a step needs as a per cent."""
    return max(0, -math.floor(math.log10(step * 100) + 1e-9))


def percent_ticks(values: list[float]) -> Callable[[float], str]:
    """Return the function that writes these ticks as per cents."""
    step = min((b - a for a, b in pairwise(values)), default=0.01)
    digits = digits_of(step)
    return lambda v: percent(v, digits) if v else "0%"


def share_digits(values: Iterable[float]) -> int:
    """Return the decimals for per cents of this magnitude: one, or more if all are tiny."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=1.0)
    return 1 if largest >= 0.005 else 2 if largest >= 0.0005 else 3
