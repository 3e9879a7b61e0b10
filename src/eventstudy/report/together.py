"""The numbers of two sentences: all events of a study together, and the whole market on their day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eventstudy.inference.advice import variance_ratio
from eventstudy.inference.correlation import mean_correlation
from eventstudy.report.findings import Findings
from eventstudy.windows import Window

#: Standard errors beyond which an event is far out.
FAR = 3.0
_DAY = Window(0, 0)


@dataclass(frozen=True, slots=True)
class Together:
    """All events of a study on the event day.

    Attributes
    ----------
    mean : float
        Mean abnormal return.
    variance_ratio : float
        Variance of the standardised abnormal returns across events, relative to an ordinary day's.
    far_down, far_up : int
        Events more than `FAR` standard errors below and above zero.
    mean_correlation : float
        Mean correlation of all pairs' residuals in calendar time.
    """

    mean: float
    variance_ratio: float
    far_down: int
    far_up: int
    mean_correlation: float


@dataclass(frozen=True, slots=True)
class MarketDay:
    """The members of the panel on the event day.

    Attributes
    ----------
    members, rose : int
        Members with prices, and how many of them rose.
    index : float
        Return of the benchmark; NaN without one.
    median, lowest : float
        Median and lowest abnormal return.
    lowest_ticker : str
        Whose it is.
    beside : tuple of (str, float)
        Headline tickers among the members, and their abnormal returns less the median.
    """

    members: int
    rose: int
    index: float
    median: float
    lowest: float
    lowest_ticker: str
    beside: tuple[tuple[str, float], ...]


def together(f: Findings) -> Together | None:
    """Return the numbers of all events together; None for one event."""
    ab = f.everyone.abnormal
    if ab.n < 2:
        return None
    scar = ab.sums(_DAY).scar
    members = np.flatnonzero(np.isfinite(scar)).astype(np.int64)
    return Together(
        mean=float(ab.caar((0, 0))),
        variance_ratio=float(variance_ratio(ab, _DAY)),
        far_down=int((scar < -FAR).sum()),
        far_up=int((scar > FAR).sum()),
        mean_correlation=float(mean_correlation(ab, members, _DAY)),
    )


def market_day(f: Findings) -> MarketDay | None:
    """Return how the whole market did on the event day; None without a panel."""
    if f.universe is None:
        return None
    day = f.universe.ar[0]
    ar, raw = day.to_numpy(dtype=float), f.universe.returns[0].to_numpy(dtype=float)
    seen = np.isfinite(ar)
    median, lowest = float(np.median(ar[seen])), str(day.idxmin())
    return MarketDay(
        members=int(seen.sum()),
        rose=int((raw[seen] > 0).sum()),
        index=float(f.universe.abnormal.benchmark_returns[0, -f.universe.abnormal.window.start]),
        median=median,
        lowest=float(day[lowest]),
        lowest_ticker=lowest,
        beside=tuple((t, float(day[t]) - median) for t in f.spec.headline_tickers() if t in day.index),
    )


def named_numbers(f: Findings) -> Iterator[tuple[str, float]]:
    """Return these numbers under the names that `numbers.json` gives them."""
    all_events, market = together(f), market_day(f)
    if all_events is not None:
        for name in Together.__slots__:
            yield f"together/{name}", float(getattr(all_events, name))
    if market is not None:
        for name in ("members", "rose", "index", "median", "lowest"):
            yield f"market/{name}", float(getattr(market, name))
        for ticker, value in market.beside:
            yield f"market/{ticker}/beside_median", value
