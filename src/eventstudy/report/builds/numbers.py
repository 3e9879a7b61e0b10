"""The content of a report for machines: every published number under a name that stays the same."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from eventstudy.errors import DataMissing, StudyFileError
from eventstudy.files import parse_json, read_small

if TYPE_CHECKING:
    from eventstudy.report.findings import Findings
    from eventstudy.report.tables import ReportTable

# This module imports no numerical library: a build with nothing to do ends before one is loaded.

FILE = "numbers.json"
#: The layout of the file; another one that cannot be brought to it is not compared.
FORMAT = 2
SIGNIFICANT = 0.05

NumberKind = Literal["number", "result", "test"]
#: What the file holds of a number, by its kind; a test is one of the average, and its value the p-value.
_KEYS: Mapping[NumberKind, tuple[str, ...]] = {
    "result": ("value", "low", "high", "p_value", "sign", "significant"),
    "test": ("value", "significant", "recommended"),
    "number": ("value",),
}


@dataclass(frozen=True, slots=True)
class NumberName:
    """Where a published number stands: its table, what names its row there, and its column."""

    table: str
    row: tuple[str, ...]
    column: str

    @classmethod
    def of(cls, text: str) -> NumberName:
        """Read a name as the file writes it, ``windows/NVDA/[0, +1]/car``."""
        table, *row, column = text.split("/")
        return cls(table, tuple(row), column)

    def __str__(self) -> str:
        return "/".join((self.table, *self.row, self.column))

    @property
    def tolerance(self) -> float:
        """How far equal numbers may lie apart: not at all, they are rounded."""
        return 0.0

    def plain(self) -> dict[str, str]:
        """Return the name as plain values."""
        return {"name": str(self)}

    def change(self, old: float | None, new: float | None) -> str:
        """Return two values of the number in words."""
        moved = "" if old is None or new is None else f" ({new - old:+.3g})"
        return " → ".join("none" if v is None else f"{v:.6g}" for v in (old, new)) + moved

    def rank(self, old: float | None, new: float | None) -> tuple[float, str]:
        """Return where a change stands among others: by its size relative to the number."""
        if old is None or new is None:
            return -math.inf, str(self)
        return -abs(new - old) / max(abs(old), abs(new), 1e-300), str(self)


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a study, rounded; what it has beside its value depends on its kind."""

    value: float | None
    kind: NumberKind = "number"
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    sign: int | None = None
    significant: bool | None = None
    recommended: bool | None = None

    def plain(self) -> dict[str, object]:
        """Return what the file holds of it."""
        return {key: getattr(self, key) for key in _KEYS[self.kind]}


@dataclass(frozen=True, slots=True)
class Published:
    """What a report published, as `numbers.json` holds it."""

    #: Name of the study; ``final``, ``draft``, ``embargoed`` or ``released``.
    study: str
    state: str
    #: ``source``, ``retrieved``, ``last`` (the last day), ``digest`` and ``tickers``, a digest of each
    #: ticker's prices.
    data: Mapping[str, object]
    #: Digest of the package's code and data.
    code: str
    #: Versions of libraries; digests of the study's own files.
    environment: Mapping[str, str]
    inputs: Mapping[str, str]
    numbers: Mapping[NumberName, Number]
    #: By id: ``verdict``, ``number`` with its range and unit, ``sentence``.
    claims: Mapping[str, Mapping[str, object]]

    @property
    def is_draft(self) -> bool:
        """Whether it is a draft, whose conclusions nobody was given."""
        return self.state == "draft"

    def to_json(self) -> str:
        """Return the file's text."""
        content = {"format": FORMAT, **{name: getattr(self, name) for name in self.__slots__}}
        content["numbers"] = {str(name): number.plain() for name, number in self.numbers.items()}
        return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def published(
    f: Findings,
    tables: Sequence[ReportTable],
    *,
    state: str,
    code: str,
    environment: Mapping[str, str],
    inputs: Mapping[str, str],
) -> Published:
    """Collect every number of a report's tables and every verdict."""
    from eventstudy.prices.passport import ticker_facts

    origin = f.prices.provenance
    tickers = {ticker: str(facts["sha256"]) for ticker, facts in ticker_facts(f.prices).items()}
    return Published(
        study=f.spec.name,
        state=state,
        data={
            "source": origin.source,
            "retrieved": origin.retrieved,
            "last": origin.last,
            "digest": origin.digest,
            "tickers": tickers,
        },
        code=code,
        environment=dict(environment),
        inputs=dict(sorted(inputs.items())),
        numbers=dict(sorted(_numbers(f, tables), key=lambda pair: str(pair[0]))),
        claims=dict(sorted(_verdicts(f))),
    )


def _numbers(f: Findings, tables: Sequence[ReportTable]) -> Iterator[tuple[NumberName, Number]]:
    from eventstudy.report.findings import named_numbers

    for table in tables:
        if table.published:
            yield from _of_table(table)
    for (table_name, *row, column), value in named_numbers(f):
        yield NumberName(table_name, tuple(row), column), Number(_rounded(value))


def _of_table(table: ReportTable) -> Iterator[tuple[NumberName, Number]]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    raw = table.raw
    words = [str(c) for c in raw.columns if not is_numeric_dtype(raw[c])]
    figures = [str(c) for c in raw.columns if is_numeric_dtype(raw[c]) and not is_bool_dtype(raw[c])]
    named = [c for c in table.named_by or words if c in raw.columns]
    seen: dict[tuple[str, ...], int] = {}
    for place, row in enumerate(raw.to_dict("records")):
        parts = tuple(_part(row[c]) for c in named) or (str(place),)
        seen[parts] = seen.get(parts, 0) + 1
        if seen[parts] > 1:
            parts = (*parts[:-1], f"{parts[-1]}#{seen[parts]}")
        for column in figures:
            yield NumberName(table.name, parts, column), _cell(table, row, column)


def _cell(table: ReportTable, row: Mapping[Hashable, object], column: str) -> Number:
    value = _rounded(row[column])
    if column == table.result:
        p_value = _rounded(row[table.p_value])
        sign = None if value is None else (value > 0) - (value < 0)
        low, high = _rounded(row["low"]), _rounded(row["high"])
        return Number(value, "result", low, high, p_value, sign, _significant(p_value))
    if column == table.test_p_value:
        return Number(value, "test", significant=_significant(value), recommended=bool(row["recommended"]))
    return Number(value)


def _significant(p_value: float | None) -> bool | None:
    return None if p_value is None else p_value < SIGNIFICANT


def _part(value: object) -> str:
    """Return words as a part of a name, in which a slash would begin the next part."""
    return re.sub(r"\s+", " ", str(value)).replace("/", "∕").strip()


def _rounded(value: object) -> float | None:
    """Return a number rounded to ten significant digits; None for what is missing."""
    from eventstudy.wording import round_significant

    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(round_significant(float(value)))


def _verdicts(f: Findings) -> Iterator[tuple[str, dict[str, object]]]:
    for claim in f.claims:
        numbers = {name: _rounded(getattr(claim.ruling, name)) for name in ("number", "low", "high")}
        yield (
            claim.id,
            {"verdict": claim.verdict_text, **numbers, "unit": claim.ruling.unit, "sentence": claim.sentence},
        )


# -- Reading the file, of this layout or of the one before.


def read_published(path: Path) -> Published:
    """Read a report's numbers."""
    file = path / FILE if path.is_dir() else path
    try:
        content = in_this_layout(parse_json(read_small(file)))
    except FileNotFoundError as error:
        raise DataMissing(
            f"{path} holds no {FILE}; build the report first, or name a folder that was built."
        ) from error
    except StudyFileError:
        raise
    except (OSError, ValueError, AttributeError) as error:
        raise DataMissing(f"{file} cannot be read ({error}); build the report again.") from error
    if content is None:
        raise DataMissing(f"{file} has another layout than this version writes; build the report again.")
    try:
        found = {name: content[name] for name in Published.__slots__}
        found["numbers"] = {NumberName.of(name): _read(entry) for name, entry in content["numbers"].items()}
        return Published(**found)
    except KeyError as error:
        raise DataMissing(f"{file} lacks {error}; build the report again.") from error
    except (AttributeError, TypeError) as error:
        raise DataMissing(f"{file} is damaged ({error}); build the report again.") from error


def in_this_layout(content: object) -> dict[str, Any] | None:
    """Return the content of the file as this version writes it; None if it has a layout that is not known.

    Layout 1 had another word for a recommended test.
    """
    if not isinstance(content, dict) or content.get("format") not in (1, FORMAT):
        return None
    if content["format"] == FORMAT:
        return content
    words = {"believed": "recommended"}
    numbers = {
        name: {words.get(key, key): value for key, value in entry.items()}
        for name, entry in content.get("numbers", {}).items()
    }
    return {**content, "format": FORMAT, "numbers": numbers}


def _read(entry: Mapping[str, Any]) -> Number:
    """Return a number of the file; one with other keys than any kind has is a number without more."""
    kind: NumberKind = next((kind for kind, keys in _KEYS.items() if set(keys) == set(entry)), "number")
    return Number(kind=kind, **{key: entry.get(key) for key in _KEYS[kind]})


def is_build(word: str | Path) -> bool:
    """Whether a path is a built report, or the numbers of one."""
    path = Path(word)
    return (path / FILE).is_file() or (path.suffix == ".json" and path.is_file())
