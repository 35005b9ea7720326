"""Ctrl-C and SIGTERM: the first one ends the work in order, the second one ends the process at once."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from mcpctl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

FAREWELL_SECONDS = 3
"""A farewell that takes longer hangs in a lock or in a terminal that takes no more."""
_SHOW_CURSOR = "\x1b[?25h"


class Terminated(BaseException):
    """SIGTERM arrived; like Ctrl-C, but with its own exit code."""

    exit_code = ExitCode.TERMINATED


class Signals:
    """A context in which the first signal is raised where the main thread stands.

    The second one does not wait for anything: threads may hang in calls that never return, and an exception
    would wait for them. ``farewell`` is called with the exit code before the process ends.
    A signal that the caller of the process has set to be ignored (``nohup``) stays ignored.
    """

    def __init__(self, farewell: Callable[[ExitCode], None]) -> None:
        self._farewell = farewell
        self._former: dict[signal.Signals, Any] = {}
        self._received = False
        self._terminal = _terminal_settings()

    def __enter__(self) -> Signals:
        """Listen."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._former[number] = signal.signal(number, self._heard)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if self._received:
            self._end_at_once(ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED)
        self._received = True
        if number == signal.SIGTERM:
            raise Terminated
        raise KeyboardInterrupt

    def _end_at_once(self, code: ExitCode) -> None:
        signal.signal(signal.SIGALRM, lambda _number, _frame: os._exit(code))
        signal.alarm(FAREWELL_SECONDS)
        try:
            self._restore_terminal()
            self._farewell(code)
        except RuntimeError:  # the signal came within a write to the very stream that the farewell needs
            os.write(2, b"error: ended at once\n")
        finally:  # whatever the farewell meets: a second Ctrl-C is obeyed
            os._exit(code)

    def _restore_terminal(self) -> None:
        """Undo what a live display or a raw terminal did."""
        if self._terminal is not None:
            import termios

            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._terminal)
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _SHOW_CURSOR.encode())


def _terminal_settings() -> list[Any] | None:
    """Return how the terminal was when the process began; None without one."""
    import termios

    try:
        return termios.tcgetattr(sys.stdin.fileno())
    except (OSError, ValueError, termios.error):  # stdin is no terminal, or closed
        return None
