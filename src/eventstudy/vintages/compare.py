"""Runs of days on which one table has the other's prices of a session before or after: dates that slipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.prices.table import Prices

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

#: Sessions by which dates are looked for to have slipped.
SLIPS = (1, -1, 2, -2)
#: So many different returns in a row have to fit a slip, and not the day itself.
LEAST_RETURNS = 3


def shifted_runs(old: np.ndarray, new: np.ndarray, tolerance: float) -> list[tuple[int, int, int]]:
    """Return runs of days whose new prices are the old ones of another session.

    Parameters
    ----------
    old, new : ndarray of shape (n,)
        Adjusted closes on the days that both tables have.

    Returns
    -------
    list of (int, int, int)
        First place, place after the last, and the slip: 1 if a day has the old price of the session before. Runs do not overlap.

    Examples
    --------
    >>> old = np.array([10.0, 10.5, 10.2, 10.9, 11.3, 11.0, 11.4, 11.1, 11.6])
    >>> new = np.array([10.0, 10.5, 10.5, 10.2, 10.9, 11.3, 11.0, 11.1, 11.6])
    >>> shifted_runs(old, new, 2e-6)
    [(2, 7, 1)]
    """
    was, now = old[1:] / old[:-1] - 1.0, new[1:] / new[:-1] - 1.0
    moved = np.abs(now - was) > tolerance
    taken = np.zeros(len(old), dtype=bool)
    found = []
    for slip in SLIPS:
        for a, b in _runs(_fits(was, now, slip, tolerance)):
            differing = np.flatnonzero(moved[a:b]) + a
            if len(np.unique(np.round(now[differing], 8))) < LEAST_RETURNS:
                continue
            first, end = int(differing[0]), int(differing[-1]) + 2  # prices at both ends of each return
            # at the edges of the tables the session that would tell is not there
            first, end = 0 if first <= abs(slip) else first, len(old) if len(old) - end <= abs(slip) else end
            if not taken[first:end].any():
                taken[first:end] = True
                found.append((first, end, slip))
    return sorted(found)


def _fits(was: np.ndarray, now: np.ndarray, slip: int, tolerance: float) -> np.ndarray:
    """Return where the new return is the old one of ``slip`` sessions before, shape (n - 1,)."""
    other = np.full(len(was), np.nan)
    if slip > 0:
        other[slip:] = was[:-slip]
    else:
        other[:slip] = was[-slip:]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(now - other) <= tolerance)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


# -- What happened to one ticker's prices between two tables: a dividend, a split, a wrong price, or something else


ChangeKind = Literal["dividend", "split", "rescaled", "price", "close", "level", "shifted"]

#: Two levels that differ by no more are the same, as a fraction; vendors' closes have at most six digits.
LEVEL = 1e-5
#: A step of the closes from one day to the next that is no rounding of theirs.
CLOSE_STEP = 2e-4
#: Splits nearer to one than this cannot be told from other changes.
LEAST_SPLIT = 0.15
#: The largest number in a split ratio.
MOST_SHARES = 50
#: Wrong prices that stand for so many days in a row at most are named one by one; a longer run is a level.
FEW_DAYS = 5


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a ticker's prices from an old table to a new one.

    Attributes
    ----------
    kind : str
        ``dividend``: adjusted closes by a constant, closes equal. ``split``: closes by the ratio of a split. ``rescaled``:
        adjusted closes by a constant that no dividend in the tables explains. ``price``: a few days have other prices.
        ``close``: closes as traded differ, adjusted ones do not. ``level``: adjusted closes before a day by a constant.
        ``shifted``: days have the prices of another session.
    first, last : str
        Days whose prices changed, ISO format.
    returns_differ : bool
        Whether returns changed; they do where prices before a day were rescaled and those from it on were not.
    """

    kind: ChangeKind
    first: str
    last: str
    factor: float
    returns_differ: bool
    text: str


@dataclass(frozen=True, eq=False)
class TickerPair:
    """One ticker's figures on the days that both tables have, shape (n,); closes and volumes may be None."""

    days: pd.DatetimeIndex
    old: np.ndarray
    new: np.ndarray
    old_close: np.ndarray | None
    new_close: np.ndarray | None
    #: Ex-dividend days after the last common one by the new table's own closes, with their factors.
    later_dividends: tuple[tuple[str, float], ...] = ()

    def day(self, i: int) -> str:
        """Return a day, ISO format."""
        return f"{self.days[i]:%Y-%m-%d}"

    def without(self, runs: Sequence[tuple[int, int, int]]) -> TickerPair:
        """Return the figures of the days outside some runs."""
        keep = np.ones(len(self.days), dtype=bool)
        for a, b, _ in runs:
            keep[a:b] = False
        before, after = (None if c is None else c[keep] for c in (self.old_close, self.new_close))
        return TickerPair(self.days[keep], self.old[keep], self.new[keep], before, after, self.later_dividends)

    def return_differences(self) -> np.ndarray:
        """Return new less old simple returns from each common day to the next, shape (n - 1,)."""
        return np.asarray(self.new[1:] / self.new[:-1] - self.old[1:] / self.old[:-1])


def split_ratio(factor: float) -> Fraction | None:
    """Return the ratio of whole numbers of a split, new price over old, or None if the factor is none."""
    if not np.isfinite(factor) or factor <= 0 or abs(factor - 1) < LEAST_SPLIT:
        return None
    turned = Fraction(1 / factor if factor < 1 else factor).limit_denominator(4)
    if turned.numerator > MOST_SHARES or abs((1 / factor if factor < 1 else factor) / float(turned) - 1) > CLOSE_STEP:
        return None
    return 1 / turned if factor < 1 else turned


def _split_words(ratio: Fraction) -> str:
    new_shares, old_shares = ratio.denominator, ratio.numerator
    return f"{new_shares}-for-{old_shares} {'split' if ratio < 1 else 'reverse split'}"


def changes_of(pair: TickerPair, tolerance: float) -> tuple[Change, ...]:
    """Return what changed, in the order of the days; empty if there is nothing beyond the tolerance."""
    slipped = shifted_runs(pair.old, pair.new, tolerance)
    found = [_slip(pair, *run) for run in slipped]
    found += _on_their_days(pair.without(slipped) if slipped else pair, tolerance)
    return tuple(sorted(found, key=lambda c: (c.first, c.last, c.kind)))


def _slip(pair: TickerPair, a: int, b: int, slip: int) -> Change:
    sessions = "one session" if abs(slip) == 1 else f"{abs(slip)} sessions"
    side = "before" if slip > 0 else "after"
    days = f"{pair.day(a)} to {pair.day(b - 1)}, {b - a} days"
    text = f"shifted by {sessions}: {days}, whose new prices are the old ones of {sessions} {side}"
    return Change("shifted", pair.day(a), pair.day(b - 1), 1.0, True, text)


def _on_their_days(pair: TickerPair, tolerance: float) -> list[Change]:
    """Return what changed where no dates slipped."""
    if len(pair.days) == 0:
        return []
    levels = np.log(pair.new / pair.old)
    steps = np.flatnonzero(np.abs(pair.return_differences()) > tolerance) + 1
    closes = _log_ratio(pair.old_close, pair.new_close)
    found, steps, base = _wrong_prices(pair, levels, steps, closes, tolerance)
    found += [_step(pair, levels, closes, int(i), steps) for i in steps]
    found += _whole_table(pair, base, closes)
    found += _closes_only(pair, levels, closes)
    return found


def _log_ratio(old: np.ndarray | None, new: np.ndarray | None) -> np.ndarray | None:
    return None if old is None or new is None else np.log(new / old)


def _segments(steps: np.ndarray, n: int) -> list[tuple[int, int]]:
    edges = [0, *(int(s) for s in steps), n]
    return list(pairwise(edges))


def _wrong_prices(
    pair: TickerPair, levels: np.ndarray, steps: np.ndarray, closes: np.ndarray | None, tolerance: float
) -> tuple[list[Change], np.ndarray, float]:
    """Take out short runs of days whose level is left and returned to; return them, the other steps, the last level."""
    near = max(5 * tolerance, LEVEL)
    parts = _segments(steps, len(levels))
    middle = [float(np.median(levels[a:b])) for a, b in parts]
    found: list[Change] = []
    kept = list(range(len(parts)))
    place = 1
    while place < len(kept) - 1:
        a, b = parts[kept[place]]
        before, after = middle[kept[place - 1]], middle[kept[place + 1]]
        if b - a <= FEW_DAYS and abs(before - after) <= near:
            found.append(_price_change(pair, a, b, middle[kept[place]] - before))
            del kept[place : place + 2]  # what was before and after is one stretch now
        else:
            place += 1
    for edge, beside in ((0, 1), (-1, -2)):  # a first or last day has no other side to return to
        if len(kept) < 2 or len(levels) < 3:
            break
        a, b = parts[kept[edge]]
        step = middle[kept[edge]] - middle[kept[beside]]
        if b - a == 1 and a in (0, len(levels) - 1) and _price_moved(closes, a, step):
            found.append(_price_change(pair, a, b, step))
            del kept[edge]
    left = np.array([parts[k][0] for k in kept[1:]], dtype=int)
    return found, left, middle[kept[-1]]


def _price_moved(closes: np.ndarray | None, i: int, step: float) -> bool:
    """Tell whether a first or last day's price itself changed, not only its adjustment."""
    if closes is None:
        return True
    other = closes[1] if i == 0 else closes[i - 1]
    return abs((closes[i] - other) - step) < CLOSE_STEP and split_ratio(float(np.exp(step))) is None


def _price_change(pair: TickerPair, a: int, b: int, step: float) -> Change:
    factor = float(np.exp(step))
    if b - a == 1:
        text = f"{_priced(pair, a, step)} ({factor - 1:+.2%} off its neighbours)"
    else:
        text = f"prices of {pair.day(a)} to {pair.day(b - 1)}, {b - a} days: {factor - 1:+.2%} off their neighbours"
    differing = pair.return_differences()[max(a - 1, 0) : b]
    text += "; returns differ by " + " and ".join(
        f"{x:+.2%}" for x in differing[[0, -1] if len(differing) > 1 else [0]]
    )
    return Change("price", pair.day(a), pair.day(b - 1), factor, True, text)


def _priced(pair: TickerPair, i: int, step: float) -> str:
    """Say what a day's price was and is: as traded if that moved, else adjusted for dividends."""
    if pair.old_close is None or pair.new_close is None:
        return f"price of {pair.day(i)}: {pair.old[i]:.6g} → {pair.new[i]:.6g}"
    closes = np.log(pair.new_close / pair.old_close)
    beside = np.delete(closes, i)[max(i - 2, 0) : i + 2]
    if abs(closes[i] - np.median(beside) - step) < CLOSE_STEP:
        return f"price of {pair.day(i)}: {pair.old_close[i]:.6g} → {pair.new_close[i]:.6g}"
    return f"adjusted close of {pair.day(i)}: {pair.old[i]:.6g} → {pair.new[i]:.6g}"


def _step(pair: TickerPair, levels: np.ndarray, closes: np.ndarray | None, i: int, steps: np.ndarray) -> Change:
    """Say what a lasting change of level before day ``i`` is."""
    edges = [0, *(int(s) for s in steps), len(levels)]
    at = edges.index(i)
    before, after = slice(edges[at - 1], i), slice(i, edges[at + 1])
    step = float(np.median(levels[before]) - np.median(levels[after]))
    factor, moved = float(np.exp(step)), 0.0
    if closes is not None:
        moved = float(np.median(closes[before]) - np.median(closes[after]))
    gap = float(pair.return_differences()[i - 1])
    end = f"the return of {pair.day(i)} differs by {gap:+.2%}"
    ratio = split_ratio(factor)
    kind: ChangeKind
    if ratio is not None and (closes is None or abs(moved - step) < CLOSE_STEP):
        kind, text = "split", f"{_split_words(ratio)} on {pair.day(i)} is in one table only; {end}"
    elif abs(moved) < LEVEL and abs(factor - 1) < LEAST_SPLIT:
        word = "booked" if factor < 1 else "taken out"
        kind, text = "dividend", f"dividend on {pair.day(i)} {word}, factor {factor:.6f}; {end}"
    else:
        kind, text = "level", f"all prices before {pair.day(i)} by the factor {factor:.6f}; {end}"
    return Change(kind, pair.day(edges[at - 1]), pair.day(i - 1), factor, True, text)


def _whole_table(pair: TickerPair, base: float, closes: np.ndarray | None) -> list[Change]:
    """Say what rescaled the whole past, if anything did."""
    first, last = pair.day(0), pair.day(-1)
    found = []
    rest = base
    if closes is not None:
        # the median of the last days is robust against one wrong close at the end
        ratio = split_ratio(float(np.exp(np.median(closes[-FEW_DAYS:]))))
        if ratio is not None:
            found.append(
                Change(
                    "split", first, last, float(ratio), False, f"{_split_words(ratio)} after {last}; returns are equal"
                )
            )
            rest = base - float(np.log(float(ratio)))
    if abs(rest) <= LEVEL:
        return found
    factor = float(np.exp(rest))
    named = pair.later_dividends
    product = float(np.prod([f for _, f in named])) if named else 1.0
    if named and abs(product / factor - 1) < CLOSE_STEP:
        days = ", ".join(f"{day} (factor {f:.6f})" for day, f in named)
        text = f"dividend{'s' if len(named) > 1 else ''} on {days}; returns are equal"
        return [*found, Change("dividend", first, last, factor, False, text)]
    text = f"adjusted closes to {last} by the factor {factor:.6f}, as by later dividends; returns are equal"
    return [*found, Change("rescaled", first, last, factor, False, text)]


def _closes_only(pair: TickerPair, levels: np.ndarray, closes: np.ndarray | None) -> list[Change]:
    """Find steps of the closes that the adjusted closes do not have: another split basis, or other closes."""
    if closes is None or len(closes) < 2:
        return []
    extra = closes - levels
    jumps = np.flatnonzero(np.abs(np.diff(extra)) > CLOSE_STEP) + 1
    found: list[Change] = []
    for a, b in _segments(jumps, len(extra))[:-1] if len(jumps) else []:
        factor = float(np.exp(extra[a:b].mean() - np.median(extra[b : b + FEW_DAYS])))
        ratio = split_ratio(factor)
        stepped = np.abs(np.diff(closes))[b - 1] > CLOSE_STEP
        if not stepped:
            continue  # the adjusted closes moved here, not the closes: told above
        if ratio is not None:
            words = f"closes before {pair.day(b)} by the ratio of a {_split_words(ratio)}; returns are equal"
            found.append(Change("split", pair.day(a), pair.day(b - 1), float(ratio), False, words))
        elif b - a <= FEW_DAYS:
            words = f"close of {pair.day(a)}{f' to {pair.day(b - 1)}' if b - a > 1 else ''}: {factor - 1:+.2%}; returns are equal"
            found.append(Change("close", pair.day(a), pair.day(b - 1), factor, False, words))
    return found


# -- Two price tables held against each other: which prices differ, why, and whether any return does.


TickerKind = Literal["same", "jitter", "dividend", "split", "rescaled", "restated", "no common days"]

#: Returns that differ by no more are equal: downloads of the same prices differ by up to 1.1e-6 (single precision).
TOLERANCE = 2e-6
#: A step of adjusted close over close that is a dividend and no rounding.
_DIVIDEND_STEP = 5e-5
_SHOWN = 6


@dataclass(frozen=True)
class TickerDifference:
    """What differs in one ticker.

    Attributes
    ----------
    kind : str
        ``same``; ``jitter``: levels differ below the tolerance; ``dividend``, ``split``, ``rescaled``: levels differ and
        returns do not; ``restated``: a return, a close or a day inside the common range differs; ``no common days``.
    added, removed : tuple of str
        Days with a price in the new, or the old, table only.
    inner_days : int
        How many of these lie inside the common range, where they change returns.
    adj_closes, closes, volumes : int
        Figures that differ on common days, by more than a millionth (volumes: by more than a half).
    largest : float
        Largest absolute difference of a return, a fraction.
    """

    ticker: str
    kind: TickerKind
    days: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    inner_days: int
    adj_closes: int
    closes: int
    volumes: int
    largest: float
    changes: tuple[Change, ...]

    @property
    def differs(self) -> bool:
        """Whether a return, a close or a day inside the common range differs."""
        return self.kind == "restated"

    def lines(self) -> list[str]:
        """Return what differs in words, one line each."""
        told = self.changes[:_SHOWN]
        said = [f"{'RESTATED: ' if c.returns_differ or c.kind == 'close' else ''}{c.text}" for c in told]
        if len(self.changes) > len(told):
            more = len(self.changes) - len(told)
            said.append(f"… and {more} more changes; returns differ by up to {self.largest:.2g} (--json has all)")
        for word, days in (("added", self.added), ("removed", self.removed)):
            if days:
                shown = ", ".join(days) if len(days) <= _SHOWN else f"{days[0]} … {days[-1]}"
                said.append(f"{len(days)} day{'s' if len(days) > 1 else ''} {word}: {shown}")
        if self.inner_days:
            said.append(f"RESTATED: {self.inner_days} of these days lie between days that both have")
        if self.volumes:
            said.append(f"{self.volumes} volume{'s differ' if self.volumes > 1 else ' differs'}")
        return said


@dataclass(frozen=True, repr=False)
class PriceDifferences:
    """How two price tables differ, ticker by ticker.

    Attributes
    ----------
    old, new : str
        Names of the tables.
    tickers : tuple of TickerDifference
        One for each ticker that both have, in the order of the old table.
    only_old, only_new : tuple of str
        Tickers that one of them has.
    tolerance : float
        Returns that differ by no more were taken as equal.
    """

    old: str
    new: str
    tickers: tuple[TickerDifference, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    tolerance: float

    @property
    def differ(self) -> bool:
        """Whether any return, close or day inside the common range differs."""
        return any(t.differs for t in self.tickers)

    def __getitem__(self, ticker: str) -> TickerDifference:
        return next(t for t in self.tickers if t.ticker == ticker)

    def summary(self) -> str:
        """Return the differences in one line."""
        named = {kind: [t.ticker for t in self.tickers if t.kind == kind] for kind in _WORDS}
        parts = [
            f"{words}: {', '.join(named[kind][:_SHOWN])}{' …' if len(named[kind]) > _SHOWN else ''}"
            for kind, words in _WORDS.items()
            if named[kind]
        ]
        equal = sum(t.kind in ("same", "jitter") for t in self.tickers)
        grown = max((len(t.added) for t in self.tickers), default=0)
        parts.insert(0, f"{equal} of {len(self.tickers)} tickers the same")
        parts += [f"up to {grown} days added"] if grown else []
        parts += [f"new tickers: {', '.join(self.only_new[:_SHOWN])}"] if self.only_new else []
        return "; ".join(parts)

    def __repr__(self) -> str:
        lines = [f"{self.old} → {self.new}: {self.summary()}"]
        lines += [f"  {t.ticker}: {line}" for t in self.tickers for line in t.lines()]
        lines += [f"  {t}: in {self.old} only" for t in self.only_old]
        lines += [f"  {t}: in {self.new} only" for t in self.only_new]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return the differences as plain values."""
        return {**asdict(self), "differ": self.differ}


_WORDS: Mapping[TickerKind, str] = {
    "restated": "RESTATED",
    "split": "rescaled by a split, returns equal",
    "dividend": "rescaled by a dividend, returns equal",
    "rescaled": "rescaled, returns equal",
    "no common days": "no day in common",
}


def compare_prices(old: Prices, new: Prices, tolerance: float = TOLERANCE) -> PriceDifferences:
    """Compare two price tables: days, levels, returns.

    Parameters
    ----------
    old, new : Prices
        Two vintages, or any two tables.
    tolerance : float
        Returns that differ by no more are equal, a fraction.

    Returns
    -------
    PriceDifferences
        Prints what differs; its ``differ`` is False if all returns on common days are equal.

    Raises
    ------
    InvalidInput
        If the tolerance is not positive.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2025-01-23", "2025-01-24", "2025-01-27"]
    >>> old = Prices.from_frame(pd.DataFrame({"A": [10.0, 11.0, 9.0]}, index=days))
    >>> new = Prices.from_frame(pd.DataFrame({"A": [9.9, 10.89, 8.91]}, index=days))
    >>> compare_prices(old, new)["A"].changes[0].text
    'adjusted closes to 2025-01-27 by the factor 0.990000, as by later dividends; returns are equal'
    """
    if not tolerance > 0:
        raise InvalidInput(f"tolerance is {tolerance!r}; give a fraction above zero, such as 2e-6.")
    shared = [t for t in old.tickers if t in new.adj_close.columns]
    blocks = _aligned(old, new, shared)
    return PriceDifferences(
        old=old.provenance.source,
        new=new.provenance.source,
        tickers=tuple(_compare(t, {k: (a[t], b[t]) for k, (a, b) in blocks.items()}, tolerance) for t in shared),
        only_old=tuple(t for t in old.tickers if t not in new.adj_close.columns),
        only_new=tuple(t for t in new.tickers if t not in old.adj_close.columns),
        tolerance=tolerance,
    )


def _aligned(old: Prices, new: Prices, shared: list[str]) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Return each kind of figure of both tables on all days of either; closes and volumes only if both have them."""
    days = old.dates.union(new.dates)
    pairs = {
        "adj_close": (old.adj_close, new.adj_close),
        "close": (old.close, new.close),
        "volume": (old.volume, new.volume),
    }
    return {
        name: (a.reindex(index=days, columns=shared), b.reindex(index=days, columns=shared))
        for name, (a, b) in pairs.items()
        if a is not None and b is not None
    }


def _compare(ticker: str, figures: dict[str, tuple[pd.Series, pd.Series]], tolerance: float) -> TickerDifference:
    a, b = figures["adj_close"]
    has_old, has_new = a.notna().to_numpy(), b.notna().to_numpy()
    both = has_old & has_new
    days = pd.DatetimeIndex(a.index)
    counts = {name: _count(x.to_numpy()[both], y.to_numpy()[both], name) for name, (x, y) in figures.items()}
    single = np.flatnonzero(has_old ^ has_new)
    places = np.flatnonzero(both)
    inner = int(((single > places[0]) & (single < places[-1])).sum()) if len(places) else 0
    pair = _pair(figures, days, both)
    gaps = np.abs(pair.return_differences()) if len(places) > 1 else np.zeros(1)
    nothing = not any(counts[name] for name in ("adj_close", "close") if name in counts)
    changes = () if nothing and gaps.max() <= tolerance else changes_of(pair, tolerance)
    return TickerDifference(
        ticker=ticker,
        kind=_kind(changes, inner, len(places), bool(counts["adj_close"]) or float(gaps.max()) > 0),
        days=len(places),
        added=tuple(f"{d:%Y-%m-%d}" for d in days[has_new & ~has_old]),
        removed=tuple(f"{d:%Y-%m-%d}" for d in days[has_old & ~has_new]),
        inner_days=inner,
        adj_closes=counts["adj_close"],
        closes=counts.get("close", 0),
        volumes=counts.get("volume", 0),
        largest=float(gaps.max()),
        changes=changes,
    )


def _kind(changes: tuple[Change, ...], inner: int, common: int, moved: bool) -> TickerKind:
    if common == 0:
        return "no common days"
    kinds = {c.kind for c in changes}
    if inner or "close" in kinds or any(c.returns_differ for c in changes):
        return "restated"
    order: tuple[TickerKind, ...] = ("split", "dividend", "rescaled")
    return next((k for k in order if k in kinds), "jitter" if moved else "same")


def _count(x: np.ndarray, y: np.ndarray, name: str) -> int:
    """Count figures that differ; one that is missing on one side only differs."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(x - y) > (0.5 if name == "volume" else 1e-6 * np.abs(x))
    return int((apart | (np.isnan(x) ^ np.isnan(y))).sum())


def _pair(figures: dict[str, tuple[pd.Series, pd.Series]], days: pd.DatetimeIndex, both: np.ndarray) -> TickerPair:
    old, new = (s.to_numpy()[both] for s in figures["adj_close"])
    if "close" not in figures:
        return TickerPair(days[both], old, new, None, None)
    before, after = figures["close"]
    later = _later_dividends(figures["adj_close"][1], after, days[both][-1]) if both.any() else ()
    pair = [s.to_numpy()[both] for s in (before, after)]
    if any(np.isnan(s).any() for s in pair):
        return TickerPair(days[both], old, new, None, None, later)
    return TickerPair(days[both], old, new, pair[0], pair[1], later)


def _later_dividends(
    adjusted: pd.Series[float], close: pd.Series[float], last: pd.Timestamp
) -> tuple[tuple[str, float], ...]:
    """Return the ex-dividend days after a day by a table's own closes: adjusted over traded close steps up there."""
    ratio = (adjusted / close).dropna()
    ratio = ratio[ratio.index >= ratio.index[ratio.index <= last].max()] if (ratio.index <= last).any() else ratio[:0]
    factors = ratio.shift(1) / ratio
    found = factors[factors < 1 - _DIVIDEND_STEP]
    days = pd.DatetimeIndex(found.index)
    return tuple((f"{day:%Y-%m-%d}", float(value)) for day, value in zip(days, found, strict=True))
