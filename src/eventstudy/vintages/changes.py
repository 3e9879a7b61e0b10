"""What happened to one ticker's prices between two tables: a dividend, a split, a wrong price, slipped dates, or something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.wording import iso_day

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
    """One change of a ticker's prices from an old table to a new one; each sort has its own words.

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

    @property
    def text(self) -> str:
        """The change in words."""
        raise NotImplementedError

    @property
    def restates(self) -> bool:
        """Whether a return or a close as traded is another now."""
        return self.returns_differ or self.kind == "close"

    def __str__(self) -> str:
        return f"RESTATED: {self.text}" if self.restates else self.text

    def plain(self) -> dict[str, object]:
        """Return the change as plain values."""
        names = ("kind", "first", "last", "factor", "returns_differ", "text")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Shifted(Change):
    """Days that have the prices of the session ``slip`` before, or after if it is negative."""

    days: int
    slip: int

    @property
    def text(self) -> str:
        """The change in words."""
        sessions = "one session" if abs(self.slip) == 1 else f"{abs(self.slip)} sessions"
        side = "before" if self.slip > 0 else "after"
        days = f"{self.first} to {self.last}, {self.days} days"
        return f"shifted by {sessions}: {days}, whose new prices are the old ones of {sessions} {side}"


@dataclass(frozen=True, slots=True)
class WrongPrices(Change):
    """A day or a few with other prices; ``returns`` are the differences of the returns into and out of them."""

    days: int
    price: str
    old: float
    new: float
    returns: tuple[float, ...]

    @property
    def text(self) -> str:
        """The change in words."""
        off = f"{self.factor - 1:+.2%} off"
        if self.days == 1:
            which = f"{self.price} of {self.first}: {self.old:.6g} → {self.new:.6g} ({off} its neighbours)"
        else:
            which = f"prices of {self.first} to {self.last}, {self.days} days: {off} their neighbours"
        return f"{which}; returns differ by {' and '.join(f'{x:+.2%}' for x in self.returns)}"


@dataclass(frozen=True, slots=True)
class Step(Change):
    """All prices before a day by a factor, so that the day's return differs by ``gap``."""

    day: str
    gap: float

    @property
    def text(self) -> str:
        """The change in words."""
        ratio = split_ratio(self.factor)
        if self.kind == "split" and ratio is not None:
            what = f"{_split_words(ratio)} on {self.day} is in one table only"
        elif self.kind == "dividend":
            word = "booked" if self.factor < 1 else "taken out"
            what = f"dividend on {self.day} {word}, factor {self.factor:.6f}"
        else:
            what = f"all prices before {self.day} by the factor {self.factor:.6f}"
        return f"{what}; the return of {self.day} differs by {self.gap:+.2%}"


@dataclass(frozen=True, slots=True)
class WholePast(Change):
    """All prices by a factor: a split after the last day, dividends with their days and factors, or what nothing explains."""

    dividends: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """The change in words."""
        ratio = split_ratio(self.factor)
        if self.kind == "split" and ratio is not None:
            what = f"{_split_words(ratio)} after {self.last}"
        elif self.kind == "dividend":
            noun = "dividend" if len(self.dividends) == 1 else "dividends"
            what = f"{noun} on {', '.join(f'{day} (factor {f:.6f})' for day, f in self.dividends)}"
        else:
            what = f"adjusted closes to {self.last} by the factor {self.factor:.6f}, as by later dividends"
        return f"{what}; returns are equal"


@dataclass(frozen=True, slots=True)
class OtherCloses(Change):
    """Closes as traded before a day by a factor, on another split basis or not; adjusted closes are the same."""

    before: str

    @property
    def text(self) -> str:
        """The change in words."""
        ratio = split_ratio(self.factor)
        if self.kind == "split" and ratio is not None:
            return f"closes before {self.before} by the ratio of a {_split_words(ratio)}; returns are equal"
        days = self.first if self.first == self.last else f"{self.first} to {self.last}"
        return f"close of {days}: {self.factor - 1:+.2%}; returns are equal"


def _split_words(ratio: Fraction) -> str:
    new_shares, old_shares = ratio.denominator, ratio.numerator
    return f"{new_shares}-for-{old_shares} {'split' if ratio < 1 else 'reverse split'}"


# -- Finding the changes.


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
        return iso_day(self.days[i])

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


def changes_of(pair: TickerPair, tolerance: float) -> tuple[Change, ...]:
    """Return what changed, in the order of the days; empty if there is nothing beyond the tolerance."""
    slipped = shifted_runs(pair.old, pair.new, tolerance)
    found = [_slip(pair, *run) for run in slipped]
    found += _on_their_days(pair.without(slipped) if slipped else pair, tolerance)
    return tuple(sorted(found, key=lambda c: (c.first, c.last, c.kind)))


def _slip(pair: TickerPair, a: int, b: int, slip: int) -> Change:
    return Shifted("shifted", pair.day(a), pair.day(b - 1), 1.0, True, days=b - a, slip=slip)


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
    differing = pair.return_differences()[max(a - 1, 0) : b]
    returns = tuple(float(x) for x in differing[:: max(len(differing) - 1, 1)])  # into the days, and out of them
    what, old, new = _moved_price(pair, a, step)
    factor = float(np.exp(step))
    return WrongPrices("price", pair.day(a), pair.day(b - 1), factor, True, b - a, what, old, new, returns)


def _moved_price(pair: TickerPair, i: int, step: float) -> tuple[str, float, float]:
    """Return what moved on a day, and both values: the price as traded if that moved, else the one adjusted for dividends."""
    adjusted = float(pair.old[i]), float(pair.new[i])
    if pair.old_close is None or pair.new_close is None:
        return "price", *adjusted
    closes = np.log(pair.new_close / pair.old_close)
    beside = np.delete(closes, i)[max(i - 2, 0) : i + 2]
    if abs(closes[i] - np.median(beside) - step) < CLOSE_STEP:
        return "price", float(pair.old_close[i]), float(pair.new_close[i])
    return "adjusted close", *adjusted


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
    kind: ChangeKind = "level"
    if split_ratio(factor) is not None and (closes is None or abs(moved - step) < CLOSE_STEP):
        kind = "split"
    elif abs(moved) < LEVEL and abs(factor - 1) < LEAST_SPLIT:
        kind = "dividend"
    return Step(kind, pair.day(edges[at - 1]), pair.day(i - 1), factor, True, day=pair.day(i), gap=gap)


def _whole_table(pair: TickerPair, base: float, closes: np.ndarray | None) -> list[Change]:
    """Say what rescaled the whole past, if anything did."""
    first, last = pair.day(0), pair.day(-1)
    found: list[Change] = []
    rest = base
    if closes is not None:
        # the median of the last days is robust against one wrong close at the end
        ratio = split_ratio(float(np.exp(np.median(closes[-FEW_DAYS:]))))
        if ratio is not None:
            found.append(WholePast("split", first, last, float(ratio), False))
            rest = base - float(np.log(float(ratio)))
    if abs(rest) <= LEVEL:
        return found
    factor = float(np.exp(rest))
    named = pair.later_dividends
    product = float(np.prod([f for _, f in named]))
    if named and abs(product / factor - 1) < CLOSE_STEP:
        return [*found, WholePast("dividend", first, last, factor, False, named)]
    return [*found, WholePast("rescaled", first, last, factor, False)]


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
            continue  # the adjusted closes moved here, not the closes: found above
        days = pair.day(a), pair.day(b - 1)
        if ratio is not None:
            found.append(OtherCloses("split", *days, float(ratio), False, before=pair.day(b)))
        elif b - a <= FEW_DAYS:
            found.append(OtherCloses("close", *days, factor, False, before=pair.day(b)))
    return found


# -- Runs of days on which one table has the other's prices of a session before or after: dates that slipped.


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
