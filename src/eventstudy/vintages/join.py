"""Two overlapping downloads made one table, without a seam in the returns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit
from eventstudy.files import sha256
from eventstudy.prices.table import Prices, Provenance
from eventstudy.vintages.changes import LEVEL, split_ratio
from eventstudy.vintages.compare import TOLERANCE, compare_prices
from eventstudy.wording import iso_day


def join_prices(old: Prices, new: Prices, tolerance: float = TOLERANCE) -> Prices:
    """Join two overlapping price tables of the same tickers into one.

    Parameters
    ----------
    old, new : Prices
        Two downloads whose days overlap, in either order.
    tolerance : float
        Returns on the overlap may differ by no more, a fraction.

    Returns
    -------
    Prices
        The table that ends later (``new`` if both end on one day), with the earlier days of the other before it. These
        are rescaled to the first common day, so that dividends and splits between the downloads leave no seam.

    Raises
    ------
    DataUnfit
        If the tickers or a currency differ, a ticker has no common day, or the overlap disagrees; names the ticker and
        what differs.

    Notes
    -----
    With first common day c, the earlier prices are multiplied by ``new_c / old_c``: the return of day c and all before it
    are those of the earlier table, all after it those of the later one.

    Examples
    --------
    >>> import pandas as pd
    >>> old = pd.DataFrame({"A": [10.0, 11.0, 9.0]}, index=["2025-01-23", "2025-01-24", "2025-01-27"])
    >>> new = pd.DataFrame({"A": [5.5, 4.5, 5.0]}, index=["2025-01-24", "2025-01-27", "2025-01-28"])
    >>> join_prices(Prices.from_frame(old), Prices.from_frame(new)).adj_close["A"].tolist()
    [5.0, 5.5, 4.5, 5.0]
    """
    early, late = (new, old) if old.dates[-1] > new.dates[-1] else (old, new)
    late = late.select(old.tickers) if set(old.tickers) == set(new.tickers) else late
    early = early.select(late.tickers) if set(old.tickers) == set(new.tickers) else early
    _check_fit(early, late, tolerance)
    both = early.adj_close.notna() & late.adj_close.reindex_like(early.adj_close).notna()
    starts = early.dates[both.to_numpy().argmax(axis=0)]
    days = early.dates.union(late.dates)
    # the earlier table's prices stand before each ticker's first common day
    before = pd.DataFrame(days.to_numpy()[:, None] < starts.to_numpy()[None, :], days, early.adj_close.columns)
    adjusted, _ = _joined(early.adj_close, late.adj_close, starts, before)
    close = volume = None
    if early.close is not None and late.close is not None:
        close, factors = _joined(early.close, late.close, starts, before, splits_only=True)
        if early.volume is not None and late.volume is not None:
            volume = (early.volume / factors).reindex(days).where(before, late.volume.reindex(days))
    elif early.volume is not None and late.volume is not None:
        volume = early.volume.reindex(days).where(before, late.volume.reindex(days))
    return Prices.from_frame(adjusted, close, volume, _origin(early, late), {**early.currency, **late.currency})


def _joined(
    early: pd.DataFrame,
    late: pd.DataFrame,
    starts: pd.DatetimeIndex,
    before: pd.DataFrame,
    *,
    splits_only: bool = False,
) -> tuple[pd.DataFrame, pd.Series[float]]:
    place = np.arange(len(starts))
    ends, begins = (f.reindex(starts).to_numpy()[place, place] for f in (early, late))
    factors = pd.Series(begins / ends, early.columns)
    if splits_only:  # closes are rounded: a split's ratio is a whole one, and without a split there is none
        factors = factors.map(lambda f: float(split_ratio(f) or (1.0 if abs(f - 1) < 100 * LEVEL else f)))
    days = before.index
    return (early * factors).reindex(days).where(before, late.reindex(days)), factors


def _check_fit(early: Prices, late: Prices, tolerance: float) -> None:
    apart = sorted(set(early.tickers) ^ set(late.tickers))
    if apart:
        raise DataUnfit(
            f"Only one of the two tables has {', '.join(apart)}; fetch the same tickers twice, or select() those of both."
        )
    mixed = sorted(t for t, c in early.currency.items() if c != late.currency.get(t, c))
    if mixed:
        raise DataUnfit(
            f"{mixed[0]} is in {early.currency[mixed[0]]} in one table and in {late.currency[mixed[0]]} in the other; "
            f"convert one of them first.",
            ticker=mixed[0],
        )
    found = compare_prices(early, late, tolerance)
    for item in found.tickers:
        if item.days == 0:
            raise DataUnfit(
                f"The two tables have no day of {item.ticker} in common, so their levels cannot be matched; fetch ranges that "
                f"overlap by some sessions.",
                ticker=item.ticker,
            )
        _check_overlap(early, late, item.ticker)
        if item.largest > tolerance or item.inner_days:
            reason = next(iter(item.restatements), "returns differ")
            raise DataUnfit(
                f"The two tables disagree on {item.ticker} where they overlap: {reason}. Fetch the whole range anew.",
                ticker=item.ticker,
            )


def _check_overlap(early: Prices, late: Prices, ticker: str) -> None:
    """Refuse an overlap without a common return, unless closes as traded agree there, up to a split."""
    both = pd.concat([early.adj_close[ticker], late.adj_close[ticker]], axis=1, join="inner").dropna()
    if len(both) > 1:
        return
    day = both.index[0]
    if early.close is not None and late.close is not None:
        ratio = float(late.close.loc[day, ticker] / early.close.loc[day, ticker])
        if abs(ratio - 1) < 100 * LEVEL or split_ratio(ratio) is not None:
            return
        why = f"the closes as traded differ there by a factor of {ratio:.6g}, which is no split's"
        if np.isnan(ratio):
            why = "a close as traded is missing there"
    else:
        why = "there are no closes as traded to compare"
    raise DataUnfit(
        f"The two tables have only {iso_day(day)} of {ticker} in common, so that no return can be compared, and {why}. Fetch ranges "
        f"that overlap by two sessions or more.",
        ticker=ticker,
        day=iso_day(day),
    )


def _origin(early: Prices, late: Prices) -> Provenance:
    first, second = early.provenance, late.provenance
    parts = [p.digest for p in (first, second)]
    return replace(
        second,
        source=f"{first.source} + {second.source}",
        retrieved=min((p.retrieved for p in (first, second) if p.retrieved), default=""),
        first="",
        last="",
        digest=sha256("+".join(parts).encode()) if all(parts) else "",
        cautions=tuple(dict.fromkeys([*first.cautions, *second.cautions])),
    )
