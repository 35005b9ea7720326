"""`run`: bring up what a service needs, then run a command in a container of its own."""

from __future__ import annotations

import secrets
import signal
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from threading import Timer
from typing import TYPE_CHECKING

from mcpctl.engine import terminal
from mcpctl.engine.hijack import open_attach
from mcpctl.engine.relay import Capture, Relay, pass_on
from mcpctl.engine.signals import Signals
from mcpctl.engine.terminal import has_terminal
from mcpctl.engine.waiting import resize_container, signal_container, watch_end
from mcpctl.errors import EngineFailed, EngineUnreachable, McpctlError, NotFound
from mcpctl.stack.apply import Applier
from mcpctl.stack.commands import DETACHED_SECONDS, OUTPUT_LIMIT
from mcpctl.stack.executor import execute
from mcpctl.stack.images import plan_images
from mcpctl.stack.mounts import written_files
from mcpctl.stack.observe import observe, observe_images
from mcpctl.stack.oneoff import RunRequest, ground_of, oneoff_name, oneoff_service, plan_oneoff
from mcpctl.stack.order import require_service, selected
from mcpctl.stack.plan import unlabelled
from mcpctl.stack.up import run_image_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.relay import Sink
    from mcpctl.stack.images import BuildChoice
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import Reporter

__all__ = ["OUTPUT_LIMIT", "Capture", "has_terminal", "pass_on"]

NOT_EXECUTABLE = 126
NOT_FOUND = 127
NEW = "<new>"
"""Stands in a plan for the part of the name that is chosen when the container is made."""
_GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class OneOff:
    """A one-off container that is created and not started."""

    id: str
    name: str
    tty: bool
    remove: bool
    grace: float
    """Seconds that the command has to end after a signal before it is killed."""
    warnings: tuple[str, ...] = ()


class CannotStart(EngineFailed):
    """The command of a container cannot be run; ``shell_code`` is what a shell would say: 126 or 127."""

    code = "engine_failed"

    def __init__(self, error: EngineFailed, shell_code: int, name: str) -> None:
        super().__init__(error.message, hint=error.hint, details={**error.details, "container": name})
        self.shell_code = shell_code


def plan_for_run(engine: Engine, project: Project, request: RunRequest) -> Plan:
    """Return the steps that `run` would take, images included (for `--dry-run`)."""
    return _plan(engine, project, request, oneoff_name(project, request, NEW))


def _plan(engine: Engine, project: Project, request: RunRequest, name: str) -> Plan:
    require_service(project, request.service)
    observed = observe(engine, project)
    chosen = selected(project, [request.service], with_dependencies=not request.no_deps)
    images = plan_images(project, observed.images, chosen, rebuild=False)
    return (*images, *plan_oneoff(project, observed, request, name))


def prepare(
    engine: Engine,
    project: Project,
    request: RunRequest,
    reporter: Reporter,
    building: BuildChoice,
    *,
    tty: bool,
) -> OneOff:
    """Bring up what the service needs and create the container; hold the project's lock meanwhile.

    Raises:
        Unhealthy: a dependency did not become ready (exit 7).
    """
    service = oneoff_service(project, request, tty=tty)
    slug = secrets.token_hex(32)
    name = oneoff_name(project, request, slug)
    observed = observe(engine, project)
    chosen = selected(project, [request.service], with_dependencies=not request.no_deps)
    if images := plan_images(project, observed.images, chosen, rebuild=False):
        run_image_steps(engine, project, images, building, reporter)
        observed = replace(observed, images=observe_images(engine, project))
    plan = ground_of(plan_oneoff(project, observed, request, name))
    applier = Applier(engine, project, observed, reporter, wait_timeout=request.wait_timeout)
    execute(plan, applier.perform, reporter, applier.cancel)
    spec = applier.oneoff_spec(service, name, slug)
    streams = {"AttachStdin": True, "StdinOnce": True}
    host = {**spec.config["HostConfig"], "AutoRemove": request.remove}
    config = {**spec.config, **streams, "HostConfig": host}
    created = engine.create_container(name, config, spec.platform)
    grace = service.stop_grace_period
    oneoff = OneOff(
        created,
        name,
        tty=tty,
        remove=request.remove,
        grace=_GRACE_SECONDS if grace is None else grace / 1e9,
        warnings=(*unlabelled(project, observed), *applier.warnings),
    )
    with removed_unless_done(engine, oneoff):
        for network, settings in spec.later_networks.items():
            engine.connect(network, created, settings)
        if files := written_files(project, service):
            engine.write_files(created, files)
    return oneoff


@contextmanager
def removed_unless_done(engine: Engine, oneoff: OneOff) -> Generator[None]:
    """With ``--rm`` leave no container behind where something goes wrong before the engine removes it."""
    try:
        yield
    except BaseException:
        if oneoff.remove:
            with suppress(NotFound, EngineFailed, EngineUnreachable):  # the first error is the one to tell
                engine.remove_container(oneoff.id, force=True)
        raise


def start_detached(engine: Engine, oneoff: OneOff) -> None:
    """Start the container and leave it to itself."""
    with removed_unless_done(engine, oneoff):
        _start(engine, oneoff)


def run_attached(engine: Engine, oneoff: OneOff, sink: Sink) -> int:
    """Start the container with this process's streams, or its terminal, and return its exit code.

    Signals go to the command. One that does not end within its grace, or at a second signal, is killed.

    Raises:
        CannotStart: the command is not there or cannot be executed.
    """
    with removed_unless_done(engine, oneoff):
        return _Session(engine, oneoff).run(sink)


class _Session:
    def __init__(self, engine: Engine, oneoff: OneOff) -> None:
        self._engine = engine
        self._oneoff = oneoff
        self._deadline: Timer | None = None

    def run(self, sink: Sink) -> int:
        actions: dict[signal.Signals, Callable[[], None]] = {
            number: lambda number=number: self._pass(number) for number in (signal.SIGINT, signal.SIGTERM)
        }
        tty = self._oneoff.tty
        if tty:
            actions[signal.SIGWINCH] = self._fit
        connection = open_attach(self._engine, self._oneoff.id)
        try:
            with terminal.raw() if tty else nullcontext(), Signals(actions) as signals:
                ending = watch_end(self._engine, self._oneoff.id, removed=self._oneoff.remove)
                _start(self._engine, self._oneoff)
                if tty:
                    self._fit()
                Relay(connection, terminal.STDIN, sink, framed=not tty).run(signals)
                return ending.exit_code(signals, limit=DETACHED_SECONDS if tty else None) or 0
        finally:
            connection.close()
            if self._deadline:
                self._deadline.cancel()

    def _fit(self) -> None:
        if size := terminal.size():
            resize_container(self._engine, self._oneoff.id, size)

    def _pass(self, number: signal.Signals) -> None:
        """Hand a signal to the command; the second one kills it."""
        if self._deadline:
            self._kill()
            return
        self._deadline = Timer(self._oneoff.grace, self._kill_late)
        self._deadline.daemon = True
        self._deadline.start()
        signal_container(self._engine, self._oneoff.id, number.name)

    def _kill(self) -> None:
        signal_container(self._engine, self._oneoff.id, "SIGKILL")

    def _kill_late(self) -> None:
        with suppress(McpctlError):  # in a thread nobody would be told; a second signal tries again and tells
            self._kill()


def _start(engine: Engine, oneoff: OneOff) -> None:
    try:
        engine.start(oneoff.name)
    except (EngineFailed, NotFound) as error:
        if code := _shell_code(error.message):
            raise CannotStart(EngineFailed(error.message), code, oneoff.name) from error
        raise


def _shell_code(message: str) -> int | None:
    """Return the exit code that `docker run` gives to a start that fails for the command's sake."""
    if "executable file not found" in message or "no such file or directory" in message:
        return NOT_FOUND
    if "permission denied" in message or "is a directory" in message:
        return NOT_EXECUTABLE
    return None
