"""Whether the columns of a wide table are prices: refused by names of other fields, and by figures that never move as prices do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.sources.files.cells import cut, may_be_ticker
from eventstudy.wording import first_few

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS = (
    "volumes?|returns?|rtn|rets?|logret|chg|changes?|pct|percent|open|high|low|bid|ask|turnover|mktcap|marketcap|mcap"
)
#: After a blank these may belong to a name (SPDR Gold Shares, S&P 500 Equal Weight), after another mark they are fields.
_SHORT_WORDS = "vol|shares|weight|dividends?|div|splits?"
_FIELD = re.compile(
    rf".+[\s_.:/(-]({_WORDS}|(market|mkt)[\s_](cap|value))\)?"
    rf"|.+[_.:/(-]({_SHORT_WORDS})\)?"
    r"|(volume|returns?|ret|pct|vol)[_:].+|(volume|returns?) .+"
    r"|%.+|.+%\)?|.+% ?(chg|change|ret)",
    re.IGNORECASE,
)
#: The adjusted and the raw close of one share, as quantmod calls them.
_ADJUSTED = re.compile(r"(?P<stem>.+)[\s_.:/(-]adj(usted)?\)?", re.IGNORECASE)
_RAW = re.compile(r"(?P<stem>.+)[\s_.:/(-](close|last|price)\)?", re.IGNORECASE)
_ALONE = re.compile(rf"{_WORDS}|{_SHORT_WORDS}|%", re.IGNORECASE)
#: Before "return" these make the name of an index or a fund.
_INDEX_NAME = re.compile(r".*\b(total|tot|net|gross|price|absolute|real)[\s_]returns?", re.IGNORECASE)

#: Log moves that half of the days exceed in no series of prices, and hardly in any.
_NEVER, _HARDLY = float(np.log(1.16)), 0.05
#: Mean square of the change over twice the variance: near 0 for a random walk, 1 for figures that do not depend on the day before.
_COMES_BACK, _FORGETS = 0.5, 0.7
#: Fewest figures that tell, for a refusal, for a caution, and for a caution about figures around one: quiet prices come back within a month.
_FEWEST, _FEWEST_CAUTION, _FEWEST_GROSS = 10, 20, 60
#: A typical change of fewer of the smallest steps may be a price of a few ticks.
_TICKS = 5
#: Gross returns (1.013) lie around one, and move at least so much.
_AROUND_ONE, _GROSS_SPREAD = 0.01, 0.003
_NAMED = 8
_UNLIKELY = "The figures of {} move by more than 5 % on half of the days and come back as no price does; they were taken as prices. Are they percentages?"
_GROSS = "The figures of {} lie around 1 and do not depend on the day before, as gross returns (1.01) do; they were taken as prices."
#: A close that is adjusted moves as the close does on at least so many days, and its steps against it add up to at least so much of their sum.
_SAME_DAYS, _ONE_WAY = 0.8, 0.5
#: The columns of a table of one share, and by how much its high lies above its low on a typical day at most.
_BARS, _RANGE = (4, 10), 1.25
#: A market value is a close times shares, and steps against it when their number changes.
_MARKET_VALUE = re.compile(
    r"cap(?!\w*gain)|(market|mkt|mk)[\W_]*val|^mv\b|(markt|börsen)wert|kurswert|valeur boursi|valor de mercado|市值|時価総額|시가총액"
)
#: Most decimals that figures are rounded to; relative error of figures of single precision.
_DECIMALS, _SINGLE = 8, 2e-7


def refuse_other_fields(columns: Sequence[str], date: str, name: str) -> None:
    """Refuse columns of a wide table that are volumes, returns or the like by their names."""
    adjusted = {m["stem"] for m in map(_ADJUSTED.fullmatch, columns) if m}
    raw = {m[0] for m in map(_RAW.fullmatch, columns) if m and m["stem"] in adjusted}
    fields = [c for c in columns if c in raw or _is_field(c)]
    if not fields:
        return
    rest = [c for c in columns if c not in fields]
    choose = ", ".join(map(repr, cut([date or "Unnamed: 0", *rest[:3]]))) + (", …" if len(rest) > 3 else "")
    what_to_do = (
        f"Hand over the others, es.load_prices(source=table[[{choose}]]) with a table of pandas, or rename what is a ticker"
        if rest
        else "Give closes; a table of returns is handed to EventStudy.run as it is"
    )
    column = "column" if len(fields) == 1 else "columns"
    raise InvalidInput(
        f"{name} has the {column} {first_few(cut(fields), _NAMED)}: by the name no adjusted close but another price, a volume, a return or the like. "
        f"In a wide table every column after the date is a ticker with its adjusted closes. {what_to_do}.",
        columns=tuple(fields),
    )


def _is_field(column: str) -> bool:
    words = column.strip()
    if _ALONE.fullmatch(words):
        return not may_be_ticker(words)
    return bool(_FIELD.fullmatch(words)) and not _INDEX_NAME.fullmatch(words)


def refuse_other_figures(wide: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Refuse columns of a wide table that do not move as prices do, by small steps from where they stood the day before; return cautions of the less clear."""
    ordered = wide.sort_index(kind="stable")
    positive = ordered.where((ordered > 0) & np.isfinite(ordered))
    figures = positive.to_numpy()
    typical = positive.apply(np.log).diff().abs().median()
    around_one = (positive.median() - 1.0).abs() <= _AROUND_ONE
    wrong, unlikely, gross = [], [], []
    for place in np.flatnonzero(((typical > _HARDLY) | around_one).to_numpy()).tolist():
        ticker, values = str(wide.columns[place]), figures[~np.isnan(figures[:, place]), place]
        if len(values) < _FEWEST or _few_ticks(values):
            continue
        logs = np.log(values)
        move, back = float(np.median(np.abs(np.diff(logs)))), _comes_back(logs)
        if move > _NEVER and back > _COMES_BACK:
            wrong.append(f"{ticker} ({values[0]:g}, {values[1]:g}, {values[2]:g}, …)")
        elif len(values) >= _FEWEST_CAUTION and back > _FORGETS:
            if move > _HARDLY:
                unlikely.append(ticker)
            elif len(values) >= _FEWEST_GROSS and around_one.iloc[place] and logs.std() > _GROSS_SPREAD:
                gross.append(ticker)
    if wrong:
        raise DataUnfit(
            f"{name} has figures that are no prices in {first_few(cut(wrong), _NAMED)}: on half of the days they move by more than 16 %, and they come back. "
            f"Are they percentages, returns or volumes? A wide table holds adjusted closes; a table of returns (fractions, 0.01 is one per "
            f"cent) is handed to EventStudy.run as it is.",
            columns=tuple(wrong),
        )
    return tuple(
        said.format(first_few(cut(found), _NAMED)) for said, found in ((_UNLIKELY, unlikely), (_GROSS, gross)) if found
    )


def _comes_back(logs: np.ndarray) -> float:
    """Return von Neumann's ratio, halved: 1 for independent figures, near 0 for a random walk."""
    variance = float(logs.var())
    return float((np.diff(logs) ** 2).mean()) / (2.0 * variance) if variance > 0 else 0.0


def _few_ticks(values: np.ndarray) -> bool:
    """Tell whether a typical change is a few of the smallest steps, as of a share that trades at a fraction of a cent."""
    steps = np.diff(np.unique(values))
    return len(steps) == 0 or float(np.median(np.abs(np.diff(values)))) < _TICKS * float(steps.min())


def refuse_bars(wide: pd.DataFrame, name: str) -> None:
    """Refuse a table of one share: of four columns one is the highest and one the lowest in every row, and the two between change places."""
    if not _BARS[0] <= wide.shape[1] <= _BARS[1]:
        return
    figures = wide.dropna().to_numpy()
    if len(figures) < _FEWEST:
        return
    above: np.ndarray = np.all(figures[:, :, None] >= figures[:, None, :], axis=0)
    for high, low in np.argwhere(above & ~above.T):
        between = [i for i in range(wide.shape[1]) if i not in (high, low) and above[high, i] and above[i, low]]
        near = low != high and 0.0 < np.median(figures[:, high]) <= _RANGE * np.median(figures[:, low])
        if near and any(not (above[i, j] or above[j, i]) for i in between for j in between):
            top, bottom = (cut([wide.columns[i]])[0] for i in (high, low))
            raise InvalidInput(
                f"{name} has the columns {first_few(cut(wide.columns), _NAMED)}: in every row {top} is the highest and {bottom} the lowest, with others "
                f"between that change places, as the high and the low of one share are. In a wide table every column is a ticker; of one share, call "
                f"the columns date, open, high, low, close, adj_close and volume.",
                columns=tuple(map(str, wide.columns)),
            )


def refuse_adjusted(clean: pd.DataFrame, unknown: pd.DataFrame, name: str) -> None:
    """Refuse a column that is not used and moves as the close does but for a few steps that last, as an adjusted close does.

    ``clean`` has ``ticker``, ``date`` and ``close``, ``unknown`` the other columns of the same rows. A copy of the close has no steps; those
    of another price of the day, such as a settlement, go back.
    """
    order = np.lexsort((clean["date"], clean["ticker"]))
    close = clean["close"].to_numpy()[order]
    codes = pd.factorize(clean["ticker"])[0][order]
    for column in map(str, unknown.columns):
        values = pd.to_numeric(unknown[column], errors="coerce").to_numpy(dtype=np.float64)[order]
        there = np.isfinite(values) & np.isfinite(close) & (values > 0) & (close > 0)
        if there.sum() < _FEWEST or _MARKET_VALUE.search(column.lower()):
            continue
        ratio, off, code = np.log(values[there] / close[there]), _off(values[there]) + _off(close[there]), codes[there]
        within = code[1:] == code[:-1]
        step, of = np.diff(ratio)[within], code[1:][within]
        rounding, moves = (off[1:] + off[:-1])[within], np.abs(np.diff(np.log(close[there])))[within]
        step = np.where(np.abs(step) > rounding, step, 0.0)
        tells = (step != 0) | (moves > rounding)  # 1, 1, 1 is rounded too coarsely to move as anything does
        days, steps, net, gross = (np.bincount(of, w) for w in (tells, step != 0, step, np.abs(step)))
        stepped = (days >= _FEWEST) & (steps > 0)
        adjusted = stepped & (steps <= (1.0 - _SAME_DAYS) * days) & (np.abs(net) > _ONE_WAY * gross)
        if adjusted.any() and 2 * adjusted.sum() >= stepped.sum():
            raise InvalidInput(
                f"{name} has the column {cut([column])[0]!r}, which is none that is used: on {int((days - steps)[adjusted].sum()):,} of "
                f"{int(days[adjusted].sum()):,} days it moves as the close does, and on the others it steps against it for good, as closes adjusted for "
                f"splits and dividends do. Rename it adj_close if it holds them, or leave it out if it does not (a market value, say).",
                column=column,
            )


def _off(values: np.ndarray) -> np.ndarray:
    """Return by how much, relative to itself, each figure may be off by the rounding that all of them show."""
    digits = next((d for d in range(_DECIMALS) if np.allclose(values, values.round(d), rtol=_SINGLE / 2, atol=0)), None)
    return _SINGLE + (0.0 if digits is None else 0.5 * 10.0**-digits) / values
