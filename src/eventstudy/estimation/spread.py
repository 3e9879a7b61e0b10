"""Where a study's events are worked on: here, or by the workers of an executor or a cluster, partition by partition."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from eventstudy.errors import EventStudyError, InvalidInput, SourceFailed, WorkersLost
from eventstudy.estimation.panel import EventPanel, IntArray

if TYPE_CHECKING:
    from eventstudy.estimation.partials import Partial, Work

#: Events of a partition, where nothing else is said: a second or two of work, and of what is lost with a worker.
EVENTS = 20_000
#: So many partitions a worker are on their way: one in work, one that waits.
AHEAD = 2
#: Seconds within which a scheduler has to answer.
CONNECT = 10
#: What the modules of dask are called.
_DASK = "distributed"


class Shelf(Protocol):
    """Partial results that are kept."""

    def read(self, number: int) -> Partial | None:
        """Return the partial result of a partition that is finished."""
        ...

    def keep(self, number: int, found: Partial) -> None:
        """Keep the partial result of a partition."""
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
    executor : Executor or None
        Who works; None is here.
    partitions : int or None
        In how many parts events are divided, firm by firm; by default as many as there are workers, or more if they would be large.
    store : Store or None
        Where partial results are kept.
    told : callable
        Is told how many events are done, and whether the last of them were known before.
    """

    executor: Executor | None = None
    partitions: int | None = None
    store: Store | None = None
    told: Callable[[int, bool], None] = field(default=silent)

    @classmethod
    def of(cls, executor: object, partitions: object) -> Spread:
        """Return how events are divided by what a study was given; see `EventStudy.run`.

        Raises
        ------
        InvalidInput
            If these are no executor and no number of partitions.
        """
        return cls(_as_executor(executor), _as_count(partitions))

    @property
    def is_watched(self) -> bool:
        """Whether there may be partitions, after each of which it can be told how many events are done."""
        return not (self.executor is None and self.store is None and self.partitions is None)

    def over(self, work: Work, panel: EventPanel) -> Partial:
        """Return what all events of a panel give."""
        count = self.count(panel)
        parts = partitions_of(panel, count)
        tree, done = Tree(len(parts)), 0
        with nullcontext() if self.store is None else self.store.opened(work, panel, parts, count) as shelf:
            for number, found, known in self._arriving(work, panel, parts, shelf):
                tree.add(number, found)
                done += len(parts[number])
                self.told(done, known)
        return tree.whole

    def count(self, panel: EventPanel) -> int:
        """Return in how many parts the events of a panel are divided, at most."""
        begun = None if self.store is None else self.store.partitions
        if begun is not None and self.partitions not in (None, begun):
            raise InvalidInput(
                f"partitions is {self.partitions}, and the study in the folder was begun with {begun}; leave partitions out, or name another folder."
            )
        if begun is not None or self.partitions is not None:
            return begun or self.partitions or 1
        if not self.is_watched:
            return 1
        return max(workers_of(self.executor), -(-panel.n // EVENTS))

    def _arriving(
        self, work: Work, panel: EventPanel, parts: Sequence[IntArray], shelf: Shelf | None
    ) -> Iterator[tuple[int, Partial, bool]]:
        """Yield partial results with the numbers of their partitions, those that are known first, then in the order in which they come."""
        left = []
        for number in range(len(parts)):
            known = None if shelf is None else shelf.read(number)
            if known is None:
                left.append(number)
            else:
                yield number, known, True
        if self.executor is None and shelf is None and len(parts) == 1:
            yield 0, work.partial(panel, parts[0], alone=True), False
            return
        jobs = ((number, panel.take(parts[number]), parts[number]) for number in left)
        for number, found in _here(work, jobs) if self.executor is None else _there(self.executor, work, jobs):
            if shelf is not None:
                shelf.keep(number, found)
            yield number, found, False


Jobs = Iterator[tuple[int, EventPanel, IntArray]]


def _here(work: Work, jobs: Jobs) -> Iterator[tuple[int, Partial]]:
    for number, panel, places in jobs:
        yield number, work.sent(panel, places)


def _there(executor: Executor, work: Work, jobs: Jobs) -> Iterator[tuple[int, Partial]]:
    """Yield what workers find as it comes; only so many partitions are on their way at once."""
    _check_sendable(executor, work)
    ahead, running = AHEAD * workers_of(executor), dict[Future[Any], int]()
    try:
        while True:
            while len(running) < ahead and (job := next(jobs, None)) is not None:
                number, panel, places = job
                running[_submitted(executor, work, panel, places)] = number
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    except EventStudyError:
        raise
    except (BrokenExecutor, CancelledError) as error:
        raise _lost(error) from error
    except Exception as error:
        if type(error).__module__.split(".")[0] == _DASK:
            raise _lost(error) from error
        raise
    finally:
        for future in running:
            future.cancel()


def _submitted(executor: Executor, work: Work, panel: EventPanel, places: IntArray) -> Future[Any]:
    try:
        with _quiet(executor):
            return executor.submit(work.sent, panel, places)
    except BrokenExecutor:
        raise
    except RuntimeError as error:  # what executors say after their end
        raise InvalidInput(f"The executor takes no more work ({error}); make a new one.") from error


def _lost(error: BaseException) -> WorkersLost:
    return WorkersLost(
        f"The workers are gone ({type(error).__name__}): a process was killed, by the system if memory ran out, or by somebody. Make a new executor "
        f"and run the study again; with out='folder' it goes on where it was, and more partitions take less memory each."
    )


def _check_sendable(executor: Executor, work: Work) -> None:
    """Refuse a model that cannot be sent to other processes; a cluster has its own way to send what is defined in a script."""
    if not isinstance(executor, ProcessPoolExecutor):
        return
    try:
        pickle.dumps(work)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InvalidInput(
            f"The {work.model.name} cannot be sent to other processes ({error}); define its class in a module that they can import, or use a "
            f"ThreadPoolExecutor."
        ) from error


def _quiet(executor: Executor) -> Any:
    """Keep dask from warning that what is sent is large: it is what the worker needs, and it must survive the worker."""
    if type(executor).__module__.split(".")[0] != _DASK:
        return nullcontext()
    import dask

    return dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"})


def _as_executor(given: object) -> Executor | None:
    """Return an executor as it is, and that of a dask client."""
    if given is None or isinstance(given, Executor):
        return given
    dask = sys.modules.get(_DASK)
    if dask is not None and isinstance(given, dask.Client) and not given.asynchronous:
        found: Executor = given.get_executor(pure=False)
        return found
    kind = f"{given!r}" if isinstance(given, str | int) else f"a {type(given).__name__}"
    raise InvalidInput(
        f"executor is {kind}; give a concurrent.futures.Executor such as ProcessPoolExecutor(), or a client of a cluster, "
        f"dask.distributed.Client('tcp://…'), that is not asynchronous."
    )


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """Give a client of the cluster whose scheduler has an address; None without one.

    Raises
    ------
    InvalidInput
        If dask is not installed, or this is no address.
    SourceFailed
        If nothing answers there.
    """
    if address is None:
        yield None
        return
    try:
        import distributed
    except ImportError as error:
        raise InvalidInput("Clusters need dask: pip install 'eventstudy-finance[dask]'.") from error
    try:
        distributed.comm.get_address_host_port(address, strict=True)
    except ValueError as error:
        raise InvalidInput(
            f"{address!r} is no address of a scheduler ({error}); give one such as tcp://10.0.0.5:8786."
        ) from error
    try:
        client = distributed.Client(address, timeout=CONNECT, set_as_default=False)
    except OSError as error:
        raise SourceFailed(
            f"No scheduler answers at {address} within {CONNECT} seconds; start one (dask scheduler), or correct the address."
        ) from error
    with client:
        yield client


def workers_of(executor: Executor | None) -> int:
    """Return how many workers an executor has."""
    if executor is None:
        return 1
    client = getattr(executor, "_client", None)
    threads = sum(client.nthreads().values()) if client is not None else getattr(executor, "_max_workers", None)
    return max(1, threads or os.cpu_count() or 1)


def _as_count(given: object) -> int | None:
    """Return a number of partitions, or None."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
        raise InvalidInput(f"partitions is {given!r}; give a whole number of at least 1, or leave it out.")
    return int(given)


def partitions_of(panel: EventPanel, count: int) -> list[IntArray]:
    """Return the places of events divided by firm into so many parts with about as many events each, fewer if firms are fewer."""
    codes = np.asarray(panel.events.firms[1], dtype=np.int64)
    events = np.bincount(codes)
    middle = np.cumsum(events) - events / 2.0
    part = np.minimum((middle * count / max(len(codes), 1)).astype(np.int64), count - 1)[codes]
    order = np.argsort(part, kind="stable")
    return [places for places in np.split(order, np.cumsum(np.bincount(part))[:-1]) if len(places)]


class Tree:
    """Partial results, merged two by two, neighbours first whichever comes first, so that the order in which they come changes no digit."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting: dict[tuple[int, int], Partial] = {}

    def add(self, number: int, found: Partial) -> None:
        """Take the partial result of a partition, and merge what can be merged."""
        level, width = 0, self._count
        while width > 1:
            last_alone = number == width - 1 and number % 2 == 0
            if not last_alone:
                other = self._waiting.pop((level, number ^ 1), None)
                if other is None:
                    break
                found = other.merged(found) if number % 2 else found.merged(other)
            level, width, number = level + 1, (width + 1) // 2, number // 2
        self._waiting[level, number] = found

    @property
    def whole(self) -> Partial:
        """What all partitions give."""
        (found,) = self._waiting.values()
        return found


#: All events in one partition, and nothing kept.
HERE = Spread()
