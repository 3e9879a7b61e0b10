"""How long a fetch may take, in what rhythm it asks, and what it leaves on the disk and in the log."""

from __future__ import annotations

import stat
import threading
import time
import traceback
from urllib.parse import urlsplit

import misbehaviour as mb
import pandas as pd
import pytest
import replay
import requests
from curl_cffi.requests import Session

from eventstudy.errors import DataMissing, SourceFailed
from eventstudy.sources.yahoo.client import LARGEST_BODY, RetryPolicy, Timing, Worker, request_limited
from eventstudy.sources.yahoo.failures import Refused
from eventstudy.sources.yahoo.fetch import fetch_yahoo

pytestmark = pytest.mark.faults

TRUTH = replay.Truth("LIMITS", 3)


@pytest.fixture
def server(client_folder):
    with replay.ReplayServer() as running:
        yield running


@pytest.fixture
def fetch(server, tmp_path):
    def call(case, *, session=None, tickers=None, **options):
        server.play(case)
        replay._forget_client(case)
        asked = [t.symbol for t in case.truths] if tickers is None else tickers
        with server.session() as own:
            settings = {"timeout": 2.0, "pause": 0.0, "cache_dir": tmp_path / "cache"} | options
            began = time.monotonic()
            try:
                return fetch_yahoo(asked, replay.START, replay.END, session=session or own, **settings)
            finally:
                call.seconds = time.monotonic() - began

    return call


def case_of(*acts, truths=(TRUTH,), **more):
    return replay.Case("a case", truths, {truths[-1].symbol: list(acts)} if acts else {}, **more)


def direct(host_port, kind=requests.Session):
    """A session of another library, or to another place."""

    class Directed(kind):
        def request(self, method, url, **options):
            parts = urlsplit(url)
            query = f"?{parts.query}" if parts.query else ""
            return super().request(method, f"http://{host_port}/{parts.netloc}{parts.path}{query}", **options)

    return Directed()


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now, self.waits = 0.0, []

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds

    def timing(self, chance=0.0):
        return Timing(clock=lambda: self.now, sleep=self.sleep, chance=lambda: chance)


@pytest.mark.parametrize("act", [mb.drip, mb.drip_headers, mb.stall_in_body], ids=["drip", "headers", "stall"])
def test_a_ten_minute_drip_ends_at_the_limit_of_the_ticker(act, fetch):
    with pytest.raises(SourceFailed) as caught:
        fetch(case_of(act), timeout=60.0, ticker_limit=0.7)
    assert fetch.seconds < 4.0  # the limit, the grace, and a slow machine
    assert caught.value.facts["kind"] == "deadline"
    assert "ticker_limit" in str(caught.value)


def test_a_drip_on_cookie_and_crumb_ends_at_the_limit_too(fetch):
    case = replay.Case("slow cookie", (TRUTH,), {"cookie": [mb.drip], "crumb": [mb.drip]})
    with pytest.raises(SourceFailed):
        fetch(case, timeout=60.0, ticker_limit=0.7)  # the client itself would give each of them 30 s
    assert fetch.seconds < 4.0  # the limit, the grace, and a slow machine


def test_a_library_whose_time_out_starts_anew_with_every_byte_is_left_behind(server, fetch):
    over = threading.Event()

    def drip(handler, body):
        mb.send(handler, 200, b"", Content_Length="1000000")
        while not over.wait(0.05):
            handler.wfile.write(b" ")
        mb.hang_up(handler)

    try:
        with direct(f"127.0.0.1:{server.port}") as session:
            with pytest.raises(SourceFailed, match="no end to the answer") as caught:
                fetch(case_of(drip), session=session, timeout=1.0, ticker_limit=1.0)
            assert fetch.seconds < 5.0
            assert caught.value.facts["kind"] == "deadline"
            with pytest.raises(SourceFailed, match="another fetch of this process"):
                fetch(case_of(), ticker_limit=0.2)
            over.set()
            assert len(fetch(case_of(), ticker_limit=20.0).dates) > 70
    finally:
        over.set()


def test_the_whole_fetch_has_a_limit_over_many_tickers(fetch):
    clock = FakeTime()
    truths = tuple(replay.Truth(f"MANY{i}", i) for i in range(6))
    with pytest.raises(SourceFailed, match="MANY3") as caught:
        fetch(case_of(truths=truths), pause=4.0, deadline=11.0, timing=clock.timing())
    assert caught.value.facts["kind"] == "deadline"
    assert clock.waits == [4.0, 4.0, 4.0]


def test_waits_double_and_chance_makes_them_longer_by_half_at_most(fetch):
    waits = {}
    for chance in (0.0, 1.0):
        clock = FakeTime()
        with pytest.raises(SourceFailed, match="after 4 tries"):
            fetch(case_of(mb.plain(502)), pause=1.0, attempts=4, timing=clock.timing(chance))
        waits[chance] = clock.waits
    assert waits == {0.0: [1.0, 2.0, 4.0], 1.0: [1.5, 3.0, 6.0]}
    drawn = {RetryPolicy().wait(1, "network") for _ in range(20)}
    assert len(drawn) > 10
    assert all(1.0 <= wait <= 1.5 for wait in drawn)


def test_a_server_that_says_how_long_is_heeded(fetch):
    clock = FakeTime()
    act = mb.plain(503, b"", Retry_After="17")
    assert len(fetch(case_of(act, act, mb.healthy), pause=1.0, timing=clock.timing()).dates) > 70
    assert clock.waits == [17.0]


def test_retries_are_logged_without_cookie_or_crumb(fetch, caplog):
    with caplog.at_level("DEBUG"):
        fetch(case_of(mb.cut(0.5), mb.healthy))
    mine = [r.getMessage() for r in caplog.records if r.name == "eventstudy.sources"]
    assert len(mine) == 1
    assert mine[0].startswith("LIMITS: try 1 of 3 failed (bad_response: ")
    assert replay.CRUMB not in caplog.text
    assert replay.COOKIE not in caplog.text


def test_an_error_holds_no_crumb_even_where_the_library_puts_the_address_into_its_message(server, fetch, caplog):
    with direct(f"127.0.0.1:{server.port}") as session, pytest.raises(SourceFailed) as caught:
        fetch(case_of(mb.reset), session=session)
    text = "".join(traceback.format_exception(caught.value)) + repr(caught.value.facts) + caplog.text
    assert caught.value.facts["kind"] == "network"
    assert replay.CRUMB not in text
    assert caught.value.__cause__ is None is caught.value.__context__


def test_no_such_host_is_a_network_failure(fetch):
    with direct("no-such-host.invalid", Session) as session, pytest.raises(SourceFailed) as caught:
        fetch(case_of(), session=session, attempts=2)
    assert caught.value.facts["kind"] == "network"
    assert caught.value.facts["tries"] == 2


@pytest.mark.parametrize("act", [mb.bomb, mb.endless], ids=["packed", "plain"])
@pytest.mark.parametrize("library", ["curl_cffi", "requests", "another"])
def test_a_body_is_read_up_to_a_limit_by_every_library(act, library, server, fetch, monkeypatch):
    largest = []
    if library == "another":

        class Other:
            def request(self, method, url, **options):
                return type("Response", (), {"content": b" " * (LARGEST_BODY + 1)})()

        with pytest.raises(Refused, match="longer than 16 MB"):
            request_limited(Other(), Other().request, "GET", "http://nowhere", {})
        return
    monkeypatch.setattr("eventstudy.sources.yahoo.client.bytes", lambda b: largest.append(len(b)) or b"", raising=False)
    kind = requests.Session if library == "requests" else Session
    with direct(f"127.0.0.1:{server.port}", kind) as session, pytest.raises(SourceFailed, match="16 MB") as caught:
        fetch(case_of(act), session=session, attempts=1)
    assert caught.value.facts["kind"] == "bad_response"
    assert max(largest, default=0) < 1000  # cookie and crumb only


def test_the_largest_body_allowed_is_read_whole(fetch):
    def padded(handler, body):
        mb.send(handler, 200, body + b" " * (LARGEST_BODY - len(body)))

    assert len(fetch(case_of(padded), attempts=1).dates) > 70


@pytest.mark.parametrize(("told", "waits"), [("nan", [1.0]), ("-5", [1.0]), ("soon", [1.0]), ("2.5", [2.5])])
def test_an_odd_wish_to_wait_is_no_number_of_seconds(told, waits, fetch):
    clock = FakeTime()
    act = mb.plain(503, b"", Retry_After=told)
    fetch(case_of(act, act, mb.healthy), pause=1.0, timing=clock.timing())
    assert clock.waits == waits


@pytest.mark.parametrize("told", ["1e308", "inf", "9" * 400])
def test_a_wish_to_wait_for_ever_is_refused_in_words(told, fetch):
    clock = FakeTime()
    with pytest.raises(SourceFailed, match="more than a day to wait") as caught:
        fetch(
            case_of(mb.plain(429, b"", Retry_After=told)),
            ticker_limit=float("inf"),
            deadline=float("inf"),
            timing=clock.timing(),
        )
    assert caught.value.facts["kind"] == "rate_limited"
    assert clock.waits == []


def test_kept_downloads_are_private(fetch, tmp_path):
    fetch(case_of())
    files = list((tmp_path / "cache").iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_the_client_stores_no_cookie(client_folder):
    from yfinance import cache

    cache.get_cookie_cache().store("curlCffi", {"yahoo.com": "c00kie"})
    assert cache.get_cookie_cache().lookup("curlCffi") is None
    assert not any(b"c00kie" in p.read_bytes() for p in client_folder.rglob("*") if p.is_file())


def test_reuse_false_asks_anew_and_renews_what_is_kept(server, fetch):
    fetch(case_of())
    server.used.clear()
    assert fetch(case_of(mb.plain(404, mb.GONE))).tickers == ("LIMITS",)  # the kept one answers
    assert server.used == {}
    with pytest.raises(DataMissing):
        fetch(case_of(mb.plain(404, mb.GONE)), reuse=False)
    assert len(fetch(case_of(), reuse=False).dates) > 70
    assert server.used["LIMITS"] == 1


def test_exchanges_without_a_calendar_are_held_against_each_other(fetch):
    truths = tuple(replay.Truth(f"ODD{i}", i) for i in range(3))

    def odd(parts, at):
        parts.meta |= {"exchangeName": "ODD", "instrumentType": "FUTURE"}  # a share would have the calendar of its zone

    def lacking(parts, at):
        odd(parts, at)
        parts.drop(slice(at, at + 1))

    changes = {"ODD0": odd, "ODD1": lacking, "ODD2": odd}
    lost = truths[1].table().index[truths[1].place]
    with pytest.raises(ValueError, match=rf"ODD1 .* other tickers of ODD have prices on {lost:%Y-%m-%d}"):
        fetch(case_of(truths=truths, changes=changes))
    prices = fetch(case_of(truths=truths, changes=changes), accept=["missing_sessions"])
    assert list(prices.dates[prices.close["ODD1"].isna()]) == [pd.Timestamp(lost)]


def test_a_worker_hands_on_values_and_errors():
    worker = Worker()
    assert worker.call(lambda: 5, 1.0) == 5
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 // 0, 1.0)
    worker.stop()
