"""Which days an answer of Yahoo must hold: the sessions of the exchange that it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.calendars import calendar_bounds, exchange_sessions, trading_day_of_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Yahoo shows some exchanges with a delay, so a session is expected this long after its close.
DELAY = pd.Timedelta(minutes=30)
#: More days than a weekend with holidays on both sides; what counts as a gap where no calendar is known.
LONG_GAP = pd.Timedelta(days=7)

# Yahoo's exchange codes, the calendar of each, and the currencies in which it quotes.
_GROUPS = {
    ("XNYS", "USD"): "NMS NGM NCM NYQ ASE PCX BTS SNP DJI NIM NAS",
    ("XLON", "GBp GBP USD EUR"): "LSE FGI",
    ("XTKS", "JPY"): "JPX OSA TYO",
    ("XETR", "EUR USD GBP"): "GER",
    ("XFRA", "EUR USD"): "FRA",
    ("XPAR", "EUR USD"): "PAR",
    ("XAMS", "EUR USD GBP"): "AMS",
    ("XBRU", "EUR USD"): "BRU",
    ("XMIL", "EUR USD"): "MIL",
    ("XMAD", "EUR"): "MCE",
    ("XSWX", "CHF USD EUR GBP"): "EBS VTX ZRH",
    ("XSTO", "SEK EUR"): "STO",
    ("XCSE", "DKK EUR"): "CPH",
    ("XHEL", "EUR"): "HEL",
    ("XOSL", "NOK"): "OSL",
    ("XWBO", "EUR"): "VIE",
    ("XASX", "AUD"): "ASX",
    ("XNZE", "NZD"): "NZE",
    ("XTSE", "CAD USD"): "TOR",
    ("XHKG", "HKD CNY USD"): "HKG",
    ("XKRX", "KRW"): "KSC KOE",
    ("XTAI", "TWD"): "TAI",
    ("BVMF", "BRL"): "SAO",
}
_EXCHANGES = {code: pair for pair, codes in _GROUPS.items() for code in codes.split()}
# Only where an answer names no exchange, and only for shares, funds and their indexes.
_ZONES = {
    "America/New_York": "XNYS",
    "Europe/London": "XLON",
    "Asia/Tokyo": "XTKS",
    "Europe/Berlin": "XETR",
    "Australia/Sydney": "XASX",
}


@dataclass(frozen=True)
class Market:
    """Where an instrument is traded, as far as an answer tells.

    Attributes
    ----------
    name : str
        Yahoo's code of the exchange; empty if the answer names none.
    calendar : str
        The exchange calendar; empty if none is known for it.
    currencies : tuple of str
        The currencies in which it quotes; empty if not known.
    """

    name: str
    calendar: str
    currencies: tuple[str, ...] = ()

    @classmethod
    def of(cls, metadata: Mapping[str, object]) -> Market:
        """Return the market that an answer names.

        Parameters
        ----------
        metadata : mapping
            ``exchangeName``, ``exchangeTimezoneName``, ``instrumentType``.

        Returns
        -------
        Market
            By the name of the exchange or, if it is absent, by the time zone.

        Examples
        --------
        >>> Market.of({"exchangeName": "NMS"}).calendar, Market.of({"exchangeName": "CCC"}).calendar
        ('XNYS', '')
        """
        name = str(read(metadata, "exchangeName") or "")
        if name:
            calendar, currencies = _EXCHANGES.get(name, ("", ""))
            return cls(name, calendar, tuple(currencies.split()))
        shares = read(metadata, "instrumentType") in ("EQUITY", "ETF", "INDEX")
        return cls("", _ZONES.get(str(read(metadata, "exchangeTimezoneName")), "") if shares else "")

    def sessions(self, start: str, end: str) -> pd.DatetimeIndex | None:
        """Return the sessions of a range, or None where they are not known.

        Parameters
        ----------
        start, end : str
            First and last day, ISO format.

        Returns
        -------
        DatetimeIndex or None
            Sessions as naive midnights.
        """
        if not self.calendar:
            return None
        first, last = calendar_bounds(self.calendar)
        if pd.Timestamp(start) < first or pd.Timestamp(end) > last:
            return None
        return exchange_sessions(self.calendar, start, end)

    def first_open_day(self, now: pd.Timestamp) -> pd.Timestamp | None:
        """Return the first day whose session is not over at a moment; None without a calendar.

        Parameters
        ----------
        now : Timestamp
            A moment with a time zone; the delay of the source is allowed for.

        Returns
        -------
        Timestamp or None
            Naive midnight.
        """
        return trading_day_of_moment(now - DELAY, self.calendar)[0] if self.calendar else None

    def is_over(self, day: pd.Timestamp, moment: pd.Timestamp) -> bool:
        """Tell whether the session of a day is over at a moment.

        Parameters
        ----------
        day : Timestamp
            Naive midnight.
        moment : Timestamp
            With a time zone.

        Returns
        -------
        bool
            Without a calendar, whether the day is before the moment's.
        """
        if not self.calendar:
            return day < moment.tz_localize(None).normalize()
        return day < trading_day_of_moment(moment, self.calendar)[0]


def read(metadata: Mapping[str, object], key: str) -> object:
    """Return a value or None; by key only, because going over all keys makes the client ask Yahoo once more.

    Parameters
    ----------
    metadata : mapping
        The client's metadata.
    key : str
        The key.

    Returns
    -------
    object
        The value, or None if it is absent.
    """
    try:
        return metadata[key]
    except KeyError:
        return None


def list_days(days: pd.Index[pd.Timestamp]) -> str:
    """Return days as text, the first five of many.

    Parameters
    ----------
    days : Index
        The days.

    Returns
    -------
    str
        E.g. ``2025-01-24, 2025-01-27``.
    """
    return ", ".join(f"{day:%Y-%m-%d}" for day in days[:5]) + (f" and {len(days) - 5} more" if len(days) > 5 else "")
