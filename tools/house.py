"""Print the figures by which this house is compared with others: a compass, not a gate.

    python tools/house.py [FOLDER of a package's source ...]

Without a folder it measures ``src/eventstudy``; with several, a column each. Nothing is imported: the sources are read.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Tokens that are no code.
SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER,
}  # fmt: skip
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
ABOUT = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Module:
    """One source file; its name is dotted and begins with the package's."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def face(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @property
    def room(self) -> str:
        """The folder or loose module right below the package."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""

    @cached_property
    def documented(self) -> set[int]:
        """First lines of the docstrings."""
        nodes = [n for n in ast.walk(self.tree) if isinstance(n, DOCUMENTED)]
        return {n.body[0].lineno for n in nodes if ast.get_docstring(n, clean=False) is not None}

    @cached_property
    def tokens(self) -> int:
        """Tokens without comments, layout and docstrings."""
        docs = self.documented
        found = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return sum(
            t.type not in SILENT
            and not (t.type == tokenize.STRING and t.start[0] in docs and t.line.lstrip()[:1] in "\"'rRuU")
            for t in found
        )

    @cached_property
    def names(self) -> set[str]:
        """Functions, classes and constants of the top level."""
        found = set()
        for node in self.tree.body:
            if isinstance(node, DOCUMENTED):
                found.add(node.name)
            elif isinstance(node, ast.Assign):
                found.update(t.id for t in node.targets if isinstance(t, ast.Name))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
        return {n for n in found if not n.startswith("__") and n != "_"}


class House:
    """A package's sources and how they import one another; tests inside the package are left out."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.modules = {}
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            if "tests" in parts:
                continue
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.modules[name] = Module(name, path)

    def imported(self, module: Module, node: ast.Import | ast.ImportFrom) -> set[str]:
        """Modules of this house that an import statement names."""
        if isinstance(node, ast.Import):
            return {a.name for a in node.names if a.name in self.modules}
        parts = module.name.split(".")
        up = parts if module.face else parts[:-1]
        base = (
            ".".join([*up[: len(up) - node.level + 1], *([node.module] if node.module else [])])
            if node.level
            else node.module
        )
        below = {f"{base}.{a.name}" for a in node.names} & self.modules.keys()
        named = {base} & self.modules.keys()
        return below | (named if len(below) < len(node.names) else set())

    def arrows(self, everywhere: bool) -> dict[str, set[str]]:
        """Which module imports which; ``everywhere`` counts those in functions and under TYPE_CHECKING."""
        found = {}
        for name, module in self.modules.items():
            nodes = ast.walk(module.tree) if everywhere else module.tree.body
            links = [self.imported(module, n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
            found[name] = set().union(*links) - {name}
        return found

    def knots(self, arrows: dict[str, set[str]]) -> list[list[str]]:
        """Groups of modules that reach one another (Tarjan), in an order in which what is imported comes first."""
        index: dict[str, int] = {}
        low: dict[str, int] = {}
        stack: list[str] = []
        groups: list[list[str]] = []

        def visit(name: str) -> None:
            index[name] = low[name] = len(index)
            stack.append(name)
            for other in sorted(arrows[name]):
                if other not in index:
                    visit(other)
                    low[name] = min(low[name], low[other])
                elif other in stack:
                    low[name] = min(low[name], index[other])
            if low[name] == index[name]:
                place = stack.index(name)
                groups.append(stack[place:])
                del stack[place:]

        for name in arrows:
            if name not in index:
                visit(name)
        return groups

    def floors(self, arrows: dict[str, set[str]]) -> int:
        """Longest chain of imports; modules that import one another in a circle share a floor."""
        height: dict[str, int] = {}
        for group in self.knots(arrows):
            beneath = {other for name in group for other in arrows[name]} - set(group)
            height.update(dict.fromkeys(group, 1 + max((height[other] for other in beneath), default=0)))
        return max(height.values())

    def between_rooms(self) -> dict[str, set[str]]:
        """Arrows between rooms; the package's own face, which gathers names, is left out."""
        rooms: dict[str, set[str]] = {m.room: set() for m in self.modules.values() if m.room}
        for name, others in self.arrows(True).items():
            here = self.modules[name].room
            if here:
                rooms[here] |= {self.modules[o].room for o in others} - {here, ""}
        return rooms

    def layers(self) -> str:
        """Layers of the import contract in the ``pyproject.toml`` above, if there is one for this package."""
        import tomllib

        for folder in next(iter(self.modules.values())).path.parents:
            path = folder / "pyproject.toml"
            if path.is_file():
                linter = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("importlinter", {})
                found = [c for c in linter.get("contracts", []) if c["type"] == "layers" and self.name in str(linter)]
                return str(len(found[0]["layers"])) if found else "–"
        return "–"

    def figures(self) -> dict[str, str]:
        modules = list(self.modules.values())
        lines = sum(m.lines for m in modules)
        rooms = Counter[str]()
        for m in modules:
            rooms[m.room] += m.lines
        biggest, most = max(((r, n) for r, n in rooms.items() if r), key=lambda pair: pair[1])
        top = next(iter(self.modules.values())).path.parent
        nodes = [node for m in modules for node in ast.walk(m.tree)]
        # what is done: no definitions, imports or docstrings
        statements = sum(isinstance(n, ast.stmt) and not isinstance(n, ABOUT) for n in nodes) - sum(
            len(m.documented) for m in modules
        )
        choices = sum(isinstance(n, ast.IfExp) for n in nodes)
        homes = Counter(name for m in modules for name in m.names)
        every, rooms_arrows = self.arrows(True), self.between_rooms()
        circles = [g for g in self.knots(every) if len(g) > 1]
        return {
            "files (of them faces)": f"{len(modules)} ({sum(m.face for m in modules)})",
            "lines": f"{lines:,}",
            "tokens of code": f"{sum(m.tokens for m in modules):,}",
            "loose modules at the top": str(sum(p.suffix == ".py" and p.name != "__init__.py" for p in top.iterdir())),
            "layers in the import contract": self.layers(),
            "longest chain of imports (at import)": str(self.floors(self.arrows(False))),
            "longest chain of imports (all)": str(self.floors(every)),
            "circles of modules (modules in them)": f"{len(circles)} ({sum(len(g) for g in circles)})",
            "floors of rooms": str(self.floors(rooms_arrows)),
            "arrows between rooms": str(sum(len(o) for o in rooms_arrows.values())),
            "circles of rooms": str(sum(len(g) > 1 for g in self.knots(rooms_arrows))),
            "biggest room's share of lines": f"{most / lines:.0%} ({biggest})",
            "conditional expressions per 100 statements": f"{100 * choices / statements:.1f}",
            "names defined in more than one module": str(sum(n > 1 for n in homes.values())),
        }


def main(folders: list[str]) -> None:
    houses = [House(Path(f).resolve()) for f in folders] or [House(ROOT / "src" / "eventstudy")]
    columns = [house.figures() for house in houses]
    print("| | " + " | ".join(house.name for house in houses) + " |")
    print("|" + " --- |" * (len(houses) + 1))
    for row in columns[0]:
        print(f"| {row} | " + " | ".join(column[row] for column in columns) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
