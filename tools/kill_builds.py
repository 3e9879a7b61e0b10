"""Kill, stop and interrupt builds at random moments, and look at what they leave.

    python tools/kill_builds.py [N] [--seed S]      N rounds (200); exit code 1 if one of them left something wrong

Each round starts ``eventstudy build --fetch`` of a study that publishes with every build, with a real notebook and new prices, and ends it with
SIGKILL, SIGTERM, SIGINT or ``--timeout`` at a random moment. The end must come within five seconds. Then, before any other command, a
reader must find one whole version under ``current``. The next command is harmed too, but each fifth time: after a command that goes unharmed
the report must be of its manifest, each version as published, each vintage whole, and neither the study's folder, the publish folder nor the
temporary folder may hold anything else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import eventstudy as es
from eventstudy import cli
from eventstudy.report.builds import fetch, outputs
from eventstudy.report.builds.publish import verify_versions
from eventstudy.studyfile.starter import notebook_text
from eventstudy.vintages.store import list_vintages, verify_vintage

#: After so many harmed builds one goes unharmed.
EVERY = 5
WAYS = ("SIGKILL", "SIGTERM", "SIGINT", "--timeout")
#: Longest time from a signal, or the end of ``--timeout``, to the end of the process, in seconds.
LIMIT = 5.0
CODES = {"SIGKILL": -signal.SIGKILL, "SIGTERM": 143, "SIGINT": 130, "--timeout": 4}
STUDY = """
title = "TITLE"
event = "some news"
notebooks = ["one.ipynb"]

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


def answer(night: int) -> Callable[..., es.Prices]:
    """Return what stands in for Yahoo: slow, the embedded prices, and every night another close of one day."""

    def fetch_yahoo(tickers: Sequence[str], start: str, end: str, **given: Any) -> es.Prices:
        for place, ticker in enumerate(tickers):
            given["on_ticker"](ticker, place, len(tickers))
            time.sleep(0.1)
        p = es.load_prices(list(tickers), start, end)
        adj, close = p.adj_close.copy(), p.close.copy()
        for table in (adj, close):
            table.loc[table.index[5 + night % 40], "META"] *= 1.001
        return es.Prices.from_frame(adj, close, p.volume, p.provenance, p.currency)

    return fetch_yahoo


class Command:
    """A command in a process of its own, forked from this one, which has loaded the libraries."""

    def __init__(self, words: Sequence[str], night: int, environment: Mapping[str, str], said: Path) -> None:
        self.said = said
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid:
            return
        code = 99
        try:
            os.environ.update(environment)
            tempfile.tempdir = None
            output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            fetch.fetch_yahoo = answer(night)
            outputs.draw_charts = lambda *given: ()
            sys.argv = ["eventstudy", *words]
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException as error:
            os.write(2, repr(error).encode())
        finally:
            os._exit(code)

    def wait(self, seconds: float = 120.0) -> int | None:
        """Wait for the end and return the exit code, of a signal its negative; None if there is no end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None


@dataclass
class Figures:
    """What was done, and what was found wrong."""

    ways: Counter[str] = field(default_factory=Counter)
    after: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the figures in a line."""
        counts = ", ".join(f"{n} {way}" for way, n in sorted(self.ways.items()))
        return f"{counts}; slowest end {self.slowest:.1f} s; wrong: {len(self.wrong)}"

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
        cells = (("code", "import time\nimport numpy\ntime.sleep(0.2)"), ("code", "time.sleep(0.2)\nprint(STUDY)"))
        (self.study / "one.ipynb").write_text(notebook_text(cells), encoding="utf-8")

    def command(self, night: int, *words: str) -> Command:
        """Start one night's build."""
        text = STUDY.replace("TITLE", f"Two firms, night {night}")
        (self.study / "study.toml").write_text(text, encoding="utf-8")
        environment = {"HOME": str(self.root / "home"), "XDG_STATE_HOME": "", "TMPDIR": str(self.temporary)}
        return Command(["build", str(self.study), "--fetch", *words], night, environment, self.root / "said")

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
        known_dots = {".build.lock", ".publish.lock", ".store.lock", ".confirmed"}
        for folder in (self.study, self.public):
            dots = {p for p in folder.rglob(".*") if p.name not in known_dots}
            yield from (f"left behind: {p.relative_to(self.root)}" for p in dots)
        yield from (f"left behind: temporary/{p.name}" for p in self.temporary.iterdir())
        notes = [p.name for p in (self.root / "home").rglob("built/*")]
        if len(notes) != 1:
            yield f"notes: {notes}"


def kill_builds(rounds: int, seed: int, place: Path, tell: bool = False) -> Figures:
    """Harm builds at random moments and look at what each leaves."""
    draw, found = random.Random(seed), Figures()  # noqa: S311
    where, known = Place(place), dict[str, bytes]()
    took = 0.0
    for night in range(3):  # the first builds show how long one takes
        started = time.monotonic()
        done = where.command(night)
        code, took = done.wait(), time.monotonic() - started
        if code:
            raise SystemExit(f"the build that nobody harms ended with {code}: {done.said.read_text()}")
    found.wrong += where.wrong_after(known)
    for turn in range(rounds):
        way, night = WAYS[turn % len(WAYS)], 3 + turn
        moment = took * draw.random() * 1.02
        problems = list(_one(where, night, way, moment, found))
        if turn % EVERY == EVERY - 1 or turn == rounds - 1:
            unharmed = where.command(night)
            code = unharmed.wait()
            if code:
                problems.append(f"the next command ended with {code}: {unharmed.said.read_text()}")
            problems += where.wrong_after(known)
        lines = [f"round {turn} ({way} after {moment:.2f} of {took:.2f} s): {problem}" for problem in problems]
        found.wrong += lines
        if tell:
            print(*lines, f"{turn + 1} of {rounds}: {found}", sep="\n", flush=True)
    return found


def _one(where: Place, night: int, way: str, moment: float, found: Figures) -> Iterator[str]:
    """Harm one build, note how it ended, and give what is wrong before any other command."""
    moment = max(moment, 0.01)
    started = time.monotonic()
    running = where.command(night, *(["--timeout", f"{moment:.3f}"] if way == "--timeout" else []))
    if way != "--timeout":
        time.sleep(moment)
        os.kill(running.pid, getattr(signal, way))
    code = running.wait()
    after = time.monotonic() - started - moment
    if code == 0:
        found.ways["done before"] += 1
    else:
        found.ways[way] += 1
        found.after.append(after)
        if code is None or after > LIMIT:
            yield f"took {after:.1f} s to end"
        early = {-signal.SIGTERM, 99} if moment < 0.3 else set()  # before the command hears signals
        if code != CODES[way] and code not in early:
            yield f"ended with {code}: {running.said.read_text()[-400:]}"
    yield from where.wrong_for_readers()


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20250127)
    given = parser.parse_args()
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background job ignores it, and so would the builds
    with tempfile.TemporaryDirectory() as place:
        found = kill_builds(given.rounds, given.seed, Path(place) / "all", tell=True)
    print(*found.wrong, sep="\n")
    print(found)
    raise SystemExit(1 if found.wrong else 0)


if __name__ == "__main__":
    main()
