"""What some events of a study give, fitted and asked a few hundred at a time: partial results, which add up in any order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventstudy.errors import InvalidInput
from eventstudy.estimation.abnormal import (
    AbnormalReturns,
    Question,
    abnormal_returns,
    answered,
)
from eventstudy.estimation.answers import Answer, Tally
from eventstudy.estimation.deferred import chunks
from eventstudy.estimation.model import Fit, NormalReturnModel
from eventstudy.estimation.panel import EventPanel, IntArray

Rows = dict[str, NDArray[Any]]


def version() -> str:
    """Return the version of the package."""
    from eventstudy import __version__

    return __version__


@dataclass(frozen=True, eq=False)
class Partial:
    """What some events of a study give.

    Attributes
    ----------
    places : ndarray of int, shape (n,)
        The events that can be fitted, by their places among all of the study.
    fit, abnormal : Held
        Their fields of `Fit` and of `AbnormalReturns`.
    asked : ndarray of int, shape (n,)
        The same events in the order in which they were asked.
    tallies : list of Tally
        What they answered, a tally a question.
    reasons : mapping of int to str
        Why others cannot be fitted, by place.
    """

    places: IntArray
    fit: Held
    abnormal: Held
    asked: IntArray
    tallies: Sequence[Tally]
    reasons: Mapping[int, str]

    def placed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields of `Fit` and of `AbnormalReturns` with the events in order of their places."""
        fit = self.fit.placed(self.places)
        return fit, self.abnormal.placed(self.places) | {name: fit[name] for name in OF_FIT}

    def merged(self, other: Partial) -> Partial:
        """Return what these events and others give."""
        return Partial(
            np.concatenate([self.places, other.places]),
            self.fit.merged(other.fit),
            self.abnormal.merged(other.abnormal),
            np.concatenate([self.asked, other.asked]),
            [own.merged(more) for own, more in zip(self.tallies, other.tallies, strict=True)],
            {**self.reasons, **other.reasons},
        )


@dataclass(frozen=True)
class Work:
    """What is done with events: they are fitted and asked.

    ``keep``: arrays as large as the estimation returns are kept, since there are few events, or since estimating again takes longer than questions,
    which can then be asked later.
    """

    model: NormalReturnModel
    questions: tuple[Question[Answer], ...]
    keep: bool
    version: str = field(default_factory=version)

    @property
    def asked(self) -> tuple[Question[Answer], ...]:
        """The questions that are asked at once."""
        return () if self.keep else self.questions

    def partial(self, panel: EventPanel, places: IntArray, *, alone: bool) -> Partial:
        """Return what the events of a panel give, whose places among all of the study are these; ``alone``: they are all."""
        n = panel.n
        order = np.arange(n) if self.keep else np.argsort(panel.position, kind="stable")
        fits, abnormals, reasons = Held(n, self.keep), Held(n, self.keep, OF_FIT), dict[int, str]()

        def studied() -> Iterator[AbnormalReturns]:
            for some_places in chunks(order, max(n, 1) if self.keep else None):
                chosen = some_places
                some = panel if self.keep else panel.part(chosen)
                fit = self.model.fit(some)
                if any(fit.unusable):
                    reasons.update((p, why) for p, why in zip(chosen.tolist(), fit.unusable, strict=True) if why)
                    sound = np.flatnonzero([not why for why in fit.unusable])
                    some, fit, chosen = some.take(sound), fit.take(sound), chosen[sound]
                abnormal = abnormal_returns(some, fit, chosen)  # numbers of firms are given to all events together
                fits.put(chosen, fit)
                abnormals.put(chosen, abnormal)
                if len(chosen):
                    yield abnormal

        tallies = answered(self.asked, studied(), n, settle=alone)
        good = np.ones(n, dtype=np.bool_)
        good[list(reasons)] = False
        return Partial(
            places[good],
            fits.of(good),
            abnormals.of(good),
            places[order[good[order]]],
            tallies,
            {int(places[i]): why for i, why in sorted(reasons.items())},
        )

    def sent(self, panel: EventPanel, places: IntArray) -> Partial:
        """Return `partial` of some events of several, as it is sent back: each tally with one answer.

        Raises
        ------
        InvalidInput
            If another version of the package works than the one that asks.
        """
        if self.version != version():
            raise InvalidInput(
                f"A worker has eventstudy {version()}, and this process {self.version}; install the same version on all machines."
            )
        found = self.partial(panel, places, alone=False)
        for tally in found.tallies:
            tally.answer()
        return found


#: What abnormal returns have of the fit.
OF_FIT = frozenset({"n_est", "sigma", "root"})


class Held:
    """Fields of records of some events after the other, but for some, put into the places of all: the small ones, or every one."""

    def __init__(self, n: int, keep: bool, but: frozenset[str] = frozenset()) -> None:
        self._n, self._keep, self._but = n, keep, but
        self.rows: Rows = {}
        self.alike: dict[str, object] = {}

    def put(self, places: IntArray, record: Fit | AbnormalReturns) -> None:
        """Take the fields of the events at some places, and which of the large ones they do not have."""
        every = len(places) == self._n and bool((places == np.arange(self._n)).all())
        for name in (f.name for f in fields(record) if f.init and f.name not in self._but):
            value = getattr(record, name)
            if name in record.LARGE and value is not None and not self._keep:
                continue
            if not isinstance(value, np.ndarray):
                if name not in record.EACH:
                    self.alike[name] = value
            elif every:
                self.rows[name] = value
            else:
                if name not in self.rows:
                    self.rows[name] = np.empty((self._n, *value.shape[1:]), dtype=value.dtype)
                self.rows[name][places] = value

    def of(self, good: NDArray[np.bool_]) -> Held:
        """Return the fields of some events, by a mask."""
        return self if good.all() else self.with_rows({name: rows[good] for name, rows in self.rows.items()})

    def merged(self, other: Held) -> Held:
        """Return the fields of these events and of others behind them."""
        rows = {name: np.concatenate([own, other.rows[name]]) for name, own in self.rows.items()}
        found = self.with_rows(rows)
        found.alike = {**other.alike, **self.alike}
        return found

    def placed(self, places: IntArray) -> dict[str, Any]:
        """Return the fields with the events in order of their places."""
        if (np.diff(places) > 0).all():
            return {**self.alike, **self.rows}
        order = np.argsort(places)
        return {**self.alike, **{name: rows[order] for name, rows in self.rows.items()}}

    def with_rows(self, rows: Rows) -> Held:
        """Return what is alike for all with the rows of other events."""
        found = Held(self._n, self._keep, self._but)
        found.rows, found.alike = rows, self.alike
        return found
