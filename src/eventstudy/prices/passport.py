"""The passport beside a price file: where and when the prices were taken, and in which currencies they are.

A CSV of prices has no room for this. ``prices.json`` beside ``prices.csv`` (or ``.csv.gz``, ``.parquet``) is its
passport if it is a JSON object with a key ``sha256``; any other file of that name is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd

from eventstudy.errors import NotAsRecorded
from eventstudy.files import open_regular, read_up_to, sha256
from eventstudy.prices.table import Prices
from eventstudy.wording import first_few, iso_day

#: Layout of the passports written now; those of format 1 had no such key, no clients and no facts of single tickers.
FORMAT = 2
#: Libraries whose version is recorded beside a download.
CLIENTS = {"eventstudy": "eventstudy-finance", "yfinance": "yfinance", "curl_cffi": "curl_cffi", "pandas": "pandas"}
#: Decimals that are compared: a vendor's noise is below.
ROUNDED = {"adj_close": 4, "close": 4, "volume": 0}
#: Of five thousand tickers a passport has one megabyte.
MAX_BYTES = 8 * 1024**2
#: Key of the digest over a passport's other fields; passports of version 0.1 have none.
OWN_DIGEST = "passport_sha256"


@dataclass(frozen=True)
class Passport:
    """What is known of a price file beyond its figures: moment of download, adjustments, currencies, cautions, and `ticker_facts`; empty without a passport."""

    retrieved: str = ""
    adjustments: str = ""
    currency: Mapping[str, str] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    ticker_facts: Mapping[str, object] = field(default_factory=dict)


def passport_path(file: Path) -> Path:
    """Return where the passport of a price file would lie: ``prices.json`` for ``prices.csv.gz``."""
    bare = file.with_suffix("") if file.name.lower().endswith(".csv.gz") else file
    return bare.with_suffix(".json")


def read_json(path: Path) -> object:
    """Return what a small JSON file says."""
    with open_regular(path) as stream:
        data = read_up_to(stream, MAX_BYTES)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES / 1024**2:.0f} MB")
    try:
        return json.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise NotAsRecorded(
            f"{path.name} is damaged: its brackets are nested too deeply for a passport. Restore it, or move it away.",
            file=path.name,
        ) from error


def check_format(facts: Mapping[str, object], name: str) -> None:
    """Refuse a passport of a layout that only a later version knows: its words may mean something else."""
    written = facts.get("format", 1)
    if not isinstance(written, int) or written > FORMAT:
        raise NotAsRecorded(
            f"The passport {name} has the format {str(written)[:40]}, this version of eventstudy knows {FORMAT} and earlier ones. Update eventstudy "
            f"(pip install --upgrade eventstudy-finance).",
            file=name,
        )


def own_digest(facts: Mapping[str, object]) -> str:
    """Return the digest over the fields of a passport but the file's digest, which the file itself confirms."""
    kept = {k: v for k, v in facts.items() if k not in {OWN_DIGEST, "sha256"}}
    return sha256(json.dumps(kept, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii"))


def check_own_digest(facts: Mapping[str, object], name: str) -> None:
    """Refuse a passport whose fields are not those that were written; one without a digest of its own passes."""
    if OWN_DIGEST in facts and facts[OWN_DIGEST] != own_digest(facts):
        raise NotAsRecorded(
            f"The passport {name} is damaged or was changed: its fields are not those that its {OWN_DIGEST} records. Restore it from a copy, or move it "
            f"and its price file away and fetch anew.",
            file=name,
        )


def check_figures(prices: Prices, passport: Passport, name: str) -> None:
    """Refuse figures that are not those whose digests a passport records ticker by ticker."""
    if not passport.ticker_facts:
        return
    read = ticker_facts(prices)
    differing = sorted(t for t in {*read, *passport.ticker_facts} if read.get(t) != passport.ticker_facts.get(t))
    if differing:
        raise NotAsRecorded(
            f"{name} is not the file that its passport records: the figures of {first_few(differing, 12)} are not those recorded. Restore it from a copy, "
            f"or move it away with its passport and fetch anew.",
            file=name,
        )


def read_passport(file: Path, digest: str) -> Passport:
    """Return the passport of a price file; empty if there is none, with a caution only if the file in its place cannot be read."""
    path = passport_path(file)
    if not path.is_file():
        return Passport()
    try:
        facts = read_json(path)
    except (OSError, ValueError):
        return Passport(cautions=(f"{path.name} is not readable; day of download and currencies are unknown.",))
    if not isinstance(facts, dict) or "sha256" not in facts:
        return Passport()
    check_format(facts, path.name)
    if facts["sha256"] != digest:
        raise NotAsRecorded(
            f"{file.name} is not the file that its passport {path.name} records: its SHA-256 is {digest[:12]}…, the "
            f"passport says {str(facts['sha256'])[:12]}…. Restore it from a copy, or move both away and fetch the prices "
            f"again; of a file of your own remove the passport if the change is meant.",
            file=file.name,
            found=digest,
            recorded=str(facts["sha256"]),
        )
    check_own_digest(facts, path.name)
    return _read_facts(facts, path.name)


def _read_facts(facts: Mapping[str, object], name: str) -> Passport:
    currency, cautions = facts.get("currency", {}), facts.get("cautions", [])
    words = [facts.get("retrieved", ""), facts.get("adjustments", "")]
    if isinstance(currency, dict) and isinstance(cautions, list):
        words += [*currency.keys(), *currency.values(), *cautions]
        if all(isinstance(word, str) for word in words):
            tickers = facts.get("tickers")
            return Passport(
                str(words[0]), str(words[1]), currency, tuple(cautions), tickers if isinstance(tickers, dict) else {}
            )
    raise NotAsRecorded(
        f"The passport {name} is damaged: retrieved and adjustments must be texts, currency an object of texts, cautions "
        f"a list of texts. Fetch the prices again, or remove the passport.",
        file=name,
    )


def passport_text(
    prices: Prices, name: str, content: bytes, tickers: Sequence[str], start: str, end: str, moment: datetime
) -> str:
    """Return the passport of a price file as JSON, format 2: what was asked for and when, with which client, what came, and digests of all of it."""
    facts: dict[str, object] = {
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
    facts[OWN_DIGEST] = own_digest(json.loads(json.dumps(facts)))
    return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"


def client_versions() -> dict[str, str]:
    """Return the versions of this package and of the libraries that fetch; "not installed" where there is none."""
    from importlib.metadata import PackageNotFoundError, version  # slow, and seldom needed

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
        days = [iso_day(day) for day in table.index[[0, -1]]] if len(table) else ["", ""]
        facts[ticker] = {"rows": len(table), "first": days[0], "last": days[1], "sha256": sha256(text.encode("utf-8"))}
    return facts
