"""Plan `clean`, `clean images` and `clean all`: what of a project goes, and what must stay. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mcpctl.compose import labels
from mcpctl.stack.observe import service_of
from mcpctl.stack.plan_down import anonymous_volume_steps, own_networks, stop_steps, volume_steps
from mcpctl.stack.steps import Plan, Step

if TYPE_CHECKING:
    from mcpctl.compose.model import Project
    from mcpctl.engine.types import Container, Holding, Image
    from mcpctl.stack.observe import Observed

Scope = Literal["leftovers", "images", "all"]

_ENDED = frozenset({"created", "exited", "dead"})


@dataclass(frozen=True, slots=True)
class CleanChoice:
    """What is to go. Volumes go only when asked for, and only with everything else."""

    scope: Scope = "leftovers"
    volumes: bool = False


@dataclass(frozen=True, slots=True)
class Belongings:
    """What the engine holds of a project, and its built images."""

    observed: Observed
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was meant to go and stays."""

    target: str
    why: str

    def to_json(self) -> dict[str, object]:
        """Return the form that `clean` prints."""
        return {"target": self.target, "why": self.why}


@dataclass(frozen=True, slots=True)
class CleanPlan:
    """The steps, what somebody else keeps in use, and what only looks like the project's."""

    steps: Plan
    kept: tuple[Kept, ...] = ()
    warnings: tuple[str, ...] = ()


def plan_clean(project: Project, found: Belongings, choice: CleanChoice) -> CleanPlan:
    """Return what goes: containers, then what they stood on, images newest first, volumes last."""
    containers = _containers(project, found.observed, choice.scope)
    steps = _container_steps(project, containers)
    removed = tuple(step.id for step in steps if step.action == "remove container")
    gone = {container.id for container, _ in containers}
    staying = tuple(item for item in found.observed.holdings if item.container_id not in gone)
    kept: list[Kept] = []
    warnings: list[str] = []
    if choice.scope != "images":
        steps += _networks(project, found.observed, staying, removed)
    for image in found.images:
        if choice.scope == "leftovers" and image.tags:
            continue
        names = own_names(project, image)
        if not names:
            warnings.append(
                f"image {', '.join(image.tags)} has this project's label under a name that the project "
                f"does not give; it stays (docker rmi {' '.join(image.tags)})"
            )
        elif users := [item.container for item in staying if item.image_id == image.id]:
            kept += [Kept(f"image {_shown(name)}", f"container {users[0]} uses it") for name in names]
        else:
            last = tuple(step.id for step in steps if step.action == "remove image")[-1:]
            steps += _image_steps(image, names, (*removed, *last))
    if choice.volumes:
        steps += volume_steps(project, found.observed, removed)
        steps += anonymous_volume_steps(tuple(item for item, _ in containers), removed)
    # what is in use is no leftover; only who wants everything gone is told that something stays
    return CleanPlan(tuple(steps), tuple(kept) if choice.scope == "all" else (), tuple(warnings))


def own_names(project: Project, image: Image) -> tuple[str, ...]:
    """Return the names under which the project made an image; its id where it has none at all.

    An image that somebody else built on one of the project's inherits its labels, so that a label alone
    does not make it the project's.
    """
    if not image.tags:
        return (image.id,)
    own = {f"{project.name}-{image.labels.get(labels.SERVICE, '')}"}
    for service in project.services.values():
        if service.build:
            own |= {_repository(name) for name in (service.image_name(project.name), *service.build.tags)}
    return tuple(tag for tag in image.tags if _repository(tag) in own)


def _repository(reference: str) -> str:
    """Return an image's name without its tag; a port in it stays."""
    head, colon, tail = reference.rpartition(":")
    name = head if colon and "/" not in tail else reference
    return name.removeprefix("docker.io/").removeprefix("library/")


def _containers(project: Project, observed: Observed, scope: Scope) -> list[tuple[Container, str]]:
    """Return the containers that go, each with the reason."""
    if scope == "images":
        return []
    orphans = {container.id for container in observed.orphans(project)}
    found: list[tuple[Container, str]] = []
    for container in observed.containers:
        if scope == "all":
            found.append((container, "everything of the project goes"))
        elif container.state in _ENDED and container.labels.get(labels.ONEOFF) == "True":
            found.append((container, "it was started by run and has ended"))
        elif container.id in orphans and container.labels.get(labels.ONEOFF) != "True":
            found.append((container, f"its service {service_of(container)} is no longer in the files"))
        elif container.state in _ENDED:
            found.append((container, f"it is {container.state}"))
    return found


def _container_steps(project: Project, containers: list[tuple[Container, str]]) -> list[Step]:
    alive = tuple(item for item, _ in containers if item.state not in _ENDED)
    why = {item.id: reason for item, reason in containers}
    stops = [replace(step, why=(why[step.subject],)) for step in stop_steps(project, alive, "")]
    stopped = {step.id for step in stops}
    removes = [
        Step(
            f"remove:{container.id}",
            "remove container",
            container.name,
            (reason,),
            needs=tuple(step for step in (f"stop:{container.id}",) if step in stopped),
            subject=container.id,
        )
        for container, reason in containers
    ]
    return [*stops, *removes]


def _networks(
    project: Project, observed: Observed, staying: tuple[Holding, ...], needs: tuple[str, ...]
) -> list[Step]:
    used = {name for item in staying for name in item.networks}
    return [
        Step(
            f"network:{name}",
            "remove network",
            name,
            ("no container is left on it",),
            needs,
            subject=observed.networks[name].id,
        )
        for name in own_networks(project, observed)
        if name not in used
    ]


def _image_steps(image: Image, names: tuple[str, ...], needs: tuple[str, ...]) -> list[Step]:
    """Remove an image's names one after the other; the last takes the image with it."""
    service = image.labels.get(labels.SERVICE, "")
    why = f"built for {service or 'the project'}" + ("" if image.tags else ", and replaced by a newer build")
    steps: list[Step] = []
    for name in names:
        step = Step(f"image:{name}", "remove image", _shown(name), (why,), needs, subject=name)
        steps.append(step)
        needs = (step.id,)
    return steps


def _shown(name: str) -> str:
    return name.removeprefix("sha256:")[:12] if name.startswith("sha256:") else name
