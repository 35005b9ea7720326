"""Make a call of the engine count exactly once, although its answer may be lost or the engine busy.

An error of a call does not say that nothing was done: the engine may have worked and its answer may have been
too late, the connection may have broken, or somebody else may have done the same. So the engine is asked how
things are, and only what is not as wanted is asked for again.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from mcpctl.errors import EngineFailed, EngineUnreachable, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from mcpctl.engine.client import Engine
    from mcpctl.errors import McpctlError

AWAY_SECONDS = 20.0
"""So long an engine may be away in the middle of an operation, as it is while it restarts."""
PAUSES = (0.1, 0.3, 0.6, 1.0)
"""Seconds between one attempt and the next."""
REMOVING_SECONDS = 30.0
"""So long the engine may take for a removal that is under way."""
_CONFLICTS = {403, 409}
"""Statuses of what may pass by itself: a name or an endpoint that is about to go, a removal under way."""
_ID = re.compile(r"\b[0-9a-f]{64}\b")


class Recovery:
    """Carries calls out against one engine; ``cancelled`` ends its waits."""

    def __init__(self, engine: Engine, cancelled: Event) -> None:
        self._engine = engine
        self._cancelled = cancelled

    def carry_out(self, act: Callable[[], object], done: Callable[[], bool]) -> None:
        """Call ``act``; where that fails in a way that leaves it open, ask ``done`` and try again.

        Raises:
            EngineUnreachable: the engine stays away (exit 5).
            EngineFailed: it refuses, or is still not ready for it after some attempts.
        """
        for pause in (*PAUSES, None):
            try:
                act()
            except (EngineUnreachable, EngineFailed, NotFound) as error:
                if not _open(error):
                    raise
                self._await_engine(error)
                if self._look(done):
                    return
                if pause is None or isinstance(error, NotFound) or self._cancelled.wait(pause):
                    raise self._named(error) from error
            else:
                return

    def gone(self, container: str) -> bool:
        """Tell whether a container is gone, once a removal that is under way has ended."""
        deadline = time.monotonic() + REMOVING_SECONDS
        while True:
            found = self._engine.find_container(container)
            if found is None:
                return True
            removing = found.state == "removing" and time.monotonic() < deadline
            if not removing or self._cancelled.wait(PAUSES[0]):
                return False

    def _look(self, done: Callable[[], bool]) -> bool:
        """Ask how things are; an engine that goes away over that is waited for once more."""
        try:
            return done()
        except EngineUnreachable as error:
            self._await_engine(error)
            return done()

    def _await_engine(self, error: McpctlError) -> None:
        """Wait until an engine that was away answers again; where it stays away, raise what it was."""
        if not isinstance(error, EngineUnreachable):
            return
        deadline = time.monotonic() + AWAY_SECONDS
        while not self._engine.answers():
            if time.monotonic() >= deadline or self._cancelled.wait(PAUSES[1]):
                raise error

    def _named(self, error: McpctlError) -> McpctlError:
        """Put the names of the containers that are in the way in the place of their ids."""

        def name(match: re.Match[str]) -> str:
            found = self._engine.find_container(match[0])
            return found.name if found else match[0]

        message = _ID.sub(name, error.message)
        return type(error)(message, hint=error.hint, details=error.details)


def _open(error: McpctlError) -> bool:
    """Tell whether an error leaves open what was done, or speaks of what may pass."""
    if isinstance(error, (EngineUnreachable, NotFound)) or error.details.get("timed_out"):
        return True
    return error.details.get("status") in _CONFLICTS or "resource busy" in error.message
