"""Ask whether an engine answers on a unix socket, without the Docker SDK."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Answer:
    """What a socket said: ``ok`` with the API version, or the reason why not."""

    ok: bool
    version: str | None = None
    denied: bool = False
    reason: str = ""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ping(path: Path, *, seconds: float = 5.0) -> Answer:
    """Send ``GET /_ping`` to the engine behind a unix socket."""
    connection = _UnixConnection(path, seconds)
    try:
        connection.request("GET", "/_ping")
        response = connection.getresponse()
        response.read()
    except PermissionError as error:
        return Answer(ok=False, denied=True, reason=str(error))
    except (OSError, http.client.HTTPException) as error:
        return Answer(ok=False, reason=str(error))
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        return Answer(ok=False, reason=f"HTTP {response.status}")
    return Answer(ok=True, version=response.headers.get("Api-Version"))
