"""Several files, tables or series as one table of prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.files import sha256
from eventstudy.prices.table import Prices, Provenance
from eventstudy.sources.files.layouts import file_stem
from eventstudy.sources.source import Source
from eventstudy.wording import first_few

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path


#: Sources that a caution names of those that share it.
NAMED = 3


class Several(Source):
    """Several sources, one share each or more, joined by column."""

    def __init__(self, parts: Sequence[Source]) -> None:
        files = [path for part in parts for path in part.inputs()[:1]]
        twice = sorted({path.name for path in files if files.count(path) > 1})
        if not parts or twice:
            raise InvalidInput(
                f"source {'names ' + twice[0] + ' twice' if twice else 'is an empty list'}; name each file once."
            )
        self.parts = tuple(parts)
        self.name = " + ".join(dict.fromkeys(part.name for part in parts))

    def inputs(self) -> tuple[Path, ...]:
        """Return the files and their passports."""
        return tuple(path for part in self.parts for path in part.inputs())

    def read(self, tickers: Sequence[str] | None, start: date | None, end: date | None) -> Prices:
        """Return all that the parts hold; a file of one share that is called like one of the tickers holds that."""
        stems = [file_stem(part.name) for part in self.parts]
        wanted = sorted(tickers or (), key=stems.__contains__)  # those that no file is called like first
        others = wanted if len(wanted) > 1 else None
        asked = [[stem] if stem in (tickers or ()) else others for stem in stems]
        return _joined([part.read(likely, start, end) for part, likely in zip(self.parts, asked, strict=True)])


def _joined(tables: list[Prices]) -> Prices:
    """Join prices by column; closes as traded, and volumes, are there if every table has them."""
    currency: dict[str, str] = {}
    for table in tables:
        for ticker, unit in table.currency.items():
            if currency.setdefault(ticker, unit) != unit:
                raise DataUnfit(
                    f"{ticker} is in {currency[ticker]} in one of the parts and in {unit} in {table.provenance.source}; keep one.",
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
    of: dict[str, list[str]] = {}
    for origin in origins:
        for caution in dict.fromkeys(origin.cautions):
            of.setdefault(caution, []).append(origin.source)
    said = [f"{first_few(names, NAMED)}: {caution}" for caution, names in of.items()]
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
        digest=sha256("+".join(o.digest for o in origins).encode()) if all(o.digest for o in origins) else "",
        cautions=tuple(dict.fromkeys(said)),
    )
