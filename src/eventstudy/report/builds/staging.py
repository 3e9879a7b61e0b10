"""The switch from an old report to a new one: finished files are renamed into place, whatever happens in between."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventstudy.ending import undisturbed
from eventstudy.errors import NotAsRecorded
from eventstudy.files import files_in, flush_folder, move_over, staged
from eventstudy.report.builds import manifest

STAGING = ".build"
READY = "ready"


def interrupted(folder: Path) -> bool:
    """Whether a finished build was killed while its files were moved into place."""
    return (folder / STAGING / READY / manifest.FILE).is_file()


def finish_interrupted(folder: Path) -> None:
    """Finish a build that was killed while moving files, and remove what a killed build left behind."""
    staging = folder / STAGING
    if interrupted(folder):
        move_into_place(folder, staging / READY)
    shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write a report into; it is removed at the end, but for a report that is half moved."""
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
    with undisturbed():
        os.replace(stage, ready)
        flush_folder(ready.parent)
        return move_into_place(folder, ready)


def move_into_place(folder: Path, ready: Path) -> tuple[str, ...]:
    """Rename finished files over the old ones, the manifest last; remove built files that are no longer made."""
    for name in manifest.BUILT_FOLDERS:
        if (folder / name).is_symlink():
            raise NotAsRecorded(
                f"{folder.name}/{name} is a link; a report is not written through links. Remove it and build again."
            )
    old = manifest.read_manifest(folder)
    new = manifest.read_manifest(ready)
    names = files_in(ready)
    written = [name for name in names if name != manifest.FILE and move_over(ready / name, folder / name)]
    if old is not None and new is not None:
        for name in set(old["outputs"]) - set(new["outputs"]):
            (folder / name).unlink(missing_ok=True)
    if manifest.FILE in names and move_over(ready / manifest.FILE, folder / manifest.FILE):
        written.append(manifest.FILE)
    shutil.rmtree(ready, ignore_errors=True)
    return tuple(written)
