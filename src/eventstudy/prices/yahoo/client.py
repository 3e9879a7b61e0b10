"""The client library yfinance: one question to Yahoo, with its answer recorded and its time limited.

The only file that knows the client, which hides errors, remembers bad answers within a process and gives its
cookie and crumb requests a time of their own. Here each of these is undone for the length of one question.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pandas as pd

from eventstudy.prices.yahoo.bodies import request_limited
from eventstudy.prices.yahoo.kinds import OutOfTime, Reply
from eventstudy.prices.yahoo.patience import MOST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

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
    """Ask for daily bars of one ticker, once.

    Parameters
    ----------
    ticker, start, day_after : str
        Symbol, first day, and the day after the last, ISO format.
    session : object or None
        A session of the user's own.
    folder : Path
        Where the client may keep time zones.
    timeout : float
        Seconds a request, those for cookie and crumb included.
    left : callable
        Seconds left for all requests together.
    journal : Journal
        Receives the answers.

    Returns
    -------
    Answer
        Frame and metadata.

    Raises
    ------
    Exception
        Whatever the client raises.
    """
    if not _LOCK.acquire(timeout=max(left(), 0.0)):
        raise OutOfTime("another fetch of this process has not come to its end")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the client's own deprecations are not the user's
            import yfinance as yf

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
