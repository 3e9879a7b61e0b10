"""What a figure of cumulated paths says: of the sums since the first day, judged by their own bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventstudy.figures import words as say
from eventstudy.figures.scales import share_digits
from eventstudy.windows import Window
from eventstudy.wording import percent


def judged_days(window: Window) -> list[int]:
    """Return the days a title speaks of: day 0, if the window has it, and the last day."""
    return sorted({0, window.end}) if 0 in window else [window.end]


def path_title(keys: Sequence[str], states: Sequence[Sequence[str]], window: Window) -> str:
    """Return which cumulated paths are clearly away from zero, named if few, counted if many.

    Parameters
    ----------
    keys : sequence of str
        N names.
    states : sequence of sequence of str
        For each day of `judged_days` the N verdicts (`words.verdict`) of the sums from the first day to it.
    window : Window
        The days that the paths run over.

    Examples
    --------
    >>> path_title(["A", "B"], [["down", "unclear"], ["unclear", "unclear"]], Window(-5, 5))
    'Cumulated from day −5, only A is clearly below zero by day 0, none by day +5'
    """
    start = f"Cumulated from day {say.day_text(window.start)}, "
    days = [f"by day {say.day_text(d)}" for d in judged_days(window)]
    last = list(states[-1])
    gone = [k for k, s in zip(keys, last, strict=True) if s == "missing"]
    if len(gone) == len(keys):
        return "No event has a return to judge" if len(keys) != 1 else f"No return for {keys[0]}"
    phrase = _named if len(keys) <= say.NAMED else _counted
    tail = f"; no return for {say.listed(gone)}" if gone and phrase is _named else ""
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
    groups = [(say.listed(names), names, word) for names, word in zip(sides, ("below", "above"), strict=True) if names]
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
    window : Window
        The days that the paths run over.
    """
    end, n = float(average[-1]), int(np.isfinite(last).sum())
    if not np.isfinite(end):
        return "No event has a return to judge"
    value, days = percent(end, share_digits([end])), [say.day_text(d) for d in (window.start, window.end)]
    return f"Cumulated from day {days[0]}, {n} events average {value} by day {days[1]}"


def path_alt(key: str, days: Sequence[int], ends: Sequence[Sequence[float]]) -> str:
    """Return one path in words: its sum, with its interval, by each of some days."""
    parts = [say.spoken("", *end).lstrip(": ") for end in ends]
    if parts[-1] == "no return":
        return f"{key}: no return"
    return f"{key} " + ", ".join(f"{part} by day {say.day_text(d)}" for d, part in zip(days, parts, strict=True))
