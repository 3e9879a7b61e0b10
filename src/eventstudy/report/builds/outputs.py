"""The switch from an old report to a new one: finished files are renamed into place, whatever happens in between."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import figures
from eventstudy.errors import DataMissing, DataUnfit, NotAsRecorded, SourceFailed
from eventstudy.files import file_sha256, write_whole
from eventstudy.report.builds import manifest, numbers
from eventstudy.report.builds.changes import NumberChange, Told, flips_beside, judge_changes
from eventstudy.report.builds.notebooks import Kernels, execute, require_notebook_tools
from eventstudy.report.builds.numbers import Published, published
from eventstudy.report.builds.publish import Correction, corrections_text, read_corrections, shown
from eventstudy.report.exhibits import ReportTable, all_tables, draw_charts
from eventstudy.report.findings import compute
from eventstudy.report.page import FILE as PDF_FILE
from eventstudy.report.page import notebook_page, report_page, report_pdf, require_pdf_tools
from eventstudy.study.tables import rounded_csv
from eventstudy.studyfile.release import release_mark

if TYPE_CHECKING:
    from eventstudy.studyfile.spec import StudySpec

STAGING = ".build"
READY = "ready"


def interrupted(folder: Path) -> bool:
    """Whether a finished build was killed while its files were moved into place."""
    return (folder / STAGING / READY / manifest.FILE).is_file()


def finish_interrupted(folder: Path) -> None:
    """Finish a build that was killed while moving files, and remove what a killed build left behind."""
    staging = folder / STAGING
    if interrupted(folder):
        move_into_place(folder, staging / READY)
    shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write a report into; it is removed at the end, but for a report that is half moved."""
    root = folder / STAGING
    root.mkdir(exist_ok=True)
    try:
        yield Path(tempfile.mkdtemp(dir=root, prefix="staging-"))
    finally:
        if not interrupted(folder):
            shutil.rmtree(root, ignore_errors=True)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Let signals that would stop the process wait for the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM") if hasattr(signal, name)]
    # handlers, not a mask: the system may hand a signal to any thread, and the main thread would still be interrupted
    before = {number: signal.signal(number, lambda number, frame: came.append(number)) for number in names}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in came:
            signal.raise_signal(number)


def switch(folder: Path, stage: Path) -> tuple[str, ...]:
    """Move a finished report into place.

    Notes
    -----
    One rename to ``ready`` decides: a build killed before it changed nothing, one killed after it is finished by the
    next command, see `finish_interrupted`.
    """
    ready = stage.parent / READY
    with _signals_wait():
        os.replace(stage, ready)
        _flush(ready.parent)
        return move_into_place(folder, ready)


def move_into_place(folder: Path, ready: Path) -> tuple[str, ...]:
    """Rename finished files over the old ones, the manifest last; remove built files that are no longer made."""
    for name in manifest.BUILT_FOLDERS:
        if (folder / name).is_symlink():
            raise NotAsRecorded(
                f"{folder.name}/{name} is a link; a report is not written through links. Remove it and build again."
            )
    old = manifest.read_manifest(folder)
    new = manifest.read_manifest(ready)
    names = sorted(p.relative_to(ready).as_posix() for p in ready.rglob("*") if p.is_file())
    written = [name for name in names if name != manifest.FILE and replace(ready / name, folder / name)]
    if old is not None and new is not None:
        for name in set(old["outputs"]) - set(new["outputs"]):
            (folder / name).unlink(missing_ok=True)
    if manifest.FILE in names and replace(ready / manifest.FILE, folder / manifest.FILE):
        written.append(manifest.FILE)
    shutil.rmtree(ready, ignore_errors=True)
    return tuple(written)


def replace(source: Path, target: Path) -> bool:
    """Rename a file over another unless they are equal; say whether the bytes changed."""
    if target.is_file() and target.read_bytes() == source.read_bytes():
        source.unlink()
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    return True


def _flush(folder: Path) -> None:
    """Write a folder's entries to disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


# -- The files of a report, written into a folder from computed findings.


Progress = Callable[[str, int, int], None]


class _Steps:
    """How far a build has come; notebooks tell of their cells from threads of their own."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.total, self._progress, self._done = total, progress, 0

    def reach(self, step: str, done: int) -> None:
        self._done = done
        self._progress(step, done, self.total)

    def within(self, step: str) -> None:
        self._progress(step, self._done, self.total)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written into a folder.

    Attributes
    ----------
    flips : tuple of NumberChange
        Results that changed sign or significance and are no conclusions.
    """

    published: Published
    added: tuple[Correction, ...]
    flips: tuple[NumberChange, ...] = ()


def write_report(
    spec: StudySpec,
    stage: Path,
    progress: Progress,
    *,
    before: Told | None = None,
    accept: str | None = None,
    date: str = "",
) -> Written:
    """Make every file of a report, the manifest last.

    Parameters
    ----------
    date : str
        Day of a correction; by default the day of the prices, or their last one if they have none.
    """
    _require(spec)
    taken = manifest.input_digests(spec)
    inputs = dict(taken)
    mark = release_mark(inputs[manifest.STATE], spec.embargo_until)
    until = spec.embargo_until.isoformat() if spec.embargo_until and mark else ""
    steps = _Steps(progress, 3 + len(spec.notebooks))
    kernels = Kernels()
    with ThreadPoolExecutor(max_workers=2) as pool:
        try:
            bodies = _start_notebooks(spec, pool, kernels, steps, mark, until)
            steps.reach("computing", 0)
            findings = compute(spec)
            tables = all_tables(findings)
            said = published(
                findings,
                tables,
                state=inputs[manifest.STATE],
                code=manifest.code_digest(inputs),
                environment=manifest.study_environment(spec),
                inputs=manifest.own_inputs(spec),
            )
            added = judge_changes(spec, before or Told(), said, accept, date)
            log = (*read_corrections(spec.folder), *added)
            if added:
                text = corrections_text(log)
                inputs[manifest.CORRECTIONS] = file_sha256(write_whole(stage / manifest.CORRECTIONS, text))
            steps.reach("drawing figures", 1)
            charts = draw_charts(findings, mark, until)
            _write_tables(stage / "tables", tables)
            for chart in charts:
                figures.save(chart.article, stage / "figures", chart.name)
            steps.reach("writing the page", 2)
            write_whole(stage / numbers.FILE, said.to_json())
            told = [shown(c) for c in log]
            write_whole(stage / "index.html", report_page(findings, charts, tables, told, mark))
            if spec.pdf:
                write_whole(stage / PDF_FILE, report_pdf(findings, charts, tables, told, mark))
            _write_notebooks(spec, stage, bodies, steps, mark)
        except BaseException:
            kernels.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    _check_inputs_stay(spec, taken)
    _write_manifest(spec, stage, inputs, said)
    steps.reach("done", steps.total)
    return Written(said, added, flips_beside(before or Told(), said))


def _require(spec: StudySpec) -> None:
    """Look for what a report needs beside its prices: notebooks, and the tools for them and for a PDF."""
    missing = [name for name in spec.notebooks if not (spec.folder / name).is_file()]
    if missing:
        raise DataMissing(f"{spec.path.name}: notebooks names {', '.join(missing)}, which is not there.")
    if spec.pdf:
        require_pdf_tools()
    if spec.notebooks:
        require_notebook_tools()


def _check_inputs_stay(spec: StudySpec, taken: Mapping[str, str]) -> None:
    """Refuse a report of which nobody can say what it was made from: an input changed while it was made."""
    now = manifest.input_digests(spec)
    moved = [n for n in sorted({*taken, *now}) if taken.get(n) != now.get(n) and n != manifest.STATE]
    if not moved:
        return
    shown = ", ".join(moved[:5]) + (f" and {len(moved) - 5} more" if len(moved) > 5 else "")
    own = set(moved) & set(manifest.own_inputs(spec))
    notebooks = ", ".join(Path(name).name for name in spec.notebooks)
    if own and notebooks:
        raise DataUnfit(
            f"{spec.name}: {shown} changed while the report was made; the last report stays. Build again; if that ends the same way, one of "
            f"the notebooks ({notebooks}) writes to what it is made from: let it write elsewhere."
        )
    raise SourceFailed(f"{spec.name}: {shown} changed while the report was made; the last report stays. Build again.")


def _start_notebooks(
    spec: StudySpec, pool: ThreadPoolExecutor, kernels: Kernels, steps: _Steps, mark: str, until: str
) -> dict[str, Future[str]]:
    """Start the notebooks two at a time; each of their cells is told of."""

    def cells(name: str) -> Progress:
        return lambda step, done, total: steps.within(f"{name}: {step}")

    return {
        name: pool.submit(
            execute,
            (spec.folder / name).resolve(),
            folder=spec.folder,
            style=spec.folder / spec.style if spec.style else None,
            mark=mark,
            embargo_until=until,
            parameters=spec.parameters,
            progress=cells(Path(name).name),
            kernels=kernels,
        )
        for name in spec.notebooks
    }


def _write_notebooks(spec: StudySpec, stage: Path, bodies: Mapping[str, Future[str]], steps: _Steps, mark: str) -> None:
    for done, (name, body) in enumerate(bodies.items(), start=3):
        steps.reach(f"running {Path(name).name}", done)
        page = notebook_page(spec, spec.folder / name, body.result(), mark)
        write_whole(stage / "notebooks" / f"{Path(name).stem}.html", page)


def _write_tables(folder: Path, tables: Sequence[ReportTable]) -> None:
    for table in tables:
        write_whole(folder / f"{table.name}.csv", rounded_csv(table.raw, index=False))
        write_whole(folder / f"{table.name}.md", table.markdown)
        write_whole(folder / f"{table.name}.tex", table.latex)


def _write_manifest(spec: StudySpec, stage: Path, inputs: Mapping[str, str], said: Published) -> None:
    files = sorted(p for p in stage.rglob("*") if p.is_file() and p.name != manifest.CORRECTIONS)
    outputs = {p.relative_to(stage).as_posix(): file_sha256(p) for p in files}
    vintage = {name: str(said.data[name]) for name in ("source", "retrieved", "last", "digest")}
    write_whole(stage / manifest.FILE, manifest.make_manifest(spec, inputs, outputs, vintage))
