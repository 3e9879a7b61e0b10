"""Everything that a report says, computed once from the study file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from eventstudy.claims import ClaimsLedger
from eventstudy.errors import StudyFileError
from eventstudy.events import Event
from eventstudy.market_value import MarketValueChange
from eventstudy.prices.snapshot import load_universe
from eventstudy.prices.table import Prices
from eventstudy.results import EventStudyResult
from eventstudy.spec import StudySpec
from eventstudy.spec_parts import OtherDay, Variant
from eventstudy.study_paths import read_table
from eventstudy.windows import Window


@dataclass(frozen=True, eq=False, repr=False)
class Findings:
    """The computed content of a report.

    Attributes
    ----------
    spec : StudySpec
        The study file.
    prices : Prices
        The prices it was run on.
    everyone : EventStudyResult
        All events.
    headline : EventStudyResult
        The events in the focus.
    other_days : tuple
        Pairs of `OtherDay` and its result.
    variants : tuple
        Pairs of `Variant` and its result on the headline events.
    universe : EventStudyResult or None
        The whole market on the event day.
    dollars : tuple of MarketValueChange
        Event-day changes of market value of all events; empty without closes as traded.
    claims : ClaimsLedger
        Articles' claims with verdicts.
    timeline : DataFrame
        Columns date, session, what, confound; what else happened.
    """

    spec: StudySpec
    prices: Prices
    everyone: EventStudyResult
    headline: EventStudyResult
    other_days: tuple[tuple[OtherDay, EventStudyResult], ...]
    variants: tuple[tuple[Variant, EventStudyResult], ...]
    universe: EventStudyResult | None
    dollars: tuple[MarketValueChange, ...]
    claims: ClaimsLedger
    timeline: pd.DataFrame


def compute(spec: StudySpec) -> Findings:
    """Run everything that a study file asks for.

    Raises
    ------
    EventStudyError
        If the study file, the events or the prices cannot carry the study.
    """
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
    )


def _on_day(spec: StudySpec, prices: Prices, day: OtherDay) -> EventStudyResult:
    events = [Event(t, day.date, day.label) for t in spec.headline_tickers()]
    return spec.build_study().run(prices, events, spec.factors())


def _universe(spec: StudySpec, prices: Prices, headline: EventStudyResult) -> EventStudyResult | None:
    """Run every member of the panel on the headline's session, against the study's benchmark."""
    if spec.universe is None:
        return None
    panel = load_universe()
    session = f"{headline.panel.sessions[0]:%Y-%m-%d}"
    joined = panel.adj_close
    needed = [c for c in headline.model.columns if c not in joined.columns and c in prices.tickers]
    joined = joined.assign(**{c: prices.adj_close[c].reindex(joined.index) for c in needed})
    members = [t for t in panel.adj_close.columns if t != headline.model.benchmark]
    table = Prices.from_frame(joined, provenance=panel.provenance)
    return spec.build_study().run(table, [Event(t, session) for t in members], spec.factors())


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
