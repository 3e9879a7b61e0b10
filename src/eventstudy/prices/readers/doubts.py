"""What a table of prices leaves in doubt once it is read: days that lack an adjusted close, columns that are no prices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from eventstudy.prices.readers.layouts import Figures

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: Tickers that one caution names.
_NAMED = 8


def with_gaps(figures: Figures) -> Figures:
    """Add cautions about closes without an adjusted close beside them, and about tickers without any price.

    Parameters
    ----------
    figures : Figures
        As a layout gives them.

    Returns
    -------
    Figures
        The same figures: nothing is filled in.
    """
    adjusted, close, said = figures.adj_close, figures.close, []
    if adjusted.columns.has_duplicates or adjusted.empty:  # refused later
        return figures
    empty = [t for t, there in adjusted.notna().any().items() if not there]
    if close is not None and not close.columns.has_duplicates:
        both = [t for t in adjusted.columns if t in close.columns]
        lost = close[both].notna() & adjusted[both].isna()
        short = [t for t, some in lost.any().items() if some]
        if short:
            counted = _listed([_days_lost(adjusted[t], lost[t].to_numpy()) for t in short])
            said.append(
                f"The adjusted close is empty on days that have a close as traded: {counted}. Nothing was put in its place; these days "
                f"have no return."
            )
        empty = [t for t in empty if t not in short]
    if empty:
        said.append(f"No price on any day, so no return: {_listed([str(t) for t in empty])}.")
    return replace(figures, cautions=(*figures.cautions, *said)) if said else figures


def _days_lost(adjusted: pd.Series[float], lost: np.ndarray) -> str:
    """Return a ticker with the days that lack an adjusted close."""
    days, count = adjusted.index[lost], int(lost.sum())
    if adjusted.isna().all():
        return f"{adjusted.name} (all {count:,} days)"
    span = f"{days.min():%Y-%m-%d}" + (f" to {days.max():%Y-%m-%d}" if count > 1 else "")
    return f"{adjusted.name} ({count:,} day{'s' * (count > 1)}, {span})"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
