"""The quotation held against the claim's own keys: what it says of whom, by how much, which way and on which day.

`eventstudy.statements.read` reads the sentence, as it reads titles, but against what the keys say in place of what was measured. Only what
is read with its subject counts: a paraphrase, a group ("chip makers such as Nvidia") or a name that is not known is left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache

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
_ANY = re.compile(rf"\b{_day('a')}")
_GROUPS = re.compile(
    r"\b(?:such as|like|including|among|others?|makers|companies|firms|giants|stocks|peers|rivals?|competitors?|suppliers?|parent|owner|unit"
    r"|market|markets|investors|both|all|everyone|the rest)\b",
    re.IGNORECASE,
)
_NAME = r"(?:[A-Z][\w&.-]*(?: (?:of |& )?[A-Z][\w&.-]*)*)"
#: Who is said to have moved.
_WHO = re.compile(
    rf"(?:(?:[Ss]hares|[Ss]tock) (?:of|in) )?(?P<who>{_NAME}(?:(?:, and |, | and ){_NAME})*)(?:[’']s? (?:shares?|stock|price|market value))?"
    rf"(?: (?:has|have|had|was|were|is|are|also|then|\w+ly))*? (?i:{MOVE})\b"
)
#: "Microsoft fell 2.1% and Alphabet 4.2%".
_WITHOUT_A_VERB = re.compile(rf"(?:,|;|\b(?:and|while|but)) (?P<who>{_NAME})(?: by)? (?=\d)")
_AMOUNT = re.compile(
    r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?= ?(?:%|per ?cent|percentage|points?|bn|tn|mn|billion|trillion|million))"
)
#: A sum that is a price's own, not billions.
_MONEY = re.compile(r"[$€£] ?(\d[\d,]*(?:\.\d+)?)(?![\d,.]| ?(?:bn|tn|mn|billion|trillion|million))")
_DENIED = re.compile(
    rf"\b(?:never|not|no longer|hardly)\b(?: \w+){{0,2}}? (?:{MOVE})\b|n[’']t (?:{MOVE})\b", re.IGNORECASE
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
    return _wrong_way_or_size(ev, part, names)


def _others(part: ClaimPart, names: Mapping[str, str]) -> str:
    """Return who is said to have moved if they are known and none of the claim's assets."""
    if _GROUPS.search(part.quote) or any(t in part.assets for t in _named(part.quote, names)):
        return ""
    said = [name for m in _WHO.finditer(part.quote) for name in re.split(r", and |, | and ", m["who"])]
    said += [m["who"] for m in _WITHOUT_A_VERB.finditer(part.quote)]
    said = [re.sub(r"^(?:The|Shares (?:of|in)) ", "", name) for name in said]
    return listed(said) if said and all(name in names for name in said) else ""


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
    if not named and not _AMOUNT.search(part.quote) and not _PART.search(part.quote):
        return ""
    quote = part.quote if named else f"{ev.call(part.assets[0])} {part.quote}"
    size = "" if part.value is None else f"{part.value:,.10g} {part.unit}"
    said = " ".join(filter(None, (part.says, part.wording, size)))
    amounts = [float(a.replace(",", "")) for a in _AMOUNT.findall(part.quote)]
    shown = part.value is not None and part.value in amounts
    if part.value is not None and shown and len(amounts) == 1 and _word_is_missing(part):
        return f"it does not say “{part.wording}”, the keys say “{said}”"
    if part.unit == "percent" and not amounts and part.value in _sums(part.quote):
        return f"it says “{part.quote.strip()}”, an amount of money, the keys say “{said}”"
    if part.value is not None and shown and len(amounts) > 1:
        return ""
    found, other = (read(quote, _as_said(part, names, s)).problems for s in (part.sign, -part.sign))
    if not found or (part.value is None and other) or (_both_ways(quote) and (part.value is None or shown)):
        return ""
    return f"it says “{part.quote.strip()}”, the keys say “{said}” of {listed(ev.call(t) for t in part.assets)}"


def _sums(quote: str) -> list[float]:
    return [float(a.replace(",", "")) for a in _MONEY.findall(quote)]


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
