"""Files: written whole or not at all, moved, locked, their digests, and which files a study may name."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from eventstudy.ending import tidied
from eventstudy.errors import DataMissing, InvalidInput, NotAsRecorded, SourceFailed, StudyFileError
from eventstudy.wording import listed, one_line, plural, printable, steers

if TYPE_CHECKING:
    import pandas as pd


#: So many bytes are read at once of a file that may be long.
PIECE = 2**20
#: No honest record of a report, such as its numbers, has more bytes: those of a hundred events have a hundred thousand.
MAX_RECORD = 50_000_000


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write a file through a temporary neighbour, flush it to disk and rename it into place."""
    with written_whole(path) as stream:
        stream.write(content.encode("utf-8") if isinstance(content, str) else content)
    return path


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Give a stream whose file takes its place when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def staged(place: Path | None, prefix: str) -> Iterator[Path]:
    """Give a new folder in a place, or among temporary files, to make files in; it is removed at the end unless it was renamed away.

    One among temporary files is named with the process and locked by it, so that `sweep_temporary` knows what a killed process left.
    """
    stage, lock = (Path(tempfile.mkdtemp(dir=place, prefix=prefix)), None) if place else _temporary(prefix)
    try:
        with tidied(lambda: shutil.rmtree(stage, ignore_errors=True)):
            yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if lock is not None:
            os.close(lock)


#: What `staged` calls folders among temporary files.
_TEMPORARY = re.compile(r"eventstudy-(?:[a-z]+-)?\d+-\w{8}")


def _temporary(prefix: str) -> tuple[Path, int | None]:
    """Return a new temporary folder and the descriptor that locks it; None where folders cannot be locked."""
    while True:
        stage = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))
        lock = _lock_folder(stage)
        if stage.is_dir():  # else another process swept it away before it was locked
            return stage, lock
        if lock is not None:
            os.close(lock)


def _lock_folder(folder: Path) -> int | None:
    """Return a descriptor that locks a folder until it is closed; None if it cannot be had."""
    try:
        import fcntl
    except ImportError:  # not Unix
        return None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def sweep_temporary() -> None:
    """Remove the temporary folders that killed processes of this user have left."""
    try:
        own = [
            Path(p.path)
            for p in os.scandir(tempfile.gettempdir())
            if _TEMPORARY.fullmatch(p.name)
            and p.is_dir(follow_symlinks=False)
            and p.stat(follow_symlinks=False).st_uid == os.getuid()
        ]
    except (OSError, AttributeError):  # gone meanwhile; not Unix
        return
    for folder in own:
        lock = _lock_folder(folder)
        if lock is not None:  # its process has ended
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def refuse_link(path: Path) -> None:
    """Refuse to write to, or below, what is a link: it may lead out of the folder of somebody who builds a stranger's study."""
    if path.is_symlink():
        raise _is_link(f"{path.parent.name}/{path.name}")


def _is_link(name: str) -> NotAsRecorded:
    return NotAsRecorded(f"{name} is a link; a report is not written through links. Remove it and build again.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder that is held open, or a path where folders cannot be."""

    name: str
    #: The descriptor of the folder; None where the system knows none.
    held: int | None

    def read(self, most: int = -1) -> bytes | None:
        """Return what a file holds, or so many bytes of it at most; None if the entry is none, or a link to one."""
        try:
            handle = os.open(self.name, os.O_RDONLY | _NO_LINK | _NO_WAIT, dir_fd=self.held)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as stream:
            return stream.read(most) if stat.S_ISREG(os.fstat(handle).st_mode) else None

    def unlink(self) -> None:
        """Remove a file or link, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.held)


_FOLDER, _NO_LINK, _NO_WAIT = (getattr(os, name, 0) for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"))


@contextmanager
def held_open(folder: Path, name: str, *, make: bool = False) -> Iterator[Entry]:
    """Give an entry below a folder, with the room that it lies in held open; no room on the way may be a link.

    Whatever is put into the place of a room meanwhile, what is done to the entry is done in the one that was opened.
    """
    *rooms, last = PurePosixPath(name).parts
    if os.open not in os.supports_dir_fd:  # not Unix
        if make:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        yield Entry(str(folder / name), None)
        return
    handle = os.open(folder, os.O_RDONLY | _FOLDER)
    try:
        for room in rooms:
            inner = _open_room(handle, room, make=make, seen_from=folder)
            os.close(handle)
            handle = inner
        yield Entry(last, handle)
    finally:
        os.close(handle)


def _open_room(handle: int, room: str, *, make: bool, seen_from: Path) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(room, dir_fd=handle)
    try:
        return os.open(room, os.O_RDONLY | _FOLDER | _NO_LINK, dir_fd=handle)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _is_link(f"{seen_from.name}/{room}") from error
        raise


def move_over(source: Entry, target: Entry) -> bool:
    """Rename a file over another, or over a link, unless they are equal; say whether the bytes changed."""
    content = source.read()
    if content is not None and target.read(len(content) + 1) == content:
        source.unlink()
        return False
    os.replace(source.name, target.name, src_dir_fd=source.held, dst_dir_fd=target.held)
    return True


def flush_folder(folder: Path) -> None:
    """Write a folder's entries to disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


@contextmanager
def locked(file: Path, wait: float, refusal: str) -> Iterator[None]:
    """Keep other processes away that take the same lock file; a process that holds it may take it again.

    Who cannot have it within ``wait`` seconds is refused with a message.
    """
    from filelock import FileLock, Timeout

    refuse_link(file)
    lock = FileLock(file, is_singleton=True)
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise SourceFailed(refusal) from error
    try:
        yield
    finally:
        lock.release()


def files_in(folder: Path) -> list[str]:
    """Return the names of all files in a folder and below, sorted."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def write_all(folder: Path, contents: Mapping[str, bytes | str]) -> list[Path]:
    """Write files into a folder so that a failure leaves none of them changed.

    Notes
    -----
    All are written and flushed in a hidden folder beside their places and then renamed one by one; if a rename fails,
    those done are taken back. A process killed between two renames leaves whole files, of which some are new: the
    last file named should tell, by digests, which belong together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with staged(folder, ".bundle-") as stage:
        for name, content in contents.items():
            write_whole(stage / "new" / name, content)
        _switch(folder, stage, list(contents))
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
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def one_digest(files: Mapping[str, str]) -> str:
    """Return one digest of files, given by name and digest."""
    return sha256(
        "".join(f"{name} {digest}\n" for name, digest in sorted(files.items())).encode("utf-8", "surrogateescape")
    )


def folder_digest(folder: Path) -> str:
    """Return one digest of the names and bytes of all files in a folder."""
    return one_digest({name: file_sha256(folder / name) for name in files_in(folder)})


class Readable(Protocol):
    """What bytes are read from, packed or not."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, none at the end."""
        ...


def read_up_to(stream: Readable, limit: int) -> bytes:
    """Return what a stream holds, up to a number of bytes and one more that tells of further ones; memory is asked for as it fills."""
    whole = io.BytesIO()
    while whole.tell() <= limit and (piece := stream.read(min(PIECE, limit + 1 - whole.tell()))):
        whole.write(piece)
    return whole.getvalue()


def read_small(
    path: Path, limit: int = MAX_RECORD, hint: str = "no such file is", error: type[InvalidInput] = StudyFileError
) -> bytes:
    """Return the bytes of a regular file of a study that is small if it is honest."""
    with open_regular(path, error) as stream:
        size = os.fstat(stream.fileno()).st_size
        content = b"" if size > limit else read_up_to(stream, limit)
    if max(size, len(content)) > limit:
        raise error(f"{one_line(path.parent.name)}/{one_line(path.name)} is larger than {limit:,} bytes; {hint}.")
    return content


def open_regular(path: Path, error: type[InvalidInput] = StudyFileError) -> BinaryIO:
    """Open a file to read; a pipe, a device or a socket in its place, which may never end or do something when opened, is refused."""
    _check_regular(path, path.stat().st_mode, error)
    stream = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb")
    try:
        _check_regular(path, os.fstat(stream.fileno()).st_mode, error)  # it may be another one by now
    except InvalidInput:
        stream.close()
        raise
    return stream


def _check_regular(path: Path, mode: int, error: type[InvalidInput]) -> None:
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder the system refuses in its words
        raise error(
            f"{one_line(path.parent.name)}/{one_line(path.name)} is a pipe, a device or a socket; put a file in its place, or remove it."
        )


def parse_json(text: str | bytes) -> Any:
    """Return what a JSON text says; one whose brackets are nested too deeply is a ValueError like any other that is none."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its brackets are nested too deeply") from None


def check_file_name(path: Path) -> None:
    """Refuse a file or folder whose name is no text of one line, as a page, a table of its origin or a message could not name it."""
    if any("\ud800" <= c <= "\udfff" for c in path.name):
        raise InvalidInput(
            f"The name of {printable(path.name)} is no text in UTF-8; rename it, e.g. with letters, digits and -.",
            file=printable(path.name),
        )
    if one_line(path.name) != printable(path.name):
        raise InvalidInput(
            f"The name {one_line(path.name)} has a line break; rename it, e.g. with letters, digits and -.",
            file=one_line(path.name),
        )


# -- Names of stored downloads, which tell in which order they were stored, read without a numerical library.


#: Source, second in UTC, and a number from the second of a second on.
STORED_NAME = re.compile(r"(?P<source>[a-z][a-z0-9_]*)-(?P<stamp>\d{8}T\d{6}Z)(?:-(?P<number>\d+))?")
STORED_ENDINGS = (".csv", ".csv.gz")
STAMP = "%Y%m%dT%H%M%SZ"
#: Beside them stands here which of them a later download was equal to, and when.
CONFIRMED = ".confirmed"
#: By so much may the clocks of two machines that store for one study differ.
CLOCKS_DIFFER = timedelta(minutes=5)


def stored_files(place: Path) -> list[Path]:
    """Return the price files in a folder that have the name of a stored download, as they were stored: by source, oldest first."""
    if not place.is_dir():
        return []
    found = [p for p in place.iterdir() if p.name.endswith(STORED_ENDINGS) and STORED_NAME.fullmatch(stored_name(p))]
    return sorted(found, key=lambda p: storing_order(stored_name(p)))


def stored_name(path: Path) -> str:
    """Return a price file's name without its ending."""
    return path.name.removesuffix(".gz").removesuffix(".csv")


def storing_order(name: str) -> tuple[str, str, int, str]:
    """Return by what stored downloads are put into the order in which they were stored."""
    match = STORED_NAME.fullmatch(name)
    return ("", "", 0, name) if match is None else (match["source"], match["stamp"], int(match["number"] or 1), name)


def stored_at(name: str) -> datetime:
    """Return the moment of a stored download by its name, UTC."""
    try:
        return datetime.strptime(storing_order(name)[1], STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise NotAsRecorded(
            f"{name} has the name of a stored download, and no moment in it; move it away.", file=name
        ) from error


def stored_age(name: str) -> str:
    """Return in words how old a stored download is, in days of the calendar in UTC."""
    return f"{plural((now().date() - stored_at(name).date()).days, 'day')} old"


def confirmed_at(path: Path) -> datetime:
    """Return when a stored price file was downloaded last: when it was stored, or when a later download was equal to it.

    A record of another file, of a moment that has not come yet, or one that cannot be read makes no price younger.
    """
    stored, beside = stored_at(stored_name(path)), path.parent / CONFIRMED
    try:
        name, _, stamp = read_small(beside, 200).decode("ascii").strip().partition(" ")
        moment = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except (OSError, ValueError):
        return stored
    return stored if name != stored_name(path) or is_ahead(moment) else max(stored, moment)


def is_ahead(moment: datetime) -> bool:
    """Whether a moment has not come yet by the clock, though two machines' clocks may differ a little."""
    return moment > now() + CLOCKS_DIFFER


def now() -> datetime:
    """Return the moment by the clock, UTC."""
    return datetime.now(tz=UTC)


# -- Files that a study file names: they stay in the study's folder, links followed.


#: Notebooks shared by several studies lie here, seen from a study's folder.
SHARED_NOTEBOOKS = Path("../../notebooks")
#: Most bytes of a table of events or a timeline: about a million rows.
MAX_TABLE = 100_000_000


#: Endings of the files of a study that are published with its page, by the key that names them.
PUBLISHED = {
    "events": (".csv", ".csv.gz", ".tsv", ".txt", ".parquet", ".xlsx"),
    "timeline": (".csv", ".csv.gz", ".tsv", ".txt"),
    "claims": (".toml",),
    "notebooks": (".ipynb",),
}


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
    endings = PUBLISHED.get(key, ())
    if endings and (
        not name.lower().endswith(endings) or any(p.startswith(".") and p != ".." for p in Path(name).parts)
    ):
        raise ValueError(
            f"{key}: {name!r} is published beside the page, where a server goes by its name; give one that ends in {listed(endings, 'or')} and does "
            f"not begin with a dot"
        )


def own_notebooks(folder: Path) -> tuple[str, ...]:
    """Return the names of the notebooks that lie in a study's folder, in alphabetical order."""
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix == ".ipynb" and p.is_file())
    except OSError:
        return ()
    for path in found:
        check_file_name(path)
    return tuple(p.name for p in found)


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
            f"{path.parent.name}/{path.name} is larger than {MAX_TABLE / 1e6:.0f} MB; no such table is."
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
    _check_texts(path, header, rows)
    table = pd.DataFrame(body, columns=header, dtype=object)
    return table.mask(table == "", None)


def _check_texts(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """Refuse cells that would steer a terminal, or turn the order of what follows on a page."""
    for place, row in enumerate(rows):
        for column, cell in zip(header, row, strict=True):
            if steers(cell):
                where = f"row {place}: {printable(column)}" if place else "the header"
                raise StudyFileError(
                    f"{path.parent.name}/{path.name}: {where}: {cell[:60]!a} has a control character; remove it."
                )
