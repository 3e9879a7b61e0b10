"""How far a number may lie from a claim, by the wording of the claim; and the ruling, a verdict with what it rests on.

A claim in print is a number and a word. The word says on which side of the number the truth may lie and how far; the digits say
how finely the number was meant. Nothing here knows a price: a tolerance is a pair of bounds for *computed over claimed*.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from eventstudy.wording import capital, listed, percent

#: How far below its number "almost" and how far to either side "about" may lie.
ALMOST, ABOUT = 0.10, 0.05
#: Beyond the side that a word allows, this much is rounding: 601 may be printed as "almost 600".
ROUNDING = 0.005
#: Share counts in print differ by this much for the same company and day, so an amount in dollars is never finer.
SHARE_COUNT = 0.01
#: "Several" is at least so many.
SEVERAL = 3
#: A share is said to fall "sharply" if the day is among this share of its estimation days, on that side.
SHARP_TAIL = 0.05
#: "Slightly" is a move no larger than this share of those of the estimation window, of either sign.
SLIGHT_SHARE = 2.0 / 3.0

#: Words that set a ceiling and no floor: none at all keeps below it.
CEILINGS = ("less than", "under")
#: Between which shares of the claimed number a computed one agrees with it, by the word of the claim.
_BOUNDS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("almost", "nearly"), (1.0 - ALMOST, 1.0 + ROUNDING)),
    **dict.fromkeys(("about", "around", "roughly"), (1.0 - ABOUT, 1.0 + ABOUT)),
    **dict.fromkeys(("more than", "over", "at least"), (1.0 - ROUNDING, math.inf)),
    **dict.fromkeys(CEILINGS, (0.0, 1.0 + ROUNDING)),
    "up to": (1.0 - ALMOST, 1.0 + ROUNDING),
}
#: Words that go with an amount.
AMOUNT_WORDS = ("", *_BOUNDS)
#: Words that go with a move.
MOVE_WORDS = ("", "sharp", "sharply", "slight", "slightly")
#: Words that go with a rank.
RANK_WORDS = ("", "biggest", "record", "among the biggest")
#: Words that go with a count, beside those of amounts.
COUNT_WORDS = ("most", "several", "all", "none")
#: All words that a claim may have.
WORDINGS = tuple(dict.fromkeys((*AMOUNT_WORDS, *MOVE_WORDS, *RANK_WORDS, *COUNT_WORDS)))


def printed_precision(value: float, least: int = 2) -> float:
    """Return half a unit of the last digit that a printed number shows, as a share of the number.

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
        The claim's word, such as ``almost``; empty if it has none.
    claimed : float
        The number in print, such as 600 for 600 billion.
    dollars : bool
        Whether it is a market value in dollars.

    Returns
    -------
    tuple of float
        The lowest and the highest share.

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
    if wording in _BOUNDS:
        return _BOUNDS[wording]
    least = 1 if claimed < 10.0 and not dollars else 2
    reach = max(printed_precision(claimed, least), SHARE_COUNT if dollars else 0.0)
    return 1.0 - reach, 1.0 + reach


def judge_amount(ratio: float, bounds: tuple[float, float]) -> Verdict:
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


# -- What the numbers say of a claim, before it is put beside the quotation.


Verdict = Literal[
    "supported",
    "supported in price only",
    "supported beyond the market only",
    "contradicted",
    "overstated",
    "understated",
    "depends on",
    "not visible in prices",
    "not testable here",
]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a claim, with its number.

    Attributes
    ----------
    label : str
        The way, e.g. ``the S&P 500, net``.
    number : float
        The computed number.
    verdict : str
        What this reading alone would say.
    """

    label: str
    number: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with what it rests on.

    Attributes
    ----------
    verdict : str
        One of `Verdict`.
    sentence : str
        A plain sentence with the number.
    number, low, high : float
        The computed number and its range; NaN where there is none.
    unit : str
        ``fraction``, ``USD``, ``rank``, ``count``, ``days``, ``price`` or empty.
    range_of : str
        What ``low`` and ``high`` are, e.g. ``95% interval of the abnormal return``.
    condition : str
        For ``depends on``: on what.
    inputs : tuple of pairs
        Name and value of each input, as text.
    readings : tuple of Reading
        The ways to read the claim, if there are several.
    needs : str
        For ``not testable here``: what would be needed.
    days : str
        The days judged.
    """

    verdict: Verdict
    sentence: str
    number: float = math.nan
    low: float = math.nan
    high: float = math.nan
    unit: str = ""
    range_of: str = ""
    condition: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    readings: tuple[Reading, ...] = ()
    needs: str = ""
    days: str = ""


def moved(name: str, raw: float) -> str:
    """Return what a share did: ``Nvidia fell 16.97%``."""
    size = percent(abs(raw), sign=False)
    if size == percent(0.0):
        return f"{capital(name)} did not move"
    return f"{capital(name)} {'fell' if raw < 0 else 'rose'} {size}"


def missing_text(tickers: Sequence[str], most: int = 15) -> str:
    """Return which tickers are missing: at most some by name, the rest as a number."""
    shown = ", ".join(tickers[:most])
    return f"{len(tickers)} ({shown}{', …' if len(tickers) > most else ''})" if tickers else "none"


def not_testable(reason: str, needs: str = "") -> Ruling:
    """Return the ruling of what cannot be computed."""
    return Ruling("not testable here", f"{capital(reason).removesuffix('.')}.", needs=needs)


def joint_ruling(rulings: Sequence[tuple[str, Ruling]], noun: str) -> Ruling:
    """Return one ruling for several companies: theirs if they agree, else ``depends on`` with who is which."""
    if len(rulings) == 1:
        return rulings[0][1]
    verdicts = list(dict.fromkeys(r.verdict for _, r in rulings))
    sentence = " ".join(r.sentence for _, r in rulings)
    readings = tuple(Reading(name, r.number, r.verdict) for name, r in rulings)
    inputs = tuple((f"{name}, {key}", value) for name, r in rulings for key, value in r.inputs)
    unit, days = rulings[0][1].unit, rulings[0][1].days
    if len(verdicts) == 1:
        return Ruling(verdicts[0], sentence, unit=unit, inputs=inputs, readings=readings, days=days)
    parts = [f"{v} for {listed([n for n, r in rulings if r.verdict == v])}" for v in verdicts]
    return Ruling(
        "depends on",
        sentence,
        unit=unit,
        condition=f"{noun}: {'; '.join(parts)}",
        inputs=inputs,
        readings=readings,
        days=days,
    )
