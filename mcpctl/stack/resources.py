"""A service's limits and devices in the engine's JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcpctl.compose.model import DeviceRequest, Limits, Service

Json = dict[str, Any]

_RATES = {
    "read_bps": "BlkioDeviceReadBps",
    "read_iops": "BlkioDeviceReadIOps",
    "write_bps": "BlkioDeviceWriteBps",
    "write_iops": "BlkioDeviceWriteIOps",
}


def resources(service: Service) -> Json:
    """Return what goes into HostConfig; a limit that the file leaves open is left out."""
    limits = service.limits
    fields: dict[str, object] = {
        "Memory": limits.memory,
        "MemoryReservation": limits.memory_reservation,
        "MemorySwap": limits.memory_swap,
        "MemorySwappiness": limits.memory_swappiness,
        "NanoCpus": int(limits.cpus * 1e9) if limits.cpus else None,
        "CpuShares": limits.cpu_shares,
        "CpuQuota": limits.cpu_quota,
        "CpuPeriod": limits.cpu_period,
        "CpuRealtimePeriod": limits.cpu_rt_period,
        "CpuRealtimeRuntime": limits.cpu_rt_runtime,
        "CpusetCpus": limits.cpuset,
        "PidsLimit": limits.pids,
        "ShmSize": limits.shm_size,
        "OomKillDisable": limits.oom_kill_disable or None,
        "OomScoreAdj": limits.oom_score_adj,
        "Ulimits": _ulimits(service) or None,
        "Devices": [_device(device) for device in service.devices] or None,
        "DeviceCgroupRules": list(service.device_cgroup_rules) or None,
        "DeviceRequests": [_request(request) for request in limits.devices] or None,
        **_block_io(limits),
    }
    return {key: value for key, value in fields.items() if value is not None}


def _ulimits(service: Service) -> list[Json]:
    return [{"Name": name, "Soft": limit.soft, "Hard": limit.hard} for name, limit in service.ulimits.items()]


def _device(text: str) -> Json:
    parts = text.split(":")
    return {
        "PathOnHost": parts[0],
        "PathInContainer": parts[1] if len(parts) > 1 else parts[0],
        "CgroupPermissions": parts[2] if len(parts) > 2 else "rwm",
    }


def _request(request: DeviceRequest) -> Json:
    return {
        "Driver": request.driver,
        "Count": request.count,
        "DeviceIDs": list(request.device_ids) or None,
        "Capabilities": [list(request.capabilities)],
        "Options": dict(request.options) or None,
    }


def _block_io(limits: Limits) -> Json:
    fields: Json = {"BlkioWeight": limits.blkio_weight}
    if limits.blkio_weight_device:
        fields["BlkioWeightDevice"] = [
            {"Path": path, "Weight": weight} for path, weight in limits.blkio_weight_device
        ]
    for key, name in _RATES.items():
        if pairs := limits.blkio_rates.get(key):
            fields[name] = [{"Path": path, "Rate": rate} for path, rate in pairs]
    return fields
