"""Run mcpctl's whole command line in children that can be killed at a chosen point.

One process imports mcpctl once, and forks a child for each command. The child runs the same
``main`` as the installed command, from the arguments to the exit code; what is saved is the interpreter's
start and the imports, which no kill could interrupt in a way that the engine would notice.

Run as a program: reads one JSON request a line, ``{"argv": …, "kill": …}``, and answers each with the JSON of
an ``End``; a code below 0 is the signal that ended the child. A kill is ``["before" or "after", k]`` (at the
k-th call that changes something, before its request is sent or after its answer has come) or
``["at", seconds]`` (from outside, whatever happens then).
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Kill = tuple[str, float]


@dataclass(frozen=True)
class End:
    """How one command ended."""

    code: int
    calls: int
    seconds: float
    stdout: str
    stderr: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.stdout)
        return document


class Mortal:
    """The parent's side: one line there, one line back."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.mortal"],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *argv: str, kill: Kill | None = None) -> End:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"argv": argv, "kill": kill}) + "\n")
        self._process.stdin.flush()
        return End(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate(timeout=60)


class Counter:
    """Counts the requests that change something, and dies at one of them."""

    def __init__(self, report: IO[str], kill: Kill | None) -> None:
        self._report = report
        self._kill = kill if kill and kill[0] != "at" else None
        self._lock = Lock()
        self._calls = 0

    def install(self) -> None:
        """Stand in both ways that lead to an engine: the plain calls, and the SDK's."""
        from requests.adapters import HTTPAdapter

        from mcpctl.engine.local import Local

        self._stand_in(Local, "call", lambda _doing, request: request.method)
        self._stand_in(HTTPAdapter, "send", lambda request, **_settings: request.method)

    def _stand_in(self, kind: Any, name: str, method_of: Callable[..., str]) -> None:
        original = getattr(kind, name)

        def counted(this: Any, *given: Any, **settings: Any) -> Any:
            mine = self._count(method_of(*given, **settings))
            self._die("before", mine)
            answer = original(this, *given, **settings)
            self._die("after", mine)
            return answer

        setattr(kind, name, counted)

    def _count(self, method: str) -> int:
        if method in {"GET", "HEAD"}:
            return 0
        with self._lock:
            self._calls += 1
            self._report.seek(0)
            self._report.write(str(self._calls))
            self._report.flush()
            return self._calls

    def _die(self, moment: str, call: int) -> None:
        if self._kill == (moment, call):
            os.kill(os.getpid(), signal.SIGKILL)


def _serve() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        kill = request["kill"]
        if "mcpctl.main" not in sys.modules:
            _warm(request["argv"])
        end = _one(request["argv"], (kill[0], kill[1]) if kill else None)
        sys.stdout.write(json.dumps(end) + "\n")
        sys.stdout.flush()


def _warm(argv: list[str]) -> None:
    """Look at the project once in this process, so that everything is imported that a child will need."""
    from mcpctl.main import main

    globals_given = argv[: argv.index("-H") + 2]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        main([*globals_given, "up", "--dry-run", "-o", "json"])
    for name in ("mcpctl.output.progress", "mcpctl.stack.down", "mcpctl.stack.status"):
        import_module(name)


def _one(argv: list[str], kill: Kill | None) -> dict[str, object]:
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        tempfile.TemporaryFile("w+") as calls,
    ):
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            _child(argv, kill, (out, err, calls))
        if kill and kill[0] == "at":
            time.sleep(kill[1])
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        seconds = time.monotonic() - began
        for file in (out, err, calls):
            file.seek(0)
        return {
            "code": status,
            "calls": int(calls.read() or 0),
            "seconds": seconds,
            "stdout": out.read(),
            "stderr": err.read(),
        }


def _child(argv: list[str], kill: Kill | None, files: tuple[IO[str], IO[str], IO[str]]) -> None:
    from mcpctl.main import main

    out, err, calls = files
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 99
    try:
        Counter(calls, kill).install()
        code = main(argv)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
