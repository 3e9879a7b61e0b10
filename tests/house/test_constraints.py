"""The pinned versions install on every Python that the project allows, from the oldest patch on."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

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
