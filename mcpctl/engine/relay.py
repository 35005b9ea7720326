"""Carry bytes between this process's own streams and a container's, in one thread and in bounded memory."""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from mcpctl.engine.hijack import PIECE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpctl.engine.hijack import Connection
    from mcpctl.engine.signals import Signals

Sink = Callable[[int, bytes], None]
"""Takes what a container wrote: 1 for stdout, 2 for stderr, and the bytes."""

_HEADER = struct.Struct(">BxxxL")
_READY = select.POLLIN | select.POLLHUP | select.POLLERR


class Frames:
    """Tell stdout from stderr in a stream without a terminal.

    Frame: one byte of stream, three of padding, four of length (big endian), then the payload. A payload is
    handed on as it comes: a frame may be of any size.
    """

    def __init__(self) -> None:
        self._header = bytearray()
        self._stream = 1
        self._left = 0

    def split(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the pieces of payload in the next bytes, each with its stream."""
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                yield self._stream, piece
                continue
            wanted = data[at : at + _HEADER.size - len(self._header)]
            self._header += wanted
            at += len(wanted)
            if len(self._header) == _HEADER.size:
                self._stream, self._left = _HEADER.unpack(self._header)
                self._header.clear()


class Relay:
    """One session: ``stdin`` is a descriptor to send from, or None; ``framed`` unless there is a terminal."""

    def __init__(self, connection: Connection, stdin: int | None, sink: Sink, *, framed: bool) -> None:
        self._connection = connection
        self._stdin = stdin
        self._sink = sink
        self._frames = Frames() if framed else None
        self._outgoing = memoryview(b"")
        self._input_open = stdin is not None

    def run(self, signals: Signals) -> None:
        """Carry both ways until the container's side ends; signals are acted upon meanwhile."""
        while True:
            ready = self._wait(signals)
            if signals.descriptor in ready:
                signals.act()
            if self._stdin in ready and not self._outgoing:
                self._read_input()
            if self._outgoing:
                self._send()
            if (self._connection.pending or self._connection.descriptor in ready) and not self._receive():
                return

    def _wait(self, signals: Signals) -> set[int]:
        poll = select.poll()
        poll.register(signals.descriptor, select.POLLIN)
        sending = select.POLLOUT if self._outgoing else 0
        poll.register(self._connection.descriptor, select.POLLIN | sending)
        if self._stdin is not None and self._input_open and not sending:
            poll.register(self._stdin, select.POLLIN)
        events = poll.poll(0 if self._connection.pending else signals.milliseconds)
        return {descriptor for descriptor, event in events if event & (_READY | select.POLLNVAL)}

    def _read_input(self) -> None:
        if self._stdin is None:
            return
        try:
            data = os.read(self._stdin, PIECE)
        except BlockingIOError:
            return
        except OSError:  # the terminal has gone away
            data = b""
        if data:
            self._outgoing = memoryview(data)
        else:
            self._end_input()

    def _end_input(self) -> None:
        self._input_open = False
        self._outgoing = memoryview(b"")
        try:
            self._connection.end_input()
        except OSError:  # the command has ended meanwhile: what it wrote is still to be read
            return

    def _send(self) -> None:
        try:
            self._outgoing = self._outgoing[self._connection.send(bytes(self._outgoing)) :]
        except BlockingIOError:
            return
        except OSError:  # as above: nobody reads it any more
            self._end_input()

    def _receive(self) -> bool:
        try:
            data = self._connection.receive()
        except BlockingIOError:
            return True
        if self._frames is None:
            if data:
                self._sink(1, data)
        else:
            for stream, piece in self._frames.split(data):
                self._sink(2 if stream == 2 else 1, piece)
        return bool(data)


def pass_on(stream: int, data: bytes) -> None:
    """Write to this process's own stdout (1) or stderr (2), all of it, as it is.

    Raises:
        BrokenPipeError: nobody reads it any more.
    """
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(stream, left) :]
        except BlockingIOError:  # some other program has set the descriptor so
            select.select((), (stream,), ())


class Capture:
    """A sink that keeps the first ``limit`` bytes of each stream and notes whether more came."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.cut = False
        self._kept = {1: bytearray(), 2: bytearray()}

    def __call__(self, stream: int, data: bytes) -> None:
        """Take what a container wrote."""
        kept = self._kept[stream]
        room = self.limit - len(kept)
        kept += data[:room]
        self.cut = self.cut or len(data) > room

    def text(self, stream: int) -> str:
        """Return what was kept; bytes that are no UTF-8 become the replacement character."""
        return self._kept[stream].decode("utf-8", "replace")
