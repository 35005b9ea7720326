"""Where a request may come from: its Host and its Origin, checked on every route.

A page that a browser shows can make it send requests to a loopback port, under a name that an attacker's DNS
points there. Both headers give that away (MCP specification, Streamable HTTP, "security warning").
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.faults import Code, Fault
from server.settings import OWN_HOSTS

if TYPE_CHECKING:
    from starlette.datastructures import Headers

    from server.settings import Settings


def check_boundary(headers: Headers, settings: Settings) -> None:
    """Refuse a foreign Host or Origin.

    Raises:
        Fault: FORBIDDEN, naming the setting that would allow it.
    """
    host = headers.get("host", "").lower()
    if not host_allowed(host, (*OWN_HOSTS, *settings.allowed_hosts)):
        raise Fault(
            Code.FORBIDDEN,
            f"the Host header {host[:128]!r} is not allowed",
            hint="add the name to MCP_ALLOWED_HOSTS",
            details={"header": "Host"},
        )
    origin = headers.get("origin")
    if origin is not None and not origin_allowed(origin.lower(), host, settings.cors_origins):
        raise Fault(
            Code.FORBIDDEN,
            f"the Origin header {origin[:128]!r} is not allowed",
            hint="add the origin to MCP_CORS_ORIGINS",
            details={"header": "Origin"},
        )


def host_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether a Host header matches a name (any port), a ``name:port``, or ``*.`` and a domain."""
    name, port = _split(host)
    if not name or not (port == "" or port.isdigit()):
        return False
    return any(_matches(name, port, pattern) for pattern in allowed)


def origin_allowed(origin: str, host: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether an Origin is the service's own (same host and port) or listed."""
    if origin in allowed:
        return True
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc == host


def _matches(name: str, port: str, pattern: str) -> bool:
    wanted, wanted_port = _split(pattern)
    if wanted_port and wanted_port != port:
        return False
    if wanted.startswith("*."):
        return name.endswith(wanted[1:]) and len(name) > len(wanted) - 1
    return name == wanted


def _split(host: str) -> tuple[str, str]:
    if host.startswith("["):
        name, bracket, rest = host.partition("]")
        return name + bracket, rest.removeprefix(":") if rest.startswith(":") else rest
    name, _, port = host.partition(":")
    return name, port
