"""Say why a container no longer matches the model, key by key. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpctl.compose import contents, labels
from mcpctl.stack.changes import changed_keys
from mcpctl.stack.references import owners, resolve

if TYPE_CHECKING:
    from mcpctl.compose.model import Project, Service
    from mcpctl.engine.types import Container
    from mcpctl.stack.observe import Observed


def diverged(project: Project, service: Service, container: Container, observed: Observed) -> tuple[str, ...]:
    """Return the reasons to recreate a container; empty where it matches.

    The containers that the service refers to must be there.
    """
    service = resolve(service, observed.first_ids(owners(service)))
    reasons: list[str] = []
    if container.labels.get(labels.CONFIG_HASH) != service.config_hash:
        found = changed_keys(project, service, container, observed.image_of(container))
        reasons += found or ["the configuration changed"]
    image = observed.images.get(service.image_name(project.name))
    if image and container.labels.get(labels.IMAGE, container.image_id) != image.id:
        reasons.append(
            f"image {service.image_name(project.name)}: {_short(container.image_id)} -> {_short(image.id)}"
        )
    named = {reason.partition(":")[0] for reason in reasons}
    stale = _stale_networks(project, service, container, observed)
    reasons += [reason for reason in stale if reason.partition(":")[0] not in named]
    reasons += _new_contents(service, container, observed)
    return tuple(reasons)


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]


def _stale_networks(
    project: Project, service: Service, container: Container, observed: Observed
) -> list[str]:
    """A network that was made anew has another id: the container hangs on the old one, or on none.

    A creation that was interrupted between one network and the next leaves it without the later ones.
    """
    reasons: list[str] = []
    for key in service.networks:
        name = project.networks[key].name
        there, attached = observed.networks.get(name), container.network_ids.get(name)
        if attached is None:
            reasons.append(f"networks.{key}: it is not connected")
        elif attached and (there is None or there.id != attached):
            reasons.append(f"networks.{key}: the network was made anew")
    return reasons


def _new_contents(service: Service, container: Container, observed: Observed) -> list[str]:
    """A secret or config may change under an unchanged name; what compose made does not tell what it had."""
    had = contents.read_label(container.labels.get(labels.CONTENT, ""))
    has = contents.read_label(contents.label(service, observed.contents))
    return [f"{key}: its content changed" for key, digest in has.items() if had.get(key, digest) != digest]
