"""How the end of a change looks to people: what stopped, what went, what had to stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


def stop(console: Console, data: Mapping[str, Any]) -> None:
    """Say what stopped."""
    count = len(data["steps"])
    console.print(f"{count} stopped" if count else "nothing was running")
