"""A result as plain values and as files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy import figures
from eventstudy.cells import Column, json_list
from eventstudy.errors import InvalidInput
from eventstudy.estimation.abnormal import AbnormalReturns
from eventstudy.estimation.panel import EventPanel
from eventstudy.files import sha256, write_whole
from eventstudy.inference import STANDARD
from eventstudy.inference.asked import ask_of
from eventstudy.study.summary import LOG_UNIT, ResultFields, default_windows, summary_text
from eventstudy.study.tables import (
    advised,
    frame_of_cars,
    frame_of_coefficients,
    frame_of_tests,
    rounded_csv,
    shown_tests,
)
from eventstudy.windows import Window
from eventstudy.wording import iso_days, long_day, round_significant

if TYPE_CHECKING:
    from eventstudy.figures.figure import HouseFigure


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


#: So many events are tested one by one; of more each has the `t_pe` of its CAR.
ONE_BY_ONE = 200
LEFT_OUT = (
    f"The tests of single events are left out of more than {ONE_BY_ONE} events: car has each one's t with prediction error (t_pe), "
    "result.tests(event=...) all of one."
)


def result_to_dict(result: ResultFields, windows: Sequence[Window], *, rounded: bool = False) -> dict[str, object]:
    """Return a result as plain values.

    Returns
    -------
    dict
        ``specification``, ``events`` (one an event: ticker, session, coefficients, the event-day ``raw_return`` and
        ``abnormal_return``, ``car`` by window, single-event tests of up to 200 events), ``averages`` by window, ``audit``, ``dropped``,
        ``checks``, ``findings`` (of the checks of prices), ``provenance``; ``left_out``, if something is. Returns are fractions, or log
        points if the specification says ``log``; numbers keep all their digits unless they are to be ``rounded``.
    """
    chosen = [w for w in windows if w in result.abnormal.window]
    many = result.abnormal.n > ONE_BY_ONE
    rest = _rest(result, chosen, rounded)
    return {
        "specification": plain(specification(result)),
        "events": _records(_event_columns(result, chosen, rounded, many), result.abnormal.n),
        "averages": rest.pop("averages"),
        "audit": _records(_columns_of(result.audit.reset_index(), rounded), len(result.audit)),
        **rest,
    }


def _rest(result: ResultFields, windows: Sequence[Window], rounded: bool) -> dict[str, object]:
    """Return what a result says beside the events and the audit."""
    if result.abnormal.n > 1:
        ask_of(result.abnormal, windows, STANDARD)
    rest = plain(
        {
            "averages": [_average(result, w) for w in windows] if result.abnormal.n > 1 else [],
            "dropped": [{"ticker": d.event.ticker, "asked": d.event.asked, "reason": d.reason} for d in result.dropped],
            "checks": [asdict(c) for c in result.checks],
            "findings": [f.to_dict() for f in result.findings],
            "provenance": asdict(result.provenance),
            **({"left_out": LEFT_OUT} if result.abnormal.n > ONE_BY_ONE else {}),
        }
    )
    rest = _rounded(rest) if rounded else rest
    assert isinstance(rest, dict)
    return rest


def result_text(result: ResultFields, windows: Sequence[Window]) -> str:
    """Return `result_to_dict` as JSON text with rounded numbers; the events and the audit of many events by columns."""
    if result.abnormal.n <= ONE_BY_ONE:
        return json_text(result_to_dict(result, windows, rounded=True))
    chosen = [w for w in windows if w in result.abnormal.window]
    rest = _rest(result, chosen, rounded=True)
    audit = _columns_of(result.audit.reset_index(), rounded=True)
    long = {
        "events": json_list(_event_columns(result, chosen, rounded=True, many=True), result.abnormal.n, depth=1),
        "audit": json_list(audit, len(result.audit), depth=1),
    }
    text = json_text(
        {
            "specification": plain(specification(result)),
            "events": [],
            "averages": rest.pop("averages"),
            "audit": [],
            **rest,
        }
    )
    pieces = list[str]()
    for name, rows in long.items():
        place = f'\n "{name}": '
        before, _, text = text.partition(f"{place}[]")
        pieces += [before, place, rows]
    return "".join([*pieces, text])


def _columns_of(table: pd.DataFrame, rounded: bool) -> dict[str, Column]:
    """Return the columns of a table by name."""
    return {
        str(name): round_significant(column.to_numpy()) if rounded and column.dtype.kind == "f" else column.tolist()
        for name, column in table.items()
    }


def _records(columns: Mapping[str, Column], n: int) -> list[dict[str, object]]:
    """Return a dict for each of n rows of columns by name."""
    cells = [_records(c, n) if isinstance(c, Mapping) else _cells(c) for c in columns.values()]
    return (
        [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]
        if columns
        else [{} for _ in range(n)]
    )


def _cells(values: NDArray[Any] | Sequence[object]) -> list[object]:
    """Return a column as JSON holds it: NaN and infinities become null."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        return [plain(value) for value in (values.tolist() if isinstance(values, np.ndarray) else values)]
    cells = values.astype(object)
    cells[~np.isfinite(values)] = None
    return list(cells.tolist())


def describe_figure(figure: HouseFigure, result: ResultFields) -> HouseFigure:
    """Add to a figure what its result knows: the specification, and the digest of the prices if there are any."""
    digest = result.provenance.digest
    return figure.describe(parameters={"study": specification(result)}, inputs={"prices": digest} if digest else {})


def source_line(result: ResultFields, names: Mapping[str, str] | None = None) -> str:
    """Return source, vintage, model and benchmark as one line for the foot of a figure, the benchmark by its name if it has one."""
    origin = result.provenance
    vintage = f" (downloads of {origin.retrieved})" if origin.retrieved else ""
    benchmark = result.model.benchmark
    against = f" on {(names or {}).get(benchmark, benchmark)}" if benchmark else ""
    unit = f" {LOG_UNIT}." if result.abnormal.log else ""
    return f"Source: {origin.label}{vintage}. {result.model.name.capitalize()}{against}.{unit}"


def when(panel: EventPanel) -> str:
    """Return the session of the events in words, ``27 January 2025``; empty if they do not share one."""
    return long_day(panel.sessions[0]) if (panel.position == panel.position[0]).all() else ""


def specification(result: ResultFields) -> dict[str, object]:
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


def _event_columns(result: ResultFields, windows: Sequence[Window], rounded: bool, many: bool) -> dict[str, Column]:
    """Return what is said of each event, column by column."""
    ab, fit, listed = result.abnormal, result.fit, result.panel.events
    given = round_significant if rounded else np.asarray
    none: list[object] = [None] * ab.n
    day = -ab.window.start if 0 in ab.window else None
    raw: tuple[Column, Column] = (none, none)
    if day is not None:
        found = ab.rows_of(lambda part: np.stack([part.firm_returns[:, day], part.benchmark_returns[:, day]], axis=1))
        raw = (given(found[:, 0]), given(found[:, 1]))
    ar, coefficients = given(ab.ar), given(fit.coefficients)
    columns: dict[str, Column] = {
        "event": list(ab.keys),
        "ticker": listed.tickers.tolist(),
        "label": listed.labels.tolist(),
        "group": listed.groups.tolist(),
        "asked": listed.asked,
        "session": iso_days(result.panel.sessions),
        "coefficients": dict(zip(fit.names, coefficients.T, strict=True)),
        "sigma": given(ab.sigma),
        "r_squared": given(fit.r_squared),
        "n_est": ab.n_est,
        "raw_return": raw[0],
        "benchmark_return": raw[1],
        "abnormal_return": none if day is None else ar[:, day],
        "abnormal_returns": dict(zip(map(str, ab.window), ar.T, strict=True)),
        "car": {str(w): _cars(ab, w, rounded) for w in windows},
    }
    if not many:
        tests = [{str(w): plain(_tests(ab.take(np.array([i])), w)) for w in windows} for i in range(ab.n)]
        columns["tests"] = [_rounded(test) if rounded else test for test in tests]
    return columns


def _cars(ab: AbnormalReturns, window: Window, rounded: bool) -> dict[str, Column]:
    """Return the columns of `frame_of_cars`; numbers are floats but in a table that has notes."""
    table = frame_of_cars(ab, window)
    columns: dict[str, Column] = {}
    for name, column in table.items():
        values = np.asarray(column) if "note" in table else np.asarray(column, dtype=np.float64)
        columns[str(name)] = round_significant(values) if rounded and values.dtype.kind == "f" else values
    return columns


def _tests(abnormal: AbnormalReturns, window: Window) -> dict[str, object]:
    tests, recommended = shown_tests(abnormal, window)
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


def _average(result: ResultFields, window: Window) -> dict[str, object]:
    return {
        "window": [window.start, window.end],
        "caar": result.abnormal.caar(window),
        "advice": advised(result.abnormal, window).sentence,
        "tests": _tests(result.abnormal, window),
    }


def result_tables(result: ResultFields, windows: Sequence[Window]) -> dict[str, pd.DataFrame]:
    """Return the tables of a result by name: daily returns, CARs, tests, coefficients, audit, checks."""
    ab = result.abnormal
    cars = {w: frame_of_cars(ab, w).reset_index().assign(window=str(w)) for w in windows if w in ab.window}
    tables = {
        "abnormal_returns": _daily(ab),
        "car": pd.concat(list(cars.values()), ignore_index=True).pipe(_notes_last),
        "coefficients": frame_of_coefficients(ab, result.fit).reset_index(),
        "audit": result.audit.reset_index(),
        "checks": pd.DataFrame([asdict(c) for c in result.checks]),
    }
    if ab.n > 1:
        tests = [frame_of_tests(*shown_tests(ab, w)).reset_index().assign(window=str(w)) for w in cars]
        tables["tests"] = pd.concat(tests, ignore_index=True)
    return tables


def _notes_last(table: pd.DataFrame) -> pd.DataFrame:
    """Return CARs of several windows with the notes of those without a sum as the last column, if there are any."""
    return table.assign(note=table.pop("note").fillna("")) if "note" in table else table


def _daily(ab: AbnormalReturns) -> pd.DataFrame:
    """Return raw, abnormal and standardised returns, one row an event and day."""
    days, found = ab.window.days, ab.rows_of(lambda part: np.stack([part.firm_returns, part.sar], axis=1))
    return pd.DataFrame(
        {
            "event": pd.Index(ab.keys).repeat(len(days)),
            "day": np.tile(days, ab.n),
            "ret": found[:, 0].ravel(),
            "ar": ab.ar.ravel(),
            "sar": found[:, 1].ravel(),
        }
    )


def save_result(result: ResultFields, folder: Path) -> Path:
    """Write a result's tables, figures, specification and manifest into a folder."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; give the name of a folder, which is made if it is not there.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"The folder {folder} cannot be made ({error.strerror}); give another.") from error
    windows = default_windows(result.abnormal.window)
    if result.abnormal.n > 1:
        ask_of(result.abnormal, windows, STANDARD)
    written = [
        write_whole(folder / "tables" / f"{name}.csv", rounded_csv(table, index=False))
        for name, table in result_tables(result, windows).items()
    ]
    written.append(write_whole(folder / "summary.txt", summary_text(result) + "\n"))
    written.append(write_whole(folder / "result.json", result_text(result, windows)))
    if result.measure == "return":
        source, day = source_line(result), when(result.panel)
        drawn = {
            "event_day": figures.event_day(result.abnormal, windows[0], source=source, when=day),
            "car": figures.car_paths(result.abnormal, source=source, when=day),
        }
        for name, figure in drawn.items():
            written += figures.save(figure, folder / "figures", name)
    digests = {p.relative_to(folder).as_posix(): sha256(p.read_bytes()) for p in sorted(written)}
    write_whole(folder / "manifest.json", to_json({"files": digests, "provenance": asdict(result.provenance)}))
    return folder


def to_json(value: object) -> str:
    """Return JSON text with floats rounded to ten significant digits, sorted as given, LF at the end."""
    return json_text(_rounded(plain(value)))


def json_text(value: object) -> str:
    """Return plain values as JSON text, LF at the end."""
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _rounded(item: object) -> object:
    """Return plain values with floats rounded to ten significant digits."""
    if isinstance(item, dict):
        return {k: _rounded(v) for k, v in item.items()}
    if isinstance(item, list):
        return [_rounded(v) for v in item]
    return float(round_significant(item)) if isinstance(item, float) else item
