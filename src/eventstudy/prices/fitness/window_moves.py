"""Moves in an event window that no other day confirms: the next one goes against them, or the table ends with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from eventstudy.prices.fitness.finding import Finding, finding
from eventstudy.prices.fitness.grid import FloatArray, Grid, previous
from eventstudy.prices.fitness.moves import log_closes, market_moves, robust_deviation

#: A move that asks for another day that confirms it, as a fraction of the price.
LARGE_MOVE = 0.25
#: Robust standard deviations beyond which a day is no ordinary one.
DEVIATIONS = 4.0
#: Of fewer moves a standard deviation says nothing.
FEWEST_MOVES = 20


def unconfirmed_moves(grid: Grid, told: Iterable[Finding]) -> Iterator[Finding]:
    """Yield large moves of an event window that may be a wrong price as well as news.

    Parameters
    ----------
    grid : Grid
        The table.
    told : iterable of Finding
        What other checks of moves found; days of a warning or an error are not told again.
    """
    logs = log_closes(grid)
    change = logs - previous(logs)
    large = np.abs(np.expm1(np.nan_to_num(change))) > LARGE_MOVE
    columns = np.flatnonzero((large & grid.event).any(axis=0))
    if not len(columns):
        return
    market, known = market_moves(change), [f for f in told if f.severity != "note"]
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
            yield finding("unconfirmed_move", "warning", (ticker,), words + last, *grid.span(days))


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
