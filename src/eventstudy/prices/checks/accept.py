"""Which findings of the checks of prices a study accepts, by name and with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from eventstudy.errors import DataUnfit, InvalidInput
from eventstudy.prices.checks.finding import SEVERITIES, Finding, finding
from eventstudy.prices.checks.run import RULES
from eventstudy.wording import did_you_mean, plural

#: No reason is longer.
LONGEST_REASON = 500


def check_accept(accept: object) -> dict[str, str]:
    """Return what a study accepts, by name of the check, with each reason."""
    if not isinstance(accept, Mapping):
        raise InvalidInput(
            f"accept is {accept!r}; give names of checks with reasons, e.g. {{'stale_prices': 'a halt'}}."
        )
    unknown = [str(name) for name in accept if name not in RULES]
    if unknown:
        raise InvalidInput(
            f"accept names {', '.join(unknown)}, which is no check of prices; there are {', '.join(RULES)}."
            f"{did_you_mean(unknown, RULES)}"
        )
    for name, reason in accept.items():
        if not RULES[name].acceptable:
            raise InvalidInput(f"accept names {name}, which no reason makes usable: {RULES[name].advice}.")
        if not isinstance(reason, str) or not reason.strip():
            raise InvalidInput(f"accept gives no reason for {name}; write in a sentence why it does no harm.")
        if len(reason) > LONGEST_REASON:
            raise InvalidInput(f"The reason for {name} has {len(reason)} characters; {LONGEST_REASON} are enough.")
    return {str(name): " ".join(reason.split()) for name, reason in accept.items()}


def accepted_or_refused(found: Sequence[Finding], accept: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return the findings with accepted errors and warnings marked; a reason without a finding becomes a note."""
    marked = tuple(
        replace(f, accepted=accept[f.check]) if f.severity != "note" and f.check in accept else f for f in found
    )
    errors = [f for f in marked if f.severity == "error" and not f.accepted]
    if not errors:
        idle = [name for name in accept if not any(f.check == name for f in found)]
        unused = (finding(RULES[name], "note", (), f"accepted ({accept[name]}), but not found") for name in idle)
        return (*marked, *(replace(f, idle=True) for f in unused))
    names = list(dict.fromkeys(f.check for f in errors))
    usable = [n for n in names if RULES[n].acceptable]
    ask = f'accept={{"{usable[0]}": "the reason"}}' if usable else ""
    file = f'[prices.accept] {usable[0]} = "the reason"' if usable else ""
    raise DataUnfit(
        f"The prices are not fit for this study: {plural(len(errors), 'error')}.\n"
        + "\n".join(f"  {f}." for f in errors)
        + (f"\nIf one does no harm, say why: {ask}, or {file} in the study file." if usable else ""),
        findings=tuple(f.to_dict() for f in errors),
    )


def in_short(found: Sequence[Finding]) -> str:
    """Return how many findings of each severity there are, in words."""
    counts = []
    for severity in reversed(SEVERITIES):
        for word, some_accepted in ((f"accepted {severity}", True), (severity, False)):
            number = sum(f.severity == severity and bool(f.accepted) == some_accepted for f in found)
            if number:
                counts.append(plural(number, word))
    return ", ".join(counts) or "nothing found"
