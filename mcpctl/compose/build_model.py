"""The resolved model (JSON form) to the frozen dataclasses that the other rooms read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.compose import hashes
from mcpctl.compose.build_limits import build_limits
from mcpctl.compose.model import (
    Attachment,
    Build,
    Dependency,
    FileObject,
    FileReference,
    Healthcheck,
    Mount,
    Network,
    Port,
    Service,
    Ulimit,
    Volume,
    Watch,
)
from mcpctl.compose.trees import list_at, table_at
from mcpctl.compose.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]

# Keys whose value is taken as it is, under the same name.
_SAME = [
    "image",
    "environment",
    "network_mode",
    "labels",
    "annotations",
    "user",
    "working_dir",
    "stop_signal",
    "hostname",
    "domainname",
    "container_name",
    "platform",
    "pull_policy",
    "pid",
    "ipc",
    "uts",
    "userns_mode",
    "cgroup",
    "cgroup_parent",
    "runtime",
    "isolation",
    "storage_opt",
    "sysctls",
    "mac_address",
    "init",
    "attach",
    "read_only",
    "privileged",
    "tty",
    "stdin_open",
]


def build_service(name: str, source: Json, enabled: frozenset[str]) -> Service:
    """Return a service; dependencies on services that are not ``enabled`` are dropped."""
    fields: Json = {key: source[key] for key in _SAME if source.get(key) is not None}
    for key, (field, convert) in _CONVERTED.items():
        if source.get(key) is not None:
            fields[field] = convert(source[key])
    deploy = table_at(source, "deploy")
    depends_on: Mapping[str, Dependency] = fields.pop("depends_on", {})
    return Service(
        name=name,
        depends_on={key: edge for key, edge in depends_on.items() if key in enabled},
        restart=_restart(source.get("restart", ""), deploy.get("restart_policy")),
        scale=source.get("scale", deploy.get("replicas", 1)),
        limits=build_limits(source),
        logging_driver=table_at(source, "logging").get("driver"),
        logging_options=table_at(source, "logging", "options"),
        update_order=table_at(deploy, "update_config").get("order", ""),
        resolved=source,
        config_hash=hashes.service_hash(source),
        **fields,
    )


def build_network(key: str, source: Json) -> Network:
    """Return a network."""
    ipam: Json = source["ipam"]
    return Network(
        key=key,
        name=source["name"],
        external=source.get("external", False),
        driver=source.get("driver"),
        driver_opts=source.get("driver_opts", {}),
        internal=source.get("internal", False),
        attachable=source.get("attachable", False),
        enable_ipv6=source.get("enable_ipv6", False),
        ipam_driver=ipam.get("driver"),
        ipam_config=tuple(ipam.get("config", ())),
        ipam_options=ipam.get("options", {}),
        labels=source.get("labels", {}),
        config_hash=hashes.network_hash(source),
    )


def build_volume(key: str, source: Json) -> Volume:
    """Return a volume."""
    return Volume(
        key=key,
        name=source["name"],
        external=source.get("external", False),
        driver=source.get("driver"),
        driver_opts=source.get("driver_opts", {}),
        labels=source.get("labels", {}),
        config_hash=hashes.volume_hash(source),
    )


def build_file_object(key: str, source: Json) -> FileObject:
    """Return a secret or config."""
    fields = {name: source[name] for name in ("file", "environment", "content", "external") if name in source}
    return FileObject(key=key, name=source["name"], **fields)


def _optional_words(words: list[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(words)


def _duration(text: str | None) -> int | None:
    return None if text is None else parse_duration(text)


def _build(source: Json) -> Build:
    fields: Json = {
        key: source[key]
        for key in ("target", "args", "labels", "network", "pull", "no_cache", "additional_contexts")
        if key in source
    }
    fields |= {
        key: tuple(source[key]) for key in ("cache_from", "cache_to", "tags", "platforms") if key in source
    }
    return Build(
        context=source["context"],
        dockerfile=source["dockerfile"],
        secrets=tuple(_file_use(use) for use in source.get("secrets", ())),
        shm_size=int(source["shm_size"]) if "shm_size" in source else None,
        extra_hosts=tuple(_host(line) for line in source.get("extra_hosts", ())),
        **fields,
    )


def _port(source: Json) -> Port:
    return Port(
        target=source.get("target", 0),
        published=source.get("published", ""),
        protocol=source.get("protocol", "tcp"),
        host_ip=source.get("host_ip", ""),
        mode=source.get("mode", "ingress"),
    )


def build_mount(source: Json) -> Mount:
    """Return one entry of ``volumes`` from its long form."""
    bind = table_at(source, "bind")
    volume = table_at(source, "volume")
    tmpfs = table_at(source, "tmpfs")
    return Mount(
        type=source["type"],
        target=source["target"],
        source=source.get("source"),
        read_only=source.get("read_only", False),
        create_host_path=bind.get("create_host_path", False),
        propagation=bind.get("propagation"),
        selinux=bind.get("selinux"),
        nocopy=volume.get("nocopy", False),
        subpath=volume.get("subpath"),
        tmpfs_size=int(tmpfs["size"]) if "size" in tmpfs else None,
        tmpfs_mode=tmpfs.get("mode"),
        consistency=source.get("consistency"),
    )


def _dependency(source: Json) -> Dependency:
    return Dependency(source["condition"], source.get("restart", False), source["required"])


def _host(line: str) -> str:
    return line.replace("=", ":", 1)


def _attachment(value: Json | None) -> Attachment:
    source: Json = value or {}
    return Attachment(
        aliases=tuple(source.get("aliases", ())),
        ipv4_address=source.get("ipv4_address"),
        ipv6_address=source.get("ipv6_address"),
        link_local_ips=tuple(source.get("link_local_ips", ())),
        mac_address=source.get("mac_address"),
        driver_opts=source.get("driver_opts", {}),
        priority=source.get("priority", 0),
    )


def _healthcheck(source: Json) -> Healthcheck:
    test: list[str] | None = ["NONE"] if source.get("disable") else source.get("test")
    return Healthcheck(
        test=_optional_words(test),
        retries=source.get("retries"),
        **{
            key: _duration(source.get(key))
            for key in ("interval", "timeout", "start_period", "start_interval")
        },
    )


def _restart(short: str, policy: Json | None) -> str:
    """Return the restart policy as the engine spells it; ``deploy.restart_policy`` wins, as in compose."""
    if policy is None:
        return "no" if short == "none" else short
    condition: str = policy.get("condition", "")
    spelled = {"none": "no", "any": "always"}.get(condition, condition)
    attempts = policy.get("max_attempts")
    return f"{spelled}:{attempts}" if attempts else spelled


def _device(source: Json) -> str:
    return ":".join(source.get(key, "") for key in ("source", "target", "permissions"))


def _ulimit(value: int | Json) -> Ulimit:
    if isinstance(value, int):
        return Ulimit(value, value)
    return Ulimit(value.get("soft", 0), value.get("hard", 0))


def _file_use(source: Json) -> FileReference:
    return FileReference(
        source=source["source"],
        target=source.get("target"),
        uid=source.get("uid"),
        gid=source.get("gid"),
        mode=source.get("mode"),
    )


def _words(value: list[str]) -> tuple[str, ...]:
    return tuple(value)


def _watches(develop: Json) -> tuple[Watch, ...]:
    return tuple(_watch(rule) for rule in develop.get("watch", ()))


def _watch(source: Json) -> Watch:
    return Watch(
        path=source["path"],
        action=source["action"],
        target=source.get("target", ""),
        ignore=tuple(source.get("ignore", ())),
        command=tuple(list_at(table_at(source, "exec"), "command")),
    )


def _each(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda items: tuple(convert(item) for item in items)


def _every(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda table: {key: convert(item) for key, item in table.items()}


# Keys whose value becomes another type: the key, the field and the conversion.
_CONVERTED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "build": ("build", _build),
    "command": ("command", _words),
    "configs": ("configs", _each(_file_use)),
    "depends_on": ("depends_on", _every(_dependency)),
    "develop": ("watch", _watches),
    "devices": ("devices", _each(_device)),
    "entrypoint": ("entrypoint", _words),
    "extra_hosts": ("extra_hosts", _each(_host)),
    "healthcheck": ("healthcheck", _healthcheck),
    "networks": ("networks", _every(_attachment)),
    "ports": ("ports", _each(_port)),
    "secrets": ("secrets", _each(_file_use)),
    "stop_grace_period": ("stop_grace_period", parse_duration),
    "ulimits": ("ulimits", _every(_ulimit)),
    "volumes": ("mounts", _each(build_mount)),
} | {
    key: (key, _words)
    for key in [
        "expose",
        "tmpfs",
        "links",
        "profiles",
        "group_add",
        "cap_add",
        "cap_drop",
        "security_opt",
        "dns",
        "dns_search",
        "dns_opt",
        "volumes_from",
        "device_cgroup_rules",
    ]
}
