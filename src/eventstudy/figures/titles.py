"""Titles compared with the numbers: "fell" and "rose" only where the interval excludes zero."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from eventstudy.errors import InvalidInput
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.words import CLEAR, name_and_date, tidy
from eventstudy.wording import first_few, listed

# -- By which names a title may speak of a figure's events.

#: What a company's name may do without.
_FORM = re.compile(
    r"[,\s]+(?:inc|corp|corporation|co|company|companies|plc|ltd|limited|group|holdings?|n\.?v|s\.?a|ag|se|the)\.?$",
    re.IGNORECASE,
)
#: A first word shorter than this, or one of these, names nobody.
_LEAST_LETTERS = 4
_COMMON = frozenset([
    "advanced", "air", "alliance", "american", "applied", "archer", "arch", "bank", "best", "boston", "brown",
    "capital", "central", "coca", "comfort", "consolidated", "digital", "dollar", "duke", "eastern", "edison",
    "elevance", "entergy", "equity", "essex", "extra", "federal", "fidelity", "first", "fiserv", "ford", "fortive",
    "fox", "general", "genuine", "global", "gold", "home", "international", "iron", "live", "mid", "molson",
    "monster", "motorola", "national", "new", "norfolk", "northern", "old", "packaging", "palo", "parker",
    "pinnacle", "principal", "progressive", "public", "quest", "regency", "regions", "republic", "rockwell",
    "royal", "simon", "smurfit", "southern", "southwest", "standard", "state", "super", "target", "texas", "ulta",
    "union", "united", "universal", "west", "williams", "willis", "zoetis",
])  # fmt: skip


def events_by_name(keys: Sequence[str], names: Mapping[str, str]) -> dict[str, int]:
    """Return the place of the event that each name means: key, ticker, the study's name, the embedded name of the company.

    A name that would mean two events is left out; a company's first word counts if no other member of the S&P 500
    begins with it and it is no common word.

    Examples
    --------
    >>> known = events_by_name(["NVDA", "META"], {"META": "Facebook"})
    >>> known["Nvidia"], known["Meta Platforms"], known["Meta"], known["Facebook"]
    (0, 1, 1, 1)
    """
    found = {key: j for j, key in reversed(list(enumerate(keys)))}
    bare = [name_and_date(key)[0] for key in keys]
    embedded, first_words = _embedded()
    offered: list[tuple[str, int]] = []
    for j, ticker in enumerate(bare):
        offered.append((ticker, j))
        offered += [(name, j) for name in (names.get(ticker), *_forms(embedded.get(ticker, ""))) if name]
        first = embedded.get(ticker, "").split(" ")[0].rstrip(",")
        if len(first) >= _LEAST_LETTERS and first_words[first] == 1 and first.lower() not in _COMMON:
            offered.append((first, j))
    meant: dict[str, set[int]] = {}
    for name, j in offered:
        meant.setdefault(name, set()).add(j)
    return {**{name: places.copy().pop() for name, places in meant.items() if len(places) == 1}, **found}


def _embedded() -> tuple[dict[str, str], Counter[str]]:
    """Return the embedded names of companies by ticker, and how many companies begin with each word."""
    from eventstudy.prices.snapshot import universe_members

    names = {str(t): str(n) for t, n in universe_members()["name"].items()}
    companies = {re.sub(r"\s*\(.*\)$", "", n) for n in names.values()}
    return names, Counter(n.split(" ")[0].rstrip(",") for n in companies)


def _forms(name: str) -> list[str]:
    """Return a company's name as it is, without its class of shares, and without its legal form."""
    plain = re.sub(r"\s*\(.*\)$", "", name)
    short = _FORM.sub("", plain)
    return list(dict.fromkeys([name, plain, short]))


# -- What a title claims, and what the numbers carry.


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
_NEGATION = re.compile(r"\b(?:no|not|nor|never|none|neither|hardly|cannot)\b|n[’']t\b", re.IGNORECASE)
_ALL = re.compile(r"\b(?:all|every|each|both)\b", re.IGNORECASE)
_WEAKER = re.compile(r"\bless\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[;:.!](?!\d)|(?<=\?)| [–—] |\b(?:but|while|whereas|though|although)\b", re.IGNORECASE)
#: How many of all events a movement is said of.
_COUNT = re.compile(r"\b(?P<some>\d+) of (?:the |all |these )?(?P<all>\d+)\b")
#: Stands for an event's name, so that no word of a name is read as a verb.
_HOLE = "\ufffc{}\ufffc"
_FILLED = re.compile(r"\ufffc(\d+)\ufffc")


def title_problems(title: str, facts: Facts, *, strict: bool = False) -> list[str]:
    """Return what a title says of movements that the numbers do not carry, in English words of falling and rising.

    What is denied or asked is left alone. A movement that is said of no event of the figure must hold of one of them,
    if ``strict`` of all.

    Notes
    -----
    The subject of a word of movement are the events named before it, back to the word before; if there is none, those
    named after it; names are those of `events_by_name`. "11 of 27 fell" is counted. A denial exempts the word of movement that follows it up to a comma, and no other.

    Examples
    --------
    >>> facts = Facts("event_day", {"A": ("down",), "B": ("unclear",)}, {"A": -0.1, "B": -0.02})
    >>> title_problems("A fell, no clear change for B", facts)
    []
    >>> title_problems("A and B fell", facts)
    ["'fell' is said of B, where the numbers show no clear change"]
    """
    keys = list(facts.states)
    holed = with_holes(title, keys, facts.names)
    weaker = bool(_WEAKER.search(title))
    problems = []
    for clause in _CLAUSE.split(holed):
        if clause.strip().endswith("?"):
            continue
        for word, side, named, before in _claims(clause):
            if _NEGATION.search(before.rpartition(",")[2]):
                continue
            chosen = [keys[j] for j in named]
            holds = [k for k in keys if _holds(facts, k, side, weaker)]
            wrong = [k for k in chosen or keys if k not in holds]
            if chosen and wrong:
                problems.append(f"{word!r} is said of {listed(wrong)}, where the numbers show {_shown(facts, wrong)}")
            elif not chosen and wrong:
                problems += _of_nobody(word, clause, before, keys, holds, facts, strict)
    return problems


def _of_nobody(
    word: str, clause: str, before: str, keys: list[str], holds: list[str], facts: Facts, strict: bool
) -> list[str]:
    """Judge a movement that is said of no event of the figure."""
    counted = _COUNT.search(before)
    if counted and int(counted["all"]) == len(keys):
        given = int(counted["some"])
        return [] if given == len(holds) else [f"{word!r} is said of {given} of {len(keys)}; it holds of {len(holds)}"]
    wrong = [k for k in keys if k not in holds]
    if len(wrong) == len(keys) or strict or _ALL.search(clause):
        what = "any event" if len(wrong) == len(keys) else listed(wrong[:3])
        unnamed = f" (no event of the figure is named; they are {first_few(keys, 4)})"
        return [f"{word!r} does not hold of {what}: the numbers show {_shown(facts, wrong)}{unnamed}"]
    return []


def check_title(title: str, facts: Facts) -> None:
    """Refuse a title of the caller's that claims a movement against the numbers."""
    problems = title_problems(title, facts, strict=True)
    if problems:
        raise InvalidInput(
            f"The title {title!r} says more than the numbers: {'; '.join(problems)}. Say 'no clear change', name the shares that moved, or "
            "mark the figure as unchecked with figure.with_words(title=..., unchecked=True).",
            given=title,
            problems=tuple(problems),
        )


def with_holes(title: str, keys: list[str], names: Mapping[str, str]) -> str:
    """Return the title with a number in place of every event's name, the longest first."""
    known = events_by_name(keys, names)
    if not known:
        return title
    choices = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    found = re.compile(rf"(?<!\w)(?:{choices})(?!\w)")
    return found.sub(lambda m: _HOLE.format(known[m.group()]), title)


def _claims(clause: str) -> Iterator[tuple[str, str, list[int], str]]:
    """Yield each word of movement in a clause, its side, the numbers of the events that it is said of, and the words before it."""
    words = list(_MOVE.finditer(clause))
    start = 0
    for i, found in enumerate(words):
        before = clause[start : found.start()]
        named = [int(n) for n in _FILLED.findall(before)]
        start = found.end()
        if not named:
            end = words[i + 1].start() if i + 1 < len(words) else len(clause)
            named = [int(n) for n in _FILLED.findall(clause[start:end])]
            start = end if named else start
        yield found.group(), "down" if found.group("down") else "up", named, before


def _holds(facts: Facts, key: str, side: str, weaker: bool) -> bool:
    """Return whether a movement may be said: the verdict is on that side, or the title says "less" of a raw move."""
    states = facts.states[key]
    if side in states:
        return True
    raw = facts.raw.get(key, float("nan"))
    return weaker and not CLEAR.isdisjoint(states) and (raw < 0 if side == "down" else raw > 0)


def _shown(facts: Facts, keys: list[str]) -> str:
    says: Mapping[str, str] = {
        "down": "a clear fall",
        "up": "a clear rise",
        "unclear": "no clear change",
        "missing": "no return",
    }
    return " or ".join(dict.fromkeys(says[s] for key in keys for s in facts.states[key]))


def reworded(recipe: Recipe, *, unchecked: bool = False, **given: str | None) -> Recipe:
    """Return a recipe with some words replaced; a new title is compared with the numbers unless exempted."""
    new = {key: tidy(text) for key, text in given.items() if text is not None}
    if "title" in new and not new["title"]:
        raise InvalidInput("title is empty; give the finding in words, or leave it out to keep the title.")
    if "alt" in new and not new["alt"]:
        raise InvalidInput("alt is empty; say in words what the figure shows, or leave it out to keep the text.")
    facts = recipe.facts
    if "title" in new:
        facts = replace(facts, unchecked=unchecked)
        if not unchecked:
            check_title(new["title"], facts)
    return replace(recipe, words=replace(recipe.words, **new), facts=facts)
