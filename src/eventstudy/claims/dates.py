"""Claims about dates, judged by the calendar, the exchange's sessions and the study's timeline."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

from eventstudy.calendars import DEFAULT_EXCHANGE, exchange_sessions
from eventstudy.claims.evidence import Evidence
from eventstudy.claims.kind import Kind
from eventstudy.claims.ruling import Ruling, Verdict, judge_amount, not_testable, tolerance
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.words import AMOUNT_WORDS
from eventstudy.errors import InvalidInput, StudyFileError
from eventstudy.wording import capital, iso_day, long_day

#: A first session is looked for within so many days.
_AHEAD = pd.Timedelta(days=30)


#: A check of a day: what it says of the claim, and what was found.
_Check = tuple[Verdict, str]


def judge_date(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge what a claim says of a day: weekday, session or not, first session, how long after another day, the timeline's date."""
    day = pd.Timestamp(str(part.date))
    exchange = ev.study.calendar or DEFAULT_EXCHANGE
    try:
        checks = [*_weekday(part, day), *_sessions(part, day, exchange), *_after(part, day, exchange)]
        noted = _noted(ev, part, day)
    except StudyFileError:
        raise
    except InvalidInput as error:
        return not_testable(error.message, "a calendar that knows the day")
    if isinstance(noted, Ruling):
        return noted
    checks += noted
    text = "; ".join(text for _, text in checks)
    inputs = (("day", f"{iso_day(day)}, {day:%A}"), ("calendar", exchange))
    return Ruling(_worst(checks), f"{capital(text)}.", unit="days", inputs=inputs, days=iso_day(day))


def _worst(checks: list[_Check]) -> Verdict:
    """Return the verdict on all checks: contradicted if one is, else the first that is not supported."""
    verdicts = [v for v, _ in checks]
    if "contradicted" in verdicts:
        return "contradicted"
    return next((v for v in verdicts if v != "supported"), "supported")


def _agrees(holds: bool) -> Verdict:
    return "supported" if holds else "contradicted"


def _weekday(part: ClaimPart, day: pd.Timestamp) -> list[_Check]:
    if part.weekday is None:
        return []
    right = f"{day:%A}" == part.weekday
    said = "as the article has it" if right else f"not a {part.weekday}"
    return [(_agrees(right), f"{long_day(day)} is a {day:%A}, {said}")]


def _sessions(part: ClaimPart, day: pd.Timestamp, exchange: str) -> list[_Check]:
    if part.session is None and part.first_session is None:
        return []
    ahead = exchange_sessions(exchange, iso_day(day), iso_day(day + _AHEAD))
    found = []
    if part.session is not None:
        is_open = bool(len(ahead)) and ahead[0] == day
        text = f"the exchange was {'open' if is_open else 'closed'} on {_words(day)}"
        found.append((_agrees(is_open == part.session), text))
    if part.first_session is not None:
        text = f"the first session from {_words(day)} on is {_words(ahead[0])}"
        found.append((_agrees(ahead[0] == pd.Timestamp(part.first_session)), text))
    return found


def _after(part: ClaimPart, day: pd.Timestamp, exchange: str) -> list[_Check]:
    """Judge how long a day lies after another: in days, weeks, or sessions strictly between the two."""
    if part.after is None:
        return []
    start = pd.Timestamp(part.after)
    if part.unit == "sessions":
        inside = exchange_sessions(exchange, iso_day(start), iso_day(day))
        count = float(((inside > start) & (inside < day)).sum())
        text = f"{count:.0f} sessions lie between {_words(start)} and {_words(day)}"
    else:
        count = float((day - start).days) / (7.0 if part.unit == "weeks" else 1.0)
        unit = part.unit if count != 1.0 else part.unit.removesuffix("s")
        text = f"{_words(day)} is {count:g} {unit} after {_words(start)}"
    return [(_verdict_of_span(part, count), text)]


def _verdict_of_span(part: ClaimPart, count: float) -> Verdict:
    return judge_amount(count / part.amount, tolerance(part.wording, part.amount, whole=True))


def _noted(ev: Evidence, part: ClaimPart, day: pd.Timestamp) -> list[_Check] | Ruling:
    """Compare a day with the date that the study's timeline has for what the claim names."""
    if not part.timeline:
        return []
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
    try:
        noted = [pd.to_datetime(str(d), format="%Y-%m-%d") for d in found["date"]]
    except ValueError as error:
        raise StudyFileError(f"timeline: a date of the study's timeline is not like 2025-01-27: {error}.") from error
    entries = found.assign(date=noted).drop_duplicates("date").astype(object).to_dict("records")
    text = f"the study's timeline dates it {' and '.join(map(_entry_text, entries))}"
    return [_verdict_of_entries(entries, day, text)]


def _verdict_of_entries(entries: list[dict[Hashable, object]], day: pd.Timestamp, text: str) -> _Check:
    """Judge a day by the timeline's: only an entry with a source contradicts, and only beyond what its zone leaves open."""
    away = [abs((pd.Timestamp(str(e["date"])) - day).days) for e in entries]
    if 0 in away:
        return "supported", text
    if not any(map(_has_source, entries)):
        return "not testable here", f"{text}, which contradicts nothing"
    if any(days == 1 and not _cell(e, "zone") for days, e in zip(away, entries, strict=True)):
        return "not clear", f"{text}; without its zone a day may be the one beside it elsewhere"
    return "contradicted", text


#: What a timeline may have in place of a source, and that is none.
_NO_SOURCE = ("", "general knowledge", "press", "unknown", "own notes", "various", "n/a", "nan", "-")


def _cell(entry: dict[Hashable, object], key: str) -> str:
    value = entry.get(key)
    return "" if pd.isna(value) else str(value).strip()  # type: ignore[call-overload]


def _has_source(entry: dict[Hashable, object]) -> bool:
    """Whether an entry names a source that can be looked up."""
    return _cell(entry, "source").lower() not in _NO_SOURCE


def _entry_text(entry: dict[Hashable, object]) -> str:
    """Return an entry's day with what happened, its source and the zone of the day."""
    source = f"source: {_cell(entry, 'source')}" if _has_source(entry) else "without a source"
    zone = f"day of {_cell(entry, 'zone')}" if _cell(entry, "zone") else "zone not given"
    return f"{_words(pd.Timestamp(str(entry['date'])))} ({entry['what']}; {source}; {zone})"


def _words(day: pd.Timestamp) -> str:
    return f"{day:%A} {long_day(day)}"


def _something_to_check(part: ClaimPart) -> str:
    checked = {"weekday", "session", "first_session", "after", "timeline"}
    if any(part.given.get(key) not in (None, "") for key in checked):
        return ""
    return "needs something to check: weekday, session, first_session, after with value, or timeline"


DATES = {
    "date": Kind(
        judge_date,
        needs=("date",),
        allows=("weekday", "session", "first_session", "after", "value", "unit", "timeline", "wording"),
        units=("days", "sessions", "weeks"),
        wordings=AMOUNT_WORDS,
        check=_something_to_check,
        of_prices=False,
    ),
}
