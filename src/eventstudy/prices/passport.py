"""The passport beside a price file: where and when the prices were taken, and in which currencies they are.

A CSV of prices has no room for this. ``prices.json`` beside ``prices.csv`` (or ``.csv.gz``, ``.parquet``) is its
passport if it is a JSON object with a key ``sha256``; any other file of that name is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from eventstudy.errors import NotAsRecorded
from eventstudy.files import sha256
from eventstudy.prices.table import Prices

#: Layout of the passports written now; those of format 1 had no such key, no clients and no facts of single tickers.
FORMAT = 2
#: Libraries whose version is recorded beside a download.
CLIENTS = {"eventstudy": "eventstudy-finance", "yfinance": "yfinance", "curl_cffi": "curl_cffi", "pandas": "pandas"}
ROUNDED = {"adj_close": 4, "close": 4, "volume": 0}


@dataclass(frozen=True)
class Passport:
    """What is known of a price file beyond its figures; empty without a passport.

    Attributes
    ----------
    retrieved : str
        Moment of the download, ISO format.
    adjustments : str
        What the closes are adjusted for, in words.
    currency : mapping of str to str
        Currency of each ticker where it is known.
    cautions : tuple of str
        What a reader of the numbers should know.
    """

    retrieved: str = ""
    adjustments: str = ""
    currency: Mapping[str, str] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()


def passport_path(file: Path) -> Path:
    """Return where the passport of a price file would lie: ``prices.json`` for ``prices.csv.gz``."""
    bare = file.with_suffix("") if file.name.lower().endswith(".csv.gz") else file
    return bare.with_suffix(".json")


def read_passport(file: Path, digest: str) -> Passport:
    """Return the passport of a price file.

    Parameters
    ----------
    file : Path
        The price file.
    digest : str
        SHA-256 of its bytes, hexadecimal.

    Returns
    -------
    Passport
        Empty if there is none; with a caution only if the file in its place cannot be read.

    Raises
    ------
    NotAsRecorded
        If the passport records another digest, or lacks what a passport must say.
    """
    path = passport_path(file)
    if not path.is_file():
        return Passport()
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Passport(cautions=(f"{path.name} is not readable; day of download and currencies are unknown.",))
    if not isinstance(facts, dict) or "sha256" not in facts:
        return Passport()
    if facts["sha256"] != digest:
        raise NotAsRecorded(
            f"{file.name} is not the file that its passport {path.name} records: its SHA-256 is {digest[:12]}…, the "
            f"passport says {str(facts['sha256'])[:12]}…. Fetch the prices again, or remove the passport if the change "
            f"is meant.",
            file=file.name,
            found=digest,
            recorded=str(facts["sha256"]),
        )
    return _read_facts(facts, path.name)


def _read_facts(facts: Mapping[str, object], name: str) -> Passport:
    currency, cautions = facts.get("currency", {}), facts.get("cautions", [])
    words = [facts.get("retrieved", ""), facts.get("adjustments", "")]
    if isinstance(currency, dict) and isinstance(cautions, list):
        words += [*currency.keys(), *currency.values(), *cautions]
        if all(isinstance(word, str) for word in words):
            return Passport(str(words[0]), str(words[1]), currency, tuple(cautions))
    raise NotAsRecorded(
        f"The passport {name} is damaged: retrieved and adjustments must be texts, currency an object of texts, cautions "
        f"a list of texts. Fetch the prices again, or remove the passport.",
        file=name,
    )


def passport_text(
    prices: Prices, name: str, content: bytes, tickers: Sequence[str], start: str, end: str, moment: datetime
) -> str:
    """Return the passport of a price file as JSON, format 2.

    Parameters
    ----------
    prices : Prices
        The prices in the file.
    name : str
        The file's name.
    content : bytes
        Its bytes.
    tickers : sequence of str
        What was asked for.
    start, end : str
        First and last day asked for, ISO format.
    moment : datetime
        When the download was finished, UTC.

    Returns
    -------
    str
        The file's name and digest, what was asked for and when, with which client, the currencies, rows, days and digest
        of each ticker, and the prices' provenance.
    """
    facts = {
        "format": FORMAT,
        "file": name,
        "layout": "long CSV: date, ticker, close, adj_close, volume",
        "sha256": sha256(content),
        "fetched": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "asked": {"tickers": list(tickers), "start": start, "end": end},
        "clients": client_versions(),
        "currency": dict(prices.currency),
        "rows": int(prices.adj_close.notna().any(axis=1).sum()),
        "tickers": ticker_facts(prices),
        **asdict(prices.provenance),
    }
    return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"


def client_versions() -> dict[str, str]:
    """Return the versions of this package and of the libraries that fetch; "not installed" where there is none."""
    found = {}
    for library, distribution in CLIENTS.items():
        try:
            found[library] = version(distribution)
        except PackageNotFoundError:
            found[library] = "not installed"
    return found


def ticker_facts(prices: Prices) -> dict[str, dict[str, object]]:
    """Return rows, first and last day of each ticker, and a digest of its figures.

    The figures are rounded first, closes to four decimals and volumes to whole numbers: a vendor's noise is below.
    """
    parts = {"adj_close": prices.adj_close, "close": prices.close, "volume": prices.volume}
    facts: dict[str, dict[str, object]] = {}
    for ticker in prices.tickers:
        columns = {name: frame[ticker] for name, frame in parts.items() if frame is not None}
        table = pd.DataFrame(columns).dropna(how="all").round(ROUNDED)
        text = table.to_csv(lineterminator="\n", date_format="%Y-%m-%d")
        days = [f"{day:%Y-%m-%d}" for day in table.index[[0, -1]]] if len(table) else ["", ""]
        facts[ticker] = {"rows": len(table), "first": days[0], "last": days[1], "sha256": sha256(text.encode("utf-8"))}
    return facts
