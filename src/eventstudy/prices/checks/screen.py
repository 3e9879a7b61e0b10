"""Bounds below which the checks of returns find nothing, in a pass over the cells or less."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import calendar_bounds, exchange_sessions
from eventstudy.prices.checks.days import REPEATED_SHARE
from eventstudy.prices.checks.finding import BoolArray, FloatArray
from eventstudy.prices.table import ReturnKind, rows_with_figures

#: Cells that are looked at together, so that they stay in the processor's cache.
CELLS = 60_000
#: Moves that are smaller may leave a price as it is, to the last digit; sums of moves that are larger may leave the range of numbers.
DIGIT, RANGE = 1e-15, 200.0


def by_series(series: FloatArray) -> Iterator[FloatArray]:
    """Yield the series of a matrix, shape (K, T), some at a time."""
    step = max(1, CELLS // max(series.shape[1], 1))
    for first in range(0, len(series), step):
        yield series[first : first + step]


def may_stand_still(series: FloatArray) -> bool:
    """Tell whether a price made of returns, shape (K, T), may be that of the day before: a return of zero, or too small to tell."""
    for part in by_series(series):
        size = np.abs(part)
        if np.fmin.reduce(size, axis=None) < DIGIT:
            return True
        total = size.sum(axis=1)
        if not (total < RANGE).all() and not (np.nansum(size, axis=1) < RANGE).all():
            return True
        if np.fmin.reduce(part, axis=None) < -0.9:
            return True
    return False


def may_repeat_rows(series: FloatArray, benchmark: BoolArray) -> bool:
    """Tell whether a day may be one on which all or nearly all series, shape (K, T), are zero or that of the day before, or all benchmarks are.

    So many series that move on each day suffice to tell that it is none.
    """
    least = int(round((1.0 - REPEATED_SHARE) * len(series), 9)) + 1
    moves = np.zeros(series.shape[1], dtype=np.int64)
    for part in by_series(series):
        moves += _moving(part).sum(axis=0)
        if (moves >= least).all():
            break
    else:
        return True
    return int(benchmark.sum()) > 1 and not bool(_moving(series[benchmark]).any(axis=0).all())


def _moving(series: FloatArray) -> BoolArray:
    """Return where a return is neither zero nor that of the day before, beside a hole never, shape (K, T)."""
    out = np.abs(series) > 0.0
    out[:, 1:] &= np.abs(series[:, 1:] - series[:, :-1]) > 0.0
    return np.asarray(out, dtype=np.bool_)


def may_miss_sessions(days: pd.DatetimeIndex, series: FloatArray, exchange: str) -> bool:
    """Tell whether days with returns of series, shape (K, T), may be other than the sessions of an exchange between the first and the last."""
    if not len(days) or not rows_with_figures(series.T).all():
        return True
    first, last = calendar_bounds(exchange)
    if days[0] < first or days[-1] > last:
        return True
    return not days.equals(exchange_sessions(exchange, days[0].date(), days[-1].date()))


def log_returns(series: FloatArray, kind: ReturnKind) -> NDArray[np.float32]:
    """Return returns in logs, those beside a hole left out, to the digits that a bound needs, shape (K, T)."""
    logs = series.astype(np.float32)
    if kind == "simple":
        with np.errstate(divide="ignore", invalid="ignore"):
            np.log1p(logs, out=logs)
    logs[:, 0] = np.nan
    if not np.isfinite(series.sum()):
        logs[:, 1:][~np.isfinite(series[:, :-1])] = np.nan
    return logs
