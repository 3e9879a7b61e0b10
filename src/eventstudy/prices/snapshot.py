"""What is embedded in the package, read only if it is as recorded: prices, a panel of S&P 500 members, factors, share counts, splits."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict, TypeVar

import pandas as pd

from eventstudy.errors import DataMissing, InvalidInput, NotAsRecorded
from eventstudy.files import sha256
from eventstudy.prices.table import SNAPSHOT, UNIVERSE, Prices, Provenance, as_day, with_frames
from eventstudy.wording import iso_day

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

__all__ = ["data_file_digests", "load_snapshot", "load_universe", "universe_members", "vendor_agreement"]

T = TypeVar("T")

#: The folder of the embedded files.
FOLDER = Path(__file__).resolve().parent.parent / "data"

PASSPORT = "passport.json"
PRICES_FILE = "prices.csv.gz"
PANEL_FILE = "sp500.csv.gz"
MEMBERS_FILE = "sp500_members.csv"
FACTORS_FILE = "factors.csv.gz"
SHARES_FILE = "shares.csv"
#: Exchange-traded funds of the snapshot: no firms.
FUNDS = ("SPY", "QQQ", "SMH", "SOXX")
#: Columns of the embedded factors.
FACTOR_COLUMNS = ("mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf")
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


def _once(load: Callable[[], T]) -> Callable[[], T]:
    """Keep what is read, by the folder it was read from, so that other data are never served by mistake."""
    kept = lru_cache(maxsize=2)(lambda folder: load())
    return lambda: kept(FOLDER)


@_once
def _passport() -> dict[str, FileFacts]:
    try:
        files: dict[str, FileFacts] = json.loads((FOLDER / PASSPORT).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAsRecorded(
            f"The embedded data have no readable passport ({PASSPORT}): {type(error).__name__}. {_REPAIR}",
            file=PASSPORT,
        ) from error
    return files


def file_facts(name: str) -> FileFacts:
    """Return what the passport records of an embedded file."""
    files = _passport()
    if name not in files:
        raise NotAsRecorded(f"The passport of the embedded data does not list {name}. {_REPAIR}", file=name)
    return files[name]


def read_embedded(name: str) -> bytes:
    """Return the uncompressed bytes of an embedded file after comparing their digest."""
    recorded = file_facts(name)["sha256"]
    try:
        raw = (FOLDER / name).read_bytes()
        text = gzip.decompress(raw) if name.endswith(".gz") else raw
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise NotAsRecorded(
            f"The embedded file {name} cannot be read ({type(error).__name__}: {error}). {_REPAIR}", file=name
        ) from error
    found = sha256(text)
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
    """Return an embedded CSV file with a column ``date`` as a table of floats, dates ascending."""
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
    return {f"eventstudy/data/{name}": facts["sha256"] for name, facts in sorted(_passport().items())}


def verify_embedded() -> None:
    """Read every embedded file and compare it with its recorded digest."""
    for name in data_file_digests():
        read_embedded(Path(name).name)


# -- The embedded snapshot: 38 series for studies, and a panel of S&P 500 members.


def _provenance(name: str, source: str) -> Provenance:
    facts = file_facts(name)
    return Provenance(
        source=source,
        retrieved=facts["retrieved"],
        first=facts["first"],
        last=facts["last"],
        adjustments=facts["adjustments"],
        digest=facts["sha256"],
        cautions=tuple(facts["cautions"]),
    )


@_once
def _snapshot() -> Prices:
    table = read_dated_table(PRICES_FILE)
    blocks: dict[str, pd.DataFrame] = {}
    for field in ("adj_close", "close", "volume"):
        names = [c for c in table.columns if c.startswith(f"{field}:")]
        blocks[field] = table[names].rename(columns={c: c.partition(":")[2] for c in names})
    return Prices.from_frame(
        blocks["adj_close"],
        close=blocks["close"],
        volume=blocks["volume"],
        provenance=_provenance(PRICES_FILE, SNAPSHOT),
        currency={t: "USD" for t in blocks["adj_close"].columns if not t.startswith("^")},
    )


@_once
def _panel() -> Prices:
    panel = read_dated_table(PANEL_FILE)
    return Prices.from_frame(
        panel,
        provenance=_provenance(PANEL_FILE, UNIVERSE),
        currency=dict.fromkeys(panel.columns, "USD"),
    )


@_once
def _members() -> pd.DataFrame:
    text = io.BytesIO(read_embedded(MEMBERS_FILE))
    table = pd.read_csv(text, dtype={"ticker": str, "name": str, "sector": str}, keep_default_na=False)
    table["has_prices"] = table["has_prices"].astype(bool)
    return table.set_index("ticker")


# The cached tables are never handed out: writing into a result must not reach the next caller.
def _copy(prices: Prices) -> Prices:
    return replace(with_frames(prices, lambda frame: frame.copy(deep=True)), currency=dict(prices.currency))


def load_snapshot() -> Prices:
    """Return the embedded prices: 38 US stocks, ETFs and indexes, 2022-01-03 to 2025-06-30.

    Returns
    -------
    Prices
        Adjusted closes, closes and volumes, 875 days × 38 tickers. US dollars; index points for
        the tickers that begin with ``^``.

    Raises
    ------
    NotAsRecorded
        If the embedded file differs from its recorded digest.

    Notes
    -----
    Closes and volumes are on the split basis of 2025-06-30. See ``provenance.cautions``.

    Examples
    --------
    >>> close = load_snapshot().close
    >>> close.loc["2025-01-24":"2025-01-27", "NVDA"].tolist()
    [142.62, 118.42]
    """
    return _copy(_snapshot())


def is_snapshot(prices: Prices) -> bool:
    """Tell whether prices are those of the embedded snapshot, all of them or some."""
    return prices.provenance.source == SNAPSHOT


def load_universe() -> Prices:
    """Return the panel of S&P 500 members: adjusted closes, 2023-12-01 to 2025-02-28.

    Returns
    -------
    Prices
        498 of the 503 members of January 2025; ``close`` and ``volume`` are None. The five members
        without prices are marked in `universe_members`.

    Raises
    ------
    NotAsRecorded
        If the embedded file differs from its recorded digest.

    Examples
    --------
    >>> len(load_universe().tickers)
    498
    """
    return _copy(_panel())


def universe_members() -> pd.DataFrame:
    """Return the members of the S&P 500 on 2024-12-27 with name and sector.

    Returns
    -------
    DataFrame
        503 rows indexed by ``ticker``; columns ``name``, ``sector`` (GICS) and ``has_prices`` (bool:
        whether `load_universe` holds the ticker).

    Raises
    ------
    NotAsRecorded
        If the embedded file differs from its recorded digest.

    Examples
    --------
    >>> members = universe_members()
    >>> members.index[~members["has_prices"]].tolist()
    ['ANSS', 'DFS', 'HES', 'JNPR', 'WBA']
    """
    return _members().copy(deep=True)


def known_closes(ticker: str) -> pd.Series[float] | None:
    """Return the embedded closes of a ticker: as traded if it is in the snapshot, adjusted ones if only the panel has it; None without."""
    close = _snapshot().close
    if close is not None and ticker in close.columns:
        return close[ticker]
    panel = _panel().adj_close
    return panel[ticker] if ticker in panel.columns else None


def vendor_agreement() -> tuple[VendorFacts, ...]:
    """Return, vendor by vendor, on how many days other vendors agree with the series of the snapshot.

    Returns
    -------
    tuple of dict
        ``vendor``; ``what`` was compared (``closes`` to half a cent, ``returns`` to 2 basis points); ``first``, ``last`` day;
        number of ``tickers``; vendor-days ``compared`` and ``differing``; ``differing_recent`` of them since ``recent``;
        ``remark``. The comparison reaches back to 2020, before the snapshot's first day.

    Examples
    --------
    >>> {v["vendor"]: v["differing_recent"] for v in vendor_agreement() if v["what"] == "closes"}
    {'Nasdaq.com': 0, 'Polygon': 0, 'Investing.com': 2, 'FRED': 3}
    """
    return tuple(file_facts(PRICES_FILE).get("second_opinions", ()))


# -- Daily Fama-French factors, embedded.


@_once
def _factors() -> pd.DataFrame:
    return read_dated_table(FACTORS_FILE)


def load_factors() -> pd.DataFrame:
    """Return the daily Fama-French factors for US stocks, 2022-01-03 to 2025-12-31.

    Returns
    -------
    DataFrame
        Dates × ``mkt_rf``, ``smb``, ``hml``, ``rmw``, ``cma``, ``mom``, ``rf``: simple returns as
        fractions a day (0.01 is one per cent). All but ``rf`` are returns of long-short portfolios;
        ``rf`` is the one-month Treasury bill rate per trading day.

    Raises
    ------
    NotAsRecorded
        If the embedded file differs from its recorded digest.

    Notes
    -----
    The authors revise the factors, so that other states of their library differ by up to 0.2
    percentage points a day (the market factor by 0.01 at most).

    References
    ----------
    Fama, E. F. and French, K. R. (2015). A five-factor asset pricing model. Journal of Financial
    Economics 116(1), 1-22. Data: Kenneth R. French data library.

    Examples
    --------
    >>> load_factors().loc["2025-01-27", "mkt_rf"].item()
    -0.0149
    """
    return _factors().copy(deep=True)


# -- Shares outstanding at the quarter ends around January 2025, embedded.


@dataclass(frozen=True, slots=True)
class ShareCount:
    """A number of shares outstanding and the day it refers to.

    Attributes
    ----------
    ticker : str
        The ticker.
    shares : int
        Shares outstanding, on the split basis of 2025-06-30.
    period_end : str
        The day of the count, ISO format.
    as_of : str
        The vendor's label for that day; may be a month end some days later.
    note : str
        What the count includes or how it was brought to the basis; may be empty.
    source : str
        Vendor and repository.
    covers : tuple of str
        Other listed tickers of the company whose shares the count already includes. Never add the
        market values of tickers that cover each other.
    """

    ticker: str
    shares: int
    period_end: str
    as_of: str
    note: str
    source: str
    covers: tuple[str, ...] = ()


@_once
def _counts() -> dict[str, tuple[ShareCount, ...]]:
    counts: dict[str, list[ShareCount]] = {}
    for row in csv.DictReader(io.StringIO(read_embedded(SHARES_FILE).decode("utf-8"), newline="")):
        counts.setdefault(row["ticker"], []).append(
            ShareCount(
                ticker=row["ticker"],
                shares=int(row["shares"]),
                period_end=row["period_end"],
                as_of=row["as_of"],
                note=row["note"],
                source=row["source"],
                covers=tuple(row["covers"].split()),
            )
        )
    return {t: tuple(sorted(c, key=lambda count: count.period_end)) for t, c in counts.items()}


def share_counts(ticker: str) -> tuple[ShareCount, ...]:
    """Return all embedded share counts of a company, oldest first; empty if there are none."""
    return _counts().get(ticker, ())


def share_count(ticker: str, on: date | str) -> ShareCount:
    """Return the latest embedded share count of a company on or before a day.

    Parameters
    ----------
    ticker : str
        A member of the S&P 500 of January 2025, e.g. ``"NVDA"``.
    on : date or str
        The day; the count's ``period_end`` is on or before it.

    Returns
    -------
    ShareCount
        The count with its day, note and source.

    Raises
    ------
    DataMissing
        If there is no count of the ticker, or none as early as the day; the message names what there is.
    InvalidInput
        If the day cannot be read.

    Examples
    --------
    >>> count = share_count("NVDA", "2025-01-27")
    >>> count.shares, count.period_end
    (24477000000, '2025-01-26')
    >>> share_count("GOOGL", "2025-01-27").covers
    ('GOOG',)
    """
    day = as_day(on, "on")
    if day is None:
        raise InvalidInput("on is None; give the day of the count, such as '2025-01-27'.")
    counts = _counts_of(ticker)
    wanted = iso_day(day)
    before = [count for count in counts if count.period_end <= wanted]
    if not before:
        known = tuple(count.period_end for count in counts)
        raise DataMissing(
            f"No share count of {ticker} on or before {wanted}; there are counts of {', '.join(known)}. "
            f"Give the number of shares yourself.",
            ticker=ticker,
            available=known,
        )
    return before[-1]


def _counts_of(ticker: str) -> tuple[ShareCount, ...]:
    counts = _counts()
    if ticker not in counts:
        raise DataMissing(
            f"No share count of {ticker} is embedded; there are counts of {len(counts)} S&P 500 members from "
            f"September 2024 to spring 2025. Give the number of shares yourself.",
            ticker=ticker,
        )
    return counts[ticker]


# -- The splits between a day of the snapshot and its last day, as its passport lists them.


def later_splits(ticker: str, day: pd.Timestamp) -> float:
    """Return by what the snapshot's close of a day was divided: new shares for an old one in all splits after it.

    Examples
    --------
    >>> later_splits("NVDA", pd.Timestamp("2024-06-07")), later_splits("NVDA", pd.Timestamp("2024-06-10"))
    (10.0, 1.0)
    """
    splits = file_facts(PRICES_FILE).get("splits", ())
    later = (float(s["ratio"]) for s in splits if s["ticker"] == ticker and pd.Timestamp(s["first"]) > day)
    return math.prod(later, start=1.0)
