"""What a container is made of, in the words of the compose file: one flat text for each key. Pure.

The same reading is applied to a container as the engine tells it and to one as it would be if it were made
now, so that whatever differs is a key that changed, was added or was removed.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mcpctl.compose import labels
from mcpctl.stack.mount_facts import mount_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Json = dict[str, Any]
Facts = dict[str, str]

DAEMON_LOG_DRIVER = "json-file"
DEFAULT_SHM_BYTES = 64 * 1024 * 1024
_SHORT_ID = re.compile(r"[0-9a-f]{12}\Z")
_FIXED_MODES = frozenset({"", "default", "bridge", "host", "none"})


@dataclass(frozen=True, slots=True)
class Made:
    """A container's JSON, the engine's or ours.

    ``config`` and ``host`` are the engine's Config and HostConfig, ``networks`` its endpoints by network.
    ``own_names`` are those under which every container of the service is known, ``keys`` lead from an
    engine's name of a network or volume back to its key in the file.
    """

    config: Mapping[str, Any]
    host: Mapping[str, Any]
    networks: Mapping[str, Mapping[str, Any]]
    own_names: frozenset[str]
    keys: Mapping[str, str]
    secret_targets: Mapping[str, str]
    """For each path the kind of file behind it: ``secrets`` or ``configs``."""


def facts(made: Made) -> Facts:
    """Return every key that says something, with its value as text."""
    found: Facts = {}
    for key, (name, render) in _CONFIG.items():
        found[name] = render(made.config.get(key))
    for key, (name, render) in _HOST.items():
        found[name] = render(made.host.get(key))
    found |= _environment(made.config)
    found |= _labels(made.config)
    found |= _healthcheck(_table(made.config, "Healthcheck"))
    found |= _ports(made)
    found |= _by_name(made.host, "Sysctls", "sysctls")
    found |= _by_name(made.host, "StorageOpt", "storage_opt")
    found |= _by_name(made.host, "Annotations", "annotations")
    found |= _logging(_table(made.host, "LogConfig"))
    found |= _resources(made.host)
    found |= _security(made.host)
    found |= _networks(made)
    found |= mount_facts(made.host, made.keys, made.secret_targets)
    if _shares_a_host_name(made.host):
        del found["hostname"]
    return {key: value for key, value in found.items() if value}


def _table(source: Mapping[str, Any], key: str) -> Json:
    return cast("Json", source.get(key) or {})


def _rows(source: Mapping[str, Any], key: str) -> list[Json]:
    return cast("list[Json]", source.get(key) or [])


def _shares_a_host_name(host: Mapping[str, Any]) -> bool:
    mode = str(host.get("NetworkMode") or "")
    return mode == "host" or mode.startswith("container:")


# how values become text; what says nothing becomes ""


def _text(value: object) -> str:
    if value is True:
        return "true"
    return str(value) if value else ""


def _words(value: object) -> str:
    return shlex.join(cast("list[str]", value)) if value else ""


def _listed(value: object) -> str:
    return ", ".join(cast("list[str]", value)) if value else ""


def _set(value: object) -> str:
    return ", ".join(sorted(cast("list[str]", value))) if value else ""


def _capabilities(value: object) -> str:
    return _set([name.upper().removeprefix("CAP_") for name in cast("list[str]", value or [])])


def _flag(value: object) -> str:
    return "" if value is None else str(bool(value)).lower()


def _seconds(value: object) -> str:
    return "" if value is None else f"{value}s"


def _nanoseconds(value: object) -> str:
    return f"{cast('int', value) / 1e9:g}s" if value else ""


def _unless(*usual: object) -> Callable[[object], str]:
    """Return a rendering in which the engine's own default says nothing."""
    return lambda value: "" if value in usual else _text(value)


def _restart(value: object) -> str:
    policy = cast("Json", value or {})
    name, count = policy.get("Name") or "", policy.get("MaximumRetryCount")
    if name in {"", "no"}:
        return ""
    return f"{name}:{count}" if count else name


def _devices(value: object) -> str:
    rows = cast("list[Json]", value or [])
    return ", ".join(
        f"{row['PathOnHost']}:{row['PathInContainer']}:{row['CgroupPermissions']}" for row in rows
    )


def _requests(value: object) -> str:
    return ", ".join(_request(row) for row in cast("list[Json]", value or []))


def _request(row: Json) -> str:
    options = cast("dict[str, str]", row.get("Options") or {})
    parts = [str(row.get("Driver") or ""), f"count={row['Count']}" if row.get("Count") else ""]
    parts += [f"id={one}" for one in cast("list[str]", row.get("DeviceIDs") or [])]
    parts += ["+".join(group) for group in cast("list[list[str]]", row.get("Capabilities") or [])]
    parts += [f"{key}={options[key]}" for key in sorted(options)]
    return " ".join(part for part in parts if part)


_CONFIG: dict[str, tuple[str, Callable[[object], str]]] = {
    "Image": ("image", _text),
    "Cmd": ("command", _words),
    "Entrypoint": ("entrypoint", _words),
    "User": ("user", _text),
    "WorkingDir": ("working_dir", _text),
    "Tty": ("tty", _text),
    "OpenStdin": ("stdin_open", _text),
    "Hostname": ("hostname", _text),
    "Domainname": ("domainname", _text),
    "StopSignal": ("stop_signal", _unless("SIGTERM")),
    "StopTimeout": ("stop_grace_period", _seconds),
    "MacAddress": ("mac_address", _text),
}
_HOST: dict[str, tuple[str, Callable[[object], str]]] = {
    "RestartPolicy": ("restart", _restart),
    "CapAdd": ("cap_add", _capabilities),
    "CapDrop": ("cap_drop", _capabilities),
    "GroupAdd": ("group_add", _set),
    "Dns": ("dns", _listed),
    "DnsSearch": ("dns_search", _listed),
    "DnsOptions": ("dns_opt", _listed),
    "ExtraHosts": ("extra_hosts", _set),
    "VolumesFrom": ("volumes_from", _listed),
    "Privileged": ("privileged", _text),
    "ReadonlyRootfs": ("read_only", _text),
    "Init": ("init", _flag),
    "Runtime": ("runtime", _unless("runc")),
    "Isolation": ("isolation", _unless("default")),
    "PidMode": ("pid", _text),
    "IpcMode": ("ipc", _unless("private")),
    "UTSMode": ("uts", _text),
    "UsernsMode": ("userns_mode", _text),
    "CgroupnsMode": ("cgroup", _text),
    "CgroupParent": ("cgroup_parent", _text),
    "Devices": ("devices", _devices),
    "DeviceCgroupRules": ("device_cgroup_rules", _listed),
    "DeviceRequests": ("deploy.resources.reservations.devices", _requests),
}


def _environment(config: Mapping[str, Any]) -> Facts:
    """Read KEY=value; a bare KEY is a variable that the file leaves unset."""
    entries = (entry.partition("=") for entry in cast("list[str]", config.get("Env") or []))
    # an empty value says something, so it must not be empty text
    return {f"environment.{key}": value or '""' for key, equals, value in entries if equals}


def _labels(config: Mapping[str, Any]) -> Facts:
    return {
        f"labels.{key}": value or '""'
        for key, value in _table(config, "Labels").items()
        if not key.startswith(labels.PREFIX) and key != labels.CONTENT
    } | _dependencies(_table(config, "Labels").get(labels.DEPENDS_ON, ""))


def _dependencies(label: str) -> Facts:
    parts = (part.split(":") for part in label.split(",") if part.count(":") == 2)
    return {
        f"depends_on.{name}": condition + (" with restart" if restart == "true" else "")
        for name, condition, restart in parts
    }


def _healthcheck(check: Json) -> Facts:
    test = cast("list[str]", check.get("Test") or [])
    kind, words = (test[0], test[1:]) if test else ("", [])
    shown = {"NONE": "disabled", "CMD-SHELL": " ".join(words)}.get(kind, _words(words))
    return {
        "healthcheck.test": shown,
        "healthcheck.interval": _nanoseconds(check.get("Interval")),
        "healthcheck.timeout": _nanoseconds(check.get("Timeout")),
        "healthcheck.start_period": _nanoseconds(check.get("StartPeriod")),
        "healthcheck.start_interval": _nanoseconds(check.get("StartInterval")),
        "healthcheck.retries": _text(check.get("Retries")),
    }


def _ports(made: Made) -> Facts:
    bindings = cast("dict[str, list[dict[str, str]] | None]", _table(made.host, "PortBindings"))
    found = {
        f"ports.{port}": ", ".join(
            sorted(f"{row.get('HostIp') or '*'}:{row.get('HostPort') or '*'}" for row in rows or [])
        )
        for port, rows in bindings.items()
    }
    for port in _table(made.config, "ExposedPorts"):
        name = port if "/" in port else f"{port}/tcp"
        if name not in bindings:
            found[f"expose.{name}"] = "exposed"
    return found


def _by_name(host: Mapping[str, Any], key: str, name: str) -> Facts:
    return {f"{name}.{item}": str(value) for item, value in _table(host, key).items()}


def _logging(config: Json) -> Facts:
    driver, options = config.get("Type") or "", _table(config, "Config")
    found: Facts = {f"logging.options.{key}": str(value) for key, value in options.items()}
    return found | {"logging.driver": "" if driver == DAEMON_LOG_DRIVER else driver}


_LIMITS = {
    "Memory": "deploy.resources.limits.memory",
    "MemoryReservation": "deploy.resources.reservations.memory",
    "PidsLimit": "deploy.resources.limits.pids",
    "CpuShares": "cpu_shares",
    "CpuQuota": "cpu_quota",
    "CpuPeriod": "cpu_period",
    "CpuRealtimePeriod": "cpu_rt_period",
    "CpuRealtimeRuntime": "cpu_rt_runtime",
    "CpusetCpus": "cpuset",
    "OomKillDisable": "oom_kill_disable",
    "OomScoreAdj": "oom_score_adj",
    "BlkioWeight": "blkio_config.weight",
}
_BLOCK_IO = {
    "BlkioWeightDevice": ("blkio_config.weight_device", "Weight"),
    "BlkioDeviceReadBps": ("blkio_config.device_read_bps", "Rate"),
    "BlkioDeviceReadIOps": ("blkio_config.device_read_iops", "Rate"),
    "BlkioDeviceWriteBps": ("blkio_config.device_write_bps", "Rate"),
    "BlkioDeviceWriteIOps": ("blkio_config.device_write_iops", "Rate"),
}


def _resources(host: Mapping[str, Any]) -> Facts:
    memory, swap = host.get("Memory") or 0, host.get("MemorySwap") or 0
    swappiness = host.get("MemorySwappiness")
    cpus = host.get("NanoCpus") or 0
    found = {name: _text(host.get(key)) for key, name in _LIMITS.items()}
    found |= {
        name: ", ".join(f"{row['Path']}={row[unit]}" for row in _rows(host, key))
        for key, (name, unit) in _BLOCK_IO.items()
    }
    found |= {f"ulimits.{row['Name']}": f"{row['Soft']}:{row['Hard']}" for row in _rows(host, "Ulimits")}
    return found | {
        "deploy.resources.limits.cpus": f"{cpus / 1e9:g}" if cpus else "",
        # the engine allows twice the memory where the file says nothing
        "memswap_limit": "" if swap == 2 * memory else _text(swap),
        "mem_swappiness": "" if swappiness in {None, -1} else str(swappiness),
        "shm_size": _unless(DEFAULT_SHM_BYTES)(host.get("ShmSize")),
    }


def _security(host: Mapping[str, Any]) -> Facts:
    options = [_security_option(one) for one in cast("list[str]", host.get("SecurityOpt") or [])]
    if host.get("Privileged") or "host" in {host.get("PidMode"), host.get("IpcMode")}:
        options = [option for option in options if option != "label=disable"]  # the engine adds it to these
    if host.get("MaskedPaths") == []:
        options.append("systempaths=unconfined")
    return {"security_opt": _set(options)}


def _security_option(option: str) -> str:
    """Fold a seccomp profile, sent as JSON, and its path in the file into one word."""
    name, _, value = option.replace("=", ":", 1).partition(":")
    if name == "seccomp" and value not in {"unconfined", "builtin"}:
        return "seccomp=(a profile)"
    return f"{name}={value}" if value else name


def _networks(made: Made) -> Facts:
    mode = str(made.host.get("NetworkMode") or "")
    if mode in _FIXED_MODES or mode.startswith("container:"):
        return {"network_mode": "" if mode == "default" else mode}
    found: Facts = {}
    for name, endpoint in made.networks.items():
        where = f"networks.{made.keys.get(name, name)}"
        ipam = _table(endpoint, "IPAMConfig")
        found |= {
            where: "joined",
            f"{where}.aliases": _aliases(endpoint.get("Aliases") or (), made.own_names),
            f"{where}.ipv4_address": _text(ipam.get("IPv4Address")),
            f"{where}.ipv6_address": _text(ipam.get("IPv6Address")),
            f"{where}.link_local_ips": _listed(ipam.get("LinkLocalIPs")),
        }
        found |= {
            f"{where}.driver_opts.{key}": value for key, value in _table(endpoint, "DriverOpts").items()
        }
        found["links"] = _set(endpoint.get("Links"))
    return found


def _aliases(names: Iterable[str], own: frozenset[str]) -> str:
    return _set([name for name in set(names) if name not in own and not _SHORT_ID.match(name)])
