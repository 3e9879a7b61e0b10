"""Claims about ranks: whether a loss or gain was a record, among a share's own days, weeks or months, or among firms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.claims.evidence import Days, Evidence
from eventstudy.claims.kind import DAYS, FELL_ROSE, LOST_GAINED, Kind
from eventstudy.claims.ruling import Ruling, Verdict, joint_ruling, not_testable
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.values import ENOUGH, changes, without_doubles
from eventstudy.claims.words import AMONG, ON_RECORD, RANK_WORDS
from eventstudy.wording import dollars, iso_day, listed, percent


@dataclass(frozen=True, slots=True)
class _Measure:
    """What changes are ranked by: its unit in words, what a fall and a rise are called, and how a size is written."""

    unit: str
    words: tuple[str, str]
    form: Callable[[float], str]


_MEASURES = {
    "dollars": _Measure("dollars", LOST_GAINED, dollars),
    "percent": _Measure("per cent", FELL_ROSE, lambda value: percent(abs(value), sign=False)),
}


class _Periods(NamedTuple):
    """The days, weeks, months, quarters or years of the data: first sessions and places of the last, shape (P,), and which is the claim's."""

    starts: pd.DatetimeIndex
    ends: np.ndarray
    own: int


def _judge_rank(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a rank: the biggest loss or gain of a day, week or month among a share's own, among firms then, or among firms at all times.

    Only days up to the claim's own count, since a record is one at its time. What ``since`` names is where the comparison starts and is not
    part of it: the worst day since 18 December need not be worse than that day, nor the worst since March than one in March. The
    comparison reaches no farther than the data, and the sentence says how far that is.
    """
    ev = ev.home([*part.assets, *_rivals(ev, part)[1]])
    days = ev.days(part)
    periods = _periods(ev, part, days)
    if isinstance(periods, Ruling):
        return periods
    start, end = iso_day(periods.starts[periods.own]), ev.day(periods.ends[periods.own])
    days = days if part.per == "day" else replace(days, text=f"{start} to {end}")
    if part.since and part.among != "firms" and part.cut(periods.starts[periods.own]) >= periods.starts[periods.own]:
        return not_testable(f"{days.text} does not lie after {part.since}", "a since before the days of the claim")
    rulings = [(ev.call(ticker), _rank(ev, part, ticker, days, periods)) for ticker in part.assets]
    return joint_ruling(rulings, "which company is meant")


def _periods(ev: Evidence, part: ClaimPart, days: Days) -> _Periods | Ruling:
    """Return the calendar's periods with the claim's own, which must be one and whole."""
    if part.per == "day" and days.n != 1:
        reason = "a rank is computed for one day, or per week, month, quarter or year"
        return not_testable(reason, "a claim about one session, or the key per")
    if part.per == "day":
        return _Periods(ev.sessions, np.arange(len(ev.sessions)), days.last)
    period = ev.sessions.to_period({"week": "W", "month": "M", "quarter": "Q", "year": "Y"}[part.per])
    new = np.flatnonzero(np.r_[True, period[1:] != period[:-1]])
    asked = pd.Timestamp(part.date) if part.date else ev.sessions[days.last]  # a Saturday belongs to the week before it
    own = int(ev.sessions[new].searchsorted(asked, side="right")) - 1
    if period[new[own]] != asked.to_period(period.freqstr) or (not part.date and new[own] > days.first):
        return not_testable(f"{days.text} is not within one {part.per}", f"the days of one {part.per}")
    ends = np.r_[new[1:], len(ev.sessions)] - 1
    closing = period[new[own]].end_time.normalize()
    whole = own < len(new) - 1 or len(pd.bdate_range(ev.sessions[-1], closing)) <= 1
    if not whole:
        return not_testable(
            f"the {part.per} of {days.text} is not over in the data, which end on {ev.day(-1)}",
            "closes of its last day",
        )
    return _Periods(ev.sessions[new], ends, own)


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """A company's change among those it is compared with: its size, its rank, the table, and whether counts had to stand in."""

    own: float
    rank: int
    table: pd.DataFrame
    early: bool

    @property
    def there(self) -> int:
        """Companies with a change on the day."""
        return int(self.table.iloc[-1].notna().sum())

    @property
    def thin(self) -> bool:
        """Whether too few of the companies have one."""
        return self.there < ENOUGH * self.table.shape[1]

    @property
    def first(self) -> pd.Timestamp:
        """The day from which on enough companies have changes, up to the claim's day."""
        enough = self.table.notna().sum(axis=1).to_numpy() >= ENOUGH * self.table.shape[1]
        return pd.Timestamp(self.table.index[int(enough.argmax())])

    @property
    def some_earlier(self) -> str:
        """In words, which of the companies have changes before that day; empty if none has."""
        before = self.table[self.table.index < self.first].notna()
        if not before.to_numpy().any():
            return ""
        start = self.table.index[int(before.any(axis=1).to_numpy().argmax())]
        return f", {int(before.any().sum())} of the companies from {iso_day(start)} on"


def _standing(
    ev: Evidence, part: ClaimPart, ticker: str, rivals: tuple[str, ...], periods: _Periods, measure: str
) -> _Standing | None:
    """Return the standing of a company in a period, or None if it has no change there."""
    table, early = changes(ev, [ticker, *rivals], measure, periods.ends, ticker)
    table.index = periods.starts
    start = (
        0
        if part.since is None
        else int(periods.starts.searchsorted(part.cut(periods.starts[periods.own]), side="right"))
    )
    chosen = table.iloc[periods.own if part.among == "firms" else start : periods.own + 1]
    if ticker not in chosen or chosen.empty or not math.isfinite(float(chosen[ticker].iloc[-1])):
        return None
    return _ranked(part, ticker, chosen, start < early and part.among != "firms")


def _ranked(part: ClaimPart, ticker: str, table: pd.DataFrame, early: bool = False) -> _Standing:
    """Return the standing of a company by the last day of a table of changes."""
    own, sign = float(table[ticker].iloc[-1]), part.sign
    return _Standing(own, 1 + int((sign * table.to_numpy(dtype=np.float64) > sign * own).sum()), table, early)


def _by_the_other(part: ClaimPart, ticker: str, found: _Standing, beside: _Standing, measure: str) -> str:
    """Return the rank in the other measure over the same companies and days, or over those of them that have it."""
    same = beside.table.reindex(columns=found.table.columns).where(found.table.notna())
    again = _ranked(part, ticker, same)
    text = f"{_MEASURES[measure].form(again.own)}, number {again.rank}"
    missing = int(found.table.notna().to_numpy().sum() - same.notna().to_numpy().sum())
    return f"{text} ({missing:,} of these have no such change)" if missing else text


def _rank(ev: Evidence, part: ClaimPart, ticker: str, days: Days, periods: _Periods) -> Ruling:
    measure: str = part.measure or next(name for name, m in _MEASURES.items() if part.verb.base in m.words)
    by = _MEASURES[measure]
    label, rivals = _rivals(ev, part)
    found = _standing(ev, part, ticker, rivals, periods, measure)
    if found is None:
        return not_testable(
            f"{ev.call(ticker)} has no change in {by.unit} on {days.text}",
            f"closes and a share count of {ticker}",
        )
    sign, table, first = part.sign, found.table, found.first
    if found.thin:
        return not_testable(
            f"{found.there} of the {table.shape[1]} companies ({label}) have a price on {days.text}{ev.panel_ends}",
            "the closes of the others on that day",
        )
    own = "" if part.per == "day" else f" ({days.text})"
    sentence = (
        f"{ev.call(ticker)} {by.words[found.own > 0]} {by.form(found.own)}{own}, number {found.rank} among the one-{part.per} "
        f"{'losses' if sign < 0 else 'gains'} in {by.unit} of {label} in the data here ({_reach(ev, part, found, periods, days)})"
        f"{_runner_up(ev, part, table, ticker, by.form)}{_named_by_since(ev, part, ticker, periods, measure)}"
        f"; {f'“{part.wording}”' if part.wording else 'the claim'} allows {_allowed(part)}"
    )
    compared = int(np.isfinite(table.to_numpy(dtype=np.float64)).sum())
    inputs = [("companies compared", str(found.there)), (f"company-{part.per}s compared", f"{compared:,}")]
    twice = without_doubles(ev, [ticker, *rivals], ticker)[1]
    if twice:
        inputs.append(("share classes left out", ", ".join(twice)))
    other = next(name for name in _MEASURES if name != measure)
    beside = _standing(ev, part, ticker, rivals, periods, other)
    if beside is not None:
        inputs.append((f"the same in {_MEASURES[other].unit}", _by_the_other(part, ticker, found, beside, other)))
    if measure == "dollars" and found.early:
        inputs.append(("before the first share count", "the earliest count stands in"))
    verdict = _verdict_of_rank(part, found.rank, sign * found.own)
    if _reaches_back(part, periods, first, verdict):
        back = (
            f"to {part.since}" if part.named else f"{part.since}, to {iso_day(part.cut(periods.starts[periods.own]))}"
        )
        return not_testable(
            f"{sentence}; the claim reaches back {back}", f"prices from {back.rsplit(maxsplit=1)[-1]} on"
        )
    return Ruling(verdict, f"{sentence}.", number=float(found.rank), unit="rank", inputs=tuple(inputs), days=days.text)


def _reach(ev: Evidence, part: ClaimPart, found: _Standing, periods: _Periods, days: Days) -> str:
    """Say how far the comparison reaches, and of a record that it is one of the data."""
    if part.among == "firms":
        return days.text
    start = "where the data begin, " if part.wording in ON_RECORD and part.since is None else ""
    return f"{start}{iso_day(found.first)} to {ev.day(periods.ends[periods.own])}{found.some_earlier}"


def _named_by_since(ev: Evidence, part: ClaimPart, ticker: str, periods: _Periods, measure: str) -> str:
    """Say what the share did in the one period that ``since`` names, which the comparison leaves out; empty if it names none or a longer time."""
    named = part.named
    if named is None or part.among == "firms":
        return ""
    first, last = (int(periods.starts.searchsorted(day, side="right")) - 1 for day in named)
    change = float(changes(ev, [ticker], measure, periods.ends)[0][ticker].iloc[first])
    if not 0 <= first == last or not math.isfinite(change):
        return ""
    by, day = _MEASURES[measure], periods.starts[first]
    return f"; left out is its change {_when(part, day)}, when it {by.words[change > 0]} {by.form(change)}"


def _when(part: ClaimPart, start: pd.Timestamp) -> str:
    return f"on {iso_day(start)}" if part.per == "day" else f"in the {part.per} of {iso_day(start)}"


def _reaches_back(part: ClaimPart, periods: _Periods, first: pd.Timestamp, verdict: Verdict) -> bool:
    """Whether a rank that holds in the data is claimed of days before them; one that fails in the data fails all the more."""
    if part.since is None or part.among == "firms" or verdict not in ("supported", "understated"):
        return False
    return bool(periods.starts[int(periods.starts.searchsorted(first)) - 1] > part.cut(periods.starts[periods.own]))


def _rivals(ev: Evidence, part: ClaimPart) -> tuple[str, tuple[str, ...]]:
    if part.among == "days":
        return "its own days", ()
    groups = [ev.basket(key) for key in part.baskets or ("all",)]
    return listed([label for label, _ in groups]), tuple(t for _, tickers in groups for t in tickers)


def _allowed(part: ClaimPart) -> str:
    """Say which places the claim allows."""
    return f"{'number 1 to ' if part.wording == AMONG and (part.value or 1) > 1 else 'number '}{part.value or 1:g}"


def _verdict_of_rank(part: ClaimPart, rank: int, toward: float) -> Verdict:
    """Judge a rank; a share that went the other way contradicts every rank."""
    if toward <= 0.0:
        return "contradicted"
    claimed = float(part.value or 1.0)
    if part.wording == AMONG:
        return "supported" if rank <= claimed else "overstated"
    if rank == claimed:
        return "supported"
    return "overstated" if rank > claimed else "understated"


def _runner_up(ev: Evidence, part: ClaimPart, chosen: pd.DataFrame, ticker: str, form: Callable[[float], str]) -> str:
    """Say which other change comes next, or first."""
    values = part.sign * chosen.to_numpy(dtype=np.float64)
    values[-1, list(chosen.columns).index(ticker)] = -np.inf
    values = np.where(np.isfinite(values) & (values > 0), values, -np.inf)
    if not (values > 0).any():
        return ""
    row, column = (int(i) for i in np.unravel_index(int(values.argmax()), values.shape))
    name = ev.call(str(chosen.columns[column]))
    return f"; the largest other is {name}, {form(float(values[row, column]))} {_when(part, chosen.index[row])}"


def _comparable(part: ClaimPart) -> str:
    if part.since and part.among == "firms":
        return "has no 'since' among firms of one day; leave among out, or since"
    if part.says and (part.wording, part.sign) in (("best", -1.0), ("worst", 1.0)):
        return f"says {part.says!r} and {part.wording!r}, which go opposite ways"
    return ""


RANKS = {
    "rank": Kind(
        _judge_rank,
        needs=("assets", "says"),
        allows=(*DAYS, "value", "unit", "wording", "measure", "among", "baskets", "per", "since"),
        says=(*FELL_ROSE, *LOST_GAINED),
        units=("rank",),
        wordings=RANK_WORDS,
        measures=("dollars", "percent"),
        check=_comparable,
    ),
}
