"""Where a study's events are worked on: here, or by the workers of an executor or a cluster, partition by partition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from eventstudy.errors import InvalidInput
from eventstudy.estimation.crews import Here, crew_of
from eventstudy.estimation.panel import EventPanel, IntArray
from eventstudy.estimation.partials import Partial, Work

T = TypeVar("T")
#: Events of a partition at most, where nothing else is said: some seconds of work. Sums by date are as large for few events as for many, so
#: that smaller ones would send and keep more than they save; models whose residuals are kept have no such sums, and take longer.
EVENTS, EVENTS_KEPT = 50_000, 5_000


class Shelf(Protocol):
    """Partial results that are kept: of partitions from one to another, the end not included."""

    def known(self) -> Iterator[tuple[int, int, Partial]]:
        """Yield those of before, no partition twice."""
        ...

    def table(self, number: int, found: Partial) -> None:
        """Keep the table of a partition's events."""
        ...

    def keep(self, start: int, stop: int, found: Partial) -> None:
        """Keep the partial result of some partitions, in place of those of fewer of them."""
        ...


class Store(Protocol):
    """Keeps partial results, so that a study that was stopped goes on where it was."""

    @property
    def partitions(self) -> int | None:
        """In how many parts the events were divided; None at the beginning."""
        ...

    def opened(
        self, work: Work, panel: EventPanel, parts: Sequence[IntArray], count: int
    ) -> AbstractContextManager[Shelf]:
        """Give the partial results of the events divided into these parts, at most ``count``."""
        ...


def silent(done: int, known: bool) -> None:
    """Say nothing of how many events are done."""


@dataclass(frozen=True)
class Spread:
    """How the events of a study are divided, and who works on them.

    Attributes
    ----------
    executor : Executor, dask Client or None
        Who works; None is this process.
    partitions : int or None
        In how many parts events are divided, firm by firm; by default as many as there are workers, or more if they would be large.
    store : Store or None
        Where partial results are kept.
    told : callable
        Is told how many events are done, and whether the last of them were known before.

    Raises
    ------
    InvalidInput
        If there is no such executor or number of partitions.
    """

    executor: object = None
    partitions: int | None = None
    store: Store | None = None
    told: Callable[[int, bool], None] = field(default=silent)

    def __post_init__(self) -> None:
        crew_of(self.executor, kept=False)
        given = self.partitions
        if given is not None and (isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1):
            raise InvalidInput(f"partitions is {given!r}; give a whole number of at least 1, or leave it out.")

    @property
    def is_watched(self) -> bool:
        """Whether there may be partitions, after each of which it can be told how many events are done."""
        return not (self.executor is None and self.store is None and self.partitions is None)

    def over(self, work: Work, panel: EventPanel) -> Partial:
        """Return what all events of a panel give."""
        crew = crew_of(self.executor, kept=self.store is not None)
        count = self.count(work, panel, crew.workers)
        parts = partitions_of(panel, count)
        tree, done = Tree(len(parts), crew.merged), 0
        with nullcontext() if self.store is None else self.store.opened(work, panel, parts, count) as shelf:
            for start, stop, found, known in self._arriving(crew, work, panel, parts, shelf):
                merged = tree.add(found, start, stop)
                if shelf is not None and not known:
                    shelf.keep(*merged)
                done += sum(map(len, parts[start:stop]))
                self.told(done, known)
        return crew.whole(tree.whole)

    def count(self, work: Work, panel: EventPanel, workers: int) -> int:
        """Return in how many parts the events of a panel are divided, at most."""
        begun = None if self.store is None else self.store.partitions
        firms = max(len(panel.events.firms[0]), 1)
        given = None if self.partitions is None else min(int(self.partitions), firms)
        if begun is not None and given not in (None, begun):
            raise InvalidInput(
                f"partitions is {self.partitions}, and the study in the folder was begun with {begun}; leave partitions out, or name another folder."
            )
        if begun is not None or given is not None:
            return min(begun or given or 1, firms)
        if not self.is_watched:
            return 1
        return min(max(workers, -(-panel.n // (EVENTS_KEPT if work.keep else EVENTS))), firms)

    def _arriving(
        self, crew: Here, work: Work, panel: EventPanel, parts: Sequence[IntArray], shelf: Shelf | None
    ) -> Iterator[tuple[int, int, Any, bool]]:
        """Yield what partitions give, from one to another: those that are known first, then others in the order in which they come."""
        left = set(range(len(parts)))
        for start, stop, found in () if shelf is None else shelf.known():
            left -= set(range(start, stop))
            yield start, stop, found, True
        if self.executor is None and shelf is None and len(parts) == 1:
            yield 0, 1, work.partial(panel, parts[0], alone=True), False
            return
        jobs = ((number, panel.take(parts[number]), parts[number]) for number in sorted(left))
        with closing(crew.finds(work, jobs)) as arriving:
            for number, found in arriving:
                if shelf is not None:
                    shelf.table(number, found)
                yield number, number + 1, found, False


def partitions_of(panel: EventPanel, count: int) -> list[IntArray]:
    """Return the places of events divided by firm into so many parts with about as many events each, fewer if firms are fewer."""
    codes = np.asarray(panel.events.firms[1], dtype=np.int64)
    events = np.bincount(codes)
    middle = np.cumsum(events) - events / 2.0
    part = np.minimum((middle * count / max(len(codes), 1)).astype(np.int64), count - 1)[codes]
    order = np.argsort(part, kind="stable")
    return [places for places in np.split(order, np.cumsum(np.bincount(part))[:-1]) if len(places)]


class Tree(Generic[T]):
    """Partial results, merged two by two, neighbours first whichever comes first, so that the order in which they come changes no digit."""

    def __init__(self, count: int, merged: Callable[[T, T], T]) -> None:
        self._count, self._merged = count, merged
        self._waiting: dict[tuple[int, int], T] = {}

    def add(self, found: T, start: int, stop: int) -> tuple[int, int, T]:
        """Take what partitions give, one or those that were merged before, and merge what can be merged; return that, from which to which."""
        level = (stop - start - 1).bit_length()
        number = start >> level
        while (width := -(-self._count >> level)) > 1:
            if number < width - 1 or number % 2:  # else the last one has no neighbour
                other = self._waiting.pop((level, number ^ 1), None)
                if other is None:
                    break
                found = self._merged(other, found) if number % 2 else self._merged(found, other)
            level, number = level + 1, number // 2
        self._waiting[level, number] = found
        return number << level, min((number + 1) << level, self._count), found

    @property
    def whole(self) -> T:
        """What all partitions give."""
        (found,) = self._waiting.values()
        return found


#: All events in one partition, and nothing kept.
HERE = Spread()
