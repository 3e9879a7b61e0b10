"""Daily Fama-French factors, embedded."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from eventstudy.prices import embedded
from eventstudy.prices.embedded import read_dated_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

FACTORS_FILE = "factors.csv.gz"
#: Columns of the embedded factors.
FACTOR_COLUMNS = ("mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf")


@lru_cache(maxsize=2)
def _factors(folder: Path) -> pd.DataFrame:  # the folder is the key
    return read_dated_table(FACTORS_FILE)


def load_factors() -> pd.DataFrame:
    """Return the daily Fama-French factors for US stocks, 2022-01-03 to 2025-12-31.

    Returns
    -------
    DataFrame
        Dates × ``mkt_rf``, ``smb``, ``hml``, ``rmw``, ``cma``, ``mom``, ``rf``: simple returns as
        fractions a day (0.01 is one per cent). All but ``rf`` are returns of long-short portfolios;
        ``rf`` is the one-month Treasury bill rate per trading day.

    Raises
    ------
    NotAsRecorded
        If the embedded file differs from its recorded digest.

    Notes
    -----
    The authors revise the factors, so that other states of their library differ by up to 0.2
    percentage points a day (the market factor by 0.01 at most).

    References
    ----------
    Fama, E. F. and French, K. R. (2015). A five-factor asset pricing model. Journal of Financial
    Economics 116(1), 1-22. Data: Kenneth R. French data library.

    Examples
    --------
    >>> load_factors().loc["2025-01-27", "mkt_rf"].item()
    -0.0149
    """
    return _factors(embedded.FOLDER).copy(deep=True)
