"""`up` and `build`: observe, plan, apply, prove ready."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from mcpctl.errors import PortTaken
from mcpctl.stack.apply import Applier
from mcpctl.stack.diagnosis import diagnose, unhealthy
from mcpctl.stack.executor import Progress, execute
from mcpctl.stack.images import BuildChoice, perform_image_step, plan_images
from mcpctl.stack.observe import observe, observe_containers, observe_images, service_of
from mcpctl.stack.order import selected
from mcpctl.stack.plan import UpChoice, plan_up, unlabelled
from mcpctl.stack.readiness import Deadline, Watch, at_first_sight, wait_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mcpctl.compose.model import Project, Service
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container
    from mcpctl.stack.images import PullPolicy
    from mcpctl.stack.observe import Observed
    from mcpctl.stack.readiness import Assessment
    from mcpctl.stack.steps import Plan

WAIT_SECONDS = 120.0


class Reporter(Progress, Watch, Protocol):
    """What is told while a stack comes up."""

    def line(self, text: str) -> None:
        """A builder said something."""


@dataclass(frozen=True, slots=True)
class UpRequest:
    """Everything that `up` was asked for; images of ``built`` services were made just before.

    ``building`` is how images are built where one is to be.
    """

    choice: UpChoice = field(default_factory=UpChoice)
    build: bool = False
    no_build: bool = False
    pull: PullPolicy | None = None
    built: frozenset[str] = frozenset()
    building: BuildChoice = field(default_factory=BuildChoice)
    wait: bool = True
    wait_timeout: float = WAIT_SECONDS
    stop_timeout: int | None = None


@dataclass(frozen=True, slots=True)
class UpResult:
    """What `up`, `start` and their kin did."""

    steps: Plan
    ready: tuple[Assessment, ...]
    warnings: tuple[str, ...]


def plan_for_up(engine: Engine, project: Project, request: UpRequest) -> Plan:
    """Return the steps that `up` would run now, images included (for `--dry-run`)."""
    chosen = selected(project, request.choice.services, with_dependencies=not request.choice.no_deps)
    observed = observe(engine, project)
    images = _plan_images(project, observed, chosen, request)
    return (*images, *plan_up(project, observed, request.choice))


def _plan_images(project: Project, observed: Observed, chosen: frozenset[str], request: UpRequest) -> Plan:
    return plan_images(
        project,
        observed.images,
        chosen - request.built,
        rebuild=request.build,
        pull=request.pull,
        no_build=request.no_build,
    )


def up(
    engine: Engine,
    project: Project,
    request: UpRequest,
    reporter: Reporter,
    find_holder: Callable[[str, int], str | None],
) -> UpResult:
    """Bring a project up and prove it ready.

    Raises:
        PortTaken: a port is held by somebody else; nothing was changed.
        Unhealthy: a service did not become ready in time; the healthy part stays up.
    """
    chosen = selected(project, request.choice.services, with_dependencies=not request.choice.no_deps)
    observed = observe(engine, project)
    image_steps = _plan_images(project, observed, chosen, request)
    if image_steps:
        run_image_steps(engine, project, image_steps, request.building, reporter)
        observed = replace(observed, images=observe_images(engine, project))
    plan = plan_up(project, observed, request.choice)
    check_ports(engine, project, observed, plan, find_holder)
    applier = Applier(
        engine,
        project,
        observed,
        reporter,
        wait_timeout=request.wait_timeout,
        stop_timeout=request.stop_timeout,
    )
    execute(plan, applier.perform, reporter, applier.cancel)
    deadline = applier.deadline
    ready = prove_ready(engine, project, chosen, request, reporter, deadline) if request.wait else ()
    orphans = () if request.choice.remove_orphans else observed.orphans(project)
    warnings = [*unlabelled(project, observed), *applier.warnings, *stray(orphans)]
    return UpResult((*image_steps, *plan), ready, tuple(warnings))


def stray(orphans: Iterable[Container]) -> tuple[str, ...]:
    """Warn about containers that no command but `clean` and --remove-orphans touches."""
    names = ", ".join(container.name for container in orphans)
    if not names:
        return ()
    return (f"containers of services that are no longer in the files: {names} (mcpctl clean removes them)",)


def run_image_steps(
    engine: Engine, project: Project, steps: Plan, choice: BuildChoice, reporter: Reporter
) -> None:
    """Build and pull one after the other: stages that images share are then built once."""
    reporter.planned(steps)
    for step in steps:
        reporter.started(step)
        try:
            perform_image_step(engine, project, step, choice, reporter.line)
        except BaseException as error:
            reporter.failed(step, error)
            raise
        reporter.finished(step)


def prove_ready(
    engine: Engine,
    project: Project,
    chosen: frozenset[str],
    request: UpRequest,
    reporter: Watch,
    deadline: Deadline | None = None,
) -> tuple[Assessment, ...]:
    """Wait for the chosen services, to ``deadline`` where the run has waited already.

    Raises:
        Unhealthy: with a diagnosis of each culprit (exit 7).
    """
    containers = [item for item in observe_containers(engine, project.name) if service_of(item) in chosen]
    deadline = deadline or Deadline(request.wait_timeout)
    known = {item.id: look for item in containers if (look := at_first_sight(engine, item))}
    for item in known.values():
        reporter.assessed(service_of(item.container), item)
    rest = [item for item in containers if item.id not in known]
    waited = wait_ready(engine, rest, timeout=deadline.left(), watch=reporter)
    found = tuple(sorted((*known.values(), *waited), key=lambda item: item.container.name))
    late = [item for item in found if item.verdict != "ready"]
    if late:
        raise unhealthy([diagnose(engine, item) for item in late], timeout=deadline.seconds)
    return found


def check_ports(
    engine: Engine,
    project: Project,
    observed: Observed,
    plan: Plan,
    find_holder: Callable[[str, int], str | None],
) -> None:
    """Refuse before anything is created when a port to publish is held by somebody else."""
    own = {port.host_port for item in observed.containers if item.running for port in item.ports}
    for step in plan:
        if step.action == "start container" and step.service:
            for address, port in _fixed_ports(project.services[step.service]):
                if port not in own:
                    _check_port(engine, step.service, address, port, find_holder)


def _fixed_ports(service: Service) -> list[tuple[str, int]]:
    return [
        (port.host_ip, int(port.published))
        for port in service.ports
        if port.published.isdigit() and port.protocol == "tcp"
    ]


def _check_port(
    engine: Engine, service: str, address: str, port: int, find_holder: Callable[[str, int], str | None]
) -> None:
    container = engine.container_publishing(port, address)
    holder = f"container {container}" if container else find_holder(address, port)
    if holder is None:
        return
    free = f"docker stop {container}" if container else f"stop {holder}"
    raise PortTaken(
        f"{service}: port {port} is taken by {holder}",
        hint=f"{free}, or publish another port (.env, or ports in the compose file)",
        details={"service": service, "port": port, "address": address, "holder": holder},
    )
