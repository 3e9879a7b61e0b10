"""Dollars lost and gained: abnormal changes in market value, one row an event."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.figures import words as say
from eventstudy.figures.columns import EVENT, EXCLUDES_ZERO, HIGH, LOW, SHARES, Column, money, price
from eventstudy.figures.presentation import draw_figure
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.rows import Row, cut_rows, draw_rows, legend_keys, not_drawn, rows_height
from eventstudy.figures.words import FigureText
from eventstudy.inference.market_value import MarketValueChange
from eventstudy.statements import ABNORMAL_VALUE, VALUE, Numbers, verdict
from eventstudy.statements import HIGH as HIGH_END
from eventstudy.statements import LOW as LOW_END
from eventstudy.windows import Window
from eventstudy.wording import MINUS, billions, interval, listed, money_words, one_currency, round_significant

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure


class HasChanges(Protocol):
    """A result that knows the market values of its events."""

    def value_changes(self, window: Window) -> Sequence[MarketValueChange]:
        """Return the changes over a window."""
        ...  # pragma: no cover


def _given(changes: object) -> Sequence[MarketValueChange]:
    """Return the changes that are given, or those of a result on the event day."""
    if hasattr(changes, "value_changes"):
        found: Sequence[MarketValueChange] = changes.value_changes(Window(0, 0))
        return found
    if isinstance(changes, Sequence) and all(isinstance(c, MarketValueChange) for c in changes):
        return changes
    raise InvalidInput(
        f"changes is {type(changes).__name__}; give the result, figures.dollars(result), or the changes of a window, "
        f"figures.dollars(result.value_changes(Window(0, 1))); the table that result.market_value() returns is for reading."
    )


def dollars(
    changes: Sequence[MarketValueChange] | HasChanges,
    *,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw abnormal changes in market value with their intervals, and the raw change as a stroke.

    Parameters
    ----------
    changes : StudyResult or sequence of MarketValueChange
        A result, of which the event day is drawn; or the changes of another window, ``result.value_changes(Window(-1, 1))``: at least one, all of one window and level; sorted by the abnormal change. Companies without a figure are
        named in the note.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text.

    Returns
    -------
    HouseFigure

    Raises
    ------
    InvalidInput
        If there is no change at all, or what is given are none.

    Examples
    --------
    >>> from eventstudy.windows import Window
    >>> numbers = {"raw": -80e9, "abnormal": -50e9, "low": -60e9, "high": -40e9, "level": 0.95}
    >>> lost = MarketValueChange("A", "A", Window(0, 0), 100.0, 90.0, None, 1e11, **numbers)
    >>> dollars([lost]).words.title
    'A lost $80bn, $50bn more than expected'
    """
    changes = _given(changes)
    if not changes:
        raise InvalidInput("There is no market-value change to draw; give at least one.")
    there = sorted((c for c in changes if math.isfinite(c.abnormal)), key=lambda c: (c.abnormal, c.key))
    rows, currency = [_row(c) for c in there], {say.tidy(c.key): c.currency for c in changes}
    currencies = [c.currency for c in there]
    drawn, hidden = cut_rows(rows)
    window, level = changes[0].window, changes[0].level
    span, noun = say.span_text(window, when), _noun(changes)
    legend = legend_keys(say.level_text(level), [r.state for r in rows], "abnormal change", "raw change")
    recipe = Recipe(
        Facts(
            "dollars",
            {r.key: (r.state,) for r in rows},
            {r.key: r.second for r in rows},
            {"level": float(level), "window": [window.start, window.end]},
            numbers=_numbers(changes, rows, when, currency),
            others=frozenset(
                c.ticker for c in changes if c.currency != "USD"
            ),  # what is embedded is of shares in dollars
        ),
        FigureText(
            title=_title(rows, when, noun, currency),
            subtitle=f"Change in market value {span}, {_unit(currencies)}: abnormal with interval, and raw",
            note=_note(changes, there, hidden),
            alt=_alt(rows, span, noun, currency),
        ),
        _frame(rows, there),
        _columns(currencies),
        lambda size: rows_height(size, len(drawn), legend),
        lambda sheet: draw_rows(sheet, drawn, legend, _ticks(one_currency(currencies))),
    )
    return draw_figure(recipe, size, title=title, source=source)


def _numbers(
    changes: Sequence[MarketValueChange], rows: Sequence[Row], when: str, currency: Mapping[str, str]
) -> Numbers:
    """Return the changes as numbers that a text may say."""
    window, level = changes[0].window, changes[0].level
    span = (window.start, window.end)
    values = {
        (row.key, what, span): value
        for row in rows
        for what, value in (
            (VALUE, row.second),
            (ABNORMAL_VALUE, row.value),
            (LOW_END + ABNORMAL_VALUE, row.low),
            (HIGH_END + ABNORMAL_VALUE, row.high),
        )
    }
    gone = {say.tidy(c.key) for c in changes} - {row.key for row in rows}
    return Numbers(
        names={key: key for key in gone},
        values=values | {(key, VALUE, span): math.nan for key in gone},
        counts={"level": level * 100, "events": len(rows), "between": len(rows) - say.LISTED, "hidden": len(rows) - 50},
        raw_of=VALUE,
        currencies=currency,
        days={when: 0} if when else {},
        span=span,
        spans=frozenset([span, (0, 0)]),
    )


def _row(change: MarketValueChange) -> Row:
    value, low, high, raw = round_significant([change.abnormal, change.low, change.high, change.raw]).tolist()
    state = verdict(value, low, high)
    texts = (_bn(value, change.currency), interval(low, high, lambda v: _bn(v, change.currency)))
    return Row(say.tidy(change.key), state, value, low, high, *texts, second=raw)


def _ticks(currency: str) -> Callable[[list[float]], Callable[[float], str]]:
    """Return how to write the ticks of an axis: in one currency with its sign, in several without one."""

    def written(values: list[float]) -> Callable[[float], str]:
        step = min((b - a for a, b in pairwise(values)), default=1e9)
        digits = max(0, -math.floor(math.log10(step / 1e9) + 1e-9))
        return lambda v: "0" if v == 0 else billions(v, digits, currency)

    return written


def _title(rows: Sequence[Row], when: str, what: str, currency: Mapping[str, str]) -> str:
    on = say.on_day(when)
    clear = [r for r in rows if r.clear]
    if not rows:
        return "No company has a share count, so no market value"
    if not clear:
        whose = rows[0].key if len(rows) == 1 else f"any of {len(rows)} {what}"
        return f"No clear abnormal change in market value for {whose}{on}"
    first = max(clear, key=lambda r: abs(r.value))
    raw, surprise = (_bn(v, currency[first.key]).lstrip(MINUS + "+") for v in (first.second, first.value))
    does = "lost" if first.second < 0 else "gained"
    return f"{first.key} {does} {raw}{on}, {surprise} {_beside_expected(first)}"


def _beside_expected(row: Row) -> str:
    """Say on which side of the expected change the raw one lies; "more" and "less" only if both are losses or both gains."""
    expected = row.second - row.value
    if expected * row.second > 0:
        return f"{'more' if (row.second < 0) == (row.state == 'down') else 'less'} than expected"
    return f"{'below' if row.state == 'down' else 'above'} what was expected"


def _bn(value: float, currency: str) -> str:
    return billions(value, currency=currency)


def _unit(currencies: Sequence[str]) -> str:
    """Return the unit of all amounts: ``$bn``, ``CHF bn``, ``bn in the currency of the prices``."""
    code = one_currency(currencies)
    return billions(0.0, 0, code).replace("0", "") if code else f"bn in {money_words(currencies)}"


def _noun(changes: Sequence[MarketValueChange]) -> str:
    return "companies" if len({c.ticker for c in changes}) == len(changes) else "events"


def _note(changes: Sequence[MarketValueChange], there: Sequence[MarketValueChange], hidden: int) -> str:
    level = say.level_text(changes[0].level)
    gone = [say.tidy(c.key) for c in changes if not math.isfinite(c.abnormal)]
    notes = [f"Intervals: {level}, t with prediction error; abnormal is what the model did not expect."]
    if gone:
        notes.append(f"No figure (no share count or close): {', '.join(gone)}.")
    notes += _same_company(there)
    if hidden:
        notes.append(not_drawn(hidden, _noun(changes)))
    return " ".join(notes)


def _alt(rows: Sequence[Row], span: str, what: str, currency: Mapping[str, str]) -> str:
    parts = [f"{r.key} {r.value_text} ({r.interval_text}), raw {_bn(r.second, currency[r.key])}" for r in rows]
    start = f"Dot plot of changes in market value {span} of {len(rows)} {what}."
    return f"{start} Abnormal, with interval, and raw: {say.alt_list(parts)}"


def _same_company(changes: Sequence[MarketValueChange]) -> list[str]:
    """Warn of share classes of one company, whose figures must not be added."""
    drawn = {c.ticker for c in changes}
    pairs = {
        tuple(sorted((c.ticker, other)))
        for c in changes
        if c.shares is not None
        for other in c.shares.covers
        if other in drawn and other != c.ticker
    }
    return [f"{listed(pair)} are one company, counted whole in each row." for pair in sorted(pairs)]


def _columns(currencies: Sequence[str]) -> Mapping[str, Column]:
    amount, close = money(currencies), price(currencies)
    return {
        "event": EVENT,
        "abnormal": Column("Abnormal change", "change in market value beyond what the model expects", amount),
        "low": replace(LOW, unit=amount),
        "high": replace(HIGH, unit=amount),
        "raw": Column("Raw change", "change in market value", amount),
        "excludes_zero": EXCLUDES_ZERO,
        "close_before": Column("Close before", "close as traded on the session before the window", close),
        "close_after": Column("Close after", "close as traded on the last day of the window", close),
        "shares": Column("Shares", "shares outstanding that the changes are computed with", SHARES),
    }


def _frame(rows: Sequence[Row], changes: Sequence[MarketValueChange]) -> pd.DataFrame:
    def column(values: Iterable[float]) -> np.ndarray:
        return round_significant(np.array(list(values), dtype=np.float64))

    return pd.DataFrame(
        {
            "event": [r.key for r in rows],
            "abnormal": column(r.value for r in rows),
            "low": column(r.low for r in rows),
            "high": column(r.high for r in rows),
            "raw": column(r.second for r in rows),
            "excludes_zero": [r.clear for r in rows],
            "close_before": column(c.close_before for c in changes),
            "close_after": column(c.close_after for c in changes),
            "shares": [c.shares.shares if c.shares else None for c in changes],
        }
    )
