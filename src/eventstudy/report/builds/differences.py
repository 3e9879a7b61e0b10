"""What ``eventstudy diff`` finds between two price tables, two vintages of a study, or two builds of its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, InvalidInput
from eventstudy.files import command_path, stored_age
from eventstudy.prices.checks.run import RULES
from eventstudy.prices.table import YAHOO, Prices
from eventstudy.report.builds.causes import Cause, causes
from eventstudy.report.builds.changed_numbers import (
    NumberDifference,
    ResultPlace,
    compare_results,
    difference_lines,
    number_changes,
)
from eventstudy.report.builds.conclusions import ChangedConclusion, changed_conclusions
from eventstudy.report.builds.numbers import NumberName, read_published
from eventstudy.report.builds.publish import version_folder
from eventstudy.sources import load_prices
from eventstudy.sources.files.open import is_price_file, read_prices
from eventstudy.sources.source import Snapshot
from eventstudy.study.results import EventStudyResult
from eventstudy.studyfile.spec import FILE_NAME, StudySpec, load_study
from eventstudy.vintages.compare import TOLERANCE, PriceDifferences, compare_prices
from eventstudy.vintages.store import Vintage, find_vintage, list_vintages
from eventstudy.wording import plural

# -- Two price tables, and a study's results on them.


@dataclass(frozen=True, repr=False)
class StudyDifferences:
    """What differs between two tables of prices, and in a study's results on them."""

    prices: PriceDifferences
    #: Numbers that differ; None if no study was named.
    results: tuple[NumberDifference[ResultPlace], ...] | None = None
    compared: int = 0
    #: Why the study could not be run on one of the tables; empty if it could.
    not_run: str = ""
    #: For each table that a build of the study would refuse, its name and why; its results are compared
    #: nevertheless.
    stops: tuple[str, ...] = ()

    @property
    def differ(self) -> bool:
        """Whether any return or any result differs."""
        return self.prices.differ or bool(self.results) or bool(self.not_run)

    @property
    def flips(self) -> int:
        """How many signs or significances flip."""
        return sum(r.flips for r in self.results or ())

    def __repr__(self) -> str:
        lines = [repr(self.prices)]
        if self.not_run:
            lines.append(f"Results: not compared. {self.not_run}")
        elif self.results is not None:
            words = f"Results: {len(self.results)} of {self.compared} numbers differ"
            lines += difference_lines(words, self.results)
        lines += [f"Note: a run of the study stops on {stop}" for stop in self.stops]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values."""
        rows = None if self.results is None else [r.plain() for r in self.results]
        return {
            "differ": self.differ,
            "prices": self.prices.to_dict(),
            "results": rows,
            "compared": self.compared,
            "flips": self.flips,
            "not_run": self.not_run,
            "stops": list(self.stops),
        }


def differences(words: Sequence[str], tolerance: float = TOLERANCE) -> StudyDifferences:
    """Compare two price tables, or two vintages of a study with its results.

    The words are two price files; or a study and up to two of: a vintage's name, a price file, ``snapshot``. By default the last
    two vintages; with one word that one and the newest.
    """
    first = Path(words[0])
    if (first / FILE_NAME).is_file() or first.name == FILE_NAME:
        return _of_study(load_study(first), words[1:], tolerance)
    if len(words) != 2:
        raise InvalidInput(
            f"{plural(len(words), 'word was', 'words were')} given and {words[0]!r} is no study; name two price "
            f"files, or a study and up to two of its vintages."
        )
    old, new = (_table(None, word) for word in words)
    return StudyDifferences(compare_prices(old, new, tolerance))


def _of_study(spec: StudySpec, words: Sequence[str], tolerance: float) -> StudyDifferences:
    if len(words) > 2:
        raise InvalidInput(
            f"{len(words)} tables were named; a study is compared on two: eventstudy diff STUDY OLD NEW."
        )
    if len(words) < 2:
        stored = list_vintages(spec.folder, YAHOO)
        if len(stored) < 2 - len(words):
            there = "1 vintage" if stored else "no vintages"
            raise DataMissing(f"{spec.name} has {there}, and two are compared; {_how_to_get_two(spec)}.")
        words = [*words, *(v.name for v in stored[len(words) - 2 :])]
    old, new = (_table(spec, word) for word in words)
    prices = compare_prices(old, new, tolerance)
    try:
        (before, stops_old), (after, stops_new) = (_run(spec, table) for table in (old, new))
    except EventStudyError as error:
        return StudyDifferences(prices, (), 0, error.message)
    found, compared = compare_results(before, after, spec.model.report)
    return StudyDifferences(prices, found, compared, stops=tuple(s for s in (stops_old, stops_new) if s))


def _how_to_get_two(spec: StudySpec) -> str:
    study = command_path(spec.folder)
    if spec.prices.downloaded:
        return f"'eventstudy fetch {study}' makes another, or name two tables"
    return f"its prices come from {spec.prices.source}, so name two files: eventstudy diff {study} OLD.csv NEW.csv"


def _run(spec: StudySpec, prices: Prices) -> tuple[EventStudyResult, str]:
    """Run a study, if need be on prices that its checks refuse; then say so."""
    try:
        return spec.run(prices), ""
    except DataUnfit as error:
        every = {name: "compared with another vintage only" for name, rule in RULES.items() if rule.acceptable}
        study = replace(spec.build_study(), accept=every)
        stop = f"{prices.provenance.source}. {error.message}"
        return study.run(prices, spec.event_list(), spec.factors()), stop


def _table(spec: StudySpec | None, word: str) -> Prices:
    if word == Snapshot.name:
        return load_prices()
    if spec is not None and (not is_price_file(word) or not Path(word).is_file()):
        return read_prices(find_vintage(spec.folder, word).path)
    return read_prices(word)


def change_since_last(vintage: Vintage, folder: Path) -> str:
    """Return in one line what a new vintage changed against the one before it; empty if it is the first."""
    earlier = [
        v for v in list_vintages(folder, vintage.source) if v.name != vintage.name and v.fetched <= vintage.fetched
    ]
    if not earlier:
        return ""
    found = compare_prices(read_prices(earlier[-1].path), read_prices(vintage.path))
    return f"against {earlier[-1].name}, {stored_age(earlier[-1].name)}: {found.summary()}"


# -- Two builds of a report.


@dataclass(frozen=True, repr=False)
class BuildDifferences:
    """What differs between two builds."""

    old: str
    new: str
    #: Published numbers that differ, flips first.
    numbers: tuple[NumberDifference[NumberName], ...]
    compared: int
    #: What the old build says and the new one says otherwise.
    conclusions: tuple[ChangedConclusion, ...]
    causes: tuple[Cause, ...]

    @property
    def differ(self) -> bool:
        """Whether any published number or verdict differs."""
        return bool(self.numbers or self.conclusions)

    @property
    def flips(self) -> int:
        """How many results change sign or significance."""
        return sum(n.flips for n in self.numbers)

    def __repr__(self) -> str:
        lines = [f"{self.old} → {self.new}"]
        lines += difference_lines(f"Numbers: {len(self.numbers)} of {self.compared} differ", self.numbers)
        lines.append(f"Conclusions: {len(self.conclusions)} changed")
        lines += [f"  {c}" for c in self.conclusions]
        lines.append("Underneath:" if self.causes else "Underneath: nothing that is recorded changed")
        lines += [f"  {c}" for c in self.causes]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values."""
        return {
            "differ": self.differ,
            "numbers": [n.plain() for n in self.numbers],
            "compared": self.compared,
            "flips": self.flips,
            "conclusions": [asdict(c) for c in self.conclusions],
            "causes": [asdict(c) for c in self.causes],
        }


def build_differences(old: Path, new: Path, folders: Sequence[Path] = ()) -> BuildDifferences:
    """Compare two builds."""
    before, after = read_published(old), read_published(new)
    near = [p if p.is_dir() else p.parent for p in (old, new)]
    return BuildDifferences(
        old=str(old),
        new=str(new),
        numbers=number_changes(before, after),
        compared=len({*before.numbers, *after.numbers}),
        conclusions=changed_conclusions(before, after),
        causes=causes(before, after, (*near, *folders)),
    )


def version_differences(study: Path, old: int, new: int) -> BuildDifferences:
    """Compare two published versions of a study."""
    spec = load_study(study)
    if spec.publish_folder is None:
        raise InvalidInput(f"{spec.path.name} has no [publish] folder, so {spec.name} has no versions to compare.")
    first, second = (version_folder(spec.publish_folder, number) for number in (old, new))
    return build_differences(first, second, (spec.folder,))
