"""Claims about ranks: whether a loss or gain was a record, among a share's own days or among firms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.claims.evidence import Days, Evidence
from eventstudy.claims.kind import DAYS, FELL_ROSE, LOST_GAINED, Kind, each_asset
from eventstudy.claims.ruling import RANK_WORDS, Ruling, Verdict, not_testable
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.values import ENOUGH, daily_changes, without_doubles
from eventstudy.wording import dollars, iso_day, listed, percent

#: Data may begin so long after the day that a claim names: holidays, and the one close before the first change.
_OPENING = pd.Timedelta(days=7)


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


def _judge_rank(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a rank: the biggest one-day loss or gain among a share's own days, among firms on that day, or among firms on all days.

    Only days up to the claim's own count, since a record is one at its time; ``since`` is where the comparison starts. The comparison
    reaches no farther than the data, and the sentence says how far that is.
    """
    days = ev.days(part)
    if days.n != 1:
        return not_testable("a rank is computed for one day", "a claim about one session")
    return each_asset(_rank)(ev, part)


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
    ev: Evidence, part: ClaimPart, ticker: str, rivals: tuple[str, ...], days: Days, measure: str
) -> _Standing | None:
    """Return the standing of a company on a day, or None if it has no change there."""
    table, early = daily_changes(ev, [ticker, *rivals], measure, ticker)
    start = 0 if part.since is None else int(ev.sessions.searchsorted(pd.Timestamp(part.since)))
    chosen = table.iloc[days.last if part.among == "firms" else start : days.last + 1]
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
    return f"{text} ({missing:,} of these company-days have no such change)" if missing else text


def _rank(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    measure: str = part.measure or next(name for name, m in _MEASURES.items() if part.says in m.words)
    by = _MEASURES[measure]
    label, rivals = _rivals(ev, part)
    found = _standing(ev, part, ticker, rivals, days, measure)
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
    reach = days.text if part.among == "firms" else f"{iso_day(first)} to {days.text}{found.some_earlier}"
    sentence = (
        f"{ev.call(ticker)} {by.words[found.own > 0]} {by.form(found.own)}, number {found.rank} among the one-day "
        f"{'losses' if sign < 0 else 'gains'} in {by.unit} of {label} in the data here ({reach})"
        f"{_runner_up(ev, table, ticker, sign, by.form)}"
    )
    compared = int(np.isfinite(table.to_numpy(dtype=np.float64)).sum())
    inputs = [("companies compared", str(found.there)), ("company-days compared", f"{compared:,}")]
    twice = without_doubles(ev, [ticker, *rivals], ticker)[1]
    if twice:
        inputs.append(("share classes left out", ", ".join(twice)))
    other = next(name for name in _MEASURES if name != measure)
    beside = _standing(ev, part, ticker, rivals, days, other)
    if beside is not None:
        inputs.append((f"the same in {_MEASURES[other].unit}", _by_the_other(part, ticker, found, beside, other)))
    if measure == "dollars" and found.early:
        inputs.append(("before the first share count", "the earliest count stands in"))
    verdict = _verdict_of_rank(part, found.rank, sign * found.own)
    if _reaches_back(part, first, verdict):
        return not_testable(f"{sentence}; the claim reaches back to {part.since}", f"prices from {part.since} on")
    return Ruling(verdict, f"{sentence}.", number=float(found.rank), unit="rank", inputs=tuple(inputs), days=days.text)


def _reaches_back(part: ClaimPart, first: pd.Timestamp, verdict: Verdict) -> bool:
    """Whether a rank that holds in the data is claimed of days before them; one that fails in the data fails all the more."""
    claimed = part.since is not None and part.among != "firms" and first > pd.Timestamp(part.since) + _OPENING
    return claimed and verdict in ("supported", "understated")


def _rivals(ev: Evidence, part: ClaimPart) -> tuple[str, tuple[str, ...]]:
    if part.among == "days":
        return "its own days", ()
    groups = [ev.basket(key) for key in part.baskets or ("all",)]
    return listed([label for label, _ in groups]), tuple(t for _, tickers in groups for t in tickers)


def _verdict_of_rank(part: ClaimPart, rank: int, toward: float) -> Verdict:
    """Judge a rank; a share that went the other way contradicts every rank."""
    if toward <= 0.0:
        return "contradicted"
    claimed = float(part.value or 1.0)
    if part.wording == "among the biggest":
        return "supported" if rank <= claimed else "overstated"
    if rank == claimed:
        return "supported"
    return "overstated" if rank > claimed else "understated"


def _runner_up(ev: Evidence, chosen: pd.DataFrame, ticker: str, sign: float, form: Callable[[float], str]) -> str:
    """Say which other change comes next, or first."""
    values = sign * chosen.to_numpy(dtype=np.float64)
    values[-1, list(chosen.columns).index(ticker)] = -np.inf
    values = np.where(np.isfinite(values) & (values > 0), values, -np.inf)
    if not (values > 0).any():
        return ""
    row, column = (int(i) for i in np.unravel_index(int(values.argmax()), values.shape))
    name = ev.call(str(chosen.columns[column]))
    return f"; the largest other is {name}, {form(float(values[row, column]))} on {iso_day(chosen.index[row])}"


RANKS = {
    "rank": Kind(
        _judge_rank,
        needs=("assets", "says"),
        allows=(*DAYS, "value", "unit", "wording", "measure", "among", "baskets", "since"),
        says=(*FELL_ROSE, *LOST_GAINED),
        units=("rank",),
        wordings=RANK_WORDS,
        measures=("dollars", "percent"),
    ),
}
