"""Rules of the house that a machine can hold."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

import eventstudy

ROOT = Path(eventstudy.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MODULES = sorted(m.name for m in pkgutil.walk_packages([str(ROOT)], prefix="eventstudy."))
MAX_FUNCTION = 50
#: What is promised to users: `__all__` of these.
PUBLIC = [
    "eventstudy",
    *(
        f"eventstudy.{m}"
        for m in ("sources", "measures", "vintages", "claims", "inference", "figures", "errors", "wording")
    ),
]
HEAVY = ("yfinance", "statsmodels", "matplotlib", "scipy.stats", "curl_cffi", "pydantic")


@lru_cache
def trees() -> list[tuple[str, ast.Module]]:
    return [(p.relative_to(ROOT).as_posix(), ast.parse(p.read_text(encoding="utf-8"))) for p in FILES]


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return 0 if not body else (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_there_is_something_to_look_at():
    assert len(FILES) > 30
    assert "eventstudy.study.run" in MODULES


def test_functions_stay_small():
    long = {
        f"{name}:{f.name}": code_lines(f)
        for name, tree in trees()
        for f in functions(tree)
        if code_lines(f) > MAX_FUNCTION
    }
    assert long == {}


def public(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")


def test_public_functions_classes_and_methods_have_docstrings():
    bare = []
    for name, tree in trees():
        if ast.get_docstring(tree) is None:
            bare.append(name)
        for node in filter(public, tree.body):
            inner = [n for n in node.body if public(n)] if isinstance(node, ast.ClassDef) else []
            bare += [f"{name}:{n.name}" for n in (node, *inner) if ast.get_docstring(n) is None]
    assert bare == []


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_resolve_and_are_documented(module):
    public = importlib.import_module(module)
    assert len(set(public.__all__)) == len(public.__all__)
    for name in public.__all__:
        value = getattr(public, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name
            assert value.__module__.startswith("eventstudy"), name


def test_the_face_can_be_remembered_and_names_each_thing_once():
    assert len(eventstudy.__all__) <= 40
    assert {m.removeprefix("eventstudy.") for m in PUBLIC[1:]} - {"wording"} <= set(dir(eventstudy))
    face = {id(getattr(eventstudy, n)): n for n in eventstudy.__all__}
    doors = [
        f"{module}.{n}"
        for module in PUBLIC[1:]
        for n in importlib.import_module(module).__all__
        if id(getattr(importlib.import_module(module), n)) in face
    ]
    # two rooms are packages whose own verb or table is also in the face
    assert sorted(doors) == ["eventstudy.inference.TESTS", "eventstudy.sources.load_prices"]


def test_the_package_says_which_modules_are_public():
    said = re.findall(r"`([a-z.]+)`", inspect.getdoc(eventstudy).split("Every other")[0])
    assert {f"eventstudy.{m.removeprefix('eventstudy.')}" for m in said} == set(PUBLIC[1:])


def shown_code() -> list[tuple[str, str]]:
    """Return the README, the docs, and the code of the notebooks."""
    home = ROOT.parent.parent
    texts = [(p, p.read_text("utf-8")) for p in (home / "README.md", *home.glob("docs/*.md"))]
    for path in sorted(home.glob("notebooks/*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        texts.append((path, "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")))
    return [(p.name, text) for p, text in texts]


def test_what_is_shown_to_users_imports_public_names_only():
    private = []
    for name, code in shown_code():
        for module, names in re.findall(r"^\s*from (eventstudy[\w.]*) import ([\w, ]+)", code, re.M):
            known = importlib.import_module(module).__all__ if module in PUBLIC else ()
            private += [f"{name}: {module}.{n}" for n in names.split(", ") if n not in known]
        for module, item in re.findall(r"\bes\.(\w+)(?:\.(\w+))?", code):
            if module not in (*eventstudy.__all__, "__version__"):
                private.append(f"{name}: es.{module}")
            elif f"eventstudy.{module}" in PUBLIC and item and item not in getattr(eventstudy, module).__all__:
                private.append(f"{name}: es.{module}.{item}")
        private += [f"{name}: {m}" for m in re.findall(r"^\s*import (eventstudy\.[\w.]+)", code, re.M)]
    assert private == []


@pytest.mark.parametrize(
    "name", ["errors", "sources", "measures", "vintages", "claims", "inference", "figures", "wording"]
)
def test_tab_completion_of_a_public_module_offers_what_is_public(name):
    module = getattr(eventstudy, name)
    assert dir(module) == sorted(module.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute nothing"):
        _ = eventstudy.nothing


def test_dir_lists_what_can_be_used():
    assert set(eventstudy.__all__) <= set(dir(eventstudy))


def test_no_name_would_be_collected_by_the_test_runner():
    """The runner collects classes called Test… and functions called test… wherever they are imported."""
    found = [
        f"{name}:{n.name}"
        for name, tree in trees()
        for n in ast.walk(tree)
        if isinstance(n, ast.ClassDef) and n.name.startswith("Test")
    ]
    for name, tree in trees():
        found += [f"{name}:{n.name}" for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test")]
    assert found == []
    assert not [n for n in eventstudy.__all__ if n.startswith(("Test", "test"))]


def test_printing_is_left_to_the_command_line():
    calls = [
        name
        for name, tree in trees()
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "print"
    ]
    assert set(calls) <= {"cli.py"}


def test_no_global_seed_no_pyplot_and_no_one_minus_cdf():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for word in ("np.random.seed", "matplotlib.pyplot", "1 - norm.cdf", "1 - stats", "plt.show"):
            assert word not in text, f"{word} in {path.name}"


def loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys, json; sys.stdout.write(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_after("import eventstudy")
    assert "eventstudy" in loaded
    assert not loaded & {*HEAVY, "pandas", "exchange_calendars"}


@pytest.mark.slow
def test_running_a_study_loads_nothing_heavy():
    code = """
import eventstudy as es
prices = es.load_prices(["NVDA", "META", "^GSPC"])
result = es.EventStudy(model=es.MarketModel("^GSPC")).run(prices, [es.Event(t, "2025-01-27") for t in ("NVDA", "META")])
repr(result); result.tests((0, 1), names="all"); result.car(0, 1); result.market_value(0)
"""
    assert not loaded_after(code) & set(HEAVY)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports_and_its_examples_hold(name):
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0
