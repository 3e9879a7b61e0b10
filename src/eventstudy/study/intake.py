"""What a study is handed, prices or returns: made into returns on the sessions that relative days count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.calendars import (
    AUTO,
    calendar_bounds,
    exchange_sessions,
    lost_days,
)
from eventstudy.days import refuse_other_frequency, refuse_sparse_columns
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import FloatArray
from eventstudy.interchange import collect_first, dated, is_table
from eventstudy.measures import Measure, measured
from eventstudy.prices.snapshot import FACTOR_COLUMNS
from eventstudy.prices.table import (
    Prices,
    Provenance,
    ReturnKind,
    clean_frame,
    columns_of,
    frame_of_days,
    require_prices,
)
from eventstudy.sources.files.firm_days import Needed, is_firm_days, read_firm_days
from eventstudy.sources.files.layouts import meaning
from eventstudy.study.refusals import (
    LISTED,
    factors_missing,
    markets_of,
    refuse_carried,
    refuse_markers,
    refuse_no_daily,
    renaming,
    require_daily_rate,
    require_returns,
    riskless,
)
from eventstudy.wording import did_you_mean, first_few, iso_day

#: Share of days with returns on which a named exchange was closed, from which on it is not theirs.
CLOSED_DAYS = 0.02
#: The call for what holds prices.
READ_PRICES = "Prices are read so: study.run({}, events)."
#: So many columns beside a close that are called as fields of a price file are no tickers.
FIELDS = 3


@dataclass(frozen=True)
class Data:
    """What a study is handed: prices as they are, or a table of returns on days, and what is to be said of how its dates were read.

    ``room``: the table's figures, firms × days, with free rows behind them for columns that are handed in beside it; None if it has none.
    """

    table: Prices | pd.DataFrame
    said: str = ""
    room: FloatArray | None = None

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


def as_data(data: object, needed: Needed, calendar: str | None = None) -> Data:
    """Return prices as they are and returns, a table of any library or rows on disk, as a pandas table of days; what can only be prices is refused."""
    if isinstance(data, Prices):
        return Data(data)
    if is_firm_days(data):
        found = read_firm_days(data, needed, None if calendar == AUTO else calendar)
        return Data(found.table, found.said, found.room)
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
    table = _daily(table, "returns")
    names = table.columns.tolist()
    plain = [c.strip() if isinstance(c, str) else c for c in names]
    table = table if plain == names else table.set_axis(plain, axis=1)
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
    known = {c: m for c in map(str, table.columns.tolist()) if (m := meaning(c))}
    close = next((c for w in ("close", "adj_close") for c, m in known.items() if m == w), None)
    rows = [c for c, m in known.items() if m in {"date", "ticker", "firm"}]
    fields = [c for c, m in known.items() if m in {"other", "volume", "open", "high", "low"}]
    if close is None or not (rows or len(fields) >= FIELDS):
        return ""
    return f"the columns {first_few([*rows, close, *fields], LISTED)}"


@dataclass(frozen=True)
class Intake:
    """How data become returns on the sessions of an exchange, or on the benchmark's own dates if ``exchange`` is None.

    ``named``: the study names the exchange; it was not told by the dates. ``fits``: it is named, or the dates are its sessions. ``room``: see `Data`.
    """

    model: NormalReturnModel
    return_kind: ReturnKind
    measure: Measure
    exchange: str | None
    named: bool = False
    fits: bool = False
    room: FloatArray | None = None

    def read(
        self, data: Prices | pd.DataFrame, tickers: list[str], factors: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return returns, dates × needed columns, one row a session, and the days that the benchmark lacks: sessions, or likely ones that have no row."""
        needed = list(dict.fromkeys([*tickers, *self.model.columns]))
        extra = self._factor_table(data, factors)
        if isinstance(data, pd.DataFrame):
            returns, holes = self._from_returns(data if extra.empty else self._joined(data, extra), needed)
        else:
            returns, holes = self._from_prices(data, [c for c in needed if c not in extra.columns])
        if self.measure == "return":
            there = set(returns.columns.tolist()) - {*extra.columns, riskless(self.model)}
            own = columns_of(returns, [c for c in needed if c in there])
            others = set(self.model.columns) - {self.model.benchmark}
            firms = [c for c in needed if c not in others]
            refuse_no_daily(own, self.return_kind, firms if isinstance(data, pd.DataFrame) else ())
        return (returns if isinstance(data, pd.DataFrame) or extra.empty else returns.join(extra)), holes

    def _joined(self, table: pd.DataFrame, extra: pd.DataFrame) -> pd.DataFrame:
        """Return a table with further columns, in the room behind its figures if there is enough."""
        own, count = table.shape[1], table.shape[1] + extra.shape[1]
        if self.room is None or len(self.room) < count:
            return table.join(extra)
        self.room[own:count] = extra.reindex(table.index).to_numpy(dtype=np.float64).T
        names = [*table.columns, *extra.columns]
        return pd.DataFrame(self.room[:count].T, index=table.index, columns=names, copy=False)

    def _factor_table(self, data: Prices | pd.DataFrame, factors: pd.DataFrame | None) -> pd.DataFrame:
        """Return the factors that the model needs, checked; an empty table if none were handed in."""
        in_data = data.adj_close.columns if isinstance(data, Prices) else data.columns
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
        repeated = sorted(set(table.columns).intersection(in_data) & set(self.model.columns))
        if repeated:
            raise InvalidInput(f"{', '.join(repeated)} is in the data and in the factors; leave it out of one.")
        chosen = table[[c for c in wanted if c in table.columns]]
        if chosen.shape[1] < len(wanted):
            raise factors_missing([c for c in wanted if c not in table.columns], table, sorted(map(str, in_data)))
        if chosen.shape[1]:
            require_returns(chosen, "simple", refuse_prices=False, name="factors")
            refuse_markers(chosen, "simple")
            there = chosen.dropna(how="all")
            refuse_other_frequency(pd.DatetimeIndex(there.index), "The table of factors")
            refuse_carried(there)
            require_daily_rate(chosen, riskless(self.model))
        return chosen

    def _from_prices(self, prices: Prices, needed: list[str]) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return returns on the sessions of the calendar, NaN where a price is missing; the benchmark's holes only if its own dates are the sessions."""
        chosen = prices.select(needed)
        closes = clean_frame(chosen.adj_close, "adjusted close")
        require_prices(closes, "adjusted close")
        holes = pd.DatetimeIndex([])
        if self.exchange is None:
            frame = closes
            if self.model.benchmark in closes:
                seen = closes[self.model.benchmark].notna()
                holes = lost_days(closes, seen)
                frame = closes[seen | closes.index.isin(holes)]
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
        """Return the rows of the sessions, and those that the benchmark lacks: its own dates, and days between them that it should have.

        A hole keeps its place in event time. The sessions of an exchange that the dates do not fit are no rows; they are told.
        """
        frame = table
        there = set(frame.columns.tolist())
        missing = [c for c in needed if c not in there]
        if missing:
            raise DataMissing(
                f"The returns have no column {', '.join(missing)}; they have {first_few(sorted(frame.columns), 40)}."
                f"{renaming(missing, frame, 'data') or did_you_mean(missing, frame.columns)}",
                missing=tuple(missing),
                available=tuple(frame.columns),
            )
        chosen, benchmark = columns_of(frame, needed), self.model.benchmark
        if self.measure == "return":
            others = set(self.model.columns) - {benchmark}
            firms = [c for c in needed if c not in others]
            require_returns(chosen, self.return_kind, firms=firms)
            refuse_markers(chosen[markets_of(self.model)], self.return_kind)
        elif np.isinf(chosen.to_numpy()).any():
            raise DataUnfit(f"The {self.measure} table holds an infinite value; leave it empty.")
        own = self.exchange if self.fits else None
        seen = chosen.notna().any(axis=1) if benchmark is None else chosen[benchmark].notna()
        if benchmark is None:  # a session of other firms is one of these
            seen |= frame.index.isin(lost_days(frame, seen, own))
        if int(seen.sum()) < 2:
            raise DataUnfit(
                f"{f'The benchmark {benchmark}' if benchmark else 'The table'} has {int(seen.sum())} days with returns; "
                f"nothing can be estimated."
            )
        kept = chosen if seen.all() else chosen[seen]
        refuse_other_frequency(pd.DatetimeIndex(kept.index), "The table of returns")
        refuse_sparse_columns(kept, "The table of returns")
        self._refuse_closed_days(pd.DatetimeIndex(kept.index))
        rows = pd.DatetimeIndex(kept.index)
        lost, likely = lost_days(chosen, seen, own), self._sessions(rows[0], rows[-1]).difference(rows)
        lost = lost.union(likely) if self.fits else lost
        holes, added = (d[(d > rows[0]) & (d < rows[-1])] for d in (lost.union(likely), lost))
        whole = kept if added.empty else chosen.reindex(rows.union(added))
        return whole, pd.DatetimeIndex(holes)

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
