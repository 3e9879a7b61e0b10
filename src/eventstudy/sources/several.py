"""Several files, tables or series as one table of prices."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.files import sha256
from eventstudy.prices.table import Prices, Provenance
from eventstudy.sources.files.layouts import file_stem
from eventstudy.sources.source import Source
from eventstudy.wording import first_few, iso_day, percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path


#: Sources that a caution names of those that share it.
NAMED = 3
#: How tables that do not fit by themselves are joined.
_WAY = "Parts of one table go together with pd.concat; two downloads that overlap with es.vintages.join_prices, which puts them on one base."
#: What closes rounded to cents may differ by, and the move that a seam alone may not have.
_ROUNDING, _LARGE = 1e-3, 0.25


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
    """Join prices by column and in time; closes as traded, and volumes, are there if every table has them."""
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
    return Prices.from_frame(adjusted, close, volume, _origin(tables, close is None, _seams(tables)), currency)


def _beside(frames: list[pd.DataFrame], tables: list[Prices]) -> pd.DataFrame:
    """Put frames beside each other, and the parts of a ticker that several of them have one after the other."""
    parts: dict[str, list[tuple[pd.Series[float], str]]] = {}
    for frame, table in zip(frames, tables, strict=True):
        for ticker in frame.columns:
            parts.setdefault(ticker, []).append((frame[ticker].dropna(), table.provenance.source))
    return pd.concat({t: _in_time(t, found) for t, found in parts.items()}, axis=1, sort=True)


def _in_time(ticker: str, parts: list[tuple[pd.Series[float], str]]) -> pd.Series[float]:
    """Join the parts of one ticker in time; where two overlap, days and figures must be the same."""
    (whole, name), *rest = sorted((p for p in parts if len(p[0])), key=lambda p: p[0].index[0]) or parts[:1]
    for column, later in rest:
        last = min(whole.index[-1], column.index[-1])
        if not whole.loc[column.index[0] : last].equals(column.loc[:last]):
            raise DataUnfit(
                f"{name} and {later} both have {ticker}, with different days or figures; keep it in one of them. {_WAY}",
                ticker=ticker,
            )
        whole = pd.concat([whole, column[column.index > last]])
    return whole


def _seams(tables: list[Prices]) -> list[str]:
    """Return cautions of tickers whose parts follow each other without a common day; refuse those that are adjusted on two bases."""
    unsure: dict[str, list[str]] = {}
    tickers = pd.Series([t for table in tables for t in table.tickers], dtype=object)
    for ticker in tickers[tickers.duplicated()].unique():
        having = [t for t in tables if ticker in t.tickers and t.adj_close[ticker].notna().any()]
        having.sort(key=lambda t: t.adj_close[ticker].first_valid_index())
        for one, two in pairwise(having):
            last, first = one.adj_close[ticker].last_valid_index(), two.adj_close[ticker].first_valid_index()
            if first <= last:
                continue
            move = float(two.adj_close[ticker][first] / one.adj_close[ticker][last] - 1.0)
            told = _factor(two, ticker, first) / _factor(one, ticker, last) - 1.0
            if abs(told) > _ROUNDING or (np.isnan(told) and abs(move) > _LARGE):
                what = f"{percent(move, 1)}" if np.isnan(told) else f"{percent(told, 2)} against its close as traded"
                raise DataUnfit(
                    f"{ticker} moves by {what} from the last day of {one.provenance.source} ({iso_day(last)}) to the first of "
                    f"{two.provenance.source} ({iso_day(first)}): a split or dividend of that day, or closes adjusted on two days. {_WAY}",
                    ticker=str(ticker),
                    day=iso_day(first),
                )
            if np.isnan(told):
                unsure.setdefault(iso_day(first), []).append(f"{ticker} {percent(move, 1)}")
    return [
        f"Tables were joined at {day}: the returns of that day ({first_few(moves, 6)}) are right if all closes were adjusted at one time."
        for day, moves in unsure.items()
    ]


def _factor(table: Prices, ticker: str, day: pd.Timestamp) -> float:
    """Return the adjusted close over that as traded; NaN where one is taken for the other."""
    if table.close is None or table.close[ticker].equals(table.adj_close[ticker]):
        return np.nan
    return float(table.adj_close[ticker][day] / table.close[ticker][day])


def _origin(tables: list[Prices], without_close: bool, seams: list[str]) -> Provenance:
    origins = [t.provenance for t in tables]
    of: dict[str, list[str]] = {}
    for origin in origins:
        for caution in dict.fromkeys(origin.cautions):
            of.setdefault(caution, []).append(origin.source)
    said = [f"{first_few(names, NAMED)}: {caution}" for caution, names in of.items()] + seams
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
