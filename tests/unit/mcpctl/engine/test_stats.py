"""Usage is computed as the docker program does (cli/command/container/stats_helpers.go)."""

from __future__ import annotations

from typing import Any

from mcpctl.engine.stats import usage

RAW: dict[str, Any] = {
    "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 4000, "online_cpus": 4},
    "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 2000},
    "memory_stats": {"usage": 1000, "limit": 4000, "stats": {"inactive_file": 200}},
    "networks": {"eth0": {"rx_bytes": 5, "tx_bytes": 7}, "eth1": {"rx_bytes": 50, "tx_bytes": 70}},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"op": "read", "value": 3},
            {"op": "Write", "value": 4},
            {"op": "Read", "value": 30},
            {"op": "sync", "value": 99},
        ]
    },
    "pids_stats": {"current": 9},
}


def test_the_processors_share_is_of_all_processors() -> None:
    assert usage(RAW).cpu_percent == 40.0
    counted = {"cpu_usage": {"total_usage": 300, "percpu_usage": [1, 1]}, "system_cpu_usage": 4000}
    assert usage(RAW | {"cpu_stats": counted}).cpu_percent == 20.0
    assert usage(RAW | {"cpu_stats": RAW["precpu_stats"]}).cpu_percent == 0.0


def test_memory_leaves_out_the_page_cache_of_both_kinds_of_cgroup() -> None:
    found = usage(RAW)
    assert (found.memory_bytes, found.memory_limit_bytes, found.memory_percent) == (800, 4000, 20.0)
    first = {"usage": 1000, "limit": 4000, "stats": {"total_inactive_file": 600, "inactive_file": 1}}
    assert usage(RAW | {"memory_stats": first}).memory_bytes == 400
    more = {"usage": 1000, "limit": 0, "stats": {"inactive_file": 1000}}
    assert (usage(RAW | {"memory_stats": more}).memory_bytes) == 1000
    assert usage(RAW | {"memory_stats": more}).memory_percent == 0.0


def test_traffic_is_summed_and_blocks_are_told_apart() -> None:
    found = usage(RAW)
    assert (found.network_received_bytes, found.network_sent_bytes) == (55, 77)
    assert (found.block_read_bytes, found.block_written_bytes, found.pids) == (33, 4, 9)


def test_a_container_that_has_just_stopped_uses_nothing() -> None:
    gone = usage({"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "precpu_stats": {}, "memory_stats": {}})
    assert set(gone.to_json().values()) == {0}
