"""What every command returns: data for programs, a view for people, and an exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from mcpctl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from mcpctl.errors import McpctlError

SCHEMA = "mcpctl/v1"


class Format(StrEnum):
    """The forms of the answer."""

    HUMAN = "human"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command's answer. ``show`` draws it on stdout for people; None where there is nothing to say.

    ``exit_code`` is one of ours, or that of a command that ran in a container.
    """

    data: Mapping[str, object]
    show: Callable[[Console], None] | None = None
    exit_code: int = ExitCode.OK
    warnings: Sequence[str] = ()
    errors: Sequence[McpctlError] = field(default_factory=tuple["McpctlError", ...])


def envelope(command: str, outcome: Outcome) -> dict[str, object]:
    """Return the one JSON document of an invocation."""
    return {
        "schema": SCHEMA,
        "command": command,
        "status": _status(outcome.exit_code),
        "exit_code": int(outcome.exit_code),
        "data": dict(outcome.data),
        "warnings": list(outcome.warnings),
        "errors": [
            {"code": error.code, "message": error.message, "hint": error.hint, "details": error.details}
            for error in outcome.errors
        ],
    }


def _status(exit_code: int) -> str:
    if exit_code == ExitCode.OK:
        return "success"
    return "partial" if exit_code == ExitCode.PARTLY_DONE else "error"


def failed(error: McpctlError, warnings: Sequence[str] = ()) -> Outcome:
    """Return the outcome of a command that raised."""
    return Outcome({}, exit_code=error.exit_code, warnings=warnings, errors=(error,))
