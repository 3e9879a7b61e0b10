"""The content of a report for machines: every published number under a name that stays the same."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing

if TYPE_CHECKING:
    from eventstudy.report.exhibits import ReportTable
    from eventstudy.report.findings import Findings

FILE = "numbers.json"
#: The layout of the file; another one is not compared.
FORMAT = 1
SIGNIFICANT = 0.05
#: Columns that name a row of a table, by the table's name; of other tables, every column of words.
ROW_NAMES = {
    "headline": ("event",),
    "windows": ("event", "window"),
    "dollars": ("event",),
    "tests": ("test",),
    "all_shares": ("event",),
    "other_days": ("event", "day", "window"),
    "robustness": ("event", "variant"),
    "audit": ("event",),
    "checks": ("Check",),
}
#: Tables without numbers of their own.
LEFT_OUT = ("claims", "audit", "checks")
#: The column with the result, its p-value and its interval, by table.
_RESULT = {
    "headline": ("abnormal", "p_t_pe"),
    "windows": ("car", "p_value"),
    "all_shares": ("car", "p_value"),
    "other_days": ("car", "p_value"),
    "robustness": ("car", "p_value"),
}


@dataclass(frozen=True, slots=True)
class Published:
    """What a report published, as `numbers.json` holds it.

    Attributes
    ----------
    study, state : str
        Name of the study; ``final``, ``draft``, ``embargoed`` or ``released``.
    data : mapping
        ``source``, ``retrieved``, ``last`` (the last day), ``digest`` and ``tickers``, a digest of each ticker's prices.
    code : str
        Digest of the package's code and data.
    environment, inputs : mapping of str to str
        Versions of libraries; digests of the study's own files.
    numbers : mapping of str to mapping
        By name: ``value``, and for a result ``low``, ``high``, ``p_value``, ``sign``, ``significant``; for the p-value of a test of
        the average ``significant`` and ``believed``, whether readers were told to believe it.
    claims : mapping of str to mapping
        By id: ``verdict``, ``number`` with its range and unit, ``sentence``.
    """

    study: str
    state: str
    data: Mapping[str, object]
    code: str
    environment: Mapping[str, str]
    inputs: Mapping[str, str]
    numbers: Mapping[str, Mapping[str, object]]
    claims: Mapping[str, Mapping[str, object]]

    def to_json(self) -> str:
        """Return the file's text."""
        content = {"format": FORMAT, **{name: getattr(self, name) for name in self.__slots__}}
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
        numbers=dict(sorted(_numbers(f, tables))),
        claims=dict(sorted(_verdicts(f))),
    )


def _numbers(f: Findings, tables: Sequence[ReportTable]) -> Iterator[tuple[str, dict[str, object]]]:
    from eventstudy.report.findings import named_numbers

    for table in tables:
        if table.name not in LEFT_OUT:
            yield from _of_table(table)
    for name, value in named_numbers(f):
        yield name, {"value": _plain(value)}


def _of_table(table: ReportTable) -> Iterator[tuple[str, dict[str, object]]]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    raw = table.raw
    words = [str(c) for c in raw.columns if not is_numeric_dtype(raw[c])]
    named = [c for c in ROW_NAMES.get(table.name, tuple(words)) if c in raw.columns]
    figures = [str(c) for c in raw.columns if is_numeric_dtype(raw[c]) and not is_bool_dtype(raw[c])]
    result, p = _RESULT.get(table.name, ("", ""))
    seen: dict[str, int] = {}
    for place, row in enumerate(raw.to_dict("records")):
        name = "/".join(_part(row[c]) for c in named) or str(place)
        seen[name] = seen.get(name, 0) + 1
        name += f"#{seen[name]}" if seen[name] > 1 else ""
        for column in figures:
            entry: dict[str, object] = {"value": _plain(row[column])}
            if column == result:
                entry |= _result(row, result, p)
            if table.name == "tests" and column == "p_value":
                entry |= {"significant": _significant(entry["value"]), "believed": bool(row["recommended"])}
            yield f"{table.name}/{name}/{column}", entry


def _result(row: Mapping[Hashable, object], column: str, p: str) -> dict[str, object]:
    value, p_value = _plain(row[column]), _plain(row[p])
    return {
        "low": _plain(row["low"]),
        "high": _plain(row["high"]),
        "p_value": p_value,
        "sign": None if value is None else (value > 0) - (value < 0),
        "significant": _significant(p_value),
    }


def _significant(p_value: object) -> bool | None:
    return p_value < SIGNIFICANT if isinstance(p_value, float) else None


def _part(value: object) -> str:
    return re.sub(r"\s+", " ", str(value)).replace("/", "∕").strip()


def _plain(value: object) -> float | None:
    """Return a number rounded to ten significant digits; None for what is missing."""
    from eventstudy.wording import round_significant

    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(round_significant(float(value)))


def _verdicts(f: Findings) -> Iterator[tuple[str, dict[str, object]]]:
    for claim in f.claims:
        numbers = {name: _plain(getattr(claim.ruling, name)) for name in ("number", "low", "high")}
        yield (
            claim.id,
            {"verdict": claim.verdict_text, **numbers, "unit": claim.ruling.unit, "sentence": claim.sentence},
        )


def read_published(path: Path) -> Published:
    """Read a report's numbers."""
    file = path / FILE if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataMissing(
            f"{path} holds no {FILE}; build the report first, or name a folder that was built."
        ) from error
    except (OSError, ValueError) as error:
        raise DataMissing(f"{file} cannot be read ({error}); build the report again.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataMissing(f"{file} has another layout than this version writes; build the report again.")
    try:
        return Published(**{name: content[name] for name in Published.__slots__})
    except KeyError as error:
        raise DataMissing(f"{file} lacks {error}; build the report again.") from error


def is_build(word: str | Path) -> bool:
    """Whether a path is a built report, or the numbers of one."""
    path = Path(word)
    return (path / FILE).is_file() or (path.name.endswith(".json") and path.is_file())
