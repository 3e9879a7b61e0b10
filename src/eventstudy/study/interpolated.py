"""Figures that are no daily returns although they stand on every day: interpolated over days without trade, spread from weeks or months, cumulated."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.errors import DataUnfit
from eventstudy.prices.table import ReturnKind
from eventstudy.wording import iso_day, listed

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

#: A step equals the one before if it differs by less than this share of the column's typical step; of one column alone, by far less.
EQUAL, EQUAL_ALONE = 0.05, 0.002
#: Columns that lie on a line together are no chance with the wider tolerance.
TOGETHER = 2
#: Columns that are looked at before all.
FEW = 8
#: Share of the rows on one weekday that go on by equal steps if it was interpolated, and of others if it was not.
FILLED, OTHERS = 0.9, 0.5
#: So improbable must that many equal steps be; equal steps come by chance at least so often.
NO_CHANCE, BY_CHANCE = 1e-6, 0.02
#: Share of all moves that go on by the step before, of so many, if weeks or months were spread over days; and of a stretch of so many rows.
SPREAD, FEWEST, SPREAD_THERE, STRETCH = 0.6, 30, 0.85, 40
#: The typical step of what accrues interest, which goes on by equal steps; no typical step of a day is larger than the second.
ACCRUES, LARGEST = 0.0003, 0.05
#: No daily return follows the one before so closely.
CARRIES_OVER = 0.7
#: By how much a correlation that is taken of many columns at once may fall short of that of one.
NEARLY = 1e-6
#: A column of fewer different figures is a dummy variable.
DISTINCT = 10
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def straight_steps(returns: pd.DataFrame, share: float = EQUAL) -> BoolArray:
    """Return where a price goes on by the step of the row before, a row or a day, in absolute terms or in logs.

    Parameters
    ----------
    returns : DataFrame, shape (T, K)
        Fractions.
    share : float
        Of the typical step, by which two that are equal may differ.

    Returns
    -------
    ndarray of bool, shape (T, K)
        False where nothing moves.
    """
    values = returns.to_numpy(dtype=np.float64)
    before = returns.ffill().shift(1).to_numpy(dtype=np.float64)
    days = np.diff(returns.index.to_numpy(dtype="datetime64[D]")).astype(np.float64)
    ratio = np.ones(len(values))
    ratio[2:] = days[1:] / days[:-1]
    bound = share * np.minimum(_typical(values), LARGEST)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = (before, before / (1.0 + before))
        ways = [*expected, *(e * ratio[:, None] for e in expected)]
        equal = np.logical_or.reduce([np.abs(values - e) <= bound for e in ways])
    equal &= _vary(values, bound)
    return np.asarray(equal & (values != 0.0), dtype=np.bool_)


def _typical(values: FloatArray) -> FloatArray:
    """Return the median size of the moves of each column, NaN of one without."""
    moved = np.isfinite(values) & (values != 0.0)
    return np.array([np.median(np.abs(c[m])) if m.any() else np.nan for c, m in zip(values.T, moved.T, strict=True)])


def _vary(values: FloatArray, bound: FloatArray) -> BoolArray:
    """Return which columns vary at all; what a constant return is, a model says."""
    ends = [(np.nanmax(c), np.nanmin(c)) if np.isfinite(c).any() else (0.0, 0.0) for c in values.T]
    return np.array([high - low > limit for (high, low), limit in zip(ends, bound, strict=True)], dtype=np.bool_)


def between_neighbours(returns: pd.DataFrame) -> BoolArray:
    """Return the rows whose prices lie between those of their neighbours by equal steps in every column, shape (T,)."""
    share = EQUAL if returns.shape[1] >= TOGETHER else EQUAL_ALONE
    if not _on_line(returns.iloc[:, :FEW], share)[0].any():  # what is on no line in some columns is not in all
        return np.zeros(len(returns), dtype=np.bool_)
    every, some = _on_line(returns, share)
    return np.append((every & some)[1:], False)


def _on_line(returns: pd.DataFrame, share: float) -> tuple[BoolArray, BoolArray]:
    """Return the rows on which every column that has a return goes on by the step before, and those on which any does, shape (T,) each."""
    there = np.isfinite(returns.to_numpy(dtype=np.float64))
    on_line = straight_steps(returns, share)
    return np.asarray((on_line | ~there).all(axis=1), dtype=np.bool_), np.asarray(on_line.any(axis=1), dtype=np.bool_)


def refuse_interpolated(returns: pd.DataFrame) -> None:
    """Refuse a column whose days without trade were interpolated, or whose weekly or monthly figures were spread over days.

    Interpolated prices go on by equal steps; interpolated returns lie halfway between their neighbours. On one weekday both do so far beyond
    what the other days make probable, or on most days.
    """
    values = returns.to_numpy(dtype=np.float64)
    steps = straight_steps(returns)
    moved = np.isfinite(values) & (values != 0.0)
    with np.errstate(invalid="ignore"):
        middle = np.full(values.shape, False)
        middle[1:-1] = np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2.0) <= EQUAL * np.minimum(
            _typical(values), LARGEST
        )
    refuse_spread(returns, steps, moved)
    _refuse_weekdays(returns, moved, steps, "go on by the step of the day before")
    _refuse_weekdays(returns, moved, middle & moved, "lie halfway between the days around them")


def _refuse_weekdays(returns: pd.DataFrame, moved: BoolArray, equal: BoolArray, said: str) -> None:
    weekday = pd.DatetimeIndex(returns.index).day_of_week.to_numpy()
    on = (weekday[None, :] == np.arange(7)[:, None]).astype(np.int64)
    count, hits = on @ moved, on @ equal
    often = hits >= np.maximum(FILLED * count, 1.0)
    others = moved.sum(axis=0) - np.where(often, count, 0).sum(axis=0)
    beside = equal.sum(axis=0) - np.where(often, hits, 0).sum(axis=0)
    chance = np.maximum(beside / np.maximum(others, 1), BY_CHANCE)
    sure = often & (hits * np.log(chance)[None, :] < math.log(NO_CHANCE))
    wrong = sure.any(axis=0) & (beside <= OTHERS * others) & (others > 0)
    if not wrong.any():
        return
    place = int(wrong.argmax())
    which = listed(WEEKDAYS[d] for d in np.flatnonzero(sure[:, place]))
    raise DataUnfit(
        f"{returns.columns[place]} has a return on {int(count[sure[:, place], place].sum())} {which}, and nearly all of them {said}: days without "
        f"trade that were interpolated, so that relative days count them and the first return after them is a part of the true one. Leave these "
        f"rows out (of a table of prices before returns are made).",
        ticker=str(returns.columns[place]),
    )


def refuse_spread(returns: pd.DataFrame, steps: BoolArray | None = None, moved: BoolArray | None = None) -> None:
    """Refuse a column that mostly, or in a stretch of rows, goes on by equal steps, as weekly or monthly figures spread over days do."""
    values = returns.to_numpy(dtype=np.float64)
    steps = straight_steps(returns) if steps is None else steps
    moved = np.isfinite(values) & (values != 0.0) if moved is None else moved
    number = moved.sum(axis=0)
    wrong = (steps.sum(axis=0) > SPREAD * number) & (number >= FEWEST)
    if len(values) >= STRETCH:
        inside, there = (
            np.vstack([np.zeros((1, a.shape[1]), dtype=np.int64), a.cumsum(axis=0)]) for a in (steps, moved)
        )
        hits, rows = (a[STRETCH:] - a[:-STRETCH] for a in (inside, there))
        dense = (hits >= SPREAD_THERE * rows) & (rows >= FEWEST)
        wrong |= dense.any(axis=0)
    wrong &= _typical(values) > ACCRUES
    if not wrong.any():
        return
    place = int(wrong.argmax())
    share = steps[:, place].sum() / number[place]
    first = int(steps[:, place].argmax())
    raise DataUnfit(
        f"{share:.0%} of the moves of {returns.columns[place]} go on by the step of the day before (the first on {iso_day(returns.index[first])}), as "
        f"weekly or monthly figures do that were interpolated to days, and prices that were filled in; a study needs daily figures. Use daily "
        f"prices, or leave out the days between.",
        ticker=str(returns.columns[place]),
    )


def follows_itself(column: pd.Series[float]) -> float:
    """Return the correlation of a column's figures with those of the row before, moves beyond three times the typical one cut to that."""
    figures = column.dropna().to_numpy(dtype=np.float64)
    if len(figures) < FEWEST or len(np.unique(figures)) <= DISTINCT:
        return 0.0
    figures = figures - np.median(figures)
    reach = 3.0 * 1.4826 * float(np.median(np.abs(figures)))
    figures = np.clip(figures, -reach, reach) if reach > 0 else figures
    one, two = figures[1:] - figures[1:].mean(), figures[:-1] - figures[:-1].mean()
    size = math.sqrt(float(one @ one) * float(two @ two))
    return float(one @ two) / size if size > 0 else 0.0


def _may_follow(values: FloatArray) -> BoolArray:
    """Return which columns `follows_itself` may tell of, shape (K,): all with a hole, others by the same correlation of all at once."""
    if len(values) < FEWEST:
        return np.zeros(values.shape[1], dtype=np.bool_)
    out = np.asarray(~np.isfinite(values).all(axis=0), dtype=np.bool_)
    series = np.ascontiguousarray(values[:, ~out].T)
    series -= np.median(series, axis=1, keepdims=True)
    reach = 3.0 * 1.4826 * np.median(np.abs(series), axis=1, keepdims=True)
    reach[reach == 0.0] = np.inf
    np.clip(series, -reach, reach, out=series)
    one, two = (part - part.mean(axis=1, keepdims=True) for part in (series[:, 1:], series[:, :-1]))
    both, size = (one * two).sum(axis=1), np.sqrt((one * one).sum(axis=1) * (two * two).sum(axis=1))
    out[~out] = both > (CARRIES_OVER - NEARLY) * size
    return out


def refuse_cumulated(table: pd.DataFrame, kind: ReturnKind, name: str) -> None:
    """Refuse returns that move as a level does: cumulative ones, or averages over days; first those whose steps are equal."""
    if table.shape[1]:
        refuse_spread(table)
    for column in table.columns[_may_follow(table.to_numpy(dtype=np.float64))]:
        found = follows_itself(table[column])
        if found > CARRIES_OVER and float(_typical(table[[column]].to_numpy(dtype=np.float64))[0]) > ACCRUES:
            way = f"({name} + 1).pct_change(fill_method=None)" if kind == "simple" else f"{name}.diff()"
            raise DataUnfit(
                f"The figures of {column} follow those of the day before (a correlation of {found:.2f}), as a level does and no daily return: cumulative "
                f"returns, {'p / p0 - 1' if kind == 'simple' else 'log(p / p0)'}, are made daily by {name} = {way}; sums or averages over several days are "
                f"to be replaced by the return of each day.",
                ticker=str(column),
            )
