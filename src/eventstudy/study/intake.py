"""What a study is handed, prices or returns: made into returns on the sessions that relative days count, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.calendars import calendar_bounds, exchange_sessions
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.estimation.panel import EventPanel
from eventstudy.interchange import collect_first, dated, is_table
from eventstudy.measures import Measure, measured
from eventstudy.prices.checks.accept import in_short
from eventstudy.prices.checks.finding import Finding, Usage
from eventstudy.prices.checks.run import check_prices, check_returns
from eventstudy.prices.snapshot import FACTOR_COLUMNS
from eventstudy.prices.table import Prices, Provenance, ReturnKind, clean_frame, require_prices
from eventstudy.sources.files.cells import cut
from eventstudy.sources.files.layouts import factor_of, meaning
from eventstudy.study.validity import PRICE_CHECK, Check
from eventstudy.wording import did_you_mean, first_few, iso_day

#: Findings listed one by one in a check of validity.
LISTED = 6
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
#: So many returns of one firm are never all above zero.
NEVER_ALL_UP = 60


def as_data(data: object) -> Prices | pd.DataFrame:
    """Return prices as they are and a table of returns of any library as a pandas table; what can only be prices is refused."""
    if isinstance(data, Prices):
        return data
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
    return table


def as_factors(factors: object) -> pd.DataFrame | None:
    """Return a table of factors of any library as a pandas table of days."""
    if factors is None:
        return None
    if isinstance(factors, Mapping) and any(is_table(t) for t in factors.values()):
        first = next(key for key, t in factors.items() if is_table(t))
        raise InvalidInput(f"factors is a {type(factors).__name__} of tables; give one of them: factors[{first!r}].")
    if isinstance(factors, str | Path):
        raise InvalidInput(
            f"factors is {str(factors)!r}; give a table of daily factors. A file of the French data library is read by "
            f"es.sources.read_french_factors({str(factors)!r})."
        )
    table = dated(factors, "The table of factors")
    if not isinstance(table.index, pd.PeriodIndex):
        return table
    if table.index.freqstr not in ("D", "B"):
        raise InvalidInput(
            f"The table of factors has rows for periods such as {table.index[0]}, not for days; an event study needs daily factors."
        )
    return table.set_axis(table.index.to_timestamp(), axis=0)


def _named(data: object) -> str:
    return repr(data) if isinstance(data, str) else f"a {type(data).__name__}"


def _fields(table: pd.DataFrame) -> str:
    """Return what makes a table one of prices, in words: two levels of columns, or a close with its day, its ticker or the day's range."""
    if table.columns.nlevels > 1:
        return f"{table.columns.nlevels} levels of columns"
    found = {meaning(str(c)): str(c) for c in table.columns}
    close = next((found[w] for w in ("close", "adj_close") if w in found), None)
    beside = [found[w] for w in ("date", "ticker", "open", "high", "low") if w in found]
    if close is None or not ({"date", "ticker"} & set(found) or {"open", "high", "low"} <= set(found)):
        return ""
    return f"the columns {', '.join([*beside, close])}"


def origin_of(data: Prices | pd.DataFrame, returns: pd.DataFrame) -> Provenance:
    """Return where the data of a study come from, of returns that were handed in their days alone."""
    if isinstance(data, Prices):
        return data.provenance
    return Provenance("returns handed in", first=iso_day(returns.index[0]), last=iso_day(returns.index[-1]))


@dataclass(frozen=True)
class Intake:
    """How data become returns on the sessions of an exchange, or on the benchmark's own dates if ``exchange`` is None."""

    model: NormalReturnModel
    return_kind: ReturnKind
    measure: Measure
    exchange: str | None

    def read(
        self, data: Prices | pd.DataFrame, tickers: list[str], factors: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return returns, dates × needed columns, one row a session, and weekdays and sessions of the exchange that the benchmark lacks."""
        needed = list(dict.fromkeys([*tickers, *self.model.columns]))
        extra = self._factor_table(data, factors)
        if isinstance(data, pd.DataFrame):
            return self._from_returns(data if factors is None else clean_frame(data, "returns").join(extra), needed)
        returns, holes = self._from_prices(data, [c for c in needed if c not in extra.columns])
        return returns.join(extra), holes

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
            _require_returns(chosen, "simple", refuse_prices=False)
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
                frame, holes = closes[seen], _weekdays_lost(closes, seen)
        else:
            sessions = exchange_sessions(self.exchange, closes.index[0].date(), closes.index[-1].date())
            frame = closes.reindex(sessions)
        if len(frame) < 2:
            raise DataUnfit("The prices hold fewer than two sessions; a return needs two.")
        if self.measure != "return":
            return measured(chosen, self.measure).reindex(frame.index), holes
        return Prices(frame, chosen.provenance).returns(self.return_kind, bridge_gaps=self.model.bridges_gaps), holes

    def _from_returns(self, table: pd.DataFrame, needed: list[str]) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
        """Return the rows of the benchmark's dates, and weekdays and sessions of the exchange that it lacks."""
        frame = clean_frame(table, "returns")
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
        elif np.isinf(chosen.to_numpy()).any():
            raise DataUnfit(f"The {self.measure} table holds an infinite value; leave it empty.")
        seen = frame.notna().any(axis=1) if benchmark is None else chosen[benchmark].notna()
        if int(seen.sum()) < 2:
            raise DataUnfit(
                f"{f'The benchmark {benchmark}' if benchmark else 'The table'} has {int(seen.sum())} days with returns; "
                f"nothing can be estimated."
            )
        kept = chosen[seen]
        lost = pd.DatetimeIndex(_weekdays_lost(chosen, seen).union(self._sessions_lost(seen)))
        return kept, lost[(lost > kept.index[0]) & (lost < kept.index[-1])]

    def _sessions_lost(self, seen: pd.Series[bool]) -> pd.DatetimeIndex:
        """Return sessions of the exchange, within the table's span, for which it has no row or no return."""
        kept = pd.DatetimeIndex(seen.index[seen])
        if self.exchange is None:
            return pd.DatetimeIndex([])
        first, last = calendar_bounds(self.exchange)
        first, last = max(first, kept[0]), min(last, kept[-1])
        if first > last:
            return pd.DatetimeIndex([])
        return exchange_sessions(self.exchange, first.date(), last.date()).difference(kept)


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


def _weekdays_lost(table: pd.DataFrame, seen: pd.Series[bool]) -> pd.DatetimeIndex:
    """Return weekdays on which others have a value and the benchmark has none."""
    lonely = pd.DatetimeIndex(table.index[~seen & table.notna().any(axis=1)])
    return lonely[lonely.day_of_week < 5]


def _require_returns(
    table: pd.DataFrame, kind: ReturnKind, refuse_prices: bool = True, firms: Sequence[str] = ()
) -> None:
    """Raise `DataUnfit` at an infinite return, a simple return of -100 % or less, returns in per cent, or prices, ``firms``' at any level."""
    values = table.to_numpy()
    wrong = np.isinf(values) | ((values <= -1.0) if kind == "simple" else np.zeros(values.shape, dtype=bool))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataUnfit(
            f"{table.columns[column]} has a return of {values[row, column]:g} on {iso_day(table.index[row])}; returns are "
            f"fractions, finite and above -1 (a fall of 17 % is -0.17, not -17). Correct it or leave it empty."
        )
    always = (table.count() >= NEVER_ALL_UP) & (table.min() < table.max()) & table.columns.isin(list(firms))
    positive = (table.min() > 0) & ((table.median() > 1.0) | always)
    if refuse_prices and positive.any():
        raise DataUnfit(
            f"{first_few(table.columns[positive], LISTED)}: all figures are positive, as prices are. For prices write "
            f"study.run(es.load_prices(data), events); for returns take table.pct_change(fill_method=None)."
        )
    typical = table.abs().where(table != 0).median()
    large = typical[typical > TYPICAL_MOVE_LIMIT]
    if len(large):
        raise DataUnfit(
            f"Half of the returns of {large.index[0]} are beyond ±{large.iloc[0]:g}, so they seem to be per cent; returns are "
            f"fractions (a fall of 17 % is -0.17, not -17). Divide the table by 100."
        )


# -- What may be wrong with the prices or returns.


def price_findings(
    data: Prices | pd.DataFrame, panel: EventPanel, model: NormalReturnModel, exchange: str | None
) -> tuple[Finding, ...]:
    """Return what is wrong with the prices of a study; what is found outside the days that it uses is a note.

    Of returns that were handed in, only repeated series can be found.
    """
    in_data = data.tickers if isinstance(data, Prices) else tuple(data.columns)
    columns = tuple(c for c in model.columns if c in in_data)
    tickers = tuple(e.ticker for e in panel.events)
    if not tickers:  # the refusal says why each event was dropped
        return ()
    final = len(panel.calendar) - 1
    first, start, last = (
        panel.calendar[np.clip(panel.position + day, 0, final)]
        for day in (panel.estimation.start - 1, panel.window.start - 1, panel.window.end)
    )
    largest_offset = max((abs(o) for o in model.offsets), default=0)
    usage = Usage(tickers, first, start, last, columns, largest_offset)
    benchmarks = [c for c in columns if c == model.benchmark]
    if not isinstance(data, Prices):
        needed = list(dict.fromkeys([*tickers, *columns]))
        return check_returns(data[needed], benchmarks=benchmarks, usage=usage)
    return check_prices(
        data.select([*tickers, *columns]),
        calendar=exchange,
        benchmarks=benchmarks,
        usage=usage,
        thin_trading=model.thin_trading,
    )


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


def price_check(found: Sequence[Finding]) -> Check:
    """Return findings as one check of validity: it holds if there are notes only."""
    serious = [f for f in found if f.severity != "note"]
    return Check(PRICE_CHECK, in_short(found), "no warning", not serious, first_few(serious, LISTED, "; "))
