"""A second vendor's prices compared with a study's, day by day: closes as traded, adjusted closes beside them, or returns alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from eventstudy.errors import DataMissing, InvalidInput
from eventstudy.prices.table import Prices
from eventstudy.vintages.changes import CLOSE_STEP, LEAST_SPLIT, split_ratio
from eventstudy.wording import first_lines, in_brackets, iso_day, plural

#: Half a cent: two vendors that round the same price to the cent differ by less.
TOLERANCE = 0.005
#: Returns of vendors that adjust differently agree to this, in basis points.
BASIS_POINTS = 2.0
_SHOWN, _FEW, _WINDOW = 40, 3, 15
#: A stretch on another split basis is at least so many days long; shorter ones are wrong prices.
_LEAST_DAYS = 5
_SLACK = 1e-9
#: A step of adjusted over traded is made of four closes, and each is rounded.
_ROUNDED_CLOSES = 4.0


@dataclass(frozen=True, slots=True)
class VendorDay:
    """One day on which the vendors differ.

    Attributes
    ----------
    ours, theirs : float
        Both figures; theirs on our split basis.
    """

    ticker: str
    day: str
    what: str
    ours: float
    theirs: float

    @property
    def difference(self) -> float:
        """Theirs less ours."""
        return self.theirs - self.ours

    def __str__(self) -> str:
        if self.what == "return":
            return f"{self.ticker} {self.day}: return {self.ours:+.4%}, theirs {self.theirs:+.4%} ({self.difference * 1e4:+.1f} bp)"
        return f"{self.ticker} {self.day}: {self.ours:,.4f}, theirs {self.theirs:,.4f} ({self.difference:+.4f})"


@dataclass(frozen=True, slots=True)
class VendorTicker:
    """What was compared of one ticker.

    Attributes
    ----------
    ticker : str
        The ticker.
    what : str
        ``close`` or ``return``.
    compared, differing : int
        Days.
    only_ours, only_theirs : int
        Days of the common range that one vendor lacks.
    remark : str
        E.g. that their closes were brought to another split basis.
    days_only_ours, days_only_theirs : tuple of str
        These days, ISO format.
    uncompared : tuple of str
        Days of an event window, ISO format, on which nothing was compared.
    """

    ticker: str
    what: str
    compared: int
    differing: int
    only_ours: int
    only_theirs: int
    remark: str = ""
    days_only_ours: tuple[str, ...] = ()
    days_only_theirs: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()

    def __str__(self) -> str:
        gaps = [
            f"{plural(len(days), 'day')} {who} only: {_days_words(days, _FEW)}"
            for days, who in ((self.days_only_ours, "ours"), (self.days_only_theirs, "theirs"))
            if days
        ]
        notes = "; ".join(filter(None, (*gaps, self.remark)))
        agreeing = self.compared - self.differing
        return f"{self.ticker}: {agreeing:,} of {self.compared:,} {self.what}s agree{in_brackets(notes)}"


def _days_words(days: Sequence[str], most: int) -> str:
    """Return days, of many the first ones and how many there are."""
    shown = ", ".join(days[:most])
    return f"{shown}, … ({len(days)} in all)" if len(days) > most else shown


@dataclass(frozen=True, repr=False)
class SecondOpinion:
    """How far a second vendor agrees.

    Attributes
    ----------
    tickers : tuple of VendorTicker
        What was compared, ticker by ticker; closes as traded and returns apart.
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
        lines = [self._headline(), *(f"  {t}" for t in self.tickers)]
        lines += first_lines([f"differs: {d}" for d in self.days], _SHOWN, "days")
        lines += [f"  not in {self.theirs}: {', '.join(self.missing)}"] if self.missing else []
        lacking: dict[str, list[str]] = {}
        for ticker, day in self.uncompared:
            lacking.setdefault(ticker, []).append(day)
        lines += [f"  not compared: {t} {_days_words(days, _WINDOW)} (event window)" for t, days in lacking.items()]
        return "\n".join(lines)

    def _headline(self) -> str:
        limits = {"close": f"closes to {self.tolerance:g}", "return": f"returns to {self.basis_points:g} bp"}
        what = {t.what for t in self.tickers}
        how = ", ".join(words for name, words in limits.items() if name in what)
        covered = len({t.ticker for t in self.tickers if t.compared})
        return (
            f"{self.agreeing:,} of {self.compared:,} vendor-days agree ({self.ours} against {self.theirs}; {how}); compared were "
            f"{covered:,} of {self.our_tickers:,} tickers and {self.compared:,} of {self.our_days:,} days of all tickers"
        )

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
    basis_points : float
        Returns that differ by no more agree; a difference that ``tolerance`` of the price can make is allowed too.
    use_returns : bool
        Compare returns alone even where both tables have closes as traded, e.g. because the second vendor adjusts them for
        dividends.
    needed : mapping of str to days, optional
        Per ticker the days of the event windows; those on which nothing could be compared are named.

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
        _closes_of(ours, theirs, t, tolerance) if closes else _returns_of(ours, theirs, t, tolerance, basis_points)
        for t in shared
    ]
    beside = [_adjusted_of(ours, theirs, t, tolerance, basis_points) for t in shared if closes]
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
    return tuple(iso_day(d) for d in days)


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


# -- One ticker.


def _closes_of(ours: Prices, theirs: Prices, ticker: str, tolerance: float) -> tuple[VendorTicker, list[VendorDay]]:
    """Compare closes as traded, theirs brought to our split basis; both tables have them."""
    assert ours.close is not None
    assert theirs.close is not None
    table, only_ours, only_theirs = _on_common_days(ours.close[ticker], theirs.close[ticker])
    x, y = table["ours"].to_numpy(), table["theirs"].to_numpy()
    y, allowed, remark = _on_our_basis(x, y, tolerance)
    wrong = np.abs(y - x) > allowed + _SLACK
    found = _differing(ticker, "close", table.index, (x, y), wrong)
    return VendorTicker(ticker, "close", len(x), len(found), only_ours, only_theirs, remark), found


def _on_our_basis(x: np.ndarray, y: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray, str]:
    """Divide out split ratios between two vendors' closes; return theirs, what may differ, and a remark."""
    allowed, ratio = np.full(len(x), tolerance), y / x
    far = np.abs(ratio - 1) >= LEAST_SPLIT
    edges = np.flatnonzero(np.diff(far.astype(int))) + 1
    y, said = y.copy(), []
    for run in np.split(np.arange(len(x)), edges):
        if len(run) < _LEAST_DAYS or not far[run[0]]:
            continue
        # several splits follow each other: each day has its own ratio
        for factor in np.unique(np.round(ratio[run], 2)):
            part = run[np.abs(ratio[run] - factor) <= 0.02 * factor]
            found = split_ratio(float(np.median(ratio[part]))) if len(part) >= _LEAST_DAYS else None
            if found is None or not np.allclose(ratio[part], y[part] / x[part]):
                continue
            y[part] /= float(found)
            allowed[part] = tolerance * max(1.0, 1 / float(found))
            said.append(f"{len(part)} of their closes divided by {found}")
    return y, allowed, "; ".join(dict.fromkeys(said))


def _adjusted_of(
    ours: Prices, theirs: Prices, ticker: str, tolerance: float, basis_points: float
) -> tuple[VendorTicker, list[VendorDay]]:
    """Compare returns of adjusted closes where both tables have closes as traded, which are compared by themselves.

    Notes
    -----
    With equal closes, returns differ where adjusted over traded steps in another way. Where one vendor never adjusts, the other may step
    up, as at a dividend, and never down. Days beside a close that differs are left to the comparison of closes.
    """
    assert ours.close is not None
    assert theirs.close is not None
    table = pd.concat(
        {
            "x": ours.close[ticker],
            "y": theirs.close[ticker],
            "ours": ours.adj_close[ticker],
            "theirs": theirs.adj_close[ticker],
        },
        axis=1,
        sort=True,
    ).dropna()
    x, raw, own, other = (table[c].to_numpy() for c in ("x", "y", "ours", "theirs"))
    y, allowed_close, _ = _on_our_basis(x, raw, tolerance)
    other = y if np.array_equal(raw, other) else other  # one close for both: on our split basis
    alike = np.abs(y - x) <= allowed_close + _SLACK
    steps = [np.diff(np.log(adjusted / traded)) for adjusted, traded in ((own, x), (other, y))]
    allowed = (
        np.maximum(basis_points / 1e4, _ROUNDED_CLOSES * tolerance / np.min([x, y, own, other], axis=0)[:-1]) + _SLACK
    )
    if all((np.abs(s) > np.maximum(allowed, CLOSE_STEP)).any() for s in steps):
        wrong = np.abs(steps[0] - steps[1]) > allowed
    else:
        wrong = (steps[0] < -allowed) | (steps[1] < -allowed)
    wrong &= alike[1:] & alike[:-1]
    moves = own[1:] / own[:-1] - 1, other[1:] / other[:-1] - 1
    found = _differing(ticker, "return", table.index[1:], moves, wrong)
    return VendorTicker(ticker, "return", len(wrong), len(found), 0, 0), found


def _returns_of(
    ours: Prices, theirs: Prices, ticker: str, tolerance: float, basis_points: float
) -> tuple[VendorTicker, list[VendorDay]]:
    """Compare returns; theirs may leave out dividends, as far as ours have any."""
    table, only_ours, only_theirs = _on_common_days(ours.adj_close[ticker], theirs.adj_close[ticker])
    moves = table.pct_change(fill_method=None).iloc[1:]
    x, y, price = moves["ours"].to_numpy(), moves["theirs"].to_numpy(), table["ours"].to_numpy()[:-1]
    bare = np.full(len(x), np.nan)
    if ours.close is not None:
        traded = ours.close[ticker].reindex(table.index)
        bare = traded.pct_change(fill_method=None).iloc[1:].to_numpy()
        price = np.fmin(price, traded.to_numpy()[:-1])
    allowed = np.maximum(basis_points / 1e4, tolerance / price) + _SLACK
    step = (1 + x) / (1 + bare) - 1
    paid, counted, left_out = step > allowed, np.abs(y - x) <= allowed, np.abs(y - bare) <= allowed
    they_count = (counted & paid).sum() > (left_out & paid).sum()
    wrong = ~(counted | (left_out & (step >= -allowed) & ~(paid & they_count)))
    found = _differing(ticker, "return", moves.index, (x, y), wrong)
    return VendorTicker(ticker, "return", len(y), len(found), only_ours, only_theirs), found


def _on_common_days(x: pd.Series[float], y: pd.Series[float]) -> tuple[pd.DataFrame, int, int]:
    """Return two series on their common days, and how many days of the common range only one of them has."""
    table = pd.concat({"ours": x.dropna(), "theirs": y.dropna()}, axis=1, sort=True)
    common = table.dropna()
    if common.empty:
        return common, 0, 0
    inside = table.loc[common.index[0] : common.index[-1]]
    return common, int(inside["theirs"].isna().sum()), int(inside["ours"].isna().sum())


def _differing(
    ticker: str, what: str, days: pd.Index, pair: tuple[np.ndarray, np.ndarray], wrong: np.ndarray
) -> list[VendorDay]:
    """Return the days on which the two vendors' figures differ."""
    ours, theirs = pair
    return [
        VendorDay(ticker, iso_day(days[int(i)]), what, float(ours[i]), float(theirs[i])) for i in np.flatnonzero(wrong)
    ]
