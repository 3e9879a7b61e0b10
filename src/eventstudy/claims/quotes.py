"""The quotation held against the claim's own keys: what it says of whom, by how much, which way and on which day.

`eventstudy.statements.read` reads the sentence, as it reads titles, but against what the keys say in place of what was measured. Only what
is read with its subject counts: a paraphrase, a group ("chip makers such as Nvidia") or a name that is not known is left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import pandas as pd

from eventstudy.claims.causes import FALL, MOVE, RISE
from eventstudy.claims.evidence import Evidence
from eventstudy.claims.ruling import tolerance
from eventstudy.claims.schema import DOLLARS, ClaimPart
from eventstudy.claims.words import AMOUNT_WORDS, UP_TO
from eventstudy.distances import DISTANCE, WORDS
from eventstudy.figures.titles import events_by_name
from eventstudy.statements import ABNORMAL, BEYOND, INDEX_POINTS, RETURN, VALUE, Numbers, read
from eventstudy.wording import INDEX_NAMES, listed, long_day

#: Kinds whose quotation speaks of single assets and says what they did.
_OF_ASSETS = ("direction", "impact", "size", "period", "no_change", "market_value", "rank")
_OF_MOVES = ("direction", "impact", "size", "period", "market_value")
_OF_ONE_WAY = (*_OF_MOVES, "rank", "count", "basket_value")
#: What numbers in a quotation are in the unit of the keys.
_UNITS = {"percent": "percent", "points": "points", "names": "", **dict.fromkeys(DOLLARS, "money")}
#: A ticker of fewer letters is also a word.
_LETTERS = 3
_MONTHS = {
    m[:3].lower(): i
    for i, m in enumerate(
        ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"), 1
    )
}  # fmt: skip
_MONTH = "(?:" + "|".join(rf"{m.capitalize()}[a-z]*\.?" for m in _MONTHS) + ")"


def _day(at: str) -> str:
    """Return the pattern of a day in words, the names of whose groups begin with a letter."""
    date = (
        rf"(?:(?:the )?(?P<{at}day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<{at}month>{_MONTH})(?!\w)"
        rf"|(?P<{at}month2>{_MONTH}) (?P<{at}day2>\d{{1,2}})(?!\d))(?:,? (?P<{at}year>\d{{4}}))?"
    )
    weekday = rf"(?P<{at}weekday>(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
    return rf"(?:{weekday}(?:,? {date})?|{date.replace(f'<{at}', f'<{at}_')})(?![’'])"


_NOT_THE_DAY = (
    r"after|since|before|from|until|till|by|following|when|as|than|said|says|told|who|which|that|next|previous|last"
)
#: The day on which something moved: after its verb, or at the head of the sentence.
_ON = re.compile(
    rf"\b(?:{MOVE})\b(?: (?!(?:{_NOT_THE_DAY}|on)\b)[\w$€£%.,’'&-]+){{0,5}}? (?:on )?{_day('v')}|^[Oo]n {_day('h')}"
)
_DAY_OF_MOVE = re.compile(rf",? (?:on )?{_day('d')}(?= *[.,;]|$)|,? at the close\b")
_ANY = re.compile(rf"\b{_day('a')}")
_GROUPS = re.compile(
    r"\b(?:such as|like|including|among|others?|makers|companies|firms|giants|stocks|peers|rivals?|competitors?|suppliers?|parent|owner|unit"
    r"|market(?! (?:value|cap))|markets|investors|both|all|everyone|the rest)\b",
    re.IGNORECASE,
)
_NAME = r"(?:[A-Z][\w&.-]*(?: (?:of |& )?[A-Z][\w&.-]*)*)"
_PRONOUNS = (
    "It", "They", "This", "That", "These", "Those", "Both", "Each", "Who", "Which", "Shares", "Stocks", "The", "And", "But", "Yet", "Then", "Also",
)  # fmt: skip
#: Who is said to have moved.
_WHO = re.compile(
    rf"(?:(?:[Ss]hares|[Ss]tock) (?:of|in) )?(?P<who>{_NAME}(?:(?:, and |, | and ){_NAME})*)(?:[’']s? (?:shares?|stock|price|market value))?"
    rf"(?: (?:has|have|had|was|were|is|are|also|then|\w+ly))*? (?i:{MOVE})\b"
)
#: "Microsoft fell 2.1% and Alphabet 4.2%".
_WITHOUT_A_VERB = re.compile(rf"(?:,|;|\b(?:and|while|but)) (?P<who>{_NAME})(?: by)? (?=\d)")
#: Units of the size of a move; numbers with what stands around them, and how much the words for large sums mean.
_UNIT = r"%|per ?cent|percentage points?|points?|bn|tn|mn|billion|trillion|million"
_NUMBER = re.compile(
    rf"(?<![\w.,])(?P<sign>[$€£¥] ?)?(?P<number>\d[\d,]*(?:\.\d+)?)(?: ?(?P<unit>{_UNIT}|cents?|basis points?)(?![a-z]))?"
)
_SCALE = {**DOLLARS, "mn": DOLLARS["million"], "bn": DOLLARS["billion"], "tn": DOLLARS["trillion"]}
_DENIED = re.compile(
    rf"\b(?:nearly|almost|all but) (?:fell|dropped|slid|sank|rose|climbed|jumped|soared)\b|\b(?:never|not|no longer|hardly)\b(?: \w+){{0,2}}? (?:{MOVE})\b|n[’']t (?:{MOVE})\b",
    re.IGNORECASE,
)
#: Plurals that are a price or its verb; every other plural, and some measures of a business, are not the share.
_PRICE = (
    r"(?:shares|stocks|securities|prices|was|is|has|its|always|perhaps|sometimes|losses|gains|holders|shareholders)\b"
)
_NOT_THE_SHARE = r"(?:[a-z]+s|revenue|profit|output|production|income|margin|dividend|debt|turnover|volume|outlook|capex|volatility|yield)"
_MOVED = "fell|dropped|declined|slid|sank|plunged|slumped|tumbled|plummeted|lost|shed|rose|climbed|gained|jumped|surged|soared|added"
_SIZE = rf"\d[\d,.]* ?(?:{_UNIT})(?: of its value)?"
_SPAN = (
    r"(?:over|in|within|during|through|across|for|since|so far)(?: (?:the|its|a|an|just|past|last|first|full|whole|few|several|couple of|this"
    r"|two|three|four|five|six|seven|eight|nine|ten|twelve|\d+|trading|calendar|one))* (?:days|sessions|weeks?|months?|quarters?|years?|decades?)"
    rf"|(?:in|over|during|since|through) (?:early |mid-|late )?{_MONTH}(?! \d)|(?:this|last|the past) (?:week|month|quarter|year)|year[ -]to[ -]date|(?:a|per) (?:week|month|year)"
)
#: More than a day, right after the size or the verb.
_OVER_DAYS = re.compile(rf"\b(?:{_MOVED}|{_SIZE})(?:,| all)? (?P<span>{_SPAN})(?![\w’'])")
_BESIDE = re.compile(rf"{_SIZE} (?P<than>(?:more|less|worse|better|lower|higher) than) (?!\d|expected)")
_PLACE = re.compile(rf"\b(?:{_MOVED}|{_SIZE}) (?P<place>in (?!{_MONTH}\b)[A-Z]\w+(?: [A-Z]\w+)?)")
#: What turns a direction round, or leaves open whether it came about.
_NOT_SO = re.compile(
    r"\b(?:not|never|no|none|without|fail\w*|avoid\w*|escap\w*|anything but|instead|after|before|from|pared?|eras\w*|revers\w*|recover\w*|regain\w*|stop\w*|held|hold|until|unlike|despite|wip\w*)\b|n[’']t\b",
    re.IGNORECASE,
)
_PART = re.compile(r"\b(?:half|halved|third|quarter|fifth|sixth|tenth|doubled|tripled)\b", re.IGNORECASE)


def _both_ways(quote: str) -> bool:
    """Whether a quotation speaks of a fall and of a rise."""
    return all(re.search(rf"\b(?:{move})\b", quote, re.IGNORECASE) for move in (FALL, RISE))


def names_of(ev: Evidence, part: ClaimPart) -> dict[str, str]:
    """Return what a quotation may call the claim's assets, the study's, and all others that are known, and their tickers."""
    tickers = tuple(dict.fromkeys((*part.assets, *ev.firms, *ev.prices.tickers, *ev.panel.tickers)))
    known = {**_known(tickers, tuple(ev.names.items()))}
    known |= {ev.call(ticker): ticker for ticker in (*part.assets, *ev.firms)}
    return {name: t for name, t in known.items() if name != t or len(name) > _LETTERS or t in part.assets}


@cache
def _known(tickers: tuple[str, ...], names: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    found = {name: tickers[i] for name, i in events_by_name(tickers, dict(names)).items()}
    # what everybody calls an index, before the company of the same first word
    indexes = {name.title() if name in ("NASDAQ", "DOW") else name: f"^{t}" for name, t in INDEX_NAMES.items()}
    indexes["S&P"] = "^GSPC"
    called = {name: ticker for ticker, name in names}
    return {**found, **indexes, **{f"the {n}": t for n, t in indexes.items()}, **called}


def differs(ev: Evidence, part: ClaimPart) -> str:
    """Say where a quotation and the keys contradict each other; empty if they do not, or if the quotation cannot be read."""
    if part.kind not in _OF_ASSETS:
        return ""
    names = names_of(ev, part)
    who = _others(part, names)
    if who:
        return f"it speaks of {who}, the keys of {listed(ev.call(t) for t in part.assets)}"
    if _DENIED.search(part.quote) and not part.verb.negated and not _both_ways(part.quote):
        return f"it denies what the keys say, “{part.says}”"
    if part.kind not in _OF_MOVES or part.verb.negated or part.verb.base == "recovered":
        return ""
    return _of_something_else(part, names) or _wrong_way_or_size(ev, part, names)


class _Amount(NamedTuple):
    """A number in a quotation: its words, its unit as printed, what it counts (``percent``, ``points``, ``money``, else the unit), number and amount."""

    text: str
    unit: str
    counts: str
    number: float
    amount: float

    @property
    def is_size(self) -> bool:
        """Whether it has a unit in which the size of a move is said; a sum of money without a word is a price."""
        return bool(re.fullmatch(_UNIT, self.unit))


def _amounts(quote: str) -> list[_Amount]:
    """Return the numbers of a quotation."""
    found = []
    for m in _NUMBER.finditer(quote):
        unit, number = m["unit"] or "", float(m["number"].replace(",", ""))
        counts = {"%": "percent", "per cent": "percent", "point": "points"}.get(unit, unit)
        if m["sign"] or unit in _SCALE:
            counts = "money"
        found.append(_Amount(m[0].strip(), unit, counts, number, number * _SCALE.get(unit, 1.0)))
    return found


def _other_amount(part: ClaimPart) -> str:
    """Say that a quotation has numbers in the unit of the keys, and not theirs."""
    if part.value is None or part.unit not in _UNITS or part.measure == "abnormal" or _PART.search(part.quote):
        return ""
    wanted = part.value * DOLLARS.get(part.unit, 1.0)
    found = [a for a in _amounts(part.quote) if a.counts == _UNITS[part.unit]]
    if not found or any(math.isclose(a.amount, wanted, rel_tol=1e-9) for a in found):
        return ""
    unit = "" if part.unit == "names" else f" {part.unit}"
    return f"the quotation says {listed(a.text for a in found)}, the keys {part.value:,.10g}{unit}"


def _other_way(part: ClaimPart) -> str:
    """Say that all words of a quotation for a direction are against that of the keys."""
    if part.kind not in _OF_ONE_WAY or math.isnan(part.sign) or part.verb.negated or part.verb.base == "recovered":
        return ""
    if _NOT_SO.search(part.quote):
        return ""
    down, up = (re.findall(rf"\b(?:{move})\b", part.quote, re.IGNORECASE) for move in (f"{FALL}|worst", f"{RISE}|best"))
    against, along = (down, up) if part.sign > 0 else (up, down)
    return f"the quotation says “{against[0]}”, the keys “{part.says}”" if against and not along else ""


def _others(part: ClaimPart, names: Mapping[str, str]) -> str:
    """Return who is said to have moved if they are known and none of the claim's assets."""
    if _GROUPS.search(part.quote) or any(t in part.assets for t in _named(part.quote, names)):
        return ""
    said = _subjects(part.quote)
    return listed(said) if said and all(name in names for name in said) else ""


def _subjects(quote: str) -> list[str]:
    """Return the names of those who are said to have moved."""
    said = [name for m in _WHO.finditer(quote) for name in re.split(r", and |, | and ", m["who"])]
    said += [m["who"] for m in _WITHOUT_A_VERB.finditer(quote)]
    return [re.sub(r"^(?:The|Shares (?:of|in)) ", "", name) for name in said if name not in _PRONOUNS]


def _of_something_else(part: ClaimPart, names: Mapping[str, str]) -> str:
    """Say that what moved is not the asset's share ("Tesla’s sales fell"), or by how much more than another it moved."""
    own = "|".join(re.escape(name) for name, ticker in names.items() if ticker in part.assets)
    found = re.search(
        rf"(?<![\w$])(?P<what>(?:{own})(?:[’']s?)? (?!{_PRICE}){_NOT_THE_SHARE}) (?:\w+ly )?(?:{_MOVED})\b", part.quote
    )
    if found:
        return f"it speaks of {found['what']}, the keys of the share"
    beside = _BESIDE.search(part.quote)
    if beside and part.measure != "abnormal":
        return f"it says by how much one moved “{beside['than']}” another, the keys by how much it moved"
    return ""


def over_days(quote: str) -> str:
    """Return the span of more than a day in which a quotation says that something moved; empty if it says none.

    Examples
    --------
    >>> over_days("Tesla fell 15.4% in a week"), over_days("Tesla fell 15.4%, its biggest fall in five years")
    ('in a week', '')
    """
    found = _OVER_DAYS.search(quote)
    return found["span"] if found else ""


def unread(ev: Evidence, part: ClaimPart) -> str:
    """Say what words of a quotation, one by one, say beside the keys or against them, though its sentence was not read."""
    said = [_other_amount(part), _other_way(part)]
    if part.kind in _OF_MOVES and not _GROUPS.search(part.quote):
        place = _PLACE.search(part.quote)
        strangers = [] if _named(part.quote, names_of(ev, part)) else _subjects(part.quote)
        named = [*strangers, *([place["place"]] if place else [])]
        said += [f"{listed(f'“{what}”' for what in named)} in the quotation was not read"] if named else []
    return "; ".join(filter(None, said))


def _named(quote: str, names: Mapping[str, str]) -> list[str]:
    return [t for name, t in names.items() if name in quote and re.search(rf"(?<![\w$]){re.escape(name)}(?!\w)", quote)]


def _inside(part: ClaimPart) -> float:
    """Return a share of the claimed number that its word allows: the number itself, or what lies within the ends."""
    bounds = tolerance(part.wording, float(part.value or 1.0), dollars=part.unit in DOLLARS)
    if bounds.place(1.0) == 0:
        return 1.0
    if math.isinf(bounds.high):
        return bounds.low + DISTANCE / 2
    return bounds.high - DISTANCE / 2 if bounds.ceiling else (bounds.low + bounds.high) / 2


def _as_said(part: ClaimPart, names: Mapping[str, str], sign: float) -> Numbers:
    """Return the numbers that the keys claim, of assets that moved with a sign."""
    day, own = (0, 0), {name: t for name, t in names.items() if name in part.quote or t in part.assets}
    values = {}
    if part.value is not None:
        size = sign * part.amount * _inside(part)
        kinds: tuple[str, ...] = (VALUE,) if part.unit in DOLLARS else (RETURN,)
        if part.unit == "points" or part.measure == "abnormal":
            kinds = (INDEX_POINTS,) if part.unit == "points" else (ABNORMAL, BEYOND)
        values = {(t, kind, day): size for t in part.assets for kind in kinds}
    state = ("down",) if sign < 0 else ("up",)
    raw = dict.fromkeys(part.assets, sign)
    return Numbers(
        names=own,
        values=values,
        states=dict.fromkeys(part.assets, state),
        raw={} if values else raw,
        raw_of=INDEX_POINTS if part.unit == "points" else RETURN,
        spans=frozenset([day]),
    )


def _wrong_way_or_size(ev: Evidence, part: ClaimPart, names: Mapping[str, str]) -> str:
    """Say what a quotation has of the claim's assets that the keys deny: the direction, the size, the word beside it."""
    named = bool(_named(part.quote, names))
    amounts = _amounts(part.quote)
    sizes = [a.number for a in amounts if a.is_size]
    if not named and not sizes and not _PART.search(part.quote):
        return ""
    quote = _DAY_OF_MOVE.sub("", part.quote)  # judged by itself, and no sentence of one number can be read with it
    quote = quote if named else f"{ev.call(part.assets[0])} {quote}"
    size = "" if part.value is None else f"{part.value:,.10g} {part.unit}"
    said = " ".join(filter(None, (part.says, part.wording, size)))
    shown = part.value is not None and part.value in sizes
    if part.value is not None and shown and len(sizes) == 1 and _word_is_missing(part):
        return f"it does not say “{part.wording}”, the keys say “{said}”"
    if part.unit == "percent" and part.measure != "abnormal" and _counts_something_else(part, amounts):
        return f"it says “{part.quote.strip()}”, no percentage, the keys say “{said}”"
    if part.value is not None and shown and len(sizes) > 1:
        return ""
    found, other = (read(quote, _as_said(part, names, s)).problems for s in (part.sign, -part.sign))
    if not found or (part.value is None and other) or (_both_ways(quote) and (part.value is None or shown)):
        return ""
    return f"it says “{part.quote.strip()}”, the keys say “{said}” of {listed(ev.call(t) for t in part.assets)}"


def _counts_something_else(part: ClaimPart, amounts: Sequence[_Amount]) -> bool:
    """Whether the number of a percentage is one of a price or of points, in a quotation without a percentage."""
    others = [a.number for a in amounts if a.counts in ("money", "points") and a.amount == a.number]
    return all(a.counts != "percent" for a in amounts) and any(abs(n - part.amount * 100) < 1.0 for n in others)


def _word_is_missing(part: ClaimPart) -> bool:
    """Whether the keys have a word beside the number that the quotation has not, nor one of the same sense."""
    if part.wording not in AMOUNT_WORDS or part.wording in ("", *UP_TO) or part.wording not in WORDS:
        return False
    same = [word for word, reach in WORDS.items() if reach == WORDS[part.wording]]
    return not re.search(rf"\b(?:{'|'.join(map(re.escape, same))})\b", part.quote, re.IGNORECASE)


# -- Days.


def day_said(quote: str, session: pd.Timestamp, asked: pd.Timestamp | None) -> tuple[str, bool]:
    """Return the day of the move that a quotation names if it is not the session judged, and whether it is the one that was asked for.

    Examples
    --------
    >>> monday, closed, friday = (pd.Timestamp(f"2025-01-{d}") for d in ("27", "09", "10"))
    >>> day_said("Nvidia fell 17% on Tuesday", monday, None), day_said("Nvidia fell 17% on Monday", monday, None)
    (('Tuesday', False), ('', False))
    >>> day_said("Nvidia fell on Thursday 9 January", friday, closed)
    ('Thursday 9 January', True)
    """
    if _both_ways(quote) or any(_is(found, session) for found in _ANY.finditer(quote)):
        return "", False
    said = list(_ON.finditer(quote))
    return (_text(said[0]), any(_is(found, asked) for found in said)) if said else ("", False)


def _parts(found: re.Match[str]) -> tuple[str, str, str, str]:
    """Return weekday, day, month and year of a day in words; empty where there is none."""
    given = {key[1:].lstrip("_"): value for key, value in found.groupdict().items() if value}
    day, month = given.get("day") or given.get("day2"), given.get("month") or given.get("month2")
    return given.get("weekday", ""), day or "", month or "", given.get("year", "")


def _text(found: re.Match[str]) -> str:
    return " ".join(filter(None, _parts(found)))


def _is(found: re.Match[str], day: pd.Timestamp | None) -> bool:
    """Whether a day in words may be a day."""
    weekday, number, month, year = _parts(found)
    if day is None or (weekday and weekday != f"{day:%A}") or (year and int(year) != day.year):
        return False
    return not month or (_MONTHS[month[:3].lower()], int(number)) == (day.month, day.day)


def wrong_day(said: str, session: pd.Timestamp) -> str:
    """Say that a quotation names another day than the keys."""
    return f"it names {said}, the keys mean {session:%A} {long_day(session)}"
