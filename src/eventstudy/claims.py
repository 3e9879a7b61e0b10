"""Market claims of articles, held against the numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from eventstudy.windows import Window
from eventstudy.wording import billions, interval, percent

Verdict = Literal[
    "supported",
    "supported in price only",
    "contradicted",
    "overstated",
    "understated",
    "not visible in prices",
    "not testable here",
]

#: What a wording allows: computed over claimed, from … to ….
TOLERANCE = {"almost": (0.90, 1.00), "about": (0.95, 1.05), "more than": (1.00, math.inf), "": (0.99, 1.01)}


@dataclass(frozen=True, slots=True)
class Claim:
    """A quoted market claim and the verdict of the numbers.

    Attributes
    ----------
    quote, source : str
        A few words, and where they stand.
    ticker : str
        Whom it is about.
    window : Window
        The days that it speaks of.
    verdict : str
        ``supported``, ``supported in price only`` (the price moved so, but within the firm's ordinary noise once the
        market is allowed for), ``contradicted``, ``overstated``, ``understated``, ``not visible in prices``,
        ``not testable here``.
    sentence : str
        The number, its inputs and its interval.
    """

    quote: str
    source: str
    ticker: str
    window: Window
    verdict: Verdict
    sentence: str


def judge_direction(says: str, raw: float, abnormal: float, low: float, high: float) -> tuple[Verdict, str]:
    """Judge a claim that a share fell or rose.

    Parameters
    ----------
    says : {"fell", "rose"}
        The claim.
    raw : float
        Return over the window, a fraction.
    abnormal, low, high : float
        Abnormal return and its interval, fractions.

    Returns
    -------
    verdict : str
    sentence : str
        The numbers behind it.

    Examples
    --------
    >>> judge_direction("fell", 0.0191, 0.041, 0.002, 0.08)[0]
    'contradicted'
    """
    if not all(math.isfinite(v) for v in (raw, abnormal, low, high)):
        return "not testable here", "No return for these days."
    sign = -1.0 if says == "fell" else 1.0
    moved = f"Return {percent(raw)}; abnormal {percent(abnormal)} (95% interval {interval(low, high)})."
    if sign * raw <= 0:
        return "contradicted", moved
    beyond = high < 0 if says == "fell" else low > 0
    return ("supported" if beyond else "supported in price only"), moved


def judge_impact(says: str, raw: float, abnormal: float, low: float, high: float) -> tuple[Verdict, str]:
    """Judge a claim that news hurt or helped a company, by its abnormal return alone.

    Parameters and returns are those of `judge_direction`; an abnormal return within its noise is ``not visible in prices``.

    Examples
    --------
    >>> judge_impact("fell", 0.021, -0.001, -0.06, 0.057)[0]
    'not visible in prices'
    """
    verdict, sentence = judge_direction(says, raw, abnormal, low, high)
    if verdict == "not testable here":
        return verdict, sentence
    if low <= 0 <= high:
        return "not visible in prices", sentence
    return ("supported" if (abnormal < 0) == (says == "fell") else "contradicted"), sentence


def judge_value(says: str, claimed: float, wording: str, raw: float, shares_note: str) -> tuple[Verdict, str]:
    """Judge a claimed loss or gain of market value.

    Parameters
    ----------
    says : {"lost", "gained"}
        The claim.
    claimed : float
        Claimed size of the change, US dollars, positive.
    wording : str
        ``almost``, ``about``, ``more than`` or empty; decides the tolerance (`TOLERANCE`).
    raw : float
        Computed raw change of market value, US dollars; a loss is negative.
    shares_note : str
        The share count used, with its date.

    Returns
    -------
    verdict : str
    sentence : str

    Examples
    --------
    >>> judge_value("lost", 600e9, "almost", -592.3e9, "24.477bn shares")[0]
    'supported'
    """
    if not math.isfinite(raw):
        return "not testable here", f"No market value: {shares_note}"
    low, high = TOLERANCE[wording]
    share = (-raw if says == "lost" else raw) / claimed
    sentence = f"Computed {billions(raw, 1)} ({shares_note})."
    if share <= 0:
        return "contradicted", sentence
    if low <= share <= high:
        return "supported", sentence
    return ("overstated" if share < low else "understated"), sentence
