"""How finely a printed number was meant, what follows from that and its word; and the ruling, a verdict with what it rests on.

The word of a claim says on which side of its number the truth may lie and how far (`eventstudy.distances`); the digits say how finely the
number was meant. Nothing here knows a price: bounds are shares, *computed over claimed*.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from eventstudy.claims.words import AMOUNT_WORDS, EXACT_DIGITS, EXACTLY
from eventstudy.distances import Bounds, distance_of, reach_of
from eventstudy.wording import capital, listed, percent

#: Share counts in print differ by this much for the same company and day, so an amount in dollars is never finer.
SHARE_COUNT = 0.01
#: "Several" is at least so many.
SEVERAL = 3
#: A price is said to fall "sharply" if the day is among this share of its estimation days, on that side; else it moved "slightly".
SHARP_TAIL = 0.05


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


def tolerance(wording: str, claimed: float, *, dollars: bool = False, whole: bool = False) -> Bounds:
    """Return between which shares of the claimed number a computed one agrees with the claim.

    Parameters
    ----------
    wording : str
        The claim's word, such as ``almost``; empty if it has none.
    claimed : float
        The number in print, such as 600 for 600 billion.
    dollars : bool
        Whether it is a market value in dollars.
    whole : bool
        Whether it counts things, which have no digits to round.

    Returns
    -------
    Bounds
        The lowest and the highest share, and whether they themselves agree.

    Notes
    -----
    * A word that is not exact reaches one distance, 5 % of its number: *about* to either side, *almost* below, *just over* above, *well over*
      from there on. What is measured may be rounded to the claim's digits: 18.99 is 19, and almost 20.
    * A word that names a side keeps to it: *over*, *under* and *almost* exclude the number itself, *at least*, *at most* and *up to* include
      it, and none lets the truth lie beyond it.
    * No word: as finely as the digits show (`printed_precision`). Two digits at least are meant, and never finer than one per cent, for
      market values, since share counts in print differ by that. Of other numbers below ten the digits before the point are all that are
      meant: a fall of 2.6 is printed as "3 per cent". *Exactly* means three digits at least.

    Examples
    --------
    >>> tolerance("almost", 600, dollars=True)
    Bounds(low=0.95, high=1.0, low_in=True, high_in=False)
    >>> tolerance("", 1000, dollars=True)
    Bounds(low=0.95, high=1.05, low_in=True, high_in=True)
    """
    least = 1 if claimed < 10.0 and not dollars else 2
    finest = SHARE_COUNT if dollars else 0.0
    if wording in EXACTLY:
        least, finest = EXACT_DIGITS, 0.0
    step = 0.0 if whole else max(printed_precision(claimed, least), finest)
    near = wording in AMOUNT_WORDS and wording not in ("", *EXACTLY)
    return reach_of(wording, distance_of(step) if near else step)


def judge_amount(ratio: float, bounds: Bounds) -> Verdict:
    """Return the verdict on an amount from computed over claimed; at or below zero it went the other way.

    Examples
    --------
    >>> judge_amount(0.987, tolerance("almost", 600)), judge_amount(0.7, tolerance("almost", 600)), judge_amount(-0.1, tolerance("", 600))
    ('supported', 'overstated', 'contradicted')
    """
    if ratio <= 0.0:
        return "contradicted"
    verdicts: dict[int, Verdict] = {-1: "overstated", 0: "supported", 1: "understated"}
    return verdicts[bounds.place(ratio)]


def allows(wording: str, amount: float, bounds: Bounds, form: Callable[[float], str], unit: str = "") -> str:
    """Say which amounts a claim allows, in the unit of the claim; one that is no sign stands once, at the end of each number or range.

    Examples
    --------
    >>> allows("almost", 600.0, tolerance("almost", 600), "{:g}".format)
    '“almost 600” allows 565 to below 600'
    >>> allows("about", 150.0, tolerance("about", 150), "{:g}".format, " points")
    '“about 150 points” allows 142.5 to 157.5 points'
    """
    return f"“{f'{wording} {form(amount)}{unit}'.strip()}” allows {bounds.text(amount, form)}{unit}"


def enough_digits(
    form: Callable[[float, int], str], numbers: Sequence[float], lines: Sequence[float], least: int
) -> int:
    """Return how many digits keep numbers apart from the lines that they are judged by, so that a verdict is seen in what is printed.

    Examples
    --------
    >>> enough_digits("{:.{}f}".format, [16.9968], [17.0], 2), enough_digits("{:.{}f}".format, [16.97], [17.0], 2)
    (3, 2)
    """
    lines = [line for line in lines if math.isfinite(line)]
    pairs = [(abs(n), x) for n in numbers for x in lines if not math.isclose(abs(n), x, rel_tol=1e-12)]
    good = (d for d in range(least, least + 8) if all(form(n, d) != form(x, d) for n, x in pairs))
    return next(good, least + 8)


def money(value: float, more: int = 0) -> str:
    """Return US dollars without a sign: in millions, billions or trillions, by more digits than usual where a verdict needs them.

    Examples
    --------
    >>> money(31.4e6), money(-592.34e9), money(1454.8e9), money(64.26e9, 1)
    ('$31.4mn', '$592.3bn', '$1.455tn', '$64.26bn')
    """
    if abs(value) >= 1e9:
        scale, unit, digits = (1e12, "tn", 3) if abs(value) >= 1e12 else (1e9, "bn", 1)
    else:
        scale, unit, digits = 1e6, "mn", 1
    return f"${abs(value) / scale:,.{digits + more}f}".rstrip("0").rstrip(".") + unit


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
    "not clear",
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
        ``fraction``, ``points``, ``USD``, ``rank``, ``count``, ``days``, ``price`` or empty.
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
    if raw == 0.0:
        return f"{capital(name)} did not move"
    size = percent(abs(raw), sign=False)
    size = "less than 0.01%" if size == percent(0.0) else size
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
    on = [r.condition.partition(":")[0] for _, r in rulings]
    each = [f"{r.verdict} {what}".rstrip() if what else r.verdict for (_, r), what in zip(rulings, on, strict=True)]
    verdicts = list(dict.fromkeys(each))
    sentence = " ".join(r.sentence for _, r in rulings)
    readings = tuple(Reading(name, r.number, r.verdict) for name, r in rulings)
    inputs = tuple((f"{name}, {key}", value) for name, r in rulings for key, value in r.inputs)
    unit, days = rulings[0][1].unit, rulings[0][1].days
    if len(verdicts) == 1:
        first = rulings[0][1]
        return replace(
            first,
            condition=on[0],
            sentence=sentence,
            number=math.nan,
            low=math.nan,
            high=math.nan,
            range_of="",
            inputs=inputs,
            readings=readings,
            needs="",
        )
    parts = [f"{v} for {listed([n for (n, _), own in zip(rulings, each, strict=True) if own == v])}" for v in verdicts]
    return Ruling(
        "depends on",
        sentence,
        unit=unit,
        condition=f"{noun}: {'; '.join(parts)}",
        inputs=inputs,
        readings=readings,
        days=days,
    )
