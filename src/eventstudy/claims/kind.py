"""A kind of claim: the keys that such a claim needs and may have, its words and units, and who judges it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from eventstudy.claims.evidence import Days, Evidence
from eventstudy.claims.ruling import Ruling, joint_ruling
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.words import VERBS, WORDINGS

#: Keys that belong to the quotation, not to the computation.
_ALWAYS = ("id", "quote", "article", "source", "kind", "because", "remark")
#: Keys that say which days are meant.
DAYS = ("window", "from", "to", "date")
FELL_ROSE, LOST_GAINED = ("fell", "rose"), ("lost", "gained")

Judge = Callable[[Evidence, ClaimPart], Ruling]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a claim of one kind may say, and how it is judged.

    Attributes
    ----------
    judge : callable
        Returns the ruling on a claim from the evidence.
    needs, allows : tuple of str
        Keys that the claim must have, and further ones that it may have.
    says, units, wordings, measures : tuple of str
        The words that the keys of these names may have, of ``says`` the plain verbs; none if any of theirs is welcome.
    usual_unit : str
        The unit of a value without one.
    check : callable, optional
        Says what else is wrong with a claim; an empty text if nothing is.
    of_prices : bool
        Whether there must be prices of the claim's assets.
    per_share : bool
        Whether a value in dollars is the price of a share, not an amount.
    deniable : bool
        Whether a claim may say that it was not so.
    """

    judge: Judge
    needs: tuple[str, ...]
    allows: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    usual_unit: str = ""
    check: Callable[[ClaimPart], str] | None = None
    of_prices: bool = True
    per_share: bool = False
    deniable: bool = False

    def problems(self, part: ClaimPart) -> Iterator[str]:
        """Say what in a claim does not fit its kind."""
        yield from (f"a claim of kind {part.kind} {problem}" for problem in self._problems(part))

    def _problems(self, part: ClaimPart) -> Iterator[str]:
        given = part.given
        missing = [key for key in self.needs if given.get(key) in ((), "", None)]
        if missing:
            yield f"needs {', '.join(map(repr, missing))}"
        foreign = sorted(set(given) - {*_ALWAYS, *self.needs, *self.allows})
        if foreign:
            yield f"has no {', '.join(foreign)}; it has {', '.join((*self.needs, *self.allows))}"
        if part.says in VERBS and self.says and part.verb.base not in self.says:
            yield f"says {' or '.join(self.says)}, not {part.says!r}"
        if part.verb.negated and (not self.deniable or (part.value is not None and "names" not in self.units)):
            yield f"with a size has no {part.says!r}; say what it did, and wording = 'at most' or 'at least'"
        if part.unit and self.units and part.unit not in self.units:
            yield f"has the unit {' or '.join(self.units)}, not {part.unit!r}"
        if self.wordings and part.wording in WORDINGS and part.wording not in self.wordings:
            yield f"has the wording {', '.join(w or 'none' for w in self.wordings)}, not {part.wording!r}"
        if part.measure and self.measures and part.measure not in self.measures:
            yield f"has the measure {' or '.join(self.measures)}, not {part.measure!r}"
        if self.check:
            yield from filter(None, [self.check(part)])


def each_asset(judge_one: Callable[[Evidence, ClaimPart, str, Days], Ruling]) -> Judge:
    """Return a judge that joins what another one rules on each of a claim's assets."""

    def judge(ev: Evidence, part: ClaimPart) -> Ruling:
        homes = [(ticker, ev.home([ticker])) for ticker in part.assets]
        rulings = [(own.call(ticker), judge_one(own, part, ticker, own.days(part))) for ticker, own in homes]
        return joint_ruling(rulings, "which company is meant")

    return judge
