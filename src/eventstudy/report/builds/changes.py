"""What differs between two builds of a report, why, and which of its conclusions changed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing, EventStudyError, InvalidInput, NotAsRecorded
from eventstudy.files import file_sha256, sha256, write_whole
from eventstudy.prices.table import Prices
from eventstudy.report.builds import manifest
from eventstudy.report.builds.numbers import FILE, Published, read_published
from eventstudy.report.builds.publish import Correction, check_owner, read_corrections, version_folder, version_numbers
from eventstudy.sources import load_prices
from eventstudy.sources.files.open import is_price_file, read_prices
from eventstudy.studyfile.spec import load_study
from eventstudy.vintages.compare import compare_prices
from eventstudy.wording import p_text, percent

if TYPE_CHECKING:
    from eventstudy.studyfile.spec import StudySpec

#: Tables whose results are the report's conclusions.
HEADLINE = ("headline", "windows")


@dataclass(frozen=True, slots=True)
class NumberChange:
    """One published number that differs.

    Attributes
    ----------
    old, new : float or None
        Both values; None where there is none.
    sign_flips, significance_flips : bool
        Whether a result changed sign, or the side of 5 % on which its p-value lies.
    """

    name: str
    old: float | None
    new: float | None
    sign_flips: bool = False
    significance_flips: bool = False

    @property
    def difference(self) -> float | None:
        """New less old; None if there is no number on one side."""
        return None if self.old is None or self.new is None else self.new - self.old

    def __str__(self) -> str:
        old, new = ("none" if v is None else f"{v:.6g}" for v in (self.old, self.new))
        moved = f" ({self.difference:+.3g})" if self.difference is not None else ""
        flips = " SIGN FLIPS" * self.sign_flips + " SIGNIFICANCE FLIPS at 5%" * self.significance_flips
        return f"{self.name}: {old} → {new}{moved}{flips}"


@dataclass(frozen=True, slots=True)
class ChangedConclusion:
    """A conclusion that readers were told and that is another now."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what}: {self.old} → {self.new}"


@dataclass(frozen=True, slots=True)
class Cause:
    """What changed underneath two builds.

    Attributes
    ----------
    kind : str
        ``prices``, ``code``, ``environment``, ``study`` or ``status``.
    """

    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


def number_changes(old: Published, new: Published) -> tuple[NumberChange, ...]:
    """Return the numbers that differ in their ten digits: flips first, then by the size of the relative difference."""
    found = []
    for name in dict.fromkeys([*old.numbers, *new.numbers]):
        a, b = old.numbers.get(name, {}), new.numbers.get(name, {})
        before, after = _float(a.get("value")), _float(b.get("value"))
        both = bool(a) and bool(b)
        sign = both and _flips(a.get("sign"), b.get("sign"))
        significance = both and a.get("significant") is not b.get("significant")
        if before != after or sign or significance:
            found.append(NumberChange(name, before, after, sign, significance))
    return tuple(sorted(found, key=lambda c: (not (c.sign_flips or c.significance_flips), -_size(c), c.name)))


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _flips(a: object, b: object) -> bool:
    return isinstance(a, int) and isinstance(b, int) and a * b < 0


def _size(change: NumberChange) -> float:
    if change.old is None or change.new is None:
        return float("inf")
    return abs(change.new - change.old) / max(abs(change.old), abs(change.new), 1e-300)


def changed_conclusions(old: Published, new: Published) -> tuple[ChangedConclusion, ...]:
    """Return what readers were told and what is told otherwise now.

    Returns
    -------
    tuple of ChangedConclusion
        Results of the headline shares whose significance at 5 % changed, or whose sign changed (over windows other
        than the event day only if it was clear in one of the builds), tests of the average that readers are told to believe and
        whose significance changed (of the same events), and claims with another verdict. A result or claim that is gone is a
        change too, unless the study's own files changed.

    Notes
    -----
    Nobody was told a draft's conclusions: nothing that differs from a draft is a change.
    """
    if old.state == "draft" or new.state == "draft":
        return ()
    asked = old.inputs == new.inputs
    found = []
    for name, a in old.numbers.items():
        table, *_ = name.split("/")
        if "sign" not in a or not _is_conclusion(name):
            continue
        b = new.numbers.get(name)
        if (b is None and asked) or (b is not None and _concludes_otherwise(table, a, b)):
            found.append(ChangedConclusion(_title(name), _reading(a), _reading(b)))
    found += _average_otherwise(old, new) if asked or _events(old) == _events(new) else []
    for name, before in old.claims.items():
        after = new.claims.get(name)
        if (after is None and asked) or (after is not None and after["verdict"] != before["verdict"]):
            new_verdict = "not judged" if after is None else str(after["verdict"])
            found.append(ChangedConclusion(f"claim {name}", str(before["verdict"]), new_verdict))
    return tuple(found)


def other_flips(old: Published, new: Published) -> tuple[NumberChange, ...]:
    """Return the results that changed sign or significance and are no conclusions; none against a draft."""
    if old.state == "draft" or new.state == "draft":
        return ()
    moved = number_changes(old, new)
    return tuple(c for c in moved if (c.sign_flips or c.significance_flips) and not _is_conclusion(c.name))


def _is_conclusion(name: str) -> bool:
    return name.split("/", maxsplit=1)[0] in HEADLINE and not (name.startswith("windows/") and "/[0, 0]/" in name)


def _events(build: Published) -> tuple[frozenset[str], object]:
    """Return the events of a build's average: their names in its tables, and how many each test counts."""
    tables = ("all_shares", *HEADLINE)
    names = frozenset(n.split("/")[1] for n in build.numbers if n.split("/")[0] in tables)
    return names, {n: e["value"] for n, e in build.numbers.items() if n.startswith("tests/") and n.endswith("/n")}


def _believed(build: Published) -> dict[str, Mapping[str, object]]:
    return {n.split("/")[1]: e for n, e in build.numbers.items() if n.startswith("tests/") and e.get("believed")}


def _average_otherwise(old: Published, new: Published) -> list[ChangedConclusion]:
    """Return the tests to believe of the average whose significance changed; if none is recommended in both builds, all as one."""
    before, after = _believed(old), _believed(new)
    what = "mean abnormal return of all events on the event day"
    both = [t for t in before if t in after]
    told = [{e["significant"] for e in b.values()} for b in (before, after)]
    if not both and before and after and told[0] != told[1]:
        said = [", ".join(f"{t} {_clear(e)}" for t, e in sorted(b.items())) for b in (before, after)]
        return [ChangedConclusion(what, *said)]
    return [
        ChangedConclusion(f"{what}, {t}", _clear(before[t]), _clear(after[t]))
        for t in both
        if before[t]["significant"] is not after[t]["significant"]
    ]


def _clear(entry: Mapping[str, object]) -> str:
    p = _float(entry["value"])
    clear = "clear" if entry["significant"] else "not clear"
    return f"{clear} at 5% (p {p_text(p if p is not None else float('nan'))})"


def _concludes_otherwise(table: str, a: Mapping[str, object], b: Mapping[str, object]) -> bool:
    if a["significant"] is not b["significant"]:
        return True
    return _flips(a["sign"], b["sign"]) and (table == "headline" or bool(a["significant"]))


def _title(name: str) -> str:
    table, event, *rest = name.split("/")
    return f"{event}, abnormal return on the event day" if table == "headline" else f"{event}, CAR over {rest[0]}"


def _reading(entry: Mapping[str, object] | None) -> str:
    value = None if entry is None else _float(entry["value"])
    if entry is None or value is None:
        return "no number"
    clear = "clear" if entry["significant"] else "not clear"
    p = _float(entry["p_value"])
    return f"{percent(value)} ({clear} at 5%, p {p_text(p if p is not None else float('nan'))})"


def causes(old: Published, new: Published, prices: Sequence[str] = ()) -> tuple[Cause, ...]:
    """Return what changed underneath two builds.

    Parameters
    ----------
    prices : sequence of str
        What is known of the changed prices, a line each, in place of the tickers' names alone.
    """
    found = [Cause("prices", line) for line in prices or _price_lines(old, new)]
    if old.code != new.code:
        found.append(Cause("code", f"another eventstudy ({old.code[:12]} → {new.code[:12]})"))
    for kind, a, b in (("environment", old.environment, new.environment), ("study", old.inputs, new.inputs)):
        for name in sorted({*a, *b}):
            if a.get(name) != b.get(name):
                words = f"{name} {a.get(name, 'none')} → {b.get(name, 'none')}" if kind == "environment" else name
                found.append(Cause(kind, words))
    if old.state != new.state:
        found.append(Cause("status", f"{old.state} → {new.state}"))
    return tuple(found)


def changed_tickers(old: Published, new: Published) -> tuple[str, ...]:
    """Return the tickers whose prices have another digest, or that one build lacks."""
    a, b = (dict(t) if isinstance(t := p.data.get("tickers"), Mapping) else {} for p in (old, new))
    return tuple(t for t in dict.fromkeys([*a, *b]) if a.get(t) != b.get(t))


def _price_lines(old: Published, new: Published) -> list[str]:
    tickers = changed_tickers(old, new)
    names = [f"{p.data['source']} ({str(p.data['digest'])[:12]})" for p in (old, new)]
    if not tickers and old.data.get("digest") == new.data.get("digest"):
        return []
    what = f"other figures of {', '.join(tickers)}" if tickers else "the same figures"
    return [f"{what}; {names[0]} → {names[1]}"]


def plain_change(change: NumberChange) -> dict[str, object]:
    """Return a changed number as plain values."""
    return {**asdict(change), "difference": change.difference}


# -- Two builds of a report held against each other: which numbers moved, why, and which conclusions flipped.


_SHOWN = 25
_QUIET = ("same", "jitter")


@dataclass(frozen=True, repr=False)
class BuildDifferences:
    """What differs between two builds.

    Attributes
    ----------
    numbers : tuple of NumberChange
        Published numbers that differ, flips first.
    conclusions : tuple of ChangedConclusion
        What readers were told and would be told otherwise.
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
    """Compare two builds."""
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
    """Compare two published versions of a study."""
    spec = load_study(study)
    if spec.publish_folder is None:
        raise InvalidInput(f"{spec.path.name} has no [publish] folder, so {spec.name} has no versions to compare.")
    first, second = (version_folder(spec.publish_folder, number) for number in (old, new))
    return build_differences(first, second, (spec.folder,))


def price_differences(old: Published, new: Published, folders: Sequence[Path]) -> tuple[str, ...]:
    """Return what differs between the prices of two builds, a line each."""
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


# -- What readers were told before, and the stop if a build would tell them otherwise without anybody's word.


#: Where a draft keeps the numbers of the last build that was none.
LAST_FINAL = "last_final.json"
PAGE = "index.html"
#: In place of a digest: numbers of which not even that is known.
_UNKNOWN = "unknown"
_LOST = re.compile(r'\{"lost": "(?P<digest>[0-9a-f]{64}|unknown)"\}\n')


class ConclusionsChanged(NotAsRecorded):
    """A report would say otherwise than readers were told, and nobody has accepted that."""


@dataclass(frozen=True, slots=True)
class Told:
    """What readers were told.

    Attributes
    ----------
    version : Published or None
        The newest published version; None if there is none.
    last : Published or None
        The last build that was no draft; None if there is none, or its numbers are gone.
    corrected : frozenset of str
        Conclusions that were corrected since the version was published: the last build decides on these.
    lost : str
        Digest of the last build's numbers, or ``unknown``, if they are gone and nothing else says what they were; else empty.
    """

    version: Published | None = None
    last: Published | None = None
    corrected: frozenset[str] = frozenset()
    lost: str = ""


def told(spec: StudySpec) -> Told:
    """Return what readers of a study were told, by its newest published version and its last build that was no draft."""
    version, since = _newest_version(spec)
    last = _last_final(spec.folder)
    lost = _lost(spec.folder) if version is None and last is None else ""
    return Told(version, last, since, lost)


def _newest_version(spec: StudySpec) -> tuple[Published | None, frozenset[str]]:
    """Return the numbers of the newest version that has any, and what was corrected since."""
    target = spec.publish_folder
    if target is None:
        return None, frozenset()
    check_owner(spec, target)
    for number in reversed(version_numbers(target)):
        folder = version_folder(target, number)
        found = _read(folder)
        if found is not None:
            then = read_corrections(folder)
            return found, frozenset(c.what for c in read_corrections(spec.folder) if c not in then)
    return None, frozenset()


def _read(path: Path) -> Published | None:
    try:
        return read_published(path)
    except DataMissing:
        return None


def _last_final(folder: Path) -> Published | None:
    here = _read(folder)
    return here if here is not None and here.state != "draft" else _read(folder / LAST_FINAL)


def _lost(folder: Path) -> str:
    """Return the recorded digest of a last build's numbers that are gone; empty if it was a draft or never made."""
    recorded = manifest.read_manifest(folder)
    kept = folder / LAST_FINAL
    if kept.is_file():
        digest = _LOST.fullmatch(kept.read_text(encoding="utf-8", errors="replace"))
        return digest["digest"] if digest else _UNKNOWN
    if recorded is None:  # a page without manifest and numbers was built by somebody, and read
        return _UNKNOWN if (folder / PAGE).is_file() and _read(folder) is None else ""
    if recorded["inputs"].get(manifest.STATE) == "draft":
        return ""
    return recorded["outputs"].get(FILE, "")


def keep_last_final(folder: Path, stage: Path, now: Published, lost: str = "") -> None:
    """Keep the numbers of the last build that was no draft beside a draft that takes their place; or that they are lost."""
    if now.state != "draft":
        return
    here = _read(folder)
    if here is not None and here.state != "draft":
        shutil.copyfile(folder / FILE, stage / LAST_FINAL)
    elif lost:
        write_whole(stage / LAST_FINAL, f'{{"lost": "{lost}"}}\n')


def forget_last_final(folder: Path, now: Published) -> None:
    """Remove what a draft kept, once a build that is none stands in its place."""
    if now.state != "draft":
        (folder / LAST_FINAL).unlink(missing_ok=True)


def judge_changes(
    spec: StudySpec, before: Told, now: Published, accept: str | None, date: str
) -> tuple[Correction, ...]:
    """Return the corrections that accepted changes of conclusions make; stop if they were not accepted.

    Parameters
    ----------
    date : str
        Day of the corrections; by default the day of the prices, or their last one if they have none.
    """
    if before.lost and accept is None and now.state != "draft" and sha256(now.to_json().encode("utf-8")) != before.lost:
        raise ConclusionsChanged(
            f"{spec.name}: {FILE} of the last build is gone, so nobody can tell whether a conclusion would change; the report stays. "
            f'Put the file back, or build with --accept-changes "why".'
        )
    changed, base = conclusions_otherwise(before, now)
    if base is None:
        return ()
    why = causes(base, now, price_lines(spec, base, now))
    if accept is None:
        raise ConclusionsChanged(_refusal(spec, changed, why), changes=changed, causes=why)
    cause = "; ".join(str(c) for c in why)
    day = date or str(now.data["retrieved"] or now.data.get("last", ""))
    return tuple(Correction(day, c.what, c.old, c.new, cause, accept) for c in changed)


def conclusions_otherwise(before: Told, now: Published) -> tuple[tuple[ChangedConclusion, ...], Published | None]:
    """Return the conclusions that differ from what readers were told, and the build that told them; None if none differs."""
    if before.version is None:
        changed = () if before.last is None else changed_conclusions(before.last, now)
        return changed, before.last if changed else None
    decided = before.corrected if before.last is not None else frozenset()
    changed = tuple(c for c in changed_conclusions(before.version, now) if c.what not in decided)
    later = () if before.last is None else changed_conclusions(before.last, now)
    again = tuple(c for c in later if c.what in decided)
    return (*changed, *again), before.version if changed else before.last if again else None


def flips_beside(before: Told, now: Published) -> tuple[NumberChange, ...]:
    """Return the results that changed sign or significance and are no conclusions; a build tells of them and goes on."""
    base = before.last or before.version
    return () if base is None else other_flips(base, now)


def price_lines(spec: StudySpec, last: Published, now: Published) -> tuple[str, ...]:
    """Return which prices changed and how, if the prices of the last report are still there."""
    return price_differences(last, now, (spec.folder,))


def _refusal(spec: StudySpec, changed: Sequence[ChangedConclusion], why: Sequence[Cause]) -> str:
    lines = [f"{spec.name}: {len(changed)} conclusion{'s' if len(changed) > 1 else ''} would change; the report stays."]
    lines += [f"  {c}" for c in changed]
    lines += [f"  because of {c}" for c in why] or ["  nothing that is recorded changed underneath"]
    lines.append(
        'Look at it, then build with --accept-changes "why" to correct the report and record that it said otherwise.'
    )
    return "\n".join(lines)
