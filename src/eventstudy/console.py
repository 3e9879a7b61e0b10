"""What the command line says while it works: lines with levels on stderr, for people or as JSON, or a bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

Level = Literal["info", "warning", "error"]
LogFormat = Literal["text", "json"]
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
        """Write a message.

        Parameters
        ----------
        message : str
            In words; several lines are one message.
        study, step : str
            What it is about.
        level : {"info", "warning", "error"}
            How serious it is.
        exit_code : int, optional
            What the command or study ends with because of it; shown in JSON only.
        """
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
