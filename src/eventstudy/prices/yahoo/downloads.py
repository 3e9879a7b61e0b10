"""One ticker's download, and the folder in which finished downloads are kept."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eventstudy.files import write_whole

COLUMNS = ("adj_close", "close", "volume")
#: Which checks a download has passed; raised when they become stricter, so that older ones are fetched anew.
CHECKS = 2


@dataclass(frozen=True, eq=False)
class Download:
    """The daily figures of one ticker as a source sent them.

    Attributes
    ----------
    ticker : str
        The ticker asked for.
    table : DataFrame
        Dates × ``adj_close``, ``close``, ``volume``.
    currency : str
        Currency of the prices; empty if the source named none.
    retrieved : str
        Moment of the download, ISO format, UTC.
    cautions : tuple of str
        What was seen in the figures.
    accepted : tuple of str
        Findings that were accepted by name, without which the source would have been refused.
    market : str
        Yahoo's name of an exchange without a calendar; empty if the days were held against one.
    """

    ticker: str
    table: pd.DataFrame
    currency: str
    retrieved: str
    cautions: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    market: str = ""

    def csv(self) -> bytes:
        """Return the figures as CSV text, all digits kept."""
        return self.table.to_csv(lineterminator="\n", date_format="%Y-%m-%d").encode("utf-8")


def _stem(ticker: str, start: str, end: str) -> str:
    # Tickers hold characters that file names must not, and case may not count in file names.
    mark = hashlib.sha256(f"{ticker}|{start}|{end}".encode()).hexdigest()[:12]
    return f"{re.sub(r'[^A-Za-z0-9-]', '_', ticker)[:40]}_{start}_{end}_{mark}"


def load_download(folder: Path, ticker: str, start: str, end: str, accept: tuple[str, ...] = ()) -> Download | None:
    """Return a kept download, or None if there is none, or it is damaged or was checked less strictly.

    Parameters
    ----------
    folder : Path
        The cache folder.
    ticker, start, end : str
        What was asked for; days in ISO format, both included.
    accept : tuple of str
        Findings that are accepted now.

    Returns
    -------
    Download or None
        The figures, if their digest is the recorded one.
    """
    stem = _stem(ticker, start, end)
    try:
        facts = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
        text = (folder / f"{stem}.csv").read_bytes()
        asked = (facts["ticker"], facts["start"], facts["end"])
        if asked != (ticker, start, end) or facts["sha256"] != hashlib.sha256(text).hexdigest():
            return None
        if facts.get("checks") != CHECKS or not set(facts["accepted"]) <= set(accept):
            return None
        table = pd.read_csv(io.BytesIO(text), index_col="date", dtype=dict.fromkeys(COLUMNS, "float64"))
        table.index = pd.DatetimeIndex(pd.to_datetime(table.index, format="%Y-%m-%d"), name="date")
        return Download(
            ticker=ticker,
            table=table[list(COLUMNS)],
            currency=str(facts["currency"]),
            retrieved=str(facts["retrieved"]),
            cautions=tuple(str(c) for c in facts["cautions"]),
            accepted=tuple(str(a) for a in facts["accepted"]),
            market=str(facts["market"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_download(folder: Path, download: Download, start: str, end: str) -> None:
    """Keep a finished download, whole or not at all.

    Parameters
    ----------
    folder : Path
        The cache folder; made if it does not exist.
    download : Download
        The figures.
    start, end : str
        The range asked for, ISO days, both included.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    text = download.csv()
    facts = {
        "ticker": download.ticker,
        "start": start,
        "end": end,
        "currency": download.currency,
        "retrieved": download.retrieved,
        "cautions": list(download.cautions),
        "accepted": list(download.accepted),
        "market": download.market,
        "checks": CHECKS,
        "rows": len(download.table),
        "sha256": hashlib.sha256(text).hexdigest(),
    }
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    stem = _stem(download.ticker, start, end)
    # The record last: without it the figures count as not there.
    for name, content in ((f"{stem}.csv", text), (f"{stem}.json", (json.dumps(facts, indent=2) + "\n").encode())):
        os.chmod(write_whole(folder / name, content), 0o600)
