"""Checks of validity: what about this design should make a reader careful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.inference import recommend
from eventstudy.panel import EventPanel
from eventstudy.windows import Window

#: Name of the check of validity that tells what the checks of prices found.
PRICE_CHECK = "Prices fit for use"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a study.

    Attributes
    ----------
    name : str
        What was looked at.
    value : str
        What was found.
    rule : str
        What is expected.
    passed : bool
        Whether it holds.
    comment : str
        What to do, if it does not.
    """

    name: str
    value: str
    rule: str
    passed: bool
    comment: str = ""


#: A daily residual beyond this is rare enough to be looked up: a missed split, a typing error, or real news.
EXTREME = 0.4
#: Share of days without a price move beyond which prices look carried forward.
STILL = 0.15


def listed(names: Sequence[str], limit: int = 6) -> str:
    """Return names separated by commas, the rest counted."""
    shown = ", ".join(names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


def event_day(abnormal: AbnormalReturns) -> Window:
    """Return day 0, or the first day of an event window that does not hold it."""
    first = 0 if 0 in abnormal.window else abnormal.window.start
    return Window(first, first)


def believed(abnormal: AbnormalReturns) -> str:
    """Return the names of the tests to believe on the event day, in words."""
    return listed(recommend(abnormal, event_day(abnormal))[1]) or "no test by itself"


def design_checks(
    abnormal: AbnormalReturns, audit: pd.DataFrame, panel: EventPanel, measure: str = "return"
) -> tuple[Check, ...]:
    """Look at the design of a study: dependence, repeats, missing days, dropped events, returns beyond belief.

    Parameters
    ----------
    abnormal : AbnormalReturns
        The N events kept.
    audit : DataFrame
        One row for each event asked for.
    panel : EventPanel
        Their returns in event time.
    measure : str
        What may be abnormal; checks of the size of returns are made of returns only.

    Returns
    -------
    tuple of Check
    """
    kept = audit[audit["kept"]]
    of_returns = (_extremes(abnormal, panel), _still(panel)) if measure == "return" else ()
    return (
        _dropped(audit),
        _moved(audit),
        _shared(abnormal),
        _repeats(kept),
        _overlap(kept),
        _earlier(kept),
        _event_days(abnormal),
        _estimation_days(kept),
        *of_returns,
    )


def _dropped(audit: pd.DataFrame) -> Check:
    lost = audit[~audit["kept"]]
    return Check(
        "Events kept",
        f"{int(audit['kept'].sum())} of {len(audit)}",
        "all",
        lost.empty,
        "" if lost.empty else "; ".join(f"{k}: {r}" for k, r in list(lost["reason"].items())[:6]),
    )


def _moved(audit: pd.DataFrame) -> Check:
    moved = audit[audit["kept"] & audit["remark"].str.startswith("no session")]
    pairs = zip(moved.index, moved["remark"], moved["session"], strict=True)
    return Check(
        "Events on closed days",
        str(len(moved)),
        "none, or as intended",
        moved.empty,
        "; ".join(f"{k}: {r}, {s}" for k, r, s in list(pairs)[:6]),
    )


def _shared(abnormal: AbnormalReturns) -> Check:
    places = np.unique(abnormal.position)
    dates, width = len(places), len(abnormal.window)
    alone = abnormal.n in {1, dates}
    nearest = int(np.diff(places).min()) if dates > 1 else width
    comment = ""
    if not alone:
        comment = f"events on one date are correlated: believe {believed(abnormal)}, not csect_t, patell_z or bmp_t"
    elif nearest < width:
        comment = (
            f"some events are {nearest} session{'s' * (nearest != 1)} apart: windows of more than {nearest} day"
            f"{'s' * (nearest != 1)} share calendar days: believe kp_bmp_t for them"
        )
    return Check(
        "Independent dates",
        f"{dates} date{'s' * (dates != 1)} for {abnormal.n} event{'s' * (abnormal.n != 1)}",
        "one date per event, windows apart",
        not comment,
        comment,
    )


def _repeats(kept: pd.DataFrame) -> Check:
    repeats = kept.index[kept["duplicate"]].tolist()
    return Check(
        "Repeated events",
        str(len(repeats)),
        "none",
        not repeats,
        f"{listed(repeats)}: the same firm and session again, counted more than once in every average; remove the repeats"
        if repeats
        else "",
    )


def _overlap(kept: pd.DataFrame) -> Check:
    close = kept.index[kept["overlapping"]].tolist()
    return Check(
        "Overlapping windows of one firm",
        str(len(close)),
        "none",
        not close,
        f"{listed(close)}: one event's window holds another's, so effects cannot be told apart" if close else "",
    )


def _earlier(kept: pd.DataFrame) -> Check:
    found = kept.index[kept["event_in_estimation"]].tolist()
    return Check(
        "Estimation windows without an event of the same firm",
        f"{len(kept) - len(found)} of {len(kept)}",
        "all",
        not found,
        f"{listed(found)}: an earlier event counts as ordinary days there and widens the errors" if found else "",
    )


def _event_days(abnormal: AbnormalReturns) -> Check:
    seen = np.isfinite(abnormal.ar)
    short = [k for k, row in zip(abnormal.keys, seen, strict=True) if not row.all()]
    zero = -abnormal.window.start
    day_zero = [k for k, row in zip(abnormal.keys, seen, strict=True) if not row[zero]] if 0 in abnormal.window else []
    comment = f"{listed(short)}: missing days count as nothing in a CAR, and its length shrinks" if short else ""
    if day_zero:
        comment += f"; no return on the event day: {listed(day_zero)}"
    return Check("Complete event windows", f"{abnormal.n - len(short)} of {abnormal.n}", "all", not short, comment)


def _estimation_days(kept: pd.DataFrame) -> Check:
    short = kept[kept["estimation_days"] < kept["estimation_asked"]]
    fewest = int(kept["estimation_days"].min())
    return Check(
        "Complete estimation windows",
        f"{len(kept) - len(short)} of {len(kept)}, fewest days {fewest}",
        "all",
        short.empty,
        ""
        if short.empty
        else f"{listed([f'{k} ({d})' for k, d in short['estimation_days'].items()])}: fewer days, wider errors",
    )


def gap_checks(panel: EventPanel, holes: pd.DatetimeIndex) -> tuple[Check, ...]:
    """Return a check if the benchmark lacks days on which others have returns.

    Parameters
    ----------
    panel : EventPanel
        The events that found a session.
    holes : DatetimeIndex
        Weekdays that are no sessions only because the benchmark has no value.

    Returns
    -------
    tuple of Check
        Empty if there are no such days.
    """
    if holes.empty or panel.n == 0:
        return ()
    last = len(panel.calendar) - 1
    start = panel.calendar[np.clip(panel.position + panel.window.start - 1, 0, last)]
    end = panel.calendar[np.clip(panel.position + panel.window.end, 0, last)]
    hit = holes.searchsorted(start) < holes.searchsorted(end, side="right")
    touched = [k for k, flag in zip(panel.keys, hit, strict=True) if flag]
    return (
        Check(
            "Gaps in the benchmark",
            f"{len(holes)}: {listed([f'{d:%Y-%m-%d}' for d in holes], 4)}",
            "none in an event window",
            not touched,
            f"{listed(touched)}: relative days skip the gap, so a day's number after it is too small"
            if touched
            else "",
        ),
    )


def _extremes(abnormal: AbnormalReturns, panel: EventPanel) -> Check:
    """Look for days, in either window, that a missed split or a typing error may have made."""
    found = []
    for window, values in ((abnormal.estimation, abnormal.residuals), (abnormal.window, abnormal.ar)):
        events, days = np.nonzero(np.abs(np.nan_to_num(values)) > EXTREME)
        place = abnormal.position[events] + window.start + days
        found += [
            f"{abnormal.keys[i]} {values[i, d]:+.0%} on {panel.calendar[p]:%Y-%m-%d}"
            for i, d, p in zip(events, days, place, strict=True)
        ]
    return Check(
        "Abnormal returns within 40% a day",
        f"{len(found)} beyond",
        "none",
        not found,
        f"{listed(found)}: real news, a split not adjusted for, or a typing error? It widens every error of that firm"
        if found
        else "",
    )


def _still(panel: EventPanel) -> Check:
    """Look for firms whose price often does not move: thin trading, or a price carried forward."""
    days = np.maximum(panel.est_mask.sum(axis=1), 1)
    share = ((panel.est_returns == 0.0) & panel.est_mask).sum(axis=1) / days
    found = [f"{k} {s:.0%}" for k, s in zip(panel.keys, share, strict=True) if s > STILL]
    return Check(
        "Prices that move",
        f"{len(found)} of {panel.n} still on more than {STILL:.0%} of days",
        "none",
        not found,
        f"{listed(found)} of days without a move: thin trading or prices carried forward; beta and errors are too small"
        if found
        else "",
    )
