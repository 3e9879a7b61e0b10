"""Numbers that differ between two builds, or two results of a study: found as values, ranked, and worded last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from eventstudy.report.builds.numbers import SIGNIFICANT, Number, NumberName, Published
from eventstudy.study.results import EventStudyResult
from eventstudy.windows import Window
from eventstudy.wording import first_lines, p_text, percent, plural

#: So many differences are printed; all are in the values.
SHOWN = 25
#: Abnormal returns, and p-values, that differ by no more are equal: noise of single precision stays far below.
RETURN_TOLERANCE, P_TOLERANCE = 1e-5, 1e-3


class Place(Protocol):
    """Where a number stands, and how it is written there."""

    @property
    def tolerance(self) -> float:
        """How far equal numbers may lie apart."""

    def plain(self) -> dict[str, str]:
        """Return the place as plain values."""

    def change(self, old: float | None, new: float | None) -> str:
        """Return two values of the number in words."""

    def rank(self, old: float | None, new: float | None) -> tuple[object, ...]:
        """Return where a change stands among others, the largest first."""


P = TypeVar("P", bound=Place)


@dataclass(frozen=True, slots=True)
class NumberDifference(Generic[P]):
    """One number that differs.

    Attributes
    ----------
    place : NumberName or ResultPlace
        Where it stands.
    old, new : float or None
        Both values; None where there is none.
    sign_flips, significance_flips : bool
        Whether a result changed sign, or the side of 5 % on which its p-value lies.
    """

    place: P
    old: float | None
    new: float | None
    sign_flips: bool = False
    significance_flips: bool = False

    @property
    def flips(self) -> bool:
        """Whether sign or significance changed."""
        return self.sign_flips or self.significance_flips

    @property
    def difference(self) -> float | None:
        """New less old; None if there is no number on one side."""
        return None if self.old is None or self.new is None else self.new - self.old

    def __str__(self) -> str:
        flips = " SIGN FLIPS" * self.sign_flips + " SIGNIFICANCE FLIPS at 5%" * self.significance_flips
        return f"{self.place}: {self.place.change(self.old, self.new)}{flips}"

    def plain(self) -> dict[str, object]:
        """Return the difference as plain values."""
        values = {name: getattr(self, name) for name in ("old", "new", "sign_flips", "significance_flips")}
        return {**self.place.plain(), **values, "difference": self.difference}


def differing(old: Mapping[P, Number], new: Mapping[P, Number]) -> tuple[NumberDifference[P], ...]:
    """Return the numbers that differ by more than their place tolerates, or flip: flips first, then the largest first."""
    places = dict.fromkeys([*old, *new])
    found = [d for p in places if (d := _difference(p, old.get(p), new.get(p))) is not None]
    return tuple(sorted(found, key=lambda d: (not d.flips, d.place.rank(d.old, d.new))))


def _difference(place: P, old: Number | None, new: Number | None) -> NumberDifference[P] | None:
    before, after = (None if n is None else n.value for n in (old, new))
    moved = before != after
    if before is not None and after is not None:
        moved = abs(after - before) > place.tolerance
    sign = significance = False
    if old is not None and new is not None:
        sign = moved and (old.sign or 0) * (new.sign or 0) < 0
        significance = old.significant is not new.significant
    return NumberDifference(place, before, after, sign, significance) if moved or sign or significance else None


def difference_lines(words: str, found: Sequence[NumberDifference[P]]) -> list[str]:
    """Return how many numbers differ, with how many flip, and the first of them, a line each."""
    flips = sum(d.flips for d in found)
    if flips:
        words += f", {plural(flips, 'of them flips', 'of them flip')}"
    return [words, *first_lines(found, SHOWN)]


def number_changes(old: Published, new: Published) -> tuple[NumberDifference[NumberName], ...]:
    """Return the published numbers that differ in their ten digits."""
    return differing(old.numbers, new.numbers)


# -- The numbers of two results of one study.


@dataclass(frozen=True, slots=True)
class ResultPlace:
    """A number of a study's result: an abnormal return, its sum, an average, or the p-value of a test.

    Attributes
    ----------
    event : str
        Short name of the event; ``all`` for the average.
    """

    quantity: Literal["AR", "CAR", "CAAR", "p"]
    event: str
    window: str
    test: str = ""

    @property
    def what(self) -> str:
        """The quantity, of a p-value with its test."""
        return f"{self.quantity} {self.test}".strip()

    @property
    def is_p_value(self) -> bool:
        """Whether it is a test's p-value."""
        return self.quantity == "p"

    @property
    def tolerance(self) -> float:
        """How far equal numbers may lie apart."""
        return P_TOLERANCE if self.is_p_value else RETURN_TOLERANCE

    def __str__(self) -> str:
        return f"{self.event} {self.what} {self.window}"

    def plain(self) -> dict[str, str]:
        """Return the place as plain values."""
        return {"what": self.what, "event": self.event, "window": self.window}

    def change(self, old: float | None, new: float | None) -> str:
        """Return two values of the number in words."""
        return " → ".join("none" if v is None else self._written(v) for v in (old, new))

    def _written(self, value: float) -> str:
        return p_text(value) if self.is_p_value else percent(value, 3)

    def rank(self, old: float | None, new: float | None) -> tuple[bool, float]:
        """Return where a change stands among others: returns before p-values, then by its size."""
        size = 1.0 if old is None or new is None else abs(new - old)
        return self.is_p_value, -size


def compare_results(
    old: EventStudyResult, new: EventStudyResult, windows: Sequence[Window]
) -> tuple[tuple[NumberDifference[ResultPlace], ...], int]:
    """Compare every abnormal return, CAR and p-value of two results of one study; return also how many there were."""
    before, after = (list(_numbers(r.to_dict(windows))) for r in (old, new))
    compared = len(dict.fromkeys(place for place, _ in [*before, *after]))
    return differing(_present(before), _present(after)), compared


def _present(numbers: Iterable[tuple[ResultPlace, float | None]]) -> dict[ResultPlace, Number]:
    """Return the numbers that are there, with sign or significance."""
    return {place: _with_verdict(place, value) for place, value in numbers if value is not None}


def _with_verdict(place: ResultPlace, value: float) -> Number:
    if place.is_p_value:
        return Number(value, significant=value < SIGNIFICANT)
    return Number(value, sign=(value > 0) - (value < 0))


def _numbers(content: Mapping[str, object]) -> Iterator[tuple[ResultPlace, float | None]]:
    """Yield each number of a result's plain values with its place."""
    for event in _rows(content["events"]):
        name = str(event["event"])
        for day, value in _mapping(event["abnormal_returns"]).items():
            yield ResultPlace("AR", name, f"day {int(day):+d}"), _float(value)
        for window, row in _mapping(event["car"]).items():
            yield ResultPlace("CAR", name, window), _float(_mapping(row)["car"])
        for window, tests in _mapping(event["tests"]).items():
            yield from _p_values(tests, name, window)
    for average in _rows(content["averages"]):
        window = str(Window.of(average["window"]))  # type: ignore[arg-type]
        yield ResultPlace("CAAR", "all", window), _float(average["caar"])
        yield from _p_values(average["tests"], "all", window)


def _p_values(tests: object, event: str, window: str) -> Iterator[tuple[ResultPlace, float | None]]:
    for name, test in _mapping(tests).items():
        yield ResultPlace("p", event, window, name), _float(_mapping(test)["p_value"])


def _rows(value: object) -> list[Mapping[str, object]]:
    assert isinstance(value, list)
    return value


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, Mapping)
    return value


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
