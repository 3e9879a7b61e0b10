"""Tables of other libraries (polars, pyarrow, DuckDB, …) as pandas tables, without importing a library that is not there."""

from __future__ import annotations

import warnings
from typing import IO, TYPE_CHECKING, Any, cast

from eventstudy.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

#: Most cells that are taken over.
MAX_CELLS = 250_000_000
_DATES = frozenset({"date", "datetime", "day", "index", "time", "timestamp"})


def is_table(value: object) -> bool:
    """Return True if a value can be handed over as a table: by Arrow's stream or the dataframe interchange protocol."""
    kind = type(value)
    if kind.__name__ == "Series":  # a column, though it streams
        return False
    return hasattr(kind, "__arrow_c_stream__") or hasattr(kind, "__dataframe__")


def read_csv(source: IO[bytes], **options: object) -> pd.DataFrame:
    """Read a CSV with every digit of its figures: pandas before 3.1 has to be asked for the last one, later it needs no word."""
    import pandas as pd

    exact = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
    table: pd.DataFrame = pd.read_csv(source, **options, **exact)  # type: ignore[call-overload]
    return table


def collect_first(table: object) -> str:
    """Return what to do with a lazy table; an empty text for anything else."""
    return " Collect it first: frame.collect()." if hasattr(table, "collect") else ""


def as_pandas(table: object, what: str) -> pd.DataFrame:
    """Return a table of any library as a pandas table."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    kind = f"{type(table).__module__.split('.')[0]}.{type(table).__name__}"
    if not is_table(table):
        raise InvalidInput(
            f"{what} is a {kind}; give a table of pandas, polars or pyarrow, or any object with __arrow_c_stream__.{collect_first(table)}"
        )
    try:
        return _converted(table)
    except InvalidInput:
        raise
    except Exception as error:  # the other library's errors are of its own classes
        reason = str(error).split("\n")[0][:200]
        raise InvalidInput(
            f"{what}, a {kind}, cannot be read as a table ({type(error).__name__}: {reason})."
        ) from error


def _converted(table: object) -> pd.DataFrame:
    import pandas as pd

    if hasattr(table, "__arrow_c_stream__"):
        try:
            import pyarrow as pa
        except ImportError:
            if not type(table).__module__.startswith("polars") and not hasattr(table, "__dataframe__"):
                raise InvalidInput(
                    f"A {type(table).__name__} is handed over through pyarrow: pip install 'eventstudy-finance[scale]'."
                ) from None
        else:
            arrow = pa.table(table)
            if arrow.num_rows * arrow.num_columns > MAX_CELLS:
                raise InvalidInput(
                    f"The table has {arrow.num_rows:,} rows and {arrow.num_columns:,} columns; at most {MAX_CELLS:,} cells are read."
                )
            return cast("pd.DataFrame", arrow.to_pandas())
    if type(table).__module__.startswith("polars"):
        return pd.DataFrame(cast("Any", table).to_dict(as_series=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the protocol is on its way out is not the caller's concern
        return pd.api.interchange.from_dataframe(table)


def dated(table: object, what: str) -> pd.DataFrame:
    """Return a wide table of any library as a pandas table indexed by its first column, the dates; a pandas table as it is."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    frame = as_pandas(table, what)
    if not isinstance(frame.index, pd.RangeIndex):
        return frame
    first = str(frame.columns[0]) if frame.shape[1] else "no column"
    if first.strip().lower() not in _DATES:
        raise InvalidInput(
            f"{what} begins with the column {first[:60]!r}; the first column must hold the dates and be called 'date'."
        )
    return frame.set_index(frame.columns[0])
