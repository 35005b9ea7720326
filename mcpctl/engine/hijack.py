"""Connections that the engine turns into a raw stream: `exec` and `attach`.

The engine answers with "101 Switching Protocols" and from then on the connection carries bytes both ways.
What the HTTP library has read beyond the answer's head lies in its buffer: the SDK's own
``exec_start(socket=True)`` skips that buffer and so loses a command's first words now and then.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
from typing import TYPE_CHECKING, Any, Protocol

from mcpctl.engine.client import CALL_TIMEOUT
from mcpctl.engine.failures import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.engine.client import Engine

PIECE = 64 * 1024
"""Bytes that are read at once: what a connection costs in memory."""

_UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}


class Connection(Protocol):
    """Bytes both ways. Nothing blocks: what cannot be done now raises ``BlockingIOError``."""

    @property
    def reading(self) -> int:
        """The descriptor to wait for before ``receive``."""
        ...

    @property
    def writing(self) -> int:
        """The descriptor to wait for before ``send``."""
        ...

    @property
    def pending(self) -> bool:
        """Whether bytes are here already, so that waiting for the descriptor could take for ever."""
        ...

    def receive(self) -> bytes:
        """Return the next bytes; empty at the end of the stream."""
        ...

    def send(self, data: bytes) -> int:
        """Send as much as goes now and return how much that was."""
        ...

    def end_input(self) -> None:
        """Tell the other side that nothing more comes; it may go on sending."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


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
    if hasattr(reader, "channel"):
        return PipeConnection(answer, reader)
    return SocketConnection(answer, reader)


def _read_ahead(reader: Any) -> bytes:
    """Take what is in the buffer above a descriptor that does not block."""
    try:
        early = bytes(reader.peek())
    except ssl.SSLWantReadError:  # nothing was buffered, and nothing has come
        return b""
    return bytes(reader.read(len(early))) if early else b""


class SocketConnection:
    """A connection over a socket: Unix, TCP, or TLS on top of it."""

    def __init__(self, answer: Any, reader: Any) -> None:
        self._answer = answer  # kept alive: the HTTP library closes the socket with it
        self._socket: socket.socket = reader.raw._sock  # noqa: SLF001 - a socket's file object has no other way to it
        self._socket.settimeout(0)
        self._early = _read_ahead(reader)

    @property
    def reading(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    @property
    def writing(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    @property
    def pending(self) -> bool:
        """Tell whether the HTTP library had read ahead, or TLS has: it reads whole records."""
        return bool(self._early) or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0)

    def receive(self) -> bytes:
        """Return what the HTTP library had read ahead, then what comes."""
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
        """Send what the socket takes."""
        try:
            return self._socket.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def end_input(self) -> None:
        """Close one direction: TLS has its own message for that, since the TCP connection must stay whole."""
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


class PipeConnection:
    """A connection over the pipes of an `ssh` program."""

    def __init__(self, answer: Any, reader: Any) -> None:
        self._answer = answer
        self._reader = reader
        self._program = reader.channel.proc
        for descriptor in (self.reading, self.writing):
            os.set_blocking(descriptor, False)
        self._early = _read_ahead(reader)

    @property
    def reading(self) -> int:
        """Return the descriptor of the program's output."""
        return int(self._reader.fileno())

    @property
    def writing(self) -> int:
        """Return the descriptor of the program's input."""
        return int(self._program.stdin.fileno())

    @property
    def pending(self) -> bool:
        """Tell whether the HTTP library had read ahead."""
        return bool(self._early)

    def receive(self) -> bytes:
        """Return what the HTTP library had read ahead, then what comes."""
        if self._early:
            early, self._early = self._early, b""
            return early
        return os.read(self.reading, PIECE)

    def send(self, data: bytes) -> int:
        """Write what the pipe takes."""
        return os.write(self.writing, data)

    def end_input(self) -> None:
        """Close the program's input: it passes that on."""
        self._program.stdin.close()

    def close(self) -> None:
        """End the program with its pipes."""
        with contextlib.suppress(BrokenPipeError):
            self._program.stdin.close()
        self._answer.close()
        self._program.terminate()
        self._program.wait()
