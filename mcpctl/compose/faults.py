"""Errors that know where in a project file they happened.

The pure stages raise :class:`TreeFault` with a path into the tree; :class:`Origins` turns it into a
:class:`~mcpctl.errors.ConfigError` with file, line and column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple["str | int", ...]
"""The way to a value: mapping keys and list indexes from the top."""


class TreeFault(Exception):
    """A value of the tree cannot be used."""

    def __init__(
        self,
        path: Path,
        message: str,
        *,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint
        self.details = dict(details or {})


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text file, counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Marks = dict[Path, tuple[int, int]]
"""Line and column of every key and list item of one document."""


@dataclass(slots=True)
class Origins:
    """Where each value of the merged tree was written; later files win."""

    documents: list[tuple[str, Marks]] = field(default_factory=list["tuple[str, Marks]"])

    def add(self, file: str, marks: Marks) -> None:
        """Record the marks of one more document."""
        self.documents.append((file, marks))

    def locate(self, path: Path) -> Position | None:
        """Return the place of ``path``, or of the nearest key above it."""
        for length in range(len(path), -1, -1):
            prefix = path[:length]
            holders = [(file, marks[prefix]) for file, marks in self.documents if prefix in marks]
            # A list that two files write is concatenated: its indexes say nothing about either file.
            if not holders or (len(holders) > 1 and length and isinstance(prefix[-1], int)):
                continue
            file, (line, column) = holders[-1]
            return Position(file, line, column)
        return None

    def error(self, fault: TreeFault) -> ConfigError:
        """Return the error that a user sees for ``fault``."""
        return config_error(fault, self.locate(fault.path))


def config_error(fault: TreeFault, position: Position | None) -> ConfigError:
    """Return the error for a fault at a known place."""
    details = dict(fault.details)
    if fault.path:
        details["key"] = dotted(fault.path)
    message = fault.message
    if position:
        details |= {"file": position.file, "line": position.line, "column": position.column}
        message = f"{position}: {message}"
    return ConfigError(message, hint=fault.hint, details=details)


def dotted(path: Path) -> str:
    """Return a path as people write it: ``services.web.ports[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, known: Mapping[str, object]) -> str | None:
    """Return the known name most like ``name``, if any is close."""
    from difflib import get_close_matches

    found = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None
