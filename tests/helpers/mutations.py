"""Sentences changed in one number, sign, unit, subject or direction at a time: each says something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

DIGITS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
UNITS = {"percentage points": ("%", "bn"), "%": ("bn", " percentage points"), "bn": ("tn", "%"), "tn": ("bn", "%")}
DIRECTIONS = (
    ("fell", "rose"), ("lost", "gained"), ("below", "above"), ("worse", "better"), ("more than expected", "less than expected"),
    ("lagged", "held up"), ("fall", "rise"), ("as low", "as high"),
)  # fmt: skip


def mutations(text: str, subjects: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield a word for what was changed, and the changed sentence; ``subjects`` are names and whom they mean."""
    yield from (("number", changed) for changed in _numbers(text))
    for found in re.finditer(r"(?<![\w-])[−+](?=\$?\d)", text):
        flipped = "+" if found.group() == "−" else "−"
        yield "sign", text[: found.start()] + flipped + text[found.end() :]
    for unit, others in UNITS.items():
        for found in re.finditer(rf"(?<=\d) ?{re.escape(unit)}(?!\w)", text):
            yield from (("unit", text[: found.start()] + other + text[found.end() :]) for other in others)
    named = [name for name in subjects if re.search(rf"(?<![\w^]){re.escape(name)}(?!\w)", text)]
    for one, other in combinations(named, 2):
        listed = re.search(
            rf"(?:{re.escape(one)}(?:,| and|, and) {re.escape(other)}|{re.escape(other)}(?:,| and|, and) {re.escape(one)})(?!\w)",
            text,
        )
        if listed or subjects[one] == subjects[other] or one.startswith(other) or other.startswith(one):
            continue  # of both the same is said, or they are one
        yield "subject", _swapped(text, one, other)
    for one, other in DIRECTIONS:
        for found in re.finditer(rf"\b(?:{one}|{other})\b", text):
            yield "direction", text[: found.start()] + (other if found.group() == one else one) + text[found.end() :]


def _numbers(text: str) -> Iterator[str]:
    """Yield the text with each of its numbers changed in each of the ways of `_others`."""
    for found in DIGITS.finditer(text):
        for number in dict.fromkeys(_others(found.group())):
            yield text[: found.start()] + number + text[found.end() :]


def _others(shown: str) -> Iterator[str]:
    """Yield other numbers of the same form: each digit one up and one down, one digit more, ten times."""
    for i, digit in enumerate(shown):
        if digit.isdigit():
            for step in (1, 9):
                changed = shown[:i] + str((int(digit) + step) % 10) + shown[i + 1 :]
                if float(changed.replace(",", "")) != float(shown.replace(",", "")):
                    yield changed
    yield f"1{shown}"
    if float(shown.replace(",", "")):
        yield shown.replace(".", "") if "." in shown else f"{shown}0"


def _swapped(text: str, one: str, other: str) -> str:
    both = re.compile(rf"(?<![\w^])(?:{re.escape(one)}|{re.escape(other)})(?!\w)")
    return both.sub(lambda m: other if m.group() == one else one, text)
