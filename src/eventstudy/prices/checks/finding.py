"""What a check of prices is given, a grid of sessions and tickers, and what it yields, findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import calendar_bounds, exchange_sessions, lost_days
from eventstudy.prices.table import Prices, clean_frame, rows_with_figures
from eventstudy.wording import first_few, iso_day

Severity = Literal["note", "warning", "error"]
#: From the least to the most serious.
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")
#: Tickers that a line names; beyond this many, findings of one check and severity become one.
APART = 6


class Rule(NamedTuple):
    """What a check is called, what it expects, what to do if it is not so, and whether a study may accept that."""

    name: str
    expected: str
    advice: str
    acceptable: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check of prices found; `str` gives it in one line.

    Attributes
    ----------
    check : str
        Name of the check, e.g. ``stale_prices``.
    severity : {"note", "warning", "error"}
        An error stops a study unless it is accepted by name.
    tickers : tuple of str
        Whose prices; empty for the table as a whole.
    first, last : str
        First and last day concerned, ISO format; empty if it is not a matter of days.
    value : str
        What was found.
    rule : str
        What is expected.
    advice : str
        What to do.
    accepted : str
        The reason for which an error or a warning was accepted; empty otherwise.
    idle : bool
        Whether it only says that a study accepts what was not found.
    """

    check: str
    severity: Severity
    tickers: tuple[str, ...]
    first: str
    last: str
    value: str
    rule: str
    advice: str
    accepted: str = ""
    idle: bool = False

    @property
    def days(self) -> str:
        """The days concerned, in words."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"

    def __str__(self) -> str:
        state = f"accepted {self.severity}" if self.accepted else self.severity
        where = ", ".join(filter(None, (first_few(self.tickers, APART), self.days)))
        end = f"Accepted: {self.accepted}" if self.accepted else f"Expected: {self.rule}. To do: {self.advice}"
        return f"{state}: {self.check}" + (f" ({where})" if where else "") + f": {self.value}. {end}"

    def to_dict(self) -> dict[str, object]:
        """Return the finding as plain values for JSON."""
        return {
            "check": self.check,
            "severity": self.severity,
            "tickers": list(self.tickers),
            "first": self.first,
            "last": self.last,
            "value": self.value,
            "rule": self.rule,
            "advice": self.advice,
            "accepted": self.accepted,
        }


def finding(
    rule: Rule, severity: Severity, tickers: Iterable[str], value: str, first: str = "", last: str = ""
) -> Finding:
    """Return a finding with the rule and the advice of its check."""
    return Finding(rule.name, severity, tuple(tickers), first, last or first, value, rule.expected, rule.advice)


# -- The table as the checks of prices see it: sessions × tickers, and which cells a study uses.


BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
LevelArray = NDArray[np.int8]

_SATURDAY = 5
#: Columns that are looked at together.
TOGETHER = 256
#: Levels of a cell: nothing, and the severities in their order.
NOTE, WARNING, ERROR = 1, 2, 3


@dataclass(frozen=True, eq=False)
class Usage:
    """Which prices a study uses.

    Attributes
    ----------
    tickers : tuple of str
        Firm of each of N events.
    first, start, last : DatetimeIndex, shape (N,)
        First day of prices for the estimation, day before the event window, last day of the event window.
    columns : tuple of str
        Benchmarks, factors and peers, used on the days of every event.
    reach : int
        Sessions that the model looks further on its columns, before and after.
    zero : DatetimeIndex, shape (N,), or None
        Day 0, where a price of the firm that stands still for this day alone is told by a check of the study.
    """

    tickers: tuple[str, ...]
    first: pd.DatetimeIndex
    start: pd.DatetimeIndex
    last: pd.DatetimeIndex
    columns: tuple[str, ...] = ()
    reach: int = 0
    zero: pd.DatetimeIndex | None = None

    def places(self, tickers: Sequence[str]) -> NDArray[np.int64]:
        """Return the place of each event's firm among some tickers, -1 where it is none of them, shape (N,)."""
        codes, names = pd.factorize(np.array(self.tickers, dtype=object))
        return np.asarray(pd.Index(tickers).get_indexer(pd.Index(names.tolist()))[codes], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Grid:
    """Prices on all days of the table and all sessions between its first and last.

    Attributes
    ----------
    days : DatetimeIndex, shape (T,)
        Ascending.
    session : ndarray of bool, shape (T,)
        Whether the exchange was open.
    adjusted : ndarray, shape (T, K)
        Adjusted closes, NaN where there is none.
    traded, volume : ndarray, shape (T, K), or None
        Closes as traded and volumes; a column whose volumes are all zero or missing counts as without.
    benchmark : ndarray of bool, shape (K,)
        Which columns are benchmarks.
    calendar : str or None
        ISO code of the exchange whose sessions they are; None if they are those of the table.
    usage : Usage or None
        Which prices a study uses, None if every one.
    thin : bool
        Whether prices that are missing or stand still are expected.
    currency : mapping of str to str
        Currency of each ticker where it is known.
    other : Grid or None
        The same prices of another vintage or vendor.
    of_returns : bool
        Whether the prices are relatives, made of returns that were handed in.
    part_of : tuple of Grid and slice, or None
        Of which grid these are some columns.
    """

    days: pd.DatetimeIndex
    session: BoolArray
    tickers: tuple[str, ...]
    adjusted: FloatArray
    traded: FloatArray | None
    volume: FloatArray | None
    benchmark: BoolArray
    calendar: str | None = None
    usage: Usage | None = None
    thin: bool = False
    currency: Mapping[str, str] = field(default_factory=dict)
    other: Grid | None = None
    of_returns: bool = False
    part_of: tuple[Grid, slice] | None = None

    @property
    def closes(self) -> FloatArray:
        """Closes as traded, or adjusted ones if there are no others."""
        return self.adjusted if self.traded is None else self.traded

    @cached_property
    def priced(self) -> BoolArray:
        """Where there is a price, shape (T, K)."""
        return np.isfinite(self.adjusted)

    @cached_property
    def used(self) -> BoolArray:
        """Cells that the study uses, shape (T, K)."""
        if self.part_of is not None:
            return self.part_of[0].used[:, self.part_of[1]]
        return _cells(self.days, self.tickers, self.usage, None if self.usage is None else self.usage.first)

    @cached_property
    def event(self) -> BoolArray:
        """Cells in an event window, shape (T, K)."""
        if self.part_of is not None:
            return self.part_of[0].event[:, self.part_of[1]]
        return _cells(self.days, self.tickers, self.usage, None if self.usage is None else self.usage.start)

    def columns(self, chosen: slice) -> Grid:
        """Return the grid of some columns."""
        return replace(
            self,
            tickers=self.tickers[chosen],
            adjusted=self.adjusted[:, chosen],
            traded=None if self.traded is None else self.traded[:, chosen],
            volume=None if self.volume is None else self.volume[:, chosen],
            benchmark=self.benchmark[chosen],
            part_of=(self, chosen),
        )

    def parts(self) -> Iterator[Grid]:
        """Yield the grid of some columns after the other."""
        for block in blocks(len(self.tickers)):
            yield self.columns(block)

    def day(self, row: int) -> str:
        """Return a row's day, ISO format."""
        return iso_day(self.days[row])

    def span(self, rows: Sequence[int] | NDArray[np.int64]) -> tuple[str, str]:
        """Return the first and the last day of some rows."""
        return self.day(int(min(rows))), self.day(int(max(rows)))

    def days_of(self, rows: Sequence[int] | NDArray[np.int64], limit: int = 4) -> str:
        """Return the days of some rows in words, the rest counted."""
        return first_few((self.day(int(r)) for r in rows), limit)


def make_grid(
    prices: Prices,
    calendar: str | None,
    benchmarks: Sequence[str] = (),
    usage: Usage | None = None,
    thin: bool = False,
    other: Prices | None = None,
) -> Grid:
    """Return prices as the checks see them."""
    closes = clean_frame(prices.adj_close, "adjusted close")
    some = rows_with_figures(closes.to_numpy())
    table = closes if some.all() else closes[some]
    benchmark = closes.columns.isin(list(benchmarks))
    days = pd.DatetimeIndex(table.index)
    if calendar is None or not len(days):
        seen = table.iloc[:, np.flatnonzero(benchmark)].notna().any(axis=1)
        sessions = days[seen].union(lost_days(table, seen)) if seen.any() else days[days.dayofweek < _SATURDAY]
    else:
        known_first, known_last = calendar_bounds(calendar)
        first, last = max(days[0], known_first), min(days[-1], known_last)
        sessions = exchange_sessions(calendar, first.date(), last.date()) if first <= last else days[:0]
        sessions = sessions.union(days[(days < known_first) | (days > known_last)])
    whole = pd.DatetimeIndex(days.union(sessions))
    tickers = tuple(closes.columns.tolist())
    return Grid(
        days=whole,
        session=np.asarray(whole.isin(sessions), dtype=np.bool_),
        tickers=tickers,
        adjusted=_placed(table, whole),
        traded=None if prices.close is None else _other(prices.close, closes, whole, "close"),
        volume=None if prices.volume is None else _volume(_other(prices.volume, closes, whole, "volume")),
        benchmark=np.asarray(benchmark, dtype=np.bool_),
        calendar=calendar,
        usage=usage,
        thin=thin,
        currency={t: c for t, c in sorted(prices.currency.items()) if c and t in tickers},
        other=None if other is None else make_grid(other, calendar),
    )


def _placed(table: pd.DataFrame, days: pd.DatetimeIndex) -> FloatArray:
    if len(days) == len(table):
        return table.to_numpy(dtype=np.float64)
    out = np.full((table.shape[1], len(days)), np.nan).T
    out[days.get_indexer(pd.DatetimeIndex(table.index))] = table.to_numpy(dtype=np.float64)
    return out


def _other(frame: pd.DataFrame, like: pd.DataFrame, days: pd.DatetimeIndex, what: str) -> FloatArray:
    return clean_frame(frame, what).reindex(index=days, columns=like.columns).to_numpy(dtype=np.float64)


def _volume(volume: FloatArray) -> FloatArray:
    none = ~(np.nan_to_num(volume) != 0.0).any(axis=0)
    return np.where(none[None, :], np.nan, volume)


def _cells(
    days: pd.DatetimeIndex, tickers: tuple[str, ...], usage: Usage | None, first: pd.DatetimeIndex | None
) -> BoolArray:
    """Return the cells from some day of each event to the end of its window, and those of the columns that its model uses, shape (T, K)."""
    shape = (len(days), len(tickers))
    if usage is None or first is None:
        return np.ones(shape, dtype=np.bool_)
    column = usage.places(tickers)
    others = pd.Index(tickers).get_indexer(pd.Index(list(usage.columns)))
    begin, stop = days.searchsorted(first), days.searchsorted(usage.last, side="right")
    firms = _spans(shape, np.asarray(begin), np.asarray(stop), column)
    early, late = np.maximum(begin - usage.reach, 0), np.minimum(stop + usage.reach, len(days))
    anywhere = _spans((shape[0], 1), np.asarray(early), np.asarray(late), np.zeros(len(begin), dtype=np.int64))
    firms[:, others[others >= 0]] |= anywhere
    return firms


def _spans(
    shape: tuple[int, int], begin: NDArray[np.int64], stop: NDArray[np.int64], column: NDArray[np.int64]
) -> BoolArray:
    """Return a mask that is true from ``begin`` to before ``stop`` in each column."""
    there = np.flatnonzero((column >= 0) & (stop > begin))
    order = there[np.argsort(column[there], kind="stable")]
    out, length = np.zeros((shape[1], shape[0]), dtype=np.bool_), shape[0] + 1
    for block in blocks(shape[1]):
        mine = order[slice(*np.searchsorted(column[order], (block.start, block.stop)))]
        line, size = (column[mine] - block.start) * length, (block.stop - block.start) * length
        edges = np.bincount(line + begin[mine], minlength=size) - np.bincount(line + stop[mine], minlength=size)
        out[block] = edges.reshape(-1, length).cumsum(axis=1)[:, :-1] > 0
    return out.T


def blocks(count: int) -> Iterator[slice]:
    """Yield the places of some columns after the other, so that what is made of them stays small beside the table."""
    for first in range(0, count, TOGETHER):
        yield slice(first, min(first + TOGETHER, count))


def by_ticker(
    grid: Grid, rule: Rule, level: LevelArray, describe: Callable[[int, NDArray[np.int64]], str]
) -> Iterator[Finding]:
    """Yield a finding for each ticker with a level above zero: one of the cells used, and a note of the others.

    Parameters
    ----------
    level : ndarray of int, shape (T, K)
        0 for nothing, else `NOTE`, `WARNING` or `ERROR`.
    """
    for column in np.flatnonzero(level.any(axis=0)):
        rows = np.flatnonzero(level[:, column])
        inside = grid.used[rows, column]
        for chosen, highest in ((rows[inside], ERROR), (rows[~inside], NOTE)):
            if len(chosen):
                worst = min(int(level[chosen, column].max()), highest)
                words = describe(int(column), chosen)
                yield finding(rule, SEVERITIES[worst - 1], (grid.tickers[column],), words, *grid.span(chosen))


def in_window(grid: Grid, bad: BoolArray) -> LevelArray:
    """Return levels of bad cells: an error in an event window, else a warning."""
    return np.where(bad, np.where(grid.event, ERROR, WARNING), 0).astype(np.int8)


def previous(values: FloatArray) -> FloatArray:
    """Return the last value before each row, NaN where there is none, shape (T, K)."""
    before = np.full_like(values, np.nan)
    before[1:] = values[:-1]
    holes = np.flatnonzero((~np.isfinite(values)).any(axis=0))
    if len(holes):
        some = values[:, holes]
        rows = np.where(np.isfinite(some), np.arange(len(values))[:, None], 0)
        filled = np.take_along_axis(some, np.maximum.accumulate(rows, axis=0), axis=0)
        before[1:, holes] = filled[:-1]
    return before
