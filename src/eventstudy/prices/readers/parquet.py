"""Parquet files, their size looked at before they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from eventstudy.errors import DataUnfit, EventStudyError, InvalidInput
from eventstudy.prices.readers.cells import MAX_CELL
from eventstudy.prices.readers.delimited import MAX_COLUMNS, MAX_ROWS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq


#: Most cells, and most bytes as the file says that it unpacks to.
MAX_CELLS = 250_000_000
MAX_UNPACKED = 4 * 1024**3


def parquet_table(file: Path) -> pd.DataFrame:
    """Read a Parquet file of figures, days and short texts.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    DataFrame

    Raises
    ------
    InvalidInput
        If pyarrow is wanting, the file is too large, or a column holds other things.
    DataUnfit
        If the file is damaged.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InvalidInput(
            f"Reading {file.name} needs pyarrow: pip install 'eventstudy-finance[scale]', or save the prices as CSV.",
            file=file.name,
        ) from error
    try:
        with pq.ParquetFile(file, thrift_string_size_limit=10**8, thrift_container_size_limit=10**6) as opened:
            _check_size(opened.metadata, file.name)
            words = [f.name for f in opened.schema_arrow if _is_text(f.type)]
        with pq.ParquetFile(file, read_dictionary=words, memory_map=False) as opened:
            table = opened.read(use_threads=False)
        table = _decoded(table, file.name)
        frame = table.to_pandas(use_threads=False)
    except EventStudyError:
        raise
    except (pa.ArrowException, ValueError, OSError, KeyError, TypeError, AttributeError, IndexError) as error:
        reason = str(error).split("\n")[0][:200]
        raise DataUnfit(f"{file.name} is not readable as Parquet: {reason}.", file=file.name) from error
    return cast("pd.DataFrame", frame)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind))


def _check_size(facts: pq.FileMetaData, name: str) -> None:
    """Refuse a file that is larger than its bytes look."""
    cells = facts.num_rows * facts.num_columns
    unpacked = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
    if facts.num_rows > MAX_ROWS or facts.num_columns > MAX_COLUMNS or cells > MAX_CELLS or unpacked > MAX_UNPACKED:
        raise InvalidInput(
            f"{name} holds {facts.num_rows:,} rows and {facts.num_columns:,} columns ({unpacked / 1024**3:.1f} GB unpacked); at most "
            f"{MAX_CELLS:,} cells and {MAX_UNPACKED / 1024**3:.0f} GB are read. Keep only the tickers and days of the study.",
            file=name,
        )


def _decoded(table: pa.Table, name: str) -> pa.Table:
    """Return the table with plain text columns; a few long texts repeated often must not fill the memory."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    for i, field in enumerate(table.schema):
        if kinds.is_nested(field.type) or kinds.is_binary(field.type) or kinds.is_large_binary(field.type):
            raise InvalidInput(
                f"{name} has the column {field.name[:60]!r} of type {str(field.type)[:60]}; numbers and dates are needed."
            )
        if kinds.is_dictionary(field.type):
            column = table.column(i)
            longest = max((pc.max(pc.utf8_length(c.dictionary)).as_py() or 0 for c in column.chunks), default=0)
            if longest > MAX_CELL:
                raise InvalidInput(
                    f"{name} has a text of {longest:,} characters in column {field.name[:60]!r}; at most {MAX_CELL} are read."
                )
            table = table.set_column(i, field.name, column.cast(pa.string()))
    return table
