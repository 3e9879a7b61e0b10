"""Two vintages of a study's prices: which prices differ, and which of its results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from eventstudy.errors import DataMissing, DataUnfit, EventStudyError, InvalidInput
from eventstudy.files import command_path
from eventstudy.prices.checks.finding import CHECKS, NEVER_ACCEPTED
from eventstudy.prices.table import YAHOO, Prices
from eventstudy.sources import load_prices
from eventstudy.sources.files.open import is_price_file, read_prices
from eventstudy.sources.source import Snapshot
from eventstudy.study.results import EventStudyResult
from eventstudy.studyfile.spec import FILE_NAME, StudySpec, load_study
from eventstudy.vintages.compare import TOLERANCE, PriceDifferences, compare_prices
from eventstudy.vintages.store import Vintage, find_vintage, list_vintages
from eventstudy.windows import Window
from eventstudy.wording import p_text, percent

#: Abnormal returns, and p-values, that differ by no more are equal: noise of single precision stays far below.
RETURN_TOLERANCE, P_TOLERANCE = 1e-5, 1e-3
SIGNIFICANT = 0.05
_SHOWN = 25

Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ResultDifference:
    """One number of a study that differs.

    Attributes
    ----------
    what : str
        ``AR``, ``CAR``, ``CAAR`` or ``p`` with the test's name.
    event : str
        Short name of the event; ``all`` for the average.
    old, new : float or None
        Both values, fractions; None where there is none.
    sign_flips, significance_flips : bool
        Whether the sign changed, or the side of 5 % on which a p-value lies.
    """

    what: str
    event: str
    window: str
    old: float | None
    new: float | None
    sign_flips: bool
    significance_flips: bool

    @property
    def difference(self) -> float | None:
        """New less old; None if there is no number on one side."""
        return None if self.old is None or self.new is None else self.new - self.old

    def __str__(self) -> str:
        shown = p_text if self.what.startswith("p ") else lambda v: percent(v, 3)
        old, new = ("none" if v is None else shown(v) for v in (self.old, self.new))
        flips = " SIGN FLIPS" * self.sign_flips + " SIGNIFICANCE FLIPS at 5%" * self.significance_flips
        return f"{self.event} {self.what} {self.window}: {old} → {new}{flips}"


@dataclass(frozen=True, repr=False)
class StudyDifferences:
    """What differs between two tables of prices, and in a study's results on them.

    Attributes
    ----------
    results : tuple of ResultDifference or None
        Numbers that differ; None if no study was named.
    not_run : str
        Why the study could not be run on one of the tables; empty if it could.
    stops : tuple of str
        For each table that a build of the study would refuse, its name and why; its results are compared nevertheless.
    """

    prices: PriceDifferences
    results: tuple[ResultDifference, ...] | None = None
    compared: int = 0
    not_run: str = ""
    stops: tuple[str, ...] = ()

    @property
    def differ(self) -> bool:
        """Whether any return or any result differs."""
        return self.prices.differ or bool(self.results) or bool(self.not_run)

    @property
    def flips(self) -> int:
        """How many signs or significances flip."""
        return sum(r.sign_flips or r.significance_flips for r in self.results or ())

    def __repr__(self) -> str:
        lines = [repr(self.prices)]
        if self.not_run:
            lines.append(f"Results: not compared. {self.not_run}")
        elif self.results is not None:
            flips = f", {self.flips} of them flip{'s' * (self.flips == 1)}" if self.flips else ""
            lines.append(f"Results: {len(self.results)} of {self.compared} numbers differ{flips}")
            lines += [f"  {r}" for r in self.results[:_SHOWN]]
            more = len(self.results) - _SHOWN
            lines += [f"  … and {more} more; --json has all"] if more > 0 else []
        lines += [f"Mind: a run of the study stops on {stop}" for stop in self.stops]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values."""
        rows = None if self.results is None else [{**asdict(r), "difference": r.difference} for r in self.results]
        return {
            "differ": self.differ,
            "prices": self.prices.to_dict(),
            "results": rows,
            "compared": self.compared,
            "flips": self.flips,
            "not_run": self.not_run,
            "stops": list(self.stops),
        }


def compare_results(
    old: EventStudyResult, new: EventStudyResult, windows: Sequence[Window]
) -> tuple[tuple[ResultDifference, ...], int]:
    """Compare every abnormal return, CAR and p-value of two results of one study.

    Returns
    -------
    differences : tuple of ResultDifference
        Flips first, then the largest differences first.
    compared : int
        How many numbers were compared.
    """
    before, after = (dict(_numbers(r.to_dict(windows))) for r in (old, new))
    places = list(dict.fromkeys([*before, *after]))
    found = [r for p in places if (r := _difference(p, before.get(p), after.get(p))) is not None]
    found.sort(
        key=lambda r: (not (r.sign_flips or r.significance_flips), r.what.startswith("p "), -abs(r.difference or 1.0))
    )
    return tuple(found), len(places)


def _difference(place: Place, old: float | None, new: float | None) -> ResultDifference | None:
    if old is None or new is None:
        return None if old is new else ResultDifference(*place, old, new, False, False)
    is_p = place[0].startswith("p ")
    moved = abs(new - old) > (P_TOLERANCE if is_p else RETURN_TOLERANCE)
    sign = not is_p and moved and old * new < 0
    significance = is_p and (old < SIGNIFICANT) != (new < SIGNIFICANT)
    return ResultDifference(*place, old, new, sign, significance) if moved or significance else None


def _numbers(content: Mapping[str, object]) -> Iterator[tuple[Place, float | None]]:
    """Yield each number of a result's plain values with its place."""
    for event in _rows(content["events"]):
        name = str(event["event"])
        for day, value in _mapping(event["abnormal_returns"]).items():
            yield ("AR", name, f"day {int(day):+d}"), _float(value)
        for window, row in _mapping(event["car"]).items():
            yield ("CAR", name, window), _float(_mapping(row)["car"])
        for window, tests in _mapping(event["tests"]).items():
            yield from _p_values(tests, name, window)
    for average in _rows(content["averages"]):
        window = str(Window.of(average["window"]))  # type: ignore[arg-type]
        yield ("CAAR", "all", window), _float(average["caar"])
        yield from _p_values(average["tests"], "all", window)


def _p_values(tests: object, event: str, window: str) -> Iterator[tuple[Place, float | None]]:
    for name, test in _mapping(tests).items():
        yield (f"p {name}", event, window), _float(_mapping(test)["p_value"])


def _rows(value: object) -> list[Mapping[str, object]]:
    assert isinstance(value, list)
    return value


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, Mapping)
    return value


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def differences(words: Sequence[str], tolerance: float = TOLERANCE) -> StudyDifferences:
    """Compare two price tables, or two vintages of a study with its results.

    Parameters
    ----------
    words : sequence of str
        Two price files; or a study and up to two of: a vintage's name, a price file, ``snapshot``. By default the last two
        vintages; with one word that one against the newest.
    """
    first = Path(words[0])
    if (first / FILE_NAME).is_file() or first.name == FILE_NAME:
        return _of_study(load_study(first), words[1:], tolerance)
    if len(words) != 2:
        raise InvalidInput(
            f"{len(words)} word{'s were' if len(words) != 1 else ' was'} given and {words[0]!r} is no study; name two price "
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
            raise DataMissing(
                f"{spec.name} has {len(stored) or 'no'} vintage{'s' if not stored else ''}, and two are compared; {_how_to_get_two(spec)}."
            )
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
        every = {name: "compared with another vintage only" for name in CHECKS if name not in NEVER_ACCEPTED}
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
    return f"against {earlier[-1].name}: {found.summary()}"
