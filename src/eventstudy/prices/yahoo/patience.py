"""How long, how often and in what rhythm Yahoo is asked; and a hard end to what does not end."""

from __future__ import annotations

import queue
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from eventstudy.errors import InvalidInput
from eventstudy.prices.yahoo.kinds import OutOfTime

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: A refusal of too many requests is waited out this many times longer than another failure.
REFUSAL_FACTOR = 30.0
#: A day: nothing is waited for longer, whoever asks for it.
MOST_SECONDS = 86_400.0
#: Seconds beyond the limit in which a request may end by its own time-out before it is left behind.
GRACE = 1.0


@dataclass(frozen=True)
class Timing:
    """The clock, the sleep and the chance of a fetch; replaced in tests.

    Attributes
    ----------
    clock : callable
        Seconds, never going back.
    sleep : callable
        Waits that many seconds.
    chance : callable
        A number from 0 to 1, for the jitter.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default_factory=lambda: random.Random().random)  # noqa: S311


@dataclass(frozen=True)
class Patience:
    """The limits of a fetch.

    Attributes
    ----------
    timeout : float
        Seconds a request.
    attempts : int
        Tries a ticker.
    pause : float
        Seconds between requests, doubled from try to try, and up to half as long again by chance.
    ticker_limit, deadline : float
        Seconds a ticker, and seconds for the whole fetch.
    timing : Timing
        Clock, sleep and chance.
    """

    timeout: float = 10.0
    attempts: int = 3
    pause: float = 1.0
    ticker_limit: float = 120.0
    deadline: float = 1800.0
    timing: Timing = field(default_factory=Timing)

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidInput(f"attempts is {self.attempts}; it must be at least 1.")
        for name in ("timeout", "ticker_limit", "deadline"):
            if not getattr(self, name) > 0:
                raise InvalidInput(f"{name} is {getattr(self, name)}; it must be above 0 seconds.")
        if not 0 <= self.pause <= MOST_SECONDS:
            raise InvalidInput(f"pause is {self.pause}; it must be 0 seconds or more, and no more than a day.")

    def wait(self, attempt: int, kind: str, asked_for: float = 0.0) -> float:
        """Return how many seconds to wait after a failed try.

        Parameters
        ----------
        attempt : int
            Number of the try that failed, from 1.
        kind : str
            The kind of failure.
        asked_for : float
            Seconds that the server asks to wait.

        Returns
        -------
        float
            Seconds, at least ``asked_for``.

        Examples
        --------
        >>> calm = Patience(pause=1.0, timing=Timing(chance=lambda: 0.0))
        >>> [calm.wait(n, "network") for n in (1, 2, 3)], calm.wait(1, "rate_limited")
        ([1.0, 2.0, 4.0], 30.0)
        """
        factor = REFUSAL_FACTOR if kind == "rate_limited" else 1.0
        rising = self.pause * factor * 2.0 ** min(attempt - 1, 60)
        return max(asked_for, rising * (1 + self.timing.chance() / 2))


class _Outcome(Generic[T]):
    def __init__(self) -> None:
        self.ready = threading.Event()
        self.value: list[T] = []
        self.error: BaseException | None = None


class Worker:
    """A thread that does one thing after the other, and is left behind if it does not come back.

    No time-out of an HTTP library covers everything: looking up a name, a header that drips, a session of the
    user's own. The thread is a daemon, so that what hangs does not keep the process alive.
    """

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="eventstudy-yahoo", daemon=True).start()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """Return what a function returns, or raise what it raises, within a time.

        Parameters
        ----------
        function : callable
            Takes no argument.
        seconds : float
            How long to wait for it, besides a short grace.

        Returns
        -------
        object
            What the function returned.

        Raises
        ------
        OutOfTime
            If it has not returned by then.
        """
        outcome: _Outcome[T] = _Outcome()

        def task() -> None:
            try:
                outcome.value.append(function())
            except BaseException as error:
                outcome.error = error
            outcome.ready.set()

        self._tasks.put(task)
        if not outcome.ready.wait(seconds + GRACE):
            raise OutOfTime(f"no end to the answer within {seconds:.0f} s")
        if outcome.error is not None:
            raise outcome.error
        return outcome.value[0]

    def stop(self) -> None:
        """End the thread after what it is doing."""
        self._tasks.put(None)
