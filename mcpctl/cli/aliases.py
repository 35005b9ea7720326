"""The old Makefile's target names, as hidden aliases."""

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


def expand(arguments: Sequence[str]) -> list[str]:
    """Replace the command word by what an alias stands for; options before it stay."""
    words = list(arguments)
    at = place(words)
    if at is not None and words[at] in ALIASES:
        words[at : at + 1] = ALIASES[words[at]]
    return words


def place(words: Sequence[str]) -> int | None:
    """Return where the command word stands, or None where there is none."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in GLOBALS_WITH_VALUE else 1
    return at if at < len(words) else None
