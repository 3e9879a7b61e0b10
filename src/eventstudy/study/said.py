"""What a result says in a sentence, and its numbers as a text may say them: titles, sentences and pages are held against these."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from functools import cache, partial
from typing import Protocol

import numpy as np
import pandas as pd

from eventstudy.errors import EventStudyError
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import EventPanel
from eventstudy.figures.measured import Measured, measure, said_of
from eventstudy.figures.presentation import Presentation
from eventstudy.figures.titles import events_by_name
from eventstudy.figures.words import span_text
from eventstudy.inference.market_value import MarketValueChange
from eventstudy.inference.result import LEVEL
from eventstudy.prices.firms import another_firm, currency_of
from eventstudy.prices.table import Prices
from eventstudy.statements import (
    ABNORMAL,
    ABNORMAL_VALUE,
    AVERAGE,
    HIGH,
    INDEX_POINTS,
    LOW,
    RETURN,
    TURNS,
    VALUE,
    Numbers,
    Span,
    group_names,
)
from eventstudy.study.tables import shown_caar
from eventstudy.study.validity import Check, event_day
from eventstudy.study.yardstick import BenchmarkCheck
from eventstudy.windows import Window
from eventstudy.wording import INDEX_NAMES, capital, iso_day, iso_days, listed, percent

#: Events that a sentence names.
LED_BY = 4
Values = dict[tuple[str, str, Span], float]


class Spoken(Protocol):
    """What a result holds, for what is said of it: fields and methods of `EventStudyResult`."""

    @property
    def model(self) -> NormalReturnModel:
        """The model of normal returns."""

    @property
    def panel(self) -> EventPanel:
        """Returns in event time."""

    @property
    def abnormal(self) -> AbnormalReturns:
        """Abnormal returns."""

    @property
    def checks(self) -> tuple[Check, ...]:
        """Checks of validity."""

    @property
    def prices(self) -> Prices | None:
        """The prices, if the study is of prices."""

    @property
    def presentation(self) -> Presentation:
        """What tickers are called."""

    def when(self) -> str:
        """Return the session of the events in words."""

    def value_changes(self, window: Window) -> tuple[MarketValueChange, ...]:
        """Return the market-value changes of a window."""


def called(result: Spoken, i: int, names: Mapping[str, str] | None = None) -> str:
    """Return what an event's share is called, with its day if the events do not share one."""
    ticker = result.panel.events[i].ticker
    name = (result.presentation.names if names is None else names).get(ticker, ticker)
    return name if result.when() else f"{name} ({iso_day(result.panel.sessions[i])})"


def _all_called(result: Spoken, names: Mapping[str, str]) -> list[str]:
    """Return `called` of every event."""
    shares = [names.get(ticker, ticker) for ticker in result.panel.events.tickers.tolist()]
    if result.when():
        return shares
    return [f"{share} ({day})" for share, day in zip(shares, iso_days(result.panel.sessions), strict=True)]


def result_numbers(
    result: Spoken,
    window: Window | None = None,
    names: Mapping[str, str] | None = None,
    turned: Collection[str] | None = None,
) -> Numbers:
    """Return a result's numbers, those of every window inside the event window, computed when a text names it.

    ``names`` are what a study calls its tickers, by default those of the result, and ``turned`` as `result_sentence` has them.
    """
    ab, names = result.abnormal, result.presentation.names if names is None else names
    chosen = window or (Window(0, 0) if 0 in ab.window else ab.window)
    shown = measure(ab, chosen, 1.0 - LEVEL)
    known = {name: shown.keys[j] for name, j in events_by_name(shown.keys, names, other_firms(result)).items()}
    known |= dict(zip(_all_called(result, names), shown.keys, strict=True))
    turned = turned_by_rest(result, chosen) if turned is None else turned
    depends = frozenset(turned)
    turns = {(key, TURNS, (chosen.start, chosen.end)): float(key in depends) for key in shown.keys}
    benchmark = result.model.benchmark or ""
    if benchmark not in shown.keys:
        known |= {form: benchmark for name in index_names(benchmark, names) for form in (name, capital(name))}

    @cache
    def over(span: Span) -> Values:
        return _over(result, Window(*span)) if span[0] <= span[1] and Window(*span) in ab.window else {}

    estimation = (ab.estimation.start, ab.estimation.end)
    return Numbers(
        names={**group_names(ab.n), **known},
        values=turns,
        states={key: (state,) for key, state in zip(shown.keys, shown.states, strict=True)},
        counts={
            "level": 100 * (1 - LEVEL),
            "levels": 100 * (1 - LEVEL),
            "events": int(np.isfinite(shown.value).sum()),
            "more_events": ab.n - LED_BY,
            "more_turned": len(turned) - LED_BY,
            **{side: shown.states.count(side) for side in ("down", "up")},
        },
        days={f"{result.panel.sessions[0]:%A}": 0} if result.when() else {},
        span=(chosen.start, chosen.end),
        spans=frozenset([(0, 0), (chosen.start, chosen.end), (ab.window.start, ab.window.end), estimation]),
        relative=ab.log,
        currencies=_currencies(result, shown),
        more=over,
        days_of=cache(partial(_days_of, result)),
    )


def other_firms(result: Spoken) -> frozenset[str]:
    """Return the tickers of a result whose prices are not those of the firm that is embedded under them."""
    prices = result.prices
    if prices is None:
        return frozenset()
    return frozenset(t for t in set(result.panel.events.tickers.tolist()) if another_firm(prices, t))


def index_names(benchmark: str, names: Mapping[str, str]) -> list[str]:
    """Return what a benchmark, if there is one, may be called: as the study calls it, by its ticker, or as everybody does."""
    known = [name for name, ticker in INDEX_NAMES.items() if f"^{ticker}" == benchmark]
    if not benchmark:
        return []
    return [names.get(benchmark, benchmark), benchmark, *known, *(f"the {name}" for name in known)]


def _days_of(result: Spoken, date: str) -> Mapping[str, int]:
    """Return the day of the event window that a date, in words or in digits, is for each event; without a year, in any year."""
    panel, window = result.panel, result.abnormal.window
    years = [""] if re.search(r"\d{4}", date) else [f" {year}" for year in sorted({day.year for day in panel.sessions})]
    found: dict[str, int] = {}
    for year in years:
        try:
            place = int(panel.calendar.get_indexer(pd.DatetimeIndex([f"{date}{year}"]))[0])
        except ValueError:  # 31 February
            continue
        days = (place - panel.position).tolist() if place >= 0 else [None] * len(panel.events)
        found |= {k: d for k, d in zip(result.abnormal.keys, days, strict=True) if d in window}
    return found


def _over(result: Spoken, window: Window) -> Values:
    """Return the numbers of a window: returns, abnormal returns, the benchmark's, the average's, dollars."""
    ab, span = result.abnormal, (window.start, window.end)
    shown = measure(ab, window, 1.0 - LEVEL)
    values: Values = dict(said_of(shown, window, log=ab.log).values)
    values[AVERAGE, ABNORMAL, span] = shown_caar(ab, window)
    values[AVERAGE, RETURN, span] = float(np.mean(shown.raw))
    return values | _benchmark(result, window) | _dollars(result, window, shown)


def _benchmark(result: Spoken, window: Window) -> Values:
    """Return what the benchmark did, if the events share their days."""
    benchmark, span = result.model.benchmark, (window.start, window.end)
    if not benchmark or not result.when() or benchmark in result.abnormal.keys:
        return {}
    ab = result.abnormal
    days = ab.benchmark_returns[0, ab.columns_of(window)]
    change = float(ab.as_fractions(days.sum())) if ab.log else float(np.prod(1.0 + days) - 1.0)
    found = {(benchmark, RETURN, span): change}
    close = None if result.prices is None or result.prices.close is None else result.prices.close.get(benchmark)
    if benchmark.startswith("^") and close is not None:
        place, calendar = int(result.panel.position[0]), result.panel.calendar
        first, last = (float(close.get(calendar[max(place + d, 0)], math.nan)) for d in (window.start - 1, window.end))
        found[benchmark, INDEX_POINTS, span] = last - first
    return found


def _currencies(result: Spoken, shown: Measured) -> dict[str, str]:
    """Return the currency of each event's market value; empty if it is not known."""
    prices, tickers = result.prices, result.panel.events.tickers.tolist()
    return {} if prices is None else {k: currency_of(prices, t) for k, t in zip(shown.keys, tickers, strict=True)}


def _dollars(result: Spoken, window: Window, shown: Measured) -> Values:
    """Return the changes in market value of a window, where there are share counts and closes as traded."""
    try:
        changes = result.value_changes(window)
    except EventStudyError:
        return {}
    span = (window.start, window.end)
    return {
        (key, what, span): value
        for key, c in zip(shown.keys, changes, strict=True)
        if not c.reason
        for what, value in (
            (VALUE, c.raw),
            (ABNORMAL_VALUE, c.abnormal),
            (LOW + ABNORMAL_VALUE, c.low),
            (HIGH + ABNORMAL_VALUE, c.high),
        )
    }


def turned_by_rest(result: Spoken, window: Window) -> tuple[str, ...]:
    """Return the events whose verdict turns without the events' firms in the benchmark, which is known of the event day."""
    if window != event_day(result.abnormal.window):
        return ()
    return next((c.turned for c in result.checks if isinstance(c, BenchmarkCheck) and not c.passed), ())


def result_sentence(
    result: Spoken,
    window: Window,
    names: Mapping[str, str] | None = None,
    turned: Collection[str] | None = None,
) -> str:
    """Return the finding in a few sentences: the largest abnormal moves first, the rest counted; intervals are in the tables.

    ``turned`` are the events whose verdict depends on the yardstick, by default those of the result's own check.
    """
    shown = measure(result.abnormal, window, 1.0 - LEVEL)
    order = np.argsort(-np.where(np.isfinite(shown.value), np.abs(shown.value), -1.0), kind="stable").tolist()
    at = "" if window == Window(0, 0) else f" {span_text(window, '')}"
    said = [_share_sentence(result, shown, i, at, names) for i in order[:LED_BY]]
    if len(order) > LED_BY:
        said.append(f"{len(order) - LED_BY} more events are in the tables.")
    turned = turned_by_rest(result, window) if turned is None else turned
    depend = [called(result, i, names) for i in order if result.abnormal.keys[i] in turned] if turned else []
    if depend:
        more = [f"{len(depend) - LED_BY} more"] if len(depend) > LED_BY else []
        said.append(f"Whether {listed(depend[:LED_BY] + more)} moved beyond the market depends on the yardstick.")
    return " ".join(said)


def _share_sentence(result: Spoken, shown: Measured, i: int, at: str, names: Mapping[str, str] | None) -> str:
    """Say what a share did, and what of it the model does not explain."""
    name, raw, own = capital(called(result, i, names)), float(shown.raw[i]), float(shown.value[i])
    if shown.states[i] == "missing" or not math.isfinite(raw):
        return f"{name} has no abnormal return{at or ' on the event day'}."
    size = percent(abs(raw), 1, sign=False)
    does = "did not move" if size == percent(0.0, 1) else f"{'fell' if raw < 0 else 'rose'} {size}"
    explained = "its usual return"
    if result.model.benchmark:
        explained = "what the market’s move explains"
    noise = ": within its ordinary noise" if shown.states[i] == "unclear" else ""
    # of log returns an abnormal return is the price beside the one expected, in per cent of the latter
    points = f"{abs(own) * 100:.1f}{'%' if result.abnormal.log else ' percentage points'}"
    return f"{name} {does}{at}, {points} {'below' if own < 0 else 'above'} {explained}{noise}."
