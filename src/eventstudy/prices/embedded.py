"""The files embedded in the package, read only if they are the recorded ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from functools import lru_cache
from pathlib import Path
from typing import NotRequired, TypedDict

import pandas as pd

from eventstudy.errors import NotAsRecorded

#: The folder of the embedded files.
FOLDER = Path(__file__).resolve().parent.parent / "data"

PASSPORT = "passport.json"
_REPAIR = "Install the package again, or rebuild the file with tools/make_snapshot.py from a checkout."


class VendorFacts(TypedDict):
    """How far another vendor's figures agree with ours: vendor-days compared, and how many of them differ."""

    vendor: str
    what: str
    first: str
    last: str
    tickers: int
    compared: int
    differing: int
    recent: str
    differing_recent: int
    remark: str


class SplitFacts(TypedDict):
    """A split: its first day on the new basis, and the new shares for an old one."""

    ticker: str
    first: str
    ratio: float


class FileFacts(TypedDict):
    """What the passport records of one file; ``sha256`` is that of the uncompressed bytes."""

    what: str
    first: str
    last: str
    rows: int
    retrieved: str
    adjustments: str
    cautions: list[str]
    splits: NotRequired[list[SplitFacts]]
    second_opinions: NotRequired[list[VendorFacts]]
    sha256: str


@lru_cache(maxsize=4)
def _passport(folder: Path) -> dict[str, FileFacts]:
    try:
        files: dict[str, FileFacts] = json.loads((folder / PASSPORT).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAsRecorded(
            f"The embedded data have no readable passport ({PASSPORT}): {type(error).__name__}. {_REPAIR}",
            file=PASSPORT,
        ) from error
    return files


def file_facts(name: str) -> FileFacts:
    """Return what the passport records of an embedded file.

    Parameters
    ----------
    name : str
        File name, e.g. ``"prices.csv.gz"``.

    Returns
    -------
    dict
        The keys of `FileFacts`, e.g. ``first``, ``last``, ``cautions``, ``sha256``.

    Raises
    ------
    NotAsRecorded
        If the passport is unreadable or does not know the file.
    """
    files = _passport(FOLDER)
    if name not in files:
        raise NotAsRecorded(f"The passport of the embedded data does not list {name}. {_REPAIR}", file=name)
    return files[name]


def read_embedded(name: str) -> bytes:
    """Return the uncompressed bytes of an embedded file after comparing their digest.

    Parameters
    ----------
    name : str
        File name, e.g. ``"factors.csv.gz"``.

    Returns
    -------
    bytes
        CSV text in UTF-8.

    Raises
    ------
    NotAsRecorded
        If the file is missing, unreadable or differs from the digest in the passport.
    """
    recorded = file_facts(name)["sha256"]
    try:
        raw = (FOLDER / name).read_bytes()
        text = gzip.decompress(raw) if name.endswith(".gz") else raw
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise NotAsRecorded(
            f"The embedded file {name} cannot be read ({type(error).__name__}: {error}). {_REPAIR}", file=name
        ) from error
    found = hashlib.sha256(text).hexdigest()
    if found != recorded:
        raise NotAsRecorded(
            f"The embedded file {name} is not the recorded one: its SHA-256 is {found[:12]}…, the passport "
            f"says {recorded[:12]}…. {_REPAIR}",
            file=name,
            found=found,
            recorded=recorded,
        )
    return text


def read_dated_table(name: str) -> pd.DataFrame:
    """Return an embedded CSV file with a column ``date`` as a table of floats, dates ascending.

    Raises
    ------
    NotAsRecorded
        If the file differs from the passport.
    """
    table = pd.read_csv(io.BytesIO(read_embedded(name)))
    days = pd.to_datetime(table.pop("date"), format="%Y-%m-%d").to_numpy(dtype="datetime64[ns]")
    table.index = pd.DatetimeIndex(days, name="date")
    return table.astype("float64")


def data_file_digests() -> dict[str, str]:
    """Return the recorded SHA-256 of every embedded data file, for a manifest.

    Returns
    -------
    dict
        ``{"eventstudy/data/prices.csv.gz": "…", …}`` in alphabetical order; the digests are those of
        the uncompressed bytes, so that they do not depend on the compressor.

    Raises
    ------
    NotAsRecorded
        If the passport is unreadable.

    Examples
    --------
    >>> [path for path in data_file_digests() if "shares" in path]
    ['eventstudy/data/shares.csv']
    """
    return {f"eventstudy/data/{name}": facts["sha256"] for name, facts in sorted(_passport(FOLDER).items())}


def verify_embedded() -> None:
    """Read every embedded file and compare it with its recorded digest.

    Raises
    ------
    NotAsRecorded
        At the first file that differs; names it.
    """
    for name in data_file_digests():
        read_embedded(Path(name).name)
