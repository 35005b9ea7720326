"""Turn the engine's JSON into our frozen types. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from mcpctl.engine.types import RUNNING, Container, Holding, Image, Network, Probe, PublishedPort, Volume

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]


def _map(raw: Mapping[str, Any], key: str) -> Json:
    """Return a nested object; the engine writes ``null`` for an empty one."""
    return cast("Json", raw.get(key) or {})


def _list(raw: Mapping[str, Any], key: str) -> list[Any]:
    return cast("list[Any]", raw.get(key) or [])


def container(raw: Mapping[str, Any]) -> Container:
    """Read one answer of ``GET /containers/{id}/json``."""
    state = _map(raw, "State")
    config = _map(raw, "Config")
    health = _map(state, "Health")
    return Container(
        id=raw["Id"],
        name=str(raw["Name"]).lstrip("/"),
        image=config["Image"],
        image_id=raw["Image"],
        labels=_map(config, "Labels"),
        state=state["Status"],
        exit_code=state["ExitCode"],
        oom_killed=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        started_at=state["StartedAt"],
        restart_count=raw.get("RestartCount", 0),
        health=_health(health.get("Status")),
        last_probe=_last_probe(_list(health, "Log")),
        ports=_ports(raw),
        network_ids=_network_ids(raw),
        volumes=_volumes(raw),
        raw=raw,
    )


def _health(status: object) -> Literal["starting", "healthy", "unhealthy"] | None:
    if status in {"starting", "healthy", "unhealthy"}:
        return cast('Literal["starting", "healthy", "unhealthy"]', status)
    return None


def _last_probe(log: list[Json]) -> Probe | None:
    return Probe(log[-1]["ExitCode"], log[-1]["Output"]) if log else None


def _volumes(raw: Mapping[str, Any]) -> dict[str, str]:
    mounts = cast("list[dict[str, str]]", _list(raw, "Mounts"))
    return {mount["Destination"]: mount["Name"] for mount in mounts if mount.get("Type") == "volume"}


def _ports(raw: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    """Read the live bindings; a stopped container has none."""
    bindings = cast("dict[str, list[dict[str, str]] | None]", _map(_map(raw, "NetworkSettings"), "Ports"))
    found = [
        PublishedPort(
            entry["HostIp"], int(entry["HostPort"]), int(key.split("/")[0]), key.partition("/")[2] or "tcp"
        )
        for key, entries in bindings.items()
        for entry in entries or []
    ]
    return tuple(sorted(found, key=lambda port: (port.container_port, port.protocol, port.host_ip)))


def _network_ids(raw: Mapping[str, Any]) -> dict[str, str]:
    networks = cast("dict[str, Json]", _map(_map(raw, "NetworkSettings"), "Networks"))
    return {name: str(entry.get("NetworkID") or "") for name, entry in networks.items()}


def network(raw: Mapping[str, Any]) -> Network:
    """Read one answer of ``GET /networks``."""
    attached = cast("dict[str, Json]", _map(raw, "Containers"))
    names = {identity: str(entry.get("Name") or identity) for identity, entry in attached.items()}
    return Network(raw["Id"], raw["Name"], _map(raw, "Labels"), names)


def volume(raw: Mapping[str, Any]) -> Volume:
    """Read one answer of ``GET /volumes``."""
    return Volume(raw["Name"], raw.get("Driver") or "local", _map(raw, "Labels"))


def image(raw: Mapping[str, Any]) -> Image:
    """Read one answer of ``GET /images/{name}/json``."""
    config = _map(raw, "Config")
    return Image(raw["Id"], tuple(_list(raw, "RepoTags")), _map(config, "Labels"), raw.get("Size", 0), config)


def listed_image(raw: Mapping[str, Any]) -> Image:
    """Read one row of ``GET /images/json``; one without a name has no tags, however the engine says so."""
    tags = tuple(tag for tag in cast("list[str]", _list(raw, "RepoTags")) if tag != "<none>:<none>")
    return Image(raw["Id"], tags, cast("dict[str, str]", _map(raw, "Labels")), raw.get("Size", 0))


def holding(raw: Mapping[str, Any]) -> Holding:
    """Read one row of ``GET /containers/json``."""
    networks = _map(_map(raw, "NetworkSettings"), "Networks")
    return Holding(
        raw["Id"],
        listed_name(raw),
        raw["ImageID"],
        frozenset(networks),
        frozenset(_volumes(raw).values()),
        running=raw["State"] in RUNNING,
    )


def listed_name(raw: Mapping[str, Any]) -> str:
    """Return the name in a row of ``GET /containers/json``."""
    names = cast("list[str]", _list(raw, "Names"))
    return names[0].lstrip("/") if names else str(raw["Id"])[:12]
