"""What this user's command has built, noted outside the study's folder: what lies inside may come from anybody.

The note of a study's folder is a small file below ``$XDG_STATE_HOME/eventstudy/built`` (``~/.local/state``): the digests of the files of the
last report that was finished here. It is written before they are moved into place. Without a home that can be written all works, but
a move that was interrupted is then made anew, and what is to be published is built again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from eventstudy.files import file_sha256, sha256, write_whole
from eventstudy.report.builds import manifest


def remember(folder: Path, files: Mapping[str, str]) -> None:
    """Note the files of a finished report, names and digests; notes of folders that are gone are removed."""
    note = _note(folder)
    if note is None:
        return
    try:
        if not note.exists():
            _forget_what_is_gone(note.parent)
        for left in note.parent.glob(f".{note.name}.*"):
            left.unlink(missing_ok=True)
        before = [n for n in sorted({*finished_files(folder), *finished_before(folder)}) if os.path.lexists(folder / n)]
        content = {"folder": str(folder.resolve()), "files": dict(files), "before": before}
        write_whole(note, json.dumps(content, indent=1) + "\n")
    except (OSError, ValueError):  # a home that cannot be written, a name that is no UTF-8
        return


def finished_files(folder: Path) -> dict[str, str]:
    """Return names and digests of the last report of a folder that was finished here; none if none was."""
    files = _noted(folder).get("files")
    return {str(name): str(digest) for name, digest in files.items()} if isinstance(files, dict) else {}


def finished_before(folder: Path) -> set[str]:
    """Return the names of files that lay there of the reports finished here before the last one."""
    names = _noted(folder).get("before")
    return set(map(str, names)) if isinstance(names, list) else set()


def _noted(folder: Path) -> dict[str, object]:
    note = _note(folder)
    content = {} if note is None else _read(note)
    return content if content.get("folder") == str(folder.resolve()) else {}


def remember_publisher(target: Path, study: Path) -> None:
    """Note whose versions a publish folder holds; notes of folders that are gone are removed."""
    note = _note(target, "published")
    content = {"folder": str(target.resolve()), "study": str(study.resolve())}
    if note is None or _read(note) == content:
        return
    try:
        _forget_what_is_gone(note.parent)
        write_whole(note, json.dumps(content, indent=1) + "\n")
    except (OSError, ValueError):
        return


def known_publisher(target: Path) -> tuple[Path, Path] | None:
    """Return the folder of the study that published to a folder last from here, and the note that says so; None if none is known."""
    note = _note(target, "published")
    content = {} if note is None else _read(note)
    study = content.get("study")
    if note is None or content.get("folder") != str(target.resolve()) or not isinstance(study, str):
        return None
    return Path(study), note


def built_here(folder: Path) -> bool:
    """Whether the report in a folder is the one that was finished here last."""
    try:
        return finished_files(folder).get(manifest.FILE) == file_sha256(folder / manifest.FILE)
    except OSError:
        return False


def _note(folder: Path, kind: str = "built") -> Path | None:
    """Return where the note of a folder is; None if there is no home, or if it lies in the folder itself."""
    given = os.environ.get("XDG_STATE_HOME", "")
    try:
        state = Path(given) if os.path.isabs(given) else Path.home() / ".local" / "state"
        state, folder = state.resolve(), folder.resolve()
    except (OSError, RuntimeError):
        return None
    if state.is_relative_to(folder):
        return None
    return state / "eventstudy" / kind / f"{sha256(os.fsencode(folder))[:32]}.json"


def _read(note: Path) -> dict[str, object]:
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _forget_what_is_gone(notes: Path) -> None:
    for note in notes.glob("*.json"):
        folder = _read(note).get("folder")
        if not isinstance(folder, str) or not os.path.isdir(folder):
            note.unlink(missing_ok=True)
