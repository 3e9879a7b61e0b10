"""Trading sessions of an exchange, and the first session in which news could be traded on."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.wording import iso_day

if TYPE_CHECKING:
    from datetime import date

#: What to do with an event on a day without a session.
ClosedDay = Literal["next", "previous", "drop", "error"]

DEFAULT_EXCHANGE = "XNYS"

# Fixed bounds: the calendar library's own default moves with today's date, and the same
# study would answer differently next year.
FIRST_DAY = pd.Timestamp("1970-01-02")
LAST_DAY = pd.Timestamp("2030-12-31")


def check_closed_day(value: str) -> ClosedDay:
    """Return ``value`` if it is an allowed word for closed days."""
    for word in get_args(ClosedDay):
        if word == value:
            return word  # type: ignore[no-any-return]
    raise InvalidInput(f"closed_day is {value!r}; choose one of {', '.join(get_args(ClosedDay))}.")


@lru_cache(maxsize=8)
def _calendar(exchange: str) -> Any:  # the library ships no types
    import exchange_calendars as xc

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its use of pandas is not the user's
            return xc.get_calendar(exchange, start=FIRST_DAY, end=LAST_DAY)
    except xc.errors.InvalidCalendarName:
        raise InvalidInput(
            f"No exchange calendar is called {exchange!r}; use an ISO market code such as XNYS (New York), "
            f"XLON, XETR, XTKS, or calendar=None to take the dates of the benchmark."
        ) from None
    except ValueError:  # some calendars are known for fewer years; their bounds do not move with the date
        start, end = _bounds(xc.get_calendar(exchange))
        return xc.get_calendar(exchange, start=start, end=end)


def _bounds(calendar: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
    first, last = type(calendar).bound_min(), type(calendar).bound_max()
    return (
        FIRST_DAY if first is None else max(FIRST_DAY, first),
        LAST_DAY if last is None else min(LAST_DAY, last),
    )


def calendar_bounds(exchange: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and the last day for which the sessions of an exchange are known."""
    return _bounds(_calendar(exchange))


def exchange_sessions(exchange: str, first: date | str, last: date | str) -> pd.DatetimeIndex:
    """Return the sessions of an exchange between two days, both included.

    Parameters
    ----------
    exchange : str
        ISO market code, e.g. ``"XNYS"``.
    first, last : date or str
        Calendar days, from 1970-01-02 to 2030-12-31 (fewer years for some exchanges).

    Returns
    -------
    DatetimeIndex
        Sessions as naive midnights, ascending.

    Raises
    ------
    InvalidInput
        If the exchange is unknown or a day is outside the calendar.

    Examples
    --------
    >>> len(exchange_sessions("XNYS", "2025-01-01", "2025-01-31"))  # closed on 1, 9 and 20 January
    20
    """
    start, end = pd.Timestamp(first).normalize(), pd.Timestamp(last).normalize()
    known_from, known_to = calendar_bounds(exchange)
    if start < known_from or end > known_to:
        raise InvalidInput(
            f"The calendar {exchange} is known from {iso_day(known_from)} to {iso_day(known_to)}; "
            f"{iso_day(start)} to {iso_day(end)} was asked for."
        )
    sessions = _calendar(exchange).sessions
    chosen: pd.DatetimeIndex = sessions[(sessions >= start) & (sessions <= end)]
    return pd.DatetimeIndex(chosen.to_numpy(dtype="datetime64[ns]"))


def trading_day_of_moment(moment: pd.Timestamp, exchange: str) -> tuple[pd.Timestamp, bool]:
    """Return the calendar day whose session is the first that could trade on a moment's news.

    News during or before a session belongs to that session; news at or after its close,
    early closes included, belongs to a later day.

    Returns
    -------
    day : Timestamp
        Naive midnight; not necessarily a session.
    after_close : bool
        True if the moment fell at or after the close of a session, so that the next
        session is meant whatever the rule for closed days.
    """
    calendar = _calendar(exchange)
    local = moment.tz_convert(calendar.tz)
    day = local.tz_localize(None).normalize()
    first, last = calendar_bounds(exchange)
    if first <= day <= last and calendar.is_session(day) and moment >= calendar.session_close(day):
        return day + pd.Timedelta(days=1), True
    return day, False
