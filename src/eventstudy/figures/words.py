"""What figures say: titles that the numbers allow, and the words around them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.windows import Window
from eventstudy.wording import MINUS, interval, listed, percent, relative_day

#: More events than this are counted in titles and alternative texts, not named.
NAMED = 3
LISTED = 12

#: The verdicts of intervals that exclude 0.
CLEAR: frozenset[str] = frozenset(["down", "up"])


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureText:
    """The words of a figure.

    Attributes
    ----------
    title : str
        The finding.
    subtitle : str
        What is measured, its unit and period.
    source : str
        Where the numbers come from.
    note : str
        Model, windows, test, what is missing.
    alt : str
        The figure in words, for those who cannot see it.
    """

    title: str
    subtitle: str
    source: str = ""
    note: str
    alt: str


def tidy(text: str) -> str:
    """Return a text on one line, without control characters."""
    line = str(text)
    return " ".join((line if line.isprintable() else "".join(c if c.isprintable() else " " for c in line)).split())


#: A name made unique by its session: ``NVDA 2025-01-27``, ``NVDA 2025-01-27 #2``.
_DATED = re.compile(r"(\S.*?) (\d{4}-\d{2}-\d{2}(?: #\d+)?)")


def name_and_date(key: str) -> tuple[str, str]:
    """Return an event's name and the date that tells it from others of that name, empty if there is none."""
    found = _DATED.fullmatch(key)
    return (found[1], found[2]) if found else (key, "")


# -- When, how sure, and of which window.


def then(when: str) -> str:
    """Return a time as the tail of a sentence, with the space before it; nothing if it is not given."""
    return f" {when}" if when else ""


def on_day(when: str) -> str:
    """Return the event day as the tail of a sentence: `` on 27 January 2025``; nothing if it is not given."""
    return then(when and f"on {when}")


def span_text(window: Window, when: str) -> str:
    """Return a window in words: ``on 27 January 2025``, ``on the event day``, ``over trading days 0 to +1``."""
    if window == Window(0, 0):
        return f"on {when or 'the event day'}"
    around = then(when and f"around {when}")
    if window.start == window.end:
        return f"on trading day {relative_day(window.start)}{around}"
    return f"over trading days {relative_day(window.start)} to {relative_day(window.end)}{around}"


def window_text(window: Window) -> str:
    """Return a window as ``[−5, +5]``."""
    return str(window).replace("-", MINUS)


def level_text(level: float) -> str:
    """Return a coverage as ``95%``."""
    return f"{level * 100:.6g}%"


def interval_basis(abnormal: AbnormalReturns, level: float) -> str:
    """Return how intervals were computed: level, distribution, degrees of freedom, estimation window."""
    lows, highs = (abnormal.df.min(), abnormal.df.max()) if abnormal.n else (0, 0)
    df = f"{lows}" if lows == highs else f"{lows} to {highs}"
    return (
        f"{level_text(level)}, t with prediction error, {df} degrees of freedom; "
        f"estimation days {window_text(abnormal.estimation)}."
    )


def interval_note(abnormal: AbnormalReturns, level: float) -> str:
    """Return how the intervals were computed, for the foot of a figure."""
    return f"Intervals: {interval_basis(abnormal, level)}"


# -- What intervals allow to say: `verdict`, in words.


#: Verb and noun of a clear abnormal return by its verdict and whether the raw return went the other way.
_MOVES = {
    ("down", False): ("fell", "fall"),
    ("down", True): ("lagged", "lag"),
    ("up", False): ("rose", "rise"),
    ("up", True): ("held up", "lead"),
}


def went_against(state: str, raw: float) -> bool:
    """Return whether the raw return did not go where the abnormal one went: a share that rose did not fall."""
    return math.isfinite(raw) and (raw >= 0 if state == "down" else raw <= 0)


def verb(state: str, raw: float) -> str:
    """Return what a clear abnormal return did, beside the raw return: ``fell``, ``lagged``, ``rose``, ``held up``."""
    return _MOVES[state, went_against(state, raw)][0]


def move_noun(state: str, raw: float) -> str:
    """Return what a clear abnormal return was, beside the raw return: ``fall``, ``lag``, ``rise``, ``lead``."""
    return _MOVES[state, went_against(state, raw)][1]


def finding(keys: Sequence[str], states: Sequence[str], raw: Sequence[float], at: str = "") -> str:
    """Return what happened to a few named events, as a title."""
    groups: dict[str, list[str]] = {}
    for key, state, change in zip(keys, states, raw, strict=True):
        if state in CLEAR:
            groups.setdefault(verb(state, change), []).append(tidy(key))
    moved = ", ".join(f"{listed(names)} {does}" for does, names in groups.items())
    still = [tidy(k) for k, s in zip(keys, states, strict=True) if s == "unclear"]
    gone = [tidy(k) for k, s in zip(keys, states, strict=True) if s == "missing"]
    moved += " abnormally" * bool(moved and not still)  # a title names its quantity once
    parts = [moved + then(at)] if moved else []
    if still:
        parts.append(f"no clear abnormal change for {listed(still)}" + ("" if moved else then(at)))
    if gone:
        parts.append(f"no return for {listed(gone)}")
    title = "; ".join(parts)
    return title if moved else title[:1].upper() + title[1:]


#: So many clear events are more than chance if, without any effect, fewer than this share of studies had them.
CHANCE = 0.05


def count_finding(states: Sequence[str], at: str = "", level: float = 0.95, noun: str = "events") -> str:
    """Return what happened to many events, as a title that counts them.

    Notes
    -----
    Of n events without any effect, ``(1 - level) n`` are clear by chance. A count that independent events without
    effect reach in more than 5 % of studies (binomial) is no finding.

    Examples
    --------
    >>> count_finding(["down"] * 2 + ["unclear"] * 38)
    '2 of 40 events had a clear abnormal return, no more than chance gives'
    """
    from scipy.special import bdtrc

    n = sum(s != "missing" for s in states)
    down, up = states.count("down"), states.count("up")
    if not n:
        return "No event has a return to judge"
    if not down and not up:
        return f"No clear abnormal change for any of {n} {noun}{then(at)}"
    if float(bdtrc(down + up - 1, n, 1.0 - level)) > CHANCE:
        return f"{down + up} of {n} {noun} had a clear abnormal return{then(at)}, no more than chance gives"
    if down and up:
        return f"{down} of {n} {noun} did clearly worse than expected{then(at)}, {up} better"
    side, other = ("worse", "better") if down else ("better", "worse")
    return f"{down or up} of {n} {noun} did clearly {side} than expected{then(at)}, none {other}"


def title_for(
    keys: Sequence[str], states: Sequence[str], raw: Sequence[float], at: str = "", level: float = 0.95
) -> str:
    """Return the title for any number of events: named if few, counted if many."""
    if len(keys) <= NAMED:
        return finding(keys, states, raw, at)
    return count_finding(list(states), at, level)


# -- The figure in words, for those who cannot see it.


def value_and_interval(value: float, low: float, high: float) -> str:
    """Return a return with its interval, for an alternative text."""
    if not math.isfinite(value):
        return "no return"
    return f"{percent(value, 1)} ({interval(low, high, lambda v: percent(v, 1))})"


def spoken(key: str, value: float, low: float, high: float) -> str:
    """Return one event's number for an alternative text."""
    colon = "" if math.isfinite(value) else ":"
    return f"{tidy(key)}{colon} {value_and_interval(value, low, high)}"


def alt_list(parts: Sequence[str]) -> str:
    """Return parts of an alternative text, the first and last if there are too many."""
    return alt_list_of(parts.__getitem__, len(parts))


def alt_list_of(part: Callable[[int], str], n: int) -> str:
    """Return `alt_list` of n parts, of which only those that are said are written."""
    if n <= LISTED:
        return "; ".join(map(part, range(n))) + "."
    half = LISTED // 2
    said = [*map(part, range(half)), f"{n - 2 * half} between", *map(part, range(n - half, n))]
    return "; ".join(said) + "."
