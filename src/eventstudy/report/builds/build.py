"""Build a report: everything is made in a staging folder and then moved into place."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import EventStudyError, InvalidInput, NotAsRecorded
from eventstudy.files import locked, staged
from eventstudy.report.builds import manifest
from eventstudy.report.builds.corrections import Correction, check_reason, correction_date
from eventstudy.report.builds.manifest import Reason
from eventstudy.report.builds.publish import HELD_BACK, Publication, check_target, publish, shows_newest
from eventstudy.report.builds.record import built_here
from eventstudy.report.builds.staging import finish_interrupted, staging_folder, switch

if TYPE_CHECKING:
    from eventstudy.console import Progress
    from eventstudy.report.builds.changed_numbers import NumberDifference
    from eventstudy.report.builds.numbers import NumberName
    from eventstudy.studyfile.spec import StudySpec

LOCK = ".build.lock"
#: Longest wait for another build of the same report, in seconds.
LOCK_TIMEOUT = 900


def silent(step: str, done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    folder: Path
    #: Why it was built; empty if it was up to date.
    reasons: tuple[Reason, ...]
    written: tuple[str, ...]
    #: What a fetch before the build brought, in words; empty if there was none.
    fetched: str = ""
    #: Why a fetch before the build failed; the report is of the prices that are stored.
    fetch_failed: Exception | None = None
    corrections: tuple[Correction, ...] = ()
    #: What was published, if it was asked for.
    publication: Publication | None = None
    #: Results that changed sign or significance and are no conclusions: said, and no reason to stop.
    flips: tuple[NumberDifference[NumberName], ...] = ()


def build(
    spec: StudySpec,
    *,
    force: bool = False,
    progress: Progress = silent,
    fetch: bool = False,
    accept_changes: str | None = None,
    to_publish: bool = False,
    wait: float = LOCK_TIMEOUT,
) -> Built:
    """Build a report if anything that it depends on has changed; publish it too if asked, or if the study file says ``auto``.

    All files are made in a staging folder first. Only when every one is there is the folder renamed to ``ready``
    and its files renamed into place, the manifest last; a build that was killed in between is finished by the next.
    """
    accepted = None if accept_changes is None else check_reason(accept_changes)
    to_publish |= spec.publish is not None and spec.publish.auto
    if to_publish:
        check_target(spec)
    with build_lock(spec.folder, wait):
        finish_interrupted(spec.folder)
        brought, failed = _fetch(spec, progress) if fetch else ("", None)
        built = replace(_build(spec, force, progress, accepted, to_publish), fetched=brought, fetch_failed=failed)
        if not to_publish:
            return built
        progress("publishing", 1, 1)
        return replace(built, publication=publish(spec))


def build_lock(folder: Path, wait: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
    """Keep other builds of a report away; a process that holds the lock may take it again."""
    held = f"has held {LOCK} for {wait:g} s" if wait > 0 else f"holds {LOCK}"
    words = f"Another build of {folder.name} {held}; wait for it or end it. Nothing was changed."
    return locked(folder / LOCK, wait, words)


def _fetch(spec: StudySpec, progress: Progress) -> tuple[str, Exception | None]:
    """Return what a fetch brought, or why it failed if the study allows prices as old as those that are stored."""
    from eventstudy.report.builds.fetch import refresh_prices, refuse_without

    try:
        return refresh_prices(spec, progress), None
    except InvalidInput:  # the study file is wrong, not the fetch
        raise
    except (EventStudyError, OSError) as error:
        refuse_without(spec, error)
        return "", error


def _build(spec: StudySpec, force: bool, progress: Progress, accepted: str | None, to_publish: bool) -> Built:
    reasons = (Reason("forced", spec.name),) if force else manifest.out_of_date(spec)
    if not reasons and to_publish:
        reasons = _otherwise_than_published(spec) or _not_built_here(spec)
    if not reasons:
        return Built(spec.folder, (), ())
    from eventstudy.report.builds.conclusions import forget_final_numbers, keep_final_numbers, published_before
    from eventstudy.report.builds.outputs import write_report

    with staging_folder(spec.folder) as stage:
        before = published_before(spec)
        done = write_report(spec, stage, progress, before=before, accept=accepted, date=correction_date())
        keep_final_numbers(spec.folder, stage, done.published, before.lost)
        written = switch(spec.folder, stage)
        forget_final_numbers(spec.folder, done.published)
        return Built(spec.folder, reasons, written, corrections=done.added, flips=done.flips)


def _otherwise_than_published(spec: StudySpec) -> tuple[Reason, ...]:
    """Return why a report that is up to date is judged again: files put back from elsewhere may contradict what is published."""
    from eventstudy.report.builds.conclusions import published_before
    from eventstudy.report.builds.numbers import read_published

    changed, _ = published_before(spec).otherwise(read_published(spec.folder))
    return (Reason("differs", "a conclusion", "the newest published version says otherwise"),) if changed else ()


def _not_built_here(spec: StudySpec) -> tuple[Reason, ...]:
    """Return why a report that would be a new version is built again: nobody here knows who made it."""
    if spec.state in HELD_BACK or built_here(spec.folder) or shows_newest(spec.folder, check_target(spec)):
        return ()
    return (Reason("not built here", spec.name, "it is built again before it is published"),)


def rebuild_differs(spec: StudySpec, progress: Progress = silent) -> tuple[Reason, ...]:
    """Build the report again in a temporary folder and compare every byte with the built files."""
    from eventstudy.report.builds.outputs import write_report

    recorded = manifest.read_manifest(spec.folder)
    if recorded is None:
        raise NotAsRecorded(f"{spec.name} was not built by this version; build it before it is compared.")
    with staged(None, "eventstudy-") as stage:
        write_report(spec, stage, progress)
        again = {p.relative_to(stage).as_posix(): p for p in stage.rglob("*") if p.is_file()}
        names = sorted({*again, *recorded["outputs"], manifest.FILE})
        return tuple(r for name in names if (r := _compare_file(name, again.get(name), spec.folder / name)) is not None)


def _compare_file(name: str, again: Path | None, built: Path) -> Reason | None:
    if again is None:
        return Reason("gone", name, "is not made any more") if built.is_file() else None
    if not built.is_file():
        return Reason("missing", name, "built file")
    if built.read_bytes() != again.read_bytes():
        return Reason("differs", name, "a rebuild gives other bytes")
    return None
