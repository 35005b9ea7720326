"""A plan's vocabulary: one step is one call of the engine and says why it is made. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal[
    "build image",
    "pull image",
    "create network",
    "create volume",
    "create container",
    "start container",
    "unpause container",
    "stop container",
    "remove container",
    "rename container",
    "await healthy",
    "await completed",
    "remove network",
    "remove volume",
    "remove image",
    "run command",
    "start engine",
    "write file",
]


@dataclass(frozen=True, slots=True)
class Step:
    """One call. ``needs`` names the steps that must be done before; ``subject`` is what the call is given.

    An ``optional`` wait that comes to nothing is a warning.
    """

    id: str
    action: Action
    target: str
    why: tuple[str, ...]
    needs: tuple[str, ...] = ()
    service: str = ""
    number: int = 0
    subject: str = ""
    optional: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the form that `--dry-run` prints."""
        return {"action": self.action, "target": self.target, "why": list(self.why)}

    def __str__(self) -> str:
        """Return one line, as tests and the human form of `--dry-run` show it."""
        return f"{self.action} {self.target}: {'; '.join(self.why)}"


Plan = tuple[Step, ...]
