"""Market values: one company, a basket, every company on every day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.calendars import DEFAULT_EXCHANGE, exchange_sessions
from eventstudy.claims.evidence import Days, Evidence, price_returns
from eventstudy.claims.ruling import Ruling, Verdict, judge_amount, not_testable, together, tolerance
from eventstudy.claims.schema import ClaimPart
from eventstudy.errors import DataUnfit, InvalidInput, StudyFileError
from eventstudy.inference.market_value import SPLIT_BASIS_TOLERANCE, check_split_basis
from eventstudy.prices.snapshot import ShareCount, is_snapshot, later_splits, load_snapshot


@dataclass(frozen=True, slots=True)
class ValueChange:
    """Change of one company's market value over the days of a claim, US dollars.

    Attributes
    ----------
    raw, low, high : float
        ``shares × (close_after - close_before)`` with the count used, and the smallest and largest of the counts around the days.
    close_before, close_after : float
        Closes, as traded if ``traded``, else adjusted.
    shares : ShareCount
        The count used: the latest on or before the last day.
    counts : tuple of ShareCount
        The counts around the days: the one before, the one used, the one after.
    traded : bool
        Whether the closes are as traded.
    """

    ticker: str
    raw: float
    low: float
    high: float
    close_before: float
    close_after: float
    shares: ShareCount
    counts: tuple[ShareCount, ...]
    traded: bool


@dataclass(frozen=True, slots=True, eq=False)
class BasketChange:
    """Change of a basket's market value over the days of a claim, US dollars.

    Attributes
    ----------
    missing : tuple of str
        Tickers without prices or share count.
    twice : tuple of str
        Tickers left out because another's share count covers them.
    adjusted : int
        Companies for which only adjusted closes are known.
    gap_median, gap_most : float
        How far adjusted closes lie below those as traded on the day before, as fractions, over the companies for which both are known.
    """

    changes: tuple[ValueChange, ...]
    missing: tuple[str, ...]
    twice: tuple[str, ...]
    adjusted: int
    gap_median: float
    gap_most: float

    def total(self, kind: str, says: str) -> tuple[float, float, float]:
        """Return the sum and its range over share counts."""
        chosen = [c for c in self.changes if kind == "net" or (c.raw < 0) == (says == "lost")]
        raw, low, high = (math.fsum(getattr(c, k) for c in chosen) for k in ("raw", "low", "high"))
        return raw, low, high


def value_change(
    ev: Evidence, ticker: str, days: Days, printed: tuple[float, float] | None = None
) -> ValueChange | str:
    """Return a company's change of market value, or why there is none.

    Parameters
    ----------
    printed : pair of float, optional
        Lowest and highest share count in print, in billions: the counts of a company of which no others are known.
    """
    counts, on = ev.counts(ticker), f"{ev.sessions[days.last]:%Y-%m-%d}"
    if not counts and printed:
        counts = tuple(ShareCount(ticker, round(n * 1e9), on, on, "", "the claim's shares_billion") for n in printed)
    place = sum(c.period_end <= on for c in counts) - 1
    if not counts:
        return f"there is no share count of {ticker}; give the claim shares_billion = [lowest, highest]"
    if place < 0:
        return f"there is no share count of {ticker} on or before {on}; the first is of {counts[0].period_end}"
    if not ev.has(ticker):
        return f"there are no prices of {ticker}"
    closes, traded = _closes(ev, ticker, days)
    first, last = float(closes[days.before]), float(closes[days.last])
    reason = _unfit(ev, ticker, days, first, last) if traded or not math.isfinite(first * last) else ""
    if reason:
        return reason
    around = counts[max(place - 1, 0) : place + 2]
    step = last - first
    low, *_, high = sorted([counts[place].shares * step, *(c.shares * step for c in around)])
    return ValueChange(ticker, counts[place].shares * step, low, high, first, last, counts[place], around, traded)


def _unfit(ev: Evidence, ticker: str, days: Days, first: float, last: float) -> str:
    """Say why closes cannot be multiplied by a share count, or return an empty text."""
    if not (math.isfinite(first) and math.isfinite(last)):
        return f"{ticker} has no close on {ev.sessions[days.before]:%Y-%m-%d} or {ev.sessions[days.last]:%Y-%m-%d}"
    currency = ev.source(ticker).currency.get(ticker, "USD")
    if currency != "USD":
        return f"the closes of {ticker} are in {currency}, and claims of market value are in dollars"
    if ev.given_shares is None and ev.counts(ticker):
        try:
            check_split_basis(ticker, ev.sessions[days.before], first)
        except DataUnfit as error:
            return error.message
    return ""


def _closes(ev: Evidence, ticker: str, days: Days) -> tuple[np.ndarray, bool]:
    """Return closes as traded if both days have them, else adjusted ones."""
    traded = ev.traded(ticker)
    if traded is not None and np.isfinite(traded[[days.before, days.last]]).all():
        return traded, True
    return ev.adjusted(ticker), False


def basket(ev: Evidence, key: str) -> tuple[str, tuple[str, ...]]:
    """Return the name of a basket in words and its tickers.

    ``sp500`` are the members of the S&P 500 panel, ``study`` the firms of the study's events, ``all`` both.
    """
    firms = tuple(dict.fromkeys(e.ticker for e in ev.result.panel.events))
    members = tuple(ev.members.index)
    if key == "study":
        return "the companies of the study", firms
    if key == "sp500":
        return "the S&P 500", members
    if key == "all":
        return "the S&P 500 and the companies of the study", tuple(dict.fromkeys([*firms, *members]))
    part = ev.book.baskets[key]
    by_sector = [t for t, sector in ev.members["sector"].items() if sector in part.sectors]
    return part.label or key, tuple(dict.fromkeys([*part.tickers, *(str(t) for t in by_sector)]))


def without_doubles(ev: Evidence, tickers: Sequence[str], about: str = "") -> tuple[list[str], tuple[str, ...]]:
    """Return the tickers each company of which counts once, and those left out because another's count covers them.

    Of two share classes the one that the claim is about is kept, else the one that the study looks at, else the first named.
    """
    firms = {e.ticker for e in ev.result.panel.events}
    kept: list[str] = []
    covered: set[str] = set()
    twice = []
    for ticker in sorted(dict.fromkeys(tickers), key=lambda t: (t != about, t not in firms)):
        if ticker in covered:
            twice.append(ticker)
            continue
        kept.append(ticker)
        covered |= {c for count in ev.counts(ticker) for c in count.covers}
    return kept, tuple(twice)


def basket_change(ev: Evidence, tickers: Sequence[str], days: Days) -> BasketChange:
    """Return the change of a basket's market value; a share class that another's count covers is left out."""
    kept, twice = without_doubles(ev, tickers)
    found = {t: value_change(ev, t, days) for t in kept}
    changes = tuple(c for c in found.values() if not isinstance(c, str))
    gaps = _adjustment_gaps(ev, [c.ticker for c in changes if c.traded], days)
    return BasketChange(
        changes,
        tuple(t for t, c in found.items() if isinstance(c, str)),
        twice,
        sum(not c.traded for c in changes),
        float(np.median(gaps)) if gaps.size else math.nan,
        float(gaps.max()) if gaps.size else math.nan,
    )


def _adjustment_gaps(ev: Evidence, tickers: Sequence[str], days: Days) -> np.ndarray:
    """Return how far the adjusted close of the day before lies below the one as traded, as a share of the latter."""
    pairs = [(ev.adjusted(t)[days.before], ev.traded(t)) for t in tickers]
    gaps = [1.0 - a / c[days.before] for a, c in pairs if c is not None]
    return np.asarray([g for g in gaps if math.isfinite(g)], dtype=np.float64)


def daily_changes(ev: Evidence, tickers: Sequence[str], measure: str, about: str = "") -> tuple[pd.DataFrame, int]:
    """Return every company's change on every session: dollars, or fractions of its value.

    Returns
    -------
    changes : DataFrame
        Sessions × tickers; NaN where there is no close or no share count.
    early : int
        Place of the first session with a share count of its own; before it the earliest count stands in.
    """
    columns, early = {}, 0
    dates = ev.sessions.to_numpy(dtype="datetime64[D]")
    for ticker in without_doubles(ev, tickers, about)[0]:
        if not ev.has(ticker):
            continue
        adjusted = ev.adjusted(ticker)
        if measure == "percent":
            columns[ticker] = np.concatenate([[np.nan], price_returns(adjusted, ev.traded(ticker), 1)[0]])
            continue
        counts = ev.counts(ticker)
        if not counts:
            continue
        ends = np.array([c.period_end for c in counts], dtype="datetime64[D]")
        place = np.searchsorted(ends, dates, side="right") - 1
        early = max(early, int((place < 0).sum()))
        shares = np.array([c.shares for c in counts], dtype=np.float64)[np.maximum(place, 0)]
        traded = ev.traded(ticker)
        steps = np.concatenate([[np.nan], np.diff(adjusted)])
        if traded is not None:
            own = np.concatenate([[np.nan], np.diff(traded)])
            steps = np.where(np.isfinite(own), own, steps)
        columns[ticker] = shares * steps
    return pd.DataFrame(columns, index=ev.sessions), early


# -- Claims about the level of a price: the close as traded on a day, whatever splits came later.


@dataclass(frozen=True, slots=True)
class _Level:
    """A table's close, what the exchange's close was as a multiple of it, and whether that multiple is known."""

    close: float
    splits: float
    known: bool


def judge_level(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge a claimed price: the close of a day as the exchange had it then.

    Tables divide old closes by the ratio of later splits. Where these are known, the close is multiplied by them; where they are not, only
    an agreement with both ends stands, since no split leaves one.
    """
    days = ev.days(part)
    return together([(ev.call(t), _one_level(ev, part, t, days)) for t in part.assets], "which company is meant")


def _one_level(ev: Evidence, part: ClaimPart, ticker: str, days: Days) -> Ruling:
    traded, name = ev.traded(ticker), ev.call(ticker)
    close = math.nan if traded is None else float(traded[days.last])
    if not math.isfinite(close):
        return not_testable(f"{name} has no close as traded on {days.text}", f"the close of {ticker}")
    level = _level(ev, ticker, ev.sessions[days.last], close)
    price = level.close * level.splits
    bounds = tolerance(part.wording, float(part.value or 0.0), dollars=False)
    verdict: Verdict = judge_amount(price / float(part.value or 1.0), bounds)
    ends = bounds[0] > 0.0 and math.isfinite(bounds[1])
    if not level.known and not (verdict == "supported" and ends):
        return not_testable(
            f"{name} has the close {close:,.2f} on {days.text} in {ev.source(ticker).provenance.source}, and whether that was divided by "
            f"splits since is not known here",
            f"the close of {ticker} as the exchange had it that day",
        )
    split = f" ({close:,.2f} in the table, before splits of {level.splits:g} for 1)" if level.splits != 1.0 else ""
    text = (
        f"{name} closed at {price:,.2f} on {days.text}{split}; the claim is "
        f"{part.wording + ' ' if part.wording else ''}{part.value:,.10g}."
    )
    since = f"{level.splits:g} shares for 1" if level.splits != 1.0 else "none" if level.known else "not known here"
    inputs = ((f"close {days.text}", f"{close:,.2f}"), ("splits since in the table's closes", since))
    return Ruling(verdict, text, number=price, unit="price", inputs=inputs, days=days.text)


def _level(ev: Evidence, ticker: str, day: pd.Timestamp, close: float) -> _Level:
    """Return how a table's close relates to the exchange's: by the splits of the snapshot, or by its closes if they are the same."""
    if ticker.startswith("^"):  # indexes have no splits
        return _Level(close, 1.0, True)
    splits = later_splits(ticker, day)
    if is_snapshot(ev.source(ticker)):
        return _Level(close, splits, True)
    known = load_snapshot().close
    if known is None or ticker not in known.columns or day not in known.index:
        return _Level(close, 1.0, False)
    embedded = float(known[ticker].to_numpy()[known.index.get_indexer(pd.DatetimeIndex([day]))[0]])
    for multiple in (splits, 1.0):  # on the snapshot's basis, or never divided
        if abs(close * multiple / (embedded * splits) - 1.0) <= SPLIT_BASIS_TOLERANCE:
            return _Level(close, multiple, True)
    return _Level(close, 1.0, False)


# -- Claims about dates, judged by the calendar, the exchange's sessions and the study's timeline.


#: A first session is looked for within so many days.
_AHEAD = pd.Timedelta(days=30)


def judge_date(ev: Evidence, part: ClaimPart) -> Ruling:
    """Judge what a claim says of a day: weekday, session or not, first session, how long after another day, the timeline's date."""
    day = pd.Timestamp(str(part.date))
    exchange = ev.study.calendar or DEFAULT_EXCHANGE
    try:
        checks = [
            c
            for c in (_weekday(part, day), *_sessions(part, day, exchange), _after(part, day, exchange))
            if c is not None
        ]
        noted = _noted(ev, part, day)
    except StudyFileError:
        raise
    except InvalidInput as error:
        return not_testable(error.message, "a calendar that knows the day")
    if isinstance(noted, Ruling):
        return noted
    checks += [noted] if noted is not None else []
    verdicts: list[Verdict] = [v for v, _ in checks]
    verdict = next(
        (v for v in verdicts if v == "contradicted"), next((v for v in verdicts if v != "supported"), verdicts[0])
    )
    text = "; ".join(text for _, text in checks)
    inputs = (("day", f"{day:%Y-%m-%d}, {day:%A}"), ("calendar", exchange))
    return Ruling(verdict, f"{text[:1].upper()}{text[1:]}.", unit="days", inputs=inputs, days=f"{day:%Y-%m-%d}")


def _weekday(part: ClaimPart, day: pd.Timestamp) -> tuple[Verdict, str] | None:
    if part.weekday is None:
        return None
    found = f"{day:%A}"
    said = "as the article has it" if found == part.weekday else f"not a {part.weekday}"
    return ("supported" if found == part.weekday else "contradicted"), f"{_plain(day)} is a {found}, {said}"


def _sessions(part: ClaimPart, day: pd.Timestamp, exchange: str) -> list[tuple[Verdict, str] | None]:
    out: list[tuple[Verdict, str] | None] = []
    if part.session is None and part.first_session is None:
        return out
    ahead = exchange_sessions(exchange, f"{day:%Y-%m-%d}", f"{day + _AHEAD:%Y-%m-%d}")
    is_open = bool(len(ahead)) and ahead[0] == day
    if part.session is not None:
        text = f"the exchange was {'open' if is_open else 'closed'} on {_words(day)}"
        out.append(("supported" if is_open == part.session else "contradicted", text))
    if part.first_session is not None:
        first = pd.Timestamp(part.first_session)
        text = f"the first session from {_words(day)} on is {_words(ahead[0])}"
        out.append(("supported" if ahead[0] == first else "contradicted", text))
    return out


def _after(part: ClaimPart, day: pd.Timestamp, exchange: str) -> tuple[Verdict, str] | None:
    """Judge how long a day lies after another: in days, weeks, or sessions strictly between the two."""
    if part.after is None:
        return None
    start = pd.Timestamp(part.after)
    if part.unit == "sessions":
        inside = exchange_sessions(exchange, f"{start:%Y-%m-%d}", f"{day:%Y-%m-%d}")
        count = float(((inside > start) & (inside < day)).sum())
        text = f"{count:.0f} sessions lie between {_words(start)} and {_words(day)}"
    else:
        count = float((day - start).days) / (7.0 if part.unit == "weeks" else 1.0)
        unit = part.unit if count != 1.0 else part.unit.removesuffix("s")
        text = f"{_words(day)} is {count:g} {unit} after {_words(start)}"
    claimed = float(part.value or 0.0)
    if not part.wording:
        verdict: Verdict = "supported" if count == claimed else "overstated" if count < claimed else "understated"
        return verdict, text
    return judge_amount(count / claimed, tolerance(part.wording, claimed, dollars=False)), text


def _noted(ev: Evidence, part: ClaimPart, day: pd.Timestamp) -> tuple[Verdict, str] | Ruling | None:
    """Compare a day with the date that the study's timeline has for what the claim names."""
    if not part.timeline:
        return None
    table = ev.timeline
    if table is None or table.empty:
        return not_testable("the study has no timeline", "a timeline with the dated news")
    missing = sorted({"date", "what"} - set(table.columns))
    if missing:
        raise StudyFileError(
            f"timeline: the study's timeline has no column {', '.join(missing)}; it needs date and what."
        )
    found = table[table["what"].astype(str).str.contains(part.timeline, case=False, regex=False)]
    if found.empty:
        return not_testable(
            f"the study's timeline has no entry with “{part.timeline}”", "a dated entry in the timeline"
        )
    dates = list(dict.fromkeys(str(d) for d in found["date"]))
    try:
        days = [pd.to_datetime(d, format="%Y-%m-%d") for d in dates]
    except ValueError as error:
        raise StudyFileError(f"timeline: a date of the study's timeline is not like 2025-01-27: {error}.") from error
    text = f"the study's timeline dates it {' and '.join(_words(d) for d in days)} ({found['what'].iloc[0]})"
    return ("supported" if f"{day:%Y-%m-%d}" in dates else "contradicted"), text


def _plain(day: pd.Timestamp) -> str:
    return f"{day.day} {day:%B %Y}"


def _words(day: pd.Timestamp) -> str:
    return f"{day:%A} {_plain(day)}"
