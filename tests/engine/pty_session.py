"""A person at a terminal: the installed program on a real pty, typed to and read from."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

from tests.engine.stack import SECONDS

LATEST = 2000
"""Characters of the screen that a failure shows."""

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Screen:
    """One program on a terminal of its own; ``text`` is all that it has written."""

    def __init__(self, words: list[str], folder: Path, environ: Mapping[str, str]) -> None:
        self._ours, self._theirs = pty.openpty()
        self.resize(24, 80)
        self.before = self.modes()
        self.text = ""
        self._program = subprocess.Popen(
            [sys.executable, "-m", "mcpctl", *words],
            cwd=folder,
            env=dict(environ),
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads run here
        )

    def modes(self) -> list[Any]:
        return termios.tcgetattr(self._theirs)

    def resize(self, lines: int, columns: int) -> None:
        """Change the window: the kernel sends SIGWINCH to what runs in it."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def signal(self, number: int) -> None:
        self._program.send_signal(number)

    def read_until(self, wanted: str) -> str:
        """Return what came up to and with ``wanted``; what comes after is kept for the next call."""
        deadline = time.monotonic() + SECONDS
        while wanted not in self.text:
            assert self._read(deadline), f"{wanted!r} never came: {self.text[-LATEST:]!r}"
        found, _, self.text = self.text.partition(wanted)
        return found + wanted

    def leave(self) -> int:
        """Return the exit code once the program has ended, and keep the rest of its text."""
        deadline = time.monotonic() + SECONDS
        while self._program.poll() is None:
            self._read(deadline)
            assert time.monotonic() < deadline, f"it never ended: {self.text!r}"
        while self._read(time.monotonic() + 0.1):
            pass
        return self._program.returncode

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], min(0.2, max(0.0, deadline - time.monotonic())))
        if ready:
            self.text += os.read(self._ours, 65536).decode("utf-8", "replace")
        return bool(ready) or time.monotonic() < deadline

    def close(self) -> None:
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()
        for end in (self._ours, self._theirs):
            with contextlib.suppress(OSError):
                os.close(end)
