"""A distribution called eventstudy, which is another project, installed over eventstudy-finance is noticed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import eventstudy

MENDED_BY = "pip uninstall eventstudy; pip install --force-reinstall eventstudy-finance"
ROOT = Path(eventstudy.__file__).parent
PARTS = ("__init__.py", "__init__.pyi", "cli.py", "console.py", "ending.py", "errors.py", "wording.py")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages with what of this one a command needs before it does anything."""
    package = tmp_path / "site" / "eventstudy"
    package.mkdir(parents=True)
    for name in PARTS:
        shutil.copy(ROOT / name, package / name)
    (package.parent / "eventstudy_finance-0.1.0.dist-info").mkdir()
    return package.parent


def install_namesake(site: Path, later: bool) -> None:
    """Put its record beside ours, and over our face its own if it came later."""
    (site / "eventstudy-0.1a12.dist-info").mkdir()
    (site / "eventstudy" / "single.py").write_text("class Single: ...\n", encoding="utf-8")
    if later:
        face = '__version__ = "0.1a12"\nfrom .single import Single\n'
        (site / "eventstudy" / "__init__.py").write_text(face, encoding="utf-8")


def python(site: Path, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{code}", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_alone_nothing_is_said(site: Path) -> None:
    done = python(site, "import eventstudy; from eventstudy.cli import main; main()", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{eventstudy.__version__}\n", "")


def test_import_says_what_to_do_if_ours_came_later(site: Path) -> None:
    install_namesake(site, later=False)
    done = python(site, "import eventstudy; print(eventstudy.__version__)")
    assert (done.returncode, done.stdout) == (0, f"{eventstudy.__version__}\n")
    assert "<string>:2: UserWarning: Another distribution, called eventstudy," in done.stderr
    assert MENDED_BY in done.stderr


@pytest.mark.parametrize("words", [(), ("--help",), ("--version",), ("run", "reports/deepseek")])
def test_the_command_says_what_to_do_if_its_face_was_replaced(site: Path, words: tuple[str, ...]) -> None:
    install_namesake(site, later=True)
    done = python(site, "from eventstudy.cli import main; main()", *words)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("eventstudy: error: Another distribution, called eventstudy, has put its files among")
    assert done.stderr.endswith(f"{MENDED_BY}\n")


def test_the_command_says_so_in_json_if_asked_for(site: Path) -> None:
    install_namesake(site, later=True)
    done = python(site, "from eventstudy.cli import main; main()", "build", "--log-format", "json")
    line = json.loads(done.stderr)
    assert (line["level"], line["exit_code"]) == ("error", 3)
    assert MENDED_BY in line["message"]
