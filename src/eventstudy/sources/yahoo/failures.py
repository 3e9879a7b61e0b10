"""What can go wrong with an answer of Yahoo: the kinds, what to do about each, and how a failure is read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, SourceFailed, SourceUnfit
from eventstudy.files import parse_json
from eventstudy.wording import printable, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DO_NOT_USE = "Do not use this answer; ask again later or use a file."
IN_STUDY = "(or the same name in a study's [prices.accept])"


class FailureKind(NamedTuple):
    """What a kind of failure ends in and what to do about it.

    ``again``: a second asking may help. ``accept``: names of checks of prices; a user who knows the instrument may accept the finding by
    one of them, and it is then a caution.
    """

    error: type[EventStudyError]
    advice: str
    again: bool = True
    accept: tuple[str, ...] = ()


#: The kinds of failure. One that concerns the figures has the name of the check of prices (`eventstudy.prices.checks`) that sees the same in a table.
FAILURE_KINDS: Mapping[str, FailureKind] = {
    "no_client": FailureKind(
        SourceUnfit,
        "Install it (pip install yfinance; an install of 'eventstudy-finance' brings it), or use source='snapshot' or a file.",
        again=False,
    ),
    "no_cache": FailureKind(
        SourceFailed,
        "Make room on the disk, or name another folder in XDG_CACHE_HOME; the client keeps time zones there.",
        again=False,
    ),
    "rate_limited": FailureKind(
        SourceFailed, "Yahoo refuses more requests for now; wait some minutes, then ask for fewer tickers."
    ),
    "bad_response": FailureKind(SourceFailed, "Yahoo is unwell or a proxy answers in its place; try again later."),
    "network": FailureKind(SourceFailed, "Check the network and the proxy, or use source='snapshot' or a file."),
    "deadline": FailureKind(
        SourceFailed,
        "Try again later, ask for fewer tickers, or allow more time (ticker_limit, deadline).",
        again=False,
    ),
    "schema_changed": FailureKind(
        SourceUnfit, "Yahoo has changed its answer or sent a damaged one; update yfinance or use a file."
    ),
    "wrong_instrument": FailureKind(SourceUnfit, "Do not use this answer; check the symbol on finance.yahoo.com."),
    "not_found": FailureKind(
        DataMissing,
        "Check the symbol on finance.yahoo.com; class shares are written BRK-B, indexes ^GSPC.",
        again=False,
    ),
    "empty": FailureKind(
        DataMissing, "Check that the ticker was listed in this range and that the range holds a session."
    ),
    "currency": FailureKind(
        DataUnfit, "Do not use this answer; compare the currency on finance.yahoo.com, and ask again later."
    ),
    "non_positive_prices": FailureKind(DataUnfit, DO_NOT_USE),
    "negative_volume": FailureKind(DataUnfit, DO_NOT_USE),
    "repeated_block": FailureKind(DataUnfit, DO_NOT_USE),
    "early_end": FailureKind(
        SourceFailed,
        f"Ask for an earlier end, or try again later; accept=['early_end'] {IN_STUDY} leaves that day out.",
        again=False,
        accept=("early_end",),
    ),
    "missing_sessions": FailureKind(
        DataUnfit,
        "Try again later. If the ticker was halted, not yet listed or delisted then, ask for the days on which it traded, or take the days "
        "that are there with accept=['missing_sessions'] (in a study's [prices.accept]: missing_prices).",
        accept=("missing_sessions", "missing_prices"),
    ),
    "extra_days": FailureKind(
        DataUnfit,
        f"Compare the days with another source; accept=['extra_days'] {IN_STUDY} takes them as sessions.",
        accept=("extra_days",),
    ),
    "unapplied_split": FailureKind(
        DataUnfit,
        f"Compare with another source; if the move was real, accept=['unapplied_split'] {IN_STUDY} takes it as such.",
        again=False,
        accept=("unapplied_split", "level_shift", "wrong_price", "many_jumps"),
    ),
    "adjustment_ratio": FailureKind(
        DataUnfit,
        f"Ask again later or use a file; accept=['adjustment_ratio'] {IN_STUDY} takes the adjusted closes as they are.",
        accept=("adjustment_ratio",),
    ),
}
#: What may be accepted of an answer.
ACCEPTABLE = tuple(name for name, kind in FAILURE_KINDS.items() if kind.accept)


def accepted_by_study(names: Iterable[str]) -> tuple[str, ...]:
    """Return what a study accepts of an answer, by the names of the checks of prices that it accepts.

    Examples
    --------
    >>> accepted_by_study(["missing_prices", "stale_prices", "unapplied_split"])
    ('missing_sessions', 'unapplied_split')
    """
    given = set(names)
    return tuple(sorted(name for name, kind in FAILURE_KINDS.items() if given & set(kind.accept)))


class Refused(Exception):
    """An answer that must not be used."""

    def __init__(self, kind: str, cause: str) -> None:
        super().__init__(printable(cause))  # it may quote the answer
        self.kind = kind


class OutOfTime(TimeoutError):
    """The time allowed for a ticker or a fetch is spent."""


@dataclass(frozen=True)
class Reply:
    """What came back for one chart request: HTTP status (0 if no answer came), body, seconds that the server asks to wait, or an error.

    ``probe`` marks a request that only asked for the time zone.
    """

    probe: bool
    status: int = 0
    body: bytes = b""
    retry_after: float = 0.0
    error: Exception | None = None


def failure(ticker: str, start: str, end: str, kind: str, cause: str, tries: int) -> EventStudyError:
    """Return the error for a ticker that could not be fetched."""
    tried = f" after {tries} tries" if tries > 1 else ""
    return FAILURE_KINDS[kind].error(
        f"Yahoo gave no usable prices of {ticker} from {start} to {end}{tried}: {cause}. "
        f"{FAILURE_KINDS[kind].advice} Nothing was taken over.",
        kind=kind,
        ticker=ticker,
        start=start,
        end=end,
        cause=cause,
        tries=tries,
    )


def diagnose(reply: Reply) -> tuple[str, str] | None:
    """Read kind and cause of a failure off an answer itself; None if it is a healthy one on the face of it."""
    if isinstance(reply.error, Refused):
        return reply.error.kind, str(reply.error)
    if reply.error is not None:
        return _network(reply.error)
    if reply.status == 429:
        return "rate_limited", "too many requests (HTTP 429)"
    http = f" (HTTP {reply.status})" if reply.status >= 400 else ""
    try:
        content = parse_json(reply.body)
    except ValueError:
        what = "an HTML page" if reply.body.lstrip()[:1] == b"<" else "cut or not JSON"
        return "bad_response", f"the answer is {what}{http}"
    return _read_content(content, reply.status, http)


def _read_content(content: object, status: int, http: str) -> tuple[str, str] | None:
    chart = content.get("chart") if isinstance(content, dict) else None
    if isinstance(chart, dict) and chart.get("error"):
        return _reported(chart["error"], status, http)
    if status >= 400:
        return "bad_response", f"the answer holds no chart{http}"
    if not isinstance(chart, dict):
        return "schema_changed", "the answer holds no chart"
    return None if chart.get("result") else ("empty", "the answer holds no bars")


def _reported(error: object, status: int, http: str) -> tuple[str, str]:
    text = str(error.get("description") or error.get("code")) if isinstance(error, dict) else str(error)
    text, words = _clean(text), text.lower()
    if status == 404 or "no data found" in words or "not found" in words:
        return "not_found", text + http
    if status >= 400 or "server error" in words or "internal" in words:
        return "bad_response", text + http
    return "empty", text


def classify(error: Exception, reply: Reply | None = None) -> tuple[str, str]:
    """Return the kind of a failed request and its cause in words."""
    if isinstance(error, Refused):
        return error.kind, str(error)
    if isinstance(error, OutOfTime):
        return "deadline", str(error)
    reported = None if reply is None else diagnose(reply)
    if reported is not None:
        return reported
    # By name and from the most special class on: the client may run on either of two HTTP libraries.
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in _READERS:
            return _READERS[ancestor.__name__](error)
    return "schema_changed", f"the answer has another form ({type(error).__name__}: {_clean(str(error))})"


def _no_bars(error: Exception) -> tuple[str, str]:
    reason = getattr(error, "yahoo_reason", None)
    return _reported(str(reason), 0, "") if reason else ("empty", "the answer holds no bars")


def _network(error: Exception) -> tuple[str, str]:
    text = str(error).split(" See https")[0]  # the transport library points to its manual
    return "network", f"{type(error).__name__}: {_clean(text).rstrip('. ')}"


def _clean(text: str) -> str:
    """Return one short line without the secret that the client puts into addresses, without passwords, and without what steers a terminal."""
    for address in _proxies():
        text = text.replace(address, "…")
    return printable(without_secrets(" ".join(text.split())))[:160]


def _proxies() -> list[str]:
    """Return the addresses of proxies that the environment names and that hold more than a host: malformed ones are quoted as they are."""
    given = {
        value for name, value in os.environ.items() if name.lower().endswith("_proxy") and name.lower() != "no_proxy"
    }
    more = {value for value in given if not re.fullmatch(r"(\w+://)?[\w.-]*(:\d*)?/?", value)}
    return sorted({*more, *(value.partition("://")[2] for value in more)} - {""}, key=len, reverse=True)


_READERS: dict[str, Callable[[Exception], tuple[str, str]]] = {
    "YFRateLimitError": lambda _: ("rate_limited", "too many requests (HTTP 429)"),
    "YFTickerMissingError": _no_bars,
    "YFException": lambda error: ("bad_response", _clean(str(error))),
    "HTTPError": lambda error: ("bad_response", f"refused ({_clean(str(error))})"),
    "JSONDecodeError": lambda _: ("bad_response", "the answer is cut or is not JSON"),
    "DatabaseError": lambda error: ("no_cache", f"the client cannot use its folder of caches ({_clean(str(error))})"),
    "OSError": _network,
}
