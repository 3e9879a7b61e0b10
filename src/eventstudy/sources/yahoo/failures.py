"""What can go wrong with an answer of Yahoo: the kinds, what to do about each, and how a failure is read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, SourceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ADVICE = {
    "rate_limited": "Yahoo refuses more requests for now; wait some minutes, then ask for fewer tickers.",
    "not_found": "Check the symbol on finance.yahoo.com; class shares are written BRK-B, indexes ^GSPC.",
    "bad_response": "Yahoo is unwell or a proxy answers in its place; try again later.",
    "network": "Check the network and the proxy, or use source='snapshot' or a file.",
    "deadline": "Try again later, ask for fewer tickers, or allow more time (ticker_limit, deadline).",
    "schema_changed": "Yahoo has changed its answer or sent a damaged one; update yfinance or use a file.",
    "empty": "Check that the ticker was listed in this range and that the range holds a session.",
    "wrong_instrument": "Do not use this answer; check the symbol on finance.yahoo.com.",
    "currency": "Do not use this answer; compare the currency on finance.yahoo.com, and ask again later.",
    "bad_prices": "Do not use this answer; ask again later or use a file.",
    "unfinished": "Ask for an earlier end, or try again later; accept=['unfinished'] (in a study's [prices.accept]: "
    "early_end) leaves that day out.",
    "missing_sessions": "Try again later. If the ticker was halted, not yet listed or delisted then, ask for the "
    "days on which it traded, or take the days that are there with accept=['missing_sessions'] "
    "(in a study's [prices.accept]: missing_prices).",
    "extra_sessions": "Compare the days with another source; accept=['extra_sessions'] (in a study's "
    "[prices.accept]: extra_days) takes them as sessions.",
    "jump": "Compare with another source; if the move was real, accept=['jump'] (in a study's "
    "[prices.accept]: unapplied_split) takes it as such.",
    "adjustment": "Ask again later or use a file; accept=['adjustment'] (in a study's [prices.accept]: "
    "adjustment_ratio) takes the adjusted closes as they are.",
}

#: A second asking may help; a refusal of too many requests is asked again after a much longer wait.
RETRIED = (
    "rate_limited",
    "bad_response",
    "network",
    "schema_changed",
    "empty",
    "wrong_instrument",
    "currency",
    "bad_prices",
    "missing_sessions",
    "extra_sessions",
    "adjustment",
)
MISSING = ("not_found", "empty")
UNFIT = ("currency", "bad_prices", "missing_sessions", "extra_sessions", "jump", "adjustment")
#: Findings that a user who knows the instrument may accept by name; each is then a caution.
ACCEPTABLE = ("unfinished", "missing_sessions", "extra_sessions", "jump", "adjustment")

#: The names by which a study file accepts the same findings.
_STUDY_NAMES = {
    "early_end": "unfinished",
    "missing_sessions": "missing_sessions",
    "missing_prices": "missing_sessions",
    "extra_days": "extra_sessions",
    "unapplied_split": "jump",
    "level_shift": "jump",
    "wrong_price": "jump",
    "many_jumps": "jump",
    "adjustment_ratio": "adjustment",
}


def accepted_by_study(names: Iterable[str]) -> tuple[str, ...]:
    """Return what a study accepts of an answer, by the names of its checks of prices.

    Examples
    --------
    >>> accepted_by_study(["missing_prices", "stale_prices", "unapplied_split"])
    ('jump', 'missing_sessions')
    """
    return tuple(sorted({_STUDY_NAMES[name] for name in names if name in _STUDY_NAMES}))


class Refused(Exception):
    """An answer that must not be used."""

    def __init__(self, kind: str, cause: str) -> None:
        super().__init__(cause)
        self.kind = kind


class OutOfTime(TimeoutError):
    """The time allowed for a ticker or a fetch is spent."""


@dataclass(frozen=True)
class Reply:
    """What came back for one chart request.

    Attributes
    ----------
    probe : bool
        Whether the request only asked for the time zone.
    status : int
        HTTP status; 0 if no answer came.
    body : bytes
        The body; empty if none came.
    retry_after : float
        Seconds that the server asks to wait; 0 if it does not say.
    """

    probe: bool
    status: int = 0
    body: bytes = b""
    retry_after: float = 0.0
    error: Exception | None = None


def failure(ticker: str, start: str, end: str, kind: str, cause: str, tries: int) -> EventStudyError:
    """Return the error for a ticker that could not be fetched."""
    error = DataMissing if kind in MISSING else DataUnfit if kind in UNFIT else SourceFailed
    tried = f" after {tries} tries" if tries > 1 else ""
    return error(
        f"Yahoo gave no usable prices of {ticker} from {start} to {end}{tried}: {cause}. "
        f"{ADVICE[kind]} Nothing was taken over.",
        kind=kind,
        ticker=ticker,
        start=start,
        end=end,
        cause=cause,
        tries=tries,
    )


def read_json(body: bytes) -> object:
    """Return what a body says."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def diagnose(reply: Reply) -> tuple[str, str] | None:
    """Read the kind of failure off an answer itself, where it tells.

    Returns
    -------
    tuple of str, or None
        Kind and cause; None if the answer is a healthy one on the face of it.
    """
    if isinstance(reply.error, Refused):
        return reply.error.kind, str(reply.error)
    if reply.error is not None:
        return _network(reply.error)
    if reply.status == 429:
        return "rate_limited", "too many requests (HTTP 429)"
    http = f" (HTTP {reply.status})" if reply.status >= 400 else ""
    try:
        content = read_json(reply.body)
    except ValueError:
        what = "an HTML page" if reply.body.lstrip()[:1] == b"<" else "cut or not JSON"
        return "bad_response", f"the answer is {what}{http}"
    return _read_content(content, reply.status, http)


def _read_content(content: object, status: int, http: str) -> tuple[str, str] | None:
    chart = content.get("chart") if isinstance(content, dict) else None
    if isinstance(chart, dict) and chart.get("error"):
        return _told(chart["error"], status, http)
    if status >= 400:
        return "bad_response", f"the answer holds no chart{http}"
    if not isinstance(chart, dict):
        return "schema_changed", "the answer holds no chart"
    return None if chart.get("result") else ("empty", "the answer holds no bars")


def _told(error: object, status: int, http: str) -> tuple[str, str]:
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
    told = None if reply is None else diagnose(reply)
    if told is not None:
        return told
    # By name and from the most special class on: the client may run on either of two HTTP libraries.
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in _READERS:
            return _READERS[ancestor.__name__](error)
    return "schema_changed", f"the answer has another form ({type(error).__name__}: {_clean(str(error))})"


def _no_bars(error: Exception) -> tuple[str, str]:
    reason = getattr(error, "yahoo_reason", None)
    return _told(str(reason), 0, "") if reason else ("empty", "the answer holds no bars")


def _network(error: Exception) -> tuple[str, str]:
    text = str(error).split(" See https")[0]  # the transport library points to its manual
    return "network", f"{type(error).__name__}: {_clean(text).rstrip('. ')}"


def _clean(text: str) -> str:
    """Return one short line without the secret that the client puts into addresses."""
    return re.sub(r"(crumb\W{1,4})[^&\s'\")]+", r"\1…", " ".join(text.split()), flags=re.IGNORECASE)[:160]


_READERS: dict[str, Callable[[Exception], tuple[str, str]]] = {
    "YFRateLimitError": lambda _: ("rate_limited", "too many requests (HTTP 429)"),
    "YFTickerMissingError": _no_bars,
    "YFException": lambda error: ("bad_response", _clean(str(error))),
    "HTTPError": lambda error: ("bad_response", f"refused ({_clean(str(error))})"),
    "JSONDecodeError": lambda _: ("bad_response", "the answer is cut or is not JSON"),
    "OSError": _network,
}
