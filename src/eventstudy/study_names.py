"""Names in a study: of its notebooks, and of the parameters that they are given. Imports nothing heavy."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from pathlib import Path


def own_notebooks(folder: Path) -> tuple[str, ...]:
    """Return the names of the notebooks that lie in a study's folder, in alphabetical order."""
    try:
        return tuple(sorted(p.name for p in folder.iterdir() if p.suffix == ".ipynb" and p.is_file()))
    except OSError:
        return ()


def check_notebook_names(names: Iterable[str]) -> None:
    """Refuse two notebooks whose pages would have the same name.

    Raises
    ------
    ValueError
        If two have the same file name.
    """
    seen: dict[str, str] = {}
    for name in names:
        stem = Path(name).stem
        if stem in seen:
            raise ValueError(f"notebooks: {seen[stem]!r} and {name!r} would both become {stem}.html; rename one")
        seen[stem] = name


def check_parameters(names: Iterable[str]) -> None:
    """Refuse parameters that are no Python names, or that the build sets itself.

    Raises
    ------
    ValueError
        If a name cannot be a variable.
    """
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise ValueError(f"parameters: {name!r} is no name of a Python variable; use letters, digits and _")
        if name == "STUDY":
            raise ValueError("parameters: STUDY is set by the build, to the study's folder; use another name")
