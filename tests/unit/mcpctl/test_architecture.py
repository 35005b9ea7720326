"""The rule on imports and the sizes, from docs/architecture.md."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("mcpctl", "server")
LONGEST_FUNCTION = 50
LONGEST_FILE = 400

ALLOWED: dict[str, set[str]] = {
    "": set(),
    "__main__": {"main"},
    "main": {"cli", "runtime", "signals", "output", "errors"},
    "cli": {
        *("stack", "aws", "host", "service", "quickstart", "development", "doctor", "output", "runtime"),
        *("state", "errors", ""),
    },
    "runtime": {"compose", "engine", "state", "output", "errors"},
    "quickstart": {
        *("stack", "aws", "host", "service", "doctor", "engine", "compose", "errors"),
    },
    "development": {"doctor", "quickstart", "output.outcome", "errors", ""},
    "doctor": {"stack", "aws", "host", "engine", "compose", "errors"},
    "stack": {"compose", "engine", "errors"},
    "engine": {"compose", "errors"},
    "service": {"compose", "errors"},
    "output": {"output.outcome", "errors"},
    "output.outcome": {"errors"},
    "compose": {"errors"},
    "aws": {"errors"},
    "host": {"errors"},
    "state": {"journal", "errors"},
    "journal": set(),
    "signals": {"errors"},
    "errors": set(),
}
"""What each room may import when it runs. A name with a dot is a module with a rule of its own."""

FOREIGN = {"engine": {"docker", "requests"}, "aws": {"boto3", "botocore"}}
"""The rooms that alone know a library."""


@dataclass(frozen=True)
class Import:
    """One import statement that runs; imports for type checkers alone do not count."""

    file: Path
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.target}"


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from running_nodes(node)


def imports(file: Path) -> Iterator[Import]:
    for node in running_nodes(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
            yield from (Import(file, node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def room_of(name: str) -> str:
    """Return the room of ``mcpctl.a.b.c``: the longest name that has a rule."""
    parts = name.split(".")[1:]
    for length in range(len(parts), 0, -1):
        if (known := ".".join(parts[:length])) in ALLOWED:
            return known
    return "" if len(parts) < 2 else parts[0]


def room_of_file(file: Path) -> str:
    return room_of(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))


def may_import(room: str, target: str) -> bool:
    """Tell whether a rule allows the edge; who may import a room may import each of its modules."""
    allowed = {room, *ALLOWED[room]}
    return target in allowed or bool(target and target.partition(".")[0] in allowed)


def test_rooms_import_only_what_they_may() -> None:
    wrong = [
        f"{found}: {room_of_file(file)} may not import {room_of(found.target)}"
        for file in files("mcpctl")
        for found in imports(file)
        if found.target.startswith("mcpctl.") or found.target == "mcpctl"
        if not may_import(room_of_file(file), room_of(found.target))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_has_a_rule() -> None:
    assert {room_of_file(file) for file in files("mcpctl")} <= ALLOWED.keys()


def test_the_rules_know_no_circle() -> None:
    try:
        order = list(TopologicalSorter(ALLOWED).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert order[-1] == "__main__"


def test_nothing_but_the_frame_imports_the_command_line() -> None:
    importers = {room for room, allowed in ALLOWED.items() if "cli" in allowed}
    assert importers == {"main"}


def test_the_two_programs_do_not_import_each_other() -> None:
    wrong = [
        str(found)
        for package, other in (PACKAGES, PACKAGES[::-1])
        for file in files(package)
        for found in imports(file)
        if found.target.split(".")[0] == other
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("room", "libraries"), FOREIGN.items())
def test_one_room_alone_knows_a_library(room: str, libraries: set[str]) -> None:
    found = [
        (room_of_file(file), statement)
        for file in files("mcpctl")
        for statement in imports(file)
        if statement.target.split(".")[0] in libraries
    ]
    wrong = [str(statement) for holder, statement in found if holder != room]
    assert not wrong, "\n".join(wrong)
    assert found, f"nothing imports {libraries} any more: the rule guards nothing"


def test_no_function_is_longer_than_a_screen() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for package in PACKAGES
        for file in files(package)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.end_lineno is not None and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert not wrong, "\n".join(wrong)


def test_no_file_has_several_subjects_worth_of_lines() -> None:
    sizes = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for package in PACKAGES
        for file in files(package)
    }
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_no_module_is_named_for_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    names = {file.stem for package in PACKAGES for file in files(package)}
    assert names & empty == set()
