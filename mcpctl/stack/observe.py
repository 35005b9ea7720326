"""Take the frozen snapshot that plans are made from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mcpctl.compose import contents, labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container, Holding, Image, Network, Volume

_STRANDED = re.compile(r"^[0-9a-f]{12}_(?P<name>.+)$")


@dataclass(frozen=True, slots=True)
class Observed:
    """What the engine holds of a project; ``images``, ``networks`` and ``volumes`` are by name.

    ``contents`` are the digests of its secrets and configs (see ``compose.contents``). ``former_images`` are
    those that containers were made from and that have lost the name since, by id. ``holdings`` are what all
    containers of the engine keep in use; only ``observe_for_down`` asks for them.
    """

    containers: tuple[Container, ...]
    networks: Mapping[str, Network]
    volumes: Mapping[str, Volume]
    images: Mapping[str, Image | None]
    contents: Mapping[str, str] = field(default_factory=dict[str, str])
    former_images: Mapping[str, Image] = field(default_factory=dict[str, "Image"])
    holdings: tuple[Holding, ...] = ()

    def of(self, service: str) -> tuple[Container, ...]:
        """Return a service's replicas by their number, those stranded by a broken recreate left out."""
        own = [item for item in self.containers if service_of(item) == service and not stranded_name(item)]
        return tuple(sorted(own, key=number_of))

    def stranded(self, service: str) -> tuple[Container, ...]:
        """Return what an interrupted recreate of a service left behind."""
        return tuple(item for item in self.containers if service_of(item) == service and stranded_name(item))

    def by_number(self, service: str) -> dict[int, str]:
        """Return the id of each replica; a stranded one counts where its old container is gone."""
        found = {number_of(item): item.id for item in self.stranded(service)}
        return found | {number_of(item): item.id for item in self.of(service)}

    def first_ids(self, services: Iterable[str]) -> dict[str, str]:
        """Return the container that stands for each service where others refer to it."""
        found = {name: self.by_number(name) for name in services}
        return {name: ids[min(ids)] for name, ids in found.items() if ids}

    def image_of(self, container: Container) -> Image | None:
        """Return the image that a container was made from, None where it is gone."""
        named = (image for image in self.images.values() if image and image.id == container.image_id)
        return next(named, None) or self.former_images.get(container.image_id)

    def orphans(self, project: Project) -> tuple[Container, ...]:
        """Return containers of services that the files no longer name."""
        known = {*project.services, *project.disabled}
        return tuple(item for item in self.containers if service_of(item) not in known)


def service_of(container: Container) -> str:
    """Return the service that a container belongs to."""
    return container.labels.get(labels.SERVICE, "")


def number_of(container: Container) -> int:
    """Return a replica's number; one without a readable number sorts last."""
    text = container.labels.get(labels.CONTAINER_NUMBER, "")
    return int(text) if text.isdigit() else 1_000_000


def stranded_name(container: Container) -> str | None:
    """Return the name that a half-recreated container was meant to get (``<old id>_<name>``)."""
    match = _STRANDED.match(container.name)
    return match["name"] if match else None


def observe(engine: Engine, project: Project, *, oneoffs: bool = False) -> Observed:
    """Ask the engine for everything that carries the project's label or a name from its files.

    ``oneoffs`` adds the containers that `run` started.
    """
    from concurrent.futures import ThreadPoolExecutor

    label = f"{labels.PROJECT}={project.name}"
    # a container that somebody runs from one of the project's images inherits its labels, but never this one
    wanted = [label, labels.ONEOFF if oneoffs else f"{labels.ONEOFF}=False"]
    with ThreadPoolExecutor(max_workers=4) as pool:
        containers = pool.submit(engine.containers, wanted)
        networks = pool.submit(_networks, engine, project, label)
        volumes = pool.submit(_volumes, engine, project, label)
        images = pool.submit(observe_images, engine, project)
        return Observed(
            containers.result(),
            networks.result(),
            volumes.result(),
            images.result(),
            contents.digests(project),
            _former_images(engine, project, containers.result(), images.result()),
        )


def observe_for_down(engine: Engine, project: Project) -> Observed:
    """Observe, one-off containers included, and what the containers of others keep in use."""
    return replace(observe(engine, project, oneoffs=True), holdings=engine.holdings())


def observe_containers(engine: Engine, project_name: str) -> tuple[Container, ...]:
    """Return a project's containers, one-off ones left out."""
    return engine.containers([f"{labels.PROJECT}={project_name}", f"{labels.ONEOFF}=False"])


def observe_images(engine: Engine, project: Project) -> dict[str, Image | None]:
    """Look up the image of each service, by name."""
    names = {service.image_name(project.name) for service in project.services.values()}
    return {name: engine.find_image(name) for name in sorted(names)}


def _former_images(
    engine: Engine,
    project: Project,
    containers: tuple[Container, ...],
    named: Mapping[str, Image | None],
) -> dict[str, Image]:
    known = {image.id for image in named.values() if image}
    missing = {item.image_id for item in containers if service_of(item) in project.services} - known
    return {image.id: image for each in sorted(missing) if (image := engine.find_image(each))}


def _networks(engine: Engine, project: Project, label: str) -> dict[str, Network]:
    found = {network.name: network for network in engine.networks([label])}
    for spec in project.networks.values():
        if spec.name not in found and (network := engine.find_network(spec.name)):
            found[spec.name] = network
    return found


def _volumes(engine: Engine, project: Project, label: str) -> dict[str, Volume]:
    found = {volume.name: volume for volume in engine.volumes([label])}
    for spec in project.volumes.values():
        if spec.name not in found and (volume := engine.find_volume(spec.name)):
            found[spec.name] = volume
    return found
