"""Signals as events of a loop: noted at once, acted upon where the loop is ready for them."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

TICK = 500
"""Milliseconds after which a waiting loop looks round even where nothing has come."""


class Signals:
    """A context in which signals call ``actions`` from ``act`` instead of interrupting anything.

    ``descriptor`` is readable when one has come. Only the main thread gets signals; in any other nothing
    changes.
    """

    milliseconds = TICK

    def __init__(self, actions: Mapping[signal.Signals, Callable[[], None]]) -> None:
        self._actions = actions
        self._former: dict[signal.Signals, Any] = {}
        self.descriptor, self._note_to = os.pipe()
        for end in (self.descriptor, self._note_to):
            os.set_blocking(end, False)

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in self._actions}
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        os.close(self.descriptor)
        os.close(self._note_to)

    def act(self) -> None:
        """Do what the signals that have come stand for, in their order."""
        try:
            numbers = os.read(self.descriptor, 64)
        except BlockingIOError:
            return
        for number in numbers:
            self._actions[signal.Signals(number)]()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        try:
            os.write(self._note_to, bytes([number]))
        except BlockingIOError:  # 64 KiB of signals are waiting: one more says nothing new
            return
