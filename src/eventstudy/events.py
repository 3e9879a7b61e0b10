"""Events: which firm, when, and the first session in which the news could be traded on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from eventstudy.interchange import as_pandas, is_table
from eventstudy.wording import iso_day


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of news about one firm.

    Parameters
    ----------
    ticker : str
        The firm, as in the price table.
    when : str, date, datetime or Timestamp
        A day (``"2025-01-27"``), or a moment with its time zone
        (``"2025-01-26 17:16-05:00"``, or a `datetime` with ``tzinfo``).
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
    the next one. A day means the session of that day.

    Examples
    --------
    >>> Event("NVDA", "2025-01-20").first_session()     # New York was closed: Martin Luther King Jr Day
    Timestamp('2025-01-21 00:00:00')
    >>> Event("NVDA", "2025-01-27 17:00-05:00").first_session()
    Timestamp('2025-01-28 00:00:00')
    """

    ticker: str
    when: str | date | datetime | pd.Timestamp
    label: str = ""
    group: str = ""
    moment: pd.Timestamp = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.ticker, str) or not self.ticker.strip():
            raise InvalidInput(f"An event's ticker is {self.ticker!r}; give a name such as 'NVDA'.")
        if not self.ticker.strip().isprintable():
            raise InvalidInput(
                f"An event's ticker is {self.ticker[:60]!a}, with a control character in it; correct it."
            )
        object.__setattr__(self, "ticker", self.ticker.strip())
        object.__setattr__(self, "moment", _read_moment(self.when, self.ticker))

    @property
    def is_moment(self) -> bool:
        """True if the event carries a time of day."""
        return self.moment.tzinfo is not None

    @property
    def asked(self) -> str:
        """What was asked for, as text: the day, or the moment with its zone."""
        return f"{self.moment:%Y-%m-%d %H:%M%z}" if self.is_moment else iso_day(self.moment)

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
    return [
        trading_day_of_moment(e.moment, exchange or DEFAULT_EXCHANGE) if e.is_moment else (e.moment, False)
        for e in events
    ]


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
    if closed_day == "previous" and event.is_moment:
        raise InvalidInput(
            f"Event {event.ticker}: {closed}, and closed_day='previous' would take the session before the news of "
            f"{event.asked}. Use 'next' or 'drop', or give the day alone."
        )
    if closed_day == "drop":
        return Located(-1, f"{closed}, and closed_day is 'drop'")
    return Located({"next": at, "previous": at - 1}[closed_day], f"{closed}: {closed_day} session")


def as_events(events: Event | Iterable[Event] | pd.DataFrame | object) -> tuple[Event, ...]:
    """Return events given as a list or as a table with ``ticker`` and ``date``."""
    if isinstance(events, Event):
        return (events,)
    if is_table(events):
        return _events_from_frame(as_pandas(events, "The events table"))
    words: object = events
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise InvalidInput(
            f"Events are {words!r}; give a list of Event, or a table with ticker and date (pandas.read_csv of a file)."
        )
    given: tuple[object, ...] = tuple(words)
    if not given:
        raise InvalidInput("No events given; a study needs at least one.")
    for item in given:
        if not isinstance(item, Event):
            raise InvalidInput(
                f"{item!r} is not an Event; write Event('NVDA', '2025-01-27') or give a table with ticker and date."
            )
    return tuple(item for item in given if isinstance(item, Event))


def _events_from_frame(table: pd.DataFrame) -> tuple[Event, ...]:
    columns = {str(c).strip().lower(): c for c in table.columns}
    when = columns.get("date", columns.get("when"))
    if "ticker" not in columns or when is None:
        raise InvalidInput(
            f"The events table has the columns {', '.join(map(str, table.columns))}; it needs 'ticker' and 'date'."
        )
    if "time" in columns or ("date" in columns and "when" in columns):
        raise InvalidInput(
            "The events table has two columns of time; write the moment in one, with its zone: date = 2025-01-26 17:16-05:00."
        )
    if table.empty:
        raise InvalidInput("The events table has no rows; a study needs at least one event.")

    def text(name: str) -> list[str]:
        if name not in columns:
            return [""] * len(table)
        return ["" if pd.isna(v) else str(v) for v in table[columns[name]]]

    tickers = ["" if pd.isna(v) else str(v) for v in table[columns["ticker"]]]
    rows = zip(tickers, table[when], text("label"), text("group"), strict=True)
    return tuple(_row_event(place, row) for place, row in enumerate(rows, start=1))


def _row_event(place: int, row: tuple[str, object, str, str]) -> Event:
    """Return the event of one row; an error names the row, counted from 1 without the header."""
    try:
        return Event(*row)  # type: ignore[arg-type]
    except InvalidInput as error:
        raise InvalidInput(f"Row {place}: {error.message}") from error


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
