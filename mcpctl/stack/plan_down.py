"""Plan `down`, and the order in which things stop. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mcpctl.compose import labels
from mcpctl.stack.observe import service_of
from mcpctl.stack.order import dependents, in_start_order
from mcpctl.stack.steps import Plan, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpctl.compose.model import Project
    from mcpctl.engine.types import Container, Holding
    from mcpctl.stack.observe import Observed

_ANONYMOUS = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class DownChoice:
    """What `down` was asked for. Volumes go only when asked."""

    volumes: bool = False
    images: Literal["local", "all"] | None = None
    remove_orphans: bool = False


def plan_down(project: Project, observed: Observed, choice: DownChoice) -> Plan:
    """Return the steps that take a project away: dependents first, then what they stood on."""
    orphans = () if choice.remove_orphans else observed.orphans(project)
    leaving = tuple(item for item in observed.containers if item not in orphans)
    steps = [*_containers(project, leaving)]
    removed = tuple(step.id for step in steps if step.action == "remove container")
    kept = {name for orphan in orphans for name in orphan.network_ids} | {*networks_in_use(project, observed)}
    steps += _networks(project, observed, removed, kept)
    if choice.volumes:
        in_use = frozenset(volumes_in_use(observed, choice, project))
        steps += volume_steps(project, observed, removed, in_use)
        steps += anonymous_volume_steps(leaving, removed)
    if choice.images:
        steps += _images(project, observed, removed, choice.images)
    return tuple(steps)


def networks_in_use(project: Project, observed: Observed) -> dict[str, tuple[str, ...]]:
    """Return the project's networks on which containers of others run, with the names of those."""
    on_it = [item for item in observed.holdings if item.running]
    return {
        name: others
        for name in own_networks(project, observed)
        if (others := _others((item for item in on_it if name in item.networks), observed.containers))
    }


def volumes_in_use(observed: Observed, choice: DownChoice, project: Project) -> dict[str, tuple[str, ...]]:
    """Return the project's volumes that must stay since other containers hold them, with their names."""
    staying = () if choice.remove_orphans else observed.orphans(project)
    leaving = [item for item in observed.containers if item not in staying]
    return {
        name: others
        for name in _own_volumes(project, observed)
        if (others := _others((item for item in observed.holdings if name in item.volumes), leaving))
    }


def _others(users: Iterable[Holding], own: Iterable[Container]) -> tuple[str, ...]:
    known = {item.id for item in own}
    return tuple(sorted(item.container for item in users if item.container_id not in known))


def stop_steps(project: Project, containers: tuple[Container, ...], why: str) -> list[Step]:
    """Stop containers, each after those whose services depend on its own; in that order."""
    place = {name: -at for at, name in enumerate(in_start_order(project))}
    containers = tuple(sorted(containers, key=lambda item: place.get(service_of(item), -len(place))))
    by_service: dict[str, list[str]] = {}
    for container in containers:
        by_service.setdefault(service_of(container), []).append(f"stop:{container.id}")
    return [
        Step(
            f"stop:{container.id}",
            "stop container",
            container.name,
            (why,),
            needs=tuple(
                stop
                for name in dependents(project, service_of(container))
                for stop in by_service.get(name, ())
            ),
            service=service_of(container),
            subject=container.id,
        )
        for container in containers
    ]


def _containers(project: Project, containers: tuple[Container, ...]) -> list[Step]:
    stops = stop_steps(project, containers, "the stack goes down")
    removes = [
        Step(
            f"remove:{container.id}",
            "remove container",
            container.name,
            ("the stack goes down",),
            needs=(f"stop:{container.id}",),
            subject=container.id,
        )
        for container in containers
    ]
    return stops + removes


def own_networks(project: Project, observed: Observed) -> list[str]:
    """Return the names of the networks that were made for the project, never an external one's."""
    external = {spec.name for spec in project.networks.values() if spec.external}
    return [
        name
        for name, network in sorted(observed.networks.items())
        if network.labels.get(labels.PROJECT) == project.name and name not in external
    ]


def _networks(project: Project, observed: Observed, needs: tuple[str, ...], kept: set[str]) -> list[Step]:
    why = ("the stack goes down",)
    return [
        Step(f"network:{name}", "remove network", name, why, needs, subject=observed.networks[name].id)
        for name in own_networks(project, observed)
        if name not in kept
    ]


def _own_volumes(project: Project, observed: Observed) -> list[str]:
    external = {spec.name for spec in project.volumes.values() if spec.external}
    return [
        name
        for name, volume in sorted(observed.volumes.items())
        if volume.labels.get(labels.PROJECT) == project.name and name not in external
    ]


def volume_steps(
    project: Project, observed: Observed, needs: tuple[str, ...], kept: frozenset[str] = frozenset()
) -> list[Step]:
    """Remove the project's own named volumes but those in ``kept``, never an external one."""
    why = ("--volumes: its data is lost",)
    return [
        Step(f"volume:{name}", "remove volume", name, why, needs, subject=name)
        for name in _own_volumes(project, observed)
        if name not in kept
    ]


def anonymous_volume_steps(containers: tuple[Container, ...], needs: tuple[str, ...]) -> list[Step]:
    """Remove the volumes without a name of containers that go."""
    names = sorted({name for item in containers for name in item.volumes.values() if _ANONYMOUS.match(name)})
    why = "--volumes: it is anonymous and its container goes"
    return [Step(f"volume:{name}", "remove volume", name, (why,), needs, subject=name) for name in names]


def _images(
    project: Project, observed: Observed, needs: tuple[str, ...], which: Literal["local", "all"]
) -> list[Step]:
    own = {
        service.image_name(project.name)
        for service in project.services.values()
        if which == "all" or service.image is None
    }
    return [
        Step(f"image:{name}", "remove image", name, (f"--rmi {which}",), needs, subject=name)
        for name in sorted(own)
        if observed.images.get(name)
    ]
