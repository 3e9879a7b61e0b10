"""CRSP's returns held against the changes of its prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eventstudy.errors import DataUnfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

#: A return may lie so far below the change of the price (rounding), and so far above it (a distribution).
_BELOW, _ABOVE = 0.02, 0.25
#: Without cfacpr, changes of the price beyond these may be splits.
_NO_SPLIT = (-0.25, 0.40)
#: Smaller changes of the price tell nothing of the returns' unit, and fewer days neither.
_TELLING, _FEWEST = 0.002, 3
#: Median of return over change of the price in a file of per cents.
_PER_CENT = (50.0, 200.0)
_SHOWN = 3


def returns_against_prices(clean: pd.DataFrame, labels: Mapping[int, str], name: str) -> list[str]:
    """Hold the returns of a CRSP file against ``prc / cfacpr``.

    Parameters
    ----------
    clean : DataFrame
        As `read_crsp` returns it.
    labels : mapping of int to str
        What to call each permno.
    name : str
        The file's name, for messages.

    Returns
    -------
    list of str
        A caution that counts the days on which a return contradicts the prices; empty without such a day.

    Raises
    ------
    DataUnfit
        If the returns are about a hundred times the changes of the prices: per cents.
    """
    priced = clean[clean["prc"].notna()]
    factor = priced["cfacpr"].where(priced["cfacpr"] > 0)
    has_factor = factor.notna() & factor.groupby(priced["permno"]).shift().notna()
    price = priced["prc"].abs() / factor.where(factor.notna(), 1.0)
    change = price / price.groupby(priced["permno"]).shift() - 1.0
    mixed = factor.notna() != factor.groupby(priced["permno"]).shift().notna()
    known = priced["ret"].notna() & change.notna() & ~mixed & (has_factor | change.between(*_NO_SPLIT))
    ret, change, rows = priced["ret"][known], change[known], priced[known]
    telling = change.abs() >= _TELLING
    if int(telling.sum()) >= _FEWEST:
        times = float(np.median(ret[telling].abs() / change[telling].abs()))
        if _PER_CENT[0] <= times <= _PER_CENT[1]:
            raise DataUnfit(
                f"{name} has returns of about {times:.0f} times the changes of prc, so they seem to be per cents; CRSP's are fractions "
                f"(0.01 is one per cent). Divide ret by 100.",
                times=times,
            )
    wrong = ((ret < change - _BELOW) | (ret > change + _ABOVE)).to_numpy()
    if not wrong.any():
        return []
    shown = [
        f"{labels[int(p)]} {d:%Y-%m-%d} (ret {r:+.2%}, prices {c:+.2%})"
        for p, d, r, c in zip(
            rows["permno"][wrong][:_SHOWN],
            rows["date"][wrong][:_SHOWN],
            ret[wrong][:_SHOWN],
            change[wrong][:_SHOWN],
            strict=True,
        )
    ]
    count = int(wrong.sum())
    more = ", …" if count > _SHOWN else ""
    return [
        f"On {count:,} day{'s' * (count > 1)} ret contradicts the change of prc / cfacpr: {', '.join(shown)}{more}."
    ]
