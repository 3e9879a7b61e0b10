"""A folder from a stranger, hostile in every way at once, built and published: nothing is written elsewhere, nothing live is published."""

from __future__ import annotations

import csv
import hashlib
import html
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import mistune
import pytest

from eventstudy.files import file_sha256
from eventstudy.report.builds import manifest
from eventstudy.studyfile.starter import notebook_text

pytestmark = [pytest.mark.builds, pytest.mark.slow]

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"
LINK = "[free money](https://evil.example/x) ![](https://evil.example/y.png) www.evil.example"
STUDY = """
title = 'A study %(attack)s'
event = '%(attack)s %(link)s'
notebooks = ["hostile.ipynb"]
claims = "claims.toml"

[prices]
source = "snapshot"

[model]
benchmark = "^GSPC"
report = [[0, 0], [0, 1]]

[publish]
folder = "../public/two"
auto = true
"""
CLAIMS = """
[articles.x]
title = '%(attack)s %(link)s'

[[claims]]
id = "=cmd()"
quote = 'Nvidia fell 17%% %(attack)s %(link)s'
article = "x"
kind = "size"
asset = "NVDA"
date = 2025-01-27
says = "fell"
value = 17
unit = "percent"
"""
#: What the cells of the notebook show: markup, formulas, addresses, escapes, and 50 MB.
CELLS = (
    ("markdown", f"# {ATTACK}\n\n<iframe src='https://evil.example'></iframe> <base href='https://evil.example'>"),
    ("code", f"from IPython.display import HTML, SVG, Javascript\nHTML({ATTACK!r} + '<a href=\"javascript:1\">a</a>')"),
    ("code", "Javascript('alert(3)')"),
    ("code", 'SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(4)"><script>alert(5)</script></svg>\')'),
    ("code", "print('\\x1b[31m' + 'x' * 50_000_000)"),
)


def hostile(study: Path, outside: Path) -> None:
    """Make the folder: journals, links, a page with its manifest, markup, formulas."""
    (study / "study.toml").write_text(STUDY % {"attack": ATTACK, "link": LINK}, encoding="utf-8")
    (study / "events.csv").write_text(
        f'ticker,date,label\nNVDA,2025-01-27,"=cmd()|\'/C calc\'!A0 {LINK}"\nMETA,2025-01-27,"@SUM(1) {ATTACK}"\n',
        encoding="utf-8",
    )
    (study / "claims.toml").write_text(CLAIMS % {"attack": ATTACK, "link": LINK}, encoding="utf-8")
    (study / "hostile.ipynb").write_text(notebook_text(CELLS), encoding="utf-8")
    ready = study / ".build" / "ready"
    (ready / "keys").mkdir(parents=True)
    (study / "keys").symlink_to(outside / ".ssh")
    (ready / "keys" / "authorized_keys").write_text("stranger's")
    (ready / "index.html").write_text(ATTACK)
    (study / ".build" / "staging-old").symlink_to(outside)
    page = study / "index.html"
    page.write_text(ATTACK)
    (study / "numbers.json").symlink_to(outside / "secret.json")
    (study / "last_final.json").symlink_to(outside / "secret.json")
    outputs = {"index.html": file_sha256(page), "../outside/secret.json": "0", "figures/../../outside/secret.json": "0"}
    record = {
        "format": manifest.FORMAT,
        "environment": {},
        "inputs": {},
        "outputs": {"index.html": outputs["index.html"]},
    }
    for place, given in ((study, {**record, "outputs": outputs}), (ready, record)):
        (place / manifest.FILE).write_text(json.dumps(given), encoding="utf-8")


def tree(root: Path, but: tuple[Path, ...]) -> dict[str, str]:
    """Every file, folder and link below a folder, with what it holds and its times."""
    found = {}
    for path in sorted(root.rglob("*")):
        if any(path == b or path.is_relative_to(b) for b in but):
            continue
        facts = path.lstat()
        held = (
            os.readlink(path)
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else ""
        )
        found[str(path)] = f"{held} {facts.st_mode:o} {0 if path.is_dir() else facts.st_mtime_ns}"
    return found


def live(page: str) -> Iterator[str]:
    """Give the elements and attributes of a page that run or load something."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in {"script", "iframe", "base", "object", "embed", "form", "input"}:
                found.append(f"<{tag}>")
            for name, value in attrs:
                loads = name in {"src", "srcset", "poster", "data"} and not re.match(
                    r"data:image/|figures/|$", value or ""
                )
                runs = name.startswith("on") or (value or "").strip().lower().startswith(("javascript:", "vbscript:"))
                if loads or runs:
                    found.append(f'<{tag} {name}="{(value or "")[:60]}">')

    Reader().feed(page)
    yield from found


@pytest.fixture
def short_folder():
    """A folder for temporary files: sockets of kernels lie there, and their names may not be long."""
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


def test_a_hostile_folder_writes_nothing_elsewhere_and_publishes_nothing_live(tmp_path, short_folder):
    study, public, outside, home = (tmp_path / n for n in ("reports/two", "reports/public", "outside", "home"))
    temporary = short_folder
    for folder in (study, outside / ".ssh", home):
        folder.mkdir(parents=True)
    (outside / ".ssh" / "authorized_keys").write_text("mine")
    (outside / "secret.json").write_text('{"secret": 1}')
    hostile(study, outside)
    own = (
        study,
        public,
        home / ".local" / "state" / "eventstudy",
        home / ".ipython",
        home / ".cache",
        home / ".config",
    )
    before = tree(tmp_path, own)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")}
    environment = {**kept, "HOME": str(home), "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "eventstudy", "build", str(study), "--accept-changes", "first build"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stderr
    after = tree(tmp_path, own)
    assert {k: v for k, v in after.items() if before.get(k) != v} == {
        str(home / ".local"): after[str(home / ".local")],
        str(home / ".local" / "state"): after[str(home / ".local" / "state")],
    }
    assert before.keys() <= after.keys()
    assert list(temporary.iterdir()) == []
    assert not {"\x1b", "\x9b"} & set(done.stderr + done.stdout)
    version = public / "two" / "versions" / "0001"
    page = (public / "two" / "current" / "index.html").read_text(encoding="utf-8")
    assert "Nvidia fell 17% &lt;script&gt;alert(1)" in html.unescape(page).replace("<", "&lt;").replace(
        ">", "&gt;"
    )  # the claims were read
    for page in (*version.rglob("*.html"), public / "two" / "versions.html"):
        assert list(live(page.read_text(encoding="utf-8"))) == [], page.name
        assert page.stat().st_size < 20_000_000, page.name
    read = mistune.create_markdown(escape=False, plugins=["table", "url", "strikethrough"])
    for table in version.rglob("*.md"):
        shown = str(read(table.read_text(encoding="utf-8")))
        assert set(re.findall(r"<(\w+)", shown)) <= {"table", "thead", "tbody", "tr", "th", "td"}, table.name
    for table in version.rglob("*.csv"):
        if table.name == "events.csv":  # the study's own file, published as it is
            continue
        for row in csv.reader(table.read_text(encoding="utf-8").splitlines()):
            assert not any(re.match(r"[=@]|[+-](?![\d.])", cell) for cell in row), (table.name, row)
