"""What the columns of the plotted numbers mean, their units, and how people read their values."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Collection
from dataclasses import dataclass

from eventstudy.wording import DASH, billions, money_words, number, one_currency, p_text, percent, relative_day


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its name, and how a value of it is written."""

    name: str
    write: Callable[[float], str]


NO_UNIT = Unit("", number)
FRACTION = Unit("fraction", percent)
SHARES = Unit("shares", lambda value: f"{value:,.0f}")
TRADING_DAYS = Unit("trading days", lambda value: relative_day(int(value)))
STANDARD_ERRORS = Unit("standard errors", number)
PROBABILITY = Unit("", p_text)
#: How the name of the unit of prices ends.
A_SHARE = " a share"


def money(currencies: Collection[str]) -> Unit:
    """Return the unit of market values in one or several currencies."""
    code = one_currency(currencies)
    return Unit(money_words(currencies), lambda value: billions(value, 2, code))


def price(currencies: Collection[str]) -> Unit:
    """Return the unit of closes in one or several currencies."""
    return Unit(money_words(currencies) + A_SHARE, lambda value: f"{value:,.2f}")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of plotted numbers: what a table calls it, what it means, and its unit."""

    heading: str
    meaning: str
    unit: Unit = NO_UNIT

    def text(self, value: object) -> str:
        """Return a value as people read it; what is missing is a dash."""
        if value is None:
            return DASH
        if isinstance(value, bool) or type(value).__name__ == "bool":
            return "yes" if value else "no"
        if isinstance(value, numbers.Real):
            return self.unit.write(float(value)) if math.isfinite(value) else DASH
        return str(value)


# Columns that several figures have.
EVENT = Column("Event", "the event's short name")
WHAT = Column("What", "what the row is: the event day, an estimation day or a point of the fitted line")
ABNORMAL_RETURN = Column("Abnormal return", "return beyond what the model expects", FRACTION)
LOW = Column("Interval from", "lower end of the interval", FRACTION)
HIGH = Column("Interval to", "upper end of the interval", FRACTION)
EXCLUDES_ZERO = Column("Interval excludes 0", "whether the interval lies on one side of zero")
