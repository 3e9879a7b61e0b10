"""Claims about dates, judged by the calendar, the exchange's sessions and the study's timeline."""

from __future__ import annotations

import pandas as pd

from eventstudy.calendars import DEFAULT_EXCHANGE, exchange_sessions
from eventstudy.claims.evidence import Evidence
from eventstudy.claims.ruling import Ruling, Verdict, not_testable
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.tolerance import judge_amount, tolerance
from eventstudy.errors import InvalidInput, StudyFileError

#: A first session is looked for within so many days.
_AHEAD = pd.Timedelta(days=30)


def judge_date(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge what a claim says of a day: weekday, session or not, first session, how long after another day, the timeline's date."""
    day = pd.Timestamp(str(part.date))
    exchange = ev.study.calendar or DEFAULT_EXCHANGE
    try:
        checks = [
            c
            for c in (_weekday(part, day), *_sessions(part, day, exchange), _after(part, day, exchange))
            if c is not None
        ]
        noted = _noted(ev, part, day)
    except StudyFileError:
        raise
    except InvalidInput as error:
        return not_testable(error.message, "a calendar that knows the day")
    if isinstance(noted, Ruling):
        return noted
    checks += [noted] if noted is not None else []
    verdicts: list[Verdict] = [v for v, _ in checks]
    verdict = next(
        (v for v in verdicts if v == "contradicted"), next((v for v in verdicts if v != "supported"), verdicts[0])
    )
    text = "; ".join(text for _, text in checks)
    inputs = (("day", f"{day:%Y-%m-%d}, {day:%A}"), ("calendar", exchange))
    return Ruling(verdict, f"{text[:1].upper()}{text[1:]}.", unit="days", inputs=inputs, days=f"{day:%Y-%m-%d}")


def _weekday(part: ClaimPart, day: pd.Timestamp) -> tuple[Verdict, str] | None:
    if part.weekday is None:
        return None
    found = f"{day:%A}"
    said = "as the article has it" if found == part.weekday else f"not a {part.weekday}"
    return ("supported" if found == part.weekday else "contradicted"), f"{_plain(day)} is a {found}, {said}"


def _sessions(part: ClaimPart, day: pd.Timestamp, exchange: str) -> list[tuple[Verdict, str] | None]:
    out: list[tuple[Verdict, str] | None] = []
    if part.session is None and part.first_session is None:
        return out
    ahead = exchange_sessions(exchange, f"{day:%Y-%m-%d}", f"{day + _AHEAD:%Y-%m-%d}")
    is_open = bool(len(ahead)) and ahead[0] == day
    if part.session is not None:
        text = f"the exchange was {'open' if is_open else 'closed'} on {_words(day)}"
        out.append(("supported" if is_open == part.session else "contradicted", text))
    if part.first_session is not None:
        first = pd.Timestamp(part.first_session)
        text = f"the first session from {_words(day)} on is {_words(ahead[0])}"
        out.append(("supported" if ahead[0] == first else "contradicted", text))
    return out


def _after(part: ClaimPart, day: pd.Timestamp, exchange: str) -> tuple[Verdict, str] | None:
    """Judge how long a day lies after another: in days, weeks, or sessions strictly between the two."""
    if part.after is None:
        return None
    start = pd.Timestamp(part.after)
    if part.unit == "sessions":
        inside = exchange_sessions(exchange, f"{start:%Y-%m-%d}", f"{day:%Y-%m-%d}")
        count = float(((inside > start) & (inside < day)).sum())
        text = f"{count:.0f} sessions lie between {_words(start)} and {_words(day)}"
    else:
        count = float((day - start).days) / (7.0 if part.unit == "weeks" else 1.0)
        unit = part.unit if count != 1.0 else part.unit.removesuffix("s")
        text = f"{_words(day)} is {count:g} {unit} after {_words(start)}"
    claimed = float(part.value or 0.0)
    if not part.wording:
        verdict: Verdict = "supported" if count == claimed else "overstated" if count < claimed else "understated"
        return verdict, text
    return judge_amount(count / claimed, tolerance(part.wording, claimed, dollars=False)), text


def _noted(ev: Evidence, part: ClaimPart, day: pd.Timestamp) -> tuple[Verdict, str] | Ruling | None:
    """Compare a day with the date that the study's timeline has for what the claim names."""
    if not part.timeline:
        return None
    table = ev.timeline
    if table is None or table.empty:
        return not_testable("the study has no timeline", "a timeline with the dated news")
    missing = sorted({"date", "what"} - set(table.columns))
    if missing:
        raise StudyFileError(
            f"timeline: the study's timeline has no column {', '.join(missing)}; it needs date and what."
        )
    found = table[table["what"].astype(str).str.contains(part.timeline, case=False, regex=False)]
    if found.empty:
        return not_testable(
            f"the study's timeline has no entry with “{part.timeline}”", "a dated entry in the timeline"
        )
    dates = list(dict.fromkeys(str(d) for d in found["date"]))
    try:
        days = [pd.to_datetime(d, format="%Y-%m-%d") for d in dates]
    except ValueError as error:
        raise StudyFileError(f"timeline: a date of the study's timeline is not like 2025-01-27: {error}.") from error
    text = f"the study's timeline dates it {' and '.join(_words(d) for d in days)} ({found['what'].iloc[0]})"
    return ("supported" if f"{day:%Y-%m-%d}" in dates else "contradicted"), text


def _plain(day: pd.Timestamp) -> str:
    return f"{day.day} {day:%B %Y}"


def _words(day: pd.Timestamp) -> str:
    return f"{day:%A} {_plain(day)}"
