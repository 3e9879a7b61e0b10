"""Live prices from Yahoo Finance: what is asked, how often, and when nothing is better than something.

A fetch ends in a whole table or in an error whose ``facts["kind"]`` is one of these; all but those marked "once" are asked again,
``attempts`` times at most, with doubling pauses. What concerns the figures has the name of the check of prices that sees the same in a table.

=================== ================ ==================================================================
kind                error            meaning; what to do
=================== ================ ==================================================================
no_client           SourceUnfit      yfinance is not installed (once); pip install yfinance
no_cache            SourceFailed     the client cannot write its caches, e.g. on a full disk (once); make room
rate_limited        SourceFailed     HTTP 429; wait some minutes, ask for fewer tickers
bad_response        SourceFailed     HTTP 401, 403, 5xx, cut or no JSON, HTML, over 16 MB; try again later
network             SourceFailed     refused, reset, timed out, no such host; check network and proxy
deadline            SourceFailed     the time allowed is spent (once); allow more, ask for fewer tickers
schema_changed      SourceUnfit      a field is missing or no number, columns unequal, a day twice; update yfinance
wrong_instrument    SourceUnfit      the answer is for another symbol; check the symbol
early_end           SourceFailed     the last day is not complete or not there yet (once); later, or accept
not_found           DataMissing      Yahoo does not know the symbol (once); check it
empty               DataMissing      no bars in the range; check range and listing
missing_sessions    DataUnfit        days of the exchange are missing or empty; try later, or accept
extra_days          DataUnfit        a price on a day on which the exchange was closed; or accept
non_positive_prices DataUnfit        zero, negative, infinite, absurd; try later, use a file
negative_volume     DataUnfit        a volume below zero; try later, use a file
repeated_block      DataUnfit        days in a row that are copies of others; try later, use a file
unapplied_split     DataUnfit        the scale changes, as after a missed split (once); or accept
adjustment_ratio    DataUnfit        adjusted closes do not fit the dividends; or accept
currency            DataUnfit        another currency than the exchange's, or than before
=================== ================ ==================================================================

"Accept" means ``accept=["unapplied_split"]`` and the like: the figures are taken, and the finding becomes a caution. A halted
share has holes: they are refused until accepted as ``missing_sessions``.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.files import parse_json, sha256, write_whole
from eventstudy.interchange import read_csv
from eventstudy.prices.passport import ROUNDED
from eventstudy.prices.table import YAHOO, Prices, Provenance, as_day
from eventstudy.sources.source import Source
from eventstudy.sources.yahoo.answer import COLUMNS, Download, Request, read_answer
from eventstudy.sources.yahoo.bars import list_days
from eventstudy.sources.yahoo.client import MOST_SECONDS, Journal, RetryPolicy, Timing, Worker, ask
from eventstudy.sources.yahoo.failures import ACCEPTABLE, FAILURE_KINDS, classify, failure
from eventstudy.wording import iso_day

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from eventstudy.errors import EventStudyError

CAUTIONS = (
    "Yahoo's Close is adjusted for splits up to the day of download; a later split changes it.",
    "Yahoo data: for personal and research use.",
)

log = logging.getLogger("eventstudy.sources")


def fetch_yahoo(
    tickers: str | Sequence[str],
    start: date | str,
    end: date | str | None = None,
    *,
    session: object | None = None,
    cache_dir: str | Path | None = None,
    reuse: bool = True,
    accept: Sequence[str] = (),
    timeout: float = 10.0,
    attempts: int = 3,
    pause: float = 1.0,
    ticker_limit: float = 120.0,
    deadline: float = 1800.0,
    on_ticker: Callable[[str, int, int], None] | None = None,
    timing: Timing | None = None,
) -> Prices:
    """Fetch daily prices from Yahoo Finance, ticker by ticker, all or none.

    Parameters
    ----------
    tickers, start, end : str, sequence of str, date
        Symbols such as ``"^GSPC"``; first and last day, both included, the last being today by default.
    session, cache_dir : object, str or Path, optional
        A ``curl_cffi`` or ``requests`` session, e.g. with a proxy; where finished downloads are kept.
    reuse : bool
        Whether kept downloads of the same range may answer; False asks for all anew.
    accept : sequence of str
        Findings that do not refuse: ``early_end``, ``missing_sessions``, ``extra_days``, ``unapplied_split``, ``adjustment_ratio``.
    timeout, pause, ticker_limit, deadline : float
        Seconds per request, between requests (doubled from try to try), per ticker, and for the whole fetch.
    attempts : int
        Tries per ticker.
    on_ticker, timing : callable, Timing, optional
        Called with ticker, its number (from 1) and the number of tickers, before each; clock, sleep and chance.

    Returns
    -------
    Prices
        Adjusted closes, closes (adjusted for splits), volumes and currencies.

    Raises
    ------
    InvalidInput
        If an argument is not of the allowed form.
    DataMissing, DataUnfit, SourceFailed
        If a ticker could not be fetched; ``facts["kind"]`` is one of the table in `eventstudy.sources.yahoo.fetch`.
    """
    policy = RetryPolicy(timeout, attempts, pause, ticker_limit, deadline, timing or Timing(sleep=_sleep))
    wanted, request = _check_request(tickers, start, end, accept)
    fetch = _Fetch(session, _folder(cache_dir), policy, reuse)
    results, fresh = fetch.all(wanted, request, on_ticker)
    results = _compare_days(results, request)
    problems = _keep(fetch.folder, [results[t] for t in fresh], request) if request.closed else []
    return _assemble(results, [*CAUTIONS, *problems])


class Yahoo(Source):
    """Yahoo Finance, asked live; the choice of tickers and days is its own."""

    name = YAHOO

    def load(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Return a download of these tickers and days."""
        if tickers is None or start is None:
            raise InvalidInput("source='yahoo' needs tickers and start, e.g. load_prices(['NVDA'], '2024-01-02', …).")
        return fetch_yahoo(tickers, start, end)


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


class _Fetch:
    """One fetch: what is left of its time, and the thread that asks."""

    def __init__(self, session: object | None, folder: Path, policy: RetryPolicy, reuse: bool) -> None:
        self.session, self.folder, self.policy, self.reuse = session, folder, policy, reuse
        self.worker = Worker()
        self.clock = policy.timing.clock
        self.ends = self.clock() + policy.deadline

    def all(
        self, wanted: list[str], request: Request, on_ticker: Callable[[str, int, int], None] | None
    ) -> tuple[dict[str, Download], list[str]]:
        """Return every ticker's download, kept or new, and which are new."""
        results: dict[str, Download] = {}
        fresh: list[str] = []
        try:
            for number, ticker in enumerate(wanted, start=1):
                if on_ticker is not None:
                    on_ticker(ticker, number, len(wanted))
                kept = self._kept(ticker, request)
                if kept is None:
                    if fresh:
                        self.policy.timing.sleep(self.policy.pause)
                    kept = self.one(replace(request, ticker=ticker))
                    fresh.append(ticker)
                results[ticker] = kept
        finally:
            self.worker.stop()
        return results, fresh

    def _kept(self, ticker: str, request: Request) -> Download | None:
        if not (self.reuse and request.closed):
            return None
        return load_download(self.folder, ticker, request.start, request.end, request.accept)

    def one(self, request: Request) -> Download:
        """Return one ticker's download, or raise what stood in its way."""
        limit = min(self.clock() + min(self.policy.ticker_limit, MOST_SECONDS), self.ends)
        journal = Journal(request.ticker)
        for attempt in range(1, self.policy.attempts + 1):
            try:
                return self.worker.call(lambda: self._ask(request, limit, journal), limit - self.clock())
            except Exception as error:  # the client raises what it meets; none may pass unnamed
                kind, cause = classify(error, journal.last())
            # Raised outside the handler: the client's own errors may hold an address with the crumb.
            self._wait_or_give_up(request, kind, cause, attempt, limit, journal)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _ask(self, request: Request, limit: float, journal: Journal) -> Download:
        answer = ask(
            request.ticker,
            request.start,
            iso_day(pd.Timestamp(request.end) + pd.Timedelta(days=1)),  # the client's end is exclusive
            session=self.session,
            folder=self.folder,
            timeout=self.policy.timeout,
            left=lambda: limit - self.clock(),
            journal=journal,
        )
        return read_answer(request, answer.frame, answer.metadata, journal.replies)

    def _wait_or_give_up(
        self, request: Request, kind: str, cause: str, attempt: int, limit: float, journal: Journal
    ) -> None:
        left, last = limit - self.clock(), journal.last()
        if left <= 0 and kind != "deadline":
            kind, cause = "deadline", f"the time allowed is spent; last: {cause}"
        if not FAILURE_KINDS[kind].again or attempt == self.policy.attempts:
            raise self._failure(request, kind, cause, attempt)
        wait = self.policy.wait(attempt, kind, 0.0 if last is None else last.retry_after)
        if wait >= min(left, MOST_SECONDS):
            seconds = f"{wait:.0f} s" if wait <= MOST_SECONDS else "more than a day"
            cause += f"; there was no time left for the {seconds} to wait before another try"
            raise self._failure(request, kind, cause, attempt)
        log.warning(
            "%s: try %d of %d failed (%s: %s); next try in %.1f s",
            *(request.ticker, attempt, self.policy.attempts, kind, cause, wait),
        )
        self.policy.timing.sleep(wait)

    def _failure(self, request: Request, kind: str, cause: str, tries: int) -> EventStudyError:
        log.error(
            "%s: given up after %d of %d tries (%s: %s)", request.ticker, tries, self.policy.attempts, kind, cause
        )
        return failure(request.ticker, request.start, request.end, kind, cause, tries)


def _check_request(
    tickers: str | Sequence[str], start: date | str, end: date | str | None, accept: Sequence[str]
) -> tuple[list[str], Request]:
    wanted = list(dict.fromkeys([tickers] if isinstance(tickers, str) else tickers))
    if not wanted or not all(isinstance(t, str) and t.strip() == t != "" for t in wanted):
        raise InvalidInput(f"tickers is {wanted!r}; give Yahoo symbols such as ['NVDA', '^GSPC'].")
    named = (accept,) if isinstance(accept, str) else tuple(accept)
    unknown = [a for a in named if a not in ACCEPTABLE]
    if unknown:
        raise InvalidInput(f"accept holds {unknown[0]!r}; choose from {', '.join(ACCEPTABLE)}.")
    first = as_day(start, "start")
    last = _today() if end is None else as_day(end, "end")
    if first is None or last is None:
        raise InvalidInput("start is None; give the first day, such as '2024-01-02'.")
    if first > last:
        raise InvalidInput(f"start ({iso_day(first)}) is after end ({iso_day(last)}); swap them.")
    if last > _today() + pd.Timedelta(days=1):  # east of Greenwich tomorrow may have begun
        raise InvalidInput(f"end is {iso_day(last)}, in the future; prices end today ({iso_day(_today())}).")
    request = Request("", iso_day(first), iso_day(last), last < _today(), _now(), named)
    return wanted, request


def _now() -> pd.Timestamp:
    return pd.Timestamp.now("UTC")


def _today() -> pd.Timestamp:
    return _now().tz_localize(None).normalize()


def _folder(cache_dir: str | Path | None) -> Path:
    if cache_dir is not None:
        return Path(cache_dir)
    import platformdirs

    return Path(platformdirs.user_cache_dir("eventstudy"))


def _compare_days(results: dict[str, Download], request: Request) -> dict[str, Download]:
    """Compare tickers of an exchange without a calendar with each other: a day that one has, all must have."""
    seen: dict[str, set[pd.Timestamp]] = {}
    for d in results.values():
        seen.setdefault(d.market, set()).update(d.table.index)
    checked = dict(results)
    for ticker, d in results.items():
        days = pd.DatetimeIndex(sorted(seen[d.market])) if d.market else d.table.index
        missing = days[(days >= d.table.index[0]) & (days <= d.table.index[-1]) & ~days.isin(d.table.index)]
        if not len(missing):
            continue
        cause = f"other tickers of {d.market} have prices on {list_days(missing)}"
        if "missing_sessions" not in request.accept:
            raise failure(ticker, request.start, request.end, "missing_sessions", cause, 1)
        note = f"{ticker}: accepted as missing_sessions: {cause}."
        checked[ticker] = replace(d, cautions=(*d.cautions, note), accepted=(*d.accepted, "missing_sessions"))
    return checked


def _keep(folder: Path, downloads: list[Download], request: Request) -> list[str]:
    """Keep downloads, only when all have succeeded: a failure leaves nothing behind; return what went wrong."""
    try:
        for download in downloads:
            keep_download(folder, download, request.start, request.end)
    except OSError as error:
        return [f"The download could not be kept in the cache folder ({error.strerror})."]
    return []


def _assemble(results: dict[str, Download], cautions: list[str]) -> Prices:
    texts = [t + "\n" + d.table.round(ROUNDED).to_csv(lineterminator="\n") for t, d in results.items()]
    tables = {f: pd.concat({t: d.table[f] for t, d in results.items()}, axis=1, sort=True) for f in COLUMNS}
    for download in results.values():
        cautions.extend(download.cautions)
    return Prices.from_frame(
        tables["adj_close"],
        close=tables["close"],
        volume=tables["volume"],
        provenance=Provenance(
            source=YAHOO,
            retrieved=min(d.retrieved for d in results.values()),
            adjustments="close: for splits up to the day of download; adj_close: for splits and dividends",
            digest=sha256("".join(texts).encode()),
            cautions=tuple(cautions),
        ),
        currency={t: d.currency for t, d in results.items() if d.currency},
    )


# -- The folder in which finished downloads are kept.


#: Which checks a download has passed; raised when they become stricter or change their names, so that older ones are fetched anew.
CHECKS = 4


def _stem(ticker: str, start: str, end: str) -> str:
    # Tickers hold characters that file names must not, and case may not count in file names.
    mark = sha256(f"{ticker}|{start}|{end}".encode())[:12]
    return f"{re.sub(r'[^A-Za-z0-9-]', '_', ticker)[:40]}_{start}_{end}_{mark}"


def load_download(folder: Path, ticker: str, start: str, end: str, accept: tuple[str, ...] = ()) -> Download | None:
    """Return a kept download, or None if there is none, or it is damaged or was checked less strictly."""
    stem = _stem(ticker, start, end)
    try:
        facts = parse_json((folder / f"{stem}.json").read_bytes())
        text = (folder / f"{stem}.csv").read_bytes()
        kept_for = (facts["ticker"], facts["start"], facts["end"])
        if kept_for != (ticker, start, end) or facts["sha256"] != sha256(text):
            return None
        if facts.get("checks") != CHECKS or not set(facts["accepted"]) <= set(accept):
            return None
        table = read_csv(io.BytesIO(text), index_col="date", dtype=dict.fromkeys(COLUMNS, "float64"))
        table.index = pd.DatetimeIndex(pd.to_datetime(table.index, format="%Y-%m-%d"), name="date")
        return Download(
            ticker=ticker,
            table=table[list(COLUMNS)],
            currency=str(facts["currency"]),
            retrieved=str(facts["retrieved"]),
            cautions=tuple(str(c) for c in facts["cautions"]),
            accepted=tuple(str(a) for a in facts["accepted"]),
            market=str(facts["market"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_download(folder: Path, download: Download, start: str, end: str) -> None:
    """Keep a finished download, whole or not at all."""
    text = download.csv()
    facts = {
        "ticker": download.ticker,
        "start": start,
        "end": end,
        "currency": download.currency,
        "retrieved": download.retrieved,
        "cautions": list(download.cautions),
        "accepted": list(download.accepted),
        "market": download.market,
        "checks": CHECKS,
        "rows": len(download.table),
        "sha256": sha256(text),
    }
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    stem = _stem(download.ticker, start, end)
    # The record last: without it the figures count as not there.
    for name, content in ((f"{stem}.csv", text), (f"{stem}.json", (json.dumps(facts, indent=2) + "\n").encode())):
        os.chmod(write_whole(folder / name, content), 0o600)
