"""What changed underneath two builds of a report: prices, code, libraries, study file, status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eventstudy.errors import EventStudyError
from eventstudy.files import file_sha256
from eventstudy.prices.table import Prices
from eventstudy.report.builds.numbers import Published
from eventstudy.sources import load_prices
from eventstudy.sources.files.open import is_price_file, read_prices
from eventstudy.vintages.compare import compare_prices


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that changed."""

    #: ``prices``, ``code``, ``environment``, ``study`` or ``status``.
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


def causes(old: Published, new: Published, folders: Sequence[Path] = ()) -> tuple[Cause, ...]:
    """Return what changed underneath two builds; their prices are looked for in the folders."""
    return (*_prices(old, new, folders), *_rest(old, new))


def _rest(old: Published, new: Published) -> Iterator[Cause]:
    """Give what changed beside the prices."""
    if old.code != new.code:
        yield Cause("code", f"another eventstudy ({old.code[:12]} → {new.code[:12]})")
    for name, a, b in _changed(old.environment, new.environment):
        yield Cause("environment", f"{name} {a} → {b}")
    for name, _, _ in _changed(old.inputs, new.inputs):
        yield Cause("study", name)
    if old.state != new.state:
        yield Cause("status", f"{old.state} → {new.state}")


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[tuple[str, str, str]]:
    names = sorted({*old, *new})
    return [(n, old.get(n, "none"), new.get(n, "none")) for n in names if old.get(n) != new.get(n)]


def _prices(old: Published, new: Published, folders: Sequence[Path]) -> list[Cause]:
    """Return what changed in the prices: the days, if both tables are still there, else the tickers."""
    tickers = _changed_tickers(old, new)
    if not tickers and old.data.get("digest") == new.data.get("digest"):
        return []
    lines = _price_lines(old, new, folders)
    if not lines:
        names = [f"{p.data['source']} ({str(p.data['digest'])[:12]})" for p in (old, new)]
        what = f"other figures of {', '.join(tickers)}" if tickers else "the same figures"
        lines = [f"{what}; {names[0]} → {names[1]}"]
    return [Cause("prices", line) for line in lines]


def _changed_tickers(old: Published, new: Published) -> tuple[str, ...]:
    """Return the tickers whose prices have another digest, or that one build lacks."""
    a, b = (_tickers(build) for build in (old, new))
    return tuple(t for t in dict.fromkeys([*a, *b]) if a.get(t) != b.get(t))


def _tickers(build: Published) -> Mapping[str, object]:
    found = build.data.get("tickers")
    return found if isinstance(found, Mapping) else {}


def _price_lines(old: Published, new: Published, folders: Sequence[Path]) -> list[str]:
    """Return what differs between the prices of two builds, a line each; none if one of the tables is gone."""
    try:
        before, after = (_table(build, folders) for build in (old, new))
    except EventStudyError:
        return []
    if before is None or after is None:
        return []
    found = compare_prices(before, after)
    return found.lines(noise=False) or [f"noise below what could change a return; {found.old} → {found.new}"]


def _table(build: Published, folders: Sequence[Path]) -> Prices | None:
    """Return the prices that a build rested on, found by their digest, of its tickers only."""
    digest = build.data.get("digest")
    embedded = load_prices()
    if digest == embedded.provenance.digest:
        return _of_tickers(embedded, build)
    places = [p for folder in dict.fromkeys(folders) for p in (folder, folder / "prices") if p.is_dir()]
    for file in (f for place in places for f in sorted(place.iterdir()) if f.is_file() and is_price_file(f.name)):
        if file_sha256(file) == digest:
            return _of_tickers(read_prices(file), build)
    return None


def _of_tickers(prices: Prices, build: Published) -> Prices:
    return prices.select([t for t in _tickers(build) if t in prices.tickers])
