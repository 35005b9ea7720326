"""Serve the application with uvicorn, and end without losing a call."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    from types import FrameType

    from server.app import Application
    from server.settings import Settings

logger = logging.getLogger(__name__)
#: Seconds for connections to close once no call is in flight any more.
_CLOSING: Final = 1


class DrainingServer(uvicorn.Server):
    """Answer the first SIGTERM or SIGINT with a drain, the second with an immediate end."""

    def __init__(self, config: uvicorn.Config, app: Application, drain_seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Remember the loop that signals must reach."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the drain; uvicorn's own handler would close the listener at once, and exit by the signal."""
        if self._loop is None or self._drain is not None:
            self.should_exit = True
            self.force_exit = self._drain is not None
            return
        self._drain = self._loop.create_task(self._end())

    async def _end(self) -> None:
        await self._app.lifecycle.drain(self._drain_seconds)
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket.

    Raises:
        OSError: when the address is taken or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def serve(app: Application, settings: Settings, listener: socket.socket) -> int:
    """Serve until a signal ends it, and return the exit code."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=_CLOSING,
    )
    server = DrainingServer(config, app, settings.drain_seconds)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def leave(code: int) -> None:
    """End the process now: an ordinary exit would wait for the thread of a call that outlived the drain."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
