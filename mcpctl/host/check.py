"""One finding about the machine: what `doctor` prints as a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``hint`` is the command or setting that mends it.

    ``level`` says how bad it is when ``ok`` is false: a warning does not stop anything.
    """

    name: str
    ok: bool
    message: str
    hint: str | None = None
    level: Literal["error", "warning"] = "error"

    def to_json(self) -> dict[str, object]:
        """Give the finding as the ``checks`` entry of a JSON answer."""
        return {
            "name": self.name,
            "ok": self.ok,
            "message": self.message,
            "hint": self.hint,
            "level": self.level,
        }
