"""What ``eventstudy build`` does with each study, and with what order of checks, so that nothing to do takes no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.console import Console
from eventstudy.errors import StudyFileError
from eventstudy.failures import failure

if TYPE_CHECKING:
    from eventstudy.report.build import Built

#: Results that flipped and are no conclusions: so many are told.
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build, as the command line's options say."""

    force: bool = False
    why: bool = False
    fetch: bool = False
    publish: bool = False
    accept_changes: str | None = None
    wait: bool = True
    timeout: float | None = None
    as_of: str | None = None

    @property
    def plain(self) -> bool:
        """Whether a report that is up to date needs nothing."""
        return not (self.force or self.fetch or self.publish or self.accept_changes or self.as_of)


def build_studies(paths: Sequence[Path], options: BuildOptions, console: Console) -> int:
    """Build studies one after the other; one that fails does not keep the others from being built.

    Parameters
    ----------
    paths : sequence of Path
        Study files or their folders.
    options : BuildOptions
        What was asked for.
    console : Console
        Where messages go.

    Returns
    -------
    int
        The exit code: 0, or the highest of those that failed.
    """
    from eventstudy.report.deadline import OutOfTime, Stopped, deadline

    if options.as_of is not None and options.fetch:
        raise StudyFileError("--fetch and --as-of were both given; what is fetched now was not there then. Choose one.")
    code = 0
    with deadline(options.timeout, lambda words: console.say(words, level="error")):
        for path in paths:
            name = _folder(path).name
            try:
                _build(path, options, console)
            except (OutOfTime, Stopped):
                raise
            except Exception as error:  # one study's fault, of whatever kind, does not keep the others from being built
                words, exit_code = failure(error)
                console.say(words, study=name, level="error", exit_code=exit_code)
                code = max(code, exit_code)
    return code


def _folder(path: Path) -> Path:
    return (path.parent if path.is_file() else path).resolve()


def _build(path: Path, options: BuildOptions, console: Console) -> None:
    from eventstudy.report.manifest import unchanged

    folder = _folder(path)
    if options.plain and unchanged(folder):
        console.say("up to date", study=folder.name, step="check")
        return
    from eventstudy.report.build import LOCK_TIMEOUT, build
    from eventstudy.spec import load_study

    spec = load_study(path)
    spec = spec if options.as_of is None else spec.as_of(options.as_of)
    with console.progress(spec.name) as progress:
        built = build(
            spec,
            force=options.force,
            progress=progress,
            fetch=options.fetch,
            accept_changes=options.accept_changes,
            to_publish=options.publish,
            wait=LOCK_TIMEOUT if options.wait else 0,
        )
    _tell(built, spec.name, options.why, console)


def _tell(built: Built, name: str, why: bool, console: Console) -> None:
    if built.fetched:
        console.say(built.fetched, study=name, step="fetch")
    for reason in built.reasons if why else ():
        console.say(str(reason), study=name, step="why")
    done = f"built, {len(built.written)} file(s) changed" if built.reasons else "up to date"
    console.say(done, study=name, step="build")
    for correction in built.corrections:
        changed = f"{correction.what}: {correction.old} → {correction.new}"
        console.say(f"corrected, {changed}", study=name, step="corrections", level="warning")
    if built.flips:
        shown = "; ".join(map(str, built.flips[:_SHOWN]))
        more = f"; and {len(built.flips) - _SHOWN} more" if len(built.flips) > _SHOWN else ""
        console.say(f"other numbers flipped: {shown}{more}", study=name, step="numbers", level="warning")
    where = built.publication
    if where is None:
        return
    if where.held_back:
        console.say(f"not published: {where.held_back}", study=name, step="publish", level="warning")
    else:
        said = "published as" if where.new else "already published as"
        console.say(f"{said} version {where.version} in {where.folder}", study=name, step="publish")
