"""The registry's tools on the official MCP SDK, every protocol revision that it serves.

The low-level server is used: parameters are checked by the tools' own models, which refuse unknown arguments,
where the SDK's function wrapper would drop them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel.server import Server  # noqa: TID253 - this module loads in the background
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager  # noqa: TID253 - as above
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)

from server import __version__
from server.execution import Request as ToolRequest
from server.faults import Code, Fault
from server.security.authentication import caller_of

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from server.execution import Executor
    from server.registry import Description
    from server.settings import Settings

_INSTRUCTIONS = (
    "Read-only tools for one AWS account. Call aws_validate_credentials first: it tells which credentials "
    "are used, whether they work, and what to do when they do not. An answer with sandbox=true does not come "
    "from AWS."
)


def session_manager(executor: Executor, settings: Settings) -> StreamableHTTPSessionManager:
    """Build the MCP server over ``executor``, stateful, its answers streamed.

    Host and Origin are checked before this for every route, so the SDK's own check stays off.
    """
    return StreamableHTTPSessionManager(mcp_server(executor), max_request_body_size=settings.max_body_bytes)


def mcp_server(executor: Executor) -> Server[Any]:
    """Build the MCP server alone, without a transport."""

    async def list_tools(
        context: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=[_described(found) for found in executor.visible()])

    async def call_tool(context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        caller = caller_of(context.request.scope) if context.request is not None else "in-process"
        call = ToolRequest(params.name, params.arguments or {}, "mcp", caller)
        try:
            outcome = await executor.execute(call)
        except Fault as fault:
            return _failed(fault)
        text = TextContent(type="text", text=json.dumps(outcome.data, indent=2))
        return CallToolResult(content=[text], structured_content=outcome.data)

    return Server[Any](
        "mcpctl-server",
        version=__version__,
        title="AWS tools",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _described(found: Description) -> Tool:
    annotations = found.tool.annotations
    return Tool(
        name=found.tool.mcp_name,
        title=found.tool.title,
        description=found.tool.description,
        input_schema=found.input_schema,
        output_schema=found.output_schema,
        annotations=ToolAnnotations(
            title=found.tool.title,
            read_only_hint=annotations.read_only,
            destructive_hint=annotations.destructive,
            idempotent_hint=annotations.idempotent,
            open_world_hint=annotations.open_world,
        ),
    )


def _failed(fault: Fault) -> CallToolResult:
    """Answer so that the model can read what went wrong; an unknown tool is an error of the protocol."""
    if fault.code is Code.TOOL_NOT_FOUND:
        raise MCPError(INVALID_PARAMS, f"{fault.message}; {fault.hint}", dict(fault.details))
    lines = [f"{fault.code}: {fault.message}"]
    if fault.hint:
        lines.append(f"Hint: {fault.hint}")
    if fault.details:
        lines.append(f"Details: {json.dumps(fault.details, default=str)}")
    if fault.retryable:
        lines.append("The same call may succeed later.")
    return CallToolResult(content=[TextContent(type="text", text="\n".join(lines))], is_error=True)
