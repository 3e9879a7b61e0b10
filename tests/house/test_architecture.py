"""Rules of the house that a machine can hold."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import eventstudy

ROOT = Path(eventstudy.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MODULES = sorted(m.name for m in pkgutil.walk_packages([str(ROOT)], prefix="eventstudy."))
MAX_FUNCTION = 50
HEAVY = ("yfinance", "statsmodels", "matplotlib", "scipy.stats", "curl_cffi")


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


def test_public_names_resolve_and_are_documented():
    assert len(set(eventstudy.__all__)) == len(eventstudy.__all__)
    for name in eventstudy.__all__:
        value = getattr(eventstudy, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name
            assert value.__module__.startswith("eventstudy"), name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
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
