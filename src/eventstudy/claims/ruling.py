"""What the numbers say of a claim, before it is put beside the quotation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from eventstudy.wording import MINUS, percent

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


def dollars(value: float) -> str:
    """Return an amount of dollars without a sign: ``$592.3bn``, ``$1.45tn``.

    Examples
    --------
    >>> dollars(-592.34e9), dollars(1454.8e9), dollars(600e9)
    ('$592.3bn', '$1.455tn', '$600bn')
    """
    size = abs(value)
    text = f"{size / 1e12:,.3f}" if size >= 1e12 else f"{size / 1e9:,.1f}"
    text = text.rstrip("0").rstrip(".")
    return f"${text}{'tn' if size >= 1e12 else 'bn'}"


def signed_dollars(value: float) -> str:
    """Return an amount of dollars with its sign: ``−$592.3bn``."""
    return f"{MINUS if value < 0 else '+'}{dollars(value)}"


def moved(name: str, raw: float) -> str:
    """Return what a share did: ``Nvidia fell 16.97%``."""
    subject = name[:1].upper() + name[1:]
    if percent(raw).strip(f"+{MINUS}") == "0.00%":
        return f"{subject} did not move"
    return f"{subject} {'fell' if raw < 0 else 'rose'} {percent(abs(raw), sign=False)}"


def listed(words: Sequence[str]) -> str:
    """Return words as ``a, b and c``."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part) if words else ""


def missing_text(tickers: Sequence[str], most: int = 15) -> str:
    """Return which tickers are missing: at most some by name, the rest as a number."""
    shown = ", ".join(tickers[:most])
    return f"{len(tickers)} ({shown}{', …' if len(tickers) > most else ''})" if tickers else "none"


def not_testable(reason: str, needs: str = "") -> Ruling:
    """Return the ruling of what cannot be computed."""
    text = reason[:1].upper() + reason[1:]
    return Ruling("not testable here", text if text.endswith(".") else f"{text}.", needs=needs)


def together(rulings: Sequence[tuple[str, Ruling]], noun: str) -> Ruling:
    """Return one ruling for several companies: theirs if they agree, else ``depends on`` with who is which.

    Parameters
    ----------
    rulings : sequence of pairs
        Name and ruling.
    noun : str
        What differs, e.g. ``which company is meant``.
    """
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
