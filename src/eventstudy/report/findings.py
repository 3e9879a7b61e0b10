"""Everything that a report says, computed once from the study file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.calendars import DEFAULT_EXCHANGE
from eventstudy.claims import ClaimsLedger
from eventstudy.errors import DataUnfit, StudyFileError
from eventstudy.events import Event
from eventstudy.files import read_table
from eventstudy.inference.advice import variance_ratio
from eventstudy.inference.correlation import mean_correlation
from eventstudy.inference.market_value import MarketValueChange
from eventstudy.prices.checks.finding import SEVERITIES, Finding
from eventstudy.prices.snapshot import load_universe
from eventstudy.prices.table import Prices
from eventstudy.study.ordinary import OrdinaryDays, ordinary_days
from eventstudy.study.results import EventStudyResult
from eventstudy.study.tables import shown_caar, shown_cars
from eventstudy.studyfile.parts import OtherDay, Variant
from eventstudy.studyfile.spec import StudySpec
from eventstudy.windows import Window
from eventstudy.wording import iso_day


@dataclass(frozen=True, eq=False, repr=False)
class Findings:
    """The computed content of a report."""

    spec: StudySpec
    #: The prices it was run on.
    prices: Prices
    everyone: EventStudyResult
    headline: EventStudyResult
    #: Pairs of `OtherDay` and its result.
    other_days: tuple[tuple[OtherDay, EventStudyResult], ...]
    #: Pairs of `Variant` and its result on the headline events.
    variants: tuple[tuple[Variant, EventStudyResult], ...]
    #: The whole market on the event day.
    universe: EventStudyResult | None
    #: Event-day changes of market value of all events; empty without closes as traded.
    dollars: tuple[MarketValueChange, ...]
    claims: ClaimsLedger
    #: Columns date, session, what, confound; what else happened.
    timeline: pd.DataFrame
    #: The day among ordinary days, if the report is about the day.
    ordinary: OrdinaryDays | None = None


def compute(spec: StudySpec) -> Findings:
    """Run everything that a study file asks for."""
    if spec.model.measure != "return":
        raise StudyFileError(
            f"{spec.path.name}: model.measure is {spec.model.measure!r}; a report is made of returns. 'eventstudy run {spec.name}' prints a "
            f"study of {spec.model.measure}."
        )
    prices = spec.load_prices()
    events = spec.event_list()
    tickers = spec.headline_tickers()
    focus = [e for e in events if e.ticker in tickers]
    study = spec.build_study()
    factors = spec.factors()
    headline = study.run(prices, focus, factors)
    everyone = study.run(prices, events, factors) if len(focus) != len(events) else headline
    return Findings(
        spec=spec,
        prices=prices,
        everyone=everyone,
        headline=headline,
        other_days=tuple((day, _on_day(spec, prices, day)) for day in spec.other_days),
        variants=tuple((v, spec.build_study(v).run(prices, focus, factors)) for v in spec.robustness),
        universe=_universe(spec, prices, headline),
        dollars=_dollars(everyone),
        claims=spec.claims_ledger(everyone),
        timeline=_timeline(spec),
        ordinary=_ordinary(spec, everyone, factors),
    )


def _on_day(spec: StudySpec, prices: Prices, day: OtherDay) -> EventStudyResult:
    events = [Event(t, day.date, day.label) for t in spec.headline_tickers()]
    return spec.build_study().run(prices, events, spec.factors())


def _universe(spec: StudySpec, prices: Prices, headline: EventStudyResult) -> EventStudyResult | None:
    """Run every member of the panel on the headline's session, against the study's benchmark."""
    if spec.universe is None:
        return None
    panel = load_universe()
    session = iso_day(headline.panel.sessions[0])
    joined = panel.adj_close
    needed = [c for c in headline.model.columns if c not in joined.columns and c in prices.tickers]
    joined = joined.assign(**{c: prices.adj_close[c].reindex(joined.index) for c in needed})
    members = [t for t in panel.adj_close.columns if t != headline.model.benchmark]
    table = Prices.from_frame(joined, provenance=panel.provenance)
    return spec.build_study().run(table, [Event(t, session) for t in members], spec.factors())


def _ordinary(spec: StudySpec, everyone: EventStudyResult, factors: pd.DataFrame | None) -> OrdinaryDays | None:
    """Put the study's day among all other days of its prices, if it asks for that."""
    if spec.ordinary_days is None or everyone.prices is None:
        return None
    try:
        return ordinary_days(spec.build_study(), everyone.prices, everyone, factors)
    except DataUnfit as error:
        raise StudyFileError(f"{spec.path.name}: [ordinary_days]: {error.message}") from error


def _dollars(result: EventStudyResult) -> tuple[MarketValueChange, ...]:
    if result.prices is None or result.prices.close is None:
        return ()
    return result.value_changes(Window(0, 0))


def _timeline(spec: StudySpec) -> pd.DataFrame:
    """Read what else happened; ``session`` is the first session in which it could be traded on."""
    if spec.timeline is None:
        return pd.DataFrame({"date": [], "session": [], "what": [], "confound": []})
    table = read_table(spec.folder / spec.timeline)
    missing = {"date", "what"} - set(table.columns)
    if missing:
        raise StudyFileError(f"{spec.timeline}: the column {', '.join(sorted(missing))} is missing.")
    table = table.assign(
        session=table.get("session", table["date"]).fillna(table["date"]),
        confound=table.get("confound", pd.Series("", index=table.index)).fillna(""),
    )
    try:
        pd.to_datetime(table["session"], format="%Y-%m-%d")
    except ValueError as error:
        raise StudyFileError(f"{spec.timeline}: a date is not like 2025-01-27: {error}.") from error
    return table


def happenings(findings: Findings, window: Window) -> Sequence[tuple[str, str]]:
    """Return what else the market learned in a window of the headline events: pairs of day and text.

    Only rows marked as confounding, and only if the headline events share one session.
    """
    panel, table = findings.headline.panel, findings.timeline
    if table.empty or not findings.headline.when():
        return []
    place = int(panel.position[0])
    days = panel.calendar[[place + window.start, place + window.end]]
    session = pd.to_datetime(table["session"])
    inside = (session >= days[0]) & (session <= days[1]) & (table["confound"] != "")
    chosen = table[inside].sort_values("session", kind="stable")
    return [
        (date if date == first else f"{date} (first session {first})", what)
        for date, first, what in zip(chosen["date"], chosen["session"], chosen["what"], strict=True)
    ]


def window_days(spec: StudySpec, prices: Prices) -> dict[str, tuple[pd.Timestamp, ...]]:
    """Return the days of the event windows, per ticker of an event and per benchmark of the study's model."""
    study, days = spec.build_study(), prices.dates
    ahead, behind = spec.model.window.start, spec.model.window.end
    benchmarks = [c for c in study.model.columns if c in prices.tickers]
    found: dict[str, set[int]] = {}
    for event in spec.event_list():
        session = event.first_session(study.calendar or DEFAULT_EXCHANGE, study.closed_day)
        if session is None or session > days[-1]:
            continue
        place = int(np.searchsorted(days.to_numpy(), session.to_datetime64()))
        window = range(max(place + ahead, 0), min(place + behind + 1, len(days)))
        for ticker in (event.ticker, *benchmarks):
            found.setdefault(ticker, set()).update(window)
    return {ticker: tuple(days[i] for i in sorted(places)) for ticker, places in found.items()}


@dataclass(frozen=True, slots=True)
class DataCheck:
    """What a check of prices found, and in words of which prices if they are not the study's."""

    where: str
    finding: Finding

    @property
    def is_note(self) -> bool:
        """Whether it is a note, which needs no eye."""
        return self.finding.severity == "note"

    @property
    def seriousness(self) -> int:
        """How serious it is, from zero."""
        return SEVERITIES.index(self.finding.severity)

    def __str__(self) -> str:
        return f"{self.where}{self.finding}"


def data_checks(f: Findings) -> tuple[DataCheck, ...]:
    """Return what the checks of prices found in all runs of the study, each once, the most serious first."""
    runs = (f.everyone, f.headline, *(r for _, r in f.other_days), *(r for _, r in f.variants))
    seen = {p.check for r in runs for p in r.findings if not p.idle}
    found = [DataCheck("", p) for r in runs for p in r.findings if not p.idle or p.check not in seen]
    if f.universe is not None:
        found += [DataCheck("S&P 500 panel, ", p) for p in f.universe.findings if not p.idle]
    worst: dict[tuple[object, ...], DataCheck] = {}
    for check in found:
        key = (check.where, check.finding.check, check.finding.tickers, check.finding.value)
        if key not in worst or check.seriousness > worst[key].seriousness:
            worst[key] = check
    return tuple(sorted(worst.values(), key=lambda check: -check.seriousness))


# -- The numbers of two sentences: all events of a study together, and the whole market on their day.


#: Standard errors beyond which an event is far out.
FAR = 3.0
_DAY = Window(0, 0)


@dataclass(frozen=True, slots=True)
class JointResult:
    """All events of a study on the event day."""

    mean: float
    #: Variance of the standardised abnormal returns across events, relative to an estimation day's.
    variance_ratio: float
    #: Events more than `FAR` standard errors below and above zero.
    far_down: int
    far_up: int
    #: Mean correlation of all pairs' residuals in calendar time.
    mean_correlation: float


@dataclass(frozen=True, slots=True)
class MarketDay:
    """The members of the panel on the event day."""

    #: Members with prices, and how many of them rose.
    members: int
    rose: int
    #: Return of the benchmark; NaN without one.
    index: float
    median: float
    lowest: float
    lowest_ticker: str
    #: Headline tickers among the members, and their abnormal returns less the median.
    beside: tuple[tuple[str, float], ...]


def joint_result(f: Findings) -> JointResult | None:
    """Return the numbers of all events together; None for one event."""
    ab = f.everyone.abnormal
    if ab.n < 2:
        return None
    scar = ab.sums(_DAY).scar
    members = np.flatnonzero(np.isfinite(scar)).astype(np.int64)
    return JointResult(
        mean=shown_caar(ab, _DAY),
        variance_ratio=float(variance_ratio(ab, _DAY)),
        far_down=int((scar < -FAR).sum()),
        far_up=int((scar > FAR).sum()),
        mean_correlation=float(mean_correlation(ab, members, _DAY)),
    )


def market_day(f: Findings) -> MarketDay | None:
    """Return how the whole market did on the event day; None without a panel."""
    if f.universe is None:
        return None
    table, ab = shown_cars(f.universe.abnormal, _DAY), f.universe.abnormal
    day, raw = table["car"], table["return"].to_numpy(dtype=float)
    ar = day.to_numpy(dtype=float)
    seen = np.isfinite(ar)
    median, lowest = float(np.median(ar[seen])), str(day.idxmin())
    return MarketDay(
        members=int(seen.sum()),
        rose=int((raw[seen] > 0).sum()),
        index=float(ab.as_fractions(ab.benchmark_returns[0, -ab.window.start])),
        median=median,
        lowest=float(day[lowest]),
        lowest_ticker=lowest,
        beside=tuple((t, float(day[t]) - median) for t in f.spec.headline_tickers() if t in day.index),
    )


def named_numbers(f: Findings) -> Iterator[tuple[tuple[str, ...], float]]:
    """Return these numbers with the parts of the names that `numbers.json` gives them; a report of a day has its own in tables."""
    if f.ordinary is not None:
        return
    joint, market = joint_result(f), market_day(f)
    if joint is not None:
        for name in JointResult.__slots__:
            yield ("together", name), float(getattr(joint, name))
    if market is not None:
        for name in ("members", "rose", "index", "median", "lowest"):
            yield ("market", name), float(getattr(market, name))
        for ticker, value in market.beside:
            yield ("market", ticker, "beside_median"), value
