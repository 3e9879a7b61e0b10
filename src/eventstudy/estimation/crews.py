"""Who works on the partitions of a study: this process, the workers of an executor, or those of a dask cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from typing import Any

from eventstudy.errors import InvalidInput, SourceFailed, WorkersLost
from eventstudy.estimation.panel import EventPanel, IntArray
from eventstudy.estimation.partials import Partial, Work

#: So many partitions a worker are on their way: one in work, one that waits.
AHEAD = 2
#: Seconds within which a scheduler has to answer.
CONNECT = 10
#: What the modules of dask are called.
_DASK = "distributed"

#: The number of a partition, its events and their places among all.
Jobs = Iterator[tuple[int, EventPanel, IntArray]]


class Here:
    """Nobody but this process. What it finds are partial results."""

    workers = 1

    def finds(self, work: Work, jobs: Jobs) -> Generator[tuple[int, Any]]:
        """Yield what partitions give, with their numbers, as it comes."""
        for number, panel, places in jobs:
            yield number, work.sent(panel, places)

    def merged(self, one: Any, other: Any) -> Any:
        """Return what two of them give together."""
        return one.merged(other)

    def whole(self, found: Any) -> Partial:
        """Return the partial result of all."""
        result: Partial = found
        return result


class Pool(Here):
    """The workers of an executor. What they find is sent here and merged here."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        known = getattr(executor, "_max_workers", None)
        self.workers = known if isinstance(known, int) and known > 0 else os.cpu_count() or 1

    def finds(self, work: Work, jobs: Jobs) -> Generator[tuple[int, Any]]:
        """Yield what partitions give, with their numbers, as it comes; only so many are on their way at once."""
        self._check(work)
        running: dict[Any, int] = {}
        try:
            while True:
                while len(running) < AHEAD * self.workers and (job := next(jobs, None)) is not None:
                    number, panel, places = job
                    running[self._submit(work, panel, places)] = number
                if not running:
                    return
                for future in self._first(running):
                    yield running.pop(future), self._taken(future)
        except _gone() as error:
            raise _lost(error) from error
        finally:
            for future in running:
                future.cancel()

    def _check(self, work: Work) -> None:
        """Refuse a model that cannot be sent to other processes."""
        processes = sys.modules.get("concurrent.futures.process")  # imported by who makes such a pool
        if processes is None or not isinstance(self._executor, processes.ProcessPoolExecutor):
            return
        from multiprocessing.reduction import ForkingPickler

        try:
            ForkingPickler.dumps(work)
        except Exception as error:  # whatever a model's class raises
            raise InvalidInput(
                f"The {work.model.name} cannot be sent to other processes ({error}); define its class in a module that they can import, or use a "
                f"ThreadPoolExecutor."
            ) from error

    def _submit(self, work: Work, panel: EventPanel, places: IntArray) -> Future[Partial]:
        try:
            return self._executor.submit(work.sent, panel, places)
        except BrokenExecutor:
            raise
        except NotImplementedError as error:
            raise InvalidInput(
                f"The executor is a {type(self._executor).__name__}, which takes no work; give a ThreadPoolExecutor, a ProcessPoolExecutor or another "
                f"one whose submit does."
            ) from error
        except RuntimeError as error:  # what executors say after their end
            raise InvalidInput(f"The executor takes no more work ({error}); make a new one.") from error

    def _first(self, running: Collection[Any]) -> Collection[Any]:
        return wait(running, return_when=FIRST_COMPLETED).done

    def _taken(self, future: Any) -> Any:
        return future.result()


class Cluster(Pool):
    """The workers of a dask cluster. What they find stays with them and is merged there, unless it is to be ``kept`` here."""

    def __init__(self, client: Any, *, kept: bool) -> None:
        self._client, self._kept = client, kept
        self.workers = max(1, sum(client.nthreads().values()))

    def _check(self, work: Work) -> None:
        """Refuse nothing: a cluster has its own way to send what is defined in a script."""

    def _submit(self, work: Work, panel: EventPanel, places: IntArray) -> Any:
        import dask

        # what is sent is what the worker needs, and it must survive the worker
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
            return self._client.submit(work.sent, panel, places, pure=False)

    def _first(self, running: Collection[Any]) -> Collection[Any]:
        from distributed import wait as first_of

        with self._client.as_current():
            found: Collection[Any] = first_of(list(running), return_when=FIRST_COMPLETED).done
        return found

    def _taken(self, future: Any) -> Any:
        return future if future.status == "finished" and not self._kept else future.result()

    def merged(self, one: Any, other: Any) -> Any:
        """Return what two partitions give together."""
        return super().merged(one, other) if self._kept else self._client.submit(_merged, one, other, pure=False)

    def whole(self, found: Any) -> Partial:
        """Return the partial result of all."""
        try:
            result: Partial = found if self._kept else found.result()
        except _gone() as error:
            raise _lost(error) from error
        return result


def _merged(one: Partial, other: Partial) -> Partial:
    return one.merged(other)


def _gone() -> tuple[type[BaseException], ...]:
    """Return the errors that say that workers are gone."""
    if _DASK not in sys.modules:
        return BrokenExecutor, CancelledError
    import asyncio

    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    return BrokenExecutor, CancelledError, asyncio.CancelledError, KilledWorker, CommClosedError


def _lost(error: BaseException) -> WorkersLost:
    return WorkersLost(
        f"The workers are gone ({type(error).__name__}): a process was killed, by the system if memory ran out, or by somebody, or a script that makes "
        f"processes lacks the line if __name__ == '__main__'. Make a new executor and run the study again; with out='folder' it goes on where it was, "
        f"and more partitions take less memory each."
    )


def crew_of(executor: Any, *, kept: bool) -> Here:
    """Return who works: nobody else without an executor; ``kept``: what is found is to be kept here.

    Raises
    ------
    InvalidInput
        If this is no executor.
    """
    if executor is None:
        return Here()
    if isinstance(executor, Executor):
        return Pool(executor)
    dask = sys.modules.get(_DASK)
    if dask is not None and isinstance(executor, dask.Client) and not executor.asynchronous:
        if executor.status != "running":
            raise InvalidInput(f"The client of the cluster is {executor.status}; make a new one.")
        return Cluster(executor, kept=kept)
    kind = f"{executor!r}" if isinstance(executor, str | int) else f"a {type(executor).__name__}"
    raise InvalidInput(
        f"executor is {kind}; give a concurrent.futures.Executor such as ProcessPoolExecutor(), or a client of a cluster, "
        f"dask.distributed.Client('tcp://…'), that is not asynchronous."
    )


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
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
