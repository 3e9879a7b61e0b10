"""Claims about market value and ranks: what a company or a basket lost, and whether that was a record."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.claims.evidence import Days, Evidence
from eventstudy.claims.ruling import (
    Reading,
    Ruling,
    Verdict,
    dollars,
    judge_amount,
    listed,
    missing_text,
    not_testable,
    signed_dollars,
    together,
    tolerance,
)
from eventstudy.claims.schema import ClaimPart
from eventstudy.claims.values import (
    BasketChange,
    ValueChange,
    basket,
    basket_change,
    daily_changes,
    value_change,
    without_doubles,
)
from eventstudy.wording import interval, percent

#: Data may begin so long after the day that a claim names: holidays, and the one close before the first change.
_OPENING = pd.Timedelta(days=7)
#: Of the companies that a rank or a sum speaks of at least so many must have a number on the day: without the others it is another claim.
_ENOUGH = 0.9
_UNIT = {"dollars": "dollars", "percent": "per cent"}
_FORM: dict[str, Callable[[float], str]] = {"dollars": dollars, "percent": lambda v: percent(abs(v), sign=False)}
_SIGN = {"lost": -1.0, "gained": 1.0, "fell": -1.0, "rose": 1.0}


def _claim_text(part: ClaimPart) -> str:
    return f"{part.wording + ' ' if part.wording else ''}{dollars(part.amount)}"


def _allowed(part: ClaimPart, bounds: tuple[float, float]) -> str:
    top = "and more" if math.isinf(bounds[1]) else f"to {dollars(part.amount * bounds[1])}"
    return f"{dollars(part.amount * bounds[0])} {top}"


def judge_value(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claimed change of one company's market value.

    The verdict must hold for every share count: the latest on or before the day, the ones around it, and the range that the claim's
    ``shares_billion`` names. Where it does not, the verdict is ``depends on`` the share count.
    """
    days, ticker = ev.days(part), part.assets[0]
    change = value_change(ev, ticker, days, part.shares_billion)
    if isinstance(change, str):
        return not_testable(change, f"closes and a share count of {ticker}")
    bounds = tolerance(part.wording, float(part.value or 0.0), dollars=True)
    counts = {c.shares for c in change.counts} | {n * 1e9 for n in part.shares_billion or ()}
    step = change.close_after - change.close_before
    by_count = {n: n * step for n in sorted(counts)}
    verdicts: dict[float, Verdict] = {
        n: judge_amount(_SIGN[part.says] * v / part.amount, bounds) for n, v in by_count.items()
    }
    kinds = list(dict.fromkeys(verdicts.values()))
    condition = ""
    if len(kinds) > 1:
        condition = f"the share count within {min(counts) / 1e9:.2f} to {max(counts) / 1e9:.2f}bn: " + "; ".join(
            f"{v} with {' or '.join(f'{n / 1e9:.3f}bn' for n in counts if verdicts[n] == v)}" for v in kinds
        )
    low, high = min(by_count.values()), max(by_count.values())
    near, far = sorted((low, high), key=abs)
    sentence = (
        f"{ev.call(ticker)} {'lost' if change.raw < 0 else 'gained'} {dollars(change.raw)}: {change.shares.shares / 1e9:.3f}bn shares × "
        f"${abs(step):,.2f} ({days.text}); with other share counts {dollars(near)} to {dollars(far)}. “{_claim_text(part)}” allows "
        f"{_allowed(part, bounds)}."
    )
    if math.isclose(low, high):
        sentence = sentence.replace(f"; with other share counts {dollars(near)} to {dollars(far)}", "")
    return Ruling(
        "depends on" if condition else kinds[0],
        sentence,
        number=change.raw,
        low=low,
        high=high,
        unit="USD",
        range_of="over share counts",
        condition=condition,
        inputs=_value_inputs(ev, change, days, part),
        readings=tuple(Reading(f"{n / 1e9:.3f}bn shares", v, verdicts[n]) for n, v in by_count.items()),
        days=days.text,
    )


def _value_inputs(ev: Evidence, c: ValueChange, days: Days, part: ClaimPart) -> tuple[tuple[str, str], ...]:
    kind = "close" if c.traded else "adjusted close"
    move = ev.move(c.ticker, days)
    before = c.shares.shares * c.close_before
    found = [
        (f"{kind} {ev.sessions[days.before]:%Y-%m-%d}", f"{c.close_before:,.2f}"),
        (f"{kind} {ev.sessions[days.last]:%Y-%m-%d}", f"{c.close_after:,.2f}"),
        (f"shares, count of {c.shares.period_end}", f"{c.shares.shares / 1e9:,.3f}bn"),
        *((f"other count, of {o.period_end}", f"{o.shares / 1e9:,.3f}bn") for o in c.counts if o is not c.shares),
    ]
    if part.shares_billion:
        found.append(("share counts in print", f"{part.shares_billion[0]:g} to {part.shares_billion[1]:g}bn"))
    if math.isfinite(move.abnormal):
        reach = interval(move.low * before, move.high * before, signed_dollars)
        found.append(("of it abnormal", f"{signed_dollars(move.abnormal * before)} (95% interval {reach})"))
    return tuple(found)


def judge_basket(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claimed change of value of many companies, by every reading that the claim allows.

    A reading is a basket, a window and a sum: *gross* adds up the companies that went the claim's way, *net* all of them. Where readings
    disagree the verdict is ``depends on``, with the verdict of each.
    """
    bounds = tolerance(part.wording, float(part.value or 0.0), dollars=True)
    readings: list[Reading] = []
    inputs: list[tuple[str, str]] = []
    ranges: list[tuple[float, float]] = []
    days = ev.days(part, part.windows[0] if part.windows else None)
    for window in part.windows or (None,):
        span = ev.days(part, window)
        for key in part.baskets:
            label, tickers = basket(ev, key)
            change = basket_change(ev, tickers, span)
            if not change.changes:
                continue
            if len(change.changes) < _ENOUGH * (len(change.changes) + len(change.missing)):
                return _too_many_missing(ev, label, change, span)
            for kind in part.sums:
                raw, low, high = change.total(kind, part.says)
                name = f"{label}, {kind}" + (f", {span.text}" if len(part.windows) > 1 else "")
                readings.append(Reading(name, raw, judge_amount(_SIGN[part.says] * raw / part.amount, bounds)))
                ranges.append((low, high))
            if window is None or window == part.windows[0]:
                inputs += _basket_inputs(label, change)
    if not readings:
        return not_testable(
            "no company of the basket has prices and a share count on these days", "closes and share counts"
        )
    return _of_readings(part, bounds, readings, ranges, tuple(inputs), days)


def _too_many_missing(ev: Evidence, label: str, c: BasketChange, span: Days) -> Ruling:
    """Refuse the sum of a basket of which more than a tenth of the companies has no number."""
    return not_testable(
        f"{len(c.missing)} of the {len(c.changes) + len(c.missing)} companies ({label}) have no price or share count on {span.text}"
        f"{_panel_ends(ev)}",
        f"closes and share counts of {missing_text(c.missing)}",
    )


def _basket_inputs(label: str, c: BasketChange) -> list[tuple[str, str]]:
    found = [
        (f"companies, {label}", str(len(c.changes))),
        ("without price or share count", missing_text(c.missing)),
    ]
    if c.twice:
        found.append(("share classes counted once", ", ".join(c.twice)))
    if c.adjusted:
        gap = ""
        if math.isfinite(c.gap_most):
            gap = f"; where both are known they lie {percent(c.gap_median, sign=False)} (median) to {percent(c.gap_most, sign=False)} (most) below"
        found.append(("closes adjusted for later dividends", f"{c.adjusted} of {len(c.changes)}{gap}"))
    return found


def _of_readings(
    part: ClaimPart,
    bounds: tuple[float, float],
    readings: list[Reading],
    ranges: list[tuple[float, float]],
    inputs: tuple[tuple[str, str], ...],
    days: Days,
) -> Ruling:
    """Return one ruling for all readings of a sum: theirs if they agree, else ``depends on`` with what differs between them."""
    kinds = list(dict.fromkeys(r.verdict for r in readings))
    ways = [
        word
        for word, several in (
            ("which companies are meant", len(part.baskets) > 1),
            ("which days", len(part.windows) > 1),
            ("whether gains are set against losses", len(part.sums) > 1),
        )
        if several
    ]
    told = "; ".join(_reading_text(v, [r for r in readings if r.verdict == v]) for v in kinds)
    alone = len(readings) == 1
    return Ruling(
        "depends on" if len(kinds) > 1 else kinds[0],
        f"“{_claim_text(part)}” allows {_allowed(part, bounds)}; {told}.",
        number=readings[0].number,
        low=ranges[0][0] if alone else min(r.number for r in readings),
        high=ranges[0][1] if alone else max(r.number for r in readings),
        unit="USD",
        range_of="over share counts" if alone else "over the readings",
        condition=listed(ways) if len(kinds) > 1 else "",
        inputs=(*((f"sum, {r.label}", f"{signed_dollars(r.number)}, {r.verdict}") for r in readings), *inputs),
        readings=tuple(readings),
        days=days.text,
    )


def _reading_text(verdict: Verdict, readings: list[Reading]) -> str:
    """Return the readings with one verdict: the first two by name, more as a range."""
    if len(readings) <= 2:
        return f"{verdict} with {listed([f'{signed_dollars(r.number)} ({r.label})' for r in readings])}"
    small, large = (signed_dollars(f(readings, key=lambda r: abs(r.number)).number) for f in (min, max))
    return f"{verdict} with {len(readings)} sums from {small} to {large}"


def judge_rank(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a rank: the biggest one-day loss or gain among a share's own days, among firms on that day, or among firms on all days.

    Only days up to the claim's own count, since a record is one at its time; ``since`` is where the comparison starts. The comparison
    reaches no farther than the data, and the sentence says how far that is.
    """
    days = ev.days(part)
    if days.n != 1:
        return not_testable("a rank is computed for one day", "a claim about one session")
    return together([(ev.call(t), _one_rank(ev, part, t, days)) for t in part.assets], "which company is meant")


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
        return self.there < _ENOUGH * self.table.shape[1]

    @property
    def first(self) -> pd.Timestamp:
        """The day from which on enough companies have changes, up to the claim's day."""
        enough = self.table.notna().sum(axis=1).to_numpy() >= _ENOUGH * self.table.shape[1]
        return pd.Timestamp(self.table.index[int(enough.argmax())])

    @property
    def some_earlier(self) -> str:
        """In words, which of the companies have changes before that day; empty if none has."""
        before = self.table[self.table.index < self.first].notna()
        if not before.to_numpy().any():
            return ""
        start = self.table.index[int(before.any(axis=1).to_numpy().argmax())]
        return f", {int(before.any().sum())} of the companies from {start:%Y-%m-%d} on"


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
    own, sign = float(table[ticker].iloc[-1]), _SIGN[part.says]
    return _Standing(own, 1 + int((sign * table.to_numpy(dtype=np.float64) > sign * own).sum()), table, early)


def _by_the_other(part: ClaimPart, ticker: str, found: _Standing, beside: _Standing, measure: str) -> str:
    """Return the rank in the other measure over the same companies and days, or over those of them that have it."""
    same = beside.table.reindex(columns=found.table.columns).where(found.table.notna())
    again = _ranked(part, ticker, same)
    text = f"{_FORM[measure](again.own)}, number {again.rank}"
    missing = int(found.table.notna().to_numpy().sum() - same.notna().to_numpy().sum())
    return f"{text} ({missing:,} of these company-days have no such change)" if missing else text


def _one_rank(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    measure = part.measure or ("dollars" if part.says in ("lost", "gained") else "percent")
    other = "percent" if measure == "dollars" else "dollars"
    label, rivals = _rivals(ev, part)
    found = _standing(ev, part, ticker, rivals, days, measure)
    if found is None:
        return not_testable(
            f"{ev.call(ticker)} has no change in {_UNIT[measure]} on {days.text}",
            f"closes and a share count of {ticker}",
        )
    sign, table, first = _SIGN[part.says], found.table, found.first
    if found.thin:
        return not_testable(
            f"{found.there} of the {table.shape[1]} companies ({label}) have a price on {days.text}{_panel_ends(ev)}",
            "the closes of the others on that day",
        )
    reach = days.text if part.among == "firms" else f"{first:%Y-%m-%d} to {days.text}{found.some_earlier}"
    words = ("lost", "gained") if measure == "dollars" else ("fell", "rose")
    sentence = (
        f"{ev.call(ticker)} {words[found.own > 0]} {_FORM[measure](found.own)}, number {found.rank} among the one-day "
        f"{'losses' if sign < 0 else 'gains'} in {_UNIT[measure]} of {label} in the data here ({reach})"
        f"{_runner_up(ev, table, ticker, sign, _FORM[measure])}"
    )
    compared = int(np.isfinite(table.to_numpy(dtype=np.float64)).sum())
    inputs = [("companies compared", str(found.there)), ("company-days compared", f"{compared:,}")]
    twice = without_doubles(ev, [ticker, *rivals], ticker)[1]
    if twice:
        inputs.append(("share classes left out", ", ".join(twice)))
    beside = _standing(ev, part, ticker, rivals, days, other)
    if beside is not None:
        inputs.append((f"the same in {_UNIT[other]}", _by_the_other(part, ticker, found, beside, other)))
    if measure == "dollars" and found.early:
        inputs.append(("before the first share count", "the earliest count stands in"))
    verdict = _verdict_of_rank(part, found.rank, sign * found.own)
    if _reaches_back(part, first, verdict):
        return not_testable(f"{sentence}; the claim reaches back to {part.since}", f"prices from {part.since} on")
    return Ruling(verdict, f"{sentence}.", number=float(found.rank), unit="rank", inputs=tuple(inputs), days=days.text)


def _panel_ends(ev: Evidence) -> str:
    """Say how far the prices of the S&P 500's members reach."""
    dates = ev.panel.adj_close.index
    return f"; prices of the S&P 500's members here are of {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}"


def _reaches_back(part: ClaimPart, first: pd.Timestamp, verdict: Verdict) -> bool:
    """Whether a rank that holds in the data is claimed of days before them; one that fails in the data fails all the more."""
    claimed = part.since is not None and part.among != "firms" and first > pd.Timestamp(part.since) + _OPENING
    return claimed and verdict in ("supported", "understated")


def _rivals(ev: Evidence, part: ClaimPart) -> tuple[str, tuple[str, ...]]:
    if part.among == "days":
        return "its own days", ()
    groups = [basket(ev, key) for key in part.baskets or ("all",)]
    return listed([label for label, _ in groups]), tuple(t for _, tickers in groups for t in tickers)


def _verdict_of_rank(part: ClaimPart, rank: int, toward: float) -> Verdict:
    """Judge a rank; a share that went the other way contradicts every rank."""
    if toward <= 0.0:
        return "contradicted"
    claimed = float(part.value or 1.0)
    if part.wording == "among the biggest":
        return "supported" if rank <= claimed else "overstated"
    return "supported" if rank == claimed else "overstated" if rank > claimed else "understated"


def _runner_up(ev: Evidence, chosen: pd.DataFrame, ticker: str, sign: float, form: Callable[[float], str]) -> str:
    """Say which other change comes next, or first."""
    values = sign * chosen.to_numpy(dtype=np.float64)
    values[-1, list(chosen.columns).index(ticker)] = -np.inf
    values = np.where(np.isfinite(values) & (values > 0), values, -np.inf)
    if not (values > 0).any():
        return ""
    row, column = (int(i) for i in np.unravel_index(int(values.argmax()), values.shape))
    name = ev.call(str(chosen.columns[column]))
    return f"; the largest other is {name}, {form(float(values[row, column]))} on {chosen.index[row]:%Y-%m-%d}"
