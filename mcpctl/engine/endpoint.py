"""Find the engine's endpoint and say why that one. An unknown context never means the default socket."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mcpctl.engine.types import Endpoint
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_SOCKET = "/var/run/docker.sock"


def discover(environ: Mapping[str, str], *, host: str | None = None, context: str | None = None) -> Endpoint:
    """Return the endpoint by the Docker CLI's own precedence, then the usual sockets.

    Raises:
        ConfigError: the named context does not exist.
    """
    if host:
        return Endpoint(_with_scheme(host), "--host")
    if context:
        return _from_context(environ, context, f"--context {context}")
    if value := environ.get("DOCKER_HOST"):
        return Endpoint(_with_scheme(value), "DOCKER_HOST")
    if value := environ.get("DOCKER_CONTEXT"):
        return _from_context(environ, value, f"DOCKER_CONTEXT={value}")
    if current := _current_context(environ):
        return _from_context(environ, current, f"current Docker context {current!r}")
    return _from_sockets(environ)


def _with_scheme(host: str) -> str:
    return f"unix://{host}" if host.startswith("/") else host


def _config_directory(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "/")) / ".docker")


def _current_context(environ: Mapping[str, str]) -> str | None:
    path = _config_directory(environ) / "config.json"
    try:
        config: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", hint="mend the file, or name the engine with --host"
        ) from error
    name = cast("Mapping[str, object]", config).get("currentContext") if isinstance(config, dict) else None
    return name if isinstance(name, str) and name != "default" else None


def _from_context(environ: Mapping[str, str], name: str, reason: str) -> Endpoint:
    if name == "default":
        return _from_sockets(environ)
    known = _contexts(environ)
    if name not in known:
        raise ConfigError(
            f"there is no Docker context {name!r} ({reason})",
            hint=f"known contexts: {', '.join(sorted(['default', *known]))}; or name the engine with --host",
            details={"context": name},
        )
    return Endpoint(known[name], reason, context=name)


def _contexts(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the endpoint of each stored context. Layout: contexts/meta/<sha256>/meta.json."""
    found: dict[str, str] = {}
    for path in _config_directory(environ).glob("contexts/meta/*/meta.json"):
        try:
            meta = cast("dict[str, dict[str, dict[str, str]]]", json.loads(path.read_text(encoding="utf-8")))
            found[str(meta["Name"])] = meta["Endpoints"]["docker"]["Host"]
        except (OSError, ValueError, KeyError, TypeError):
            # a damaged context must not stop another one; its own name is then reported as unknown
            continue
    return found


def _from_sockets(environ: Mapping[str, str]) -> Endpoint:
    home = Path(environ.get("HOME", "/"))
    candidates = [(Path(DEFAULT_SOCKET), "the default socket")]
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        candidates.append((Path(runtime) / "docker.sock", "the rootless engine's socket"))
    candidates += [
        (home / ".docker/run/docker.sock", "Docker Desktop's socket"),
        (home / ".docker/desktop/docker.sock", "Docker Desktop's socket"),
        (home / ".colima/default/docker.sock", "Colima's socket"),
        (home / ".rd/docker.sock", "Rancher Desktop's socket"),
    ]
    for path, reason in candidates:
        if _is_socket(path):
            return Endpoint(f"unix://{path}", reason)
    return Endpoint(f"unix://{DEFAULT_SOCKET}", "the default socket; no other was found")


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
