"""What a server can do wrong: at the socket, in the status, in the figures."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable
from functools import lru_cache
from http.server import BaseHTTPRequestHandler

import numpy as np

Act = Callable[[BaseHTTPRequestHandler, bytes], None]
Chart = dict[str, object]

HTML = b"<html><head><title>Oops</title></head><body>Something went wrong</body></html>"
SERVER_ERROR = b'{"chart":{"result":null,"error":{"code":"Internal Server Error","description":"Server error"}}}'
UNAUTHORIZED = b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}'
GONE = b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}'


DEEP = b"[" * 200_000


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **given}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def plain(status: int, body: bytes = HTML, **headers: str) -> Act:
    return lambda handler, _: send(handler, status, body, **headers)


def healthy(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    send(handler, 200, body)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def closed(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    hang_up(handler)


def reset(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _begin(handler: BaseHTTPRequestHandler, body: bytes, part: float) -> None:
    send(handler, 200, b"", Content_Length=str(len(body)))
    handler.wfile.write(body[: int(len(body) * part)])
    handler.wfile.flush()


def short_body(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    _begin(handler, body, 0.6)
    hang_up(handler)


def reset_in_body(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    _begin(handler, body, 0.6)
    reset(handler, body)


def _until_left(handler: BaseHTTPRequestHandler, piece: bytes, pause: float, longest: float) -> None:
    """Send a piece again and again until the other side has gone."""
    ends = time.monotonic() + longest
    handler.close_connection = True
    try:
        while time.monotonic() < ends:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)
    except OSError:
        return


def stall(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    _until_left(handler, b"", 0.05, 3.0)


def stall_in_body(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    _begin(handler, body, 0.5)
    _until_left(handler, b"", 0.05, 3.0)


def drip(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """A byte now and then, for ten minutes if nobody leaves."""
    send(handler, 200, b"", Content_Length="1000000")
    _until_left(handler, b" ", 0.05, 600.0)


def drip_headers(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _until_left(handler, b"x", 0.05, 600.0)


def cut_gzip(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    packed = gzip.compress(body)
    send(handler, 200, packed[: len(packed) // 2], Content_Encoding="gzip")


def no_gzip(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    send(handler, 200, body, Content_Encoding="gzip")


def not_http(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"\x00\x01\x02 not HTTP at all\r\n\r\n")
    hang_up(handler)


def cut_chunks(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + body[:100])
    hang_up(handler)


@lru_cache(maxsize=1)
def _packed_blanks() -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    megabyte = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    head = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return head + 300 * megabyte + b"\x03\x00" + bytes(8)


def bomb(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """Three hundred megabytes in little more than 300 kB."""
    handler.close_connection = True
    send(handler, 200, _packed_blanks(), Content_Encoding="gzip")


def endless(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """A gigabyte by its own account, sent as it is."""
    send(handler, 200, b"", Content_Length=str(2**30))
    _until_left(handler, b" " * 2**18, 0.0, 30.0)


def cut(part: float) -> Act:
    return lambda handler, body: send(handler, 200, body[: int(len(body) * part)])


NETWORK, BAD = {"network"}, {"bad_response"}
TRANSPORT: dict[str, tuple[Act, set[str]]] = {
    "429": (plain(429, b"Too Many Requests"), {"rate_limited"}),
    "429 retry-after 1h": (plain(429, b"Too Many Requests", Retry_After="3600"), {"rate_limited"}),
    "429 retry-after nan": (plain(429, b"Too Many Requests", Retry_After="nan"), {"rate_limited"}),
    "429 retry-after 1e308": (plain(429, b"Too Many Requests", Retry_After="1e308"), {"rate_limited"}),
    "401 crumb": (plain(401, UNAUTHORIZED), BAD),
    "403 HTML": (plain(403), BAD),
    "500 HTML": (plain(500), BAD),
    "500 JSON": (plain(500, SERVER_ERROR), BAD),
    "502 HTML": (plain(502), BAD),
    "503 right back": (plain(503, b"<html>Will be right back</html>"), BAD),
    "504 empty": (plain(504, b""), BAD),
    "200 right back": (plain(200, b"<html>Will be right back</html>"), BAD),
    "200 HTML": (plain(200), BAD),
    "200 empty": (plain(200, b""), BAD),
    "200 null": (plain(200, b"null"), {"schema_changed"}),
    "200 list": (plain(200, b"[1, 2]"), {"schema_changed"}),
    "200 nested deeply": (plain(200, DEEP), BAD),
    "200 unpacks to 300 MB": (bomb, BAD),
    "200 a gigabyte": (endless, BAD),
    "200 server error": (plain(200, SERVER_ERROR), BAD),
    "404 HTML": (plain(404), BAD),
    "404 gone": (plain(404, GONE), {"not_found"}),
    "JSON cut at 10%": (cut(0.1), BAD),
    "JSON cut at 99%": (cut(0.99), BAD),
    "closed": (closed, NETWORK),
    "reset": (reset, NETWORK),
    "short body": (short_body, NETWORK),
    "reset in body": (reset_in_body, NETWORK),
    "cut gzip": (cut_gzip, NETWORK | BAD),
    "no gzip": (no_gzip, NETWORK | BAD),
    "cut chunks": (cut_chunks, NETWORK),
    "not HTTP": (not_http, NETWORK),
    "stall": (stall, NETWORK),
    "stall in body": (stall_in_body, NETWORK),
    "drip": (drip, NETWORK),
    "drip in headers": (drip_headers, NETWORK),
}


class Parts:
    """The parts of a chart answer, within reach."""

    def __init__(self, chart: Chart) -> None:
        self.chart = json.loads(json.dumps(chart))  # no two columns are one object
        self.result = self.chart["chart"]["result"][0]
        self.meta, self.stamps = self.result["meta"], self.result["timestamp"]
        self.quote = self.result["indicators"]["quote"][0]
        self.adj = self.result["indicators"]["adjclose"][0]["adjclose"]
        self.columns = [*self.quote.values(), self.adj]
        self.prices = [self.quote[c] for c in ("open", "high", "low", "close")]

    def scale(self, rows: slice, factor: float, adjusted: bool = True) -> None:
        for column in [*self.prices, *([self.adj] if adjusted else [])]:
            column[rows] = [v * factor for v in column[rows]]

    def put(self, row: int, value: float | None) -> None:
        for column in [*self.prices, self.adj]:
            column[row] = value

    def drop(self, rows: slice) -> None:
        for column in [self.stamps, *self.columns]:
            del column[rows]

    def repeat(self, row: int, factor: float = 1.0, later: int = 0) -> None:
        """A row once more, right behind itself."""
        at = row % len(self.stamps)
        self.stamps.insert(at + 1, self.stamps[at] + later)
        for column in self.columns:
            volume = column is self.quote["volume"]
            column.insert(at + 1, column[at] * (1.0 if volume else factor))

    def insert_day(self, stamp: int, factor: float, volume: float) -> None:
        at = next(i for i, s in enumerate(self.stamps) if s > stamp)
        self.stamps.insert(at, stamp)
        for column in self.columns:
            column.insert(at, column[at - 1] * factor)
        self.quote["volume"][at] = volume

    def reorder(self, order: np.ndarray) -> None:
        for column in [self.stamps, *self.columns]:
            column[:] = [column[i] for i in order]

    def body(self) -> bytes:
        return json.dumps(self.chart).encode()
