"""A study to start from, which builds at once on the embedded prices."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from eventstudy.errors import InvalidInput
from eventstudy.files import write_whole
from eventstudy.studyfile.parts import MODELS
from eventstudy.studyfile.spec import FILE_NAME

#: Files of a new study, with words between @ left open.
_TEMPLATES = Path(__file__).parent / "templates"
_SCHEDULE = _TEMPLATES / "schedule"
#: The cells of its notebook: kind, source, and a tag if there is one.
_CELLS = (
    (
        "markdown",
        "# What did the news do?\n\nChange `events.csv` and `study.toml` beside this notebook, then run it again.",
    ),
    ("code", 'STUDY = "."\nwindow = (0, 1)', "parameters"),
    (
        "code",
        "import eventstudy as es\n\nstudy = es.load_study(STUDY)\nresult = study.run()\nresult",
    ),
    ("code", "result.plot_event_day()"),
    ("code", "result.plot_car()"),
    ("markdown", "Which tests are recommended, and why:"),
    ("code", "print(result.recommended().sentence)\nresult.tests(tuple(window))"),
)


def make_starter(folder: Path) -> Path:
    """Make a study folder with a study file, events, claims, a notebook, and files for a schedule."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(f"{folder} is there already; give the name of a new folder.")
    name, stem = folder.as_posix(), folder.resolve().name
    if not (name + stem).isprintable():
        raise InvalidInput(f"{name!r} has a line break or another character that cannot be seen; choose another name.")
    words = {"STUDY": shlex.quote(name), "NAME": stem, "MODELS": ", ".join(MODELS)}
    for file in ("events.csv", "claims.toml", FILE_NAME):
        write_whole(folder / file, _filled(_TEMPLATES / file, words))
    write_whole(folder / "notebook.ipynb", notebook_text(_CELLS))
    for file, text in schedule_files(name, stem).items():
        write_whole(folder / "schedule" / file, text)
    return folder


def schedule_files(study: str, name: str) -> dict[str, str]:
    """Return files that build a study on a schedule: systemd, cron, a workflow of GitHub, a container."""
    unit = "eventstudy-" + (re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-") or "study")
    quoted = {"QUOTED": json.dumps(study, ensure_ascii=False), "FILES": json.dumps(f"{study}/**", ensure_ascii=False)}
    return {
        re.sub("^study", unit, file.name): _filled(file, {"STUDY": _as_word(file, study), "UNIT": unit, **quoted})
        for file in sorted(_SCHEDULE.iterdir())
    }


#: What the reader of a file does with a command before it is split into words.
_ESCAPES = {".service": {"\\": "\\\\", "%": "%%", "$": "$$"}, "crontab": {"%": "\\%"}}


def _as_word(file: Path, text: str) -> str:
    """Return a text as one word of a command in a file of this kind."""
    word = shlex.quote(text)
    for character, escaped in _ESCAPES.get(file.suffix or file.name, {}).items():
        word = word.replace(character, escaped)
    return word


def _filled(template: Path, words: dict[str, str]) -> str:
    """Return a template with its open words filled in."""
    return re.sub("@([A-Z]+)@", lambda found: words[found[1]], template.read_text(encoding="utf-8"))


def notebook_text(cells: Sequence[tuple[str, ...]]) -> str:
    """Return a notebook without outputs as JSON text; cells are a kind, a source, and tags if there are any."""
    out = []
    for place, (kind, source, *tags) in enumerate(cells):
        cell: dict[str, object] = {
            "cell_type": kind,
            "id": f"c{place:03d}",
            "metadata": {"tags": tags} if tags else {},
            "source": source.splitlines(keepends=True),
        }
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        out.append(cell)
    notebook = {
        "cells": out,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
