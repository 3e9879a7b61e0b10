"""The words of claims, each table once: how far from its number a word lets the truth lie, which way a verb goes and how hard.

Beside them what a quotation gives as a reason, and what no close can show. A claim in print is a number and a word. The number is a line; the word says on which side of it the truth lies and how far away it may be.
All words that are not exact share one distance (`DISTANCE`); a word that names a side never reaches across its line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

#: The one distance, as a share of the number: within it lies what is near the number, outside it what is well beyond.
DISTANCE = 0.05
#: "Exactly" means so many digits at least: 3 per cent is 3.00.
EXACT_DIGITS = 3


class Reach(NamedTuple):
    """From where to where the truth may lie, in distances from the number, and whether the number itself agrees."""

    low: float
    high: float
    line: bool


_INF = math.inf
_REACHES: dict[Reach, tuple[str, ...]] = {
    Reach(-1, 0, False): (
        "almost", "nearly", "just under", "just below", "slightly less than", "a little less than", "close to but below",
        "shy of", "just shy of", "short of", "just short of", "approaching", "not quite",
    ),
    Reach(-1, 1, True): ("about", "around", "roughly", "approximately", "some", "close to", "near", "circa"),
    Reach(0, 1, False): ("just over", "just above", "slightly over", "slightly more than", "a little over", "a little more than"),
    Reach(0, _INF, False): (
        "more than", "over", "above", "greater than", "in excess of", "exceeded", "exceeding", "beyond", "past", "upward of",
        "upwards of", "north of", "topped", "topping", "surpassed", "passed", "crossed", "broke through", "broke above",
    ),
    Reach(0, _INF, True): ("at least", "no less than", "not less than", "no fewer than", "or more", "a minimum of"),
    Reach(1, _INF, False): ("well over", "well above", "well more than", "far more than", "far above", "much more than"),
    Reach(-_INF, 0, False): ("less than", "under", "below", "fewer than", "lower than", "south of", "broke below", "fell through"),
    Reach(-_INF, 0, True): ("at most", "no more than", "not more than", "not exceeding", "or less", "a maximum of"),
    Reach(-_INF, -1, False): ("well under", "well below", "far less than", "far below", "much less than"),
    Reach(-1, 0, True): ("up to", "as many as"),
}  # fmt: skip
_WORDS = {word: reach for reach, words in _REACHES.items() for word in words}
#: Words by which a price came from the other side of its number: 1 from below, -1 from above, 0 from either.
CROSSINGS = {"broke through": 0, "crossed": 0, "broke above": 1, "broke below": -1, "fell through": -1}
EXACTLY = ("exactly", "precisely")
#: Of one company these are about a price within the day.
UP_TO = _REACHES[Reach(-1, 0, True)]
#: Words that go with an amount.
AMOUNT_WORDS = ("", *EXACTLY, *_WORDS)

SHARPLY = ("sharply", "sharp", "steeply", "heavily", "dramatically", "strongly", "massively")
SLIGHTLY = ("slightly", "slight", "modestly", "marginally", "a little")
#: Words that go with a move.
MOVE_WORDS = ("", *SHARPLY, *SLIGHTLY)
ON_RECORD = ("record", "on record", "in history")
AMONG = "among the biggest"
#: Words that go with a rank.
RANK_WORDS = ("", "biggest", "largest", "worst", "best", "steepest", *ON_RECORD, AMONG)
#: Words that go with a count, beside those of amounts.
COUNT_WORDS = ("most", "several", "all", "none")
#: All words that a claim may have.
WORDINGS = tuple(dict.fromkeys((*AMOUNT_WORDS, *MOVE_WORDS, *RANK_WORDS, *COUNT_WORDS)))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which shares of a claimed number a computed one agrees with it.

    Attributes
    ----------
    low, high : float
        The ends, computed over claimed.
    low_in, high_in : bool
        Whether the ends themselves agree.
    """

    low: float
    high: float
    low_in: bool = True
    high_in: bool = True

    @property
    def ceiling(self) -> bool:
        """Whether there is no floor: none at all keeps below it."""
        return self.low == 0.0

    @property
    def two_sided(self) -> bool:
        """Whether the number can be missed on either side."""
        return self.low > 0.0 and math.isfinite(self.high)

    def place(self, ratio: float) -> int:
        """Return -1 below the bounds, 1 above them, 0 inside.

        Examples
        --------
        >>> [Bounds(1.0, math.inf, low_in=False).place(r) for r in (0.99, 1.0, 1.01)]
        [-1, -1, 0]
        """
        slack = 1e-12  # ratios are quotients of decimals
        if ratio < self.low - slack or (not self.low_in and ratio <= self.low + slack):
            return -1
        return int(ratio > self.high + slack or (not self.high_in and ratio >= self.high - slack))

    def text(self, claimed: float, form: Callable[[float], str]) -> str:
        """Return the bounds in words.

        Examples
        --------
        >>> Bounds(0.95, 1.0, high_in=False).text(600, str), Bounds(1.0, math.inf).text(6, str)
        ('570.0 to below 600.0', '6.0 or more')
        """
        low, high = form(claimed * self.low), ("" if math.isinf(self.high) else form(claimed * self.high))
        if not high:
            return f"{low} or more" if self.low_in else f"above {low}"
        if self.ceiling:
            return f"{high} or less" if self.high_in else f"below {high}"
        return f"{'' if self.low_in else 'above '}{low} to {'' if self.high_in else 'below '}{high}"


def reach_of(wording: str, step: float) -> Bounds:
    """Return the bounds of a word whose distance is a share of its number.

    Examples
    --------
    >>> reach_of("almost", 0.05)
    Bounds(low=0.95, high=1.0, low_in=True, high_in=False)
    """
    low, high, line = _WORDS.get(wording, Reach(-1, 1, True))
    ends = [max(1.0 + end * step, 0.0) for end in (low, high)]
    # the far end of a word that is near its number agrees, the number itself only if the word lets it, nor does the near end of one well beyond
    return Bounds(ends[0], ends[1], low == -1 or (low == 0 and line), (high == 1) or (high == 0 and line))


# -- Verbs: which way, how hard, or that it was not so.


class Verb(NamedTuple):
    """What a verb says: its plain form, ``sharply``, ``slightly`` or nothing, and whether it is denied."""

    base: str
    strength: str = ""
    negated: bool = False


_VERBS: dict[Verb, tuple[str, ...]] = {
    Verb("fell"): ("fell", "dropped", "declined", "retreated", "slid", "lost ground", "was down", "finished lower", "closed lower", "ended lower"),
    Verb("fell", "sharply"): (
        "plunged", "slumped", "tumbled", "plummeted", "crashed", "sank", "cratered", "nosedived", "collapsed", "chilled", "sold off", "tanked", "dived",
    ),
    Verb("fell", "slightly"): ("slipped", "dipped", "edged down", "eased", "inched down", "ticked down"),
    Verb("fell", negated=True): ("did not fall", "did not drop", "did not decline", "held its ground"),
    Verb("fell", "sharply", negated=True): ("did not plunge", "did not slump", "did not crash", "did not collapse"),
    Verb("rose"): ("rose", "climbed", "advanced", "was up", "gained ground", "rebounded", "bounced back", "finished higher", "closed higher", "ended higher"),
    Verb("rose", "sharply"): ("soared", "surged", "jumped", "rocketed", "skyrocketed", "spiked", "leapt", "rallied"),
    Verb("rose", "slightly"): ("edged up", "ticked up", "inched up"),
    Verb("rose", negated=True): ("did not rise", "failed to rise", "did not climb"),
    Verb("rose", "sharply", negated=True): ("did not soar", "did not surge", "did not jump"),
    Verb("recovered"): ("recovered", "regained its losses"),
    Verb("recovered", negated=True): ("did not recover", "failed to recover"),
    Verb("lost"): ("lost", "shed", "wiped out", "erased"),
    Verb("gained"): ("gained", "added"),
    Verb("no change"): ("no change",),
}  # fmt: skip
VERBS = {word: verb for verb, words in _VERBS.items() for word in words}
#: By the plain form of a verb: the sign of the change.
SIGN = {"fell": -1.0, "rose": 1.0, "recovered": 1.0, "lost": -1.0, "gained": 1.0}


# -- What a quotation says that no close can show.


_REASON = re.compile(
    r"\b(because|due to|owing to|thanks to|amid|as a result of|in response to|in reaction to|in the wake of|on the back of"
    r"|affected by|driven by|fuelled by|fueled by|triggered by|sparked by|caused by|prompted by|spurred by|weighed down by|(?:on|over|by|with) (?:\w+ )?(?:fears?|worr(?:y|ies)"
    r"|concerns?|hopes?|optimism|news|reports?|speculation)|(?:fears?|worries|concerns) (?:that|about|over)"
    r"|spook(?:ed|ing)|rattl(?:ed|ing)|jolt(?:ed|ing)|sent|as (?:investors|traders|fears|worries))\b",
    re.IGNORECASE,
)
_WITHIN_THE_DAY = re.compile(
    r"\b(as (?:much|little|low|high) as|intra-?day|within (?:the|a) day|during the (?:day|session)|at one point|briefly"
    r"|at (?:its|their) (?:worst|best|lows?|lowest|highs?|highest|peak)|session(?:'s|’s)? (?:low|high)s?|day(?:'s|’s) (?:low|high)"
    r"|(?:early|morning|midday|afternoon|late|pre-?market|after-hours|extended) (?:\w+ )?trading|first (?:few )?(?:minutes|hours?)"
    r"|at the open(?:ing)?|opened (?:lower|higher|down|up))\b",
    re.IGNORECASE,
)


def reason_in(quote: str) -> str:
    """Return what a quotation gives as a reason, from the word that gives it on; empty if it gives none.

    Examples
    --------
    >>> reason_in("Nvidia fell 17% on fears of cheaper chips."), reason_in("a week after the release")
    ('on fears of cheaper chips', '')
    """
    found = _REASON.search(quote)
    return quote[found.start() :].rstrip(" .") if found else ""


def within_the_day(quote: str) -> str:
    """Return the words by which a quotation speaks of a price within the day; empty if it does not.

    Examples
    --------
    >>> within_the_day("fell as much as 18% within the day"), within_the_day("fell 17%")
    ('as much as', '')
    """
    found = _WITHIN_THE_DAY.search(quote)
    return found.group(0) if found else ""
