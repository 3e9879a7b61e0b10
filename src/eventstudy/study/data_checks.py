"""What is doubtful about the prices or returns of a study and their days: checks of validity, and prices without a trade left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.calendars import (
    DEFAULT_EXCHANGE,
    same_sessions,
    zone_of,
)
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import EventPanel
from eventstudy.events import Exchanges
from eventstudy.prices.checks.accept import in_short
from eventstudy.prices.checks.finding import Finding, Usage, make_grid
from eventstudy.prices.checks.run import check_prices, check_returns, gathered, untraded_in_events
from eventstudy.prices.table import FEW, Prices, ReturnKind, clean_frame, columns_of
from eventstudy.study.intake import Data
from eventstudy.study.refusals import FEWEST_FILLED, LISTED, markets_of, riskless
from eventstudy.study.validity import EXCHANGE_CHECK, PRICE_CHECK, STILL_CHECK, Check
from eventstudy.wording import first_few, iso_day, listed, plural

#: What the factors beside the prices are looked at for with the firms: days on which all stand still, dates that are a session off.
FOUND_BY_FACTORS = {"repeated_day", "shifted_days"}
#: What returns are told, and not refused for, where the exchange is not named but recognised.
OF_SESSIONS = {"missing_sessions", "extra_days"}
#: A firm whose price stood still on a smaller share of its estimation days moves nearly every day.
SELDOM_STILL = 0.02


def day_checks(
    data: Data,
    returns: pd.DataFrame,
    exchanges: Exchanges,
    panel: EventPanel,
    holes: pd.DatetimeIndex,
    factors_said: str = "",
) -> tuple[Check, ...]:
    """Return how dates were read, which exchange was recognised by them, and days on which no return moves."""
    checks = []
    for what, said in (("data", data.said), ("factors", factors_said)):
        if said:
            to_do = "write the days alone if they are others"
            checks.append(Check(f"Dates of the {what}", said, "days alone", False, to_do))
    placed = {n for e in panel.events.timed.values() if e.is_moment and not e.exchange for n in exchanges.of(e)[:1]}
    seen = list(dict.fromkeys([*([exchanges.sessions] if exchanges.sessions else []), *sorted(placed)]))
    if not exchanges.named and seen and seen != [DEFAULT_EXCHANGE] and not exchanges.against:
        alike = [n for n in exchanges.of_dates if n not in seen]
        same = [n for n in alike if same_sessions(n, seen[0], returns.index[0], returns.index[-1])]
        near = [n for n in alike if n not in same]
        beside = [
            *([f"the same sessions: {first_few(same, LISTED)}"] if same else []),
            *([f"nearly as near: {first_few(near, LISTED)}"] if near else []),
        ]
        said = f"{listed([f'{n} ({zone_of(n)})' for n in seen])}, recognised by the dates of the data" + (
            f" ({'; '.join(beside)})" if beside else ""
        )
        checks.append(Check(EXCHANGE_CHECK, said, "named, or recognised by the dates", True))
    elif exchanges.against:
        count = f"the sessions of {exchanges.sessions}" if exchanges.sessions else "the rows as they are"
        to_do = f"relative days count {count}; if rows are missing or wrong, mend them, else name the exchange with calendar=, or calendar=None"
        checks.append(Check(EXCHANGE_CHECK, exchanges.against, "named, or recognised by the dates", False, to_do))
    checks += _left_out(data, returns, exchanges, panel, holes)
    if data.prices is None:
        there = set(returns.columns.tolist())
        idle = _idle_days(
            columns_of(returns, [c for c in dict.fromkeys([*panel.events.firms[0], *panel.columns]) if c in there])
        )
        if len(idle) >= FEWEST_FILLED:
            checks.append(
                Check(
                    "Days without trade",
                    f"{len(idle)}: {first_few(map(iso_day, idle), 4)}",
                    "no day on which every return is zero",
                    False,
                    "days on which the exchange was closed, filled with zeros? Relative days count them: leave these rows out",
                )
            )
    return tuple(checks)


def _idle_days(returns: pd.DataFrame) -> pd.DatetimeIndex:
    """Return the days on which all returns of several columns are zero or missing, and one is there."""
    values, days = returns.to_numpy(), pd.DatetimeIndex(returns.index)
    if values.shape[1] < 2:
        return days[:0]
    moves = (np.abs(values[:, :FEW]) > 0.0).any(axis=1)
    rows = np.flatnonzero(~moves)  # what moves in some columns is not looked at in all
    still = values[rows] == 0.0
    return pd.DatetimeIndex(days[rows[(still | np.isnan(values[rows])).all(axis=1) & still.any(axis=1)]])


def _left_out(
    data: Data, returns: pd.DataFrame, exchanges: Exchanges, panel: EventPanel, holes: pd.DatetimeIndex
) -> list[Check]:
    """Say that firms have figures on days that are none of the benchmark's, where its days are the sessions."""
    if exchanges.sessions and data.prices is not None:  # a check of prices tells them
        return []
    table = data.table.adj_close if isinstance(data.table, Prices) else data.table
    days = pd.DatetimeIndex(table.index)
    apart = ~(days.isin(returns.index) | days.isin(holes))
    if not apart.any():
        return []
    there = set(table.columns.tolist())
    firms = [t for t in panel.events.firms[0] if t in there]
    days, more = days[apart], table.loc[apart, firms].notna()
    number = int(more.any(axis=1).sum())
    if not number:
        return []
    who = first_few([t for t in firms if more[t].any()], LISTED)
    rest = (
        "their moves are in the return of the next session"
        if data.prices is not None
        else "their returns are in no window: add them to the next session's, or hand in prices"
    )
    value = f"{plural(number, 'further day')} of {who} left out: {first_few(map(iso_day, days[more.any(axis=1)]), 4)}"
    return [
        Check(
            "Days of the benchmark",
            value,
            "the same days for all",
            False,
            f"relative days count the benchmark's; {rest}",
        )
    ]


def price_findings(
    data: Prices | pd.DataFrame,
    panel: EventPanel,
    model: NormalReturnModel,
    exchange: str | None,
    returns: pd.DataFrame | None = None,
    kind: ReturnKind | None = "simple",
    named: bool = False,
) -> tuple[Finding, ...]:
    """Return what is wrong with the prices of a study, or its returns, and its factors; what it does not use is a note.

    ``returns`` are those on sessions, with the factors beside the prices; ``kind`` is None for what are no returns; ``named``: the study
    names the exchange.
    """
    if not panel.n:  # the refusal says why each event was dropped
        return ()
    usage = usage_of(data, panel, model)
    tickers, columns = usage.tickers, usage.columns
    benchmarks = [c for c in columns if c == model.benchmark]
    if not isinstance(data, Prices):
        return _returns_findings(data, model, usage, kind, exchange, named)
    found = check_prices(
        data.select([*tickers, *columns]),
        calendar=exchange,
        benchmarks=benchmarks,
        usage=usage,
        thin_trading=model.thin_trading,
    )
    factors = [c for c in dict.fromkeys(model.columns) if c not in data.tickers]
    if returns is None or kind is None or not factors:
        return found
    beside = _returns_findings(returns, model, replace(usage, columns=tuple(factors)), kind, None)
    known = {f.check for f in found}
    of_factors = (f for f in beside if f.check in FOUND_BY_FACTORS - known or set(f.tickers) & set(factors))
    return gathered([*found, *of_factors])


def _returns_findings(
    returns: pd.DataFrame,
    model: NormalReturnModel,
    usage: Usage,
    kind: ReturnKind | None,
    exchange: str | None,
    named: bool = True,
) -> tuple[Finding, ...]:
    """Return what is wrong with returns; a risk-free rate stands still by nature and is left out.

    Missing sessions and further days of an exchange that is not named but recognised are a warning at most: a window with a hole has no sum as it is.
    """
    left_out = riskless(model)
    there = set(returns.columns.tolist()) - {left_out}
    needed = [c for c in dict.fromkeys([*usage.tickers, *usage.columns]) if c in there]
    markets = [c for c in markets_of(model) if c in needed]
    thin = model.thin_trading
    found = check_returns(
        columns_of(returns, needed), kind=kind, calendar=exchange, benchmarks=markets, usage=usage, thin_trading=thin
    )
    if named:
        return found
    return gathered(
        replace(f, severity="warning") if f.check in OF_SESSIONS and f.severity == "error" else f for f in found
    )


def usage_of(data: Prices | pd.DataFrame, panel: EventPanel, model: NormalReturnModel) -> Usage:
    """Return which prices the events of a panel use."""
    in_data = data.tickers if isinstance(data, Prices) else tuple(data.columns)
    columns = tuple(c for c in model.columns if c in in_data)
    tickers = tuple(panel.events.tickers.tolist())
    final = len(panel.calendar) - 1
    first, start, last = (
        panel.calendar[np.clip(panel.position + day, 0, final)]
        for day in (panel.estimation.start - 1, panel.window.start - 1, panel.window.end)
    )
    largest_offset = max((abs(o) for o in model.offsets), default=0)
    return Usage(tickers, first, start, last, columns, largest_offset, panel.sessions)


def without_untraded(prices: Prices, panel: EventPanel, model: NormalReturnModel, exchange: str | None) -> Prices:
    """Return prices without the closes of event windows behind which no trade stands: their returns are zero by construction."""
    if not panel.n:
        return prices
    usage = usage_of(prices, panel, model)
    grid = make_grid(prices.select([*usage.tickers, *usage.columns]), exchange, (), usage, model.thin_trading)
    untraded = untraded_in_events(grid)
    if not untraded.any():
        return prices
    mask = pd.DataFrame(untraded, index=grid.days, columns=list(grid.tickers))

    def emptied(frame: pd.DataFrame) -> pd.DataFrame:
        table = clean_frame(frame, "close")
        return table.mask(mask.reindex(index=table.index, columns=table.columns, fill_value=False))

    close = None if prices.close is None else emptied(prices.close)
    return replace(prices, adj_close=emptied(prices.adj_close), close=close)


def gaps_in_words(prices: Prices, tickers: Sequence[str], model: NormalReturnModel, exchange: str | None) -> str:
    """Return which prices are missing, for a study that is left without events; empty if none are."""
    needed = [t for t in (*tickers, *model.columns) if t in prices.tickers]
    benchmarks = [b for b in (model.benchmark,) if b in needed]
    found = check_prices(prices.select(needed), calendar=exchange, benchmarks=benchmarks)
    gaps = [
        f
        for f in found
        if f.check in ("missing_sessions", "missing_prices", "benchmark_holes") and f.severity != "note"
    ]
    return "".join(f"\n  {f}." for f in gaps[:LISTED])


def still_check(data: Data, panel: EventPanel, model: NormalReturnModel) -> tuple[Check, ...]:
    """Doubt a price that repeats the day before's on the event day, of a firm that moves nearly every day, unless a trade is known; else nothing."""
    zero = -panel.window.start
    if model.thin_trading or not panel.n or not 0 <= zero < len(panel.window):
        return ()
    still = panel.counted.still_on_day_0 & (panel.zero_share < SELDOM_STILL)
    volume = None if data.prices is None else data.prices.volume
    if volume is not None and still.any():
        shares = clean_frame(volume, "volume").reindex(index=panel.calendar, columns=panel.events.tickers.tolist())
        still &= ~(shares.to_numpy(dtype=np.float64)[panel.position, np.arange(panel.n)] > 0)
    found = [panel.keys[i] for i in np.flatnonzero(still).tolist()]
    if not found:
        return ()
    comment = (
        f"{first_few(found, LISTED)}: the price is to the last digit that of the session before, and no volume shows a trade. If there was a halt, "
        f"or a price carried forward, the return of zero is no answer to the news: leave the day's price empty"
    )
    return (Check(STILL_CHECK, f"{len(found)} of {panel.n} did not", "all do", False, comment),)


def price_check(found: Sequence[Finding]) -> Check:
    """Return findings as one check of validity: it holds if there are notes only."""
    serious = [f for f in found if f.severity != "note"]
    return Check(PRICE_CHECK, in_short(found), "no warning", not serious, first_few(serious, LISTED, "; "))
