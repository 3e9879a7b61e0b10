"""Storing a vintage: whole or not at all, never over another, whoever else stores at the same moment."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from filelock import FileLock, Timeout

from eventstudy.errors import InvalidInput, SourceFailed
from eventstudy.files import write_whole
from eventstudy.prices.passport import passport_path, passport_text
from eventstudy.prices.vintages.stored import FOLDER, check_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventstudy.prices.table import Prices

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
        with FileLock(place / LOCK, timeout=LOCK_TIMEOUT):
            clean_up(place)
            path = _free_name(place, f"{source}-{moment:%Y%m%dT%H%M%SZ}", ending)
            try:
                passport = passport_text(prices, path.name, content, tickers, start, end, moment)
                return _move_in(place, path, content, passport)
            except BaseException:
                clean_up(place)
                raise
    except Timeout as error:
        raise SourceFailed(
            f"Another process has held {place.name}/{LOCK} for {LOCK_TIMEOUT} s; wait for it or end it, then fetch again."
        ) from error
    except BaseException:
        if made and set(os.listdir(place)) <= {LOCK}:
            shutil.rmtree(place, ignore_errors=True)
        raise


def _checked(place: Path, source: str, moment: datetime) -> datetime:
    """Refuse links, which would be followed, and a name that is none; return the moment in UTC."""
    check_inside(place.parent)
    for name in (INCOMING, LOCK):
        if (place / name).is_symlink():
            raise InvalidInput(f"{place.name}/{name} is a link, and what it leads to would be overwritten; remove it.")
    if not SOURCE.fullmatch(source):
        raise InvalidInput(f"source is {source!r}; give a word of small letters, digits and _, e.g. 'yahoo'.")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _free_name(place: Path, stem: str, ending: str) -> Path:
    for number in count(1):
        bare = stem if number == 1 else f"{stem}-{number}"
        if not any((place / f"{bare}{e}").exists() for e in (".csv", ".csv.gz", ".json")):
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


def long_csv(prices: Prices) -> str:
    """Return a price table as long CSV: date, ticker, close, adj_close, volume; days without a price left out."""
    parts = {"close": prices.close, "adj_close": prices.adj_close, "volume": prices.volume}
    columns = {name: frame.stack(future_stack=True) for name, frame in parts.items() if frame is not None}  # noqa: PD013
    table = pd.DataFrame(columns)
    table.index.names = ["date", "ticker"]
    table = table.dropna(how="all").sort_index()
    return table.reset_index().to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")
