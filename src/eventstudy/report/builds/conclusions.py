"""The conclusions of a report, what was published of them, and the stop if a build would say otherwise unaccepted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing, NotAsRecorded
from eventstudy.files import read_small, sha256, write_whole
from eventstudy.report.builds import manifest
from eventstudy.report.builds.causes import Cause, causes
from eventstudy.report.builds.changed_numbers import NumberDifference, number_changes
from eventstudy.report.builds.corrections import Correction, read_corrections
from eventstudy.report.builds.numbers import FILE, Number, NumberName, Published, read_published
from eventstudy.report.builds.publish import check_owner, version_folder, version_numbers
from eventstudy.windows import Window
from eventstudy.wording import p_text, percent, plural

if TYPE_CHECKING:
    from eventstudy.studyfile.spec import StudySpec

#: Tables whose results are the report's conclusions: the event day, and the windows.
EVENT_DAY, WINDOWS = "headline", "windows"
#: Tables that name the events of the average.
_EVENT_TABLES = ("all_shares", EVENT_DAY, WINDOWS)
_AVERAGE = "mean abnormal return of all events on the event day"


@dataclass(frozen=True, slots=True)
class ChangedConclusion:
    """A conclusion that was published and is another now."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what}: {self.old} → {self.new}"


def changed_conclusions(old: Published, new: Published) -> tuple[ChangedConclusion, ...]:
    """Return the conclusions that one build says and another one says otherwise; none if one of them is a draft.

    Results of the headline shares whose significance at 5 % changed, or whose sign changed (over windows other
    than the event day only if it was clear before), recommended tests of the average whose significance changed
    (of the same events), and claims with another verdict. A result or claim that is gone is a change too, unless
    the study's own files changed.
    """
    if old.is_draft or new.is_draft:
        return ()
    found = [*_results_otherwise(old, new)]
    if old.inputs == new.inputs or _events(old) == _events(new):
        found += _average_otherwise(old, new)
    return (*found, *_claims_otherwise(old, new))


def other_flips(old: Published, new: Published) -> tuple[NumberDifference[NumberName], ...]:
    """Return the results that changed sign or significance and are no conclusions; none against a draft."""
    if old.is_draft or new.is_draft:
        return ()
    return tuple(c for c in number_changes(old, new) if c.flips and not _is_conclusion(c.place))


def _is_conclusion(name: NumberName) -> bool:
    """Whether a number stands in a table of conclusions; the event day has a table of its own."""
    return name.table == EVENT_DAY or (name.table == WINDOWS and str(Window(0, 0)) not in name.row)


def _results_otherwise(old: Published, new: Published) -> Iterator[ChangedConclusion]:
    asked = old.inputs == new.inputs
    for name, a in old.numbers.items():
        if a.kind != "result" or not _is_conclusion(name):
            continue
        b = new.numbers.get(name)
        if (b is None and asked) or (b is not None and _concludes_otherwise(name, a, b)):
            yield ChangedConclusion(_title(name), _result_words(a), _result_words(b))


def _concludes_otherwise(name: NumberName, a: Number, b: Number) -> bool:
    if a.significant is not b.significant:
        return True
    opposite = (a.sign or 0) * (b.sign or 0) < 0
    return opposite and (name.table == EVENT_DAY or bool(a.significant))


def _title(name: NumberName) -> str:
    event, *window = name.row
    return f"{event}, CAR over {window[0]}" if window else f"{event}, abnormal return on the event day"


def _result_words(result: Number | None) -> str:
    if result is None or result.value is None:
        return "no number"
    return f"{percent(result.value)} ({_clear(result)} at 5%, p {_p_words(result.p_value)})"


def _clear(number: Number) -> str:
    return "clear" if number.significant else "not clear"


def _p_words(p: float | None) -> str:
    return p_text(float("nan") if p is None else p)


def _events(build: Published) -> tuple[frozenset[str], object]:
    """Return the events of a build's average: their names in its tables, and how many each test counts."""
    names = frozenset(n.row[0] for n in build.numbers if n.table in _EVENT_TABLES)
    return names, {n: e.value for n, e in build.numbers.items() if n.table == "tests" and n.column == "n"}


def _recommended(build: Published) -> dict[str, Number]:
    """Return the p-values of the recommended tests of the average, by test."""
    return {name.row[0]: number for name, number in build.numbers.items() if number.recommended}


def _average_otherwise(old: Published, new: Published) -> list[ChangedConclusion]:
    """Return the recommended tests of the average whose significance changed; if none is recommended in both builds, all as one."""
    before, after = _recommended(old), _recommended(new)
    both = [test for test in before if test in after]
    verdicts = [{number.significant for number in tests.values()} for tests in (before, after)]
    if not both and before and after and verdicts[0] != verdicts[1]:
        words = [", ".join(f"{t} {_test_words(p)}" for t, p in sorted(tests.items())) for tests in (before, after)]
        return [ChangedConclusion(_AVERAGE, *words)]
    return [
        ChangedConclusion(f"{_AVERAGE}, {test}", _test_words(before[test]), _test_words(after[test]))
        for test in both
        if before[test].significant is not after[test].significant
    ]


def _test_words(test: Number) -> str:
    return f"{_clear(test)} at 5% (p {_p_words(test.value)})"


def _claims_otherwise(old: Published, new: Published) -> Iterator[ChangedConclusion]:
    asked = old.inputs == new.inputs
    for name, before in old.claims.items():
        after = new.claims.get(name)
        if after is None and asked:
            yield ChangedConclusion(f"claim {name}", str(before["verdict"]), "not judged")
        elif after is not None and after["verdict"] != before["verdict"]:
            yield ChangedConclusion(f"claim {name}", str(before["verdict"]), str(after["verdict"]))


# -- What was published before.


#: Where a draft keeps the numbers of the last build that was none.
LAST_FINAL = "last_final.json"
PAGE = "index.html"
#: In place of a digest: numbers of which not even that is known.
_UNKNOWN = "unknown"
_LOST = re.compile(r'\{"lost": "(?P<digest>[0-9a-f]{64}|unknown)"\}\n')


@dataclass(frozen=True, slots=True)
class PublishedBefore:
    """What readers of a report could see before a build."""

    #: The newest published version; None if there is none.
    version: Published | None = None
    #: The last build that was no draft; None if there is none, or its numbers are gone.
    last: Published | None = None
    #: Conclusions that were corrected since the version was published: the last build decides on these.
    corrected: frozenset[str] = frozenset()
    #: Digest of the last build's numbers, or ``unknown``, if they are gone and nothing else says what they
    #: were; else empty.
    lost: str = ""

    def otherwise(self, now: Published) -> tuple[tuple[ChangedConclusion, ...], Published | None]:
        """Return the conclusions that a build says otherwise, and the build that said them; None if there are none."""
        later = () if self.last is None else changed_conclusions(self.last, now)
        if self.version is None:
            return later, self.last if later else None
        decided = frozenset() if self.last is None else self.corrected
        changed = tuple(c for c in changed_conclusions(self.version, now) if c.what not in decided)
        again = tuple(c for c in later if c.what in decided)
        if changed:
            return (*changed, *again), self.version
        return again, self.last if again else None

    def flips_beside(self, now: Published) -> tuple[NumberDifference[NumberName], ...]:
        """Return the results that changed sign or significance and are no conclusions; a build says so and goes on."""
        base = self.last or self.version
        return () if base is None else other_flips(base, now)


def published_before(spec: StudySpec) -> PublishedBefore:
    """Return what was published of a study, by its newest version and its last build that was no draft."""
    version, since = _newest_version(spec)
    last = _last_final(spec.folder)
    lost = _lost(spec.folder) if version is None and last is None else ""
    return PublishedBefore(version, last, since, lost)


def _newest_version(spec: StudySpec) -> tuple[Published | None, frozenset[str]]:
    """Return the numbers of the newest version that has any, and what was corrected since."""
    target = spec.publish_folder
    if target is None:
        return None, frozenset()
    check_owner(spec, target)
    for number in reversed(version_numbers(target)):
        folder = version_folder(target, number)
        found = _numbers_or_none(folder)
        if found is not None:
            then = read_corrections(folder)
            return found, frozenset(c.what for c in read_corrections(spec.folder) if c not in then)
    return None, frozenset()


def _numbers_or_none(path: Path) -> Published | None:
    try:
        return read_published(path)
    except DataMissing:
        return None


def _last_final(folder: Path) -> Published | None:
    here = _numbers_or_none(folder)
    return here if here is not None and not here.is_draft else _numbers_or_none(folder / LAST_FINAL)


def _lost(folder: Path) -> str:
    """Return the recorded digest of a last build's numbers that are gone; empty if it was a draft or never made."""
    recorded = manifest.read_manifest(folder)
    kept = folder / LAST_FINAL
    if kept.is_file():
        digest = _LOST.fullmatch(read_small(kept).decode("utf-8", errors="replace"))
        return digest["digest"] if digest else _UNKNOWN
    if recorded is None:  # a page without manifest and numbers was built by somebody, and read
        return _UNKNOWN if (folder / PAGE).is_file() and _numbers_or_none(folder) is None else ""
    if recorded["inputs"].get(manifest.STATE) == "draft":
        return ""
    return recorded["outputs"].get(FILE, "")


def keep_final_numbers(folder: Path, stage: Path, now: Published, lost: str = "") -> None:
    """Keep the numbers of the last build that was no draft beside a draft that takes their place; or that they are lost."""
    if not now.is_draft:
        return
    here = _numbers_or_none(folder)
    if here is not None and not here.is_draft:
        shutil.copyfile(folder / FILE, stage / LAST_FINAL)
    elif lost:
        write_whole(stage / LAST_FINAL, f'{{"lost": "{lost}"}}\n')


def forget_final_numbers(folder: Path, now: Published) -> None:
    """Remove what a draft kept, once a build that is none stands in its place."""
    if not now.is_draft:
        (folder / LAST_FINAL).unlink(missing_ok=True)


# -- The stop.


class ConclusionsChanged(NotAsRecorded):
    """A report would say otherwise than was published, and nobody has accepted that."""


def judge_changes(
    spec: StudySpec, before: PublishedBefore, now: Published, accept: str | None, date: str
) -> tuple[Correction, ...]:
    """Return the corrections that accepted changes of conclusions make; stop if they were not accepted.

    The corrections are dated with ``date``, by default the day of the prices, or their last one if they have none.
    """
    if before.lost and accept is None and not now.is_draft and sha256(now.to_json().encode("utf-8")) != before.lost:
        raise ConclusionsChanged(
            f"{spec.name}: {FILE} of the last build is gone, so nobody can tell whether a conclusion would change; the report stays. "
            f'Put the file back, or build with --accept-changes "why".'
        )
    changed, base = before.otherwise(now)
    if base is None:
        return ()
    why = causes(base, now, (spec.folder,))
    if accept is None:
        raise ConclusionsChanged(_refusal(spec, changed, why), changes=changed, causes=why)
    cause = "; ".join(map(str, why))
    day = date or str(now.data["retrieved"] or now.data.get("last", ""))
    return tuple(Correction(day, c.what, c.old, c.new, cause, accept) for c in changed)


def _refusal(spec: StudySpec, changed: Sequence[ChangedConclusion], why: Sequence[Cause]) -> str:
    lines = [f"{spec.name}: {plural(len(changed), 'conclusion')} would change; the report stays."]
    lines += [f"  {c}" for c in changed]
    lines += [f"  because of {c}" for c in why] or ["  nothing that is recorded changed underneath"]
    lines.append(
        'Look at it, then build with --accept-changes "why" to correct the report and record that it said otherwise.'
    )
    return "\n".join(lines)
