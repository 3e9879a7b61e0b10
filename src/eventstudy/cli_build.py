"""What ``eventstudy build`` does with each study, and with what order of checks, so that nothing to do takes no time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.console import Console, Level
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
    code, at = 0, 0
    names = [_folder(path).name for path in paths]

    def last_words(words: str) -> None:
        console.say(words, study=names[at], level="error", exit_code=OutOfTime.EXIT_CODE)

    try:
        with deadline(options.timeout, last_words):
            for at, path in enumerate(paths):
                try:
                    _build(path, options, console)
                except (OutOfTime, Stopped):
                    raise
                except (
                    Exception
                ) as error:  # one study's fault, of whatever kind, does not keep the others from being built
                    words, exit_code = failure(error)
                    console.say(words, study=names[at], level="error", exit_code=exit_code)
                    code = max(code, exit_code)
    except (OutOfTime, Stopped) as error:
        left = f" Not begun: {', '.join(names[at + 1 :])}." if names[at + 1 :] else ""
        console.say(f"{error}{left}", study=names[at], level="error", exit_code=error.EXIT_CODE)
        code = max(code, error.EXIT_CODE)
    return code


def _folder(path: Path) -> Path:
    return (path.parent if path.is_file() else path).resolve()


def _build(path: Path, options: BuildOptions, console: Console) -> None:
    from eventstudy.report.manifest import unchanged
    from eventstudy.report.publish import publication_due

    folder = _folder(path)
    if options.plain and unchanged(folder) and not publication_due(folder):
        console.say("up to date", study=folder.name, step="check", exit_code=0)
        return
    from eventstudy.report.build import LOCK_TIMEOUT, build, build_lock
    from eventstudy.spec import load_study

    wait = LOCK_TIMEOUT if options.wait else 0
    spec = load_study(path)
    with build_lock(spec.folder, wait), console.progress(spec.name) as progress:
        spec = load_study(path)  # as it is now: whoever held the lock may have gone on editing
        built = build(
            spec if options.as_of is None else spec.as_of(options.as_of),
            force=options.force,
            progress=progress,
            fetch=options.fetch,
            accept_changes=options.accept_changes,
            to_publish=options.publish,
            wait=wait,
        )
    messages = list(_messages(built, options.why))
    for place, (step, level, words) in enumerate(messages, start=1):
        console.say(words, study=spec.name, step=step, level=level, exit_code=0 if place == len(messages) else None)


def _messages(built: Built, why: bool) -> Iterator[tuple[str, Level, str]]:
    """Give what is to be said of a build: step, level, words."""
    if built.fetched:
        yield "fetch", "info", built.fetched
    for reason in built.reasons if why else ():
        yield "why", "info", str(reason)
    done = f"built, {len(built.written)} file(s) changed" if built.reasons else "up to date"
    yield "build", "info", done
    for c in built.corrections:
        yield "corrections", "warning", f"corrected, {c.what}: {c.old} → {c.new}"
    if built.flips:
        shown = "; ".join(map(str, built.flips[:_SHOWN]))
        more = f"; and {len(built.flips) - _SHOWN} more" if len(built.flips) > _SHOWN else ""
        yield "numbers", "warning", f"other numbers flipped: {shown}{more}"
    where = built.publication
    if where is None:
        return
    if where.held_back:
        yield "publish", "warning", f"not published: {where.held_back}"
    else:
        said = "published as" if where.new else "already published as"
        yield "publish", "info", f"{said} version {where.version} in {where.folder}"
