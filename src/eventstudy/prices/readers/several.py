"""Several price files, one share each or more, as one table."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.prices.readers.files import read_price_file
from eventstudy.prices.table import Prices, Provenance

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_several(paths: Sequence[str | Path]) -> Prices:
    """Read several price files and join them by column.

    Parameters
    ----------
    paths : sequence of path
        Files that `read_prices` reads; each names its tickers, or is named by its ticker.

    Returns
    -------
    Prices
        All tickers and all days. Closes as traded, and volumes, if every file has them. The provenance names each file.

    Raises
    ------
    InvalidInput
        If no file is named, or one twice.
    DataMissing, DataUnfit, NotAsRecorded
        As `read_prices`; if two files differ in a ticker that both have.
    """
    files = [Path(p) for p in paths]
    twice = sorted({f.name for f in files if files.count(f) > 1})
    if not files or twice:
        raise InvalidInput(
            f"source {'names ' + twice[0] + ' twice' if twice else 'is an empty list'}; name each file once."
        )
    tables = [read_price_file(f) for f in files]
    currency: dict[str, str] = {}
    for table in tables:
        for ticker, unit in table.currency.items():
            if currency.setdefault(ticker, unit) != unit:
                raise DataUnfit(
                    f"{ticker} is in {currency[ticker]} in one file and in {unit} in {table.provenance.source}; keep one.",
                    ticker=ticker,
                )
    adjusted = _beside([t.adj_close for t in tables], tables)
    close, volume = (
        None if any(p is None for p in parts) else _beside([p for p in parts if p is not None], tables)
        for parts in ([t.close for t in tables], [t.volume for t in tables])
    )
    return Prices.from_frame(adjusted, close, volume, _origin(tables, close is None), currency)


def _beside(frames: list[pd.DataFrame], tables: list[Prices]) -> pd.DataFrame:
    """Put frames beside each other; a ticker that two of them have must be the same in both."""
    kept: dict[str, tuple[pd.Series[float], str]] = {}
    for frame, table in zip(frames, tables, strict=True):
        for ticker in frame.columns:
            column, name = frame[ticker].dropna(), table.provenance.source
            before, earlier = kept.setdefault(ticker, (column, name))
            if not before.equals(column):
                raise DataUnfit(
                    f"{earlier} and {name} both have {ticker}, with different days or figures; keep it in one of them.",
                    ticker=ticker,
                )
    return pd.concat({t: c for t, (c, _) in kept.items()}, axis=1, sort=True)


def _origin(tables: list[Prices], without_close: bool) -> Provenance:
    origins = [t.provenance for t in tables]
    said = [f"{o.source}: {c}" for o in origins for c in o.cautions]
    having = [t.provenance.source for t in tables if t.close is not None]
    if without_close and having:
        said.append(f"Closes as traded were left out, for only {', '.join(having)} has them.")
    adjustments = dict.fromkeys(o.adjustments for o in origins)
    return Provenance(
        source=" + ".join(o.source for o in origins),
        retrieved=min((o.retrieved for o in origins), default="") if all(o.retrieved for o in origins) else "",
        adjustments=next(iter(adjustments))
        if len(adjustments) == 1
        else "; ".join(f"{o.source}: {o.adjustments}" for o in origins),
        digest=hashlib.sha256("+".join(o.digest for o in origins).encode()).hexdigest(),
        cautions=tuple(dict.fromkeys(said)),
    )
