"""Connections that the engine turns into a raw stream: `exec` and `attach`.

The engine answers with "101 Switching Protocols" and from then on the connection carries bytes both ways.
What the HTTP library has read beyond the answer's head lies in its buffer: the SDK's own
``exec_start(socket=True)`` skips that buffer and so loses a command's first words now and then.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
from typing import TYPE_CHECKING, Any

from mcpctl.engine.client import CALL_TIMEOUT
from mcpctl.engine.failures import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.engine.client import Engine

PIECE = 64 * 1024
"""Bytes that are read at once: what a connection costs in memory."""

_UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}


def open_exec(engine: Engine, exec_id: str, *, tty: bool) -> Connection:
    """Start a created exec and take over the connection."""
    with translated(engine.endpoint, "running a command in a container"):
        return _hijack(engine, f"exec/{exec_id}/start", json={"Detach": False, "Tty": tty})


def open_attach(engine: Engine, container: str) -> Connection:
    """Attach to a container's streams and take over the connection; do so before it is started."""
    params = {"stream": 1, "stdout": 1, "stderr": 1, "stdin": 1}
    with translated(engine.endpoint, f"attaching to container {container}"):
        return _hijack(engine, f"containers/{container}/attach", params=params)


def _hijack(
    engine: Engine,
    path: str,
    *,
    json: Mapping[str, object] | None = None,
    params: Mapping[str, int] | None = None,
) -> Connection:
    api = engine.api
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/{path}",
        headers=_UPGRADE,
        json=json,
        params=params,
        stream=True,
        timeout=CALL_TIMEOUT,
    )
    api._raise_for_status(answer)  # noqa: SLF001 - the SDK's one way to its own errors
    reader = answer.raw._fp.fp  # noqa: SLF001 - the SDK itself takes the stream from here
    return Connection(answer, reader)


def _read_ahead(reader: Any) -> bytes:
    """Take what is in the buffer above a descriptor that does not block."""
    try:
        early = bytes(reader.peek())
    except ssl.SSLWantReadError:  # nothing was buffered, and nothing has come
        return b""
    return bytes(reader.read(len(early))) if early else b""


class Connection:
    """Bytes both ways over a socket: Unix, TCP, TLS on top of it, or the one that an ssh process has.

    Nothing blocks: what cannot be done now raises ``BlockingIOError``.
    """

    def __init__(self, answer: Any, reader: Any) -> None:
        self._answer = answer  # kept alive: the HTTP library closes the socket with it
        self._socket: socket.socket = reader.raw._sock  # noqa: SLF001 - a socket's file object has no other way to it
        self._socket.settimeout(0)
        self._early = _read_ahead(reader)

    @property
    def descriptor(self) -> int:
        """Return the socket's descriptor, to wait for."""
        return self._socket.fileno()

    @property
    def pending(self) -> bool:
        """Tell whether bytes are here already, so that waiting for the descriptor could take for ever.

        The HTTP library had read ahead, or TLS has: it reads whole records.
        """
        return bool(self._early) or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0)

    def receive(self) -> bytes:
        """Return what the HTTP library had read ahead, then what comes; empty at the end of the stream."""
        if self._early:
            early, self._early = self._early, b""
            return early
        try:
            return self._socket.recv(PIECE)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error
        except (ConnectionResetError, ssl.SSLZeroReturnError):
            return b""  # a killed container's connection is reset; TLS tells the end so once both have ended

    def send(self, data: bytes) -> int:
        """Send as much as goes now and return how much that was."""
        try:
            return self._socket.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def end_input(self) -> None:
        """Close one direction; the other side may go on sending.

        TLS has its own message for that, since the TCP connection must stay whole.
        """
        if not isinstance(self._socket, ssl.SSLSocket):
            self._socket.shutdown(socket.SHUT_WR)
            return
        while self._socket.pending():
            self._early += self._socket.recv(PIECE)
        _send_all(self._socket.fileno(), _farewell(self._socket))

    def close(self) -> None:
        """Close the socket."""
        self._answer.close()
        self._socket.close()


def _farewell(connection: ssl.SSLSocket) -> bytes:
    """Return the record by which TLS ends one direction.

    Python sends it only together with a read of the answer, and fails for good where data of the other side
    comes first. So it speaks into a socket of our own meanwhile, which has nothing to read.
    """
    descriptor = connection.fileno()
    real = os.dup(descriptor)
    outside, inside = socket.socketpair()
    with outside, inside:
        inside.setblocking(False)
        os.dup2(inside.fileno(), descriptor)
        try:
            connection.unwrap()
        except ssl.SSLWantReadError:  # that is all that can come of it
            return outside.recv(PIECE)
        finally:
            os.dup2(real, descriptor)
            os.close(real)
    return b""  # the other side has ended already


def _send_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            select.select((), (descriptor,), ())
