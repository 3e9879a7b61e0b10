"""A study to start from, which builds at once on the embedded prices."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from eventstudy.errors import InvalidInput
from eventstudy.files import write_whole
from eventstudy.studyfile.spec import FILE_NAME

#: Files for a schedule, with the study's folder and name left open.
SCHEDULE = Path(__file__).parent / "schedule"

_STUDY = """\
# A study: what happened, to whom, and how normal returns are modelled.
# Build it with:  eventstudy build {name}

title = "How the market took Broadcom's AI forecast"
question = "How much did the results of 12 December 2024 move Broadcom and its rivals, and how sure are we?"
event = "Broadcom's results"
headline = ["AVGO", "MRVL", "NVDA"]     # the shares in the focus; all events if left out
events = "events.csv"                   # columns: ticker, date (a day, or a time with its zone), label, group
status = "draft"                        # marks page and figures and keeps the report out of the publish folder; then "final"
# embargo_until = "2026-12-01T06:00-05:00"   # the same, up to a moment with its zone
claims = "claims.toml"                  # what articles said, judged by the numbers
notebooks = ["notebook.ipynb"]          # executed and shown with the report; without this key every notebook of the folder

# [publish]
# folder = "../../public/{stem}"         # versions for readers; "eventstudy build {name} --publish"

[parameters]                            # variables that every notebook is given, beside STUDY, the way to this folder
window = [0, 1]

[prices]
source = "snapshot"                     # the embedded prices; or a CSV or Parquet file in this folder; "eventstudy fetch" makes one

[model]
# kinds: market_model, market_adjusted, mean_adjusted; capm, fama_french3, carhart, fama_french5, fama_french6; factors, peer_portfolio and
# buy_and_hold with a list; scholes_williams, dimson, trade_to_trade; robust, hac, garch, egarch
kind = "market_model"
benchmark = "^GSPC"
estimation = [-270, -21]                # sessions relative to the event day
window = [-5, 5]
report = [[0, 0], [0, 1], [-5, -1], [0, 5]]
closed_day = "next"                     # an event on a closed day: next, previous, drop or error

[[robustness]]
kind = "market_model"
benchmark = "^SOX"
label = "Market model on the semiconductor index"
"""

_EVENTS = """\
ticker,date,label,group
AVGO,2024-12-12 16:15-05:00,Broadcom's results after the close,Itself
MRVL,2024-12-12 16:15-05:00,Broadcom's results after the close,Custom chips
NVDA,2024-12-12 16:15-05:00,Broadcom's results after the close,Rivals
AMD,2024-12-12 16:15-05:00,Broadcom's results after the close,Rivals
"""

_CLAIMS = """\
# What articles said, and what would make it true; verdicts: eventstudy claims {name}
# These sentences are made up, one of each common kind. Put real ones in their place: a few words, letter for letter, and where they stand.

[articles.example]
title = "Replace this with an article"
outlet = "An outlet"
date = "13 December 2024"

[baskets.chips]
label = "Broadcom, Marvell, Nvidia and AMD"
tickers = ["AVGO", "MRVL", "NVDA", "AMD"]

[[claims]]
id = "jumped"
article = "example"
quote = "Broadcom jumped"
kind = "direction"                      # which way the price went
asset = "AVGO"
says = "rose"
wording = "sharp"

[[claims]]
id = "dragged-down"
article = "example"
quote = "the news dragged Nvidia down"
kind = "impact"                         # beyond what the market explains
asset = "NVDA"
says = "fell"

[[claims]]
id = "quarter"
article = "example"
quote = "Broadcom rose almost a quarter"
kind = "size"                           # by how much
asset = "AVGO"
says = "rose"
value = 25
unit = "percent"
wording = "almost"

[[claims]]
id = "billions"
article = "example"
quote = "adding more than $200 billion to its market value"
kind = "market_value"                   # dollars, from the share count of the day
asset = "AVGO"
says = "gained"
value = 200
unit = "billion"
wording = "more than"

[[claims]]
id = "all-rose"
article = "example"
quote = "most chip designers rose with it"
kind = "count"                          # how many of them
basket = "chips"
says = "rose"
wording = "most"

[[claims]]
id = "a-friday"
article = "example"
quote = "in Friday's trading"
kind = "date"                           # what a calendar can tell
date = "2024-12-13"
weekday = "Friday"
session = true

[[claims]]
id = "analysts"
article = "example"
quote = "analysts were stunned"
kind = "not_testable"                   # and why not
reason = "Prices say nothing about analysts' feelings"
needs = "what analysts had forecast"
"""

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
    ("markdown", "Which tests to believe, and why:"),
    ("code", "print(result.recommended().sentence)\nresult.tests(tuple(window))"),
)


def make_starter(folder: Path) -> Path:
    """Make a study folder with a study file, events, claims, a notebook, and files for a schedule."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(f"{folder} is there already; give the name of a new folder.")
    name, stem = folder.as_posix(), folder.resolve().name
    if not (name + stem).isprintable():
        raise InvalidInput(f"{name!r} has a line break or another character that cannot be seen; choose another name.")
    write_whole(folder / "events.csv", _EVENTS)
    write_whole(folder / "claims.toml", _CLAIMS.format(name=name))
    write_whole(folder / "notebook.ipynb", notebook_text(_CELLS))
    for file, text in schedule_files(name, stem).items():
        write_whole(folder / "schedule" / file, text)
    write_whole(folder / FILE_NAME, _STUDY.format(name=name, stem=stem))
    return folder


def schedule_files(study: str, name: str) -> dict[str, str]:
    """Return files that build a study on a schedule: systemd, cron, a workflow of GitHub, a container."""
    unit = "eventstudy-" + (re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-") or "study")
    found = {}
    for file in sorted(SCHEDULE.iterdir()):
        text = file.read_text(encoding="utf-8")
        own = f"{unit}{file.suffix}" if file.stem == "study" else file.name
        found[own] = text.replace("@STUDY@", shlex.quote(study)).replace("@NAME@", unit)
    return found


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
