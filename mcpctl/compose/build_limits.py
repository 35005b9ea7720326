"""A service's limits, from the short keys and from ``deploy.resources``, which wins."""

from __future__ import annotations

from typing import Any

from mcpctl.compose.model import DeviceRequest, Limits
from mcpctl.compose.trees import table_at

Json = dict[str, Any]

_RATES = ("read_bps", "read_iops", "write_bps", "write_iops")


def build_limits(service: Json) -> Limits:
    """Return the limits of a service in the form of the resolved model."""
    resources = table_at(service, "deploy", "resources")
    limits = table_at(resources, "limits")
    reservations = table_at(resources, "reservations")
    blkio = table_at(service, "blkio_config")
    return Limits(
        memory=_bytes(limits.get("memory") or service.get("mem_limit")),
        memory_reservation=_bytes(reservations.get("memory") or service.get("mem_reservation")),
        memory_swap=_bytes(service.get("memswap_limit")),
        memory_swappiness=_bytes(service.get("mem_swappiness")),
        cpus=_cpus(limits.get("cpus") or service.get("cpus")),
        cpu_shares=service.get("cpu_shares"),
        cpu_quota=service.get("cpu_quota"),
        cpu_period=service.get("cpu_period"),
        cpuset=service.get("cpuset"),
        pids=limits.get("pids") or service.get("pids_limit"),
        shm_size=_bytes(service.get("shm_size")),
        oom_kill_disable=service.get("oom_kill_disable", False),
        oom_score_adj=service.get("oom_score_adj"),
        cpu_rt_period=service.get("cpu_rt_period"),
        cpu_rt_runtime=service.get("cpu_rt_runtime"),
        blkio_weight=blkio.get("weight"),
        blkio_weight_device=tuple((one["Path"], one["Weight"]) for one in blkio.get("weight_device", ())),
        blkio_rates={
            rate: tuple((one["Path"], int(one["Rate"])) for one in blkio[f"device_{rate}"])
            for rate in _RATES
            if f"device_{rate}" in blkio
        },
        devices=tuple(_device_request(request) for request in reservations.get("devices", ())),
    )


def _bytes(text: str | None) -> int | None:
    return None if text is None else int(text)


def _cpus(number: float | None) -> float | None:
    return None if number is None else float(number)


def _device_request(source: Json) -> DeviceRequest:
    return DeviceRequest(
        capabilities=tuple(source.get("capabilities", ())),
        driver=source.get("driver", ""),
        count=source.get("count", 0),
        device_ids=tuple(source.get("device_ids", ())),
        options=source.get("options", {}),
    )
