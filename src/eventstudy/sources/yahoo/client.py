"""The client library yfinance, asked within limits: how often and in what rhythm, how long, and how much of an answer is read."""

from __future__ import annotations

import logging
import os
import queue
import random
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import unquote

import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.sources.yahoo.failures import OutOfTime, Refused, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

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
    chance : callable
        A number from 0 to 1, for the jitter.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default_factory=lambda: random.Random().random)  # noqa: S311


@dataclass(frozen=True)
class RetryPolicy:
    """How often a fetch asks, how long it waits in between, and when it gives up.

    Attributes
    ----------
    pause : float
        Seconds between requests, doubled from try to try, and up to half as long again by chance.
    ticker_limit, deadline : float
        Seconds a ticker, and seconds for the whole fetch.
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

    def wait(self, attempt: int, kind: str, at_least: float = 0.0) -> float:
        """Return how many seconds to wait after a failed try.

        Examples
        --------
        >>> calm = RetryPolicy(pause=1.0, timing=Timing(chance=lambda: 0.0))
        >>> [calm.wait(n, "network") for n in (1, 2, 3)], calm.wait(1, "rate_limited")
        ([1.0, 2.0, 4.0], 30.0)
        """
        factor = REFUSAL_FACTOR if kind == "rate_limited" else 1.0
        rising = self.pause * factor * 2.0 ** min(attempt - 1, 60)
        return max(at_least, rising * (1 + self.timing.chance() / 2))


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
        """Return what a function returns, or raise what it raises, within a time."""
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


# -- How much of an answer is read: no body longer than a chart can be, whatever it says of itself or unpacks to.


#: Bytes unpacked; sixty years of daily bars are a tenth of it.
LARGEST_BODY = 16 * 2**20
#: What a callback of curl returns to end a transfer.
_END = 0xFFFFFFFF


def request_limited(
    session: object, request: Callable[..., Any], method: str, url: str, options: Mapping[str, Any]
) -> Any:
    """Return the response to a request, its body read up to a limit."""
    libraries = {ancestor.__module__.partition(".")[0] for ancestor in type(session).__mro__}
    if "curl_cffi" in libraries:
        return _by_curl(request, method, url, options)
    if "requests" in libraries:
        return _by_requests(request, method, url, options)
    response = request(method, url, **options)
    if len(response.content) > LARGEST_BODY:
        raise _too_long()
    return response


def _too_long() -> Refused:
    return Refused("bad_response", f"the answer is longer than {LARGEST_BODY // 2**20} MB, which no chart is")


def _by_curl(request: Callable[..., Any], method: str, url: str, options: Mapping[str, Any]) -> Any:
    body = bytearray()
    over = False

    def take(piece: bytes) -> int:
        nonlocal over
        over = over or len(body) + len(piece) > LARGEST_BODY
        if over:
            body.clear()
            return _END
        body.extend(piece)
        return len(piece)

    try:
        response = request(method, url, **{**options, "content_callback": take})
    except Exception:
        if over:
            raise _too_long() from None
        raise
    if over:
        raise _too_long()
    response.content = bytes(body)
    return response


def _by_requests(request: Callable[..., Any], method: str, url: str, options: Mapping[str, Any]) -> Any:
    response = request(method, url, **{**options, "stream": True})
    body = bytearray()
    with response:
        for piece in response.iter_content(2**14):
            body.extend(piece)
            if len(body) > LARGEST_BODY:
                raise _too_long()
    response._content, response._content_consumed = bytes(body), True
    return response


# -- The client library yfinance: one question to Yahoo, with its answer recorded and its time limited.


_LOCK = threading.Lock()  # session, configuration and caches of the client are process-wide
_FOLDER_SET = threading.Event()


@dataclass(frozen=True, eq=False)
class Answer:
    """What the client made of an answer.

    Attributes
    ----------
    frame : DataFrame
        ``Close``, ``Adj Close``, ``Volume``, ``Dividends``, ``Stock Splits``; days of the exchange as index.
    metadata : mapping
        ``symbol``, ``currency``, ``exchangeName``, ``regularMarketTime``, …; to be read by key only.
    """

    frame: pd.DataFrame
    metadata: Mapping[str, object]


@dataclass
class Journal:
    """The answers to the chart requests for one ticker, in order; no cookie, no crumb, no header."""

    ticker: str
    replies: list[Reply] = field(default_factory=list)

    def last(self) -> Reply | None:
        """Return the last answer, or None if nothing was asked."""
        return self.replies[-1] if self.replies else None


def ask(
    ticker: str,
    start: str,
    day_after: str,
    *,
    session: object | None,
    folder: Path,
    timeout: float,
    left: Callable[[], float],
    journal: Journal,
) -> Answer:
    """Ask for daily bars of one ticker, once."""
    if not _LOCK.acquire(timeout=max(left(), 0.0)):
        raise OutOfTime("another fetch of this process has not come to its end")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the client's own deprecations are not the user's
            yf = _library()
            _use_own_folder(yf, folder)
            _forget_answers()
            used = _own_session() if session is None else session
            with _errors_shown(yf), _watched(used, timeout, left, journal):
                handle = yf.Ticker(ticker, session=used)
                frame = handle.history(
                    start=start,
                    end=day_after,
                    auto_adjust=False,
                    actions=True,
                    keepna=True,
                    repair=False,
                    timeout=timeout,
                )
                return Answer(frame, handle.history_metadata)
    finally:
        _LOCK.release()


def _library() -> ModuleType:
    try:
        import yfinance
    except ImportError as error:
        reason = "is not installed" if error.name == "yfinance" else f"cannot be imported ({error})"
        raise Refused("no_client", f"the library yfinance {reason}") from error
    return cast("ModuleType", yfinance)


@lru_cache(maxsize=1)
def _own_session() -> object:
    """One for the process, as the client has one cookie and one crumb for the process."""
    import yfinance as yf

    session: object = yf.Ticker("^GSPC").session
    return session


@contextmanager
def _watched(session: Any, timeout: float, left: Callable[[], float], journal: Journal) -> Iterator[None]:
    """Limit every request of a session to what time is left, and record the answers to chart requests."""
    request = session.request

    def limited(method: str, url: str, **options: Any) -> Any:
        seconds = left()
        if seconds <= 0:
            raise OutOfTime("the time for this ticker is spent")
        # In fractions of the limit: a time-out of curl at 0 ms would be none.
        options["timeout"] = max(min(timeout, seconds, MOST_SECONDS), 0.01)
        chart = "/v8/finance/chart/" in url and _symbol(url) == journal.ticker.upper()
        probe = "period1" not in (options.get("params") or {})
        try:
            response = request_limited(session, request, method, url, options)
            reply = Reply(probe, response.status_code, response.content, _retry_after(response))
        except Exception as error:
            if chart:
                journal.replies.append(Reply(probe, error=error))
            raise
        if chart:
            journal.replies.append(reply)
        return response

    own = vars(session).get("request")
    session.request = limited
    try:
        yield
    finally:
        if own is None:
            del session.request
        else:
            session.request = own


def _symbol(url: str) -> str:
    return unquote(url.partition("?")[0].rsplit("/", 1)[1]).upper()


def _retry_after(response: Any) -> float:
    try:
        seconds = float(response.headers.get("Retry-After", 0.0))
    except (TypeError, ValueError):
        return 0.0
    return seconds if seconds >= 0 else 0.0  # "nan" is neither


@contextmanager
def _errors_shown(yf: ModuleType) -> Iterator[None]:
    debug, logger = yf.config.debug, logging.getLogger("yfinance")
    hidden, level = debug.hide_exceptions, logger.level
    debug.hide_exceptions = False
    logger.setLevel(logging.CRITICAL + 1)  # it would write the crumb
    try:
        yield
    finally:
        debug.hide_exceptions = hidden
        logger.setLevel(level)


def _use_own_folder(yf: ModuleType, folder: Path) -> None:
    # Only before its first use: the client stays with the first folder. Shared ones get locked or damaged.
    if not _FOLDER_SET.is_set():
        own = folder / "client"
        try:
            own.mkdir(parents=True, exist_ok=True)
            os.chmod(own, 0o700)
        except OSError:
            pass  # the client does without
        yf.set_tz_cache_location(str(own))
        _keep_no_cookies()
        _FOLDER_SET.set()


def _keep_no_cookies() -> None:
    """Keep the client from pickling its cookie into a file, and from unpickling what it finds there."""
    from yfinance import cache

    dummy, manager = getattr(cache, "_CookieCacheDummy", None), getattr(cache, "_CookieCacheManager", None)
    if dummy is not None and manager is not None:
        manager._Cookie_cache = dummy()


def _forget_answers() -> None:
    """Empty the memory of the client, which keeps bad answers as well as good ones."""
    from yfinance.data import YfData

    clear = getattr(getattr(YfData, "cache_get", None), "cache_clear", None)
    if clear is not None:
        clear()
