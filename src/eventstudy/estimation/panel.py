"""From calendar time to event time: returns around each event as arrays with masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import ClosedDay
from eventstudy.errors import DataMissing
from eventstudy.estimation.deferred import Deferred
from eventstudy.estimation.spans import sums_over_spans, trade_spans
from eventstudy.events import Event, EventList, Exchanges, event_list, keys_at, keys_of_events, locate_sessions
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean, first_few, iso_day, iso_days

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def absent() -> None:
    """Return None: a field that has it as its factory, not as its default, can be gathered later."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """An event that was left out, and why."""

    event: Event
    reason: str


@dataclass(frozen=True, eq=False, repr=False)
class EventPanel(Deferred):
    """Returns aligned in event time.

    Attributes
    ----------
    events : EventList
        The N events kept.
    keys : sequence of str
        Their short unique names.
    position : ndarray of int, shape (N,)
        Row of each event's session on ``calendar``.
    calendar : DatetimeIndex, shape (T,)
        The sessions that relative days count.
    estimation, window : Window
        Relative days of the estimation window (M days) and of the event window (L days).
    est_returns, event_returns : ndarray, shape (N, M) and (N, L)
        Returns of the event's firm as fractions, NaN where there is none.
    columns : tuple of str
        Names of the K benchmark or factor columns.
    est_columns, event_columns : ndarray, shape (N, M, K) and (N, L, K)
        Their returns on the same days; over all sessions of a return's span if gaps are bridged.
    reference_returns : ndarray, shape (N, L, K'), or None
        For buy-and-hold models: returns of each firm held instead of the event's, NaN for the event's own.
    est_span, event_span : ndarray of int, shape (N, M) and (N, L), or None
        Sessions that each return of the firm reaches over, 0 where there is none; None if gaps are never bridged.
    closes, benchmark_closes : ndarray, shape (N, L + 1), or None
        Adjusted closes of the firm and of the benchmark on the session before the event window and on its days; None if returns were
        handed in.
    log : bool
        Whether these are log returns.
    skip_gaps : bool
        Whether sums leave out days without a return; else a window with such a day has no sum.
    holes : ndarray of bool, shape (N, L), or None
        Days of the event window on which the benchmark, a factor or the whole table has no return, if a window with one has no sum
        whatever ``skip_gaps`` says.

    Notes
    -----
    A day is *usable* for an event if the firm's return and all K columns are there. Of many events the arrays are gathered when they are asked
    for, and `part` gathers those of some.
    """

    LARGE: ClassVar[frozenset[str]] = frozenset(
        {"est_returns", "event_returns", "est_columns", "event_columns", "reference_returns", "est_span", "event_span"}
        | {"closes", "benchmark_closes", "holes"}
    )
    EACH: ClassVar[frozenset[str]] = frozenset({"events", "keys"})

    events: EventList
    keys: Sequence[str]
    position: IntArray
    calendar: pd.DatetimeIndex
    estimation: Window
    window: Window
    est_returns: FloatArray
    event_returns: FloatArray
    columns: tuple[str, ...]
    est_columns: FloatArray
    event_columns: FloatArray
    reference_returns: FloatArray | None = field(default_factory=absent)
    est_span: IntArray | None = field(default_factory=absent)
    event_span: IntArray | None = field(default_factory=absent)
    closes: FloatArray | None = field(default_factory=absent)
    benchmark_closes: FloatArray | None = field(default_factory=absent)
    log: bool = False
    skip_gaps: bool = False
    holes: BoolArray | None = field(default_factory=absent)

    def __post_init__(self) -> None:
        object.__setattr__(self, "events", event_list(self.events))

    @property
    def n(self) -> int:
        """Number of events."""
        return len(self.events)

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Session of each event, shape (N,)."""
        return self.calendar[self.position]

    @property
    def est_mask(self) -> BoolArray:
        """Usable estimation days, shape (N, M)."""
        if "counted" in self.__dict__ and self.counted.est_days.min(initial=len(self.estimation)) == len(
            self.estimation
        ):
            return np.ones(self.est_returns.shape, dtype=np.bool_)
        return usable(self.est_returns, self.est_columns)

    @property
    def event_mask(self) -> BoolArray:
        """Usable event-window days, shape (N, L)."""
        return usable(self.event_returns, self.event_columns)

    @cached_property
    def counted(self) -> Counted:
        """What the days of each event amount to."""
        found = [_counted(part) for part in self.parts()]
        return Counted(*(np.concatenate([getattr(one, f.name) for one in found]) for f in fields(Counted)))

    @property
    def zero_share(self) -> FloatArray:
        """Share of the usable estimation days with a return of exactly zero, shape (N,): thin trading, or prices carried forward."""
        return self.counted.still / np.maximum(self.counted.est_days, 1)

    def keep(self, mask: BoolArray) -> EventPanel:
        """Return the panel of the events where ``mask`` (shape (N,)) is true."""
        return self.take(np.flatnonzero(mask))

    def take(self, chosen: IntArray) -> EventPanel:
        """Return the panel of some events, by place."""
        found = super().take(chosen)
        if "counted" in self.__dict__:
            found.__dict__["counted"] = Counted(*(getattr(self.counted, f.name)[chosen] for f in fields(Counted)))
        return found

    def __repr__(self) -> str:
        return (
            f"EventPanel of {self.n} events, estimation {self.estimation} ({len(self.estimation)} days), "
            f"event window {self.window} ({len(self.window)} days)"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What the days of N events amount to.

    Attributes
    ----------
    est_days, event_days : ndarray of int, shape (N,)
        Usable days of both windows.
    still : ndarray of int, shape (N,)
        Usable estimation days with a return of exactly zero.
    blind : ndarray of bool, shape (N,)
        Whether a column lacks day 0.
    still_on_day_0 : ndarray of bool, shape (N,)
        Whether the firm's return of day 0 is exactly zero.
    """

    est_days: IntArray
    event_days: IntArray
    still: IntArray
    blind: BoolArray
    still_on_day_0: BoolArray


def _counted(panel: EventPanel) -> Counted:
    est_mask, zero = panel.est_mask, [-panel.window.start] if 0 in panel.window else []
    return Counted(
        est_mask.sum(axis=1),
        panel.event_mask.sum(axis=1),
        ((panel.est_returns == 0.0) & est_mask).sum(axis=1),
        np.asarray(~np.isfinite(panel.event_columns[:, zero]).all(axis=(1, 2)), dtype=np.bool_),
        (panel.event_returns[:, zero] == 0.0).any(axis=1),
    )


def usable(returns: FloatArray, columns: FloatArray) -> BoolArray:
    """Return where the return and every column are there, shape (N, days)."""
    there = np.isfinite(returns)
    for k in range(columns.shape[2]):
        there &= np.isfinite(columns[:, :, k])
    return there


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """What became of each event that was asked for.

    Attributes
    ----------
    panel : EventPanel
        All N events, kept or not.
    remarks : mapping of int to str
        By place of an event, how it came to its session, if that is not plain.
    reasons : sequence of str
        Why an event is not kept, or an empty text, shape (N,).
    """

    panel: EventPanel
    remarks: Mapping[int, str]
    reasons: Sequence[str]

    @cached_property
    def kept(self) -> BoolArray:
        """Which events are kept, shape (N,)."""
        return np.array([not reason for reason in self.reasons], dtype=np.bool_)

    @cached_property
    def flags(self) -> dict[str, BoolArray]:
        """Duplicates, overlapping windows of one ticker, shared dates, and events inside another's estimation window; shape (N,) each."""
        return _flags(self.panel)

    def named(self, places: BoolArray) -> Sequence[str]:
        """Return the names of the kept events of which something is true."""
        return keys_at(self.panel.keys, np.flatnonzero(places & self.kept))

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an event: asked for, session used, days found, kept or dropped and why, flags."""
        return _audit_table(self)


@dataclass(frozen=True, eq=False, repr=False)
class Alignment:
    """What became of the events: the panel of those kept, the audit of all, and the dropped."""

    panel: EventPanel
    audit: Audit
    dropped: tuple[Dropped, ...]

    def without(self, reasons: Sequence[str]) -> Alignment:
        """Return the alignment without the kept events that have a reason, in the order of the panel, noted in the audit."""
        panel, lost = self.panel, [i for i, reason in enumerate(reasons) if reason]
        if not lost:
            return self
        why, rows = list(self.audit.reasons), np.flatnonzero(self.audit.kept)
        for i in lost:
            why[int(rows[i])] = reasons[i]
        dropped = tuple(Dropped(panel.events[i], reasons[i]) for i in lost)
        kept = panel.take(np.setdiff1d(np.arange(panel.n), lost))
        return Alignment(kept, replace(self.audit, reasons=why), (*self.dropped, *dropped))


@dataclass(frozen=True, slots=True)
class AlignmentRules:
    """Which relative days a panel holds, whose sessions they count, and which events it keeps.

    ``holes``: sessions that the table lacks; ``skip_holes``: sums leave out days that the benchmark, a factor or the table lacks.
    """

    estimation: Window
    window: Window
    exchange: str | Exchanges | None
    closed_day: ClosedDay
    min_estimation: int
    log: bool = False
    skip_gaps: bool = False
    skip_holes: bool = True
    holes: pd.DatetimeIndex | None = None


#: A pass over a cell of the matrix takes as long as gathering so many days of an estimation window.
MATRIX_PASSES = 4


class PanelColumns(Protocol):
    """Which columns a model of normal returns needs in a panel."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Benchmark and factor columns that the model needs."""
        ...

    @property
    def benchmark(self) -> str | None:
        """The column that stands for the market; None without one."""
        ...

    @property
    def offsets(self) -> tuple[int, ...]:
        """For each column, how many sessions later than the firm's return it is taken (-1: the session before)."""
        ...

    def prepare(self, panel: EventPanel) -> EventPanel:
        """Return the panel with the columns that ``fit`` uses, e.g. peers made one portfolio, before days are counted."""
        ...


def align(
    returns: pd.DataFrame,
    events: Sequence[Event],
    model: PanelColumns,
    rules: AlignmentRules,
    trades: pd.DataFrame | None = None,
    closes: pd.DataFrame | None = None,
) -> Alignment:
    """Align returns in event time and say what became of each event.

    Parameters
    ----------
    returns : DataFrame
        Dates × tickers, shape (T, K'), one row per session, ascending; fractions, NaN where missing.
    trades : DataFrame of bool, optional
        Where there was a trade (`trades_of`), shaped like ``returns``, for models that bridge gaps: log returns then reach back
        to the last trade, also across the gap between the windows, and columns are summed over the same sessions.
    closes : DataFrame, optional
        Adjusted closes, dates × tickers, on the rows of ``returns``.
    """
    events = event_list(events)
    _require_columns(returns, events, model.columns)
    located = locate_sessions(events, pd.DatetimeIndex(returns.index), rules.exchange, rules.closed_day)
    windows = Windows(returns, events, model, located.position, rules, trades, closes)
    every_event = windows.panel()
    reasons = _reasons(every_event, located.remarks, rules.min_estimation, _ends(returns, model))
    lost = np.flatnonzero([bool(reason) for reason in reasons])
    dropped = tuple(Dropped(events[i], reasons[i]) for i in lost.tolist())
    kept = every_event if not len(lost) else every_event.take(np.setdiff1d(np.arange(len(events)), lost))
    return Alignment(kept, Audit(every_event, located.remarks, reasons), dropped)


class FirmDays:
    """Values by firm and session, of which every window can be cut out, also one that reaches beyond the first or the last.

    A matrix that is firm-major in memory, as that of a study is, serves as it is.

    Parameters
    ----------
    matrix : ndarray, shape (T, K)
        NaN where there is none.
    firm : ndarray of int, shape (N,)
        Column of each event; -1 for none.
    """

    def __init__(self, matrix: FloatArray, firm: IntArray) -> None:
        self.row, self.values = firm, matrix.T
        if not self.values.flags.c_contiguous:
            used, inverse = np.unique(firm, return_inverse=True)
            self.row = np.where(firm < 0, -1, np.asarray(inverse, dtype=np.int64).reshape(np.shape(firm)))
            self.values = self.values[used]
        self._views: dict[int, FloatArray] = {}

    def cut(self, row: IntArray, position: IntArray, window: Window) -> FloatArray:
        """Return the values of some rows around places in time, shape (n, days)."""
        length, first = len(window), position + window.start
        beyond = (row < 0) | (first < 0) | (first + length > self.values.shape[1])
        if len(row) and not beyond.any():
            return self._view(length)[row, first]
        out = np.full((len(row), length), np.nan)
        inside = ~beyond
        if inside.any():
            out[inside] = self._view(length)[row[inside], first[inside]]
        over = np.flatnonzero(beyond & (row >= 0))
        days = first[over, None] + np.arange(length)
        there, place = np.nonzero((days >= 0) & (days < self.values.shape[1]))
        out[over[there], place] = self.values[row[over[there]], days[there, place]]
        return out

    def _view(self, length: int) -> FloatArray:
        """Return all windows of so many days, of which an index takes some."""
        if length not in self._views:
            self._views[length] = np.lib.stride_tricks.sliding_window_view(self.values, length, axis=1)
        return self._views[length]


class Windows:
    """Where the windows of events lie in a table of returns; called with places of events it returns the panel of these.

    Parameters
    ----------
    returns : DataFrame
        Dates × tickers, shape (T, K'), one row per session.
    position : ndarray of int, shape (N,)
        Row of each event's day 0, whatever the event's own date; below 0 if it has none.
    """

    def __init__(
        self,
        returns: pd.DataFrame,
        events: EventList,
        model: PanelColumns,
        position: IntArray,
        rules: AlignmentRules,
        trades: pd.DataFrame | None = None,
        closes: pd.DataFrame | None = None,
    ) -> None:
        self.events, self.model, self.position, self.rules = events, model, position, rules
        self.tables = returns, trades, closes
        self.calendar = pd.DatetimeIndex(returns.index)
        self.matrix = returns.to_numpy(dtype=np.float64)
        self.offsets = tuple(model.offsets) or (0,) * len(model.columns)
        farthest = max(abs(day) for window in (rules.estimation, rules.window) for day in (window.start, window.end))
        reach = farthest + max((abs(later) for later in self.offsets), default=0) + 1
        self.place = np.where(position < 0, -reach, position)
        firms, codes = events.firms
        self.firm = returns.columns.get_indexer(pd.Index(firms))[codes]
        self.factor = returns.columns.get_indexer(pd.Index(list(model.columns)))
        self.days = FirmDays(self.matrix, np.concatenate([self.firm, self.factor]))
        self.trades = None if trades is None else trades.to_numpy(dtype=np.bool_)
        self.spans = None if self.trades is None else FirmDays(trade_spans(self.trades).astype(np.float64), self.firm)
        self.closes, self.held = None, -1
        if closes is not None:
            own = closes.columns.get_indexer(pd.Index(firms))[codes]
            self.held = int(closes.columns.get_indexer(pd.Index([model.benchmark]))[0])
            self.closes = FirmDays(closes.to_numpy(dtype=np.float64), np.append(own, self.held))
        self.prepares = False
        self.lost = np.zeros(len(self.calendar), dtype=np.bool_)
        if rules.holes is not None and not rules.skip_holes:
            self.lost = np.asarray(self.calendar.isin(rules.holes), dtype=np.bool_)

    def only(self, chosen: IntArray) -> Windows:
        """Return the windows of some events, with the columns of their firms and of the model alone."""
        events = self.events.take(chosen)
        names = pd.Index([*events.firms[0], *self.model.columns]).unique()
        returns, trades, closes = (_columns_of(table, names) for table in self.tables)
        assert returns is not None
        return Windows(returns, events, self.model, self.position[chosen], self.rules, trades, closes)

    def __reduce__(self) -> tuple[object, ...]:
        """Return of what windows are made, so that nothing is sent twice."""
        returns, trades, closes = self.tables
        return Windows, (returns, self.events, self.model, self.position, self.rules, trades, closes)

    def panel(self) -> EventPanel:
        """Return the panel of all events, whose arrays are gathered when they are asked for."""
        stamps = self.calendar.to_numpy(dtype="datetime64[ns]")
        sessions = np.where(self.position >= 0, stamps[self.position], self.events.days.astype("datetime64[ns]"))
        rules, none = self.rules, self(np.empty(0, dtype=np.int64))
        panel = EventPanel.deferred(
            self,
            events=self.events,
            keys=keys_of_events(self.events, sessions),
            position=self.position,
            calendar=self.calendar,
            estimation=rules.estimation,
            window=rules.window,
            columns=none.columns,
            log=rules.log,
            skip_gaps=rules.skip_gaps,
        )
        cells = self.days.values.size
        if self.prepares or self.spans is not None or MATRIX_PASSES * cells > len(self.events) * len(rules.estimation):
            return panel
        panel.__dict__["counted"] = self._counted()
        return panel

    def _counted(self) -> Counted:
        """Return what the days of all events amount to, by running sums over the whole matrix."""
        values, n = self.days.values, len(self.events)
        days = np.arange(values.shape[1])
        there = np.ones(values.shape[1], dtype=np.bool_)
        for row, later in zip(self.days.row[n:].tolist(), self.offsets, strict=True):
            inside = (days + later >= 0) & (days + later < len(days))
            there &= inside & np.isfinite(values[row, np.where(inside, days + later, 0)])
        used = np.isfinite(values) & there
        row, place = self.days.row[:n], self.place
        est, event = (
            _in_windows(_running(used), row, place, window) for window in (self.rules.estimation, self.rules.window)
        )
        still = _in_windows(_running(used & (values == 0.0)), row, place, self.rules.estimation)
        known, at = 0 in self.rules.window, np.clip(place, 0, len(days) - 1)
        beyond = (place < 0) | (place >= len(days))
        blind = known & (beyond | ~there[at]) if len(self.days.row) > n else np.zeros(n, dtype=np.bool_)
        return Counted(est, event, still, blind, known & ~beyond & (values[row, at] == 0.0))

    def __call__(self, chosen: IntArray) -> EventPanel:
        """Return the panel of some events, by place; keys are those of the panel that asks."""
        rules, names = self.rules, self.model.columns
        panel = EventPanel(
            self.events.take(chosen),
            ("",) * len(chosen),
            self.position[chosen],
            self.calendar,
            rules.estimation,
            rules.window,
            *self._two(self.days, self.days.row[chosen], self.place[chosen]),
            tuple(f"{name}[{later:+d}]" if later else name for name, later in zip(names, self.offsets, strict=True)),
            *self._columns(chosen),
            log=rules.log,
            skip_gaps=rules.skip_gaps,
        )
        if self.spans is not None:
            panel = self._bridged(panel, chosen)
        if self.closes is not None:
            panel = self._with_closes(panel, chosen)
        given, panel = panel, self.model.prepare(panel)
        self.prepares = panel is not given
        return panel if rules.skip_holes else replace(panel, holes=self._holes(panel))

    def _two(self, days: FirmDays, row: IntArray, place: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return values of the estimation window and of the event window, cut out at once."""
        first, second = self.rules.estimation, self.rules.window
        both = days.cut(row, place, Window(first.start, second.end))
        return both[:, : len(first)], both[:, second.start - first.start :]

    def _columns(self, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the columns' values of both windows, shape (n, days, K)."""
        row = self.days.row[len(self.events) :]
        found = [
            self._two(self.days, np.full(len(chosen), k), self.place[chosen] + later)
            for k, later in zip(row.tolist(), self.offsets, strict=True)
        ]
        if len(found) == 1:
            return found[0][0][:, :, None], found[0][1][:, :, None]
        if not found:
            return np.empty((len(chosen), len(self.rules.estimation), 0)), np.empty(
                (len(chosen), len(self.rules.window), 0)
            )
        return np.stack([est for est, _ in found], axis=2), np.stack([event for _, event in found], axis=2)

    def _bridged(self, panel: EventPanel, chosen: IntArray) -> EventPanel:
        """Return the panel with spans, and columns summed over the sessions of each span."""
        assert self.spans is not None
        assert self.trades is not None
        spans = self._two(self.spans, self.spans.row[chosen], self.place[chosen])
        parts = []
        for window, span, own, daily in (
            (panel.estimation, spans[0], panel.est_returns, panel.est_columns),
            (panel.window, spans[1], panel.event_returns, panel.event_columns),
        ):
            reached = np.where(np.isfinite(own), span, 0.0).astype(np.int64)
            rows = np.clip(panel.position[:, None] + window.days, 0, len(self.calendar) - 1)
            total = sums_over_spans(self.matrix[:, self.factor], self.trades[:, self.factor], rows, reached)
            parts.append((reached, np.where((reached > 0)[:, :, None], total, daily)))
        (est_span, est_columns), (event_span, event_columns) = parts
        return replace(
            panel, est_columns=est_columns, event_columns=event_columns, est_span=est_span, event_span=event_span
        )

    def _with_closes(self, panel: EventPanel, chosen: IntArray) -> EventPanel:
        """Return the panel with the closes from the session before the event window to its end."""
        assert self.closes is not None
        span, place = Window(panel.window.start - 1, panel.window.end), self.place[chosen]
        own = self.closes.cut(self.closes.row[chosen], place, span)
        market = np.full(len(chosen), self.closes.row[-1])
        return replace(
            panel, closes=own, benchmark_closes=self.closes.cut(market, place, span) if self.held >= 0 else None
        )

    def _holes(self, panel: EventPanel) -> BoolArray:
        """Return the days of the event windows that a column or the whole table lacks, shape (n, L)."""
        lost = ~usable(np.zeros(panel.event_returns.shape), panel.event_columns)
        if self.lost.any():
            rows = panel.position[:, None] + panel.window.days
            inside = (rows >= 0) & (rows < len(self.calendar)) & (panel.position >= 0)[:, None]
            lost |= self.lost[np.clip(rows, 0, len(self.calendar) - 1)] & inside
        return lost


def _columns_of(table: pd.DataFrame | None, names: pd.Index) -> pd.DataFrame | None:
    """Return the columns that a table has of some names, firm-major in memory."""
    if table is None:
        return None
    there = names[names.isin(table.columns)]
    values = np.ascontiguousarray(table.to_numpy().T[table.columns.get_indexer(there)])
    return pd.DataFrame(values.T, index=table.index, columns=there, copy=False)


def _running(there: BoolArray) -> NDArray[np.int32]:
    """Return how many of each row are true before each place, shape (K, T + 1)."""
    out = np.zeros((there.shape[0], there.shape[1] + 1), dtype=np.int32)
    np.cumsum(there, axis=1, out=out[:, 1:])
    return out


def _in_windows(running: NDArray[np.int32], row: IntArray, place: IntArray, window: Window) -> IntArray:
    """Return how many are true in the window of each event, shape (N,)."""
    first, end = (np.clip(place + day, 0, running.shape[1] - 1) for day in (window.start, window.end + 1))
    return np.asarray(running[row, end] - running[row, first], dtype=np.int64)


def panel_before(
    panel: EventPanel,
    chosen: IntArray,
    returns: pd.DataFrame,
    model: PanelColumns,
    trades: pd.DataFrame | None,
    most: int,
) -> EventPanel | None:
    """Return the panel of some events whose window are the sessions, at most so many, between estimation and event window; None without any."""
    last = panel.window.start - 1
    first = max(panel.estimation.end + 1, panel.window.start - most)
    if first > last:
        return None
    rules = AlignmentRules(
        panel.estimation, Window(first, last), None, "next", 0, log=panel.log, skip_gaps=panel.skip_gaps
    )
    return Windows(returns, panel.events.take(chosen), model, panel.position[chosen], rules, trades).panel()


def _require_columns(returns: pd.DataFrame, events: EventList, columns: Sequence[str]) -> None:
    there = set(returns.columns)
    missing_columns = [c for c in columns if c not in there]
    missing_tickers = sorted(set(events.firms[0]) - there)
    if not missing_columns and not missing_tickers:
        return
    parts = []
    if missing_tickers:
        parts.append(f"no returns for the event ticker{'s' * (len(missing_tickers) > 1)} {', '.join(missing_tickers)}")
    if missing_columns:
        parts.append(f"no column for the model's {', '.join(missing_columns)}")
    shown = sorted(there)
    raise DataMissing(
        f"There are {' and '.join(parts)}. Available: {first_few(shown, 40)}.{did_you_mean([*missing_tickers, *missing_columns], there)}",
        missing=(*missing_tickers, *missing_columns),
        available=tuple(shown),
    )


def _ends(returns: pd.DataFrame, model: PanelColumns) -> tuple[tuple[str, pd.Timestamp], ...]:
    """Return the factors whose figures end before the data do, and when; the benchmark's own prices are named otherwise."""
    names = [c for c in dict.fromkeys(model.columns) if c != model.benchmark and c in returns]
    rows = pd.DatetimeIndex(returns.index)
    there = [np.flatnonzero(returns[c].notna()) for c in names]
    return tuple((c, rows[r[-1]]) for c, r in zip(names, there, strict=True) if len(r) and r[-1] < len(rows) - 1)


def _ended(ends: Sequence[tuple[str, pd.Timestamp]], session: pd.Timestamp) -> str:
    """Say which factors end before a session, and when; empty if none does."""
    over = [(name, day) for name, day in ends if day < session]
    if not over:
        return ""
    names, last = first_few([name for name, _ in over], 12), min(day for _, day in over)
    return (
        f"the factors end on {iso_day(last)}, before the event's session {iso_day(session)} ({names}); hand in factors that reach to the end of "
        f"the event window"
    )


def _reasons(
    panel: EventPanel,
    remarks: Mapping[int, str],
    min_estimation: int,
    ends: Sequence[tuple[str, pd.Timestamp]] = (),
) -> list[str]:
    """Return for each event why it cannot be studied, or an empty text; ``ends``: factors that end early, and when."""
    length = len(panel.calendar)
    found, seen, no_benchmark = panel.counted.est_days, panel.counted.event_days, panel.counted.blind
    beyond = (panel.position + panel.window.start < 0) | (panel.position + panel.window.end >= length)
    doubtful = beyond | (panel.position < 0) | (found < min_estimation) | no_benchmark | (seen == 0)
    reasons = [""] * panel.n
    for i in np.flatnonzero(doubtful).tolist():
        row = int(panel.position[i])
        if row < 0:
            reason = remarks.get(i, "")
        elif beyond[i]:
            reason = (
                f"the event window {panel.window} reaches beyond the data "
                f"({iso_day(panel.calendar[0])} to {iso_day(panel.calendar[-1])})"
            )
        elif found[i] < min_estimation:
            reason = f"{found[i]} usable returns in the estimation window {panel.estimation}, at least {min_estimation} needed"
        elif no_benchmark[i]:
            reason = _ended(ends, panel.calendar[row]) or (
                f"{', '.join(panel.columns)} has no return on the event's session {iso_day(panel.calendar[row])} (prices "
                f"are needed on it and on the session before); fill the gap, or name another day"
            )
        else:
            reason = f"no usable return in the event window {panel.window}"
        reasons[i] = reason
    return reasons


def _audit_table(audit: Audit) -> pd.DataFrame:
    """Return the audit as a table, one row an event."""
    panel, located = audit.panel, audit.panel.position >= 0
    days = iso_days(panel.calendar)
    session = [days[p] if p >= 0 else "" for p in panel.position.tolist()]
    table = pd.DataFrame(
        {
            "ticker": panel.events.tickers,
            "label": panel.events.labels,
            "asked": panel.events.asked,
            "session": session,
            "remark": [audit.remarks.get(i, "") if ok else "" for i, ok in enumerate(located.tolist())],
            "estimation_days": panel.counted.est_days,
            "estimation_asked": len(panel.estimation),
            "event_days": panel.counted.event_days,
            "event_asked": len(panel.window),
            "kept": audit.kept,
            "reason": list(audit.reasons),
        },
        index=pd.Index(panel.keys, name="event"),
    )
    return table.assign(**audit.flags)


def _flags(panel: EventPanel) -> dict[str, BoolArray]:
    """Duplicates, overlapping windows of one ticker, shared dates, and events inside another's estimation window."""
    n, position = panel.n, panel.position
    placed = np.flatnonzero(position >= 0)
    # firms one behind another on a line, farther apart than any window reaches
    apart = (
        int(position.max(initial=0)) + abs(panel.estimation.start) + abs(panel.estimation.end) + len(panel.window) + 1
    )
    line = panel.events.firms[1] * 2 * apart + position
    order = placed[np.argsort(line[placed], kind="stable")]
    repeated = np.diff(line[order], prepend=-1) == 0
    first = order[~repeated]
    at, close = line[first], np.diff(line[first]) < len(panel.window)
    from_day, to_day = panel.estimation.start, panel.estimation.end
    earlier = np.searchsorted(at, at + to_day, side="right") > np.searchsorted(at, at + from_day)
    _, date, events = np.unique(position[placed], return_inverse=True, return_counts=True)
    found = {
        "duplicate": order[repeated],
        "overlapping": np.append(first[1:][close], first[:-1][close]),
        "shared_date": placed[events[date] > 1],
        "event_in_estimation": first[earlier],
    }
    flags = {name: np.zeros(n, dtype=np.bool_) for name in found}
    for name, rows in found.items():
        flags[name][rows] = True
    return flags
