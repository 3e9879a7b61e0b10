"""What a study is handed, prices or returns, made into returns on the sessions that relative days count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from eventstudy.calendars import DEFAULT_EXCHANGE, ClosedDay, calendar_bounds, check_closed_day, exchange_sessions
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.estimation.abnormal import abnormal_returns
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import Alignment, Dropped, EventPanel, EventTime, align
from eventstudy.estimation.spans import trades_of
from eventstudy.events import Event, as_events, tradable_days
from eventstudy.interchange import dated, is_table
from eventstudy.measures import Measure, check_measure, measured
from eventstudy.prices.checks.accept import check_accept, in_short, judged
from eventstudy.prices.checks.finding import Finding, Usage
from eventstudy.prices.checks.run import check_prices as check_table
from eventstudy.prices.checks.run import check_returns
from eventstudy.prices.snapshot import FACTOR_COLUMNS
from eventstudy.prices.table import Prices, Provenance, ReturnKind, check_prices, check_return_kind, clean_frame
from eventstudy.study.results import EventStudyResult
from eventstudy.study.validity import PRICE_CHECK, Check, design_checks, gap_checks, validity_checks
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean, first_few, iso_day


@dataclass(frozen=True)
class Intake:
    """How data become returns.

    Attributes
    ----------
    calendar : str or None
        Whose sessions relative days count; None takes the benchmark's dates.
    """

    model: NormalReturnModel
    returns: ReturnKind
    measure: Measure
    calendar: str | None

    def read(
        self, data: Prices | pd.DataFrame, tickers: list[str], factors: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return returns, dates × needed columns, one row a session, and the weekdays that the benchmark lacks."""
        if not isinstance(data, Prices | pd.DataFrame):
            raise InvalidInput(f"data is a {type(data).__name__}; give Prices or a DataFrame of returns.")
        needed = list(dict.fromkeys([*tickers, *self.model.columns]))
        extra = self._factor_table(data, factors)
        if isinstance(data, pd.DataFrame):
            return self._from_returns(data if factors is None else clean_frame(data, "returns").join(extra), needed)
        returns, holes = self._from_prices(data, [c for c in needed if c not in extra.columns])
        return returns.join(extra), holes

    def _factor_table(self, data: Prices | pd.DataFrame, factors: pd.DataFrame | None) -> pd.DataFrame:
        """Return the factors that the model needs, checked; an empty table if none were handed in."""
        there = set(data.tickers) if isinstance(data, Prices) else set(data)
        wanted = [c for c in dict.fromkeys(self.model.columns) if c not in there]
        if factors is None:
            embedded = sorted(set(wanted) & set(FACTOR_COLUMNS))
            if embedded and isinstance(data, Prices):
                raise DataMissing(
                    f"The model needs {', '.join(wanted)}, which the prices do not have; hand the factors in: "
                    f"study.run(prices, events, factors=es.load_factors()).",
                    missing=tuple(wanted),
                )
            return pd.DataFrame()
        if self.returns == "log":
            raise InvalidInput("Factors are simple returns; run the study with returns='simple'.")
        table = clean_frame(factors, "factors")
        repeated = sorted(set(table.columns) & there & set(self.model.columns))
        if repeated:
            raise InvalidInput(f"{', '.join(repeated)} is in the data and in the factors; leave it out of one.")
        chosen = table[[c for c in wanted if c in table.columns]]
        if chosen.shape[1]:
            _check_returns(chosen, "simple", cautious=False)
        return chosen

    def _from_prices(self, prices: Prices, needed: list[str]) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return returns on the sessions of the calendar, NaN where a price is missing, and the benchmark's holes."""
        chosen = prices.select(needed)
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
            frame = closes.reindex(sessions)
        if len(frame) < 2:
            raise DataUnfit("The prices hold fewer than two sessions; a return needs two.")
        if self.measure != "return":
            return measured(chosen, self.measure).reindex(frame.index), holes
        return Prices(frame, chosen.provenance).returns(self.returns, bridge_gaps=self.model.bridges_gaps), holes

    def _from_returns(self, table: pd.DataFrame, needed: list[str]) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return the rows of the benchmark's dates, and weekdays of the table that it lacks."""
        frame = clean_frame(table, "returns")
        missing = [c for c in needed if c not in frame.columns]
        if missing:
            raise DataMissing(
                f"The returns have no column {', '.join(missing)}; they have {first_few(sorted(frame.columns), 40)}."
                f"{did_you_mean(missing, frame.columns)}",
                missing=tuple(missing),
                available=tuple(frame.columns),
            )
        chosen, benchmark = frame[needed], self.model.benchmark
        if self.measure == "return":
            _check_returns(chosen, self.returns)
        elif np.isinf(chosen.to_numpy()).any():
            raise DataUnfit(f"The {self.measure} table holds an infinite value; leave it empty.")
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


#: Findings listed one by one in a check of validity.
LISTED = 6
#: Half of a firm's daily moves are never this large as fractions; as per cent they nearly always are.
TYPICAL_MOVE_LIMIT = 0.25


def _weekdays_lost(table: pd.DataFrame, there: pd.Series[bool]) -> pd.DatetimeIndex:
    """Return weekdays on which others have a value and the benchmark has none."""
    lonely = pd.DatetimeIndex(table.index[~there & table.notna().any(axis=1)])
    return lonely[lonely.day_of_week < 5]


def _check_returns(table: pd.DataFrame, kind: ReturnKind, cautious: bool = True) -> None:
    """Raise `DataUnfit` at an infinite return, a simple return of -100 % or less, returns in per cent, or (cautious) prices."""
    values = table.to_numpy()
    wrong = np.isinf(values) | ((values <= -1.0) if kind == "simple" else np.zeros(values.shape, dtype=bool))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataUnfit(
            f"{table.columns[column]} has a return of {values[row, column]:g} on {iso_day(table.index[row])}; returns are "
            f"fractions, finite and above -1 (a fall of 17 % is -0.17, not -17). Correct it or leave it empty."
        )
    positive = (table.min() > 0) & (table.median() > 1.0)
    if cautious and positive.any():
        raise DataUnfit(
            f"{first_few(table.columns[positive], LISTED)}: all figures are positive, as prices are. For prices give Prices "
            f"(load_prices of a file, or Prices.from_frame); for returns take table.pct_change(fill_method=None)."
        )
    typical = table.abs().where(table != 0).median()
    large = typical[typical > TYPICAL_MOVE_LIMIT]
    if len(large):
        raise DataUnfit(
            f"Half of the returns of {large.index[0]} are beyond ±{large.iloc[0]:g}, so they seem to be per cent; returns are "
            f"fractions (a fall of 17 % is -0.17, not -17). Divide the table by 100."
        )


def price_findings(
    data: Prices | pd.DataFrame, panel: EventPanel, model: NormalReturnModel, calendar: str | None
) -> tuple[Finding, ...]:
    """Return what is wrong with the prices of a study; what is found outside the days that it uses is a note.

    Parameters
    ----------
    data : Prices or DataFrame
        The prices that the study was handed, or the returns; of returns only repeated series can be found.
    """
    there = data.tickers if isinstance(data, Prices) else tuple(data.columns)
    columns = tuple(c for c in model.columns if c in there)
    tickers = tuple(e.ticker for e in panel.events)
    if not tickers:  # the refusal says why each event was dropped
        return ()
    final = len(panel.calendar) - 1
    first, start, last = (
        panel.calendar[np.clip(panel.position + day, 0, final)]
        for day in (panel.estimation.start - 1, panel.window.start - 1, panel.window.end)
    )
    reach = max((abs(o) for o in model.offsets), default=0)
    usage = Usage(tickers, first, start, last, columns, reach)
    benchmarks = [c for c in columns if c == model.benchmark]
    if not isinstance(data, Prices):
        needed = list(dict.fromkeys([*tickers, *columns]))
        return check_returns(data[needed], benchmarks=benchmarks, usage=usage)
    return check_table(
        data.select([*tickers, *columns]),
        calendar=calendar,
        benchmarks=benchmarks,
        usage=usage,
        thin_trading=model.thin_trading,
    )


def gaps_in_words(prices: Prices, tickers: Sequence[str], model: NormalReturnModel, calendar: str | None) -> str:
    """Return which prices are missing, for a study that is left without events; empty if none are."""
    needed = [t for t in (*tickers, *model.columns) if t in prices.tickers]
    benchmarks = [b for b in (model.benchmark,) if b in needed]
    found = check_table(prices.select(needed), calendar=calendar, benchmarks=benchmarks)
    gaps = [
        f
        for f in found
        if f.check in ("missing_sessions", "missing_prices", "benchmark_holes") and f.severity != "note"
    ]
    return "".join(f"\n  {f}." for f in gaps[:LISTED])


def price_check(found: Sequence[Finding]) -> Check:
    """Return findings as one check of validity: it holds if there are notes only."""
    serious = [f for f in found if f.severity != "note"]
    return Check(PRICE_CHECK, in_short(found), "no warning", not serious, first_few(serious, LISTED, "; "))


# -- The specification of a study, and how it is run.


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
    measure : {"return", "volume", "turnover", "volatility"}
        What may be abnormal. Of prices, the logarithm of volume or turnover, or squared returns, are taken; a table handed in holds
        the measure itself, e.g. `range_volatility`.
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
    calendar: str | None = DEFAULT_EXCHANGE
    min_estimation: int = 30
    max_dropped: float = 0.35
    measure: Measure = "return"
    accept: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if isinstance(self.model, type) or not isinstance(self.model, NormalReturnModel):
            raise InvalidInput(
                f"model is {self.model!r}; give a model of normal returns such as MarketModel('^GSPC') or MeanAdjusted()."
            )
        object.__setattr__(self, "estimation", Window.of(self.estimation))
        object.__setattr__(self, "window", Window.around(self.window))
        check_return_kind(self.returns)
        check_closed_day(self.closed_day)
        check_measure(self.measure)
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
    ) -> EventStudyResult:
        """Run the study.

        Parameters
        ----------
        data : Prices or DataFrame
            Prices, or a wide table of returns (dates × tickers, benchmark and factors as columns, fractions). Tables of polars,
            pyarrow or DuckDB hold the dates in a first column ``date``.
        events : list of Event, or DataFrame
            What happened when; a table needs ``ticker`` and ``date``.
        factors : DataFrame, optional
            Columns of the model that are not in the data, dates × factors, simple returns as fractions, e.g. `load_factors`. They may
            not repeat a column of the data.

        Returns
        -------
        EventStudyResult

        Raises
        ------
        DataMissing
            If a ticker or the benchmark is not in the data.
        DataUnfit
            If prices cannot be right or a check of them ends in an error that is not accepted, no event is left, or too many are
            dropped.
        InvalidInput
            If the events or the table cannot be read.
        """
        asked = as_events(events)
        data = _as_data(data)
        intake = Intake(self.model, self.returns, self.measure, self.calendar)
        returns, holes = intake.read(
            data, [e.ticker for e in asked], None if factors is None else dated(factors, "The table of factors")
        )
        origin = (
            data.provenance
            if isinstance(data, Prices)
            else Provenance("returns handed in", first=iso_day(returns.index[0]), last=iso_day(returns.index[-1]))
        )
        time = EventTime(self._estimation, self._window, self.calendar, self.closed_day, self.min_estimation)
        trades = trades_of(data, returns) if self.model.bridges_gaps else None
        alignment = align(returns, asked, self.model, time, trades)
        alignment = _without_hole_days(alignment, holes, self.calendar, self.model.benchmark)
        prices = data if isinstance(data, Prices) else None
        looked_at = returns if prices is None else prices
        found = judged(price_findings(looked_at, alignment.panel, self.model, self.calendar), self.accept)
        of_data = (*gap_checks(alignment.panel, holes), *((price_check(found),) if prices or found else ()))
        if prices is not None and not alignment.panel.n:
            self._enough_left(alignment, gaps_in_words(prices, [e.ticker for e in asked], self.model, self.calendar))
        return self._judge(alignment, origin, prices, of_data, found)

    def _judge(
        self,
        alignment: Alignment,
        origin: Provenance,
        prices: Prices | None,
        of_data: tuple[Check, ...],
        findings: tuple[Finding, ...],
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
            checks=(
                *design_checks(abnormal, alignment.audit, alignment.panel, self.measure),
                *validity_checks(abnormal, alignment.panel, self.model),
                *of_data,
            ),
            returns_kind=self.returns,
            provenance=origin,
            prices=prices,
            measure=self.measure,
            findings=findings,
        )

    def _enough_left(self, alignment: Alignment, gaps: str = "") -> None:
        lost, asked = len(alignment.dropped), len(alignment.audit)
        why = first_few([f"{d.event.ticker} {d.event.asked}: {d.reason}" for d in alignment.dropped], 5, "; ")
        if alignment.panel.n == 0:
            raise DataUnfit(f"No event can be studied. {why}.{gaps}", dropped=alignment.dropped)
        if lost > self.max_dropped * asked:
            raise DataUnfit(
                f"{lost} of {asked} events ({lost / asked:.0%}) would be dropped; max_dropped allows "
                f"{self.max_dropped:.0%}. {why}. Mend the events, or raise max_dropped.",
                dropped=alignment.dropped,
            )


def _as_data(data: object) -> Prices | pd.DataFrame:
    """Return prices as they are and a table of returns of any library as a pandas table."""
    if isinstance(data, Prices):
        return data
    if not is_table(data):
        lazy = " Collect it first: frame.collect()." if hasattr(data, "collect") else ""
        raise InvalidInput(
            f"data is a {type(data).__name__}; give Prices or a DataFrame of returns (pandas, polars, pyarrow).{lazy}"
        )
    return dated(data, "The table of returns")


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
        f"{iso_day(holes[int(place)])}, the event's own session; fill the gap, or name another day"
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
