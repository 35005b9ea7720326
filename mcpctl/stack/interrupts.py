"""Ctrl-C and SIGTERM while steps are under way: noted at once, raised when the steps have ended in order."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """A context in which the first signal calls ``cancel``; a second one acts as it would outside.

    Without this, an exception could come up anywhere in the bookkeeping and lose track of a step. Only the
    main thread gets signals; in any other this does nothing.
    """

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._former: dict[signal.Signals, Any] = {}
        self.received: int | None = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *_error: object) -> None:
        self._restore()

    def raise_received(self) -> None:
        """Let the signal act now; call this after the context."""
        if self.received is not None:
            signal.raise_signal(self.received)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            self._restore()
            signal.raise_signal(number)
        self.received = number
        self._cancel()

    def _restore(self) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}
