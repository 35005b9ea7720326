"""What a merged tree implies without saying it: the default network, names, dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.compose.canonical import SERVICE_STARTED
from mcpctl.compose.mounts import clean_target
from mcpctl.compose.names import resource_name
from mcpctl.compose.trees import is_list, list_at, table_at

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMESPACES = ("network_mode", "ipc", "pid", "uts", "cgroup")
_SERVICE_PREFIX = "service:"


def normalise(tree: dict[str, Any], project: str, variables: Mapping[str, str]) -> None:
    """Complete ``tree`` in place. ``variables`` fill bare environment keys and build arguments."""
    services = table_at(tree, "services")
    _default_network(tree, services)
    for service in services.values():
        _service(service, variables)
    for section in ("networks", "volumes", "configs", "secrets"):
        _names(tree, section, project)


def _default_network(tree: dict[str, Any], services: dict[str, Any]) -> None:
    used = False
    for service in services.values():
        if "network_mode" in service:
            continue
        if not service.get("networks"):
            service["networks"] = {"default": None}
        used = used or "default" in service["networks"]
    if used:
        tree.setdefault("networks", {}).setdefault("default", None)


def _service(service: dict[str, Any], variables: Mapping[str, str]) -> None:
    if service.get("pull_policy") == "if_not_present":
        service["pull_policy"] = "missing"
    build: dict[str, Any] | None = service.get("build")
    if build is not None:
        build.setdefault("context", ".")
        build.setdefault("dockerfile", "Dockerfile")
        if "args" in build:
            build["args"] = fill(build["args"], variables, keep_unset=False)
    if "environment" in service:
        service["environment"] = fill(service["environment"], variables, keep_unset=True)
    for mount in list_at(service, "volumes"):
        mount["target"] = clean_target(mount.get("target") or ".")
    depends_on = table_at(service, "depends_on")
    for name, restart in _implied(service):
        depends_on.setdefault(name, {"condition": SERVICE_STARTED, "restart": restart, "required": True})
    if depends_on:
        service["depends_on"] = depends_on


def _implied(service: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return what links and shared namespaces depend on, and whether its restart restarts the service."""
    found: list[tuple[str, bool]] = []
    for link in list_at(service, "links"):
        parts = link.split(":")
        found.append((parts[0] if len(parts) == 2 else link, True))
    for namespace in _NAMESPACES:
        value = service.get(namespace) or ""
        if value.startswith(_SERVICE_PREFIX):
            found.append((value.removeprefix(_SERVICE_PREFIX), True))
    sources: list[str] = service.get("volumes_from") or []
    found.extend((source.split(":")[0], False) for source in sources if not source.startswith("container:"))
    return found


def fill(pairs: Any, variables: Mapping[str, str], *, keep_unset: bool) -> Any:
    """Give bare keys the value of the variable of that name."""
    if is_list(pairs):
        lines: list[str] = pairs
        filled = [
            line if "=" in line or line not in variables else f"{line}={variables[line]}" for line in lines
        ]
        return [line for line in filled if keep_unset or "=" in line]
    table: dict[str, Any] = pairs
    complete = {key: variables.get(key) if value is None else value for key, value in table.items()}
    return {key: value for key, value in complete.items() if keep_unset or value is not None}


def _names(tree: dict[str, Any], section: str, project: str) -> None:
    resources: dict[str, Any] = tree.get(section) or {}
    for key, value in resources.items():
        resource: dict[str, Any] = value or {}
        if resource.get("name") is None:
            resource["name"] = key if resource.get("external") else resource_name(project, key)
        resources[key] = resource
