"""The same file brought up by the real docker compose and by mcpctl leaves the same objects."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.compose import labels
from mcpctl.compose.schema import SERVICE
from mcpctl.compose.shapes import Unsupported
from mcpctl.stack.changes import changed_keys
from mcpctl.stack.observe import observe
from mcpctl.stack.references import owners, resolve
from tests.counts import COUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.engine.stack import Stack

STACKS = Path(__file__).parent / "stacks"

PER_CONTAINER = {
    "Id", "Created", "StartedAt", "FinishedAt", "Pid", "SandboxID", "SandboxKey", "EndpointID", "NetworkID",
    "ResolvConfPath", "HostnamePath", "HostsPath", "LogPath", "GraphDriver", "Log", "CreatedAt", "Gateway",
    "IPAddress", "GlobalIPv6Address", "MacAddress", "IPv6Gateway", "IPPrefixLen", "HostPort", "Containers",
    "Subnet", "Mountpoint", "DNSNames", "Health", "ExecIDs",
}  # fmt: skip
"""Ids, times and addresses: what differs between two runs of the same program."""


DROPPED = ("blkio_config.weight:", "annotations.", "mac_address:")


def normal(value: Any, names: dict[str, str]) -> Any:
    """Drop what differs from run to run, and put a service's name for each container's id."""
    if isinstance(value, dict):
        kept = {
            key: item
            for key, item in value.items()
            if key not in PER_CONTAINER and key not in {labels.VERSION, labels.CONTENT}
        }
        # compose sends these empty for a short form and not at all for a long one: they say nothing
        return {
            key: normal(item, names)
            for key, item in kept.items()
            if item or key not in {"BindOptions", "VolumeOptions", "TmpfsOptions"}
        }
    if isinstance(value, list):
        items = [normal(item, names) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    return _text(value, names) if isinstance(value, str) else value


def _text(value: str, names: dict[str, str]) -> str:
    for container_id, name in names.items():
        value = value.replace(container_id, f"<{name}>").replace(container_id[:12], f"<{name}>")
    value = re.sub(r"\b[0-9a-f]{64}\b", "<id>", value)
    # compose writes the parts of this label in no fixed order
    return ",".join(sorted(value.split(","))) if ":service_" in value else value


def snapshot(stack: Stack) -> dict[str, Any]:
    """Return all that the engine knows of a project, ready to compare."""
    containers = {item.name: item for item in stack.containers()}
    names = {item.id: name for name, item in containers.items()}
    api, own = stack.engine.api, {"label": f"{labels.PROJECT}={stack.name}"}
    found = {f"container {name}": normal(item.raw, names) for name, item in containers.items()}
    for name, item in containers.items():
        if owners(stack.project.services[item.labels[labels.SERVICE]]):
            # such a hash covers another container's id
            found[f"container {name}"]["Config"]["Labels"].pop(labels.CONFIG_HASH)
    found |= {f"network {row['Name']}": normal(row, names) for row in api.networks(filters=own)}
    found |= {f"volume {row['Name']}": normal(row, names) for row in api.volumes(filters=own)["Volumes"]}
    return found


def differences(before: Any, after: Any, where: str = "") -> list[str]:
    """Name every place where two snapshots differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after})
        return [
            line
            for key in keys
            for line in differences(before.get(key, "(none)"), after.get(key, "(none)"), f"{where}/{key}")
        ]
    return [] if before == after else [f"{where}: compose {before!r}, mcpctl {after!r}"]


def told(stack: Stack) -> dict[str, list[str]]:
    """Return the keys that a plan would name if a container's hash were another."""
    observed, project = observe(stack.engine, stack.project), stack.project
    found: dict[str, list[str]] = {}
    for item in observed.containers:
        service = project.services[item.labels[labels.SERVICE]]
        service = resolve(service, observed.first_ids(owners(service)))
        keys = changed_keys(project, service, item, observed.image_of(item))
        # an old engine, a new one, or one on a kernel without this limit, drops these
        if named := [key for key in keys if not key.startswith(DROPPED)]:
            found[item.name] = named
    return found


def files() -> Iterator[Any]:
    """Yield the compose files; one named engine<N> needs an engine of that release."""
    for path in sorted(STACKS.glob("*.yaml")):
        release = path.stem.removeprefix("engine")
        marks = [pytest.mark.engine_from(int(release))] if release.isdecimal() else []
        yield pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("file", list(files()))
def test_docker_inspect_sees_no_difference(file: Path, stack: Callable[[str], Stack]) -> None:
    one = stack("")
    one.write(file.read_text().replace("NAME", one.name))
    for folder in ("x", "y"):
        (one.folder / folder).mkdir()
    (one.folder / "secret.txt").write_text("s")
    (one.folder / "more.env").write_text("FROM_FILE=1\n")
    one.compose("up", "-d", "-t", "1")
    by_compose = snapshot(one)
    assert told(one) == {}, "plan names keys that did not change"
    assert [str(step) for step in one.up(wait=False).steps] == []
    one.compose("down", "-v", "-t", "1")

    one.up(wait=False)
    by_mcpctl = snapshot(one)
    assert told(one) == {}, "plan names keys that did not change"

    # since compose 2.31 networks and volumes carry a hash; 2.26 shows none
    for name, item in by_mcpctl.items():
        if not name.startswith("container"):
            item["Labels"].pop(labels.CONFIG_HASH, None)
    made = one.ids()
    one.compose("up", "-d", "-t", "1")
    assert one.ids() == made, "compose recreated what mcpctl made"

    found = differences(by_compose, by_mcpctl)
    assert not found, "\n".join(found)
    assert len(by_mcpctl) > 3
    for name in by_mcpctl:
        COUNTS[f"equal {name.partition(' ')[0]}s in docker inspect"] += 1


WITHOUT_A_CONTAINER = {
    "build": "the images that both make are compared in the tests of building",
    "profiles": "says whether a service takes part, not what its container is",
}
NEEDS_ANOTHER_MACHINE = {
    "cpu_rt_period": "a kernel with real-time groups",
    "cpu_rt_runtime": "likewise",
    "storage_opt": "a file system with project quotas",
}


def test_the_comparison_tries_every_key_of_a_service_that_this_machine_can() -> None:
    import yaml

    supported = {key for key, shape in SERVICE.fields.items() if not isinstance(shape, Unsupported)}
    for file in STACKS.glob("*.yaml"):
        for service in yaml.safe_load(file.read_text())["services"].values():
            supported -= set(service)
    assert supported == {*WITHOUT_A_CONTAINER, *NEEDS_ANOTHER_MACHINE}


def test_the_proxies_of_dockers_configuration_are_handed_on_as_compose_does(
    stack: Callable[[str], Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = stack(
        "services: {web: {image: IMAGE, command: [sleep, '60'], environment: {HTTP_PROXY: mine, A: b}}}"
    )
    config = one.folder / ".docker" / "config.json"
    config.parent.mkdir()
    config.write_text('{"proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "x"}}}')
    one.compose("up", "-d", "-t", "1")
    by_compose = sorted(one.one("web").raw["Config"]["Env"])
    one.compose("down", "-t", "1")
    monkeypatch.setenv("DOCKER_CONFIG", str(config.parent))
    one.engine = type(one.engine)(one.engine.endpoint)
    one.up(wait=False)
    assert sorted(one.one("web").raw["Config"]["Env"]) == by_compose
    assert "http_proxy=http://p:1" in by_compose
