"""Returns as articles print them: changes of the price alone, without dividends."""

from __future__ import annotations

import numpy as np

from eventstudy.market_value import SPLIT_IN_WINDOW_TOLERANCE


def price_returns(adjusted: np.ndarray, closes: np.ndarray | None, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the change of the price over every stretch of n days, and where the closes gave it.

    Parameters
    ----------
    adjusted : ndarray
        Closes adjusted for splits and dividends, shape (T,), NaN where there is none.
    closes : ndarray or None
        Closes on one split basis, without dividends, shape (T,).
    n : int
        Days of a stretch, below T.

    Returns
    -------
    returns : ndarray
        Fractions, shape (T - n,): of the closes; where they are missing or have a split between them, of the adjusted closes.
    priced : ndarray of bool
        Where they are of the closes, shape (T - n,).

    Notes
    -----
    A split is a step between the two returns that no ordinary dividend makes
    (`eventstudy.market_value.SPLIT_IN_WINDOW_TOLERANCE`).

    Examples
    --------
    >>> returns, priced = price_returns(np.array([9.9, 10.0]), np.array([10.0, 10.0]), 1)
    >>> returns.round(4).tolist(), priced.tolist()
    ([0.0], [True])
    """
    total = np.asarray(adjusted[n:] / adjusted[:-n] - 1.0, dtype=np.float64)
    if closes is None:
        return total, np.zeros(len(total), dtype=bool)
    price = closes[n:] / closes[:-n] - 1.0
    split = np.abs((1.0 + price) / (1.0 + total) - 1.0) > SPLIT_IN_WINDOW_TOLERANCE
    priced = np.isfinite(price) & ~split
    return np.where(priced, price, total), priced
