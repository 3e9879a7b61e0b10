"""Events: which firm, when, and the first session in which the news could be traded on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import pandas as pd

from eventstudy.calendars import (
    DEFAULT_EXCHANGE,
    ClosedDay,
    calendar_bounds,
    check_closed_day,
    exchange_sessions,
    trading_day_of_moment,
)
from eventstudy.errors import InvalidInput
from eventstudy.wording import iso_day

#: The time of day of news, as event lists tell it; the last stands for words that say that it is not known.
AFTER_CLOSE, BEFORE_OPEN, IN_SESSION, NOT_SAID = "after the close", "before the open", "during the session", ""
_THE, _MARKET = r"(the|us|regular|official|stock)*", r"(market|trading|session|exchange|bell|hours?)"
_ENDS = r"(s|ed|ing|hours?|time|session|trading|bell|ofthe|of|market)*"
#: What cells say of it, without blanks and marks, in small letters; also what exchanges and papers of other languages write.
_TIMES_OF_DAY = {
    AFTER_CLOSE: rf"amc|(after|post)(hours?|{_THE}({_MARKET}(clos(e|es|ed|ing))?|clos(e|ing)){_ENDS})"
    r"|nach(dem|der)?(börsen|boersen|handels|markt|xetra)?(schlu(ss|ß)|ende)|nachb(ö|oe)rslich|après(la)?(clôture|bourse|fermeture)"
    r"|(despuésdel|despuesdel|trasel)cierre(delmercado)?|dopo(la)?chiusura|(após|apos|depoisd)o(fechamento|fecho)|nabeurs|nasluiting"
    r"|po(sesji|zamknięciu(sesji)?)|盘后|收盘后|盤後|收盤後|引け後|大引け後|取引終了後|장마감후|장후",
    BEFORE_OPEN: rf"bmo|(before|pre|priorto|aheadof)(hours?|{_THE}({_MARKET}(open(s|ed|ing)?|clos(e|es|ing))?|open(ing)?|clos(e|ing)){_ENDS})"
    r"|vor(dem|der)?(börsen|boersen|handels|markt|xetra)?(beginn|start|öffnung|eröffnung|oeffnung|eroeffnung)|vorb(ö|oe)rslich"
    r"|avant(l|la)?(ouverture|bourse)|antesdelaapertura|primadellapertura|antesdaabertura|voorbeurs|przed(sesją|otwarciem(sesji)?)"
    r"|盘前|开盘前|盤前|開盤前|寄り付き前|寄付前|取引開始前|장전|장시작전",
    IN_SESSION: rf"dm[ht]|rth|intraday|(during|in|while){_THE}{_MARKET}(open)?{_ENDS}|after{_THE}(market)?open(ing)?|(regular)?markethours"
    r"|(während|waehrend)des?(handels|sitzung)|imhandel|en(séance|seance)|durante(lasesión|lasesion|elmercado)|盘中|盤中|取引時間中|ザラ場|장중",
    NOT_SAID: r"(time)?not(yet)?(supplied|specified|given|available|announced|known)|tns|tas|unspecified|unknown|na|nan|nat|none|null|tb[ad]|",
}


def time_of_day(text: str) -> str | None:
    """Return what words say of the time of day of news, None if they say nothing of it.

    Examples
    --------
    >>> time_of_day("AMC"), time_of_day("Before Market Open"), time_of_day("time-not-supplied"), time_of_day("merger")
    ('after the close', 'before the open', '', None)
    """
    word = re.sub(r"[\W_]+", "", text.casefold())
    word = re.sub(r"^time(?=after|pre|before|post|not)", "", word)
    return next((said for said, form in _TIMES_OF_DAY.items() if re.fullmatch(form, word)), None)


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of news about one firm.

    Parameters
    ----------
    ticker : str
        The firm, as in the price table.
    when : str, date, datetime or Timestamp
        A day (``"2025-01-27"``), with what is known of the time of day (``"2025-01-27 after the close"``, ``amc``, ``bmo``, ``dmh``),
        or a moment with its time zone (``"2025-01-26 17:16-05:00"``, or a `datetime` with ``tzinfo``).
    label : str
        What happened, for tables and figures.
    group : str
        A name by which events are compared in tables.

    Raises
    ------
    InvalidInput
        If the ticker is empty, the date cannot be read, or a time comes without a zone.

    Notes
    -----
    A moment during or before a session belongs to that session; at or after the close, to
    the next one. A day means the session of that day, a day "after the close" the session after it.

    Examples
    --------
    >>> Event("NVDA", "2025-01-20").first_session()     # New York was closed: Martin Luther King Jr Day
    Timestamp('2025-01-21 00:00:00')
    >>> Event("NVDA", "2025-01-27 17:00-05:00").first_session()
    Timestamp('2025-01-28 00:00:00')
    >>> Event("NVDA", "2025-01-24 amc").first_session()
    Timestamp('2025-01-27 00:00:00')
    """

    ticker: str
    when: str | date | datetime | pd.Timestamp
    label: str = ""
    group: str = ""
    moment: pd.Timestamp = field(init=False, repr=False, compare=False)
    time_of_day: str = field(init=False, repr=False, compare=False, default=NOT_SAID)

    def __post_init__(self) -> None:
        if not isinstance(self.ticker, str) or not self.ticker.strip():
            raise InvalidInput(f"An event's ticker is {self.ticker!r}; give a name such as 'NVDA'.")
        if not self.ticker.strip().isprintable():
            raise InvalidInput(
                f"An event's ticker is {self.ticker[:60]!a}, with a control character in it; correct it."
            )
        object.__setattr__(self, "ticker", self.ticker.strip())
        day, said = _split_words(self.when)
        object.__setattr__(self, "time_of_day", said)
        object.__setattr__(self, "moment", _read_moment(day, self.ticker))

    @property
    def is_moment(self) -> bool:
        """True if the event carries a time of day."""
        return self.moment.tzinfo is not None

    @property
    def asked(self) -> str:
        """What was asked for, as text that `Event` reads: the day and what is known of its time, or the moment with its zone."""
        return (
            f"{self.moment:%Y-%m-%d %H:%M%z}"
            if self.is_moment
            else f"{iso_day(self.moment)} {self.time_of_day}".rstrip()
        )

    def first_session(self, exchange: str = DEFAULT_EXCHANGE, closed_day: ClosedDay = "next") -> pd.Timestamp | None:
        """Return the session in which this news could first be traded on.

        Parameters
        ----------
        exchange : str
            ISO market code of the exchange.
        closed_day : {"next", "previous", "drop", "error"}
            What to do if the day has no session.

        Returns
        -------
        Timestamp or None
            Naive midnight of the session; None if the rule is ``drop`` and the day is closed.

        Raises
        ------
        InvalidInput
            If the rule is ``error`` and the day is closed, or the day is outside the calendar.
        """
        day = self.moment.tz_localize(None).normalize()
        first, last = calendar_bounds(exchange)
        around = (max(day - pd.Timedelta(days=15), first), min(day + pd.Timedelta(days=15), last))
        sessions = exchange_sessions(exchange, *around)
        found = locate_sessions([self], sessions, exchange, closed_day)[0]
        if found.outside:
            raise InvalidInput(
                f"Event {self.ticker}: the calendar {exchange} is known from {iso_day(first)} to {iso_day(last)} "
                f"and has no session for {self.asked}."
            )
        return None if found.position < 0 else sessions[found.position]


@dataclass(frozen=True, slots=True)
class Located:
    """Where an event fell on a list of sessions: position (-1 if nowhere), a remark, and whether it lies outside the list."""

    position: int
    remark: str
    outside: bool = False


def _split_words(when: object) -> tuple[object, str]:
    """Return a day without the words after it that tell the time of day, and what they say."""
    parts = re.fullmatch(r"\s*(\S+)[\s,]+(\D+)", when) if isinstance(when, str) else None
    said = time_of_day(parts[2]) if parts else None
    return (parts[1], said) if parts and said else (when, NOT_SAID)


def _read_moment(when: object, ticker: str) -> pd.Timestamp:
    if when is None or isinstance(when, bool | int | float | np.integer | np.floating):
        raise InvalidInput(f"Event {ticker}: {when!r} is not a date; give e.g. '2025-01-27'.")
    try:
        moment = pd.Timestamp(when)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(
            f"Event {ticker}: cannot read {when!r} as a date; give e.g. '2025-01-27', or with the offset of its zone '2025-01-26 17:16-05:00'."
        ) from error
    if pd.isna(moment):
        raise InvalidInput(f"Event {ticker}: the date is missing; give e.g. '2025-01-27'.")
    if isinstance(when, str) and not _is_iso_like(when):
        raise InvalidInput(f"Event {ticker}: {when!r} is not year-month-day; write the date as 2025-01-27.")
    if moment.tzinfo is None and moment != moment.normalize():
        raise InvalidInput(
            f"Event {ticker}: {when!r} has a time but no time zone; add one (e.g. '{moment:%Y-%m-%d %H:%M}-05:00') "
            f"or give the day alone."
        )
    return moment


def _is_iso_like(text: str) -> bool:
    """Year first: 01/02/2025 means two different days on two continents."""
    head = text.strip()[:4]
    return head.isdigit() and len(text.strip()) >= 8


def tradable_days(events: Sequence[Event], exchange: str | None) -> list[tuple[pd.Timestamp, bool]]:
    """Return for each event the day from which its news could be traded on, and whether it came after a close."""
    late = [e.moment for e in events if e.time_of_day == AFTER_CLOSE]
    sessions = _sessions_among(late, exchange)
    return [
        trading_day_of_moment(e.moment, exchange or DEFAULT_EXCHANGE)
        if e.is_moment
        else (e.moment + pd.Timedelta(days=1), True)
        if e.time_of_day == AFTER_CLOSE and e.moment in sessions
        else (e.moment, False)
        for e in events
    ]


def _sessions_among(days: Sequence[pd.Timestamp], exchange: str | None) -> set[pd.Timestamp]:
    """Return which of some days are sessions of an exchange; all of them if there is no exchange to tell."""
    if exchange is None or not days:
        return set(days)
    first, last = calendar_bounds(exchange)
    known = [day for day in days if first <= day <= last]
    return set(exchange_sessions(exchange, min(known), max(known))) if known else set()


def locate_sessions(
    events: Sequence[Event], sessions: pd.DatetimeIndex, exchange: str | None, closed_day: ClosedDay
) -> list[Located]:
    """Find each event's session on a list of sessions.

    Parameters
    ----------
    sessions : DatetimeIndex
        Ascending naive midnights, shape (T,).
    exchange : str or None
        Whose closing times decide about moments; None reads a moment in New York time as its day.
    """
    check_closed_day(closed_day)
    pairs = tradable_days(events, exchange)
    days = pd.DatetimeIndex([day for day, _ in pairs]).to_numpy(dtype="datetime64[ns]")
    stamps = sessions.to_numpy(dtype="datetime64[ns]")
    after = np.searchsorted(stamps, days, side="left")
    is_session = np.zeros(len(days), dtype=bool)
    inside = after < len(stamps)
    is_session[inside] = stamps[after[inside]] == days[inside]
    return [
        _settle(event, int(at), bool(exact), late, sessions, closed_day)
        for event, at, exact, (_, late) in zip(events, after, is_session, pairs, strict=True)
    ]


def _settle(
    event: Event, at: int, exact: bool, late: bool, sessions: pd.DatetimeIndex, closed_day: ClosedDay
) -> Located:
    """Apply the rule for closed days to one event; ``at`` is the first session not before its day."""
    if exact:
        return Located(at, "after the close: next session" if late else "")
    if at == 0 or at == len(sessions):
        span = f"{iso_day(sessions[0])} to {iso_day(sessions[-1])}" if len(sessions) else "no sessions"
        return Located(-1, f"outside the data ({span})", outside=True)
    if late:
        return Located(at, "after the close: next session")
    closed = f"no session on {event.moment:%a %Y-%m-%d}"
    if closed_day == "error":
        raise InvalidInput(
            f"Event {event.ticker}: {closed}; the sessions around it are {iso_day(sessions[at - 1])} and "
            f"{iso_day(sessions[at])}. Name one of them, or set closed_day to next, previous or drop."
        )
    if closed_day == "previous" and (event.is_moment or event.time_of_day):
        raise InvalidInput(
            f"Event {event.ticker}: {closed}, and closed_day='previous' would take the session before the news of "
            f"{event.asked}. Use 'next' or 'drop', or give the day alone."
        )
    if closed_day == "drop":
        return Located(-1, f"{closed}, and closed_day is 'drop'")
    return Located({"next": at, "previous": at - 1}[closed_day], f"{closed}: {closed_day} session")


def event_keys(events: Sequence[Event], sessions: Sequence[pd.Timestamp]) -> list[str]:
    """Return one short unique name per event: the ticker, with its session if it occurs more than once."""
    tickers = [e.ticker for e in events]
    many = {t for t, n in pd.Series(tickers).value_counts().items() if n > 1}
    seen: dict[str, int] = {}
    keys = []
    for event, session in zip(events, sessions, strict=True):
        key = f"{event.ticker} {iso_day(session)}" if event.ticker in many else event.ticker
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else f"{key} #{seen[key]}")
    return keys
