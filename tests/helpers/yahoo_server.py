"""A loopback server that answers as Yahoo's chart service does, and a session that leads the client to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
from curl_cffi.requests import Session

ZONE = "America/New_York"
Answer = tuple[int, bytes]
Act = Callable[[BaseHTTPRequestHandler], None]


def bars(first: str, closes: list[float]) -> pd.DataFrame:
    """Weekday bars with the given closes, adjusted closes alike."""
    days = pd.bdate_range(first, periods=len(closes))
    values = np.asarray(closes, dtype=float)
    return pd.DataFrame({"close": values, "adjclose": values, "volume": 1_000_000.0}, index=days)


def _plain(values: pd.Series) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]


def chart(
    symbol: str,
    table: pd.DataFrame,
    dividends: dict[str, float] | None = None,
    splits: dict[str, tuple[int, int]] | None = None,
    now: str = "2025-06-30 16:00:01",
    zone: str = ZONE,
    more: dict[str, object] | None = None,
) -> dict[str, object]:
    """The JSON of a chart answer."""
    opens = [_stamp(d, zone) for d in table.index]
    moment = pd.Timestamp(now, tz=zone)
    period = {
        "timezone": "EST",
        "gmtoffset": -18000,
        "start": int((moment.normalize() + pd.Timedelta(hours=9.5)).timestamp()),
        "end": int((moment.normalize() + pd.Timedelta(hours=16)).timestamp()),
    }
    meta = {
        "symbol": symbol,
        "currency": "USD",
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": zone,
        "regularMarketTime": int(moment.timestamp()),
        "priceHint": 2,
        "validRanges": ["1d", "5d", "max"],
        "dataGranularity": "1d",
        "currentTradingPeriod": {"regular": period, "pre": dict(period), "post": dict(period)},
        **(more or {}),
    }
    close = _plain(table["close"])
    quote = {"open": close, "high": close, "low": close, "close": close, "volume": _plain(table["volume"])}
    result: dict[str, object] = {"meta": meta, "timestamp": opens, "indicators": {"quote": [quote]}}
    if "adjclose" in table:
        result["indicators"] = {"quote": [quote], "adjclose": [{"adjclose": _plain(table["adjclose"])}]}
    result["events"] = _events(dividends or {}, splits or {}, zone)
    return {"chart": {"result": [result], "error": None}}


def _stamp(day: object, zone: str) -> int:
    return int((pd.Timestamp(day).tz_localize(zone) + pd.Timedelta(hours=9.5)).timestamp())


def _events(dividends: dict[str, float], splits: dict[str, tuple[int, int]], zone: str) -> dict[str, object]:
    events: dict[str, dict[str, object]] = {}
    for day, amount in dividends.items():
        stamp = _stamp(day, zone)
        events.setdefault("dividends", {})[str(stamp)] = {"amount": amount, "date": stamp}
    for day, (new, old) in splits.items():
        stamp = _stamp(day, zone)
        events.setdefault("splits", {})[str(stamp)] = {
            "date": stamp,
            "numerator": new,
            "denominator": old,
            "splitRatio": f"{new}:{old}",
        }
    return dict(events)


def answer(content: dict[str, object], status: int = 200) -> Answer:
    return status, json.dumps(content).encode()


UNKNOWN = answer(
    {
        "chart": {
            "result": None,
            "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"},
        }
    },
    404,
)


class YahooServer:
    """Answers by symbol; counts what it was asked.

    ``answers[symbol]`` is an answer, or a function from the number of the price request (from 1) to one.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[int], Answer]] = {}
        self.serves_zone = True
        self.asked: list[str] = []
        self.price_requests: dict[str, int] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body go out in two writes

            def do_GET(self) -> None:
                given = server.reply(self.path)
                if callable(given):  # it misbehaves by itself
                    given(self)
                    return
                status, body = given
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    def reply(self, path: str) -> Answer | Act:
        self.asked.append(path)
        parts = urlsplit(path)
        if parts.path.endswith("/getcrumb"):
            return 200, b"crumb"
        if "/v8/finance/chart/" not in parts.path:
            return (404, b"{}") if "quoteSummary" in parts.path or "/v7/" in parts.path else (200, b"")
        symbol = parts.path.rsplit("/", 1)[1].replace("%5E", "^")
        given = self.answers.get(symbol, UNKNOWN)
        if (
            "range" in parse_qs(parts.query) and given != UNKNOWN and self.serves_zone
        ):  # the client looks up the time zone
            return answer(chart(symbol, bars("2025-01-02", [1.0])))
        count = self.price_requests[symbol] = self.price_requests.get(symbol, 0) + 1
        return given(count) if callable(given) else given

    def session(self) -> Session:
        port = self.port

        class Redirected(Session):
            def request(self, method: str, url: str, **options: object) -> object:
                parts = urlsplit(url)
                query = f"?{parts.query}" if parts.query else ""
                return super().request(method, f"http://127.0.0.1:{port}/{parts.netloc}{parts.path}{query}", **options)

        return Redirected()

    def __enter__(self) -> YahooServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
