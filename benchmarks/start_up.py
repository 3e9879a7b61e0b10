"""Measure import and start-up costs as ratios to ``import pandas``, interleaved in one run.

Usage: ``python benchmarks/start_up.py [ROUNDS]``. Prints the median of processor seconds and the ratio for each command.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

COMMANDS = {
    "import pandas": [sys.executable, "-c", "import pandas"],
    "import eventstudy": [sys.executable, "-c", "import eventstudy"],
    "import eventstudy, then EventStudy": [
        sys.executable,
        "-c",
        "import eventstudy as es; es.EventStudy, es.MarketModel",
    ],
    "eventstudy --help": [str(Path(sys.executable).parent / "eventstudy"), "--help"],
}


def cost(command: list[str]) -> float:
    """Return processor seconds of one run."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def main(rounds: int) -> None:
    """Print medians and ratios."""
    for command in COMMANDS.values():
        cost(command)
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            seconds[name].append(cost(command))
    base = statistics.median(seconds["import pandas"])
    for name, values in seconds.items():
        middle = statistics.median(values)
        print(f"{name:36} {middle:6.2f} s  {middle / base:5.2f} × import pandas")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
