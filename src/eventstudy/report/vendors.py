"""What other vendors say of the embedded prices, in words for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eventstudy.calendars import DEFAULT_EXCHANGE
from eventstudy.prices.embedded import VendorFacts
from eventstudy.prices.snapshot import vendor_agreement
from eventstudy.report.findings import Findings

if TYPE_CHECKING:
    import pandas as pd

    from eventstudy.prices.table import Prices
    from eventstudy.spec import StudySpec


def window_days(spec: StudySpec, prices: Prices) -> dict[str, tuple[pd.Timestamp, ...]]:
    """Return the days of the event windows, per ticker of an event and per benchmark of the study's model.

    Parameters
    ----------
    spec : StudySpec
        Names events, model and window.
    prices : Prices
        The study's prices, whose days count as trading days.

    Returns
    -------
    dict of str to tuple of Timestamp
        Ascending; events whose day lies outside the table have none.
    """
    study, days = spec.build_study(), prices.dates
    ahead, behind = spec.model.window.start, spec.model.window.end
    benchmarks = [c for c in study.model.columns if c in prices.tickers]
    found: dict[str, set[int]] = {}
    for event in spec.event_list():
        session = event.first_session(study.calendar or DEFAULT_EXCHANGE, study.closed_day)
        if session is None or session > days[-1]:
            continue
        place = int(np.searchsorted(days.to_numpy(), session.to_datetime64()))
        window = range(max(place + ahead, 0), min(place + behind + 1, len(days)))
        for ticker in (event.ticker, *benchmarks):
            found.setdefault(ticker, set()).update(window)
    return {ticker: tuple(days[i] for i in sorted(places)) for ticker, places in found.items()}


def vendor_lines(f: Findings) -> tuple[str, ...]:
    """Return how many vendor-days agree: first in all, then vendor by vendor; empty for prices of the study's own."""
    if f.prices.provenance.source != "snapshot":
        return ()
    facts = vendor_agreement()
    return (_in_all(facts), *(_one(v) for v in facts)) if facts else ()


def _in_all(facts: tuple[VendorFacts, ...]) -> str:
    parts, late = [], []
    for what, limit in (("closes", "half a cent"), ("returns", "2 basis points")):
        chosen = [v for v in facts if v["what"] == what]
        compared = sum(v["compared"] for v in chosen)
        if compared:
            agreeing = compared - sum(v["differing"] for v in chosen)
            parts.append(f"{agreeing:,} of {compared:,} vendor-days of {what} agree to {limit}")
            late.append(f"{sum(v['differing_recent'] for v in chosen)} of {what}")
    since = min(v["recent"] for v in facts)
    return f"Other vendors on these series: {' and '.join(parts)}; since {since} there differ {' and '.join(late)}."


def _one(v: VendorFacts) -> str:
    agreeing = v["compared"] - v["differing"]
    text = (
        f"{v['vendor']}, {v['what']} of {v['tickers']} series, {v['first']} to {v['last']}: {agreeing:,} of {v['compared']:,} "
        f"vendor-days agree; since {v['recent']} there differ {v['differing_recent'] or 'none'}"
    )
    return f"{text} ({v['remark']})." if v["remark"] else f"{text}."
