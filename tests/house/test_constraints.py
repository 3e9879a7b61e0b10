"""The pinned versions install on every Python that the project allows, from the oldest patch on."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
OLDEST = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.name)
def test_a_pin_allows_the_oldest_python(pin: Requirement) -> None:
    # soupsieve 4 asks for 3.11.5; Debian 12 has 3.11.2, where pip then finds no version at all
    try:
        found = distribution(pin.name)
    except PackageNotFoundError:
        pytest.skip(f"{pin.name} is not needed on this system")
    needs = SpecifierSet(found.metadata.get("Requires-Python") or "")
    assert needs.contains(f"{OLDEST.removeprefix('>=')}.0"), f"{pin.name} {found.version} needs Python {needs}"


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.name)
def test_the_pinned_version_is_the_one_tested(pin: Requirement) -> None:
    try:
        found = distribution(pin.name)
    except PackageNotFoundError:
        pytest.skip(f"{pin.name} is not needed on this system")
    assert pin.specifier.contains(found.version, prereleases=True), f"{pin.name}: {found.version} is installed"


# -- Hashes beside the versions: what `make` installs is a file that was seen when the version was pinned.


FILES = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def entries(path: Path) -> dict[str, tuple[Requirement, list[str]]]:
    """The requirements of a file, by name, with the hashes of each."""
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    found = {}
    for entry in text.replace("\\\n", " ").splitlines():
        words, *hashes = entry.split("--hash=sha256:")
        requirement = Requirement(words)
        found[canonicalize_name(requirement.name)] = (requirement, [h.strip() for h in hashes])
    return found


def needed(extra: str) -> set[str]:
    names: set[str] = set()
    for line in PROJECT["optional-dependencies"][extra]:
        wanted = Requirement(line)
        own = canonicalize_name(wanted.name) == PROJECT["name"]
        names |= set().union(*map(needed, wanted.extras)) if own else {canonicalize_name(wanted.name)}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_version_with_hashes_is_the_pinned_one(path: Path) -> None:
    pinned = {canonicalize_name(p.name): p.specifier for p in PINS}
    found = entries(path)
    assert {name: r.specifier for name, (r, _) in found.items()} == {name: pinned[name] for name in found}
    for name, (_, hashes) in found.items():
        assert hashes, name
        assert all(re.fullmatch(r"[0-9a-f]{64}", h) for h in hashes), name


def test_the_files_hold_all_that_is_installed_and_no_address() -> None:
    assert [p.name for p in FILES] == ["report.txt", "test.txt", "uv.txt"]
    assert all("://" not in p.read_text(encoding="utf-8") for p in FILES)
    report, test, uv = (set(entries(p)) for p in FILES)
    always = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]} | {
        "hatchling",
        "editables",
    }
    assert always | needed("notebooks") | needed("pdf") <= report
    assert always | needed("dev") <= test
    assert uv == {"uv"}
    assert report | uv <= test
    assert test == {canonicalize_name(p.name) for p in PINS}


def test_make_installs_nothing_without_a_hash() -> None:
    lines = [line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if line.startswith("\t$(")]
    installs = [line for line in lines if line.startswith(("\t$(PIP)", "\t$(UV)")) or "pip install" in line]
    loose = [line for line in installs if "--require-hashes" not in line and "--resolution lowest-direct" not in line]
    assert loose == ["\t$(PIP) --no-build-isolation --editable .", "\t$(UV) --no-build-isolation --editable ."]
