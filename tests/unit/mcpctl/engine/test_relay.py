"""Frames and kept output: any cut of the stream gives the same."""

from __future__ import annotations

import os
import socket
import struct
from threading import Thread
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as some

from mcpctl.engine.hijack import Connection
from mcpctl.engine.relay import Capture, Frames, Relay
from mcpctl.engine.signals import Signals

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = some.lists(some.tuples(some.sampled_from([1, 2]), some.binary(max_size=40)), max_size=8)


def encoded(frames: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack(">BxxxL", stream, len(data)) + data for stream, data in frames)


@given(FRAMES, some.integers(1, 60))
def test_frames_are_told_apart_however_they_are_cut(frames: list[tuple[int, bytes]], size: int) -> None:
    stream, splitter = encoded(frames), Frames()
    pieces = [found for at in range(0, len(stream), size) for found in splitter.split(stream[at : at + size])]
    for number in (1, 2):
        assert b"".join(data for which, data in pieces if which == number) == b"".join(
            data for which, data in frames if which == number
        )


@given(some.lists(some.binary(max_size=9), max_size=6), some.integers(0, 12))
def test_what_is_kept_is_the_beginning_and_a_cut_is_noted(pieces: list[bytes], limit: int) -> None:
    capture, whole = Capture(limit), b"".join(pieces)
    for piece in pieces:
        capture(1, piece)
    assert capture.text(1) == whole[:limit].decode("utf-8", "replace")
    assert capture.text(2) == ""
    assert capture.cut == (len(whole) > limit)


def test_more_than_a_socket_holds_goes_both_ways_and_the_end_of_input_is_told(tmp_path: Path) -> None:
    sent, found = os.urandom(3_000_000), bytearray()
    (tmp_path / "given").write_bytes(sent)
    ours, theirs = socket.socketpair()

    def echo() -> None:
        with theirs:
            while piece := theirs.recv(65536):
                theirs.sendall(piece)

    other_side = Thread(target=echo, daemon=True)
    other_side.start()
    with ours.makefile("rb") as answer, (tmp_path / "given").open("rb") as file, Signals({}) as signals:
        connection = Connection(answer, answer)
        Relay(connection, file.fileno(), lambda _stream, data: found.extend(data), framed=False).run(signals)
        connection.close()
    other_side.join(10)
    assert found == sent
