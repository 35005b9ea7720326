"""The order of services by ``depends_on``. Pure."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from mcpctl.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpctl.compose.model import Project


def in_start_order(project: Project) -> tuple[str, ...]:
    """Return all services, each after those that it depends on.

    Raises:
        ConfigError: services depend on each other in a circle.
    """
    graph = {
        name: [dependency for dependency in service.depends_on if dependency in project.services]
        for name, service in project.services.items()
    }
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ConfigError(
            f"services depend on each other in a circle: {circle}", hint="remove one depends_on"
        ) from error


def dependents(project: Project, name: str) -> tuple[str, ...]:
    """Return the services that depend on this one, also by way of others, in start order."""
    found = {name}
    for other in in_start_order(project):
        if not found.isdisjoint(project.services[other].depends_on):
            found.add(other)
    return tuple(other for other in in_start_order(project) if other in found - {name})


def selected(project: Project, names: Iterable[str], *, with_dependencies: bool) -> frozenset[str]:
    """Return the services to work on: the named ones and what they depend on, or all.

    Raises:
        NotFound: a name is no service of the project (exit 10).
    """
    wanted = list(names)
    if not wanted:
        return frozenset(project.services)
    for name in wanted:
        require_service(project, name)
    chosen = set(wanted)
    while with_dependencies and wanted:
        service = project.services[wanted.pop()]
        fresh = {name for name in service.depends_on if name in project.services and name not in chosen}
        chosen |= fresh
        wanted += fresh
    return frozenset(chosen)


def require_known(project: Project, name: str) -> None:
    """Refuse a name that the file does not have; a service of a disabled profile may run all the same."""
    if name not in project.disabled:
        require_service(project, name)


def require_service(project: Project, name: str) -> None:
    """Refuse a name that is no enabled service, offering the nearest."""
    from difflib import get_close_matches

    if name in project.services:
        return
    if name in project.disabled:
        raise NotFound(
            f"service {name!r} belongs to a profile that is not enabled",
            hint=f"name its profile with --profile; known services: {', '.join(project.services)}",
            details={"service": name},
        )
    near = get_close_matches(name, project.services, n=1)
    offer = f"did you mean {near[0]!r}? " if near else ""
    raise NotFound(
        f"there is no service {name!r} in project {project.name}",
        hint=f"{offer}services: {', '.join(project.services) or 'none'}",
        details={"service": name},
    )
