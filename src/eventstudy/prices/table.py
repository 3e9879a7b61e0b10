"""The price table and its provenance."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.days import Days, days_of, written_days
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.wording import did_you_mean, first_few, iso_day
from eventstudy.written_days import plain_offsets, read_days

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

ReturnKind = Literal["simple", "log"]
#: Names of the sources that are embedded in the package, and what to call them.
SNAPSHOT, UNIVERSE = "snapshot", "universe"
EMBEDDED = {SNAPSHOT: "eventstudy price snapshot", UNIVERSE: "eventstudy S&P 500 panel"}
#: Days that are written as one whole number.
_WHOLE = (1800_01_01, 2200_12_31)
#: Name of the source that is asked over the network.
YAHOO = "yahoo"
#: Columns that are looked at before all.
FEW = 8
#: Whether a shallow copy of a table is no copy: before pandas 3, a table that is changed changes what shares its figures.
EAGER = int(pd.__version__.split(".")[0]) < 3


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a price table comes from.

    Attributes
    ----------
    source : str
        Name of the source, e.g. ``snapshot``, ``yahoo``, a file's name.
    retrieved : str
        Day (or moment) on which the figures were taken, ISO format; empty if unknown.
    first, last : str
        First and last day of the table, ISO format.
    adjustments : str
        What the closes are adjusted for, in words.
    digest : str
        SHA-256 of the figures, hexadecimal; empty if not computed.
    cautions : tuple of str
        What a reader of the numbers should know.
    """

    source: str
    retrieved: str = ""
    first: str = ""
    last: str = ""
    adjustments: str = ""
    digest: str = ""
    cautions: tuple[str, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether the prices are embedded in the package."""
        return self.source in EMBEDDED

    @property
    def label(self) -> str:
        """What to call the source in a sentence: ``eventstudy price snapshot``, a file's name."""
        return EMBEDDED.get(self.source, self.source)


@dataclass(frozen=True, eq=False, repr=False)
class Prices:
    """Daily prices: dates × tickers, with their provenance.

    Attributes
    ----------
    adj_close : DataFrame
        Closes adjusted for splits and dividends, for returns; shape (T, K), NaN where there is none.
    close : DataFrame or None
        Closes as traded, for dollars; same shape. None if the source has none.
    volume : DataFrame or None
        Shares traded; same shape.
    provenance : Provenance
        Source, vintage, digest, cautions.
    currency : mapping of str to str
        Currency of each ticker where it is known, e.g. ``{"NVDA": "USD"}``.

    Notes
    -----
    Build one with `Prices.from_frame`, which checks the figures; read one with `load_prices`.
    """

    adj_close: pd.DataFrame
    provenance: Provenance
    close: pd.DataFrame | None = None
    volume: pd.DataFrame | None = None
    currency: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_frame(
        cls,
        adj_close: pd.DataFrame,
        close: pd.DataFrame | None = None,
        volume: pd.DataFrame | None = None,
        provenance: Provenance | None = None,
        currency: Mapping[str, str] | None = None,
    ) -> Prices:
        """Check a wide table of closes (dates × tickers) and return it as prices.

        Parameters
        ----------
        adj_close : DataFrame
            Closes for returns, shape (T, K); the index holds dates, in any order.
        close, volume : DataFrame, optional
            Closes as traded and volume, with the same dates and tickers (missing ones become NaN).
        provenance : Provenance, optional
            Where the figures come from; first and last day are filled in.
        currency : mapping, optional
            Currency per ticker.

        Returns
        -------
        Prices
            Sorted by date; the input is not changed.

        Raises
        ------
        DataUnfit
            If a date occurs twice with different figures, a price is not above zero and finite, or not a number.
        InvalidInput
            If the table is empty, its index holds no dates, or moments that can be read as two days.

        Notes
        -----
        A time of day is cut off. Midnights of a zone are its days; moments of another zone than the market's, such as evenings in UTC, are
        read as the days that they are on there, and ``provenance.cautions`` says so.

        Examples
        --------
        >>> import pandas as pd
        >>> closes = pd.DataFrame({"A": [10.0, 11.0]}, index=["2025-01-24", "2025-01-27"])
        >>> Prices.from_frame(closes).returns().round(3)["A"].tolist()
        [nan, 0.1]
        """
        adjusted, said = frame_of_days(adj_close, "adjusted close")
        require_prices(adjusted, "adjusted close")
        if not adjusted.notna().any(axis=None):
            raise DataUnfit(
                f"{provenance.source if provenance else 'The table'} holds no price at all: every close of {first_few(adjusted.columns, 6)} is empty. "
                f"Look at the column that was read, or download again."
            )
        traded = None if close is None else _aligned(close, adjusted, "close")
        if traded is not None:
            require_prices(traded, "close")
        shares = None if volume is None else _aligned(volume, adjusted, "volume")
        origin = provenance or Provenance(source="a table handed in")
        first, last = (iso_day(day) for day in (adjusted.index[0], adjusted.index[-1]))
        told = not said or any(
            caution.endswith(said) for caution in origin.cautions
        )  # tables that were read are checked again
        cautions = origin.cautions if told else (*origin.cautions, said)
        origin = replace(origin, first=origin.first or first, last=origin.last or last, cautions=cautions)
        return cls(adjusted, origin, traded, shares, dict(currency or {}))

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers of the table."""
        return tuple(self.adj_close.columns)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The dates of the table, ascending, shape (T,)."""
        return pd.DatetimeIndex(self.adj_close.index)

    def returns(self, kind: ReturnKind = "simple", *, bridge_gaps: bool = False) -> pd.DataFrame:
        """Return the returns from each row of the table to the next, or from each price to the next.

        Parameters
        ----------
        kind : {"simple", "log"}
            ``P_t / P_(t-1) - 1``, or ``log(P_t / P_(t-1))``.
        bridge_gaps : bool
            Take a return from the last price there was, over all sessions of a gap; it stands on the day that ends the gap.

        Returns
        -------
        DataFrame
            Fractions, shape (T, K); NaN on the first day and wherever either price is missing: a gap is not bridged
            unless that is asked for.

        Raises
        ------
        InvalidInput
            If ``kind`` is another word.
        """
        check_return_kind(kind)
        before = (self.adj_close.ffill() if bridge_gaps else self.adj_close).shift(1)
        ratio = self.adj_close / before
        return ratio - 1.0 if kind == "simple" else ratio.apply(np.log)

    def select(self, tickers: Sequence[str]) -> Prices:
        """Return the same table with these tickers only, in this order.

        Raises
        ------
        DataMissing
            If a ticker is not in the table; names it and what is there.
        """
        wanted = list(dict.fromkeys(tickers))
        missing = [t for t in wanted if t not in self.adj_close.columns]
        if missing:
            raise DataMissing(
                f"No prices for {', '.join(missing)} in the table that was handed over (from {self.provenance.source}); it holds: "
                f"{', '.join(sorted(self.tickers))}.{did_you_mean(missing, self.tickers)}",
                missing=tuple(missing),
                available=self.tickers,
            )
        chosen = {t: c for t, c in self.currency.items() if t in wanted}
        return replace(with_frames(self, lambda frame: frame[wanted]), currency=chosen)

    def between(self, start: str | None = None, end: str | None = None) -> Prices:
        """Return the rows from ``start`` to ``end``, both included; None leaves that end open.

        Raises
        ------
        DataMissing
            If no row is left; names the days that are there.
        InvalidInput
            If a day cannot be read or ``start`` is after ``end``.
        """
        first, last = as_day(start, "start"), as_day(end, "end")
        if first is not None and last is not None and first > last:
            raise InvalidInput(f"start ({iso_day(first)}) is after end ({iso_day(last)}); swap them.")
        rows = np.ones(len(self.dates), dtype=bool)
        if first is not None:
            rows &= self.dates >= first
        if last is not None:
            rows &= self.dates <= last
        if not rows.any():
            raise DataMissing(
                f"{self.provenance.source} has no prices from {start} to {end}; it holds "
                f"{iso_day(self.dates[0])} to {iso_day(self.dates[-1])}.",
                first=self.provenance.first,
                last=self.provenance.last,
            )
        first_kept, last_kept = (iso_day(day) for day in self.dates[rows][[0, -1]])
        origin = replace(self.provenance, first=first_kept, last=last_kept)
        return replace(with_frames(self, lambda frame: frame.loc[rows]), provenance=origin)

    def __repr__(self) -> str:
        shown = ", ".join(self.tickers[:8]) + (f", … ({len(self.tickers)} in all)" if len(self.tickers) > 8 else "")
        lines = [
            f"Prices of {shown}",
            f"{len(self.dates)} days, {iso_day(self.dates[0])} to {iso_day(self.dates[-1])}",
            f"Source: {self.provenance.source}"
            + (f", retrieved {self.provenance.retrieved}" if self.provenance.retrieved else ""),
        ]
        return "\n".join(lines)


def with_frames(prices: Prices, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Prices:
    """Return the same prices with each of their tables changed."""
    close, volume = (None if frame is None else change(frame) for frame in (prices.close, prices.volume))
    return replace(prices, adj_close=change(prices.adj_close), close=close, volume=volume)


def _aligned(frame: pd.DataFrame, like: pd.DataFrame, what: str) -> pd.DataFrame:
    return clean_frame(frame, what).reindex(index=like.index, columns=like.columns)


def as_day(value: object, name: str) -> pd.Timestamp | None:
    """Read a day; None stays None."""
    if value is None:
        return None
    refusal = InvalidInput(f"{name} is {value!r}; give a date such as '2025-01-27'.")
    if isinstance(value, (bool, int, float, np.number)) or _is_ambiguous(value):
        raise refusal
    try:
        day = pd.Timestamp(value)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise refusal from error
    if pd.isna(day):
        raise refusal
    return day.tz_localize(None).normalize()


def _is_ambiguous(value: object) -> bool:
    """Tell whether a text may be read with day or month first, as 01/02/2025."""
    return isinstance(value, str) and bool(re.match(r"\s*\d{1,2}[/.-]\d{1,2}[/.-]\d{2}", value))


def check_return_kind(kind: str) -> None:
    """Raise `InvalidInput` unless ``kind`` is ``simple`` or ``log``."""
    if kind not in get_args(ReturnKind):
        raise InvalidInput(f"returns is {kind!r}; choose 'simple' or 'log'.")


def clean_frame(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return a copy with a sorted, naive, daily index, text columns and float values."""
    return frame_of_days(frame, what)[0]


def frame_of_days(frame: pd.DataFrame, what: str, exchange: str | None = None) -> tuple[pd.DataFrame, str]:
    """Return `clean_frame`, and what is to be said of how its dates were read; ``exchange``: whose sessions they should be, if known."""
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput(f"The {what} table is a {type(frame).__name__}; give a pandas DataFrame (dates × tickers).")
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise InvalidInput(f"The {what} table is empty; it needs dates as rows and tickers as columns.")
    table = frame.copy(deep=EAGER)
    table.index, said = daily_index(frame.index, what, exchange)
    names = frame.columns.tolist()
    if not all(type(name) is str for name in names):
        table.columns = pd.Index([str(c) for c in names])
    if table.columns.has_duplicates:
        twice = sorted(set(table.columns[table.columns.duplicated()]))
        raise DataUnfit(f"The {what} table has the column {', '.join(twice)} more than once; keep one.")
    if not all(dtype == np.float64 for dtype in set(table.dtypes)):
        try:
            table = table.astype(np.float64)
        except (ValueError, TypeError) as error:
            raise _no_number(frame, what) from error
    if not table.index.is_monotonic_increasing:
        table = table.sort_index(kind="stable")
    if table.index.has_duplicates:
        table = _drop_equal_repeats(table, what)
    values = table.to_numpy()
    if values.flags.writeable:  # columns that lie apart were put together, and need not be again
        table = pd.DataFrame(values, index=table.index, columns=table.columns, copy=False)
    table.index.name = "date"
    table.columns.name = None
    return table, said


def _no_number(frame: pd.DataFrame, what: str) -> DataUnfit:
    """Name the first cell that is no number, and the way out."""
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place].astype("object")
        wrong = (pd.to_numeric(column, errors="coerce").isna() & column.notna()).to_numpy()
        if wrong.any():
            at = int(wrong.argmax())
            cell, row = str(column.iloc[at]), frame.index[at]
            way = "Give numbers"
            if cell.strip().endswith("%"):
                way = "Give fractions (0.01 is one per cent): take out the sign, pandas.to_numeric, divide by 100"
            elif re.fullmatch(r"[-−]?[\d.]*,\d+", cell.strip()):
                way = "Give numbers with a point as decimal mark: table.replace(',', '.', regex=True).astype(float), or read the file with decimal=','"
            day = iso_day(row) if isinstance(row, pd.Timestamp) else str(row)[:40]
            return DataUnfit(
                f"The {what} table holds something that is not a number: {cell[:40]!r} in column {str(name)[:60]}, row {day}. {way}.",
                column=str(name),
            )
    return DataUnfit(f"The {what} table holds something that is not a number; give numbers.")


def daily_index(index: pd.Index, what: str, exchange: str | None) -> Days:
    """Return the days of an index, in its order."""
    name = f"The {what} table"
    if pd.api.types.is_numeric_dtype(index):
        if not ((index >= _WHOLE[0]) & (index <= _WHOLE[1]) & (index % 1 == 0)).all():
            raise InvalidInput(f"{name} is indexed by numbers; its index must hold dates (set_index('date')?).")
        index = index.astype("int64").astype(str)
    if isinstance(index, pd.PeriodIndex) and index.freqstr in {"D", "B"}:
        index = index.to_timestamp()
    if not isinstance(index, pd.DatetimeIndex):
        cells = plain_offsets(index.to_series())
        found = written_days(cells, name, exchange)
        if found is not None:
            return found
        if all(isinstance(label, str) for label in index):
            return Days(read_days(cells, f"The index of the {what} table"))
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(index))
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            f"The index of the {what} table holds no dates, or moments of several zones; write dates as 2025-01-27."
        ) from error
    if stamps.hasnans:
        raise InvalidInput(f"The index of the {what} table has a missing date; drop that row.")
    return days_of(stamps, name, exchange)


def _drop_equal_repeats(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """Equal repeats are harmless; unequal ones mean intraday rows or a faulty file."""
    repeated = table[table.index.duplicated(keep=False)]
    different = repeated.groupby(level=0).nunique(dropna=False)
    unequal = (different > 1).any(axis=1)
    if unequal.any():
        day = unequal.index[unequal.to_numpy()][0]
        raise DataUnfit(
            f"The {what} table has {iso_day(day)} more than once with different figures; keep one row a day.",
            day=iso_day(day),
        )
    return table[~table.index.duplicated(keep="first")]


def columns_of(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return columns of a table; no copy of its figures if they are all of its columns in their order, or the first of them."""
    chosen, own = list(names), table.columns.tolist()
    if chosen == own:
        return table
    return table.iloc[:, : len(chosen)] if chosen == own[: len(chosen)] else table[chosen]


def rows_with_figures(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the rows of a matrix that hold a figure, shape (T,); what some columns show is not asked of the others."""
    some = np.asarray(~np.isnan(values[:, :FEW]).all(axis=1), dtype=np.bool_)
    empty = np.flatnonzero(~some)
    if len(empty):
        some[empty] = ~np.isnan(values[empty]).all(axis=1)
    return some


def no_price(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where a figure can be no price: zero, negative or infinite; a missing one is none of these."""
    return np.asarray(~np.isnan(values) & ~((values > 0) & np.isfinite(values)), dtype=np.bool_)


def require_prices(table: pd.DataFrame, what: str) -> None:
    """Raise `DataUnfit` at the first price that is zero, negative or infinite."""
    values = table.to_numpy()
    wrong = no_price(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataUnfit(
            f"{table.columns[column]} has {values[row, column]:g} as its {what} on {iso_day(table.index[row])} "
            f"({int(wrong.sum())} such values in all); prices must be above zero and finite. "
            f"Correct the value or leave it empty.",
            ticker=str(table.columns[column]),
            day=iso_day(table.index[row]),
        )
