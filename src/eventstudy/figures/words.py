"""What a figure says: titles that the numbers allow, and the words around them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.windows import Window, signed_day
from eventstudy.wording import MINUS, interval, percent, share_digits

#: More events than this are counted in titles and alternative texts, not named.
NAMED = 3
LISTED = 12


@dataclass(frozen=True, slots=True)
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
    source: str
    note: str
    alt: str


def tidy(text: str) -> str:
    """Return a text on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


#: A name made unique by its session: ``NVDA 2025-01-27``, ``NVDA 2025-01-27 #2``.
_DATED = re.compile(r"(\S.*?) (\d{4}-\d{2}-\d{2}(?: #\d+)?)")


def name_and_date(key: str) -> tuple[str, str]:
    """Return an event's name and the date that tells it from others of that name, empty if there is none."""
    found = _DATED.fullmatch(key)
    return (found[1], found[2]) if found else (key, "")


def listed(items: Sequence[str]) -> str:
    """Return items as ``A, B and C``."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def day_text(day: int) -> str:
    """Return a relative day with a typographic minus: ``−5``, ``0``, ``+5``."""
    return signed_day(day).replace("-", MINUS)


def span_text(window: Window, when: str) -> str:
    """Return a window in words: ``on 27 January 2025``, ``on the event day``, ``over trading days 0 to +1``."""
    if window == Window(0, 0):
        return f"on {when}" if when else "on the event day"
    around = f" around {when}" if when else ""
    if window.start == window.end:
        return f"on trading day {day_text(window.start)}{around}"
    return f"over trading days {day_text(window.start)} to {day_text(window.end)}{around}"


def window_text(window: Window) -> str:
    """Return a window as ``[−5, +5]``."""
    return str(window).replace("-", MINUS)


def level_text(level: float) -> str:
    """Return a coverage as ``95%``."""
    return f"{level * 100:.6g}%"


def verdict(value: float, low: float, high: float) -> str:
    """Return ``down`` or ``up`` if the interval excludes 0, else ``unclear``, or ``missing``."""
    if not math.isfinite(value):
        return "missing"
    if not (math.isfinite(low) and math.isfinite(high)) or low <= 0.0 <= high:
        return "unclear"
    return "down" if value < 0 else "up"


def verb(state: str, raw: float) -> str:
    """Return what a clear abnormal return is called beside the raw return: a share that rose did not fall."""
    against = math.isfinite(raw) and (raw >= 0 if state == "down" else raw <= 0)
    return {"down": "lagged" if against else "fell", "up": "held up" if against else "rose"}[state]


def raw_returns(abnormal: AbnormalReturns, window: Window) -> np.ndarray:
    """Return the raw buy-and-hold returns of a window, shape (N,); NaN where a day is missing."""
    days = abnormal.firm_returns[:, abnormal.columns_of(window)]
    return np.asarray(np.prod(1.0 + days, axis=1) - 1.0, dtype=np.float64)


def finding(keys: Sequence[str], states: Sequence[str], raw: Sequence[float], at: str = "") -> str:
    """Return what happened to a few named events, as a title."""
    groups: dict[str, list[str]] = {}
    for key, state, change in zip(keys, states, raw, strict=True):
        if state in ("down", "up"):
            groups.setdefault(verb(state, change), []).append(tidy(key))
    on = f" {at}" if at else ""
    moved = ", ".join(f"{listed(names)} {does}" for does, names in groups.items())
    still = [tidy(k) for k, s in zip(keys, states, strict=True) if s == "unclear"]
    gone = [tidy(k) for k, s in zip(keys, states, strict=True) if s == "missing"]
    parts = [moved + on] if moved else []
    if still:
        parts.append(f"no clear change for {listed(still)}" + ("" if moved else on))
    if gone:
        parts.append(f"no return for {listed(gone)}")
    title = "; ".join(parts)
    return title if moved else title[:1].upper() + title[1:]


#: So many clear events are more than chance if, without any effect, fewer than this share of studies had them.
CHANCE = 0.05


def count_finding(states: Sequence[str], at: str = "", level: float = 0.95, noun: str = "events") -> str:
    """Return what happened to many events, as a title that counts them.

    Parameters
    ----------
    level : float
        Coverage of the intervals: of n events without any effect, ``(1 - level) n`` are clear by chance.

    Notes
    -----
    A count that independent events without effect reach in more than 5 % of studies (binomial) is no finding.

    Examples
    --------
    >>> count_finding(["down"] * 2 + ["unclear"] * 38)
    '2 of 40 events moved clearly, no more than chance gives'
    """
    from scipy.special import bdtrc

    n = sum(s != "missing" for s in states)
    down, up = states.count("down"), states.count("up")
    on = f" {at}" if at else ""
    if not n:
        return "No event has a return to judge"
    if not down and not up:
        return f"No clear change for any of {n} {noun}{on}"
    if float(bdtrc(down + up - 1, n, 1.0 - level)) > CHANCE:
        return f"{down + up} of {n} {noun} moved clearly{on}, no more than chance gives"
    if down and up:
        return f"{down} of {n} {noun} did clearly worse than expected{on}, {up} better"
    side, other = ("worse", "better") if down else ("better", "worse")
    return f"{down or up} of {n} {noun} did clearly {side} than expected{on}, none {other}"


def title_for(
    keys: Sequence[str], states: Sequence[str], raw: Sequence[float], at: str = "", level: float = 0.95
) -> str:
    """Return the title for any number of events: named if few, counted if many."""
    if len(keys) <= NAMED:
        return finding(keys, states, raw, at)
    return count_finding(list(states), at, level)


def spoken(key: str, value: float, low: float, high: float) -> str:
    """Return one event's number for an alternative text."""
    if not math.isfinite(value):
        return f"{tidy(key)}: no return"
    return f"{tidy(key)} {percent(value, 1)} ({interval(low, high, lambda v: percent(v, 1))})"


def alt_list(parts: Sequence[str]) -> str:
    """Return parts of an alternative text, the first and last if there are too many."""
    if len(parts) <= LISTED:
        return "; ".join(parts) + "."
    half = LISTED // 2
    return "; ".join([*parts[:half], f"{len(parts) - 2 * half} between", *parts[-half:]]) + "."


def interval_note(abnormal: AbnormalReturns, level: float) -> str:
    """Return how the intervals were computed, for the foot of a figure."""
    lows, highs = (abnormal.df.min(), abnormal.df.max()) if abnormal.n else (0, 0)
    df = f"{lows}" if lows == highs else f"{lows} to {highs}"
    return (
        f"Intervals: {level_text(level)}, t with prediction error, {df} degrees of freedom; "
        f"estimation days {window_text(abnormal.estimation)}."
    )


# -- What a figure of cumulated paths says: of the sums since the first day, judged by their own bands.


def judged_days(window: Window) -> list[int]:
    """Return the days a title speaks of: day 0, if the window has it, and the last day."""
    return sorted({0, window.end}) if 0 in window else [window.end]


def path_title(keys: Sequence[str], states: Sequence[Sequence[str]], window: Window) -> str:
    """Return which cumulated paths are clearly away from zero, named if few, counted if many.

    Parameters
    ----------
    states : sequence of sequence of str
        For each day of `judged_days` the N verdicts (`words.verdict`) of the sums from the first day to it.

    Examples
    --------
    >>> path_title(["A", "B"], [["down", "unclear"], ["unclear", "unclear"]], Window(-5, 5))
    'Cumulated from day −5, only A is clearly below zero by day 0, none by day +5'
    """
    start = f"Cumulated from day {day_text(window.start)}, "
    days = [f"by day {day_text(d)}" for d in judged_days(window)]
    last = list(states[-1])
    gone = [k for k, s in zip(keys, last, strict=True) if s == "missing"]
    if len(gone) == len(keys):
        return "No event has a return to judge" if len(keys) != 1 else f"No return for {keys[0]}"
    phrase = _named if len(keys) <= NAMED else _counted
    tail = f"; no return for {listed(gone)}" if gone and phrase is _named else ""
    first, clear = phrase(keys, states[0]), [bool({"down", "up"} & set(s)) for s in states]
    if len(states) == 1:
        return f"{start}{first} {days[0]}{tail}"
    if _same(states[0], last):
        both = f"{days[0]} and still {days[1]}" if clear[0] else f"{days[0]} or {days[1].removeprefix('by ')}"
        return f"{start}{first} {both}{tail}"
    if clear[0] and not clear[1]:
        return f"{start}{first} {days[0]}, {'none' if len(keys) > 1 else 'no longer'} {days[1]}{tail}"
    join = "; " if ", " in first else ", "
    second = phrase(keys, last) if phrase is _named or not clear[0] else _counted_again(last)
    return f"{start}{first} {days[0]}{join}{second} {days[1]}{tail}"


def _same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two verdicts name the same events on the same sides."""
    return all(a == b or not {a, b} & {"down", "up"} for a, b in zip(one, other, strict=True))


def _named(keys: Sequence[str], states: Sequence[str]) -> str:
    """Return what holds of a few named events: ``only NVDA is clearly below zero``."""
    sides = [[k for k, s in zip(keys, states, strict=True) if s == side] for side in ("down", "up")]
    groups = [(listed(names), names, word) for names, word in zip(sides, ("below", "above"), strict=True) if names]
    if not groups:
        return "no path is clearly off zero" if len(keys) > 1 else f"{keys[0]} is not clearly off zero"
    (who, names, word), *others = groups
    only = "only " if len(names) == 1 < len(keys) and not others else ""
    text = f"{only}{who} {'is' if len(names) == 1 else 'are'} clearly {word}"
    return text + "".join(f", {more} {side}" for more, _, side in others) + " zero"


def _counted(keys: Sequence[str], states: Sequence[str]) -> str:
    """Return what holds of many events: ``2 of 5 events are clearly below zero, 1 above``."""
    down, up = list(states).count("down"), list(states).count("up")
    if not down and not up:
        return f"none of {len(keys)} events is clearly off zero"
    first, word = (down, "below") if down else (up, "above")
    text = f"{first} of {len(keys)} events {'is' if first == 1 else 'are'} clearly {word} zero"
    return text + (f", {up} above" if down and up else "")


def _counted_again(states: Sequence[str]) -> str:
    """Return the counts of a second day, after `_counted` of a first: ``2 below, 1 above``."""
    counts = [(list(states).count("down"), "below"), (list(states).count("up"), "above")]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def average_title(average: np.ndarray, last: np.ndarray, window: Window) -> str:
    """Return where the average path ends; it has no interval, so nothing is said of its clarity.

    Parameters
    ----------
    average : ndarray, shape (L,)
        The mean of the paths.
    last : ndarray, shape (N,)
        Where each path ends, NaN for events without a return.
    """
    end, n = float(average[-1]), int(np.isfinite(last).sum())
    if not np.isfinite(end):
        return "No event has a return to judge"
    value, days = percent(end, share_digits([end])), [day_text(d) for d in (window.start, window.end)]
    return f"Cumulated from day {days[0]}, {n} events average {value} by day {days[1]}"


def path_alt(key: str, days: Sequence[int], ends: Sequence[Sequence[float]]) -> str:
    """Return one path in words: its sum, with its interval, by each of some days."""
    parts = [spoken("", *end).lstrip(": ") for end in ends]
    if parts[-1] == "no return":
        return f"{key}: no return"
    return f"{key} " + ", ".join(f"{part} by day {day_text(d)}" for d, part in zip(days, parts, strict=True))
