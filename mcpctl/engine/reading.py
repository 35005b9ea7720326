"""Read from a local engine over its socket, without the SDK.

Loading the SDK and the HTTP library below it costs more than all that `status` asks for. So what is only
read, from an engine at a unix socket, is asked for with a plain request; everything else, and every other
kind of endpoint, goes through the SDK.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlencode

from mcpctl.engine.failures import no_answer, refused, unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.engine.types import Endpoint

SCHEME = "unix://"


class Reader:
    """GET requests to the engine at a unix socket; one connection each, so threads may share it."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout

    def get(self, doing: str, path: str, query: Mapping[str, str | int]) -> Any:
        """Return the engine's JSON answer.

        Raises:
            EngineUnreachable: nobody listens at the socket, or who listens is no engine.
            NotFound, EngineFailed: the engine said no, or nothing in time.
        """
        try:
            status, body = self._exchange(f"{path}?{urlencode(query)}" if query else path)
            answer = json.loads(body)
        except TimeoutError as error:
            raise no_answer(self._endpoint, doing) from error
        except (OSError, ValueError) as error:
            raise unreachable(self._endpoint, error) from error
        if status >= 400:
            raise refused(self._endpoint, doing, str(answer.get("message", body)), status)
        return answer

    def _exchange(self, target: str) -> tuple[int, bytes]:
        """Send one request of HTTP 1.0, whose answer is never chunked and ends with the connection."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(self._timeout)
            connection.connect(self._endpoint.url.removeprefix(SCHEME))
            connection.sendall(f"GET {target} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
            with connection.makefile("rb") as stream:
                status = _status(stream.readline())
                length = _length(stream)
                body = stream.read()
        if length is not None and len(body) != length:
            raise ConnectionError("the engine broke off its answer")
        return status, body


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
