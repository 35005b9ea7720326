"""What every request passes through: observation, where it comes from, who sends it, and how much."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from server.api.envelope import failure
from server.faults import Fault
from server.observe.logs import event, request_id
from server.security.authentication import authenticate, require
from server.security.boundary import check_boundary
from server.security.limits import buffered, check_media_type, has_body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from server.lifecycle import Lifecycle
    from server.settings import Settings

logger = logging.getLogger(__name__)
_PUBLIC: Final = frozenset({"/", "/health", "/ready"})
_ID_LENGTH: Final = 64


class Observation:
    """Give each request an id, count it while it is answered, and log it."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = _identifier(scope)
        request_id.set(identifier)
        # A GET of /mcp listens until the client leaves: nothing is lost when it ends, so a drain ignores it.
        counted = self._lifecycle.answering() if has_body(scope) else contextlib.nullcontext()
        started = time.perf_counter()
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = identifier
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        with counted:
            try:
                await self._app(scope, receive, observed)
            finally:
                _log(scope, status, started)


class Boundary:
    """Refuse requests from a foreign Host or Origin, on every route."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] in {"http", "websocket"}:
            try:
                check_boundary(Headers(scope=scope), self._settings)
            except Fault as fault:
                await failure(fault)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Access:
    """Require the token outside the public paths, and JSON of a bearable size in every body."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] in {"http", "websocket"}:
            try:
                receive = await self._admitted(scope, receive)
            except Fault as fault:
                await failure(fault)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admitted(self, scope: Scope, receive: Receive) -> Receive:
        authenticate(scope, self._settings.auth_token)
        if scope["path"] not in _PUBLIC:
            require(scope)
        if not has_body(scope):
            return receive
        check_media_type(scope)
        return await buffered(scope, receive, self._settings.max_body_bytes)


def _identifier(scope: Scope) -> str:
    """Return the caller's request id where it is harmless, a new one otherwise."""
    given = Headers(scope=scope).get("x-request-id", "")
    if given and len(given) <= _ID_LENGTH and given.replace("-", "").replace("_", "").isalnum():
        return given
    return uuid.uuid4().hex


def _log(scope: Scope, status: int, started: float) -> None:
    event(
        logger,
        logging.DEBUG if scope["path"] in _PUBLIC else logging.INFO,
        "request",
        method=scope["method"],
        path=scope["path"][:256],
        status=status,
        duration_ms=round((time.perf_counter() - started) * 1000, 3),
    )
