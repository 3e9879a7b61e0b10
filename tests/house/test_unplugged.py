"""Nothing but ``fetch`` uses the network: each command runs while every connection is refused and noted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eventstudy.studyfile.starter import make_starter

pytestmark = pytest.mark.builds

ROOT = Path(__file__).parent.parent.parent
#: Loaded by every Python process below, kernels included: a look-up or a connection ends the attempt and is written down.
GUARD = """
import os, sys
def _guard(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        where = args[1] if event in ("socket.connect", "socket.sendto") else args[0]
        if isinstance(where, (str, bytes)) and event == "socket.connect":
            return  # a socket of the file system, between a notebook and its kernel
        with open(os.environ["NETWORK_NOTES"], "a") as notes:
            notes.write(f"{event} {where!r}\\n")
        raise OSError("unplugged")
sys.addaudithook(_guard)
"""
FORBIDDEN = r"\b(?:pickle|cPickle|marshal|shelve|dill|joblib\.load|yaml\.load|eval\(|exec\(|__import__\(|os\.system)"


def _own_network() -> list[str]:
    """A network namespace without any device, where the machine allows one; the guard alone elsewhere."""
    command = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
        return command
    return []


@pytest.fixture
def unplugged(tmp_path: Path):
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    notes = tmp_path / "notes.txt"
    notes.touch()
    home = tmp_path / "home"
    home.mkdir()
    path = os.pathsep.join([str(guard), str(ROOT / "src")])
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")  # for what is not Python
    environment = {**os.environ, **nowhere, "PYTHONPATH": path, "NETWORK_NOTES": str(notes), "HOME": str(home)}
    apart = _own_network()

    def call(*arguments: str) -> tuple[subprocess.CompletedProcess[str], str]:
        done = subprocess.run(
            [*apart, sys.executable, "-m", "eventstudy", *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        return done, notes.read_text(encoding="utf-8")

    return call


def test_all_commands_but_fetch_work_unplugged(unplugged, tmp_path: Path) -> None:
    for command in (("new", "mine"), ("run", "mine"), ("run", "mine", "--json"), ("build", "mine"), ("check", "mine")):
        done, notes = unplugged(*command)
        assert done.returncode == 0, (command, done.stderr)
        assert notes == "", (command, notes)
    assert (tmp_path / "mine" / "notebooks" / "notebook.html").is_file()


def test_fetch_unplugged_says_so_and_leaves_nothing(unplugged, tmp_path: Path) -> None:
    make_starter(tmp_path / "mine")
    before = sorted(p.name for p in (tmp_path / "mine").rglob("*"))
    done, _ = unplugged("fetch", "mine")
    assert done.returncode == 4, done.stderr
    assert "network" in done.stderr.lower()
    assert sorted(p.name for p in (tmp_path / "mine").rglob("*")) == before


def test_no_code_comes_from_data() -> None:
    import re

    for path in sorted((ROOT / "src" / "eventstudy").rglob("*.py")):
        found = re.search(FORBIDDEN, path.read_text(encoding="utf-8"))
        assert found is None, f"{path.name}: {found and found.group()}"


def test_the_guard_sees_a_connection(unplugged, tmp_path: Path) -> None:
    """The instrument itself: a notebook that asks for a host is noted."""
    make_starter(tmp_path / "mine")
    notebook = tmp_path / "mine" / "notebook.ipynb"
    text = notebook.read_text(encoding="utf-8")
    call = 'import socket\\n", "socket.create_connection((\\"localhost\\", 9))'
    assert "import eventstudy as es" in text
    notebook.write_text(text.replace('import eventstudy as es\\n"', f'{call}"'), encoding="utf-8")
    done, notes = unplugged("build", "mine")
    assert done.returncode == 3
    assert "localhost" in notes
