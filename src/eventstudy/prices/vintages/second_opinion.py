"""A second vendor's prices held against a study's, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.prices.table import Prices
from eventstudy.prices.vintages.vendor_series import VendorDay, VendorTicker, adjusted_of, closes_of, returns_of

#: Half a cent: two vendors that round the same price to the cent differ by less.
TOLERANCE = 0.005
#: Returns of vendors that adjust differently agree to this, in basis points.
BASIS_POINTS = 2.0
_SHOWN, _FEW, _WINDOW = 40, 3, 15


@dataclass(frozen=True, repr=False)
class SecondOpinion:
    """How far a second vendor agrees.

    Attributes
    ----------
    ours, theirs : str
        Names of the tables.
    tickers : tuple of VendorTicker
        What was compared, ticker by ticker; closes as traded and returns apart.
    days : tuple of VendorDay
        Every day that differs.
    missing : tuple of str
        Tickers that the second vendor's table lacks.
    tolerance, basis_points : float
        What was tolerated: in closes, and in returns.
    our_tickers, our_days : int
        Tickers of the study, and days of all of them together.
    uncompared : tuple of (str, str)
        Ticker and day of each day of an event window on which nothing was compared.
    """

    ours: str
    theirs: str
    tickers: tuple[VendorTicker, ...]
    days: tuple[VendorDay, ...]
    missing: tuple[str, ...]
    tolerance: float
    basis_points: float
    our_tickers: int
    our_days: int
    uncompared: tuple[tuple[str, str], ...] = ()

    @property
    def compared(self) -> int:
        """Vendor-days compared: one for each ticker and day, whether by close, return or both."""
        most: dict[str, int] = {}
        for t in self.tickers:
            most[t.ticker] = max(t.compared, most.get(t.ticker, 0))
        return sum(most.values())

    @property
    def agreeing(self) -> int:
        """Vendor-days that agree, by all that was compared."""
        return self.compared - len({(d.ticker, d.day) for d in self.days})

    @property
    def agrees(self) -> bool:
        """Whether every day that was compared agrees."""
        return not self.days

    @property
    def complete(self) -> bool:
        """Whether every day of an event window was compared."""
        return not self.uncompared

    def __repr__(self) -> str:
        kinds = [w for w in ("close", "return") if any(t.what == w for t in self.tickers)]
        limits = {"close": f"closes to {self.tolerance:g}", "return": f"returns to {self.basis_points:g} bp"}
        how = ", ".join(limits[k] for k in kinds)
        covered = len({t.ticker for t in self.tickers if t.compared})
        head = (
            f"{self.agreeing:,} of {self.compared:,} vendor-days agree ({self.ours} against {self.theirs}; {how}); compared were "
            f"{covered:,} of {self.our_tickers:,} tickers and {self.compared:,} of {self.our_days:,} days of all tickers"
        )
        lines = [head]
        for t in self.tickers:
            gaps = [
                f"{len(d)} day{'s' * (len(d) > 1)} {w} only: {_first_few(d)}"
                for d, w in ((t.days_only_ours, "ours"), (t.days_only_theirs, "theirs"))
                if d
            ]
            notes = "; ".join([*gaps, *([t.remark] if t.remark else [])])
            lines.append(
                f"  {t.ticker}: {t.compared - t.differing:,} of {t.compared:,} {t.what}s agree"
                + (f" ({notes})" if notes else "")
            )
        lines += [f"  differs: {d}" for d in self.days[:_SHOWN]]
        more = len(self.days) - _SHOWN
        lines += [f"  … and {more:,} more days; --json has all"] if more > 0 else []
        lines += [f"  not in {self.theirs}: {', '.join(self.missing)}"] if self.missing else []
        lacking: dict[str, list[str]] = {}
        for ticker, day in self.uncompared:
            lacking.setdefault(ticker, []).append(day)
        lines += [f"  not compared: {t} {_first_few(days, _WINDOW)} (event window)" for t, days in lacking.items()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values."""
        days = [{**asdict(d), "difference": d.difference} for d in self.days]
        return {
            **asdict(self),
            "days": days,
            "compared": self.compared,
            "agreeing": self.agreeing,
            "complete": self.complete,
        }


def _first_few(days: Sequence[str], most: int = _FEW) -> str:
    return ", ".join(days[:most]) + (f", … ({len(days)} in all)" if len(days) > most else "")


def second_opinion(
    ours: Prices,
    theirs: Prices,
    *,
    tolerance: float = TOLERANCE,
    basis_points: float = BASIS_POINTS,
    use_returns: bool = False,
    needed: Mapping[str, Sequence[pd.Timestamp]] | None = None,
) -> SecondOpinion:
    """Compare prices with a second vendor's, day by day.

    Parameters
    ----------
    ours, theirs : Prices
        The study's prices and the second vendor's.
    tolerance : float
        Closes that differ by no more agree, in units of the currency.
    basis_points : float
        Returns that differ by no more agree; a difference that ``tolerance`` of the price can make is allowed too.
    use_returns : bool
        Compare returns alone even where both tables have closes as traded, e.g. because the second vendor adjusts them for
        dividends.
    needed : mapping of str to days, optional
        Per ticker the days of the event windows; those on which nothing could be compared are named.

    Returns
    -------
    SecondOpinion
        Prints what differs.

    Raises
    ------
    DataMissing
        If the tables share no ticker, or no day of those that they share.
    InvalidInput
        If a tolerance is negative.

    Notes
    -----
    Closes as traded are compared where both tables have them, after bringing theirs to our split basis, and beside them the returns of
    the adjusted closes; either may differ. Otherwise returns alone are. A vendor that never counts dividends agrees on their days with a
    return without them; one that counts them must agree with ours.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2025-01-24", "2025-01-27"]
    >>> a, b = (pd.DataFrame({"A": [142.62, last]}, index=days) for last in (118.42, 118.52))
    >>> print(second_opinion(Prices.from_frame(a, a), Prices.from_frame(b, b)).days[0])
    A 2025-01-27: 118.4200, theirs 118.5200 (+0.1000)
    """
    if tolerance < 0 or basis_points < 0:
        raise InvalidInput(f"The tolerances are {tolerance:g} and {basis_points:g} bp; neither may be negative.")
    shared = [t for t in ours.tickers if t in theirs.tickers]
    if not shared:
        raise DataMissing(
            f"{theirs.provenance.source} has none of {', '.join(ours.tickers[:8])}; its tickers are "
            f"{', '.join(theirs.tickers[:8])}. Rename its columns to the tickers of the study.",
            available=theirs.tickers,
        )
    closes = not use_returns and ours.close is not None and theirs.close is not None
    parts = [
        closes_of(ours, theirs, t, tolerance) if closes else returns_of(ours, theirs, t, tolerance, basis_points)
        for t in shared
    ]
    beside = [adjusted_of(ours, theirs, t, tolerance, basis_points) for t in shared if closes]
    if not any(item.compared for item, _ in parts):
        raise DataMissing(
            f"{theirs.provenance.source} has no day in common with the study: it holds {theirs.dates[0]:%Y-%m-%d} to "
            f"{theirs.dates[-1]:%Y-%m-%d}, the study {ours.dates[0]:%Y-%m-%d} to {ours.dates[-1]:%Y-%m-%d}."
        )
    items = tuple(_with_gaps(item, ours, theirs, (needed or {}).get(item.ticker, ())) for item, _ in parts)
    lacking = {t: _iso(_held(ours, t, d)) for t, d in (needed or {}).items() if t not in shared and t in ours.tickers}
    return SecondOpinion(
        ours=ours.provenance.source,
        theirs=theirs.provenance.source,
        tickers=(*items, *(item for item, _ in beside)),
        days=tuple(day for _, days in (*parts, *beside) for day in days),
        missing=tuple(t for t in ours.tickers if t not in theirs.tickers),
        tolerance=tolerance,
        basis_points=basis_points,
        our_tickers=len(ours.tickers),
        our_days=int(ours.adj_close.notna().to_numpy().sum()),
        uncompared=tuple(
            (t, d) for t, days in [*((i.ticker, i.uncompared) for i in items), *lacking.items()] for d in days
        ),
    )


def _held(ours: Prices, ticker: str, days: Iterable[pd.Timestamp]) -> pd.DatetimeIndex:
    """Return those of the days on which our table has a price."""
    return pd.DatetimeIndex(sorted(set(days))).intersection(pd.DatetimeIndex(ours.adj_close[ticker].dropna().index))


def _iso(days: pd.DatetimeIndex) -> tuple[str, ...]:
    return tuple(f"{d:%Y-%m-%d}" for d in days)


def _with_gaps(item: VendorTicker, ours: Prices, theirs: Prices, needed: Iterable[pd.Timestamp]) -> VendorTicker:
    """Name the days that only one vendor has, and those of event windows on which nothing was compared."""
    pair = [p.close if item.what == "close" and p.close is not None else p.adj_close for p in (ours, theirs)]
    own, other = (pd.DatetimeIndex(f[item.ticker].dropna().index) for f in pair)
    common = own.intersection(other)
    if len(common) == 0:
        return replace(item, uncompared=_iso(_held(ours, item.ticker, needed)))
    inside = [d[(d >= common[0]) & (d <= common[-1])] for d in (own, other)]
    compared = common if item.what == "close" else common[1:]  # the first day has no return
    return replace(
        item,
        days_only_ours=_iso(inside[0].difference(common)),
        days_only_theirs=_iso(inside[1].difference(common)),
        uncompared=_iso(_held(ours, item.ticker, needed).difference(compared)),
    )
