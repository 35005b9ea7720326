"""Look for an engine's socket where engines usually put it, when nothing names one."""

from __future__ import annotations

import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.engine.types import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_SOCKET = "/var/run/docker.sock"
PODMAN_SOCKET = "/run/podman/podman.sock"
DIAL_SECONDS = 2.0
DEFAULT = "the default socket"


def find_socket(environ: Mapping[str, str]) -> Endpoint:
    """Return the first usual socket where somebody listens, else the first that is there."""
    there = [(path, reason) for path, reason in _candidates(environ) if _is_socket(path)]
    for path, reason in there:
        # with a single candidate the first call will tell the same, and why
        if len(there) == 1 or _listens(path):
            return Endpoint(f"unix://{path}", reason)
    if there:
        path, reason = there[0]
        return Endpoint(f"unix://{path}", reason)
    return Endpoint(f"unix://{DEFAULT_SOCKET}", f"{DEFAULT}; no other was found")


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    home = Path(environ.get("HOME", "/"))
    runtime = environ.get("XDG_RUNTIME_DIR")
    yield Path(DEFAULT_SOCKET), DEFAULT
    if runtime:
        yield Path(runtime) / "docker.sock", "the rootless engine's socket"
    yield home / ".docker/run/docker.sock", "Docker Desktop's socket"
    yield home / ".docker/desktop/docker.sock", "Docker Desktop's socket"
    yield home / ".rd/docker.sock", "Rancher Desktop's socket"
    yield home / ".colima/default/docker.sock", "Colima's socket"
    yield home / ".colima/docker.sock", "Colima's socket"
    yield home / ".config/colima/default/docker.sock", "Colima's socket"
    yield home / ".orbstack/run/docker.sock", "OrbStack's socket"
    if runtime:
        yield Path(runtime) / "podman/podman.sock", "Podman's socket"
    yield Path(PODMAN_SOCKET), "Podman's socket"
    yield home / ".lima/docker/sock/docker.sock", "Lima's socket"


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _listens(path: Path) -> bool:
    """Tell whether a connection is taken; a daemon that died leaves its socket behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(DIAL_SECONDS)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
