"""A firm's returns against the market's, with the fitted line and the event day."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.estimation.model import Fit
from eventstudy.estimation.panel import EventPanel
from eventstudy.figures import words as say
from eventstudy.figures.columns import FRACTION, HIGH, LOW, WHAT, Column
from eventstudy.figures.presentation import draw_figure
from eventstudy.figures.recipe import Facts, Recipe
from eventstudy.figures.sheet import (
    Scale,
    Sheet,
    fit,
    fitted_ticks,
    legend_height,
    limits,
    percent_ticks,
    text_width,
    y_ticks,
)
from eventstudy.figures.style import POINTS, Size, palette
from eventstudy.figures.words import FigureText
from eventstudy.inference.result import t_quantile
from eventstudy.statements import ABNORMAL, EXPECTED, RETURN, Numbers, State, verdict
from eventstudy.wording import percent, round_significant, share_digits

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure

_POINTS_ON_LINE = 61


@dataclass(frozen=True, eq=False, slots=True)
class Cloud:
    """Estimation days, fitted line with its prediction band, and the event day."""

    key: str
    market_name: str
    market: np.ndarray
    firm: np.ndarray
    line_x: np.ndarray
    line_y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    event_x: float
    event_y: float
    event_expected: float
    event_low: float
    event_high: float

    @property
    def state(self) -> State:
        """Whether the event day lies outside the band."""
        return verdict(
            self.event_y - self.event_expected, self.event_y - self.event_high, self.event_y - self.event_low
        )


def _band(fit_: Fit, i: int, x: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the fitted line and the ends of its prediction band at market returns ``x``."""
    intercept, slope = (float(v) for v in fit_.coefficients[i])
    root = fit_.root[i]
    rows = np.stack([np.ones_like(x), x], axis=1) if root.shape[0] == 2 else x[:, None]
    spread = fit_.sigma[i] * np.sqrt(1.0 + np.square(rows @ root).sum(axis=1))
    degrees = float(fit_.n_est[i] - fit_.n_params)
    reach = float(np.asarray(t_quantile(0.5 + level / 2.0, degrees))) * spread
    middle = intercept + slope * x
    return round_significant(middle), round_significant(middle - reach), round_significant(middle + reach)


def _cloud(panel: EventPanel, fit_: Fit, i: int, level: float) -> Cloud:
    if len(panel.columns) != 1 or fit_.coefficients.shape[1] != 2:
        raise InvalidInput(
            f"The scatter shows returns against one benchmark; this model uses "
            f"{', '.join(panel.columns) or 'none'}. Run the study with a market model to draw it."
        )
    if not -panel.n <= i < panel.n:
        raise InvalidInput(f"i is {i}; there are {panel.n} events, so give 0 to {panel.n - 1}.")
    if isinstance(level, bool) or not isinstance(level, int | float | np.floating) or not 0.0 < level < 1.0:
        raise InvalidInput(f"level is {level!r}; give a coverage between 0 and 1, e.g. 0.95.")
    used = panel.est_mask[i]
    market = round_significant(panel.est_columns[i, used, 0])
    firm = round_significant(panel.est_returns[i, used])
    if 0 in panel.window:
        day = -panel.window.start
        event_x, event_y = round_significant([panel.event_columns[i, day, 0], panel.event_returns[i, day]]).tolist()
    else:
        event_x = event_y = math.nan
    reach = np.append(market, event_x) if math.isfinite(event_x) else market
    line_x = round_significant(np.linspace(reach.min(), reach.max(), _POINTS_ON_LINE))
    line, low, high = _band(fit_, i, line_x, level)
    at = [float(v[0]) for v in _band(fit_, i, np.array([event_x]), level)]
    cloud = Cloud(
        say.tidy(panel.keys[i]),
        say.tidy(panel.columns[0]),
        market,
        firm,
        line_x,
        line,
        low,
        high,
        event_x,
        event_y,
        *at,
    )
    return _in_fractions(cloud) if panel.log else cloud


def _in_fractions(cloud: Cloud) -> Cloud:
    """Return a cloud of log returns with every number as a fraction; the fitted line is then slightly bent."""

    def shown(values: np.ndarray) -> np.ndarray:
        return round_significant(np.expm1(values))

    event = np.array([cloud.event_x, cloud.event_y, cloud.event_expected, cloud.event_low, cloud.event_high])
    return Cloud(
        cloud.key,
        cloud.market_name,
        shown(cloud.market),
        shown(cloud.firm),
        shown(cloud.line_x),
        shown(cloud.line_y),
        shown(cloud.low),
        shown(cloud.high),
        *shown(event).tolist(),
    )


def market_scatter(
    panel: EventPanel,
    fit: Fit,
    i: int,
    *,
    level: float = 0.95,
    size: str = "article",
    source: str = "",
    title: str | None = None,
    when: str = "",
) -> HouseFigure:
    """Draw one firm's daily returns against the benchmark's, with the fitted line, its prediction band and the event.

    Parameters
    ----------
    panel : EventPanel
        N events.
    fit : Fit
        A model with one benchmark, fitted on ``panel``.
    i : int
        Which event.
    level : float
        Coverage of the prediction band ``x b ± t_{M-p} s √(1 + x (X'X)⁻¹ x')``.
    size : str
        Layout preset, one of `eventstudy.figures.SIZES`.
    source, title, when : str, optional
        The source line, a title in place of the finding, and the event day as text.

    Returns
    -------
    HouseFigure

    Raises
    ------
    InvalidInput
        If the model has no benchmark or more than one factor, or ``i`` or ``level`` is out of range.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.load_prices(["NVDA", "^GSPC"], "2023-12-01", "2025-02-14")
    >>> study = es.EventStudy(model=es.MarketModel("^GSPC"), window=(-5, 5))
    >>> result = study.run(prices, [es.Event("NVDA", "2025-01-27")])
    >>> market_scatter(result.panel, result.fit, 0).words.title
    'NVDA fell 17.0%; the model expected −3.7%'
    """
    cloud = _cloud(panel, fit, i, level)
    legend = [f"{len(cloud.firm)} estimation days", f"fitted line, {say.level_text(level)} prediction interval"]
    recipe = Recipe(
        Facts(
            "market_scatter",
            {cloud.key: (cloud.state,)},
            {cloud.key: cloud.event_y},
            {
                "level": float(level),
                "benchmark": cloud.market_name,
                "estimation": [panel.estimation.start, panel.estimation.end],
                "window": [0, 0],
            },
            numbers=_numbers(cloud, panel, level, int(fit.n_est[i] - fit.n_params), when),
        ),
        FigureText(
            title=_title(cloud, when),
            subtitle=f"Daily returns of {cloud.key} and of {cloud.market_name}",
            note=_note(panel, fit, i, level),
            alt=_alt(cloud, when, level),
        ),
        _frame(cloud),
        _COLUMNS,
        lambda preset: _height(preset, legend),
        lambda sheet: _draw(sheet, cloud, legend, when or "event day"),
    )
    return draw_figure(recipe, size, title=title, source=source)


def _numbers(cloud: Cloud, panel: EventPanel, level: float, df: int, when: str) -> Numbers:
    """Return the event day and the cloud's counts as numbers that a text may say."""
    day, estimation = (0, 0), panel.estimation
    return Numbers(
        names={cloud.market_name: cloud.market_name},
        values={
            (cloud.key, RETURN, day): cloud.event_y,
            (cloud.key, EXPECTED, day): cloud.event_expected,
            (cloud.key, ABNORMAL, day): (1 + cloud.event_y) / (1 + cloud.event_expected) - 1
            if panel.log
            else cloud.event_y - cloud.event_expected,
            (cloud.market_name, RETURN, day): cloud.event_x,
        },
        counts={"estimation_days": len(cloud.firm), "level": level * 100, "least_df": df},
        days={when: 0} if when else {},
        relative=panel.log,
        spans=frozenset([day, (estimation.start, estimation.end)]),
    )


def _title(cloud: Cloud, when: str) -> str:
    on, state = say.on_day(when), cloud.state
    if state == "missing":
        return f"No return for {cloud.key}{on}"
    digits = share_digits([cloud.event_y])
    moved = percent(cloud.event_y, digits)
    if state == "unclear":
        return f"{cloud.key}’s return of {moved}{on} was no clear break with the market"
    does = f"{say.verb(state, cloud.event_y)} {percent(abs(cloud.event_y), digits, False)}"
    if say.went_against(state, cloud.event_y):
        does = f"moved {moved}"
    return f"{cloud.key} {does}{on}; the model expected {percent(cloud.event_expected, digits)}"


def _note(panel: EventPanel, fit_: Fit, i: int, level: float) -> str:
    return (
        f"Prediction interval: {say.level_text(level)}, t with prediction error, "
        f"{int(fit_.n_est[i] - fit_.n_params)} degrees of freedom; estimation days {say.window_text(panel.estimation)}."
    )


def _alt(cloud: Cloud, when: str, level: float) -> str:
    start = (
        f"Scatter plot of {len(cloud.firm)} daily returns of {cloud.key} against {cloud.market_name} with the fitted line "
        f"and a {say.level_text(level)} prediction band."
    )
    if cloud.state == "missing":
        return f"{start} There is no return on {when or 'the event day'}."
    place = {"down": "below", "up": "above"}.get(cloud.state, "inside")
    return (
        f"{start} {when or 'The event day'} lies {place} the band: {cloud.key} {percent(cloud.event_y, 1)}, "
        f"{cloud.market_name} {percent(cloud.event_x, 1)}, expected {percent(cloud.event_expected, 1)}."
    )


_COLUMNS: Mapping[str, Column] = {
    "what": WHAT,
    "market_return": Column("Benchmark return", "return of the benchmark", FRACTION),
    "firm_return": Column("Share return", "return of the share", FRACTION),
    "low": LOW,
    "high": HIGH,
}


def _frame(cloud: Cloud) -> pd.DataFrame:
    days = pd.DataFrame({"what": "estimation day", "market_return": cloud.market, "firm_return": cloud.firm})
    line = pd.DataFrame(
        {
            "what": "fitted line",
            "market_return": cloud.line_x,
            "firm_return": cloud.line_y,
            "low": cloud.low,
            "high": cloud.high,
        }
    )
    event = pd.DataFrame(
        {
            "what": "event day",
            "market_return": [cloud.event_x],
            "firm_return": [cloud.event_y],
            "low": [cloud.event_low],
            "high": [cloud.event_high],
        }
    )
    return pd.concat([event, line, days], ignore_index=True)


def _height(size: Size, legend: list[str]) -> float:
    plot = 360.0 * size.unit
    if size.narrow:
        plot = 230.0 if size.column else 300.0
    return legend_height(legend, size) + plot + 4.5 * size.foot


def _draw(sheet: Sheet, cloud: Cloud, legend: list[str], name: str) -> None:
    size = sheet.size

    def day(x: float, y: float) -> None:
        sheet.mark(x, y, palette().ordinary, pixels=4.5)

    line = sheet.line_sample(palette().line, 2.2, band=True)
    sheet.legend([(day, legend[0]), (line, legend[1])], sheet.top + 0.5 * size.foot)
    top = sheet.top + legend_height(legend, size) + 1.9 * size.foot
    base = sheet.bottom - 3.4 * size.foot
    low, high = limits([*cloud.firm, *cloud.low, *cloud.high, cloud.event_y], pad=0.05)
    marks, texts, gutter = y_ticks(low, high, int((base - top) / (3.2 * size.foot)), size.foot)
    x = Scale(*limits([*cloud.market, cloud.event_x], pad=0.05), sheet.left + gutter, sheet.right)
    y = Scale(low, high, base, top)
    for mark in marks:
        sheet.line([x.start, x.end], [y.px(mark)] * 2, palette().of_grid(mark))
    sheet.y_labels(x.start, y, marks, texts)
    sheet.x_axis(x, *fitted_ticks(x, size.foot, percent_ticks), top, base)
    for text, right, height in (
        (f"{cloud.key}, daily return", False, top - 0.9 * size.foot),
        (f"{cloud.market_name}, daily return", True, base + 2.8 * size.foot),
    ):
        shown = fit(text, size.foot, sheet.right - sheet.left)
        place, ha = (sheet.right, "right") if right else (sheet.left, "left")
        sheet.text(place, height, shown, size.foot, color=palette().quiet, ha=ha)
    _marks(sheet, cloud, x, y, name)


def _marks(sheet: Sheet, cloud: Cloud, x: Scale, y: Scale, name: str) -> None:
    unit = sheet.size.unit * POINTS
    under, axes = sheet.axes(x, y, bands=True), sheet.axes(x, y)
    under.fill_between(cloud.line_x, cloud.low, cloud.high, color=palette().band, linewidth=0)
    axes.plot(cloud.line_x, cloud.line_y, color=palette().line, linewidth=2.2 * unit)
    axes.plot(
        cloud.market, cloud.firm, "o", color=palette().ordinary, markersize=4.5 * unit, markeredgewidth=0, zorder=1.5
    )
    if not (math.isfinite(cloud.event_x) and math.isfinite(cloud.event_y)):
        return
    tint = palette().of_state(cloud.state)
    face = tint if cloud.state in say.CLEAR else palette().paper
    axes.plot(
        [cloud.event_x],
        [cloud.event_y],
        "D",
        color=tint,
        markersize=10 * unit,
        markerfacecolor=face,
        clip_on=False,
        zorder=4,
    )
    _event_label(sheet, cloud, x, y, name)


def _event_label(sheet: Sheet, cloud: Cloud, x: Scale, y: Scale, name: str) -> None:
    """Write the event's label on the side where it covers the fewest points."""
    size = sheet.size
    text = fit(
        f"{name}: {percent(cloud.event_y, share_digits([cloud.event_y]))}", size.body, x.end - x.start, bold=True
    )
    width, reach = text_width(text, size.body, True), 0.9 * size.body
    px, py = x.px(cloud.event_x), y.px(cloud.event_y)
    clamp = min(max(px - width / 2, x.start), x.end - width)
    spots = [
        (px + reach, py),
        (px - reach - width, py),
        *(
            (left, py + way * 1.3 * size.body)
            for left in (px - k * width for k in (0.5, 0.25, 0.75, 0.0, 1.0))
            for way in (-1, 1)
        ),
    ]
    xs = [x.px(v) for v in cloud.market]
    ys = [y.px(v) for v in cloud.firm]

    def cost(spot: tuple[float, float]) -> float:
        left, middle = spot
        outside = left < x.start or left + width > x.end or not y.end + reach < middle < y.start - 0.6 * size.body
        zero = left - 3 < x.px(0.0) < left + width + 3
        hits = sum(
            left - 3 < a < left + width + 3 and abs(b - middle) < 0.8 * size.body for a, b in zip(xs, ys, strict=True)
        )
        return 1000.0 * outside + 2.0 * zero + hits

    left, middle = min(spots, key=cost)
    if left + width > sheet.right or left < sheet.left:
        left = clamp
    sheet.text(left, middle, text, bold=True, va="middle")
