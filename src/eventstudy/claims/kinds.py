"""All kinds of claims, by the word that a file gives them, and a claim that fits its kind."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from eventstudy.claims.dates import DATES
from eventstudy.claims.kind import DAYS, Kind
from eventstudy.claims.levels import LEVELS
from eventstudy.claims.moves import MOVES
from eventstudy.claims.ranks import RANKS
from eventstudy.claims.ruling import not_testable
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.sums import SUMS
from eventstudy.fields import one_of

_NOT_TESTABLE = Kind(
    lambda _, part: not_testable(part.reason, part.needs),
    needs=("reason", "needs"),
    allows=("assets", *DAYS, "value", "unit", "wording", "says"),
    of_prices=False,
)
KINDS: dict[str, Kind] = {**MOVES, **SUMS, **RANKS, **LEVELS, **DATES, "not_testable": _NOT_TESTABLE}


class ClaimOfKind(ClaimPart):
    """A claim of a known kind, with the keys that its kind needs and no others."""

    kind: Annotated[str, one_of(KINDS)]

    @model_validator(mode="before")
    @classmethod
    def _usual_unit(cls, given: object) -> object:
        """Read a value without a unit in the usual one of its kind."""
        kind = KINDS.get(str(given.get("kind"))) if isinstance(given, dict) else None
        if isinstance(given, dict) and kind and kind.usual_unit and "value" in given and not given.get("unit"):
            return {**given, "unit": kind.usual_unit}
        return given

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ClaimOfKind:
        problems = [*KINDS[self.kind].problems(self), *self.problems()]
        if problems:
            raise ValueError(problems[0])
        return self
