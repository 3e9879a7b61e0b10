"""What a report was built from, and whether that still stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import eventstudy
from eventstudy.files import file_sha256
from eventstudy.prices.passport import passport_path
from eventstudy.report.style import style_input
from eventstudy.spec import FILE_NAME, StudySpec

FILE = "manifest.json"
#: The layout of the manifest; a report with another one is built anew.
FORMAT = 1
PACKAGE = Path(eventstudy.__file__).parent
#: Libraries whose version can change an output.
LIBRARIES = (
    "numpy", "pandas", "scipy", "statsmodels", "matplotlib", "exchange_calendars", "pydantic", "jinja2", "nbconvert", "nbclient",
    "ipykernel", "pygments", "mistune",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a report is out of date.

    Attributes
    ----------
    kind : str
        ``changed``, ``missing``, ``new``, ``version``, ``first build``, ``interrupted`` or ``forced``.
    what : str
        The file or library.
    detail : str
        What differs.
    """

    kind: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}" + (f" ({self.detail})" if self.detail else "")


def input_digests(spec: StudySpec) -> dict[str, str]:
    """Return the digest of every file that a report depends on, by its name.

    Returns
    -------
    dict
        ``study.toml``; files of the study by their path in its folder; notebooks by their relative path; files of
        the package, code and data, as ``eventstudy/...``; ``style``, if it is not the package's. A file that is missing has an empty digest.
    """
    own = [
        FILE_NAME,
        spec.events,
        *([spec.timeline] if spec.timeline else []),
        *([spec.claims.file] if spec.claims.file else []),
        *spec.notebooks,
        *spec.prices.factors,
    ]
    price_file = spec.price_file()
    if price_file is not None:
        own.append(price_file.relative_to(spec.folder).as_posix())
        passport = passport_path(price_file)
        own += [passport.relative_to(spec.folder).as_posix()] if passport.is_file() else []
    found = {name: _digest(spec.folder / name) for name in own} | style_input(spec)
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found[f"eventstudy/{path.relative_to(PACKAGE).as_posix()}"] = file_sha256(path)
    return found


def _digest(path: Path) -> str:
    return file_sha256(path) if path.is_file() else ""


def environment() -> dict[str, str]:
    """Return the versions of the libraries that can change an output."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def read_manifest(folder: Path) -> dict[str, dict[str, str]] | None:
    """Return a report's manifest, or None if there is none that this version can read."""
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    return content


def make_manifest(
    spec: StudySpec, inputs: Mapping[str, str], outputs: Mapping[str, str], vintage: Mapping[str, str]
) -> str:
    """Return the manifest as JSON text: inputs, environment, outputs, data vintage."""
    content = {
        "format": FORMAT,
        "study": spec.name,
        "data": dict(vintage),
        "environment": environment(),
        "inputs": dict(sorted(inputs.items())),
        "outputs": dict(sorted(outputs.items())),
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def out_of_date(spec: StudySpec) -> tuple[Reason, ...]:
    """Say why a report is not what a build would make, without building it.

    Parameters
    ----------
    spec : StudySpec
        The study.

    Returns
    -------
    tuple of Reason
        Empty if every input, library and output is as recorded.
    """
    recorded = read_manifest(spec.folder)
    if recorded is None:
        return (Reason("first build", spec.name, "there is no manifest that this version can read"),)
    reasons = _compare(recorded.get("inputs", {}), input_digests(spec), "input")
    now = environment()
    then = recorded.get("environment", {})
    reasons += [
        Reason("version", name, f"{then.get(name, 'not recorded')} → {now[name]}")
        for name in now
        if then.get(name) != now[name]
    ]
    outputs = recorded.get("outputs", {})
    reasons += _compare(outputs, {name: _digest(spec.folder / name) for name in outputs}, "built file")
    return tuple(reasons)


def _compare(then: Mapping[str, str], now: Mapping[str, str], role: str) -> list[Reason]:
    reasons = []
    for name in sorted({*then, *now}):
        if then.get(name, "") == now.get(name, ""):
            continue
        kind = "new" if name not in then else "missing" if not now.get(name) else "changed"
        reasons.append(Reason(kind, name, role))
    return reasons
