"""YAML text to plain values, keeping the line and column of every key."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcpctl.compose import scalars
from mcpctl.compose.faults import Marks, Path, Position, TreeFault, config_error
from mcpctl.compose.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

    from mcpctl.errors import ConfigError

PLAIN = "plain"
"""The tag of an unquoted scalar without a tag of its own."""


@dataclass(slots=True)
class Document:
    """One YAML document of a project file.

    ``replaced`` are the paths that ``!reset`` or ``!override`` takes out of the files before it.
    """

    file: str
    tree: Any = None
    marks: Marks = field(default_factory=dict[Path, "tuple[int, int]"])
    replaced: set[Path] = field(default_factory=set[Path])


def read(text: str, file: str) -> list[Document]:
    """Parse every document of ``text``; raise ConfigError with file, line and column."""
    import yaml

    try:
        nodes = list(yaml.compose_all(text, Loader=_loader()))
    except yaml.MarkedYAMLError as error:
        raise _broken(error, file) from None
    except yaml.YAMLError as error:
        raise config_error(TreeFault((), f"{file}: not YAML: {error}"), None) from None
    return [_Reader(Document(file)).document(node) for node in nodes]


def _broken(error: yaml.MarkedYAMLError, file: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    position = Position(file, mark.line + 1, mark.column + 1) if mark else None
    reason = " ".join(part for part in (error.context, error.problem) if part)
    return config_error(
        TreeFault((), f"broken YAML: {reason}", hint="mend the line, then run: mcpctl config"), position
    )


@functools.cache
def _loader() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    def resolve(self: Any, kind: type, value: str, implicit: tuple[bool, bool]) -> str:
        """Tag unquoted words so that our own rules, not YAML 1.1, decide on them."""
        if kind is yaml.ScalarNode and implicit[0]:
            return PLAIN
        return str(base.resolve(self, kind, value, implicit))

    return type("Loader", (base,), {"resolve": resolve})


class _Reader:
    """Turns the nodes of one document into values."""

    def __init__(self, document: Document) -> None:
        self.result = document
        self.open: list[int] = []

    def document(self, node: Any) -> Document:
        try:
            self._mark((), node)
            self.result.tree = self.value(node, ())
        except TreeFault as fault:
            line, column = self.result.marks[fault.path]
            raise config_error(fault, Position(self.result.file, line, column)) from None
        return self.result

    def _mark(self, path: Path, node: Any) -> None:
        mark = node.start_mark
        self.result.marks[path] = (mark.line + 1, mark.column + 1)

    def value(self, node: Any, path: Path) -> Any:
        if node.tag == "!override":
            self.result.replaced.add(path)
        if node.id == "scalar":
            return _scalar(node, path)
        if id(node) in self.open:
            raise TreeFault(path, "an anchor that contains itself")
        self.open.append(id(node))
        value = self._sequence(node, path) if node.id == "sequence" else self._mapping(node, path)
        self.open.pop()
        return value

    def _sequence(self, node: Any, path: Path) -> list[Any]:
        items: list[Any] = []
        for child in node.value:
            if child.tag != "!reset":
                at = (*path, len(items))
                self._mark(at, child)
                items.append(self.value(child, at))
        return items

    def _mapping(self, node: Any, path: Path) -> Tree:
        tree: Tree = {}
        seen: dict[str, int] = {}
        merged: list[Any] = []
        for key_node, child in node.value:
            if key_node.value == "<<" and key_node.tag == PLAIN:
                merged.extend(self._bases(child, path))
                continue
            key = self._key(key_node, path, seen)
            self._entry(tree, key, (key_node, child), (*path, key))
        self._merge(tree, merged, path)
        return tree

    def _entry(self, tree: Tree, key: str, nodes: tuple[Any, Any], path: Path) -> None:
        key_node, child = nodes
        self._mark(path, key_node)
        if child.tag == "!reset":
            self.result.replaced.add(path)
            return
        tree[key] = self.value(child, path)

    def _key(self, node: Any, path: Path, seen: dict[str, int]) -> str:
        key = _scalar(node, path) if node.id == "scalar" else None
        at = (*path, str(key))
        if not isinstance(key, str):
            self._mark(at, node)
            raise TreeFault(at, f"the key {node.value!r} is not text", hint="put the key in quotes")
        if key in seen:
            self._mark(at, node)
            raise TreeFault(at, f'the key "{key}" is given twice (first on line {seen[key]})')
        seen[key] = node.start_mark.line + 1
        return key

    def _bases(self, node: Any, path: Path) -> Iterator[Any]:
        bases = node.value if node.id == "sequence" else [node]
        for base in bases:
            if base.id != "mapping":
                at = (*path, "<<")
                self._mark(at, node)
                raise TreeFault(at, "a merge key (<<) takes a mapping or a list of mappings")
            yield base

    def _merge(self, tree: Tree, bases: list[Any], path: Path) -> None:
        for base in bases:
            own = self.result.marks.copy() if tree else {}
            for key, value in self.value(base, path).items():
                tree.setdefault(key, value)
            self.result.marks.update(own)


def _scalar(node: Any, path: Path) -> Any:
    tag, value = str(node.tag), str(node.value)
    if tag == PLAIN:
        return scalars.resolve(value)
    name = tag.removeprefix("tag:yaml.org,2002:")
    if name in (tag, "str"):
        return value
    resolved = scalars.resolve(value)
    wanted = {"int": int, "float": float, "bool": bool, "null": type(None)}.get(name)
    if wanted is float and type(resolved) is int:
        return float(resolved)
    if wanted is None or type(resolved) is not wanted:
        raise TreeFault(path, f"cannot read {value!r} as !!{name}")
    return resolved
