"""What claims are judged by: prices, returns, moves of the estimation window, abnormal returns, share counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.claims.ruling import SHARP_TAIL
from eventstudy.claims.schema import BUILT_IN_BASKETS, ClaimBook, ClaimPart
from eventstudy.errors import DataMissing, EventStudyError, StudyFileError
from eventstudy.events import Event
from eventstudy.inference.market_value import SPLIT_IN_WINDOW_TOLERANCE
from eventstudy.inference.single import car_interval
from eventstudy.prices.firms import another_firm
from eventstudy.prices.snapshot import (
    ShareCount,
    is_snapshot,
    load_snapshot,
    load_universe,
    share_counts,
    universe_members,
)
from eventstudy.prices.table import Prices
from eventstudy.study.results import EventStudyResult
from eventstudy.study.run import EventStudy
from eventstudy.study.yardstick import AgainstRest, BenchmarkCheck
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean, first_few, iso_day


def price_returns(adjusted: np.ndarray, closes: np.ndarray | None, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the change of the price over every stretch of n days, and where the closes gave it.

    Parameters
    ----------
    adjusted : ndarray
        Closes adjusted for splits and dividends, shape (T,), NaN where there is none.
    closes : ndarray or None
        Closes on one split basis, without dividends, shape (T,).

    Returns
    -------
    returns : ndarray
        Fractions, shape (T - n,): of the closes; where they are missing or have a split between them, of the adjusted closes.
    priced : ndarray of bool
        Where they are of the closes, shape (T - n,).

    Notes
    -----
    A split is a step between the two returns that no ordinary dividend makes
    (`eventstudy.inference.market_value.SPLIT_IN_WINDOW_TOLERANCE`).

    Examples
    --------
    >>> returns, priced = price_returns(np.array([9.9, 10.0]), np.array([10.0, 10.0]), 1)
    >>> returns.round(4).tolist(), priced.tolist()
    ([0.0], [True])
    """
    ends = None if closes is None else (closes[:-n], closes[n:])
    return _changes((adjusted[:-n], adjusted[n:]), ends)


def _changes(
    adjusted: tuple[np.ndarray, np.ndarray], closes: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes from first to last closes, and where those as traded gave them."""
    total = np.asarray(adjusted[1] / adjusted[0] - 1.0, dtype=np.float64)
    if closes is None:
        return total, np.zeros(len(total), dtype=bool)
    price = closes[1] / closes[0] - 1.0
    split = np.abs((1.0 + price) / (1.0 + total) - 1.0) > SPLIT_IN_WINDOW_TOLERANCE
    priced = np.isfinite(price) & ~split
    return np.where(priced, price, total), priced


#: A claim's days no farther from the study's event than this are compared with the study's own estimation window.
NEAR = 20


@dataclass(frozen=True, slots=True)
class Days:
    """The sessions of a claim: places in the calendar of the study.

    Attributes
    ----------
    before, first, last : int
        Places of the session whose close is the start, of the first and of the last session.
    """

    before: int
    first: int
    last: int
    text: str

    @property
    def n(self) -> int:
        """Number of sessions."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Move:
    """What a share did over the days of a claim, fractions.

    Attributes
    ----------
    raw : float
        Change of the price from close to close, without dividends where ``priced``.
    abnormal, low, high : float
        Abnormal return and its 95 % interval; NaN with ``reason`` where there is none.
    tail_low, tail_high : float
        Return below, or above, which 5 % of the stretches of as many days in its estimation window lie.
    compared : int
        How many of those moves there are; 0 if they are too few.
    reason : str
        Why there is no abnormal return.
    yardstick : bool
        Whether the share is what others are measured by, so that its return is all there is to judge.
    priced : bool
        Whether ``raw`` and the moves compared with are of closes without dividends; else they are of adjusted closes.
    total : float
        Return with dividends, of adjusted closes; NaN if not asked for.
    """

    raw: float
    abnormal: float
    low: float
    high: float
    tail_low: float
    tail_high: float
    compared: int
    reason: str = ""
    yardstick: bool = False
    priced: bool = False
    total: float = math.nan

    def tail(self, sign: float) -> float:
        """Return the bound of the outermost moves of the estimation window, on the side of a sign."""
        return self.tail_low if sign < 0.0 else self.tail_high


@dataclass(frozen=True, eq=False)
class Evidence:
    """The data that judge claims, and what is computed from them once.

    Parameters
    ----------
    prices : Prices
        The study's prices.
    study : EventStudy
        How normal returns are modelled.
    result : EventStudyResult
        All events of the study.
    book : ClaimBook
        The claims, articles and baskets.
    names : mapping of str to str
        What to call a ticker.
    factors : DataFrame, optional
        Of the model.
    given_panel : Prices, optional
        S&P 500 members in place of the embedded panel.
    given_shares : mapping of str to tuple of ShareCount, optional
        Share counts by ticker, oldest first, in place of the embedded ones.
    timeline : DataFrame, optional
        Columns date and what, perhaps source and zone, for claims of kind ``date``.
    elsewhere : DatetimeIndex, optional
        Sessions of another exchange in place of the study's, on which embedded closes are judged (`home`).
    """

    prices: Prices
    study: EventStudy
    result: EventStudyResult
    book: ClaimBook
    names: Mapping[str, str] = field(default_factory=dict)
    factors: pd.DataFrame | None = None
    given_panel: Prices | None = None
    given_shares: Mapping[str, tuple[ShareCount, ...]] | None = None
    timeline: pd.DataFrame | None = None
    elsewhere: pd.DatetimeIndex | None = None

    # -- what there is -------------------------------------------------------------------------------------

    @cached_property
    def panel(self) -> Prices:
        """The members of the S&P 500."""
        return self.given_panel if self.given_panel is not None else load_universe()

    @property
    def panel_ends(self) -> str:
        """How far the prices of the S&P 500's members reach, as the end of a sentence."""
        dates = self.panel.adj_close.index
        return f"; prices of the S&P 500's members here are of {iso_day(dates[0])} to {iso_day(dates[-1])}"

    @cached_property
    def members(self) -> pd.DataFrame:
        """Names and sectors of the S&P 500's members."""
        return universe_members()

    @cached_property
    def _snapshot(self) -> Prices | None:
        return load_snapshot() if is_snapshot(self.prices) else None

    @cached_property
    def sessions(self) -> pd.DatetimeIndex:
        """The sessions that relative days count."""
        return self.result.panel.calendar if self.elsewhere is None else self.elsewhere

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The place of each event's day among the sessions: on those of another exchange the first one from that day on."""
        panel = self.result.panel
        if self.elsewhere is None:
            return tuple(int(p) for p in panel.position)
        return tuple(int(p) for p in self.elsewhere.searchsorted(pd.DatetimeIndex(panel.sessions)))

    def home(self, tickers: Collection[str]) -> Evidence:
        """Return the evidence on the sessions of the exchange that tickers' closes are of.

        Raises
        ------
        DataMissing
            If they are of several exchanges: no day is one for all of them.
        """
        held = {t: self._home_of(self.source(t)) for t in tickers if self.has(t)}
        found = list({id(ev): ev for ev in held.values()}.values())
        if len(found) > 1:
            here, there = ([t for t, ev in held.items() if (ev is self) == own] for own in (True, False))
            raise DataMissing(
                f"{first_few(here, 3)} and {first_few(there, 3)} are of exchanges that are not open on the same days; "
                "ask for those of one exchange"
            )
        return found[0] if found else self

    def _home_of(self, table: Prices) -> Evidence:
        """Return the evidence on a table's own days if these are not the study's where both have some."""
        if self.elsewhere is not None or (table is self.prices and not table.provenance.embedded):
            return self
        place = next(i for i, t in enumerate(self._tables) if t is table)
        if place not in self._homes:
            own, days = self.sessions, pd.DatetimeIndex(table.adj_close.dropna(how="all").index)
            first, last = max(own[0], days[0]), min(own[-1], days[-1])
            mine, its = (d[(d >= first) & (d <= last)] for d in (own, days))
            self._homes[place] = self if mine.equals(its) else replace(self, elsewhere=days)
        return self._homes[place]

    @cached_property
    def _homes(self) -> dict[int, Evidence]:
        return {}

    @cached_property
    def firms(self) -> tuple[str, ...]:
        """The tickers of the study's events."""
        return tuple(dict.fromkeys(self.result.panel.events.tickers.tolist()))

    def basket(self, key: str) -> tuple[str, tuple[str, ...]]:
        """Return what sentences call a basket, and its tickers."""
        members = tuple(t for t in self.members.index if self._embedded(t))
        if key in BUILT_IN_BASKETS:
            tickers = {"study": self.firms, "sp500": members, "all": (*self.firms, *members)}[key]
            return BUILT_IN_BASKETS[key], tuple(dict.fromkeys(tickers))
        part = self.book.baskets[key]
        by_sector = [t for t in members if self.members.at[t, "sector"] in part.sectors]
        return part.label or key, tuple(dict.fromkeys([*part.tickers, *by_sector]))

    def call(self, ticker: str) -> str:
        """Return what sentences call a ticker."""
        if ticker in self.names:
            return self.names[ticker]
        known = not ticker.startswith("^") and self._embedded(ticker)
        return str(self.members["name"].get(ticker, ticker)) if known else ticker

    def call_all(self, tickers: Sequence[str]) -> list[str]:
        """Return what a sentence calls several tickers: by name if all have one, else by ticker."""
        called = [self.call(t) for t in tickers]
        return called if all(name != t for name, t in zip(called, tickers, strict=True)) else list(tickers)

    def counts(self, ticker: str) -> tuple[ShareCount, ...]:
        """Return all share counts of a company, oldest first."""
        if self.given_shares is not None:
            return tuple(self.given_shares.get(ticker, ()))
        return share_counts(ticker) if self._embedded(ticker) else ()

    @cached_property
    def _another(self) -> dict[str, str]:
        """Why the study's own prices of a ticker are not those of the firm that is embedded under it."""
        return {ticker: why for ticker in self.prices.tickers if (why := another_firm(self.prices, ticker))}

    def _embedded(self, ticker: str) -> bool:
        """Whether embedded names, share counts and memberships are those of a ticker's prices."""
        return ticker not in self._another

    @cached_property
    def _tables(self) -> tuple[Prices, ...]:
        return tuple(t for t in (self.prices, self._snapshot, self.panel) if t is not None)

    def source(self, ticker: str) -> Prices:
        """Return the table that holds a ticker: the study's, the snapshot if the study uses it, the panel.

        Raises
        ------
        DataMissing
            If none does.
        """
        for table in self._tables:
            if ticker in table.adj_close.columns:
                return table
        known = (*self.prices.tickers, *self.panel.tickers)
        raise DataMissing(
            f"there are no prices of {ticker!r}; there are those of the study ({', '.join(self.prices.tickers)}) and of "
            f"{len(self.panel.tickers)} members of the S&P 500.{did_you_mean([ticker], known)}"
        )

    def has(self, ticker: str) -> bool:
        """Whether there are prices of a ticker."""
        return any(ticker in t.adj_close.columns for t in self._tables)

    def adjusted(self, ticker: str) -> np.ndarray:
        """Return a ticker's adjusted closes on the sessions, shape (T,), NaN where there is none."""
        return self._column(self.source(ticker), ticker, "adj_close")

    def traded(self, ticker: str) -> np.ndarray | None:
        """Return a ticker's closes as traded on the sessions, or None if its table has none; an index has no dividends or splits: its one close is both."""
        table = self.source(ticker)
        if ticker.startswith("^") and (table.close is None or table.close[ticker].isna().all()):
            return self._column(table, ticker, "adj_close")
        return None if table.close is None else self._column(table, ticker, "close")

    @cached_property
    def _grids(self) -> dict[tuple[int, str], tuple[dict[str, int], np.ndarray]]:
        return {}

    def _column(self, table: Prices, ticker: str, name: str) -> np.ndarray:
        """Return a column on the sessions; each table is brought onto them once."""
        key = (next(i for i, t in enumerate(self._tables) if t is table), name)
        if key not in self._grids:
            frame = getattr(table, name).reindex(self.sessions)
            self._grids[key] = ({str(c): i for i, c in enumerate(frame.columns)}, frame.to_numpy(dtype=np.float64))
        places, grid = self._grids[key]
        return grid[:, places[ticker]]

    def closes(self, ticker: str, days: Days) -> tuple[np.ndarray, bool]:
        """Return a ticker's closes as traded, and True, if both ends of the days have them, else adjusted ones, and False."""
        traded = self.traded(ticker)
        if traded is not None and np.isfinite(traded[[days.before, days.last]]).all():
            return traded, True
        return self.adjusted(ticker), False

    def close_inputs(self, days: Days, closes: np.ndarray, traded: bool) -> list[tuple[str, str]]:
        """Return the closes at both ends of the days as inputs of a ruling."""
        name = "close" if traded else "adjusted close"
        return [(f"{name} {self.day(i)}", f"{closes[i]:,.2f}") for i in (days.before, days.last)]

    # -- days ----------------------------------------------------------------------------------------------

    def day(self, place: int) -> str:
        """Return the session at a place of the calendar, as ``2025-01-27``."""
        return iso_day(self.sessions[place])

    def days(self, part: ClaimPart, window: Window | None = None) -> Days:
        """Return the sessions that a claim speaks of.

        Parameters
        ----------
        part : ClaimPart
            The claim; without its own days it is about day 0 of its asset's event.
        window : Window, optional
            Relative days in place of the claim's own.

        Raises
        ------
        StudyFileError
            If relative days have no event to count from.
        DataMissing
            If the days are not in the data.
        """
        if part.from_ and part.to:
            return self._between(part.from_, part.to)
        if part.date:
            place = int(self.sessions.searchsorted(pd.Timestamp(part.date)))
            return self._stretch(place, place, part.date)
        anchor, span = self.anchor(part), window or part.window or Window(0, 0)
        return self._stretch(anchor + span.start, anchor + span.end)

    def _between(self, start: str, end: str) -> Days:
        first = int(self.sessions.searchsorted(pd.Timestamp(start), side="left"))
        last = int(self.sessions.searchsorted(pd.Timestamp(end), side="right")) - 1
        if last < first:
            raise DataMissing(f"there is no session from {start} to {end}")
        if pd.Timestamp(end) > self.sessions[-1]:
            raise DataMissing(f"{end} is after the last session of the data, {self.day(-1)}")
        return self._stretch(first, last)

    def _stretch(self, first: int, last: int, asked: str = "") -> Days:
        if first < 1 or last >= len(self.sessions):
            raise DataMissing(f"the days lie outside the data, which hold {self.day(0)} to {self.day(-1)}")
        text = " to ".join(dict.fromkeys([self.day(first), self.day(last)]))
        if asked and asked != self.day(first):
            text += f" (first session from {asked} on)"
        return Days(first - 1, first, last, text)

    def anchor(self, part: ClaimPart) -> int:
        """Return the place of day 0 for a claim: its asset's event, or the session that all events share."""
        panel = self.result.panel
        own = [p for t, p in zip(panel.events.tickers.tolist(), self.places, strict=True) if t in part.assets]
        places = sorted({*own} or set(self.places))
        if len(places) > 1:
            raise StudyFileError(
                "window: the events do not share a day to count from; give 'from' and 'to', or 'date'."
            )
        return places[0]

    # -- moves ---------------------------------------------------------------------------------------------

    def total(self, ticker: str, days: Days) -> float:
        """Return a ticker's return with dividends over the days, a fraction; NaN without closes."""
        closes = self.adjusted(ticker)
        return float(closes[days.last] / closes[days.before] - 1.0)

    def raw(self, ticker: str, days: Days) -> tuple[float, bool]:
        """Return how far a ticker's price moved over the days, a fraction, NaN without closes; and whether closes without dividends say so."""
        ends, traded = [days.before, days.last], self.traded(ticker)
        returns, priced = price_returns(self.adjusted(ticker)[ends], None if traded is None else traded[ends], 1)
        return float(returns[0]), bool(priced[0])

    def path(self, ticker: str, days: Days) -> np.ndarray:
        """Return how far each close of the days lies from the one before them, fractions, shape (n,); NaN where there is none."""
        inside, traded = slice(days.first, days.last + 1), self.traded(ticker)
        adjusted = self.adjusted(ticker)
        ends = None if traded is None else (traded[[days.before]], traded[inside])
        return _changes((adjusted[[days.before]], adjusted[inside]), ends)[0]

    def rest(self, ticker: str, days: Days) -> AgainstRest | None:
        """Return a ticker's event day against its yardstick and against the rest of it, if the verdict is another one there."""
        zero = self._zero(ticker, days)
        if self.elsewhere is not None or ticker in self.study.model.columns or (days.first, days.last) != (zero, zero):
            return None
        try:
            result, i = self._study_of(ticker, zero, Window(0, 0))
        except EventStudyError:
            return None
        found = [r for c in result.checks if isinstance(c, BenchmarkCheck) for r in c.rows if r.single and r.turns]
        return next((r for r in found if r.name == result.abnormal.keys[i]), None)

    @cached_property
    def _moves(self) -> dict[tuple[str, Days], Move]:
        return {}

    def move(self, ticker: str, days: Days) -> Move:
        """Return what a ticker did over the days, beside the moves of its estimation window and its abnormal return."""
        if (ticker, days) not in self._moves:
            self._moves[ticker, days] = self._move(ticker, days)
        return self._moves[ticker, days]

    def _move(self, ticker: str, days: Days) -> Move:
        zero, (raw, priced) = self._zero(ticker, days), self.raw(ticker, days)
        held = self._estimation_moves(ticker, days.n, zero, priced)
        low, high = np.quantile(held, [SHARP_TAIL, 1.0 - SHARP_TAIL]) if held.size else (np.nan, np.nan)
        compared = (float(low), float(high), int(held.size))
        alone = Move(raw, np.nan, np.nan, np.nan, *compared, priced=priced, total=self.total(ticker, days))
        if ticker in self.study.model.columns:
            return replace(alone, reason=f"{self.call(ticker)} is the yardstick itself", yardstick=True)
        try:
            abnormal, low_end, high_end = self._abnormal(ticker, days, zero)
        except EventStudyError as error:
            return replace(alone, reason=error.message)
        return replace(alone, abnormal=abnormal, low=low_end, high=high_end)

    def _estimation_moves(self, ticker: str, n: int, zero: int, priced: bool) -> np.ndarray:
        """Return the moves of all stretches of n days inside the estimation window, of the claim's kind of closes; none if they are too few."""
        span = Window.of(self.study.estimation)
        inside = slice(max(zero + span.start - 1, 0), max(zero + span.end + 1, 0))
        adjusted, traded = self.adjusted(ticker)[inside], self.traded(ticker) if priced else None
        if len(adjusted) <= n:
            return np.empty(0)
        held, _ = price_returns(adjusted, None if traded is None else traded[inside], n)
        held = held[np.isfinite(held)]
        return held if held.size >= self.study.min_estimation else np.empty(0)

    def _zero(self, ticker: str, days: Days) -> int:
        """Return day 0 for a claim's estimation window: the study's, if the claim is near it, else the claim's first day."""
        panel = self.result.panel
        places = {p for t, p in zip(panel.events.tickers.tolist(), self.places, strict=True) if t == ticker} or set(
            self.places
        )
        place = min(places, key=lambda p: abs(p - days.first))
        near = days.first - place >= -NEAR and days.last - place <= NEAR
        clear = days.first - place > Window.of(self.study.estimation).end
        return place if near and clear else days.first

    def _abnormal(self, ticker: str, days: Days, zero: int) -> tuple[float, float, float]:
        """Return the abnormal return and its interval as fractions."""
        if self.elsewhere is not None:
            yardstick = " and ".join(self.study.model.columns) or "model"
            raise DataMissing(
                f"{self.call(ticker)} is of another exchange than the study, whose yardstick {yardstick} is not open on the same days"
            )
        window = Window(days.first - zero, days.last - zero)
        result, i = self._study_of(ticker, zero, window)
        if why := result.abnormal.why_no_sum(window)[i]:
            raise DataMissing(why)
        low, high = car_interval(result.abnormal, window, 0.95)
        found = (float(result.abnormal.sums(window).car[i]), float(low[i]), float(high[i]))
        car, low_end, high_end = result.abnormal.as_fractions(found).tolist()
        return car, low_end, high_end

    def _study_of(self, ticker: str, zero: int, window: Window) -> tuple[EventStudyResult, int]:
        """Return a result that holds a ticker's abnormal returns over a window, the study's own where it can."""
        panel = self.result.panel
        own = np.flatnonzero((panel.events.tickers == ticker) & (panel.position == zero))
        if len(own) and window in self.result.abnormal.window:
            return self.result, int(own[0])
        table, needed = self.source(ticker), [c for c in self.study.model.columns if c in self.prices.adj_close]
        joined = self.prices.adj_close[needed].assign(**{ticker: table.adj_close[ticker].reindex(self.prices.dates)})
        span = Window(min(window.start, 0), max(window.end, 0))
        event = Event(ticker, self.day(zero))
        study = replace(self.study, window=span)
        prices = Prices.from_frame(joined[joined.index.isin(self.sessions)], provenance=self.prices.provenance)
        return study.run(prices, [event], self.factors), 0
