"""A result as plain values and as files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy import figures
from eventstudy.errors import InvalidInput
from eventstudy.files import sha256, write_whole
from eventstudy.study.tables import default_windows, rounded_csv, summary_text
from eventstudy.windows import Window
from eventstudy.wording import round_significant

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure
    from eventstudy.study.results import EventStudyResult


def plain(value: object) -> object:
    """Return a value that JSON can hold: NaN and infinities become null, numpy numbers become Python's."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, np.integer | int):
        return int(value)
    if isinstance(value, np.floating | float):
        return float(value) if math.isfinite(value) else None
    return value if value is None else str(value)


def result_to_dict(result: EventStudyResult, windows: Sequence[Window]) -> dict[str, object]:
    """Return a result as plain values.

    Returns
    -------
    dict
        ``specification``, ``events`` (one an event: ticker, session, coefficients, the event-day ``raw_return`` and
        ``abnormal_return``, ``car`` by window, single-event tests), ``averages`` by window, ``audit``, ``dropped``,
        ``checks``, ``findings`` (of the checks of prices), ``provenance``. Returns are fractions; numbers keep all their digits.
    """
    chosen = [w for w in windows if w in result.abnormal.window]
    cars = {w: result.car(w.start, w.end) for w in chosen}
    out = {
        "specification": specification(result),
        "events": [_event(result, i, cars) for i in range(result.abnormal.n)],
        "averages": [_average(result, w) for w in chosen] if result.abnormal.n > 1 else [],
        "audit": result.audit.reset_index().to_dict("records"),
        "dropped": [{"ticker": d.event.ticker, "asked": d.event.asked, "reason": d.reason} for d in result.dropped],
        "checks": [asdict(c) for c in result.checks],
        "findings": [f.to_dict() for f in result.findings],
        "provenance": asdict(result.provenance),
    }
    shaped = plain(out)
    assert isinstance(shaped, dict)
    return shaped


def describe_figure(figure: HouseFigure, result: EventStudyResult) -> HouseFigure:
    """Add to a figure what its result knows: the specification, and the digest of the prices if there are any."""
    digest = result.provenance.digest
    return figure.describe(parameters={"study": specification(result)}, inputs={"prices": digest} if digest else {})


def specification(result: EventStudyResult) -> dict[str, object]:
    """Return what was asked for, as plain values."""
    return {
        "model": result.model.name,
        "formula": result.model.formula,
        "benchmark": result.model.benchmark,
        "estimation": [result.abnormal.estimation.start, result.abnormal.estimation.end],
        "window": [result.abnormal.window.start, result.abnormal.window.end],
        "returns": result.returns_kind,
        "measure": result.measure,
    }


def _event(result: EventStudyResult, i: int, cars: Mapping[Window, pd.DataFrame]) -> dict[str, object]:
    ab, event, key = result.abnormal, result.panel.events[i], result.abnormal.keys[i]
    zero = -ab.window.start
    day_zero = 0 in ab.window
    return {
        "event": key,
        "ticker": event.ticker,
        "label": event.label,
        "group": event.group,
        "asked": event.asked,
        "session": f"{result.panel.sessions[i]:%Y-%m-%d}",
        "coefficients": dict(zip(result.fit.names, result.fit.coefficients[i].tolist(), strict=True)),
        "sigma": ab.sigma[i],
        "r_squared": result.fit.r_squared[i],
        "n_est": ab.n_est[i],
        "raw_return": ab.firm_returns[i, zero] if day_zero else None,
        "benchmark_return": ab.benchmark_returns[i, zero] if day_zero else None,
        "abnormal_return": ab.ar[i, zero] if day_zero else None,
        "abnormal_returns": dict(zip((str(d) for d in ab.window), ab.ar[i].tolist(), strict=True)),
        "car": {str(w): table.iloc[i].to_dict() for w, table in cars.items()},
        "tests": {str(w): _tests(result, w, key) for w in cars},
    }


def _tests(result: EventStudyResult, window: Window, event: str | None) -> dict[str, object]:
    tests, recommended = result.run_tests(window, event=event)
    return {
        t.name: {
            "statistic": t.statistic,
            "df": t.df,
            "p_value": t.p_value,
            "n": t.n,
            "variant": t.variant,
            "applicable": t.applicable,
            "note": t.reason or t.note,
            "recommended": t.name in recommended,
            **({"details": dict(t.details)} if t.details else {}),
        }
        for t in tests
    }


def _average(result: EventStudyResult, window: Window) -> dict[str, object]:
    return {
        "window": [window.start, window.end],
        "caar": result.abnormal.caar(window),
        "advice": result.advice(window),
        "tests": _tests(result, window, None),
    }


def result_tables(result: EventStudyResult, windows: Sequence[Window]) -> dict[str, pd.DataFrame]:
    """Return the tables of a result by name: daily returns, CARs, tests, coefficients, audit, checks."""
    cars = {
        w: result.car(w.start, w.end).reset_index().assign(window=str(w))
        for w in windows
        if w in result.abnormal.window
    }
    daily = _daily(result)
    tables = {
        "abnormal_returns": daily,
        "car": pd.concat(list(cars.values()), ignore_index=True),
        "coefficients": result.coefficients.reset_index(),
        "audit": result.audit.reset_index(),
        "checks": pd.DataFrame([asdict(c) for c in result.checks]),
    }
    if result.abnormal.n > 1:
        tests = [result.tests(w).reset_index().assign(window=str(w)) for w in cars]
        tables["tests"] = pd.concat(tests, ignore_index=True)
    return tables


def _daily(result: EventStudyResult) -> pd.DataFrame:
    """Return raw, abnormal and standardised returns, one row an event and day."""
    ab = result.abnormal
    days = ab.window.days
    return pd.DataFrame(
        {
            "event": np.repeat(np.array(ab.keys, dtype=object), len(days)),
            "day": np.tile(days, ab.n),
            "ret": ab.firm_returns.ravel(),
            "ar": ab.ar.ravel(),
            "sar": ab.sar.ravel(),
        }
    )


def save_result(result: EventStudyResult, folder: Path) -> Path:
    """Write a result's tables, figures, specification and manifest into a folder."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; give the name of a folder, which is made if it is not there.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"The folder {folder} cannot be made ({error.strerror}); give another.") from error
    windows = default_windows(result.abnormal.window)
    written = [
        write_whole(folder / "tables" / f"{name}.csv", rounded_csv(table, index=False))
        for name, table in result_tables(result, windows).items()
    ]
    written.append(write_whole(folder / "summary.txt", summary_text(result) + "\n"))
    written.append(write_whole(folder / "result.json", to_json(result_to_dict(result, windows))))
    drawn = (
        {}
        if result.measure != "return"
        else {
            "event_day": figures.event_day(
                result.abnormal, windows[0], source=result.source_line(), when=result.when()
            ),
            "car": figures.car_paths(result.abnormal, source=result.source_line(), when=result.when()),
        }
    )
    for name, figure in drawn.items():
        written += figures.save(figure, folder / "figures", name)
    digests = {p.relative_to(folder).as_posix(): sha256(p.read_bytes()) for p in sorted(written)}
    write_whole(folder / "manifest.json", to_json({"files": digests, "provenance": asdict(result.provenance)}))
    return folder


def to_json(value: object) -> str:
    """Return JSON text with floats rounded to ten significant digits, sorted as given, LF at the end."""

    def rounded(item: object) -> object:
        if isinstance(item, dict):
            return {k: rounded(v) for k, v in item.items()}
        if isinstance(item, list):
            return [rounded(v) for v in item]
        return float(round_significant(item)) if isinstance(item, float) else item

    return json.dumps(rounded(plain(value)), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
