"""The labels that make docker compose treat an object as its own.

Source: docker compose; a wrong label hides an object from compose or makes it delete a live one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Network, Project, Service, Volume

PREFIX = "com.docker.compose."
PROJECT = PREFIX + "project"
SERVICE = PREFIX + "service"
ONEOFF = PREFIX + "oneoff"
CONFIG_HASH = PREFIX + "config-hash"
CONTAINER_NUMBER = PREFIX + "container-number"
CONFIG_FILES = PREFIX + "project.config_files"
WORKING_DIR = PREFIX + "project.working_dir"
ENVIRONMENT_FILE = PREFIX + "project.environment_file"
DEPENDS_ON = PREFIX + "depends_on"
IMAGE = PREFIX + "image"
VERSION = PREFIX + "version"
REPLACE = PREFIX + "replace"
SLUG = PREFIX + "slug"
NETWORK = PREFIX + "network"
VOLUME = PREFIX + "volume"

CONTENT = "mcpctl.content-hash"
"""Ours alone: digests of the secrets and configs that a container was made with. Compose ignores it."""

SPOKEN_VERSION = "2.26.1"
"""The compose release whose rules the labels follow; compose shows it and never compares it."""


def container_labels(
    project: Project, service: Service, number: int, *, image: str = "", contents: str = ""
) -> dict[str, str]:
    """Return the labels of a service's container; the file's own labels first, compose's on top.

    ``image`` is the id of the image that the container runs, ``contents`` the digests of its secrets and
    configs.
    """
    found = {
        **service.labels,
        PROJECT: project.name,
        SERVICE: service.name,
        ONEOFF: "False",
        CONFIG_HASH: service.config_hash,
        CONTAINER_NUMBER: str(number),
        CONFIG_FILES: ",".join(map(str, project.files)),
        WORKING_DIR: str(project.directory),
        DEPENDS_ON: depends_on(service),
        VERSION: SPOKEN_VERSION,
    }
    if project.env_files:
        found[ENVIRONMENT_FILE] = ",".join(map(str, project.env_files))
    if image:
        found[IMAGE] = image
    if contents:
        found[CONTENT] = contents
    return found


def oneoff_labels(project: Project, service: Service, slug: str, *, image: str = "") -> dict[str, str]:
    """Return the labels of a container that ``run`` starts; ``slug`` tells two of them apart."""
    found = container_labels(project, service, 1, image=image)
    return found | {ONEOFF: "True", SLUG: slug}


def depends_on(service: Service) -> str:
    """Return the label from which compose stops services in order without the file."""
    return ",".join(
        f"{name}:{edge.condition}:{'true' if edge.restart else 'false'}"
        for name, edge in sorted(service.depends_on.items())
    )


def network_labels(project: Project, network: Network) -> dict[str, str]:
    """Return the labels of a network that the project creates."""
    return _resource(network.labels, {NETWORK: network.key}, project, network.config_hash)


def volume_labels(project: Project, volume: Volume) -> dict[str, str]:
    """Return the labels of a volume that the project creates."""
    return _resource(volume.labels, {VOLUME: volume.key}, project, volume.config_hash)


def image_labels(project: Project, service: Service) -> dict[str, str]:
    """Return the labels of an image that the project builds."""
    return {PROJECT: project.name, SERVICE: service.name, VERSION: SPOKEN_VERSION}


def _resource(
    own: Mapping[str, str], key: dict[str, str], project: Project, config_hash: str
) -> dict[str, str]:
    found = {**own, **key, PROJECT: project.name, VERSION: SPOKEN_VERSION}
    # Compose offers to recreate a volume whose hash differs, data and all; without a hash it leaves it alone.
    return found | {CONFIG_HASH: config_hash} if config_hash else found
