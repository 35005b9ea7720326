"""The old Makefile's target names, and habits from `docker compose`, as hidden aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIASES: dict[str, tuple[str, ...]] = {
    "aws-validate": ("aws", "validate"),
    "aws-list-profiles": ("aws", "list-profiles"),
    "aws-account-info": ("aws", "account-info"),
    "aws-test": ("aws", "test"),
    "clean-all": ("clean", "all"),
    "clean-images": ("clean", "images"),
    "shell-backend": ("shell", "backend"),
    "logs-backend": ("logs", "backend"),
    "logs-frontend": ("logs", "frontend"),
    "test-aws": ("test", "aws"),
    "tools-list": ("tools", "list"),
    "ps": ("status",),
}

GLOBALS_WITH_VALUE = frozenset(
    {
        *("-C", "--project-directory", "-f", "--file", "--env-file", "-p", "--project-name"),
        *("--profile", "-H", "--host", "--context"),
    }
)


HABITS: dict[str, frozenset[str]] = {
    "up": frozenset({"-d", "--detach"}),
    "status": frozenset({"-a", "--all"}),
}
"""Flags of `docker compose` that ask for what mcpctl does anyway."""


def expand(arguments: Sequence[str]) -> list[str]:
    """Replace the command word by what an alias stands for, and drop what goes without saying.

    Options before the command stay as they are.
    """
    words = list(arguments)
    at = place(words)
    if at is None:
        return words
    words[at : at + 1] = ALIASES.get(words[at], (words[at],))
    known = HABITS.get(words[at], frozenset[str]())
    return [*words[: at + 1], *(word for word in words[at + 1 :] if word not in known)]


def place(words: Sequence[str]) -> int | None:
    """Return where the command word stands, or None where there is none."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in GLOBALS_WITH_VALUE else 1
    return at if at < len(words) else None
