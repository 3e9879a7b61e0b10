"""What a study is handed, prices or returns: made into returns on the sessions that relative days count, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import (
    AUTO,
    DEFAULT_EXCHANGE,
    EVERY_DAY,
    Match,
    calendar_bounds,
    exchange_sessions,
    is_built,
    lost_days,
    match_exchanges,
    zone_of,
)
from eventstudy.days import refuse_other_frequency, refuse_sparse_columns, refuse_two_readings
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.estimation.market import FactorModel
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import EventPanel
from eventstudy.events import Event, Exchanges
from eventstudy.interchange import collect_first, dated, is_table
from eventstudy.measures import Measure, measured
from eventstudy.prices.checks.accept import in_short
from eventstudy.prices.checks.finding import Finding, Usage, make_grid
from eventstudy.prices.checks.run import check_prices, check_returns, gathered, untraded_in_events
from eventstudy.prices.snapshot import FACTOR_COLUMNS
from eventstudy.prices.table import Prices, Provenance, ReturnKind, clean_frame, frame_of_days, require_prices
from eventstudy.sources.files.cells import cut
from eventstudy.sources.files.layouts import factor_of, meaning
from eventstudy.study.validity import EXCHANGE_CHECK, PRICE_CHECK, STILL_CHECK, Check
from eventstudy.wording import did_you_mean, first_few, iso_day, listed, plural

#: Findings listed one by one in a check of validity.
LISTED = 6
#: Share of the days of a table on which New York may have been closed if it is taken for its own where no exchange fits.
NEARLY = 0.05
#: Share of the returns on one weekday that stand still if it was filled in, and on the others if they were not.
FILLED, MOVING = 0.9, 0.5
#: Days on one weekday, or days on which nothing moves, that are looked at.
FEWEST_FILLED = 3
#: Share of days with returns on which a named exchange was closed, from which on it is not theirs.
CLOSED_DAYS = 0.02
#: Half of a firm's daily moves are never this large as fractions; as per cent they nearly always are.
TYPICAL_MOVE_LIMIT = 0.25
#: Half of a factor's daily moves are never this large as fractions.
TYPICAL_FACTOR = 0.1
#: A risk-free rate a day is nowhere so high: three times over in a year.
DAILY_RATE_LIMIT = 0.005
#: Names that the market's return less the risk-free rate shares with the market's return.
CALLED_MARKET = ("mkt", "market", "rm", "mktret")
#: The call for what holds prices.
READ_PRICES = "Prices are read so: study.run({}, events)."
#: The return of a day that no market and no factor has.
NEVER_IN_A_DAY = -0.5
#: What the factors beside the prices are looked at for with the firms: days on which all stand still, dates that are a session off.
FOUND_BY_FACTORS = {"repeated_day", "shifted_days"}
#: So many columns beside a close that are called as fields of a price file are no tickers.
FIELDS = 3
#: A firm whose price stood still on a smaller share of its estimation days moves nearly every day.
SELDOM_STILL = 0.02
#: So many returns of one firm are never all above zero.
NEVER_ALL_UP = 60


@dataclass(frozen=True)
class Data:
    """What a study is handed: prices as they are, or a table of returns on days, and what is to be said of how its dates were read."""

    table: Prices | pd.DataFrame
    said: str = ""

    @property
    def prices(self) -> Prices | None:
        """The prices, if prices were handed in."""
        return self.table if isinstance(self.table, Prices) else None

    def origin(self, returns: pd.DataFrame) -> Provenance:
        """Return where the data come from, of returns that were handed in their days alone."""
        if isinstance(self.table, Prices):
            return self.table.provenance
        first, last = iso_day(returns.index[0]), iso_day(returns.index[-1])
        return Provenance("returns handed in", first=first, last=last, cautions=(self.said,) if self.said else ())


def as_data(data: object, calendar: str | None = None) -> Data:
    """Return prices as they are and a table of returns of any library as a pandas table of days; what can only be prices is refused."""
    if isinstance(data, Prices):
        return Data(data)
    if isinstance(data, str | Path | Mapping | pd.Series | list | tuple):
        call = "es.load_prices({'NVDA': data})" if isinstance(data, pd.Series) else "es.load_prices(data)"
        raise InvalidInput(f"data is {_named(data)}; give Prices or a DataFrame of returns. {READ_PRICES.format(call)}")
    if not is_table(data):
        raise InvalidInput(
            f"data is {_named(data)}; give Prices or a DataFrame of returns (pandas, polars, pyarrow).{collect_first(data)}"
        )
    table = dated(data, "The table of returns")
    fields = _fields(table)
    if fields:
        raise InvalidInput(
            f"data is a table with {fields}, so it holds prices; a table in place of Prices holds returns, one column per ticker. "
            f"{READ_PRICES.format('es.load_prices(data)')}"
        )
    table = _daily(table, "returns").rename(columns=lambda c: c.strip() if isinstance(c, str) else c)
    return Data(*frame_of_days(table, "returns", None if calendar == AUTO else calendar))


def as_factors(factors: object, calendar: str | None = None) -> tuple[pd.DataFrame | None, str]:
    """Return a table of factors of any library as a pandas table of days, and what is to be said of how its dates were read."""
    if factors is None:
        return None, ""
    if isinstance(factors, Mapping) and any(is_table(t) for t in factors.values()):
        first = next(key for key, t in factors.items() if is_table(t))
        raise InvalidInput(f"factors is a {type(factors).__name__} of tables; give one of them: factors[{first!r}].")
    if isinstance(factors, str | Path):
        raise InvalidInput(
            f"factors is {str(factors)!r}; give a table of daily factors. A file of the French data library is read by "
            f"es.sources.read_french_factors({str(factors)!r})."
        )
    table = _daily(dated(factors, "The table of factors"), "factors")
    return frame_of_days(table, "factors", None if calendar == AUTO else calendar)


def _daily(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return a table with the days of a PeriodIndex as its index; refuse longer periods."""
    if not isinstance(table.index, pd.PeriodIndex):
        return table
    if table.index.freqstr not in ("D", "B"):
        raise InvalidInput(
            f"The table of {what} has rows for periods such as {table.index[0]}, not for days; an event study needs daily {what}."
        )
    return table.set_axis(table.index.to_timestamp(), axis=0)


def _named(data: object) -> str:
    return repr(data) if isinstance(data, str) else f"a {type(data).__name__}"


def _fields(table: pd.DataFrame) -> str:
    """Return what makes a table one of prices, in words: two levels of columns, or a close with its day, its ticker or the day's range."""
    if table.columns.nlevels > 1:
        return f"{table.columns.nlevels} levels of columns"
    known = {str(c): meaning(str(c)) for c in table.columns}
    close = next((c for w in ("close", "adj_close") for c, m in known.items() if m == w), None)
    rows = [c for c, m in known.items() if m in {"date", "ticker", "firm"}]
    fields = [c for c, m in known.items() if m in {"other", "volume", "open", "high", "low"}]
    if close is None or not (rows or len(fields) >= FIELDS):
        return ""
    return f"the columns {first_few([*rows, close, *fields], LISTED)}"


def exchanges_of(
    data: Prices | pd.DataFrame, events: Sequence[Event], model: NormalReturnModel, calendar: str | None
) -> Exchanges:
    """Return whose sessions count and whose closing times place moments: those that are named, else those that the dates fit."""
    closes = data.adj_close if isinstance(data, Prices) else data
    span = pd.DatetimeIndex(closes.index)
    held = None if span.tz is not None or span.empty else (span.min(), span.max())
    if calendar not in {None, AUTO}:
        calendar_bounds(str(calendar))
        return Exchanges(named=str(calendar), sessions=str(calendar), held=held)
    needed = list(dict.fromkeys([*(e.ticker for e in events), *model.columns]))
    frame = closes[[c for c in needed if c in closes.columns]]
    if isinstance(data, Prices):
        frame = clean_frame(frame, "adjusted close") if frame.shape[1] else frame
    counted = frame[[model.benchmark]] if model.benchmark in frame else frame
    rows = counted.notna().any(axis=1).to_numpy(dtype=np.bool_)
    if not rows.any():
        return Exchanges(sessions="" if calendar is None else DEFAULT_EXCHANGE)
    days = pd.DatetimeIndex(frame.index)
    refuse_two_readings(days[rows], calendar)
    match = match_exchanges(days[rows])
    moves = rows & _moving(frame, isinstance(data, Prices))
    sessions = "" if calendar is None else _sessions_by_dates(match, days[rows], days[moves])
    tickers = [e.ticker for e in events if e.is_moment and not e.exchange and e.ticker in frame]
    by_ticker = _of_tickers(days, frame[list(dict.fromkeys(tickers))], match.fits[0])
    return Exchanges("", sessions, match.fits[0], by_ticker, held)


def _moving(frame: pd.DataFrame, closes: bool) -> NDArray[np.bool_]:
    """Return the rows on which anything moves: holidays that were filled in are not among them."""
    values = frame.to_numpy()
    still = np.asarray(frame.ffill().diff() == 0.0) if closes else _still(values)
    return np.asarray((np.isfinite(values) & ~still).any(axis=1), dtype=np.bool_)


def _sessions_by_dates(match: Match, days: pd.DatetimeIndex, moving: pd.DatetimeIndex) -> str:
    """Return the exchange whose sessions count: the nearest that the dates fit, New York if none is nearer.

    Where none fits, as holidays may be filled in, that of the days on which anything moves; then the nearest of those whose holidays most rows
    keep; at last New York if the dates nearly are its own. The checks of prices then say what is wrong with the dates.
    """
    found = match if match.fits[0] else match_exchanges(moving)
    chosen, against = found.fits[0], found.against[0]
    if not chosen:
        chosen, against = _nearly(match, days), match.against[0]
    place = {name: e for e, name in enumerate(match.names)}
    if DEFAULT_EXCHANGE in chosen and against[place[DEFAULT_EXCHANGE]] <= against[place[chosen[0]]]:
        return DEFAULT_EXCHANGE
    if chosen:
        return next((name for name in chosen if is_built(name)), "")
    return DEFAULT_EXCHANGE if match.closed[0, place[DEFAULT_EXCHANGE]] <= NEARLY * len(days) else ""


def _nearly(match: Match, days: pd.DatetimeIndex) -> tuple[str, ...]:
    """Return the exchanges, the nearest first, that were closed on few of the days, and on more of the weekdays that are not among them.

    Of a table with a row on every weekday there is none: nothing tells whose holidays were filled in.
    """
    first, last = days[[0, -1]].to_numpy(dtype="datetime64[D]")
    lost = float(np.busday_count(first, last + np.timedelta64(1, "D"))) - len(days)
    closed, missing, against = match.closed[0], match.missing[0], match.against[0]
    near = (closed <= NEARLY * len(days)) & (closed < lost - missing) & (2 * match.known[0] >= len(days))
    near[match.names.index(EVERY_DAY)] = False
    return tuple(match.names[e] for e in np.argsort(against, kind="stable") if near[e])


def _of_tickers(days: pd.DatetimeIndex, frame: pd.DataFrame, of_dates: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return by ticker the exchanges that its own dates fit: those of the whole table's that fit as well as any, if there are."""
    if not frame.shape[1]:
        return {}
    match = match_exchanges(days, frame.notna().to_numpy(), thin=True)
    place = {name: e for e, name in enumerate(match.names)}
    found = {}
    for ticker, fits, missing in zip(frame.columns, match.fits, match.missing, strict=True):
        least = min((missing[place[name]] for name in fits), default=0.0)
        shared = tuple(name for name in of_dates if name in fits and missing[place[name]] <= least + 1)
        found[str(ticker)] = shared or fits
    return found


@dataclass(frozen=True)
class Intake:
    """How data become returns on the sessions of an exchange, or on the benchmark's own dates if ``exchange`` is None.

    ``named``: the study names the exchange; it was not told by the dates.
    """

    model: NormalReturnModel
    return_kind: ReturnKind
    measure: Measure
    exchange: str | None
    named: bool = False

    def read(
        self, data: Prices | pd.DataFrame, tickers: list[str], factors: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return returns, dates × needed columns, one row a session, and weekdays and sessions of the exchange that the benchmark lacks."""
        needed = list(dict.fromkeys([*tickers, *self.model.columns]))
        extra = self._factor_table(data, factors)
        if isinstance(data, pd.DataFrame):
            returns, holes = self._from_returns(data.join(extra), needed)
        else:
            returns, holes = self._from_prices(data, [c for c in needed if c not in extra.columns])
        if self.measure == "return":
            _refuse_filled(returns[[c for c in needed if c in returns.columns and c not in extra.columns]])
        return (returns if isinstance(data, pd.DataFrame) else returns.join(extra)), holes

    def _factor_table(self, data: Prices | pd.DataFrame, factors: pd.DataFrame | None) -> pd.DataFrame:
        """Return the factors that the model needs, checked; an empty table if none were handed in."""
        in_data = set(data.tickers) if isinstance(data, Prices) else set(data)
        wanted = [c for c in dict.fromkeys(self.model.columns) if c not in in_data]
        if factors is None:
            embedded = sorted(set(wanted) & set(FACTOR_COLUMNS))
            if embedded and isinstance(data, Prices):
                raise DataMissing(
                    f"The model needs {', '.join(wanted)}, which the prices do not have; hand the factors in: "
                    f"study.run(prices, events, factors=es.load_factors()).",
                    missing=tuple(wanted),
                )
            return pd.DataFrame()
        if self.return_kind == "log":
            raise InvalidInput("Factors are simple returns; run the study with returns='simple'.")
        table = clean_frame(factors, "factors")
        repeated = sorted(set(table.columns) & in_data & set(self.model.columns))
        if repeated:
            raise InvalidInput(f"{', '.join(repeated)} is in the data and in the factors; leave it out of one.")
        chosen = table[[c for c in wanted if c in table.columns]]
        if chosen.shape[1] < len(wanted):
            raise _factors_missing([c for c in wanted if c not in table.columns], table, sorted(map(str, in_data)))
        if chosen.shape[1]:
            _require_returns(chosen, "simple", refuse_prices=False, name="factors")
            _refuse_markers(chosen, "simple")
            there = chosen.dropna(how="all")
            refuse_other_frequency(pd.DatetimeIndex(there.index), "The table of factors")
            _refuse_carried(there)
            _require_daily_rate(chosen, getattr(self.model, "risk_free", None))
        return chosen

    def _from_prices(self, prices: Prices, needed: list[str]) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return returns on the sessions of the calendar, NaN where a price is missing; the benchmark's holes only if its own dates are the sessions."""
        chosen = prices.select(needed)
        closes = clean_frame(chosen.adj_close, "adjusted close")
        require_prices(closes, "adjusted close")
        holes = pd.DatetimeIndex([])
        if self.exchange is None:
            frame = closes
            if self.model.benchmark is not None:
                seen = closes[self.model.benchmark].notna()
                frame, holes = closes[seen], lost_days(closes, seen)
        else:
            frame = closes.reindex(self._sessions(closes.index[0], closes.index[-1]))
        if len(frame) < 2 and self.exchange is not None and len(closes) > 1:
            first, last = map(iso_day, calendar_bounds(self.exchange))
            raise DataUnfit(
                f"The prices are from {iso_day(closes.index[0])} to {iso_day(closes.index[-1])}, and the calendar {self.exchange} is known from "
                f"{first} to {last}. Use calendar=None to take their own dates.",
                first=first,
            )
        if len(frame) < 2:
            raise DataUnfit("The prices hold fewer than two sessions; a return needs two.")
        refuse_other_frequency(pd.DatetimeIndex(frame.dropna(how="all").index), "The table of prices")
        if self.measure != "return":
            return measured(chosen, self.measure).reindex(frame.index), holes
        return Prices(frame, chosen.provenance).returns(self.return_kind, bridge_gaps=self.model.bridges_gaps), holes

    def _from_returns(self, table: pd.DataFrame, needed: list[str]) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return the rows of the benchmark's dates, and weekdays and sessions of the exchange that it lacks."""
        frame = table
        missing = [c for c in needed if c not in frame.columns]
        if missing:
            raise DataMissing(
                f"The returns have no column {', '.join(missing)}; they have {first_few(sorted(frame.columns), 40)}."
                f"{renaming(missing, frame, 'data') or did_you_mean(missing, frame.columns)}",
                missing=tuple(missing),
                available=tuple(frame.columns),
            )
        chosen, benchmark = frame[needed], self.model.benchmark
        if self.measure == "return":
            firms = [c for c in needed if c == benchmark or c not in self.model.columns]
            _require_returns(chosen, self.return_kind, firms=firms)
            _refuse_markers(chosen[_markets(self.model)], self.return_kind)
        elif np.isinf(chosen.to_numpy()).any():
            raise DataUnfit(f"The {self.measure} table holds an infinite value; leave it empty.")
        seen = frame.notna().any(axis=1) if benchmark is None else chosen[benchmark].notna()
        if int(seen.sum()) < 2:
            raise DataUnfit(
                f"{f'The benchmark {benchmark}' if benchmark else 'The table'} has {int(seen.sum())} days with returns; "
                f"nothing can be estimated."
            )
        kept = chosen[seen]
        refuse_other_frequency(pd.DatetimeIndex(kept.index), "The table of returns")
        refuse_sparse_columns(kept, "The table of returns")
        self._refuse_closed_days(pd.DatetimeIndex(kept.index))
        lost = pd.DatetimeIndex(lost_days(chosen, seen, self.exchange).union(self._sessions_lost(seen)))
        return kept, lost[(lost > kept.index[0]) & (lost < kept.index[-1])]

    def _sessions_lost(self, seen: pd.Series[bool]) -> pd.DatetimeIndex:
        """Return sessions of the exchange, within the table's span, for which it has no row or no return."""
        kept = pd.DatetimeIndex(seen.index[seen])
        return self._sessions(kept[0], kept[-1]).difference(kept)

    def _sessions(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
        """Return the sessions of the exchange from one day to another, as far as they are known; none without an exchange."""
        if self.exchange is None:
            return pd.DatetimeIndex([])
        start, end = calendar_bounds(self.exchange)
        start, end = max(start, first), min(end, last)
        return exchange_sessions(self.exchange, start.date(), end.date()) if start <= end else pd.DatetimeIndex([])

    def _refuse_closed_days(self, kept: pd.DatetimeIndex) -> None:
        """Refuse returns of many days on which the exchange that the study names was closed."""
        if self.exchange is None or not self.named:
            return
        first, last = calendar_bounds(self.exchange)
        known = kept[(kept >= first) & (kept <= last)]
        closed = known.difference(self._sessions(kept[0], kept[-1]))
        if len(closed) > max(1.0, CLOSED_DAYS * len(known)):
            raise DataUnfit(
                f"The returns have {len(closed)} days on which {self.exchange} was closed: {first_few(map(iso_day, closed), LISTED)}. Remove them "
                f"if they were filled in, name the exchange of these dates with calendar=, or use calendar=None.",
                days=len(closed),
            )


def _factors_missing(missing: list[str], table: pd.DataFrame, in_data: list[str]) -> DataMissing:
    """Say which columns of the model neither the data nor the table of factors has, and the line that mends it."""
    way = renaming(missing, table, "factors") or did_you_mean(missing, [*table.columns, *in_data])
    return DataMissing(
        f"The model needs {', '.join(missing)}. The table of factors has {first_few(cut(table.columns), 40)}; the data have "
        f"{first_few(in_data, LISTED)}.{way}",
        missing=tuple(missing),
        available=(*map(str, table.columns), *in_data),
    )


def renaming(missing: list[str], table: pd.DataFrame, name: str) -> str:
    """Return the line that calls the factors of a table as the model does, and brings them from per cent to fractions; empty if none is known."""
    names = list(map(str, table.columns))
    renamed = {c: factor_of(c) for c in names if factor_of(c) in missing}
    if "mkt_rf" in missing and "mkt_rf" not in renamed.values():
        renamed = {c: "mkt_rf" for c in names if c.lower() in CALLED_MARKET} | renamed
    if not renamed or len(set(renamed.values())) < len(renamed):
        return ""
    per_cent = float(table[list(renamed)].abs().median().max()) > TYPICAL_FACTOR
    said = [
        f"Write: {name} = {name}.rename(columns={renamed}){' / 100' * (per_cent and name == 'factors')}"
        + (", for its figures are per cent and factors are fractions." if per_cent else "."),
        *(f"{c} must be the market's return less the risk-free rate." for c in renamed if c.lower() in CALLED_MARKET),
    ]
    left = [c for c in missing if c not in renamed.values()]
    said += [f"No column that is known stands for {', '.join(left)}."] if left else []
    return " " + " ".join(said)


def _require_daily_rate(table: pd.DataFrame, risk_free: str | None) -> None:
    """Raise `DataUnfit` if the risk-free rate is no fraction a day: the other factors may be while it is left in per cent or per year."""
    if risk_free not in table.columns:
        return
    typical = float(table[risk_free].abs().median())
    if typical > DAILY_RATE_LIMIT:
        raise DataUnfit(
            f"The risk-free rate {risk_free} is {typical:g} on the typical day, so it seems to be per cent or a rate per year; needed is a fraction a "
            f"day, such as 0.0002. Divide it by 100, or by 100 and the trading days of a year."
        )


def _require_returns(
    table: pd.DataFrame, kind: ReturnKind, refuse_prices: bool = True, firms: Sequence[str] = (), name: str = "data"
) -> None:
    """Raise `DataUnfit` at an infinite return, a simple return of -100 % or less, returns in per cent, or prices, ``firms``' at any level."""
    always = (table.count() >= NEVER_ALL_UP) & (table.min() < table.max()) & table.columns.isin(list(firms))
    positive = (table.min() > 0) & ((table.median() > 1.0) | always)
    if refuse_prices and positive.any():
        raise DataUnfit(
            f"{first_few(table.columns[positive], LISTED)}: all figures are positive, as prices are. For prices write "
            f"study.run(es.load_prices(data), events); for returns take table.pct_change(fill_method=None)."
        )
    typical = table.abs().where(table != 0).median()
    large = typical[typical > (TYPICAL_MOVE_LIMIT if name == "data" else TYPICAL_FACTOR)]
    if len(large):
        raise DataUnfit(
            f"Half of the returns of {large.index[0]} are beyond ±{large.iloc[0]:g}, so they seem to be per cent; returns are "
            f"fractions (a fall of 17 % is -0.17, not -17). Write: {name} = {name} / 100."
        )
    values = table.to_numpy()
    wrong = np.isinf(values) | ((values <= -1.0) if kind == "simple" else np.zeros(values.shape, dtype=bool))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataUnfit(
            f"{table.columns[column]} has a return of {values[row, column]:g} on {iso_day(table.index[row])}; returns are "
            f"fractions, finite and above -1 (a fall of 17 % is -0.17, not -17). Correct it or leave it empty."
        )


def _refuse_markers(markets: pd.DataFrame, kind: ReturnKind) -> None:
    """Raise `DataUnfit` if a market or a factor loses half of its value in a day, as a marker of missing figures over 100 does."""
    low = markets.to_numpy() < (NEVER_IN_A_DAY if kind == "simple" else np.log1p(NEVER_IN_A_DAY))
    if low.any():
        row, column = np.argwhere(low)[0]
        raise DataUnfit(
            f"{markets.columns[column]} has a return of {markets.iloc[row, column]:g} on {iso_day(markets.index[row])} ({int(low.sum())} such "
            f"figures in all); no market or factor falls by half in a day, but files mark missing figures by -99.99 or -999, and these stay in "
            f"once they are divided by 100. Leave them empty.",
            days=int(low.any(axis=1).sum()),
        )


def _still(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where a return is zero or exactly that of the row before, as filled rows are."""
    before = np.vstack([np.full((1, values.shape[1]), np.nan), values[:-1]])
    return np.asarray((values == 0.0) | (values == before), dtype=np.bool_)


def _refuse_filled(returns: pd.DataFrame) -> None:
    """Refuse a column in which nothing moves on one weekday and most moves on others: days without trade that were filled in."""
    values, weekday = returns.to_numpy(), pd.DatetimeIndex(returns.index).day_of_week.to_numpy()
    there, still = np.isfinite(values), _still(values)
    on = weekday[None, :] == np.arange(7)[:, None]
    count, quiet = on.astype(np.int64) @ there, on.astype(np.int64) @ (there & still)
    filled = (count >= FEWEST_FILLED) & (quiet >= FILLED * count)
    others = (there & still).sum(axis=0) - np.where(filled, quiet, 0).sum(axis=0)
    total = there.sum(axis=0) - np.where(filled, count, 0).sum(axis=0)
    wrong = filled.any(axis=0) & (others <= MOVING * total) & (total > 0)
    if not wrong.any():
        return
    place = int(wrong.argmax())
    names = ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"]
    which = listed(names[d] for d in np.flatnonzero(filled[:, place]))
    number = int(count[filled[:, place], place].sum())
    raise DataUnfit(
        f"{returns.columns[place]} has a return on {number} {which}, and nearly all of them are zero or that of the day before: days without "
        f"trade that were filled in, so that relative days would count them. Leave these rows out (of a table of prices before returns are made).",
        ticker=str(returns.columns[place]),
    )


def _refuse_carried(factors: pd.DataFrame) -> None:
    """Refuse factors that mostly repeat the row before, as weekly or monthly ones spread over days."""
    moving = factors.drop(columns=[c for c in ("rf",) if c in factors.columns]).to_numpy()
    if len(moving) < FEWEST_FILLED or not moving.shape[1]:
        return
    same = (moving[1:] == moving[:-1]).all(axis=1)
    if same.mean() > MOVING:
        raise DataUnfit(
            f"{same.mean():.0%} of the rows of factors repeat the row before, as weekly or monthly factors do that were spread over days; a study "
            f"needs daily factors."
        )


# -- What may be wrong with the prices or returns.


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
    placed = {n for e in panel.events if e.is_moment and not e.exchange for n in exchanges.of(e)[:1]}
    seen = list(dict.fromkeys([*([exchanges.sessions] if exchanges.sessions else []), *sorted(placed)]))
    if not exchanges.named and seen and seen != [DEFAULT_EXCHANGE]:
        alike = [n for n in exchanges.of_dates if n not in seen]
        said = f"{listed([f'{n} ({zone_of(n)})' for n in seen])}, recognised by the dates of the data" + (
            f" (the same sessions: {first_few(alike, LISTED)})" if alike else ""
        )
        checks.append(Check(EXCHANGE_CHECK, said, "named, or recognised by the dates", True))
    checks += _left_out(data, returns, exchanges, panel, holes)
    own = returns[[c for c in dict.fromkeys([*(e.ticker for e in panel.events), *panel.columns]) if c in returns]]
    if data.prices is None and own.shape[1] > 1:
        idle = own.index[((own == 0.0) | own.isna()).all(axis=1) & (own == 0.0).any(axis=1)]
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


def _left_out(
    data: Data, returns: pd.DataFrame, exchanges: Exchanges, panel: EventPanel, holes: pd.DatetimeIndex
) -> list[Check]:
    """Say that firms have figures on days that are none of the benchmark's, where its days are the sessions."""
    if exchanges.sessions and data.prices is not None:  # a check of prices tells them
        return []
    table = data.table.adj_close if isinstance(data.table, Prices) else data.table
    firms = [t for t in dict.fromkeys(e.ticker for e in panel.events) if t in table]
    days = pd.DatetimeIndex(table.index)
    if len(days) <= len(returns) or not firms:
        return []
    more = table[firms].notna() & ~(days.isin(returns.index) | days.isin(holes))[:, None]
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
        return _returns_findings(data, model, usage, kind, exchange if named else None)
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


def _markets(model: NormalReturnModel) -> list[str]:
    """Return the columns of a model that stand for a market: its benchmark, or its factors without the risk-free rate."""
    if model.benchmark is not None:
        return [model.benchmark]
    return list(model.factors) if isinstance(model, FactorModel) else []


def _returns_findings(
    returns: pd.DataFrame, model: NormalReturnModel, usage: Usage, kind: ReturnKind | None, exchange: str | None
) -> tuple[Finding, ...]:
    """Return what is wrong with returns; a risk-free rate stands still by nature and is left out."""
    riskless = getattr(model, "risk_free", None)
    needed = [c for c in dict.fromkeys([*usage.tickers, *usage.columns]) if c in returns and c != riskless]
    markets = [c for c in _markets(model) if c in needed]
    thin = model.thin_trading
    return check_returns(
        returns[needed], kind=kind, calendar=exchange, benchmarks=markets, usage=usage, thin_trading=thin
    )


def usage_of(data: Prices | pd.DataFrame, panel: EventPanel, model: NormalReturnModel) -> Usage:
    """Return which prices the events of a panel use."""
    in_data = data.tickers if isinstance(data, Prices) else tuple(data.columns)
    columns = tuple(c for c in model.columns if c in in_data)
    tickers = tuple(e.ticker for e in panel.events)
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
    still = (panel.event_returns[:, zero] == 0.0) & (panel.zero_share < SELDOM_STILL)
    volume = None if data.prices is None else data.prices.volume
    if volume is not None and still.any():
        shares = clean_frame(volume, "volume").reindex(index=panel.calendar, columns=[e.ticker for e in panel.events])
        still &= ~(shares.to_numpy(dtype=np.float64)[panel.position, np.arange(panel.n)] > 0)
    found = [panel.keys[i] for i in np.flatnonzero(still)]
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
