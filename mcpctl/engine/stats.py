"""What a container uses, computed as the `docker` program computes it.

Source: docker CLI, cli/command/container/stats_helpers.go.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from mcpctl.engine.failures import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mcpctl.engine.client import Engine


@dataclass(frozen=True, slots=True)
class Usage:
    """One sample. Percents are of one processor and of the memory limit; the rest are bytes and a count."""

    cpu_percent: float
    memory_bytes: int
    memory_limit_bytes: int
    memory_percent: float
    network_received_bytes: int
    network_sent_bytes: int
    block_read_bytes: int
    block_written_bytes: int
    pids: int

    def to_json(self) -> dict[str, object]:
        """Return the form that `stats -o json` prints."""
        return asdict(self)


def usage(raw: Mapping[str, Any]) -> Usage:
    """Read one answer of ``GET /containers/{id}/stats``. Pure."""
    memory = _map(raw, "memory_stats")
    used, limit = _memory(memory), int(memory.get("limit") or 0)
    networks = [cast("dict[str, int]", entry) for entry in _map(raw, "networks").values()]
    read, written = _blocks(raw)
    return Usage(
        cpu_percent=round(_cpu_percent(raw), 2),
        memory_bytes=used,
        memory_limit_bytes=limit,
        memory_percent=round(used / limit * 100, 2) if limit else 0.0,
        network_received_bytes=sum(entry["rx_bytes"] for entry in networks),
        network_sent_bytes=sum(entry["tx_bytes"] for entry in networks),
        block_read_bytes=read,
        block_written_bytes=written,
        pids=int(_map(raw, "pids_stats").get("current") or 0),
    )


def _map(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    return cast("dict[str, Any]", raw.get(key) or {})


def _cpu_percent(raw: Mapping[str, Any]) -> float:
    now, before = _map(raw, "cpu_stats"), _map(raw, "precpu_stats")
    own = _map(now, "cpu_usage").get("total_usage", 0) - _map(before, "cpu_usage").get("total_usage", 0)
    whole = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    processors = now.get("online_cpus") or len(_map(now, "cpu_usage").get("percpu_usage") or ())
    return own / whole * processors * 100 if own > 0 and whole > 0 else 0.0


def _memory(memory: Mapping[str, Any]) -> int:
    """Return the bytes in use without the page cache that could be dropped."""
    used, details = int(memory.get("usage") or 0), _map(memory, "stats")
    for key in ("total_inactive_file", "inactive_file"):  # cgroup v1, then v2
        if key in details and details[key] < used:
            return used - int(details[key])
    return used


def _blocks(raw: Mapping[str, Any]) -> tuple[int, int]:
    read = written = 0
    entries = cast("list[dict[str, Any]]", _map(raw, "blkio_stats").get("io_service_bytes_recursive") or [])
    for entry in entries:
        kind = str(entry["op"])[:1].lower()
        read += int(entry["value"]) if kind == "r" else 0
        written += int(entry["value"]) if kind == "w" else 0
    return read, written


def sample(engine: Engine, container: str) -> Usage:
    """Take one sample; it lasts one to two seconds, since the processor's share needs two readings."""
    with translated(engine.endpoint, f"reading the usage of {container}"):
        return usage(engine.api.stats(container, stream=False))


def samples(engine: Engine, container: str) -> Iterator[Usage]:
    """Yield a sample each second until the container is gone."""
    with translated(engine.endpoint, f"reading the usage of {container}"):
        for raw in engine.api.stats(container, stream=True, decode=True):
            yield usage(raw)


def processes(engine: Engine, container: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the headings and the rows of a running container's processes."""
    with translated(engine.endpoint, f"listing the processes of {container}"):
        answer = engine.api.top(container)
    return tuple(answer["Titles"]), tuple(tuple(row) for row in answer["Processes"] or ())
