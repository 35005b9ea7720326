"""How a container ends: waited for from before its start, so that the shortest life is not missed."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from mcpctl.engine.client import CALL_TIMEOUT
from mcpctl.engine.failures import translated
from mcpctl.errors import EngineFailed, McpctlError, NotFound

if TYPE_CHECKING:
    from mcpctl.engine.client import Engine
    from mcpctl.engine.signals import Signals

LOOK_ROUND = 0.2
RESIZE_TRIES = 20
RESIZE_PAUSE = 0.02


class Ending:
    """The engine's promise to say how a container ended; kept in a thread, so that signals get through."""

    def __init__(self, engine: Engine, answer: Any) -> None:
        self._engine = engine
        self._answer = answer
        self._known = Event()
        self._code = 0
        self._error: McpctlError | None = None
        Thread(target=self._wait, name="ending", daemon=True).start()

    def _wait(self) -> None:
        try:
            with translated(self._engine.endpoint, "waiting for a container's end"), self._answer:
                found: dict[str, Any] = self._answer.json()
                self._code = int(found["StatusCode"])
                if found.get("Error"):
                    self._error = EngineFailed(f"waiting for a container's end: {found['Error']['Message']}")
        except McpctlError as error:
            self._error = error
        finally:
            self._known.set()

    def exit_code(self, signals: Signals, *, limit: float | None = None) -> int | None:
        """Return the exit code once it has ended; None where it runs on after ``limit`` seconds."""
        deadline = None if limit is None else time.monotonic() + limit
        while not self._known.wait(LOOK_ROUND):
            signals.act()
            if deadline is not None and time.monotonic() >= deadline:
                return None
        if self._error:
            raise self._error
        return self._code


def watch_end(engine: Engine, container: str, *, removed: bool) -> Ending:
    """Ask to be told of a container's next end; ``removed`` where the engine removes it by itself then."""
    api = engine.api
    with translated(engine.endpoint, f"waiting for the end of {container}"):
        answer = api.post(  # the SDK's own wait returns only at the end
            f"{api.base_url}/v{api.api_version}/containers/{container}/wait",
            params={"condition": "removed" if removed else "next-exit"},
            stream=True,
            timeout=(CALL_TIMEOUT, None),  # a command may run for days
        )
        api._raise_for_status(answer)  # noqa: SLF001 - the SDK's one way to its own errors
    return Ending(engine, answer)


def signal_container(engine: Engine, container: str, name: str) -> None:
    """Send a signal to a container's command; one that has ended needs none."""
    try:
        with translated(engine.endpoint, f"sending {name} to {container}"):
            engine.api.kill(container, name)
    except (NotFound, EngineFailed):
        found = engine.find_container(container)
        if found and found.running:
            raise


def resize_container(engine: Engine, container: str, size: tuple[int, int]) -> None:
    """Tell a container's terminal its lines and columns; one that has ended needs none."""
    lines, columns = size
    for _ in range(RESIZE_TRIES):
        try:
            with translated(engine.endpoint, "resizing a terminal"):
                engine.api.resize(container, lines, columns)
        except (EngineFailed, NotFound):
            found = engine.find_container(container)
            if not (found and found.running):
                return
            time.sleep(RESIZE_PAUSE)
        else:
            return
