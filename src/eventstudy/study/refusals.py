"""What returns and factors cannot be, and the sentence that says how to mend them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.errors import DataMissing, DataUnfit
from eventstudy.estimation.market import FactorModel
from eventstudy.estimation.model import NormalReturnModel
from eventstudy.prices.table import ReturnKind
from eventstudy.sources.files.cells import cut
from eventstudy.sources.files.layouts import meaning
from eventstudy.study.interpolated import (
    CARRIES_OVER,
    WEEKDAYS,
    follows_itself,
    refuse_cumulated,
    refuse_interpolated,
    refuse_spread,
)
from eventstudy.study.screen import suspicious
from eventstudy.wording import did_you_mean, first_few, iso_day, listed

#: Findings listed one by one in a check of validity.
LISTED = 6
#: Share of the returns on one weekday that stand still if it was filled in, and on the others if they were not.
FILLED, MOVING = 0.9, 0.5
#: Days on one weekday, or days on which nothing moves, that are looked at.
FEWEST_FILLED = 3
#: Half of a firm's daily moves are never this large as fractions; as per cent they nearly always are.
TYPICAL_MOVE_LIMIT = 0.25
#: Half of a factor's daily moves are never this large as fractions.
TYPICAL_FACTOR = 0.1
#: A risk-free rate a day is nowhere so high: three times over in a year.
DAILY_RATE_LIMIT = 0.005
#: Names that the market's return less the risk-free rate shares with the market's return.
CALLED_MARKET = ("mkt", "market", "rm", "mktret")
#: The return of a day that no market and no factor has.
NEVER_IN_A_DAY = -0.5
#: So many returns of one firm are never all above zero.
NEVER_ALL_UP = 60


def factors_missing(missing: list[str], table: pd.DataFrame, in_data: list[str]) -> DataMissing:
    """Say which columns of the model neither the data nor the table of factors has, and the line that mends it."""
    way = renaming(missing, table, "factors") or did_you_mean(missing, [*table.columns, *in_data])
    return DataMissing(
        f"The model needs {', '.join(missing)}. The table of factors has {first_few(cut(table.columns), 40)}; the data have "
        f"{first_few(in_data, LISTED)}.{way}",
        missing=tuple(missing),
        available=(*map(str, table.columns), *in_data),
    )


def renaming(missing: list[str], table: pd.DataFrame, name: str) -> str:
    """Return the line that calls the factors of a table as the model does, and brings them from per cent to fractions; empty if none is known."""
    names = list(map(str, table.columns))
    renamed = {c: meaning(c, "factors") for c in names if meaning(c, "factors") in missing}
    if "mkt_rf" in missing and "mkt_rf" not in renamed.values():
        renamed = {c: "mkt_rf" for c in names if c.lower() in CALLED_MARKET} | renamed
    if not renamed or len(set(renamed.values())) < len(renamed):
        return ""
    per_cent = float(table[list(renamed)].abs().median().max()) > TYPICAL_FACTOR
    said = [
        f"Write: {name} = {name}.rename(columns={renamed}){' / 100' * (per_cent and name == 'factors')}"
        + (", for its figures are per cent and factors are fractions." if per_cent else "."),
        *(f"{c} must be the market's return less the risk-free rate." for c in renamed if c.lower() in CALLED_MARKET),
    ]
    left = [c for c in missing if c not in renamed.values()]
    said += [f"No column that is known stands for {', '.join(left)}."] if left else []
    return " " + " ".join(said)


def require_daily_rate(table: pd.DataFrame, risk_free: str | None) -> None:
    """Raise `DataUnfit` if the risk-free rate is no fraction a day: the other factors may be while it is left in per cent or per year."""
    if risk_free not in table.columns:
        return
    typical = float(table[risk_free].abs().median())
    if typical > DAILY_RATE_LIMIT:
        raise DataUnfit(
            f"The risk-free rate {risk_free} is {typical:g} on the typical day, so it seems to be per cent or a rate per year; needed is a fraction a "
            f"day, such as 0.0002. Divide it by 100, or by 100 and the trading days of a year."
        )


def require_returns(
    table: pd.DataFrame, kind: ReturnKind, refuse_prices: bool = True, firms: Sequence[str] = (), name: str = "data"
) -> None:
    """Raise `DataUnfit` at an infinite return, a simple return of -100 % or less, returns in per cent, or prices, ``firms``' at any level."""
    values = table.to_numpy(dtype=np.float64)
    low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    up = np.flatnonzero(low > 0)
    always = ((~np.isnan(values[:, up])).sum(axis=0) >= NEVER_ALL_UP) & (low < high)[up]
    firm = set(firms) if len(up) else set()
    prices = [
        k
        for k, sure in zip(up.tolist(), always.tolist(), strict=True)
        if (sure and table.columns[k] in firm) or table.iloc[:, k].median() > 1.0
    ]
    if refuse_prices and prices:
        raise DataUnfit(
            f"{first_few(table.columns[np.array(prices)], LISTED)}: all figures are positive, as prices are. For prices write "
            f"study.run(es.load_prices(data), events); for returns take table.pct_change(fill_method=None)."
        )
    limit = TYPICAL_MOVE_LIMIT if name == "data" else TYPICAL_FACTOR
    beyond = np.flatnonzero(np.maximum(high, -low) > limit)
    sizes = np.abs(values[:, beyond])
    far = beyond[2 * (sizes > limit).sum(axis=0) >= np.maximum((sizes > 0.0).sum(axis=0), 1)]
    if len(far):
        moves = table.iloc[:, far].abs()
        typical = moves.where(moves != 0).median()
        _refuse_growth(table.iloc[:, far], typical, name)
        large = typical[typical > limit]
        if len(large):
            raise DataUnfit(
                f"Half of the returns of {large.index[0]} are beyond ±{large.iloc[0]:g}, so they seem to be per cent; returns are "
                f"fractions (a fall of 17 % is -0.17, not -17). Write: {name} = {name} / 100."
            )
    if name != "data":
        refuse_cumulated(table[[c for c in table.columns if _must_be_returns(str(c))]], kind, name)
    if np.isinf(low).any() or np.isinf(high).any() or (kind == "simple" and (low <= -1.0).any()):
        wrong = np.isinf(values) | ((values <= -1.0) if kind == "simple" else np.zeros(values.shape, dtype=bool))
        row, column = np.argwhere(wrong)[0]
        raise DataUnfit(
            f"{table.columns[column]} has a return of {values[row, column]:g} on {iso_day(table.index[row])}; returns are "
            f"fractions, finite and above -1 (a fall of 17 % is -0.17, not -17). Correct it or leave it empty."
        )


def _must_be_returns(factor: str) -> bool:
    """Tell whether a factor's name is that of a market or of a portfolio's return; any other may be a level, such as an interest rate."""
    return meaning(factor, "factors") not in {"", "rf"} or factor.lower() in CALLED_MARKET


def _refuse_growth(table: pd.DataFrame, typical: pd.Series[float], name: str) -> None:
    """Refuse figures that are all positive and large: gross returns, growth since a day, or levels."""
    growth = (table.min() > 0) & (table.count() >= 2) & (typical > TYPICAL_MOVE_LIMIT)
    if not growth.any():
        return
    column = str(table.columns[int(growth.to_numpy().argmax())])
    gross = abs(float(typical[column]) - 1.0) < TYPICAL_FACTOR and follows_itself(table[column]) < CARRIES_OVER
    meant, way = (
        ("gross returns (1 + r) are", f"{name} - 1")
        if gross
        else ("levels and cumulated returns are", f"{name}.pct_change(fill_method=None)")
    )
    raise DataUnfit(
        f"{column}: all figures are positive, the typical one {typical[column]:.4g}, as {meant}; needed are returns as fractions, which fall as well as rise. "
        f"Write: {name} = {way}{', for the columns of which this is true' if table.shape[1] > 1 else ''}."
    )


def refuse_markers(markets: pd.DataFrame, kind: ReturnKind) -> None:
    """Raise `DataUnfit` if a market or a factor loses half of its value in a day, as a marker of missing figures over 100 does."""
    low = markets.to_numpy() < (NEVER_IN_A_DAY if kind == "simple" else np.log1p(NEVER_IN_A_DAY))
    if low.any():
        row, column = np.argwhere(low)[0]
        raise DataUnfit(
            f"{markets.columns[column]} has a return of {markets.iloc[row, column]:g} on {iso_day(markets.index[row])} ({int(low.sum())} such "
            f"figures in all); no market or factor falls by half in a day, but files mark missing figures by -99.99 or -999, and these stay in "
            f"once they are divided by 100. Leave them empty.",
            days=int(low.any(axis=1).sum()),
        )


def still_rows(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where a return is zero or exactly that of the row before, as filled rows are."""
    before = np.vstack([np.full((1, values.shape[1]), np.nan), values[:-1]])
    return np.asarray((values == 0.0) | (values == before), dtype=np.bool_)


def refuse_no_daily(returns: pd.DataFrame, kind: ReturnKind, cumulated: Collection[str] = ()) -> None:
    """Refuse columns that are no daily returns: filled in, interpolated, spread from longer periods; those named, if they are cumulated."""
    doubtful = suspicious(returns)
    if not doubtful.any():
        return
    looked_at = returns.loc[:, doubtful]
    refuse_cumulated(looked_at[[c for c in looked_at.columns if c in cumulated]], kind, "data")
    refuse_filled(looked_at)


def refuse_filled(returns: pd.DataFrame) -> None:
    """Refuse a column in which nothing moves on one weekday and most moves on others: days without trade that were filled in."""
    values, weekday = returns.to_numpy(), pd.DatetimeIndex(returns.index).day_of_week.to_numpy()
    there, still = np.isfinite(values), still_rows(values)
    on = weekday[None, :] == np.arange(7)[:, None]
    count, quiet = on.astype(np.int64) @ there, on.astype(np.int64) @ (there & still)
    filled = (count >= FEWEST_FILLED) & (quiet >= FILLED * count)
    others = (there & still).sum(axis=0) - np.where(filled, quiet, 0).sum(axis=0)
    total = there.sum(axis=0) - np.where(filled, count, 0).sum(axis=0)
    wrong = filled.any(axis=0) & (others <= MOVING * total) & (total > 0)
    if not wrong.any():
        refuse_interpolated(returns)
        return
    place = int(wrong.argmax())
    which = listed(WEEKDAYS[d] for d in np.flatnonzero(filled[:, place]))
    number = int(count[filled[:, place], place].sum())
    raise DataUnfit(
        f"{returns.columns[place]} has a return on {number} {which}, and nearly all of them are zero or that of the day before: days without "
        f"trade that were filled in, so that relative days would count them. Leave these rows out (of a table of prices before returns are made).",
        ticker=str(returns.columns[place]),
    )


def refuse_carried(factors: pd.DataFrame) -> None:
    """Refuse factors that mostly repeat the row before, as weekly or monthly ones spread over days."""
    own = factors.drop(columns=[c for c in ("rf",) if c in factors.columns])
    moving = own.to_numpy()
    if len(moving) < FEWEST_FILLED or not moving.shape[1]:
        return
    same = (moving[1:] == moving[:-1]).all(axis=1)
    if same.mean() > MOVING:
        raise DataUnfit(
            f"{same.mean():.0%} of the rows of factors repeat the row before, as weekly or monthly factors do that were spread over days; a study "
            f"needs daily factors."
        )
    refuse_spread(own)


def markets_of(model: NormalReturnModel) -> list[str]:
    """Return the columns of a model that stand for a market: its benchmark, or its factors without the risk-free rate."""
    if model.benchmark is not None:
        return [model.benchmark]
    return list(model.factors) if isinstance(model, FactorModel) else []


def riskless(model: NormalReturnModel) -> str | None:
    """Return the column of a model's risk-free rate, which stands still and moves as a level does by nature."""
    return model.risk_free if isinstance(model, FactorModel) else None
