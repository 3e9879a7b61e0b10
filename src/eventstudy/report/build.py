"""Build a report: everything is made in a staging folder and then moved into place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from eventstudy import figures
from eventstudy.errors import DataMissing, SourceFailed
from eventstudy.files import file_sha256, write_whole
from eventstudy.report import manifest
from eventstudy.report.charts import draw_charts
from eventstudy.report.content import ReportTable, all_tables
from eventstudy.report.findings import compute
from eventstudy.report.manifest import Reason
from eventstudy.report.notebooks import execute
from eventstudy.report.page import notebook_page, report_page
from eventstudy.report.pdf import FILE as PDF_FILE
from eventstudy.report.pdf import report_pdf, require_pdf_tools
from eventstudy.spec import StudySpec
from eventstudy.tables import rounded_csv

STAGING = ".build"
READY = "ready"
LOCK = ".build.lock"
#: Longest wait for another build of the same report, in seconds.
LOCK_TIMEOUT = 900

Progress = Callable[[str, int, int], None]


def silent(step: str, done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did.

    Attributes
    ----------
    folder : Path
        The report.
    reasons : tuple of Reason
        Why it was built; empty if it was up to date.
    written : tuple of str
        Files whose bytes changed.
    """

    folder: Path
    reasons: tuple[Reason, ...]
    written: tuple[str, ...]


def build(spec: StudySpec, *, force: bool = False, progress: Progress = silent) -> Built:
    """Build a report if anything that it depends on has changed.

    Parameters
    ----------
    spec : StudySpec
        The study.
    force : bool
        Build even if nothing has changed.
    progress : callable
        Called with the step's name, the steps done and all steps.

    Returns
    -------
    Built

    Raises
    ------
    SourceFailed
        If another build of this report does not finish in time.
    EventStudyError
        If the study cannot be computed; the report then stays as it was.

    Notes
    -----
    All files are made in a staging folder first. Only when every one is there is the folder renamed to ``ready``
    and its files renamed into place, the manifest last; a build that was killed in between is finished by the next.
    """
    try:
        with FileLock(spec.folder / LOCK, timeout=LOCK_TIMEOUT):
            finish_interrupted(spec.folder)
            reasons = (Reason("forced", spec.name),) if force else manifest.out_of_date(spec)
            if not reasons:
                return Built(spec.folder, (), ())
            written = _make(spec, progress)
            return Built(spec.folder, reasons, written)
    except Timeout as error:
        raise SourceFailed(
            f"Another build of {spec.name} has held {LOCK} for {LOCK_TIMEOUT} s; wait for it or end it."
        ) from error


def interrupted(folder: Path) -> bool:
    """Whether a finished build was killed while its files were moved into place."""
    return (folder / STAGING / READY).is_dir()


def finish_interrupted(folder: Path) -> None:
    """Finish a build that was killed while moving files, and remove what a killed build left behind."""
    staging = folder / STAGING
    if interrupted(folder):
        _move_into_place(folder, staging / READY)
    shutil.rmtree(staging, ignore_errors=True)


def _make(spec: StudySpec, progress: Progress) -> tuple[str, ...]:
    inputs = manifest.input_digests(spec)
    root = spec.folder / STAGING
    root.mkdir(exist_ok=True)
    stage = Path(tempfile.mkdtemp(dir=root, prefix="staging-"))
    try:
        outputs = _write_all(spec, stage, progress)
        vintage = {"source": outputs.source, "retrieved": outputs.retrieved, "digest": outputs.digest}
        text = manifest.make_manifest(spec, inputs, outputs.digests, vintage)
        write_whole(stage / manifest.FILE, text)
        ready = root / READY
        os.replace(stage, ready)
        return _move_into_place(spec.folder, ready)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Outputs:
    digests: dict[str, str]
    source: str
    retrieved: str
    digest: str


def _write_all(spec: StudySpec, stage: Path, progress: Progress) -> _Outputs:
    """Make every file of the report in the staging folder and return their digests."""
    steps = 3 + len(spec.notebooks)
    missing = [name for name in spec.notebooks if not (spec.folder / name).is_file()]
    if missing:
        raise DataMissing(f"{spec.path.name}: notebooks names {', '.join(missing)}, which is not there.")
    if spec.pdf:
        require_pdf_tools()
    progress("computing", 0, steps)
    with ThreadPoolExecutor(max_workers=2) as pool:
        bodies = {name: pool.submit(execute, (spec.folder / name).resolve()) for name in spec.notebooks}
        findings = compute(spec)
        tables = all_tables(findings)
        progress("drawing figures", 1, steps)
        charts = draw_charts(findings)
        _write_tables(stage / "tables", tables)
        for chart in charts:
            figures.save(chart.article, stage / "figures", chart.name)
        progress("writing the page", 2, steps)
        write_whole(stage / "index.html", report_page(findings, charts, tables))
        if spec.pdf:
            write_whole(stage / PDF_FILE, report_pdf(findings, charts, tables))
        for done, (name, body) in enumerate(bodies.items(), start=3):
            progress(f"running {Path(name).name}", done, steps)
            page = notebook_page(spec, spec.folder / name, body.result())
            write_whole(stage / "notebooks" / f"{Path(name).stem}.html", page)
    progress("done", steps, steps)
    files = sorted(p for p in stage.rglob("*") if p.is_file())
    origin = findings.prices.provenance
    return _Outputs(
        {p.relative_to(stage).as_posix(): file_sha256(p) for p in files}, origin.source, origin.retrieved, origin.digest
    )


def _write_tables(folder: Path, tables: tuple[ReportTable, ...]) -> None:
    for table in tables:
        write_whole(folder / f"{table.name}.csv", rounded_csv(table.raw, index=False))
        write_whole(folder / f"{table.name}.md", table.markdown)
        write_whole(folder / f"{table.name}.tex", table.latex)


def _move_into_place(folder: Path, ready: Path) -> tuple[str, ...]:
    """Rename finished files over the old ones, the manifest last; remove built files that are no longer made."""
    old = manifest.read_manifest(folder)
    new = manifest.read_manifest(ready)
    names = sorted(p.relative_to(ready).as_posix() for p in ready.rglob("*") if p.is_file())
    written = [name for name in names if name != manifest.FILE and _replace(ready / name, folder / name)]
    for name in set((old or {}).get("outputs", {})) - set((new or {}).get("outputs", {})):
        (folder / name).unlink(missing_ok=True)
    if _replace(ready / manifest.FILE, folder / manifest.FILE):
        written.append(manifest.FILE)
    shutil.rmtree(ready, ignore_errors=True)
    return tuple(written)


def _replace(source: Path, target: Path) -> bool:
    """Rename a file over another unless they are equal; say whether the bytes changed."""
    if target.is_file() and target.read_bytes() == source.read_bytes():
        source.unlink()
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    return True
