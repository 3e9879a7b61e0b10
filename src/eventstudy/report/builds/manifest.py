"""What a report was built from, and whether that still stands."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import eventstudy
from eventstudy.errors import NotAsRecorded, StudyFileError
from eventstudy.files import (
    file_sha256,
    is_ahead,
    one_digest,
    own_notebooks,
    parse_json,
    read_small,
    stored_at,
    stored_files,
    stored_name,
    storing_order,
)
from eventstudy.studyfile.release import release_state
from eventstudy.toml import read_toml
from eventstudy.wording import in_brackets

if TYPE_CHECKING:
    from eventstudy.studyfile.spec import StudySpec

# This module imports no numerical library: a build with nothing to do ends before one is loaded.

FILE = "manifest.json"
STUDY_FILE = "study.toml"
CORRECTIONS = "corrections.toml"
#: What a build makes: files beside the study file, and folders of files.
BUILT_FILES = frozenset({"index.html", "numbers.json", "report.pdf"})
BUILT_FOLDERS = frozenset({"figures", "tables", "notebooks"})
#: The layout of the manifest; a report with another one is built anew.
FORMAT = 2
#: No file that a report makes or depends on has more bytes; price files are the largest.
LARGEST = 2 * 1024**3
PACKAGE = Path(eventstudy.__file__).parent
#: Libraries whose version can change an output.
LIBRARIES = (
    "numpy", "pandas", "scipy", "statsmodels", "matplotlib", "pillow", "exchange_calendars", "pydantic", "jinja2",
)  # fmt: skip
#: Those that only some studies use.
NOTEBOOK_LIBRARIES = ("nbconvert", "nbclient", "ipykernel", "pygments", "mistune", "beautifulsoup4")
PDF_LIBRARIES = ("typst",)
#: Inputs that are no files: what the study's words came to.
STATE, PRICES, STYLE = "release state", "choice of prices", "style"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a report is out of date."""

    #: ``changed``, ``missing``, ``new``, ``gone``, ``version``, ``not built yet``, ``not built here``,
    #: ``interrupted`` or ``forced``.
    kind: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}{in_brackets(self.detail)}"


def own_inputs(spec: StudySpec) -> dict[str, str]:
    """Return the digest of every file of the study's own that a report depends on, prices left out."""
    own = [
        STUDY_FILE,
        spec.events,
        spec.timeline,
        spec.claims.file,
        *spec.notebooks,
        *spec.prices.factors,
    ]
    return {name: _digest(spec.folder / name) for name in own if name}


def input_digests(spec: StudySpec) -> dict[str, str]:
    """Return the digest of every file that a report depends on, by its name; of a file that is missing an empty one.

    The study's own files; its price file; ``style``, if it is not the package's; files of the package, code and data,
    as ``eventstudy/...``; and two words that are no digests, the release state and the choice of prices.
    """
    from eventstudy.report.charts import style_input

    found = {**own_inputs(spec), **style_input(spec)}
    for path in spec.price_source().inputs():
        found[path.relative_to(spec.folder).as_posix()] = _digest(path)
    if (spec.folder / CORRECTIONS).exists():
        found[CORRECTIONS] = _digest(spec.folder / CORRECTIONS)
    found[STATE] = spec.state
    found[PRICES] = _choice(spec.folder, spec.prices.source, spec.prices.vintage)
    return {**found, **package_digests()}


def _choice(folder: Path, source: object, vintage: str | None) -> str:
    """Return what the study's prices are: the source, and of stored downloads which is the newest, whatever older ones there are."""
    if source != "yahoo" or vintage is not None:
        return f"{source} {vintage or ''}".strip()
    stored = [n for n in map(stored_name, stored_files(folder / "prices")) if storing_order(n)[0] == source]
    if not stored:
        return "none is stored"
    return f"the newest, {stored[-1]}{', ahead of the clock' * is_ahead(stored_at(stored[-1]))}"


def package_digests() -> dict[str, str]:
    """Return the digest of every file of the package, code and data, as ``eventstudy/...``."""
    files = sorted(p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {f"eventstudy/{p.relative_to(PACKAGE).as_posix()}": file_sha256(p) for p in files}


def code_digest(inputs: Mapping[str, str]) -> str:
    """Return one digest of the package's files among a report's inputs."""
    return one_digest({name: digest for name, digest in inputs.items() if name.startswith("eventstudy/")})


def _digest(path: Path) -> str:
    """Return the digest of a file; empty if there is none, a word for what no report makes or reads."""
    if not path.exists():
        return ""
    return file_sha256(path) if path.is_file() and path.stat().st_size <= LARGEST else "unfit"


def environment(*, notebooks: bool = True, pdf: bool = False) -> dict[str, str]:
    """Return the versions of Python, of this package and of the libraries that can change an output."""
    found = {"python": ".".join(platform.python_version_tuple()[:2]), "eventstudy": eventstudy.__version__}
    for name in (*LIBRARIES, *NOTEBOOK_LIBRARIES * notebooks, *PDF_LIBRARIES * pdf):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def study_environment(spec: StudySpec) -> dict[str, str]:
    """Return the versions of the libraries that can change an output of this study."""
    return environment(notebooks=bool(spec.notebooks), pdf=spec.pdf)


def read_manifest(folder: Path) -> dict[str, dict[str, str]] | None:
    """Return a report's manifest, or None if there is none that this version can read."""
    content = read_any_manifest(folder)
    if content.get("format") != FORMAT:
        return None
    if not all(isinstance(content.get(k), dict) for k in ("environment", "inputs", "outputs")):
        return None
    if not all(_stays_inside(name) for name in content["outputs"]):
        return None
    return content


def read_any_manifest(folder: Path) -> dict[str, Any]:
    """Return a manifest of any version; empty if there is none."""
    try:
        content = parse_json(read_small(folder / FILE))
    except StudyFileError:
        raise
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _stays_inside(name: str) -> bool:
    """Whether a recorded output can be a file of the report: a manifest may come from anybody."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts:
        return False
    return name in BUILT_FILES or (len(path.parts) == 2 and path.parts[0] in BUILT_FOLDERS)


def make_manifest(
    spec: StudySpec,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    vintage: Mapping[str, str],
    words: Mapping[str, str],
) -> str:
    """Return the manifest as JSON text: inputs, environment, outputs, data vintage, and which words are held against the numbers."""
    content = {
        "format": FORMAT,
        "study": spec.name,
        "data": dict(vintage),
        "words": dict(words),
        "environment": study_environment(spec),
        "inputs": dict(sorted(inputs.items())),
        "outputs": dict(sorted(outputs.items())),
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def out_of_date(spec: StudySpec) -> tuple[Reason, ...]:
    """Say why a report is not what a build would make, without building it."""
    recorded = read_manifest(spec.folder)
    if recorded is None:
        return (Reason("not built yet", spec.name, "there is no manifest that this version can read"),)
    reasons = _compare(recorded.get("inputs", {}), input_digests(spec), "input")
    reasons += _other_versions(recorded["environment"], study_environment(spec))
    outputs = recorded.get("outputs", {})
    reasons += _compare(outputs, {name: _digest(spec.folder / name) for name in outputs}, "built file")
    return tuple(reasons)


def _other_versions(then: Mapping[str, str], now: Mapping[str, str]) -> list[Reason]:
    return [
        Reason("version", name, f"{then.get(name, 'not recorded')} → {now[name]}")
        for name in now
        if then.get(name) != now[name]
    ]


def unchanged(folder: Path) -> bool:
    """Say in a fraction of a second whether a report is what a build would make, from bytes alone.

    True only if every recorded input, library and output is there as recorded and nothing was added that the study
    would use. False may also mean that it takes a closer look, see `out_of_date`.
    """
    recorded = read_manifest(folder)
    if recorded is None:
        return False
    then = recorded["inputs"]
    if STYLE in then or os.environ.get("EVENTSTUDY_STYLE"):
        return False
    try:
        study = read_toml(folder / STUDY_FILE)
        until, prices = study.get("embargo_until"), study.get("prices", {})
        until = datetime.fromisoformat(until) if isinstance(until, str) else until
        state = release_state(study.get("status", "final"), until)
        choice = _choice(
            folder, prices.get("source", "yahoo" if "vintage" in prices else "snapshot"), prices.get("vintage")
        )
        notebooks = study.get("notebooks", own_notebooks(folder))
    except (OSError, ValueError, TypeError, AttributeError, NotAsRecorded):
        return False
    now = environment(notebooks=bool(notebooks), pdf=bool(study.get("pdf", False)))
    own = {name: digest for name, digest in then.items() if not name.startswith("eventstudy/")}
    words = {STATE: state, PRICES: choice}
    return (
        all(own.get(name) == word for name, word in words.items())
        and set(notebooks) <= set(own)
        and (folder / CORRECTIONS).exists() == (CORRECTIONS in own)
        and now == recorded["environment"]
        and all(_digest(folder / name) == digest for name, digest in own.items() if name not in words)
        and all(_digest(folder / name) == digest for name, digest in recorded["outputs"].items())
        and package_digests() == {name: digest for name, digest in then.items() if name not in own}
    )


def _compare(then: Mapping[str, str], now: Mapping[str, str], role: str) -> list[Reason]:
    reasons = []
    for name in sorted({*then, *now}):
        if then.get(name, "") == now.get(name, ""):
            continue
        if name in (STATE, PRICES, STYLE):
            detail = f"{then.get(name, 'none')} → {now.get(name, 'none')}"
            reasons.append(Reason("changed", name, detail))
            continue
        reasons.append(Reason(_kind_of_change(then, now, name), name, role))
    return reasons


def _kind_of_change(then: Mapping[str, str], now: Mapping[str, str], name: str) -> str:
    if name not in then:
        return "new"
    if name not in now:
        return "gone"
    return "changed" if now[name] else "missing"
