"""Turn one service into the engine's JSON for a container, equal to what `docker compose` sends. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcpctl.compose.model import Attachment
from mcpctl.stack.mounts import binds, mounts, tmpfs
from mcpctl.stack.resources import resources
from mcpctl.stack.security import security

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Healthcheck, Project, Service

Json = dict[str, Any]

ENDPOINTS_AT_CREATE = (1, 44)
"""From this API version on all networks are given at creation; before it, only the first."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What to create: the name, the engine's JSON, and the networks to connect afterwards."""

    name: str
    config: Mapping[str, Any]
    platform: str | None
    later_networks: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Placement:
    """What a spec needs beside the model.

    ``links`` are ``container:alias``. ``inherited`` are the volumes of the container that is replaced, by
    their path in it: anonymous ones go on with their data. ``proxies`` are variables that the service's own
    ones override.
    """

    number: int
    labels: Mapping[str, str]
    links: tuple[str, ...] = ()
    inherited: Mapping[str, str] = field(default_factory=dict[str, str])
    api_version: tuple[int, int] = (1, 41)
    oneoff_name: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict[str, str])


def container_name(project: str, service: Service, number: int) -> str:
    """Return the name that compose gives to a replica."""
    return service.container_name or f"{project}-{service.name}-{number}"


def container_spec(project: Project, service: Service, placement: Placement) -> ContainerSpec:
    """Build everything that the engine needs to create one replica.

    References to other services must be resolved (see ``references``).
    """
    name = placement.oneoff_name or container_name(project.name, service, placement.number)
    endpoints = _endpoints(project, service, placement, name)
    first, later = endpoints, dict[str, Json]()
    if placement.api_version < ENDPOINTS_AT_CREATE and len(endpoints) > 1:
        primary = next(iter(endpoints))
        first = {primary: endpoints[primary]}
        later = {key: value for key, value in endpoints.items() if key != primary}
    config = _config(project, service, placement)
    address = _mac_address(service)
    if address and placement.api_version < ENDPOINTS_AT_CREATE:
        config["MacAddress"] = address
    elif address and endpoints:
        next(iter(endpoints.values())).setdefault("MacAddress", address)
    config["HostConfig"] = _host_config(project, service, placement, next(iter(endpoints), None))
    config["NetworkingConfig"] = {"EndpointsConfig": first}
    return ContainerSpec(name, config, service.platform, later)


def _config(project: Project, service: Service, placement: Placement) -> Json:
    config: Json = {
        "Hostname": service.hostname or "",
        "Domainname": service.domainname or "",
        "User": service.user or "",
        "AttachStdout": True,
        "AttachStderr": True,
        "ExposedPorts": _exposed(service),
        "Tty": service.tty,
        "OpenStdin": service.stdin_open,
        "Env": _environment(service, placement.proxies),
        "Cmd": list(service.command) if service.command is not None else None,
        "Entrypoint": list(service.entrypoint) if service.entrypoint is not None else None,
        "Image": service.image_name(project.name),
        "WorkingDir": service.working_dir or "",
        "Labels": {**service.labels, **placement.labels},
    }
    if service.stop_signal:
        config["StopSignal"] = service.stop_signal
    if service.stop_grace_period is not None:
        config["StopTimeout"] = service.stop_grace_period // 1_000_000_000
    if service.healthcheck:
        config["Healthcheck"] = _healthcheck(service.healthcheck)
    return config


def _environment(service: Service, proxies: Mapping[str, str]) -> list[str]:
    """Return KEY=value, or a bare KEY where the file unsets a variable of the image."""
    values = {**proxies, **service.environment}
    return [key if value is None else f"{key}={value}" for key, value in values.items()]


def _exposed(service: Service) -> dict[str, Json]:
    exposed: dict[str, Json] = {port: {} for port in service.expose}
    exposed.update({f"{port.target}/{port.protocol}": {} for port in service.ports})
    return exposed


def _healthcheck(check: Healthcheck) -> Json:
    fields = {
        "Test": list(check.test) if check.test is not None else None,
        "Interval": check.interval,
        "Timeout": check.timeout,
        "StartPeriod": check.start_period,
        "StartInterval": check.start_interval,
        "Retries": check.retries,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _host_config(project: Project, service: Service, placement: Placement, network: str | None) -> Json:
    config: Json = {
        "Binds": binds(service),
        "Mounts": mounts(project, service, placement.inherited),
        "Tmpfs": tmpfs(service),
        "PortBindings": _port_bindings(service),
        "RestartPolicy": _restart_policy(service.restart),
        "NetworkMode": service.network_mode or network or "none",
        "LogConfig": {"Type": service.logging_driver or "", "Config": dict(service.logging_options)},
        "CapAdd": list(service.cap_add) or None,
        "CapDrop": list(service.cap_drop) or None,
        "GroupAdd": list(service.group_add) or None,
        "Dns": list(service.dns) or None,
        "DnsSearch": list(service.dns_search) or None,
        "DnsOptions": list(service.dns_opt) or None,
        "ExtraHosts": list(service.extra_hosts),
        "Links": list(placement.links) or None,
        "VolumesFrom": list(service.volumes_from) or None,
        "Privileged": service.privileged,
        "ReadonlyRootfs": service.read_only,
        "Sysctls": dict(service.sysctls) or None,
        "StorageOpt": dict(service.storage_opt) or None,
        "Annotations": dict(service.annotations) or None,
        **security(service.security_opt),
        **_namespaces(service),
        **resources(service),
    }
    if service.init is not None:
        config["Init"] = service.init
    if service.runtime:
        config["Runtime"] = service.runtime
    if service.isolation:
        config["Isolation"] = service.isolation
    return config


def _namespaces(service: Service) -> Json:
    fields = {
        "PidMode": service.pid,
        "IpcMode": service.ipc,
        "UTSMode": service.uts,
        "UsernsMode": service.userns_mode,
        "CgroupnsMode": service.cgroup,
        "CgroupParent": service.cgroup_parent,
    }
    return {key: value for key, value in fields.items() if value}


def _port_bindings(service: Service) -> dict[str, list[Json]]:
    bindings: dict[str, list[Json]] = {}
    for port in service.ports:
        entry = {"HostIp": port.host_ip, "HostPort": port.published}
        bindings.setdefault(f"{port.target}/{port.protocol}", []).append(entry)
    return bindings


def _restart_policy(restart: str) -> Json:
    name, _, count = restart.partition(":")
    return {"Name": name, "MaximumRetryCount": int(count) if count else 0}


def _by_priority(service: Service) -> list[tuple[str, Attachment]]:
    return sorted(service.networks.items(), key=lambda item: (-item[1].priority, item[0]))


def _mac_address(service: Service) -> str | None:
    """Return the address for the first network: engines before API 1.44 know only one per container."""
    attached = _by_priority(service)
    return (attached[0][1].mac_address if attached else None) or service.mac_address


def _endpoints(project: Project, service: Service, placement: Placement, name: str) -> dict[str, Json]:
    """Return the engine's settings for each network, the one of highest priority first."""
    if service.network_mode:
        return {}
    return {
        project.networks[key].name: _endpoint(service, key, placement, name)
        for key, _attachment in _by_priority(service)
    }


def _endpoint(service: Service, key: str, placement: Placement, name: str) -> Json:
    attachment = service.networks[key]
    # a one-off container must not answer to its service's name: others would be served by it
    aliases = [] if placement.oneoff_name else [service.name, *attachment.aliases]
    settings: Json = {"Aliases": list(dict.fromkeys([name, *aliases]))}
    if placement.links:
        settings["Links"] = list(placement.links)
    ipam: Json = {}
    if attachment.ipv4_address:
        ipam["IPv4Address"] = attachment.ipv4_address
    if attachment.ipv6_address:
        ipam["IPv6Address"] = attachment.ipv6_address
    if attachment.link_local_ips:
        ipam["LinkLocalIPs"] = list(attachment.link_local_ips)
    if attachment.mac_address and placement.api_version >= ENDPOINTS_AT_CREATE:
        settings["MacAddress"] = attachment.mac_address
    if attachment.driver_opts:
        settings["DriverOpts"] = dict(attachment.driver_opts)
    if ipam or attachment != Attachment():
        settings["IPAMConfig"] = ipam
    return settings
