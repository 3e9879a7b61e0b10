"""Some three hundred ways in which a fetch can go wrong, played to the real client, and what each must end in.

A case holds up if its table equals the truth or its error is one of the kinds allowed, within the time allowed, with
nothing half-written, nothing on the client's log, and neither cookie nor crumb in a file, a message or a log line.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import misbehaviour as mb
import numpy as np
import pandas as pd
import yahoo_server as ys
from wrong_figures import HARMLESS, WRONG, Change

from eventstudy.calendars import exchange_sessions
from eventstudy.errors import EventStudyError
from eventstudy.sources.yahoo.failures import FAILURE_KINDS
from eventstudy.sources.yahoo.fetch import fetch_yahoo, load_download

START, END = "2024-12-16", "2025-04-11"  # a day of mourning, three holidays, summer time begins in two zones
CRUMB, COOKIE = "cRuMb.s3cret", "d=AQABBc00kie"
LIMIT = 6.0  # seconds for a ticker
MARKETS = {
    "New York": ("XNYS", "NMS", "America/New_York", "USD"),
    "London": ("XLON", "LSE", "Europe/London", "GBp"),
    "Tokyo": ("XTKS", "JPX", "Asia/Tokyo", "JPY"),
    "Sydney": ("XASX", "ASX", "Australia/Sydney", "AUD"),
}


@dataclass(frozen=True)
class Truth:
    """What a ticker's prices are."""

    symbol: str
    seed: int
    market: str = "New York"
    index: bool = False

    def table(self) -> pd.DataFrame:
        rng = np.random.default_rng(self.seed)
        days = exchange_sessions(MARKETS[self.market][0], START, END)
        close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.012, len(days)))), 2)
        adjclose = close.copy()
        if not self.index:
            adjclose[: self.paid_at] *= 1 - 1.25 / close[self.paid_at - 1]
        volume = np.zeros(len(days)) if self.index else np.floor(rng.uniform(1e6, 5e6, len(days)))
        return pd.DataFrame({"close": close, "adjclose": adjclose, "volume": volume}, index=days)

    @property
    def paid_at(self) -> int:
        return 40 + self.seed % 7

    @property
    def place(self) -> int:
        """Where a fault is put: away from the dividend and from both ends."""
        return 5 + self.seed * 7 % 30

    def chart(self) -> dict[str, object]:
        _, name, zone, currency = MARKETS[self.market]
        table = self.table()
        paid = {} if self.index else {f"{table.index[self.paid_at]:%Y-%m-%d}": 1.25}
        first = int(pd.Timestamp("1999-01-22 14:30", tz="UTC").timestamp())
        kind = "INDEX" if self.index else "EQUITY"
        more = {"exchangeName": name, "currency": currency, "firstTradeDate": first, "instrumentType": kind}
        return ys.chart(self.symbol, table, paid, now="2025-06-30 17:00:00", zone=zone, more=more)


@dataclass(frozen=True)
class Case:
    """One fetch: who is asked for, what the server does to the first requests of each, and how it must end."""

    name: str
    truths: tuple[Truth, ...]
    acts: dict[str, list[mb.Act]] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()  # none: it must end in the table
    cold: bool = False
    changes: dict[str, Change] = field(default_factory=dict)
    without_volume: bool = False
    attempts: int = 3
    timeout: float = 1.5


@dataclass(frozen=True)
class Outcome:
    """What became of a case, and what is wrong with it."""

    case: Case
    end: str
    tries: int
    seconds: float
    faults: tuple[str, ...]


class ReplayServer(ys.YahooServer):
    """Plays a case: acts by symbol for prices, by ``probe``, ``crumb`` and ``cookie`` for the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.play(Case("nothing", ()))

    def play(self, case: Case) -> None:
        self.case, self.used = case, {}
        # Made beforehand: the time limits are for the answers, not for making them up.
        self.bodies = {t.symbol: mb.Parts(t.chart()).body() for t in case.truths}
        self.probes = dict(self.bodies)
        for truth in case.truths:
            if truth.symbol in case.changes:
                parts = mb.Parts(truth.chart())
                case.changes[truth.symbol](parts, truth.place)
                self.bodies[truth.symbol] = parts.body()

    def reply(self, path: str) -> ys.Act:
        parts = urlsplit(path)
        symbol = unquote(parts.path.rsplit("/", 1)[1])
        if "/v8/finance/chart/" in parts.path:
            probe = "range" in parse_qs(parts.query)
            return self._act("probe" if probe else symbol, (self.probes if probe else self.bodies)[symbol])
        if parts.path.endswith("/getcrumb"):
            return self._act("crumb", CRUMB.encode())
        if "fc.yahoo.com" in parts.path or "guce" in parts.path:
            return self._act("cookie", b"")
        return lambda handler: mb.send(handler, 404, mb.GONE)

    def _act(self, place: str, body: bytes) -> ys.Act:
        done = self.used[place] = self.used.get(place, 0) + 1
        acts = self.case.acts.get(place, [])
        act = acts[min(done, len(acts)) - 1] if acts else mb.healthy

        def do(handler: BaseHTTPRequestHandler) -> None:
            try:
                if place == "cookie" and act is mb.healthy:
                    mb.send(handler, 200, body, Set_Cookie=f"A3={COOKIE}; Path=/")
                else:
                    act(handler, body)
            except OSError:  # the other side has left
                handler.close_connection = True

        return do


def run(case: Case, server: ReplayServer, folder: Path) -> Outcome:
    """Play a case to the real client and judge how it ends."""
    server.play(case)
    _forget_client(case)
    session = server.session()
    lines: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = lines.append
    loggers = [logging.getLogger(name) for name in ("yfinance", "eventstudy.sources", "peewee", "urllib3")]
    for logger in loggers:
        logger.addHandler(handler)
    began, faults, tries = time.monotonic(), [], 1
    try:
        prices = fetch_yahoo(
            [t.symbol for t in case.truths],
            START,
            END,
            session=session,
            cache_dir=folder,
            timeout=case.timeout,
            attempts=case.attempts,
            pause=0.005,
            ticker_limit=LIMIT,
        )
        end = "table"
        faults += _compare(case, prices, folder)
        text = " ".join(prices.provenance.cautions)
    except EventStudyError as error:
        end, tries = str(error.facts.get("kind")), int(error.facts.get("tries", 0))
        faults += _judge_error(case, error, folder)
        text = str(error) + repr(error.facts)
    except Exception as error:
        end, text = type(error).__name__, str(error)
        faults.append(f"untyped: {error!r}")
    finally:
        seconds = time.monotonic() - began
        for logger in loggers:
            logger.removeHandler(handler)
        session.close()
    faults += ["hang"] if seconds > LIMIT * len(case.truths) + 1.5 else []
    faults += [f"client log: {r.getMessage()}" for r in lines if r.name != "eventstudy.sources"]
    faults += _secrets(folder, text + " ".join(r.getMessage() for r in lines))
    return Outcome(case, end, tries, seconds, tuple(faults))


def _forget_client(case: Case) -> None:
    """The client has no cookie, no crumb, and knows a time zone or does not."""
    from yfinance import base, cache
    from yfinance.data import YfData

    data = YfData()
    data._crumb = data._cookie = None
    data._cookie_strategy = "basic"
    base._tz_info_fetch_ctr = 0
    for truth in case.truths:
        cache.get_tz_cache().store(truth.symbol, None if case.cold else MARKETS[truth.market][2])


def _compare(case: Case, prices: object, folder: Path) -> list[str]:
    if case.kinds and "table" not in case.kinds:
        return ["wrong table: passed on"]
    faults = []
    for truth in case.truths:
        want = truth.table()
        got = pd.DataFrame(
            {n: getattr(prices, f)[truth.symbol] for n, f in (("close", "close"), ("adjclose", "adj_close"))}
        ).dropna(how="all")
        volume = prices.volume[truth.symbol].reindex(want.index)
        if case.without_volume:
            volume = volume.fillna(want["volume"])
        if not got.index.equals(want.index) or not np.allclose(got, want[["close", "adjclose"]], rtol=1e-12, atol=0):
            faults.append(f"wrong table: {truth.symbol}")
        elif not volume.equals(want["volume"]):
            faults.append(f"wrong table: volume of {truth.symbol}")
        if prices.currency.get(truth.symbol) != MARKETS[truth.market][3]:
            faults.append(f"wrong table: currency of {truth.symbol}")
        if load_download(folder, truth.symbol, START, END) is None:
            faults.append("leftover: the download kept cannot be read")
    if len(_files(folder)) != 2 * len(case.truths):
        faults.append(f"leftover: {_files(folder)}")
    return faults


def _judge_error(case: Case, error: EventStudyError, folder: Path) -> list[str]:
    kind, faults = error.facts.get("kind"), []
    if kind not in case.kinds:
        faults.append(f"other kind: {kind}: {error}")
    facts = {"ticker", "start", "end", "cause", "kind"}
    if not facts <= set(error.facts) or error.facts["ticker"] not in {t.symbol for t in case.truths}:
        faults.append(f"untyped: facts {sorted(error.facts)}")
    elif not all(str(error.facts[f]) in str(error) for f in facts - {"kind"}) or FAILURE_KINDS[kind].advice not in str(
        error
    ):
        faults.append(f"untyped: the message lacks a fact: {error}")
    if _files(folder):
        faults.append(f"leftover: {_files(folder)}")
    return faults


def _files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


def _secrets(folder: Path, text: str) -> list[str]:
    kept = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file()) if folder.exists() else b""
    return [f"secret: {s}" for s in (CRUMB, COOKIE) if s in text or s.encode() in kept]


def cases() -> Iterator[Case]:
    """All cases; each has tickers of its own, because the client remembers time zones."""
    for number, (name, options) in enumerate(_recipes()):
        settings = dict(options)
        count, at = settings.pop("count", 1), settings.pop("at", 0)
        market, index = settings.pop("market", "New York"), settings.pop("index", False)
        truths = tuple(Truth(f"R{number:03d}{'ABC'[i]}", number * 3 + i, market, index) for i in range(count))
        bad = truths[at].symbol
        acts, change = dict(settings.pop("acts", {})), settings.pop("change", None)
        if "prices" in acts:
            acts[bad] = acts.pop("prices")
        kinds = frozenset(settings.pop("kinds", ()))
        yield Case(name, truths, acts, kinds, changes={bad: change} if change else {}, **settings)


def _recipes() -> Iterator[tuple[str, dict[str, object]]]:
    yield from _transport()
    yield from _sequences()
    yield from _figures()
    for market in MARKETS:
        for cold in (False, True):
            yield f"healthy, {market}", {"market": market, "cold": cold, "count": 2}
    yield "healthy, index", {"index": True}
    for name in ("null close", "one session absent", "stale end", "late start", "times 100 for three days"):
        for market in ("London", "Tokyo", "Sydney"):
            yield (
                f"{name}, {market}",
                {"market": market, "change": WRONG[name][0], "kinds": WRONG[name][1], "attempts": 1},
            )
        yield f"{name}, index", {"index": True, "change": WRONG[name][0], "kinds": WRONG[name][1], "attempts": 1}


def _heals(kinds: set[str]) -> bool:
    return all(FAILURE_KINDS[kind].again for kind in kinds)


def _transport() -> Iterator[tuple[str, dict[str, object]]]:
    for number, (name, (act, kinds)) in enumerate(mb.TRANSPORT.items()):
        slow = act in (mb.stall, mb.stall_in_body, mb.drip, mb.drip_headers)
        # The client itself asks once more after a status of 400 and above.
        once = set() if _heals(kinds) or name == "404 gone" else kinds
        both = {"attempts": 2, **({"timeout": 0.6} if slow else {})}
        yield f"{name}, always", {"acts": {"prices": [act]}, "kinds": kinds, **both}
        yield f"{name}, once", {"acts": {"prices": [act, mb.healthy]}, "kinds": once, **both}
        yield f"{name}, at the first look", {"acts": {"probe": [act]}, "kinds": kinds, "cold": True, **both}
        if not slow:
            yield (
                f"{name}, at the first look, once",
                {"acts": {"probe": [act, mb.healthy]}, "cold": True, "kinds": once, **both},
            )
        if number % 3 == 0 and not slow:
            yield f"{name}, second of three", {"acts": {"prices": [act]}, "kinds": kinds, "count": 3, "at": 1, **both}
        if name in ("429", "401 crumb", "500 HTML", "200 HTML", "200 empty", "reset", "closed", "drip"):
            yield f"{name}, crumb", {"acts": {"crumb": [act]}, **both}
            yield f"{name}, cookie", {"acts": {"cookie": [act]}, "cold": True, **both}


def _sequences() -> Iterator[tuple[str, dict[str, object]]]:
    act = {name: act for name, (act, _) in mb.TRANSPORT.items()} | {"healthy": mb.healthy}
    lines = (
        "500 HTML, 500 HTML, 429, 429, healthy",
        "502 HTML, 503 right back, healthy",
        "JSON cut at 10%, healthy",
        "JSON cut at 99%, short body, healthy",
        "drip, reset, healthy",
        "stall in body, 200 HTML, healthy",
        "closed, 401 crumb, healthy",
        "cut gzip, 200 empty, healthy",
        "200 server error, reset in body, healthy",
        "reset, closed, healthy",
    )
    for line in lines:
        for cold in (False, True):
            both = {"cold": cold, "timeout": 0.8 if "drip" in line or "stall" in line else 1.5}
            yield line, {"acts": {"prices": [act[w] for w in line.split(", ")]}, **both}
    for line, kinds in (
        ("reset, closed, 502 HTML", mb.BAD),
        ("500 HTML, reset", mb.NETWORK),
        ("closed, 404 gone", {"not_found"}),
    ):
        yield line, {"acts": {"prices": [act[w] for w in line.split(", ")]}, "kinds": kinds}


def _figures() -> Iterator[tuple[str, dict[str, object]]]:
    for number, (name, (change, kinds)) in enumerate(WRONG.items()):
        both = {"change": change, "kinds": kinds, "attempts": 2}
        yield name, both
        if number % 2:
            yield f"{name}, cold", {**both, "cold": True}
        else:
            yield f"{name}, third of three", {**both, "count": 3, "at": 2}
    for name, change in HARMLESS.items():
        for seed in range(2):
            yield f"{name}, {seed}", {"change": change, "without_volume": name == "no volume"}


def totals(outcomes: list[Outcome]) -> dict[str, int]:
    """How often each thing went wrong that must not."""
    words = ("wrong table", "hang", "untyped", "leftover", "other kind", "client log", "secret")
    return {w: sum(any(f.startswith(w) for f in o.faults) for o in outcomes) for w in words}


def as_text(outcomes: list[Outcome]) -> str:
    """The table of all cases, and the totals."""
    rows = [
        f"{o.case.name:58s} {'cold' if o.case.cold else 'warm'}  {len(o.case.truths)}  {o.end:18s} {o.tries:2d} {o.seconds:6.2f}"
        + "".join(f"\n    {f}" for f in o.faults)
        for o in outcomes
    ]
    return "\n".join([*rows, "", json.dumps({"cases": len(outcomes), **totals(outcomes)})])
