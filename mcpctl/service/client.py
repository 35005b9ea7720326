"""Call the tool service over HTTP: list tools, call one, with its errors mapped to ours."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mcpctl.errors import CredentialsError, McpctlError, NotFound, ServiceUnreachable, ToolFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Project

SERVICE = "backend"
CONTAINER_PORT = 8000
DEFAULT_URL = "http://127.0.0.1:8000"


def published_url(project: Project | None, service: str = SERVICE, port: int = CONTAINER_PORT) -> str:
    """Return the address on this host where a service is published, from the project's files."""
    definition = project.services.get(service) if project else None
    for entry in definition.ports if definition else ():
        if entry.target == port and entry.published.isdigit():
            host = entry.host_ip if entry.host_ip not in {"", "0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - compared, not bound
            return f"http://{f'[{host}]' if ':' in host else host}:{entry.published}"
    return DEFAULT_URL


@dataclass(frozen=True, slots=True)
class ToolService:
    """The service at one address; ``timeout`` in seconds bounds each call."""

    url: str
    token: str | None = None
    timeout: float = 60.0

    def tools(self) -> Mapping[str, Any]:
        """Return ``{"tools": […], "count"}``."""
        return self._request("GET", "/api/tools/list")

    def call(self, tool: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
        """Call a tool and return its own result.

        Raises:
            NotFound: there is no such tool (exit 10).
            CredentialsError: AWS refused the service's credentials (exit 6).
            ToolFailed: any other error of the service.
        """
        request = {
            "message_id": uuid.uuid4().hex,
            "message_type": "REQUEST",
            "protocol_version": "2.0",
            "params": {"tool": tool, "params": dict(parameters)},
        }
        answer = self._request("POST", "/api/tools/execute", request)
        return cast("Mapping[str, Any]", answer["result"]["data"])

    def _request(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        import urllib3

        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = urllib3.request(
                method,
                self.url + path,
                body=json.dumps(body).encode() if body is not None else None,
                headers=headers,
                timeout=urllib3.Timeout(connect=5, read=self.timeout),
                retries=False,
            )
            document = cast("dict[str, Any]", json.loads(answer.data))
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise self._unreachable(error) from error
        if answer.status >= 400:
            raise _failure(document, answer.status)
        return document

    def _unreachable(self, error: Exception) -> ServiceUnreachable:
        return ServiceUnreachable(
            f"the tool service does not answer at {self.url}: {_reason(error)}",
            hint="mcpctl status",
            details={"url": self.url},
        )


def _reason(error: Exception) -> str:
    text = str(error)
    return next(
        (word for word in ("Connection refused", "timed out", "Name or service not known") if word in text),
        text,
    )


def _failure(document: Mapping[str, Any], status: int) -> McpctlError:
    fault = cast("dict[str, Any]", document.get("error") or {})
    code = str(fault.get("code") or f"HTTP {status}")
    kind: type[McpctlError] = ToolFailed
    if code == "TOOL_NOT_FOUND":
        kind = NotFound
    elif code == "AWS_ERROR" and "redential" in str(fault.get("hint")):
        kind = CredentialsError
    hint = fault.get("hint")
    if code == "UNAUTHENTICATED":
        hint = "set MCP_AUTH_TOKEN in .env to a token that the service knows"
    return kind(
        str(fault.get("message") or f"the service answered {status}"),
        hint=str(hint) if hint else None,
        details={"code": code, "status": status, "service_details": fault.get("details")},
    )
