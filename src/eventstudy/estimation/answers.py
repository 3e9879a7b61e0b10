"""Answers of many events, given by a few hundred at a time, which add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar, Self

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
        self._expected, self._done = 0, 0
        self._rows: dict[str, NDArray[Any]] = {}
        self._sums: tuple[str, ...] = ()

    def expect(self, n: int) -> None:
        """Be told of how many events there will be answers, at most, so that their rows need not be put together at the end."""
        self._expected = n

    def add(self, answer: Answer) -> None:
        """Add the answer of some events more."""
        if answer.EACH and self._expected:
            self._put(answer)
            return
        self._answers.append(answer)
        if len(self._answers) >= self.TOGETHER and not answer.EACH:
            self._answers = [answer.total(self._answers, None)]

    def _put(self, answer: Answer) -> None:
        """Put the rows of an answer beside those that came before, and add its sums to theirs."""
        if not self._answers:
            rows = {name: getattr(answer, name) for name in answer.EACH}
            self._rows = {n: np.empty((self._expected, *r.shape[1:]), dtype=r.dtype) for n, r in rows.items()}
            names = {field.name for field in fields(answer)}  # type: ignore[arg-type]
            self._sums = tuple(names - answer.EACH - answer.ALIKE)
            self._answers = [replace(answer, **{name: r[:0].copy() for name, r in rows.items()})]  # type: ignore[type-var]
        elif self._sums:
            first = self._answers[0]
            more = {name: getattr(first, name) + getattr(answer, name) for name in self._sums}
            self._answers = [replace(first, **more)]  # type: ignore[type-var]
        done = self._done
        for name, held in self._rows.items():
            own = getattr(answer, name)
            self._done = done + len(own)
            held[done : self._done] = own

    def empty(self) -> Self:
        """Return a tally of this kind to which nothing was added."""
        return type(self)()

    def settle(self) -> None:
        """Be told that the next answers are of no date before those added."""

    def answer(self) -> Answer | None:
        """Return what was added as one answer, which another tally can add; None without any."""
        if len(self._answers) > 1:
            self._answers = [self._answers[0].total(self._answers, None)]
        if self._rows:
            rows = {name: rows[: self._done] for name, rows in self._rows.items()}
            self._answers, self._rows, self._expected = [replace(self._answers[0], **rows)], {}, 0  # type: ignore[type-var]
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
        if not self._rows:
            return self._answers[0].total(self._answers, order)
        found = self._answers[0].total(self._answers, None)
        rows = {name: _placed(self._rows.pop(name)[: self._done], order) for name in found.EACH}
        return replace(found, **rows)  # type: ignore[type-var]


def _placed(rows: NDArray[np.float64], order: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """Return rows in the order that these numbers have, which are different ones."""
    if order is None:
        return rows
    if len(order) and order.max() >= len(order):  # some are left out
        return rows[np.argsort(order)]
    out = np.empty_like(rows)
    out[order] = rows
    return out
