"""What can be abnormal besides a return: volume, turnover, volatility."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd

from eventstudy.errors import DataMissing, DataUnfit, InvalidInput
from eventstudy.prices.firms import another_firm
from eventstudy.prices.snapshot import share_counts
from eventstudy.prices.table import Prices, clean_frame, require_prices

__all__ = ["log_turnover", "log_volume", "range_volatility", "squared_returns"]


def __dir__() -> list[str]:
    return sorted(__all__)


Measure = Literal["return", "volume", "turnover", "volatility"]
#: What one unit of a measure is, in words.
UNITS: Mapping[str, str] = {
    "return": "fraction",
    "volume": "log points (0.69 is twice as much)",
    "turnover": "log points (0.69 is twice as much)",
    "volatility": "squared return",
}


def check_measure(measure: str) -> None:
    """Raise `InvalidInput` unless ``measure`` is one of `Measure`."""
    if measure not in get_args(Measure):
        raise InvalidInput(f"measure is {measure!r}; choose {', '.join(get_args(Measure))}.")


def measured(prices: Prices, measure: Measure) -> pd.DataFrame:
    """Return the table of a measure, dates × tickers: `log_volume`, `log_turnover` or `squared_returns`."""
    table = {"volume": log_volume, "turnover": log_turnover, "volatility": squared_returns}[measure]
    return table(prices)


def log_volume(prices: Prices) -> pd.DataFrame:
    """Return the logarithm of the number of shares traded.

    Parameters
    ----------
    prices : Prices
        With volume, on one split basis.

    Returns
    -------
    DataFrame
        Dates × tickers, natural logarithm; NaN where the volume is zero or missing.

    Raises
    ------
    DataMissing
        If the prices have no volume, or a ticker has none on any day.
    DataUnfit
        If a volume is negative.

    Notes
    -----
    The logarithm makes volume nearly normal. Ajinkya and Jain (1989), Journal of Accounting and Economics 11, 331-359; Campbell and
    Wasley (1996), Review of Quantitative Finance and Accounting 6, 309-326, who add a small constant for days without trade, where this
    function has no value.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.measures.log_volume(es.load_prices(["NVDA"])).loc["2025-01-27"].round(3).to_dict()
    {'NVDA': 20.523}
    """
    if prices.volume is None:
        raise DataMissing(f"{prices.provenance.source} has no volume; give prices with volume=.")
    volume = prices.volume
    empty = [str(c) for c in volume.columns if not (volume[c] > 0).any()]
    if empty:
        raise DataMissing(
            f"No volume for {', '.join(empty)} in {prices.provenance.source}; leave them out.", missing=tuple(empty)
        )
    if (volume < 0).to_numpy().any():
        raise DataUnfit("A volume is negative; correct it or leave it empty.")
    return volume.where(volume > 0).apply(np.log)


def log_turnover(prices: Prices, shares: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Return the logarithm of the share of a company's stock that was traded.

    Parameters
    ----------
    prices : Prices
        With volume.
    shares : mapping of str to float, optional
        Shares outstanding by ticker, constant; by default the embedded quarterly counts, each from its day on (the first also
        before), of tickers whose prices are those of the firm that is embedded under them.

    Returns
    -------
    DataFrame
        Dates × tickers, ``ln(volume / shares outstanding)``; NaN where the volume is zero or missing.

    Raises
    ------
    DataMissing
        If there is no volume or no share count for a ticker.
    """
    traded = log_volume(prices)
    unknown = [str(t) for t in traded.columns if shares is None or t not in shares]
    missing = [t for t in unknown if not share_counts(t) or another_firm(prices, t)]
    if missing:
        raise DataMissing(
            f"No share count for {', '.join(missing)}; hand them in as shares={{...}}, or study measure='volume'.",
            missing=tuple(missing),
        )
    for ticker in traded.columns:
        if shares is not None and ticker in shares:
            outstanding = pd.Series(math.log(shares[ticker]), index=traded.index)
        else:
            counts = share_counts(str(ticker))
            known = pd.Series([float(c.shares) for c in counts], index=pd.DatetimeIndex([c.period_end for c in counts]))
            daily = known[~known.index.duplicated(keep="last")].reindex(traded.index, method="ffill")
            outstanding = daily.fillna(known.iloc[0]).apply(np.log)
        traded[ticker] = traded[ticker] - outstanding
    return traded


def squared_returns(prices: Prices) -> pd.DataFrame:
    """Return squared simple returns, the plainest measure of a day's variance.

    Parameters
    ----------
    prices : Prices
        Adjusted closes.

    Returns
    -------
    DataFrame
        Dates × tickers, fractions squared.

    Notes
    -----
    Strongly skewed: the mean of few events is far from normal, and rank and sign tests over events are off centre. On single days of
    separate dates `corrado_rank_z` keeps its size. Better hand in a table of logarithms, such as ``np.log(range_volatility(high, low))``,
    which is nearly normal (Alizadeh, Brandt and Diebold 2002, Journal of Finance 57, 1047-1091). Beaver (1968), Journal of Accounting
    Research 6 (Supplement), 67-92.
    """
    return prices.returns("simple") ** 2


def range_volatility(high: pd.DataFrame, low: pd.DataFrame) -> pd.DataFrame:
    """Return each day's variance from its high and low, ``(ln H/L)² / (4 ln 2)``.

    Parameters
    ----------
    high, low : DataFrame
        Dates × tickers, in the same unit.

    Returns
    -------
    DataFrame
        Variance of a day's log return; hand it to a study with ``measure="volatility"``.

    Raises
    ------
    DataUnfit
        If a price is not above zero, or a high is below its low.

    References
    ----------
    Parkinson (1980), Journal of Business 53, 61-65.

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.DatetimeIndex(["2025-01-27"])
    >>> range_volatility(pd.DataFrame({"A": [110.0]}, day), pd.DataFrame({"A": [100.0]}, day)).round(5)["A"].tolist()
    [0.00328]
    """
    upper, lower = clean_frame(high, "high"), clean_frame(low, "low")
    require_prices(upper, "high")
    require_prices(lower, "low")
    lower = lower.reindex(index=upper.index, columns=upper.columns)
    if (upper < lower).to_numpy().any():
        raise DataUnfit("A day's high is below its low; check that the two tables are not swapped.")
    return (upper / lower).apply(np.log) ** 2 / (4.0 * math.log(2.0))
