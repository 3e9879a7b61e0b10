"""How a command ends before its end: by a signal or a limit of time, soon, and with its litter taken away."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import ClassVar

from eventstudy.errors import ExitCode, InvalidInput

#: Longest time from a signal to the end of the process, in seconds.
LIMIT = 1.5


class Ended(BaseException):
    """A command has to end now; no error, so that nothing that catches errors goes on."""

    EXIT_CODE: ClassVar[ExitCode]


class OutOfTime(Ended):
    """A command took longer than it was allowed to."""

    EXIT_CODE = ExitCode.LATER


class Stopped(Ended):
    """A command was asked to stop, as by its service manager."""

    EXIT_CODE = ExitCode.STOPPED

    def __init__(self) -> None:
        super().__init__("Stopped by a signal; the report is the last one that was finished.")


# -- What is put in order if the process has to be ended in the middle of something.


_to_tidy: dict[object, Callable[[], None]] = {}


@contextmanager
def tidied(tidy: Callable[[], None]) -> Iterator[None]:
    """Call ``tidy`` if the process is ended within the block from outside its thread; it must not raise or wait."""
    key = object()
    _to_tidy[key] = tidy
    try:
        yield
    finally:
        _to_tidy.pop(key, None)


# -- Steps that are short and must not be cut in two.


_undisturbed = threading.Lock()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let signals that would end the command wait for the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # handlers, not a mask: the system may hand a signal to any thread, and the main thread would still be interrupted
    before = {number: signal.signal(number, lambda number, frame: came.append(number)) for number in names}
    try:
        with _undisturbed:
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in came:
            signal.raise_signal(number)


# -- The end itself.


@contextmanager
def ending(last_words: Callable[[str, int], None]) -> Iterator[None]:
    """Raise `Stopped`, or KeyboardInterrupt, in the main thread on a signal, and `OutOfTime` after a `time_limit`, once.

    A main thread that does not come to an end within `LIMIT` seconds, e.g. in foreign code, is not waited for: ``last_words`` are
    called with a message and an exit code, what is `tidied` is put in order, and the process ends. So are threads that are left.
    Outside the main thread nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _Watch(last_words)
    try:
        yield
    finally:
        watch.close()


@contextmanager
def time_limit(seconds: float | None, words: str) -> Iterator[None]:
    """Raise `OutOfTime` with words if the block takes too long; to be used within `ending`."""
    if seconds is None:
        yield
        return
    if not 0 < seconds < threading.TIMEOUT_MAX:
        raise InvalidInput(f"--timeout is {seconds:g}; give seconds above zero.")
    timer = threading.Timer(seconds, _time_is_up, [words])
    timer.daemon = True
    with _alarm(seconds, words):
        timer.start()
        try:
            yield
        finally:
            try:
                timer.cancel()
            finally:
                timer.join()  # a signal that it is about to send must find the handlers that hear it


@contextmanager
def _alarm(seconds: float, words: str) -> Iterator[None]:
    """Let the system tell the main thread that the time is up: foreign code that keeps other threads waiting, as `re` does, looks for signals."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def heard(number: int, frame: FrameType | None) -> None:
        _time_is_up(words)
        for watch in _watches[-1:]:
            watch.raise_cause()

    before = signal.signal(signal.SIGALRM, heard)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


#: The watch of the command that runs.
_watches: list[_Watch] = []


def _time_is_up(words: str) -> None:
    for watch in _watches:
        watch.cause = watch.cause or OutOfTime(words)
        watch.hear(signal.SIGTERM)
        if hasattr(signal, "pthread_kill"):  # a signal of the system ends a wait, the other is only seen after it
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        else:
            _thread.interrupt_main(signal.SIGTERM)


class _Watch:
    """Hears signals in the main thread, and in a thread of its own, which goes on if the main thread is in foreign code."""

    def __init__(self, last_words: Callable[[str, int], None]) -> None:
        self.cause: Ended | KeyboardInterrupt | None = None
        self._raised = False
        self._last_words = last_words
        self._threads = set(threading.enumerate())
        self._done = threading.Event()
        self._hear, self._tell = os.pipe()
        os.set_blocking(self._tell, False)
        self._handlers = {number: signal.signal(number, self._handle) for number in _ending_signals()}
        self._before = signal.set_wakeup_fd(self._tell, warn_on_full_buffer=False)
        self._listener = threading.Thread(target=self._listen, name="ending", daemon=True)
        self._listener.start()
        _watches.append(self)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.cause = self.cause or (KeyboardInterrupt() if number == signal.SIGINT else Stopped())
        self.raise_cause()

    def raise_cause(self) -> None:
        """End the command in the main thread, once."""
        if self.cause is not None and not self._raised:  # what the command does at its end is not interrupted again
            self._raised = True
            raise self.cause

    def _listen(self) -> None:
        while (number := os.read(self._hear, 1)[0]) != 0:
            if number in self._handlers and not self._done.wait(LIMIT):
                self.cause = self.cause or (KeyboardInterrupt() if number == signal.SIGINT else Stopped())
                with _undisturbed, suppress(Exception):
                    self._last_words(str(self.cause) or "stopped", _code(self.cause))
                _leave(_code(self.cause))

    def hear(self, number: int) -> None:
        """Let the listener hear a signal, or with 0 the end."""
        os.write(self._tell, bytes([number]))

    def close(self) -> None:
        """Hear no more; after a signal end the process if threads are left that do not end."""
        self._done.set()
        _watches.remove(self)
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.hear(0)
        self._listener.join()
        os.close(self._hear)
        os.close(self._tell)
        if self.cause is not None:
            _leave_threads(set(threading.enumerate()) - self._threads, _code(self.cause))


def _ending_signals() -> list[signal.Signals]:
    named = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return [n for n in named if signal.getsignal(n) is not signal.SIG_IGN]


def _code(cause: BaseException) -> ExitCode:
    return cause.EXIT_CODE if isinstance(cause, Ended) else ExitCode.INTERRUPTED


def _leave_threads(threads: set[threading.Thread], code: ExitCode) -> None:
    end = time.monotonic() + LIMIT / 2
    for thread in threads:
        if not thread.daemon:
            thread.join(max(end - time.monotonic(), 0))
            if thread.is_alive():
                _leave(code)


def _leave(code: ExitCode) -> None:
    for tidy in list(_to_tidy.values()):
        with suppress(Exception):
            tidy()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)
