"""Titles held against the numbers: "fell" and "rose" only where the interval excludes zero."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from eventstudy.errors import InvalidInput
from eventstudy.figures.facts import Facts
from eventstudy.figures.words import listed, name_and_date

_FALL = (
    r"fell|falls?|fallen|falling|drops?|dropped|dropping|plung\w+|plummet\w*|sank|sinks?|sunk|slump\w*|tumbl\w+|slid|slides?|"
    r"sliding|declin\w+|decreas\w+|lost|loses?|losing|loss(?:es)?|crash\w*|collaps\w+|sheds?|slips?|slipped|dips?|dipped|dented|"
    r"hurt|hammered|lag|lags|lagged|worse|underperform\w*|down(?! to)|below zero|below expect\w+"
)
_RISE = (
    r"rose|rises?|risen|rising|gain\w*|jump\w*|climb\w*|surg\w+|soar\w*|rally|rallie[sd]|increas\w+|advanc\w+|better|outperform\w*|"
    r"held up|lead(?= on|\b$)|up(?! to)|above zero|above expect\w+"
)
_MOVE = re.compile(rf"\b(?:(?P<down>{_FALL})|(?P<up>{_RISE}))\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:no|not|nor|never|none|neither|without|hardly|cannot)\b|n[’']t\b|\?$", re.IGNORECASE)
_ALL = re.compile(r"\b(?:all|every|each|both)\b", re.IGNORECASE)
_WEAKER = re.compile(r"\bless\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[;:.!](?!\d)|(?<=\?)| [–—] |\b(?:but|while|whereas|though|although)\b", re.IGNORECASE)
#: Stands for an event's name, so that no word of a name is read as a verb.
_HOLE = "\ufffc{}\ufffc"
_FILLED = re.compile(r"\ufffc(\d+)\ufffc")


def title_problems(title: str, facts: Facts) -> list[str]:
    """Return what a title says of movements that the numbers do not carry.

    Parameters
    ----------
    title : str
        Any text.
    facts : Facts
        The verdicts of the events, and their raw changes.

    Returns
    -------
    list of str
        Empty if nothing is wrong. English verbs and nouns of falling and rising are looked for; a sentence that
        denies or asks is left alone.

    Notes
    -----
    The subject of a word of movement are the events named before it, back to the word before; if there is none, those
    named after it; if there is none either, it must hold of at least one event, or of all if the title says "all".

    Examples
    --------
    >>> facts = Facts("event_day", {"A": ("down",), "B": ("unclear",)}, {"A": -0.1, "B": -0.02})
    >>> title_problems("A fell, no clear change for B", facts)
    []
    >>> title_problems("A and B fell", facts)
    ["'fell' is said of B, where the numbers show no clear change"]
    """
    keys = list(facts.states)
    holed = _with_holes(title, keys)
    weaker = bool(_WEAKER.search(title))
    problems = []
    for clause in _CLAUSE.split(holed):
        if _NEGATION.search(clause.strip()):
            continue
        for word, side, named in _claims(clause):
            chosen = [keys[j] for j in named]
            wrong = [k for k in chosen or keys if not _holds(facts, k, side, weaker)]
            if chosen and wrong:
                problems.append(f"{word!r} is said of {listed(wrong)}, where the numbers show {_shown(facts, wrong)}")
            elif not chosen and wrong and (len(wrong) == len(keys) or _ALL.search(clause)):
                what = "any event" if len(wrong) == len(keys) else listed(wrong[:3])
                problems.append(f"{word!r} does not hold of {what}: the numbers show {_shown(facts, wrong)}")
    return problems


def check_title(title: str, facts: Facts) -> None:
    """Refuse a title of the caller's that claims a movement against the numbers.

    Raises
    ------
    InvalidInput
        Says which word, of which event, and what to do.
    """
    problems = title_problems(title, facts)
    if problems:
        raise InvalidInput(
            f"The title {title!r} says more than the numbers: {'; '.join(problems)}. Say 'no clear change', or mark the "
            "figure as unchecked with figure.with_words(title=..., unchecked=True).",
            given=title,
            problems=tuple(problems),
        )


def _with_holes(title: str, keys: list[str]) -> str:
    """Return the title with a number in place of every event's name, the longest first."""
    names: dict[str, int] = {}
    for j, key in enumerate(keys):
        names.setdefault(key, j)
    bare = [name_and_date(key)[0] for key in keys]
    for j, name in enumerate(bare):
        if bare.count(name) == 1:
            names.setdefault(name, j)
    if not names:
        return title
    choices = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    found = re.compile(rf"(?<!\w)(?:{choices})(?!\w)")
    return found.sub(lambda m: _HOLE.format(names[m.group()]), title)


def _claims(clause: str) -> Iterator[tuple[str, str, list[int]]]:
    """Yield each word of movement in a clause, its side, and the numbers of the events that it is said of."""
    words = list(_MOVE.finditer(clause))
    start = 0
    for i, found in enumerate(words):
        named = [int(n) for n in _FILLED.findall(clause[start : found.start()])]
        start = found.end()
        if not named:
            end = words[i + 1].start() if i + 1 < len(words) else len(clause)
            named = [int(n) for n in _FILLED.findall(clause[start:end])]
            start = end if named else start
        yield found.group(), "down" if found.group("down") else "up", named


def _holds(facts: Facts, key: str, side: str, weaker: bool) -> bool:
    """Return whether a movement may be said: the verdict is on that side, or the title says "less" of a raw move."""
    states = facts.states[key]
    if side in states:
        return True
    raw = facts.raw.get(key, float("nan"))
    return weaker and bool({"down", "up"} & set(states)) and (raw < 0 if side == "down" else raw > 0)


def _shown(facts: Facts, keys: list[str]) -> str:
    says: Mapping[str, str] = {
        "down": "a clear fall",
        "up": "a clear rise",
        "unclear": "no clear change",
        "missing": "no return",
    }
    return " or ".join(dict.fromkeys(says[s] for key in keys for s in facts.states[key]))
