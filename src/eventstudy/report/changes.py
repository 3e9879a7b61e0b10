"""What differs between two builds of a report, why, and which of its conclusions changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from eventstudy.report.numbers import Published
from eventstudy.wording import p_text, percent

#: Tables whose results are the report's conclusions.
HEADLINE = ("headline", "windows")


@dataclass(frozen=True, slots=True)
class NumberChange:
    """One published number that differs.

    Attributes
    ----------
    name : str
        Its name, e.g. ``headline/NVDA/abnormal``.
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
    """A conclusion that readers were told and that is another now.

    Attributes
    ----------
    what : str
        Which conclusion.
    old, new : str
        In words.
    """

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
    detail : str
        Which ticker, library or file.
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

    Parameters
    ----------
    old, new : Published
        Two builds of one study.

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
    """Return the tests to believe of the average whose significance changed; if none is believed in both builds, all as one."""
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
    old, new : Published
        Two builds of one study.
    prices : sequence of str
        What is known of the changed prices, a line each, in place of the tickers' names alone.

    Returns
    -------
    tuple of Cause
        Empty if nothing that is recorded differs.
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
