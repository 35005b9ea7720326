"""``python -m mcpctl``, and the installed command."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command line of this process."""
    from mcpctl.main import main

    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
