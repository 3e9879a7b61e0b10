"""The versions in a publish folder: their numbers, their digests, and the lists of them for machines and for people."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import InvalidInput, NotAsRecorded
from eventstudy.files import file_sha256, sha256, write_whole
from eventstudy.report import corrections, manifest

if TYPE_CHECKING:
    from eventstudy.spec import StudySpec

VERSIONS, CURRENT = "versions", "current"
INDEX, PAGE = "versions.json", "versions.html"
NUMBERS = "numbers.json"
_NUMBER = re.compile(r"\d{4,}")
#: What `numbers.json` records of its making.
_MADE_FROM = ("code", "environment", "inputs")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


def check_owner(spec: StudySpec, target: Path) -> None:
    """Refuse a folder that holds the versions of another study, as a copied study file would name it.

    Raises
    ------
    InvalidInput
        If ``versions.json`` names another study.
    """
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
        "corrections": len(corrections.read_corrections(folder)),
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
        if not (target / VERSIONS / version_name(number)).is_dir():
            raise NotAsRecorded(
                f"{target.name}: version {number} was removed; readers may have its address. Restore it."
            )
        if folder_digest(target / VERSIONS / version_name(number)) != digest:
            raise NotAsRecorded(f"{target.name}: version {number} is not what was published; restore it.")
    return len(rows)
