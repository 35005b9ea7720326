"""Run the machine's own programs: bounded in time, line by line, and never left behind."""

from __future__ import annotations

import contextlib
import os
import queue
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from mcpctl.errors import McpctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    Report = Callable[[str], None]

KEPT_LINES = 15
QUIET_SECONDS = 0.25


def ignore(line: str) -> None:
    """Take a progress line and drop it."""


def spell(argv: Sequence[str]) -> str:
    """Write a command as one would type it."""
    return shlex.join(argv)


def run(
    argv: Sequence[str],
    *,
    seconds: float,
    report: Report = ignore,
    environment: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Run a command to its end and return its last lines, stdout and stderr as they came.

    Raises McpctlError, with those lines, when the command is missing, fails or outlasts ``seconds``.
    """
    last: deque[str] = deque(maxlen=KEPT_LINES)
    deadline = time.monotonic() + seconds
    with _started(argv, environment) as process:
        for line in _lines(process, deadline):
            last.append(line)
            report(line)
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = None
    if status == 0:
        return tuple(last)
    how = f"did not finish within {seconds:.0f} s" if status is None else f"ended with status {status}"
    raise failed(argv, how, tuple(last))


def failed(argv: Sequence[str], how: str, last: Sequence[str]) -> McpctlError:
    """Make the error for a command that went wrong, its last words included."""
    said = f": {last[-1]}" if last else ""
    return McpctlError(
        f"{argv[0]} {how}{said}",
        hint=f"see what it says: {spell(argv)}",
        details={"command": spell(argv), "last_lines": list(last)},
    )


@contextlib.contextmanager
def _started(
    argv: Sequence[str], environment: Mapping[str, str] | None
) -> Generator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise failed(argv, "is not installed", ()) from error
    except OSError as error:
        raise failed(argv, f"cannot be run ({error.strerror})", ()) from error
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[bytes], *, grace: float = 5.0) -> None:
    """End a process that leads its session, and its children: politely, then by force after ``grace`` s.

    What a command left running when it ended by itself, a service it started, stays.
    """
    if process.poll() is not None:
        return
    _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _lines(process: subprocess.Popen[bytes], deadline: float) -> Iterator[str]:
    """Yield output lines until their end, the command's end or the deadline.

    A service that the command started may hold the pipe open for ever, so its end is not waited for.
    """
    arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_pump, args=(process, arrived), daemon=True).start()
    while (left := deadline - time.monotonic()) > 0:
        ended = process.poll() is not None
        try:
            line = arrived.get(timeout=min(left, QUIET_SECONDS))
        except queue.Empty:
            if ended:
                return
            continue
        if line is None:
            return
        yield line


def _pump(process: subprocess.Popen[bytes], arrived: queue.SimpleQueue[str | None]) -> None:
    if process.stdout is not None:
        with process.stdout as output:
            for raw in output:
                arrived.put(raw.decode(errors="replace").rstrip())
    arrived.put(None)
