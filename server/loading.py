"""Build the slow parts: the tools, boto3 and the MCP SDK. Importing this module takes most of a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from server.execution import Executor
    from server.registry import Registry
    from server.security.redaction import Redactor
    from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Loaded:
    """What serves calls: the executor, and the MCP sessions on top of it."""

    executor: Executor
    sessions: StreamableHTTPSessionManager


def load(settings: Settings, redactor: Redactor, catalogue: Callable[[], Registry] | None = None) -> Loaded:
    """Import and build what serves calls; ``catalogue`` replaces the tools of the product."""
    from server.api.mcp_server import session_manager
    from server.aws.session import Sessions
    from server.execution import Executor
    from server.tools.catalogue import registry

    sessions = Sessions(settings, redactor)
    executor = Executor((catalogue or registry)(), settings, sessions, redactor)
    return Loaded(executor, session_manager(executor, settings))
