"""Whether a study may be published yet: final, draft, or under an embargo; and the mark that says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from eventstudy.wording import long_day

Status = Literal["final", "draft"]
State = Literal["final", "draft", "embargoed", "released"]


def release_state(status: str, embargo_until: datetime | None, now: datetime | None = None) -> State:
    """Return what a report may be used for at a moment.

    Returns
    -------
    {"final", "draft", "embargoed", "released"}
        A draft is a draft, with or without an embargo; ``released`` is final after an embargo.

    Examples
    --------
    >>> until = datetime(2026, 12, 1, 11, tzinfo=UTC)
    >>> release_state("final", until, datetime(2026, 12, 1, 10, 59, tzinfo=UTC))
    'embargoed'
    >>> release_state("final", until, until)
    'released'
    """
    if status == "draft":
        return "draft"
    if embargo_until is None:
        return "final"
    return "embargoed" if (now or datetime.now(tz=UTC)) < embargo_until else "released"


def release_mark(state: str, embargo_until: datetime | None) -> str:
    """Return the words that mark every figure and page; empty if nothing holds the report back.

    Examples
    --------
    >>> release_mark("draft", None)
    'DRAFT'
    >>> release_mark("embargoed", datetime(2026, 12, 1, 6, tzinfo=UTC))
    'EMBARGO UNTIL 1 December 2026, 06:00 UTC'
    """
    if state == "draft":
        return "DRAFT"
    if state != "embargoed" or embargo_until is None:
        return ""
    zone = embargo_until.tzname() or ""
    return f"EMBARGO UNTIL {long_day(embargo_until)}, {embargo_until:%H:%M} {zone}".rstrip()
