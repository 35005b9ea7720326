"""``python -m mcpctl``, and the installed command."""

from __future__ import annotations

import gc
import sys

ALLOCATIONS = 50_000
"""Between two collections: what is loaded at the start stays, and looking through it often costs 20 ms."""


def run() -> None:
    """Run the command line of this process."""
    gc.set_threshold(ALLOCATIONS)
    from mcpctl.main import main

    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
