"""What a text says in numbers: read with units and subjects, and held against the numbers of a result.

`read` is the one reader of figure titles, subtitles, notes, alternative texts, the page's headline and sentences, and a result's own
sentence. What it reads must hold, or the text is refused; a text that it reads from end to end is certified; what it cannot read is the
author's own words. Numbers are compared in the digits that the text shows, by the formats that write them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

from eventstudy import grammar
from eventstudy.distances import DISTANCE, distance_of, one_sided, reach_of
from eventstudy.errors import InvalidInput
from eventstudy.wording import dollars, first_few, listed, number, p_text, percent, relative_day

Span = tuple[int, int]
#: What an interval allows to say of an event.
State = Literal["down", "up", "unclear", "missing"]

#: What a number may be of.
RETURN, ABNORMAL, EXPECTED = "return", "abnormal return", "expected return"
VALUE, ABNORMAL_VALUE = "change in market value", "abnormal change in market value"
#: In percentage points, also of log returns, whose abnormal returns are per cents of the price expected.
BEYOND = "return less the expected one"
INDEX_POINTS, FROM_MEDIAN = "change in points", "abnormal return less the median"
#: Whether the verdict is another one against the rest of the benchmark, 1 or 0.
TURNS = "verdict that turns"
SHARE, AGAINST_REST, P_REST = (
    "share of the benchmark",
    "abnormal return against the rest of the benchmark",
    "p-value against the rest",
)
P_VALUE, ADJUSTED_P, ERRORS = "p-value", "adjusted p-value", "standard errors"
LOW, HIGH = "lower end of the interval of the ", "upper end of the interval of the "
_ABNORMAL_OF = {"fraction": ABNORMAL, "points": ABNORMAL, "dollars": ABNORMAL_VALUE}
_RAW_OF = {"fraction": RETURN, "points": INDEX_POINTS, "dollars": VALUE}

#: Subjects that are no events: all of them, each; their average; the population that a figure shows.
ALL, AVERAGE, POPULATION = "all events", "the average", "the population"


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a text may be held against.

    Attributes
    ----------
    names : mapping of str to str
        What a text may call a subject, and the subject: an event, an index, a test, the average.
    values : mapping
        Numbers by subject, quantity and days: returns as fractions, market values in dollars. Where an abnormal number has an interval,
        its ends are there too.
    states : mapping of str to tuple of str
        The verdicts (``down``, ``up``, ``unclear``, ``missing``) of each event that a bare "fell" may rest on.
    raw, raw_of : mapping of str to float, str
        The raw change beside each verdict, which decides between "fell" and "lagged", and what it is a change of.
    counts : mapping of str to float
        Counts, levels and ratios by the names in `grammar.PHRASES`.
    days : mapping of str to int or None
        Dates as a text writes them, and the days relative to the event that they are; None for a date that is none of the window's.
    days_of : callable, optional
        Gives for any other date the day that it is relative to each event.
    span, spans : pair of int, set of pairs
        The days that a text means unless it names others, and those that it may name.
    roles : mapping of str to str
        Who is the ``lowest`` of a population.
    quoted : set of str
        Sentences that another room answers for, which stand as they are.
    relative : bool
        Whether abnormal returns are per cents of the price expected, as those of log returns, not percentage points.
    currencies : mapping of str to str
        The currency of each event's market value, dollars if it is not there; if it is empty, no sign of a currency can be held against it.
    more : callable, optional
        Gives the values of days that are not among ``values``.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[tuple[str, str, Span], float] = field(default_factory=dict)
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: Mapping[str, float] = field(default_factory=dict)
    raw_of: str = RETURN
    counts: Mapping[str, float] = field(default_factory=dict)
    days: Mapping[str, int | None] = field(default_factory=dict)
    span: Span = (0, 0)
    spans: frozenset[Span] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)
    quoted: frozenset[str] = frozenset()
    relative: bool = False
    currencies: Mapping[str, str] = field(default_factory=dict)
    more: Callable[[Span], Mapping[tuple[str, str, Span], float]] | None = None
    days_of: Callable[[str], Mapping[str, int]] | None = None

    def beside(self, other: Numbers) -> Numbers:
        """Return these numbers, and where they have none the other ones."""
        more, others = self.more, other.more
        return replace(
            self,
            names={**other.names, **self.names},
            values={**other.values, **self.values},
            counts={**other.counts, **self.counts},
            days={**other.days, **self.days},
            spans=self.spans | other.spans,
            roles={**other.roles, **self.roles},
            quoted=self.quoted | other.quoted,
            relative=self.relative or other.relative,
            currencies={**other.currencies, **self.currencies},
            more=more or others,
            days_of=self.days_of or other.days_of,
        )

    def value(self, subject: str, quantity: str, span: Span) -> float | None:
        """Return a number, None if it is not known."""
        found = self.values.get((subject, quantity, span))
        if found is None and self.more is not None:
            found = self.more(span).get((subject, quantity, span))
        if found is None and quantity == self.raw_of and span == self.span:
            found = self.raw.get(subject)
        if found is None and quantity == BEYOND:
            parts = [self.value(subject, part, span) for part in (RETURN, EXPECTED)]
            found = None if parts[0] is None or parts[1] is None else parts[0] - parts[1]
        if found is None and subject == ALL and quantity in (VALUE, ABNORMAL_VALUE):
            each = [self.value(key, quantity, span) for key in self.states]
            one = (
                len({self.currencies.get(key, "USD") for key in self.states}) == 1
            )  # money of several currencies has no sum
            found = math.fsum(v for v in each if v is not None) if each and None not in each and one else None
        return found

    def currency(self, subject: str) -> str:
        """Return the currency of a subject's market value, that of every event if it is all of them; empty if it is not known."""
        found = {self.currencies.get(key, "USD") for key in (self.states if subject == ALL else [subject])}
        return found.pop() if len(found) == 1 else ""

    def verdict(self, subject: str, quantity: str, span: Span) -> State | None:
        """Return what the interval of an abnormal number allows to say; None if there is no interval."""
        value = self.value(subject, quantity, span)
        low, high = (self.value(subject, end + quantity, span) for end in (LOW, HIGH))
        if value is None or low is None or high is None:
            return None
        return verdict(value, low, high)


def verdict(value: float, low: float, high: float) -> State:
    """Return ``down`` or ``up`` if the interval excludes 0, else ``unclear``, or ``missing``."""
    if not math.isfinite(value):
        return "missing"
    if not (math.isfinite(low) and math.isfinite(high)) or low <= 0.0 <= high:
        return "unclear"
    return "down" if value < 0 else "up"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a text.

    Attributes
    ----------
    problems : tuple of str
        What the numbers deny, with the numbers that are right.
    unread : tuple of str
        Numbers, movements, comparisons and subjects that could not be read.
    prose : tuple of str
        The text, if it says more than the sentences of `eventstudy.grammar` do, and who is named without a statement.
    held : int
        How many statements were read and hold.
    """

    problems: tuple[str, ...]
    unread: tuple[str, ...]
    prose: tuple[str, ...]
    held: int

    @property
    def holds(self) -> bool:
        """Whether every number, movement and day was read and holds: what a text of the package's own needs."""
        return not self.problems and not self.unread

    @property
    def certified(self) -> bool:
        """Whether the text says nothing but what was read and holds: what an author's text needs."""
        return self.holds and not self.prose and self.held > 0


def certified(text: str, numbers: Numbers, where: str) -> str:
    """Return a sentence of the package's own, which the numbers must not deny.

    Raises
    ------
    InvalidInput
        If they do: an error of the package, which no report may print.
    """
    reading = read(text, numbers)
    if reading.problems:
        raise InvalidInput(
            f"{where} would say {text!r}, which the numbers deny: {'; '.join(reading.problems)}. This is an error of the package; please report it."
        )
    return text


# -- The reader.


def read(text: str, numbers: Numbers, *, strict: bool = False) -> Reading:
    """Read a text's numbers, movements and days with their units and subjects, and hold them against a result's.

    Parameters
    ----------
    text : str
        English words.
    numbers : Numbers
        What is known.
    strict : bool
        Whether a movement that is said of no event must hold of all of them; else of one.

    Returns
    -------
    Reading

    Notes
    -----
    A number belongs to the subject named before it in its clause if only words without a meaning of their own stand between, else to the one
    after "for", "of" or "in". What it is of follows from its unit and the words beside it: "fell 17%" is a return, "13.2 percentage
    points below what the market’s move explains" and "−13.2%" after "abnormal" an abnormal return, "lost $592bn, $462bn more than expected" a change in market value and an abnormal one.
    It holds if the result's number, written with as many digits, is the same; after "about", "nearly", "more than" … if it lies as `eventstudy.distances` says.
    A bare "fell" or "rose" is a finding: the price went there, and the interval excludes 0 on that side. Of the price alone speaks a number
    ("fell 4.2%"), or the word price; of the abnormal return alone the word abnormal, and words of comparison such as "lagged". What is denied or asked is left unread.

    Examples
    --------
    >>> day = (0, 0)
    >>> known = Numbers(names={"Nvidia": "NVDA"}, values={("NVDA", RETURN, day): -0.1697}, states={"NVDA": ("down",)})
    >>> read("Nvidia fell 17%", known).certified, read("Nvidia fell a lot", known).certified
    (True, False)
    >>> read("Nvidia fell 99%", known).problems
    ('99% is said of NVDA, whose return is −17.0%',)
    """
    return _Reader(text, numbers, strict).reading()


@dataclass(frozen=True, slots=True)
class _Amount:
    """A number as a text shows it."""

    text: str
    sign: int
    size: float
    digits: int
    unit: str
    scale: float
    currency: str = ""

    @classmethod
    def of(cls, text: str) -> _Amount:
        found = grammar.PARTS.fullmatch(text)
        assert found, text
        shown = found["number"].rstrip(",")
        word = found["unit"] or ""
        said = (found["before"] or found["after"] or "").strip()
        money = bool(said) or bool(word and word in grammar.SCALE)
        unit = "dollars" if money else "points" if "point" in word else "fraction"
        scale = grammar.SCALE[word] if money else 0.01
        sign = {"": 0, "+": 1}.get(found["sign"] or "", -1)
        return cls(
            text,
            sign,
            float(shown.replace(",", "")),
            len(shown.partition(".")[2]),
            unit,
            scale,
            {**grammar.SIGNS, **grammar.MONIES}.get(said, said),
        )

    def shows(self, value: float, word: str = "") -> bool:
        """Return whether a number is what the text shows, but for its sign."""
        actual = abs(value) / self.scale
        if word and self.size:
            step = distance_of(0.5 * 10.0**-self.digits / self.size)
            return reach_of(word, step).place(actual / self.size) == 0
        return math.isfinite(actual) and f"{actual:.{self.digits}f}" == f"{self.size:.{self.digits}f}"

    def write(self, value: float, currency: str = "") -> str:
        """Return another number as the text would show it."""
        if not math.isfinite(value):
            return "not known"
        if self.unit == "dollars":
            return dollars(value, sign=True, currency=currency)
        if self.unit == "points" and self.scale == 1.0:
            return f"{number(value, max(self.digits, 1))} points"
        return percent(value, max(self.digits, 1 if abs(self.size - abs(value) / self.scale) > 0.1 else 2))


class _Reader:
    """One text as it is read: names are holes, and what was read is crossed out."""

    def __init__(self, text: str, numbers: Numbers, strict: bool) -> None:
        self.numbers, self.strict, self.given = numbers, strict, text
        self.subjects = list(dict.fromkeys(numbers.names.values()))
        for sentence in numbers.quoted:
            text = text.replace(sentence, "\ufffd")
        self.text = with_holes(text, numbers.names, self.subjects)
        words = [rf"(?<!\w){re.escape(day)}(?!\w)" for day in numbers.days if not grammar.DATE.fullmatch(day)]
        self.date = re.compile("|".join([*words, grammar.DATE.pattern]))
        self.seen, self.meant = bytearray(len(self.text)), bytearray(len(self.text))
        for pattern in (
            grammar.FIGURE,
            grammar.COMPARED,
            grammar.MOVE,
            self.date,
            grammar.DAYS,
            grammar.WORDS_OF_DISTANCE,
            grammar.CUES,
        ):
            for found in pattern.finditer(self.text):
                self.meant[found.start() : found.end()] = b"\1" * len(found.group())
        self.problems: list[str] = []
        self.unread: list[str] = []
        self.held = 0
        self.used: set[Span] = set(numbers.spans)
        self.claimed: set[str] = set()
        self.bounds = [0, *(m.end() for m in grammar.CLAUSE.finditer(self.text)), len(self.text)]
        self.asked = [
            (a, b) for a, b in zip(self.bounds, self.bounds[1:], strict=False) if self.text[a:b].strip().endswith("?")
        ]

    def reading(self) -> Reading:
        for step in (
            self._paths,
            self._phrases,
            self._named_numbers,
            self._ranks,
            self._states,
            self._ps,
            self._figures,
            self._moves,
            self._dates,
        ):
            step()
        self._leftovers()
        prose = [] if self.problems or self.unread or grammar.fits(self._shape(), self.date.pattern) else [self.given]
        # who is named, and of whom nothing was read
        prose += [key for key in dict.fromkeys(self._keys(self.text)) if not self._is_claimed(key)]
        words = [self._named(t) for t in dict.fromkeys(self.problems)]
        unread = tuple(dict.fromkeys(self._named(t) for t in self.unread))
        return Reading(tuple(words), unread, tuple(dict.fromkeys(prose)), self.held)

    # -- Small things.

    def _shape(self) -> str:
        """Return the text with what was read as whole statements replaced."""
        return "".join(grammar.TOLD if seen == 2 else c for c, seen in zip(self.text, self.seen, strict=True))

    def _named(self, text: str) -> str:
        return grammar.FILLED.sub(lambda m: self.subjects[int(m[1])], text)

    def _is_claimed(self, key: str) -> bool:
        return key in self.claimed or (key == ALL and self.claimed.issuperset(self.numbers.states))

    def _cross(self, start: int, end: int, *, whole: bool = False) -> None:
        """Cross out what was read; a ``whole`` statement needs no other words."""
        self.seen[start:end] = (b"\2" if whole else b"\1") * (end - start)

    def _keys(self, text: str, *, own: bool = False) -> list[str]:
        """Return the subjects that a text names, or only those of whom it is ``own``, not of their market or suppliers."""
        return [self.subjects[int(n)] for n in (grammar.OWN if own else grammar.FILLED).findall(text)]

    def _events(self, keys: list[str]) -> list[str]:
        """Return keys with ``ALL`` as every event."""
        return [e for key in keys for e in (list(self.numbers.states) if key == ALL else [key])]

    def _clause(self, place: int) -> tuple[int, int]:
        return next(
            (a, b) for a, b in zip(self.bounds, self.bounds[1:], strict=False) if a <= place < b or b == len(self.text)
        )

    def _is_asked(self, place: int) -> bool:
        return any(a <= place < b for a, b in self.asked)

    def _judge(self, holds: bool, problem: str) -> None:
        if holds:
            self.held += 1
        else:
            self.problems.append(problem)

    # -- Counts, levels, ranks.

    def _phrases(self) -> None:
        for pattern in grammar.PHRASES:
            for found in pattern.finditer(self.text):
                if not any(self.seen[found.start() : found.end()]) and self._counted(found):
                    for name in (n for n, shown in found.groupdict().items() if shown):
                        self._cross(*found.span(name))
                    for move in grammar.MOVE.finditer(self.text, found.start(), found.end()):
                        self._cross(move.start(), move.end())
        for found in grammar.LEVEL.finditer(self.text):
            if not self._counted(found):
                self.unread.append(found.group())
            self._cross(found.start(), found.end())
        for found in grammar.LITERAL.finditer(self.text):
            self._cross(found.start(), found.end())

    def _named_numbers(self) -> None:
        """Judge the first day of a sum, standard errors of tests, who is the lowest, and how many other models agree."""
        for found in grammar.FROM_DAY.finditer(self.text):
            first = self.numbers.span[0]
            self._judge(_day(found[1]) == first, f"{found.group()!r} is from day {relative_day(first)}")
            self._cross(found.start(), found.end())
        for found in grammar.OF_TEST.finditer(self.text):
            (key,) = self._keys(found[1])
            z = self.numbers.value(key, ERRORS, self.numbers.span)
            if z is not None:
                self._judge(number(z, 1) == found[2], f"{key} is {number(z, 1)} standard errors from zero")
                self._cross(found.start(), found.end())
        for found in grammar.LOWEST.finditer(self.text):
            lowest = self.numbers.roles.get("lowest")
            self._judge(self._keys(found[1]) == [lowest], f"the lowest is {lowest}")
        for found in grammar.KEPT.finditer(self.text):
            self._kept(found)
        self._against_rest()
        for found in grammar.OUTDONE.finditer(self.text):
            self._outdone(found)
        for found in grammar.FRACTION.finditer(self.text):
            self._fraction(found)

    def _open(self, found: re.Match[str], keys: list[str]) -> Span | None:
        """Return the days of a statement that is neither asked, denied nor hedged; None if it is left unread."""
        a, _ = self._clause(found.start())
        closed = self._is_asked(found.start()) or any(self.seen[found.start() : found.end()])
        return (
            None
            if closed or grammar.NEGATION.search(self.text, a, found.end())
            else self._clause_span(found.start(), keys)
        )

    def _outdone(self, found: re.Match[str]) -> None:
        """Judge "outperformed by 9 points": beside what is named, the difference of returns, else also beside what the model expects."""
        amount, sign = _Amount.of(found["size"]), 1 if found["up"] else -1
        keys, word = self._events(self._keys(found["who"])), (found["word"] or "").lower()
        span = self._open(found, keys)
        if span is None:
            return
        named = [k for k in self._keys(found.group()[len(found["who"]) :]) if k != ALL]
        others = named or [k for k in self.subjects if k not in (*self.numbers.states, ALL, AVERAGE)]
        index = [k for k in others if self.numbers.value(k, RETURN, span) is not None]
        choices: dict[str, dict[str, float]] = {}
        for key in keys:
            own, beyond = (self.numbers.value(key, what, span) for what in (RETURN, BEYOND))
            beside = None if own is None or len(index) != 1 else self.numbers.value(index[0], RETURN, span)
            beyond = self.numbers.value(key, ABNORMAL, span) if beyond is None and not self.numbers.relative else beyond
            known = {
                "than expected": beyond,
                f"than {index[0] if index else 'the index'}": None if own is None or beside is None else own - beside,
            }
            choices[key] = {what: v for what, v in known.items() if v is not None and math.isfinite(v)}
        if not all(len(found_of) > bool(found["whom"]) for found_of in choices.values()):
            return
        for key, found_of in choices.items():
            meant = [v for what, v in found_of.items() if not found["whom"] or what != "than expected"]
            right = any(_same(amount, value, sign, word) for value in meant)
            shown = " and ".join(f"{percent(v, 1).rstrip('%')} points more {what}" for what, v in found_of.items())
            self._judge(right, f"{self._named(found.group())!r} is said of {key}, which returned {shown}")
        self._told(found, keys, span)

    def _fraction(self, found: re.Match[str]) -> None:
        """Judge "halved", "lost a quarter of its value" by the return, as near as "about" lets it lie."""
        keys = self._events(self._keys(found["who"]))
        span, word = self._open(found, keys), (found["near"] or found["word"] or "about").lower()
        move = grammar.MOVE.fullmatch(found["move"] or "")
        if span is None or not (move or found["fold"]):
            return
        if found["fold"]:
            size = grammar.MANIFOLD[found["fold"].lower()]
        else:
            size = grammar.TIMES[(found["times"] or "").lower()] * grammar.PARTS_OF[found["part"].lower()]
            size *= -1 if move and move["down"] else 1
        raws = {
            key: self._raw(key, span) if self.numbers.raw_of == RETURN else self.numbers.value(key, RETURN, span)
            for key in keys
        }
        if not all(raw is not None and math.isfinite(raw) for raw in raws.values()):
            return
        for key, raw in raws.items():
            near = raw is not None and raw * size > 0 and not reach_of(word, DISTANCE).place(raw / size)
            self._judge(
                near, f"{self._named(found.group())!r} is said of {key}, whose return is {percent(raw or 0.0, 1)}"
            )
        self._told(found, keys, span)

    def _told(self, found: re.Match[str], keys: list[str], span: Span) -> None:
        """Note that a statement was judged."""
        self.claimed.update(keys)
        self.claimed.update(self._keys(found.group()))
        self.used.add(span)
        self._cross(*found.span(), whole=True)

    def _against_rest(self) -> None:
        """Judge shares of the benchmark, abnormal returns against the rest of it, and whose verdict turns."""
        quantities = {"share": SHARE, "change": ABNORMAL, "rest": AGAINST_REST, "p": P_VALUE, "p_rest": P_REST}
        span = self.numbers.span
        for found in (*grammar.SHARE.finditer(self.text), *grammar.REST.finditer(self.text)):
            (key,) = self._keys(found[1])
            known = {name: self.numbers.value(key, quantities[name], span) for name in found.groupdict()}
            if None in known.values():
                continue
            for name, value in known.items():
                assert value is not None
                if name.startswith("p"):
                    holds, right = _p_is(found[name], value), p_text(value)
                else:
                    amount = _Amount.of(found[name])
                    holds = amount.unit == "fraction" and _same(amount, value, amount.sign or int(name == "share"))
                    right = amount.write(value)
                self._judge(holds, f"{found[name]} is said of {key}, whose {quantities[name]} is {right}")
            self.claimed.add(key)
            self._cross(*found.span())
        for found in grammar.TURNS.finditer(self.text):
            for key in self._keys(found[1]):
                before, after = (self.numbers.value(key, what, span) for what in (P_VALUE, P_REST))
                turns = before is not None and after is not None and (before < 0.05) != (after < 0.05)
                self._judge(turns, f"{self._named(found.group())!r} is said of {key}")
        for found in grammar.DEPENDS.finditer(self.text):
            self._depends(found)

    def _depends(self, found: re.Match[str]) -> None:
        """Judge of whom the verdict depends on the yardstick: of those named, and but for a count of more of nobody else."""
        said, span = self._events(self._keys(found.group())), self.numbers.span
        known = {k: self.numbers.value(k, TURNS, span) for k in dict.fromkeys((*said, *self.numbers.states))}
        if None in known.values():
            return
        true = {k for k, turns in known.items() if turns}
        right = set(said) <= true if "more" in (found["more"] or "") else set(said) == true
        self._judge(right, f"{self._named(found.group())!r}: the verdict turns for {listed(sorted(true)) or 'nobody'}")
        self.claimed.update(said)
        number_there = re.search(r"\d+(?= more)", self.text[found.start() : found.end()])
        end = found.start() + number_there.start() if number_there else found.end()
        self._cross(found.start(), end, whole=not number_there)

    def _counted(self, found: re.Match[str]) -> bool:
        """Judge each number of a phrase; a count that is not known leaves the phrase unread."""
        given = {name: shown for name, shown in found.groupdict().items() if shown is not None}
        known = {name: value for name in given if (value := self.numbers.counts.get(name)) is not None}
        if len(known) < len(given):
            return False
        for name, shown in given.items():
            bare, value = shown.replace(",", "").replace("−", "-"), known[name]
            digits = len(bare.partition(".")[2])
            same = float(bare) == float(f"{value:.{digits}f}")
            self._judge(same, f"{shown} in {self._named(found.group())!r} is {number(value, digits)}")
        for words, name in grammar.NOBODY.items():
            count = self.numbers.counts.get(name, 0.0)
            if words in found.group():
                self._judge(not count, f"{words!r} is said of {count:.0f}")
        return True

    def _kept(self, found: re.Match[str]) -> None:
        """Judge "NAME (fell) in 4 of 7": under how many other models a finding stays."""
        (key,) = self._keys(found[1])
        kept, models = (self.numbers.counts.get(f"{what} of {key}") for what in ("kept", "models"))
        if kept is None or models is None:
            return
        self._judge((int(found[2]), int(found[3])) == (kept, models), f"{key}: {kept:.0f} of {models:.0f}")
        word = found.group().partition("(")[2].partition(")")[0]
        state = {"fell": "down", "rose": "up"}.get(word, "unclear")
        self._judge(state in self.numbers.states.get(key, ()), f"{word!r} is said of {key}")
        self._cross(found.start(), found.end())

    def _ranks(self) -> None:
        for found in grammar.RANK.finditer(self.text):
            group = self._subject_before(found.start(), loose=True)
            if len(group) != 1:
                continue
            rank = self.numbers.counts.get(f"rank of {group[0]}")
            total = self.numbers.counts.get("events")
            if rank is None or total is None:
                continue
            self.claimed.update(group)
            said = (int(found["rank"] or 1), int(found["n"].replace(",", "")))
            self._judge(said == (rank, total), f"{group[0]} is number {rank:.0f} of {total:.0f}")
            self._cross(found.start(), found.end(), whole=True)

    # -- Who: the subject of a number.

    def _subject_before(self, place: int, *, loose: bool = False) -> list[str]:
        """Return the subjects named last before a place in its clause, if no word of another meaning stands between."""
        start, _ = self._clause(place)
        groups = list(grammar.GROUP.finditer(self.text, start, place))
        if not groups:
            return []
        between = self.text[groups[-1].end() : place]
        if loose:
            return self._keys(groups[-1].group())
        if grammar.GOVERNED.search(self.text, start, groups[-1].start()) or grammar.FILLED.search(between):
            return []
        plain = all(self._plain(w, groups[-1].end()) for w in grammar.WORD.finditer(between))
        return self._keys(groups[-1].group()) if plain else []

    def _plain(self, word: re.Match[str], offset: int) -> bool:
        """Return whether a word means nothing of its own, or was read, or is a movement."""
        place = offset + word.start()
        return word.group().lower() in grammar.PLAIN or bool(self.meant[place] or self.seen[place])

    def _subject(self, start: int, end: int, quantity: str) -> list[str]:
        """Return whom a number is said of; empty if that is not known."""
        if quantity == EXPECTED:  # "the model expected": of the share named last
            groups = [self._keys(m.group()) for m in grammar.GROUP.finditer(self.text, 0, start)]
            span = self.numbers.span
            known = (keys for keys in reversed(groups) if self.numbers.value(keys[-1], quantity, span) is not None)
            return next(known, [])
        before = self._subject_before(start)
        if before:
            return before if quantity in (VALUE, ABNORMAL_VALUE) else self._events(before)
        after = grammar.OF_WHOM.match(self.text, end)
        return self._keys(after[1]) if after else self._alone(start)

    def _alone(self, place: int) -> list[str]:
        """Return the only event, if a clause names nobody and nothing else."""
        a, b = self._clause(place)
        if len(self.numbers.states) != 1 or grammar.GROUP.search(self.text, a, b):
            return []
        return (
            list(self.numbers.states)
            if all(self._plain(w, a) for w in grammar.WORD.finditer(self.text[a:place]))
            else []
        )

    # -- Returns, dollars, points.

    def _figures(self) -> None:
        last = 0
        for found in grammar.FIGURE.finditer(self.text):
            if any(self.seen[found.start() : found.end()]) or not found.group():
                continue
            if found["range"]:
                self._range(found)
            else:
                self._figure(found, max(last, self._clause(found.start())[0]))
            last = found.end()

    def _range(self, found: re.Match[str]) -> None:
        quantity = self._sticky(found.start(), "fraction")
        for which in ("least", "most"):
            amount = _Amount.of(found[which])
            if amount.unit != "fraction":
                self.unread.append(amount.text)
                continue
            value = self.numbers.value(POPULATION, f"{which} {quantity}", self.numbers.span)
            if value is None:
                self.unread.append(amount.text)
                continue
            self._judge(_same(amount, value, amount.sign), f"{amount.text} is {amount.write(value)}")
        self._cross(found.start(), found.end())

    def _figure(self, found: re.Match[str], start: int) -> None:
        if self._is_asked(found.start()):
            return
        amount = _Amount.of(found["main"])
        lead, tail = self.text[start : found.start("main")], self.text[found.end() : self._clause(found.start())[1]]
        distance = list(grammar.WORDS_OF_DISTANCE.finditer(self.text, start, found.end("main")))
        word = distance[-1].group() if distance and distance[-1].end() + 1 == found.start("main") else ""
        quantity, sign, expectation = self._what(amount, lead, tail, found.start("main"))
        if quantity == INDEX_POINTS:
            amount = replace(amount, scale=1.0)
        names = self._subject(found.start("main"), found.end(), quantity) if quantity else []
        span = self._clause_span(found.start(), names)
        # a sign of the text's own, or a movement's, which must not be at odds
        rate = grammar.RATE.search(tail)
        at_odds, sign, shared = sign * amount.sign < 0, sign or amount.sign, False
        if (
            not names
            or span is None
            or (not sign and amount.size)
            or at_odds
            or (shared := len(names) > 1 and self._shared(found))
            or (amount.unit == "dollars" and len(names) > 1)  # each, or together?
            or grammar.FROM_TO.search(lead)
            or rate
            or grammar.NEGATION.search(lead.rpartition(",")[2])
        ):
            self.unread.append(found.group())
            self._cross(found.start(), found.end())
            if shared or rate or span is None or not self._subject_before(found.start(), loose=True):
                self._cross_figure(found, lead, 0, start, word)
            return
        if self._hold(amount, names, quantity, span, sign, word.lower()):
            self._ends(found, names, quantity, span)
        self._cross_figure(found, lead, expectation, start, word)

    def _shared(self, found: re.Match[str]) -> bool:
        """Return whether several subjects have several numbers in a clause: which is whose is then not said."""
        a, b = self._clause(found.start())
        groups = [m.start() for m in grammar.GROUP.finditer(self.text, a, b)]
        edges = [a, *groups, b]
        a, b = max(e for e in edges if e <= found.start()), min(e for e in edges if e > found.start())
        return sum(1 for m in grammar.FIGURE.finditer(self.text, a, b) if m["main"]) > 1

    def _cross_figure(self, found: re.Match[str], lead: str, expectation: int, start: int, word: str) -> None:
        """Cross out a number, its word of distance, the movement that it is the size of, and the subject and comparison beside it."""
        self._cross(found.start(), found.end() + expectation)
        if word:
            self._cross(found.start() - len(word) - 1, found.start())
        for move in grammar.MOVE.finditer(lead):
            self._cross(start + move.start(), start + move.end())
        after = re.match(r" (?:abnormal )?(\w+)(?=\b)", self.text[found.end() :])
        if after and grammar.MOVE.fullmatch(after[1]):
            self._cross(found.end(), found.end() + after.end())
        for cue in grammar.CUES.finditer(lead):
            self._cross(start + cue.start(), start + cue.end())

    def _what(self, amount: _Amount, lead: str, tail: str, place: int) -> tuple[str, int, int]:
        """Return what a number is of, the sign that words give it, and how many characters of the tail say so."""
        moves = list(grammar.MOVE.finditer(lead))
        after = re.match(r" (?:abnormal )?(\w+)\b", tail)
        if after and (noun := grammar.MOVE.fullmatch(after[1])):
            moves = [noun]
        side = 0 if not moves else -1 if moves[-1].group("down") else 1
        model = self._against_model(amount, tail, place, side)
        if model is not None:
            return model
        quantity = self._sticky(place, amount.unit)
        if amount.unit == "points":
            quantity = "" if "percentage" in amount.text else INDEX_POINTS
        elif re.search(r"\bexpected (?:return of )?$", lead):
            quantity, side = EXPECTED if amount.unit == "fraction" else "", 0
        elif grammar.OF_ABNORMAL.search(lead) or tail.startswith(" abnormal"):
            quantity = _ABNORMAL_OF[amount.unit]
        elif moves and grammar.COMPARES.fullmatch(moves[-1].group()):
            quantity = ""  # by how much it did worse, and than what, is another number
        elif moves or re.search(r"\braw $", lead):
            quantity = _RAW_OF[amount.unit]
        if amount.unit == "dollars" and (amount.scale * amount.size < 1e6 or re.search(r"\bprices?\b", lead)):
            quantity = ""  # of one share
        return quantity, side, 0

    def _against_model(self, amount: _Amount, tail: str, place: int, side: int) -> tuple[str, int, int] | None:
        """Return the same where the words after a number set it against what was expected."""
        beside, against = grammar.EXPECTATION.match(tail), grammar.AGAINST_MODEL.match(tail)
        if beside:
            if amount.unit == "fraction" and not self.numbers.relative:
                return "", 0, 0  # per cents more than expected are of the expected
            if amount.unit == "points" and self.numbers.relative:
                return BEYOND, self._beside(beside["side"], place, side), beside.end()
            return _ABNORMAL_OF[amount.unit], self._beside(beside["side"], place, side), beside.end()
        return (_ABNORMAL_OF[amount.unit], side, against.end()) if against and amount.unit != "points" else None

    def _beside(self, word: str, place: int, side: int) -> int:
        """Return the sign of "more than expected" and the like after a rise or a fall."""
        if word in ("below", "worse", "short"):
            return -1
        if word in ("above", "better"):
            return 1
        moves = list(grammar.MOVE.finditer(self.text, self._clause(place)[0], place))
        side = side or (0 if not moves else -1 if moves[-1].group("down") else 1)
        return -side if word == "less" else side

    def _sticky(self, place: int, unit: str) -> str:
        """Return what was spoken of last before a place."""
        nouns = list(grammar.ABNORMAL_NOUN.finditer(self.text, 0, place))
        if nouns and nouns[-1]["median"]:
            return FROM_MEDIAN if unit == "fraction" else ""
        return (_ABNORMAL_OF if nouns and nouns[-1]["abnormal"] else _RAW_OF)[unit]

    def _clause_span(self, place: int, keys: list[str] | None = None) -> Span | None:
        """Return the days that a clause names for what it says at a place, else the usual ones; None if they are not known."""
        a, b = self._clause(place)
        marks = sorted(self._marks(a, b, keys or []), key=lambda mark: mark[0])
        if not marks:
            return self.numbers.span
        if len({span for _, span in marks}) > 1:
            marks = self._nearest(marks, place, a, b)
        if not marks:
            return None
        place_of, span = marks[0]
        said = any(pattern.search(self.text, a, place_of) for pattern in (grammar.FIGURE, grammar.MOVE))
        if said and place_of < place and grammar.FILLED.search(self.text, place_of, place):
            span = None  # of another subject
        return span if span in (None, self.numbers.span, *self.numbers.spans) or self.numbers.more else None

    def _nearest(
        self, marks: list[tuple[int, Span | None]], place: int, a: int, b: int
    ) -> list[tuple[int, Span | None]]:
        """Return which of several days are those of a place: the next ones, those before it, or those that the clause begins with."""
        figures = [m.start() for m in grammar.FIGURE.finditer(self.text, a, b) if m["main"]]
        figures = figures or [m.start() for m in grammar.MOVE.finditer(self.text, a, b)]
        before = [m for m in marks if max((f for f in figures if f < place), default=a) <= m[0] < place]
        after = [m for m in marks if place < m[0] < min((f for f in figures if f > place), default=b)]
        if figures and marks[0][0] < figures[0] and marks[-1][0] < figures[-1]:  # "on day 0 3%, on day 1 4%"
            return before[-1:] or marks[:1]
        if before and after and not any(f < place for f in figures):  # "on day 0 3% on day 1"
            return []
        return after[:1] or marks[:1]

    def _marks(self, a: int, b: int, keys: list[str]) -> Iterator[tuple[int, Span | None]]:
        """Yield the places where a text names days, and the days, None if they are not known."""
        usual, unknown = self.numbers.span, not self.numbers.days and self.numbers.days_of is None
        for found in grammar.DAYS.finditer(self.text, a, b):
            place = found.end() + len(" around ")
            around = self.date.match(self.text, place) if self.text.startswith(" around ", found.end()) else None
            beside = around is None or unknown or self._day_of(around.group(), keys) == 0
            yield found.start(), self._named_span(found) if beside else None
        yield from ((found.start(), (0, 0)) for found in grammar.EVENT_DAY.finditer(self.text, a, b))
        for found in grammar.LENGTH.finditer(self.text, a, b):
            yield found.start(), usual if grammar.count_of(found["length"]) == usual[1] - usual[0] + 1 else None
        yield from (
            (found.start(), None)
            for found in grammar.ELSEWHEN.finditer(self.text, a, b)
            if not grammar.LENGTH.match(self.text, found.start()) and found.group() not in self.numbers.days
        )
        for found, until in self._dated(a, b):
            lead, day = self.text[a : found.start()], self._day_of(found.group(), keys)
            if lead.endswith(" around "):  # beside the days themselves
                continue
            if until:
                end = self._day_of(until.group(), keys)
                yield found.start(), None if day is None or end is None else (day, end)
            elif grammar.OFF_DATE.search(lead):
                yield found.start(), None
            elif unknown:  # nothing is known of dates
                yield found.start(), usual if usual[0] == usual[1] else None
            else:
                yield found.start(), None if day is None else (day, day)

    def _named_span(self, found: re.Match[str]) -> Span:
        """Return the days that a text names: by a day, they are cumulated from the first."""
        first, last = (found["a"], found["b"]) if found["a"] else (found["c"], found["d"] or found["c"])
        return self.numbers.span[0] if found["by"] else _day(first), _day(last)

    def _dated(self, a: int, b: int) -> Iterator[tuple[re.Match[str], re.Match[str] | None]]:
        """Yield the dates between two places, each with the one that it lasts until, if it is the first of two."""
        dates = iter(self.date.finditer(self.text, a, b))
        for found in dates:
            words = re.compile(r" to | and ").match(self.text, found.end())
            lasts = grammar.OFF_DATE.search(self.text, a, found.start()) and words
            until = self.date.match(self.text, words.end()) if words and lasts else None
            yield found, until
            if until:
                next(dates)

    def _day_of(self, date: str, keys: list[str]) -> int | None:
        """Return the day that a date is relative to some events; None if it is none, or not the same for all of them."""
        day = self.numbers.days.get(date)
        if day is None and self.numbers.days_of is not None:
            known = self.numbers.days_of(date)
            found = {known.get(key) for key in [k for k in keys if k in self.numbers.states] or self.numbers.states}
            day = found.pop() if len(found) == 1 else None
        return day

    def _hold(self, amount: _Amount, names: list[str], quantity: str, span: Span, sign: int, word: str) -> bool:
        """Judge a number of one or several subjects; return whether it was known."""
        for key in names:
            value, currency = self.numbers.value(key, quantity, span), self.numbers.currency(key)
            if amount.currency and not currency:  # the numbers do not say in what they are
                self.unread.append(amount.text)
                return False
            if amount.currency and amount.currency != currency and value is not None:
                self.problems.append(f"{amount.text} is said of {key}, whose market value is in {currency}")
                return True
            if value is None or not math.isfinite(value):
                if key in self.numbers.states and value is not None:
                    self.problems.append(f"{amount.text} is said of {key}, whose {quantity} is not known")
                else:
                    self.unread.append(amount.text)
                return False
            self.claimed.add(key)
            if _same(amount, value, sign, word):
                if (
                    quantity == BEYOND
                ):  # true, but not the measure of the study, which is in per cent of the price expected
                    self.unread.append(amount.text)
                self.held += 1
                self.used.add(span)
                continue
            said = f"{word} {amount.text}".strip()
            self.problems.append(
                f"{said} is said of {key}, whose {quantity}{_over(span, self.numbers.span)} is {amount.write(value, currency)}{self._other(amount, key, quantity, span, sign, word)}"
            )
        return True

    def _other(self, amount: _Amount, key: str, quantity: str, span: Span, sign: int, word: str) -> str:
        """Say which other number of the same subject was meant, if it is one."""
        for other in () if one_sided(word) else (RETURN, ABNORMAL, EXPECTED, VALUE, ABNORMAL_VALUE):
            value = self.numbers.value(key, other, span)
            if (
                other != quantity
                and value is not None
                and (other in (VALUE, ABNORMAL_VALUE)) == (amount.unit == "dollars")
                and _same(amount, value, sign, word)
            ):
                return f" ({amount.text} is its {other})"
        return ""

    def _ends(self, found: re.Match[str], names: list[str], quantity: str, span: Span) -> None:
        """Judge the ends of the interval that stands beside a number."""
        if not found["low"]:
            return
        for end, shown in ((LOW, found["low"]), (HIGH, found["high"])):
            amount = _Amount.of(shown)
            value = self.numbers.value(names[0], end + quantity, span)
            main = _Amount.of(found["main"])
            if value is None or amount.unit != main.unit or amount.currency not in ("", main.currency):
                self.unread.append(shown)
                continue
            self._judge(
                _same(amount, value, amount.sign),
                f"{shown} is said of {names[0]}; the {end}{quantity} is {amount.write(value, main.currency)}",
            )

    def _ps(self) -> None:
        for found in grammar.P.finditer(self.text):
            if any(self.seen[found.start() : found.end()]):
                continue
            shown, quantity = (found["p"], P_VALUE) if found["p"] else (found["of"], ADJUSTED_P)
            after = re.match(r" for (\ufffc\d+\ufffc)", self.text[found.end() :])
            keys = self._keys(after[1] if after and found["of"] else self.text[: found.start()])
            value = self.numbers.value(keys[-1], quantity, self.numbers.span) if keys else None
            if value is None:
                self.unread.append(found.group())
                continue
            self._judge(_p_is(shown, value), f"{found.group()} is said of {keys[-1]}, where p is {p_text(value)}")
            self._cross(found.start(), found.end())

    # -- Days.

    def _dates(self) -> None:
        for found, until in self._dated(0, len(self.text)):
            end = until or found
            self._cross(found.start(), end.end())
            spans = product(self._days_of(found.group()), self._days_of(end.group()))
            known = None in self._days_of(found.group()) or not self.used.isdisjoint(spans)
            self.held += known
            self.unread += [] if known else [self.text[found.start() : end.end()]]
        for found in grammar.DAYS.finditer(self.text):
            if all(self.seen[found.start() : found.end()]):
                continue
            self._cross(found.start(), found.end())
            known = self._named_span(found) in self.used
            self.held += known
            self.unread += [] if known else [found.group()]

    def _days_of(self, date: str) -> set[int | None]:
        """Return all days that a date may be, None if it is known and none of the window's."""
        given, more = self.numbers.days, self.numbers.days_of
        return ({given[date]} if date in given else set()) | (set(more(date).values()) if more else set())

    # -- Verdicts: who moved, who did not, who has no number.

    def _states(self) -> None:
        patterns = (
            (re.compile(r"\b[Nn]o (?:clear )?(?:abnormal )?change(?: in market value)? (?:for|of|in) (" + grammar.GROUP.pattern + ")"), "unclear"),
            (re.compile(r"\b[Nn]o return for (" + grammar.GROUP.pattern + ")"), "missing"),
            (re.compile(r"(" + grammar.GROUP.pattern + r"): no return\b"), "missing"),
            (re.compile(r"\bNo figure(?: \([^)]*\):| for) (" + grammar.LIST.pattern + ")"), "missing"),
            (re.compile(r"\bNo return: (" + grammar.LIST.pattern + ")"), "missing"),
        )  # fmt: skip
        for pattern, state in patterns:
            for found in pattern.finditer(self.text):
                self._said_of(found, state)
        for found in re.finditer(
            rf"The result of ({grammar.GROUP.pattern}) is clear for an event looked at alone", self.text
        ):
            for key in self._keys(found[1]):
                alone, among = (self.numbers.value(key, what, self.numbers.span) for what in (P_VALUE, ADJUSTED_P))
                self._judge(
                    bool(alone and among and alone < 0.05 <= among), f"{self._named(found.group())!r} is said of {key}"
                )
        for found in grammar.STILL.finditer(self.text):
            self._still(found)
        for found in grammar.NOISE.finditer(self.text):
            # after a colon it is said of the subject and of the days before that
            place = found.start() - 2 * (self.text[: found.start()].endswith(": "))
            keys = self._subject_before(place, loose=True) or list(self.numbers.states)[:1]
            says = {"below": "down", "above": "up"}.get(found["side"] or "", "unclear")
            for key in keys:
                self._judge(
                    says in self._states_of(key, self._clause_span(place, [key])),
                    f"{found.group()!r} is said of {key}",
                )
            self._cross(found.start(), found.end())
        for found in re.finditer(r"\bas (low|high)\b", self.text):
            side = self.numbers.roles.get("side", found[1])
            self._judge(side == found[1], f"{found.group()!r} is {side}")

    def _said_of(self, found: re.Match[str], state: str) -> None:
        if state == "unclear" and "abnormal" not in found.group():
            # a clear change of what? only where the return is none either
            for key in self._events(self._keys(found[1])):
                raw = self.numbers.value(key, RETURN, self.numbers.span)
                if raw is not None and percent(raw, 1) != percent(0.0, 1):
                    self.unread.append(found.group())
        self.claimed.update(self._events(self._keys(found[1])))
        for key in self._events(self._keys(found[1])):
            if "figure" in found.group():
                value = self.numbers.value(key, VALUE, self.numbers.span)
                self._judge(
                    value is None or not math.isfinite(value), f"{self._named(found.group())!r} is said of {key}"
                )
                continue
            known = self._states_of(key, self._clause_span(found.start(), [key]))
            if not known:
                self.unread.append(found.group())
                continue
            self._judge(
                state in known,
                f"{self._named(found.group())!r} is said of {key}, where the numbers show {self._shown([key])}",
            )
        self._cross(found.start(), found.end(), whole=True)

    def _states_of(self, key: str, span: Span | None, *, named: bool = False) -> tuple[str, ...]:
        """Return the verdicts of an event over some days, of just these if they are ``named``; none if they are not known."""
        states = self.numbers.states.get(key, ()) if span == self.numbers.span else ()
        found = span and (named or not states) and self.numbers.verdict(key, ABNORMAL, span)
        return (found,) if found else states

    def _still(self, found: re.Match[str]) -> None:
        """Judge "did not move": the return must print as none."""
        if self._is_asked(found.start()):
            return
        keys = self._events(self._subject_before(found.start()))
        self._cross(found.start(), found.end())
        self.claimed.update(keys)
        if not keys:
            self.unread.append(found.group())
        span = self._clause_span(found.start(), keys)
        for key in keys:
            raw = None if span is None else self.numbers.value(key, RETURN, span)
            if raw is None or not math.isfinite(raw):
                self.unread.append(found.group())
                continue
            hint = "; what is not clear is an abnormal change" * ("unclear" in self._states_of(key, span))
            said = f"{found.group()!r} is said of {key}, whose return is {percent(raw, 1)}{hint}"
            self._judge(percent(raw, 1) == percent(0.0, 1), said)

    def _moves(self) -> None:
        """Judge words of movement and comparison without a number: the verdict must be on that side."""
        for a, b in zip(self.bounds, self.bounds[1:], strict=False):
            if (a, b) in self.asked:
                self.unread += [m.group() for m in grammar.MOVE.finditer(self.text, a, b)]
                continue
            beside = {m["seems"] or m["side"].lower() for m in grammar.COMPARED.finditer(self.text, a, b)}
            weaker = "less" in " ".join(beside) or any(
                m["side"] == "less" for m in re.finditer(grammar.EXPECTATION.pattern[1:], self.text[a:b])
            )
            self._compared(a, b)
            for word, side, keys, before, place in self._claims(a, b):
                if any(self.seen[place : place + len(word)]):
                    continue
                if grammar.NEGATION.search(before.rpartition(",")[2]):
                    self._denied(word, side, keys, place)
                    continue
                self._moved(word, side, keys, before, place, weaker)
                self._cross(place, place + len(word))

    def _denied(self, word: str, side: str, keys: list[str], place: int) -> None:
        """Judge "did not fall": only a clear fall denies it, and if nothing else is denied; else it is left unread."""
        span, ends = self._clause_span(place, keys), re.match(r"\W*?(?:[,;.]|$)", self.text[place + len(word) :])
        wrong = [k for k in keys if side in self._states_of(k, span)] if ends and span == self.numbers.span else []
        if wrong:
            self.problems.append(f"{word!r} is denied of {listed(wrong)}, where the numbers show {self._shown(wrong)}")
        else:
            self.unread.append(word)

    def _claims(self, a: int, b: int) -> Iterator[tuple[str, str, list[str], str, int]]:
        """Yield each word of movement in a clause, its side, the subjects that it is said of, the words before it, and its place."""
        # who was already said not to have moved is no subject of a movement
        clause = "".join(
            " " if seen and c == "\ufffc" else c for c, seen in zip(self.text[a:b], self.seen[a:b], strict=True)
        )
        words, start = list(grammar.MOVE.finditer(clause)), 0
        for i, found in enumerate(words):
            before = clause[start : found.start()]
            own = grammar.GROUP.finditer(clause, start, found.start())
            groups = [m for m in own if not grammar.GOVERNED.search(clause, 0, m.start())]
            named, others = self._keys(" ".join(m.group() for m in groups)), self._keys(before)
            start = found.end()
            if others and not named:  # of what is another's
                self._leave(found, a)
                continue
            if not named:
                end = words[i + 1].start() if i + 1 < len(words) else len(clause)
                named = self._keys(clause[start:end], own=True)
                start = end if named else start
            yield found.group(), "down" if found.group("down") else "up", self._events(named), before, a + found.start()

    def _leave(self, found: re.Match[str], a: int) -> None:
        """Leave a movement unread, unless it was crossed out with its number."""
        if not any(self.seen[a + found.start() : a + found.end()]):
            self.unread.append(found.group())

    def _is_read(self, place: int, keys: list[str]) -> bool:
        """Return whether a part of a clause around a place, with those of whom it is said, is read from end to end."""
        a, b = self._clause(place)
        cuts, shape = list(grammar.PART.finditer(self.text, a, b)), self._shape()
        return any(
            grammar.fits(grammar.DEGREE.sub("", grammar.CLAUSE.sub(" ", shape[i:j])).strip(" ,:"), self.date.pattern)
            for i in (a, *(m.end() for m in cuts))
            for j in (*(m.start() for m in cuts), b)
            if i <= place < j and set(keys) <= set(self._events(self._keys(self.text[i:j])))
        )

    def _moved(self, word: str, side: str, keys: list[str], before: str, place: int, weaker: bool) -> None:
        where, everyone, span = self._clause(place), list(self.numbers.states), self._clause_span(place, keys)
        self.claimed.update(keys)
        if span is None:
            self.unread.append(word)
            return
        basis = self._basis(word, where)
        named = any(self._marks(*where, keys))
        wrong = [k for k in keys or everyone if not self._carries(k, side, weaker, span, basis, named=named)]
        if keys and not wrong:
            self.held += 1
        elif keys and not self._is_read(place, keys):
            self.unread.append(word)
        elif keys and all(self._states_of(k, span) or self._raw(k, span) is not None for k in wrong):
            self.problems.append(
                f"{word!r} is said of {listed(wrong)}, where the numbers show {self._shown(wrong, span, named=named)}{self._offer(wrong, side, span)}"
            )
        elif keys or not everyone:
            self.unread.append(word)
        else:
            self._of_nobody(word, before, where, wrong)

    def _of_nobody(self, word: str, before: str, where: tuple[int, int], wrong: list[str]) -> None:
        """Judge a movement that is said of no event by name."""
        everyone = list(self.numbers.states)
        counted = grammar.COUNT.search(before)
        if counted is None and grammar.COUNT.search(self.text, *where):
            counted = grammar.FURTHER.search(before)
        if counted and grammar.count_of(counted.groupdict().get("all", str(len(everyone)))) == len(everyone):
            given, true = grammar.count_of(counted["some"]), [len(everyone) - len(wrong)]
            near = re.search(rf"\b({grammar.NEAR}) $", before[: counted.start()], re.IGNORECASE)
            side, n = "down" if (move := grammar.MOVE.fullmatch(word)) and move["down"] else "up", len(everyone)
            hint = ""
            if self._basis(word, where) == "both":  # a bare count is of prices and of abnormal returns
                true += [
                    sum(self._carries(k, side, False, self.numbers.span, basis) for k in everyone)
                    for basis in ("price", "abnormal")
                ]
                hint = f"; {true[1]} prices {word}, {true[2]} clearly abnormally: say 'prices of {true[1]} of {n} {word}' or '{true[2]} of {n} {word} abnormally'"
            holds = all(
                given == t if near is None else not reach_of(near[1].lower(), 0.0).place(t / given if given else t + 1)
                for t in true
            )
            self._judge(
                holds, f"{word!r} is said of {given} of {n}; it holds of {true[0]}{hint * (len(set(true)) > 1)}"
            )
            place = self.text.find(counted.group(), *where)
            self._cross(place, place + len(counted.group()))
            return
        if counted or grammar.QUANTIFIED.search(before) or grammar.OTHERS.search(before):
            self.unread.append(word)
            return
        if wrong and (len(wrong) == len(everyone) or self.strict or grammar.EVERY.search(self.text[slice(*where)])):
            what = "any event" if len(wrong) == len(everyone) else listed(wrong[:3])
            unnamed = f" (no event of the figure is named; they are {first_few(everyone, 4)})"
            self.problems.append(f"{word!r} does not hold of {what}: the numbers show {self._shown(wrong)}{unnamed}")
        else:
            self.unread.append(word)

    def _compared(self, a: int, b: int) -> None:
        """Judge "less than expected" without a number, and "less than it seems"."""
        for found in grammar.COMPARED.finditer(self.text, a, b):
            if any(self.seen[found.start() : found.end()]):
                continue
            moves = list(grammar.MOVE.finditer(self.text, a, found.start()))
            keys = self._events(self._subject_before(found.start()))
            self._cross(found.start(), found.end())
            side = 0 if not moves else -1 if moves[-1].group("down") else 1
            if not keys or not (side or found["side"] in ("better", "worse")):
                self.unread.append(found.group())
                continue
            self.claimed.update(keys)
            for key in keys:
                self._one_compared(found, key, side)

    def _one_compared(self, found: re.Match[str], key: str, side: int) -> None:
        if found["seems"]:
            raw, own = (self.numbers.value(key, q, self.numbers.span) for q in (RETURN, ABNORMAL))
            if raw is None or own is None:
                self.unread.append(found.group())
                return
            said = f"{found.group()!r} is said of {key}, whose return is {percent(raw)} and whose abnormal return is {percent(own)}"
            self._judge(abs(own) < abs(raw) and (own < 0) == (raw < 0), said)
            return
        sign = {"better": 1, "worse": -1, "more": side, "less": -side}[found["side"].lower()]
        states = self._states_of(key, self._clause_span(found.start(), [key]))
        if not states:
            self.unread.append(found.group())
            return
        self._judge(
            ("up" if sign > 0 else "down") in states,
            f"{found.group()!r} is said of {key}, where the numbers show {self._shown([key])}",
        )

    def _raw(self, key: str, span: Span) -> float | None:
        raw = self.numbers.raw.get(key) if span == self.numbers.span else None
        return self.numbers.value(key, RETURN, span) if raw is None else raw

    def _price_went(self, key: str, side: str, span: Span) -> bool:
        """Return whether a raw change is on a side, beyond its rounding."""
        raw = self._raw(key, span)
        if raw is None or not math.isfinite(raw) or self.numbers.raw_of != RETURN:
            return raw is not None and (raw < 0 if side == "down" else raw > 0)
        return (raw < 0) == (side == "down") and percent(raw, 1) != percent(0.0, 1)

    def _basis(self, word: str, where: tuple[int, int]) -> str:
        """Return what a movement is of: the price, the abnormal return, or both."""
        clause = self.text[slice(*where)]
        if grammar.OF_ABNORMAL.search(clause) or grammar.COMPARES.fullmatch(word):
            return "abnormal"
        return "price" if grammar.OF_PRICE.search(clause) else "both"

    def _carries(
        self, key: str, side: str, weaker: bool, span: Span, basis: str = "both", *, named: bool = False
    ) -> bool:
        """Return whether a movement may be said: price and verdict are on that side, or the text says "less" of a raw move."""
        states, went = self._states_of(key, span, named=named), self._price_went(key, side, span)
        if not states or basis == "price":  # an index has no verdict, only a return
            return went
        # of several verdicts, as by several days, no raw change stands beside each
        single = len(states) == 1 and self._raw(key, span) is not None and basis == "both"
        if side in states:
            return went or not single
        return weaker and not {"down", "up"}.isdisjoint(states) and went

    def _offer(self, keys: list[str], side: str, span: Span) -> str:
        """Return what may be said instead of a bare movement: that of the price, with its number."""
        if self.numbers.raw_of != RETURN or not all(self._price_went(k, side, span) for k in keys):
            return ""
        called = {k: next((n for n, s in self.numbers.names.items() if s == k and n in self.given), k) for k in keys}
        said = [
            f"{called[k]} {'fell' if side == 'down' else 'rose'} {percent(abs(self._raw(k, span) or 0.0), 1, sign=False)}"
            for k in keys
        ]
        return f"; of the price say {listed([repr(s) for s in said])}"

    def _shown(self, keys: list[str], span: Span | None = None, *, named: bool = False) -> str:
        """Return what the numbers show of events, with the numbers."""
        span = span or self.numbers.span
        says = {"down": "a clear abnormal fall", "up": "a clear abnormal rise", "unclear": "no clear abnormal change", "missing": "no return"}  # fmt: skip
        parts = []
        for key in keys:
            value, raw = (self.numbers.value(key, what, span) for what in (ABNORMAL, RETURN))
            beside = (
                ""
                if value is None or raw is None or not math.isfinite(value)
                else f" (return {percent(raw, 1)}, abnormal {percent(value, 1)})"
            )
            states = self._states_of(key, span, named=named)
            said = (
                " or ".join(dict.fromkeys(says[s] for s in states))
                or f"a return of {percent(self._raw(key, span) or 0.0, 1)}"
            )
            parts.append(f"{said}{beside}")
        return " or ".join(dict.fromkeys(parts[:3]))

    # -- Titles of cumulated paths.

    def _paths(self) -> None:
        """Judge which paths are clearly below or above zero by which day."""
        head = re.match(r"Abnormal returns cumulated from day ([−+-]?\d+): ", self.text)
        if not head or not re.search(r" zero\b", self.text):
            return
        start = self.numbers.span[0]
        self._judge(_day(head[1]) == start, f"they are cumulated from day {relative_day(start)}")
        place, claim = head.end(), ""
        for found in grammar.BY_DAY.finditer(self.text, head.end()):
            if found.start() == place:
                claim = found["claim"] or claim
                span = (start, _day(found["day"]))
                if span in self.numbers.spans:
                    self._path(claim, span)
                else:
                    self.unread.append(found.group())
                self._cross(place, found.end(), whole=True)
                place = found.end()
        self._cross(0, head.end(), whole=True)

    def _path(self, claim: str, span: Span) -> None:
        """Judge what is said of all paths by one day: who is below zero, who above, and nobody else."""
        everyone = list(self.numbers.states)
        found = {k: self.numbers.verdict(k, ABNORMAL, span) for k in everyone}
        if not everyone or None in found.values():
            self.unread.append(claim)
            return
        said = {m["side"]: m["who"] for m in grammar.SIDE.finditer(claim)}
        for word, side in (("below", "down"), ("above", "up")):
            true, who = [k for k in everyone if found[k] == side], said.get(word, "")
            right = int(who) == len(true) if who.isdigit() else set(self._keys(who)) == set(true)
            problem = f"{self._named(claim)!r} is said of day {relative_day(span[1])}: {listed(true) or 'none'} clearly {word} zero"
            self._judge(right, problem)
        total = re.search(r"\bof (\d+) events", claim)
        if total:
            self._judge(int(total[1]) == len(everyone), f"there are {len(everyone)} events")

    # -- What is left.

    def _leftovers(self) -> None:
        for found in re.finditer(r"\d+(?:[.,]\d+)*", grammar.FILLED.sub(lambda m: " " * len(m.group()), self.text)):
            if not all(self.seen[found.start() : found.end()]):
                self.unread.append(found.group())


def _same(amount: _Amount, value: float, sign: int, word: str = "") -> bool:
    """Return whether a number is the one that a text shows, sign included; none has no sign."""
    if not amount.shows(value, word):
        return False
    return float(f"{abs(value) / amount.scale:.{amount.digits}f}") == 0.0 or (value > 0) == (sign > 0)


def _p_is(shown: str, p: float) -> bool:
    """Return whether a p-value prints like that."""
    bare = shown.replace(" ", "")
    digits = len(bare.partition(".")[2])
    if bare.startswith("<"):  # as it is printed, or a line such as 0.05
        return bare == p_text(p) or (digits < 3 and p < float(bare[1:]))
    return f"{p:.{digits}f}" == f"{float(bare):.{digits}f}" and p >= 0.001


def _day(text: str) -> int:
    return int(text.replace("−", "-"))


def _over(span: Span, usual: Span) -> str:
    if span == usual:
        return ""
    if span[0] == span[1]:
        return f" on day {relative_day(span[0])}"
    return f" over days {relative_day(span[0])} to {relative_day(span[1])}"


#: What a text may call all events of a result together, by how many there are.
_TOGETHER = {1: ("the share",), 2: ("both", "the two"), 3: ("the three", "all three"), 4: ("the four", "all four"), 5: ("the five", "all five")}  # fmt: skip


def group_names(n: int) -> dict[str, str]:
    """Return what a text may call the average of n events, and all of them.

    Examples
    --------
    >>> group_names(3)["the three"]
    'all events'
    """
    means = {f"{the}{word}": AVERAGE for the in ("the ", "The ", "") for word in ("average", "mean")}
    together = _TOGETHER.get(n, ()) if n > 1 else ()
    return {**means, **{name: ALL for words in together for name in (words, words[0].upper() + words[1:])}}


def with_holes(text: str, names: Mapping[str, str], subjects: list[str]) -> str:
    """Return a text with a number in place of every subject's name, the longest first."""
    there = [name for name in names if name in text]
    if not there:
        return text
    place = {subject: i for i, subject in enumerate(subjects)}
    choices = "|".join(re.escape(name) for name in sorted(there, key=len, reverse=True))
    found = re.compile(rf"(?<![\w$])(?:{choices})(?!\w)")
    return found.sub(
        lambda m: (
            m.group()  # "two of the three" is not all of them, "on average" not the average
            if (names[m.group()] == ALL and grammar.OF_THEM.search(text, 0, m.start()))
            or (names[m.group()] == AVERAGE and text.endswith("on ", 0, m.start()))
            else grammar.HOLE.format(place[names[m.group()]])
        ),
        text,
    )
