"""An engine in memory: names are unique, states scripted, faults injected. No more than plans need."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from mcpctl.engine import inspect
from mcpctl.engine.types import (
    RUNNING,
    Container,
    Endpoint,
    ExecResult,
    Holding,
    Image,
    Network,
    Volume,
    WrittenFile,
)
from mcpctl.errors import EngineFailed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mcpctl.compose.model import Network as NetworkSpec
    from mcpctl.compose.model import Volume as VolumeSpec

Json = dict[str, Any]
LONG_AGO = "2020-01-01T00:00:00.000000000Z"


@dataclass
class FakeEngine:
    """Holds containers as the engine's own JSON; ``probe`` answers every exec, ``calls`` records changes."""

    endpoint: Endpoint = field(default_factory=lambda: Endpoint("unix:///fake.sock", "a test"))
    api_version: tuple[int, int] = (1, 41)
    proxies: dict[str, str] = field(default_factory=dict[str, str])
    calls: list[str] = field(default_factory=list[str])
    probe: Callable[[str, Sequence[str]], ExecResult] = lambda _container, _argv: ExecResult(0, "ok")
    """What a healthcheck command answers."""
    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    published: dict[int, str] = field(default_factory=dict[int, str])
    faults: dict[str, Exception] = field(default_factory=dict[str, Exception])
    """What a call raises, by the call as it is recorded."""

    def __post_init__(self) -> None:
        self.written: dict[str, WrittenFile] = {}
        """What was put into containers, by its path."""
        self._containers: dict[str, Json] = {}
        self._networks: dict[str, Network] = {}
        self._volumes: dict[str, Volume] = {}
        self._images: dict[str, Image] = {}
        self._ids = (f"{number:x}".ljust(64, "0") for number in itertools.count(0xABC000000000))
        self._lock = Lock()
        self._scripts: dict[str, list[Json]] = {}

    # what tests set up

    def add_image(self, name: str, image_id: str = "sha256:1111") -> None:
        self._images[name] = Image(image_id, (name,), {}, 1)

    def add_built(self, image: Image) -> None:
        """Add an image with its labels; without tags it is found by its id alone."""
        for name in image.tags or (image.id,):
            self._images[name] = image

    states: tuple[str, ...] = ("Rs",)
    """What the processes of every container do, as ``ps`` writes it."""

    def script(self, name: str, *states: Mapping[str, Any]) -> None:
        """Let each look at a container find the next state; the last one stays."""
        self._scripts[self._raw(name)["Id"]] = [dict(state) for state in states]

    def set_state(self, name: str, **state: Any) -> None:
        self._raw(name)["State"].update(state)

    def names(self) -> dict[str, str]:
        """Return the state of each container by its name."""
        return {raw["Name"].lstrip("/"): raw["State"]["Status"] for raw in self._containers.values()}

    # what the rooms call

    def now(self) -> datetime:
        return self.time

    def answers(self) -> bool:
        return True

    def process_states(self, container: str) -> tuple[str, ...]:
        del container
        return self.states

    def containers(self, labels: Iterable[str]) -> tuple[Container, ...]:
        wanted = [label.partition("=") for label in labels]
        found = [
            inspect.container(raw)
            for raw in list(self._containers.values())
            if all(
                key in raw["Config"]["Labels"] and (not equals or raw["Config"]["Labels"][key] == value)
                for key, equals, value in wanted
            )
        ]
        return tuple(found)

    def find_container(self, name: str) -> Container | None:
        try:
            return self.container(name)
        except NotFound:
            return None

    def container(self, name: str) -> Container:
        raw = self._raw(name)
        script = self._scripts.get(raw["Id"])
        if script:
            state = script.pop(0) if len(script) > 1 else script[0]
            if state.get("Gone"):
                raise NotFound(f"no such container: {name}")
            raw["RestartCount"] = state.pop("RestartCount", raw.get("RestartCount", 0))
            raw["State"] = {"ExitCode": 0, "StartedAt": LONG_AGO, **state}
        return inspect.container(raw)

    def container_publishing(self, port: int, _address: str = "") -> str | None:
        return self.published.get(port)

    def create_container(self, name: str, config: Mapping[str, Any], _platform: str | None = None) -> str:
        self._call(f"create {name}")
        with self._lock:
            if any(raw["Name"] == f"/{name}" for raw in self._containers.values()):
                raise EngineFailed(f"creating container {name}: the name is already in use")
            identity = next(self._ids)
            self._containers[identity] = self._made(identity, name, config)
        return identity

    def _made(self, identity: str, name: str, config: Mapping[str, Any]) -> Json:
        image = self._images.get(config["Image"])
        if image is None:
            raise NotFound(f"no such image: {config['Image']}")
        networks = config.get("NetworkingConfig", {}).get("EndpointsConfig", {})
        mounts = [
            {
                "Type": "volume",
                "Name": mount.get("Source") or f"{identity[:60]}{index:04x}",
                "Destination": path,
            }
            for index, mount in enumerate(config["HostConfig"].get("Mounts") or [])
            if mount["Type"] == "volume" and (path := mount["Target"])
        ]
        return {
            "Id": identity,
            "Name": f"/{name}",
            "Image": image.id,
            "RestartCount": 0,
            "State": {"Status": "created", "ExitCode": 0, "StartedAt": "0001-01-01T00:00:00Z"},
            "Config": {**config, "Labels": dict(config.get("Labels") or {})},
            "HostConfig": dict(config["HostConfig"]),
            "NetworkSettings": {
                "Ports": {},
                "Networks": {key: {**settings, "NetworkID": ""} for key, settings in networks.items()},
            },
            "Mounts": mounts,
        }

    def write_files(self, container: str, files: Iterable[WrittenFile]) -> None:
        raw = self._raw(container)
        for file in files:
            self._call(f"write {file.path} into {raw['Name'].lstrip('/')}")
            self.written[file.path] = file

    def start(self, container: str) -> None:
        raw = self._raw(container)
        self._call(f"start {raw['Name'].lstrip('/')}")
        health = {"Health": {"Status": "starting", "Log": []}} if raw["Config"].get("Healthcheck") else {}
        raw["State"] = {"Status": "running", "ExitCode": 0, "StartedAt": LONG_AGO, **health}
        for name, endpoint in raw["NetworkSettings"]["Networks"].items():
            endpoint["NetworkID"] = self._networks[name].id

    def unpause(self, container: str) -> None:
        raw = self._raw(container)
        self._call(f"unpause {raw['Name'].lstrip('/')}")
        raw["State"] = {**raw["State"], "Status": "running"}

    def stop(self, container: str, grace: int | None = None) -> None:
        raw = self._raw(container)
        self._call(f"stop {raw['Name'].lstrip('/')}" + (f" within {grace}" if grace is not None else ""))
        if raw["State"]["Status"] != "created":
            raw["State"] = {**raw["State"], "Status": "exited", "ExitCode": 143}

    def remove_container(self, container: str, *, force: bool = False) -> None:
        raw = self._raw(container)
        self._call(f"remove {raw['Name'].lstrip('/')}")
        if raw["State"]["Status"] == "running" and not force:
            raise EngineFailed("it runs")
        del self._containers[raw["Id"]]

    def rename(self, container: str, name: str) -> None:
        raw = self._raw(container)
        self._call(f"rename to {name}")
        if any(other["Name"] == f"/{name}" for other in self._containers.values()):
            raise EngineFailed(f"renaming: the name {name} is already in use")
        raw["Name"] = f"/{name}"

    def connect(self, network: str, container: str, settings: Mapping[str, Any]) -> None:
        self._raw(container)["NetworkSettings"]["Networks"][network] = {**settings, "NetworkID": ""}

    def networks(self, labels: Iterable[str]) -> tuple[Network, ...]:
        return tuple(item for item in self._networks.values() if _has(item.labels, labels))

    def find_network(self, name: str) -> Network | None:
        return self._networks.get(name)

    def create_network(self, spec: NetworkSpec, labels: Mapping[str, str]) -> str:
        self._call(f"create network {spec.name}")
        if spec.name in self._networks:
            raise EngineFailed(f"network {spec.name} exists")
        self._networks[spec.name] = Network(next(self._ids), spec.name, labels)
        return self._networks[spec.name].id

    def remove_network(self, network: str) -> None:
        (name,) = (item.name for item in self._networks.values() if network in {item.id, item.name})
        self._call(f"remove network {name}")
        if any(name in raw["NetworkSettings"]["Networks"] for raw in self._containers.values()):
            raise EngineFailed(f"network {name} has active endpoints")
        del self._networks[name]

    def volumes(self, labels: Iterable[str]) -> tuple[Volume, ...]:
        return tuple(item for item in self._volumes.values() if _has(item.labels, labels))

    def find_volume(self, name: str) -> Volume | None:
        return self._volumes.get(name)

    def create_volume(self, spec: VolumeSpec, labels: Mapping[str, str]) -> None:
        self._call(f"create volume {spec.name}")
        self._volumes[spec.name] = Volume(spec.name, spec.driver or "local", labels)

    def remove_volume(self, name: str) -> None:
        self._call(f"remove volume {name}")
        self._volumes.pop(name, None)

    def holdings(self) -> tuple[Holding, ...]:
        return tuple(
            Holding(
                raw["Id"],
                raw["Name"].lstrip("/"),
                raw["Image"],
                frozenset(raw["NetworkSettings"]["Networks"]),
                frozenset(mount["Name"] for mount in raw["Mounts"] if "Name" in mount),
                running=raw["State"]["Status"] in RUNNING,
            )
            for raw in self._containers.values()
        )

    def images(self, labels: Iterable[str]) -> tuple[Image, ...]:
        wanted = list(labels)
        return tuple({item.id: item for item in self._images.values() if _has(item.labels, wanted)}.values())

    def find_image(self, name: str) -> Image | None:
        return self._images.get(name)

    def remove_image(self, name: str) -> None:
        self._call(f"remove image {name}")
        del self._images[name]

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if error := self.faults.get(what):
            raise error

    def _raw(self, name: str) -> Json:
        for raw in list(self._containers.values()):
            if name in {raw["Id"], raw["Name"].lstrip("/")} or (
                len(name) >= 12 and raw["Id"].startswith(name)
            ):
                return raw
        raise NotFound(f"no such container: {name}")


def _has(labels: Mapping[str, str], wanted: Iterable[str]) -> bool:
    pairs = (entry.partition("=") for entry in wanted)
    return all(labels.get(key) == value for key, _, value in pairs)
