"""Put the service together: routes, what every request passes through, and its life."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse
from starlette.routing import Route

from server.api.envelope import failure
from server.api.health import HealthRoutes
from server.api.http import ToolRoutes
from server.api.mcp import McpEndpoint
from server.faults import Code, Fault
from server.lifecycle import Lifecycle
from server.loading import load
from server.middleware import Access, Boundary, Observation
from server.security.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from server.registry import Registry
    from server.settings import Settings

_CONSOLE: Final = Path(__file__).parent / "console" / "index.html"
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Application:
    """The ASGI application, with its life at hand for whoever serves it."""

    def __init__(self, asgi: ASGIApp, lifecycle: Lifecycle) -> None:
        self._asgi = asgi
        self.lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's scope."""
        await self._asgi(scope, receive, send)


def create_app(
    settings: Settings,
    redactor: Redactor | None = None,
    catalogue: Callable[[], Registry] | None = None,
) -> Application:
    """Return the application for ``settings``; ``catalogue`` replaces the tools of the product."""
    redactor = redactor or Redactor()
    lifecycle = Lifecycle(partial(load, settings, redactor, catalogue))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=[
            "authorization",
            "content-type",
            "last-event-id",
            "mcp-protocol-version",
            "mcp-session-id",
        ],
        expose_headers=["mcp-session-id", "x-request-id"],
    )
    application = Starlette(
        routes=_routes(lifecycle, redactor),
        middleware=[
            Middleware(Observation, lifecycle=lifecycle),
            Middleware(Boundary, settings=settings),
            *([cors] if settings.cors_origins else []),
            Middleware(Access, settings=settings),
        ],
        exception_handlers={404: _no_route, 405: _no_route, Exception: _crash},
        lifespan=partial(_lifespan, lifecycle),
    )
    return Application(application, lifecycle)


def _routes(lifecycle: Lifecycle, redactor: Redactor) -> list[Route]:
    health, tools, mcp = HealthRoutes(lifecycle), ToolRoutes(lifecycle, redactor), McpEndpoint(lifecycle)
    return [
        Route("/health", health.health),
        Route("/ready", health.ready),
        Route("/api/tools/list", tools.list),
        Route("/api/tools/execute", tools.execute, methods=["POST"]),
        Route("/mcp", mcp),
        Route("/mcp/", mcp),
        Route("/", _console),
    ]


@contextlib.asynccontextmanager
async def _lifespan(lifecycle: Lifecycle, app: Starlette) -> AsyncGenerator[None]:
    running = asyncio.create_task(lifecycle.run())
    yield
    lifecycle.stop()
    await running


async def _console(request: Request) -> Response:
    return FileResponse(_CONSOLE, headers={"Content-Security-Policy": _PAGE_POLICY})


async def _no_route(request: Request, error: Exception) -> Response:
    status = cast("HTTPException", error).status_code
    message = "there is nothing at this path" if status == 404 else "this path does not answer this method"
    hint = "GET /api/tools/list and POST /api/tools/execute serve the tools, /mcp serves MCP clients"
    return failure(Fault(Code.INVALID_REQUEST, message, hint=hint), status=status)


async def _crash(request: Request, error: Exception) -> Response:
    return failure(
        Fault(Code.INTERNAL, "the request failed unexpectedly", hint="the service's log has the reason")
    )
