"""`exec` and `shell`: a command in a service's running container."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.engine import terminal
from mcpctl.engine.execs import ExecSpec, create_exec, exit_code, resize_exec, start_detached
from mcpctl.engine.hijack import open_exec
from mcpctl.engine.relay import Capture, Relay, pass_on
from mcpctl.engine.signals import Signals
from mcpctl.engine.terminal import has_terminal
from mcpctl.errors import NotFound
from mcpctl.stack.observe import number_of, observe_containers, service_of
from mcpctl.stack.order import require_known, require_service

if TYPE_CHECKING:
    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.relay import Sink
    from mcpctl.engine.types import Container

__all__ = ["has_terminal"]

OUTPUT_LIMIT = 1024 * 1024
"""Bytes of each stream that a document of `-o json` holds."""
DETACHED_SECONDS = 2.0
"""A terminal's stream that has ended while its command runs on has been left with Ctrl-P Ctrl-Q."""
BEST_SHELL = (
    "/bin/sh",
    "-c",
    "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi",
)


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """What to run where. ``index`` 0 is the first running replica; ``environment`` is ``KEY=value``."""

    service: str
    command: tuple[str, ...]
    environment: tuple[str, ...] = ()
    user: str = ""
    working_dir: str | None = None
    index: int = 0
    privileged: bool = False


def running_replica(engine: Engine, project: Project, service: str, index: int = 0) -> Container:
    """Return the container to run a command in: the first running one, or number ``index``.

    Raises:
        NotFound: there is no such service, or it does not run (exit 10).
    """
    require_known(project, service)
    found = [item for item in observe_containers(engine, project.name) if service_of(item) == service]
    if not found:
        require_service(project, service)
    for container in sorted(found, key=number_of):
        if container.state == "running" and index in {0, number_of(container)}:
            return container
    which = f"container {index} of service {service}" if index else f"service {service}"
    states = sorted({item.state for item in found if index in {0, number_of(item)}})
    hint = f"mcpctl up --scale {service}={index}" if index and not states else f"mcpctl up {service}"
    raise NotFound(
        f"{which} is not running ({', '.join(states) or 'it does not exist'})",
        hint=hint,
        details={"service": service, "index": index or None},
    )


def first_running_service(engine: Engine, project: Project) -> str:
    """Return the first service of the file that runs.

    Raises:
        NotFound: none does (exit 10).
    """
    running = {
        service_of(item) for item in observe_containers(engine, project.name) if item.state == "running"
    }
    for name in project.services:
        if name in running:
            return name
    raise NotFound(f"no service of {project.name} is running", hint="mcpctl up")


def exec_detached(engine: Engine, project: Project, request: ExecRequest) -> Container:
    """Start a command and leave it to the container, which is returned."""
    container = running_replica(engine, project, request.service, request.index)
    start_detached(engine, create_exec(engine, _spec(container, request, tty=False, stdin=False)))
    return container


def exec_here(engine: Engine, project: Project, request: ExecRequest, *, tty: bool) -> int:
    """Run a command with this process's own streams, or its terminal, and return its exit code."""
    container = running_replica(engine, project, request.service, request.index)
    return _run(engine, _spec(container, request, tty=tty, stdin=True), pass_on)


def exec_captured(engine: Engine, project: Project, request: ExecRequest) -> tuple[Container, int, Capture]:
    """Run a command and keep what it writes, at most OUTPUT_LIMIT bytes of each stream."""
    container = running_replica(engine, project, request.service, request.index)
    capture = Capture(OUTPUT_LIMIT)
    return container, _run(engine, _spec(container, request, tty=False, stdin=True), capture), capture


def _spec(container: Container, request: ExecRequest, *, tty: bool, stdin: bool) -> ExecSpec:
    return ExecSpec(
        container=container.id,
        argv=request.command,
        environment=request.environment,
        user=request.user,
        working_dir=request.working_dir,
        privileged=request.privileged,
        tty=tty,
        stdin=stdin,
    )


def _run(engine: Engine, spec: ExecSpec, sink: Sink) -> int:
    exec_id = create_exec(engine, spec)

    def fit() -> None:
        if size := terminal.size():
            resize_exec(engine, exec_id, size)

    actions = {signal.SIGWINCH: fit} if spec.tty else {}
    with terminal.raw() if spec.tty else nullcontext(), Signals(actions) as signals:
        connection = open_exec(engine, exec_id, tty=spec.tty)
        try:
            if spec.tty:
                fit()
            Relay(connection, terminal.STDIN, sink, framed=not spec.tty).run(signals)
        finally:
            connection.close()
        code = exit_code(engine, exec_id, limit=DETACHED_SECONDS if spec.tty else None)
    return 0 if code is None else code
