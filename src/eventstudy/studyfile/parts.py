"""The parts of a study file: their keys, and what each may say."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    Strict,
    ValidationError,
    field_validator,
    model_validator,
)

from eventstudy.calendars import ClosedDay
from eventstudy.estimation import models as m
from eventstudy.estimation.market import FACTOR_SETS
from eventstudy.estimation.models import NormalReturnModel
from eventstudy.measures import Measure
from eventstudy.prices.checks.finding import check_accept
from eventstudy.prices.table import SNAPSHOT, YAHOO, ReturnKind
from eventstudy.toml import Part, WindowField, window_of
from eventstudy.windows import Window
from eventstudy.wording import did_you_mean

ModelName = Literal[
    "market_model", "market_adjusted", "mean_adjusted", "capm", "fama_french3", "carhart", "fama_french5", "fama_french6",
    "factors", "peer_portfolio", "buy_and_hold", "scholes_williams", "dimson", "trade_to_trade", "robust", "garch", "egarch", "hac",
]  # fmt: skip

#: Models by the word used in study files.
MODELS: dict[str, Callable[[ModelChoice], NormalReturnModel]] = {
    "market_model": lambda c: m.MarketModel(c.benchmark),
    "market_adjusted": lambda c: m.MarketAdjusted(c.benchmark),
    "mean_adjusted": lambda _: m.MeanAdjusted(),
    **dict.fromkeys(FACTOR_SETS, lambda c: m.FactorModel.named(c.kind)),
    "factors": lambda c: m.FactorModel(c.factors, c.risk_free),
    "peer_portfolio": lambda c: m.PeerPortfolio(c.peers),
    "buy_and_hold": lambda c: m.BuyAndHold(c.peers),
    "scholes_williams": lambda c: m.ScholesWilliams(c.benchmark),
    "dimson": lambda c: m.Dimson(c.benchmark, c.leads, c.lags),
    "trade_to_trade": lambda c: m.TradeToTrade(c.benchmark),
    "robust": lambda c: m.RobustMarketModel(c.benchmark, c.norm),
    "garch": lambda c: m.GarchMarketModel(c.benchmark, "garch"),
    "egarch": lambda c: m.GarchMarketModel(c.benchmark, "egarch"),
    "hac": lambda c: m.HacMarketModel(c.benchmark),
}
#: Keys that belong to some models only.
_USED_BY = {
    "benchmark": tuple(
        k for k in MODELS if k not in (*FACTOR_SETS, "mean_adjusted", "factors", "peer_portfolio", "buy_and_hold")
    ),
    "factors": ("factors",),
    "risk_free": ("factors",),
    "peers": ("peer_portfolio", "buy_and_hold"),
    "leads": ("dimson",),
    "lags": ("dimson",),
    "norm": ("robust",),
}


def _event_window(value: object) -> Window:
    return Window.around(value) if isinstance(value, int) else window_of(value)


def _moment(value: object) -> object:
    if isinstance(value, str | datetime):
        return value
    raise ValueError(f"{value!r} is not a moment; write one with its zone, such as 2026-12-01T06:00-05:00")


#: A moment with its zone.
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
#: What ``[parameters]`` may hold.
Parameter = bool | int | float | str | list[bool | int | float | str]


class ModelChoice(Part):
    """Which model of normal returns, and what it needs; a key that the model does not use is refused."""

    kind: ModelName = "market_model"
    benchmark: str = "^GSPC"
    factors: tuple[str, ...] = ()
    risk_free: str | None = None
    peers: tuple[str, ...] = ()
    leads: Annotated[int, Strict()] = 1
    lags: Annotated[int, Strict()] = 1
    norm: Literal["huber", "tukey", "lad"] = "huber"

    @model_validator(mode="after")
    def _keys_fit_the_kind(self) -> ModelChoice:
        given = self.model_fields_set & set(_USED_BY)
        foreign = sorted(k for k in given if self.kind not in _USED_BY[k])
        if foreign:
            raise ValueError(
                f"the model {self.kind} has no {', '.join(foreign)}; {foreign[0]} belongs to {', '.join(_USED_BY[foreign[0]])}"
            )
        needed = {"factors": "factors", "peer_portfolio": "peers", "buy_and_hold": "peers"}.get(self.kind)
        if needed and not getattr(self, needed):
            raise ValueError(f"the model {self.kind} needs the key {needed!r}, a list of tickers or columns")
        return self

    def build(self) -> NormalReturnModel:
        """Return the model of normal returns that the keys name."""
        return MODELS[self.kind](self)


class ModelPart(ModelChoice):
    """``[model]``: normal returns, windows and rules."""

    estimation: WindowField = Window(-270, -21)
    window: Annotated[Window, BeforeValidator(_event_window)] = Window(-5, 5)
    report: tuple[WindowField, ...] = (Window(0, 0), Window(0, 1))
    returns: ReturnKind = "simple"
    closed_day: ClosedDay = "next"
    calendar: str = "XNYS"
    min_estimation: Annotated[int, Strict()] = 30
    max_dropped: Annotated[float, Strict()] = 0.35
    measure: Measure = "return"

    @model_validator(mode="after")
    def _report_windows_inside(self) -> ModelPart:
        outside = [str(w) for w in self.report if w not in self.window]
        if outside:
            raise ValueError(f"report windows {', '.join(outside)} are not inside the event window {self.window}")
        return self


class PricesPart(Part):
    """``[prices]``: where prices come from; ``yahoo`` is the newest stored vintage, or the one that ``vintage`` names.

    ``[prices.accept]`` says by name which errors of the prices do no harm, and why.
    ``factors`` names files of the French data library; without it the embedded factors are taken.
    """

    source: str = SNAPSHOT
    vintage: str | None = None
    start: str | None = None
    end: str | None = None
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
    def file(self) -> str | None:
        """The study's own price file, if its prices are neither embedded nor downloaded."""
        return None if self.source in (SNAPSHOT, YAHOO) else self.source

    @field_validator("factors", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

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
    label: str
    window: WindowField = Window(0, 0)


class Variant(ModelChoice):
    """``[[robustness]]``: the same question asked with another model or benchmark."""

    estimation: WindowField | None = None
    label: str = ""


class PublishPart(Part):
    """``[publish]``: where finished versions of the report go.

    ``folder`` is relative to the study's folder and may lead out of it; ``auto`` publishes with every build.
    """

    folder: str = Field(min_length=1)
    auto: Annotated[bool, Strict()] = False


class UniversePart(Part):
    """``[universe]``: the whole market on the event day."""

    panel: Literal["sp500"] = "sp500"
    marked: tuple[str, ...] = ()


class _Asks(Protocol):
    """The parts of a study file that name benchmarks."""

    @property
    def model(self) -> ModelPart: ...
    @property
    def robustness(self) -> tuple[Variant, ...]: ...


def asked_by(missing: object, study: _Asks) -> str:
    """Say which table of a study file asks for prices that are missing; empty if the events do."""
    wanted = set(missing) if isinstance(missing, tuple) else set()
    tables = [("[model]", study.model.build())]
    tables += [(f"[[robustness]] {v.label!r}" if v.label else "[[robustness]]", v.build()) for v in study.robustness]
    said = [
        f"{table} asks for {', '.join(own)}" for table, model in tables if (own := sorted(wanted & {*model.columns}))
    ]
    return f" In the study file {'; '.join(said)}." if said else ""


def explain(file: Path, error: ValidationError, study_keys: Sequence[str]) -> str:
    """Say for each wrong key what was given and what is allowed."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        given = f" (given: {item['input']!r})" if isinstance(item["input"], str | int | float) else ""
        problem = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            problem, given = "the study file must have this key", ""
        elif item["type"] == "extra_forbidden":
            known = _keys(item["loc"][:-1], study_keys)
            problem, given = (
                f"no such key; there are {', '.join(known)}.{did_you_mean([str(item['loc'][-1])], known)}",
                "",
            )
        elif item["type"] == "timezone_aware":
            problem = "has no time zone; add one, such as 2026-12-01T06:00-05:00, or Z for UTC"
        elif item["type"] == "literal_error":
            allowed = re.findall(r"'([^']*)'", str(item.get("ctx", {}).get("expected", "")))
            given += (
                f".{did_you_mean([str(item['input'])], allowed)}" if did_you_mean([str(item["input"])], allowed) else ""
            )
        if not key and problem.startswith(f"{file.resolve().parent.name}/"):
            lines.append(problem)  # it names the file beside this one that is wrong
            continue
        lines.append(": ".join([str(file), *([key] if key else []), f"{problem}{given}"]))
    return "\n".join(lines)


def _keys(place: tuple[int | str, ...], study_keys: Sequence[str]) -> Sequence[str]:
    """Return the keys allowed at a place of the study file."""
    parts: dict[str, type[BaseModel]] = {
        "model": ModelPart,
        "prices": PricesPart,
        "other_days": OtherDay,
        "robustness": Variant,
        "universe": UniversePart,
        "publish": PublishPart,
    }
    return list(parts[str(place[0])].model_fields) if place and str(place[0]) in parts else study_keys
