"""Tables and lists of many rows as text, against pandas and the JSON encoder of Python."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from eventstudy import cells
from eventstudy.cells import json_list, long_csv
from eventstudy.wording import inert, round_significant

N = 2500
#: What a spreadsheet runs, what has to stand in quotes, what no one writes in ASCII, what a template would take for a place.
TEXTS = ["ABC#2", "=1+1", "a, b", 'say "so"', "two\nlines", "Ünïted ÄG 株", "100 %s %", "", "-5", "\tx", "plain text"]


def numbers(seed: int) -> np.ndarray:
    """Return numbers of every size, whole ones, zeros, ends of ranges, NaN and infinities, rounded."""
    g = np.random.default_rng(seed)
    x = g.normal(0.0, 0.02, N)
    x[:600] = g.normal(size=600) * 10.0 ** g.integers(-18, 18, 600)
    x[600:700] = np.round(x[600:700], 3)
    x[700:800] = g.integers(-5000, 5000, 100)
    x[800:824] = [
        *(0.0, -0.0, 1e-4, 9.999999999e-5, 1e-5, 1e9, 999999999.5, 9999999999.0, 1e10, 1e15, 1e16, 1e17),
        *(0.1, 0.5, 1.0, -1.0, 0.9999999999, 0.99999999999, 123456789.1, math.inf, -math.inf, math.nan, 5e-324, 1e308),
    ]
    return round_significant(x)


@pytest.fixture(params=["arrow", "python"])
def way(request, monkeypatch) -> str:
    if request.param == "python":
        monkeypatch.setattr(cells, "find_spec", lambda name: None)
    else:
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(cells, "TOGETHER", 700)  # several pieces, the last one shorter
    return str(request.param)


def table() -> pd.DataFrame:
    g = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "event": pd.Index([f"F{i}" for i in range(N // 5)]).repeat(5),
            "text": np.array(TEXTS, dtype=object)[g.integers(0, len(TEXTS), N)],
            "day": np.tile(np.arange(-2, 3), N // 5),
            "x": numbers(1),
            "kept": g.random(N) < 0.5,
            "note": np.where(g.random(N) < 0.5, None, np.array("a note", dtype=object)),
            "y": numbers(2),
        }
    )


@pytest.mark.parametrize("general", [True, False])
def test_a_long_table_is_what_pandas_writes(way, general):
    given = table()
    expected = given.assign(text=given["text"].map(inert)).to_csv(
        index=False, lineterminator="\n", **({"float_format": "%.10g"} if general else {})
    )
    assert long_csv(given, general=general) == expected


def test_numbers_are_rounded_before_they_are_written(way):
    values = np.random.default_rng(9).normal(0.0, 0.3, N)
    found = long_csv(pd.DataFrame({"x": values}), general=True)
    assert found == "x\n" + "".join(f"{v:.10g}\n" for v in values)


def test_a_short_table_and_one_of_other_values_are_left_to_pandas():
    assert long_csv(table().head(999), general=True) is None
    mixed = table().assign(text=[0.1, "b"] * (N // 2))
    assert long_csv(mixed, general=True) is None
    assert long_csv(table().assign(when=pd.Timestamp("2024-01-02")), general=True) is None


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_list_of_objects_is_what_python_writes(way, depth):
    given = table()
    columns = {
        "event": given["event"].tolist(),
        '100 % "sure"': given["text"].tolist(),
        "asked": [None] * N,
        "none": {},
        "coefficients": {"alpha": numbers(4), "of factors": {"beta": numbers(5), "n": np.arange(N)}},
        "kept": given["kept"].tolist(),
        "x": numbers(6),
    }

    def plain(value: object) -> object:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    def row(part: dict, i: int) -> dict:
        return {
            key: row(c, i) if isinstance(c, dict) else plain(c[i].item() if isinstance(c, np.ndarray) else c[i])
            for key, c in part.items()
        }

    rows: object = [row(columns, i) for i in range(N)]
    for _ in range(depth):
        rows = {"in": rows}
    text = json.dumps(rows, ensure_ascii=False, indent=1, allow_nan=False)
    opened, closed = text.index("["), text.rindex("]") + 1
    assert json_list(columns, N, depth) == text[opened:closed]
    assert json_list(columns, 0, depth) == "[]"
