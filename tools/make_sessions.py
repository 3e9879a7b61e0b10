"""Write data/sessions.npz: on which days the share exchanges were open, by which dates are recognised.

    python tools/make_sessions.py

The sessions that a study counts, and closing times, come from exchange_calendars itself. Exchanges of one set of days come in the order in
which they are named to readers, so the larger first. Markets of futures, energy and currencies are left out: their days are those of shares.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import exchange_calendars as xc
import numpy as np
import pandas as pd

from eventstudy.calendars import FIRST_DAY, LAST_DAY, SESSIONS, calendar_bounds, exchange_sessions
from eventstudy.errors import InvalidInput

LARGER = ["XNYS", "XLON", "XETR", "XPAR", "XTKS", "XHKG", "XSHG", "XTSE", "XSWX", "XASX"]
NO_SHARES = {"24/5", "CMES", "IEPA", "us_futures", "XCBF", "XEUR", "XEEE"}


def own_rules(name: str) -> pd.DatetimeIndex | None:
    """Return the sessions by a calendar's rules of holidays, where the library cannot build the calendar itself; None if it has none."""
    calendar = object.__new__(xc.calendar_utils._default_calendar_factories[name])
    days = pd.date_range(FIRST_DAY, LAST_DAY)
    try:
        closed = calendar.regular_holidays.holidays(FIRST_DAY, LAST_DAY).union(
            pd.DatetimeIndex(calendar.adhoc_holidays)
        )
    except NotImplementedError:
        return None
    spells = [(None, None, calendar.weekmask), *getattr(calendar, "special_weekmasks", [])]
    is_open = np.zeros(len(days), dtype=bool)
    for first, last, mask in spells:
        inside = (days >= (first or FIRST_DAY)) & (days <= (last or LAST_DAY))
        is_open[inside] = np.array([c == "1" for c in mask])[days[inside].dayofweek]
    return days[is_open & ~days.isin(closed)]


def main() -> None:
    """Build every calendar once and store its sessions as bits."""
    warnings.simplefilter("ignore")
    names = [n for n in xc.get_calendar_names(include_aliases=False) if n not in NO_SHARES]
    names.sort(key=lambda n: (LARGER.index(n) if n in LARGER else len(LARGER), n))
    days = pd.date_range(FIRST_DAY, LAST_DAY)
    kept, bits, spans = [], [], []
    for name in names:
        try:
            first, last = calendar_bounds(name)
            sessions: pd.DatetimeIndex | None = exchange_sessions(name, first, last)
        except InvalidInput:
            first, last, sessions = FIRST_DAY, LAST_DAY, own_rules(name)
        if sessions is None:
            continue
        kept.append(name)
        bits.append(np.packbits(days.isin(sessions)))
        spans.append([(first - FIRST_DAY).days, (last - FIRST_DAY).days])
    np.savez_compressed(SESSIONS, names=np.array(kept), bits=np.array(bits), spans=np.array(spans, dtype=np.int32))
    print(f"{len(kept)} exchanges, {Path(SESSIONS).stat().st_size:,} bytes; left out: {sorted(set(names) - set(kept))}")


if __name__ == "__main__":
    main()
