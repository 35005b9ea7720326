"""This process's own terminal while a container has the use of it: raw, and as it was afterwards."""

from __future__ import annotations

import os
import sys
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

STDIN = 0
STDOUT = 1


def has_terminal() -> bool:
    """Tell whether a person types and reads here: both stdin and stdout are terminals."""
    return os.isatty(STDIN) and os.isatty(STDOUT)


def size() -> tuple[int, int] | None:
    """Return the terminal's lines and columns; None where it does not know them."""
    try:
        columns, lines = os.get_terminal_size(STDOUT)
    except OSError:
        return None
    return (lines, columns) if lines and columns else None


@contextmanager
def raw() -> Generator[None]:
    """Hand every key on as it is, Ctrl-C too; the former mode comes back on every way out."""
    sys.stdout.flush()
    former = termios.tcgetattr(STDIN)
    try:
        tty.setraw(STDIN, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, former)
