"""Decimal marks and marks between thousands in the figures of a text file: told from the figures, refused or said aloud."""

from __future__ import annotations

import re

import pandas as pd

from eventstudy.errors import InvalidInput
from eventstudy.prices.readers.layouts import listed_columns, meaning

#: Figures whose thousands are parted by commas.
_PARTED = r"-?\d{1,3}(,\d{3})+(\.\d+)?"
#: A figure whose point may be either mark.
_GROUP = r"-?\d{1,3}\.\d{3}"
#: Columns whose figures are whole by their nature, or are not read.
_WHOLE_OR_UNUSED = frozenset(["volume", "open", "high", "low"])


def without_commas(table: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Take out the commas between thousands in quoted cells, where the figures show that they are no decimal marks.

    Parameters
    ----------
    table : DataFrame
        Of a file with commas between cells.
    columns : list of str
        Those that hold figures.

    Returns
    -------
    table : DataFrame
    cautions : tuple of str
        Names columns whose own figures leave both readings open.
    """
    texts = [c for c in columns if not pd.api.types.is_numeric_dtype(table[c].dtype)]
    cells = {c: table[c].map(lambda v: v if isinstance(v, str) else None).astype("object") for c in texts}
    parted = {c: v.str.fullmatch(_PARTED).fillna(False).astype(bool) for c, v in cells.items()}
    if not any(p.any() for p in parted.values()):
        return table, ()
    whole = {c: _is_whole(table[c]) for c in columns if c not in texts}
    points = {c: v.str.fullmatch(r"-?[\d,]*\.\d+").fillna(False).astype(bool) for c, v in cells.items()}
    told, taken = not all(whole.values()) or any(p.any() for p in points.values()), {}
    for c in texts:
        has_comma = cells[c].str.contains(",", regex=False).fillna(False).astype(bool)
        ambiguous = parted[c] & ~cells[c].str.contains(r",.*,|\.", regex=True).fillna(False).astype(bool)
        by_itself = not points[c].any() and bool((parted[c] & ~ambiguous).any())
        proven = by_itself or (told if not points[c].any() else not ambiguous.any())
        if proven and parted[c].any() and (parted[c] | ~has_comma).all():
            if ambiguous.any() and not by_itself and meaning(c) not in _WHOLE_OR_UNUSED:
                taken[c] = str(cells[c][ambiguous].iloc[0])
            table[c] = table[c].astype("object").mask(parted[c], cells[c].str.replace(",", "", regex=False))
    if not taken:
        return table, ()
    first = next(iter(taken.values()))
    said = (
        f"The comma in the figures of {listed_columns(list(taken))} was taken as a mark between thousands, for elsewhere in the file a point is "
        f"the decimal mark: {first} was read as {first.replace(',', '')}, not as {first.replace(',', '.')}."
    )
    return table, (said,)


def _is_whole(column: pd.Series[float]) -> bool:
    values = column.dropna()
    return bool((values == values.round()).all())


def with_points(table: pd.DataFrame, columns: list[str], name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Write the figures of a file without commas between cells with a point as decimal mark.

    Parameters
    ----------
    table : DataFrame
        All cells as text.
    columns : list of str
        Those that hold figures.
    name : str
        The file's name, for messages.

    Returns
    -------
    table : DataFrame
    cautions : tuple of str
        Names columns in which a point may as well part thousands.

    Raises
    ------
    InvalidInput
        If figures are written after two customs, or a comma may be either mark.
    """
    cells = pd.concat([table[c] for c in columns]).dropna()
    mark = _decimal_mark(cells, name)
    told = mark == "," or bool(cells.str.fullmatch(_POINT).any())
    open_to_both: dict[str, str] = {}
    for c in columns:
        _check_custom(table[c], mark, name)
        if not told:
            _check_groups(table[c], name)
            grouped = table[c][table[c].str.fullmatch(_GROUP).fillna(False).astype(bool)]
            open_to_both |= {c: str(grouped.iloc[0])} if len(grouped) else {}
        if mark == ",":
            table[c] = table[c].str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    if not open_to_both:
        return table, ()
    first = next(iter(open_to_both.values()))
    said = (
        f"All figures of {listed_columns(list(open_to_both))} have three digits after the point, and no figure in the file tells whether it is a "
        f"decimal mark or parts thousands: {first} was read as {float(first):g}, not as {first.replace('.', '')}. Returns are the same either "
        f"way, amounts in dollars and numbers of shares are not."
    )
    return table, (said,)


def _check_custom(column: pd.Series[str], mark: str, name: str) -> None:
    """Refuse groups that are none of thousands, and a column that seems to be written after two customs."""
    other = "." if mark == "," else ","
    digits = column.str.fullmatch(r"-?[\d.,]+").fillna(False).astype(bool)
    has_other = digits & column.str.contains(other, regex=False).fillna(False).astype(bool)
    decimals = digits & column.str.contains(mark, regex=False).fillna(False).astype(bool)
    parted = (
        column.str.fullmatch(rf"-?\d{{1,3}}({re.escape(other)}\d{{3}})+({re.escape(mark)}\d*)?")
        .fillna(False)
        .astype(bool)
    )
    wrong = has_other & ~parted
    if wrong.any():
        raise InvalidInput(
            f"{name} has {column[wrong].iloc[0][:40]!r} in column {column.name}, where {mark!r} is the decimal mark and {other!r} would part "
            f"thousands; write all figures with a point as decimal mark."
        )
    bare, both = parted & ~decimals, parted & decimals
    if bare.any() and decimals.any() and not both.any():
        raise InvalidInput(
            f"{name} has {column[bare].iloc[0][:40]!r} and {column[decimals].iloc[0][:40]!r} in column {column.name}, written after two customs; "
            f"write all figures with a point as decimal mark."
        )


def _check_groups(column: pd.Series[str], name: str) -> None:
    """Refuse whole figures beside figures with three digits after a point, which may part thousands: 998, then 1.004."""
    whole = column.str.fullmatch(r"-?\d+").fillna(False).astype(bool)
    grouped = column.str.fullmatch(_GROUP).fillna(False).astype(bool)
    if whole.any() and grouped.any():
        raise InvalidInput(
            f"{name} has {column[whole].iloc[0][:40]!r} and {column[grouped].iloc[0]!r} in column {column.name}, and no figure in it tells "
            f"whether the point is a decimal mark or parts thousands; write the same number of decimals in every figure."
        )


#: Figures that show a point to be a decimal mark.
_POINT = r"-?\d+\.(\d{1,2}|\d{4,})|-?\d{4,}\.\d{3}|-?\d{1,3}(,\d{3})+\.\d+|-?0\.\d+"


def _decimal_mark(cells: pd.Series[str], name: str) -> str:
    """Tell by the digits after a mark, and by which of two comes last, whether a comma or a point is decimal."""
    comma = cells.str.fullmatch(r"-?\d+,(\d{1,2}|\d{4,})|-?\d{4,},\d{3}|-?\d{1,3}(\.\d{3})+,\d+|-?0,\d+")
    point = cells.str.fullmatch(_POINT)
    if comma.any() and point.any():
        raise InvalidInput(
            f"{name} has {cells[comma].iloc[0]} and {cells[point].iloc[0]}; write all figures with a point as decimal mark."
        )
    if not comma.any() and cells.str.contains(",", regex=False).any():
        first = cells[cells.str.contains(",", regex=False)].iloc[0]
        if not point.any():
            raise InvalidInput(
                f"{name} has {str(first)[:40]!r}, and no figure in it tells whether the comma is a decimal mark or parts thousands; "
                f"write figures with a point as decimal mark and without commas."
            )
    return "," if comma.any() else "."
