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
    """A context that keeps back what the signals' own handlers raise, and calls ``cancel`` in its place.

    Without this, an exception could come up anywhere in the bookkeeping and lose track of a step. A second
    signal goes to its handler as it would outside; what that raises is not kept back. Only the main thread
    gets signals; in any other this does nothing.
    """

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._former: dict[int, Any] = {}
        self._raised: BaseException | None = None

    @property
    def received(self) -> bool:
        """Tell whether a signal came."""
        return self._raised is not None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in _SIGNALS}
            # one that is ignored, or left to the system, goes on as it is
            self._former = {number: handler for number, handler in handlers.items() if callable(handler)}
            for number in self._former:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def raise_received(self) -> None:
        """Raise now what was kept back; call this after the context."""
        if self._raised is not None:
            raise self._raised

    def _note(self, number: int, frame: FrameType | None) -> None:
        try:
            self._former[number](number, frame)
        except BaseException as raised:
            if self._raised is not None:
                raise
            self._raised = raised
            self._cancel()
