"""The corrections of a report: what it said, what it says now, and why."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from eventstudy.errors import DataUnfit, InvalidInput, NotAsRecorded, SourceFailed, StudyFileError
from eventstudy.files import file_sha256, sha256, write_whole
from eventstudy.report.builds import manifest
from eventstudy.report.builds.manifest import CORRECTIONS
from eventstudy.studyfile.release import release_mark
from eventstudy.toml import read_toml

if TYPE_CHECKING:
    from eventstudy.studyfile.spec import StudySpec
_HEAD = "# What this report said before, and why it changed. 'eventstudy build --accept-changes REASON' adds to it.\n"


@dataclass(frozen=True, slots=True)
class Correction:
    """One changed conclusion.

    Attributes
    ----------
    date : str
        Day of the data on which it rests, ISO format.
    old, new : str
        What the report said, and what it says now.
    cause : str
        What changed underneath: prices, code, environment, study.
    reason : str
        Why it was accepted, in its author's words.
    """

    date: str
    what: str
    old: str
    new: str
    cause: str
    reason: str


def read_corrections(folder: Path) -> tuple[Correction, ...]:
    """Return the corrections of a study, oldest first."""
    path = folder / CORRECTIONS
    if not path.is_file():
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


# -- The versions in a publish folder: their numbers, their digests, and the lists of them for machines and for peo


VERSIONS, CURRENT = "versions", "current"
INDEX, PAGE = "versions.json", "versions.html"
NUMBERS = "numbers.json"
_NUMBER = re.compile(r"\d{4,}")
#: What `numbers.json` records of its making.
_MADE_FROM = ("code", "environment", "inputs")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


def check_owner(spec: StudySpec, target: Path) -> None:
    """Refuse a folder that holds the versions of another study, as a copied study file would name it."""
    owner = read_index(target).get("study")
    if isinstance(owner, str) and owner != spec.name:
        raise InvalidInput(
            f"{spec.path.name}: publish.folder {target} holds the versions of the study {owner!r}, and this one is {spec.name!r}; name another "
            f'folder. If {owner} was renamed to {spec.name}, write "study": "{spec.name}" into {INDEX} there.'
        )


def read_index(target: Path) -> dict[str, object]:
    """Return the list of versions as it was written last; empty if there is none that can be read."""
    try:
        content = json.loads((target / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def write_index(spec: StudySpec, target: Path) -> None:
    """Write the list of versions for machines and for people; not at all if it stands already."""
    known = known_digests(target)
    there = version_numbers(target)
    rows = [_row(target, number, known.get(number)) for number in sorted({*there, *known})]
    text = json.dumps({"study": spec.name, "title": spec.title, "versions": rows}, ensure_ascii=False, indent=1) + "\n"
    for name, content in ((INDEX, text), (PAGE, _index_page(spec.title, rows))):
        path = target / name
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            write_whole(path, content)


def _row(target: Path, number: int, digest: str | None) -> dict[str, object]:
    folder = target / VERSIONS / version_name(number)
    recorded: Mapping[str, Mapping[str, str]] = manifest.read_any_manifest(folder)
    return {
        "version": number,
        "folder": f"{VERSIONS}/{version_name(number)}",
        "data": recorded.get("data", {}),
        "corrections": len(read_corrections(folder)),
        "digest": digest or folder_digest(folder),
        **({} if folder.is_dir() else {"removed": True}),
    }


def _index_page(title: str, rows: list[dict[str, object]]) -> str:
    items = []
    for row in reversed(rows):
        data = row["data"] if isinstance(row["data"], dict) else {}
        if row.get("removed"):
            items.append(f"<li>Version {row['version']} (removed)</li>")
            continue
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


def version_name(number: int) -> str:
    """Return the name of a version's folder."""
    return f"{number:04d}"


def version_numbers(target: Path) -> list[int]:
    """Return the numbers of the published versions, oldest first."""
    place = target / VERSIONS
    if not place.is_dir():
        return []
    return sorted(int(p.name) for p in place.iterdir() if p.is_dir() and _NUMBER.fullmatch(p.name))


def version_folder(target: Path, number: int) -> Path:
    """Return where a published version lies."""
    there = version_numbers(target)
    if number not in there:
        known = ", ".join(map(str, there)) or "none"
        raise InvalidInput(f"There is no version {number} in {target}; published: {known}.")
    return target / VERSIONS / version_name(number)


def folder_digest(folder: Path) -> str:
    """Return one digest of the names and bytes of all files in a folder."""
    return one_digest({name: file_sha256(folder / name) for name in files_in(folder)})


def files_in(folder: Path) -> list[str]:
    """Return the names of all files in a folder and below, sorted."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def seen_digest(folder: Path, names: Iterable[str]) -> str:
    """Return one digest of what readers see in the files of a report, whatever code and libraries made them.

    The manifest is left out, of ``numbers.json`` its record of code, libraries and inputs, of a PDF what its maker writes
    about itself.
    """
    return one_digest(
        {name: sha256(_seen((folder / name).read_bytes(), name)) for name in names if name != manifest.FILE}
    )


def _seen(content: bytes, name: str) -> bytes:
    if name == NUMBERS:
        record = json.loads(content)
        return json.dumps({k: v for k, v in record.items() if k not in _MADE_FROM}, sort_keys=True).encode("utf-8")
    if name.endswith(".pdf"):
        return b"".join(s for s in _STREAM.findall(content) if b"<?xpacket" not in s)
    return content


def one_digest(files: Mapping[str, str]) -> str:
    """Return one digest of files, given by name and digest."""
    return sha256("".join(f"{name} {digest}\n" for name, digest in sorted(files.items())).encode("utf-8"))


def _recorded_digests(target: Path) -> dict[int, str]:
    """Return the digest of each version as it was recorded when it was published."""
    rows = json.loads((target / INDEX).read_text(encoding="utf-8"))["versions"]
    return {int(row["version"]): str(row["digest"]) for row in rows}


def known_digests(target: Path) -> dict[int, str]:
    """Return the recorded digests, none if the list cannot be read."""
    try:
        return _recorded_digests(target)
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def verify_versions(target: Path) -> int:
    """Hold every published version against the digest recorded for it."""
    try:
        rows = _recorded_digests(target)
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAsRecorded(
            f"{target.name}/{INDEX} cannot be read ({error}); publish again to write it anew."
        ) from error
    for number, digest in rows.items():
        if not (target / VERSIONS / version_name(number)).is_dir():
            raise NotAsRecorded(
                f"{target.name}: version {number} was removed; readers may have its address. Restore it."
            )
        if folder_digest(target / VERSIONS / version_name(number)) != digest:
            raise NotAsRecorded(f"{target.name}: version {number} is not what was published; restore it.")
    return len(rows)


# -- Published versions of a report: each stays at its address, and ``current`` is the newest.


LOCK = ".publish.lock"
LOCK_TIMEOUT = 300
_HELD_BACK = ("draft", "embargoed")


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did.

    Attributes
    ----------
    version : int
        The version that ``current`` leads to; 0 if there is none.
    held_back : str
        Why nothing was published: ``DRAFT`` or ``EMBARGO UNTIL …``; empty if nothing holds it back.
    """

    folder: Path
    version: int
    new: bool
    held_back: str = ""


def publish(spec: StudySpec) -> Publication:
    """Publish a built report as a new version, unless readers of the newest version see the same.

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
    """Return the folder that a study publishes to."""
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
    named = (manifest.STUDY_FILE, spec.events, spec.timeline, spec.claims.file, *spec.notebooks, CORRECTIONS)
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
