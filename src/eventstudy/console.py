"""What the command line says while it works: lines with levels on stderr, for people or as JSON, or a bar."""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from eventstudy.errors import EventStudyError

Level = Literal["info", "warning", "error"]
LogFormat = Literal["text", "json"]
#: Called with a step, what is done of it and how much there is.
Progress = Callable[[str, int, int], None]


class Console:
    """Writes messages to stderr.

    Attributes
    ----------
    log_format : {"text", "json"}
        Lines for people, or one JSON object a line: ``time``, ``level``, ``study``, ``step``, ``message``, and ``exit_code``
        if the command ends because of it.
    """

    def __init__(self) -> None:
        self.log_format: LogFormat = "text"

    def say(
        self, message: str, *, study: str = "", step: str = "", level: Level = "info", exit_code: int | None = None
    ) -> None:
        """Write a message."""
        if self.log_format == "json":
            now = f"{datetime.now(tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
            line: dict[str, object] = {"time": now, "level": level, "study": study, "step": step, "message": message}
            line |= {} if exit_code is None else {"exit_code": exit_code}
            text = json.dumps(line, ensure_ascii=False)
        else:
            mark = {"info": "", "warning": "warning: ", "error": "error: "}[level]
            text = f"{study}: {mark}{message}" if study else f"{mark}{message}"
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

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


# -- How a command ends that failed: in words, and with which exit code.


#: The system failed: a full disk, a folder that cannot be written to.
SYSTEM_FAILED = 4
#: A fault of the package itself; the number that systems give to internal software errors.
UNEXPECTED = 70
#: Environment variable: anything in it shows the whole way to an unexpected error.
TRACEBACK = "EVENTSTUDY_TRACEBACK"


def failure(error: Exception) -> tuple[str, int]:
    """Return what to say of an error, and the exit code.

    Returns
    -------
    words : str
        For an error of the package its message; for the system's what it refused; for any other its type, message and place.
    code : int
        The error's own exit code; 4 for the system's; 70 for any other.

    Examples
    --------
    >>> from eventstudy.errors import DataMissing
    >>> failure(DataMissing("No prices of ABC."))
    ('No prices of ABC.', 3)
    """
    if isinstance(error, EventStudyError):
        return str(error), error.EXIT_CODE
    if isinstance(error, OSError):
        what = error.strerror or str(error) or type(error).__name__
        where = f": {error.filename}" if error.filename else ""
        return (
            f"the system refused ({what}{where}). Nothing was half written; mend it and try again.",
            SYSTEM_FAILED,
        )
    return _unexpected(error), UNEXPECTED


def _unexpected(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f", in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    text = f"a fault of eventstudy itself ({type(error).__name__}: {error}{place}). Nothing was half written; please report it"
    if os.environ.get(TRACEBACK):
        return f"{text}.\n{''.join(traceback.format_exception(error)).rstrip()}"
    return f"{text} with what {TRACEBACK}=1 prints before the same command."


# -- How a command ends, whatever happens in it: with an exit code, and its words in the format that was asked for.


_OPTION = "--log-format"


def run_to_its_end(app: Callable[..., Any], console: Console) -> int:
    """Run a command line application.

    Notes
    -----
    If lines are to be JSON, so are wrong options, which are found before any option is known, and warnings of libraries.
    """
    as_json = _asks_for_json(sys.argv[1:])
    if as_json:
        console.log_format = "json"
    try:
        with warnings.catch_warnings():
            if as_json:
                warnings.showwarning = lambda message, category, *rest, **more: console.say(
                    f"{category.__name__}: {message}", level="warning"
                )
            code = app(standalone_mode=not as_json)
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        return _failed(error, console)
    code = code if isinstance(code, int) else 0
    if code == 130:
        console.say("stopped", study="eventstudy", level="error", exit_code=code)
    return code


def _asks_for_json(words: Sequence[str]) -> bool:
    pairs = pairwise(words)
    return f"{_OPTION}=json" in words or (_OPTION, "json") in pairs


def _failed(error: Exception, console: Console) -> int:
    usage = getattr(error, "format_message", None)  # what the parser raises; its class is not public
    if callable(usage):
        words, code = str(usage()), int(getattr(error, "exit_code", 2))
    else:
        words, code = failure(error)
    console.say(words, study="eventstudy", level="error", exit_code=code)
    return code
