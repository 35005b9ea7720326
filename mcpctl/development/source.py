"""Where this program's own source tree is: `test` and `serve` need more of it than a wheel holds."""

from __future__ import annotations

from pathlib import Path

import mcpctl
from mcpctl.errors import McpctlError


def source_tree(needed: str) -> Path:
    """Return the checkout that this mcpctl runs from.

    Raises:
        McpctlError: it runs from an installed wheel, which has no ``needed``.
    """
    root = Path(mcpctl.__file__).resolve().parent.parent
    if not (root / needed).exists():
        raise McpctlError(
            f"{root} has no {needed}: this mcpctl does not run from its source tree",
            hint="run ./bootstrap in a checkout of the project",
        )
    return root
