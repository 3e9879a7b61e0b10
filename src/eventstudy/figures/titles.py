"""The texts of figures held against their numbers: by which names they may speak, and what becomes of an author's words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from eventstudy.errors import InvalidInput
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.words import name_and_date, tidy
from eventstudy.statements import Numbers, group_names, read

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
    "equity", "essex", "extra", "federal", "fidelity", "first",
    "fox", "general", "genuine", "global", "gold", "home", "international", "iron", "live", "mid",
    "monster", "national", "new", "norfolk", "northern", "old", "packaging", "palo", "parker",
    "pinnacle", "principal", "progressive", "public", "quest", "regency", "regions", "republic", "rockwell",
    "royal", "simon", "smurfit", "southern", "southwest", "standard", "state", "super", "target", "texas", "ulta",
    "union", "united", "universal", "west", "williams", "willis", "zoetis",
])  # fmt: skip


def events_by_name(keys: Sequence[str], names: Mapping[str, str], others: Collection[str] = ()) -> dict[str, int]:
    """Return the place of the event that each name means: key, ticker, the study's name, the embedded name of the company.

    A name that would mean two events is left out; a company's first word counts if no other member of the S&P 500
    begins with it and it is no common word. ``others`` are tickers whose prices are not those of the firm that is embedded under them:
    its name is not theirs.

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
        firm = "" if ticker in others else embedded.get(ticker, "")
        offered.append((ticker, j))
        offered += [(name, j) for name in (names.get(ticker), *_forms(firm)) if name]
        first = firm.split(" ")[0].rstrip(",")
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


# -- What a text of a figure says, held against its numbers.


def numbers_of(facts: Facts) -> Numbers:
    """Return all that a figure's texts may be held against: its own numbers, then those of its study."""
    keys, numbers = list(facts.states), facts.numbers
    named = {name: keys[j] for name, j in events_by_name(keys, facts.names, facts.others).items()}
    own = replace(
        numbers, names={**group_names(len(keys)), **named, **numbers.names}, states=facts.states, raw=facts.raw
    )
    return own if facts.study is None else own.beside(facts.study())


def title_problems(title: str, facts: Facts, *, strict: bool = False) -> list[str]:
    """Return what a title says that the numbers of a figure deny; see `eventstudy.statements.read`.

    Examples
    --------
    >>> facts = Facts("event_day", {"A": ("down",), "B": ("unclear",)}, {"A": -0.1, "B": -0.02})
    >>> title_problems("A fell, no clear abnormal change for B", facts)
    []
    >>> title_problems("A and B fell", facts)
    ["'fell' is said of B, where the numbers show no clear abnormal change; of the price say 'B fell 2.0%'"]
    """
    return list(read(title, numbers_of(facts), strict=strict).problems)


#: The words of a figure that are held against its numbers; a source line says where they come from.
HELD = {"title", "subtitle", "note", "alt"}


def own_words(recipe: Recipe) -> tuple[str, ...]:
    """Return which of a figure's words are not certified: an author's own, unread by the one function that reads them, or exempted."""
    facts, numbers = recipe.facts, numbers_of(recipe.facts)
    given = {*facts.own_words, *(["title"] if facts.unchecked else [])}
    unread = {part for part in HELD if part not in given and not read(getattr(recipe.words, part), numbers).holds}
    return tuple(sorted(given | unread))


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
    own = set(facts.own_words)
    for part in sorted(HELD & new.keys()):
        reading = read(new[part], numbers_of(facts), strict=part == "title")
        if reading.problems and not unchecked:
            raise InvalidInput(
                f"The {part} {new[part]!r} says what the numbers deny: {'; '.join(reading.problems)}. Say what is right, or keep "
                f"your words as unchecked with figure.with_words({part}=..., unchecked=True).",
                given=new[part],
                problems=reading.problems,
            )
        kept = part not in own and new[part] == getattr(recipe.words, part)  # the package's own
        own = own - {part} if reading.certified or kept else own | {part}
    return replace(recipe, words=replace(recipe.words, **new), facts=replace(facts, own_words=tuple(sorted(own))))
