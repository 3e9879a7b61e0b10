"""Texts measured in pixels: their width, their lines, and what of them fits."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from eventstudy.figures.house_style import current_style
from eventstudy.figures.style import POINTS, Size, font
from eventstudy.figures.words import name_and_date, tidy

#: Line height in text sizes, and the share of it above the baseline.
LEADING = 1.28
#: Room for the difference between measured and drawn text.
SLACK = 1.015


#: What no line break may part: dates, "day 0", windows in brackets.
_TOGETHER = re.compile(r"\d{1,2} [A-Z]\w+ \d{4}|\bdays? [−+]?\d+|\[[−+\-]?\d+, [−+\-]?\d+\]")
_TIE = "\N{NO-BREAK SPACE}"


def text_width(text: str, pixels: float, bold: bool = False) -> float:
    """Return the width of a text in pixels, in the font of the style in use."""
    style = current_style()
    return _width(text, pixels, bold, style.semibold if bold else style.regular)


@lru_cache(maxsize=4096)
def _width(text: str, pixels: float, bold: bool, file: Path) -> float:
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, font(pixels, bold), False)
    return float(width) / POINTS * SLACK


def name_width(key: str, size: Size, pixels: float = 0.0) -> float:
    """Return the pixels that `Sheet.name` needs for a name and its date."""
    pixels = pixels or size.body
    name, date = name_and_date(tidy(key))
    return text_width(name, pixels, True) + (0.3 * pixels + text_width(date, size.foot) if date else 0.0)


def wrap(text: str, pixels: float, room: float, bold: bool = False) -> list[str]:
    """Break a text into lines no wider than ``room``, not inside a date; a long word is broken where it must be."""
    # words are measured alone: they recur, whole lines do not
    blank = text_width("n n", pixels, bold) - 2 * text_width("n", pixels, bold)
    lines: list[str] = []
    line, used = "", 0.0
    for glued in _TOGETHER.sub(lambda found: found.group().replace(" ", _TIE), tidy(text)).split(" "):
        word = glued.replace(_TIE, " ")
        width = text_width(word, pixels, bold) if word else 0.0
        if line and used + blank + width <= room:
            line, used = f"{line} {word}", used + blank + width
            continue
        if line:
            lines.append(line)
        line, used = word, width
        while used > room and len(line) > 1:
            head = fit(line, pixels, room, bold, end="")
            lines.append(head)
            line = line[len(head) :]
            used = text_width(line, pixels, bold) if line else 0.0
    return [*lines, line] if line else lines


def balanced(text: str, pixels: float, room: float, bold: bool = False) -> list[str]:
    """Break a text into as few lines as `wrap` does, of about equal length, so that no word is left alone."""
    lines = wrap(text, pixels, room, bold)
    low, high = 0.0, room
    while high - low > 2.0 and len(lines) > 1:
        middle = (low + high) / 2
        trial = wrap(text, pixels, middle, bold)
        if len(trial) > len(lines) or any(" " not in x and text_width(x, pixels, bold) > middle for x in trial):
            low = middle
        else:
            high, lines = middle, trial
    return lines


def fit(text: str, pixels: float, room: float, bold: bool = False, end: str = "…") -> str:
    """Cut a text to a width, with an ellipsis for what is lost; at least one character stays."""
    text = tidy(text)
    if text_width(text, pixels, bold) <= room:
        return text
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle] + end, pixels, bold) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low] + end
