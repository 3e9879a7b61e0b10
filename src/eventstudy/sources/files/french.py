"""Daily factors from the files of Kenneth R. French's data library."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.days import refuse_other_frequency
from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, InvalidInput
from eventstudy.files import read_up_to
from eventstudy.sources.files.cells import shown
from eventstudy.sources.files.layouts import HEADERS, meaning
from eventstudy.wording import iso_day
from eventstudy.written_days import read_days

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A century of daily factors has 1.5 MB.
MAX_BYTES = 32 * 1024**2
#: Over so many days some market return is larger than a quarter of a per cent.
LEAST_DAYS, QUIET = 20, 0.25
_MISSING = (-99.99, -999.0)
_FIGURE = r"\s*-?(\d{1,4}(\.\d{1,6})?|\.\d{1,6})\s*"
_ROW = re.compile(r"\s*(\d{4,8})\s*,")


def read_french_factors(path: str | Path | Sequence[str | Path]) -> pd.DataFrame:
    """Read daily factors from the data library's own files, as downloaded.

    Parameters
    ----------
    path : path or sequence of paths
        ``F-F_Research_Data_5_Factors_2x3_daily_CSV.zip`` and the like, zipped or not: three factors, five factors, momentum, reversal.
        Several are joined by day.

    Returns
    -------
    DataFrame
        Dates × ``mkt_rf``, ``smb``, ``hml``, ``rmw``, ``cma``, ``mom``, ``rf`` (those that the files have): fractions a day, as
        `load_factors` returns them. Codes for missing (-99.99, -999) are NaN. Of several files, the days that all of them span.

    Raises
    ------
    DataMissing
        If there is no such file.
    InvalidInput
        If a file is no zip or CSV file of the library, is too large, or holds weeks or months in place of days.
    DataUnfit
        If a file is damaged; if two files differ in a column or in a day that both should have.

    Notes
    -----
    The files give per cent. The ``smb`` of the three factors is another portfolio than that of the five, so that those two files
    cannot be joined.

    References
    ----------
    Fama, E. F. and French, K. R. (1993), Journal of Financial Economics 33, 3-56; (2015), 116, 1-22.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    if not paths:
        raise InvalidInput(
            "No factor file is named; give the path of one, e.g. 'F-F_Research_Data_Factors_daily_CSV.zip'."
        )
    tables = [(Path(p).name, _read_one(Path(p))) for p in paths]
    first_name, joined = tables[0]
    for name, table in tables[1:]:
        joined = _join(joined, table, first_name, name)
        first_name = f"{first_name} with {name}"
    order = [c for c in HEADERS["factors"] if c in joined.columns]
    return joined[order]


def _read_one(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise DataMissing(
            f"There is no factor file {file.name}; download it from the data library and check the name.",
            file=file.name,
        )
    try:
        data = _unzipped(file) if file.suffix.lower() == ".zip" else _bounded(file.open("rb"), file.name)
    except EventStudyError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, KeyError) as error:
        raise DataUnfit(
            f"{file.name} is damaged or no zip file: {str(error)[:200]}. Download it again.", file=file.name
        ) from error
    if b"\0" in data:
        raise DataUnfit(f"{file.name} holds NUL bytes; it is no text of the data library.", file=file.name)
    return _parsed(data.decode("latin-1"), file.name)  # the footer's sign for copyright is not UTF-8 in older files


def _bounded(stream: IO[bytes], name: str) -> bytes:
    with stream:
        data = read_up_to(stream, MAX_BYTES)
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            f"{name} unpacks to more than {MAX_BYTES / 1024**2:.0f} MB; a factor file has one or two.", file=name
        )
    return data


def _unzipped(file: Path) -> bytes:
    """Return the one text of a zip file; nothing is written to disk, whatever the names in it."""
    with zipfile.ZipFile(file) as packed:
        members = [m for m in packed.infolist() if not m.is_dir()]
        texts = [m for m in members if m.filename.lower().endswith((".csv", ".txt"))]
        if len(members) > 10 or len(texts) != 1:
            raise InvalidInput(
                f"{file.name} holds {len(members)} files, {len(texts)} of them text; a file of the data library holds one."
            )
        return _bounded(packed.open(texts[0]), file.name)


def _parsed(text: str, name: str) -> pd.DataFrame:
    """Find the header and the rows of days below it."""
    lines = text.splitlines()
    begin = next((i for i, line in enumerate(lines) if _ROW.match(line)), None)
    if begin is None or begin == 0:
        raise InvalidInput(
            f"{name} has no header with rows of days (20250127, …) below it; is it a daily factor file of the data library?"
        )
    above = next((i for i in range(begin - 1, -1, -1) if lines[i].strip()), 0)
    header = next(csv.reader([lines[above]]))
    names = [meaning(c, "factors") for c in header[1:]]
    if not names or "" in names or len(set(names)) != len(names):
        raise InvalidInput(
            f"{name} has the columns {', '.join(repr(c.strip()[:30]) for c in header[1:13])}; known are Mkt-RF, SMB, HML, RMW, CMA, Mom, "
            f"ST_Rev, LT_Rev and RF, each once."
        )
    end = next((i for i in range(begin, len(lines)) if not _ROW.match(lines[i])), len(lines))
    rest = [line for line in lines[end:] if _ROW.match(line)]
    rows = [line.split(",") for line in lines[begin:end]]
    if len(rows[0][0].strip()) != 8:
        raise InvalidInput(
            f"{name} begins with {rows[0][0].strip()}, so its rows are months or years; an event study needs the daily file "
            f"(…_daily_CSV.zip)."
        )
    if rest:
        raise DataUnfit(
            f"{name} goes on with {shown(rest[0])} after line {end + 1}, which is no row; download it again."
        )
    return _table(rows, names, name, begin)


def _table(rows: list[list[str]], names: list[str], name: str, begin: int) -> pd.DataFrame:
    for place, row in enumerate(rows):
        if len(row) != len(names) + 1:
            raise DataUnfit(
                f"{name} has {len(row)} cells in line {begin + place + 1}, where the header has {len(names) + 1}; download it again."
            )
    days = read_days(pd.Series([row[0].strip() for row in rows], dtype=object), name)
    back = np.flatnonzero(np.diff(days.to_numpy()) <= np.timedelta64(0, "D"))
    if len(back):
        raise DataUnfit(
            f"{name} has {iso_day(days[back[0] + 1])} after {iso_day(days[back[0]])}; days must ascend. Download it again."
        )
    refuse_other_frequency(days, f"{name} (the daily files are called …_daily_CSV.zip)")
    cells = pd.DataFrame([row[1:] for row in rows], columns=names)
    wrong = np.argwhere(~cells.apply(lambda column: column.str.fullmatch(_FIGURE)).to_numpy(dtype=bool))
    if len(wrong):
        place, column = wrong[0]
        raise DataUnfit(
            f"{name} has {shown(cells.iloc[place, column])} as {names[column]} in line {begin + place + 1}; download it again."
        )
    values = cells.to_numpy(dtype=np.float64, copy=True)
    values[np.isin(values, _MISSING)] = np.nan
    if (np.abs(values[~np.isnan(values)]) >= 100.0).any():
        place = int((np.abs(np.nan_to_num(values)) >= 100.0).any(axis=1).argmax())
        raise DataUnfit(f"{name} has a factor of 100 % or more in line {begin + place + 1}; download it again.")
    _check_per_cent(values, names, name)
    return pd.DataFrame(values / 100.0, index=days, columns=names)


def _check_per_cent(values: np.ndarray, names: list[str], name: str) -> None:
    """Refuse a file of fractions, known by a market factor that never moves by a quarter of a per cent."""
    rows = [i for i, n in enumerate(names) if n == "mkt_rf"] or [i for i, n in enumerate(names) if n != "rf"]
    moves = np.abs(np.where(np.isclose(values[:, rows], -0.9999), np.nan, values[:, rows]))  # -99.99 as a fraction
    fewest = LEAST_DAYS if "mkt_rf" in names else 10 * LEAST_DAYS
    if (~np.isnan(moves)).sum() < fewest:
        return
    largest = float(np.nanmax(moves))
    if largest < QUIET:
        raise InvalidInput(
            f"{name} has no day on which {names[rows[0]]} is larger than {largest:g}; the data library gives per cent, so the file seems to "
            f"hold fractions. Download it again, or hand the table over as it is (factors in fractions) in place of the file.",
            file=name,
        )


def _join(left: pd.DataFrame, right: pd.DataFrame, left_name: str, right_name: str) -> pd.DataFrame:
    """Join two tables on the days that both span; what both have must be equal."""
    first, last = max(left.index[0], right.index[0]), min(left.index[-1], right.index[-1])
    a, b = left.loc[first:last], right.loc[first:last]
    odd = a.index.symmetric_difference(b.index)
    if first > last or len(odd):
        what = f"only one of them has {iso_day(odd[0])}" if len(odd) else "they have no day in common"
        raise DataUnfit(f"{left_name} and {right_name} do not fit together: {what}. Download both on the same day.")
    for column in a.columns.intersection(b.columns):
        differs = ~((a[column] == b[column]) | (a[column].isna() & b[column].isna()))
        if differs.any():
            day = a.index[differs.to_numpy()][0]
            why = (
                " The smb of three factors is another portfolio than that of five: give one of these files."
                if column == "smb"
                else ""
            )
            raise DataUnfit(
                f"{left_name} and {right_name} differ in {column} on {iso_day(day)} ({a.loc[day, column]:g}, {b.loc[day, column]:g}).{why} "
                f"Download both on the same day."
            )
    return a.join(b[[c for c in b.columns if c not in a.columns]])
