"""From calendar time to event time: returns around each event as arrays with masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import ClosedDay
from eventstudy.errors import DataMissing
from eventstudy.estimation.spans import sums_over_spans, trade_spans
from eventstudy.events import Event, EventList, Exchanges, event_keys, event_list, locate_sessions
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean, first_few, iso_day, iso_days

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Dropped:
    """An event that was left out, and why."""

    event: Event
    reason: str


@dataclass(frozen=True, eq=False, repr=False)
class EventPanel:
    """Returns aligned in event time.

    Attributes
    ----------
    events : EventList
        The N events kept.
    keys : tuple of str
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
    A day is *usable* for an event if the firm's return and all K columns are there.
    """

    events: EventList
    keys: tuple[str, ...]
    position: IntArray
    calendar: pd.DatetimeIndex
    estimation: Window
    window: Window
    est_returns: FloatArray
    event_returns: FloatArray
    columns: tuple[str, ...]
    est_columns: FloatArray
    event_columns: FloatArray
    reference_returns: FloatArray | None = None
    est_span: IntArray | None = None
    event_span: IntArray | None = None
    closes: FloatArray | None = None
    benchmark_closes: FloatArray | None = None
    log: bool = False
    skip_gaps: bool = False
    holes: BoolArray | None = None

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
        return usable(self.est_returns, self.est_columns)

    @property
    def event_mask(self) -> BoolArray:
        """Usable event-window days, shape (N, L)."""
        return usable(self.event_returns, self.event_columns)

    @property
    def zero_share(self) -> FloatArray:
        """Share of the usable estimation days with a return of exactly zero, shape (N,): thin trading, or prices carried forward."""
        still = (self.est_returns == 0.0) & self.est_mask
        return np.asarray(still.sum(axis=1) / np.maximum(self.est_mask.sum(axis=1), 1), dtype=np.float64)

    def keep(self, mask: BoolArray) -> EventPanel:
        """Return the panel of the events where ``mask`` (shape (N,)) is true."""
        chosen = np.flatnonzero(mask)
        per_event = {f.name: v[chosen] for f in fields(self) if isinstance(v := getattr(self, f.name), np.ndarray)}
        keys = tuple(self.keys[i] for i in chosen)
        return replace(self, events=self.events.take(chosen), keys=keys, **per_event)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return (
            f"EventPanel of {self.n} events, estimation {self.estimation} ({len(self.estimation)} days), "
            f"event window {self.window} ({len(self.window)} days)"
        )


def usable(returns: FloatArray, columns: FloatArray) -> BoolArray:
    """Return where the return and every column are there, shape (N, days)."""
    return np.asarray(np.isfinite(returns) & np.isfinite(columns).all(axis=2), dtype=np.bool_)


@dataclass(frozen=True, eq=False, repr=False)
class Alignment:
    """What became of the events: the panel of those kept, one audit row each, and the dropped."""

    panel: EventPanel
    audit: pd.DataFrame
    dropped: tuple[Dropped, ...]

    def without(self, reasons: Mapping[str, str]) -> Alignment:
        """Return the alignment without the kept events that have a reason, by key, noted in the audit."""
        panel = self.panel
        found = [reasons.get(key, "") for key in panel.keys]
        if not any(found):
            return self
        audit = self.audit.copy()
        for key, reason in zip(panel.keys, found, strict=True):
            if reason:
                audit.loc[key, "kept"] = False
                audit.loc[key, "reason"] = reason
        lost = tuple(Dropped(panel.events[i], r) for i, r in enumerate(found) if r)
        kept = np.array([not r for r in found], dtype=np.bool_)
        return Alignment(panel.keep(kept), audit, (*self.dropped, *lost))


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
    every_event = gather_panel(returns, events, model, located.position, rules.estimation, rules.window)
    if trades is not None:
        every_event = _bridged(every_event, returns, trades, model.columns)
    every_event = replace(every_event, log=rules.log, skip_gaps=rules.skip_gaps)
    if closes is not None:
        every_event = _with_closes(every_event, closes, model.benchmark)
    every_event = model.prepare(every_event)
    if not rules.skip_holes:
        every_event = replace(every_event, holes=_holes(every_event, rules.holes))
    reasons = _reasons(every_event, located.remarks, rules.min_estimation, _ends(returns, model))
    audit = _audit(every_event, located.remarks, reasons)
    keep = np.array([not reason for reason in reasons], dtype=np.bool_)
    dropped = tuple(Dropped(events[i], r) for i, r in enumerate(reasons) if r)
    return Alignment(every_event.keep(keep), audit, dropped)


def gather_panel(
    returns: pd.DataFrame,
    events: EventList,
    model: PanelColumns,
    position: IntArray,
    estimation: Window,
    window: Window,
) -> EventPanel:
    """Return the panel of returns around every event, wherever it lies.

    Parameters
    ----------
    returns : DataFrame
        Dates × tickers, shape (T, K'), one row per session.
    position : ndarray of int, shape (N,)
        Row of each event's day 0, whatever the event's own date; below 0 if it has none.
    """
    columns, calendar = model.columns, pd.DatetimeIndex(returns.index)
    offsets = tuple(model.offsets) or (0,) * len(columns)
    matrix = returns.to_numpy(dtype=np.float64)
    firm = returns.columns.get_indexer(pd.Index(events.tickers))
    factor = returns.columns.get_indexer(pd.Index(list(columns)))
    days = iso_days(calendar)
    asked = iso_days(pd.DatetimeIndex(events.days)) if (position < 0).any() else []
    sessions = [days[p] if p >= 0 else asked[i] for i, p in enumerate(position.tolist())]
    return EventPanel(
        events,
        tuple(event_keys(events.tickers, sessions)),
        position,
        calendar,
        estimation,
        window,
        _gather(matrix, position, estimation, firm),
        _gather(matrix, position, window, firm),
        tuple(f"{name}[{later:+d}]" if later else name for name, later in zip(columns, offsets, strict=True)),
        _gather_columns(matrix, position, estimation, factor, offsets),
        _gather_columns(matrix, position, window, factor, offsets),
    )


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
    before = gather_panel(
        returns, panel.events.take(chosen), model, panel.position[chosen], panel.estimation, Window(first, last)
    )
    if trades is not None:
        before = _bridged(before, returns, trades, model.columns)
    return model.prepare(replace(before, log=panel.log, skip_gaps=panel.skip_gaps))


def _require_columns(returns: pd.DataFrame, events: EventList, columns: Sequence[str]) -> None:
    there = set(returns.columns)
    missing_columns = [c for c in columns if c not in there]
    missing_tickers = sorted(set(events.tickers.tolist()) - there)
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


def _day_index(position: IntArray, window: Window, length: int) -> tuple[IntArray, BoolArray]:
    """Rows of the calendar for each event and relative day, clipped, and where they exist."""
    rows = position[:, None] + window.days[None, :]
    inside = (rows >= 0) & (rows < length) & (position >= 0)[:, None]
    return np.clip(rows, 0, length - 1), inside


def _gather(matrix: FloatArray, position: IntArray, window: Window, firm: IntArray) -> FloatArray:
    rows, inside = _day_index(position, window, matrix.shape[0])
    return np.where(inside, matrix[rows, firm[:, None]], np.nan)


def _gather_columns(
    matrix: FloatArray, position: IntArray, window: Window, factor: IntArray, offsets: Sequence[int]
) -> FloatArray:
    out = np.full((len(position), len(window), len(factor)), np.nan)
    for later in set(offsets):
        at = np.flatnonzero(np.asarray(offsets) == later)
        rows, inside = _day_index(position, Window(window.start + later, window.end + later), matrix.shape[0])
        out[:, :, at] = np.where(inside[:, :, None], matrix[:, factor[at]][rows], np.nan)
    return out


def _bridged(panel: EventPanel, returns: pd.DataFrame, trades: pd.DataFrame, columns: Sequence[str]) -> EventPanel:
    """Return the panel with spans, and columns summed over the sessions of each span."""
    traded, matrix = trades.to_numpy(dtype=np.bool_), returns.to_numpy(dtype=np.float64)
    firm = returns.columns.get_indexer(pd.Index(panel.events.tickers))
    factor = returns.columns.get_indexer(pd.Index(list(columns)))
    span = trade_spans(traded).astype(np.float64)
    parts = []
    for window, own, daily in (
        (panel.estimation, panel.est_returns, panel.est_columns),
        (panel.window, panel.event_returns, panel.event_columns),
    ):
        spans = np.where(np.isfinite(own), _gather(span, panel.position, window, firm), 0.0).astype(np.int64)
        rows, _ = _day_index(panel.position, window, len(returns))
        total = sums_over_spans(matrix[:, factor], traded[:, factor], rows, spans)
        parts.append((spans, np.where((spans > 0)[:, :, None], total, daily)))
    (est_span, est_columns), (event_span, event_columns) = parts
    return replace(
        panel, est_columns=est_columns, event_columns=event_columns, est_span=est_span, event_span=event_span
    )


def _with_closes(panel: EventPanel, closes: pd.DataFrame, benchmark: str | None) -> EventPanel:
    """Return the panel with the closes from the session before the event window to its end."""
    matrix = closes.to_numpy(dtype=np.float64)
    span = Window(panel.window.start - 1, panel.window.end)
    firm = closes.columns.get_indexer(pd.Index(panel.events.tickers))
    own = _gather(matrix, panel.position, span, firm)
    market = np.full_like(firm, closes.columns.get_loc(benchmark)) if benchmark in closes.columns else None
    held = None if market is None else _gather(matrix, panel.position, span, market)
    return replace(panel, closes=own, benchmark_closes=held)


def _holes(panel: EventPanel, holes: pd.DatetimeIndex | None) -> BoolArray:
    """Return the days of the event windows that a column or the whole table lacks, shape (N, L)."""
    rows, inside = _day_index(panel.position, panel.window, len(panel.calendar))
    lost = np.zeros(len(panel.calendar), dtype=np.bool_) if holes is None else panel.calendar.isin(holes)
    return np.asarray((lost[rows] & inside) | ~np.isfinite(panel.event_columns).all(axis=2), dtype=np.bool_)


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
    found = panel.est_mask.sum(axis=1)
    seen = panel.event_mask.sum(axis=1)
    day_zero_columns = panel.event_columns[:, [-panel.window.start] if 0 in panel.window else []]
    no_benchmark = np.asarray(~np.isfinite(day_zero_columns).all(axis=(1, 2)), dtype=np.bool_).reshape(panel.n)
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


def _audit(panel: EventPanel, remarks: Mapping[int, str], reasons: Sequence[str]) -> pd.DataFrame:
    """One row an event: asked for, session used, days found, kept or dropped and why, flags."""
    located = panel.position >= 0
    days = iso_days(panel.calendar)
    session = [days[p] if p >= 0 else "" for p in panel.position.tolist()]
    table = pd.DataFrame(
        {
            "ticker": panel.events.tickers,
            "label": panel.events.labels,
            "asked": panel.events.asked,
            "session": session,
            "remark": [remarks.get(i, "") if ok else "" for i, ok in enumerate(located.tolist())],
            "estimation_days": panel.est_mask.sum(axis=1),
            "estimation_asked": len(panel.estimation),
            "event_days": panel.event_mask.sum(axis=1),
            "event_asked": len(panel.window),
            "kept": [not r for r in reasons],
            "reason": list(reasons),
        },
        index=pd.Index(panel.keys, name="event"),
    )
    return table.assign(**_flags(panel))


def _flags(panel: EventPanel) -> dict[str, BoolArray]:
    """Duplicates, overlapping windows of one ticker, shared dates, and events inside another's estimation window."""
    table = pd.DataFrame({"ticker": panel.events.tickers, "position": panel.position})
    placed = table["position"] >= 0
    duplicate = table.duplicated(["ticker", "position"], keep="first") & placed
    shared = table.duplicated("position", keep=False) & placed
    ordered = table[placed & ~duplicate].sort_values(["ticker", "position"], kind="stable")
    gap = ordered.groupby("ticker")["position"].diff()
    close = gap.notna() & (gap < len(panel.window))
    follows = close.groupby(ordered["ticker"]).shift(-1, fill_value=False).astype(bool)
    overlapping = (close | follows).reindex(table.index, fill_value=False)
    earlier = _earlier_event(ordered, panel.estimation).reindex(table.index, fill_value=False)
    return {
        "duplicate": duplicate.to_numpy(dtype=np.bool_),
        "overlapping": overlapping.to_numpy(dtype=np.bool_),
        "shared_date": shared.to_numpy(dtype=np.bool_),
        "event_in_estimation": earlier.to_numpy(dtype=np.bool_),
    }


def _earlier_event(ordered: pd.DataFrame, estimation: Window) -> pd.Series[bool]:
    """Return whether another event of the same ticker falls into an event's estimation window; rows by ticker and position."""
    place = ordered["position"].to_numpy(dtype=np.int64)
    firm, _ = pd.factorize(ordered["ticker"])
    # firms one behind another on a line, farther apart than any window reaches
    apart = int(place.max(initial=0)) + abs(estimation.start) + abs(estimation.end) + 1
    line = np.asarray(firm, dtype=np.int64) * 2 * apart + place
    first = np.searchsorted(line, line + estimation.start, side="left")
    last = np.searchsorted(line, line + estimation.end, side="right")
    return pd.Series(last > first, index=ordered.index)
