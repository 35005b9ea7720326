"""The engine's JSON as frozen types, with everything that it may leave out."""

from __future__ import annotations

from typing import Any

import pytest

from mcpctl.engine import inspect
from mcpctl.engine.types import Probe, PublishedPort

BARE: dict[str, Any] = {
    "Id": "c" * 64,
    "Name": "/p-web-1",
    "Image": "sha256:aa",
    "State": {"Status": "created", "ExitCode": 0, "StartedAt": "0001-01-01T00:00:00Z"},
    "Config": {"Image": "web:1", "Labels": None},
    "NetworkSettings": {"Ports": None, "Networks": None},
    "Mounts": None,
}


def test_a_container_with_nothing_optional_is_read() -> None:
    found = inspect.container(BARE)
    assert (found.name, found.image, found.image_id, found.labels) == ("p-web-1", "web:1", "sha256:aa", {})
    assert (found.health, found.last_probe, found.ports, found.network_ids, found.volumes) == (
        None,
        None,
        (),
        {},
        {},
    )
    assert (found.oom_killed, found.error, found.restart_count) == (False, "", 0)
    assert found.raw is BARE


@pytest.mark.parametrize(
    ("state", "running"),
    [
        ("running", True),
        ("paused", True),
        ("restarting", False),
        ("exited", False),
        ("dead", False),
        ("created", False),
    ],
)
def test_only_a_living_process_runs(state: str, running: bool) -> None:
    raw = {**BARE, "State": {**BARE["State"], "Status": state}}
    assert inspect.container(raw).running is running


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("starting", "starting"),
        ("healthy", "healthy"),
        ("unhealthy", "unhealthy"),
        ("none", None),
        ("", None),
    ],
)
def test_health_is_one_of_three_words_or_nothing(status: str, health: str | None) -> None:
    raw = {**BARE, "State": {**BARE["State"], "Health": {"Status": status, "Log": None}}}
    assert inspect.container(raw).health == health


def test_the_last_probe_is_the_newest() -> None:
    log = [{"ExitCode": 1, "Output": "old"}, {"ExitCode": 0, "Output": "new"}]
    raw = {**BARE, "State": {**BARE["State"], "Health": {"Status": "healthy", "Log": log}}}
    assert inspect.container(raw).last_probe == Probe(0, "new")


def test_published_ports_are_sorted_and_unpublished_ones_left_out() -> None:
    ports = {
        "9000/udp": [{"HostIp": "::", "HostPort": "9000"}, {"HostIp": "0.0.0.0", "HostPort": "9000"}],
        "8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18000"}],
        "7000/tcp": None,
    }
    found = inspect.container({**BARE, "NetworkSettings": {"Ports": ports}}).ports
    assert found == (
        PublishedPort("127.0.0.1", 18000, 8000, "tcp"),
        PublishedPort("0.0.0.0", 9000, 9000, "udp"),
        PublishedPort("::", 9000, 9000, "udp"),
    )


def test_only_volumes_count_among_the_mounts() -> None:
    mounts = [
        {"Type": "volume", "Name": "v", "Destination": "/v"},
        {"Type": "bind", "Source": "/x", "Destination": "/b"},
        {"Type": "tmpfs", "Destination": "/t"},
    ]
    assert inspect.container({**BARE, "Mounts": mounts}).volumes == {"/v": "v"}


def test_a_network_that_is_not_joined_yet_has_no_id() -> None:
    networks = {"p_default": {"NetworkID": "n1"}, "p_other": {"NetworkID": ""}}
    raw = {**BARE, "NetworkSettings": {"Ports": {}, "Networks": networks}}
    assert inspect.container(raw).network_ids == {"p_default": "n1", "p_other": ""}


def test_networks_volumes_and_images_may_lack_labels() -> None:
    assert inspect.network({"Id": "n", "Name": "p_default", "Labels": None}).labels == {}
    volume = inspect.volume({"Name": "v", "Driver": "", "Labels": None})
    assert (volume.driver, volume.labels) == ("local", {})
    image = inspect.image({"Id": "i", "RepoTags": None, "Config": None})
    assert (image.tags, image.labels, image.size) == ((), {}, 0)


def test_a_listed_container_tells_what_it_keeps_in_use() -> None:
    row: dict[str, Any] = {
        "Id": "c" * 64,
        "Names": ["/a"],
        "ImageID": "sha256:1",
        "State": "paused",
        "NetworkSettings": {"Networks": {"n": {}}},
        "Mounts": [
            {"Type": "volume", "Name": "v", "Destination": "/v"},
            {"Type": "bind", "Source": "/x", "Destination": "/x"},
        ],
    }
    held = inspect.holding(row)
    assert (held.container, held.networks, held.volumes, held.running) == ("a", {"n"}, {"v"}, True)
    bare = inspect.holding({"Id": "c" * 64, "Names": None, "ImageID": "", "State": "dead"})
    assert (bare.container, bare.networks, bare.volumes, bare.running) == ("c" * 12, set(), set(), False)
