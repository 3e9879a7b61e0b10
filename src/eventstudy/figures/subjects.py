"""By which names a title may speak of a figure's events."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from eventstudy.figures.words import name_and_date

#: What a company's name may do without.
_FORM = re.compile(
    r"[,\s]+(?:inc|corp|corporation|co|company|companies|plc|ltd|limited|group|holdings?|n\.?v|s\.?a|ag|se|the)\.?$",
    re.IGNORECASE,
)
#: A first word shorter than this, or one of these, names nobody.
_LEAST_LETTERS = 4
_COMMON = frozenset(
    [
        "advanced",
        "air",
        "alliance",
        "american",
        "applied",
        "archer",
        "arch",
        "bank",
        "best",
        "boston",
        "brown",
        "capital",
        "central",
        "coca",
        "comfort",
        "consolidated",
        "digital",
        "dollar",
        "duke",
        "eastern",
        "edison",
        "elevance",
        "entergy",
        "equity",
        "essex",
        "extra",
        "federal",
        "fidelity",
        "first",
        "fiserv",
        "ford",
        "fortive",
        "fox",
        "general",
        "genuine",
        "global",
        "gold",
        "home",
        "international",
        "iron",
        "live",
        "mid",
        "molson",
        "monster",
        "motorola",
        "national",
        "new",
        "norfolk",
        "northern",
        "old",
        "packaging",
        "palo",
        "parker",
        "pinnacle",
        "principal",
        "progressive",
        "public",
        "quest",
        "regency",
        "regions",
        "republic",
        "rockwell",
        "royal",
        "simon",
        "smurfit",
        "southern",
        "southwest",
        "standard",
        "state",
        "super",
        "target",
        "texas",
        "ulta",
        "union",
        "united",
        "universal",
        "west",
        "williams",
        "willis",
        "zoetis",
    ]
)


def subjects(keys: Sequence[str], names: Mapping[str, str]) -> dict[str, int]:
    """Return the place of the event that each name means: key, ticker, the study's name, the embedded name of the company.

    Parameters
    ----------
    keys : sequence of str
        Keys of the figure's events.
    names : mapping of str to str
        What the study calls a ticker.

    Returns
    -------
    dict of str to int
        A name that would mean two events is left out; a company's first word counts if no other member of the S&P 500 begins with it and
        it is no common word.

    Examples
    --------
    >>> known = subjects(["NVDA", "META"], {"META": "Facebook"})
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
