"""``python -m mcpctl``, and the installed command."""

from __future__ import annotations

import gc
import signal
import sys

ALLOCATIONS = 50_000
"""Between two collections: what is loaded at the start stays, and looking through it often costs 20 ms."""


def run() -> None:
    """Run the command line of this process."""
    gc.set_threshold(ALLOCATIONS)
    from mcpctl.main import main

    code = main(sys.argv[1:])
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the answer is given: end without a trace
    sys.exit(code)


if __name__ == "__main__":
    run()
