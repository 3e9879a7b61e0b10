"""What stands in the cells of a price file: days, figures and tickers, read strictly."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.wording import first_few, is_formula, iso_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

#: Longest text that a cell of a price file may hold.
MAX_CELL = 64
#: Longest name of a column that a message gives whole.
LONGEST_NAME = 60
#: Names of columns that a message gives at most.
_COLUMNS = 12
#: Longest ticker that is a plain word (VOL, OPEN, DAY) and may be the name of a column, if it is written in capitals.
_LONGEST_TICKER = 5
#: How files call things.
WORDS = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
#: What an empty cell may look like.
MISSING = frozenset(WORDS["missing"])
_MONEY = re.compile(r"-?\$?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?([KMB]?)")
_SCALE = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}


@dataclass(frozen=True)
class Figures:
    """Closes and volumes as dates × tickers, with what is known of their adjustment and currencies."""

    adj_close: pd.DataFrame
    close: pd.DataFrame | None = None
    volume: pd.DataFrame | None = None
    adjustments: str = "as given in the file"
    cautions: tuple[str, ...] = ()
    currency: Mapping[str, str] = field(default_factory=dict)

    def with_cautions(self, *said: str) -> Figures:
        """Return the same figures with more to say about them."""
        return replace(self, cautions=(*self.cautions, *said))


def cut(names: Iterable[object]) -> list[str]:
    """Return names for a message, each cut to a readable length."""
    return [str(name)[:LONGEST_NAME] for name in names]


def column_names(names: Iterable[object]) -> str:
    """Return names of columns for a message, a dozen at most."""
    return first_few(cut(names), _COLUMNS)


def refuse_repeated(columns: Sequence[str], name: str, way: str = "keep one") -> None:
    """Refuse a name that two columns have; ``way``: what to do."""
    twice = cut(sorted({c for c, count in Counter(columns).items() if c and count > 1}))
    if twice:
        raise InvalidInput(
            f"{name} has the column {', '.join(map(repr, twice))} more than once; {way}.", columns=tuple(twice)
        )


def may_be_ticker(column: str) -> bool:
    """Tell whether a word that is known may be a ticker, for it is short and in capitals."""
    return column.isupper() and column.isascii() and len(column) <= _LONGEST_TICKER


def shown(value: object) -> str:
    """Return a cell for a message, cut to a readable length."""
    text = str(value)
    return repr(text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…")


def numbers(column: pd.Series[float], name: str, days: pd.DatetimeIndex, money: bool = False) -> pd.Series[float]:
    """Read a column of figures."""
    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) and not _is_complex(kind):
        return column.astype("float64")
    values, wrong = read_numbers(column.astype("object"), money)
    if wrong.any():
        place = int(wrong.argmax())
        raise DataUnfit(
            f"{name} has {shown(column.iloc[place])} in column {column.name}, data row {place + 1} "
            f"({iso_day(days[place])}), where a number is needed; correct it or leave the cell empty.",
            column=str(column.name),
            row=place + 1,
        )
    return pd.Series(values, index=column.index)


def read_numbers(cells: pd.Series[Any], money: bool = False) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the figures of cells, NaN where there is none, and which cells hold something else, shape (N,) each."""
    there, read = cells.notna().to_numpy(), _money if money else _number
    values = np.full(len(cells), np.nan)
    values[there] = [read(c) for c in cells[there]]
    wrong = np.isnan(values) & there
    wrong[wrong] = [not isinstance(c, str) or c.strip() not in MISSING for c in cells[wrong]]
    return values, wrong


def _is_complex(kind: object) -> bool:
    return getattr(kind, "kind", "") == "c"


def _number(cell: object) -> float:
    if isinstance(cell, bool | np.bool_ | complex) or (isinstance(cell, str) and ("_" in cell or len(cell) > MAX_CELL)):
        return np.nan
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _money(cell: object) -> float:
    match = _MONEY.fullmatch(cell.strip()) if isinstance(cell, str) else None
    return _number(cell) if match is None else float(re.sub(r"[$,KMB]", "", match[0])) * _SCALE[match[4]]


def check_tickers(tickers: Iterable[object], name: str) -> None:
    """Refuse what is no ticker: nothing, control characters, long texts, beginnings that a spreadsheet runs."""
    for ticker in tickers:
        text = str(ticker)
        if not text.strip():
            raise DataUnfit(f"{name} has a column without a ticker above it; name it or leave it out.")
        if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in text):
            raise DataUnfit(f"{name} has the ticker {text[:MAX_CELL]!a} with a control character in it; correct it.")
        if len(text) > MAX_CELL:
            raise DataUnfit(f"{name} has the ticker {shown(text)}; a ticker has at most {MAX_CELL} characters.")
        if is_formula(text):
            first = text.strip()[0]
            raise DataUnfit(
                f"{name} has the ticker {text!r}; a spreadsheet would run what begins with {first!r}. Write the ticker without it."
            )
