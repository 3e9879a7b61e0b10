"""One ticker's download, and the folder in which finished downloads are kept."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eventstudy.files import write_whole

COLUMNS = ("adj_close", "close", "volume")


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
    """

    ticker: str
    table: pd.DataFrame
    currency: str
    retrieved: str
    cautions: tuple[str, ...] = ()

    def csv(self) -> bytes:
        """Return the figures as CSV text, all digits kept."""
        return self.table.to_csv(lineterminator="\n", date_format="%Y-%m-%d").encode("utf-8")


def _stem(ticker: str, start: str, end: str) -> str:
    # Tickers hold characters that file names must not, and case may not count in file names.
    mark = hashlib.sha256(f"{ticker}|{start}|{end}".encode()).hexdigest()[:12]
    return f"{re.sub(r'[^A-Za-z0-9-]', '_', ticker)[:40]}_{start}_{end}_{mark}"


def load_download(folder: Path, ticker: str, start: str, end: str) -> Download | None:
    """Return a kept download, or None if there is none or it is damaged.

    Parameters
    ----------
    folder : Path
        The cache folder.
    ticker, start, end : str
        What was asked for; days in ISO format, both included.

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
        table = pd.read_csv(io.BytesIO(text), index_col="date", dtype=dict.fromkeys(COLUMNS, "float64"))
        table.index = pd.DatetimeIndex(pd.to_datetime(table.index, format="%Y-%m-%d"), name="date")
        return Download(
            ticker=ticker,
            table=table[list(COLUMNS)],
            currency=str(facts["currency"]),
            retrieved=str(facts["retrieved"]),
            cautions=tuple(str(c) for c in facts["cautions"]),
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
        "rows": len(download.table),
        "sha256": hashlib.sha256(text).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    stem = _stem(download.ticker, start, end)
    write_whole(folder / f"{stem}.csv", text)
    write_whole(folder / f"{stem}.json", (json.dumps(facts, indent=2) + "\n").encode("utf-8"))
