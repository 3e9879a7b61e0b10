"""What readers were told before, and the stop if a build would tell them otherwise without anybody's word."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing, NotAsRecorded
from eventstudy.files import sha256, write_whole
from eventstudy.report import manifest
from eventstudy.report.changes import (
    Cause,
    ChangedConclusion,
    NumberChange,
    causes,
    changed_conclusions,
    other_flips,
)
from eventstudy.report.corrections import Correction, read_corrections
from eventstudy.report.numbers import FILE, Published, read_published
from eventstudy.report.versions import check_owner, version_folder, version_numbers

if TYPE_CHECKING:
    from eventstudy.spec import StudySpec

#: Where a draft keeps the numbers of the last build that was none.
LAST_FINAL = "last_final.json"
PAGE = "index.html"
#: In place of a digest: numbers of which not even that is known.
_UNKNOWN = "unknown"
_LOST = re.compile(r'\{"lost": "(?P<digest>[0-9a-f]{64}|unknown)"\}\n')


class ConclusionsChanged(NotAsRecorded):
    """A report would say otherwise than readers were told, and nobody has accepted that."""


@dataclass(frozen=True, slots=True)
class Told:
    """What readers were told.

    Attributes
    ----------
    version : Published or None
        The newest published version; None if there is none.
    last : Published or None
        The last build that was no draft; None if there is none, or its numbers are gone.
    corrected : frozenset of str
        Conclusions that were corrected since the version was published: the last build decides on these.
    lost : str
        Digest of the last build's numbers, or ``unknown``, if they are gone and nothing else says what they were; else empty.
    """

    version: Published | None = None
    last: Published | None = None
    corrected: frozenset[str] = frozenset()
    lost: str = ""


def told(spec: StudySpec) -> Told:
    """Return what readers of a study were told, by its newest published version and its last build that was no draft.

    Parameters
    ----------
    spec : StudySpec
        The study.

    Raises
    ------
    StudyFileError
        If the corrections cannot be read.
    """
    version, since = _newest_version(spec)
    last = _last_final(spec.folder)
    lost = _lost(spec.folder) if version is None and last is None else ""
    return Told(version, last, since, lost)


def _newest_version(spec: StudySpec) -> tuple[Published | None, frozenset[str]]:
    """Return the numbers of the newest version that has any, and what was corrected since."""
    target = spec.publish_folder
    if target is None:
        return None, frozenset()
    check_owner(spec, target)
    for number in reversed(version_numbers(target)):
        folder = version_folder(target, number)
        found = _read(folder)
        if found is not None:
            then = read_corrections(folder)
            return found, frozenset(c.what for c in read_corrections(spec.folder) if c not in then)
    return None, frozenset()


def _read(path: Path) -> Published | None:
    try:
        return read_published(path)
    except DataMissing:
        return None


def _last_final(folder: Path) -> Published | None:
    here = _read(folder)
    return here if here is not None and here.state != "draft" else _read(folder / LAST_FINAL)


def _lost(folder: Path) -> str:
    """Return the recorded digest of a last build's numbers that are gone; empty if it was a draft or never made."""
    recorded = manifest.read_manifest(folder)
    kept = folder / LAST_FINAL
    if kept.is_file():
        digest = _LOST.fullmatch(kept.read_text(encoding="utf-8", errors="replace"))
        return digest["digest"] if digest else _UNKNOWN
    if recorded is None:  # a page without manifest and numbers was built by somebody, and read
        return _UNKNOWN if (folder / PAGE).is_file() and _read(folder) is None else ""
    if recorded["inputs"].get(manifest.STATE) == "draft":
        return ""
    return recorded["outputs"].get(FILE, "")


def keep_last_final(folder: Path, stage: Path, now: Published, lost: str = "") -> None:
    """Keep the numbers of the last build that was no draft beside a draft that takes their place; or that they are lost."""
    if now.state != "draft":
        return
    here = _read(folder)
    if here is not None and here.state != "draft":
        shutil.copyfile(folder / FILE, stage / LAST_FINAL)
    elif lost:
        write_whole(stage / LAST_FINAL, f'{{"lost": "{lost}"}}\n')


def forget_last_final(folder: Path, now: Published) -> None:
    """Remove what a draft kept, once a build that is none stands in its place."""
    if now.state != "draft":
        (folder / LAST_FINAL).unlink(missing_ok=True)


def judge_changes(
    spec: StudySpec, before: Told, now: Published, accept: str | None, date: str
) -> tuple[Correction, ...]:
    """Return the corrections that accepted changes of conclusions make; stop if they were not accepted.

    Parameters
    ----------
    spec : StudySpec
        The study.
    before : Told
        What readers were told.
    now : Published
        What they would be told.
    accept : str or None
        Why conclusions may differ.
    date : str
        Day of the corrections; by default the day of the prices, or their last one if they have none.

    Raises
    ------
    ConclusionsChanged
        If a conclusion differs and ``accept`` is None; the message lists old, new and what changed underneath.
    """
    if before.lost and accept is None and now.state != "draft" and sha256(now.to_json().encode("utf-8")) != before.lost:
        raise ConclusionsChanged(
            f"{spec.name}: {FILE} of the last build is gone, so nobody can tell whether a conclusion would change; the report stays. "
            f'Put the file back, or build with --accept-changes "why".'
        )
    changed, base = conclusions_otherwise(before, now)
    if base is None:
        return ()
    why = causes(base, now, price_lines(spec, base, now))
    if accept is None:
        raise ConclusionsChanged(_refusal(spec, changed, why), changes=changed, causes=why)
    cause = "; ".join(str(c) for c in why)
    day = date or str(now.data["retrieved"] or now.data.get("last", ""))
    return tuple(Correction(day, c.what, c.old, c.new, cause, accept) for c in changed)


def conclusions_otherwise(before: Told, now: Published) -> tuple[tuple[ChangedConclusion, ...], Published | None]:
    """Return the conclusions that differ from what readers were told, and the build that told them; None if none differs."""
    if before.version is None:
        changed = () if before.last is None else changed_conclusions(before.last, now)
        return changed, before.last if changed else None
    decided = before.corrected if before.last is not None else frozenset()
    changed = tuple(c for c in changed_conclusions(before.version, now) if c.what not in decided)
    later = () if before.last is None else changed_conclusions(before.last, now)
    again = tuple(c for c in later if c.what in decided)
    return (*changed, *again), before.version if changed else before.last if again else None


def flips_beside(before: Told, now: Published) -> tuple[NumberChange, ...]:
    """Return the results that changed sign or significance and are no conclusions; a build tells of them and goes on."""
    base = before.last or before.version
    return () if base is None else other_flips(base, now)


def price_lines(spec: StudySpec, last: Published, now: Published) -> tuple[str, ...]:
    """Return which prices changed and how, if the prices of the last report are still there."""
    from eventstudy.report.build_differences import price_differences

    return price_differences(last, now, (spec.folder,))


def _refusal(spec: StudySpec, changed: Sequence[ChangedConclusion], why: Sequence[Cause]) -> str:
    lines = [f"{spec.name}: {len(changed)} conclusion{'s' if len(changed) > 1 else ''} would change; the report stays."]
    lines += [f"  {c}" for c in changed]
    lines += [f"  because of {c}" for c in why] or ["  nothing that is recorded changed underneath"]
    lines.append(
        'Look at it, then build with --accept-changes "why" to correct the report and record that it said otherwise.'
    )
    return "\n".join(lines)
