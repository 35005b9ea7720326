"""Commands in running containers, for people: created, started, resized, asked how they ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.engine.failures import translated
from mcpctl.errors import EngineFailed, NotFound

if TYPE_CHECKING:
    from mcpctl.engine.client import Engine

LONGEST_PAUSE = 0.5
RESIZE_TRIES = 20
RESIZE_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class ExecSpec:
    """One command to run in a running container; ``environment`` is ``KEY=value``."""

    container: str
    argv: tuple[str, ...]
    environment: tuple[str, ...] = ()
    user: str = ""
    working_dir: str | None = None
    privileged: bool = False
    tty: bool = False
    stdin: bool = True


def create_exec(engine: Engine, spec: ExecSpec) -> str:
    """Create an exec and return its id; nothing runs yet."""
    with translated(engine.endpoint, f"running {spec.argv[0]} in a container"):
        answer = engine.api.exec_create(
            spec.container,
            list(spec.argv),
            stdin=spec.stdin,
            tty=spec.tty,
            privileged=spec.privileged,
            user=spec.user,
            environment=list(spec.environment) or None,
            workdir=spec.working_dir,
        )
        return str(answer["Id"])


def start_detached(engine: Engine, exec_id: str) -> None:
    """Start an exec and leave it to the container."""
    with translated(engine.endpoint, "running a command in a container"):
        engine.api.exec_start(exec_id, detach=True)


def resize_exec(engine: Engine, exec_id: str, size: tuple[int, int]) -> None:
    """Tell an exec's terminal its lines and columns; one that has ended needs none."""
    lines, columns = size
    for _ in range(RESIZE_TRIES):
        try:
            with translated(engine.endpoint, "resizing a terminal"):
                engine.api.exec_resize(exec_id, lines, columns)
        except (EngineFailed, NotFound):  # it has not come up yet, or has ended
            if not _comes_up(engine, exec_id):
                return
            time.sleep(RESIZE_PAUSE)
        else:
            return


def _comes_up(engine: Engine, exec_id: str) -> bool:
    with translated(engine.endpoint, "asking for a command"):
        return engine.api.exec_inspect(exec_id)["ExitCode"] is None


def exit_code(engine: Engine, exec_id: str, *, limit: float | None = None) -> int | None:
    """Wait for an exec's end and return its exit code; None where it still runs after ``limit`` seconds.

    The stream ends a moment before the engine has noted the code, or long before where the command has closed
    its output.
    """
    deadline = None if limit is None else time.monotonic() + limit
    pause = 0.01
    while True:
        with translated(engine.endpoint, "asking how a command ended"):
            state = engine.api.exec_inspect(exec_id)
        if not state["Running"] and state["ExitCode"] is not None:
            return int(state["ExitCode"])
        if deadline is not None and time.monotonic() >= deadline:
            return None
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
