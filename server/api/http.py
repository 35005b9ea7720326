"""The HTTP surface: list the tools, execute one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from server.api.envelope import Json, Malformed, failure, parse, success
from server.execution import Request as ToolRequest
from server.faults import Fault
from server.security.authentication import caller_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from server.lifecycle import Lifecycle
    from server.registry import Description
    from server.security.redaction import Redactor


class ToolRoutes:
    """The handlers of ``/api/tools``."""

    def __init__(self, lifecycle: Lifecycle, redactor: Redactor) -> None:
        self._lifecycle = lifecycle
        self._redactor = redactor

    async def list(self, request: Request) -> Response:
        """Answer ``GET /api/tools/list`` with the tools that the policy lets callers use."""
        try:
            loaded = await self._lifecycle.loaded()
        except Fault as fault:
            return failure(fault)
        tools = [_described(found) for found in loaded.executor.visible()]
        return Json({"tools": tools, "count": len(tools)})

    async def execute(self, request: Request) -> Response:
        """Answer ``POST /api/tools/execute``."""
        message_id: str | None = None
        try:
            envelope = parse(await request.body())
            message_id = envelope.message_id
            loaded = await self._lifecycle.loaded()
            call = ToolRequest(envelope.params.tool, envelope.params.params, "http", caller_of(request.scope))
            return success(message_id, await loaded.executor.execute(call))
        except Malformed as fault:
            return failure(self._redactor.fault(fault), fault.message_id)
        except Fault as fault:
            return failure(fault, message_id)


def _described(found: Description) -> dict[str, object]:
    return {
        "name": found.tool.name,
        "title": found.tool.title,
        "description": found.tool.description,
        "input_schema": found.input_schema,
        "output_schema": found.output_schema,
        "annotations": asdict(found.tool.annotations),
    }
