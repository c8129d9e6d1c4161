"""The house: imports go down without exception and without circles, rooms are small, and the page on them is true."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "roofline"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
GUIDE = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"][0]
LAYERS = [{name.strip().removeprefix("roofline.") for name in layer.split("|")} for layer in CONTRACT["layers"]]
#: Named by what they are, not by their place in the order.
OUTSIDE = {"__init__", "__main__"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """All modules of the package that one imports, inside functions and for type checkers too."""
    known, found = modules(), set()
    for node in ast.walk(ast.parse(known[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else str(node.module) for name in inside}
    return frozenset((found & set(known)) - {module, "roofline"})


def circles(graph: dict[str, frozenset[str]]) -> dict[str, set[str]]:
    """What is left when modules without imports, and then those that nobody imports, are taken away again and again."""
    left = {name: set(targets) for name, targets in graph.items()}
    while done := {name for name, targets in left.items() if not targets}:
        left = {name: targets - done for name, targets in left.items() if name not in done}
    while done := set(left) - set().union(*left.values()):
        left = {name: targets for name, targets in left.items() if name not in done}
    return left


def test_no_module_imports_itself_by_a_detour() -> None:
    assert circles({name: imports(name) for name in modules()}) == {}


def test_a_circle_would_be_found() -> None:
    assert circles({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a")})
    assert not circles({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()})


def room(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def test_imports_go_down_without_exception() -> None:
    """The same as the layers of import-linter, with imports inside functions, and no room left out."""
    assert "ignore_imports" not in CONTRACT
    floor = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    rooms = {room(name) for name in modules()} - OUTSIDE
    assert rooms == set(floor)
    for name in modules():
        for target in imports(name):
            here, there = room(name), room(target)
            if here not in OUTSIDE and here != there:
                assert floor[here] < floor[there], f"{name} imports {target}"


def test_the_picture_shows_the_rooms_in_their_order() -> None:
    picture = PAGE.partition("```text\n")[2].partition("```")[0]
    lines = [re.split(r"\s{2,}", line.strip())[0].split() for line in picture.splitlines()]
    shown = [name for names in lines for name in names]
    assert set(shown) == set().union(*LAYERS)
    order = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    assert [order[name] for name in shown] == sorted(order[name] for name in shown)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(roofline(?:\.\w+)+)`", PAGE))))
def test_what_the_page_names_exists(name: str) -> None:
    if name in modules():
        return
    if name in ("roofline.estimate", "roofline.sweep"):
        return
    module, _, attribute = name.rpartition(".")
    assert hasattr(import_module(module), attribute)


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`((?:roofline|hardware|models)/[\w/.]*)`", PAGE + GUIDE))))
def test_places_that_the_pages_name_exist(place: str) -> None:
    assert (ROOT / place).exists()


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{name}.{node.name}", node


def test_functions_are_short_and_take_few_arguments() -> None:
    """A constructor of the ledger takes the dimensions of its op, as many as it has."""
    for name, node in functions():
        taken = node.args
        count = len(taken.posonlyargs) + len(taken.args) + len(taken.kwonlyargs)
        assert count <= 8 or name.startswith("roofline.workload."), f"{name} takes {count} arguments"
        assert (node.end_lineno or 0) - node.lineno < 60, f"{name} is long"


def test_files_and_folders_are_small() -> None:
    for path in modules().values():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
    for folder in {path.parent for path in modules().values()}:
        assert len([path for path in folder.iterdir() if path.suffix == ".py"]) <= 16, folder


def test_the_formatter_has_the_word() -> None:
    skipped = sum(path.read_text(encoding="utf-8").count("# fmt: skip") for path in modules().values())
    assert skipped < 40


def test_nothing_sniffs_what_kind_a_run_is() -> None:
    """Attributes are looked for only to tell a number from an array, and nobody asks for the class of a question."""
    numbers = {"tolist", "ndim", "shape", "item", "__float__"}
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id == "hasattr":
                    assert ast.literal_eval(node.args[1]) in numbers, name
                if node.func.id == "isinstance":
                    assert not {"Question", "Kind", "Outcome", "TextRun", "ImageRun"} & {
                        part.id for part in ast.walk(node.args[1]) if isinstance(part, ast.Name)
                    }, name
