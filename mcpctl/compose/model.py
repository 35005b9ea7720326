"""The resolved compose model as frozen data: what every other room reads.

Durations are nanoseconds and sizes are bytes, the engine's own units. Mappings are read-only by convention.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


@dataclass(frozen=True, slots=True)
class Build:
    """How an image is built: ``build`` in its long form, paths absolute."""

    context: str
    dockerfile: str
    target: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    additional_contexts: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: tuple[FileReference, ...] = ()
    network: str | None = None
    shm_size: int | None = None
    extra_hosts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    pull: bool = False
    no_cache: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """One published port, or one of a range; ``published`` may be ``""`` (the engine chooses) or ``a-b``."""

    target: int
    published: str = ""
    protocol: str = "tcp"
    host_ip: str = ""
    mode: str = "ingress"


@dataclass(frozen=True, slots=True)
class Mount:
    """One entry of ``volumes`` in its long form. ``source`` is a volume key, an absolute path, or None."""

    type: Literal["volume", "bind", "tmpfs", "npipe", "cluster"]
    target: str
    source: str | None = None
    read_only: bool = False
    create_host_path: bool = False
    propagation: str | None = None
    selinux: str | None = None
    nocopy: bool = False
    subpath: str | None = None
    tmpfs_size: int | None = None
    tmpfs_mode: int | None = None
    consistency: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """How a service joins one network."""

    aliases: tuple[str, ...] = ()
    ipv4_address: str | None = None
    ipv6_address: str | None = None
    link_local_ips: tuple[str, ...] = ()
    mac_address: str | None = None
    driver_opts: Mapping[str, str] = field(default_factory=dict[str, str])
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Dependency:
    """One edge of ``depends_on``."""

    condition: Condition = "service_started"
    restart: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """A healthcheck; ``test`` is the engine's form (``("NONE",)``, ``("CMD", …)``, ``("CMD-SHELL", …)``)."""

    test: tuple[str, ...] | None = None
    interval: int | None = None
    timeout: int | None = None
    retries: int | None = None
    start_period: int | None = None
    start_interval: int | None = None

    @property
    def disabled(self) -> bool:
        """Tell whether the file switches the check off."""
        return self.test == ("NONE",)


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """Devices such as GPUs that the engine's runtime hands out; ``count`` -1 means all."""

    capabilities: tuple[str, ...]
    driver: str = ""
    count: int = 0
    device_ids: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Limits:
    """Resource limits and reservations of a service, from ``deploy.resources`` or the short keys.

    ``blkio_rates`` maps ``read_bps``, ``read_iops``, ``write_bps`` and ``write_iops`` to (path, rate) pairs.
    """

    memory: int | None = None
    memory_reservation: int | None = None
    memory_swap: int | None = None
    memory_swappiness: int | None = None
    cpus: float | None = None
    cpu_shares: int | None = None
    cpu_quota: int | None = None
    cpu_period: int | None = None
    cpuset: str | None = None
    pids: int | None = None
    shm_size: int | None = None
    oom_kill_disable: bool = False
    oom_score_adj: int | None = None
    cpu_rt_period: int | None = None
    cpu_rt_runtime: int | None = None
    blkio_weight: int | None = None
    blkio_weight_device: tuple[tuple[str, int], ...] = ()
    blkio_rates: Mapping[str, tuple[tuple[str, int], ...]] = field(
        default_factory=dict[str, "tuple[tuple[str, int], ...]"]
    )
    devices: tuple[DeviceRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Ulimit:
    """One ulimit."""

    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class FileReference:
    """How a service uses a secret or a config."""

    source: str
    target: str | None = None
    uid: str | None = None
    gid: str | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """One rule of ``develop.watch``."""

    path: str
    action: Literal["rebuild", "sync", "restart", "sync+restart", "sync+exec"]
    target: str = ""
    ignore: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One enabled service.

    ``depends_on`` holds enabled services alone. ``extra_hosts`` are ``host:address``, ``devices``
    ``host:container:permissions``, as the engine takes them. ``update_order`` is
    ``deploy.update_config.order``.
    ``resolved`` is the service in ``Project.model``, which names every key as the file does.
    """

    name: str
    image: str | None = None
    build: Build | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    tmpfs: tuple[str, ...] = ()
    networks: Mapping[str, Attachment] = field(default_factory=dict[str, Attachment])
    network_mode: str | None = None
    depends_on: Mapping[str, Dependency] = field(default_factory=dict[str, Dependency])
    links: tuple[str, ...] = ()
    healthcheck: Healthcheck | None = None
    restart: str = ""
    scale: int = 1
    limits: Limits = field(default_factory=Limits)
    logging_driver: str | None = None
    logging_options: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    profiles: tuple[str, ...] = ()
    user: str | None = None
    group_add: tuple[str, ...] = ()
    working_dir: str | None = None
    read_only: bool = False
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    init: bool | None = None
    tty: bool = False
    stdin_open: bool = False
    stop_grace_period: int | None = None
    stop_signal: str | None = None
    extra_hosts: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_opt: tuple[str, ...] = ()
    ulimits: Mapping[str, Ulimit] = field(default_factory=dict[str, Ulimit])
    sysctls: Mapping[str, str] = field(default_factory=dict[str, str])
    hostname: str | None = None
    domainname: str | None = None
    container_name: str | None = None
    platform: str | None = None
    pull_policy: str | None = None
    pid: str | None = None
    ipc: str | None = None
    uts: str | None = None
    userns_mode: str | None = None
    cgroup: str | None = None
    cgroup_parent: str | None = None
    runtime: str | None = None
    isolation: str | None = None
    storage_opt: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: tuple[FileReference, ...] = ()
    configs: tuple[FileReference, ...] = ()
    volumes_from: tuple[str, ...] = ()
    device_cgroup_rules: tuple[str, ...] = ()
    mac_address: str | None = None
    attach: bool = True
    watch: tuple[Watch, ...] = ()
    update_order: Literal["", "start-first", "stop-first"] = ""
    resolved: Mapping[str, object] = field(default_factory=dict[str, object])
    config_hash: str = ""

    def image_name(self, project: str) -> str:
        """Return the image's name, compose's default tag where none is given."""
        return self.image or f"{project}-{self.name}"


@dataclass(frozen=True, slots=True)
class Network:
    """One network of the project; ``config_hash`` is empty where it cannot be exact."""

    key: str
    name: str
    external: bool = False
    driver: str | None = None
    driver_opts: Mapping[str, str] = field(default_factory=dict[str, str])
    internal: bool = False
    attachable: bool = False
    enable_ipv6: bool = False
    ipam_driver: str | None = None
    ipam_config: tuple[Mapping[str, object], ...] = ()
    ipam_options: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    config_hash: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """One named volume of the project."""

    key: str
    name: str
    external: bool = False
    driver: str | None = None
    driver_opts: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    config_hash: str = ""


@dataclass(frozen=True, slots=True)
class FileObject:
    """One top-level secret or config: exactly one of ``file``, ``environment``, ``content``, ``external``."""

    key: str
    name: str
    file: str | None = None
    environment: str | None = None
    content: str | None = None
    external: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """A resolved project: everything that `up` needs to know, from files and environment alone.

    ``env_files`` holds only the files named by ``--env-file`` or ``COMPOSE_ENV_FILES`` (compose labels
    containers with these). ``environment`` is what interpolation saw. ``model`` is the JSON form of
    `docker compose config --format json`.
    """

    name: str
    directory: Path
    files: tuple[Path, ...]
    env_files: tuple[Path, ...]
    environment: Mapping[str, str]
    services: Mapping[str, Service]
    disabled: tuple[str, ...]
    networks: Mapping[str, Network]
    volumes: Mapping[str, Volume]
    secrets: Mapping[str, FileObject]
    configs: Mapping[str, FileObject]
    model: Mapping[str, object]
    warnings: tuple[str, ...] = ()
