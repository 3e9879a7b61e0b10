"""Two builds of one study come out equal byte for byte: other folder, home, locale, zone, processor features, threads."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eventstudy.studyfile.starter import make_starter

pytestmark = pytest.mark.builds

BUILD = """
import os, sys
os.umask(int(sys.argv[2], 8))
sys.argv = ["eventstudy", "build", sys.argv[1]]
from eventstudy.cli import main
main()
"""


def files(folder: Path) -> dict[str, Path]:
    return {
        p.relative_to(folder).as_posix(): p
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != ".build.lock"
    }


def optional_features() -> str:
    """The vector instructions that numpy uses here and can do without."""
    core = np._core._multiarray_umath  # type: ignore[attr-defined]
    return " ".join(f for f in core.__cpu_dispatch__ if core.__cpu_features__.get(f))


def run(folder: Path, cwd: Path, umask: str, **environment: str) -> None:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")}
    kept["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p and Path(p).is_dir())
    command = [sys.executable, "-c", BUILD, str(folder), umask]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**kept, **environment})
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_builds_are_equal_byte_for_byte(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "study", tmp_path / "b" / "other place" / "study"
    make_starter(first)
    shutil.copytree(first, second)
    for home in ("anna", "bela"):
        (tmp_path / home).mkdir()
    run(
        first,
        tmp_path,
        "022",
        HOME=str(tmp_path / "anna"),
        LC_ALL="C.UTF-8",
        TZ="America/New_York",
        PYTHONHASHSEED="1",
        OPENBLAS_NUM_THREADS="1",
    )
    run(
        Path("."),
        second,
        "077",
        HOME=str(tmp_path / "bela"),
        LC_ALL="tr_TR.UTF-8",
        LANG="de_DE.UTF-8",
        TZ="Asia/Kathmandu",
        PYTHONHASHSEED="4711",
        OPENBLAS_NUM_THREADS="2",
        OPENBLAS_CORETYPE="Nehalem",
        NPY_DISABLE_CPU_FEATURES=optional_features(),
        MPLBACKEND="svg",
    )
    one, two = files(first), files(second)
    assert set(one) == set(two)
    assert {"index.html", "numbers.json", "notebooks/notebook.html", "figures/event_day.svg"} <= set(one)
    assert [name for name in one if not filecmp.cmp(one[name], two[name], shallow=False)] == []
    built = [p for name, p in two.items() if name.startswith(("figures", "tables", "index", "numbers"))]
    assert {stat.S_IMODE(p.stat().st_mode) for p in built} == {0o644}
    figures = [path for name, path in two.items() if name.startswith("figures/") and path.suffix in (".svg", ".txt")]
    assert len(figures) > 8
    for path in (*figures, two["index.html"], two["notebooks/notebook.html"]):
        assert "DRAFT" in path.read_text(encoding="utf-8"), path.name  # as every new study
    recorded = json.loads(two["manifest.json"].read_text(encoding="utf-8"))["outputs"]
    for path in (two["manifest.json"], *(two[name] for name in recorded)):
        text = path.read_bytes()
        for trace in (str(tmp_path), "Kathmandu", "bela"):
            assert trace.encode() not in text, f"{path.name} holds {trace}"
