"""Records of many events whose large arrays are not kept, but gathered again when they are asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from eventstudy.errors import require_memory

#: Events that go through the functions of a study together: their arrays stay in the processor's cache.
CHUNK = 384


def chunks(order: NDArray[np.int64], size: int | None = None) -> Iterator[NDArray[np.int64]]:
    """Yield places of events, so many at a time; by default `CHUNK`."""
    size = CHUNK if size is None else size
    for start in range(0, len(order), size):
        yield order[start : start + size]


def is_many(n: int) -> bool:
    """Return whether so many events go through a study in several chunks."""
    return n > CHUNK


Record_co = TypeVar("Record_co", covariant=True)


class Gathers(Protocol[Record_co]):
    """What gathers the large arrays of events, by place."""

    def __call__(self, chosen: NDArray[np.int64], /) -> Record_co:
        """Return a whole record of some events."""
        ...

    def only(self, chosen: NDArray[np.int64], /) -> Gathers[Record_co]:
        """Return what gathers those of some events alone, and holds no more than that takes."""
        ...


class Deferred:
    """A record of N events: a frozen dataclass whose arrays have one row an event, the ``LARGE`` ones kept or gathered when asked for.

    `part` is a whole record of some events, `take` one that gathers as this one does. Fields in ``EACH`` are sequences of one value an event.
    A record that is sent to another process takes of what it gathers from only what its events need.
    """

    LARGE: ClassVar[frozenset[str]]
    EACH: ClassVar[frozenset[str]] = frozenset()

    @property
    def n(self) -> int:
        """Number of events."""
        raise NotImplementedError

    @classmethod
    def deferred(cls, again: Gathers[Self], **small: object) -> Self:
        """Return a record that holds its ``small`` fields, and asks ``again`` for a whole record of the events that are needed."""
        record = object.__new__(cls)
        record.__dict__.update(small, _again=again)
        return record

    @property
    def is_deferred(self) -> bool:
        """Whether large arrays are not there yet."""
        return "_again" in self.__dict__

    def part(self, chosen: NDArray[np.int64]) -> Self:
        """Return a whole record of some events, by place."""
        found = self.take(chosen)
        if found.is_deferred:
            whole = found._gathered(np.arange(len(chosen)))
            found._keep(whole)
        return found

    def take(self, chosen: NDArray[np.int64]) -> Self:
        """Return the record of some events, by place."""
        found = copy.copy(self)
        own = found.__dict__
        if self.is_deferred:
            own["_places"] = self._places_of(chosen)
        for field in fields(self):  # type: ignore[arg-type]
            if field.name in own and field.init:
                own[field.name] = _chosen(own[field.name], chosen, field.name in self.EACH)
        return found

    def _places_of(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of some events in what large arrays are gathered from."""
        own = self.__dict__.get("_places")
        return chosen if own is None else own[chosen]

    def _gathered(self, chosen: NDArray[np.int64]) -> Self:
        """Return a record with the large arrays of some events."""
        found: Self = self.__dict__["_again"](self._places_of(chosen))
        return found

    def _keep(self, whole: Self) -> None:
        """Take over the large arrays of all events."""
        for name in ("_again", "_places"):
            self.__dict__.pop(name, None)
        self.__dict__.update({name: whole.__dict__[name] for name in self.LARGE})

    def __copy__(self) -> Self:
        """Return a record of the same fields."""
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__)
        return found

    def __getstate__(self) -> dict[str, object]:
        """Return what another process needs of this record."""
        state = dict(self.__dict__)
        if self.is_deferred:
            state["_again"] = state["_again"].only(self._places_of(np.arange(self.n)))
            state.pop("_places", None)
        return state

    def has(self, name: str) -> bool:
        """Return whether there is a field, which may be None; nothing is gathered."""
        return self.__dict__.get(name, self) is not None

    def rows_of(self, compute: Callable[[Self], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return an array of one row an event, computed of whole records of a few hundred events at a time."""
        if not self.is_deferred:
            return compute(self)
        return np.concatenate([compute(part) for part in self.parts()])

    def but(self, **changes: object) -> Self:
        """Return the record with other values of small fields; nothing is gathered."""
        found = copy.copy(self)
        found.__dict__.update(changes)
        return found

    def parts(self) -> Iterator[Self]:
        """Yield whole records of all events, a few hundred at a time."""
        if not self.is_deferred and not is_many(self.n):
            yield self
            return
        for chosen in chunks(np.arange(self.n)):
            yield self.part(chosen)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Gather the large arrays of all events."""
            if name not in type(self).LARGE or "_again" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            one = self._gathered(np.arange(min(1, self.n)))
            size = self.n * sum(v.nbytes for k in self.LARGE if isinstance(v := one.__dict__[k], np.ndarray))
            require_memory(size, f"The arrays of {self.n:,} events", "ask for fewer events at once")
            self._keep(self._gathered(np.arange(self.n)))
            return self.__dict__[name]


def _chosen(value: object, chosen: NDArray[np.int64], each: bool) -> object:
    """Return the rows of a field that belong to some events."""
    if isinstance(value, np.ndarray):
        return value[chosen]
    if not each:
        return value
    return value.take(chosen) if hasattr(value, "take") else tuple(value[i] for i in chosen.tolist())  # type: ignore[index]
