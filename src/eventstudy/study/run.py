"""The specification of a study, and how it is run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.calendars import AUTO, ClosedDay, calendar_bounds, check_closed_day
from eventstudy.console import events_bar
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns, run_up
from eventstudy.estimation.engine import estimate
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import Alignment, AlignmentRules, EventPanel, FloatArray, align
from eventstudy.estimation.spans import closes_of, trades_of
from eventstudy.estimation.spread import Spread
from eventstudy.events import Event, EventList, Exchanges, tradable_days
from eventstudy.measures import Measure, check_measure
from eventstudy.prices.checks.accept import accepted_or_refused, check_accept
from eventstudy.prices.checks.finding import Finding
from eventstudy.prices.table import Prices, Provenance, ReturnKind, check_return_kind
from eventstudy.sources.events import as_events
from eventstudy.sources.files.firm_days import Needed
from eventstudy.study.data_checks import (
    day_checks,
    gaps_in_words,
    price_check,
    price_findings,
    still_check,
    without_untraded,
)
from eventstudy.study.exchange import exchanges_of, of_another_market
from eventstudy.study.intake import Data, Intake, as_data, as_factors
from eventstudy.study.kept import Folder
from eventstudy.study.results import EventStudyResult
from eventstudy.study.validity import Check, asked_by_checks, design_checks, events_check, gap_checks, validity_checks
from eventstudy.study.yardstick import Explained, benchmark_checks, made_of_the_firms
from eventstudy.windows import Window
from eventstudy.wording import by_reason, first_few, iso_day, listed, plural

__all__ = ["EventStudy"]

#: Sessions by which an event may lie off the day that is written, and a return needs the one before.
MOVED = 5
#: Where there was a trade and the closes, if they are known.
Trades = tuple[pd.DataFrame | None, pd.DataFrame | None]
#: What a window says in which an event lacks a return.
Gaps = Literal["void", "skip"]


@dataclass(frozen=True)
class EventStudy:
    """The specification of a study: a model of normal returns, two windows, and the rules for days.

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
        ISO code of the exchange (``"XNYS"``, ``"XLON"``, ``"24/7"`` for coins) whose sessions relative days count when prices are given,
        and whose closing times place moments. By default, ``"auto"``, the one that the dates of the data show; the result says which if it
        is not New York's. None takes the benchmark's dates, as returns handed in always do; moments are then placed by the exchange of the
        firm's dates. A moment that no exchange, or several in different ways, would place is refused; an event may name its own.
    min_estimation : int
        Fewest usable days in the estimation window with which an event is kept.
    max_dropped : float
        Largest share of events that may be dropped before the study is refused.
    measure : {"return", "volume", "turnover", "volatility"}
        What may be abnormal. Of prices, the logarithm of volume or turnover, or squared returns, are taken; a table handed in holds
        the measure itself, e.g. `range_volatility`.
    gaps : {"void", "skip"}, optional
        What a window says in which an event lacks a return: nothing, as by default of prices, since a missing price takes two returns with
        it, and what happened between is in neither; or the sum over the days there are, as by default of returns that were handed in, in
        the papers on missing returns and in the R packages. Without day 0 there is no verdict either way. A session on which the benchmark,
        a factor or the whole table has no return keeps its place in relative days, and a window with it has no sum unless ``"skip"`` is named.
    accept : mapping of str to str
        Errors of the prices that do no harm here, by name of the check, each with the reason: ``{"stale_prices": "a halt"}``. The
        reason is printed with the result. See `check_prices`.

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
    calendar: str | None = AUTO
    min_estimation: int = 30
    max_dropped: float = 0.35
    measure: Measure = "return"
    accept: Mapping[str, str] = field(default_factory=dict, hash=False)
    gaps: Gaps | None = None

    def __post_init__(self) -> None:
        if isinstance(self.model, type) or not isinstance(self.model, NormalReturnModel):
            raise InvalidInput(
                f"model is {self.model!r}; give a model of normal returns such as MarketModel('^GSPC') or MeanAdjusted()."
            )
        object.__setattr__(self, "estimation", Window.of(self.estimation))
        object.__setattr__(self, "window", Window.around(self.window))
        check_return_kind(self.returns)
        check_closed_day(self.closed_day)
        if self.calendar is not None and self.calendar != AUTO:
            calendar_bounds(self.calendar)
        check_measure(self.measure)
        if self.gaps is not None and self.gaps not in get_args(Gaps):
            raise InvalidInput(f"gaps is {self.gaps!r}; choose {listed(map(repr, get_args(Gaps)), 'or')}.")
        object.__setattr__(self, "accept", check_accept(self.accept))
        if self.measure == "return" and self.returns not in self.model.return_kinds:
            allowed = " or ".join(f"returns={kind!r}" for kind in self.model.return_kinds)
            raise InvalidInput(
                f"A study with the {self.model.name} is not made for returns={self.returns!r}; use {allowed}."
            )
        if self.measure != "return" and self.model.bridges_gaps:
            raise InvalidInput(
                f"The {self.model.name} model adds up returns between trades; {self.measure} does not add up."
            )
        if self._estimation.end >= self._window.start:
            raise InvalidInput(
                f"The estimation window {self.estimation} reaches into the event window {self.window}; it must end "
                f"before day {self._window.start}."
            )
        if not isinstance(self.min_estimation, int | np.integer) or self.min_estimation < 3:
            raise InvalidInput(f"min_estimation is {self.min_estimation!r}; give a whole number of at least 3.")
        if len(self._estimation) < self.min_estimation:
            raise InvalidInput(
                f"The estimation window {self._estimation} has {plural(len(self._estimation), 'day')} and min_estimation asks for {self.min_estimation} "
                f"returns in it, so that every event would be dropped: begin the window earlier, or lower min_estimation."
            )
        if not isinstance(self.max_dropped, int | float) or not 0.0 <= self.max_dropped <= 1.0:
            raise InvalidInput(f"max_dropped is {self.max_dropped!r}; give a share between 0 and 1.")

    @property
    def _estimation(self) -> Window:
        return Window.of(self.estimation)

    @property
    def _window(self) -> Window:
        return Window.of(self.window)

    def run(
        self,
        data: Prices | pd.DataFrame | object,
        events: Event | Iterable[Event] | pd.DataFrame | object,
        factors: pd.DataFrame | object | None = None,
        *,
        executor: Executor | object | None = None,
        partitions: int | None = None,
        out: str | os.PathLike[str] | None = None,
    ) -> EventStudyResult:
        """Run the study.

        Parameters
        ----------
        data : Prices or DataFrame, path of Parquet files, pyarrow Dataset or Dask DataFrame
            Prices (of a download, a table or a file: ``load_prices(table)``), or a wide table of returns (dates × tickers, benchmark and factors as columns, fractions). Tables of polars,
            pyarrow or DuckDB hold the dates in a first column ``date``. Of returns in rows, one a firm and day (a Parquet file, a folder of them,
            also one with folders such as ``ticker=AAPL``, a ``pyarrow.dataset.Dataset``, a Dask DataFrame), only the firms that have events, the
            model's columns and the days that their windows need are read, a million rows after the other: the data may be larger than the
            memory, the matrix of these firms and days (8 bytes a cell) may not. Columns are found by their words (``ticker``, ``date``, ``ret``).
        events : list of Event, DataFrame, or path of a CSV, Parquet or Excel file
            What happened when. A table needs the firm and the day, under ``ticker`` and ``date`` or other usual words (``symbol``,
            ``event_date``, ``Datum``); the time of day may stand beside it, in words (``amc``, ``before open``) or as a clock time with a
            ``zone``. Columns that are not used are named in the checks. A file that is not UTF-8: `sources.read_events`.
        factors : DataFrame, optional
            Columns of the model that are not in the data, dates × factors, simple returns as fractions, e.g. `load_factors`. They may
            not repeat a column of the data.
        executor : concurrent.futures.Executor or dask.distributed.Client, optional
            Who fits the events and puts what checks and tests of the event day ask to them; by default this process. Each worker gets the
            returns of its firms. The numbers are the same to 1e-12.
        partitions : int, optional
            In how many parts the events are divided, firm by firm, at most; by default one a worker, or more of 50,000 events each (5,000 if the model is
            estimated by iteration). A part is
            what is lost with a worker and what is told as done.
        out : path, optional
            A folder, made if it is not there, in which what is found is kept while the study runs: its events table (``events-*.parquet``: who
            and when, ``coef_…``, ``ar_…`` by day, ``car_…``, ``se_…``, ``t_…`` and ``p_value_…`` by window) and what it needs to go on where
            it was if it was stopped. Needs pyarrow.

        Returns
        -------
        EventStudyResult

        Raises
        ------
        DataMissing
            If a ticker or the benchmark is not in the data, or there is no such file or folder.
        DataUnfit
            If prices cannot be right or a check of them ends in an error that is not accepted, a firm has two rows on one day, no event is
            left, or too many are dropped.
        InvalidInput
            If the events or the table cannot be read, ``executor`` is none, or the folder ``out`` belongs to another study.
        TooLarge
            If the returns of so many firms and days do not fit into the memory that is left.
        WorkersLost
            If the processes of the executor were killed, or every worker that was given a partition.
        SourceFailed
            If another process is writing into the folder.
        """
        spread = Spread(executor, partitions)
        made = self._prepared(data, as_events(events), factors)
        wanted, tickers, read, prices = made.events, made.events.tickers.tolist(), made.read, made.read.prices
        exchange, exchanges, named = made.intake.exchange, made.exchanges, made.intake.named
        returns, holes, trades, alignment = made.aligned(read.table)
        checked_table = returns if prices is None else prices
        kind = self.returns if self.measure == "return" else None
        findings = price_findings(checked_table, alignment.panel, self.model, exchange, returns, kind, named)
        found = accepted_or_refused(findings, self.accept)
        if prices is not None and any(f.accepted and f.severity == "error" for f in found):
            traded = without_untraded(prices, alignment.panel, self.model, exchange)
            if traded is not prices:  # a return of zero by construction would pass for calm
                prices = traded
                returns, holes, trades, alignment = made.aligned(traded)
        data_checks = (
            *events_check(wanted),
            *gap_checks(alignment.panel, holes),
            *day_checks(read, returns, exchanges, alignment.panel, holes, made.factors_said),
            *(still_check(read, alignment.panel, self.model) if self.measure == "return" else ()),
        )
        if prices is not None or found:
            data_checks = (*data_checks, price_check(found))
        if prices is not None and not alignment.panel.n:
            self._require_events(alignment, gaps_in_words(prices, tickers, self.model, exchange))
        spread = replace(spread, store=Folder.of(out, self, wanted, (returns, *trades)))
        before = partial(run_up, model=self.model, returns=returns, trades=trades[0])
        foreign = of_another_market(read.table, wanted, self.model)
        return self._result_of(alignment, read.origin(returns), prices, data_checks, found, before, foreign, spread)

    def _prepared(
        self, data: Prices | pd.DataFrame | object, wanted: EventList, factors: pd.DataFrame | object | None
    ) -> _Prepared:
        """Read data and factors, and settle on which sessions of which exchange events are aligned."""
        extra, factors_said = as_factors(factors, self.calendar)
        read = as_data(data, self._needed(wanted, extra), self.calendar)
        exchanges = exchanges_of(read.table, wanted, self.model, self.calendar)
        exchange = exchanges.sessions or None
        fits = exchange is not None and exchange in (exchanges.named, *exchanges.of_dates)
        named = bool(exchanges.named)
        intake = Intake(self.model, self.returns, self.measure, exchange, named=named, fits=fits, room=read.room)
        rules = self._rules(exchanges, of_prices=read.prices is not None)
        return _Prepared(wanted, extra, factors_said, read, exchanges, intake, rules)

    def _needed(self, events: EventList, factors: pd.DataFrame | None) -> Needed:
        """Return which rows of returns the windows of events need."""
        reach = max((abs(later) for later in self.model.offsets), default=0) + MOVED
        others = set() if factors is None else set(self.model.columns) & set(map(str, factors.columns))
        return Needed(
            events.firms[0],
            tuple(self.model.columns),
            self.model.benchmark,
            events.days.min(),
            events.days.max(),
            before=reach - min(self._estimation.start, self._window.start, 0),
            after=reach + max(self._window.end, 0),
            others=pd.DatetimeIndex(factors.index) if factors is not None and others else None,
        )

    def _rules(self, exchanges: Exchanges, *, of_prices: bool) -> AlignmentRules:
        """Return how events are aligned; by default returns that were handed in may lack days, prices may not."""
        log = self.measure == "return" and self.returns == "log"
        return AlignmentRules(
            self._estimation,
            self._window,
            exchanges,
            self.closed_day,
            self.min_estimation,
            log,
            skip_gaps=self.gaps == "skip" or (self.gaps is None and not of_prices),
            skip_holes=self.gaps == "skip",
        )

    def _result_of(
        self,
        alignment: Alignment,
        origin: Provenance,
        prices: Prices | None,
        data_checks: tuple[Check, ...],
        findings: tuple[Finding, ...],
        before: partial[FloatArray],
        foreign: frozenset[str],
        spread: Spread,
    ) -> EventStudyResult:
        """Fit, drop what cannot be fitted, and put the result together."""
        self._require_events(alignment)
        questions = asked_by_checks(alignment.panel, self.model, self.measure)
        with events_bar(alignment.panel.n) if spread.is_watched else nullcontext(spread.told) as told:
            reasons, fit, abnormal = estimate(alignment.panel, self.model, questions, replace(spread, told=told))
        alignment = alignment.without(reasons)
        self._require_events(alignment)
        abnormal = abnormal.but(before=partial(before, panel=alignment.panel))
        explained = Explained.of(abnormal.position, alignment.panel)
        abnormal = abnormal.but(void=made_of_the_firms(abnormal, alignment.panel, explained))
        return EventStudyResult(
            model=self.model,
            panel=alignment.panel,
            fit=fit,
            abnormal=abnormal,
            audited=alignment.audit,
            dropped=alignment.dropped,
            checks=(
                *design_checks(abnormal, alignment.audit, alignment.panel, self.measure),
                *validity_checks(abnormal, alignment.panel, self.model, self.measure),
                *benchmark_checks(
                    abnormal, alignment.panel, self.model, fit, self.returns, self.measure, foreign, explained
                ),
                *data_checks,
            ),
            returns_kind=self.returns,
            provenance=origin,
            prices=prices,
            measure=self.measure,
            findings=findings,
        )

    def _require_events(self, alignment: Alignment, gaps: str = "") -> None:
        """Raise `DataUnfit` if no event is left, or more were dropped than the study allows."""
        lost, total = len(alignment.dropped), alignment.audit.panel.n
        lost_ones = [(f"{d.event.ticker} {d.event.asked}", d.reason) for d in alignment.dropped]
        why = first_few(by_reason(lost_ones, 5), 5, "; ")
        if alignment.panel.n == 0:
            raise DataUnfit(f"No event can be studied. {why}.{gaps}", dropped=alignment.dropped)
        if lost > self.max_dropped * total:
            raise DataUnfit(
                f"{lost} of {total} events ({lost / total:.0%}) would be dropped; max_dropped allows "
                f"{self.max_dropped:.0%}. {why}. Correct the events, or raise max_dropped.",
                dropped=alignment.dropped,
            )


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Data that were read for some events, and the rules by which these are aligned."""

    events: EventList
    factors: pd.DataFrame | None
    factors_said: str
    read: Data
    exchanges: Exchanges
    intake: Intake
    rules: AlignmentRules

    def aligned(self, table: Prices | pd.DataFrame) -> tuple[pd.DataFrame, pd.DatetimeIndex, Trades, Alignment]:
        """Return returns of the table, its holes, where there were trades and the closes, and the events in event time."""
        model = self.intake.model
        returns, holes = self.intake.read(table, self.events.tickers.tolist(), self.factors)
        trades = trades_of(table, returns) if model.bridges_gaps else None
        closes = closes_of(table, returns) if self.intake.measure == "return" else None
        found = align(returns, self.events, model, replace(self.rules, holes=holes), trades, closes)
        alignment = _without_hole_days(found, holes, self.exchanges, model.benchmark)
        return returns, holes, (trades, closes), alignment


def unchecked(
    study: EventStudy, data: Prices | pd.DataFrame, events: EventList, factors: pd.DataFrame | None = None
) -> tuple[EventPanel, AbnormalReturns]:
    """Return events in event time and their abnormal returns as `EventStudy.run` has them, without its checks.

    For days that nobody asks about; prices are those of a study that was run, whose stale days are known. Events that cannot be studied
    are left out.
    """
    made = study._prepared(data, events, factors)
    *_, alignment = made.aligned(made.read.table)
    if made.read.prices is not None:
        traded = without_untraded(made.read.prices, alignment.panel, study.model, made.intake.exchange)
        if traded is not made.read.prices:
            *_, alignment = made.aligned(traded)
    reasons, _, abnormal = estimate(alignment.panel, study.model)
    return alignment.without(reasons).panel, abnormal


def _without_hole_days(
    alignment: Alignment, holes: pd.DatetimeIndex, exchanges: Exchanges, benchmark: str | None
) -> Alignment:
    """Drop events whose own session is a hole of the table, or that a likely one without a row moved to another session."""
    panel = alignment.panel
    if holes.empty or panel.n == 0:
        return alignment
    own = tradable_days(panel.events, exchanges).days
    first, last = np.minimum(own, panel.sessions), np.maximum(own, panel.sessions)
    next_hole = holes.searchsorted(first)
    hit = next_hole < holes.searchsorted(last, side="right")
    what, reasons = f"benchmark {benchmark}" if benchmark else "table", [""] * panel.n
    for i in np.flatnonzero(hit).tolist():
        day = iso_day(holes[int(next_hole[i])])
        reasons[i] = f"the {what} has no return on {day}, the event's own session; fill the gap, or name another day"
    return alignment.without(reasons)
