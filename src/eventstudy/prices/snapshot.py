"""The embedded snapshot: 38 series for studies, and a panel of S&P 500 members."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.prices import embedded
from eventstudy.prices.embedded import VendorFacts, data_file_digests, file_facts, read_dated_table, read_embedded
from eventstudy.prices.table import Prices, Provenance

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["data_file_digests", "load_snapshot", "load_universe", "universe_members", "vendor_agreement"]

PRICES_FILE = "prices.csv.gz"
PANEL_FILE = "sp500.csv.gz"
MEMBERS_FILE = "sp500_members.csv"


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


#: Exchange-traded funds of the snapshot: no firms.
FUNDS = ("SPY", "QQQ", "SMH", "SOXX")


@lru_cache(maxsize=2)
def _snapshot(
    folder: Path,
) -> Prices:  # the folder is the key, so that other data are never served by mistake
    table = read_dated_table(PRICES_FILE)
    blocks: dict[str, pd.DataFrame] = {}
    for field in ("adj_close", "close", "volume"):
        names = [c for c in table.columns if c.startswith(f"{field}:")]
        blocks[field] = table[names].rename(columns={c: c.partition(":")[2] for c in names})
    return Prices.from_frame(
        blocks["adj_close"],
        close=blocks["close"],
        volume=blocks["volume"],
        provenance=_provenance(PRICES_FILE, "snapshot"),
        currency={t: "USD" for t in blocks["adj_close"].columns if not t.startswith("^")},
    )


@lru_cache(maxsize=2)
def _panel(folder: Path) -> Prices:
    panel = read_dated_table(PANEL_FILE)
    return Prices.from_frame(
        panel,
        provenance=_provenance(PANEL_FILE, "universe"),
        currency=dict.fromkeys(panel.columns, "USD"),
    )


@lru_cache(maxsize=2)
def _members(folder: Path) -> pd.DataFrame:
    text = io.BytesIO(read_embedded(MEMBERS_FILE))
    table = pd.read_csv(text, dtype={"ticker": str, "name": str, "sector": str}, keep_default_na=False)
    table["has_prices"] = table["has_prices"].astype(bool)
    return table.set_index("ticker")


# The cached tables are never handed out: writing into a result must not reach the next caller.
def _copy(prices: Prices) -> Prices:
    return Prices(
        prices.adj_close.copy(deep=True),
        prices.provenance,
        None if prices.close is None else prices.close.copy(deep=True),
        None if prices.volume is None else prices.volume.copy(deep=True),
        dict(prices.currency),
    )


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
    return _copy(_snapshot(embedded.FOLDER))


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
    return _copy(_panel(embedded.FOLDER))


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
    return _members(embedded.FOLDER).copy(deep=True)


def vendor_agreement() -> tuple[VendorFacts, ...]:
    """Return, vendor by vendor, on how many days other vendors agree with the series of the snapshot.

    Returns
    -------
    tuple of dict
        ``vendor``; ``what`` was compared (``closes`` to half a cent, ``returns`` to 2 basis points); ``first``, ``last`` day;
        number of ``tickers``; vendor-days ``compared`` and ``differing``; ``differing_recent`` of them since ``recent``;
        ``remark``. The comparison reaches back to 2020, before the snapshot's first day.

    Raises
    ------
    NotAsRecorded
        If the passport is unreadable.

    Examples
    --------
    >>> {v["vendor"]: v["differing_recent"] for v in vendor_agreement() if v["what"] == "closes"}
    {'Nasdaq.com': 0, 'Polygon': 0, 'Investing.com': 2, 'FRED': 3}
    """
    return tuple(file_facts(PRICES_FILE).get("second_opinions", ()))
