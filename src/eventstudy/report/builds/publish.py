"""Published versions of a report: each stays at its address, and ``current`` is the newest."""

from __future__ import annotations

import errno
import html
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import DataUnfit, InvalidInput, NotAsRecorded
from eventstudy.files import (
    file_sha256,
    files_in,
    folder_digest,
    locked,
    one_digest,
    parse_json,
    read_small,
    refuse_link,
    sha256,
    staged,
    write_whole,
)
from eventstudy.report.builds import manifest, numbers
from eventstudy.report.builds.corrections import read_corrections
from eventstudy.report.builds.record import known_publisher, remember_publisher
from eventstudy.report.safe_html import POLICY
from eventstudy.studyfile.release import release_mark
from eventstudy.toml import read_toml
from eventstudy.wording import first_few, plural

if TYPE_CHECKING:
    from eventstudy.studyfile.spec import StudySpec

VERSIONS, CURRENT = "versions", "current"
INDEX, PAGE = "versions.json", "versions.html"
LOCK = ".publish.lock"
LOCK_TIMEOUT = 300
#: The variable by which an operator says where studies may publish.
ROOT = "EVENTSTUDY_PUBLISH_ROOT"
#: The link that is to be ``current``, until it is renamed, and how versions are called until they are whole.
_NEW_LINK, _NEW = ".current.new", ".new-"
#: What a system answers that knows no symbolic links.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
HELD_BACK = ("draft", "embargoed")


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did."""

    folder: Path
    #: The version that ``current`` leads to; 0 if there is none.
    version: int
    new: bool
    #: Why nothing was published: ``DRAFT`` or ``EMBARGO UNTIL …``; empty if nothing holds it back.
    held_back: str = ""
    #: What was found out of order in the folder, in words.
    found: tuple[str, ...] = ()


def publish(spec: StudySpec) -> Publication:
    """Publish a built report as a new version, unless readers of the newest version see the same.

    A version is copied beside the others and renamed into its place when it is whole; then a symbolic link is renamed
    over ``current``, which is the one step that readers notice. A publisher that was killed is repaired by the next.
    """
    target = check_target(spec)
    state = spec.state
    recorded = manifest.read_manifest(spec.folder)
    if recorded is None:
        raise NotAsRecorded(f"{spec.name} is not built; build it before it is published.")
    if state in HELD_BACK or recorded["inputs"].get(manifest.STATE) in HELD_BACK:
        mark = release_mark(state, spec.embargo_until) or "built before the embargo ended; build it again"
        return Publication(target, 0, False, mark)
    _readable_folder(target)
    held = f"Another process has held {target.name}/{LOCK} for {LOCK_TIMEOUT} s; wait for it."
    with locked(target / LOCK, LOCK_TIMEOUT, held):
        check_target(spec)  # whoever held the lock may have published the first version here
        return _publish(spec, target, recorded)


def _readable_folder(folder: Path) -> None:
    """Make a folder, and those around it, so that readers may enter, whatever the process's mask."""
    made = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in made:
        path.chmod(path.stat().st_mode | 0o755)


def _publish(spec: StudySpec, target: Path, recorded: Mapping[str, Mapping[str, str]]) -> Publication:
    place = target / VERSIONS
    _readable_folder(place)
    if _owner(target) == spec.name:
        _remove_leftovers(target)
    found = _index_lost(target)
    files = _files(spec, recorded)
    newest = max(version_numbers(target), default=0)
    new = newest == 0 or not _same_to_readers(spec, files, place / version_name(newest))
    if new:
        # the number of a version that was removed is not given again
        newest = max([newest, *known_digests(target)]) + 1
        with staged(place, _NEW) as stage:
            _copy(spec, stage, files)
            os.replace(stage, place / version_name(newest))
    _point(target, newest)
    write_index(spec, target)
    _remove_leftovers(target)  # of a first publication that was killed: the folder is this study's since now
    remember_publisher(target, spec.folder)
    return Publication(target, newest, new, found=found)


def _index_lost(target: Path) -> tuple[str, ...]:
    """Say what the list of versions lacks, and, of one to be written anew, which versions are not what their manifests say."""
    there = version_numbers(target)
    if not there:
        return ()
    if _readable_index(target):
        bare = [n for n, digest in known_digests(target).items() if not digest and n in there]
        return tuple(f"{INDEX} had no digest of version {n}; it is taken from its manifest: look at it" for n in bare)
    wrong = [f"{_not_as_published(target, n)}; restore it" for n in there if _otherwise(target, n)]
    return (f"{INDEX} was lost or damaged; it is written anew from {plural(len(there), 'version')}", *wrong)


def leftovers(target: Path) -> list[Path]:
    """Return what a publisher that was killed has left in a folder; to be removed under the lock only."""
    names = (f"{_NEW_LINK}*", f".{INDEX}.*", f".{PAGE}.*", f"{VERSIONS}/{_NEW}*")
    return sorted(path for name in names for path in target.glob(name))


def _remove_leftovers(target: Path) -> None:
    for left in leftovers(target):
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink(missing_ok=True)


def foreign_files(target: Path) -> list[str]:
    """Return the names in a publish folder, and among its versions, that no publisher writes."""
    if not target.is_dir():
        return []
    place = target / VERSIONS
    own = {VERSIONS, CURRENT, INDEX, PAGE, LOCK, *(p.relative_to(target).as_posix() for p in leftovers(target))}
    own |= {f"{VERSIONS}/{version_name(number)}" for number in version_numbers(target)}
    within = place.iterdir() if place.is_dir() else ()
    return sorted({p.relative_to(target).as_posix() for p in (*target.iterdir(), *within)} - own)


def unfinished(target: Path) -> str:
    """Say what shows that a publication did not come to its end; empty if nothing does."""
    there = version_numbers(target)
    newest = f"{VERSIONS}/{version_name(there[-1])}" if there else ""
    current = target / CURRENT
    leads = os.readlink(current) if current.is_symlink() else ""
    if leads != newest:
        return f"{CURRENT} leads to {leads or 'nothing'}, and the newest version is {newest or 'none'}"
    unlisted = set(there) - set(known_digests(target)) if _readable_index(target) else set()
    if unlisted:
        return f"{INDEX} does not list version {first_few(sorted(unlisted), 3)}"
    if there and _readable_index(target) and not _page_stands(target):
        return f"{PAGE} is not what {INDEX} lists"
    left = leftovers(target)
    return f"{first_few([p.name for p in left], 3)} was left behind" if left else ""


def _page_stands(target: Path) -> bool:
    """Whether the list for people says what the one for machines does."""
    index, page = read_index(target), target / PAGE
    try:
        rows = index["versions"]
        listed = _index_page(str(index.get("title")), rows if isinstance(rows, list) else [])
        return page.is_file() and not page.is_symlink() and page.read_bytes() == listed.encode("utf-8")
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False


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
    inside = source.resolve().is_relative_to(spec.folder.resolve())
    content = source.read_bytes() if inside and source.is_file() else b""
    if sha256(content) != digest:
        raise NotAsRecorded(f"{spec.name}/{name} is not as the manifest records it; build the report again.")
    return content


def _linked(spec: StudySpec) -> set[str]:
    """Return the sources that the page links to, and the study's own notebooks."""
    named = (manifest.STUDY_FILE, spec.events, spec.timeline, spec.claims.file, *spec.notebooks, manifest.CORRECTIONS)
    return {name for name in named if name and ".." not in Path(name).parts}


def _point(target: Path, number: int) -> None:
    """Let ``current`` lead to a version, by one rename."""
    goal = f"{VERSIONS}/{version_name(number)}"
    current = target / CURRENT
    if current.is_symlink() and os.readlink(current) == goal:
        return
    fresh = target / _NEW_LINK
    try:
        fresh.symlink_to(goal)
    except OSError as error:
        if error.errno not in _NO_LINKS:  # a full disk, no permission: said as what it is
            raise
        raise DataUnfit(
            f"{target} takes no symbolic links ({error.strerror}); publish to a folder that does."
        ) from error
    os.replace(fresh, current)


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
    _check_root(spec, target)
    refuse_link(target / VERSIONS)
    if _owner(target) is None:
        # no version tells whose folder it is: it must hold nothing but what a first publication that was killed left
        there = {p.name for p in target.iterdir()} if target.is_dir() else set()
        ours = {LOCK, *((VERSIONS, CURRENT, INDEX, PAGE) if VERSIONS in there else ())}
        others = sorted({*(there - ours), *foreign_files(target)})
        if others:
            raise InvalidInput(
                f"{spec.path.name}: publish.folder {target} holds other files ({', '.join(others[:3])}); "
                f"name a folder that is empty or new."
            )
    current = target / CURRENT
    if current.exists() and not current.is_symlink():
        raise InvalidInput(f"{current} is no symbolic link; move it away, versions of the report are published there.")
    check_owner(spec, target)
    return target


def _check_root(spec: StudySpec, target: Path) -> None:
    """Refuse a folder outside of the one that the operator allows, if the environment names one."""
    given = os.environ.get(ROOT, "")
    if not given:
        return
    if not os.path.isabs(given):
        raise InvalidInput(f"{ROOT} is {given!r}; give the whole path of a folder, from / on.")
    root = Path(given).resolve()
    if not target.is_relative_to(root):
        raise InvalidInput(
            f"{spec.path.name}: publish.folder is {target}, and {ROOT} allows folders in {root} only; name one there."
        )


def publication_due(folder: Path) -> bool:
    """Say in no time whether a study that publishes with every build has a built report that is not the newest version.

    True if publishing did not come to its end; False for what a draft's or embargo's mark holds back.
    """
    try:
        part = read_toml(folder / manifest.STUDY_FILE).get("publish", {})
        if not part.get("auto", False):
            return False
        built = parse_json(read_small(folder / manifest.FILE))
        if built["inputs"].get(manifest.STATE) in HELD_BACK:
            return False
        return not shows_newest(folder, folder / part["folder"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return True


def shows_newest(folder: Path, target: Path) -> bool:
    """Whether readers of the newest version see what they would see of a built report, and its publication came to its end."""
    try:
        if unfinished(target) or not _readable_index(target):
            return False
        goal = target / os.readlink(target / CURRENT)
        names = {*files_in(goal), *manifest.read_any_manifest(folder)["outputs"]}
        return (goal / manifest.FILE).is_file() and seen_digest(folder, names) == seen_digest(goal, names)
    except (OSError, ValueError, TypeError, KeyError):
        return False


# -- The versions in a publish folder: whose they are, their numbers, and what readers see of them.


_NUMBER = re.compile(r"\d{4,}")
#: What `numbers.json` records of its making.
_MADE_FROM = ("code", "environment", "inputs")
#: What a PDF's maker writes about itself: the object of its metadata, its name, and the table of places, which moves with them.
_MADE_BY = re.compile(
    rb"\d+ \d+ obj(?:(?!endobj).)*?<\?xpacket.*?endobj|/(?:Creator|Producer)\s*\([^)]*\)|\nxref\r?\n.*", re.DOTALL
)


def _owner(target: Path) -> str | None:
    """Return the name of the study whose versions a folder holds, by its list or its newest version; None if none says so."""
    newest = version_numbers(target)[-1:]
    listed, *published = (
        read_index(target).get("study"),
        *(manifest.read_any_manifest(version_folder(target, n)).get("study") for n in newest),
    )
    owner = listed or next(iter(published), None)
    return owner if isinstance(owner, str) else None


def check_owner(spec: StudySpec, target: Path) -> None:
    """Refuse a folder that holds the versions of another study, by its name, or by its place if it published from this machine."""
    owner = _owner(target)
    if owner is not None and owner != spec.name:
        raise InvalidInput(
            f"{spec.path.name}: publish.folder {target} holds the versions of the study {owner!r}, and this one is {spec.name!r}; name another "
            f'folder. If {owner} was renamed to {spec.name}, write "study": "{spec.name}" into {INDEX} there.'
        )
    known = known_publisher(target)
    if owner is None or known is None:
        return
    study, note = known
    # one that was renamed, moved or removed has handed its folder over
    if study.name == owner and study != spec.folder.resolve() and (study / manifest.STUDY_FILE).is_file():
        raise InvalidInput(
            f"{spec.path.name}: publish.folder {target} holds the versions of the study in {study}, and this one is in {spec.folder}; name another "
            f"folder. If this one takes its place, remove {note}."
        )


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


def seen_digest(folder: Path, names: Iterable[str]) -> str:
    """Return one digest of what readers see in the files of a report, whatever code and libraries made them.

    The manifest is left out, of ``numbers.json`` its record of code, libraries and inputs, of a PDF what its maker writes
    about itself.
    """
    return one_digest(
        {name: sha256(_seen((folder / name).read_bytes(), name)) for name in names if name != manifest.FILE}
    )


def _seen(content: bytes, name: str) -> bytes:
    if name == numbers.FILE:
        return _seen_numbers(content)
    if name.endswith(".pdf"):
        return _MADE_BY.sub(b"", content)
    return content


def _seen_numbers(content: bytes) -> bytes:
    """Return the numbers without the record of their making; a file that is damaged as it is, which equals no other."""
    try:
        record = parse_json(content)
        shown = {k: v for k, v in (numbers.in_this_layout(record) or record).items() if k not in _MADE_FROM}
    except (ValueError, AttributeError, TypeError):
        return content
    return json.dumps(shown, sort_keys=True).encode("utf-8")


def known_digests(target: Path) -> dict[int, str]:
    """Return the recorded digests, none if the list cannot be read."""
    try:
        return _recorded_digests(target)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return {}


def _readable_index(target: Path) -> bool:
    return bool(known_digests(target))


def _recorded_digests(target: Path) -> dict[int, str]:
    """Return the digest of each version as it was recorded when it was published; empty for one whose manifest could not be read then."""
    rows = parse_json(read_small(target / INDEX))["versions"]
    return {int(row["version"]): str(row["digest"]) for row in rows}


def _own_digests(folder: Path) -> tuple[dict[str, str], dict[str, str]] | None:
    """Return the digests of what a version was made from and of what was made, by its own manifest; None if that does not say."""
    recorded = manifest.read_any_manifest(folder)
    inputs, outputs = recorded.get("inputs"), recorded.get("outputs")
    return (inputs, outputs) if isinstance(inputs, dict) and isinstance(outputs, dict) else None


def _otherwise(target: Path, number: int) -> list[str]:
    """Return the files of a version that are not what its own manifest says."""
    folder = version_folder(target, number)
    if folder.is_symlink():
        return ["it is a link"]
    own = _own_digests(folder)
    if own is None:
        return [manifest.FILE]
    inputs, outputs = own
    there = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()}
    there.pop(manifest.FILE, None)
    names = sorted({*there, *outputs})
    said = {**inputs, **outputs}
    return [n for n in names if n not in there or there[n].is_symlink() or file_sha256(there[n]) != said.get(n)]


def _said_digest(folder: Path) -> str:
    """Return what a version's digest is if its files are as its own manifest says; empty if that cannot be read."""
    own = _own_digests(folder)
    if own is None:
        return ""
    inputs, outputs = own
    there = {name: inputs[name] for name in files_in(folder) if name in inputs}
    return one_digest({**there, **outputs, manifest.FILE: file_sha256(folder / manifest.FILE)})


def _not_as_published(target: Path, number: int) -> str:
    named = first_few(_otherwise(target, number), 3) or f"{INDEX} has another digest of it, or none"
    return f"version {number} is not what was published ({named})"


def _verify_place(target: Path) -> None:
    """Refuse a publish folder that holds what no publisher writes, or whose versions lie elsewhere."""
    others = foreign_files(target)
    if others:
        raise NotAsRecorded(
            f"{target.name} holds what is of no version ({first_few(others, 3)}), and readers can see it; move it away."
        )
    refuse_link(target / VERSIONS)


def verify_versions(target: Path) -> int:
    """Hold every published version against its own manifest and the digest recorded for it; return how many there are."""
    _verify_place(target)
    there = version_numbers(target)
    for number in there:
        if _otherwise(target, number):
            raise NotAsRecorded(f"{target.name}: {_not_as_published(target, number)}; restore it.")
    try:
        rows = _recorded_digests(target)
    except FileNotFoundError as error:
        if not there:
            return 0
        raise NotAsRecorded(f"{target.name}/{INDEX} is lost; publish again to write it anew.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise NotAsRecorded(
            f"{target.name}/{INDEX} cannot be read ({error}); publish again to write it anew."
        ) from error
    for number, digest in rows.items():
        if number not in there:
            raise NotAsRecorded(
                f"{target.name}: version {number} was removed; readers may have its address. Restore it."
            )
        if folder_digest(target / VERSIONS / version_name(number)) != digest:
            raise NotAsRecorded(f"{target.name}: {_not_as_published(target, number)}; restore it.")
    why = unfinished(target)
    if why:
        raise NotAsRecorded(f"{target.name}: a publication did not come to its end ({why}); publish again.")
    return len(rows)


# -- The lists of the versions, for machines and for people.


def read_index(target: Path) -> dict[str, object]:
    """Return the list of versions as it was written last; empty if there is none that can be read."""
    try:
        content = parse_json(read_small(target / INDEX))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_index(spec: StudySpec, target: Path) -> None:
    """Write the list of versions for machines and for people; not at all if it stands already."""
    known = known_digests(target)
    there = version_numbers(target)
    rows = [_row(target, number, known.get(number)) for number in sorted({*there, *known})]
    text = json.dumps({"study": spec.name, "title": spec.title, "versions": rows}, ensure_ascii=False, indent=1) + "\n"
    # a version is listed last: until then the publication is unfinished
    for name, content in ((PAGE, _index_page(spec.title, rows)), (INDEX, text)):
        path = target / name
        if path.is_symlink() or not path.is_file() or path.read_bytes() != content.encode("utf-8"):
            write_whole(path, content)


def _row(target: Path, number: int, digest: str | None) -> dict[str, object]:
    folder = target / VERSIONS / version_name(number)
    recorded: Mapping[str, Mapping[str, str]] = manifest.read_any_manifest(folder)
    return {
        "version": number,
        "folder": f"{VERSIONS}/{version_name(number)}",
        "data": recorded.get("data", {}),
        "corrections": len(read_corrections(folder)),
        "digest": digest or _said_digest(folder),
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
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">\n'
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
