"""The files of a report, written into a folder from computed findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import figures
from eventstudy.ending import tidied
from eventstudy.errors import DataMissing, DataUnfit, SourceFailed
from eventstudy.files import file_sha256, files_in, write_whole
from eventstudy.report import day
from eventstudy.report.builds import manifest, numbers
from eventstudy.report.builds.changed_numbers import NumberDifference
from eventstudy.report.builds.conclusions import PublishedBefore, judge_changes
from eventstudy.report.builds.corrections import Correction, corrections_text, read_corrections, shown
from eventstudy.report.builds.notebooks import Kernels, execute, require_notebook_tools
from eventstudy.report.builds.numbers import NumberName, Published, published
from eventstudy.report.charts import draw_charts
from eventstudy.report.findings import compute
from eventstudy.report.notebook_page import notebook_page
from eventstudy.report.page import FILE as PDF_FILE
from eventstudy.report.page import report_page, report_pdf, require_pdf_tools
from eventstudy.report.story import words_of
from eventstudy.report.tables import ReportTable, all_tables
from eventstudy.study.tables import rounded_csv
from eventstudy.studyfile.release import release_mark
from eventstudy.wording import first_few

if TYPE_CHECKING:
    from eventstudy.console import Progress
    from eventstudy.studyfile.spec import StudySpec


class _Steps:
    """How far a build has come; notebooks report their cells from threads of their own."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.total, self._progress, self._done = total, progress, 0

    def reach(self, step: str, done: int) -> None:
        self._done = done
        self._progress(step, done, self.total)

    def within(self, step: str) -> None:
        self._progress(step, self._done, self.total)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written into a folder."""

    published: Published
    added: tuple[Correction, ...]
    #: Results that changed sign or significance and are no conclusions.
    flips: tuple[NumberDifference[NumberName], ...] = ()


def write_report(
    spec: StudySpec,
    stage: Path,
    progress: Progress,
    *,
    before: PublishedBefore | None = None,
    accept: str | None = None,
    date: str = "",
) -> Written:
    """Make every file of a report, the manifest last; corrections are dated with ``date``, by default the day of the prices."""
    before = before or PublishedBefore()
    _require(spec)
    taken = manifest.input_digests(spec)
    inputs = dict(taken)
    mark = release_mark(inputs[manifest.STATE], spec.embargo_until)
    until = spec.embargo_until.isoformat() if spec.embargo_until and mark else ""
    steps = _Steps(progress, 3 + len(spec.notebooks))
    with _notebooks_running(spec, steps, mark, until) as notebooks:
        steps.reach("computing", 0)
        findings = compute(spec)
        tables = all_tables(findings) if findings.ordinary is None else all_tables(findings, day.TABLES)
        now = published(
            findings,
            tables,
            state=inputs[manifest.STATE],
            code=manifest.code_digest(inputs),
            environment=manifest.study_environment(spec),
            inputs=manifest.own_inputs(spec),
        )
        added = judge_changes(spec, before, now, accept, date)
        corrections = (*read_corrections(spec.folder), *added)
        if added:
            text = corrections_text(corrections)
            inputs[manifest.CORRECTIONS] = file_sha256(write_whole(stage / manifest.CORRECTIONS, text))
        steps.reach("drawing figures", 1)
        charts = draw_charts(findings, mark, until)
        _write_tables(stage / "tables", tables)
        for chart in charts:
            figures.save(chart.article, stage / "figures", chart.name)
        steps.reach("writing the page", 2)
        write_whole(stage / numbers.FILE, now.to_json())
        entries = [shown(c) for c in corrections]
        write_whole(stage / "index.html", report_page(findings, charts, tables, entries, mark))
        if spec.pdf:
            write_whole(stage / PDF_FILE, report_pdf(findings, charts, tables, entries, mark))
        _write_notebooks(spec, stage, notebooks, steps, mark)
    _check_inputs_stay(spec, taken)
    _write_manifest(spec, stage, inputs, now, words_of(findings, charts))
    steps.reach("done", steps.total)
    return Written(now, added, before.flips_beside(now))


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
    named = first_few(moved, 5)
    own = set(moved) & set(manifest.own_inputs(spec))
    notebooks = ", ".join(Path(name).name for name in spec.notebooks)
    if own and notebooks:
        raise DataUnfit(
            f"{spec.name}: {named} changed while the report was made; the last report stays. Build again; if that ends the same way, one of "
            f"the notebooks ({notebooks}) writes to what it is made from: let it write elsewhere."
        )
    raise SourceFailed(f"{spec.name}: {named} changed while the report was made; the last report stays. Build again.")


@contextmanager
def _notebooks_running(spec: StudySpec, steps: _Steps, mark: str, until: str) -> Iterator[dict[str, Future[str]]]:
    """Run the notebooks two at a time beside the block, each of their cells a step within; end them if it fails."""
    kernels = Kernels()
    with tidied(kernels.stop), ThreadPoolExecutor(max_workers=2) as pool:
        try:
            yield _start_notebooks(spec, pool, kernels, steps, mark, until)
        except BaseException:
            kernels.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_notebooks(
    spec: StudySpec, pool: ThreadPoolExecutor, kernels: Kernels, steps: _Steps, mark: str, until: str
) -> dict[str, Future[str]]:
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


def _write_notebooks(
    spec: StudySpec, stage: Path, notebooks: Mapping[str, Future[str]], steps: _Steps, mark: str
) -> None:
    for done, (name, html) in enumerate(notebooks.items(), start=3):
        steps.reach(f"running {Path(name).name}", done)
        page = notebook_page(spec, spec.folder / name, html.result(), mark)
        write_whole(stage / "notebooks" / f"{Path(name).stem}.html", page)


def _write_tables(folder: Path, tables: Sequence[ReportTable]) -> None:
    for table in tables:
        write_whole(folder / f"{table.name}.csv", rounded_csv(table.raw, index=False))
        write_whole(folder / f"{table.name}.md", table.markdown)
        write_whole(folder / f"{table.name}.tex", table.latex)


def _write_manifest(
    spec: StudySpec, stage: Path, inputs: Mapping[str, str], now: Published, words: Mapping[str, str]
) -> None:
    outputs = {name: file_sha256(stage / name) for name in files_in(stage) if name != manifest.CORRECTIONS}
    vintage = {name: str(now.data[name]) for name in ("source", "retrieved", "last", "digest")}
    write_whole(stage / manifest.FILE, manifest.make_manifest(spec, inputs, outputs, vintage, words))
