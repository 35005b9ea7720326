"""What the engine tells, as frozen data. Raw JSON stays in ``raw`` for those who compare whole objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Tls:
    """How a TCP endpoint is secured: files in PEM form, and whether the engine's certificate is checked."""

    verify: bool
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the engine is asked for, and why there. ``api_version`` is set where it is not negotiated."""

    url: str
    reason: str
    context: str | None = None
    tls: Tls | None = None
    api_version: str | None = None


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """The engine's release and the newest API that it speaks, both as it writes them."""

    release: str
    api: str


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Identity and size of a reachable engine."""

    endpoint: Endpoint
    version: str
    api_version: str
    operating_system: str
    root_directory: str
    storage_driver: str
    cpus: int
    memory: int
    containers_running: int

    def to_json(self) -> dict[str, object]:
        """Return the JSON that `engine info` prints."""
        return {
            "endpoint": self.endpoint.url,
            "reason": self.endpoint.reason,
            "context": self.endpoint.context,
            "version": self.version,
            "api_version": self.api_version,
            "operating_system": self.operating_system,
            "root_directory": self.root_directory,
            "storage_driver": self.storage_driver,
            "cpus": self.cpus,
            "memory_bytes": self.memory,
            "containers_running": self.containers_running,
        }


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """One address on the host that leads into a container."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: str

    def to_json(self) -> dict[str, object]:
        """Return the JSON form that `status` prints."""
        return {
            "host_ip": self.host_ip,
            "host_port": self.host_port,
            "container_port": self.container_port,
            "protocol": self.protocol,
        }


@dataclass(frozen=True, slots=True)
class Probe:
    """One run of a healthcheck, as the engine logged it or as we ran it."""

    exit_code: int
    output: str


RUNNING = frozenset({"running", "paused"})
"""States of a container whose process runs; that of a restarting one does not."""


@dataclass(frozen=True, slots=True, eq=False)  # one object each; comparing by value costs at start-up
class Container:
    """One container as inspected; ``health`` is None without a healthcheck, times are RFC 3339."""

    id: str
    name: str
    image: str
    image_id: str
    labels: Mapping[str, str]
    state: str
    exit_code: int
    oom_killed: bool
    error: str
    started_at: str
    restart_count: int
    health: Literal["starting", "healthy", "unhealthy"] | None
    last_probe: Probe | None
    ports: tuple[PublishedPort, ...]
    network_ids: Mapping[str, str]
    volumes: Mapping[str, str]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def running(self) -> bool:
        """Tell whether its process runs (a paused one counts, a restarting one does not)."""
        return self.state in RUNNING


@dataclass(frozen=True, slots=True)
class Network:
    """One network of the engine; ``containers`` are the names of those that run on it, by id."""

    id: str
    name: str
    labels: Mapping[str, str]
    containers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume of the engine."""

    name: str
    driver: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Image:
    """One local image; ``config`` is the engine's JSON of what containers take from it."""

    id: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    size: int
    config: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def on_build(self) -> tuple[str, ...]:
        """Return the instructions that run in images built from it."""
        return tuple(self.config.get("OnBuild") or ())


@dataclass(frozen=True, slots=True)
class Holding:
    """What one container of the engine, running or not, keeps in use; networks and volumes by name."""

    container_id: str
    container: str
    image_id: str
    networks: frozenset[str]
    volumes: frozenset[str] = frozenset()
    running: bool = False


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container left: its exit code and its output, both streams merged."""

    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file to put into a container; ``path`` is absolute in it."""

    path: str
    data: bytes = field(repr=False)
    mode: int = 0o444
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a container's log. ``timestamp`` is RFC 3339 with nanoseconds, as the engine gives it."""

    container: str
    stream: Literal["stdout", "stderr"]
    timestamp: str
    text: str


@dataclass(frozen=True, slots=True)
class BuildSecret:
    """One secret that BuildKit mounts while a step runs: from a file or from a variable."""

    id: str
    file: str | None = None
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """One image to build. Paths are absolute; ``dockerfile`` is relative to ``context`` where inside it.

    ``cache_to``, ``contexts`` and ``secrets`` are for BuildKit alone.
    """

    tag: str
    context: str
    dockerfile: str
    target: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    cache_from: tuple[str, ...] = ()
    network: str | None = None
    platform: str | None = None
    pull: bool = False
    no_cache: bool = False
    extra_hosts: tuple[str, ...] = ()
    shm_size: int | None = None
    more_tags: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    contexts: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: tuple[BuildSecret, ...] = ()
