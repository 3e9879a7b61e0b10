"""The files for a schedule are valid, and every command in them exists with these options."""

from __future__ import annotations

import configparser
import json
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
from eventstudy.errors import ExitCode
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
    parsed = {"service": read_unit(service), "timer": read_unit(timer)}
    assert parsed["service"]["Service"]["Type"] == "oneshot"
    assert parsed["timer"]["Timer"]["Persistent"] == "true"
    assert parsed["timer"]["Timer"]["Unit"] == "eventstudy-my-event.service"
    limit = re.search(r"--timeout (\d+)", service)
    assert limit is not None
    assert int(limit[1]) < 40 * 60  # the command ends by itself before systemd ends it
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed; the units were only parsed")
    assert unit_complaints(FILES, tmp_path) == []
    moment = parsed["timer"]["Timer"]["OnCalendar"]
    assert subprocess.run(["systemd-analyze", "calendar", moment], capture_output=True).returncode == 0


def unit_complaints(files: dict[str, str], folder: Path) -> list[str]:
    """Return what systemd-analyze says of the units, which lie where the paths in them exist."""
    for name, text in files.items():
        if name.endswith((".service", ".timer")):
            there = text.replace("%h/eventstudy/.venv/bin/eventstudy", sys.executable).replace("%h/eventstudy", "/tmp")  # noqa: S108
            (folder / name).write_text(there.replace("file:", "https://example.org"))
    units = sorted(str(p) for p in folder.glob("eventstudy-*"))
    assert len(units) == 3
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
    command = ["systemd-analyze", "--user", "--man=no", "verify", *units]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    return [line for line in done.stderr.splitlines() if "eventstudy-" in line]


def read_unit(text: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(text)
    return unit


def test_the_unit_tries_again_what_may_pass_and_nothing_else():
    """Of the codes that a command ends with, `LATER` alone is left to Restart=on-failure; a person is told of the others at once."""
    unit = read_unit(FILES["eventstudy-my-event.service"])
    assert unit["Service"]["Restart"] == "on-failure"
    not_again = {int(code) for code in unit["Service"]["RestartPreventExitStatus"].split()}
    assert set(ExitCode) - not_again == {ExitCode.DONE, ExitCode.LATER}
    told_by = unit["Unit"]["OnFailure"]
    assert "Restart" not in read_unit(FILES[told_by])["Service"]
    assert "eventstudy-my-event.service" in read_unit(FILES[told_by])["Service"]["ExecStart"]


@pytest.mark.skipif(shutil.which("sh") is None, reason="a system without sh")
def test_what_the_person_is_told_is_the_last_error(tmp_path):
    """The command of the unit that tells, run with a journal and a mail program that stand in."""
    text = read_unit(FILES["eventstudy-my-event-failed.service"])["Service"]["ExecStart"]
    command = shlex.split(text)
    assert command[:2] == ["/bin/sh", "-c"]
    log = [
        {"level": "error", "message": "Yahoo gave no usable prices"},
        {"level": "info", "message": "up to date", "exit_code": 3},
    ]
    (tmp_path / "log").write_text("".join(json.dumps(line) + "\n" for line in log))
    stub(tmp_path / "journalctl", f'cat "{tmp_path}/log"')
    stub(tmp_path / "mail", f'cat > "{tmp_path}/mailed"; echo "$@" > "{tmp_path}/words"')
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TO": "me@example.org"}
    subprocess.run(command, env=environment, check=True)
    assert json.loads((tmp_path / "mailed").read_text()) == log[0]
    assert (tmp_path / "words").read_text() == "-s eventstudy-my-event: a build failed me@example.org\n"


def stub(path: Path, text: str) -> None:
    """Put a program in the place of another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


ODD = "reports/50%'s $HOME \\ a"
CODES = [
    ([0], [0], ""),
    ([4, 4, 0], [0, 1200, 1200], ""),
    ([4, 4, 4, 4, 0], [0, 1200, 1200, 1200], "exit 4"),
    ([4, 1, 0], [0, 1200], "exit 1"),
    *(([code, 0], [0], f"exit {code}") for code in (1, 2, 3, 70, 143)),
]


@pytest.mark.skipif(shutil.which("sh") is None, reason="a system without sh")
@pytest.mark.parametrize(("codes", "waits", "said"), CODES)
@pytest.mark.parametrize("study", ["reports/my-event", ODD], ids=["plain", "odd"])
def test_the_line_of_cron_tries_again_what_may_pass_and_nothing_else(tmp_path, study, codes, waits, said):
    """Run as cron does: of each percent sign with a backslash the backslash is taken, and sh is given the line."""
    (line,) = cron_lines(schedule_files(study, "my-event"))
    command = line.split(None, 5)[5]
    assert "%" not in command.replace("\\%", "")
    project = tmp_path / "eventstudy"
    left = tmp_path / "codes"
    left.write_text("".join(f"{code}\n" for code in codes))
    take = f'code=$(head -n 1 "{left}"); sed -i 1d "{left}"; exit "$code"'
    stub(
        project / ".venv" / "bin" / "eventstudy",
        f'printf "%s" "$2" > "{tmp_path}/asked"; echo page; echo line >&2; {take}',
    )
    stub(tmp_path / "bin" / "sleep", f'echo "$1" >> "{tmp_path}/waits"')
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("\\%", "%")], env=environment, cwd="/", capture_output=True, text=True
    )
    assert (tmp_path / "asked").read_text() == study
    assert [int(n) for n in (tmp_path / "waits").read_text().split()] == waits
    assert done.stderr == ""
    assert done.stdout == (f"{said}: see eventstudy-my-event.log\n" if said else "")
    assert (project / "eventstudy-my-event.log").read_text() == "line\n" * len(waits)


def cron_lines(files: dict[str, str]) -> list[str]:
    return [line for line in files["crontab"].splitlines() if line and not line.startswith("#")]


def test_a_name_with_signs_of_other_languages_stands_in_every_file_as_it_is(tmp_path):
    files = schedule_files(ODD, ODD)
    flow = yaml.safe_load(files["workflow.yml"])
    (job,) = flow["jobs"].values()
    runs = [shlex.split(step["run"]) for step in job["steps"] if step.get("run", "").startswith("eventstudy")]
    assert [words[2] for words in runs] == [ODD, ODD]
    assert flow[True]["push"]["paths"] == [f"{ODD}/**"]
    assert job["steps"][-1]["with"]["path"] == ODD
    words = re.search(r"^CMD (\[.*\])$", files["Containerfile"], re.MULTILINE)
    assert words is not None
    assert json.loads(words[1])[1] == ODD
    (unit,) = [text for name, text in files.items() if name.endswith(".service") and "failed" not in name]
    start = read_unit(unit)["Service"]["ExecStart"].replace("%%", "%").replace("$$", "$").replace("\\\\", "\\")
    assert shlex.split(start)[2] == ODD
    if shutil.which("systemd-analyze") is not None:
        assert unit_complaints(files, tmp_path) == []


def test_the_crontab_line_has_five_fields_and_no_percent():
    (line,) = cron_lines(FILES)
    assert re.match(r"\d+ \d+ \S+ \S+ \S+ cd ", line)
    assert "%" not in line  # cron would end the command there
    done = subprocess.run(["sh", "-n", "-c", line.split(None, 5)[5]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_workflow_is_what_github_reads():
    flow = yaml.safe_load(FILES["workflow.yml"])
    assert flow[True]["schedule"][0]["cron"].count(" ") == 4  # YAML reads the key `on` as true
    (job,) = flow["jobs"].values()
    assert job["timeout-minutes"] <= 60
    steps = [s["run"].strip() for s in job["steps"] if "run" in s]
    assert any(s.startswith("eventstudy build reports/my-event") for s in steps)
    assert [s for s in steps if "pip install" in s] == [s.replace("--no-cache-dir ", "") for s in container_installs()]
    assert flow["permissions"] == {"contents": "read"}


def container_installs():
    return re.findall(r"^RUN (python -m pip install .*)$", FILES["Containerfile"], re.MULTILINE)


def test_every_file_that_is_installed_has_a_hash():
    libraries, own = (shlex.split(line) for line in container_installs())
    assert {"--no-deps", "--require-hashes", "--no-cache-dir"} <= {*libraries}
    assert {"--no-deps", "--no-build-isolation", "."} <= {*own}  # else pip would fetch what builds it, without a hash
    listed = (ROOT / libraries[-1]).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\w)", "\n".join(x for x in listed.splitlines() if not x.startswith("#")))
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    names = {entry.partition("==")[0].lower() for entry in entries}
    assert {"hatchling", "pandas", "nbclient", "nh3", "typst"} <= names
    shown = (ROOT / "docs" / "schedule.md").read_text(encoding="utf-8")
    for words in (libraries, own):
        plain = shlex.join(w for w in words if w != "--no-cache-dir").replace("python -m", "-m")
        assert f".venv/bin/python {plain}" in shown


def test_the_container_file_copies_what_there_is_and_runs_a_command_that_exists():
    text = FILES["Containerfile"]
    words = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert words is not None
    parse(yaml.safe_load(words[1]))
    assert re.search(r"^ENTRYPOINT \[\"eventstudy\"\]$", text, re.MULTILINE)
    for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
