"""What a claim may say: the keys of ``claims.toml``, and of ``[[claims]]`` in a study file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, Strict, field_validator, model_validator

from eventstudy.claims.words import MOVE_WORDS, SIGN, VERBS, Verb
from eventstudy.fields import Part, WindowField
from eventstudy.wording import iso_day

Unit = Literal[
    "", "percent", "points", "dollars", "million", "billion", "trillion", "rank", "names", "days", "sessions", "weeks"
]

#: No quotation is longer, in words: a claim is quoted, an article is not copied.
MAX_WORDS = 25
#: What an amount of money is in, in dollars.
DOLLARS = {"dollars": 1.0, "million": 1e6, "billion": 1e9, "trillion": 1e12}
#: Short forms of keys, read beside the keys themselves.
SHORT_FORMS = {"asset": "assets", "ticker": "assets", "basket": "baskets", "billions": "value"}
#: Baskets that need no definition, and what sentences call them.
BUILT_IN_BASKETS = {
    "sp500": "the S&P 500",
    "study": "the companies of the study",
    "all": "the S&P 500 and the companies of the study",
}
_WEEKDAYS = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def _iso(value: object) -> object:
    """Read a day that TOML gives as a date, without quotation marks."""
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def _day(value: str) -> str:
    try:
        day = pd.to_datetime(value, format="%Y-%m-%d")
    except ValueError:
        raise ValueError(f"{value!r} is not a day; write it like 2025-01-27") from None
    if not 1900 <= day.year <= 2200:
        raise ValueError(f"{value!r} is not a day between 1900 and 2200")
    return iso_day(day)


def _number(value: float) -> float:
    if not 1e-9 <= value <= 1e15:
        raise ValueError(f"{value!r} is not a number greater than 0 as an article prints one; says gives the direction")
    return value


def _two(value: object) -> object:
    if isinstance(value, list | tuple) and len(value) == 2:
        return value
    raise ValueError(
        f"is {value!r}; give two numbers, the lowest and the highest count in billions, such as [24.3, 24.8], or one twice"
    )


#: What a claim may compare with since: a day, a month, a year, or how long.
_SINCE = re.compile(r"(\d{4})(-\d\d)?(-\d\d)?|(\d{1,3}) (day|week|month|year)s?")


def _since(value: str) -> str:
    found = _SINCE.fullmatch(value)
    if not found or (not found[4] and not 1900 <= int(found[1]) <= 2200):
        raise ValueError(
            f"{value!r} is no day, month, year or span; write it like 2025-01-27, 2025-01, 2025 or 2 years"
        )
    if not found[4]:
        _day(value + "-01-01"[len(value) - 10 :] if len(value) < 10 else value)
    return value


def _since_text(value: object) -> object:
    """Read a year that TOML gives as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _iso(value)


Day = Annotated[str, AfterValidator(_day), BeforeValidator(_iso)]
#: A claimed value; nothing that is claimed in print is larger or smaller.
Number = Annotated[float, Strict(), AfterValidator(_number)]


class ArticlePart(Part):
    """``[articles.KEY]``: where a claim was printed, as the article gives it; an empty outlet or date means that it gives none."""

    title: str
    outlet: str = ""
    date: Annotated[str, BeforeValidator(_iso)] = ""
    note: str = ""

    @property
    def line(self) -> str:
        """Title, outlet and date in a line."""
        return ", ".join(part for part in (f"“{self.title}”", self.outlet, self.date or "undated") if part)


class BasketPart(Part):
    """``[baskets.KEY]``: a list of companies: by ticker, by GICS sector of the S&P 500 panel, or both."""

    label: str = ""
    tickers: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> BasketPart:
        if not self.tickers and not self.sectors:
            raise ValueError("a basket needs 'tickers' or 'sectors', or both")
        return self


class ClaimPart(Part):
    """``[[claims]]``: a short quotation and what would make it true."""

    id: str = Field(default="", max_length=60)
    quote: str = Field(max_length=300)
    article: str = ""
    source: str = ""
    kind: str
    assets: tuple[str, ...] = ()
    baskets: tuple[str, ...] = ()
    says: str = Field(default="", max_length=40)
    window: WindowField | None = None
    windows: tuple[WindowField, ...] = ()
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None
    date: Day | None = None
    value: Number | None = None
    unit: Unit = ""
    wording: str = Field(default="", max_length=40)
    measure: Literal["raw", "abnormal", "dollars", "percent", ""] = ""
    sums: tuple[Literal["gross", "net"], ...] = ("net",)
    shares_billion: Annotated[tuple[Number, Number] | None, BeforeValidator(_two)] = None
    among: Literal["days", "firms", "firm-days"] = "firm-days"
    per: Literal["day", "week", "month", "quarter", "year"] = "day"
    since: Annotated[str, AfterValidator(_since), BeforeValidator(_since_text)] | None = None
    weekday: _WEEKDAYS | None = None
    session: Annotated[bool, Strict()] | None = None
    first_session: Day | None = None
    after: Day | None = None
    timeline: str = ""
    because: str = Field(default="", max_length=300)
    reason: str = ""
    needs: str = ""
    remark: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, given: object) -> object:
        """Read ``asset`` or ``ticker`` as ``assets``, ``basket`` as ``baskets``, ``billions`` as a value in billions."""
        if not isinstance(given, dict):
            return given
        out = dict(given)
        for short, long in SHORT_FORMS.items():
            if short not in out:
                continue
            if long in out or (short == "billions" and "unit" in out):
                raise ValueError(f"{short} and {long} were both given; keep one")
            if short == "billions":
                out |= {"value": out.pop(short), "unit": "billion"}
            else:
                out[long] = [out.pop(short)]
        return out

    @field_validator("quote")
    @classmethod
    def _short_quote(cls, quote: str) -> str:
        if not quote.strip():
            raise ValueError("quote is empty; give the article's own words")
        if len(quote.split()) > MAX_WORDS:
            raise ValueError(f"quote has {len(quote.split())} words; quote at most {MAX_WORDS}")
        return quote

    def problems(self) -> Iterator[str]:
        """Say which keys do not go together, whatever the kind."""
        ways = [w for w in (self.window, self.windows or None, self.from_ or self.to, self.date) if w is not None]
        if len(ways) > 1:
            yield "give the days once: window (relative days), from and to (calendar days), or date (one day)"
        if (self.from_ is None) != (self.to is None):
            yield "from and to belong together; give both, or window"
        if self.from_ and self.to and self.from_ > self.to:
            yield f"from ({self.from_}) is after to ({self.to}); swap them"
        if self.after is not None and (self.value is None or not self.unit):
            yield "after needs 'value' and 'unit' (days, sessions or weeks): how long after that day"
        if self.shares_billion and self.shares_billion[0] > self.shares_billion[1]:
            yield "shares_billion is a pair from low to high"

    @property
    def given(self) -> dict[str, object]:
        """The keys that the claim has, with their values."""
        fields = type(self).model_fields
        return {fields[name].alias or name: getattr(self, name) for name in self.model_fields_set}

    @property
    def verb(self) -> Verb:
        """What the claim's verb says."""
        return VERBS.get(self.says, Verb(""))

    @property
    def sign(self) -> float:
        """The sign of the change that the claim speaks of."""
        return SIGN.get(self.verb.base, math.nan)

    @property
    def strength(self) -> str:
        """How hard a price is said to have moved, by the claim's adverb or its verb; empty if it says nothing of that."""
        return self.wording if self.wording in MOVE_WORDS[1:] else self.verb.strength

    @property
    def named(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """The first and the last day of the day, month or year that ``since`` names; None if it gives a span or nothing."""
        if self.since is None or " " in self.since:
            return None
        period = pd.Period(self.since, freq={4: "Y", 7: "M", 10: "D"}[len(self.since)])
        return period.start_time, period.end_time.normalize()

    def cut(self, day: pd.Timestamp) -> pd.Timestamp:
        """Return the day after which a comparison starts: the last of what ``since`` names, or its span before a day."""
        if self.named:
            return self.named[1]
        count, unit = (self.since or "0 days").split()
        n, unit = int(count), unit.removesuffix("s")
        if unit in ("day", "week"):
            return day - pd.Timedelta(days=n * {"day": 1, "week": 7}[unit])
        return pd.Timestamp(day - pd.DateOffset(months=n * {"month": 1, "year": 12}[unit]))

    @property
    def amount(self) -> float:
        """The claimed value in dollars, as a fraction, or as it stands."""
        return float(self.value or 0.0) * {**DOLLARS, "percent": 0.01}.get(self.unit, 1.0)


class ClaimBook(Part):
    """The claims of a study, with the articles and baskets that they name.

    Attributes
    ----------
    claims : tuple of ClaimPart
        In the order of the file.
    articles : dict of ArticlePart
        By the key that claims use.
    baskets : dict of BasketPart
        By the key that claims use.
    file : str or None
        The file's name in the study's folder; None if the claims stand in the study file.
    """

    claims: tuple[ClaimPart, ...] = ()
    articles: dict[str, ArticlePart] = Field(default_factory=dict)
    baskets: dict[str, BasketPart] = Field(default_factory=dict)
    file: str | None = None
