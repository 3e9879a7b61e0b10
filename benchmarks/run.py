"""Measure studies of many events against what any library must do for them: gather the same windows, and sort each once.

    python benchmarks/run.py            write the section "Many events" of RESULTS.md: N = 10 … 1,000,000 events of 500 firms, and one event each of 1,000 and 10,000 firms
    python benchmarks/run.py --guard    exit code 1 if a study of some thousand events costs more gathers than it may, or grows faster than N

Every row is a process of its own with one thread: seconds of processor time, the median of several runs after one that is not counted,
and the largest memory. Seconds depend on the machine; the multiples, taken in the same process, hardly do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
#: Events, firms, sessions, runs.
ROWS = (
    (10, 500, 2_600, 5),
    (100, 500, 2_600, 5),
    (1_000, 500, 2_600, 5),
    (10_000, 500, 2_600, 3),
    (100_000, 500, 2_600, 3),
    (1_000_000, 500, 2_600, 1),
    (1_000, 1_000, 503, 5),
    (10_000, 10_000, 503, 3),
)
#: Relative days that a study uses.
FIRST, LAST = -260, 10
#: A study of `GUARDED` events may cost so many gathers, and so many times the study of a quarter of them.
GUARDED, GATHERS, GROWTH = 8_000, 60.0, 5.0
#: Seconds that are measured well enough to divide by.
SHORTEST = 3e-4


def cpu(work: Callable[[], object]) -> float:
    """Return the processor seconds of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(n: int, firms: int, sessions: int, runs: int) -> dict[str, float]:
    """Measure one row in this process."""
    import numpy as np
    import pandas as pd

    import eventstudy as es
    from eventstudy.inference import TESTS

    rng = np.random.default_rng(7)
    dates, market = pd.bdate_range("2012-01-02", periods=sessions), rng.normal(0.0003, 0.01, sessions)
    values = 0.0002 + np.outer(market, rng.uniform(0.5, 1.6, firms)) + rng.normal(0.0, 0.02, (sessions, firms))
    names = [f"S{i:05d}" for i in range(firms)]
    returns = pd.DataFrame(values, index=dates, columns=names).assign(mkt=market)
    row = rng.permutation(firms) if n == firms else rng.integers(0, firms, n)
    place = rng.integers(-FIRST + 20, sessions - 2 * LAST, n)
    events = pd.DataFrame({"ticker": np.array(names, dtype=object)[row], "date": dates[place]})
    by_firm, days = np.ascontiguousarray(values.T), np.arange(FIRST, LAST + 1)

    def windows(start: int) -> np.ndarray:
        return by_firm[row[start : start + 5_000, None], place[start : start + 5_000, None] + days]

    def gather() -> None:
        for start in range(0, n, 5_000):
            windows(start).sum()

    def sort() -> None:
        for start in range(0, n, 5_000):
            np.sort(windows(start), axis=1)

    closed = [name for name, method in TESTS.items() if method.scope == "many" and name not in DRAWN]
    study = es.EventStudy(model=es.MarketModel("mkt"), estimation=(FIRST, -11), window=(-10, LAST))
    study.run(returns, events.head(300)).run_tests((0, 1), names=closed)
    found: dict[str, list[float]] = {name: [] for name in ("gather", "sort", "run", "tests", "print")}
    for _ in range(runs):
        results: list[es.EventStudyResult] = []
        found["gather"].append(cpu(gather))
        found["sort"].append(cpu(sort) - found["gather"][-1])
        found["run"].append(cpu(lambda results=results: results.append(study.run(returns, events))))
        found["tests"].append(cpu(lambda results=results: results[0].run_tests((0, 1), names=closed)))
        found["print"].append(cpu(lambda results=results: str(results[0])))
    middle = {name: statistics.median(values) for name, values in found.items()}
    return middle | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


#: Tests that draw, whose cost is that of their draws.
DRAWN = ("signflip", "bootstrap", "wild_bootstrap")


def in_a_process(*row: int) -> dict[str, float]:
    """Measure one row in a process of its own."""
    alone = os.environ | {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
    command = [sys.executable, __file__, "--row", *map(str, row)]
    done = subprocess.run(command, env=alone, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def machine() -> str:
    """Return the day, processor, memory and versions in a line."""
    from importlib.metadata import version

    cores = os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas"))
    return f"{datetime.now(UTC):%Y-%m-%d}: {model}, {cores} cores, {memory:.0f} GB; Python {platform.python_version()}, {versions}"


def put_section(heading: str, lines: list[str]) -> None:
    """Write one section of `RESULTS.md`, in place of the one with the same heading; the others stay."""
    there = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else ""
    sections = {part.splitlines()[0]: part for part in re.split(r"(?m)^(?=## )", there) if part.startswith("## ")}
    sections[f"## {heading}"] = "\n".join([f"## {heading}", "", *lines, "", ""])
    head = "# What a study costs\n\nWritten by `make bench`.\n\n"
    RESULTS.write_text(head + "".join(sections.values()).rstrip("\n") + "\n", encoding="utf-8")


def times(whole: float, base: float) -> str:
    """Return a multiple; a dash of what takes too short to be measured."""
    return f"{whole / base:.0f}" if base > SHORTEST else "–"


def write() -> None:
    """Measure all rows and write their section of `RESULTS.md`."""
    lines = []
    for n, firms, sessions, runs in ROWS:
        m = in_a_process(n, firms, sessions, runs)
        whole = m["run"] + m["tests"]
        cells = [f"{n:,}", f"{firms:,} × {sessions:,}", *(f"{m[k]:.3g}" for k in ("run", "tests", "print"))]
        cells += [
            f"{m['peak']:.2f}",
            f"{whole / n * 1e6:,.0f}",
            times(whole, m["gather"]),
            times(whole, m["sort"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    head = "| events | firms × sessions | run, s | tests, s | print, s | peak, GB | µs an event | × gather | × sort |"
    put_section(
        "Many events",
        [
            f"Measured on {machine()}.",
            "",
            "Market model, estimation days [-260, -11], event window [-10, +10]. *run* is `EventStudy.run` with its checks, *tests* every test of an",
            "average that draws nothing, over days [0, +1], *print* the printout of three windows. *gather* copies the same windows by index arrays,",
            "*sort* sorts each of them once; multiples are of run and tests together.",
            "",
            head,
            "|" + " ---: |" * head.count(" | ") + " ---: |",
            *lines,
        ],
    )


def guard() -> int:
    """Return 1 and say why if a study costs too many gathers or grows too fast."""
    small, large = (in_a_process(n, 500, 2_600, 3) for n in (GUARDED // 4, GUARDED))
    cost = [m["run"] + m["tests"] for m in (small, large)]
    gathers, growth = cost[1] / large["gather"], cost[1] / cost[0]
    print(
        f"{GUARDED:,} events: {gathers:.0f} gathers (at most {GATHERS:.0f}), {growth:.1f} times a quarter of them (at most {GROWTH:.1f})"
    )
    return int(gathers > GATHERS or growth > GROWTH)


def main() -> None:
    """Write the results, or guard them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guard", action="store_true")
    parser.add_argument("--row", nargs=4, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.row:
        print(json.dumps(measure(*given.row)))
    elif given.guard:
        raise SystemExit(guard())
    else:
        write()


if __name__ == "__main__":
    main()
