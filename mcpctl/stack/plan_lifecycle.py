"""Plan `start`, `stop` and `restart`: containers that exist, in the order of ``depends_on``. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.errors import NotFound
from mcpctl.stack.conditions import Runs, conditions
from mcpctl.stack.observe import service_of
from mcpctl.stack.order import in_start_order, require_service, selected
from mcpctl.stack.plan_down import stop_steps
from mcpctl.stack.steps import Plan, Step

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mcpctl.compose.model import Project
    from mcpctl.engine.types import Container
    from mcpctl.stack.observe import Observed

_RUNNING = frozenset({"running", "restarting"})
_ALIVE = _RUNNING | {"paused"}


@dataclass(frozen=True, slots=True)
class LifecycleChoice:
    """Which services to start, stop or restart; all of them where none is named."""

    services: tuple[str, ...] = ()
    no_deps: bool = False


def to_start(project: Project, observed: Observed, choice: LifecycleChoice) -> tuple[str, ...]:
    """Return the services that `start` works on, in start order: the chosen ones and what they need.

    Raises:
        NotFound: one of them has no container, or none is there at all.
    """
    named = choice.services or tuple(name for name in project.services if observed.of(name))
    if not named:
        raise _nothing_there(project, "start")
    wanted = selected(project, named, with_dependencies=True)
    found: list[str] = []
    for name in in_start_order(project):
        if name not in wanted:
            continue
        if observed.of(name):
            found.append(name)
        elif project.services[name].scale and (name in named or _required(project, wanted, name)):
            raise _no_container(name, "start")
    return tuple(found)


def plan_start(project: Project, observed: Observed, choice: LifecycleChoice) -> Plan:
    """Return the steps that start what is stopped, dependencies first, their conditions awaited.

    Raises:
        NotFound: a service has no container (exit 10).
    """
    services = to_start(project, observed, choice)
    reasons = {
        container.id: f"it is {container.state}"
        for name in services
        for container in observed.of(name)
        if container.state not in _RUNNING
    }
    return tuple(_start_steps(project, observed, services, reasons))


def plan_stop(project: Project, observed: Observed, choice: LifecycleChoice) -> Plan:
    """Return the steps that stop what runs, dependents first; services of other profiles are stopped too.

    Raises:
        NotFound: a name is no service of the project (exit 10).
    """
    for name in choice.services:
        if name not in project.disabled:
            require_service(project, name)
    wanted = set(choice.services) or {*project.services, *project.disabled}
    alive = tuple(item for item in observed.containers if item.state in _ALIVE and service_of(item) in wanted)
    return tuple(stop_steps(project, alive, "it is to be stopped"))


def to_restart(project: Project, observed: Observed, choice: LifecycleChoice) -> tuple[str, ...]:
    """Return the services that `restart` works on, in start order.

    Those that depend on a chosen one with ``restart: true`` follow it, unless told otherwise.

    Raises:
        NotFound: a chosen service has no container, or none is there at all.
    """
    named = choice.services or tuple(name for name in project.services if observed.of(name))
    if not named:
        raise _nothing_there(project, "restart")
    wanted = set(selected(project, named, with_dependencies=False))
    for name in in_start_order(project):
        if name in named and not observed.of(name) and project.services[name].scale:
            raise _no_container(name, "restart")
        if not choice.no_deps and _leaders(project, name) & wanted:
            wanted.add(name)
    return tuple(name for name in in_start_order(project) if name in wanted and observed.of(name))


def plan_restart(project: Project, observed: Observed, choice: LifecycleChoice) -> Plan:
    """Return the steps that stop services, dependents first, and start them again, dependencies first.

    A dependency that is not restarted itself is not waited for, as in docker compose.

    Raises:
        NotFound: a service has no container (exit 10).
    """
    services = to_restart(project, observed, choice)
    alive = tuple(item for name in services for item in observed.of(name) if item.state in _ALIVE)
    reasons = {
        container.id: _why_restart(project, choice, container, services)
        for name in services
        for container in observed.of(name)
    }
    stops = stop_steps(project, alive, "it is restarted")
    return (*stops, *_start_steps(project, observed, services, reasons, stops))


def _start_steps(
    project: Project,
    observed: Observed,
    services: Sequence[str],
    reasons: Mapping[str, str],
    stops: Sequence[Step] = (),
) -> list[Step]:
    """Start each container that has a reason, after its own stop and what its service waits for."""
    steps: list[Step] = []
    started: dict[str, list[str]] = {}
    stopped = {step.id for step in stops}
    for name in services:
        containers = [item for item in observed.of(name) if item.id in reasons]
        if not containers:
            continue
        needs = conditions(project.services[name], frozenset(services), Runs(started), steps)
        for container in containers:
            own = f"stop:{container.id}"
            frozen = container.state == "paused" and own not in stopped
            step = Step(
                f"start:{container.id}",
                "unpause container" if frozen else "start container",
                container.name,
                (reasons[container.id],),
                (own, *needs) if own in stopped else needs,
                service=name,
                subject=container.id,
            )
            steps.append(step)
            started.setdefault(name, []).append(step.id)
    return steps


def _why_restart(
    project: Project, choice: LifecycleChoice, container: Container, services: Collection[str]
) -> str:
    if container.state not in _ALIVE:
        return f"it is {container.state}"
    name = service_of(container)
    if name in choice.services or not choice.services:
        return "it is restarted"
    leader = min(_leaders(project, name) & set(services))
    return f"{leader} is restarted and depends_on.{leader}.restart is true"


def _leaders(project: Project, name: str) -> set[str]:
    """Return the services whose restart restarts this one."""
    return {other for other, edge in project.services[name].depends_on.items() if edge.restart}


def _required(project: Project, services: Collection[str], name: str) -> bool:
    """Tell whether one of ``services`` cannot do without ``name``."""
    edges = [project.services[each].depends_on.get(name) for each in services]
    return any(edge and edge.required for edge in edges)


def _nothing_there(project: Project, verb: str) -> NotFound:
    return NotFound(f"project {project.name} has no container to {verb}", hint="mcpctl up")


def _no_container(name: str, verb: str) -> NotFound:
    return NotFound(
        f"service {name} has no container to {verb}", hint=f"mcpctl up {name}", details={"service": name}
    )
