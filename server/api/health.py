"""Liveness, which asks nothing of anybody, and readiness, which tells the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server import __version__
from server.api.envelope import Json
from server.security.authentication import is_authenticated

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from server.lifecycle import Lifecycle


class HealthRoutes:
    """The handlers of ``/health`` and ``/ready``."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    async def health(self, request: Request) -> Response:
        """Answer 200 as long as the event loop turns."""
        uptime = self._lifecycle.uptime_seconds
        return Json({"status": "ok", "version": __version__, "uptime_seconds": uptime})

    async def ready(self, request: Request) -> Response:
        """Answer 200 when calls are served, 503 while starting, draining or degraded."""
        status = self._lifecycle.status
        document: dict[str, object] = {"status": status}
        if is_authenticated(request.scope):
            document["checks"] = [
                {"name": "tools", "ok": status in {"ready", "draining"}},
                {"name": "accepting", "ok": status != "draining"},
            ]
            document["in_flight"] = self._lifecycle.in_flight
        return Json(document, 200 if status == "ready" else 503)
