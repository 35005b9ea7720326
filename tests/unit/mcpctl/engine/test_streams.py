"""Frames and log lines, cut wherever the wire may cut them."""

from __future__ import annotations

import io
import struct
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpctl.engine import streams
from mcpctl.engine.build import split_reference
from mcpctl.engine.streams import ExecTimedOut

if TYPE_CHECKING:
    from collections.abc import Iterator

TIME = "2024-05-06T07:08:09.123456789Z"


def frame(stream: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(payload)) + payload


class Trickle(io.BytesIO):
    """A stream that hands out a few bytes at a time, as a slow socket does."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self._step = step

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(min(size or self._step, self._step) if size and size > 0 else self._step)


def frames(*items: tuple[int, bytes]) -> Iterator[tuple[int, bytes]]:
    return iter(items)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=60)), max_size=6), st.integers(1, 9))
def test_an_execs_output_is_put_together_from_any_pieces(sent: list[tuple[int, bytes]], step: int) -> None:
    wire = b"".join(frame(stream, payload) for stream, payload in sent)
    read = streams._read_frames(Trickle(wire, step), time.monotonic() + 60)
    assert read == b"".join(payload for _stream, payload in sent)


def test_output_beyond_the_limit_is_read_and_dropped() -> None:
    wire = frame(1, b"a" * streams.OUTPUT_LIMIT) + frame(1, b"b" * 10)
    stream = Trickle(wire, 5000)
    assert streams._read_frames(stream, time.monotonic() + 60) == b"a" * streams.OUTPUT_LIMIT
    assert stream.read() == b""


@pytest.mark.parametrize("cut", [3, 8, 10])
def test_a_stream_that_ends_in_the_middle_of_a_frame_gives_what_came(cut: int) -> None:
    wire = frame(1, b"whole") + frame(1, b"lost half")[:cut]
    assert streams._read_frames(Trickle(wire, 100), time.monotonic() + 60).startswith(b"whole")


def test_a_deadline_that_has_passed_ends_the_reading() -> None:
    with pytest.raises(ExecTimedOut):
        streams._read_frames(Trickle(frame(1, b"x"), 1), time.monotonic() - 1)


def test_a_line_cut_over_frames_is_one_line() -> None:
    found = list(
        streams._log_lines(
            "c", frames((1, f"{TIME} he".encode()), (2, f"{TIME} err\n".encode()), (1, b"llo\n"))
        )
    )
    assert [(line.stream, line.timestamp, line.text) for line in found] == [
        ("stderr", TIME, "err"),
        ("stdout", TIME, "hello"),
    ]


def test_a_last_line_without_an_end_is_not_lost() -> None:
    (line,) = streams._log_lines("c", frames((1, f"{TIME} tail".encode())))
    assert line.text == "tail"


def test_a_long_line_does_not_keep_the_times_that_the_engine_puts_between_its_pieces() -> None:
    piece = b"x" * streams.PIECE
    stamp = f"{TIME} ".encode()
    (line,) = streams._log_lines("c", frames((1, stamp + piece), (1, stamp + piece), (1, stamp + b"end\n")))
    assert line.text == "x" * (2 * streams.PIECE) + "end"


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b" \n", ""),
        (b" a b\n", "a b"),
        (b" carriage\r\n", "carriage"),
        (b" \xff\xfe\n", "\ufffd\ufffd"),
    ],
)
def test_odd_lines_are_read(wire: bytes, text: str) -> None:
    (line,) = streams._log_lines("c", frames((1, TIME.encode() + wire)))
    assert line.text == text


@given(st.lists(st.text(alphabet="abc ", max_size=8), min_size=1, max_size=5), st.integers(1, 40))
def test_lines_are_the_same_however_the_stream_is_cut(texts: list[str], step: int) -> None:
    wire = b"".join(f"{TIME} {text}\n".encode() for text in texts)
    pieces = ((1, wire[at : at + step]) for at in range(0, len(wire), step))
    assert [line.text for line in streams._log_lines("c", pieces)] == texts


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("python", ("python", "latest")),
        ("python:3.11-slim", ("python", "3.11-slim")),
        ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
        ("localhost:5000/a/b:1", ("localhost:5000/a/b", "1")),
        ("a@sha256:abc", ("a", "sha256:abc")),
        ("localhost:5000/a:1@sha256:abc", ("localhost:5000/a", "sha256:abc")),
    ],
)
def test_a_reference_is_split_into_name_and_tag_or_digest(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts
