"""Live prices from Yahoo Finance; the only file that knows the client library.

The client hides errors, may serve a part for the whole and remembers bad answers within a process;
this file turns each of these into an error that names ticker, range, cause and what to do.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import DataMissing, EventStudyError, InvalidInput, SourceFailed
from eventstudy.prices.downloads import COLUMNS, Download, keep_download, load_download
from eventstudy.prices.table import Prices, Provenance, as_day
from eventstudy.prices.yahoo_answer import Refused, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from types import ModuleType

CAUTIONS = (
    "Yahoo's Close is adjusted for splits up to the day of download; a later split changes it.",
    "Yahoo data: for personal and research use.",
)

ADVICE = {
    "rate_limited": "Yahoo refuses more requests for now; wait some minutes, then ask for fewer tickers.",
    "not_found": "Check the symbol on finance.yahoo.com; class shares are written BRK-B, indexes ^GSPC.",
    "bad_response": "Yahoo is unwell or a proxy answers in its place; try again later.",
    "network": "Check the network and the proxy, or use source='snapshot' or a file.",
    "schema_changed": "Yahoo has changed its answer or sent a damaged one; update yfinance or use a file.",
    "empty": "Check that the ticker was listed in this range and that the range holds a session.",
    "wrong_instrument": "Do not use this answer; check the symbol on finance.yahoo.com.",
    "unfinished": "Ask for an earlier end, or try again later.",
}
RETRIED = ("bad_response", "network")
MISSING = ("not_found", "empty")

_LOCK = threading.Lock()  # session, configuration and caches of the client are process-wide


@dataclass(frozen=True)
class _Range:
    start: str
    end: str
    closed: bool  # whether the last day is over, so that a download of it is final

    @property
    def day_after(self) -> str:
        """The client's ``end`` is exclusive."""
        return f"{pd.Timestamp(self.end) + pd.Timedelta(days=1):%Y-%m-%d}"


def fetch_yahoo(
    tickers: str | Sequence[str],
    start: date | str,
    end: date | str | None = None,
    *,
    session: object | None = None,
    cache_dir: str | Path | None = None,
    timeout: float = 10.0,
    attempts: int = 3,
    pause: float = 1.0,
    on_ticker: Callable[[str, int, int], None] | None = None,
) -> Prices:
    """Fetch daily prices from Yahoo Finance, ticker by ticker, all or none.

    Parameters
    ----------
    tickers : str or sequence of str
        Yahoo symbols, e.g. ``["NVDA", "^GSPC"]``.
    start, end : date or str
        First and last day, both included; ``end`` is today by default.
    session : object, optional
        A ``curl_cffi`` or ``requests`` session for the client, e.g. with a proxy.
    cache_dir : str or Path, optional
        Where downloads of ranges that ended before today are kept; by default the user's cache folder.
    timeout, pause : float
        Seconds per request, and seconds between requests, doubled from try to try.
    attempts : int
        Tries per ticker after bad answers and network errors; refusals are not repeated.
    on_ticker : callable, optional
        Called with ticker, its number (from 1) and the number of tickers, before each.

    Returns
    -------
    Prices
        Adjusted closes, closes (adjusted for splits), volumes and currencies.

    Raises
    ------
    InvalidInput
        If tickers, days or numbers are not of the allowed form.
    DataMissing
        If Yahoo does not know a ticker or has no prices of it in the range (``facts["kind"]``).
    SourceFailed
        If a ticker could not be fetched: network, refusal, unusable answer (``facts["kind"]``).
    """
    wanted, days = _check_request(tickers, start, end, attempts)
    client = _Client(session, _folder(cache_dir), timeout)
    results, fresh = _fetch_all(wanted, days, client, attempts, pause, on_ticker)
    problems = _keep(client.folder, [results[t] for t in fresh], days) if days.closed else []
    return _assemble(results, [*CAUTIONS, *problems])


def _fetch_all(
    wanted: list[str],
    days: _Range,
    client: _Client,
    attempts: int,
    pause: float,
    on_ticker: Callable[[str, int, int], None] | None,
) -> tuple[dict[str, Download], list[str]]:
    """Return every ticker's download, kept or new, and which are new."""
    results: dict[str, Download] = {}
    fresh: list[str] = []
    for number, ticker in enumerate(wanted, start=1):
        if on_ticker is not None:
            on_ticker(ticker, number, len(wanted))
        kept = load_download(client.folder, ticker, days.start, days.end) if days.closed else None
        if kept is None:
            if fresh:
                time.sleep(pause)
            kept = _fetch_one(ticker, days, client, attempts, pause)
            fresh.append(ticker)
        results[ticker] = kept
    return results, fresh


def _check_request(
    tickers: str | Sequence[str], start: date | str, end: date | str | None, attempts: int
) -> tuple[list[str], _Range]:
    wanted = list(dict.fromkeys([tickers] if isinstance(tickers, str) else tickers))
    if not wanted or not all(isinstance(t, str) and t.strip() == t != "" for t in wanted):
        raise InvalidInput(f"tickers is {wanted!r}; give Yahoo symbols such as ['NVDA', '^GSPC'].")
    first = as_day(start, "start")
    last = _today() if end is None else as_day(end, "end")
    if first is None or last is None:
        raise InvalidInput("start is None; give the first day, such as '2024-01-02'.")
    if first > last:
        raise InvalidInput(f"start ({first:%Y-%m-%d}) is after end ({last:%Y-%m-%d}); swap them.")
    if last > _today() + pd.Timedelta(days=1):  # east of Greenwich tomorrow may have begun
        raise InvalidInput(f"end is {last:%Y-%m-%d}, in the future; prices end today ({_today():%Y-%m-%d}).")
    if attempts < 1:
        raise InvalidInput(f"attempts is {attempts}; it must be at least 1.")
    return wanted, _Range(f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}", closed=last < _today())


def _today() -> pd.Timestamp:
    return pd.Timestamp.now("UTC").tz_localize(None).normalize()


def _folder(cache_dir: str | Path | None) -> Path:
    if cache_dir is not None:
        return Path(cache_dir)
    import platformdirs

    return Path(platformdirs.user_cache_dir("eventstudy"))


def _keep(folder: Path, downloads: list[Download], days: _Range) -> list[str]:
    """Keep downloads, only when all have succeeded: a failure leaves nothing behind; return what went wrong."""
    try:
        for download in downloads:
            keep_download(folder, download, days.start, days.end)
    except OSError as error:
        return [f"The download could not be kept in the cache folder ({error.strerror})."]
    return []


def _assemble(results: dict[str, Download], cautions: list[str]) -> Prices:
    digest = hashlib.sha256()
    for ticker, download in results.items():
        rounded = download.table.round({"adj_close": 4, "close": 4, "volume": 0})  # vendor noise is below
        digest.update(ticker.encode() + b"\n" + rounded.to_csv(lineterminator="\n").encode())
    tables = {f: pd.concat({t: d.table[f] for t, d in results.items()}, axis=1, sort=True) for f in COLUMNS}
    for download in results.values():
        cautions.extend(download.cautions)
    return Prices.from_frame(
        tables["adj_close"],
        close=tables["close"],
        volume=tables["volume"],
        provenance=Provenance(
            source="yahoo",
            retrieved=min(d.retrieved for d in results.values()),
            adjustments="close: for splits up to the day of download; adj_close: for splits and dividends",
            digest=digest.hexdigest(),
            cautions=tuple(cautions),
        ),
        currency={t: d.currency for t, d in results.items() if d.currency},
    )


@dataclass(frozen=True)
class _Client:
    """One way to ask: session, the client's own cache folder, seconds per request."""

    session: object | None
    folder: Path
    timeout: float

    def ask(self, ticker: str, days: _Range, attempt: int) -> Download:
        with _LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the client's own deprecations are not the user's
            import yfinance as yf

            _use_own_folder(yf, self.folder)
            if attempt > 1:
                _forget_answers()
            # The client keeps bad answers by address and timeout: a changed timeout asks again.
            options = _options(self.timeout + 0.001 * (attempt - 1))
            with _errors_shown(yf):
                handle = yf.Ticker(ticker, session=self.session)
                try:
                    frame = handle.history(start=days.start, end=days.day_after, **options)
                except Exception as error:
                    if _lost_zone(error):
                        self._raise_reason(yf, ticker, options)
                    raise
                return read_answer(ticker, frame, handle.history_metadata, days.start, days.end)

    # Failing to learn the time zone, the client loses the reason; a request by period needs no zone and
    # tells it. Up to three times, because the client takes a detour twice per process, which may fail too.
    def _raise_reason(self, yf: ModuleType, ticker: str, options: dict[str, object]) -> None:
        for _ in range(3):
            try:
                yf.Ticker(ticker, session=self.session).history(period="5d", **options)
            except Exception as reason:
                if not _lost_zone(reason):
                    raise


def _options(timeout: float) -> dict[str, object]:
    return {"auto_adjust": False, "actions": True, "keepna": True, "repair": False, "timeout": timeout}


def _lost_zone(error: Exception) -> bool:
    return bool({"YFTzMissingError", "HTTPError"} & {c.__name__ for c in type(error).__mro__})


def _fetch_one(ticker: str, days: _Range, client: _Client, attempts: int, pause: float) -> Download:
    for attempt in range(1, attempts + 1):
        try:
            return client.ask(ticker, days, attempt)
        except EventStudyError:
            raise
        except Exception as error:  # the client raises what it meets; none may pass unnamed
            kind, cause = classify(error)
            if kind not in RETRIED or attempt == attempts:
                raise _failure(ticker, days, kind, cause, attempt) from error
            time.sleep(pause * 2 ** (attempt - 1))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _failure(ticker: str, days: _Range, kind: str, cause: str, tries: int) -> EventStudyError:
    kind_of_error = DataMissing if kind in MISSING else SourceFailed
    tried = f" after {tries} tries" if tries > 1 else ""
    return kind_of_error(
        f"Yahoo gave no usable prices of {ticker} from {days.start} to {days.end}{tried}: {cause}. "
        f"{ADVICE[kind]} Nothing was taken over.",
        kind=kind,
        ticker=ticker,
        start=days.start,
        end=days.end,
        cause=cause,
    )


def classify(error: Exception) -> tuple[str, str]:
    """Return the kind of a failed request and its cause in words.

    Parameters
    ----------
    error : Exception
        What the client raised.

    Returns
    -------
    kind : str
        One of the keys of ``ADVICE``.
    cause : str
        The cause in words.
    """
    if isinstance(error, Refused):
        return error.kind, str(error)
    # By name and from the most special class on: the client may run on either of two HTTP libraries.
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in _READERS:
            return _READERS[ancestor.__name__](error)
    return "schema_changed", f"the answer has another form ({type(error).__name__}: {str(error)[:160]})"


def _rate_limited(_: Exception) -> tuple[str, str]:
    return "rate_limited", "too many requests (HTTP 429)"


def _cut_answer(_: Exception) -> tuple[str, str]:
    return "bad_response", "the answer is cut or is not JSON"


def _refused_by_server(error: Exception) -> tuple[str, str]:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return ("not_found", "unknown symbol (HTTP 404)") if status == 404 else ("bad_response", f"HTTP {status}")


def _no_bars(error: Exception) -> tuple[str, str]:
    reason = getattr(error, "yahoo_reason", None)
    if reason is None:
        return "empty", "the answer holds no bars"
    text, words = str(reason), str(reason).lower()
    if "no data found" in words or "not found" in words:
        return "not_found", text
    if "server error" in words or "internal" in words:
        return "bad_response", text
    return "empty", text


def _client_error(error: Exception) -> tuple[str, str]:
    return "bad_response", " ".join(str(error).split())


def _network(error: Exception) -> tuple[str, str]:
    text = str(error).split(" See https")[0]  # the transport library points to its manual
    return "network", f"{type(error).__name__}: {text[:160].rstrip('. ')}"


_READERS: dict[str, Callable[[Exception], tuple[str, str]]] = {
    "YFRateLimitError": _rate_limited,
    "YFTickerMissingError": _no_bars,
    "YFException": _client_error,
    "HTTPError": _refused_by_server,
    "JSONDecodeError": _cut_answer,
    "OSError": _network,
}


@contextmanager
def _errors_shown(yf: ModuleType) -> Iterator[None]:
    debug, logger = yf.config.debug, logging.getLogger("yfinance")
    hidden, level = debug.hide_exceptions, logger.level
    debug.hide_exceptions = False
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        debug.hide_exceptions = hidden
        logger.setLevel(level)


_FOLDER_SET = threading.Event()


def _use_own_folder(yf: ModuleType, folder: Path) -> None:
    # Only before its first use: the client stays with the first folder. Shared ones get locked or damaged.
    if not _FOLDER_SET.is_set():
        yf.set_tz_cache_location(str(folder / "client"))
        _FOLDER_SET.set()


def _forget_answers() -> None:
    from yfinance.data import YfData

    clear = getattr(getattr(YfData, "cache_get", None), "cache_clear", None)
    if clear is not None:
        clear()
