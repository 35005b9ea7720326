"""The MCP surface at ``/mcp``. The SDK behind it loads in the background; see ``server.api.mcp_server``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.api.envelope import failure
from server.faults import Fault

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from server.lifecycle import Lifecycle


class McpEndpoint:
    """The ASGI application at ``/mcp``; it waits for the SDK while the service starts."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            loaded = await self._lifecycle.loaded()
        except Fault as fault:
            await failure(fault)(scope, receive, send)
            return
        await loaded.sessions.handle_request(scope, receive, send)
