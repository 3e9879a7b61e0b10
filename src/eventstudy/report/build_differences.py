"""Two builds of a report held against each other: which numbers moved, why, and which conclusions flipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from eventstudy.errors import EventStudyError, InvalidInput
from eventstudy.files import file_sha256
from eventstudy.prices import load_prices
from eventstudy.prices.readers.files import is_price_file, read_prices
from eventstudy.prices.table import Prices
from eventstudy.prices.vintages.comparing import compare_prices
from eventstudy.report.changes import (
    Cause,
    ChangedConclusion,
    NumberChange,
    causes,
    changed_conclusions,
    changed_tickers,
    number_changes,
    plain_change,
)
from eventstudy.report.numbers import Published, read_published
from eventstudy.report.versions import version_folder
from eventstudy.spec import load_study

_SHOWN = 25
_QUIET = ("same", "jitter")


@dataclass(frozen=True, repr=False)
class BuildDifferences:
    """What differs between two builds.

    Attributes
    ----------
    old, new : str
        Where they lie.
    numbers : tuple of NumberChange
        Published numbers that differ, flips first.
    compared : int
        How many numbers there are.
    conclusions : tuple of ChangedConclusion
        What readers were told and would be told otherwise.
    causes : tuple of Cause
        What changed underneath.
    """

    old: str
    new: str
    numbers: tuple[NumberChange, ...]
    compared: int
    conclusions: tuple[ChangedConclusion, ...]
    causes: tuple[Cause, ...]

    @property
    def differ(self) -> bool:
        """Whether any published number or verdict differs."""
        return bool(self.numbers or self.conclusions)

    @property
    def flips(self) -> int:
        """How many results change sign or significance."""
        return sum(n.sign_flips or n.significance_flips for n in self.numbers)

    def __repr__(self) -> str:
        flips = f", {self.flips} of them flip{'s' * (self.flips == 1)}" if self.flips else ""
        lines = [f"{self.old} → {self.new}", f"Numbers: {len(self.numbers)} of {self.compared} differ{flips}"]
        lines += [f"  {n}" for n in self.numbers[:_SHOWN]]
        more = len(self.numbers) - _SHOWN
        lines += [f"  … and {more} more; --json has all"] if more > 0 else []
        lines.append(f"Conclusions: {len(self.conclusions)} changed")
        lines += [f"  {c}" for c in self.conclusions]
        lines.append("Underneath:" if self.causes else "Underneath: nothing that is recorded changed")
        lines += [f"  {c}" for c in self.causes]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values."""
        return {
            "differ": self.differ,
            "numbers": [plain_change(n) for n in self.numbers],
            "compared": self.compared,
            "flips": self.flips,
            "conclusions": [asdict(c) for c in self.conclusions],
            "causes": [asdict(c) for c in self.causes],
        }


def build_differences(old: Path, new: Path, folders: Sequence[Path] = ()) -> BuildDifferences:
    """Compare two builds.

    Parameters
    ----------
    old, new : Path
        Folders of built reports, or their ``numbers.json``.
    folders : sequence of Path
        Where else the prices may lie, besides the two.

    Returns
    -------
    BuildDifferences

    Raises
    ------
    DataMissing
        If one of them was not built.
    """
    before, after = read_published(old), read_published(new)
    near = [p if p.is_dir() else p.parent for p in (old, new)]
    lines = price_differences(before, after, (*near, *folders))
    return BuildDifferences(
        old=str(old),
        new=str(new),
        numbers=number_changes(before, after),
        compared=len({*before.numbers, *after.numbers}),
        conclusions=changed_conclusions(before, after),
        causes=causes(before, after, lines),
    )


def version_differences(study: Path, old: int, new: int) -> BuildDifferences:
    """Compare two published versions of a study.

    Raises
    ------
    InvalidInput
        If the study is not published, or has no such version.
    """
    spec = load_study(study)
    if spec.publish_folder is None:
        raise InvalidInput(f"{spec.path.name} has no [publish] folder, so {spec.name} has no versions to compare.")
    first, second = (version_folder(spec.publish_folder, number) for number in (old, new))
    return build_differences(first, second, (spec.folder,))


def price_differences(old: Published, new: Published, folders: Sequence[Path]) -> tuple[str, ...]:
    """Return what differs between the prices of two builds, a line each.

    Parameters
    ----------
    old, new : Published
        The builds.
    folders : sequence of Path
        Studies whose prices are searched for the tables of both, by digest.

    Returns
    -------
    tuple of str
        Empty if nothing differs, or if one of the tables is not there any more.
    """
    if old.data.get("digest") == new.data.get("digest") and not changed_tickers(old, new):
        return ()
    try:
        tables = [_table(p, folders) for p in (old, new)]
    except EventStudyError:
        return ()
    before, after = tables
    if before is None or after is None:
        return ()
    found = compare_prices(before, after)
    lines = [f"{t.ticker}: {line}" for t in found.tickers if t.kind not in _QUIET for line in t.lines()]
    lines += [f"{t}: in {found.old} only" for t in found.only_old] + [
        f"{t}: in {found.new} only" for t in found.only_new
    ]
    return tuple(lines) or (f"noise below what could change a return; {found.old} → {found.new}",)


def _table(build: Published, folders: Sequence[Path]) -> Prices | None:
    """Return the prices that a build rested on, found by their digest, of its tickers only."""
    digest, tickers = build.data.get("digest"), build.data.get("tickers")
    wanted = [str(t) for t in tickers] if isinstance(tickers, dict) else []
    embedded = load_prices()
    if digest == embedded.provenance.digest:
        return embedded.select([t for t in wanted if t in embedded.tickers])
    files = [p for folder in dict.fromkeys(folders) for p in (folder, folder / "prices") if p.is_dir()]
    for file in (f for place in files for f in sorted(place.iterdir()) if f.is_file() and is_price_file(f.name)):
        if file_sha256(file) == digest:
            prices = read_prices(file)
            return prices.select([t for t in wanted if t in prices.tickers])
    return None
