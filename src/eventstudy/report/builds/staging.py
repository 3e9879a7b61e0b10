"""The switch from an old report to a new one: finished files are renamed into place, whatever happens in between."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from eventstudy.ending import undisturbed
from eventstudy.files import file_sha256, files_in, flush_folder, held_open, move_over, refuse_link, staged
from eventstudy.report.builds import manifest
from eventstudy.report.builds.record import finished_before, finished_files, remember

STAGING = ".build"
READY = "ready"


def left_behind(folder: Path) -> bool:
    """Whether a build runs, or left something behind when it was killed."""
    return os.path.lexists(folder / STAGING)


def interrupted(folder: Path) -> bool:
    """Whether a finished build was killed while its files were moved into place."""
    return (folder / STAGING / READY / manifest.FILE).is_file()


def refuse_links(folder: Path) -> None:
    """Refuse a study's folder in which something that a build writes into is a link."""
    for name in (STAGING, *sorted(manifest.BUILT_FOLDERS)):
        refuse_link(folder / name)


def finish_interrupted(folder: Path) -> None:
    """Finish a build of this user's that was killed while moving files, and remove what a killed build left behind."""
    refuse_links(folder)
    staging = folder / STAGING
    files = finished_files(folder)
    if interrupted(folder) and _as_finished(staging / READY, files):
        move_into_place(folder, staging / READY, files)
    shutil.rmtree(staging, ignore_errors=True)


def _as_finished(ready: Path, files: Mapping[str, str]) -> bool:
    """Whether all that lies ready is what was finished here: a stranger's folder may bring a journal of its own."""
    there = [p for p in ready.rglob("*") if p.is_symlink() or not p.is_dir()]
    return not ready.is_symlink() and all(
        p.is_file() and not p.is_symlink() and files.get(p.relative_to(ready).as_posix()) == file_sha256(p)
        for p in there
    )


@contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write a report into; it is removed at the end, but for a report that is half moved."""
    refuse_links(folder)
    root = folder / STAGING
    root.mkdir(exist_ok=True)
    try:
        with staged(root, "staging-") as stage:
            yield stage
    finally:
        if not interrupted(folder):
            shutil.rmtree(root, ignore_errors=True)


def switch(folder: Path, stage: Path) -> tuple[str, ...]:
    """Move a finished report into place.

    One rename to ``ready`` decides: a build killed before it changed nothing, one killed after it is finished by the
    next command, see `finish_interrupted`.
    """
    ready = stage.parent / READY
    files = {name: file_sha256(stage / name) for name in files_in(stage)}
    remember(folder, files)
    with undisturbed():
        with held_open(folder, f"{STAGING}/{READY}") as goal:
            source = str(stage) if goal.held is None else stage.name
            os.replace(source, goal.name, src_dir_fd=goal.held, dst_dir_fd=goal.held)
        flush_folder(ready.parent)
        return move_into_place(folder, ready, files)


def move_into_place(folder: Path, ready: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Rename those of a report's files that are still ready over the old ones, the manifest last.

    Built files that are no longer made are removed: those of the old manifest that were finished here before.
    """
    refuse_links(folder)
    old = manifest.read_manifest(folder)
    new = manifest.read_manifest(ready)
    names = [name for name in files if (ready / name).is_file()]
    written = [name for name in names if name != manifest.FILE and _move(folder, name)]
    if old is not None and new is not None:
        for name in (set(old["outputs"]) & finished_before(folder)) - set(new["outputs"]):
            with suppress(FileNotFoundError), held_open(folder, name) as gone:
                gone.unlink()
    if manifest.FILE in names and _move(folder, manifest.FILE):
        written.append(manifest.FILE)
    with suppress(OSError), held_open(folder, f"{STAGING}/{READY}") as done:
        shutil.rmtree(done.name, dir_fd=done.held)
    return tuple(written)


def _move(folder: Path, name: str) -> bool:
    with (
        held_open(folder, f"{STAGING}/{READY}/{name}") as source,
        held_open(folder, name, make=True) as target,
    ):
        return move_over(source, target)
