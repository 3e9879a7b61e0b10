"""Checks of whole series: days copied from elsewhere in a series, and days that are a session off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventstudy.prices.checks.finding import ERROR, NOTE, BoolArray, Finding, FloatArray, Grid, Rule, by_ticker, finding
from eventstudy.wording import first_few

REPEATED_BLOCK = Rule(
    "repeated_block",
    "no days in a row that repeat earlier ones",
    "compare these days with a second vendor; download again, or leave the copies empty",
)
SHIFTED_DAYS = Rule(
    "shifted_days",
    "moves with the market of the same session",
    "compare a known day with a second vendor: dates may be a session off; against a market that closes at another hour, "
    "use a benchmark of the firm's own exchange",
)

#: Days in a row that are a copy: with volumes, and by their closes alone.
COPIED, COPIED_CLOSES = 3, 4
#: So many copies of closes that came about by chance are expected in a series, at most, for one to be called a copy.
BY_CHANCE = 1e-4
#: Days over which a series is compared with the market, besides all its days; the least number that says something.
STRETCH, LEAST_DAYS = 250, 60
#: How much closer the market of the day before or after must be: a difference of correlations, and standard errors.
CLOSER, CLOSER_ERRORS = 0.25, 6.0
#: By how much less a first estimate of that difference may be.
MARGIN = 0.1
#: Series besides its own whose mean move counts as a market.
FEWEST_PEERS = 5


class Copy(NamedTuple):
    """Days of one series that repeat earlier ones: first row, first row of the earlier ones, number of rows."""

    row: int
    source: int
    days: int


# -- Blocks of days that are copies.


def repeated_blocks(grid: Grid) -> Iterator[Finding]:
    """Yield series with days in a row that are copies of others."""
    closes = grid.closes
    found: dict[int, list[Copy]] = {}
    if grid.volume is not None:
        both = np.where(np.nan_to_num(grid.volume) > 0, closes, np.nan)
        for column in _candidates(_mixed(_marks(both), _marks(grid.volume)), np.isfinite(both), COPIED):
            pairs = np.column_stack((both[:, column], grid.volume[:, column]))
            found[column] = copied_days(pairs, COPIED)
    for column in _candidates(_marks(closes), np.isfinite(closes), COPIED_CLOSES):
        seen = {c.row for c in found.get(column, [])}
        more = [c for c in copied_days(closes[:, [column]], COPIED_CLOSES) if _is_no_chance(closes[:, column], c)]
        found.setdefault(column, []).extend(c for c in more if c.row not in seen)
    level = np.zeros(closes.shape, dtype=np.int8)
    for column, copies in found.items():
        for copy in copies:
            level[copy.row : copy.row + copy.days, column] = ERROR
            level[copy.source : copy.source + copy.days, column] = ERROR  # either may be the wrong one

    def words(column: int, _: NDArray[np.int64]) -> str:
        copies = found[column]
        shown = (f"{grid.day(c.row)} to {grid.day(c.row + c.days - 1)} as from {grid.day(c.source)} on" for c in copies)
        return f"the same figures on days in a row: {first_few(shown, 3)}"

    yield from by_ticker(grid, REPEATED_BLOCK, level, words)


def _marks(values: FloatArray) -> NDArray[np.uint64]:
    return np.ascontiguousarray(values + 0.0).view(np.uint64)


def _mixed(one: NDArray[np.uint64], two: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.asarray((one * np.uint64(0x9E3779B97F4A7C15)) ^ (two * np.uint64(0xC2B2AE3D27D4EB4F) >> np.uint64(7)))


def _candidates(marks: NDArray[np.uint64], known: NDArray[np.bool_], length: int) -> list[int]:
    """Return columns in which a run of so many rows occurs twice, for a closer look."""
    count = len(marks) - length + 1
    if count < 2:
        return []
    total = np.zeros((count, marks.shape[1]), dtype=np.uint64)
    whole = np.ones(total.shape, dtype=np.bool_)
    for place in range(length):
        rows = slice(place, place + count)
        total = _mixed(total, marks[rows]) + np.uint64(place)
        whole &= known[rows]
    # a run with a hole is like no other
    total = np.where(whole, total, np.arange(total.size, dtype=np.uint64).reshape(total.shape))
    total.sort(axis=0)
    return [int(c) for c in np.flatnonzero((total[1:] == total[:-1]).any(axis=0))]


def copied_days(rows: FloatArray, length: int) -> list[Copy]:
    """Return the longest runs of so many rows or more that occur before, side by side at the earliest, and are not one row over and over."""
    known = np.isfinite(rows).all(axis=1)
    _, mark = np.unique(np.nan_to_num(rows), axis=0, return_inverse=True)
    mark = np.where(known, mark.ravel(), -1 - np.arange(len(rows)))
    seen: dict[tuple[int, ...], int] = {}
    out: list[Copy] = []
    for row in range(len(mark) - length + 1):
        run = tuple(mark[row : row + length].tolist())
        source = seen.setdefault(run, row)
        if row - source < length or len(set(run)) < length - 1:
            continue
        if out and row == out[-1].row + out[-1].days - length + 1 and row - source == out[-1].row - out[-1].source:
            out[-1] = out[-1]._replace(days=out[-1].days + 1)
        else:
            out.append(Copy(row, source, length))
    return [c for c in out if c.days <= c.row - c.source]


def _is_no_chance(closes: FloatArray, copy: Copy) -> bool:
    """Tell whether closes of a series can hardly come twice by chance: prices in cents do, at a few dollars."""
    values = closes[np.isfinite(closes)]
    moves = np.diff(values).round(9)
    same_level, same_move = (float(np.square(_shares(v)).sum()) for v in (values, moves))
    return len(values) ** 2 / 2 * same_level * same_move ** (copy.days - 1) < BY_CHANCE


def _shares(values: FloatArray) -> FloatArray:
    counts = np.unique(values, return_counts=True)[1]
    return np.asarray(counts / counts.sum(), dtype=np.float64)


# -- Series a session off.


def shifted_days(grid: Grid, stretches: list[slice] | None = None) -> Iterator[Finding]:
    """Yield series that follow the market of the session before or after more closely than that of the day; ``stretches``: where to look, if that is known."""
    some = grid.priced.any(axis=1)
    rows = np.flatnonzero(some)
    if stretches is None:
        stretches = doubtful_stretches(_log_returns(grid, rows).T, grid.benchmark)
    level = np.zeros(grid.adjusted.shape, dtype=np.int8)
    said: dict[int, tuple[int, float, float]] = {}
    for stretch in stretches:
        returns = _log_returns(grid, rows[stretch])
        there = np.isfinite(returns)
        lag, closer, day = _lags(returns, there, grid.benchmark)
        limit = np.maximum(CLOSER, CLOSER_ERRORS / np.sqrt(np.maximum(there.sum(axis=0), 1)))
        for column in np.flatnonzero((closer - day > limit) & (there.sum(axis=0) >= LEAST_DAYS)).tolist():
            level[rows[stretch], column] = NOTE if grid.thin else ERROR
            said.setdefault(column, (int(lag[column]), float(closer[column]), float(day[column])))

    def words(column: int, _: NDArray[np.int64]) -> str:
        lag, closer, day = said[column]
        side = "after" if lag > 0 else "before"
        return f"correlation {closer:.2f} with the market of the session {side}, {day:.2f} with that of the day"

    yield from by_ticker(grid, SHIFTED_DAYS, level, words)


def _log_returns(grid: Grid, rows: NDArray[np.int64]) -> FloatArray:
    """Return the log returns of some rows since the row before each, NaN where there is none, shape (n, K)."""
    prices = grid.adjusted
    with np.errstate(divide="ignore", invalid="ignore"):
        now, before = (np.log(np.where(p > 0, p, np.nan)) for p in (prices[rows], prices[rows - 1]))
    before[rows == 0] = np.nan
    return np.asarray(now - before, dtype=np.float64)


def _stretches(count: int) -> list[slice]:
    whole = [slice(0, count)] if count > LEAST_DAYS else []
    starts = range(0, count - STRETCH + 1, STRETCH // 2) if count >= 2 * STRETCH else ()
    return whole + [slice(start, start + STRETCH) for start in starts]


def doubtful_stretches(series: NDArray[np.floating], benchmark: BoolArray) -> list[slice]:
    """Return the stretches in which `shifted_days` may find one of some series of log returns, shape (K, T), with a day for each on which any has one."""
    return _looked_at(series, benchmark, _stretches(series.shape[1]))


def _looked_at(series: NDArray[np.floating], benchmark: BoolArray, stretches: list[slice]) -> list[slice]:
    """Return the stretches in which one of some series, shape (K, T), may be closer to the market of another day, by sums over half stretches.

    The correlations are those of `_lags` but for moves at the ends of a stretch, days without a return, and the spread by which series are
    weighted in their mean, which is that of all days.
    """
    if not stretches:
        return []
    count = series.shape[1]
    half = STRETCH // 2 if len(stretches) > 1 else count
    number = np.tile(np.diff(np.append(np.arange(0, count, half), count)), (len(series), 1))  # K × half stretches
    units = np.zeros((len(series), number.shape[1] * half), dtype=np.float32)
    units[:, :count] = series
    lost = np.flatnonzero(~np.isfinite(units))
    if len(lost):
        units.ravel()[lost] = 0.0
        number -= np.bincount(lost // half, minlength=number.size).reshape(number.shape)
    scale = np.sqrt(np.einsum("kt,kt->k", units, units) / np.maximum(number.sum(axis=1), 1))
    units *= (1.0 / np.where(scale > 0, scale, 1.0)).astype(np.float32)[:, None]
    markets, weight = units[benchmark], np.zeros(int(benchmark.sum()))
    if len(units) > FEWEST_PEERS:
        at = lost % units.shape[1]
        peers = np.maximum(len(units) - 1 - np.bincount(at, minlength=units.shape[1]), 1)
        markets = np.vstack((markets, np.ones(len(units), dtype=np.float32) @ units / peers)).astype(np.float32)
        weight = np.append(weight, 1.0 / peers[:count].mean())
    if not len(markets):
        return []
    sums = _block_sums(units, markets, weight, half)
    total = [np.concatenate((np.zeros_like(s[:1]), s.cumsum(axis=0))) for s in (*sums, number.T)]
    first = np.array([stretch.start // half for stretch in stretches])
    last = np.array([-(-stretch.stop // half) for stretch in stretches])
    product, squares, its, seen = (t[last] - t[first] for t in total)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.nan_to_num(
            np.abs(product) / np.sqrt(squares[:, None, None] * its[:, None])
        )  # stretches × lags × markets × K
    best = size.max(axis=2, initial=0.0)
    limit = np.maximum(CLOSER, CLOSER_ERRORS / np.sqrt(np.maximum(seen, 1)))
    closer = (np.maximum(best[:, 0], best[:, 2]) - best[:, 1] > limit - MARGIN).any(axis=1)
    return [stretch for stretch, may in zip(stretches, closer.tolist(), strict=True) if may]


def _block_sums(
    units: NDArray[np.float32], markets: NDArray[np.float32], weight: FloatArray, length: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return by blocks of days the products of series with each market of the day before, the same and the next, and squares of the series and of the markets without it.

    Shapes (B, 3, markets, K), (B, K) and (B, markets, K); ``weight``: a series' own share in each market.
    """
    x = units.reshape(len(units), -1, length)
    own, beside = np.einsum("kbt,kbt->bk", x, x), np.einsum("kbt,kbt->bk", x[:, :, 1:], x[:, :, :-1])
    around = np.pad(markets, ((0, 0), (1, 1)))
    lagged = np.stack([around[:, lag : lag + units.shape[1]] for lag in range(3)]).reshape(3 * len(markets), -1, length)
    product = np.matmul(x.transpose(1, 0, 2), lagged.transpose(1, 2, 0)).transpose(0, 2, 1).astype(np.float64)
    product = product.reshape(len(product), 3, len(markets), len(units))
    same = product[:, 1].copy()
    product -= np.stack([beside, own, beside], axis=1)[:, :, None, :] * weight[None, None, :, None]
    mine = (lagged.reshape(3, len(markets), -1, length)[1] ** 2).sum(axis=2).T[:, :, None]
    squares = mine - 2.0 * weight[:, None] * same + weight[:, None] ** 2 * own[:, None, :]
    return product, own.astype(np.float64), np.maximum(squares, 0.0)


def _lags(
    returns: FloatArray, there: NDArray[np.bool_], benchmark: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Return for each series the lag at which a market is closest, the correlation there, and the best one of the day.

    Markets are the benchmarks and, where there are enough series, the mean of the others.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt(np.nanmean(np.where(there, returns, 0.0) ** 2, axis=0) / np.maximum(there.mean(axis=0), 1e-12))
        units = np.where(there & (scale > 0), returns / np.where(scale > 0, scale, 1.0), 0.0)
    columns = returns.shape[1]
    best = np.full((3, columns), -1.0)
    for mark in np.flatnonzero(benchmark).tolist():
        others = np.arange(columns) != mark
        for place, lag in enumerate((-1, 0, 1)):
            size = _correlations(units, there, units[:, [mark]], there[:, [mark]], lag)
            best[place, others] = np.maximum(best[place, others], np.abs(size[others]))
    number = there.sum(axis=1, keepdims=True) - there
    if columns > FEWEST_PEERS:
        enough = number >= FEWEST_PEERS
        mean = np.where(enough, (units.sum(axis=1, keepdims=True) - units) / np.maximum(number, 1), 0.0)
        for place, lag in enumerate((-1, 0, 1)):
            best[place] = np.maximum(best[place], np.abs(_correlations(units, there, mean, enough, lag)))
    off = np.where(best[0] >= best[2], -1, 1)
    return off, np.maximum(best[0], best[2]), best[1]


def _correlations(
    units: FloatArray, there: NDArray[np.bool_], market: FloatArray, known: NDArray[np.bool_], lag: int
) -> FloatArray:
    """Return correlations of each series with the market of ``lag`` sessions later, of moves about zero."""
    count = len(units)
    mine, its = slice(max(-lag, 0), count - max(lag, 0)), slice(max(lag, 0), count - max(-lag, 0))
    both = there[mine] & known[its]
    x, y = np.where(both, units[mine], 0.0), np.where(both, market[its], 0.0)
    size = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    return np.asarray((x * y).sum(axis=0) / np.where(size > 0, size, np.inf), dtype=np.float64)


# -- One series under two tickers: on all their common days, or on many in a row.


DUPLICATE_SERIES = Rule(
    "duplicate_series",
    "each series under one ticker",
    "one of them holds the other's prices: download it again",
)
EQUALS_BENCHMARK = Rule(
    "equals_benchmark",
    "a firm's returns that are not the benchmark's",
    "one of them holds the other's prices: download it again",
)

#: Common returns with which two series can be called identical, and the share of their squares that may differ.
COMMON_RETURNS, IDENTICAL, SAMPLED_DAYS = 20, 1e-7, 40
#: Returns that differ by no more are the same; within as much times ten of zero they say nothing.
SAME = 1e-6
#: Common days in a row with the same returns, none of them zero, on which two series are one.
SAME_IN_A_ROW = 60
#: Days of a block by which such runs are looked for: a run holds a whole block wherever it begins.
BLOCK = SAME_IN_A_ROW // 2
#: Columns with the next sums that a column of a block is compared with: others may lie between two twins by chance.
NEIGHBOURS = 4
#: Parts of the sampled days, and pairs that are compared at once, day by day and as a table.
PARTS, PAIRS, CELLS = 8, 20_000, 2_000_000
#: Squares of moves whose sum is none.
TINY = 1e-12
#: By how much sums of equal moves may lie farther apart than the moves, as they are rounded.
ROUNDED = 1.001


def twins(grid: Grid) -> Iterator[Finding]:
    """Yield pairs of tickers with the same returns."""
    returns = np.full(grid.adjusted.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns[1:] = grid.adjusted[1:] / grid.adjusted[:-1] - 1.0
    yield from twins_of(grid, returns)


def twins_of(grid: Grid, returns: FloatArray) -> Iterator[Finding]:
    """Yield pairs of tickers with the same returns on all their common days, or on sixty in a row.

    Parameters
    ----------
    returns : ndarray, shape (T, K)
        Its returns.
    """
    series = np.ascontiguousarray(returns.T)
    whole = {pair: rows for pair in _alike(series) if len(rows := _all_days(series, *pair))}
    stretches = {
        pair: rows
        for pair in sorted(_twin_candidates(series) - whole.keys())
        if len(rows := _longest_run(series, *pair))
    }
    for (i, j), rows in (whole | stretches).items():
        if grid.benchmark[i] and grid.benchmark[j]:
            continue
        against = bool(grid.benchmark[i]) != bool(grid.benchmark[j])
        used = grid.used[rows][:, [i, j]].any()  # which of the two is wrong is not known
        how = f"all {len(rows)} common days" if (i, j) in whole else f"{len(rows)} days in a row that are not zero"
        yield finding(
            EQUALS_BENCHMARK if against else DUPLICATE_SERIES,
            "error" if used else "note",
            (grid.tickers[i], grid.tickers[j]),
            f"the same return on {how}",
            *grid.span(rows),
        )


def _all_days(series: FloatArray, i: int, j: int) -> NDArray[np.int64]:
    """Return the common days of two series, shape (K, T), if they agree on all of them, else none."""
    common = np.flatnonzero(np.isfinite(series[i]) & np.isfinite(series[j]))
    same = len(common) >= COMMON_RETURNS and np.allclose(series[i, common], series[j, common], rtol=0.0, atol=SAME)
    return common if same else common[:0]


def _longest_run(series: FloatArray, i: int, j: int) -> NDArray[np.int64]:
    """Return the longest run of common days on which two series agree and move, if it is long enough, else none."""
    one, two = series[i], series[j]
    there = np.isfinite(one) & np.isfinite(two)
    rows = np.flatnonzero(there & (np.maximum(np.abs(np.nan_to_num(one)), np.abs(np.nan_to_num(two))) > 10 * SAME))
    same = np.abs(one[rows] - two[rows]) <= SAME
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
    if not len(edges):
        return rows[:0]
    starts, stops = edges[::2], edges[1::2]
    longest = int((stops - starts).argmax())
    run = rows[starts[longest] : stops[longest]]
    return run if len(run) >= SAME_IN_A_ROW else rows[:0]


def _twin_candidates(series: FloatArray) -> set[tuple[int, int]]:
    """Return pairs of series, shape (K, T), that agree on a whole block of days, for a closer look: of those whose weighted sums are neighbours."""
    number = series.shape[1] // BLOCK
    blocks = series[:, : number * BLOCK].reshape(len(series), number, BLOCK)
    weights = np.cos(np.arange(1.0, BLOCK + 1.0))
    key = np.ascontiguousarray((blocks @ weights).T)
    far = ROUNDED * SAME * float(np.abs(weights).sum())
    b, k = np.nonzero(~(np.abs(key) > 11.0 * far))  # with holes, or still
    if len(k):
        holed = blocks[k, b]
        moves = np.isfinite(holed).any(axis=1) & (np.abs(np.nan_to_num(holed)) > 10 * SAME).any(axis=1)
        key[b, k] = np.where(moves, np.nan_to_num(holed) @ weights, np.inf)
    first = np.ascontiguousarray(blocks[:, :, 0].T)
    order = key.argsort(axis=1)
    ranked = np.take_along_axis(key, order, axis=1)
    found: set[tuple[int, int]] = set()
    for step in range(1, min(NEIGHBOURS, len(series) - 1) + 1):
        with np.errstate(invalid="ignore"):
            block, place = np.nonzero(ranked[:, step:] - ranked[:, :-step] <= far)
        one, two = order[block, place], order[block, place + step]
        near = ~(np.abs(first[block, one] - first[block, two]) > SAME)  # most differ on the first
        one, two, block = one[near], two[near], block[near]
        same = (np.abs(np.nan_to_num(blocks[one, block]) - np.nan_to_num(blocks[two, block])) <= SAME).all(axis=1)
        one, two = one[same], two[same]
        found.update(zip(np.minimum(one, two).tolist(), np.maximum(one, two).tolist(), strict=True))
    return found


def _alike(series: FloatArray) -> list[tuple[int, int]]:
    """Return pairs of series, shape (K, T), that agree on a sample of their days, for a closer look.

    Two that agree have sums over a part of the sample beside each other. A part with a hole, or without a move, says nothing of a series, and
    series without a common part that does are compared day by day.
    """
    count = series.shape[1]
    if count <= COMMON_RETURNS:
        return []
    rows = np.linspace(1, count - 1, min(SAMPLED_DAYS, count - 1)).astype(np.int64)
    sample = series[:, rows]
    there = np.isfinite(sample)
    values = np.where(there, sample, 0.0)
    moving = np.einsum("kd,kd->k", values, values) > TINY
    told = np.zeros(len(series), dtype=np.int64)
    found: list[tuple[int, int]] = []
    for part, days in enumerate(np.array_split(np.arange(len(rows)), PARTS)):
        mine = values[:, days]
        whole = there[:, days].all(axis=1) & (np.abs(mine).max(axis=1) > 10 * SAME) & moving
        told |= whole.astype(np.int64) << part
        weights = np.cos(np.arange(1.0, len(days) + 1.0))
        one, two = _neighbours(mine @ weights, ROUNDED * SAME * float(np.abs(weights).sum()), np.flatnonzero(whole))
        near = np.abs(mine[one, 0] - mine[two, 0]) <= SAME  # most differ on the first
        one, two = one[near], two[near]
        for at in range(0, len(one), PAIRS):
            found += _agreeing(values, there, one[at : at + PAIRS], two[at : at + PAIRS])
    for pattern in np.unique(told[moving]):
        mine, others = np.flatnonzero(moving & (told == pattern)), np.flatnonzero(moving & (told & pattern == 0))
        step = max(1, CELLS // max(len(others), 1))
        for at in range(0, len(mine) if len(others) else 0, step):
            found += _agreeing(values, there, mine[at : at + step, None], others[None, :])
    return sorted(set(found))


def _neighbours(key: FloatArray, far: float, chosen: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the chosen series whose sums are no farther from each other, in pairs."""
    order = chosen[key[chosen].argsort()]
    ranked = key[order]
    number = np.searchsorted(ranked, ranked + far, side="right") - np.arange(len(order)) - 1
    one = np.repeat(np.arange(len(order)), number)
    two = one + 1 + np.arange(len(one)) - np.repeat(number.cumsum() - number, number)
    return order[one], order[two]


def _agreeing(
    values: FloatArray, there: BoolArray, one: NDArray[np.intp], two: NDArray[np.intp]
) -> list[tuple[int, int]]:
    """Return the pairs of series whose sampled values are the same on common days; indices in pairs, or a column and a row of them for all."""
    if one.ndim == 1:
        both = there[one] & there[two]
        squares = [np.where(both, values[side] ** 2, 0.0).sum(axis=1) for side in (one, two)]
        apart = (np.where(both, values[one] - values[two], 0.0) ** 2).sum(axis=1)
    else:
        (mine, other), (own, its) = ((a[one[:, 0]], a[two[0]]) for a in (values, there.astype(np.float64)))
        squares = [mine**2 @ its.T, own @ (other**2).T]
        apart = squares[0] + squares[1] - 2.0 * (mine @ other.T)
        one, two = np.broadcast_arrays(one, two)
    scale = np.minimum(*squares)
    same = (apart <= IDENTICAL * scale) & (scale > TINY) & (one != two)
    return [(min(i, j), max(i, j)) for i, j in zip(one[same].tolist(), two[same].tolist(), strict=True)]
