"""Columns of many rows as the text of CSV and JSON files, all rows at once.

A cell is a row of bytes with zeros where it is shorter than others: columns are put side by side, and what is zero is left out. Texts are
written once for each that differs; a number of at most ten significant digits is written digit by digit for all rows, any other by itself.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eventstudy.wording import SIGNIFICANT_DIGITS, inert, round_significant

if TYPE_CHECKING:
    import pandas as pd

Bytes = NDArray[np.uint8]
#: A column: numbers, anything else, or further columns by name.
Column = NDArray[Any] | Sequence[object] | Mapping[str, "Column"]

#: From so many rows on tables are written here; and rows that are put side by side at once.
MANY, TOGETHER = 1000, 8192
#: Places before and after the point of numbers that are written without an exponent.
_WHOLE, _ZEROS = SIGNIFICANT_DIGITS, 3


def number_cells(values: NDArray[np.float64], write: Callable[[float], str], *, point: bool) -> Bytes:
    """Return numbers as texts, shape (n, width).

    Parameters
    ----------
    values : ndarray, shape (n,)
        Numbers, rounded or not.
    write : callable
        What writes one number that is not written here: NaN, one with an exponent, one of many digits.
    point : bool
        Whether whole numbers end in ``.0``, as Python's do.

    Notes
    -----
    A number of at most ten digits W and p places, ``W/10^p``, is the double nearest to it, and no other number of so few digits is: W is
    then what any exact way of writing it writes.
    """
    digits = SIGNIFICANT_DIGITS
    size = np.abs(values)
    usable = (size >= 10.0 ** -(_ZEROS + 1)) & (size < 10.0**digits)
    safe = np.where(usable, size, 1.0)
    places = (digits - 1 - np.floor(np.log10(safe))).astype(np.int64)
    power = 10.0 ** np.arange(digits + _ZEROS + 2)
    places = np.clip(places, 0, digits + _ZEROS)
    number = np.rint(safe * power[places])
    usable &= (number / power[places] == safe) & (number >= 10.0 ** (digits - 1)) & (number < 10.0**digits)
    digit = _digits(np.where(usable, number, 10.0 ** (digits - 1)))
    whole = (digits - places).astype(np.int8)  # digits before the point
    place = np.arange(digits, dtype=np.int8)[:, None]
    rest = np.maximum.accumulate(digit[::-1], axis=0)[::-1] > 0  # whether this digit, or one after it, is not zero
    after = np.concatenate([rest[1:], np.zeros((1, len(values)), dtype=np.bool_)])
    last = whole == place + 1
    out = np.zeros((3 + _ZEROS + 2 * digits + 1, len(values)), dtype=np.uint8)
    below = whole <= 0
    _mark(out[0], values < 0.0, "-")
    _mark(out[1], below, "0")
    _mark(out[2], below, ".")
    for zero in range(_ZEROS):
        _mark(out[3 + zero], whole < -zero, "0")
    of_digits, of_points = out[3 + _ZEROS : -1 : 2], out[4 + _ZEROS : -1 : 2]
    np.multiply(digit + np.uint8(ord("0")), rest | (place < whole), out=of_digits)
    _mark(of_points, last & (after | point), ".")
    if point:
        of_digits[1:] |= np.uint8(ord("0")) * (last & ~after)[:-1]
        out[-1] |= np.uint8(ord("0")) * (last & ~after)[-1]
    return _put(out.T, np.flatnonzero(~usable), [write(v) for v in values[~usable].tolist()])


def _mark(out: Bytes, where: NDArray[np.bool_], sign: str) -> None:
    np.multiply(where, np.uint8(ord(sign)), out=out)


def _digits(number: NDArray[np.float64]) -> Bytes:
    """Return the ten digits of whole numbers, the first one first, shape (10, n)."""
    found = np.empty((10, len(number)), dtype=np.uint8)
    high = np.floor(number / 1e5)
    for first, half in ((9, number - 1e5 * high), (4, high)):
        rest = half.astype(np.uint32)
        for place in range(first, first - 5, -1):
            tens = rest // np.uint32(10)
            np.subtract(rest, np.uint32(10) * tens, out=found[place], casting="unsafe")
            rest = tens
    return found


def _put(out: Bytes, rows: NDArray[np.int64], texts: Sequence[str]) -> Bytes:
    """Return cells with other texts in some rows."""
    if not len(rows):
        return out
    own = _encoded(texts)
    if own.shape[1] > out.shape[1]:
        out = np.pad(out, ((0, 0), (0, own.shape[1] - out.shape[1])))
    out[rows] = 0
    out[rows, : own.shape[1]] = own
    return out


def _encoded(texts: Sequence[str]) -> Bytes:
    """Return texts as bytes, shape (n, width)."""
    found = np.array([text.encode() for text in texts], dtype=np.bytes_)
    return found.view(np.uint8).reshape(len(found), -1) if found.dtype.itemsize else np.zeros((len(found), 1), np.uint8)


def text_cells(values: Sequence[object] | NDArray[Any], write: Callable[[Any], str]) -> tuple[Bytes, NDArray[np.int64]]:
    """Return each different value as text, and which one each row has."""
    import pandas as pd

    if not isinstance(values, np.ndarray):
        values = np.fromiter(values, dtype=object, count=len(values))
    codes, different = pd.factorize(values, use_na_sentinel=False)
    return _encoded([write(v) for v in different.tolist()]), np.asarray(codes, dtype=np.int64)


# -- CSV.


def long_csv(table: pd.DataFrame, number: Callable[[float], str], *, point: bool) -> str | None:
    """Return a table of numbers and texts as CSV, as pandas writes it without its index; None if it is short, or has columns of another kind.

    Numbers are rounded to ten digits.

    Parameters
    ----------
    number : callable
        What writes a number; all but a few are written here.
    point : bool
        Whether it writes whole numbers with ``.0``.
    """
    if len(table) < MANY:
        return None

    def missing(write: Callable[[Any], str]) -> Callable[[Any], str]:
        return lambda value: "" if _is_missing(value) else write(value)

    parts = list[Callable[[slice], Bytes]]()
    for k in range(table.shape[1]):
        column = table.iloc[:, k]
        kind = column.dtype.kind
        if column.dtype == np.float64 and isinstance(column.dtype, np.dtype):
            parts.append(_numbers(round_significant(column.to_numpy()), missing(number), point))
        elif kind in "iub" and isinstance(column.dtype, np.dtype):
            parts.append(_texts(column.to_numpy(), str))
        else:
            values = column.to_numpy(dtype=object)
            if not all(isinstance(v, str) or _is_missing(v) for v in values.tolist()):
                return None
            parts.append(_texts(values, missing(_quoted)))
    head = table.iloc[:0].to_csv(index=False, lineterminator="\n")
    return head + _joined(parts, [b""] + [b","] * (len(parts) - 1) + [b"\n"], len(table))


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _quoted(text: str) -> str:
    """Return text as a cell of a CSV that has others, in quotes where they are needed; a spreadsheet does not run it."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([inert(text), ""])
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
    parts, marks = list[Callable[[slice], Bytes]](), [b""]
    _json_object(columns, depth + 1, parts, marks)
    indent = "\n" + " " * (depth + 1)
    marks[0], marks[-1] = indent.encode() + marks[0], marks[-1] + b","
    return "[" + _joined(parts, marks, n)[:-1] + indent[:-1] + "]"


def _json_object(
    columns: Mapping[str, Column], depth: int, parts: list[Callable[[slice], Bytes]], marks: list[bytes]
) -> None:
    """Add the columns of an object to those of the rows, with the marks before each and after the last."""
    if not columns:
        marks[-1] += b"{}"
        return
    marks[-1] += b"{"
    for place, (name, column) in enumerate(columns.items()):
        between = ",\n" if place else "\n"
        marks[-1] += f"{between}{' ' * (depth + 1)}{json.dumps(name, ensure_ascii=False)}: ".encode()
        if isinstance(column, Mapping):
            _json_object(column, depth + 1, parts, marks)
            continue
        if isinstance(column, np.ndarray) and column.dtype.kind == "f":
            parts.append(_numbers(column, _json_number, point=True))
        else:
            parts.append(_texts(column, _json_value))
        marks.append(b"")
    marks[-1] += f"\n{' ' * depth}}}".encode()


def _json_number(value: float) -> str:
    return repr(value) if abs(value) < float("inf") else "null"


def _json_value(value: object) -> str:
    return "null" if _is_missing(value) else json.dumps(value, ensure_ascii=False)


# -- Columns side by side.


def _numbers(values: NDArray[np.float64], write: Callable[[float], str], point: bool) -> Callable[[slice], Bytes]:
    return lambda rows: number_cells(values[rows], write, point=point)


def _texts(values: Sequence[object] | NDArray[Any], write: Callable[[Any], str]) -> Callable[[slice], Bytes]:
    cells, codes = text_cells(values, write)
    return lambda rows: cells[codes[rows]]


def _joined(parts: Sequence[Callable[[slice], Bytes]], marks: Sequence[bytes], n: int) -> str:
    """Return the text of n rows: a mark before each column and one after the last."""
    return b"".join(_pieces(parts, marks, n)).decode()


def _pieces(parts: Sequence[Callable[[slice], Bytes]], marks: Sequence[bytes], n: int) -> Iterator[bytes]:
    fixed = [np.frombuffer(mark, dtype=np.uint8) for mark in marks]
    for start in range(0, n, TOGETHER):
        rows = slice(start, min(start + TOGETHER, n))
        count, side = rows.stop - start, list[Bytes]()
        for place, mark in enumerate(fixed):
            if len(mark):
                side.append(np.broadcast_to(mark, (count, len(mark))))
            if place < len(parts):
                side.append(parts[place](rows))
        together = np.concatenate(side, axis=1).ravel()
        yield together[together != 0].tobytes()
