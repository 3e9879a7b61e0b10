"""A limit of time for everything that a command does."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from eventstudy.errors import EventStudyError, InvalidInput, NotAsRecorded, SourceFailed
from eventstudy.report.builds import manifest
from eventstudy.report.builds.manifest import Reason
from eventstudy.report.builds.outputs import finish_interrupted, staging_folder, switch
from eventstudy.report.builds.publish import Correction, Publication, check_reason, check_target, publish

if TYPE_CHECKING:
    from eventstudy.report.builds.changes import NumberChange
    from eventstudy.report.builds.outputs import Progress
    from eventstudy.studyfile.spec import StudySpec

#: How long after its end a command may tidy up before the process is ended, in seconds.
GRACE = 60.0


class OutOfTime(EventStudyError, TimeoutError):
    """A command took longer than it was allowed to."""

    EXIT_CODE = 4


class Stopped(EventStudyError, RuntimeError):
    """A command was asked to stop by its service manager."""

    EXIT_CODE = 143


@contextmanager
def deadline(seconds: float | None, last_words: Callable[[str], None]) -> Iterator[None]:
    """Raise `OutOfTime` in the main thread if the block takes too long, and `Stopped` if the process is terminated.

    Parameters
    ----------
    last_words : callable
        Called with a message before the process is ended because the block did not stop, e.g. in a library's own code.

    Notes
    -----
    Outside the main thread, and where the system has no such signals, only the hard end after ``GRACE`` seconds is left.
    """
    if seconds is not None and not 0 < seconds < threading.TIMEOUT_MAX:
        raise InvalidInput(f"--timeout is {seconds:g}; give seconds above zero.")
    words = (
        f"Not finished after {seconds:g} s (--timeout); the report is the last one that was finished."
        if seconds
        else ""
    )

    def out_of_time(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(words)

    def stopped(number: int, frame: FrameType | None) -> None:
        raise Stopped("Stopped by a signal; the report is the last one that was finished.")

    def hard_end() -> None:
        last_words(words)
        os._exit(OutOfTime.EXIT_CODE)

    in_main = threading.current_thread() is threading.main_thread()
    alarm = in_main and hasattr(signal, "setitimer")
    watch = threading.Timer((seconds or 0) + GRACE * alarm, hard_end)
    watch.daemon = True
    before_term = signal.signal(signal.SIGTERM, stopped) if in_main else None
    before_alarm = signal.signal(signal.SIGALRM, out_of_time) if alarm else None
    try:
        if seconds is not None:
            watch.start()
            if alarm:
                signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        watch.cancel()
        if alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before_alarm)
        if in_main:
            signal.signal(signal.SIGTERM, before_term)


# -- Build a report: everything is made in a staging folder and then moved into place.


LOCK = ".build.lock"
#: Longest wait for another build of the same report, in seconds.
LOCK_TIMEOUT = 900


def silent(step: str, done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did.

    Attributes
    ----------
    reasons : tuple of Reason
        Why it was built; empty if it was up to date.
    fetched : str
        What a fetch before the build brought, in words; empty if there was none.
    publication : Publication or None
        What was published, if it was asked for.
    flips : tuple of NumberChange
        Results that changed sign or significance and are no conclusions: told, and no reason to stop.
    """

    folder: Path
    reasons: tuple[Reason, ...]
    written: tuple[str, ...]
    fetched: str = ""
    corrections: tuple[Correction, ...] = ()
    publication: Publication | None = None
    flips: tuple[NumberChange, ...] = ()


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
    """Build a report if anything that it depends on has changed.

    Parameters
    ----------
    to_publish : bool
        Publish the report as a new version if it differs from the newest; also if the study file says ``auto``.

    Notes
    -----
    All files are made in a staging folder first. Only when every one is there is the folder renamed to ``ready``
    and its files renamed into place, the manifest last; a build that was killed in between is finished by the next.
    """
    accepted = None if accept_changes is None else check_reason(accept_changes)
    to_publish |= spec.publish is not None and spec.publish.auto
    if to_publish:
        check_target(spec)
    with build_lock(spec.folder, wait):
        finish_interrupted(spec.folder)
        brought = _fetch(spec, progress) if fetch else ""
        built = _build(spec, force, progress, accepted, brought, to_publish)
        if not to_publish:
            return built
        progress("publishing", 1, 1)
        return replace(built, publication=publish(spec))


@contextmanager
def build_lock(folder: Path, wait: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Keep other builds of a report away; a process that holds the lock may take it again."""
    lock = FileLock(folder / LOCK, is_singleton=True)
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        held = f"has held {LOCK} for {wait:g} s" if wait > 0 else f"holds {LOCK}"
        raise SourceFailed(
            f"Another build of {folder.name} {held}; wait for it or end it. Nothing was changed."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _fetch(spec: StudySpec, progress: Progress) -> str:
    from eventstudy.report.builds.fetch import refresh_prices

    return refresh_prices(spec, progress)


def _build(
    spec: StudySpec, force: bool, progress: Progress, accepted: str | None, brought: str, to_publish: bool
) -> Built:
    reasons = (Reason("forced", spec.name),) if force else manifest.out_of_date(spec)
    if not reasons and to_publish:
        reasons = _otherwise_than_published(spec)
    if not reasons:
        return Built(spec.folder, (), (), brought)
    from eventstudy.report.builds.changes import forget_last_final, keep_last_final, told
    from eventstudy.report.builds.outputs import write_report

    with staging_folder(spec.folder) as stage:
        before = told(spec)
        done = write_report(spec, stage, progress, before=before, accept=accepted, date=correction_date())
        keep_last_final(spec.folder, stage, done.published, before.lost)
        written = switch(spec.folder, stage)
        forget_last_final(spec.folder, done.published)
        return Built(spec.folder, reasons, written, brought, done.added, flips=done.flips)


def _otherwise_than_published(spec: StudySpec) -> tuple[Reason, ...]:
    """Return why a report that is up to date is judged again: files put back from elsewhere may contradict what is published."""
    from eventstudy.report.builds.changes import conclusions_otherwise, told
    from eventstudy.report.builds.numbers import read_published

    changed, _ = conclusions_otherwise(told(spec), read_published(spec.folder))
    return (Reason("differs", "a conclusion", "the newest published version says otherwise"),) if changed else ()


def correction_date() -> str:
    """Return the day that ``SOURCE_DATE_EPOCH`` names, ISO format; empty without it."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not given:
        return ""
    try:
        return f"{datetime.fromtimestamp(int(given), tz=UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(f"SOURCE_DATE_EPOCH is {given!r}; give seconds since 1970, or unset it.") from error


def rebuild_differs(spec: StudySpec, progress: Progress = silent) -> tuple[Reason, ...]:
    """Build the report again in a temporary folder and compare every byte with the built files."""
    from eventstudy.report.builds.outputs import write_report

    recorded = manifest.read_manifest(spec.folder)
    if recorded is None:
        raise NotAsRecorded(f"{spec.name} was not built by this version; build it before it is compared.")
    with tempfile.TemporaryDirectory(prefix="eventstudy-") as place:
        stage = Path(place)
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
