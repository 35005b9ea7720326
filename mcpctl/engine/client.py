"""The engine's calls in our words. Every method maps what the SDK raises; see ``failures``."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mcpctl.engine import inspect, times
from mcpctl.engine.attempt import Attempt
from mcpctl.engine.connection import CALL_TIMEOUT, FIRST_ANSWER_SECONDS, introduce
from mcpctl.engine.failures import translated
from mcpctl.engine.local import SCHEME, Local, Request
from mcpctl.engine.types import (
    Container,
    Endpoint,
    EngineInfo,
    EngineVersion,
    Holding,
    Image,
    Network,
    Volume,
    WrittenFile,
)
from mcpctl.errors import EngineFailed, EngineUnreachable, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from mcpctl.compose.model import Network as NetworkSpec
    from mcpctl.compose.model import Volume as VolumeSpec
    from mcpctl.engine.local import Method

STOP_SECONDS = 10
"""The engine's own grace for a container that sets none."""


class Engine:
    """A Docker Engine at one endpoint. Connects at the first call; safe to share between threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._api = Attempt(self._connect)
        self._version = Attempt(self._ask_version)

    @property
    def api(self) -> Any:
        """Return the SDK's low-level client, connected and its version negotiated; it ships no types."""
        return self._api.result()

    @property
    def version(self) -> EngineVersion:
        """Return the engine's release, and the API that is spoken with it."""
        return self._version.result()

    def _connect(self) -> Any:
        from mcpctl.engine.connection import connect

        with translated(self.endpoint, "connecting"):
            return connect(self.endpoint)

    def _ask_version(self) -> EngineVersion:
        doing = "asking the engine for its version"
        if self.endpoint.url.startswith(SCHEME):
            return introduce(Local(self.endpoint, FIRST_ANSWER_SECONDS), doing)
        with translated(self.endpoint, doing):
            return EngineVersion(str(self.api.version()["Version"]), str(self.api.api_version))

    @property
    def api_version(self) -> tuple[int, int]:
        """Return the negotiated API version as numbers, to compare with."""
        major, minor = self._spoken.split(".")
        return int(major), int(minor)

    @property
    def _spoken(self) -> str:
        """Return the version of the API that is spoken; the SDK knows it without asking for a release."""
        return self.version.api if self.endpoint.url.startswith(SCHEME) else str(self.api.api_version)

    def answers(self) -> bool:
        """Tell whether the engine answers now."""
        try:
            self._ask_version()
        except (EngineUnreachable, EngineFailed):
            return False
        return True

    def _get(self, doing: str, path: str, **query: str | int) -> Any:
        """Read from the engine."""
        return self._call("GET", doing, path, query)

    def _call(
        self,
        method: Method,
        doing: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        *,
        longer: float = 0,
    ) -> Any:
        """Make one plain call: without the SDK where the engine is local, see ``local``.

        ``longer`` are seconds that it may take beyond those of an ordinary call.
        """
        timeout = CALL_TIMEOUT + longer
        versioned = f"/v{self._spoken}{path}"
        if self.endpoint.url.startswith(SCHEME):
            return Local(self.endpoint, timeout).call(doing, Request(method, versioned, query or {}, body))
        with translated(self.endpoint, doing):
            answer = self.api.request(
                method, f"{self.api.base_url}{versioned}", params=query, json=body, timeout=timeout
            )
            self.api._raise_for_status(answer)  # noqa: SLF001 - the SDK's one way to its own errors
            return answer.json() if answer.content else None

    @cached_property
    def proxies(self) -> dict[str, str]:
        """Return the proxies of Docker's config.json as variables in both spellings."""
        from mcpctl.engine.proxies import configured

        return configured(self.endpoint.url)

    def info(self) -> EngineInfo:
        """Ask the engine who it is."""
        info = self._get("asking the engine who it is", "/info")
        return EngineInfo(
            endpoint=self.endpoint,
            version=info["ServerVersion"],
            api_version=self._spoken,
            operating_system=info["OperatingSystem"],
            root_directory=info["DockerRootDir"],
            storage_driver=info["Driver"],
            cpus=info["NCPU"],
            memory=info["MemTotal"],
            containers_running=info["ContainersRunning"],
        )

    @cached_property
    def _clock(self) -> tuple[datetime, float]:
        """Return one moment by the engine's clock and by this process's own."""
        told = times.parse(self._get("asking the engine for its time", "/info")["SystemTime"])
        return told, time.monotonic()

    def now(self) -> datetime:
        """Return the time by the engine's clock: on another machine it may differ from ours."""
        told, at = self._clock
        return told + timedelta(seconds=time.monotonic() - at)

    # containers

    def containers(self, labels: Iterable[str]) -> tuple[Container, ...]:
        """Inspect all containers, stopped ones too, that carry every label (``key`` or ``key=value``)."""
        rows = self._get(
            "listing containers", "/containers/json", all=1, filters=_filters(label=list(labels))
        )
        found = [self.find_container(row["Id"]) for row in rows]
        return tuple(item for item in found if item)

    def holdings(self) -> tuple[Holding, ...]:
        """Return what every container of the engine keeps in use, stopped ones and other projects' too."""
        rows = self._get("listing containers", "/containers/json", all=1)
        return tuple(inspect.holding(row) for row in rows)

    def find_container(self, name: str) -> Container | None:
        """Inspect one container by id or name, or return None where there is none."""
        try:
            return self.container(name)
        except NotFound:
            return None

    def container(self, name: str) -> Container:
        """Inspect one container by id or name."""
        return inspect.container(
            self._get(f"inspecting container {name}", f"/containers/{quote(name, safe='/:')}/json")
        )

    def process_states(self, container: str) -> tuple[str, ...]:
        """Return the state of each process of a running container, as ``ps`` writes it (``Ss``, ``R+``)."""
        doing = f"listing the processes of {container}"
        found = self._get(doing, f"/containers/{container}/top", ps_args="-eo pid,stat")
        at = found["Titles"].index("STAT")
        return tuple(row[at] for row in found["Processes"])

    def container_publishing(self, port: int, address: str = "") -> str | None:
        """Return the running container that publishes a TCP port of the host where ``address`` would."""
        rows = self._get("listing containers", "/containers/json", filters=_filters(publish=[f"{port}/tcp"]))
        for row in rows:
            for entry in row["Ports"]:
                taken = entry.get("PublicPort") == port and entry.get("Type") == "tcp"
                if taken and _collide(entry.get("IP", ""), address):
                    return inspect.listed_name(row)
        return None

    def create_container(self, name: str, config: Mapping[str, Any], platform: str | None = None) -> str:
        """Create a container from the engine's own JSON and return its id."""
        query = {"name": name, "platform": platform} if platform else {"name": name}
        answer = self._call("POST", f"creating container {name}", "/containers/create", query, config)
        return str(answer["Id"])

    def start(self, container: str) -> None:
        """Start a container; one that runs already is left alone."""
        self._call("POST", f"starting container {container}", f"/containers/{container}/start")

    def write_files(self, container: str, files: Iterable[WrittenFile]) -> None:
        """Put files into a container, started or not; missing folders above them are made."""
        from mcpctl.engine.archive import archive

        with translated(self.endpoint, f"writing files into container {container}"):
            self.api.put_archive(container, "/", archive(files))

    def stop(self, container: str, grace: int | None = None) -> None:
        """Stop a container, waiting ``grace`` seconds (default: its own) before it is killed."""
        doing = f"stopping container {container}"
        if grace is None:
            own = self._get(doing, f"/containers/{container}/json")["Config"].get("StopTimeout")
            grace = STOP_SECONDS if own is None else int(own)
        self._call("POST", doing, f"/containers/{container}/stop", {"t": grace}, longer=max(grace, 0))

    def unpause(self, container: str) -> None:
        """Let a paused container run on."""
        self._call("POST", f"unpausing container {container}", f"/containers/{container}/unpause")

    def remove_container(self, container: str, *, force: bool = False) -> None:
        """Remove a container; its anonymous volumes stay."""
        doing = f"removing container {container}"
        self._call("DELETE", doing, f"/containers/{container}", {"force": int(force), "v": 0})

    def rename(self, container: str, name: str) -> None:
        """Rename a container."""
        doing = f"renaming container {container} to {name}"
        self._call("POST", doing, f"/containers/{container}/rename", {"name": name})

    def connect(self, network: str, container: str, settings: Mapping[str, Any]) -> None:
        """Attach a container to one more network, with the engine's EndpointSettings."""
        doing = f"connecting {container} to network {network}"
        body = {"Container": container, "EndpointConfig": dict(settings)}
        self._call("POST", doing, f"/networks/{quote(network, safe='')}/connect", body=body)

    # networks and volumes

    def networks(self, labels: Iterable[str]) -> tuple[Network, ...]:
        """List the networks that carry all of ``labels``."""
        rows = self._get("listing networks", "/networks", filters=_filters(label=list(labels)))
        return tuple(inspect.network(raw) for raw in rows)

    def find_network(self, name: str) -> Network | None:
        """Return the network of exactly this name (the engine's own filter matches parts of names)."""
        doing = f"looking for network {name}"
        for raw in self._get(doing, "/networks", filters=_filters(name=[name])):
            if raw["Name"] == name:
                return inspect.network(self._get(doing, f"/networks/{raw['Id']}"))
        return None

    def create_network(self, spec: NetworkSpec, labels: Mapping[str, str]) -> str:
        """Create a network and return its id; the engine refuses a second one of the same name."""
        ipam: dict[str, Any] = {}
        if spec.ipam_driver or spec.ipam_config or spec.ipam_options:
            ipam = {
                "Driver": spec.ipam_driver or "default",
                "Config": [dict(row) for row in spec.ipam_config],
            }
            if spec.ipam_options:
                ipam["Options"] = dict(spec.ipam_options)
        body = {
            "Name": spec.name,
            "Driver": spec.driver or "bridge",
            "Options": dict(spec.driver_opts),
            "IPAM": ipam or None,
            "CheckDuplicate": True,
            "Internal": spec.internal,
            "Labels": dict(labels),
            "EnableIPv6": spec.enable_ipv6,
            "Attachable": spec.attachable,
        }
        answer = self._call("POST", f"creating network {spec.name}", "/networks/create", body=body)
        return str(answer["Id"])

    def remove_network(self, network: str) -> None:
        """Remove a network by id."""
        self._call("DELETE", f"removing network {network}", f"/networks/{network}")

    def volumes(self, labels: Iterable[str]) -> tuple[Volume, ...]:
        """List the volumes that carry all of ``labels``."""
        answer = self._get("listing volumes", "/volumes", filters=_filters(label=list(labels)))
        return tuple(inspect.volume(raw) for raw in answer.get("Volumes") or ())

    def find_volume(self, name: str) -> Volume | None:
        """Return the volume of this name, or None."""
        try:
            return inspect.volume(
                self._get(f"looking for volume {name}", f"/volumes/{quote(name, safe='/:')}")
            )
        except NotFound:
            return None

    def create_volume(self, spec: VolumeSpec, labels: Mapping[str, str]) -> None:
        """Create a volume with its driver and options."""
        body = {
            "Name": spec.name,
            "Driver": spec.driver or "local",
            "DriverOpts": dict(spec.driver_opts) or None,
            "Labels": dict(labels),
        }
        self._call("POST", f"creating volume {spec.name}", "/volumes/create", body=body)

    def remove_volume(self, name: str) -> None:
        """Remove a volume and what is in it."""
        self._call("DELETE", f"removing volume {name}", f"/volumes/{quote(name, safe='')}")

    # images

    def find_image(self, name: str) -> Image | None:
        """Return the local image of this name or id, or None."""
        try:
            return inspect.image(
                self._get(f"looking for image {name}", f"/images/{quote(name, safe='/:')}/json")
            )
        except NotFound:
            return None

    def images(self, labels: Iterable[str]) -> tuple[Image, ...]:
        """List the local images that carry every label, newest first; those without a name too."""
        rows = self._get("listing images", "/images/json", filters=_filters(label=list(labels)))
        rows = sorted(rows, key=lambda row: row["Created"], reverse=True)
        return tuple(inspect.listed_image(row) for row in rows)

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return the local tags of a repository, newest first."""
        rows = self._get(
            f"listing images of {repository}", "/images/json", filters=_filters(reference=[repository])
        )
        rows = sorted(rows, key=lambda row: row["Created"], reverse=True)
        return tuple(tag for row in rows for tag in row["RepoTags"] or ())

    def remove_image(self, name: str) -> None:
        """Remove an image's name, and its layers where nothing else uses them."""
        self._call("DELETE", f"removing image {name}", f"/images/{quote(name, safe='/:')}")

    def import_image(self, stream: Iterable[bytes], tag: str) -> str:
        """Make a single-layer image from a tar stream of a root file system and return its id."""
        repository, _, version = tag.rpartition(":")
        with translated(self.endpoint, f"importing image {tag}"):
            answer = self.api.post(  # the SDK's own import_image rejects streams of unknown length
                f"{self.api.base_url}/v{self.api.api_version}/images/create",
                params={"fromSrc": "-", "repo": repository, "tag": version, "changes": 'CMD ["python3"]'},
                data=stream,
                timeout=None,
            )
            self.api._raise_for_status(answer)  # noqa: SLF001 - the SDK's one way to its own errors
        imported = self.find_image(tag)
        if imported is None:
            raise EngineFailed(f"importing image {tag}: {answer.text.strip()[-400:]}")
        return imported.id


def _filters(**wanted: list[str]) -> str:
    """Return the engine's JSON form of a filter."""
    return json.dumps(wanted)


def _collide(one: str, other: str) -> bool:
    """Tell whether two addresses of the host cannot both publish a port; an empty one means all."""
    first, second = (ip_address(text.strip("[]")) if text else None for text in (one, other))
    if first is None or second is None or first == second:
        return True
    return first.version == second.version and (first.is_unspecified or second.is_unspecified)
