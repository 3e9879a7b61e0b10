"""The nights of docs/schedule.md, one after the other: the real command and client, a clock of their own, a server in Yahoo's place."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yahoo_server as ys

import eventstudy
from eventstudy.studyfile.starter import notebook_text

pytestmark = [pytest.mark.builds, pytest.mark.slow]

ROOT = Path(__file__).parent.parent.parent
#: What Python starts with on these nights.
NIGHT = ROOT / "tests" / "helpers" / "night"
COMMAND = ["build", "reports/my-event", "--fetch", "--timeout", "1800", "--log-format", "json"]
FIRST, SESSIONS, EVENT_DAY = "2025-02-18", 38, 24  # weekdays without a holiday; the event is on 24 March
#: When the first night's command runs: half past six in New York, after the close.
MONDAY = pd.Timestamp("2025-03-31 22:30", tz="UTC")
STUDY = """
title = "Two firms"
event = "some news"
notebooks = []

[prices]
source = "yahoo"
max_age = "7d"

[model]
benchmark = "^IDX"
estimation = [-14, -3]
window = [-1, 5]
report = [[0, 0], [0, 1]]
min_estimation = 10

[publish]
folder = "../../public/{name}"
auto = true
"""
NOTEBOOK = (("code", "from pathlib import Path\nprint(Path(STUDY, 'events.csv').read_text())"),)


@dataclass(frozen=True)
class Row:
    """What the table says of a night."""

    night: str
    published: str
    code: int
    log: str
    to_do: str

    @property
    def versions(self) -> dict[str, str]:
        found = re.findall(r"version (\d+)(?: of `([\w-]+)`)?", self.published)
        return {name or "my-event": f"versions/{int(number):04d}" for number, name in found}

    @property
    def log_patterns(self) -> list[str]:
        """The messages, as patterns: … stands for anything."""
        return [".*".join(map(re.escape, words.split("…"))) for words in re.findall(r"`([^`]+)`", self.log)]

    @property
    def commands(self) -> list[list[str]]:
        return [shlex.split(words) for words in re.findall(r"`eventstudy ([^`]+)`", self.to_do)]


def rows() -> list[Row]:
    text = (ROOT / "docs" / "schedule.md").read_text(encoding="utf-8")
    table = text.partition("| night |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table]
    return [Row(night, published, int(code), log, to_do) for night, published, code, log, to_do in cells]


@dataclass
class Outcome:
    code: int
    lines: list[dict[str, object]]
    versions: dict[str, str]
    #: Exit codes of the commands that the table's last column gives, run by day.
    by_day: list[int] = field(default_factory=list)


def made_closes(seed: int, on_the_day: float) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0, 0.01, SESSIONS)
    steps[EVENT_DAY] = on_the_day
    return np.round(100 * np.exp(np.cumsum(steps)), 2)


@dataclass
class World:
    """A project's folder, the clock, the prices that Yahoo serves, and what becomes of them."""

    root: Path
    server: ys.YahooServer
    small_disk: bool
    clock: pd.Timestamp = MONDAY
    online: bool = True
    full: bool = False
    command: list[str] = field(default_factory=lambda: COMMAND)
    closes: dict[str, np.ndarray] = field(
        default_factory=lambda: {
            "AAA": made_closes(1, -0.08),
            "BBB": made_closes(2, 0.001),
            "CCC": made_closes(4, 0.05),
            "^IDX": made_closes(3, 0.002),
        }
    )
    out: dict[str, Outcome] = field(default_factory=dict)

    @property
    def study(self) -> Path:
        return self.root / "reports" / "my-event"

    def write(self, name: str, old: str, new: str) -> None:
        path = self.root / "reports" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def make(self, name: str, tickers: tuple[str, ...], more: str = "") -> None:
        folder = self.root / "reports" / name
        folder.mkdir(parents=True)
        (folder / "events.csv").write_text("ticker,date\n" + "".join(f"{t},2025-03-24\n" for t in tickers))
        (folder / "study.toml").write_text(more + STUDY.format(name=name))

    def serve(self, late: str = "") -> None:
        """Serve each share's bars up to today; of one that is late up to the day before."""
        day = self.clock.tz_localize(None).normalize()
        self.server.answers.clear()
        for ticker, closes in self.closes.items():
            table = ys.bars(FIRST, list(closes))
            table = table[table.index <= day].iloc[: -1 if ticker == late else None]
            self.server.answers[ticker] = ys.answer(
                ys.chart(ticker, table, now=f"{day:%Y-%m-%d} 16:00:01", more={"exchangeName": "NYQ"})
            )

    def restate(self, ticker: str, day: int, factor: float, last: int | None = None) -> None:
        """Change the closes of a share, from a session to another."""
        self.closes[ticker] = self.closes[ticker].copy()
        self.closes[ticker][day : day + 1 if last is None else last] *= factor
        self.serve()

    def run(self, words: list[str]) -> Outcome:
        """Run the command as cron or systemd would, in a process of its own."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root.parent / "home"),
            "PYTHONPATH": os.pathsep.join([str(NIGHT), str(Path(eventstudy.__file__).parent.parent)]),
            "NIGHT_CLOCK": self.clock.isoformat(),
            "NIGHT_YAHOO": str(self.server.port) if self.online else "9",
            "OPENBLAS_NUM_THREADS": "1",  # as in the unit
            "NIGHT_PLAIN": "1",
            **({"NIGHT_FULL": "1"} if self.full and not self.small_disk else {}),
        }
        command = [sys.executable, "-m", "eventstudy", *words]
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=120)
        lines = [json.loads(line) for line in done.stderr.splitlines()] if "json" in words else []
        links = sorted((self.root / "public").glob("*/current"))
        return Outcome(done.returncode, lines, {p.parent.name: os.readlink(p) for p in links})

    def fill_disk(self) -> None:
        """Leave no room on the disk of the project."""
        self.full = True
        if self.small_disk:
            with (self.root / "filler").open("wb", buffering=0) as file:
                try:
                    while file.write(bytes(4096)):
                        pass
                except OSError:
                    pass

    def make_room(self) -> None:
        self.full = False
        (self.root / "filler").unlink(missing_ok=True)

    def message(self, pattern: str) -> re.Match[str]:
        """Find what the last night's log says."""
        last = list(self.out.values())[-1]
        return next(m for line in last.lines if (m := re.search(pattern, str(line["message"]))))


# -- The nights: what happens before the command runs; what is returned is what the person who is woken does.


Mend = Callable[[], object] | None
NIGHTS: dict[str, Callable[[World], Mend]] = {}


def night(name: str) -> Callable[[Callable[[World], Mend]], Callable[[World], Mend]]:
    return lambda prepare: NIGHTS.setdefault(name, prepare)


@night("All is well; `later` is embargoed")
def _(world: World) -> Mend:
    world.clock = MONDAY
    world.command = ["build", *COMMAND[2:]]
    world.serve()
    return lambda: setattr(world, "command", COMMAND)


@night("The last bar is not there yet")
def _(world: World) -> Mend:
    world.serve(late="AAA")
    return None


@night("The same night, 20 minutes later")
def _(world: World) -> Mend:
    world.clock += pd.Timedelta(minutes=20) - pd.Timedelta(days=1)
    world.serve()
    return None


@night("Prices of the past are restated")
def _(world: World) -> Mend:
    world.restate("AAA", 15, 1.003)
    return None


@night("The disk is full")
def _(world: World) -> Mend:
    world.restate("AAA", 16, 1.002)
    world.fill_disk()
    return world.make_room


@night("Yahoo is down")
def _(world: World) -> Mend:
    world.online = False
    return None


@night("Yahoo has been down for longer than `max_age`")
def _(world: World) -> Mend:
    world.clock += pd.Timedelta(days=8)
    return lambda: setattr(world, "online", True)


@night("A conclusion would flip")
def _(world: World) -> Mend:
    world.restate("AAA", EVENT_DAY, float(np.exp(0.08)), SESSIONS)
    return None


@night("The clock is 30 days ahead, and a price is restated")
def _(world: World) -> Mend:
    world.restate("AAA", 17, 1.002)
    world.clock += pd.Timedelta(days=30)
    return lambda: setattr(world, "clock", world.clock - pd.Timedelta(days=30))


@night("The clock is right again")
def _(world: World) -> Mend:
    world.serve()

    def move_away() -> None:
        name = world.message(r"yahoo-\d{8}T\d{6}Z")[0]
        away = world.root / "away"
        away.mkdir()
        moved = [shutil.move(p, away) for p in (world.study / "prices").glob(f"{name}*")]
        assert len(moved) == 2

    return move_away


@night("A symbol was renamed")
def _(world: World) -> Mend:
    world.closes["BBBX"] = world.closes.pop("BBB")
    world.serve()
    world.server.answers["BBB"] = world.server.answers["BBBX"]
    return lambda: world.write("my-event/events.csv", "BBB,", "BBBX,")


@night("A ticker is delisted, and the title was edited by day")
def _(world: World) -> Mend:
    world.serve()
    del world.server.answers["BBBX"]
    world.write("my-event/study.toml", "Two firms", "Two other firms")

    def keep() -> None:
        world.write("my-event/study.toml", 'max_age = "7d"', world.message(r'vintage = "[^"]+"')[0])

    return keep


@night("An embargo ends, and Yahoo is down")
def _(world: World) -> Mend:
    world.online = False
    world.command = ["build", "reports/later", *COMMAND[2:]]
    return lambda: setattr(world, "online", True)


@night("Two studies, one with a typing error")
def _(world: World) -> Mend:
    world.command = ["build", *COMMAND[2:]]
    world.restate("CCC", 18, 1.002)
    world.write("my-event/study.toml", "[model]", "[modle]")
    return lambda: world.write("my-event/study.toml", "[modle]", "[model]")


@night("The next night")
def _(world: World) -> Mend:
    return None


# -- The whole time once, and each row held against it.


@contextmanager
def project(root: Path) -> Iterator[World]:
    """A project with two studies, on a small disk of its own where one can be mounted."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(root)]
    small = shutil.which("mount") is not None and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        with ys.YahooServer() as server:
            world = World(root, server, small)
            world.make("my-event", ("AAA", "BBB"))
            world.make("later", ("CCC",), 'embargo_until = "2025-04-18T06:00-04:00"\n')
            world.write("later/study.toml", "notebooks = []\n", "")
            world.write("later/study.toml", 'max_age = "7d"\n', "")
            (root / "reports" / "later" / "own.ipynb").write_text(notebook_text(NOTEBOOK), encoding="utf-8")
            yield world
    finally:
        if small:
            subprocess.run(["umount", "-l", str(root)], check=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with project(tmp_path_factory.mktemp("project")) as world:
        live(world)
        yield world


def live(world: World) -> None:
    """Run every night of the table, and by day what its last column says."""
    for row in rows():
        if row.night not in NIGHTS:
            continue
        world.clock += pd.Timedelta(days=1)
        mend = NIGHTS[row.night](world)
        world.out[row.night] = world.run(world.command)
        if mend is not None:
            mend()
        for words in row.commands:
            world.out[row.night].by_day.append(world.run(words).code)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.night)
def test_the_night_is_what_the_table_says(world: World, row: Row) -> None:
    out = world.out[row.night]
    told = "\n".join(f"{line['level']}: {line['message']}" for line in out.lines if line["level"] != "debug")
    assert out.code == row.code, told
    assert out.lines[-1]["exit_code"] == row.code, told
    assert row.versions.items() <= out.versions.items(), told
    for pattern in row.log_patterns:
        assert any(re.fullmatch(pattern, str(line["message"]), re.DOTALL) for line in out.lines), (pattern, told)
    assert any(line["level"] == "error" for line in out.lines) is (row.code != 0), told
    assert out.by_day == [int(words[0] == "diff") for words in row.commands]  # which says that something differs


def test_the_table_holds_every_night_and_wakes_nobody_for_what_passes() -> None:
    table = rows()
    assert [row.night for row in table] == list(NIGHTS)
    assert {row.code for row in table} == {0, 1, 2, 3, 4}
    for row in table:
        assert row.to_do.startswith("nothing") is (row.code in (0, 4)), row.night
