"""How far a number may lie from a claim, by the wording of the claim.

A claim in print is a number and a word. The word says on which side of the number the truth may lie and how far; the digits say
how finely the number was meant. Nothing here knows a price: a tolerance is a pair of bounds for *computed over claimed*.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

Wording = Literal[
    "",
    "almost",
    "nearly",
    "about",
    "around",
    "roughly",
    "more than",
    "over",
    "at least",
    "less than",
    "under",
    "up to",
    "sharp",
    "sharply",
    "slight",
    "slightly",
    "biggest",
    "record",
    "among the biggest",
    "most",
    "several",
    "all",
    "none",
]
#: Words that go with an amount.
AMOUNT_WORDS = (
    "",
    "almost",
    "nearly",
    "about",
    "around",
    "roughly",
    "more than",
    "over",
    "at least",
    "less than",
    "under",
    "up to",
)
#: Those of them that set a ceiling and no floor: none at all keeps below it.
CEILINGS = ("less than", "under")
#: Words that go with a move.
MOVE_WORDS = ("", "sharp", "sharply", "slight", "slightly")
#: Words that go with a rank.
RANK_WORDS = ("", "biggest", "record", "among the biggest")
#: Words that go with a count, beside those of amounts.
COUNT_WORDS = ("most", "several", "all", "none")

#: How far below its number "almost" and how far to either side "about" may lie.
ALMOST, ABOUT = 0.10, 0.05
#: Beyond the side that a word allows, this much is rounding: 601 may be printed as "almost 600".
ROUNDING = 0.005
#: Share counts in print differ by this much for the same company and day, so an amount in dollars is never finer.
SHARE_COUNT = 0.01
#: "Several" is at least so many.
SEVERAL = 3
#: A share is said to fall "sharply" if the day is among this share of its ordinary days, on that side.
SHARP_TAIL = 0.05
#: "Slightly" is a move no larger than this share of ordinary moves, of either sign.
SLIGHT_SHARE = 2.0 / 3.0

assert {*AMOUNT_WORDS, *MOVE_WORDS, *RANK_WORDS, *COUNT_WORDS} == set(get_args(Wording))


def printed_precision(value: float, least: int = 2) -> float:
    """Return half a unit of the last digit that a printed number shows, as a share of the number.

    Parameters
    ----------
    value : float
        The number as printed, not zero.
    least : int
        So many digits are meant at least: of 600 the first two, not the first alone.

    Returns
    -------
    float

    Examples
    --------
    >>> printed_precision(600), round(printed_precision(16.97), 6), printed_precision(1000), printed_precision(2, 1)
    (0.008333333333333333, 0.000295, 0.05, 0.25)
    """
    mantissa, _, exponent = f"{abs(value):.10e}".partition("e")
    digits = max(len(mantissa.rstrip("0").rstrip(".").replace(".", "")), least)
    return 0.5 * 10.0 ** (int(exponent) - digits + 1) / abs(value)


def tolerance(wording: str, claimed: float, *, dollars: bool) -> tuple[float, float]:
    """Return between which shares of the claimed number a computed one agrees with the claim.

    Parameters
    ----------
    wording : str
        One of `AMOUNT_WORDS`; others are read as no word.
    claimed : float
        The number as printed, positive.
    dollars : bool
        Whether it is an amount of market value, which needs a share count.

    Returns
    -------
    low, high : float
        Bounds of computed over claimed.

    Notes
    -----
    * *almost, nearly*: 0.90 to 1.005. The words promise less than the number, and a tenth is the most that a reader would forgive:
      with 539 nobody writes "almost 600" for want of a nearer round number. Above, only rounding.
    * *about, around, roughly*: 0.95 to 1.05, to either side.
    * *more than, over, at least*: 0.995 and beyond. The words set a floor and no ceiling.
    * *less than, under*: above 0, to 1.005.
    * *up to*: 0.90 to 1.005. The words set a ceiling, and name it because something came near it.
    * no word: as finely as the digits show (`printed_precision`). Two digits at least are meant, and never finer than one per cent, for
      market values, since share counts in print differ by that. Of other numbers below ten the digits before the point are all that are
      meant: a fall of 2.6 is printed as "3 per cent".

    Examples
    --------
    >>> tolerance("almost", 600, dollars=True)
    (0.9, 1.005)
    >>> tolerance("", 1000, dollars=True)
    (0.95, 1.05)
    """
    if wording in ("almost", "nearly", "up to"):
        return 1.0 - ALMOST, 1.0 + ROUNDING
    if wording in ("about", "around", "roughly"):
        return 1.0 - ABOUT, 1.0 + ABOUT
    if wording in ("more than", "over", "at least"):
        return 1.0 - ROUNDING, math.inf
    if wording in CEILINGS:
        return 0.0, 1.0 + ROUNDING
    least = 1 if claimed < 10.0 and not dollars else 2
    reach = max(printed_precision(claimed, least), SHARE_COUNT if dollars else 0.0)
    return 1.0 - reach, 1.0 + reach


def judge_amount(
    ratio: float, bounds: tuple[float, float]
) -> Literal["supported", "contradicted", "overstated", "understated"]:
    """Return the verdict on an amount from computed over claimed; at or below zero it went the other way.

    Examples
    --------
    >>> judge_amount(0.987, (0.9, 1.005)), judge_amount(0.7, (0.9, 1.005)), judge_amount(-0.1, (0.9, 1.005))
    ('supported', 'overstated', 'contradicted')
    """
    slack = 1e-12  # bounds are products of decimals
    if ratio <= 0.0:
        return "contradicted"
    if bounds[0] - slack <= ratio <= bounds[1] + slack:
        return "supported"
    return "overstated" if ratio < bounds[0] else "understated"
