"""Two price tables compared: which prices differ, why, and whether any return does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.prices.table import Prices
from eventstudy.vintages.changes import Change, TickerPair, changes_of
from eventstudy.wording import iso_day, plural

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

    @property
    def is_noise(self) -> bool:
        """Whether nothing differs that could change a return."""
        return self.kind in ("same", "jitter")

    @property
    def restatements(self) -> list[str]:
        """What changed a return, a close or a day inside the common range, in words."""
        said = [c.text for c in self.changes if c.restates]
        if self.inner_days:
            said.append(f"{self.inner_days} of these days lie between days that both have")
        return said

    def lines(self) -> list[str]:
        """Return what differs in words, one line each."""
        said = [str(c) for c in self.changes[:_SHOWN]]
        more = len(self.changes) - len(said)
        if more:
            said.append(f"… and {more} more changes; returns differ by up to {self.largest:.2g} (--json has all)")
        for word, days in (("added", self.added), ("removed", self.removed)):
            if days:
                shown = ", ".join(days) if len(days) <= _SHOWN else f"{days[0]} … {days[-1]}"
                said.append(f"{plural(len(days), 'day')} {word}: {shown}")
        if self.inner_days:
            said.append(f"RESTATED: {self.restatements[-1]}")
        if self.volumes:
            said.append(plural(self.volumes, "volume differs", "volumes differ"))
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
        equal = sum(t.is_noise for t in self.tickers)
        grown = max((len(t.added) for t in self.tickers), default=0)
        parts.insert(0, f"{equal} of {len(self.tickers)} tickers the same")
        parts += [f"up to {grown} days added"] if grown else []
        parts += [f"new tickers: {', '.join(self.only_new[:_SHOWN])}"] if self.only_new else []
        return "; ".join(parts)

    def lines(self, *, noise: bool = True) -> list[str]:
        """Return what differs in words, a line each; if so wished without tickers of which only noise differs."""
        said = [f"{t.ticker}: {line}" for t in self.tickers if noise or not t.is_noise for line in t.lines()]
        said += [f"{t}: in {self.old} only" for t in self.only_old]
        return [*said, *(f"{t}: in {self.new} only" for t in self.only_new)]

    def __repr__(self) -> str:
        return "\n  ".join([f"{self.old} → {self.new}: {self.summary()}", *self.lines()])

    def to_dict(self) -> dict[str, object]:
        """Return the differences as plain values."""
        tickers = [{**asdict(t), "changes": [c.plain() for c in t.changes]} for t in self.tickers]
        return {**asdict(self), "tickers": tickers, "differ": self.differ}


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
        added=tuple(iso_day(d) for d in days[has_new & ~has_old]),
        removed=tuple(iso_day(d) for d in days[has_old & ~has_new]),
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
    if inner or any(c.restates for c in changes):
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
    return tuple((iso_day(day), float(value)) for day, value in zip(days, found, strict=True))
