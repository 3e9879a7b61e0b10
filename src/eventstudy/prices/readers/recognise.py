"""Which layout a table has, told by its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.prices.readers.crsp import Delisting, check_delisting, from_crsp, is_crsp, lacks_returns
from eventstudy.prices.readers.doubts import with_gaps
from eventstudy.prices.readers.layouts import (
    Figures,
    check_adjusted_names,
    from_long,
    from_two_level,
    from_wide,
    has_long_layout,
    listed_columns,
    meaning,
)
from eventstudy.prices.readers.single import from_single, is_single, ticker_of_name
from eventstudy.prices.readers.zones import with_local_days


@dataclass(frozen=True)
class Asked:
    """What a reader of a table is told beside the table.

    Attributes
    ----------
    name : str
        Of the file or object, for messages.
    ticker : str or None
        The share of a table that does not name its own.
    likely : str or None
        The same, if neither ``ticker`` nor the name says it.
    delisting : str or None
        What to do about the delisting returns of a CRSP file; None is ``recorded``.
    """

    name: str
    ticker: str | None = None
    likely: str | None = None
    delisting: Delisting | None = None

    def __post_init__(self) -> None:
        if self.delisting is not None:
            check_delisting(self.delisting)


def figures_of(table: pd.DataFrame, asked: Asked) -> Figures:
    """Bring a table of prices in any known layout to dates × tickers.

    Parameters
    ----------
    table : DataFrame
        Dates in a column or in the index.
    asked : Asked
        Its name, and its ticker if it holds one share.

    Returns
    -------
    Figures

    Raises
    ------
    InvalidInput
        If the layout is not known, or ``ticker`` is given for a table that names its own.
    DataUnfit
        If a cell cannot be right.
    """
    if table.columns.nlevels > 2:
        raise InvalidInput(f"{asked.name} has {table.columns.nlevels} levels of columns; at most two are read.")
    if table.columns.nlevels == 1:
        table = _plain(table, asked.name)
    columns = [str(c) for c in table.columns] if table.columns.nlevels == 1 else []
    heads = columns or [v for i in (0, 1) for v in table.columns.get_level_values(i).unique()]
    check_adjusted_names(heads, asked.name)
    if not columns:
        table = _dates_in_index(table)
    table, said = with_local_days(table, asked.name)
    figures = _with_volume(_laid_out(table, columns, asked), asked.name)
    return with_gaps(replace(figures, cautions=(*figures.cautions, *said)))


def _laid_out(table: pd.DataFrame, columns: list[str], asked: Asked) -> Figures:
    """Read a table in the layout that its columns tell; there are none if it has two rows of them."""
    if lacks_returns(columns):
        raise InvalidInput(
            f"{asked.name} has the columns {listed_columns(columns)}: permno and prc of CRSP but no ret, and prc is adjusted for nothing. "
            f"Add the column of returns and call it ret.",
            columns=tuple(columns),
        )
    if asked.delisting is not None and not is_crsp(columns):
        raise InvalidInput(
            f"delisting is {asked.delisting!r}, but {asked.name} is no CRSP file (permno, date, ret, …); leave it out."
        )
    if is_single(columns) and not is_crsp(columns):
        named = asked.ticker or ticker_of_name(asked.name)
        figures = from_single(table, asked.name, named or asked.likely)
        return figures if named else _taken_for(figures, asked)  # it has one ticker: no case to compare
    if is_crsp(columns):
        figures = from_crsp(table, asked.name, asked.delisting or "recorded")
    elif not columns:
        figures = from_two_level(table, asked.name)
    else:
        figures = from_long(table, asked.name) if has_long_layout(columns) else from_wide(table, asked.name)
    return _with_case(_without_ticker(figures, asked))


def _taken_for(figures: Figures, asked: Asked) -> Figures:
    """Add a caution that neither the file nor its name says whose prices these are."""
    said = f"Nothing in {asked.name} says whose prices it holds; it was taken for {asked.likely}, as asked."
    return replace(figures, cautions=(*figures.cautions, said))


def _plain(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table of one level of columns with its dates in a column and every column once."""
    if not isinstance(table.index, pd.RangeIndex):
        clash = [str(n) for n in table.index.names if n is not None and n in table.columns]
        if clash:
            raise InvalidInput(f"{name} has {', '.join(clash)} as its index and as a column; keep one.")
        table = table.reset_index()
    columns = [str(c) for c in table.columns]
    if len(columns) < 2:
        raise InvalidInput(f"{name} has only the column {', '.join(columns)}; dates and prices are needed.")
    twice = sorted({c[:60] for c in columns if columns.count(c) > 1}) if len(set(columns)) < len(columns) else []
    if twice:
        raise InvalidInput(f"{name} has the column {', '.join(map(repr, twice))} more than once; keep one.")
    return table.set_axis(columns, axis=1)


def _with_volume(figures: Figures, name: str) -> Figures:
    """Refuse a volume below zero or without end."""
    if figures.volume is not None:
        values = figures.volume.to_numpy()
        wrong = (values < 0) | np.isinf(values)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataUnfit(
                f"{name} has {values[row, column]:g} as the volume of {figures.volume.columns[column]} on "
                f"{figures.volume.index[row]:%Y-%m-%d}; correct it or leave it empty."
            )
    return figures


def _with_case(figures: Figures) -> Figures:
    """Add a caution about tickers that differ in case only, for a share may be split over two of them."""
    spelt: dict[str, list[str]] = {}
    for ticker in map(str, figures.adj_close.columns):
        spelt.setdefault(ticker.casefold(), []).append(ticker)
    twins = [" and ".join(t) for t in spelt.values() if len(t) > 1]
    if not twins:
        return figures
    said = (
        f"Tickers that differ only in small and capital letters were taken as different shares: {', '.join(twins[:6])}."
    )
    return replace(figures, cautions=(*figures.cautions, said))


def _without_ticker(figures: Figures, asked: Asked) -> Figures:
    """Refuse a ticker for a table that names its own."""
    if asked.ticker is not None:
        raise InvalidInput(
            f"ticker is {asked.ticker!r}, but {asked.name} names its own: {', '.join(map(str, figures.adj_close.columns[:12]))}. "
            f"Leave ticker out, and select afterwards."
        )
    return figures


def _dates_in_index(table: pd.DataFrame) -> pd.DataFrame:
    """Return a two-level table with its dates in the index, where `reset_index` put them into a column."""
    if isinstance(table.index, pd.RangeIndex):
        dates = [i for i, c in enumerate(table.columns) if meaning(" ".join(map(str, c)).strip()) == "date"]
        if len(dates) == 1:
            rest = table.iloc[:, [i for i in range(table.shape[1]) if i != dates[0]]]
            return rest.set_axis(pd.Index(table.iloc[:, dates[0]]), axis=0)
    return table
