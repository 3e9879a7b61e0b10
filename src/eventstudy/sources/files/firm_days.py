"""Returns in rows, one a firm and day, that may be larger than the memory: Parquet data sets, pyarrow Datasets, Dask DataFrames.

Of the rows only those of a study's firms and days are read, one record batch after the other, and each batch is put into the matrix at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, InvalidInput, require_memory
from eventstudy.files import check_file_name
from eventstudy.prices.table import daily_index
from eventstudy.sources.files.cells import column_names, read_numbers, shown
from eventstudy.sources.files.layouts import columns_of_kind, meaning
from eventstudy.wording import did_you_mean, first_few, iso_day, plural

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

IntArray = NDArray[np.int64]

#: Rows that are read at once.
BATCH = 2**20
#: A day for which there is no row: not the number that an empty cell is read as.
_NO_ROW = np.uint64(0x7FF8_0000_0E57_0DD1)
#: Firms whose cells are looked at together.
_FIRMS = 256
#: Days of the calendar in so many sessions at most, where holidays are many: a guess that is looked at once the days are there.
_DAYS_A_SESSION, _HOLIDAYS = 1.6, 40
_NEEDED = "Needed are rows with a firm (ticker), a date and a return (ret)"
_SHOWN = 12


@dataclass(frozen=True)
class Needed:
    """Which rows a study needs.

    Attributes
    ----------
    firms : tuple of str
        The firms that have events.
    columns : tuple of str
        The model's columns; those that are not among the rows are left out.
    benchmark : str or None
        Whose days are the sessions; None if they are those of any firm.
    first, last : datetime64
        First and last day of an event.
    before, after : int
        Sessions before the first day and after the last.
    others : DatetimeIndex or None
        Days of the factors that were handed in: no other is a session.
    """

    firms: tuple[str, ...]
    columns: tuple[str, ...]
    benchmark: str | None
    first: np.datetime64
    last: np.datetime64
    before: int
    after: int
    others: pd.DatetimeIndex | None = None

    @property
    def names(self) -> list[str]:
        """Firms and columns, each once."""
        return list(dict.fromkeys([*self.firms, *self.columns]))

    @property
    def bounds(self) -> tuple[np.datetime64, np.datetime64]:
        """The days between which the sessions should lie."""
        back, ahead = (int(_DAYS_A_SESSION * n) + _HOLIDAYS for n in (self.before, self.after))
        return self.first.astype("datetime64[D]") - back, self.last.astype("datetime64[D]") + ahead

    def suffices(self, table: pd.DataFrame) -> bool:
        """Tell whether a table has the sessions before the first day and after the last."""
        days = pd.DatetimeIndex(table.index)
        if self.benchmark is None or (self.others is not None and self.benchmark not in table):
            seen = np.ones(len(days), dtype=np.bool_)
        elif self.benchmark not in table:
            return False
        else:
            seen = table[self.benchmark].notna().to_numpy()
        if self.others is not None:
            seen = seen & days.isin(self.others)
        sessions = days[seen].to_numpy(dtype="datetime64[D]")
        first, last = self.first.astype("datetime64[D]"), self.last.astype("datetime64[D]")
        return bool((sessions < first).sum() >= self.before and (sessions > last).sum() >= self.after)


def is_firm_days(data: object) -> bool:
    """Tell whether data are a Parquet file, a folder, a pyarrow Dataset or a Dask DataFrame; no library is imported to tell."""
    if isinstance(data, str | Path):
        return str(data).lower().endswith((".parquet", "/", "\\")) or Path(data).is_dir()
    known = sys.modules.get("pyarrow.dataset")
    return _is_dask(data) or (known is not None and isinstance(data, known.Dataset))


class Found(NamedTuple):
    """A wide table of returns, firm-major in memory, what is to be said of how its dates were read, and its figures with rows behind them for the columns that are not there."""

    table: pd.DataFrame
    said: str
    room: NDArray[np.float64]


def read_firm_days(data: object, needed: Needed, exchange: str | None = None) -> Found:
    """Return the rows that a study needs as a wide table of returns.

    Raises
    ------
    DataMissing
        If there is no such file or folder, or no row of a firm.
    DataUnfit
        If a file is damaged, a return is no number, or a firm has two rows on one day.
    InvalidInput
        If pyarrow is wanting, a column is not there, the rows hold prices, or dates are of another form.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise InvalidInput(
            "Reading Parquet data sets needs pyarrow: pip install 'eventstudy-finance[scale]'."
        ) from error
    try:
        rows = _opened(data)
        reader = _Reader(rows, _chosen(rows, needed), needed, exchange)
        found = reader.read(needed.bounds)
        if not needed.suffices(found.table) or reader.lacking(found.table):
            del found
            found = reader.read(None)
        reader.require_firms(found.table)
    except EventStudyError:
        raise
    except (pa.ArrowException, OSError) as error:
        name, reason = _name(data), str(error).split("\n")[0][:200]
        how = " as Parquet" if isinstance(data, str | Path) else ""
        raise DataUnfit(f"{name} is not readable{how}: {reason}.", file=name) from error
    pa.default_memory_pool().release_unused()
    return found


# -- What holds the rows.


class Rows:
    """A pyarrow Dataset."""

    def __init__(self, data: ds.Dataset, name: str) -> None:
        self.data, self.name = data, name

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types."""
        return self.data.schema

    def batches(
        self, columns: Sequence[str], where: pc.Expression | None, of: Sequence[str] = ()
    ) -> Iterator[pa.RecordBatch]:
        """Yield columns of the rows of which something is true, so many at a time; ``of``: the columns that it speaks of."""
        import pyarrow.dataset as ds

        parquet = isinstance(getattr(self.data, "format", None), ds.ParquetFileFormat)
        options = {"fragment_scan_options": ds.ParquetFragmentScanOptions(pre_buffer=False)} if parquet else {}
        yield from self.data.to_batches(
            columns=list(columns), filter=where, batch_size=BATCH, batch_readahead=1, fragment_readahead=1, **options
        )


class DaskRows:
    """A Dask DataFrame: its partitions are computed one after the other."""

    def __init__(self, data: Any, name: str) -> None:
        self.data, self.name = data if data.index.name is None else data.reset_index(), name

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types."""
        import pyarrow as pa

        return pa.Schema.from_pandas(self.data._meta_nonempty, preserve_index=False)

    def batches(
        self, columns: Sequence[str], where: pc.Expression | None, of: Sequence[str] = ()
    ) -> Iterator[pa.RecordBatch]:
        """Yield columns of the rows of which something is true, a partition after the other; ``of``: the columns that it speaks of."""
        import pyarrow as pa

        needed = list(dict.fromkeys([*columns, *of]))
        schema = pa.schema([self.schema.field(c) for c in needed])
        for part in self.data[needed].partitions:
            table = pa.Table.from_pandas(part.compute(), schema=schema, preserve_index=False)
            chosen = (table if where is None else table.filter(where)).select(list(columns))
            yield from chosen.to_batches(max_chunksize=BATCH)


def _is_dask(data: object) -> bool:
    kind = type(data)
    return kind.__module__.split(".")[0] in {"dask", "dask_expr"} and hasattr(kind, "partitions")


def _opened(data: Any) -> Rows | DaskRows:
    if _is_dask(data):
        return DaskRows(data, _name(data))
    return Rows(_folder(Path(data)) if isinstance(data, str | Path) else data, _name(data))


def _name(data: object) -> str:
    """Return what to call data in a message."""
    if isinstance(data, str | Path):
        return Path(data).name or str(data)
    return f"The {'Dask DataFrame' if _is_dask(data) else 'data set'}"


def _folder(path: Path) -> ds.Dataset:
    """Return the Parquet files of a folder and of folders in it, or one file; words of folders such as ``ticker=AAPL`` are columns of text."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    if path.is_dir():
        inside = (f for f in path.rglob("*.parquet") if f.is_file())
        files = sorted(str(f) for f in inside if not any(p[0] in "._" for p in f.relative_to(path).parts))
    else:
        files = [str(path)] if path.is_file() else []
    if not files:
        what = "no Parquet file in the folder" if path.is_dir() else "no file or folder"
        raise DataMissing(f"There is {what} {path}; check the name and the folder.", file=str(path))
    check_file_name(path)
    own = pq.read_schema(files[0])
    keys = dict(re.findall(r"([^/\\=]+)=([^/\\]*)[/\\]", files[0][len(str(path)) :]))
    known = [pa.field(k, own.field(k).type if k in own.names else pa.string()) for k in keys]
    return ds.dataset(files, format="parquet", partitioning=ds.partitioning(pa.schema(known), flavor="hive"))


# -- Which columns.


class Columns(NamedTuple):
    """The columns of firms, days and returns."""

    firm: str
    date: str
    value: str


def _chosen(rows: Rows | DaskRows, needed: Needed) -> Columns:
    """Return the columns by their words; of several that name firms the first that may hold the firms of the events: numbers are no words."""
    import pyarrow.types as kinds

    names, name = list(rows.schema.names), rows.name
    words = [meaning(c) for c in names]
    kept = {"ticker", "firm", "date"}
    found = columns_of_kind("prices", names, [w if w in kept else "" for w in words], name)
    value = columns_of_kind("returns", names, [meaning(c, "returns") for c in names], name).get("return")
    if value is None and {"close", "adj_close", "last"} & set(words):
        raise InvalidInput(
            f"{name} has the columns {column_names(names)}: prices and no returns. {_NEEDED}: write the returns of each firm into a column ret, "
            f"or, if the prices fit into memory, study.run(es.load_prices(data), events).",
            columns=tuple(names),
        )
    firm = found.get("ticker", found.get("firm"))
    if all(f.isdigit() for f in needed.firms):
        numbered = (c for c in names if kinds.is_integer(_plain_type(rows.schema.field(c).type)))
        firm = next((c for c in numbered if meaning(c) in {"ticker", "firm"}), firm)
    if firm is None or "date" not in found or value is None:
        lacking = [w for w, c in (("firm", firm), ("date", found.get("date")), ("return", value)) if c is None]
        wide = " A wide table is read with pandas.read_parquet and handed over." if "firm" in lacking else ""
        raise InvalidInput(
            f"{name} has the columns {column_names(names)}, and none is known to hold a {', or a '.join(lacking)}. {_NEEDED}.{wide}",
            columns=tuple(names),
        )
    delisting = [c for c in names if meaning(c, "crsp") == "dlret"]
    if delisting:
        raise InvalidInput(
            f"{name} has delisting returns in {delisting[0]} beside {value}, which alone would leave them out. Make one return of both, "
            f"(1 + {value}) * (1 + {delisting[0]}) - 1, or leave the column out.",
            columns=tuple(names),
        )
    return Columns(firm, found["date"], value)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values of a dictionary, any other as it is."""
    import pyarrow.types as kinds

    return kind.value_type if kinds.is_dictionary(kind) else kind


# -- From rows to a matrix.


class _Axis(NamedTuple):
    """Days as they are written among the rows, the place of each on the axis of days (-1 for none), and these days."""

    written: pa.Array
    place: IntArray
    days: pd.DatetimeIndex
    said: str


@dataclass(frozen=True)
class _Reader:
    """Reads the rows of a study's firms, between some days or all."""

    rows: Rows | DaskRows
    columns: Columns
    needed: Needed
    exchange: str | None

    def read(self, bounds: tuple[np.datetime64, np.datetime64] | None) -> Found:
        """Return the columns of which there are rows."""
        names, where = self.needed.names, self._where(bounds)
        axis = self._axis(bounds, where)
        count, length = len(names), len(axis.days)
        require_memory(
            8 * count * length,
            f"The returns of {plural(count, 'firm')} on {plural(length, 'day')}",
            "study fewer firms or a shorter span",
        )
        values = np.full((count, length), _NO_ROW).view(np.float64)
        line, total = values.reshape(-1), 0
        for cells, found in self._cells(axis, where):
            line[cells] = found
            total += len(cells)
        there = self._settled(values, total, axis, where)
        names = [n for n, own in zip(names, there.tolist(), strict=True) if own]
        last = int(there.sum())
        room = values if there[:last].all() else values[there]
        return Found(pd.DataFrame(room[:last].T, index=axis.days, columns=names, copy=False), axis.said, room)

    def lacking(self, table: pd.DataFrame) -> list[str]:
        """Return the firms of events that have no row in a table."""
        there = set(table.columns.tolist())
        return [f for f in self.needed.firms if f not in there]

    def require_firms(self, table: pd.DataFrame) -> None:
        """Raise `DataMissing` if there is no row of a firm that has an event."""
        missing = self.lacking(table)
        if not missing:
            return
        import pyarrow.compute as pc

        found: set[str] = set()
        for batch in self.rows.batches([self.columns.firm], None):
            found |= set(map(str, pc.unique(batch.column(0)).drop_null().to_pylist()))
        raise DataMissing(
            f"{self.rows.name} has no row of {first_few(missing, _SHOWN)} in column {self.columns.firm}; it has rows of "
            f"{first_few(sorted(found), _SHOWN)}.{did_you_mean(missing, sorted(found))}",
            missing=tuple(missing),
            available=tuple(sorted(found)),
        )

    @property
    def _names(self) -> pa.Array:
        """The firms as the rows write them; null where they cannot."""
        import pyarrow as pa
        import pyarrow.types as kinds

        kind = _plain_type(self.rows.schema.field(self.columns.firm).type)
        if kinds.is_integer(kind):
            return pa.array([int(n) if re.fullmatch(r"[1-9]\d{0,17}", n) else None for n in self.needed.names]).cast(
                kind
            )
        if kinds.is_null(kind):  # no row has a firm
            return pa.nulls(len(self.needed.names))
        return pa.array(self.needed.names, type=pa.string()).cast(kind)

    def _where(self, bounds: tuple[np.datetime64, np.datetime64] | None) -> pc.Expression:
        """Return what is true of the rows that are needed; a row without a date is one, so that it is refused."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.types as kinds

        where = pc.field(self.columns.firm).isin(self._names.drop_null())
        kind = self.rows.schema.field(self.columns.date).type
        if bounds is None or not (kinds.is_date(kind) or kinds.is_timestamp(kind)):
            return where
        day = pc.field(self.columns.date)
        # a moment may be one of the day before or after where the market is
        first, last = (
            pa.scalar(b.astype("datetime64[s]").item(), pa.timestamp("s")).cast(pa.timestamp("ms")).cast(kind)
            if kinds.is_date(kind)
            else pa.scalar(int(b.astype("datetime64[s]").astype(np.int64)), pa.int64())
            .cast(pa.timestamp("s"))
            .cast(kind)
            for b in (bounds[0] - 2, bounds[1] + 2)
        )
        return where & (((day >= first) & (day <= last)) | day.is_null())

    def _axis(self, bounds: tuple[np.datetime64, np.datetime64] | None, where: pc.Expression) -> _Axis:
        """Return the days of the rows: read once before the figures, so that the matrix has its size."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.types as kinds

        kind = _plain_type(self.rows.schema.field(self.columns.date).type)
        written = pa.array([], type=kind)
        for batch in self.rows.batches([self.columns.date], where, self.columns[:2]):
            column = batch.column(0)
            own = pc.unique(column.cast(kind) if kinds.is_dictionary(column.type) else column)
            written = pc.unique(pa.concat_arrays([written, own]))
        if not len(written):
            return _Axis(written, np.empty(0, dtype=np.int64), pd.DatetimeIndex([], name="date"), "")
        stamps = written.cast(pa.timestamp("ms")) if kinds.is_date(kind) else written
        found = daily_index(pd.Index(stamps.to_pandas()), "returns", self.exchange)
        days = np.unique(found.days.to_numpy(dtype="datetime64[D]"))
        if bounds is not None:
            days = days[(days >= bounds[0]) & (days <= bounds[1])]
        place = pd.Index(days).get_indexer(pd.Index(found.days.to_numpy(dtype="datetime64[D]")))
        axis = pd.DatetimeIndex(days.astype("datetime64[ns]"), name="date")
        return _Axis(written, np.asarray(place, dtype=np.int64), axis, found.said)

    def _cells(self, axis: _Axis, where: pc.Expression) -> Iterator[tuple[IntArray, NDArray[np.float64]]]:
        """Yield by record batches the cells of the matrix, counted row by row, and the figures that belong there."""
        names = self._names
        for batch in self.rows.batches(self.columns, where, self.columns[:2]):
            firm, day = _places(batch.column(0), names), _places(batch.column(1), axis.written)
            day = np.append(axis.place, -1)[day]
            kept = (firm >= 0) & (day >= 0)
            cells = firm * len(axis.days) + day
            values = self._figures(batch.column(2), cells, axis)
            yield (cells, values) if kept.all() else (cells[kept], values[kept])

    def _figures(self, column: pa.Array, cells: IntArray, axis: _Axis) -> NDArray[np.float64]:
        """Return figures, NaN where there is none."""
        import pyarrow as pa
        import pyarrow.types as kinds

        kind = column.type
        if kinds.is_floating(kind) or kinds.is_integer(kind) or kinds.is_decimal(kind):
            values = column.cast(pa.float64()) if kinds.is_decimal(kind) else column
            return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
        coded = column if kinds.is_dictionary(kind) else column.dictionary_encode()
        found, wrong = read_numbers(coded.dictionary.to_pandas().astype("object"))
        codes = coded.indices.fill_null(len(found)).to_numpy()
        bad = np.append(wrong, False)[codes]
        if bad.any():
            place = int(bad.argmax())
            raise DataUnfit(
                f"{self.rows.name} has {shown(column[place].as_py())} in column {self.columns.value} for "
                f"{self._where_of(int(cells[place]), axis)}, where a number is needed; correct it or leave the cell empty.",
                column=self.columns.value,
            )
        return np.asarray(np.append(found, np.nan)[codes], dtype=np.float64)

    def _where_of(self, cell: int, axis: _Axis) -> str:
        """Return firm and day of a cell in words."""
        firm, day = divmod(cell, len(axis.days))
        return f"{self.needed.names[firm]} on {iso_day(axis.days[day])}"

    def _settled(self, values: NDArray[np.float64], total: int, axis: _Axis, where: pc.Expression) -> NDArray[np.bool_]:
        """Empty the cells that have no row, and return which firms have one, shape (K,); refuse two rows for one cell."""
        bits, filled = values.view(np.uint64), 0
        there = np.zeros(len(values), dtype=np.bool_)
        for first in range(0, len(values), _FIRMS):
            block = slice(first, first + _FIRMS)
            empty = bits[block] == _NO_ROW
            there[block] = ~empty.all(axis=1)
            filled += empty.size - int(np.count_nonzero(empty))
            values[block][empty] = np.nan
        if filled < total:
            self._refuse_repeated(values.size, total - filled, axis, where)
        return there

    def _refuse_repeated(self, size: int, count: int, axis: _Axis, where: pc.Expression) -> None:
        """Name the first firm and day that have two rows, looked for in the order of the rows."""
        seen = np.zeros(size, dtype=np.bool_)
        for cells, _ in self._cells(axis, where):
            first = np.zeros(len(cells), dtype=np.bool_)
            first[np.unique(cells, return_index=True)[1]] = True
            again = np.flatnonzero(seen[cells] | ~first)
            if len(again):
                clocks = len(axis.written) > len(axis.days)
                why = " Dates have times of day: bars within the day? Keep that of the close." if clocks else ""
                raise DataUnfit(
                    f"{self.rows.name} has {self._where_of(int(cells[again[0]]), axis)} more than once ({plural(count, 'row')} too many in all); keep "
                    f"one row per firm and day.{why}",
                    day=iso_day(axis.days[int(cells[again[0]]) % len(axis.days)]),
                )
            seen[cells] = True


def _places(column: pa.Array, values: pa.Array) -> IntArray:
    """Return the place of each cell among some values, -1 where it is none of them."""
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if kinds.is_dictionary(column.type):
        codes = column.indices.fill_null(-1).to_numpy()
        return np.asarray(np.append(_places(column.dictionary, values), -1)[codes], dtype=np.int64)
    found = pc.index_in(column, value_set=values.cast(column.type), skip_nulls=True)
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
