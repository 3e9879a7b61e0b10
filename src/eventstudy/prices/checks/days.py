"""Checks of days: sessions missing or extra, holes, repeated days, prices that stand still."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
    blocks,
    by_ticker,
    finding,
    in_window,
    previous,
)
from eventstudy.wording import first_few, iso_day

Rows = NDArray[np.int64]

MISSING_SESSIONS = Rule(
    "missing_sessions",
    "a price on every session of the exchange",
    "download these days again or fill them from another vendor; if the exchange was closed, accept it with that reason",
)
EXTRA_DAYS = Rule(
    "extra_days",
    "prices on sessions of the exchange only",
    "Remove them, name the right exchange with calendar=, or use calendar=None to take the benchmark's dates",
)
MISSING_PRICES = Rule(
    "missing_prices",
    "a price on every session between a ticker's first and last",
    "a halt, thin trading or a gap of the vendor: compare another source; each missing price costs two returns",
)
SHORT_HISTORY = Rule(
    "short_history",
    "prices over the whole table",
    "listed later or delisted earlier: nothing, if that is right",
)
BENCHMARK_HOLES = Rule(
    "benchmark_holes",
    "a benchmark's price on every session that the study uses",
    "fill the gap from another vendor, or choose another benchmark",
)
EARLY_END = Rule(
    "early_end",
    "prices to the end of the event window",
    "wait for the days that are missing, download again, or end the event window earlier",
)
REPEATED_DAY = Rule(
    "repeated_day",
    "no day that repeats the one before, close and volume",
    "leave the row out or download again: the day before carried forward, or a holiday filled in; relative days would count it",
)
STALE_PRICES = Rule(
    "stale_prices",
    "fewer than five equal closes in a row",
    "a halt, a suspended listing or a price carried forward: leave the days empty, or drop the ticker (accepted, they count as missing in an event window)",
)
CARRIED_PRICE = Rule(
    "carried_price",
    "no close of the day before in an event window, of a ticker that moves on other days",
    "compare another source: without a trade there is no return, and the news shows on a later day; leave the days empty",
)


#: Equal closes in a row that are looked up, an error if there was no trade; more are an error whatever the volume says.
STALE, STALE_ANYHOW = 5, 20
#: Share of sessions without a price beyond which a benchmark or a whole table is unfit for an estimation.
TOO_MANY = 0.05
#: A day on which this share of at least so many tickers stands still is a repetition.
REPEATED_SHARE, REPEATED_TICKERS = 0.9, 5
#: So many closes of the day before are expected by chance in all event windows, at most, for one to count as carried.
BY_CHANCE = 0.05


def _share_too_large(bad: BoolArray, used: BoolArray) -> bool:
    return bool(used.any()) and float((bad & used).sum()) > TOO_MANY * float(used.sum())


def missing_sessions(grid: Grid) -> Iterator[Finding]:
    """Yield sessions of the exchange on which nothing has a price."""
    lost = grid.session & ~grid.priced.any(axis=1)
    if grid.calendar is None or not lost.any():
        return
    used, event = grid.used.any(axis=1), grid.event.any(axis=1)
    serious = _share_too_large(lost, used & grid.session)
    level = np.where(event | (used & serious), ERROR, np.where(used, WARNING, NOTE))
    for rows in (np.flatnonzero(lost & used), np.flatnonzero(lost & ~used)):
        if len(rows):
            severity = SEVERITIES[int(level[rows].max()) - 1]
            yield finding(
                MISSING_SESSIONS,
                severity,
                (),
                f"no {'return' if grid.of_returns else 'price'} at all on {len(rows)} session(s) of {grid.calendar}: {grid.days_of(rows)}",
                *grid.span(rows),
            )


def extra_days(grid: Grid) -> Iterator[Finding]:
    """Yield days with prices on which the exchange was closed."""
    extra = ~grid.session & grid.priced.any(axis=1)
    if grid.calendar is None or not extra.any():
        return
    inside = grid.used & grid.priced
    used = inside.any(axis=1)
    for rows, severity in (
        (np.flatnonzero(extra & used), SEVERITIES[2]),
        (np.flatnonzero(extra & ~used), SEVERITIES[0]),
    ):
        if len(rows):
            who = np.flatnonzero(grid.priced[rows].any(axis=0))
            yield finding(
                EXTRA_DAYS,
                severity,
                () if len(who) == len(grid.tickers) else tuple(grid.tickers[i] for i in who),
                f"The {'returns' if grid.of_returns else 'prices'} have {len(rows)} day(s) on which {grid.calendar} was closed: {grid.days_of(rows, 6)}",
                *grid.span(rows),
            )


def _life(grid: Grid) -> tuple[Rows, Rows, BoolArray]:
    """Return first and last row with a price of each ticker, and the cells between them."""
    priced = grid.priced
    count = len(grid.days)
    first = np.where(priced.any(axis=0), priced.argmax(axis=0), count)
    last = np.where(priced.any(axis=0), count - 1 - priced[::-1].argmax(axis=0), -1)
    rows = np.arange(count)[:, None]
    return first, last, (rows >= first) & (rows <= last)


def _lost(grid: Grid) -> BoolArray:
    """Return where a price is missing on a session on which others have one."""
    return np.asarray(~grid.priced & (grid.session & grid.priced.any(axis=1))[:, None], dtype=np.bool_)


def _lost_in_words(grid: Grid) -> Callable[[int, Rows], str]:
    return lambda _, rows: f"no price on {len(rows)} session(s) on which others have one: {grid.days_of(rows)}"


def missing_prices(grid: Grid) -> Iterator[Finding]:
    """Yield missing prices of firms inside their own life."""
    _, _, alive = _life(grid)
    firms = _lost(grid) & alive & ~grid.benchmark
    level = np.where(firms, NOTE if grid.thin else WARNING, 0).astype(np.int8)
    yield from by_ticker(grid, MISSING_PRICES, level, _lost_in_words(grid))


def benchmark_holes(grid: Grid) -> Iterator[Finding]:
    """Yield missing prices of benchmarks wherever the study looks."""
    _, _, alive = _life(grid)
    marked = _lost(grid) & grid.benchmark & (alive | grid.used)
    level = in_window(grid, marked)
    for column in np.flatnonzero(marked.any(axis=0)):
        if _share_too_large(marked[:, column], grid.used[:, column] & grid.session):
            level[marked[:, column], column] = ERROR
    level = np.minimum(level, WARNING).astype(np.int8) if grid.thin else level
    yield from by_ticker(grid, BENCHMARK_HOLES, level, _lost_in_words(grid))


def short_history(grid: Grid) -> Iterator[Finding]:
    """Yield tickers that begin later or end earlier than the table."""
    first, last, _ = _life(grid)
    open_days = np.flatnonzero(grid.session)
    if not len(open_days):
        return
    for column in np.flatnonzero((first > open_days[0]) | (last < open_days[-1])):
        parts, days = [], []
        if last[column] < 0:
            parts.append("no price at all")
        else:
            if first[column] > open_days[0]:
                parts.append(f"first price on {grid.day(int(first[column]))}")
                days.append(grid.day(int(first[column])))
            if last[column] < open_days[-1]:
                parts.append(f"last price on {grid.day(int(last[column]))}")
                days.append(grid.day(int(last[column])))
        yield finding(
            SHORT_HISTORY,
            "note",
            (grid.tickers[column],),
            ", ".join(parts),
            min(days, default=""),
            max(days, default=""),
        )


def early_end(grid: Grid) -> Iterator[Finding]:
    """Yield tickers whose prices end before the event window of one of their events does."""
    usage = grid.usage
    if usage is None:
        return
    _, last, _ = _life(grid)
    column = usage.places(grid.tickers)
    ends = grid.days.to_numpy()[np.maximum(last, 0)][column]
    short = (column >= 0) & (ends < usage.last.to_numpy()) & (ends >= usage.first.to_numpy())
    for place in sorted(set(column[short].tolist())):
        mine = usage.last[short & (column == place)]
        yield finding(
            EARLY_END,
            "warning",
            (grid.tickers[place],),
            f"prices end on {grid.day(int(last[place]))}, an event window on {iso_day(mine.max())}",
            grid.day(int(last[place])),
        )


def repeated_days(grid: Grid) -> Iterator[Finding]:
    """Yield rows that repeat the one before: close and volume of a ticker, or nearly all closes of a table without volume."""
    closes = grid.closes
    same = closes == previous(closes)
    if grid.volume is not None:
        again = same & (grid.volume > 0) & (grid.volume == previous(grid.volume))
        yield from by_ticker(
            grid,
            REPEATED_DAY,
            in_window(grid, again),
            lambda _, rows: f"close and volume of the day before again: {grid.days_of(rows)}",
        )
    there = np.isfinite(closes)
    quoted = there if grid.volume is None else there & ~np.isfinite(grid.volume)
    yield from repeated_rows(grid, same & quoted, quoted, "no price moved")
    if grid.volume is not None:
        yield from repeated_rows(grid, same & ~(grid.volume > 0), there, "no price moved", whole=True)


def repeated_rows(grid: Grid, still: BoolArray, there: BoolArray, said: str, whole: bool = False) -> Iterator[Finding]:
    """Yield days on which every column, every benchmark of several, or nearly every one of five and more stands still.

    Parameters
    ----------
    still, there : ndarray of bool, shape (T, K)
        Where a figure repeats, and where there is one.
    whole : bool
        Whether days on which one column moves are left out.
    """
    rows: NDArray[np.bool_] = _all_still(grid, still, there) | _all_still(grid, still, there & grid.benchmark)
    if not whole:
        count = there.sum(axis=1)
        rows |= (count >= REPEATED_TICKERS) & (still.sum(axis=1) >= REPEATED_SHARE * count)
    level = np.where(grid.event.any(axis=1), ERROR, np.where(grid.used.any(axis=1), WARNING, NOTE))
    for severity in (ERROR, WARNING, NOTE):
        days: Rows = np.flatnonzero(np.asarray(rows & (level == severity)))
        if len(days):
            moving = (there[days] & ~still[days]).sum(axis=0)
            who = [name for name, moves in zip(grid.tickers, moving, strict=True) if not moves]
            words = f"{said} on {grid.days_of(days)}" + (f" (of {first_few(who, 6)})" if moving.any() else "")
            yield finding(REPEATED_DAY, SEVERITIES[severity - 1], (), words, *grid.span(days))


def _all_still(grid: Grid, still: BoolArray, there: BoolArray) -> NDArray[np.bool_]:
    """Return days on which each of several columns repeats, unless that is expected of columns that often do, shape (T,)."""
    mine, count = still & there, there.sum(axis=1)
    rows: BoolArray = np.asarray((count > 1) & (mine.sum(axis=1) == count), dtype=np.bool_)
    apart = there & ~rows[:, None]
    share = (mine & apart).sum(axis=0) / np.maximum(apart.sum(axis=0), 1)
    event, at = np.asarray(grid.event.any(axis=1), dtype=np.bool_), np.flatnonzero(rows)
    chance = np.where(there[at], share, 1.0).prod(axis=1)
    rows[at] = chance * np.where(event[at], event.sum(), len(rows)) <= BY_CHANCE
    return rows


def run_lengths(closes: FloatArray) -> NDArray[np.int64]:
    """Return of how many equal closes in a row each cell is one, days without a price left out, shape (T, K)."""
    priced = np.isfinite(closes)
    same = priced & (closes == previous(closes))
    length = np.ascontiguousarray(priced.T).astype(np.int64)
    at = np.flatnonzero(same.T)  # ticker after ticker
    if len(at):
        cells = None if priced.all() else np.flatnonzero(priced.T)
        place = at if cells is None else np.searchsorted(cells, at)
        first = np.append(True, place[1:] != place[:-1] + 1)
        run = first.cumsum() - 1
        size = np.bincount(run) + 1
        before = place[first] - 1
        length.ravel()[at] = size[run]
        length.ravel()[before if cells is None else cells[before]] = size
    return length.T


def carried_closes(closes: FloatArray, volume: FloatArray) -> BoolArray:
    """Return where a close is that of the day before and no trade stands behind it, shape (T, K)."""
    return np.asarray(~(volume > 0) & (closes == previous(closes)), dtype=np.bool_)


def stale_prices(grid: Grid) -> Iterator[Finding]:
    """Yield closes that stand still for days."""
    for part in grid.parts():
        yield from _stale(part)


def _stale(grid: Grid) -> Iterator[Finding]:
    closes = grid.closes
    length = run_lengths(closes)
    if not (length >= STALE).any():
        return
    long = length >= STALE
    level = np.where(long, WARNING, 0).astype(np.int8)
    if grid.volume is not None:
        known = np.isfinite(grid.volume).any(axis=0)
        idle = ~(np.nan_to_num(grid.volume) > 0) & known
        # the first close of a run may have been a trade
        level[long & (run_lengths(np.where(idle, closes, np.nan)) >= STALE - 1)] = ERROR
    level[length >= STALE_ANYHOW] = ERROR
    if grid.usage is not None:  # an abnormal return made of prices carried forward, unless trades stand behind them
        level[long & grid.event & ~(np.nan_to_num(grid.volume if grid.volume is not None else closes * 0.0) > 0)] = (
            ERROR
        )
    if grid.thin:
        level = np.minimum(level, NOTE).astype(np.int8)

    def words(column: int, rows: Rows) -> str:
        runs = int(length[rows, column].max())
        return _constant(grid, column, runs) or _standing(grid, column, rows, runs)

    yield from by_ticker(grid, STALE_PRICES, level, words)


def _constant(grid: Grid, column: int, run: int) -> str:
    if run < int(np.isfinite(grid.closes[:, column]).sum()):
        return ""
    if grid.of_returns:
        return f"returns of exactly zero on all {run} days: there is no variance, and so no standard error"
    price = np.nanmax(grid.closes[:, column])
    return f"constant prices, {price:g} on all {run} days: there is no variance, and so no standard error"


def _standing(grid: Grid, column: int, rows: Rows, run: int) -> str:
    if grid.of_returns:
        return f"returns of exactly zero on up to {run - 1} days in a row"
    price = grid.closes[rows[0], column]
    idle = grid.volume is not None and not (np.nan_to_num(grid.volume[rows[1:], column]) > 0).any()
    known = grid.volume is not None and np.isfinite(grid.volume[:, column]).any()
    volume = " without any volume" if idle and known else ""
    return f"the close {price:g} on up to {run} days in a row{volume}, {len(rows)} days in all"


def carried_prices(grid: Grid) -> Iterator[Finding]:
    """Yield single closes of event windows that are those of the day before, of tickers without volumes that otherwise move."""
    if grid.usage is None:
        return
    number, share, row, column = _closes_again(grid)
    if not len(row):
        return
    firms = number > 0
    share = np.maximum(share, np.median(share[firms]))
    some, place = np.unique(column, return_inverse=True)
    days = np.empty(len(row), dtype=np.int64)
    for block in blocks(len(some)):
        mine = slice(*np.searchsorted(place, (block.start, block.stop)))
        days[mine] = run_lengths(grid.closes[:, some[block]])[row[mine], place[mine] - block.start] - 1
    expected = share[column] ** np.maximum(days, 1) * (number * firms.sum())[column]
    chosen = (days < STALE - 1) & (expected <= BY_CHANCE)
    if grid.usage.zero is not None:
        zero, firm = grid.days.get_indexer(grid.usage.zero), grid.usage.places(grid.tickers)
        apart = (zero >= 0) & (firm >= 0)
        told = np.isin(column * len(grid.days) + row, firm[apart] * len(grid.days) + zero[apart])
        chosen &= ~(told & (days == 1))
    level = np.zeros(grid.closes.shape, dtype=np.int8)
    level[row[chosen], column[chosen]] = NOTE if grid.thin else WARNING
    said = "a return of exactly zero" if grid.of_returns else "the close of the day before, to the last digit"
    yield from by_ticker(grid, CARRIED_PRICE, level, lambda _, rows: f"{said}: {grid.days_of(rows)}")


def _closes_again(grid: Grid) -> tuple[Rows, FloatArray, Rows, Rows]:
    """Return closes that are those of the day before.

    Returns
    -------
    ndarray of int and ndarray, shape (K,)
        How many closes each ticker has in event windows, and the share of its other ones that are those of the day before.
    ndarray of int, shape (n,), twice
        Rows and, ascending, columns of those in event windows, of tickers without volumes.
    """
    counts, shares, rows, columns = [], [], [], []
    for part, block in zip(grid.parts(), blocks(len(grid.tickers)), strict=True):
        closes, event = part.closes, part.event
        there = part.priced if part.traded is None else np.isfinite(closes)
        same = there & (closes == previous(closes))
        number = (there & event).sum(axis=0)
        counts.append(number)
        shares.append((same & ~event).sum(axis=0) / np.maximum(there.sum(axis=0) - number, 1))
        untold = np.ones(closes.shape[1], dtype=np.bool_)
        if part.volume is not None:
            untold = np.asarray(~np.isfinite(part.volume).any(axis=0), dtype=np.bool_)
        column, row = np.nonzero((same & event & untold[None, :]).T)
        rows.append(row)
        columns.append(column + block.start)
    return np.concatenate(counts), np.concatenate(shares), np.concatenate(rows), np.concatenate(columns)
