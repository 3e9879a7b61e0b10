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
        except InvalidInput:  # the installed libraries cannot build it
            continue
        sessions = exchange_sessions(name, first, last)
        kept.append(name)
        bits.append(np.packbits(days.isin(sessions)))
        spans.append([(first - FIRST_DAY).days, (last - FIRST_DAY).days])
    np.savez_compressed(SESSIONS, names=np.array(kept), bits=np.array(bits), spans=np.array(spans, dtype=np.int32))
    print(f"{len(kept)} exchanges, {Path(SESSIONS).stat().st_size:,} bytes; left out: {sorted(set(names) - set(kept))}")


if __name__ == "__main__":
    main()
