"""Frames and kept output: any cut of the stream gives the same."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as some

from mcpctl.engine.relay import Capture, Frames

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
