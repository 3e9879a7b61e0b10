"""A limit of time for everything that a command does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from eventstudy.errors import EventStudyError, InvalidInput

#: How long after its end a command may tidy up before the process is ended, in seconds.
GRACE = 60.0


class OutOfTime(EventStudyError, TimeoutError):
    """A command took longer than it was allowed to."""

    EXIT_CODE = 4


class Stopped(EventStudyError, RuntimeError):
    """A command was asked to stop by its service manager."""

    EXIT_CODE = 143


@contextmanager
def deadline(seconds: float | None, last_words: Callable[[str], None]) -> Iterator[None]:
    """Raise `OutOfTime` in the main thread if the block takes too long, and `Stopped` if the process is terminated.

    If the block does not stop even then, e.g. in a library's own code, ``last_words`` is called with a message and the process
    is ended ``GRACE`` seconds later; outside the main thread, and where the system has no such signals, only this is left.
    """
    if seconds is not None and not 0 < seconds < threading.TIMEOUT_MAX:
        raise InvalidInput(f"--timeout is {seconds:g}; give seconds above zero.")
    words = (
        f"Not finished after {seconds:g} s (--timeout); the report is the last one that was finished."
        if seconds
        else ""
    )

    def out_of_time(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(words)

    def stopped(number: int, frame: FrameType | None) -> None:
        raise Stopped("Stopped by a signal; the report is the last one that was finished.")

    def hard_end() -> None:
        last_words(words)
        os._exit(OutOfTime.EXIT_CODE)

    in_main = threading.current_thread() is threading.main_thread()
    alarm = in_main and hasattr(signal, "setitimer")
    watch = threading.Timer((seconds or 0) + GRACE * alarm, hard_end)
    watch.daemon = True
    before_term = signal.signal(signal.SIGTERM, stopped) if in_main else None
    before_alarm = signal.signal(signal.SIGALRM, out_of_time) if alarm else None
    try:
        if seconds is not None:
            watch.start()
            if alarm:
                signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        watch.cancel()
        if alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before_alarm)
        if in_main:
            signal.signal(signal.SIGTERM, before_term)
