"""Events: which firm, when, and the first session in which the news could be traded on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from functools import cached_property, lru_cache
from operator import eq
from typing import overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import (
    AUTO,
    DEFAULT_EXCHANGE,
    ClosedDay,
    calendar_bounds,
    check_closed_day,
    exchange_sessions,
    is_known,
    recognised,
    trading_days,
    zone_of,
)
from eventstudy.errors import InvalidInput
from eventstudy.wording import first_few, iso_day, iso_days, listed, steers
from eventstudy.written_days import day_and_clock, moment_text, plain_offset, read_days

#: Days in which every exchange has a session.
_LONGEST_CLOSE = 21
#: Exchanges that a message names.
_NAMED = 8
#: The farthest clock from UTC, that of Kiritimati.
_FARTHEST = timedelta(hours=14)
#: A time with the name of its zone, and, as some programs write it, the offset too.
_ZONED = re.compile(
    r"(\d{4}.*?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*([+-]\d{2}:?\d{2})?\s*\[?((?![AP]M\b)[A-Za-z][\w+/:-]*)\]?"
)
#: An offset behind a name that is none of UTC's.
_NAMED_OFFSET = re.compile(r".*\d\s*[A-Za-z]+\s*[+-]\d[\d:]*\s*")

#: Names of clocks that one place alone has, all year round.
_ONE_CLOCK = {
    "ET": "America/New_York", "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "HKT": "Asia/Hong_Kong", "SGT": "Asia/Singapore",
}  # fmt: skip
#: Places that are meant by names of several clocks, or of one that holds for half of the year, and by cities that zones are not called after.
_MEANT = {
    **dict.fromkeys(("EST", "EDT"), "America/New_York"),
    **dict.fromkeys(("CT", "CDT"), "America/Chicago"),
    "CST": "America/Chicago or Asia/Shanghai",
    **dict.fromkeys(("PT", "PST", "PDT"), "America/Los_Angeles"),
    **dict.fromkeys(("MT", "MST", "MDT"), "America/Denver"),
    **dict.fromkeys(("CET", "CEST", "MEZ", "MESZ", "FRANKFURT", "XETRA", "GERMANY"), "Europe/Berlin"),
    **dict.fromkeys(("BST", "WET", "WEST", "UK"), "Europe/London"),
    "IST": "Asia/Kolkata or Europe/Dublin",
    **dict.fromkeys(("AET", "AEST", "AEDT"), "Australia/Sydney"),
    **dict.fromkeys(("MUMBAI", "INDIA"), "Asia/Kolkata"),
    "MSK": "Europe/Moscow",
    "NYC": "America/New_York",
}  # fmt: skip
#: A clock with more than numbers: 4:05 PM, 16:05 Uhr.
_SPELT = re.compile(r"\d\s*([ap]\.?m|uhr|h)\b", re.IGNORECASE)
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
#: Characters of the longest text that is read as a day or a moment.
LONGEST_DAY = 200
#: Events that a list shows one by one.
_SHOWN = 6
#: Year first, with western marks: 01/02/2025 means two different days on two continents.
_YEAR_FIRST = re.compile(r"\s*\d{4}(-|/|\.|\d{4})")
_CANNOT = "Event {}: cannot read {!r} as a date; give e.g. '2025-01-27', or with its zone '2025-01-26 17:16-05:00'."
#: The longest words that tell a time of day, without blanks.
_LONGEST = 40
#: The time of day of news, as event lists tell it; the last stands for words that say that it is not known.
AFTER_CLOSE, BEFORE_OPEN, IN_SESSION, NOT_SAID = "after the close", "before the open", "during the session", ""
_THE, _MARKET = r"(the|us|regular|official|stock)*", r"(market|mkt|trading|session|exchange|bell|hours?)"
_BORS = "b(ö|ø)rs(en)?s?"
_ENDS = r"(s|ed|ing|hours?|time|session|trading|bell|ofthe|of|market)*"
#: What cells say of it, without blanks and marks, in small letters; also what exchanges and papers of other languages write.
_TIMES_OF_DAY: Mapping[str, str] = {
    AFTER_CLOSE: rf"amc|(after|post)(hours?|{_THE}({_MARKET}(clos(e|es|ed|ing))?|clos(e|ing)){_ENDS})"
    r"|nach(dem|der)?(börsen|boersen|handels|markt|xetra)?(schlu(ss|ß)|ende)|nachb(ö|oe)rslich|après(la)?(clôture|bourse|fermeture)"
    r"|(despuésdel|despuesdel|trasel)cierre(delmercado)?|dopo(la)?chiusura|(após|apos|depoisd)o(fechamento|fecho)|nabeurs|nasluiting"
    rf"|(efter|etter)({_BORS}(stängning(en)?|stenging|slutt?|luk(ning)?)?|stängning(en)?|stenging|lukning)"
    r"|po(sesji|zamknięciu(sesji)?)|盘后|收盘后|盤後|收盤後|引け後|大引け後|取引終了後|장마감후|장후",
    BEFORE_OPEN: rf"bmo|(before|pre|priorto|aheadof)(hours?|{_THE}({_MARKET}(open(s|ed|ing)?|clos(e|es|ing))?|open(ing)?|clos(e|ing)){_ENDS})"
    r"|vor(dem|der)?(börsen|boersen|handels|markt|xetra)?(beginn|start|öffnung|eröffnung|oeffnung|eroeffnung)|vorb(ö|oe)rslich"
    rf"|(före|innan|før)({_BORS}(öpp?n|åpn|åbn)?(ar|er|ing|ingen)?|(öppn|åpn|åbn)ing(en)?)"
    r"|avant(l|la)?(ouverture|bourse)|antesdelaapertura|primadellapertura|antesdaabertura|voorbeurs|przed(sesją|otwarciem(sesji)?)"
    r"|盘前|开盘前|盤前|開盤前|寄り付き前|寄付前|取引開始前|장전|장시작전",
    IN_SESSION: rf"dm[ht]|rth|intraday|(during|in|while){_THE}{_MARKET}(open)?{_ENDS}|after{_THE}(market)?open(ing)?|(regular)?markethours"
    r"|(während|waehrend)des?(handels|sitzung)|imhandel|en(séance|seance)|durante(lasesión|lasesion|elmercado)|盘中|盤中|取引時間中|ザラ場|장중",
    NOT_SAID: r"(time)?not(yet)?(supplied|specified|given|available|announced|known)|tns|tas|unspecified|unknown|na|nan|nat|none|null|tb[ad]|",
}


@lru_cache(maxsize=1024)
def time_of_day(text: str) -> str | None:
    """Return what words say of the time of day of news, None if they say nothing of it.

    Examples
    --------
    >>> time_of_day("AMC"), time_of_day("Before Market Open"), time_of_day("time-not-supplied"), time_of_day("merger")
    ('after the close', 'before the open', '', None)
    """
    word = re.sub(r"[\W_]+", "", text[: 2 * _LONGEST].casefold())
    if len(word) > _LONGEST:
        return None
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
        or a moment with its time zone (``"2025-01-26 17:16-05:00"``, ``"2025-01-28 07:30 Europe/Berlin"``, or a `datetime` with ``tzinfo``).
        Days may be written in any way that cannot be misread (``"28-Jan-2025"``, ``"28.01.2025"``, ``"2025年1月28日"``).
    label : str
        What happened, for tables and figures.
    group : str
        A name by which events are compared in tables.
    exchange : str
        ISO market code of the exchange whose closing time places the moment (``"XLON"``); by default that of the study or of the data.

    Raises
    ------
    InvalidInput
        If the ticker is empty, the date cannot be read, a time comes without a zone or does not exist in it, or there is no such exchange.

    Notes
    -----
    A moment during or before a session belongs to that session; at or after the close, to
    the next one. A day means the session of that day, a day "after the close" the session after it. A midnight with a zone is a
    day too: tables write their days so. Midnight in UTC is the same session either way, on every exchange that has closed by then or
    opens later.

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
    exchange: str = ""
    moment: pd.Timestamp = field(init=False, repr=False, compare=False)
    time_of_day: str = field(init=False, repr=False, compare=False, default=NOT_SAID)

    def __post_init__(self) -> None:
        if not isinstance(self.ticker, str) or not self.ticker.strip():
            raise InvalidInput(f"An event's ticker is {self.ticker!r}; give a name such as 'NVDA'.")
        if not self.ticker.strip().isprintable():
            raise InvalidInput(
                f"An event's ticker is {self.ticker[:60]!a}, with a control character in it; correct it."
            )
        for what in ("label", "group"):
            text = getattr(self, what)
            if isinstance(text, str) and steers(text):
                raise InvalidInput(
                    f"Event {self.ticker.strip()}: the {what} {text[:60]!a} has a control character; remove it."
                )
        object.__setattr__(self, "ticker", self.ticker.strip())
        if isinstance(self.when, str) and len(self.when) > LONGEST_DAY:
            raise InvalidInput(_CANNOT.format(self.ticker, f"{self.when[:40]}…"))
        day, said = split_words(self.when)
        object.__setattr__(self, "time_of_day", said)
        object.__setattr__(self, "moment", _read_moment(day, self.ticker, self.exchange))
        offset = self.moment.utcoffset()
        if offset is not None and abs(offset) > _FARTHEST:
            raise InvalidInput(
                f"Event {self.ticker}: {self.when!r} is farther from UTC than any place (14 hours); correct the offset."
            )
        if not isinstance(self.exchange, str):
            raise InvalidInput(
                f"Event {self.ticker}: exchange is {self.exchange!r}; give an ISO market code such as 'XLON'."
            )
        if self.exchange:
            calendar_bounds(self.exchange)

    @property
    def is_moment(self) -> bool:
        """True if the event carries a time of day; a midnight of a zone is that zone's day."""
        return self.moment.tzinfo is not None and self.moment != self.moment.normalize()

    @property
    def day(self) -> pd.Timestamp:
        """The day that is written, a naive midnight."""
        return self.moment.tz_localize(None).normalize()

    @property
    def asked(self) -> str:
        """What was asked for, as text that `Event` reads: the day and what is known of its time, or the moment with its zone."""
        return (
            f"{self.moment:%Y-%m-%d %H:%M%z}"
            if self.is_moment
            else f"{iso_day(self.moment)} {self.time_of_day}".rstrip()
        )

    def first_session(self, exchange: str | None = None, closed_day: ClosedDay = "next") -> pd.Timestamp | None:
        """Return the session in which this news could first be traded on.

        Parameters
        ----------
        exchange : str, optional
            ISO market code of the exchange whose sessions count; by default the event's own, else New York (XNYS). The event's own places
            its moment.
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
        day, exchange = self.day, exchange or self.exchange or DEFAULT_EXCHANGE
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


@dataclass(frozen=True, eq=False)
class EventList(Sequence[Event]):
    """Events as columns: an `Event` is made when it is asked for.

    Attributes
    ----------
    tickers : ndarray of object, shape (N,)
        The firms.
    days : ndarray of datetime64[ns], shape (N,)
        The days that are written.
    labels, groups : ndarray of object, shape (N,)
        What happened, and names by which events are compared; empty texts where nothing is said.
    timed : mapping of int to Event
        Those of which more is known than these: a moment, the time of day in words, an exchange.
    given : tuple of Event, or None
        The objects that were handed in; None if a table was.
    unused, untimed, said : tuple of str
        Of a table or file: columns that were not used, rows without a time of day where others have one, what was left out beside the table.
    """

    tickers: NDArray[np.object_]
    days: NDArray[np.datetime64]
    labels: NDArray[np.object_]
    groups: NDArray[np.object_]
    timed: Mapping[int, Event] = field(default_factory=dict)
    given: tuple[Event, ...] | None = None
    unused: tuple[str, ...] = ()
    untimed: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, events: Iterable[Event], unused: Sequence[str] = (), untimed: Sequence[str] = (), said: Sequence[str] = ()
    ) -> EventList:
        """Return events that are there as a list."""
        given = tuple(events)
        return cls(
            as_objects([e.ticker for e in given]),
            pd.DatetimeIndex([e.day for e in given]).to_numpy(dtype="datetime64[ns]"),
            as_objects([e.label for e in given]),
            as_objects([e.group for e in given]),
            {i: e for i, e in enumerate(given) if e.moment.tzinfo is not None or e.time_of_day or e.exchange},
            given,
            tuple(unused),
            tuple(untimed),
            tuple(said),
        )

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.tickers)

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> EventList: ...
    def __getitem__(self, place: int | slice) -> Event | EventList:
        """Return one event, or some as a list."""
        if isinstance(place, slice):
            return self.take(np.arange(len(self))[place])
        i = range(len(self))[place]
        if self.given is not None:
            return self.given[i]
        return self.timed.get(i) or Event(
            self.tickers[i], str(self.days[i])[:10], label=self.labels[i], group=self.groups[i]
        )

    def __eq__(self, other: object) -> bool:
        """Whether another list has equal events in the same order."""
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def firms(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The different tickers in their order, and the place among them of each event's, shape (N,)."""
        codes, names = pd.factorize(self.tickers)
        return tuple(names.tolist()), np.asarray(codes, dtype=np.int64)

    def __repr__(self) -> str:
        return f"EventList({list(self)!r})" if len(self) <= _SHOWN else f"EventList of {len(self)} events"

    @property
    def asked(self) -> list[str]:
        """What was asked for of each event (`Event.asked`)."""
        text = iso_days(pd.DatetimeIndex(self.days))
        for i, event in self.timed.items():
            text[i] = event.asked
        return text

    def take(self, chosen: NDArray[np.int64]) -> EventList:
        """Return some events, by position."""
        given = None if self.given is None else tuple(self.given[i] for i in chosen)
        timed = {i: self.timed[old] for i, old in enumerate(chosen.tolist()) if old in self.timed} if self.timed else {}
        return replace(
            self,
            tickers=self.tickers[chosen],
            days=self.days[chosen],
            labels=self.labels[chosen],
            groups=self.groups[chosen],
            timed=timed,
            given=given,
        )


def as_objects(values: Sequence[object]) -> NDArray[np.object_]:
    """Return values as an array of objects, shape (N,)."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def event_list(events: Iterable[Event]) -> EventList:
    """Return events as columns."""
    return events if isinstance(events, EventList) else EventList.of(events)


@dataclass(frozen=True, slots=True)
class Located:
    """Where an event fell on a list of sessions: position (-1 if nowhere), a remark, and whether it lies outside the list."""

    position: int
    remark: str
    outside: bool = False


@dataclass(frozen=True, eq=False)
class Places(Sequence[Located]):
    """Where N events fell.

    Attributes
    ----------
    position : ndarray of int, shape (N,)
        Place on the list of sessions, -1 if nowhere.
    remarks : mapping of int to str
        What is to be said, by the place of an event.
    outside : frozenset of int
        Events that lie outside the list.
    """

    position: NDArray[np.int64]
    remarks: Mapping[int, str]
    outside: frozenset[int]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.position)

    @overload
    def __getitem__(self, place: int) -> Located: ...
    @overload
    def __getitem__(self, place: slice) -> list[Located]: ...
    def __getitem__(self, place: int | slice) -> Located | list[Located]:
        """Return where one event fell, or some."""
        if isinstance(place, slice):
            return [self[i] for i in range(len(self))[place]]
        i = range(len(self))[place]
        return Located(int(self.position[i]), self.remarks.get(i, ""), i in self.outside)


@dataclass(frozen=True)
class Exchanges:
    """Whose closing times place moments, and whose sessions count.

    Parameters
    ----------
    named : str
        The exchange that the study names; empty if it names none.
    sessions : str
        The exchange whose sessions count; empty if the dates of the data do.
    of_dates : tuple of str
        The exchanges whose sessions the dates of the data may be, the nearest first.
    of_ticker : mapping of str to tuple of str
        The same of a firm's own dates.
    held : pair of Timestamp, optional
        First and last day of the data.
    against : str
        What speaks against the nearest exchange where the dates were to show one and none fits.
    """

    named: str = ""
    sessions: str = ""
    of_dates: tuple[str, ...] = ()
    of_ticker: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held: tuple[pd.Timestamp, pd.Timestamp] | None = None
    against: str = ""

    def of(self, event: Event) -> tuple[str, ...]:
        """Return the exchanges that may place an event's moment: its own, the study's, or those that its firm's dates fit."""
        named = event.exchange or self.named
        return (named,) if named else self.of_ticker.get(event.ticker, self.of_dates)


def split_words(when: object) -> tuple[object, str]:
    """Return a day without the words after it that tell the time of day, and what they say."""
    parts = re.fullmatch(r"\s*([^:]*?\d[^\s:]*?)[\s,]+(\D+)", when) if isinstance(when, str) else None
    said = time_of_day(parts[2]) if parts else None
    return (parts[1], said) if parts and said else (when, NOT_SAID)


def _year_first(text: str, ticker: str) -> str:
    """Return a moment as the cell of a table is read, day year first and clock in 24 hours; a text that is written so, or no moment, as it is."""
    parts = day_and_clock(text.strip())
    if parts is None and ":" in text:
        raise InvalidInput(_CANNOT.format(ticker, text))
    if parts is None or (_YEAR_FIRST.match(text) and not _SPELT.search(text)):
        return text
    return moment_text(_read_day(parts[0], ticker), *parts[1])


def _read_moment(given: object, ticker: str, exchange: object = "") -> pd.Timestamp:
    if given is None or isinstance(given, bool | int | float | np.integer | np.floating):
        raise InvalidInput(f"Event {ticker}: {given!r} is not a date; give e.g. '2025-01-27'.")
    if isinstance(given, str) and _ISO_DAY.fullmatch(given):
        with suppress(ValueError, OverflowError):  # what is no day is named below
            return pd.Timestamp(given)
    when = _year_first(plain_offset(given), ticker) if isinstance(given, str) else given
    zoned = _ZONED.fullmatch(when.strip()) if isinstance(when, str) else None
    if zoned and zoned[3] not in {"T", "Z", "UTC", "GMT"}:
        return _with_zone_name(zoned, ticker, exchange)
    if isinstance(when, str) and when.strip() not in {"", "NaT"} and not _YEAR_FIRST.match(when):
        return _read_day(when, ticker)
    try:
        if isinstance(when, str) and _NAMED_OFFSET.fullmatch(when):
            raise ValueError(when)
        moment = pd.Timestamp(when)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(_CANNOT.format(ticker, given)) from error
    if pd.isna(moment):
        raise InvalidInput(f"Event {ticker}: the date is missing; give e.g. '2025-01-27'.")
    if moment.tzinfo is None and moment != moment.normalize():
        raise InvalidInput(
            f"Event {ticker}: {given!r} has a time but no time zone; write after it the place whose clock it is, {_place(f'{moment:%Y-%m-%d %H:%M}', exchange)}, "
            f"or give the day alone."
        )
    if moment.tzinfo is not None and isinstance(when, datetime):
        _check_clock(moment, when, ticker)
    return moment


def _read_day(text: str, ticker: str) -> pd.Timestamp:
    """Read a day in any form, if it can mean one day only."""
    try:
        return read_days(pd.Series([text.strip()]), f"Event {ticker}")[0]
    except InvalidInput as error:
        both = error.facts.get("readings")
        said = f"may be {listed(both, 'or')}" if isinstance(both, list) else "is no day"
        raise InvalidInput(
            f"Event {ticker}: {text!r} {said}; write the date as 2025-01-27 (year-month-day)."
        ) from error


def _place(clock: str, exchange: object) -> str:
    """Return a time with the place of an exchange, or with places to choose from, for a message."""
    if isinstance(exchange, str) and exchange:
        return f"'{clock} {zone_of(exchange)}'"
    return f"such as '{clock} Europe/Berlin', Asia/Tokyo or America/New_York"


def _zone_meant(name: str) -> str:
    """Return the place that a name may stand for, empty if none is known."""
    plain = name.replace(" ", "_").casefold()
    cities = sorted(z for z in available_timezones() if z.rpartition("/")[2].casefold() == plain and "/" in z)
    return _MEANT.get(name.upper(), "") or listed(cities[:3], "or")


def _with_zone_name(text: re.Match[str], ticker: str, exchange: object = "") -> pd.Timestamp:
    """Read a time with the name of its zone; an offset that is written too decides between two equal hours, and must be the zone's."""
    name, head = text[3], f"Event {ticker}: {text[0]!r}"
    try:
        local = pd.Timestamp(text[1])
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(
            f"{head} has no date and time before its zone; write 2025-01-28 07:30 Europe/Berlin."
        ) from error
    try:
        name = _ONE_CLOCK.get(name, name)
        if "/" not in name and name.isupper():  # EST, CET, IST: several places, and no summer time
            raise ZoneInfoNotFoundError(name)
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        clock, meant = f"{local:%Y-%m-%d %H:%M}", _zone_meant(name)
        way = f"'{clock} {meant}'" if meant else _place(clock, exchange)
        raise InvalidInput(
            f"{head} names the zone {name!r}, which is no place's; write the place whose clock it is, {way}, or the offset from UTC."
        ) from error
    if text[2]:
        moment = pd.Timestamp(f"{text[1]}{text[2]}").tz_convert(zone)
        if moment.tz_localize(None) != local:
            raise InvalidInput(f"{head}: {name} is at {moment:%z} then, not at {text[2]}; keep the one that is right.")
        return moment
    first, second = (local.to_pydatetime().replace(tzinfo=zone, fold=f).utcoffset() for f in (0, 1))
    if first != second:
        when, skipped = f"{local:%H:%M} on {iso_day(local)}", bool(first and second and first < second)
        how = (
            "is no time there, as the clocks are put forward"
            if skipped
            else "comes twice there, as the clocks are put back"
        )
        offsets = [
            f"'{local:%Y-%m-%d %H:%M}{local.tz_localize(timezone(o)):%z}'" for o in (first, second) if o is not None
        ]
        raise InvalidInput(f"{head}: {when} {how}; write the offset in place of {name} ({' or '.join(offsets)}).")
    return local.tz_localize(zone)


def _check_clock(moment: pd.Timestamp, when: datetime, ticker: str) -> None:
    """Refuse a time that its zone does not have, and the local mean time that pytz gives a datetime by default."""
    if moment.tzname() == "LMT" and moment.year > 1950:
        raise InvalidInput(
            f"Event {ticker}: {moment} is at the local mean time of another century, as tzinfo=pytz.timezone(...) makes it; use "
            f"zoneinfo.ZoneInfo('{moment.tz}'), or pytz's localize."
        )
    if pd.Timestamp(when.replace(tzinfo=None)) != moment.tz_convert("UTC").tz_convert(moment.tz).tz_localize(None):
        raise InvalidInput(
            f"Event {ticker}: {moment:%Y-%m-%d %H:%M} is no time in {moment.tz}, as the clocks are put forward; write the time with its offset."
        )


@dataclass(frozen=True)
class Tradable:
    """From which day news could be traded on, as arrays over events.

    ``days``: naive midnights; ``late``: the news came at or after a close; ``unknown``: by the place of an event, why its moment has no day.
    """

    days: pd.DatetimeIndex
    late: NDArray[np.bool_]
    unknown: Mapping[int, str]


def tradable_days(events: Sequence[Event], exchanges: Exchanges) -> Tradable:
    """Return for each event the day from which its news could be traded on.

    Raises
    ------
    InvalidInput
        If nothing says which exchange places a moment: none fits the dates, or several do that give different days.
    """
    events = event_list(events)
    days = events.days.copy()
    late = _after_sessions(events, days, exchanges)
    unknown: dict[int, str] = {}
    days[late] += np.timedelta64(1, "D")
    timed = [i for i, e in events.timed.items() if e.is_moment]
    if not timed:
        return Tradable(pd.DatetimeIndex(days), late, unknown)
    moments = pd.DatetimeIndex([events[i].moment.tz_convert("UTC") for i in timed])
    choices = [exchanges.of(events[i]) for i in timed]
    names = list(dict.fromkeys(name for choice in choices for name in choice))
    placed = np.full((len(names), len(timed)), np.datetime64("NaT", "ns"))
    for row, name in enumerate(names):
        mine = np.array([k for k, choice in enumerate(choices) if name in choice])
        found, after = trading_days(moments[mine], name)
        placed[row, mine] = found.to_numpy(dtype="datetime64[ns]")
        known = is_known(found, name)
        for k in (k for k, own in enumerate(mine) if choices[own][0] == name):
            i = timed[mine[k]]
            days[i], late[i] = placed[row, mine[k]], after[k]
            if not known[k]:
                unknown[i] = f"outside the calendar {name} ({_span(name)}), which cannot place {events[i].asked}"
    there = ~np.isnat(placed)
    differs = (there & (placed != days[timed][None, :])).any(axis=0) | ~there.any(axis=0)
    if differs.any():
        k = int(differs.argmax())
        raise InvalidInput(_unplaced(events[timed[k]], {n: placed[r, k] for r, n in enumerate(names) if there[r, k]}))
    return Tradable(pd.DatetimeIndex(days), late, unknown)


def _after_sessions(events: EventList, days: NDArray[np.datetime64], exchanges: Exchanges) -> NDArray[np.bool_]:
    """Return which news came after the close of a session, in words; on a day without one the rule for closed days counts."""
    late = np.zeros(len(events), dtype=np.bool_)
    by_name: dict[str, list[int]] = {}
    for i, event in events.timed.items():
        if event.time_of_day == AFTER_CLOSE:
            late[i] = True
            by_name.setdefault(next(iter(exchanges.of(event)), exchanges.sessions), []).append(i)
    for name, places in by_name.items():
        if not name:
            continue
        rows = np.array(places)
        rows = rows[is_known(pd.DatetimeIndex(days[rows]), name)]
        if len(rows):
            first, last = (pd.Timestamp(d) for d in (days[rows].min(), days[rows].max()))
            late[rows] = np.isin(days[rows], exchange_sessions(name, first, last).to_numpy(dtype="datetime64[ns]"))
    return late


def _span(exchange: str) -> str:
    first, last = calendar_bounds(exchange)
    return f"known from {iso_day(first)} to {iso_day(last)}"


def _session_from(day: np.datetime64, exchange: str) -> pd.Timestamp:
    """Return the first session of an exchange from a day on; the day itself where none is known."""
    first = pd.Timestamp(day)
    last = min(first + pd.Timedelta(days=_LONGEST_CLOSE), calendar_bounds(exchange)[1])
    if not is_known(pd.DatetimeIndex([first]), exchange)[0]:
        return first
    sessions = exchange_sessions(exchange, first, last)
    return sessions[0] if len(sessions) else first


def _unplaced(event: Event, placed: Mapping[str, np.datetime64]) -> str:
    """Return why no exchange places a moment, and the ways out."""
    if placed:
        days = {name: _session_from(day, name) for name, day in placed.items()}
        if (
            len(set(days.values())) == 1
        ):  # a weekend and the evening before it, which the rule for closed days tells apart
            days = {name: pd.Timestamp(day) for name, day in placed.items()}
        by_day: dict[str, list[str]] = {}
        for name, day in days.items():
            by_day.setdefault(iso_day(day), []).append(name)
        found = "; ".join(f"{day} by {first_few(names, _NAMED)}" for day, names in by_day.items())
        why = f"the dates of its data are sessions of several exchanges, by whose closing times it belongs to different days: {found}"
        example = next(iter(placed))
    else:
        why, example = (
            "the dates of its data are the sessions of no exchange, so nothing says when trading closed",
            "XLON",
        )
    return (
        f"Event {event.ticker}: {event.asked} is a moment, and {why}. Name the exchange, EventStudy(calendar='{example}') or "
        f"Event(..., exchange='{example}') (24/7 for coins), or give the day alone."
    )


def locate_sessions(
    events: Sequence[Event], sessions: pd.DatetimeIndex, exchange: str | Exchanges | None, closed_day: ClosedDay
) -> Places:
    """Find each event's session on a list of sessions.

    Parameters
    ----------
    sessions : DatetimeIndex
        Ascending naive midnights, shape (T,).
    exchange : str, Exchanges or None
        Whose closing times decide about moments; None: of the exchange whose sessions these are.
    """
    check_closed_day(closed_day)
    events = event_list(events)
    if not isinstance(exchange, Exchanges):
        named = exchange if exchange != AUTO else None
        exchange = Exchanges(named or "", named or "") if named else Exchanges(of_dates=recognised(sessions))
    tradable = tradable_days(events, exchange)
    stamps = sessions.to_numpy(dtype="datetime64[ns]")
    days = tradable.days.to_numpy(dtype="datetime64[ns]")
    after = np.searchsorted(stamps, days, side="left")
    is_session = np.zeros(len(days), dtype=bool)
    inside = after < len(stamps)
    is_session[inside] = stamps[after[inside]] == days[inside]
    remarks = _midnights(events, exchange, after, stamps)
    remarks |= dict.fromkeys(np.flatnonzero(is_session & tradable.late).tolist(), "after the close: next session")
    position = np.where(is_session, after, -1)
    outside = frozenset(tradable.unknown)
    closed = np.flatnonzero(~is_session)
    if not events.timed:
        return _settled(events, position, after, remarks, closed, sessions, closed_day, exchange)
    for i in sorted({*closed.tolist(), *outside}):
        found = (
            Located(-1, tradable.unknown[i], outside=True)
            if i in outside
            else _settle(events[i], int(after[i]), bool(tradable.late[i]), sessions, closed_day, exchange)
        )
        position[i], remarks[i] = found.position, found.remark
        outside |= {i} if found.outside else set()
    return Places(position, remarks, outside)


def _settled(
    events: EventList,
    position: NDArray[np.int64],
    after: NDArray[np.int64],
    remarks: dict[int, str],
    closed: NDArray[np.int64],
    sessions: pd.DatetimeIndex,
    closed_day: ClosedDay,
    exchange: Exchanges,
) -> Places:
    """Return where events fell of which the days alone are known, ``closed`` those on days without a session: one answer a day."""
    days, first, which = np.unique(events.days[closed], return_index=True, return_inverse=True)
    found: list[Located | None] = [None] * len(days)
    for day in np.argsort(first).tolist():  # the first row that is refused is named
        i = int(closed[first[day]])
        found[day] = _settle(events[i], int(after[i]), False, sessions, closed_day, exchange)
    known = [f for f in found if f is not None]
    position[closed] = np.array([f.position for f in known], dtype=np.int64)[which]
    remarks |= zip(closed.tolist(), as_objects([f.remark for f in known])[which].tolist(), strict=True)
    far = np.array([f.outside for f in known], dtype=np.bool_)[which]
    return Places(position, remarks, frozenset(closed[far].tolist()))


def _midnights(
    events: EventList, exchanges: Exchanges, after: NDArray[np.int64], stamps: NDArray[np.datetime64]
) -> dict[int, str]:
    """Return what to say of midnights with a zone whose moment belongs to another session than the day that they are read as, by place."""
    said: dict[int, str] = {}
    groups: dict[str, list[int]] = {}
    for i, event in events.timed.items():
        if event.moment.tzinfo is not None and not event.is_moment and exchanges.of(event):
            groups.setdefault(exchanges.of(event)[0], []).append(i)
    for name, mine in groups.items():
        found, _ = trading_days(pd.DatetimeIndex([events[i].moment.tz_convert("UTC") for i in mine]), name)
        places = np.searchsorted(stamps, found.to_numpy(dtype="datetime64[ns]"), side="left")
        for i, place, day in zip(mine, places, found, strict=True):
            if place != after[i]:
                said[i] = (
                    f"midnight of {events[i].moment.tz} read as its day; as a moment it is {iso_day(day)} on {name}"
                )
    return said


def _settle(
    event: Event, at: int, late: bool, sessions: pd.DatetimeIndex, closed_day: ClosedDay, exchanges: Exchanges
) -> Located:
    """Apply the rule for closed days to an event on one; ``at`` is the first session after its day."""
    counted, held = exchanges.sessions, exchanges.held
    if at == 0 or at == len(sessions):
        span = f"{iso_day(sessions[0])} to {iso_day(sessions[-1])}" if len(sessions) else "no sessions"
        unknown = ""
        if counted and not is_known(pd.DatetimeIndex([event.day]), counted)[0]:
            unknown = f"; the calendar {counted} is {_span(counted)}"
            if held and held[0] <= event.day <= held[1]:
                return Located(
                    -1,
                    f"the calendar {counted} is {_span(counted)} and has no session for it, though the data hold {iso_day(held[0])} to "
                    f"{iso_day(held[1])}; calendar=None takes the dates of the data as sessions",
                    outside=True,
                )
        return Located(-1, f"outside the data ({span}){unknown}", outside=True)
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


_LIKE_A_KEY = re.compile(r".* (#\d+|\d{4}-\d\d-\d\d)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class EventKeys(Sequence[str]):
    """Short unique names of N events, each written when it is asked for.

    Attributes
    ----------
    tickers : ndarray of object, shape (N,)
        The firms.
    days : ndarray of datetime64[D], shape (N,)
        The session of each event whose firm has several, else NaT.
    number : ndarray of int, shape (N,)
        Which one it is of those of a firm on a session.
    """

    tickers: NDArray[np.object_]
    days: NDArray[np.datetime64]
    number: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.tickers)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> EventKeys: ...
    def __getitem__(self, place: int | slice) -> str | EventKeys:
        """Return one name, or some."""
        if isinstance(place, slice):
            return EventKeys(self.tickers[place], self.days[place], self.number[place])
        day, number = self.days[place], self.number[place]
        dated = self.tickers[place] if np.isnat(day) else f"{self.tickers[place]} {day}"
        return str(dated if number == 1 else f"{dated} #{number}")

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._written().tolist())

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NDArray[np.object_]:
        """Return the names as an array of objects, shape (N,)."""
        return self._written()

    def _written(self) -> NDArray[np.object_]:
        out = self.tickers.copy()
        dated = np.flatnonzero(~np.isnat(self.days))
        stamps, codes = np.unique(self.days[dated], return_inverse=True)
        out[dated] += as_objects([f" {day}" for day in stamps.tolist()])[codes]
        again = np.flatnonzero(self.number > 1)
        out[again] += as_objects([f" #{number}" for number in self.number[again].tolist()])
        return out

    def __eq__(self, other: object) -> bool:
        """Whether another sequence has the same names in the same order."""
        if isinstance(other, str) or not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(map(eq, self, other))

    def __hash__(self) -> int:
        """Return the hash of the names as a tuple."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self)) if len(self) <= _SHOWN else f"EventKeys of {len(self)} events"

    def take(self, chosen: NDArray[np.int64]) -> EventKeys:
        """Return some names, by position."""
        return EventKeys(self.tickers[chosen], self.days[chosen], self.number[chosen])


def keys_of_events(events: EventList, sessions: NDArray[np.datetime64]) -> Sequence[str]:
    """Return `event_keys` of events by their sessions, shape (N,), written when they are asked for."""
    firms, codes = events.firms
    days = sessions.astype("datetime64[D]")
    if any(map(_LIKE_A_KEY.fullmatch, firms)):  # a ticker that is written as a key, which may be another's
        return tuple(event_keys(events.tickers, np.datetime_as_string(days).tolist()))
    dated = np.bincount(codes, minlength=len(firms))[codes] > 1
    number = np.ones(len(codes), dtype=np.int32)
    at = days.astype(np.int64)
    low = int(at.min(initial=0))
    line = codes * (int(at.max(initial=0)) - low + 1) + (at - low)
    rows = np.flatnonzero(dated)
    order = rows[np.argsort(line[rows], kind="stable")]
    if len(order):
        first = np.append(True, line[order][1:] != line[order][:-1])
        begin = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        number[order] = np.arange(len(order)) - begin + 1
    return EventKeys(events.tickers, np.where(dated, days, np.datetime64("NaT", "D")), number)


def keys_at(keys: Sequence[str], places: NDArray[np.int64]) -> Sequence[str]:
    """Return the names of some events, by place, written when they are asked for if all are."""
    return keys.take(places) if isinstance(keys, EventKeys) else tuple(keys[i] for i in places.tolist())


def event_keys(tickers: NDArray[np.object_], sessions: Sequence[str]) -> list[str]:
    """Return one short unique name per event: the ticker, with its session, ISO format, if it occurs more than once."""
    names = tickers.tolist()
    many = {t for t, n in Counter(names).items() if n > 1}
    keys = [f"{t} {session}" if t in many else t for t, session in zip(names, sessions, strict=True)]
    seen: dict[str, int] = {}
    for i, key in enumerate(keys):
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            keys[i] = f"{key} #{seen[key]}"
    return keys
