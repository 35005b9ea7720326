"""Every key of a project file that compose 2.26 knows, and what its value may look like.

Source: the compose specification's schema. A key that mcpctl does not map is ``Unsupported``, with the way
round.
"""

from __future__ import annotations

import re
from typing import Any, Final

from mcpctl.compose.shapes import (
    AMOUNT,
    COMMAND,
    FLAG,
    HOSTS,
    KEY,
    NULL,
    NUMBER,
    OPTIONS,
    PAIRS,
    TEXT,
    TEXT_OR_TEXTS,
    TEXTS,
    UNIQUE_TEXTS,
    WHOLE,
    Either,
    Items,
    Record,
    Table,
    Unsupported,
    Word,
    choice,
    words,
)

_OVERRIDE_FILE = (
    "put the shared part into a file of its own and name both: -f base.yaml -f this.yaml (or COMPOSE_FILE)"
)
_WINDOWS = "remove it: it works on Windows engines only"

_FILE_USE = Items(
    Either((TEXT, Record({"source": TEXT, "target": TEXT, "uid": TEXT, "gid": TEXT, "mode": NUMBER})))
)
_ULIMITS = Table(
    Either((AMOUNT, Record({"hard": AMOUNT, "soft": AMOUNT}, required=("soft", "hard")))),
    key=re.compile(r"[a-z]+\Z"),
    strict=False,
)
_HOOK = Record(
    {"command": COMMAND, "user": TEXT, "privileged": FLAG, "working_dir": TEXT, "environment": PAIRS}
)
_DEVICE_REQUEST: Final[dict[str, Any]] = {
    "capabilities": UNIQUE_TEXTS,
    "count": AMOUNT,
    "device_ids": UNIQUE_TEXTS,
    "driver": TEXT,
    "options": PAIRS,
}

BUILD = Record(
    {
        "context": TEXT,
        "dockerfile": TEXT,
        "dockerfile_inline": Unsupported("write the lines into a file and name it: dockerfile: FILE"),
        "entitlements": Unsupported("remove it: neither builder grants them here"),
        "args": PAIRS,
        "ssh": Unsupported("pass the key as a build secret: build.secrets"),
        "labels": PAIRS,
        "cache_from": TEXTS,
        "cache_to": TEXTS,
        "no_cache": FLAG,
        "additional_contexts": Either((Table(TEXT), UNIQUE_TEXTS)),
        "network": TEXT,
        "pull": FLAG,
        "target": TEXT,
        "shm_size": AMOUNT,
        "extra_hosts": HOSTS,
        "isolation": Unsupported(_WINDOWS),
        "privileged": Unsupported("remove it: builds run without privileges"),
        "secrets": _FILE_USE,
        "tags": TEXTS,
        "ulimits": Unsupported("remove it: set limits on the engine"),
        "platforms": TEXTS,
    }
)

_HEALTHCHECK = Record(
    {
        "disable": FLAG,
        "interval": TEXT,
        "retries": NUMBER,
        "test": Either((TEXT, TEXTS)),
        "timeout": TEXT,
        "start_period": TEXT,
        "start_interval": TEXT,
    }
)

_UPDATE = Record(
    {
        "parallelism": WHOLE,
        "delay": TEXT,
        "failure_action": TEXT,
        "monitor": TEXT,
        "max_failure_ratio": NUMBER,
        "order": choice("start-first", "stop-first"),
    }
)

_RESERVATIONS = Record(
    {
        "cpus": NUMBER,
        "memory": TEXT,
        "generic_resources": Unsupported("remove it: it works in Swarm only"),
        "devices": Items(Record(_DEVICE_REQUEST, required=("capabilities",))),
    }
)

DEPLOY = Record(
    {
        "mode": TEXT,
        "endpoint_mode": TEXT,
        "replicas": WHOLE,
        "labels": PAIRS,
        "rollback_config": _UPDATE,
        "update_config": _UPDATE,
        "resources": Record(
            {
                "limits": Record({"cpus": NUMBER, "memory": TEXT, "pids": WHOLE}),
                "reservations": _RESERVATIONS,
            }
        ),
        "restart_policy": Record({"condition": TEXT, "delay": TEXT, "max_attempts": WHOLE, "window": TEXT}),
        "placement": Record(
            {
                "constraints": TEXTS,
                "preferences": Items(Record({"spread": TEXT})),
                "max_replicas_per_node": WHOLE,
            }
        ),
    }
)

_DEPENDENCY = Record(
    {
        "restart": FLAG,
        "required": words("bool"),
        "condition": choice("service_started", "service_healthy", "service_completed_successfully"),
    },
    required=("condition",),
)

_WATCH = Record(
    {
        "ignore": TEXTS,
        "path": TEXT,
        "action": choice("rebuild", "sync", "restart", "sync+restart", "sync+exec"),
        "target": TEXT,
        "exec": _HOOK,
    },
    required=("path", "action"),
)

_ATTACHMENT = Record(
    {
        "aliases": UNIQUE_TEXTS,
        "ipv4_address": TEXT,
        "ipv6_address": TEXT,
        "link_local_ips": UNIQUE_TEXTS,
        "mac_address": TEXT,
        "driver_opts": OPTIONS,
        "priority": words("int", "float"),
        "gw_priority": Unsupported("order networks with priority"),
    }
)

_PORT = Record(
    {
        "name": TEXT,
        "mode": TEXT,
        "host_ip": TEXT,
        "target": WHOLE,
        "published": WHOLE,
        "protocol": TEXT,
        "app_protocol": TEXT,
    }
)

_MOUNT = Record(
    {
        "type": TEXT,
        "source": TEXT,
        "target": TEXT,
        "read_only": FLAG,
        "consistency": TEXT,
        "bind": Record(
            {
                "propagation": TEXT,
                "create_host_path": FLAG,
                "recursive": Unsupported("remove it: mounts below a bind follow it"),
                "selinux": choice("z", "Z"),
            }
        ),
        "volume": Record({"nocopy": FLAG, "subpath": TEXT}),
        "tmpfs": Record({"size": Either((Word(frozenset(("int",)), lowest=0), TEXT)), "mode": NUMBER}),
    },
    required=("type",),
)

_ENV_FILE = Either(
    (
        TEXT,
        Items(
            Either(
                (
                    TEXT,
                    Record(
                        {
                            "path": TEXT,
                            "format": Unsupported("remove it: env files are read in compose's own format"),
                            "required": FLAG,
                        },
                        required=("path",),
                        extensible=False,
                    ),
                )
            )
        ),
    )
)

_BLKIO_RATE = Items(Record({"path": TEXT, "rate": AMOUNT}, extensible=False))

SERVICE = Record(
    {
        "annotations": PAIRS,
        "attach": FLAG,
        "blkio_config": Record(
            {
                "device_read_bps": _BLKIO_RATE,
                "device_read_iops": _BLKIO_RATE,
                "device_write_bps": _BLKIO_RATE,
                "device_write_iops": _BLKIO_RATE,
                "weight": AMOUNT,
                "weight_device": Items(Record({"path": TEXT, "weight": AMOUNT}, extensible=False)),
            },
            extensible=False,
        ),
        "build": Either((TEXT, BUILD)),
        "cap_add": UNIQUE_TEXTS,
        "cap_drop": UNIQUE_TEXTS,
        "cgroup": choice("host", "private"),
        "cgroup_parent": TEXT,
        "command": COMMAND,
        "configs": _FILE_USE,
        "container_name": TEXT,
        "cpu_count": Unsupported(_WINDOWS),
        "cpu_percent": Unsupported(_WINDOWS),
        "cpu_period": NUMBER,
        "cpu_quota": NUMBER,
        "cpu_rt_period": NUMBER,
        "cpu_rt_runtime": NUMBER,
        "cpu_shares": NUMBER,
        "cpus": NUMBER,
        "cpuset": TEXT,
        "credential_spec": Unsupported(_WINDOWS),
        "depends_on": Either((UNIQUE_TEXTS, Table(_DEPENDENCY, key=KEY))),
        "deploy": Either((NULL, DEPLOY)),
        "develop": Either((NULL, Record({"watch": Items(_WATCH)}))),
        "device_cgroup_rules": UNIQUE_TEXTS,
        "devices": Items(
            Either(
                (TEXT, Record({"source": TEXT, "target": TEXT, "permissions": TEXT}, required=("source",)))
            )
        ),
        "dns": TEXT_OR_TEXTS,
        "dns_opt": UNIQUE_TEXTS,
        "dns_search": TEXT_OR_TEXTS,
        "domainname": TEXT,
        "entrypoint": COMMAND,
        "env_file": _ENV_FILE,
        "environment": PAIRS,
        "expose": Items(words("str", "int", "float"), unique=True),
        "extends": Unsupported(_OVERRIDE_FILE),
        "external_links": Unsupported("join the other project's network: networks with external: true"),
        "extra_hosts": HOSTS,
        "gpus": Unsupported("ask for them under deploy.resources.reservations.devices"),
        "group_add": Items(words("str", "int", "float"), unique=True),
        "healthcheck": _HEALTHCHECK,
        "hostname": TEXT,
        "image": TEXT,
        "init": FLAG,
        "ipc": TEXT,
        "isolation": TEXT,
        "label_file": Either((TEXT, TEXTS)),
        "labels": PAIRS,
        "links": UNIQUE_TEXTS,
        "logging": Record({"driver": TEXT, "options": Table(words("str", "int", "float", "null"))}),
        "mac_address": TEXT,
        "mem_limit": AMOUNT,
        "mem_reservation": AMOUNT,
        "mem_swappiness": AMOUNT,
        "memswap_limit": AMOUNT,
        "network_mode": TEXT,
        "networks": Either((UNIQUE_TEXTS, Table(Either((_ATTACHMENT, NULL)), key=KEY))),
        "oom_kill_disable": FLAG,
        "oom_score_adj": Word(frozenset(("str", "int")), lowest=-1000, highest=1000),
        "pid": words("str", "null"),
        "pids_limit": NUMBER,
        "platform": TEXT,
        "ports": Items(Either((words("int", "float", "str"), _PORT)), unique=True),
        "post_start": Unsupported("start a one-shot service after it: depends_on with service_healthy"),
        "pre_stop": Unsupported("handle stop_signal in the container"),
        "privileged": FLAG,
        "profiles": UNIQUE_TEXTS,
        "pull_policy": choice("always", "never", "if_not_present", "build", "missing"),
        "read_only": FLAG,
        "restart": TEXT,
        "runtime": TEXT,
        "scale": WHOLE,
        "secrets": _FILE_USE,
        "security_opt": UNIQUE_TEXTS,
        "shm_size": AMOUNT,
        "stdin_open": FLAG,
        "stop_grace_period": TEXT,
        "stop_signal": TEXT,
        "storage_opt": Table(words("str", "int")),
        "sysctls": PAIRS,
        "tmpfs": TEXT_OR_TEXTS,
        "tty": FLAG,
        "ulimits": _ULIMITS,
        "user": TEXT,
        "userns_mode": TEXT,
        "uts": TEXT,
        "volumes": Items(Either((TEXT, _MOUNT)), unique=True),
        "volumes_from": UNIQUE_TEXTS,
        "working_dir": TEXT,
    }
)

_EXTERNAL = Either((FLAG, Record({"name": TEXT})))

NETWORK = Record(
    {
        "name": TEXT,
        "driver": TEXT,
        "driver_opts": OPTIONS,
        "ipam": Record(
            {
                "driver": TEXT,
                "config": Items(
                    Record({"subnet": TEXT, "ip_range": TEXT, "gateway": TEXT, "aux_addresses": Table(TEXT)})
                ),
                "options": Table(TEXT),
            }
        ),
        "external": _EXTERNAL,
        "internal": FLAG,
        "enable_ipv4": Unsupported("remove it: the engine gives every network IPv4"),
        "enable_ipv6": FLAG,
        "attachable": FLAG,
        "labels": PAIRS,
    }
)

VOLUME = Record(
    {"name": TEXT, "driver": TEXT, "driver_opts": OPTIONS, "external": _EXTERNAL, "labels": PAIRS}
)

_SWARM_FILE: Final[dict[str, Any]] = {
    "name": TEXT,
    "environment": TEXT,
    "file": TEXT,
    "external": _EXTERNAL,
    "labels": PAIRS,
    "template_driver": Unsupported("remove it: it works in Swarm only"),
}
SECRET = Record(
    _SWARM_FILE
    | dict.fromkeys(
        ("driver", "driver_opts"), Unsupported("use file or environment: drivers work in Swarm only")
    )
)
CONFIG = Record(_SWARM_FILE | {"content": TEXT})

PROJECT = Record(
    {
        "version": TEXT,
        "name": TEXT,
        "include": Unsupported(_OVERRIDE_FILE),
        "services": Table(SERVICE, key=KEY),
        "networks": Table(Either((NETWORK, NULL))),
        "volumes": Table(Either((VOLUME, NULL)), key=KEY),
        "secrets": Table(SECRET, key=KEY),
        "configs": Table(CONFIG, key=KEY),
    }
)
