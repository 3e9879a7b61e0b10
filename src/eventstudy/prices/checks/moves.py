"""Checks of moves: splits not applied, prices that jump and come back, adjustment factors that no dividend explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventstudy.prices.checks.finding import (
    ERROR,
    NOTE,
    SEVERITIES,
    WARNING,
    BoolArray,
    Finding,
    FloatArray,
    Grid,
    Rule,
    by_ticker,
    finding,
    previous,
)
from eventstudy.wording import first_few, plural

UNAPPLIED_SPLIT = Rule(
    "unapplied_split",
    "no jump of a split's size that stays",
    "look up the split; adjust all earlier prices (or take a newer download), or accept it with the news that explains it",
)
LEVEL_SHIFT = Rule(
    "level_shift",
    "no jump beyond 2.5 times that stays",
    "another currency, another share or real news: compare with a second vendor",
)
WRONG_PRICE = Rule(
    "wrong_price",
    "no jump that is undone within three days",
    "compare that day with a second vendor; correct the price or leave it empty",
)
MANY_JUMPS = Rule(
    "many_jumps",
    "no more than 40 daily moves beyond 16 %",
    "bring all prices to one unit and one split basis, or leave the ticker out if it is no series of prices",
)
ADJUSTMENT_RATIO = Rule(
    "adjustment_ratio",
    "adjusted/traded rises in steps of a dividend's size only",
    "download both closes from one source on one day; around a spin-off or special dividend look at the traded prices",
)
ADJUSTED_ABOVE_TRADED = Rule(
    "adjusted_above_traded",
    "an adjusted close that is not above the close as traded",
    "check that the two tables are not swapped, and are of one vintage",
)

#: Old price over new price at the usual splits; inverses at reverse splits. 100 is also a currency and its hundredth.
SPLIT_RATIOS = np.array(
    [3 / 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 75, 80, 100, 150, 200, 1000]
)
#: Below this ratio, ordinary bad news is as common as a split: never an error.
SMALL_RATIO = 1.9
#: Log moves that are looked at: as a jump that is undone, as a split, as another level.
SMALLEST_SPIKE, SMALLEST_SPLIT, SMALLEST_SHIFT = 0.15, 0.27, float(np.log(2.5))
#: A jump that is undone is an error from here on: with volume known to be ordinary, and with volume unknown.
SPIKE_ERROR, SPIKE_ERROR_UNKNOWN = float(np.log(1.5)), float(np.log(2.0))
#: Robust deviations within which a spike is an ordinary move.
SPIKE_DEVIATIONS = 8.0
#: Inside an event window a smaller one is an error already.
SPIKE_ERROR_EVENT = float(np.log(1.18))
#: Volume beyond this multiple of the usual, at the new price, speaks of news.
NEWS_VOLUME = 3.0
#: Days with volume on both sides of a jump that show a level.
LEVEL_DAYS = 20
#: Jumps looked at one by one in a series; one that jumps more often is no series of prices in one unit.
MOST_JUMPS = 40
#: Longest stretch of wrong prices that is undone, in days.
LONGEST_SPIKE = 3

# Adjustment factors
ROUNDING = 2e-5
LARGE_STEP = float(np.log(1.25))
#: So many falls of the factor, and no rise, are those of two tables that were swapped.
FEWEST_FALLS = 2
#: A rise of the factor that is worth a look where it is so many times the next largest.
ODD_STEP, ODD_MULTIPLE = 0.03, 3.0
SMALL_FALL = 0.01
BUSY = 0.15


class Jump(NamedTuple):
    """A jump of one series: which rule it breaks, how serious, from which row to which, and in words."""

    rule: Rule
    level: int
    first: int
    last: int
    words: str


def moves(grid: Grid) -> Iterator[Finding]:
    """Yield moves that look like errors of the data, and those of event windows that no other day confirms."""
    found = list(jumps(grid))
    yield from found
    if grid.usage is not None:
        yield from unconfirmed_moves(grid, found)


def jumps(grid: Grid) -> Iterator[Finding]:
    """Yield jumps that come back, that stay as after a split, or that are too many."""
    logs = log_closes(grid)
    change = logs - previous(logs)
    market = market_moves(change)
    for column in np.flatnonzero((np.abs(np.nan_to_num(change)) > SMALLEST_SPIKE).any(axis=0)):
        for jump in _jumps(grid, int(column), logs[:, column], market):
            used = grid.used[jump.first : jump.last + 1, column].any()
            level = jump.level if used else NOTE
            yield finding(
                jump.rule,
                SEVERITIES[level - 1],
                (grid.tickers[column],),
                jump.words,
                *grid.span([jump.first, jump.last]),
            )


def log_closes(grid: Grid) -> FloatArray:
    """Return logs of the adjusted closes, NaN where there is no price, shape (T, K)."""
    there = grid.adjusted > 0
    return np.where(there, np.log(np.where(there, grid.adjusted, 1.0)), np.nan)


def market_moves(change: FloatArray) -> FloatArray:
    """Return the median move of each day, where enough series have one; else nothing."""
    large = (np.abs(np.nan_to_num(change)) > SMALLEST_SPIKE).sum(axis=1)
    out = np.zeros(len(change))
    for row in np.flatnonzero(large >= 3):
        moves = change[row][np.isfinite(change[row])]
        out[row] = np.median(moves) if len(moves) >= 5 else 0.0
    return out


def robust_deviation(moves: FloatArray) -> float:
    """Return a standard deviation that single jumps do not touch."""
    count = len(moves)
    size = np.sort(np.abs(moves - np.sort(moves)[count // 2]))
    return float(max(1.4826 * size[count // 2], size[(9 * count) // 10] / 1.645, 0.003))


def _jumps(grid: Grid, column: int, logs: FloatArray, market: FloatArray) -> Iterator[Jump]:
    """Yield the suspicious jumps of one series."""
    rows = np.flatnonzero(np.isfinite(logs))
    series = logs[rows]
    moves = np.diff(series) - market[rows[1:]]
    if len(moves) < 3:
        return
    sigma = robust_deviation(moves)
    places = np.flatnonzero(np.abs(moves) > SMALLEST_SPIKE) + 1
    if len(places) > MOST_JUMPS:
        words = f"moves beyond {np.expm1(SMALLEST_SPIKE):.0%} on {len(places)} of {len(moves)} days: units are mixed, or it is no series of prices"
        yield Jump(MANY_JUMPS, ERROR, int(rows[places[0]]), int(rows[places[-1]]), words)
        return
    volume = None if grid.volume is None else grid.volume[rows, column]
    free_from = 0
    for place in places.tolist():
        if place < free_from:
            continue
        width = _undone_after(series, place, sigma)
        if width:
            free_from = place + width + 1
            event = grid.event[rows[place] : rows[place + width - 1] + 1, column].any()
            jump = _spike(grid, rows, series, place, width, _usual(volume, place), bool(event))
            if abs(moves[place - 1]) > SPIKE_DEVIATIONS * sigma:
                yield jump
        else:
            yield from _split(grid, rows, series, moves, place, sigma, volume)


def _undone_after(series: FloatArray, place: int, sigma: float) -> int:
    """Return after how many days a jump is undone, the price being where it was; 0 if it is not."""
    jump = series[place] - series[place - 1]
    for width in range(1, LONGEST_SPIKE + 1):
        if place + width >= len(series):
            return 0
        away = series[place : place + width] - series[place - 1]
        back = series[place + width] - series[place - 1]
        if (away * np.sign(jump) < 0.6 * abs(jump)).any():
            return 0
        sharp = abs(series[place + width] - series[place + width - 1]) >= 0.6 * abs(jump)
        if sharp and abs(back) <= max(0.15 * abs(jump), min(3.0 * sigma, 0.3 * abs(jump))):
            return width
    return 0


def _usual(volume: FloatArray | None, place: int) -> float:
    """Return the volume at a place as a multiple of the usual one before; NaN if unknown."""
    if volume is None:
        return np.nan
    before = volume[max(0, place - 20) : place]
    before = before[before > 0]
    return float(volume[place] / np.median(before)) if len(before) >= 5 and np.isfinite(volume[place]) else np.nan


def _spike(
    grid: Grid, rows: NDArray[np.int64], series: FloatArray, place: int, width: int, volume: float, event: bool
) -> Jump:
    jump = series[place] - series[place - 1]
    limit = SPIKE_ERROR_EVENT if event else SPIKE_ERROR_UNKNOWN if np.isnan(volume) else SPIKE_ERROR
    news = volume > NEWS_VOLUME
    level = ERROR if abs(jump) >= limit and not news else WARNING
    first, last = int(rows[place]), int(rows[place + width - 1])
    words = f"{_times(jump)} from one day to the next, undone after {plural(width, 'day')}"
    if news:
        words += f"; volume was {volume:.0f} times the usual, so it may be news"
    return Jump(WRONG_PRICE, level, first, last, words)


def _times(jump: float) -> str:
    """Return a log move in words: a percentage, or a multiple if it is large."""
    if abs(jump) >= np.log(3.0):
        return f"price {'×' if jump > 0 else '÷'}{np.exp(abs(jump)):.4g}"
    return f"price {np.expm1(jump):+.0%}"


def _split(
    grid: Grid,
    rows: NDArray[np.int64],
    series: FloatArray,
    moves: FloatArray,
    place: int,
    sigma: float,
    volumes: FloatArray | None,
) -> Iterator[Jump]:
    """Yield a jump of a split's size that stays, or one of another size that is too large for news without volume."""
    jump = moves[place - 1]
    if abs(jump) < SMALLEST_SPLIT:
        return
    nearest = float(SPLIT_RATIOS[np.argmin(np.abs(np.log(SPLIT_RATIOS) - abs(jump)))])
    after = series[place + 1 : place + 6]
    seen = len(after) >= 3
    volume = _usual(volumes, place)
    # an ordinary volume rules news out, so the days after may move more
    drift = (0.15 if np.isnan(volume) else 0.25) * abs(jump)
    if seen and abs(np.median(after) - series[place]) > max(4.0 * sigma, 0.08, drift):
        return
    old_to_new = nearest if jump < 0 else 1.0 / nearest
    small = nearest < SMALL_RATIO
    news = bool(volume > (1.5 if small else NEWS_VOLUME) * max(old_to_new, 1.0))
    if news and small:
        return
    row = int(rows[place])
    words = f"{_times(jump)} {'and stays there' if seen else 'and the table ends before one can see whether it stays'}"
    if news:
        words += f"; volume was {volume:.0f} times the usual, so it may be news"
    moved = small and _volume_moved(volumes, place, -jump)
    widest = 0.03 if small and not moved else 0.08 if np.isnan(volume) and nearest < 4 else 0.12
    tolerance = min(max((2.5 if np.isnan(volume) or small else 5.0) * sigma, 0.02), widest)
    if abs(abs(jump) - np.log(nearest)) <= tolerance:
        sure = (seen or nearest >= 4) and (not small or moved)
        level = ERROR if sure else NOTE if np.isnan(volume) else WARNING
        if news:
            level = WARNING if abs(jump) >= SMALLEST_SHIFT else NOTE
        yield Jump(UNAPPLIED_SPLIT, level, row, row, f"{words}, as at a split of {_ratio(nearest, jump)}")
    elif abs(jump) >= SMALLEST_SHIFT:
        yield Jump(LEVEL_SHIFT, WARNING if np.isnan(volume) or news else ERROR, row, row, words)


def _volume_moved(volume: FloatArray | None, place: int, ratio: float) -> bool:
    """Tell whether volumes stay at another level by a log ratio, as they do when shares are split."""
    if volume is None:
        return False
    before, after = volume[max(place - 60, 0) : place], volume[place : place + 60]
    before, after = before[before > 0], after[after > 0]
    if min(len(before), len(after)) < LEVEL_DAYS:
        return False
    moved = float(np.log(np.median(after) / np.median(before)))
    spread = float(np.log(np.concatenate((before / np.median(before), after / np.median(after)))).std())
    error = 1.25 * spread * float(np.sqrt(1.0 / len(before) + 1.0 / len(after)))
    return abs(moved - ratio) < min(2.0 * max(error, 0.05), 0.6 * abs(ratio))


def _ratio(ratio: float, jump: float) -> str:
    """Return a split ratio as new shares for old ones, ``10:1``."""
    new, old = (f"{ratio:.0f}", "1") if ratio >= SMALL_RATIO else ("3", "2")
    return f"{new}:{old}" if jump < 0 else f"{old}:{new}"


# -- Adjusted prices against those traded.


def adjustments(grid: Grid) -> Iterator[Finding]:
    """Yield adjusted/traded ratios that fall, leap, move too often, or end above one."""
    adjusted, traded = grid.adjusted, grid.traded
    if traded is None:
        return
    both = (adjusted > 0) & (traded > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(both, np.log(np.where(both, adjusted, 1.0) / np.where(both, traded, 1.0)), np.nan)
    step = factor - previous(factor)
    rounding = ROUNDING + _cents(adjusted) / np.where(both, adjusted, 1.0)
    moved = np.abs(np.nan_to_num(step)) > rounding
    busy = moved.sum(axis=0) > np.maximum(BUSY * both.sum(axis=0), 5)
    level = np.zeros(step.shape, dtype=np.int8)
    large = moved & (np.abs(np.nan_to_num(step)) > LARGE_STEP)
    fall = moved & (np.nan_to_num(step) < 0)
    level[large | _odd_steps(step, moved)] = WARNING
    level[fall] = WARNING
    level[fall & (np.nan_to_num(step) < -SMALL_FALL) & ~_split_sized(step)] = ERROR
    level[:, busy] = np.where(moved[:, busy], ERROR, 0)

    def words(column: int, rows: NDArray[np.int64]) -> str:
        if busy[column]:
            return f"adjusted/traded moves on {int(moved[:, column].sum())} of {int(both[:, column].sum())} days"
        shown = first_few((f"{np.expm1(step[r, column]):+.2%} on {grid.day(int(r))}" for r in rows), 4)
        hint = " (traded closes on another split basis before?)" if _split_sized(step[rows, column]).any() else ""
        return f"adjusted/traded steps {shown}{hint}"

    yield from by_ticker(grid, ADJUSTMENT_RATIO, level, words)
    yield from _above(grid, factor, step, moved, both & ~busy[None, :])


def _odd_steps(step: FloatArray, moved: BoolArray) -> BoolArray:
    """Return rises that are much larger than any other of their series."""
    size = np.where(moved, np.maximum(np.nan_to_num(step), 0.0), 0.0)
    if len(size) < 2:
        return np.zeros(size.shape, dtype=np.bool_)
    second = np.partition(size, -2, axis=0)[-2]
    return np.asarray((size > ODD_STEP) & (size > ODD_MULTIPLE * second), dtype=np.bool_)


def _cents(adjusted: FloatArray) -> FloatArray:
    """Return what rounding may do to an adjusted close: a cent if a series has whole cents only, else nothing."""
    hundred = np.nan_to_num(adjusted) * 100.0
    whole = (np.abs(hundred - np.round(hundred)) < 1e-4).all(axis=0)
    return np.where(whole, 0.0101, 0.0)[None, :]


def _split_sized(step: FloatArray) -> BoolArray:
    """Return which log steps are those of a split, 3:2 and beyond."""
    logs = np.log(SPLIT_RATIOS)
    size = np.abs(np.nan_to_num(step))
    place = np.clip(np.searchsorted(logs, size), 1, len(logs) - 1)
    gap = np.minimum(np.abs(size - logs[place]), np.abs(size - logs[place - 1]))
    return np.asarray((gap < 0.01) & (size > 0.3), dtype=np.bool_)


def _above(grid: Grid, factor: FloatArray, step: FloatArray, moved: BoolArray, both: BoolArray) -> Iterator[Finding]:
    """Yield series that end with the adjusted close above the traded one, or whose ratio does nothing but fall."""
    for column in np.flatnonzero(both.any(axis=0)):
        rows = np.flatnonzero(both[:, column])
        first, last = factor[rows[0], column], factor[rows[-1], column]
        allowed = 1e-4 + 0.006 / grid.adjusted[rows[-1], column]
        used = grid.used[:, column].any()
        falls = int((moved[:, column] & (step[:, column] < 0)).sum())
        if falls >= FEWEST_FALLS and falls == moved[:, column].sum() and not _split_sized(step[:, column]).any():
            words = f"adjusted/traded falls {falls} times and never rises, as if the two tables were swapped"
            yield finding(
                ADJUSTED_ABOVE_TRADED, "error" if used else "note", (grid.tickers[column],), words, *grid.span(rows)
            )
            continue
        if last <= allowed:
            continue
        forward = abs(first) <= allowed
        words = f"the last adjusted close is {np.expm1(last):+.2%} above the traded one"
        if forward:
            words += "; adjusted forward from the first day, which is right for returns"
        severity = SEVERITIES[(NOTE if forward or not used else ERROR) - 1]
        yield finding(ADJUSTED_ABOVE_TRADED, severity, (grid.tickers[column],), words, grid.day(int(rows[-1])))


# -- Moves in an event window that no other day confirms: the next one goes against them, or the table ends with th


UNCONFIRMED_MOVE = Rule(
    "unconfirmed_move",
    "no move beyond 25 % in an event window that the next day goes against, nor on the last day of the table",
    "real news or a wrong price: compare with `eventstudy check STUDY --against FILE`",
)
#: A move that asks for another day that confirms it, as a fraction of the price.
LARGE_MOVE = 0.25
#: Robust standard deviations beyond which a move is large for its series.
DEVIATIONS = 4.0
#: Of fewer moves a standard deviation says nothing.
FEWEST_MOVES = 20


def unconfirmed_moves(grid: Grid, found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield large moves of an event window that may be a wrong price as well as news; days that other checks warn of are left out."""
    logs = log_closes(grid)
    change = logs - previous(logs)
    large = np.abs(np.expm1(np.nan_to_num(change))) > LARGE_MOVE
    columns = np.flatnonzero((large & grid.event).any(axis=0))
    if not len(columns):
        return
    market, known = market_moves(change), [f for f in found if f.severity != "note"]
    for column in columns.tolist():
        ticker = grid.tickers[column]
        rows = np.flatnonzero(np.isfinite(change[:, column]))
        for places in _unconfirmed(change[rows, column], market[rows]):
            days = rows[places]
            names = [grid.day(int(r)) for r in days]
            again = any(ticker in f.tickers and f.first <= day <= f.last for f in known for day in names)
            if again or not grid.event[days, column].all():
                continue
            words = ", ".join(f"{np.expm1(change[r, column]):+.0%} on {grid.day(int(r))}" for r in days)
            last = " and the table ends" if len(days) == 1 else ""
            yield finding(UNCONFIRMED_MOVE, "warning", (ticker,), words + last, *grid.span(days))


def _unconfirmed(change: FloatArray, market: FloatArray) -> Iterator[list[int]]:
    """Yield the places of two days that go against each other, and the last place if its move is large."""
    large = np.abs(np.expm1(change)) > LARGE_MOVE
    last = len(change) - 1
    taken_back = np.zeros(last, dtype=np.bool_)
    if len(change) >= FEWEST_MOVES:
        moves = change - market
        beyond = np.abs(moves) > DEVIATIONS * robust_deviation(moves)
        against = moves[1:] * moves[:-1] < 0
        taken_back = against & beyond[1:] & beyond[:-1] & (large[1:] | large[:-1])
    for place in np.flatnonzero(taken_back).tolist():
        yield [place, place + 1]
    if large[last] and not taken_back[-1:].any():
        yield [last]
