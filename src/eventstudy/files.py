"""Files: written whole or not at all, their digests, and what a study file and its tables may be."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import shlex
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing, InvalidInput, StudyFileError

if TYPE_CHECKING:
    import pandas as pd


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write a file through a temporary neighbour, flush it to disk and rename it into place."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def write_all(folder: Path, contents: Mapping[str, bytes | str]) -> list[Path]:
    """Write files into a folder so that a failure leaves none of them changed.

    Notes
    -----
    All are written and flushed in a hidden folder beside their places and then renamed one by one; if a rename fails,
    those done are taken back. A process killed between two renames leaves whole files, of which some are new: the
    last file named should tell, by digests, which belong together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(dir=folder, prefix=".bundle-"))
    try:
        for name, content in contents.items():
            write_whole(stage / "new" / name, content)
        _switch(folder, stage, list(contents))
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [folder / name for name in contents]


def _switch(folder: Path, stage: Path, names: list[str]) -> None:
    """Rename the new files into place, keeping copies of the old ones until all are there."""
    old = stage / "old"
    old.mkdir()
    done: list[str] = []
    try:
        for name in names:
            if (folder / name).exists():
                shutil.copy2(folder / name, old / name)
            done.append(name)
            os.replace(stage / "new" / name, folder / name)
    except BaseException:
        for name in done:
            if (old / name).exists():
                os.replace(old / name, folder / name)
            elif not (stage / "new" / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    return sha256(path.read_bytes())


# -- TOML files of people, read within bounds.


#: No honest file of a study is larger: a megabyte is five hundred pages.
MAX_BYTES = 1_000_000
#: No honest key has more parts. The parser's time grows with their square: 16,000 parts take half a minute.
MAX_PARTS = 16

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
# bounded, so that the search itself is linear; no end is asked for
_LONG_KEY = re.compile(rf"(?:{_PART}[ \t]*\.[ \t]*){{{MAX_PARTS}}}{_PART}")


def read_toml(
    file: Path, what: str = "a study file", *, limit: int = MAX_BYTES, error: type[InvalidInput] = InvalidInput
) -> dict[str, object]:
    """Return the content of a TOML file."""
    if file.stat().st_size > limit:
        raise error(f"{file} is larger than {limit:,} bytes; {what} is some pages of text.")
    try:
        text = file.read_text(encoding="utf-8")
        if _LONG_KEY.search(text):
            raise error(
                f"{file} is not accepted: a key has more than {MAX_PARTS} parts (a.b.c. …); no key of {what} has."
            )
        return tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        raise error(f"{file} is not valid TOML: {problem}.") from problem
    except ValueError as problem:
        if isinstance(problem, InvalidInput):
            raise
        raise error(f"{file} is not valid TOML: {problem}.") from problem  # e.g. a number without end


# -- Files that a study file names: they stay in the study's folder, links followed.


#: Notebooks shared by several studies lie here, seen from a study's folder.
SHARED_NOTEBOOKS = Path("../../notebooks")
#: Most bytes of a table of events or a timeline: about a million rows.
MAX_TABLE = 100_000_000


def check_inside(folder: Path, key: str, name: str) -> None:
    """Refuse a path that leads out of a study's folder, by its parts or through a link.

    A study may come from anybody; building it must not read a file of the reader's into a page.
    """
    if any(
        sign in name for sign in ":\\?#"
    ):  # an address, a drive, or what a link on the page would take for more than a name
        raise ValueError(f"{key}: {name!r} holds one of : \\ ? #; give a plain path below the study's folder, with /")
    rooms = [folder.resolve()]
    if key == "notebooks":
        rooms.append((folder / SHARED_NOTEBOOKS).resolve())
    try:
        target = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links, a NUL character
        raise ValueError(
            f"{key}: {name!r} is no path of a file ({error}); give a file in the study's folder"
        ) from error
    if Path(name).is_absolute() or not any(target.is_relative_to(room) for room in rooms):
        also = ", or in notebooks/ beside reports/" if key == "notebooks" else ""
        raise ValueError(f"{key}: {name!r} leaves the study's folder; put a copy of the file inside it{also}")


def command_path(folder: Path) -> str:
    """Return a folder as a command names it from where the reader stands."""
    try:
        return shlex.quote(folder.resolve().relative_to(Path.cwd().resolve()).as_posix())
    except ValueError:
        return shlex.quote(str(folder))


def read_table(path: Path) -> pd.DataFrame:
    """Read a small CSV as text, empty cells as missing."""
    import pandas as pd

    if not path.is_file():
        raise DataMissing(f"{path.parent.name}/{path.name} is missing; the study file names it.")
    if path.stat().st_size > MAX_TABLE:
        raise StudyFileError(
            f"{path.parent.name}/{path.name} is larger than {MAX_TABLE / 1e6:.0f} MB; no table of events is."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), skipinitialspace=True, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise StudyFileError(f"{path.parent.name}/{path.name} cannot be read as CSV: {error}.") from error
    rows = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise StudyFileError(f"{path.parent.name}/{path.name} is empty; it needs a header and rows.")
    header, body = rows[0], rows[1:]
    for place, row in enumerate(body, start=1):
        if len(row) != len(header):
            raise StudyFileError(
                f"{path.parent.name}/{path.name}: row {place} has {len(row)} fields, the header {len(header)} "
                f"({', '.join(header)}); put text with commas in quotes."
            )
    twice = sorted({c for c in header if header.count(c) > 1})
    if twice:
        raise StudyFileError(
            f"{path.parent.name}/{path.name} has the column {', '.join(twice)} more than once; keep one."
        )
    table = pd.DataFrame(body, columns=header, dtype=object)
    return table.mask(table == "", None)
