"""One ticker's prices held against a second vendor's: closes as traded, adjusted closes beside them, or returns alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.prices.level_changes import CLOSE_STEP, LEAST_SPLIT, split_ratio
from eventstudy.prices.table import Prices

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
    ticker, day : str
        Where.
    what : str
        ``close``, or ``return``, a fraction.
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


def _both(x: pd.Series[float], y: pd.Series[float]) -> tuple[pd.DataFrame, int, int]:
    """Return two series on their common days, and how many days of the common range only one of them has."""
    table = pd.concat({"ours": x.dropna(), "theirs": y.dropna()}, axis=1, sort=True)
    common = table.dropna()
    if common.empty:
        return common, 0, 0
    inside = table.loc[common.index[0] : common.index[-1]]
    return common, int(inside["theirs"].isna().sum()), int(inside["ours"].isna().sum())


def closes_of(ours: Prices, theirs: Prices, ticker: str, tolerance: float) -> tuple[VendorTicker, list[VendorDay]]:
    """Compare closes as traded, theirs brought to our split basis; both tables have them."""
    assert ours.close is not None
    assert theirs.close is not None
    table, only_ours, only_theirs = _both(ours.close[ticker], theirs.close[ticker])
    x, y = table["ours"].to_numpy(), table["theirs"].to_numpy()
    y, allowed, remark = _on_our_basis(x, y, tolerance)
    wrong = np.abs(y - x) > allowed + _SLACK
    days = pd.DatetimeIndex(table.index)
    found = [
        VendorDay(ticker, f"{days[int(i)]:%Y-%m-%d}", "close", float(x[i]), float(y[i])) for i in np.flatnonzero(wrong)
    ]
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


def adjusted_of(
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
    moves, days = [values[1:] / values[:-1] - 1 for values in (own, other)], pd.DatetimeIndex(table.index)[1:]
    found = [
        VendorDay(ticker, f"{days[int(i)]:%Y-%m-%d}", "return", float(moves[0][i]), float(moves[1][i]))
        for i in np.flatnonzero(wrong)
    ]
    return VendorTicker(ticker, "return", len(days), len(found), 0, 0), found


def returns_of(
    ours: Prices, theirs: Prices, ticker: str, tolerance: float, basis_points: float
) -> tuple[VendorTicker, list[VendorDay]]:
    """Compare returns; theirs may leave out dividends, as far as ours have any."""
    table, only_ours, only_theirs = _both(ours.adj_close[ticker], theirs.adj_close[ticker])
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
    days = pd.DatetimeIndex(moves.index)
    found = [
        VendorDay(ticker, f"{days[int(i)]:%Y-%m-%d}", "return", float(x[i]), float(y[i])) for i in np.flatnonzero(wrong)
    ]
    return VendorTicker(ticker, "return", len(y), len(found), only_ours, only_theirs), found
