"""The files for a schedule are valid, and every command in them exists with these options."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml

from eventstudy.cli import app
from eventstudy.studyfile.starter import make_starter, schedule_files

pytestmark = pytest.mark.builds

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs" / "schedule"
FILES = schedule_files("reports/my-event", "my-event")
COMMANDS = typer.main.get_command(app)


def commands(text: str) -> Iterator[list[str]]:
    """Every call of the command line in a text, without its redirections."""
    for found in re.finditer(r"(?:^|[\s/`])eventstudy ((?:build|check|fetch|diff|run|claims|new)\b[^\n`|&#]*)", text):
        yield shlex.split(re.split(r"\s2>>|\s>|;| {2,}", found[1])[0])


def parse(words: list[str]) -> None:
    """Parse a command line as typer would, without running it."""
    command = COMMANDS.commands[words[0]]
    with command.make_context(words[0], list(words[1:])):
        pass


def test_the_files_in_docs_are_those_that_a_new_study_gets(tmp_path):
    assert {p.name: p.read_text(encoding="utf-8") for p in DOCS.iterdir()} == FILES
    folder = make_starter(tmp_path / "my study")
    made = {p.name for p in (folder / "schedule").iterdir()}
    assert "eventstudy-my-study.timer" in made
    text = (folder / "schedule" / "crontab").read_text(encoding="utf-8")
    assert shlex.quote(folder.as_posix()) in text
    assert "@" not in text


@pytest.mark.parametrize("name", ["eventstudy-my-event.service", "crontab", "workflow.yml"])
def test_every_command_exists_with_these_options(name):
    found = list(commands(FILES[name]))
    assert found
    for words in found:
        parse(words)
    assert any("--timeout" in words for words in found)


@pytest.mark.parametrize("page", [ROOT / "docs" / "schedule.md", ROOT / "README.md"], ids=lambda p: p.name)
def test_every_command_in_the_docs_exists(page):
    found = list(commands(page.read_text(encoding="utf-8")))
    assert len(found) > 5
    for words in found:
        parse(words)


def test_a_wrong_option_would_be_seen():
    with pytest.raises(Exception, match="No such option"):
        parse(["build", "x", "--frobnicate"])


def test_the_units_are_what_systemd_reads(tmp_path):
    service, timer = FILES["eventstudy-my-event.service"], FILES["eventstudy-my-event.timer"]
    parsed = {}
    for name, text in (("service", service), ("timer", timer)):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read_string(text)
        parsed[name] = unit
    assert parsed["service"]["Service"]["Type"] == "oneshot"
    assert parsed["timer"]["Timer"]["Persistent"] == "true"
    assert parsed["timer"]["Timer"]["Unit"] == "eventstudy-my-event.service"
    limit = re.search(r"--timeout (\d+)", service)
    assert limit is not None
    assert int(limit[1]) < 40 * 60  # the command ends by itself before systemd ends it
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed; the units were only parsed")
    (tmp_path / "eventstudy-my-event.timer").write_text(timer)
    there = service.replace("%h/eventstudy/.venv/bin/eventstudy", sys.executable).replace(
        "%h/eventstudy", str(tmp_path)
    )
    (tmp_path / "eventstudy-my-event.service").write_text(there.replace("file:", "https://example.org/"))
    units = sorted(str(p) for p in tmp_path.glob("eventstudy-*"))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    command = ["systemd-analyze", "--user", "--man=no", "verify", *units]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    own = [line for line in done.stderr.splitlines() if "eventstudy-my-event" in line]
    assert own == []
    moment = parsed["timer"]["Timer"]["OnCalendar"]
    assert subprocess.run(["systemd-analyze", "calendar", moment], capture_output=True).returncode == 0


def test_the_crontab_line_has_five_fields_and_no_percent():
    (line,) = [line for line in FILES["crontab"].splitlines() if line and not line.startswith("#")]
    assert re.match(r"\d+ \d+ \S+ \S+ \S+ cd ", line)
    assert "%" not in line  # cron would end the command there
    done = subprocess.run(["sh", "-n", "-c", line.split(None, 5)[5]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_workflow_is_what_github_reads():
    flow = yaml.safe_load(FILES["workflow.yml"])
    assert flow[True]["schedule"][0]["cron"].count(" ") == 4  # YAML reads the key `on` as true
    (job,) = flow["jobs"].values()
    assert job["timeout-minutes"] <= 60
    steps = [s["run"] for s in job["steps"] if "run" in s]
    assert any(s.startswith("eventstudy build reports/my-event") for s in steps)
    assert any("--constraint constraints.txt" in s for s in steps)
    assert flow["permissions"] == {"contents": "read"}


def test_the_container_file_copies_what_there_is_and_runs_a_command_that_exists():
    text = FILES["Containerfile"]
    words = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert words is not None
    parse(yaml.safe_load(words[1]))
    assert re.search(r"^ENTRYPOINT \[\"eventstudy\"\]$", text, re.MULTILINE)
    for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
