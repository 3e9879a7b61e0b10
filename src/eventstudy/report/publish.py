"""Published versions of a report: each stays at its address, and ``current`` is the newest."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from eventstudy.errors import DataUnfit, InvalidInput, NotAsRecorded, SourceFailed
from eventstudy.files import file_sha256, sha256, write_whole
from eventstudy.release import release_mark
from eventstudy.report import corrections, manifest

if TYPE_CHECKING:
    from eventstudy.spec import StudySpec

VERSIONS, CURRENT = "versions", "current"
INDEX = "versions.json"
LOCK = ".publish.lock"
LOCK_TIMEOUT = 300
_NUMBER = re.compile(r"\d{4,}")
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
    """Publish a built report as a new version, unless the newest version holds the same bytes.

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
    target = spec.publish_folder
    if target is None:
        raise InvalidInput(f'{spec.path.name} has no [publish]; add it with folder = "../../public/{spec.name}".')
    state = spec.state
    recorded = manifest.read_manifest(spec.folder)
    if recorded is None:
        raise NotAsRecorded(f"{spec.name} is not built; build it before it is published.")
    if state in _HELD_BACK or recorded["inputs"].get(manifest.STATE) in _HELD_BACK:
        mark = release_mark(state, spec.embargo_until) or "built before the embargo ended; build it again"
        return Publication(target, 0, False, mark)
    _check_target(spec, target)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with FileLock(target / LOCK, timeout=LOCK_TIMEOUT):
            return _publish(spec, target, recorded)
    except Timeout as error:
        raise SourceFailed(
            f"Another process has held {target.name}/{LOCK} for {LOCK_TIMEOUT} s; wait for it."
        ) from error


def _check_target(spec: StudySpec, target: Path) -> None:
    if target.is_relative_to(spec.folder) or spec.folder.is_relative_to(target):
        raise InvalidInput(
            f"{spec.path.name}: publish.folder lies in the study's folder, or around it; name another one."
        )
    if target.exists() and not target.is_dir():
        raise InvalidInput(f"{spec.path.name}: publish.folder is {target}, a file; name a folder.")
    own = {VERSIONS, CURRENT, INDEX, "versions.html"}
    there = {p.name for p in target.iterdir() if not p.name.startswith(".")} if target.is_dir() else set()
    if there and VERSIONS not in there:
        raise InvalidInput(
            f"{spec.path.name}: publish.folder {target} holds other files ({', '.join(sorted(there - own or there)[:3])}); "
            f"name a folder that is empty or new."
        )
    current = target / CURRENT
    if current.exists() and not current.is_symlink():
        raise InvalidInput(f"{current} is no symbolic link; move it away, versions of the report are published there.")


def _publish(spec: StudySpec, target: Path, recorded: Mapping[str, Mapping[str, str]]) -> Publication:
    place = target / VERSIONS
    place.mkdir(exist_ok=True)
    for left in place.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)
    files = _files(spec, recorded)
    numbers = version_numbers(target)
    newest = numbers[-1] if numbers else 0
    new = newest == 0 or _one_digest(files) != folder_digest(place / _name(newest))
    if new:
        newest += 1
        stage = Path(tempfile.mkdtemp(dir=place, prefix=".new-"))
        try:
            _copy(spec, stage, files)
            os.replace(stage, place / _name(newest))
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    _point(target, newest)
    _write_index(spec, target)
    return Publication(target, newest, new)


def _files(spec: StudySpec, recorded: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return what is published, with digests: built files and the study's own small ones; prices stay where they are."""
    own = {name: digest for name, digest in recorded["inputs"].items() if name in _linked(spec)}
    return {**own, **recorded["outputs"], manifest.FILE: file_sha256(spec.folder / manifest.FILE)}


def _copy(spec: StudySpec, stage: Path, files: Mapping[str, str]) -> None:
    for name, digest in files.items():
        source = spec.folder / name
        content = source.read_bytes() if source.is_file() else b""
        if sha256(content) != digest:
            raise NotAsRecorded(f"{spec.name}/{name} is not as the manifest records it; build the report again.")
        write_whole(stage / name, content)
    for folder in (stage, *(p for p in stage.rglob("*") if p.is_dir())):
        folder.chmod(0o755)


def _linked(spec: StudySpec) -> set[str]:
    """Return the sources that the page links to, and the study's own notebooks."""
    named = (manifest.STUDY_FILE, spec.events, spec.timeline, spec.claims.file, *spec.notebooks, corrections.FILE)
    return {name for name in named if name and ".." not in Path(name).parts}


def _point(target: Path, number: int) -> None:
    """Let ``current`` lead to a version, by one rename."""
    goal = f"{VERSIONS}/{_name(number)}"
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


def _write_index(spec: StudySpec, target: Path) -> None:
    """Write the list of versions for machines and for people; not at all if it stands already."""
    try:
        known = _recorded_digests(target)
    except (OSError, ValueError, KeyError, TypeError):
        known = {}
    rows = [_row(target, number, known.get(number)) for number in version_numbers(target)]
    text = json.dumps({"study": spec.name, "title": spec.title, "versions": rows}, ensure_ascii=False, indent=1) + "\n"
    for name, content in ((INDEX, text), ("versions.html", _index_page(spec.title, rows))):
        path = target / name
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            write_whole(path, content)


def _row(target: Path, number: int, digest: str | None) -> dict[str, object]:
    folder = target / VERSIONS / _name(number)
    recorded: Mapping[str, Mapping[str, str]] = manifest.read_any_manifest(folder)
    return {
        "version": number,
        "folder": f"{VERSIONS}/{_name(number)}",
        "data": recorded.get("data", {}),
        "corrections": len(corrections.read_corrections(folder)),
        "digest": digest or folder_digest(folder),
    }


def _index_page(title: str, rows: list[dict[str, object]]) -> str:
    items = []
    for row in reversed(rows):
        data = row["data"] if isinstance(row["data"], dict) else {}
        words = f"prices: {_prices_words(data)}; corrections: {row['corrections']}"
        link = f'<a href="{html.escape(str(row["folder"]))}/index.html">Version {row["version"]}</a>'
        items.append(f"<li>{link} ({html.escape(words)})</li>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Versions: {html.escape(title)}</title>\n</head>\n<body>\n<main>\n<h1>Versions of “{html.escape(title)}”</h1>\n"
        f'<p>The newest: <a href="{CURRENT}/index.html">current version</a></p>\n<ul>\n'
        + "\n".join(items)
        + "\n</ul>\n</main>\n</body>\n</html>\n"
    )


def _prices_words(data: Mapping[str, object]) -> str:
    """Return where prices came from and when; of a file, which has no such day, its last day."""
    source, retrieved, last = (str(data.get(key) or "") for key in ("source", "retrieved", "last"))
    when = retrieved or (f"to {last}" if last else "")
    return f"{source} {when}".strip()


def _name(number: int) -> str:
    return f"{number:04d}"


def version_numbers(target: Path) -> list[int]:
    """Return the numbers of the published versions, oldest first."""
    place = target / VERSIONS
    if not place.is_dir():
        return []
    return sorted(int(p.name) for p in place.iterdir() if p.is_dir() and _NUMBER.fullmatch(p.name))


def version_folder(target: Path, number: int) -> Path:
    """Return where a published version lies.

    Raises
    ------
    InvalidInput
        If there is no such version; names those that there are.
    """
    there = version_numbers(target)
    if number not in there:
        known = ", ".join(map(str, there)) or "none"
        raise InvalidInput(f"There is no version {number} in {target}; published: {known}.")
    return target / VERSIONS / _name(number)


def folder_digest(folder: Path) -> str:
    """Return one digest of the names and bytes of all files in a folder."""
    return _one_digest({p.relative_to(folder).as_posix(): file_sha256(p) for p in folder.rglob("*") if p.is_file()})


def _one_digest(files: Mapping[str, str]) -> str:
    return sha256("".join(f"{name} {digest}\n" for name, digest in sorted(files.items())).encode("utf-8"))


def _recorded_digests(target: Path) -> dict[int, str]:
    """Return the digest of each version as it was recorded when it was published."""
    rows = json.loads((target / INDEX).read_text(encoding="utf-8"))["versions"]
    return {int(row["version"]): str(row["digest"]) for row in rows}


def verify_versions(target: Path) -> int:
    """Hold every published version against the digest recorded for it.

    Returns
    -------
    int
        How many versions there are.

    Raises
    ------
    NotAsRecorded
        If a version was changed, or removed; names it.
    """
    try:
        rows = _recorded_digests(target)
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAsRecorded(
            f"{target.name}/{INDEX} cannot be read ({error}); publish again to write it anew."
        ) from error
    for number, digest in rows.items():
        if folder_digest(target / VERSIONS / _name(number)) != digest:
            raise NotAsRecorded(f"{target.name}: version {number} is not what was published; restore it.")
    return len(rows)
