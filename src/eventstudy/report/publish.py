"""Published versions of a report: each stays at its address, and ``current`` is the newest."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from eventstudy.errors import DataUnfit, InvalidInput, NotAsRecorded, SourceFailed
from eventstudy.files import file_sha256, sha256, write_whole
from eventstudy.release import release_mark
from eventstudy.report import corrections, manifest
from eventstudy.report.versions import (
    CURRENT,
    INDEX,
    PAGE,
    VERSIONS,
    check_owner,
    files_in,
    known_digests,
    seen_digest,
    version_name,
    version_numbers,
    write_index,
)

if TYPE_CHECKING:
    from eventstudy.spec import StudySpec

LOCK = ".publish.lock"
LOCK_TIMEOUT = 300
_HELD_BACK = ("draft", "embargoed")


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did.

    Attributes
    ----------
    folder : Path
        The publish folder.
    version : int
        The version that ``current`` leads to; 0 if there is none.
    new : bool
        Whether it is new.
    held_back : str
        Why nothing was published: ``DRAFT`` or ``EMBARGO UNTIL …``; empty if nothing holds it back.
    """

    folder: Path
    version: int
    new: bool
    held_back: str = ""


def publish(spec: StudySpec) -> Publication:
    """Publish a built report as a new version, unless readers of the newest version see the same.

    Parameters
    ----------
    spec : StudySpec
        A study whose report is built.

    Returns
    -------
    Publication

    Raises
    ------
    InvalidInput
        If the study file has no ``[publish]``, or something else stands where versions go.
    NotAsRecorded
        If the built files are not those of the manifest.
    SourceFailed
        If another process does not finish publishing in time.

    Notes
    -----
    A version is copied beside the others and renamed into its place when it is whole; then a symbolic link is renamed
    over ``current``, which is the one step that readers notice. A publisher that was killed is repaired by the next.
    """
    target = check_target(spec)
    state = spec.state
    recorded = manifest.read_manifest(spec.folder)
    if recorded is None:
        raise NotAsRecorded(f"{spec.name} is not built; build it before it is published.")
    if state in _HELD_BACK or recorded["inputs"].get(manifest.STATE) in _HELD_BACK:
        mark = release_mark(state, spec.embargo_until) or "built before the embargo ended; build it again"
        return Publication(target, 0, False, mark)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with FileLock(target / LOCK, timeout=LOCK_TIMEOUT):
            return _publish(spec, target, recorded)
    except Timeout as error:
        raise SourceFailed(
            f"Another process has held {target.name}/{LOCK} for {LOCK_TIMEOUT} s; wait for it."
        ) from error


def check_target(spec: StudySpec) -> Path:
    """Return the folder that a study publishes to.

    Raises
    ------
    InvalidInput
        If the study file names none, or versions of this study cannot go there; says what is in the way.
    """
    target = spec.publish_folder
    if target is None:
        raise InvalidInput(f'{spec.path.name} has no [publish]; add it with folder = "../../public/{spec.name}".')
    if target.is_relative_to(spec.folder) or spec.folder.is_relative_to(target):
        raise InvalidInput(
            f"{spec.path.name}: publish.folder lies in the study's folder, or around it; name another one."
        )
    if target.exists() and not target.is_dir():
        raise InvalidInput(f"{spec.path.name}: publish.folder is {target}, a file; name a folder.")
    own = {VERSIONS, CURRENT, INDEX, PAGE}
    there = {p.name for p in target.iterdir() if not p.name.startswith(".")} if target.is_dir() else set()
    if there and VERSIONS not in there:
        raise InvalidInput(
            f"{spec.path.name}: publish.folder {target} holds other files ({', '.join(sorted(there - own or there)[:3])}); "
            f"name a folder that is empty or new."
        )
    current = target / CURRENT
    if current.exists() and not current.is_symlink():
        raise InvalidInput(f"{current} is no symbolic link; move it away, versions of the report are published there.")
    check_owner(spec, target)
    return target


def publication_due(folder: Path) -> bool:
    """Say in no time whether a study that publishes with every build has a built report that is not the newest version.

    Parameters
    ----------
    folder : Path
        A study's folder.

    Returns
    -------
    bool
        Whether publishing was asked for and did not come to its end; False for what a draft's or embargo's mark holds back.
    """
    try:
        part = tomllib.loads((folder / manifest.STUDY_FILE).read_text(encoding="utf-8")).get("publish", {})
        if not part.get("auto", False):
            return False
        built = json.loads((folder / manifest.FILE).read_text(encoding="utf-8"))
        if built["inputs"].get(manifest.STATE) in _HELD_BACK:
            return False
        target = folder / part["folder"]
        goal = os.readlink(target / CURRENT)
        newest = version_numbers(target)[-1:]
        done = [f"{VERSIONS}/{version_name(n)}" for n in newest] == [goal] and (target / INDEX).is_file()
        names = {*files_in(target / goal), *built["outputs"]}
        whole = done and (target / goal / manifest.FILE).is_file()
        return not whole or seen_digest(folder, names) != seen_digest(target / goal, names)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return True


def _publish(spec: StudySpec, target: Path, recorded: Mapping[str, Mapping[str, str]]) -> Publication:
    place = target / VERSIONS
    place.mkdir(exist_ok=True)
    for left in place.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)
    files = _files(spec, recorded)
    numbers = version_numbers(target)
    newest = numbers[-1] if numbers else 0
    new = newest == 0 or not _same_to_readers(spec, files, place / version_name(newest))
    if new:
        newest = (
            max([newest, *known_digests(target)]) + 1
        )  # the number of a version that was removed is not given again
        stage = Path(tempfile.mkdtemp(dir=place, prefix=".new-"))
        try:
            _copy(spec, stage, files)
            os.replace(stage, place / version_name(newest))
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    _point(target, newest)
    write_index(spec, target)
    return Publication(target, newest, new)


def _same_to_readers(spec: StudySpec, files: Mapping[str, str], version: Path) -> bool:
    """Whether a version holds what readers would see; a built file that is not as recorded is refused either way."""
    if files_in(version) != sorted(files):
        return False
    for name, digest in files.items():
        _as_recorded(spec, name, digest)
    return seen_digest(spec.folder, files) == seen_digest(version, files)


def _files(spec: StudySpec, recorded: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return what is published, with digests: built files and the study's own small ones; prices stay where they are."""
    own = {name: digest for name, digest in recorded["inputs"].items() if name in _linked(spec)}
    return {**own, **recorded["outputs"], manifest.FILE: file_sha256(spec.folder / manifest.FILE)}


def _copy(spec: StudySpec, stage: Path, files: Mapping[str, str]) -> None:
    for name, digest in files.items():
        write_whole(stage / name, _as_recorded(spec, name, digest))
    for folder in (stage, *(p for p in stage.rglob("*") if p.is_dir())):
        folder.chmod(0o755)


def _as_recorded(spec: StudySpec, name: str, digest: str) -> bytes:
    source = spec.folder / name
    content = source.read_bytes() if source.is_file() else b""
    if sha256(content) != digest:
        raise NotAsRecorded(f"{spec.name}/{name} is not as the manifest records it; build the report again.")
    return content


def _linked(spec: StudySpec) -> set[str]:
    """Return the sources that the page links to, and the study's own notebooks."""
    named = (manifest.STUDY_FILE, spec.events, spec.timeline, spec.claims.file, *spec.notebooks, corrections.FILE)
    return {name for name in named if name and ".." not in Path(name).parts}


def _point(target: Path, number: int) -> None:
    """Let ``current`` lead to a version, by one rename."""
    goal = f"{VERSIONS}/{version_name(number)}"
    current = target / CURRENT
    if current.is_symlink() and os.readlink(current) == goal:
        return
    fresh = target / ".current.new"
    fresh.unlink(missing_ok=True)
    try:
        fresh.symlink_to(goal)
    except OSError as error:
        raise DataUnfit(
            f"{target} takes no symbolic links ({error.strerror}); publish to a folder that does."
        ) from error
    os.replace(fresh, current)
