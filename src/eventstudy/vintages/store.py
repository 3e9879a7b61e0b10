"""The vintages of a study's prices: each download a file of its own with a passport, never overwritten.

A vintage is ``prices/yahoo-20251101T120001Z.csv`` (or ``.csv.gz``) in the study's folder with
``yahoo-20251101T120001Z.json`` beside it: the source, the moment in UTC, and a number from the second of a second on.
When a later download was equal to the newest one, and was not kept, stands in ``prices/.confirmed``.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput, NotAsRecorded, SourceFailed
from eventstudy.files import (
    CONFIRMED,
    STAMP,
    STORED_ENDINGS,
    STORED_NAME,
    file_sha256,
    is_ahead,
    locked,
    stored_at,
    stored_files,
    stored_name,
    storing_order,
    write_whole,
)
from eventstudy.prices.passport import check_format, check_own_digest, passport_path, passport_text, read_json
from eventstudy.prices.table import Prices
from eventstudy.sources.files.open import read_prices
from eventstudy.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventstudy.prices.table import Prices

#: Where a study keeps its vintages.
FOLDER = "prices"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?")


@dataclass(frozen=True, repr=False)
class Vintage:
    """One download of prices, as it is stored; its figures are read by `load_vintage`.

    Attributes
    ----------
    name : str
        E.g. ``yahoo-20251101T120001Z``.
    path : Path
        The price file.
    source : str
        Where it was downloaded from, e.g. ``yahoo``.
    fetched : Timestamp
        Moment of the download, UTC.
    tickers : tuple of str
        What was asked for.
    start, end : str
        First and last day asked for, ISO format.
    first, last : str
        First and last day with prices, ISO format.
    sha256 : str
        Digest of the file's bytes.
    format : int
        Layout of the passport: 1 up to version 0.1, 2 since.
    clients : mapping of str to str
        Versions of the libraries that fetched; empty in format 1.
    ticker_facts : mapping of str to mapping
        Per ticker ``rows``, ``first``, ``last`` and ``sha256`` of its rounded figures; empty in format 1.
    """

    name: str
    path: Path
    source: str
    fetched: pd.Timestamp
    tickers: tuple[str, ...]
    start: str
    end: str
    first: str
    last: str
    sha256: str
    format: int
    clients: Mapping[str, str]
    ticker_facts: Mapping[str, Mapping[str, object]]

    def __repr__(self) -> str:
        shown = ", ".join(self.tickers[:8]) + (" …" if len(self.tickers) > 8 else "")
        return (
            f"Vintage {self.name}: {len(self.tickers)} tickers ({shown}), {self.first} to {self.last}, "
            f"fetched {self.fetched:%Y-%m-%d %H:%M:%S} UTC"
        )


def check_inside(folder: Path) -> None:
    """Refuse a folder ``prices`` that is a link out of the study's folder."""
    place = folder / FOLDER
    try:
        inside = place.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links
        inside = False
    if not inside:
        raise InvalidInput(
            f"prices: the folder {FOLDER} of {folder.name or folder} is a link that leads out of the study's folder; put a folder in its "
            f"place."
        )


def vintage_folder(folder: str | Path) -> Path:
    """Return where the vintages of a study lie: its folder ``prices``, or the folder itself if it has none."""
    own = Path(folder)
    if own.name != FOLDER:
        check_inside(own)
    return own / FOLDER if own.name != FOLDER and ((own / FOLDER).is_dir() or not stored_files(own)) else own


def list_vintages(folder: str | Path, source: str | None = None) -> tuple[Vintage, ...]:
    """Return the vintages stored in a study's folder, oldest first.

    Parameters
    ----------
    folder : str or Path
        The study's folder, or the folder ``prices`` in it.
    source : str, optional
        Only those of this source, e.g. ``"yahoo"``.

    Returns
    -------
    tuple of Vintage
        Empty if there are none. Price files of other names are no vintages, and neither is one that a killed command had not
        moved in, or had begun to take away.

    Raises
    ------
    NotAsRecorded
        If a price file or its passport is not there, a passport cannot be read, was changed or is another's, or a vintage is there
        twice (``.csv``, ``.csv.gz``): an older one is not silently taken in its place.

    Examples
    --------
    >>> list_vintages("no/such/study")
    ()
    """
    place = vintage_folder(folder)
    files = [p for p in stored_files(place) if source in (None, storing_order(stored_name(p))[0])]
    check_none_lost(place, source)
    found = _read_all(files)
    return tuple(sorted(found, key=lambda v: (v.fetched, storing_order(v.name))))


def check_none_lost(place: Path, source: str | None = None, name: str | None = None) -> None:
    """Refuse passports whose price file is gone; one that waits to be moved in, or is being taken away, is not."""
    passports = [p for p in place.glob("*.json") if STORED_NAME.fullmatch(p.stem)] if place.is_dir() else []
    for passport in sorted(passports, key=lambda p: storing_order(p.stem)):
        if source not in (None, storing_order(passport.stem)[0]) or name not in (None, passport.stem):
            continue
        for folder in (place / INCOMING, place, place / INCOMING):  # it may be moved meanwhile, either way
            if any((folder / f"{passport.stem}{ending}").exists() for ending in STORED_ENDINGS):
                break
        else:
            if passport.exists():
                raise NotAsRecorded(
                    f"{passport.name} has no price file. Restore {passport.stem}.csv (or .csv.gz) from a copy, or move {passport.name} out of "
                    f"{place.name}/; no other download is taken in its place.",
                    file=f"{passport.stem}.csv",
                )


def _read_all(files: Sequence[Path]) -> list[Vintage]:
    names = [stored_name(p) for p in files]
    twice = next((n for n in names if names.count(n) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise NotAsRecorded(
            f"{twice} is there as .csv and as .csv.gz, and has one passport. Move one of the files out of {files[0].parent.name}/.",
            file=twice,
        )
    return [_read(p) for p in files]


def _read(path: Path) -> Vintage:
    beside, name = passport_path(path), stored_name(path)
    if not beside.is_file():
        raise NotAsRecorded(
            f"{path.name} has no passport. Restore {beside.name} from a copy, or move {path.name} out of {path.parent.name}/; "
            f"no other download is taken in its place.",
            file=beside.name,
        )
    try:
        facts: Any = read_json(beside)
        check_format(facts, beside.name)
        _check_name(facts, path, storing_order(name)[1])
        check_own_digest(facts, beside.name)
        asked = facts["asked"]
        return Vintage(
            name=name,
            path=path,
            source=storing_order(name)[0],
            fetched=pd.Timestamp(stored_at(name)),
            tickers=tuple(str(t) for t in asked["tickers"]),
            start=str(asked["start"]),
            end=str(asked["end"]),
            first=str(facts["first"]),
            last=str(facts["last"]),
            sha256=str(facts["sha256"]),
            format=int(facts.get("format", 1)),
            clients=dict(facts.get("clients", {})),
            ticker_facts=dict(facts.get("tickers", {})),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAsRecorded(
            f"The passport {beside.name} is damaged ({type(error).__name__}: {error}). Restore it, or move {path.name} "
            f"and the passport out of {path.parent.name}/ and fetch anew.",
            file=beside.name,
        ) from error


def _check_name(facts: Mapping[str, object], path: Path, stamp: str) -> None:
    """Refuse a passport of another file, or a file outside: a copy under a later name is not the newest vintage."""
    stamped = f"{pd.Timestamp(stamp):%Y-%m-%dT%H:%M:%SZ}"
    said = {"file": facts.get("file", path.name), "fetched": facts.get("fetched", stamped)}
    for key, value in {"file": path.name, "fetched": stamped}.items():
        if said[key] != value:
            raise NotAsRecorded(
                f"{path.name} has a passport of another download: its {key} is {str(said[key])[:60]!r}. Give both files the name that they "
                f"had, or move them out of {path.parent.name}/.",
                file=path.name,
            )
    for part in (path, passport_path(path)):
        if part.is_symlink() and not part.resolve().is_relative_to(path.parent.resolve()):
            raise NotAsRecorded(
                f"{part.name} is a link that leads out of {path.parent.name}/; put the file in its place.",
                file=part.name,
            )


def find_vintage(
    folder: str | Path, name: str | None = None, *, as_of: str | date | None = None, source: str = "yahoo"
) -> Vintage:
    """Return one vintage of a study: the newest, the one of a name, or the newest fetched up to and including a moment.

    A day (``2025-11-01`` or a date) counts whole; a moment (``2025-11-01T12:00`` or a datetime) is UTC unless it names a zone. One that is
    named is found whatever became of the others, and whatever the clock says.
    """
    if name is not None and as_of is not None:
        raise InvalidInput("Both a vintage's name and as_of were given; choose one.")
    if name is not None:
        return _named(vintage_folder(folder), name)
    stored = list_vintages(folder, source)
    limit = None if as_of is None else _limit(as_of)
    chosen = stored if limit is None else tuple(v for v in stored if _is_up_to(v.fetched.to_pydatetime(), limit))
    if chosen:
        check_clock(chosen[-1].path)
        return chosen[-1]
    if stored:
        raise DataMissing(
            f"No prices were fetched up to {as_of}; the first vintage is {stored[0].name}. Name a later moment.",
            available=tuple(v.name for v in stored),
        )
    raise DataMissing(f"There is no vintage of {source} prices in {Path(folder).name}; 'eventstudy fetch' makes one.")


def check_clock(newest: Path) -> None:
    """Refuse a stored download whose moment has not come yet: all that are stored later would be older than it."""
    name = stored_name(newest)
    if is_ahead(stored_at(name)):
        raise DataUnfit(
            f"{newest.name} was stored at {stored_at(name):%Y-%m-%d %H:%M} UTC, and by the clock that has not come yet. Set the clock right; if it is "
            f"right, move {newest.name} and {passport_path(newest).name} out of {newest.parent.name}/ and fetch again.",
            file=newest.name,
        )


def _named(place: Path, name: str) -> Vintage:
    wanted = name.removesuffix(".gz").removesuffix(".csv")
    files = stored_files(place)
    for vintage in _read_all([p for p in files if stored_name(p) == wanted]):
        return vintage
    check_none_lost(place, name=wanted)
    names = [stored_name(p) for p in files]
    raise DataMissing(
        f"There is no vintage {wanted!r}; "
        + (f"stored are {', '.join(names)}.{did_you_mean([wanted], names)}" if names else "none is stored.")
        + " 'eventstudy fetch' makes a new one.",
        available=tuple(names),
    )


def _limit(as_of: str | date) -> date:
    """Return the last day that counts, or the last moment with its zone."""
    refusal = InvalidInput(
        f"as_of is {str(as_of)[:40]!r}; give a day such as '2025-11-01', which counts whole, or a moment in UTC such as "
        f"'2025-11-01T12:00'.",
        as_of=str(as_of)[:40],
    )
    if isinstance(as_of, str):
        text = as_of.strip()
        reader = date if _DAY.fullmatch(text) else datetime if _MOMENT.fullmatch(text) else None
        if reader is None:
            raise refusal
        try:
            as_of = reader.fromisoformat(text)
        except ValueError as error:
            raise refusal from error
    if not isinstance(as_of, date) or pd.isna(as_of):
        raise refusal
    return as_of.replace(tzinfo=UTC) if isinstance(as_of, datetime) and as_of.tzinfo is None else as_of


def _is_up_to(fetched: datetime, limit: date) -> bool:
    return fetched <= limit if isinstance(limit, datetime) else fetched.date() <= limit


def load_vintage(
    folder: str | Path, name: str | None = None, *, as_of: str | date | None = None, source: str = "yahoo"
) -> Prices:
    """Return the prices of one vintage of a study: the newest, the one of a name, or the newest as of a moment.

    Parameters
    ----------
    folder, name, as_of, source
        As for `find_vintage`.

    Returns
    -------
    Prices
        ``provenance.source`` is the file's name, ``provenance.digest`` its SHA-256.

    Raises
    ------
    DataMissing, InvalidInput
        As for `find_vintage`.
    NotAsRecorded
        If the file is not the one that its passport records.
    """
    return read_prices(find_vintage(folder, name, as_of=as_of, source=source).path)


def verify_vintage(vintage: Vintage) -> None:
    """Read a vintage whole and compare it with its passport: digest of the file, digest and rows of each ticker."""
    found = file_sha256(vintage.path)
    if found != vintage.sha256:
        raise NotAsRecorded(
            f"{vintage.path.name} is not the file that its passport records: its SHA-256 is {found[:12]}…, recorded is "
            f"{vintage.sha256[:12]}…. Restore it from a copy, or move it away with its passport and fetch anew.",
            file=vintage.path.name,
        )
    read_prices(vintage.path)


# -- Storing a vintage: whole or not at all, never over another, whoever else stores at the same moment.


#: Where a vintage is written before it is moved into place; readers do not look here.
INCOMING = ".incoming"
LOCK = ".store.lock"
SOURCE = re.compile(r"[a-z][a-z0-9_]*")
#: Longest wait for another process that stores a vintage, in seconds.
LOCK_TIMEOUT = 60
#: Longer texts are stored compressed, in bytes.
LARGE = 4_000_000


def store_vintage(
    prices: Prices,
    folder: str | Path,
    moment: datetime,
    tickers: Sequence[str],
    start: str,
    end: str,
    source: str = "yahoo",
) -> Path:
    """Store a download as a vintage of a study, as `eventstudy fetch` does.

    Parameters
    ----------
    prices : Prices
        The download, with what is known of it in ``provenance`` and ``currency``.
    folder : str or Path
        The study's folder; the vintage goes into ``prices`` in it.
    moment : datetime
        When it was fetched, UTC unless it has a time zone; its second in UTC is in the name.
    tickers : sequence of str
        What was asked for.
    start, end : str
        First and last day asked for, ISO format.
    source : str
        The first word of the name, in small letters; a study with ``source = "yahoo"`` reads those of ``yahoo``.

    Returns
    -------
    Path
        The price file, with a passport beside it.

    Raises
    ------
    InvalidInput
        If ``source`` is no such word, or ``prices`` in the folder or what lies in it is a link.
    DataUnfit
        If the moment is before that of the newest vintage of this source.
    SourceFailed
        If another process does not finish storing in time.
    OSError
        If the folder cannot be written to; nothing is left behind then.

    Notes
    -----
    Under a lock, both files are written into ``.incoming`` first; then the passport is renamed into place and the price
    file after it. A vintage exists from this last step on. Whatever a killed process left is removed by the next.
    """
    place = Path(folder) / FOLDER
    moment = _checked(place, source, moment)
    made = not place.is_dir()
    place.mkdir(parents=True, exist_ok=True)
    text = long_csv(prices).encode("utf-8")
    ending, content = (".csv.gz", gzip.compress(text, mtime=0)) if len(text) > LARGE else (".csv", text)
    try:
        with store_lock(place):
            clean_up(place)
            _check_order(place, source, moment)
            path = _free_name(place, f"{source}-{moment:%Y%m%dT%H%M%SZ}", ending)
            try:
                passport = passport_text(prices, path.name, content, tickers, start, end, moment)
                return _move_in(place, path, content, passport)
            except BaseException:
                clean_up(place)
                raise
    except SourceFailed:  # another process stores here
        raise
    except BaseException:
        if made and set(os.listdir(place)) <= {LOCK}:
            shutil.rmtree(place, ignore_errors=True)
        raise


def store_lock(place: Path) -> AbstractContextManager[None]:
    """Keep other processes away that store vintages or take one away."""
    words = (
        f"Another process has held {place.name}/{LOCK} for {LOCK_TIMEOUT} s; wait for it or end it, then fetch again."
    )
    return locked(place / LOCK, LOCK_TIMEOUT, words)


def _checked(place: Path, source: str, moment: datetime) -> datetime:
    """Refuse links, which would be followed, and a name that is none; return the moment in UTC."""
    check_inside(place.parent)
    for name in (INCOMING, LOCK):
        if (place / name).is_symlink():
            raise InvalidInput(f"{place.name}/{name} is a link, and what it leads to would be overwritten; remove it.")
    if not SOURCE.fullmatch(source):
        raise InvalidInput(f"source is {source!r}; give a word of small letters, digits and _, e.g. 'yahoo'.")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _check_order(place: Path, source: str, moment: datetime) -> None:
    """Refuse a moment before that of the newest vintage: the newest is the one that was stored last."""
    stored = [p for p in stored_files(place) if storing_order(stored_name(p))[0] == source]
    if not stored or moment.replace(microsecond=0) >= stored_at(stored_name(stored[-1])):
        return
    check_clock(stored[-1])
    raise DataUnfit(
        f"A download of {moment:%Y-%m-%d %H:%M:%S} UTC is not stored behind the newest, {stored[-1].name}. Set the clock right, or give a moment after it.",
        newest=stored[-1].name,
    )


def _free_name(place: Path, stem: str, ending: str) -> Path:
    for number in count(1):
        bare = stem if number == 1 else f"{stem}-{number}"
        if not any((place / f"{bare}{e}").exists() for e in (*STORED_ENDINGS, ".json")):
            return place / f"{bare}{ending}"
    raise AssertionError("unreachable: some number is free")


def _move_in(place: Path, path: Path, content: bytes, passport: str) -> Path:
    incoming = place / INCOMING
    beside = passport_path(path)
    write_whole(incoming / path.name, content)
    write_whole(incoming / beside.name, passport)
    os.replace(incoming / beside.name, beside)
    os.replace(incoming / path.name, path)
    incoming.rmdir()
    return path


def confirm(path: Path, moment: datetime) -> None:
    """Record that a download at a moment was equal to the newest vintage; to be called under the lock."""
    place = path.parent
    write_whole(place / INCOMING / CONFIRMED, f"{stored_name(path)} {moment.astimezone(UTC):{STAMP}}\n")
    os.replace(place / INCOMING / CONFIRMED, place / CONFIRMED)
    (place / INCOMING).rmdir()


def clean_up(place: Path) -> None:
    """Remove what a killed process left of a vintage; to be called under the lock.

    A price file that still waits in ``.incoming`` tells that its passport, if that is in place already, has no file.
    """
    incoming = place / INCOMING
    if not incoming.is_dir():
        return
    for waiting in sorted(incoming.iterdir()):
        beside = place / passport_path(waiting).name
        if waiting.suffix != ".json" and not waiting.name.startswith(".") and not (place / waiting.name).exists():
            beside.unlink(missing_ok=True)
    shutil.rmtree(incoming)


def remove(path: Path) -> None:
    """Take a price file and its passport away; to be called under the lock. What is killed in between, the next `clean_up` ends."""
    incoming = path.parent / INCOMING
    incoming.mkdir(exist_ok=True)
    if path.exists():
        os.replace(path, incoming / path.name)
    clean_up(path.parent)


def long_csv(prices: Prices) -> str:
    """Return a price table as long CSV: date, ticker, close, adj_close, volume; days without a price left out."""
    parts = {"close": prices.close, "adj_close": prices.adj_close, "volume": prices.volume}
    columns = {name: frame.stack(future_stack=True) for name, frame in parts.items() if frame is not None}  # noqa: PD013
    table = pd.DataFrame(columns)
    table.index.names = ["date", "ticker"]
    table = table.dropna(how="all").sort_index()
    return table.reset_index().to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")
