"""How far from its number a word lets the truth lie: "about", "nearly", "more than", each once, for titles and claims alike.

The number is a line; the word says on which side of it the truth lies and how far away it may be. All words that are not exact share one
distance (`DISTANCE`); a word that names a side never reaches across its line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

#: The one distance, as a share of the number: within it lies what is near the number, outside it what is well beyond.
DISTANCE = 0.05


class Reach(NamedTuple):
    """From where to where the truth may lie, in distances from the number, and whether the number itself agrees."""

    low: float
    high: float
    line: bool


_INF = math.inf
REACHES: dict[Reach, tuple[str, ...]] = {
    Reach(-1, 0, False): (
        "almost", "nearly", "just under", "just below", "slightly less than", "a little less than", "close to but below",
        "shy of", "just shy of", "short of", "just short of", "approaching", "not quite",
    ),
    Reach(-1, 1, True): ("about", "around", "roughly", "approximately", "some", "close to", "near", "circa"),
    Reach(0, 1, False): ("just over", "just above", "slightly over", "slightly more than", "a little over", "a little more than"),
    Reach(0, _INF, False): (
        "more than", "over", "above", "greater than", "in excess of", "exceeded", "exceeding", "beyond", "past", "upward of",
        "upwards of", "north of", "topped", "topping", "surpassed", "passed", "crossed", "broke through", "broke above",
    ),
    Reach(0, _INF, True): ("at least", "no less than", "not less than", "no fewer than", "or more", "a minimum of"),
    Reach(1, _INF, False): ("well over", "well above", "well more than", "far more than", "far above", "much more than"),
    Reach(-_INF, 0, False): ("less than", "under", "below", "fewer than", "lower than", "south of", "broke below", "fell through"),
    Reach(-_INF, 0, True): ("at most", "no more than", "not more than", "not exceeding", "or less", "a maximum of"),
    Reach(-_INF, -1, False): ("well under", "well below", "far less than", "far below", "much less than"),
    Reach(-1, 0, True): ("up to", "as many as"),
}  # fmt: skip
WORDS = {word: reach for reach, words in REACHES.items() for word in words}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which shares of a claimed number a computed one agrees with it.

    Attributes
    ----------
    low, high : float
        The ends, computed over claimed.
    low_in, high_in : bool
        Whether the ends themselves agree.
    """

    low: float
    high: float
    low_in: bool = True
    high_in: bool = True

    @property
    def ceiling(self) -> bool:
        """Whether there is no floor: none at all keeps below it."""
        return self.low == 0.0

    @property
    def two_sided(self) -> bool:
        """Whether the number can be missed on either side."""
        return self.low > 0.0 and math.isfinite(self.high)

    def place(self, ratio: float) -> int:
        """Return -1 below the bounds, 1 above them, 0 inside.

        Examples
        --------
        >>> [Bounds(1.0, math.inf, low_in=False).place(r) for r in (0.99, 1.0, 1.01)]
        [-1, -1, 0]
        """
        slack = 1e-12  # ratios are quotients of decimals
        if ratio < self.low - slack or (not self.low_in and ratio <= self.low + slack):
            return -1
        return int(ratio > self.high + slack or (not self.high_in and ratio >= self.high - slack))

    def text(self, claimed: float, form: Callable[[float], str]) -> str:
        """Return the bounds in words.

        Examples
        --------
        >>> Bounds(0.95, 1.0, high_in=False).text(600, str), Bounds(1.0, math.inf).text(6, str)
        ('570.0 to below 600.0', '6.0 or more')
        """
        low, high = form(claimed * self.low), ("" if math.isinf(self.high) else form(claimed * self.high))
        if not high:
            return f"{low} or more" if self.low_in else f"above {low}"
        if self.ceiling:
            return f"{high} or less" if self.high_in else f"below {high}"
        return f"{'' if self.low_in else 'above '}{low} to {'' if self.high_in else 'below '}{high}"


def distance_of(step: float) -> float:
    """Return how far a number may lie that is `DISTANCE` away at most, as it is or rounded to the digits in print, of which ``step`` is half a unit.

    Examples
    --------
    >>> round(distance_of(0.5 / 20), 3), distance_of(0.0)  # 18.99 is 19 when rounded, and almost 20
    (0.075, 0.05)
    """
    return max(DISTANCE, (2 * math.floor(DISTANCE / (2 * step) + 1e-9) + 1) * step) if step else DISTANCE


def reach_of(wording: str, step: float) -> Bounds:
    """Return the bounds of a word whose distance is a share of its number.

    Examples
    --------
    >>> reach_of("almost", 0.05)
    Bounds(low=0.95, high=1.0, low_in=True, high_in=False)
    """
    low, high, line = WORDS.get(wording, Reach(-1, 1, True))
    ends = [max(1.0 + end * step, 0.0) for end in (low, high)]
    # the far end of a word that is near its number agrees, the number itself only if the word lets it, nor does the near end of one well beyond
    return Bounds(ends[0], ends[1], low == -1 or (low == 0 and line), (high == 1) or (high == 0 and line))


def one_sided(wording: str) -> bool:
    """Return whether any number on one side agrees with a word.

    Examples
    --------
    >>> one_sided("less than"), one_sided("nearly"), one_sided("")
    (True, False, False)
    """
    return bool(wording) and not reach_of(wording, DISTANCE).two_sided
