"""Tables keyed by dotted path patterns, where ``*`` stands for any key or index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


class Patterns(Generic[T]):
    """A tree of patterns that is walked alongside a tree of values."""

    __slots__ = ("branches", "found")

    def __init__(self, table: Mapping[str, T] | None = None) -> None:
        self.branches: dict[str, Patterns[T]] = {}
        self.found: T | None = None
        for pattern, value in (table or {}).items():
            self.add(pattern.split("."), value)

    def add(self, parts: list[str], value: T) -> None:
        """Add one pattern, given as its parts."""
        if not parts:
            self.found = value
            return
        self.branches.setdefault(parts[0], Patterns[T]()).add(parts[1:], value)

    def step(self, part: str | int) -> Patterns[T] | None:
        """Return the patterns below a key or index."""
        return self.branches.get(str(part)) or self.branches.get("*")
