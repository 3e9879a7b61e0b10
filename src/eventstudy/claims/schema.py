"""What a claim may say: the keys of ``claims.toml``, and of ``[[claims]]`` in a study file."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    Strict,
    ValidationError,
    field_validator,
    model_validator,
)

from eventstudy.claims.ruling import AMOUNT_WORDS, COUNT_WORDS, MOVE_WORDS, RANK_WORDS, Wording
from eventstudy.errors import DataMissing, StudyFileError
from eventstudy.files import check_inside, read_toml
from eventstudy.toml import Part, WindowField
from eventstudy.wording import did_you_mean

Kind = Literal[
    "direction", "impact", "size", "market_value", "basket_value", "rank", "count", "period", "level", "no_change", "date", "not_testable",
]  # fmt: skip
Unit = Literal["", "percent", "dollars", "million", "billion", "trillion", "rank", "names", "days", "sessions", "weeks"]

#: No quotation is longer, in words: a claim is quoted, an article is not copied.
MAX_WORDS = 25
#: What an amount of money is in, in dollars.
DOLLARS = {"dollars": 1.0, "million": 1e6, "billion": 1e9, "trillion": 1e12}
#: By kind: what a value without a unit is in. Other kinds need no unit, or ask for one.
USUAL_UNIT: dict[str, Unit] = {"size": "percent", "period": "percent", "count": "names"}
_WEEKDAYS = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

#: By kind: words that it may say, keys that it needs, keys that it may have, units, wordings.
_FELL_ROSE = ("fell", "rose")
_LOST_GAINED = ("lost", "gained")
_DAYS = ("window", "from", "to", "date")
_RULES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "direction": (_FELL_ROSE, ("assets", "says"), (*_DAYS, "wording"), (), MOVE_WORDS),
    "impact": (_FELL_ROSE, ("assets", "says"), (*_DAYS, "wording"), (), MOVE_WORDS),
    "size": (_FELL_ROSE, ("assets", "says", "value"), (*_DAYS, "unit", "wording", "measure"), ("percent",), AMOUNT_WORDS),
    "market_value": (_LOST_GAINED, ("assets", "says", "value"), (*_DAYS, "unit", "wording", "shares_billion"), tuple(DOLLARS), AMOUNT_WORDS),
    "basket_value": (_LOST_GAINED, ("baskets", "says", "value"), (*_DAYS, "windows", "unit", "wording", "sums"), tuple(DOLLARS), AMOUNT_WORDS),
    "rank": (
        (*_FELL_ROSE, *_LOST_GAINED),
        ("assets", "says"),
        (*_DAYS, "value", "unit", "wording", "measure", "among", "baskets", "since"),
        ("rank",),
        RANK_WORDS,
    ),
    "count": (
        _FELL_ROSE,
        ("says",),
        (*_DAYS, "assets", "baskets", "value", "unit", "wording"),
        ("names", "percent"),
        (*AMOUNT_WORDS, *COUNT_WORDS),
    ),
    "period": (_FELL_ROSE, ("assets", "says", "from", "to"), ("value", "unit", "wording"), ("percent",), (*AMOUNT_WORDS, *MOVE_WORDS[1:])),
    "level": ((), ("assets", "value", "date"), ("unit", "wording"), ("dollars",), AMOUNT_WORDS),
    "no_change": (("no change",), ("assets",), (*_DAYS, "says"), (), ("",)),
    "date": (
        (),
        ("date",),
        ("weekday", "session", "first_session", "after", "value", "unit", "timeline", "wording"),
        ("days", "sessions", "weeks"),
        AMOUNT_WORDS,
    ),
    "not_testable": ((), ("reason", "needs"), ("assets", *_DAYS, "value", "unit", "wording", "says"), (), ()),
}  # fmt: skip
#: Keys that belong to the quotation, not to the computation.
_ALWAYS = ("id", "quote", "article", "source", "kind", "remark")


def _iso(value: object) -> object:
    """Read a day that TOML gives as a date of its own, without quotation marks."""
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def _day(value: str) -> str:
    try:
        day = pd.to_datetime(value, format="%Y-%m-%d")
    except ValueError:
        raise ValueError(f"{value!r} is not a day; write it like 2025-01-27") from None
    if not 1900 <= day.year <= 2200:
        raise ValueError(f"{value!r} is not a day between 1900 and 2200")
    return f"{day:%Y-%m-%d}"


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
    kind: Kind
    assets: tuple[str, ...] = ()
    baskets: tuple[str, ...] = ()
    says: Literal["fell", "rose", "lost", "gained", "no change", ""] = ""
    window: WindowField | None = None
    windows: tuple[WindowField, ...] = ()
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None
    date: Day | None = None
    value: Number | None = None
    unit: Unit = ""
    wording: Wording = ""
    measure: Literal["raw", "abnormal", "dollars", "percent", ""] = ""
    sums: tuple[Literal["gross", "net"], ...] = ("gross", "net")
    shares_billion: Annotated[tuple[Number, Number] | None, BeforeValidator(_two)] = None
    among: Literal["days", "firms", "firm-days"] = "firm-days"
    since: Day | None = None
    weekday: _WEEKDAYS | None = None
    session: Annotated[bool, Strict()] | None = None
    first_session: Day | None = None
    after: Day | None = None
    timeline: str = ""
    reason: str = ""
    needs: str = ""
    remark: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, given: object) -> object:
        """Read ``asset`` or ``ticker`` as ``assets``, ``basket`` as ``baskets``, ``billions`` as a value in billions, and a value in its kind's usual unit."""
        if not isinstance(given, dict):
            return given
        out = dict(given)
        for short, long in (("ticker", "assets"), ("asset", "assets"), ("basket", "baskets")):
            if short in out:
                if long in out:
                    raise ValueError(f"{short} and {long} were both given; keep one")
                out[long] = [out.pop(short)]
        if "billions" in out:
            if "value" in out or "unit" in out:
                raise ValueError("billions and value were both given; keep one")
            out |= {"value": out.pop("billions"), "unit": "billion"}
        usual = USUAL_UNIT.get(str(out.get("kind")))
        if usual and "value" in out and not out.get("unit"):
            out["unit"] = usual
        return out

    @field_validator("quote")
    @classmethod
    def _short_quote(cls, quote: str) -> str:
        if not quote.strip():
            raise ValueError("quote is empty; give the article's own words")
        if len(quote.split()) > MAX_WORDS:
            raise ValueError(f"quote has {len(quote.split())} words; quote at most {MAX_WORDS}")
        return quote

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ClaimPart:
        says, needed, allowed, units, words = _RULES[self.kind]
        given = {k.removesuffix("_") for k in self.model_fields_set}
        missing = [
            k for k in needed if k not in given or getattr(self, "from_" if k == "from" else k) in ((), "", None)
        ]
        if missing:
            raise ValueError(f"a claim of kind {self.kind} needs {', '.join(map(repr, missing))}")
        foreign = sorted(given - {*_ALWAYS, *needed, *allowed})
        if foreign:
            raise ValueError(
                f"a claim of kind {self.kind} has no {', '.join(foreign)}; it has {', '.join((*needed, *allowed))}"
            )
        if self.says and says and self.says not in says:
            raise ValueError(f"a claim of kind {self.kind} says {' or '.join(says)}, not {self.says!r}")
        if self.unit and units and self.unit not in units:
            raise ValueError(f"a claim of kind {self.kind} has the unit {' or '.join(units)}, not {self.unit!r}")
        if words and self.wording not in words:
            raise ValueError(
                f"a claim of kind {self.kind} has the wording {', '.join(w or 'none' for w in words)}, not {self.wording!r}"
            )
        self._check_days()
        self._check_kind()
        return self

    def _check_days(self) -> None:
        ways = [w for w in (self.window, self.windows or None, self.from_ or self.to, self.date) if w is not None]
        if len(ways) > 1:
            raise ValueError(
                "give the days once: window (relative days), from and to (calendar days), or date (one day)"
            )
        if (self.from_ is None) != (self.to is None):
            raise ValueError("from and to belong together; give both, or window")
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError(f"from ({self.from_}) is after to ({self.to}); swap them")

    def _check_kind(self) -> None:
        if self.kind in ("market_value", "basket_value") and not self.unit:
            raise ValueError(f"a claim of kind {self.kind} needs 'unit': {', '.join(DOLLARS)}")
        if self.kind == "market_value" and len(self.assets) != 1:
            raise ValueError("a claim of kind market_value is about one company; for several use basket_value")
        if self.kind == "count" and not self.assets and not self.baskets:
            raise ValueError("a claim of kind count needs 'assets' or 'baskets'")
        if self.kind == "count" and self.value is None and self.wording not in COUNT_WORDS:
            raise ValueError(f"a claim of kind count needs 'value', or a wording of {', '.join(COUNT_WORDS)}")
        measures = {"size": ("raw", "abnormal", ""), "rank": ("dollars", "percent", "")}.get(self.kind)
        if measures and self.measure not in measures:
            raise ValueError(
                f"a claim of kind {self.kind} has the measure {measures[0]} or {measures[1]}, not {self.measure!r}"
            )
        checks = (self.weekday, self.session, self.first_session, self.after, self.timeline or None)
        if self.kind == "date" and all(c is None for c in checks):
            raise ValueError(
                "a claim of kind date needs something to check: weekday, session, first_session, after with value, or timeline"
            )
        if self.after is not None and (self.value is None or not self.unit):
            raise ValueError("after needs 'value' and 'unit' (days, sessions or weeks): how long after that day")
        if self.shares_billion and self.shares_billion[0] > self.shares_billion[1]:
            raise ValueError("shares_billion is a pair from low to high")

    @property
    def amount(self) -> float:
        """The claimed value in dollars, as a fraction, or as it stands."""
        return float(self.value or 0.0) * {**DOLLARS, "percent": 0.01}.get(self.unit, 1.0)


# -- Claims read from a file of their own or from a study file; an error names the file, the claim, the key and wha


P = TypeVar("P", bound=Part)

#: Baskets that need no definition: the members of the panel, the firms of the study's events, and both.
BUILT_IN_BASKETS = ("sp500", "study", "all")
#: Short forms of keys, read beside the keys themselves.
_SHORT = ("asset", "ticker", "basket", "billions")


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


def claims_of(folder: Path, given: object) -> ClaimBook:
    """Return the claims that a study file names or holds.

    Parameters
    ----------
    folder : Path
        The study's folder.
    given : str, list of dict or ClaimBook
        The value of the key ``claims``: a file's name, or the tables of ``[[claims]]``.

    Raises
    ------
    StudyFileError
        If the file or a claim is wrong.
    DataMissing
        If the file is not there.
    """
    if isinstance(given, ClaimBook):
        return given
    if isinstance(given, str):
        check_inside(folder, "claims", given)
        return read_claims(folder / given)
    if not isinstance(given, list | tuple):
        raise StudyFileError(
            f"claims is {given!r}; give the name of a file such as 'claims.toml', or tables [[claims]]."
        )
    return _book("claims", {"claims": list(given)}, None)


def read_claims(path: str | Path) -> ClaimBook:
    """Read a file of claims.

    Parameters
    ----------
    path : path
        TOML with ``[[claims]]``, and ``[articles.KEY]`` and ``[baskets.KEY]`` for what they name.

    Raises
    ------
    DataMissing
        If there is no such file.
    StudyFileError
        If it is not TOML, a key is wrong, or a claim names an article or basket that is not there; names the file, the claim's id, the
        key and what is allowed.
    """
    file = Path(path)
    where = f"{file.parent.name}/{file.name}"
    if not file.is_file():
        raise DataMissing(f"{where} is missing; the study file names it as its claims.")
    content = read_toml(file, "a file of claims", error=StudyFileError)
    foreign = sorted(set(content) - {"articles", "baskets", "claims"})
    if foreign:
        raise StudyFileError(
            f"{where}: {', '.join(foreign)}: no such key; there are articles, baskets, claims."
            f"{did_you_mean(foreign, ('articles', 'baskets', 'claims'))}"
        )
    return _book(where, content, file.name)


def _book(where: str, content: dict[str, object], name: str | None) -> ClaimBook:
    articles = _tables(where, "articles", content.get("articles", {}), ArticlePart)
    baskets = _tables(where, "baskets", content.get("baskets", {}), BasketPart)
    listed = content.get("claims", [])
    if not isinstance(listed, list):
        raise StudyFileError(f"{where}: claims is {listed!r}; write each claim as a table [[claims]].")
    claims = tuple(_claim(where, place, table, needs_id=name is not None) for place, table in enumerate(listed))
    seen: set[str] = set()
    for claim in claims:
        here = f"{where}: claim {claim.id!r}"
        if claim.id in seen:
            raise StudyFileError(f"{here}: id: given twice; each claim needs an id of its own.")
        seen.add(claim.id)
        if name is not None and claim.article not in articles:
            raise StudyFileError(_unknown(here, "article", claim.article, articles))
        if not claim.article and not claim.source:
            raise StudyFileError(f"{here}: source: missing; say where the claim stands.")
        for basket in claim.baskets:
            if basket not in {*baskets, *BUILT_IN_BASKETS}:
                raise StudyFileError(_unknown(here, "baskets", basket, [*baskets, *BUILT_IN_BASKETS]))
    return ClaimBook(claims=claims, articles=articles, baskets=baskets, file=name)


def _unknown(here: str, key: str, word: str, known: object) -> str:
    names = sorted(known)  # type: ignore[call-overload]
    return f"{here}: {key}: there is no {word!r}; there are {', '.join(names) or 'none'}.{did_you_mean([word], names)}"


def _tables(where: str, key: str, given: object, part: type[P]) -> dict[str, P]:
    if not isinstance(given, dict):
        raise StudyFileError(f"{where}: {key} is {given!r}; write tables [{key}.KEY].")
    out = {}
    for name, table in given.items():
        if name in BUILT_IN_BASKETS:
            raise StudyFileError(f"{where}: {key}.{name}: this name is built in; choose another.")
        out[str(name)] = _read(f"{where}: {key}.{name}", table, part)
    return out


def _claim(where: str, place: int, table: object, *, needs_id: bool) -> ClaimPart:
    given = table.get("id") if isinstance(table, dict) else None
    here = (
        f"{where}: claim {given!r}"
        if given
        else f"{where}.{place}"
        if not needs_id
        else f"{where}: claim number {place + 1}"
    )
    claim = _read(here, table, ClaimPart)
    if needs_id and not claim.id:
        raise StudyFileError(f"{here}: id: missing; each claim needs a short name of its own.")
    return claim if claim.id else claim.model_copy(update={"id": f"claim {place + 1}"})


def _read(here: str, table: object, part: type[P]) -> P:
    if not isinstance(table, dict):
        raise StudyFileError(f"{here}: is {table!r}; it must be a table of keys.")
    try:
        return part(**{key: _clean(f"{here}: {key}", value) for key, value in table.items()})
    except ValidationError as error:
        raise StudyFileError("\n".join(_explain(here, item, part) for item in error.errors())) from error


def _clean(here: str, value: object) -> object:
    """Return a value with line breaks as spaces; refuse characters that would steer a terminal."""
    if isinstance(value, list):
        return [_clean(here, v) for v in value]
    if not isinstance(value, str):
        return value
    text = re.sub(r"[\n\r\t]+", " ", value)
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise StudyFileError(f"{here}: {text!r} has a control character; remove it.")
    return text


def _explain(here: str, item: object, part: type[BaseModel]) -> str:
    """Say of one error which key it is about, what was given and what is allowed."""
    assert isinstance(item, dict)
    key = ".".join(str(p) for p in item["loc"])
    kind, given = item["type"], item["input"]
    shown = f" (given: {given!r})" if isinstance(given, str | int | float) else ""
    problem = str(item["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        problem, shown = "missing; this key is needed", ""
    elif kind == "extra_forbidden":
        known = [f.alias or name for name, f in part.model_fields.items()]
        known += _SHORT if part is ClaimPart else ()
        problem, shown = f"no such key; there are {', '.join(known)}.{did_you_mean([key], known)}", ""
    elif kind == "literal_error":
        allowed = [w for w in re.findall(r"'([^']*)'", str(item.get("ctx", {}).get("expected", ""))) if w]
        problem = f"is {given!r}; allowed: {', '.join(allowed)}.{did_you_mean([str(given)], allowed)}"
        shown = ""
    return ": ".join(part for part in (here, key, f"{problem}{shown}") if part)
