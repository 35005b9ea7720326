"""`inspect`: what the engine knows of the project's containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mcpctl.compose.output import mask_urls, mask_value
from mcpctl.errors import NotFound
from mcpctl.stack.monitoring import chosen_containers
from mcpctl.stack.observe import service_of
from mcpctl.stack.security_check import check_container

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container


def inspect_containers(
    engine: Engine, project: Project, services: Sequence[str], *, show_secrets: bool
) -> list[dict[str, object]]:
    """Return the engine's own document of each container, secrets masked unless they are asked for.

    Raises:
        NotFound: there is no container (exit 10).
    """
    return [
        {
            "service": service_of(item),
            "container": item.name,
            "inspect": dict(item.raw) if show_secrets else masked(item.raw),
        }
        for item in _containers(engine, project, services)
    ]


def check_security(engine: Engine, project: Project, services: Sequence[str]) -> list[dict[str, object]]:
    """Apply the hardening rules to each container.

    Raises:
        NotFound: there is no container (exit 10).
    """
    found = [(item, check_container(item.raw)) for item in _containers(engine, project, services)]
    return [
        {
            "service": service_of(item),
            "container": item.name,
            "passed": all(check.ok for check in checks),
            "checks": [check.to_json() for check in checks],
        }
        for item, checks in found
    ]


def _containers(engine: Engine, project: Project, services: Sequence[str]) -> list[Container]:
    found = chosen_containers(engine, project, services)
    missing = [name for name in services if all(service_of(item) != name for item in found)]
    if found and not missing:
        return found
    what = f"service {missing[0]}" if missing else f"project {project.name}"
    raise NotFound(f"{what} has no container", hint=f"mcpctl up {' '.join(missing)}".rstrip())


def masked(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a container's document with its secrets masked.

    These are variables, labels and options of the log driver (``splunk-token``), as far as a name can tell,
    and passwords of URLs anywhere.
    """
    config = dict(cast("Mapping[str, Any]", raw["Config"]))
    config["Env"] = [_masked_entry(entry) for entry in config.get("Env") or ()]
    config["Labels"] = _masked_values(config.get("Labels"))
    host = dict(cast("Mapping[str, Any]", raw.get("HostConfig") or {}))
    if log := host.get("LogConfig"):
        host["LogConfig"] = {**log, "Config": _masked_values(log.get("Config"))}
    return mask_urls({**raw, "Config": config, "HostConfig": host})


def _masked_values(values: Mapping[str, str] | None) -> dict[str, str]:
    return {key: mask_value(key, value) for key, value in (values or {}).items()}


def _masked_entry(entry: str) -> str:
    name, equals, value = entry.partition("=")
    return f"{name}{equals}{mask_value(name, value)}"
