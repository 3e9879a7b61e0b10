"""Checks of validity: what about this design should make a reader careful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns
from eventstudy.panel import EventPanel


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


def listed(names: Sequence[str], limit: int = 6) -> str:
    """Return names separated by commas, the rest counted."""
    shown = ", ".join(names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


def design_checks(abnormal: AbnormalReturns, audit: pd.DataFrame) -> tuple[Check, ...]:
    """Look at the design of a study: dependence, repeats, missing days, dropped events.

    Parameters
    ----------
    abnormal : AbnormalReturns
        The N events kept.
    audit : DataFrame
        One row for each event asked for.

    Returns
    -------
    tuple of Check
    """
    kept = audit[audit["kept"]]
    return (
        _dropped(audit),
        _moved(audit),
        _shared(abnormal),
        _repeats(kept),
        _overlap(kept),
        _earlier(kept),
        _event_days(abnormal),
        _estimation_days(kept),
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
    moved = audit[audit["kept"] & (audit["remark"] != "")]
    return Check(
        "Events moved to another session",
        str(len(moved)),
        "none, or as intended",
        True,
        "; ".join(
            f"{k}: {r} {s}" for k, r, s in list(zip(moved.index, moved["remark"], moved["session"], strict=True))[:6]
        ),
    )


def _shared(abnormal: AbnormalReturns) -> Check:
    places = np.unique(abnormal.position)
    dates, width = len(places), len(abnormal.window)
    alone = abnormal.n in {1, dates}
    nearest = int(np.diff(places).min()) if dates > 1 else width
    comment = ""
    if not alone:
        comment = (
            "events on one date are correlated: believe kp_bmp_t, grank_t and cda_t, not csect_t, patell_z or bmp_t"
        )
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
