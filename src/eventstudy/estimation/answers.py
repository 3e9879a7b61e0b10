"""Answers of many events, given by a few hundred at a time, which add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray


class Answer:
    """What some events say: a dataclass of sums over events; of one row an event in the fields of ``EACH``, alike for all in those of ``ALIKE``."""

    EACH: ClassVar[frozenset[str]] = frozenset()
    ALIKE: ClassVar[frozenset[str]] = frozenset()

    def total(self, answers: Sequence[Self], order: NDArray[np.int64] | None) -> Self:
        """Return the answer of all events: sums added, rows put in the places that ``order`` names, as they come if it is None."""
        if len(answers) == 1 and order is None:
            return self
        found: dict[str, object] = {}
        for field in fields(self):  # type: ignore[arg-type]
            values = [getattr(answer, field.name) for answer in answers]
            if field.name in self.EACH:
                found[field.name] = _placed(np.concatenate(values), order)
            else:
                found[field.name] = values[0] if field.name in self.ALIKE else sum(values[1:], start=values[0])
        return type(self)(**found)


class Tally:
    """Answers of some events after the other, added up as they come: an answer of few events, or of all that another tally has."""

    #: So many answers are added at once.
    TOGETHER = 64

    def __init__(self) -> None:
        self._answers: list[Answer] = []

    def add(self, answer: Answer) -> None:
        """Add the answer of some events more."""
        self._answers.append(answer)
        if len(self._answers) >= self.TOGETHER and not answer.EACH:  # rows would be copied again and again
            self._answers = [answer.total(self._answers, None)]

    def empty(self) -> Self:
        """Return a tally of this kind to which nothing was added."""
        return type(self)()

    def settle(self) -> None:
        """Be told that the next answers are of no date before those added."""

    def answer(self) -> Answer | None:
        """Return what was added as one answer, which another tally can add; None without any."""
        if len(self._answers) > 1:
            self._answers = [self._answers[0].total(self._answers, None)]
        return self._answers[0] if self._answers else None

    def merged(self, other: Tally) -> Self:
        """Return a tally of what was added to this one and to another; both stay as they are."""
        found = self.empty()
        for answer in (self.answer(), other.answer()):
            if answer is not None:
                found.add(answer)
        found.answer()
        return found

    def total(self, order: NDArray[np.int64] | None) -> Answer:
        """Return the answer of all events; see `Answer.total`."""
        return self._answers[0].total(self._answers, order)


def _placed(rows: NDArray[np.float64], order: NDArray[np.int64] | None) -> NDArray[np.float64]:
    if order is None:
        return rows
    out = np.empty_like(rows)
    out[order] = rows
    return out
