"""Find the engine's endpoint and say why that one. An unknown context never means the default socket.

The order, and what each setting means, are those of the Docker CLI 28 (its ``cli/command/cli.go`` and
``opts/hosts.go``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mcpctl.engine import contexts
from mcpctl.engine.docker_config import config_folder
from mcpctl.engine.sockets import find_socket
from mcpctl.engine.types import Endpoint, Tls
from mcpctl.errors import ConfigError, UsageFault

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_API = (1, 41)
"""Docker Engine 20.10; what is older lacks calls that mcpctl makes."""
PLAIN_PORT, TLS_PORT = 2375, 2376


def discover(environ: Mapping[str, str], *, host: str | None = None, context: str | None = None) -> Endpoint:
    """Return the endpoint by the Docker CLI's own precedence, then the usual sockets.

    Raises:
        UsageFault: both ``host`` and ``context`` are given.
        ConfigError: the named context does not exist, or an address or a version cannot be understood.
    """
    if host and context:
        raise UsageFault("--host and --context contradict each other", hint="give one of them")
    return replace(_choose(environ, host, context), api_version=_fixed_version(environ))


def _choose(environ: Mapping[str, str], host: str | None, context: str | None) -> Endpoint:
    if host:
        return _from_host(environ, host, "--host")
    if context:
        return _from_context(environ, context, f"--context {context}")
    if value := environ.get("DOCKER_HOST"):
        return _from_host(environ, value, "DOCKER_HOST")
    if value := environ.get("DOCKER_CONTEXT"):
        return _from_context(environ, value, f"DOCKER_CONTEXT={value}")
    if current := contexts.current(config_folder(environ)):
        return _from_context(environ, current, f"current Docker context {current!r}")
    return find_socket(environ)


def _fixed_version(environ: Mapping[str, str]) -> str | None:
    """Return the API version that the environment asks for; then none is negotiated."""
    value = environ.get("DOCKER_API_VERSION", "").removeprefix("v")
    if not value:
        return None
    numbers = re.fullmatch(r"(\d+)\.(\d+)", value)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST_API:
        oldest = ".".join(map(str, OLDEST_API))
        raise ConfigError(
            f"DOCKER_API_VERSION={value}: mcpctl needs a version from {oldest} on",
            hint="unset DOCKER_API_VERSION",
        )
    return value


def _from_host(environ: Mapping[str, str], host: str, reason: str) -> Endpoint:
    tls = _tls_from(environ)
    url = _normalised(host.strip(), reason, secure=tls is not None)
    return Endpoint(url, reason, tls=tls if url.startswith("tcp://") else None)


def _tls_from(environ: Mapping[str, str]) -> Tls | None:
    """Read TLS settings as the Docker CLI does: any value turns them on; certificates alone do not."""
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    folder = Path(environ.get("DOCKER_CERT_PATH") or config_folder(environ))
    cert, key = (str(path) if path.exists() else None for path in (folder / "cert.pem", folder / "key.pem"))
    return Tls(verify, str(folder / "ca.pem"), cert, key)


def _normalised(host: str, reason: str, *, secure: bool) -> str:
    """Return an address as a URL with its scheme and, for TCP, its port.

    Raises:
        ConfigError: it is no address of an engine.
    """
    if host.startswith("/"):
        return f"unix://{host}"
    scheme, separator, rest = host.partition("://")
    if not separator:
        scheme, rest = "tcp", host
    if scheme == "unix":
        return f"unix://{rest or '/var/run/docker.sock'}"
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port = parts.port
    except ValueError as error:
        raise _no_address(host, reason, str(error)) from error
    if scheme == "ssh":
        return _ssh_address(host, reason, parts.hostname, parts.password)
    if scheme != "tcp":
        raise _no_address(host, reason, f"{scheme}:// is not spoken here")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise _no_address(host, reason, "only a host and a port may stand there")
    name = parts.hostname or "localhost"
    name = f"[{name}]" if ":" in name else name
    return f"tcp://{name}:{port or (TLS_PORT if secure else PLAIN_PORT)}"


def _ssh_address(host: str, reason: str, name: str | None, password: str | None) -> str:
    if password:
        raise _no_address(host, reason, "a password has no place there: use a key")
    if not name:
        raise _no_address(host, reason, "it names no host")
    return host.rstrip("/")


def _no_address(host: str, reason: str, why: str) -> ConfigError:
    host = re.sub(r"(?<=[:/])([^:@/]*):[^@/]*@", r"\1:***@", host)
    return ConfigError(
        f"{host!r} ({reason}) is no address of an engine: {why}",
        hint="unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST[:PORT]",
        details={"host": host},
    )


def _from_context(environ: Mapping[str, str], name: str, reason: str) -> Endpoint:
    if name == "default":
        # for the Docker CLI too this is what its environment says, and not one socket
        host = environ.get("DOCKER_HOST")
        return _from_host(environ, host, "DOCKER_HOST") if host else find_socket(environ)
    directory = config_folder(environ)
    known = contexts.stored(directory)
    if name not in known:
        raise ConfigError(
            f"there is no Docker context {name!r} ({reason})",
            hint=f"known contexts: {', '.join(sorted(['default', *known]))}; or name the engine with --host",
            details={"context": name},
        )
    found = known[name]
    tls = found.tls
    url = _normalised(found.host, reason, secure=tls is not None)
    return Endpoint(url, reason, context=name, tls=tls if url.startswith("tcp://") else None)
