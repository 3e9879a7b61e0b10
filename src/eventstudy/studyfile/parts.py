"""The parts of a study file: their keys, and what each may say."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationError, field_validator, model_validator

from eventstudy import estimation as m
from eventstudy.calendars import AUTO, ClosedDay
from eventstudy.errors import StudyFileError
from eventstudy.estimation import NormalReturnModel
from eventstudy.estimation.market import FACTOR_SETS
from eventstudy.fields import Line, Part, WindowField, one_of, problem_text, window_of
from eventstudy.measures import Measure
from eventstudy.prices.checks.accept import check_accept
from eventstudy.prices.table import EMBEDDED, SNAPSHOT, YAHOO, ReturnKind
from eventstudy.study.run import Gaps
from eventstudy.windows import Window
from eventstudy.written_days import number_of_days


@dataclass(frozen=True, slots=True)
class ModelWord:
    """A model of normal returns by the word of study files: what makes it, from which keys, in the order of its arguments."""

    make: Callable[..., NormalReturnModel]
    keys: tuple[str, ...] = ()


#: Models by the word used in study files; each key is a field of `ModelChoice`.
MODELS: dict[str, ModelWord] = {
    "market_model": ModelWord(m.MarketModel, ("benchmark",)),
    "market_adjusted": ModelWord(m.MarketAdjusted, ("benchmark",)),
    "mean_adjusted": ModelWord(m.MeanAdjusted),
    **{name: ModelWord(partial(m.FactorModel.named, name)) for name in FACTOR_SETS},
    "factors": ModelWord(m.FactorModel, ("factors", "risk_free")),
    "peer_portfolio": ModelWord(m.PeerPortfolio, ("peers",)),
    "buy_and_hold": ModelWord(m.BuyAndHold, ("peers",)),
    "scholes_williams": ModelWord(m.ScholesWilliams, ("benchmark",)),
    "dimson": ModelWord(m.Dimson, ("benchmark", "leads", "lags")),
    "trade_to_trade": ModelWord(m.TradeToTrade, ("benchmark",)),
    "robust": ModelWord(m.RobustMarketModel, ("benchmark", "norm")),
    "garch": ModelWord(partial(m.GarchMarketModel, kind="garch"), ("benchmark",)),
    "egarch": ModelWord(partial(m.GarchMarketModel, kind="egarch"), ("benchmark",)),
    "hac": ModelWord(m.HacMarketModel, ("benchmark",)),
}


#: No report shows more windows.
MAX_WINDOWS = 200


def _windows(value: object) -> object:
    """Refuse two days where windows are listed, one window or two?, and more windows than anybody reads."""
    if isinstance(value, list | tuple) and len(value) > MAX_WINDOWS:
        raise ValueError(f"lists {len(value):,} windows; give at most {MAX_WINDOWS}")
    if isinstance(value, list) and len(value) == 2 and all(isinstance(day, int) for day in value):
        first, last = value
        raise ValueError(
            f"[{first}, {last}] is no list of windows; write [[{first}, {last}]], or [[{first}, {first}], [{last}, {last}]]"
        )
    return value


def _event_window(value: object) -> Window:
    return Window.around(value) if isinstance(value, int) else window_of(value)


def _moment(value: object) -> object:
    if isinstance(value, str | datetime):
        return value
    raise ValueError(f"{value!r} is not a moment; write one with its zone, such as 2026-12-01T06:00-05:00")


def _has_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("has no time zone; add one, such as 2026-12-01T06:00-05:00, or Z for UTC")
    return moment


def _named_exchange(code: str) -> str:
    if code == AUTO:
        raise ValueError("'auto' needs prices to recognise an exchange by; name one, such as XNYS, XLON or 24/7")
    return code


#: A moment with its zone.
Moment = Annotated[datetime, AfterValidator(_has_zone), BeforeValidator(_moment)]
#: What ``[parameters]`` may hold.
Parameter = bool | int | float | str | list[bool | int | float | str]


def _variables(parameters: dict[str, Parameter]) -> dict[str, Parameter]:
    """Refuse parameters that are no Python names, or that the build sets itself."""
    for name in parameters:
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise ValueError(f"{name!r} is no name of a Python variable; use letters, digits and _")
        if name == "STUDY":
            raise ValueError("STUDY is set by the build, to the study's folder; use another name")
    return parameters


def _pages(notebooks: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse two notebooks whose pages would have the same name."""
    seen: dict[str, str] = {}
    for name in notebooks:
        stem = Path(name).stem
        if stem in seen:
            raise ValueError(f"{seen[stem]!r} and {name!r} would both become {stem}.html; rename one")
        seen[stem] = name
    return notebooks


#: Variables that notebooks are given, by name.
Parameters = Annotated[dict[str, Parameter], AfterValidator(_variables)]
#: File names of notebooks.
Notebooks = Annotated[tuple[str, ...], AfterValidator(_pages)]


def _days(given: object) -> object:
    return given if given is None else number_of_days(given)


class ModelChoice(Part):
    """Which model of normal returns, and what it needs; a key that the model does not use is refused."""

    kind: Annotated[str, one_of(MODELS)] = "market_model"
    benchmark: str = "^GSPC"
    factors: tuple[str, ...] = ()
    risk_free: str | None = None
    peers: tuple[str, ...] = ()
    leads: Annotated[int, Strict()] = 1
    lags: Annotated[int, Strict()] = 1
    norm: Literal["huber", "tukey", "lad"] = "huber"

    @model_validator(mode="after")
    def _keys_fit_the_kind(self) -> ModelChoice:
        keys = MODELS[self.kind].keys
        foreign = sorted((self.model_fields_set & set(ModelChoice.model_fields)) - {"kind", *keys})
        if foreign:
            users = [word for word, model in MODELS.items() if foreign[0] in model.keys]
            raise ValueError(
                f"the model {self.kind} has no {', '.join(foreign)}; {foreign[0]} belongs to {', '.join(users)}"
            )
        for key in keys:
            if getattr(self, key) == ():
                raise ValueError(f"the model {self.kind} needs the key {key!r}, a list of tickers or columns")
        return self

    def build(self) -> NormalReturnModel:
        """Return the model of normal returns that the keys name."""
        model = MODELS[self.kind]
        return model.make(*(getattr(self, key) for key in model.keys))


class ModelPart(ModelChoice):
    """``[model]``: normal returns, windows and rules."""

    estimation: WindowField = Window(-270, -21)
    window: Annotated[Window, BeforeValidator(_event_window)] = Window(-5, 5)
    report: Annotated[tuple[WindowField, ...], BeforeValidator(_windows)] = (Window(0, 0), Window(0, 1))
    returns: ReturnKind = "simple"
    closed_day: ClosedDay = "next"
    calendar: Annotated[str, AfterValidator(_named_exchange)] = "XNYS"
    min_estimation: Annotated[int, Strict()] = 30
    max_dropped: Annotated[float, Strict()] = 0.35
    measure: Measure = "return"
    gaps: Gaps = "void"

    @model_validator(mode="after")
    def _report_windows_inside(self) -> ModelPart:
        outside = [str(w) for w in self.report if w not in self.window]
        if outside:
            raise ValueError(f"report windows {', '.join(outside)} are not inside the event window {self.window}")
        return self


class PricesPart(Part):
    """``[prices]``: where prices come from; ``yahoo`` is the newest stored vintage, or the one that ``vintage`` names.

    ``source`` may also be a file of the study's folder, a list of them, or a table that names the share of each:
    ``source = {"7203" = "7203.csv"}``; ``encoding`` is that of texts which are not UTF-8.

    ``currency``, such as ``"EUR"``, is that of the shares in files which do not name it; amounts of money are in it.

    ``max_age``, such as ``"7d"``, is how old the newest vintage, or a later download that equalled it, may be if a fetch fails and the report is
    built without it.

    ``[prices.accept]`` says by name which errors of the prices do no harm, and why.
    ``factors`` names files of the French data library; without it the embedded factors are taken.
    """

    source: str | list[str] | dict[str, str] = SNAPSHOT
    encoding: str | None = None
    currency: Annotated[str | None, Field(pattern=r"^[A-Za-z]{3}$")] = None
    vintage: str | None = None
    start: str | None = None
    end: str | None = None
    max_age: Annotated[int | None, BeforeValidator(_days)] = None
    accept: Annotated[dict[str, str], AfterValidator(check_accept)] = Field(default_factory=dict)
    factors: tuple[str, ...] = ()

    @property
    def downloaded(self) -> bool:
        """Whether prices are stored vintages of downloads."""
        return self.source == YAHOO

    @property
    def newest(self) -> bool:
        """Whether each new vintage takes the place of the one before."""
        return self.downloaded and self.vintage is None

    @property
    def words(self) -> str:
        """Where prices come from, in words."""
        return f"the vintage {self.vintage}" if self.vintage else repr(self.source)

    @property
    def files(self) -> tuple[str, ...]:
        """The study's own price files, if its prices are neither embedded nor downloaded."""
        if isinstance(self.source, str):
            return () if self.source in (*EMBEDDED, YAHOO) else (self.source,)
        return tuple(self.source.values() if isinstance(self.source, dict) else self.source)

    @field_validator("factors", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _an_age_is_of_downloads(self) -> PricesPart:
        if self.max_age is not None and not self.newest:
            raise ValueError('max_age is for source = "yahoo" without a vintage; remove it, other prices do not change')
        return self

    @model_validator(mode="after")
    def _a_currency_is_of_files(self) -> PricesPart:
        if self.currency is not None and not self.files:
            raise ValueError(
                f"currency is {self.currency!r}, but embedded and downloaded prices name theirs; remove currency"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _a_vintage_is_of_yahoo(cls, given: object) -> object:
        if not isinstance(given, dict) or given.get("vintage") is None:
            return given
        if given.get("source", YAHOO) != YAHOO:
            raise ValueError(
                f'vintage is {given["vintage"]!r}, but source is {given["source"]!r}; only source = "yahoo" has vintages: '
                f"write that, or remove vintage"
            )
        return {**given, "source": YAHOO}


class OtherDay(Part):
    """``[[other_days]]``: the headline stocks on another day."""

    date: str
    label: Line
    window: WindowField = Window(0, 0)


class Variant(ModelChoice):
    """``[[robustness]]``: the same question asked with another model or benchmark."""

    estimation: WindowField | None = None
    label: Line = ""


class PublishPart(Part):
    """``[publish]``: where finished versions of the report go.

    ``folder`` is relative to the study's folder and may lead out of it; ``auto`` publishes with every build.
    """

    folder: str = Field(min_length=1)
    auto: Annotated[bool, Strict()] = False


class OrdinaryPart(Part):
    """``[ordinary_days]``: the study's day among all other days of its prices, firm by firm and by the groups of its events.

    The report is then about the day, not about each event: how unusual it was. ``groups`` is what the groups are called.
    """

    groups: Line = "groups"


class UniversePart(Part):
    """``[universe]``: the whole market on the event day."""

    panel: Literal["sp500"] = "sp500"
    marked: tuple[str, ...] = ()


def explain(file: Path, error: ValidationError, study_keys: Sequence[str]) -> str:
    """Say for each wrong key what was given and what is allowed."""
    lines = []
    for item in error.errors():
        cause = item.get("ctx", {}).get("error")
        if (
            isinstance(cause, StudyFileError) and "file" in cause.facts
        ):  # it names the file beside this one that is wrong
            lines.append(cause.message)
            continue
        key = ".".join(str(part) for part in item["loc"])
        known = _keys(item["loc"][:-1], study_keys)
        problem = problem_text(item, known, missing="the study file must have this key")
        lines.append(": ".join(filter(None, (str(file), key, problem))))
    return "\n".join(lines)


def _keys(place: tuple[int | str, ...], study_keys: Sequence[str]) -> Sequence[str]:
    """Return the keys allowed at a place of the study file."""
    parts: dict[str, type[Part]] = {
        "model": ModelPart,
        "prices": PricesPart,
        "other_days": OtherDay,
        "robustness": Variant,
        "universe": UniversePart,
        "ordinary_days": OrdinaryPart,
        "publish": PublishPart,
    }
    return list(parts[str(place[0])].model_fields) if place and str(place[0]) in parts else study_keys
