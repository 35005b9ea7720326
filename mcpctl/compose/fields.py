"""The order and the kinds of the resolved model's keys.

The order is that of compose's own structures: the config hash is computed over it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.compose import values
from mcpctl.compose.records import Convert, Field, listed, mapped, plain, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.compose.faults import Path


def _of(convert: Callable[[Any], Any], *keys: str, keep: bool = False) -> tuple[Field, ...]:
    return tuple(Field(key, plain(convert), keep=keep) for key in keys)


def _sorted_pairs(convert: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    return lambda value: dict(sorted(convert(value).items()))


PAIRS = _sorted_pairs(values.pairs)
LABELS = _sorted_pairs(values.labels)


def _text(*keys: str) -> tuple[Field, ...]:
    return _of(values.text, *keys)


def _texts(*keys: str) -> tuple[Field, ...]:
    return _of(values.texts, *keys)


def _flag(*keys: str) -> tuple[Field, ...]:
    return _of(values.flag, *keys)


def _int(*keys: str) -> tuple[Field, ...]:
    return _of(values.whole, *keys)


def _size(*keys: str) -> tuple[Field, ...]:
    # Sizes are texts of digits to us and numbers to compose, which leaves zero out.
    return tuple(
        Field(key, plain(lambda value: "" if (text := values.size(value)) == "0" else text)) for key in keys
    )


def _duration(*keys: str, keep: bool = True) -> tuple[Field, ...]:
    def shown(value: Any) -> str:
        text = values.duration(value)
        return "" if text == "0s" and not keep else text

    return _of(shown, *keys, keep=keep)


FILE_USE = record((*_text("source", "target", "uid", "gid"), Field("mode", plain(values.natural), keep=True)))
COMMAND = Field("command", plain(values.command), always=True)

HOOK = record(
    (COMMAND, *_text("user"), *_flag("privileged"), *_text("working_dir"), *_of(PAIRS, "environment"))
)

BUILD = record(
    (
        *_text("context", "dockerfile"),
        *_of(PAIRS, "args"),
        *_of(LABELS, "labels"),
        *_texts("cache_from", "cache_to"),
        *_flag("no_cache"),
        *_of(LABELS, "additional_contexts"),
        *_flag("pull"),
        *_of(values.hosts, "extra_hosts"),
        *_text("network", "target"),
        Field("secrets", listed(FILE_USE)),
        *_size("shm_size"),
        *_texts("tags", "platforms"),
    )
)

WATCH = record(
    (
        *_text("path"),
        *_text("action"),
        *_text("target"),
        Field("exec", HOOK, always=True),
        *_texts("ignore"),
    )
)
DEVELOP = record((Field("watch", listed(WATCH)),))


def _renamed(convert: Convert) -> Convert:
    """Write the keys as compose's JSON does for these two structures: in capitals, never left out."""

    def at(value: Any, path: Path) -> dict[str, Any]:
        return {key.capitalize(): item for key, item in convert(value, path).items()}

    return at


_BLKIO_RATE = listed(
    _renamed(
        record(
            (
                Field("path", plain(values.text), always=True),
                Field("rate", plain(lambda value: values.size(value or 0)), always=True),
            )
        )
    )
)
_BLKIO_WEIGHT = listed(
    _renamed(
        record(
            (
                Field("path", plain(values.text), always=True),
                Field("weight", plain(lambda value: values.natural(value or 0)), always=True),
            )
        )
    )
)
BLKIO = record(
    (
        *_of(values.natural, "weight"),
        Field("weight_device", _BLKIO_WEIGHT),
        *(
            Field(f"device_{key}", _BLKIO_RATE)
            for key in ("read_bps", "read_iops", "write_bps", "write_iops")
        ),
    )
)

UPDATE = record(
    (
        *_of(values.natural, "parallelism", keep=True),
        *_duration("delay", keep=False),
        *_text("failure_action"),
        *_duration("monitor", keep=False),
        *_of(values.single, "max_failure_ratio"),
        *_text("order"),
    )
)
DEVICE_REQUEST = record(
    (
        *_texts("capabilities"),
        *_text("driver"),
        *_of(values.device_count, "count"),
        *_texts("device_ids"),
        *_of(LABELS, "options"),
    )
)
RESOURCE = record(
    (
        *_of(values.single, "cpus"),
        *_size("memory"),
        *_int("pids"),
        Field("devices", listed(DEVICE_REQUEST)),
    )
)
DEPLOY = record(
    (
        *_text("mode"),
        *_of(values.whole, "replicas", keep=True),
        *_of(LABELS, "labels"),
        Field("update_config", UPDATE, keep=True),
        Field("rollback_config", UPDATE, keep=True),
        Field(
            "resources",
            record((Field("limits", RESOURCE, keep=True), Field("reservations", RESOURCE, keep=True))),
            always=True,
        ),
        Field(
            "restart_policy",
            record(
                (
                    *_text("condition"),
                    *_duration("delay"),
                    *_of(values.natural, "max_attempts", keep=True),
                    *_duration("window"),
                )
            ),
            keep=True,
        ),
        Field(
            "placement",
            record(
                (
                    *_texts("constraints"),
                    Field("preferences", listed(record(_text("spread")))),
                    *_of(values.natural, "max_replicas_per_node"),
                )
            ),
            always=True,
        ),
        *_text("endpoint_mode"),
    )
)

DEPENDENCY = record(
    (*_text("condition"), *_flag("restart"), Field("required", plain(values.flag), always=True))
)
HEALTHCHECK = record(
    (
        *_of(values.test, "test"),
        *_duration("timeout", "interval"),
        *_of(values.natural, "retries", keep=True),
        *_duration("start_period", "start_interval"),
        *_flag("disable"),
    )
)
LOGGING = record((*_text("driver"), *_of(LABELS, "options")))
ATTACHMENT = record(
    (
        *_int("priority"),
        *_texts("aliases"),
        *_text("ipv4_address", "ipv6_address"),
        *_texts("link_local_ips"),
        *_text("mac_address"),
        *_of(LABELS, "driver_opts"),
    )
)
PORT = record(
    (
        *_text("name", "mode", "host_ip"),
        *_of(values.port_number, "target"),
        *_text("published", "protocol", "app_protocol"),
    )
)
MOUNT = record(
    (
        *_text("type", "source", "target"),
        *_flag("read_only"),
        *_text("consistency"),
        Field("bind", record((*_text("selinux", "propagation"), *_flag("create_host_path"))), keep=True),
        Field("volume", record((*_flag("nocopy"), *_text("subpath"))), keep=True),
        Field("tmpfs", record((*_size("size"), *_of(values.natural, "mode"))), keep=True),
    )
)

SERVICE = record(
    (
        *_texts("profiles"),
        *_of(LABELS, "annotations"),
        *_of(values.flag, "attach", keep=True),
        Field("build", BUILD, keep=True),
        Field("develop", DEVELOP, keep=True),
        Field("blkio_config", BLKIO, keep=True),
        *_texts("cap_add", "cap_drop"),
        *_text("cgroup_parent", "cgroup"),
        *_int("cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime"),
        *_of(values.single, "cpus"),
        *_text("cpuset"),
        *_int("cpu_shares"),
        COMMAND,
        Field("configs", listed(FILE_USE)),
        *_text("container_name"),
        Field("depends_on", mapped(DEPENDENCY)),
        Field("deploy", DEPLOY, keep=True),
        *_texts("device_cgroup_rules"),
        Field("devices", listed(record(_text("source", "target", "permissions")))),
        *_texts("dns", "dns_opt", "dns_search"),
        *_text("domainname"),
        Field("entrypoint", plain(values.command), always=True),
        *_of(PAIRS, "environment"),
        Field("env_file", listed(plain(values.env_file))),
        *_texts("expose"),
        *_of(values.hosts, "extra_hosts"),
        *_texts("group_add"),
        *_text("hostname"),
        Field("healthcheck", HEALTHCHECK, keep=True),
        *_text("image"),
        *_of(values.flag, "init", keep=True),
        *_text("ipc", "isolation"),
        *_of(LABELS, "labels"),
        *_texts("label_file", "links"),
        Field("logging", LOGGING, keep=True),
        *_size("mem_limit", "mem_reservation", "memswap_limit", "mem_swappiness"),
        *_text("mac_address", "network_mode"),
        Field("networks", mapped(ATTACHMENT)),
        *_flag("oom_kill_disable"),
        *_int("oom_score_adj"),
        *_text("pid"),
        *_int("pids_limit"),
        *_text("platform"),
        Field("ports", listed(PORT)),
        *_flag("privileged"),
        *_text("pull_policy"),
        *_flag("read_only"),
        *_text("restart", "runtime"),
        *_of(values.whole, "scale", keep=True),
        Field("secrets", listed(FILE_USE)),
        *_texts("security_opt"),
        *_size("shm_size"),
        *_flag("stdin_open"),
        *_duration("stop_grace_period"),
        *_text("stop_signal"),
        *_of(LABELS, "storage_opt", "sysctls"),
        *_texts("tmpfs"),
        *_flag("tty"),
        Field("ulimits", mapped(plain(values.ulimit))),
        *_text("user", "userns_mode", "uts"),
        Field("volumes", listed(MOUNT)),
        *_texts("volumes_from"),
        *_text("working_dir"),
    )
)

IPAM = record(
    (
        *_text("driver"),
        Field(
            "config",
            listed(record((*_text("subnet", "gateway", "ip_range"), *_of(LABELS, "aux_addresses")))),
        ),
        *_of(LABELS, "options"),
    )
)
NETWORK = record(
    (
        *_text("name", "driver"),
        *_of(LABELS, "driver_opts"),
        Field("ipam", IPAM, always=True),
        *_flag("external", "internal", "attachable"),
        *_of(LABELS, "labels"),
        *_of(values.flag, "enable_ipv6", keep=True),
    )
)
VOLUME = record(
    (*_text("name", "driver"), *_of(LABELS, "driver_opts"), *_flag("external"), *_of(LABELS, "labels"))
)
FILE_OBJECT = record(
    (*_text("name", "file", "environment", "content"), *_flag("external"), *_of(LABELS, "labels"))
)
