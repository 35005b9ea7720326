"""Call a local engine over its socket, without the SDK.

Loading the SDK and the HTTP library below it costs more than all that `status` asks for, and a quarter of an
`up` that recreates one container. So plain calls to an engine at a unix socket are made here; streams, builds
and every other kind of endpoint go through the SDK.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal
from urllib.parse import urlencode

from mcpctl.engine.causes import find_cause, unreachable
from mcpctl.engine.failures import refused, too_late

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.engine.types import Endpoint

SCHEME = "unix://"

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class Request:
    """One plain call; ``path`` starts with the API's version, ``body`` is sent as JSON."""

    method: Method
    path: str
    query: Mapping[str, str | int]
    body: object = None

    def encoded(self) -> bytes:
        """Return the bytes of HTTP 1.0: its answer is never chunked and ends with the connection."""
        target = f"{self.path}?{urlencode(self.query)}" if self.query else self.path
        body = b"" if self.body is None else json.dumps(self.body).encode()
        head = [f"{self.method} {target} HTTP/1.0", "Host: docker", f"Content-Length: {len(body)}"]
        if body:
            head.append("Content-Type: application/json")
        return "\r\n".join([*head, "", ""]).encode() + body


class Local:
    """Calls to the engine at a unix socket; one connection each, so threads may share it.

    ``timeout`` bounds each silence in seconds.
    """

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self.endpoint = endpoint
        self.timeout = timeout

    def call(self, doing: str, request: Request) -> Any:
        """Return the engine's JSON answer, None where it has nothing to say.

        Raises:
            EngineUnreachable: nobody listens at the socket, or who listens is no engine.
            NotFound, EngineFailed: the engine said no, or nothing in time.
        """
        try:
            status, body = self._exchange(request.encoded())
            answer = json.loads(body) if body else None
        except TimeoutError as error:
            raise too_late(self.endpoint, doing) from error
        except (OSError, ValueError) as error:
            raise unreachable(self.endpoint, find_cause(self.endpoint, error)) from error
        if status >= 400:
            raise refused(self.endpoint, doing, _message(answer), status)
        return answer

    def _exchange(self, request: bytes) -> tuple[int, bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(self.timeout)
            connection.connect(self.endpoint.url.removeprefix(SCHEME))
            connection.sendall(request)
            with connection.makefile("rb") as stream:
                status = _status(stream.readline())
                length = _length(stream)
                body = stream.read() if length is None else stream.read(length)
        if length is not None and len(body) != length:
            raise ConnectionError("the engine broke off its answer")
        return status, body


def _message(answer: Any) -> str:
    return str(answer.get("message", answer)) if isinstance(answer, dict) else str(answer)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - plain JSON


def _status(line: bytes) -> int:
    """Read ``HTTP/1.0 200 OK``."""
    protocol, _, rest = line.partition(b" ")
    if not protocol.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("what listens there does not speak HTTP")
    return int(rest[:3])


def _length(stream: BinaryIO) -> int | None:
    """Skip the headers and return the length that they announce."""
    length = None
    while (line := stream.readline()).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return length
