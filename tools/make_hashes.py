"""Write requirements/*.txt: what `make` installs, with the hashes of every file of each version that constraints.txt pins.

    python tools/make_hashes.py        # after a change of constraints.txt or of the dependencies in pyproject.toml; needs uv
    python tools/make_hashes.py --check

The versions are those of constraints.txt alone; the files hold for every system and for Python 3.11 and newer, and no address.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "requirements"
#: What builds the project itself, editable.
BUILD = ["hatchling", "editables"]
#: By file: the extras of the project, and what is needed beside them.
FILES = {"report": (["notebooks", "pdf"], BUILD), "test": (["dev"], [*BUILD, "uv"]), "uv": ([], ["uv"])}
OPTIONS = [
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
]
OPTIONS += ["--no-emit-find-links", "--quiet"]
HEADER = "# Written by tools/make_hashes.py from constraints.txt; not to be edited.\n"


def requirements(extras: list[str], more: list[str]) -> str:
    """The project's own requirements, without the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"]) if extras else []
    left = list(extras)
    while left:
        for line in project["optional-dependencies"][left.pop()]:
            own = re.fullmatch(rf"{re.escape(project['name'])}\[(.+)\]", line)
            if own:
                left += own[1].split(",")
            else:
                wanted.append(line)
    return "\n".join([*wanted, *more]) + "\n"


def written(extras: list[str], more: list[str]) -> str:
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "asked.in"
        asked.write_text(requirements(extras, more), encoding="utf-8")
        command = [uv, "pip", "compile", str(asked), "--constraint", str(ROOT / "constraints.txt"), *OPTIONS]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "://" in text:
        raise SystemExit("An address stands among the requirements.")
    pinned = set((ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-").splitlines())
    missing = [
        pin
        for pin in re.findall(r"^[\w.-]+==[^\s;]+", text, re.MULTILINE)
        if pin.lower().replace("_", "-") not in pinned
    ]
    if missing:
        raise SystemExit(f"Not in constraints.txt; add: {' '.join(missing)}")
    return HEADER + text


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    stale = []
    for name, asked in FILES.items():
        path, text = FOLDER / f"{name}.txt", written(*asked)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    print(f"out of date: {', '.join(stale)}" if stale else "as constraints.txt says")
    raise SystemExit(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    main()
