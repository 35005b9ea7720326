"""Run commands in containers and read logs: the engine's multiplexed streams, always with a deadline.

The SDK reads an exec without any limit and leaves its socket open, so the frames are read here.
Frame format: one byte of stream, three of padding, four of length (big endian), then the payload.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any, Literal

from mcpctl.engine.failures import translated
from mcpctl.engine.types import ExecResult, LogLine
from mcpctl.errors import EngineFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcpctl.engine.client import Engine

OUTPUT_LIMIT = 64 * 1024
"""Bytes of an exec's output that are kept; the rest is read and dropped."""

PIECE = 16 * 1024
"""Bytes in which the engine keeps a longer line; it repeats the line's time before each piece."""

_HEADER = struct.Struct(">BxxxL")


class ExecTimedOut(EngineFailed):
    """A command in a container did not end in time."""


def run_in_container(engine: Engine, container: str, argv: Sequence[str], *, timeout: float) -> ExecResult:
    """Run a command in a running container as its own user and wait for its end, at most ``timeout`` seconds.

    Raises:
        ExecTimedOut: the command still runs; it is left to the container.
    """
    deadline = time.monotonic() + timeout
    with translated(engine.endpoint, f"running {argv[0]} in {container}"):
        exec_id = str(engine.api.exec_create(container, list(argv))["Id"])
        answer = engine.api.post(
            f"{engine.api.base_url}/v{engine.api.api_version}/exec/{exec_id}/start",
            json={"Detach": False, "Tty": False},
            stream=True,
            timeout=(10, timeout),
        )
        with answer:
            engine.api._raise_for_status(answer)  # noqa: SLF001 - the SDK's one way to its own errors
            output = _read_frames(answer.raw, deadline)
        exit_code = _exit_code(engine, exec_id, deadline)
    return ExecResult(exit_code, output.decode("utf-8", "replace"))


def _exit_code(engine: Engine, exec_id: str, deadline: float) -> int:
    """Return the exit code; the stream may end a moment before the engine has noted it."""
    while True:
        state = engine.api.exec_inspect(exec_id)
        if not state["Running"] and state["ExitCode"] is not None:
            return int(state["ExitCode"])
        if time.monotonic() >= deadline:
            raise ExecTimedOut("the command did not end in time")
        time.sleep(0.01)


def _read_frames(raw: Any, deadline: float) -> bytes:
    kept = bytearray()
    while header := _read_exactly(raw, _HEADER.size, deadline):
        if len(header) < _HEADER.size:
            break  # the container was killed in the middle of a frame
        _stream, length = _HEADER.unpack(header)
        payload = _read_exactly(raw, length, deadline)
        kept += payload[: max(0, OUTPUT_LIMIT - len(kept))]
    return bytes(kept)


def _read_exactly(raw: Any, count: int, deadline: float) -> bytes:
    """Read ``count`` bytes, fewer only at the stream's end."""
    from urllib3.exceptions import ReadTimeoutError

    data = bytearray()
    while len(data) < count:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise ExecTimedOut("the command did not end in time")
        _limit(raw, remaining)
        try:
            piece = raw.read1(count - len(data))
        except ReadTimeoutError:
            raise ExecTimedOut("the command did not end in time") from None
        if not piece:
            break
        data += piece
    return bytes(data)


def _limit(raw: Any, seconds: float) -> None:
    """Bound the next read: the HTTP library's own limit starts anew with each byte that comes."""
    reader = getattr(getattr(raw, "_fp", None), "fp", None)
    sock = getattr(getattr(reader, "raw", None), "_sock", None)
    if sock is not None:
        sock.settimeout(seconds)


def logs(
    engine: Engine,
    container: str,
    *,
    tail: int | None = None,
    since: float | None = None,
    until: float | None = None,
    follow: bool = False,
) -> Iterator[LogLine]:
    """Yield a container's log lines with the engine's timestamps, oldest first.

    ``since`` and ``until`` are Unix times. With ``follow`` the stream ends when the container does.
    """
    with translated(engine.endpoint, f"reading the log of {container}"):
        tty = bool(engine.api.inspect_container(container)["Config"]["Tty"])
        answer = engine.api.get(
            f"{engine.api.base_url}/v{engine.api.api_version}/containers/{container}/logs",
            params={
                "stdout": 1,
                "stderr": 1,
                "timestamps": 1,
                "follow": int(follow),
                "tail": "all" if tail is None else tail,
                **({"since": since} if since is not None else {}),
                **({"until": until} if until is not None else {}),
            },
            stream=True,
            timeout=(10, None),  # a quiet container may say nothing for hours
        )
        with answer:
            engine.api._raise_for_status(answer)  # noqa: SLF001 - the SDK's one way to its own errors
            yield from _log_lines(container, _tty_chunks(answer.raw) if tty else _log_frames(answer.raw))


def _tty_chunks(raw: Any) -> Iterator[tuple[int, bytes]]:
    while piece := raw.read1(16 * 1024):
        yield 1, piece


def _log_frames(raw: Any) -> Iterator[tuple[int, bytes]]:
    while len(header := raw.read(_HEADER.size)) == _HEADER.size:
        stream, length = _HEADER.unpack(header)
        yield stream, raw.read(length)


def _log_lines(container: str, frames: Iterator[tuple[int, bytes]]) -> Iterator[LogLine]:
    """Split frames into lines; the engine may cut a long line over several frames."""
    pending: dict[int, bytes] = {}
    for stream, payload in frames:
        *lines, rest = (pending.pop(stream, b"") + payload).split(b"\n")
        if rest:
            pending[stream] = rest
        for line in lines:
            yield _log_line(container, stream, line)
    for stream, line in pending.items():
        yield _log_line(container, stream, line)


def _log_line(container: str, stream: int, line: bytes) -> LogLine:
    timestamp, _, text = line.decode("utf-8", "replace").rstrip("\r").partition(" ")
    if len(text) > PIECE:
        text = text.replace(f"{timestamp} ", "")
    name: Literal["stdout", "stderr"] = "stderr" if stream == 2 else "stdout"
    return LogLine(container, name, timestamp, text)
