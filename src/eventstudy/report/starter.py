"""A study to start from, which builds at once on the embedded prices."""

from __future__ import annotations

import json
from pathlib import Path

from eventstudy.errors import InvalidInput
from eventstudy.files import write_whole
from eventstudy.spec import FILE_NAME

_STUDY = """\
# A study: what happened, to whom, and how normal returns are modelled.
# Build it with:  eventstudy build {name}

title = "How the market took Broadcom's AI forecast"
question = "How much did the results of 12 December 2024 move Broadcom and its rivals, and how sure are we?"
event = "Broadcom's results"
headline = ["AVGO", "MRVL", "NVDA"]     # the shares in the focus; all events if left out
events = "events.csv"                   # columns: ticker, date (a day, or a time with its zone), label, group
notebooks = ["notebook.ipynb"]          # executed and shown with the report

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

_CELLS = (
    (
        "markdown",
        "# What did the news do?\n\nChange `events.csv` and `study.toml` beside this notebook, then run it again.",
    ),
    (
        "code",
        'import eventstudy as es\n\nstudy = es.load_study(".")\nresult = study.run()\nresult',
    ),
    ("code", "result.plot_event_day()"),
    ("code", "result.plot_car()"),
    ("markdown", "Which tests to believe, and why:"),
    ("code", "print(result.advice())\nresult.tests((0, 1))"),
)


def make_starter(folder: Path) -> Path:
    """Make a study folder with a study file, events and a notebook.

    Parameters
    ----------
    folder : Path
        A folder that does not exist yet, or an empty one.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InvalidInput
        If the folder is there and not empty, or a file stands in its place.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(f"{folder} is there already; give the name of a new folder.")
    write_whole(folder / FILE_NAME, _STUDY.format(name=folder.as_posix()))
    write_whole(folder / "events.csv", _EVENTS)
    write_whole(folder / "notebook.ipynb", notebook_text(_CELLS))
    return folder


def notebook_text(cells: tuple[tuple[str, str], ...]) -> str:
    """Return a notebook without outputs as JSON text; cells are pairs of kind and source."""
    out = []
    for place, (kind, source) in enumerate(cells):
        cell: dict[str, object] = {
            "cell_type": kind,
            "id": f"c{place:03d}",
            "metadata": {},
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
