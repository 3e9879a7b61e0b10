"""The specification of a study, and how it is run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.abnormal import abnormal_returns
from eventstudy.calendars import (
    DEFAULT_EXCHANGE,
    ClosedDay,
    calendar_bounds,
    check_closed_day,
    exchange_sessions,
)
from eventstudy.diagnostics import Check, design_checks, gap_checks, listed
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.events import Event, as_events, tradable_days
from eventstudy.models import NormalReturnModel
from eventstudy.panel import Alignment, Dropped, align
from eventstudy.prices.table import (
    Prices,
    Provenance,
    ReturnKind,
    check_prices,
    check_return_kind,
    clean_frame,
)
from eventstudy.results import EventStudyResult
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean


@dataclass(frozen=True)
class EventStudy:
    """What is asked: a model of normal returns, two windows, and the rules for days.

    Parameters
    ----------
    model : NormalReturnModel
        E.g. ``MarketModel("^GSPC")``.
    estimation : Window or pair of int
        Relative days on which the model is estimated; must end before the event window begins.
    window : Window or pair of int
        The event window, in relative days.
    returns : {"simple", "log"}
        How prices become returns.
    closed_day : {"next", "previous", "drop", "error"}
        What to do with an event on a day without a session.
    calendar : str or None
        ISO code of the exchange whose sessions relative days count when prices are given; None takes the
        benchmark's dates. Returns handed in always use the benchmark's dates.
    min_estimation : int
        Fewest usable days in the estimation window with which an event is kept.
    max_dropped : float
        Largest share of events that may be dropped before the study is refused.

    Raises
    ------
    InvalidInput
        If an option is not allowed or the windows overlap.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "META", "^GSPC"])
    >>> study = es.EventStudy(model=es.MarketModel("^GSPC"))
    >>> result = study.run(prices, [es.Event(t, "2025-01-27") for t in ("NVDA", "META")])
    >>> result.ar[0].round(4).to_dict()
    {'NVDA': -0.1325, 'META': 0.041}
    """

    model: NormalReturnModel
    estimation: Window | tuple[int, int] = (-270, -21)
    window: Window | tuple[int, int] = (-5, 5)
    returns: ReturnKind = "simple"
    closed_day: ClosedDay = "next"
    calendar: str | None = DEFAULT_EXCHANGE
    min_estimation: int = 30
    max_dropped: float = 0.35

    def __post_init__(self) -> None:
        if isinstance(self.model, type) or not isinstance(self.model, NormalReturnModel):
            raise InvalidInput(
                f"model is {self.model!r}; give a model of normal returns such as MarketModel('^GSPC') or MeanAdjusted()."
            )
        object.__setattr__(self, "estimation", Window.of(self.estimation))
        object.__setattr__(self, "window", Window.of(self.window))
        check_return_kind(self.returns)
        check_closed_day(self.closed_day)
        if self._estimation.end >= self._window.start:
            raise InvalidInput(
                f"The estimation window {self.estimation} reaches into the event window {self.window}; it must end "
                f"before day {self._window.start}."
            )
        if not isinstance(self.min_estimation, int | np.integer) or self.min_estimation < 3:
            raise InvalidInput(f"min_estimation is {self.min_estimation!r}; give a whole number of at least 3.")
        if not isinstance(self.max_dropped, int | float) or not 0.0 <= self.max_dropped <= 1.0:
            raise InvalidInput(f"max_dropped is {self.max_dropped!r}; give a share between 0 and 1.")

    @property
    def _estimation(self) -> Window:
        return Window.of(self.estimation)

    @property
    def _window(self) -> Window:
        return Window.of(self.window)

    def run(self, data: Prices | pd.DataFrame, events: Event | Iterable[Event] | pd.DataFrame) -> EventStudyResult:
        """Run the study.

        Parameters
        ----------
        data : Prices or DataFrame
            Prices, or a wide table of returns (dates × tickers, benchmark and factors as columns, fractions).
        events : list of Event, or DataFrame
            What happened when; a table needs ``ticker`` and ``date``.

        Returns
        -------
        EventStudyResult

        Raises
        ------
        DataMissing
            If a ticker or the benchmark is not in the data.
        DataUnfit
            If prices cannot be right, currencies are mixed, no event is left, or too many are dropped.
        InvalidInput
            If the events or the table cannot be read.
        """
        asked = as_events(events)
        needed = list(dict.fromkeys([*(e.ticker for e in asked), *self.model.columns]))
        if isinstance(data, Prices):
            (returns, holes), origin = self._from_prices(data, needed), data.provenance
        elif isinstance(data, pd.DataFrame):
            returns, holes = self._from_returns(data, needed)
            origin = Provenance(
                "returns handed in",
                first=f"{returns.index[0]:%Y-%m-%d}",
                last=f"{returns.index[-1]:%Y-%m-%d}",
            )
        else:
            raise InvalidInput(f"data is a {type(data).__name__}; give Prices or a DataFrame of returns.")
        alignment = align(
            returns,
            asked,
            columns=self.model.columns,
            estimation=self._estimation,
            window=self._window,
            exchange=self.calendar,
            closed_day=self.closed_day,
            min_estimation=self.min_estimation,
            offsets=self.model.offsets,
            prepare=self.model.prepare,
        )
        alignment = _without_hole_days(alignment, holes, self.calendar, self.model.benchmark)
        gaps = gap_checks(alignment.panel, holes)
        return self._judge(alignment, origin, data if isinstance(data, Prices) else None, gaps)

    def _judge(
        self, alignment: Alignment, origin: Provenance, prices: Prices | None, gaps: tuple[Check, ...]
    ) -> EventStudyResult:
        """Fit, drop what cannot be fitted, and put the result together."""
        panel = alignment.panel
        if panel.n:
            fit = self.model.fit(panel)
            alignment = _drop(alignment, dict(zip(panel.keys, fit.unusable, strict=True)))
            if alignment.panel.n != panel.n and alignment.panel.n:
                fit = self.model.fit(alignment.panel)
        self._enough_left(alignment)
        abnormal = abnormal_returns(alignment.panel, fit)
        return EventStudyResult(
            model=self.model,
            panel=alignment.panel,
            fit=fit,
            abnormal=abnormal,
            audit=alignment.audit,
            dropped=alignment.dropped,
            checks=(*design_checks(abnormal, alignment.audit, alignment.panel), *gaps),
            returns_kind=self.returns,
            provenance=origin,
            prices=prices,
        )

    def _enough_left(self, alignment: Alignment) -> None:
        lost, asked = len(alignment.dropped), len(alignment.audit)
        why = "; ".join(f"{d.event.ticker} {d.event.asked}: {d.reason}" for d in alignment.dropped[:5])
        more = f"; and {lost - 5} more" if lost > 5 else ""
        if alignment.panel.n == 0:
            raise DataUnfit(f"No event can be studied. {why}{more}.", dropped=alignment.dropped)
        if lost > self.max_dropped * asked:
            raise DataUnfit(
                f"{lost} of {asked} events ({lost / asked:.0%}) would be dropped; max_dropped allows "
                f"{self.max_dropped:.0%}. {why}{more}. Mend the events, or raise max_dropped.",
                dropped=alignment.dropped,
            )

    def _from_prices(self, prices: Prices, needed: list[str]) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return returns on the sessions of the calendar, NaN where a price is missing, and the benchmark's holes."""
        chosen = prices.select(needed)
        _one_currency(chosen)
        closes = clean_frame(chosen.adj_close, "adjusted close")
        check_prices(closes, "adjusted close")
        holes = pd.DatetimeIndex([])
        if self.calendar is None:
            frame = closes
            if self.model.benchmark is not None:
                there = closes[self.model.benchmark].notna()
                frame, holes = closes[there], _weekdays_lost(closes, there)
        else:
            sessions = exchange_sessions(self.calendar, closes.index[0].date(), closes.index[-1].date())
            priced = closes.dropna(how="all")
            extra = priced.index.difference(sessions)
            if len(extra):
                raise DataUnfit(
                    f"The prices have {len(extra)} day(s) on which {self.calendar} was closed: "
                    f"{listed([f'{d:%Y-%m-%d}' for d in extra])}. Remove them, name the right exchange with calendar=, or use "
                    f"calendar=None to take the benchmark's dates.",
                    days=tuple(f"{d:%Y-%m-%d}" for d in extra),
                )
            frame = closes.reindex(sessions)
        if len(frame) < 2:
            raise DataUnfit("The prices hold fewer than two sessions; a return needs two.")
        return Prices(frame, chosen.provenance).returns(self.returns), holes

    def _from_returns(self, table: pd.DataFrame, needed: list[str]) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return the rows of the benchmark's dates, and weekdays of the table that it lacks."""
        frame = clean_frame(table, "returns")
        missing = [c for c in needed if c not in frame.columns]
        if missing:
            raise DataMissing(
                f"The returns have no column {', '.join(missing)}; they have {listed(sorted(frame.columns), 40)}."
                f"{did_you_mean(missing, frame.columns)}",
                missing=tuple(missing),
                available=tuple(frame.columns),
            )
        chosen, benchmark = frame[needed], self.model.benchmark
        _check_returns(chosen, self.returns)
        there = frame.notna().any(axis=1) if benchmark is None else chosen[benchmark].notna()
        if int(there.sum()) < 2:
            raise DataUnfit(
                f"{f'The benchmark {benchmark}' if benchmark else 'The table'} has {int(there.sum())} days with returns; "
                f"nothing can be estimated."
            )
        kept = chosen[there]
        lost = pd.DatetimeIndex(_weekdays_lost(chosen, there).union(self._sessions_lost(there)))
        return kept, lost[(lost > kept.index[0]) & (lost < kept.index[-1])]

    def _sessions_lost(self, there: pd.Series[bool]) -> pd.DatetimeIndex:
        """Return sessions of the exchange, within the table's span, for which it has no row or no return."""
        kept = pd.DatetimeIndex(there.index[there])
        if self.calendar is None:
            return pd.DatetimeIndex([])
        first, last = calendar_bounds(self.calendar)
        first, last = max(first, kept[0]), min(last, kept[-1])
        if first > last:
            return pd.DatetimeIndex([])
        return exchange_sessions(self.calendar, first.date(), last.date()).difference(kept)


#: Half of a firm's daily moves are never this large as fractions; as per cent they nearly always are.
TYPICAL_MOVE_LIMIT = 0.25


def _weekdays_lost(table: pd.DataFrame, there: pd.Series[bool]) -> pd.DatetimeIndex:
    """Return weekdays on which others have a value and the benchmark has none."""
    lonely = pd.DatetimeIndex(table.index[~there & table.notna().any(axis=1)])
    return lonely[lonely.dayofweek < 5]


def _check_returns(table: pd.DataFrame, kind: ReturnKind) -> None:
    """Raise `DataUnfit` at an infinite return, a simple return of -100 % or less, or returns in per cent."""
    values = table.to_numpy()
    wrong = np.isinf(values) | ((values <= -1.0) if kind == "simple" else np.zeros(values.shape, dtype=bool))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataUnfit(
            f"{table.columns[column]} has a return of {values[row, column]:g} on {table.index[row]:%Y-%m-%d}; returns are "
            f"fractions, finite and above -1 (a fall of 17 % is -0.17, not -17). Correct it or leave it empty."
        )
    positive = (table.min() > 0) & (table.median() > 1.0)
    if positive.any():
        raise DataUnfit(
            f"{listed([str(c) for c in table.columns[positive]])}: all figures are positive, as prices are. For prices give Prices "
            f"(load_prices of a file, or Prices.from_frame); for returns take table.pct_change(fill_method=None)."
        )
    typical = table.abs().where(table != 0).median()
    large = typical[typical > TYPICAL_MOVE_LIMIT]
    if len(large):
        raise DataUnfit(
            f"Half of the returns of {large.index[0]} are beyond ±{large.iloc[0]:g}, so they seem to be per cent; returns are "
            f"fractions (a fall of 17 % is -0.17, not -17). Divide the table by 100."
        )


#: Quotations in hundredths of a currency: returns are the same.
_HUNDREDTHS = {"GBp": "GBP", "GBX": "GBP", "ILA": "ILS", "ZAc": "ZAR", "ZAC": "ZAR"}


def _one_currency(prices: Prices) -> None:
    known = {_HUNDREDTHS.get(c, c) for c in prices.currency.values() if c}
    if len(known) > 1:
        pairs = ", ".join(f"{t} in {c}" for t, c in sorted(prices.currency.items()))
        raise DataUnfit(
            f"The prices are in different currencies ({pairs}), so exchange-rate moves would pass as abnormal returns. "
            f"Convert them to one currency, or hand in returns as a DataFrame if this is meant."
        )


def _without_hole_days(
    alignment: Alignment, holes: pd.DatetimeIndex, exchange: str | None, benchmark: str | None
) -> Alignment:
    """Drop events that a hole in the benchmark moved to another session than their own."""
    panel = alignment.panel
    if holes.empty or panel.n == 0:
        return alignment
    asked = pd.DatetimeIndex([day for day, _ in tradable_days(panel.events, exchange)])
    first, last = np.minimum(asked, panel.sessions), np.maximum(asked, panel.sessions)
    next_hole = holes.searchsorted(first)
    hit = next_hole < holes.searchsorted(last, side="right")
    reasons = {
        key: f"the {'benchmark ' + benchmark if benchmark else 'table'} has no return on "
        f"{holes[int(place)]:%Y-%m-%d}, the event's own session; fill the gap, or name another day"
        for key, place, lost in zip(panel.keys, next_hole, hit, strict=True)
        if lost
    }
    return _drop(alignment, reasons)


def _drop(alignment: Alignment, reasons: dict[str, str]) -> Alignment:
    """Return the alignment without the kept events that have a reason, noted in the audit."""
    panel = alignment.panel
    found = [reasons.get(key, "") for key in panel.keys]
    if not any(found):
        return alignment
    audit = alignment.audit.copy()
    for key, reason in zip(panel.keys, found, strict=True):
        if reason:
            audit.loc[key, "kept"] = False
            audit.loc[key, "reason"] = reason
    lost = tuple(Dropped(e, r) for e, r in zip(panel.events, found, strict=True) if r)
    keep = np.array([not r for r in found], dtype=np.bool_)
    return Alignment(panel.take(keep), audit, (*alignment.dropped, *lost))
