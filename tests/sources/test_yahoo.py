"""The Yahoo loader against a loopback server, with the real client in between."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yahoo_server as ys

from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, InvalidInput, SourceFailed
from eventstudy.sources import load_prices
from eventstudy.sources.yahoo import fetch as yahoo
from eventstudy.sources.yahoo.client import Timing
from eventstudy.sources.yahoo.failures import FAILURE_KINDS
from eventstudy.sources.yahoo.fetch import fetch_yahoo

pytestmark = pytest.mark.faults

START, END = "2025-01-21", "2025-01-31"
CLOSES = [101.0, 99.5, 102.0, 103.0, 95.0, 97.0, 98.0, 99.0, 98.5]


@pytest.fixture
def fetch(server, tmp_path):
    session = server.session()

    def call(tickers, start=START, end=END, **options):
        settings = {
            "session": session,
            "cache_dir": tmp_path / "cache",
            "timeout": 5.0,
            "pause": 0.0,
        } | options
        return fetch_yahoo(tickers, start, end, **settings)

    yield call
    session.close()


def healthy(symbol="AAA", closes=CLOSES, **options):
    return ys.answer(ys.chart(symbol, ys.bars(START, list(closes)), **options))


def kept_files(tmp_path):
    return sorted(p.name for p in (tmp_path / "cache").glob("*.*")) if (tmp_path / "cache").exists() else []


def test_several_tickers_with_split_and_dividend(server, fetch):
    table = ys.bars(START, CLOSES)
    table["adjclose"] = table["close"] * np.where(table.index < "2025-01-27", 0.99, 1.0)
    server.answers = {
        "AAA": ys.answer(ys.chart("AAA", table, {"2025-01-27": 1.03}, {"2025-01-23": (2, 1)})),
        "^IDX": healthy("^IDX"),
    }
    seen = []
    prices = fetch(["AAA", "^IDX", "AAA"], on_ticker=lambda t, i, n: seen.append((t, i, n)))
    assert seen == [("AAA", 1, 2), ("^IDX", 2, 2)]
    assert prices.tickers == ("AAA", "^IDX")
    assert list(prices.close["AAA"]) == CLOSES
    np.testing.assert_allclose(prices.adj_close["AAA"], table["adjclose"])
    assert prices.dates[0] == pd.Timestamp(START)
    assert prices.dates[-1] == pd.Timestamp(END)  # the last day is included
    assert prices.dates.tz is None
    assert prices.volume.loc["2025-01-27", "AAA"] == 1_000_000
    assert prices.currency == {"AAA": "USD", "^IDX": "USD"}
    assert prices.provenance.source == "yahoo"
    assert len(prices.provenance.digest) == 64
    assert any("adjusted for splits" in c for c in prices.provenance.cautions)


FAILURES = {
    "rate limit": ((429, b"Too Many Requests"), SourceFailed, "rate_limited", "wait some minutes"),
    "server error": ((500, b"<html>oops</html>"), SourceFailed, "bad_response", "try again later"),
    "cut JSON": ((200, healthy()[1][:200]), SourceFailed, "bad_response", "cut"),
    "empty body": ((200, b""), SourceFailed, "bad_response", "cut"),
    "server error in JSON": (
        ys.answer({"chart": {"result": None, "error": {"code": "x", "description": "Internal Server Error"}}}, 500),
        SourceFailed,
        "bad_response",
        "try again later",
    ),
    "no result": (ys.answer({"chart": {"result": [], "error": None}}), DataMissing, "empty", "no bars"),
    "other symbol": (healthy("BBB"), SourceFailed, "wrong_instrument", "BBB"),
    "last day empty": (
        healthy(closes=[*CLOSES[:-1], float("nan")]),
        SourceFailed,
        "early_end",
        "last complete day is 2025-01-30",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failure_names_ticker_range_cause_and_remedy(name, server, fetch, tmp_path):
    reply, error, kind, words = FAILURES[name]
    server.answers = {"AAA": reply}
    with pytest.raises(error, match=words) as caught:
        fetch("AAA", attempts=2)
    message = str(caught.value)
    assert caught.value.facts["kind"] == kind
    assert "AAA" in message
    assert START in message
    assert END in message
    assert "delisted" not in message
    assert FAILURE_KINDS[kind].advice in message
    assert kept_files(tmp_path) == []


def test_unknown_symbol(server, fetch):
    with pytest.raises(DataMissing, match="Check the symbol") as caught:
        fetch("NOPE")
    assert caught.value.facts["kind"] == "not_found"


def test_unknown_symbol_whose_zone_is_known(server, fetch):
    server.answers = {"GONE": lambda _: ys.UNKNOWN}
    with pytest.raises(DataMissing) as caught:
        fetch("GONE")
    assert caught.value.facts["kind"] == "not_found"


@pytest.mark.parametrize("name", ["rate limit", "server error", "server error in JSON", "cut JSON"])
def test_failure_at_the_first_look_is_not_called_unknown(name, server, fetch):
    server.serves_zone = False
    reply, error, kind, _ = FAILURES[name]
    symbol = f"COLD{len(name)}"
    server.answers = {symbol: reply}
    with pytest.raises(error) as caught:
        fetch(symbol, attempts=2)
    assert caught.value.facts["kind"] == kind


def test_missing_field_is_a_changed_answer(server, fetch):
    content = ys.chart("AAA", ys.bars(START, CLOSES))
    del content["chart"]["result"][0]["meta"]["currency"]
    server.answers = {"AAA": ys.answer(content)}
    with pytest.raises(SourceFailed) as caught:
        fetch("AAA")
    assert caught.value.facts["kind"] == "schema_changed"


def test_connection_refused(server, fetch):
    server.stop()
    with pytest.raises(SourceFailed, match="network") as caught:
        fetch("AAA", attempts=2)
    assert caught.value.facts["kind"] == "network"


def test_bad_answer_is_asked_for_again(server, fetch):
    server.answers = {"AAA": lambda count: (200, b"{") if count == 1 else healthy()}
    assert len(fetch("AAA").dates) == len(CLOSES)
    assert server.price_requests == {"AAA": 2}


def test_refusal_is_waited_out_much_longer(server, fetch):
    waits = []
    server.answers = {"AAA": (429, b"Too Many Requests")}
    with pytest.raises(SourceFailed):
        fetch("AAA", pause=1.0, ticker_limit=1000.0, timing=Timing(sleep=waits.append, chance=lambda: 0.5))
    assert waits == [37.5, 75.0]
    assert server.price_requests == {"AAA": 6}  # the client's own repeat, three times


def test_a_wait_that_the_limit_does_not_allow_ends_the_fetch(server, fetch):
    waits = []
    server.answers = {"AAA": (429, b"Too Many Requests")}
    with pytest.raises(SourceFailed, match="no time left for the 30 s") as caught:
        fetch("AAA", pause=1.0, ticker_limit=20.0, timing=Timing(sleep=waits.append, chance=lambda: 0.0))
    assert waits == []
    assert caught.value.facts["kind"] == "rate_limited"
    assert server.price_requests == {"AAA": 2}


def test_one_failing_ticker_fails_the_fetch_and_keeps_nothing(server, fetch, tmp_path):
    server.answers = {"AAA": healthy(), "BBB": (200, b"{"), "CCC": healthy("CCC")}
    with pytest.raises(SourceFailed, match="BBB"):
        fetch(["AAA", "BBB", "CCC"], attempts=1)
    assert kept_files(tmp_path) == []


def test_second_fetch_asks_nothing(server, fetch, tmp_path):
    server.answers = {"AAA": healthy()}
    first = fetch("AAA")
    asked = len(server.asked)
    second = fetch("AAA")
    assert len(server.asked) == asked
    assert len(kept_files(tmp_path)) == 2
    pd.testing.assert_frame_equal(first.adj_close, second.adj_close)
    assert first.provenance == second.provenance


def test_damaged_cache_entry_is_fetched_again(server, fetch, tmp_path):
    server.answers = {"AAA": healthy()}
    fetch("AAA")
    (entry,) = (tmp_path / "cache").glob("*.csv")
    entry.write_bytes(entry.read_bytes().replace(b"95.0", b"59.0"))
    assert fetch("AAA").close.loc["2025-01-27", "AAA"] == 95.0
    assert b"59.0" not in entry.read_bytes()


def test_range_up_to_today_is_not_kept(server, fetch, tmp_path, monkeypatch):
    monkeypatch.setattr(yahoo, "_now", lambda: pd.Timestamp("2025-01-31 15:00", tz="UTC"))
    server.answers = {"AAA": healthy(now="2025-01-31 10:00:00")}
    prices = fetch("AAA", end=None)
    assert prices.dates[-1] == pd.Timestamp("2025-01-30")
    assert any("2025-01-31 was not over" in c for c in prices.provenance.cautions)
    assert kept_files(tmp_path) == []


@pytest.mark.parametrize(("now", "last"), [("2025-01-31 21:10", "2025-01-30"), ("2025-01-31 22:00", "2025-01-31")])
def test_today_counts_half_an_hour_after_its_close(now, last, server, fetch, monkeypatch):
    monkeypatch.setattr(yahoo, "_now", lambda: pd.Timestamp(now, tz="UTC"))
    server.answers = {"AAA": healthy(now="2025-01-31 16:00:01")}
    assert fetch("AAA", end="2025-01-31").dates[-1] == pd.Timestamp(last)


@pytest.mark.parametrize(
    ("lacking", "now", "end", "kind", "code"),
    [
        (2, "2025-01-31 11:00", None, "early_end", 4),  # yesterday's bar
        (1, "2025-02-03 12:00", "2025-01-31", "early_end", 4),  # Friday's, on Monday
        (3, "2025-01-31 11:00", None, "early_end", 4),
        (4, "2025-01-31 11:00", None, "missing_sessions", 3),  # three sessions: it does not come late, it does not come
        (2, "2025-03-31 11:00", END, "missing_sessions", 3),  # two months later
    ],
)
def test_a_missing_last_bar_is_asked_for_again_later_and_no_older_one(
    lacking, now, end, kind, code, server, fetch, monkeypatch
):
    monkeypatch.setattr(yahoo, "_now", lambda: pd.Timestamp(now, tz="UTC"))
    server.answers = {"AAA": healthy(closes=CLOSES[:-lacking], now=now)}
    with pytest.raises(EventStudyError, match=r"2025-01-(30|31)") as caught:
        fetch("AAA", end=end)
    assert (caught.value.facts["kind"], caught.value.EXIT_CODE) == (kind, code)
    accepted = fetch("AAA", end=end, accept=[kind])
    assert accepted.dates[-1] == pd.bdate_range(START, periods=len(CLOSES))[-lacking - 1]


@pytest.mark.parametrize(
    ("name", "zone"),
    [("ZZZ", "America/New_York"), ("STU", "Europe/Berlin"), ("AQS", "Europe/Paris"), ("NEW", "Asia/Seoul")],
)
def test_a_share_of_an_exchange_of_unknown_name_has_the_sessions_of_its_zone(name, zone, server, fetch):
    table = ys.bars("2025-03-10", CLOSES)
    more = {"exchangeName": name}
    server.answers = {"AAA": ys.answer(ys.chart("AAA", table, zone=zone, more=more))}
    assert len(fetch("AAA", "2025-03-10", "2025-03-20").dates) == 9
    hole = table.drop(table.index[4])
    server.answers = {"AAA": ys.answer(ys.chart("AAA", hole, zone=zone, more=more))}
    with pytest.raises(DataUnfit, match=f"1 of 9 sessions are missing: {table.index[4]:%Y-%m-%d}"):
        fetch("AAA", "2025-03-10", "2025-03-20", reuse=False)


@pytest.mark.parametrize(("name", "code"), [("other symbol", 3), ("rate limit", 4), ("cut JSON", 4), ("no result", 3)])
def test_what_asking_again_would_not_mend_needs_a_person(name, code, server, fetch):
    server.answers = {"AAA": FAILURES[name][0]}
    with pytest.raises(EventStudyError) as caught:
        fetch("AAA", attempts=1)
    assert code == caught.value.EXIT_CODE


def test_a_changed_answer_and_a_client_that_is_not_there_need_a_person():
    assert [FAILURE_KINDS[kind].error.EXIT_CODE for kind in ("schema_changed", "no_client")] == [3, 3]


@pytest.mark.parametrize("words", ["gone\x1b[2J\x9b31m", "gone\u202eenog"])
def test_what_yahoo_says_steers_no_terminal(words, server, fetch, caplog):
    said = {"chart": {"result": None, "error": {"code": "x", "description": words}}}
    server.answers = {
        "AAA": ys.answer(said, 500),
        "BBB": healthy(f"X{words}"),
        "CCC": healthy("CCC", more={"currency": words}),
    }
    for ticker in server.answers:
        with pytest.raises(EventStudyError) as caught:
            fetch(ticker, attempts=2)
        text = str(caught.value) + str(caught.value.facts) + caplog.text
        assert not {"\x1b", "\x9b", "\u202e"} & set(text)
        assert "\\u" in str(caught.value) or "\\x" in str(caught.value)


HIDDEN = "s3cr3t"
MALFORMED = [
    f"http://me:{HIDDEN}@127.0.0.1:port",
    f"http://me:{HIDDEN}:127.0.0.1:9",
    f"http:/me:{HIDDEN}@127.0.0.1:9",
    f"me:{HIDDEN}/x@127.0.0.1:9",
    f"http://me:{HIDDEN}/@127.0.0.1:9",
    f"http://me:{HIDDEN} x@127.0.0.1:9",
    f"ftp//{HIDDEN}@127.0.0.1:9",
    f"http://me:{HIDDEN}",
]


@pytest.mark.parametrize("address", MALFORMED)
@pytest.mark.parametrize("given", ["session", "environment"])
def test_a_malformed_proxy_address_keeps_its_password(address, given, client_folder, tmp_path, monkeypatch, caplog):
    from curl_cffi.requests import Session

    if given == "environment":
        monkeypatch.setenv("HTTPS_PROXY", address)
        monkeypatch.setenv("https_proxy", address)
    session = Session(proxies={"https": address}) if given == "session" else Session()
    with session, pytest.raises(SourceFailed) as caught:
        fetch_yahoo("AAA", START, END, session=session, cache_dir=tmp_path, pause=0.0, attempts=2, timeout=2.0)
    text = str(caught.value) + str(caught.value.facts) + caplog.text
    assert "AAA" in text
    assert HIDDEN not in text


def test_unwritable_cache_is_said_and_survived(server, fetch, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    server.answers = {"AAA": healthy()}
    assert any("could not be kept" in c for c in fetch("AAA").provenance.cautions)


def test_an_answer_of_before_the_close_is_refused_later(server, fetch):
    server.answers = {"AAA": healthy(now="2025-01-31 11:00:00")}
    with pytest.raises(SourceFailed, match="session of 2025-01-31 was not over") as caught:
        fetch("AAA")
    assert caught.value.facts["kind"] == "early_end"
    assert fetch("AAA", accept=["early_end"]).dates[-1] == pd.Timestamp("2025-01-30")


def test_holes_are_refused_until_accepted(server, fetch):
    server.answers = {"AAA": healthy(closes=[*CLOSES[:3], float("nan"), *CLOSES[4:]])}
    with pytest.raises(DataUnfit, match="2025-01-24") as caught:
        fetch("AAA")
    assert caught.value.facts["kind"] == "missing_sessions"
    prices = fetch("AAA", accept=["missing_sessions"])
    assert list(prices.dates[prices.close["AAA"].isna()]) == [pd.Timestamp("2025-01-24")]
    assert any("accepted as missing_sessions" in c for c in prices.provenance.cautions)
    with pytest.raises(DataUnfit):  # what was accepted once is not accepted for ever
        fetch("AAA")


def test_dividend_without_a_step_in_adjusted_closes_is_refused(server, fetch):
    server.answers = {"AAA": healthy(dividends={"2025-01-27": 1.0})}
    with pytest.raises(DataUnfit, match="no step at the dividend of 2025-01-27"):
        fetch("AAA")


def test_weekly_bars_are_refused(server, fetch):
    table = ys.bars(START, CLOSES[:8])
    table.index = pd.date_range("2025-01-20", periods=8, freq="7D")
    server.answers = {"AAA": ys.answer(ys.chart("AAA", table))}
    with pytest.raises(SourceFailed, match="weekly"):
        fetch("AAA", end="2025-03-31")


def test_configuration_of_the_client_is_restored(server, fetch):
    import yfinance as yf

    server.answers = {"AAA": (429, b"")}
    with pytest.raises(SourceFailed):
        fetch("AAA")
    assert yf.config.debug.hide_exceptions is True


@pytest.mark.parametrize(
    ("tickers", "options", "words"),
    [
        ([], {}, "give Yahoo symbols"),
        (["AAA "], {}, "give Yahoo symbols"),
        ("AAA", {"start": "2025-02-01"}, "swap"),
        ("AAA", {"start": "soon"}, "start is 'soon'"),
        ("AAA", {"end": "2999-01-01"}, "in the future"),
        ("AAA", {"attempts": 0}, "at least 1"),
        ("AAA", {"deadline": 0}, "above 0 seconds"),
        ("AAA", {"pause": -1}, "0 seconds or more"),
        ("AAA", {"accept": ["anything"]}, "choose from early_end"),
    ],
)
def test_wrong_requests_never_reach_the_network(tickers, options, words, server, fetch):
    with pytest.raises(InvalidInput, match=words):
        fetch(tickers, **options)
    assert server.asked == []


def test_load_prices_needs_tickers_and_start_for_yahoo():
    with pytest.raises(InvalidInput, match="needs tickers and start"):
        load_prices(source="yahoo")
    with pytest.raises(EventStudyError, match="needs tickers and start"):
        load_prices("AAA", source="yahoo")
