"""The corrections of a report: what it said, what it says now, and why."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from eventstudy.errors import InvalidInput, StudyFileError
from eventstudy.report.builds.manifest import CORRECTIONS
from eventstudy.toml import read_toml
from eventstudy.wording import iso_day

_HEAD = "# What this report said before, and why it changed. 'eventstudy build --accept-changes REASON' adds to it.\n"


@dataclass(frozen=True, slots=True)
class Correction:
    """One changed conclusion."""

    #: Day of the data on which it rests, ISO format.
    date: str
    what: str
    #: What the report said, and what it says now.
    old: str
    new: str
    #: What changed underneath: prices, code, environment, study.
    cause: str
    #: Why it was accepted, in its author's words.
    reason: str


def read_corrections(folder: Path) -> tuple[Correction, ...]:
    """Return the corrections of a study, oldest first."""
    path = folder / CORRECTIONS
    if path.is_symlink():
        raise StudyFileError(
            f"{folder.name}/{CORRECTIONS} is a link; it is published with the page: put the file itself there."
        )
    if not path.exists():
        return ()
    content = read_toml(path, "a file of corrections", error=StudyFileError)
    entries = content.get("corrections", [])
    if set(content) - {"corrections"} or not isinstance(entries, list):
        raise StudyFileError(f"{folder.name}/{CORRECTIONS} holds tables [[corrections]] and nothing else.")
    return tuple(_read(folder, place, entry) for place, entry in enumerate(entries, start=1))


def _read(folder: Path, place: int, entry: object) -> Correction:
    keys = [field.name for field in fields(Correction)]
    if not isinstance(entry, dict) or set(entry) != set(keys):
        raise StudyFileError(
            f"{folder.name}/{CORRECTIONS}: entry {place} needs the keys {', '.join(keys)}, and no others."
        )
    return Correction(**{key: str(entry[key]) for key in keys})


def corrections_text(entries: Sequence[Correction]) -> str:
    """Return the text of a corrections file."""
    blocks = [
        "\n[[corrections]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in asdict(entry).items())
        for entry in entries
    ]
    return _HEAD + "".join(blocks)


def _toml(text: str) -> str:
    """Return a string as TOML: its escapes are those of JSON, and one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def shown(entry: Correction) -> dict[str, str]:
    """Return a correction as the page shows it: the last day of the data, and the cause after the reason."""
    days = re.findall(r"\d{4}-\d{2}(?:-\d{2})?", entry.date)
    why = f"{entry.reason} (Changed: {entry.cause}.)" if entry.cause else entry.reason
    return {
        "date": days[-1] if days else entry.date,
        "what": entry.what,
        "old": entry.old,
        "new": entry.new,
        "reason": why,
    }


def check_reason(reason: str) -> str:
    """Return a reason in one line."""
    said = " ".join(reason.split())
    if len(said) < 3:
        raise InvalidInput("--accept-changes needs a reason that readers of the report can understand, in a sentence.")
    return said


def correction_date() -> str:
    """Return the day that ``SOURCE_DATE_EPOCH`` names, ISO format; empty without it."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not given:
        return ""
    try:
        return iso_day(datetime.fromtimestamp(int(given), tz=UTC))
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(f"SOURCE_DATE_EPOCH is {given!r}; give seconds since 1970, or unset it.") from error
