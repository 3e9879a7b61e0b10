"""Columns of many rows as the text of CSV and JSON files: each column as texts, a text that comes often once, and rows by one template."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eventstudy.wording import inert, round_significant

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: A column: numbers, anything else, or further columns by name.
Column = NDArray[Any] | Sequence[object] | Mapping[str, "Column"]

#: From so many rows on tables are written here; and rows whose texts are held at once.
MANY, TOGETHER = 1000, 2**14
#: What a text must not hold to stand in a CSV as it is.
_MARKS = re.compile(r'[",\r\n]')


@dataclass(frozen=True, eq=False, slots=True)
class _Numbers:
    """Numbers, rounded to ten digits, and what writes one."""

    values: NDArray[np.float64]
    write: Callable[[float], str]

    def texts(self, rows: slice) -> list[str]:
        """Return the texts of some rows."""
        return [self.write(value) for value in self.values[rows].tolist()]

    def array(self, rows: slice) -> pa.StringArray:
        """Return them as Arrow writes them, but for those that it writes in another way: with an exponent, whole, or none at all."""
        import pyarrow as pa
        import pyarrow.compute as pc

        values = self.values[rows]
        size = np.abs(values)
        alike = (size >= 1e-4) & (size < 1e9) & (values != np.rint(values))
        found = pa.array(np.where(alike, values, 0.5)).cast(pa.string())
        if alike.all():
            return found
        own = pa.array([self.write(value) for value in values[~alike].tolist()], pa.string())
        return pc.replace_with_mask(found, pa.array(~alike), own)


@dataclass(frozen=True, eq=False, slots=True)
class _Others:
    """Values of any kind: each different one as text, and which one each row has."""

    written: list[str]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, values: Sequence[object] | NDArray[Any] | pd.Series[Any], write: Callable[[Any], str]) -> _Others:
        """Return the texts of values."""
        import pandas as pd

        if not isinstance(values, np.ndarray | pd.Series):
            values = np.fromiter(values, dtype=object, count=len(values))
        codes, different = pd.factorize(values, use_na_sentinel=False)
        return cls([write(value) for value in different.tolist()], np.asarray(codes, dtype=np.int64))

    def texts(self, rows: slice) -> list[str]:
        """Return the texts of some rows."""
        return [self.written[code] for code in self.codes[rows].tolist()]

    def array(self, rows: slice) -> pa.StringArray:
        """Return them as an array of Arrow."""
        import pyarrow as pa

        used, place = np.unique(self.codes[rows], return_inverse=True)
        return pa.array([self.written[code] for code in used.tolist()], pa.string()).take(pa.array(place.ravel()))


Texts = _Numbers | _Others


def _rows(marks: Sequence[str], columns: Sequence[Texts], n: int) -> str:
    """Return the text of n rows: a mark before each column and one after the last."""
    if not columns:
        return marks[0] * n
    write = _one_by_one if find_spec("pyarrow") is None else _by_arrow
    chunks = (slice(start, min(start + TOGETHER, n)) for start in range(0, n, TOGETHER))
    return "".join(write(marks, columns, rows) for rows in chunks)


def _one_by_one(marks: Sequence[str], columns: Sequence[Texts], rows: slice) -> str:
    template = "%s".join(mark.replace("%", "%%") for mark in marks)
    return "".join(map(template.__mod__, zip(*(column.texts(rows) for column in columns), strict=True)))


def _by_arrow(marks: Sequence[str], columns: Sequence[Texts], rows: slice) -> str:
    """Return the same, written by Arrow: its array of rows is one text."""
    import pyarrow.compute as pc

    parts = [part for mark, column in zip(marks, columns, strict=False) for part in (mark, column.array(rows))]
    joined = pc.binary_join_element_wise(*parts, marks[-1], "")
    return bytes(joined.buffers()[2]).decode()


# -- CSV.


def long_csv(table: pd.DataFrame, *, general: bool) -> str | None:
    """Return a table of numbers and texts as CSV, as pandas writes it without its index; None if it is short, or has columns of another kind.

    Numbers are rounded to ten digits; text that a spreadsheet would run is made inert.

    Parameters
    ----------
    general : bool
        Write numbers as ``%.10g`` does, else as Python does, with ``.0`` behind whole ones.
    """
    if len(table) < MANY:
        return None
    columns = list[Texts]()
    for k in range(table.shape[1]):
        column = table.iloc[:, k]
        if column.dtype == np.float64 and isinstance(column.dtype, np.dtype):
            columns.append(_Numbers(round_significant(column.to_numpy()), _general if general else _plain))
        elif column.dtype.kind in "iub" and isinstance(column.dtype, np.dtype):
            columns.append(_Others.of(column.to_numpy(), str))
        elif all(isinstance(v, str) or _is_missing(v) for v in column.unique().tolist()):
            columns.append(_Others.of(column, _quoted))
        else:
            return None
    head = table.iloc[:0].to_csv(index=False, lineterminator="\n")
    return head + _rows(["", *[","] * (len(columns) - 1), "\n"], columns, len(table))


def _general(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.10g}"


def _plain(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _quoted(text: object) -> str:
    """Return text as a cell of a CSV that has others, in quotes where they are needed; empty if there is none."""
    if _is_missing(text):
        return ""
    text = str(inert(text))
    if not _MARKS.search(text):
        return text
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([text, ""])
    return stream.getvalue()[:-2]


# -- JSON.


def json_list(columns: Mapping[str, Column], n: int, depth: int) -> str:
    """Return rows as a list of objects, as `json.dumps` writes it with an indent of one at some depth; NaN is null.

    Examples
    --------
    >>> print(json_list({"event": ["A", "B"], "car": {"[0, 0]": np.array([0.25, np.nan])}}, 2, 0))
    [
     {
      "event": "A",
      "car": {
       "[0, 0]": 0.25
      }
     },
     {
      "event": "B",
      "car": {
       "[0, 0]": null
      }
     }
    ]
    """
    if not n:
        return "[]"
    texts, marks = list[Texts](), [""]
    indent = "\n" + " " * (depth + 1)
    _object(columns, depth + 1, texts, marks)
    marks[0], marks[-1] = indent + marks[0], marks[-1] + ","
    return "[" + _rows(marks, texts, n)[:-1] + indent[:-1] + "]"


def _object(columns: Mapping[str, Column], depth: int, texts: list[Texts], marks: list[str]) -> None:
    """Add the columns of an object, and the marks before each and after the last."""
    marks[-1] += "{"
    for place, (name, column) in enumerate(columns.items()):
        marks[-1] += f"{',' if place else ''}\n{' ' * (depth + 1)}{json.dumps(name, ensure_ascii=False)}: "
        if isinstance(column, Mapping):
            _object(column, depth + 1, texts, marks)
            continue
        if isinstance(column, np.ndarray) and column.dtype.kind == "f":
            texts.append(_Numbers(column, _json_number))
        else:
            texts.append(_Others.of(column, _json_value))
        marks.append("")
    marks[-1] += f"\n{' ' * depth}}}" if columns else "}"


def _json_number(value: float) -> str:
    return repr(value) if math.isfinite(value) else "null"


def _json_value(value: object) -> str:
    return "null" if _is_missing(value) else json.dumps(value, ensure_ascii=False)
