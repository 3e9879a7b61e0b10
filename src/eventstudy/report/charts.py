"""The figures of a report, each laid out for an article and for a phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from eventstudy import figures
from eventstudy.export import describe_figure
from eventstudy.figures.house_style import drawing_with
from eventstudy.report.findings import Findings
from eventstudy.report.style import style_of
from eventstudy.results import EventStudyResult
from eventstudy.windows import Window

if TYPE_CHECKING:
    from eventstudy.figures.house import HouseFigure


@dataclass(frozen=True, eq=False, repr=False)
class Chart:
    """One figure in two layouts.

    Attributes
    ----------
    name : str
        File name without ending, and its anchor on the page.
    article, phone : HouseFigure
        The same numbers laid out for a column and for a phone.
    """

    name: str
    article: HouseFigure
    phone: HouseFigure

    @cached_property
    def article_svg(self) -> bytes:
        """The article's layout as SVG, drawn once for page and PDF."""
        return figures.svg_bytes(self.article)


def day_text(result: EventStudyResult) -> str:
    """Return the session of a result's events in words, ``27 January 2025``, or the span of their sessions."""
    days = result.panel.sessions
    return result.when() or f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"


def draw_charts(f: Findings, mark: str = "", embargo_until: str = "") -> tuple[Chart, ...]:
    """Draw every figure that the study's data allow, in the study's house style.

    Parameters
    ----------
    f : Findings
        The computed content.
    mark, embargo_until : str
        A word drawn over each figure, such as ``DRAFT``, and the moment up to which it holds.

    Returns
    -------
    tuple of Chart
        In the order of the page.
    """
    made: list[tuple[str, Callable[[str], HouseFigure]]] = [
        ("event_day", lambda size: _event_day(f, size)),
        ("car_paths", lambda size: _paths(f, size)),
        ("market_model", lambda size: _scatter(f, size)),
        ("ordinary_days", lambda size: _ordinary(f, size)),
    ]
    if f.everyone.abnormal.n > f.headline.abnormal.n:
        made.append(("all_shares", lambda size: _ranking(f, size)))
    if f.universe is not None:
        made.append(("universe", lambda size: _universe(f, f.universe, size)))
    if any(not c.reason for c in f.dollars):
        made.append(("dollars", lambda size: _dollars(f, size)))
    if not (f.headline.model.benchmark and f.headline.fit.root.any() and len(f.headline.fit.names) == 2):
        made = [item for item in made if item[0] != "market_model"]
    with drawing_with(style_of(f.spec)):
        return tuple(
            Chart(
                name,
                _finished(f, name, draw("article"), mark, embargo_until),
                _finished(f, name, draw("phone"), mark, embargo_until),
            )
            for name, draw in made
        )


def _finished(f: Findings, name: str, figure: HouseFigure, mark: str, embargo_until: str) -> HouseFigure:
    """Say how a figure was made, and mark it."""
    result = f.universe if name == "universe" and f.universe is not None else f.everyone
    described = describe_figure(figure, result)
    return described.marked(mark, embargo_until=embargo_until) if mark else described


def _source(f: Findings, result: EventStudyResult) -> str:
    return f"{result.source_line()} Study: {f.spec.name}."


def _event_day(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.event_day(r.abnormal, Window(0, 0), size=size, source=_source(f, r), when=r.when())


def _paths(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.car_paths(r.abnormal, size=size, source=_source(f, r), when=r.when())


def _scatter(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.market_scatter(r.panel, r.fit, 0, size=size, source=_source(f, r), when=r.when())


def _ordinary(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.ordinary_days(r.abnormal, 0, size=size, source=_source(f, r), when=r.when())


def _ranking(f: Findings, size: str) -> HouseFigure:
    r = f.everyone
    groups = {k: e.group for k, e in zip(r.abnormal.keys, r.panel.events, strict=True) if e.group}
    return figures.ranking(r.abnormal, size=size, source=_source(f, r), groups=groups or None, when=r.when())


def _universe(f: Findings, universe: EventStudyResult | None, size: str) -> HouseFigure:
    assert universe is not None
    marked = f.spec.universe.marked if f.spec.universe and f.spec.universe.marked else f.spec.headline_tickers()
    there = [t for t in marked if t in universe.abnormal.keys]
    return figures.universe(universe.abnormal, there, size=size, source=_source(f, universe), when=universe.when())


def _dollars(f: Findings, size: str) -> HouseFigure:
    return figures.dollars(f.dollars, size=size, source=_source(f, f.everyone), when=f.everyone.when())
