"""Services that refer to another service's container: shared namespaces, volumes and links. Pure.

Compose resolves ``service:NAME`` to a container id before it hashes a service, so that a service is recreated
with the one whose namespace it shares; the same is done here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mcpctl.compose.hashes import service_hash
from mcpctl.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Service

_MODES = ("network_mode", "pid", "ipc")
_SERVICE, _CONTAINER = "service:", "container:"


def owners(service: Service) -> frozenset[str]:
    """Return the services whose containers a service cannot be created without."""
    modes = (service.network_mode, service.pid, service.ipc)
    found = {mode.removeprefix(_SERVICE) for mode in modes if mode and mode.startswith(_SERVICE)}
    found |= {entry.partition(":")[0] for entry in service.volumes_from if not entry.startswith(_CONTAINER)}
    return frozenset(found)


def resolve(service: Service, containers: Mapping[str, str]) -> Service:
    """Put container ids (``containers``, by service) in the place of services, and hash the result.

    Raises:
        NotFound: a service that is referred to has no container.
    """
    if not owners(service) and not service.volumes_from:
        return service
    modes = {key: _mode(service, getattr(service, key), containers) for key in _MODES}
    volumes = tuple(_volumes_from(service, entry, containers) for entry in service.volumes_from)
    changed: dict[str, object] = {key: mode for key, mode in modes.items() if mode}
    if volumes:
        changed["volumes_from"] = list(volumes)
    resolved = {key: changed.get(key, value) for key, value in service.resolved.items()}
    return replace(
        service,
        network_mode=modes["network_mode"],
        pid=modes["pid"],
        ipc=modes["ipc"],
        volumes_from=volumes,
        resolved=resolved,
        config_hash=service_hash(resolved),
    )


def _mode(service: Service, mode: str | None, containers: Mapping[str, str]) -> str | None:
    if mode is None or not mode.startswith(_SERVICE):
        return mode
    return _CONTAINER + _container(service, mode.removeprefix(_SERVICE), containers)


def _volumes_from(service: Service, entry: str, containers: Mapping[str, str]) -> str:
    """Return the container alone: compose drops the access mode, and an equal hash needs the same."""
    kind, _, rest = entry.partition(":")
    return rest.partition(":")[0] if kind == "container" else _container(service, kind, containers)


def _container(service: Service, name: str, containers: Mapping[str, str]) -> str:
    try:
        return containers[name]
    except KeyError:
        raise NotFound(
            f"service {service.name} shares what service {name} has, and {name} has no container",
            hint=f"mcpctl up {name}",
            details={"service": service.name, "missing": name},
        ) from None
