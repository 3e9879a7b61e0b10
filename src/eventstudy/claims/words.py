"""The words of claims, each table once: which words go with what, which way a verb goes and how hard, what no close can show.

How far from its number a word lets the truth lie says `eventstudy.distances`, for titles as for claims.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from eventstudy.distances import REACHES, WORDS, Reach

#: Words by which a price came from the other side of its number: 1 from below, -1 from above, 0 from either.
CROSSINGS = {"broke through": 0, "crossed": 0, "broke above": 1, "broke below": -1, "fell through": -1}
EXACTLY = ("exactly", "precisely")
#: "Exactly" means so many digits at least: 3 per cent is 3.00.
EXACT_DIGITS = 3
#: Of one company these are about a price within the day.
UP_TO = REACHES[Reach(-1, 0, True)]
#: Words that go with an amount.
AMOUNT_WORDS = ("", *EXACTLY, *WORDS)

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


_WITHIN_THE_DAY = re.compile(
    r"\b(as (?:much|little|low|high) as|intra-?day|within (?:the|a) day|during the (?:day|session)|at one point|briefly"
    r"|at (?:its|their) (?:worst|best|lows?|lowest|highs?|highest|peak)|session(?:'s|’s)? (?:low|high)s?|day(?:'s|’s) (?:low|high)"
    r"|(?:early|morning|midday|afternoon|late|pre-?market|after-hours|extended) (?:\w+ )?trading|first (?:few )?(?:minutes|hours?)"
    r"|at the open(?:ing)?|opened (?:lower|higher|down|up))\b",
    re.IGNORECASE,
)


def within_the_day(quote: str) -> str:
    """Return the words by which a quotation speaks of a price within the day; empty if it does not.

    Examples
    --------
    >>> within_the_day("fell as much as 18% within the day"), within_the_day("fell 17%")
    ('as much as', '')
    """
    found = _WITHIN_THE_DAY.search(quote)
    return found.group(0) if found else ""
