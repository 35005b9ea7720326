"""How the end of a change looks to people: what stopped, what went, what had to stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.output.views import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


def stop(console: Console, data: Mapping[str, Any]) -> None:
    """Say what stopped."""
    count = len(data["steps"])
    console.print(f"{count} stopped" if count else "nothing was running")


def clean(console: Console, data: Mapping[str, Any]) -> None:
    """Say how much went, and what stays for what reason."""
    removed = [step for step in data["steps"] if step["action"].startswith("remove")]
    for item in data["kept"]:
        say(console, f"stays: {item['target']}: {item['why']}")
    if not removed and not data["kept"]:
        console.print("nothing to clean")
    elif removed:
        console.print(f"{len(removed)} removed")
