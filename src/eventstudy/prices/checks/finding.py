"""What a check of prices found, and which findings a study accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.calendars import calendar_bounds, exchange_sessions
from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.prices.table import Prices, clean_frame
from eventstudy.wording import did_you_mean

Severity = Literal["note", "warning", "error"]
#: From the least to the most serious.
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")
#: Beyond this many tickers, findings of one check and severity are told as one.
APART = 6
#: No reason is longer.
LONGEST_REASON = 500
IDLE = ", but not found"


class Rule(NamedTuple):
    """What a check expects, and what to do if it is not so."""

    expected: str
    advice: str


#: The checks by name.
CHECKS: Mapping[str, Rule] = {
    "missing_sessions": Rule(
        "a price on every session of the exchange",
        "download these days again or fill them from another vendor; if the exchange was closed, accept it with that reason",
    ),
    "extra_days": Rule(
        "prices on sessions of the exchange only",
        "Remove them, name the right exchange with calendar=, or use calendar=None to take the benchmark's dates",
    ),
    "missing_prices": Rule(
        "a price on every session between a ticker's first and last",
        "a halt, thin trading or a gap of the vendor: compare another source; each missing price costs two returns",
    ),
    "short_history": Rule("prices over the whole table", "listed later or delisted earlier: nothing, if that is right"),
    "benchmark_holes": Rule(
        "a benchmark's price on every session that the study uses",
        "fill the gap from another vendor, or choose another benchmark",
    ),
    "early_end": Rule(
        "prices to the end of the event window",
        "wait for the days that are missing, download again, or end the event window earlier",
    ),
    "repeated_day": Rule(
        "no day that repeats the one before, close and volume",
        "remove the repeated row or download again: vendors repeat the last day at times",
    ),
    "repeated_block": Rule(
        "no days in a row that repeat earlier ones",
        "compare these days with a second vendor; download again, or leave the copies empty",
    ),
    "shifted_days": Rule(
        "moves with the market of the same session",
        "compare a known day with a second vendor: dates may be a session off; against a market that closes at another hour, "
        "use a benchmark of the firm's own exchange",
    ),
    "stale_prices": Rule(
        "fewer than five equal closes in a row",
        "a halt, a suspended listing or a price carried forward: leave the days empty, or drop the ticker",
    ),
    "unapplied_split": Rule(
        "no jump of a split's size that stays",
        "look up the split; adjust all earlier prices (or take a newer download), or accept it with the news that explains it",
    ),
    "level_shift": Rule(
        "no jump beyond 2.5 times that stays",
        "another currency, another share or real news: compare with a second vendor",
    ),
    "wrong_price": Rule(
        "no jump that is undone within three days",
        "compare that day with a second vendor; correct the price or leave it empty",
    ),
    "unconfirmed_move": Rule(
        "no move beyond 25 % in an event window that the next day goes against, nor on the last day of the table",
        "real news or a wrong price: compare with `eventstudy check STUDY --against FILE`",
    ),
    "many_jumps": Rule(
        "no more than 40 daily moves beyond 16 %",
        "bring all prices to one unit and one split basis, or leave the ticker out if it is no series of prices",
    ),
    "adjustment_ratio": Rule(
        "adjusted/traded rises in steps of a dividend's size only",
        "download both closes from one source on one day; around a spin-off or special dividend look at the traded prices",
    ),
    "adjusted_above_traded": Rule(
        "an adjusted close that is not above the close as traded",
        "check that the two tables are not swapped, and are of one vintage",
    ),
    "non_positive_prices": Rule("prices above zero and finite", "correct the value or leave it empty"),
    "zero_volume": Rule(
        "no volume of zero",
        "a halt, or a vendor's gap: no trade stands behind these closes; leave them empty, or accept them with the reason for the halt",
    ),
    "negative_volume": Rule("volumes of zero or more", "correct it or leave it empty"),
    "vintages_disagree": Rule(
        "returns of two vintages within 0.0001 of each other",
        "find out which vintage is right, e.g. by a second vendor; a dividend or a split must not change any return",
    ),
    "mixed_currencies": Rule(
        "all prices in one currency",
        "Convert them to one currency, or hand in returns as a DataFrame if this is meant",
    ),
    "duplicate_series": Rule("each series under one ticker", "one of them holds the other's prices: download it again"),
    "equals_benchmark": Rule(
        "a firm's returns that are not the benchmark's",
        "one of them holds the other's prices: download it again",
    ),
}
#: What no reason makes usable.
NEVER_ACCEPTED = ("non_positive_prices",)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check of prices found; `str` gives it in one line.

    Attributes
    ----------
    check : str
        Name of the check, e.g. ``stale_prices``.
    severity : {"note", "warning", "error"}
        An error stops a study unless it is accepted by name.
    tickers : tuple of str
        Whose prices; empty for the table as a whole.
    first, last : str
        First and last day concerned, ISO format; empty if it is not a matter of days.
    value : str
        What was found.
    rule : str
        What is expected.
    advice : str
        What to do.
    accepted : str
        The reason for which an error or a warning was accepted; empty otherwise.
    """

    check: str
    severity: Severity
    tickers: tuple[str, ...]
    first: str
    last: str
    value: str
    rule: str
    advice: str
    accepted: str = ""

    @property
    def idle(self) -> bool:
        """Whether it only tells that a study accepts what was not found."""
        return self.value.endswith(IDLE)

    @property
    def days(self) -> str:
        """The days concerned, in words."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"

    def __str__(self) -> str:
        state = f"accepted {self.severity}" if self.accepted else self.severity
        where = ", ".join(filter(None, (some(self.tickers), self.days)))
        end = f"Accepted: {self.accepted}" if self.accepted else f"Expected: {self.rule}. To do: {self.advice}"
        return f"{state}: {self.check}" + (f" ({where})" if where else "") + f": {self.value}. {end}"

    def to_dict(self) -> dict[str, object]:
        """Return the finding as plain values for JSON."""
        return {
            "check": self.check,
            "severity": self.severity,
            "tickers": list(self.tickers),
            "first": self.first,
            "last": self.last,
            "value": self.value,
            "rule": self.rule,
            "advice": self.advice,
            "accepted": self.accepted,
        }


def finding(
    check: str, severity: Severity, tickers: Iterable[str], value: str, first: str = "", last: str = ""
) -> Finding:
    """Return a finding with the rule and the advice of its check."""
    rule = CHECKS[check]
    return Finding(check, severity, tuple(tickers), first, last or first, value, rule.expected, rule.advice)


def some(names: Sequence[str], limit: int = APART) -> str:
    """Return names separated by commas, the rest counted."""
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def gathered(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity and check, the most serious first; of one kind for many tickers, one that counts them."""
    kinds: dict[tuple[int, int], list[Finding]] = {}
    order = list(CHECKS)
    for item in found:
        kinds.setdefault((-SEVERITIES.index(item.severity), order.index(item.check)), []).append(item)
    out: list[Finding] = []
    for key in sorted(kinds):
        same = kinds[key]
        out += [_as_one(same)] if len(same) > (1 if same[0].severity == "note" else APART) else same
    return tuple(out)


def _as_one(same: Sequence[Finding]) -> Finding:
    examples = "; ".join(f"{some(f.tickers)} {f.value}".strip() for f in same[:3])
    tickers = tuple(dict.fromkeys(t for f in same for t in f.tickers))
    more = f"; and {len(same) - 3} more" if len(same) > 3 else ""
    days = [d for f in same for d in (f.first, f.last) if d]
    return replace(
        same[0], tickers=tickers, first=min(days, default=""), last=max(days, default=""), value=f"{examples}{more}"
    )


def check_accept(accept: object) -> dict[str, str]:
    """Return what a study accepts, by name of the check, with each reason."""
    if not isinstance(accept, Mapping):
        raise InvalidInput(
            f"accept is {accept!r}; give names of checks with reasons, e.g. {{'stale_prices': 'a halt'}}."
        )
    unknown = [str(name) for name in accept if name not in CHECKS]
    if unknown:
        raise InvalidInput(
            f"accept names {', '.join(unknown)}, which is no check of prices; there are {', '.join(CHECKS)}."
            f"{did_you_mean(unknown, CHECKS)}"
        )
    for name, reason in accept.items():
        if name in NEVER_ACCEPTED:
            raise InvalidInput(f"accept names {name}, which no reason makes usable: {CHECKS[name].advice}.")
        if not isinstance(reason, str) or not reason.strip():
            raise InvalidInput(f"accept gives no reason for {name}; write in a sentence why it does no harm.")
        if len(reason) > LONGEST_REASON:
            raise InvalidInput(f"The reason for {name} has {len(reason)} characters; {LONGEST_REASON} are enough.")
    return {str(name): " ".join(reason.split()) for name, reason in accept.items()}


def judged(found: Sequence[Finding], accept: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return the findings with accepted errors and warnings marked; a reason without a finding is told as a note."""
    marked = tuple(
        replace(f, accepted=accept[f.check]) if f.severity != "note" and f.check in accept else f for f in found
    )
    errors = [f for f in marked if f.severity == "error" and not f.accepted]
    if not errors:
        idle = [name for name in accept if not any(f.check == name for f in found)]
        return (*marked, *(finding(name, "note", (), f"accepted ({accept[name]}){IDLE}") for name in idle))
    names = list(dict.fromkeys(f.check for f in errors))
    usable = [n for n in names if n not in NEVER_ACCEPTED]
    ask = f'accept={{"{usable[0]}": "the reason"}}' if usable else ""
    file = f'[prices.accept] {usable[0]} = "the reason"' if usable else ""
    raise DataUnfit(
        f"The prices are not fit for this study: {len(errors)} error{'s' * (len(errors) > 1)}.\n"
        + "\n".join(f"  {f}." for f in errors)
        + (f"\nIf one does no harm, say why: {ask}, or {file} in the study file." if usable else ""),
        findings=tuple(f.to_dict() for f in errors),
    )


def in_short(found: Sequence[Finding]) -> str:
    """Return how many findings of each severity there are, in words."""
    counts = []
    for severity in reversed(SEVERITIES):
        for word, some_accepted in ((f"accepted {severity}", True), (severity, False)):
            number = sum(f.severity == severity and bool(f.accepted) == some_accepted for f in found)
            if number:
                counts.append(f"{number} {word}{'s' * (number > 1)}")
    return ", ".join(counts) or "nothing found"


# -- The table as the checks of prices see it: sessions × tickers, and which cells a study uses.


BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
LevelArray = NDArray[np.int8]

#: Levels of a cell: nothing, and the severities in their order.
NOTE, WARNING, ERROR = 1, 2, 3


@dataclass(frozen=True, eq=False)
class Usage:
    """Which prices a study uses.

    Attributes
    ----------
    tickers : tuple of str
        Firm of each of N events.
    first, start, last : DatetimeIndex, shape (N,)
        First day of prices for the estimation, day before the event window, last day of the event window.
    columns : tuple of str
        Benchmarks, factors and peers, used on the days of every event.
    reach : int
        Sessions that the model looks further on its columns, before and after.
    """

    tickers: tuple[str, ...]
    first: pd.DatetimeIndex
    start: pd.DatetimeIndex
    last: pd.DatetimeIndex
    columns: tuple[str, ...] = ()
    reach: int = 0


@dataclass(frozen=True, eq=False)
class Grid:
    """Prices on all days of the table and all sessions between its first and last.

    Attributes
    ----------
    days : DatetimeIndex, shape (T,)
        Ascending.
    session : ndarray of bool, shape (T,)
        Whether the exchange was open.
    adjusted : ndarray, shape (T, K)
        Adjusted closes, NaN where there is none.
    traded, volume : ndarray, shape (T, K), or None
        Closes as traded and volumes; a column whose volumes are all zero or missing counts as without.
    used, event : ndarray of bool, shape (T, K)
        Cells that the study uses, and those in an event window.
    benchmark : ndarray of bool, shape (K,)
        Which columns are benchmarks.
    """

    days: pd.DatetimeIndex
    session: BoolArray
    tickers: tuple[str, ...]
    adjusted: FloatArray
    traded: FloatArray | None
    volume: FloatArray | None
    used: BoolArray
    event: BoolArray
    benchmark: BoolArray

    @property
    def closes(self) -> FloatArray:
        """Closes as traded, or adjusted ones if there are no others."""
        return self.adjusted if self.traded is None else self.traded

    @property
    def priced(self) -> BoolArray:
        """Where there is a price, shape (T, K)."""
        return np.isfinite(self.adjusted)

    def day(self, row: int) -> str:
        """Return a row's day, ISO format."""
        return f"{self.days[row]:%Y-%m-%d}"

    def span(self, rows: Sequence[int] | NDArray[np.int64]) -> tuple[str, str]:
        """Return the first and the last day of some rows."""
        return self.day(int(min(rows))), self.day(int(max(rows)))

    def listed(self, rows: Sequence[int] | NDArray[np.int64], limit: int = 4) -> str:
        """Return the days of some rows in words, the rest counted."""
        shown = ", ".join(self.day(int(r)) for r in rows[:limit])
        return shown + (f" and {len(rows) - limit} more" if len(rows) > limit else "")


def make_grid(prices: Prices, calendar: str | None, benchmarks: Sequence[str], usage: Usage | None) -> Grid:
    """Return prices as the checks see them."""
    closes = clean_frame(prices.adj_close, "adjusted close")
    table = closes.dropna(how="all")
    benchmark = closes.columns.isin(list(benchmarks))
    days = pd.DatetimeIndex(table.index)
    if calendar is None or not len(days):
        open_days = np.asarray(days.dayofweek < 5) | table.loc[:, benchmark].notna().any(axis=1).to_numpy()
        sessions = days[open_days]
    else:
        known_first, known_last = calendar_bounds(calendar)
        first, last = max(days[0], known_first), min(days[-1], known_last)
        sessions = exchange_sessions(calendar, first.date(), last.date()) if first <= last else days[:0]
        sessions = sessions.union(days[(days < known_first) | (days > known_last)])
    whole = pd.DatetimeIndex(days.union(sessions))
    tickers = tuple(str(c) for c in closes.columns)
    used, event = _masks(whole, tickers, usage)
    return Grid(
        days=whole,
        session=np.asarray(whole.isin(sessions), dtype=np.bool_),
        tickers=tickers,
        adjusted=_placed(table, whole),
        traded=None if prices.close is None else _other(prices.close, closes, whole, "close"),
        volume=None if prices.volume is None else _volume(_other(prices.volume, closes, whole, "volume")),
        used=used,
        event=event,
        benchmark=np.asarray(benchmark, dtype=np.bool_),
    )


def _placed(table: pd.DataFrame, days: pd.DatetimeIndex) -> FloatArray:
    out = np.full((len(days), table.shape[1]), np.nan)
    out[days.get_indexer(pd.DatetimeIndex(table.index))] = table.to_numpy(dtype=np.float64)
    return out


def _other(frame: pd.DataFrame, like: pd.DataFrame, days: pd.DatetimeIndex, what: str) -> FloatArray:
    return clean_frame(frame, what).reindex(index=days, columns=like.columns).to_numpy(dtype=np.float64)


def _volume(volume: FloatArray) -> FloatArray:
    none = ~(np.nan_to_num(volume) != 0.0).any(axis=0)
    return np.where(none[None, :], np.nan, volume)


def _masks(days: pd.DatetimeIndex, tickers: tuple[str, ...], usage: Usage | None) -> tuple[BoolArray, BoolArray]:
    """Return which cells are used, and which lie in an event window."""
    shape = (len(days), len(tickers))
    if usage is None:
        return np.ones(shape, dtype=np.bool_), np.ones(shape, dtype=np.bool_)
    column = pd.Index(tickers).get_indexer(pd.Index(list(usage.tickers)))
    others = pd.Index(tickers).get_indexer(pd.Index(list(usage.columns)))
    stop = days.searchsorted(usage.last, side="right")
    masks = []
    for begin in (days.searchsorted(usage.first), days.searchsorted(usage.start)):
        firms = _spans(shape, np.asarray(begin), np.asarray(stop), column)
        early, late = np.maximum(begin - usage.reach, 0), np.minimum(stop + usage.reach, len(days))
        anywhere = _spans((shape[0], 1), np.asarray(early), np.asarray(late), np.zeros(len(begin), dtype=np.int64))
        firms[:, others[others >= 0]] |= anywhere
        masks.append(firms)
    return masks[0], masks[1]


def _spans(
    shape: tuple[int, int], begin: NDArray[np.int64], stop: NDArray[np.int64], column: NDArray[np.int64]
) -> BoolArray:
    """Return a mask that is true from ``begin`` to before ``stop`` in each column."""
    edges = np.zeros((shape[0] + 1, shape[1]), dtype=np.int64)
    there = (column >= 0) & (stop > begin)
    np.add.at(edges, (begin[there], column[there]), 1)
    np.add.at(edges, (stop[there], column[there]), -1)
    return np.asarray(edges.cumsum(axis=0)[:-1] > 0, dtype=np.bool_)


def by_ticker(
    grid: Grid, check: str, level: LevelArray, describe: Callable[[int, NDArray[np.int64]], str]
) -> Iterator[Finding]:
    """Yield a finding for each ticker with a level above zero: one of the cells used, and a note of the others.

    Parameters
    ----------
    level : ndarray of int, shape (T, K)
        0 for nothing, else `NOTE`, `WARNING` or `ERROR`.
    """
    for column in np.flatnonzero(level.any(axis=0)):
        rows = np.flatnonzero(level[:, column])
        inside = grid.used[rows, column]
        for chosen, highest in ((rows[inside], ERROR), (rows[~inside], NOTE)):
            if len(chosen):
                worst = min(int(level[chosen, column].max()), highest)
                words = describe(int(column), chosen)
                yield finding(check, SEVERITIES[worst - 1], (grid.tickers[column],), words, *grid.span(chosen))


def in_window(grid: Grid, bad: BoolArray) -> LevelArray:
    """Return levels of bad cells: an error in an event window, else a warning."""
    return np.where(bad, np.where(grid.event, ERROR, WARNING), 0).astype(np.int8)


def previous(values: FloatArray) -> FloatArray:
    """Return the last value before each row, NaN where there is none, shape (T, K)."""
    before = np.full(values.shape, np.nan)
    before[1:] = values[:-1]
    holes = np.flatnonzero((~np.isfinite(values)).any(axis=0))
    if len(holes):
        some = values[:, holes]
        rows = np.where(np.isfinite(some), np.arange(len(values))[:, None], 0)
        filled = np.take_along_axis(some, np.maximum.accumulate(rows, axis=0), axis=0)
        before[1:, holes] = filled[:-1]
    return before
