"""What the command line says while it works: lines with levels on stderr, for people or as JSON, or a bar."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any, Literal, TextIO, cast

from eventstudy.ending import Ended
from eventstudy.errors import EventStudyError, ExitCode
from eventstudy.wording import one_line, printable, steers

Level = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]
#: Called with a step, what is done of it and how much there is.
Progress = Callable[[str, int, int], None]


class Console:
    """Writes messages to stderr.

    Attributes
    ----------
    log_format : {"text", "json"}
        Lines for people, or one JSON object a line: ``time``, ``level``, ``study``, ``step``, ``message``, and ``exit_code``
        if the command ends because of it. What libraries say, level ``debug``, is written in JSON alone.
    study : str
        The study that the command is at.
    """

    def __init__(self) -> None:
        self.log_format: LogFormat = "text"
        self.study = "eventstudy"

    def say(
        self, message: str, *, study: str = "", step: str = "", level: Level = "info", exit_code: int | None = None
    ) -> None:
        """Write a message; a stream that is full or closed changes nothing of what a command does."""
        if level == "debug" and self.log_format == "text":
            return
        if self.log_format == "json":
            now = f"{datetime.now(tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
            line: dict[str, object] = {"time": now, "level": level, "study": study, "step": step, "message": message}
            line |= {} if exit_code is None else {"exit_code": int(exit_code)}
            text = json.dumps(line, ensure_ascii=False)
        else:
            mark = {"info": "", "warning": "warning: ", "error": "error: "}[level]
            text = f"{one_line(study)}: {mark}{message}" if study else f"{mark}{message}"
        _write(sys.stderr, text + "\n")

    def show(self, text: str, *, nl: bool = True) -> None:
        """Write a result to stdout."""
        sys.stdout.write(printable(text) + "\n" * nl)
        sys.stdout.flush()

    def last_words(self, message: str, exit_code: int) -> None:
        """Write why the process ends now."""
        self.say(message, study=self.study, level="error", exit_code=exit_code)

    @contextmanager
    def progress(self, study: str) -> Iterator[Progress]:
        """Show a bar on a terminal, lines elsewhere."""
        if self.log_format == "json" or not sys.stderr.isatty():
            yield lambda step, done, total: self.say(f"[{done}/{total}] {step}", study=study, step=step)
            return
        from rich.console import Console as Terminal
        from rich.progress import Progress as Bar

        with Bar(console=Terminal(stderr=True), transient=True) as bar:
            task = bar.add_task(study, total=None)
            yield lambda step, done, total: bar.update(
                task, description=f"{study}: {step}", completed=done, total=total
            )


@contextmanager
def events_bar(total: int) -> Iterator[Callable[[int, bool], None]]:
    """Show on a terminal how many events are done, how many a second, and when the end is expected; elsewhere nothing.

    Given is what is told how many are done, and whether the last of them were known before, which says nothing of the rate.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, known: None
        return
    from rich.console import Console as Terminal
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    began, start = monotonic(), 0

    def tell(done: int, known: bool) -> None:
        nonlocal began, start
        if known:
            began, start = monotonic(), done
            bar.reset(task, completed=done)
        rate = (done - start) / max(monotonic() - began, 1e-9)
        left = timedelta(seconds=round((total - done) / rate)) if rate else None
        bar.update(task, completed=done, rate="" if left is None else f"{rate:,.0f} a second, {left} to go")

    words = TextColumn("{task.completed:,.0f} of {task.total:,.0f} events"), TextColumn("{task.fields[rate]}")
    with Bar(BarColumn(), *words, console=Terminal(stderr=True), transient=True) as bar:
        task = bar.add_task("events", total=total, rate="")
        yield tell


# -- How a command ends that failed: in words, and with which exit code.


#: What the system refuses until a person has mended it; anything else, as a full disk, may pass.
_FOR_A_PERSON = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError)
_FOR_A_PERSON_TOO = {errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG}
#: Environment variable: anything in it shows the whole way to an unexpected error.
TRACEBACK = "EVENTSTUDY_TRACEBACK"


def failure(error: Exception) -> tuple[str, ExitCode]:
    """Return what to say of an error, and the exit code.

    Returns
    -------
    words : str
        For an error of the package its message; for the system's what it refused, as memory; for any other its type, message and place.
    code : ExitCode
        The error's own; of the system 3 if memory is short, or where a person has to mend it, else 4; 70 for any other.

    Examples
    --------
    >>> from eventstudy.errors import DataMissing
    >>> failure(DataMissing("No prices of ABC."))
    ('No prices of ABC.', <ExitCode.UNFIT: 3>)
    """
    if isinstance(error, EventStudyError):
        return str(error), error.EXIT_CODE
    if isinstance(error, OSError):
        what = error.strerror or str(error) or type(error).__name__
        where = f": {one_line(str(error.filename))}" if error.filename else ""
        person = isinstance(error, _FOR_A_PERSON) or error.errno in _FOR_A_PERSON_TOO
        return (
            f"the system refused ({what}{where}). Mend it and try again.",
            ExitCode.UNFIT if person else ExitCode.LATER,
        )
    if isinstance(error, MemoryError):
        return (
            "there is not as much memory as this takes. Give fewer events, prices or outputs, or more memory.",
            ExitCode.UNFIT,
        )
    return _unexpected(error), ExitCode.FAULT


def _unexpected(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f", in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    text = f"a fault of eventstudy itself ({type(error).__name__}: {error}{place}). Please report it"
    if os.environ.get(TRACEBACK):
        return f"{text}.\n{''.join(traceback.format_exception(error)).rstrip()}"
    return f"{text} with what {TRACEBACK}=1 prints before the same command."


# -- How a command ends, whatever happens in it: with an exit code, and its words in the format that was asked for.


_OPTION = "--log-format"


def run_to_its_end(app: Callable[..., Any], console: Console) -> int:
    """Run a command line application.

    Notes
    -----
    If lines are to be JSON, so are wrong options, which are found before any option is known. The parser shows wrong words as they
    are, so those that would steer a terminal are left to this function. What libraries warn of and log is
    of level ``debug``, this package's own warnings are warnings.
    """
    _open_closed_streams()
    as_json = _asks_for_json(sys.argv[1:])
    if as_json:
        console.log_format = "json"
    try:
        with _libraries_speak_to(console), redirect_stderr(cast("TextIO", _Log(sys.stderr))):
            code = app(standalone_mode=not (as_json or any(map(steers, sys.argv))))
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except SystemExit as end:  # the parser ends so, and makes one of an interrupt too
        code = end.code
    except Ended as end:
        console.last_words(str(end), end.EXIT_CODE)
        return end.EXIT_CODE
    except Exception as error:
        return _failed(error, console)
    code = code if isinstance(code, int) else 0
    if code == ExitCode.INTERRUPTED:
        console.last_words("stopped", code)
    return code


class _Log:
    """The stream of messages, which may be full or broken without an end of the command."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def let_go_of_streams() -> None:
    """Drop what a full or broken stream did not take; else Python would end with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                stream.flush()


def _open_closed_streams() -> None:
    """Let streams that are closed lead nowhere; Python has none in their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for the rest of the process


class _Handler(logging.Handler):
    """Hands what libraries log to a console."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.say(f"{record.name}: {record.getMessage()}", study=self._console.study, level="debug")


@contextmanager
def _libraries_speak_to(console: Console) -> Iterator[None]:
    """Send warnings and logged lines of libraries to a console instead of the stream."""

    def show(message: Warning | str, category: type[Warning], filename: str, *rest: object, **more: object) -> None:
        own = Path(filename).is_relative_to(Path(__file__).parent)
        text = f"{category.__name__}: {message}"
        console.say(text, study=console.study, level="warning" if own else "debug")

    handler, root = _Handler(console), logging.getLogger()
    root.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show
            yield
    finally:
        root.removeHandler(handler)


def _write(stream: TextIO | None, text: str) -> None:
    """Write a line for people or machines, whatever characters it holds and wherever it goes."""
    if stream is not None:
        with suppress(OSError, ValueError):
            stream.write(printable(text))
            stream.flush()


def _asks_for_json(words: Sequence[str]) -> bool:
    pairs = pairwise(words)
    return f"{_OPTION}=json" in words or (_OPTION, "json") in pairs


def _failed(error: Exception, console: Console) -> int:
    usage = getattr(error, "format_message", None)  # what the parser raises; its class is not public
    if callable(usage):
        words, code = str(usage()), int(getattr(error, "exit_code", 2))
    else:
        words, code = failure(error)
    console.last_words(words, code)
    return code
