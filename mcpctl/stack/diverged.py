"""Say why a container no longer matches the model, key by key. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from mcpctl.compose import contents, labels
from mcpctl.compose.output import mask_value
from mcpctl.stack.references import owners, resolve
from mcpctl.stack.spec import Placement, container_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Project, Service
    from mcpctl.engine.types import Container
    from mcpctl.stack.observe import Observed


_COMPOSE_NAMES = {
    "Cmd": "command",
    "Entrypoint": "entrypoint",
    "Image": "image",
    "User": "user",
    "WorkingDir": "working_dir",
    "Healthcheck": "healthcheck",
    "ExposedPorts": "expose",
    "Tty": "tty",
    "OpenStdin": "stdin_open",
    "Hostname": "hostname",
    "Domainname": "domainname",
    "StopSignal": "stop_signal",
    "StopTimeout": "stop_grace_period",
    "Binds": "volumes",
    "Mounts": "volumes",
    "Tmpfs": "tmpfs",
    "PortBindings": "ports",
    "RestartPolicy": "restart",
    "NetworkMode": "networks",
    "LogConfig": "logging",
    "CapAdd": "cap_add",
    "CapDrop": "cap_drop",
    "SecurityOpt": "security_opt",
    "ReadonlyRootfs": "read_only",
    "Privileged": "privileged",
    "Memory": "deploy.resources.limits.memory",
    "MemoryReservation": "deploy.resources.reservations.memory",
    "NanoCpus": "deploy.resources.limits.cpus",
    "PidsLimit": "deploy.resources.limits.pids",
    "Init": "init",
    "Sysctls": "sysctls",
    "Ulimits": "ulimits",
    "ExtraHosts": "extra_hosts",
    "ShmSize": "shm_size",
    "GroupAdd": "group_add",
    "Dns": "dns",
    "VolumesFrom": "volumes_from",
    "PidMode": "pid",
    "IpcMode": "ipc",
    "Devices": "devices",
}

_NOT_COMPARED = {
    "Labels",
    "Env",
    "HostConfig",
    "NetworkingConfig",
    "AttachStdout",
    "AttachStderr",
    "Hostname",
}


def diverged(project: Project, service: Service, container: Container, observed: Observed) -> tuple[str, ...]:
    """Return the reasons to recreate a container; empty where it matches.

    The containers that the service refers to must be there.
    """
    service = resolve(service, observed.first_ids(owners(service)))
    reasons: list[str] = []
    if container.labels.get(labels.CONFIG_HASH) != service.config_hash:
        reasons += changed_keys(project, service, container) or ["the configuration changed"]
    image = observed.images.get(service.image_name(project.name))
    if image and container.labels.get(labels.IMAGE, container.image_id) != image.id:
        reasons.append(
            f"image {service.image_name(project.name)}: {_short(container.image_id)} -> {_short(image.id)}"
        )
    reasons += _stale_networks(project, service, container, observed)
    reasons += _new_contents(service, container, observed)
    return tuple(reasons)


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]


def _stale_networks(
    project: Project, service: Service, container: Container, observed: Observed
) -> list[str]:
    """A network that was removed and made again has another id: the container hangs on the old one."""
    reasons: list[str] = []
    for key in service.networks:
        name = project.networks[key].name
        there, attached = observed.networks.get(name), container.network_ids.get(name)
        if attached and (there is None or there.id != attached):
            reasons.append(f"networks.{key}: the network was made anew")
    return reasons


def _new_contents(service: Service, container: Container, observed: Observed) -> list[str]:
    """A secret or config may change under an unchanged name; what compose made does not tell what it had."""
    had = contents.read_label(container.labels.get(labels.CONTENT, ""))
    has = contents.read_label(contents.label(service, observed.contents))
    return [f"{key}: its content changed" for key, digest in has.items() if had.get(key, digest) != digest]


def changed_keys(project: Project, service: Service, container: Container) -> list[str]:
    """Compare the engine's view of a container with what would be created today."""
    spec = container_spec(project, service, Placement(1, {}))
    config = cast("dict[str, Any]", container.raw["Config"])
    reasons = _environment(service, config)
    reasons += _labels(service, config)
    reasons += _fields(spec.config, config)
    reasons += _fields(spec.config["HostConfig"], cast("dict[str, Any]", container.raw["HostConfig"]))
    return list(dict.fromkeys(reasons))


def _environment(service: Service, config: Mapping[str, Any]) -> list[str]:
    current = {
        key: value
        for key, equals, value in (
            entry.partition("=") for entry in cast("list[str]", config.get("Env") or [])
        )
        if equals  # a bare key is a variable that the file leaves unset
    }
    changed = {
        key: value
        for key, value in service.environment.items()
        if value is not None and current.get(key) != value
    }
    return [
        f"environment.{key}: {_shown(key, current.get(key))} -> {_shown(key, value)}"
        for key, value in changed.items()
    ]


def _shown(key: str, value: str | None) -> str:
    if value is None:
        return "unset"
    return mask_value(key, value)


def _labels(service: Service, config: Mapping[str, Any]) -> list[str]:
    current = cast("dict[str, str]", config.get("Labels") or {})
    return [
        f"labels.{key}: {_shown(key, current.get(key))} -> {_shown(key, value)}"
        for key, value in service.labels.items()
        if current.get(key) != value
    ]


def _fields(wanted: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    reasons: list[str] = []
    for key, name in _COMPOSE_NAMES.items():
        if key in _NOT_COMPARED or key not in wanted:
            continue
        before, after = _plain(current.get(key)), _plain(wanted[key])
        # the engine fills in what a file leaves open (image defaults, limits, log driver)
        if after is not None and before != after:
            reasons.append(f"{name}: {_compact(before)} -> {_compact(after)}")
    return reasons


def _plain(value: object) -> object:
    """Fold every spelling of 'nothing' into None, at any depth."""
    if isinstance(value, dict):
        items = cast("dict[str, object]", value)
        return {key: plain for key, item in items.items() if (plain := _plain(item)) is not None} or None
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[object]", value)] or None
    return value or None


def _compact(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
