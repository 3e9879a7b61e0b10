"""Checks of returns that are screened find what the same checks find unscreened, in the same words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy.prices.checks import copies, screen
from eventstudy.prices.checks.days import run_lengths
from eventstudy.prices.checks.finding import Finding, Usage
from eventstudy.prices.checks.run import check_returns

#: Calm moves: a market, and shares that follow it.
MARKET, OWN = 0.01, 0.015


def _days(g: np.random.Generator, count: int) -> pd.DatetimeIndex:
    days = pd.bdate_range("2016-01-04", periods=count + 30)
    return days.delete(g.choice(len(days), 30, replace=False))


def _copied(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[:, i] = v[:, j]


def _copied_there(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows, i] = v[rows, j]


def _nearly(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[:, i] = v[:, j] + g.choice([0.4e-6, 0.9e-6, 1.6e-6]) * np.sign(v[:, j])


def _early(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[:-1, i] = v[1:, i]


def _late_there(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows.start + 1 : rows.stop, i] = v[rows.start : rows.stop - 1, i]


def _still(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows, i] = 0.0


def _tiny(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows, i] = g.choice([1e-17, 1.2e-16, 3e-16, 1e-14])


def _thin(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[g.random(len(v)) < g.choice([0.01, 0.1, 0.5]), i] = 0.0


def _holes(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[g.random(v.shape) < g.choice([0.005, 0.05, 0.3])] = np.nan


def _gap(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows, i] = np.nan


def _listed_later(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[: rows.start, i] = np.nan


def _idle_days(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[g.choice(len(v), 3, replace=False)] = 0.0


def _nearly_idle(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows.start, max(1, v.shape[1] // 10) :] = 0.0


def _doubled(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows.start + 1] = v[rows.start]


def _no_row(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows] = np.nan


def _dummy(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[:, i] = g.random(len(v)) < 0.05


def _fall(v: np.ndarray, g: np.random.Generator, rows: slice, i: int, j: int) -> None:
    v[rows.start, i] = g.choice([-0.95, 3.0])


FAULTS = (
    _copied, _copied_there, _nearly, _early, _late_there, _still, _tiny, _thin, _holes, _gap, _listed_later, _idle_days, _nearly_idle,
    _doubled, _no_row, _dummy, _fall,
)  # fmt: skip


def _spoilt(seed: int) -> tuple[pd.DataFrame, dict[str, object]]:
    """Return a table of returns with some faults, and how it is checked."""
    g = np.random.default_rng(seed)
    firms, count = int(g.choice([1, 3, 6, 12, 45])), int(g.choice([70, 200, 330, 560]))
    market = g.normal(0.0, MARKET, count)
    v = np.column_stack((np.outer(market, g.uniform(0.5, 1.5, firms)) + g.normal(0.0, OWN, (count, firms)), market))
    for _ in range(int(g.integers(0, 4))):
        start = int(g.integers(0, count - 20))
        rows = slice(start, min(count, start + int(g.choice([5, 12, 31, 65, 180]))))
        i, j = g.integers(0, firms + 1, 2).tolist()
        FAULTS[int(g.integers(len(FAULTS)))](v, g, rows, i, j)
    days = _days(g, count)
    names = [f"F{i}" for i in range(firms)] + ["index"]
    at = np.sort(g.integers(40, count - 8, 6))
    usage = Usage(
        tuple(g.choice(names[:-1], 6).tolist()), days[np.maximum(at - 60, 0)], days[at - 4], days[at + 3], ("index",), 0, days[at]
    )  # fmt: skip
    table = pd.DataFrame(v, index=days, columns=names)
    how = {
        "kind": str(g.choice(["simple", "log"])),
        "calendar": [None, "XNYS"][int(g.integers(2))],
        "benchmarks": ["index"] if g.random() < 0.8 else ["index", "F0"],
        "usage": usage if g.random() < 0.8 else None,
        "thin_trading": bool(g.random() < 0.1),
    }
    return table, how


def _unscreened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("may_stand_still", "may_repeat_rows", "may_miss_sessions"):
        monkeypatch.setattr(screen, name, lambda *_: True)
    monkeypatch.setattr(copies, "_looked_at", lambda _, __, stretches: stretches)
    monkeypatch.setattr(copies, "_alike", lambda s: [(i, j) for i in range(len(s)) for j in range(i + 1, len(s))])


def _of_firms(found: tuple[Finding, ...], benchmarks: list[str]) -> list[str]:
    """Return findings in words, but for a benchmark that others do not follow: that is not screened for."""
    return [str(f) for f in found if f.check != "shifted_days" or set(f.tickers) - set(benchmarks)]


@pytest.mark.parametrize("first", range(0, 400, 40))
def test_screened_checks_find_what_unscreened_ones_do(first, monkeypatch):
    cases = [_spoilt(seed) for seed in range(first, first + 40)]
    screened = [check_returns(table, **how) for table, how in cases]
    _unscreened(monkeypatch)
    for (table, how), found in zip(cases, screened, strict=True):
        every = check_returns(table, **how)
        assert _of_firms(found, how["benchmarks"]) == _of_firms(every, how["benchmarks"])
    assert any(screened)


def test_most_calm_tables_are_not_looked_at_twice():
    g = np.random.default_rng(5)
    v = g.normal(0.0, OWN, (30, 600))
    assert not screen.may_stand_still(v)
    assert not screen.may_repeat_rows(v, np.arange(30) == 0)


def _run_by_run(closes: np.ndarray) -> np.ndarray:
    out = np.zeros(closes.shape, dtype=np.int64)
    for k, column in enumerate(closes.T):
        rows = np.flatnonzero(np.isfinite(column)).tolist()
        while rows:
            run = [t for n, t in enumerate(rows) if (column[rows[: n + 1]] == column[rows[0]]).all()]
            out[run, k] = len(run)
            rows = rows[len(run) :]
    return out


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_runs_of_equal_closes_are_those_counted_one_by_one(order, holes):
    g = np.random.default_rng(11)
    for _ in range(60):
        closes = g.integers(0, 3, (int(g.integers(1, 30)), int(g.integers(1, 6)))).astype(np.float64)
        closes[g.random(closes.shape) < holes] = np.nan
        closes = np.array(closes, order=order)
        assert run_lengths(closes).tolist() == _run_by_run(closes).tolist()


def test_equal_series_are_found_whatever_they_lack():
    g = np.random.default_rng(23)
    for _ in range(150):
        v = g.normal(0.0, OWN, (int(g.integers(2, 40)), int(g.integers(25, 300))))
        for i, j in g.integers(0, len(v), (4, 2)).tolist():
            v[i] = v[j]
        v[g.random(len(v)) < 0.2, : v.shape[1] // 2] = np.nan
        v[g.random(len(v)) < 0.2, v.shape[1] // 2 :] = g.choice([np.nan, 0.0])
        v[g.random(v.shape) < g.choice([0.0, 0.01, 0.2])] = np.nan
        found = {pair for pair in copies._alike(v) if len(copies._all_days(v, *pair))}
        for i in range(len(v)):
            for j in range(i + 1, len(v)):
                common = np.isfinite(v[i]) & np.isfinite(v[j])
                same = (v[i] == v[j])[common]
                rows = np.linspace(1, v.shape[1] - 1, min(40, v.shape[1] - 1)).astype(int)
                moves = np.nan_to_num(v[i, rows][common[rows]])
                if common.sum() >= 20 and same.all() and (moves**2).sum() > 1e-12:
                    assert (i, j) in found
                elif not same.all():
                    assert (i, j) not in found
