"""Abnormal returns made from random numbers, the real ones of three firms, and a ruler for drawn text."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from eventstudy.estimation.abnormal import abnormal_returns
from eventstudy.estimation.model import MarketModel
from eventstudy.estimation.panel import AlignmentRules, align
from eventstudy.events import Event
from eventstudy.figures.style import house_settings
from eventstudy.prices.snapshot import load_snapshot
from eventstudy.windows import Window

ESTIMATION, WINDOW = Window(-120, -21), Window(-5, 5)


def _study(n=3, jump=(-0.15, 0.0, 0.10), seed=7, keys=None, holes=False):
    """A market model fitted on made returns; the event day gets ``jump`` on top."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2024-01-01", periods=160)
    market = rng.normal(0, 0.01, len(days))
    names = list(keys) if keys else [f"F{i:02d}" for i in range(n)]
    table = pd.DataFrame({"^M": market}, index=days)
    for i, name in enumerate(names):
        returns = market * (1 + 0.02 * i) + rng.normal(0, 0.01, len(days))
        returns[140] = market[140] * (1 + 0.02 * i) + jump[i % len(jump)]
        if holes and i == 0:
            returns[140] = np.nan
        if holes and i == 1:
            returns[[100, 143]] = np.nan
        table[name] = returns
    events = [Event(name, days[140].date().isoformat()) for name in names]
    return _fitted(table, events, "^M", ESTIMATION)


def _fitted(table, events, market, estimation):
    model = MarketModel(market)
    panel = align(table, events, model, AlignmentRules(estimation, WINDOW, None, "next", 50)).panel
    fit = model.fit(panel)
    return SimpleNamespace(panel=panel, fit=fit, abnormal=abnormal_returns(panel, fit))


@pytest.fixture(scope="session")
def study():
    return cache(_study)


def _dated(n=5, names=("NVDA",)):
    """Events of few tickers on separate dates, so that their keys carry dates."""
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2024-01-01", periods=160 + 20 * n)
    table = pd.DataFrame(rng.normal(0, 0.01, (len(days), 1 + len(names))), index=days, columns=["^M", *names])
    places = [140 + 20 * i for i in range(n)]
    table.iloc[places[::2], 1:] -= 0.15
    events = [Event(names[i % len(names)], days[place].date().isoformat()) for i, place in enumerate(places)]
    return _fitted(table, events, "^M", ESTIMATION)


@pytest.fixture(scope="session")
def dated():
    return cache(_dated)


def _studies(count, jump, n=3, seed=0):
    """Studies of ``n`` events on separate days, without effect or with one."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2023-01-02", periods=160)
    for _ in range(count):
        market = rng.normal(0, 0.01, len(days))
        table = pd.DataFrame({"^M": market}, index=days)
        for i in range(n):
            table[f"F{i}"] = market + rng.normal(0, 0.01, len(days))
            table.iloc[140, i + 1] += jump
        events = [Event(f"F{i}", days[140].date().isoformat()) for i in range(n)]
        yield _fitted(table, events, "^M", ESTIMATION)


@pytest.fixture(scope="session")
def studies():
    return _studies


@pytest.fixture(scope="session")
def real():
    prices = load_snapshot()
    returns = prices.adj_close.pct_change(fill_method=None).iloc[1:]
    events = [Event(t, "2025-01-27") for t in ("NVDA", "META", "GOOGL")]
    made = _fitted(returns, events, "^GSPC", Window(-270, -21))
    made.prices = prices
    return made


def _texts(artist):
    """Return the texts under an artist that are drawn; the axes of a plot that is switched off are not."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    if isinstance(artist, Text):
        return [artist] if artist.get_visible() and artist.get_text().strip() else []
    off = not getattr(artist, "axison", True)
    return [t for child in artist.get_children() if not (off and isinstance(child, Axis)) for t in _texts(child)]


@pytest.fixture(scope="session")
def texts():
    return _texts


def _misplaced(figure):
    """Return texts that leave the canvas, and pairs that overlap, as drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    box = figure.bbox
    # nothing is laid out while drawing: the ruler needs no drawing, only its settings
    with house_settings():
        shown = [t for t in _texts(figure) if not str(t.get_gid()).startswith("status")]  # pale, under the plot
        ends = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in shown]
    problems = [
        ("outside", text)
        for text, e in ends
        if e.x0 < box.x0 - 0.5 or e.x1 > box.x1 + 0.5 or e.y0 < box.y0 - 0.5 or e.y1 > box.y1 + 0.5
    ]
    for i, (one, a) in enumerate(ends):
        for other, b in ends[i + 1 :]:
            wide = min(a.x1, b.x1) - max(a.x0, b.x0)
            high = min(a.y1, b.y1) - max(a.y0, b.y0)
            if wide > 0.5 and high > 0.25 * min(a.height, b.height):
                problems.append(("overlap", one, other))
    return problems


@pytest.fixture(scope="session")
def misplaced():
    return _misplaced
