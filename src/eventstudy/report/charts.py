"""The figures of a report, each laid out for an article and for a phone, in the house style of the study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from eventstudy import figures
from eventstudy.figures.house_style import HouseStyle, current_style, default_style, drawing_with
from eventstudy.figures.ordinary import calendar, group_days
from eventstudy.figures.words import window_text
from eventstudy.report.day import calendar_of, groups_of
from eventstudy.report.findings import Findings
from eventstudy.study.export import describe_figure, source_line
from eventstudy.study.results import EventStudyResult
from eventstudy.studyfile.spec import StudySpec
from eventstudy.windows import Window

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure


def style_of(spec: StudySpec) -> HouseStyle:
    """Return the style that a study's file names, else the one in use."""
    return spec.presentation().style or current_style()


def style_input(spec: StudySpec) -> dict[str, str]:
    """Return the digest of a style other than the package's, fonts and logo included, as an input of a build."""
    style = style_of(spec)
    return {} if style == default_style() else {"style": style.digest}


@dataclass(frozen=True, eq=False, repr=False)
class Chart:
    """One figure in two layouts."""

    #: File name without ending, and its anchor on the page.
    name: str
    #: The same numbers laid out for a column and for a phone.
    article: HouseFigure
    phone: HouseFigure
    #: Whether the page shows it after the others, under "How sure"; else its templates give it a place by name.
    further: bool = False

    @cached_property
    def article_svg(self) -> bytes:
        """The article's layout as SVG, drawn once for page and PDF."""
        return figures.svg_bytes(self.article)


def _source(f: Findings, result: EventStudyResult) -> str:
    # names of the study file stand on the figures of a day; those of other reports keep the ticker
    return f"{source_line(result, f.spec.names if f.ordinary is not None else None)} Study: {f.spec.name}."


def _event_day(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.event_day(r.abnormal, Window(0, 0), size=size, source=_source(f, r), when=r.when())


def _paths(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.car_paths(r.abnormal, size=size, source=_source(f, r), when=r.when())


def _scatter(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.market_scatter(r.panel, r.fit, 0, size=size, source=_source(f, r), when=r.when())


def _estimation_days(f: Findings, size: str) -> HouseFigure:
    r = f.headline
    return figures.estimation_days(r.abnormal, 0, size=size, source=_source(f, r), when=r.when())


def _ranking(f: Findings, size: str) -> HouseFigure:
    r = f.everyone
    groups = {k: e.group for k, e in zip(r.abnormal.keys, r.panel.events, strict=True) if e.group}
    return figures.ranking(r.abnormal, size=size, source=_source(f, r), groups=groups or None, when=r.when())


def _universe(f: Findings, size: str) -> HouseFigure:
    assert f.universe is not None
    assert f.spec.universe is not None
    universe, marked = f.universe, f.spec.universe.marked or f.spec.headline_tickers()
    there = [t for t in marked if t in universe.abnormal.keys]
    return figures.universe(universe.abnormal, there, size=size, source=_source(f, universe), when=universe.when())


def _dollars(f: Findings, size: str) -> HouseFigure:
    return figures.dollars(f.dollars, size=size, source=_source(f, f.everyone), when=f.everyone.when())


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A chart that a report may have: its name, how it is drawn in a layout, what it needs, of which result it is; see `Chart`."""

    name: str
    draw: Callable[[Findings, str], HouseFigure]
    needs: Callable[[Findings], bool] = lambda f: True
    result: Callable[[Findings], EventStudyResult | None] = lambda f: f.everyone


def _has_one_market(f: Findings) -> bool:
    """Whether the model is a line of returns on one benchmark."""
    fit = f.headline.fit
    one = len(f.headline.panel.columns) == 1 and len(fit.names) == 2
    return bool(f.headline.model.benchmark and one and fit.root.any())


#: Charts that the two templates show at a place of their own.
PLACED = (
    _Drawing("event_day", _event_day),
    _Drawing("car_paths", _paths),
    _Drawing("market_model", _scatter, needs=_has_one_market),
    _Drawing("estimation_days", _estimation_days),
    _Drawing("all_shares", _ranking, needs=lambda f: f.everyone.abnormal.n > f.headline.abnormal.n),
    _Drawing("universe", _universe, needs=lambda f: f.universe is not None, result=lambda f: f.universe),
    _Drawing("dollars", _dollars, needs=lambda f: any(not c.reason for c in f.dollars)),
)


def _calendar(f: Findings, size: str) -> HouseFigure:
    r = f.everyone
    model = f"Each day by the {r.model.name} of the {len(r.abnormal.estimation)} sessions {window_text(r.abnormal.estimation)} before it."
    return calendar(calendar_of(f), size=size, source=_source(f, r), model=model)


def _group_days(f: Findings, size: str) -> HouseFigure:
    return group_days(groups_of(f), size=size, source=_source(f, f.everyone))


#: Charts of a report of a day.
OF_A_DAY = (
    _Drawing("calendar", _calendar),
    _Drawing("groups", _group_days, needs=lambda f: f.ordinary is not None and any(f.ordinary.groups)),
)
#: Further charts, shown one after the other under "How sure".
FURTHER: tuple[_Drawing, ...] = ()


def draw_charts(f: Findings, mark: str = "", embargo_until: str = "") -> tuple[Chart, ...]:
    """Draw every figure that the study's data allow, in its house style, with a mark such as ``DRAFT`` over each until a moment."""

    def finished(drawing: _Drawing, size: str) -> HouseFigure:
        """Draw, say how the figure was made, and mark it."""
        described = describe_figure(drawing.draw(f, size), drawing.result(f) or f.everyone)
        return described.marked(mark, embargo_until=embargo_until) if mark else described

    with drawing_with(style_of(f.spec)):
        return tuple(
            Chart(chart.name, finished(chart, "article"), finished(chart, "phone"), chart in FURTHER)
            for chart in ((*PLACED, *FURTHER) if f.ordinary is None else OF_A_DAY)
            if chart.needs(f)
        )
