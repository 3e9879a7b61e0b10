"""Kill, stop and interrupt builds at random moments, and look at what they leave.

    python tools/kill_builds.py [N] [--seed S]      N rounds (200); exit code 1 if one of them left something wrong

Each round starts ``eventstudy build --fetch --publish`` with real notebooks against a loopback server that answers as Yahoo does, and ends it
with SIGKILL, SIGTERM, SIGINT or ``--timeout`` at a random moment. The end must come within five seconds. Then, before any other command, a
reader must find one whole version under ``current``; after the next command, which goes unharmed, the report must be of its manifest, each
version as published, each vintage whole, and neither the study's folder, the publish folder nor the temporary folder may hold anything else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eventstudy.studyfile.starter import notebook_text

WAYS = ("SIGKILL", "SIGTERM", "SIGINT", "--timeout")
#: Longest time from a signal, or the end of ``--timeout``, to the end of the process, in seconds.
LIMIT = 5.0
CODES = {"SIGKILL": -signal.SIGKILL, "SIGTERM": 143, "SIGINT": 130, "--timeout": 4}
STUDY = """
title = "TITLE"
event = "some news"
notebooks = ["one.ipynb", "two.ipynb"]

[prices]
source = "yahoo"
start = "2023-11-01"
end = "2025-02-28"

[model]
benchmark = "^GSPC"
report = [[0, 0], [0, 1]]

[publish]
folder = "../public/two"
auto = true
"""
#: The command: it asks a server of this machine, which answers with the embedded prices and every other night another close of one day, and draws
#: one figure. A slow answer leaves time for a signal.
COMMAND = r"""
import sys, time
import eventstudy as es
from eventstudy import cli
from eventstudy.report import charts
from eventstudy.report.builds import fetch, outputs

real = outputs.draw_charts
outputs.draw_charts = lambda f, *given: (charts.Chart("event_day", charts._event_day(f, "article"), charts._event_day(f, "phone")),)
night = int(sys.argv[1])


def answer(tickers, start, end, **given):
    for place, ticker in enumerate(tickers):
        given["on_ticker"](ticker, place, len(tickers))
        time.sleep(0.15)
    p = es.load_prices(list(tickers), start, end)
    adj, close = p.adj_close.copy(), p.close.copy()
    for table in (adj, close):
        table.loc[table.index[5 + night % 40], "META"] *= 1.001
    return es.Prices.from_frame(adj, close, p.volume, p.provenance, p.currency)


fetch.fetch_yahoo = answer
sys.argv = ["eventstudy", *sys.argv[2:]]
cli.main()
"""


@dataclass
class Figures:
    """What was done, and what was found wrong."""

    ways: Counter[str] = field(default_factory=Counter)
    after: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """Return the longest time from a signal to the end, in seconds."""
        return max(self.after, default=0.0)


@dataclass
class Place:
    """A study, its public folder and the homes of the commands, all in one folder."""

    root: Path

    def __post_init__(self) -> None:
        """Make the study."""
        self.study, self.public, self.temporary = (
            self.root / name for name in ("reports/two", "reports/public/two", "temporary")
        )
        for folder in (self.study, self.temporary, self.root / "home"):
            folder.mkdir(parents=True)
        (self.study / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\nMETA,2025-01-27\n")
        cells = (("code", "import time\nimport numpy\ntime.sleep(0.4)"), ("code", "time.sleep(0.4)\nprint(STUDY)"))
        for name in ("one", "two"):
            (self.study / f"{name}.ipynb").write_text(notebook_text(cells), encoding="utf-8")

    def command(self, night: int, *words: str) -> subprocess.Popen[str]:
        """Start one night's build."""
        text = STUDY.replace("TITLE", f"Two firms, night {night}")
        (self.study / "study.toml").write_text(text, encoding="utf-8")
        home = str(self.root / "home")
        environment = {**os.environ, "HOME": home, "XDG_STATE_HOME": "", "TMPDIR": str(self.temporary)}
        command = [sys.executable, "-c", COMMAND, str(night), "build", str(self.study), "--fetch", *words]
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)

    def mixed(self, folder: Path) -> Iterator[str]:
        """Give the files of a report that are not those of its manifest."""
        recorded = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["outputs"]
        for name, digest in recorded.items():
            if not (folder / name).is_file() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                yield f"{folder.relative_to(self.root)}/{name} is not of its manifest"

    def wrong_for_readers(self) -> Iterator[str]:
        """Give what is wrong with the newest version as readers find it."""
        if not (self.public / "current" / "index.html").is_file():
            yield "readers find no page"
        else:
            yield from self.mixed(self.public / "current")

    def wrong_after(self, known: dict[str, bytes]) -> Iterator[str]:
        """Give what is wrong after a command that went unharmed; versions that are known by now may not change."""
        from eventstudy.report.builds.publish import verify_versions
        from eventstudy.vintages.store import list_vintages, verify_vintage

        yield from self.mixed(self.study)
        try:
            verify_versions(self.public)
            for vintage in list_vintages(self.study):
                verify_vintage(vintage)
        except Exception as error:
            yield str(error)
        now = {str(p.relative_to(self.public)): p.read_bytes() for p in (self.public / "versions").rglob("*.*")}
        yield from (f"{name} was changed or lost" for name, content in known.items() if now.get(name) != content)
        known.update(now)
        locks = {".build.lock", ".publish.lock", ".store.lock"}
        for folder in (self.study, self.public):
            dots = {p for p in folder.rglob(".*") if p.name not in locks}
            yield from (f"left behind: {p.relative_to(self.root)}" for p in dots)
        yield from (f"left behind: temporary/{p.name}" for p in self.temporary.iterdir())
        notes = [p.name for p in (self.root / "home").rglob("built/*")]
        if len(notes) != 1:
            yield f"notes: {notes}"


def kill_builds(rounds: int, seed: int, place: Path, tell: bool = False) -> Figures:
    """Harm builds at random moments and look at what each leaves."""
    draw, found = random.Random(seed), Figures()
    where, known = Place(place), dict[str, bytes]()
    took = 0.0
    for night in range(3):  # the first builds show how long one takes
        started = time.monotonic()
        done = where.command(night)
        _, err = done.communicate()
        took = time.monotonic() - started
        if done.returncode:
            raise SystemExit(f"the build that nobody harms ended with {done.returncode}: {err}")
    found.wrong += where.wrong_after(known)
    for turn in range(rounds):
        way, night = WAYS[turn % len(WAYS)], 3 + turn
        moment = took * (turn // len(WAYS) + draw.random()) / max(1, rounds // len(WAYS)) * 1.02
        words = ["--timeout", f"{max(moment - took * 0.2, 0.01):.3f}"] if way == "--timeout" else []
        said = f"round {turn} ({way} after {moment:.2f} s)"
        for problem in _one(where, night, way, moment, words, found):
            found.wrong.append(f"{said}: {problem}")
        unharmed = where.command(night)
        _, err = unharmed.communicate()
        if unharmed.returncode:
            found.wrong.append(f"{said}: the next command ended with {unharmed.returncode}: {err}")
        found.wrong += [f"{said}: {problem}" for problem in where.wrong_after(known)]
        if tell:
            print(f"{said}: {len(found.wrong)} wrong so far", flush=True)
    return found


def _one(where: Place, night: int, way: str, moment: float, words: list[str], found: Figures) -> Iterator[str]:
    """Harm one build, note how it ended, and give what is wrong before any other command."""
    started = time.monotonic()
    running = where.command(night, *words)
    if way != "--timeout":
        time.sleep(max(0.0, moment - (time.monotonic() - started)))
        running.send_signal(getattr(signal, way))
    told = time.monotonic()
    try:
        _, err = running.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        running.kill()
        yield "did not end"
        return
    # with --timeout from the moment on; the start of Python before it is on the generous side
    after = time.monotonic() - (told if way != "--timeout" else max(told, started + moment))
    if running.returncode == 0:
        found.ways["done before"] += 1
    else:
        found.ways[way] += 1
        found.after.append(after)
        if after > LIMIT:
            yield f"took {after:.1f} s to end"
        early = {-signal.SIGTERM, -signal.SIGINT, 130, 1} if moment < 1.5 else set()  # before Python runs the command
        if running.returncode != CODES[way] and running.returncode not in early:
            yield f"ended with {running.returncode}: {err[-400:]}"
    yield from where.wrong_for_readers()


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20250127)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = kill_builds(given.rounds, given.seed, Path(place) / "all", tell=True)
    print(*found.wrong, sep="\n")
    counts = ", ".join(f"{n} {way}" for way, n in sorted(found.ways.items()))
    print(f"{given.rounds} rounds: {counts}; slowest end {found.slowest:.1f} s; wrong: {len(found.wrong)}")
    raise SystemExit(1 if found.wrong else 0)


if __name__ == "__main__":
    main()
