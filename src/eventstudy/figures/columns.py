"""What the columns of the plotted numbers mean, their units, and how people read them."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable

from eventstudy.wording import DASH, billions, number, p_text, percent

_RETURN, _DOLLARS, _TEXT = "fraction", "US dollars", ""

#: Heading, meaning and unit by column.
COLUMNS: dict[str, tuple[str, str, str]] = {
    "event": ("Event", "the event's short name", _TEXT),
    "group": ("Group", "the event's group", _TEXT),
    "what": ("What", "what the row is: the event day, an ordinary day or a point of the fitted line", _TEXT),
    "day": ("Trading day", "trading days from the event day, which is 0", "trading days"),
    "abnormal_return": ("Abnormal return", "return beyond what the model expects", _RETURN),
    "car": ("Cumulative abnormal return", "sum of abnormal returns from the first day of the window", _RETURN),
    "low": ("Interval from", "lower end of the interval", _RETURN),
    "high": ("Interval to", "upper end of the interval", _RETURN),
    "raw_return": ("Raw return", "return of the share", _RETURN),
    "market_return": ("Benchmark return", "return of the benchmark", _RETURN),
    "firm_return": ("Share return", "return of the share", _RETURN),
    "excludes_zero": ("Interval excludes 0", "whether the interval lies on one side of zero", _TEXT),
    "marked": ("Named", "whether the figure names it", _TEXT),
    "abnormal": ("Abnormal change", "change in market value beyond what the model expects", _DOLLARS),
    "raw": ("Raw change", "change in market value", _DOLLARS),
    "close_before": ("Close before", "close as traded on the session before the window", "US dollars a share"),
    "close_after": ("Close after", "close as traded on the last day of the window", "US dollars a share"),
    "shares": ("Shares", "shares outstanding that the changes are computed with", "shares"),
    "test": ("Test", "name of the test", _TEXT),
    "standard_errors": ("Standard errors", "standard errors from zero with the test's p-value", "standard errors"),
    "statistic": ("Statistic", "the test's own statistic", ""),
    "p_value": ("p-value", "two-sided p-value", ""),
    "remark": ("Remark", "whether to believe the test for this design, or what it overlooks", _TEXT),
}


def heading(column: str) -> str:
    """Return what a table calls a column."""
    return COLUMNS[column][0]


def codebook(columns: list[str], kind: str) -> dict[str, dict[str, str]]:
    """Return meaning and unit of each column of a kind of figure."""
    return {c: {"meaning": COLUMNS[c][1], "unit": _unit(c, kind)} for c in columns}


def _unit(column: str, kind: str) -> str:
    if column in ("low", "high") and kind == "dollars":
        return _DOLLARS
    return COLUMNS[column][2]


def formatter(column: str, kind: str) -> Callable[[object], str]:
    """Return the function that writes a column's values for people; what is missing is a dash."""
    unit = _unit(column, kind)
    forms: dict[str, Callable[[float], str]] = {
        _RETURN: lambda v: percent(v, 2),
        _DOLLARS: lambda v: billions(v, 2),
        "US dollars a share": lambda v: f"{v:,.2f}",
        "shares": lambda v: f"{v:,.0f}",
    }
    by_unit = p_text if column == "p_value" else forms.get(unit, lambda v: number(v, 2))

    def text(value: object) -> str:
        if value is None:
            return DASH
        if isinstance(value, bool) or type(value).__name__ == "bool":
            return "yes" if value else "no"
        if isinstance(value, numbers.Integral) and column == "day":
            return f"{int(value):+d}".replace("-", "−") if value else "0"
        if isinstance(value, numbers.Real):
            return by_unit(float(value)) if math.isfinite(value) else DASH
        return str(value)

    return text
